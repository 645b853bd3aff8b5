//! What the state machines ask of a store, over one transaction that the caller opens and commits.
//!
//! Nothing here decides anything: the rules are in [`super::terminal`] and [`super::server`]. Every method is a question or a statement
//! that a store answers from an index; none needs to read more than it returns.

use std::collections::BTreeMap;

use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};

use super::message::Up;
use super::order::{Cursor, Step};
use crate::id::{DeviceKey, Digest32, EntryId, Incarnation};
use crate::log::standing::Fork;
use crate::log::{Entry, LogId, Shelf, Stream};
use crate::part11::pepper::PepperEpoch;
use crate::time::HybridTime;

/// What both sides need beyond holding. `Shelf::put` of either store also adopts the entry's hybrid clock ([`HybridTime::meet`]).
pub trait Replica: Shelf {
    /// The hybrid clock: at least that of every entry of this replica's own.
    fn hybrid(&self) -> Result<HybridTime, Self::Error>;
    /// Keeps a fork's alarm. Idempotent: the same fork is the same alarm (H3).
    fn raise(&mut self, fork: &Fork) -> Result<(), Self::Error>;
    /// The reason of a held revocation of the device, on any branch; `None` when there is none.
    fn revocation(&self, device: &DeviceKey) -> Result<Option<String>, Self::Error>;
    /// Whether the people who signed this `server_recovered` had the keys and the authority, as known here. The protocol itself has already
    /// checked that two people's signatures are good over it and that the server wrote it.
    fn may_recover(&self, entry: &Entry) -> Result<bool, Self::Error>;
}

/// For some streams an ordinal beyond which what the cursor moved over is *not* confirmed: the common point with the order the server
/// last showed. A stream that isn't listed is confirmed as far as its cursor reaches.
pub type Marks = BTreeMap<Stream, u64>;

/// A kiosk's store.
///
/// **Confirmed** is kept by increments: [`Shelf::put`] adds an entry to the unconfirmed ones, [`advance`](Self::advance) takes it out,
/// [`cut`](Self::cut) adds back what it cuts off. With an index over the unconfirmed entries by log, nothing is ever recomputed.
///
/// `Shelf::may_write` must also be true of what [`loose_enrolments`](Self::loose_enrolments) give (H6).
pub trait TerminalShelf: Replica {
    fn incarnation(&self) -> Result<Option<Incarnation>, Self::Error>;
    fn set_incarnation(&mut self, incarnation: Incarnation) -> Result<(), Self::Error>;

    /// Empty when nothing of the stream was read.
    fn cursor(&self, stream: &Stream) -> Result<Cursor, Self::Error>;
    fn set_cursor(&mut self, stream: &Stream, cursor: &Cursor) -> Result<(), Self::Error>;
    /// The cursor moved over this entry, which is held and thereby confirmed. Called with rising ordinals, without gaps.
    fn advance(&mut self, stream: &Stream, step: &Step) -> Result<(), Self::Error>;
    /// The step at an ordinal of the stream's path.
    fn step(&self, stream: &Stream, ordinal: u64) -> Result<Option<Step>, Self::Error>;
    /// Forgets the steps beyond the ordinal: their entries stay held, are unconfirmed again, and are listed for review (T7).
    fn cut(&mut self, stream: &Stream, ordinal: u64) -> Result<Vec<EntryId>, Self::Error>;
    /// At which ordinal of its stream's path the cursor moved over the entry; `None` when it didn't.
    fn ordinal(&self, entry: &EntryId) -> Result<Option<u64>, Self::Error>;
    /// Logs with a held entry that has no ordinal, or one beyond its stream's mark.
    fn unconfirmed_logs(&self, marks: &Marks) -> Result<Vec<LogId>, Self::Error>;

    /// Enrolments kept outside every chain, for good (H7).
    fn loose_enrolments(&self) -> Result<Vec<Entry>, Self::Error>;
    fn keep_loose_enrolment(&mut self, enrolment: &Entry) -> Result<(), Self::Error>;

