//! From rows to the bodies of plant entries, in an order in which nothing refers to what comes later.

use std::collections::{BTreeMap, BTreeSet};

use shared::id::*;
use shared::kind::Body;
use shared::kind::plant::*;
use shared::log::{Stream, Subject};

use super::documents::VersionRow;
use super::personnel::{Badge, PersonRow};
use super::{Located, PlantFolder};

/// What stands as the reason of a withdrawal, for which the folder has no column.
pub(crate) const WITHDRAWN_REASON: &str = "as imported";

/// Largest body of an import, in bytes: an entry holds 16 KiB with header and signatures.
pub const MAX_BODY_BYTES: usize = 14_000;

/// A body and the row it comes from.
pub(super) struct Placed {
    pub file: String,
    pub line: u64,
    pub subject: Subject,
    pub body: Body,
}

impl PlantFolder {
    /// The folder's plant entries. `badge` hashes a badge number under the site's key.
    pub fn bodies(&self, badge: &dyn Fn(&str) -> BadgeHash) -> Vec<(Stream, Subject, Body)> {
        self.placed(badge).into_iter().map(|placed| (stream(&placed.body), placed.subject, placed.body)).collect()
    }

    pub(super) fn placed(&self, badge: &dyn Fn(&str) -> BadgeHash) -> Vec<Placed> {
        let mut all = Bodies::default();
        all.table("sites.csv", &self.sites, |r| Subject::new("site", &r.site));
        all.table("work_units.csv", &self.work_units, |r| Subject::new("work_unit", &r.work_unit));
        all.table("equipment.csv", &self.equipment, |r| Subject::new("equipment", &r.equipment));
        all.table("personnel_classes.csv", &self.classes, |r| Subject::new("class", &r.class));
        all.table("shifts.csv", &self.shifts, |r| Subject::new("shift", &r.shift));
        for person in &self.people {
            all.add("people.csv", person.line, Subject::person(&person.row.person), person_set(&person.row, badge));
        }
        all.table("crews.csv", &self.crews, |r| Subject::person(&r.person));
        all.table("class_members.csv", &self.members, |r| Subject::person(&r.person));
        all.table("roles.csv", &self.roles, |r| Subject::person(&r.person));
        all.table("categories.csv", &self.categories, |r| Subject::new("category", &r.category));
        all.table("documents.csv", &self.documents, |r| Subject::new("document", &r.document));
        self.add_versions(&mut all);
        for quiz in &self.quizzes {
            all.add(
                &format!("quizzes/{}.toml", quiz.row.quiz),
                0,
                Subject::new("quiz", &quiz.row.quiz),
                quiz.row.clone(),
            );
        }
        for check in &self.checks {
            all.add(
                &format!("checks/{}.toml", check.row.check),
                0,
                Subject::new("check", &check.row.check),
                check.row.clone(),
            );
        }
        for requirement in self.prerequisites_first() {
            let subject = Subject::new("requirement", &requirement.row.requirement);
            all.add("requirements.csv", requirement.line, subject, requirement.row.clone());
        }
        all.table("matrix.csv", &self.matrix, |r| Subject::new("class", &r.class));
        all.table("tasks.csv", &self.tasks, |r| Subject::new("task", &r.task));
        all.table("assessors.csv", &self.assessors, |r| Subject::person(&r.person));
        all.table("exemptions.csv", &self.exemptions, |r| Subject::person(&r.person));
        if let Some(policy) = &self.policy {
            all.add("policies.toml", 0, Subject::new("plant", "policy"), policy.clone());
        }
        all.0
    }

    fn add_versions(&self, all: &mut Bodies) {
        let last = self.last_versions();
        let tasks = self.tasks_of_documents();
        for version in &self.versions {
            let (row, line) = (&version.row, version.line);
            let mut add = |body: Body| all.add("versions.csv", line, Subject::new("document", &row.document), body);
            add(drafted(row).into());
            add(approved(row).into());
            if let Some(withdrawn_at) = row.withdrawn_at {
                // Withdrawing a version that has a successor stops nothing (A14).
                let is_last = last.get(&row.document) == Some(&&row.version);
                let tasks = tasks
                    .get(&row.document)
                    .filter(|_| is_last)
                    .map_or_else(Vec::new, |tasks| tasks.iter().cloned().collect());
                let (document, version) = (row.document.clone(), row.version.clone());
                add(VersionWithdrawn { document, version, withdrawn_at, reason: WITHDRAWN_REASON.to_owned(), tasks }
                    .into());
            }
        }
    }

