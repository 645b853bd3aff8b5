//! What an author could have known: *a* precedes *b* if *b* reaches it through `seen` or the previous hash; else they are concurrent.
//!
//! Within the entries of one topic it suffices to know, for each entry, how far into every log its author had seen.

use std::collections::{BTreeMap, BTreeSet};

use crate::id::EntryId;
use crate::log::{Entry, LogId};

/// For each entry of a topic, how far into each log its past reaches.
pub struct Pasts<'a> {
    /// The logs met so far; everything below names them by position. A topic is written in a handful of logs.
    logs: Vec<&'a LogId>,
    places: BTreeMap<EntryId, (usize, u64)>,
    reach: BTreeMap<EntryId, Reach>,
}

/// A counter for each log, 0 where nothing of it was seen; logs beyond its end were unknown then.
type Reach = Vec<u64>;

impl<'a> Pasts<'a> {
    /// Entries should come in fold order. It puts an effect before its cause only where a clock stood far ahead, whose lead nobody else takes over;
    /// then they are read by what they have seen.
    pub fn of(entries: impl IntoIterator<Item = &'a Entry>) -> Self {
        let entries: Vec<&Entry> = entries.into_iter().collect();
        let (pasts, missed) = Self::read(entries.iter().copied());
        let is_late = missed.iter().any(|seen| pasts.places.contains_key(seen));
        if is_late { Self::read(causes_first(&entries)).0 } else { pasts }
    }

    /// Also says which of what was seen had not come by then.
    fn read(entries: impl Iterator<Item = &'a Entry>) -> (Self, Vec<EntryId>) {
        let mut missed = Vec::new();
        let mut pasts = Self { logs: Vec::new(), places: BTreeMap::new(), reach: BTreeMap::new() };
        // How far the latest entry of each log reaches.
        let mut own: Vec<Reach> = Vec::new();
        for entry in entries {
            let log = pasts.number(entry.log());
            own.resize_with(pasts.logs.len(), Reach::new);
            let mut reach = std::mem::take(&mut own[log]);
            for seen in &entry.header().seen {
                match pasts.reach.get(seen) {
                    Some(past) => past.iter().enumerate().for_each(|(log, counter)| raise(&mut reach, log, *counter)),
                    None => missed.push(*seen),
                }
            }
            raise(&mut reach, log, entry.header().counter);
            own[log].clone_from(&reach);
            pasts.places.insert(entry.id(), (log, entry.header().counter));
            pasts.reach.insert(entry.id(), reach);
        }
        (pasts, missed)
    }

    fn number(&mut self, log: &'a LogId) -> usize {
        self.logs.iter().position(|known| *known == log).unwrap_or_else(|| {
            self.logs.push(log);
            self.logs.len() - 1
        })
    }

    /// Whether `earlier` is in `later`'s past.
    pub fn precedes(&self, earlier: &EntryId, later: &EntryId) -> bool {
        let (Some((log, counter)), Some(reach)) = (self.places.get(earlier), self.reach.get(later)) else {
            return false;
        };
        earlier != later && reach.get(*log).is_some_and(|reached| reached >= counter)
    }
}

fn raise(reach: &mut Reach, log: usize, counter: u64) {
    if reach.len() <= log {
        reach.resize(log + 1, 0);
    }
    reach[log] = reach[log].max(counter);
}

/// The entries, each behind what it has seen and behind its log's earlier ones; else as they come. What claims to have seen what follows it in its
/// own log stands at the end.
fn causes_first<'a>(entries: &[&'a Entry]) -> impl Iterator<Item = &'a Entry> {
    let place: BTreeMap<EntryId, usize> = entries.iter().enumerate().map(|(place, e)| (e.id(), place)).collect();
    let mut effects: Vec<Vec<usize>> = vec![Vec::new(); entries.len()];
    let mut causes = vec![0; entries.len()];
    let mut link = |cause: usize, effect: usize| {
        effects[cause].push(effect);
        causes[effect] += 1;
    };
    let mut logs: BTreeMap<&LogId, Vec<usize>> = BTreeMap::new();
    for (own, entry) in entries.iter().enumerate() {
        logs.entry(entry.log()).or_default().push(own);
        entry.header().seen.iter().filter_map(|seen| place.get(seen)).for_each(|cause| link(*cause, own));
    }
    for log in logs.values_mut() {
        log.sort_by_key(|own| (entries[*own].header().counter, *own));
        log.windows(2).for_each(|pair| link(pair[0], pair[1]));
    }
    let mut ready: BTreeSet<usize> = (0..entries.len()).filter(|own| causes[*own] == 0).collect();
    let mut order = Vec::with_capacity(entries.len());
    while let Some(next) = ready.pop_first() {
        order.push(next);
        for effect in &effects[next] {
            causes[*effect] -= 1;
            if causes[*effect] == 0 {
                ready.insert(*effect);
            }
        }
    }
    let left = (0..entries.len()).filter(|own| causes[*own] > 0);
    order.extend(left);
    order.into_iter().map(|own| entries[own])
}
