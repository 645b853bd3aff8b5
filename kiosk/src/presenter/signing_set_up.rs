//! Signing set-up at the terminal (R12): who cannot sign yet is offered it, a verifier badges and says what proved the identity, the person
//! chooses a secret twice and accepts the accountability statement (R9), the verifier signs.
//!
//! What the person chose lives here from its first character to the command that carries it; cancelled or signed out, it is gone.

use shared::part11::accountability;
use shared::part11::strength::{self, Weakness};

use super::id::{Action, TapId};
use super::message::*;
use super::say::count;
use super::view::{self, ChoiceError, IdentityProof, Screen, SigningStep};
use super::{Badged, Presenter, signing, training};

/// Longest secret that is taken, in characters.
const LONGEST: usize = 128;

/// A signing set-up under way.
#[derive(Default)]
pub(super) struct SettingUp {
    step: SigningStep,
    proof: Option<IdentityProof>,
    chosen: Hidden,
    repeated: Hidden,
    error: ChoiceError,
    done: Option<SigningSetUpReply>,
}

impl SettingUp {
    /// Nothing of it would be lost to another badge.
    pub fn is_at_rest(&self) -> bool {
        matches!(self.step, SigningStep::Offer | SigningStep::Done)
    }

    /// What goes out when the verifier has signed; `None` before everything is said.
    pub fn ready(&self) -> Option<(Hidden, IdentityProof)> {
        Some((self.chosen.clone(), self.proof?)).filter(|_| self.step == SigningStep::Statement)
    }
}

impl IdentityProof {
    const ALL: [Self; 4] = [Self::IdCard, Self::Passport, Self::DrivingLicence, Self::PersonnelFile];

    /// The choice of that number on the screen, from 1.
    pub fn numbered(number: usize) -> Option<Self> {
        Self::ALL.get(number.checked_sub(1)?).copied()
    }

    /// As it is recorded.
    pub fn word(self) -> &'static str {
        match self {
            Self::IdCard => "identity card",
            Self::Passport => "passport",
            Self::DrivingLicence => "driving licence",
            Self::PersonnelFile => "photograph in the personnel file",
        }
    }
}

impl Presenter {
    pub(super) fn offer_signing_set_up(&mut self) {
        if let Some(badged) = self.badged.as_mut() {
            badged.setting_up = SettingUp::default();
            self.screen = Screen::SigningSetUp;
        }
    }

    pub(super) fn tap_signing_set_up(&mut self, id: TapId) {
        let Some(badged) = self.badged.as_mut() else { return };
        let set_up = &mut badged.setting_up;
        match (set_up.step, id) {
            (SigningStep::Offer, TapId::Next) => self.begin_signing(signing::Act::SetUp),
            (SigningStep::Offer, TapId::Action(Action::Back)) if badged.seen.locked_out => {
                self.screen = Screen::Lockout;
            }
            (SigningStep::Done, TapId::Next | TapId::Action(Action::Back)) => self.welcome(),
            (SigningStep::Offer, TapId::Action(Action::Back)) => self.back_to_tasks(),
            (_, TapId::Cancel | TapId::Action(Action::Back)) => self.cancel_signing(),
            (SigningStep::Proof, TapId::Proof(number)) => {
                if let Some(proof) = IdentityProof::numbered(number) {
                    set_up.proof = Some(proof);
                    self.go_to(SigningStep::Choose);
                }
            }
            (SigningStep::Choose, TapId::Key(key)) => {
                Self::press(&mut self.keyboard, &mut set_up.chosen.0, key, LONGEST);
            }
            (SigningStep::Repeat, TapId::Key(key)) => {
                Self::press(&mut self.keyboard, &mut set_up.repeated.0, key, LONGEST);
            }
            (SigningStep::Choose, TapId::Ok) if !set_up.chosen.0.is_empty() => self.secret_chosen(),
            (SigningStep::Repeat, TapId::Ok) if !set_up.repeated.0.is_empty() => self.secret_repeated(),
            (SigningStep::Statement, TapId::Next) => self.ask_seconds_secret(),
            _ => {}
        }
    }

