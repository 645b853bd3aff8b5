//! How long a flow takes a person, act by act: nothing is typed whole, and nobody is faster than people are.

use shared::part11::accountability;

use super::script::*;
use crate::core::badge::{BadgeSeen, PersonSeen};
use crate::presenter::message::{Reply, What};
use crate::presenter::view::*;

/// A badge is taken out and held to the reader.
const BADGE_MS: i64 = 3_000;
/// A button is looked for and touched.
const TAP_MS: i64 = 1_200;
/// A key of the screen's keyboard, with gloves.
const KEY_MS: i64 = 900;
/// The verifier looks at a card, at the face, and at the card again.
const LOOK_AT_A_CARD_MS: i64 = 12_000;
/// Somebody who isn't a native speaker reads so many words a minute.
const WORDS_A_MINUTE: i64 = 150;

/// Somebody who does one thing after the other.
struct Hands {
    kiosk: Kiosk,
    acts: u32,
    keys: u32,
}

impl Hands {
    fn tap(&mut self, id: &str) {
        self.kiosk.wait(TAP_MS);
        self.kiosk.tap(id);
        self.acts += 1;
    }

    fn badge(&mut self, badge: &str) {
        self.kiosk.wait(BADGE_MS);
        self.kiosk.badge(badge);
        self.acts += 1;
    }

    fn keys(&mut self, text: &str) {
        for key in text.chars() {
            self.kiosk.wait(KEY_MS);
            self.kiosk.tap(&format!("kb:{key}"));
            self.keys += 1;
        }
    }
}

#[test]
fn r12_signing_is_set_up_within_ninety_seconds_with_gloves_and_everything_read() {
    let mut kiosk = Kiosk::new();
    kiosk.slow = true;
    kiosk.secrets.insert(person("jonas"), "lanternbay".into());
    let began = kiosk.now;
    let mut hands = Hands { kiosk, acts: 0, keys: 0 };
    hands.badge(MARIA);
    let BadgeSeen::Person(maria) = look_up(MARIA) else { panic!("Maria is known") };
    hands.kiosk.next_reply = Some(Reply::Badge(BadgeSeen::Person(PersonSeen { secret: None, ..maria })));
    hands.kiosk.slow = false;
    hands.kiosk.answer_all();
    hands.tap("next");
    hands.badge(JONAS);
    hands.kiosk.wait(LOOK_AT_A_CARD_MS);
    hands.tap("proof:1");
    for _ in 0..2 {
        hands.keys("sealedpouch");
        hands.tap("ok");
    }
    let view = hands.kiosk.view();
    assert_eq!(view.signing_set_up.step, SigningStep::Statement);
    let words = view.signing_set_up.statement.iter().flat_map(|sentence| sentence.split_whitespace()).count() as i64;
    assert!(words >= 50, "the whole statement is on view, at once");
    hands.kiosk.wait(words * 60_000 / WORDS_A_MINUTE);
    hands.tap("next");
    hands.keys("lanternbay");
    hands.tap("ok");
    assert_eq!(hands.kiosk.view().signing_set_up.step, SigningStep::Done);
    assert_eq!(hands.kiosk.count(|what| matches!(what, What::SetUpSigning { .. })), 1);
    let took_ms = hands.kiosk.now.since(began);
    assert!(took_ms <= 90_000, "{took_ms} ms with {} taps and badges, {} keys, {words} words", hands.acts, hands.keys);
    assert_eq!((hands.acts, hands.keys), (8, 32), "no touch more than it takes");
    assert_eq!(accountability::VERSION, 1, "another wording takes another time to read");
}
