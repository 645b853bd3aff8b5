//! Numbers of badges as readers type them: one card read by two makes of reader gives one number.
//!
//! A card holds bytes. Readers show them in hexadecimal or as a decimal number, from either end, and many leave leading zeros out. What is hashed is
//! upper-case hexadecimal, most significant byte first, two digits a byte.

use std::fmt;
use std::str::FromStr;

/// Most bytes of a number.
const MOST_BYTES: usize = 16;
/// How long the numbers of contactless cards are, in bytes (ISO/IEC 14443-3).
const LENGTHS: [usize; 3] = [4, 7, 10];

/// How a reader writes the number of a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BadgeFormat {
    /// Nobody looks into it: all readers write alike.
    #[default]
    AsTyped,
    Number {
        base: Base,
        /// Least significant byte first.
        reversed: bool,
        /// Length of every card's number; `None`: the shortest of 4, 7 and 10 bytes that holds it.
        bytes: Option<usize>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Base {
    Hexadecimal,
    Decimal,
}

/// What was typed is no number of a card, or is longer than a number may be here. It doesn't hold what was typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is no badge number as the reader is set to write it")]
pub struct NoNumber;

impl BadgeFormat {
    /// The number as it is hashed.
    pub fn normal(&self, typed: &str) -> Result<String, NoNumber> {
        let Self::Number { base, reversed, bytes } = self else { return Ok(typed.to_owned()) };
        let (number, least) = base.read(typed)?;
        let fitting = || LENGTHS.into_iter().find(|length| *length >= least);
        let length = bytes.or_else(fitting).filter(|length| *length >= least).ok_or(NoNumber)?;
        let mut bytes = number.to_be_bytes()[MOST_BYTES - length..].to_vec();
        if *reversed {
            bytes.reverse();
        }
        Ok(bytes.iter().map(|byte| format!("{byte:02X}")).collect())
    }
}

impl Base {
    /// The number, and how many bytes it has at the least: zeros that were typed in hexadecimal count.
    fn read(self, typed: &str) -> Result<(u128, usize), NoNumber> {
        let (radix, digits): (u32, String) = match self {
            // Some readers set the bytes apart.
            Self::Hexadecimal => (16, typed.chars().filter(|c| !matches!(c, ':' | '-' | ' ')).collect()),
            Self::Decimal => (10, typed.to_owned()),
        };
        // `from_str_radix` takes a sign, and no number has one.
        if !digits.chars().all(|c| c.is_digit(radix)) {
            return Err(NoNumber);
        }
        let number = u128::from_str_radix(&digits, radix).map_err(|_| NoNumber)?;
        let needed = (u128::BITS - number.leading_zeros()).div_ceil(8) as usize;
        let typed_bytes = if self == Self::Hexadecimal { digits.len().div_ceil(2) } else { 0 };
        Ok((number, needed.max(typed_bytes)))
    }
}

impl FromStr for BadgeFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (word, bytes) = text.split_once(':').map_or((text, None), |(word, bytes)| (word, Some(bytes)));
        let known = match word {
            "as-typed" if bytes.is_none() => return Ok(Self::AsTyped),
            "hex" => Some((Base::Hexadecimal, false)),
            "hex-reversed" => Some((Base::Hexadecimal, true)),
            "decimal" => Some((Base::Decimal, false)),
            "decimal-reversed" => Some((Base::Decimal, true)),
            _ => None,
        };
        let length = |text: &str| text.parse().ok().filter(|length| (1..=MOST_BYTES).contains(length));
        match (known, bytes.map(length)) {
            (Some((base, reversed)), None) => Ok(Self::Number { base, reversed, bytes: None }),
            (Some((base, reversed)), Some(Some(length))) => Ok(Self::Number { base, reversed, bytes: Some(length) }),
            _ => Err(format!(
                "a badge number is `as-typed`, `hex`, `hex-reversed`, `decimal` or `decimal-reversed`, the last four perhaps with its length in bytes, \
                 from 1 to {MOST_BYTES}, as in `decimal-reversed:4`"
            )),
        }
    }
}

