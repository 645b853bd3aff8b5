//! The people, procedures and moments in the pictures: the story of a morning on line 2.

use kiosk_ui::*;
use slint::{ComponentHandle, Model as _, ModelRc, SharedString, StyledText, VecModel};

use crate::stage::State;

fn model<T: Clone + 'static>(rows: impl IntoIterator<Item = T>) -> ModelRc<T> {
    ModelRc::new(VecModel::from_iter(rows))
}

/// What belongs to the plant is written in the plant's language, not the screen's.
fn said(language: &str, english: &str, german: &str) -> SharedString {
    if language == "de" { german.into() } else { english.into() }
}

pub fn chrome(app: &App) {
    let chrome = app.global::<Chrome>();
    chrome.set_terminal("Line 2 / Sealing 1".into());
    chrome.set_sync(SyncState::Offline);
    chrome.set_offline_since("Sun 21:40".into());
    chrome.set_waiting(3);
    chrome.set_plant_age_minutes(12);
    chrome.set_plant_revision(345);
    chrome.set_clock("06:41".into());
}

fn maria(app: &App) {
    let chrome = app.global::<Chrome>();
    chrome.set_person("Maria Lindner".into());
    chrome.set_idle_seconds(42);
}

fn session(id: &str, person: &str, task: SharedString, lot: &str, since: &str, notice: SessionNotice) -> SessionRow {
    SessionRow {
        id: id.into(),
        person: person.into(),
        task,
        lot: lot.into(),
        work_unit: "Sealing 1".into(),
        since: since.into(),
        notice,
        document: "SOP-0042".into(),
        began_on: "6".into(),
        in_force: "7".into(),
    }
}

fn sessions(language: &str, notice: bool) -> Vec<SessionRow> {
    let (finish, stop) =
        if notice { (SessionNotice::Finish, SessionNotice::Stop) } else { (SessionNotice::None, SessionNotice::None) };
    vec![
        session("1", "Ana Kovač", said(language, "Pouch sealing", "Beutel versiegeln"), "881", "05:52", finish),
        session(
            "2",
            "Jonas Weber",
            said(language, "Label inspection", "Etiketten prüfen"),
            "881",
            "06:10",
            SessionNotice::None,
        ),
        session(
            "3",
            "王丽华",
            said(language, "Visual inspection of filled pouches", "Sichtprüfung gefüllter Beutel"),
            "880",
            "06:25",
            stop,
        ),
        session(
            "4",
            "Władysława Wiśniewska",
            said(language, "Line clearance", "Linienfreiräumung"),
            "",
            "06:31",
            SessionNotice::None,
        ),
    ]
}

fn badge(app: &App, result: BadgeResult) {
    let idle = app.global::<Idle>();
    idle.set_badge(result);
    idle.set_work_units("Sealing 1 · Sealing 2 · Inspection".into());
}

fn tasks(language: &str) -> Vec<TaskRow> {
    let row = |id: &str, title: SharedString, document: &str, version: &str, state, days| TaskRow {
        id: id.into(),
        title,
        document: document.into(),
        version: version.into(),
        state,
        days,
    };
    vec![
        row(
            "seal-pouch",
            said(language, "Seal pouch", "Beutel versiegeln"),
            "SOP-0042",
            "7",
            TaskState::TrainingNeeded,
            0,
        ),
        row(
            "inspect-seal",
            said(language, "Inspect seals", "Siegelnähte prüfen"),
            "SOP-0043",
            "3",
            TaskState::Ready,
            0,
        ),
        row(
            "clear-line",
            said(language, "Line clearance", "Linienfreiräumung"),
            "SOP-0100",
            "12",
            TaskState::DueSoon,
            5,
        ),
        row(
            "set-up-sealer",
            said(language, "Set up the sealing machine", "Siegelmaschine einrichten"),
            "SOP-0044",
            "2",
            TaskState::InTraining,
            0,
        ),
        row(
            "rework-pouch",
            said(language, "Rework of pouches after a seal failure", "Nacharbeit von Beuteln nach Siegelfehler"),
            "SOP-0051",
            "4",
            TaskState::Blocked,
            0,
        ),
        row(
            "sample-pouch",
            said(language, "Take samples for the laboratory", "Proben für das Labor ziehen"),
            "SOP-0060",
            "9",
            TaskState::OnHold,
            0,
        ),
    ]
}

fn item(
    title: SharedString,
    document: &str,
    version: &str,
    marks: &[(Activity, bool, i32, i32)],
    steps: &str,
    count: i32,
    minutes: i32,
) -> MissingItem {
    MissingItem {
        title,
        document: document.into(),
        version: version.into(),
        activities: model(marks.iter().map(|&(kind, done, count, of)| ActivityState { kind, done, count, of })),
        changed_steps: steps.into(),
        changed_count: count,
        minutes,
    }
}

fn missing(language: &str) -> Vec<MissingItem> {
    use Activity::{Briefing, Check, Quiz, Read, Run};
    vec![
        item(
            said(language, "Pouch sealing", "Beutel versiegeln"),
            "SOP-0042",
            "7",
            &[(Read, false, 0, 0), (Quiz, false, 0, 0), (Run, false, 0, 1), (Check, false, 0, 0)],
            "4, 5, 9",
            3,
            6,
        ),
        item(
            said(language, "Cleaning of sealing jaws", "Reinigung der Siegelbacken"),
            "SOP-0045",
            "2",
            &[(Read, true, 0, 0), (Run, false, 1, 3), (Check, false, 0, 0)],
            "",
            0,
            4,
        ),
        item(
            said(language, "Handling of rejected pouches", "Umgang mit ausgeschleusten Beuteln"),
            "SOP-0051",
            "4",
            &[(Read, false, 0, 0), (Quiz, true, 0, 0)],
            "2",
            1,
            3,
        ),
        item(
            said(language, "Allergen briefing, spring", "Allergen-Einweisung Frühjahr"),
            "WI-0007",
            "1",
            &[(Briefing, false, 0, 0)],
            "",
            0,
            10,
        ),
    ]
}

fn verdict(app: &App, language: &str, kind: VerdictKind, why: Why) {
    maria(app);
    app.global::<Chrome>().set_idle_seconds(20);
    let verdict = app.global::<Verdict>();
    verdict.set_kind(kind);
    verdict.set_why(why);
    verdict.set_params(WhyParams {
        document: "SOP-0042".into(),
        title: said(language, "Pouch sealing", "Beutel versiegeln"),
        trained_on: "6".into(),
        in_force: "7".into(),
        since: said(language, "Mon 06:00", "Mo 06:00"),
        on: "2026-02-28".into(),
        by: "Jonas Weber".into(),
        code: "G-17".into(),
        days: 5,
        hours: 9,
        allowed_hours: 8,
        minutes: 30,
    });
    verdict.set_task(said(language, "Seal pouch", "Beutel versiegeln"));
    verdict.set_lot("881".into());
    verdict.set_work_unit("Line 2 / Sealing 1".into());
    verdict.set_next(NextStep::BackToTasks);
}

fn no_go(app: &App, language: &str, items: usize) {
    verdict(app, language, VerdictKind::NoGo, Why::TrainedOnOlder);
    let verdict = app.global::<Verdict>();
    verdict.set_missing(model(missing(language).into_iter().take(items)));
    verdict.set_signers_matter(true);
    verdict.set_signers("Jonas Weber, Eva Brandstätter".into());
    verdict.set_next(NextStep::StartTraining);
    verdict.set_can_read(true);
}

fn jonas(app: &App) {
    let chrome = app.global::<Chrome>();
    chrome.set_person("Jonas Weber".into());
    chrome.set_idle_seconds(55);
}

fn title(language: &str) -> SharedString {
    said(language, "Pouch sealing", "Beutel versiegeln")
}

