//! A database is altered at rest: bits flip, somebody edits it with SQL, rolls it back, or signs everything anew with the server's key.
//!
//! Each alteration is named by `verify`, or the file doesn't open and says so, or a kiosk that knew better takes nothing from it, and an earlier
//! evidence bundle names what is missing. A flipped bit that means nothing leaves every entry, its place and all answers as they were.
//!
//! `LINEPROOF_ALTERED` says how many random alterations are tried, from `LINEPROOF_SEED` on; by default a few. Each kind of edit is always tried.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use harness::{VirtualClock, signer};
use kiosk::core::Core as Kiosk;
use kiosk::key_store::FileKeyStore;
use rusqlite::{Connection, params};
use shared::id::*;
use shared::log::entry::seal;
use shared::log::{Draft, Entry, Position, Unverified};
use shared::time::{ClockReading, HOUR_MS};
use shared::training::Reason;
use sim::rng::Rng;
use store::StoreError;
use sync_server::core::Core as Server;
use sync_server::core::verify::{derived_digest, look_at_closed};

use harness::scene::*;

use edits::{EDITS, cut_tail, mend_chains};

mod edits;

/// A plant with a story behind it, as it lies on the disk: the server, a kiosk that knows it, and what was exported then.
struct Before {
    home: tempfile::TempDir,
    clock: VirtualClock,
    /// The server an hour earlier.
    earlier: PathBuf,
    bundle: PathBuf,
    answers: Digest32,
    entries: BTreeMap<EntryId, Vec<u8>>,
    order: Vec<Numbered>,
    /// What the kiosk holds.
    of_kiosk: BTreeMap<EntryId, Vec<u8>>,
}

fn before() -> &'static Before {
    static BEFORE: OnceLock<Before> = OnceLock::new();
    BEFORE.get_or_init(|| {
        let mut plant = sunday_evening();
        let home = tempfile::tempdir().unwrap();
        let earlier = home.path().join("earlier");
        copy_folder(plant.server.folder(), &earlier);
        approve_v7(&plant.server);
        plant.settle();
        plant.clock.set("2026-03-02T05:40:00Z");
        train(&mut plant, "K3", "maria", "jonas");
        plant.settle();
        plant.verify();
        let bundle = home.path().join("monday.evidence");
        plant.server.export_evidence(&bundle).unwrap();
        let (answers, entries) = contents(plant.server.ledger().connection()).unwrap();
        let order = order(plant.server.ledger().connection()).unwrap();
        let clock = plant.clock.clone();
        let (_, of_kiosk) = contents(plant.kiosk("K3").ledger().connection()).unwrap();
        let (server, kiosk) = (plant.path("server"), plant.path("K3"));
        let keys = plant.path("K3-keys");
        plant.stop("K3");
        copy_folder(&server, &home.path().join("server"));
        // All of it in the file itself: what still lies in the log would cover what is altered below it.
        let database = Connection::open(home.path().join("server/server.sqlite")).unwrap();
        let busy: i64 = database.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0)).unwrap();
        assert_eq!(busy, 0);
        drop(database);
        copy_folder(&kiosk, &home.path().join("K3"));
        copy_folder(&keys, &home.path().join("K3-keys"));
        Before { home, clock, earlier, bundle, answers, entries, order, of_kiosk }
    })
}

/// Of each person and requirement, what counts.
type Evidence = BTreeMap<(String, String), Vec<u8>>;

/// Stream, epoch, number, entry, and the chain up to it.
type Numbered = (String, Vec<u8>, i64, Vec<u8>, Vec<u8>);
type Contents = (Digest32, BTreeMap<EntryId, Vec<u8>>);

/// What answers rest on at either side: the entries, and what is derived from them.
fn contents(connection: &Connection) -> Result<Contents, StoreError> {
    let mut entries = connection.prepare("SELECT id, bytes FROM entry")?;
    let entries = entries.query_map([], |row| Ok((EntryId(row.get(0)?), row.get(1)?)))?.collect::<Result<_, _>>()?;
    Ok((derived_digest(connection)?, entries))
}

