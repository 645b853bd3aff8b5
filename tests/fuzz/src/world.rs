//! A small plant in memory, made once: every input meets the same one.

use minicbor::bytes::ByteVec;
use minicbor::{Decoder, Encoder};
use shared::id::Incarnation;
use shared::log::entry::Header;
use shared::log::{Entry, Shelf};
use shared::part11::pepper::PepperEpoch;
use shared::part11::signature::{DeviceSecret, ENTRY_TYPE};
use shared::sync::Server;
use shared::sync::scope;
use shared::sync::terminal::{Fresh, Identity, Now, Terminal};
use sim::disk::{KioskDisk, ServerDisk};
use sim::world::{Crash, sure};

/// A server, a kiosk that has met it and wrote since, another kiosk, and a device that keeps to no rule.
pub struct World {
    pub server: Server,
    pub servers_secret: DeviceSecret,
    pub servers_disk: ServerDisk,
    pub kiosk: Identity,
    pub kiosks_disk: KioskDisk,
    pub other: DeviceSecret,
    pub others_enrolment: Entry,
    pub hostile: DeviceSecret,
    pub now: Now,
    /// Real messages, from which corpora begin.
    pub ups: Vec<Vec<u8>>,
    pub downs: Vec<Vec<u8>>,
    pub haves: Vec<Vec<u8>>,
    pub gives: Vec<Vec<u8>>,
}

pub const FRESH: Fresh = Fresh { incarnation: Incarnation([0xf5; 16]), jitter: 7 };

thread_local! {
    // The simulator's disks stay in one thread. Each lives as long as its thread, and there is one thread or a handful.
    static WORLD: &'static World = Box::leak(Box::new(make()));
}

pub fn world() -> &'static World {
    WORLD.with(|world| *world)
}

/// Played by the simulator from one seed.
fn make() -> World {
    let mut sim = sim::World::new(11, 2, None);
    let (mut ups, mut downs) = (Vec::new(), Vec::new());
    for round in 0..4 {
        sim.now_ms += 60_000;
        for kiosk in 0..2 {
            let streams = sim.streams_of(kiosk);
            for stream in streams.iter().take(1 + round) {
                sim.write(kiosk, stream, Crash::No);
            }
            for _ in 0..2 {
                let Some(up) = sim.call(kiosk) else { break };
                let Some(down) = sim.answer(&up, Crash::No) else { break };
                sim.hear(kiosk, &down, Crash::No);
                ups.push(up);
                downs.push(down);
            }
        }
        sim.approve(Crash::No);
    }
    let record = sim.record();
    for _ in 0..3 {
        sim.write(0, &record, Crash::No);
    }
    let mut first_word = |kiosk| {
        let fresh = sim.rng.fresh();
        sim.at_kiosk(kiosk, Crash::No, |terminal, disk| sure(terminal.have(disk, fresh)))
    };
    let haves: Vec<Vec<u8>> = (0..2).filter_map(&mut first_word).collect();
    let gives = sim.make_bundle(0);
    let (now, site) = (sim.now_at(0), sim.site.clone());
    let other = &sim.kiosks[1];
    let (others_secret, others_enrolment) = (other.key_store.secret.clone(), other.key_store.enrolment.clone());
    let first = &sim.kiosks[0];
    let kiosk = Identity {
        secret: first.key_store.secret.clone(),
        server: sim.secret.key(),
        enrolment: first.key_store.enrolment.clone(),
        scope: scope::of_kiosk(&site, &first.name),
        peppers: vec![PepperEpoch::FIRST],
    };
    World {
        server: sim.server.clone(),
        servers_secret: sim.secret.clone(),
        servers_disk: sim.disk.clone(),
        kiosk,
        kiosks_disk: first.disk.clone(),
        other: others_secret,
        others_enrolment,
        hostile: sim.hostile.clone(),
        now,
        ups,
        downs,
        haves,
        gives,
    }
}

impl World {
    /// The kiosk, switched on over a disk of its own.
    pub fn terminal(&self) -> (Terminal, KioskDisk) {
        let mut disk = self.kiosks_disk.clone();
        let terminal = sure(Terminal::start(self.kiosk.clone(), &[], &mut disk, self.now, FRESH));
        (terminal, disk)
    }

    /// Signs an entry's payload, as the device that it names.
    pub fn signed(&self, payload: &[u8]) -> Vec<u8> {
        signed(&self.keys(), payload)
    }

    /// Makes the signatures of altered entries good again. What has no entry's frame stays as it is.
    pub fn re_signed(&self, entries: &[ByteVec]) -> Vec<ByteVec> {
        re_signed(&self.keys(), entries)
    }

    fn keys(&self) -> [&DeviceSecret; 4] {
        [&self.servers_secret, &self.kiosk.secret, &self.other, &self.hostile]
    }
}

/// Signs an entry's payload with the one of these keys that it names; a key of nobody here is the last one's problem.
pub fn signed(keys: &[&DeviceSecret], payload: &[u8]) -> Vec<u8> {
    let header = Decoder::new(payload).array().and_then(|_| {
        let mut decoder = Decoder::new(payload);
        decoder.array()?;
        decoder.decode::<Header>()
    });
    let named = header.ok().and_then(|header| keys.iter().find(|secret| secret.key() == header.log.device));
    let signature = named.unwrap_or(&keys[keys.len() - 1]).sign(ENTRY_TYPE, payload);
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes);
    let written = encoder.array(2).and_then(|e| e.bytes(payload)).and_then(|e| e.encode(signature)).map(drop);
    written.expect("writing to memory");
    bytes
}

/// [`signed`] for each that has an entry's frame; the others stay as they are.
pub fn re_signed(keys: &[&DeviceSecret], entries: &[ByteVec]) -> Vec<ByteVec> {
    let payload = |bytes: &ByteVec| {
        let mut decoder = Decoder::new(bytes);
        decoder.array().ok()?;
        decoder.bytes().ok().map(<[u8]>::to_vec)
    };
    entries.iter().map(|bytes| payload(bytes).map_or(bytes.clone(), |it| signed(keys, &it).into())).collect()
}

/// Everything held came from a device that is enrolled here for its stream.
pub fn only_from_enrolled<'e>(
    shelf: &impl Shelf<Error = std::convert::Infallible>,
    held: impl IntoIterator<Item = &'e Entry>,
) {
    for entry in held {
        let log = entry.log();
        assert!(sure(shelf.may_write(&log.device, &log.stream)), "{entry:?} is nobody's");
    }
}

/// The payload inside a sealed message: what its signature covers.
pub fn inside(sealed: &[u8]) -> Vec<u8> {
    let mut decoder = Decoder::new(sealed);
    decoder.array().and_then(|_| decoder.bytes()).expect("a message of ours").to_vec()
}