fn secret(app: &App, language: &str, kind: SecretKind) {
    maria(app);
    let secret = app.global::<Secret>();
    secret.set_kind(kind);
    secret.set_signer("Maria Lindner".into());
    secret.set_meaning(Meaning::ReadAndUnderstood);
    secret.set_document("SOP-0042".into());
    secret.set_title(title(language));
    secret.set_version("7".into());
    secret.set_typed(4);
}

fn styled(markdown: &str) -> StyledText {
    StyledText::from_markdown(markdown).expect("the examples are runs of inline text")
}

fn block(kind: BlockKind, text: &str) -> Block {
    Block { kind, text: styled(text), ..Block::default() }
}

fn heading(kind: BlockKind, text: &str) -> Block {
    Block { kind, heading: text.into(), ..Block::default() }
}

fn step(number: &str, changed: bool, text: &str) -> Block {
    Block { kind: BlockKind::Numbered, number: number.into(), changed, text: styled(text), ..Block::default() }
}

fn cells(kind: BlockKind, cells: &[&str]) -> Block {
    Block { kind, cells: model(cells.iter().map(|&cell| cell.into())), ..Block::default() }
}

fn procedure(language: &str) -> Vec<Block> {
    use BlockKind::*;
    if language == "de" {
        vec![
            heading(Heading1, "Beutel versiegeln"),
            block(
                Paragraph,
                "Diese Arbeitsanweisung gilt für die Siegelstationen der Linie 2. Sie beschreibt, wie ein gefüllter Beutel **dicht und sauber** verschlossen wird.",
            ),
            block(
                Note,
                "Niemals in die Siegelbacken greifen. Sie bleiben nach dem Abschalten noch **12 Minuten** heiß.",
            ),
            heading(Heading2, "Vorbereitung"),
            step("1", false, "Prüfen, dass die Linienfreiräumung unterschrieben ist."),
            step("2", false, "Siegelbacken auf Rückstände prüfen und mit dem weißen Tuch abwischen."),
            step("3", false, "Charge scannen. Chargennummer auf Beutel und Begleitkarte müssen übereinstimmen."),
            heading(Heading2, "Versiegeln"),
            step(
                "4",
                true,
                "Temperatur auf **182 °C** einstellen (bisher 175 °C) und warten, bis die Anzeige grün ist.",
            ),
            step("5", true, "Beutel so einlegen, dass die Naht **8 mm** vom Rand liegt, und beide Taster drücken."),
            Block {
                kind: Bullet,
                depth: 1,
                text: styled("Bei Falten in der Naht: Beutel ausschleusen."),
                ..Block::default()
            },
            Block {
                kind: Bullet,
                depth: 1,
                text: styled("Bei drei ausgeschleusten Beuteln in Folge: Linie anhalten, Schichtleitung rufen."),
                ..Block::default()
            },
            heading(Heading3, "Grenzwerte"),
            cells(TableHead, &["Größe", "Von", "Bis"]),
            cells(TableRow, &["Temperatur", "178 °C", "186 °C"]),
            cells(TableRow, &["Haltezeit", "1,2 s", "1,6 s"]),
            cells(TableRow, &["Nahtbreite", "7 mm", "9 mm"]),
        ]
    } else {
        vec![
            heading(Heading1, "Pouch sealing"),
            block(
                Paragraph,
                "This procedure covers the sealing stations of line 2. It says how a filled pouch is closed **tight and clean**.",
            ),
            block(Note, "Never reach between the sealing jaws. They stay hot for **12 minutes** after switching off."),
            heading(Heading2, "Preparation"),
            step("1", false, "Check that the line clearance is signed."),
            step("2", false, "Look for residue on the sealing jaws and wipe them with the white cloth."),
            step("3", false, "Scan the lot. The number on pouch and route card must be the same."),
            heading(Heading2, "Sealing"),
            step("4", true, "Set the temperature to **182 °C** (it was 175 °C) and wait for the green light."),
            step("5", true, "Lay the pouch in so that the seam is **8 mm** from the edge, and press both buttons."),
            Block { kind: Bullet, depth: 1, text: styled("Folds in the seam: reject the pouch."), ..Block::default() },
            Block {
                kind: Bullet,
                depth: 1,
                text: styled("Three rejects in a row: stop the line and call the shift supervisor."),
                ..Block::default()
            },
            heading(Heading3, "Limits"),
            cells(TableHead, &["Measure", "From", "To"]),
            cells(TableRow, &["Temperature", "178 °C", "186 °C"]),
            cells(TableRow, &["Dwell time", "1.2 s", "1.6 s"]),
            cells(TableRow, &["Seam width", "7 mm", "9 mm"]),
        ]
    }
}

fn rail(language: &str, here: &[usize]) -> Vec<StepMark> {
    let titles = if language == "de" {
        [
            "Linienfreiräumung prüfen",
            "Siegelbacken reinigen",
            "Charge scannen",
            "Temperatur einstellen",
            "Beutel einlegen",
            "Naht prüfen",
            "Beutel ablegen",
        ]
    } else {
        [
            "Check line clearance",
            "Clean the sealing jaws",
            "Scan the lot",
            "Set the temperature",
            "Lay the pouch in",
            "Look at the seam",
            "Put the pouch away",
        ]
    };
    titles
        .iter()
        .enumerate()
        .map(|(i, &title)| StepMark {
            number: (i + 1).to_string().into(),
            title: title.into(),
            changed: i == 3 || i == 4,
            here: here.contains(&i),
        })
        .collect()
}

/// Shows page `page` of the procedure, cut as the kiosk cuts it.
fn reader(app: &App, language: &str, page: usize) {
    maria(app);
    let reader = app.global::<Reader>();
    reader.set_document("SOP-0042".into());
    reader.set_title(title(language));
    reader.set_version("7".into());
    reader.set_effective("2026-03-02 06:00".into());
    reader.set_language(if language == "de" { "Deutsch".into() } else { "English".into() });
    let blocks = procedure(language);
    let pages = kiosk_ui::pages(app, &blocks).expect("no block is taller than a page");
    assert!(pages.len() > 1, "the procedure is long enough to need pages");
    assert_eq!(pages.iter().map(ExactSizeIterator::len).sum::<usize>(), blocks.len(), "every block is on a page");
    let last = pages.len().min(page);
    reader.set_pages(pages.len() as i32);
    reader.set_page(last as i32);
    reader.set_blocks(model(blocks[pages[last - 1].clone()].iter().cloned()));
    reader.set_steps(model(rail(language, if last == 1 { &[0, 1, 2] } else { &[3, 4] })));
    reader.set_unseen((pages.len() - last) as i32);
    reader.set_can_toggle(true);
    reader.set_next(if last == pages.len() { ReaderNext::ReadAndUnderstood } else { ReaderNext::NextPage });
}

fn quiz(app: &App, language: &str, answers: &[(&str, &str)], chosen: usize) {
    maria(app);
    let quiz = app.global::<Quiz>();
    quiz.set_document("SOP-0042".into());
    quiz.set_title(title(language));
    quiz.set_version("7".into());
    quiz.set_number(2);
    quiz.set_of(5);
    quiz.set_attempts_left(2);
    quiz.set_pass_mark(80);
    quiz.set_question(said(
        language,
        "Three pouches in a row had folds in the seam. What do you do?",
        "Drei Beutel in Folge hatten Falten in der Naht. Was tun Sie?",
    ));
    quiz.set_answers(model(
        answers
            .iter()
            .enumerate()
            .map(|(i, (english, german))| Answer { text: said(language, english, german), chosen: i == chosen }),
    ));
    quiz.set_next(QuizNext::Answer);
    quiz.set_can_go_on(chosen < answers.len());
}

