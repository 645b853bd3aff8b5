//! What an author could have known: *a* precedes *b* if *b* reaches it through `seen` or the previous hash; else they are concurrent.
//!
//! Within the entries of one topic it suffices to know, for an entry, how far into every log its author had seen. That is found out for those
//! entries that somebody asks about, for whoever writes many that count for nothing should cost little.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use crate::id::EntryId;
use crate::log::{Entry, LogId};

/// The entries of a topic, and what each was written in knowledge of.
pub struct Pasts {
    places: BTreeMap<EntryId, usize>,
    marks: Vec<Mark>,
    /// How many logs they are written in; everything below names a log by its number.
    logs: usize,
}

struct Mark {
    log: usize,
    counter: u64,
    /// Places of what it names as seen, and of the one before it in its log.
    causes: Vec<usize>,
    reach: OnceCell<Reach>,
}

/// A counter for each log, 0 where nothing of it was seen.
type Reach = Vec<u64>;

impl Pasts {
    /// Each log's entries must come in fold order; a clock that stood far ahead may put an effect before its cause in another log.
    pub fn of<'e>(entries: impl IntoIterator<Item = &'e Entry>) -> Self {
        let entries: Vec<&Entry> = entries.into_iter().collect();
        let places: BTreeMap<EntryId, usize> = entries.iter().enumerate().map(|(place, e)| (e.id(), place)).collect();
        // Each log's number, and the latest of its entries.
        let mut logs: BTreeMap<&LogId, (usize, usize)> = BTreeMap::new();
        let mut marks = Vec::with_capacity(entries.len());
        for (place, entry) in entries.iter().enumerate() {
            let seen = entry.header().seen.iter().filter_map(|seen| places.get(seen).copied());
            let mut causes: Vec<usize> = seen.collect();
            let number = logs.len();
            let (log, latest) = logs.entry(entry.log()).or_insert((number, place));
            if *latest != place {
                causes.push(std::mem::replace(latest, place));
            }
            marks.push(Mark { log: *log, counter: entry.header().counter, causes, reach: OnceCell::new() });
        }
        let logs = logs.len();
        Self { places, marks, logs }
    }

    /// Whether `earlier` is in `later`'s past.
    pub fn precedes(&self, earlier: &EntryId, later: &EntryId) -> bool {
        let (Some(earlier), Some(later)) = (self.places.get(earlier), self.places.get(later)) else { return false };
        let Mark { log, counter, .. } = &self.marks[*earlier];
        earlier != later && self.reach(*later)[*log] >= *counter
    }

    fn reach(&self, place: usize) -> &Reach {
        self.marks[place].reach.get_or_init(|| self.walk(place))
    }

    /// Goes through an entry's whole past, each entry once: who claims to have seen what follows in their own log leads nobody round for ever.
    fn walk(&self, from: usize) -> Reach {
        let mut reach = vec![0; self.logs];
        let mut met = vec![false; self.marks.len()];
        let mut ahead = vec![from];
        while let Some(place) = ahead.pop() {
            if std::mem::replace(&mut met[place], true) {
                continue;
            }
            let mark = &self.marks[place];
            match mark.reach.get() {
                Some(past) => reach.iter_mut().zip(past).for_each(|(mine, theirs)| *mine = (*mine).max(*theirs)),
                None => {
                    reach[mark.log] = reach[mark.log].max(mark.counter);
                    ahead.extend(&mark.causes);
                }
            }
        }
        reach
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{ActId, Incarnation, PersonId, SiteId};
    use crate::kind::Statement;
    use crate::kind::record::LockoutLifted;
    use crate::log::entry::seal;
    use crate::log::{Draft, Position, Stream, Subject};
    use crate::part11::signature::DeviceSecret;
    use crate::time::{ClockReading, HybridTime, Timestamp};

    /// An entry of a log at a counter, whose author had seen these.
    fn entry(log: u32, counter: u64, seen: &[EntryId]) -> Entry {
        let device = DeviceSecret::from_seed([7; 32]);
        let mut incarnation = Incarnation([0; 16]);
        incarnation.0[..4].copy_from_slice(&log.to_be_bytes());
        let position = Position {
            log: LogId { device: device.key(), incarnation, stream: Stream::record(&SiteId::new("SITE1").unwrap()) },
            counter,
            prev: (counter > 1).then_some(EntryId([9; 32])),
            hybrid: HybridTime { ms: 1_772_400_000_000, tick: 0 },
            clock: ClockReading { wall: Timestamp(1_772_400_000_000), uncertainty_ms: 250 },
            plant: Vec::new(),
        };
        let person = PersonId::new("maria").unwrap();
        let subject = Subject::person(&person);
        let lifted = LockoutLifted { person, forgives: Vec::new(), reason: "came in person".into() };
        let statement = Statement { act: ActId([1; 16]), body: lifted.into() };
        let draft = Draft::new(subject, statement).having_seen(seen.iter().copied());
        seal(&draft, &position, &device).unwrap()
    }

    impl Pasts {
        /// How many entries' pasts somebody has asked for.
        pub fn looked_through(&self) -> usize {
            self.marks.iter().filter(|mark| mark.reach.get().is_some()).count()
        }
    }

    #[test]
    fn u8_the_past_is_what_was_seen_and_what_that_had_seen_whatever_is_asked_first() {
        let first = entry(1, 1, &[]);
        let other = entry(2, 4, &[first.id()]);
        let second = entry(1, 5, &[]);
        let blind = entry(3, 1, &[EntryId([8; 32])]);
        let last = entry(4, 1, &[other.id()]);
        let all = [&first, &other, &second, &blind, &last];
        let precede = [(&first, &other), (&first, &second), (&first, &last), (&other, &last)];
        for order in [[0, 1, 2, 3, 4], [4, 3, 2, 1, 0]] {
            let pasts = Pasts::of(all);
            for (a, b) in order.iter().flat_map(|a| order.iter().map(|b| (all[*a], all[*b]))) {
                assert_eq!(pasts.precedes(&a.id(), &b.id()), precede.contains(&(a, b)), "{a:?} {b:?}");
            }
        }
        assert!(!Pasts::of([&first]).precedes(&first.id(), &last.id()), "of another topic");
    }

    #[test]
    fn u8_what_was_seen_precedes_although_a_clock_that_stood_far_ahead_puts_it_behind() {
        let ahead = entry(1, 1, &[]);
        let next = entry(1, 2, &[]);
        let knew = entry(2, 1, &[next.id()]);
        let later = entry(2, 2, &[]);
        let pasts = Pasts::of([&knew, &later, &ahead, &next]);
        for (a, b) in [(&ahead, &knew), (&next, &knew), (&ahead, &later), (&next, &later)] {
            assert!(pasts.precedes(&a.id(), &b.id()), "{a:?} {b:?}");
            assert!(!pasts.precedes(&b.id(), &a.id()), "{b:?} {a:?}");
        }
    }

    #[test]
    fn u8_who_claims_to_have_seen_what_follows_in_their_own_log_leads_nobody_round_for_ever() {
        let (before, later) = (entry(2, 1, &[]), entry(1, 3, &[]));
        let claims = entry(1, 2, &[later.id(), before.id()]);
        let witness = entry(3, 1, &[later.id()]);
        let pasts = Pasts::of([&before, &claims, &later, &witness]);
        assert!(pasts.precedes(&claims.id(), &later.id()) && pasts.precedes(&later.id(), &claims.id()));
        assert!(pasts.precedes(&before.id(), &witness.id()) && !pasts.precedes(&witness.id(), &claims.id()));
    }

    #[test]
    fn safe11_entries_that_nobody_asks_about_take_no_more_for_being_many() {
        let mut entries = vec![entry(0, 1, &[])];
        for log in 1..4_000 {
            let seen = entries.last().map(Entry::id);
            entries.push(entry(log, 1, seen.as_slice()));
        }
        let pasts = Pasts::of(&entries);
        assert_eq!(pasts.looked_through(), 0);
        let (first, last) = (entries[0].id(), entries[entries.len() - 1].id());
        assert!(pasts.precedes(&first, &last) && !pasts.precedes(&last, &first));
        assert_eq!(pasts.looked_through(), 2, "the two that were asked about");
    }
}
