//! The disk refuses a call: the first, the second, each one that an act makes, once or from there on.

use std::collections::BTreeSet;

use faults::{Call, Disk, Refusal, watch};

use crate::house::{House, OPERATIONS, Operation, home, plant_at_rest};

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
