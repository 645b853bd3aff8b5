//! The screen that waits for a badge.

use kiosk_ui as ui;
use slint::ComponentHandle;

use super::convert::{Rows, ToUi, codes};
use crate::presenter::view;

codes! {
    BadgeResult { None, Reading, Unknown, Disabled, Inactive, Unreadable, OtherSite, PassOver }
}

pub(super) struct Adapter {
    sessions: Rows<view::SessionRow>,
}

impl Adapter {
    pub fn on(app: &ui::App) -> Self {
        let idle = app.global::<ui::Idle>();
        Self { sessions: Rows::new(|rows| idle.set_sessions(rows)) }
    }

    pub fn show(&mut self, app: &ui::App, now: &view::Idle) {
        let view::Idle { badge, work_units, sessions, sessions_more } = now;
        let screen = app.global::<ui::Idle>();
        screen.set_badge(badge.ui());
        screen.set_work_units(work_units.ui());
        self.sessions.follow(sessions);
        screen.set_sessions_more(sessions_more.ui());
    }
}
