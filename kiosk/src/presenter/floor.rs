//! The on-the-job training record: steps ticked by whoever watches, each stored at once; runs; notes.

use shared::kind::plant::ActivityKind;
use shared::kind::record::Outcome;
use shared::record::worksheet::{Mark, State, StepState};
use shared::training::RequirementState;

use super::id::{Action, TapId};
use super::message::*;
use super::say::{count, document_title, page_of};
use super::tasks::{ROWS_A_PAGE, turned};
use super::view::{self, Screen, Tick};
use super::{Badged, Presenter, Purpose, signing};

const LONGEST_NOTE: usize = 300;
const RUNS_SHOWN: usize = 3;
const NOTES_SHOWN: usize = 2;

/// The worksheet on view.
pub(super) struct Sheet {
    reply: SheetReply,
    page: usize,
    writing: bool,
    note: String,
}

impl Sheet {
    fn tick(&self, place: usize) -> StepState {
        let step = self.reply.steps.get(place).and_then(|step| self.reply.ticks.get(&step.number));
        step.cloned().unwrap_or(State::Open)
    }

    fn places_where(&self, wanted: fn(&StepState) -> bool) -> usize {
        (0..self.reply.steps.len()).filter(|place| wanted(&self.tick(*place))).count()
    }

    /// Ids and screens count in whole numbers: a step's own where all are such, else its place.
    fn number(&self, place: usize) -> i32 {
        let own: Option<Vec<i32>> = self.reply.steps.iter().map(|step| step.number.parse().ok()).collect();
        own.and_then(|numbers| numbers.get(place).copied()).unwrap_or_else(|| count(place + 1))
    }

    /// What was written of a note that nobody saved.
    pub fn unsaved_note(self) -> Option<String> {
        (self.writing && !self.note.trim().is_empty()).then_some(self.note)
    }

    fn may(&self, kind: ActivityKind) -> bool {
        comes_next(&self.reply.state, kind) && !self.reply.conflict
    }
}

/// Whether everything before the activity is held.
fn comes_next(state: &RequirementState, kind: ActivityKind) -> bool {
    let asked = state.activities.iter().any(|activity| activity.activity.kind() == kind);
    asked
        && state.activities.iter().take_while(|activity| activity.activity.kind() != kind).all(|activity| activity.held)
}

impl Presenter {
    /// Opens the record for whoever watches; who that is, their badge says.
    pub(super) fn open_record(&mut self) {
        let Some(badged) = self.badged.as_mut() else { return };
        let trainer = badged.supervised.as_ref().map(|watched| (watched.trainer().clone(), watched.session()));
        let Some(training) = badged.training.as_mut() else { return };
        if let Some((trainer, session)) = trainer {
            training.observer.get_or_insert(trainer);
            training.run_of.get_or_insert(session);
        }
        if training.observer.is_some() { self.load_sheet() } else { self.begin_signing(signing::Act::Observe) }
    }

    pub(super) fn load_sheet(&mut self) {
        let Some(context) = self.training_context() else { return self.back_to_tasks() };
        self.send(Purpose::Sheet, What::Sheet { context });
    }

    pub(super) fn training_context(&self) -> Option<Context> {
        Some(self.badged.as_ref()?.training.as_ref()?.context.clone())
    }

    pub(super) fn sheet_came(&mut self, reply: SheetReply, opened: bool) {
        // Of several taps in a row, the answer to the last one has them all.
        if self.pending.iter().any(|(_, purpose)| matches!(purpose, Purpose::Edit)) {
            return;
        }
        let Some(badged) = self.badged.as_mut() else { return };
        if let Some(training) = badged.training.as_mut() {
            training.context.about = reply.about.clone();
            training.state = reply.state.clone();
        }
        match badged.sheet.as_mut() {
            Some(sheet) => sheet.reply = reply,
            None => {
                // A note that was being written when its writer left is still there.
                let note = badged.kept.note.take_if(|(about, _)| *about == reply.about).map(|(_, note)| note);
                let (writing, note) = (note.is_some(), note.unwrap_or_default());
                badged.sheet = Some(Sheet { reply, page: 0, writing, note });
            }
        }
        if opened {
            self.touched = self.now;
            self.screen = Screen::Worksheet;
        }
    }

