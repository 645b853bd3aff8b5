//! Ed25519 under one verification rule (ZIP-215) for single and batch, always over a DSSE pre-authentication encoding.

use chacha20::ChaCha20Rng;
use chacha20::rand_core::SeedableRng;
use ed25519_zebra::{SigningKey, VerificationKey, VerificationKeyBytes, batch};

use crate::id::{DeviceKey, Digest32, PersonKey, Signature};

/// What a device signs: header, body and blocks of an entry.
pub const ENTRY_TYPE: &str = "application/vnd.lineproof.entry.v1+cbor";
/// What a person signs: the statement and their own block.
pub const STATEMENT_TYPE: &str = "application/vnd.lineproof.statement.v1+cbor";
/// What a device signs when it calls the server.
pub const UP_TYPE: &str = "application/vnd.lineproof.up.v1+cbor";
/// What the server signs when it answers.
pub const DOWN_TYPE: &str = "application/vnd.lineproof.down.v1+cbor";
/// What the server signs of its order.
pub const ORDER_HEAD_TYPE: &str = "application/vnd.lineproof.order-head.v1+cbor";

/// What a person signs when their key is sealed anew.
pub const BOX_TYPE: &str = "application/vnd.lineproof.sealed-anew.v1+cbor";

/// A key can't be used for signing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this key can't be used for signing")]
pub struct SigningError;

macro_rules! secrets {
    ($($(#[$doc:meta])* $name:ident => $key:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $name(SigningKey);

        impl $name {
            /// The key made from 32 random bytes.
            pub fn from_seed(seed: [u8; 32]) -> Self {
                Self(SigningKey::from(seed))
            }
            pub fn key(&self) -> $key {
                $key(VerificationKey::from(&self.0).into())
            }
            pub fn seed(&self) -> [u8; 32] {
                self.0.into()
            }
            pub fn sign(&self, payload_type: &str, payload: &[u8]) -> Signature {
                let real = || Signature(self.0.sign(&pae(payload_type, payload)).to_bytes());
                let signature = if known::stands_in() { STAND_IN } else { real() };
                known::add(|| known::name(&self.key().0, payload_type, payload, &signature));
                signature
            }
        }
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}({})", stringify!($name), self.key().short())
            }
        }
    )*};
}

secrets! {
    /// A device's signing key.
    DeviceSecret => DeviceKey;
    /// A person's signing key, unlocked for one act.
    PersonSecret => PersonKey;
}

/// DSSE's pre-authentication encoding: a signature for one payload type never verifies as another.
pub fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut bytes = format!("DSSEv1 {} {} {} ", payload_type.len(), payload_type, payload.len()).into_bytes();
    bytes.extend_from_slice(payload);
    bytes
}

/// Whether `signature` is `key`'s over the payload, by ZIP-215.
pub fn verify(key: &[u8; 32], payload_type: &str, payload: &[u8], signature: &Signature) -> bool {
    known::or_look(
        || known::name(key, payload_type, payload, signature),
        || is_good(key, payload_type, payload, signature),
    )
}

fn is_good(key: &[u8; 32], payload_type: &str, payload: &[u8], signature: &Signature) -> bool {
    VerificationKey::try_from(*key)
        .and_then(|key| key.verify(&ed25519_zebra::Signature::from(signature.0), &pae(payload_type, payload)))
        .is_ok()
}

/// Signatures that are verified together: one equation for all of them costs a third of one for each.
#[derive(Default)]
pub struct Batch {
    /// Those that must be computed; `None` when there are none.
    unknown: Option<batch::Verifier>,
    /// Whether one is bad, as far as that is known without looking.
    bad: bool,
}

impl Batch {
    pub fn add(&mut self, key: &[u8; 32], payload_type: &str, payload: &[u8], signature: &Signature) {
        if known::holds(|| known::name(key, payload_type, payload, signature)) {
            return;
        }
        if known::stands_in() {
            self.bad = true;
            return;
        }
        let signature = ed25519_zebra::Signature::from(signature.0);
        self.unknown.get_or_insert_default().queue((
            VerificationKeyBytes::from(*key),
            signature,
            &pae(payload_type, payload),
        ));
    }

    /// Whether every one of them is good, by the rule of [`verify`]. `weights` must be out of the signers' reach: with weights known
    /// beforehand bad signatures could be made that cancel each other out.
    pub fn all_good(self, weights: Digest32) -> bool {
        !self.bad && self.unknown.is_none_or(|batch| batch.verify(ChaCha20Rng::from_seed(weights.0)).is_ok())
    }
}

