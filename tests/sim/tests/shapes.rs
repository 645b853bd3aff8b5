//! `missing` against a definition by sets, on random logs with forks.

use std::collections::BTreeSet;

use shared::id::EntryId;
use shared::log::entry::{Position, seal};
use shared::log::{Draft, Entry, Held, LogId, Shelf, Stream, Subject};
use shared::part11::signature::DeviceSecret;
use shared::sync::{missing, shape};
use shared::time::{ClockReading, HybridTime, Timestamp};
use sim::rng::Rng;
use sim::shelf::Entries;
use sim::world::sure;

/// A log as a random tree.
fn random_log(rng: &mut Rng, size: usize, fork_percent: u64) -> Vec<Entry> {
    let secret = DeviceSecret::from_seed(rng.bytes());
    let log = LogId {
        device: secret.key(),
        incarnation: rng.incarnation(),
        stream: Stream::of(shared::kind::Family::Presence, "S"),
    };
    let mut entries: Vec<Entry> = Vec::new();
    for _ in 0..size {
        let fork = rng.chance(fork_percent);
        let prev = if fork { rng.pick(&entries) } else { entries.last() };
        let (counter, prev) = prev.map_or((1, None), |prev| (prev.header().counter + 1, Some(prev.id())));
        let body = shared::kind::presence::BadgeIn { day_pass: false }.into();
        let statement = shared::kind::Statement { act: shared::id::ActId(rng.bytes()), body };
        let (hybrid, clock) = (HybridTime::default(), ClockReading::exact(Timestamp(0)));
        let position = Position { log: log.clone(), counter, prev, hybrid, clock, plant: vec![] };
        entries.push(seal(&Draft::new(Subject::new("person", "x"), statement), &position, &secret).unwrap());
    }
    entries
}

/// A part of the log without gaps.
fn random_part(rng: &mut Rng, log: &[Entry], percent: u64) -> Entries {
    let mut part = Entries::new(log[0].log().device, vec![], None);
    for entry in log {
        let holdable = entry.header().prev.is_none_or(|prev| part.holds(&prev));
        if holdable && rng.chance(percent) {
            sure(part.put(&Held::own(entry.clone())));
        }
    }
    part
}

#[test]
fn missing_is_everything_that_no_named_entry_follows_or_is() {
    let mut rng = Rng::new(1);
    for round in 0..120 {
        let (size, forks) = (1 + rng.below(40), (round % 4) * 8);
        let log = random_log(&mut rng, size, forks);
        let (mine, theirs) = (random_part(&mut rng, &log, 97), random_part(&mut rng, &log, 95));
        let named = sure(shape(&theirs, log[0].log()));
        let mut covered: BTreeSet<EntryId> = BTreeSet::new();
        for id in named.tips.iter().chain(&named.locator).filter(|id| mine.holds(id)) {
            let mut next = Some(*id);
            while let Some(id) = next.filter(|id| covered.insert(*id)) {
                next = mine.get(&id).and_then(|entry| entry.header().prev);
            }
        }
        let wanted: BTreeSet<EntryId> = mine.all().map(Entry::id).filter(|id| !covered.contains(id)).collect();
        let given = sure(missing(&mine, log[0].log(), &named, usize::MAX));
        assert_eq!(given.iter().copied().collect::<BTreeSet<_>>(), wanted);
        assert_eq!(given.len(), wanted.len(), "each once");
        let counters: Vec<u64> =
            given.iter().filter_map(|id| mine.get(id)).map(|entry| entry.header().counter).collect();
        assert!(counters.is_sorted());
        assert!(
            mine.all().all(|entry| theirs.holds(&entry.id()) || wanted.contains(&entry.id())),
            "nothing is left out"
        );
    }
}

#[test]
fn a_locator_of_a_long_log_is_short_and_halves_the_way_back() {
    let mut rng = Rng::new(2);
    let log = random_log(&mut rng, 600, 0);
    let all = random_part(&mut rng, &log, 100);
    let named = sure(shape(&all, log[0].log()));
    assert_eq!((named.tips.len(), named.locator.len()), (1, 11));
    let mut behind = Entries::new(log[0].log().device, vec![], None);
    for entry in &log[..300] {
        sure(behind.put(&Held::own(entry.clone())));
    }
    let given = sure(missing(&all, log[0].log(), &sure(shape(&behind, log[0].log())), 10));
    assert_eq!(given, log[300..310].iter().map(Entry::id).collect::<Vec<_>>());
}
