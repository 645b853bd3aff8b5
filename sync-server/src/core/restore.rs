//! `restore`: a server from its backup and its keys, or from its keys alone.
//!
//! Everything is looked at before anything is written. Then, each step on the disk before the next: a mark that a restore has begun; the keys; the
//! blobs; the database, in which an epoch opens behind the backup's path; the mark goes. A crash in between leaves a folder that no server starts on,
//! and a backup as it was.

use std::path::Path;

use serde::Serialize;
use shared::id::*;
use shared::sync::Server;
use shared::time::{ClockReading, Timestamp};
use store::Ledger;
use store::blobs::Blobs;

use super::backup::Backup;
use super::escrow::Escrow;
use super::{Environment, Refused, folder, random_bytes};
use crate::store::step;

/// A server that was put back.
#[derive(Debug, Serialize)]
pub struct Restored {
    pub server: DeviceKey,
    pub epoch: Incarnation,
    /// When the backup was made; `None` when there was none.
    pub backup_of: Option<Timestamp>,
    pub entries: u64,
    pub blobs: u64,
}

/// Puts a server back from its backup, into a folder without data.
pub fn from_backup(
    file: &Path,
    keys: &Escrow,
    data: &Path,
    environment: &dyn Environment,
) -> Result<Restored, Refused> {
    let backup = Backup::open(file, &keys.server())?;
    let named = file.display();
    if backup.schema()? > crate::store::SCHEMA {
        return Err(Refused::no(format!(
            "{named} was made by a later version of this program. Nothing was changed; restore with that version, or a later one"
        )));
    }
    let found = backup.look()?;
    if let Some(first) = found.findings.first() {
        return Err(Refused::no(format!(
            "{named} is whole, but the database it was made of was altered before: {} findings, the first: {}: {}. Nothing was changed; use an \
             earlier backup",
            found.findings.len(),
            first.what,
            first.problem
        )));
    }
    let made_at = backup.manifest.made_at;
    folder::begin_restore(data)?;
    keys.install(data)?;
    backup.unpack_blobs(&Blobs::open(&data.join("blobs"))?)?;
    backup.unpack_database(&data.join(folder::DATABASE))?;
    let reason = format!("restored from the backup of {}", made_at.utc().format("%Y-%m-%d %H:%M UTC"));
    let epoch = open_epoch(folder::open_database(data)?, keys, &reason, environment)?;
    folder::end_restore(data)?;
    let (entries, blobs) = (backup.manifest.entries, backup.manifest.blobs);
    Ok(Restored { server: keys.server(), epoch, backup_of: Some(made_at), entries, blobs })
}

/// Puts a server back with nothing but its keys: kiosks hand over what they hold.
pub fn from_nothing(keys: &Escrow, data: &Path, environment: &dyn Environment) -> Result<Restored, Refused> {
    folder::begin_restore(data)?;
    keys.install(data)?;
    let epoch = open_epoch(
        folder::open_database(data)?,
        keys,
        "everything was lost: restored from the keys alone",
        environment,
    )?;
    folder::end_restore(data)?;
    Ok(Restored { server: keys.server(), epoch, backup_of: None, entries: 0, blobs: 0 })
}

fn open_epoch(
    mut ledger: Ledger,
    keys: &Escrow,
    reason: &str,
    environment: &dyn Environment,
) -> Result<Incarnation, Refused> {
    let server = Server::new(keys.secrets.device.clone());
    let epoch = Incarnation(random_bytes(environment));
    let clock = ClockReading::exact(environment.now());
    step(&mut ledger, clock, |step| {
        step.step.add_server(&server.key())?;
        server.open_epoch(step, epoch, reason, clock)??;
        Ok::<_, Refused>(())
    })?;
    Ok(epoch)
}
