//! What the machine can do without us: commits and rows of bare SQLite, bare verifications.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use shared::log::Entry;
use shared::part11::signature::{DeviceSecret, verify};

use crate::Trouble;

/// A database with one table and our durability (WAL, `synchronous = FULL`), beside the stores.
pub struct Bare(Connection);

impl Bare {
    pub fn open(folder: &Path) -> Result<Self, Trouble> {
        let connection = Connection::open(folder.join("bare.sqlite"))?;
        connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
        connection.execute_batch(
            "PRAGMA synchronous = FULL; CREATE TABLE IF NOT EXISTS bare (id INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;",
        )?;
        Ok(Self(connection))
    }

    /// One durable commit of these rows.
    pub fn commit<'b>(&mut self, rows: impl IntoIterator<Item = &'b [u8]>) -> Result<Duration, Trouble> {
        let began = Instant::now();
        let transaction = self.0.transaction()?;
        {
            let mut insert = transaction.prepare_cached("INSERT INTO bare (bytes) VALUES (?1)")?;
            for row in rows {
                insert.execute([row])?;
            }
        }
        transaction.commit()?;
        Ok(began.elapsed())
    }
}

/// How long the signatures of these entries take to verify, one after the other: one of the device over the entry, one a block over a digest.
pub fn verifying(entries: &[Entry]) -> Duration {
    let secret = DeviceSecret::from_seed([7; 32]);
    let sign = |entry: &Entry| (secret.sign("bench", entry.bytes()), secret.sign("bench", &entry.id().0));
    let signed: Vec<_> = entries.iter().map(sign).collect();
    let key = secret.key().0;
    let began = Instant::now();
    for (entry, (device, block)) in entries.iter().zip(&signed) {
        assert!(verify(&key, "bench", entry.bytes(), device), "a good signature verifies");
        for _ in entry.blocks() {
            assert!(verify(&key, "bench", &entry.id().0, block), "a good signature verifies");
        }
    }
    began.elapsed()
}
