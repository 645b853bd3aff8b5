//! Kiosks reduced to their pen, over a server's core without its edge, in virtual time.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use minicbor::bytes::ByteVec;
use shared::id::*;
use shared::kind::plant::KeyStoreKind;
use shared::kind::presence::BadgeIn;
use shared::kind::{Body, Statement};
use shared::log::entry::seal;
use shared::log::{Draft, Entry, LogId, Position, Stream, Subject};
use shared::part11::enrolment::{EnrolRequest, code_key, kiosk_proof};
use shared::part11::signature::DeviceSecret;
use shared::sync::message::{CursorShown, Down, Head, Up};
use shared::time::{ClockReading, HybridTime, Timestamp};
use sync_server::core::{Core, Environment};

const AUTHORITY: &[u8] = b"authority of this test";

/// A clock that is set, and randomness that repeats.
pub struct Stage {
    now: AtomicI64,
    drawn: AtomicU64,
}

impl Stage {
    pub fn at(time: &str) -> Arc<Self> {
        let now = Timestamp::parse(time).unwrap();
        Arc::new(Self { now: AtomicI64::new(now.0), drawn: AtomicU64::new(0) })
    }
    pub fn set(&self, time: &str) {
        self.now.store(Timestamp::parse(time).unwrap().0, Ordering::Relaxed);
    }
}

impl Environment for Stage {
    fn now(&self) -> Timestamp {
        Timestamp(self.now.load(Ordering::Relaxed))
    }
    fn random(&self, bytes: &mut [u8]) {
        for part in bytes.chunks_mut(32) {
            let drawn = self.drawn.fetch_add(1, Ordering::Relaxed).to_be_bytes();
            part.copy_from_slice(&Digest32::of(&drawn).0[..part.len()]);
        }
    }
}

/// A server with the demo plant.
pub fn demo(folder: &Path, stage: &Arc<Stage>) -> Core {
    let core = Core::open(folder, stage.clone()).unwrap();
    core.import(&Path::new(env!("CARGO_MANIFEST_DIR")).join("demo-plant"), false, "test").unwrap();
    core
}

/// What a kiosk that took this answer shows at its next call: where it stands on each stream, with the server's signed heads.
pub fn cursors(down: &Down) -> Vec<CursorShown> {
    let shown = down.paths.iter().filter_map(|path| {
        let epoch = path.path.last()?.epoch;
        let witness = down.heads.iter().find(|head| head.head.stream == path.stream && head.head.epoch == epoch)?;
        Some(CursorShown { stream: path.stream.clone(), path: path.path.clone(), witness: Some(witness.clone()) })
    });
    shown.collect()
}

fn from_number<const N: usize>(number: u16) -> [u8; N] {
    std::array::from_fn(|place| number.to_be_bytes()[place % 2])
}

pub struct Pen {
    pub device: DeviceSecret,
    pub log: LogId,
    pub written: Vec<Entry>,
}

impl Pen {
    /// Enrols a kiosk at the demo plant's line.
    pub fn enrol(core: &Core, name: &str, work_unit: &str, number: u16) -> Self {
        let device = DeviceSecret::from_seed(from_number(number));
        let code = core.enrol_code(KioskName::new(name).unwrap(), &[WorkUnitId::new(work_unit).unwrap()]).unwrap();
        let authority = Digest32::of(AUTHORITY);
        let proof = kiosk_proof(&code_key(&code), &device.key(), &authority);
        let request = EnrolRequest { device: device.key(), key_store: KeyStoreKind::File, proof, authority };
        core.enrol(&request, authority).unwrap().unwrap();
        let stream = Stream::presence(&SiteId::new("SITE1").unwrap());
        let log = LogId { device: device.key(), incarnation: Incarnation(from_number(number)), stream };
        Self { device, log, written: Vec::new() }
    }

    /// Writes that Maria badged in.
    pub fn write(&mut self, core: &Core) -> Entry {
        self.write_about(core, "maria", BadgeIn { day_pass: false })
    }

    /// Writes something about a person, which nobody signs.
    pub fn write_about(&mut self, core: &Core, person: &str, body: impl Into<Body>) -> Entry {
        let subject = Subject::person(&PersonId::new(person).unwrap());
        self.write_draft(core, &Draft::new(subject, Statement { act: core.act(), body: body.into() }))
    }

    /// Writes what others have drafted and signed.
    pub fn write_draft(&mut self, core: &Core, draft: &Draft) -> Entry {
        let (now, place) = (core.now(), self.written.len());
        let position = Position {
            log: self.log.clone(),
            counter: place as u64 + 1,
            prev: place.checked_sub(1).map(|before| self.written[before].id()),
            hybrid: HybridTime { ms: now.0, tick: place as u32 },
            clock: ClockReading::exact(now),
            plant: Vec::new(),
        };
        let entry = seal(draft, &position, &self.device).unwrap();
        self.written.push(entry.clone());
        entry
    }

    /// A call that shows all it wrote as heads, and brings `entries`.
    pub fn up(&self, core: &Core, entries: &[Entry]) -> Up {
        self.up_at(core.key(), core.now(), entries)
    }

    /// The same to a server in another process.
    pub fn up_at(&self, server: DeviceKey, now: Timestamp, entries: &[Entry]) -> Up {
        let tips: Vec<EntryId> = self.written.last().map(Entry::id).into_iter().collect();
        let stream = self.log.stream.clone();
        Up {
            number: 1,
            server,
            device: self.device.key(),
            incarnation: self.log.incarnation,
            wall: now,
            uncertainty_ms: 0,
            as_of: now,
            cursors: Vec::new(),
            heads: if tips.is_empty() { Vec::new() } else { vec![Head { stream, tips }] },
            beyond: Vec::new(),
            entries: entries.iter().map(|entry| ByteVec::from(entry.bytes().to_vec())).collect(),
            enrolments: Vec::new(),
            box_mark: None,
            boxes: Vec::new(),
            peppers: None,
        }
    }

    pub fn send(&self, core: &Core, up: &Up) -> Down {
        Down::open(&core.exchange(&up.seal(&self.device)).unwrap()).unwrap()
    }

    pub fn call(&self, core: &Core, entries: &[Entry]) -> Down {
        self.send(core, &self.up(core, entries))
    }
}
