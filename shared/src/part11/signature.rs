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
                Signature(self.0.sign(&pae(payload_type, payload)).to_bytes())
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
    VerificationKey::try_from(*key)
        .and_then(|key| key.verify(&ed25519_zebra::Signature::from(signature.0), &pae(payload_type, payload)))
        .is_ok()
}

/// Signatures that are verified together: one equation for all of them costs a third of one for each.
#[derive(Default)]
pub struct Batch(batch::Verifier);

impl Batch {
    pub fn add(&mut self, key: &[u8; 32], payload_type: &str, payload: &[u8], signature: &Signature) {
        let signature = ed25519_zebra::Signature::from(signature.0);
        self.0.queue((VerificationKeyBytes::from(*key), signature, &pae(payload_type, payload)));
    }

    /// Whether every one of them is good, by the rule of [`verify`]. `weights` must be out of the signers' reach: with weights known
    /// beforehand bad signatures could be made that cancel each other out.
    pub fn all_good(self, weights: Digest32) -> bool {
        self.0.verify(ChaCha20Rng::from_seed(weights.0)).is_ok()
    }
}
