//! The on-screen keyboard, wherever it is shown.

use kiosk_ui as ui;
use slint::ComponentHandle;

use super::convert::{ToUi, codes};
use crate::presenter::view;

codes! {
    KeyLayer { Lower, Upper, Symbols }
    KeyLayout { Qwerty, Qwertz }
}

pub(super) struct Adapter;

impl Adapter {
    pub fn on(_: &ui::App) -> Self {
        Self
    }

    pub fn show(&mut self, app: &ui::App, now: &view::Keyboard) {
        let view::Keyboard { layer, layout } = now;
        let screen = app.global::<ui::Keyboard>();
        screen.set_layer(layer.ui());
        screen.set_layout(layout.ui());
    }
}
