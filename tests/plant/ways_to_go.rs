//! R21: a gate that fails open is the highest risk. Every way to GO, and for each every precondition taken away, one at a time: NO-GO, for
//! the right reason.
//!
//! (Coming by day pass is another way in: `day_pass.rs`.)
//!
//! The tables below name every reason, miss, bar and refusal there is. A new one doesn't compile until it is named here, and doesn't pass
//! until a row shows it.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use harness::{Plant, at, kiosk_signer, signer};
use shared::id::*;
use shared::kind::plant::*;
use shared::log::effect::{Cause, Doubt, Verdict};
use shared::plant::{Plant as Described, Version};
use shared::record::{Evidence, TrainingRecord};
use shared::time::{ClockReading, DAY_MS, HOUR_MS, MINUTE_MS, Span, Timestamp};
use shared::training::gate::TrainerRefused;
use shared::training::qualification::Barred;
use shared::training::task_session::{Performance, Performances};
use shared::training::{Answer, GateDecision, Known, Question, Reason, Why, decide};

fn id<T: std::str::FromStr<Err = BadId>>(text: &str) -> T {
    text.parse().unwrap()
}

/// Everything a decision rests on, ready to be spoilt.
#[derive(Clone)]
struct World {
    plant: Described,
    record: TrainingRecord,
    performances: Performances,
    trainers_record: TrainingRecord,
    trainees_of_trainer: u32,
    offline_ms: i64,
    locked_out: bool,
    history_in_transit: bool,
    revoked: bool,
    person: PersonId,
    task: TaskId,
    work_unit: WorkUnitId,
    lot: Option<LotId>,
    clock: ClockReading,
    trainer: Option<PersonId>,
    co_signed: Option<EntryId>,
}

const NOW: &str = "2026-03-01T20:00:00Z";

impl World {
    /// Maria at the sealer of the demo plant, with a history that was imported.
    fn legacy() -> Self {
        static DEMO: OnceLock<World> = OnceLock::new();
        DEMO.get_or_init(Self::of_the_demo_plant).clone()
    }

    fn of_the_demo_plant() -> Self {
        let plant = Plant::demo(NOW);
        let ledger = plant.server.ledger();
        let record = |person: &str| store::questions::record(ledger.connection(), &id(person)).unwrap();
        Self {
            plant: Described::clone(ledger.plant()),
            record: record("maria"),
            performances: Performances::new(),
            trainers_record: record("jonas"),
            trainees_of_trainer: 0,
            offline_ms: 0,
            locked_out: false,
            history_in_transit: false,
            revoked: false,
            person: id("maria"),
            task: id("seal-pouch"),
            work_unit: id("SEAL"),
            lot: Some(id("881")),
            clock: ClockReading::exact(at(NOW)),
            trainer: None,
            co_signed: None,
        }
    }

    /// The same history, as if everybody had signed it.
    fn signed() -> Self {
        let mut world = Self::legacy();
        world.record.evidence.iter_mut().for_each(|evidence| evidence.legacy = false);
        world
    }

    /// A version demands nothing anew: what was done on the one before carries over.
    fn carried_over() -> Self {
        let mut world = Self::signed();
        world.add_version("v98", Impact::None, at(NOW).minus_ms(HOUR_MS));
        world
    }

    /// Nothing was ever done for the first requirement, and a signed exemption stands.
    fn exempt() -> Self {
        let mut world = Self::signed();
        world.forget(|_| true);
        let exemption = ExemptionSet {
            person: world.person.clone(),
            requirement: id("R-0042"),
            version: None,
            reason: "wrote it".into(),
            approved_by: "helga".into(),
            span: Span::ALWAYS,
        };
        world.plant.exemptions.insert((world.person.clone(), id("R-0042")), vec![exemption]);
        world
    }

    /// Beyond the lease, a second person signed for this very decision.
    fn co_signed() -> Self {
        let mut world = Self::signed();
        world.offline_ms = 73 * HOUR_MS;
        world.co_signed = Some(EntryId([7; 32]));
        world
    }

    /// A new version demands the run and the check anew; a trainer stands by.
    fn supervised() -> Self {
        let mut world = Self::signed();
        world.add_version(
            "v99",
            Impact::Some(vec![ActivityKind::Runs, ActivityKind::Check]),
            at(NOW).minus_ms(HOUR_MS),
        );
        world.trainer = Some(id("jonas"));
        world
    }

