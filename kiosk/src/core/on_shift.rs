//! Who is here to help: people on shift at this terminal's lines.

use shared::id::PersonId;
use shared::part11::authority::{Held, Reach, Right, authority_check};

use super::{Core, Denied};

impl Core {
    /// People on shift here who hold a right given by role, in the order of their ids.
    pub fn on_shift_with(&mut self, right: &Right<'_>) -> Result<Vec<PersonId>, Denied> {
        let now = self.reading().wall;
        let plant = self.plant().clone();
        let Some(enrolment) = self.enrolment() else { return Ok(Vec::new()) };
        let lines: Vec<_> =
            enrolment.work_units.iter().filter_map(|unit| Some(&plant.work_units.get(unit)?.work_center)).collect();
        let here = |person: &&PersonId| {
            authority_check(&plant, person, right, now, Reach::at(&enrolment.work_units, None)) == Held::Yes
                && lines.iter().any(|line| plant.is_on_shift(person, line, now))
        };
        Ok(plant.roles.keys().filter(here).cloned().collect())
    }
}
