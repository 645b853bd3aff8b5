//! Everything a screen shows, as plain values: the globals of the window's view-models, one to one and in their order.
//!
//! A [`View`] holds codes and parameters; the words are made of them where the screens are. It never holds a secret: of what is typed
//! there, only the number of characters (R14).

use std::ops::Range;
use std::sync::Arc;

use serde::Serialize;

/// The whole of what is on view: the screen, the bar above it, and the model of every screen.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct View {
    pub screen: Screen,
    /// Language on screen, as a code: `en`, `de`.
    pub language: String,
    pub look: Look,
    pub chrome: Chrome,
    pub keyboard: Keyboard,
    pub idle: Idle,
    pub set_up: SetUp,
    pub tasks: Tasks,
    pub lot: Lot,
    pub verdict: Verdict,
    pub secret: Secret,
    pub reader: Reader,
    pub quiz: Quiz,
    pub worksheet: Worksheet,
    pub check: Check,
    pub second_badge: SecondBadge,
    pub receipt: Receipt,
    pub supervised: Supervised,
    pub sessions: Sessions,
    pub status: Status,
    pub trouble: Trouble,
    pub swap: Swap,
    pub signing_set_up: SigningSetUp,
    pub lockout: Lockout,
    pub stick: Stick,
    pub no_badge: NoBadge,
    pub records: Records,
    pub correction: Correction,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident { $first:ident $(, $(#[$vdoc:meta])* $rest:ident)* $(,)? })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum $name { #[default] $first, $($(#[$vdoc])* $rest,)* }
    )*};
}

macro_rules! models {
    ($($(#[$doc:meta])* $name:ident { $($(#[$fdoc:meta])* $field:ident: $ty:ty = $default:expr,)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Serialize)]
        pub struct $name { $($(#[$fdoc])* pub $field: $ty,)* }
        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $default,)* }
            }
        }
    )*};
}

fn none() -> String {
    String::new()
}

// ---- common

codes! {
    /// The screen on view.
    Screen {
        Idle, SetUp, Tasks, Lot, Verdict, Secret, Reader, Quiz, Worksheet, Check, SecondBadge, Receipt, Supervised, Sessions, Status,
        Fault, Swap, SigningSetUp, Lockout, Records, Correction, Stick, NoBadge,
    }
    Look { Light, Dark, HighContrast }
    /// How the exchange with the server stands.
    SyncState { Online, Offline, Refused, ForeignServer, Revoked }
    /// What a person can be asked to do for a requirement.
    Activity { Read, Quiz, Run, Check, Briefing }
    /// What a signature says (21 CFR 11.50).
    Meaning {
        ReadAndUnderstood, QuizDone, RunPerformed, RunObserved, CheckPerformed, CheckAssessed, SupervisionAsked, SupervisionTaken,
        SupervisionConfirmed, CoSigned, Coached, Briefed, StatementAccepted, IdentityVerified, StepsSettled,
        LockoutLifted, Corrected, Carried, Identified, BadgeReported,
    }
    /// The one step a screen offers as its primary button.
    NextStep {
        None, StartTraining, ContinueTraining, OpenProcedure, StartWork, EnterLot, GetCoSignature, BackToTasks, TryAgain, ReadProcedure,
        TakeQuiz, OpenRecord, StartCheck, SignOut, Done,
    }
    /// Whom to ask when nobody on shift can help here.
    Ask { Supervisor, Trainer, Quality, It }
}

models! {
    ActivityState {
        kind: Activity = Activity::Read,
        done: bool = false,
        /// Runs counted so far, and how many are needed; 0 of 0 for the other kinds.
        count: i32 = 0,
        of: i32 = 0,
    }
    /// The bar on every screen: where, who, how fresh, how long (S8).
    Chrome {
        terminal: String = none(),
        person: String = none(),
        /// Until when they are here by a day pass; empty for who showed a badge.
        pass_until: String = none(),
        sync: SyncState = SyncState::Online,
        offline_since: String = none(),
        /// Entries written here that the server hasn't acknowledged.
        waiting: i32 = 0,
        /// Minutes since plant data was last confirmed as complete; -1 when it never was.
        plant_age_minutes: i32 = -1,
        plant_revision: i32 = 0,
        clock: String = none(),
        /// Seconds until the session ends by itself; -1 when there is no countdown.
        idle_seconds: i32 = -1,
        storage_warning: bool = false,
        /// Language on screen as the button shows it: `EN`.
        language: String = "EN".into(),
    }
}

