//! The training record: judged entries and the evidence they give.

use minicbor::{Decode, Encode};
use serde::Serialize;

use crate::id::*;
use crate::kind::plant::ActivityKind;
use crate::kind::record::Outcome;
use crate::log::effect::Verdict;
use crate::time::Timestamp;

/// One entry about the person, with its verdict.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    pub id: EntryId,
    pub verdict: Verdict,
}

/// One piece of evidence: an activity of a requirement, done on a version, with its outcome.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize)]
#[cbor(map)]
pub struct Evidence {
    #[n(0)]
    pub entry: EntryId,
    /// Which row of the entry, where one entry holds several (imported history).
    #[n(1)]
    pub part: u32,
    #[n(2)]
    pub requirement: RequirementId,
    #[n(3)]
    pub activity: ActivityKind,
    /// Absent: imported without one; the version in force at `done_at` is meant.
    #[n(4)]
    pub version: Option<VersionId>,
    #[n(5)]
    pub done_at: Timestamp,
    #[n(6)]
    pub outcome: Outcome,
    #[n(7)]
    pub score_percent: Option<u8>,
    /// Imported: accepted legacy, never shown as a person's signature (K5).
    #[n(8)]
    pub legacy: bool,
    /// Who observed or assessed.
    #[n(9)]
    pub assessor: Option<PersonId>,
    #[n(10)]
    pub verdict: Verdict,
    /// Failed or not-yet results that follow this pass, by position in [`TrainingRecord::evidence`]: they end it.
    #[n(11)]
    pub ended_by: Vec<u32>,
}

impl Evidence {
    pub fn passed(&self) -> bool {
        self.outcome == Outcome::Passed
    }
    /// A result that ends an earlier pass.
    pub fn failed(&self) -> bool {
        matches!(self.outcome, Outcome::Failed | Outcome::NotYet)
    }
}

/// One person's merged history.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TrainingRecord {
    /// In fold order.
    pub entries: Vec<Judged>,
    /// By (requirement, activity, done_at).
    pub evidence: Vec<Evidence>,
    /// Coachings that opened one more attempt: (quiz, version, when).
    pub coachings: Vec<(QuizId, Option<VersionId>, Timestamp)>,
}

impl TrainingRecord {
    pub fn verdict(&self, id: &EntryId) -> Option<&Verdict> {
        self.entries.iter().find(|judged| judged.id == *id).map(|judged| &judged.verdict)
    }

    /// Evidence for one activity of a requirement, earliest first, with its position.
    pub fn of<'a>(
        &'a self,
        requirement: &'a RequirementId,
        activity: ActivityKind,
    ) -> impl DoubleEndedIterator<Item = (u32, &'a Evidence)> {
        let evidence = self.evidence.iter().enumerate().map(|(index, e)| (index as u32, e));
        evidence.filter(move |(_, e)| e.activity == activity && e.requirement == *requirement)
    }
}
