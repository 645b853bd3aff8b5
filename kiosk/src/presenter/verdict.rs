//! The gate's answer as a person reads it: one word, why, what is missing, who can help, one next step.

use shared::id::{LotId, TaskId};
use shared::kind::plant::{Activity, ActivityKind, Criticality, Currency, RequirementSet};
use shared::time::{DAY_MS, HOUR_MS, MINUTE_MS};
use shared::training::gate::{Answer, GateDecision, Missing, Reason};
use shared::training::qualification::Why as Miss;
use shared::training::{ActivityState, RequirementState};

use super::id::{Action, TapId};
use super::message::VerdictReply;
use super::say::{count, document_title, edition, edition_of, names, text, unit_name};
use super::tasks::DUE_SOON_DAYS;
use super::view::{self, Ask, NextStep, Screen, VerdictKind, Why, WhyParams};
use super::{Badged, Presenter, reader};

/// Missing items shown.
const MISSING_SHOWN: usize = 4;

/// What the banner says: kind, why, and its parameters.
type Word = (VerdictKind, Why, WhyParams);

impl Presenter {
    pub(super) fn verdict_came(&mut self, reply: VerdictReply) {
        let Some(badged) = self.badged.as_mut() else { return };
        let second = badged.signing.take().and_then(|signing| signing.second);
        let supervised = reply.verdict.decision.answer == Answer::GoSupervised;
        badged.verdict = Some(reply);
        self.touched = self.now;
        match second.filter(|_| supervised) {
            Some(trainer) => self.watch(trainer),
            None => self.screen = Screen::Verdict,
        }
    }

    pub(super) fn tap_verdict(&mut self, id: TapId) {
        let Some(verdict) = self.badged.as_ref().and_then(|badged| badged.verdict.as_ref()) else { return };
        match id {
            TapId::Action(Action::Back) => self.back_to_tasks(),
            TapId::Action(Action::Read) => self.read_only(),
            TapId::Action(Action::Supervised) if verdict.verdict.decision.supervision_possible => {
                self.start_supervised()
            }
            TapId::Next => match self.next_step(&verdict.verdict.decision) {
                NextStep::EnterLot => {
                    let task = self.badged.as_ref().and_then(|badged| badged.task.clone());
                    self.open_lot(task);
                }
                NextStep::StartTraining | NextStep::ContinueTraining | NextStep::OpenRecord => self.start_training(),
                NextStep::OpenProcedure => self.read_only(),
                NextStep::TryAgain => self.ask_again(),
                NextStep::GetCoSignature => self.get_co_signature(),
                NextStep::None => {}
                _ => self.back_to_tasks(),
            },
            _ => {}
        }
    }

    /// Asks the gate for the same task once more.
    pub(super) fn ask_again(&mut self) {
        match self.badged.as_ref().and_then(|badged| badged.task.clone()) {
            Some(task) => self.ask(task),
            None => self.back_to_tasks(),
        }
    }

    /// The procedure of the first requirement that has one, to look things up.
    fn read_only(&mut self) {
        let Some(badged) = &self.badged else { return };
        let Some(verdict) = &badged.verdict else { return };
        let missing = verdict.verdict.decision.missing.iter().find(|missing| missing.document.is_some());
        let plant = &self.snapshot.plant;
        let governed =
            badged.task.as_ref().and_then(|task| plant.tasks.get(task)).into_iter().flat_map(|task| &task.requirements);
        let first = governed.filter_map(|id| plant.requirements.get(id)).find(|set| set.document.is_some());
        let requirement = missing.map(|m| m.state.requirement.clone()).or(first.map(|set| set.requirement.clone()));
        if let Some(requirement) = requirement {
            self.open_procedure(requirement, reader::Use::LookUp);
        }
    }

