//! A view of every screen: the story of a morning on line 2, the same as in the gallery of `kiosk-ui`.

use crate::presenter::view::*;

pub(super) fn words(text: &str) -> String {
    text.into()
}

fn on(screen: Screen) -> View {
    View {
        screen,
        language: words("en"),
        chrome: Chrome {
            terminal: words("Line 2 / Sealing 1"),
            sync: SyncState::Offline,
            offline_since: words("Sun 21:40"),
            waiting: 3,
            plant_age_minutes: 12,
            plant_revision: 345,
            clock: words("06:41"),
            ..Chrome::default()
        },
        ..View::default()
    }
}

fn by(person: &str, idle_seconds: i32, screen: Screen) -> View {
    let mut view = on(screen);
    view.chrome.person = words(person);
    view.chrome.idle_seconds = idle_seconds;
    view
}

pub(super) fn maria(screen: Screen) -> View {
    by("Maria Lindner", 42, screen)
}

/// Every screen in its key state, under the name of its picture.
pub fn views() -> Vec<(&'static str, View)> {
    let mut swap = maria(Screen::Swap);
    swap.swap = Swap {
        kept: words("Maria Lindner"),
        other: words("Ben Okafor"),
        doing: Meaning::ReadAndUnderstood,
        refusal: SecondRefusal::None,
        document: words("SOP-0042 v7"),
    };
    let mut views = vec![
        ("idle-running", idle()),
        ("set-up", set_up()),
        ("tasks", tasks()),
        ("lot", lot()),
        ("verdict-go", verdict_go()),
        ("verdict-no-go", verdict_no_go()),
        ("secret-pin", secret(SecretKind::Pin, 4)),
        ("secret-passphrase", secret(SecretKind::Passphrase, 14)),
        ("quiz", quiz()),
        ("worksheet", worksheet()),
        ("check", check()),
        ("second-badge", second_badge()),
        ("receipt", receipt()),
        ("supervised", supervised()),
        ("sessions", sessions()),
        ("status", status()),
        ("fault-database", fault()),
        ("swap", swap),
    ];
    views.extend(super::people::views());
    views
}

fn session(id: &str, person: &str, task: &str, lot: &str, since: &str) -> SessionRow {
    SessionRow {
        id: words(id),
        person: words(person),
        task: words(task),
        lot: words(lot),
        work_unit: words("Sealing 1"),
        since: words(since),
        notice: SessionNotice::None,
        document: words("SOP-0042"),
        began_on: words("6"),
        in_force: words("7"),
    }
}

fn running() -> Vec<SessionRow> {
    vec![
        session("1", "Ana Kovač", "Pouch sealing", "881", "05:52"),
        session("2", "Jonas Weber", "Label inspection", "881", "06:10"),
        session("3", "王丽华", "Visual inspection of filled pouches", "880", "06:25"),
        session("4", "Władysława Wiśniewska", "Line clearance", "", "06:31"),
    ]
}

fn idle() -> View {
    let mut view = on(Screen::Idle);
    view.chrome.storage_warning = true;
    view.idle = Idle {
        badge: BadgeResult::Unknown,
        work_units: words("Sealing 1 · Sealing 2 · Inspection"),
        sessions: running(),
        sessions_more: 2,
        ..Idle::default()
    };
    view
}

fn set_up() -> View {
    let mut view = on(Screen::SetUp);
    view.chrome = Chrome {
        terminal: words("New terminal"),
        sync: SyncState::Offline,
        plant_revision: 345,
        clock: words("06:41"),
        ..Chrome::default()
    };
    view.set_up = SetUp {
        code: words("K7PM 4Q"),
        server: words("https://lineproof.plant.example:8443"),
        terminal: words("K3"),
        work_units: words("Line 2 / Sealing 1 · Line 2 / Sealing 2"),
        ..SetUp::default()
    };
    view
}

fn tasks() -> View {
    let row = |id: &str, title: &str, document: &str, version: &str, state, days| TaskRow {
        id: words(id),
        title: words(title),
        document: words(document),
        version: words(version),
        state,
        days,
    };
    let mut view = maria(Screen::Tasks);
    view.tasks = Tasks {
        rows: vec![
            row("seal-pouch", "Seal pouch", "SOP-0042", "7", TaskState::TrainingNeeded, 0),
            row("inspect-seal", "Inspect seals", "SOP-0043", "3", TaskState::Ready, 0),
            row("clear-line", "Line clearance", "SOP-0100", "12", TaskState::DueSoon, 5),
            row("set-up-sealer", "Set up the sealing machine", "SOP-0044", "2", TaskState::InTraining, 0),
            row("rework-pouch", "Rework of pouches after a seal failure", "SOP-0051", "4", TaskState::Blocked, 0),
            row("sample-pouch", "Take samples for the laboratory", "SOP-0060", "9", TaskState::OnHold, 0),
        ],
        pages: 3,
        lot: words("881"),
        last_lot: words("880"),
        sessions: 4,
        ..Tasks::default()
    };
    view
}

