//! `verify`: every hash, chain and signature, and derived state against a replay (R1).

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rusqlite::types::{FromSql, ValueRef};
use rusqlite::{Connection, OpenFlags, Row};
use serde::Serialize;
use shared::id::*;
use shared::kind::Body;
use shared::log::{Entry, LogId, Stream, Unverified};
use shared::part11::boxes::{SealedBox, person_of_box};
use shared::sync::order::{chain_next, chain_start};
use shared::sync::scope;
use store::ledger::makeup;
use store::{StoreError, shelf};

use super::{Core, Refused, folder};

/// What a look at everything found.
#[derive(Debug, Default, Serialize)]
pub struct Verification {
    pub entries: u64,
    pub signatures: u64,
    pub ordered: u64,
    pub forks: u64,
    /// Each bad thing by name.
    pub findings: Vec<Finding>,
    /// Whether derived state equals a replay; absent when not asked.
    pub rebuilt_equal: Option<bool>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Finding {
    /// The entry's id as the database names it, or what else is named.
    pub what: String,
    pub problem: String,
}

impl Verification {
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty() && self.rebuilt_equal != Some(false)
    }
}

impl Core {
    /// Looks at every entry, chain and order; with `rebuild` also derives everything anew and compares.
    pub fn verify(&self, rebuild: bool) -> Result<Verification, Refused> {
        let mut found = look(self.ledger().connection(), &self.key());
        if rebuild && found.findings.is_empty() {
            let mut ledger = self.ledger();
            let before = derived_digest(ledger.connection())?;
            ledger.rebuild()?;
            found.rebuilt_equal = Some(before == derived_digest(ledger.connection())?);
        }
        Ok(found)
    }
}

/// Looks at a data folder on which no server opens, for something in it was altered: only what was altered can be found there, and all of it is.
pub fn look_at_closed(folder: &Path) -> Result<Verification, Refused> {
    folder::refuse_half_restored(folder)?;
    let secrets = folder::existing_identity(folder)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(folder.join(folder::DATABASE), flags).map_err(StoreError::from)?;
    Ok(look(&connection, &secrets.device.key()))
}

/// Looks at everything a database of this server's holds, derived state apart. Where it can't be read to its end, that is a finding beside those made
/// by then: what was altered in one table keeps nothing from being named that was altered in another.
pub fn look(connection: &Connection, server: &DeviceKey) -> Verification {
    let mut found = Verification::default();
    let mut named = Named::default();
    let looks = [
        look_at_entries(connection, server, &mut named, &mut found),
        look_at_order(connection, &mut found),
        look_at_what_goes_with_them(connection, server, &named, &mut found),
        look_at_makeup(connection, &mut found),
        count_forks(connection, &mut found),
    ];
    for why in looks.into_iter().filter_map(Result::err) {
        let problem = format!("it can't be read to its end: {why}");
        found.findings.push(Finding { what: "the database".into(), problem });
    }
    found
}

fn count_forks(connection: &Connection, found: &mut Verification) -> Result<(), StoreError> {
    found.forks = connection.query_row("SELECT count(*) FROM fork", [], |row| row.get::<_, i64>(0))? as u64;
    Ok(())
}

/// The tables that a backup has beside the server's own.
const OF_BACKUPS: [&str; 2] = ["backup", "backup_blob"];

/// A trigger, a view or a table in another's place falsifies what is derived through it, and takes away what guards the entries: a database is made
/// as this program makes it, and of nothing else.
fn look_at_makeup(connection: &Connection, found: &mut Verification) -> Result<(), StoreError> {
    let migrations: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let meant = crate::store::makeup_after(usize::try_from(migrations).unwrap_or(0))?;
    let mut there = makeup(connection)?;
    there.retain(|(kind, name), _| kind != "table" || !OF_BACKUPS.contains(&name.as_str()));
    let mut say = |(kind, name): &(String, String), problem: &str| {
        let problem = format!("this {kind} {problem}: somebody changed what the database is made of");
        found.findings.push(Finding { what: name.clone(), problem });
    };
    for (part, words) in &meant {
        match there.get(part) {
            None => say(part, "was taken away"),
            Some(other) if other != words => say(part, "is not the one this program makes"),
            Some(_) => {}
        }
    }
    there.keys().filter(|part| !meant.contains_key(part)).for_each(|part| say(part, "is none that this program makes"));
    Ok(())
}

/// What entries say that other tables must agree with.
#[derive(Default)]
struct Named {
    /// Which streams devices were given.
    enrolled: BTreeSet<(DeviceKey, Stream)>,
    epochs: BTreeSet<Incarnation>,
    /// People's keys, each with the digest of the box that was made with it.
    keys: BTreeMap<PersonId, Vec<(PersonKey, Digest32)>>,
}

