//! What one did and signed oneself.

use kiosk_ui as ui;
use slint::ComponentHandle;

use super::convert::{Rows, ToUi, codes, structs};
use crate::presenter::view;

codes! {
    Standing { Counts, OnHold, SetAside, Corrected }
}

structs! {
    RecordRow { number, activity, document, title, version, at, second, outcome, percent, standing, old, new, reason }
}

pub(super) struct Adapter {
    rows: Rows<view::RecordRow>,
}

impl Adapter {
    pub fn on(app: &ui::App) -> Self {
        let records = app.global::<ui::Records>();
        Self { rows: Rows::new(|rows| records.set_rows(rows)) }
    }

    pub fn show(&mut self, app: &ui::App, now: &view::Records) {
        let view::Records { rows, page, pages } = now;
        let screen = app.global::<ui::Records>();
        self.rows.follow(rows);
        screen.set_page(page.ui());
        screen.set_pages(pages.ui());
    }
}
