//! Whether a person meets a requirement at an instant, activity by activity, and on which evidence (architecture, section 3).

use serde::Serialize;

use crate::id::*;
use crate::kind::plant::*;
use crate::log::effect::Verdict;
use crate::plant::{InForce, Plant, Version};
use crate::record::judge::version_of;
use crate::record::{Evidence, TrainingRecord};
use crate::time::{DAY_MS, Timestamp};
use crate::training::task_session::Performance;

/// The state of one person in one requirement at one instant.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RequirementState {
    pub requirement: RequirementId,
    pub version_in_force: Option<VersionId>,
    /// Newest version on which evidence in use was given.
    pub trained_on: Option<VersionId>,
    pub met: bool,
    /// Met through evidence on an older version that no later one demands anew (A7).
    pub carried_over: bool,
    /// Met through imported evidence (K5).
    pub legacy: bool,
    pub exempt: bool,
    /// Why no activity could hold, when that is so.
    pub barred: Option<Barred>,
    pub activities: Vec<ActivityState>,
}

/// What makes a requirement impossible to meet whatever was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Barred {
    NoVersionInForce,
    VersionWithdrawn,
    NoActivity,
    UnknownRequirement,
}

/// The state of one activity.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ActivityState {
    pub activity: Activity,
    pub held: bool,
    /// How many of the needed pieces hold.
    pub have: u32,
    pub need: u32,
    pub why: Why,
    pub evidence: Vec<EntryId>,
    /// When what holds now expires.
    pub expires_at: Option<Timestamp>,
    pub version: Option<VersionId>,
}

/// Why an activity holds or doesn't: the nearest miss, where there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    Held,
    /// On a version that later ones don't demand anew.
    CarriedOver,
    Exempt,
    /// Held but for use-it-or-lose-it (E2).
    NotCurrent,
    /// Not enough pieces yet.
    Some,
    /// Evidence that would do waits for a ruling: the qualification is suspended.
    OnHold,
    /// A failed or not-yet result came later. It is nearer than what older evidence lacks: else a superseded pass would hide it.
    Failed,
    Expired,
    Superseded,
    /// On a version that isn't effective yet.
    NotYetEffective,
    Never,
}

/// Whether one asks about this moment or about another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tense {
    /// Everything held has happened, whatever some kiosk's clock wrote beside it: a pass counts at once, a failure from another kiosk
    /// whose clock is ahead denies at once.
    Now,
    /// Only what was done by then counts.
    Then,
}

/// Judges a person's record against a requirement. `performances` are the person's task sessions under tasks that it governs.
pub fn qualification(
    plant: &Plant,
    requirement: &RequirementId,
    person: &PersonId,
    record: &TrainingRecord,
    performances: &[Performance],
    at: Timestamp,
    tense: Tense,
) -> RequirementState {
    let Some(set) = plant.requirements.get(requirement) else {
        return barred(requirement, Barred::UnknownRequirement, None);
    };
    let version = match plant.in_force(set, at) {
        InForce::Always => None,
        InForce::Version(version) => Some(version),
        InForce::Withdrawn(_) => return barred(requirement, Barred::VersionWithdrawn, None),
        InForce::Nothing => return barred(requirement, Barred::NoVersionInForce, None),
    };
    let in_force = version.map(|v| v.id().clone());
    if plant.exemption(person, requirement, in_force.as_ref(), at).is_some() {
        return exempted(set, in_force);
    }
    if set.activities.is_empty() {
        return barred(requirement, Barred::NoActivity, in_force);
    }
    let scale = Scale { plant, set, version, record, at, tense };
    let mut activities: Vec<ActivityState> = set.activities.iter().map(|activity| scale.weigh(activity)).collect();
    scale.keep_current(&mut activities, performances);
    summary(set, in_force, activities, &scale)
}

fn barred(requirement: &RequirementId, why: Barred, version_in_force: Option<VersionId>) -> RequirementState {
    RequirementState {
        requirement: requirement.clone(),
        version_in_force,
        trained_on: None,
        met: false,
        carried_over: false,
        legacy: false,
        exempt: false,
        barred: Some(why),
        activities: Vec::new(),
    }
}