// ---- idle

codes! {
    /// What came of the last badge shown.
    BadgeResult { None, Reading, Unknown, Disabled, Inactive, Unreadable, OtherSite, PassOver }
    /// What a changed procedure means for a running session.
    SessionNotice { None, Finish, Stop }
}

models! {
    SessionRow {
        id: String = none(),
        person: String = none(),
        task: String = none(),
        lot: String = none(),
        work_unit: String = none(),
        since: String = none(),
        notice: SessionNotice = SessionNotice::None,
        document: String = none(),
        began_on: String = none(),
        in_force: String = none(),
    }
    Idle {
        badge: BadgeResult = BadgeResult::None,
        work_units: String = none(),
        /// At most 4; `sessions_more` counts those beyond.
        sessions: Vec<SessionRow> = Vec::new(),
        sessions_more: i32 = 0,
    }
}

// ---- set-up

codes! {
    SetUpState { EnterCode, Asking, Enrolled, WrongCode, Expired, NoNetwork, ForeignCertificate }
}

models! {
    SetUp {
        state: SetUpState = SetUpState::EnterCode,
        /// What was typed so far, grouped as it is printed.
        code: String = none(),
        server: String = none(),
        /// The address is being typed, not the code.
        typing_server: bool = false,
        can_change_server: bool = false,
        terminal: String = none(),
        work_units: String = none(),
        /// What is typed, address or code, can be gone on with.
        can_send: bool = false,
    }
}

// ---- tasks and lot

codes! {
    TaskState { Ready, DueSoon, TrainingNeeded, InTraining, Blocked, OnHold }
}

models! {
    TaskRow {
        id: String = none(),
        title: String = none(),
        document: String = none(),
        version: String = none(),
        state: TaskState = TaskState::Ready,
        /// Days until due, for `DueSoon`.
        days: i32 = 0,
    }
    Tasks {
        /// The rows of this page, at most 6.
        rows: Vec<TaskRow> = Vec::new(),
        page: i32 = 1,
        pages: i32 = 1,
        lot: String = none(),
        /// Lot of the session before, for "same as last"; empty when none or the same.
        last_lot: String = none(),
        sessions: i32 = 0,
        /// Whose half-done work was just kept; empty when nobody's was.
        kept: String = none(),
    }
    Lot {
        typed: String = none(),
        last_lot: String = none(),
        /// Task that asked for it; empty when entered from the list.
        task: String = none(),
        unknown: bool = false,
        /// Letters instead of digits.
        letters: bool = false,
    }
}

// ---- verdict

codes! {
    VerdictKind { Go, NoGo, Supervised, CoSign, Blocked, OnHold, CannotDecide }
    /// The reason a verdict gives; `model.slint` says which parameters each uses.
    Why {
        Qualified, QualifiedDueSoon, CoSigned, CarriedOver, UnderOldVersion, Supervised, TrainedOnOlder, NeverTrained, InTraining, Expired,
        NotPerformedLately, NotPassed, QuizAttemptsUsed, Prerequisite, NotInJobFunction, NoVersionInForce, NoRequirement, Inactive,
        LotNeeded, Stale, ClockUncertain, HistoryOnItsWay, SigningNotSetUp, NoTranslation, SupervisionEnded, StaleCoSign, Blocked,
        EvidenceOnHold, InternalError,
    }
}

