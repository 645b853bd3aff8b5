//! Running task sessions.

use kiosk_ui as ui;
use slint::ComponentHandle;

use super::convert::{Rows, ToUi};
use crate::presenter::view;

pub(super) struct Adapter {
    rows: Rows<view::SessionRow>,
}

impl Adapter {
    pub fn on(app: &ui::App) -> Self {
        let sessions = app.global::<ui::Sessions>();
        Self { rows: Rows::new(|rows| sessions.set_rows(rows)) }
    }

    pub fn show(&mut self, app: &ui::App, now: &view::Sessions) {
        let view::Sessions { rows, page, pages } = now;
        let screen = app.global::<ui::Sessions>();
        self.rows.follow(rows);
        screen.set_page(page.ui());
        screen.set_pages(pages.ui());
    }
}
