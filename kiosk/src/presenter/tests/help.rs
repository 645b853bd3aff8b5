//! What somebody else makes possible: signing set-up, a lifted lockout, coaching, a co-signature; and that nobody does it for themselves.

use shared::kind::Meaning as Signed;
use shared::kind::plant::{ActivityKind, QuizSet};
use shared::kind::record::Outcome;

use super::script::*;
use super::story::read_to_the_end;
use crate::core::badge::{BadgeSeen, PersonSeen};
use crate::core::coach::UsedUp;
use crate::presenter::message::*;
use crate::presenter::view::*;

/// What the scripted kiosk answers to these acts: everybody may, and secrets are checked.
pub(super) fn answer(kiosk: &mut Kiosk, what: &What) -> Reply {
    match what {
        What::SetUpSigning { verifier, verifiers, .. } if kiosk.right(verifier, verifiers) => {
            let line = |name: &str, meaning| SignatureLine { name: name.into(), meaning, at: kiosk.now };
            let signatures =
                vec![line("Maria Lindner", Signed::SigningAccepted), line("Jonas Reuter", Signed::IdentityVerified)];
            Reply::SigningSetUp(Box::new(SigningSetUpReply { entry: shared::id::EntryId([3; 32]), signatures }))
        }
        What::LiftLockout { by, secret, .. } if kiosk.right(by, secret) => Reply::Done,
        What::CoSign { second, secret, .. } if kiosk.right(second, secret) => {
            kiosk.stale = false;
            Reply::Done
        }
        What::SetUpSigning { .. } | What::LiftLockout { .. } | What::CoSign { .. } => wrong(),
        What::SignCoaching { both, .. } => {
            if !(kiosk.right(&person("maria"), &both.own) && kiosk.right(&both.second, &both.seconds)) {
                return wrong();
            }
            kiosk.attempts_left = 1;
            kiosk.signed(ActivityKind::Briefing, Outcome::Passed, &["maria", "jonas"])
        }
        What::Records { .. } => Reply::Records(kiosk.own.clone()),
        What::Correct { entry, corrected, .. } => super::records::corrected(kiosk, entry, corrected),
        _ => Reply::Done,
    }
}

pub(super) fn used_up() -> Reply {
    let quiz = QuizSet {
        quiz: shared::id::QuizId::new("Q-0042").unwrap(),
        title: "Pouch sealing".into(),
        pass_percent: 80,
        ask: 2,
        max_attempts: 3,
        paper: shared::id::Digest32([1; 32]),
        questions: 2,
        answers: shared::id::Digest32([2; 32]),
    };
    Reply::UsedUp(Box::new(UsedUp { about: about(), quiz, last_percent: 50, attempts: 3 }))
}

fn maria(change: impl FnOnce(&mut PersonSeen)) -> Reply {
    let BadgeSeen::Person(mut seen) = look_up(MARIA) else { panic!("Maria is known") };
    change(&mut seen);
    Reply::Badge(BadgeSeen::Person(seen))
}

/// Shows a badge and lets the kiosk answer with `reply` whether its holder may.
fn may(kiosk: &mut Kiosk, badge: &str, reply: Reply) {
    kiosk.slow = true;
    kiosk.badge(badge);
    kiosk.answer_first();
    kiosk.next_reply = Some(reply);
    kiosk.slow = false;
    kiosk.answer_all();
}

/// Nobody but somebody with authority: one's own badge, then somebody without, then Ben who takes the screen; `sends` never goes out.
fn refuses_self_unauthorised_and_swap(mut kiosk: Kiosk, sends: fn(&What) -> bool) {
    assert_eq!(kiosk.screen(), Screen::SecondBadge);
    kiosk.badge(MARIA);
    assert_eq!(kiosk.view().second_badge.refusal, SecondRefusal::SamePerson);
    may(&mut kiosk, JONAS, Reply::Denied(Refusal::NoAuthority));
    assert_eq!((kiosk.screen(), kiosk.view().swap.kept.as_str()), (Screen::Swap, "Maria Lindner"));
    kiosk.tap("swap:stay");
    let second = kiosk.view().second_badge;
    assert_eq!((second.refusal, second.refused.as_str()), (SecondRefusal::NotAllowed, "Jonas Reuter"));
    may(&mut kiosk, BEN, Reply::Denied(Refusal::NoAuthority));
    assert_eq!((kiosk.screen(), kiosk.view().swap.other.as_str()), (Screen::Swap, "Ben Hartwig"));
    kiosk.tap("swap:switch");
    assert_eq!(kiosk.view().chrome.person, "Ben Hartwig");
    for id in ["next", "ok", "reason:1", "proof:1", "cancel"] {
        kiosk.tap(id);
    }
    kiosk.secret("ben-secret");
    assert_eq!(kiosk.count(sends), 0, "nothing goes out in Maria's name");
}