impl fmt::Display for BadgeFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Number { base, reversed, bytes } = self else { return f.write_str("as-typed") };
        f.write_str(if *base == Base::Hexadecimal { "hex" } else { "decimal" })?;
        f.write_str(if *reversed { "-reversed" } else { "" })?;
        bytes.map_or(Ok(()), |bytes| write!(f, ":{bytes}"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn normal(format: &str, typed: &str) -> Result<String, NoNumber> {
        format.parse::<BadgeFormat>().unwrap().normal(typed)
    }

    /// How a reader of that make types the card.
    fn typed(format: BadgeFormat, card: &[u8], zeros: bool) -> String {
        let BadgeFormat::Number { base, reversed, .. } = format else { unreachable!("a format of the test") };
        let mut bytes = card.to_vec();
        if reversed {
            bytes.reverse();
        }
        let whole = bytes.iter().fold(0_u128, |number, byte| number << 8 | u128::from(*byte));
        match (base, zeros) {
            (Base::Hexadecimal, true) => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
            (Base::Hexadecimal, false) => format!("{whole:X}"),
            // As many digits as the largest number of that length has.
            (Base::Decimal, true) => {
                let most = u128::MAX >> (128 - 8 * card.len());
                format!("{whole:0width$}", width = most.to_string().len())
            }
            (Base::Decimal, false) => whole.to_string(),
        }
    }

    #[test]
    fn s6_one_card_read_by_four_makes_of_reader_is_one_badge() {
        for (hex, reversed, decimal, decimal_reversed) in [
            ("1C78F2BF", "bff2781c", "0477688511", "3220338716"),
            ("00745A70", "705A7400", "0007625328", "1884976128"),
            ("1EA68671", "7186A61E", "514229873", "1904649758"),
            ("04C43BC21C2680", "80261CC23BC404", "1341660845581952", "36070701978600452"),
        ] {
            let expected = Ok(hex.to_owned());
            assert_eq!(normal("hex", hex), expected);
            assert_eq!(normal("hex-reversed", reversed), expected);
            assert_eq!(normal("decimal", decimal), expected);
            assert_eq!(normal("decimal-reversed", decimal_reversed), expected);
        }
        assert_eq!(normal("hex", "04:a1:b2:c3"), Ok("04A1B2C3".into()));
        assert_eq!(normal("hex", "EDBA996"), Ok("0EDBA996".into()), "a zero that was left out");
        assert_eq!(normal("hex-reversed:4", "EDBA996"), Ok("96A9DB0E".into()));
        assert_eq!(normal("hex:5", "2A00745A70"), normal("decimal:5", "180396251760"));
        assert_eq!(normal("as-typed", "04a1b2c3"), Ok("04a1b2c3".into()));
    }

    #[test]
    fn s6_what_is_no_number_of_that_length_is_no_badge() {
        for (format, typed) in [
            ("hex", ""),
            ("hex", ":"),
            ("hex", "04A1B2G3"),
            ("hex", "0x04A1B2C3"),
            ("hex", "+4A1B2C3"),
            ("hex", "王丽华"),
            ("hex:4", "0004A1B2C3"),
            ("hex", "000000000000000000000001"),
            ("decimal", "04A1B2C3"),
            ("decimal", "-1"),
            ("decimal", "116,23152"),
            ("decimal", "1 2"),
            ("decimal", "٠١٢"),
            ("decimal:4", "4294967296"),
            ("decimal:16", "340282366920938463463374607431768211456"),
            ("decimal", "1208925819614629174706176"),
        ] {
            assert_eq!(normal(format, typed), Err(NoNumber), "{format} {typed}");
        }
        assert_eq!(normal("decimal:4", "4294967295"), Ok("FFFFFFFF".into()));
        for bad in ["", "octal", "hex:", "hex:0", "hex:17", "hex:x", "as-typed:4", "decimal:-1", "Hex"] {
            assert!(bad.parse::<BadgeFormat>().is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn s6_every_make_of_reader_gives_the_number_of_the_card(
            card in prop::collection::vec(any::<u8>(), 1..=16), zeros: bool, decimal: bool, reversed: bool,
        ) {
            let base = if decimal { Base::Decimal } else { Base::Hexadecimal };
            let format = BadgeFormat::Number { base, reversed, bytes: Some(card.len()) };
            let number: String = card.iter().map(|byte| format!("{byte:02X}")).collect();
            prop_assert_eq!(format.normal(&typed(format, &card, zeros)), Ok(number));
            prop_assert_eq!(format.to_string().parse(), Ok(format));
        }

        #[test]
        fn s6_two_cards_of_one_length_are_never_one_badge(a: u64, b: u64, decimal: bool, reversed: bool) {
            let base = if decimal { Base::Decimal } else { Base::Hexadecimal };
            let format = BadgeFormat::Number { base, reversed, bytes: Some(8) };
            let normal = |card: u64| format.normal(&typed(format, &card.to_be_bytes(), true)).unwrap();
            prop_assert_eq!(a == b, normal(a) == normal(b));
        }

        #[test]
        fn s6_whatever_is_typed_a_number_is_whole_bytes_and_is_its_own_normal_form(text: String, decimal: bool, reversed: bool) {
            let base = if decimal { Base::Decimal } else { Base::Hexadecimal };
            if let Ok(number) = (BadgeFormat::Number { base, reversed, bytes: None }).normal(&text) {
                prop_assert!(LENGTHS.contains(&(number.len() / 2)) && number.len() % 2 == 0);
                prop_assert_eq!(normal("hex", &number), Ok(number));
            }
        }
    }
}
