//! Named scenarios: what happened, what people do, and how it must end. Each gives its world after healing; a mutant may be built in.

use shared::id::*;
use shared::kind::Family;
use shared::log::{LogId, Shelf, Stream};
use shared::sync::TerminalShelf;
use shared::sync::message::Down;
use shared::time::{DAY_MS, HOUR_MS};

use crate::mutant::Mutant;
use crate::world::{Crash, WallClock, World, sure, text};

/// A scenario by its name.
pub type Scenario = (&'static str, fn(Option<Mutant>) -> World);

/// Every row of the protocol's section 7, the walk-throughs that concern the exchange, and what chance finds too rarely.
pub const ALL: [Scenario; 24] = [
    ("kiosk restored, key store intact", kiosk_restored),
    ("kiosk restored with its old key store", kiosk_restored_with_old_key_store),
    ("kiosk restored, key store lost", kiosk_restored_without_key_store),
    ("kiosk cloned", kiosk_cloned),
    ("kiosk cloned twice", kiosk_cloned_twice),
    ("kiosk cloned, enrolled anew and given its old keys back", kiosk_given_its_old_keys),
    (
        "kiosk put back and enrolled anew with its clock put right, then given its old keys back",
        kiosk_given_its_old_keys_and_time,
    ),
    ("kiosk lost", kiosk_lost),
    ("kiosk revoked, good entries from before, directly", revoked_directly),
    ("kiosk revoked, good entries from before, through a relay", revoked_through_a_relay),
    ("server restored from an older backup", server_restored),
    ("server restored twice from one backup", server_restored_twice),
    ("server put back", server_put_back),
    ("server put back, then wrote more than it had lost", server_put_back_wrote_more),
    ("server put back, lost kiosks' entries only", server_put_back_lost_records),
    ("server put back, met by somebody without a cursor", server_put_back_met_by_a_stranger),
    ("server put back, then enrolled a kiosk", server_put_back_enrolled),
    ("server lost, no backup", server_lost),
    ("server lost with a revocation", server_lost_with_a_revocation),
    ("server told of heads that it never signed", server_lied_to),
    ("kiosk's enrolment known to itself alone", enrolment_known_to_itself_alone),
    ("answer with records of somebody whose enrolment it lacks", answer_without_plant),
    ("power cut between cursor and entries", power_cut_in_an_answer),
    ("clock forward a year and back while offline", clock_forward_and_back),
];

fn plant(kiosks: usize, mutant: Option<Mutant>) -> World {
    let mut world = World::new(42, kiosks, mutant);
    world.approve(Crash::No);
    for kiosk in 0..kiosks {
        work(&mut world, kiosk, 2);
        world.exchange(kiosk);
    }
    world
}

/// So many entries in each of the kiosk's streams, offline.
pub fn work(world: &mut World, kiosk: usize, times: usize) -> Vec<EntryId> {
    let mut written = Vec::new();
    for _ in 0..times {
        world.now_ms += 60_000;
        for stream in world.streams_of(kiosk) {
            written.extend(world.write(kiosk, &stream, Crash::No));
        }
    }
    written
}

/// The log of a kiosk's records in its current incarnation.
pub fn record_log(world: &World, kiosk: usize) -> LogId {
    let this = &world.kiosks[kiosk];
    let incarnation = sure(this.disk.incarnation()).unwrap_or(Incarnation([0; 16]));
    LogId { device: this.key(), incarnation, stream: world.record() }
}

fn healed(mut world: World) -> World {
    world.heal();
    world
}

pub fn kiosk_restored(mutant: Option<Mutant>) -> World {
    let mut world = plant(3, mutant);
    world.back_up_kiosk(0);
    // Long enough for the key store to be written.
    work(&mut world, 0, 12);
    world.exchange(0);
    world.restore_kiosk(0, 0, false);
    work(&mut world, 0, 2);
    healed(world)
}

pub fn kiosk_restored_with_old_key_store(mutant: Option<Mutant>) -> World {
    let mut world = plant(3, mutant);
    world.back_up_kiosk(0);
    work(&mut world, 0, 2);
    world.exchange(0);
    world.restore_kiosk(0, 0, true);
    work(&mut world, 0, 2);
    healed(world)
}

pub fn kiosk_restored_without_key_store(mutant: Option<Mutant>) -> World {
    let mut world = plant(3, mutant);
    work(&mut world, 0, 2);
    world.back_up_kiosk(0);
    world.restore_kiosk(0, 0, false);
    world.re_enrol(0);
    work(&mut world, 0, 1);
    healed(world)
}

pub fn kiosk_cloned(mutant: Option<Mutant>) -> World {
    let mut world = plant(3, mutant);
    let twin = world.clone_kiosk(0);
    work(&mut world, 0, 2);
    work(&mut world, twin, 3);
    world.exchange(twin);
    work(&mut world, twin, 1);
    world.exchange(0);
    work(&mut world, 0, 1);
    healed(world)
}

/// Three branches from one entry are one alarm.
pub fn kiosk_cloned_twice(mutant: Option<Mutant>) -> World {
    let mut world = plant(2, mutant);
    work(&mut world, 0, 1);
    for twin in [world.clone_kiosk(0), world.clone_kiosk(0)] {
        work(&mut world, twin, 1);
    }
    work(&mut world, 0, 1);
    healed(world)
}

/// A disk under new keys takes in what a twin wrote at a place of its old log, which isn't its own then; with its old keys it would be.
pub fn kiosk_given_its_old_keys(mutant: Option<Mutant>) -> World {
    let mut world = plant(2, mutant);
    let twin = world.clone_kiosk(0);
    work(&mut world, 0, 1);
    work(&mut world, twin, 1);
    let old_keys = world.kiosks[0].key_store.clone();
    world.re_enrol(0);
    world.exchange(twin);
    world.exchange(0);
    world.kiosks[0].key_store = old_keys;
    world.kiosks[0].terminal = None;
    work(&mut world, 0, 1);
    healed(world)
}

/// Its clock stood far ahead. Put back, put right and enrolled anew, it hears again what it had written after the backup, as entries of somebody whose
/// clock is ahead: its own doesn't follow them. With its old keys they are its own again.
pub fn kiosk_given_its_old_keys_and_time(mutant: Option<Mutant>) -> World {
    let mut world = plant(2, mutant);
    world.kiosks[0].clock = WallClock { ahead_ms: 400 * DAY_MS, drift: 0 };
    work(&mut world, 0, 1);
    world.back_up_kiosk(0);
    work(&mut world, 0, 1);
    world.exchange(0);
    let old_keys = world.kiosks[0].key_store.clone();
    world.restore_kiosk(0, 0, true);
    world.kiosks[0].clock = WallClock { ahead_ms: 370 * DAY_MS, drift: 0 };
    world.re_enrol(0);
    world.exchange(0);
    world.kiosks[0].key_store = old_keys;
    world.kiosks[0].terminal = None;
    work(&mut world, 0, 1);
    healed(world)
}

pub fn kiosk_lost(mutant: Option<Mutant>) -> World {
    let mut world = plant(3, mutant);
    work(&mut world, 0, 2);
    world.give_to_peer(0, 1);
    world.lose_kiosk(0);
    world.exchange(1);
    let key = world.kiosks[0].key();
    world.revoke_device(key);
    healed(world)
}

pub fn revoked_directly(mutant: Option<Mutant>) -> World {
    let mut world = plant(3, mutant);
    work(&mut world, 0, 2);
    let key = world.kiosks[0].key();
    world.revoke_device(key);
    work(&mut world, 0, 1);
    healed(world)
}

pub fn revoked_through_a_relay(mutant: Option<Mutant>) -> World {
    let mut world = plant(3, mutant);
    work(&mut world, 0, 2);
    let key = world.kiosks[0].key();
    world.revoke_device(key);
    world.give_to_peer(0, 1);
    world.lose_kiosk(0);
    healed(world)
}

pub fn server_restored(mutant: Option<Mutant>) -> World {
    let mut world = plant(3, mutant);
    world.back_up_server();
    let fourth = world.add_kiosk(&text("K4"));
    if let Some(fourth) = fourth {
        work(&mut world, fourth, 2);
        world.exchange(fourth);
    }
    let key = world.kiosks[1].key();
    world.revoke_device(key);
    world.approve(Crash::No);
    world.exchange(0);
    work(&mut world, 0, 1);
    world.exchange(0);
    world.restore_server(0);
    // QA goes on before the first kiosk calls.
    world.approve(Crash::No);
    world.block();
    healed(world)
}

pub fn server_restored_twice(mutant: Option<Mutant>) -> World {
    let mut world = plant(2, mutant);
    world.back_up_server();
    world.approve(Crash::No);
    world.exchange(0);
    world.restore_server(0);
    world.approve(Crash::No);
    world.exchange(1);
    world.restore_server(0);
    world.approve(Crash::No);
    healed(world)
}

pub fn server_put_back(mutant: Option<Mutant>) -> World {
    let mut world = plant(3, mutant);
    world.back_up_server();
    world.approve(Crash::No);
    work(&mut world, 0, 1);
    world.exchange(0);
    world.put_server_back(0);
    healed(world)
}

pub fn server_put_back_wrote_more(mutant: Option<Mutant>) -> World {
    let mut world = plant(3, mutant);
    world.back_up_server();
    world.approve(Crash::No);
    world.exchange(0);
    world.put_server_back(0);
    for _ in 0..3 {
        world.approve(Crash::No);
    }
    work(&mut world, 1, 3);
    world.exchange(1);
    healed(world)
}

pub fn server_put_back_lost_records(mutant: Option<Mutant>) -> World {
    let mut world = plant(3, mutant);
    let record = world.record();
    world.back_up_server();
    world.write(0, &record, Crash::No);
    world.exchange(0);
    world.put_server_back(0);
    // As many entries again, and more: only the hashes tell.
    for _ in 0..3 {
        world.write(1, &record, Crash::No);
    }
    world.exchange(1);
    healed(world)
}

pub fn server_put_back_met_by_a_stranger(mutant: Option<Mutant>) -> World {
    let mut world = plant(2, mutant);
    let Some(stranger) = world.add_kiosk(&text("K3")) else { return world };
    world.exchange(0);
    world.back_up_server();
    world.approve(Crash::No);
    world.exchange(0);
    // The stranger has it from its neighbour, who then disappears: no cursor tells of it, only the entry.
    world.give_to_peer(0, stranger);
    world.lose_kiosk(0);
    world.put_server_back(0);
    world.approve(Crash::No);
    healed(world)
}

pub fn server_put_back_enrolled(mutant: Option<Mutant>) -> World {
    let mut world = plant(3, mutant);
    world.back_up_server();
    world.approve(Crash::No);
    world.exchange(0);
    world.put_server_back(0);
    if let Some(new) = world.add_kiosk(&text("K9")) {
        world.exchange(new);
        work(&mut world, new, 2);
    }
    world.exchange(0);
    healed(world)
}

/// A kiosk was revoked, cut back what a recovery took away, and its revocation went with the server: it is in use again, and has proof of what it
/// witnessed.
pub fn server_lost_with_a_revocation(mutant: Option<Mutant>) -> World {
    let mut world = plant(1, mutant);
    world.back_up_server();
    world.approve(Crash::No);
    work(&mut world, 0, 1);
    world.exchange(0);
    world.restore_server(0);
    let key = world.kiosks[0].key();
    world.revoke_device(key);
    for _ in 0..2 {
        world.exchange(0);
        world.sign_recovery();
    }
    world.exchange(0);
    world.lose_server();
    healed(world)
}

pub fn server_lost(mutant: Option<Mutant>) -> World {
    let mut world = plant(3, mutant);
    work(&mut world, 1, 1);
    world.lose_server();
    healed(world)
}

/// A hostile device shows paths behind which there is nothing, each with the server's own current epoch or one that never was.
pub fn server_lied_to(mutant: Option<Mutant>) -> World {
    let mut world = plant(2, mutant);
    for _ in 0..8 {
        let call = world.hostile_call();
        world.answer(&call, Crash::No);
    }
    work(&mut world, 0, 1);
    healed(world)
}

pub fn enrolment_known_to_itself_alone(mutant: Option<Mutant>) -> World {
    let mut world = plant(2, mutant);
    world.back_up_server();
    let Some(new) = world.add_kiosk(&text("K3")) else { return world };
    work(&mut world, new, 2);
    // The server forgets the enrolment before anybody has heard of it; then the kiosk's key is replaced.
    world.restore_server(0);
    world.re_enrol(new);
    work(&mut world, new, 1);
    healed(world)
}

/// The first answer that brings a new kiosk's entries doesn't say anything of the plant: they can't be held, and nothing may go on past them.
pub fn answer_without_plant(mutant: Option<Mutant>) -> World {
    let mut world = plant(2, mutant);
    if let Some(new) = world.add_kiosk(&text("K3")) {
        work(&mut world, new, 2);
        world.exchange(new);
    }
    let call = world.call(0);
    if let Some(mut down) = call.and_then(|up| world.answer(&up, Crash::No)).and_then(|bytes| Down::open(&bytes).ok()) {
        let is_plant = |stream: &Stream| stream.family == Family::Plant;
        down.items.retain(|item| !is_plant(&item.stream));
        down.paths.retain(|shown| !is_plant(&shown.stream));
        let answer = down.seal(&world.secret);
        world.hear(0, &answer, Crash::No);
    }
    healed(world)
}

pub fn power_cut_in_an_answer(mutant: Option<Mutant>) -> World {
    let mut world = plant(2, mutant);
    work(&mut world, 0, 2);
    world.exchange(0);
    let call = world.call(1);
    if let Some(down) = call.and_then(|up| world.answer(&up, Crash::No)) {
        world.hear(1, &down, Crash::Before);
    }
    let record = world.record();
    world.write(0, &record, Crash::Before);
    world.write(0, &record, Crash::After);
    healed(world)
}

pub fn clock_forward_and_back(mutant: Option<Mutant>) -> World {
    let mut world = plant(2, mutant);
    for ahead_ms in [400 * DAY_MS, -3 * HOUR_MS, 0] {
        world.kiosks[0].clock = WallClock { ahead_ms, drift: 0 };
        work(&mut world, 0, 1);
        // Switched off and on: what it knew of the time lies on its disk.
        world.kiosks[0].terminal = None;
        work(&mut world, 0, 1);
    }
    healed(world)
}

/// How many entries of a log a replica of the server holds.
pub fn entries_of(world: &World, log: &LogId) -> usize {
    world.disk.entries.all().filter(|entry| entry.log() == log).count()
}

/// The tips of a log at the server.
pub fn tips_at_server(world: &World, log: &LogId) -> usize {
    sure(world.disk.tips(log)).len()
}
