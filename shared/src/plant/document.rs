//! Controlled documents and their versions: which one is in force, and what evidence on one says about another.

use crate::id::*;
use crate::kind::plant::*;
use crate::time::Timestamp;

use super::fold::Provenance;

/// A controlled document with its drafts and approved versions.
#[derive(Debug, Clone)]
pub struct Document {
    pub set: DocumentSet,
    /// Drafts by version, in the order they were first drafted.
    pub drafts: Vec<(EntryId, VersionDrafted)>,
    /// Approved versions in the order of versions: (effective_from, approved_at, row).
    pub versions: Vec<Version>,
}

/// An approved version.
#[derive(Debug, Clone)]
pub struct Version {
    pub approved: VersionApproved,
    pub entry: EntryId,
    pub provenance: Provenance,
    pub withdrawn_at: Option<Timestamp>,
    pub withdrawn_reason: Option<String>,
    /// Position in the plant's history: breaks ties between versions effective and approved at the same instants.
    pub row: u64,
}

/// Which version counts at an instant.
#[derive(Debug, Clone, Copy)]
pub enum InForce<'a> {
    /// The requirement has no document.
    Always,
    Version(&'a Version),
    /// The one that would be in force is withdrawn; an older one never returns by itself (A14).
    Withdrawn(&'a Version),
    Nothing,
}

/// What a version is at an instant, for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VersionState {
    Upcoming,
    InForce,
    Superseded,
    Withdrawn,
}

impl Version {
    pub fn id(&self) -> &VersionId {
        &self.approved.version
    }
    pub fn effective_from(&self) -> Timestamp {
        self.approved.effective_from
    }
    fn order(&self) -> (Timestamp, Timestamp, u64) {
        (self.approved.effective_from, self.approved.approved_at, self.row)
    }
    /// Withdrawn before it ever counted.
    pub fn never_effective(&self) -> bool {
        self.withdrawn_at.is_some_and(|at| at < self.approved.effective_from)
    }
    fn is_withdrawn(&self, at: Timestamp) -> bool {
        self.withdrawn_at.is_some_and(|withdrawn| withdrawn <= at)
    }
}

impl Document {
    /// The version in force: of the approved versions that were not withdrawn before they became effective, the latest whose
    /// effective instant has come (architecture, section 3).
    pub fn in_force(&self, at: Timestamp) -> InForce<'_> {
        let latest = self.versions.iter().rev().find(|v| v.effective_from() <= at && !v.never_effective());
        match latest {
            None => InForce::Nothing,
            Some(version) if version.is_withdrawn(at) => InForce::Withdrawn(version),
            Some(version) => InForce::Version(version),
        }
    }

    pub fn version(&self, id: &VersionId) -> Option<&Version> {
        self.versions.iter().rev().find(|v| v.id() == id)
    }

    pub fn draft(&self, id: &VersionId) -> Option<&VersionDrafted> {
        self.drafts.iter().rev().find(|(_, d)| d.version == *id).map(|(_, d)| d)
    }

    /// Versions approved and not yet effective, soonest first (U4).
    pub fn upcoming(&self, at: Timestamp) -> impl Iterator<Item = &Version> {
        self.versions.iter().filter(move |v| v.effective_from() > at && !v.is_withdrawn(at))
    }

    pub fn state(&self, version: &Version, at: Timestamp) -> VersionState {
        match self.in_force(at) {
            _ if version.is_withdrawn(at) => VersionState::Withdrawn,
            InForce::Version(current) if current.entry == version.entry => VersionState::InForce,
            _ if version.effective_from() > at => VersionState::Upcoming,
            _ => VersionState::Superseded,
        }
    }

    /// Whether evidence for an activity done on `trained` holds for `current`: no version after `trained`, up to and with `current`,
    /// demands the activity anew. Evidence never holds for an earlier version, nor before its own version is effective.
    pub fn holds_for(&self, trained: &VersionId, current: &Version, kind: ActivityKind, at: Timestamp) -> bool {
        let place = |wanted: &dyn Fn(&Version) -> bool| self.versions.iter().rposition(wanted);
        let (Some(from), Some(to)) = (place(&|v| v.id() == trained), place(&|v| v.entry == current.entry)) else {
            return false;
        };
        let was_effective = self.versions[from].effective_from() <= at && !self.versions[from].never_effective();
        from <= to && was_effective && !self.versions[from + 1..=to].iter().any(|v| v.approved.impact.demands(kind))
    }

    pub(super) fn approve(&mut self, version: Version) {
        // A withdrawn version approved again is a new entry in the order; a standing one is corrected in place.
        let standing = self.versions.iter().position(|v| v.id() == version.id() && v.withdrawn_at.is_none());
        let row = standing.map(|index| self.versions.remove(index).row);
        let version = Version { row: row.unwrap_or(version.row), ..version };
        let place = self.versions.partition_point(|v| v.order() <= version.order());
        self.versions.insert(place, version);
    }

    pub(super) fn withdraw(&mut self, body: &VersionWithdrawn) {
        if let Some(version) = self.versions.iter_mut().rev().find(|v| *v.id() == body.version) {
            version.withdrawn_at = Some(body.withdrawn_at);
            version.withdrawn_reason = Some(body.reason.clone());
        }
    }
}
