//! Asking the gate, and starting: the decision is journalled with its proof before anybody sees it.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use shared::id::*;
use shared::kind::journal::{DecidedVersion, Decision};
use shared::kind::plant::TaskSet;
use shared::kind::presence::{SessionEnd, StartedUnder, TaskStarted};
use shared::kind::record::SupervisedStart;
use shared::kind::{Family, Meaning, Role};
use shared::log::{Revision, Stream, Subject};
use shared::record::TrainingRecord;
use shared::sync::TerminalShelf;
use shared::training::gate::RULE_VERSION;
use shared::training::task_session::Performances;
use shared::training::{GateDecision, Known, Question, RequirementState, decide, qualification};
use store::{history, questions};

use super::co_sign::Start;
use super::secret::Signer;
use super::{Core, Denied};
use crate::store::step;

/// A journalled decision, and the task session it opened, if it did.
#[derive(Debug, Clone)]
pub struct Verdict {
    pub decision: GateDecision,
    pub entry: EntryId,
    pub session: Option<ActId>,
}

/// One line of the task list.
#[derive(Debug, Clone)]
pub struct TaskLine {
    pub task: TaskSet,
    pub decision: GateDecision,
}

impl Core {
    /// The tasks at the kiosk's work units, each judged as of now, without a journal entry: nobody has asked to start.
    pub fn tasks(&mut self, person: &PersonId, lot: Option<&LotId>) -> Result<Vec<TaskLine>, Denied> {
        let units = self.enrolment().ok_or(Denied::NotSetUp)?.work_units.clone();
        let plant = self.plant().clone();
        let mut lines: Vec<TaskLine> = Vec::new();
        for unit in &units {
            for task in plant.tasks_at(unit) {
                if lines.iter().all(|line| line.task.task != task.task) {
                    let decision = self.judge(person, &task.task, unit, lot, None)?;
                    lines.push(TaskLine { task: task.clone(), decision });
                }
            }
        }
        Ok(lines)
    }

    /// Decides and journals; a GO opens a task session in the same step. The one that ran at this unit ends.
    pub fn ask(&mut self, person: &PersonId, task: &TaskId, lot: Option<&LotId>) -> Result<Verdict, Denied> {
        self.is_identified(person)?;
        let unit = self.unit_of(task)?;
        let decision = self.judge(person, task, &unit, lot, None)?;
        self.record_decision(person, task, &unit, lot, decision, None)
    }

    /// Whether it is known who holds the badge, where the plant's profile asks for it (R16).
    fn is_identified(&mut self, person: &PersonId) -> Result<(), Denied> {
        self.is_not_over(person)?;
        let shown =
            self.session.as_ref().is_some_and(|session| session.person == *person && session.unlocked.is_some());
        let asks = self.plant().policy.signing.profile.asks_who_holds_the_badge();
        if asks && !shown { Err(Denied::NotIdentified) } else { Ok(()) }
    }

    /// A start under a trainer's eyes: trainee and trainer sign, the trainer with their secret (S3).
    pub fn ask_supervised(
        &mut self,
        person: &PersonId,
        task: &TaskId,
        lot: Option<&LotId>,
        trainer: &Signer,
    ) -> Result<Verdict, Denied> {
        let unit = self.unit_of(task)?;
        let decision = self.judge(person, task, &unit, lot, Some(&trainer.person))?;
        if !decision.answer.may_start() {
            return self.record_decision(person, task, &unit, lot, decision, None);
        }
        let own_key = self.session_key(person)?;
        let trainers_key = self.unlock(trainer)?;
        let session = self.act();
        let body = SupervisedStart { session, task: task.clone(), trainer: trainer.person.clone() };
        let draft = self.draft(Subject::person(person), body);
        let draft = self.signed(draft, person, &own_key, Role::Operator, Meaning::Performed, None);
        let draft = self.signed(draft, &trainer.person, &trainers_key, Role::Trainer, Meaning::Supervises, None);
        self.record_decision(person, task, &unit, lot, decision, Some((session, trainer.person.clone(), draft)))
    }