// ---- signing set-up

const CHOSEN: &str = "Nine pouches an hour";

fn offered() -> Kiosk {
    let mut kiosk = Kiosk::new();
    kiosk.slow = true;
    kiosk.badge(MARIA);
    kiosk.next_reply = Some(maria(|seen| seen.secret = None));
    kiosk.slow = false;
    kiosk.answer_all();
    assert_eq!((kiosk.screen(), kiosk.view().signing_set_up.step), (Screen::SigningSetUp, SigningStep::Offer));
    kiosk
}

/// Up to where Maria chooses her secret.
fn choosing() -> Kiosk {
    let mut kiosk = offered();
    kiosk.tap("next");
    assert_eq!((kiosk.screen(), kiosk.view().second_badge.role), (Screen::SecondBadge, SecondRole::Verifier));
    kiosk.badge(JONAS);
    let view = kiosk.view().signing_set_up;
    assert_eq!(
        (kiosk.screen(), view.step, view.verifier.as_str()),
        (Screen::SigningSetUp, SigningStep::Proof, "Jonas Reuter")
    );
    kiosk.tap("proof:1");
    assert_eq!(kiosk.view().signing_set_up.step, SigningStep::Choose);
    kiosk
}

fn chosen(kiosk: &mut Kiosk, secret: &str) {
    kiosk.typed("secret", secret);
    assert!(!format!("{:?}", kiosk.view()).contains(secret), "a chosen secret is never on view");
    kiosk.tap("ok");
}

fn sets_up(what: &What) -> bool {
    matches!(what, What::SetUpSigning { .. })
}

#[test]
fn r12_who_has_no_key_is_offered_signing_set_up_and_both_sign() {
    let mut kiosk = choosing();
    chosen(&mut kiosk, CHOSEN);
    assert_eq!(kiosk.view().signing_set_up.step, SigningStep::Repeat);
    chosen(&mut kiosk, CHOSEN);
    let view = kiosk.view().signing_set_up;
    assert_eq!((view.step, view.statement.len()), (SigningStep::Statement, 4));
    assert!(view.statement[0].contains("rechtlich"), "R9: in the language on screen: {:?}", view.statement);
    kiosk.tap("next");
    let secret = kiosk.view().secret;
    assert_eq!(
        (kiosk.screen(), secret.signer.as_str(), secret.meaning, secret.about.as_str()),
        (Screen::Secret, "Jonas Reuter", Meaning::IdentityVerified, "Maria Lindner")
    );
    kiosk.secret("not-jonas-secret");
    assert_eq!((kiosk.screen(), kiosk.view().secret.error), (Screen::Secret, SecretError::Wrong));
    kiosk.wait(2_000);
    kiosk.secret("jonas-secret");
    let done = kiosk.view().signing_set_up;
    let meanings: Vec<_> = done.signatures.iter().map(|row| row.meaning).collect();
    assert_eq!((kiosk.screen(), done.step), (Screen::SigningSetUp, SigningStep::Done));
    assert_eq!(meanings, [Meaning::StatementAccepted, Meaning::IdentityVerified]);
    let sent = kiosk.log.iter().rfind(|what| sets_up(what)).unwrap();
    let What::SetUpSigning { secret, proof, language, verifier, .. } = sent else { unreachable!() };
    assert_eq!(
        (secret.0.as_str(), *proof, language.as_str(), verifier.as_str()),
        (CHOSEN, IdentityProof::IdCard, "de", "jonas")
    );
    kiosk.tap("next");
    assert_eq!(kiosk.screen(), Screen::Tasks);
}

