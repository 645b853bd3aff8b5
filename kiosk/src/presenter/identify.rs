//! Where the plant's profile says that a badge alone never authenticates (R16): whose badge it is, their secret says.

use super::signing::Kind;
use super::{Badged, Presenter};
use crate::core::badge::PersonSeen;

impl Presenter {
    /// Whether a badge alone says who somebody is, by the plant's profile (R16).
    pub(super) fn asks_who_holds_the_badge(&self) -> bool {
        self.snapshot.plant.policy.signing.profile.asks_who_holds_the_badge()
    }

    /// Whether the visit begins with their secret: where no badge was shown it does in every profile (S13).
    pub(super) fn is_to_identify(&self) -> bool {
        let asks = |badged: &Badged| self.asks_who_holds_the_badge() || badged.by_pass.is_some();
        self.badged.as_ref().is_some_and(|badged| !badged.unlocked && asks(badged))
    }

    /// It is theirs: the visit begins.
    pub(super) fn identified(&mut self) {
        if let Some(badged) = self.badged.as_mut() {
            badged.signing = None;
        }
        self.welcome();
    }

    /// From now on the ticks are theirs.
    pub(super) fn observer_is_here(&mut self, seen: PersonSeen) {
        let Some(badged) = self.badged.as_mut() else { return };
        badged.signing = None;
        if let Some(training) = badged.training.as_mut() {
            training.observer = Some(seen);
        }
        self.load_sheet();
    }
}

impl Badged {
    /// Whether they have still to show that the badge is theirs.
    pub(super) fn is_unidentified(&self) -> bool {
        self.signing.as_ref().is_some_and(|signing| signing.act.kind() == Kind::Identify)
    }
}
