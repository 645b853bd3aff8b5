//! The server's tables beside the entries: its order, its kiosks, enrolment codes, proposals, assignments.

mod shelf;

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, params};
use serde::Serialize;
use shared::id::*;
use shared::time::{ClockReading, Timestamp};
use shared::training::assignment::TrainingAssignment;
use store::{Ledger, Step, StoreError};

pub use shelf::ServerStep;

const SCHEMA: &str = include_str!("schema.sql");

/// Opens or makes the server's database.
pub fn open(path: &Path) -> Result<Ledger, StoreError> {
    Ledger::open(path, &[SCHEMA])
}

/// One durable step of the server.
pub fn step<T, E: From<StoreError>>(
    ledger: &mut Ledger,
    clock: ClockReading,
    work: impl FnOnce(&mut ServerStep<'_, '_>) -> Result<T, E>,
) -> Result<T, E> {
    ledger.step(clock, |step| work(&mut ServerStep { step }))
}

/// What a kiosk last told of itself.
#[derive(Debug, Clone, Serialize)]
pub struct KioskSeen {
    pub device: DeviceKey,
    pub last_seen: Timestamp,
    pub as_of: Timestamp,
    /// How far its clock is ahead of the server's, in milliseconds.
    pub clock_ahead_ms: i64,
    pub uncertainty_ms: u32,
    /// Entries it still had to give when it last called.
    pub waiting: u64,
    /// The server holds everything it had written up to here.
    pub complete_through: Option<Timestamp>,
    /// "plant/global 345 · plant/SITE1 12": what master data it knew.
    pub revisions: String,
}

pub fn kiosks_seen(connection: &Connection) -> Result<Vec<KioskSeen>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT device, last_seen_ms, as_of_ms, clock_ahead_ms, uncertainty_ms, waiting, complete_ms, revisions FROM kiosk",
    )?;
    let rows = statement.query_map([], |row| {
        Ok(KioskSeen {
            device: DeviceKey(row.get(0)?),
            last_seen: Timestamp(row.get(1)?),
            as_of: Timestamp(row.get(2)?),
            clock_ahead_ms: row.get(3)?,
            uncertainty_ms: row.get(4)?,
            waiting: row.get::<_, i64>(5)? as u64,
            complete_through: row.get::<_, Option<i64>>(6)?.map(Timestamp),
            revisions: row.get(7)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub fn note_kiosk(connection: &Connection, seen: &KioskSeen) -> Result<(), StoreError> {
    connection.prepare_cached(
        "INSERT INTO kiosk (device, last_seen_ms, as_of_ms, clock_ahead_ms, uncertainty_ms, waiting, complete_ms, revisions)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
         ON CONFLICT (device) DO UPDATE SET last_seen_ms = ?2, as_of_ms = ?3, clock_ahead_ms = ?4, uncertainty_ms = ?5, waiting = ?6,
             complete_ms = coalesce(?7, complete_ms), revisions = ?8",
    )?
    .execute(params![
        seen.device.0,
        seen.last_seen.0,
        seen.as_of.0,
        seen.clock_ahead_ms,
        seen.uncertainty_ms,
        seen.waiting as i64,
        seen.complete_through.map(|at| at.0),
        seen.revisions
    ])?;
    Ok(())
}

/// A one-time code for a terminal set-up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnrolCode {
    pub name: KioskName,
    pub site: SiteId,
    pub work_units: Vec<WorkUnitId>,
    pub expires_at: Timestamp,
    /// The device that used it.
    pub device: Option<DeviceKey>,
}

pub fn keep_code(step: &Step<'_>, digest: &Digest32, code: &EnrolCode) -> Result<(), StoreError> {
    let units: Vec<&str> = code.work_units.iter().map(WorkUnitId::as_str).collect();
    step.connection().execute(
        "INSERT INTO enrol_code (digest, name, site, work_units, expires_ms) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![digest.0, code.name.as_str(), code.site.as_str(), units.join("\n"), code.expires_at.0],
    )?;
    Ok(())
}

pub fn code(connection: &Connection, digest: &Digest32) -> Result<Option<EnrolCode>, StoreError> {
    let mut statement = connection
        .prepare_cached("SELECT name, site, work_units, expires_ms, device FROM enrol_code WHERE digest = ?1")?;
    let row = statement.query_row([digest.0], |row| {
        Ok((
            row.get::<_, String>(0)?,
            row.get::<_, String>(1)?,
            row.get::<_, String>(2)?,
            row.get::<_, i64>(3)?,
            row.get::<_, Option<[u8; 32]>>(4)?,
        ))
    });
    let Some((name, site, units, expires, device)) = row.optional()? else { return Ok(None) };
    let damaged = |_| StoreError::Damaged("an enrolment code".into());
    Ok(Some(EnrolCode {
        name: KioskName::new(&name).map_err(damaged)?,
        site: SiteId::new(&site).map_err(damaged)?,
        work_units: units.lines().map(WorkUnitId::new).collect::<Result<_, _>>().map_err(damaged)?,
        expires_at: Timestamp(expires),
        device: device.map(DeviceKey),
    }))
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

pub fn keep_legacy_row(connection: &Connection, digest: &Digest32) -> Result<(), StoreError> {
    connection.prepare_cached("INSERT OR IGNORE INTO legacy_row (digest) VALUES (?1)")?.execute([digest.0])?;
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

/// How many people owe training for a version.
pub fn assigned(connection: &Connection, document: &DocumentId, version: &VersionId) -> Result<u64, StoreError> {
    let mut statement = connection
        .prepare_cached("SELECT count(DISTINCT person) FROM assignment WHERE document = ?1 AND version = ?2")?;
    let count: i64 = statement.query_row(params![document.as_str(), version.as_str()], |row| row.get(0))?;
    Ok(count as u64)
}

/// The digests of all codes ever made.
pub fn code_digests(connection: &Connection) -> Result<Vec<Digest32>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT digest FROM enrol_code ORDER BY expires_ms DESC")?;
    Ok(statement.query_map([], |row| row.get(0).map(Digest32))?.collect::<Result<_, _>>()?)
}