#[test]
fn r12_a_weak_or_mistyped_secret_is_chosen_again() {
    let mut kiosk = choosing();
    for (secret, error) in [("short", ChoiceError::TooShort), ("aaaaaaaaaaaa", ChoiceError::TooSimple)] {
        chosen(&mut kiosk, secret);
        let view = kiosk.view().signing_set_up;
        assert_eq!((view.step, view.error, view.typed), (SigningStep::Choose, error, 0), "{secret}");
    }
    chosen(&mut kiosk, CHOSEN);
    chosen(&mut kiosk, "Nine pouches an hou");
    let view = kiosk.view().signing_set_up;
    assert_eq!((view.step, view.error, view.typed), (SigningStep::Choose, ChoiceError::Differs, 0));
    kiosk.tap("next");
    assert_eq!(kiosk.view().signing_set_up.step, SigningStep::Choose, "nothing is accepted before it is said");
    assert_eq!(kiosk.count(sets_up), 0);
}

#[test]
fn r12_nobody_verifies_themselves_and_only_who_may() {
    let mut kiosk = offered();
    kiosk.tap("next");
    refuses_self_unauthorised_and_swap(kiosk, sets_up);
}

#[test]
fn r12_a_swap_in_the_middle_keeps_no_secret_and_sends_nothing() {
    let mut kiosk = choosing();
    chosen(&mut kiosk, CHOSEN);
    kiosk.typed("secret", "Nine pouches");
    kiosk.badge(BEN);
    assert_eq!((kiosk.screen(), kiosk.view().swap.doing), (Screen::Swap, Meaning::StatementAccepted));
    kiosk.tap("swap:switch");
    assert_eq!((kiosk.view().chrome.person.as_str(), kiosk.view().signing_set_up.typed), ("Ben Hartwig", 0));
    kiosk.badge(MARIA);
    assert_eq!((kiosk.view().signing_set_up.typed, kiosk.count(sets_up)), (0, 0));
}

#[test]
fn r12_another_verifier_begins_anew() {
    let mut kiosk = choosing();
    chosen(&mut kiosk, CHOSEN);
    chosen(&mut kiosk, CHOSEN);
    kiosk.tap("next");
    assert_eq!((kiosk.screen(), kiosk.view().secret.signer.as_str()), (Screen::Secret, "Jonas Reuter"));
    kiosk.badge(BEN);
    let view = kiosk.view().signing_set_up;
    assert_eq!(
        (kiosk.screen(), view.step, view.verifier.as_str()),
        (Screen::SigningSetUp, SigningStep::Proof, "Ben Hartwig")
    );
    kiosk.tap("proof:2");
    assert_eq!(kiosk.view().signing_set_up.typed, 0, "what was chosen before the first verifier is gone");
}

/// Ninety seconds a person: touches at a gloved hand's pace, and time to read the statement aloud.
#[test]
fn r12_signing_set_up_takes_less_than_ninety_seconds() {
    const TOUCH_S: f64 = 1.0;
    const READING_S: f64 = 25.0;
    let mut kiosk = offered();
    let mut touches = 0;
    let mut tap = |kiosk: &mut Kiosk, id: &str| {
        touches += 1;
        kiosk.tap(id);
    };
    tap(&mut kiosk, "next");
    kiosk.badge(JONAS);
    tap(&mut kiosk, "proof:2");
    for _ in 0..2 {
        for key in "pouch 4711 ok".chars() {
            tap(&mut kiosk, &if key == ' ' { "kb:space".to_owned() } else { format!("kb:{key}") });
        }
        tap(&mut kiosk, "ok");
    }
    tap(&mut kiosk, "next");
    for key in "jonas-secret".chars() {
        tap(&mut kiosk, &format!("kb:{key}"));
    }
    tap(&mut kiosk, "ok");
    assert_eq!(kiosk.view().signing_set_up.step, SigningStep::Done);
    let seconds = f64::from(touches) * TOUCH_S + READING_S;
    assert!(seconds <= 90.0, "{touches} touches, {seconds} s");
}

// ---- lockout

fn lifts(what: &What) -> bool {
    matches!(what, What::LiftLockout { .. })
}

fn locked() -> Kiosk {
    let mut kiosk = Kiosk::new();
    kiosk.slow = true;
    kiosk.badge(MARIA);
    kiosk.next_reply = Some(maria(|seen| seen.locked_out = true));
    kiosk.slow = false;
    kiosk.answer_all();
    let lockout = kiosk.view().lockout;
    assert_eq!((kiosk.screen(), lockout.person.as_str(), lockout.tries), (Screen::Lockout, "Maria Lindner", 10));
    kiosk
}

