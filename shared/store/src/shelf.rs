//! Holding over SQLite: the questions the protocol asks of a store.

use rusqlite::{Connection, OptionalExtension, params};
use shared::id::*;
use shared::kind::{Body, Family};
use shared::log::{Entry, LogId, Place, Stream};
use shared::record::Topic;
use shared::sync::scope;

use crate::ledger::StoreError;

/// The number under which a log is kept; `None` when nothing of it is held.
pub fn log_number(connection: &Connection, log: &LogId) -> Result<Option<i64>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT log FROM log WHERE device = ?1 AND incarnation = ?2 AND stream = ?3")?;
    let found = statement.query_row(params![log.device.0, log.incarnation.0, log.stream.to_string()], |row| row.get(0));
    Ok(found.optional()?)
}

/// The number under which a log is kept, given one now if it is new.
pub fn log_number_or_new(connection: &Connection, log: &LogId) -> Result<i64, StoreError> {
    if let Some(number) = log_number(connection, log)? {
        return Ok(number);
    }
    let mut statement =
        connection.prepare_cached("INSERT INTO log (device, incarnation, stream) VALUES (?1, ?2, ?3)")?;
    Ok(statement.insert(params![log.device.0, log.incarnation.0, log.stream.to_string()])?)
}

/// Reads a log's name back.
pub fn log_id(device: &[u8], incarnation: &[u8], stream: &str) -> Result<LogId, StoreError> {
    let damaged = || StoreError::Damaged("a log has no proper name".into());
    Ok(LogId {
        device: DeviceKey::try_from(device).map_err(|_| damaged())?,
        incarnation: Incarnation::try_from(incarnation).map_err(|_| damaged())?,
        stream: Stream::parse(stream).ok_or_else(damaged)?,
    })
}

pub fn place(connection: &Connection, id: &EntryId) -> Result<Option<Place>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT l.device, l.incarnation, l.stream, e.counter, e.prev FROM entry e JOIN log l USING (log) WHERE e.id = ?1",
    )?;
    let row = statement.query_row([id.0], |row| {
        Ok((
            row.get::<_, [u8; 32]>(0)?,
            row.get::<_, [u8; 16]>(1)?,
            row.get::<_, String>(2)?,
            row.get::<_, i64>(3)?,
            row.get::<_, Option<[u8; 32]>>(4)?,
        ))
    });
    let Some((device, incarnation, stream, counter, prev)) = row.optional()? else { return Ok(None) };
    let log = log_id(&device, &incarnation, &stream)?;
    Ok(Some(Place { log, counter: counter as u64, prev: prev.map(EntryId) }))
}

pub fn entry(connection: &Connection, id: &EntryId) -> Result<Option<Entry>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT bytes, blocks_good FROM entry WHERE id = ?1")?;
    let row = statement.query_row([id.0], |row| Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, bool>(1)?)));
    row.optional()?.map(|(bytes, good)| read_entry(&bytes, good)).transpose()
}

/// Reads stored bytes back as an entry.
pub fn read_entry(bytes: &[u8], blocks_good: bool) -> Result<Entry, StoreError> {
    Entry::from_store(bytes, blocks_good)
        .map_err(|why| StoreError::Damaged(format!("a stored entry can't be read: {why}")))
}

/// All entries about a subject, unsorted.
pub fn entries_about(connection: &Connection, subject: &str) -> Result<Vec<Entry>, StoreError> {
    read_all(connection, "SELECT bytes, blocks_good FROM entry WHERE subject = ?1", params![subject])
}

/// What the record streams, this site's and others', hold about a subject, unsorted: of a person, what they did and signed, without where they
/// were and what the gate decided.
pub fn record_about(connection: &Connection, subject: &str) -> Result<Vec<Entry>, StoreError> {
    read_all(
        connection,
        "SELECT bytes, blocks_good FROM entry WHERE subject = ?1 AND topic IS NOT NULL
         UNION ALL SELECT bytes, blocks_good FROM history h WHERE subject = ?1
             AND NOT EXISTS (SELECT 1 FROM entry e WHERE e.id = h.id) GROUP BY id",
        params![subject],
    )
}

