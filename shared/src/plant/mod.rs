//! The plant as its kiosks must obey it: people, documents, requirements, tasks, authority. Derived by folding the plant streams.
//!
//! [`fold`] turns entries into a [`Plant`]; the rest of this module answers questions of it at an instant.

pub mod document;
pub mod fold;
pub mod import;
pub mod personnel;
pub mod steps;
pub mod task;

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveTime;

use crate::id::*;
use crate::kind::plant::*;
use crate::time::{SiteTime, Timestamp};
pub use document::{Document, InForce, Version, VersionState};
pub use fold::{PlantFact, Provenance};
pub use import::{Acceptance, Import};

/// Everything the plant streams say, as known at one revision.
#[derive(Debug, Clone, Default)]
pub struct Plant {
    pub sites: BTreeMap<SiteId, SiteSet>,
    pub work_units: BTreeMap<WorkUnitId, WorkUnitSet>,
    pub equipment: BTreeMap<EquipmentId, EquipmentSet>,
    pub shifts: BTreeMap<String, ShiftSet>,
    pub crews: BTreeMap<PersonId, Vec<CrewSet>>,
    pub people: BTreeMap<PersonId, PersonSet>,
    /// Of people who ever were said to work at more than one site: all of these.
    pub travellers: BTreeMap<PersonId, BTreeSet<SiteId>>,
    pub badges: BTreeMap<BadgeHash, PersonId>,
    pub disabled_badges: BTreeMap<BadgeHash, LostBadge>,
    pub classes: BTreeMap<ClassId, ClassSet>,
    pub members: BTreeMap<PersonId, Vec<MemberSet>>,
    pub roles: BTreeMap<PersonId, Vec<RoleSet>>,
    pub documents: BTreeMap<DocumentId, Document>,
    pub requirements: BTreeMap<RequirementId, RequirementSet>,
    pub requirements_of: BTreeMap<DocumentId, BTreeSet<RequirementId>>,
    pub matrix: BTreeMap<ClassId, BTreeSet<RequirementId>>,
    pub tasks: BTreeMap<TaskId, TaskSet>,
    pub quizzes: BTreeMap<QuizId, QuizSet>,
    pub checks: BTreeMap<CheckId, CheckSet>,
    pub categories: BTreeMap<CategoryId, CategorySet>,
    pub policy: PolicySet,
    pub policy_entry: Option<EntryId>,
    pub assessors: BTreeMap<RequirementId, Vec<AssessorSet>>,
    pub exemptions: BTreeMap<(PersonId, RequirementId), Vec<ExemptionSet>>,
    pub blocks: BTreeMap<ActId, (EntryId, BlockSet)>,
    /// The latest ruling that names an entry.
    pub rulings: BTreeMap<EntryId, (EntryId, Ruling)>,
    pub key_revocations: BTreeMap<PersonKey, KeyRevoked>,
    pub devices: BTreeMap<DeviceKey, DeviceEnrolled>,
    /// Devices out of use and why, the retired ones among them.
    pub revoked_devices: BTreeMap<DeviceKey, String>,
    pub retired_devices: BTreeSet<DeviceKey>,
    /// Subjects under an entry this version can't read and that asks to deny (`if_unknown`).
    pub unreadable: BTreeMap<String, EntryId>,
    /// What each row says now, by its key: an import compares against it.
    pub rows: BTreeMap<String, Digest32>,
    /// Imports by their batch; those of set-up wait for the first approver's countersignature (K5).
    pub imports: BTreeMap<ActId, Import>,
}

/// A badge out of its owner's hands: refused, and what was signed by it from then on is in doubt (R15).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LostBadge {
    pub since: Timestamp,
    pub reason: String,
}

impl Plant {
    /// The clock that a site's dates go by. A site nobody described goes by UTC with a day that begins at six.
    pub fn site_time(&self, site: Option<&SiteId>) -> SiteTime {
        let described = site.and_then(|id| self.sites.get(id)).or_else(|| self.sites.values().next());
        let (zone, minute) =
            described.map_or((chrono_tz::UTC, 360), |s| (s.zone.parse().unwrap_or(chrono_tz::UTC), s.change_minute));
        let minute = u32::from(minute);
        let change_time = NaiveTime::from_hms_opt(minute / 60 % 24, minute % 60, 0).unwrap_or_default();
        SiteTime { zone, change_time }
    }

    /// The printed name; the id when nobody described the person.
    pub fn printed_name(&self, person: &PersonId) -> String {
        self.people.get(person).map_or_else(|| person.to_string(), |p| p.printed_name.clone())
    }

    /// The version of a requirement's document in force; a requirement without a document has one version, always.
    pub fn in_force(&self, requirement: &RequirementSet, at: Timestamp) -> InForce<'_> {
        match &requirement.document {
            None => InForce::Always,
            Some(document) => self.documents.get(document).map_or(InForce::Nothing, |d| d.in_force(at)),
        }
    }

    /// Whether a version of a procedure, or a quiz, names the blob.
    pub fn names_blob(&self, digest: &Digest32) -> bool {
        let drafts = self.documents.values().flat_map(|document| &document.drafts);
        drafts.flat_map(|(_, draft)| &draft.contents).any(|content| content.hash == *digest)
            || self.quizzes.values().any(|quiz| quiz.paper == *digest)
    }

    /// The kiosk that people call so, as long as it is in use.
    pub fn kiosk_in_use(&self, name: &KioskName) -> Option<&DeviceEnrolled> {
        self.devices.values().find(|device| device.name == *name && !self.revoked_devices.contains_key(&device.device))
    }

    /// The ruling that lifts the hold of exactly this entry, if one stands.
    pub fn ruling_on(&self, entry: &EntryId) -> Option<&Ruling> {
        self.rulings.get(entry).map(|(_, ruling)| ruling)
    }
}
