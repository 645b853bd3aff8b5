#![doc = include_str!("../../docs/entries.md")]
//!
//! What can be said: the body of every kind of entry, one file per family of streams, and the table of all kinds.
//!
//! `docs/entries.md` is the specification; [`KINDS`] is the same table for programs. A body is a CBOR map with small integer
//! keys: a later version may add keys, never reuse one. A kind that this version doesn't know is held, passed on and shown; what
//! it means for the gate until then stands in the entry's `if_unknown`.

pub mod journal;
pub mod plant;
pub mod presence;
pub mod record;
pub mod visiting;

use minicbor::{Decode, Encode};

use crate::id::{ActId, Digest32};

/// The family a stream belongs to; who may write it and where it goes are in the architecture's section 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    Plant,
    Office,
    Record,
    Presence,
    Journal,
    Visiting,
}

/// What a kiosk that doesn't understand a kind does with the subject of such an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum IfUnknown {
    #[n(0)]
    Ignore,
    /// The gate answers NO-GO for the subject: a restriction it can't read is never a GO.
    #[n(1)]
    Deny,
}

/// One row of the table of kinds.
#[derive(Debug, Clone, Copy)]
pub struct KindRow {
    pub name: &'static str,
    pub families: &'static [Family],
    /// How many people's signature blocks it needs. Fewer is permitted for plant entries written by an import during set-up (K5).
    pub signers: usize,
    pub if_unknown: IfUnknown,
    /// Denies from any branch of a fork (`sync-protocol`, H4).
    pub restricts: bool,
}

macro_rules! kinds {
    ($($variant:ident($body:path) = $name:literal in [$($family:ident)+] signers $signers:literal $if_unknown:ident $($restricts:ident)?;)*) => {
        /// The body of an entry of a kind this version understands.
        #[derive(Debug, Clone, PartialEq)]
        pub enum Body {
            $($variant($body),)*
        }

        /// Every kind this version understands.
        pub const KINDS: &[KindRow] = &[$(KindRow {
            name: $name,
            families: &[$(Family::$family),+],
            signers: $signers,
            if_unknown: IfUnknown::$if_unknown,
            restricts: kinds!(@restricts $($restricts)?),
        },)*];

        impl Body {
            /// The kind's name on the wire.
            pub fn kind(&self) -> &'static str {
                match self { $(Self::$variant(_) => $name,)* }
            }

            /// The families of streams in which it says anything.
            pub fn families(&self) -> &'static [Family] {
                match self { $(Self::$variant(_) => &[$(Family::$family),+],)* }
            }

            fn content(&self) -> Vec<u8> {
                match self { $(Self::$variant(body) => to_cbor(body),)* }
            }

            fn read(kind: &str, content: &[u8]) -> Result<Option<Self>, minicbor::decode::Error> {
                Ok(Some(match kind {
                    $($name => Self::$variant(minicbor::decode(content)?),)*
                    _ => return Ok(None),
                }))
            }
        }

        $(impl From<$body> for Body {
            fn from(body: $body) -> Self {
                Self::$variant(body)
            }
        })*
    };
    (@restricts) => { false };
    (@restricts restricts) => { true };
}

