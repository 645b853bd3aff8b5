//! The rows of the protocol's section 7 and the walk-throughs that concern the exchange, one test each.

use std::collections::BTreeSet;

use shared::log::{LogId, Shelf};
use shared::part11::pepper::PepperEpoch;
use shared::sync::terminal::{Dropped, Outcome};
use shared::sync::{BoxRow, Down, Give, ServerShelf, TerminalShelf, Up};
use shared::time::Timestamp;
use sim::model::Medium;
use sim::scenario::*;
use sim::world::sure;
use sim::{Crash, World};

fn sound(world: &World) {
    assert_eq!(world.violations, [], "{:#?}", world.trace);
}

#[test]
fn every_scenario_ends_well() {
    for (name, scenario) in ALL {
        let world = scenario(None);
        assert_eq!(world.violations, [], "{name}");
    }
}

#[test]
fn live2_a_kiosk_whose_revocation_went_with_the_server_is_not_stuck() {
    let world = server_lost_with_a_revocation(None);
    sound(&world);
    assert!(world.follows_order(0), "{:#?}", world.trace);
}

#[test]
fn a_terminal_that_is_told_to_wait_waits_whatever_rings_and_never_for_ever() {
    let mut world = World::new(3, 1, None);
    let called = world.call(0);
    assert!(called.is_some());
    let mut now = world.now_at(0);
    let fresh = world.rng.fresh();
    let disk = world.kiosks[0].disk.clone();
    let terminal = world.kiosks[0].terminal.as_mut().unwrap();
    terminal.handle_busy(now, 40_000, fresh);
    terminal.handle_bell(now);
    assert_eq!(sure(terminal.poll_up(&disk, now)), None, "a bell changes nothing");
    now.steady = now.steady.plus_ms(39_999);
    terminal.handle_bell(now);
    assert_eq!(sure(terminal.poll_up(&disk, now)), None);
    now.steady = now.steady.plus_ms(20_001);
    assert!(sure(terminal.poll_up(&disk, now)).is_some(), "after the wait and at most half of it again");
    terminal.handle_busy(now, i64::MAX, fresh);
    let longest = terminal.poll_deadline().unwrap().since(now.steady);
    assert!(longest <= 8 * 60_000, "nobody silences a terminal for {longest} ms");
}

#[test]
fn u11_kiosk_restored_offline_continues_and_meets_the_server() {
    let world = kiosk_restored(None);
    sound(&world);
    assert!(world.model.forks(Medium::Server).is_empty(), "the key store's head spared the fork (T2)");
}

#[test]
fn u11_kiosk_restored_with_its_old_key_store_is_one_fork_per_log_and_one_alarm_each() {
    let world = kiosk_restored_with_old_key_store(None);
    sound(&world);
    let forks = world.model.forks(Medium::Server);
    assert_eq!(forks.len(), 3, "record, presence, journal: {forks:?}");
    assert_eq!(world.disk.entries.alarms().len(), 3);
    for fork in &forks {
        assert_eq!(tips_at_server(&world, &fork.log), 2, "both branches are kept");
    }
}

#[test]
fn u11_cloned_kiosk_both_go_on_and_a_unique_clash_is_held_not_dropped() {
    let world = kiosk_cloned(None);
    sound(&world);
    assert_eq!(world.model.forks(Medium::Server).len(), 3);
    let incarnations = [0, 3].map(|kiosk| sure(world.kiosks[kiosk].disk.incarnation()));
    assert_ne!(incarnations[0], incarnations[1], "each goes on as somebody else (T3)");
}

#[test]
fn u11_a_kiosk_given_its_old_keys_behind_a_fork_goes_on_as_somebody_else() {
    let world = kiosk_given_its_old_keys(None);
    sound(&world);
    let own = record_log(&world, 0);
    assert_eq!(tips_at_server(&world, &own), 1, "what it wrote with its old keys stands in a log of its own");
    assert_eq!(world.model.forks(Medium::Server).len(), 3, "the twins' one fork in each stream, and no other");
}

#[test]
fn safe9_a_kiosk_given_its_old_keys_behind_later_entries_of_its_own_goes_on_as_somebody_else() {
    let world = kiosk_given_its_old_keys_and_time(None);
    sound(&world);
    let own = record_log(&world, 0);
    let of_device = world.disk.entries.all().filter(|entry| entry.log().device == own.device);
    let incarnations: BTreeSet<_> = of_device.map(|entry| entry.log().incarnation).collect();
    assert_eq!(incarnations.len(), 2, "what it wrote with its old keys stands in logs of their own");
    assert!(world.model.forks(Medium::Server).is_empty());
}

#[test]
fn kiosk_restored_without_its_key_store_gives_the_old_devices_entries() {
    let world = kiosk_restored_without_key_store(None);
    sound(&world);
}

