//! A realistic folder of any size, for benchmarks: no traps, history streamed.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use chrono::TimeDelta;
use chrono_tz::Tz;

use super::documents::{VERSION_COLUMNS, write_categories};
use super::requirements::{REQUIREMENT_COLUMNS, check, quiz};
use super::sheet::{Dress, Sheet};
use super::stories::HISTORY_COLUMNS;
use super::{Activity, Document, Requirement, Size, class_id, content, first_instant, last_instant, moment};
use crate::cell::{Clock, Instant, time_of_day};
use crate::reading::Reading;
use crate::rng::Rng;
use crate::versions::{Impact, Kind, Version, in_force, sort};

pub fn write(folder: &Path, size: &Size, rng: &mut Rng) -> io::Result<()> {
    write_places(folder, size, rng)?;
    let classes = write_people(folder, size, rng)?;
    write_authority(folder, size, rng)?;
    let documents = write_documents(folder, size, rng)?;
    let requirements = write_requirements(folder, size, rng)?;
    let matrix = write_matrix(folder, size, rng)?;
    write_history(folder, size, &classes, &documents, &requirements, &matrix, rng)
}

const ZONES: [&str; 3] = ["Europe/Berlin", "America/New_York", "Asia/Ho_Chi_Minh"];

fn site_id(index: usize) -> String {
    format!("SITE{}", index + 1)
}

fn person_id(index: usize) -> String {
    format!("P{:06}", index + 1)
}

fn requirement_id(index: usize) -> String {
    format!("R-{:05}", index + 1)
}

fn write_places(folder: &Path, size: &Size, rng: &mut Rng) -> io::Result<()> {
    let mut sites = Sheet::new("sites.csv", "site, name, time_zone, [change_time]");
    let mut units = Sheet::new("work_units.csv", "site, area, work_center, work_unit, [name]");
    let mut tasks =
        Sheet::new("tasks.csv", "task, title, work_units, criticality, [offline_limit_hours], [lot_required]");
    let mut needs = Sheet::new("task_requirements.csv", "task, requirement");
    for site in 0..size.sites {
        sites.row([&site_id(site), &format!("Plant {}", site + 1), ZONES[site % ZONES.len()], "06:00"]);
        for unit in 0..24 {
            let center = format!("S{}-L{:02}", site + 1, unit / 3 + 1);
            let id = format!("S{}-U{:02}", site + 1, unit + 1);
            let area = format!("S{}-A{}", site + 1, unit / 12 + 1);
            units.row([&site_id(site), &area, &center, &id, "Station"]);
            let task = format!("TASK-{:02}-{:02}", site + 1, unit + 1);
            tasks.row([&task, "Run the station", &id, if unit % 3 == 0 { "critical" } else { "routine" }, "", ""]);
            needs.row([&task, &requirement_id((site * 24 + unit) % size.requirements)]);
        }
    }
    sites.write(folder, rng, &Dress::Plain)?;
    units.write(folder, rng, &Dress::Plain)?;
    tasks.write(folder, rng, &Dress::Plain)?;
    needs.write(folder, rng, &Dress::Plain)
}

/// Writes people and their classes; gives each person's classes.
fn write_people(folder: &Path, size: &Size, rng: &mut Rng) -> io::Result<Vec<Vec<usize>>> {
    let mut classes = Sheet::new("personnel_classes.csv", "personnel_class, name");
    for class in 0..size.classes {
        classes.row([&class_id(class), &format!("Job function {}", class + 1)]);
    }
    let mut people =
        Sheet::new("people.csv", "person, printed_name, site, language, badge, [email], [active_from], [active_until]");
    let mut members = Sheet::new("class_members.csv", "person, personnel_class, [from], [until]");
    let mut held = Vec::new();
    for person in 0..size.people {
        let id = person_id(person);
        let name = format!("{} {}", rng.pick(&["Müller", "Nguyễn", "Smith", "Gómez", "王"]), person + 1);
        let badge = format!("{:08X}", (person as u32 + 1).wrapping_mul(2_654_435_761));
        let until = if person > 0 && rng.chance(4) { "2025-09-30" } else { "" };
        let site = site_id(person % size.sites);
        people.row([&id, &name, &site, *rng.pick(&["de", "en", "vi"]), &badge, "", "", until]);
        let first = rng.below(size.classes);
        let mut mine = vec![first];
        members.row([&id, &class_id(first), "", ""]);
        let second = rng.below(size.classes);
        if second != first {
            mine.push(second);
            members.row([&id, &class_id(second), "2018-01-10", ""]);
        }
        held.push(mine);
    }
    classes.write(folder, rng, &Dress::Plain)?;
    people.write(folder, rng, &Dress::Plain)?;
    members.write(folder, rng, &Dress::Plain)?;
    Ok(held)
}

