//! A lost badge (R15): ended in one act, refused by each kiosk as soon as it hears, and what was signed meanwhile waits for quality.

use harness::scene::{comes_and_reads, id, import_with, reads, sunday_evening, train_until_the_check, withdraw_jonas};
use harness::{Plant, kiosk_signer, signer};
use kiosk::core::Denied;
use kiosk::core::badge::BadgeSeen;
use shared::id::*;
use shared::log::effect::{Doubt, Verdict};
use shared::part11::badge::BadgeFormat;
use store::questions;

const MARIA: &str = "04A1B2C3";
const NEW_BADGE: &str = "04FFEE01";

fn sees(plant: &mut Plant, kiosk: &str, badge: &str) -> BadgeSeen {
    plant.kiosk(kiosk).look_up_badge(badge).unwrap()
}

fn verdict(plant: &mut Plant, kiosk: &str, entry: &EntryId) -> Verdict {
    questions::verdict(plant.kiosk(kiosk).ledger().connection(), entry).unwrap()
}

fn refused_at(plant: &Plant) -> Vec<(String, Option<String>)> {
    let kiosks = plant.server.badge_refused_at(&id("maria")).unwrap().expect("the badge is disabled");
    kiosks.into_iter().map(|at| (at.kiosk.to_string(), at.since.map(|since| since.to_string()))).collect()
}

#[test]
fn r15_a_lost_badge_ends_in_one_act_and_each_kiosk_says_when_it_heard() {
    let mut plant = sunday_evening();
    let before = comes_and_reads(plant.kiosk("K3"), "maria");
    plant.clock.set("2026-03-01T19:00:00Z");
    let reason = "left on the bus";
    plant.server.badge_lost(&id("maria"), None, reason, &signer("jonas")).unwrap();
    assert_eq!(refused_at(&plant), [("K3".into(), None), ("K5".into(), None)], "nobody has heard");
    plant.clock.set("2026-03-01T19:05:00Z");
    plant.settle();
    plant.kiosk("K3").badge_in(&id("ana")).unwrap();
    assert!(matches!(sees(&mut plant, "K3", MARIA), BadgeSeen::Disabled { reason } if reason == "left on the bus"));
    for (kiosk, since) in refused_at(&plant) {
        assert!(since.as_ref().is_some_and(|since| since.starts_with("2026-03-01T19:05")), "{kiosk}: {since:?}");
    }
    assert!(verdict(&mut plant, "K3", &before).is_effective(), "what she signed before is hers");
    plant.verify();
}

#[test]
fn r15_what_was_signed_at_a_dark_kiosk_with_a_lost_badge_waits_for_quality() {
    let mut plant = sunday_evening();
    plant.clock.set("2026-03-01T19:00:00Z");
    let since = harness::at("2026-03-01T18:30:00Z");
    plant.server.badge_lost(&id("maria"), Some(since), "stolen from the locker", &signer("jonas")).unwrap();
    plant.meet("K3");
    assert!(matches!(sees(&mut plant, "K3", MARIA), BadgeSeen::Disabled { .. }));
    // Kiosk 5 is dark. Somebody has Maria's badge, and knows her secret.
    assert!(matches!(sees(&mut plant, "K5", MARIA), BadgeSeen::Person(_)));
    let suspicious = comes_and_reads(plant.kiosk("K5"), "maria");
    assert!(verdict(&mut plant, "K5", &suspicious).is_effective(), "by what it could know");
    plant.clock.set("2026-03-01T22:00:00Z");
    plant.settle();
    for kiosk in ["K3", "K5"] {
        assert_eq!(verdict(&mut plant, kiosk, &suspicious), Verdict::OnHold(Doubt::BadgeLost), "{kiosk}");
    }
    assert_eq!(plant.kiosk("K5").person(), None, "the session that it opened is over");
    assert!(refused_at(&plant)[1].1.as_ref().is_some_and(|since| since.starts_with("2026-03-01T22:00")));
    plant.server.rule(&id("maria"), true, "she was there: video", &signer("helga")).unwrap();
    plant.settle();
    assert!(verdict(&mut plant, "K3", &suspicious).is_effective());
    plant.verify();
}

