//! Learning on the spot: the procedure, read and signed; the quiz, drawn, answered, graded and signed (U13).

use minicbor::{Decode, Encode};
use shared::id::*;
use shared::kind::plant::{Activity, ActivityKind, Format, QuizSet, RequirementSet};
use shared::kind::presence::QuizOpened;
use shared::kind::record::{About, Outcome, QuizAttempt, Read};
use shared::kind::{Body, Meaning, Role, to_cbor};
use shared::log::{Draft, Entry, Stream, Subject};
use shared::part11::boxes::keyed_answers;
use shared::plant::InForce;
use shared::plant::steps::{Step, steps};
use shared::record::Topic;
use shared::time::Timestamp;
use shared::training::quiz::{Paper, Question, answers_box_name, answers_digest, draw, score};
use shared::training::{Tense, qualification};
use store::{boxes, questions, shelf};

use super::{Core, Denied};

/// A procedure, as it is shown to one person.
#[derive(Debug, Clone)]
pub struct Procedure {
    pub about: About,
    pub title: String,
    pub effective_from: Timestamp,
    pub language: Language,
    /// The person's language has no translation: another is shown, and recorded (S7).
    pub fallback: bool,
    pub format: Format,
    pub digest: Digest32,
    pub bytes: Vec<u8>,
    pub steps: Vec<Step>,
    pub changed_steps: Vec<String>,
    pub change_summary: String,
    pub minutes: Option<u32>,
}

/// A quiz being answered: drawn once, graded here, never shown with its answers.
#[derive(Debug, Clone)]
pub struct OpenQuiz {
    pub about: About,
    pub quiz: QuizSet,
    pub drawn: Vec<u16>,
    pub questions: Vec<Question>,
    /// For each question, whether more than one answer is right: the screen says "choose all" there.
    pub multiple: Vec<bool>,
    pub attempts_left: u32,
    /// The answers given so far, by question.
    pub chosen: Vec<Vec<u16>>,
    paper: Paper,
}

/// An open quiz as it is kept on disk: its person goes on with the same questions after a swap or a restart, so that nobody draws until
/// the questions please, and nothing that was answered is lost (S2, R17).
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
#[cbor(map)]
struct KeptQuiz {
    #[n(0)]
    about: About,
    #[n(1)]
    quiz: QuizId,
    #[n(2)]
    paper: Digest32,
    #[n(3)]
    answers: Digest32,
    #[n(4)]
    drawn: Vec<u16>,
    #[n(5)]
    chosen: Vec<Vec<u16>>,
}

impl KeptQuiz {
    fn of(open: &OpenQuiz) -> Self {
        Self {
            about: open.about.clone(),
            quiz: open.quiz.quiz.clone(),
            paper: open.quiz.paper,
            answers: open.quiz.answers,
            drawn: open.drawn.clone(),
            chosen: open.chosen.clone(),
        }
    }

    /// A quiz that has changed since, or another version's, is begun anew; that it was opened stays in the presence stream.
    fn is_of(&self, about: &About, quiz: &QuizSet) -> bool {
        (&self.about, &self.quiz, self.paper, self.answers) == (about, &quiz.quiz, quiz.paper, quiz.answers)
    }
}

/// How an attempt went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuizResult {
    pub entry: EntryId,
    pub score_percent: u8,
    pub passed: bool,
    pub attempts_left: u32,
}

impl Core {
    /// What a requirement asks to be trained on now: its document's version in force, or the next one when none is.
    pub fn about(&mut self, requirement: &RequirementId) -> Result<About, Denied> {
        let now = self.reading().wall;
        let plant = self.plant().clone();
        let set = plant.requirements.get(requirement).ok_or(Denied::Unknown)?;
        let version = match plant.in_force(set, now) {
            InForce::Version(version) => Some(version.id().clone()),
            InForce::Always => None,
            InForce::Withdrawn(_) | InForce::Nothing => return Err(Denied::Unknown),
        };
        Ok(About { requirement: requirement.clone(), document: set.document.clone(), version })
    }

