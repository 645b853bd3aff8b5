//! Training assignments: person × requirement × version, derived and never typed in (A2–A5).

use serde::Serialize;

use super::qualification::{Tense, qualification};
use crate::id::*;
use crate::kind::plant::{Impact, RequirementSet};
use crate::plant::{Plant, Version};
use crate::record::TrainingRecord;
use crate::time::Timestamp;

/// What a person owes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TrainingAssignment {
    pub person: PersonId,
    pub requirement: RequirementId,
    pub document: Option<DocumentId>,
    pub version: Option<VersionId>,
    /// Digest of the version's content in the person's language, else its first.
    pub content: Option<Digest32>,
    pub effective_from: Option<Timestamp>,
    pub due_date: Timestamp,
    pub impact: Option<Impact>,
    pub overdue: bool,
}

/// The window when neither requirement nor category names one, in days.
pub const DEFAULT_WINDOW_DAYS: u32 = 30;

/// Everything the person owes at `at`: for what is in force, and for what becomes effective later (A5).
pub fn assignments(
    plant: &Plant,
    person: &PersonId,
    record: &TrainingRecord,
    at: Timestamp,
) -> Vec<TrainingAssignment> {
    if !plant.is_active(person, at) {
        return Vec::new();
    }
    let required = plant.required_of(person, at);
    let sets = required.into_iter().filter_map(|id| plant.requirements.get(id));
    sets.flat_map(|set| owed(plant, set, person, record, at)).collect()
}

fn owed(
    plant: &Plant,
    set: &RequirementSet,
    person: &PersonId,
    record: &TrainingRecord,
    at: Timestamp,
) -> Vec<TrainingAssignment> {
    let document = set.document.as_ref().and_then(|id| plant.documents.get(id));
    let met_at = |when: Timestamp| qualification(plant, &set.requirement, person, record, &[], when, Tense::Then).met;
    let current = document.and_then(|d| match d.in_force(at) {
        crate::plant::InForce::Version(version) => Some(version),
        _ => None,
    });
    let mut owed = Vec::new();
    if (set.document.is_none() || current.is_some()) && !met_at(at) {
        owed.push(assignment(plant, set, person, current, at));
    }
    for version in document.into_iter().flat_map(|d| d.upcoming(at)) {
        if !met_at(version.effective_from()) {
            owed.push(assignment(plant, set, person, Some(version), at));
        }
    }
    owed
}

fn assignment(
    plant: &Plant,
    set: &RequirementSet,
    person: &PersonId,
    version: Option<&Version>,
    at: Timestamp,
) -> TrainingAssignment {
    let due_date = due_date(plant, set, person, version, at);
    let draft = version.and_then(|v| plant.documents.get(set.document.as_ref()?)?.draft(v.id()));
    let language = plant.people.get(person).map(|p| &p.language);
    let content = draft.and_then(|d| {
        d.contents.iter().find(|c| Some(&c.language) == language).or_else(|| d.contents.first()).map(|c| c.hash)
    });
    TrainingAssignment {
        person: person.clone(),
        requirement: set.requirement.clone(),
        document: set.document.clone(),
        version: version.map(|v| v.id().clone()),
        content,
        effective_from: version.map(|v| v.effective_from()),
        due_date,
        impact: version.map(|v| v.approved.impact.clone()),
        overdue: due_date <= at,
    }
}

/// Later of approval and joining the class, plus the requirement's window, else its category's (A4).
fn due_date(
    plant: &Plant,
    set: &RequirementSet,
    person: &PersonId,
    version: Option<&Version>,
    at: Timestamp,
) -> Timestamp {
    let asks = |class: &ClassId| plant.matrix.get(class).is_some_and(|row| row.contains(&set.requirement));
    let memberships = plant.members.get(person).into_iter().flatten();
    let joined = memberships.filter(|m| m.span.contains(at) && asks(&m.class)).filter_map(|m| m.span.from).min();
    let begins = [version.map(|v| v.approved.approved_at), joined].into_iter().flatten().max();
    let document = set.document.as_ref().and_then(|id| plant.documents.get(id));
    let category = document.and_then(|d| plant.categories.get(&d.set.category)).map(|c| c.window_days);
    let days = set.window_days.or(category).unwrap_or(DEFAULT_WINDOW_DAYS);
    let site = plant.people.get(person).map(|p| &p.site);
    plant.site_time(site).days_after(begins.unwrap_or(at), days)
}
