//! Replaying a kiosk's decision from what that kiosk knew (U1): the proof in its journal, taken at its word and decided once more.

use serde::Serialize;
use shared::id::*;
use shared::kind::Body;
use shared::kind::journal::Decision;
use shared::log::Entry;
use shared::time::{ClockReading, Timestamp};
use shared::training::gate::RULE_VERSION;
use shared::training::task_session::Performances;
use shared::training::{GateDecision, Known, Question, decide};
use store::{questions, shelf};

use super::{Core, Refused};

/// A decision, and what the rules say on the same knowledge today.
#[derive(Debug, Clone, Serialize)]
pub struct Replay {
    pub entry: EntryId,
    pub person: PersonId,
    pub task: TaskId,
    pub at: Timestamp,
    pub answer: String,
    pub replayed: String,
    /// Same answer, same evidence, same versions.
    pub same: bool,
    /// Evidence that the decision names and this server doesn't hold.
    pub evidence_missing: Vec<EntryId>,
    /// The rules by which it was decided, and those of this program.
    pub rule_version: u32,
    pub rule_version_now: u32,
}

impl Core {
    /// Decides once more what a kiosk decided, on the plant, the record and the clock that its journal entry names.
    ///
    /// What only the kiosk could see (how long it had been alone, a lockout, its own revocation) is taken from the entry.
    pub fn replay(&self, id: &EntryId) -> Result<Replay, Refused> {
        let entry = shelf::entry(self.ledger().connection(), id)?;
        let entry = entry.ok_or_else(|| Refused::no(format!("no entry {id} is held here")))?;
        let (person, body) = decision_of(&entry).ok_or_else(|| Refused::no(format!("{id} is not a decision")))?;
        let replayed = self.decide_again(&entry, &person, &body)?;
        let evidence_missing = self.not_held(&body.evidence)?;
        let versions = body.versions.iter().map(|decided| (&decided.document, &decided.version));
        let same = replayed.answer.word() == body.answer
            && replayed.evidence == body.evidence
            && replayed.versions.iter().map(|(document, version)| (document, version)).eq(versions);
        Ok(Replay {
            entry: *id,
            person,
            task: body.task,
            at: entry.header().wall,
            answer: body.answer,
            replayed: replayed.answer.word().into(),
            same: same && evidence_missing.is_empty(),
            evidence_missing,
            rule_version: body.rule_version,
            rule_version_now: RULE_VERSION,
        })
    }

    fn decide_again(&self, entry: &Entry, person: &PersonId, body: &Decision) -> Result<GateDecision, Refused> {
        let device = entry.log().device;
        let mut revisions = entry.header().plant.clone();
        revisions.extend(body.read_of_people());
        let (plant, record) = self.as_known(person, &device, &revisions, entry.header().wall)?;
        let site = plant.devices.get(&device).map(|enrolled| &enrolled.site);
        let performances = self.performed_before(person, body.earliest, site)?;
        let trainer = body.trainer.as_ref();
        let trainers_record = trainer
            .map(|trainer| self.as_known(trainer, &device, &revisions, entry.header().wall).map(|(_, record)| record))
            .transpose()?;
        let trainers_performances = trainer
            .map_or_else(|| Ok(Performances::new()), |trainer| self.performed_before(trainer, body.earliest, site))?;
        let question = Question {
            person,
            task: &body.task,
            work_unit: &body.work_unit,
            lot: body.lot.as_ref(),
            clock: between(body.earliest, body.latest),
            trainer,
            co_signed: self.co_signature_among(&body.evidence)?,
        };
        let known = Known {
            plant: &plant,
            record: &record,
            performances: &performances,
            trainers_record: trainers_record.as_ref(),
            trainers_performances: &trainers_performances,
            trainees_of_trainer: 0,
            offline_ms: body.offline_ms,
            locked_out: was_given(body, "locked_out"),
            history_in_transit: was_given(body, "history_in_transit"),
            revoked: was_given(body, "kiosk_revoked"),
        };
        Ok(decide(&question, &known))
    }

    /// What the person had performed at the kiosk's site: sessions stay there.
    fn performed_before(
        &self,
        person: &PersonId,
        at: Timestamp,
        site: Option<&SiteId>,
    ) -> Result<Performances, Refused> {
        let mut sessions = questions::performed(self.ledger().connection(), person)?;
        let plant = self.plant();
        sessions.retain(|session| plant.work_units.get(&session.work_unit).map(|unit| &unit.site) == site);
        let performances = sessions.iter().map(|session| (session.task.clone(), session.performance()));
        Ok(performances.filter(|(_, performance)| performance.started_at < at).collect())
    }

    fn not_held(&self, evidence: &[EntryId]) -> Result<Vec<EntryId>, Refused> {
        let ledger = self.ledger();
        let mut missing = Vec::new();
        for id in evidence {
            if shelf::place(ledger.connection(), id)?.is_none() {
                missing.push(*id);
            }
        }
        Ok(missing)
    }

    fn co_signature_among(&self, evidence: &[EntryId]) -> Result<Option<EntryId>, Refused> {
        let ledger = self.ledger();
        for id in evidence {
            let entry = shelf::entry(ledger.connection(), id)?;
            if entry.is_some_and(|entry| entry.header().kind == "co_signed") {
                return Ok(Some(*id));
            }
        }
        Ok(None)
    }
}

fn decision_of(entry: &Entry) -> Option<(PersonId, Decision)> {
    match entry.statement().ok()??.body {
        Body::Decision(body) => Some((entry.subject().as_person()?, body)),
        _ => None,
    }
}

/// Whether the kiosk gave this as a reason.
fn was_given(body: &Decision, code: &str) -> bool {
    body.reasons.iter().any(|reason| {
        let read: Option<serde_json::Value> = serde_json::from_str(reason).ok();
        read.is_some_and(|reason| reason["code"] == code)
    })
}

fn between(earliest: Timestamp, latest: Timestamp) -> ClockReading {
    let half = latest.since(earliest).max(0) / 2;
    ClockReading { wall: earliest.plus_ms(half), uncertainty_ms: u32::try_from(half).unwrap_or(u32::MAX) }
}
