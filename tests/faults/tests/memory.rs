//! Memory runs out under SQLite: at the first request, the second, any one that an act makes, once or from there on.
//!
//! `LINEPROOF_REQUESTS` says how many places are tried in each operation, `LINEPROOF_SEED` which. Any number above what an act asks for means all.

mod house;

use faults::memory;
use harness::scene::copy_folder;
use sim::rng::Rng;

use house::{House, OPERATIONS, Operation, asked, home, plant_at_rest};

/// Places in `1..=last`, one in each of `tries` equal parts; every place when there are no more than that.
fn places(last: u64, tries: u64, chance: &mut Rng) -> Vec<u64> {
    let parts = tries.min(last);
    let mut place = |part: u64| {
        let (from, to) = (part * last / parts, (part + 1) * last / parts);
        from + 1 + chance.below((to - from) as usize) as u64
    };
    (0..parts).map(&mut place).collect()
}

/// Lets an operation be done while memory is refused as planned. How many requests it made, and how many were refused.
fn try_once(house: &mut House, operation: &Operation, nth: u64, lasting: bool) -> (u64, u64) {
    let context = format!("{}, request {nth} refused (lasting: {lasting})", operation.name);
    house.clock.advance_ms(20_000);
    (operation.prepare)(house);
    memory::refuse(nth, lasting);
    let did = (operation.act)(house);
    let (made, refused) = memory::obey();
    if let Ok(Some(entry)) = did {
        house.acknowledged.insert(entry);
    }
    house.look(&context);
    assert!(refused > 0 || did.is_ok(), "{context}: nothing was refused, and yet: {did:?}");
    (made, refused)
}

#[test]
fn safe1_memory_that_runs_out_under_sqlite_loses_nothing_and_says_no_go() {
    memory::install();
    let (tries, mut chance) = (asked("LINEPROOF_REQUESTS", 12), Rng::new(asked("LINEPROOF_SEED", 1)));
    let home = home();
    let at_rest = home.path().join("plant");
    let moment = plant_at_rest(&at_rest);
    let mut all = 0;
    for operation in &OPERATIONS {
        let mut tried = 0;
        for lasting in [false, true] {
            // A plant of its own: what is tried a thousand times would weigh on all that is tried after it.
            let folder = home.path().join(format!("{}, {lasting}", operation.name));
            copy_folder(&at_rest, &folder);
            let mut house = House::open(folder, moment);
            // The first time statements are prepared that are kept from then on.
            try_once(&mut house, operation, 0, false);
            let (made, _) = try_once(&mut house, operation, 0, false);
            assert!(made > 0, "{}: SQLite asked for no memory", operation.name);
            for nth in places(made, tries, &mut chance) {
                let (_, refused) = try_once(&mut house, operation, nth, lasting);
                tried += u64::from(refused > 0);
            }
            house.look_closely(operation.name);
        }
        println!("{}: {tried} times refused", operation.name);
        all += tried;
    }
    println!("{{\"name\":\"memory\",\"runs\":{all},\"violations\":0}}");
    assert!(all > OPERATIONS.len() as u64, "nothing was refused");
}
