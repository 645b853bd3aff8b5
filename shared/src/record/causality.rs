//! What an author could have known: *a* precedes *b* if *b* reaches it through `seen` or the previous hash; else they are concurrent.
//!
//! Within the entries of one topic it suffices to know, for each entry, how far into every log its author had seen.

use std::collections::BTreeMap;

use crate::id::EntryId;
use crate::log::{Entry, LogId};

/// For each entry of a topic, how far into each log its past reaches.
pub struct Pasts<'a> {
    places: BTreeMap<EntryId, (&'a LogId, u64)>,
    reach: BTreeMap<EntryId, BTreeMap<&'a LogId, u64>>,
}

impl<'a> Pasts<'a> {
    /// Entries must come in fold order (hybrid clock first), which never puts an effect before its cause.
    pub fn of(entries: impl IntoIterator<Item = &'a Entry>) -> Self {
        let mut pasts = Self { places: BTreeMap::new(), reach: BTreeMap::new() };
        let mut own: BTreeMap<&LogId, BTreeMap<&'a LogId, u64>> = BTreeMap::new();
        for entry in entries {
            let log = entry.log();
            let mut reach = own.get(log).cloned().unwrap_or_default();
            for seen in &entry.header().seen {
                if let Some(past) = pasts.reach.get(seen) {
                    past.iter().for_each(|(log, counter)| raise(&mut reach, log, *counter));
                }
            }
            raise(&mut reach, log, entry.header().counter);
            own.insert(log, reach.clone());
            pasts.places.insert(entry.id(), (log, entry.header().counter));
            pasts.reach.insert(entry.id(), reach);
        }
        pasts
    }

    /// Whether `earlier` is in `later`'s past.
    pub fn precedes(&self, earlier: &EntryId, later: &EntryId) -> bool {
        let (Some((log, counter)), Some(reach)) = (self.places.get(earlier), self.reach.get(later)) else {
            return false;
        };
        earlier != later && reach.get(log).is_some_and(|reached| reached >= counter)
    }
}

fn raise<'a>(reach: &mut BTreeMap<&'a LogId, u64>, log: &'a LogId, counter: u64) {
    let reached = reach.entry(log).or_default();
    *reached = (*reached).max(counter);
}
