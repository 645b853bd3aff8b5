//! Tests bear the ids of the requirements they show, and all of them run.

use std::collections::BTreeSet;

use super::{files, none, top};

/// Ids that stand in the requirements' tables, in lower case.
fn known() -> BTreeSet<String> {
    let text =
        std::fs::read_to_string(top().join("docs/requirements.md")).expect("the requirements are part of the project");
    let cells = text.lines().filter_map(|line| line.strip_prefix("| ")).filter_map(|line| line.split(' ').next());
    cells.filter(|cell| is_id(&cell.to_lowercase())).map(str::to_lowercase).collect()
}

/// A letter and a number, as in `r13`.
fn is_id(word: &str) -> bool {
    let mut letters = word.chars();
    letters.next().is_some_and(|first| first.is_ascii_lowercase())
        && word.len() > 1
        && letters.all(|letter| letter.is_ascii_digit())
}

/// Names of test functions, each with its file.
fn tests() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (path, text) in files("", ".rs") {
        let lines: Vec<&str> = text.lines().collect();
        for (place, line) in lines.iter().enumerate() {
            let marked = ["#[test]", "#[tokio::test"].iter().any(|mark| line.trim_start().starts_with(mark));
            let function = lines[place..].iter().take(6).find_map(|line| line.split("fn ").nth(1)).filter(|_| marked);
            if let Some(name) = function.and_then(|rest| rest.split('(').next()) {
                found.push((path.display().to_string(), name.to_owned()));
            }
        }
    }
    found
}

#[test]
fn every_cited_requirement_exists() {
    let known = known();
    assert!(known.len() > 100, "only {} requirements were read", known.len());
    // Rules of the protocol and of holding have numbers of their own, in its specification.
    let of_the_protocol = |id: &str| id.starts_with(['h', 't', 'v']) && !known.contains(id);
    let mut unknown = Vec::new();
    for (path, name) in tests() {
        for word in name.split('_').take_while(|word| is_id(word)) {
            if !known.contains(word) && !of_the_protocol(word) {
                unknown.push(format!("{path}: {name} cites {word}"));
            }
        }
    }
    none(unknown, "tests cite requirements that stand in docs/requirements.md");
}

/// What the main job is delivered with; a row leaves this list never, and joins it when it is built.
const BUILT: [&str; 52] = [
    "a1", "a2", "a3", "a4", "a5", "a6", "a7", "a9", "a12", "a14", "c4", "g3", "k2", "k5", "l1", "l2", "l3", "l4", "r1",
    "r3", "r4", "r5", "r6", "r7", "r10", "r11", "r12", "r13", "r14", "r15", "r16", "r18", "r21", "s1", "s2", "s5",
    "s6", "s8", "s9", "s11", "s13", "u1", "u2", "u4", "u5", "u6", "u8", "u10", "u11", "u12", "u13", "u14",
];

#[test]
fn every_requirement_that_is_built_has_a_test_of_its_name() {
    let cited: BTreeSet<String> =
        tests().into_iter().flat_map(|(_, name)| name.split('_').map(str::to_owned).collect::<Vec<_>>()).collect();
    let bare: Vec<String> = BUILT.iter().filter(|id| !cited.contains(**id)).map(|id| (*id).to_owned()).collect();
    none(bare, "requirements without a test that bears their id");
}

/// The bugs of others, as the requirements list them.
#[test]
fn every_bug_of_others_has_a_test_of_its_name() {
    let text =
        std::fs::read_to_string(top().join("docs/requirements.md")).expect("the requirements are part of the project");
    let list =
        text.split("## Bugs of others").nth(1).and_then(|rest| rest.split("\n## ").next()).expect("the list is there");
    let named: BTreeSet<String> = tests().into_iter().map(|(_, name)| name).collect();
    let wanted = list.lines().skip(1).flat_map(|line| line.split('·')).map(|name| name.trim().replace('-', "_"));
    let bare: Vec<String> =
        wanted.filter(|name| !name.is_empty() && !named.iter().any(|test| test.contains(name))).collect();
    none(bare, "bugs of others without a test of their name");
}

/// Every threat that is said to be met names the tests that show it.
#[test]
fn every_defence_has_tests_that_exist() {
    none(rows_without_tests("docs/security.md", 20), "a defence is claimed with its tests");
}

/// Every fault, promise and walk-through names the tests that try it.
#[test]
fn every_fault_and_promise_has_tests_that_exist() {
    none(rows_without_tests("docs/faults.md", 50), "what is said to be tried is tried by a test");
}

/// Rows of a document's tables whose last column cites no test, or one that doesn't exist. At least so many rows are there.
fn rows_without_tests(document: &str, at_least: usize) -> Vec<String> {
    let text = std::fs::read_to_string(top().join(document)).expect("the document is part of the project");
    let named: BTreeSet<String> = tests().into_iter().map(|(_, name)| name).collect();
    let of_tables = |line: &&str| line.starts_with("| ") && !line.ends_with(" tests |");
    let rows: Vec<&str> = text.lines().filter(of_tables).collect();
    assert!(rows.len() > at_least, "only {} rows of {document} were read", rows.len());
    let mut found = Vec::new();
    for row in rows {
        let column = row.rsplit('|').nth(1).unwrap_or_default();
        let cited: Vec<&str> = column.split('`').skip(1).step_by(2).collect();
        found.extend(
            cited.iter().filter(|name| !named.contains(**name)).map(|name| format!("{name} is no test: {row}")),
        );
        if cited.is_empty() && column.trim() != "not in the product yet" {
            found.push(format!("without a test: {row}"));
        }
    }
    found
}

#[test]
fn no_file_of_scenarios_is_forgotten() {
    for folder in ["tests/plant", "tests/tidy"] {
        let rooms = top().join(folder);
        for (path, _) in files(folder, ".rs") {
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let parent = path.parent().expect("it lies in a folder");
            let list = if parent == rooms { rooms.join("main.rs") } else { parent.with_extension("rs") };
            let list = std::fs::read_to_string(list).expect("what lies in a folder is listed");
            let listed = name == "main" || list.lines().any(|line| line == format!("mod {name};"));
            assert!(listed, "{} is in no list: its tests never run", path.display());
        }
    }
}
