//! Imports before and after there is an approver: who stands for them, and with what (K5).

mod common;

use std::fs;
use std::path::Path;

use common::pen::{Stage, demo};
use common::{Edge, refused};
use reqwest::StatusCode;
use reqwest::header::COOKIE;
use serde_json::json;
use shared::id::*;
use shared::part11::boxes::Stretching;
use shared::plant::{Acceptance, Import};
use shared::sync::ServerShelf;
use sync_server::core::import::ImportRefused;
use sync_server::core::people::Signer;
use sync_server::core::{Core, Refused};

fn helga() -> Signer {
    Signer { person: PersonId::new("helga").unwrap(), secret: "helga-secret".into() }
}

fn make_approver(core: &Core) {
    let by = helga();
    core.set_up_signing(&by.person, &by.secret, "identity card", None, Stretching::TESTS).unwrap();
}

fn imports(core: &Core) -> Vec<Import> {
    core.plant().imports.values().cloned().collect()
}

/// The demo plant with a class of another name.
fn changed(folder: &Path) {
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("demo-plant")).unwrap() {
        copy(&entry.unwrap().path(), folder);
    }
    let classes = folder.join("personnel_classes.csv");
    let text = fs::read_to_string(&classes).unwrap();
    fs::write(classes, text.trim_end().to_owned() + " (new)\n").unwrap();
}

fn copy(from: &Path, into: &Path) {
    let target = into.join(from.file_name().unwrap());
    if from.is_dir() {
        fs::create_dir_all(&target).unwrap();
        fs::read_dir(from).unwrap().for_each(|below| copy(&below.unwrap().path(), &target));
    } else {
        fs::copy(from, target).unwrap();
    }
}

#[test]
fn k5_an_import_of_set_up_is_in_force_and_waits_for_the_first_approvers_countersignature() {
    let (home, stage) = (tempfile::tempdir().unwrap(), Stage::at("2026-03-02T06:00:00Z"));
    let core = demo(home.path(), &stage);
    let [import] = imports(&core).try_into().unwrap();
    assert_eq!((import.acceptance, core.plant().people.is_empty()), (Acceptance::SetUp, false));
    assert!(import.proposed.files.iter().any(|file| file.file == "people.csv"));
    let batch = import.proposed.batch;
    assert!(core.accept_import(Some(batch), &helga(), "checked").is_err(), "nobody has a key yet");

    make_approver(&core);
    let rows_before = core.plant().rows.clone();
    assert_eq!(
        core.accept_import(Some(batch), &helga(), "checked against the old system").unwrap(),
        import.proposed.rows
    );
    let Acceptance::Signed(entry) = imports(&core)[0].acceptance else { panic!("{:?}", imports(&core)) };
    let entry = store::shelf::entry(core.ledger().connection(), &entry).unwrap().unwrap();
    let block = &entry.blocks()[0];
    assert_eq!((block.signer.as_str(), block.shown), ("helga", Some(import.shown())));
    assert!(entry.blocks_verify() && core.plant().rows == rows_before);
    assert!(core.waiting_imports().unwrap().is_empty());
    let again = core.accept_import(Some(batch), &helga(), "twice").unwrap_err().to_string();
    assert!(again.contains("no such import waits"), "{again}");
    assert!(core.verify(true).unwrap().is_clean());
}

#[test]
fn k5_once_an_approver_exists_an_import_is_a_proposal_that_takes_effect_when_signed() {
    let (home, stage) = (tempfile::tempdir().unwrap(), Stage::at("2026-03-02T06:00:00Z"));
    let core = demo(home.path(), &stage);
    make_approver(&core);
    let folder = tempfile::tempdir().unwrap();
    changed(folder.path());
    let before = core.plant().rows.clone();
    let proposed = core.import(folder.path(), false, "it").unwrap();
    let batch = proposed.proposal.expect("a proposal");
    assert_eq!(core.plant().rows, before, "nothing of it is in force");
    assert_eq!(core.plant().imports[&batch].acceptance, Acceptance::Waiting);
    assert_eq!(core.plant().imports[&batch].proposed.difference, proposed.difference);
    let ana = Signer { person: PersonId::new("ana").unwrap(), secret: "ana-secret".into() };
    assert!(core.accept_import(Some(batch), &ana, "I may not").is_err());
    core.accept_import(Some(batch), &helga(), "names corrected").unwrap();
    assert_ne!(core.plant().rows, before);
    assert!(matches!(core.plant().imports[&batch].acceptance, Acceptance::Signed(_)));
}

