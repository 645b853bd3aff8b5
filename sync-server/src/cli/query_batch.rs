//! `query qualified --batch`: many questions, answered person by person, printed in the order they were asked.

use std::fs::File;
use std::io;
use std::path::Path;

use serde::Serialize;
use serde_json::json;
use shared::id::{DocumentId, PersonId, VersionId};
use shared::training::point_in_time::Asked;

use super::{Done, Failure, Out, Shared, complete, json_line, named, working};
use crate::core::overview::Batch;
use crate::core::query::Watermark;
use crate::export::cell::inert;

/// One answer as it is printed.
#[derive(Serialize)]
struct Answered<'a> {
    person: &'a str,
    document: &'a str,
    at: &'a str,
    /// `yes`, `yes_carried_over`, `no`, `not_required`; or `unknown_person`, `unknown_document`, `bad_time`.
    answer: &'static str,
    legacy: bool,
    version_in_force: Option<VersionId>,
    trained_on: Option<VersionId>,
}

pub fn run(file: &Path, shared: &Shared, out: Out<'_>) -> Result<Done, Failure> {
    let core = shared.open()?;
    let source = File::open(file).map_err(|why| Failure::Usage(format!("{}: {why}", named(file))))?;
    let questions = read(source, file)?;
    let mut order: Vec<usize> = (0..questions.len()).collect();
    order.sort_by_key(|index| &questions[*index][0]);
    let mut answers: Vec<Option<Answered<'_>>> = questions.iter().map(|_| None).collect();
    let mut batch = core.batch();
    let bar = working("answering");
    for index in order {
        answers[index] = Some(answer(&mut batch, &questions[index])?);
    }
    bar.finish_and_clear();
    let answers: Vec<Answered<'_>> = answers.into_iter().flatten().collect();
    let watermark = core.watermark(None)?;
    if shared.json {
        write_lines(&answers, &watermark, out)?
    } else {
        write_table(&answers, out)?;
        // Beside the table, which is redirected into a file.
        eprintln!("sync-server: {}", complete(&core.plant(), &watermark));
    }
    let unanswered =
        answers.iter().filter(|a| matches!(a.answer, "unknown_person" | "unknown_document" | "bad_time")).count();
    if unanswered > 0 {
        eprintln!(
            "sync-server: {unanswered} of {} questions name something unknown; their answer says what",
            answers.len()
        );
    }
    Ok(Done::Well)
}

fn answer<'q>(batch: &mut Batch<'_>, question: &'q [String; 3]) -> Result<Answered<'q>, Failure> {
    let [person, document, at] = question;
    let (person, document, at) = (person.as_str(), document.as_str(), at.as_str());
    let unknown =
        |answer| Answered { person, document, at, answer, legacy: false, version_in_force: None, trained_on: None };
    let plant = batch.plant();
    let Some(who) = PersonId::new(person).ok().and_then(|id| plant.people.get(&id)) else {
        return Ok(unknown("unknown_person"));
    };
    let (who, site) = (who.person.clone(), &who.site);
    let Some(time) = plant.site_time(Some(site)).parse(at) else { return Ok(unknown("bad_time")) };
    let Some(what) = DocumentId::new(document).ok().filter(|id| plant.documents.contains_key(id)) else {
        return Ok(unknown("unknown_document"));
    };
    let told = batch.answer(&who, Asked::Document(&what), time)?;
    Ok(Answered {
        answer: told.answer.word(),
        legacy: told.legacy,
        version_in_force: told.version_in_force,
        trained_on: told.trained_on,
        ..unknown("")
    })
}

/// Person, document and time of each question; columns in any order. `file` is what it is called.
pub fn read(source: impl io::Read, file: &Path) -> Result<Vec<[String; 3]>, Failure> {
    let bad = |why: csv::Error| Failure::Usage(format!("{}: {why}", named(file)));
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(source);
    let header = reader.headers().map_err(bad)?.clone();
    let column = |name: &str| {
        let found = header.iter().position(|column| column.trim_start_matches('\u{feff}') == name);
        found.ok_or_else(|| {
            Failure::Usage(format!("{} has no column {name}; it needs person, document, at", named(file)))
        })
    };
    let columns = [column("person")?, column("document")?, column("at")?];
    let row = |record: csv::Result<csv::StringRecord>| {
        let record = record.map_err(bad)?;
        Ok(columns.map(|column| record.get(column).unwrap_or_default().to_owned()))
    };
    reader.records().map(row).collect()
}

/// The answers for a person with a spreadsheet. Programs take the lines, in which nothing is altered.
fn write_table(answers: &[Answered<'_>], out: Out<'_>) -> Result<(), Failure> {
    let failed = |why: csv::Error| match why.into_kind() {
        csv::ErrorKind::Io(why) => Failure::Output(why),
        other => Failure::CouldNot(format!("{other:?}")),
    };
    let mut table = csv::Writer::from_writer(out);
    table
        .write_record(["person", "document", "at", "answer", "legacy", "version_in_force", "trained_on"])
        .map_err(failed)?;
    for a in answers {
        let version = |version: &Option<VersionId>| version.as_ref().map_or_else(String::new, ToString::to_string);
        let legacy = if a.legacy { "true" } else { "false" };
        let row =
            [a.person, a.document, a.at, a.answer, legacy, &version(&a.version_in_force), &version(&a.trained_on)];
        table.write_record(row.map(|cell| inert(cell).into_owned())).map_err(failed)?;
    }
    Ok(table.flush()?)
}

fn write_lines(answers: &[Answered<'_>], watermark: &Watermark, out: Out<'_>) -> Result<(), Failure> {
    let mut counts = std::collections::BTreeMap::<&str, usize>::new();
    for answer in answers {
        *counts.entry(answer.answer).or_default() += 1;
        json_line(out, answer)?;
    }
    json_line(out, &json!({"summary": {"questions": answers.len(), "answers": counts, "watermark": watermark}}))
}
