//! What kiosks told of themselves, and how far the server holds what they wrote (U10).

use rusqlite::{Connection, params};
use serde::Serialize;
use shared::id::*;
use shared::time::Timestamp;
use store::StoreError;

/// What a kiosk last told of itself.
#[derive(Debug, Clone, Serialize)]
pub struct KioskSeen {
    pub device: DeviceKey,
    pub last_seen: Timestamp,
    /// Up to when its heads were all it had written, by its own clock.
    pub as_of: Timestamp,
    /// How far its clock is ahead of the server's, in milliseconds.
    pub clock_ahead_ms: i64,
    pub uncertainty_ms: u32,
    /// Entries it has shown that the server doesn't hold: at least so many, for behind a head there may be more.
    pub waiting: u64,
    /// Heads it last showed that the server doesn't hold, by whatever path they might have come since.
    pub missing: u64,
    /// The server holds everything it had written up to here; `None` while that was never so.
    pub complete_through: Option<Timestamp>,
    /// "plant/global 345 · plant/SITE1 12": what master data it knew.
    pub revisions: String,
}

pub fn kiosks_seen(connection: &Connection) -> Result<Vec<KioskSeen>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT device, last_seen_ms, as_of_ms, clock_ahead_ms, uncertainty_ms, waiting, complete_ms, revisions,
             (SELECT count(*) FROM kiosk_head AS head WHERE head.device = kiosk.device
                 AND NOT EXISTS (SELECT 1 FROM entry WHERE entry.id = head.entry))
         FROM kiosk",
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
            missing: row.get::<_, i64>(8)? as u64,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Keeps what a kiosk told in a call. How complete it is follows by [`note_heads`] and [`note_complete`].
pub fn note_kiosk(connection: &Connection, seen: &KioskSeen) -> Result<(), StoreError> {
    connection.prepare_cached(
        "INSERT INTO kiosk (device, last_seen_ms, as_of_ms, clock_ahead_ms, uncertainty_ms, waiting, revisions)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT (device) DO UPDATE SET last_seen_ms = ?2, as_of_ms = ?3, clock_ahead_ms = ?4, uncertainty_ms = ?5, waiting = ?6,
             revisions = ?7",
    )?
    .execute(params![
        seen.device.0,
        seen.last_seen.0,
        seen.as_of.0,
        seen.clock_ahead_ms,
        seen.uncertainty_ms,
        seen.waiting as i64,
        seen.revisions
    ])?;
    Ok(())
}

/// Keeps the heads that a kiosk showed as of an instant, unless it has shown later ones: calls may arrive doubled and late.
pub fn note_heads(
    connection: &Connection,
    device: &DeviceKey,
    shown: Timestamp,
    heads: &[EntryId],
) -> Result<(), StoreError> {
    let later = "UPDATE kiosk SET shown_ms = ?2 WHERE device = ?1 AND (shown_ms IS NULL OR shown_ms <= ?2)";
    if connection.prepare_cached(later)?.execute(params![device.0, shown.0])? == 0 {
        return Ok(());
    }
    connection.prepare_cached("DELETE FROM kiosk_head WHERE device = ?1")?.execute([device.0])?;
    let mut insert = connection.prepare_cached("INSERT OR IGNORE INTO kiosk_head (device, entry) VALUES (?1, ?2)")?;
    for head in heads {
        insert.execute(params![device.0, head.0])?;
    }
    Ok(())
}

/// Marks each kiosk whose last shown heads are all held as complete through the instant they were shown for. Never takes anything back.
pub fn note_complete(connection: &Connection) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "UPDATE kiosk SET complete_ms = shown_ms
             WHERE (complete_ms IS NULL OR complete_ms < shown_ms) AND shown_ms IS NOT NULL AND NOT EXISTS (
                 SELECT 1 FROM kiosk_head AS head WHERE head.device = kiosk.device
                     AND NOT EXISTS (SELECT 1 FROM entry WHERE entry.id = head.entry))",
        )?
        .execute([])?;
    Ok(())
}
