//! What is asked of the tables.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, OptionalExtension, params};
use shared::id::*;
use shared::kind::Body;
use shared::kind::record::SigningSetUp;
use shared::log::Entry;
use shared::log::effect::Verdict;
use shared::plant::fold::order_of;
use shared::record::TrainingRecord;
use shared::time::Timestamp;
use shared::training::task_session::{Performances, TaskSession};

use crate::ledger::StoreError;

fn decoded<'b, T: minicbor::Decode<'b, ()>>(bytes: &'b [u8], what: &str) -> Result<T, StoreError> {
    minicbor::decode(bytes).map_err(|why| StoreError::Damaged(format!("{what} can't be read: {why}")))
}

/// A single value of this replica.
pub fn setting(connection: &Connection, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT value FROM setting WHERE name = ?1")?;
    Ok(statement.query_row([name], |row| row.get(0)).optional()?)
}

/// A person's evidence as derived. Verdicts of the entries themselves are asked by [`verdict`].
pub fn record(connection: &Connection, person: &PersonId) -> Result<TrainingRecord, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT rows FROM evidence WHERE person = ?1 ORDER BY requirement")?;
    let mut rows = statement.query([person.as_str()])?;
    let mut record = TrainingRecord::default();
    while let Some(row) = rows.next()? {
        record.append(decoded(row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?, "evidence")?);
    }
    Ok(record)
}

/// The part of a person's evidence that is about these requirements.
pub fn record_on(
    connection: &Connection,
    person: &PersonId,
    requirements: BTreeSet<&RequirementId>,
) -> Result<TrainingRecord, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT rows FROM evidence WHERE person = ?1 AND requirement = ?2")?;
    let mut record = TrainingRecord::default();
    for requirement in requirements {
        let mut rows = statement.query([person.as_str(), requirement.as_str()])?;
        if let Some(row) = rows.next()? {
            record.append(decoded(row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?, "evidence")?);
        }
    }
    Ok(record)
}

/// The verdict on an entry; entries without a row count.
pub fn verdict(connection: &Connection, id: &EntryId) -> Result<Verdict, StoreError> {
    let mut statement = connection.prepare_cached("SELECT verdict FROM verdict WHERE id = ?1")?;
    let bytes: Option<Vec<u8>> = statement.query_row([id.0], |row| row.get(0)).optional()?;
    bytes.map_or(Ok(Verdict::Effective), |bytes| decoded(&bytes, "a verdict"))
}

/// Entries on hold, with their subjects: what waits for a ruling.
pub fn on_hold(connection: &Connection) -> Result<Vec<(EntryId, String, Verdict)>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT id, subject, verdict FROM verdict WHERE on_hold = 1 ORDER BY subject, id")?;
    let mut rows = statement.query([])?;
    let mut held = Vec::new();
    while let Some(row) = rows.next()? {
        let bytes: Vec<u8> = row.get(2)?;
        held.push((EntryId(row.get(0)?), row.get(1)?, decoded(&bytes, "a verdict")?));
    }
    Ok(held)
}

/// The person's key in use, with the digest of its box: the one whose set-up no other replaces. Of set-ups that didn't know of one another it is
/// the latest in the order of the fold, whatever arrived last here.
pub fn key_of(connection: &Connection, person: &PersonId) -> Result<Option<(PersonKey, Digest32)>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT key, box_digest, entry FROM person_key WHERE person = ?1")?;
    let rows = statement.query_map([person.as_str()], |row| {
        Ok((PersonKey(row.get(0)?), Digest32(row.get(1)?), EntryId(row.get(2)?)))
    })?;
    let mut keys: Vec<(PersonKey, Digest32, EntryId)> = rows.collect::<Result<_, _>>()?;
    // Nearly everybody has one key, and this is asked at each signature.
    if keys.len() > 1 {
        let mut set_ups = BTreeMap::new();
        for (.., id) in &keys {
            set_ups.extend(set_up(connection, id)?.map(|set_up| (*id, set_up)));
        }
        let replaced: BTreeSet<&EntryId> = set_ups.values().flat_map(|set_up| &set_up.header().seen).collect();
        keys.sort_by_key(|(.., id)| (!replaced.contains(id), set_ups.get(id).map(order_of)));
    }
    Ok(keys.pop().map(|(key, box_digest, _)| (key, box_digest)))
}

/// The set-ups of the person's keys: what a new one replaces, and names as seen.
pub fn set_ups(connection: &Connection, person: &PersonId) -> Result<Vec<EntryId>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT entry FROM person_key WHERE person = ?1 ORDER BY entry")?;
    let rows = statement.query_map([person.as_str()], |row| row.get(0).map(EntryId))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The set-up of the key that [`key_of`] names.
pub fn set_up_of(connection: &Connection, key: &PersonKey) -> Result<Option<SigningSetUp>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT entry FROM person_key WHERE key = ?1")?;
    let id = statement.query_row([key.0], |row| Ok(EntryId(row.get(0)?))).optional()?;
    let entry = id.map(|id| set_up(connection, &id)).transpose()?.flatten();
    Ok(entry.and_then(|entry| match entry.statement().ok().flatten()?.body {
        Body::SigningSetUp(set_up) => Some(set_up),
        _ => None,
    }))
}

/// A set-up, made here or at another site.
fn set_up(connection: &Connection, id: &EntryId) -> Result<Option<Entry>, StoreError> {
    let here = crate::shelf::entry(connection, id)?;
    here.map_or_else(|| crate::history::entry(connection, id), |entry| Ok(Some(entry)))
}

