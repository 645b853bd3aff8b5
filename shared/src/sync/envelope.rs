//! Reading and sealing messages: size, form, bounds, signature.

use std::ops::Deref;

use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};

use super::bundle::{MAX_PIECES, Manifest};
use super::message::*;
use super::shape::{MAX_SHAPE, Shape};
use super::store::BoxRow;
use crate::id::{DeviceKey, Digest32, Signature};
use crate::kind::to_cbor;
use crate::log::canonical;
use crate::part11::signature::{DOWN_TYPE, DeviceSecret, UP_TYPE, verify};

#[derive(Encode, Decode)]
#[cbor(array)]
struct Envelope<'a> {
    #[cbor(n(0), with = "minicbor::bytes")]
    payload: &'a [u8],
    #[n(1)]
    signature: Signature,
}

/// A message whose every list has a bound.
pub(super) trait Bounded {
    fn within_limits(&self) -> Result<(), BadMessage>;
}

fn at_most<T>(list: &[T], limit: usize, what: &'static str) -> Result<(), BadMessage> {
    if list.len() > limit { Err(BadMessage::Limit(what)) } else { Ok(()) }
}

fn batch_within_limits(entries: &[ByteVec]) -> Result<(), BadMessage> {
    at_most(entries, MAX_ENTRIES, "entries")?;
    let bytes: usize = entries.iter().map(|entry| entry.len()).sum();
    if bytes > MAX_BATCH_BYTES { Err(BadMessage::Limit("bytes of entries")) } else { Ok(()) }
}

fn shape_within_limits(shape: &Shape) -> Result<(), BadMessage> {
    at_most(&shape.tips, MAX_SHAPE, "tips")?;
    at_most(&shape.locator, MAX_SHAPE, "hashes in a locator")
}

fn boxes_within_limits(rows: &[BoxRow]) -> Result<(), BadMessage> {
    at_most(rows, MAX_BOXES, "boxes")?;
    rows.iter().try_for_each(|row| at_most(&row.bytes, MAX_BOX_BYTES, "bytes in a box"))
}

impl Bounded for Up {
    fn within_limits(&self) -> Result<(), BadMessage> {
        at_most(&self.cursors, MAX_STREAMS, "cursors")?;
        self.cursors.iter().try_for_each(|cursor| at_most(&cursor.path, MAX_EPOCHS, "epochs"))?;
        at_most(&self.heads, MAX_STREAMS, "heads")?;
        self.heads.iter().try_for_each(|head| at_most(&head.tips, MAX_SHAPE, "tips"))?;
        at_most(&self.beyond, MAX_BEYOND, "logs")?;
        self.beyond.iter().try_for_each(|beyond| at_most(&beyond.tips, MAX_BEYOND_TIPS, "tips"))?;
        at_most(&self.enrolments, MAX_ENROLMENTS, "enrolments")?;
        boxes_within_limits(&self.boxes)?;
        at_most(self.peppers.as_deref().unwrap_or_default(), MAX_PEPPERS, "epochs of peppers")?;
        batch_within_limits(&self.entries)
    }
}

impl Bounded for Down {
    fn within_limits(&self) -> Result<(), BadMessage> {
        at_most(&self.paths, MAX_STREAMS, "paths")?;
        self.paths.iter().try_for_each(|shown| at_most(&shown.path, MAX_EPOCHS, "epochs"))?;
        at_most(&self.recovered, MAX_ENROLMENTS, "recoveries")?;
        at_most(&self.held, MAX_STREAMS, "held logs")?;
        self.held.iter().try_for_each(|held| shape_within_limits(&held.shape))?;
        at_most(&self.want, MAX_WANT, "wanted logs")?;
        self.want.iter().try_for_each(|want| shape_within_limits(&want.shape))?;
        at_most(&self.items, MAX_ENTRIES, "items")?;
        at_most(&self.heads, MAX_STREAMS * MAX_EPOCHS, "heads")?;
        at_most(self.peppers.as_deref().unwrap_or_default(), MAX_PEPPERS, "peppers")?;
        boxes_within_limits(&self.boxes.rows)
    }
}

impl Bounded for Have {
    fn within_limits(&self) -> Result<(), BadMessage> {
        at_most(&self.enrolments, MAX_ENROLMENTS, "enrolments")?;
        match &self.shown {
            Shown::Digests(digests) => at_most(digests, MAX_STREAMS, "streams"),
            Shown::Tips(streams, logs, _) => {
                at_most(streams, MAX_STREAMS, "streams")?;
                at_most(logs, MAX_HAVE, "logs")?;
                logs.iter().try_for_each(|log| at_most(&log.tips, MAX_BEYOND_TIPS, "tips"))
            }
            Shown::Wants(wants) => {
                at_most(wants, MAX_WANT, "wanted logs")?;
                wants.iter().try_for_each(|want| shape_within_limits(&want.shape))
            }
        }
    }
}

impl Bounded for Give {
    fn within_limits(&self) -> Result<(), BadMessage> {
        at_most(&self.enrolments, MAX_ENROLMENTS, "enrolments")?;
        batch_within_limits(&self.entries)
    }
}

impl Bounded for Manifest {
    fn within_limits(&self) -> Result<(), BadMessage> {
        at_most(&self.enrolments, MAX_ENROLMENTS, "enrolments")?;
        if self.pieces > MAX_PIECES { Err(BadMessage::Limit("pieces")) } else { Ok(()) }
    }
}

fn read<'b, T: Decode<'b, ()>>(bytes: &'b [u8]) -> Result<T, BadMessage> {
    if bytes.len() > MAX_MESSAGE_BYTES {
        return Err(BadMessage::TooLarge);
    }
    canonical::check(bytes).map_err(|why| BadMessage::Form(why.to_string()))?;
    minicbor::decode(bytes).map_err(|why| BadMessage::Form(why.to_string()))
}