models! {
    WhyParams {
        document: String = none(),
        title: String = none(),
        trained_on: String = none(),
        in_force: String = none(),
        since: String = none(),
        on: String = none(),
        by: String = none(),
        code: String = none(),
        days: i32 = 0,
        hours: i32 = 0,
        allowed_hours: i32 = 0,
        minutes: i32 = 0,
    }
    MissingItem {
        title: String = none(),
        document: String = none(),
        version: String = none(),
        activities: Vec<ActivityState> = Vec::new(),
        /// Numbers of the changed steps, "4, 5, 9"; empty when the whole document is asked.
        changed_steps: String = none(),
        changed_count: i32 = 0,
        /// Minutes of one's own; 0 when unknown.
        minutes: i32 = 0,
    }
    Verdict {
        kind: VerdictKind = VerdictKind::CannotDecide,
        why: Why = Why::InternalError,
        params: WhyParams = WhyParams::default(),
        task: String = none(),
        lot: String = none(),
        work_unit: String = none(),
        /// When the task session opened; empty when none did.
        session_since: String = none(),
        /// At most 4.
        missing: Vec<MissingItem> = Vec::new(),
        missing_more: i32 = 0,
        /// Printed names of those on shift who can sign, joined.
        signers: String = none(),
        /// False when signing by others is no part of the remedy.
        signers_matter: bool = false,
        ask: Ask = Ask::Supervisor,
        ask_name: String = none(),
        next: NextStep = NextStep::None,
        can_read: bool = false,
        can_supervised: bool = false,
    }
}

// ---- secret

codes! {
    SecretKind { Pin, Passphrase }
    SecretError { None, Wrong, LockedOut, TooShort, NotSetUp }
    KeyLayer { Lower, Upper, Symbols }
    KeyLayout { Qwerty, Qwertz }
}

models! {
    /// The on-screen keyboard, wherever it is shown.
    Keyboard {
        layer: KeyLayer = KeyLayer::Lower,
        layout: KeyLayout = KeyLayout::Qwerty,
    }
    Secret {
        kind: SecretKind = SecretKind::Passphrase,
        signer: String = none(),
        meaning: Meaning = Meaning::ReadAndUnderstood,
        document: String = none(),
        title: String = none(),
        version: String = none(),
        /// Whose record it is; empty when the signer's own.
        about: String = none(),
        /// How many characters were typed; the characters themselves never come here.
        typed: i32 = 0,
        error: SecretError = SecretError::None,
        /// Seconds to wait before the next try; 0 when none.
        wait_seconds: i32 = 0,
        attempts_left: i32 = -1,
        /// The secret is being checked.
        busy: bool = false,
    }
}

// ---- reader

codes! {
    /// `Picture` stands for one that this terminal doesn't show; its text is what the document says of it.
    BlockKind { Heading1, Heading2, Heading3, Paragraph, Bullet, Numbered, TableHead, TableRow, Note, Picture }
    /// How a document that is drawn, not written, stands: none is; being drawn; on view; on view but lacking something; it can't be.
    Paper { None, Drawing, Shown, Lacking, NotDrawn }
    RunStyle { Plain, Strong, Emphasis, Code }
    ReaderNext { NextPage, ReadAndUnderstood, SeeAllPages, Close }
}

/// A stretch of text in one style.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Run {
    pub text: String,
    pub style: RunStyle,
}

/// A page as a picture: 8 bits each of red, green, blue and alpha, row by row. Of a page that is higher than the screen only some
/// rows are on view.
#[derive(Clone, PartialEq, Eq)]
pub struct PageImage {
    pub width: u32,
    pub height: u32,
    pub rgba: Arc<[u8]>,
    /// The rows on view.
    pub rows: Range<u32>,
}

impl PageImage {
    /// All of a page.
    pub fn new(width: u32, height: u32, rgba: Arc<[u8]>) -> Self {
        Self { width, height, rgba, rows: 0..height }
    }

    /// The pixels of the rows on view; `None` for pixels that don't fill the size they claim.
    pub fn on_view(&self) -> Option<&[u8]> {
        let line = usize::try_from(self.width).ok()?.checked_mul(4)?;
        let (start, end) = (usize::try_from(self.rows.start).ok()?, usize::try_from(self.rows.end).ok()?);
        let whole = self.rgba.len() == line.checked_mul(usize::try_from(self.height).ok()?)?;
        let shown = self.rgba.get(start.checked_mul(line)?..end.checked_mul(line)?);
        shown.filter(|pixels| whole && !pixels.is_empty())
    }
}

impl std::fmt::Debug for PageImage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PageImage({}×{}, {:?})", self.width, self.height, self.rows)
    }
}

impl Serialize for PageImage {
    /// Its size: pixels are nothing to read.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{} × {}", self.width, self.height))
    }
}

