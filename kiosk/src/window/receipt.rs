//! What was signed, and what is open after it.

use kiosk_ui as ui;
use slint::ComponentHandle;

use super::convert::{Rows, ToUi, codes, structs};
use crate::presenter::view;

codes! {
    StoredState { Stored, Synced }
    Open { Qualified, Quiz, Runs, Check, SecondSignature, OnHold, NotPassed, Nothing }
}

structs! {
    SignatureRow { name, meaning, at }
}

pub(super) struct Adapter {
    signatures: Rows<view::SignatureRow>,
}

impl Adapter {
    pub fn on(app: &ui::App) -> Self {
        let receipt = app.global::<ui::Receipt>();
        Self { signatures: Rows::new(|rows| receipt.set_signatures(rows)) }
    }

    pub fn show(&mut self, app: &ui::App, now: &view::Receipt) {
        let view::Receipt { document, title, version, about, signatures, entry, state, open, open_count, next } = now;
        let screen = app.global::<ui::Receipt>();
        screen.set_document(document.ui());
        screen.set_title(title.ui());
        screen.set_version(version.ui());
        screen.set_about(about.ui());
        self.signatures.follow(signatures);
        screen.set_entry(entry.ui());
        screen.set_state(state.ui());
        screen.set_open(open.ui());
        screen.set_open_count(open_count.ui());
        screen.set_next(next.ui());
    }
}
