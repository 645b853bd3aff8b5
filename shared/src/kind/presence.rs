//! Kinds of the presence streams: who is where, which task runs, which secrets failed.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::plant::bodies;
use crate::id::*;

bodies! {
    BadgeIn { 0 day_pass: bool, }
    BadgeOut { 0 how: SessionEnd, }
    /// A GO opened a task session; it outlives the badge session (S11).
    TaskStarted {
        0 session: ActId,
        1 task: TaskId,
        2 work_unit: WorkUnitId,
        3 lot: Option<LotId>,
        4 decision: EntryId,
        /// Present when the start is supervised (S3).
        5 trainer: Option<PersonId>,
        /// The versions of the governing documents it began under (U4).
        6 versions: Vec<StartedUnder>,
    }
    StartedUnder { 0 document: DocumentId, 1 version: VersionId, }
    TaskEnded { 0 session: ActId, 1 how: SessionEnd, }
    TrainerConfirmed { 0 session: ActId, 1 trainer: PersonId, }
    /// Written before the secret is checked, and taken back by the success that follows it.
    SecretFailed { 0 attempt: u32, }
    QuizOpened { 0 quiz: QuizId, 1 requirement: RequirementId, }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum SessionEnd {
    #[n(0)]
    Tap,
    #[n(1)]
    Idle,
    #[n(2)]
    NextBadge,
    #[n(3)]
    NextStart,
    #[n(4)]
    Elsewhere,
    #[n(5)]
    TimeOut,
    /// A new version became effective and its in-flight rule is *stop*.
    #[n(6)]
    NewVersion,
    #[n(7)]
    TrainerSilent,
    /// Trainee or trainer of supervised work signed out.
    #[n(8)]
    BadgeOut,
    /// Quality blocked the task for the person.
    #[n(9)]
    Blocked,
}
