//! A database is altered at rest: bits flip, somebody edits it with SQL, rolls it back, or signs everything anew with the server's key.
//!
//! Each alteration is named by `verify`, or the file doesn't open and says so, or a kiosk that knew better takes nothing from it, and an earlier
//! evidence bundle names what is missing. A flipped bit that means nothing leaves every entry, its place and all answers as they were.
//!
//! `LINEPROOF_ALTERED` says how many random alterations are tried, from `LINEPROOF_SEED` on; by default a few. Each kind of edit is always tried.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use harness::VirtualClock;
use kiosk::core::Core as Kiosk;
use kiosk::key_store::FileKeyStore;
use rusqlite::{Connection, params};
use shared::id::*;
use shared::log::entry::seal;
use shared::log::{Draft, Entry, Position, Stream, Unverified};
use shared::sync::order::{chain_next, chain_start};
use shared::time::{ClockReading, Timestamp};
use sim::rng::Rng;
use store::StoreError;
use sync_server::core::Core as Server;
use sync_server::core::verify::derived_digest;

use harness::scene::*;

/// A plant with a story behind it, as it lies on the disk: the server, a kiosk that knows it, and what was exported then.
struct Before {
    home: tempfile::TempDir,
    clock: VirtualClock,
    /// The server an hour earlier.
    earlier: PathBuf,
    bundle: PathBuf,
    answers: Digest32,
    entries: BTreeMap<EntryId, Vec<u8>>,
    order: Vec<(String, Vec<u8>, i64, Vec<u8>)>,
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
        let (answers, entries, order) = contents(plant.server.ledger().connection()).unwrap();
        let clock = plant.clock.clone();
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
        Before { home, clock, earlier, bundle, answers, entries, order }
    })
}

type Contents = (Digest32, BTreeMap<EntryId, Vec<u8>>, Vec<(String, Vec<u8>, i64, Vec<u8>)>);

/// What answers rest on: the entries, their order, and what is derived from them.
fn contents(connection: &Connection) -> Result<Contents, StoreError> {
    let mut entries = connection.prepare("SELECT id, bytes FROM entry")?;
    let entries = entries.query_map([], |row| Ok((EntryId(row.get(0)?), row.get(1)?)))?.collect::<Result<_, _>>()?;
    let sql = "SELECT stream, epoch, number, entry FROM ordering ORDER BY stream, epoch, number";
    let mut order = connection.prepare(sql)?;
    let order = order.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
    Ok((derived_digest(connection)?, entries, order.collect::<Result<_, _>>()?))
}

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
        guards.iter().for_each(|guard| database.execute_batch(guard).unwrap());
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

    /// Whether the kiosk that knew better takes nothing from this server, and the server stops writing.
    fn kiosk_refuses(&self) -> bool {
        let server = self.open().unwrap();
        let keys = FileKeyStore::open(&self.home.path().join("K3-keys")).unwrap();
        let mut kiosk =
            Kiosk::open(&self.home.path().join("K3"), Box::new(keys), Box::new(before().clock.clone())).unwrap();
        let held = |kiosk: &Kiosk| -> i64 {
            kiosk.ledger().connection().query_row("SELECT count(*) FROM entry", [], |row| row.get(0)).unwrap()
        };
        let had = held(&kiosk);
        kiosk.call_soon();
        while let Some(up) = kiosk.poll_up().unwrap() {
            kiosk.handle_down(&server.exchange(&up).unwrap(), 0).unwrap();
        }
        let status = kiosk.status().unwrap();
        status.contradicted && held(&kiosk) == had && server.is_stopped().unwrap()
    }

    /// What an earlier bundle says is missing.
    fn missed_by_the_bundle(&self) -> usize {
        let found = self.open().unwrap().verify_against(&before().bundle).unwrap();
        found.findings.iter().filter(|finding| finding.problem.contains("has lost it")).count()
    }
}

