//! Wrong secrets and right ones (R15): which failures of a person count.
//!
//! A failure counts until the right secret was given after it, or somebody who may forgave it by name. *After* is told by causality, never by
//! a wall clock alone: at the replica where the failure happened, its own hybrid clock says what came later; anywhere else, the right secret
//! must be later at both ends of what the two clocks admit. A clock that runs ahead, or was set back, forgives nothing that is still to come.

use std::collections::BTreeMap;

use rusqlite::{Connection, params};
use shared::id::*;
use shared::kind::{Body, Family, to_cbor};
use shared::log::effect::{Cause, Verdict};
use shared::log::{Entry, Subject};
use shared::time::{ClockReading, HybridTime, Timestamp};

use crate::ledger::StoreError;
use crate::shelf;

/// A wrong secret that counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failure {
    pub entry: EntryId,
    pub at: Timestamp,
    /// Where it was given.
    pub device: DeviceKey,
}

/// Wrong secrets of a person that count at the device `here`, as known there, earliest first. `now` is the latest that it can be there: what
/// somebody's clock puts after it forgives nothing yet.
///
/// What a revoked terminal says after its last held heads counts at that terminal alone: it locks nobody out elsewhere, and itself lets nobody try
/// for nothing.
pub fn failures(
    connection: &Connection,
    person: &PersonId,
    here: &DeviceKey,
    now: Timestamp,
) -> Result<Vec<Failure>, StoreError> {
    if !has_failed(connection, person)? {
        return Ok(Vec::new());
    }
    let right = rights(connection, person, now)?;
    let mut statement = connection.prepare_cached(
        "SELECT id, replica, hybrid, at_ms, latest_ms FROM secret_failure f WHERE person = ?1 AND latest_ms >= ?2
             AND (substr(replica, 1, 32) = ?3
                  OR NOT EXISTS (SELECT 1 FROM verdict v WHERE v.id = f.id AND v.verdict = ?4))
         ORDER BY at_ms, id",
    )?;
    let revoked = to_cbor(&Verdict::SetAside(Cause::DeviceRevoked));
    let mut rows = statement.query(params![person.as_str(), right.forgives_all_before, here.0, revoked])?;
    let mut count = Vec::new();
    while let Some(row) = rows.next()? {
        let (replica, hybrid): (Vec<u8>, Vec<u8>) = (row.get(1)?, row.get(2)?);
        let Some((device, _)) = replica.split_first_chunk() else { continue };
        let failure = Failure { entry: EntryId(row.get(0)?), at: Timestamp(row.get(3)?), device: DeviceKey(*device) };
        if !right.follows(&replica, &hybrid, row.get(4)?) && !is_forgiven(connection, &failure.entry)? {
            count.push(failure);
        }
    }
    Ok(count)
}

fn has_failed(connection: &Connection, person: &PersonId) -> Result<bool, StoreError> {
    let mut statement = connection.prepare_cached("SELECT EXISTS (SELECT 1 FROM secret_failure WHERE person = ?1)")?;
    Ok(statement.query_row([person.as_str()], |row| row.get(0))?)
}

/// Whether somebody who may forgave this failure by name, in an entry about whose failure it is: what is said of others is judged as theirs.
pub fn is_forgiven(connection: &Connection, failure: &EntryId) -> Result<bool, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM secret_forgiven g JOIN secret_failure f ON f.id = g.id LEFT JOIN verdict v ON v.id = g.lifted_by
                        WHERE g.id = ?1 AND v.id IS NULL
                          AND (EXISTS (SELECT 1 FROM entry e WHERE e.id = g.lifted_by AND e.subject = 'person:' || f.person)
                               OR EXISTS (SELECT 1 FROM history h WHERE h.id = g.lifted_by AND h.subject = 'person:' || f.person)))",
    )?;
    Ok(statement.query_row([failure.0], |row| row.get(0))?)
}

/// The latest right secrets of a person.
#[derive(Default)]
struct Rights {
    /// By replica: its hybrid clock, and the earliest that its moment can have been.
    by_replica: BTreeMap<Vec<u8>, (Vec<u8>, i64)>,
    /// Before this, every replica's failures lie behind another's right secret.
    forgives_all_before: i64,
}

impl Rights {
    fn follows(&self, replica: &[u8], hybrid: &[u8], latest_ms: i64) -> bool {
        self.by_replica.iter().any(|(at, (right, earliest_ms))| match at == replica {
            true => right.as_slice() > hybrid,
            false => *earliest_ms > latest_ms,
        })
    }
}

