//! Work under a trainer's eyes.

use kiosk_ui as ui;
use slint::ComponentHandle;

use super::convert::{ToUi, codes};
use crate::presenter::view;

codes! {
    SupervisedState { Running, ConfirmNow, Ended }
    SupervisedEnd { ByTap, NotConfirmed, BadgeOut, BadgeElsewhere, TimeOver, Blocked, NewVersion, NextStart }
}

pub(super) struct Adapter;

impl Adapter {
    pub fn on(_: &ui::App) -> Self {
        Self
    }

    pub fn show(&mut self, app: &ui::App, now: &view::Supervised) {
        // No screen says how often a trainer confirms, only when next.
        let view::Supervised {
            state,
            end,
            trainee,
            trainer,
            task,
            document,
            version,
            lot,
            work_unit,
            since,
            minutes_left,
            seconds_left,
            every_minutes: _,
        } = now;
        let screen = app.global::<ui::Supervised>();
        screen.set_state(state.ui());
        screen.set_end(end.ui());
        screen.set_trainee(trainee.ui());
        screen.set_trainer(trainer.ui());
        screen.set_task(task.ui());
        screen.set_document(document.ui());
        screen.set_version(version.ui());
        screen.set_lot(lot.ui());
        screen.set_work_unit(work_unit.ui());
        screen.set_since(since.ui());
        screen.set_minutes_left(minutes_left.ui());
        screen.set_seconds_left(seconds_left.ui());
    }
}
