//! The messages, as bounded values in deterministic CBOR, and their signed envelopes.
//!
//! A message is read in this order: size, form of the envelope, form of the payload, limits, signature. Fields that a later version
//! appends are skipped (N speaks with N−1); fields are never reused.

use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};

pub use super::envelope::SignedUp;
use super::order::{Segment, SignedHead};
use super::shape::{MAX_SHAPE, Shape};
use super::store::{BoxMark, BoxRow, Boxes};
use crate::id::*;
use crate::log::{LogId, Stream};
use crate::part11::pepper::{Pepper, PepperEpoch};
use crate::time::Timestamp;

/// Most bytes of entries in one message.
pub const MAX_BATCH_BYTES: usize = 1024 * 1024;
/// Most bytes of a whole message, uncompressed.
pub const MAX_MESSAGE_BYTES: usize = 4 * MAX_BATCH_BYTES;
/// Most entries or items in one message.
pub const MAX_ENTRIES: usize = 8 * 1024;
/// Most logs whose tips one `Up` shows in `beyond`; further ones follow in the next.
pub const MAX_BEYOND: usize = 1024;
/// Most tips shown of each; further ones follow when these are confirmed.
pub const MAX_BEYOND_TIPS: usize = 64;
/// Most logs that one `Down` asks for.
pub const MAX_WANT: usize = 256;
/// Most streams a device takes part in.
pub const MAX_STREAMS: usize = 64;
/// Most epochs on a path.
pub const MAX_EPOCHS: usize = 256;
/// Most enrolments, or recoveries, beside a batch.
pub const MAX_ENROLMENTS: usize = 64;
/// Most logs whose tips one `Have` shows; which ones, when there are more, is drawn anew each time.
pub const MAX_HAVE: usize = 8 * 1024;
/// Most tips in one `Have`, of all logs together.
pub const MAX_HAVE_TIPS: usize = 16 * 1024;
/// Most rows of the table of sealed boxes in one message.
pub const MAX_BOXES: usize = 512;
/// Largest sealed box, in bytes.
pub const MAX_BOX_BYTES: usize = 64 * 1024;
/// Most epochs of peppers in one message: what isn't shown is given again.
pub const MAX_PEPPERS: usize = 256;
/// What a kiosk signs when it asks another.
pub const HAVE_TYPE: &str = "application/vnd.lineproof.have.v1+cbor";

/// Why bytes are not a message for this replica. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadMessage {
    #[error("larger than {MAX_MESSAGE_BYTES} bytes")]
    TooLarge,
    #[error("not in canonical form: {0}")]
    Form(String),
    #[error("more {0} than a message may carry")]
    Limit(&'static str),
    #[error("the signature is not its sender's over these bytes")]
    Signature,
    #[error("it is meant for another server")]
    OtherServer,
    /// A word between kiosks that answers none just said here: somebody says it a second time.
    #[error("it answers nothing that was said here")]
    NotAsked,
}

/// A kiosk calls the server.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
#[cbor(array)]
pub struct Up {
    /// Tells two calls in one moment apart.
    #[n(0)]
    pub number: u64,
    #[n(1)]
    pub server: DeviceKey,
    #[n(2)]
    pub device: DeviceKey,
    /// The current incarnation: `heads` are its logs.
    #[n(3)]
    pub incarnation: Incarnation,
    /// The kiosk's clock, and how far it may be off, in milliseconds.
    #[n(4)]
    pub wall: Timestamp,
    #[n(5)]
    pub uncertainty_ms: u32,
    /// `heads` are all this kiosk had written up to here; the server is complete through it once it holds them (U10).
    #[n(6)]
    pub as_of: Timestamp,
    /// Every stream of the scope in which something was read.
    #[n(7)]
    pub cursors: Vec<CursorShown>,
    #[n(8)]
    pub heads: Vec<Head>,
    /// Tips of all other logs of which an unconfirmed entry is held, whoever wrote it.
    #[n(9)]
    pub beyond: Vec<Beyond>,
    /// Entries, plant first.
    #[n(10)]
    pub entries: Vec<ByteVec>,
    /// Enrolments that don't stand in their chain here (H7), and the own one when the server didn't know this device.
    #[n(11)]
    pub enrolments: Vec<ByteVec>,
    #[n(12)]
    pub box_mark: Option<BoxMark>,
    #[n(13)]
    pub boxes: Vec<BoxRow>,
    /// The epochs whose peppers this kiosk's key store holds; absent from a version that knew of one alone.
    #[n(14)]
    pub peppers: Option<Vec<PepperEpoch>>,
}

