//! A backup: everything a server needs but its keys, in one file.
//!
//! **A backup is what was committed at one instant. Whoever has the file can neither sign as the server nor open a box.**
//!
//! The file is an SQLite database: the server's own, as `VACUUM INTO` copies it from one snapshot while the server goes on writing, with two tables
//! more. `backup_blob` holds the blobs, which are named by what they hold and never deleted, so those copied after the snapshot are those it
//! names and perhaps some more. `backup` holds one row: what the file holds, signed by the server. The signature covers a digest over every row of
//! every table, so one altered byte that means anything is noticed before anything is restored.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use minicbor::{Decode, Encode};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, OptionalExtension, params};
use serde::Serialize;
use shared::id::*;
use shared::kind::to_cbor;
use shared::part11::signature::{DeviceSecret, verify};
use shared::time::Timestamp;
use store::StoreError;
use store::blobs::Blobs;

use super::verify::{Verification, look};
use super::{Refused, folder};

/// What the server signs of a backup.
const BACKUP_TYPE: &str = "application/vnd.lineproof.backup.v1+cbor";
/// The form this version writes.
const FORM: u32 = 2;
/// How many blobs are copied in one transaction.
const BLOBS_AT_ONCE: usize = 64;

/// What a backup says of itself, under the server's signature.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize)]
#[cbor(array)]
pub struct Manifest {
    #[n(0)]
    pub form: u32,
    #[n(1)]
    pub server: DeviceKey,
    #[n(2)]
    pub made_at: Timestamp,
    #[n(3)]
    pub entries: u64,
    #[n(4)]
    pub blobs: u64,
    /// Over every row of every table.
    #[n(5)]
    pub contents: Digest32,
}

/// A backup that was made, and what a look at it found.
#[derive(Debug, Serialize)]
pub struct Made {
    pub file: String,
    #[serde(flatten)]
    pub manifest: Manifest,
    pub bytes: u64,
    /// What is wrong in the copy is wrong in the server's database, too.
    pub verification: Verification,
}

/// Makes a backup of a data folder, beside a running server or without one. The file appears whole, or not at all, and never in another's place.
pub fn make(data: &Path, file: &Path, device: &DeviceSecret, now: Timestamp) -> Result<Made, Refused> {
    folder::refuse_existing(file)?;
    let made = folder::appear_whole(file, |unfinished| {
        write(data, unfinished, device, now)?;
        // Read again from the disk: what can't be read back is no backup.
        let backup = Backup::open(unfinished, &device.key())?;
        let verification = backup.look()?;
        folder::refuse_existing(file)?;
        let bytes = fs::metadata(unfinished)?.len();
        Ok(Made { file: file.display().to_string(), manifest: backup.manifest, bytes, verification })
    });
    made.map_err(|why| told(why, file))
}

fn told(why: Refused, file: &Path) -> Refused {
    let full = match &why {
        Refused::Store(error) => error.is_disk_full(),
        Refused::Io(error) => error.kind() == io::ErrorKind::StorageFull,
        _ => false,
    };
    let file = file.display();
    match why {
        _ if full => Refused::no(format!(
            "the disk of {file} is full: no backup was made, what was begun was removed, and the server's data are untouched. Free space there, or \
             name a file on another disk"
        )),
        Refused::Io(error) => Refused::no(format!(
            "{file} can't be written: {error}. No backup was made; the server's data are untouched"
        )),
        other => other,
    }
}

