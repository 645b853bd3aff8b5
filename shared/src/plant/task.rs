//! Tasks: where they are done, who may be considered, what governs them, how long without contact.

use super::Plant;
use crate::id::*;
use crate::kind::plant::*;
use crate::time::{HOUR_MS, Timestamp};

impl Plant {
    /// The tasks done at a work unit, by id.
    pub fn tasks_at<'a>(&'a self, work_unit: &'a WorkUnitId) -> impl Iterator<Item = &'a TaskSet> {
        self.tasks.values().filter(move |task| task.work_units.contains(work_unit))
    }

    /// Whether one of the person's classes is listed for the task there; a task that lists none is open to all.
    pub fn class_may(&self, task: &TaskSet, work_unit: &WorkUnitId, person: &PersonId, at: Timestamp) -> bool {
        let listed = |class: &ClassId| {
            task.classes.iter().any(|t| t.class == *class && t.work_unit.as_ref().is_none_or(|u| u == work_unit))
        };
        task.classes.is_empty() || self.classes_of(person, at).any(listed)
    }

    /// How long a kiosk may judge the task without contact, in milliseconds (U5).
    pub fn lease_ms(&self, task: &TaskSet) -> i64 {
        let lease = &self.policy.lease;
        let hours = task.offline_limit_hours.unwrap_or(match task.criticality {
            Criticality::Critical => lease.critical_offline_hours,
            Criticality::Routine => lease.routine_offline_hours,
        });
        i64::from(hours) * HOUR_MS
    }

    /// Blocks that stand for the person on the task or one of its requirements.
    pub fn blocks_on(&self, person: &PersonId, task: &TaskSet, at: Timestamp) -> Vec<&BlockSet> {
        let whom = |block: &BlockSet| match &block.whom {
            Whom::Person(blocked) => blocked == person,
            Whom::Class(class) => self.classes_of(person, at).any(|held| held == class),
        };
        let what = |block: &BlockSet| match &block.what {
            What::Task(blocked) => *blocked == task.task,
            What::Requirement(requirement) => task.requirements.contains(requirement),
        };
        self.blocks.values().map(|(_, block)| block).filter(|block| whom(block) && what(block)).collect()
    }
}