models! {
    Block {
        kind: BlockKind = BlockKind::Paragraph,
        /// Text of a heading, plain.
        heading: String = none(),
        /// Text of everything else that isn't a table row.
        text: Vec<Run> = Vec::new(),
        /// Number of a numbered item, as printed.
        number: String = none(),
        cells: Vec<String> = Vec::new(),
        /// Part of what changed since the version the person holds.
        changed: bool = false,
        /// Depth of a nested item, from 0.
        depth: i32 = 0,
    }
    StepMark {
        number: String = none(),
        title: String = none(),
        changed: bool = false,
        /// On the page on view.
        here: bool = false,
    }
    Reader {
        document: String = none(),
        title: String = none(),
        version: String = none(),
        effective: String = none(),
        /// Language of the text on view, by its own name; `fallback` when it is not the person's.
        language: String = none(),
        fallback: bool = false,
        /// Only the changed steps are shown.
        changed_only: bool = false,
        can_toggle: bool = false,
        /// At most 7: the window around the page on view.
        steps: Vec<StepMark> = Vec::new(),
        blocks: Vec<Block> = Vec::new(),
        paper: Paper = Paper::None,
        /// The page as a picture, while it is on view; then `blocks` is empty.
        page_image: Option<PageImage> = None,
        page: i32 = 1,
        pages: i32 = 1,
        unseen: i32 = 0,
        next: ReaderNext = ReaderNext::Close,
    }
}

/// Runs as Markdown with inline marks only: every character that Markdown would take for a mark is escaped.
pub fn markdown(runs: &[Run]) -> String {
    let mut text = String::new();
    for run in runs {
        let mark = match run.style {
            RunStyle::Plain => "",
            RunStyle::Strong => "**",
            RunStyle::Emphasis => "*",
            // Code is shown as emphasis-free text: its escapes would be printed inside a code span.
            RunStyle::Code => "",
        };
        let inner = run.text.trim();
        if mark.is_empty() || inner.is_empty() {
            text.push_str(&escaped(&run.text));
        } else {
            // A mark beside white space is none, so the white space goes outside.
            let start = run.text.len() - run.text.trim_start().len();
            text.push_str(&run.text[..start]);
            text.extend([mark, &escaped(inner), mark]);
            text.push_str(&run.text[start + inner.len()..]);
        }
    }
    text
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii_punctuation() {
            out.push('\\');
        }
        out.push(if c == '\n' { ' ' } else { c });
    }
    out
}

// ---- quiz

codes! {
    QuizState { Question, Passed, Failed }
    QuizNext { Answer, Finish, Sign, TryAgain, ReadAgain, AskTrainer }
}

models! {
    Answer {
        text: String = none(),
        chosen: bool = false,
    }
    Quiz {
        state: QuizState = QuizState::Question,
        document: String = none(),
        title: String = none(),
        version: String = none(),
        question: String = none(),
        number: i32 = 1,
        of: i32 = 1,
        multiple: bool = false,
        answers: Vec<Answer> = Vec::new(),
        /// Attempts left after this one.
        attempts_left: i32 = 0,
        percent: i32 = 0,
        pass_mark: i32 = 0,
        next: QuizNext = QuizNext::Answer,
        /// It goes on after a break, with the answers given before.
        resumed: bool = false,
        /// An answer is chosen, so that `next` may be touched.
        can_go_on: bool = true,
    }
}

// ---- worksheet

codes! {
    Tick { Open, Pass, Fail, Conflict }
}

models! {
    WorksheetStep {
        number: i32 = 0,
        text: String = none(),
        tick: Tick = Tick::Open,
        changed: bool = false,
        by: String = none(),
        at: String = none(),
        /// The two sides of a conflict: where, or by whom, it was ticked so.
        pass_at: String = none(),
        fail_at: String = none(),
    }
    RunRow {
        number: i32 = 0,
        observer: String = none(),
        at: String = none(),
        good: bool = true,
        /// Not yet at the server.
        waiting: bool = false,
    }
    NoteRow {
        by: String = none(),
        at: String = none(),
        text: String = none(),
    }
    Worksheet {
        person: String = none(),
        document: String = none(),
        title: String = none(),
        version: String = none(),
        /// Who ticks now.
        observer: String = none(),
        /// The steps of this page, at most 5.
        steps: Vec<WorksheetStep> = Vec::new(),
        page: i32 = 1,
        pages: i32 = 1,
        open_steps: i32 = 0,
        conflicts: i32 = 0,
        runs_done: i32 = 0,
        runs_of: i32 = 0,
        /// The latest runs, at most 3.
        runs: Vec<RunRow> = Vec::new(),
        /// The latest notes, at most 2.
        notes: Vec<NoteRow> = Vec::new(),
        can_tick: bool = true,
        can_record_run: bool = false,
        can_check: bool = false,
        /// The on-screen keyboard is open for a note.
        writing: bool = false,
        note: String = none(),
        /// Edits that came in after the check was signed.
        after_sign_off: bool = false,
    }
}

