//! What the server does, apart from how it is asked: each act is one durable step over the ledger.
//!
//! Edges (HTTP, command line, dashboard, tests) parse, call here, and map the result. The clock and the random bytes come through
//! [`Environment`], so that a whole plant can run in virtual time.

pub mod approve;
pub mod backup;
pub mod badges;
pub mod bundle;
pub mod contents;
pub mod enrol;
pub mod escrow;
pub mod evidence;
pub mod exchange;
pub mod folder;
pub mod forks;
pub mod import;
pub mod overview;
pub mod people;
pub mod pepper;
pub mod query;
pub mod recovery;
pub mod replay;
pub mod restore;
pub mod retire;
pub mod secrets;
pub mod verify;
mod visiting;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use shared::id::*;
use shared::kind::{Body, Statement};
use shared::log::{Draft, Entry, Stream, Subject};
use shared::sync::Server;
use shared::sync::server::NotWritten;
use shared::time::{ClockReading, Timestamp};
use store::blobs::Blobs;
use store::{Ledger, StoreError};

use crate::store::{ServerStep, step};
pub use secrets::ServerSecrets;

/// Where time and chance come from.
pub trait Environment: Send + Sync {
    fn now(&self) -> Timestamp;
    fn random(&self, bytes: &mut [u8]);
}

/// The machine's own clock and randomness.
pub struct Machine;

impl Environment for Machine {
    fn now(&self) -> Timestamp {
        Timestamp(chrono::Utc::now().timestamp_millis())
    }
    fn random(&self, bytes: &mut [u8]) {
        // Without randomness no key may be made: there is nothing sensible to go on with.
        getrandom::fill(bytes).expect("the operating system gives random bytes");
    }
}

/// Why an act was not done. Nothing of it was written.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    #[error("{0}")]
    Store(#[from] StoreError),
    #[error("{0}")]
    NotWritten(#[from] NotWritten),
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// The act is not permitted as asked; the text says what would be.
    #[error("{0}")]
    No(String),
    /// Somebody who was named as a signer may not sign this, or can't sign here at all; the text says why. Whoever asks knows no more than a name.
    #[error("{0}")]
    MayNotSign(String),
    #[error("the secret of {person} is not right; nothing was signed")]
    WrongSecret { person: PersonId },
}

impl Refused {
    pub fn no(why: impl Into<String>) -> Self {
        Self::No(why.into())
    }
    /// Whether the caller asked for something impermissible, rather than the server having failed.
    pub fn is_callers(&self) -> bool {
        matches!(self, Self::No(_)) || self.is_of_signer()
    }
    /// Whether it is for one of those who were to sign: whoever tries names and secrets is refused so.
    pub fn is_of_signer(&self) -> bool {
        matches!(self, Self::MayNotSign(_) | Self::WrongSecret { .. })
    }
}

/// The server: its database, its keys, its protocol machine.
pub struct Core {
    ledger: Mutex<Ledger>,
    pub blobs: Blobs,
    pub secrets: ServerSecrets,
    server: Server,
    environment: Arc<dyn Environment>,
    folder: PathBuf,
    /// Blobs that were named and not here when it was last looked.
    lacking: Mutex<Vec<Digest32>>,
    /// Wrong secrets that could not be written, by person.
    unwritten_failures: Mutex<BTreeMap<PersonId, usize>>,
    /// Rings when something new may interest the kiosks.
    bell: tokio::sync::watch::Sender<u64>,
}

impl Core {
    /// Opens the data folder; the first start makes keys, database and the first epoch, in this order: a database without a key is never a
    /// start that was cut short.
    pub fn open(folder: &Path, environment: Arc<dyn Environment>) -> Result<Self, Refused> {
        folder::prepare(folder)?;
        folder::refuse_half_restored(folder)?;
        let secrets = folder::identity(folder, environment.as_ref())?;
        let server = Server::new(secrets.device.clone());
        let mut ledger = folder::open_database(folder)?;
        let core_key = server.key();
        folder::check_owner(&ledger, folder, &core_key)?;
        let clock = ClockReading::exact(environment.now());
        let epoch = Incarnation(random_bytes(environment.as_ref()));
        step(&mut ledger, clock, |step| {
            step.step.add_server(&core_key)?;
            if shared::sync::ServerShelf::epochs(step)?.is_empty() {
                server.open_epoch(step, epoch, recovery::INSTALLATION, clock)??;
            }
            Ok::<_, Refused>(())
        })?;
        let blobs = Blobs::open(&folder.join("blobs"))?;
        let bell = tokio::sync::watch::channel(0).0;
        let (ledger, lacking) = (Mutex::new(ledger), Mutex::default());
        let folder = folder.to_owned();
        let unwritten_failures = Mutex::default();
        let core = Self { ledger, blobs, secrets, server, environment, folder, lacking, unwritten_failures, bell };
        core.look_for_lacking_blobs();
        core.seal_answers_anew()?;
        core.step(|step, server, clock| visiting::catch_up(step, server, clock, &|| core.act()))?;
        Ok(core)
    }

    pub fn key(&self) -> DeviceKey {
        self.server.key()
    }
    pub fn folder(&self) -> &Path {
        &self.folder
    }
    pub fn now(&self) -> Timestamp {
        self.environment.now()
    }
    pub fn clock(&self) -> ClockReading {
        ClockReading::exact(self.now())
    }
    pub fn random<const N: usize>(&self) -> [u8; N] {
        random_bytes(self.environment.as_ref())
    }
    pub fn act(&self) -> ActId {
        ActId(self.random())
    }

    /// The open database. A panic while it was held left no half step behind: a step is one transaction.
    pub fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn plant(&self) -> Arc<shared::plant::Plant> {
        self.ledger().plant().clone()
    }

    /// One durable step, after which kiosks are rung.
    pub fn step<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&mut ServerStep<'_, '_>, &Server, ClockReading) -> Result<T, E>,
    ) -> Result<T, E> {
        let clock = self.clock();
        let outcome = step(&mut self.ledger(), clock, |step| {
            let outcome = work(step, &self.server, clock)?;
            visiting::tell(step, &self.server, clock, &|| self.act())?;
            Ok::<_, E>(outcome)
        })?;
        self.ring();
        Ok(outcome)
    }

    pub fn ring(&self) {
        self.bell.send_modify(|count| *count += 1);
    }

    /// A receiver that changes whenever there may be something new.
    pub fn bell(&self) -> tokio::sync::watch::Receiver<u64> {
        self.bell.subscribe()
    }

    /// Writes one entry of the server's own in a step of its own.
    pub fn write(&self, stream: &Stream, draft: &Draft) -> Result<Entry, Refused> {
        self.step(|step, server, clock| Ok(server.write(step, stream, draft, clock)??))
    }

    pub(crate) fn draft(&self, subject: Subject, body: impl Into<Body>) -> Draft {
        Draft::new(subject, Statement { act: self.act(), body: body.into() })
    }
}

fn random_bytes<const N: usize>(environment: &dyn Environment) -> [u8; N] {
    let mut bytes = [0; N];
    environment.random(&mut bytes);
    bytes
}
