//! Exemptions, and the history of each person: trained in rounds, early, late, again, or never quite.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use chrono::{Months, TimeDelta};

use super::moment::{between, exactly, moment};
use super::sheet::{Dress, Sheet};
use super::{Activity, Document, Person, Requirement, Size, first_instant, last_instant};
use crate::cell::Instant;
use crate::reading::Reading;
use crate::rng::Rng;
use crate::versions::{Kind, Version, in_force};

pub const HISTORY_COLUMNS: &str =
    "person, requirement, [version], activity, completed_at, [assessor], [score], [source]";

pub fn write(
    folder: &Path,
    size: &Size,
    people: &[Person],
    documents: &[Document],
    made: &[Requirement],
    rng: &mut Rng,
    dress: &Dress,
) -> io::Result<()> {
    write_exemptions(folder, people, documents, made, rng, dress)?;
    let mut sheet = Sheet::new("history.csv", HISTORY_COLUMNS);
    let (with_assessor, with_source) = (rng.chance(75), rng.chance(75));
    let quota = size.history / people.len();
    for person in people {
        let written = BTreeSet::new();
        let mut teller = Teller { person, rng, with_assessor, with_source, sheet: &mut sheet, rows: 0, written };
        let mut mine: Vec<&Requirement> = made.iter().filter(|made| is_mapped(person, made)).collect();
        if mine.is_empty() {
            mine.extend(made.first());
        }
        teller.rng.shuffle(&mut mine);
        for requirement in mine {
            if teller.rows >= quota {
                break;
            }
            let versions = requirement.document.map(|document| &documents[document].versions[..]);
            teller.tell(requirement, versions);
        }
    }
    if rng.chance(75) {
        sheet.shuffle(rng);
    }
    sheet.write_optional(folder, rng, dress)
}

fn is_mapped(person: &Person, requirement: &Requirement) -> bool {
    requirement.classes.iter().any(|class| person.classes.contains(class))
}

fn write_exemptions(
    folder: &Path,
    people: &[Person],
    documents: &[Document],
    made: &[Requirement],
    rng: &mut Rng,
    dress: &Dress,
) -> io::Result<()> {
    let columns = "person, requirement, [version], reason, approved_by, from, [until]";
    let mut sheet = Sheet::new("exemptions.csv", columns);
    for requirement in made.iter().filter(|_| people.len() > 1) {
        let mapped: Vec<&Person> = people.iter().filter(|person| is_mapped(person, requirement)).collect();
        if mapped.is_empty() || !rng.chance(50) {
            continue;
        }
        let person = *rng.pick(&mapped);
        let approver = people.iter().find(|other| other.id != person.id).expect("there is a second person");
        let versions = requirement.document.map_or(&[][..], |document| &documents[document].versions);
        let version = if versions.is_empty() || rng.chance(40) { "" } else { &rng.pick(versions).name };
        let from = between(person.clock, first_instant(), last_instant(), rng);
        let from = moment(person.clock, from, rng);
        let until = moment(person.clock, from.at + TimeDelta::days(rng.range(2, 500)), rng);
        let until = if rng.chance(50) { until.cell } else { String::new() };
        let reason = *rng.pick(&["Vergleichbare Prüfung", "Trained \"elsewhere\", by the vendor"]);
        sheet.row([&person.id, &requirement.id, version, reason, &approver.id, &from.cell, &until]);
    }
    sheet.shuffle(rng);
    sheet.write_optional(folder, rng, dress)
}

/// Writes the history of one person.
struct Teller<'a> {
    person: &'a Person,
    rng: &'a mut Rng,
    with_assessor: bool,
    with_source: bool,
    sheet: &'a mut Sheet,
    rows: usize,
    /// What was written of the requirement at hand: no two rows share activity, instant and score.
    written: BTreeSet<(Kind, Instant, String)>,
}

/// Training for one requirement on one version.
#[derive(Clone, Copy)]
struct Round<'a> {
    requirement: &'a Requirement,
    /// None for a requirement on no document.
    versions: Option<&'a [Version]>,
    /// Index of the version.
    index: usize,
}

