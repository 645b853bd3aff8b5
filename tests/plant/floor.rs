//! What happens at a kiosk when people come, go and change places: nothing half done is lost, and nobody is in two places.

use harness::{Plant, kiosk_signer, signer};
use kiosk::core::status::Line;
use shared::id::*;
use shared::kind::plant::Criterion;
use shared::kind::presence::SessionEnd;
use shared::kind::record::{CriterionResult, Edit, Outcome};
use shared::log::effect::{Doubt, Verdict};
use shared::training::gate::{Reason, TrainerRefused};
use shared::training::{Answer, GateDecision};
use store::questions;

use harness::scene::{approve_v7, comes_and_reads, id, right_answers, sign_off, sunday_evening};

/// Monday morning: v7 counts, and nobody has been trained on it.
fn monday() -> Plant {
    let mut plant = sunday_evening();
    approve_v7(&plant.server);
    plant.settle();
    plant.clock.set("2026-03-02T05:40:00Z");
    plant.settle();
    plant
}

/// Badges in, reads and signs; answers the quiz when `quiz`.
fn learn(plant: &mut Plant, kiosk: &str, person: &str, quiz: bool) {
    let (who, kiosk): (PersonId, _) = (id(person), plant.kiosk(kiosk));
    comes_and_reads(kiosk, person);
    if quiz {
        let about = kiosk.about(&id("R-0042")).unwrap();
        let open = kiosk.open_quiz(&who, &about).unwrap();
        let answers = right_answers(&open);
        assert!(kiosk.sign_quiz(&who, answers).unwrap().passed);
    }
}

fn start_supervised(plant: &mut Plant, kiosk: &str, person: &str, trainer: &str) -> (GateDecision, Option<ActId>) {
    let started = plant
        .kiosk(kiosk)
        .ask_supervised(&id(person), &id("seal-pouch"), Some(&id("881")), &kiosk_signer(trainer))
        .unwrap();
    (started.decision, started.session)
}

fn how_it_ended(plant: &mut Plant, kiosk: &str, session: &ActId) -> Option<SessionEnd> {
    questions::session(plant.kiosk(kiosk).ledger().connection(), session).unwrap().unwrap().ended_how
}

fn times_opened(plant: &mut Plant) -> usize {
    let connection = plant.kiosk("K3").ledger().connection();
    questions::entries_of_kind(connection, "person:maria", "quiz_opened").unwrap().len()
}

#[test]
fn s2_r17_a_quiz_left_half_way_goes_on_with_the_same_questions_and_answers() {
    let mut plant = monday();
    learn(&mut plant, "K3", "maria", false);
    let (maria, about) = (id("maria"), plant.kiosk("K3").about(&id("R-0042")).unwrap());
    let first = plant.kiosk("K3").open_quiz(&maria, &about).unwrap();
    let mut chosen = vec![Vec::new(); first.drawn.len()];
    chosen[0] = vec![1];
    plant.kiosk("K3").keep_answers(&maria, chosen.clone()).unwrap();

    // The next badge takes the screen, the power goes, and she comes back.
    plant.kiosk("K3").badge_in(&id("ben")).unwrap();
    plant.restart("K3");
    plant.kiosk("K3").badge_in(&maria).unwrap();
    let again = plant.kiosk("K3").open_quiz(&maria, &about).unwrap();
    assert_eq!((again.drawn, again.chosen), (first.drawn.clone(), chosen));
    assert_eq!(times_opened(&mut plant), 1, "it is one attempt, and nobody draws until the questions please");

    // Signed, it is over: what is opened next is drawn anew.
    plant.kiosk("K3").unlock_session(&kiosk_signer("maria")).unwrap();
    let wrong = vec![Vec::new(); first.drawn.len()];
    assert!(!plant.kiosk("K3").sign_quiz(&maria, wrong).unwrap().passed);
    assert_eq!(plant.kiosk("K3").open_quiz(&maria, &about).unwrap().chosen, Vec::<Vec<u16>>::new());
    assert_eq!(times_opened(&mut plant), 2);
    plant.settle();
    plant.verify();
}

#[test]
fn s2_the_next_operator_has_no_quiz_of_the_one_before() {
    let mut plant = monday();
    learn(&mut plant, "K3", "maria", false);
    let (maria, about) = (id("maria"), plant.kiosk("K3").about(&id("R-0042")).unwrap());
    plant.kiosk("K3").open_quiz(&maria, &about).unwrap();
    plant.kiosk("K3").badge_in(&id("ben")).unwrap();
    assert!(plant.kiosk("K3").keep_answers(&maria, Vec::new()).is_err());
    assert!(plant.kiosk("K3").keep_answers(&id("ben"), Vec::new()).is_err());
    assert!(plant.kiosk("K3").sign_quiz(&id("ben"), Vec::new()).is_err());
}

