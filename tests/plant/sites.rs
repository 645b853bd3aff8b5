//! A person moves between sites, with late entries on the way: walk-through of section 8, and what the other site is told (`visiting`).

use std::fs;
use std::sync::Arc;

use harness::scene::*;
use harness::{Plant, kiosk_signer};
use kiosk::core::Core as Kiosk;
use kiosk::key_store::FileKeyStore;
use shared::id::*;
use shared::kind::Family;
use shared::kind::record::Outcome;
use shared::training::{Answer, Reason};
use sync_server::core::Core as Server;
use sync_server::core::verify::derived_digest;

const MONDAY: &str = "2026-03-02T05:30:00Z";

/// The demo plant, but line 3 stands at another site: K3 and K4 at SITE1, K5 at SITE2.
fn two_sites() -> Plant {
    let folder = tempfile::tempdir().unwrap();
    copy_folder(&harness::demo_plant(), folder.path());
    let change = |file: &str, from: &str, to: &str| {
        let path = folder.path().join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{file} has no {from}");
        fs::write(&path, text.replace(from, to)).unwrap();
    };
    change("sites.csv", "SITE1,", "SITE2,Talweg Süd,Europe/Berlin,06:00\nSITE1,");
    change("work_units.csv", "SITE1,PACK,L3,", "SITE2,PACK,L3,");
    change("roles.csv", "SITE1/PACK/L3", "SITE2/PACK/L3");
    change("people.csv", "eva,Eva Krämer,SITE1", "eva,Eva Krämer,SITE2");
    // More history of Maria's than one entry has room for beside another.
    let path = folder.path().join("history.csv");
    let row = |n: usize| {
        let (day, hour, shelf) = (1 + n % 28, 6 + n / 28, "shelf ".repeat(12));
        format!("maria,R-0006,v1,read,2023-02-{day:02}T{hour:02}:19:00+01:00,,,\"paper file {n}, {shelf}\"\n")
    };
    let rows: String = (0..200).map(row).collect();
    fs::write(&path, fs::read_to_string(&path).unwrap() + &rows).unwrap();
    let mut plant = Plant::from_folder(folder.path(), "2026-03-01T18:00:00Z");
    plant.set_up_signing(&["helga", "lukas", "henning", "jonas", "eva", "maria", "ana", "ben"]);
    for (kiosk, unit) in [("K3", "SEAL"), ("K4", "SEAL"), ("K5", "SEAL3")] {
        plant.add_kiosk(kiosk, &[unit]);
    }
    fs::rename(folder.keep(), plant.path("folder")).unwrap();
    approve_v7(&plant.server);
    plant.settle();
    plant.clock.set(MONDAY);
    plant
}

/// HR says that Maria works at SITE2, too.
fn maria_moves(plant: &Plant) {
    let folder = plant.path("folder");
    fs::write(folder.join("person_sites.csv"), "person,site,from,until\nmaria,SITE2,2026-03-02,\n").unwrap();
    plant.server.import(&folder, false, "hr").unwrap();
    plant.server.accept_import(None, &harness::signer("helga"), "Maria helps out").unwrap();
}

fn ask(kiosk: &mut Kiosk) -> kiosk::core::gate::Verdict {
    kiosk.badge_in(&id("maria")).unwrap();
    kiosk.ask(&id("maria"), &id("seal-pouch"), Some(&id("881"))).unwrap()
}

fn answer(kiosk: &mut Kiosk) -> (Answer, Vec<Reason>) {
    let decision = ask(kiosk).decision;
    (decision.answer, decision.reasons)
}

fn check(kiosk: &mut Kiosk, outcome: Outcome) -> EntryId {
    let about = kiosk.about(&id("R-0042")).unwrap();
    let mut results = passed(&kiosk.check_of(&about).unwrap());
    results[0].passed = outcome == Outcome::Passed;
    let signers = (&kiosk_signer("maria"), &kiosk_signer("jonas"));
    kiosk.sign_check(&id("maria"), &about, results, outcome, signers).unwrap().id()
}

