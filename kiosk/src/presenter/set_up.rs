//! Terminal set-up: a one-time code, and what the server says to it.

use super::id::{KeyTap, TapId};
use super::message::*;
use super::view::{self, Screen, SetUpState};
use super::{Presenter, Purpose};

/// Shortest and longest code, in characters.
const SHORTEST: usize = 8;
const LONGEST: usize = 24;

/// A set-up under way.
#[derive(Debug, Clone, Default)]
pub(super) struct SetUp {
    state: SetUpState,
    code: Hidden,
    terminal: String,
    work_units: String,
}

impl Presenter {
    pub(super) fn tap_set_up(&mut self, id: TapId) {
        let set_up = &mut self.set_up;
        match (id, set_up.state) {
            (TapId::Next, SetUpState::Enrolled) => {
                self.set_up = SetUp::default();
                self.screen = Screen::Idle;
            }
            (TapId::Key(KeyTap::Letters | KeyTap::Minus | KeyTap::Point), _)
            | (_, SetUpState::Enrolled | SetUpState::Asking) => {}
            (TapId::Key(key), _) => Self::press(&mut self.keyboard, &mut set_up.code.0, key, LONGEST),
            (TapId::Ok, _) if set_up.code.0.chars().count() >= SHORTEST => {
                set_up.state = SetUpState::Asking;
                let code = set_up.code.clone();
                self.send(Purpose::SetUp, What::SetUp { code });
            }
            _ => {}
        }
    }

    /// A code typed or scanned whole, with or without the spaces it is printed with.
    pub(super) fn type_code(&mut self, text: &str) {
        if !matches!(self.set_up.state, SetUpState::Enrolled | SetUpState::Asking) {
            self.set_up.code = Hidden(text.chars().filter(|c| c.is_ascii_alphanumeric()).take(LONGEST).collect());
        }
    }

    pub(super) fn set_up_replied(&mut self, reply: Reply) {
        let set_up = &mut self.set_up;
        set_up.state = match reply {
            Reply::Enrolled { terminal, work_units } => {
                (set_up.code, set_up.terminal, set_up.work_units) = (Hidden::default(), terminal, work_units);
                SetUpState::Enrolled
            }
            Reply::NotEnrolled(NotEnrolled::NoNetwork) => SetUpState::NoNetwork,
            Reply::NotEnrolled(NotEnrolled::Expired) => SetUpState::Expired,
            Reply::NotEnrolled(NotEnrolled::ForeignCertificate) => SetUpState::ForeignCertificate,
            _ => SetUpState::WrongCode,
        };
    }

    /// A terminal that isn't set up asks for its code; one that was set up from outside shows what it is for.
    pub(super) fn follow_set_up(&mut self) {
        let enrolled = self.snapshot.status.kiosk.is_some();
        let typing = !matches!(self.set_up.state, SetUpState::Enrolled | SetUpState::Asking);
        if !enrolled && self.screen == Screen::Idle {
            self.screen = Screen::SetUp;
        } else if enrolled && typing && self.screen == Screen::SetUp {
            self.screen = Screen::Idle;
        }
    }

    pub(super) fn set_up_view(&self) -> view::SetUp {
        let code: Vec<char> = self.set_up.code.0.chars().collect();
        view::SetUp {
            state: self.set_up.state,
            // A one-time code is read off the dashboard aloud: it is shown while it is typed.
            code: code.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join(" "),
            server: self.snapshot.status.url.clone().unwrap_or_else(|| self.settings.server.clone()),
            terminal: self.set_up.terminal.clone(),
            work_units: self.set_up.work_units.clone(),
            attempts_left: -1,
            can_send: code.len() >= SHORTEST,
        }
    }
}
