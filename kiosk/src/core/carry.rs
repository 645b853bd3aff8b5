//! A stick at the terminal: a supervisor writes to it, or takes in what it brings, with their secret; the journal says who and what.

use shared::id::*;
use shared::kind::journal::DeviceEvent;
use shared::log::{Stream, Subject};
use shared::part11::authority::{Held, Reach, Right, authority_check};

use super::{Core, Denied};
use crate::stick::{self, Carried, Way};

impl Core {
    /// Whether the person may carry entries by stick here; asked before their secret is.
    pub fn may_carry(&mut self, person: &PersonId) -> Result<(), Denied> {
        self.has_a_badge(person)?;
        let now = self.reading().wall;
        let here = &self.enrolment().ok_or(Denied::NotSetUp)?.work_units;
        match authority_check(self.plant(), person, &Right::Lead, now, Reach::at(here, None)) {
            Held::Yes => Ok(()),
            _ => Err(Denied::NoAuthority { person: person.clone() }),
        }
    }

    /// Writes to the stick, or takes in what it brings. The person's secret was given in this badge session.
    pub fn carry(&mut self, person: &PersonId, way: Way) -> Result<Carried, Denied> {
        self.session_key(person)?;
        self.may_carry(person)?;
        let kiosk = self.enrolment().ok_or(Denied::NotSetUp)?.name.clone();
        let sticks = self.sticks.clone();
        let carried = match way {
            Way::ToStick => stick::write(self, &kiosk, &sticks)?,
            Way::FromStick => stick::read(self, &kiosk, &sticks)?,
        };
        let (what, detail) = match &carried {
            Carried::Written(written) => {
                ("bundle_written", format!("by {person}: {} entries, {} documents", written.entries, written.blobs))
            }
            Carried::Taken(taken) => {
                let from = taken.from.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
                let (held, refused) = (taken.brought.held, taken.refused);
                ("bundle_taken", format!("by {person}: {held} entries from {from}; {refused} files refused"))
            }
            Carried::NoStick | Carried::Unusable | Carried::Empty => return Ok(carried),
        };
        let device = self.enrolment().ok_or(Denied::NotSetUp)?.device;
        let event = DeviceEvent { what: what.into(), detail };
        let draft = self.draft(Subject::new("device", device), event);
        self.write(vec![(Stream::journal(&kiosk), draft)])?;
        Ok(carried)
    }
}
