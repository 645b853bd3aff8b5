//! Another badge while somebody's work is open.

use kiosk_ui as ui;
use slint::ComponentHandle;

use super::convert::ToUi;
use crate::presenter::view;

pub(super) struct Adapter;

impl Adapter {
    pub fn on(_: &ui::App) -> Self {
        Self
    }

    pub fn show(&mut self, app: &ui::App, now: &view::Swap) {
        let view::Swap { kept, other, doing, document, refusal } = now;
        let screen = app.global::<ui::Swap>();
        screen.set_kept(kept.ui());
        screen.set_other(other.ui());
        screen.set_doing(doing.ui());
        screen.set_document(document.ui());
        screen.set_refusal(refusal.ui());
    }
}
