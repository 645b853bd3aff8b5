//! Bad input, one case a test: what happened is said, what was acknowledged is kept, and the gate says no GO it can't answer for.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use harness::stage::Stage;
use harness::tapped::{ALERT, Tapped};
use harness::{Plant, demo_plant, kiosk_signer, replica};
use kiosk::core::status::Line;
use kiosk::core::{Core, Denied, KEPT_FOR_THE_GATE};
use kiosk::key_store::{FileKeyStore, KeyStore};
use kiosk::presenter::view::{BadgeResult, Fault, Screen, SyncState, VerdictKind};
use kiosk::runtime::fault_of;
use shared::id::*;
use shared::kind::record::Outcome;
use shared::training::Answer;

use harness::scene::{copy_folder, passed, sunday_evening};

const SUNDAY: &str = "2026-03-01T18:00:00Z";
const MARIA: &str = "04A1B2C3";

fn id<T: std::str::FromStr<Err = BadId>>(text: &str) -> T {
    text.parse().unwrap()
}

/// The demo plant with one kiosk at a sealer, where Maria may start.
fn plant() -> Plant {
    let mut plant = Plant::demo(SUNDAY);
    plant.set_up_signing(&["helga", "jonas", "maria"]);
    plant.add_kiosk("K3", &["SEAL"]);
    plant
}

fn ask(kiosk: &mut Core) -> Result<Answer, Denied> {
    let verdict = kiosk.ask(&id("maria"), &id("seal-pouch"), Some(&id("881")))?;
    Ok(verdict.decision.answer)
}

/// Everything a kiosk holds, each entry looked at.
fn held(kiosk: &Core) -> BTreeSet<EntryId> {
    let looked = replica::look(kiosk.ledger().connection()).unwrap();
    assert_eq!(looked.findings, [""; 0]);
    looked.entries
}

/// A plant whose kiosk K3 is reached over HTTPS.
fn stage(folder: &Path) -> Stage {
    let mut stage = Stage::open(folder.to_owned(), SUNDAY).unwrap();
    stage.add_kiosk("K3", &["SEAL"]).unwrap();
    stage
}

fn starts(stage: &mut Stage) -> VerdictKind {
    stage.badge_and_ask("K3", MARIA, "seal-pouch", "881").unwrap().verdict.kind
}

#[test]
fn s6_unknown_badge_is_said_and_opens_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut stage = stage(folder.path());
    let before = held(&stage.kiosk("K3").unwrap());
    for badge in ["00000000", "DEADBEEF", "'; DROP TABLE entry; --", &"9".repeat(5000), "王丽华"] {
        stage.scan("K3", badge).unwrap();
        let view = stage.view("K3").unwrap();
        assert_eq!((view.screen, view.idle.badge), (Screen::Idle, BadgeResult::Unknown), "{badge:.20}");
        assert_eq!(view.chrome.person, "");
    }
    assert_eq!(held(&stage.kiosk("K3").unwrap()), before, "an unknown badge writes nothing");
    assert_eq!(starts(&mut stage), VerdictKind::Go, "the next badge is served");
}

#[test]
fn r13_a_wrong_secret_signs_nothing_and_says_how_many_tries_are_left() {
    let mut plant = plant();
    let clock = plant.clock.clone();
    let kiosk = plant.kiosk("K3");
    let records = |kiosk: &Core| {
        let connection = kiosk.ledger().connection();
        let sql = "SELECT count(*) FROM entry JOIN log USING (log) WHERE stream LIKE 'record/%'";
        connection.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap()
    };
    let before = records(kiosk);
    clock.advance_ms(1000);
    kiosk.badge_in(&id("maria")).unwrap();
    let wrong = kiosk::core::secret::Signer { person: id("maria"), secret: "not her secret".into() };
    let refused = kiosk.unlock_session(&wrong);
    assert!(matches!(refused, Err(Denied::WrongSecret { left: 9, .. })), "{refused:?}");
    assert!(!kiosk.session_unlocked());
    assert_eq!(records(kiosk), before, "nothing was signed");
    kiosk.unlock_session(&kiosk_signer("maria")).unwrap();
}