kinds! {
    SiteSet(plant::SiteSet) = "site_set" in [Plant] signers 1 Ignore;
    WorkUnitSet(plant::WorkUnitSet) = "work_unit_set" in [Plant] signers 1 Ignore;
    EquipmentSet(plant::EquipmentSet) = "equipment_set" in [Plant] signers 1 Ignore;
    ShiftSet(plant::ShiftSet) = "shift_set" in [Plant] signers 1 Ignore;
    CrewSet(plant::CrewSet) = "crew_set" in [Plant] signers 1 Ignore;
    PersonSet(plant::PersonSet) = "person_set" in [Plant] signers 1 Ignore;
    ClassSet(plant::ClassSet) = "class_set" in [Plant] signers 1 Ignore;
    MemberSet(plant::MemberSet) = "member_set" in [Plant] signers 1 Ignore;
    RoleSet(plant::RoleSet) = "role_set" in [Plant] signers 1 Ignore;
    DocumentSet(plant::DocumentSet) = "document_set" in [Plant] signers 1 Ignore;
    VersionDrafted(plant::VersionDrafted) = "version_drafted" in [Plant] signers 1 Ignore;
    VersionReviewed(plant::VersionReviewed) = "version_reviewed" in [Plant] signers 1 Ignore;
    VersionApproved(plant::VersionApproved) = "version_approved" in [Plant] signers 1 Deny;
    VersionWithdrawn(plant::VersionWithdrawn) = "version_withdrawn" in [Plant] signers 1 Deny restricts;
    RequirementSet(plant::RequirementSet) = "requirement_set" in [Plant] signers 1 Deny;
    MatrixSet(plant::MatrixSet) = "matrix_set" in [Plant] signers 1 Ignore;
    TaskSet(plant::TaskSet) = "task_set" in [Plant] signers 1 Deny;
    QuizSet(plant::QuizSet) = "quiz_set" in [Plant] signers 1 Ignore;
    CheckSet(plant::CheckSet) = "check_set" in [Plant] signers 1 Ignore;
    CategorySet(plant::CategorySet) = "category_set" in [Plant] signers 1 Ignore;
    PolicySet(plant::PolicySet) = "policy_set" in [Plant] signers 1 Deny;
    AssessorSet(plant::AssessorSet) = "assessor_set" in [Plant] signers 1 Ignore;
    ExemptionSet(plant::ExemptionSet) = "exemption_set" in [Plant] signers 1 Ignore;
    BlockSet(plant::BlockSet) = "block_set" in [Plant] signers 1 Deny restricts;
    BlockLifted(plant::BlockLifted) = "block_lifted" in [Plant] signers 1 Ignore;
    Ruling(plant::Ruling) = "ruling" in [Plant] signers 1 Ignore;
    BadgeDisabled(plant::BadgeDisabled) = "badge_disabled" in [Plant] signers 1 Deny restricts;
    KeyRevoked(plant::KeyRevoked) = "key_revoked" in [Plant] signers 1 Deny restricts;
    LockoutLifted(record::LockoutLifted) = "lockout_lifted" in [Plant Record] signers 1 Ignore;
    DeviceEnrolled(plant::DeviceEnrolled) = "device_enrolled" in [Plant] signers 0 Ignore;
    DeviceRevoked(plant::DeviceRevoked) = "device_revoked" in [Plant] signers 0 Deny restricts;
    ServerEpoch(plant::ServerEpoch) = "server_epoch" in [Plant] signers 0 Ignore;
    ServerRecovered(plant::ServerRecovered) = "server_recovered" in [Plant] signers 2 Ignore;
    ImportProposed(plant::ImportProposed) = "import_proposed" in [Plant] signers 0 Ignore;
    ImportAccepted(plant::ImportAccepted) = "import_accepted" in [Plant] signers 1 Ignore;

    SigningSetUp(record::SigningSetUp) = "signing_set_up" in [Record] signers 2 Ignore;
    AccountabilitySigned(record::AccountabilitySigned) = "accountability_signed" in [Record] signers 1 Ignore;
    Identified(record::Identified) = "identified" in [Record] signers 1 Ignore;
    Read(record::Read) = "read" in [Record] signers 1 Ignore;
    QuizAttempt(record::QuizAttempt) = "quiz_attempt" in [Record] signers 1 Ignore;
    Coaching(record::Coaching) = "coaching" in [Record] signers 2 Ignore;
    RunObserved(record::RunObserved) = "run_observed" in [Record] signers 2 Ignore;
    SheetEdit(record::SheetEdit) = "sheet_edit" in [Record] signers 0 Ignore;
    CheckSigned(record::CheckSigned) = "check_signed" in [Record] signers 2 Deny;
    CoSigned(record::CoSigned) = "co_signed" in [Record] signers 1 Ignore;
    SupervisedStart(record::SupervisedStart) = "supervised_start" in [Record] signers 2 Ignore;
    Correction(record::Correction) = "correction" in [Record] signers 1 Deny;
    DayPass(record::DayPass) = "day_pass" in [Record] signers 1 Ignore;
    BadgeLost(record::BadgeLost) = "badge_lost" in [Record] signers 1 Deny restricts;
    LegacyBatch(record::LegacyBatch) = "legacy_batch" in [Record] signers 0 Ignore;

    BadgeIn(presence::BadgeIn) = "badge_in" in [Presence] signers 0 Ignore;
    BadgeOut(presence::BadgeOut) = "badge_out" in [Presence] signers 0 Ignore;
    TaskStarted(presence::TaskStarted) = "task_started" in [Presence] signers 0 Ignore;
    TaskEnded(presence::TaskEnded) = "task_ended" in [Presence] signers 0 Ignore;
    TrainerConfirmed(presence::TrainerConfirmed) = "trainer_confirmed" in [Presence] signers 0 Ignore;
    SecretFailed(presence::SecretFailed) = "secret_failed" in [Presence] signers 0 Deny;
    QuizOpened(presence::QuizOpened) = "quiz_opened" in [Presence] signers 0 Ignore;

    Decision(journal::Decision) = "decision" in [Journal] signers 0 Ignore;
    ClockStep(journal::ClockStep) = "clock_step" in [Journal] signers 0 Ignore;
    DeviceEvent(journal::DeviceEvent) = "device_event" in [Journal] signers 0 Ignore;

    HistoryEntry(visiting::HistoryEntry) = "history_entry" in [Visiting] signers 0 Deny;
    HistoryWhole(visiting::HistoryWhole) = "history_whole" in [Visiting] signers 0 Ignore;
}