fn write(data: &Path, file: &Path, device: &DeviceSecret, now: Timestamp) -> Result<(), Refused> {
    OpenOptions::new().create_new(true).write(true).mode(0o600).open(file)?;
    let sqlite = |why: rusqlite::Error| Refused::Store(why.into());
    {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let source = Connection::open_with_flags(data.join(folder::DATABASE), flags).map_err(sqlite)?;
        source.busy_timeout(std::time::Duration::from_secs(10)).map_err(sqlite)?;
        let target = file.to_str().ok_or_else(|| Refused::no("the backup's name is not text; nothing was written"))?;
        source.execute("VACUUM INTO ?1", [target]).map_err(sqlite)?;
    }
    let mut copy = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(sqlite)?;
    copy.execute_batch(
        "PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL;
         CREATE TABLE backup_blob (digest BLOB PRIMARY KEY, bytes BLOB NOT NULL) STRICT;
         CREATE TABLE backup (manifest BLOB NOT NULL, signature BLOB NOT NULL) STRICT;",
    )
    .map_err(sqlite)?;
    let blobs = copy_blobs(&mut copy, &Blobs::open(&data.join("blobs"))?)?;
    let entries: i64 = copy.query_row("SELECT count(*) FROM entry", [], |row| row.get(0)).map_err(sqlite)?;
    let contents = digest_of_tables(&copy)?;
    let manifest =
        Manifest { form: FORM, server: device.key(), made_at: now, entries: entries as u64, blobs, contents };
    let bytes = to_cbor(&manifest);
    let signature = device.sign(BACKUP_TYPE, &bytes);
    copy.execute("INSERT INTO backup (manifest, signature) VALUES (?1, ?2)", params![bytes, signature.0])
        .map_err(sqlite)?;
    copy.close().map_err(|(_, why)| sqlite(why))?;
    Ok(fs::File::open(file)?.sync_all()?)
}

fn copy_blobs(copy: &mut Connection, blobs: &Blobs) -> Result<u64, Refused> {
    let digests = blobs.all()?;
    for some in digests.chunks(BLOBS_AT_ONCE) {
        let step = copy.transaction().map_err(StoreError::from)?;
        for digest in some {
            // Altered bytes are an error here: a backup that lacks a procedure is none.
            let Some(bytes) = blobs.read(digest)? else { continue };
            step.execute("INSERT INTO backup_blob (digest, bytes) VALUES (?1, ?2)", params![digest.0, bytes])
                .map_err(StoreError::from)?;
        }
        step.commit().map_err(StoreError::from)?;
    }
    Ok(digests.len() as u64)
}

/// A backup whose signature and digest were found good.
pub struct Backup {
    connection: Mutex<Connection>,
    pub manifest: Manifest,
}

impl Backup {
    /// Opens a backup made by this server, and looks at every byte that means something.
    pub fn open(file: &Path, server: &DeviceKey) -> Result<Self, Refused> {
        let named = file.display();
        if !file.is_file() {
            return Err(Refused::no(format!("{named} is not there. Nothing was changed")));
        }
        let damaged = |what: &dyn std::fmt::Display| {
            Refused::no(format!("{named} is damaged, or is no backup: {what}. Nothing was changed; use another backup"))
        };
        let connection =
            Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(|why| damaged(&why))?;
        let row = signed_row(&connection).map_err(|why| damaged(&why))?;
        let (bytes, signature) = row.ok_or_else(|| damaged(&"it says nothing of itself"))?;
        let manifest: Manifest = minicbor::decode(&bytes).map_err(|why| damaged(&why))?;
        if manifest.form != FORM {
            return Err(Refused::no(format!(
                "{named} was made by another version (form {}). Nothing was changed",
                manifest.form
            )));
        }
        if manifest.server != *server {
            return Err(Refused::no(format!(
                "{named} is a backup of another server ({}); these keys are of {}. Nothing was changed",
                manifest.server.short(),
                server.short()
            )));
        }
        if !verify(&server.0, BACKUP_TYPE, &bytes, &Signature(signature)) {
            return Err(damaged(&"what it says of itself is not signed by the server"));
        }
        let contents = digest_of_tables(&connection).map_err(|why| damaged(&why))?;
        if contents != manifest.contents {
            return Err(damaged(&"its tables are not those that were signed"));
        }
        // The digest is over tables; what is looked up goes through indexes.
        let check = || -> Result<String, StoreError> {
            Ok(connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?)
        };
        match check() {
            Ok(found) if found == "ok" => {}
            Ok(found) => return Err(damaged(&found)),
            Err(why) => return Err(damaged(&why)),
        }
        Ok(Self { connection: Mutex::new(connection), manifest })
    }

    /// Nothing panics under this lock, and nothing is written through it.
    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Every hash, chain and signature.
    pub fn look(&self) -> Result<Verification, Refused> {
        Ok(look(&self.connection(), &self.manifest.server))
    }

