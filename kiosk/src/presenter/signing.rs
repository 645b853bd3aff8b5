//! Signing: whose secret is asked, in which order, and what is sent when all have given theirs.
//!
//! One's own first signing of a badge session asks for the secret, later ones don't; a sign-off by two always asks both (R13). A secret
//! lives here from its first character to the command that carries it, and no longer than the dialogue.

use shared::id::{ActId, Digest32, EntryId, PersonId};
use shared::kind::presence::SessionEnd;
use shared::kind::record::{CriterionResult, Outcome};
use shared::part11::strength;
use shared::time::{SECOND_MS, Timestamp};

use super::id::{Action, TapId};
use super::message::*;
use super::say::{count, document_title};
use super::second::Refused;
use super::signing_set_up::SettingUp;
use super::view::{self, Meaning, Screen, SecondRefusal, SecretError, SecretKind, UnlockReason};
use super::{Badged, Presenter, Purpose};
use crate::core::badge::PersonSeen;
use crate::stick::Way;

/// Longest secret that is taken, in characters.
const LONGEST: usize = 128;
/// How long the trainer has after the trainee (S3), in milliseconds.
pub(super) const BOTH_WITHIN_MS: i64 = 60 * SECOND_MS;

/// What is signed.
#[derive(Clone)]
pub(super) enum Act {
    /// Nothing is signed: whoever holds the badge shows that it is theirs (R16).
    Identify,
    Read {
        digest: Digest32,
        seconds: u32,
    },
    Quiz {
        answers: Vec<Vec<u16>>,
    },
    Supervised,
    /// Nothing is signed: the observer shows who ticks from now on.
    Observe,
    Run {
        outcome: Outcome,
        session: Option<ActId>,
    },
    Check {
        results: Vec<CriterionResult>,
        outcome: Outcome,
    },
    /// Nothing is signed: the trainer is still there.
    Confirm {
        session: ActId,
    },
    /// Signing set-up: the verifier comes first and signs last.
    SetUp,
    Lift {
        reason: UnlockReason,
    },
    Coach,
    CoSign {
        decision: EntryId,
    },
    Correct,
    /// Nothing is signed: a supervisor lets entries onto a stick, or in from one.
    Carry {
        way: Way,
    },
    /// A supervisor vouches for somebody without a badge; who and how stands in the help under way.
    GivePass,
    ReportLost,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Identify,
    Read,
    Quiz,
    Supervised,
    Observe,
    Run,
    Check,
    Confirm,
    SetUp,
    Lift,
    Coach,
    CoSign,
    Correct,
    Carry,
    GivePass,
    ReportLost,
}

impl Kind {
    /// A sign-off by both: each is asked for their secret, whatever the badge session knows already (R13).
    fn is_by_both(self) -> bool {
        matches!(self, Self::Run | Self::Check | Self::Coach)
    }

    /// A supervisor signs alone, and always says again who they are.
    fn is_help(self) -> bool {
        matches!(self, Self::GivePass | Self::ReportLost)
    }

    /// Only the second person signs, or nobody does.
    fn is_by_second(self) -> bool {
        matches!(self, Self::Observe | Self::Confirm | Self::SetUp | Self::Lift | Self::CoSign)
    }
}

impl Act {
    pub fn kind(&self) -> Kind {
        match self {
            Self::Identify => Kind::Identify,
            Self::Read { .. } => Kind::Read,
            Self::Quiz { .. } => Kind::Quiz,
            Self::Supervised => Kind::Supervised,
            Self::Observe => Kind::Observe,
            Self::Run { .. } => Kind::Run,
            Self::Check { .. } => Kind::Check,
            Self::Confirm { .. } => Kind::Confirm,
            Self::SetUp => Kind::SetUp,
            Self::Lift { .. } => Kind::Lift,
            Self::Coach => Kind::Coach,
            Self::CoSign { .. } => Kind::CoSign,
            Self::Correct => Kind::Correct,
            Self::Carry { .. } => Kind::Carry,
            Self::GivePass => Kind::GivePass,
            Self::ReportLost => Kind::ReportLost,
        }
    }
}

/// Whose turn it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    Own,
    Badge,
    Second,
}

