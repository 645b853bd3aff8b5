//! A stick at the terminal (U6): a supervisor's badge, which way entries go, their secret, and what came of it.

use shared::sync::bundle::BadBundle;

use super::id::{Action, TapId};
use super::message::*;
use super::say::{count, names};
use super::view::{self, Screen, StickResult};
use super::{Presenter, Purpose, signing};
use crate::stick::{Carried, Taken, Way};
use shared::kind::presence::SessionEnd;

/// What came of the stick in this badge session.
#[derive(Default)]
pub(super) enum AtStick {
    #[default]
    Nothing,
    NotAllowed,
    Carried(Carried),
}

impl Presenter {
    pub(super) fn tap_stick(&mut self, id: TapId) {
        let way = match id {
            TapId::Action(Action::Back) if self.badged.is_some() => return self.sign_out(SessionEnd::Tap),
            TapId::Action(Action::Back) => return self.screen = Screen::Status,
            TapId::Action(Action::StickWrite) => Way::ToStick,
            TapId::Action(Action::StickRead) => Way::FromStick,
            _ => return,
        };
        let Some(badged) = self.badged.as_mut() else { return };
        badged.stick = AtStick::Nothing;
        let person = badged.seen.person.clone();
        self.send(Purpose::MayCarry(way), What::MayCarry { person });
    }

    /// Whether the person may, as the core says; only then is their secret asked.
    pub(super) fn may_carry(&mut self, way: Way, reply: Reply) {
        match reply {
            Reply::Done => self.begin_signing(signing::Act::Carry { way }),
            Reply::Denied(Refusal::NoAuthority) => {
                if let Some(badged) = self.badged.as_mut() {
                    badged.stick = AtStick::NotAllowed;
                }
            }
            Reply::Denied(refusal) => self.refused(&refusal),
            _ => {}
        }
    }

    pub(super) fn carried(&mut self, carried: Carried) {
        let Some(badged) = self.badged.as_mut() else { return };
        badged.signing = None;
        badged.stick = AtStick::Carried(carried);
        self.touched = self.now;
        self.screen = Screen::Stick;
    }

    pub(super) fn stick_view(&self) -> view::Stick {
        let badged = self.badged.as_ref();
        let mut view = view::Stick {
            person: badged.map_or_else(String::new, |badged| badged.seen.printed_name.clone()),
            able: names(&self.snapshot.plant, self.snapshot.leads.iter()),
            ..view::Stick::default()
        };
        match badged.map(|badged| &badged.stick) {
            None | Some(AtStick::Nothing) => {}
            Some(AtStick::NotAllowed) => view.result = StickResult::NotAllowed,
            Some(AtStick::Carried(carried)) => say_what_came_of_it(carried, &mut view),
        }
        view
    }
}

fn say_what_came_of_it(carried: &Carried, view: &mut view::Stick) {
    view.result = match carried {
        Carried::NoStick => StickResult::NoStick,
        Carried::Unusable => StickResult::Unusable,
        Carried::Empty => StickResult::Empty,
        Carried::Written(written) => {
            (view.entries, view.documents) = (count(written.entries), count(written.blobs));
            view.left_out = count(written.blobs_left_out);
            StickResult::Written
        }
        Carried::Taken(taken) => {
            let brought = &taken.brought;
            (view.entries, view.documents) = (count(brought.held), count(brought.blobs));
            (view.waiting, view.invalid) = (count(brought.waiting), count(brought.refused));
            view.from = taken.from.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            view.files_refused = count(taken.refused);
            view.refusal = refusal_of(taken);
            match view.refusal {
                _ if !taken.from.is_empty() => StickResult::Taken,
                StickResult::None => StickResult::Stale,
                refusal => refusal,
            }
        }
    };
}

fn refusal_of(taken: &Taken) -> StickResult {
    match &taken.why {
        None => StickResult::None,
        Some(BadBundle::Unreadable(_)) => StickResult::Unreadable,
        Some(BadBundle::Altered) => StickResult::Altered,
        Some(BadBundle::OtherServer | BadBundle::Stranger) => StickResult::OtherPlant,
        Some(BadBundle::OtherSite(..)) => StickResult::OtherSite,
        Some(BadBundle::Stale) => StickResult::Stale,
    }
}