impl Named {
    fn heed(&mut self, entry: &Entry, server: &DeviceKey) {
        let by_server = entry.log().device == *server;
        match entry.statement().ok().flatten().map(|statement| statement.body) {
            Some(Body::DeviceEnrolled(body)) if by_server => {
                self.enrolled.extend(scope::given_by(&body).map(|stream| (body.device, stream)));
            }
            Some(Body::ServerEpoch(body)) if by_server => drop(self.epochs.insert(body.epoch)),
            Some(Body::SigningSetUp(body)) => {
                if let Some(person) = entry.subject().as_person() {
                    self.keys.entry(person).or_default().push((body.key, body.box_digest));
                }
            }
            _ => {}
        }
    }
}

fn look_at_entries(
    connection: &Connection,
    server: &DeviceKey,
    named_by_entries: &mut Named,
    found: &mut Verification,
) -> Result<(), StoreError> {
    let mut writers: BTreeMap<(DeviceKey, Stream), Vec<EntryId>> = BTreeMap::new();
    let mut statement = connection.prepare(
        "SELECT e.id, e.bytes, e.counter, e.prev, e.subject, e.kind, e.blocks_good, e.topic, l.device, l.incarnation, l.stream, p.counter, p.log = e.log
         FROM entry e LEFT JOIN log l USING (log) LEFT JOIN entry p ON p.id = e.prev ORDER BY e.row",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        found.entries += 1;
        let named: Vec<u8> = said(row, 0).unwrap_or_default();
        let mut finding = |problem: String| found.findings.push(Finding { what: hex(&named), problem });
        let bytes: Vec<u8> = said(row, 1).unwrap_or_default();
        if EntryId::of(&bytes).as_bytes() != named {
            finding("its bytes were altered: they don't have its hash".into());
            continue;
        }
        let entry = match Unverified::read(&bytes).map(|unverified| unverified.signed()) {
            Ok(Some(entry)) => entry,
            Ok(None) => {
                finding("the device's signature is not good".into());
                continue;
            }
            Err(why) => {
                finding(format!("it can't be read: {why}"));
                continue;
            }
        };
        found.signatures += 1 + entry.blocks().len() as u64;
        let header = entry.header();
        let same_columns = log_of(row).as_ref() == Some(&header.log)
            && said(row, 2) == Some(header.counter as i64)
            && said(row, 3) == Some(header.prev.map(|prev| prev.0))
            && said::<String>(row, 4).as_deref() == Some(header.subject.as_str())
            && said::<String>(row, 5).as_deref() == Some(header.kind.as_str())
            && said(row, 6) == Some(entry.blocks_verify())
            && said(row, 7) == Some(shelf::topic_of(&entry));
        if !same_columns {
            finding("the database says something else of it than it says itself".into());
        }
        let previous = (said(row, 11), said(row, 12));
        if header.prev.is_some() && previous != (Some(Some(header.counter as i64 - 1)), Some(Some(true))) {
            finding("the entry before it is missing: its chain is broken".into());
        }
        let device = header.log.device;
        if header.log.stream.family.is_servers_only() && device != *server {
            finding("only the server writes such an entry, and another device did".into());
        } else if device != *server {
            writers.entry((device, header.log.stream.clone())).or_default().push(entry.id());
        }
        named_by_entries.heed(&entry, server);
    }
    for (_, entries) in writers.into_iter().filter(|(writer, _)| !named_by_entries.enrolled.contains(writer)) {
        let problem = "nobody enrolled the device that wrote it, or gave it this stream";
        found.findings.extend(entries.iter().map(|id| Finding { what: id.to_string(), problem: problem.to_owned() }));
    }
    Ok(())
}

/// What a column says; `None` where it holds nothing of the kind: what is there by no act of the server's must not keep the rest from being named.
fn said<T: FromSql>(row: &Row<'_>, column: usize) -> Option<T> {
    row.get(column).ok()
}

fn log_of(row: &Row<'_>) -> Option<LogId> {
    shelf::log_id(&said::<Vec<u8>>(row, 8)?, &said::<Vec<u8>>(row, 9)?, &said::<String>(row, 10)?).ok()
}

