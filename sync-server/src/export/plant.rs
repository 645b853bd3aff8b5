//! Writes the plant as a plant folder: what [`crate::import::read`] takes, so that reading it back changes nothing.
//!
//! Three things differ from the folder a plant once came from:
//! - Badge numbers are kept nowhere. The column holds `sha256:` and the hash under this plant's key; a plant with another key can't
//!   use it.
//! - Content files are named after document, version, language and content.
//! - What has no column stays behind: drafts that nobody approved, blocks, rulings, devices, who signed.
//!
//! Cells are written as they are, also those a spreadsheet would take for formulas: changing them would change the plant, and who approves
//! the next import would be asked to sign the change. Whoever exports is told so.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use shared::id::{Digest32, PersonId, QuizId};
use shared::kind::plant::*;
use shared::kind::record::LegacyRow;
use shared::plant::personnel::minute_text;
use shared::plant::{Plant, Version};
use shared::time::{Span, Timestamp};
use shared::training::quiz::Paper;

use crate::import::documents::NO_LANGUAGE;
use crate::import::personnel::{HASHED_BADGE, NO_BADGE};

/// What a folder holds besides the plant's own entries.
pub struct Beside<'a> {
    /// The bytes of a content file or quiz paper.
    pub blob: &'a dyn Fn(&Digest32) -> io::Result<Vec<u8>>,
    /// Right answers of every quiz, from their sealed boxes: positions from 0.
    pub answers: &'a BTreeMap<QuizId, Vec<Vec<u16>>>,
    /// Imported history, person by person.
    pub history: &'a mut dyn Iterator<Item = (PersonId, LegacyRow)>,
}

/// Writes the folder, which is made if it isn't there. Files of the same names are replaced, others left alone.
pub fn write(folder: &Path, plant: &Plant, beside: &mut Beside<'_>) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    write_enterprise(folder, plant)?;
    write_personnel(folder, plant)?;
    write_documents(folder, plant, beside)?;
    write_requirements(folder, plant)?;
    write_tasks(folder, plant)?;
    write_rights(folder, plant)?;
    for quiz in plant.quizzes.values() {
        write_quiz(folder, quiz, beside)?;
    }
    for check in plant.checks.values() {
        write_settings(folder, "checks", check.check.as_str(), &check_table(check))?;
    }
    if plant.policy_entry.is_some() {
        let text = toml::to_string(&plant.policy).map_err(io::Error::other)?;
        fs::write(folder.join("policies.toml"), text)?;
    }
    write_history(folder, beside)
}

fn write_enterprise(folder: &Path, plant: &Plant) -> io::Result<()> {
    table(folder, "sites.csv", ["site", "name", "time_zone", "change_time"], &plant.sites, |(_, s)| {
        [text(&s.site), s.name.clone(), s.zone.clone(), minute_text(s.change_minute)]
    })?;
    table(
        folder,
        "work_units.csv",
        ["site", "area", "work_center", "work_unit", "name"],
        &plant.work_units,
        |(_, u)| [text(&u.site), u.area.clone(), text(&u.work_center), text(&u.work_unit), u.name.clone()],
    )?;
    table(folder, "equipment.csv", ["equipment", "work_unit", "name"], &plant.equipment, |(_, e)| {
        [text(&e.equipment), text(&e.work_unit), e.name.clone()]
    })?;
    table(folder, "shifts.csv", ["shift", "work_center", "start", "end"], &plant.shifts, |(_, s)| {
        [s.shift.clone(), text(&s.work_center), minute_text(s.start_minute), minute_text(s.end_minute)]
    })?;
    let crews = plant.crews.values().flatten();
    table(folder, "crews.csv", ["person", "shift", "supervisor", "from", "until"], crews, |c| {
        let [from, until] = span(&c.span);
        [text(&c.person), c.shift.clone(), maybe(&c.supervisor), from, until]
    })
}

