//! Bugs that others shipped and that must never be ours, each by the name it has in the requirements.

use harness::{Plant, kiosk_signer};
use shared::id::*;
use shared::kind::record::Edit;
use shared::training::Answer;
use shared::training::point_in_time::{Asked, QualifiedAnswer};

use harness::scene::*;

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

const EVERYTHING: [(&str, &str); 13] = [
    ("sites.csv", "site,name,time_zone\nS,Site,Europe/Berlin\n"),
    ("work_units.csv", "site,area,work_center,work_unit\nS,A,L,U\n"),
    ("personnel_classes.csv", "personnel_class,name\nC,Operator\n"),
    ("people.csv", "person,printed_name,site,language,badge\np,Person One,S,en,0001\n"),
    ("class_members.csv", "person,personnel_class\np,C\n"),
    ("documents.csv", "document,title,category,owner\nD,Procedure,procedure,p\n"),
    (
        "versions.csv",
        "document,version,approved_at,effective_from,training_impact,change_summary,content,language\n\
         D,1,2024-01-01,2024-01-02,full,New,content/d.md,en\n",
    ),
    (
        "requirements.csv",
        "requirement,title,document,category,activities\nR,Everything,D,procedure,read;quiz:Q;runs:1;check:K;briefing:B;external\n",
    ),
    ("matrix.csv", "personnel_class,requirement\nC,R\n"),
    ("tasks.csv", "task,title,work_units,criticality\nT,Task,U,routine\n"),
    ("task_requirements.csv", "task,requirement\nT,R\n"),
    (
        "quizzes/Q.toml",
        "title = \"Quiz\"\npass_percent = 80\nask = 1\nmax_attempts = 3\n[[question]]\ntext = \"?\"\nanswers = [\"a\", \"b\"]\ncorrect = [1]\n",
    ),
    ("checks/K.toml", "title = \"Check\"\n[[criterion]]\ntext = \"Does it\"\nkind = \"pass_fail\"\n"),
];

/// A plant where one requirement asks for every kind of activity, with evidence for all but one of them.
fn trained_without(left_out: Option<usize>) -> QualifiedAnswer {
    let activities = ["read", "quiz", "runs", "check", "briefing", "external"];
    let mut history = "person,requirement,version,activity,completed_at,score\n".to_owned();
    for (place, activity) in activities.iter().enumerate().filter(|(place, _)| Some(*place) != left_out) {
        let score = if *activity == "quiz" { "100" } else { "" };
        history += &format!("p,R,1,{activity},2024-02-0{}T10:00:00Z,{score}\n", place + 1);
    }
    let folder = tempfile::tempdir().unwrap();
    for below in ["content", "quizzes", "checks"] {
        std::fs::create_dir(folder.path().join(below)).unwrap();
    }
    for (name, text) in EVERYTHING.iter().chain(&[("content/d.md", "# D\n\n1. One step\n"), ("history.csv", &history)])
    {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let plant = Plant::from_folder(folder.path(), "2026-03-01T18:00:00Z");
    let (person, at) = (id("p"), plant.clock.now());
    plant.server.query_qualified(&person, Asked::Document(&id("D")), at, None).unwrap().qualified.answer
}

#[test]
fn every_evidence_type_in_scope() {
    assert_eq!(trained_without(None), QualifiedAnswer::Yes);
    for place in 0..6 {
        assert_eq!(trained_without(Some(place)), QualifiedAnswer::No, "without the activity at place {place}");
    }
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
    assert_eq!(ticked(&mut plant, "K3"), 2, "with its keys");
    plant.stop("K3");
    for lost in ["K3", "K3-keys"] {
        std::fs::remove_dir_all(plant.path(lost)).unwrap();
    }
    plant.add_kiosk("K7", &["SEAL"]);
    assert_ne!(plant.kiosk("K7").enrolment().unwrap().name, id("K3"));
    plant.settle();
    assert_eq!(ticked(&mut plant, "K7"), 2, "as another device, with nothing of the old one");
    plant.verify();
}

/// How many steps of Maria's worksheet are ticked, as this kiosk knows it.
fn ticked(plant: &mut Plant, name: &str) -> usize {
    let kiosk = plant.kiosk(name);
    let about = kiosk.about(&id("R-0042")).unwrap();
    kiosk.sheet(&id("maria"), &about).unwrap().worksheet.steps().len()
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
    comes_and_reads(kiosk, "maria");
    let about = kiosk.about(&id("R-0042")).unwrap();
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