    /// What the gate would answer now, without a journal entry: nobody has asked to start.
    pub fn look(
        &mut self,
        person: &PersonId,
        task: &TaskId,
        lot: Option<&LotId>,
        trainer: Option<&PersonId>,
    ) -> Result<GateDecision, Denied> {
        let unit = self.unit_of(task)?;
        self.judge(person, task, &unit, lot, trainer)
    }

    /// How the person stands in each of the task's requirements now.
    pub fn standing_of(&mut self, person: &PersonId, task: &TaskId) -> Result<Vec<RequirementState>, Denied> {
        let now = self.reading().wall;
        let (record, performances) = self.knowledge_of(person, task)?;
        let plant = self.plant().clone();
        let requirements = plant.tasks.get(task).ok_or(Denied::Unknown)?.requirements.iter();
        let state = |requirement: &RequirementId| {
            let governed = |task: &TaskId| plant.tasks.get(task).is_some_and(|t| t.requirements.contains(requirement));
            let counted: Vec<_> = performances.iter().filter(|(task, _)| governed(task)).map(|(_, p)| *p).collect();
            qualification(&plant, requirement, person, &record, &counted, now, shared::training::Tense::Now)
        };
        Ok(requirements.map(state).collect())
    }

    pub(crate) fn unit_of(&self, task: &TaskId) -> Result<WorkUnitId, Denied> {
        let units = &self.enrolment().ok_or(Denied::NotSetUp)?.work_units;
        let set = self.plant().tasks.get(task).ok_or(Denied::Unknown)?;
        let here = units.iter().find(|unit| set.work_units.contains(unit)).or(units.first());
        here.cloned().ok_or(Denied::Unknown)
    }

    /// The gate itself. An error, a panic, a missing table: NO-GO (R21).
    fn judge(
        &mut self,
        person: &PersonId,
        task: &TaskId,
        unit: &WorkUnitId,
        lot: Option<&LotId>,
        trainer: Option<&PersonId>,
    ) -> Result<GateDecision, Denied> {
        let clock = self.reading();
        let offline_ms = self.offline_ms()?;
        let locked_out = self.locked_out(person)?;
        let here = &self.enrolment().ok_or(Denied::NotSetUp)?.site;
        let mut history_in_transit = false;
        for person in std::iter::once(person).chain(trainer) {
            history_in_transit |= self.is_history_in_transit(person, here)?;
        }
        let (record, performances) = self.knowledge_of(person, task)?;
        let trainers = trainer.map(|trainer| self.knowledge_of(trainer, task)).transpose()?;
        let plant = self.plant().clone();
        let revoked = self.revoked_because()?.is_some();
        let trainees_of_trainer = trainer.map_or(Ok(0), |trainer| self.trainees_of(trainer))?;
        let co_signed = self.co_signature(Start { person, task, lot }, unit)?;
        let question = Question { person, task, work_unit: unit, lot, clock, trainer, co_signed };
        let known = Known {
            plant: &plant,
            record: &record,
            performances: &performances,
            trainers_record: trainers.as_ref().map(|(record, _)| record),
            trainers_performances: trainers.as_ref().map_or(&[], |(_, performances)| performances),
            trainees_of_trainer,
            offline_ms,
            locked_out,
            history_in_transit,
            revoked,
        };
        let decided = catch_unwind(AssertUnwindSafe(|| decide(&question, &known)));
        Ok(decided.unwrap_or_else(|_| GateDecision::internal_error()))
    }

    /// Whether this site was not yet told all that is known of the person at others where they work or worked.
    fn is_history_in_transit(&self, person: &PersonId, here: &SiteId) -> Result<bool, Denied> {
        let Some(sites) = self.plant().travellers.get(person) else { return Ok(false) };
        let told = history::told_in_full(self.ledger.connection(), person, here)?;
        Ok(sites.iter().any(|site| site != here && !told.contains(site)))
    }

