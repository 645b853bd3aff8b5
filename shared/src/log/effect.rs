//! What an entry's effect can be. The verdict is a pure function of all held entries; it is computed per subject where that subject's
//! facts are judged together ([`crate::record`]), and changes when knowledge changes.

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use crate::id::EntryId;

/// Whether a held entry counts.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "verdict", content = "why")]
pub enum Verdict {
    #[n(0)]
    Effective,
    /// Valid but contradicted, or its authority in doubt: waits for a ruling or new evidence. On screens: *on hold, QA review*.
    #[n(1)]
    OnHold(#[n(0)] Doubt),
    /// No effect until its cause ends. On screens: *entries set aside*.
    #[n(2)]
    SetAside(#[n(0)] Cause),
    /// Of a kind this version doesn't know.
    #[n(3)]
    NotUnderstood,
}

/// Why an entry is on hold.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Doubt {
    /// A concurrent entry says the opposite (U8).
    #[n(0)]
    Contradicted(#[n(0)] EntryId),
    /// The signer's right did not cover the signing time, as known now.
    #[n(1)]
    AuthorityWithdrawn,
    /// The signer's key was revoked with effect from before the signing.
    #[n(2)]
    KeyRevoked,
    /// Signed by a badge that was out of its owner's hands (R15).
    #[n(3)]
    BadgeLost,
    /// Signed by a day pass that isn't here, has no effect, or had run out (S6).
    #[n(4)]
    DayPass,
}

/// Why an entry is set aside.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// It stands after a fork of its log that nobody has ruled on.
    #[n(0)]
    BehindFork,
    /// Its device was revoked, and it isn't an ancestor of the heads the revocation names.
    #[n(1)]
    DeviceRevoked,
    /// A person's signature is not their own over this statement.
    #[n(2)]
    BadSignature,
    /// The kind asks for other signers.
    #[n(3)]
    WrongSigners,
    /// Nobody set up this key for the signer.
    #[n(4)]
    UnknownKey,
    /// The signer never had the right.
    #[n(5)]
    NoAuthority,
    /// Somebody signed off themselves.
    #[n(6)]
    SelfSigned,
    /// Annulled by a signed correction.
    #[n(7)]
    Annulled(#[n(0)] EntryId),
    /// The same act is already recorded.
    #[n(8)]
    Duplicate(#[n(0)] EntryId),
    /// An earlier activity of the requirement is missing (R6).
    #[n(9)]
    OutOfOrder,
    /// A signed ruling rejected it.
    #[n(10)]
    Rejected(#[n(0)] EntryId),
    /// The body can't be read.
    #[n(11)]
    Unreadable,
    /// Only a server may write this kind.
    #[n(12)]
    NotTheServer,
    /// A PIN chosen where none may be: by its profile, or at a device without a chip (R16).
    #[n(13)]
    WeakSecret,
    /// Signed for somebody else by a day pass, which is good for its person's own acts only (S6).
    #[n(14)]
    ByDayPass,
}

impl Verdict {
    /// Whether it was done by the people whom it names, as far as is known here, whatever became of it since: what stands behind a fork mostly was.
    pub fn was_done(&self) -> bool {
        use Cause::{BadSignature, DeviceRevoked, Duplicate, NotTheServer, UnknownKey, Unreadable, WrongSigners};
        !matches!(
            self,
            Self::SetAside(
                BadSignature | DeviceRevoked | Duplicate(_) | NotTheServer | UnknownKey | Unreadable | WrongSigners
            )
        )
    }

    pub fn is_effective(&self) -> bool {
        *self == Self::Effective
    }
    pub fn is_on_hold(&self) -> bool {
        matches!(self, Self::OnHold(_))
    }
}
