//! `verify`: every hash, chain and signature, and derived state against a replay (R1).

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rusqlite::{Connection, OpenFlags};
use serde::Serialize;
use shared::id::*;
use shared::kind::Body;
use shared::log::{Entry, Stream, Unverified};
use shared::part11::boxes::{SealedBox, person_of_box};
use shared::sync::order::{chain_next, chain_start};
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
        let mut found = look(self.ledger().connection(), &self.key())?;
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
    Ok(look(&connection, &secrets.device.key())?)
}

/// Looks at everything a database of this server's holds, derived state apart.
pub fn look(connection: &Connection, server: &DeviceKey) -> Result<Verification, StoreError> {
    let mut found = Verification::default();
    let named = look_at_entries(connection, &mut found)?;
    look_at_order(connection, &mut found)?;
    look_at_what_goes_with_them(connection, server, &named, &mut found)?;
    found.forks = connection.query_row("SELECT count(*) FROM fork", [], |row| row.get::<_, i64>(0))? as u64;
    Ok(found)
}

/// What entries say that other tables must agree with.
#[derive(Default)]
struct Named {
    enrolled: BTreeSet<DeviceKey>,
    epochs: BTreeSet<Incarnation>,
    /// People's keys, each with the digest of the box that was made with it.
    keys: BTreeMap<PersonId, Vec<(PersonKey, Digest32)>>,
}

impl Named {
    fn heed(&mut self, entry: &Entry) {
        match entry.statement().ok().flatten().map(|statement| statement.body) {
            Some(Body::DeviceEnrolled(body)) => drop(self.enrolled.insert(body.device)),
            Some(Body::ServerEpoch(body)) => drop(self.epochs.insert(body.epoch)),
            Some(Body::SigningSetUp(body)) => {
                if let Some(person) = entry.subject().as_person() {
                    self.keys.entry(person).or_default().push((body.key, body.box_digest));
                }
            }
            _ => {}
        }
    }
}

fn look_at_entries(connection: &Connection, found: &mut Verification) -> Result<Named, StoreError> {
    let mut named_by_entries = Named::default();
    let mut statement = connection.prepare(
        "SELECT e.id, e.bytes, e.counter, e.prev, e.subject, e.kind, e.blocks_good, e.topic, l.device, l.incarnation, l.stream, p.counter, p.log = e.log
         FROM entry e JOIN log l USING (log) LEFT JOIN entry p ON p.id = e.prev ORDER BY e.row",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        found.entries += 1;
        let named: Vec<u8> = row.get(0)?;
        let mut finding = |problem: String| found.findings.push(Finding { what: hex(&named), problem });
        let bytes: Vec<u8> = row.get(1)?;
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
        let log = shelf::log_id(&row.get::<_, Vec<u8>>(8)?, &row.get::<_, Vec<u8>>(9)?, &row.get::<_, String>(10)?);
        let same_columns = log.is_ok_and(|log| log == header.log)
            && header.counter as i64 == row.get::<_, i64>(2)?
            && header.prev.map(|prev| prev.0) == row.get::<_, Option<[u8; 32]>>(3)?
            && header.subject.as_str() == row.get::<_, String>(4)?
            && header.kind == row.get::<_, String>(5)?
            && entry.blocks_verify() == row.get::<_, bool>(6)?
            && shelf::topic_of(&entry) == row.get::<_, Option<String>>(7)?;
        if !same_columns {
            finding("the database says something else of it than it says itself".into());
        }
        let previous: (Option<i64>, Option<bool>) = (row.get(11)?, row.get(12)?);
        if header.prev.is_some() && previous != (Some(header.counter as i64 - 1), Some(true)) {
            finding("the entry before it is missing: its chain is broken".into());
        }
        named_by_entries.heed(&entry);
    }
    Ok(named_by_entries)
}

