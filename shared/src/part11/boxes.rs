//! Sealed boxes: a person's key, which only their secret opens, and a quiz's right answers, which only a kiosk's key store opens.
//!
//! Box key = HKDF-SHA-256(Argon2id(secret, salt) ‖ site pepper, epoch). Unlocking *is* the check of the secret: there is no other
//! verifier, so nobody can set a usable secret for somebody else (R14). The pepper lies in the device's key store, outside the data
//! folder: a copied database alone leaves nothing to guess against.

use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use minicbor::{Decode, Encode};
use sha2::Sha256;

use super::signature::PersonSecret;
use crate::id::{BadgeHash, Digest32, PersonId, PersonKey};
use crate::kind::to_cbor;

/// 32 random bytes per site, sealed to each device at enrolment.
#[derive(Clone, PartialEq, Eq)]
pub struct Pepper(pub [u8; 32]);

impl std::fmt::Debug for Pepper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pepper(…)")
    }
}

/// What key stretching costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Stretching {
    #[n(0)]
    pub memory_kib: u32,
    #[n(1)]
    pub passes: u32,
}

impl Stretching {
    /// The recommendation of RFC 9106 for constrained memory, halved twice in memory and raised in passes for a kiosk's two cores.
    pub const NORMAL: Self = Self { memory_kib: 19 * 1024, passes: 2 };
    /// For tests only: no protection.
    pub const TESTS: Self = Self { memory_kib: 8, passes: 1 };
    /// Most memory times passes, in KiB, that a box may ask for: somewhat more than any cost in use, little enough for whoever has to find
    /// out that a stranger wrote it.
    const MOST_WORK_KIB: u64 = 48 * 1024;

    fn is_bearable(self) -> bool {
        u64::from(self.memory_kib) * u64::from(self.passes) <= Self::MOST_WORK_KIB
    }
}

/// A box as it lies on disk and travels beside the logs; entries hold only its digest.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct SealedBox {
    #[n(0)]
    pub epoch: u64,
    /// Absent: sealed by the pepper alone.
    #[n(1)]
    pub stretching: Option<Stretching>,
    #[cbor(n(2), with = "minicbor::bytes")]
    pub salt: [u8; 16],
    #[cbor(n(3), with = "minicbor::bytes")]
    pub nonce: [u8; 24],
    #[cbor(n(4), with = "minicbor::bytes")]
    pub sealed: Vec<u8>,
}

/// Random bytes for one sealing.
#[derive(Debug, Clone, Copy)]
pub struct BoxRandom {
    pub salt: [u8; 16],
    pub nonce: [u8; 24],
}

/// The box didn't open.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Locked {
    #[error("the secret is not the right one")]
    WrongSecret,
    #[error("the box is damaged or was sealed for another site")]
    Damaged,
}

impl SealedBox {
    pub fn digest(&self) -> Digest32 {
        Digest32::of(&to_cbor(self))
    }

    /// Seals a person's key under their secret.
    pub fn of_person(
        person: &PersonId,
        key: &PersonSecret,
        secret: &str,
        pepper: &Pepper,
        epoch: u64,
        stretching: Stretching,
        random: BoxRandom,
    ) -> Result<Self, Locked> {
        let box_key = box_key(Some((secret, stretching)), &random.salt, pepper, epoch)?;
        let sealed = encrypt(&box_key, &random.nonce, &key.seed(), &person_context(person, key.key()))?;
        Ok(Self { epoch, stretching: Some(stretching), salt: random.salt, nonce: random.nonce, sealed })
    }

    /// Unlocks a person's key: the check of the secret.
    pub fn open_person(
        &self,
        person: &PersonId,
        key: PersonKey,
        secret: &str,
        pepper: &Pepper,
    ) -> Result<PersonSecret, Locked> {
        let stretching = self.stretching.ok_or(Locked::Damaged)?;
        let box_key = box_key(Some((secret, stretching)), &self.salt, pepper, self.epoch)?;
        let seed =
            decrypt(&box_key, &self.nonce, &self.sealed, &person_context(person, key)).ok_or(Locked::WrongSecret)?;
        let seed: [u8; 32] = seed.try_into().map_err(|_| Locked::Damaged)?;
        let secret = PersonSecret::from_seed(seed);
        if secret.key() == key { Ok(secret) } else { Err(Locked::Damaged) }
    }

    /// Seals what only devices of the site may read, such as a quiz's right answers (L2).
    pub fn of_site(name: &str, plain: &[u8], pepper: &Pepper, epoch: u64, random: BoxRandom) -> Result<Self, Locked> {
        let box_key = box_key(None, &random.salt, pepper, epoch)?;
        let sealed = encrypt(&box_key, &random.nonce, plain, name.as_bytes())?;
        Ok(Self { epoch, stretching: None, salt: random.salt, nonce: random.nonce, sealed })
    }

    pub fn open_site(&self, name: &str, pepper: &Pepper) -> Result<Vec<u8>, Locked> {
        let box_key = box_key(None, &self.salt, pepper, self.epoch)?;
        decrypt(&box_key, &self.nonce, &self.sealed, name.as_bytes()).ok_or(Locked::Damaged)
    }
}

