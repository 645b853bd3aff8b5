//! A person's hands at a kiosk: taps, scans and secrets go through the real presenter; what it asks for is done by the real core.

use std::collections::{BTreeMap, VecDeque};

use kiosk::desk;
use kiosk::presenter::message::{Event, What};
use kiosk::presenter::view::{CriterionKind, QuizState, ReaderNext, Screen, View};
use shared::training::quiz::Paper;

use crate::secret_of;
use crate::stage::{Stage, Trouble};

/// Most touches that any one thing on a screen takes.
const PATIENCE: usize = 200;

impl Stage {
    /// Touches what has this accessible id.
    pub fn tap(&mut self, kiosk: &str, id: &str) -> Result<(), Trouble> {
        self.happen(kiosk, Event::Tap(id.to_owned()))
    }

    /// Holds a badge, or a lot's label, to the reader.
    pub fn scan(&mut self, kiosk: &str, text: &str) -> Result<(), Trouble> {
        self.happen(kiosk, Event::Key(format!("{text}\n")))
    }

    /// Types a whole text into a field and confirms it.
    pub fn enter(&mut self, kiosk: &str, field: &str, text: &str) -> Result<(), Trouble> {
        self.type_text(kiosk, field, text)?;
        self.tap(kiosk, "ok")
    }

    /// Types a person's secret and confirms it.
    pub fn enter_secret(&mut self, kiosk: &str, person: &str) -> Result<(), Trouble> {
        self.expect_screen(kiosk, Screen::Secret)?;
        self.enter(kiosk, "secret", &secret_of(person))
    }

    /// Gives a field its whole text.
    pub fn type_text(&mut self, kiosk: &str, field: &str, text: &str) -> Result<(), Trouble> {
        self.happen(kiosk, Event::Typed { field: field.to_owned(), text: text.to_owned() })
    }

    /// What the kiosk shows.
    pub fn view(&self, kiosk: &str) -> Result<View, Trouble> {
        Ok(self.on_stage(kiosk)?.presenter.view())
    }

    pub fn expect_screen(&self, kiosk: &str, screen: Screen) -> Result<(), Trouble> {
        let view = self.view(kiosk)?;
        if view.screen == screen {
            Ok(())
        } else {
            Err(format!(
                "{kiosk} shows {:?}, not {screen:?}: {:?} {:?}",
                view.screen, view.verdict.why, view.secret.error
            )
            .into())
        }
    }

    /// One event and everything that follows from it.
    fn happen(&mut self, kiosk: &str, event: Event) -> Result<(), Trouble> {
        let now = self.clock.now();
        let found = self.kiosks.iter_mut().find(|on_stage| on_stage.name == kiosk).ok_or("no such kiosk")?;
        let core = found.core.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut events: VecDeque<Event> = standing(core).into_iter().chain([event]).collect();
        while let Some(event) = events.pop_front() {
            for command in found.presenter.handle(event, now) {
                if matches!(command.what, What::SetUp { .. }) {
                    return Err("terminal set-up needs the network".into());
                }
                let reply = desk::perform(core, command.what);
                events.push_back(Event::Reply { request: command.request, reply });
            }
        }
        if let Some(status) = standing(core) {
            found.presenter.handle(status, now);
        }
        self.take_picture(kiosk)
    }

    /// Lets every kiosk notice what time it is, as its ticks do.
    pub fn tick(&mut self) -> Result<(), Trouble> {
        for place in 0..self.kiosks.len() {
            let name = self.kiosks[place].name.clone();
            self.kiosk(&name)?.end_overdue_sessions()?;
            self.happen(&name, Event::Tick)?;
        }
        Ok(())
    }

    /// Badge, task, lot: up to the verdict.
    pub fn badge_and_ask(&mut self, kiosk: &str, badge: &str, task: &str, lot: &str) -> Result<View, Trouble> {
        self.scan(kiosk, badge)?;
        if self.view(kiosk)?.screen == Screen::SigningSetUp {
            // Later: a task that asks no signature is started without.
            self.tap(kiosk, "action:back")?;
        }
        self.expect_screen(kiosk, Screen::Tasks)?;
        self.ask_again(kiosk, task, lot)
    }

    /// Taps the task, gives the lot where it is asked for.
    pub fn ask_again(&mut self, kiosk: &str, task: &str, lot: &str) -> Result<View, Trouble> {
        self.tap(kiosk, &format!("task:{task}"))?;
        if self.view(kiosk)?.screen == Screen::Lot {
            self.scan(kiosk, lot)?;
        }
        self.expect_screen(kiosk, Screen::Verdict)?;
        self.view(kiosk)
    }

    /// From the verdict: reads to the end and signs, answers the quiz.
    pub fn learn(&mut self, kiosk: &str, person: &str, right: &Answers) -> Result<(), Trouble> {
        self.tap(kiosk, "next")?;
        self.expect_screen(kiosk, Screen::Reader)?;
        for _ in 0..PATIENCE {
            if self.view(kiosk)?.reader.next == ReaderNext::ReadAndUnderstood {
                break;
            }
            self.tap(kiosk, "next")?;
        }
        self.tap(kiosk, "next")?;
        self.enter_secret(kiosk, person)?;
        self.expect_screen(kiosk, Screen::Receipt)?;
        self.tap(kiosk, "next")?;
        self.answer(kiosk, right)?;
        self.expect_screen(kiosk, Screen::Receipt)
    }

