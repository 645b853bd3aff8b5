//! Terminal set-up.

use kiosk_ui as ui;
use slint::ComponentHandle;

use super::convert::{ToUi, codes};
use crate::presenter::view;

codes! {
    SetUpState { EnterCode, Asking, Enrolled, WrongCode, Expired, NoNetwork, ForeignCertificate }
}

pub(super) struct Adapter;

impl Adapter {
    pub fn on(_: &ui::App) -> Self {
        Self
    }

    pub fn show(&mut self, app: &ui::App, now: &view::SetUp) {
        let view::SetUp { state, code, server, typing_server, can_change_server, terminal, work_units, can_send } = now;
        let screen = app.global::<ui::SetUp>();
        screen.set_state(state.ui());
        screen.set_code(code.ui());
        screen.set_server(server.ui());
        screen.set_terminal(terminal.ui());
        screen.set_work_units(work_units.ui());
        screen.set_typing_server(typing_server.ui());
        screen.set_can_change_server(can_change_server.ui());
        screen.set_can_send(can_send.ui());
    }
}
