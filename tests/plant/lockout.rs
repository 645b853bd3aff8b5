//! Ten wrong secrets lock a person out, whatever becomes of terminals, disks and clocks in between (R15, S13).

use std::fs;

use harness::scene::{comes_and_reads, copy_folder, id, sunday_evening};
use harness::{Plant, kiosk_signer, signer};
use kiosk::core::Denied;
use kiosk::core::secret::Signer;
use kiosk::core::signing_set_up::Chosen;
use kiosk::key_store::{FileKeyStore, KeyStore};
use shared::kind::Body;
use shared::part11::boxes::Stretching;
use store::questions;
use sync_server::core::Refused;
use sync_server::core::people::Signer as AtTheServer;

const TEN_MINUTES: i64 = 10 * 60_000;

pub(super) fn stranger() -> Signer {
    Signer { person: id("maria"), secret: "not the secret".into() }
}

/// Somebody guesses Maria's secret so many times, and waits between as they are told to.
pub(super) fn guess(plant: &mut Plant, kiosk: &str, times: u32) {
    for _ in 0..times {
        plant.clock.advance_ms(TEN_MINUTES);
        match plant.kiosk(kiosk).unlock(&stranger()) {
            Err(Denied::WrongSecret { .. } | Denied::LockedOut) => {}
            other => panic!("{:?}", other.map(drop)),
        }
    }
}

pub(super) fn unlocks(plant: &mut Plant, kiosk: &str, person: &str) -> bool {
    plant.clock.advance_ms(TEN_MINUTES);
    match plant.kiosk(kiosk).unlock(&kiosk_signer(person)) {
        Ok(_) => true,
        Err(Denied::LockedOut) => false,
        Err(why) => panic!("{why}"),
    }
}

pub(super) fn forgiven(plant: &mut Plant, kiosk: &str) -> usize {
    let lifted = plant.kiosk(kiosk).lift_lockout(&id("maria"), "mistyped", &kiosk_signer("jonas")).unwrap();
    let forgiven = lifted.iter().map(|entry| match entry.statement().unwrap().unwrap().body {
        Body::LockoutLifted(body) => body.forgives.len(),
        other => panic!("{other:?}"),
    });
    forgiven.sum()
}

#[test]
fn r15_ten_over_three_dark_kiosks_lock_out_everywhere_once_they_meet_and_at_the_server() {
    let mut plant = sunday_evening();
    plant.add_kiosk("K6", &["SEAL"]);
    for (kiosk, times) in [("K3", 4), ("K5", 3), ("K6", 3)] {
        guess(&mut plant, kiosk, times);
    }
    for kiosk in ["K3", "K5", "K6"] {
        assert!(unlocks(&mut plant, kiosk, "maria"), "{kiosk} knows of few");
    }
    plant.settle();
    for kiosk in ["K3", "K5", "K6"] {
        assert!(
            !unlocks(&mut plant, kiosk, "maria"),
            "{kiosk}: a key that was unlocked and signed nothing forgives nothing"
        );
    }
    let refused = plant.server.unlock(&signer("maria")).map(drop).unwrap_err().to_string();
    assert!(refused.contains("locked out after 10 wrong secrets"), "{refused}");
    assert_eq!(forgiven(&mut plant, "K6"), 10);
    plant.settle();
    for kiosk in ["K3", "K5"] {
        assert!(unlocks(&mut plant, kiosk, "maria"), "lifted at another kiosk: {kiosk}");
    }
    plant.server.unlock(&signer("maria")).unwrap();
    plant.verify();
}

#[test]
fn r15_wrong_secrets_at_the_server_count_at_every_kiosk() {
    let mut plant = sunday_evening();
    guess_at_the_server(&plant, 5);
    plant.settle();
    guess(&mut plant, "K3", 5);
    assert!(!unlocks(&mut plant, "K3", "maria"));
    plant.settle();
    assert!(plant.server.unlock(&signer("maria")).is_err());
    plant.verify();
}