/// A signing under way.
pub(super) struct Signing {
    pub act: Act,
    pub turn: Turn,
    typed: Hidden,
    /// The person's own secret, found right, until the second person has given theirs.
    own: Option<Hidden>,
    pub second: Option<PersonSeen>,
    error: SecretError,
    wait_until: Option<Timestamp>,
    attempts_left: i32,
    busy: bool,
    /// Until when the second badge must come.
    pub deadline: Option<Timestamp>,
    pub refusal: SecondRefusal,
    /// Who was refused.
    pub refused: Option<Refused>,
    /// Where it was begun, and where it ends when it is cancelled.
    pub back: Screen,
}

impl Signing {
    pub fn own_meaning(&self) -> Meaning {
        match self.act.kind() {
            Kind::Identify => Meaning::Identified,
            Kind::Read => Meaning::ReadAndUnderstood,
            Kind::Quiz => Meaning::QuizDone,
            Kind::Supervised | Kind::Confirm => Meaning::SupervisionAsked,
            Kind::Observe | Kind::Run => Meaning::RunPerformed,
            Kind::Check => Meaning::CheckPerformed,
            Kind::SetUp => Meaning::StatementAccepted,
            Kind::GivePass => Meaning::IdentityVerified,
            Kind::ReportLost => Meaning::BadgeReported,
            Kind::Lift => Meaning::LockoutLifted,
            Kind::Coach => Meaning::Coached,
            Kind::CoSign => Meaning::CoSigned,
            Kind::Correct => Meaning::Corrected,
            Kind::Carry => Meaning::Carried,
        }
    }

    fn seconds_meaning(&self) -> Meaning {
        match self.act.kind() {
            Kind::Supervised => Meaning::SupervisionTaken,
            Kind::Confirm => Meaning::SupervisionConfirmed,
            Kind::Check => Meaning::CheckAssessed,
            Kind::SetUp => Meaning::IdentityVerified,
            Kind::Lift => Meaning::LockoutLifted,
            Kind::Coach => Meaning::Coached,
            Kind::CoSign => Meaning::CoSigned,
            Kind::Observe => Meaning::Identified,
            _ => Meaning::RunObserved,
        }
    }

    /// Why this person may not give the signature that is asked for.
    pub fn refusal_of(&self, person: &PersonId) -> SecondRefusal {
        let refused = self.refused.as_ref().is_some_and(|refused| refused.person.as_ref() == Some(person));
        if refused { self.refusal } else { SecondRefusal::None }
    }

    /// The second person's part begins anew, with another badge.
    pub fn back_to_badge(&mut self, now: Timestamp) {
        self.turn_to(Turn::Badge);
        let limited = matches!(self.act.kind(), Kind::Supervised | Kind::Confirm);
        self.deadline = limited.then(|| now.plus_ms(BOTH_WITHIN_MS));
        (self.second, self.refusal, self.refused) = (None, SecondRefusal::None, None);
    }

    fn turn_to(&mut self, turn: Turn) {
        self.turn = turn;
        self.typed = Hidden::default();
        (self.error, self.wait_until, self.attempts_left, self.busy) = (SecretError::None, None, -1, false);
    }
}

impl Presenter {
    pub(super) fn begin_signing(&mut self, act: Act) {
        let Some(badged) = self.badged.as_mut() else { return };
        let kind = act.kind();
        badged.signing = Some(Signing {
            act,
            turn: Turn::Own,
            typed: Hidden::default(),
            own: None,
            second: None,
            error: SecretError::None,
            wait_until: None,
            attempts_left: -1,
            busy: false,
            deadline: None,
            refusal: SecondRefusal::None,
            refused: None,
            back: self.screen,
        });
        // A correction takes back what was signed, and a stick takes records away: whoever does so says again who they are.
        let says_again = matches!(kind, Kind::Correct | Kind::Carry) || kind.is_help();
        let asks_own = kind.is_by_both() || says_again || !kind.is_by_second() && !badged.unlocked;
        if asks_own {
            let can_sign = badged.seen.can_sign();
            self.ask_secret(Turn::Own, can_sign);
        } else {
            self.own_is_given();
        }
    }

    fn ask_secret(&mut self, turn: Turn, can_sign: bool) {
        let Some(signing) = self.badged.as_mut().and_then(|badged| badged.signing.as_mut()) else { return };
        signing.turn_to(turn);
        if !can_sign {
            signing.error = SecretError::NotSetUp;
        }
        self.keyboard.layer = view::KeyLayer::Lower;
        self.screen = Screen::Secret;
    }

