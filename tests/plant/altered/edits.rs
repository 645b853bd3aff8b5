//! What somebody with SQL, time and no scruple does to a server's file.

use std::collections::BTreeMap;

use rusqlite::{Connection, params};
use shared::id::*;
use shared::kind::plant::RoleSet;
use shared::kind::record::Identified;
use shared::kind::{Body, Role, Statement};
use shared::log::entry::seal;
use shared::log::{Draft, Entry, LogId, Position, Stream, Subject, Unverified};
use shared::part11::signature::DeviceSecret;
use shared::sync::order::{chain_next, chain_start};
use shared::time::{ClockReading, HybridTime, Span, Timestamp};

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
pub fn mend_chains(database: &Connection) {
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
pub fn cut_tail(database: &Connection, stream: &str, count: i64) {
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
pub type Edit = (&'static str, fn(&Connection) -> String);

/// Edits that leave something that doesn't fit: each is named by `verify`.
pub const EDITS: [Edit; 25] = [
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
        database.execute("INSERT INTO enrolled (device, stream) VALUES (?1, 'record/SITE1')", [[9u8; 32]]).unwrap();
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
    ("a stranger writes to the plant", |database| {
        let stream = Stream::parse("plant/elsewhere").unwrap();
        insert(database, &by_stranger(stream, RoleSet { person: harness::scene::id("ben"), ..a_role() }.into()))
    }),
    ("a stranger writes to the record", |database| {
        let stream = Stream::parse("record/SITE1").unwrap();
        insert(database, &by_stranger(stream, Identified {}.into()))
    }),
    ("a terminal counts as another site's", |database| {
        let sql = "INSERT INTO enrolled (device, stream) SELECT device, 'record/SITE9' FROM enrolled LIMIT 1 RETURNING hex(device)";
        database.query_row(sql, [], |row| row.get::<_, String>(0)).unwrap().to_lowercase()
    }),
    ("a trigger that hides what is set aside", |database| {
        let sql = "CREATE TRIGGER hides BEFORE INSERT ON verdict BEGIN SELECT RAISE (IGNORE); END";
        database.execute_batch(sql).unwrap();
        "hides".to_owned()
    }),
    ("a guard of the same name that guards nothing", |database| {
        let guard = "entry_is_never_deleted";
        let sql = format!(
            "DROP TRIGGER IF EXISTS {guard}; CREATE TRIGGER {guard} BEFORE DELETE ON proposal BEGIN SELECT 1; END"
        );
        database.execute_batch(&sql).unwrap();
        guard.to_owned()
    }),
    ("a column that holds nothing of its kind", |database| {
        let (row, id, _) = check(database);
        database.execute("UPDATE entry SET prev = x'00' WHERE row = ?1", [row]).unwrap();
        id.to_string()
    }),
    ("a box said to be another in what is derived", |database| {
        let sql = "UPDATE person_key SET box_digest = zeroblob(32) WHERE person = 'ana'";
        assert_eq!(database.execute(sql, []).unwrap(), 1);
        "what was derived differed".to_owned()
    }),
    ("somebody's key box exchanged for another's", |database| {
        let sql =
            "UPDATE box SET bytes = (SELECT bytes FROM box WHERE name = 'person/ana') WHERE name = 'person/jonas'";
        assert_eq!(database.execute(sql, []).unwrap(), 1);
        "person/jonas".to_owned()
    }),
];

/// An entry that nobody's device wrote, the first of its log.
fn by_stranger(stream: Stream, body: Body) -> Entry {
    let stranger = DeviceSecret::from_seed([9; 32]);
    let log = LogId { device: stranger.key(), incarnation: Incarnation([9; 16]), stream };
    let statement = Statement { act: ActId([9; 16]), body };
    let clock = ClockReading::exact(Timestamp(1_772_400_000_000));
    let hybrid = HybridTime { ms: clock.wall.0, tick: 0 };
    let position = Position { log, counter: 1, prev: None, hybrid, clock, plant: Vec::new() };
    seal(&Draft::new(Subject::new("person", "ben"), statement), &position, &stranger).unwrap()
}

fn a_role() -> RoleSet {
    let (person, role, span) = (harness::scene::id("ben"), Role::Quality, Span::ALWAYS);
    RoleSet { person, role, scope: Some("SITE1".into()), span }
}

/// Puts an entry where the server would have put it, with its number, and gives its name.
fn insert(database: &Connection, entry: &Entry) -> String {
    let (header, id) = (entry.header(), entry.id());
    let stream = header.log.stream.to_string();
    database
        .execute(
            "INSERT INTO log (device, incarnation, stream) VALUES (?1, ?2, ?3)",
            params![header.log.device.0, header.log.incarnation.0, stream],
        )
        .unwrap();
    let log = database.last_insert_rowid();
    database
        .execute(
            "INSERT INTO entry (id, log, counter, prev, kind, subject, topic, bytes, blocks_good) VALUES (?1, ?2, 1, NULL, ?3, ?4, ?5, ?6, 1)",
            params![id.0, log, header.kind, header.subject.as_str(), store::shelf::topic_of(entry), entry.bytes()],
        )
        .unwrap();
    database.execute("INSERT INTO tip (log, id, counter) VALUES (?1, ?2, 1)", params![log, id.0]).unwrap();
    let epoch: [u8; 16] =
        database.query_row("SELECT epoch FROM epoch ORDER BY position DESC LIMIT 1", [], |row| row.get(0)).unwrap();
    let sql = "INSERT INTO ordering (stream, epoch, number, chain, entry, received_ms)
               SELECT ?1, ?2, 1 + coalesce(max(number), 0), zeroblob(32), ?3, 0 FROM ordering WHERE stream = ?1 AND epoch = ?2";
    database.execute(sql, params![stream, epoch, id.0]).unwrap();
    mend_chains(database);
    id.to_string()
}

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
