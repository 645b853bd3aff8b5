//! An open database and the plant it describes.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::OpenOptions;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use rusqlite::{CachedStatement, Connection, OpenFlags, Transaction, TransactionBehavior};
use rusqlite_migration::{M, Migrations};
use shared::id::*;
use shared::plant::Plant;
use shared::time::{ClockReading, HybridTime, Timestamp};

use crate::derive;
use crate::step::Step;

/// The store's own failure: a broken or full disk, a damaged file. Never a statement about an entry.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the database failed: {0}")]
    Sqlite(#[from] rusqlite::Error),
    #[error("the database's tables could not be brought up to date: {0}")]
    Migration(#[from] rusqlite_migration::Error),
    #[error("the database is damaged: {0}")]
    Damaged(String),
    #[error("the database does not run with {0}, which durability needs")]
    Pragma(&'static str),
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

impl StoreError {
    /// Whether the disk is full: nothing was written, what was acknowledged is safe.
    pub fn is_disk_full(&self) -> bool {
        match self {
            Self::Sqlite(rusqlite::Error::SqliteFailure(code, _)) => code.code == rusqlite::ErrorCode::DiskFull,
            Self::Io(error) => error.kind() == std::io::ErrorKind::StorageFull,
            _ => false,
        }
    }

    /// Whether the file itself can't be trusted any more.
    pub fn is_damage(&self) -> bool {
        match self {
            Self::Damaged(_) => true,
            Self::Sqlite(rusqlite::Error::SqliteFailure(code, _)) => {
                matches!(code.code, rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase)
            }
            Self::Migration(rusqlite_migration::Error::RusqliteError { err, .. }) => {
                matches!(err, rusqlite::Error::SqliteFailure(code, _)
                    if matches!(code.code, rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase))
            }
            _ => false,
        }
    }
}

/// What is kept in memory because every decision needs it: the plant, whose key is whose, which logs need care.
#[derive(Debug, Clone, Default)]
pub struct World {
    pub plant: Arc<Plant>,
    pub keys: Arc<BTreeMap<PersonKey, PersonId>>,
    pub servers: Arc<BTreeSet<DeviceKey>>,
    /// At least that of every entry of this replica's own.
    pub hybrid: HybridTime,
    /// How often a record has been judged, whole or in part, since the database was opened: what merging costs.
    pub judged: u64,
    /// The order of the last plant fact folded: a fact that comes before it means folding anew.
    pub(crate) folded_to: Option<shared::plant::fold::FoldOrder>,
    /// Whether any log is forked or any device revoked: then each entry's standing is looked up.
    pub(crate) doubtful: bool,
}

/// One open database.
pub struct Ledger {
    connection: Connection,
    world: World,
}

/// The length at which SQLite begins its log anew, 1,000 pages with what stands before each, and a large step more.
const LOG_BYTES: u64 = 1_100 * (4_096 + 24) + 32;

const ENTRY_TABLES: &str = include_str!("entries.sql");

/// The setting by which a migration asks for everything derived anew: an earlier version derived other things.
const REDERIVE: &str = "rederive";

/// Tables of secrets: an edge names it among its numbered migrations.
pub const SECRETS: &str = include_str!("secrets.sql");
/// Sealed boxes by epoch: the same.
pub const BOXES: &str = include_str!("boxes.sql");

/// Where lost badges and day passes are found: an edge names it among its numbered migrations.
pub const BADGES: &str = include_str!("badges.sql");
/// What opened each task session: the same.
pub const SESSIONS: &str = include_str!("sessions.sql");
/// What comes from other sites: the same.
pub const HISTORY: &str = include_str!("history.sql");
/// What devices may write to: the same.
pub const ENROLMENTS: &str = include_str!("enrolments.sql");

/// What a database is made of: its tables, indexes and triggers by kind and name, each in the words that made it.
pub type Makeup = BTreeMap<(String, String), String>;

pub fn makeup(connection: &Connection) -> Result<Makeup, StoreError> {
    let mut statement = connection.prepare("SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL")?;
    let rows = statement.query_map([], |row| Ok(((row.get(0)?, row.get(1)?), row.get(2)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// What a database that has been through so many migrations, ours and the edge's, is made of.
pub fn makeup_after(count: usize, edge: &[&'static str]) -> Result<Makeup, StoreError> {
    let mut fresh = Connection::open_in_memory()?;
    migrations(edge).to_version(&mut fresh, count)?;
    makeup(&fresh)
}

fn migrations(edge: &[&'static str]) -> Migrations<'static> {
    Migrations::new(std::iter::once(ENTRY_TABLES).chain(edge.iter().copied()).map(M::up).collect())
}

impl Ledger {
    /// Opens or makes the database. `edge` holds the edge's own numbered migrations, which come after ours.
    ///
    /// A restart finds either all of a step or nothing of it: SQLite's write-ahead log with `synchronous = FULL`.
    pub fn open(path: &Path, edge: &[&'static str]) -> Result<Self, StoreError> {
        let flags = OpenFlags::default() | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        Self::prepare(Connection::open_with_flags(path, flags)?, edge)
    }

    fn prepare(mut connection: Connection, edge: &[&'static str]) -> Result<Self, StoreError> {
        set_pragmas(&connection)?;
        migrations(edge).to_latest(&mut connection)?;
        let world = derive::load_world(&connection.transaction()?)?;
        let mut ledger = Self { connection, world };
        if crate::questions::setting(&ledger.connection, REDERIVE)?.is_some() {
            ledger.rebuild()?;
        }
        Ok(ledger)
    }

    pub fn world(&self) -> &World {
        &self.world
    }

    pub fn plant(&self) -> &Arc<Plant> {
        &self.world.plant
    }

    /// For questions; nothing is written through it.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Lets the write-ahead log have its full length from the start. While a file grows, each commit also waits until the disk holds the file's new
    /// length. SQLite takes what lies behind the last commit for the end of the log, zeros like what is left of an earlier round.
    pub fn lengthen_log(&self) -> io::Result<()> {
        let Some(database) = self.connection.path() else { return Ok(()) };
        let mut log = OpenOptions::new().append(true).open(format!("{database}-wal"))?;
        let lacking = LOG_BYTES.saturating_sub(log.metadata()?.len());
        io::copy(&mut io::repeat(0).take(lacking), &mut log)?;
        log.sync_all()
    }

    /// One durable step: runs `work`, lets derived state follow, commits. When it returns `Ok`, the step is on the disk; on `Err`
    /// nothing of it is.
    ///
    /// `clock` is read once, when the step begins.
    pub fn step<T, E: From<StoreError>>(
        &mut self,
        clock: ClockReading,
        work: impl FnOnce(&mut Step<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let before = self.world.clone();
        let (outcome, world) = self.transaction(TransactionBehavior::Immediate, |transaction| {
            let mut step = Step::new(transaction, before, clock);
            let outcome = work(&mut step)?;
            Ok::<_, E>((outcome, step.settle().map_err(E::from)?))
        })?;
        self.world = world;
        Ok(outcome)
    }

    /// Throws derived state away and derives it anew from the entries.
    pub fn rebuild(&mut self) -> Result<(), StoreError> {
        let (servers, hybrid) = (self.world.servers.clone(), self.world.hybrid);
        let world = self.transaction(TransactionBehavior::Immediate, |transaction| {
            derive::clear(transaction)?;
            transaction.execute("DELETE FROM setting WHERE name = ?1", [REDERIVE])?;
            let doubtful = derive::is_doubtful(transaction)?;
            let world = World { servers, hybrid, doubtful, ..World::default() };
            let mut step = Step::new(transaction, world, ClockReading::exact(Timestamp(0)));
            step.rederive();
            step.settle()
        })?;
        self.world = world;
        Ok(())
    }

    /// Several questions to one state of the database, whatever is written meanwhile.
    pub fn snapshot<T, E: From<StoreError>>(&self, ask: impl FnOnce(&Connection) -> Result<T, E>) -> Result<T, E> {
        self.transaction(TransactionBehavior::Deferred, |transaction| ask(transaction))
    }

    /// Runs `work` in a transaction and commits it. On `Err` nothing of it is left.
    fn transaction<T, E: From<StoreError>>(
        &self,
        behavior: TransactionBehavior,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let failed = |error: rusqlite::Error| E::from(error.into());
        let _way_back = WayBack::prepare(&self.connection).map_err(failed)?;
        let transaction = Transaction::new_unchecked(&self.connection, behavior).map_err(failed)?;
        let outcome = work(&transaction)?;
        transaction.commit().map_err(failed)?;
        Ok(outcome)
    }
}

/// Ends a transaction whose own way back failed: when memory has run out there is none to prepare it with, so this is prepared before anything
/// begins. A connection that stayed in its transaction would answer questions with what was never committed, and begin no other.
struct WayBack<'c> {
    connection: &'c Connection,
    roll_back: CachedStatement<'c>,
}

impl<'c> WayBack<'c> {
    fn prepare(connection: &'c Connection) -> rusqlite::Result<Self> {
        Ok(Self { connection, roll_back: connection.prepare_cached("ROLLBACK")? })
    }
}

impl Drop for WayBack<'_> {
    fn drop(&mut self) {
        if !self.connection.is_autocommit() {
            // Should it fail all the same, no transaction begins, and the next one's way back tries again.
            let _ = self.roll_back.execute([]);
        }
    }
}

fn set_pragmas(connection: &Connection) -> Result<(), StoreError> {
    connection.busy_timeout(std::time::Duration::from_secs(10))?;
    let mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    connection.execute_batch(
        // What is replaced is overwritten where its page is written anyhow: a box of an earlier epoch must not lie about in the file.
        "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; PRAGMA cache_size = -16000; PRAGMA secure_delete = FAST;
         PRAGMA temp_store = MEMORY; PRAGMA cell_size_check = ON;",
    )?;
    let asserted: i64 = connection.query_row("PRAGMA synchronous", [], |row| row.get(0))?;
    let foreign: i64 = connection.query_row("PRAGMA foreign_keys", [], |row| row.get(0))?;
    connection.set_prepared_statement_cache_capacity(128);
    match (mode.as_str(), asserted, foreign) {
        ("wal", 2, 1) => Ok(()),
        ("wal", 2, _) => Err(StoreError::Pragma("foreign_keys = ON")),
        ("wal", ..) => Err(StoreError::Pragma("synchronous = FULL")),
        _ => Err(StoreError::Pragma("journal_mode = WAL")),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// What somebody who switched the power off now would find at the next start.
    fn after_a_crash(ledger: &Ledger, folder: &Path) -> Ledger {
        let from = ledger.connection.path().unwrap();
        for ending in ["", "-wal"] {
            fs::copy(format!("{from}{ending}"), folder.join(format!("copy.sqlite{ending}"))).unwrap();
        }
        Ledger::open(&folder.join("copy.sqlite"), &[HISTORY]).unwrap()
    }

    #[test]
    fn safe1_a_log_of_full_length_holds_what_was_committed_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::open(&folder.path().join("ledger.sqlite"), &[HISTORY]).unwrap();
        let length =
            |ledger: &Ledger| fs::metadata(format!("{}-wal", ledger.connection.path().unwrap())).unwrap().len();
        let write = |ledger: &mut Ledger, value: u32| {
            let clock = ClockReading::exact(Timestamp(0));
            ledger.step(clock, |step| step.set("value", &value.to_be_bytes())).unwrap();
        };
        write(&mut ledger, 1);
        ledger.lengthen_log().unwrap();
        ledger.lengthen_log().unwrap();
        assert_eq!(length(&ledger), LOG_BYTES);
        // Long enough for the log to begin anew more than once.
        for value in 2..2_500 {
            write(&mut ledger, value);
            if value % 311 == 0 {
                let found = after_a_crash(&ledger, folder.path());
                let kept = crate::questions::setting(&found.connection, "value").unwrap().unwrap();
                assert_eq!(kept, value.to_be_bytes());
            }
        }
        assert_eq!(length(&ledger), LOG_BYTES, "it grew no more");
    }
}
