//! Signing with a PIN or passphrase. Only the number of characters typed comes here, never a character.

use kiosk_ui as ui;
use slint::ComponentHandle;

use super::convert::{ToUi, codes};
use crate::presenter::view;

codes! {
    SecretKind { Pin, Passphrase }
    SecretError { None, Wrong, LockedOut, TooShort, NotSetUp }
}

pub(super) struct Adapter;

impl Adapter {
    pub fn on(_: &ui::App) -> Self {
        Self
    }

    pub fn show(&mut self, app: &ui::App, now: &view::Secret) {
        let view::Secret {
            kind,
            signer,
            meaning,
            document,
            title,
            version,
            about,
            typed,
            error,
            wait_seconds,
            attempts_left,
            busy,
        } = now;
        let screen = app.global::<ui::Secret>();
        screen.set_kind(kind.ui());
        screen.set_signer(signer.ui());
        screen.set_meaning(meaning.ui());
        screen.set_document(document.ui());
        screen.set_title(title.ui());
        screen.set_version(version.ui());
        screen.set_about(about.ui());
        screen.set_typed(typed.ui());
        screen.set_error(error.ui());
        screen.set_wait_seconds(wait_seconds.ui());
        screen.set_attempts_left(attempts_left.ui());
        screen.set_busy(busy.ui());
    }
}