/// Which entry is altered: the last check signed at a kiosk, of Maria by Jonas.
fn check(database: &Connection) -> (i64, EntryId, Vec<u8>) {
    let sql = "SELECT row, id, bytes FROM entry WHERE kind = 'check_signed' ORDER BY row DESC LIMIT 1";
    database.query_row(sql, [], |row| Ok((row.get(0)?, EntryId(row.get(1)?), row.get(2)?))).unwrap()
}

/// Gives an entry other bytes, and mends whatever names it by its hash.
fn rename(database: &Connection, row: i64, old: &EntryId, bytes: &[u8]) -> String {
    let new = EntryId::of(bytes);
    database.execute("UPDATE entry SET bytes = ?2, id = ?3 WHERE row = ?1", params![row, bytes, new.0]).unwrap();
    for sql in [
        "UPDATE entry SET prev = ?2 WHERE prev = ?1",
        "UPDATE tip SET id = ?2 WHERE id = ?1",
        "UPDATE ordering SET entry = ?2 WHERE entry = ?1",
    ] {
        database.execute(sql, params![old.0, new.0]).unwrap();
    }
    mend_chains(database);
    new.to_string()
}

/// Computes every chain of the order anew.
fn mend_chains(database: &Connection) {
    let sql = "SELECT stream, epoch, number, entry FROM ordering ORDER BY stream, epoch, number";
    let rows: Vec<(String, [u8; 16], i64, [u8; 32])> = database
        .prepare(sql)
        .unwrap()
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    let mut last: BTreeMap<(String, [u8; 16]), Digest32> = BTreeMap::new();
    for (name, epoch, number, entry) in rows {
        let start = || chain_start(&Incarnation(epoch), &Stream::parse(&name).unwrap());
        let before = last.get(&(name.clone(), epoch)).copied().unwrap_or_else(start);
        let chain = chain_next(&before, &EntryId(entry));
        let sql = "UPDATE ordering SET chain = ?4 WHERE stream = ?1 AND epoch = ?2 AND number = ?3";
        database.execute(sql, params![name, epoch, number, chain.0]).unwrap();
        last.insert((name, epoch), chain);
    }
}

fn replaced(bytes: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    let place = bytes.windows(old.len()).position(|window| window == old).expect("the old bytes stand in the entry");
    [&bytes[..place], new, &bytes[place + old.len()..]].concat()
}