fn order(connection: &Connection) -> Result<Vec<Numbered>, StoreError> {
    let sql = "SELECT stream, epoch, number, entry, chain FROM ordering ORDER BY stream, epoch, number";
    let mut order = connection.prepare(sql)?;
    let order = order.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)))?;
    Ok(order.collect::<Result<_, _>>()?)
}

/// What became of a meeting of an altered server with a kiosk that knew better.
#[derive(Debug, Default, PartialEq, Eq)]
struct Met {
    /// The kiosk holds or answers something else than before.
    took: bool,
    /// The kiosk saw that the server's order isn't what it was.
    contradicted: bool,
    /// The server writes no more.
    stopped: bool,
}

/// The kiosk takes nothing, and both say so.
const REFUSED: Met = Met { took: false, contradicted: true, stopped: true };

/// A copy of the plant on which anything may be done.
struct Copy {
    home: tempfile::TempDir,
}

impl Copy {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        for folder in ["server", "K3", "K3-keys"] {
            copy_folder(&before().home.path().join(folder), &home.path().join(folder));
        }
        Self { home }
    }

    fn database(&self) -> PathBuf {
        self.home.path().join("server/server.sqlite")
    }

    fn open(&self) -> Result<Server, String> {
        let clock = Arc::new(before().clock.clone());
        Server::open(&self.home.path().join("server"), clock).map_err(|why| why.to_string())
    }

    /// Somebody with the file and the time to take the guards away and put them back.
    fn edit<T>(&self, work: impl FnOnce(&Connection) -> T) -> T {
        let database = Connection::open(self.database()).unwrap();
        let sql = "SELECT sql FROM sqlite_schema WHERE type = 'trigger'";
        let guards: Vec<String> =
            database.prepare(sql).unwrap().query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap();
        database
            .execute_batch(
                "PRAGMA foreign_keys = OFF; DROP TRIGGER entry_is_never_changed; DROP TRIGGER entry_is_never_deleted",
            )
            .unwrap();
        let done = work(&database);
        for guard in guards {
            // What the edit put in a guard's place stays there.
            let _or_taken = database.execute_batch(&guard);
        }
        done
    }

    /// What `verify --rebuild` finds; a file that doesn't open says so.
    fn findings(&self) -> Vec<String> {
        let server = match self.open() {
            Ok(server) => server,
            Err(why) => return vec![why],
        };
        match server.verify(true) {
            Ok(found) if found.rebuilt_equal == Some(false) => vec!["what was derived differed".to_owned()],
            Ok(found) => {
                found.findings.into_iter().map(|finding| format!("{}: {}", finding.what, finding.problem)).collect()
            }
            Err(why) => vec![why.to_string()],
        }
    }

    fn kiosk(&self) -> Kiosk {
        let keys = FileKeyStore::open(&self.home.path().join("K3-keys")).unwrap();
        Kiosk::open(&self.home.path().join("K3"), Box::new(keys), Box::new(before().clock.clone())).unwrap()
    }

    /// The kiosk's entries, and its evidence, which is the same when it is derived anew.
    fn kiosk_knows(&self) -> (BTreeMap<EntryId, Vec<u8>>, Evidence) {
        let mut ledger = kiosk::store::open(&self.home.path().join("K3/kiosk.sqlite")).unwrap();
        let (derived, entries) = contents(ledger.connection()).unwrap();
        ledger.rebuild().unwrap();
        assert_eq!(contents(ledger.connection()).unwrap().0, derived);
        let mut evidence = ledger.connection().prepare("SELECT person, requirement, rows FROM evidence").unwrap();
        let evidence = evidence.query_map([], |row| Ok(((row.get(0)?, row.get(1)?), row.get(2)?))).unwrap();
        (entries, evidence.collect::<Result<_, _>>().unwrap())
    }

    /// The kiosk that knew better meets this server.
    fn meet(&self) -> Met {
        let Ok(server) = self.open() else { return Met::default() };
        let mut kiosk = self.kiosk();
        let had = contents(kiosk.ledger().connection()).unwrap();
        let stood = kiosk.status().unwrap();
        kiosk.call_soon();
        while let Some(up) = kiosk.poll_up().unwrap() {
            let Ok(down) = server.exchange(&up) else { break };
            kiosk.handle_down(&down, 0).unwrap();
        }
        let stands = kiosk.status().unwrap();
        let renewed = (stands.last_contact, stands.in_step) != (stood.last_contact, stood.in_step);
        assert!(!(stands.contradicted && renewed), "what isn't taken renews no lease");
        let took = contents(kiosk.ledger().connection()).unwrap() != had;
        Met { took, contradicted: kiosk.status().unwrap().contradicted, stopped: server.is_stopped().unwrap() }
    }

    /// What an earlier bundle says is missing.
    fn missed_by_the_bundle(&self) -> usize {
        let found = self.open().unwrap().verify_against(&before().bundle).unwrap();
        found.findings.iter().filter(|finding| finding.problem.contains("has lost it")).count()
    }
}

