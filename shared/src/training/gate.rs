//! The gate: GO or NO-GO with every reason and the evidence used. The heart of the product; it fails closed (R21).
//!
//! **The gate never says GO when this kiosk's own knowledge says no.** It judges over the whole of the clock's uncertainty and denies unless
//! every moment in it gives the same answer. Every decision is a journal entry: replayed on the same knowledge, it gives the same answer (U1).

use serde::Serialize;

use super::changes::changes;
use super::qualification::{Barred, RequirementState, Tense, Why, qualification};
use super::task_session::Performance;
use crate::id::*;
use crate::kind::plant::{ActivityKind, Criticality, RequirementSet, TaskSet};
use crate::part11::authority::{Held, Reach, Right, authority_check};
use crate::plant::{InForce, Plant};
use crate::record::TrainingRecord;
use crate::time::{ClockReading, Timestamp};

/// Which rules decided; journalled with each decision.
pub const RULE_VERSION: u32 = 1;

/// The most changes within the clock's uncertainty that are judged one by one; among more of them nothing is known of the time.
const MOST_CHANGES: usize = 64;

/// What is asked of the gate.
#[derive(Debug, Clone)]
pub struct Question<'a> {
    pub person: &'a PersonId,
    pub task: &'a TaskId,
    pub work_unit: &'a WorkUnitId,
    pub lot: Option<&'a LotId>,
    pub clock: ClockReading,
    /// A trainer who has just shown their badge beside the trainee's (S3).
    pub trainer: Option<&'a PersonId>,
    /// A co-signature by a second person that names the decision it releases (U5). Used, it is part of the evidence.
    pub co_signed: Option<EntryId>,
}

/// What this replica knows.
pub struct Known<'a> {
    pub plant: &'a Plant,
    pub record: &'a TrainingRecord,
    /// The person's task sessions, by task.
    pub performances: &'a [(TaskId, Performance)],
    /// The trainer's record, when a trainer is named.
    pub trainers_record: Option<&'a TrainingRecord>,
    pub trainers_performances: &'a [(TaskId, Performance)],
    /// How many trainees the trainer supervises elsewhere now.
    pub trainees_of_trainer: u32,
    /// Milliseconds since this replica last heard the server; a server hears itself.
    pub offline_ms: i64,
    pub locked_out: bool,
    /// The person's history is on its way from another site.
    pub history_in_transit: bool,
    /// This kiosk was revoked.
    pub revoked: bool,
}

/// The answer's word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    Go,
    GoSupervised,
    GoException,
    NoGo,
}

impl Answer {
    pub fn word(self) -> &'static str {
        match self {
            Self::Go => "go",
            Self::GoSupervised => "go_supervised",
            Self::GoException => "go_exception",
            Self::NoGo => "no_go",
        }
    }
    pub fn may_start(self) -> bool {
        self != Self::NoGo
    }
}

/// Why not. Missing training has its particulars in [`Missing`].
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "code")]
pub enum Reason {
    TrainingNeeded {
        requirement: RequirementId,
    },
    /// Evidence on hold, or a contradiction: QA review.
    OnHold {
        requirement: RequirementId,
    },
    PrerequisiteMissing {
        requirement: RequirementId,
        prerequisite: RequirementId,
    },
    NoVersionInForce {
        requirement: RequirementId,
    },
    RequirementWithoutActivity {
        requirement: RequirementId,
    },
    UnknownRequirement {
        requirement: RequirementId,
    },
    TaskWithoutRequirement,
    UnknownTask,
    NotAtThisWorkUnit,
    UnknownPerson,
    PersonInactive,
    NotInClass,
    Blocked {
        reason: String,
    },
    LotNeeded,
    LockedOut,
    /// Beyond the task's allowed time without contact: critical tasks deny (U5).
    TooLongOffline {
        offline_ms: i64,
        allowed_ms: i64,
    },
    /// Beyond it: routine tasks need a co-signature.
    CoSignNeeded {
        offline_ms: i64,
        allowed_ms: i64,
    },
    HistoryInTransit,
    KioskRevoked,
    /// The answers within the clock's uncertainty disagree.
    ClockUncertain,
    /// A restriction that this version can't read stands on the person or the task.
    UnreadableRestriction {
        subject: String,
    },
    TrainerNotAllowed {
        why: TrainerRefused,
    },
    /// The rules themselves failed: an error or a panic is a NO-GO.
    InternalError,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TrainerRefused {
    SamePerson,
    NoTrainer,
    NotQualified,
    /// For critical tasks the trainer is never the one who will assess.
    IsAssessor,
    TooManyTrainees,
}

/// What is missing for one requirement, and what would mend it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Missing {
    pub title: String,
    pub document: Option<DocumentId>,
    pub state: RequirementState,
    pub in_force_since: Option<Timestamp>,
    /// Steps that differ from the version the person holds (L4).
    pub changed_steps: Vec<String>,
    /// Minutes of one's own, as the version says.
    pub minutes: Option<u32>,
    /// People who may sign for it here, those on shift first.
    pub can_sign: Vec<CanSign>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CanSign {
    pub person: PersonId,
    pub on_shift: bool,
}

/// The answer with everything it rests on.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GateDecision {
    pub answer: Answer,
    pub reasons: Vec<Reason>,
    pub missing: Vec<Missing>,
    pub evidence: Vec<EntryId>,
    pub versions: Vec<(DocumentId, VersionId)>,
    /// Whether a start under a trainer's eyes would be permitted (S3).
    pub supervision_possible: bool,
}