pub(super) fn seal<T: Encode<()>>(message: &T, payload_type: &str, secret: &DeviceSecret) -> Vec<u8> {
    let payload = to_cbor(message);
    let signature = secret.sign(payload_type, &payload);
    to_cbor(&Envelope { payload: &payload, signature })
}

pub(super) fn open<T>(bytes: &[u8], payload_type: &str, sender: impl FnOnce(&T) -> DeviceKey) -> Result<T, BadMessage>
where
    T: for<'b> Decode<'b, ()> + Bounded,
{
    let envelope: Envelope<'_> = read(bytes)?;
    let message: T = read(envelope.payload)?;
    message.within_limits()?;
    if verify(&sender(&message).0, payload_type, envelope.payload, &envelope.signature) {
        Ok(message)
    } else {
        Err(BadMessage::Signature)
    }
}

impl Up {
    pub fn seal(&self, device: &DeviceSecret) -> Vec<u8> {
        seal(self, UP_TYPE, device)
    }

    /// Reads a call and checks that the device it names signed it. Whether the device is enrolled is another question.
    pub fn open(bytes: &[u8]) -> Result<Self, BadMessage> {
        open(bytes, UP_TYPE, |up: &Self| up.device)
    }
}

/// A call whose sender's signature was checked, and what the answer names it by: opened once, by whoever receives it.
#[derive(Debug, Clone)]
pub struct SignedUp {
    up: Up,
    digest: Digest32,
}

impl SignedUp {
    pub fn open(bytes: &[u8]) -> Result<Self, BadMessage> {
        Ok(Self { up: Up::open(bytes)?, digest: Digest32::of(bytes) })
    }

    pub(super) fn digest(&self) -> Digest32 {
        self.digest
    }
}

impl Deref for SignedUp {
    type Target = Up;

    fn deref(&self) -> &Up {
        &self.up
    }
}

impl Down {
    /// Signed after COMMIT only.
    pub fn seal(&self, server: &DeviceSecret) -> Vec<u8> {
        seal(self, DOWN_TYPE, server)
    }

    pub fn open(bytes: &[u8]) -> Result<Self, BadMessage> {
        open(bytes, DOWN_TYPE, |down: &Self| down.server)
    }
}

impl Have {
    pub fn seal(&self, device: &DeviceSecret) -> Vec<u8> {
        seal(self, HAVE_TYPE, device)
    }

    pub fn open(bytes: &[u8]) -> Result<Self, BadMessage> {
        open(bytes, HAVE_TYPE, |have: &Self| have.device)
    }
}

impl Give {
    pub fn to_bytes(&self) -> Vec<u8> {
        to_cbor(self)
    }

    pub fn read(bytes: &[u8]) -> Result<Self, BadMessage> {
        let give: Self = read(bytes)?;
        give.within_limits()?;
        Ok(give)
    }
}

/// What a message may still carry.
#[derive(Debug, Default)]
pub(super) struct Budget {
    entries: usize,
    bytes: usize,
}

impl Budget {
    /// Whether an entry of this size still fits; if so it is counted.
    pub fn takes(&mut self, bytes: usize) -> bool {
        let fits = self.entries < MAX_ENTRIES && self.bytes + bytes <= MAX_BATCH_BYTES;
        if fits {
            self.entries += 1;
            self.bytes += bytes;
        }
        fits
    }
}

pub(super) fn byte_vec(bytes: &[u8]) -> ByteVec {
    ByteVec::from(bytes.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn have(secret: &DeviceSecret) -> Have {
        let shown = Shown::Digests(vec![]);
        Have { device: secret.key(), server: secret.key(), enrolments: vec![], number: 1, answers: None, shown }
    }

    #[test]
    fn a_message_is_its_senders_own_or_nothing() {
        let (mine, other) = (DeviceSecret::from_seed([1; 32]), DeviceSecret::from_seed([2; 32]));
        let sealed = have(&mine).seal(&mine);
        assert_eq!(Have::open(&sealed), Ok(have(&mine)));
        assert_eq!(Have::open(&have(&mine).seal(&other)), Err(BadMessage::Signature));
        assert!(matches!(Up::open(&sealed), Err(BadMessage::Form(_))), "one sort of message is never another");
        let mut longer = sealed.clone();
        longer.push(0);
        assert!(matches!(Have::open(&longer), Err(BadMessage::Form(_))));
        for cut in 0..sealed.len() {
            assert!(Have::open(&sealed[..cut]).is_err());
        }
    }

    #[test]
    fn every_list_has_a_bound() {
        let mine = DeviceSecret::from_seed([1; 32]);
        let too_many = Have { enrolments: vec![byte_vec(&[0]); MAX_ENROLMENTS + 1], ..have(&mine) };
        assert_eq!(Have::open(&too_many.seal(&mine)), Err(BadMessage::Limit("enrolments")));
        let entry = byte_vec(&[0; 16 * 1024]);
        let heavy = Give { entries: vec![entry; 65], ..Give::default() };
        assert_eq!(Give::read(&heavy.to_bytes()), Err(BadMessage::Limit("bytes of entries")));
        assert_eq!(Give::read(&vec![0; MAX_MESSAGE_BYTES + 1]), Err(BadMessage::TooLarge));
    }

    #[test]
    fn a_field_of_a_later_version_is_skipped() {
        let bytes = Give::default().to_bytes();
        assert_eq!(bytes, [0x83, 0x80, 0x80, 0xf4]);
        assert_eq!(Give::read(&[0x84, 0x80, 0x80, 0xf4, 0x01]), Ok(Give::default()));
    }
}