fn lot() -> View {
    let mut view = maria(Screen::Lot);
    view.lot = Lot { typed: words("88"), last_lot: words("880"), task: words("Seal pouch"), ..Lot::default() };
    view
}

fn verdict(kind: VerdictKind, why: Why, next: NextStep) -> View {
    let mut view = by("Maria Lindner", 20, Screen::Verdict);
    view.verdict = Verdict {
        kind,
        why,
        params: WhyParams {
            document: words("SOP-0042"),
            title: words("Pouch sealing"),
            trained_on: words("6"),
            in_force: words("7"),
            since: words("Mon 06:00"),
            on: words("2026-02-28"),
            by: words("Jonas Weber"),
            code: words("G-17"),
            days: 5,
            hours: 9,
            allowed_hours: 8,
            minutes: 30,
        },
        task: words("Seal pouch"),
        lot: words("881"),
        work_unit: words("Line 2 / Sealing 1"),
        next,
        ..Verdict::default()
    };
    view
}

fn verdict_go() -> View {
    let mut view = verdict(VerdictKind::Go, Why::Qualified, NextStep::OpenProcedure);
    view.verdict.session_since = words("06:41");
    view
}

fn verdict_no_go() -> View {
    let mut view = verdict(VerdictKind::NoGo, Why::TrainedOnOlder, NextStep::StartTraining);
    let activity = |kind, of| ActivityState { kind, of, ..ActivityState::default() };
    view.verdict.missing = vec![MissingItem {
        title: words("Pouch sealing"),
        document: words("SOP-0042"),
        version: words("7"),
        activities: vec![
            activity(Activity::Read, 0),
            activity(Activity::Quiz, 0),
            activity(Activity::Run, 1),
            activity(Activity::Check, 0),
        ],
        changed_steps: words("4, 5, 9"),
        changed_count: 3,
        minutes: 6,
    }];
    view.verdict.signers_matter = true;
    view.verdict.signers = words("Jonas Weber, Eva Brandstätter");
    view.verdict.can_read = true;
    view
}

fn secret(kind: SecretKind, typed: i32) -> View {
    let mut view = maria(Screen::Secret);
    view.secret = Secret {
        kind,
        signer: words("Maria Lindner"),
        meaning: Meaning::ReadAndUnderstood,
        document: words("SOP-0042"),
        title: words("Pouch sealing"),
        version: words("7"),
        typed,
        ..Secret::default()
    };
    view
}

fn quiz() -> View {
    let answers = [
        "Stop the line and call the shift supervisor.",
        "Raise the temperature by 5 °C and go on.",
        "Lay the next pouch in more slowly.",
        "Reject the three pouches and go on with the next one without telling anybody on the shift.",
    ];
    let mut view = maria(Screen::Quiz);
    view.quiz = Quiz {
        document: words("SOP-0042"),
        title: words("Pouch sealing"),
        version: words("7"),
        question: words("Three pouches in a row had folds in the seam. What do you do?"),
        number: 2,
        of: 5,
        answers: answers.iter().enumerate().map(|(i, text)| Answer { text: words(text), chosen: i == 0 }).collect(),
        attempts_left: 2,
        pass_mark: 80,
        ..Quiz::default()
    };
    view
}

fn worksheet() -> View {
    let step = |number, text: &str, tick, changed, by: &str, at: &str| WorksheetStep {
        number,
        text: words(text),
        tick,
        changed,
        by: words(by),
        at: words(at),
        pass_at: words("K3"),
        fail_at: words("K5"),
    };
    let run = |number, observer: &str, at: &str, waiting| RunRow {
        number,
        observer: words(observer),
        at: words(at),
        good: true,
        waiting,
    };
    let mut view = by("Jonas Weber", 55, Screen::Worksheet);
    view.worksheet = Worksheet {
        person: words("Maria Lindner"),
        document: words("SOP-0042"),
        title: words("Pouch sealing"),
        version: words("7"),
        observer: words("Jonas Weber"),
        steps: vec![
            step(1, "Line clearance checked", Tick::Pass, false, "Eva Brandstätter", "05:58"),
            step(2, "Sealing jaws wiped with the white cloth", Tick::Pass, false, "Jonas Weber", "06:44"),
            step(3, "Lot number compared on pouch and route card", Tick::Conflict, false, "", ""),
            step(4, "Temperature set to 182 °C and green light awaited", Tick::Fail, true, "Jonas Weber", "06:46"),
            step(5, "Pouch laid in, seam 8 mm from the edge", Tick::Open, true, "", ""),
        ],
        pages: 2,
        open_steps: 5,
        conflicts: 1,
        runs_done: 2,
        runs_of: 3,
        runs: vec![run(1, "Eva Brandstätter", "Sun 21:10, K5", false), run(2, "Jonas Weber", "Mon 06:48", true)],
        notes: vec![NoteRow {
            by: words("Jonas Weber"),
            at: words("06:47"),
            text: words("Temperature corrected after a reminder."),
        }],
        can_record_run: true,
        ..Worksheet::default()
    };
    view
}

