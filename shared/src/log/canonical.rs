//! One value, one encoding: refuses CBOR that a deterministic encoder would not have written.
//!
//! Refused: non-minimal numbers and lengths, indefinite lengths, floats, tags, map keys out of order or twice, nesting deeper
//! than [`MAX_DEPTH`], more values than [`MAX_VALUES`], trailing bytes. What passes here and decodes has no second spelling, so a hash names one value.

use minicbor::data::Type;
use minicbor::decode::{Decoder, Error as DecodeError};

/// Deepest nesting accepted.
pub const MAX_DEPTH: usize = 16;

/// Most values in one encoding. An empty one takes a byte here and tens of bytes once it is read, so they are counted before anything is asked
/// for. A message that is full of hashes has half as many.
pub const MAX_VALUES: usize = 256 * 1024;

/// Why bytes are not canonical.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotCanonical {
    #[error("not readable: {0}")]
    Unreadable(String),
    #[error("a number or length is not in its shortest form, or a value is of a sort that is never written")]
    NotMinimal,
    #[error("map keys are out of order")]
    KeyOrder,
    #[error("nested too deeply")]
    TooDeep,
    #[error("more than {MAX_VALUES} values")]
    TooMany,
    #[error("bytes follow the value")]
    Trailing,
}

impl From<DecodeError> for NotCanonical {
    fn from(why: DecodeError) -> Self {
        Self::Unreadable(why.to_string())
    }
}

/// Checks that `bytes` is exactly one canonical value.
pub fn check(bytes: &[u8]) -> Result<(), NotCanonical> {
    let (mut decoder, mut left) = (Decoder::new(bytes), MAX_VALUES);
    value(&mut decoder, bytes, 0, &mut left)?;
    if decoder.position() == bytes.len() { Ok(()) } else { Err(NotCanonical::Trailing) }
}

fn value(d: &mut Decoder<'_>, bytes: &[u8], depth: usize, left: &mut usize) -> Result<(), NotCanonical> {
    if depth > MAX_DEPTH {
        return Err(NotCanonical::TooDeep);
    }
    *left = left.checked_sub(1).ok_or(NotCanonical::TooMany)?;
    let start = d.position();
    match d.datatype()? {
        Type::Array => {
            let items = d.array()?.ok_or(NotCanonical::NotMinimal)?;
            shortest(items, d.position() - start)?;
            (0..items).try_for_each(|_| value(d, bytes, depth + 1, left))
        }
        Type::Map => {
            let pairs = d.map()?.ok_or(NotCanonical::NotMinimal)?;
            shortest(pairs, d.position() - start)?;
            let mut before: &[u8] = &[];
            for _ in 0..pairs {
                let from = d.position();
                value(d, bytes, depth + 1, left)?;
                let key = &bytes[from..d.position()];
                // Shorter keys first, then by bytes: for the small integers we use, numeric order.
                if !before.is_empty() && (before.len(), before) >= (key.len(), key) {
                    return Err(NotCanonical::KeyOrder);
                }
                before = key;
                value(d, bytes, depth + 1, left)?;
            }
            Ok(())
        }
        scalar => self::scalar(d, scalar, start),
    }
}

fn scalar(d: &mut Decoder<'_>, sort: Type, start: usize) -> Result<(), NotCanonical> {
    match sort {
        Type::U8 | Type::U16 | Type::U32 | Type::U64 => {
            let n = d.u64()?;
            shortest(n, d.position() - start)
        }
        Type::I8 | Type::I16 | Type::I32 | Type::I64 => {
            // A negative number n is written as -1 - n.
            let n = !d.i64()?;
            shortest(n as u64, d.position() - start)
        }
        Type::Bytes => {
            let length = d.bytes()?.len();
            shortest(length as u64, d.position() - start - length)
        }
        Type::String => {
            let length = d.str()?.len();
            shortest(length as u64, d.position() - start - length)
        }
        Type::Bool => d.bool().map(drop).map_err(Into::into),
        Type::Null => d.null().map_err(Into::into),
        _ => Err(NotCanonical::NotMinimal),
    }
}

/// Whether a number took no more bytes than it needs, together with what says its sort.
fn shortest(number: u64, bytes: usize) -> Result<(), NotCanonical> {
    let needed = match number {
        0..=23 => 1,
        24..=0xff => 2,
        0x100..=0xffff => 3,
        0x1_0000..=0xffff_ffff => 5,
        _ => 9,
    };
    if bytes == needed { Ok(()) } else { Err(NotCanonical::NotMinimal) }
}

#[cfg(test)]
mod tests {
    use minicbor::encode::Encoder;

    use super::*;

    #[test]
    fn what_an_encoder_writes_passes() {
        let mut bytes = Vec::new();
        let mut e = Encoder::new(&mut bytes);
        e.map(2)
            .unwrap()
            .u8(0)
            .unwrap()
            .str("ä")
            .unwrap()
            .u8(30)
            .unwrap()
            .array(2)
            .unwrap()
            .i64(-70_000)
            .unwrap()
            .null()
            .unwrap();
        assert_eq!(check(&bytes), Ok(()));
    }

    #[test]
    fn r11_each_number_has_one_spelling_at_the_edges_of_every_length() {
        for number in [0, 23, 24, 0xff, 0x100, 0xffff, 0x1_0000, 0xffff_ffff, 0x1_0000_0000, i64::MAX] {
            for value in [number, -1 - number] {
                let mut bytes = Vec::new();
                Encoder::new(&mut bytes).i64(value).unwrap();
                assert_eq!(check(&bytes), Ok(()), "{value}");
                let (major, rest) = (bytes[0] & 0xe0, &bytes[1..]);
                let (sort, padding) = match rest.len() {
                    0 => (24, vec![bytes[0] & 0x1f]),
                    1 => (25, vec![0]),
                    2 => (26, vec![0; 2]),
                    4 => (27, vec![0; 4]),
                    _ => continue,
                };
                let longer: Vec<u8> = [&[major | sort][..], &padding, rest].concat();
                assert_eq!(check(&longer), Err(NotCanonical::NotMinimal), "{value} in {} bytes", longer.len());
            }
        }
    }

    #[test]
    fn r11_a_second_spelling_of_the_same_value_is_refused() {
        for (bytes, why) in [
            (&[0x18, 0x01][..], "1 in two bytes"),
            (&[0x58, 0x01, 0xff], "length 1 in two bytes"),
            (&[0x9f, 0xff], "indefinite array"),
            (&[0x5f, 0xff], "indefinite bytes"),
            (&[0xa2, 0x01, 0x00, 0x00, 0x00], "keys out of order"),
            (&[0xa2, 0x00, 0x00, 0x00, 0x00], "key twice"),
            (&[0xfb, 0, 0, 0, 0, 0, 0, 0, 0], "float"),
            (&[0xc0, 0x00], "tag"),
            (&[0x00, 0x00], "trailing byte"),
            (&[0x81], "cut short"),
            (&[0xf7], "undefined"),
        ] {
            assert!(check(bytes).is_err(), "{why}");
        }
        assert_eq!(check(&[0x81; 64]), Err(NotCanonical::TooDeep));
    }

    #[test]
    fn more_values_than_a_message_can_mean_are_refused_before_they_are_read() {
        let list = |count: usize| {
            let mut bytes = Vec::new();
            Encoder::new(&mut bytes).array(count as u64).unwrap();
            bytes.resize(bytes.len() + count, 0x40);
            bytes
        };
        assert_eq!(check(&list(MAX_VALUES - 1)), Ok(()));
        assert_eq!(check(&list(MAX_VALUES)), Err(NotCanonical::TooMany));
    }
}
