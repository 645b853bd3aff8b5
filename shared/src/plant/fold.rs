//! From plant entries to the plant. Facts are folded in one order that every replica computes alike: hybrid clock, then log, then
//! counter; the order of arrival never matters.

use std::collections::BTreeSet;

use super::import::Import;
use super::{Document, LostBadge, Plant, Version};
use crate::id::*;
use crate::kind::plant::*;
use crate::kind::{Body, Family, IfUnknown};
use crate::log::{Entry, LogId};
use crate::time::{HybridTime, Timestamp};

/// Whether people signed a row, or it came with the set-up and waits for a countersignature (K5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Provenance {
    Signed,
    SetUp,
}

/// A plant entry that has effect, ready to be folded.
#[derive(Debug, Clone)]
pub struct PlantFact {
    pub id: EntryId,
    pub order: FoldOrder,
    pub subject: String,
    pub provenance: Provenance,
    /// `None`: of a kind this version doesn't understand, which asks to deny.
    pub body: Option<Body>,
}

/// The order of the fold.
pub type FoldOrder = (HybridTime, LogId, u64, EntryId);

/// Where an entry stands in the order of the fold, which is the same at every replica: what it knew of stands before it.
pub fn order_of(entry: &Entry) -> FoldOrder {
    let header = entry.header();
    (header.hybrid, header.log.clone(), header.counter, entry.id())
}

/// The kind by which a terminal restricts the plant: like every restriction it denies wherever it is held, whatever its own verdict (H4).
pub const RESTRICTION_FROM_TERMINALS: &str = "badge_lost";

impl PlantFact {
    /// Whether an entry bears on the plant.
    pub fn is_in(entry: &Entry) -> bool {
        let of_a_terminal = entry.family() == Family::Record && entry.header().kind == RESTRICTION_FROM_TERMINALS;
        entry.family() == Family::Plant || of_a_terminal
    }

    /// Reads an entry as a fact; `None` when there is nothing to fold (an unknown kind that may be ignored, an unreadable body). What a terminal
    /// can't say readably restricts nothing: else one of them stops all for good.
    pub fn of(entry: &Entry) -> Option<Self> {
        let header = entry.header();
        let body = match entry.statement() {
            Ok(Some(statement)) => Some(statement.body),
            _ if header.if_unknown == IfUnknown::Deny && entry.family() == Family::Plant => None,
            _ => return None,
        };
        let provenance = if entry.blocks().is_empty() { Provenance::SetUp } else { Provenance::Signed };
        let order = order_of(entry);
        Some(Self { id: entry.id(), order, subject: header.subject.to_string(), provenance, body })
    }
}

impl PlantFact {
    fn said_at(&self) -> Timestamp {
        Timestamp(self.order.0.ms)
    }
}

impl Plant {
    /// Folds facts in their order.
    pub fn fold(facts: impl IntoIterator<Item = PlantFact>) -> Self {
        let mut facts: Vec<PlantFact> = facts.into_iter().collect();
        facts.sort_by(|a, b| a.order.cmp(&b.order));
        let mut plant = Self::default();
        facts.iter().for_each(|fact| plant.apply(fact));
        plant
    }

    /// Folds one more fact, which must come after all those folded before.
    pub fn apply(&mut self, fact: &PlantFact) {
        let Some(body) = &fact.body else {
            self.unreadable.insert(fact.subject.clone(), fact.id);
            return;
        };
        if let Some(key) = row_key(body) {
            self.rows.insert(key, body.digest());
        }
        self.set_master_data(body);
        self.set_documents(fact, body);
        self.set_authority(fact, body);
    }