#[test]
fn k5_a_proposal_whose_rows_were_exchanged_is_not_what_the_approver_signs() {
    let (home, stage) = (tempfile::tempdir().unwrap(), Stage::at("2026-03-02T06:00:00Z"));
    let core = demo(home.path(), &stage);
    make_approver(&core);
    let folder = tempfile::tempdir().unwrap();
    changed(folder.path());
    let first = core.import(folder.path(), false, "it").unwrap().proposal.unwrap();
    let history = folder.path().join("history.csv");
    let text = fs::read_to_string(&history).unwrap();
    let kept: Vec<&str> = text.lines().collect();
    let more = kept[1].replace("202", "201");
    fs::write(&history, format!("{text}{more}\n")).unwrap();
    let second = core.import(folder.path(), false, "it").unwrap().proposal.unwrap();
    assert_ne!(core.plant().imports[&first].proposed.difference, core.plant().imports[&second].proposed.difference);
    let swap = "UPDATE proposal SET content = (SELECT content FROM proposal WHERE batch = ?2) WHERE batch = ?1";
    core.ledger().connection().execute(swap, [first.0, second.0]).unwrap();
    let refused = core.accept_import(Some(first), &helga(), "checked").unwrap_err().to_string();
    assert!(refused.contains("not what was proposed"), "{refused}");
    assert_eq!(core.plant().imports[&first].acceptance, Acceptance::Waiting);
}

#[tokio::test]
async fn k5_the_approver_countersigns_set_up_in_the_browser() {
    let edge = Edge::demo().await;
    let set_up = json!({"person": "helga", "secret": "helga-secret", "identity_proof": "identity card"});
    assert_eq!(edge.admin_post("/api/v1/signing-set-up", set_up).await.status(), StatusCode::CREATED);
    let session = edge.session().await;
    let batch = imports(&edge.core)[0].proposed.batch;
    let page = format!("/imports/{batch}");
    let (_, overview) = edge.page("/", &session).await;
    assert!(overview.contains("Waiting for a signature") && overview.contains(&page), "{overview}");
    let (status, shown) = edge.page(&page, &session).await;
    assert!(status == StatusCode::OK && shown.contains("people.csv") && shown.contains("Countersign"), "{shown}");

    let sign = |secret: &str| {
        let form = format!("person=helga&secret={secret}&reason=checked");
        let request = edge.client.post(edge.at(&page)).header(COOKIE, &session);
        request.header("content-type", "application/x-www-form-urlencoded").body(form).send()
    };
    assert!(sign("not-her-secret").await.unwrap().status().is_client_error());
    assert_eq!(imports(&edge.core)[0].acceptance, Acceptance::SetUp);
    assert_eq!(sign("helga-secret").await.unwrap().status(), StatusCode::SEE_OTHER);
    assert!(matches!(imports(&edge.core)[0].acceptance, Acceptance::Signed(_)));
    assert_eq!(edge.page(&page, &session).await.0, StatusCode::NOT_FOUND);
    let api = edge
        .post(
            &format!("/api/v1/imports/{batch}/accept"),
            "application/json",
            json!({"reason": "again", "by": {"person": "helga", "secret": "helga-secret"}}).to_string(),
        )
        .await;
    refused(api, StatusCode::UNPROCESSABLE_ENTITY, "refused").await;
}

#[test]
fn r12_the_server_takes_no_weak_secret_and_no_unproven_identity() {
    let (home, stage) = (tempfile::tempdir().unwrap(), Stage::at("2026-03-02T06:00:00Z"));
    let core = demo(home.path(), &stage);
    let by = helga();
    let refused = |secret: &str, proof: &str| {
        core.set_up_signing(&by.person, secret, proof, None, Stretching::TESTS).map(drop).unwrap_err().to_string()
    };
    assert!(refused("too short", "identity card").contains("at least 10 characters"));
    assert!(refused("aaaaaaaaaaaa", "identity card").contains("choose another"));
    assert!(refused("helga-secret", " ").contains("say what proved the identity"));
    core.set_up_signing(&by.person, &by.secret, "identity card", None, Stretching::TESTS).unwrap();
}

