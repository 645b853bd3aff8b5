//! The wrong folders are what they say: one change of the good one, at a place that exists.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use oracle::wrong::{Expect, all, good, several};
use oracle::{Plant, Verdict};

#[test]
fn the_good_folder_loads_and_answers() {
    let folder = tempfile::tempdir().unwrap();
    good(folder.path());
    let plant = Plant::load(folder.path());
    let answer = |person, document, at: &str| {
        let at = chrono::DateTime::parse_from_rfc3339(at).unwrap().to_utc();
        plant.answer(person, document, at).answer
    };
    // 6 February 2024: Maria has done all of v1, on the 5th at 06:00 in Aachen.
    assert_eq!(answer("maria", "SOP-1", "2024-02-05T04:59:59Z"), Verdict::No);
    assert_eq!(answer("maria", "SOP-1", "2024-02-05T05:00:00Z"), Verdict::Yes);
    // Her check is current for 180 days.
    assert_eq!(answer("maria", "SOP-1", "2024-08-03T05:00:00Z"), Verdict::Yes);
    assert_eq!(answer("maria", "SOP-1", "2024-08-03T05:00:01Z"), Verdict::No);
    assert_eq!(answer("maria", "SOP-2", "2024-08-03T05:00:00Z"), Verdict::NotRequired);
    // Eva read SOP-2 after her exemption from v1 had begun; it is withdrawn in 2026, she is no packer by then.
    assert_eq!(answer("eva", "SOP-2", "2025-03-20T00:00:00Z"), Verdict::Yes);
    assert_eq!(answer("eva", "SOP-2", "2026-06-29T22:59:59Z"), Verdict::Yes);
    assert_eq!(answer("eva", "SOP-2", "2026-06-29T23:00:00Z"), Verdict::NotRequired);
}

#[test]
fn there_are_many_and_no_two_of_one_name() {
    let names: BTreeSet<&str> = all().iter().map(|wrong| wrong.name).collect();
    assert_eq!(names.len(), all().len());
    assert!(names.len() >= 100, "{}", names.len());
}

#[test]
fn each_changes_the_good_folder_at_a_place_that_exists() {
    let reference = tempfile::tempdir().unwrap();
    good(reference.path());
    let before = bytes(reference.path());
    for wrong in all() {
        let folder = tempfile::tempdir().unwrap();
        good(folder.path());
        (wrong.make)(folder.path());
        assert_ne!(bytes(folder.path()), before, "{}", wrong.name);
        check_place(folder.path(), &before, wrong.name, &wrong.expect);
    }
}

#[test]
fn several_can_be_wrong_at_once() {
    let folder = tempfile::tempdir().unwrap();
    good(folder.path());
    assert_eq!(several(folder.path()).len(), 7);
}

#[test]
fn a_place_is_accepted_by_what_it_leaves_open() {
    let wrongs = all();
    let by_name = |name: &str| wrongs.iter().find(|wrong| wrong.name == name).unwrap().expect;
    let exact = by_name("badge_twice");
    assert!(exact.accepts("people.csv", Some(5), Some("badge")));
    assert!(!exact.accepts("people.csv", Some(2), Some("badge")));
    assert!(!exact.accepts("people.csv", Some(5), None));
    assert!(by_name("short_row").accepts("class_members.csv", Some(3), Some("until")));
    let either = by_name("approved_after_effective");
    assert!(either.accepts("versions.csv", Some(4), Some("approved_at")));
    assert!(either.accepts("versions.csv", Some(4), Some("effective_from")));
    assert!(!either.accepts("versions.csv", Some(4), Some("content")));
}

/// The line is one of the file and the column one of its header, except where just those are wrong.
fn check_place(folder: &Path, before: &BTreeMap<String, Vec<u8>>, name: &str, expect: &Expect) {
    let Ok(text) = fs::read(folder.join(expect.file)) else {
        assert!(before.contains_key(expect.file), "{name}");
        return;
    };
    let text = String::from_utf8_lossy(&text);
    if let Some(line) = expect.line {
        assert!(line >= 1 && line <= text.lines().count() as u64, "{name}: line {line}");
    }
    if let Some(column) = expect.column {
        let header = text.lines().next().unwrap();
        assert!(header.split(',').any(|name| name == column) || name == "required_column_missing", "{name}");
    }
    let (Some(line), Some(column)) = (expect.line, expect.column) else {
        return;
    };
    if line == 1 {
        return;
    }
    // What was good there is no longer, or the line is new, or it is at odds with another.
    let good = String::from_utf8_lossy(&before[expect.file]);
    let cell = |text: &str| {
        let index = text.lines().next().unwrap().split(',').position(|name| name == column).unwrap();
        text.lines().nth(line as usize - 1).map(|line| line.split(',').nth(index).unwrap().to_string())
    };
    if expect.or.is_none() {
        let changed_elsewhere = ["quiz_", "content_", "pdf_"].iter().any(|prefix| name.starts_with(prefix));
        assert!(cell(&text) != cell(&good) || changed_elsewhere, "{name}: the cell is as it was");
    }
}

fn bytes(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut all = BTreeMap::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(below) = folders.pop() {
        for entry in fs::read_dir(below).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(folder).unwrap().to_string_lossy().into_owned();
            if path.is_symlink() {
                all.insert(name, b"link".to_vec());
            } else if path.is_dir() {
                folders.push(path);
            } else {
                all.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    all
}
