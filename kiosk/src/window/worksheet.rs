//! A training in progress: steps, runs, notes.

use kiosk_ui as ui;
use slint::ComponentHandle;

use super::convert::{Rows, ToUi, codes, structs};
use crate::presenter::view;

codes! {
    Tick { Open, Pass, Fail, Conflict }
}

structs! {
    WorksheetStep { number, text, tick, changed, by, at, pass_at, fail_at }
    RunRow { number, observer, at, good, waiting }
    NoteRow { by, at, text }
}

pub(super) struct Adapter {
    steps: Rows<view::WorksheetStep>,
    runs: Rows<view::RunRow>,
    notes: Rows<view::NoteRow>,
}

impl Adapter {
    pub fn on(app: &ui::App) -> Self {
        let worksheet = app.global::<ui::Worksheet>();
        Self {
            steps: Rows::new(|rows| worksheet.set_steps(rows)),
            runs: Rows::new(|rows| worksheet.set_runs(rows)),
            notes: Rows::new(|rows| worksheet.set_notes(rows)),
        }
    }

    pub fn show(&mut self, app: &ui::App, now: &view::Worksheet) {
        let view::Worksheet {
            person,
            document,
            title,
            version,
            observer,
            steps,
            page,
            pages,
            open_steps,
            conflicts,
            runs_done,
            runs_of,
            runs,
            notes,
            can_tick,
            can_record_run,
            can_check,
            writing,
            note,
            after_sign_off,
        } = now;
        let screen = app.global::<ui::Worksheet>();
        screen.set_person(person.ui());
        screen.set_document(document.ui());
        screen.set_title(title.ui());
        screen.set_version(version.ui());
        screen.set_observer(observer.ui());
        self.steps.follow(steps);
        screen.set_page(page.ui());
        screen.set_pages(pages.ui());
        screen.set_open_steps(open_steps.ui());
        screen.set_conflicts(conflicts.ui());
        screen.set_runs_done(runs_done.ui());
        screen.set_runs_of(runs_of.ui());
        self.runs.follow(runs);
        self.notes.follow(notes);
        screen.set_can_tick(can_tick.ui());
        screen.set_can_record_run(can_record_run.ui());
        screen.set_can_check(can_check.ui());
        screen.set_writing(writing.ui());
        screen.set_note(note.ui());
        screen.set_after_sign_off(after_sign_off.ui());
    }
}
