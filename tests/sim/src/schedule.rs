//! One seed's schedule: work and faults in random order, then healing.

use shared::id::KioskName;

use crate::check::Violation;
use crate::faults::damage;
use crate::model::Medium;
use crate::mutant::Mutant;
use crate::rng::Rng;
use crate::wire::Flight;
use crate::world::{Crash, Signatures, World, text};

/// What a schedule came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    pub acknowledged: usize,
    /// Acknowledged, and physically lost: every medium that held them was put back or destroyed.
    pub lost: usize,
    /// Acknowledged, and left on nothing but sticks that nobody delivered.
    pub on_sticks: usize,
    pub entries: usize,
    /// Rounds of exchanges until all were equal, from the last act of a person.
    pub rounds: usize,
    pub forks: usize,
    pub violations: Vec<Violation>,
    pub trace: Vec<String>,
}

/// Most kiosks a schedule grows to.
const MOST_KIOSKS: usize = 7;
/// Most restores of the server in one schedule.
const MOST_SERVER_RESTORES: usize = 3;
/// Most messages under way; older ones are lost.
const MOST_FLIGHTS: usize = 12;

/// What tells the chance of mishaps from that of the schedule itself.
const MISHAPS: u64 = 0x6d69_7368_6170;

/// How much happens in a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// 3 to 5 kiosks, 60 to 179 steps: many plants in a short time.
    Small,
    /// 5 kiosks, 500 steps: long histories, in which faults meet the traces of earlier ones.
    Long,
}

/// One schedule in so many is run with real signatures, the first among them, so that what stands in for them hides nothing.
const REAL_SIGNATURES_EVERY: u64 = 50;

/// Runs one seed.
pub fn run(seed: u64, mutant: Option<Mutant>) -> Report {
    run_sized(seed, Size::Small, mutant)
}

/// Runs one seed at a size.
pub fn run_sized(seed: u64, size: Size, mutant: Option<Mutant>) -> Report {
    let real = seed % REAL_SIGNATURES_EVERY == 1;
    run_signing(if real { Signatures::Real } else { Signatures::StandIns }, seed, size, mutant)
}

/// Runs one seed at a size, with a choice of signatures.
pub fn run_signing(signatures: Signatures, seed: u64, size: Size, mutant: Option<Mutant>) -> Report {
    let (world, rounds) = healed(signatures, seed, size, mutant);
    Report {
        acknowledged: world.model.acknowledged.len(),
        lost: world.lost.len(),
        on_sticks: world.on_sticks.len(),
        entries: world.disk.entries.len(),
        rounds,
        forks: world.model.forks(Medium::Server).len(),
        violations: world.violations,
        trace: world.trace,
    }
}

/// The world as one seed leaves it when all have met, and in how many rounds they did.
pub fn healed(signatures: Signatures, seed: u64, size: Size, mutant: Option<Mutant>) -> (World, usize) {
    let mut world = World::signing(signatures, seed, 0, mutant);
    let kiosks = if size == Size::Small { 3 + world.rng.below(3) } else { 5 };
    for number in 1..=kiosks {
        world.add_kiosk(&text(&format!("K{number}")));
    }
    world.mishaps = Some(Rng::new(seed ^ MISHAPS));
    let steps = if size == Size::Small { 60 + world.rng.below(120) } else { 500 };
    for _ in 0..steps {
        let elapsed_ms = world.rng.below(120_000) as i64;
        world.let_pass(elapsed_ms);
        world.step();
    }
    world.mishaps = None;
    let rounds = world.heal();
    (world, rounds)
}

impl World {
    fn step(&mut self) {
        let Some(kiosk) = self.some_kiosk() else { return };
        match self.rng.below(106) {
            0..26 => self.act(kiosk),
            26..34 => self.act_at_server(),
            34..50 => self.send_call(kiosk),
            50..66 => self.deliver(),
            66..72 => {
                self.say(format!("exchange K#{kiosk}"));
                self.exchange(kiosk);
            }
            72..78 => self.peers(kiosk),
            78..81 => self.bundles(kiosk),
            81..84 => {
                self.say(format!("back up K#{kiosk}"));
                self.back_up_kiosk(kiosk);
            }
            84..87 => self.restore_some_kiosk(kiosk),
            87..89 => self.people_change(kiosk),
            89..91 => {
                self.say(format!("power cut K#{kiosk}"));
                self.kiosks[kiosk].terminal = None;
            }
            91..94 => {
                self.say("back up server");
                self.back_up_server();
            }
            94..96 => self.restore_server_somehow(),
            96..98 => self.hostile_step(),
            98..100 => self.sign_recovery_perhaps(),
            100..103 => self.turn_clock(kiosk),
            103..105 => self.cut_line(kiosk),
            _ => self.later_version_step(kiosk),
        }
    }

    fn some_kiosk(&mut self) -> Option<usize> {
        let present = self.present();
        self.rng.pick(&present).copied()
    }

    fn crash(&mut self) -> Crash {
        match self.rng.below(100) {
            0..6 => Crash::Before,
            6..12 => Crash::After,
            _ => Crash::No,
        }
    }

    fn act(&mut self, kiosk: usize) {
        let streams = self.streams_of(kiosk);
        let stream = streams[self.rng.below(streams.len())].clone();
        let crash = self.crash();
        let id = self.write(kiosk, &stream, crash);
        self.say(format!("write K#{kiosk} {stream} {crash:?} {:?}", id.map(|id| id.short())));
    }