    fn answer(&mut self, kiosk: &str, right: &Answers) -> Result<(), Trouble> {
        for _ in 0..PATIENCE {
            let view = self.view(kiosk)?;
            if view.screen != Screen::Quiz || view.quiz.state != QuizState::Question {
                break;
            }
            let positions = right.of_question(&view.quiz.question)?;
            for position in positions {
                self.tap(kiosk, &format!("answer:{}", position + 1))?;
            }
            self.tap(kiosk, "next")?;
        }
        Ok(())
    }

    /// From the receipt of the quiz: a supervised start with the trainer, the worksheet's steps, one run signed by both.
    pub fn do_a_run(&mut self, kiosk: &str, person: &str, trainer: (&str, &str)) -> Result<(), Trouble> {
        self.tap(kiosk, "next")?;
        self.expect_screen(kiosk, Screen::Verdict)?;
        self.tap(kiosk, "action:supervised")?;
        self.expect_screen(kiosk, Screen::SecondBadge)?;
        self.scan(kiosk, trainer.1)?;
        self.enter_secret(kiosk, trainer.0)?;
        self.expect_screen(kiosk, Screen::Supervised)?;
        self.tap(kiosk, "action:end")?;
        self.tap(kiosk, "next")?;
        self.tick_all_steps(kiosk)?;
        self.tap(kiosk, "action:record-run")?;
        self.both_sign(kiosk, person, trainer)
    }

    fn tick_all_steps(&mut self, kiosk: &str) -> Result<(), Trouble> {
        self.expect_screen(kiosk, Screen::Worksheet)?;
        for _ in 0..self.view(kiosk)?.worksheet.pages {
            for step in self.view(kiosk)?.worksheet.steps {
                self.tap(kiosk, &format!("step:{}:pass", step.number))?;
            }
            self.tap(kiosk, "page:next")?;
        }
        Ok(())
    }

    /// From the receipt of the run: every criterion, the outcome, both signatures.
    pub fn be_checked(&mut self, kiosk: &str, person: &str, assessor: (&str, &str)) -> Result<(), Trouble> {
        self.tap(kiosk, "next")?;
        self.expect_screen(kiosk, Screen::Check)?;
        for _ in 0..self.view(kiosk)?.check.pages {
            for criterion in self.view(kiosk)?.check.criteria {
                if criterion.kind == CriterionKind::PassFail {
                    self.tap(kiosk, &format!("criterion:{}:pass", criterion.number))?;
                } else {
                    self.tap(kiosk, &format!("criterion:{}:value", criterion.number))?;
                    let limit = if criterion.minimum.is_empty() { criterion.maximum } else { criterion.minimum };
                    self.happen(kiosk, Event::Typed { field: "value".into(), text: limit })?;
                    self.tap(kiosk, "ok")?;
                }
            }
            self.tap(kiosk, "page:next")?;
        }
        self.tap(kiosk, "outcome:pass")?;
        self.tap(kiosk, "next")?;
        self.both_sign(kiosk, person, assessor)
    }

    /// A sign-off: the person's secret, the second person's badge and secret, up to the receipt.
    pub fn both_sign(&mut self, kiosk: &str, person: &str, second: (&str, &str)) -> Result<(), Trouble> {
        self.enter_secret(kiosk, person)?;
        self.expect_screen(kiosk, Screen::SecondBadge)?;
        self.scan(kiosk, second.1)?;
        self.enter_secret(kiosk, second.0)?;
        self.expect_screen(kiosk, Screen::Receipt)
    }
}

/// How the terminal stands; `None` when its store can't say, as the running kiosk has it.
fn standing(core: &mut kiosk::core::Core) -> Option<Event> {
    desk::snapshot(core).ok().map(|snapshot| Event::Status(Box::new(snapshot)))
}

/// The right answers of a plant folder's quizzes, by the question's text: what its author knows.
pub struct Answers(BTreeMap<String, Vec<u16>>);

impl Answers {
    /// The number on the screen of an answer that is not right, from 1.
    pub fn wrong(&self, question: &str) -> Result<u16, Trouble> {
        let right = self.0.get(question).ok_or("a question that the plant folder doesn't have")?;
        let wrong = (0..).find(|position| !right.contains(position)).ok_or("every answer is right")?;
        Ok(wrong + 1)
    }

    pub fn of(folder: &std::path::Path) -> Result<Self, Trouble> {
        Self::of_folder(&sync_server::import::read(folder).map_err(|errors| format!("{errors:?}"))?)
    }

    /// The same, of a folder that was read already.
    pub fn of_folder(folder: &sync_server::import::PlantFolder) -> Result<Self, Trouble> {
        let mut answers = BTreeMap::new();
        for quiz in &folder.quizzes {
            let paper = Paper::decode(&folder.blob(&quiz.row.paper)?)?;
            let right = folder.answers.get(&quiz.row.quiz).ok_or("a quiz without answers")?;
            answers.extend(paper.questions.into_iter().map(|q| q.text).zip(right.iter().cloned()));
        }
        Ok(Self(answers))
    }

    /// The right answers of a question, as positions from 0.
    pub fn of_question(&self, question: &str) -> Result<&[u16], Trouble> {
        let right = self.0.get(question).ok_or("the plant folder doesn't have this question")?;
        Ok(right)
    }
}
