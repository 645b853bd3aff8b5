//! Waiting for a second person's badge.

use kiosk_ui as ui;
use slint::ComponentHandle;

use super::convert::{ToUi, codes};
use crate::presenter::view;

codes! {
    SecondRole { Assessor, Trainer, Observer, CoSigner, Verifier, Supervisor }
    SecondRefusal {
        None, SamePerson, NotAllowed, VersionNotHeld, TooManyTrainees, TrainerCannotAssess, LockedOut, Unknown, Disabled, Inactive,
    }
}

pub(super) struct Adapter;

impl Adapter {
    pub fn on(_: &ui::App) -> Self {
        Self
    }

    pub fn show(&mut self, app: &ui::App, now: &view::SecondBadge) {
        let view::SecondBadge { role, kept, document, title, version, task, refusal, refused, seconds, able } = now;
        let screen = app.global::<ui::SecondBadge>();
        screen.set_role(role.ui());
        screen.set_kept(kept.ui());
        screen.set_document(document.ui());
        screen.set_title(title.ui());
        screen.set_version(version.ui());
        screen.set_task(task.ui());
        screen.set_refusal(refusal.ui());
        screen.set_refused(refused.ui());
        screen.set_seconds(seconds.ui());
        screen.set_able(able.ui());
    }
}
