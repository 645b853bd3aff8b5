//! The site's peppers: what somebody needs beside a secret, or beside a quiz's answers, and never finds in a data folder.
//!
//! **No terminal ever knows the pepper of an epoch that its own revocation began.** An epoch is named after the terminals that are revoked, under
//! the server's key: a name that holds a terminal is another than those without it, and whoever is revoked is given nothing. So it doesn't matter
//! what a server that was put back has forgotten: it can't come upon that name again for the terminal it was meant against, nobody else can foretell
//! it, and a crash has no place between the revocation and its epoch.

use std::collections::BTreeMap;

use hkdf::Hkdf;
use minicbor::{Decode, Encode};
use sha2::Sha256;

use crate::id::{DeviceKey, Digest32};

/// 32 bytes that only the server and the terminals in use know.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct Pepper(#[cbor(n(0), with = "minicbor::bytes")] pub [u8; 32]);

impl Pepper {
    /// The pepper of a later epoch. It follows from the server's own key, so that the copy in escrow is good for all there will be.
    pub fn derived(server_seed: &[u8; 32], epoch: PepperEpoch) -> Self {
        let mut info = b"lineproof site pepper".to_vec();
        info.extend_from_slice(&epoch.0.to_be_bytes());
        let mut pepper = [0; 32];
        Hkdf::<Sha256>::new(None, server_seed).expand(&info, &mut pepper).expect("32 bytes are within what HKDF gives");
        Self(pepper)
    }
}

impl std::fmt::Debug for Pepper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pepper(…)")
    }
}

/// The name of an epoch; a later one is greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(transparent)]
pub struct PepperEpoch(#[n(0)] pub u64);

impl PepperEpoch {
    /// From installation to the first revocation.
    pub const FIRST: Self = Self(1);
    /// How many bits of a name tell apart epochs with equally many revocations.
    const NAME_BITS: u32 = 48;
    /// As far as revocations are counted, so that a name fits into a database's numbers.
    const MOST_COUNTED: u64 = (1 << 15) - 1;

    /// The epoch that began with the last of these revocations.
    pub fn after<'d>(revoked: impl Iterator<Item = &'d DeviceKey>, server_seed: &[u8; 32]) -> Self {
        let mut revoked: Vec<&DeviceKey> = revoked.collect();
        if revoked.is_empty() {
            return Self::FIRST;
        }
        revoked.sort_unstable();
        let mut parts: Vec<&[u8]> = vec![b"lineproof pepper epoch", server_seed];
        parts.extend(revoked.iter().map(|device| device.as_bytes()));
        let named = Digest32::of_parts(&parts).0.iter().take(6).fold(0, |name, byte| name << 8 | u64::from(*byte));
        let count = u64::try_from(revoked.len()).unwrap_or(u64::MAX).min(Self::MOST_COUNTED);
        Self(count << Self::NAME_BITS | named)
    }

    /// How many revocations came before it.
    pub fn revocations(self) -> u64 {
        self.0 >> Self::NAME_BITS
    }

    /// Whether a server that is in the epoch `now` can have been in this one before, or is. Of earlier ones it can't tell what else they are called; none
    /// that is still to come is among them, so nobody is given the pepper under which a revocation to come will seal.
    pub fn can_have_led_to(self, now: Self) -> bool {
        self == Self::FIRST || self == now || (1..now.revocations()).contains(&self.revocations())
    }

    /// Whether an epoch can be called so.
    pub fn is_name(self) -> bool {
        self.0 > 0 && self.revocations() <= Self::MOST_COUNTED
    }
}

/// The peppers that a terminal knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peppers {
    first: Pepper,
    later: BTreeMap<PepperEpoch, Pepper>,
}

impl Peppers {
    pub fn new(first: Pepper, later: impl IntoIterator<Item = (PepperEpoch, Pepper)>) -> Self {
        let mut peppers = Self { first, later: BTreeMap::new() };
        peppers.learn(later);
        peppers
    }

    /// Under it badges and right answers are named for good: entries are never written anew.
    pub fn first(&self) -> &Pepper {
        &self.first
    }

    pub fn later(&self) -> impl Iterator<Item = (PepperEpoch, &Pepper)> {
        self.later.iter().map(|(epoch, pepper)| (*epoch, pepper))
    }