impl Up {
    /// Whether this kiosk opens what was sealed in the epoch.
    pub fn knows(&self, epoch: PepperEpoch) -> bool {
        epoch == PepperEpoch::FIRST || self.peppers.as_ref().is_some_and(|known| known.contains(&epoch))
    }

    /// The tips of all logs this kiosk has written: those of its current incarnation, and of former ones that the order hasn't confirmed to it.
    /// Who holds them holds everything it had written up to `as_of` (U10). `None` when there may be more of them than a message shows.
    pub fn own_heads(&self) -> Option<Vec<EntryId>> {
        let former = || self.beyond.iter().filter(|beyond| beyond.log.device == self.device);
        let whole = self.beyond.len() < MAX_BEYOND
            && former().all(|beyond| beyond.tips.len() < MAX_BEYOND_TIPS)
            && self.heads.iter().all(|head| head.tips.len() < MAX_SHAPE);
        let current = self.heads.iter().flat_map(|head| &head.tips);
        whole.then(|| current.chain(former().flat_map(|beyond| &beyond.tips)).copied().collect())
    }
}

/// A cursor as the server sees it. While both sides agree its last segment is enough; else the whole path goes along with its proof.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct CursorShown {
    #[n(0)]
    pub stream: Stream,
    #[n(1)]
    pub path: Vec<Segment>,
    #[n(2)]
    pub witness: Option<SignedHead>,
}

/// The tips of one of the sender's own logs of the current incarnation.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Head {
    #[n(0)]
    pub stream: Stream,
    #[n(1)]
    pub tips: Vec<EntryId>,
}

/// The unconfirmed tips of a log. No locator: the server either holds a tip or answers with its own shape.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Beyond {
    #[n(0)]
    pub log: LogId,
    #[n(1)]
    pub tips: Vec<EntryId>,
}

/// The server answers.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
#[cbor(array)]
pub struct Down {
    #[n(0)]
    pub server: DeviceKey,
    /// Digest of the very `Up` it answers.
    #[n(1)]
    pub answers: Digest32,
    /// The server's time when it answered.
    #[n(2)]
    pub time: Timestamp,
    #[n(3)]
    pub standing: DeviceStanding,
    /// One for every stream of the scope.
    #[n(4)]
    pub paths: Vec<PathShown>,
    /// `server_recovered` entries of epochs on the path; each verifies by itself.
    #[n(5)]
    pub recovered: Vec<ByteVec>,
    /// What the server holds of the caller's own logs of the current incarnation, where it differs from `Up.heads`.
    #[n(6)]
    pub held: Vec<HeldLog>,
    #[n(7)]
    pub want: Vec<Want>,
    #[n(8)]
    pub items: Vec<Item>,
    /// The order's head at the last item of each stream and epoch.
    #[n(9)]
    pub heads: Vec<SignedHead>,
    /// The server has more for this kiosk.
    #[n(10)]
    pub more: bool,
    #[n(11)]
    pub boxes: Boxes,
    /// Those that boxes in use were sealed under, and the newest, as far as the kiosk didn't show them.
    #[n(12)]
    pub peppers: Option<Vec<(PepperEpoch, Pepper)>>,
}

/// What the server knows of the calling device.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum DeviceStanding {
    #[n(0)]
    Ok,
    #[n(1)]
    UnknownDevice,
    /// It may give, and takes nothing (T9). Why, and whether two people signed that it leaves for good (S9): a terminal erases itself on nothing less.
    /// Absent from a version that didn't say.
    #[n(2)]
    Revoked(#[n(0)] String, #[n(1)] Option<bool>),
}

/// The server's path for a stream, with the chain at the kiosk's own position in the latest epoch that both have followed.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct PathShown {
    #[n(0)]
    pub stream: Stream,
    #[n(1)]
    pub path: Vec<Segment>,
    #[n(2)]
    pub at: Option<Digest32>,
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct HeldLog {
    #[n(0)]
    pub stream: Stream,
    #[n(1)]
    pub shape: Shape,
}