    fn last_versions(&self) -> BTreeMap<&DocumentId, &VersionId> {
        let mut order: Vec<&VersionRow> = self.versions.iter().map(|version| &version.row).collect();
        order.sort_by_key(|version| (version.effective_from, version.approved_at));
        order.into_iter().map(|version| (&version.document, &version.version)).collect()
    }

    fn tasks_of_documents(&self) -> BTreeMap<&DocumentId, BTreeSet<TaskId>> {
        let documents: BTreeMap<&RequirementId, &DocumentId> =
            self.requirements.iter().filter_map(|r| Some((&r.row.requirement, r.row.document.as_ref()?))).collect();
        let mut tasks: BTreeMap<&DocumentId, BTreeSet<TaskId>> = BTreeMap::new();
        for task in &self.tasks {
            for document in task.row.requirements.iter().filter_map(|requirement| documents.get(requirement)) {
                tasks.entry(document).or_default().insert(task.row.task.clone());
            }
        }
        tasks
    }

    /// The requirements in file order, each after those it builds on.
    fn prerequisites_first(&self) -> Vec<&Located<RequirementSet>> {
        let by_id: BTreeMap<&RequirementId, &Located<RequirementSet>> =
            self.requirements.iter().map(|r| (&r.row.requirement, r)).collect();
        let mut placed: BTreeSet<&RequirementId> = BTreeSet::new();
        let mut order = Vec::with_capacity(self.requirements.len());
        // Each requirement is opened once and placed when it comes up again, after its prerequisites.
        let mut opened: BTreeSet<&RequirementId> = BTreeSet::new();
        let mut pending: Vec<&Located<RequirementSet>> = self.requirements.iter().rev().collect();
        while let Some(next) = pending.pop() {
            if placed.contains(&next.row.requirement) {
                continue;
            }
            if opened.insert(&next.row.requirement) {
                pending.push(next);
                let before = next.row.prerequisites.iter().rev().filter(|id| !opened.contains(id));
                pending.extend(before.filter_map(|id| by_id.get(id).copied()));
            } else {
                placed.insert(&next.row.requirement);
                order.push(next);
            }
        }
        order
    }
}

#[derive(Default)]
struct Bodies(Vec<Placed>);

impl Bodies {
    fn add(&mut self, file: &str, line: u64, subject: Subject, body: impl Into<Body>) {
        self.0.push(Placed { file: file.to_owned(), line, subject, body: body.into() });
    }

    fn table<T: Clone + Into<Body>>(&mut self, file: &str, rows: &[Located<T>], subject: impl Fn(&T) -> Subject) {
        rows.iter().for_each(|row| self.add(file, row.line, subject(&row.row), row.row.clone()));
    }
}

/// The stream a body belongs to: every kiosk obeys the whole plant.
fn stream(_: &Body) -> Stream {
    Stream::plant_global()
}

fn person_set(row: &PersonRow, badge: &dyn Fn(&str) -> BadgeHash) -> PersonSet {
    PersonSet {
        person: row.person.clone(),
        printed_name: row.printed_name.clone(),
        site: row.site.clone(),
        language: row.language.clone(),
        badge: match &row.badge {
            Badge::Number(number) => Some(badge(number)),
            Badge::Hashed(hash) => Some(*hash),
            Badge::None => None,
        },
        email: row.email.clone(),
        active: row.active,
        leave: row.leave,
        further_sites: row.further_sites.clone(),
    }
}

fn drafted(row: &VersionRow) -> VersionDrafted {
    VersionDrafted {
        document: row.document.clone(),
        version: row.version.clone(),
        contents: row.contents.clone(),
        changed_steps: row.changed_steps.clone(),
        minutes: row.minutes,
        change_control: None,
    }
}

fn approved(row: &VersionRow) -> VersionApproved {
    VersionApproved {
        document: row.document.clone(),
        version: row.version.clone(),
        approved_at: row.approved_at,
        effective_from: row.effective_from,
        impact: row.impact.clone(),
        impact_reason: row.impact_reason.clone(),
        in_flight: row.in_flight,
        initial_assessors: Vec::new(),
        approved_by: row.approved_by.clone(),
        draft: None,
        review: None,
    }
}
