//! What goes in and out: events, commands and their replies. The person at the screen knows nothing of it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use shared::id::*;
use shared::kind::plant::{CheckSet, KeyStoreKind};
use shared::kind::presence::SessionEnd;
use shared::kind::record::{About, CriterionResult, Outcome};
use shared::plant::Plant;
use shared::plant::steps::Step;
use shared::record::worksheet::StepState;
use shared::time::Timestamp;
use shared::training::quiz::Question;
use shared::training::task_session::TaskSession;
use shared::training::{GateDecision, RequirementState};

use super::view::{Identification, IdentityProof, Loss, UnlockReason};
use crate::core::badge::BadgeSeen;
use crate::core::coach::UsedUp;
use crate::core::correct::{Corrected, OwnEntry};
use crate::core::day_pass::{NoPass, PassHolder};
use crate::core::gate;
use crate::core::learn::Procedure;
use crate::core::status::{Line, Status};
use crate::pdf;
use crate::stick::{Carried, Way};

/// A text that is for one pair of eyes: a secret, or a badge's number. It is never printed.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Hidden(pub String);

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hidden(…)")
    }
}

/// What happens to the presenter.
#[derive(Clone)]
pub enum Event {
    /// Something with this accessible id was touched.
    Tap(String),
    /// A whole text for a field, from a host with an input method of its own: `secret`, `lot`, `note`, `code`, `server`, `value`, `right`.
    Typed {
        field: String,
        text: String,
    },
    /// A hardware key, or several: badge reader, scanner.
    Key(String),
    /// Time has passed; at least once a second.
    Tick,
    Reply {
        request: RequestId,
        reply: Reply,
    },
    /// How the terminal stands; whenever something of it changed, and at least every few seconds.
    Status(Box<StatusSnapshot>),
}

/// Which request a reply answers, and in which badge session it was made: a reply for a person who left is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId {
    pub number: u64,
    pub session: u64,
}

/// Something to be done, in the order given.
#[derive(Debug, Clone, PartialEq)]
pub struct Command {
    pub request: RequestId,
    pub what: What,
}

/// Two people who sign, each with their secret.
#[derive(Debug, Clone, PartialEq)]
pub struct Both {
    pub own: Hidden,
    pub second: PersonId,
    pub seconds: Hidden,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq)]
pub enum What {
    LookUp {
        badge: Hidden,
    },
    BadgeIn {
        person: PersonId,
    },
    BadgeOut {
        how: SessionEnd,
    },
    /// Forgets the unlocked key.
    Lock,
    Tasks {
        person: PersonId,
        lot: Option<LotId>,
    },
    /// Asks the gate; a GO starts.
    Ask {
        person: PersonId,
        task: TaskId,
        lot: Option<LotId>,
    },
    /// What the gate would say if this trainer stood by.
    Look {
        person: PersonId,
        task: TaskId,
        lot: Option<LotId>,
        trainer: PersonId,
    },
    AskSupervised {
        person: PersonId,
        task: TaskId,
        lot: Option<LotId>,
        trainer: PersonId,
        secret: Hidden,
    },
    /// Opens the session of somebody who has a day pass, with their own secret.
    EnterByPass {
        person: PersonId,
        secret: Hidden,
    },
    MayGivePass {
        by: PersonId,
        person: PersonId,
    },
    GiveDayPass {
        person: PersonId,
        identification: Identification,
        until: Timestamp,
        by: PersonId,
        secret: Hidden,
    },
    MayReportLost {
        by: PersonId,
        person: PersonId,
    },
    ReportLost {
        person: PersonId,
        loss: Loss,
        since: Timestamp,
        by: PersonId,
        secret: Hidden,
    },
    /// Whether the person may carry entries by stick here.
    MayCarry {
        person: PersonId,
    },
    /// Writes to the stick, or takes in what it brings; the person's secret was just given.
    Carry {
        person: PersonId,
        way: Way,
    },
    /// The procedure of a requirement, in the version in force.
    Procedure {
        person: PersonId,
        requirement: RequirementId,
    },
    /// Draws a page (from 0) of a document as a picture of that width. It takes its time, so that a driver with threads does it in one of
    /// its own, not in the store's.
    DrawPage {
        document: pdf::Document,
        page: usize,
        width: u32,
    },
    /// Checks the person's own secret and keeps their key for the badge session.
    Unlock {
        person: PersonId,
        secret: Hidden,
    },
    /// Checks a secret and keeps nothing.
    CheckSecret {
        person: PersonId,
        secret: Hidden,
    },
    SignRead {
        context: Context,
        digest: Digest32,
        seconds: u32,
    },
    OpenQuiz {
        person: PersonId,
        requirement: RequirementId,
    },
    /// Keeps the answers given so far, for when the person comes back.
    KeepAnswers {
        person: PersonId,
        answers: Vec<Vec<u16>>,
    },
    /// Grades and signs. `answers` are the positions chosen, by question.
    SignQuiz {
        context: Context,
        answers: Vec<Vec<u16>>,
    },
    Sheet {
        context: Context,
    },
    Tick {
        context: Context,
        author: PersonId,
        step: String,
        passed: bool,
    },
    Note {
        context: Context,
        author: PersonId,
        text: String,
    },
    MayAssess {
        assessor: PersonId,
        context: Context,
    },
    SignRun {
        context: Context,
        outcome: Outcome,
        session: Option<ActId>,
        both: Both,
    },
    OpenCheck {
        context: Context,
    },
    SignCheck {
        context: Context,
        results: Vec<CriterionResult>,
        outcome: Outcome,
        both: Both,
    },
    EndSession {
        session: ActId,
        how: SessionEnd,
    },
    ConfirmTrainer {
        session: ActId,
        trainer: PersonId,
        /// Where a badge alone says nothing.
        secret: Option<Hidden>,
    },
    /// Whether somebody may verify the person's identity at signing set-up.
    MayVerify {
        verifier: PersonId,
        person: PersonId,
    },
    SetUpSigning {
        person: PersonId,
        secret: Hidden,
        proof: IdentityProof,
        /// Language the accountability statement was shown in.
        language: String,
        verifier: PersonId,
        verifiers: Hidden,
    },
    MayLift {
        by: PersonId,
        person: PersonId,
    },
    LiftLockout {
        person: PersonId,
        reason: UnlockReason,
        by: PersonId,
        secret: Hidden,
    },
    MayCoach {
        trainer: PersonId,
        person: PersonId,
    },
    SignCoaching {
        context: Context,
        both: Both,
    },
    MayCoSign {
        second: PersonId,
        start: Start,
    },
    /// Answers for the start that `decision` denied.
    CoSign {
        start: Start,
        decision: EntryId,
        second: PersonId,
        secret: Hidden,
    },
    /// The person's own training record.
    Records {
        person: PersonId,
    },
    Correct {
        person: PersonId,
        entry: EntryId,
        corrected: Corrected,
    },
    /// Terminal set-up. It needs the network, so that whoever drives the presenter does it, not [`crate::desk`].
    SetUp {
        code: Hidden,
        server: String,
    },
}

