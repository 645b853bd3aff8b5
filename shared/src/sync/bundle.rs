//! A bundle: [`Give`](super::Give)s in a file, with a manifest at their end that the device which wrote it has signed.
//!
//! Every entry speaks for itself wherever it comes from; the manifest is what tells a whole file from one that was cut short or altered, and a
//! plant's own from another's, *before* anything of it is taken.

use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};

use super::envelope;
use super::intake::enrolled_by;
use super::message::BadMessage;
use crate::id::{DeviceKey, Digest32, KioskName, SiteId};
use crate::part11::signature::DeviceSecret;
use crate::time::Timestamp;

/// What a device signs when it has written a bundle.
pub const BUNDLE_TYPE: &str = "application/vnd.lineproof.bundle.v1+cbor";
/// Most pieces in one bundle; each fits a message.
pub const MAX_PIECES: u32 = 4 * 1024;

/// What stands at the end of a bundle.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Manifest {
    #[n(0)]
    pub device: DeviceKey,
    /// Whose plant the sender belongs to.
    #[n(1)]
    pub server: DeviceKey,
    /// The sender's enrolment, and those it keeps for others (H7).
    #[n(2)]
    pub enrolments: Vec<ByteVec>,
    /// By the sender's clock.
    #[n(3)]
    pub written: Timestamp,
    #[n(4)]
    pub pieces: u32,
    /// [`Manifest::chain`] over the pieces, from zero.
    #[n(5)]
    pub digest: Digest32,
}

/// Who wrote a bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender {
    pub kiosk: KioskName,
    pub site: SiteId,
    pub device: DeviceKey,
    pub written: Timestamp,
}

/// Why nothing of a bundle is taken. The file and what is held here stay as they are.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadBundle {
    #[error("it is no bundle, or was cut short: {0}. Copy it once more from where it was written")]
    Unreadable(String),
    #[error("it was altered: what it holds is not what its writer signed. Have it written once more")]
    Altered,
    #[error("it belongs to the plant of another server")]
    OtherServer,
    #[error("it was written by a device that this plant's server never enrolled")]
    Stranger,
    #[error("it was written by {0} at site {1}, and this terminal stands at another")]
    OtherSite(KioskName, SiteId),
    #[error("it is stale: everything in it is held here already")]
    Stale,
}

impl From<BadMessage> for BadBundle {
    fn from(bad: BadMessage) -> Self {
        match bad {
            BadMessage::Signature => Self::Altered,
            bad => Self::Unreadable(bad.to_string()),
        }
    }
}

impl Manifest {
    pub fn seal(&self, device: &DeviceSecret) -> Vec<u8> {
        envelope::seal(self, BUNDLE_TYPE, device)
    }

    /// Reads a manifest and checks that the device it names signed it. Who that is, is another question.
    pub fn open(bytes: &[u8]) -> Result<Self, BadBundle> {
        Ok(envelope::open(bytes, BUNDLE_TYPE, |manifest: &Self| manifest.device)?)
    }

    /// The digest over one more piece.
    pub fn chain(before: &Digest32, piece: &[u8]) -> Digest32 {
        Digest32::of_parts(&[&before.0, piece])
    }

    /// Who wrote the bundle, as the server's own signature on their enrolment says.
    pub fn sender(&self, server: &DeviceKey) -> Result<Sender, BadBundle> {
        if self.server != *server {
            return Err(BadBundle::OtherServer);
        }
        let enrolled = enrolled_by(&self.enrolments, &self.device, server).ok_or(BadBundle::Stranger)?;
        Ok(Sender { kiosk: enrolled.name, site: enrolled.site, device: self.device, written: self.written })
    }
}