    pub(super) fn verdict_view(&self, badged: &Badged) -> view::Verdict {
        let Some(reply) = &badged.verdict else { return view::Verdict::default() };
        let decision = &reply.verdict.decision;
        let (kind, why, params) = self.word(badged, reply);
        let plant = &self.snapshot.plant;
        let task = badged.task.as_ref().and_then(|task| plant.tasks.get(task));
        let here =
            task.and_then(|task| self.snapshot.status.work_units.iter().find(|unit| task.work_units.contains(unit)));
        let shown = decision.missing.iter().take(MISSING_SHOWN);
        let signers = signers(decision);
        let next = self.next_step(decision);
        let may_start = decision.answer.may_start();
        view::Verdict {
            kind,
            why,
            params,
            task: task.map_or_else(|| text(badged.task.as_ref().map(TaskId::as_str)), |task| task.title.clone()),
            lot: text(badged.lot.as_ref().map(LotId::as_str)),
            work_unit: here.map_or_else(String::new, |unit| unit_name(plant, unit)),
            session_since: reply.verdict.session.map_or_else(String::new, |_| self.say().clock(reply.at)),
            missing: if may_start { Vec::new() } else { shown.map(missing_item).collect() },
            missing_more: if may_start { 0 } else { count(decision.missing.len().saturating_sub(MISSING_SHOWN)) },
            signers: names(plant, signers.iter()),
            signers_matter: !may_start && needs_signers(decision),
            ask: ask_whom(decision),
            ask_name: String::new(),
            next,
            can_read: next != NextStep::OpenProcedure && kind != VerdictKind::CannotDecide && has_document(decision),
            can_supervised: decision.supervision_possible && !may_start,
        }
    }

    fn next_step(&self, decision: &GateDecision) -> NextStep {
        if decision.answer.may_start() {
            return if decision.versions.is_empty() { NextStep::BackToTasks } else { NextStep::OpenProcedure };
        }
        if decision.needs_only_co_signature() {
            return NextStep::GetCoSignature;
        }
        let other = decision.reasons.iter().find(|reason| !is_about_training(reason));
        match other {
            Some(Reason::LotNeeded) => NextStep::EnterLot,
            Some(Reason::InternalError) => NextStep::TryAgain,
            // Training lifts a block or a hold where evidence can; nothing else on the list is the person's to mend.
            Some(Reason::Blocked { .. } | Reason::OnHold { .. } | Reason::CoSignNeeded { .. }) | None => {
                match trainable(decision) {
                    None => NextStep::BackToTasks,
                    Some((missing, kind)) => match kind {
                        ActivityKind::Runs | ActivityKind::Check => NextStep::OpenRecord,
                        _ if has_begun(&missing.state) => NextStep::ContinueTraining,
                        _ => NextStep::StartTraining,
                    },
                }
            }
            Some(_) => NextStep::BackToTasks,
        }
    }

    /// The most telling reason: what no training mends comes first.
    fn word(&self, badged: &Badged, reply: &VerdictReply) -> Word {
        let decision = &reply.verdict.decision;
        if decision.answer.may_start() {
            return self.word_for_go(badged, reply);
        }
        let first = |wanted: fn(&Reason) -> bool| decision.reasons.iter().find(|reason| wanted(reason));
        let leading = first(|r| code_of(r).is_some())
            .or_else(|| first(|r| matches!(r, Reason::Blocked { .. })))
            .or_else(|| first(|r| matches!(r, Reason::OnHold { .. })))
            .or_else(|| first(|r| !is_about_training(r) && !matches!(r, Reason::CoSignNeeded { .. })))
            .or_else(|| first(|r| matches!(r, Reason::TrainingNeeded { .. })))
            .or(decision.reasons.first());
        match leading {
            Some(reason) => self.word_for_reason(badged, reply, reason),
            None => broken("GATE-NO-REASON"),
        }
    }

