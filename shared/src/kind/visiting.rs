//! Kinds of the visiting streams: what the server tells a site of people who also work, or worked, elsewhere.

use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};

use super::plant::bodies;
use crate::id::*;

bodies! {
    /// An entry of another site's record, as it stands there; it is about whom this entry is about. The latest word on an entry counts.
    HistoryEntry {
        0 entry: EntryId,
        1 standing: LogStanding,
        /// From 0: an entry that fills its own bounds comes in two parts.
        2 part: u8,
        3 parts: u8,
        4 bytes: ByteVec,
    }
    /// Everything that the server held of the person in the other site's record has come before.
    HistoryWhole { 0 person: PersonId, 1 site: SiteId, }
}

/// What an entry's log and device say of it where its whole log is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum LogStanding {
    #[n(0)]
    Good,
    #[n(1)]
    BehindFork,
    #[n(2)]
    DeviceRevoked,
}