/// Takes the last entries of a stream away, and everything that names them.
fn cut_tail(database: &Connection, stream: &str, count: i64) {
    let sql = "SELECT entry FROM ordering WHERE stream = ?1 ORDER BY number DESC LIMIT ?2";
    let last: Vec<[u8; 32]> = database
        .prepare(sql)
        .unwrap()
        .query_map(params![stream, count], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    for id in &last {
        for sql in [
            "DELETE FROM entry WHERE id = ?1",
            "DELETE FROM tip WHERE id = ?1",
            "DELETE FROM ordering WHERE entry = ?1",
        ] {
            database.execute(sql, [id]).unwrap();
        }
    }
    database
        .execute_batch(
            "DELETE FROM tip; INSERT INTO tip (log, id, counter) SELECT e.log, e.id, e.counter FROM entry e WHERE NOT EXISTS
             (SELECT 1 FROM entry s WHERE s.log = e.log AND s.counter = e.counter + 1 AND s.prev = e.id)",
        )
        .unwrap();
}

/// What is done, and what a finding has to name.
type Edit = (&'static str, fn(&Connection) -> String);

/// Edits that leave something that doesn't fit: each is named by `verify`.
const EDITS: [Edit; 18] = [
    ("another operator, the hash left as it was", |database| {
        let (row, id, bytes) = check(database);
        let bytes = replaced(&bytes, b"maria", b"jonas");
        database.execute("UPDATE entry SET bytes = ?2 WHERE row = ?1", params![row, bytes]).unwrap();
        id.to_string()
    }),
    ("another operator, every hash mended", |database| {
        let (row, id, bytes) = check(database);
        rename(database, row, &id, &replaced(&bytes, b"maria", b"jonas"))
    }),
    ("another date, every hash mended", |database| {
        let (row, id, bytes) = check(database);
        let entry = Unverified::read(&bytes).unwrap().peek().clone();
        let spelled = |at: Timestamp| minicbor::to_vec(at.0).unwrap();
        let (old, new) = (spelled(entry.header().wall), spelled(entry.header().wall.minus_ms(86_400_000)));
        rename(database, row, &id, &replaced(&bytes, &old, &new))
    }),
    ("a row deleted", |database| {
        let (row, id, _) = check(database);
        database.execute("DELETE FROM entry WHERE row = ?1", [row]).unwrap();
        id.to_string()
    }),
    ("a row deleted with all that names it", |database| {
        let (row, id, _) = check(database);
        let before: [u8; 32] =
            database.query_row("SELECT prev FROM entry WHERE row = ?1", [row], |row| row.get(0)).unwrap();
        for sql in ["DELETE FROM entry WHERE id = ?1", "DELETE FROM ordering WHERE entry = ?1"] {
            database.execute(sql, [before]).unwrap();
        }
        mend_chains(database);
        id.to_string()
    }),
    ("two numbers of the order exchanged", |database| {
        swap_order(database);
        "record/site1".to_owned()
    }),
    ("two numbers of the order exchanged, one number missing", |database| {
        swap_order(database);
        database.execute("DELETE FROM ordering WHERE number = 1 AND stream LIKE 'record/%'", []).unwrap();
        mend_chains(database);
        "record/site1".to_owned()
    }),
    ("the tail cut off, the order left", |database| {
        let sql = "DELETE FROM entry WHERE row = (SELECT max(row) FROM entry) RETURNING id";
        database.query_row(sql, [], |row| row.get(0).map(EntryId)).unwrap().to_string()
    }),
    ("said to be about somebody else in the columns", |database| {
        let (row, id, _) = check(database);
        database.execute("UPDATE entry SET subject = 'person:ben' WHERE row = ?1", [row]).unwrap();
        id.to_string()
    }),
    ("said to be of another kind in the columns", |database| {
        let (row, id, _) = check(database);
        database.execute("UPDATE entry SET kind = 'badge_in' WHERE row = ?1", [row]).unwrap();
        id.to_string()
    }),
    ("moved to another log", |database| {
        let (row, id, _) = check(database);
        database.execute("UPDATE entry SET log = 1 WHERE row = ?1", [row]).unwrap();
        id.to_string()
    }),
    ("a person's signatures said to be bad", |database| {
        let (row, id, _) = check(database);
        database.execute("UPDATE entry SET blocks_good = 0 WHERE row = ?1", [row]).unwrap();
        id.to_string()
    }),
    ("evidence written into what is derived", |database| {
        let sql = "UPDATE evidence SET person = 'ben' WHERE person = 'maria' AND requirement = 'R-0042'";
        database.execute("DELETE FROM evidence WHERE person = 'ben' AND requirement = 'R-0042'", []).unwrap();
        assert_eq!(database.execute(sql, []).unwrap(), 1);
        "what was derived differed".to_owned()
    }),
    ("a key given to somebody else in what is derived", |database| {
        assert_eq!(database.execute("UPDATE person_key SET person = 'ben' WHERE person = 'jonas'", []).unwrap(), 1);
        "what was derived differed".to_owned()
    }),
    ("a stranger counts as enrolled", |database| {
        database.execute("INSERT INTO enrolled (device) VALUES (?1)", [[9u8; 32]]).unwrap();
        "09".repeat(32)
    }),
    ("a stranger counts as the server", |database| {
        database.execute("INSERT INTO server_key (device) VALUES (?1)", [[9u8; 32]]).unwrap();
        "09".repeat(32)
    }),
    ("another epoch on the path", |database| {
        database.execute("INSERT INTO epoch (position, epoch) VALUES (9, ?1)", [[9u8; 16]]).unwrap();
        "09".repeat(16)
    }),
    ("somebody's key box exchanged for another's", |database| {
        let sql =
            "UPDATE box SET bytes = (SELECT bytes FROM box WHERE name = 'person/ana') WHERE name = 'person/jonas'";
        assert_eq!(database.execute(sql, []).unwrap(), 1);
        "person/jonas".to_owned()
    }),
];

fn swap_order(database: &Connection) {
    let sql = "SELECT number, entry FROM ordering WHERE stream LIKE 'record/%' ORDER BY number DESC LIMIT 2";
    let rows: Vec<(i64, [u8; 32])> = database
        .prepare(sql)
        .unwrap()
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    for ((number, _), (_, entry)) in [(rows[0], rows[1]), (rows[1], rows[0])] {
        let sql = "UPDATE ordering SET entry = ?2 WHERE stream LIKE 'record/%' AND number = ?1";
        database.execute(sql, params![number, entry]).unwrap();
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

#[test]
fn r1_an_unaltered_copy_is_clean_and_guards_that_were_taken_away_are_missed() {
    let copy = Copy::new();
    assert_eq!((copy.findings(), copy.missed_by_the_bundle()), (Vec::new(), 0));
    assert!(!copy.kiosk_refuses(), "a kiosk goes on with what it knows");
    Connection::open(copy.database()).unwrap().execute_batch("DROP TRIGGER entry_is_never_deleted").unwrap();
    assert!(copy.findings().iter().any(|finding| finding.contains("guard")), "{:?}", copy.findings());
}

#[test]
fn t7_a_tail_cut_off_without_a_trace_is_not_taken_from_by_a_kiosk_that_knew_better() {
    let copy = Copy::new();
    copy.edit(|database| {
        cut_tail(database, "plant/global", 2);
        database.execute_batch("DELETE FROM verdict; DELETE FROM evidence").unwrap();
    });
    assert!(copy.missed_by_the_bundle() >= 2, "an earlier bundle names each");
    assert!(copy.kiosk_refuses());
}

#[test]
fn t7_a_database_rolled_back_is_not_taken_from_by_a_kiosk_that_knew_better() {
    let copy = Copy::new();
    fs::remove_dir_all(copy.home.path().join("server")).unwrap();
    copy_folder(&before().earlier, &copy.home.path().join("server"));
    assert_eq!(copy.findings(), [""; 0], "an older file is as good as any in itself");
    assert!(copy.missed_by_the_bundle() > 3);
    assert!(copy.kiosk_refuses());
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
    assert!(copy.kiosk_refuses());
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
    let same =
        |found: &Contents| found.0 == before().answers && found.1 == before().entries && found.2 == before().order;
    match server.verify(true) {
        Err(_) => Some("verify can't read it, and says so"),
        Ok(found) if !found.is_clean() => Some("named"),
        // What was derived has been derived anew: all that is left to compare is there.
        Ok(_) => contents(server.ledger().connection()).ok().filter(same).map(|_| "means nothing"),
    }
}

#[test]
fn r1_a_flipped_bit_is_named_or_means_nothing() {
    let number =
        |name: &str, otherwise: u64| std::env::var(name).ok().and_then(|n| n.parse().ok()).unwrap_or(otherwise);
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

/// Every byte of a bundle: each altered one is named.
#[test]
fn r1_every_altered_byte_of_an_evidence_bundle_is_named() {
    let text = fs::read(&before().bundle).unwrap();
    let root = Some(server_key());
    let whole = lineproof_verify::verify(text.as_slice(), root).unwrap();
    assert!(whole.is_clean(), "{:?}", whole.findings);
    assert_eq!(whole.entries as usize, before().entries.len());
    assert!(whole.signatures > whole.entries && whole.people >= 8 && whole.devices == 2 && whole.forks == 0);
    assert!(whole.complete_through.is_some());
    let mut rng = Rng::new(5);
    for _ in 0..16 {
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