    fn decide(&self) -> GateDecision {
        let question = Question {
            person: &self.person,
            task: &self.task,
            work_unit: &self.work_unit,
            lot: self.lot.as_ref(),
            clock: self.clock,
            trainer: self.trainer.as_ref(),
            co_signed: self.co_signed,
        };
        let known = Known {
            plant: &self.plant,
            record: &self.record,
            performances: &self.performances,
            trainers_record: self.trainer.as_ref().map(|_| &self.trainers_record),
            trainers_performances: &[],
            trainees_of_trainer: self.trainees_of_trainer,
            offline_ms: self.offline_ms,
            locked_out: self.locked_out,
            history_in_transit: self.history_in_transit,
            revoked: self.revoked,
        };
        decide(&question, &known)
    }

    fn task(&mut self) -> &mut TaskSet {
        self.plant.tasks.get_mut(&self.task).unwrap()
    }

    fn requirement(&mut self) -> &mut RequirementSet {
        self.plant.requirements.get_mut(&id::<RequirementId>("R-0042")).unwrap()
    }

    fn versions(&mut self) -> &mut Vec<Version> {
        &mut self.plant.documents.get_mut(&id::<DocumentId>("SOP-0042")).unwrap().versions
    }

    fn add_version(&mut self, name: &str, impact: Impact, effective_from: Timestamp) {
        let mut next = self.versions().last().unwrap().clone();
        next.approved.version = id(name);
        next.approved.impact = impact;
        next.approved.effective_from = effective_from;
        next.approved.initial_assessors = vec![id("jonas")];
        (next.entry, next.row) = (EntryId(Digest32::of(name.as_bytes()).0), u64::MAX);
        self.versions().push(next);
    }

    /// Evidence for pouch sealing.
    fn evidence(&mut self) -> impl Iterator<Item = &mut Evidence> {
        self.record.evidence.iter_mut().filter(|evidence| evidence.requirement.as_str() == "R-0042")
    }

    fn forget(&mut self, which: impl Fn(&Evidence) -> bool) {
        // Positions of failures move with what is left out.
        self.record.evidence.iter_mut().for_each(|evidence| evidence.ended_by.clear());
        self.record.evidence.retain(|evidence| evidence.requirement.as_str() != "R-0042" || !which(evidence));
    }

    fn block(&mut self, whom: Whom, what: What) {
        let block = BlockSet { block: ActId([1; 16]), whom, what, action: None, reason: "CAPA-7".into() };
        self.plant.blocks.insert(block.block, (EntryId([1; 32]), block));
    }

    fn unreadable(&mut self, subject: &str) {
        self.plant.unreadable.insert(subject.to_owned(), EntryId([2; 32]));
    }
}

/// Names variants: those in the list, and no others.
macro_rules! named {
    ($function:ident, $names:ident, $type:ty, $($pattern:pat => $name:literal,)*) => {
        fn $function(value: &$type) -> &'static str {
            match value { $($pattern => $name,)* }
        }
        const $names: &[&str] = &[$($name),*];
    };
}

named! { reason, REASONS, Reason,
    Reason::TrainingNeeded { .. } => "TrainingNeeded",
    Reason::OnHold { .. } => "OnHold",
    Reason::PrerequisiteMissing { .. } => "PrerequisiteMissing",
    Reason::NoVersionInForce { .. } => "NoVersionInForce",
    Reason::RequirementWithoutActivity { .. } => "RequirementWithoutActivity",
    Reason::UnknownRequirement { .. } => "UnknownRequirement",
    Reason::TaskWithoutRequirement => "TaskWithoutRequirement",
    Reason::UnknownTask => "UnknownTask",
    Reason::NotAtThisWorkUnit => "NotAtThisWorkUnit",
    Reason::UnknownPerson => "UnknownPerson",
    Reason::PersonInactive => "PersonInactive",
    Reason::NotInClass => "NotInClass",
    Reason::Blocked { .. } => "Blocked",
    Reason::LotNeeded => "LotNeeded",
    Reason::LockedOut => "LockedOut",
    Reason::TooLongOffline { .. } => "TooLongOffline",
    Reason::CoSignNeeded { .. } => "CoSignNeeded",
    Reason::HistoryInTransit => "HistoryInTransit",
    Reason::KioskRevoked => "KioskRevoked",
    Reason::ClockUncertain => "ClockUncertain",
    Reason::UnreadableRestriction { .. } => "UnreadableRestriction",
    Reason::TrainerNotAllowed { .. } => "TrainerNotAllowed",
    Reason::InternalError => "InternalError",
}

