//! A correction of one's own entry (R24): what is wrong, what would be right, why, and the secret. The entry stays and counts no more.

use shared::kind::record::Outcome;

use super::id::{Action, TapId};
use super::view::{self, CorrectionReason, CorrectionStep, Screen, WrongThing};
use super::{Badged, Presenter, signing};
use crate::core::correct::{Corrected, OwnEntry, Wrong};

/// Longest text of what would be right, in characters.
const LONGEST: usize = 120;

/// A correction being stated.
#[derive(Debug, Clone)]
pub(super) struct Correcting {
    own: OwnEntry,
    step: CorrectionStep,
    wrong: Option<Wrong>,
    right: String,
    reason: Option<CorrectionReason>,
}

impl CorrectionReason {
    const ALL: [Self; 4] = [Self::Slip, Self::WrongBadge, Self::Misread, Self::Misunderstood];

    fn numbered(number: usize) -> Option<Self> {
        Self::ALL.get(number.checked_sub(1)?).copied()
    }

    /// As it is recorded.
    fn word(self) -> &'static str {
        match self {
            Self::Slip => "slip of the finger",
            Self::WrongBadge => "another person was badged in",
            Self::Misread => "misread or mistyped",
            Self::Misunderstood => "the question was misunderstood",
        }
    }
}

impl Correcting {
    /// What goes out; `None` before everything is said.
    pub fn ready(&self, person: &str) -> Option<(shared::id::EntryId, Corrected)> {
        let (wrong, reason) = (self.wrong?, self.reason?);
        let corrected = Corrected {
            wrong,
            old: self.old(wrong, person),
            new: self.right.trim().to_owned(),
            reason: reason.word().to_owned(),
        };
        Some((self.own.entry, corrected))
    }

    /// What stands in the entry.
    fn old(&self, wrong: Wrong, person: &str) -> String {
        let outcome = match self.own.outcome {
            Outcome::Passed => "passed",
            Outcome::NotYet => "not yet",
            Outcome::Failed => "failed",
            Outcome::Aborted => "aborted",
        };
        match (wrong, self.own.score_percent) {
            (Wrong::Person, _) => person.to_owned(),
            (Wrong::Value, Some(percent)) => format!("{percent} %"),
            _ => outcome.to_owned(),
        }
    }
}

impl Presenter {
    pub(super) fn begin_correction(&mut self, own: OwnEntry) {
        let Some(badged) = self.badged.as_mut() else { return };
        let kept = badged.kept.correction.take().filter(|kept| kept.own.entry == own.entry);
        let step = CorrectionStep::What;
        let new = Correcting { own, step, wrong: None, right: String::new(), reason: None };
        badged.correcting = Some(kept.unwrap_or(new));
        self.screen = Screen::Correction;
    }

    pub(super) fn tap_correction(&mut self, id: TapId) {
        let Some(badged) = self.badged.as_mut() else { return };
        let Some(correcting) = badged.correcting.as_mut() else { return };
        match (correcting.step, id) {
            (_, TapId::Cancel | TapId::Action(Action::Back)) => {
                badged.correcting = None;
                self.screen = Screen::Records;
            }
            (CorrectionStep::What, TapId::Wrong(wrong)) => {
                correcting.wrong = Some(wrong);
                correcting.step = CorrectionStep::Right;
                self.keyboard.layer = view::KeyLayer::Lower;
            }
            (CorrectionStep::Right, TapId::Key(key)) => {
                Self::press(&mut self.keyboard, &mut correcting.right, key, LONGEST);
            }
            (CorrectionStep::Right, TapId::Ok) if !correcting.right.trim().is_empty() => {
                correcting.step = CorrectionStep::Reason;
            }
            (CorrectionStep::Reason, TapId::Reason(number)) => {
                correcting.reason = CorrectionReason::numbered(number);
                if correcting.reason.is_some() {
                    self.begin_signing(signing::Act::Correct);
                }
            }
            _ => {}
        }
    }

    pub(super) fn type_right(&mut self, text: &str) {
        if let Some(correcting) = self.badged.as_mut().and_then(|badged| badged.correcting.as_mut()) {
            correcting.right = text.chars().take(LONGEST).collect();
        }
    }

    /// It is stored: the record shows both values.
    pub(super) fn corrected(&mut self) {
        if let Some(badged) = self.badged.as_mut() {
            (badged.signing, badged.correcting) = (None, None);
            self.open_records();
        }
    }

    /// Document, title and version of the entry that is corrected.
    pub(super) fn what_is_corrected(&self, badged: &Badged) -> (String, String, String) {
        let Some(correcting) = &badged.correcting else { return Default::default() };
        let row = self.record_row(&correcting.own, 0);
        (row.document, row.title, row.version)
    }

    pub(super) fn correction_view(&self, badged: &Badged) -> view::Correction {
        let Some(correcting) = &badged.correcting else { return view::Correction::default() };
        view::Correction {
            step: correcting.step,
            entry: self.record_row(&correcting.own, 0),
            wrong: match correcting.wrong {
                Some(Wrong::Value) => WrongThing::Value,
                Some(Wrong::Outcome) => WrongThing::Outcome,
                Some(Wrong::Person) | None => WrongThing::Person,
            },
            typed: correcting.right.clone(),
        }
    }
}