    fn set_master_data(&mut self, body: &Body) {
        match body.clone() {
            Body::SiteSet(b) => drop(self.sites.insert(b.site.clone(), b)),
            Body::WorkUnitSet(b) => drop(self.work_units.insert(b.work_unit.clone(), b)),
            Body::EquipmentSet(b) => drop(self.equipment.insert(b.equipment.clone(), b)),
            Body::ShiftSet(b) => drop(self.shifts.insert(b.shift.clone(), b)),
            Body::CrewSet(b) => {
                put(self.crews.entry(b.person.clone()).or_default(), b, |a, b| {
                    (&a.shift, a.span.from) == (&b.shift, b.span.from)
                });
            }
            Body::PersonSet(b) => self.set_person(b),
            Body::ClassSet(b) => drop(self.classes.insert(b.class.clone(), b)),
            Body::MemberSet(b) => {
                put(self.members.entry(b.person.clone()).or_default(), b, |a, b| {
                    (&a.class, a.span.from) == (&b.class, b.span.from)
                });
            }
            Body::RoleSet(b) => {
                put(self.roles.entry(b.person.clone()).or_default(), b, |a, b| {
                    (a.role, &a.scope, a.span.from) == (b.role, &b.scope, b.span.from)
                });
            }
            Body::QuizSet(b) => drop(self.quizzes.insert(b.quiz.clone(), b)),
            Body::CheckSet(b) => drop(self.checks.insert(b.check.clone(), b)),
            Body::CategorySet(b) => drop(self.categories.insert(b.category.clone(), b)),
            Body::TaskSet(b) => drop(self.tasks.insert(b.task.clone(), b)),
            _ => {}
        }
    }

    fn set_person(&mut self, body: PersonSet) {
        let former = self.people.get(&body.person).into_iter().flat_map(PersonSet::sites);
        let sites: BTreeSet<SiteId> = former.chain(body.sites()).cloned().collect();
        if sites.len() > 1 {
            self.travellers.entry(body.person.clone()).or_default().extend(sites);
        }
        let before = self.people.get(&body.person).and_then(|p| p.badge);
        // Two people may have swapped badges: the former one is only taken away while it still is this person's.
        if let Some(badge) = before.filter(|badge| Some(*badge) != body.badge)
            && self.badges.get(&badge) == Some(&body.person)
        {
            self.badges.remove(&badge);
        }
        if let Some(badge) = body.badge {
            self.badges.insert(badge, body.person.clone());
        }
        self.people.insert(body.person.clone(), body);
    }

    /// Reported more than once, a badge was lost at the earliest of the moments, for the reason said first.
    fn disable_badge(&mut self, badge: BadgeHash, since: Timestamp, reason: String) {
        let lost = self.disabled_badges.entry(badge).or_insert(LostBadge { since, reason });
        lost.since = lost.since.min(since);
    }

    fn set_documents(&mut self, fact: &PlantFact, body: &Body) {
        match body.clone() {
            Body::DocumentSet(b) => {
                let id = b.document.clone();
                match self.documents.get_mut(&id) {
                    Some(document) => document.set = b,
                    None => {
                        drop(self.documents.insert(id, Document { set: b, drafts: Vec::new(), versions: Vec::new() }))
                    }
                }
            }
            Body::VersionDrafted(b) => {
                if let Some(document) = self.documents.get_mut(&b.document) {
                    put(&mut document.drafts, (fact.id, b), |(_, a), (_, b)| a.version == b.version);
                }
            }
            Body::VersionApproved(b) => {
                let row = self.rows.len() as u64;
                if let Some(document) = self.documents.get_mut(&b.document) {
                    let row = document.versions.iter().map(|v| v.row + 1).max().unwrap_or(0).max(row);
                    document.approve(Version {
                        approved: b,
                        entry: fact.id,
                        provenance: fact.provenance,
                        withdrawn_at: None,
                        withdrawn_reason: None,
                        row,
                    });
                }
            }
            Body::VersionWithdrawn(b) => {
                if let Some(document) = self.documents.get_mut(&b.document) {
                    document.withdraw(&b);
                }
            }
            Body::RequirementSet(b) => {
                let former = self.requirements.get(&b.requirement).and_then(|r| r.document.clone());
                if let Some(of) = former.and_then(|document| self.requirements_of.get_mut(&document)) {
                    of.remove(&b.requirement);
                }
                if let Some(document) = &b.document {
                    self.requirements_of.entry(document.clone()).or_default().insert(b.requirement.clone());
                }
                self.requirements.insert(b.requirement.clone(), b);
            }
            Body::MatrixSet(b) => {
                let row = self.matrix.entry(b.class).or_default();
                if b.removed {
                    row.remove(&b.requirement)
                } else {
                    row.insert(b.requirement)
                };
            }
            _ => {}
        }
    }