fn guess_at_the_server(plant: &Plant, times: usize) {
    for _ in 0..times {
        let wrong = AtTheServer { person: id("maria"), secret: "not the secret".into() };
        assert!(matches!(plant.server.unlock(&wrong), Err(Refused::WrongSecret { .. })));
    }
}

/// Whoever reaches the server needs no badge to guess there: nobody is kept from their work by it.
#[test]
fn r15_wrong_secrets_at_the_server_alone_lock_nobody_out_of_a_terminal() {
    let mut plant = sunday_evening();
    guess_at_the_server(&plant, 5);
    for secret in ["not the secret".to_owned(), signer("maria").secret] {
        let told = plant.server.unlock(&AtTheServer { person: id("maria"), secret }).map(drop).unwrap_err().to_string();
        assert!(told.contains("terminals still do") && told.contains("nothing was signed"), "{told}");
    }
    plant.settle();
    plant.clock.advance_ms(TEN_MINUTES);
    let kiosk = plant.kiosk("K3");
    kiosk.badge_in(&id("maria")).unwrap();
    kiosk.unlock_session(&kiosk_signer("maria")).unwrap();
    plant.clock.advance_ms(TEN_MINUTES);
    plant.settle();
    plant.server.unlock(&signer("maria")).unwrap();
    plant.verify();
}

#[test]
fn r15_a_lifted_lockout_forgives_what_it_names_and_nothing_that_arrives_later() {
    let mut plant = sunday_evening();
    guess(&mut plant, "K3", 10);
    guess(&mut plant, "K5", 9);
    assert_eq!(forgiven(&mut plant, "K3"), 10, "what is known there");
    assert!(unlocks(&mut plant, "K3", "maria"));
    plant.settle();
    guess(&mut plant, "K3", 1);
    assert!(!unlocks(&mut plant, "K3", "maria"), "nine of another kiosk and this one");
    assert_eq!(forgiven(&mut plant, "K3"), 10);
    assert!(unlocks(&mut plant, "K3", "maria"));
    plant.settle();
    plant.verify();
}

#[test]
fn r15_yesterdays_disk_forgives_no_wrong_secret() {
    let mut plant = sunday_evening();
    plant.settle();
    let (disk, yesterday) = (plant.path("K3"), plant.path("yesterday"));
    copy_folder(&disk, &yesterday);
    for times in [4, 5] {
        guess(&mut plant, "K3", times);
        plant.stop("K3");
        fs::remove_dir_all(&disk).unwrap();
        copy_folder(&yesterday, &disk);
        plant.start("K3");
    }
    assert!(matches!(plant.kiosk("K3").unlock(&stranger()), Err(Denied::LockedOut | Denied::Wait { .. })));
    guess(&mut plant, "K3", 1);
    assert!(!unlocks(&mut plant, "K3", "maria"), "the eleventh try is refused, right or wrong");
    assert_eq!(forgiven(&mut plant, "K3"), 10, "those whose entries are lost are named, too");
    assert!(unlocks(&mut plant, "K3", "maria"));
    guess(&mut plant, "K3", 9);
    assert!(unlocks(&mut plant, "K3", "maria"), "what was forgiven doesn't count again");
    plant.settle();
    plant.verify();
}

/// The plug is pulled between a try and its answer, and yesterday's disk put back.
#[test]
fn r15_a_try_whose_answer_nobody_waited_for_counts_also_on_yesterdays_disk() {
    let mut plant = sunday_evening();
    plant.settle();
    let (disk, yesterday) = (plant.path("K3"), plant.path("yesterday"));
    copy_folder(&disk, &yesterday);
    for _ in 0..3 {
        plant.stop("K3");
        fs::remove_dir_all(&disk).unwrap();
        copy_folder(&yesterday, &disk);
        FileKeyStore::open(&plant.path("K3-keys")).unwrap().note_trying(Some(&id("maria"))).unwrap();
        plant.start("K3");
        // Whoever comes next settles it.
        assert!(unlocks(&mut plant, "K3", "jonas"));
    }
    guess(&mut plant, "K3", 7);
    assert!(!unlocks(&mut plant, "K3", "maria"), "three and seven");
    plant.settle();
    plant.verify();
}