// ---- check

codes! {
    CriterionKind { PassFail, Value }
    CriterionState { Open, Pass, Fail, InRange, OutOfRange }
    Outcome { None, Pass, NotYet, Fail }
    /// What keeps a check from being signed.
    CheckBar { None, CriteriaOpen, OutcomeOpen, Conflict }
}

models! {
    Criterion {
        number: i32 = 0,
        text: String = none(),
        kind: CriterionKind = CriterionKind::PassFail,
        state: CriterionState = CriterionState::Open,
        value: String = none(),
        unit: String = none(),
        minimum: String = none(),
        maximum: String = none(),
    }
    Check {
        person: String = none(),
        assessor: String = none(),
        document: String = none(),
        title: String = none(),
        version: String = none(),
        /// The criteria of this page, at most 5.
        criteria: Vec<Criterion> = Vec::new(),
        page: i32 = 1,
        pages: i32 = 1,
        outcome: Outcome = Outcome::None,
        /// A failed criterion or a value out of range forbids the outcome "pass".
        can_pass: bool = true,
        bar: CheckBar = CheckBar::None,
        open_criteria: i32 = 0,
        /// The keypad is open for this criterion; its number is 0 when it isn't.
        entering: Criterion = Criterion::default(),
        typed: String = none(),
    }
}

// ---- second badge

codes! {
    SecondRole { Assessor, Trainer, Observer, CoSigner, Verifier, Supervisor }
    SecondRefusal {
        None, SamePerson, NotAllowed, VersionNotHeld, TooManyTrainees, TrainerCannotAssess, LockedOut, Unknown, Disabled, Inactive,
    }
}

models! {
    SecondBadge {
        role: SecondRole = SecondRole::Assessor,
        /// Whose work is kept meanwhile.
        kept: String = none(),
        document: String = none(),
        title: String = none(),
        version: String = none(),
        task: String = none(),
        refusal: SecondRefusal = SecondRefusal::None,
        /// Printed name of who was refused; empty for an unknown badge.
        refused: String = none(),
        /// Seconds left to show the badge; -1 when there is no limit.
        seconds: i32 = -1,
        /// Printed names of those on shift who can, joined.
        able: String = none(),
    }
}

// ---- receipt

codes! {
    StoredState { Stored, Synced }
    /// What is open after the signature.
    Open { Qualified, Quiz, Runs, Check, SecondSignature, OnHold, NotPassed, Nothing }
}

models! {
    SignatureRow {
        name: String = none(),
        meaning: Meaning = Meaning::ReadAndUnderstood,
        at: String = none(),
    }
    Receipt {
        document: String = none(),
        title: String = none(),
        version: String = none(),
        /// Whose record it is.
        about: String = none(),
        signatures: Vec<SignatureRow> = Vec::new(),
        /// Short form of the entry's id.
        entry: String = none(),
        state: StoredState = StoredState::Stored,
        open: Open = Open::Nothing,
        /// For `Runs`: how many are still needed.
        open_count: i32 = 0,
        next: NextStep = NextStep::BackToTasks,
    }
}

// ---- supervised and sessions

codes! {
    SupervisedState { Running, ConfirmNow, Ended }
    SupervisedEnd { ByTap, NotConfirmed, BadgeOut, BadgeElsewhere, TimeOver, Blocked, NewVersion, NextStart }
}

models! {
    Supervised {
        state: SupervisedState = SupervisedState::Running,
        end: SupervisedEnd = SupervisedEnd::ByTap,
        trainee: String = none(),
        trainer: String = none(),
        task: String = none(),
        document: String = none(),
        version: String = none(),
        lot: String = none(),
        work_unit: String = none(),
        since: String = none(),
        /// Minutes to the next confirmation.
        minutes_left: i32 = 0,
        /// While `ConfirmNow`, the seconds left to confirm.
        seconds_left: i32 = 0,
        every_minutes: i32 = 30,
    }
    Sessions {
        /// The rows of this page, at most 5.
        rows: Vec<SessionRow> = Vec::new(),
        page: i32 = 1,
        pages: i32 = 1,
    }
}

