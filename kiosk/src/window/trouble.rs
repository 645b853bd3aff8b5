//! Something is broken: what, what was kept, what to do.

use kiosk_ui as ui;
use slint::ComponentHandle;

use super::convert::{ToUi, codes};
use crate::presenter::view;

codes! {
    Fault { InternalError, DamagedDatabase, StorageFull, ForeignCertificate, Revoked, ClockLost, KeyStoreLost }
}

pub(super) struct Adapter;

impl Adapter {
    pub fn on(_: &ui::App) -> Self {
        Self
    }

    pub fn show(&mut self, app: &ui::App, now: &view::Trouble) {
        let view::Trouble { fault, code, kept, since, next } = now;
        let screen = app.global::<ui::Trouble>();
        screen.set_fault(fault.ui());
        screen.set_code(code.ui());
        screen.set_kept(kept.ui());
        screen.set_since(since.ui());
        screen.set_next(next.ui());
    }
}
