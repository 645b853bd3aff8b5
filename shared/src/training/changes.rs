//! When what the gate weighs changes. Between two such moments nothing comes into force or ends, so its answer at both speaks for all between.

use crate::id::*;
use crate::kind::plant::{Currency, RequirementSet};
use crate::plant::Plant;
use crate::record::TrainingRecord;
use crate::time::{DAY_MS, Span, Timestamp};
use crate::training::gate::{Known, Question, governed_by};
use crate::training::task_session::Performance;

/// Each moment at which anything that `decide` reads comes into force or ends, in no order, some of them more than once.
pub(super) fn changes(question: &Question<'_>, known: &Known<'_>) -> Vec<Timestamp> {
    let plant = known.plant;
    let Some(task) = plant.tasks.get(question.task) else { return Vec::new() };
    let own = task.requirements.iter().filter_map(|requirement| plant.requirements.get(requirement));
    let before = own.clone().flat_map(|set| &set.prerequisites).filter_map(|first| plant.requirements.get(first));
    let weighed: Vec<&RequirementSet> = own.chain(before).collect();
    let mut changes: Vec<Timestamp> = weighed.iter().flat_map(|set| of_document(plant, set)).collect();
    let trainer = question.trainer.map(|trainer| (trainer, known.trainers_record, known.trainers_performances));
    for (person, record, performances) in
        std::iter::once((question.person, Some(known.record), known.performances)).chain(trainer)
    {
        changes.extend(ends(of_person(plant, person)));
        for set in &weighed {
            changes.extend(ends(of_their_rights(plant, person, set)));
            changes.extend(record.into_iter().flat_map(|record| of_evidence(set, record)));
            changes.extend(of_performances(plant, set, performances));
        }
    }
    changes
}

fn ends(spans: impl Iterator<Item = Span>) -> impl Iterator<Item = Timestamp> {
    spans.flat_map(|span| [span.from, span.until]).flatten()
}

fn of_person(plant: &Plant, person: &PersonId) -> impl Iterator<Item = Span> {
    let active = plant.people.get(person).map(|set| set.active);
    let members = plant.members.get(person).into_iter().flatten().map(|set| set.span);
    let roles = plant.roles.get(person).into_iter().flatten().map(|set| set.span);
    active.into_iter().chain(members).chain(roles)
}

fn of_their_rights<'a>(
    plant: &'a Plant,
    person: &'a PersonId,
    set: &'a RequirementSet,
) -> impl Iterator<Item = Span> + 'a {
    let exemptions = plant.exemptions.get(&(person.clone(), set.requirement.clone()));
    let grants = plant.assessor_grants(person, &set.requirement).map(|grant| grant.span);
    exemptions.into_iter().flatten().map(|exemption| exemption.span).chain(grants)
}

fn of_document(plant: &Plant, set: &RequirementSet) -> impl Iterator<Item = Timestamp> {
    let document = set.document.as_ref().and_then(|id| plant.documents.get(id));
    let versions = document.into_iter().flat_map(|document| &document.versions);
    versions.flat_map(|version| std::iter::once(version.effective_from()).chain(version.withdrawn_at))
}

/// Its expiry, and its last moment as proof that the task is known still (E2).
fn of_evidence(set: &RequirementSet, record: &TrainingRecord) -> impl Iterator<Item = Timestamp> {
    let mine = record.evidence.iter().filter(|evidence| evidence.requirement == set.requirement);
    mine.flat_map(|evidence| {
        let expiry = set.validity_months.map(|months| evidence.done_at.plus_months(months));
        let no_longer = window_ms(set).map(|window| evidence.done_at.plus_ms(window + 1));
        expiry.into_iter().chain(no_longer)
    })
}

/// What counts of a stretch of work rises while it runs, stays, and falls as the window leaves it: evenly in between, also where hours are counted.
fn of_performances(plant: &Plant, set: &RequirementSet, performances: &[(TaskId, Performance)]) -> Vec<Timestamp> {
    let Some(window) = window_ms(set) else { return Vec::new() };
    let of_one = |performance: Performance| {
        let (began, ended) = (performance.started_at, performance.last_seen(Timestamp::MAX));
        [began, ended, began.plus_ms(window), ended.plus_ms(window + 1)]
    };
    governed_by(&set.requirement, plant, performances).flat_map(of_one).collect()
}

fn window_ms(set: &RequirementSet) -> Option<i64> {
    set.currency.map(|currency| match currency {
        Currency::Days(days) | Currency::Runs(_, days) | Currency::Hours(_, days) => i64::from(days) * DAY_MS,
    })
}