/// A task session: the one that counts, where more than one terminal claims to have opened it.
pub fn session(connection: &Connection, session: &ActId) -> Result<Option<TaskSession>, StoreError> {
    Ok(sessions(connection, session)?.into_iter().next())
}

/// Everything that claims to be this session, what counts first.
pub(crate) fn sessions(connection: &Connection, session: &ActId) -> Result<Vec<TaskSession>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT s.state FROM task_session s LEFT JOIN verdict v ON v.id = s.opened_by
         WHERE s.session = ?1 ORDER BY v.id IS NOT NULL, s.opened_by",
    )?;
    sessions_of(&mut statement, params![session.0])
}

/// A person's task sessions that count, as performances, by task.
pub fn performances(connection: &Connection, person: &PersonId) -> Result<Performances, StoreError> {
    Ok(performed(connection, person)?.into_iter().map(|s| (s.task.clone(), s.performance())).collect())
}

/// A person's task sessions that count, the latest first.
pub fn performed(connection: &Connection, person: &PersonId) -> Result<Vec<TaskSession>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT state FROM task_session s WHERE person = ?1 AND NOT EXISTS (SELECT 1 FROM verdict v WHERE v.id = s.opened_by)
         ORDER BY started_ms DESC LIMIT 2000",
    )?;
    sessions_of(&mut statement, params![person.as_str()])
}

/// Task sessions at a work unit that nobody has ended, as the device `here` counts them, earliest first. What it opened itself is there, whatever
/// others hold of it.
pub fn open_sessions(
    connection: &Connection,
    work_unit: &WorkUnitId,
    here: &DeviceKey,
) -> Result<Vec<TaskSession>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT s.state FROM task_session s
         WHERE s.work_unit = ?1 AND s.ended_ms IS NULL
             AND (NOT EXISTS (SELECT 1 FROM verdict v WHERE v.id = s.opened_by)
                  OR EXISTS (SELECT 1 FROM entry e JOIN log l USING (log) WHERE e.id = s.opened_by AND l.device = ?2))
         ORDER BY s.started_ms",
    )?;
    sessions_of(&mut statement, params![work_unit.as_str(), here.0])
}

/// Task sessions begun at a work unit from `started_after` on, the latest first, at most `most`.
pub fn latest_sessions(
    connection: &Connection,
    work_unit: &WorkUnitId,
    started_after: Timestamp,
    most: u32,
) -> Result<Vec<TaskSession>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT state FROM task_session WHERE work_unit = ?1 AND started_ms >= ?2 ORDER BY started_ms DESC LIMIT ?3",
    )?;
    sessions_of(&mut statement, params![work_unit.as_str(), started_after.0, most])
}

/// Everybody's task sessions on a lot (H5).
pub fn sessions_on_lot(connection: &Connection, lot: &LotId) -> Result<Vec<TaskSession>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT state FROM task_session WHERE lot = ?1 ORDER BY started_ms")?;
    sessions_of(&mut statement, params![lot.as_str()])
}

fn sessions_of(
    statement: &mut rusqlite::Statement<'_>,
    parameters: impl rusqlite::Params,
) -> Result<Vec<TaskSession>, StoreError> {
    let mut rows = statement.query(parameters)?;
    let mut sessions = Vec::new();
    while let Some(row) = rows.next()? {
        let bytes = row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?;
        sessions.push(decoded(bytes, "a task session")?);
    }
    Ok(sessions)
}

/// Entries about a subject of one kind that came to be held here after another, in that order.
pub fn entries_of_kind_after(
    connection: &Connection,
    subject: &str,
    kind: &str,
    after: &EntryId,
) -> Result<Vec<Entry>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT bytes, blocks_good FROM entry
         WHERE subject = ?1 AND kind = ?2 AND row > (SELECT row FROM entry WHERE id = ?3) ORDER BY row",
    )?;
    let rows =
        statement.query_map(params![subject, kind, after.0], |row| Ok((row.get::<_, Vec<u8>>(0)?, row.get(1)?)))?;
    rows.map(|row| row.map_err(StoreError::from).and_then(|(bytes, good)| crate::shelf::read_entry(&bytes, good)))
        .collect()
}

/// The next day passes behind a row, with their rows, in the order in which they came to be held here.
pub fn day_passes_behind(connection: &Connection, behind: i64, most: usize) -> Result<Vec<(i64, Entry)>, StoreError> {
    let sql = "SELECT row, bytes, blocks_good FROM entry WHERE kind = 'day_pass' AND row > ?1 ORDER BY row LIMIT ?2";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement
        .query_map(params![behind, most as i64], |row| Ok((row.get(0)?, row.get::<_, Vec<u8>>(1)?, row.get(2)?)))?;
    rows.map(|row| {
        let (row, bytes, good) = row?;
        Ok((row, crate::shelf::read_entry(&bytes, good)?))
    })
    .collect()
}

/// Entries about a subject of one kind, unsorted.
pub fn entries_of_kind(connection: &Connection, subject: &str, kind: &str) -> Result<Vec<Entry>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT bytes, blocks_good FROM entry WHERE subject = ?1 AND kind = ?2")?;
    let rows = statement.query_map(params![subject, kind], |row| Ok((row.get::<_, Vec<u8>>(0)?, row.get(1)?)))?;
    rows.map(|row| row.map_err(StoreError::from).and_then(|(bytes, good)| crate::shelf::read_entry(&bytes, good)))
        .collect()
}
