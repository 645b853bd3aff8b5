//! Requirements with their quizzes and checks, the matrix, tasks, assessors.

use std::fs;
use std::io;
use std::path::Path;

use super::sheet::{Dress, Sheet};
use super::{Activity, Document, Person, Requirement, Site, Size, class_id, people, places};
use super::{first_instant, last_instant};
use crate::rng::Rng;
use crate::versions::Kind;

pub const REQUIREMENT_COLUMNS: &str = "requirement, title, [document], category, activities, [validity_months], \
     [currency], [window_days], [prerequisites], [equipment], [initial_assessors]";

pub fn write(
    folder: &Path,
    size: &Size,
    sites: &[Site],
    people: &[Person],
    documents: &[Document],
    rng: &mut Rng,
    dress: &Dress,
) -> io::Result<Vec<Requirement>> {
    let mut made = Vec::new();
    let mut sheet = Sheet::new("requirements.csv", REQUIREMENT_COLUMNS);
    let equipment: Vec<&String> = sites.iter().flat_map(|site| &site.equipment).collect();
    // A switch for each optional column, so that some folders do without it.
    let switches = rng.next();
    for index in 0..size.requirements {
        let id = format!("R-{:04}", index + 1);
        // Every document has one; what is left over stacks up on a few, or is on none.
        let document = match index {
            index if index < documents.len() => Some(index),
            _ if rng.chance(30) => None,
            _ => Some(rng.below(documents.len().min(3))),
        };
        let activities = activities(rng, document.is_some());
        let cell = activities_cell(folder, rng, &id, &activities)?;
        let validity_months = rng.chance(60).then(|| *rng.pick(&[1, 6, 11, 12, 13, 24, 24, 36]));
        let currency = *rng.pick(&["", "", "", "", "", "days:30", "days:400", "runs:3/90", "hours:8/365"]);
        let window = *rng.pick(&["", "14", "90"]);
        let mut prerequisites = String::new();
        if index > 0 && rng.chance(20) {
            prerequisites = format!("R-{:04}", 1 + rng.below(index));
        }
        let with_equipment = rng.chance(20) && !equipment.is_empty();
        let equipment = if with_equipment { rng.pick(&equipment).as_str() } else { "" };
        let assessors = assessors(rng, people);
        let names_assessors = rng.chance(50) && activities.iter().any(|activity| activity.kind == Kind::Check);
        let initial = if names_assessors { assessors.join(";") } else { String::new() };
        let unless_off = |bit: u32, cell: &str| {
            if switches >> bit & 3 == 0 { String::new() } else { cell.to_string() }
        };
        sheet.row([
            &id,
            *rng.pick(&["Siegeln", "Đóng gói, niêm phong", "\"Clean\" line", "操作"]),
            document.map_or("", |document| &documents[document].id),
            *rng.pick(&["initial", "process", "procedure", "corrective"]),
            &cell,
            &validity_months.map_or(String::new(), |months: u32| months.to_string()),
            &unless_off(0, currency),
            &unless_off(2, window),
            &unless_off(4, &prerequisites),
            &unless_off(6, equipment),
            &unless_off(8, &initial),
        ]);
        made.push(Requirement { id, document, activities, validity_months, assessors, classes: Vec::new() });
    }
    sheet.shuffle(rng);
    sheet.write(folder, rng, dress)?;
    write_matrix(folder, size, &mut made, rng, dress)?;
    write_tasks(folder, size, sites, &made, rng, dress)?;
    write_assessors(folder, people, &made, rng, dress)?;
    Ok(made)
}

/// A quiz file with `questions` questions.
pub fn quiz(pass_percent: i64, ask: usize, questions: usize) -> String {
    let mut text = format!("title = \"Quiz\"\npass_percent = {pass_percent}\nask = {ask}\nmax_attempts = 3\n");
    for question in 1..=questions {
        // The first and the second choice count as indices from zero and from one alike.
        text.push_str(&format!(
            "\n[[question]]\ntext = \"Was ist Schritt {question}?\"\nanswers = [\"Prüfen\", \"Niêm phong\", \"清洁\"]\ncorrect = {}\n",
            1 + question % 2
        ));
    }
    text
}

/// A check file with a criterion of each kind.
pub fn check() -> &'static str {
    "title = \"Check\"\n\n[[criterion]]\ntext = \"Naht geprüft\"\nkind = \"pass_fail\"\ncritical = true\n\n\
     [[criterion]]\ntext = \"Force\"\nkind = \"measured\"\nunit = \"N\"\nmin = 1.5\nmax = 4.0\n"
}