#[test]
fn s8_an_unplugged_server_stops_nobody_and_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let mut stage = stage(folder.path());
    stage.stop_server();
    assert!(stage.settle().is_err(), "nobody answers");
    assert_eq!(stage.kiosk("K3").unwrap().line, Line::Offline);
    assert_eq!(starts(&mut stage), VerdictKind::Go, "the gate needs no network");
    let chrome = stage.view("K3").unwrap().chrome;
    assert_eq!(chrome.sync, SyncState::Offline);
    assert!(chrome.waiting > 0 && !chrome.offline_since.is_empty(), "{chrome:?}");
}

#[test]
fn a_server_with_a_foreign_certificate_is_told_nothing_and_stops_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let mut stage = stage(folder.path());
    let other = Stage::open(folder.path().join("other"), SUNDAY).unwrap();
    let tapped = Tapped::before(other.running.as_ref().unwrap().address);
    assert_eq!(starts(&mut stage), VerdictKind::Go);
    let before = held(&stage.kiosk("K3").unwrap());
    stage.lead_astray("K3", &tapped.url).unwrap();
    assert!(stage.settle().is_err(), "it is not our server");
    assert_eq!(stage.kiosk("K3").unwrap().line, Line::ForeignServer);
    stage.tap("K3", "action:sign-out").unwrap();
    assert_eq!(stage.view("K3").unwrap().chrome.sync, SyncState::ForeignServer);
    assert_eq!(starts(&mut stage), VerdictKind::Go, "the gate goes on");
    assert!(held(&stage.kiosk("K3").unwrap()).is_superset(&before));
    let sealed = tapped.sealed();
    assert!(!sealed.is_empty(), "the stranger was called");
    // All that it seals for a stranger is why it hangs up. The end of a handshake is longer, and so is whatever could follow it.
    assert!(sealed.iter().all(|length| *length <= ALERT), "something was handed to a stranger: {sealed:?}");
}

/// Leaves the database room for what it has, and for nothing more.
fn fill_disk(kiosk: &Core) {
    let connection = kiosk.ledger().connection();
    let pages: i64 = connection.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
    connection.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(())).unwrap();
}

fn free_disk(kiosk: &Core) {
    kiosk.ledger().connection().query_row("PRAGMA max_page_count = 1000000", [], |_| Ok(())).unwrap();
}

#[test]
fn storage_full_reported_nothing_lost() {
    let folder = tempfile::tempdir().unwrap();
    let mut stage = stage(folder.path());
    fill_disk(&stage.kiosk("K3").unwrap());
    let mut before = held(&stage.kiosk("K3").unwrap());
    // What fits is acknowledged; the first act that doesn't fit is not, and the screen says so.
    let full = (0..200).any(|_| {
        let _ = stage.badge_and_ask("K3", MARIA, "seal-pouch", "881");
        let view = stage.view("K3").unwrap();
        if view.screen != Screen::Fault {
            before = held(&stage.kiosk("K3").unwrap());
            let _ = stage.tap("K3", "action:sign-out");
        }
        stage.view("K3").unwrap().screen == Screen::Fault
    });
    assert!(full, "the disk was never full");
    let view = stage.view("K3").unwrap();
    assert_eq!(view.trouble.fault, Fault::StorageFull);
    assert!(!view.trouble.code.is_empty() && !view.trouble.since.is_empty());
    {
        let mut core = stage.kiosk("K3").unwrap();
        assert!(held(&core).is_superset(&before), "an acknowledged entry is gone");
        for _ in 0..20 {
            let answer = ask(&mut core);
            assert!(answer.as_ref().is_err_and(Denied::is_disk_full), "what can't be written is no GO: {answer:?}");
        }
        free_disk(&core);
        assert_eq!(ask(&mut core).unwrap(), Answer::Go, "it goes on by itself");
        let after = held(&core);
        assert!(after.is_superset(&before) && after.len() > before.len());
    }
    stage.settle().unwrap();
    assert!(stage.server.verify(true).unwrap().is_clean());
    assert_eq!(stage.kiosk("K3").unwrap().status().unwrap().forks, 0);
}