    /// What bears on the person's starting the task: evidence on what governs it and on what comes before that; performances where one of
    /// these must be kept current. A record grows for years, and a decision doesn't wait for all of it.
    fn knowledge_of(&self, person: &PersonId, task: &TaskId) -> Result<(TrainingRecord, Performances), Denied> {
        let (plant, connection) = (self.plant(), self.ledger.connection());
        let governing = plant.tasks.get(task).into_iter().flat_map(|task| &task.requirements);
        let sets = governing.clone().filter_map(|requirement| plant.requirements.get(requirement));
        let needed: BTreeSet<&RequirementId> = governing.chain(sets.flat_map(|set| &set.prerequisites)).collect();
        let is_current = |requirement: &&RequirementId| {
            plant.requirements.get(*requirement).is_some_and(|set| set.currency.is_some())
        };
        let performances = match needed.iter().any(is_current) {
            true => questions::performances(connection, person)?,
            false => Performances::new(),
        };
        Ok((questions::record_on(connection, person, needed)?, performances))
    }

    fn record_decision(
        &mut self,
        person: &PersonId,
        task: &TaskId,
        unit: &WorkUnitId,
        lot: Option<&LotId>,
        decision: GateDecision,
        supervised: Option<(ActId, PersonId, shared::log::Draft)>,
    ) -> Result<Verdict, Denied> {
        let now = self.now();
        let enrolment = self.enrolment().ok_or(Denied::NotSetUp)?.clone();
        let (presence, journal) = (Stream::presence(&enrolment.site), Stream::journal(&enrolment.name));
        let body = Decision {
            rule_version: RULE_VERSION,
            task: task.clone(),
            work_unit: unit.clone(),
            lot: lot.cloned(),
            earliest: now.clock.earliest(),
            latest: now.clock.latest(),
            answer: decision.answer.word().into(),
            evidence: decision.evidence.clone(),
            versions: decided_versions(&decision),
            policy: self.plant().policy_entry,
            offline_ms: self.offline_ms()?,
            reasons: decision.reasons.iter().map(reason_text).collect(),
            trainer: supervised.as_ref().map(|(_, trainer, _)| trainer.clone()),
            records: self.read_of(Stream::record(&enrolment.site))?,
            visiting: self
                .read_of(Stream::of(Family::Visiting, enrolment.site.as_str()))?
                .filter(|read| read.number > 0),
        };
        let decided = self.draft(Subject::person(person), body);
        let starts = decision.answer.may_start();
        let ended = if starts { self.ended_by_start(unit)? } else { Vec::new() };
        let ends: Vec<_> = ended.iter().map(|s| self.ending(s, SessionEnd::NextStart)).collect();
        let session = supervised.as_ref().map_or_else(|| self.act(), |(session, ..)| *session);
        let trainer = supervised.as_ref().map(|(_, trainer, _)| trainer.clone());
        let started = TaskStarted {
            session,
            task: task.clone(),
            work_unit: unit.clone(),
            lot: lot.cloned(),
            decision: EntryId([0; 32]),
            trainer,
            versions: decision
                .versions
                .iter()
                .map(|(d, v)| StartedUnder { document: d.clone(), version: v.clone() })
                .collect(),
        };
        let (act, subject) = (self.act(), Subject::person(person));
        let entry = self.write_with(now, |writer| {
            let entry = writer.write(&journal, &decided)?;
            for end in &ends {
                writer.write(&presence, end)?;
            }
            if let Some((_, _, draft)) = &supervised {
                writer.write(&Stream::record(&enrolment.site), draft)?;
            }
            if starts {
                let body = TaskStarted { decision: entry.id(), ..started };
                let statement = shared::kind::Statement { act, body: body.into() };
                writer.write(&presence, &shared::log::Draft::new(subject, statement))?;
            }
            Ok(entry)
        })?;
        Ok(Verdict { decision, entry: entry.id(), session: starts.then_some(session) })
    }

    /// How far a stream was read.
    fn read_of(&mut self, stream: Stream) -> Result<Option<Revision>, Denied> {
        let clock = self.reading();
        step(&mut self.ledger, clock, |step| {
            let cursor = step.cursor(&stream)?;
            Ok(cursor.path.last().map(|last| Revision {
                stream,
                epoch: last.epoch,
                number: last.end,
                chain: last.hash,
            }))
        })
    }
}

fn decided_versions(decision: &GateDecision) -> Vec<DecidedVersion> {
    decision.versions.iter().map(|(d, v)| DecidedVersion { document: d.clone(), version: v.clone() }).collect()
}

fn reason_text(reason: &shared::training::Reason) -> String {
    serde_json::to_string(reason).unwrap_or_default()
}
