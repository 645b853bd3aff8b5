//! Asking for a lot or order.

use kiosk_ui as ui;
use slint::ComponentHandle;

use super::convert::ToUi;
use crate::presenter::view;

pub(super) struct Adapter;

impl Adapter {
    pub fn on(_: &ui::App) -> Self {
        Self
    }

    pub fn show(&mut self, app: &ui::App, now: &view::Lot) {
        let view::Lot { typed, last_lot, task, unknown, letters } = now;
        let screen = app.global::<ui::Lot>();
        screen.set_typed(typed.ui());
        screen.set_last_lot(last_lot.ui());
        screen.set_task(task.ui());
        screen.set_unknown(unknown.ui());
        screen.set_letters(letters.ui());
    }
}