    fn word_for_go(&self, badged: &Badged, reply: &VerdictReply) -> Word {
        let decision = &reply.verdict.decision;
        let plant = &self.snapshot.plant;
        let (document, in_force) = match decision.versions.first() {
            Some((document, version)) => (document.to_string(), edition(version)),
            None => (String::new(), String::new()),
        };
        let mut params = WhyParams { document, in_force, ..WhyParams::default() };
        if decision.answer == Answer::GoSupervised {
            let trainer = badged.supervised.as_ref().map(|watched| plant.printed_name(&watched.trainer().person));
            params.by = trainer.unwrap_or_default();
            params.minutes = count(plant.policy.trainee.confirm_minutes);
            return (VerdictKind::Supervised, Why::Supervised, params);
        }
        if let Some(by) = &reply.past.co_signed_by {
            params.by = by.clone();
            return (VerdictKind::Go, Why::CoSigned, params);
        }
        let first = badged.task.as_ref().and_then(|task| plant.tasks.get(task)?.requirements.first());
        let trained = first.and_then(|requirement| reply.past.trained_on.get(requirement));
        params.trained_on = edition_of(trained);
        let days = reply.past.expires_at.map(|at| (at, at.since(reply.at).div_euclid(DAY_MS)));
        match days.filter(|(_, days)| *days < DUE_SOON_DAYS) {
            Some((at, days)) => {
                (params.on, params.days) = (self.say().day(at), count(days.max(0)));
                (VerdictKind::Go, Why::QualifiedDueSoon, params)
            }
            None if !params.trained_on.is_empty() && params.trained_on != params.in_force => {
                (VerdictKind::Go, Why::CarriedOver, params)
            }
            None => (VerdictKind::Go, Why::Qualified, params),
        }
    }

    fn word_for_reason(&self, badged: &Badged, reply: &VerdictReply, reason: &Reason) -> Word {
        let plant = &self.snapshot.plant;
        let title = |requirement| {
            plant.requirements.get(requirement).map_or_else(String::new, |set: &RequirementSet| set.title.clone())
        };
        let document_of = |requirement| {
            let set = plant.requirements.get(requirement);
            set.and_then(|set| set.document.as_ref()).map_or_else(|| title(requirement), ToString::to_string)
        };
        let no_go = |why, params| (VerdictKind::NoGo, why, params);
        let none = WhyParams::default;
        let stale = |offline_ms: &i64, allowed_ms: &i64| WhyParams {
            // A terminal that never heard the server knows no number of hours.
            hours: count((*offline_ms / HOUR_MS).min(9_999)),
            allowed_hours: count(*allowed_ms / HOUR_MS),
            ..none()
        };
        if let Some(code) = code_of(reason) {
            return broken(code);
        }
        match reason {
            Reason::TrainingNeeded { requirement } => {
                let missing = reply.verdict.decision.missing.iter().find(|m| m.state.requirement == *requirement);
                missing.map_or_else(|| broken("GATE-NOTHING-MISSING"), |missing| self.word_for_training(reply, missing))
            }
            Reason::OnHold { requirement } => {
                let since = reply.past.last_done.get(requirement).map_or_else(String::new, |at| self.say().moment(*at));
                let params = WhyParams { document: document_of(requirement), since, ..none() };
                (VerdictKind::OnHold, Why::EvidenceOnHold, params)
            }
            Reason::Blocked { reason } => {
                let since = reply.past.blocked_since.map_or_else(String::new, |at| self.say().moment(at));
                (VerdictKind::Blocked, Why::Blocked, WhyParams { by: reason.clone(), since, ..none() })
            }
            Reason::PrerequisiteMissing { prerequisite, .. } => {
                no_go(Why::Prerequisite, WhyParams { by: title(prerequisite), ..none() })
            }
            Reason::NoVersionInForce { requirement } => {
                no_go(Why::NoVersionInForce, WhyParams { document: document_of(requirement), ..none() })
            }
            Reason::RequirementWithoutActivity { .. } | Reason::TaskWithoutRequirement => {
                no_go(Why::NoRequirement, none())
            }
            Reason::NotInClass => no_go(Why::NotInJobFunction, WhyParams { by: self.job_functions(badged), ..none() }),
            Reason::UnknownPerson | Reason::PersonInactive | Reason::LockedOut => no_go(Why::Inactive, none()),
            Reason::LotNeeded => no_go(Why::LotNeeded, none()),
            Reason::TooLongOffline { offline_ms, allowed_ms } => no_go(Why::Stale, stale(offline_ms, allowed_ms)),
            Reason::CoSignNeeded { offline_ms, allowed_ms } => {
                (VerdictKind::CoSign, Why::StaleCoSign, stale(offline_ms, allowed_ms))
            }
            Reason::HistoryInTransit => no_go(Why::HistoryOnItsWay, none()),
            Reason::ClockUncertain => {
                let minutes = i64::from(self.snapshot.status.uncertainty_ms) / MINUTE_MS;
                no_go(Why::ClockUncertain, WhyParams { minutes: count(minutes), ..none() })
            }
            _ => broken("GATE"),
        }
    }