    /// The procedure in the person's language, else in its first.
    pub fn procedure(&mut self, person: &PersonId, about: &About) -> Result<Procedure, Denied> {
        let plant = self.plant().clone();
        let document = about.document.as_ref().and_then(|id| plant.documents.get(id)).ok_or(Denied::Unknown)?;
        let version_id = about.version.as_ref().ok_or(Denied::Unknown)?;
        let (version, draft) = document.version(version_id).zip(document.draft(version_id)).ok_or(Denied::Unknown)?;
        let wanted = plant.people.get(person).map(|p| p.language.clone());
        let exact = draft.contents.iter().find(|content| Some(&content.language) == wanted.as_ref());
        let content = exact.or(draft.contents.first()).ok_or(Denied::ContentMissing)?;
        let bytes = self.blobs.read(&content.hash)?.ok_or(Denied::ContentMissing)?;
        let markdown = if content.format == Format::Markdown {
            String::from_utf8_lossy(&bytes).into_owned()
        } else {
            String::new()
        };
        Ok(Procedure {
            about: about.clone(),
            title: document.set.title.clone(),
            effective_from: version.effective_from(),
            language: content.language.clone(),
            fallback: exact.is_none(),
            format: content.format,
            digest: content.hash,
            steps: steps(&markdown),
            bytes,
            changed_steps: draft.changed_steps.clone(),
            change_summary: content.change_summary.clone(),
            minutes: draft.minutes,
        })
    }

    /// Signs that the person has read and understood exactly these bytes.
    pub fn sign_read(&mut self, person: &PersonId, procedure: &Procedure, seconds: u32) -> Result<Entry, Denied> {
        self.check_order(person, &procedure.about, ActivityKind::Read)?;
        let body = Read {
            about: procedure.about.clone(),
            content: Some(procedure.digest),
            language: procedure.language.clone(),
            seconds,
            reached_end: true,
        };
        self.sign_own(person, body, Meaning::ReadAndUnderstood, Some(procedure.digest))
    }

    /// One signed entry about the person by the person, with the key unlocked in this badge session.
    pub(crate) fn sign_own(
        &mut self,
        person: &PersonId,
        body: impl Into<Body>,
        meaning: Meaning,
        shown: Option<Digest32>,
    ) -> Result<Entry, Denied> {
        let draft = self.own_draft(person, body.into(), meaning, shown)?;
        let stream = Stream::record(&self.site()?);
        self.write(vec![(stream, draft)])?.pop().ok_or(Denied::Unknown)
    }

    fn own_draft(
        &mut self,
        person: &PersonId,
        body: Body,
        meaning: Meaning,
        shown: Option<Digest32>,
    ) -> Result<Draft, Denied> {
        let key = self.session_key(person)?;
        let heads = self.heads_about(person, body.about())?;
        let draft = self.draft(Subject::person(person), body).having_seen(heads);
        Ok(self.signed(draft, person, &key, Role::Operator, meaning, shown))
    }

    /// The record entries about the person and requirement that no other of them has seen: what a new one names as seen.
    pub(crate) fn heads_about(&self, person: &PersonId, about: Option<&About>) -> Result<Vec<EntryId>, Denied> {
        let Some(about) = about else { return Ok(Vec::new()) };
        let mut mine = self.on_requirement(person, &about.requirement)?;
        mine.sort_by_key(|entry| std::cmp::Reverse(entry.header().hybrid));
        let seen: Vec<EntryId> = mine.iter().flat_map(|entry| entry.header().seen.iter().copied()).collect();
        Ok(mine.iter().map(|entry| entry.id()).filter(|id| !seen.contains(id)).collect())
    }

    /// What was done about a person on one requirement, unsorted: not what others only said that they did.
    pub(super) fn on_requirement(&self, person: &PersonId, requirement: &RequirementId) -> Result<Vec<Entry>, Denied> {
        let (subject, topic) = (Subject::person(person), Topic::Requirement(requirement.clone()));
        let connection = self.ledger.connection();
        let mut done = Vec::new();
        for entry in shelf::record_on(connection, subject.as_str(), &topic)? {
            if questions::verdict(connection, &entry.id())?.was_done() {
                done.push(entry);
            }
        }
        Ok(done)
    }