const ANSWERS: &[(&str, &str)] = &[
    ("Stop the line and call the shift supervisor.", "Linie anhalten und die Schichtleitung rufen."),
    ("Raise the temperature by 5 °C and go on.", "Temperatur um 5 °C erhöhen und weiterarbeiten."),
    ("Lay the next pouch in more slowly.", "Den nächsten Beutel langsamer einlegen."),
    (
        "Reject the three pouches and go on with the next one without telling anybody on the shift.",
        "Die drei Beutel ausschleusen und mit dem nächsten weiterarbeiten, ohne jemandem aus der Schicht Bescheid zu geben.",
    ),
    ("Clean the sealing jaws with the white cloth.", "Siegelbacken mit dem weißen Tuch reinigen."),
    ("Switch the sealing machine off and on.", "Siegelmaschine aus- und wieder einschalten."),
];

fn worksheet(app: &App, language: &str) {
    jonas(app);
    let sheet = app.global::<Worksheet>();
    sheet.set_person("Maria Lindner".into());
    sheet.set_document("SOP-0042".into());
    sheet.set_title(title(language));
    sheet.set_version("7".into());
    sheet.set_observer("Jonas Weber".into());
    let row = |number, text, tick, changed, by: &str, at: &str| WorksheetStep {
        number,
        text,
        tick,
        changed,
        by: by.into(),
        at: at.into(),
        pass_at: "K3".into(),
        fail_at: "K5".into(),
    };
    sheet.set_steps(model([
        row(
            1,
            said(language, "Line clearance checked", "Linienfreiräumung geprüft"),
            Tick::Pass,
            false,
            "Eva Brandstätter",
            "05:58",
        ),
        row(
            2,
            said(language, "Sealing jaws wiped with the white cloth", "Siegelbacken mit dem weißen Tuch abgewischt"),
            Tick::Pass,
            false,
            "Jonas Weber",
            "06:44",
        ),
        row(
            3,
            said(
                language,
                "Lot number compared on pouch and route card",
                "Chargennummer auf Beutel und Begleitkarte verglichen",
            ),
            Tick::Conflict,
            false,
            "",
            "",
        ),
        row(
            4,
            said(
                language,
                "Temperature set to 182 °C and green light awaited",
                "Temperatur auf 182 °C eingestellt und grüne Anzeige abgewartet",
            ),
            Tick::Fail,
            true,
            "Jonas Weber",
            "06:46",
        ),
        row(
            5,
            said(language, "Pouch laid in, seam 8 mm from the edge", "Beutel eingelegt, Naht 8 mm vom Rand"),
            Tick::Open,
            true,
            "",
            "",
        ),
    ]));
    sheet.set_pages(2);
    sheet.set_open_steps(5);
    sheet.set_conflicts(1);
    sheet.set_runs_done(2);
    sheet.set_runs_of(3);
    let run = |number, observer: &str, at: &str, good, waiting| RunRow {
        number,
        observer: observer.into(),
        at: at.into(),
        good,
        waiting,
    };
    sheet.set_runs(model([
        run(1, "Eva Brandstätter", &said(language, "Sun 21:10, K5", "So 21:10, K5"), true, false),
        run(2, "Jonas Weber", &said(language, "Mon 06:48", "Mo 06:48"), true, true),
    ]));
    sheet.set_notes(model([NoteRow {
        by: "Jonas Weber".into(),
        at: "06:47".into(),
        text: said(language, "Temperature corrected after a reminder.", "Temperatur nach Hinweis korrigiert."),
    }]));
    sheet.set_can_record_run(true);
}

fn check(app: &App, language: &str) {
    maria(app);
    let check = app.global::<Check>();
    check.set_person("Maria Lindner".into());
    check.set_assessor("Jonas Weber".into());
    check.set_document("SOP-0042".into());
    check.set_title(title(language));
    check.set_version("7".into());
    let plain =
        |number, text, state| Criterion { number, text, kind: CriterionKind::PassFail, state, ..Criterion::default() };
    let value = |number, text, state, value: &str, unit: &str, minimum: &str, maximum: &str| Criterion {
        number,
        text,
        kind: CriterionKind::Value,
        state,
        value: value.into(),
        unit: unit.into(),
        minimum: minimum.into(),
        maximum: maximum.into(),
    };
    check.set_criteria(model([
        plain(
            1,
            said(language, "Explains why the temperature was raised", "Erklärt, warum die Temperatur erhöht wurde"),
            CriterionState::Pass,
        ),
        plain(
            2,
            said(language, "Keeps both hands on the buttons", "Hält beide Hände an den Tastern"),
            CriterionState::Open,
        ),
        value(
            3,
            said(language, "Distance of the seam from the edge", "Abstand der Naht vom Rand"),
            CriterionState::InRange,
            "8",
            "mm",
            "7",
            "9",
        ),
        value(
            4,
            said(language, "Peel strength of the sample", "Schälkraft der Probe"),
            CriterionState::OutOfRange,
            said(language, "9.4", "9,4").as_str(),
            "N",
            "12",
            "18",
        ),
        value(
            5,
            said(language, "Dwell time", "Haltezeit"),
            CriterionState::Open,
            "",
            "s",
            said(language, "1.2", "1,2").as_str(),
            said(language, "1.6", "1,6").as_str(),
        ),
    ]));
    check.set_pages(2);
    check.set_open_criteria(3);
    check.set_bar(CheckBar::CriteriaOpen);
    check.set_can_pass(false);
}

fn second(app: &App, language: &str, role: SecondRole) {
    maria(app);
    let second = app.global::<SecondBadge>();
    second.set_role(role);
    second.set_kept("Maria Lindner".into());
    second.set_document("SOP-0042".into());
    second.set_title(title(language));
    second.set_version("7".into());
    second.set_able("Jonas Weber, Eva Brandstätter".into());
}

fn receipt(app: &App, language: &str) {
    maria(app);
    let receipt = app.global::<Receipt>();
    receipt.set_document("SOP-0042".into());
    receipt.set_title(title(language));
    receipt.set_version("7".into());
    receipt.set_signatures(model([SignatureRow {
        name: "Maria Lindner".into(),
        meaning: Meaning::ReadAndUnderstood,
        at: "2026-03-02 06:52:14".into(),
    }]));
    receipt.set_entry("7f3a 91c0 4be2".into());
    receipt.set_open(Open::Quiz);
    receipt.set_next(NextStep::TakeQuiz);
}

fn supervised(app: &App, language: &str, state: SupervisedState) {
    maria(app);
    let supervised = app.global::<Supervised>();
    supervised.set_state(state);
    supervised.set_trainee("Maria Lindner".into());
    supervised.set_trainer("Jonas Weber".into());
    supervised.set_task(said(language, "Seal pouch", "Beutel versiegeln"));
    supervised.set_document("SOP-0042".into());
    supervised.set_version("7".into());
    supervised.set_lot("881".into());
    supervised.set_work_unit("Line 2 / Sealing 1".into());
    supervised.set_since("06:55".into());
    supervised.set_minutes_left(27);
    supervised.set_seconds_left(48);
}

fn status(app: &App, language: &str) {
    let status = app.global::<Status>();
    status.set_kiosk("K3 · Line 2 / Sealing 1".into());
    status.set_software("Lineproof 1.0.0 (9c1e2b4)".into());
    status.set_server("https://lineproof.plant.example:8443".into());
    status.set_last_exchange(said(language, "Sun 2026-03-01 21:40", "So 2026-03-01 21:40"));
    let row = |kind, count| WaitingRow { kind, count };
    status.set_waiting(model([
        row(EntryKind::Records, 3),
        row(EntryKind::Presence, 41),
        row(EntryKind::Journal, 127),
        row(EntryKind::Keys, 1),
    ]));
    status.set_plant_revision(345);
    status.set_plant_age_minutes(541);
    status.set_clock_confirmed("2026-03-01 21:40".into());
    status.set_database("312 MB".into());
    status.set_storage_free("41 GB".into());
    status.set_storage_used(36);
    status.set_clock_offset("+0.4 s".into());
    status.set_clock_uncertainty("± 1.2 s".into());
    status.set_enrolled_since("2025-11-22".into());
    status.set_set_aside(2);
}

