//! "Was X trained on the version of Y in force at T?" (G3): the answer behind `query qualified`, with why.

use serde::Serialize;

use super::qualification::{RequirementState, Tense, qualification};
use super::task_session::Performance;
use crate::id::*;
use crate::plant::{InForce, Plant};
use crate::record::TrainingRecord;
use crate::time::Timestamp;

/// The answer's word, as `interfaces.md` spells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum QualifiedAnswer {
    Yes,
    /// Through evidence on an older version that a signed verdict carried over; never a plain yes (A7).
    YesCarriedOver,
    No,
    NotRequired,
}

impl QualifiedAnswer {
    pub fn word(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::YesCarriedOver => "yes_carried_over",
            Self::No => "no",
            Self::NotRequired => "not_required",
        }
    }
}

/// What is asked about.
#[derive(Debug, Clone, Copy)]
pub enum Asked<'a> {
    Document(&'a DocumentId),
    Requirement(&'a RequirementId),
}

/// The answer with its particulars.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Qualified {
    pub answer: QualifiedAnswer,
    /// Whether imported evidence was relied upon (K5).
    pub legacy: bool,
    pub version_in_force: Option<VersionId>,
    pub trained_on: Option<VersionId>,
    pub inactive: bool,
    pub requirements: Vec<RequirementState>,
    pub evidence: Vec<EntryId>,
}

/// Answers for one person at one instant. Leave changes nothing; an inactive person is not qualified.
pub fn qualified(
    plant: &Plant,
    asked: Asked<'_>,
    person: &PersonId,
    record: &TrainingRecord,
    performances: &[(TaskId, Performance)],
    at: Timestamp,
) -> Qualified {
    let required = plant.required_of(person, at);
    let on_it: Vec<&RequirementId> = match asked {
        Asked::Requirement(requirement) => required.into_iter().filter(|r| *r == requirement).collect(),
        Asked::Document(document) => {
            let of = plant.requirements_of.get(document);
            required.into_iter().filter(|r| of.is_some_and(|set| set.contains(*r))).collect()
        }
    };
    let states: Vec<RequirementState> = on_it
        .iter()
        .map(|requirement| {
            let governed = |task: &TaskId| plant.tasks.get(task).is_some_and(|t| t.requirements.contains(*requirement));
            let counted: Vec<Performance> = performances.iter().filter(|(t, _)| governed(t)).map(|(_, p)| *p).collect();
            qualification(plant, requirement, person, record, &counted, at, Tense::Then)
        })
        .collect();
    let inactive = !plant.is_active(person, at);
    Qualified {
        answer: answer(&states, inactive),
        legacy: states.iter().any(|state| state.legacy),
        version_in_force: version_in_force(plant, asked, at),
        trained_on: trained_on(plant, asked, &states),
        inactive,
        evidence: states.iter().flat_map(|s| &s.activities).flat_map(|a| a.evidence.iter().copied()).collect(),
        requirements: states,
    }
}

fn answer(states: &[RequirementState], inactive: bool) -> QualifiedAnswer {
    if states.is_empty() {
        QualifiedAnswer::NotRequired
    } else if inactive || states.iter().any(|state| !state.met) {
        QualifiedAnswer::No
    } else if states.iter().any(|state| state.carried_over) {
        QualifiedAnswer::YesCarriedOver
    } else {
        QualifiedAnswer::Yes
    }
}

fn document_of<'a>(plant: &'a Plant, asked: Asked<'a>) -> Option<&'a DocumentId> {
    match asked {
        Asked::Document(document) => Some(document),
        Asked::Requirement(requirement) => plant.requirements.get(requirement).and_then(|set| set.document.as_ref()),
    }
}

fn version_in_force(plant: &Plant, asked: Asked<'_>, at: Timestamp) -> Option<VersionId> {
    match plant.documents.get(document_of(plant, asked)?)?.in_force(at) {
        InForce::Version(version) => Some(version.id().clone()),
        _ => None,
    }
}

fn trained_on(plant: &Plant, asked: Asked<'_>, states: &[RequirementState]) -> Option<VersionId> {
    let document = plant.documents.get(document_of(plant, asked)?)?;
    let order = |id: &VersionId| document.versions.iter().rposition(|v| v.id() == id);
    states.iter().filter_map(|state| state.trained_on.clone()).max_by_key(order)
}