named! { refusal, REFUSALS, TrainerRefused,
    TrainerRefused::SamePerson => "SamePerson",
    TrainerRefused::NoTrainer => "NoTrainer",
    TrainerRefused::NotQualified => "NotQualified",
    TrainerRefused::IsAssessor => "IsAssessor",
    TrainerRefused::TooManyTrainees => "TooManyTrainees",
}

named! { bar, BARS, Barred,
    Barred::NoVersionInForce => "NoVersionInForce",
    Barred::VersionWithdrawn => "VersionWithdrawn",
    Barred::NoActivity => "NoActivity",
    Barred::UnknownRequirement => "UnknownRequirement",
}

named! { miss, MISSES, Why,
    Why::Held => "Held",
    Why::CarriedOver => "CarriedOver",
    Why::Exempt => "Exempt",
    Why::NotCurrent => "NotCurrent",
    Why::Some => "Some",
    Why::OnHold => "OnHold",
    Why::Expired => "Expired",
    Why::Superseded => "Superseded",
    Why::Failed => "Failed",
    Why::NotYetEffective => "NotYetEffective",
    Why::Never => "Never",
}

/// One precondition taken away: its name, how, and the reason that has to be among those given.
type Row = (&'static str, fn(&mut World), &'static str);

/// What closes every way.
const EVERY_WAY: &[Row] = &[
    ("the task is unknown", |w| drop(w.plant.tasks.remove(&w.task)), "UnknownTask"),
    ("the person is unknown", |w| drop(w.plant.people.remove(&w.person)), "UnknownPerson"),
    (
        "the person has left",
        |w| w.plant.people.get_mut(&w.person).unwrap().active.until = Some(at(NOW)),
        "PersonInactive",
    ),
    (
        "the person begins tomorrow",
        |w| w.plant.people.get_mut(&w.person).unwrap().active.from = Some(at(NOW).plus_days(1)),
        "PersonInactive",
    ),
    ("no class of theirs is listed", |w| drop(w.plant.members.remove(&w.person)), "NotInClass"),
    (
        "the class is listed elsewhere",
        |w| w.task().classes.iter_mut().for_each(|c| c.work_unit = Some(id("DRY"))),
        "NotInClass",
    ),
    ("the task is done elsewhere", |w| w.task().work_units = vec![id("DRY")], "NotAtThisWorkUnit"),
    ("no lot is given", |w| w.lot = None, "LotNeeded"),
    ("the person is locked out", |w| w.locked_out = true, "LockedOut"),
    ("their history is on its way", |w| w.history_in_transit = true, "HistoryInTransit"),
    ("the kiosk is revoked", |w| w.revoked = true, "KioskRevoked"),
    ("the task has no requirement", |w| w.task().requirements.clear(), "TaskWithoutRequirement"),
    ("a requirement is unknown", |w| w.task().requirements.push(id("R-9999")), "UnknownRequirement"),
    (
        "the first requirement is unknown",
        |w| drop(w.plant.requirements.remove(&id::<RequirementId>("R-0042"))),
        "UnknownRequirement",
    ),
    (
        "another requirement was never met",
        |w| w.record.evidence.retain(|evidence| evidence.requirement.as_str() != "R-0040"),
        "TrainingNeeded",
    ),
    ("a prerequisite was never met", |w| w.requirement().prerequisites.push(id("R-0021")), "PrerequisiteMissing"),
    ("the document is unknown", |w| drop(w.plant.documents.remove(&id::<DocumentId>("SOP-0042"))), "NoVersionInForce"),
    ("the document has no version", |w| w.versions().clear(), "NoVersionInForce"),
    (
        "the version is withdrawn, and no older one returns",
        |w| w.versions().last_mut().unwrap().withdrawn_at = Some(at(NOW)),
        "NoVersionInForce",
    ),
    (
        "every version lies ahead",
        |w| w.versions().iter_mut().for_each(|v| v.approved.effective_from = at(NOW).plus_days(1)),
        "NoVersionInForce",
    ),
    (
        "the person is blocked from the task",
        |w| w.block(Whom::Person(id("maria")), What::Task(id("seal-pouch"))),
        "Blocked",
    ),
    (
        "the person is blocked from a requirement",
        |w| w.block(Whom::Person(id("maria")), What::Requirement(id("R-0003"))),
        "Blocked",
    ),
    (
        "a class of theirs is blocked",
        |w| w.block(Whom::Class(id("sealing-operator")), What::Requirement(id("R-0042"))),
        "Blocked",
    ),
    ("a restriction on the person can't be read", |w| w.unreadable("person:maria"), "UnreadableRestriction"),
    ("a restriction on the task can't be read", |w| w.unreadable("task:seal-pouch"), "UnreadableRestriction"),
    ("a restriction on a requirement can't be read", |w| w.unreadable("requirement:R-0003"), "UnreadableRestriction"),
    ("a policy can't be read", |w| w.unreadable("plant:policy"), "UnreadableRestriction"),
    (
        "the task is critical and the lease is over",
        |w| {
            w.task().criticality = Criticality::Critical;
            w.offline_ms = 1000 * HOUR_MS;
        },
        "TooLongOffline",
    ),
    (
        "the server was never heard",
        |w| {
            w.task().criticality = Criticality::Critical;
            w.offline_ms = i64::MAX;
        },
        "TooLongOffline",
    ),
    (
        "the routine lease is over and nobody signs along",
        |w| {
            w.offline_ms = 73 * HOUR_MS;
            w.co_signed = None;
        },
        "CoSignNeeded",
    ),
    (
        "the clock alone carries it beyond the lease",
        |w| {
            w.co_signed = None;
            w.offline_ms = 72 * HOUR_MS;
            w.clock.uncertainty_ms = 1;
        },
        "CoSignNeeded",
    ),
    (
        "the clock may be past the person's last day",
        |w| {
            w.plant.people.get_mut(&w.person).unwrap().active.until = Some(at(NOW).plus_ms(1000));
            w.clock.uncertainty_ms = 2000;
        },
        "ClockUncertain",
    ),
];