/// At least one activity, each kind at most once. What is on no document can't be read.
fn activities(rng: &mut Rng, on_document: bool) -> Vec<Activity> {
    let odds = [
        (Kind::Read, if on_document { 70 } else { 0 }),
        (Kind::Quiz, 45),
        (Kind::Runs, 35),
        (Kind::Check, 40),
        (Kind::Briefing, 15),
        (Kind::External, 10),
    ];
    let mut activities = Vec::new();
    for (kind, percent) in odds {
        if rng.chance(percent) {
            let needed = if kind == Kind::Runs { 1 + rng.below(3) } else { 1 };
            let pass_percent = (kind == Kind::Quiz).then(|| *rng.pick(&[60, 80, 100]));
            activities.push(Activity { kind, needed, pass_percent });
        }
    }
    if activities.is_empty() {
        activities.push(Activity { kind: Kind::Briefing, needed: 1, pass_percent: None });
    }
    if rng.chance(15) {
        rng.shuffle(&mut activities);
    }
    activities
}

/// The cell that lists the activities; writes the quiz and the check that it names.
fn activities_cell(folder: &Path, rng: &mut Rng, id: &str, activities: &[Activity]) -> io::Result<String> {
    let mut cells = Vec::new();
    for activity in activities {
        cells.push(match activity.kind {
            Kind::Read => "read".to_string(),
            Kind::Quiz => {
                let questions = 2 + rng.below(4);
                let text = quiz(activity.pass_percent.unwrap_or(80), 1 + rng.below(questions), questions);
                fs::write(folder.join(format!("quizzes/Q-{id}.toml")), text)?;
                format!("quiz:Q-{id}")
            }
            Kind::Runs => format!("runs:{}", activity.needed),
            Kind::Check => {
                fs::write(folder.join(format!("checks/C-{id}.toml")), check())?;
                format!("check:C-{id}")
            }
            Kind::Briefing => format!("briefing:B-{id}"),
            Kind::External => "external".to_string(),
        });
    }
    Ok(cells.join(";"))
}

fn assessors(rng: &mut Rng, people: &[Person]) -> Vec<String> {
    let first = rng.below(people.len());
    let second = (first + 1) % people.len();
    let mut assessors = vec![people[first].id.clone()];
    if second != first {
        assessors.push(people[second].id.clone());
    }
    assessors
}

fn write_matrix(folder: &Path, size: &Size, made: &mut [Requirement], rng: &mut Rng, dress: &Dress) -> io::Result<()> {
    let mut sheet = Sheet::new("matrix.csv", "personnel_class, requirement");
    for requirement in made {
        for class in 0..size.classes {
            if rng.chance(45) {
                requirement.classes.push(class);
                sheet.row([&class_id(class), &requirement.id]);
            }
        }
    }
    sheet.shuffle(rng);
    sheet.write(folder, rng, dress)
}

fn write_tasks(
    folder: &Path,
    size: &Size,
    sites: &[Site],
    made: &[Requirement],
    rng: &mut Rng,
    dress: &Dress,
) -> io::Result<()> {
    let mut tasks =
        Sheet::new("tasks.csv", "task, title, work_units, criticality, [offline_limit_hours], [lot_required]");
    let mut needs = Sheet::new("task_requirements.csv", "task, requirement");
    let mut classes = Sheet::new("task_classes.csv", "task, personnel_class, [work_unit]");
    let lists_classes = rng.chance(60);
    for (index, requirement) in made.iter().enumerate().filter(|(index, _)| index % 2 == 0) {
        let task = format!("TASK-{:04}", index / 2 + 1);
        let site = rng.below(sites.len());
        let unit = rng.below(places::UNITS_PER_SITE);
        let mut units = vec![places::work_unit(site, unit)];
        if rng.chance(40) {
            units.push(places::work_unit(site, (unit + 1) % places::UNITS_PER_SITE));
        }
        let (criticality, hours) =
            *rng.pick(&[("critical", "8"), ("critical", ""), ("routine", "72"), ("routine", "")]);
        tasks.row([&task, "Beutel \"siegeln\"", &units.join(";"), criticality, hours, ""]);
        needs.row([&task, &requirement.id]);
        if rng.chance(40) && index + 1 < made.len() {
            needs.row([&task, &made[index + 1].id]);
        }
        if lists_classes && rng.chance(50) {
            let unit = if rng.chance(50) { units[0].as_str() } else { "" };
            classes.row([&task, &class_id(rng.below(size.classes)), unit]);
        }
    }
    tasks.write(folder, rng, dress)?;
    needs.write(folder, rng, dress)?;
    classes.write_optional(folder, rng, dress)
}

fn write_assessors(
    folder: &Path,
    people: &[Person],
    made: &[Requirement],
    rng: &mut Rng,
    dress: &Dress,
) -> io::Result<()> {
    let mut sheet = Sheet::new("assessors.csv", "person, requirement, [from], [until]");
    for requirement in made {
        for person in &requirement.assessors {
            sheet.row([person, &requirement.id, "", ""]);
        }
        let other = rng.pick(people);
        if rng.chance(20) && !requirement.assessors.contains(&other.id) {
            let (from, until) = people::period(other.clock, first_instant(), last_instant(), rng);
            sheet.row([&other.id, &requirement.id, &from, &until]);
        }
    }
    sheet.write(folder, rng, dress)
}
