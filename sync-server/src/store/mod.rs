//! The server's tables beside the entries: its order, its kiosks, enrolment codes, proposals, assignments.

mod kiosks;
mod shelf;

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, params};
use shared::id::*;
use shared::time::{ClockReading, Timestamp};
use shared::training::assignment::TrainingAssignment;
use store::{Ledger, Step, StoreError};

pub use kiosks::{KioskSeen, kiosks_seen, note_complete, note_heads, note_kiosk};
pub use shelf::ServerStep;

/// Numbered, in order, each applied once to a database of any age.
const MIGRATIONS: [&str; 9] = [
    include_str!("schema.sql"),
    include_str!("schema_2.sql"),
    include_str!("schema_3.sql"),
    store::ledger::SECRETS,
    store::ledger::BADGES,
    store::ledger::BOXES,
    store::ledger::SESSIONS,
    store::ledger::HISTORY,
    store::ledger::ENROLMENTS,
];

/// How many migrations a database of this version has been through: the entry tables', then ours.
pub const SCHEMA: i64 = 1 + MIGRATIONS.len() as i64;

/// From how many migrations on it is kept which streams devices may write to.
pub const WITH_GIVEN: i64 = 10;

/// What a server's database that has been through so many migrations is made of.
pub fn makeup_after(count: usize) -> Result<store::ledger::Makeup, StoreError> {
    store::ledger::makeup_after(count, &MIGRATIONS)
}

/// Opens or makes the server's database.
pub fn open(path: &Path) -> Result<Ledger, StoreError> {
    Ledger::open(path, &MIGRATIONS)
}

/// One durable step of the server.
pub fn step<T, E: From<StoreError>>(
    ledger: &mut Ledger,
    clock: ClockReading,
    work: impl FnOnce(&mut ServerStep<'_, '_>) -> Result<T, E>,
) -> Result<T, E> {
    ledger.step(clock, |step| work(&mut ServerStep { step, server_seed: None }))
}

/// One durable step in which sealed boxes come and go: which epochs of peppers there are follows from the server's own key.
pub fn step_with_boxes<T, E: From<StoreError>>(
    ledger: &mut Ledger,
    clock: ClockReading,
    server_seed: [u8; 32],
    work: impl FnOnce(&mut ServerStep<'_, '_>) -> Result<T, E>,
) -> Result<T, E> {
    ledger.step(clock, |step| work(&mut ServerStep { step, server_seed: Some(server_seed) }))
}

/// A one-time code for a terminal set-up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnrolCode {
    pub name: KioskName,
    pub site: SiteId,
    pub work_units: Vec<WorkUnitId>,
    pub expires_at: Timestamp,
    /// The broken device in whose place it is to stand.
    pub replaces: Option<DeviceKey>,
    /// The device that used it.
    pub device: Option<DeviceKey>,
}

pub fn keep_code(step: &Step<'_>, digest: &Digest32, code: &EnrolCode) -> Result<(), StoreError> {
    let units: Vec<&str> = code.work_units.iter().map(WorkUnitId::as_str).collect();
    step.connection().execute(
        "INSERT INTO enrol_code (digest, name, site, work_units, expires_ms, replaces) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            digest.0,
            code.name.as_str(),
            code.site.as_str(),
            units.join("\n"),
            code.expires_at.0,
            code.replaces.map(|device| device.0)
        ],
    )?;
    Ok(())
}

pub fn code(connection: &Connection, digest: &Digest32) -> Result<Option<EnrolCode>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT name, site, work_units, expires_ms, device, replaces FROM enrol_code WHERE digest = ?1",
    )?;
    let row = statement.query_row([digest.0], |row| {
        Ok((
            row.get::<_, String>(0)?,
            row.get::<_, String>(1)?,
            row.get::<_, String>(2)?,
            row.get::<_, i64>(3)?,
            row.get::<_, Option<[u8; 32]>>(4)?,
            row.get::<_, Option<[u8; 32]>>(5)?,
        ))
    });
    let Some((name, site, units, expires, device, replaces)) = row.optional()? else { return Ok(None) };
    let damaged = |_| StoreError::Damaged("an enrolment code".into());
    Ok(Some(EnrolCode {
        name: KioskName::new(&name).map_err(damaged)?,
        site: SiteId::new(&site).map_err(damaged)?,
        work_units: units.lines().map(WorkUnitId::new).collect::<Result<_, _>>().map_err(damaged)?,
        expires_at: Timestamp(expires),
        device: device.map(DeviceKey),
        replaces: replaces.map(DeviceKey),
    }))
}

/// The names of kiosks for which an unused code is still good.
pub fn promised_names(connection: &Connection, now: Timestamp) -> Result<Vec<KioskName>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT name FROM enrol_code WHERE device IS NULL AND expires_ms >= ?1")?;
    let rows = statement.query_map([now.0], |row| row.get::<_, String>(0))?;
    let name = |row: rusqlite::Result<String>| {
        KioskName::new(&row?).map_err(|_| StoreError::Damaged("an enrolment code".into()))
    };
    rows.map(name).collect()
}

