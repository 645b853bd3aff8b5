//! Locked out after wrong secrets (R15): what happened, what is kept, and a supervisor who lifts it here with badge, reason and secret.

use super::id::TapId;
use super::say::count;
use super::view::{self, Screen, UnlockReason};
use super::{Badged, Presenter, signing};

/// What a lockout interrupted.
#[derive(Default)]
pub(super) struct LockedOut {
    /// The signature that was asked for, and where it was begun.
    interrupted: Option<(signing::Act, Screen)>,
}

impl LockedOut {
    /// Whether something waits for the person's signature.
    pub fn holds_work(&self) -> bool {
        self.interrupted.is_some()
    }
}

impl UnlockReason {
    const ALL: [Self; 3] = [Self::Mistyped, Self::Gloves, Self::Recalled];

    /// The choice of that number on the screen, from 1.
    pub fn numbered(number: usize) -> Option<Self> {
        Self::ALL.get(number.checked_sub(1)?).copied()
    }

    /// As it is recorded.
    pub fn word(self) -> &'static str {
        match self {
            Self::Mistyped => "mistyped; identified by the supervisor",
            Self::Gloves => "gloves or keyboard; identified by the supervisor",
            Self::Recalled => "secret recalled; identified by the supervisor",
        }
    }
}

impl Presenter {
    /// The terminal takes no more secrets of the person. What they were signing waits.
    pub(super) fn locked_out(&mut self) {
        let Some(badged) = self.badged.as_mut() else { return };
        let interrupted = badged.signing.take().map(|signing| (signing.act, signing.back));
        badged.seen.locked_out = true;
        badged.lockout = LockedOut { interrupted };
        self.touched = self.now;
        self.screen = Screen::Lockout;
    }

    pub(super) fn tap_lockout(&mut self, id: TapId) {
        match id {
            TapId::Reason(number) => {
                if let Some(reason) = UnlockReason::numbered(number) {
                    self.begin_signing(signing::Act::Lift { reason });
                }
            }
            // A lost secret means a new key, with two people; what the old one signed stays valid.
            TapId::Next => self.offer_signing_set_up(),
            _ => {}
        }
    }

    /// The supervisor has signed: the person goes on where they were stopped.
    pub(super) fn lockout_lifted(&mut self) {
        let Some(badged) = self.badged.as_mut() else { return };
        badged.signing = None;
        badged.seen.locked_out = false;
        self.touched = self.now;
        match std::mem::take(&mut badged.lockout).interrupted {
            Some((act, back)) => {
                self.screen = back;
                self.begin_signing(act);
            }
            None => self.welcome(),
        }
    }

    pub(super) fn lockout_view(&self, badged: &Badged) -> view::Lockout {
        view::Lockout {
            person: badged.seen.printed_name.clone(),
            tries: count(self.snapshot.plant.policy.lockout.attempts),
            interrupted: badged.lockout.holds_work(),
            able: self.others(badged, &self.snapshot.leads),
        }
    }
}
