//! Sealed boxes, by name: a person's key, a quiz's right answers.
//!
//! **Of a person's boxes the one of their key in use stands, and of those the one of the latest epoch.** Whether a box is of a key its set-up says, or
//! its owner's signature; the rest of a row is somebody's word.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension, params};
use shared::id::*;
use shared::kind::to_cbor;
use shared::part11::boxes::{SealedBox, person_box_name, person_of_box};
use shared::part11::pepper::PepperEpoch;

use crate::ledger::StoreError;
use crate::questions;
use crate::step::Step;

/// The box kept under a name; one that can't be read opens nothing, and counts as none.
pub fn sealed_box(connection: &Connection, name: &str) -> Result<Option<SealedBox>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT bytes FROM box WHERE name = ?1")?;
    let bytes: Option<Vec<u8>> = statement.query_row([name], |row| row.get(0)).optional()?;
    Ok(bytes.and_then(|bytes| SealedBox::read(&bytes)))
}

/// The person's key in use, and the box that holds it, where it is here.
pub fn key_box(connection: &Connection, person: &PersonId) -> Result<Option<(PersonKey, SealedBox)>, StoreError> {
    let name = person_box_name(person);
    let (Some((key, named)), Some(sealed)) = (questions::key_of(connection, person)?, sealed_box(connection, &name)?)
    else {
        return Ok(None);
    };
    Ok(sealed.is_of(person, key, &named).then_some((key, sealed)))
}

/// Whether the box holds what its name promises, as known here: the key that the person signs with. What a quiz's holds only its opening tells.
pub fn is_in_use(connection: &Connection, name: &str, sealed: &SealedBox) -> Result<bool, StoreError> {
    let Some(person) = person_of_box(name) else { return Ok(true) };
    let key = questions::key_of(connection, &person)?;
    Ok(key.is_some_and(|(key, named)| sealed.is_of(&person, key, &named)))
}

/// The epochs that boxes kept here were sealed in.
pub fn epochs(connection: &Connection) -> Result<BTreeSet<PepperEpoch>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT DISTINCT epoch FROM box")?;
    let rows = statement.query_map([], |row| row.get::<_, i64>(0).map(|epoch| PepperEpoch(epoch as u64)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Names of quizzes' boxes that were sealed before the epoch.
pub fn answers_before(connection: &Connection, epoch: PepperEpoch) -> Result<Vec<String>, StoreError> {
    let mut statement = connection
        .prepare_cached("SELECT name FROM box WHERE epoch < ?1 AND name NOT LIKE 'person/%' ORDER BY name")?;
    let rows = statement.query_map([epoch.0 as i64], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// How many people's keys are sealed, and how many of them not in the epoch.
pub fn keys_sealed_outside(connection: &Connection, epoch: PepperEpoch) -> Result<(u64, u64), StoreError> {
    let sql = "SELECT count(*), count(*) FILTER (WHERE epoch <> ?1) FROM box WHERE name LIKE 'person/%'";
    let counted = connection
        .prepare_cached(sql)?
        .query_row([epoch.0 as i64], |row| Ok((row.get::<_, i64>(0)? as u64, row.get::<_, i64>(1)? as u64)))?;
    Ok(counted)
}

impl Step<'_> {
    /// Puts a box in the place of the one before.
    pub fn put_box(&self, name: &str, sealed: &SealedBox) -> Result<(), StoreError> {
        let sql = "INSERT INTO box (name, epoch, bytes) VALUES (?1, ?2, ?3)
                   ON CONFLICT (name) DO UPDATE SET epoch = excluded.epoch, bytes = excluded.bytes";
        self.connection().prepare_cached(sql)?.execute(params![name, sealed.epoch.0 as i64, to_cbor(sealed)])?;
        Ok(())
    }
}
