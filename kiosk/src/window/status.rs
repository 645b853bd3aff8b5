//! The state of this terminal.

use kiosk_ui as ui;
use slint::ComponentHandle;

use super::convert::{Rows, ToUi, codes, structs};
use crate::presenter::view;

codes! {
    EntryKind { Records, Presence, Journal, Keys, Other }
    KeyStore { File, Tpm }
    EnrolmentState { NotEnrolled, Enrolled, Revoked, Retired }
    Alarm { None, Fork, Continuity, RestoredCopy }
}

structs! {
    WaitingRow { kind, count }
}

pub(super) struct Adapter {
    waiting: Rows<view::WaitingRow>,
}

impl Adapter {
    pub fn on(app: &ui::App) -> Self {
        let status = app.global::<ui::Status>();
        Self { waiting: Rows::new(|rows| status.set_waiting(rows)) }
    }

    pub fn show(&mut self, app: &ui::App, now: &view::Status) {
        let view::Status {
            kiosk,
            software,
            server,
            last_exchange,
            behind,
            waiting,
            plant_revision,
            plant_age_minutes,
            storage_free,
            storage_used,
            database,
            clock_offset,
            clock_confirmed,
            clock_uncertainty,
            key_store,
            enrolment,
            enrolled_since,
            alarm,
            alarm_since,
            set_aside,
        } = now;
        let screen = app.global::<ui::Status>();
        screen.set_kiosk(kiosk.ui());
        screen.set_software(software.ui());
        screen.set_server(server.ui());
        screen.set_last_exchange(last_exchange.ui());
        self.waiting.follow(waiting);
        screen.set_plant_revision(plant_revision.ui());
        screen.set_behind(behind.ui());
        screen.set_plant_age_minutes(plant_age_minutes.ui());
        screen.set_database(database.ui());
        screen.set_clock_confirmed(clock_confirmed.ui());
        screen.set_storage_free(storage_free.ui());
        screen.set_storage_used(storage_used.ui());
        screen.set_clock_offset(clock_offset.ui());
        screen.set_clock_uncertainty(clock_uncertainty.ui());
        screen.set_key_store(key_store.ui());
        screen.set_enrolment(enrolment.ui());
        screen.set_enrolled_since(enrolled_since.ui());
        screen.set_alarm(alarm.ui());
        screen.set_alarm_since(alarm_since.ui());
        screen.set_set_aside(set_aside.ui());
    }
}