// ---- status, fault, swap

codes! {
    /// `Keys` are sealed boxes; `Other` is what is carried for others or stands outside the order.
    EntryKind { Records, Presence, Journal, Keys, Other }
    KeyStore { File, Tpm }
    EnrolmentState { NotEnrolled, Enrolled, Revoked, Retired }
    Alarm { None, Fork, Continuity, RestoredCopy }
    Fault { InternalError, DamagedDatabase, StorageFull, ForeignCertificate, Revoked, ClockLost, KeyStoreLost }
}

models! {
    WaitingRow {
        kind: EntryKind = EntryKind::Records,
        count: i32 = 0,
    }
    Status {
        kiosk: String = none(),
        software: String = none(),
        server: String = none(),
        /// When an exchange last left nothing to fetch; empty when none ever did.
        last_exchange: String = none(),
        /// The server answers, but the last exchange was not complete.
        behind: bool = false,
        waiting: Vec<WaitingRow> = Vec::new(),
        plant_revision: i32 = 0,
        /// Minutes since plant data was last complete; -1 when it never was.
        plant_age_minutes: i32 = -1,
        /// Free space, as printed; empty when the system doesn't say.
        storage_free: String = none(),
        /// Used share of the storage, in percent.
        storage_used: i32 = 0,
        database: String = none(),
        /// How far the machine's own clock is off from the time used here.
        clock_offset: String = none(),
        /// When the server last confirmed the time; empty when it never did.
        clock_confirmed: String = none(),
        clock_uncertainty: String = none(),
        key_store: KeyStore = KeyStore::File,
        enrolment: EnrolmentState = EnrolmentState::NotEnrolled,
        enrolled_since: String = none(),
        alarm: Alarm = Alarm::None,
        alarm_since: String = none(),
        set_aside: i32 = 0,
    }
    Trouble {
        fault: Fault = Fault::InternalError,
        code: String = none(),
        /// Signed entries that are whole, or that wait; which, depends on the fault.
        kept: i32 = 0,
        since: String = none(),
        next: NextStep = NextStep::None,
    }
    Swap {
        /// Whose work is kept, and who showed a badge.
        kept: String = none(),
        other: String = none(),
        /// What the first person was doing.
        doing: Meaning = Meaning::ReadAndUnderstood,
        document: String = none(),
        /// A signature was asked for, and the other may not give it; why.
        refusal: SecondRefusal = SecondRefusal::None,
    }
}

// ---- signing set-up and lockout

codes! {
    SigningStep { Offer, Proof, Choose, Repeat, Statement, Done }
    /// What a verifier saw, in the order of the choices on the screen.
    IdentityProof { IdCard, Passport, DrivingLicence, PersonnelFile }
    /// Why the secret must be chosen again.
    ChoiceError { None, TooShort, TooSimple, Differs }
    /// Why a lockout is lifted, in the order of the choices on the screen.
    UnlockReason { Mistyped, Gloves, Recalled }
}

models! {
    SigningSetUp {
        step: SigningStep = SigningStep::Offer,
        person: String = none(),
        verifier: String = none(),
        kind: SecretKind = SecretKind::Passphrase,
        /// Shortest secret, in characters.
        least: i32 = 10,
        /// How many characters were typed; the characters themselves never come here.
        typed: i32 = 0,
        error: ChoiceError = ChoiceError::None,
        /// The accountability statement, a paragraph each.
        statement: Vec<String> = Vec::new(),
        /// Who signed, when it is done.
        signatures: Vec<SignatureRow> = Vec::new(),
        /// Short form of the entry's id.
        entry: String = none(),
    }
    Lockout {
        person: String = none(),
        /// Wrong secrets that lock.
        tries: i32 = 0,
        /// A signature was under way, and waits.
        interrupted: bool = false,
        /// Printed names of those on shift who can lift it, joined.
        able: String = none(),
    }
}

// ---- stick