    /// Opens a quiz: draws the questions, and says so before they are seen. One that was left half answered here goes on as it was.
    pub fn open_quiz(&mut self, person: &PersonId, about: &About) -> Result<OpenQuiz, Denied> {
        self.check_order(person, about, ActivityKind::Quiz)?;
        let plant = self.plant().clone();
        let set = plant.requirements.get(&about.requirement).ok_or(Denied::Unknown)?;
        let quiz = quiz_of(set).and_then(|id| plant.quizzes.get(id)).ok_or(Denied::Unknown)?.clone();
        let attempts_left = self.attempts_left(person, about, &quiz)?;
        if attempts_left == 0 {
            return Err(Denied::NoAttemptLeft);
        }
        let bytes = self.blobs.read(&quiz.paper)?.ok_or(Denied::ContentMissing)?;
        let paper = Paper::decode(&bytes).map_err(|_| Denied::ContentMissing)?;
        let kept = self.kept_quiz(person)?.filter(|kept| kept.is_of(about, &quiz));
        let is_new = kept.is_none();
        let (drawn, chosen) = match kept {
            Some(kept) => (kept.drawn, kept.chosen),
            None => (draw(paper.questions.len() as u16, quiz.ask, self.random()), Vec::new()),
        };
        let questions = drawn.iter().filter_map(|place| paper.questions.get(usize::from(*place)).cloned()).collect();
        let right = self.right_answers(&quiz)?;
        let several = |place: &u16| right.get(usize::from(*place)).is_some_and(|answers| answers.len() > 1);
        let multiple = drawn.iter().map(several).collect();
        let open = OpenQuiz { about: about.clone(), quiz, drawn, questions, multiple, attempts_left, chosen, paper };
        if is_new {
            self.note_opened(person, &open)?;
        }
        self.session_of(person)?.quiz = Some(open.clone());
        Ok(open)
    }

    fn note_opened(&mut self, person: &PersonId, open: &OpenQuiz) -> Result<(), Denied> {
        let body = QuizOpened { quiz: open.quiz.quiz.clone(), requirement: open.about.requirement.clone() };
        let (draft, presence) = (self.draft(Subject::person(person), body), Stream::presence(&self.site()?));
        let (now, state) = (self.now(), to_cbor(&KeptQuiz::of(open)));
        self.write_with(now, |writer| {
            writer.write(&presence, &draft)?;
            Ok(writer.step().keep_quiz(person, &state)?)
        })
    }

    fn kept_quiz(&self, person: &PersonId) -> Result<Option<KeptQuiz>, Denied> {
        let state = crate::store::open_quiz(self.ledger.connection(), person)?;
        // One that can't be read any more is begun anew.
        Ok(state.and_then(|state| minicbor::decode(&state).ok()))
    }

    /// Keeps the answers given so far: a swap of people, an idle log-out and a restart lose none of them (S2).
    pub fn keep_answers(&mut self, person: &PersonId, chosen: Vec<Vec<u16>>) -> Result<(), Denied> {
        let open = self.session_of(person)?.quiz.as_mut().ok_or(Denied::NoSession)?;
        open.chosen = chosen;
        let (state, clock) = (to_cbor(&KeptQuiz::of(open)), self.reading());
        crate::store::step(&mut self.ledger, clock, |step| Ok(step.keep_quiz(person, &state)?))
    }

