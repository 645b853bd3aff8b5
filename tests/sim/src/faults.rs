//! Faults of lines, clocks and versions: damaged messages, lines cut one way, clocks that jump and drift, a device of a later version.

use minicbor::bytes::ByteVec;
use shared::id::{DeviceKey, EntryId, Incarnation};
use shared::kind::{IfUnknown, to_cbor};
use shared::log::entry::{Header, Position, SCHEMA, framed};
use shared::log::{LogId, Stream, Subject};
use shared::part11::signature::{DeviceSecret, ENTRY_TYPE};
use shared::time::{ClockReading, DAY_MS, HOUR_MS, HybridTime, Timestamp};

use crate::check::Violation;
use crate::rng::Rng;
use crate::wire::Flight;
use crate::world::{Crash, Cut, WallClock, World, text};

impl World {
    /// Time goes by, on each kiosk's clock in its own way.
    pub fn let_pass(&mut self, ms: i64) {
        self.now_ms += ms;
        for kiosk in &mut self.kiosks {
            kiosk.clock.ahead_ms += ms * kiosk.clock.drift / 1_000_000;
        }
    }

    /// Somebody turns a kiosk's clock, its crystal ages, or it is put right.
    pub(crate) fn turn_clock(&mut self, kiosk: usize) {
        let WallClock { ahead_ms, drift } = self.kiosks[kiosk].clock;
        let clock = match self.rng.below(5) {
            0 => WallClock { ahead_ms: ahead_ms - 3 * HOUR_MS, drift },
            1 => WallClock { ahead_ms: ahead_ms - 30 * DAY_MS, drift },
            2 => WallClock { ahead_ms: ahead_ms + 400 * DAY_MS, drift },
            3 => WallClock { ahead_ms, drift: self.rng.below(200_000) as i64 - 100_000 },
            _ => WallClock::default(),
        };
        self.kiosks[kiosk].clock = clock;
        self.say(format!("clock K#{kiosk} {clock:?}"));
    }

    /// A kiosk's line to the server is cut in one direction, or mended.
    pub(crate) fn cut_line(&mut self, kiosk: usize) {
        let cut = match self.rng.below(3) {
            0 => Cut::Calls,
            1 => Cut::Answers,
            _ => Cut::Nothing,
        };
        self.kiosks[kiosk].cut = cut;
        self.say(format!("line K#{kiosk} cut: {cut:?}"));
    }

    pub(crate) fn is_cut(&self, flight: &Flight) -> bool {
        match flight {
            Flight::Up { from, .. } => self.kiosks[*from].cut == Cut::Calls,
            Flight::Down { to, .. } => self.kiosks[*to].cut == Cut::Answers,
        }
    }

    /// Whether a crash befalls a transaction.
    pub(crate) fn mishap(&mut self) -> Crash {
        match self.mishaps.as_mut().map(|chance| chance.below(100)) {
            Some(0..4) => Crash::Before,
            Some(4..8) => Crash::After,
            _ => Crash::No,
        }
    }

    /// What comes of a word between kiosks: it may be lost, or damaged.
    pub(crate) fn on_the_way(&mut self, mut word: Vec<u8>) -> Option<Vec<u8>> {
        let Some(chance) = self.mishaps.as_mut() else { return Some(word) };
        match chance.below(100) {
            0..3 => return None,
            3..6 => damage(&mut word, chance),
            _ => {}
        }
        Some(word)
    }

    /// A message comes damaged: it is refused whole, and changes nothing.
    pub(crate) fn deliver_damaged(&mut self, flight: Flight) {
        match flight {
            Flight::Up { from, mut bytes } => {
                damage(&mut bytes, &mut self.rng);
                self.say(format!("server hears K#{from}, damaged"));
                let before = self.disk.entries.len();
                if self.answer(&bytes, Crash::No).is_some() || self.disk.entries.len() != before {
                    self.violate(Violation::TookDamaged);
                }
            }
            Flight::Down { to, mut bytes } => {
                damage(&mut bytes, &mut self.rng);
                self.say(format!("K#{to} hears, damaged"));
                let before = self.kiosks[to].disk.reach();
                let heard = !self.kiosks[to].lost && self.hear(to, &bytes, Crash::No) == Some(true);
                if heard || self.kiosks[to].disk.reach() != before {
                    self.violate(Violation::TookDamaged);
                }
            }
        }
    }