#[test]
fn a_lost_kiosks_entries_come_in_through_a_peer_and_count() {
    let world = kiosk_lost(None);
    sound(&world);
    let old = world.kiosks[0].key();
    let of_old = world.disk.entries.all().filter(|entry| entry.log().device == old);
    let records: Vec<_> = of_old.into_iter().filter(|entry| entry.log().stream == world.record()).collect();
    assert!(!records.is_empty(), "what it recorded came in");
    assert!(records.into_iter().all(|entry| world.disk.entries.is_effective(entry)));
}

#[test]
fn device_revoked_with_good_entries_from_before_directly_and_through_a_relay() {
    for (scenario, shared_only) in [(revoked_directly as fn(_) -> World, false), (revoked_through_a_relay, true)] {
        let world = scenario(None);
        sound(&world);
        let revoked = world.kiosks[0].key();
        let of_revoked: Vec<_> = world.disk.entries.all().filter(|entry| entry.log().device == revoked).collect();
        let counts = of_revoked.iter().filter(|entry| world.disk.entries.is_effective(entry)).count();
        assert_eq!(counts, 6, "what the server held when it revoked: two of each stream");
        assert!(of_revoked.len() > 6 + if shared_only { 3 } else { 6 }, "the rest is held too, and set aside");
    }
}

#[test]
fn server_restored_with_a_kiosk_enrolled_and_one_revoked_in_between_and_qa_approving_first() {
    let world = server_restored(None);
    sound(&world);
    assert!(world.model.forks(Medium::Server).is_empty(), "a restore made by `restore` never forks a server log");
    let (enrolled, revoked) = (world.kiosks[3].key(), world.kiosks[1].key());
    assert!(sure(world.disk.may_write(&enrolled, &world.record())));
    assert!(world.disk.entries.revocation_reason(&revoked).is_some(), "the revocation of the gap came back");
}

/// People signed for what a restore had done by then. Whoever alters the order later, in the epochs before or in those since, finds nothing signed for it.
#[test]
fn t7_what_was_signed_for_a_restore_covers_no_later_change_of_the_order() {
    for cuts_the_end in [false, true] {
        let mut world = World::new(7, 2, None);
        let meet = |world: &mut World| (0..2).all(|kiosk| world.exchange(kiosk));
        work(&mut world, 0, 2);
        meet(&mut world);
        world.back_up_server();
        work(&mut world, 1, 2);
        meet(&mut world);
        world.restore_server(0);
        world.sign_recovery();
        for _ in 0..3 {
            work(&mut world, 0, 1);
            meet(&mut world);
        }
        sound(&world);
        let (record, epochs) = (world.record(), sure(world.disk.epochs()));
        assert!(epochs.len() > 1 && !sure(world.disk.stopped()), "restored, and signed for");
        world.disk.swap_first_two(&record, &epochs[0]);
        if cuts_the_end {
            world.disk.cut_last(&record, &epochs[epochs.len() - 1]);
        }
        let known: Vec<_> = world.kiosks.iter().map(|kiosk| kiosk.disk.reach()).collect();
        work(&mut world, 1, 1);
        let known_now = world.kiosks[0].disk.reach();
        assert_eq!(known_now, known[0]);
        for _ in 0..3 {
            meet(&mut world);
        }
        assert!(world.kiosks[0].disk.reach() == known_now, "nothing was taken of the altered order");
        assert!(sure(world.disk.stopped()), "and the server says so");
    }
}

#[test]
fn safe7_a_server_restored_from_an_earlier_backup_and_then_from_a_later_one_takes_back_no_receipt_for_what_it_holds() {
    let mut world = World::new(6, 2, None);
    let meet = |world: &mut World| (0..2).all(|kiosk| world.exchange(kiosk));
    for backup in 0..2 {
        work(&mut world, 0, 2);
        world.exchange(0);
        if backup == 0 {
            world.exchange(1);
        }
        world.back_up_server();
    }
    for backup in 0..2 {
        world.restore_server(backup);
        world.sign_recovery();
        work(&mut world, 1, 1);
        assert!(meet(&mut world));
    }
    world.heal();
    sound(&world);
}

#[test]
fn restore_from_backup_detected_and_it_forks_the_epochs_log_once() {
    let world = server_put_back(None);
    sound(&world);
    let world = server_put_back_wrote_more(None);
    sound(&world);
    assert_eq!(world.model.forks(Medium::Server).len(), 1, "one alarm");
}

#[test]
fn server_lost_without_a_backup_is_filled_by_the_kiosks() {
    let world = server_lost(None);
    sound(&world);
    // What only the lost database held: the hostile device's enrolment came to the kiosks, so all is back.
    assert!(world.lost.is_empty(), "{:?}", world.lost);
}