/// What a training act is about, and for which start: enough to say afterwards what is still open.
#[derive(Debug, Clone, PartialEq)]
pub struct Context {
    pub person: PersonId,
    pub about: About,
    pub task: TaskId,
    pub lot: Option<LotId>,
}

/// A start that was asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Start {
    pub person: PersonId,
    pub task: TaskId,
    pub lot: Option<LotId>,
}

/// What came of a command.
#[derive(Clone)]
pub enum Reply {
    Done,
    Badge(BadgeSeen),
    Tasks(Vec<TaskCard>),
    Verdict(Box<VerdictReply>),
    Decision(Box<GateDecision>),
    Procedure(Box<Procedure>),
    Page(Result<pdf::Page, pdf::NotDrawn>),
    Quiz(Box<QuizReply>),
    /// No attempt at the quiz is left.
    UsedUp(Box<UsedUp>),
    SigningSetUp(Box<SigningSetUpReply>),
    Helped(Box<HelpReply>),
    Records(Vec<OwnEntry>),
    Sheet(Box<SheetReply>),
    Check(Box<CheckReply>),
    Signed(Box<SignedReply>),
    Carried(Carried),
    Enrolled {
        terminal: String,
        work_units: String,
    },
    NotEnrolled(NotEnrolled),
    Denied(Refusal),
    Failed(Failure),
}

/// One line of the task list.
#[derive(Debug, Clone)]
pub struct TaskCard {
    pub line: gate::TaskLine,
    /// When the first of the evidence used expires; for tasks that are GO.
    pub expires_at: Option<Timestamp>,
}

/// A journalled decision with what a person wants to know beside it.
#[derive(Debug, Clone)]
pub struct VerdictReply {
    pub verdict: gate::Verdict,
    pub at: Timestamp,
    pub past: Past,
}

/// Dates that the decision itself doesn't carry.
#[derive(Debug, Clone, Default)]
pub struct Past {
    /// When the block was set.
    pub blocked_since: Option<Timestamp>,
    /// When anything was last done for a requirement.
    pub last_done: BTreeMap<RequirementId, Timestamp>,
    /// When the task was last performed.
    pub last_performed: Option<Timestamp>,
    pub expires_at: Option<Timestamp>,
    /// Who answered for the start, as printed.
    pub co_signed_by: Option<String>,
    /// Version the evidence of each requirement was given on.
    pub trained_on: BTreeMap<RequirementId, VersionId>,
}

/// A quiz being answered.
#[derive(Debug, Clone)]
pub struct QuizReply {
    pub about: About,
    pub questions: Vec<Question>,
    /// For each question, whether more than one answer is right.
    pub multiple: Vec<bool>,
    pub pass_percent: u8,
    pub attempts_left: u32,
    /// The answers given before, by question, when it goes on after a break.
    pub chosen: Vec<Vec<u16>>,
}

