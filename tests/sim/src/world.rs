//! The replicas and what can be done to kiosks: work, crash, restore, clone, lose, enrol. What is done at the server is in [`crate::at_server`].

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;

use shared::id::*;
use shared::kind::{Body, Statement, journal, presence, record};
use shared::log::{Draft, Entry, Stream, Subject};
use shared::part11::signature::{DeviceSecret, PersonSecret, Remembering};
use shared::sync::scope;
use shared::sync::server::Server;
use shared::sync::terminal::{Identity, Now, Terminal};
use shared::time::{ClockReading, Timestamp};

use crate::disk::{KioskDisk, ServerDisk};
use crate::faults::LaterVersion;
use crate::model::{Medium, Model};
use crate::mutant::Mutant;
use crate::rng::Rng;
use crate::shelf::Entries;
use crate::wire::Flight;

/// Where a transaction is cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Crash {
    No,
    /// Before COMMIT: nothing of it stays.
    Before,
    /// After COMMIT, before anybody hears of it.
    After,
}

/// What lies outside a kiosk's data folder.
#[derive(Debug, Clone)]
pub struct KeyStore {
    pub secret: DeviceSecret,
    pub enrolment: Entry,
    pub heads: Vec<EntryId>,
}

/// A kiosk, or what is left of one.
#[derive(Debug)]
pub struct Kiosk {
    pub name: KioskName,
    pub disk: KioskDisk,
    pub key_store: KeyStore,
    /// `None` while switched off; its memory is gone then.
    pub terminal: Option<Terminal>,
    pub backups: Vec<(KioskDisk, KeyStore)>,
    pub clock: WallClock,
    pub cut: Cut,
    /// Stolen, burnt: it takes part in nothing any more.
    pub lost: bool,
}

impl Kiosk {
    pub fn key(&self) -> DeviceKey {
        self.key_store.secret.key()
    }
}

/// How a kiosk's machine tells the time.
#[derive(Debug, Clone, Copy, Default)]
pub struct WallClock {
    /// How far it is ahead of the true time.
    pub ahead_ms: i64,
    /// How many milliseconds it gains in a thousand seconds.
    pub drift: i64,
}

/// What of a kiosk's line to the server is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Cut {
    #[default]
    Nothing,
    /// Its calls are lost.
    Calls,
    /// Its calls arrive; the answers are lost.
    Answers,
}

/// What is written where signatures belong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signatures {
    /// Real ones. The same bytes are shown to every replica: each is computed once.
    Real,
    /// Words. The protocol asks the same questions and gets the same answers; two fifths of a schedule's time are spared.
    StandIns,
}

/// A site with its kiosks and its server.
pub struct World {
    _known: Remembering,
    pub rng: Rng,
    /// Of what befalls transactions and words of which the schedule itself draws no fault; none while nobody asked for it.
    pub mishaps: Option<Rng>,
    pub now_ms: i64,
    pub site: SiteId,
    pub mutant: Option<Mutant>,
    pub kiosks: Vec<Kiosk>,
    pub server: Server,
    pub secret: DeviceSecret,
    pub disk: ServerDisk,
    pub server_backups: Vec<ServerDisk>,
    pub server_restores: usize,
    /// Epochs in which a store was put back behind the server's back: only their logs may fork.
    pub put_back: BTreeSet<Incarnation>,
    /// Two people with the authority to rule and to sign a recovery.
    pub quality: [PersonSecret; 2],
    /// An enrolled device that keeps to no rule.
    pub hostile: DeviceSecret,
    /// A device of a later version, enrolled where it is asked for: all that it writes is of a kind that nobody here knows.
    pub later_version: LaterVersion,
    pub flights: Vec<Flight>,
    pub bundles: Vec<Vec<Vec<u8>>>,
    /// What must be where, beside what is.
    pub model: Model,
    /// What was acknowledged and is physically lost, as it stood when the faults ended.
    pub lost: BTreeSet<EntryId>,
    /// What was acknowledged and lies on nothing but sticks.
    pub on_sticks: BTreeSet<EntryId>,
    /// What no replica may ever hold.
    pub forged: BTreeSet<EntryId>,
    /// Recoveries that people really signed, also those a later loss of the server took away.
    pub recoveries: BTreeSet<EntryId>,
    pub sent: BTreeSet<EntryId>,
    pub answered: BTreeMap<Digest32, Digest32>,
    pub trace: Vec<String>,
    pub violations: Vec<crate::check::Violation>,
}

