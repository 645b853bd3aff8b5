//! How strong a secret must be. While keys lie in files, a stolen copy leaves nothing between a guesser and the key but the secret itself,
//! so that it is a passphrase; a PIN is for terminals whose chip counts the guesses (R16).

use std::collections::BTreeSet;

use crate::kind::plant::{KeyStoreKind, Profile};
use crate::kind::record::SigningSetUp;

pub use crate::kind::plant::SecretKind;

/// Shortest passphrase, in characters.
pub const PASSPHRASE_LEAST: usize = 10;
/// Shortest PIN, in digits.
pub const PIN_LEAST: usize = 6;
/// Different characters that a passphrase has at least.
const DIFFERENT_LEAST: usize = 5;

/// Why a secret is refused when it is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weakness {
    /// Shorter than [`SecretKind::least`].
    TooShort,
    /// One character over and over, a run of digits, a person's own id: the first things anybody tries.
    TooSimple,
}

impl SecretKind {
    /// `eu-2025` knows no PIN, and without a chip there is none either.
    pub fn of(key_store: KeyStoreKind, profile: Profile) -> Self {
        match (key_store, profile) {
            (KeyStoreKind::Tpm, Profile::UsPart11) => Self::Pin,
            _ => Self::Passphrase,
        }
    }

    /// What opens the key of this set-up.
    pub fn chosen_in(set_up: &SigningSetUp) -> Self {
        set_up.secret.unwrap_or(Self::Passphrase)
    }

    /// Whether a secret of this kind is enough where `asked` is what people choose: a passphrase is everywhere.
    pub fn is_enough_where(self, asked: Self) -> bool {
        self == Self::Passphrase || asked == Self::Pin
    }

    /// Shortest secret of this kind, in characters.
    pub fn least(self) -> usize {
        match self {
            Self::Pin => PIN_LEAST,
            Self::Passphrase => PASSPHRASE_LEAST,
        }
    }

    /// What is wrong with a secret that `person` chooses; `None` when it may be theirs.
    pub fn weakness(self, secret: &str, person: &str) -> Option<Weakness> {
        if secret.chars().count() < self.least() {
            return Some(Weakness::TooShort);
        }
        let different = secret.chars().collect::<BTreeSet<char>>().len();
        let simple = match self {
            Self::Pin => different < 3 || is_run(secret),
            Self::Passphrase => different < DIFFERENT_LEAST || secret.eq_ignore_ascii_case(person),
        };
        simple.then_some(Weakness::TooSimple)
    }
}

/// Digits that go up or down one by one: 123456, 987654.
fn is_run(digits: &str) -> bool {
    let bytes = digits.as_bytes();
    let steps = |by: i16| bytes.windows(2).all(|pair| i16::from(pair[1]) - i16::from(pair[0]) == by);
    steps(1) || steps(-1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r16_a_pin_needs_a_chip_and_the_us_profile() {
        use {KeyStoreKind::*, Profile::*};
        assert_eq!(SecretKind::of(Tpm, UsPart11), SecretKind::Pin);
        for (store, profile) in [(File, UsPart11), (File, Eu2025), (Tpm, Eu2025)] {
            assert_eq!(SecretKind::of(store, profile), SecretKind::Passphrase);
        }
    }

    #[test]
    fn r16_a_passphrase_is_enough_everywhere_and_a_pin_only_where_one_may_be_chosen() {
        use SecretKind::*;
        for (chosen, asked, enough) in
            [(Passphrase, Pin, true), (Passphrase, Passphrase, true), (Pin, Pin, true), (Pin, Passphrase, false)]
        {
            assert_eq!(chosen.is_enough_where(asked), enough, "{chosen:?} where {asked:?}");
        }
    }

    #[test]
    fn r12_what_anybody_tries_first_is_no_secret() {
        let passphrase = |secret| SecretKind::Passphrase.weakness(secret, "maria-lindner");
        assert_eq!(passphrase("Seal 7 ok!"), None);
        assert_eq!(passphrase("Seal 7 ok"), Some(Weakness::TooShort));
        assert_eq!(passphrase("aaaaaaaaaaaa"), Some(Weakness::TooSimple));
        assert_eq!(passphrase("Maria-Lindner"), Some(Weakness::TooSimple));
        assert_eq!(passphrase("überübt-süß"), None, "characters count, not bytes");
        let pin = |secret| SecretKind::Pin.weakness(secret, "maria");
        assert_eq!(pin("741963"), None);
        assert_eq!(pin("74196"), Some(Weakness::TooShort));
        for simple in ["111111", "123456", "987654"] {
            assert_eq!(pin(simple), Some(Weakness::TooSimple), "{simple}");
        }
    }
}