    /// The numbered migrations its tables have been through.
    pub fn schema(&self) -> Result<i64, Refused> {
        Ok(self.connection().query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(StoreError::from)?)
    }

    pub fn unpack_blobs(&self, into: &Blobs) -> Result<(), Refused> {
        let named = || -> Result<Vec<Digest32>, StoreError> {
            let connection = self.connection();
            let mut statement = connection.prepare("SELECT digest FROM backup_blob")?;
            Ok(statement.query_map([], |row| row.get(0).map(Digest32))?.collect::<Result<_, _>>()?)
        };
        let read = |digest: &Digest32| -> io::Result<Vec<u8>> {
            let sql = "SELECT bytes FROM backup_blob WHERE digest = ?1";
            let bytes: Vec<u8> =
                self.connection().query_row(sql, [digest.0], |row| row.get(0)).map_err(io::Error::other)?;
            if Digest32::of(&bytes) == *digest {
                Ok(bytes)
            } else {
                Err(io::Error::other("a blob isn't what its name says"))
            }
        };
        Ok(into.write_many(&named()?, &read)?)
    }

    /// Writes the server's own tables, without what the backup added.
    pub fn unpack_database(&self, into: &Path) -> Result<(), Refused> {
        OpenOptions::new().create_new(true).write(true).mode(0o600).open(into)?;
        let work = || -> Result<(), StoreError> {
            let target = into.to_str().ok_or_else(|| StoreError::Damaged("the folder's name is not text".into()))?;
            self.connection().execute("VACUUM INTO ?1", [target])?;
            let database = Connection::open_with_flags(into, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
            database.execute_batch("PRAGMA synchronous = FULL; DROP TABLE backup_blob; DROP TABLE backup; VACUUM;")?;
            Ok(())
        };
        Ok(work()?)
    }
}

/// The manifest's bytes and the signature over them.
fn signed_row(connection: &Connection) -> rusqlite::Result<Option<(Vec<u8>, [u8; 64])>> {
    let sql = "SELECT manifest, signature FROM backup";
    connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?))).optional()
}

/// One digest over every row of every table, whatever page it lies on. The row that holds it is left out.
fn digest_of_tables(connection: &Connection) -> Result<Digest32, StoreError> {
    let mut tables = connection.prepare(
        "SELECT name, sql FROM sqlite_schema WHERE type IN ('table', 'trigger', 'index', 'view') AND sql IS NOT NULL ORDER BY type, name",
    )?;
    let tables: Vec<(String, String)> =
        tables.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
    let schema: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let mut digest = Digest32::of_parts(&[b"lineproof backup", &schema.to_be_bytes()]);
    for (name, sql) in tables {
        digest = Digest32::of_parts(&[&digest.0, name.as_bytes(), sql.as_bytes()]);
        if !sql.starts_with("CREATE TABLE") || name == "backup" {
            continue;
        }
        let mut keys = connection.prepare("SELECT name FROM pragma_table_info(?1) WHERE pk > 0 ORDER BY pk")?;
        let keys: Vec<String> = keys.query_map([&name], |row| row.get(0))?.collect::<Result<_, _>>()?;
        let order = if keys.is_empty() { "rowid".to_owned() } else { keys.join(", ") };
        // Names of our own schema, not anybody's input; quoted all the same.
        let mut rows = connection.prepare(&format!("SELECT * FROM \"{name}\" ORDER BY {order}"))?;
        let columns = rows.column_count();
        let mut rows = rows.query([])?;
        while let Some(row) = rows.next()? {
            let mut parts = vec![digest.0.to_vec()];
            for column in 0..columns {
                parts.push(spelled(row.get_ref(column)?));
            }
            let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
            digest = Digest32::of_parts(&parts);
        }
    }
    Ok(digest)
}

fn spelled(value: ValueRef<'_>) -> Vec<u8> {
    let (kind, bytes) = match value {
        ValueRef::Null => (0, Vec::new()),
        ValueRef::Integer(number) => (1, number.to_be_bytes().to_vec()),
        ValueRef::Real(number) => (2, number.to_be_bytes().to_vec()),
        ValueRef::Text(text) => (3, text.to_vec()),
        ValueRef::Blob(bytes) => (4, bytes.to_vec()),
    };
    [vec![kind], bytes].concat()
}