/// Unwraps a result that can't fail: memory has no broken disks.
pub fn sure<T>(result: Result<T, Infallible>) -> T {
    let Ok(value) = result;
    value
}

/// Runs one transaction. A crash before COMMIT leaves the disk as it was; only for that a copy is made, for copying is dear.
pub fn transaction<D: Clone, R>(disk: &mut D, crash: Crash, act: impl FnOnce(&mut D) -> R) -> R {
    match crash {
        Crash::Before => act(&mut disk.clone()),
        Crash::No | Crash::After => act(disk),
    }
}

impl World {
    /// A server in its first epoch, and so many enrolled kiosks that have met it; all signatures are real.
    pub fn new(seed: u64, kiosks: usize, mutant: Option<Mutant>) -> Self {
        Self::signing(Signatures::Real, seed, kiosks, mutant)
    }

    /// The same, with a choice of signatures.
    pub fn signing(signatures: Signatures, seed: u64, kiosks: usize, mutant: Option<Mutant>) -> Self {
        let known = match signatures {
            Signatures::Real => Remembering::begin(),
            Signatures::StandIns => Remembering::standing_in(),
        };
        let mut rng = Rng::new(seed);
        let secret = DeviceSecret::from_seed(rng.bytes());
        let quality = [PersonSecret::from_seed(rng.bytes()), PersonSecret::from_seed(rng.bytes())];
        let hostile = DeviceSecret::from_seed(rng.bytes());
        let keys = quality.iter().map(PersonSecret::key).collect();
        let disk = ServerDisk::new(Entries::new(secret.key(), keys, mutant));
        let mut world = Self {
            _known: known,
            rng,
            mishaps: None,
            now_ms: 1_772_000_000_000,
            site: text("SITE1"),
            mutant,
            kiosks: Vec::new(),
            server: Server::new(secret.clone()),
            secret,
            disk,
            server_backups: Vec::new(),
            server_restores: 0,
            put_back: BTreeSet::new(),
            quality,
            hostile,
            later_version: LaterVersion::default(),
            flights: Vec::new(),
            bundles: Vec::new(),
            model: Model::default(),
            lost: BTreeSet::new(),
            on_sticks: BTreeSet::new(),
            forged: BTreeSet::new(),
            recoveries: BTreeSet::new(),
            sent: BTreeSet::new(),
            answered: BTreeMap::new(),
            trace: Vec::new(),
            violations: Vec::new(),
        };
        world.model.place(Medium::Server);
        world.open_epoch("installed");
        let hostile = world.hostile.key();
        world.enrol_device(hostile, &text("H"));
        for number in 1..=kiosks {
            world.add_kiosk(&text(&format!("K{number}")));
        }
        for kiosk in 0..kiosks {
            world.exchange(kiosk);
        }
        world
    }

    /// What a kiosk takes for the time, right or wrong.
    pub fn now_at(&self, kiosk: usize) -> Now {
        let wall = Timestamp(self.now_ms + self.kiosks[kiosk].clock.ahead_ms);
        Now { clock: ClockReading::exact(wall), steady: Timestamp(self.now_ms) }
    }

    /// The true time, which the server has.
    pub fn clock(&self) -> ClockReading {
        ClockReading::exact(Timestamp(self.now_ms))
    }

    /// One word of the trace.
    pub fn say(&mut self, what: impl Into<String>) {
        self.trace.push(what.into());
    }

    pub(crate) fn empty_entries(&self) -> Entries {
        Entries::new(self.secret.key(), self.quality.iter().map(PersonSecret::key).collect(), self.mutant)
    }

