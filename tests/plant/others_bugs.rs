//! Bugs that others shipped and that must never be ours, each by the name it has in the requirements.

use harness::{Plant, kiosk_signer};
use shared::id::*;
use shared::kind::record::Edit;
use shared::training::Answer;

use crate::scene::*;

/// After Monday 06:00: v7 is in force at both kiosks.
fn monday() -> Plant {
    let mut plant = sunday_evening();
    approve_v7(&plant.server);
    plant.settle();
    plant.clock.set("2026-03-02T05:10:00Z");
    plant
}

fn tick(plant: &mut Plant, kiosk: &str, author: &str, edits: Vec<Edit>) {
    let kiosk = plant.kiosk(kiosk);
    let about = kiosk.about(&id("R-0042")).unwrap();
    kiosk.edit_sheet(&id("maria"), &about, &id(author), edits).unwrap();
}

#[test]
fn noise_field_never_beats_real_change() {
    let mut plant = monday();
    tick(&mut plant, "K3", "jonas", vec![Edit::Tick("4".into(), false)]);
    plant.clock.advance_ms(60_000);
    // Later, and without knowing of it: a remark, elsewhere.
    tick(&mut plant, "K5", "eva", vec![Edit::Insert(0, "humid today".into())]);
    plant.settle();
    for kiosk in ["K3", "K5"] {
        let kiosk = plant.kiosk(kiosk);
        let about = kiosk.about(&id("R-0042")).unwrap();
        let sheet = kiosk.sheet(&id("maria"), &about).unwrap().worksheet;
        let steps = format!("{:?}", sheet.steps());
        assert!(steps.contains("false"), "the failed step still stands: {steps}");
        assert!(sheet.notes().contains("humid today"));
    }
}

#[test]
fn reinstall_restores_progress() {
    let mut plant = monday();
    tick(&mut plant, "K3", "jonas", vec![Edit::Tick("4".into(), true), Edit::Tick("5".into(), true)]);
    plant.settle();
    plant.stop("K3");
    std::fs::remove_dir_all(plant.path("K3")).unwrap();
    plant.start("K3");
    plant.settle();
    let kiosk = plant.kiosk("K3");
    let about = kiosk.about(&id("R-0042")).unwrap();
    assert_eq!(kiosk.sheet(&id("maria"), &about).unwrap().worksheet.steps().len(), 2);
    plant.verify();
}

#[test]
fn nth_sync_as_good_as_first() {
    let mut plant = monday();
    for round in 0..30 {
        let lot: LotId = id(&format!("L{round}"));
        plant.kiosk("K3").ask(&id("ben"), &id("seal-pouch"), Some(&lot)).unwrap();
        plant.clock.advance_ms(60_000);
        plant.meet("K3");
        assert_eq!(plant.kiosk("K3").status().unwrap().waiting(), 0, "round {round}");
    }
    plant.settle();
    plant.verify();
}

#[test]
fn last_synced_truthful() {
    let mut plant = monday();
    plant.settle();
    let answered = plant.kiosk("K3").status().unwrap().last_contact;
    plant.clock.advance_ms(3_600_000);
    let kiosk = plant.kiosk("K3");
    kiosk.call_soon();
    kiosk.poll_up().unwrap().expect("a call is due");
    kiosk.handle_failure(kiosk::core::status::Line::Offline);
    let after = kiosk.status().unwrap();
    assert_eq!(after.last_contact, answered, "a call without an answer is no contact");
    assert_eq!(after.line, kiosk::core::status::Line::Offline);
}

#[test]
fn offline_attempt_never_discarded() {
    let mut plant = monday();
    let maria: PersonId = id("maria");
    let kiosk = plant.kiosk("K3");
    kiosk.badge_in(&maria).unwrap();
    kiosk.unlock_session(&kiosk_signer("maria")).unwrap();
    let about = kiosk.about(&id("R-0042")).unwrap();
    let procedure = kiosk.procedure(&maria, &about).unwrap();
    kiosk.sign_read(&maria, &procedure, 240).unwrap();
    let open = kiosk.open_quiz(&maria, &about).unwrap();
    let nothing = vec![Vec::new(); open.drawn.len()];
    let failed = kiosk.sign_quiz(&maria, nothing).unwrap();
    assert!(!failed.passed);
    plant.settle();
    let page = plant.server.person_page(&maria).unwrap().unwrap();
    assert!(page.entries.iter().any(|shown| shown.entry.id() == failed.entry), "the failed attempt is kept");
    let kiosk = plant.kiosk("K5");
    kiosk.badge_in(&maria).unwrap();
    assert_eq!(kiosk.open_quiz(&maria, &about).unwrap().attempts_left, failed.attempts_left, "and counts everywhere");
}

#[test]
fn staff_cannot_bypass_own_gap() {
    let mut plant = monday();
    // Eva may sign for others, and has not learnt v7 herself.
    let decision = plant.kiosk("K3").ask(&id("eva"), &id("seal-pouch"), Some(&id("881"))).unwrap().decision;
    assert_eq!(decision.answer, Answer::NoGo);
    let own = plant.kiosk("K3").ask_supervised(&id("eva"), &id("seal-pouch"), Some(&id("881")), &kiosk_signer("eva"));
    assert!(own.is_err() || own.is_ok_and(|verdict| verdict.decision.answer == Answer::NoGo));
}

#[test]
fn missing_items_shown_on_denial() {
    let mut plant = monday();
    let decision = plant.kiosk("K3").ask(&id("maria"), &id("seal-pouch"), Some(&id("881"))).unwrap().decision;
    assert_eq!(decision.answer, Answer::NoGo);
    let missing = decision.missing.iter().find(|missing| missing.state.requirement == id("R-0042")).unwrap();
    let open: Vec<_> = missing.state.activities.iter().filter(|activity| !activity.held).collect();
    assert_eq!(open.len(), 4, "read, quiz, run and check, each by itself");
    assert!(missing.minutes.is_some() && !missing.changed_steps.is_empty() && !missing.can_sign.is_empty());
}

#[test]
fn certificate_issued_once() {
    let mut plant = monday();
    train(&mut plant, "K3", "maria", "jonas");
    // The answer is lost, and the same bytes come again.
    let kiosk = plant.kiosk("K3");
    kiosk.call_soon();
    let up = kiosk.poll_up().unwrap().expect("there is news");
    for _ in 0..3 {
        plant.server.exchange(&up).unwrap();
    }
    plant.settle();
    let page = plant.server.person_page(&id("maria")).unwrap().unwrap();
    let checks = page.entries.iter().filter(|shown| shown.entry.header().kind == "check_signed");
    assert_eq!(checks.filter(|shown| shown.verdict.is_effective()).count(), 1);
    plant.verify();
}