/// K5 as it would be had the line broken before the server's last word on Maria.
fn before_the_last_word(plant: &Plant) -> Kiosk {
    let (disk, keys) = (plant.path("cut-short"), plant.path("cut-short-keys"));
    copy_folder(&plant.path("K5"), &disk);
    copy_folder(&plant.path("K5-keys"), &keys);
    let database = rusqlite::Connection::open(disk.join("kiosk.sqlite")).unwrap();
    let sql = "DROP TRIGGER entry_is_never_deleted; DELETE FROM entry WHERE kind = 'history_whole'";
    database.execute_batch(sql).unwrap();
    Kiosk::open(&disk, Box::new(FileKeyStore::open(&keys).unwrap()), Box::new(plant.clock.clone())).unwrap()
}

#[test]
fn k1_safe3_a_person_who_moves_between_sites_is_qualified_there_by_what_they_did_here_late_entries_too() {
    let mut plant = two_sites();
    train_until_the_check(plant.kiosk("K3"), "maria", "jonas");
    // K4 hears of the training, and then of nothing more.
    plant.settle();
    check(plant.kiosk("K3"), Outcome::Passed);
    check(plant.kiosk("K4"), Outcome::Failed);
    assert_eq!(answer(plant.kiosk("K3")).0, Answer::Go);
    plant.meet("K3");
    maria_moves(&plant);

    plant.meet("K5");
    let go = ask(plant.kiosk("K5"));
    assert_eq!((go.decision.answer, go.decision.reasons), (Answer::Go, Vec::new()), "by what Jonas signed at SITE1");
    let held = |kiosk: &Kiosk, family: Family| -> i64 {
        let sql = "SELECT count(*) FROM entry e JOIN log l USING (log) WHERE l.stream LIKE ?1";
        let stream = if family == Family::Visiting { "visiting/%" } else { "record/site1" };
        kiosk.ledger().connection().query_row(sql, [stream], |row| row.get(0)).unwrap()
    };
    assert!(held(plant.kiosk("K5"), Family::Visiting) > 5);
    let sql = "SELECT max(length(bytes)) FROM history WHERE kind = 'legacy_batch'";
    let largest: i64 = plant.kiosk("K5").ledger().connection().query_row(sql, [], |row| row.get(0)).unwrap();
    assert!(largest > 12 * 1024, "{largest} bytes came in two parts");
    assert_eq!(held(plant.kiosk("K5"), Family::Record), 0, "nobody else's record goes there");
    let (said, reasons) = answer(&mut before_the_last_word(&plant));
    assert_eq!((said, reasons), (Answer::NoGo, vec![Reason::HistoryInTransit]));

    // What K4 wrote in the dark comes in: nobody knew of the other's verdict.
    plant.meet("K4");
    plant.meet("K5");
    let (said, reasons) = answer(plant.kiosk("K5"));
    assert_ne!(said, Answer::Go, "{reasons:?}");
    plant.settle();
    let (at_home, reasons_at_home) = answer(plant.kiosk("K3"));
    assert_eq!((said, reasons), (at_home, reasons_at_home), "both sites say the same");
    let again = plant.server.replay(&go.entry).unwrap();
    assert!(again.same, "{} where it was {}", again.replayed, again.answer);
    plant.verify();
    derived_anew(&plant);
}

/// What K5 derived entry by entry is what follows from all it holds.
fn derived_anew(plant: &Plant) {
    let disk = plant.path("K5-derived-anew");
    copy_folder(&plant.path("K5"), &disk);
    let mut ledger = kiosk::store::open(&disk.join("kiosk.sqlite")).unwrap();
    let before = derived_digest(ledger.connection()).unwrap();
    ledger.rebuild().unwrap();
    assert_eq!(derived_digest(ledger.connection()).unwrap(), before);
    fs::remove_dir_all(disk).unwrap();
}

