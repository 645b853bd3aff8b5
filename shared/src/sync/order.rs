//! The server's order: one chain of hashes per epoch and stream, and where two ways through the epochs part.

use std::collections::BTreeSet;

use minicbor::{Decode, Encode};

use crate::id::{DeviceKey, Digest32, EntryId, Incarnation, Signature};
use crate::kind::to_cbor;
use crate::log::Stream;
use crate::part11::signature::{DeviceSecret, ORDER_HEAD_TYPE, verify};

/// The chain before its first number.
pub fn chain_start(epoch: &Incarnation, stream: &Stream) -> Digest32 {
    Digest32::of_parts(&[b"lineproof order", epoch.as_bytes(), stream.to_string().as_bytes()])
}

/// The chain at the next number.
pub fn chain_next(before: &Digest32, entry: &EntryId) -> Digest32 {
    Digest32::of_parts(&[before.as_bytes(), entry.as_bytes()])
}

/// How far one epoch's order of one stream was followed. A *path* is a list of them, oldest epoch first.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Segment {
    #[n(0)]
    pub epoch: Incarnation,
    /// The last number; 0 when none.
    #[n(1)]
    pub end: u64,
    /// The chain at that number.
    #[n(2)]
    pub hash: Digest32,
}

/// How many entries a path runs over: the *ordinal* of its last one.
pub fn length(path: &[Segment]) -> u64 {
    path.iter().fold(0, |sum, segment| sum.saturating_add(segment.end))
}

/// What the server says of its order, under its signature: whoever keeps it is a witness.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct OrderHead {
    #[n(0)]
    pub server: DeviceKey,
    #[n(1)]
    pub stream: Stream,
    #[n(2)]
    pub epoch: Incarnation,
    #[n(3)]
    pub number: u64,
    #[n(4)]
    pub chain: Digest32,
    /// Digest of the path before this epoch, so that nobody can move a head onto another path.
    #[n(5)]
    pub before: Digest32,
}

/// A head with the server's signature on it. Nobody believes an unsigned one (S3).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct SignedHead {
    #[n(0)]
    pub head: OrderHead,
    #[n(1)]
    pub signature: Signature,
}

impl OrderHead {
    /// Signed after COMMIT only: a head that a crash takes back would be a lie.
    pub fn sign(self, secret: &DeviceSecret) -> SignedHead {
        let signature = secret.sign(ORDER_HEAD_TYPE, &to_cbor(&self));
        SignedHead { head: self, signature }
    }
}

impl SignedHead {
    pub fn is_signed_by(&self, server: &DeviceKey) -> bool {
        self.head.server == *server && verify(&server.0, ORDER_HEAD_TYPE, &to_cbor(&self.head), &self.signature)
    }
}

/// What [`OrderHead::before`] holds for the path before an epoch.
pub fn digest_of_path(before: &[Segment]) -> Digest32 {
    Digest32::of(&to_cbor(&before.to_vec()))
}

/// A kiosk's own path for one stream. The last segment has at least one entry; `witness` is the signed head of its epoch at or beyond it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
#[cbor(array)]
pub struct Cursor {
    #[n(0)]
    pub path: Vec<Segment>,
    #[n(1)]
    pub witness: Option<SignedHead>,
}

impl Cursor {
    /// The number of entries it moved over.
    pub fn ordinal(&self) -> u64 {
        length(&self.path)
    }
}

/// One entry that a cursor moved over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Its place along the cursor's whole path, from 1.
    pub ordinal: u64,
    pub epoch: Incarnation,
    pub number: u64,
    /// The chain at it.
    pub chain: Digest32,
    pub entry: EntryId,
}

/// The last position on which a kiosk's path and a server's agree: epoch, number and hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Common {
    /// Along the kiosk's path.
    pub ordinal: u64,
    /// On the server's path: from here, after `number`, reading goes on.
    pub segment: usize,
    pub number: u64,
    /// The server's segments from this index on belong to epochs after the common point.
    pub after: usize,
}

impl Common {
    /// Whether the kiosk witnessed something beyond it: the two orders contradict each other.
    pub fn contradicts(&self, kiosk: &[Segment]) -> bool {
        self.ordinal < length(kiosk)
    }
}

