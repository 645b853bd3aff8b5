//! Terminal set-up: the server's address, a one-time code, and what the server says to it (S9).

use shared::part11::enrolment::{CODE_ALPHABET, CODE_LENGTH};

use super::id::{Action, KeyTap, TapId};
use super::message::*;
use super::view::{self, KeyLayer, Screen, SetUpState};
use super::{Presenter, Purpose};

/// Longest address of a server, in characters.
const LONGEST_ADDRESS: usize = 120;
/// What every address begins with: nothing is said to a server without encryption.
const SCHEME: &str = "https://";

/// A set-up under way.
#[derive(Debug, Clone, Default)]
pub(super) struct SetUp {
    state: SetUpState,
    code: Hidden,
    /// The address as accepted, for a terminal that was started without one.
    server: Option<String>,
    /// The address being typed.
    typing: Option<String>,
    terminal: String,
    work_units: String,
}

impl SetUp {
    fn is_open(&self) -> bool {
        !matches!(self.state, SetUpState::Enrolled | SetUpState::Asking)
    }
}

impl Presenter {
    pub(super) fn tap_set_up(&mut self, id: TapId) {
        if self.set_up.typing.is_some() {
            return self.tap_address(id);
        }
        let server = self.address();
        let set_up = &mut self.set_up;
        match id {
            TapId::Next if set_up.state == SetUpState::Enrolled => {
                self.set_up = SetUp::default();
                self.screen = Screen::Idle;
            }
            _ if !set_up.is_open() => {}
            TapId::Action(Action::Server) => self.type_address(server),
            TapId::Key(KeyTap::Character(c)) => {
                let letter = c.to_ascii_uppercase();
                if CODE_ALPHABET.contains(letter) && set_up.code.0.chars().count() < CODE_LENGTH {
                    set_up.code.0.push(letter);
                }
            }
            TapId::Key(KeyTap::Back) => drop(set_up.code.0.pop()),
            TapId::Key(KeyTap::Clear) => set_up.code.0.clear(),
            TapId::Ok if set_up.code.0.chars().count() == CODE_LENGTH => {
                set_up.state = SetUpState::Asking;
                let code = set_up.code.clone();
                self.send(Purpose::SetUp, What::SetUp { code, server });
            }
            _ => {}
        }
    }

    fn tap_address(&mut self, id: TapId) {
        let set_up = &mut self.set_up;
        let Some(typing) = set_up.typing.as_mut() else { return };
        match id {
            TapId::Key(key) => Self::press(&mut self.keyboard, typing, key, LONGEST_ADDRESS),
            TapId::Ok => {
                if let Some(address) = address_in(typing) {
                    (set_up.server, set_up.typing, set_up.state) = (Some(address), None, SetUpState::EnterCode);
                }
            }
            // Without an address there is nothing to go back to.
            TapId::Cancel if set_up.server.is_some() => set_up.typing = None,
            _ => {}
        }
    }

    /// A terminal that was started with an address keeps to it: there is one place where it is said.
    fn type_address(&mut self, now: String) {
        if self.settings.server.is_empty() {
            self.set_up.typing = Some(if now.is_empty() { SCHEME.to_owned() } else { now });
            self.keyboard.layer = KeyLayer::Lower;
        }
    }

    fn address(&self) -> String {
        let given = Some(&self.settings.server).filter(|server| !server.is_empty());
        given.or(self.set_up.server.as_ref()).cloned().unwrap_or_default()
    }

    /// A code typed or scanned whole, with or without the spaces it is printed with.
    pub(super) fn type_code(&mut self, text: &str) {
        if self.set_up.is_open() && self.set_up.typing.is_none() {
            let letters = text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase());
            self.set_up.code = Hidden(letters.take(CODE_LENGTH).collect());
        }
    }

    /// An address typed whole.
    pub(super) fn type_whole_address(&mut self, text: &str) {
        if let Some(typing) = self.set_up.typing.as_mut() {
            *typing = text.chars().filter(|c| !c.is_whitespace()).take(LONGEST_ADDRESS).collect();
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
        let typing = self.set_up.is_open();
        if !enrolled && self.screen == Screen::Idle {
            self.screen = Screen::SetUp;
            if self.address().is_empty() {
                self.type_address(String::new());
            }
        } else if enrolled && typing && self.screen == Screen::SetUp {
            self.screen = Screen::Idle;
        }
    }

    pub(super) fn set_up_view(&self) -> view::SetUp {
        let code: Vec<char> = self.set_up.code.0.chars().collect();
        view::SetUp {
            state: self.set_up.state,
            // A one-time code is read out aloud: it is shown while it is typed.
            code: code.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join(" "),
            server: match &self.set_up.typing {
                Some(typing) => typing.clone(),
                None => self.address(),
            },
            typing_server: self.set_up.typing.is_some(),
            can_change_server: self.settings.server.is_empty(),
            terminal: self.set_up.terminal.clone(),
            work_units: self.set_up.work_units.clone(),
            can_send: match &self.set_up.typing {
                Some(typing) => address_in(typing).is_some(),
                None => code.len() == CODE_LENGTH,
            },
        }
    }
}

/// The address in what was typed; what it begins with may be left out. `None` for what can't be one.
fn address_in(typed: &str) -> Option<String> {
    let place = match typed.trim().split_once("://") {
        Some(("https", place)) => place,
        Some(_) => return None,
        None => typed.trim(),
    };
    let place = place.trim_end_matches('/');
    let is_place = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | ':' | '/' | '[' | ']' | '_');
    let begins_well = place.starts_with(|c: char| c.is_alphanumeric() || c == '[');
    (begins_well && place.chars().all(is_place)).then(|| format!("{SCHEME}{place}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s9_an_address_is_a_place_that_is_spoken_to_encrypted() {
        for good in
            ["https://lineproof.plant:8443", "lineproof.plant:8443", "lineproof.plant:8443/", "10.0.0.7", "[::1]:8443"]
        {
            assert!(address_in(good).is_some_and(|address| address.starts_with(SCHEME)), "{good}");
        }
        assert_eq!(address_in("lineproof.plant/"), Some("https://lineproof.plant".into()));
        for bad in ["", "https://", "http://lineproof.plant", "ftp://x", ":8443", "line proof", "https://a@b"] {
            assert_eq!(address_in(bad), None, "{bad}");
        }
    }
}