#[test]
fn safe10_r7_what_a_site_was_told_follows_what_becomes_of_it_at_the_other() {
    let mut plant = two_sites();
    train_until_the_check(plant.kiosk("K3"), "maria", "jonas");
    plant.settle();
    maria_moves(&plant);
    let (disk, keys) = (plant.path("clone"), plant.path("clone-keys"));
    copy_folder(&plant.path("K3"), &disk);
    copy_folder(&plant.path("K3-keys"), &keys);
    check(plant.kiosk("K3"), Outcome::Passed);
    check(plant.kiosk("K4"), Outcome::Failed);
    plant.meet("K3");
    plant.meet("K5");
    assert_eq!(answer(plant.kiosk("K5")).0, Answer::Go);

    // What K4 brings after it was revoked is set aside, at both sites.
    plant.server.revoke_kiosk(&id("K4"), "stolen", None).unwrap();
    plant.meet("K4");
    plant.meet("K5");
    assert_eq!(answer(plant.kiosk("K5")), (Answer::Go, Vec::new()));
    derived_anew(&plant);

    // Somebody used a copy of K3: the check stands behind a fork until quality has looked at it.
    let keys = Box::new(FileKeyStore::open(&keys).unwrap());
    let mut clone = Kiosk::open(&disk, keys, Box::new(plant.clock.clone())).unwrap();
    comes_and_reads(&mut clone, "ana");
    harness::meet(&mut clone, &plant.server).unwrap();
    plant.meet("K5");
    assert_ne!(answer(plant.kiosk("K5")).0, Answer::Go);
    derived_anew(&plant);
    for branch in plant.server.branches().unwrap() {
        plant.server.rule_on_branch(&branch.first, true, "written by us", &harness::signer("helga")).unwrap();
    }
    plant.meet("K5");
    assert_eq!(answer(plant.kiosk("K5")), (Answer::Go, Vec::new()));
    derived_anew(&plant);
    plant.verify();
}

#[test]
fn live5_a_server_that_looks_through_everybody_again_tells_nothing_twice() {
    let mut plant = two_sites();
    train(&mut plant, "K3", "maria", "jonas");
    plant.settle();
    maria_moves(&plant);
    let count = |plant: &Plant| -> i64 {
        let ledger = plant.server.ledger();
        ledger.connection().query_row("SELECT count(*) FROM entry", [], |row| row.get(0)).unwrap()
    };
    let before = count(&plant);
    let forgets = "DELETE FROM setting WHERE name = 'histories_told'";
    assert_eq!(plant.server.ledger().connection().execute(forgets, []).unwrap(), 1);
    plant.server = Server::open(&plant.path("server"), Arc::new(plant.clock.clone())).unwrap();
    assert_eq!(count(&plant), before);
    plant.meet("K5");
    assert_eq!(answer(plant.kiosk("K5")).0, Answer::Go);
}

#[test]
fn s6_r12_a_traveller_signs_at_the_other_site_and_their_lost_badge_is_known_there() {
    let mut plant = two_sites();
    plant.settle();
    maria_moves(&plant);
    plant.settle();
    let read = comes_and_reads(plant.kiosk("K5"), "maria");
    plant.settle();
    let verdict = store::questions::verdict(plant.server.ledger().connection(), &read).unwrap();
    assert!(verdict.is_effective(), "{verdict:?}");
    let badge = plant.server.plant().people["maria"].badge.unwrap();
    plant.kiosk("K3").report_lost_badge(&id("maria"), None, "on the bus", &kiosk_signer("jonas")).unwrap();
    plant.meet("K3");
    assert!(!plant.kiosk("K5").plant().disabled_badges.contains_key(&badge));
    plant.meet("K5");
    assert!(plant.kiosk("K5").plant().disabled_badges.contains_key(&badge));
    derived_anew(&plant);
    plant.verify();
}
