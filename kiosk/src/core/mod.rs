//! What the kiosk does, apart from how it is shown: each act of a person is one durable step, acknowledged only after it.
//!
//! A [`Core`] is used from one thread. It owns the ledger, the key store, the clock and the protocol's terminal; whoever drives it (the
//! window's store thread, a test, a demo) calls and shows what comes back.

pub mod badge;
pub mod bundle;
pub mod carry;
pub mod co_sign;
pub mod coach;
pub mod correct;
pub mod day_pass;
pub mod exchange;
pub mod floor;
pub mod gate;
pub mod learn;
pub mod lockout;
pub mod on_shift;
pub mod peer;
mod pepper;
pub mod retire;
pub mod secret;
pub mod sessions;
pub mod set_up;
pub mod signing_set_up;
pub mod status;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use shared::id::*;
use shared::kind::plant::DeviceEnrolled;
use shared::kind::{Body, Family, Statement, to_cbor};
use shared::log::entry::Credential;
use shared::log::{Draft, Entry, Stream, Subject};
use shared::part11::signature::PersonSecret;
use shared::part11::strength::Weakness;
use shared::plant::Plant;
use shared::sync::terminal::{Event, Fresh, Identity, Now};
use shared::sync::{Terminal, scope};
use shared::time::{ClockReading, MINUTE_MS, SECOND_MS, Timestamp};
use store::blobs::Blobs;
use store::{Ledger, StoreError, questions};

use crate::clock::{Clock, Environment, Stepped};
use crate::key_store::{Enrolled, KeyStore};
use crate::stick::Sticks;
use crate::store::{KioskStep, step};

/// So much of the disk is left to badges, task starts and decisions, and to news of the plant: some ten thousand starts.
pub const KEPT_FOR_THE_GATE: u64 = 128 * 1024 * 1024;

/// The setting that keeps by how much the machine's clock is disbelieved, in milliseconds.
const CLOCK_OFF: &str = "clock_off";
/// The setting that keeps how late it was when somebody last looked, and how often that is written, in milliseconds.
const SEEN: &str = "seen";
const KEEP_SEEN_MS: i64 = 5 * MINUTE_MS;
/// How many clock steps wait for a disk that takes nothing, and how long it is left alone before it is asked again.
const MOST_UNJOURNALLED: usize = 16;
const JOURNAL_AGAIN_MS: i64 = SECOND_MS;

/// Why an act was not done. Nothing of it was written.
#[derive(Debug, thiserror::Error)]
pub enum Denied {
    #[error("{0}")]
    Store(#[from] StoreError),
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("{0}")]
    Entry(#[from] shared::log::entry::BadEntry),
    #[error("this terminal has not been set up")]
    NotSetUp,
    #[error("it does not prove that the server knows the code and answered just this")]
    Unproven,
    #[error("what comes as this terminal's enrolment is not one that the server signed for it")]
    NotItsEnrolment,
    /// The secret is wrong; how many tries remain here, and how many seconds to wait before the next.
    #[error("the secret is wrong: {left} tries remain, wait {wait_s} s")]
    WrongSecret { left: u32, wait_s: u32 },
    #[error("wait {seconds} s before the next try")]
    Wait { seconds: u32 },
    #[error("locked out after too many wrong secrets: a supervisor can lift it")]
    LockedOut,
    #[error("{person} has not set up signing")]
    NoSigning { person: PersonId },
    /// A badge alone doesn't say who holds it.
    #[error("the badge's holder has not shown with their secret that it is theirs")]
    NotIdentified,
    /// The secret somebody chooses is too easy to guess.
    #[error("the chosen secret is too weak: {0:?}")]
    WeakSecret(Weakness),
    #[error("nobody said how the identity was proved")]
    NoIdentityProof,
    #[error("a reason is needed")]
    NoReason,
    #[error("{0}")]
    Id(#[from] BadId),
    #[error("nobody signs off themselves")]
    SamePerson,
    #[error("{person} may not sign for this")]
    NoAuthority { person: PersonId },
    #[error("a day pass is for its person's own acts: signing for others needs the badge")]
    ByDayPass,
    /// Why the person a day pass is asked for can't have one.
    #[error("no day pass can be given: {0:?}")]
    NoPass(day_pass::NoPass),
    #[error("no badge of theirs is in use")]
    NoBadge,
    #[error("an earlier activity comes first")]
    OutOfOrder,
    #[error("steps are ticked differently at two terminals: settle them first")]
    SheetConflict,
    #[error("the content is not on this terminal yet")]
    ContentMissing,
    #[error("no attempt is left: coaching by a trainer opens one more")]
    NoAttemptLeft,
    #[error("nothing is known of this here")]
    Unknown,
    #[error("the badge session has ended")]
    NoSession,
    #[error("this terminal is being retired: nothing more is written at it")]
    Retiring,
    #[error(
        "the server revoked this terminal, which takes one person alone, and has not retired it, which takes two: nothing was erased, and nobody \
         can retire it any more. What is here can be erased by hand once nobody needs it"
    )]
    OnlyRevoked,
    /// The data is of a terminal that said its last word, and no enrolment is in the key store.
    #[error(
        "its keys are not in this key store, and nothing here says that it was let go: nothing was erased. Name the key store it was set up with"
    )]
    KeysElsewhere,
    /// Entries and signing keys that the server hasn't confirmed.
    #[error(
        "{count} entries and signing keys have not reached the server. Nothing was changed: plug the network in, or carry them with a stick, and \
         try again"
    )]
    NotGiven { count: u64 },
}

