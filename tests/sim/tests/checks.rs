//! The checks notice what is done behind the model's back, at the next transaction; what was destroyed openly is accounted for.

use shared::id::EntryId;
use shared::log::standing::Fork;
use shared::log::{Held, Shelf, Unverified};
use shared::sync::{Replica, TerminalShelf};
use sim::model::Medium;
use sim::scenario::{record_log, work};
use sim::world::sure;
use sim::{Crash, Violation, World};

/// Two kiosks that worked and met the server.
fn plant() -> World {
    let mut world = World::new(17, 2, None);
    for kiosk in 0..2 {
        work(&mut world, kiosk, 2);
        world.exchange(kiosk);
    }
    assert_eq!(world.violations, []);
    world
}

fn write(world: &mut World, kiosk: usize) -> EntryId {
    let record = world.record();
    world.write(kiosk, &record, Crash::No).expect("a kiosk can always write")
}

#[test]
fn safe1_an_entry_that_vanishes_from_a_disk_that_nobody_put_back_is_noticed() {
    let mut world = plant();
    let older = world.kiosks[0].disk.clone();
    let entry = write(&mut world, 0);
    world.kiosks[0].disk = older;
    world.kiosks[0].terminal = None;
    assert_eq!(world.violations, []);
    world.exchange(0);
    assert_eq!(world.violations, [Violation::Vanished { medium: Medium::Kiosk(0), entry }]);
}

#[test]
fn safe1_an_acknowledged_entry_that_no_medium_ever_held_is_noticed() {
    let mut world = plant();
    let invented = EntryId([7; 32]);
    world.model.acknowledged.insert(invented);
    world.heal();
    assert!(world.violations.contains(&Violation::AcknowledgedEntryLost(invented)));
    assert!(world.lost.is_empty());
}

#[test]
fn safe1_what_went_with_the_only_disk_that_held_it_is_listed_as_physically_lost() {
    let mut world = plant();
    world.back_up_kiosk(0);
    let (gone, kept) = (write(&mut world, 0), write(&mut world, 1));
    let told = write(&mut world, 0);
    world.restore_kiosk(0, 0, false);
    world.heal();
    assert_eq!(world.violations, []);
    assert_eq!(world.lost, [gone, told].into());
    assert!(world.disk.entries.holds(&kept));
}

#[test]
fn safe1_what_another_disk_holds_too_is_not_lost_and_what_a_stick_holds_is_named() {
    let mut world = plant();
    world.back_up_kiosk(0);
    let at_neighbour = write(&mut world, 0);
    world.give_to_peer(0, 1);
    let on_stick = write(&mut world, 0);
    let bundle = world.make_bundle(0);
    world.bundles.push(bundle);
    let gone = write(&mut world, 0);
    world.lose_kiosk(0);
    world.heal();
    assert_eq!(world.violations, []);
    assert_eq!((&world.on_sticks, &world.lost), (&[on_stick].into(), &[gone].into()));
    assert!(world.disk.entries.holds(&at_neighbour));
}

#[test]
fn safe3_a_forgery_that_a_disk_takes_in_is_noticed() {
    let mut world = plant();
    let forged: Vec<_> = world.forgeries().iter().filter_map(|bytes| Unverified::read(bytes).ok()?.signed()).collect();
    let forgery = forged.first().expect("the first is well signed, by somebody who may not write there").clone();
    let entry = forgery.id();
    sure(world.kiosks[0].disk.put(&Held::own(forgery)));
    world.exchange(0);
    assert!(world.violations.contains(&Violation::HoldsForgery(entry)), "{:?}", world.violations);
}

#[test]
fn safe7_a_receipt_that_is_taken_back_is_noticed() {
    let mut world = plant();
    let record = world.record();
    let shown = sure(world.kiosks[0].disk.cursor(&record)).path.last().map_or(0, |last| last.end);
    let entry = world.kiosks[0].disk.receipts()[&record].last().expect("the kiosk has met the server").entry;
    assert!(shown > 1);
    sure(world.kiosks[0].disk.cut(&record, shown - 1));
    write(&mut world, 0);
    assert_eq!(world.violations, [Violation::ReceiptTakenBack { kiosk: 0, entry }]);
}

#[test]
fn safe7_receipts_go_with_their_disk_and_with_a_server_that_was_put_back_to_before_them() {
    let mut world = plant();
    world.back_up_kiosk(0);
    world.back_up_server();
    let entry = write(&mut world, 0);
    assert!(world.exchange(0) && world.exchange(1));
    let is_confirmed = |world: &World| sure(world.kiosks[1].disk.ordinal(&entry)).is_some();
    world.restore_server(0);
    world.sign_recovery();
    let talk = |world: &mut World| {
        let answer = world.call(1).and_then(|up| world.answer(&up, Crash::No));
        answer.and_then(|down| world.hear(1, &down, Crash::No))
    };
    talk(&mut world);
    assert!(is_confirmed(&world), "its cursor travelled short: nothing is known of where it leaves the order");
    talk(&mut world);
    assert!(!is_confirmed(&world), "confirmed only beyond the common point is unconfirmed again");
    assert!(world.exchange(1) && is_confirmed(&world), "until the server was given it again");
    world.restore_kiosk(0, 0, false);
    world.heal();
    assert_eq!(world.violations, []);
}

#[test]
fn safe7_a_receipt_for_what_the_server_never_had_is_noticed() {
    let mut world = plant();
    let entry = write(&mut world, 0);
    let record = world.record();
    let disk = &mut world.kiosks[0].disk;
    let last = disk.receipts()[&record].last().expect("the kiosk has met the server").clone();
    sure(
        disk.advance(
            &record,
            &shared::sync::Step { ordinal: last.ordinal + 1, number: last.number + 1, entry, ..last },
        ),
    );
    write(&mut world, 0);
    assert_eq!(world.violations, [Violation::ReceiptForNothing { kiosk: 0, entry }]);
}

#[test]
fn safe10_an_alarm_without_a_fork_is_noticed() {
    let mut world = plant();
    let log = record_log(&world, 0);
    sure(world.kiosks[0].disk.raise(&Fork { log, counter: 0, last_common: None }));
    write(&mut world, 0);
    assert_eq!(world.violations, [Violation::AlarmsAreNotForks]);
}