#[test]
fn no_lie_stops_the_server() {
    let mut world = World::new(5, 2, None);
    for _ in 0..200 {
        let call = world.hostile_call();
        world.answer(&call, Crash::No);
    }
    assert!(!world.is_stopped());
    world.heal();
    sound(&world);
}

#[test]
fn t5_an_answer_that_was_not_asked_for_or_not_signed_by_the_server_changes_nothing() {
    let mut world = World::new(6, 2, None);
    work(&mut world, 1, 1);
    world.exchange(1);
    let up = world.call(0).unwrap();
    let down = world.answer(&up, Crash::No).unwrap();
    let forged = Down::open(&down).unwrap().seal(&world.hostile);
    let (now, fresh) = (world.now_at(0), world.rng.fresh());
    let mut hear =
        |bytes: &[u8]| world.at_kiosk(0, Crash::No, |t, disk| sure(t.handle_down(disk, bytes, now, fresh))).unwrap();
    assert!(matches!(hear(&forged), Outcome::Dropped(Dropped::Bad(_))));
    assert!(matches!(hear(&down), Outcome::Taken(_)));
    assert_eq!(hear(&down), Outcome::Dropped(Dropped::NotAsked), "twice is once");
}

#[test]
fn one_new_entry_costs_one_exchange_and_at_most_one_and_a_half_kilobytes_up() {
    let mut world = World::new(9, 3, None);
    for kiosk in 0..3 {
        work(&mut world, kiosk, 3);
        world.exchange(kiosk);
    }
    world.exchange(0);
    let record = world.record();
    let id = world.write(0, &record, Crash::No).unwrap();
    let up = world.call(0).unwrap();
    let size = sure(world.kiosks[0].disk.entry(&id)).unwrap().bytes().len();
    println!("up {} bytes for an entry of {size}", up.len());
    assert!(up.len() <= 1_500, "{} bytes", up.len());
    assert_eq!(Up::open(&up).unwrap().entries.len(), 1);
    let down = world.answer(&up, Crash::No).unwrap();
    assert_eq!(world.hear(0, &down, Crash::No), Some(false), "no second call");
    assert!(world.disk.entries.holds(&id));
    assert!(sure(world.kiosks[0].disk.ordinal(&id)).is_some(), "confirmed by the same exchange");
}

#[test]
fn kinds_that_nobody_knows_are_held_and_passed_on() {
    let mut world = World::new(11, 3, None);
    assert!(world.enrol_later_version());
    world.exchange(1);
    let (record, now_ms) = (world.record(), world.now_ms);
    let id = world.later_version.write(record, now_ms);
    let entries = world.later_version.written.clone();
    let gift = Give { enrolments: vec![], entries, more: false }.to_bytes();
    world.take_gift(1, &gift);
    world.exchange(1);
    world.exchange(2);
    assert!(world.kiosks[2].disk.entries.holds(&id), "held, ordered and passed on");
    world.heal();
    sound(&world);
}

#[test]
fn l2_a_box_sealed_at_one_kiosk_reaches_another_and_outlives_a_restore() {
    let mut world = World::new(12, 2, None);
    world.back_up_server();
    let row = BoxRow { name: "person:maria".into(), epoch: PepperEpoch(3), bytes: vec![1, 2, 3].into() };
    world.kiosks[0].disk.boxes.insert(row.name.clone(), row.clone());
    world.exchange(0);
    world.exchange(1);
    assert_eq!(world.kiosks[1].disk.boxes.get("person:maria"), Some(&row));
    world.restore_server(0);
    world.kiosks[1].disk.boxes.clear();
    world.meet();
    world.meet();
    assert_eq!(world.kiosks[1].disk.boxes.get("person:maria"), Some(&row), "the kiosk that sealed it gave it again");
}

#[test]
fn t11_only_what_is_confirmed_and_old_may_be_pruned() {
    let mut world = World::new(13, 1, None);
    work(&mut world, 0, 3);
    world.exchange(0);
    let then = Timestamp(world.now_ms + 1);
    work(&mut world, 0, 2);
    let log = LogId { stream: world.streams_of(0)[1].clone(), ..record_log(&world, 0) };
    let far = Timestamp(i64::MAX);
    let prunable =
        |world: &mut World, at| world.at_kiosk(0, Crash::No, |t, disk| sure(t.prunable(disk, &log, at))).unwrap();
    assert_eq!(prunable(&mut world, far), 3, "the last two are unconfirmed");
    world.exchange(0);
    assert_eq!(prunable(&mut world, far), 5);
    assert_eq!(prunable(&mut world, then), 3, "the last two are young");
}
