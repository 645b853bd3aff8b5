//! The terminal itself: the bar, its status, its set-up, its faults.

use super::script::*;
use crate::presenter::message::*;
use crate::presenter::view::*;
use crate::presenter::{Presenter, Settings};

#[test]
fn s8_the_bar_says_how_fresh_the_knowledge_is() {
    let mut kiosk = Kiosk::new();
    let chrome = kiosk.view().chrome;
    assert_eq!(
        (chrome.terminal.as_str(), chrome.sync, chrome.offline_since.as_str()),
        ("Line 2 / Sealing", SyncState::Offline, "06:06")
    );
    assert_eq!((chrome.waiting, chrome.plant_age_minutes, chrome.clock.as_str()), (3, 34, "06:40"));
    kiosk.wait(6 * 60_000);
    assert_eq!((kiosk.view().chrome.plant_age_minutes, kiosk.view().chrome.clock.as_str()), (40, "06:46"));
}

#[test]
fn status_opens_from_idle_and_goes_back() {
    let mut kiosk = Kiosk::new();
    kiosk.tap("action:status");
    let status = kiosk.view().status;
    assert_eq!(
        (kiosk.screen(), status.kiosk.as_str(), status.enrolment),
        (Screen::Status, "K3 · Line 2 / Sealing", EnrolmentState::Enrolled)
    );
    kiosk.tap("action:back");
    assert_eq!(kiosk.screen(), Screen::Idle);
    kiosk.badge(MARIA);
    kiosk.tap("action:status");
    assert_eq!(kiosk.screen(), Screen::Tasks);
}

#[test]
fn s9_a_new_terminal_asks_for_its_code() {
    let now = at("2026-03-02T06:40:00Z");
    let mut presenter = Presenter::new(now, Settings::default());
    presenter.handle(Event::Status(Box::default()), now);
    assert_eq!(presenter.view().screen, Screen::SetUp);
    presenter.handle(Event::Typed { field: "code".into(), text: "abcd-2345".into() }, now);
    assert_eq!((presenter.view().set_up.code.as_str(), presenter.view().set_up.can_send), ("abcd 2345", true));
    let asked = presenter.handle(Event::Tap("ok".into()), now);
    assert!(matches!(&asked[0].what, What::SetUp { code } if code.0 == "abcd2345"));
    assert_eq!(presenter.view().set_up.state, SetUpState::Asking);
    presenter
        .handle(Event::Reply { request: asked[0].request, reply: Reply::NotEnrolled(NotEnrolled::NoNetwork) }, now);
    assert_eq!(presenter.view().set_up.state, SetUpState::NoNetwork);
    let asked = presenter.handle(Event::Tap("ok".into()), now);
    let reply = Reply::Enrolled { terminal: "K3".into(), work_units: "Line 2 / Sealing".into() };
    presenter.handle(Event::Reply { request: asked[0].request, reply }, now);
    assert_eq!(
        (presenter.view().set_up.state, presenter.view().set_up.terminal.as_str()),
        (SetUpState::Enrolled, "K3")
    );
    let mut enrolled = StatusSnapshot::default();
    enrolled.status.kiosk = shared::id::KioskName::new("K3").ok();
    presenter.handle(Event::Status(Box::new(enrolled)), now);
    assert_eq!(presenter.view().screen, Screen::SetUp, "until it was read");
    presenter.handle(Event::Tap("next".into()), now);
    assert_eq!(presenter.view().screen, Screen::Idle);
}

#[test]
fn a_full_disk_says_what_was_kept_and_the_work_goes_on_where_it_was() {
    let mut kiosk = Kiosk::new();
    kiosk.maria_asks();
    kiosk.tap("next");
    super::story::read_to_the_end(&mut kiosk);
    kiosk.tap("next");
    kiosk.next_reply = Some(Reply::Failed(Failure::DiskFull));
    kiosk.secret("maria-secret");
    let trouble = kiosk.view().trouble;
    assert_eq!(
        (kiosk.screen(), trouble.fault, trouble.kept, trouble.next),
        (Screen::Fault, Fault::StorageFull, 3, NextStep::BackToTasks)
    );
    kiosk.tap("next");
    assert_eq!(kiosk.screen(), Screen::Tasks);
}