/// What closes the ways that rest on evidence on the version in force or before it.
const BY_EVIDENCE: &[Row] = &[
    ("nothing was ever done", |w| w.forget(|_| true), "TrainingNeeded"),
    ("it was never read", |w| w.forget(|e| e.activity == ActivityKind::Read), "TrainingNeeded"),
    ("the quiz was never passed", |w| w.forget(|e| e.activity == ActivityKind::Quiz), "TrainingNeeded"),
    ("no run was ever observed", |w| w.forget(|e| e.activity == ActivityKind::Runs), "TrainingNeeded"),
    ("it was never checked", |w| w.forget(|e| e.activity == ActivityKind::Check), "TrainingNeeded"),
    ("more runs are asked for", |w| w.requirement().activities[2] = Activity::Runs(99), "TrainingNeeded"),
    ("everything expires within the month", |w| w.requirement().validity_months = Some(0), "TrainingNeeded"),
    ("the task was not performed lately", |w| w.requirement().currency = Some(Currency::Days(0)), "TrainingNeeded"),
    ("a version demands all anew", |w| w.add_version("v99", Impact::Full, at(NOW)), "TrainingNeeded"),
    (
        "a version may demand all anew by now",
        |w| {
            w.add_version("v99", Impact::Full, at(NOW).plus_ms(1000));
            w.clock.uncertainty_ms = 2000;
        },
        "ClockUncertain",
    ),
    (
        "everything was done on a version that lies ahead",
        |w| {
            w.add_version("v99", Impact::Full, at(NOW).plus_days(1));
            w.evidence().for_each(|evidence| evidence.version = Some(id("v99")));
        },
        "TrainingNeeded",
    ),
    (
        "a failure followed",
        |w| {
            let mut fail = w.evidence().find(|e| e.activity == ActivityKind::Check).unwrap().clone();
            let place = u32::try_from(w.record.evidence.len()).unwrap();
            w.evidence().filter(|e| e.activity == ActivityKind::Check).for_each(|e| e.ended_by.push(place));
            fail.outcome = shared::kind::record::Outcome::Failed;
            w.record.evidence.push(fail);
        },
        "TrainingNeeded",
    ),
    (
        "the evidence is on hold",
        |w| w.evidence().for_each(|e| e.verdict = Verdict::OnHold(Doubt::AuthorityWithdrawn)),
        "OnHold",
    ),
    (
        "the evidence is contradicted",
        |w| w.evidence().for_each(|e| e.verdict = Verdict::OnHold(Doubt::Contradicted(e.entry))),
        "OnHold",
    ),
    (
        "the evidence is set aside",
        |w| w.evidence().for_each(|e| e.verdict = Verdict::SetAside(Cause::NoAuthority)),
        "TrainingNeeded",
    ),
    (
        "the evidence is of an unknown kind",
        |w| w.evidence().for_each(|e| e.verdict = Verdict::NotUnderstood),
        "TrainingNeeded",
    ),
    ("the requirement asks for nothing", |w| w.requirement().activities.clear(), "RequirementWithoutActivity"),
];