impl Teller<'_> {
    /// A few rounds of training for one requirement; none on a document without versions.
    fn tell(&mut self, requirement: &Requirement, versions: Option<&[Version]>) {
        let count = versions.map_or(1, <[Version]>::len);
        if count == 0 {
            return;
        }
        self.written.clear();
        let mut index = self.rng.below(count.min(2));
        while index < count {
            let round = Round { requirement, versions, index };
            let starts = match versions {
                Some(versions) => self.start(&versions[index]),
                None => between(self.person.clock, first_instant(), last_instant(), self.rng),
            };
            self.round(round, starts);
            if let Some(months) = requirement.validity_months.filter(|_| self.rng.chance(50)) {
                let again = starts + Months::new(months) + TimeDelta::days(self.rng.range(-12, 4));
                self.round(round, again);
            }
            index += if self.rng.chance(60) { 1 } else { 2 };
        }
    }

    /// Before the version becomes effective, at that instant, soon after, or much later.
    fn start(&mut self, version: &Version) -> Instant {
        let rng = &mut *self.rng;
        let effective = version.effective_from;
        match rng.below(100) {
            0..30 => between(self.person.clock, version.approved_at, effective + TimeDelta::days(1), rng),
            30..45 => effective,
            45..85 => effective + TimeDelta::minutes(rng.range(0, 14 * 24 * 60)),
            _ => between(self.person.clock, effective, effective + TimeDelta::days(400), rng),
        }
    }

    /// Does the activities on one version: mostly those it demands, mostly all of them, in any order.
    fn round(&mut self, round: Round, starts: Instant) {
        let only_demanded = round.index > 0 && self.rng.chance(65);
        let mut at = starts;
        let mut order: Vec<&Activity> = round.requirement.activities.iter().collect();
        self.rng.shuffle(&mut order);
        for activity in order {
            let version = round.versions.map(|versions| &versions[round.index]);
            let demanded = version.is_none_or(|version| version.impact.demands(activity.kind));
            if (only_demanded && !demanded) || self.rng.chance(4) {
                continue;
            }
            let times = match activity.kind {
                Kind::Runs => (activity.needed + self.rng.below(3)).saturating_sub(self.rng.below(2)),
                _ => 1,
            };
            for _ in 0..times {
                self.attempt(round, activity, at);
                at += TimeDelta::minutes(self.rng.range(0, 3 * 24 * 60));
            }
        }
    }

    /// One pass, for a quiz with failed attempts before, after, or at the same instant.
    fn attempt(&mut self, round: Round, activity: &Activity, at: Instant) {
        let Some(mark) = activity.pass_percent else {
            return self.row(round, activity.kind, at, "");
        };
        let failed = self.rng.range(0, mark - 1).to_string();
        let passed = *self.rng.pick(&[Some(mark), Some(100), Some(mark.min(99) + 1), None]);
        let passed = passed.map_or(String::new(), |score| score.to_string());
        let story = self.rng.below(100);
        self.row(round, Kind::Quiz, at, &passed);
        match story {
            0..12 => self.row(round, Kind::Quiz, at - TimeDelta::minutes(25), &failed),
            12..22 => self.row(round, Kind::Quiz, at + TimeDelta::days(40), &failed),
            22..28 => {
                self.row(round, Kind::Quiz, at + TimeDelta::days(30), &failed);
                self.row(round, Kind::Quiz, at + TimeDelta::days(31), &passed);
            }
            28..33 => self.row(round, Kind::Quiz, at, &failed),
            _ => {}
        }
    }

    /// One row, unless it would be later than history goes, or earlier than its version was approved.
    fn row(&mut self, round: Round, kind: Kind, at: Instant, score: &str) {
        let mut completed = moment(self.person.clock, at, self.rng);
        while self.written.contains(&(kind, completed.at, score.to_string())) {
            completed = exactly(self.person.clock, completed.at + TimeDelta::minutes(1), self.rng);
        }
        let Some(version) = self.version_cell(round, completed.at) else {
            return;
        };
        if completed.at > last_instant() {
            return;
        }
        self.written.insert((kind, completed.at, score.to_string()));
        let person = &self.person.id;
        let assessor = match kind {
            Kind::Runs | Kind::Check if self.with_assessor && self.rng.chance(70) => {
                round.requirement.assessors.iter().find(|assessor| *assessor != person)
            }
            _ => None,
        };
        let assessor = assessor.map_or("", String::as_str);
        let source = if self.with_source { *self.rng.pick(&["", "LMS \"alt\"", "Papier, Ordner 7"]) } else { "" };
        let (requirement, activity) = (&round.requirement.id, kind.word());
        self.sheet.row([person, requirement, &version, activity, &completed.cell, assessor, score, source]);
        self.rows += 1;
    }

    /// How the version is written: sometimes blank where it is in force; none where it is not yet approved.
    fn version_cell(&mut self, round: Round, completed_at: Instant) -> Option<String> {
        let Some(versions) = round.versions else {
            return Some(String::new());
        };
        let version = &versions[round.index];
        if completed_at < version.approved_at {
            return None;
        }
        let now = in_force(versions, completed_at, &Reading::default());
        let blank = now == Some(round.index) && self.rng.chance(45);
        Some(if blank { String::new() } else { version.name.clone() })
    }
}