fn exempted(set: &RequirementSet, version_in_force: Option<VersionId>) -> RequirementState {
    let state = |activity: &Activity| ActivityState {
        activity: activity.clone(),
        held: true,
        have: activity.count(),
        need: activity.count(),
        why: Why::Exempt,
        evidence: Vec::new(),
        expires_at: None,
        version: None,
    };
    RequirementState {
        requirement: set.requirement.clone(),
        version_in_force,
        trained_on: None,
        met: true,
        carried_over: false,
        legacy: false,
        exempt: true,
        barred: None,
        activities: set.activities.iter().map(state).collect(),
    }
}

fn summary(
    set: &RequirementSet,
    version_in_force: Option<VersionId>,
    activities: Vec<ActivityState>,
    scale: &Scale<'_>,
) -> RequirementState {
    let met = activities.iter().all(|a| a.held);
    let used =
        |e: &&Evidence| activities.iter().any(|a| a.activity.kind() == e.activity && a.evidence.contains(&e.entry));
    let legacy =
        scale.record.evidence.iter().filter(|e| e.requirement == set.requirement).filter(used).any(|e| e.legacy);
    let order = |id: &VersionId| scale.order(id);
    let trained_on = activities.iter().filter_map(|a| a.version.clone()).max_by_key(order);
    RequirementState {
        requirement: set.requirement.clone(),
        version_in_force,
        trained_on: trained_on.or_else(|| scale.last_trained_on()),
        met,
        carried_over: met && activities.iter().any(|a| a.why == Why::CarriedOver),
        legacy,
        exempt: false,
        barred: None,
        activities,
    }
}

/// One requirement, one version, one record, one instant.
struct Scale<'a> {
    plant: &'a Plant,
    set: &'a RequirementSet,
    version: Option<&'a Version>,
    record: &'a TrainingRecord,
    at: Timestamp,
    tense: Tense,
}

