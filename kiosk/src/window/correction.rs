//! A correction of one's own entry.

use kiosk_ui as ui;
use slint::ComponentHandle;

use super::convert::{ToUi, codes};
use crate::presenter::view;

codes! {
    CorrectionStep { What, Right, Reason }
    WrongThing { Person, Value, Outcome }
}

pub(super) struct Adapter;

impl Adapter {
    pub fn on(_: &ui::App) -> Self {
        Self
    }

    pub fn show(&mut self, app: &ui::App, now: &view::Correction) {
        let view::Correction { step, entry, wrong, typed } = now;
        let screen = app.global::<ui::Correction>();
        screen.set_step(step.ui());
        screen.set_entry(entry.ui());
        screen.set_wrong(wrong.ui());
        screen.set_typed(typed.ui());
    }
}