impl Denied {
    /// Whether the disk refused: what was acknowledged before is safe, this act was not done.
    pub fn is_disk_full(&self) -> bool {
        match self {
            Self::Store(error) => error.is_disk_full(),
            Self::Io(error) => error.kind() == io::ErrorKind::StorageFull,
            _ => false,
        }
    }
    fn no_room() -> Self {
        Self::Io(io::ErrorKind::StorageFull.into())
    }
    pub fn is_storage(&self) -> bool {
        matches!(self, Self::Store(_) | Self::Io(_))
    }
}

/// A kiosk after terminal set-up.
struct Member {
    /// Nothing while what it remembers may not be true: it is started anew before it is used.
    terminal: Option<Terminal>,
    enrolled: Enrolled,
    enrolment: DeviceEnrolled,
}

/// The kiosk's whole state.
pub struct Core {
    ledger: Ledger,
    blobs: Blobs,
    keys: Box<dyn KeyStore>,
    environment: Box<dyn Environment>,
    clock: Clock,
    member: Option<Member>,
    /// Why this terminal is being retired, once it has said its last word.
    retiring: Option<String>,
    /// The person whose badge session this is, and their key once unlocked in it (R13).
    session: Option<BadgeSession>,
    /// Whose badge session this terminal ended by itself: nothing more is done in their name before one is opened anew.
    over: Option<PersonId>,
    passes: day_pass::Passes,
    /// Clock steps that the disk hasn't taken yet, and from when on, by the steady clock, it is asked again.
    unjournalled: Vec<Stepped>,
    journal_again: Timestamp,
    /// From when on, by the steady clock, the time is kept again.
    keep_seen_again: Timestamp,
    folder: PathBuf,
    /// How long the call took whose answer is being taken.
    round_trip_ms: i64,
    /// When the call was made whose answer is waited for.
    calling_since: Option<Timestamp>,
    /// Why the server isn't heard, for the bar on every screen.
    pub line: status::Line,
    /// Where sticks appear; none unless it is said.
    pub sticks: Sticks,
    /// Counts what other kiosks may lack.
    news: tokio::sync::watch::Sender<u64>,
}

pub(crate) struct BadgeSession {
    person: PersonId,
    /// What it was opened by; nothing for somebody to whom the plant gives no badge.
    credential: Option<Credential>,
    unlocked: Option<PersonSecret>,
    quiz: Option<learn::OpenQuiz>,
}

