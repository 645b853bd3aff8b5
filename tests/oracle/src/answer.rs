//! The point-in-time answer, requirement by requirement, activity by activity.

use std::fmt;

use chrono::{Months, SecondsFormat, TimeDelta};

use crate::cell::Instant;
use crate::plant::{Activity, Fact, Person, Plant, Requirement};
use crate::reading::{FailureReach, Reading};
use crate::versions::{Kind, Version, demanded_anew_by, in_force};

/// The word of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    Yes,
    YesCarriedOver,
    No,
    NotRequired,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Verdict::Yes => "yes",
            Verdict::YesCarriedOver => "yes_carried_over",
            Verdict::No => "no",
            Verdict::NotRequired => "not_required",
        })
    }
}

/// Whether a person was qualified at a time, and on what grounds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub answer: Verdict,
    /// Whether evidence from history holds some activity. All evidence of a folder is legacy.
    // CHOICE: partial evidence counts as used also where the answer is `no`; an exempt requirement uses none.
    pub legacy: bool,
    /// None also where the requirement asked is on no document.
    pub version_in_force: Option<String>,
    /// The newest version with a pass that is neither ended nor expired, whether or not a later version demands
    /// the activity anew: with `no`, it says what the person is still trained on.
    // CHOICE: the newest one over all activities of all requirements asked; none where no version is in force,
    // and none from a requirement answered by an exemption.
    pub trained_on: Option<String>,
    /// In order of requirement id.
    pub requirements: Vec<RequirementAnswer>,
}

/// The answer for one requirement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequirementAnswer {
    pub requirement: String,
    /// Never [`Verdict::NotRequired`]; regardless of whether the person is active.
    pub verdict: Verdict,
    pub why: String,
    /// In the order of the requirement; empty with an exemption or without a version in force.
    pub activities: Vec<ActivityAnswer>,
    /// For a requirement with currency: whether it holds.
    pub current: Option<bool>,
}

/// The answer for one activity of a requirement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActivityAnswer {
    /// As written in the requirement, e.g. `runs:3`.
    pub activity: String,
    pub held: bool,
    /// Held, but only with evidence on an older version than the one in force.
    pub carried_over: bool,
    pub why: String,
    /// The lines of `history.csv` whose evidence holds.
    pub lines: Vec<u64>,
}

impl Plant {
    /// Whether `person` was qualified on `document` at `at`. Panics on an id the folder does not have.
    pub fn answer(&self, person: &str, document: &str, at: Instant) -> Answer {
        self.answer_under(&Reading::default(), person, document, at)
    }

    /// As [`Plant::answer`], under another reading of the text.
    pub fn answer_under(&self, reading: &Reading, person: &str, document: &str, at: Instant) -> Answer {
        let versions = &self.documents[document];
        let asked: Vec<&str> = self
            .requirements
            .iter()
            .filter(|(_, requirement)| requirement.document.as_deref() == Some(document))
            .map(|(id, _)| id.as_str())
            .collect();
        self.answer_for(reading, person, versions, &asked, at)
    }

    /// Whether `person` held one requirement at `at`; it may be on no document.
    // CHOICE: a requirement asked by name is also `not_required` where no class the person holds has it.
    pub fn answer_requirement(&self, person: &str, requirement: &str, at: Instant) -> Answer {
        let always = [Version::always()];
        let versions = match &self.requirements[requirement].document {
            Some(document) => &self.documents[document],
            None => &always[..],
        };
        self.answer_for(&Reading::default(), person, versions, &[requirement], at)
    }