    pub(super) fn tap_worksheet(&mut self, id: TapId) {
        let Some(sheet) = self.badged.as_mut().and_then(|badged| badged.sheet.as_mut()) else { return };
        if sheet.writing {
            return self.tap_note(id);
        }
        match id {
            TapId::Action(Action::Back) => self.leave_sheet(),
            TapId::Page(forward) => {
                sheet.page = page_of(sheet.reply.steps.len(), turned(sheet.page, forward), ROWS_A_PAGE).0
            }
            TapId::Step(number, passed) => self.tick_step(number, passed),
            TapId::Action(Action::Note) => {
                (sheet.writing, sheet.note) = (true, String::new());
                self.keyboard.layer = view::KeyLayer::Upper;
            }
            TapId::Action(Action::RecordRun) if sheet.may(ActivityKind::Runs) => {
                let failed = sheet.places_where(|tick| tick.said() == Some(&false)) > 0;
                let outcome = if failed { Outcome::NotYet } else { Outcome::Passed };
                let training = self.badged.as_ref().and_then(|badged| badged.training.as_ref());
                let session = training.and_then(|training| training.run_of);
                self.begin_signing(signing::Act::Run { outcome, session });
            }
            TapId::Action(Action::Check) if sheet.may(ActivityKind::Check) => self.open_check(),
            _ => {}
        }
    }

    fn leave_sheet(&mut self) {
        let Some(badged) = self.badged.as_mut() else { return };
        badged.sheet = None;
        if badged.verdict.is_some() { self.ask_again() } else { self.back_to_tasks() }
    }

    /// The tap is shown at once and on its way to the disk before the next one.
    fn tick_step(&mut self, number: i32, passed: bool) {
        let (Some(context), wall) = (self.training_context(), self.wall()) else { return };
        let Some(badged) = self.badged.as_mut() else { return };
        let observer = badged.training.as_ref().and_then(|training| training.observer.as_ref());
        let (Some(sheet), Some(observer)) = (badged.sheet.as_mut(), observer) else { return };
        let Some(place) = (0..sheet.reply.steps.len()).find(|place| sheet.number(*place) == number) else { return };
        let (step, author) = (sheet.reply.steps[place].number.clone(), observer.person.clone());
        let mark = Mark { at: wall, by: author.clone(), said: passed };
        sheet.reply.ticks.insert(step.clone(), State::Agreed(vec![mark]));
        self.send(Purpose::Edit, What::Tick { context, author, step, passed });
    }

    fn tap_note(&mut self, id: TapId) {
        let context = self.training_context();
        let Some(badged) = self.badged.as_mut() else { return };
        let Some(sheet) = badged.sheet.as_mut() else { return };
        match id {
            TapId::Key(key) => Self::press(&mut self.keyboard, &mut sheet.note, key, LONGEST_NOTE),
            TapId::Cancel | TapId::Action(Action::Back) => sheet.writing = false,
            TapId::Ok if !sheet.note.trim().is_empty() => {
                sheet.writing = false;
                let text = std::mem::take(&mut sheet.note).trim().to_owned();
                let observer = badged.training.as_ref().and_then(|training| training.observer.as_ref());
                let author = observer.unwrap_or(&badged.seen).person.clone();
                if let Some(context) = context {
                    self.send(Purpose::Edit, What::Note { context, author, text });
                }
            }
            _ => {}
        }
    }

    /// A whole text for the note; it opens the keyboard if it isn't.
    pub(super) fn type_note(&mut self, text: String) {
        if let Some(sheet) = self.badged.as_mut().and_then(|badged| badged.sheet.as_mut()) {
            (sheet.writing, sheet.note) = (true, text.chars().take(LONGEST_NOTE).collect());
        }
    }