impl GateDecision {
    /// Whether a co-signature is all that is missing for a GO (U5).
    pub fn needs_only_co_signature(&self) -> bool {
        !self.reasons.is_empty() && self.reasons.iter().all(|reason| matches!(reason, Reason::CoSignNeeded { .. }))
    }

    /// The answer when the rules themselves failed.
    pub fn internal_error() -> Self {
        Self::no(vec![Reason::InternalError])
    }

    fn no(reasons: Vec<Reason>) -> Self {
        Self {
            answer: Answer::NoGo,
            reasons,
            missing: Vec::new(),
            evidence: Vec::new(),
            versions: Vec::new(),
            supervision_possible: false,
        }
    }
}

/// Decides over the whole of the clock's uncertainty; denies when two moments in it disagree, and when nothing is known of the time.
pub fn decide(question: &Question<'_>, known: &Known<'_>) -> GateDecision {
    let latest = decide_at(question, known, question.clock.latest());
    if question.clock.uncertainty_ms == 0 {
        return latest;
    }
    let Some(moments) = moments(question, known) else { return doubtful(latest) };
    let mut others = moments.into_iter().map(|at| decide_at(question, known, at));
    match others.find(|other| other.answer != latest.answer) {
        Some(other) => doubtful(if latest.answer.may_start() { other } else { latest }),
        None if question.clock.is_lost() => doubtful(latest),
        None => latest,
    }
}

/// The moments within the clock's uncertainty that speak for all of it: its beginning, what the clock shows, and each change of what is weighed
/// with the moment before it. `None` where there are too many.
fn moments(question: &Question<'_>, known: &Known<'_>) -> Option<Vec<Timestamp>> {
    let clock = question.clock;
    let mut changes = changes(question, known);
    changes.retain(|at| clock.earliest() < *at && *at <= clock.latest());
    changes.sort_unstable();
    changes.dedup();
    let around = changes.iter().flat_map(|at| [at.minus_ms(1), *at]);
    (changes.len() <= MOST_CHANGES).then(|| [clock.earliest(), clock.wall].into_iter().chain(around).collect())
}

fn doubtful(mut decision: GateDecision) -> GateDecision {
    decision.reasons.push(Reason::ClockUncertain);
    decision.answer = Answer::NoGo;
    decision
}

fn decide_at(question: &Question<'_>, known: &Known<'_>, at: Timestamp) -> GateDecision {
    let Some(task) = known.plant.tasks.get(question.task) else {
        return GateDecision::no(vec![Reason::UnknownTask]);
    };
    let mut decision = GateDecision::no(Vec::new());
    decision.reasons.extend(bars(question, known, task, at));
    for requirement in &task.requirements {
        weigh(requirement, question, known, at, &mut decision);
    }
    let freshness = freshness(question, known, task);
    if let Freshness::CoSigned(co_signature) = freshness {
        decision.evidence.push(co_signature);
    }
    settle(decision, freshness, question, known, task, at)
}

/// What stands in the way whatever the training.
fn bars(question: &Question<'_>, known: &Known<'_>, task: &TaskSet, at: Timestamp) -> Vec<Reason> {
    let (plant, person) = (known.plant, question.person);
    let mut bars = Vec::new();
    let mut bar = |stands: bool, reason: Reason| {
        if stands {
            bars.push(reason);
        }
    };
    bar(known.revoked, Reason::KioskRevoked);
    bar(!plant.people.contains_key(person), Reason::UnknownPerson);
    bar(plant.people.contains_key(person) && !plant.is_active(person, at), Reason::PersonInactive);
    bar(known.locked_out, Reason::LockedOut);
    bar(known.history_in_transit, Reason::HistoryInTransit);
    bar(!task.work_units.contains(question.work_unit), Reason::NotAtThisWorkUnit);
    bar(!plant.class_may(task, question.work_unit, person, at), Reason::NotInClass);
    bar(task.lot_required && question.lot.is_none(), Reason::LotNeeded);
    bar(task.requirements.is_empty(), Reason::TaskWithoutRequirement);
    for block in plant.blocks_on(person, task, at) {
        bar(true, Reason::Blocked { reason: block.reason.clone() });
    }
    for subject in restricted_subjects(question, task) {
        bar(plant.unreadable.contains_key(&subject), Reason::UnreadableRestriction { subject });
    }
    bars
}

