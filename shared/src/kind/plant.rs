//! Kinds of the plant streams, written by the server: what kiosks obey. They are also the audit trail of master data.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::Role;
use crate::id::*;
use crate::time::{Span, Timestamp};

macro_rules! bodies {
    ($($(#[$doc:meta])* $name:ident { $($(#[$fdoc:meta])* $index:literal $field:ident: $ty:ty,)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Encode, Decode)]
        #[cbor(map)]
        pub struct $name {
            $($(#[$fdoc])* #[n($index)] pub $field: $ty,)*
        }
    )*};
}
pub(crate) use bodies;

bodies! {
    /// A site and the clock its dates go by.
    SiteSet {
        0 site: SiteId,
        1 name: String,
        /// IANA time zone.
        2 zone: String,
        /// Minutes after local midnight at which a date begins (A4).
        3 change_minute: u16,
    }
    /// A station; the area and line it belongs to.
    WorkUnitSet {
        0 work_unit: WorkUnitId,
        1 site: SiteId,
        2 area: String,
        3 work_center: WorkCenterId,
        4 name: String,
    }
    EquipmentSet { 0 equipment: EquipmentId, 1 work_unit: WorkUnitId, 2 name: String, }
    /// A shift of a line, in minutes after local midnight; `end` ≤ `start` runs over midnight.
    ShiftSet { 0 shift: String, 1 work_center: WorkCenterId, 2 start_minute: u16, 3 end_minute: u16, }
    /// A person's place in a shift.
    CrewSet { 0 person: PersonId, 1 shift: String, 2 supervisor: Option<PersonId>, 3 span: Span, }
    /// A person. Only here and in signature blocks does the printed name stand (R23).
    PersonSet {
        0 person: PersonId,
        1 printed_name: String,
        2 site: SiteId,
        3 language: Language,
        4 badge: Option<BadgeHash>,
        5 email: Option<String>,
        6 active: Span,
        /// Shown, never a reason to lose a qualification. Both ends open: no leave.
        7 leave: Span,
        8 further_sites: Vec<FurtherSite>,
    }
    FurtherSite { 0 site: SiteId, 1 span: Span, }
    ClassSet { 0 class: ClassId, 1 name: String, }
    /// A membership; its beginning is part of its identity, so a second period is a second row.
    MemberSet { 0 person: PersonId, 1 class: ClassId, 2 span: Span, }
    RoleSet { 0 person: PersonId, 1 role: Role, 2 scope: Option<String>, 3 span: Span, }
    DocumentSet { 0 document: DocumentId, 1 title: String, 2 category: CategoryId, 3 owner: String, 4 site: Option<SiteId>, }
    /// What a version says, in each of its languages.
    VersionDrafted {
        0 document: DocumentId,
        1 version: VersionId,
        2 contents: Vec<Content>,
        /// Numbers of the steps that differ from the version before; empty = not told apart.
        3 changed_steps: Vec<String>,
        4 minutes: Option<u32>,
        5 change_control: Option<String>,
    }
    Content {
        0 language: Language,
        1 hash: Digest32,
        2 format: Format,
        3 change_summary: String,
        /// Size of the blob, in bytes.
        4 size: u64,
    }
    VersionReviewed { 0 document: DocumentId, 1 version: VersionId, 2 draft: EntryId, }
    /// Approval creates the obligations at once (A2); it counts from `effective_from` on.
    VersionApproved {
        0 document: DocumentId,
        1 version: VersionId,
        2 approved_at: Timestamp,
        3 effective_from: Timestamp,
        4 impact: Impact,
        5 impact_reason: Option<String>,
        6 in_flight: InFlight,
        7 initial_assessors: Vec<PersonId>,
        /// The approver named by an import; a signed approval names its approver in its block.
        8 approved_by: Option<String>,
        /// The draft that was approved, and its review.
        9 draft: Option<EntryId>,
        10 review: Option<EntryId>,
    }
    VersionWithdrawn { 0 document: DocumentId, 1 version: VersionId, 2 withdrawn_at: Timestamp, 3 reason: String, 4 tasks: Vec<TaskId>, }
    RequirementSet {
        0 requirement: RequirementId,
        1 title: String,
        /// Without one there is one version, in force always.
        2 document: Option<DocumentId>,
        3 category: RequirementCategory,
        4 activities: Vec<Activity>,
        5 validity_months: Option<u32>,
        6 currency: Option<Currency>,
        7 window_days: Option<u32>,
        8 prerequisites: Vec<RequirementId>,
        9 equipment: Vec<EquipmentId>,
        10 initial_assessors: Vec<PersonId>,
    }
    MatrixSet { 0 class: ClassId, 1 requirement: RequirementId, 2 removed: bool, }
    TaskSet {
        0 task: TaskId,
        1 title: String,
        2 work_units: Vec<WorkUnitId>,
        3 criticality: Criticality,
        4 offline_limit_hours: Option<u32>,
        5 lot_required: bool,
        6 requirements: Vec<RequirementId>,
        /// Empty: any class may.
        7 classes: Vec<TaskClass>,
    }
    TaskClass { 0 class: ClassId, 1 work_unit: Option<WorkUnitId>, }
    /// The paper (questions and choices) is a blob; the right answers are a sealed box beside the logs (L2).
    QuizSet {
        0 quiz: QuizId,
        1 title: String,
        2 pass_percent: u8,
        3 ask: u16,
        4 max_attempts: u16,
        5 paper: Digest32,
        6 questions: u16,
        /// Digest of the right answers under the site's key: a change of an answer is a change of the quiz, and nobody without the key can
        /// try answers out.
        7 answers: Digest32,
    }
    CheckSet { 0 check: CheckId, 1 title: String, 2 criteria: Vec<Criterion>, }
    Criterion { 0 text: String, 1 measure: Option<Measure>, 2 critical: bool, }
    /// A measured criterion; limits as decimal texts, so that no rounding stands between the procedure and the record.
    Measure { 0 unit: String, 1 min: Option<String>, 2 max: Option<String>, }
    CategorySet { 0 category: CategoryId, 1 window_days: u32, }
    AssessorSet { 0 person: PersonId, 1 requirement: RequirementId, 2 span: Span, 3 reason: Option<String>, }
    ExemptionSet {
        0 person: PersonId,
        1 requirement: RequirementId,
        2 version: Option<VersionId>,
        3 reason: String,
        4 approved_by: String,
        5 span: Span,
    }
    /// Stops a person or a class from a task or a requirement until evidence that names the action follows it.
    BlockSet {
        0 block: ActId,
        1 whom: Whom,
        2 what: What,
        3 action: Option<ActionId>,
        4 reason: String,
    }
    BlockLifted { 0 block: ActId, 1 reason: String, }
    /// Lifts holds for exactly these entries; a concurrent unnamed one reopens them.
    Ruling { 0 entries: Vec<EntryId>, 1 accepted: bool, 2 reason: String, }
    BadgeDisabled {
        0 badge: BadgeHash,
        1 reason: String,
        /// Since when it is out of its owner's hands; absent: since this entry.
        2 since: Option<Timestamp>,
    }
    KeyRevoked { 0 person: PersonId, 1 key: PersonKey, 2 from: Timestamp, 3 reason: String, }
    DeviceEnrolled {
        0 device: DeviceKey,
        1 name: KioskName,
        2 site: SiteId,
        3 work_units: Vec<WorkUnitId>,
        4 key_store: KeyStoreKind,
        /// The device that broke, in whose place it stands.
        5 replaces: Option<DeviceKey>,
    }
    /// What the device wrote that is not an ancestor of these heads is set aside.
    DeviceRevoked {
        0 device: DeviceKey,
        1 reason: String,
        2 heads: Vec<EntryId>,
        /// It left on purpose, and had given everything: two people signed.
        3 retired: Option<bool>,
    }
    /// A new epoch and where it left the one before.
    ServerEpoch { 0 epoch: Incarnation, 1 reason: String, }
    ServerRecovered { 0 epoch: Incarnation, 1 reason: String, }
    /// An import waiting for an approver's signature (K5).
    ImportProposed { 0 batch: ActId, 1 files: Vec<FileDigest>, 2 difference: Digest32, 3 rows: u64, 4 account: String, }
    FileDigest { 0 file: String, 1 hash: Digest32, }
    ImportAccepted { 0 batch: ActId, 1 difference: Digest32, 2 reason: String, }
}

/// One activity of a requirement.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, Serialize, Deserialize)]
pub enum Activity {
    #[n(0)]
    Read,
    #[n(1)]
    Quiz(#[n(0)] QuizId),
    #[n(2)]
    Runs(#[n(0)] u32),
    #[n(3)]
    Check(#[n(0)] CheckId),
    #[n(4)]
    Briefing(#[n(0)] BriefingId),
    #[n(5)]
    External,
}

/// What sort of activity: the key under which evidence is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum ActivityKind {
    #[n(0)]
    Read,
    #[n(1)]
    Quiz,
    #[n(2)]
    Runs,
    #[n(3)]
    Check,
    #[n(4)]
    Briefing,
    #[n(5)]
    External,
}

impl PersonSet {
    /// Home and further sites, whenever the latter are.
    pub fn sites(&self) -> impl Iterator<Item = &SiteId> {
        std::iter::once(&self.site).chain(self.further_sites.iter().map(|further| &further.site))
    }
}

impl Activity {
    pub fn kind(&self) -> ActivityKind {
        match self {
            Self::Read => ActivityKind::Read,
            Self::Quiz(_) => ActivityKind::Quiz,
            Self::Runs(_) => ActivityKind::Runs,
            Self::Check(_) => ActivityKind::Check,
            Self::Briefing(_) => ActivityKind::Briefing,
            Self::External => ActivityKind::External,
        }
    }

    /// How many pieces of evidence it takes.
    pub fn count(&self) -> u32 {
        match self {
            Self::Runs(n) => *n,
            _ => 1,
        }
    }
}

impl ActivityKind {
    pub const ALL: [Self; 6] = [Self::Read, Self::Quiz, Self::Runs, Self::Check, Self::Briefing, Self::External];

    /// The word used in the plant folder.
    pub fn word(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Quiz => "quiz",
            Self::Runs => "runs",
            Self::Check => "check",
            Self::Briefing => "briefing",
            Self::External => "external",
        }
    }

    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

/// A version's training impact: which activities it demands anew (A10).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub enum Impact {
    #[n(0)]
    None,
    #[n(1)]
    Full,
    /// Any of read, quiz, runs, check.
    #[n(2)]
    Some(#[n(0)] Vec<ActivityKind>),
}

impl Impact {
    /// Whether evidence of this kind from before has to be renewed. `briefing` and `external` are demanded anew by `full` only.
    pub fn demands(&self, kind: ActivityKind) -> bool {
        match self {
            Self::None => false,
            Self::Full => true,
            Self::Some(kinds) => kinds.contains(&kind),
        }
    }
}

/// What becomes of a task session that is open when a new version becomes effective (U4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum InFlight {
    /// It goes on under the old version.
    #[n(0)]
    Finish,
    /// It ends.
    #[n(1)]
    Stop,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum RequirementCategory {
    #[n(0)]
    Initial,
    #[n(1)]
    Process,
    #[n(2)]
    Procedure,
    #[n(3)]
    Corrective,
}

impl RequirementCategory {
    pub const ALL: [(Self, &'static str); 4] = [
        (Self::Initial, "initial"),
        (Self::Process, "process"),
        (Self::Procedure, "procedure"),
        (Self::Corrective, "corrective"),
    ];

    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, w)| *w == word).map(|(category, _)| category)
    }

    pub fn word(self) -> &'static str {
        Self::ALL.into_iter().find(|(category, _)| *category == self).map_or("", |(_, word)| word)
    }
}

/// Use it or lose it: how recently, or how much, the task must have been performed (E2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub enum Currency {
    /// Performed within so many days.
    #[n(0)]
    Days(#[n(0)] u32),
    /// At least so many task sessions within so many days.
    #[n(1)]
    Runs(#[n(0)] u32, #[n(1)] u32),
    /// At least so many hours of task sessions within so many days.
    #[n(2)]
    Hours(#[n(0)] u32, #[n(1)] u32),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum Criticality {
    #[n(0)]
    Critical,
    #[n(1)]
    Routine,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    #[n(0)]
    Markdown,
    #[n(1)]
    Pdf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum KeyStoreKind {
    #[n(0)]
    File,
    #[n(1)]
    Tpm,
}

/// Whom a block concerns.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Whom {
    #[n(0)]
    Person(#[n(0)] PersonId),
    #[n(1)]
    Class(#[n(0)] ClassId),
}

/// What a block stops.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum What {
    #[n(0)]
    Task(#[n(0)] TaskId),
    #[n(1)]
    Requirement(#[n(0)] RequirementId),
}

/// The plant's settings. Each has a default, a unit, and somebody who loses when it is wrong; `policies.toml` says who.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
#[serde(deny_unknown_fields, default)]
pub struct PolicySet {
    #[n(0)]
    pub lease: LeasePolicy,
    #[n(1)]
    pub idle: IdlePolicy,
    #[n(2)]
    pub lockout: LockoutPolicy,
    #[n(3)]
    pub signing: SigningPolicy,
    #[n(4)]
    pub session: SessionPolicy,
    #[n(5)]
    pub trainee: TraineePolicy,
    #[n(6)]
    pub exception: ExceptionPolicy,
}

macro_rules! policies {
    ($($(#[$doc:meta])* $name:ident { $($(#[$fdoc:meta])* $index:literal $field:ident: $ty:ty = $default:expr,)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
        #[cbor(map)]
        #[serde(deny_unknown_fields, default)]
        pub struct $name {
            $($(#[$fdoc])* #[n($index)] pub $field: $ty,)*
        }
        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $default,)* }
            }
        }
    )*};
}

policies! {
    /// How long a kiosk may judge without contact (U5), unless the task says otherwise.
    LeasePolicy { 0 critical_offline_hours: u32 = 24, 1 routine_offline_hours: u32 = 72, }
    /// Seconds without a touch until the badge session ends.
    IdlePolicy { 0 task_seconds: u32 = 60, 1 verdict_seconds: u32 = 20, }
    /// Wrong secrets since the last success until a person is locked out.
    LockoutPolicy { 0 attempts: u32 = 10, }
    /// Signing strength (R16): `us-part11` or `eu-2025`.
    SigningPolicy { 0 profile: Profile = Profile::UsPart11, }
    /// Hours after which a task session ends by itself (S11), and for which a day pass is given at most (S6).
    SessionPolicy {
        0 task_session_max_hours: u32 = 12,
        /// Absent: [`LONGEST_DAY_PASS_HOURS`], which none exceeds. 0: none is given.
        1 day_pass_max_hours: Option<u32> = Some(LONGEST_DAY_PASS_HOURS),
    }
    /// Supervised trainee mode (S3).
    TraineePolicy { 0 confirm_minutes: u32 = 30, 1 max_trainees: u32 = 1, }
    /// Authorised exceptions (S4); off unless a plant turns them on.
    ExceptionPolicy { 0 enabled: bool = false, 1 max_expired_days: u32 = 0, 2 budget_per_shift: u32 = 0, }
}

/// No plant's setting makes a day pass longer (S13).
pub const LONGEST_DAY_PASS_HOURS: u32 = 12;

impl SessionPolicy {
    /// How long a day pass may be, in hours.
    pub fn longest_day_pass_hours(&self) -> u32 {
        self.day_pass_max_hours.map_or(LONGEST_DAY_PASS_HOURS, |hours| hours.min(LONGEST_DAY_PASS_HOURS))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[cbor(index_only)]
pub enum Profile {
    /// Badge and PIN or passphrase.
    #[n(0)]
    #[serde(rename = "us-part11")]
    UsPart11,
    /// A badge alone never authenticates; a passphrase, no PIN alone.
    #[n(1)]
    #[serde(rename = "eu-2025")]
    Eu2025,
}

impl Profile {
    /// Whether somebody who shows a badge has to show with their secret that it is theirs, before anything is done in their name.
    pub fn asks_who_holds_the_badge(self) -> bool {
        self == Self::Eu2025
    }
}

/// What kind of secret opens a person's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum SecretKind {
    #[n(0)]
    Pin,
    #[n(1)]
    Passphrase,
}
