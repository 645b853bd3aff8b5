//! The same entries, in whatever order and pieces they arrive, make one and the same plant and record (SAFE4, U8).
//!
//! `LINEPROOF_ARRIVALS` says how many orders are tried, from `LINEPROOF_SEED` on; by default a few.

use std::collections::BTreeSet;
use std::path::Path;

use harness::scene::*;
use harness::{Plant, kiosk_signer, signer};
use kiosk::core::Core as Kiosk;
use kiosk::core::secret::Signer;
use kiosk::core::signing_set_up::Chosen;
use kiosk::key_store::FileKeyStore;
use rusqlite::Connection;
use shared::id::*;
use shared::kind::presence::SessionEnd;
use shared::log::{Entry, Held, Shelf};
use shared::part11::boxes::Stretching;
use shared::time::ClockReading;
use sim::rng::Rng;
use store::{Ledger, StoreError, questions, shelf};
use sync_server::core::verify::derived_digest;

const TEN_MINUTES: i64 = 10 * 60_000;

/// A Monday on which four kiosks are dark and what can go wrong does: everything whose effect depends on something else is there. The server's
/// folder as it was on Sunday is kept as `before`.
fn bad_monday() -> Plant {
    let mut plant = sunday_evening();
    plant.add_kiosk("K6", &["SEAL"]);
    plant.add_kiosk("K7", &["SEAL"]);
    let (dagmar, helga) = (signer("dagmar"), signer("helga"));
    plant.server.set_up_signing(&dagmar.person, &dagmar.secret, "card", Some(&helga), Stretching::TESTS).unwrap();
    plant.settle();
    copy_folder(plant.server.folder(), &plant.path("before"));
    approve_v7(&plant.server);
    plant.settle();
    let clone = clone_of_k3(&plant);
    plant.clock.set("2026-03-02T05:20:00Z");
    train(&mut plant, "K3", "maria", "jonas");
    train(&mut plant, "K5", "ana", "jonas");
    train(&mut plant, "K6", "ben", "eva");
    everybody_works(&mut plant);
    somebody_guesses_secrets(&mut plant);
    somebody_loses_a_badge(&mut plant);
    two_secrets_are_chosen(&mut plant);
    plant.server.withdraw_assessor(&id("eva"), &id("R-0042"), "conflict of interest", &signer("helga")).unwrap();
    withdraw_jonas(&plant);
    plant.server.revoke_kiosk(&id("K5"), "stolen", None).unwrap();
    give(&plant, clone);
    plant.settle();
    plant
}

/// K3's disk and keys, used by somebody else after they were copied: it writes what K3 doesn't know of.
fn clone_of_k3(plant: &Plant) -> Kiosk {
    let (disk, keys) = (plant.path("clone"), plant.path("clone-keys"));
    copy_folder(&plant.path("K3"), &disk);
    copy_folder(&plant.path("K3-keys"), &keys);
    let mut clone =
        Kiosk::open(&disk, Box::new(FileKeyStore::open(&keys).unwrap()), Box::new(plant.clock.clone())).unwrap();
    comes_and_reads(&mut clone, "ana");
    clone
}

fn give(plant: &Plant, mut clone: Kiosk) {
    harness::meet(&mut clone, &plant.server).unwrap();
}

/// Who asks at the gate, begins and ends work, and reads again, at all kiosks in turns.
fn everybody_works(plant: &mut Plant) {
    for round in 0..18 {
        plant.clock.advance_ms(40_000);
        for (kiosk, person) in [("K3", "maria"), ("K5", "ana"), ("K6", "ben")] {
            let kiosk = plant.kiosk(kiosk);
            kiosk.badge_in(&id(person)).unwrap();
            let started = kiosk.ask(&id(person), &id("seal-pouch"), Some(&id("881"))).unwrap().session;
            if round % 6 == 0 {
                comes_and_reads(kiosk, person);
            } else if let Some(session) = started {
                kiosk.end_session(&session, SessionEnd::Tap).unwrap();
            }
        }
    }
}

fn somebody_guesses_secrets(plant: &mut Plant) {
    let stranger = Signer { person: id("ben"), secret: "not the secret".into() };
    for kiosk in ["K3", "K5", "K3", "K6", "K5"] {
        plant.clock.advance_ms(TEN_MINUTES);
        assert!(plant.kiosk(kiosk).unlock(&stranger).is_err());
    }
    plant.kiosk("K3").lift_lockout(&id("ben"), "mistyped", &kiosk_signer("jonas")).unwrap();
    plant.clock.advance_ms(TEN_MINUTES);
    plant.kiosk("K5").unlock(&kiosk_signer("ben")).unwrap();
}

fn somebody_loses_a_badge(plant: &mut Plant) {
    let since = Some(plant.clock.now());
    plant.clock.advance_ms(TEN_MINUTES);
    plant.kiosk("K6").report_lost_badge(&id("ana"), since, "on the bus", &kiosk_signer("jonas")).unwrap();
    plant.kiosk("K6").give_day_pass(&id("ana"), "known by sight", None, &kiosk_signer("jonas")).unwrap();
    plant.kiosk("K6").enter_by_pass(&kiosk_signer("ana")).unwrap();
    reads(plant.kiosk("K6"), "ana");
    comes_and_reads(plant.kiosk("K5"), "ana");
}