    pub fn statement(&mut self, body: impl Into<Body>) -> Statement {
        Statement { act: ActId(self.rng.bytes()), body: body.into() }
    }

    /// Enrols a new kiosk; `None` while the server is stopped.
    pub fn add_kiosk(&mut self, name: &KioskName) -> Option<usize> {
        let secret = DeviceSecret::from_seed(self.rng.bytes());
        let enrolment = self.enrol_device(secret.key(), name)?;
        let disk = KioskDisk::new(self.empty_entries());
        let key_store = KeyStore { secret, enrolment, heads: Vec::new() };
        let kiosk = self.place_kiosk(name.clone(), disk, key_store);
        self.model.place(Medium::Kiosk(kiosk));
        Some(kiosk)
    }

    fn place_kiosk(&mut self, name: KioskName, disk: KioskDisk, key_store: KeyStore) -> usize {
        let (terminal, backups, clock, cut) = Default::default();
        self.kiosks.push(Kiosk { name, disk, key_store, terminal, backups, clock, cut, lost: false });
        self.kiosks.len() - 1
    }

    /// Switches a kiosk on, if it is off (T2).
    pub fn wake(&mut self, kiosk: usize) {
        if self.kiosks[kiosk].terminal.is_some() {
            return;
        }
        let (now, fresh) = (self.now_at(kiosk), self.rng.fresh());
        let this = &mut self.kiosks[kiosk];
        let identity = Identity {
            secret: this.key_store.secret.clone(),
            server: self.secret.key(),
            enrolment: this.key_store.enrolment.clone(),
            scope: scope::of_kiosk(&self.site, &this.name),
            peppers: Vec::new(),
        };
        let heads = this.key_store.heads.clone();
        this.terminal = Some(sure(Terminal::start(identity, &heads, &mut this.disk, now, fresh)));
    }

    /// One transaction of a kiosk; what it gives is `None` when a crash came before anybody could hear of it.
    pub fn at_kiosk<R>(
        &mut self,
        kiosk: usize,
        crash: Crash,
        act: impl FnOnce(&mut Terminal, &mut KioskDisk) -> R,
    ) -> Option<R> {
        self.wake(kiosk);
        let clock = self.now_at(kiosk).clock;
        let cursor_first = self.mutant == Some(Mutant::CursorFirst);
        let Kiosk { terminal, disk, .. } = &mut self.kiosks[kiosk];
        let running = terminal.as_mut()?;
        disk.entries.clock = clock;
        let mut cursors_of = None;
        let done = transaction(disk, crash, |tx| {
            let done = act(running, tx);
            cursors_of = cursor_first.then(|| tx.clone());
            done
        });
        if crash != Crash::No {
            if let Some(later) = cursors_of {
                *disk = disk.with_cursors_of(&later);
            }
            *terminal = None;
        }
        self.look_at(Medium::Kiosk(kiosk));
        Some(done).filter(|_| crash == Crash::No)
    }

    /// A person acts at a kiosk (T1).
    pub fn write(&mut self, kiosk: usize, stream: &Stream, crash: Crash) -> Option<EntryId> {
        let (subject, body) = self.act_in(stream);
        let statement = self.statement(body);
        let (draft, now) = (Draft::new(subject, statement), self.now_at(kiosk));
        let mut written = None;
        let done = self.at_kiosk(kiosk, crash, |terminal, disk| {
            written = sure(terminal.write(disk, stream, &draft, now)).ok();
        });
        let committed = crash != Crash::Before;
        if let Some(entry) = &written
            && (committed || self.mutant == Some(Mutant::AcknowledgesBeforeCommit))
        {
            self.acknowledge(Medium::Kiosk(kiosk), entry);
        }
        self.tend_key_store(kiosk);
        done.and(written).map(|entry| entry.id())
    }