/// The table's row for a kind; `None` when this version doesn't know it.
pub fn row(kind: &str) -> Option<&'static KindRow> {
    KINDS.iter().find(|row| row.name == kind)
}

/// One act and what it says: the bytes inside an entry that people's signatures cover.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    pub act: ActId,
    pub body: Body,
}

#[derive(Encode, Decode)]
#[cbor(array)]
struct Framed {
    #[n(0)]
    act: ActId,
    #[cbor(n(1), with = "minicbor::bytes")]
    content: Vec<u8>,
}

impl Statement {
    pub fn to_bytes(&self) -> Vec<u8> {
        to_cbor(&Framed { act: self.act, content: self.body.content() })
    }

    /// Reads the body of an entry of the given kind. `Ok(None)`: well-formed, of a kind this version doesn't know.
    pub fn from_bytes(kind: &str, bytes: &[u8]) -> Result<Option<Self>, BadBody> {
        let framed: Framed = minicbor::decode(bytes).map_err(|why| BadBody(why.to_string()))?;
        crate::log::canonical::check(&framed.content).map_err(|why| BadBody(why.to_string()))?;
        let body = Body::read(kind, &framed.content).map_err(|why| BadBody(why.to_string()))?;
        Ok(body.map(|body| Self { act: framed.act, body }))
    }
}

impl Body {
    /// Names what the body says, leaving out which act said it: two imports of the same row give the same digest.
    pub fn digest(&self) -> Digest32 {
        Digest32::of_parts(&[self.kind().as_bytes(), &self.content()])
    }

    /// Which requirement it is about, and on which version, where it is about one.
    pub fn about(&self) -> Option<&record::About> {
        match self {
            Self::Read(b) => Some(&b.about),
            Self::QuizAttempt(b) => Some(&b.about),
            Self::Coaching(b) => Some(&b.about),
            Self::RunObserved(b) => Some(&b.about),
            Self::CheckSigned(b) => Some(&b.about),
            _ => None,
        }
    }

    /// The size of the content on the wire, in bytes.
    pub fn size(&self) -> usize {
        self.content().len()
    }
}

/// Why a body can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the body can't be read: {0}")]
pub struct BadBody(pub String);

/// Deterministic CBOR of a value of ours.
pub fn to_cbor<T: Encode<()>>(value: &T) -> Vec<u8> {
    // Most of what we write fits, and isn't moved while it grows.
    let mut bytes = Vec::with_capacity(512);
    // Writing into a Vec has no error of its own, and our derived encoders raise none.
    minicbor::encode(value, &mut bytes).expect("encoding to memory");
    bytes
}

/// What a person's signature means; the word shown beside it (21 CFR 11.50).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum Meaning {
    #[n(0)]
    ReadAndUnderstood,
    #[n(1)]
    Performed,
    #[n(2)]
    Observed,
    #[n(3)]
    Assessed,
    #[n(4)]
    Authored,
    #[n(5)]
    Reviewed,
    #[n(6)]
    Approved,
    #[n(7)]
    Ruled,
    #[n(8)]
    IdentityVerified,
    #[n(9)]
    SigningAccepted,
    #[n(10)]
    Coached,
    #[n(11)]
    Supervises,
    #[n(12)]
    Corrected,
    #[n(13)]
    CoSigned,
    #[n(14)]
    Answered,
    /// The person showed that they are who their badge says.
    #[n(15)]
    Identified,
    /// A badge is out of its owner's hands.
    #[n(16)]
    Reported,
}

/// In which capacity a person signs.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    #[n(0)]
    Operator,
    /// Observes runs and signs checks, for the requirements named by `assessor_set`.
    #[n(1)]
    Assessor,
    #[n(2)]
    Trainer,
    #[n(3)]
    Supervisor,
    #[n(4)]
    Quality,
    #[n(5)]
    Reviewer,
    #[n(6)]
    Author,
    #[n(7)]
    Hr,
    #[n(8)]
    Auditor,
    #[n(9)]
    Administrator,
}

impl Role {
    /// The word used in `roles.csv`.
    pub fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "supervisor" => Self::Supervisor,
            "trainer" => Self::Trainer,
            "quality" => Self::Quality,
            "reviewer" => Self::Reviewer,
            "author" => Self::Author,
            "hr" => Self::Hr,
            "auditor" => Self::Auditor,
            "administrator" => Self::Administrator,
            _ => return None,
        })
    }

    pub fn word(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Assessor => "assessor",
            Self::Trainer => "trainer",
            Self::Supervisor => "supervisor",
            Self::Quality => "quality",
            Self::Reviewer => "reviewer",
            Self::Author => "author",
            Self::Hr => "hr",
            Self::Auditor => "auditor",
            Self::Administrator => "administrator",
        }
    }
}
