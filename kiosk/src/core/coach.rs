//! Coaching: after the last failed attempt at a quiz, a trainer's signature beside the person's opens exactly one more (L2).

use shared::id::*;
use shared::kind::plant::QuizSet;
use shared::kind::record::{About, Coaching};
use shared::kind::{Body, Meaning, Role};
use shared::log::{Entry, Stream, Subject};
use shared::part11::authority::Right;

use super::learn::quiz_of;
use super::secret::Signer;
use super::{Core, Denied};

/// A quiz with no attempt left.
#[derive(Debug, Clone)]
pub struct UsedUp {
    pub about: About,
    pub quiz: QuizSet,
    /// Score of the last attempt on this version.
    pub last_percent: u8,
    pub attempts: u32,
}

impl Core {
    /// What coaching would be about; `None` while attempts are left.
    pub fn used_up(&mut self, person: &PersonId, about: &About) -> Result<Option<UsedUp>, Denied> {
        let plant = self.plant().clone();
        let set = plant.requirements.get(&about.requirement).ok_or(Denied::Unknown)?;
        let quiz = quiz_of(set).and_then(|id| plant.quizzes.get(id)).ok_or(Denied::Unknown)?.clone();
        if self.attempts_left(person, about, &quiz)? > 0 {
            return Ok(None);
        }
        let mut tried = self.on_requirement(person, &about.requirement)?;
        tried.sort_by_key(|entry| entry.header().hybrid);
        let mut scores: Vec<u8> = tried.iter().filter_map(|entry| score_on(entry, about)).collect();
        let attempts = u32::try_from(scores.len()).unwrap_or(u32::MAX);
        Ok(Some(UsedUp { about: about.clone(), quiz, last_percent: scores.pop().unwrap_or(0), attempts }))
    }

    /// Whether the person may coach another here; asked before their secret is.
    pub fn may_coach(&mut self, trainer: &PersonId, person: &PersonId) -> Result<(), Denied> {
        self.may_stand_for(trainer, person, &Right::Train)
    }

    /// Signs that the trainer has coached the person. Only after the last attempt: coaching can't be saved up.
    pub fn sign_coaching(
        &mut self,
        person: &PersonId,
        about: &About,
        (own, trainer): (&Signer, &Signer),
    ) -> Result<Entry, Denied> {
        self.may_coach(&trainer.person, person)?;
        if own.person != *person {
            return Err(Denied::NoAuthority { person: own.person.clone() });
        }
        let used = self.used_up(person, about)?.ok_or(Denied::OutOfOrder)?;
        let own_key = self.unlock(own)?;
        let trainers_key = self.unlock(trainer)?;
        let reason = format!("no attempt left after {}; the last reached {} %", used.attempts, used.last_percent);
        let body = Coaching { about: about.clone(), quiz: used.quiz.quiz, reason };
        let heads = self.heads_about(person, Some(about))?;
        let draft = self.draft(Subject::person(person), body).having_seen(heads);
        let draft = self.signed(draft, person, &own_key, Role::Operator, Meaning::Coached, None);
        let draft = self.signed(draft, &trainer.person, &trainers_key, Role::Trainer, Meaning::Coached, None);
        let stream = Stream::record(&self.site()?);
        self.write(vec![(stream, draft)])?.pop().ok_or(Denied::Unknown)
    }
}

fn score_on(entry: &Entry, about: &About) -> Option<u8> {
    match entry.statement().ok().flatten()?.body {
        Body::QuizAttempt(attempt) if attempt.about == *about => Some(attempt.score_percent),
        _ => None,
    }
}
