//! The window: shows a [`View`] and hands on what a person does. It decides nothing.
//!
//! One adapter a screen, each the only file that knows both the view's values and the window's; [`convert`] holds what they share. The
//! words, colours and sizes are in the crate `kiosk-ui`. With the feature `pictures` the same window is drawn without a display
//! ([`picture`]), for tests and scripted tours.

mod convert;

mod check;
mod chrome;
mod correction;
mod idle;
mod keyboard;
mod lockout;
mod lot;
mod no_badge;
mod pager;
#[cfg(feature = "pictures")]
pub mod picture;
mod quiz;
mod reader;
mod receipt;
mod records;
mod second_badge;
mod secret;
mod sessions;
mod set_up;
mod signing_set_up;
mod status;
mod stick;
mod supervised;
mod swap;
mod tasks;
#[cfg(all(test, feature = "pictures"))]
mod tests;
mod trouble;
mod verdict;
mod worksheet;

use std::rc::Rc;

use kiosk_ui as ui;
use slint::platform::WindowEvent;
use slint::{CloseRequestResponse, ComponentHandle, PhysicalSize, PlatformError};

use self::convert::ToUi;
use self::pager::WindowPager;
use crate::presenter::pages::Pager;
use crate::presenter::view::View;

/// The languages the screens are, or will be, translated to.
const TRANSLATED: &[&str] = &["en", "de", "es", "pl", "vi"];

/// What a person does at the window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// A touch, by the accessible id of what was touched.
    Tap(String),
    /// A whole text, from an input method of the host's.
    Typed { field: String, text: String },
    /// A key of a hardware keyboard: a badge reader, a scanner.
    Key(String),
}

/// The kiosk's one window.
pub struct Window {
    app: ui::App,
    screens: Screens,
    shown: Option<View>,
    /// Physical size that the scale was chosen for.
    fitted: Option<PhysicalSize>,
}

impl Window {
    /// Opens the window; it is seen after [`Self::appear`].
    ///
    /// # Errors
    /// When there is no display to open a window on.
    pub fn open() -> Result<Self, PlatformError> {
        let app = ui::open()?;
        let screens = Screens::on(&app);
        Ok(Self { app, screens, shown: None, fitted: None })
    }

    /// Makes the window seen: all of the screen, or a window of that many pixels. What fills the screen isn't closed by its keys or its frame: behind
    /// it is a desktop, and nobody at a line has business there.
    pub fn appear(&mut self, windowed: Option<(u32, u32)>) -> Result<(), PlatformError> {
        let window = self.app.window();
        match windowed {
            Some((width, height)) => window.set_size(PhysicalSize::new(width, height)),
            None => {
                window.set_fullscreen(true);
                window.on_close_requested(|| CloseRequestResponse::KeepWindowShown);
            }
        }
        self.app.show()?;
        self.fit();
        Ok(())
    }

    /// Chooses the scale for the screen's size, when that has changed: targets and text grow with the screen.
    pub fn fit(&mut self) {
        let window = self.app.window();
        let size = window.size();
        if size.width == 0 || self.fitted == Some(size) {
            return;
        }
        self.fitted = Some(size);
        let scale = ui::scale_factor(size.width, size.height);
        window.dispatch_event(WindowEvent::ScaleFactorChanged { scale_factor: scale });
        window.dispatch_event(WindowEvent::Resized { size: size.to_logical(scale) });
    }

    /// Where everything a person does goes.
    pub fn on_act(&self, act: impl Fn(Act) + 'static) {
        let act = Rc::new(act);
        let out = self.app.global::<ui::Act>();
        let tap = act.clone();
        out.on_tap(move |id| tap(Act::Tap(id.into())));
        let typed = act.clone();
        out.on_typed(move |field, text| typed(Act::Typed { field: field.into(), text: text.into() }));
        out.on_key(move |text| act(Act::Key(text.into())));
    }

    /// Shows a view. What is as it was is not touched.
    pub fn show(&mut self, view: &View) {
        let was = self.shown.replace(view.clone());
        let changed = |same: fn(&View, &View) -> bool| was.as_ref().is_none_or(|was| !same(was, view));
        if changed(|was, now| was.language == now.language) {
            convert::speak(&view.language);
        }
        if changed(|was, now| was.look == now.look) {
            self.app.global::<ui::Theme>().set_look(view.look.ui());
        }
        self.screens.show(&self.app, was.as_ref(), view);
        // Last, so that a screen comes into being with all of its content.
        self.app.set_screen(view.screen.ui());
    }

    /// The languages the screens have words in.
    pub fn languages(&self) -> Vec<String> {
        let spoken = TRANSLATED.iter().filter(|language| ui::speak(language)).map(ToString::to_string).collect();
        convert::speak(self.shown.as_ref().map_or("en", |view| &view.language));
        spoken
    }

    /// Cuts documents into pages as high as this window's.
    pub fn pager(&self) -> Box<dyn Pager> {
        Box::new(WindowPager(self.app.as_weak()))
    }
}

/// One adapter for each part of a view, under the same name.
macro_rules! screens {
    ($($name:ident)*) => {
        struct Screens { $($name: $name::Adapter,)* }

        impl Screens {
            fn on(app: &ui::App) -> Self {
                Self { $($name: $name::Adapter::on(app),)* }
            }

            fn show(&mut self, app: &ui::App, was: Option<&View>, now: &View) {
                $(if was.is_none_or(|was| was.$name != now.$name) {
                    self.$name.show(app, &now.$name);
                })*
            }
        }
    };
}

screens! {
    chrome keyboard idle set_up tasks lot verdict secret reader quiz worksheet check second_badge receipt supervised sessions status
    trouble swap signing_set_up lockout stick no_badge records correction
}