/// The first person may do everything, as somebody must; one in fifty assesses some of the requirements.
fn write_authority(folder: &Path, size: &Size, rng: &mut Rng) -> io::Result<()> {
    let mut roles = Sheet::new("roles.csv", "person, role");
    for role in ["quality", "supervisor", "trainer", "reviewer", "administrator"] {
        roles.row([&person_id(0), role]);
    }
    let mut assessors = Sheet::new("assessors.csv", "person, requirement");
    let of_them = (size.people / 50).max(1);
    for requirement in 0..size.requirements {
        assessors.row([&person_id(0), &requirement_id(requirement)]);
        let other = 1 + requirement % of_them;
        if other < size.people {
            assessors.row([&person_id(other), &requirement_id(requirement)]);
        }
    }
    roles.write(folder, rng, &Dress::Plain)?;
    assessors.write(folder, rng, &Dress::Plain)
}

fn write_documents(folder: &Path, size: &Size, rng: &mut Rng) -> io::Result<Vec<Document>> {
    let mut sheet = Sheet::new("documents.csv", "document, title, category, owner, [site]");
    let mut versions_csv = Sheet::new("versions.csv", VERSION_COLUMNS);
    // All documents are of the first site, so that dates alone have one meaning.
    let zone: Tz = ZONES[0].parse().expect("a zone of the list");
    let clock = Clock { zone, change: time_of_day("06:00") };
    let mut documents = Vec::new();
    for index in 0..size.documents {
        let id = format!("SOP-{:05}", index + 1);
        let category = *rng.pick(&["process", "procedure"]);
        sheet.row([&id, &format!("Procedure {}", index + 1), category, &person_id(0), &site_id(0)]);
        let count = size.versions / size.documents + usize::from(index < size.versions % size.documents);
        // Spread over eight years, whatever their number.
        let step = 8 * 365 / count.max(1) as i64;
        let mut versions = Vec::new();
        for number in 0..count {
            let days = rng.range(0, 20) + number as i64 * step;
            let effective = clock.day_of(moment::at("2017-02-01T00:00:00Z") + TimeDelta::days(days));
            let approved = effective - TimeDelta::days(14);
            let impact = *rng.pick(&["none", "read", "read;quiz", "read;quiz", "full"]);
            let name = format!("{}.0", number + 1);
            let path = format!("content/{id}-{}.md", number + 1);
            let (approved_cell, effective_cell) = (approved.to_string(), effective.to_string());
            let reason = if impact == "none" { "Spelling" } else { "" };
            versions_csv.row([
                &id,
                &name,
                &approved_cell,
                &effective_cell,
                impact,
                "Revised",
                &path,
                "en",
                "",
                "",
                reason,
                "",
                "10",
                "",
            ]);
            fs::write(folder.join(&path), content::markdown(&id, &name, "en", 5))?;
            versions.push(Version {
                name,
                approved_at: clock.change_of(approved),
                effective_from: clock.change_of(effective),
                withdrawn_at: None,
                impact: Impact::of(impact),
                row: number,
            });
        }
        sort(&mut versions);
        documents.push(Document { id, versions });
    }
    sheet.write(folder, rng, &Dress::Plain)?;
    versions_csv.write(folder, rng, &Dress::Plain)?;
    write_categories(folder, rng, &Dress::Plain)?;
    Ok(documents)
}

