//! The task list.

use kiosk_ui as ui;
use slint::ComponentHandle;

use super::convert::{Rows, ToUi, codes, structs};
use crate::presenter::view;

codes! {
    TaskState { Ready, DueSoon, TrainingNeeded, InTraining, Blocked, OnHold }
}

structs! {
    TaskRow { id, title, document, version, state, days }
}

pub(super) struct Adapter {
    rows: Rows<view::TaskRow>,
}

impl Adapter {
    pub fn on(app: &ui::App) -> Self {
        let tasks = app.global::<ui::Tasks>();
        Self { rows: Rows::new(|rows| tasks.set_rows(rows)) }
    }

    pub fn show(&mut self, app: &ui::App, now: &view::Tasks) {
        let view::Tasks { rows, page, pages, lot, last_lot, sessions, kept } = now;
        let screen = app.global::<ui::Tasks>();
        self.rows.follow(rows);
        screen.set_page(page.ui());
        screen.set_pages(pages.ui());
        screen.set_lot(lot.ui());
        screen.set_last_lot(last_lot.ui());
        screen.set_sessions(sessions.ui());
        screen.set_kept(kept.ui());
    }
}