    /// What a box of this epoch opens with.
    pub fn of(&self, epoch: PepperEpoch) -> Option<&Pepper> {
        if epoch == PepperEpoch::FIRST { Some(&self.first) } else { self.later.get(&epoch) }
    }

    /// What is sealed under from here on.
    pub fn newest(&self) -> (PepperEpoch, &Pepper) {
        self.later().last().unwrap_or((PepperEpoch::FIRST, &self.first))
    }

    pub fn epochs(&self) -> Vec<PepperEpoch> {
        std::iter::once(PepperEpoch::FIRST).chain(self.later.keys().copied()).collect()
    }

    /// Adds what isn't known; whether there was any. What is known is never replaced: boxes open with it.
    pub fn learn(&mut self, given: impl IntoIterator<Item = (PepperEpoch, Pepper)>) -> bool {
        let known = self.later.len();
        for (epoch, pepper) in given.into_iter().filter(|(epoch, _)| epoch.is_name() && *epoch != PepperEpoch::FIRST) {
            self.later.entry(epoch).or_insert(pepper);
        }
        self.later.len() > known
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEED: [u8; 32] = [7; 32];

    fn epoch(revoked: &[u8]) -> PepperEpoch {
        let devices: Vec<DeviceKey> = revoked.iter().map(|device| DeviceKey([*device; 32])).collect();
        PepperEpoch::after(devices.iter(), &SEED)
    }

    #[test]
    fn r14_every_revocation_begins_an_epoch_of_its_own_whatever_was_forgotten() {
        assert_eq!(epoch(&[]), PepperEpoch::FIRST);
        assert!(epoch(&[]) < epoch(&[1]) && epoch(&[1]) < epoch(&[1, 2]), "a later one is greater");
        assert_eq!(epoch(&[1, 2]), epoch(&[2, 1]), "in whatever order the server hears of them");
        // A server that was put back and forgot that 1 was revoked: what 2's revocation begins is nothing that 2 was given.
        let known_to_2 = [epoch(&[]), epoch(&[1])];
        assert!(!known_to_2.contains(&epoch(&[2])) && !known_to_2.contains(&epoch(&[1, 2])));
        assert_ne!(
            PepperEpoch::after([DeviceKey([1; 32])].iter(), &[8; 32]),
            epoch(&[1]),
            "nobody else can foretell it"
        );
        assert_ne!(Pepper::derived(&SEED, epoch(&[1])), Pepper::derived(&SEED, epoch(&[2])));
    }

    #[test]
    fn r14_no_epoch_to_come_leads_to_the_one_that_is_now() {
        let [first, one, other, both] = [epoch(&[]), epoch(&[1]), epoch(&[2]), epoch(&[1, 2])];
        for (now, before) in [(first, vec![first]), (one, vec![first, one]), (both, vec![first, one, other, both])] {
            assert!(before.iter().all(|epoch| epoch.can_have_led_to(now)));
            let to_come = [PepperEpoch(2), PepperEpoch(now.0 + 1), PepperEpoch(32_767 << 48), PepperEpoch(3 << 48)];
            assert!(!to_come.iter().any(|epoch| epoch.can_have_led_to(now)), "{now:?}");
        }
        assert!(!other.can_have_led_to(one) && !both.can_have_led_to(one), "nor one of another terminal's revocation");
    }

    #[test]
    fn r14_what_is_known_is_never_replaced_and_the_newest_seals() {
        let (later, latest) = (epoch(&[1]), epoch(&[1, 2]));
        let mut peppers = Peppers::new(Pepper([0; 32]), []);
        assert_eq!(peppers.newest(), (PepperEpoch::FIRST, &Pepper([0; 32])));
        assert!(peppers.learn([(latest, Pepper([2; 32])), (later, Pepper([1; 32]))]));
        assert_eq!(peppers.newest(), (latest, &Pepper([2; 32])));
        let others =
            [(PepperEpoch::FIRST, Pepper([9; 32])), (latest, Pepper([9; 32])), (PepperEpoch(0), Pepper([9; 32]))];
        assert!(!peppers.learn(others), "neither is what nothing can be called");
        assert_eq!(peppers.of(latest), Some(&Pepper([2; 32])));
        assert_eq!(peppers.of(PepperEpoch::FIRST), Some(&Pepper([0; 32])));
        assert_eq!(peppers.epochs(), [PepperEpoch::FIRST, later, latest]);
    }
}
