//! A plant whose profile says that a badge alone never authenticates (R16).

use std::sync::Arc;

use shared::kind::plant::{ActivityKind, Profile};
use shared::part11::strength::SecretKind as Chosen;

use super::script::*;
use crate::core::badge::{BadgeSeen, PersonSeen};
use crate::presenter::message::{Refusal, Reply, What};
use crate::presenter::view::*;

fn in_europe() -> Kiosk {
    let mut kiosk = Kiosk::new();
    Arc::make_mut(&mut kiosk.snapshot.plant).policy.signing.profile = Profile::Eu2025;
    kiosk.tell();
    kiosk
}

fn opens(what: &What) -> bool {
    matches!(what, What::Tasks { .. } | What::Ask { .. } | What::Records { .. })
}

#[test]
fn r16_a_badge_alone_opens_nothing_until_its_holder_gave_their_secret() {
    let mut kiosk = in_europe();
    kiosk.badge(MARIA);
    let secret = kiosk.view().secret;
    assert_eq!(
        (kiosk.screen(), secret.meaning, secret.signer.as_str()),
        (Screen::Secret, Meaning::Identified, "Maria Lindner")
    );
    kiosk.secret("a stranger's guess");
    assert_eq!((kiosk.screen(), kiosk.view().secret.error), (Screen::Secret, SecretError::Wrong));
    assert_eq!(kiosk.count(opens), 0);
    kiosk.wait(2_000);
    kiosk.secret("maria-secret");
    assert_eq!(kiosk.screen(), Screen::Tasks);

    kiosk.tap("action:sign-out");
    kiosk.badge(MARIA);
    kiosk.tap("cancel");
    assert_eq!(
        (kiosk.screen(), kiosk.view().chrome.person.as_str()),
        (Screen::Idle, ""),
        "nothing here is for a badge"
    );
}

#[test]
fn r16_s2_the_next_badge_takes_the_screen_from_who_has_not_said_who_they_are() {
    let mut kiosk = in_europe();
    kiosk.badge(MARIA);
    kiosk.badge(BEN);
    assert_eq!((kiosk.screen(), kiosk.view().secret.signer.as_str()), (Screen::Secret, "Ben Hartwig"));
}

#[test]
fn r16_an_observer_and_a_trainer_give_their_secret_beside_their_badge() {
    let mut kiosk = in_europe();
    kiosk.held = vec![ActivityKind::Read, ActivityKind::Quiz];
    kiosk.badge(MARIA);
    kiosk.secret("maria-secret");
    kiosk.tap("action:lot");
    kiosk.typed("lot", "881");
    kiosk.tap("ok");
    kiosk.tap("task:seal-pouch");
    kiosk.tap("next");
    kiosk.badge(JONAS);
    let secret = kiosk.view().secret;
    assert_eq!(
        (kiosk.screen(), secret.meaning, secret.signer.as_str()),
        (Screen::Secret, Meaning::Identified, "Jonas Reuter")
    );
    kiosk.secret("a guess");
    assert_eq!((kiosk.screen(), kiosk.view().secret.error), (Screen::Secret, SecretError::Wrong));
    kiosk.wait(2_000);
    kiosk.secret("jonas-secret");
    assert_eq!(kiosk.screen(), Screen::Worksheet);
}

#[test]
fn r16_a_start_that_the_terminal_finds_unidentified_asks_who_stands_there() {
    let mut kiosk = in_europe();
    kiosk.badge(MARIA);
    kiosk.secret("maria-secret");
    kiosk.tap("action:lot");
    kiosk.typed("lot", "881");
    kiosk.tap("ok");
    // Somebody locked the key meanwhile.
    kiosk.next_reply = Some(Reply::Denied(Refusal::NotIdentified));
    kiosk.tap("task:seal-pouch");
    assert_eq!((kiosk.screen(), kiosk.view().secret.meaning), (Screen::Secret, Meaning::Identified));
    kiosk.secret("maria-secret");
    assert_eq!(kiosk.screen(), Screen::Tasks);
}

#[test]
fn r16_who_signs_with_a_pin_gets_the_pad_and_who_chose_more_gets_the_keyboard() {
    for (chosen, pad) in [(Chosen::Pin, SecretKind::Pin), (Chosen::Passphrase, SecretKind::Passphrase)] {
        let mut kiosk = in_europe();
        let BadgeSeen::Person(maria) = look_up(MARIA) else { panic!("Maria is known") };
        kiosk.next_reply = Some(Reply::Badge(BadgeSeen::Person(PersonSeen { secret: Some(chosen), ..maria })));
        kiosk.badge(MARIA);
        assert_eq!(kiosk.view().secret.kind, pad);
    }
}
