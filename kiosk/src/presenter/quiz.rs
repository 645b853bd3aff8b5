//! The quiz, a question a screen. What was right is never known here.

use std::collections::BTreeSet;

use shared::kind::plant::ActivityKind;
use shared::kind::record::Outcome;

use super::id::{Action, TapId};
use super::message::{QuizReply, QuizScore, SignedReply, What};
use super::say::{count, document_title, edition_of, text};
use super::view::{self, QuizNext, QuizState, Screen};
use super::{Badged, Presenter, Purpose, reader, signing};
use crate::core::coach::UsedUp;

/// A quiz being answered.
pub(super) struct Answering {
    reply: QuizReply,
    place: usize,
    chosen: Vec<BTreeSet<u16>>,
    /// It goes on after a break.
    resumed: bool,
    /// The attempt was not passed.
    failed: Option<QuizScore>,
}

impl Answering {
    /// No attempt is left: only how the last one ended is shown.
    pub fn used_up(used: UsedUp) -> Self {
        let failed = Some(QuizScore { percent: used.last_percent, attempts_left: 0 });
        let reply = QuizReply {
            about: used.about,
            questions: Vec::new(),
            multiple: Vec::new(),
            pass_percent: used.quiz.pass_percent,
            attempts_left: 0,
            chosen: Vec::new(),
        };
        Self { reply, place: 0, chosen: Vec::new(), resumed: false, failed }
    }

    /// At the first question without an answer: a quiz that was begun before goes on there.
    fn new(mut reply: QuizReply) -> Self {
        let mut before = std::mem::take(&mut reply.chosen);
        before.resize(reply.questions.len(), Vec::new());
        let chosen: Vec<BTreeSet<u16>> = before.into_iter().map(|answers| answers.into_iter().collect()).collect();
        let resumed = chosen.iter().any(|answers| !answers.is_empty());
        let open = chosen.iter().position(BTreeSet::is_empty).unwrap_or(chosen.len().saturating_sub(1));
        Self { reply, place: open, chosen, resumed, failed: None }
    }

    fn answers(&self) -> Vec<Vec<u16>> {
        self.chosen.iter().map(|chosen| chosen.iter().copied().collect()).collect()
    }

    fn multiple(&self) -> bool {
        self.reply.multiple.get(self.place).copied().unwrap_or(true)
    }

    fn is_last(&self) -> bool {
        self.place + 1 >= self.reply.questions.len()
    }

    fn is_answered(&self) -> bool {
        self.chosen.get(self.place).is_some_and(|chosen| !chosen.is_empty())
    }

    /// Touching an answer chooses it, or takes it back; where one is right, the last one touched counts.
    fn choose(&mut self, number: usize) {
        let multiple = self.multiple();
        let answers = self.reply.questions.get(self.place).map_or(0, |question| question.answers.len());
        let Some(chosen) = self.chosen.get_mut(self.place).filter(|_| number <= answers) else { return };
        let answer = u16::try_from(number - 1).unwrap_or(u16::MAX);
        if !chosen.remove(&answer) {
            if !multiple {
                chosen.clear();
            }
            chosen.insert(answer);
        }
    }
}

impl Presenter {
    pub(super) fn quiz_came(&mut self, reply: QuizReply) {
        let Some(badged) = self.badged.as_mut() else { return };
        if let Some(training) = badged.training.as_mut() {
            training.context.about = reply.about.clone();
        }
        badged.quiz = Some(Answering::new(reply));
        self.touched = self.now;
        self.screen = Screen::Quiz;
    }