    /// Enrols the device of a later version, where it isn't; `false` while the server is stopped.
    pub fn enrol_later_version(&mut self) -> bool {
        let device = self.later_version.key();
        self.disk.entries.enrolment(&device).is_some() || self.enrol_device(device, &text("N")).is_some()
    }

    /// A device of a later version writes, and gives all it has to a kiosk.
    pub(crate) fn later_version_step(&mut self, kiosk: usize) {
        if !self.enrol_later_version() {
            return;
        }
        let (record, now_ms) = (self.record(), self.now_ms);
        let id = self.later_version.write(record, now_ms);
        self.say(format!("a later version's {} to K#{kiosk}", id.short()));
        let entries = self.later_version.written.clone();
        let gift = shared::sync::Give { enrolments: vec![], entries, more: false }.to_bytes();
        self.take_gift(kiosk, &gift);
        if self.kiosks[kiosk].disk.entries.holds(&id) {
            self.model.acknowledged.insert(id);
        }
    }
}

/// Cuts bytes short, or flips one of their bits.
pub(crate) fn damage(bytes: &mut Vec<u8>, chance: &mut Rng) {
    let place = chance.below(bytes.len());
    if chance.chance(50) {
        bytes.truncate(place);
    } else {
        bytes[place] ^= 1 << chance.below(8);
    }
}

/// A device whose version is ahead of everybody's here.
#[derive(Debug)]
pub struct LaterVersion {
    secret: DeviceSecret,
    incarnation: Incarnation,
    /// Its log, in order.
    pub written: Vec<ByteVec>,
}

impl Default for LaterVersion {
    fn default() -> Self {
        Self { secret: DeviceSecret::from_seed([b'N'; 32]), incarnation: Incarnation([b'N'; 16]), written: Vec::new() }
    }
}

impl LaterVersion {
    pub fn key(&self) -> DeviceKey {
        self.secret.key()
    }

    /// The next entry of its log.
    pub fn write(&mut self, stream: Stream, now_ms: i64) -> EntryId {
        let position = Position {
            log: LogId { device: self.key(), incarnation: self.incarnation, stream },
            counter: self.written.len() as u64 + 1,
            prev: self.written.last().map(|bytes| EntryId::of(bytes)),
            hybrid: HybridTime { ms: now_ms, tick: self.written.len() as u32 },
            clock: ClockReading::exact(Timestamp(now_ms)),
            plant: vec![],
        };
        let bytes = from_the_future(position, Subject::new("person", "maria"), &self.secret);
        let id = EntryId::of(&bytes);
        self.written.push(bytes.into());
        id
    }
}

/// An entry of a kind that nobody here knows, and that denies whom it is about.
pub fn from_the_future(position: Position, subject: Subject, secret: &DeviceSecret) -> Vec<u8> {
    let Position { log, counter, prev, hybrid, clock, plant } = position;
    let header = Header {
        schema: SCHEMA,
        log,
        counter,
        prev,
        hybrid,
        wall: clock.wall,
        uncertainty_ms: clock.uncertainty_ms,
        plant,
        kind: "from_the_future".into(),
        subject,
        seen: vec![],
        if_unknown: IfUnknown::Deny,
    };
    let (body, no_blocks) = (ByteVec::from(to_cbor(&counter)), [0u8; 0]);
    let payload = to_cbor(&(header, body, no_blocks));
    framed(&payload, secret.sign(ENTRY_TYPE, &payload))
}