fn look_at_order(connection: &Connection, found: &mut Verification) -> Result<(), StoreError> {
    let mut statement = connection
        .prepare("SELECT stream, epoch, number, chain, entry FROM ordering ORDER BY stream, epoch, number")?;
    let mut rows = statement.query([])?;
    let mut last: BTreeMap<(String, [u8; 16]), (i64, Digest32)> = BTreeMap::new();
    while let Some(row) = rows.next()? {
        found.ordered += 1;
        let name = said::<String>(row, 0).unwrap_or_default();
        let number = said(row, 2).unwrap_or(0);
        let mut finding = |problem: &str| {
            found.findings.push(Finding { what: format!("{name} {number}"), problem: problem.to_owned() });
        };
        let places = (Stream::parse(&name), said(row, 1), said(row, 3).map(Digest32), said(row, 4).map(EntryId));
        let (Some(stream), Some(epoch), Some(chain), Some(entry)) = places else {
            finding("this place of the order can't be read");
            continue;
        };
        let start = (0, chain_start(&Incarnation(epoch), &stream));
        let (before, hash) = last.get(&(name.clone(), epoch)).copied().unwrap_or(start);
        if number != before + 1 || chain_next(&hash, &entry) != chain {
            finding("the order's chain is broken there");
        }
        last.insert((name, epoch), (number, chain));
    }
    each(
        connection,
        "SELECT hex(e.id) FROM entry e LEFT JOIN ordering o ON o.entry = e.id WHERE o.entry IS NULL",
        "it has no number in the order",
        found,
    )?;
    each(
        connection,
        "SELECT hex(o.entry) FROM ordering o LEFT JOIN entry e ON e.id = o.entry WHERE e.id IS NULL",
        "the order has a number for it, and it is missing",
        found,
    )
}

/// What follows an entry in its log.
const SUCCESSOR: &str = "SELECT 1 FROM entry s WHERE s.log = e.log AND s.counter = e.counter + 1 AND s.prev = e.id";
/// Places where a log divides, as the entries say it.
const DIVIDED: &str =
    "SELECT DISTINCT e.log, e.counter - 1 AS counter, coalesce(e.prev, zeroblob(32)) AS id FROM entry e WHERE EXISTS
    (SELECT 1 FROM entry o WHERE o.log = e.log AND o.counter = e.counter AND o.id <> e.id AND o.prev IS e.prev)";

/// The tables that say in short what the entries say at length, and those whose rows only entries can vouch for.
fn look_at_what_goes_with_them(
    connection: &Connection,
    server: &DeviceKey,
    named: &Named,
    found: &mut Verification,
) -> Result<(), StoreError> {
    let untold = format!(
        "SELECT hex(e.id) FROM entry e WHERE NOT EXISTS ({SUCCESSOR}) AND NOT EXISTS (SELECT 1 FROM tip t WHERE t.log = e.log AND t.id = e.id)"
    );
    each(connection, &untold, "it ends its log, and the database doesn't say so", found)?;
    let false_ends = format!(
        "SELECT hex(t.id) FROM tip t LEFT JOIN entry e ON e.id = t.id AND e.log = t.log AND e.counter = t.counter
         WHERE e.id IS NULL OR EXISTS ({SUCCESSOR})"
    );
    each(connection, &false_ends, "the database says that it ends its log, and it doesn't", found)?;
    let forks = [
        (
            format!("{DIVIDED} EXCEPT SELECT log, counter, id FROM fork"),
            "its log divides after it, and the alarm is missing",
        ),
        (
            format!("SELECT log, counter, id FROM fork EXCEPT {DIVIDED}"),
            "there is an alarm that its log divides after it, and it doesn't",
        ),
    ];
    for (sql, problem) in forks {
        each(connection, &format!("SELECT hex(id) FROM ({sql})"), problem, found)?;
    }
    look_at_boxes(connection, named, found)?;
    look_at_given(connection, named, found)?;
    let servers = rows_of(connection, ("server_key", "device"), |row| said(row, 0).map(DeviceKey), found)?;
    let epochs = rows_of(connection, ("epoch", "epoch"), |row| said(row, 0).map(Incarnation), found)?;
    let mut say = |what: String, problem: &str| found.findings.push(Finding { what, problem: problem.to_owned() });
    servers
        .iter()
        .filter(|key| *key != server)
        .for_each(|key| say(key.to_string(), "it counts as this server, and is another"));
    if !servers.contains(server) {
        say(server.to_string(), "it doesn't count as this server, and is");
    }
    for epoch in epochs.difference(&named.epochs) {
        say(epoch.to_string(), "it is on the server's path, and nothing opened it");
    }
    Ok(())
}