#[test]
fn s8_on_a_disk_that_is_nearly_full_nothing_is_signed_and_the_gate_goes_on() {
    let mut plant = sunday_evening();
    let (maria, jonas) = (kiosk_signer("maria"), kiosk_signer("jonas"));
    let clock = plant.clock.clone();
    let kiosk = plant.kiosk("K3");
    let about = kiosk.about(&id("R-0042")).unwrap();
    let results = passed(&kiosk.check_of(&about).unwrap());
    let sign =
        |kiosk: &mut Core| kiosk.sign_check(&maria.person, &about, results.clone(), Outcome::Passed, (&maria, &jonas));
    let before = held(kiosk);
    clock.leave_bytes(KEPT_FOR_THE_GATE - 1);
    assert!(sign(kiosk).is_err_and(|why| why.is_disk_full()), "nothing is signed");
    assert_eq!(ask(kiosk).unwrap(), Answer::Go, "the line goes on");
    assert!(held(kiosk).is_superset(&before));
    plant.settle();
    clock.leave_bytes(KEPT_FOR_THE_GATE);
    sign(plant.kiosk("K3")).expect("signing returns by itself");
    plant.settle();
    assert!(plant.server.verify(true).unwrap().is_clean());
}

#[test]
fn storage_full_at_sign_off_is_said_and_every_acknowledged_one_is_kept() {
    let mut plant = sunday_evening();
    let (maria, jonas) = (kiosk_signer("maria"), kiosk_signer("jonas"));
    let kiosk = plant.kiosk("K3");
    let about = kiosk.about(&id("R-0042")).unwrap();
    let results = passed(&kiosk.check_of(&about).unwrap());
    let sign =
        |kiosk: &mut Core| kiosk.sign_check(&maria.person, &about, results.clone(), Outcome::Passed, (&maria, &jonas));
    let prepared = |kiosk: &mut Core| {
        let sign_off = kiosk.prepare_check(&maria.person, &about, results.clone(), Outcome::Passed)?;
        // Both secrets were right; the disk fills up behind them.
        let keys = kiosk.unlock_both(&maria.person, &about, (&maria, &jonas))?;
        fill_disk(kiosk);
        let signed = kiosk.countersign(sign_off, keys);
        free_disk(kiosk);
        signed
    };
    let mut acknowledged = Vec::new();
    let refused = (0..100).find_map(|_| match prepared(kiosk) {
        Ok(entry) => {
            acknowledged.push(entry.id());
            None
        }
        Err(why) => Some(why),
    });
    assert!(refused.is_some_and(|why| why.is_disk_full()), "the disk was never full");
    let checks = |kiosk: &Core| {
        let checks = store::questions::entries_of_kind(kiosk.ledger().connection(), "person:maria", "check_signed");
        checks.unwrap().iter().map(shared::log::Entry::id).collect::<BTreeSet<_>>()
    };
    assert_eq!(checks(kiosk), acknowledged.iter().copied().collect(), "what was acknowledged, and nothing else");
    acknowledged.push(sign(kiosk).unwrap().id());
    assert_eq!(checks(kiosk).len(), acknowledged.len(), "it goes on by itself");
    held(kiosk);
    plant.settle();
    assert!(plant.server.verify(true).unwrap().is_clean());
}

/// Copies a kiosk's data folder and key store as they lie on the disk.
fn copy(plant: &Plant, to: &str) -> (PathBuf, PathBuf) {
    let (data, keys) = (plant.path(to), plant.path(&format!("{to}-keys")));
    copy_folder(&plant.path("K3"), &data);
    copy_folder(&plant.path("K3-keys"), &keys);
    (data, keys)
}

fn open(plant: &Plant, (data, keys): &(PathBuf, PathBuf)) -> Result<Core, Denied> {
    let keys: Box<dyn KeyStore> = Box::new(FileKeyStore::open(keys)?);
    Core::open(data, keys, Box::new(plant.clock.clone()))
}

#[test]
fn an_acknowledged_entry_is_never_lost_by_a_power_cut_between_two_steps() {
    let mut plant = plant();
    let mut cuts = Vec::new();
    let steps: [fn(&mut Core); 6] = [
        |kiosk| kiosk.badge_in(&id("maria")).unwrap(),
        |kiosk| assert_eq!(ask(kiosk).unwrap(), Answer::Go),
        |kiosk| kiosk.unlock_session(&kiosk_signer("maria")).unwrap(),
        |kiosk| kiosk.badge_out(shared::kind::presence::SessionEnd::Tap).unwrap(),
        |kiosk| kiosk.badge_in(&id("jonas")).unwrap(),
        |kiosk| assert_eq!(ask(kiosk).unwrap(), Answer::Go),
    ];
    for (place, step) in steps.iter().enumerate() {
        plant.clock.advance_ms(1000);
        step(plant.kiosk("K3"));
        cuts.push((copy(&plant, &format!("cut-{place}")), held(plant.kiosk("K3"))));
    }
    plant.clock.advance_ms(1000);
    for (place, (cut, acknowledged)) in cuts.iter().enumerate() {
        let mut kiosk = open(&plant, cut).unwrap();
        assert_eq!(held(&kiosk), *acknowledged, "cut {place}");
        assert_eq!(ask(&mut kiosk).unwrap(), Answer::Go, "cut {place}");
        assert!(held(&kiosk).is_superset(acknowledged), "cut {place}");
        assert_eq!(kiosk.status().unwrap().forks, 0, "cut {place}");
    }
}