#[test]
fn r15_who_is_locked_out_reads_why_and_a_supervisor_lifts_it() {
    let mut kiosk = locked();
    assert!(!kiosk.view().lockout.interrupted);
    kiosk.tap("reason:2");
    assert_eq!((kiosk.screen(), kiosk.view().second_badge.role), (Screen::SecondBadge, SecondRole::Supervisor));
    kiosk.badge(JONAS);
    let secret = kiosk.view().secret;
    assert_eq!((secret.signer.as_str(), secret.meaning), ("Jonas Reuter", Meaning::LockoutLifted));
    kiosk.secret("jonas-secret");
    assert_eq!(kiosk.screen(), Screen::Tasks);
    let sent = kiosk.log.iter().find(|what| lifts(what)).unwrap();
    let What::LiftLockout { person, reason, by, .. } = sent else { unreachable!() };
    assert_eq!((person.as_str(), *reason, by.as_str()), ("maria", UnlockReason::Gloves, "jonas"));
}

#[test]
fn r15_what_was_being_signed_waits_for_the_supervisor_and_goes_on() {
    let mut kiosk = Kiosk::new();
    kiosk.maria_asks();
    kiosk.tap("next");
    read_to_the_end(&mut kiosk);
    kiosk.tap("next");
    kiosk.next_reply = Some(Reply::Denied(Refusal::LockedOut));
    kiosk.secret("not-marias-secret");
    assert_eq!((kiosk.screen(), kiosk.view().lockout.interrupted), (Screen::Lockout, true));
    kiosk.tap("reason:1");
    kiosk.badge(JONAS);
    kiosk.secret("jonas-secret");
    let secret = kiosk.view().secret;
    assert_eq!(
        (kiosk.screen(), secret.signer.as_str(), secret.meaning),
        (Screen::Secret, "Maria Lindner", Meaning::ReadAndUnderstood)
    );
    kiosk.secret("maria-secret");
    assert_eq!(kiosk.screen(), Screen::Receipt);
    assert_eq!(kiosk.count(|what| matches!(what, What::SignRead { .. })), 1);
}

#[test]
fn r15_nobody_unlocks_themselves_and_only_who_may() {
    let mut kiosk = locked();
    kiosk.tap("reason:1");
    refuses_self_unauthorised_and_swap(kiosk, lifts);
}

#[test]
fn r15_a_lockout_with_nothing_half_done_leaves_the_screen_to_the_next_badge() {
    let mut kiosk = locked();
    kiosk.badge(BEN);
    assert_eq!((kiosk.screen(), kiosk.view().chrome.person.as_str()), (Screen::Tasks, "Ben Hartwig"));
}

#[test]
fn r15_a_forgotten_secret_means_a_new_one_with_two_people() {
    let mut kiosk = locked();
    kiosk.tap("next");
    assert_eq!((kiosk.screen(), kiosk.view().signing_set_up.step), (Screen::SigningSetUp, SigningStep::Offer));
    kiosk.tap("action:back");
    assert_eq!(kiosk.screen(), Screen::Lockout, "still locked");
    kiosk.tap("next");
    kiosk.tap("next");
    kiosk.badge(JONAS);
    kiosk.tap("proof:4");
    chosen(&mut kiosk, CHOSEN);
    chosen(&mut kiosk, CHOSEN);
    kiosk.tap("next");
    kiosk.secret("jonas-secret");
    kiosk.tap("next");
    assert_eq!((kiosk.screen(), kiosk.count(sets_up)), (Screen::Tasks, 1));
}

// ---- coaching

fn coaches(what: &What) -> bool {
    matches!(what, What::SignCoaching { .. })
}

/// The last attempt has failed.
fn no_attempt_left() -> Kiosk {
    let mut kiosk = Kiosk::new();
    kiosk.held = vec![ActivityKind::Read];
    (kiosk.quiz_passes, kiosk.attempts_left) = (false, 1);
    kiosk.maria_asks();
    kiosk.tap("next");
    kiosk.attempts_left = 0;
    kiosk.tap("answer:1");
    kiosk.tap("next");
    kiosk.tap("answer:1");
    kiosk.tap("next");
    kiosk.secret("maria-secret");
    let quiz = kiosk.view().quiz;
    assert_eq!((quiz.state, quiz.attempts_left, quiz.next), (QuizState::Failed, 0, QuizNext::AskTrainer));
    kiosk
}

