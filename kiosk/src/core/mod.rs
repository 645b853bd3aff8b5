//! What the kiosk does, apart from how it is shown: each act of a person is one durable step, acknowledged only after it.
//!
//! A [`Core`] is used from one thread. It owns the ledger, the key store, the clock and the protocol's terminal; whoever drives it (the
//! window's store thread, a test, a demo) calls and shows what comes back.

pub mod badge;
pub mod bundle;
pub mod co_sign;
pub mod coach;
pub mod correct;
pub mod exchange;
pub mod floor;
pub mod gate;
pub mod learn;
pub mod lockout;
pub mod on_shift;
pub mod secret;
pub mod sessions;
pub mod set_up;
pub mod signing_set_up;
pub mod status;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use shared::id::*;
use shared::kind::plant::DeviceEnrolled;
use shared::kind::{Body, Statement};
use shared::log::{Draft, Entry, Stream, Subject};
use shared::part11::signature::PersonSecret;
use shared::part11::strength::Weakness;
use shared::plant::Plant;
use shared::sync::terminal::{Event, Fresh, Identity, Now};
use shared::sync::{Terminal, scope};
use shared::time::{ClockReading, Timestamp};
use store::blobs::Blobs;
use store::{Ledger, StoreError};

use crate::clock::{Clock, Environment, Stepped};
use crate::key_store::{Enrolled, KeyStore};
use crate::store::{KioskStep, step};