fn write_requirements(folder: &Path, size: &Size, rng: &mut Rng) -> io::Result<Vec<Requirement>> {
    let mut sheet = Sheet::new("requirements.csv", REQUIREMENT_COLUMNS);
    let quizzes = (size.requirements / 4).max(1);
    for number in 0..quizzes {
        fs::write(folder.join(format!("quizzes/Q-{number}.toml")), quiz(80, 3, 5))?;
        fs::write(folder.join(format!("checks/C-{number}.toml")), check())?;
    }
    let mut requirements = Vec::new();
    for index in 0..size.requirements {
        let document = (index < size.documents).then_some(index);
        let (quiz, check) = (format!("quiz:Q-{}", index % quizzes), format!("check:C-{}", index % quizzes));
        let cell = match (document, index % 4) {
            (None, _) => format!("briefing:B-{index}"),
            (_, 0) => "read".to_string(),
            (_, 1) => format!("read;{quiz}"),
            (_, 2) => format!("read;{quiz};{check}"),
            _ => format!("read;{quiz};runs:2;{check}"),
        };
        let months = *rng.pick(&["", "12", "24", "36"]);
        let document_id = document.map_or(String::new(), |document| format!("SOP-{:05}", document + 1));
        let (id, title) = (requirement_id(index), format!("Requirement {}", index + 1));
        sheet.row([&id, &title, &document_id, "procedure", &cell, months, "", "", "", "", ""]);
        let activities = cell
            .split(';')
            .map(|text| {
                let kind = Kind::of(text.split(':').next().unwrap_or(text));
                Activity { kind, needed: if kind == Kind::Runs { 2 } else { 1 }, pass_percent: None }
            })
            .collect();
        let (assessors, classes) = (Vec::new(), Vec::new());
        requirements.push(Requirement { id, document, activities, validity_months: None, assessors, classes });
    }
    sheet.write(folder, rng, &Dress::Plain)?;
    Ok(requirements)
}

/// Writes the matrix; gives each class's requirements.
fn write_matrix(folder: &Path, size: &Size, rng: &mut Rng) -> io::Result<Vec<Vec<usize>>> {
    let mut sheet = Sheet::new("matrix.csv", "personnel_class, requirement");
    let each = (size.requirements / size.classes * 2).clamp(1, 60).min(size.requirements);
    let mut matrix = Vec::new();
    for class in 0..size.classes {
        let first = rng.below(size.requirements);
        let mine: Vec<usize> = (0..each).map(|number| (first + number) % size.requirements).collect();
        for requirement in &mine {
            sheet.row([&class_id(class), &requirement_id(*requirement)]);
        }
        matrix.push(mine);
    }
    sheet.write(folder, rng, &Dress::Plain)?;
    Ok(matrix)
}

/// Exactly `size.history` rows, person by person.
fn write_history(
    folder: &Path,
    size: &Size,
    classes: &[Vec<usize>],
    documents: &[Document],
    requirements: &[Requirement],
    matrix: &[Vec<usize>],
    rng: &mut Rng,
) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(1 << 20, File::create(folder.join("history.csv"))?);
    writeln!(out, "{}", HISTORY_COLUMNS.replace(['[', ']', ' '], ""))?;
    for (person, classes) in classes.iter().enumerate() {
        let quota = size.history / size.people + usize::from(person < size.history % size.people);
        let mine = classes.iter().flat_map(|class| &matrix[*class]);
        let mine: Vec<&Requirement> = mine.map(|requirement| &requirements[*requirement]).collect();
        let mut written = 0;
        // Round by round through the versions; once all are done, refreshers at any time.
        'rounds: for round in 0.. {
            for requirement in &mine {
                let versions = requirement.document.map_or(&[][..], |document| &documents[document].versions);
                for activity in &requirement.activities {
                    for _ in 0..activity.needed {
                        if written == quota {
                            break 'rounds;
                        }
                        let id = &requirement.id;
                        writeln!(out, "{}", row(person, id, versions, activity.kind, round, written, rng))?;
                        written += 1;
                    }
                }
            }
        }
    }
    out.flush()
}

fn row(
    person: usize,
    requirement: &str,
    versions: &[Version],
    kind: Kind,
    round: usize,
    sequence: usize,
    rng: &mut Rng,
) -> String {
    let version = versions.get(round).or(versions.first());
    let opens = version.map_or(first_instant(), |version| version.effective_from);
    let window = match round < versions.len() {
        true => TimeDelta::days(20),
        false => last_instant() - opens,
    };
    // The seconds tell the rows of one person apart.
    let minutes = TimeDelta::minutes(rng.range(0, window.num_minutes()));
    let at = opens + minutes + TimeDelta::seconds(sequence as i64 % 60);
    let version = version_at(versions, at, rng);
    let lowest = if rng.chance(4) { 50 } else { 80 };
    let score = if kind == Kind::Quiz { rng.range(lowest, 100).to_string() } else { String::new() };
    let time = at.format("%Y-%m-%dT%H:%M:%SZ");
    format!("P{:06},{requirement},{version},{},{time},,{score},LMS", person + 1, kind.word())
}

/// The version in force, named in two rows of five.
fn version_at<'a>(versions: &'a [Version], at: Instant, rng: &mut Rng) -> &'a str {
    match in_force(versions, at, &Reading::default()) {
        Some(now) if rng.chance(40) => &versions[now].name,
        _ => "",
    }
}
