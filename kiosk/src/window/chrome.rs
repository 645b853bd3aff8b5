//! The bar on every screen.

use kiosk_ui as ui;
use slint::ComponentHandle;

use super::convert::{ToUi, codes};
use crate::presenter::view;

codes! {
    SyncState { Online, Offline, Refused, ForeignServer, Revoked }
}

pub(super) struct Adapter;

impl Adapter {
    pub fn on(_: &ui::App) -> Self {
        Self
    }

    pub fn show(&mut self, app: &ui::App, now: &view::Chrome) {
        let view::Chrome {
            terminal,
            person,
            pass_until,
            sync,
            offline_since,
            waiting,
            plant_age_minutes,
            plant_revision,
            clock,
            idle_seconds,
            storage_warning,
            language,
        } = now;
        let screen = app.global::<ui::Chrome>();
        screen.set_terminal(terminal.ui());
        screen.set_person(person.ui());
        screen.set_pass_until(pass_until.ui());
        screen.set_sync(sync.ui());
        screen.set_offline_since(offline_since.ui());
        screen.set_waiting(waiting.ui());
        screen.set_plant_age_minutes(plant_age_minutes.ui());
        screen.set_plant_revision(plant_revision.ui());
        screen.set_clock(clock.ui());
        screen.set_idle_seconds(idle_seconds.ui());
        screen.set_storage_warning(storage_warning.ui());
        screen.set_language(language.ui());
    }
}
