//! A stick at the terminal-status screen (U6): a supervisor's badge and secret, and nothing without them.

use shared::sync::bundle::BadBundle;

use super::script::*;
use crate::bundle_file::Written;
use crate::core::peer::Brought;
use crate::presenter::message::*;
use crate::presenter::view::*;
use crate::stick::{Carried, Taken, Way};

/// A supervisor at the stick screen, badged in.
fn at_the_stick() -> Kiosk {
    let mut kiosk = Kiosk::new();
    kiosk.tap("action:status");
    kiosk.tap("action:stick");
    kiosk.badge(JONAS);
    assert_eq!((kiosk.screen(), kiosk.view().stick.person.as_str()), (Screen::Stick, "Jonas Reuter"));
    kiosk
}

/// Taps, gives the secret, and the kiosk answers with this.
fn carried(kiosk: &mut Kiosk, tap: &str, carried: Carried) -> Stick {
    kiosk.tap(tap);
    assert_eq!((kiosk.screen(), kiosk.view().secret.meaning), (Screen::Secret, Meaning::Carried));
    kiosk.carried = carried;
    kiosk.secret("jonas-secret");
    assert_eq!(kiosk.screen(), Screen::Stick);
    kiosk.view().stick
}

fn was_asked(kiosk: &Kiosk) -> usize {
    kiosk.log.iter().filter(|what| matches!(what, What::Carry { .. })).count()
}

#[test]
fn u6_a_supervisor_writes_a_stick_with_badge_and_secret() {
    let mut kiosk = at_the_stick();
    let written = Written { entries: 4812, blobs: 36, blobs_left_out: 1 };
    let stick = carried(&mut kiosk, "action:stick-write", Carried::Written(written));
    assert_eq!((stick.result, stick.entries, stick.documents, stick.left_out), (StickResult::Written, 4812, 36, 1));
    let jonas = person("jonas");
    assert!(kiosk.log.iter().any(|what| *what == What::Carry { person: jonas.clone(), way: Way::ToStick }));
    // Each time anew, however lately it was given.
    kiosk.tap("action:stick-read");
    assert_eq!(kiosk.screen(), Screen::Secret);
    kiosk.tap("cancel");
    assert_eq!((kiosk.screen(), was_asked(&kiosk)), (Screen::Stick, 1));
    kiosk.tap("action:back");
    assert_eq!((kiosk.screen(), kiosk.view().stick.result), (Screen::Idle, StickResult::None));
}

#[test]
fn u6_without_a_badge_a_right_or_the_secret_nothing_goes_onto_a_stick() {
    let mut kiosk = Kiosk::new();
    kiosk.snapshot.leads = vec![person("jonas")];
    kiosk.tell();
    kiosk.tap("action:status");
    kiosk.tap("action:stick");
    assert_eq!((kiosk.screen(), kiosk.view().stick.able.as_str()), (Screen::Stick, "Jonas Reuter"));
    kiosk.tap("action:stick-write");
    kiosk.tap("action:stick-read");
    assert_eq!((kiosk.screen(), was_asked(&kiosk)), (Screen::Stick, 0));
    kiosk.tap("action:back");
    assert_eq!(kiosk.screen(), Screen::Status);

    let mut kiosk = at_the_stick();
    kiosk.next_reply = Some(Reply::Denied(Refusal::NoAuthority));
    kiosk.tap("action:stick-write");
    assert_eq!((kiosk.screen(), kiosk.view().stick.result), (Screen::Stick, StickResult::NotAllowed));
    kiosk.tap("action:stick-read");
    kiosk.secret("guessed");
    assert_eq!((kiosk.screen(), kiosk.view().secret.error), (Screen::Secret, SecretError::Wrong));
    assert_eq!(was_asked(&kiosk), 0);
}

#[test]
fn u6_what_was_refused_is_said_with_its_reason() {
    let mut kiosk = at_the_stick();
    let refused = |why| Carried::Taken(Taken { refused: 1, why: Some(why), ..Taken::default() });
    for (why, said) in [
        (BadBundle::Altered, StickResult::Altered),
        (BadBundle::Unreadable("short".into()), StickResult::Unreadable),
        (BadBundle::OtherServer, StickResult::OtherPlant),
        (BadBundle::Stranger, StickResult::OtherPlant),
    ] {
        assert_eq!(carried(&mut kiosk, "action:stick-read", refused(why)).result, said);
    }
    let stale = Carried::Taken(Taken { stale: 2, ..Taken::default() });
    assert_eq!(carried(&mut kiosk, "action:stick-read", stale).result, StickResult::Stale);
    for (came, said) in [
        (Carried::NoStick, StickResult::NoStick),
        (Carried::Empty, StickResult::Empty),
        (Carried::Unusable, StickResult::Unusable),
    ] {
        assert_eq!(carried(&mut kiosk, "action:stick-read", came).result, said);
    }
    let both = Taken {
        from: vec!["K5".parse().unwrap()],
        brought: Brought { held: 9, waiting: 1, refused: 2, blobs: 3 },
        refused: 1,
        why: Some(BadBundle::Altered),
        ..Taken::default()
    };
    let stick = carried(&mut kiosk, "action:stick-read", Carried::Taken(both));
    assert_eq!((stick.result, stick.refusal, stick.files_refused), (StickResult::Taken, StickResult::Altered, 1));
    assert_eq!((stick.entries, stick.waiting, stick.invalid, stick.documents, stick.from.as_str()), (9, 1, 2, 3, "K5"));
}

#[test]
fn u6_the_next_badge_finds_nothing_of_the_stick() {
    let mut kiosk = at_the_stick();
    carried(&mut kiosk, "action:stick-write", Carried::Written(Written::default()));
    kiosk.badge(MARIA);
    assert_eq!((kiosk.screen(), kiosk.view().stick.result), (Screen::Tasks, StickResult::None));
    let mut kiosk = Kiosk::new();
    kiosk.tap("action:status");
    kiosk.tap("action:stick");
    kiosk.wait(3 * 60_000);
    assert_eq!(kiosk.screen(), Screen::Idle, "the screen goes back by itself");
}