    fn act_at_server(&mut self) {
        let crash = self.crash();
        let entry = if self.rng.chance(20) { self.block() } else { self.approve(crash) };
        self.say(format!("server writes {crash:?} {:?}", entry.map(|entry| entry.id().short())));
    }

    fn send_call(&mut self, kiosk: usize) {
        let Some(bytes) = self.call(kiosk) else { return };
        self.say(format!("call K#{kiosk} {} bytes", bytes.len()));
        self.launch(Flight::Up { from: kiosk, bytes });
    }

    /// Sends a message: it is lost, or comes twice, and always late.
    fn launch(&mut self, flight: Flight) {
        if self.rng.chance(10) || self.is_cut(&flight) {
            return;
        }
        if self.rng.chance(10) {
            self.flights.push(flight.clone());
        }
        self.flights.push(flight);
        while self.flights.len() > MOST_FLIGHTS {
            self.flights.remove(0);
        }
    }

    /// One message arrives, whichever.
    fn deliver(&mut self) {
        if self.flights.is_empty() {
            return;
        }
        let index = self.rng.below(self.flights.len());
        let flight = self.flights.remove(index);
        if self.rng.chance(8) {
            self.deliver_damaged(flight);
            return;
        }
        let crash = self.crash();
        match flight {
            Flight::Up { from, bytes } => {
                self.say(format!("server hears K#{from} {crash:?}"));
                if let Some(bytes) = self.answer(&bytes, crash) {
                    self.launch(Flight::Down { to: from, bytes });
                }
            }
            Flight::Down { to, bytes } => {
                self.say(format!("K#{to} hears {} bytes {crash:?}", bytes.len()));
                if !self.kiosks[to].lost {
                    self.hear(to, &bytes, crash);
                }
            }
        }
    }

    fn peers(&mut self, kiosk: usize) {
        let Some(other) = self.some_kiosk() else { return };
        if other != kiosk {
            self.say(format!("LAN K#{kiosk} to K#{other}"));
            self.give_to_peer(kiosk, other);
        }
    }

    fn bundles(&mut self, kiosk: usize) {
        if self.bundles.is_empty() || self.rng.chance(40) {
            self.say(format!("bundle from K#{kiosk}"));
            let bundle = self.make_bundle(kiosk);
            self.bundles.push(bundle);
            return;
        }
        let index = self.rng.below(self.bundles.len());
        let mut bundle = self.bundles.swap_remove(index);
        if self.rng.chance(20) {
            bundle.iter_mut().for_each(|piece| damage(piece, &mut self.rng));
        }
        if self.rng.chance(50) {
            self.say("bundle to server");
            self.bundle_to_server(&bundle);
        } else {
            self.say(format!("bundle to K#{kiosk}"));
            for piece in bundle {
                self.take_gift(kiosk, &piece);
            }
        }
    }

    fn restore_some_kiosk(&mut self, kiosk: usize) {
        if self.kiosks[kiosk].backups.is_empty() {
            return;
        }
        let backup = self.rng.below(self.kiosks[kiosk].backups.len());
        let with_old_key_store = self.rng.chance(40);
        self.say(format!("restore K#{kiosk} backup {backup} old key store {with_old_key_store}"));
        self.restore_kiosk(kiosk, backup, with_old_key_store);
        if self.rng.chance(25) {
            let done = self.re_enrol(kiosk);
            self.say(format!("key store lost, enrolled anew: {done}"));
        }
    }

    fn people_change(&mut self, kiosk: usize) {
        let few = self.present().len() < MOST_KIOSKS;
        let many = self.in_good_standing().len() > 2;
        match self.rng.below(5) {
            0 if few => {
                let twin = self.clone_kiosk(kiosk);
                self.say(format!("clone K#{kiosk} as K#{twin}"));
            }
            1 if few => {
                let name: KioskName = text(&format!("K{}", self.kiosks.len() + 1));
                let added = self.add_kiosk(&name);
                self.say(format!("enrol {added:?}"));
            }
            2 if many => {
                let key = self.kiosks[kiosk].key();
                let revoked = self.revoke_device(key).is_some();
                self.say(format!("lose K#{kiosk}, revoked {revoked}"));
                self.lose_kiosk(kiosk);
            }
            3 if many => {
                let key = self.kiosks[kiosk].key();
                let revoked = self.revoke_device(key).is_some();
                self.say(format!("revoke K#{kiosk} {revoked}"));
            }
            _ => {
                let done = self.re_enrol(kiosk);
                self.say(format!("re-enrol K#{kiosk} {done}"));
            }
        }
    }

    fn restore_server_somehow(&mut self) {
        if self.server_restores >= MOST_SERVER_RESTORES {
            return;
        }
        if self.rng.chance(20) {
            self.say("server lost");
            self.lose_server();
        } else if !self.server_backups.is_empty() {
            let backup = self.rng.below(self.server_backups.len());
            if self.rng.chance(60) {
                self.say(format!("server restored from {backup}"));
                self.restore_server(backup);
            } else {
                self.say(format!("server put back to {backup}"));
                self.put_server_back(backup);
            }
        }
    }

    fn hostile_step(&mut self) {
        self.say("hostile call");
        let call = self.hostile_call();
        let crash = self.mishap();
        self.answer(&call, crash);
        let Some(kiosk) = self.some_kiosk() else { return };
        let entries = self.forgeries();
        let gift = shared::sync::Give { enrolments: vec![], entries, more: true }.to_bytes();
        self.take_gift(kiosk, &gift);
    }

    fn sign_recovery_perhaps(&mut self) {
        if self.is_stopped() || self.server_restores > 0 && self.rng.chance(30) {
            self.sign_recovery();
        }
    }
}