#[test]
fn after_a_power_cut_the_chain_goes_on_without_a_fork() {
    let mut plant = plant();
    plant.kiosk("K3").badge_in(&id("maria")).unwrap();
    ask(plant.kiosk("K3")).unwrap();
    let acknowledged = held(plant.kiosk("K3"));
    let cut = copy(&plant, "cut");
    // The disk as the cut left it takes the kiosk's place.
    plant.stop("K3");
    for (from, to) in [(&cut.0, plant.path("K3")), (&cut.1, plant.path("K3-keys"))] {
        fs::remove_dir_all(&to).unwrap();
        fs::rename(from, to).unwrap();
    }
    plant.restart("K3");
    plant.clock.advance_ms(1000);
    ask(plant.kiosk("K3")).unwrap();
    plant.settle();
    plant.verify();
    assert_eq!(plant.kiosk("K3").status().unwrap().forks, 0);
    assert_eq!(plant.server.verify(false).unwrap().forks, 0);
    let told = replica::look(plant.server.ledger().connection()).unwrap().entries;
    assert!(told.is_superset(&acknowledged));
}

#[test]
fn a_torn_end_of_the_write_ahead_log_costs_only_what_was_not_acknowledged() {
    let mut plant = plant();
    settled_copy(&mut plant, "before");
    let log_of = |data: PathBuf| data.join("kiosk.sqlite-wal");
    let length = |plant: &Plant| fs::metadata(log_of(plant.path("K3"))).unwrap().len();
    let mut acknowledged = vec![(length(&plant), held(plant.kiosk("K3")))];
    for _ in 0..4 {
        plant.clock.advance_ms(1000);
        ask(plant.kiosk("K3")).unwrap();
        acknowledged.push((length(&plant), held(plant.kiosk("K3"))));
    }
    // The power goes while the next act is written: of its pages some are there, whole or in part.
    for (act, next) in acknowledged.windows(2).enumerate() {
        let [(before, kept), (after, more)] = next else { panic!("two of them") };
        assert!(before < after && kept.len() < more.len(), "act {act} was written behind what was there");
        for end in [*before, before + 1, before + 24, before.midpoint(*after), after - 4096, after - 1] {
            let torn = copy(&plant, &format!("torn-{act}-{end}"));
            fs::File::options().write(true).open(log_of(torn.0.clone())).unwrap().set_len(end).unwrap();
            // Its index is rebuilt from the log.
            let _ = fs::remove_file(torn.0.join("kiosk.sqlite-shm"));
            let mut kiosk = open(&plant, &torn).unwrap();
            assert_eq!(held(&kiosk), *kept, "act {act}, cut at {end} of {before} to {after}");
            assert_eq!(ask(&mut kiosk).unwrap(), Answer::Go);
        }
    }
}

/// A whole copy of the kiosk with everything in its one database file.
fn settled_copy(plant: &mut Plant, name: &str) -> (PathBuf, PathBuf) {
    let connection = plant.kiosk("K3").ledger().connection();
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    copy(plant, name)
}

fn alter(data: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let file = data.join("kiosk.sqlite");
    let mut bytes = fs::read(&file).unwrap();
    change(&mut bytes);
    fs::write(file, bytes).unwrap();
}

