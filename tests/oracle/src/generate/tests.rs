//! Generated folders are valid, deterministic, and as nasty as promised.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use super::*;
use crate::answer::Verdict;
use crate::plant::Plant;
use crate::reading::Reading;
use crate::versions::in_force;

/// Each file with its columns, optional ones in brackets, and those that identify a row.
const FORMAT: [(&str, &str, &str); 20] = [
    ("sites.csv", "site, name, time_zone, [change_time]", "site"),
    ("work_units.csv", "site, area, work_center, work_unit, [name]", "work_unit"),
    ("equipment.csv", "equipment, work_unit, name", "equipment"),
    ("personnel_classes.csv", "personnel_class, name", "personnel_class"),
    (
        "people.csv",
        "person, printed_name, site, language, badge, [email], [active_from], [active_until], [leave_from], [leave_until]",
        "person",
    ),
    ("person_sites.csv", "person, site, from, [until]", "person site from"),
    ("class_members.csv", "person, personnel_class, [from], [until]", "person personnel_class from"),
    ("roles.csv", "person, role, [scope], [from], [until]", "person role from"),
    ("shifts.csv", "shift, work_center, start, end", "shift"),
    ("crews.csv", "person, shift, supervisor, [from], [until]", "person shift"),
    ("documents.csv", "document, title, category, owner, [site]", "document"),
    ("categories.csv", "category, window_days", "category"),
    ("versions.csv", documents::VERSION_COLUMNS, "document version language"),
    ("requirements.csv", requirements::REQUIREMENT_COLUMNS, "requirement"),
    ("matrix.csv", "personnel_class, requirement", "personnel_class requirement"),
    ("tasks.csv", "task, title, work_units, criticality, [offline_limit_hours], [lot_required]", "task"),
    ("task_requirements.csv", "task, requirement", "task requirement"),
    ("task_classes.csv", "task, personnel_class, [work_unit]", "task personnel_class work_unit"),
    ("assessors.csv", "person, requirement, [from], [until]", "person requirement"),
    (
        "exemptions.csv",
        "person, requirement, [version], reason, approved_by, from, [until]",
        "person requirement version from",
    ),
];

/// Columns that name a row of another file: the column, the file, its column.
const REFERENCES: [(&str, &str, &str); 15] = [
    ("site", "sites.csv", "site"),
    ("work_unit", "work_units.csv", "work_unit"),
    ("work_units", "work_units.csv", "work_unit"),
    ("work_center", "work_units.csv", "work_center"),
    ("personnel_class", "personnel_classes.csv", "personnel_class"),
    ("person", "people.csv", "person"),
    ("supervisor", "people.csv", "person"),
    ("approved_by", "people.csv", "person"),
    ("assessor", "people.csv", "person"),
    ("initial_assessors", "people.csv", "person"),
    ("shift", "shifts.csv", "shift"),
    ("document", "documents.csv", "document"),
    ("requirement", "requirements.csv", "requirement"),
    ("prerequisites", "requirements.csv", "requirement"),
    ("task", "tasks.csv", "task"),
];

type Rows = Vec<BTreeMap<String, String>>;

#[test]
fn the_same_seed_writes_the_same_bytes() {
    for size in [Size::small(), Size::large(40, 10, 30, 900)] {
        let (first, second, third) = (folder(&size, 11), folder(&size, 11), folder(&size, 12));
        assert_eq!(bytes(first.path()), bytes(second.path()));
        assert_ne!(bytes(first.path()), bytes(third.path()));
    }
}

#[test]
fn generated_folders_are_valid() {
    for seed in 0..60 {
        let size = if seed % 10 == 9 { Size::large(30, 12, 40, 700) } else { Size::small() };
        let folder = folder(&size, seed);
        let files = read_all(folder.path());
        for (file, columns, key) in FORMAT {
            check_columns(&files, file, columns, seed);
            check_key(&files[file], key, &format!("seed {seed} {file}"));
        }
        check_columns(&files, "history.csv", stories::HISTORY_COLUMNS, seed);
        check_key(&files["people.csv"], "badge", "people.csv");
        check_references(&files, seed);
        check_versions(folder.path(), &files["versions.csv"], seed);
        check_times(&Plant::load(folder.path()), seed);
    }
}

#[test]
fn nasty_folders_draw_every_answer() {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for seed in 0..10 {
        let folder = folder(&Size::small(), seed);
        let plant = Plant::load(folder.path());
        for question in plant.questions(500, seed) {
            let answer = plant.answer(&question.person, &question.document, question.at);
            *seen.entry(answer.answer.to_string()).or_default() += 1;
        }
    }
    for verdict in [Verdict::Yes, Verdict::YesCarriedOver, Verdict::No, Verdict::NotRequired] {
        let count = seen.get(&verdict.to_string()).copied().unwrap_or(0);
        assert!(count > 250, "{verdict}: {count} of 5000");
    }
}

#[test]
fn most_questions_hang_on_no_open_choice() {
    let folder = folder(&Size::small(), 3);
    let plant = Plant::load(folder.path());
    let questions = plant.questions(1000, 3);
    let open = questions
        .iter()
        .filter(|question| !plant.open_choices(&question.person, &question.document, question.at).is_empty());
    assert!(open.count() < 150);
}

#[test]
fn the_same_seed_asks_the_same_questions() {
    let folder = folder(&Size::small(), 5);
    let plant = Plant::load(folder.path());
    assert_eq!(plant.questions(200, 1), plant.questions(200, 1));
    assert_ne!(plant.questions(200, 1), plant.questions(200, 2));
}

