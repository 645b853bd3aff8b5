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

/// Whether `person` holds the right at `at`.
pub fn authority_check(plant: &Plant, person: &PersonId, right: &Right<'_>, at: Timestamp) -> Held {
    let spans: Vec<_> = match right {
        Right::Assess(requirement) => plant.assessor_grants(person, requirement).map(|grant| grant.span).collect(),
        _ => {
            let roles = roles_for(right);
            let held = plant.roles.get(person).into_iter().flatten();
            held.filter(|set| roles.contains(&set.role)).map(|set| set.span).collect()
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
