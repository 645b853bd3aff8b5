//! How strong a signature must be is the plant's choice (R16): `us-part11` and `eu-2025`, asked at the kiosk and again at merge.

use std::fs;
use std::path::PathBuf;

use harness::scene::{copy_folder, id, sunday_evening};
use harness::{Plant, demo_plant, kiosk_signer, signer};
use kiosk::core::Denied;
use kiosk::core::badge::BadgeSeen;
use kiosk::core::secret::Signer;
use kiosk::core::signing_set_up::Chosen;
use shared::id::*;
use shared::kind::Body;
use shared::kind::plant::{Profile, SecretKind};
use shared::log::effect::{Cause, Verdict};
use shared::part11::boxes::Stretching;
use shared::part11::strength::Weakness;
use shared::training::Answer;
use store::{boxes, questions};

const PIN: &str = "741963";
const NOEMI: &str = "04217F45";

/// The demo plant with the stricter profile.
fn european_folder(below: &std::path::Path) -> PathBuf {
    let folder = below.join("eu-plant");
    copy_folder(&demo_plant(), &folder);
    let file = folder.join("policies.toml");
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains("\"us-part11\"\n"));
    fs::write(&file, text.replace("profile = \"us-part11\"", "profile = \"eu-2025\"")).unwrap();
    folder
}

fn chosen(secret: &str) -> Chosen<'_> {
    Chosen { secret, identity_proof: "identity card", language: "en", stretching: Stretching::TESTS }
}

fn noemi(secret: &str) -> Signer {
    Signer { person: id("noemi"), secret: secret.into() }
}

fn set_ups(plant: &mut Plant, kiosk: &str) -> Vec<(EntryId, Option<SecretKind>, Profile)> {
    let connection = plant.kiosk(kiosk).ledger().connection();
    let entries = questions::entries_of_kind(connection, "person:noemi", "signing_set_up").unwrap();
    let said = entries.iter().map(|entry| match entry.statement().unwrap().unwrap().body {
        Body::SigningSetUp(body) => (entry.id(), body.secret, body.profile),
        _ => panic!("another kind"),
    });
    said.collect()
}

fn may_sign_with(plant: &mut Plant, kiosk: &str, badge: &str) -> Option<SecretKind> {
    match plant.kiosk(kiosk).look_up_badge(badge).unwrap() {
        BadgeSeen::Person(seen) => seen.secret,
        other => panic!("{other:?}"),
    }
}

#[test]
fn r16_eu_2025_a_badge_alone_starts_nothing_and_says_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut plant = Plant::from_folder(&european_folder(folder.path()), "2026-03-01T18:00:00Z");
    plant.set_up_signing(&["helga", "jonas", "maria"]);
    plant.add_kiosk("K3", &["SEAL"]);
    let (maria, task, lot) = (id("maria"), id("seal-pouch"), id("881"));
    let kiosk = plant.kiosk("K3");
    kiosk.badge_in(&maria).unwrap();
    assert!(matches!(kiosk.ask(&maria, &task, Some(&lot)), Err(Denied::NotIdentified)));
    assert!(
        questions::entries_of_kind(kiosk.ledger().connection(), "person:maria", "task_started").unwrap().is_empty()
    );
    kiosk.unlock_session(&kiosk_signer("maria")).unwrap();
    let started = kiosk.ask(&maria, &task, Some(&lot)).unwrap();
    assert_eq!(started.decision.answer, Answer::Go, "{:?}", started.decision.reasons);
    let session = started.session.unwrap();
    assert!(matches!(kiosk.confirm_trainer(&session, &id("jonas"), None), Err(Denied::NotIdentified)));
    assert!(matches!(kiosk.confirm_trainer(&session, &id("jonas"), Some("a guess")), Err(Denied::WrongSecret { .. })));
    plant.clock.advance_ms(60_000);
    plant.kiosk("K3").confirm_trainer(&session, &id("jonas"), Some(&harness::secret_of("jonas"))).unwrap();
    plant.settle();
    plant.verify();
}