#[test]
fn a_large_folder_has_exactly_the_numbers_asked_for() {
    let folder = folder(&Size::large(70, 30, 100, 5_001), 1);
    let files = read_all(folder.path());
    let count = |file: &str| files[file].len();
    assert_eq!(
        [count("people.csv"), count("documents.csv"), count("versions.csv"), count("history.csv")],
        [70, 30, 100, 5_001]
    );
}

fn folder(size: &Size, seed: u64) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    generate(folder.path(), size, seed).unwrap();
    folder
}

fn bytes(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(bytes(&path));
        } else {
            all.insert(path.file_name().unwrap().to_string_lossy().into_owned(), fs::read(&path).unwrap());
        }
    }
    all
}

/// All CSV files; an absent one has no rows.
fn read_all(folder: &Path) -> BTreeMap<String, Rows> {
    let mut files: BTreeMap<String, Rows> = FORMAT.iter().map(|(file, ..)| (file.to_string(), Rows::new())).collect();
    files.insert("history.csv".to_string(), Rows::new());
    for (file, rows) in &mut files {
        let Ok(text) = fs::read_to_string(folder.join(file)) else {
            continue;
        };
        let text = text.trim_start_matches('\u{feff}');
        for row in csv::Reader::from_reader(text.as_bytes()).deserialize() {
            rows.push(row.unwrap());
        }
    }
    files
}

fn check_columns(files: &BTreeMap<String, Rows>, file: &str, columns: &str, seed: u64) {
    for row in &files[file] {
        let mut known = BTreeSet::new();
        for column in columns.split(", ") {
            let name = column.trim_matches(['[', ']']);
            known.insert(name);
            if name == column {
                let cell = row.get(name).unwrap_or_else(|| panic!("seed {seed} {file}: no {name}"));
                assert!(!cell.is_empty(), "seed {seed} {file}: {name} is empty");
            }
        }
        for name in row.keys() {
            assert!(known.contains(name.as_str()), "seed {seed} {file}: {name} is no column");
        }
    }
}

fn check_key(rows: &Rows, key: &str, place: &str) {
    let cells = |row: &BTreeMap<String, String>| -> Vec<String> {
        key.split(' ').map(|column| row.get(column).cloned().unwrap_or_default()).collect()
    };
    let distinct: BTreeSet<_> = rows.iter().map(cells).collect();
    assert_eq!(distinct.len(), rows.len(), "{place}: {key} twice");
}

fn check_references(files: &BTreeMap<String, Rows>, seed: u64) {
    for (column, file, target) in REFERENCES {
        let known: BTreeSet<&String> = files[file].iter().map(|row| &row[target]).collect();
        for (from, rows) in files {
            for id in rows.iter().filter_map(|row| row.get(column)).flat_map(|cell| cell.split(';')) {
                let found = id.is_empty() || known.contains(&id.to_string());
                assert!(found, "seed {seed} {from}: {column} {id} is unknown");
            }
        }
    }
}

/// Rows of one version differ in language, change summary and content only, and their content exists.
fn check_versions(folder: &Path, rows: &Rows, seed: u64) {
    let mut seen: BTreeMap<(String, String), BTreeMap<String, String>> = BTreeMap::new();
    for row in rows {
        let content = fs::read(folder.join(&row["content"])).unwrap();
        let is_pdf = row["content"].ends_with(".pdf");
        assert!(if is_pdf { content.starts_with(b"%PDF-") } else { String::from_utf8(content).is_ok() });
        let mut same = row.clone();
        same.retain(|column, _| !["language", "change_summary", "content"].contains(&column.as_str()));
        let key = (row["document"].clone(), row["version"].clone());
        let first = seen.entry(key).or_insert_with(|| same.clone());
        assert_eq!(*first, same, "seed {seed}");
    }
}

fn check_times(plant: &Plant, seed: u64) {
    for (document, versions) in &plant.documents {
        for version in versions {
            assert!(version.approved_at <= version.effective_from, "seed {seed} {document} {}", version.name);
            assert!(version.withdrawn_at.is_none_or(|withdrawn_at| withdrawn_at > version.approved_at));
            assert_ne!(version.withdrawn_at, Some(version.effective_from), "seed {seed} {document}");
        }
    }
    for (id, person) in &plant.people {
        let memberships = person.memberships.iter().map(|membership| &membership.period);
        let exemptions = person.exemptions.iter().map(|exemption| &exemption.period);
        for period in memberships.chain(exemptions).chain([&person.active]) {
            if let (Some(from), Some(until)) = (period.from, period.until) {
                assert!(from < until, "seed {seed} {id}");
            }
        }
        for exemption in &person.exemptions {
            let document = plant.requirements[&exemption.requirement].document.as_ref();
            let versions = document.map_or(&[][..], |document| &plant.documents[document]);
            let name = exemption.version.as_ref();
            assert!(name.is_none_or(|name| versions.iter().any(|version| version.name == *name)));
        }
        for (requirement, facts) in &person.history {
            let requirement = &plant.requirements[requirement];
            for fact in facts {
                assert!(requirement.activities.iter().any(|activity| activity.kind == fact.kind), "seed {seed}");
                let Some(document) = &requirement.document else {
                    assert_eq!(fact.version, None);
                    continue;
                };
                let versions = &plant.documents[document];
                match &fact.version {
                    Some(name) => assert!(versions.iter().any(|version| version.name == *name), "seed {seed}"),
                    None => assert!(in_force(versions, fact.completed_at, &Reading::default()).is_some()),
                }
            }
        }
    }
}