    /// Attempts that remain: the quiz's limit, plus one per coaching, less what was tried on this version since the last pass.
    pub(crate) fn attempts_left(&self, person: &PersonId, about: &About, quiz: &QuizSet) -> Result<u32, Denied> {
        let (mut allowed, mut tried) = (u32::from(quiz.max_attempts), 0);
        for entry in self.on_requirement(person, &about.requirement)? {
            match entry.statement().ok().flatten().map(|statement| statement.body) {
                Some(Body::QuizAttempt(b)) => tried += u32::from(b.about == *about && b.outcome != Outcome::Passed),
                // One by somebody who is no trainer opens nothing.
                Some(Body::Coaching(b)) if b.about == *about => {
                    let verdict = questions::verdict(self.ledger.connection(), &entry.id())?;
                    allowed += u32::from(verdict.is_effective());
                }
                _ => {}
            }
        }
        Ok(allowed.saturating_sub(tried))
    }

    /// Grades and signs an attempt. The right answers are unsealed for this one call and shown to nobody.
    pub fn sign_quiz(&mut self, person: &PersonId, answers: Vec<Vec<u16>>) -> Result<QuizResult, Denied> {
        let open = self.session_of(person)?.quiz.clone().ok_or(Denied::NoSession)?;
        let right = self.right_answers(&open.quiz)?;
        let score_percent = score(&open.paper, &open.drawn, &answers, &right);
        let passed = score_percent >= open.quiz.pass_percent;
        let body = QuizAttempt {
            about: open.about.clone(),
            quiz: open.quiz.quiz.clone(),
            paper: open.quiz.paper,
            drawn: open.drawn.clone(),
            answers,
            score_percent,
            outcome: if passed { Outcome::Passed } else { Outcome::Failed },
        };
        let draft = self.own_draft(person, body.into(), Meaning::Answered, Some(open.quiz.paper))?;
        let (now, stream) = (self.now(), Stream::record(&self.site()?));
        let entry = self.write_with(now, |writer| {
            writer.step().close_quiz(person)?;
            writer.write(&stream, &draft)
        })?;
        self.session_of(person)?.quiz = None;
        let attempts_left = self.attempts_left(person, &open.about, &open.quiz)?;
        Ok(QuizResult { entry: entry.id(), score_percent, passed, attempts_left })
    }

    fn right_answers(&self, quiz: &QuizSet) -> Result<Vec<Vec<u16>>, Denied> {
        let name = answers_box_name(&quiz.answers);
        let peppers = &self.enrolled().ok_or(Denied::NotSetUp)?.peppers;
        let sealed = boxes::sealed_box(self.ledger.connection(), &name)?.ok_or(Denied::ContentMissing)?;
        let pepper = peppers.of(sealed.epoch).ok_or(Denied::ContentMissing)?;
        let plain = sealed.open_site(&name, pepper).map_err(|_| Denied::ContentMissing)?;
        let right: Vec<Vec<u16>> = minicbor::decode(&plain).map_err(|_| Denied::ContentMissing)?;
        // What was sealed must be what the approved quiz names: a swapped box grades nobody.
        let named = keyed_answers(peppers.first(), &answers_digest(&quiz.paper, &right)) == quiz.answers;
        if named { Ok(right) } else { Err(Denied::ContentMissing) }
    }

    /// `operational_check` (21 CFR 11.10(f), R6): what is listed before comes before. Evidence that lies at another offline kiosk isn't
    /// known here; then this kiosk asks for what it doesn't see.
    pub(crate) fn check_order(&mut self, person: &PersonId, about: &About, kind: ActivityKind) -> Result<(), Denied> {
        let now = self.reading().wall;
        let plant = self.plant().clone();
        let record = questions::record_on(self.ledger.connection(), person, [&about.requirement].into())?;
        let state = qualification(&plant, &about.requirement, person, &record, &[], now, Tense::Now);
        let before = state.activities.iter().take_while(|a| a.activity.kind() != kind);
        if state.activities.iter().all(|a| a.activity.kind() != kind) {
            return Err(Denied::Unknown);
        }
        if before.into_iter().all(|a| a.held) { Ok(()) } else { Err(Denied::OutOfOrder) }
    }
}

pub(crate) fn quiz_of(set: &RequirementSet) -> Option<&QuizId> {
    set.activities.iter().find_map(|activity| match activity {
        Activity::Quiz(quiz) => Some(quiz),
        _ => None,
    })
}