fn write_personnel(folder: &Path, plant: &Plant) -> io::Result<()> {
    table(folder, "personnel_classes.csv", ["personnel_class", "name"], &plant.classes, |(_, c)| {
        [text(&c.class), c.name.clone()]
    })?;
    let people = [
        "person",
        "printed_name",
        "site",
        "language",
        "badge",
        "email",
        "active_from",
        "active_until",
        "leave_from",
        "leave_until",
    ];
    table(folder, "people.csv", people, plant.people.values(), person_cells)?;
    let further = plant.people.values().flat_map(|p| p.further_sites.iter().map(move |site| (p, site)));
    table(folder, "person_sites.csv", ["person", "site", "from", "until"], further, |(p, further)| {
        let [from, until] = span(&further.span);
        [text(&p.person), text(&further.site), from, until]
    })?;
    let members = plant.members.values().flatten();
    table(folder, "class_members.csv", ["person", "personnel_class", "from", "until"], members, |m| {
        let [from, until] = span(&m.span);
        [text(&m.person), text(&m.class), from, until]
    })?;
    table(folder, "roles.csv", ["person", "role", "scope", "from", "until"], plant.roles.values().flatten(), |r| {
        let [from, until] = span(&r.span);
        [text(&r.person), r.role.word().to_owned(), maybe(&r.scope), from, until]
    })
}

fn person_cells(p: &PersonSet) -> [String; 10] {
    let badge = p.badge.map_or_else(|| NO_BADGE.to_owned(), |hash| hash.to_string());
    let ([active_from, active_until], [leave_from, leave_until]) = (span(&p.active), span(&p.leave));
    [
        text(&p.person),
        p.printed_name.clone(),
        text(&p.site),
        text(&p.language),
        format!("{HASHED_BADGE}{badge}"),
        maybe(&p.email),
        active_from,
        active_until,
        leave_from,
        leave_until,
    ]
}

fn write_documents(folder: &Path, plant: &Plant, beside: &Beside<'_>) -> io::Result<()> {
    table(folder, "categories.csv", ["category", "window_days"], &plant.categories, |(_, c)| {
        [text(&c.category), text(c.window_days)]
    })?;
    let documents = plant.documents.values().map(|document| &document.set);
    table(folder, "documents.csv", ["document", "title", "category", "owner", "site"], documents, |d| {
        [text(&d.document), d.title.clone(), text(&d.category), d.owner.clone(), maybe(&d.site)]
    })?;
    let mut rows = Vec::new();
    for document in plant.documents.values() {
        for version in standing(&document.versions) {
            // A version without its draft, which no import and no approval makes, has no content to write.
            for content in document.draft(version.id()).into_iter().flat_map(|draft| &draft.contents) {
                let path = content_path(version, content);
                let file = folder.join(&path);
                file.parent().map_or(Ok(()), fs::create_dir_all)?;
                fs::write(file, (beside.blob)(&content.hash)?)?;
                let draft = document.draft(version.id());
                rows.push(version_cells(version, draft, content, path));
            }
        }
    }
    let columns = [
        "document",
        "version",
        "approved_at",
        "effective_from",
        "training_impact",
        "change_summary",
        "content",
        "language",
        "withdrawn_at",
        "approved_by",
        "impact_reason",
        "in_flight",
        "minutes",
        "changed_steps",
    ];
    table(folder, "versions.csv", columns, rows, |row| row)
}

/// The versions in their order; of one that was withdrawn and approved again, the last approval only.
fn standing(versions: &[Version]) -> impl Iterator<Item = &Version> {
    versions
        .iter()
        .enumerate()
        .filter(|(place, v)| !versions[place + 1..].iter().any(|later| later.id() == v.id()))
        .map(|(_, v)| v)
}

