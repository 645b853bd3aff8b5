//! Tasks: where they are done, what governs them, who may do them.

use std::collections::HashMap;

use shared::id::*;
use shared::kind::plant::{Criticality, TaskClass, TaskSet};

use super::csv_table::Spec;
use super::error::Reported;
use super::references::{Index, Unique};
use super::source::Source;
use super::{Located, PlantFolder};

const TASKS: Spec = Spec {
    file: "tasks.csv",
    needed: true,
    columns: &["task", "title", "work_units", "criticality"],
    optional: &["offline_limit_hours", "lot_required"],
};
const TASK_REQUIREMENTS: Spec =
    Spec { file: "task_requirements.csv", needed: true, columns: &["task", "requirement"], optional: &[] };
const TASK_CLASSES: Spec =
    Spec { file: "task_classes.csv", needed: false, columns: &["task", "personnel_class"], optional: &["work_unit"] };

pub(super) const CRITICALITY_WORDS: [(Criticality, &str); 2] =
    [(Criticality::Critical, "critical"), (Criticality::Routine, "routine")];
const MAX_OFFLINE_HOURS: u32 = 8_784;

/// Reads tasks with their requirements and classes. Work units, classes and requirements must be known.
pub(super) fn read(source: &Source<'_>, index: &mut Index, folder: &mut PlantFolder) {
    tasks(source, index, folder);
    let mut requirements = task_requirements(source, index);
    let mut classes = task_classes(source, index, folder);
    for task in &mut folder.tasks {
        task.row.requirements = requirements.remove(&task.row.task).unwrap_or_default();
        task.row.classes = classes.remove(&task.row.task).unwrap_or_default();
        if task.row.requirements.is_empty() {
            let message = format!("task `{}` has no requirement: nobody will ever get GO for it", task.row.task);
            source.sink.warn(TASKS.file, task.line, message);
        }
    }
}

fn tasks(source: &Source<'_>, index: &mut Index, folder: &mut PlantFolder) {
    let unread = source.table(&TASKS, |row| {
        let task: Result<TaskId, _> = row.id("task");
        let defined = task.as_ref().map_or(Err(Reported), |task| index.tasks.define(row, "task", task));
        let (title, criticality) = (row.text("title"), row.word("criticality", &CRITICALITY_WORDS));
        let named = row.text("work_units").map(drop);
        let work_units = row.known_list("work_units", &index.work_units);
        let (limit, lot) = (row.number("offline_limit_hours", 0..=MAX_OFFLINE_HOURS), row.flag("lot_required"));
        named?;
        defined?;
        let work_units = work_units?;
        if work_units.is_empty() {
            return Err(row.bad("work_units", "names no work unit", "name at least one"));
        }
        let body = TaskSet {
            task: task?,
            title: title?.to_owned(),
            work_units,
            criticality: criticality?,
            offline_limit_hours: limit?,
            lot_required: lot?,
            requirements: Vec::new(),
            classes: Vec::new(),
        };
        folder.tasks.push(Located { line: row.line, row: body });
        Ok(())
    });
    index.tasks.unread(unread);
}

fn task_requirements(source: &Source<'_>, index: &Index) -> HashMap<TaskId, Vec<RequirementId>> {
    let mut unique = Unique::new();
    let mut of: HashMap<TaskId, Vec<RequirementId>> = HashMap::new();
    source.table(&TASK_REQUIREMENTS, |row| {
        let (task, requirement) = (row.known("task", &index.tasks), row.known("requirement", &index.requirements));
        let (task, requirement) = (task?, requirement?);
        unique.check(row, "requirement", (task.clone(), requirement.clone()), "mapping")?;
        of.entry(task).or_default().push(requirement);
        Ok(())
    });
    of
}

fn task_classes(source: &Source<'_>, index: &Index, folder: &PlantFolder) -> HashMap<TaskId, Vec<TaskClass>> {
    let units: HashMap<&TaskId, &[WorkUnitId]> =
        folder.tasks.iter().map(|t| (&t.row.task, t.row.work_units.as_slice())).collect();
    let mut unique = Unique::new();
    let mut of: HashMap<TaskId, Vec<TaskClass>> = HashMap::new();
    source.table(&TASK_CLASSES, |row| {
        let (task, class) = (row.known("task", &index.tasks), row.known("personnel_class", &index.classes));
        let work_unit = row.optional_known("work_unit", &index.work_units);
        let (task, class, work_unit) = (task?, class?, work_unit?);
        unique.check(row, "personnel_class", (task.clone(), class.clone(), work_unit.clone()), "permission")?;
        if let (Some(unit), Some(units)) = (&work_unit, units.get(&task))
            && !units.contains(unit)
        {
            row.warn(format!("task `{task}` is not done at work unit `{unit}`"));
        }
        of.entry(task).or_default().push(TaskClass { class, work_unit });
        Ok(())
    });
    of
}