codes! {
    /// What came of a stick, or why a bundle on it was refused.
    StickResult {
        None, NotAllowed, NoStick, Unusable, Written, Empty, Taken, Stale, Unreadable, Altered, OtherPlant, OtherSite,
    }
}

models! {
    Stick {
        /// Who has badged in; empty while a supervisor's badge is asked for.
        person: String = none(),
        /// Printed names of those on shift who may, joined.
        able: String = none(),
        result: StickResult = StickResult::None,
        /// Entries and documents written, or taken in.
        entries: i32 = 0,
        documents: i32 = 0,
        /// Documents for which there was no room.
        left_out: i32 = 0,
        /// Entries that wait for others before them, and those that are nobody's.
        waiting: i32 = 0,
        invalid: i32 = 0,
        /// The terminals whose bundles were taken in, joined.
        from: String = none(),
        /// Bundles of which nothing was taken, and why the first was refused.
        files_refused: i32 = 0,
        refusal: StickResult = StickResult::None,
    }
}

// ---- without a badge

codes! {
    /// Choosing whom to help, with what, how they were identified or what happened, until or since when.
    NoBadgeStep { Person, What, Identification, Until, Loss, Since, Done }
    /// How a supervisor knows who somebody is, in the order of the choices on the screen.
    Identification { KnownBySight, IdCard, PersonnelFile, Vouched }
    /// What happened to a badge, in the order of the choices on the screen.
    Loss { OnTheWay, OnSite, Stolen, NotFound }
    NoBadgeRefusal { None, NotAllowed, SamePerson, Inactive, OtherSite, LockedOut, NoSecret, RuledOut, NoBadge }
}

models! {
    /// Somebody with a day pass.
    HolderRow {
        /// Its number in the whole list, from 1.
        number: i32 = 0,
        name: String = none(),
        until: String = none(),
    }
    NoBadge {
        /// The supervisor who helps; empty while nobody has badged in.
        helper: String = none(),
        /// Printed names of those on shift who may help, joined.
        able: String = none(),
        /// Who has a pass, at most 4 on this page.
        holders: Vec<HolderRow> = Vec::new(),
        page: i32 = 1,
        pages: i32 = 1,
        step: NoBadgeStep = NoBadgeStep::Person,
        refusal: NoBadgeRefusal = NoBadgeRefusal::None,
        /// The part of a name typed so far, at most 3 people it fits, and how many more.
        typed: String = none(),
        found: Vec<String> = Vec::new(),
        more: i32 = 0,
        /// Who is helped.
        person: String = none(),
        /// Moments until which a pass can be given; whether the first is the end of the person's shift.
        untils: Vec<String> = Vec::new(),
        shift_ends: bool = false,
        /// Until when the pass was given; empty when a badge was reported lost.
        until: String = none(),
        signatures: Vec<SignatureRow> = Vec::new(),
        /// Short form of the entry's id.
        entry: String = none(),
    }
}

// ---- records and correction

codes! {
    Standing { Counts, OnHold, SetAside, Corrected }
    CorrectionStep { What, Right, Reason }
    WrongThing { Person, Value, Outcome }
    /// Why an entry is wrong, in the order of the choices on the screen.
    CorrectionReason { Slip, WrongBadge, Misread, Misunderstood }
}

models! {
    /// One act in a person's own record.
    RecordRow {
        number: i32 = 0,
        activity: Activity = Activity::Read,
        document: String = none(),
        title: String = none(),
        version: String = none(),
        at: String = none(),
        /// Who observed or assessed; empty when nobody did.
        second: String = none(),
        outcome: Outcome = Outcome::None,
        /// Score of a quiz; -1 for everything else.
        percent: i32 = -1,
        standing: Standing = Standing::Counts,
        /// Both values and the reason, once corrected.
        old: String = none(),
        new: String = none(),
        reason: String = none(),
    }
    Records {
        /// The rows of this page, at most 5.
        rows: Vec<RecordRow> = Vec::new(),
        page: i32 = 1,
        pages: i32 = 1,
    }
    Correction {
        step: CorrectionStep = CorrectionStep::What,
        entry: RecordRow = RecordRow::default(),
        wrong: WrongThing = WrongThing::Person,
        /// What would be right, as typed so far.
        typed: String = none(),
    }
}