/// What closes the way by exemption.
const BY_EXEMPTION: &[Row] = &[
    ("it is taken back", |w| w.plant.exemptions.clear(), "TrainingNeeded"),
    ("it has ended", |w| each_exemption(w, |e| e.span.until = Some(at(NOW))), "TrainingNeeded"),
    ("it begins tomorrow", |w| each_exemption(w, |e| e.span.from = Some(at(NOW).plus_days(1))), "TrainingNeeded"),
    ("it is for another version", |w| each_exemption(w, |e| e.version = Some(id("v1"))), "TrainingNeeded"),
    (
        "it is somebody else's",
        |w| {
            let other = w.plant.exemptions.remove(&(id("maria"), id("R-0042"))).unwrap();
            w.plant.exemptions.insert((id("ana"), id("R-0042")), other);
        },
        "TrainingNeeded",
    ),
];

fn each_exemption(world: &mut World, spoil: impl Fn(&mut ExemptionSet)) {
    world.plant.exemptions.values_mut().flatten().for_each(spoil);
}

/// What closes the way under a trainer's eyes.
const BY_SUPERVISION: &[Row] = &[
    ("nobody stands by", |w| w.trainer = None, "TrainingNeeded"),
    ("they stand by themselves", |w| w.trainer = Some(w.person.clone()), "TrainerNotAllowed"),
    ("who stands by is no trainer", |w| w.trainer = Some(id("ben")), "TrainerNotAllowed"),
    (
        "the trainer has left",
        |w| w.plant.people.get_mut(&id::<PersonId>("jonas")).unwrap().active.until = Some(at(NOW)),
        "TrainerNotAllowed",
    ),
    (
        "the trainer doesn't hold the version in force",
        |w| w.versions().last_mut().unwrap().approved.initial_assessors.clear(),
        "TrainerNotAllowed",
    ),
    ("the trainer watches another already", |w| w.trainees_of_trainer = 1, "TrainerNotAllowed"),
    ("the trainer would assess a critical task", |w| w.task().criticality = Criticality::Critical, "TrainerNotAllowed"),
    ("it was not read yet", |w| w.forget(|e| e.activity == ActivityKind::Read), "TrainingNeeded"),
    ("the lease is over", |w| w.offline_ms = 73 * HOUR_MS, "CoSignNeeded"),
    (
        "the last run or check was failed",
        |w| {
            let place = u32::try_from(w.record.evidence.len()).unwrap();
            let mut fail = w.evidence().find(|e| e.activity == ActivityKind::Check).unwrap().clone();
            fail.version = Some(id("v99"));
            let mut pass = fail.clone();
            pass.ended_by.push(place + 1);
            fail.outcome = shared::kind::record::Outcome::NotYet;
            w.record.evidence.extend([pass, fail]);
        },
        "TrainingNeeded",
    ),
    (
        "a run on the new version is on hold",
        |w| {
            let mut held = w.evidence().find(|e| e.activity == ActivityKind::Check).unwrap().clone();
            held.version = Some(id("v99"));
            held.done_at = at(NOW).minus_ms(HOUR_MS / 2);
            held.verdict = Verdict::OnHold(Doubt::KeyRevoked);
            w.record.evidence.push(held);
        },
        "OnHold",
    ),
];

/// A way to GO: its name, the world in which it is open, its answer, and what closes it beside what closes every way.
type Way = (&'static str, fn() -> World, Answer, &'static [Row]);

const WAYS: &[Way] = &[
    ("signed evidence", World::signed, Answer::Go, BY_EVIDENCE),
    ("legacy evidence", World::legacy, Answer::Go, BY_EVIDENCE),
    ("carried over", World::carried_over, Answer::Go, BY_EVIDENCE),
    ("exemption", World::exempt, Answer::Go, BY_EXEMPTION),
    ("co-signature", World::co_signed, Answer::Go, BY_EVIDENCE),
    ("supervision", World::supervised, Answer::GoSupervised, BY_SUPERVISION),
];

/// Each closed way: what it was, and the decision.
fn closed() -> Vec<(String, &'static str, GateDecision)> {
    let mut closed = Vec::new();
    for (name, open, _, own) in WAYS {
        for (what, spoil, expected) in EVERY_WAY.iter().chain(*own) {
            let mut world = open();
            spoil(&mut world);
            closed.push((format!("{name}: {what}"), *expected, world.decide()));
        }
    }
    closed
}

