//! On the floor: ticks, conflicts, notes, the check, the supervised start.

use shared::id::ActId;
use shared::kind::plant::ActivityKind;
use shared::kind::presence::SessionEnd;
use shared::kind::record::Outcome as Recorded;
use shared::record::worksheet::{Mark, State};
use shared::training::task_session::TaskSession;

use super::script::*;
use crate::presenter::message::What;
use crate::presenter::view::*;

fn at_the_worksheet() -> Kiosk {
    let mut kiosk = Kiosk::new();
    kiosk.held = vec![ActivityKind::Read, ActivityKind::Quiz];
    open_sheet(&mut kiosk);
    kiosk
}

fn open_sheet(kiosk: &mut Kiosk) {
    kiosk.maria_asks();
    kiosk.tap("next");
    kiosk.badge(JONAS);
    assert_eq!(kiosk.screen(), Screen::Worksheet);
}

fn at_the_check() -> Kiosk {
    let mut kiosk = at_the_worksheet();
    kiosk.held.push(ActivityKind::Runs);
    kiosk.tap("step:1:pass");
    kiosk.tap("action:check");
    assert_eq!(kiosk.screen(), Screen::Check);
    kiosk
}

fn supervised() -> Kiosk {
    let mut kiosk = Kiosk::new();
    kiosk.held = vec![ActivityKind::Read, ActivityKind::Quiz];
    kiosk.maria_asks();
    kiosk.tap("action:supervised");
    kiosk.secret("maria-secret");
    kiosk.badge(JONAS);
    kiosk.secret("jonas-secret");
    kiosk.snapshot.sessions = vec![running(&kiosk)];
    kiosk.tell();
    assert_eq!(kiosk.view().supervised.state, SupervisedState::Running);
    kiosk
}

fn running(kiosk: &Kiosk) -> TaskSession {
    TaskSession {
        session: ActId([7; 16]),
        person: person("maria"),
        task: shared::id::TaskId::new("seal-pouch").unwrap(),
        work_unit: shared::id::WorkUnitId::new("SEAL").unwrap(),
        lot: shared::id::LotId::new("881").ok(),
        started_at: kiosk.now,
        ended_at: None,
        ended_how: None,
        trainer: Some(person("jonas")),
        confirmed_at: Some(kiosk.now),
        versions: vec![(document(), version())],
        decision: shared::id::EntryId([1; 32]),
        opened_by: shared::id::EntryId([2; 32]),
    }
}

#[test]
fn s2_each_tap_is_on_its_way_to_the_disk_at_once() {
    let mut kiosk = at_the_worksheet();
    kiosk.slow = true;
    for id in ["step:1:pass", "step:2:fail", "step:2:pass", "step:3:fail"] {
        kiosk.tap(id);
    }
    assert_eq!(kiosk.asked.len(), 4, "none waits for another");
    let ticks: Vec<Tick> = kiosk.view().worksheet.steps.iter().map(|step| step.tick).collect();
    assert_eq!(ticks, [Tick::Pass, Tick::Pass, Tick::Fail], "shown before it is answered");
    kiosk.answer_first();
    let ticks: Vec<Tick> = kiosk.view().worksheet.steps.iter().map(|step| step.tick).collect();
    assert_eq!(ticks, [Tick::Pass, Tick::Pass, Tick::Fail], "an early answer takes nothing back");
    kiosk.answer_all();
    let row = &kiosk.view().worksheet.steps[2];
    assert_eq!((row.tick, row.by.as_str(), row.changed), (Tick::Fail, "Jonas Reuter", true));
    let authors = kiosk.log.iter().filter_map(|what| match what {
        What::Tick { author, context, .. } => Some((author.as_str().to_owned(), context.person.as_str().to_owned())),
        _ => None,
    });
    assert!(authors.into_iter().all(|pair| pair == ("jonas".into(), "maria".into())));
}

#[test]
fn a_conflict_is_shown_and_a_later_tick_settles_it() {
    let mut kiosk = Kiosk::new();
    kiosk.held = vec![ActivityKind::Read, ActivityKind::Quiz];
    let mark = |who: &str, said| Mark { at: at("2026-03-02T05:00:00Z"), by: person(who), said };
    kiosk.ticks.insert("2".into(), State::Conflict(vec![mark("ben", true), mark("jonas", false)]));
    open_sheet(&mut kiosk);
    let sheet = kiosk.view().worksheet;
    assert_eq!((sheet.conflicts, sheet.steps[1].tick), (1, Tick::Conflict));
    assert_eq!((sheet.steps[1].pass_at.as_str(), sheet.steps[1].fail_at.as_str()), ("Ben Hartwig", "Jonas Reuter"));
    assert!(!sheet.can_record_run);
    kiosk.tap("action:record-run");
    assert_eq!(kiosk.screen(), Screen::Worksheet);
    kiosk.tap("step:2:pass");
    let sheet = kiosk.view().worksheet;
    assert_eq!((sheet.conflicts, sheet.can_record_run), (0, true));
}