fn version_cells(version: &Version, draft: Option<&VersionDrafted>, content: &Content, path: String) -> [String; 14] {
    let approved = &version.approved;
    let impact = match &approved.impact {
        Impact::None => "none".to_owned(),
        Impact::Full => "full".to_owned(),
        Impact::Some(kinds) => list(kinds.iter().map(|kind| kind.word())),
    };
    let in_flight = match approved.in_flight {
        InFlight::Finish => "finish",
        InFlight::Stop => "stop",
    };
    let language = if content.language.as_str() == NO_LANGUAGE { String::new() } else { text(&content.language) };
    [
        text(&approved.document),
        text(&approved.version),
        text(approved.approved_at),
        text(approved.effective_from),
        impact,
        content.change_summary.clone(),
        path,
        language,
        maybe(&version.withdrawn_at),
        maybe(&approved.approved_by),
        maybe(&approved.impact_reason),
        in_flight.to_owned(),
        maybe(&draft.and_then(|draft| draft.minutes)),
        list(draft.into_iter().flat_map(|draft| &draft.changed_steps)),
    ]
}

fn content_path(version: &Version, content: &Content) -> String {
    let ending = match content.format {
        Format::Markdown => "md",
        Format::Pdf => "pdf",
    };
    let (document, name) = (file_name(version.approved.document.as_str()), file_name(version.id().as_str()));
    format!("content/{document}/{name}-{}-{}.{ending}", file_name(content.language.as_str()), content.hash.short())
}

/// An id as part of a path: letters and digits of any script stay.
fn file_name(id: &str) -> String {
    let safe = |c: char| if c.is_alphanumeric() || matches!(c, '-' | '_') { c } else { '_' };
    id.chars().map(safe).collect()
}

fn write_requirements(folder: &Path, plant: &Plant) -> io::Result<()> {
    let columns = [
        "requirement",
        "title",
        "document",
        "category",
        "activities",
        "validity_months",
        "currency",
        "window_days",
        "prerequisites",
        "equipment",
        "initial_assessors",
    ];
    table(folder, "requirements.csv", columns, plant.requirements.values(), |r| {
        [
            text(&r.requirement),
            r.title.clone(),
            maybe(&r.document),
            r.category.word().to_owned(),
            list(r.activities.iter().map(activity)),
            maybe(&r.validity_months),
            r.currency.map_or_else(String::new, currency),
            maybe(&r.window_days),
            list(&r.prerequisites),
            list(&r.equipment),
            list(&r.initial_assessors),
        ]
    })?;
    let matrix = plant.matrix.iter().flat_map(|(class, requirements)| requirements.iter().map(move |r| (class, r)));
    table(folder, "matrix.csv", ["personnel_class", "requirement"], matrix, |(class, r)| [text(class), text(r)])
}

fn activity(activity: &Activity) -> String {
    let word = activity.kind().word();
    match activity {
        Activity::Read | Activity::External => word.to_owned(),
        Activity::Quiz(id) => format!("{word}:{id}"),
        Activity::Runs(count) => format!("{word}:{count}"),
        Activity::Check(id) => format!("{word}:{id}"),
        Activity::Briefing(id) => format!("{word}:{id}"),
    }
}

fn currency(currency: Currency) -> String {
    match currency {
        Currency::Days(days) => format!("days:{days}"),
        Currency::Runs(count, days) => format!("runs:{count}/{days}"),
        Currency::Hours(count, days) => format!("hours:{count}/{days}"),
    }
}

fn write_tasks(folder: &Path, plant: &Plant) -> io::Result<()> {
    let columns = ["task", "title", "work_units", "criticality", "offline_limit_hours", "lot_required"];
    table(folder, "tasks.csv", columns, plant.tasks.values(), |t| {
        let criticality = match t.criticality {
            Criticality::Critical => "critical",
            Criticality::Routine => "routine",
        };
        let limit = maybe(&t.offline_limit_hours);
        [text(&t.task), t.title.clone(), list(&t.work_units), criticality.to_owned(), limit, text(t.lot_required)]
    })?;
    let requirements = plant.tasks.values().flat_map(|t| t.requirements.iter().map(move |r| (&t.task, r)));
    table(folder, "task_requirements.csv", ["task", "requirement"], requirements, |(task, r)| [text(task), text(r)])?;
    let classes = plant.tasks.values().flat_map(|t| t.classes.iter().map(move |class| (&t.task, class)));
    table(folder, "task_classes.csv", ["task", "personnel_class", "work_unit"], classes, |(task, c)| {
        [text(task), text(&c.class), maybe(&c.work_unit)]
    })
}

