//! A second person answers for a start that the gate holds back because the terminal has heard too little (U5).

use super::message::*;
use super::{Badged, Presenter, signing};

impl Presenter {
    /// From the verdict: the co-signature names the very decision on view.
    pub(super) fn get_co_signature(&mut self) {
        let decision = self.badged.as_ref().and_then(|badged| badged.verdict.as_ref());
        if let Some(decision) = decision.map(|reply| reply.verdict.entry) {
            self.begin_signing(signing::Act::CoSign { decision });
        }
    }

    /// It is stored: the gate is asked again, and says GO by its own rules.
    pub(super) fn co_signed(&mut self) {
        if let Some(badged) = self.badged.as_mut() {
            badged.signing = None;
            self.touched = self.now;
            self.ask_again();
        }
    }
}

impl Badged {
    /// The start that was asked for.
    pub(super) fn start(&self) -> Option<Start> {
        Some(Start { person: self.seen.person.clone(), task: self.task.clone()?, lot: self.lot.clone() })
    }
}