#[test]
fn r15_an_assessors_lost_badge_puts_what_it_signed_for_others_on_hold() {
    let mut plant = sunday_evening();
    harness::scene::approve_v7(&plant.server);
    plant.settle();
    plant.clock.set("2026-03-02T05:40:00Z");
    plant.server.badge_lost(&id("jonas"), None, "lost", &signer("helga")).unwrap();
    plant.clock.set("2026-03-02T05:50:00Z");
    train_until_the_check(plant.kiosk("K3"), "maria", "jonas");
    plant.settle();
    let connection = plant.server.ledger();
    let held = questions::on_hold(connection.connection()).unwrap();
    let doubts: Vec<&Verdict> = held.iter().map(|(_, _, verdict)| verdict).collect();
    assert!(!doubts.is_empty() && doubts.iter().all(|doubt| **doubt == Verdict::OnHold(Doubt::BadgeLost)), "{held:?}");
    assert!(held.iter().all(|(_, about, _)| about == "person:maria"));
}

#[test]
fn r15_a_new_badge_ends_the_loss_and_the_old_number_stays_refused() {
    let mut plant = sunday_evening();
    plant.server.badge_lost(&id("maria"), None, "lost", &signer("jonas")).unwrap();
    plant.clock.set("2026-03-01T20:00:00Z");
    give_new_badge(&plant);
    plant.settle();
    assert!(matches!(sees(&mut plant, "K3", NEW_BADGE), BadgeSeen::Person(_)));
    assert!(matches!(sees(&mut plant, "K3", MARIA), BadgeSeen::Disabled { .. }), "not unknown: it says why");
    plant.clock.set("2026-03-01T20:10:00Z");
    let again = comes_and_reads(plant.kiosk("K3"), "maria");
    plant.settle();
    assert!(verdict(&mut plant, "K5", &again).is_effective());
    plant.verify();
}

/// Maria has another badge, as HR imports it.
fn give_new_badge(plant: &Plant) {
    import_with(plant, "people.csv", MARIA, NEW_BADGE);
}

#[test]
fn r15_a_badge_reported_lost_at_a_dark_kiosk_is_refused_there_at_once_and_everywhere_after_sync() {
    let mut plant = sunday_evening();
    let before = comes_and_reads(plant.kiosk("K5"), "maria");
    plant.clock.set("2026-03-01T19:00:00Z");
    let since = harness::at("2026-03-01T18:30:00Z");
    let report = plant.kiosk("K3").report_lost_badge(&id("maria"), Some(since), "on the bus", &kiosk_signer("jonas"));
    report.unwrap();
    assert!(matches!(sees(&mut plant, "K3", MARIA), BadgeSeen::Disabled { reason } if reason == "on the bus"));
    let again = plant.kiosk("K3").report_lost_badge(&id("maria"), None, "on the bus", &kiosk_signer("jonas"));
    assert!(matches!(again, Err(Denied::NoBadge)), "{again:?}");
    // Kiosk 5 is dark, too: the badge is good there, and what it signs waits.
    assert!(matches!(sees(&mut plant, "K5", MARIA), BadgeSeen::Person(_)));
    let suspicious = comes_and_reads(plant.kiosk("K5"), "maria");
    // The server hears of the signature before it hears of the loss.
    plant.meet("K5");
    assert!(verdict(&mut plant, "K5", &suspicious).is_effective());
    plant.settle();
    assert!(matches!(sees(&mut plant, "K5", MARIA), BadgeSeen::Disabled { .. }));
    assert_eq!(plant.kiosk("K5").person(), None, "the session that it opened is over");
    let asked = plant.kiosk("K5").ask(&id("maria"), &id("seal-pouch"), Some(&id("881")));
    assert!(matches!(asked, Err(Denied::NoSession)), "nor does anything go on in her name");
    for kiosk in ["K3", "K5"] {
        assert_eq!(verdict(&mut plant, kiosk, &suspicious), Verdict::OnHold(Doubt::BadgeLost), "{kiosk}");
        assert!(verdict(&mut plant, kiosk, &before).is_effective(), "{kiosk}: signed before the loss");
    }
    assert!(refused_at(&plant).iter().all(|(_, since)| since.is_some()));
    // By a day pass she works on, and what she signs by it is not in doubt.
    plant.kiosk("K3").give_day_pass(&id("maria"), "known by sight", None, &kiosk_signer("jonas")).unwrap();
    plant.kiosk("K3").enter_by_pass(&kiosk_signer("maria")).unwrap();
    let by_pass = reads(plant.kiosk("K3"), "maria");
    give_new_badge(&plant);
    plant.settle();
    assert!(matches!(sees(&mut plant, "K5", NEW_BADGE), BadgeSeen::Person(_)));
    let by_new_badge = comes_and_reads(plant.kiosk("K5"), "maria");
    plant.settle();
    for signed in [&by_pass, &by_new_badge] {
        assert!(verdict(&mut plant, "K3", signed).is_effective());
    }
    plant.verify();
}