fn write_rights(folder: &Path, plant: &Plant) -> io::Result<()> {
    let assessors = plant.assessors.values().flatten();
    table(folder, "assessors.csv", ["person", "requirement", "from", "until"], assessors, |a| {
        let [from, until] = span(&a.span);
        [text(&a.person), text(&a.requirement), from, until]
    })?;
    let columns = ["person", "requirement", "version", "reason", "approved_by", "from", "until"];
    table(folder, "exemptions.csv", columns, plant.exemptions.values().flatten(), |e| {
        let [from, until] = span(&e.span);
        [text(&e.person), text(&e.requirement), maybe(&e.version), e.reason.clone(), e.approved_by.clone(), from, until]
    })
}

fn write_history(folder: &Path, beside: &mut Beside<'_>) -> io::Result<()> {
    let columns = ["person", "requirement", "version", "activity", "completed_at", "assessor", "score", "source"];
    table(folder, "history.csv", columns, &mut *beside.history, |(person, row)| {
        [
            text(person),
            text(&row.requirement),
            maybe(&row.version),
            row.activity.word().to_owned(),
            text(row.completed_at),
            maybe(&row.assessor),
            maybe(&row.score_percent),
            maybe(&row.source),
        ]
    })
}

fn write_quiz(folder: &Path, quiz: &QuizSet, beside: &Beside<'_>) -> io::Result<()> {
    let id = &quiz.quiz;
    let paper = Paper::decode(&(beside.blob)(&quiz.paper)?).map_err(io::Error::other)?;
    let missing = || io::Error::new(io::ErrorKind::NotFound, format!("the right answers of quiz `{id}` are missing"));
    let right = beside.answers.get(id).filter(|right| right.len() == paper.questions.len()).ok_or_else(missing)?;
    let question = |(question, right): (&shared::training::quiz::Question, &Vec<u16>)| {
        let correct: Vec<i64> = right.iter().map(|place| i64::from(*place) + 1).collect();
        entries([
            ("text", question.text.clone().into()),
            ("answers", question.answers.clone().into()),
            ("correct", correct.into()),
        ])
    };
    let questions: Vec<toml::Table> = paper.questions.iter().zip(right).map(question).collect();
    let whole = entries([
        ("title", quiz.title.clone().into()),
        ("pass_percent", i64::from(quiz.pass_percent).into()),
        ("ask", i64::from(quiz.ask).into()),
        ("max_attempts", i64::from(quiz.max_attempts).into()),
        ("question", questions.into()),
    ]);
    write_settings(folder, "quizzes", id.as_str(), &whole)
}

fn check_table(check: &CheckSet) -> toml::Table {
    let criterion = |criterion: &Criterion| {
        let kind = if criterion.measure.is_some() { "measured" } else { "pass_fail" };
        let mut table = entries([
            ("text", criterion.text.clone().into()),
            ("kind", kind.into()),
            ("critical", criterion.critical.into()),
        ]);
        if let Some(measure) = &criterion.measure {
            table.insert("unit".to_owned(), measure.unit.clone().into());
            let limits = [("min", &measure.min), ("max", &measure.max)];
            table.extend(limits.into_iter().filter_map(|(key, limit)| Some((key.to_owned(), limit.clone()?.into()))));
        }
        table
    };
    let criteria: Vec<toml::Table> = check.criteria.iter().map(criterion).collect();
    entries([("title", check.title.clone().into()), ("criterion", criteria.into())])
}