#[test]
fn s3_supervised_work_ends_when_its_trainer_is_seen_elsewhere() {
    for (signs_out, how) in [(false, SessionEnd::Elsewhere), (true, SessionEnd::BadgeOut)] {
        let mut plant = monday();
        learn(&mut plant, "K3", "maria", true);
        let (decision, session) = start_supervised(&mut plant, "K3", "maria", "jonas");
        assert_eq!(decision.answer, Answer::GoSupervised, "{:?}", decision.reasons);
        let session = session.unwrap();
        plant.clock.forward_minutes(5);
        plant.kiosk("K5").badge_in(&id("jonas")).unwrap();
        if signs_out {
            plant.clock.forward_minutes(1);
            plant.kiosk("K5").badge_out(SessionEnd::Tap).unwrap();
        }
        assert_eq!(plant.kiosk("K3").end_overdue_sessions().unwrap(), 0, "not known here yet");
        plant.settle();
        assert_eq!(plant.kiosk("K3").end_overdue_sessions().unwrap(), 1);
        assert_eq!(how_it_ended(&mut plant, "K3", &session), Some(how));
        assert!(plant.kiosk("K3").ended_sessions().unwrap().contains(&(session, how)));
    }
}

#[test]
fn s3_a_confirmation_is_newer_than_an_old_sighting() {
    let mut plant = monday();
    plant.kiosk("K5").badge_in(&id("jonas")).unwrap();
    learn(&mut plant, "K3", "maria", true);
    plant.clock.forward_minutes(1);
    let (_, session) = start_supervised(&mut plant, "K3", "maria", "jonas");
    plant.settle();
    assert_eq!(plant.kiosk("K3").end_overdue_sessions().unwrap(), 0, "he was there before");
    plant.clock.forward_minutes(2);
    plant.kiosk("K5").badge_out(SessionEnd::Idle).unwrap();
    plant.settle();
    assert_eq!(plant.kiosk("K3").end_overdue_sessions().unwrap(), 0, "a session that ended by itself is no sighting");
    assert_eq!(how_it_ended(&mut plant, "K3", &session.unwrap()), None);
}

#[test]
fn s3_supervised_work_ends_with_the_badge_out_and_not_with_a_swap() {
    let mut plant = monday();
    learn(&mut plant, "K3", "maria", true);
    let (_, session) = start_supervised(&mut plant, "K3", "maria", "jonas");
    let session = session.unwrap();
    plant.kiosk("K3").badge_in(&id("ben")).unwrap();
    plant.kiosk("K3").badge_out(SessionEnd::Tap).unwrap();
    assert_eq!(how_it_ended(&mut plant, "K3", &session), None);
    plant.kiosk("K3").badge_in(&id("maria")).unwrap();
    plant.kiosk("K3").badge_out(SessionEnd::Idle).unwrap();
    assert_eq!(how_it_ended(&mut plant, "K3", &session), None, "a pause is no badge-out");
    plant.kiosk("K3").badge_in(&id("maria")).unwrap();
    plant.kiosk("K3").badge_out(SessionEnd::Tap).unwrap();
    assert_eq!(how_it_ended(&mut plant, "K3", &session), Some(SessionEnd::BadgeOut));
}

#[test]
fn s3_a_trainers_trainees_are_counted_over_all_terminals_as_known() {
    let mut plant = monday();
    learn(&mut plant, "K3", "maria", true);
    learn(&mut plant, "K5", "ana", true);
    start_supervised(&mut plant, "K3", "maria", "jonas");
    plant.settle();
    let (decision, session) = start_supervised(&mut plant, "K5", "ana", "jonas");
    let too_many = Reason::TrainerNotAllowed { why: TrainerRefused::TooManyTrainees };
    assert_eq!((decision.answer, session), (Answer::NoGo, None));
    assert!(decision.reasons.contains(&too_many), "{:?}", decision.reasons);
}

#[test]
fn s11_work_ends_when_its_person_signs_out_elsewhere() {
    let mut plant = sunday_evening();
    plant.kiosk("K3").badge_in(&id("maria")).unwrap();
    let started = plant.kiosk("K3").ask(&id("maria"), &id("seal-pouch"), Some(&id("881"))).unwrap();
    let session = started.session.unwrap();
    plant.clock.forward_minutes(10);
    plant.kiosk("K5").badge_in(&id("maria")).unwrap();
    plant.settle();
    assert_eq!(plant.kiosk("K3").end_overdue_sessions().unwrap(), 0, "to look something up there ends nothing here");
    plant.clock.forward_minutes(1);
    plant.kiosk("K5").badge_out(SessionEnd::Tap).unwrap();
    plant.settle();
    assert_eq!(plant.kiosk("K3").end_overdue_sessions().unwrap(), 1);
    assert_eq!(how_it_ended(&mut plant, "K3", &session), Some(SessionEnd::Elsewhere));
}