    pub(super) fn tap_quiz(&mut self, id: TapId) {
        let Some(badged) = self.badged.as_mut() else { return };
        let Some(quiz) = badged.quiz.as_mut() else { return };
        match (id, quiz.failed.is_some()) {
            (TapId::Action(Action::Back), _) => self.back_to_tasks(),
            (TapId::Answer(number), false) => {
                quiz.choose(number);
                let (person, answers) = (badged.seen.person.clone(), quiz.answers());
                self.send(Purpose::Nothing, What::KeepAnswers { person, answers });
            }
            (TapId::Next, false) if quiz.is_answered() && quiz.is_last() => {
                let answers = quiz.answers();
                self.begin_signing(signing::Act::Quiz { answers });
            }
            (TapId::Next, false) if quiz.is_answered() => quiz.place += 1,
            (TapId::Next, true) => match self.after_failure() {
                QuizNext::ReadAgain => self.read_again(),
                QuizNext::TryAgain => self.go_on_with(ActivityKind::Quiz),
                QuizNext::AskTrainer => self.ask_trainer(),
                _ => self.back_to_tasks(),
            },
            _ => {}
        }
    }

    fn read_again(&mut self) {
        let requirement = self.badged.as_ref().and_then(|badged| badged.training.as_ref());
        if let Some(requirement) = requirement.map(|training| training.context.about.requirement.clone()) {
            self.open_procedure(requirement, reader::Use::BeforeQuiz);
        }
    }

    /// The attempt is graded and signed. Passed, the receipt says so; else this screen says how it goes on.
    pub(super) fn quiz_signed(&mut self, reply: &SignedReply) {
        let Some(quiz) = self.badged.as_mut().and_then(|badged| badged.quiz.as_mut()) else { return };
        if reply.outcome != Outcome::Passed {
            quiz.failed = Some(reply.quiz.unwrap_or(QuizScore { percent: 0, attempts_left: 0 }));
            self.screen = Screen::Quiz;
        }
    }

    fn after_failure(&self) -> QuizNext {
        let Some(badged) = &self.badged else { return QuizNext::AskTrainer };
        let left = badged.quiz.as_ref().and_then(|quiz| quiz.failed).map_or(0, |score| score.attempts_left);
        let has_document = badged.training.as_ref().is_some_and(|training| training.context.about.document.is_some());
        match (left, has_document) {
            (0, _) => QuizNext::AskTrainer,
            (_, true) => QuizNext::ReadAgain,
            (_, false) => QuizNext::TryAgain,
        }
    }

    pub(super) fn quiz_view(&self, badged: &Badged) -> view::Quiz {
        let Some(quiz) = &badged.quiz else { return view::Quiz::default() };
        let about = &quiz.reply.about;
        let question = quiz.reply.questions.get(quiz.place);
        let chosen = quiz.chosen.get(quiz.place);
        let answer = |(place, text): (usize, &String)| view::Answer {
            text: text.clone(),
            chosen: u16::try_from(place).is_ok_and(|place| chosen.is_some_and(|chosen| chosen.contains(&place))),
        };
        let attempts_left = quiz.failed.map_or(quiz.reply.attempts_left.saturating_sub(1), |score| score.attempts_left);
        view::Quiz {
            state: if quiz.failed.is_some() { QuizState::Failed } else { QuizState::Question },
            document: text(about.document.as_ref().map(|document| document.as_str())),
            title: document_title(&self.snapshot.plant, about.document.as_ref()),
            version: edition_of(about.version.as_ref()),
            question: question.map_or_else(String::new, |question| question.text.clone()),
            number: count(quiz.place + 1),
            of: count(quiz.reply.questions.len()),
            multiple: quiz.multiple(),
            answers: question
                .map_or_else(Vec::new, |question| question.answers.iter().enumerate().map(answer).collect()),
            attempts_left: count(attempts_left),
            percent: quiz.failed.map_or(0, |score| i32::from(score.percent)),
            pass_mark: i32::from(quiz.reply.pass_percent),
            next: match quiz.failed {
                Some(_) => self.after_failure(),
                None if quiz.is_last() => QuizNext::Finish,
                None => QuizNext::Answer,
            },
            resumed: quiz.resumed,
            can_go_on: quiz.failed.is_some() || quiz.is_answered(),
        }
    }
}