/// While it lives, this thread remembers good signatures and doesn't compute them again: those it made, and those it found good one by one.
///
/// A simulator shows one message to many replicas in one thread, and would spend most of its time on curves. Nothing in the product asks for it:
/// a replica meets an entry once, and remembers with it what it found. What is remembered is the SHA-256 of key, type, payload *and* signature,
/// so one bit more or less anywhere is another signature, that is looked at. Each costs some 50 bytes until this is dropped. One at a time in a
/// thread: what begins later forgets what was remembered before.
#[must_use = "what is remembered is forgotten when it is dropped"]
#[derive(Debug)]
pub struct Remembering(());

impl Remembering {
    pub fn begin() -> Self {
        known::begin(false);
        Self(())
    }

    /// Besides, nothing is computed at all: whoever signs writes plain words, and what is good is what was signed in this thread since this began.
    ///
    /// It fails closed: outside of this thread, and after this is dropped, nobody takes a stand-in for a signature. Only the simulator is built with
    /// the feature, and only it may name it.
    #[cfg(feature = "stand-in-signatures")]
    pub fn standing_in() -> Self {
        known::begin(true);
        Self(())
    }

    /// How many signatures are remembered.
    pub fn count(&self) -> usize {
        known::count()
    }
}

impl Drop for Remembering {
    fn drop(&mut self) {
        known::end();
    }
}

/// What a simulator writes where a signature belongs, in words for whoever finds it. No key can have made it: read as a number, its second half
/// is larger than the curve's order, which every verifier refuses.
const STAND_IN: Signature = Signature(*b"This is no signature. A simulator wrote it for itself and no one");

/// What this thread remembers; nothing, unless it was told to. It changes what a question costs, and its answer only for stand-ins.
mod known {
    use std::cell::RefCell;
    use std::collections::BTreeSet;

    use crate::id::{Digest32, Signature};

    struct Known {
        good: BTreeSet<Digest32>,
        standing_in: bool,
    }

    thread_local! {
        static KNOWN: RefCell<Option<Known>> = const { RefCell::new(None) };
    }

    pub fn begin(standing_in: bool) {
        KNOWN.set(Some(Known { good: BTreeSet::new(), standing_in }));
    }

    pub fn end() {
        KNOWN.set(None);
    }

    pub fn count() -> usize {
        KNOWN.with_borrow(|known| known.as_ref().map_or(0, |known| known.good.len()))
    }

    /// Whether nothing is good but what is remembered.
    pub fn stands_in() -> bool {
        KNOWN.with_borrow(|known| known.as_ref().is_some_and(|known| known.standing_in))
    }

    pub fn name(key: &[u8; 32], payload_type: &str, payload: &[u8], signature: &Signature) -> Digest32 {
        Digest32::of_parts(&[key, payload_type.as_bytes(), payload, &signature.0])
    }

    pub fn holds(name: impl FnOnce() -> Digest32) -> bool {
        KNOWN.with_borrow(|known| known.as_ref().is_some_and(|known| known.good.contains(&name())))
    }

    pub fn add(name: impl FnOnce() -> Digest32) {
        KNOWN.with_borrow_mut(|known| {
            if let Some(known) = known {
                known.good.insert(name());
            }
        });
    }

    /// Answers from memory, or looks, and remembers what is good.
    pub fn or_look(name: impl Fn() -> Digest32, look: impl FnOnce() -> bool) -> bool {
        if holds(&name) {
            return true;
        }
        let good = !stands_in() && look();
        if good {
            add(name);
        }
        good
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r11_what_is_remembered_changes_no_answer() {
        let (mine, other) = (DeviceSecret::from_seed([1; 32]), DeviceSecret::from_seed([2; 32]));
        let good = mine.sign(UP_TYPE, b"call");
        let mut one_bit = good;
        one_bit.0[40] ^= 1;
        let answers = || {
            let ask = |key: &DeviceSecret, kind, payload: &[u8], signature| {
                let mut batch = Batch::default();
                batch.add(&key.key().0, kind, payload, signature);
                let together = batch.all_good(Digest32::of(b"weights"));
                assert_eq!(together, verify(&key.key().0, kind, payload, signature));
                together
            };
            let wrong = [
                ask(&mine, UP_TYPE, b"call", &one_bit),
                ask(&other, UP_TYPE, b"call", &good),
                ask(&mine, DOWN_TYPE, b"call", &good),
                ask(&mine, UP_TYPE, b"cal1", &good),
            ];
            (ask(&mine, UP_TYPE, b"call", &good), wrong)
        };
        let expected = (true, [false; 4]);
        assert_eq!(answers(), expected);
        let remembering = Remembering::begin();
        assert_eq!(mine.sign(UP_TYPE, b"call"), good);
        for _ in 0..2 {
            assert_eq!(answers(), expected);
            assert_eq!(remembering.count(), 1, "what is bad is not remembered");
        }
        drop(remembering);
        assert_eq!(answers(), expected);
    }
}