#[test]
fn l3_an_edit_that_came_after_the_sign_off_is_shown_and_changes_nothing() {
    let mut plant = monday();
    learn(&mut plant, "K3", "maria", true);
    plant.settle();
    let (maria, about) = (id("maria"), plant.kiosk("K3").about(&id("R-0042")).unwrap());
    plant.kiosk("K5").edit_sheet(&maria, &about, &id("eva"), vec![Edit::Tick("9".into(), true)]).unwrap();
    let (_, session) = start_supervised(&mut plant, "K3", "maria", "jonas");
    let kiosk = plant.kiosk("K3");
    kiosk.edit_sheet(&maria, &about, &id("jonas"), vec![Edit::Tick("4".into(), true)]).unwrap();
    let signers = (&kiosk_signer("maria"), &kiosk_signer("jonas"));
    kiosk.sign_run(&maria, &about, Outcome::Passed, session, "", signers).unwrap();
    let measured = |c: &Criterion| c.measure.as_ref().and_then(|measure| measure.min.clone());
    let passed = |c: &Criterion| CriterionResult { passed: true, measured: measured(c) };
    let results = kiosk.check_of(&about).unwrap().criteria.iter().map(passed).collect();
    kiosk.sign_check(&maria, &about, results, Outcome::Passed, signers).unwrap();
    assert!(kiosk.sheet(&maria, &about).unwrap().after_sign_off.is_empty());
    plant.settle();
    let sheet = plant.kiosk("K3").sheet(&maria, &about).unwrap();
    assert_eq!(sheet.after_sign_off.len(), 1, "what Eva ticked at the other kiosk was not among what was signed");
    assert!(sheet.worksheet.history().is_empty(), "it is no part of the training after it");
    plant.verify();
}

#[test]
fn last_synced_truthful_at_the_core() {
    let mut plant = sunday_evening();
    let before = plant.kiosk("K3").status().unwrap();
    assert!(before.in_step.is_some() && before.in_step == before.last_contact);
    assert_eq!((before.line, before.waiting_in), (Line::Online, Vec::new()));
    plant.clock.forward_minutes(5);
    plant.kiosk("K3").badge_in(&id("maria")).unwrap();
    let status = plant.kiosk("K3").status().unwrap();
    assert_eq!(status.waiting_in, [(shared::log::Stream::presence(&id("SITE1")), 1)].to_vec());

    // Something answers that is no answer: that is neither contact nor exchange.
    plant.kiosk("K3").call_soon();
    plant.kiosk("K3").poll_up().unwrap().expect("a call is due");
    let news = plant.kiosk("K3").handle_down(b"no answer", 0).unwrap();
    let after = plant.kiosk("K3").status().unwrap();
    assert!(news.dropped.is_some());
    assert_eq!((after.in_step, after.last_contact, after.line), (before.in_step, before.last_contact, Line::Offline));
    plant.settle();
    assert!(plant.kiosk("K3").status().unwrap().in_step > before.in_step);
}

/// What a newer version asks for anew is learned whatever quality says of the older one: nobody waits for that.
#[test]
fn r6_u8_a_check_on_hold_on_a_version_that_was_replaced_keeps_nobody_from_learning_the_new_one() {
    let mut plant = sunday_evening();
    plant.server.withdraw_assessor(&id("jonas"), &id("R-0042"), "conflict of interest", &signer("helga")).unwrap();
    plant.clock.forward_minutes(5);
    // K3 hasn't heard of it.
    plant.kiosk("K3").badge_in(&id("ben")).unwrap();
    let check = sign_off(plant.kiosk("K3"), "ben", "jonas");
    approve_v7(&plant.server);
    plant.settle();
    let verdict = questions::verdict(plant.kiosk("K3").ledger().connection(), &check).unwrap();
    assert!(matches!(verdict, Verdict::OnHold(Doubt::AuthorityWithdrawn)), "{verdict:?}");
    plant.clock.set("2026-03-02T05:40:00Z");
    let decision = plant.kiosk("K3").look(&id("ben"), &id("seal-pouch"), Some(&id("881")), None).unwrap();
    assert_eq!(decision.reasons, [Reason::TrainingNeeded { requirement: id("R-0042") }]);
    learn(&mut plant, "K3", "ben", true);
    let (decision, _) = start_supervised(&mut plant, "K3", "ben", "eva");
    assert_eq!(decision.answer, Answer::GoSupervised, "{:?}", decision.reasons);
}