#[test]
fn r16_us_part11_takes_a_pin_where_the_keys_lie_in_a_chip_and_it_works_nowhere_else() {
    let mut plant = sunday_evening();
    plant.put_chip_into("K7");
    plant.add_kiosk("K7", &["SEAL"]);
    let weak = plant.kiosk("K3").set_up_signing(&id("noemi"), &chosen(PIN), &kiosk_signer("jonas"));
    assert!(matches!(weak, Err(Denied::WeakSecret(Weakness::TooShort))), "a file holds no PIN");
    plant.kiosk("K7").set_up_signing(&id("noemi"), &chosen(PIN), &kiosk_signer("jonas")).unwrap();
    assert_eq!(may_sign_with(&mut plant, "K7", NOEMI), Some(SecretKind::Pin));
    plant.kiosk("K7").unlock(&noemi(PIN)).unwrap();

    plant.settle();
    assert_eq!(may_sign_with(&mut plant, "K3", NOEMI), None, "signing set-up is offered there");
    assert!(matches!(plant.kiosk("K3").unlock(&noemi(PIN)), Err(Denied::NoSigning { .. })));
    let boxed = boxes::sealed_box(plant.kiosk("K3").ledger().connection(), "person/noemi").unwrap();
    assert_eq!(boxed, None, "whoever steals that terminal has nothing to try PINs on");
    let at_the_server =
        plant.server.unlock(&sync_server::core::people::Signer { person: id("noemi"), secret: PIN.into() });
    assert!(at_the_server.is_err());
    plant.verify();
}

#[test]
fn r16_a_plant_that_turns_to_eu_2025_asks_for_a_passphrase_and_keeps_what_the_pin_signed() {
    let mut plant = sunday_evening();
    plant.put_chip_into("K7");
    plant.add_kiosk("K7", &["SEAL"]);
    plant.kiosk("K7").set_up_signing(&id("noemi"), &chosen(PIN), &kiosk_signer("jonas")).unwrap();
    plant.settle();
    let folder = tempfile::tempdir().unwrap();
    plant.server.import(&european_folder(folder.path()), false, "quality").unwrap();
    plant.server.accept_import(None, &signer("helga"), "European inspection").unwrap();
    plant.settle();

    assert_eq!(may_sign_with(&mut plant, "K7", NOEMI), None);
    assert!(matches!(plant.kiosk("K7").unlock(&noemi(PIN)), Err(Denied::NoSigning { .. })), "no PIN, chip or not");
    let again = plant.kiosk("K7").set_up_signing(&id("noemi"), &chosen("852741"), &kiosk_signer("jonas"));
    assert!(matches!(again, Err(Denied::WeakSecret(_))));
    plant.kiosk("K7").set_up_signing(&id("noemi"), &chosen("Nine pouches"), &kiosk_signer("jonas")).unwrap();
    plant.kiosk("K7").unlock(&noemi("Nine pouches")).unwrap();
    plant.settle();
    plant.kiosk("K3").unlock(&noemi("Nine pouches")).unwrap();
    let said = set_ups(&mut plant, "K3");
    assert_eq!(
        said.iter().map(|(_, secret, profile)| (*secret, *profile)).collect::<Vec<_>>(),
        [(Some(SecretKind::Pin), Profile::UsPart11), (Some(SecretKind::Passphrase), Profile::Eu2025)]
    );
    for (entry, ..) in said {
        let connection = plant.kiosk("K3").ledger().connection();
        assert!(questions::verdict(connection, &entry).unwrap().is_effective(), "the old key's signatures stay good");
    }
    plant.verify();
}

#[test]
fn r16_a_pin_from_a_terminal_without_a_chip_is_set_aside_at_merge() {
    let mut plant = sunday_evening();
    // Enrolled with keys in files, it says that it has a chip: an altered program could.
    plant.stop("K3");
    plant.put_chip_into("K3");
    plant.start("K3");
    plant.kiosk("K3").set_up_signing(&id("noemi"), &chosen(PIN), &kiosk_signer("jonas")).unwrap();
    plant.settle();
    let said = set_ups(&mut plant, "K5");
    let verdict = questions::verdict(plant.kiosk("K5").ledger().connection(), &said[0].0).unwrap();
    assert_eq!(verdict, Verdict::SetAside(Cause::WeakSecret));
    assert_eq!(
        questions::verdict(plant.server.ledger().connection(), &said[0].0).unwrap(),
        Verdict::SetAside(Cause::WeakSecret)
    );
    assert_eq!(may_sign_with(&mut plant, "K5", NOEMI), None);
    plant.verify();
}
