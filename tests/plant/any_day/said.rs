//! What people say for good, why somebody may not start, and the sentences by which the one follows from the other.

use std::collections::BTreeSet;

use shared::time::{HOUR_MS, Timestamp};

/// The place of what was told in the account. Nothing is told before something that it rests on, and later is larger.
pub type Word = usize;

/// The server, or a kiosk by its name.
pub type Place = &'static str;
pub type Name = &'static str;

pub const SERVER: Place = "server";
/// Wrong secrets until somebody is locked out.
pub const ATTEMPTS: usize = 10;
/// How long a kiosk may judge without having heard from the server.
pub const LEASE_MS: i64 = 12 * HOUR_MS;

/// What was said by somebody, for good. A key is named by the word that set it up.
#[derive(Debug, Clone, PartialEq)]
pub enum Said {
    Approved {
        version: u32,
        from: Timestamp,
        anew: bool,
    },
    Withdrawn {
        version: u32,
    },
    RightGiven {
        assessor: Name,
    },
    RightEnded {
        assessor: Name,
    },
    /// A new key, by whoever verified who they are; none at the server.
    SetUp {
        person: Name,
        verified_by: Option<Word>,
    },
    Read {
        person: Name,
        version: u32,
        key: Word,
    },
    Checked {
        person: Name,
        version: u32,
        assessor: Name,
        passed: bool,
        keys: [Word; 2],
    },
    Ruled {
        checks: Vec<Word>,
        accepted: bool,
    },
    /// A wrong secret, and a signature by the person's own key.
    Wrong {
        person: Name,
    },
    Signed {
        person: Name,
        key: Word,
    },
    Forgiven {
        wrong: Vec<Word>,
        key: Word,
    },
    /// What the server had of the kiosk by then still counts.
    Revoked {
        kiosk: Place,
        had: BTreeSet<Word>,
    },
}

/// A sentence that bears on the gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    VersionsCountFromTheirInstant,
    WithdrawnVersionsStop,
    NoOlderVersionReturns,
    WithdrawnBeforeItsInstantNeverCounts,
    VersionsAreLearnedAnew,
    RightsAreAskedAtMerge,
    FailuresEndPasses,
    ContradictionsAreHeld,
    AcceptedMeansEffective,
    RejectedMeansSetAside,
    RevokedKiosksSayNothingMore,
    OthersWrongSecretsCount,
    SignaturesEndWrongSecrets,
    LeadersForgiveWrongSecrets,
    LeasesEnd,
}

pub const RULES: [Rule; 15] = [
    Rule::VersionsCountFromTheirInstant,
    Rule::WithdrawnVersionsStop,
    Rule::NoOlderVersionReturns,
    Rule::WithdrawnBeforeItsInstantNeverCounts,
    Rule::VersionsAreLearnedAnew,
    Rule::RightsAreAskedAtMerge,
    Rule::FailuresEndPasses,
    Rule::ContradictionsAreHeld,
    Rule::AcceptedMeansEffective,
    Rule::RejectedMeansSetAside,
    Rule::RevokedKiosksSayNothingMore,
    Rule::OthersWrongSecretsCount,
    Rule::SignaturesEndWrongSecrets,
    Rule::LeadersForgiveWrongSecrets,
    Rule::LeasesEnd,
];

/// Why nobody starts; all reasons that stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bar {
    KioskRevoked,
    LockedOut,
    TooLongOffline,
    NoVersion,
    /// A check that would do waits for quality's ruling.
    OnHold,
    Training,
}

/// Why the right secret opens nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closed {
    LockedOut,
    /// The key was set up elsewhere, and its box hasn't come here.
    NotHere,
}