fn two_secrets_are_chosen(plant: &mut Plant) {
    for (kiosk, secret) in [("K6", "Nine pouches"), ("K7", "Ten pouches")] {
        plant.clock.advance_ms(TEN_MINUTES);
        let chosen = Chosen { secret, identity_proof: "identity card", language: "en", stretching: Stretching::TESTS };
        plant.kiosk(kiosk).set_up_signing(&id("maria"), &chosen, &kiosk_signer("dagmar")).unwrap();
    }
}

/// All that answers rest on, as one replica has it.
#[derive(Debug, PartialEq, Eq)]
struct Made {
    derived: Digest32,
    plant: Digest32,
    keys: Vec<(PersonId, Option<PersonKey>)>,
    forks: BTreeSet<(String, i64, Vec<u8>)>,
}

impl Made {
    fn of(ledger: &Ledger) -> Result<Self, StoreError> {
        let connection = ledger.connection();
        let mut keys = Vec::new();
        for person in ledger.plant().people.keys() {
            keys.push((person.clone(), questions::key_of(connection, person)?.map(|(key, _)| key)));
        }
        let plant = Digest32::of(format!("{:?}", ledger.plant()).as_bytes());
        Ok(Self { derived: derived_digest(connection)?, plant, keys, forks: forks(connection)? })
    }
}

fn forks(connection: &Connection) -> Result<BTreeSet<(String, i64, Vec<u8>)>, StoreError> {
    let sql =
        "SELECT hex(l.device) || hex(l.incarnation) || l.stream, f.counter, f.id FROM fork f JOIN log l USING (log)";
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// What a replica that was there on Sunday makes of Monday's entries, when chance says in which order and pieces they come; only a log's own order
/// stands.
fn arrived(before: &Path, monday: &[Entry], seed: u64) -> Result<Made, StoreError> {
    let (mut rng, home) = (Rng::new(seed), tempfile::tempdir().unwrap());
    copy_folder(before, home.path());
    let mut ledger = sync_server::store::open(&home.path().join("server.sqlite"))?;
    let mut waiting = monday.to_vec();
    rng.shuffle(&mut waiting);
    let later: BTreeSet<EntryId> = monday.iter().map(Entry::id).collect();
    let mut held: BTreeSet<EntryId> = BTreeSet::new();
    while !waiting.is_empty() {
        let most = 1 + rng.below(40);
        let mut piece = Vec::new();
        waiting.retain(|entry| {
            let ready = piece.len() < most
                && entry.header().prev.is_none_or(|prev| held.contains(&prev) || !later.contains(&prev));
            if ready {
                held.insert(entry.id());
                piece.push(entry.clone());
            }
            !ready
        });
        ledger.step(ClockReading::exact(harness::at("2026-03-02T12:00:00Z")), |step| {
            for entry in piece {
                step.put(&Held::own(entry.clone()))?;
                if let Some(fork) = shared::log::standing::fork_at(&entry, step)? {
                    step.raise(&fork)?;
                }
            }
            Ok::<_, StoreError>(())
        })?;
    }
    Made::of(&ledger)
}

fn every_entry(connection: &Connection) -> Vec<Entry> {
    let mut entries = Vec::new();
    for log in shelf::logs(connection).unwrap() {
        let last = shelf::tips(connection, &log).unwrap().into_iter().map(|(counter, _)| counter).max().unwrap();
        for counter in 0..=last {
            for id in shelf::at(connection, &log, counter).unwrap() {
                entries.push(shelf::entry(connection, &id).unwrap().unwrap());
            }
        }
    }
    entries
}

#[test]
fn safe4_u8_one_record_whatever_the_order_of_arrival() {
    let number =
        |name: &str, otherwise: u64| std::env::var(name).ok().and_then(|n| n.parse().ok()).unwrap_or(otherwise);
    let (count, first) = (number("LINEPROOF_ARRIVALS", 20), number("LINEPROOF_SEED", 1));
    let plant = bad_monday();
    plant.verify();
    let ledger = plant.server.ledger();
    let (before, expected) = (plant.path("before"), Made::of(&ledger).unwrap());
    let mut monday = every_entry(ledger.connection());
    let on_sunday = sync_server::store::open(&before.join("server.sqlite")).unwrap();
    monday.retain(|entry| shelf::place(on_sunday.connection(), &entry.id()).unwrap().is_none());
    drop(on_sunday);
    assert!(monday.len() >= 200 && !expected.forks.is_empty(), "{} entries", monday.len());
    let began = std::time::Instant::now();
    let differs = |seed: &u64| arrived(&before, &monday, *seed).unwrap() != expected;
    let differ: Vec<u64> = (first..first + count).filter(differs).collect();
    println!(
        r#"{{"name":"arrivals","runs":{count},"violations":{},"seed":{first},"entries":{},"seconds":{}}}"#,
        differ.len(),
        monday.len(),
        began.elapsed().as_secs()
    );
    assert!(differ.is_empty(), "the order of arrival shows: seeds {differ:?}");
}
