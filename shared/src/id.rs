//! Names of things: text ids given by the plant, digests computed by us, random ids handed in from the edge.
//!
//! Each is a type of its own, so that a person can't be passed where a requirement is meant.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use minicbor::decode::{Decoder, Error as DecodeError};
use minicbor::encode::{Encoder, Error as EncodeError, Write};
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Longest text id, in bytes.
pub const MAX_ID_BYTES: usize = 120;

/// Why a text is no id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadId {
    #[error("it is empty")]
    Empty,
    #[error("it is longer than {MAX_ID_BYTES} bytes")]
    TooLong,
    #[error("it contains a control character")]
    Control,
    #[error("it begins or ends with white space")]
    Padded,
    #[error("it is not {0}")]
    Form(&'static str),
}

/// The text, if it obeys the rules for ids.
pub(crate) fn checked(text: &str) -> Result<&str, BadId> {
    if text.is_empty() {
        Err(BadId::Empty)
    } else if text.len() > MAX_ID_BYTES {
        Err(BadId::TooLong)
    } else if text.chars().any(char::is_control) {
        Err(BadId::Control)
    } else if text.trim() != text {
        Err(BadId::Padded)
    } else {
        Ok(text)
    }
}

macro_rules! text_ids {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// Takes a text that obeys the rules for ids: 1 to 120 bytes, no control characters, no padding.
            pub fn new(text: &str) -> Result<Self, BadId> {
                checked(text).map(|t| Self(t.into()))
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", &*self.0)
            }
        }
        impl FromStr for $name {
            type Err = BadId;
            fn from_str(text: &str) -> Result<Self, BadId> {
                Self::new(text)
            }
        }
        impl TryFrom<String> for $name {
            type Error = BadId;
            fn try_from(text: String) -> Result<Self, BadId> {
                Self::new(&text)
            }
        }
        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0.to_string()
            }
        }
        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
        impl<C> Encode<C> for $name {
            fn encode<W: Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), EncodeError<W::Error>> {
                e.str(&self.0)?.ok()
            }
        }
        impl<'b, C> Decode<'b, C> for $name {
            fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, DecodeError> {
                Self::new(d.str()?).map_err(|why| DecodeError::message(why.to_string()))
            }
        }
    )*};
}

text_ids! {
    /// A person, pseudonymous: printed names stand only in master data and signature blocks (R23).
    PersonId
    /// A personnel class (ISA-95), "job function" on screens.
    ClassId
    /// A controlled document.
    DocumentId
    /// A version of a controlled document, as document control names it (`v7`, `B`, `2024-03`).
    VersionId
    /// A training requirement.
    RequirementId
    /// A task (ISA-95 process segment).
    TaskId
    /// A work unit: a station where a kiosk stands.
    WorkUnitId
    /// A site.
    SiteId
    /// A quiz.
    QuizId
    /// A competency check.
    CheckId
    /// A piece of equipment.
    EquipmentId
    /// A category of documents or requirements with its own training window.
    CategoryId
    /// A group briefing.
    BriefingId
    /// A lot or order.
    LotId
    /// A work centre (a line).
    WorkCenterId
    /// A CAPA action.
    ActionId
    /// A language, as an IETF tag.
    Language
    /// A kiosk's short name, given at enrolment, for people; a device *is* its key.
    KioskName
}

