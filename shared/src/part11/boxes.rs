//! Sealed boxes: a person's key, which only their secret opens, and a quiz's right answers, which only a kiosk's key store opens.
//!
//! Box key = HKDF-SHA-256(Argon2id(secret, salt) ‖ site pepper, epoch). Unlocking *is* the check of the secret: there is no other
//! verifier, so nobody can set a usable secret for somebody else (R14). The pepper lies in the device's key store, outside the data
//! folder: a copied database alone leaves nothing to guess against.
//!
//! A signing set-up names the box it made. **A box that was sealed anew bears its owner's signature**: only whoever opened one before it can have
//! made it, and nobody puts anything else in its place. Of a key's boxes the one of the latest epoch stands.

use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use minicbor::{Decode, Encode};
use sha2::Sha256;

use super::pepper::{Pepper, PepperEpoch};
use super::signature::{BOX_TYPE, PersonSecret, verify};
use crate::id::{BadgeHash, Digest32, PersonId, PersonKey, Signature};
use crate::kind::to_cbor;

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

/// A box as it lies on disk and travels beside the logs; entries hold only a digest.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct SealedBox {
    /// Of the pepper it was sealed under.
    #[n(0)]
    pub epoch: PepperEpoch,
    /// Absent: sealed by the pepper alone.
    #[n(1)]
    pub stretching: Option<Stretching>,
    #[cbor(n(2), with = "minicbor::bytes")]
    pub salt: [u8; 16],
    #[cbor(n(3), with = "minicbor::bytes")]
    pub nonce: [u8; 24],
    #[cbor(n(4), with = "minicbor::bytes")]
    pub sealed: Vec<u8>,
    /// Of its owner, over everything else in it. Absent in the box that a signing set-up names, and in those of quizzes.
    #[n(5)]
    pub sealed_anew: Option<Signature>,
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
    /// Reads a box that anybody may have written; `None` when it isn't one, or is spelled otherwise than we do.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let read: Self = minicbor::decode(bytes).ok()?;
        (read.epoch.is_name() && to_cbor(&read) == bytes).then_some(read)
    }

    pub fn digest(&self) -> Digest32 {
        Digest32::of(&to_cbor(self))
    }

    /// Seals a person's key under their secret.
    pub fn of_person(
        person: &PersonId,
        key: &PersonSecret,
        secret: &str,
        (epoch, pepper): (PepperEpoch, &Pepper),
        stretching: Stretching,
        random: BoxRandom,
    ) -> Result<Self, Locked> {
        let box_key = box_key(Some((secret, stretching)), &random.salt, pepper, epoch)?;
        let sealed = encrypt(&box_key, &random.nonce, &key.seed(), &person_context(person, key.key()))?;
        let BoxRandom { salt, nonce } = random;
        Ok(Self { epoch, stretching: Some(stretching), salt, nonce, sealed, sealed_anew: None })
    }

    /// The box that takes the place of this one, which the person just opened with their secret.
    pub fn anew(
        &self,
        person: &PersonId,
        key: &PersonSecret,
        secret: &str,
        under: (PepperEpoch, &Pepper),
        random: BoxRandom,
    ) -> Result<Self, Locked> {
        let stretching = self.stretching.ok_or(Locked::Damaged)?;
        let mut sealed = Self::of_person(person, key, secret, under, stretching, random)?;
        sealed.sealed_anew = Some(key.sign(BOX_TYPE, &sealed.signed_by_owner(person, key.key())));
        Ok(sealed)
    }

    /// Whether it holds the person's key: it is the one that the set-up of that key names, or its owner sealed it anew.
    pub fn is_of(&self, person: &PersonId, key: PersonKey, named: &Digest32) -> bool {
        match &self.sealed_anew {
            None => self.digest() == *named,
            Some(signature) => verify(&key.0, BOX_TYPE, &self.signed_by_owner(person, key), signature),
        }
    }

    /// Whether it stands, of two boxes that hold the same: nobody brings an earlier epoch back, and all agree.
    pub fn outdoes(&self, other: &Self) -> bool {
        (self.epoch, self.digest()) > (other.epoch, other.digest())
    }

    fn signed_by_owner(&self, person: &PersonId, key: PersonKey) -> Vec<u8> {
        let contents = Self { sealed_anew: None, ..self.clone() }.digest();
        to_cbor(&(person, key, self.epoch, contents))
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
        if self.sealed_anew.is_some() && !self.is_of(person, key, &Digest32([0; 32])) {
            return Err(Locked::Damaged);
        }
        let box_key = box_key(Some((secret, stretching)), &self.salt, pepper, self.epoch)?;
        let seed =
            decrypt(&box_key, &self.nonce, &self.sealed, &person_context(person, key)).ok_or(Locked::WrongSecret)?;
        let seed: [u8; 32] = seed.try_into().map_err(|_| Locked::Damaged)?;
        let secret = PersonSecret::from_seed(seed);
        if secret.key() == key { Ok(secret) } else { Err(Locked::Damaged) }
    }

    /// Seals what only devices of the site may read, such as a quiz's right answers (L2).
    pub fn of_site(
        name: &str,
        plain: &[u8],
        (epoch, pepper): (PepperEpoch, &Pepper),
        random: BoxRandom,
    ) -> Result<Self, Locked> {
        let BoxRandom { salt, nonce } = random;
        let sealed = encrypt(&box_key(None, &salt, pepper, epoch)?, &nonce, plain, name.as_bytes())?;
        Ok(Self { epoch, stretching: None, salt, nonce, sealed, sealed_anew: None })
    }

    pub fn open_site(&self, name: &str, pepper: &Pepper) -> Result<Vec<u8>, Locked> {
        if self.sealed_anew.is_some() {
            return Err(Locked::Damaged);
        }
        let box_key = box_key(None, &self.salt, pepper, self.epoch)?;
        decrypt(&box_key, &self.nonce, &self.sealed, name.as_bytes()).ok_or(Locked::Damaged)
    }
}