    pub(super) fn worksheet_view(&self, badged: &Badged) -> view::Worksheet {
        let (Some(sheet), Some(training)) = (&badged.sheet, &badged.training) else {
            return view::Worksheet::default();
        };
        let reply = &sheet.reply;
        let (page, pages, rows) = page_of(reply.steps.len(), sheet.page, ROWS_A_PAGE);
        let runs = reply.state.activities.iter().find(|activity| activity.activity.kind() == ActivityKind::Runs);
        let (done, of) = runs.map_or((0, 0), |runs| (count(runs.have), count(runs.need)));
        view::Worksheet {
            person: badged.seen.printed_name.clone(),
            document: training.document(),
            title: document_title(&self.snapshot.plant, training.context.about.document.as_ref()),
            version: training.version(),
            observer: training.observer.as_ref().map(|seen| seen.printed_name.clone()).unwrap_or_default(),
            steps: rows.map(|place| self.step_row(sheet, place)).collect(),
            page: count(page + 1),
            pages: count(pages),
            open_steps: count(sheet.places_where(|tick| *tick == State::Open)),
            conflicts: count(sheet.places_where(State::is_conflict)),
            runs_done: done,
            runs_of: of,
            runs: self.run_rows(reply),
            notes: self.note_rows(reply),
            can_tick: training.observer.is_some(),
            can_record_run: sheet.may(ActivityKind::Runs),
            can_check: sheet.may(ActivityKind::Check),
            writing: sheet.writing,
            note: sheet.note.clone(),
            after_sign_off: reply.after_sign_off,
        }
    }

    fn step_row(&self, sheet: &Sheet, place: usize) -> view::WorksheetStep {
        let (step, state) = (&sheet.reply.steps[place], sheet.tick(place));
        let number = sheet.number(place);
        let own = step.number == number.to_string();
        let by = |said: bool| {
            let named = state
                .marks()
                .iter()
                .filter(|mark| mark.said == said)
                .map(|mark| self.snapshot.plant.printed_name(&mark.by));
            named.collect::<Vec<_>>().join(", ")
        };
        let last = state.marks().iter().max_by_key(|mark| mark.at).filter(|_| !state.is_conflict());
        view::WorksheetStep {
            number,
            text: if own { step.title.clone() } else { format!("{} {}", step.number, step.title) },
            tick: match (&state, state.said()) {
                (State::Conflict(_), _) => Tick::Conflict,
                (_, Some(true)) => Tick::Pass,
                (_, Some(false)) => Tick::Fail,
                _ => Tick::Open,
            },
            changed: sheet.reply.changed_steps.contains(&step.number),
            by: last.map_or_else(String::new, |mark| self.snapshot.plant.printed_name(&mark.by)),
            at: last.map_or_else(String::new, |mark| self.say().moment(mark.at)),
            pass_at: by(true),
            fail_at: by(false),
        }
    }

    fn run_rows(&self, reply: &SheetReply) -> Vec<view::RunRow> {
        let first = reply.runs.len().saturating_sub(RUNS_SHOWN);
        let row = |(place, run): (usize, &RunLine)| view::RunRow {
            number: count(place + 1),
            observer: run.observer.clone(),
            at: self.say().moment(run.at),
            good: run.outcome == Outcome::Passed,
            waiting: run.waiting,
        };
        reply.runs.iter().enumerate().skip(first).map(row).collect()
    }

    fn note_rows(&self, reply: &SheetReply) -> Vec<view::NoteRow> {
        let first = reply.notes.len().saturating_sub(NOTES_SHOWN);
        let row = |note: &NoteLine| view::NoteRow {
            by: self.snapshot.plant.printed_name(&note.by),
            at: self.say().moment(note.at),
            text: note.text.clone(),
        };
        reply.notes[first..].iter().map(row).collect()
    }
}