/// The rows of a table beside the entries. One that can't be read is a finding, and keeps no other from being looked at.
fn rows_of<T: Ord>(
    connection: &Connection,
    (table, columns): (&str, &str),
    read: impl Fn(&Row<'_>) -> Option<T>,
    found: &mut Verification,
) -> Result<BTreeSet<T>, StoreError> {
    let mut statement = connection.prepare(&format!("SELECT {columns} FROM {table}"))?;
    let mut rows = statement.query([])?;
    let mut readable = BTreeSet::new();
    while let Some(row) = rows.next()? {
        match read(row) {
            Some(row) => drop(readable.insert(row)),
            None => {
                let problem = "a row of it holds nothing of its kind".to_owned();
                found.findings.push(Finding { what: table.to_owned(), problem });
            }
        }
    }
    Ok(readable)
}

/// Which streams the table says that devices may write to. A database of before that table, as a backup may be, has none.
fn look_at_given(connection: &Connection, named: &Named, found: &mut Verification) -> Result<(), StoreError> {
    let migrations: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if migrations < crate::store::WITH_GIVEN {
        return Ok(());
    }
    let read = |row: &Row<'_>| Some((DeviceKey(said(row, 0)?), Stream::parse(&said::<String>(row, 1)?)?));
    let given = rows_of(connection, ("enrolled", "device, stream"), read, found)?;
    let mut say = |key: &DeviceKey, problem: String| found.findings.push(Finding { what: key.to_string(), problem });
    for (key, stream) in given.difference(&named.enrolled) {
        say(key, format!("it counts as enrolled for {stream}, and nobody enrolled it so"));
    }
    for (key, stream) in named.enrolled.difference(&given) {
        say(key, format!("it was enrolled for {stream}, and doesn't count so"));
    }
    Ok(())
}

fn look_at_boxes(connection: &Connection, named: &Named, found: &mut Verification) -> Result<(), StoreError> {
    let mut say = |what: String, problem: &str| found.findings.push(Finding { what, problem: problem.to_owned() });
    let mut boxes = connection.prepare("SELECT name, bytes FROM box WHERE name LIKE 'person/%'")?;
    let mut rows = boxes.query([])?;
    while let Some(row) = rows.next()? {
        let (name, bytes): (String, Vec<u8>) = (said(row, 0).unwrap_or_default(), said(row, 1).unwrap_or_default());
        let vouched = person_of_box(&name).zip(SealedBox::read(&bytes)).is_some_and(|(person, sealed)| {
            let keys = named.keys.get(&person).map_or(&[][..], Vec::as_slice);
            keys.iter().any(|(key, named)| sealed.is_of(&person, *key, named))
        });
        if !vouched {
            let problem =
                "no entry names this box, nor is it signed by its owner: it was altered, or its entry is still to come";
            say(name, problem);
        }
    }
    Ok(())
}

/// A finding for each name that a question answers with.
fn each(connection: &Connection, sql: &str, problem: &str, found: &mut Verification) -> Result<(), StoreError> {
    let mut statement = connection.prepare(sql)?;
    for name in statement.query_map([], |row| row.get::<_, String>(0))? {
        found.findings.push(Finding { what: name?.to_lowercase(), problem: problem.to_owned() });
    }
    Ok(())
}

/// One hash over everything derived.
pub fn derived_digest(connection: &Connection) -> Result<Digest32, StoreError> {
    let mut parts: Vec<Vec<u8>> = Vec::new();
    for sql in [
        "SELECT key, person, entry, box_digest FROM person_key ORDER BY key",
        "SELECT id, subject, on_hold, verdict FROM verdict ORDER BY id",
        "SELECT person, requirement, rows FROM evidence ORDER BY person, requirement",
        "SELECT * FROM task_session ORDER BY opened_by",
        "SELECT signer, subject FROM signed ORDER BY signer, subject",
        "SELECT id, site, standing, said, bytes, topic, kind, subject, blocks_good FROM history ORDER BY id, site",
        "SELECT id, person, replica, hybrid, at_ms, latest_ms FROM secret_failure ORDER BY id",
        "SELECT id, lifted_by FROM secret_forgiven ORDER BY id, lifted_by",
        "SELECT person, key, replica, hybrid, earliest_ms FROM secret_success ORDER BY person, key, replica",
    ] {
        let mut statement = connection.prepare(sql)?;
        let columns = statement.column_count();
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            for column in 0..columns {
                parts.push(match row.get_ref(column)? {
                    ValueRef::Blob(bytes) | ValueRef::Text(bytes) => bytes.to_vec(),
                    ValueRef::Integer(number) => number.to_be_bytes().to_vec(),
                    ValueRef::Real(number) => number.to_be_bytes().to_vec(),
                    ValueRef::Null => Vec::new(),
                });
            }
        }
    }
    let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
    Ok(Digest32::of_parts(&parts))
}
