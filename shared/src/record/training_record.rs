//! The training record: judged entries and the evidence they give.

use minicbor::{Decode, Encode};
use serde::Serialize;

use crate::id::*;
use crate::kind::plant::ActivityKind;
use crate::kind::record::Outcome;
use crate::log::effect::Verdict;
use crate::time::Timestamp;

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

/// What a person's merged history proves.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TrainingRecord {
    /// By (requirement, activity, done_at).
    pub evidence: Vec<Evidence>,
}

impl TrainingRecord {
    /// Adds a requirement's rows, whose positions are their own, behind those of the requirements before it.
    pub fn append(&mut self, mut rows: Vec<Evidence>) {
        let offset = self.evidence.len() as u32;
        rows.iter_mut().flat_map(|row| &mut row.ended_by).for_each(|position| *position += offset);
        self.evidence.append(&mut rows);
    }
}