    fn set_authority(&mut self, fact: &PlantFact, body: &Body) {
        match body.clone() {
            Body::PolicySet(b) => {
                self.policy = b;
                self.policy_entry = Some(fact.id);
            }
            Body::AssessorSet(b) => {
                put(self.assessors.entry(b.requirement.clone()).or_default(), b, |a, b| {
                    (&a.person, a.span.from) == (&b.person, b.span.from)
                });
            }
            Body::ExemptionSet(b) => {
                let key = (b.person.clone(), b.requirement.clone());
                put(self.exemptions.entry(key).or_default(), b, |a, b| {
                    (&a.version, a.span.from) == (&b.version, b.span.from)
                });
            }
            Body::BlockSet(b) => drop(self.blocks.insert(b.block, (fact.id, b))),
            Body::BlockLifted(b) => drop(self.blocks.remove(&b.block)),
            Body::Ruling(b) => {
                for entry in b.entries.clone() {
                    self.rulings.insert(entry, (fact.id, b.clone()));
                }
            }
            Body::BadgeDisabled(b) => self.disable_badge(b.badge, b.since.unwrap_or(fact.said_at()), b.reason),
            Body::BadgeLost(b) => self.disable_badge(b.badge, b.since.unwrap_or(fact.said_at()), b.reason),
            Body::KeyRevoked(b) => drop(self.key_revocations.insert(b.key, b)),
            Body::ImportProposed(b) => {
                self.imports.entry(b.batch).or_insert_with(|| Import::proposed(fact.id, b));
            }
            Body::ImportAccepted(b) => {
                if let Some(import) = self.imports.get_mut(&b.batch) {
                    import.accept(fact.id, fact.provenance, &b);
                }
            }
            Body::DeviceEnrolled(b) => drop(self.devices.insert(b.device, b)),
            Body::DeviceRevoked(b) => {
                if b.retired == Some(true) {
                    self.retired_devices.insert(b.device);
                }
                self.revoked_devices.insert(b.device, b.reason);
            }
            _ => {}
        }
    }
}

/// Replaces the row that `same` recognises, or appends.
fn put<T>(rows: &mut Vec<T>, row: T, same: impl Fn(&T, &T) -> bool) {
    match rows.iter_mut().find(|standing| same(standing, &row)) {
        Some(standing) => *standing = row,
        None => rows.push(row),
    }
}

/// The identity of what a row describes: a second import of the same row changes nothing, a changed row is a new entry.
pub fn row_key(body: &Body) -> Option<String> {
    let from = |span: &crate::time::Span| span.from.map_or_else(String::new, |t| t.to_string());
    Some(match body {
        Body::SiteSet(b) => format!("site\0{}", b.site),
        Body::WorkUnitSet(b) => format!("work_unit\0{}", b.work_unit),
        Body::EquipmentSet(b) => format!("equipment\0{}", b.equipment),
        Body::ShiftSet(b) => format!("shift\0{}", b.shift),
        Body::CrewSet(b) => format!("crew\0{}\0{}\0{}", b.person, b.shift, from(&b.span)),
        Body::PersonSet(b) => format!("person\0{}", b.person),
        Body::ClassSet(b) => format!("class\0{}", b.class),
        Body::MemberSet(b) => format!("member\0{}\0{}\0{}", b.person, b.class, from(&b.span)),
        Body::RoleSet(b) => {
            format!("role\0{}\0{}\0{}\0{}", b.person, b.role.word(), b.scope.as_deref().unwrap_or(""), from(&b.span))
        }
        Body::DocumentSet(b) => format!("document\0{}", b.document),
        Body::VersionDrafted(b) => format!("draft\0{}\0{}", b.document, b.version),
        Body::VersionApproved(b) => format!("approved\0{}\0{}", b.document, b.version),
        Body::VersionWithdrawn(b) => format!("withdrawn\0{}\0{}", b.document, b.version),
        Body::RequirementSet(b) => format!("requirement\0{}", b.requirement),
        Body::MatrixSet(b) => format!("matrix\0{}\0{}", b.class, b.requirement),
        Body::TaskSet(b) => format!("task\0{}", b.task),
        Body::QuizSet(b) => format!("quiz\0{}", b.quiz),
        Body::CheckSet(b) => format!("check\0{}", b.check),
        Body::CategorySet(b) => format!("category\0{}", b.category),
        Body::PolicySet(_) => "policy".to_owned(),
        Body::AssessorSet(b) => format!("assessor\0{}\0{}\0{}", b.person, b.requirement, from(&b.span)),
        Body::ExemptionSet(b) => {
            let version = b.version.as_ref().map_or("", VersionId::as_str);
            format!("exemption\0{}\0{}\0{version}\0{}", b.person, b.requirement, from(&b.span))
        }
        _ => return None,
    })
}
