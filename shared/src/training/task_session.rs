//! Task sessions: a GO opens one at (person, task, work unit, lot or order); it outlives the badge session (S11).

use minicbor::{Decode, Encode};
use serde::Serialize;

use crate::id::*;
use crate::kind::Body;
use crate::kind::presence::SessionEnd;
use crate::log::Entry;
use crate::time::{HOUR_MS, Timestamp};

/// A started task.
#[derive(Debug, Clone, PartialEq, Encode, Decode, Serialize)]
#[cbor(map)]
pub struct TaskSession {
    #[n(0)]
    pub session: ActId,
    #[n(1)]
    pub person: PersonId,
    #[n(2)]
    pub task: TaskId,
    #[n(3)]
    pub work_unit: WorkUnitId,
    #[n(4)]
    pub lot: Option<LotId>,
    #[n(5)]
    pub started_at: Timestamp,
    #[n(6)]
    pub ended_at: Option<Timestamp>,
    #[n(7)]
    pub ended_how: Option<SessionEnd>,
    #[n(8)]
    pub trainer: Option<PersonId>,
    /// The trainer's last confirmation.
    #[n(9)]
    pub confirmed_at: Option<Timestamp>,
    #[n(10)]
    pub versions: Vec<(DocumentId, VersionId)>,
    #[n(11)]
    pub decision: EntryId,
    /// The `task_started`: the session counts as this entry does.
    #[n(12)]
    pub opened_by: EntryId,
}

/// The most that a policy can allow a session (`task_session_max_hours`).
pub const MOST_HOURS: i64 = 168;

/// One stretch of performing a task: what currency counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Performance {
    pub started_at: Timestamp,
    pub ended_at: Option<Timestamp>,
}

/// A person's performances, each with the task performed.
pub type Performances = Vec<(TaskId, Performance)>;

impl Performance {
    /// The last moment by which it is known to have run. No work takes longer than a policy can allow, whoever says when it ended.
    pub fn last_seen(&self, at: Timestamp) -> Timestamp {
        let latest = self.started_at.plus_ms(MOST_HOURS * HOUR_MS);
        self.ended_at.unwrap_or(self.started_at).min(at).min(latest).max(self.started_at)
    }
}

impl TaskSession {
    /// The session that a `task_started` entry opens.
    pub fn opened_by(entry: &Entry) -> Option<Self> {
        let Ok(Some(statement)) = entry.statement() else { return None };
        let (Body::TaskStarted(b), Some(person)) = (statement.body, entry.subject().as_person()) else { return None };
        Some(Self {
            session: b.session,
            person,
            task: b.task,
            work_unit: b.work_unit,
            lot: b.lot,
            started_at: entry.header().wall,
            ended_at: None,
            ended_how: None,
            confirmed_at: b.trainer.is_some().then_some(entry.header().wall),
            trainer: b.trainer,
            versions: b.versions.into_iter().map(|v| (v.document, v.version)).collect(),
            decision: b.decision,
            opened_by: entry.id(),
        })
    }

    /// Follows one more entry of the presence stream.
    pub fn follow(&mut self, entry: &Entry) {
        match entry.statement().ok().flatten().map(|s| s.body) {
            Some(Body::TaskEnded(b)) if b.session == self.session => {
                let at = entry.header().wall;
                if self.ended_at.is_none_or(|ended| at < ended) {
                    (self.ended_at, self.ended_how) = (Some(at), Some(b.how));
                }
            }
            Some(Body::TrainerConfirmed(b)) if b.session == self.session => {
                self.confirmed_at = self.confirmed_at.max(Some(entry.header().wall));
            }
            _ => {}
        }
    }

    /// Whether it runs at `at`, given the longest a session may run.
    pub fn runs(&self, at: Timestamp, max_hours: u32) -> bool {
        let latest = self.started_at.plus_ms(i64::from(max_hours) * HOUR_MS);
        self.started_at <= at && at < self.ended_at.unwrap_or(latest).min(latest)
    }

    pub fn performance(&self) -> Performance {
        Performance { started_at: self.started_at, ended_at: self.ended_at }
    }
}