fn trouble(app: &App, fault: Fault, next: NextStep) {
    let trouble = app.global::<Trouble>();
    trouble.set_fault(fault);
    trouble.set_code("ST-12/7f3a91c0".into());
    trouble.set_kept(3);
    trouble.set_since("06:12".into());
    trouble.set_next(next);
}

/// A part of a page, as wide as the reader of a window of 1280 pixels.
fn page_part() -> slint::Image {
    const WIDTH: usize = 1184;
    let mut page = slint::SharedPixelBuffer::<slint::Rgb8Pixel>::new(WIDTH as u32, 496);
    for (i, pixel) in page.make_mut_slice().iter_mut().enumerate() {
        let (x, y) = (i % WIDTH, i / WIDTH);
        let line = y % 36 < 18 && (120..1064).contains(&x);
        *pixel = if line { [120, 130, 140].into() } else { [250, 250, 250].into() };
    }
    slint::Image::from_rgb8(page)
}

fn set_up(app: &App, state: SetUpState, code: &str) {
    let chrome = app.global::<Chrome>();
    chrome.set_terminal("New terminal".into());
    chrome.set_sync(SyncState::Offline);
    chrome.set_offline_since("".into());
    chrome.set_waiting(0);
    chrome.set_plant_age_minutes(-1);
    let set_up = app.global::<SetUp>();
    set_up.set_state(state);
    set_up.set_code(code.into());
    set_up.set_can_send(code.len() > 12);
    set_up.set_can_change_server(true);
    set_up.set_server("https://lineproof.plant.example:8443".into());
    set_up.set_terminal("K3".into());
    set_up.set_work_units("Line 2 / Sealing 1 · Line 2 / Sealing 2".into());
}

fn layout(app: &App, language: &str) {
    app.global::<Keyboard>().set_layout(if language == "de" { KeyLayout::Qwertz } else { KeyLayout::Qwerty });
}

fn signing_set_up(app: &App, language: &str, step: SigningStep) {
    maria(app);
    let set_up = app.global::<SigningSetUp>();
    set_up.set_step(step);
    set_up.set_person("Maria Lindner".into());
    set_up.set_verifier("Władysława Wiśniewska".into());
    set_up.set_typed(14);
    set_up.set_statement(model([
        said(
            language,
            "My electronic signature binds me legally as my handwritten one does.",
            "Meine elektronische Unterschrift bindet mich rechtlich wie meine handschriftliche.",
        ),
        said(
            language,
            "My secret is mine alone. I tell it to nobody, and nobody may ask me for it.",
            "Mein Geheimnis gehört nur mir. Ich sage es niemandem, und niemand darf mich danach fragen.",
        ),
        said(
            language,
            "I answer for everything that is signed with it, and I sign only what I have done, read or seen myself.",
            "Ich stehe für alles ein, was damit unterschrieben wird, und unterschreibe nur, was ich selbst getan, gelesen oder gesehen habe.",
        ),
        said(
            language,
            "If I think that somebody knows my secret or holds my badge, I tell my supervisor at once.",
            "Glaube ich, dass jemand mein Geheimnis kennt oder meinen Ausweis hat, sage ich es sofort meiner Schichtleitung.",
        ),
    ]));
    set_up.set_signatures(model([
        SignatureRow {
            name: "Maria Lindner".into(),
            meaning: Meaning::StatementAccepted,
            at: "2026-03-02 06:41:20".into(),
        },
        SignatureRow {
            name: "Władysława Wiśniewska".into(),
            meaning: Meaning::IdentityVerified,
            at: "2026-03-02 06:41:38".into(),
        },
    ]));
    set_up.set_entry("7f3a 91c0 4be2".into());
}

fn stick(app: &App, person: &str, result: StickResult) {
    let stick = app.global::<Stick>();
    stick.set_person(person.into());
    stick.set_able("Jonas Weber, Eva Brandstätter".into());
    stick.set_result(result);
    stick.set_entries(4812);
    stick.set_documents(36);
    stick.set_from("K5, K7".into());
    app.global::<Chrome>().set_person(person.into());
}

fn no_badge(app: &App, helper: &str, step: NoBadgeStep) {
    let screen = app.global::<NoBadge>();
    screen.set_helper(helper.into());
    screen.set_able("Jonas Weber, Eva Brandstätter".into());
    screen.set_step(step);
    screen.set_person(if step == NoBadgeStep::Person { "".into() } else { "Władysława Wiśniewska".into() });
    screen.set_typed("wi".into());
    screen.set_found(model(["Ludwig Wiesner".into(), "Władysława Wiśniewska".into(), "Kofi Winter".into()]));
    screen.set_more(4);
    screen.set_untils(model(["14:00", "10:41", "14:41", "18:41"].map(SharedString::from)));
    screen.set_shift_ends(true);
    screen.set_entry("7f3a 91c0 4be2".into());
    app.global::<Chrome>().set_person(helper.into());
}

fn holders(app: &App, names: &[&str]) {
    no_badge(app, "", NoBadgeStep::Person);
    let row = |(place, name): (usize, &&str)| HolderRow {
        number: i32::try_from(place).unwrap_or(0) + 1,
        name: (*name).into(),
        until: "14:00".into(),
    };
    app.global::<NoBadge>().set_holders(model(names.iter().enumerate().map(row)));
}

fn no_badge_done(app: &App, until: &str, meaning: Meaning) {
    no_badge(app, "Jonas Weber", NoBadgeStep::Done);
    let screen = app.global::<NoBadge>();
    screen.set_until(until.into());
    let at = "2026-03-02 06:41:38".into();
    screen.set_signatures(model([SignatureRow { name: "Jonas Weber".into(), meaning, at }]));
}

fn lockout(app: &App, interrupted: bool) {
    maria(app);
    let lockout = app.global::<Lockout>();
    lockout.set_person("Maria Lindner".into());
    lockout.set_tries(10);
    lockout.set_interrupted(interrupted);
    lockout.set_able(if interrupted { "Jonas Weber, Eva Brandstätter".into() } else { "".into() });
}

fn record(language: &str, number: i32, activity: Activity, standing: Standing) -> RecordRow {
    RecordRow {
        number,
        activity,
        document: "SOP-0042".into(),
        title: title(language),
        version: "7".into(),
        at: "2026-03-02 07:21".into(),
        second: if activity == Activity::Read { "".into() } else { "Władysława Wiśniewska".into() },
        outcome: Outcome::Pass,
        percent: if activity == Activity::Quiz { 90 } else { -1 },
        standing,
        old: "Maria Lindner".into(),
        new: "Ana Kovač".into(),
        reason: "another person was badged in".into(),
    }
}

fn records(app: &App, language: &str, rows: usize) {
    maria(app);
    let all = [
        record(language, 1, Activity::Check, Standing::Counts),
        record(language, 2, Activity::Run, Standing::Corrected),
        record(language, 3, Activity::Run, Standing::OnHold),
        record(language, 4, Activity::Quiz, Standing::Counts),
        record(language, 5, Activity::Read, Standing::SetAside),
    ];
    app.global::<Records>().set_rows(model(all.into_iter().take(rows)));
    app.global::<Records>().set_pages(if rows == 0 { 1 } else { 3 });
}

fn correction(app: &App, language: &str, step: CorrectionStep) {
    maria(app);
    let correction = app.global::<Correction>();
    correction.set_step(step);
    correction.set_entry(record(language, 1, Activity::Run, Standing::Counts));
    correction.set_typed("Ana Kovač".into());
}