/// A signing set-up, stored.
#[derive(Debug, Clone)]
pub struct SigningSetUpReply {
    pub entry: EntryId,
    pub signatures: Vec<SignatureLine>,
}

/// A day pass or a lost badge, stored.
#[derive(Debug, Clone)]
pub struct HelpReply {
    pub entry: EntryId,
    pub signatures: Vec<SignatureLine>,
    /// Until when the pass is good; nothing for a lost badge.
    pub until: Option<Timestamp>,
}

/// A training on the floor, as it stands here.
#[derive(Debug, Clone)]
pub struct SheetReply {
    pub about: About,
    /// The steps of the procedure, in its order.
    pub steps: Vec<Step>,
    pub changed_steps: Vec<String>,
    pub ticks: BTreeMap<String, StepState>,
    pub notes: Vec<NoteLine>,
    pub runs: Vec<RunLine>,
    pub conflict: bool,
    pub after_sign_off: bool,
    pub state: RequirementState,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteLine {
    pub by: PersonId,
    pub at: Timestamp,
    pub text: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunLine {
    pub observer: String,
    pub at: Timestamp,
    pub outcome: Outcome,
    /// Not yet at the server.
    pub waiting: bool,
}

#[derive(Debug, Clone)]
pub struct CheckReply {
    pub about: About,
    pub check: CheckSet,
    /// Steps of the worksheet are in conflict: the check can't be signed.
    pub conflict: bool,
}

/// A signed entry, and what is open after it.
#[derive(Debug, Clone)]
pub struct SignedReply {
    pub entry: EntryId,
    pub signatures: Vec<SignatureLine>,
    pub synced: bool,
    pub on_hold: bool,
    /// What the gate would say now of the start it was done for.
    pub decision: GateDecision,
    pub outcome: Outcome,
    pub quiz: Option<QuizScore>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureLine {
    pub name: String,
    pub meaning: shared::kind::Meaning,
    pub at: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuizScore {
    pub percent: u8,
    pub attempts_left: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotEnrolled {
    WrongCode,
    Expired,
    NoNetwork,
    ForeignCertificate,
}

/// A refusal is a value: nothing was written, and the terminal is well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    WrongSecret {
        left: u32,
        wait_s: u32,
    },
    Wait {
        seconds: u32,
    },
    LockedOut,
    NoSigning,
    NotIdentified,
    WeakSecret,
    SamePerson,
    NoAuthority,
    /// The day pass gives no word in this.
    ByDayPass,
    /// Why somebody can't have a day pass.
    NoPass(NoPass),
    /// There is no badge to report lost.
    NoBadge,
    OutOfOrder,
    SheetConflict,
    ContentMissing,
    NoAttemptLeft,
    Unknown,
    NoSession,
    NotSetUp,
}

/// The terminal isn't well. What was acknowledged before is safe; this act was not done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    DiskFull,
    Damaged,
    KeyStore,
    Internal { code: String },
}

/// How the terminal stands.
#[derive(Clone)]
pub struct StatusSnapshot {
    pub status: Status,
    /// The plant as known here: names, titles, policy.
    pub plant: Arc<Plant>,
    pub site: Option<SiteId>,
    pub sessions: Vec<TaskSession>,
    /// How the latest task sessions here ended.
    pub ended: Vec<(ActId, SessionEnd)>,
    /// People on shift here who lead, and who train.
    pub leads: Vec<PersonId>,
    pub trainers: Vec<PersonId>,
    /// Whose day pass is good here now, by name.
    pub pass_holders: Vec<PassHolder>,
    pub key_store: KeyStoreKind,
    /// Entries set aside.
    pub set_aside: u64,
    pub retired: bool,
    pub enrolled_at: Option<Timestamp>,
    pub storage: Option<Storage>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Storage {
    pub free_bytes: u64,
    pub total_bytes: u64,
    pub database_bytes: u64,
}

impl Default for StatusSnapshot {
    /// A terminal that nobody has looked at yet.
    fn default() -> Self {
        let status = Status {
            kiosk: None,
            work_units: Vec::new(),
            device: None,
            url: None,
            line: Line::NeverTried,
            revoked: None,
            contradicted: false,
            last_contact: None,
            in_step: None,
            waiting_in: Vec::new(),
            boxes_waiting: 0,
            plant: Vec::new(),
            now: Timestamp(0),
            uncertainty_ms: 0,
            machine_off_ms: 0,
            forks: 0,
            entries: 0,
        };
        Self {
            status,
            plant: Arc::default(),
            site: None,
            sessions: Vec::new(),
            ended: Vec::new(),
            leads: Vec::new(),
            trainers: Vec::new(),
            pass_holders: Vec::new(),
            key_store: KeyStoreKind::File,
            set_aside: 0,
            retired: false,
            enrolled_at: None,
            storage: None,
        }
    }
}