#[test]
fn r1_every_edit_that_leaves_something_amiss_is_named_by_verify() {
    for (name, edit) in EDITS {
        let copy = Copy::new();
        let named = copy.edit(edit);
        let findings = copy.findings();
        let found = findings.iter().any(|finding| finding.to_lowercase().contains(&named));
        assert!(found, "{name}: {named} is not named: {findings:?}");
    }
}

/// A server that is answered "no" keeps no task going: the lease runs from the last answer that was taken.
#[test]
fn u5_a_server_that_contradicts_what_was_witnessed_renews_no_lease() {
    let mut ran_out = 0;
    for (_, edit) in EDITS {
        let copy = Copy::new();
        copy.edit(edit);
        // The clock of before is everybody's: this kiosk and this server have their own.
        let clock = VirtualClock::beginning(before().clock.now());
        let keys = FileKeyStore::open(&copy.home.path().join("K3-keys")).unwrap();
        let mut kiosk = Kiosk::open(&copy.home.path().join("K3"), Box::new(keys), Box::new(clock.clone())).unwrap();
        let Ok(server) = Server::open(&copy.home.path().join("server"), Arc::new(clock.clone())) else { continue };
        for _ in 0..4 {
            clock.advance_ms(24 * HOUR_MS);
            kiosk.call_soon();
            while let Some(up) = kiosk.poll_up().unwrap() {
                let Ok(down) = server.exchange(&up) else { break };
                kiosk.handle_down(&down, 0).unwrap();
            }
        }
        let status = kiosk.status().unwrap();
        if !status.contradicted {
            continue;
        }
        assert_eq!((status.now, status.uncertainty_ms < 60_000), (clock.now(), true), "the clock is told all the same");
        let decision =
            kiosk.look(&"maria".parse().unwrap(), &"seal-pouch".parse().unwrap(), Some(&"881".parse().unwrap()), None);
        let reasons = decision.unwrap().reasons;
        let stale = |reason: &Reason| matches!(reason, Reason::CoSignNeeded { .. } | Reason::TooLongOffline { .. });
        assert!(reasons.iter().any(stale), "{reasons:?}");
        ran_out += 1;
    }
    assert_eq!(ran_out, 4, "of these edits");
}

/// Where the chain of an order that was signed is another, the kiosk sees it. The other edits change nothing that it is given.
#[test]
fn t7_an_edited_database_is_not_taken_from_by_a_kiosk_that_knew_better() {
    let mut contradicted = 0;
    for (name, edit) in EDITS {
        let copy = Copy::new();
        copy.edit(edit);
        let now = order(&Connection::open(copy.database()).unwrap()).unwrap();
        let chains = |order: &[Numbered]| -> BTreeSet<_> {
            order
                .iter()
                .map(|(stream, epoch, number, _, chain)| (stream.clone(), epoch.clone(), *number, chain.clone()))
                .collect()
        };
        if chains(&before().order).is_subset(&chains(&now)) {
            assert_eq!(copy.meet(), Met::default(), "{name}");
        } else {
            assert_eq!(copy.meet(), REFUSED, "{name}");
            contradicted += 1;
        }
    }
    assert_eq!(contradicted, 4, "of these edits");
}

