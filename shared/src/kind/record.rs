//! Kinds of the record streams: what people did and signed.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::plant::{ActivityKind, Profile, SecretKind, bodies};
use crate::id::*;
use crate::time::Timestamp;

bodies! {
    /// A person's key, made at signing set-up and unlocked by their secret only; a verifier identified them (R12).
    SigningSetUp {
        0 key: PersonKey,
        /// Digest of the sealed box that holds the wrapped key.
        1 box_digest: Digest32,
        /// What the verifier saw (identity card, personnel file …).
        2 identity_proof: String,
        3 profile: Profile,
        /// Absent: a passphrase.
        4 secret: Option<SecretKind>,
    }
    /// The person answers for their signature; the block's `shown` is the same digest (R9).
    AccountabilitySigned {
        /// Version of the wording; see `part11::accountability`.
        0 version: u32,
        1 language: Language,
        2 text: Digest32,
    }
    /// The person gave their secret, and signs nothing else with it: wrong ones before it are over (R15).
    Identified {}
    Read {
        0 about: About,
        1 content: Option<Digest32>,
        2 language: Language,
        3 seconds: u32,
        4 reached_end: bool,
    }
    QuizAttempt {
        0 about: About,
        1 quiz: QuizId,
        2 paper: Digest32,
        /// Positions of the questions drawn, in the order shown.
        3 drawn: Vec<u16>,
        /// For each drawn question, the positions chosen.
        4 answers: Vec<Vec<u16>>,
        5 score_percent: u8,
        6 outcome: Outcome,
    }
    /// Opens one more attempt at a quiz.
    Coaching { 0 about: About, 1 quiz: QuizId, 2 reason: String, }
    RunObserved {
        0 about: About,
        1 worksheet: WorksheetId,
        2 outcome: Outcome,
        3 session: Option<ActId>,
        4 note: String,
    }
    /// Typed edits on a worksheet, on the document as its parents left it.
    SheetEdit {
        0 worksheet: WorksheetId,
        /// The sheet edits the author had seen: the heads; empty = the genesis.
        1 parents: Vec<EntryId>,
        2 at: Timestamp,
        3 author: PersonId,
        4 edits: Vec<Edit>,
    }
    CheckSigned {
        0 about: About,
        1 check: CheckId,
        2 worksheet: WorksheetId,
        /// The sheet edits the sign-off rests on: the heads.
        3 edits: Vec<EntryId>,
        4 results: Vec<CriterionResult>,
        5 outcome: Outcome,
        /// The worksheet as signed, so that the evidence never depends on loading a document.
        #[cbor(with = "minicbor::bytes")]
        6 content: Vec<u8>,
        7 content_digest: Digest32,
    }
    CriterionResult { 0 passed: bool, 1 measured: Option<String>, }
    CoSigned { 0 decision: EntryId, 1 reason: String, }
    SupervisedStart { 0 session: ActId, 1 task: TaskId, 2 trainer: PersonId, }
    /// Annuls an entry; what replaces it, if anything, is an entry of its own (R24).
    Correction { 0 entry: EntryId, 1 what: String, 2 old: String, 3 new: String, 4 reason: String, }
    /// Somebody who leads knows the person, who has no badge with them: at a terminal they may do what is their own until then (S6).
    DayPass {
        0 until: Timestamp,
        /// How the person was identified.
        1 identification: String,
    }
    /// A badge out of its owner's hands, reported at a terminal; see [`super::plant::BadgeDisabled`].
    BadgeLost {
        0 badge: BadgeHash,
        1 reason: String,
        /// Since when it is out of its owner's hands; absent: since this entry.
        2 since: Option<Timestamp>,
    }
    /// Wrong secrets forgiven, by name.
    LockoutLifted { 0 person: PersonId, 1 forgives: Vec<EntryId>, 2 reason: String, }
    /// One person's imported history, or a part of it.
    LegacyBatch { 0 batch: ActId, 1 rows: Vec<LegacyRow>, }
    LegacyRow {
        0 requirement: RequirementId,
        /// Absent: the version in force at `completed_at`.
        1 version: Option<VersionId>,
        2 activity: ActivityKind,
        3 completed_at: Timestamp,
        4 assessor: Option<PersonId>,
        5 score_percent: Option<u8>,
        6 source: Option<String>,
        /// Line in the file: breaks ties of `completed_at`.
        7 line: u64,
    }
    /// Which requirement, and which version of its document, an act was done on.
    About { 0 requirement: RequirementId, 1 document: Option<DocumentId>, 2 version: Option<VersionId>, }
}

/// How an attempt ended. Aborted and failed ones are kept (R17).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    #[n(0)]
    Passed,
    #[n(1)]
    NotYet,
    #[n(2)]
    Failed,
    #[n(3)]
    Aborted,
}

/// One typed edit of a worksheet.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Edit {
    /// Ticks a step.
    #[n(0)]
    Tick(#[n(0)] String, #[n(1)] bool),
    /// Writes a measured value.
    #[n(1)]
    Value(#[n(0)] String, #[n(1)] String),
    /// Inserts text into the notes at a character position.
    #[n(2)]
    Insert(#[n(0)] u32, #[n(1)] String),
    /// Cuts characters out of the notes.
    #[n(3)]
    Cut(#[n(0)] u32, #[n(1)] u32),
}