/// Everything whose unreadable restriction would deny this start.
fn restricted_subjects(question: &Question<'_>, task: &TaskSet) -> Vec<String> {
    let mut subjects =
        vec![format!("person:{}", question.person), format!("task:{}", task.task), "plant:policy".to_owned()];
    subjects.extend(task.requirements.iter().map(|requirement| format!("requirement:{requirement}")));
    subjects
}

fn weigh(
    requirement: &RequirementId,
    question: &Question<'_>,
    known: &Known<'_>,
    at: Timestamp,
    decision: &mut GateDecision,
) {
    let state = state_of(requirement, question.person, known.plant, known.record, known.performances, at);
    let Some(set) = known.plant.requirements.get(requirement) else {
        decision.reasons.push(Reason::UnknownRequirement { requirement: requirement.clone() });
        return;
    };
    if let (Some(document), Some(version)) = (&set.document, &state.version_in_force) {
        decision.versions.push((document.clone(), version.clone()));
    }
    for prerequisite in &set.prerequisites {
        let met = state_of(prerequisite, question.person, known.plant, known.record, known.performances, at).met;
        if !met {
            let reason =
                Reason::PrerequisiteMissing { requirement: requirement.clone(), prerequisite: prerequisite.clone() };
            decision.reasons.push(reason);
        }
    }
    if state.met {
        let used = state.activities.iter().flat_map(|a| a.evidence.iter().copied());
        decision.evidence.extend(used);
        return;
    }
    decision.reasons.push(reason_for(&state));
    decision.missing.push(missing(set, state, question, known.plant, at));
}

fn state_of(
    requirement: &RequirementId,
    person: &PersonId,
    plant: &Plant,
    record: &TrainingRecord,
    performances: &[(TaskId, Performance)],
    at: Timestamp,
) -> RequirementState {
    let counted: Vec<Performance> = governed_by(requirement, plant, performances).collect();
    qualification(plant, requirement, person, record, &counted, at, Tense::Now)
}

/// The performances of tasks that the requirement governs.
pub(super) fn governed_by(
    requirement: &RequirementId,
    plant: &Plant,
    performances: &[(TaskId, Performance)],
) -> impl Iterator<Item = Performance> {
    let governed = |task: &TaskId| plant.tasks.get(task).is_some_and(|t| t.requirements.contains(requirement));
    performances.iter().filter(move |(task, _)| governed(task)).map(|(_, performance)| *performance)
}

fn reason_for(state: &RequirementState) -> Reason {
    let requirement = state.requirement.clone();
    match state.barred {
        Some(Barred::NoVersionInForce | Barred::VersionWithdrawn) => Reason::NoVersionInForce { requirement },
        Some(Barred::NoActivity) => Reason::RequirementWithoutActivity { requirement },
        Some(Barred::UnknownRequirement) => Reason::UnknownRequirement { requirement },
        None if state.activities.iter().any(|a| a.why == Why::OnHold) => Reason::OnHold { requirement },
        None => Reason::TrainingNeeded { requirement },
    }
}

fn missing(
    set: &RequirementSet,
    state: RequirementState,
    question: &Question<'_>,
    plant: &Plant,
    at: Timestamp,
) -> Missing {
    let document = set.document.as_ref().and_then(|id| plant.documents.get(id));
    let version = state.version_in_force.as_ref().and_then(|id| document?.version(id));
    let draft = state.version_in_force.as_ref().and_then(|id| document?.draft(id));
    Missing {
        title: set.title.clone(),
        document: set.document.clone(),
        in_force_since: version.map(|v| v.effective_from()),
        changed_steps: if state.trained_on.is_some() {
            draft.map_or_else(Vec::new, |d| d.changed_steps.clone())
        } else {
            Vec::new()
        },
        minutes: draft.and_then(|d| d.minutes),
        can_sign: who_can_sign(set, question, plant, at),
        state,
    }
}

/// People who may observe and assess here, those on shift first; never the person themselves (S5).
fn who_can_sign(set: &RequirementSet, question: &Question<'_>, plant: &Plant, at: Timestamp) -> Vec<CanSign> {
    let needs_someone = set.activities.iter().any(|a| matches!(a.kind(), ActivityKind::Runs | ActivityKind::Check));
    let Some(unit) = plant.work_units.get(question.work_unit).filter(|_| needs_someone) else { return Vec::new() };
    let grants = plant.assessors.get(&set.requirement).into_iter().flatten();
    let may = grants.filter(|grant| {
        grant.person != *question.person
            && grant.span.contains(at)
            && plant.is_active(&grant.person, at)
            && plant.works_at(&grant.person, &unit.site, at)
    });
    let mut people: Vec<CanSign> = may
        .map(|grant| CanSign {
            person: grant.person.clone(),
            on_shift: plant.is_on_shift(&grant.person, &unit.work_center, at),
        })
        .collect();
    people.sort_by(|a, b| (!a.on_shift, &a.person).cmp(&(!b.on_shift, &b.person)));
    people.dedup();
    people
}