impl BadgeSession {
    fn is_by_pass(&self) -> bool {
        matches!(self.credential, Some(Credential::DayPass(_)))
    }
}

impl Core {
    /// Opens the data folder and key store. A damaged database is an error: nothing is judged from it, and nothing in it is touched.
    pub fn open(folder: &Path, keys: Box<dyn KeyStore>, environment: Box<dyn Environment>) -> Result<Self, Denied> {
        std::fs::create_dir_all(folder)?;
        let ledger = crate::store::open(&folder.join("kiosk.sqlite"))?;
        let blobs = Blobs::open(&folder.join("blobs"))?;
        let last_seen = Self::last_seen(&ledger)?;
        let disbelieved_ms = questions::setting(ledger.connection(), CLOCK_OFF)?;
        let disbelieved_ms = disbelieved_ms.and_then(|bytes| minicbor::decode(&bytes).ok()).unwrap_or(0);
        let (clock, stepped) = Clock::start(environment.wall(), environment.steady(), last_seen, disbelieved_ms);
        let folder = folder.to_owned();
        let (line, retiring) = (status::Line::default(), Self::kept_retirement(&ledger)?);
        let mut core = Self {
            ledger,
            blobs,
            keys,
            environment,
            clock,
            member: None,
            retiring,
            session: None,
            over: None,
            passes: day_pass::Passes::default(),
            unjournalled: stepped.into_iter().collect(),
            journal_again: Timestamp::MIN,
            keep_seen_again: Timestamp::MIN,
            folder,
            round_trip_ms: 0,
            calling_since: None,
            line,
            sticks: Sticks::at(Vec::new()),
            news: tokio::sync::watch::channel(0).0,
        };
        if let Some(enrolled) = core.keys.enrolled()? {
            core.join(enrolled)?;
        }
        core.journal_steps()?;
        Ok(core)
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }
    pub fn plant(&self) -> &Arc<Plant> {
        self.ledger.plant()
    }
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }
    pub fn blobs(&self) -> &Blobs {
        &self.blobs
    }

    /// What this terminal was enrolled as.
    pub fn enrolment(&self) -> Option<&DeviceEnrolled> {
        self.member.as_ref().map(|member| &member.enrolment)
    }
    pub fn enrolled(&self) -> Option<&Enrolled> {
        self.member.as_ref().map(|member| &member.enrolled)
    }

    /// Begins to take part with the identity the key store holds.
    fn join(&mut self, enrolled: Enrolled) -> Result<(), Denied> {
        let entry = Entry::from_store(&enrolled.enrolment, true)?;
        let Ok(Some(Statement { body: Body::DeviceEnrolled(enrolment), .. })) = entry.statement() else {
            return Err(StoreError::Damaged("the key store's enrolment is not one".into()).into());
        };
        self.member = Some(Member { terminal: None, enrolled, enrolment });
        self.take_part()
    }

    /// Starts the terminal, unless it is started: at the beginning, and after a step that failed.
    fn take_part(&mut self) -> Result<(), Denied> {
        let Some(member) = self.member.as_ref().filter(|member| member.terminal.is_none()) else { return Ok(()) };
        let identity = Identity {
            secret: member.enrolled.secret.clone(),
            server: member.enrolled.server,
            enrolment: Entry::from_store(&member.enrolled.enrolment, true)?,
            scope: scope::of_enrolment(&member.enrolment),
            peppers: member.enrolled.peppers.epochs(),
        };
        let (server, heads) = (identity.server, self.keys.heads()?);
        let (now, fresh) = (self.now(), self.fresh());
        let terminal = step(&mut self.ledger, now.clock, |step| -> Result<Terminal, Denied> {
            step.step.add_server(&server)?;
            Ok(Terminal::start(identity, &heads, step, now, fresh)?)
        })?;
        if let Some(member) = self.member.as_mut() {
            member.terminal = Some(terminal);
        }
        self.keep_heads();
        self.heed_events()
    }

    /// After a failed step: what the terminal remembers may no longer be true.
    fn forget_terminal(&mut self) {
        if let Some(member) = self.member.as_mut() {
            member.terminal = None;
        }
    }

    fn started(member: &mut Option<Member>) -> Result<&mut Terminal, Denied> {
        member.as_mut().and_then(|member| member.terminal.as_mut()).ok_or(Denied::NotSetUp)
    }

    pub fn reading(&mut self) -> ClockReading {
        let (wall, steady) = (self.environment.wall(), self.environment.steady());
        let (reading, stepped) = self.clock.read(wall, steady);
        self.unjournalled.extend(stepped);
        if self.journal_again <= steady
            && let Err(error) = self.journal_steps()
        {
            tracing::error!(%error, "a clock step could not be journalled: it is tried again");
        }
        reading
    }

    /// How late it was at the latest that is known: by what was written here, by the server's last word, by the last look at the clock. A word
    /// of the server's that corrected the clock back corrected that look too.
    fn last_seen(ledger: &Ledger) -> Result<Option<Timestamp>, Denied> {
        let kept = |name| status::time_kept(ledger.connection(), name);
        let looked = kept(SEEN)?.or(kept(status::CONTACT)?);
        let written = Some(Timestamp(ledger.world().hybrid.ms)).filter(|at| at.0 > 0);
        Ok(written.max(looked))
    }

    /// Keeps how late it is, every few minutes: a terminal at which nobody did anything knows after a restart that time went on all the same (R18).
    pub(crate) fn keep_seen(&mut self) -> Result<(), Denied> {
        let now = self.now();
        if now.steady < self.keep_seen_again {
            return Ok(());
        }
        self.keep_seen_again = now.steady.plus_ms(KEEP_SEEN_MS);
        step(&mut self.ledger, now.clock, |step| Ok(step.step.set(SEEN, &to_cbor(&now.clock.wall))?))
    }

    pub(crate) fn now(&mut self) -> Now {
        Now { clock: self.reading(), steady: self.environment.steady() }
    }

    pub(crate) fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.environment.random(&mut bytes);
        bytes
    }

    pub(crate) fn fresh(&self) -> Fresh {
        Fresh { incarnation: Incarnation(self.random()), jitter: u64::from_le_bytes(self.random()) }
    }

    pub(crate) fn act(&self) -> ActId {
        ActId(self.random())
    }

    pub(crate) fn draft(&self, subject: Subject, body: impl Into<Body>) -> Draft {
        Draft::new(subject, Statement { act: self.act(), body: body.into() })
    }

    /// Writes entries of this kiosk's own in one durable step. They may be shown as done when it returns.
    pub(crate) fn write(&mut self, drafts: Vec<(Stream, Draft)>) -> Result<Vec<Entry>, Denied> {
        let now = self.now();
        self.write_with(now, |writer| drafts.iter().map(|(stream, draft)| writer.write(stream, draft)).collect())
    }

    /// As [`Self::write`], for entries that name each other.
    pub(crate) fn write_with<T>(
        &mut self,
        now: Now,
        work: impl FnOnce(&mut Writer<'_, '_, '_>) -> Result<T, Denied>,
    ) -> Result<T, Denied> {
        if self.retiring.is_some() {
            return Err(Denied::Retiring);
        }
        self.take_part()?;
        let room = self.has_room();
        let terminal = Self::started(&mut self.member)?;
        let written = step(&mut self.ledger, now.clock, |step| work(&mut Writer { terminal, step, now, room }));
        match written {
            Ok(done) => {
                self.keep_heads();
                self.spread();
                Ok(done)
            }
            Err(error) => {
                self.forget_terminal();
                Err(error)
            }
        }
    }

    /// Whether the disk has more room than what is kept for the gate.
    fn has_room(&self) -> bool {
        self.environment.free_bytes(&self.folder).is_none_or(|free| free >= KEPT_FOR_THE_GATE)
    }

    /// Heads into the key store when they are due (T1). What was committed stays done when this fails: it is tried again after the next step.
    fn keep_heads(&mut self) {
        let now = self.now();
        let Ok(terminal) = Self::started(&mut self.member) else { return };
        if !terminal.key_store_is_due(now) {
            return;
        }
        let heads = step(&mut self.ledger, now.clock, |step| Ok::<_, Denied>(terminal.own_heads(step)?));
        // After most starts it knows already.
        let kept = heads.and_then(|heads| {
            if self.keys.heads()? == heads { Ok(()) } else { Ok(self.keys.keep_heads(&heads, now.steady)?) }
        });
        match kept {
            Ok(()) => terminal.handle_heads_kept(),
            Err(error) => {
                tracing::error!(%error, "the key store could not be told how far this terminal's logs go: it is tried again");
            }
        }
    }

    /// What the exchange reports, into log and journal.
    fn heed_events(&mut self) -> Result<(), Denied> {
        let (mut times, mut standing, mut peppers) = (Vec::new(), None, Vec::new());
        while let Some(event) = Self::started(&mut self.member).ok().and_then(Terminal::poll_event) {
            match event {
                Event::ServerTime(time) => times.push(time),
                Event::Standing(said) => standing = Some(said),
                Event::Peppers(given) => peppers = given,
                other => tracing::info!(event = ?other, "the exchange reports"),
            }
        }
        if let Some(standing) = standing {
            self.keep_standing(&standing)?;
        }
        for time in times {
            self.hear_server(time)?;
        }
        self.learn_peppers(peppers);
        Ok(())
    }

    /// Clock steps into the journal, and what is disbelieved into the settings. What the disk refuses waits for it.
    fn journal_steps(&mut self) -> Result<(), Denied> {
        // They are taken out first: whoever writes reads the clock.
        let steps = std::mem::take(&mut self.unjournalled);
        // Nothing is written of nothing: each own write makes a call due.
        let written = if steps.is_empty() { Ok(()) } else { self.write_steps(&steps) };
        if written.is_err() {
            self.unjournalled.splice(..0, steps);
            self.unjournalled.truncate(MOST_UNJOURNALLED);
            self.journal_again = self.environment.steady().plus_ms(JOURNAL_AGAIN_MS);
        }
        written
    }

    fn write_steps(&mut self, steps: &[Stepped]) -> Result<(), Denied> {
        // A terminal that has said its last word says nothing more of its clock.
        let (Some(member), None) = (&self.member, &self.retiring) else { return Ok(()) };
        let stream = Stream::journal(&member.enrolment.name);
        let subject = Subject::new("device", member.enrolment.device);
        let draft = |step: &Stepped| {
            let (before, after, why) = (step.before, step.after, step.why.into());
            self.draft(subject.clone(), shared::kind::journal::ClockStep { before, after, why })
        };
        let (drafts, off) = (steps.iter().map(draft).collect::<Vec<_>>(), to_cbor(&self.clock.disbelieved_ms()));
        let now = self.now();
        self.write_with(now, |writer| {
            drafts.iter().try_for_each(|draft| writer.write(&stream, draft).map(drop))?;
            Ok(writer.step().step.set(CLOCK_OFF, &off)?)
        })
    }

    pub(crate) fn site(&self) -> Result<SiteId, Denied> {
        self.member.as_ref().map(|member| member.enrolment.site.clone()).ok_or(Denied::NotSetUp)
    }
}

/// Writes into one open step.
pub(crate) struct Writer<'w, 's, 't> {
    terminal: &'w mut Terminal,
    step: &'w mut KioskStep<'s, 't>,
    now: Now,
    /// Whether there is more room on the disk than what is kept for the gate.
    room: bool,
}

impl<'s, 't> Writer<'_, 's, 't> {
    /// With the disk nearly full, records are refused before badges, task starts and decisions are: the line goes on until there is no room at all.
    pub fn write(&mut self, stream: &Stream, draft: &Draft) -> Result<Entry, Denied> {
        if stream.family == Family::Record && !self.room {
            return Err(Denied::no_room());
        }
        Ok(self.terminal.write(self.step, stream, draft, self.now)??)
    }
    pub fn step(&mut self) -> &mut KioskStep<'s, 't> {
        self.step
    }
}
