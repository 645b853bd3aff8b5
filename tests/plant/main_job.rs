//! The main job, by the cores of kiosk and server: badge → gate → training and sign-off offline → sync → the record.

use harness::{kiosk_signer, signer};
use kiosk::core::Denied;
use kiosk::core::signing_set_up::Chosen;
use shared::id::*;
use shared::kind::record::Edit;
use shared::training::Answer;
use shared::training::point_in_time::{Asked, QualifiedAnswer};

use harness::scene::*;

#[test]
fn s1_u4_a6_go_before_the_revision_and_no_go_at_the_instant_it_counts() {
    let mut plant = sunday_evening();
    approve_v7(&plant.server);
    plant.settle();
    let (maria, task, lot) = (id("maria"), id("seal-pouch"), id("881"));
    // A kiosk that ran alone for a night is a few seconds unsure, and denies while both versions are possible.
    plant.clock.set("2026-03-02T04:59:50Z");
    let before = plant.kiosk("K3").ask(&maria, &task, Some(&lot)).unwrap();
    assert_eq!(before.decision.answer, Answer::Go, "{:?}", before.decision.reasons);
    plant.clock.set("2026-03-02T05:00:00Z");
    let after = plant.kiosk("K3").ask(&maria, &task, Some(&lot)).unwrap();
    assert_eq!(after.decision.answer, Answer::NoGo);
    let missing = &after.decision.missing[0];
    assert_eq!(missing.changed_steps, ["4", "5", "9"]);
    assert_eq!(missing.minutes, Some(6));
    assert_eq!(missing.state.trained_on, Some(id("v6")));
}

#[test]
fn u13_the_no_turns_into_training_on_the_spot_offline_and_back_into_go() {
    let mut plant = sunday_evening();
    approve_v7(&plant.server);
    plant.settle();
    plant.clock.set("2026-03-02T05:40:00Z");
    train(&mut plant, "K3", "maria", "jonas");
    let again = plant.kiosk("K3").ask(&id("maria"), &id("seal-pouch"), Some(&id("881"))).unwrap();
    assert_eq!(again.decision.answer, Answer::Go, "{:?} {:#?}", again.decision.reasons, again.decision.missing);
    plant.settle();
    plant.verify();
    let at = harness::at("2026-03-02T06:30:00Z");
    let answer = plant.server.query_qualified(&id("maria"), Asked::Document(&id("SOP-0042")), at, None).unwrap();
    assert_eq!(answer.qualified.answer, QualifiedAnswer::Yes);
    assert!(!answer.qualified.legacy);
}

#[test]
fn u8_u2_an_assessor_withdrawn_while_the_kiosk_was_dark_puts_the_sign_offs_on_hold_until_ruled() {
    let mut plant = sunday_evening();
    approve_v7(&plant.server);
    plant.settle();
    plant.clock.set("2026-03-01T22:00:00Z");
    plant.server.withdraw_assessor(&id("jonas"), &id("R-0042"), "conflict of interest", &signer("helga")).unwrap();
    plant.clock.set("2026-03-02T05:40:00Z");
    train(&mut plant, "K3", "maria", "jonas");
    let known = plant.kiosk("K3").ask(&id("maria"), &id("seal-pouch"), Some(&id("881"))).unwrap();
    assert_eq!(known.decision.answer, Answer::Go, "by what the kiosk could know");
    plant.settle();
    let now = plant.kiosk("K3").ask(&id("maria"), &id("seal-pouch"), Some(&id("881"))).unwrap();
    assert_eq!(now.decision.answer, Answer::NoGo);
    assert!(
        now.decision.reasons.iter().any(|r| matches!(r, shared::training::Reason::OnHold { .. })),
        "{:?}",
        now.decision.reasons
    );
    let at = harness::at("2026-03-02T05:45:00Z");
    let kiosk = id("K3");
    let answer =
        plant.server.query_qualified(&id("maria"), Asked::Document(&id("SOP-0042")), at, Some(&kiosk)).unwrap();
    assert_eq!(answer.qualified.answer, QualifiedAnswer::No, "what was true");
    assert_eq!(answer.answer_known.unwrap().qualified.answer, QualifiedAnswer::Yes, "what the kiosk could know (U2)");
    plant.server.rule(&id("maria"), true, "observed by video", &signer("helga")).unwrap();
    plant.settle();
    let ruled = plant.kiosk("K3").ask(&id("maria"), &id("seal-pouch"), Some(&id("881"))).unwrap();
    assert_eq!(ruled.decision.answer, Answer::Go, "{:?}", ruled.decision.reasons);
    plant.verify();
}

