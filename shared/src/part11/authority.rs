//! `authority_check` (21 CFR 11.10(g)): may this person do this, at this moment, as the plant is known here?
//!
//! Asked before an act at kiosk and server, and again at every replica when the entry arrives. The second answer is finer: a right
//! that was given and taken away leaves the act *on hold*; one that was never given sets it *aside*.

use serde::Serialize;

use crate::id::*;
use crate::kind::Role;
use crate::plant::Plant;
use crate::time::Timestamp;

/// What needs a right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Right<'a> {
    /// Observe runs and sign checks of a requirement.
    Assess(&'a RequirementId),
    /// Supervise trainees and coach.
    Train,
    /// Verify an identity at signing set-up, lift a lockout.
    Lead,
    Author,
    Review,
    /// Approve versions, rule, change master data.
    Quality,
    Administer,
}

/// Whether a right is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Held {
    Yes,
    /// It was given once, and does not cover this moment.
    Withdrawn,
    Never,
}

/// Where a right is used, and upon whom: a role may reach no further than a place or a personnel class (R4).
#[derive(Debug, Clone, Copy)]
pub struct Reach<'a> {
    /// The work units of the terminal; `None` in the office, where roles aren't bound to a place.
    work_units: Option<&'a [WorkUnitId]>,
    about: Option<&'a PersonId>,
}

impl<'a> Reach<'a> {
    /// At the server: its acts are the plant's as a whole.
    pub const OFFICE: Reach<'static> = Reach { work_units: None, about: None };

    /// At a terminal that serves these work units.
    pub fn at(work_units: &'a [WorkUnitId], about: Option<&'a PersonId>) -> Self {
        Self { work_units: Some(work_units), about }
    }

    /// Where a device writes. One that the plant doesn't know stands nowhere.
    pub fn of_device(plant: &'a Plant, device: &DeviceKey, is_server: bool, about: Option<&'a PersonId>) -> Self {
        if is_server {
            return Reach::OFFICE;
        }
        Self::at(plant.devices.get(device).map_or(&[], |enrolled| &enrolled.work_units), about)
    }

    fn is_within(&self, scope: &str, plant: &Plant, at: Timestamp) -> bool {
        let Some(work_units) = self.work_units else { return true };
        let is_in_class = |person: &PersonId| plant.classes_of(person, at).any(|class| class.as_str() == scope);
        work_units.iter().any(|unit| lies_in(plant, unit, scope)) || self.about.is_some_and(is_in_class)
    }
}

/// Whether a work unit lies in a place, given by its path from the site down or by its name alone.
fn lies_in(plant: &Plant, unit: &WorkUnitId, place: &str) -> bool {
    let Some(set) = plant.work_units.get(unit) else { return false };
    let names = [set.site.as_str(), set.area.as_str(), set.work_center.as_str(), unit.as_str()];
    names.contains(&place) || (1..=names.len()).any(|depth| names[..depth].join("/") == place)
}

/// Whether `person` holds the right at `at`, as far as `reach`.
pub fn authority_check(plant: &Plant, person: &PersonId, right: &Right<'_>, at: Timestamp, reach: Reach<'_>) -> Held {
    let spans: Vec<_> = match right {
        Right::Assess(requirement) => plant.assessor_grants(person, requirement).map(|grant| grant.span).collect(),
        _ => {
            let roles = roles_for(right);
            let held = plant.roles.get(person).into_iter().flatten();
            let reaches = |scope: &String| reach.is_within(scope, plant, at);
            held.filter(|set| roles.contains(&set.role) && set.scope.as_ref().is_none_or(reaches))
                .map(|set| set.span)
                .collect()
        }
    };
    if spans.is_empty() {
        Held::Never
    } else if spans.iter().any(|span| span.contains(at)) && plant.is_active(person, at) {
        Held::Yes
    } else {
        Held::Withdrawn
    }
}

fn roles_for(right: &Right<'_>) -> &'static [Role] {
    match right {
        Right::Assess(_) => &[Role::Assessor],
        Right::Train => &[Role::Trainer],
        Right::Lead => &[Role::Supervisor, Role::Quality, Role::Hr],
        Right::Author => &[Role::Author],
        Right::Review => &[Role::Reviewer],
        Right::Quality => &[Role::Quality],
        Right::Administer => &[Role::Administrator],
    }
}