    fn word_for_training(&self, reply: &VerdictReply, missing: &Missing) -> Word {
        let (say, state) = (self.say(), &missing.state);
        let plant = &self.snapshot.plant;
        let set = plant.requirements.get(&state.requirement);
        let done = reply.past.last_done.get(&state.requirement);
        let mut params = WhyParams {
            document: missing.document.as_ref().map_or_else(|| missing.title.clone(), ToString::to_string),
            title: document_title(plant, missing.document.as_ref()),
            in_force: edition_of(state.version_in_force.as_ref()),
            trained_on: edition_of(state.trained_on.as_ref()),
            since: missing.in_force_since.map_or_else(String::new, |at| say.moment(at)),
            ..WhyParams::default()
        };
        let any = |why| state.activities.iter().any(|activity| activity.why == why);
        let why = if any(Miss::Failed) {
            params.on = done.map_or_else(String::new, |at| say.day(*at));
            Why::NotPassed
        } else if any(Miss::NotCurrent) {
            params.on = reply.past.last_performed.or(done.copied()).map_or_else(String::new, |at| say.day(at));
            params.days = set.and_then(|set| set.currency).map_or(0, currency_days);
            Why::NotPerformedLately
        } else if state.trained_on.is_some() && state.trained_on != state.version_in_force && any(Miss::Superseded) {
            Why::TrainedOnOlder
        } else if any(Miss::Expired) {
            let months = set.and_then(|set| set.validity_months).unwrap_or(0);
            params.on = done.map_or_else(String::new, |at| say.day(at.plus_months(months)));
            Why::Expired
        } else if has_begun(state) {
            Why::InTraining
        } else {
            Why::NeverTrained
        };
        (VerdictKind::NoGo, why, params)
    }

    fn job_functions(&self, badged: &Badged) -> String {
        let plant = &self.snapshot.plant;
        let task = badged.task.as_ref().and_then(|task| plant.tasks.get(task));
        let listed = task.into_iter().flat_map(|task| &task.classes);
        let named = |class: &shared::kind::plant::TaskClass| {
            plant.classes.get(&class.class).map_or_else(|| class.class.to_string(), |set| set.name.clone())
        };
        listed.map(named).collect::<Vec<_>>().join(", ")
    }

    pub(super) fn is_critical(&self, task: Option<&TaskId>) -> bool {
        task.and_then(|task| self.snapshot.plant.tasks.get(task))
            .is_some_and(|task| task.criticality == Criticality::Critical)
    }
}

/// Something of the requirement is done on the version in force, and not everything.
pub(super) fn has_begun(state: &RequirementState) -> bool {
    !state.met && state.activities.iter().any(|activity| activity.have > 0)
}

/// The first missing item somebody can do something about here, and the activity that comes next in it. What one learns alone comes
/// before what needs a second person.
pub(super) fn trainable(decision: &GateDecision) -> Option<(&Missing, ActivityKind)> {
    let open = |missing: &'_ Missing| next_activity(&missing.state).map(|activity| activity.activity.kind());
    let here = decision.missing.iter().filter_map(|missing| Some((missing, open(missing)?)));
    let alone = here.clone().find(|(_, kind)| matches!(kind, ActivityKind::Read | ActivityKind::Quiz));
    alone.or_else(|| here.clone().find(|(_, kind)| matches!(kind, ActivityKind::Runs | ActivityKind::Check)))
}