#[test]
fn r15_after_the_first_tries_each_wait_is_twice_the_one_before_and_is_waited_for() {
    let mut plant = sunday_evening();
    let mut waits = Vec::new();
    while let Err(Denied::WrongSecret { wait_s, .. }) = plant.kiosk("K3").unlock(&stranger()) {
        waits.push(wait_s);
        for who in [stranger(), kiosk_signer("maria")].iter().filter(|_| wait_s > 0) {
            let soon = plant.kiosk("K3").unlock(who);
            assert!(matches!(soon, Err(Denied::Wait { seconds }) if seconds == wait_s), "not even the right one");
        }
        plant.clock.advance_ms(i64::from(wait_s) * 1_000);
    }
    assert_eq!(waits.len(), 9, "the tenth locks out");
    let doubling: Vec<u32> = waits.iter().copied().skip_while(|wait| *wait == 0).collect();
    assert!(doubling.len() >= 6 && doubling.windows(2).all(|pair| pair[1] == 2 * pair[0]), "{waits:?}");
    assert!(!unlocks(&mut plant, "K3", "maria"));
}

/// Under `eu-2025` most visits begin with the secret and end without a signature.
#[test]
fn r15_mistyped_secrets_end_with_the_right_one_also_when_nothing_else_is_signed() {
    let mut plant = sunday_evening();
    for week in 1..=4 {
        guess(&mut plant, "K3", 3);
        plant.clock.advance_ms(TEN_MINUTES);
        let kiosk = plant.kiosk("K3");
        kiosk.badge_in(&id("maria")).unwrap();
        kiosk.unlock_session(&kiosk_signer("maria")).unwrap_or_else(|why| panic!("week {week}: {why}"));
        kiosk.badge_out(shared::kind::presence::SessionEnd::Tap).unwrap();
    }
    plant.settle();
    guess(&mut plant, "K5", 9);
    assert!(unlocks(&mut plant, "K5", "maria"));
    let connection = plant.kiosk("K5").ledger().connection();
    assert_eq!(
        questions::entries_of_kind(connection, "person:maria", "identified").unwrap().len(),
        4,
        "only where it ends something"
    );
    plant.verify();
}

#[test]
fn r15_a_restart_forgives_nothing() {
    let mut plant = sunday_evening();
    for _ in 0..10 {
        guess(&mut plant, "K3", 1);
        plant.restart("K3");
    }
    assert!(!unlocks(&mut plant, "K3", "maria"));
    plant.settle();
    assert!(!unlocks(&mut plant, "K5", "maria"));
}

/// A clock that ran ahead when the right secret was given, and was put right since: what is tried afterwards looks earlier.
#[test]
fn r15_a_clock_that_was_set_back_lets_nobody_try_for_nothing() {
    let mut plant = sunday_evening();
    plant.clock.set_machines_ahead(50 * 60_000);
    comes_and_reads(plant.kiosk("K3"), "maria");
    plant.clock.set_machines_ahead(0);
    plant.meet("K3");
    let mut denied = 0;
    for _ in 0..12 {
        plant.clock.advance_ms(3 * 60_000);
        denied += u32::from(matches!(plant.kiosk("K3").unlock(&stranger()), Err(Denied::LockedOut)));
    }
    assert!(denied >= 2, "ten tries and no more, within the time by which the clock was set back");
    assert!(!unlocks(&mut plant, "K3", "maria"));
    plant.settle();
    assert!(!unlocks(&mut plant, "K5", "maria"));
    plant.verify();
}