impl Scale<'_> {
    fn has_happened(&self, evidence: &Evidence) -> bool {
        self.tense == Tense::Now || evidence.done_at <= self.at
    }

    fn weigh(&self, activity: &Activity) -> ActivityState {
        let (kind, need) = (activity.kind(), activity.count());
        let mut state = ActivityState {
            activity: activity.clone(),
            held: false,
            have: 0,
            need,
            why: Why::Never,
            evidence: Vec::new(),
            expires_at: None,
            version: None,
        };
        let (mut holding, mut nearest_miss) = (Vec::new(), Why::Never);
        let mine = |e: &&Evidence| e.activity == kind && e.requirement == self.set.requirement;
        for evidence in self.record.evidence.iter().filter(mine) {
            match self.holds(evidence) {
                Ok(carried) => holding.push((carried, evidence)),
                Err(miss) => nearest_miss = nearest_miss.min(miss),
            }
        }
        // Evidence on the version in force first, then on the newest, then the latest: the count stops when it suffices.
        holding.sort_by_key(|(carried, evidence)| {
            let order = version_of(evidence, self.set, self.plant).map_or(0, |id| self.order(&id));
            (*carried, std::cmp::Reverse((order, evidence.done_at)))
        });
        holding.iter().take(need as usize).for_each(|(carried, evidence)| self.count(&mut state, evidence, *carried));
        state.held = state.have >= need;
        if !state.held {
            state.why = if state.have > 0 { Why::Some } else { nearest_miss };
        }
        state
    }

    fn count(&self, state: &mut ActivityState, evidence: &Evidence, carried: bool) {
        let why = if carried { Why::CarriedOver } else { Why::Held };
        state.why = if state.have == 0 { why } else { state.why.max(why) };
        state.have += 1;
        if !state.evidence.contains(&evidence.entry) {
            state.evidence.push(evidence.entry);
        }
        let expiry = self.expiry(evidence);
        state.expires_at = [state.expires_at, expiry].into_iter().flatten().min();
        let version = version_of(evidence, self.set, self.plant);
        state.version = [state.version.take(), version].into_iter().flatten().max_by_key(|id| self.order(id));
    }

    /// Whether a piece of evidence counts now; `Ok(true)`: carried over from an older version.
    fn holds(&self, evidence: &Evidence) -> Result<bool, Why> {
        if !self.has_happened(evidence) || !evidence.passed() {
            return Err(Why::Never);
        }
        if !matches!(evidence.verdict, Verdict::Effective | Verdict::OnHold(_)) {
            return Err(Why::Never);
        }
        let carried = self.holds_for_version(evidence)?;
        if evidence.ended_by.iter().any(|index| self.ends(*index)) {
            return Err(Why::Failed);
        }
        if self.expiry(evidence).is_some_and(|expiry| self.at >= expiry) {
            return Err(Why::Expired);
        }
        if evidence.verdict.is_effective() { Ok(carried) } else { Err(Why::OnHold) }
    }

    fn holds_for_version(&self, evidence: &Evidence) -> Result<bool, Why> {
        let (Some(current), Some(document)) = (self.version, self.document()) else { return Ok(false) };
        let trained = version_of(evidence, self.set, self.plant).ok_or(Why::Never)?;
        if document.holds_for(&trained, current, evidence.activity, self.at) {
            return Ok(trained != *current.id());
        }
        let ahead = document.version(&trained).is_some_and(|v| v.effective_from() > self.at);
        Err(if ahead { Why::NotYetEffective } else { Why::Superseded })
    }

    /// Whether a failure has come to pass by now, on a version that counts by now.
    fn ends(&self, index: u32) -> bool {
        self.record.evidence.get(index as usize).is_some_and(|fail| {
            let ahead = || {
                let version = version_of(fail, self.set, self.plant)?;
                self.document()?.version(&version).map(|v| v.effective_from() > self.at || v.never_effective())
            };
            self.has_happened(fail) && !ahead().unwrap_or(false)
        })
    }

    fn document(&self) -> Option<&crate::plant::Document> {
        self.set.document.as_ref().and_then(|id| self.plant.documents.get(id))
    }

    fn expiry(&self, evidence: &Evidence) -> Option<Timestamp> {
        self.set.validity_months.map(|months| evidence.done_at.min(self.at).plus_months(months))
    }

    fn order(&self, id: &VersionId) -> usize {
        self.document().and_then(|d| d.versions.iter().rposition(|v| v.id() == id)).map_or(0, |place| place + 1)
    }

    /// The newest version on which anything passed, for "trained on v6, v7 in force".
    fn last_trained_on(&self) -> Option<VersionId> {
        let mine = self.record.evidence.iter().filter(|e| e.requirement == self.set.requirement);
        let passed = mine.filter(|e| e.passed() && e.verdict.is_effective() && self.has_happened(e));
        passed.filter_map(|e| version_of(e, self.set, self.plant)).max_by_key(|id| self.order(id))
    }

    /// Use it or lose it (E2): counted from the later of last performance and last passed check; where the requirement has no
    /// check, from the last completion.
    fn keep_current(&self, activities: &mut [ActivityState], performances: &[Performance]) {
        let Some(currency) = self.set.currency else { return };
        if self.is_current(currency, activities, performances) {
            return;
        }
        let checked = activities.iter().position(|a| a.activity.kind() == ActivityKind::Check);
        let index = checked.unwrap_or(activities.len().saturating_sub(1));
        if let Some(state) = activities.get_mut(index).filter(|state| state.held) {
            state.held = false;
            state.why = Why::NotCurrent;
        }
    }

    fn is_current(&self, currency: Currency, activities: &[ActivityState], performances: &[Performance]) -> bool {
        let (days, enough) = match currency {
            Currency::Days(days) => (days, 1),
            Currency::Runs(runs, days) => (days, runs),
            Currency::Hours(_, days) => (days, 0),
        };
        let since = self.at.minus_ms(i64::from(days) * DAY_MS);
        let recent: Vec<&Performance> =
            performances.iter().filter(|p| p.started_at <= self.at && p.last_seen(self.at) >= since).collect();
        let performed = match currency {
            Currency::Hours(hours, _) => {
                let ms: i64 = recent.iter().map(|p| p.last_seen(self.at).since(p.started_at.max(since))).sum();
                ms >= i64::from(hours) * crate::time::HOUR_MS
            }
            _ => recent.len() >= enough as usize,
        };
        performed || self.proven_at(activities).is_some_and(|proven| proven >= since)
    }

    fn proven_at(&self, activities: &[ActivityState]) -> Option<Timestamp> {
        let has_check = activities.iter().any(|a| a.activity.kind() == ActivityKind::Check);
        let counts = |e: &&Evidence| {
            let proves = !has_check || e.activity == ActivityKind::Check;
            proves && e.requirement == self.set.requirement && self.holds(e).is_ok()
        };
        self.record.evidence.iter().filter(counts).map(|e| e.done_at.min(self.at)).max()
    }
}