    /// The names of the choices of [`Reading`] that this verdict depends on; empty for most.
    pub fn open_choices(&self, person: &str, document: &str, at: Instant) -> Vec<&'static str> {
        let own = self.answer(person, document, at).answer;
        Reading::alternatives()
            .into_iter()
            .filter(|(_, reading)| self.answer_under(reading, person, document, at).answer != own)
            .map(|(name, _)| name)
            .collect()
    }

    fn answer_for(&self, reading: &Reading, person: &str, versions: &[Version], asked: &[&str], at: Instant) -> Answer {
        let person = &self.people[person];
        let now = in_force(versions, at, reading);
        let judged: Vec<(RequirementAnswer, Option<usize>)> = asked
            .iter()
            .filter(|requirement| self.is_mapped(person, requirement, at))
            .map(|requirement| self.judge(reading, person, requirement, versions, now, at))
            .collect();

        let inactive = !person.active.contains(at);
        let answer = if judged.is_empty() && !(inactive && reading.inactive_before_not_required) {
            Verdict::NotRequired
        } else if inactive {
            Verdict::No
        } else {
            // Yes < carried over < no: the worst requirement decides.
            judged.iter().map(|(judged, _)| judged.verdict).max().expect("something is required")
        };
        let trained_on = judged.iter().filter_map(|(_, trained_on)| *trained_on).max();
        let requirements: Vec<RequirementAnswer> = judged.into_iter().map(|(judged, _)| judged).collect();
        Answer {
            answer,
            legacy: requirements.iter().flat_map(|judged| &judged.activities).any(|activity| activity.held),
            version_in_force: now.and_then(|now| named(&versions[now])),
            trained_on: trained_on.and_then(|trained_on| named(&versions[trained_on])),
            requirements,
        }
    }

    /// Whether the matrix maps the requirement to a class that the person holds at `at`.
    fn is_mapped(&self, person: &Person, requirement: &str, at: Instant) -> bool {
        person
            .memberships
            .iter()
            .filter(|membership| membership.period.contains(at))
            .any(|membership| self.matrix.contains(&(membership.class.clone(), requirement.to_string())))
    }

    /// Judges one requirement; beside the answer, the newest version the person is trained on.
    fn judge(
        &self,
        reading: &Reading,
        person: &Person,
        id: &str,
        versions: &[Version],
        now: Option<usize>,
        at: Instant,
    ) -> (RequirementAnswer, Option<usize>) {
        let plain = |verdict, why: &str| RequirementAnswer {
            requirement: id.to_string(),
            verdict,
            why: why.to_string(),
            activities: Vec::new(),
            current: None,
        };
        let exempt = person
            .exemptions
            .iter()
            .filter(|exemption| exemption.requirement == id && exemption.period.contains(at))
            .any(|exemption| match (&exemption.version, now) {
                (None, Some(_)) => true,
                (None, None) => reading.exemption_without_version,
                (Some(version), Some(now)) => *version == versions[now].name,
                (Some(_), None) => false,
            });
        if exempt {
            return (plain(Verdict::Yes, "an exemption is in force"), None);
        }
        let Some(now) = now else {
            return (plain(Verdict::No, "no version is in force"), None);
        };

        let requirement = &self.requirements[id];
        let facts = person.history.get(id).map_or(&[][..], Vec::as_slice);
        let evidence: Vec<Evidence> = requirement
            .activities
            .iter()
            .map(|activity| Evidence::gather(reading, requirement, activity, facts, versions, now, at))
            .collect();
        let activities: Vec<ActivityAnswer> = evidence.iter().map(Evidence::answer).collect();
        let current = is_current(reading, requirement, &evidence, at);

        let missing: Vec<&str> =
            activities.iter().filter(|activity| !activity.held).map(|activity| activity.activity.as_str()).collect();
        let (verdict, why) = if !missing.is_empty() {
            (Verdict::No, format!("missing: {}", missing.join(", ")))
        } else if current == Some(false) {
            (Verdict::No, "held, but not current".to_string())
        } else if activities.iter().any(|activity| activity.carried_over) {
            (Verdict::YesCarriedOver, "held, in part on an older version".to_string())
        } else {
            (Verdict::Yes, "held on the version in force".to_string())
        };
        let trained_on = evidence.iter().flat_map(|evidence| &evidence.passes).map(|pass| pass.version).max();
        (RequirementAnswer { activities, current, ..plain(verdict, &why) }, trained_on)
    }
}

/// What history says about one activity of one requirement.
struct Evidence<'a> {
    activity: &'a Activity,
    /// Index of the version in force.
    now: usize,
    /// Neither ended by a failed attempt nor expired, in order of completion.
    passes: Vec<Pass>,
    /// Why something is missing: the last reason seen.
    reason: String,
}

struct Pass {
    /// Index of the version it was done on; never newer than the one in force.
    version: usize,
    completed_at: Instant,
    line: u64,
    /// Whether no version since demands it anew.
    holds: bool,
}