/// What a server goes on to write on an edited database: one entry of its own, one that quality signs.
fn write_on(server: &Server) -> usize {
    let revoked = server.revoke_kiosk(&id("K5"), "stolen", None).map(drop);
    let withdrawn = server.withdraw_assessor(&id("eva"), &id("R-0042"), "moved", &signer("helga")).map(drop);
    [revoked, withdrawn].into_iter().filter(Result::is_ok).count()
}

/// Many at once, also such that no server opens on what is left: each is named, and no other.
#[test]
fn r1_each_of_many_altered_entries_is_named() {
    let (mut closed, first) = (0, number("LINEPROOF_SEED", 1));
    for seed in first..first + 6 {
        let (copy, mut rng) = (Copy::new(), Rng::new(seed));
        let mut altered = BTreeMap::new();
        for (id, bytes) in before().entries.iter() {
            if rng.chance(2 + 3 * (seed - first)) {
                let (mut bytes, place) = (bytes.clone(), rng.below(bytes.len()));
                bytes[place] ^= 1 << rng.below(8);
                altered.insert(id.to_string(), bytes);
            }
        }
        assert!(altered.len() > 1, "{}", altered.len());
        copy.edit(|database| {
            for (id, bytes) in &altered {
                let id: EntryId = harness::scene::id(id);
                database.execute("UPDATE entry SET bytes = ?2 WHERE id = ?1", params![id.0, bytes]).unwrap();
            }
            // What is altered beside them keeps none of them from being named.
            match seed - first {
                4 => database.execute_batch("INSERT INTO epoch (position, epoch) VALUES (99, x'00')").unwrap(),
                5 => database.execute_batch("DROP TABLE fork").unwrap(),
                _ => {}
            }
        });
        let found = match copy.open() {
            Ok(server) => server.verify(true).unwrap(),
            Err(_) => {
                closed += 1;
                look_at_closed(&copy.home.path().join("server")).unwrap()
            }
        };
        let named = |problem: &str| -> BTreeSet<String> {
            let those = found.findings.iter().filter(|finding| finding.problem.contains(problem));
            those.map(|finding| finding.what.clone()).collect()
        };
        assert!(named("its bytes were altered").iter().eq(altered.keys()), "seed {seed}: {:?}", found.findings);
    }
    assert!((1..6).contains(&closed), "some open, and some don't: {closed}");
}

/// So, too, where a bundle is altered in many lines.
#[test]
fn r1_each_of_many_altered_lines_of_an_evidence_bundle_is_named() {
    let mut text = fs::read(&before().bundle).unwrap();
    let mut rng = Rng::new(number("LINEPROOF_SEED", 1));
    let lines: Vec<std::ops::Range<usize>> = text
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b'\n')
        .scan(0, |begin, (end, _)| Some(std::mem::replace(begin, end + 1)..end))
        .collect();
    let mut altered = BTreeSet::new();
    for (number, line) in (1..).zip(&lines) {
        if rng.chance(30) {
            text[line.start + rng.below(line.len())] ^= 1 << rng.below(8);
            altered.insert(number);
        }
    }
    let found = lineproof_verify::verify(text.as_slice(), Some(server_key())).unwrap();
    let named: BTreeSet<u64> = found.findings.iter().map(|finding| finding.line).collect();
    assert!(altered.len() > 20 && altered.is_subset(&named), "{:?} are not named", altered.difference(&named));
}

