//! Terminal set-up by a one-time code that both sides prove to know and neither sends.
//!
//! The kiosk has no reason yet to trust the server's certificate authority, so each proof binds the authority's digest: somebody in
//! between who shows a certificate of their own makes the proofs differ. The server's binds everything it answers as well: nobody can exchange a part
//! of it.

use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};

use super::pepper::{Pepper, PepperEpoch};
use crate::id::{DeviceKey, Digest32};
use crate::kind::plant::KeyStoreKind;
use crate::kind::to_cbor;

/// A kiosk asks to be enrolled.
#[derive(Debug, Clone, Encode, Decode)]
#[cbor(array)]
pub struct EnrolRequest {
    #[n(0)]
    pub device: DeviceKey,
    #[n(1)]
    pub key_store: KeyStoreKind,
    /// Proves knowledge of the code, bound to the device and to the certificate authority the kiosk saw.
    #[n(2)]
    pub proof: Digest32,
    /// Digest of that authority's certificate.
    #[n(3)]
    pub authority: Digest32,
}

impl EnrolRequest {
    /// Reads what a stranger sent; `None` when it isn't a request.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        crate::log::canonical::check(bytes).ok()?;
        minicbor::decode(bytes).ok()
    }
}

/// What a newly enrolled kiosk needs.
#[derive(Debug, Clone, Encode, Decode)]
#[cbor(array)]
pub struct EnrolAnswer {
    #[n(0)]
    pub server: DeviceKey,
    #[n(1)]
    pub enrolment: ByteVec,
    #[n(2)]
    pub pepper: Pepper,
    /// Proves that the server knows the code, and stands behind that certificate authority and everything else here.
    #[n(3)]
    pub proof: Digest32,
    /// The peppers of later epochs.
    #[n(4)]
    pub later: Option<Vec<(PepperEpoch, Pepper)>>,
}

impl EnrolAnswer {
    /// Digest of everything that is given, that is all but the proof.
    fn given(&self) -> Digest32 {
        let later = to_cbor(&self.later);
        Digest32::of_parts(&[self.server.as_bytes(), &self.enrolment, &self.pepper.0, &later])
    }

    /// Reads what may be a stranger's; `None` when it isn't an answer.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        crate::log::canonical::check(bytes).ok()?;
        minicbor::decode(bytes).ok()
    }
}

/// The characters of a code: none that is taken for another. A terminal's keys for a code are these.
pub const CODE_ALPHABET: &str = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789";

/// How many characters a code has. A proof can be tried offline by whoever stands between terminal and server: 60 bits are out of reach for the
/// minutes that a code lives.
pub const CODE_LENGTH: usize = 12;

/// What stands for a code at the server: its letters without case and separators.
pub fn code_key(code: &str) -> Digest32 {
    let letters: String = code.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_uppercase();
    Digest32::of_parts(&[b"lineproof enrolment code", letters.as_bytes()])
}

/// What the kiosk shows.
pub fn kiosk_proof(code: &Digest32, device: &DeviceKey, authority: &Digest32) -> Digest32 {
    Digest32::of_parts(&[b"kiosk", code.as_bytes(), device.as_bytes(), authority.as_bytes()])
}

/// What the server shows with its answer, whatever stands in there as its proof.
pub fn server_proof(code: &Digest32, device: &DeviceKey, authority: &Digest32, answer: &EnrolAnswer) -> Digest32 {
    let given = answer.given();
    Digest32::of_parts(&[b"server", code.as_bytes(), device.as_bytes(), authority.as_bytes(), given.as_bytes()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s9_another_authority_makes_another_proof() {
        let (code, device) = (code_key("abcd-2345"), DeviceKey([1; 32]));
        assert_eq!(code, code_key("ABCD2345"));
        assert_ne!(kiosk_proof(&code, &device, &Digest32([1; 32])), kiosk_proof(&code, &device, &Digest32([2; 32])));
    }

    #[test]
    fn s9_whatever_else_is_answered_makes_another_proof() {
        let (code, device, authority) = (code_key("abcd-2345"), DeviceKey([1; 32]), Digest32([2; 32]));
        let answer = EnrolAnswer {
            server: DeviceKey([3; 32]),
            enrolment: ByteVec::from(vec![4; 8]),
            pepper: Pepper([5; 32]),
            proof: Digest32([0; 32]),
            later: None,
        };
        let proof = |answer: &EnrolAnswer| server_proof(&code, &device, &authority, answer);
        let changes: [fn(&mut EnrolAnswer); 5] = [
            |answer| answer.server.0[0] ^= 1,
            |answer| answer.enrolment[0] ^= 1,
            |answer| answer.pepper.0[0] ^= 1,
            |answer| answer.later = Some(Vec::new()),
            |answer| answer.later = Some(vec![(PepperEpoch(7), Pepper([6; 32]))]),
        ];
        let mut proofs = vec![proof(&answer)];
        for change in changes {
            let mut changed = answer.clone();
            change(&mut changed);
            proofs.push(proof(&changed));
        }
        proofs.sort_unstable();
        proofs.dedup();
        assert_eq!(proofs.len(), 6);
        let said = EnrolAnswer { proof: proof(&answer), ..answer.clone() };
        assert_eq!(proof(&said), proof(&answer), "the proof is no part of what it proves");
    }
}
