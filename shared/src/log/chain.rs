//! Holding: which entries a replica keeps, and where they stand in their logs.
//!
//! H1: holding never asks for a verdict. H2: a second entry at a counter is held beside the first; nothing is dropped on a unique
//! clash. What fails here is never held, and never blocks what stands behind another log.

use super::entry::{BadEntry, Entry, LogId, Stream, Unverified};
use crate::id::{DeviceKey, EntryId};

/// Where a held entry stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub log: LogId,
    pub counter: u64,
    pub prev: Option<EntryId>,
}

/// What holding and the protocol ask of a store. Implemented over a database transaction by the stores, in memory by the simulator.
pub trait Shelf {
    /// The store's own failure (a broken disk); never a statement about an entry.
    type Error;

    /// Where the entry stands, if it is held.
    fn place(&self, id: &EntryId) -> Result<Option<Place>, Self::Error>;
    /// The held entry.
    fn entry(&self, id: &EntryId) -> Result<Option<Entry>, Self::Error>;
    /// Every log of which something is held.
    fn logs(&self) -> Result<Vec<LogId>, Self::Error>;
    /// The entries of a log that no held entry names as previous, with their counters: one, more after a fork.
    fn tips(&self, log: &LogId) -> Result<Vec<(u64, EntryId)>, Self::Error>;
    /// The held entries at a counter of a log: more than one after a fork.
    fn at(&self, log: &LogId, counter: u64) -> Result<Vec<EntryId>, Self::Error>;
    /// Whether an enrolment of the device that is held gives it the stream (whatever its verdict), or the device is the server.
    fn may_write(&self, device: &DeviceKey, stream: &Stream) -> Result<bool, Self::Error>;
    /// Whether the device is (or was) the server of this replica's world.
    fn is_server(&self, device: &DeviceKey) -> Result<bool, Self::Error>;
    /// Stores an entry with its tips, its enrolment if it is one, and its derived state. Idempotent.
    fn put(&mut self, entry: &Held) -> Result<(), Self::Error>;
}

/// An entry that passed [`hold`], or that this replica wrote itself: the only thing stores accept.
#[derive(Debug, Clone, PartialEq)]
pub struct Held(Entry);

impl Held {
    pub fn entry(&self) -> &Entry {
        &self.0
    }

    pub fn into_entry(self) -> Entry {
        self.0
    }

    /// An entry that this replica has just sealed at the next place of its own log.
    pub fn own(entry: Entry) -> Self {
        Self(entry)
    }
}

/// What became of an attempt to hold an entry.
#[derive(Debug, Clone, PartialEq)]
pub enum Holding {
    Held(Held),
    Duplicate,
    /// The entry before it isn't held yet.
    Gap,
    /// No enrolment that gives its device this stream is held yet.
    UnknownDevice,
    Refused(BadHold),
}

/// Why an entry can never be held.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadHold {
    #[error("{0}")]
    Entry(#[from] BadEntry),
    #[error("this stream is written by the server only")]
    ServersStream,
    #[error("the entry it names as previous stands elsewhere")]
    Misplaced,
}

/// Decides whether an entry may be held, in the protocol's order (`sync-protocol`, section 3). Stores nothing.
pub fn hold<S: Shelf>(unverified: Unverified, shelf: &S) -> Result<Holding, S::Error> {
    if shelf.place(&unverified.peek().id())?.is_some() {
        return Ok(Holding::Duplicate);
    }
    let entry = match unverified.verify_device() {
        Ok(entry) => entry,
        Err(why) => return Ok(Holding::Refused(why.into())),
    };
    let header = entry.header();
    if header.log.stream.family.is_servers_only() && !shelf.is_server(&header.log.device)? {
        return Ok(Holding::Refused(BadHold::ServersStream));
    }
    if let Some(prev) = header.prev {
        match shelf.place(&prev)? {
            None => return Ok(Holding::Gap),
            Some(place) if place.log != header.log || place.counter + 1 != header.counter => {
                return Ok(Holding::Refused(BadHold::Misplaced));
            }
            Some(_) => {}
        }
    }
    if !shelf.may_write(&header.log.device, &header.log.stream)? {
        return Ok(Holding::UnknownDevice);
    }
    Ok(Holding::Held(Held(entry)))
}