pub const STATES: &[State] = &[
    State { name: "idle", screen: Screen::Idle, key: true, fill: |app, _| badge(app, BadgeResult::None) },
    State {
        name: "idle-running",
        screen: Screen::Idle,
        key: true,
        fill: |app, language| {
            badge(app, BadgeResult::Unknown);
            let idle = app.global::<Idle>();
            idle.set_sessions(model(sessions(language, false)));
            idle.set_sessions_more(2);
            app.global::<Chrome>().set_storage_warning(true);
        },
    },
    State {
        name: "idle-disabled",
        screen: Screen::Idle,
        key: false,
        fill: |app, _| {
            badge(app, BadgeResult::Disabled);
            app.global::<Chrome>().set_sync(SyncState::Refused);
            app.global::<Chrome>().set_plant_age_minutes(4321);
        },
    },
    State {
        name: "idle-other-site",
        screen: Screen::Idle,
        key: false,
        fill: |app, _| badge(app, BadgeResult::OtherSite),
    },
    State {
        name: "idle-pass-over",
        screen: Screen::Idle,
        key: false,
        fill: |app, _| badge(app, BadgeResult::PassOver),
    },
    State {
        name: "tasks-by-pass",
        screen: Screen::Tasks,
        key: true,
        fill: |app, language| {
            maria(app);
            app.global::<Chrome>().set_pass_until("14:00".into());
            let screen = app.global::<Tasks>();
            screen.set_rows(model(tasks(language)));
            screen.set_pages(3);
            screen.set_lot("881".into());
        },
    },
    State {
        name: "tasks",
        screen: Screen::Tasks,
        key: true,
        fill: |app, language| {
            maria(app);
            let screen = app.global::<Tasks>();
            screen.set_rows(model(tasks(language)));
            screen.set_pages(3);
            screen.set_lot("881".into());
            screen.set_last_lot("880".into());
            screen.set_sessions(4);
        },
    },
    State {
        name: "tasks-few",
        screen: Screen::Tasks,
        key: false,
        fill: |app, language| {
            maria(app);
            app.global::<Chrome>().set_person("Maximiliane von Hohenstein-Lindenberg".into());
            app.global::<Chrome>().set_idle_seconds(9);
            let screen = app.global::<Tasks>();
            screen.set_rows(model(tasks(language).into_iter().take(3)));
            screen.set_last_lot("LOT-2026-03-00880-B".into());
        },
    },
    State { name: "tasks-none", screen: Screen::Tasks, key: false, fill: |app, _| maria(app) },
    State {
        name: "verdict-go",
        screen: Screen::Verdict,
        key: true,
        fill: |app, language| {
            verdict(app, language, VerdictKind::Go, Why::Qualified);
            let screen = app.global::<Verdict>();
            screen.set_session_since("06:41".into());
            screen.set_next(NextStep::OpenProcedure);
        },
    },
    State { name: "verdict-no-go", screen: Screen::Verdict, key: true, fill: |app, language| no_go(app, language, 1) },
    State {
        name: "verdict-no-go-four",
        screen: Screen::Verdict,
        key: true,
        fill: |app, language| {
            no_go(app, language, 4);
            let screen = app.global::<Verdict>();
            screen.set_missing_more(2);
            screen.set_can_supervised(true);
        },
    },
    State {
        name: "verdict-no-go-nobody",
        screen: Screen::Verdict,
        key: false,
        fill: |app, language| {
            no_go(app, language, 2);
            let screen = app.global::<Verdict>();
            screen.set_why(Why::NeverTrained);
            screen.set_signers("".into());
            screen.set_ask(Ask::Trainer);
            screen.set_ask_name("Eva Brandstätter, 4711".into());
            screen.set_can_read(false);
        },
    },
    State {
        name: "verdict-lot-needed",
        screen: Screen::Verdict,
        key: false,
        fill: |app, language| {
            verdict(app, language, VerdictKind::NoGo, Why::LotNeeded);
            app.global::<Verdict>().set_lot("".into());
            app.global::<Verdict>().set_next(NextStep::EnterLot);
        },
    },
    State {
        name: "verdict-stale",
        screen: Screen::Verdict,
        key: false,
        fill: |app, language| {
            verdict(app, language, VerdictKind::NoGo, Why::Stale);
            app.global::<Chrome>().set_plant_age_minutes(560);
        },
    },
    State {
        name: "verdict-supervised",
        screen: Screen::Verdict,
        key: true,
        fill: |app, language| {
            verdict(app, language, VerdictKind::Supervised, Why::Supervised);
            let screen = app.global::<Verdict>();
            screen.set_session_since("06:43".into());
            screen.set_next(NextStep::OpenProcedure);
        },
    },
    State {
        name: "verdict-co-sign",
        screen: Screen::Verdict,
        key: false,
        fill: |app, language| {
            verdict(app, language, VerdictKind::CoSign, Why::StaleCoSign);
            let screen = app.global::<Verdict>();
            screen.set_signers_matter(true);
            screen.set_signers("Jonas Weber, 王丽华".into());
            screen.set_next(NextStep::GetCoSignature);
        },
    },
    State {
        name: "verdict-blocked",
        screen: Screen::Verdict,
        key: true,
        fill: |app, language| {
            verdict(app, language, VerdictKind::Blocked, Why::Blocked);
            let screen = app.global::<Verdict>();
            let mut params = screen.get_params();
            params.by = "CAPA-0019".into();
            screen.set_params(params);
            screen.set_missing(model(missing(language).into_iter().take(1)));
            screen.set_next(NextStep::StartTraining);
        },
    },
    State {
        name: "verdict-on-hold",
        screen: Screen::Verdict,
        key: false,
        fill: |app, language| {
            verdict(app, language, VerdictKind::OnHold, Why::EvidenceOnHold);
            let screen = app.global::<Verdict>();
            screen.set_signers_matter(true);
            screen.set_signers("Eva Brandstätter".into());
        },
    },
    State {
        name: "verdict-cannot-decide",
        screen: Screen::Verdict,
        key: false,
        fill: |app, language| {
            verdict(app, language, VerdictKind::CannotDecide, Why::InternalError);
            app.global::<Verdict>().set_next(NextStep::TryAgain);
        },
    },
    State {
        name: "set-up",
        screen: Screen::SetUp,
        key: true,
        fill: |app, _| set_up(app, SetUpState::EnterCode, "K7PM 4Q"),
    },
    State {
        name: "set-up-address",
        screen: Screen::SetUp,
        key: true,
        fill: |app, _| {
            set_up(app, SetUpState::EnterCode, "");
            app.global::<SetUp>().set_typing_server(true);
            app.global::<SetUp>().set_can_send(true);
        },
    },
    State {
        name: "set-up-wrong",
        screen: Screen::SetUp,
        key: false,
        fill: |app, _| {
            set_up(app, SetUpState::WrongCode, "K7PM 4QXA 9WZY");
        },
    },
    State {
        name: "set-up-asking",
        screen: Screen::SetUp,
        key: false,
        fill: |app, _| set_up(app, SetUpState::Asking, "K7PM 4QXA 9WZY"),
    },
    State {
        name: "set-up-foreign",
        screen: Screen::SetUp,
        key: false,
        fill: |app, _| set_up(app, SetUpState::ForeignCertificate, "K7PM 4QXA 9WZY"),
    },
    State {
        name: "set-up-no-network",
        screen: Screen::SetUp,
        key: false,
        fill: |app, _| set_up(app, SetUpState::NoNetwork, "K7PM 4QXA 9WZY"),
    },
    State {
        name: "set-up-done",
        screen: Screen::SetUp,
        key: false,
        fill: |app, _| set_up(app, SetUpState::Enrolled, ""),
    },
    State {
        name: "lot",
        screen: Screen::Lot,
        key: true,
        fill: |app, language| {
            maria(app);
            let lot = app.global::<Lot>();
            lot.set_typed("88".into());
            lot.set_last_lot("880".into());
            lot.set_task(said(language, "Seal pouch", "Beutel versiegeln"));
        },
    },
    State {
        name: "lot-unknown",
        screen: Screen::Lot,
        key: false,
        fill: |app, _| {
            maria(app);
            app.global::<Lot>().set_typed("LOT-2026-03-00881".into());
            app.global::<Lot>().set_unknown(true);
            app.global::<Lot>().set_last_lot("880".into());
        },
    },
    State {
        name: "lot-letters",
        screen: Screen::Lot,
        key: false,
        fill: |app, language| {
            maria(app);
            app.global::<Lot>().set_letters(true);
            app.global::<Lot>().set_typed("LOT-2026".into());
            app.global::<Keyboard>().set_layer(KeyLayer::Upper);
            layout(app, language);
        },
    },
    State {
        name: "secret-pin",
        screen: Screen::Secret,
        key: true,
        fill: |app, language| secret(app, language, SecretKind::Pin),
    },
    State {
        name: "secret-pin-wrong",
        screen: Screen::Secret,
        key: false,
        fill: |app, language| {
            secret(app, language, SecretKind::Pin);
            let secret = app.global::<Secret>();
            secret.set_signer("Jonas Weber".into());
            secret.set_about("Maria Lindner".into());
            secret.set_meaning(Meaning::CheckAssessed);
            secret.set_typed(0);
            secret.set_error(SecretError::Wrong);
            secret.set_wait_seconds(8);
            secret.set_attempts_left(6);
        },
    },
    State {
        name: "secret-passphrase",
        screen: Screen::Secret,
        key: true,
        fill: |app, language| {
            secret(app, language, SecretKind::Passphrase);
            app.global::<Secret>().set_typed(14);
            layout(app, language);
        },
    },
    State {
        name: "secret-passphrase-locked",
        screen: Screen::Secret,
        key: false,
        fill: |app, language| {
            secret(app, language, SecretKind::Passphrase);
            let secret = app.global::<Secret>();
            secret.set_about("Maria Lindner".into());
            secret.set_typed(0);
            secret.set_error(SecretError::LockedOut);
            layout(app, language);
            app.global::<Keyboard>().set_layer(KeyLayer::Symbols);
        },
    },
    State { name: "reader", screen: Screen::Reader, key: true, fill: |app, language| reader(app, language, 1) },
    State { name: "reader-last", screen: Screen::Reader, key: true, fill: |app, language| reader(app, language, 9) },
    State {
        name: "reader-fallback",
        screen: Screen::Reader,
        key: false,
        fill: |app, language| {
            reader(app, if language == "de" { "en" } else { "de" }, 2);
            let reader = app.global::<Reader>();
            reader.set_fallback(true);
            reader.set_changed_only(true);
            reader.set_next(ReaderNext::SeeAllPages);
        },
    },
    State {
        name: "reader-picture",
        screen: Screen::Reader,
        key: false,
        fill: |app, language| {
            reader(app, language, 1);
            let reader = app.global::<Reader>();
            reader.set_blocks(model([]));
            reader.set_paper(Paper::Shown);
            reader.set_page_image(page_part());
        },
    },
    State {
        name: "reader-lacking",
        screen: Screen::Reader,
        key: false,
        fill: |app, language| {
            reader(app, language, 1);
            let reader = app.global::<Reader>();
            reader.set_blocks(model([]));
            reader.set_paper(Paper::Lacking);
            reader.set_page_image(page_part());
        },
    },
    State {
        name: "reader-drawing",
        screen: Screen::Reader,
        key: false,
        fill: |app, language| {
            reader(app, language, 1);
            app.global::<Reader>().set_blocks(model([]));
            app.global::<Reader>().set_paper(Paper::Drawing);
        },
    },
    State {
        name: "reader-not-drawn",
        screen: Screen::Reader,
        key: false,
        fill: |app, language| {
            reader(app, language, 1);
            let reader = app.global::<Reader>();
            let summary = said(
                language,
                "Emergency exits and assembly points after the rebuilding of hall 2.",
                "Notausgänge und Sammelplätze nach dem Umbau von Halle 2.",
            );
            reader.set_blocks(model([block(BlockKind::Paragraph, &summary)]));
            reader.set_paper(Paper::NotDrawn);
            reader.set_pages(1);
            reader.set_unseen(0);
            reader.set_next(ReaderNext::Close);
        },
    },
    State {
        name: "reader-picture-in-text",
        screen: Screen::Reader,
        key: false,
        fill: |app, language| {
            reader(app, language, 1);
            let words = |english, german| said(language, english, german);
            app.global::<Reader>().set_blocks(model([
                block(BlockKind::Paragraph, &words("The bar must be clean.", "Die Siegelschiene muss sauber sein.")),
                block(
                    BlockKind::Picture,
                    &words("A clean and a dirty sealing bar", "Saubere und verschmutzte Schiene"),
                ),
                block(BlockKind::Picture, ""),
                block(BlockKind::Paragraph, &words("Wipe it with a dry cloth.", "Mit trockenem Tuch abwischen.")),
            ]));
        },
    },
    State {
        name: "quiz",
        screen: Screen::Quiz,
        key: true,
        fill: |app, language| quiz(app, language, &ANSWERS[..4], 0),
    },
    State {
        name: "quiz-three",
        screen: Screen::Quiz,
        key: false,
        fill: |app, language| {
            quiz(app, language, &ANSWERS[..3], 9);
            app.global::<Quiz>().set_resumed(true);
            app.global::<Quiz>().set_attempts_left(0);
        },
    },
    State {
        name: "quiz-six",
        screen: Screen::Quiz,
        key: false,
        fill: |app, language| {
            quiz(app, language, ANSWERS, 3);
            app.global::<Quiz>().set_multiple(true);
            app.global::<Quiz>().set_number(5);
            app.global::<Quiz>().set_next(QuizNext::Finish);
        },
    },
    State {
        name: "quiz-passed",
        screen: Screen::Quiz,
        key: true,
        fill: |app, language| {
            quiz(app, language, &[], 0);
            let quiz = app.global::<Quiz>();
            quiz.set_state(QuizState::Passed);
            quiz.set_percent(100);
            quiz.set_next(QuizNext::Sign);
            quiz.set_can_go_on(true);
        },
    },
    State {
        name: "quiz-failed",
        screen: Screen::Quiz,
        key: false,
        fill: |app, language| {
            quiz(app, language, &[], 0);
            let quiz = app.global::<Quiz>();
            quiz.set_state(QuizState::Failed);
            quiz.set_percent(60);
            quiz.set_attempts_left(1);
            quiz.set_next(QuizNext::ReadAgain);
            quiz.set_can_go_on(true);
        },
    },
    State {
        name: "quiz-used-up",
        screen: Screen::Quiz,
        key: false,
        fill: |app, language| {
            quiz(app, language, &[], 0);
            let quiz = app.global::<Quiz>();
            quiz.set_state(QuizState::Failed);
            quiz.set_percent(40);
            quiz.set_attempts_left(0);
            quiz.set_next(QuizNext::AskTrainer);
            quiz.set_can_go_on(true);
        },
    },
    State { name: "worksheet", screen: Screen::Worksheet, key: true, fill: worksheet },
    State {
        name: "worksheet-ready",
        screen: Screen::Worksheet,
        key: false,
        fill: |app, language| {
            worksheet(app, language);
            let sheet = app.global::<Worksheet>();
            let rows: Vec<_> = sheet
                .get_steps()
                .iter()
                .map(|row| WorksheetStep { tick: Tick::Pass, by: "Jonas Weber".into(), at: "06:50".into(), ..row })
                .collect();
            sheet.set_steps(model(rows));
            sheet.set_pages(1);
            sheet.set_open_steps(0);
            sheet.set_conflicts(0);
            sheet.set_runs_done(3);
            sheet.set_can_record_run(false);
            sheet.set_can_check(true);
            sheet.set_after_sign_off(true);
        },
    },
    State {
        name: "worksheet-note",
        screen: Screen::Worksheet,
        key: false,
        fill: |app, language| {
            worksheet(app, language);
            let sheet = app.global::<Worksheet>();
            sheet.set_writing(true);
            sheet.set_note(said(
                language,
                "Temperature corrected after a reminder. Explained step 4 once more; the next two pouches were",
                "Temperatur nach Hinweis korrigiert. Schritt 4 noch einmal erklärt; die nächsten zwei Beutel waren",
            ));
            layout(app, language);
        },
    },
    State { name: "check", screen: Screen::Check, key: true, fill: check },
    State {
        name: "check-value",
        screen: Screen::Check,
        key: false,
        fill: |app, language| {
            check(app, language);
            let check = app.global::<Check>();
            let criterion = check.get_criteria().row_data(4).expect("five criteria are shown");
            check.set_entering(criterion);
            check.set_typed(said(language, "1.4", "1,4"));
        },
    },
    State {
        name: "check-ready",
        screen: Screen::Check,
        key: false,
        fill: |app, language| {
            check(app, language);
            let check = app.global::<Check>();
            let rows: Vec<_> = check
                .get_criteria()
                .iter()
                .take(3)
                .map(|row| {
                    let state =
                        if row.kind == CriterionKind::Value { CriterionState::InRange } else { CriterionState::Pass };
                    Criterion { state, ..row }
                })
                .collect();
            check.set_criteria(model(rows));
            check.set_pages(1);
            check.set_can_pass(true);
            check.set_outcome(Outcome::Pass);
            check.set_bar(CheckBar::None);
        },
    },
    State {
        name: "second-badge",
        screen: Screen::SecondBadge,
        key: true,
        fill: |app, language| second(app, language, SecondRole::Assessor),
    },
    State {
        name: "second-badge-same",
        screen: Screen::SecondBadge,
        key: false,
        fill: |app, language| {
            second(app, language, SecondRole::Assessor);
            app.global::<SecondBadge>().set_refusal(SecondRefusal::SamePerson);
            app.global::<SecondBadge>().set_refused("Maria Lindner".into());
        },
    },
    State {
        name: "second-badge-not-allowed",
        screen: Screen::SecondBadge,
        key: false,
        fill: |app, language| {
            second(app, language, SecondRole::CoSigner);
            app.global::<SecondBadge>().set_refusal(SecondRefusal::NotAllowed);
            app.global::<SecondBadge>().set_refused("Władysława Wiśniewska".into());
        },
    },
    State {
        name: "second-badge-trainer",
        screen: Screen::SecondBadge,
        key: true,
        fill: |app, language| {
            second(app, language, SecondRole::Trainer);
            let second = app.global::<SecondBadge>();
            second.set_task(said(language, "Seal pouch", "Beutel versiegeln"));
            second.set_seconds(48);
        },
    },
    State { name: "receipt", screen: Screen::Receipt, key: true, fill: receipt },
    State {
        name: "receipt-check",
        screen: Screen::Receipt,
        key: true,
        fill: |app, language| {
            receipt(app, language);
            let receipt = app.global::<Receipt>();
            receipt.set_about("Maria Lindner".into());
            receipt.set_signatures(model([
                SignatureRow {
                    name: "Maria Lindner".into(),
                    meaning: Meaning::CheckPerformed,
                    at: "2026-03-02 07:21:08".into(),
                },
                SignatureRow {
                    name: "Jonas Weber".into(),
                    meaning: Meaning::CheckAssessed,
                    at: "2026-03-02 07:21:40".into(),
                },
            ]));
            receipt.set_state(StoredState::Synced);
            receipt.set_open(Open::Qualified);
            receipt.set_next(NextStep::StartWork);
        },
    },
    State {
        name: "receipt-on-hold",
        screen: Screen::Receipt,
        key: false,
        fill: |app, language| {
            receipt(app, language);
            app.global::<Receipt>().set_open(Open::OnHold);
            app.global::<Receipt>().set_next(NextStep::SignOut);
        },
    },
    State {
        name: "supervised",
        screen: Screen::Supervised,
        key: true,
        fill: |app, language| supervised(app, language, SupervisedState::Running),
    },
    State {
        name: "supervised-confirm",
        screen: Screen::Supervised,
        key: false,
        fill: |app, language| supervised(app, language, SupervisedState::ConfirmNow),
    },
    State {
        name: "supervised-ended",
        screen: Screen::Supervised,
        key: false,
        fill: |app, language| {
            supervised(app, language, SupervisedState::Ended);
            app.global::<Supervised>().set_end(SupervisedEnd::NotConfirmed);
        },
    },
    State {
        name: "supervised-new-version",
        screen: Screen::Supervised,
        key: false,
        fill: |app, language| {
            supervised(app, language, SupervisedState::Ended);
            app.global::<Supervised>().set_end(SupervisedEnd::NewVersion);
        },
    },
    State {
        name: "sessions",
        screen: Screen::Sessions,
        key: true,
        fill: |app, language| {
            maria(app);
            let mut rows = sessions(language, true);
            rows.push(session(
                "5",
                "Eva Brandstätter",
                said(language, "Set up the sealing machine", "Siegelmaschine einrichten"),
                "882",
                "06:38",
                SessionNotice::None,
            ));
            app.global::<Sessions>().set_rows(model(rows));
            app.global::<Sessions>().set_pages(2);
        },
    },
    State { name: "sessions-none", screen: Screen::Sessions, key: false, fill: |app, _| maria(app) },
    State { name: "status", screen: Screen::Status, key: true, fill: status },
    State {
        name: "status-alarm",
        screen: Screen::Status,
        key: false,
        fill: |app, language| {
            status(app, language);
            app.global::<Status>().set_alarm(Alarm::Fork);
            app.global::<Status>().set_alarm_since("2026-03-02 06:12".into());
            app.global::<Chrome>().set_sync(SyncState::Revoked);
            app.global::<Status>().set_enrolment(EnrolmentState::Revoked);
        },
    },
    State {
        name: "status-behind",
        screen: Screen::Status,
        key: false,
        fill: |app, language| {
            status(app, language);
            let status = app.global::<Status>();
            status.set_behind(true);
            status.set_clock_confirmed("".into());
            status.set_storage_used(83);
            status.set_storage_free("4.1 GB".into());
            let row = |kind, count| WaitingRow { kind, count };
            status.set_waiting(model([
                row(EntryKind::Records, 3),
                row(EntryKind::Presence, 41),
                row(EntryKind::Journal, 127),
                row(EntryKind::Keys, 0),
                row(EntryKind::Other, 12),
            ]));
            app.global::<Chrome>().set_storage_warning(true);
        },
    },
    State {
        name: "fault-database",
        screen: Screen::Fault,
        key: true,
        fill: |app, _| trouble(app, Fault::DamagedDatabase, NextStep::None),
    },
    State {
        name: "fault-storage",
        screen: Screen::Fault,
        key: false,
        fill: |app, _| {
            trouble(app, Fault::StorageFull, NextStep::BackToTasks);
            app.global::<Chrome>().set_storage_warning(true);
        },
    },
    State {
        name: "fault-foreign",
        screen: Screen::Fault,
        key: false,
        fill: |app, _| {
            trouble(app, Fault::ForeignCertificate, NextStep::BackToTasks);
            app.global::<Chrome>().set_sync(SyncState::ForeignServer);
        },
    },
    State {
        name: "fault-internal",
        screen: Screen::Fault,
        key: false,
        fill: |app, _| trouble(app, Fault::InternalError, NextStep::TryAgain),
    },
    State {
        name: "swap",
        screen: Screen::Swap,
        key: true,
        fill: |app, _| {
            maria(app);
            let swap = app.global::<Swap>();
            swap.set_kept("Maria Lindner".into());
            swap.set_other("Ben Okafor".into());
            swap.set_doing(Meaning::ReadAndUnderstood);
            swap.set_document("SOP-0042 v7".into());
        },
    },
    State {
        name: "swap-may-not-sign",
        screen: Screen::Swap,
        key: false,
        fill: |app, _| {
            maria(app);
            let swap = app.global::<Swap>();
            swap.set_kept("Maria Lindner".into());
            swap.set_other("Eva Brandstätter-Hohenfels".into());
            swap.set_doing(Meaning::RunPerformed);
            swap.set_document("SOP-0042 v7".into());
            swap.set_refusal(SecondRefusal::VersionNotHeld);
        },
    },
    State {
        name: "signing-set-up-offer",
        screen: Screen::SigningSetUp,
        key: true,
        fill: |app, language| signing_set_up(app, language, SigningStep::Offer),
    },
    State {
        name: "signing-set-up-proof",
        screen: Screen::SigningSetUp,
        key: false,
        fill: |app, language| signing_set_up(app, language, SigningStep::Proof),
    },
    State {
        name: "signing-set-up-choose",
        screen: Screen::SigningSetUp,
        key: true,
        fill: |app, language| signing_set_up(app, language, SigningStep::Choose),
    },
    State {
        name: "signing-set-up-repeat",
        screen: Screen::SigningSetUp,
        key: false,
        fill: |app, language| signing_set_up(app, language, SigningStep::Repeat),
    },
    State {
        name: "signing-set-up-statement",
        screen: Screen::SigningSetUp,
        key: true,
        fill: |app, language| signing_set_up(app, language, SigningStep::Statement),
    },
    State {
        name: "signing-set-up-done",
        screen: Screen::SigningSetUp,
        key: true,
        fill: |app, language| signing_set_up(app, language, SigningStep::Done),
    },
    State {
        name: "signing-set-up-differs",
        screen: Screen::SigningSetUp,
        key: false,
        fill: |app, language| {
            signing_set_up(app, language, SigningStep::Choose);
            app.global::<SigningSetUp>().set_error(ChoiceError::Differs);
            app.global::<SigningSetUp>().set_typed(0);
        },
    },
    State {
        name: "signing-set-up-pin",
        screen: Screen::SigningSetUp,
        key: false,
        fill: |app, language| {
            signing_set_up(app, language, SigningStep::Choose);
            app.global::<SigningSetUp>().set_kind(SecretKind::Pin);
            app.global::<SigningSetUp>().set_least(6);
            app.global::<SigningSetUp>().set_error(ChoiceError::TooSimple);
        },
    },
    State {
        name: "stick-asks-badge",
        screen: Screen::Stick,
        key: true,
        fill: |app, _| stick(app, "", StickResult::None),
    },
    State {
        name: "stick",
        screen: Screen::Stick,
        key: true,
        fill: |app, _| stick(app, "Jonas Weber", StickResult::None),
    },
    State {
        name: "stick-written",
        screen: Screen::Stick,
        key: false,
        fill: |app, _| {
            stick(app, "Jonas Weber", StickResult::Written);
            app.global::<Stick>().set_left_out(3);
        },
    },
    State {
        name: "stick-taken",
        screen: Screen::Stick,
        key: false,
        fill: |app, _| {
            stick(app, "Jonas Weber", StickResult::Taken);
            let stick = app.global::<Stick>();
            stick.set_waiting(4);
            stick.set_invalid(2);
            stick.set_files_refused(1);
            stick.set_refusal(StickResult::Altered);
        },
    },
    State {
        name: "stick-refused",
        screen: Screen::Stick,
        key: true,
        fill: |app, _| stick(app, "Jonas Weber", StickResult::Altered),
    },
    State {
        name: "stick-other-plant",
        screen: Screen::Stick,
        key: false,
        fill: |app, _| stick(app, "Jonas Weber", StickResult::OtherPlant),
    },
    State {
        name: "stick-stale",
        screen: Screen::Stick,
        key: false,
        fill: |app, _| stick(app, "Jonas Weber", StickResult::Stale),
    },
    State {
        name: "stick-not-plugged",
        screen: Screen::Stick,
        key: false,
        fill: |app, _| stick(app, "Jonas Weber", StickResult::NoStick),
    },
    State {
        name: "stick-unusable",
        screen: Screen::Stick,
        key: false,
        fill: |app, _| stick(app, "Jonas Weber", StickResult::Unusable),
    },
    State {
        name: "stick-not-allowed",
        screen: Screen::Stick,
        key: false,
        fill: |app, _| stick(app, "Maria Lindner", StickResult::NotAllowed),
    },
    State { name: "no-badge", screen: Screen::NoBadge, key: true, fill: |app, _| holders(app, &[]) },
    State {
        name: "no-badge-passes",
        screen: Screen::NoBadge,
        key: true,
        fill: |app, _| {
            holders(app, &["Ana Kovač", "Kofi Winter", "Noemi Baumgärtner", "Władysława Wiśniewska"]);
            app.global::<NoBadge>().set_pages(2);
        },
    },
    State {
        name: "no-badge-who",
        screen: Screen::NoBadge,
        key: true,
        fill: |app, _| no_badge(app, "Jonas Weber", NoBadgeStep::Person),
    },
    State {
        name: "no-badge-what",
        screen: Screen::NoBadge,
        key: true,
        fill: |app, _| no_badge(app, "Jonas Weber", NoBadgeStep::What),
    },
    State {
        name: "no-badge-no-secret",
        screen: Screen::NoBadge,
        key: false,
        fill: |app, _| {
            no_badge(app, "Jonas Weber", NoBadgeStep::What);
            app.global::<NoBadge>().set_refusal(NoBadgeRefusal::NoSecret);
        },
    },
    State {
        name: "no-badge-identification",
        screen: Screen::NoBadge,
        key: true,
        fill: |app, _| no_badge(app, "Jonas Weber", NoBadgeStep::Identification),
    },
    State {
        name: "no-badge-until",
        screen: Screen::NoBadge,
        key: true,
        fill: |app, _| no_badge(app, "Jonas Weber", NoBadgeStep::Until),
    },
    State {
        name: "no-badge-loss",
        screen: Screen::NoBadge,
        key: false,
        fill: |app, _| no_badge(app, "Jonas Weber", NoBadgeStep::Loss),
    },
    State {
        name: "no-badge-since",
        screen: Screen::NoBadge,
        key: false,
        fill: |app, _| no_badge(app, "Jonas Weber", NoBadgeStep::Since),
    },
    State {
        name: "no-badge-given",
        screen: Screen::NoBadge,
        key: true,
        fill: |app, _| no_badge_done(app, "14:00", Meaning::IdentityVerified),
    },
    State {
        name: "no-badge-reported",
        screen: Screen::NoBadge,
        key: true,
        fill: |app, _| no_badge_done(app, "", Meaning::BadgeReported),
    },
    State { name: "lockout", screen: Screen::Lockout, key: true, fill: |app, _| lockout(app, true) },
    State { name: "lockout-at-badge", screen: Screen::Lockout, key: false, fill: |app, _| lockout(app, false) },
    State {
        name: "second-badge-verifier",
        screen: Screen::SecondBadge,
        key: false,
        fill: |app, _| {
            maria(app);
            let second = app.global::<SecondBadge>();
            second.set_role(SecondRole::Verifier);
            second.set_kept("Maria Lindner".into());
            second.set_able("Jonas Weber, Eva Brandstätter".into());
        },
    },
    State {
        name: "secret-verifier",
        screen: Screen::Secret,
        key: false,
        fill: |app, language| {
            secret(app, language, SecretKind::Passphrase);
            let secret = app.global::<Secret>();
            secret.set_signer("Jonas Weber".into());
            secret.set_meaning(Meaning::IdentityVerified);
            secret.set_document("".into());
            secret.set_title("".into());
            secret.set_version("".into());
            secret.set_about("Maria Lindner".into());
        },
    },
    State { name: "records", screen: Screen::Records, key: true, fill: |app, language| records(app, language, 5) },
    State {
        name: "records-none",
        screen: Screen::Records,
        key: false,
        fill: |app, language| records(app, language, 0),
    },
    State {
        name: "correction",
        screen: Screen::Correction,
        key: true,
        fill: |app, language| correction(app, language, CorrectionStep::What),
    },
    State {
        name: "correction-right",
        screen: Screen::Correction,
        key: true,
        fill: |app, language| correction(app, language, CorrectionStep::Right),
    },
    State {
        name: "correction-reason",
        screen: Screen::Correction,
        key: false,
        fill: |app, language| correction(app, language, CorrectionStep::Reason),
    },
];