fn rights(connection: &Connection, person: &PersonId, now: Timestamp) -> Result<Rights, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT s.replica, max(s.hybrid), max(iif(s.earliest_ms <= ?2, s.earliest_ms, 0))
         FROM (SELECT DISTINCT CAST(device || incarnation AS BLOB) AS replica FROM log) l
         CROSS JOIN secret_success s ON s.replica = l.replica AND s.person = ?1
         JOIN person_key k USING (person, key) GROUP BY s.replica",
    )?;
    let rows =
        statement.query_map(params![person.as_str(), now.0], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?))))?;
    let by_replica = rows.collect::<Result<BTreeMap<Vec<u8>, (Vec<u8>, i64)>, _>>()?;
    let mut earliest: Vec<i64> = by_replica.values().map(|(_, earliest_ms)| *earliest_ms).collect();
    earliest.sort_unstable();
    // Whichever replica a failure is of, the last or the last but one is another's.
    let forgives_all_before = earliest.iter().rev().nth(1).copied().unwrap_or(i64::MIN);
    Ok(Rights { by_replica, forgives_all_before })
}

/// Lets the tables follow. Whose key it is, and whether a lifting counts, is asked when failures are counted.
pub(crate) fn follow(connection: &Connection, put: &[Entry], all: bool) -> Result<(), StoreError> {
    if !all {
        return put.iter().try_for_each(|entry| follow_entry(connection, entry));
    }
    let mut statement = connection.prepare(
        "SELECT e.bytes, e.blocks_good FROM entry e JOIN log l USING (log)
         WHERE e.kind IN ('secret_failed', 'lockout_lifted') OR (l.stream >= 'record/' AND l.stream < 'record0')
            OR (l.stream >= 'plant/' AND l.stream < 'plant0')
         UNION ALL SELECT bytes, blocks_good FROM history",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let bytes = row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?;
        follow_entry(connection, &shelf::read_entry(bytes, row.get(1)?)?)?;
    }
    Ok(())
}

/// Every signature with the person's own key is a right secret; a lifted lockout names the failures it forgives.
fn follow_entry(connection: &Connection, entry: &Entry) -> Result<(), StoreError> {
    if matches!(entry.family(), Family::Record | Family::Plant) && entry.blocks_verify() {
        note_right(connection, entry)?;
    }
    if !matches!(entry.header().kind.as_str(), "secret_failed" | "lockout_lifted") {
        return Ok(());
    }
    match entry.statement().ok().flatten().map(|statement| statement.body) {
        Some(Body::SecretFailed(_)) => note_failure(connection, entry),
        Some(Body::LockoutLifted(body)) if *entry.subject() == Subject::person(&body.person) => {
            body.forgives.iter().try_for_each(|id| {
                let sql = "INSERT OR IGNORE INTO secret_forgiven (id, lifted_by) VALUES (?1, ?2)";
                connection.prepare_cached(sql)?.execute(params![id.0, entry.id().0])?;
                Ok(())
            })
        }
        _ => Ok(()),
    }
}

fn note_right(connection: &Connection, entry: &Entry) -> Result<(), StoreError> {
    let (replica, clock) = (replica_of(entry), clock_of(entry));
    let sql = "INSERT INTO secret_success (person, key, replica, hybrid, earliest_ms) VALUES (?1, ?2, ?3, ?4, ?5)
               ON CONFLICT (replica, person, key) DO UPDATE
               SET hybrid = max(hybrid, excluded.hybrid), earliest_ms = max(earliest_ms, excluded.earliest_ms)";
    for block in entry.blocks() {
        let (signer, hybrid) = (block.signer.as_str(), in_order(entry.header().hybrid));
        // The person signed when they signed, in whatever entry a terminal brings it again.
        let earliest = clock.earliest().min(block.signed_at);
        connection.prepare_cached(sql)?.execute(params![signer, block.key.0, replica, hybrid, earliest.0])?;
    }
    Ok(())
}

fn note_failure(connection: &Connection, entry: &Entry) -> Result<(), StoreError> {
    let Some(person) = entry.subject().as_person() else { return Ok(()) };
    let clock = clock_of(entry);
    let sql = "INSERT OR IGNORE INTO secret_failure (id, person, replica, hybrid, at_ms, latest_ms)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    connection.prepare_cached(sql)?.execute(params![
        entry.id().0,
        person.as_str(),
        replica_of(entry),
        in_order(entry.header().hybrid),
        clock.wall.0,
        clock.latest().0
    ])?;
    Ok(())
}

fn clock_of(entry: &Entry) -> ClockReading {
    let header = entry.header();
    ClockReading { wall: header.wall, uncertainty_ms: header.uncertainty_ms }
}

fn replica_of(entry: &Entry) -> Vec<u8> {
    let log = entry.log();
    [log.device.0.as_slice(), &log.incarnation.0].concat()
}

/// A hybrid time as bytes that compare as it does.
fn in_order(hybrid: HybridTime) -> Vec<u8> {
    [hybrid.ms.max(0).to_be_bytes().as_slice(), &hybrid.tick.to_be_bytes()].concat()
}
