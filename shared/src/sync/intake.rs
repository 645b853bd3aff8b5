//! The two ways an entry comes to lie on a shelf: it arrives, or it is written here.

use minicbor::bytes::ByteVec;

use super::scope;
use super::store::Replica;
use crate::id::{DeviceKey, EntryId, Incarnation};
use crate::kind::plant::DeviceEnrolled;
use crate::kind::{Body, Statement};
use crate::log::chain::BadHold;
use crate::log::entry::{BadEntry, seal};
use crate::log::standing::fork_at;
use crate::log::{Draft, Entry, Held, Holding, LogId, Position, Revision, Unverified, hold};
use crate::part11::signature::DeviceSecret;
use crate::time::ClockReading;

/// What became of bytes that arrived.
pub(super) enum Arrival {
    Held(Entry),
    Duplicate,
    /// The entry before it isn't held; its author signed it all the same.
    Gap(LogId),
    UnknownDevice,
    Refused(BadHold),
}

impl Arrival {
    /// Whether this is news, signed by its author, from this log's writer in this incarnation.
    pub fn is_news_from(&self, device: &DeviceKey, incarnation: &Incarnation) -> bool {
        let log = match self {
            Self::Held(entry) => entry.log(),
            Self::Gap(log) => log,
            Self::Duplicate | Self::UnknownDevice | Self::Refused(_) => return false,
        };
        log.device == *device && log.incarnation == *incarnation
    }
}

/// Reads an entry that arrived; `None` when it is held. Whoever hears the same again, for an answer was lost on its way, neither decodes nor
/// verifies it again: its id says that every byte of it was looked at before.
pub(super) fn news<S: Replica>(bytes: &[u8], store: &S) -> Result<Option<Result<Unverified, BadEntry>>, S::Error> {
    Ok(match store.place(&EntryId::of(bytes))? {
        Some(_) => None,
        None => Some(Unverified::read(bytes)),
    })
}

/// Holds what may be held (H1, H2), with the alarm of the fork it makes (H3).
pub(super) fn take_in<S: Replica>(unverified: Unverified, store: &mut S) -> Result<Arrival, S::Error> {
    let log = unverified.peek().log().clone();
    Ok(match hold(unverified, store)? {
        Holding::Held(held) => {
            put(&held, store)?;
            Arrival::Held(held.into_entry())
        }
        Holding::Duplicate => Arrival::Duplicate,
        Holding::Gap => Arrival::Gap(log),
        Holding::UnknownDevice => Arrival::UnknownDevice,
        Holding::Refused(why) => Arrival::Refused(why),
    })
}

fn put<S: Replica>(held: &Held, store: &mut S) -> Result<(), S::Error> {
    store.put(held)?;
    if let Some(fork) = fork_at(held.entry(), store)? {
        store.raise(&fork)?;
    }
    Ok(())
}

/// Writes the next entry of one of this replica's own logs.
pub(super) fn append<S: Replica>(
    log: LogId,
    draft: &Draft,
    clock: ClockReading,
    plant: Vec<Revision>,
    secret: &DeviceSecret,
    store: &mut S,
) -> Result<Result<Entry, BadEntry>, S::Error> {
    let last = store.tips(&log)?.into_iter().max();
    let position = Position {
        log,
        counter: last.map_or(1, |(counter, _)| counter + 1),
        prev: last.map(|(_, id)| id),
        hybrid: store.hybrid()?.next(clock.wall),
        clock,
        plant,
    };
    let entry = match seal(draft, &position, secret) {
        Ok(entry) => entry,
        Err(why) => return Ok(Err(why)),
    };
    let held = Held::own(entry);
    put(&held, store)?;
    Ok(Ok(held.into_entry()))
}

/// Reads bytes that claim to be an enrolment written by this server: it needs no place in a chain, only the server's signature (S2, H7).
/// `None` when they are anything else.
pub fn read_enrolment(bytes: &[u8], server: &DeviceKey) -> Option<(Entry, Statement)> {
    let unverified = Unverified::read(bytes).ok()?;
    if unverified.peek().log().device != *server {
        return None;
    }
    let entry = unverified.signed()?;
    let statement = entry.statement().ok()??;
    matches!(statement.body, Body::DeviceEnrolled(_)).then_some((entry, statement))
}

/// Whether an enrolment gives its device something that no enrolment held gives it.
pub(super) fn gives_more<S: Replica>(enrolled: &DeviceEnrolled, store: &S) -> Result<bool, S::Error> {
    for stream in scope::given_by(enrolled) {
        if !store.may_write(&enrolled.device, &stream)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What the server enrolled the device as, when its enrolment is among these.
pub(super) fn enrolled_by(enrolments: &[ByteVec], device: &DeviceKey, server: &DeviceKey) -> Option<DeviceEnrolled> {
    enrolments.iter().find_map(|bytes| match read_enrolment(bytes, server)?.1.body {
        Body::DeviceEnrolled(enrolled) if enrolled.device == *device => Some(enrolled),
        _ => None,
    })
}
