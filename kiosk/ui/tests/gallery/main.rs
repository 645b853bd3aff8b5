//! Renders every screen in its states, languages, looks and sizes without a display, and holds each picture to
//! the rules for people at the screen: targets large enough, ids unique, every tap arriving, no text clipped,
//! broken or overlapping, contrast high enough. In English and daylight each looks as its golden picture does.
//!
//! With `KIOSK_UI_PICTURES=FOLDER` it also writes each picture as a PNG, with `KIOSK_UI_ONLY=TEXT` only those
//! whose name contains the text.

mod golden;
mod look;
mod plant;
mod stage;

use std::cell::RefCell;
use std::rc::Rc;

use golden::Golden;
use kiosk_ui::{Act, Look};
use slint::ComponentHandle as _;
use slint::platform::WindowEvent;
use stage::{Setting, Stage};

const HD: (u32, u32) = (1280, 800);

/// Language, look and size of each round; the second part says which states take part.
const ROUNDS: &[(&str, Look, (u32, u32), Part)] = &[
    ("en", Look::Light, HD, Part::All),
    ("de", Look::Light, HD, Part::All),
    ("en", Look::Light, (1024, 768), Part::All),
    ("de", Look::Light, (1024, 768), Part::All),
    ("en", Look::Light, (1920, 1080), Part::Key),
    ("de", Look::Light, (1920, 1080), Part::Key),
    ("en", Look::HighContrast, HD, Part::All),
    ("en", Look::Dark, HD, Part::All),
];

#[derive(Clone, Copy, PartialEq)]
enum Part {
    All,
    /// The states that stand for their screen.
    Key,
}

#[test]
fn every_screen_in_every_state_holds_the_rules() {
    let mut stage = Stage::new();
    let only = std::env::var("KIOSK_UI_ONLY").unwrap_or_default();
    let mut golden = Golden::open();
    let mut faults = Vec::new();
    let mut count = 0;
    for &(language, look, size, part) in ROUNDS {
        for state in plant::STATES {
            if part == Part::Key && !state.key {
                continue;
            }
            let setting = Setting { language, look, size };
            let name = format!("{}-{}", state.name, setting);
            if !name.contains(&only) {
                continue;
            }
            let shown = stage.show(&name, setting, state);
            faults.extend(look::faults(&shown).into_iter().map(|fault| format!("{name}: {fault}")));
            let is_compared = language == "en" && look == Look::Light && size == HD;
            if let Some(picture) = shown.picture.as_ref().filter(|_| is_compared) {
                faults.extend(golden.fault(&name, picture).map(|fault| format!("{name}: {fault}")));
            }
            count += 1;
        }
    }
    if only.is_empty() {
        faults.extend(golden.left_over().into_iter().map(|name| format!("{name}: a golden picture of no state")));
    }
    println!("{count} pictures");
    assert!(faults.is_empty(), "{} faults\n{}", faults.len(), faults.join("\n"));
}

/// A badge reader types. Its keys must arrive on every screen, also after something was touched.
#[test]
fn hardware_keys_arrive_on_every_screen() {
    let mut stage = Stage::new();
    for state in plant::STATES.iter().filter(|state| state.key) {
        let setting = Setting { language: "en", look: Look::Light, size: (1024, 768) };
        let shown = stage.show(state.name, setting, state);
        assert_eq!(look::faults(&shown), Vec::<String>::new(), "{}", state.name);

        let keys = Rc::new(RefCell::new(String::new()));
        let heard = keys.clone();
        shown.app.global::<Act>().on_key(move |key| heard.borrow_mut().push_str(&key));
        for key in ["0", "4", "A", "1", "\n"] {
            let text = slint::SharedString::from(key);
            shown.app.window().dispatch_event(WindowEvent::KeyPressed { text: text.clone() });
            shown.app.window().dispatch_event(WindowEvent::KeyReleased { text });
        }
        assert_eq!(*keys.borrow(), "04A1\n", "{}", state.name);
    }
}
