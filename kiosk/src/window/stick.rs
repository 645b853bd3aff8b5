//! A stick at the terminal.

use kiosk_ui as ui;
use slint::ComponentHandle;

use super::convert::{ToUi, codes};
use crate::presenter::view;

codes! {
    StickResult {
        None, NotAllowed, NoStick, Unusable, Written, Empty, Taken, Stale, Unreadable, Altered, OtherPlant, OtherSite,
    }
}

pub(super) struct Adapter;

impl Adapter {
    pub fn on(_: &ui::App) -> Self {
        Self
    }

    pub fn show(&mut self, app: &ui::App, now: &view::Stick) {
        let view::Stick {
            person,
            able,
            result,
            entries,
            documents,
            left_out,
            waiting,
            invalid,
            from,
            files_refused,
            refusal,
        } = now;
        let screen = app.global::<ui::Stick>();
        screen.set_person(person.ui());
        screen.set_able(able.ui());
        screen.set_result(result.ui());
        screen.set_entries(entries.ui());
        screen.set_documents(documents.ui());
        screen.set_left_out(left_out.ui());
        screen.set_waiting(waiting.ui());
        screen.set_invalid(invalid.ui());
        screen.set_from(from.ui());
        screen.set_files_refused(files_refused.ui());
        screen.set_refusal(refusal.ui());
    }
}
