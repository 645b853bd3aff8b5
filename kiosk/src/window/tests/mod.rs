//! The real window, without a display: what a view says is on screen, and what is touched comes back.
//!
//! With `KIOSK_PICTURES=FOLDER` each picture is written there.

mod people;
mod plant;
mod procedure;

use std::cell::RefCell;
use std::rc::Rc;

use slint::ComponentHandle;
use slint::platform::WindowEvent;

use super::picture::{NotTapped, Pictures};
use super::{Act, Window};
use crate::presenter::view::{Look, PageImage, Paper, Reader, Screen, View};

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
fn no_key_that_closes_windows_ends_a_kiosk_that_fills_the_screen() {
    let (_platform, _) = window();
    for (windowed, stays) in [(None, true), (Some((1280, 800)), false)] {
        let mut window = Window::open().expect("the window needs no display");
        window.appear(windowed).expect("it is seen");
        assert!(window.app.window().is_visible());
        window.app.window().dispatch_event(WindowEvent::CloseRequested);
        assert_eq!(window.app.window().is_visible(), stays, "{windowed:?}");
    }
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

#[test]
fn l1_a_page_of_a_pdf_is_on_view_as_it_was_drawn() {
    let bytes = include_bytes!("../../../../sync-server/demo-plant/content/SOP-0007-v2.en.pdf").to_vec();
    let document = crate::pdf::Document::new(shared::id::Digest32::of(&bytes), bytes);
    let (mut window, _) = window();
    let room = window.pager().room();
    let page = crate::pdf::draw(&document, 0, room.width).expect("the demo plant's document can be drawn");
    let mut view = plant::views().into_iter().map(|(_, view)| view).next().expect("there is a view");
    let image = PageImage { rows: 0..room.height, ..page.image };
    let lines = image.on_view().expect("the page is higher than the screen").to_vec();
    view.screen = Screen::Reader;
    view.reader = Reader { paper: Paper::Shown, page_image: Some(image), pages: 4, unseen: 3, ..Reader::default() };
    window.show(&view);
    picture(&window, "reader-pdf");
    // Pixel for pixel: nothing is scaled, so the type is as sharp as it was drawn.
    let rgb = |pixel: &[u8]| [pixel[0], pixel[1], pixel[2]];
    let mut rows =
        lines.chunks_exact(room.width as usize * 4).map(|row| row.chunks_exact(4).map(rgb).collect::<Vec<_>>());
    let of_type = |row: &Vec<[u8; 3]>| (20..400).contains(&row.iter().filter(|pixel| pixel[0] < 100).count());
    let wanted = rows.find(of_type).expect("the page has lines of type");
    let shown = window.pixels().expect("the window can be drawn");
    let found = shown.as_slice().chunks_exact(shown.width() as usize).any(|line| {
        let line: Vec<[u8; 3]> = line.iter().map(|pixel| [pixel.r, pixel.g, pixel.b]).collect();
        line.windows(wanted.len()).any(|part| part == wanted)
    });
    assert!(found, "a line of the page is on the screen");
}

#[test]
fn s9_every_letter_of_a_code_has_a_key() {
    let (mut window, _) = window();
    let views = plant::views();
    let (_, set_up) = views.iter().find(|(name, _)| *name == "set-up").expect("set-up is among them");
    window.show(set_up);
    let targets = window.targets();
    for letter in shared::part11::enrolment::CODE_ALPHABET.chars() {
        assert!(targets.iter().any(|target| target.id == format!("kb:{letter}")), "{letter}");
    }
    let keys = targets.iter().filter(|target| target.id.starts_with("kb:")).count();
    assert_eq!(keys, 33, "the letters of a code, and one to delete");
}