    /// The person's part is done: the second person's begins, or what they sign alone is sent.
    fn own_is_given(&mut self) {
        let Some(signing) = self.badged.as_mut().and_then(|badged| badged.signing.as_mut()) else { return };
        match signing.act.kind() {
            Kind::Identify => self.identified(),
            Kind::Read | Kind::Quiz | Kind::Correct | Kind::Carry => self.send_signed(None),
            _ => {
                signing.back_to_badge(self.now);
                self.screen = Screen::SecondBadge;
            }
        }
    }

    /// The second person may sign: their secret is asked, or what needs none is done.
    pub(super) fn second_is_here(&mut self, seen: PersonSeen) {
        let badge_is_enough = !self.asks_who_holds_the_badge();
        let Some(badged) = self.badged.as_mut() else { return };
        let Some(signing) = badged.signing.as_mut() else { return };
        signing.deadline = None;
        match signing.act {
            Act::Observe if badge_is_enough => self.observer_is_here(seen),
            Act::SetUp => {
                signing.second = Some(seen);
                self.verifier_is_here();
            }
            Act::Confirm { session } if badge_is_enough => {
                let what = What::ConfirmTrainer { session, trainer: seen.person, secret: None };
                self.send(Purpose::Confirm, what)
            }
            _ => {
                let can_sign = seen.can_sign();
                signing.second = Some(seen);
                self.ask_secret(Turn::Second, can_sign);
            }
        }
    }

    pub(super) fn tap_secret(&mut self, id: TapId) {
        let now = self.now;
        let Some(signing) = self.badged.as_mut().and_then(|badged| badged.signing.as_mut()) else { return };
        let open = signing.wait_until.is_none_or(|until| until <= now)
            && !matches!(signing.error, SecretError::LockedOut | SecretError::NotSetUp);
        match id {
            TapId::Cancel | TapId::Action(Action::Back) => self.cancel_signing(),
            TapId::Key(key) if open => Self::press(&mut self.keyboard, &mut signing.typed.0, key, LONGEST),
            TapId::Ok if open && !signing.typed.0.is_empty() => self.secret_given(),
            _ => {}
        }
    }

    pub(super) fn type_secret(&mut self, text: String) {
        if let Some(signing) = self.badged.as_mut().and_then(|badged| badged.signing.as_mut()) {
            signing.typed = Hidden(text.chars().take(LONGEST).collect());
        }
    }

    pub(super) fn cancel_signing(&mut self) {
        let Some(badged) = self.badged.as_mut() else { return };
        badged.setting_up = SettingUp::default();
        match badged.signing.take() {
            // Whose badge it is stays unsaid: nothing here is for them.
            Some(signing) if signing.act.kind() == Kind::Identify => self.sign_out(SessionEnd::Tap),
            Some(signing) => self.screen = signing.back,
            None => {}
        }
    }

    fn secret_given(&mut self) {
        let Some(badged) = self.badged.as_mut() else { return };
        let person = badged.seen.person.clone();
        let Some(signing) = badged.signing.as_mut() else { return };
        let secret = std::mem::take(&mut signing.typed);
        signing.error = SecretError::None;
        signing.busy = true;
        match (signing.turn, signing.act.kind()) {
            (Turn::Second, Kind::Observe) => {
                let Some(observer) = signing.second.as_ref().map(|seen| seen.person.clone()) else { return };
                self.send(Purpose::Sign, What::CheckSecret { person: observer, secret });
            }
            (Turn::Second, _) => self.send_signed(Some(secret)),
            (_, kind) if kind.is_help() => self.send_signed(Some(secret)),
            // Nothing is done in their name, not even that they came, before it is known that it is them.
            (_, Kind::Identify) if badged.by_pass.is_some_and(|pass| !pass.entered) => {
                self.send(Purpose::Secret, What::EnterByPass { person, secret });
            }
            (_, kind) if kind.is_by_both() => {
                signing.own = Some(secret.clone());
                self.send(Purpose::Secret, What::CheckSecret { person, secret });
            }
            _ => self.send(Purpose::Secret, What::Unlock { person, secret }),
        }
    }

    pub(super) fn secret_checked(&mut self, reply: Reply) {
        let Some(badged) = self.badged.as_mut() else { return };
        let Some(signing) = badged.signing.as_mut() else { return };
        match reply {
            Reply::Done => {
                badged.unlocked |= !signing.act.kind().is_by_both();
                if let Some(pass) = badged.by_pass.as_mut() {
                    pass.entered = true;
                }
                self.own_is_given();
            }
            Reply::Denied(refusal) => {
                signing.own = None;
                self.secret_refused(&refusal);
            }
            _ => {}
        }
    }