/// A log of which the server lacks something, and what it has.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Want {
    #[n(0)]
    pub log: LogId,
    #[n(1)]
    pub shape: Shape,
}

/// One place of the order. Items of a stream follow each other without gaps.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Item {
    #[n(0)]
    pub stream: Stream,
    #[n(1)]
    pub epoch: Incarnation,
    #[n(2)]
    pub number: u64,
    #[n(3)]
    pub given: Given,
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Given {
    #[n(0)]
    Entry(#[n(0)] ByteVec),
    /// The kiosk is known to hold it: it came from there, or precedes one of its heads.
    #[n(1)]
    Id(#[n(0)] EntryId),
}

impl Given {
    pub fn id(&self) -> EntryId {
        match self {
            Self::Entry(bytes) => EntryId::of(bytes),
            Self::Id(id) => *id,
        }
    }
}

/// What a kiosk says to another, signed by it. Entries follow only a word that answers one just said: nobody gets them by saying again what
/// somebody else once said.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
#[cbor(array)]
pub struct Have {
    #[n(0)]
    pub device: DeviceKey,
    /// Whose plant the sender belongs to.
    #[n(1)]
    pub server: DeviceKey,
    /// The sender's enrolment, so that a peer that hasn't met it can check it.
    #[n(2)]
    pub enrolments: Vec<ByteVec>,
    /// Random: no two words are the same.
    #[n(3)]
    pub number: u64,
    /// Digest of the very word it answers; none in the first.
    #[n(4)]
    pub answers: Option<Digest32>,
    #[n(5)]
    pub shown: Shown,
}

impl Have {
    /// Whether it may be said after `said`: the first word any time, the others in answer to it alone.
    pub fn follows(&self, said: Option<&Digest32>) -> bool {
        match &self.shown {
            Shown::Digests(_) => self.answers.is_none(),
            Shown::Tips(..) | Shown::Wants(_) => self.answers.is_some() && self.answers.as_ref() == said,
        }
    }
}

/// The three words of a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Shown {
    /// Who calls: for each shared stream of its scope a digest of all its tips.
    #[n(0)]
    Digests(#[n(0)] Vec<StreamDigest>),
    /// Who is called: of the streams that differ the tips of every log, and whether these are all.
    #[n(1)]
    Tips(#[n(0)] Vec<Stream>, #[n(1)] Vec<LogTips>, #[n(2)] bool),
    /// Who calls: the logs of which it lacks something, and what it has of each.
    #[n(2)]
    Wants(#[n(0)] Vec<Want>),
}

/// What the sender holds of a log up to.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct LogTips {
    #[n(0)]
    pub log: LogId,
    #[n(1)]
    pub tips: Vec<EntryId>,
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct StreamDigest {
    #[n(0)]
    pub stream: Stream,
    #[n(1)]
    pub digest: Digest32,
}

/// Entries for whoever lacks them. Not signed: each entry speaks for itself. An exchange bundle is a list of these in a file, and
/// [`super::bundle::Manifest`] at its end.
#[derive(Debug, Clone, PartialEq, Default, Encode, Decode)]
#[cbor(array)]
pub struct Give {
    /// The giver's, and those it keeps for others (H7).
    #[n(0)]
    pub enrolments: Vec<ByteVec>,
    /// Plant first; each log by counter.
    #[n(1)]
    pub entries: Vec<ByteVec>,
    /// The giver has more: ask again.
    #[n(2)]
    pub more: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind::to_cbor;

    #[test]
    fn s9_a_revocation_of_which_an_earlier_version_says_no_more_than_why_is_no_retirement() {
        let earlier = [&[0x82, 2, 0x81, 0x66][..], b"stolen"].concat();
        let revoked = DeviceStanding::Revoked("stolen".into(), None);
        assert_eq!(minicbor::decode::<DeviceStanding>(&earlier).unwrap(), revoked);
        assert_eq!(to_cbor(&revoked), earlier, "and such a version reads what is said to it");
        let retired = DeviceStanding::Revoked("closed".into(), Some(true));
        assert_eq!(minicbor::decode::<DeviceStanding>(&to_cbor(&retired)).unwrap(), retired);
    }
}