/// The server doesn't notice what was edited, and writes on; then the kiosk meets it. Where the order that it signs goes on from another, the kiosk
/// takes nothing. Elsewhere it takes what was written just now, and knows the same of everybody as after meeting a server that nobody had edited.
#[test]
fn t7_what_a_server_writes_on_an_edited_database_brings_a_kiosk_nothing_of_the_edit() {
    let unedited = Copy::new();
    assert_eq!(write_on(&unedited.open().unwrap()), 2);
    unedited.meet();
    let (_, right) = unedited.kiosk_knows();
    let (mut refused, mut silent) = (0, 0);
    for (name, edit) in EDITS {
        let copy = Copy::new();
        copy.edit(edit);
        let Ok(server) = copy.open() else { panic!("{name}: it opens") };
        let (_, edited) = contents(server.ledger().connection()).unwrap();
        assert_eq!(write_on(&server), 2, "{name}");
        drop(server);
        let met = copy.meet();
        let (entries, evidence) = copy.kiosk_knows();
        let (old, new): (BTreeMap<_, _>, BTreeMap<_, _>) =
            entries.into_iter().partition(|(id, _)| before().of_kiosk.contains_key(id));
        assert_eq!(old, before().of_kiosk, "{name}");
        if !met.took {
            assert_eq!(new.len(), 0, "{name}");
            // A server that can't read its own tables answers nobody.
            *if met == REFUSED { &mut refused } else { &mut silent } += 1;
            continue;
        }
        assert_eq!((met, new.len()), (Met { took: true, ..Met::default() }, 2), "{name}");
        for (id, bytes) in &new {
            let signed = Unverified::read(bytes).unwrap().signed();
            assert!(signed.is_some_and(|entry| entry.blocks_verify()), "{name}: {id}");
            assert!(!edited.contains_key(id), "{name}: {id} was there before");
        }
        assert_eq!(evidence, right, "{name}");
    }
    assert_eq!((refused, silent), (4, 1), "of these edits");
}

#[test]
fn r1_an_unaltered_copy_is_clean_and_guards_that_were_taken_away_are_missed() {
    let copy = Copy::new();
    assert_eq!((copy.findings(), copy.missed_by_the_bundle()), (Vec::new(), 0));
    assert_eq!(copy.meet(), Met::default(), "a kiosk goes on with what it knows");
    Connection::open(copy.database()).unwrap().execute_batch("DROP TRIGGER entry_is_never_deleted").unwrap();
    assert!(
        copy.findings().iter().any(|finding| finding.contains("entry_is_never_deleted: this trigger was taken away")),
        "{:?}",
        copy.findings()
    );
}

#[test]
fn t7_a_tail_cut_off_without_a_trace_is_not_taken_from_by_a_kiosk_that_knew_better() {
    let copy = Copy::new();
    copy.edit(|database| {
        cut_tail(database, "plant/global", 2);
        database.execute_batch("DELETE FROM verdict; DELETE FROM evidence").unwrap();
    });
    assert!(copy.missed_by_the_bundle() >= 2, "an earlier bundle names each");
    assert_eq!(copy.meet(), REFUSED);
}

#[test]
fn t7_a_database_rolled_back_is_not_taken_from_by_a_kiosk_that_knew_better() {
    let copy = Copy::new();
    fs::remove_dir_all(copy.home.path().join("server")).unwrap();
    copy_folder(&before().earlier, &copy.home.path().join("server"));
    assert_eq!(copy.findings(), [""; 0], "an older file is as good as any in itself");
    assert!(copy.missed_by_the_bundle() > 3);
    assert_eq!(copy.meet(), REFUSED);
}