/// What is done to a database file, in words.
type Change = (&'static str, fn(&mut Vec<u8>));

#[test]
fn r1_a_damaged_database_is_not_judged_from_and_says_so() {
    let mut plant = plant();
    let changes: [Change; 4] = [
        ("its header is altered", |bytes| bytes[3] ^= 0x40),
        ("it is cut off", |bytes| bytes.truncate(bytes.len() / 3)),
        ("its first page is noise", |bytes| bytes[100..4096].fill(0xa5)),
        ("it is something else", |bytes| *bytes = b"no database at all".repeat(500)),
    ];
    for (place, (what, change)) in changes.into_iter().enumerate() {
        let damaged = settled_copy(&mut plant, &format!("damaged-{place}"));
        alter(&damaged.0, change);
        let bytes = fs::read(damaged.0.join("kiosk.sqlite")).unwrap();
        let why = match open(&plant, &damaged) {
            Ok(mut kiosk) => match ask(&mut kiosk) {
                Ok(answer) => panic!("{what}: it opened and said {answer:?}"),
                Err(why) => why,
            },
            Err(why) => why,
        };
        assert_eq!(fault_of(&why).0, Fault::DamagedDatabase, "{what}: {why}");
        assert_eq!(fs::read(damaged.0.join("kiosk.sqlite")).unwrap(), bytes, "{what}: nothing is repaired by itself");
    }
}

#[test]
fn r1_flipped_bits_never_make_a_go_and_altered_entries_are_named() {
    let mut plant = plant();
    let whole = settled_copy(&mut plant, "whole");
    let size = fs::metadata(whole.0.join("kiosk.sqlite")).unwrap().len();
    let acknowledged = held(plant.kiosk("K3"));
    let (mut judged, mut named) = (0, 0);
    for place in 0..24_u64 {
        let altered = copy(&plant, &format!("flipped-{place}"));
        let at = (4096 + place * (size - 4096) / 24 + place * 131) % size;
        alter(&altered.0, |bytes| bytes[at as usize] ^= 1 << (place % 8));
        let Ok(mut kiosk) = open(&plant, &altered) else { continue };
        // Noemi is in training: nothing that is damaged lets her start.
        if let Ok(verdict) = kiosk.ask(&id("noemi"), &id("seal-pouch"), Some(&id("881"))) {
            assert_eq!(verdict.decision.answer, Answer::NoGo, "byte {at}");
            judged += 1;
        }
        // What was flipped in an entry is named; else every entry is as it was.
        match replica::look(kiosk.ledger().connection()) {
            Ok(looked) if looked.findings.is_empty() => assert!(looked.entries.is_superset(&acknowledged), "byte {at}"),
            _ => named += 1,
        }
    }
    assert!(judged > 0 && named > 0, "{judged} were judged from, {named} were named: the test looked at nothing");
    let altered = copy(&plant, "altered");
    let connection = rusqlite::Connection::open(altered.0.join("kiosk.sqlite")).unwrap();
    connection.execute_batch("DROP TRIGGER entry_is_never_changed").unwrap();
    let (row, bytes): (i64, Vec<u8>) = connection
        .query_row("SELECT row, bytes FROM entry WHERE kind = 'badge_in' OR kind = 'person_set' LIMIT 1", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .unwrap();
    let mut other = bytes.clone();
    let last = other.len() - 1;
    other[last] ^= 1;
    connection.execute("UPDATE entry SET bytes = ?1 WHERE row = ?2", rusqlite::params![other, row]).unwrap();
    let looked = replica::look(&connection).unwrap();
    assert_eq!(looked.findings.iter().filter(|finding| finding.contains("not what its device signed")).count(), 1);
}

#[test]
fn a_missing_database_is_no_go_until_the_server_has_refilled_it() {
    let mut plant = plant();
    ask(plant.kiosk("K3")).unwrap();
    plant.settle();
    let acknowledged = held(plant.kiosk("K3"));
    plant.stop("K3");
    fs::remove_dir_all(plant.path("K3")).unwrap();
    plant.restart("K3");
    let empty = ask(plant.kiosk("K3"));
    assert!(empty.as_ref().is_err() || matches!(empty, Ok(Answer::NoGo)), "{empty:?}");
    plant.clock.advance_ms(1000);
    plant.settle();
    assert_eq!(ask(plant.kiosk("K3")).unwrap(), Answer::Go);
    assert!(held(plant.kiosk("K3")).is_superset(&acknowledged));
    assert_eq!(plant.kiosk("K3").status().unwrap().forks, 0);
}

#[test]
fn a_missing_key_store_asks_for_set_up_and_keeps_the_entries() {
    let mut plant = plant();
    ask(plant.kiosk("K3")).unwrap();
    let (data, keys) = copy(&plant, "lost");
    let acknowledged = held(plant.kiosk("K3"));
    fs::remove_dir_all(&keys).unwrap();
    let mut kiosk = open(&plant, &(data, keys)).unwrap();
    assert!(matches!(ask(&mut kiosk), Err(Denied::NotSetUp)));
    assert!(kiosk.status().unwrap().kiosk.is_none(), "the screen asks for a code");
    assert_eq!(held(&kiosk), acknowledged);
}

#[test]
fn a_damaged_key_store_is_said_and_keeps_the_entries() {
    let plant = plant();
    for (place, spoil) in ["enrolment", "heads"].into_iter().enumerate() {
        let spoilt = copy(&plant, &format!("spoilt-{place}"));
        fs::write(spoilt.1.join(spoil), b"\xff\xff\xff").unwrap();
        let why = open(&plant, &spoilt).err().unwrap_or_else(|| panic!("{spoil}: it opened"));
        assert_eq!(fault_of(&why).0, Fault::KeyStoreLost, "{spoil}: {why}");
        let found = rusqlite::Connection::open(spoilt.0.join("kiosk.sqlite")).unwrap();
        assert_eq!(replica::look(&found).unwrap().findings, [""; 0]);
    }
}

#[test]
fn the_key_store_of_another_device_never_speaks_for_this_one_and_loses_nothing() {
    let mut plant = plant();
    plant.add_kiosk("K5", &["SEAL3"]);
    ask(plant.kiosk("K3")).unwrap();
    let acknowledged = held(plant.kiosk("K3"));
    let fifth = plant.kiosk("K5").enrolment().unwrap().device;
    plant.stop("K5");
    fs::remove_dir_all(plant.path("K5")).unwrap();
    copy_folder(&plant.path("K3"), &plant.path("K5"));
    plant.stop("K3");
    plant.restart("K5");
    plant.clock.advance_ms(1000);
    ask(plant.kiosk("K5")).unwrap();
    let written = held(plant.kiosk("K5"));
    assert!(written.is_superset(&acknowledged));
    let own: Vec<&EntryId> = written.difference(&acknowledged).collect();
    assert!(!own.is_empty(), "it goes on");
    for new in own {
        let entry = store::shelf::entry(plant.kiosk("K5").ledger().connection(), new).unwrap().unwrap();
        assert_eq!(entry.log().device, fifth, "it wrote in another's name");
    }
    plant.settle();
    plant.verify();
    let told = replica::look(plant.server.ledger().connection()).unwrap().entries;
    assert!(told.is_superset(&acknowledged), "what K3 had acknowledged reaches the server");
    assert_eq!(plant.server.verify(false).unwrap().forks, 0);
}

#[test]
fn a_fault_says_what_happened_what_was_kept_and_what_to_do_in_every_language() {
    let screens = demo_plant().join("../../kiosk/ui");
    let screen = fs::read_to_string(screens.join("ui/screens/fault.slint")).unwrap();
    let german = fs::read_to_string(screens.join("lang/de/LC_MESSAGES/kiosk-ui.po")).unwrap();
    // What can't be written is no GO: only with a foreign server may tasks still be checked.
    assert!(
        screen.contains("text: root.fault == Fault.foreign-certificate ? @tr(\"Tasks can still be checked here.\")")
    );
    for (question, answer) in [
        ("What happened", "The disk of this terminal is full since {}. Nothing new can be signed here."),
        ("What was kept", "Everything that was signed. {n} entry waits for the server."),
        ("What to do", "Sign at another terminal. Tell IT to free space; signing returns by itself."),
        ("What happened", "A part of the stored entries no longer matches its seal, since {}."),
        ("What was kept", "All signed entries that are whole: {}. Nothing is deleted or repaired by itself."),
        ("What to do", "Use another terminal. Do not switch this one off. Tell IT."),
        ("What happened", "The signing keys of this terminal cannot be opened since {}."),
        ("What to do", "Use another terminal. IT sets this one up anew; its entries stay valid."),
    ] {
        for text in [question, answer] {
            assert!(screen.contains(&format!("@tr(\"{text}\"")), "{text}: not on the screen");
            let begin = german.find(&format!("msgid \"{text}\"")).unwrap_or_else(|| panic!("{text}: not in German"));
            let said = german[begin..].lines().find(|line| line.starts_with("msgstr")).unwrap_or_default();
            assert!(said.len() > "msgstr \"\"".len(), "{text}: empty in German");
        }
    }
}
