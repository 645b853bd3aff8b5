//! What an author could have known: *a* precedes *b* if *b* reaches it through `seen` or the previous hash; else they are concurrent.
//!
//! Within the entries of one topic it suffices to know, for each entry, how far into every log its author had seen.

use std::collections::BTreeMap;

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
    /// Entries must come in fold order (hybrid clock first), which never puts an effect before its cause.
    pub fn of(entries: impl IntoIterator<Item = &'a Entry>) -> Self {
        let mut pasts = Self { logs: Vec::new(), places: BTreeMap::new(), reach: BTreeMap::new() };
        // How far the latest entry of each log reaches.
        let mut own: Vec<Reach> = Vec::new();
        for entry in entries {
            let log = pasts.number(entry.log());
            own.resize_with(pasts.logs.len(), Reach::new);
            let mut reach = std::mem::take(&mut own[log]);
            for seen in &entry.header().seen {
                if let Some(past) = pasts.reach.get(seen) {
                    past.iter().enumerate().for_each(|(log, counter)| raise(&mut reach, log, *counter));
                }
            }
            raise(&mut reach, log, entry.header().counter);
            own[log].clone_from(&reach);
            pasts.places.insert(entry.id(), (log, entry.header().counter));
            pasts.reach.insert(entry.id(), reach);
        }
        pasts
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