    /// A secret typed whole, by a host with an input method of its own.
    pub(super) fn type_chosen(&mut self, text: String) {
        let Some(badged) = self.badged.as_mut() else { return };
        let typed = Hidden(text.chars().take(LONGEST).collect());
        match badged.setting_up.step {
            SigningStep::Choose => badged.setting_up.chosen = typed,
            SigningStep::Repeat => badged.setting_up.repeated = typed,
            _ => {}
        }
    }

    /// The verifier may verify, and is here.
    pub(super) fn verifier_is_here(&mut self) {
        if let Some(badged) = self.badged.as_mut() {
            // What was said and chosen before another verifier is not theirs to vouch for.
            badged.setting_up = SettingUp::default();
        }
        self.screen = Screen::SigningSetUp;
        self.go_to(SigningStep::Proof);
    }

    fn go_to(&mut self, step: SigningStep) {
        self.keyboard.layer = view::KeyLayer::Lower;
        if let Some(badged) = self.badged.as_mut() {
            (badged.setting_up.step, badged.setting_up.error) = (step, ChoiceError::None);
        }
    }

    fn secret_chosen(&mut self) {
        let kind = self.kind_of_secret();
        let Some(badged) = self.badged.as_mut() else { return };
        let set_up = &mut badged.setting_up;
        match kind.weakness(&set_up.chosen.0, badged.seen.person.as_str()) {
            None => self.go_to(SigningStep::Repeat),
            Some(weakness) => {
                set_up.chosen = Hidden::default();
                set_up.error = match weakness {
                    Weakness::TooShort => ChoiceError::TooShort,
                    Weakness::TooSimple => ChoiceError::TooSimple,
                };
            }
        }
    }

    /// Typed twice alike, it is the person's; else they choose again, for nobody knows which of the two was meant.
    fn secret_repeated(&mut self) {
        let Some(badged) = self.badged.as_mut() else { return };
        let set_up = &mut badged.setting_up;
        if set_up.chosen == set_up.repeated {
            return self.go_to(SigningStep::Statement);
        }
        (set_up.chosen, set_up.repeated) = (Hidden::default(), Hidden::default());
        self.go_to(SigningStep::Choose);
        if let Some(badged) = self.badged.as_mut() {
            badged.setting_up.error = ChoiceError::Differs;
        }
    }

    /// Both have signed and it is stored.
    pub(super) fn signing_is_set_up(&mut self, reply: SigningSetUpReply) {
        let kind = self.kind_of_secret();
        let Some(badged) = self.badged.as_mut() else { return };
        badged.signing = None;
        // The new secret was used just now: no wrong one stands after it.
        (badged.seen.secret, badged.seen.locked_out) = (Some(kind), false);
        badged.setting_up = SettingUp { step: SigningStep::Done, done: Some(reply), ..SettingUp::default() };
        self.touched = self.now;
        self.screen = Screen::SigningSetUp;
    }

    pub(super) fn kind_of_secret(&self) -> strength::SecretKind {
        strength::SecretKind::of(self.snapshot.key_store, self.snapshot.plant.policy.signing.profile)
    }

    pub(super) fn signing_set_up_view(&self, badged: &Badged) -> view::SigningSetUp {
        let set_up = &badged.setting_up;
        let kind = self.kind_of_secret();
        let verifier = badged.signing.as_ref().and_then(|signing| signing.second.as_ref());
        let typed = if set_up.step == SigningStep::Repeat { &set_up.repeated } else { &set_up.chosen };
        let done = set_up.done.as_ref();
        view::SigningSetUp {
            step: set_up.step,
            person: badged.seen.printed_name.clone(),
            verifier: verifier.map(|seen| seen.printed_name.clone()).unwrap_or_default(),
            kind: match kind {
                strength::SecretKind::Pin => view::SecretKind::Pin,
                strength::SecretKind::Passphrase => view::SecretKind::Passphrase,
            },
            least: count(kind.least()),
            typed: count(typed.0.chars().count()),
            error: set_up.error,
            statement: accountability::statement(&self.language).sentences.iter().map(ToString::to_string).collect(),
            signatures: done.map_or_else(Vec::new, |done| self.signature_rows(&done.signatures, signing::Kind::SetUp)),
            entry: done.map_or_else(String::new, |done| training::in_groups(&done.entry.to_string())),
        }
    }
}