/// Whoever has the server's key writes its history anew: the approval of v7 never asked for anything.
fn sign_anew(database: &Connection, secret: &shared::part11::signature::DeviceSecret) {
    let sql = "SELECT e.row, e.bytes FROM entry e JOIN log l USING (log) WHERE l.device = ?1 ORDER BY l.log, e.counter";
    let rows: Vec<(i64, Vec<u8>)> = database
        .prepare(sql)
        .unwrap()
        .query_map([secret.key().0], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    let mut renamed: BTreeMap<EntryId, EntryId> = BTreeMap::new();
    let mut rewritten = 0;
    for (row, bytes) in rows {
        let old: Entry = Unverified::read(&bytes).unwrap().signed().unwrap();
        let header = old.header().clone();
        let statement = old.statement().unwrap().unwrap();
        let mut wall = header.wall;
        if header.kind == "version_approved" {
            // An hour earlier: nothing of what people signed changes.
            wall = wall.minus_ms(3_600_000);
            rewritten += 1;
        }
        let draft = Draft::new(header.subject.clone(), statement).with_blocks_of(&old).having_seen(header.seen.clone());
        let position = Position {
            prev: header.prev.map(|prev| renamed.get(&prev).copied().unwrap_or(prev)),
            log: header.log.clone(),
            counter: header.counter,
            hybrid: header.hybrid,
            clock: ClockReading { wall, uncertainty_ms: header.uncertainty_ms },
            plant: header.plant.clone(),
        };
        let new = seal(&draft, &position, secret).unwrap();
        renamed.insert(old.id(), new.id());
        let prev = position.prev.map(|prev| prev.0);
        database
            .execute(
                "UPDATE entry SET id = ?2, bytes = ?3, prev = ?4 WHERE row = ?1",
                params![row, new.id().0, new.bytes(), prev],
            )
            .unwrap();
        for sql in ["UPDATE tip SET id = ?2 WHERE id = ?1", "UPDATE ordering SET entry = ?2 WHERE entry = ?1"] {
            database.execute(sql, params![old.id().0, new.id().0]).unwrap();
        }
    }
    assert!(rewritten > 0);
    mend_chains(database);
}

#[test]
fn t7_a_history_signed_anew_with_the_servers_key_is_not_taken_from_by_a_kiosk_that_knew_better() {
    let copy = Copy::new();
    let secret = copy.open().unwrap().secrets.device.clone();
    copy.edit(|database| sign_anew(database, &secret));
    copy.open().unwrap().ledger().rebuild().unwrap();
    assert_eq!(copy.findings(), [""; 0], "whoever has the key makes a history that is whole in itself");
    assert!(copy.missed_by_the_bundle() > 0, "an earlier bundle names what was exchanged");
    assert_eq!(copy.meet(), REFUSED);
}

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|number| number.parse().ok()).unwrap_or(otherwise)
}

/// One bit, anywhere in the file. Gives why it is no violation; `None` when it is one.
fn flip(seed: u64) -> Option<&'static str> {
    let copy = Copy::new();
    let mut rng = Rng::new(seed);
    let mut bytes = fs::read(copy.database()).unwrap();
    let place = rng.below(bytes.len());
    bytes[place] ^= 1 << rng.below(8);
    fs::write(copy.database(), bytes).unwrap();
    let server = match copy.open() {
        Ok(server) => server,
        Err(_) => return Some("doesn't open, and says so"),
    };
    let same = |connection: &Connection| -> Result<bool, StoreError> {
        let (answers, entries) = contents(connection)?;
        let order = order(connection)?;
        Ok((answers, &entries, &order) == (before().answers, &before().entries, &before().order))
    };
    match server.verify(true) {
        Err(_) => Some("verify can't read it, and says so"),
        Ok(found) if !found.is_clean() => Some("named"),
        // What was derived has been derived anew: all that is left to compare is there.
        Ok(_) => same(server.ledger().connection()).is_ok_and(|same| same).then_some("means nothing"),
    }
}

#[test]
fn r1_a_flipped_bit_is_named_or_means_nothing() {
    let (count, first) = (number("LINEPROOF_ALTERED", 8), number("LINEPROOF_SEED", 1));
    let began = std::time::Instant::now();
    let mut outcomes: BTreeMap<&str, u64> = BTreeMap::new();
    let mut violated = Vec::new();
    for seed in first..first + count {
        match flip(seed) {
            Some(outcome) => *outcomes.entry(outcome).or_default() += 1,
            None => violated.push(seed),
        }
    }
    let seconds = began.elapsed().as_secs();
    println!(
        r#"{{"name":"altered","runs":{count},"violations":{},"seed":{first},"seconds":{seconds},"outcomes":{outcomes:?}}}"#,
        violated.len()
    );
    assert!(violated.is_empty(), "seeds {violated:?}");
    assert!(outcomes.keys().any(|outcome| *outcome != "means nothing"), "no bit that means anything was flipped");
}

