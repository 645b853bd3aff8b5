//! People: what they are members of, which roles they hold, for which requirements they may sign.

use std::collections::BTreeSet;

use super::Plant;
use crate::id::*;
use crate::kind::Role;
use crate::kind::plant::*;
use crate::time::{MINUTE_MS, Timestamp};

impl Plant {
    pub fn is_active(&self, person: &PersonId, at: Timestamp) -> bool {
        self.people.get(person).is_some_and(|p| p.active.contains(at))
    }

    pub fn classes_of<'a>(&'a self, person: &PersonId, at: Timestamp) -> impl Iterator<Item = &'a ClassId> {
        self.members.get(person).into_iter().flatten().filter(move |m| m.span.contains(at)).map(|m| &m.class)
    }

    /// The requirements that the matrix maps to any class the person holds at `at`.
    pub fn required_of(&self, person: &PersonId, at: Timestamp) -> BTreeSet<&RequirementId> {
        self.classes_of(person, at).filter_map(|class| self.matrix.get(class)).flatten().collect()
    }

    pub fn has_role(&self, person: &PersonId, role: Role, at: Timestamp) -> bool {
        self.roles.get(person).into_iter().flatten().any(|r| r.role == role && r.span.contains(at))
    }

    /// Whether the person may observe runs and sign checks for the requirement at `at`.
    pub fn is_assessor(&self, person: &PersonId, requirement: &RequirementId, at: Timestamp) -> bool {
        self.assessor_grants(person, requirement).any(|grant| grant.span.contains(at))
    }

    /// Every grant of the assessor's right, past and present.
    pub fn assessor_grants<'a>(
        &'a self,
        person: &'a PersonId,
        requirement: &RequirementId,
    ) -> impl Iterator<Item = &'a AssessorSet> {
        self.assessors.get(requirement).into_iter().flatten().filter(move |grant| grant.person == *person)
    }

    /// The exemption that stands for the person, requirement and version in force.
    pub fn exemption(
        &self,
        person: &PersonId,
        requirement: &RequirementId,
        version: Option<&VersionId>,
        at: Timestamp,
    ) -> Option<&ExemptionSet> {
        let key = (person.clone(), requirement.clone());
        let applies =
            |e: &&ExemptionSet| e.span.contains(at) && e.version.as_ref().is_none_or(|exempt| Some(exempt) == version);
        self.exemptions.get(&key).into_iter().flatten().find(applies)
    }

    /// Whether the person works at the site at `at`, as home or further site.
    pub fn works_at(&self, person: &PersonId, site: &SiteId, at: Timestamp) -> bool {
        self.people.get(person).is_some_and(|p| {
            p.site == *site || p.further_sites.iter().any(|further| further.site == *site && further.span.contains(at))
        })
    }

    /// Whether the person's shift at the work centre runs at `at`; people in no crew there are not "on shift".
    pub fn is_on_shift(&self, person: &PersonId, work_center: &WorkCenterId, at: Timestamp) -> bool {
        self.shift_minutes_left(person, work_center, at).is_some()
    }

    /// When the person's shift at the line of one of these work units ends, if it runs at `at`.
    pub fn shift_ends(&self, person: &PersonId, units: &[WorkUnitId], at: Timestamp) -> Option<Timestamp> {
        let lines = units.iter().filter_map(|unit| self.work_units.get(unit)).map(|unit| &unit.work_center);
        let left = lines.filter_map(|line| self.shift_minutes_left(person, line, at)).max()?;
        Some(at.plus_ms(i64::from(left) * MINUTE_MS))
    }

    /// How many minutes of the person's shift at the work centre are left at `at`; the longest, where they are in more than one crew.
    fn shift_minutes_left(&self, person: &PersonId, work_center: &WorkCenterId, at: Timestamp) -> Option<u16> {
        let site = self.people.get(person).map(|p| &p.site);
        let local = self.site_time(site).local(at).time();
        let minute = u16::try_from(chrono::Timelike::num_seconds_from_midnight(&local) / 60).unwrap_or(0);
        let crews = self.crews.get(person).into_iter().flatten().filter(|crew| crew.span.contains(at));
        let shifts = crews.filter_map(|crew| self.shifts.get(&crew.shift));
        let here = shifts.filter(|shift| shift.work_center == *work_center && shift.covers(minute));
        here.map(|shift| shift.minutes_left(minute)).max()
    }
}

impl ShiftSet {
    /// Whether a minute of the local day lies in the shift; one that ends at or before its start runs over midnight.
    pub fn covers(&self, minute: u16) -> bool {
        if self.start_minute < self.end_minute {
            (self.start_minute..self.end_minute).contains(&minute)
        } else {
            minute >= self.start_minute || minute < self.end_minute
        }
    }

    /// Minutes to its end from one that it covers.
    fn minutes_left(&self, minute: u16) -> u16 {
        let left = (self.end_minute + DAY_MINUTES - minute) % DAY_MINUTES;
        if left == 0 { DAY_MINUTES } else { left }
    }
}

/// Minutes of a day.
const DAY_MINUTES: u16 = 24 * 60;

/// Reads `HH:MM` as minutes after midnight.
pub fn parse_minute(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let number = |part: &str| (part.len() == 2).then(|| part.parse::<u16>().ok()).flatten();
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)
}

/// Writes minutes after midnight as `HH:MM`.
pub fn minute_text(minute: u16) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}