#[test]
fn a_failed_step_makes_the_run_a_not_yet() {
    let mut kiosk = at_the_worksheet();
    kiosk.tap("step:1:fail");
    kiosk.tap("action:record-run");
    super::story::both_sign(&mut kiosk, Meaning::RunPerformed, SecondRole::Observer);
    assert!(kiosk.log.iter().any(|what| matches!(what, What::SignRun { outcome: Recorded::NotYet, .. })));
    assert_eq!((kiosk.view().receipt.open, kiosk.view().receipt.next), (Open::NotPassed, NextStep::OpenRecord));
}

#[test]
fn a_note_is_written_by_the_observer() {
    let mut kiosk = at_the_worksheet();
    kiosk.tap("action:note");
    assert!(kiosk.view().worksheet.writing);
    kiosk.tap("kb:O");
    kiosk.tap("kb:k");
    assert_eq!(kiosk.view().worksheet.note, "Ok");
    kiosk.tap("ok");
    assert!(!kiosk.view().worksheet.writing);
    assert!(
        kiosk
            .log
            .iter()
            .any(|what| matches!(what, What::Note { author, text, .. } if text == "Ok" && author.as_str() == "jonas"))
    );
    kiosk.typed("note", "first run");
    kiosk.tap("ok");
    assert_eq!(kiosk.count(|what| matches!(what, What::Note { .. })), 2);
}

#[test]
fn a_value_out_of_range_rules_a_pass_out() {
    let mut kiosk = at_the_check();
    assert_eq!((kiosk.view().check.bar, kiosk.view().check.open_criteria), (CheckBar::CriteriaOpen, 2));
    kiosk.tap("criterion:1:pass");
    kiosk.tap("criterion:2:value");
    let check = kiosk.view().check;
    assert_eq!((check.entering.number, check.entering.minimum.as_str()), (2, "6,0"), "as her language prints it");
    for key in ["key:1", "key:0", "key:point", "key:point", "key:5"] {
        kiosk.tap(key);
    }
    assert_eq!(kiosk.view().check.typed, "10,5");
    kiosk.tap("ok");
    let check = kiosk.view().check;
    assert_eq!(
        (check.criteria[1].state, check.can_pass, check.bar),
        (CriterionState::OutOfRange, false, CheckBar::OutcomeOpen)
    );
    kiosk.tap("outcome:pass");
    assert_eq!(kiosk.view().check.outcome, Outcome::None);
    kiosk.tap("outcome:not-yet");
    kiosk.tap("next");
    super::story::both_sign(&mut kiosk, Meaning::CheckPerformed, SecondRole::Assessor);
    let results = kiosk.log.iter().find_map(|what| match what {
        What::SignCheck { results, outcome, .. } => Some((results.clone(), *outcome)),
        _ => None,
    });
    let (results, outcome) = results.unwrap();
    assert_eq!((results[1].passed, results[1].measured.as_deref(), outcome), (false, Some("10.5"), Recorded::NotYet));
}

#[test]
fn s2_marks_of_a_check_survive_a_swap_and_belong_to_their_check() {
    let mut kiosk = at_the_check();
    kiosk.tap("criterion:1:pass");
    kiosk.badge(BEN);
    kiosk.tap("swap:switch");
    kiosk.badge(MARIA);
    kiosk.tap("lot:same");
    kiosk.tap("task:seal-pouch");
    kiosk.tap("next");
    kiosk.badge(JONAS);
    kiosk.tap("action:check");
    assert_eq!((kiosk.screen(), kiosk.view().check.criteria[0].state), (Screen::Check, CriterionState::Pass));
    assert_eq!(kiosk.view().check.outcome, Outcome::None, "the outcome is said anew");
}

#[test]
fn s3_the_trainer_confirms_with_their_badge() {
    let mut kiosk = supervised();
    assert_eq!(kiosk.view().supervised.minutes_left, 30);
    kiosk.wait(29 * 60_000 + 10_000);
    let supervised = kiosk.view().supervised;
    assert_eq!((supervised.state, supervised.seconds_left), (SupervisedState::ConfirmNow, 50));
    kiosk.tap("action:confirm");
    assert_eq!(kiosk.view().second_badge.role, SecondRole::Trainer);
    kiosk.badge(BEN);
    assert_eq!(kiosk.view().second_badge.refusal, SecondRefusal::NotAllowed, "only the trainer who took it");
    kiosk.badge(JONAS);
    assert_eq!((kiosk.screen(), kiosk.view().supervised.state), (Screen::Supervised, SupervisedState::Running));
    assert_eq!(kiosk.count(|what| matches!(what, What::ConfirmTrainer { .. })), 1);
    // The badge alone does it too.
    kiosk.badge(JONAS);
    assert_eq!(kiosk.count(|what| matches!(what, What::ConfirmTrainer { .. })), 2);
}

