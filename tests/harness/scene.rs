//! What scenarios begin with: the demo plant on the Sunday before v7 counts, and a training done whole.

use std::fs;
use std::path::Path;

use crate::{Plant, kiosk_signer, signer};
use kiosk::core::Core as Kiosk;
use kiosk::core::learn::OpenQuiz;
use shared::id::*;
use shared::kind::plant::{CheckSet, Format, Impact, InFlight};
use shared::kind::record::{CriterionResult, Edit, Outcome};
use shared::training::Answer;
use sync_server::core::Core as Server;
use sync_server::core::approve::{Approval, DraftContent};

pub fn id<T: std::str::FromStr<Err = BadId>>(text: &str) -> T {
    text.parse().unwrap()
}

/// What v7 of SOP-0042 says, in both languages.
pub fn v7_contents() -> [DraftContent; 2] {
    let next = crate::demo_plant().join("next");
    let content = |language: &str| DraftContent {
        language: id(language),
        format: Format::Markdown,
        change_summary: "Seal temperature window, peel test frequency".into(),
        text: Some(std::fs::read_to_string(next.join(format!("SOP-0042-v7.{language}.md"))).unwrap()),
        blob: None,
    };
    [content("en"), content("de")]
}

/// v7 of SOP-0042 by its author.
pub fn draft_v7(server: &Server) {
    let (document, version) = (id("SOP-0042"), id("v7"));
    let contents = v7_contents();
    server.draft_version(&document, &version, &contents, Some(6), "CC-2026-014", &signer("lukas")).unwrap();
}

/// v7 of SOP-0042 drafted, reviewed and approved for Monday 06:00.
pub fn approve_v7(server: &Server) {
    draft_v7(server);
    let (document, version) = (id("SOP-0042"), id("v7"));
    server.review_version(&document, &version, &signer("henning")).unwrap();
    server.approve_version(&document, &version, &monday_at_six(), &signer("helga"), None).unwrap();
}

pub fn monday_at_six() -> Approval {
    Approval {
        effective_from: crate::at("2026-03-02T05:00:00Z"),
        impact: Impact::Full,
        impact_reason: None,
        in_flight: InFlight::Finish,
        initial_assessors: vec![id("jonas"), id("eva")],
    }
}

/// The demo plant on Sunday evening, with two kiosks and everybody's keys.
pub fn sunday_evening() -> Plant {
    let mut plant = Plant::demo("2026-03-01T18:00:00Z");
    plant.set_up_signing(&["helga", "lukas", "henning", "jonas", "eva", "maria", "ana", "ben"]);
    plant.add_kiosk("K3", &["SEAL"]);
    plant.add_kiosk("K5", &["SEAL3"]);
    plant
}

/// Reads, answers, does one run and the check, with `assessor`.
pub fn train(plant: &mut Plant, kiosk: &str, person: &str, assessor: &str) {
    let kiosk = plant.kiosk(kiosk);
    train_until_the_check(kiosk, person, assessor);
    sign_off(kiosk, person, assessor);
}

/// Comes, gives their secret, and signs that they have read what R-0042 asks for.
pub fn comes_and_reads(kiosk: &mut Kiosk, person: &str) -> EntryId {
    kiosk.badge_in(&id(person)).unwrap();
    kiosk.unlock_session(&kiosk_signer(person)).unwrap();
    reads(kiosk, person)
}

/// The same, in a session that is open.
pub fn reads(kiosk: &mut Kiosk, person: &str) -> EntryId {
    let (who, about) = (id(person), kiosk.about(&id("R-0042")).unwrap());
    let procedure = kiosk.procedure(&who, &about).unwrap();
    kiosk.sign_read(&who, &procedure, 240).unwrap().id()
}

/// Reads, answers, and does one run with `assessor`.
pub fn train_until_the_check(kiosk: &mut Kiosk, person: &str, assessor: &str) {
    let who: PersonId = id(person);
    comes_and_reads(kiosk, person);
    let about = kiosk.about(&id("R-0042")).unwrap();
    let open = kiosk.open_quiz(&who, &about).unwrap();
    let answers = right_answers(&open);
    assert!(kiosk.sign_quiz(&who, answers).unwrap().passed);
    let started = kiosk.ask_supervised(&who, &id("seal-pouch"), Some(&id("881")), &kiosk_signer(assessor)).unwrap();
    assert_eq!(started.decision.answer, Answer::GoSupervised, "{:?}", started.decision.reasons);
    for step in ["4", "5", "9"] {
        kiosk.edit_sheet(&who, &about, &id(assessor), vec![Edit::Tick(step.into(), true)]).unwrap();
    }
    let signers = (&kiosk_signer(person), &kiosk_signer(assessor));
    kiosk.sign_run(&who, &about, Outcome::Passed, started.session, "first run", signers).unwrap();
}

/// The check, passed, with both signatures.
pub fn sign_off(kiosk: &mut Kiosk, person: &str, assessor: &str) -> EntryId {
    let about = kiosk.about(&id("R-0042")).unwrap();
    let results = passed(&kiosk.check_of(&about).unwrap());
    let signers = (&kiosk_signer(person), &kiosk_signer(assessor));
    kiosk.sign_check(&id(person), &about, results, Outcome::Passed, signers).unwrap().id()
}

/// Every criterion passed, measured values at their lowest.
pub fn passed(check: &CheckSet) -> Vec<CriterionResult> {
    let lowest = |c: &shared::kind::plant::Criterion| c.measure.as_ref().and_then(|measure| measure.min.clone());
    check.criteria.iter().map(|c| CriterionResult { passed: true, measured: lowest(c) }).collect()
}

/// Somebody who knows the right answers: reads them from the demo plant's folder, as its author could.
pub fn right_answers(open: &OpenQuiz) -> Vec<Vec<u16>> {
    let folder = sync_server::import::read(&crate::demo_plant()).unwrap();
    let right = &folder.answers[&open.quiz.quiz];
    open.drawn.iter().map(|place| right[usize::from(*place)].clone()).collect()
}

/// Copies a data folder as it lies on the disk.
pub fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for file in fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        let target = to.join(file.file_name());
        if file.file_type().unwrap().is_dir() {
            copy_folder(&file.path(), &target);
        } else {
            fs::copy(file.path(), target).unwrap();
        }
    }
}

/// A file of the demo plant with something else in it, imported and accepted.
pub fn import_with(plant: &Plant, file: &str, from: &str, to: &str) {
    let folder = tempfile::tempdir().unwrap();
    copy_folder(&crate::demo_plant(), folder.path());
    let path = folder.path().join(file);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{file} has no {from}");
    fs::write(&path, text.replace(from, to)).unwrap();
    plant.server.import(folder.path(), false, "hr").unwrap();
    plant.server.accept_import(None, &signer("helga"), "changed").unwrap();
}

/// It turns out that Jonas led his line until February only.
pub fn withdraw_jonas(plant: &Plant) {
    let row = "jonas,supervisor,SITE1/PACK/L2,2023-01-09,";
    import_with(plant, "roles.csv", row, &format!("{row}2026-02-01"));
}
