//! Signing: whose secret, whose badge, and what a refusal leaves standing.

use shared::kind::plant::ActivityKind;
use shared::training::gate::{Answer, Reason, TrainerRefused};

use super::script::*;
use super::story::read_to_the_end;
use crate::core::badge::{BadgeSeen, PersonSeen};
use crate::presenter::message::{Refusal, Reply, What};
use crate::presenter::view::*;

fn at_the_secret() -> Kiosk {
    let mut kiosk = Kiosk::new();
    kiosk.maria_asks();
    kiosk.tap("next");
    read_to_the_end(&mut kiosk);
    kiosk.tap("next");
    assert_eq!(kiosk.screen(), Screen::Secret);
    kiosk
}

/// Maria has learned; a trainer is asked for.
fn at_the_trainers_badge() -> Kiosk {
    let mut kiosk = Kiosk::new();
    kiosk.held = vec![ActivityKind::Read, ActivityKind::Quiz];
    kiosk.maria_asks();
    kiosk.tap("action:supervised");
    assert_eq!(kiosk.view().secret.meaning, Meaning::SupervisionAsked);
    kiosk.secret("maria-secret");
    assert_eq!((kiosk.screen(), kiosk.view().second_badge.task.as_str()), (Screen::SecondBadge, "Seal pouch"));
    kiosk
}

#[test]
fn r14_only_the_number_of_characters_is_on_view() {
    let mut kiosk = at_the_secret();
    for c in "Ab 9".chars() {
        match c {
            'A' => {
                kiosk.tap("kb:shift");
                assert_eq!(kiosk.view().keyboard.layer, KeyLayer::Upper);
                kiosk.tap("kb:A");
                assert_eq!(kiosk.view().keyboard.layer, KeyLayer::Lower, "shift holds for one letter");
            }
            ' ' => kiosk.tap("kb:space"),
            c => kiosk.tap(&format!("kb:{c}")),
        }
    }
    assert_eq!(kiosk.view().secret.typed, 4);
    kiosk.tap("kb:back");
    assert_eq!(kiosk.view().secret.typed, 3);
    kiosk.tap("cancel");
    assert_eq!((kiosk.screen(), kiosk.view().secret.typed), (Screen::Reader, 0));
    kiosk.tap("next");
    assert_eq!(kiosk.view().secret.typed, 0, "a cancelled secret is gone");
}

#[test]
fn r15_a_wrong_secret_says_what_is_left_and_waits() {
    let mut kiosk = at_the_secret();
    kiosk.secret("not-marias-secret");
    let secret = kiosk.view().secret;
    assert_eq!((secret.error, secret.attempts_left, secret.wait_seconds, secret.typed), (SecretError::Wrong, 9, 2, 0));
    kiosk.secret("maria-secret");
    assert_eq!(kiosk.screen(), Screen::Secret, "it waits");
    kiosk.wait(2_000);
    kiosk.secret("maria-secret");
    assert_eq!(kiosk.screen(), Screen::Receipt);
}

#[test]
fn r15_who_is_not_set_up_or_a_second_person_locked_out_types_no_more_secrets() {
    let mut kiosk = at_the_secret();
    kiosk.next_reply = Some(Reply::Denied(Refusal::NoSigning));
    refuses_more(kiosk, SecretError::NotSetUp, Screen::Reader);
    let mut kiosk = at_the_trainers_badge();
    kiosk.badge(JONAS);
    kiosk.next_reply = Some(Reply::Denied(Refusal::LockedOut));
    refuses_more(kiosk, SecretError::LockedOut, Screen::Verdict);
}

fn refuses_more(mut kiosk: Kiosk, error: SecretError, back: Screen) {
    kiosk.secret("not-the-secret");
    assert_eq!(kiosk.view().secret.error, error);
    let asked = kiosk.log.len();
    kiosk.secret("maria-secret");
    assert_eq!(kiosk.log.len(), asked);
    kiosk.tap("cancel");
    assert_eq!(kiosk.screen(), back, "the work is kept");
}

#[test]
fn s5_nobody_is_their_own_second_person() {
    let mut kiosk = at_the_trainers_badge();
    kiosk.badge(MARIA);
    assert_eq!((kiosk.screen(), kiosk.view().second_badge.refusal), (Screen::SecondBadge, SecondRefusal::SamePerson));
    kiosk.badge("0000");
    assert_eq!(kiosk.view().second_badge.refusal, SecondRefusal::Unknown);
    assert_eq!(kiosk.count(|what| matches!(what, What::AskSupervised { .. } | What::Look { .. })), 0);
}

#[test]
fn s3_both_within_a_minute() {
    let mut kiosk = at_the_trainers_badge();
    kiosk.wait(30_000);
    kiosk.tap("action:nothing");
    kiosk.wait(29_000);
    assert_eq!((kiosk.screen(), kiosk.view().second_badge.seconds), (Screen::SecondBadge, 1));
    kiosk.wait(1_000);
    assert_eq!(kiosk.screen(), Screen::Verdict);
    kiosk.badge(JONAS);
    assert_eq!(kiosk.count(|what| matches!(what, What::AskSupervised { .. })), 0);
}