/// The name under which a person's box travels.
pub fn person_box_name(person: &PersonId) -> String {
    format!("person/{person}")
}

/// Whose box travels under this name; `None` when it is no person's.
pub fn person_of_box(name: &str) -> Option<PersonId> {
    PersonId::new(name.strip_prefix("person/")?).ok()
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
    epoch: PepperEpoch,
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
    info.extend_from_slice(&epoch.0.to_be_bytes());
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

    const FIRST: PepperEpoch = PepperEpoch::FIRST;
    const LATER: PepperEpoch = PepperEpoch(2 << 48);

    fn person() -> PersonId {
        PersonId::new("maria").unwrap()
    }

    #[test]
    fn r14_only_the_secret_opens_the_key() {
        let (key, pepper) = (PersonSecret::from_seed([7; 32]), Pepper([9; 32]));
        let sealed =
            SealedBox::of_person(&person(), &key, "maria-secret", (FIRST, &pepper), Stretching::TESTS, RANDOM).unwrap();
        assert_eq!(sealed.open_person(&person(), key.key(), "maria-secret", &pepper).unwrap().key(), key.key());
        assert_eq!(sealed.open_person(&person(), key.key(), "maria-secreT", &pepper).unwrap_err(), Locked::WrongSecret);
        let other = Pepper([8; 32]);
        assert!(sealed.open_person(&person(), key.key(), "maria-secret", &other).is_err(), "a copied database alone");
        let ana = PersonId::new("ana").unwrap();
        assert!(sealed.open_person(&ana, key.key(), "maria-secret", &pepper).is_err(), "another person's box");
    }

    #[test]
    fn l2_answers_open_with_the_pepper_only() {
        let sealed = SealedBox::of_site("quiz/Q1", b"answers", (FIRST, &Pepper([9; 32])), RANDOM).unwrap();
        assert_eq!(sealed.open_site("quiz/Q1", &Pepper([9; 32])).unwrap(), b"answers");
        assert!(sealed.open_site("quiz/Q1", &Pepper([1; 32])).is_err());
        assert!(sealed.open_site("quiz/Q2", &Pepper([9; 32])).is_err());
    }

    #[test]
    fn a_box_that_asks_for_all_memory_is_refused() {
        let greedy = Stretching { memory_kib: u32::MAX, passes: 1 };
        let (salt, nonce) = ([0; 16], [0; 24]);
        let sealed = vec![0; 48];
        let sealed = SealedBox { epoch: FIRST, stretching: Some(greedy), salt, nonce, sealed, sealed_anew: None };
        assert_eq!(
            sealed.open_person(&person(), PersonKey([0; 32]), "x", &Pepper([0; 32])).unwrap_err(),
            Locked::Damaged
        );
    }

    #[test]
    fn r14_only_its_owner_seals_a_box_anew_and_an_earlier_epoch_never_comes_back() {
        let (key, old, new) = (PersonSecret::from_seed([7; 32]), Pepper([9; 32]), Pepper([8; 32]));
        let named =
            SealedBox::of_person(&person(), &key, "maria-secret", (FIRST, &old), Stretching::TESTS, RANDOM).unwrap();
        let random = BoxRandom { salt: [3; 16], nonce: [4; 24] };
        let anew = named.anew(&person(), &key, "maria-secret", (LATER, &new), random).unwrap();
        assert_eq!(anew.open_person(&person(), key.key(), "maria-secret", &new).unwrap().key(), key.key());
        assert!(anew.open_person(&person(), key.key(), "maria-secret", &old).is_err());
        assert!(
            anew.is_of(&person(), key.key(), &named.digest()) && named.is_of(&person(), key.key(), &named.digest())
        );
        assert!(anew.outdoes(&named) && !named.outdoes(&anew));
        // Whoever has only seen the boxes, or has another key, makes none.
        let ana = PersonId::new("ana").unwrap();
        let others = PersonSecret::from_seed([6; 32]);
        let forged = SealedBox {
            sealed_anew: named.anew(&person(), &others, "guess", (LATER, &new), random).unwrap().sealed_anew,
            ..anew.clone()
        };
        let later = SealedBox { epoch: PepperEpoch(3 << 48), ..anew.clone() };
        let bare = SealedBox { sealed_anew: None, ..anew.clone() };
        for wrong in [&forged, &later, &bare] {
            assert!(!wrong.is_of(&person(), key.key(), &named.digest()), "{wrong:?}");
        }
        assert!(!anew.is_of(&ana, key.key(), &named.digest()), "nor is it anybody else's");
    }

    #[test]
    fn a_box_from_before_epochs_is_read_and_has_its_digest() {
        // 1 was written where a name stands; nothing where a signature may.
        let (salt, nonce, sealed) = ([1; 16], [2; 24], vec![3; 4]);
        let read = SealedBox { epoch: FIRST, stretching: None, salt, nonce, sealed, sealed_anew: None };
        let bytes = [&[0x85, 0x01, 0xf6, 0x50][..], &[1; 16], &[0x58, 24], &[2; 24], &[0x44], &[3; 4]].concat();
        assert_eq!(SealedBox::read(&bytes), Some(read.clone()));
        assert_eq!(read.digest(), Digest32::of(&bytes));
        assert_eq!(SealedBox::read(&[&bytes[..], &[0]].concat()), None);
    }
}
