//! One durable step: entries put, derived state following them, all in one transaction.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension, Transaction, params};
use shared::id::*;
use shared::kind::{Body, Family, to_cbor};
use shared::log::standing::{Branches, Fork, Revocation};
use shared::log::{Entry, Held, LogId, Place, Shelf, Stream, Subject};

use shared::part11::authority::{self, Reach, Right, authority_check};
use shared::record::Standing;
use shared::time::ClockReading;

use crate::derive;
use crate::history;
use crate::ledger::{StoreError, World};
use crate::shelf;

/// A transaction in progress.
pub struct Step<'a> {
    pub(crate) connection: &'a Transaction<'a>,
    pub(crate) world: World,
    put: Vec<Entry>,
    forked: Vec<Fork>,
    followed: BTreeSet<PersonId>,
    all: bool,
    clock: ClockReading,
}

impl<'a> Step<'a> {
    pub(crate) fn new(connection: &'a Transaction<'a>, world: World, clock: ClockReading) -> Self {
        Self { connection, world, put: Vec::new(), forked: Vec::new(), followed: BTreeSet::new(), all: false, clock }
    }

    /// The reading with which the step began.
    pub fn clock(&self) -> ClockReading {
        self.clock
    }

    /// For the edge's own rows in the same transaction.
    pub fn connection(&self) -> &Connection {
        self.connection
    }

    /// The world as it was when the step began; it follows at the step's end.
    pub fn world(&self) -> &World {
        &self.world
    }

    /// Names a device as this world's server.
    pub fn add_server(&mut self, device: &DeviceKey) -> Result<(), StoreError> {
        self.connection.execute("INSERT OR IGNORE INTO server_key (device) VALUES (?1)", [device.0])?;
        std::sync::Arc::make_mut(&mut self.world.servers).insert(*device);
        Ok(())
    }

    /// Asks for everything derived to be derived anew at the end of this step.
    pub(crate) fn rederive(&mut self) {
        self.all = true;
    }

    /// Keeps a single value.
    pub fn set(&self, name: &str, value: &[u8]) -> Result<(), StoreError> {
        let mut statement =
            self.connection.prepare_cached("INSERT OR REPLACE INTO setting (name, value) VALUES (?1, ?2)")?;
        statement.execute(params![name, value])?;
        Ok(())
    }

    pub fn setting(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        crate::questions::setting(self.connection, name)
    }

    /// The reason of a held revocation of the device, on any branch.
    pub fn revocation(&self, device: &DeviceKey) -> Result<Option<String>, StoreError> {
        let about = shelf::entries_about(self.connection, Subject::new("device", device).as_str())?;
        Ok(about.iter().find_map(|entry| match entry.statement().ok()??.body {
            Body::DeviceRevoked(body) if body.device == *device => Some(body.reason),
            _ => None,
        }))
    }

    /// Whether two people with authority signed this recovery, as known here.
    pub fn may_recover(&self, entry: &Entry) -> bool {
        let may = |block: &shared::log::Block| {
            let theirs = self.world.keys.get(&block.key) == Some(&block.signer);
            let rights = [Right::Quality, Right::Administer];
            theirs
                && rights.iter().any(|right| {
                    authority_check(&self.world.plant, &block.signer, right, block.signed_at, Reach::OFFICE)
                        == authority::Held::Yes
                })
        };
        entry.blocks().iter().filter(|block| may(block)).count() >= 2
    }

    /// Lets derived state follow what was put so far, for work in the same step that needs it (A2).
    pub fn follow_now(&mut self) -> Result<(), StoreError> {
        let (put, forked) = (std::mem::take(&mut self.put), std::mem::take(&mut self.forked));
        let all = std::mem::take(&mut self.all);
        derive::follow(self, &put, &forked, all)?;
        if !put.is_empty() {
            self.set("hybrid", &to_cbor(&self.world.hybrid))?;
        }
        Ok(())
    }