impl<'a> Evidence<'a> {
    fn gather(
        reading: &Reading,
        requirement: &Requirement,
        activity: &'a Activity,
        facts: &[Fact],
        versions: &[Version],
        now: usize,
        at: Instant,
    ) -> Evidence<'a> {
        let mut passes: Vec<Pass> = Vec::new();
        let mut reason = "no evidence".to_string();
        let done = facts.iter().filter(|fact| fact.kind == activity.kind && fact.completed_at <= at);
        for fact in done {
            let Some(version) = version_of(reading, requirement, fact, versions) else {
                continue;
            };
            let teaches = reading.void_version_teaches || !versions[version].is_void(reading);
            let counts = version <= now && teaches;
            let demanded = counts.then(|| demanded_anew_by(versions, version, now, activity.kind, reading)).flatten();
            // CHOICE: a quiz without a score is a pass: it is not below the pass mark.
            let failed = matches!((fact.score, activity.pass_percent), (Some(score), Some(mark)) if score < mark);
            if failed {
                let ends = match reading.failure {
                    FailureReach::Effective => counts,
                    FailureReach::Always => true,
                    FailureReach::Holding => counts && demanded.is_none(),
                };
                if ends {
                    passes.clear();
                    reason = format!("line {} failed", fact.line);
                }
            } else if !counts {
                reason = format!("line {} is on a version that is not effective", fact.line);
            } else if expiry(requirement, fact.completed_at).is_some_and(|expiry| expiry <= at) {
                reason = format!("line {} has expired", fact.line);
            } else {
                if let Some(by) = demanded {
                    reason = format!("version {} demands anew what line {} shows", by.name, fact.line);
                }
                let holds = demanded.is_none();
                passes.push(Pass { version, completed_at: fact.completed_at, line: fact.line, holds });
            }
        }
        Evidence { activity, now, passes, reason }
    }

    fn holding(&self) -> impl Iterator<Item = &Pass> {
        self.passes.iter().filter(|pass| pass.holds)
    }

    /// Each run expires, and is demanded anew, by itself; it takes as many as are left.
    fn is_held(&self) -> bool {
        self.holding().count() >= self.activity.needed
    }

    fn answer(&self) -> ActivityAnswer {
        let held = self.is_held();
        // CHOICE: runs are carried over only where those on the version in force are too few by themselves.
        let on_version_in_force = self.holding().filter(|pass| pass.version == self.now).count();
        let carried_over = held && on_version_in_force < self.activity.needed;
        let why = match self.holding().last() {
            Some(last) if held => format!(
                "held by line {} of {}{}",
                last.line,
                last.completed_at.to_rfc3339_opts(SecondsFormat::AutoSi, true),
                if carried_over { ", carried over" } else { "" }
            ),
            _ => format!("{} of {}: {}", self.holding().count(), self.activity.needed, self.reason),
        };
        ActivityAnswer {
            activity: self.activity.text.clone(),
            held,
            carried_over,
            why,
            lines: self.holding().map(|pass| pass.line).collect(),
        }
    }
}

/// The index of the version that a row of history is about.
fn version_of(reading: &Reading, requirement: &Requirement, fact: &Fact, versions: &[Version]) -> Option<usize> {
    match (&requirement.document, &fact.version) {
        (None, _) => Some(0),
        (Some(_), Some(name)) => versions.iter().position(|version| version.name == *name),
        // CHOICE: a blank version where none was in force at completion is evidence on nothing.
        (Some(_), None) => in_force(versions, fact.completed_at, reading),
    }
}

/// The first instant at which evidence completed at `completed_at` no longer counts.
pub(crate) fn expiry(requirement: &Requirement, completed_at: Instant) -> Option<Instant> {
    // `Months` clamps to the end of a shorter month, in UTC because the instant is.
    requirement.validity_months.map(|months| completed_at + Months::new(months))
}

/// Whether the currency of the requirement holds; none where it asks for none. See [`Reading::currency_ignored`].
fn is_current(reading: &Reading, requirement: &Requirement, evidence: &[Evidence], at: Instant) -> Option<bool> {
    let days = requirement.currency_days.filter(|_| !reading.currency_ignored)?;
    let has_check = requirement.activities.iter().any(|activity| activity.kind == Kind::Check);
    let last = evidence
        .iter()
        .filter(|evidence| !has_check || evidence.activity.kind == Kind::Check)
        .flat_map(Evidence::holding)
        .map(|pass| pass.completed_at)
        .max();
    let Some(last) = last else { return Some(false) };
    // CHOICE: a day of currency is 24 hours, counted in UTC.
    let end = last + TimeDelta::days(days);
    Some(if reading.currency_ends_like_validity { at < end } else { at <= end })
}

fn named(version: &Version) -> Option<String> {
    (!version.name.is_empty()).then(|| version.name.clone())
}