#[test]
fn r21_every_way_to_go_is_open_while_nothing_is_missing() {
    for (name, open, answer, _) in WAYS {
        let decision = open().decide();
        assert_eq!(decision.answer, *answer, "{name}: {:?} {:#?}", decision.reasons, decision.missing);
    }
    let meant = |open: fn() -> World| {
        let world = open();
        let state = shared::training::qualification(
            &world.plant,
            &id("R-0042"),
            &world.person,
            &world.record,
            &[],
            at(NOW),
            shared::training::Tense::Now,
        );
        (state.legacy, state.carried_over, state.exempt)
    };
    assert_eq!(meant(World::signed), (false, false, false));
    assert_eq!(meant(World::legacy), (true, false, false));
    assert_eq!(meant(World::carried_over), (false, true, false));
    assert_eq!(meant(World::exempt), (false, false, true));
}

#[test]
fn r21_every_way_to_go_closes_with_each_precondition_and_says_why() {
    let mut wrong = Vec::new();
    for (what, expected, decision) in closed() {
        let reasons: Vec<&str> = decision.reasons.iter().map(reason).collect();
        if decision.answer != Answer::NoGo || !reasons.contains(&expected) {
            wrong.push(format!("{what}: {:?}, {reasons:?} instead of {expected}", decision.answer));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// An authorised exception is built from no knowledge alone: whatever a plant's policy says of it, the gate gives none by itself (S4).
#[test]
fn s4_no_policy_alone_makes_an_exception() {
    for (name, open, _, own) in WAYS {
        for (what, spoil, _) in EVERY_WAY.iter().chain(*own) {
            let mut world = open();
            world.plant.policy.exception =
                ExceptionPolicy { enabled: true, max_expired_days: 9999, budget_per_shift: 9999 };
            spoil(&mut world);
            assert_eq!(world.decide().answer, Answer::NoGo, "{name}: {what}");
        }
    }
}

#[test]
fn r21_every_reason_there_is_has_a_row() {
    let decisions: Vec<GateDecision> = closed().into_iter().map(|(.., decision)| decision).collect();
    let failed = GateDecision::internal_error();
    assert_eq!(failed.answer, Answer::NoGo);
    let decisions: Vec<&GateDecision> = decisions.iter().chain([&failed]).collect();
    let reasons = || decisions.iter().flat_map(|decision| &decision.reasons);
    let lacking = |names: &[&'static str], seen: BTreeSet<&str>| -> Vec<&'static str> {
        names.iter().copied().filter(|name| !seen.contains(name)).collect()
    };
    assert_eq!(lacking(REASONS, reasons().map(reason).collect()), [""; 0]);
    let refusals = reasons().filter_map(|reason| match reason {
        Reason::TrainerNotAllowed { why } => Some(refusal(why)),
        _ => None,
    });
    assert_eq!(lacking(REFUSALS, refusals.collect()), [""; 0]);
    let states = || decisions.iter().flat_map(|decision| &decision.missing).map(|missing| &missing.state);
    let bars: BTreeSet<&str> = states().filter_map(|state| state.barred.as_ref()).map(bar).collect();
    // An unknown requirement has nothing to say that is missing: its reason says it.
    assert_eq!(lacking(BARS, bars), ["UnknownRequirement"]);
    let misses = states().flat_map(|state| &state.activities).map(|activity| miss(&activity.why));
    // What is exempt is never missing.
    assert_eq!(lacking(MISSES, misses.collect()), ["Exempt"]);
}

#[test]
fn safe2_a_doubtful_clock_is_no_go_where_only_a_moment_within_its_doubt_says_no() {
    let (mut world, noon) = (World::carried_over(), at(NOW).plus_ms(4 * HOUR_MS));
    world.versions().last_mut().unwrap().withdrawn_at = Some(noon.minus_ms(2 * HOUR_MS));
    world.add_version("v99", Impact::None, noon.plus_ms(2 * HOUR_MS));
    world.versions().last_mut().unwrap().withdrawn_at = None;
    for ends in [-3, 3] {
        world.clock = ClockReading::exact(noon.plus_ms(ends * HOUR_MS));
        assert_eq!(world.decide().answer, Answer::Go, "at either end a version is in force");
    }
    world.clock = ClockReading { wall: noon, uncertainty_ms: u32::try_from(3 * HOUR_MS).unwrap() };
    let denied = world.decide();
    assert_eq!(denied.answer, Answer::NoGo);
    assert!(denied.reasons.contains(&Reason::ClockUncertain), "{:?}", denied.reasons);
    world.clock.wall = noon.plus_ms(5 * HOUR_MS);
    assert_eq!(world.decide().answer, Answer::Go, "the gap is over by the earliest that it can be");
}

#[test]
fn safe2_more_changes_than_are_looked_at_within_a_doubtful_clock_are_no_go() {
    let mut world = World::signed();
    world.clock.uncertainty_ms = 3_600_000;
    assert_eq!(world.decide().answer, Answer::Go);
    for minute in 0..65 {
        world.add_version(&format!("w{minute}"), Impact::None, at(NOW).plus_ms(minute * 30_000));
    }
    assert_eq!(world.decide().reasons, [Reason::ClockUncertain]);
    world.clock.uncertainty_ms = 600_000;
    assert_eq!(world.decide().answer, Answer::Go);
}

/// Numbers for what happens in a plant on an evening; the same seed gives the same evening.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> i64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        i64::try_from((self.0 >> 33) % sides).unwrap()
    }

    /// A moment within half an hour of now, on a whole minute.
    fn moment(&mut self) -> Timestamp {
        at(NOW).plus_ms((self.roll(61) - 30) * MINUTE_MS)
    }

    fn span(&mut self) -> Span {
        let (one, other) = (self.moment(), self.moment());
        match self.roll(3) {
            0 => Span { from: Some(one), until: None },
            1 => Span { from: None, until: Some(one) },
            _ => Span { from: Some(one.min(other)), until: Some(one.max(other)) },
        }
    }

    /// Something that the gate reads comes into force or ends nearby.
    fn happen(&mut self, world: &mut World) {
        let (moment, span) = (self.moment(), self.span());
        let (person, jonas) = (world.person.clone(), id::<PersonId>("jonas"));
        match self.roll(13) {
            0 => world.plant.people.get_mut(&person).unwrap().active = span,
            1 => world.plant.people.get_mut(&jonas).unwrap().active = span,
            2 => world.plant.members.get_mut(&person).unwrap().iter_mut().for_each(|member| member.span = span),
            3 => world.plant.roles.get_mut(&jonas).unwrap().iter_mut().for_each(|role| role.span = span),
            4 => world.versions().last_mut().unwrap().withdrawn_at = Some(moment),
            5 => world.add_version("w1", Impact::None, moment),
            6 => world.add_version("w2", Impact::Some(vec![ActivityKind::Check]), moment),
            7 => each_exemption(world, |exemption| exemption.span = span),
            8 => {
                world.requirement().validity_months = Some(2);
                let done_at =
                    Timestamp(moment.utc().checked_sub_months(chrono::Months::new(2)).unwrap().timestamp_millis());
                world.evidence().for_each(|evidence| evidence.done_at = done_at);
            }
            9 => world.block(Whom::Class(id("sealing-operator")), What::Task(id("seal-pouch"))),
            10 => {
                world.requirement().currency = Some(Currency::Days(7));
                world
                    .evidence()
                    .for_each(|evidence| evidence.done_at = evidence.done_at.min(moment.minus_ms(7 * DAY_MS)));
            }
            currency => {
                let hours = currency == 11;
                world.requirement().currency = Some(if hours { Currency::Hours(1, 7) } else { Currency::Runs(2, 7) });
                world
                    .evidence()
                    .for_each(|evidence| evidence.done_at = evidence.done_at.min(at(NOW).minus_ms(9 * DAY_MS)));
                for _ in 0..4 {
                    let began = self.moment().minus_ms(self.roll(2) * 7 * DAY_MS);
                    let ended_at = Some(began.plus_ms((5 + self.roll(40)) * MINUTE_MS));
                    world.performances.push((id("seal-pouch"), Performance { started_at: began, ended_at }));
                }
            }
        }
    }
}

#[test]
fn safe2_a_doubtful_clock_is_go_only_where_every_moment_within_its_doubt_is() {
    let (mut denied, mut gone) = (0, 0);
    for seed in 0..1_200 {
        let mut dice = Dice(seed);
        let mut world = WAYS[seed as usize % WAYS.len()].1();
        (0..=dice.roll(3)).for_each(|_| dice.happen(&mut world));
        let doubt = 1 + dice.roll(20);
        // All that happens does so on a whole minute, or just after it.
        let exact: BTreeSet<&str> = (-doubt * MINUTE_MS..=doubt * MINUTE_MS)
            .step_by(60_000)
            .flat_map(|off| [off, (off + 1).min(doubt * MINUTE_MS)])
            .map(|off| {
                world.clock = ClockReading::exact(at(NOW).plus_ms(off));
                world.decide().answer.word()
            })
            .collect();
        world.clock = ClockReading { wall: at(NOW), uncertainty_ms: u32::try_from(doubt * MINUTE_MS).unwrap() };
        let answer = world.decide();
        let uncertain = answer.reasons.contains(&Reason::ClockUncertain);
        assert_eq!(uncertain, exact.len() > 1, "seed {seed}: {exact:?}, and {:?}", answer.answer);
        assert!(uncertain || exact.contains(answer.answer.word()), "seed {seed}");
        assert!(!uncertain || answer.answer == Answer::NoGo, "seed {seed}");
        (denied, gone) = (denied + u32::from(uncertain), gone + u32::from(answer.answer.may_start()));
    }
    assert!(denied > 100 && gone > 100, "{denied} doubtful and {gone} started");
}

/// The demo plant with Maria at work under v6, and v7 approved with this in-flight rule for six on Monday.
fn at_work(in_flight: InFlight) -> Plant {
    let mut plant = Plant::demo("2026-03-01T18:00:00Z");
    plant.set_up_signing(&["helga", "lukas", "henning"]);
    plant.add_kiosk("K3", &["SEAL"]);
    let (document, version) = (id("SOP-0042"), id("v7"));
    let text = std::fs::read_to_string(harness::demo_plant().join("next/SOP-0042-v7.en.md")).unwrap();
    let content = sync_server::core::approve::DraftContent {
        language: id("en"),
        format: Format::Markdown,
        change_summary: "Seal temperature window".into(),
        text: Some(text),
        blob: None,
    };
    plant.server.draft_version(&document, &version, &[content], Some(6), "CC-2026-014", &signer("lukas")).unwrap();
    plant.server.review_version(&document, &version, &signer("henning")).unwrap();
    let approval = sync_server::core::approve::Approval {
        effective_from: at("2026-03-02T05:00:00Z"),
        impact: Impact::Full,
        impact_reason: None,
        in_flight,
        initial_assessors: vec![id("jonas")],
    };
    plant.server.approve_version(&document, &version, &approval, &signer("helga"), None).unwrap();
    plant.settle();
    plant.clock.set("2026-03-02T04:00:00Z");
    let started = plant.kiosk("K3").ask(&id("maria"), &id("seal-pouch"), Some(&id("881"))).unwrap();
    assert_eq!(started.decision.answer, Answer::Go);
    plant.clock.set("2026-03-02T05:00:30Z");
    plant.kiosk("K3").end_overdue_sessions().unwrap();
    plant
}

#[test]
fn r21_in_flight_work_goes_on_only_where_the_version_lets_it_finish_and_starts_no_second_time() {
    for (in_flight, running) in [(InFlight::Finish, 1), (InFlight::Stop, 0)] {
        let mut plant = at_work(in_flight);
        let kiosk = plant.kiosk("K3");
        assert_eq!(kiosk.running_sessions().unwrap().len(), running, "{in_flight:?}");
        let again = kiosk.ask(&id("maria"), &id("seal-pouch"), Some(&id("881"))).unwrap();
        assert_eq!(again.decision.answer, Answer::NoGo, "{in_flight:?}: the next start is judged anew");
        assert_eq!(again.session, None);
        plant.clock.set("2026-03-02T16:00:30Z");
        plant.kiosk("K3").end_overdue_sessions().unwrap();
        assert_eq!(plant.kiosk("K3").running_sessions().unwrap().len(), 0, "no session outlives the plant's limit");
    }
}

#[test]
fn r21_what_the_kiosk_can_not_read_is_no_go() {
    let mut plant = Plant::demo("2026-03-01T18:00:00Z");
    plant.set_up_signing(&["helga", "jonas"]);
    plant.add_kiosk("K3", &["SEAL"]);
    let (maria, task, lot) = (id("maria"), id("seal-pouch"), id("881"));
    assert_eq!(plant.kiosk("K3").ask(&maria, &task, Some(&lot)).unwrap().decision.answer, Answer::Go);
    let beside = rusqlite::Connection::open(plant.path("K3").join("kiosk.sqlite")).unwrap();
    beside.execute("UPDATE evidence SET rows = x'00' WHERE person = 'maria'", []).unwrap();
    assert!(plant.kiosk("K3").ask(&maria, &task, Some(&lot)).is_err(), "an answer from what can't be read");
    assert!(plant.kiosk("K3").look(&maria, &task, Some(&lot), None).is_err());
    assert!(plant.kiosk("K3").tasks(&maria, Some(&lot)).is_err());
    assert!(plant.kiosk("K3").ask_supervised(&maria, &task, Some(&lot), &kiosk_signer("jonas")).is_err());
}