/// The name under which a person's box travels.
pub fn person_box_name(person: &PersonId) -> String {
    format!("person/{person}")
}

/// A badge number under the site's key: what master data hold instead of the number.
pub fn badge_hash(pepper: &Pepper, badge: &str) -> BadgeHash {
    let normal = badge.trim().to_uppercase();
    BadgeHash(Digest32::of_parts(&[b"lineproof badge", &pepper.0, normal.as_bytes()]).0)
}

/// The digest of a quiz's right answers under the site's key.
pub fn keyed_answers(pepper: &Pepper, answers: &Digest32) -> Digest32 {
    Digest32::of_parts(&[b"lineproof answers", &pepper.0, answers.as_bytes()])
}

fn person_context(person: &PersonId, key: PersonKey) -> Vec<u8> {
    Digest32::of_parts(&[person.as_str().as_bytes(), &key.0]).0.to_vec()
}

fn box_key(
    secret: Option<(&str, Stretching)>,
    salt: &[u8; 16],
    pepper: &Pepper,
    epoch: u64,
) -> Result<[u8; 32], Locked> {
    let mut material = Vec::with_capacity(64);
    if let Some((secret, cost)) = secret {
        // Costs come from a box that anybody may have written: bound them before spending memory.
        if !cost.is_bearable() {
            return Err(Locked::Damaged);
        }
        let params = Params::new(cost.memory_kib, cost.passes, 1, Some(32)).map_err(|_| Locked::Damaged)?;
        let mut stretched = [0u8; 32];
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(secret.as_bytes(), salt, &mut stretched)
            .map_err(|_| Locked::Damaged)?;
        material.extend_from_slice(&stretched);
    }
    material.extend_from_slice(&pepper.0);
    let mut key = [0u8; 32];
    let mut info = b"lineproof box".to_vec();
    info.extend_from_slice(&epoch.to_be_bytes());
    Hkdf::<Sha256>::new(Some(salt), &material).expand(&info, &mut key).map_err(|_| Locked::Damaged)?;
    Ok(key)
}

fn encrypt(key: &[u8; 32], nonce: &[u8; 24], plain: &[u8], context: &[u8]) -> Result<Vec<u8>, Locked> {
    XChaCha20Poly1305::new(key.into())
        .encrypt(&XNonce::from(*nonce), Payload { msg: plain, aad: context })
        .map_err(|_| Locked::Damaged)
}

fn decrypt(key: &[u8; 32], nonce: &[u8; 24], sealed: &[u8], context: &[u8]) -> Option<Vec<u8>> {
    XChaCha20Poly1305::new(key.into()).decrypt(&XNonce::from(*nonce), Payload { msg: sealed, aad: context }).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RANDOM: BoxRandom = BoxRandom { salt: [1; 16], nonce: [2; 24] };

    fn person() -> PersonId {
        PersonId::new("maria").unwrap()
    }

    #[test]
    fn r14_only_the_secret_opens_the_key() {
        let (key, pepper) = (PersonSecret::from_seed([7; 32]), Pepper([9; 32]));
        let sealed =
            SealedBox::of_person(&person(), &key, "maria-secret", &pepper, 1, Stretching::TESTS, RANDOM).unwrap();
        assert_eq!(sealed.open_person(&person(), key.key(), "maria-secret", &pepper).unwrap().key(), key.key());
        assert_eq!(sealed.open_person(&person(), key.key(), "maria-secreT", &pepper).unwrap_err(), Locked::WrongSecret);
        let other = Pepper([8; 32]);
        assert!(sealed.open_person(&person(), key.key(), "maria-secret", &other).is_err(), "a copied database alone");
        let ana = PersonId::new("ana").unwrap();
        assert!(sealed.open_person(&ana, key.key(), "maria-secret", &pepper).is_err(), "another person's box");
    }

    #[test]
    fn l2_answers_open_with_the_pepper_only() {
        let sealed = SealedBox::of_site("quiz/Q1", b"answers", &Pepper([9; 32]), 1, RANDOM).unwrap();
        assert_eq!(sealed.open_site("quiz/Q1", &Pepper([9; 32])).unwrap(), b"answers");
        assert!(sealed.open_site("quiz/Q1", &Pepper([1; 32])).is_err());
        assert!(sealed.open_site("quiz/Q2", &Pepper([9; 32])).is_err());
    }

    #[test]
    fn a_box_that_asks_for_all_memory_is_refused() {
        let greedy = Stretching { memory_kib: u32::MAX, passes: 1 };
        let sealed =
            SealedBox { epoch: 1, stretching: Some(greedy), salt: [0; 16], nonce: [0; 24], sealed: vec![0; 48] };
        assert_eq!(
            sealed.open_person(&person(), PersonKey([0; 32]), "x", &Pepper([0; 32])).unwrap_err(),
            Locked::Damaged
        );
    }
}