#[test]
fn l2_after_the_last_attempt_a_trainer_coaches_and_one_more_opens() {
    let mut kiosk = no_attempt_left();
    kiosk.tap("next");
    assert_eq!(
        (kiosk.screen(), kiosk.view().secret.meaning),
        (Screen::Secret, Meaning::Coached),
        "a sign-off asks both"
    );
    kiosk.secret("maria-secret");
    assert_eq!((kiosk.screen(), kiosk.view().second_badge.role), (Screen::SecondBadge, SecondRole::Trainer));
    kiosk.badge(JONAS);
    assert_eq!(kiosk.view().secret.signer, "Jonas Reuter");
    kiosk.secret("jonas-secret");
    let receipt = kiosk.view().receipt;
    assert_eq!((kiosk.screen(), receipt.open, receipt.next), (Screen::Receipt, Open::Quiz, NextStep::TakeQuiz));
    kiosk.tap("next");
    assert_eq!((kiosk.screen(), kiosk.view().quiz.state), (Screen::Quiz, QuizState::Question));
    assert_eq!(kiosk.count(coaches), 1);
}

#[test]
fn l2_who_comes_back_without_an_attempt_is_told_who_helps() {
    let mut kiosk = Kiosk::new();
    kiosk.held = vec![ActivityKind::Read];
    kiosk.attempts_left = 0;
    kiosk.maria_asks();
    kiosk.tap("next");
    let quiz = kiosk.view().quiz;
    assert_eq!(
        (kiosk.screen(), quiz.state, quiz.percent, quiz.next),
        (Screen::Quiz, QuizState::Failed, 50, QuizNext::AskTrainer)
    );
}

#[test]
fn l2_nobody_coaches_themselves_and_only_who_may() {
    let mut kiosk = no_attempt_left();
    kiosk.tap("next");
    kiosk.secret("maria-secret");
    refuses_self_unauthorised_and_swap(kiosk, coaches);
}

// ---- co-signature

fn co_signs(what: &What) -> bool {
    matches!(what, What::CoSign { .. })
}

fn stale() -> Kiosk {
    let mut kiosk = Kiosk::new();
    kiosk.stale = true;
    kiosk.held = vec![ActivityKind::Read, ActivityKind::Quiz, ActivityKind::Runs, ActivityKind::Check];
    kiosk.maria_asks();
    let verdict = kiosk.view().verdict;
    assert_eq!(
        (verdict.kind, verdict.why, verdict.next),
        (VerdictKind::CoSign, Why::StaleCoSign, NextStep::GetCoSignature)
    );
    assert_eq!((verdict.params.hours, verdict.params.allowed_hours), (80, 72));
    kiosk
}

#[test]
fn u5_past_the_lease_a_second_person_co_signs_and_the_next_ask_is_go() {
    let mut kiosk = stale();
    kiosk.tap("next");
    let second = kiosk.view().second_badge;
    assert_eq!(
        (kiosk.screen(), second.role, second.task.as_str()),
        (Screen::SecondBadge, SecondRole::CoSigner, "Seal pouch")
    );
    kiosk.badge(JONAS);
    let secret = kiosk.view().secret;
    assert_eq!((secret.signer.as_str(), secret.meaning), ("Jonas Reuter", Meaning::CoSigned));
    kiosk.secret("jonas-secret");
    assert_eq!((kiosk.screen(), kiosk.view().verdict.kind), (Screen::Verdict, VerdictKind::Go));
    let sent = kiosk.log.iter().find(|what| co_signs(what)).unwrap();
    let What::CoSign { start, decision, second, .. } = sent else { unreachable!() };
    assert_eq!((start.person.as_str(), second.as_str()), ("maria", "jonas"));
    assert_eq!(*decision, shared::id::EntryId([1; 32]), "it names the decision on view");
}

#[test]
fn u5_a_co_signature_mends_no_missing_training() {
    let mut kiosk = Kiosk::new();
    kiosk.stale = true;
    kiosk.maria_asks();
    let verdict = kiosk.view().verdict;
    assert_eq!((verdict.kind, verdict.next), (VerdictKind::NoGo, NextStep::StartTraining));
}

#[test]
fn u5_nobody_co_signs_themselves_and_only_who_may() {
    let mut kiosk = stale();
    kiosk.tap("next");
    refuses_self_unauthorised_and_swap(kiosk, co_signs);
}
