//! The disk refuses a call: the first, the second, each one that an act makes, once or from there on.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use faults::{Call, Disk, Refusal, watch};

use harness::VirtualClock;
use harness::scene::copy_folder;
use kiosk::core::Core as Kiosk;
use shared::time::{DAY_MS, HOUR_MS};

use crate::house::{House, OPERATIONS, Operation, home, open_kiosk, plant_at_rest};

/// Refuses each call of an operation in turn, until it makes fewer than that. How many were refused.
fn refuse_each(
    house: &mut House,
    disk: &Disk,
    operation: &Operation,
    refusal: Refusal,
    lasting: bool,
) -> (u64, BTreeSet<Call>) {
    let mut calls = BTreeSet::new();
    for nth in 1.. {
        let context = format!("{}, call {nth} refused ({refusal:?}, lasting: {lasting})", operation.name);
        house.clock.advance_ms(20_000);
        (operation.prepare)(house);
        disk.refuse(refusal, nth, lasting);
        let did = (operation.act)(house);
        let refused = disk.obey();
        if let Ok(Some(entry)) = did {
            house.acknowledged.insert(entry);
        }
        house.look(&context);
        match refused {
            Some(call) => drop(calls.insert(call)),
            None => {
                assert!(did.is_ok(), "{context}: nothing was refused, and yet: {did:?}");
                return (nth - 1, calls);
            }
        }
    }
    unreachable!("an operation makes a finite number of calls")
}

fn everywhere(refusal: Refusal, lasting: bool) {
    let home = home();
    let folder = home.path().join("plant");
    let moment = plant_at_rest(&folder);
    let disk = watch(&folder);
    let mut house = House::open(folder, moment);
    let mut all = 0;
    for operation in &OPERATIONS {
        let (refused, calls) = refuse_each(&mut house, &disk, operation, refusal, lasting);
        println!("{}: {refused} calls refused, {calls:?}", operation.name);
        house.look_closely(operation.name);
        all += refused;
    }
    println!(
        "{{\"name\":\"io-errors\",\"refusal\":\"{refusal:?}\",\"lasting\":{lasting},\"runs\":{all},\"violations\":0}}"
    );
    assert!(all > OPERATIONS.len() as u64, "nothing was refused");
}

#[test]
fn safe1_a_call_that_fails_once_loses_nothing_and_says_no_go() {
    everywhere(Refusal::Fails, false);
}

#[test]
fn safe1_a_disk_that_dies_under_an_act_loses_nothing_and_says_no_go() {
    everywhere(Refusal::Fails, true);
}

#[test]
fn safe1_a_disk_that_is_full_from_any_write_on_loses_nothing_and_says_no_go() {
    everywhere(Refusal::Full, true);
}

#[test]
fn safe1_a_disk_that_is_read_only_from_any_write_on_loses_nothing_and_says_no_go() {
    everywhere(Refusal::ReadOnly, true);
}

#[test]
fn u12_a_jump_noticed_while_the_disk_takes_nothing_is_kept_as_soon_as_it_does() {
    let home = home();
    let folder = home.path().join("plant");
    let house = House::open(folder.clone(), plant_at_rest(&folder));
    let clock = house.clock.clone();
    drop(house);
    let disk = watch(&folder);
    let mut kiosk = open_kiosk(&folder, "K3", &clock).unwrap();
    let steps = |kiosk: &Kiosk| {
        let device = format!("device:{}", kiosk.enrolment().unwrap().device);
        store::questions::entries_of_kind(kiosk.ledger().connection(), &device, "clock_step").unwrap().len()
    };
    let (before, until) = (steps(&kiosk), kiosk.reading().wall.plus_ms(HOUR_MS));
    disk.refuse(Refusal::ReadOnly, 1, true);
    for ahead in [20 * DAY_MS, 10 * DAY_MS] {
        clock.set_machines_ahead(ahead);
        assert!(kiosk.reading().wall < until, "it isn't believed");
    }
    assert!(disk.obey().is_some(), "nothing was refused");
    assert_eq!(steps(&kiosk), before);
    clock.advance_ms(2_000);
    for _ in 0..2 {
        kiosk.reading();
        assert_eq!(steps(&kiosk), before + 2, "both are written, and once");
    }
    drop(kiosk);
    let mut kiosk = open_kiosk(&folder, "K3", &clock).unwrap();
    assert!(kiosk.reading().wall < until, "switching it off and on makes it no truer");
    assert_eq!(steps(&kiosk), before + 2);
}

/// Somebody switches a kiosk on and asks to start: why that is no GO.
fn why_no_go(folder: &Path, clock: &VirtualClock) -> String {
    let mut kiosk = match open_kiosk(folder, "K3", clock) {
        Ok(kiosk) => kiosk,
        Err(why) => return format!("it isn't opened: {why}"),
    };
    let verdict = kiosk.ask(&"maria".parse().unwrap(), &"seal-pouch".parse().unwrap(), Some(&"881".parse().unwrap()));
    verdict.map(|verdict| verdict.decision.answer).expect_err("nothing can be written").to_string()
}

#[test]
fn safe1_a_kiosk_switched_on_with_a_read_only_disk_says_no_go_until_it_takes_writes() {
    let home = home();
    let (in_order, cut) = (home.path().join("in-order"), home.path().join("cut"));
    let mut house = House::open(in_order.clone(), plant_at_rest(&in_order));
    let [.., ask, tick] = &OPERATIONS[..5] else { unreachable!() };
    (tick.prepare)(&mut house);
    let ticked = (tick.act)(&mut house).unwrap().unwrap();
    // What lies there when the power goes: the write-ahead log, and nothing of what was shared in memory.
    copy_folder(&in_order, &cut);
    fs::remove_file(cut.join("K3/kiosk.sqlite-shm")).unwrap();
    assert!(fs::metadata(cut.join("K3/kiosk.sqlite-wal")).unwrap().len() > 0);
    let clock = house.clock.clone();
    drop(house);
    for folder in [in_order, cut] {
        let disk = watch(&folder);
        disk.refuse(Refusal::ReadOnly, 1, true);
        println!("{}: {}", folder.display(), why_no_go(&folder, &clock));
        assert!(disk.obey().is_some(), "nothing was refused");
        let mut house = House::open_at(folder, clock.clone());
        house.acknowledged.insert(ticked);
        house.look_closely("it takes writes again");
        (ask.prepare)(&mut house);
        (ask.act)(&mut house).unwrap();
    }
}