    /// The verifier signs last: their secret is asked when the person has said everything.
    pub(super) fn ask_seconds_secret(&mut self) {
        let second = self.badged.as_ref().and_then(|badged| badged.signing.as_ref()?.second.as_ref());
        if let Some(can_sign) = second.map(PersonSeen::can_sign) {
            self.ask_secret(Turn::Second, can_sign);
        }
    }

    /// Everybody has given theirs.
    fn send_signed(&mut self, seconds: Option<Hidden>) {
        let what = self.badged.as_ref().and_then(|badged| self.what_to_send(badged, seconds));
        let Some(signing) = self.badged.as_mut().and_then(|badged| badged.signing.as_mut()) else { return };
        if let Some(what) = what {
            signing.busy = true;
            self.send(Purpose::Sign, what);
        }
    }

    fn what_to_send(&self, badged: &Badged, seconds: Option<Hidden>) -> Option<What> {
        let signing = badged.signing.as_ref()?;
        let person = badged.seen.person.clone();
        let second = signing.second.as_ref().map(|seen| seen.person.clone());
        let context = || badged.training.as_ref().map(|training| training.context.clone());
        let both = || Some(Both { own: signing.own.clone()?, second: second.clone()?, seconds: seconds.clone()? });
        Some(match signing.act.clone() {
            Act::Read { digest, seconds } => What::SignRead { context: context()?, digest, seconds },
            Act::Quiz { answers } => What::SignQuiz { context: context()?, answers },
            Act::Run { outcome, session } => What::SignRun { context: context()?, outcome, session, both: both()? },
            Act::Check { results, outcome } => What::SignCheck { context: context()?, results, outcome, both: both()? },
            Act::Coach => What::SignCoaching { context: context()?, both: both()? },
            Act::Supervised => What::AskSupervised {
                person,
                task: badged.task.clone()?,
                lot: badged.lot.clone(),
                trainer: second?,
                secret: seconds?,
            },
            Act::CoSign { decision } => {
                What::CoSign { start: badged.start()?, decision, second: second?, secret: seconds? }
            }
            Act::Lift { reason } => What::LiftLockout { person, reason, by: second?, secret: seconds? },
            Act::SetUp => {
                let (secret, proof) = badged.setting_up.ready()?;
                let language = self.language.clone();
                What::SetUpSigning { person, secret, proof, language, verifier: second?, verifiers: seconds? }
            }
            Act::Correct => {
                let (entry, corrected) = badged.correcting.as_ref()?.ready(&badged.seen.printed_name)?;
                What::Correct { person, entry, corrected }
            }
            Act::Carry { way } => What::Carry { person, way },
            Act::GivePass | Act::ReportLost => badged.helping.ready(&person, seconds?)?,
            Act::Confirm { session } => What::ConfirmTrainer { session, trainer: second?, secret: seconds },
            // Nothing is sent.
            Act::Identify | Act::Observe => return None,
        })
    }

    pub(super) fn sign_replied(&mut self, reply: Reply) {
        let Some(badged) = self.badged.as_mut() else { return };
        let Some(signing) = badged.signing.as_mut() else { return };
        let kind = signing.act.kind();
        match reply {
            Reply::Signed(signed) => self.signed(*signed, kind),
            Reply::Verdict(verdict) => self.verdict_came(*verdict),
            Reply::SigningSetUp(reply) => self.signing_is_set_up(*reply),
            Reply::Carried(carried) => self.carried(carried),
            Reply::Helped(helped) => self.helped(*helped),
            Reply::Done => match kind {
                Kind::Lift => self.lockout_lifted(),
                Kind::CoSign => self.co_signed(),
                Kind::Correct => self.corrected(),
                Kind::Confirm => self.confirmed(),
                Kind::Observe => {
                    if let Some(observer) = signing.second.take() {
                        self.observer_is_here(observer);
                    }
                }
                _ => {}
            },
            Reply::Denied(Refusal::NoSession) if badged.unlocked && !kind.is_by_both() && !kind.is_by_second() => {
                // The key was locked meanwhile: the secret is asked once more.
                badged.unlocked = false;
                let act = signing.act.clone();
                self.screen = signing.back;
                self.begin_signing(act);
            }
            Reply::Denied(refusal) if (signing.turn == Turn::Second || kind.is_help()) && is_about_secret(&refusal) => {
                self.secret_refused(&refusal)
            }
            Reply::Denied(refusal) if kind.is_help() => self.not_helped(&refusal),
            Reply::Denied(refusal) => self.refused(&refusal),
            _ => {}
        }
    }