fn check() -> View {
    use CriterionState::*;
    let plain = |number, text: &str, state| Criterion { number, text: words(text), state, ..Criterion::default() };
    let value = |number, text: &str, state, value: &str, [unit, minimum, maximum]: [&str; 3]| Criterion {
        kind: CriterionKind::Value,
        value: words(value),
        unit: words(unit),
        minimum: words(minimum),
        maximum: words(maximum),
        ..plain(number, text, state)
    };
    let mut view = maria(Screen::Check);
    view.check = Check {
        person: words("Maria Lindner"),
        assessor: words("Jonas Weber"),
        document: words("SOP-0042"),
        title: words("Pouch sealing"),
        version: words("7"),
        criteria: vec![
            plain(1, "Explains why the temperature was raised", Pass),
            plain(2, "Keeps both hands on the buttons", Open),
            value(3, "Distance of the seam from the edge", InRange, "8", ["mm", "7", "9"]),
            value(4, "Peel strength of the sample", OutOfRange, "9.4", ["N", "12", "18"]),
            value(5, "Dwell time", Open, "", ["s", "1.2", "1.6"]),
        ],
        pages: 2,
        open_criteria: 3,
        bar: CheckBar::CriteriaOpen,
        can_pass: false,
        ..Check::default()
    };
    view
}

fn second_badge() -> View {
    let mut view = maria(Screen::SecondBadge);
    view.second_badge = SecondBadge {
        kept: words("Maria Lindner"),
        document: words("SOP-0042"),
        title: words("Pouch sealing"),
        version: words("7"),
        able: words("Jonas Weber, Eva Brandstätter"),
        ..SecondBadge::default()
    };
    view
}

fn receipt() -> View {
    let mut view = maria(Screen::Receipt);
    view.receipt = Receipt {
        document: words("SOP-0042"),
        title: words("Pouch sealing"),
        version: words("7"),
        signatures: vec![SignatureRow {
            name: words("Maria Lindner"),
            meaning: Meaning::ReadAndUnderstood,
            at: words("2026-03-02 06:52:14"),
        }],
        entry: words("7f3a 91c0 4be2"),
        open: Open::Quiz,
        next: NextStep::TakeQuiz,
        ..Receipt::default()
    };
    view
}

fn supervised() -> View {
    let mut view = maria(Screen::Supervised);
    view.supervised = Supervised {
        trainee: words("Maria Lindner"),
        trainer: words("Jonas Weber"),
        task: words("Seal pouch"),
        document: words("SOP-0042"),
        version: words("7"),
        lot: words("881"),
        work_unit: words("Line 2 / Sealing 1"),
        since: words("06:55"),
        minutes_left: 27,
        seconds_left: 48,
        ..Supervised::default()
    };
    view
}

fn sessions() -> View {
    let mut rows = running();
    rows[0].notice = SessionNotice::Finish;
    rows[2].notice = SessionNotice::Stop;
    rows.push(SessionRow {
        id: words("5"),
        ..session("5", "Eva Brandstätter", "Set up the sealing machine", "882", "06:38")
    });
    let mut view = maria(Screen::Sessions);
    view.sessions = Sessions { rows, pages: 2, ..Sessions::default() };
    view
}

fn status() -> View {
    let row = |kind, count| WaitingRow { kind, count };
    let mut view = on(Screen::Status);
    view.status = Status {
        kiosk: words("K3 · Line 2 / Sealing 1"),
        software: words("Lineproof 1.0.0 (9c1e2b4)"),
        server: words("https://lineproof.plant.example:8443"),
        last_exchange: words("Sun 2026-03-01 21:40"),
        waiting: vec![
            row(EntryKind::Records, 3),
            row(EntryKind::Presence, 41),
            row(EntryKind::Journal, 127),
            row(EntryKind::Keys, 0),
        ],
        plant_revision: 345,
        plant_age_minutes: 541,
        clock_confirmed: words("2026-03-01 21:40"),
        database: words("312 MB"),
        storage_free: words("41 GB"),
        storage_used: 36,
        clock_offset: words("+0.4 s"),
        clock_uncertainty: words("± 1.2 s"),
        enrolment: EnrolmentState::Enrolled,
        enrolled_since: words("2025-11-22"),
        set_aside: 2,
        ..Status::default()
    };
    view
}

fn fault() -> View {
    let mut view = on(Screen::Fault);
    view.trouble = Trouble {
        fault: Fault::DamagedDatabase,
        code: words("ST-12/7f3a91c0"),
        kept: 3,
        since: words("06:12"),
        next: NextStep::None,
    };
    view
}