    /// How far the server's table of sealed boxes was read.
    fn box_mark(&self) -> Result<Option<BoxMark>, Self::Error>;
    /// Boxes sealed here that the server hasn't answered with the same or what stands instead, at most so many bytes.
    fn boxes_to_give(&self, max_bytes: usize) -> Result<Vec<BoxRow>, Self::Error>;
    /// Takes rows, and the mark unless one of them has to come again: which box stands, entries will say that are still to come. With `all` what was
    /// given before and isn't listed has to be given again.
    fn take_boxes(&mut self, boxes: &Boxes) -> Result<(), Self::Error>;
}

/// One number of the server's order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ordered {
    pub number: u64,
    pub chain: Digest32,
    pub entry: EntryId,
}

/// A server's store. Order chains are kept per (epoch, stream) and never rewritten; the path is a list of epochs.
pub trait ServerShelf: Replica {
    /// The epochs this store comes from, the current one last. Empty only before [`super::Server::open_epoch`].
    fn epochs(&self) -> Result<Vec<Incarnation>, Self::Error>;
    fn set_epochs(&mut self, epochs: &[Incarnation]) -> Result<(), Self::Error>;
    /// Whether a contradiction has ended the server's own writing (S4).
    fn stopped(&self) -> Result<bool, Self::Error>;
    fn set_stopped(&mut self, stopped: bool) -> Result<(), Self::Error>;

    /// Every stream of which an entry is held.
    fn streams(&self) -> Result<Vec<Stream>, Self::Error>;
    /// The last number of the stream's chain in the epoch; `None` when it has none. A database takes the row lock here.
    fn last_ordered(&self, stream: &Stream, epoch: &Incarnation) -> Result<Option<Ordered>, Self::Error>;
    /// Numbers after `after`, ascending, at most `limit`.
    fn ordered(
        &self,
        stream: &Stream,
        epoch: &Incarnation,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Ordered>, Self::Error>;
    /// Appends to the chain.
    fn order(&mut self, stream: &Stream, epoch: &Incarnation, next: &Ordered) -> Result<(), Self::Error>;

    /// The streams of an enrolled device ([`super::scope::of_enrolment`]); `None` when no enrolment of it is held.
    fn scope_of(&self, device: &DeviceKey) -> Result<Option<Vec<Stream>>, Self::Error>;
    /// Whether a held revocation of the device is a retirement: it says so, and two people signed it.
    fn is_retired(&self, device: &DeviceKey) -> Result<bool, Self::Error>;
    /// The logs of one device in one incarnation.
    fn logs_of(&self, device: &DeviceKey, incarnation: &Incarnation) -> Result<Vec<LogId>, Self::Error>;
    /// Every held `server_recovered`.
    fn recoveries(&self) -> Result<Vec<Entry>, Self::Error>;

    /// Boxes that the caller may have, beyond its mark: all of them when the mark is of another epoch or absent. It may have none that it
    /// couldn't open: the first of an epoch it doesn't show, and what follows, wait until it does, and it goes on with those it has.
    fn boxes_since(&self, up: &Up, max_bytes: usize) -> Result<Boxes, Self::Error>;
    /// Takes a box sealed at a kiosk, if it is one and outdoes the one here. Whether the device may, the store decides.
    fn put_box(&mut self, device: &DeviceKey, row: &BoxRow) -> Result<(), Self::Error>;
}

/// How far a server's table of boxes was read. After a restore the epoch differs and everything is read again.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct BoxMark {
    #[n(0)]
    pub epoch: Incarnation,
    #[n(1)]
    pub number: u64,
}

/// A row of the replaceable table of sealed boxes; the protocol doesn't look inside, and the stores read the box itself.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct BoxRow {
    #[n(0)]
    pub name: String,
    /// Which of a name's boxes is the later one: its pepper's.
    #[n(1)]
    pub epoch: PepperEpoch,
    #[n(2)]
    pub bytes: ByteVec,
}

/// Rows of the table from the server.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
#[cbor(array)]
pub struct Boxes {
    /// To be given back in the next `Up`; absent when nothing is new.
    #[n(0)]
    pub mark: Option<BoxMark>,
    /// The rows begin at the table's beginning.
    #[n(1)]
    pub all: bool,
    #[n(2)]
    pub rows: Vec<BoxRow>,
}
