//! The door through which any plant comes in, against an oracle that was written from the specification alone.

use harness::{Plant, demo_plant};
use oracle::generate::{Size, generate};
use shared::id::{DocumentId, PersonId};
use shared::time::Timestamp;
use shared::training::point_in_time::Asked;

/// Compares every answer of a folder with the oracle's; says how many differ, and the first few.
fn differences(folder: &std::path::Path, questions: usize, seed: u64) -> (usize, Vec<String>) {
    let plant = Plant::from_folder(folder, "2026-01-15T00:00:00Z");
    let oracle = oracle::Plant::load(folder);
    let known = plant.server.plant();
    let mut differing = Vec::new();
    for question in oracle.questions(questions, seed) {
        let expected = oracle.answer(&question.person, &question.document, question.at);
        let (person, document) =
            (PersonId::new(&question.person).expect("an id"), DocumentId::new(&question.document).expect("an id"));
        let at = Timestamp(question.at.timestamp_millis());
        let got = plant.server.qualified_at(&known, &person, Asked::Document(&document), at).expect("an answer");
        let yes = got.answer.word().starts_with("yes");
        let same = got.answer.word() == expected.answer.to_string()
            && got.version_in_force.as_ref().map(|v| v.as_str()) == expected.version_in_force.as_deref()
            && (!yes || got.legacy == expected.legacy)
            && (!yes || got.trained_on.as_ref().map(|v| v.as_str()) == expected.trained_on.as_deref());
        if !same {
            let open = oracle.open_choices(&question.person, &question.document, question.at);
            differing.push(format!(
                "{} {} {}: {} {:?} {:?} {}, the oracle says {} {:?} {:?} {} (open: {open:?})\n{:#?}\n{:#?}",
                question.person,
                question.document,
                question.at,
                got.answer.word(),
                got.version_in_force,
                got.trained_on,
                got.legacy,
                expected.answer,
                expected.version_in_force,
                expected.trained_on,
                expected.legacy,
                got.requirements,
                expected.requirements
            ));
        }
    }
    (differing.len(), differing.into_iter().take(2).collect())
}

#[test]
fn g3_point_in_time_answers_agree_with_the_oracle_on_nasty_plants() {
    let rounds: u64 = std::env::var("LINEPROOF_ORACLE_ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(6);
    for seed in 0..rounds {
        let folder = tempfile::tempdir().unwrap();
        generate(folder.path(), &Size::nasty(30, 12), seed).unwrap();
        let (count, first) = differences(folder.path(), 1500, seed);
        assert_eq!(count, 0, "seed {seed}: {}", first.join("\n"));
    }
}

#[test]
fn g3_the_demo_plant_agrees_with_the_oracle() {
    let (count, first) = differences(&demo_plant(), 3000, 7);
    assert_eq!(count, 0, "{}", first.join("\n"));
}

#[test]
fn k2_every_wrong_folder_is_refused_at_the_right_place() {
    let mut missed = Vec::new();
    for wrong in oracle::wrong::all() {
        let folder = tempfile::tempdir().unwrap();
        oracle::wrong::good(folder.path());
        (wrong.make)(folder.path());
        match sync_server::import::read(folder.path()) {
            Ok(_) => missed.push(format!("{}: accepted", wrong.name)),
            Err(errors) => {
                let hit = errors.iter().any(|e: &sync_server::import::ImportError| {
                    wrong.expect.accepts(&e.file, Some(e.line).filter(|line| *line > 0), e.column.as_deref())
                });
                if !hit {
                    missed.push(format!(
                        "{}: {:?}",
                        wrong.name,
                        errors.iter().map(ToString::to_string).collect::<Vec<_>>()
                    ));
                }
            }
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

#[test]
fn k2_a_second_import_changes_nothing_and_an_export_comes_back_the_same() {
    let plant = Plant::demo("2026-03-01T20:00:00Z");
    let again = plant.server.import(&demo_plant(), false, "again").unwrap();
    assert_eq!((again.rows.values().sum::<usize>(), again.history_rows), (0, 0), "{again}");
    let folder = plant.path("export");
    plant.server.export(&folder).unwrap();
    let back = plant.server.import(&folder, true, "export").unwrap();
    assert_eq!((back.rows.values().sum::<usize>(), back.history_rows), (0, 0), "{back}");
    plant.verify();
}