/// Marks a code as used; `false` when somebody was faster.
pub fn use_code(step: &Step<'_>, digest: &Digest32, device: &DeviceKey) -> Result<bool, StoreError> {
    let used = step.connection().execute(
        "UPDATE enrol_code SET device = ?2 WHERE digest = ?1 AND device IS NULL",
        params![digest.0, device.0],
    )?;
    Ok(used == 1)
}

pub fn knows_legacy_row(connection: &Connection, digest: &Digest32) -> Result<bool, StoreError> {
    let mut statement = connection.prepare_cached("SELECT 1 FROM legacy_row WHERE digest = ?1")?;
    Ok(statement.exists([digest.0])?)
}

/// Remembers rows of history as imported. In the order of their digests: a table that grows at its end is written many times faster than one that
/// grows everywhere.
pub fn keep_legacy_rows(connection: &Connection, mut digests: Vec<Digest32>) -> Result<(), StoreError> {
    digests.sort_unstable();
    let mut insert = connection.prepare_cached("INSERT OR IGNORE INTO legacy_row (digest) VALUES (?1)")?;
    digests.iter().try_for_each(|digest| insert.execute([digest.0]).map(drop))?;
    Ok(())
}

/// An import waiting for an approver.
#[derive(Debug, Clone)]
pub struct Proposal {
    pub batch: ActId,
    pub difference: Digest32,
    pub content: Digest32,
    pub rows: u64,
    pub made_at: Timestamp,
    pub accepted: bool,
}

pub fn keep_proposal(step: &Step<'_>, proposal: &Proposal) -> Result<(), StoreError> {
    step.connection().execute(
        "INSERT INTO proposal (batch, difference, content, rows, made_ms) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![proposal.batch.0, proposal.difference.0, proposal.content.0, proposal.rows as i64, proposal.made_at.0],
    )?;
    Ok(())
}

pub fn proposals(connection: &Connection) -> Result<Vec<Proposal>, StoreError> {
    let mut statement = connection
        .prepare_cached("SELECT batch, difference, content, rows, made_ms, accepted FROM proposal ORDER BY made_ms")?;
    let rows = statement.query_map([], |row| {
        Ok(Proposal {
            batch: ActId(row.get(0)?),
            difference: Digest32(row.get(1)?),
            content: Digest32(row.get(2)?),
            rows: row.get::<_, i64>(3)? as u64,
            made_at: Timestamp(row.get(4)?),
            accepted: row.get(5)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Marks a proposal as accepted; `false` when it was already.
pub fn accept_proposal(step: &Step<'_>, batch: &ActId) -> Result<bool, StoreError> {
    let sql = "UPDATE proposal SET accepted = 1 WHERE batch = ?1 AND accepted = 0";
    Ok(step.connection().execute(sql, [batch.0])? == 1)
}

/// Replaces what people owe for a version.
pub fn write_assignments(
    connection: &Connection,
    document: &DocumentId,
    version: &VersionId,
    assignments: &[TrainingAssignment],
) -> Result<(), StoreError> {
    let mut delete = connection.prepare_cached("DELETE FROM assignment WHERE document = ?1 AND version = ?2")?;
    delete.execute(params![document.as_str(), version.as_str()])?;
    let mut insert = connection.prepare_cached(
        "INSERT INTO assignment (person, requirement, version, document, content, effective_ms, due_ms, impact)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?;
    for a in assignments {
        let impact = a.impact.as_ref().map_or(String::new(), |impact| format!("{impact:?}").to_lowercase());
        insert.execute(params![
            a.person.as_str(),
            a.requirement.as_str(),
            version.as_str(),
            document.as_str(),
            a.content.map(|digest| digest.0),
            a.effective_from.map_or(0, |at| at.0),
            a.due_date.0,
            impact
        ])?;
    }
    Ok(())
}

/// When the server came to hold an entry (R18); `None` for what it held before it kept that.
pub fn received_at(connection: &Connection, entry: &EntryId) -> Result<Option<Timestamp>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT min(received_ms) FROM ordering WHERE entry = ?1")?;
    let received: Option<i64> = statement.query_row([entry.0], |row| row.get(0))?;
    Ok(received.map(Timestamp))
}

/// How many people owe training for a version.
pub fn assigned(connection: &Connection, document: &DocumentId, version: &VersionId) -> Result<u64, StoreError> {
    let mut statement = connection
        .prepare_cached("SELECT count(DISTINCT person) FROM assignment WHERE document = ?1 AND version = ?2")?;
    let count: i64 = statement.query_row(params![document.as_str(), version.as_str()], |row| row.get(0))?;
    Ok(count as u64)
}

/// The epoch in which this server writes; `None` before its first start is done.
pub fn current_epoch(connection: &Connection) -> Result<Option<Incarnation>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT epoch FROM epoch ORDER BY position DESC LIMIT 1")?;
    Ok(statement.query_row([], |row| row.get(0).map(Incarnation)).optional()?)
}

/// The digests of all codes ever made.
pub fn code_digests(connection: &Connection) -> Result<Vec<Digest32>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT digest FROM enrol_code ORDER BY expires_ms DESC")?;
    Ok(statement.query_map([], |row| row.get(0).map(Digest32))?.collect::<Result<_, _>>()?)
}