#[test]
fn u14_one_training_begun_at_two_dark_kiosks_is_one_worksheet() {
    let mut plant = sunday_evening();
    approve_v7(&plant.server);
    plant.settle();
    plant.clock.set("2026-03-02T05:10:00Z");
    let ana: PersonId = id("ana");
    for (name, assessor, steps) in [("K5", "eva", ["1", "2"]), ("K3", "jonas", ["3", "4"])] {
        let kiosk = plant.kiosk(name);
        let about = kiosk.about(&id("R-0042")).unwrap();
        for step in steps {
            kiosk.edit_sheet(&ana, &about, &id(assessor), vec![Edit::Tick(step.into(), true)]).unwrap();
        }
        plant.clock.advance_ms(60_000);
    }
    plant.settle();
    let sheets = ["K3", "K5"].map(|name| {
        let kiosk = plant.kiosk(name);
        let about = kiosk.about(&id("R-0042")).unwrap();
        kiosk.sheet(&ana, &about).unwrap().worksheet
    });
    assert_eq!(sheets[0].document_digest(), sheets[1].document_digest());
    assert_eq!(sheets[0].steps().len(), 4);
    plant.verify();
}

#[test]
fn r15_wrong_secrets_lock_out_across_a_restart_and_merge() {
    let mut plant = sunday_evening();
    let wrong = kiosk::core::secret::Signer { person: id("ben"), secret: "not the secret".into() };
    for _ in 0..10 {
        plant.clock.advance_ms(3 * 3_600_000);
        let refused = plant.kiosk("K3").unlock(&wrong);
        assert!(matches!(refused, Err(Denied::WrongSecret { .. } | Denied::LockedOut)), "{:?}", refused.err());
        plant.restart("K3");
    }
    assert!(matches!(plant.kiosk("K3").unlock(&kiosk_signer("ben")), Err(Denied::LockedOut)));
    assert!(plant.kiosk("K5").unlock(&kiosk_signer("ben")).is_ok(), "K5 has not heard of it yet");
    plant.clock.advance_ms(1000);
    plant.settle();
    plant.clock.advance_ms(1000);
    plant.kiosk("K3").lift_lockout(&id("ben"), "identified", &kiosk_signer("jonas")).unwrap();
    assert!(plant.kiosk("K3").unlock(&kiosk_signer("ben")).is_ok());
}

#[test]
fn r12_a_new_secret_takes_the_old_ones_place_even_at_the_same_instant() {
    let mut plant = sunday_evening();
    plant.settle();
    let new = kiosk::core::secret::Signer { person: id("maria"), secret: "another-secret".into() };
    let kiosk = plant.kiosk("K3");
    let stretching = shared::part11::boxes::Stretching::TESTS;
    for secret in [new.secret.as_str(), "a-third-secret"] {
        let chosen = Chosen { secret, identity_proof: "identity card", language: "en", stretching };
        kiosk.set_up_signing(&new.person, &chosen, &kiosk_signer("jonas")).unwrap();
    }
    let third = kiosk::core::secret::Signer { secret: "a-third-secret".into(), ..new.clone() };
    assert!(kiosk.unlock(&third).is_ok());
    assert!(kiosk.unlock(&new).is_err());
}