macro_rules! byte_ids {
    ($($(#[$doc:meta])* $name:ident[$len:literal])*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; $len]);

        impl $name {
            /// The first eight hexadecimal digits, for people.
            pub fn short(&self) -> String {
                hex(&self.0[..4])
            }
            pub fn as_bytes(&self) -> &[u8] {
                &self.0
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&hex(&self.0))
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.short())
            }
        }
        impl FromStr for $name {
            type Err = BadId;
            fn from_str(text: &str) -> Result<Self, BadId> {
                let bytes = unhex(text).ok_or(BadId::Form("hexadecimal"))?;
                bytes.try_into().map(Self).map_err(|_| BadId::Form(concat!($len, " bytes of hexadecimal")))
            }
        }
        impl TryFrom<String> for $name {
            type Error = BadId;
            fn try_from(text: String) -> Result<Self, BadId> {
                text.parse()
            }
        }
        impl TryFrom<&[u8]> for $name {
            type Error = BadId;
            fn try_from(bytes: &[u8]) -> Result<Self, BadId> {
                bytes.try_into().map(Self).map_err(|_| BadId::Form(concat!($len, " bytes")))
            }
        }
        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
            }
        }
        impl<C> Encode<C> for $name {
            fn encode<W: Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), EncodeError<W::Error>> {
                e.bytes(&self.0)?.ok()
            }
        }
        impl<'b, C> Decode<'b, C> for $name {
            fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, DecodeError> {
                Self::try_from(d.bytes()?).map_err(|why| DecodeError::message(why.to_string()))
            }
        }
    )*};
}

byte_ids! {
    /// SHA-256 of an entry's exact bytes.
    EntryId[32]
    /// SHA-256 of a blob or of anything else that is named by what it holds.
    Digest32[32]
    /// A device's Ed25519 public key: the device's identity.
    DeviceKey[32]
    /// A person's Ed25519 public key.
    PersonKey[32]
    /// An Ed25519 signature.
    Signature[64]
    /// One act of a person: the same (act, subject) twice is one record.
    ActId[16]
    /// A kiosk's incarnation or a server's epoch: 128 random bits, never a number plus one.
    Incarnation[16]
    /// A worksheet: derived from what it is about, so that two kiosks that begin the same one agree.
    WorksheetId[32]
    /// A badge number under the site's key: the number itself is stored nowhere.
    BadgeHash[32]
}

impl Digest32 {
    /// SHA-256 of the bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// SHA-256 of bytes that come in pieces; `next` gives one after the other, and an empty one at the end.
    pub fn of_pieces<E>(mut next: impl FnMut(&mut [u8]) -> Result<usize, E>) -> Result<Self, E> {
        let (mut hasher, mut piece) = (Sha256::new(), [0; 16 * 1024]);
        loop {
            match next(&mut piece)? {
                0 => return Ok(Self(hasher.finalize().into())),
                length => hasher.update(&piece[..length]),
            }
        }
    }

    /// SHA-256 of several parts, each preceded by its length, so that no two lists of parts give the same input.
    pub fn of_parts(parts: &[&[u8]]) -> Self {
        let mut hasher = Sha256::new();
        for part in parts {
            hasher.update((part.len() as u64).to_be_bytes());
            hasher.update(part);
        }
        Self(hasher.finalize().into())
    }
}

impl EntryId {
    /// The id of the entry with these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|b| [DIGITS[usize::from(b >> 4)], DIGITS[usize::from(b & 15)]]).map(char::from).collect()
}

/// Bytes of a hexadecimal text; `None` when it is not one.
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text.chars().map(|c| c.to_digit(16).map(|d| d as u8)).collect();
    let digits = digits?;
    digits.len().is_multiple_of(2).then(|| digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_refuses_what_a_screen_could_not_show() {
        assert_eq!(PersonId::new(""), Err(BadId::Empty));
        assert_eq!(PersonId::new("a\nb"), Err(BadId::Control));
        assert_eq!(PersonId::new(" a"), Err(BadId::Padded));
        assert_eq!(PersonId::new(&"x".repeat(121)), Err(BadId::TooLong));
        assert_eq!(PersonId::new("Nguyễn-7").unwrap().as_str(), "Nguyễn-7");
    }

    #[test]
    fn digests_of_parts_do_not_run_together() {
        assert_ne!(Digest32::of_parts(&[b"ab", b"c"]), Digest32::of_parts(&[b"a", b"bc"]));
    }

    #[test]
    fn hexadecimal_round_trips() {
        let id = EntryId::of(b"x");
        assert_eq!(id.to_string().parse::<EntryId>().unwrap(), id);
        assert!("zz".parse::<EntryId>().is_err());
    }
}