#[test]
fn s3_a_trainer_who_may_not_is_refused_before_their_secret_is_asked() {
    for (why, refusal) in [
        (TrainerRefused::NotQualified, SecondRefusal::VersionNotHeld),
        (TrainerRefused::TooManyTrainees, SecondRefusal::TooManyTrainees),
        (TrainerRefused::NoTrainer, SecondRefusal::NotAllowed),
    ] {
        let mut kiosk = at_the_trainers_badge();
        let mut decision = kiosk.decision(true);
        decision.answer = Answer::NoGo;
        decision.reasons.push(Reason::TrainerNotAllowed { why });
        kiosk.next_reply = None;
        kiosk.slow = true;
        kiosk.badge(JONAS);
        kiosk.answer_first();
        kiosk.next_reply = Some(Reply::Decision(Box::new(decision)));
        kiosk.answer_first();
        let second = kiosk.view().second_badge;
        assert_eq!((second.refusal, second.refused.as_str()), (refusal, "Jonas Reuter"));
        let swap = kiosk.view().swap;
        assert_eq!((kiosk.screen(), swap.refusal, swap.kept.as_str()), (Screen::Swap, refusal, "Maria Lindner"));
        kiosk.slow = false;
        kiosk.tap("swap:stay");
        assert_eq!(kiosk.screen(), Screen::SecondBadge);
    }
}

#[test]
fn s2_who_may_not_sign_is_refused_and_offered_the_screen() {
    let mut kiosk = Kiosk::new();
    kiosk.held = vec![ActivityKind::Read, ActivityKind::Quiz];
    kiosk.may_assess = false;
    kiosk.maria_asks();
    kiosk.tap("next");
    let second = kiosk.view().second_badge;
    assert_eq!(
        (kiosk.screen(), second.role, second.able.as_str()),
        (Screen::SecondBadge, SecondRole::Observer, "Jonas Reuter")
    );
    kiosk.badge(BEN);
    assert_eq!(kiosk.view().second_badge.refusal, SecondRefusal::NotAllowed);
    assert_eq!(kiosk.view().swap.refusal, SecondRefusal::NotAllowed);
    assert_eq!((kiosk.screen(), kiosk.view().swap.other.as_str()), (Screen::Swap, "Ben Hartwig"));
    kiosk.tap("swap:stay");
    kiosk.may_assess = true;
    kiosk.badge(JONAS);
    assert_eq!((kiosk.screen(), kiosk.view().worksheet.observer.as_str()), (Screen::Worksheet, "Jonas Reuter"));
}

#[test]
fn the_second_persons_wrong_secret_is_theirs_to_repeat() {
    let mut kiosk = at_the_trainers_badge();
    kiosk.badge(JONAS);
    kiosk.secret("not-jonas-secret");
    let secret = kiosk.view().secret;
    assert_eq!(
        (kiosk.screen(), secret.error, secret.signer.as_str()),
        (Screen::Secret, SecretError::Wrong, "Jonas Reuter")
    );
    kiosk.wait(2_000);
    kiosk.secret("jonas-secret");
    assert_eq!(kiosk.screen(), Screen::Supervised);
}

#[test]
fn r13_a_sign_off_asks_for_the_own_secret_again_and_checks_it_first() {
    let mut kiosk = Kiosk::new();
    kiosk.held = vec![ActivityKind::Read, ActivityKind::Quiz];
    kiosk.maria_asks();
    kiosk.tap("next");
    kiosk.badge(JONAS);
    kiosk.tap("action:record-run");
    kiosk.secret("not-marias-secret");
    assert_eq!((kiosk.screen(), kiosk.view().secret.error), (Screen::Secret, SecretError::Wrong));
    assert_eq!(kiosk.count(|what| matches!(what, What::SignRun { .. })), 0);
    kiosk.wait(2_000);
    super::story::both_sign(&mut kiosk, Meaning::RunPerformed, SecondRole::Observer);
}

#[test]
fn who_cannot_sign_yet_is_told_at_once() {
    let mut kiosk = Kiosk::new();
    let BadgeSeen::Person(maria) = look_up(MARIA) else { panic!("Maria is known") };
    kiosk.next_reply = Some(Reply::Badge(BadgeSeen::Person(PersonSeen { secret: None, ..maria })));
    kiosk.badge(MARIA);
    assert_eq!(kiosk.screen(), Screen::SigningSetUp);
    kiosk.tap("action:back");
    kiosk.tap("action:lot");
    kiosk.typed("lot", "881");
    kiosk.tap("ok");
    kiosk.tap("task:seal-pouch");
    kiosk.tap("next");
    read_to_the_end(&mut kiosk);
    kiosk.tap("next");
    assert_eq!((kiosk.screen(), kiosk.view().secret.error), (Screen::Secret, SecretError::NotSetUp));
}

#[test]
fn a_key_that_was_locked_meanwhile_is_asked_for_once_more() {
    let mut kiosk = at_the_secret();
    kiosk.secret("maria-secret");
    kiosk.tap("next");
    kiosk.tap("answer:1");
    kiosk.tap("next");
    kiosk.tap("answer:1");
    kiosk.next_reply = Some(Reply::Denied(Refusal::NoSession));
    kiosk.tap("next");
    assert_eq!((kiosk.screen(), kiosk.view().secret.meaning), (Screen::Secret, Meaning::QuizDone));
    kiosk.secret("maria-secret");
    assert_eq!(kiosk.screen(), Screen::Receipt);
}