    /// Whose records or sites may have changed since this was asked last.
    pub fn take_followed(&mut self) -> BTreeSet<PersonId> {
        std::mem::take(&mut self.followed)
    }

    pub(crate) fn note_followed(&mut self, person: &PersonId) {
        self.followed.insert(person.clone());
    }

    pub(crate) fn settle(mut self) -> Result<World, StoreError> {
        self.follow_now()?;
        Ok(self.world)
    }

    fn insert(&mut self, entry: &Entry) -> Result<(), StoreError> {
        let header = entry.header();
        let log = shelf::log_number_or_new(self.connection, &header.log)?;
        let mut statement = self.connection.prepare_cached(
            "INSERT INTO entry (id, log, counter, prev, kind, subject, topic, bytes, blocks_good)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?;
        let prev = header.prev.map(|prev| prev.0);
        statement.execute(params![
            entry.id().0,
            log,
            header.counter as i64,
            prev,
            header.kind,
            header.subject.as_str(),
            shelf::topic_of(entry),
            entry.bytes(),
            entry.blocks_verify()
        ])?;
        self.move_tip(log, entry)?;
        self.note_device(entry)
    }

    fn move_tip(&mut self, log: i64, entry: &Entry) -> Result<(), StoreError> {
        let header = entry.header();
        if let Some(prev) = header.prev {
            let mut remove = self.connection.prepare_cached("DELETE FROM tip WHERE log = ?1 AND id = ?2")?;
            remove.execute(params![log, prev.0])?;
        }
        let mut add = self.connection.prepare_cached("INSERT INTO tip (log, id, counter) VALUES (?1, ?2, ?3)")?;
        add.execute(params![log, entry.id().0, header.counter as i64])?;
        Ok(())
    }

    /// Keeps a fork's alarm; what stands behind it is judged anew at the step's end.
    pub fn raise(&mut self, fork: &Fork) -> Result<(), StoreError> {
        let log = shelf::log_number_or_new(self.connection, &fork.log)?;
        let common = fork.last_common.map_or([0; 32], |id| id.0);
        let row = params![log, fork.counter as i64, common];
        self.connection.execute("INSERT OR IGNORE INTO fork (log, counter, id) VALUES (?1, ?2, ?3)", row)?;
        self.world.doubtful = true;
        self.forked.push(fork.clone());
        Ok(())
    }

    /// The entry of another site that this one brings.
    fn brought(&mut self, entry: &Entry) -> Result<Option<Entry>, StoreError> {
        let brought = history::note(self.connection, entry)?;
        if let Some(brought) = &brought {
            let stands = history::standing(self.connection, &brought.id())?;
            self.world.doubtful |= stands.is_some_and(|stands| stands != Standing::Good);
        }
        Ok(brought)
    }

    /// Asked of every entry: by its kind first, for reading a statement costs more than putting it.
    fn note_device(&mut self, entry: &Entry) -> Result<(), StoreError> {
        match entry.header().kind.as_str() {
            "device_enrolled" => shelf::note_enrolment(self.connection, entry)?,
            "device_revoked" => self.world.doubtful |= entry.family() == Family::Plant,
            _ => {}
        }
        Ok(())
    }
}

impl Shelf for Step<'_> {
    type Error = StoreError;

