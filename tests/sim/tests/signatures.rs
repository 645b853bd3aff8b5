//! What stands in for signatures changes nothing but the time it takes, and is worth nothing elsewhere.

use shared::id::Digest32;
use shared::log::Unverified;
use shared::part11::signature::{Batch, DOWN_TYPE, DeviceSecret, Remembering, UP_TYPE, verify};
use sim::{Report, Signatures, Size, run_signing};

/// Looks at a signature as it is looked at alone, and among others.
fn is_good(key: &DeviceSecret, sort: &str, payload: &[u8], signature: &shared::id::Signature) -> bool {
    let mut batch = Batch::default();
    batch.add(&key.key().0, sort, payload, signature);
    let together = batch.all_good(Digest32::of(b"weights"));
    assert_eq!(together, verify(&key.key().0, sort, payload, signature));
    together
}

#[test]
fn r11_a_stand_in_is_its_makers_own_over_these_bytes_and_good_in_this_world_alone() {
    let (mine, other) = (DeviceSecret::from_seed([1; 32]), DeviceSecret::from_seed([2; 32]));
    let real = mine.sign(UP_TYPE, b"call");
    let standing_in = Remembering::standing_in();
    let stand_in = mine.sign(UP_TYPE, b"call");
    let mut one_bit = stand_in;
    one_bit.0[40] ^= 1;
    assert!(is_good(&mine, UP_TYPE, b"call", &stand_in));
    for (key, sort, payload, signature) in [
        (&mine, UP_TYPE, &b"call"[..], &one_bit),
        (&other, UP_TYPE, b"call", &stand_in),
        (&mine, DOWN_TYPE, b"call", &stand_in),
        (&mine, UP_TYPE, b"cal1", &stand_in),
        (&mine, UP_TYPE, b"call", &real),
    ] {
        assert!(!is_good(key, sort, payload, signature), "{sort} {payload:?}");
    }
    let elsewhere = std::thread::spawn({
        let mine = mine.clone();
        move || is_good(&mine, UP_TYPE, b"call", &stand_in)
    });
    assert!(!elsewhere.join().unwrap(), "another thread takes it for nothing");
    drop(standing_in);
    assert!(!is_good(&mine, UP_TYPE, b"call", &stand_in), "nor does this one afterwards");
    assert!(is_good(&mine, UP_TYPE, b"call", &real));
}

#[test]
fn safe3_nothing_that_a_schedule_with_stand_ins_wrote_is_an_entry_elsewhere() {
    let mut world = sim::World::signing(Signatures::StandIns, 3, 2, None);
    world.approve(sim::Crash::No);
    let written: Vec<Vec<u8>> = world.disk.entries.all().map(|entry| entry.bytes().to_vec()).collect();
    let signed = |bytes: &Vec<u8>| Unverified::read(bytes).unwrap().signed().is_some();
    assert!(written.len() > 3 && written.iter().all(signed));
    drop(world);
    assert!(!written.iter().any(signed));
}

/// A line of a trace without the names of entries: those are hashes over signatures, too.
fn nameless(line: &str) -> String {
    let is_hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    let words = line.split_inclusive(|c: char| !c.is_ascii_alphanumeric());
    words.map(|word| if word.len() >= 8 && word.chars().take(8).all(is_hex) { "… " } else { word }).collect()
}

/// Everything of a schedule that isn't the name of an entry.
fn story(report: &Report) -> (Vec<String>, [usize; 6]) {
    let Report { acknowledged, lost, on_sticks, entries, rounds, forks, violations: _, trace } = report;
    let counts = [*acknowledged, *lost, *on_sticks, *entries, *rounds, *forks];
    (trace.iter().map(|line| nameless(line)).collect(), counts)
}

#[test]
fn real_signatures_and_stand_ins_tell_the_same_story() {
    assert_eq!(nameless("write K#3 No Some(\"17183e45\")"), nameless("write K#3 No Some(\"5d924e64\")"));
    let seeds = (1..=30).map(|seed| (seed, Size::Small)).chain([(1, Size::Long), (2, Size::Long)]);
    for (seed, size) in seeds {
        let [real, stood_in] = [Signatures::Real, Signatures::StandIns].map(|by| run_signing(by, seed, size, None));
        assert_ne!(real.trace, stood_in.trace, "entries have other names");
        assert_eq!(story(&real), story(&stood_in), "seed {seed}, {size:?}");
        assert!(real.violations.is_empty() && stood_in.violations.is_empty(), "seed {seed}, {size:?}");
    }
}