    fn secret_refused(&mut self, refusal: &Refusal) {
        let now = self.now;
        let Some(signing) = self.badged.as_mut().and_then(|badged| badged.signing.as_mut()) else { return };
        signing.busy = false;
        let wait = |seconds: u32| (seconds > 0).then(|| now.plus_ms(i64::from(seconds) * SECOND_MS));
        match refusal {
            Refusal::WrongSecret { left, wait_s } => {
                (signing.error, signing.attempts_left) = (SecretError::Wrong, count(*left));
                signing.wait_until = wait(*wait_s);
            }
            Refusal::Wait { seconds } => {
                signing.error = SecretError::Wrong;
                signing.wait_until = wait(*seconds);
            }
            Refusal::LockedOut if signing.turn == Turn::Own => self.locked_out(),
            Refusal::LockedOut => signing.error = SecretError::LockedOut,
            Refusal::NoSigning => signing.error = SecretError::NotSetUp,
            other => self.refused(other),
        }
    }

    pub(super) fn secret_view(&self, badged: &Badged) -> view::Secret {
        let Some(signing) = badged.signing.as_ref().filter(|signing| signing.turn != Turn::Badge) else {
            return view::Secret::default();
        };
        let is_second = signing.turn == Turn::Second;
        let second = signing.second.as_ref().map(|seen| seen.printed_name.clone()).unwrap_or_default();
        let (document, title, version) = self.what_is_signed(badged);
        let wait_ms = signing.wait_until.map_or(0, |until| until.since(self.now).max(0));
        view::Secret {
            kind: match self.secret_asked_of(badged, signing) {
                strength::SecretKind::Pin => SecretKind::Pin,
                strength::SecretKind::Passphrase => SecretKind::Passphrase,
            },
            signer: if is_second { second } else { badged.seen.printed_name.clone() },
            meaning: if is_second { signing.seconds_meaning() } else { signing.own_meaning() },
            document,
            title,
            version,
            about: self.who_is_signed_about(badged, is_second),
            typed: count(signing.typed.0.chars().count()),
            error: signing.error,
            wait_seconds: count((wait_ms + SECOND_MS - 1) / SECOND_MS),
            attempts_left: signing.attempts_left,
            busy: signing.busy,
        }
    }

    /// Whose record a signature for somebody else goes to.
    fn who_is_signed_about(&self, badged: &Badged, is_second: bool) -> String {
        let helped = badged.signing.as_ref().is_some_and(|signing| signing.act.kind().is_help());
        match (is_second, helped) {
            (true, _) => badged.seen.printed_name.clone(),
            (false, true) => self.no_badge_view().person,
            (false, false) => String::new(),
        }
    }

    /// What the person whose turn it is has chosen, which may be more than is asked for here.
    fn secret_asked_of(&self, badged: &Badged, signing: &Signing) -> strength::SecretKind {
        let seen = if signing.turn == Turn::Second { signing.second.as_ref() } else { Some(&badged.seen) };
        seen.and_then(|seen| seen.secret).unwrap_or_else(|| self.kind_of_secret())
    }

    /// Document, title and version that the signature is about.
    pub(super) fn what_is_signed(&self, badged: &Badged) -> (String, String, String) {
        let plant = &self.snapshot.plant;
        match badged.signing.as_ref().map(|signing| signing.act.kind()) {
            // These are about a person or the terminal, not about a procedure.
            Some(kind) if kind.is_help() => return Default::default(),
            Some(Kind::Identify | Kind::SetUp | Kind::Lift | Kind::Carry) => return Default::default(),
            Some(Kind::Correct) => return self.what_is_corrected(badged),
            _ => {}
        }
        if let Some(training) = &badged.training {
            let title = document_title(plant, training.context.about.document.as_ref());
            return (training.document(), title, training.version());
        }
        let decision = badged.verdict.as_ref().map(|verdict| &verdict.verdict.decision);
        match decision.and_then(|decision| decision.versions.first()) {
            Some((document, version)) => {
                (document.to_string(), document_title(plant, Some(document)), super::say::edition(version))
            }
            None => Default::default(),
        }
    }
}

fn is_about_secret(refusal: &Refusal) -> bool {
    matches!(refusal, Refusal::WrongSecret { .. } | Refusal::Wait { .. } | Refusal::LockedOut | Refusal::NoSigning)
}