    fn place(&self, id: &EntryId) -> Result<Option<Place>, StoreError> {
        shelf::place(self.connection, id)
    }
    fn entry(&self, id: &EntryId) -> Result<Option<Entry>, StoreError> {
        shelf::entry(self.connection, id)
    }
    fn logs(&self) -> Result<Vec<LogId>, StoreError> {
        shelf::logs(self.connection)
    }
    fn tips(&self, log: &LogId) -> Result<Vec<(u64, EntryId)>, StoreError> {
        shelf::tips(self.connection, log)
    }
    fn at(&self, log: &LogId, counter: u64) -> Result<Vec<EntryId>, StoreError> {
        shelf::at(self.connection, log, counter)
    }
    fn may_write(&self, device: &DeviceKey, stream: &Stream) -> Result<bool, StoreError> {
        shelf::may_write(self.connection, device, stream)
    }
    fn is_server(&self, device: &DeviceKey) -> Result<bool, StoreError> {
        Ok(self.world.servers.contains(device))
    }
    fn put(&mut self, held: &Held) -> Result<(), StoreError> {
        let entry = held.entry();
        let known = self
            .connection
            .prepare_cached("SELECT 1 FROM entry WHERE id = ?1")?
            .query_row([entry.id().0], |_| Ok(()))
            .optional()?;
        if known.is_none() {
            self.insert(entry)?;
            self.world.hybrid = self.world.hybrid.meet(entry.header().hybrid, self.clock);
            self.put.push(entry.clone());
            let brought = self.brought(entry)?;
            self.put.extend(brought);
        }
        Ok(())
    }
}

impl Branches for Step<'_> {
    fn forks(&self, log: &LogId) -> Result<Vec<Fork>, StoreError> {
        let Some(number) = shelf::log_number(self.connection, log)? else { return Ok(Vec::new()) };
        let mut statement = self.connection.prepare_cached("SELECT counter, id FROM fork WHERE log = ?1")?;
        let rows = statement.query_map([number], |row| {
            let (counter, id): (i64, [u8; 32]) = (row.get(0)?, row.get(1)?);
            let last_common = (counter > 0).then_some(EntryId(id));
            Ok(Fork { log: log.clone(), counter: counter as u64, last_common })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn revocations(&self, device: &DeviceKey) -> Result<Vec<Revocation>, StoreError> {
        let about = shelf::entries_about(self.connection, Subject::new("device", device).as_str())?;
        let revocations = about.iter().filter_map(|entry| match entry.statement().ok()??.body {
            Body::DeviceRevoked(body) if body.device == *device => {
                Some(Revocation { entry: entry.id(), heads: body.heads })
            }
            _ => None,
        });
        Ok(revocations.collect())
    }

    fn ruling(&self, id: &EntryId) -> Result<Option<bool>, StoreError> {
        Ok(self.world.plant.ruling_on(id).map(|ruling| ruling.accepted))
    }
}

/// Hands holding on to the step inside a wrapper that an edge puts around it: `forward_shelf!(KioskStep)` for a struct whose field `step`
/// dereferences to a [`Step`].
#[macro_export]
macro_rules! forward_shelf {
    ($wrapper:ident) => {
        impl shared::log::Shelf for $wrapper<'_, '_> {
            type Error = $crate::StoreError;

            fn place(&self, id: &shared::id::EntryId) -> Result<Option<shared::log::Place>, Self::Error> {
                self.step.place(id)
            }
            fn entry(&self, id: &shared::id::EntryId) -> Result<Option<shared::log::Entry>, Self::Error> {
                self.step.entry(id)
            }
            fn logs(&self) -> Result<Vec<shared::log::LogId>, Self::Error> {
                self.step.logs()
            }
            fn tips(&self, log: &shared::log::LogId) -> Result<Vec<(u64, shared::id::EntryId)>, Self::Error> {
                self.step.tips(log)
            }
            fn at(&self, log: &shared::log::LogId, counter: u64) -> Result<Vec<shared::id::EntryId>, Self::Error> {
                self.step.at(log, counter)
            }
            fn may_write(
                &self,
                device: &shared::id::DeviceKey,
                stream: &shared::log::Stream,
            ) -> Result<bool, Self::Error> {
                self.may_write_here(device, stream)
            }
            fn is_server(&self, device: &shared::id::DeviceKey) -> Result<bool, Self::Error> {
                self.step.is_server(device)
            }
            fn put(&mut self, held: &shared::log::Held) -> Result<(), Self::Error> {
                self.put_held(held)
            }
        }
    };
}