pub(super) fn next_activity(state: &RequirementState) -> Option<&ActivityState> {
    state.activities.iter().find(|activity| !activity.held)
}

fn missing_item(missing: &Missing) -> view::MissingItem {
    view::MissingItem {
        title: missing.title.clone(),
        document: text(missing.document.as_ref().map(|document| document.as_str())),
        version: edition_of(missing.state.version_in_force.as_ref()),
        activities: missing.state.activities.iter().filter_map(activity).collect(),
        changed_steps: missing.changed_steps.join(", "),
        changed_count: count(missing.changed_steps.len()),
        minutes: missing.minutes.map_or(0, count),
    }
}

fn activity(state: &ActivityState) -> Option<view::ActivityState> {
    let kind = match state.activity {
        Activity::Read => view::Activity::Read,
        Activity::Quiz(_) => view::Activity::Quiz,
        Activity::Runs(_) => view::Activity::Run,
        Activity::Check(_) => view::Activity::Check,
        Activity::Briefing(_) => view::Activity::Briefing,
        Activity::External => return None,
    };
    let runs = kind == view::Activity::Run;
    let (have, need) = if runs { (count(state.have), count(state.need)) } else { (0, 0) };
    Some(view::ActivityState { kind, done: state.held, count: have, of: need })
}

/// People on shift who can sign for what is missing.
pub(super) fn signers(decision: &GateDecision) -> Vec<shared::id::PersonId> {
    let mut people = Vec::new();
    for able in decision.missing.iter().flat_map(|missing| &missing.can_sign).filter(|able| able.on_shift) {
        if !people.contains(&able.person) {
            people.push(able.person.clone());
        }
    }
    people
}

fn needs_signers(decision: &GateDecision) -> bool {
    let open = |activity: &ActivityState| {
        !activity.held && matches!(activity.activity.kind(), ActivityKind::Runs | ActivityKind::Check)
    };
    decision.missing.iter().any(|missing| missing.state.activities.iter().any(open))
}

fn has_document(decision: &GateDecision) -> bool {
    decision.missing.iter().any(|missing| missing.document.is_some() && missing.state.version_in_force.is_some())
}

fn ask_whom(decision: &GateDecision) -> Ask {
    let has = |wanted: fn(&Reason) -> bool| decision.reasons.iter().any(wanted);
    if has(|r| code_of(r).is_some()) {
        Ask::It
    } else if has(|r| matches!(r, Reason::Blocked { .. } | Reason::OnHold { .. } | Reason::NoVersionInForce { .. })) {
        Ask::Quality
    } else {
        Ask::Supervisor
    }
}

fn is_about_training(reason: &Reason) -> bool {
    matches!(reason, Reason::TrainingNeeded { .. } | Reason::PrerequisiteMissing { .. })
}

/// The code IT is told, for what is no answer about the person at all.
fn code_of(reason: &Reason) -> Option<&'static str> {
    Some(match reason {
        Reason::InternalError => "GATE-ERROR",
        Reason::UnknownTask => "GATE-UNKNOWN-TASK",
        Reason::UnknownRequirement { .. } => "GATE-UNKNOWN-REQUIREMENT",
        Reason::NotAtThisWorkUnit => "GATE-WORK-UNIT",
        Reason::KioskRevoked => "GATE-REVOKED",
        Reason::UnreadableRestriction { .. } => "GATE-UNREADABLE",
        _ => return None,
    })
}

fn broken(code: &str) -> Word {
    (VerdictKind::CannotDecide, Why::InternalError, WhyParams { code: code.to_owned(), ..WhyParams::default() })
}

fn currency_days(currency: Currency) -> i32 {
    count(match currency {
        Currency::Days(days) | Currency::Runs(_, days) | Currency::Hours(_, days) => days,
    })
}