/// Why an act was not done. Nothing of it was written.
#[derive(Debug, thiserror::Error)]
pub enum Denied {
    #[error("{0}")]
    Store(#[from] StoreError),
    #[error("{0}")]
    Io(#[from] std::io::Error),
    #[error("{0}")]
    Entry(#[from] shared::log::entry::BadEntry),
    #[error("this terminal has not been set up")]
    NotSetUp,
    /// The secret is wrong; how many tries remain here, and how many seconds to wait before the next.
    #[error("the secret is wrong: {left} tries remain, wait {wait_s} s")]
    WrongSecret { left: u32, wait_s: u32 },
    #[error("wait {seconds} s before the next try")]
    Wait { seconds: u32 },
    #[error("locked out after too many wrong secrets: a supervisor can lift it")]
    LockedOut,
    #[error("{person} has not set up signing")]
    NoSigning { person: PersonId },
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
}

impl Denied {
    /// Whether the disk refused: what was acknowledged before is safe, this act was not done.
    pub fn is_disk_full(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_disk_full())
    }
    pub fn is_storage(&self) -> bool {
        matches!(self, Self::Store(_) | Self::Io(_))
    }
}

/// A kiosk after terminal set-up.
struct Member {
    terminal: Terminal,
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
    /// The person whose badge session this is, and their key once unlocked in it (R13).
    session: Option<BadgeSession>,
    folder: PathBuf,
    /// How long the call took whose answer is being taken.
    round_trip_ms: i64,
    /// Why the server isn't heard, for the bar on every screen.
    pub line: status::Line,
}

pub(crate) struct BadgeSession {
    person: PersonId,
    unlocked: Option<PersonSecret>,
    quiz: Option<learn::OpenQuiz>,
}

impl Core {
    /// Opens the data folder and key store. A damaged database is an error: nothing is judged from it, and nothing in it is touched.
    pub fn open(folder: &Path, keys: Box<dyn KeyStore>, environment: Box<dyn Environment>) -> Result<Self, Denied> {
        std::fs::create_dir_all(folder)?;
        let ledger = crate::store::open(&folder.join("kiosk.sqlite"))?;
        let blobs = Blobs::open(&folder.join("blobs"))?;
        let last_seen = Some(Timestamp(ledger.world().hybrid.ms)).filter(|at| at.0 > 0);
        let (clock, stepped) = Clock::start(environment.wall(), environment.steady(), last_seen);
        let folder = folder.to_owned();
        let line = status::Line::default();
        let mut core = Self {
            ledger,
            blobs,
            keys,
            environment,
            clock,
            member: None,
            session: None,
            folder,
            round_trip_ms: 0,
            line,
        };
        if let Some(enrolled) = core.keys.enrolled()? {
            core.join(enrolled)?;
        }
        core.journal_step(stepped)?;
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
        let damaged = || StoreError::Damaged("the key store's enrolment is not one".into());
        let entry = Entry::from_store(&enrolled.enrolment, true)?;
        let Ok(Some(Statement { body: Body::DeviceEnrolled(enrolment), .. })) = entry.statement() else {
            return Err(damaged().into());
        };
        let identity = Identity {
            secret: enrolled.secret.clone(),
            server: enrolled.server,
            enrolment: entry,
            scope: scope::of_enrolment(&enrolment),
        };
        let heads = self.keys.heads()?;
        let (now, fresh) = (self.now(), self.fresh());
        let server = enrolled.server;
        let terminal = step(&mut self.ledger, now.clock, |step| -> Result<Terminal, Denied> {
            step.step.add_server(&server)?;
            Ok(Terminal::start(identity.clone(), &heads, step, now, fresh)?)
        })?;
        self.member = Some(Member { terminal, enrolled, enrolment });
        self.after_step()
    }

    /// Starts the terminal anew after a failed step: what it remembers may no longer be true.
    fn restart(&mut self) {
        if let Some(member) = self.member.take()
            && let Err(error) = self.join(member.enrolled)
        {
            tracing::error!(%error, "the terminal could not start again: it needs a restart");
        }
    }

    pub fn reading(&mut self) -> ClockReading {
        let (wall, steady) = (self.environment.wall(), self.environment.steady());
        let (reading, stepped) = self.clock.read(wall, steady);
        if stepped.is_some()
            && let Err(error) = self.journal_step(stepped)
        {
            tracing::error!(%error, "a clock step could not be journalled");
        }
        reading
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
        let member = self.member.as_mut().ok_or(Denied::NotSetUp)?;
        let terminal = &mut member.terminal;
        let written = step(&mut self.ledger, now.clock, |step| work(&mut Writer { terminal, step, now }));
        match written {
            Ok(done) => {
                self.after_step()?;
                self.call_soon();
                Ok(done)
            }
            Err(error) => {
                self.restart();
                Err(error)
            }
        }
    }

    /// Heads into the key store when they are due; events into log and journal (T1).
    fn after_step(&mut self) -> Result<(), Denied> {
        let now = self.now();
        let Some(member) = self.member.as_mut() else { return Ok(()) };
        let terminal = &mut member.terminal;
        if terminal.key_store_is_due(now) {
            let heads = step(&mut self.ledger, now.clock, |step| Ok::<_, Denied>(terminal.poll_key_store(step, now)?))?;
            heads.map_or(Ok(()), |heads| self.keys.keep_heads(&heads))?;
        }
        let (mut times, mut standing) = (Vec::new(), None);
        while let Some(event) = self.member.as_mut().and_then(|member| member.terminal.poll_event()) {
            match event {
                Event::ServerTime(time) => times.push(time),
                Event::Standing(said) => standing = Some(said),
                other => tracing::info!(event = ?other, "the exchange reports"),
            }
        }
        if let Some(standing) = standing {
            self.keep_standing(&standing)?;
        }
        for time in times {
            self.hear_server(time)?;
        }
        Ok(())
    }

    fn journal_step(&mut self, stepped: Option<Stepped>) -> Result<(), Denied> {
        let (Some(stepped), Some(member)) = (stepped, &self.member) else { return Ok(()) };
        let stream = Stream::journal(&member.enrolment.name);
        let subject = Subject::new("device", member.enrolment.device);
        let body =
            shared::kind::journal::ClockStep { before: stepped.before, after: stepped.after, why: stepped.why.into() };
        let draft = self.draft(subject, body);
        self.write(vec![(stream, draft)]).map(drop)
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
}

impl<'s, 't> Writer<'_, 's, 't> {
    pub fn write(&mut self, stream: &Stream, draft: &Draft) -> Result<Entry, Denied> {
        Ok(self.terminal.write(self.step, stream, draft, self.now)??)
    }
    pub fn step(&mut self) -> &mut KioskStep<'s, 't> {
        self.step
    }
}
