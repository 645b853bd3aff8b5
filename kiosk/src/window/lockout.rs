//! Locked after wrong secrets.

use kiosk_ui as ui;
use slint::ComponentHandle;

use super::convert::ToUi;
use crate::presenter::view;

pub(super) struct Adapter;

impl Adapter {
    pub fn on(_: &ui::App) -> Self {
        Self
    }

    pub fn show(&mut self, app: &ui::App, now: &view::Lockout) {
        let view::Lockout { person, tries, interrupted, able } = now;
        let screen = app.global::<ui::Lockout>();
        screen.set_person(person.ui());
        screen.set_tries(tries.ui());
        screen.set_interrupted(interrupted.ui());
        screen.set_able(able.ui());
    }
}