#[test]
fn r15_no_clock_set_forward_ends_a_lockout_and_none_set_back_prolongs_a_wait() {
    let mut plant = sunday_evening();
    guess(&mut plant, "K3", 6);
    plant.clock.set_machines_ahead(-50 * 60_000);
    let waits = match plant.kiosk("K3").unlock(&stranger()) {
        Err(Denied::Wait { seconds }) => seconds,
        Err(Denied::WrongSecret { wait_s, .. }) => wait_s,
        other => panic!("{:?}", other.map(drop)),
    };
    assert!(waits <= 64, "{waits} s");
    guess(&mut plant, "K3", 4);
    for days in [1, 400] {
        plant.clock.set_machines_ahead(days * 86_400_000);
        assert!(!unlocks(&mut plant, "K3", "maria"), "{days} days ahead");
        plant.restart("K3");
        assert!(!unlocks(&mut plant, "K3", "maria"), "{days} days ahead, switched off and on");
    }
}

fn chosen(secret: &str) -> Chosen<'_> {
    Chosen { secret, identity_proof: "identity card", language: "en", stretching: Stretching::TESTS }
}

#[test]
fn r12_of_two_secrets_chosen_at_two_dark_kiosks_the_later_opens_everywhere_whoever_calls_first() {
    for calls in [["K3", "K6"], ["K6", "K3"]] {
        let mut plant = sunday_evening();
        plant.add_kiosk("K6", &["SEAL"]);
        for (kiosk, secret) in [("K3", "Nine pouches"), ("K6", "Ten pouches")] {
            plant.clock.advance_ms(TEN_MINUTES);
            plant.kiosk(kiosk).set_up_signing(&id("maria"), &chosen(secret), &kiosk_signer("jonas")).unwrap();
        }
        calls.iter().for_each(|kiosk| plant.meet(kiosk));
        plant.settle();
        let (earlier, later) = (of_maria("Nine pouches"), of_maria("Ten pouches"));
        for kiosk in ["K3", "K6"] {
            plant.clock.advance_ms(TEN_MINUTES);
            plant.kiosk(kiosk).unlock(&later).unwrap_or_else(|why| panic!("{kiosk} after {calls:?}: {why}"));
            assert!(matches!(plant.kiosk(kiosk).unlock(&earlier), Err(Denied::WrongSecret { .. })), "{kiosk}");
        }
        let at_the_server = AtTheServer { person: id("maria"), secret: "Ten pouches".into() };
        plant.clock.advance_ms(TEN_MINUTES);
        plant.server.unlock(&at_the_server).unwrap_or_else(|why| panic!("the server after {calls:?}: {why}"));
        plant.verify();
    }
}

fn of_maria(secret: &str) -> Signer {
    Signer { person: id("maria"), secret: secret.into() }
}

#[test]
fn r15_s13_a_lost_secret_is_replaced_at_a_dark_kiosk_and_the_new_one_reaches_the_other() {
    let mut plant = sunday_evening();
    let new = Signer { person: id("maria"), secret: "Nine pouches".into() };
    plant.kiosk("K3").set_up_signing(&id("maria"), &chosen("Nine pouches"), &kiosk_signer("jonas")).unwrap();
    plant.kiosk("K3").unlock(&new).unwrap();
    assert!(matches!(plant.kiosk("K3").unlock(&kiosk_signer("maria")), Err(Denied::WrongSecret { .. })));

    // The other kiosk is dark: what Maria signs there with the secret it knows stays hers.
    let read = comes_and_reads(plant.kiosk("K5"), "maria");

    plant.settle();
    plant.clock.advance_ms(TEN_MINUTES);
    plant.kiosk("K5").unlock(&new).unwrap();
    assert!(matches!(plant.kiosk("K5").unlock(&kiosk_signer("maria")), Err(Denied::WrongSecret { .. })));
    for kiosk in ["K3", "K5"] {
        let connection = plant.kiosk(kiosk).ledger().connection();
        assert!(questions::verdict(connection, &read).unwrap().is_effective(), "{kiosk}");
        let set_ups = questions::entries_of_kind(connection, "person:maria", "signing_set_up").unwrap();
        assert!(set_ups.iter().any(|entry| entry.blocks().len() == 2), "two people signed");
        let [first, second] = set_ups.as_slice() else { panic!("two set-ups") };
        assert!(
            first.header().seen.contains(&second.id()) || second.header().seen.contains(&first.id()),
            "it says what it replaces"
        );
    }
    plant.verify();
}