#[test]
fn r14_nobody_alone_puts_a_secret_in_the_place_of_anothers() {
    let (home, stage) = (tempfile::tempdir().unwrap(), Stage::at("2026-03-02T06:00:00Z"));
    let core = demo(home.path(), &stage);
    make_approver(&core);
    let of = |person: &str| Signer { person: PersonId::new(person).unwrap(), secret: format!("{person}-secret") };
    let (helga, jonas, dagmar) = (helga(), of("jonas"), of("dagmar"));
    for supervisor in [&jonas, &dagmar] {
        let Signer { person, secret } = supervisor;
        core.set_up_signing(person, secret, "identity card", Some(&helga), Stretching::TESTS).unwrap();
    }
    let alone =
        core.set_up_signing(&helga.person, "chosen by jonas", "known by sight", Some(&jonas), Stretching::TESTS);
    assert!(alone.unwrap_err().to_string().contains("takes two"), "she can sign already");
    let anew = |verifiers: [&Signer; 2]| {
        core.set_up_signing_anew(&helga.person, "Chosen anew", "identity card", verifiers, Stretching::TESTS)
    };
    assert!(anew([&jonas, &jonas]).unwrap_err().to_string().contains("two different people"));
    assert!(anew([&jonas, &helga]).unwrap_err().to_string().contains("their own identity"));
    let guessed = Signer { secret: "not dagmar's".into(), ..dagmar.clone() };
    assert!(anew([&jonas, &guessed]).is_err());
    core.unlock(&helga).unwrap();
    stage.set("2026-03-02T07:00:00Z");
    let entry = anew([&jonas, &dagmar]).unwrap();
    assert_eq!(entry.blocks().len(), 3, "she accepts, and both say who she is");
    assert!(core.unlock(&helga).is_err(), "the lost secret opens nothing");
    stage.set("2026-03-02T08:00:00Z");
    core.unlock(&Signer { secret: "Chosen anew".into(), ..helga }).unwrap();
}

#[test]
fn r15_a_server_that_can_write_nothing_counts_wrong_secrets_all_the_same() {
    let (home, stage) = (tempfile::tempdir().unwrap(), Stage::at("2026-03-02T06:00:00Z"));
    let core = demo(home.path(), &stage);
    make_approver(&core);
    core.step(|step, _, _| step.set_stopped(true)).unwrap();
    let guessed = Signer { secret: "not helga's".into(), ..helga() };
    for _ in 0..4 {
        assert!(matches!(core.unlock(&guessed), Err(Refused::WrongSecret { .. })));
    }
    core.unlock(&helga()).expect("the right secret ends them");
    for _ in 0..5 {
        assert!(matches!(core.unlock(&guessed), Err(Refused::WrongSecret { .. })));
    }
    let Err(refused) = core.unlock(&helga()) else { panic!("five are enough") };
    assert!(refused.to_string().contains("sync-server recover"), "{refused}");
    drop(core);
    let again = Core::open(home.path(), stage).unwrap();
    again.unlock(&helga()).expect("whoever runs the server lets people sign its recovery");
}

/// The demo plant with another name for Maria, who is active until a day, if any.
fn maria_is(name: &str, until: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    changed(folder.path());
    let people = folder.path().join("people.csv");
    let text = fs::read_to_string(&people).unwrap();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let column = |name: &str| lines[0].split(',').position(|column| column == name).unwrap();
    let (printed_name, active_until) = (column("printed_name"), column("active_until"));
    let row = lines.iter_mut().find(|line| line.starts_with("maria,")).unwrap();
    let mut cells: Vec<&str> = row.split(',').collect();
    (cells[printed_name], cells[active_until]) = (name, until);
    *row = cells.join(",");
    fs::write(people, lines.join("\n") + "\n").unwrap();
    folder
}

#[test]
fn r12_the_id_of_somebody_who_left_goes_to_nobody_else() {
    let (home, stage) = (tempfile::tempdir().unwrap(), Stage::at("2026-03-02T06:00:00Z"));
    let core = demo(home.path(), &stage);
    let maria = PersonId::new("maria").unwrap();
    let former = core.plant().printed_name(&maria);
    core.import(maria_is(&former, "2026-03-05").path(), false, "hr").unwrap();
    let another = maria_is("Martha Ferrari", "");
    let married = core.import(another.path(), true, "hr").unwrap();
    let pointed_out = |warning: &&String| warning.contains(&former) && warning.contains("Martha Ferrari");
    assert_eq!(married.warnings.iter().filter(pointed_out).count(), 1, "{:?}", married.warnings);
    stage.set("2026-03-20T06:00:00Z");
    let ImportRefused::Errors(errors) = core.import(another.path(), false, "hr").unwrap_err() else { panic!() };
    let [error] = errors.try_into().unwrap();
    let place = (error.file.as_str(), error.column.as_deref(), error.value.as_str());
    assert_eq!(place, ("people.csv", Some("printed_name"), "Martha Ferrari"));
    assert!(error.problem.contains(&former), "{error}");
    assert_eq!(core.plant().printed_name(&maria), former, "nothing was imported");
    // Proposed while she was here, and accepted when she had left.
    stage.set("2026-03-02T07:00:00Z");
    make_approver(&core);
    core.import(another.path(), false, "hr").unwrap();
    stage.set("2026-03-20T06:00:00Z");
    let accepted = core.accept_import(None, &helga(), "looks right").unwrap_err().to_string();
    assert!(accepted.contains("maria has left"), "{accepted}");
    assert_eq!(core.plant().printed_name(&maria), former);
    let back = core.import(maria_is(&former, "").path(), true, "hr").unwrap();
    assert!(back.warnings.iter().all(|warning| !warning.contains(&former)), "{:?}", back.warnings);
}