fn look_at_order(connection: &Connection, found: &mut Verification) -> Result<(), StoreError> {
    let mut statement = connection
        .prepare("SELECT stream, epoch, number, chain, entry FROM ordering ORDER BY stream, epoch, number")?;
    let mut rows = statement.query([])?;
    let mut last: BTreeMap<(String, [u8; 16]), (i64, Digest32)> = BTreeMap::new();
    while let Some(row) = rows.next()? {
        found.ordered += 1;
        let (name, epoch, number): (String, [u8; 16], i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let (chain, entry) = (Digest32(row.get(3)?), EntryId(row.get(4)?));
        let Some(stream) = Stream::parse(&name) else {
            found
                .findings
                .push(Finding { what: format!("{name} {number}"), problem: "no stream is called so".to_owned() });
            continue;
        };
        let start = (0, chain_start(&Incarnation(epoch), &stream));
        let (before, hash) = last.get(&(name.clone(), epoch)).copied().unwrap_or(start);
        if number != before + 1 || chain_next(&hash, &entry) != chain {
            let problem = "the order's chain is broken there".to_owned();
            found.findings.push(Finding { what: format!("{name} {number}"), problem });
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
    for trigger in ["entry_is_never_changed", "entry_is_never_deleted"] {
        let there = connection
            .prepare_cached("SELECT 1 FROM sqlite_schema WHERE type = 'trigger' AND name = ?1")?
            .exists([trigger])?;
        if !there {
            let problem =
                "this guard of the entries was taken away: somebody prepared the database for changes".to_owned();
            found.findings.push(Finding { what: trigger.to_owned(), problem });
        }
    }
    let mut say = |what: String, problem: &str| found.findings.push(Finding { what, problem: problem.to_owned() });
    let keys = |sql: &str| -> Result<BTreeSet<DeviceKey>, StoreError> {
        let mut statement = connection.prepare(sql)?;
        Ok(statement.query_map([], |row| row.get(0).map(DeviceKey))?.collect::<Result<_, _>>()?)
    };
    let enrolled = keys("SELECT device FROM enrolled")?;
    enrolled
        .difference(&named.enrolled)
        .for_each(|key| say(key.to_string(), "it counts as enrolled, and nobody enrolled it"));
    named.enrolled.difference(&enrolled).for_each(|key| say(key.to_string(), "it was enrolled, and doesn't count so"));
    let servers = keys("SELECT device FROM server_key")?;
    servers
        .iter()
        .filter(|key| *key != server)
        .for_each(|key| say(key.to_string(), "it counts as this server, and is another"));
    if !servers.contains(server) {
        say(server.to_string(), "it doesn't count as this server, and is");
    }
    let mut epochs = connection.prepare("SELECT epoch FROM epoch")?;
    for epoch in epochs.query_map([], |row| row.get(0).map(Incarnation))? {
        let epoch = epoch?;
        if !named.epochs.contains(&epoch) {
            say(epoch.to_string(), "it is on the server's path, and nothing opened it");
        }
    }
    let mut boxes = connection.prepare("SELECT name, bytes FROM box WHERE name LIKE 'person/%'")?;
    let mut rows = boxes.query([])?;
    while let Some(row) = rows.next()? {
        let (name, bytes): (String, Vec<u8>) = (row.get(0)?, row.get(1)?);
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
        "SELECT key || person || entry FROM person_key ORDER BY key",
        "SELECT id || subject || verdict FROM verdict ORDER BY id",
        "SELECT person || requirement || rows FROM evidence ORDER BY person, requirement",
        "SELECT opened_by || state FROM task_session ORDER BY opened_by",
        "SELECT signer || subject FROM signed ORDER BY signer, subject",
        "SELECT id || site || standing || said FROM history ORDER BY id, site",
        "SELECT id || person || replica || hybrid || at_ms || latest_ms FROM secret_failure ORDER BY id",
        "SELECT id || lifted_by FROM secret_forgiven ORDER BY id, lifted_by",
        "SELECT person || key || replica || hybrid || earliest_ms FROM secret_success ORDER BY person, key, replica",
    ] {
        let mut statement = connection.prepare(&sql.replace("||", "|| x'00' ||"))?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            parts.push(match row.get_ref(0)? {
                rusqlite::types::ValueRef::Blob(bytes) | rusqlite::types::ValueRef::Text(bytes) => bytes.to_vec(),
                _ => Vec::new(),
            });
        }
    }
    let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
    Ok(Digest32::of_parts(&parts))
}
