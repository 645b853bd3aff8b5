//! Training requirements, and the matrix that maps personnel classes to them.

use shared::id::*;
use shared::kind::plant::{Activity, ActivityKind, Currency, MatrixSet, RequirementCategory, RequirementSet};

use super::csv_table::{Row, Spec};
use super::documents::MAX_WINDOW_DAYS;
use super::error::Reported;
use super::references::{Index, Unique, cycles};
use super::source::{Source, why};
use super::{Located, PlantFolder};

const REQUIREMENTS: Spec = Spec {
    file: "requirements.csv",
    needed: true,
    columns: &["requirement", "title", "category", "activities"],
    optional: &[
        "document",
        "validity_months",
        "currency",
        "window_days",
        "prerequisites",
        "equipment",
        "initial_assessors",
    ],
};
const MATRIX: Spec =
    Spec { file: "matrix.csv", needed: true, columns: &["personnel_class", "requirement"], optional: &[] };

const MAX_RUNS: u32 = 10_000;
const MAX_HOURS: u32 = 100_000;
const MAX_VALIDITY_MONTHS: u32 = 1_200;

/// Reads requirements and matrix. People, equipment, documents, quizzes and checks must be known.
pub(super) fn read(source: &Source<'_>, index: &mut Index, folder: &mut PlantFolder) {
    let pending = requirements(source, index, folder);
    prerequisites(source, index, folder, pending);
    let mut unique = Unique::new();
    source.table(&MATRIX, |row| {
        let (class, requirement) =
            (row.known("personnel_class", &index.classes), row.known("requirement", &index.requirements));
        let (class, requirement) = (class?, requirement?);
        unique.check(row, "requirement", (class.clone(), requirement.clone()), "mapping")?;
        folder.matrix.push(Located { line: row.line, row: MatrixSet { class, requirement, removed: false } });
        Ok(())
    });
}

/// Prerequisites of a requirement as written: they may name requirements further down.
struct Pending {
    line: u64,
    names: Vec<String>,
}

fn requirements(source: &Source<'_>, index: &mut Index, folder: &mut PlantFolder) -> Vec<Pending> {
    let mut pending = Vec::new();
    let unread = source.table(&REQUIREMENTS, |row| {
        let requirement: Result<RequirementId, _> = row.id("requirement");
        let defined =
            requirement.as_ref().map_or(Err(Reported), |id| index.requirements.define(row, "requirement", id));
        pending.push(Pending {
            line: row.line,
            names: row.list("prerequisites").into_iter().map(str::to_owned).collect(),
        });
        let (title, category) = (row.text("title"), row.word("category", &RequirementCategory::ALL));
        let document = row.optional_known("document", &index.documents);
        let activities = activities(row, index);
        if let (Ok(id), Ok(document), Ok(activities), Ok(())) = (&requirement, &document, &activities, &defined) {
            index.asked.insert(id.clone(), (document.clone(), activities.clone()));
        }
        let (validity, window) =
            (row.number("validity_months", 1..=MAX_VALIDITY_MONTHS), row.number("window_days", 0..=MAX_WINDOW_DAYS));
        let (currency, equipment) = (currency(row), row.known_list("equipment", &index.equipment));
        let assessors = row.known_list("initial_assessors", &index.people);
        defined?;
        let body = RequirementSet {
            requirement: requirement?,
            title: title?.to_owned(),
            document: document?,
            category: category?,
            activities: activities?,
            validity_months: validity?,
            currency: currency?,
            window_days: window?,
            prerequisites: Vec::new(),
            equipment: equipment?,
            initial_assessors: assessors?,
        };
        if body.document.is_none() && body.activities.contains(&Activity::Read) {
            row.warn("asks to read, but names no document to read");
        }
        folder.requirements.push(Located { line: row.line, row: body });
        Ok(())
    });
    index.requirements.unread(unread);
    pending
}