    fn act_in(&mut self, stream: &Stream) -> (Subject, Body) {
        let person = Subject::new("person", "maria");
        match stream.family {
            shared::kind::Family::Presence => (person, presence::BadgeIn { day_pass: false }.into()),
            shared::kind::Family::Journal => {
                let event = journal::DeviceEvent { what: "tick".into(), detail: self.rng.bits().to_string() };
                (Subject::new("device", stream.scope.as_ref()), event.into())
            }
            _ => {
                let (worksheet, author) = (WorksheetId(self.rng.bytes()), text("maria"));
                let at = Timestamp(self.now_ms);
                (person, record::SheetEdit { worksheet, parents: vec![], at, author, edits: vec![] }.into())
            }
        }
    }

    pub fn record(&self) -> Stream {
        Stream::record(&self.site)
    }

    /// The streams that a kiosk writes to.
    pub fn streams_of(&self, kiosk: usize) -> [Stream; 3] {
        [Stream::record(&self.site), Stream::presence(&self.site), Stream::journal(&self.kiosks[kiosk].name)]
    }

    /// Writes heads into the key store when they are due.
    pub fn tend_key_store(&mut self, kiosk: usize) {
        let now = self.now_at(kiosk);
        let this = &mut self.kiosks[kiosk];
        if let Some(terminal) = &mut this.terminal
            && terminal.key_store_is_due(now)
        {
            this.key_store.heads = sure(terminal.own_heads(&this.disk));
            terminal.handle_heads_kept();
        }
    }

    pub fn back_up_kiosk(&mut self, kiosk: usize) {
        let this = &mut self.kiosks[kiosk];
        this.backups.push((this.disk.clone(), this.key_store.clone()));
        self.model.back_up(Medium::Kiosk(kiosk));
    }

    /// Puts a kiosk's disk back. Its key store stays as it is, or comes from the same backup.
    pub fn restore_kiosk(&mut self, kiosk: usize, backup: usize, with_old_key_store: bool) {
        let this = &mut self.kiosks[kiosk];
        let (disk, key_store) = this.backups[backup].clone();
        this.disk = disk;
        if with_old_key_store {
            this.key_store = key_store;
        }
        this.terminal = None;
        self.model.put_back(Medium::Kiosk(kiosk), backup);
    }

    /// Stolen, burnt: with all that it held.
    pub fn lose_kiosk(&mut self, kiosk: usize) {
        self.kiosks[kiosk].lost = true;
        self.model.destroy(Medium::Kiosk(kiosk));
    }

    /// The key store is gone: the kiosk is enrolled under a new key, on whatever disk it has. `false` while the server is stopped.
    pub fn re_enrol(&mut self, kiosk: usize) -> bool {
        let secret = DeviceSecret::from_seed(self.rng.bytes());
        let name = self.kiosks[kiosk].name.clone();
        let Some(enrolment) = self.enrol_device(secret.key(), &name) else { return false };
        let this = &mut self.kiosks[kiosk];
        this.key_store = KeyStore { secret, enrolment, heads: Vec::new() };
        this.terminal = None;
        true
    }

    /// Copies a kiosk with all it has. Both go on.
    pub fn clone_kiosk(&mut self, kiosk: usize) -> usize {
        let this = &self.kiosks[kiosk];
        let (name, disk, key_store) = (this.name.clone(), this.disk.clone(), this.key_store.clone());
        let twin = self.place_kiosk(name, disk, key_store);
        self.model.copy(Medium::Kiosk(kiosk), Medium::Kiosk(twin));
        twin
    }

    pub fn is_revoked(&self, kiosk: usize) -> bool {
        self.disk.entries.revocation_reason(&self.kiosks[kiosk].key()).is_some()
    }

    /// The kiosks that still exist.
    pub fn present(&self) -> Vec<usize> {
        (0..self.kiosks.len()).filter(|kiosk| !self.kiosks[*kiosk].lost).collect()
    }
}

/// An id from a text that is one.
pub fn text<T: std::str::FromStr>(text: &str) -> T {
    match text.parse() {
        Ok(id) => id,
        Err(_) => panic!("the simulator's own ids are well-formed: {text}"),
    }
}