/// Finds the common point. `agreed` is asked about the one epoch in which both paths go on but end differently, with the kiosk's segment,
/// the ordinal before it, and the server's: up to which number they are known to agree. Where it can't be known, 0 is safe: the
/// common point lies earlier than it might, and more is given again than need be.
pub fn common<E>(
    kiosk: &[Segment],
    server: &[Segment],
    agreed: impl FnOnce(&Segment, u64, &Segment) -> Result<u64, E>,
) -> Result<Common, E> {
    let same = kiosk.iter().zip(server).take_while(|(mine, theirs)| mine == theirs).count();
    let before = length(&kiosk[..same]);
    Ok(match (kiosk.get(same), server.get(same)) {
        (Some(mine), Some(theirs)) if mine.epoch == theirs.epoch => {
            let number = agreed(mine, before, theirs)?;
            Common { ordinal: before.saturating_add(number), segment: same, number, after: same + 1 }
        }
        (_, Some(_)) => Common { ordinal: before, segment: same, number: 0, after: same },
        (_, None) => {
            let number = server.last().map_or(0, |last| last.end);
            Common { ordinal: before, segment: same.saturating_sub(1), number, after: same }
        }
    })
}

/// Whether a recovery covers that the orders part: one of the epochs that follow the common point is one that people signed for. Not one that the
/// kiosk has come through: what they signed then was said of what had happened by then, and covers nothing that was altered since (T7).
pub fn is_covered(after: &[Segment], kiosk: &[Segment], recovered: &BTreeSet<Incarnation>) -> bool {
    let is_new = |segment: &&Segment| kiosk.iter().all(|mine| mine.epoch != segment.epoch);
    after.iter().filter(is_new).any(|segment| recovered.contains(&segment.epoch))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(epoch: u8, end: u64, hash: u8) -> Segment {
        Segment { epoch: Incarnation([epoch; 16]), end, hash: Digest32([hash; 32]) }
    }

    fn found(kiosk: &[Segment], server: &[Segment], agreed: u64) -> Common {
        common(kiosk, server, |_, _, _| Ok::<_, ()>(agreed)).unwrap()
    }

    #[test]
    fn a_path_that_goes_on_is_no_contradiction() {
        let kiosk = [segment(0, 5, 5)];
        let server = [segment(0, 9, 9), segment(1, 3, 3)];
        let point = found(&kiosk, &server, 5);
        assert!(!point.contradicts(&kiosk));
        assert_eq!((point.segment, point.number), (0, 5));
        let at_its_end = found(&[segment(0, 9, 9)], &server, 0);
        assert_eq!((at_its_end.ordinal, at_its_end.segment, at_its_end.number), (9, 1, 0));
    }

    #[test]
    fn a_restore_is_a_contradiction_before_its_epoch() {
        let kiosk = [segment(0, 9, 9)];
        let server = [segment(0, 6, 6), segment(1, 3, 3)];
        let point = found(&kiosk, &server, 6);
        assert!(point.contradicts(&kiosk));
        assert_eq!((point.ordinal, point.after), (6, 1), "epoch 1 comes after it");
    }

    #[test]
    fn a_store_put_back_is_a_contradiction_in_the_current_epoch() {
        let kiosk = [segment(0, 5, 5), segment(1, 7, 7)];
        let point = found(&kiosk, &[segment(0, 5, 5)], 0);
        assert!(point.contradicts(&kiosk));
        assert_eq!(point.after, 1, "nothing comes after it");
        let rewritten = [segment(0, 5, 5), segment(1, 9, 8)];
        let point = found(&kiosk, &rewritten, 0);
        assert_eq!((point.ordinal, point.after), (5, 2));
    }

    #[test]
    fn an_empty_path_has_nothing_in_common() {
        let kiosk = [segment(0, 5, 5)];
        let point = found(&kiosk, &[segment(7, 4, 4)], 0);
        assert_eq!((point.ordinal, point.after, point.number), (0, 0, 0));
        assert!(!found(&[], &[segment(7, 4, 4)], 0).contradicts(&[]));
    }
}