/// How the task's time without contact stands (U5).
enum Freshness {
    Fresh,
    /// Past it, and a second person answers for the start.
    CoSigned(EntryId),
    Stale(Reason),
}

fn freshness(question: &Question<'_>, known: &Known<'_>, task: &TaskSet) -> Freshness {
    let allowed_ms = known.plant.lease_ms(task);
    let offline_ms = known.offline_ms.saturating_add(i64::from(question.clock.uncertainty_ms));
    if offline_ms <= allowed_ms {
        Freshness::Fresh
    } else if task.criticality == Criticality::Critical {
        Freshness::Stale(Reason::TooLongOffline { offline_ms, allowed_ms })
    } else if let Some(co_signature) = question.co_signed {
        Freshness::CoSigned(co_signature)
    } else {
        Freshness::Stale(Reason::CoSignNeeded { offline_ms, allowed_ms })
    }
}

/// Every requirement met and nothing in the way: GO. Only training missing and a trainer beside: GO under supervision.
fn settle(
    mut decision: GateDecision,
    freshness: Freshness,
    question: &Question<'_>,
    known: &Known<'_>,
    task: &TaskSet,
    at: Timestamp,
) -> GateDecision {
    let only_training = decision.reasons.iter().all(|reason| matches!(reason, Reason::TrainingNeeded { .. }));
    let untrained = !decision.reasons.is_empty();
    let stale = if let Freshness::Stale(reason) = freshness { Some(reason) } else { None };
    decision.supervision_possible = untrained && only_training && stale.is_none() && in_training(&decision);
    decision.reasons.extend(stale);
    if decision.reasons.is_empty() {
        decision.answer = Answer::Go;
        return decision;
    }
    let Some(trainer) = question.trainer.filter(|_| decision.supervision_possible) else { return decision };
    match trainer_refused(trainer, question, known, task, at) {
        None => decision.answer = Answer::GoSupervised,
        Some(why) => decision.reasons.push(Reason::TrainerNotAllowed { why }),
    }
    decision
}

/// A supervised start is for doing the runs: what is learned away from the machine comes first (R6).
fn in_training(decision: &GateDecision) -> bool {
    decision.missing.iter().all(|missing| {
        let open = missing.state.activities.iter().find(|a| !a.held);
        open.is_some_and(|a| matches!(a.activity.kind(), ActivityKind::Runs | ActivityKind::Check))
            && !missing.state.activities.iter().any(|a| a.why == Why::Failed)
    })
}

fn trainer_refused(
    trainer: &PersonId,
    question: &Question<'_>,
    known: &Known<'_>,
    task: &TaskSet,
    at: Timestamp,
) -> Option<TrainerRefused> {
    let plant = known.plant;
    let here = Reach::at(std::slice::from_ref(question.work_unit), Some(question.person));
    let is_trainer = authority_check(plant, trainer, &Right::Train, at, here) == Held::Yes;
    let assesses = task.requirements.iter().any(|requirement| plant.is_assessor(trainer, requirement, at));
    let qualified = known.trainers_record.is_some_and(|record| {
        task.requirements.iter().all(|requirement| {
            state_of(requirement, trainer, plant, record, known.trainers_performances, at).met
                || is_initial_assessor(trainer, requirement, plant, at)
        })
    });
    if trainer == question.person {
        Some(TrainerRefused::SamePerson)
    } else if !is_trainer {
        Some(TrainerRefused::NoTrainer)
    } else if task.criticality == Criticality::Critical && assesses {
        Some(TrainerRefused::IsAssessor)
    } else if !qualified {
        Some(TrainerRefused::NotQualified)
    } else if known.trainees_of_trainer >= plant.policy.trainee.max_trainees {
        Some(TrainerRefused::TooManyTrainees)
    } else {
        None
    }
}

/// Somebody has to be first: at approval QA names, with a signature, who knows the new version already (A13).
fn is_initial_assessor(person: &PersonId, requirement: &RequirementId, plant: &Plant, at: Timestamp) -> bool {
    let Some(set) = plant.requirements.get(requirement) else { return false };
    match plant.in_force(set, at) {
        InForce::Version(version) => version.approved.initial_assessors.contains(person),
        InForce::Always => set.initial_assessors.contains(person),
        InForce::Withdrawn(_) | InForce::Nothing => false,
    }
}
