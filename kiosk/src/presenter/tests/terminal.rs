//! The terminal itself: the bar, its status, its set-up, its faults.

use shared::id::EntryId;
use shared::kind::plant::ActivityKind;
use shared::part11::enrolment::CODE_LENGTH;
use shared::time::{DAY_MS, HOUR_MS, MINUTE_MS};
use shared::training::gate::{Answer, Reason};

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
    let settings = Settings { server: "https://lineproof.plant:8443".into(), ..Settings::default() };
    let mut presenter = Presenter::new(now, settings);
    presenter.handle(Event::Status(Box::default()), now);
    assert_eq!((presenter.view().screen, presenter.view().set_up.typing_server), (Screen::SetUp, false));
    presenter.handle(Event::Tap("action:server".into()), now);
    assert!(!presenter.view().set_up.typing_server, "an address it was started with stands");
    presenter.handle(Event::Typed { field: "code".into(), text: "abcd-2345-wxyz".into() }, now);
    assert_eq!((presenter.view().set_up.code.as_str(), presenter.view().set_up.can_send), ("ABCD 2345 WXYZ", true));
    let asked = presenter.handle(Event::Tap("ok".into()), now);
    assert!(
        matches!(&asked[0].what, What::SetUp { code, server } if code.0 == "ABCD2345WXYZ" && server.ends_with(":8443"))
    );
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
fn s9_address_and_code_are_typed_at_the_kiosk() {
    let now = at("2026-03-02T06:40:00Z");
    let mut presenter = Presenter::new(now, Settings::default());
    presenter.handle(Event::Status(Box::default()), now);
    let set_up = presenter.view().set_up;
    assert_eq!((set_up.typing_server, set_up.server.as_str(), set_up.can_send), (true, "https://", false));
    presenter.handle(Event::Tap("cancel".into()), now);
    assert!(presenter.view().set_up.typing_server, "without an address there is no code to type");
    for c in "lineproof.plant:8443".chars() {
        presenter.handle(Event::Tap(format!("kb:{c}")), now);
    }
    assert!(presenter.view().set_up.can_send);
    presenter.handle(Event::Tap("ok".into()), now);
    let set_up = presenter.view().set_up;
    assert_eq!((set_up.typing_server, set_up.server.as_str()), (false, "https://lineproof.plant:8443"));

    // Every letter a code can have, a key each; what none has is not taken.
    let alphabet = shared::part11::enrolment::CODE_ALPHABET;
    for letters in alphabet.chars().collect::<Vec<_>>().chunks(CODE_LENGTH) {
        letters.iter().for_each(|c| drop(presenter.handle(Event::Tap(format!("kb:{c}")), now)));
        assert!(presenter.view().set_up.code.replace(' ', "").chars().eq(letters.iter().copied()));
        presenter.handle(Event::Tap("key:clear".into()), now);
    }
    for c in "0IO1K7PM-4QXA-9WZ".chars() {
        presenter.handle(Event::Tap(format!("kb:{c}")), now);
    }
    presenter.handle(Event::Tap("kb:back".into()), now);
    assert_eq!(presenter.view().set_up.code, "K7PM 4QXA 9W");
    presenter.handle(Event::Tap("ok".into()), now);
    assert!(
        presenter.handle(Event::Tap("kb:Z".into()), now).is_empty()
            && presenter.handle(Event::Tap("kb:Y".into()), now).is_empty()
    );
    let asked = presenter.handle(Event::Tap("ok".into()), now);
    let expected = |what: &What| matches!(what, What::SetUp { code, server } if code.0 == "K7PM4QXA9WZY" && server == "https://lineproof.plant:8443");
    assert!(expected(&asked[0].what));

    // The server doesn't answer: the address can be changed, and the code is still there.
    presenter
        .handle(Event::Reply { request: asked[0].request, reply: Reply::NotEnrolled(NotEnrolled::NoNetwork) }, now);
    presenter.handle(Event::Tap("action:server".into()), now);
    presenter.handle(Event::Typed { field: "server".into(), text: "10.0.0.7:8443".into() }, now);
    presenter.handle(Event::Tap("ok".into()), now);
    let set_up = presenter.view().set_up;
    assert_eq!(
        (set_up.state, set_up.server.as_str(), set_up.code.as_str()),
        (SetUpState::EnterCode, "https://10.0.0.7:8443", "K7PM 4QXA 9WZY")
    );
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
fn u12_r18_a_clock_that_was_turned_shows_how_far_and_how_sure_the_time_is() {
    let mut kiosk = Kiosk::new();
    let clock = |kiosk: &Kiosk| {
        let status = kiosk.view().status;
        (status.clock_offset, status.clock_uncertainty)
    };
    assert_eq!(clock(&kiosk), ("+0.0 s".into(), "± 0.0 s".into()));
    for (off_ms, sure_ms, offset, uncertainty) in [
        (-3 * HOUR_MS, 3 * HOUR_MS, "-3 h 0 min", "± 3 h 0 min"),
        (30 * DAY_MS, 30 * DAY_MS, "+30 d 0 h", "± 30 d 0 h"),
        (400 * DAY_MS, i64::from(u32::MAX), "+400 d 0 h", "> 49 d 17 h"),
        (-95 * MINUTE_MS, 12_340, "-95 min", "± 12.3 s"),
    ] {
        (kiosk.snapshot.status.machine_off_ms, kiosk.snapshot.status.uncertainty_ms) =
            (off_ms, u32::try_from(sure_ms).unwrap());
        kiosk.tell();
        assert_eq!(clock(&kiosk), (offset.into(), uncertainty.into()));
    }
}

#[test]
fn u12_a_verdict_that_waits_for_the_clock_says_how_sure_the_time_is() {
    let mut kiosk = Kiosk::new();
    kiosk.held = vec![ActivityKind::Check];
    kiosk.snapshot.status.uncertainty_ms = u32::try_from(3 * HOUR_MS).unwrap();
    kiosk.tell();
    kiosk.badge(MARIA);
    let mut decision = kiosk.decision(false);
    (decision.answer, decision.reasons) = (Answer::NoGo, vec![Reason::ClockUncertain]);
    let verdict = crate::core::gate::Verdict { decision, entry: EntryId([1; 32]), session: None };
    let reply = VerdictReply { verdict, at: kiosk.now, past: Past::default() };
    kiosk.tap("task:seal-pouch");
    kiosk.next_reply = Some(Reply::Verdict(Box::new(reply)));
    kiosk.badge("881");
    let verdict = kiosk.view().verdict;
    assert_eq!((kiosk.screen(), verdict.why, verdict.params.minutes), (Screen::Verdict, Why::ClockUncertain, 180));
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

#[test]
fn s8_what_waits_is_told_apart_by_kind() {
    let mut kiosk = Kiosk::new();
    let stream = |text: &str| shared::log::Stream::parse(text).unwrap();
    kiosk.snapshot.status.waiting_in = vec![
        (stream("journal/K3"), 12),
        (stream("plant/SITE1"), 2),
        (stream("presence/SITE1"), 4),
        (stream("record/SITE1"), 3),
        (stream("record/SITE2"), 1),
    ];
    kiosk.snapshot.status.boxes_waiting = 1;
    kiosk.tell();
    let row = |kind, count| WaitingRow { kind, count };
    let expected = [
        row(EntryKind::Records, 4),
        row(EntryKind::Presence, 4),
        row(EntryKind::Journal, 12),
        row(EntryKind::Keys, 1),
        row(EntryKind::Other, 2),
    ];
    assert_eq!(kiosk.view().status.waiting, expected);
    assert_eq!(kiosk.view().chrome.waiting, 22, "the bar counts entries");
}

#[test]
fn last_synced_truthful() {
    let mut kiosk = Kiosk::new();
    let status = kiosk.view().status;
    assert_eq!((status.last_exchange.as_str(), status.behind), ("2026-03-02 06:06", false));
    // The server was heard since, but more was to come: that is no exchange, and the plant's data is as old as it was.
    kiosk.snapshot.status.last_contact = Some(kiosk.now);
    kiosk.tell();
    let status = kiosk.view().status;
    assert_eq!(
        (status.last_exchange.as_str(), status.behind, status.plant_age_minutes),
        ("2026-03-02 06:06", true, 34)
    );
    assert_eq!(status.clock_confirmed, "2026-03-02 06:40", "the time was confirmed all the same");
    kiosk.snapshot.status.in_step = None;
    kiosk.tell();
    assert_eq!((kiosk.view().status.last_exchange.as_str(), kiosk.view().chrome.plant_age_minutes), ("", -1));
}

#[test]
fn s8_storage_warns_at_80_percent() {
    let mut kiosk = Kiosk::new();
    for (free, warns) in [(21, false), (20, true), (0, true)] {
        kiosk.snapshot.storage = Some(Storage { free_bytes: free, total_bytes: 100, database_bytes: 312_000_000 });
        kiosk.tell();
        assert_eq!(kiosk.view().chrome.storage_warning, warns, "{free} % free");
    }
    assert_eq!((kiosk.view().status.storage_used, kiosk.view().status.database.as_str()), (100, "312 MB"));
    kiosk.snapshot.storage = None;
    kiosk.tell();
    assert_eq!((kiosk.view().status.storage_free.as_str(), kiosk.view().chrome.storage_warning), ("", false));
}