#[test]
fn s3_without_confirmation_the_supervision_ends() {
    let mut kiosk = supervised();
    kiosk.wait(30 * 60_000 + 1_000);
    let supervised = kiosk.view().supervised;
    assert_eq!(
        (kiosk.screen(), supervised.state, supervised.end),
        (Screen::Supervised, SupervisedState::Ended, SupervisedEnd::NotConfirmed)
    );
}

#[test]
fn s3_nobody_is_signed_out_while_they_work_but_their_key_is_locked() {
    let mut kiosk = supervised();
    kiosk.wait(59_000);
    assert_eq!(kiosk.count(|what| *what == What::Lock), 0);
    kiosk.wait(2_000);
    kiosk.wait(1_000);
    assert_eq!(kiosk.count(|what| *what == What::Lock), 1);
    assert_eq!((kiosk.screen(), kiosk.view().chrome.idle_seconds), (Screen::Supervised, -1));
}

#[test]
fn s3_signing_out_ends_the_supervised_start_and_a_pause_does_not() {
    let mut kiosk = supervised();
    kiosk.badge(BEN);
    kiosk.tap("swap:switch");
    assert_eq!(kiosk.count(|what| matches!(what, What::EndSession { .. })), 0);
    kiosk.badge(MARIA);
    assert_eq!(
        (kiosk.screen(), kiosk.view().supervised.trainer.as_str()),
        (Screen::Supervised, "Jonas Reuter"),
        "she comes back to it"
    );
    kiosk.tap("action:sign-out");
    // The core ends it with the badge session, in one step.
    assert!(matches!(kiosk.log.last(), Some(What::BadgeOut { how: SessionEnd::Tap })));
    assert_eq!(kiosk.screen(), Screen::Idle);
}

#[test]
fn s3_the_screen_says_truly_how_supervised_work_ended() {
    for (how, end) in [
        (SessionEnd::BadgeOut, SupervisedEnd::BadgeOut),
        (SessionEnd::Elsewhere, SupervisedEnd::BadgeElsewhere),
        (SessionEnd::TrainerSilent, SupervisedEnd::NotConfirmed),
        (SessionEnd::TimeOut, SupervisedEnd::TimeOver),
        (SessionEnd::Blocked, SupervisedEnd::Blocked),
        (SessionEnd::NewVersion, SupervisedEnd::NewVersion),
        (SessionEnd::NextStart, SupervisedEnd::NextStart),
    ] {
        let mut kiosk = supervised();
        assert_eq!(kiosk.view().supervised.state, SupervisedState::Running);
        kiosk.snapshot.sessions.clear();
        kiosk.tell();
        assert_eq!(kiosk.view().supervised.state, SupervisedState::Running, "nothing is said before it is known");
        kiosk.snapshot.ended = vec![(ActId([7; 16]), how)];
        kiosk.tell();
        assert_eq!(
            (kiosk.view().supervised.state, kiosk.view().supervised.end),
            (SupervisedState::Ended, end),
            "{how:?}"
        );
    }
}

#[test]
fn s3_the_time_of_a_supervised_start_ends_while_the_store_is_silent() {
    let mut kiosk = supervised();
    let hours = i64::from(kiosk.snapshot.plant.policy.session.task_session_max_hours);
    let minutes = i64::from(kiosk.snapshot.plant.policy.trainee.confirm_minutes);
    for _ in 0..hours * 60 / (minutes - 1) {
        kiosk.wait((minutes - 1) * 60_000);
        kiosk.badge(JONAS);
        assert_eq!(kiosk.view().supervised.state, SupervisedState::Running);
    }
    kiosk.wait((minutes - 1) * 60_000);
    assert_eq!(kiosk.view().supervised.end, SupervisedEnd::TimeOver);
}

#[test]
fn s11_running_tasks_are_listed_and_ended_by_touch() {
    let mut kiosk = Kiosk::new();
    kiosk.snapshot.sessions = vec![TaskSession { trainer: None, ..running(&kiosk) }];
    kiosk.tell();
    assert_eq!(kiosk.view().idle.sessions[0].task, "Seal pouch");
    kiosk.badge(BEN);
    assert_eq!(kiosk.view().tasks.sessions, 1);
    kiosk.tap("action:sessions");
    let row = kiosk.view().sessions.rows[0].clone();
    assert_eq!((kiosk.screen(), row.person.as_str(), row.lot.as_str()), (Screen::Sessions, "Maria Lindner", "881"));
    kiosk.tap(&format!("end:{}", row.id));
    assert_eq!(kiosk.count(|what| matches!(what, What::EndSession { .. })), 1);
    assert!(kiosk.view().sessions.rows.is_empty());
    kiosk.tap("action:back");
    assert_eq!(kiosk.screen(), Screen::Tasks);
}