/// What the record streams hold about a subject on one topic, unsorted.
pub fn record_on(connection: &Connection, subject: &str, topic: &Topic) -> Result<Vec<Entry>, StoreError> {
    let sql = "SELECT bytes, blocks_good FROM entry WHERE subject = ?1 AND topic = ?2
         UNION ALL SELECT bytes, blocks_good FROM history h WHERE subject = ?1 AND topic = ?2
             AND NOT EXISTS (SELECT 1 FROM entry e WHERE e.id = h.id) GROUP BY id";
    read_all(connection, sql, params![subject, topic.to_string()])
}

/// The name of an entry's topic, as the column has it; `None` outside the record streams.
pub fn topic_of(entry: &Entry) -> Option<String> {
    (entry.family() == Family::Record).then(|| Topic::of(entry).to_string())
}

pub(crate) fn read_all(
    connection: &Connection,
    sql: &str,
    asked: impl rusqlite::Params,
) -> Result<Vec<Entry>, StoreError> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(asked)?;
    let mut entries = Vec::new();
    while let Some(row) = rows.next()? {
        entries.push(read_entry(row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?, row.get(1)?)?);
    }
    Ok(entries)
}

pub fn logs(connection: &Connection) -> Result<Vec<LogId>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT device, incarnation, stream FROM log")?;
    let rows = statement
        .query_map([], |row| Ok((row.get::<_, [u8; 32]>(0)?, row.get::<_, [u8; 16]>(1)?, row.get::<_, String>(2)?)))?;
    rows.map(|row| row.map_err(StoreError::from).and_then(|(d, i, s)| log_id(&d, &i, &s))).collect()
}

pub fn tips(connection: &Connection, log: &LogId) -> Result<Vec<(u64, EntryId)>, StoreError> {
    let Some(number) = log_number(connection, log)? else { return Ok(Vec::new()) };
    let mut statement = connection.prepare_cached("SELECT counter, id FROM tip WHERE log = ?1 ORDER BY counter, id")?;
    let rows = statement.query_map([number], |row| Ok((row.get::<_, i64>(0)? as u64, EntryId(row.get(1)?))))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub fn at(connection: &Connection, log: &LogId, counter: u64) -> Result<Vec<EntryId>, StoreError> {
    let Some(number) = log_number(connection, log)? else { return Ok(Vec::new()) };
    let mut statement =
        connection.prepare_cached("SELECT id FROM entry WHERE log = ?1 AND counter = ?2 ORDER BY id")?;
    let rows = statement.query_map(params![number, counter as i64], |row| Ok(EntryId(row.get(0)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Whether an enrolment of the device is held, or it is the server.
pub fn is_enrolled(connection: &Connection, device: &DeviceKey) -> Result<bool, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM enrolled WHERE device = ?1) OR EXISTS (SELECT 1 FROM server_key WHERE device = ?1)",
    )?;
    Ok(statement.query_row([device.0], |row| row.get(0))?)
}

pub fn may_write(connection: &Connection, device: &DeviceKey, stream: &Stream) -> Result<bool, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM enrolled WHERE device = ?1 AND stream = ?2)
             OR EXISTS (SELECT 1 FROM server_key WHERE device = ?1)",
    )?;
    Ok(statement.query_row(params![device.0, stream.to_string()], |row| row.get(0))?)
}

/// Notes again what the held enrolments give.
pub(crate) fn note_enrolments(connection: &Connection) -> Result<(), StoreError> {
    let enrolments = read_all(connection, "SELECT bytes, blocks_good FROM entry WHERE kind = 'device_enrolled'", [])?;
    enrolments.iter().try_for_each(|entry| note_enrolment(connection, entry))
}

pub(crate) fn note_enrolment(connection: &Connection, entry: &Entry) -> Result<(), StoreError> {
    if entry.family() != Family::Plant {
        return Ok(());
    }
    let Some(Body::DeviceEnrolled(body)) = entry.statement().ok().flatten().map(|statement| statement.body) else {
        return Ok(());
    };
    let mut insert = connection.prepare_cached("INSERT OR IGNORE INTO enrolled (device, stream) VALUES (?1, ?2)")?;
    for stream in scope::given_by(&body) {
        insert.execute(params![body.device.0, stream.to_string()])?;
    }
    Ok(())
}
