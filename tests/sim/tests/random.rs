//! Random schedules of work and faults.

use std::time::Instant;

use sim::{Signatures, Size, healed, run, run_signing, run_sized};

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|number| number.parse().ok()).unwrap_or(otherwise)
}

/// How many schedules: `LINEPROOF_SCHEDULES`, or few enough for a first look; of each size as many as fit into `LINEPROOF_SCHEDULE_SECONDS`.
fn schedules() -> u64 {
    number("LINEPROOF_SCHEDULES", 100)
}

/// The first seed: `LINEPROOF_SEED`, or 1.
fn first_seed() -> u64 {
    number("LINEPROOF_SEED", 1)
}

#[test]
fn every_invariant_holds_under_every_fault() {
    schedules_hold(Size::Small, schedules());
}

/// One long schedule for every twenty small ones: it takes some ten times as long.
#[test]
fn every_invariant_holds_in_long_schedules() {
    schedules_hold(Size::Long, schedules().div_ceil(20));
}

fn schedules_hold(size: Size, count: u64) {
    let began = Instant::now();
    let (mut acknowledged, mut lost, mut on_sticks, mut forks) = (0, 0, 0, 0);
    let (mut rounds, mut broken) = ([0; 8], Vec::new());
    let most = number("LINEPROOF_SCHEDULE_SECONDS", u64::MAX);
    let mut runs = 0;
    for seed in first_seed()..first_seed() + count {
        if began.elapsed().as_secs() >= most {
            println!("{count} schedules were asked for, and {runs} came to their end in {most} s");
            break;
        }
        runs += 1;
        let report = run_sized(seed, size, None);
        acknowledged += report.acknowledged;
        lost += report.lost;
        on_sticks += report.on_sticks;
        forks += report.forks;
        rounds[report.rounds.min(7)] += 1;
        if !report.violations.is_empty() {
            println!("seed {seed}: {:?}", report.violations);
            broken.push(seed);
        }
    }
    println!(
        "{{\"name\":\"schedules\",\"size\":\"{size:?}\",\"runs\":{runs},\"violations\":{},\"seed\":{},\"acknowledged\":{acknowledged},\"physically_lost\":{lost},\"on_sticks\":{on_sticks},\"forks\":{forks},\"rounds\":{rounds:?},\"seconds\":{:.1}}}",
        broken.len(),
        first_seed(),
        began.elapsed().as_secs_f64()
    );
    assert!(broken.is_empty(), "violated by seeds {broken:?}");
}

/// What a long schedule leaves at the server, held anew in many orders: `LINEPROOF_REPLAYS`, a hundred of each.
#[test]
fn safe4_u8_the_same_entries_are_the_same_plant_in_every_order_of_arrival() {
    const OF_EACH: u64 = 100;
    const FEWEST: usize = 200;
    let began = Instant::now();
    let (replays, mut tried, mut seed, mut entries) = (number("LINEPROOF_REPLAYS", OF_EACH), 0, first_seed(), 0);
    while tried < replays {
        let (mut world, _) = healed(Signatures::StandIns, seed, Size::Long, None);
        if world.disk.entries.len() >= FEWEST {
            let many = OF_EACH.min(replays - tried);
            for order in 0..many {
                assert!(world.is_the_same_in_another_order(), "seed {seed}, order {order}");
            }
            tried += many;
            entries += world.disk.entries.len() as u64 * many;
        }
        seed += 1;
    }
    println!(
        r#"{{"name":"replays","runs":{tried},"violations":0,"seed":{},"entries":{entries},"seconds":{:.1}}}"#,
        first_seed(),
        began.elapsed().as_secs_f64()
    );
}

#[test]
fn one_seed_is_one_trace() {
    for (seed, size, signatures) in [
        (7, Size::Small, Signatures::StandIns),
        (8, Size::Small, Signatures::Real),
        (9, Size::Long, Signatures::StandIns),
    ] {
        let once = || run_signing(signatures, seed, size, None);
        assert_eq!(once(), once(), "seed {seed}");
    }
}

/// Prints the trace of `LINEPROOF_SEED`: `cargo test -p sim --test random show -- --ignored --nocapture`.
#[test]
#[ignore = "for people: prints a trace"]
fn show_one_seed() {
    let report = run(first_seed(), None);
    report.trace.iter().for_each(|line| println!("{line}"));
    println!("{:?}", report.violations);
}