/// Resolves the prerequisites, now that all requirements are known, and reports circles.
fn prerequisites(source: &Source<'_>, index: &Index, folder: &mut PlantFolder, pending: Vec<Pending>) {
    for pending in pending {
        // Looked up through a row of its own, so that unknown names are reported like any other reference.
        let row = Row::bare(REQUIREMENTS.file, pending.line, source.sink);
        let found: Vec<RequirementId> =
            pending.names.iter().filter_map(|name| index.requirements.find(&row, "prerequisites", name).ok()).collect();
        if let Some(requirement) = folder.requirements.iter_mut().find(|r| r.line == pending.line) {
            for id in found {
                if !requirement.row.prerequisites.contains(&id) {
                    requirement.row.prerequisites.push(id);
                }
            }
        }
    }
    let all: Vec<&RequirementSet> = folder.requirements.iter().map(|r| &r.row).collect();
    for (requirement, way) in cycles(&all) {
        let line = folder.requirements.iter().find(|r| r.row.requirement == requirement).map_or(0, |r| r.line);
        let problem = format!("comes back to itself: {way}");
        let expected = why(problem, "take one of these prerequisites away");
        source.sink.error(REQUIREMENTS.file, line, Some("prerequisites"), requirement.as_str(), expected);
    }
}

fn activities(row: &Row<'_>, index: &Index) -> Result<Vec<Activity>, Reported> {
    row.text("activities")?;
    let parts = row.list("activities");
    if parts.is_empty() {
        return Err(row.bad("activities", "names no activity", FORM));
    }
    let read: Vec<Result<Activity, Reported>> = parts.iter().map(|part| activity(row, index, part)).collect();
    let mut kinds: Vec<ActivityKind> = Vec::new();
    let mut twice = Ok(());
    for (part, activity) in parts.iter().zip(&read) {
        let Ok(activity) = activity else { continue };
        if kinds.contains(&activity.kind()) {
            let problem =
                format!("is a second `{}`: two activities of one kind are not supported", activity.kind().word());
            twice = Err(row.bad_part("activities", part, problem, "make it a requirement of its own"));
        }
        kinds.push(activity.kind());
    }
    twice?;
    read.into_iter().collect()
}

const FORM: &str = "write `read`, `quiz:ID`, `runs:N`, `check:ID`, `briefing:ID` or `external`, separated by `;`";

fn activity(row: &Row<'_>, index: &Index, part: &str) -> Result<Activity, Reported> {
    let (word, argument) =
        part.split_once(':').map_or((part, None), |(word, argument)| (word.trim_end(), Some(argument.trim_start())));
    match (word, argument) {
        ("read", None) => Ok(Activity::Read),
        ("external", None) => Ok(Activity::External),
        ("quiz", Some(id)) => index.quizzes.find(row, "activities", id).map(Activity::Quiz),
        ("check", Some(id)) => index.checks.find(row, "activities", id).map(Activity::Check),
        ("briefing", Some(id)) => row.part_as_id("activities", id).map(Activity::Briefing),
        ("runs", Some(count)) => row.part_as_number("activities", count, 1..=MAX_RUNS).map(Activity::Runs),
        _ => Err(row.bad_part("activities", part, "is no activity", FORM)),
    }
}

fn currency(row: &Row<'_>) -> Result<Option<Currency>, Reported> {
    let Some(text) = row.optional("currency") else { return Ok(None) };
    let days = |part: &str| row.part_as_number("currency", part, 1..=MAX_WINDOW_DAYS);
    let parts = text.split_once(':').map(|(word, rest)| (word.trim_end(), rest.trim(), rest.split_once('/')));
    let currency = match parts {
        Some(("days", within, None)) => Currency::Days(days(within)?),
        Some(("runs", _, Some((count, within)))) => {
            let count = row.part_as_number("currency", count.trim(), 1..=MAX_RUNS);
            Currency::Runs(count?, days(within.trim())?)
        }
        Some(("hours", _, Some((count, within)))) => {
            let count = row.part_as_number("currency", count.trim(), 1..=MAX_HOURS);
            Currency::Hours(count?, days(within.trim())?)
        }
        _ => return Err(row.bad("currency", "is no currency rule", "write `days:N`, `runs:N/DAYS` or `hours:N/DAYS`")),
    };
    Ok(Some(currency))
}
