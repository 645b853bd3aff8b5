//! `verify`: every hash, chain and signature, and derived state against a replay (R1).

use std::collections::BTreeMap;

use rusqlite::Connection;
use serde::Serialize;
use shared::id::*;
use shared::log::Unverified;
use shared::sync::order::{chain_next, chain_start};
use store::{StoreError, shelf};

use super::{Core, Refused};

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
        let mut found = look(self.ledger().connection())?;
        if rebuild && found.findings.is_empty() {
            let mut ledger = self.ledger();
            let before = derived_digest(ledger.connection())?;
            ledger.rebuild()?;
            found.rebuilt_equal = Some(before == derived_digest(ledger.connection())?);
        }
        Ok(found)
    }
}

/// Looks at everything a database of the server's holds, derived state apart.
pub fn look(connection: &Connection) -> Result<Verification, StoreError> {
    let mut found = Verification::default();
    look_at_entries(connection, &mut found)?;
    look_at_order(connection, &mut found)?;
    found.forks = connection.query_row("SELECT count(*) FROM fork", [], |row| row.get::<_, i64>(0))? as u64;
    Ok(found)
}

fn look_at_entries(connection: &Connection, found: &mut Verification) -> Result<(), StoreError> {
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
        let log = shelf::log_id(&row.get::<_, Vec<u8>>(8)?, &row.get::<_, Vec<u8>>(9)?, &row.get::<_, String>(10)?)?;
        let same_columns = header.log == log
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
    }
    Ok(())
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
        let stream = shared::log::Stream::parse(&name).ok_or_else(|| StoreError::Damaged("a stream's name".into()))?;
        let start = (0, chain_start(&Incarnation(epoch), &stream));
        let (before, hash) = last.get(&(name.clone(), epoch)).copied().unwrap_or(start);
        if number != before + 1 || chain_next(&hash, &entry) != chain {
            let problem = "the order's chain is broken there".to_owned();
            found.findings.push(Finding { what: format!("{name} {number}"), problem });
        }
        last.insert((name, epoch), (number, chain));
    }
    let sql = "SELECT hex(e.id) FROM entry e LEFT JOIN ordering o ON o.entry = e.id WHERE o.entry IS NULL LIMIT 100";
    let mut unordered = connection.prepare(sql)?;
    for id in unordered.query_map([], |row| row.get::<_, String>(0))? {
        found.findings.push(Finding { what: id?.to_lowercase(), problem: "it has no number in the order".into() });
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
        "SELECT session || state FROM task_session ORDER BY session",
        "SELECT signer || subject FROM signed ORDER BY signer, subject",
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