#[test]
fn r15_what_a_lost_badge_signs_after_it_was_replaced_is_told_apart() {
    let mut plant = sunday_evening();
    plant.server.badge_lost(&id("maria"), None, "lost", &signer("jonas")).unwrap();
    plant.clock.set("2026-03-01T19:00:00Z");
    give_new_badge(&plant);
    plant.meet("K3");
    plant.clock.set("2026-03-01T20:00:00Z");
    // Kiosk 5 was dark all the while: whoever found the badge, and knows her secret, signs by it. She signs by the other one.
    let by_finder = comes_and_reads(plant.kiosk("K5"), "maria");
    let by_maria = comes_and_reads(plant.kiosk("K3"), "maria");
    plant.settle();
    for kiosk in ["K3", "K5"] {
        assert_eq!(verdict(&mut plant, kiosk, &by_finder), Verdict::OnHold(Doubt::BadgeLost), "{kiosk}");
        assert!(verdict(&mut plant, kiosk, &by_maria).is_effective(), "{kiosk}");
    }
    plant.verify();
}

#[test]
fn r15_a_person_reports_their_own_badge_by_a_day_pass_and_another_only_who_leads() {
    let mut plant = sunday_evening();
    let reports = |plant: &mut Plant, person: &str, by: &str| {
        plant.kiosk("K3").report_lost_badge(&id(person), None, "left at home, gone", &kiosk_signer(by)).map(drop)
    };
    assert!(matches!(reports(&mut plant, "maria", "ana"), Err(Denied::NoAuthority { .. })));
    plant.kiosk("K3").give_day_pass(&id("maria"), "known by sight", None, &kiosk_signer("jonas")).unwrap();
    plant.kiosk("K3").enter_by_pass(&kiosk_signer("maria")).unwrap();
    reports(&mut plant, "maria", "maria").unwrap();
    assert!(plant.kiosk("K3").person().is_some(), "her pass goes on");
    assert!(matches!(sees(&mut plant, "K3", MARIA), BadgeSeen::Disabled { .. }));
    plant.settle();
    assert!(matches!(sees(&mut plant, "K5", MARIA), BadgeSeen::Disabled { .. }));
    plant.verify();
}

#[test]
fn r15_no_doubt_about_who_reported_it_lifts_the_end_of_a_badge() {
    let mut plant = sunday_evening();
    plant.clock.set("2026-03-01T19:00:00Z");
    let report = plant.kiosk("K3").report_lost_badge(&id("maria"), None, "lost", &kiosk_signer("jonas")).unwrap();
    withdraw_jonas(&plant);
    plant.settle();
    assert_eq!(verdict(&mut plant, "K5", &report.id()), Verdict::OnHold(Doubt::AuthorityWithdrawn));
    assert!(matches!(sees(&mut plant, "K5", MARIA), BadgeSeen::Disabled { .. }), "it denies all the same");
    plant.verify();
}

#[test]
fn r15_only_who_leads_ends_a_badge_with_a_reason_and_only_once() {
    let plant = sunday_evening();
    let lost = |by: &str, reason: &str| plant.server.badge_lost(&id("maria"), None, reason, &signer(by)).map(drop);
    assert!(lost("ana", "lost").is_err(), "an operator doesn't");
    assert!(lost("jonas", " ").is_err());
    lost("jonas", "lost").unwrap();
    assert!(lost("jonas", "lost").unwrap_err().to_string().contains("disabled already"));
}

#[test]
fn s6_a_card_is_its_holders_whatever_make_of_reader_reads_it() {
    let mut plant = sunday_evening();
    for (format, typed) in [
        ("as-typed", "04a1b2c3"),
        ("hex", "4A1B2C3"),
        ("hex-reversed", "C3B2A104"),
        ("decimal", "0077705923"),
        ("decimal-reversed:4", "3283263748"),
    ] {
        let number = format.parse::<BadgeFormat>().unwrap().normal(typed).unwrap();
        assert!(
            matches!(sees(&mut plant, "K3", &number), BadgeSeen::Person(seen) if seen.person == id("maria")),
            "{format}"
        );
    }
    assert_eq!(sees(&mut plant, "K3", "3283263748"), BadgeSeen::Unknown, "a reader that isn't set so opens nothing");
}
