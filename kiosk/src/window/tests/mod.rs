//! The real window, without a display: what a view says is on screen, and what is touched comes back.
//!
//! With `KIOSK_PICTURES=FOLDER` each picture is written there.

mod plant;
mod procedure;

use std::cell::RefCell;
use std::rc::Rc;

use super::Act;
use super::picture::{NotTapped, Pictures};
use crate::presenter::view::{Look, Screen, View};

fn window() -> (Pictures, Rc<RefCell<Vec<Act>>>) {
    let window = Pictures::new(1280, 800).expect("the window needs no display");
    let acts: Rc<RefCell<Vec<Act>>> = Rc::default();
    let heard = acts.clone();
    window.on_act(move |act| heard.borrow_mut().push(act));
    (window, acts)
}

fn picture(window: &Pictures, name: &str) -> Vec<u8> {
    let png = window.snapshot().expect("the window can be drawn");
    if let Some(folder) = std::env::var_os("KIOSK_PICTURES") {
        let file = std::path::Path::new(&folder).join(format!("{name}.png"));
        std::fs::write(file, &png).expect("the picture can be written");
    }
    png
}

#[test]
fn every_screen_shows_its_view_and_every_touch_arrives() {
    let (mut window, acts) = window();
    for (name, view) in plant::views() {
        window.show(&view);
        picture(&window, name);
        let targets = window.targets();
        assert!(targets.len() > usize::from(view.screen != Screen::Fault), "{name}: {targets:?}");
        for target in targets.into_iter().filter(|target| target.enabled) {
            acts.borrow_mut().clear();
            window.tap(&target.id).expect("it is shown and enabled");
            assert_eq!(*acts.borrow(), [Act::Tap(target.id)], "{name}");
        }
    }
}

#[test]
fn a_document_is_shown_page_by_page_without_loss() {
    let (mut window, _) = window();
    let blocks = procedure::blocks();
    let pages = window.pager().pages(&blocks);
    assert!(pages.len() > 1);
    assert_eq!(pages.iter().cloned().flatten().collect::<Vec<_>>(), (0..blocks.len()).collect::<Vec<_>>());
    window.show(&procedure::reader(&blocks[pages[0].clone()], pages.len()));
    picture(&window, "reader");
    assert!(window.tap("next").is_ok());
    assert!(window.texts().iter().any(|text| text == "Preparation"));
}

#[test]
fn only_what_is_shown_and_enabled_can_be_touched() {
    let (mut window, _) = window();
    window.show(&View { screen: Screen::Tasks, language: "en".into(), ..View::default() });
    assert!(matches!(window.tap("task:seal-pouch"), Err(NotTapped::NotHere { .. })));
}

#[test]
fn a_badge_typed_by_a_reader_arrives_whole_on_every_screen() {
    let (mut window, acts) = window();
    for (name, view) in plant::views() {
        window.show(&view);
        acts.borrow_mut().clear();
        window.type_line("04A1B2C3");
        let typed: String =
            acts.borrow().iter().map(|act| if let Act::Key(key) = act { key.as_str() } else { "" }).collect();
        assert_eq!(typed, "04A1B2C3\n", "{name}");
    }
}

#[test]
fn language_and_look_follow_the_view_and_each_window_keeps_its_own() {
    let (mut english, _) = window();
    let (mut german, _) = window();
    let views = plant::views();
    let (_, tasks) = views.iter().find(|(name, _)| *name == "tasks").expect("the task list is among them");
    english.show(tasks);
    let before = (english.texts(), picture(&english, "tasks"));
    german.show(&View { language: "de".into(), ..tasks.clone() });
    let other = (german.texts(), picture(&german, "tasks-de"));
    assert_ne!(before, other);
    assert_eq!(before, (english.texts(), picture(&english, "tasks")), "the other window's language is its own");
    english.show(&View { look: Look::Dark, ..tasks.clone() });
    assert_ne!(before.1, picture(&english, "tasks-dark"));
    english.show(&View { language: "xx".into(), ..tasks.clone() });
    assert_eq!(before.0, english.texts(), "an unknown language leaves English");
}

#[test]
fn the_same_view_gives_the_same_picture_whatever_was_shown_before() {
    let (mut used, _) = window();
    for (_, view) in plant::views() {
        used.show(&view);
    }
    for (name, view) in plant::views() {
        let (mut fresh, _) = window();
        fresh.show(&view);
        used.show(&view);
        assert!(picture(&fresh, name) == picture(&used, name), "{name}");
    }
}