fn entries<const N: usize>(entries: [(&str, toml::Value); N]) -> toml::Table {
    entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

fn write_settings(folder: &Path, below: &str, id: &str, table: &toml::Table) -> io::Result<()> {
    if id.contains(['/', '\\']) || id.starts_with('.') {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("`{id}` can't be the name of a file")));
    }
    fs::create_dir_all(folder.join(below))?;
    let text = toml::to_string(table).map_err(io::Error::other)?;
    fs::write(folder.join(below).join(format!("{id}.toml")), text)
}

/// Writes a table, also an empty one: a file of an earlier export must not speak for this one.
fn table<T, const N: usize>(
    folder: &Path,
    file: &str,
    columns: [&str; N],
    rows: impl IntoIterator<Item = T>,
    cells: impl Fn(T) -> [String; N],
) -> io::Result<()> {
    let mut writer = csv::Writer::from_path(folder.join(file)).map_err(io::Error::other)?;
    writer.write_record(columns).map_err(io::Error::other)?;
    for row in rows {
        writer.write_record(cells(row)).map_err(io::Error::other)?;
    }
    writer.flush()
}

fn text(value: impl ToString) -> String {
    value.to_string()
}

fn maybe<T: ToString>(value: &Option<T>) -> String {
    value.as_ref().map_or_else(String::new, T::to_string)
}

fn list<T: ToString>(items: impl IntoIterator<Item = T>) -> String {
    items.into_iter().map(|item| item.to_string()).collect::<Vec<_>>().join(";")
}

fn span(span: &Span) -> [String; 2] {
    [maybe::<Timestamp>(&span.from), maybe(&span.until)]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::import::tests::{Folder, badge, plant_of};
    use crate::import::{difference, read};

    #[test]
    fn k2_a_plant_written_and_read_again_is_the_same_plant() {
        written_and_read_again(&Folder::good());
    }

    #[test]
    fn k2_cells_that_a_spreadsheet_would_take_for_formulas_are_the_same_plant_too() {
        let folder = Folder::good();
        for name in ["=HYPERLINK(A1)", "+1", "-1", "@SUM(A1)", "'=1"] {
            folder.edit("people.csv", "Jonas Weiß", name);
            let target = written_and_read_again(&folder);
            let people = fs::read_to_string(target.path().join("people.csv")).unwrap();
            assert!(people.contains(&format!(",{name},")), "{people}");
            folder.edit("people.csv", name, "Jonas Weiß");
        }
    }

    /// The folder as it is exported.
    fn written_and_read_again(folder: &Folder) -> tempfile::TempDir {
        let original = read(folder.path()).unwrap();
        let plant = plant_of(&original);
        let history: Vec<_> = original
            .legacy_batches(shared::id::ActId([0; 16]), &|_| false)
            .flat_map(|(person, batch)| batch.rows.into_iter().map(move |row| (person.clone(), row)))
            .collect();
        let target = tempfile::tempdir().unwrap();
        let mut rows = history.clone().into_iter();
        let mut beside =
            Beside { blob: &|digest| original.blob(digest), answers: &original.answers, history: &mut rows };
        write(target.path(), &plant, &mut beside).unwrap();
        let again = read(target.path()).unwrap_or_else(|errors| panic!("{errors:#?}"));
        let difference = difference(again.bodies(&badge), &plant);
        assert_eq!(difference.new_or_changed.len(), 0, "{:#?}", difference.new_or_changed);
        assert_eq!(difference.unchanged, plant.rows.len());
        assert_eq!(difference.note(), None);
        assert_eq!(again.answers, original.answers);
        let known: BTreeSet<Digest32> = history
            .chunk_by(|a, b| a.0 == b.0)
            .flat_map(|rows| {
                let (person, rows) = (rows[0].0.clone(), rows.iter().map(|(_, row)| row.clone()).collect::<Vec<_>>());
                crate::import::row_digests(&person, &rows)
            })
            .collect();
        assert!(known.len() > 3);
        assert_eq!(again.legacy_batches(shared::id::ActId([1; 16]), &|digest| known.contains(digest)).count(), 0);
        target
    }
}
