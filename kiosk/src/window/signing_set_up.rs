//! Signing set-up. Of the secret that is chosen only the number of characters comes here.

use kiosk_ui as ui;
use slint::ComponentHandle;

use super::convert::{Rows, ToUi, codes};
use crate::presenter::view;

codes! {
    SigningStep { Offer, Proof, Choose, Repeat, Statement, Done }
    ChoiceError { None, TooShort, TooSimple, Differs }
}

pub(super) struct Adapter {
    statement: Rows<String>,
    signatures: Rows<view::SignatureRow>,
}

impl Adapter {
    pub fn on(app: &ui::App) -> Self {
        let screen = app.global::<ui::SigningSetUp>();
        Self {
            statement: Rows::new(|rows| screen.set_statement(rows)),
            signatures: Rows::new(|rows| screen.set_signatures(rows)),
        }
    }

    pub fn show(&mut self, app: &ui::App, now: &view::SigningSetUp) {
        let view::SigningSetUp { step, person, verifier, kind, least, typed, error, statement, signatures, entry } =
            now;
        let screen = app.global::<ui::SigningSetUp>();
        screen.set_step(step.ui());
        screen.set_person(person.ui());
        screen.set_verifier(verifier.ui());
        screen.set_kind(kind.ui());
        screen.set_least(least.ui());
        screen.set_typed(typed.ui());
        screen.set_error(error.ui());
        self.statement.follow(statement);
        self.signatures.follow(signatures);
        screen.set_entry(entry.ui());
    }
}