/// What an administrator makes of an edited database, with the server's key under it: the bundle names what was edited, or what was edited is no
/// evidence, and every entry in it is as it was.
#[test]
fn r1_a_bundle_made_of_an_edited_database_names_what_was_edited() {
    let mut named_in_bundles = 0;
    for (name, edit) in EDITS {
        let copy = Copy::new();
        let named = copy.edit(edit);
        let Ok(server) = copy.open() else { panic!("{name}: it opens") };
        let bundle = copy.database().with_file_name("edited.evidence");
        server.export_evidence(&bundle).unwrap();
        let report = lineproof_verify::verify(fs::read(&bundle).unwrap().as_slice(), Some(server_key())).unwrap();
        let tells = |finding: &lineproof_verify::Finding| {
            format!("{} {}", finding.what, finding.problem).to_lowercase().contains(&named)
        };
        if report.is_clean() {
            let same = report.held.iter().eq(before().entries.keys());
            assert!(same, "{name}: the bundle is whole in itself, and something is missing or new in it");
        } else {
            assert!(report.findings.iter().any(tells), "{name}: {named} is not named: {:?}", report.findings);
            named_in_bundles += 1;
        }
    }
    assert_eq!(
        named_in_bundles, 10,
        "those of entries and of their order; the others concern what is derived, and boxes"
    );
}

/// Any byte of a bundle: each altered one is named.
#[test]
fn r1_every_altered_byte_of_an_evidence_bundle_is_named() {
    let text = fs::read(&before().bundle).unwrap();
    let root = Some(server_key());
    let whole = lineproof_verify::verify(text.as_slice(), root).unwrap();
    assert!(whole.is_clean(), "{:?}", whole.findings);
    assert_eq!(whole.entries as usize, before().entries.len());
    assert!(whole.signatures > whole.entries && whole.people >= 8 && whole.devices == 2 && whole.forks == 0);
    assert!(whole.complete_through.is_some());
    let mut rng = Rng::new(number("LINEPROOF_SEED", 1));
    for _ in 0..number("LINEPROOF_ALTERED", 160).div_ceil(10) {
        let place = rng.below(text.len());
        let mut altered = text.clone();
        altered[place] ^= 1 << rng.below(8);
        let found = lineproof_verify::verify(altered.as_slice(), root).unwrap();
        let line = 1 + text[..place].iter().filter(|byte| **byte == b'\n').count() as u64;
        let named = found.findings.iter().any(|finding| finding.line == line);
        assert!(named, "byte {place} in line {line}: {:?}", found.findings);
    }
}

#[test]
fn r1_lines_left_out_doubled_moved_or_cut_off_are_named() {
    let text = fs::read_to_string(&before().bundle).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let told = |lines: Vec<&str>| {
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        let report = lineproof_verify::verify(text.as_bytes(), Some(server_key())).unwrap();
        report.findings.into_iter().map(|finding| finding.problem).collect::<Vec<_>>().join("; ")
    };
    let without = |place: usize| [&lines[..place], &lines[place + 1..]].concat();
    assert!(told(without(0)).contains("there is none that is good"));
    assert!(told(without(lines.len() / 2)).contains("missing"), "one in the middle");
    assert!(told(lines[..lines.len() - 1].to_vec()).contains("missing"), "the last one");
    assert!(told([&lines[..], &lines[7..8]].concat()).contains("it stands in line 8, too"));
    let mut moved = lines.clone();
    moved.swap(3, 4);
    assert_eq!(told(moved), "", "where a line stands says nothing: its place is in the entry");
    let numbers = text.replace(r#""number":7}"#, r#""number":8}"#);
    let report = lineproof_verify::verify(numbers.as_bytes(), Some(server_key())).unwrap();
    assert!(report.findings.iter().any(|finding| finding.problem.contains("order")), "{:?}", report.findings);
    let stranger = lineproof_verify::verify(text.as_bytes(), Some(DeviceKey([7; 32]))).unwrap();
    assert!(stranger.findings.iter().any(|finding| finding.problem.contains("not by the server that was named")));
    let cut = lineproof_verify::verify(&text.as_bytes()[..text.len() - 9], Some(server_key())).unwrap();
    assert!(cut.findings.iter().any(|finding| finding.problem.contains("cut short")));
}

fn server_key() -> DeviceKey {
    static KEY: OnceLock<DeviceKey> = OnceLock::new();
    *KEY.get_or_init(|| Copy::new().open().unwrap().key())
}