#[test]
fn a_fault_of_the_program_leads_back_to_the_screen_it_happened_on() {
    let mut kiosk = Kiosk::new();
    kiosk.maria();
    kiosk.next_reply = Some(Reply::Failed(Failure::Internal { code: "ST-STORE".into() }));
    kiosk.tap("task:seal-pouch");
    assert_eq!((kiosk.screen(), kiosk.view().trouble.code.as_str()), (Screen::Fault, "ST-STORE"));
    kiosk.tap("next");
    assert_eq!(kiosk.screen(), Screen::Tasks);
}

#[test]
fn a_damaged_database_serves_nobody() {
    let mut kiosk = Kiosk::new();
    kiosk.next_reply = Some(Reply::Failed(Failure::Damaged));
    kiosk.badge(MARIA);
    assert_eq!((kiosk.screen(), kiosk.view().trouble.fault), (Screen::Fault, Fault::DamagedDatabase));
    kiosk.tap("next");
    kiosk.badge(MARIA);
    assert_eq!((kiosk.screen(), kiosk.view().chrome.person.as_str()), (Screen::Fault, ""));
}

#[test]
fn a_revoked_terminal_says_so() {
    let mut kiosk = Kiosk::new();
    kiosk.snapshot.status.revoked = Some("stolen".into());
    kiosk.tell();
    assert_eq!((kiosk.screen(), kiosk.view().trouble.fault), (Screen::Fault, Fault::Revoked));
    assert_eq!(kiosk.view().chrome.sync, SyncState::Revoked);
    kiosk.badge(MARIA);
    assert_eq!(kiosk.screen(), Screen::Fault);
    kiosk.tap("action:status");
    assert_eq!((kiosk.screen(), kiosk.view().status.enrolment), (Screen::Status, EnrolmentState::Revoked));
}

#[test]
fn a_clock_set_back_never_prolongs_a_session() {
    let mut kiosk = Kiosk::new();
    kiosk.badge(MARIA);
    kiosk.wait(-86_400_000);
    assert_eq!(kiosk.view().chrome.idle_seconds, 60);
    kiosk.wait(60_000);
    assert_eq!(kiosk.screen(), Screen::Idle);
}

#[test]
fn tasks_come_six_a_page() {
    let mut kiosk = Kiosk::new();
    kiosk.slow = true;
    kiosk.badge(MARIA);
    kiosk.answer_first();
    kiosk.answer_first();
    let decision = kiosk.decision(false);
    let card = |n: u8| {
        let mut task = kiosk.snapshot.plant.tasks.values().next().unwrap().clone();
        task.task = shared::id::TaskId::new(&format!("task-{n}")).unwrap();
        TaskCard { line: crate::core::gate::TaskLine { task, decision: decision.clone() }, expires_at: None }
    };
    let cards = (0..14).map(card).collect();
    kiosk.next_reply = Some(Reply::Tasks(cards));
    kiosk.answer_first();
    let tasks = kiosk.view().tasks;
    assert_eq!((tasks.rows.len(), tasks.page, tasks.pages), (6, 1, 3));
    assert_eq!(tasks.rows[0].state, TaskState::TrainingNeeded);
    assert_eq!((tasks.rows[0].document.as_str(), tasks.rows[0].version.as_str()), ("SOP-0042", "7"));
    for _ in 0..5 {
        kiosk.tap("page:next");
    }
    let tasks = kiosk.view().tasks;
    assert_eq!((tasks.rows.len(), tasks.page), (2, 3));
    kiosk.tap("task:task-0");
    assert_eq!(kiosk.screen(), Screen::Lot, "a script may name a task of another page");
}
