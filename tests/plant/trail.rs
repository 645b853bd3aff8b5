//! The trail: who may, what stands, what was known, and what an altered byte gives away.

use harness::{Plant, kiosk_signer, signer};
use kiosk::core::Denied;
use rusqlite::Connection;
use shared::id::*;
use shared::kind::Body;
use shared::kind::presence::SessionEnd;
use shared::kind::record::Outcome;
use shared::log::effect::{Cause, Verdict};
use shared::part11::authority::{Held, Reach, Right, authority_check};
use shared::time::{HOUR_MS, MINUTE_MS};
use shared::training::{Answer, Reason};

use harness::scene::*;

#[test]
fn r1_flipping_any_byte_of_a_stored_entry_makes_verify_name_it() {
    let mut plant = sunday_evening();
    plant.kiosk("K3").badge_in(&id("maria")).unwrap();
    plant.settle();
    plant.verify();
    let database = Connection::open(plant.path("server").join("server.sqlite")).unwrap();
    // Somebody with the file and the time to take the guard away, and to put it back.
    let guard = "SELECT sql FROM sqlite_schema WHERE name = 'entry_is_never_changed'";
    let guard: String = database.query_row(guard, [], |row| row.get(0)).unwrap();
    database.execute_batch("DROP TRIGGER entry_is_never_changed").unwrap();
    let (row, entry, bytes): (i64, [u8; 32], Vec<u8>) = database
        .query_row("SELECT row, id, bytes FROM entry WHERE kind = 'badge_in' LIMIT 1", [], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .unwrap();
    let write = |bytes: &[u8]| database.execute("UPDATE entry SET bytes = ?2 WHERE row = ?1", (row, bytes)).unwrap();
    for place in (0..bytes.len()).step_by(7) {
        let mut altered = bytes.clone();
        altered[place] ^= 1;
        write(&altered);
        let found = plant.server.verify(false).unwrap();
        let name = EntryId(entry).to_string();
        assert!(
            found.findings.iter().any(|finding| finding.what.contains(&name)),
            "byte {place}: {:?}",
            found.findings
        );
    }
    write(&bytes);
    database.execute_batch(&guard).unwrap();
    plant.verify();
}

#[test]
fn r3_r5_the_store_takes_nothing_back() {
    let mut plant = sunday_evening();
    plant.kiosk("K3").badge_in(&id("maria")).unwrap();
    plant.settle();
    for database in ["server/server.sqlite", "K3/kiosk.sqlite"] {
        let database = Connection::open(plant.path(database)).unwrap();
        for sql in ["DELETE FROM entry", "UPDATE entry SET bytes = x'00'", "UPDATE entry SET kind = 'other'"] {
            let refused = database.execute(sql, []).unwrap_err().to_string();
            assert!(refused.contains("entries are never"), "{sql}: {refused}");
        }
    }
}

#[test]
fn r4_role_and_scope_are_asked_at_the_kiosk_and_at_the_server() {
    let mut plant = sunday_evening();
    approve_v7(&plant.server);
    plant.settle();
    plant.clock.set("2026-03-02T05:20:00Z");
    let about = plant.kiosk("K3").about(&id("R-0042")).unwrap();
    let not_theirs = plant.kiosk("K3").may_assess(&id("ben"), &id("maria"), &about);
    assert!(matches!(not_theirs, Err(Denied::NoAuthority { .. })), "{not_theirs:?}");
    let signers = (&kiosk_signer("maria"), &kiosk_signer("ben"));
    assert!(plant.kiosk("K3").unlock_both(&id("maria"), &about, signers).is_err(), "without asking for a secret");
    assert!(plant.server.withdraw_assessor(&id("jonas"), &id("R-0042"), "no reason", &signer("maria")).is_err());
    let ruled = plant.server.rule(&id("maria"), true, "I say so", &signer("jonas"));
    assert!(
        ruled.unwrap_err().to_string().contains("jonas may not"),
        "before anybody looks whether anything is on hold"
    );
    let kiosk = plant.kiosk("K3");
    let here = kiosk.enrolment().unwrap().work_units.clone();
    let elsewhere = kiosk.plant().tasks.values().find(|task| task.work_units.iter().all(|unit| !here.contains(unit)));
    let elsewhere = elsewhere.expect("the plant is larger than this kiosk's stations").task.clone();
    let decision = kiosk.ask(&id("maria"), &elsewhere, None).unwrap().decision;
    assert!(decision.reasons.contains(&Reason::NotAtThisWorkUnit), "{:?}", decision.reasons);
}

#[test]
fn r4_a_role_reaches_no_further_than_its_place() {
    let mut plant = sunday_evening();
    let (known, now) = (plant.server.plant(), plant.clock.now());
    // Eva leads line 3, Dagmar all of packaging, Felix the site; K3 stands on line 2, K5 on line 3.
    for (person, at_k3, at_k5) in
        [("eva", Held::Never, Held::Yes), ("dagmar", Held::Yes, Held::Yes), ("felix", Held::Yes, Held::Yes)]
    {
        for (unit, expected) in [("SEAL", at_k3), ("SEAL3", at_k5)] {
            let units = [id(unit)];
            let held = authority_check(&known, &id(person), &Right::Lead, now, Reach::at(&units, None));
            assert_eq!(held, expected, "{person} at {unit}");
        }
    }
    let lifted = plant.kiosk("K3").lift_lockout(&id("ben"), "identified", &kiosk_signer("eva"));
    assert!(matches!(lifted, Err(Denied::NoAuthority { .. })), "{:?}", lifted.err());
    plant.kiosk("K5").lift_lockout(&id("ben"), "identified", &kiosk_signer("eva")).unwrap();
}

#[test]
fn r5_r10_the_person_page_says_who_what_when_and_why() {
    let mut plant = sunday_evening();
    approve_v7(&plant.server);
    plant.settle();
    plant.server.withdraw_assessor(&id("jonas"), &id("R-0042"), "conflict of interest", &signer("helga")).unwrap();
    plant.clock.set("2026-03-02T05:40:00Z");
    train(&mut plant, "K3", "maria", "jonas");
    plant.settle();
    plant.server.rule(&id("maria"), false, "not seen by anybody with the right", &signer("helga")).unwrap();
    let page = plant.server.person_page(&id("maria")).unwrap().unwrap();
    let check = page.entries.iter().find(|shown| shown.entry.header().kind == "check_signed").unwrap();
    for block in check.entry.blocks() {
        assert!(!block.printed_name.is_empty() && block.signed_at.0 > 0, "name, date and time, meaning");
    }
    assert_eq!(check.entry.blocks().len(), 2);
    assert!(!check.verdict.is_effective(), "kept, and without effect since the ruling");
    assert_eq!(check.written_at, "K3");
}

#[test]
fn r7_what_a_revoked_kiosk_wrote_later_is_kept_and_set_aside() {
    let mut plant = sunday_evening();
    approve_v7(&plant.server);
    plant.settle();
    plant.server.revoke_kiosk(&id("K3"), "stolen", None).unwrap();
    plant.clock.set("2026-03-02T05:40:00Z");
    train(&mut plant, "K3", "maria", "jonas");
    plant.settle();
    let page = plant.server.person_page(&id("maria")).unwrap().unwrap();
    let checks: Vec<_> = page.entries.iter().filter(|shown| shown.entry.header().kind == "check_signed").collect();
    assert_eq!(checks.len(), 1, "a revoked device may still give");
    assert!(!checks[0].verdict.is_effective());
    let decision = plant.kiosk("K3").ask(&id("maria"), &id("seal-pouch"), Some(&id("881"))).unwrap().decision;
    assert_eq!(decision.answer, Answer::NoGo, "and says GO to nobody");
    plant.verify();
}

#[test]
fn safe3_r7_what_a_revoked_kiosk_says_of_performing_and_of_wrong_secrets_counts_nowhere_else() {
    let mut plant = sunday_evening();
    let performed = |plant: &mut Plant, kiosk: &str| {
        let connection = plant.kiosk(kiosk).ledger().connection();
        store::questions::performances(connection, &id("maria")).unwrap().len()
    };
    let start = |plant: &mut Plant, lot: &str| {
        let kiosk = plant.kiosk("K3");
        kiosk.badge_in(&id("maria")).unwrap();
        let verdict = kiosk.ask(&id("maria"), &id("seal-pouch"), Some(&id(lot))).unwrap();
        assert_eq!(verdict.decision.answer, Answer::Go, "K3 is dark");
        verdict.session.unwrap()
    };
    start(&mut plant, "881");
    plant.settle();
    let before = performed(&mut plant, "K5");
    assert!(before >= 1);

    plant.server.revoke_kiosk(&id("K3"), "stolen", None).unwrap();
    let session = start(&mut plant, "882");
    let (maria, about) = (id("maria"), plant.kiosk("K3").about(&id("R-0042")).unwrap());
    let attempts = |plant: &mut Plant| {
        plant.kiosk("K5").badge_in(&maria).unwrap();
        plant.kiosk("K5").open_quiz(&maria, &about).unwrap().attempts_left
    };
    let tried = attempts(&mut plant);
    let kiosk = plant.kiosk("K3");
    kiosk.unlock_session(&kiosk_signer("maria")).unwrap();
    let open = kiosk.open_quiz(&maria, &about).unwrap();
    assert!(!kiosk.sign_quiz(&maria, vec![Vec::new(); open.drawn.len()]).unwrap().passed);
    plant.kiosk("K5").ask(&maria, &id("seal-pouch"), Some(&id("883"))).unwrap().session.unwrap();
    plant.clock.forward_minutes(1);
    plant.kiosk("K3").badge_out(SessionEnd::Tap).unwrap();
    let stranger = kiosk::core::secret::Signer { person: id("ana"), secret: "not the secret".into() };
    for _ in 0..10 {
        plant.clock.advance_ms(10 * 60_000);
        assert!(matches!(plant.kiosk("K3").unlock(&stranger), Err(Denied::WrongSecret { .. } | Denied::LockedOut)));
    }
    plant.settle();
    plant.clock.advance_ms(10 * 60_000);
    assert_eq!(plant.kiosk("K5").end_overdue_sessions().unwrap(), 0, "nor is anybody gone because it says so");
    assert_eq!(
        performed(&mut plant, "K5"),
        before + 1,
        "currency is kept by the start at K5, and not by what a stolen terminal says"
    );
    assert_eq!(attempts(&mut plant), tried, "nor is an attempt used up");
    plant.kiosk("K5").unlock(&kiosk_signer("ana")).unwrap();
    assert!(
        matches!(plant.kiosk("K3").unlock(&kiosk_signer("ana")), Err(Denied::LockedOut)),
        "nor tried there for ever"
    );
    // It is kept, and said, why it doesn't count.
    let ledger = plant.server.ledger();
    let said = store::questions::session(ledger.connection(), &session).unwrap().unwrap();
    let verdict = store::questions::verdict(ledger.connection(), &said.opened_by).unwrap();
    assert_eq!(verdict, Verdict::SetAside(Cause::DeviceRevoked));
    drop(ledger);
    plant.verify();
}

#[test]
fn u1_a_stored_decision_replays_to_the_same_answer_from_what_its_kiosk_knew() {
    let mut plant = sunday_evening();
    approve_v7(&plant.server);
    plant.settle();
    let (maria, task) = (id("maria"), id("seal-pouch"));
    let mut decisions = Vec::new();
    plant.clock.set("2026-03-02T04:40:00Z");
    decisions.push(plant.kiosk("K3").ask(&maria, &task, Some(&id("880"))).unwrap());
    plant.clock.set("2026-03-02T05:10:00Z");
    decisions.push(plant.kiosk("K3").ask(&maria, &task, Some(&id("881"))).unwrap());
    decisions.push(plant.kiosk("K3").ask(&maria, &task, None).unwrap());
    // The server goes on without the kiosk: what it learns is not what the kiosk knew.
    plant.server.withdraw_assessor(&id("jonas"), &id("R-0042"), "conflict of interest", &signer("helga")).unwrap();
    plant.clock.set("2026-03-02T05:40:00Z");
    train(&mut plant, "K3", "maria", "jonas");
    decisions.push(plant.kiosk("K3").ask(&maria, &task, Some(&id("881"))).unwrap());
    plant.settle();
    let words: Vec<&str> = decisions.iter().map(|decision| decision.decision.answer.word()).collect();
    assert_eq!(words, ["go", "no_go", "no_go", "go"]);
    for verdict in &decisions {
        let replay = plant.server.replay(&verdict.entry).unwrap();
        assert!(replay.same, "{replay:#?} of {:#?}", verdict.decision);
    }
}

#[test]
fn u1_changing_one_id_of_the_proof_breaks_verify() {
    let mut plant = sunday_evening();
    let verdict = plant.kiosk("K3").ask(&id("maria"), &id("seal-pouch"), Some(&id("881"))).unwrap();
    let evidence = *verdict.decision.evidence.first().expect("a GO rests on evidence");
    plant.settle();
    plant.verify();
    let database = Connection::open(plant.path("server").join("server.sqlite")).unwrap();
    database.execute_batch("DROP TRIGGER entry_is_never_changed").unwrap();
    let mut bytes: Vec<u8> =
        database.query_row("SELECT bytes FROM entry WHERE id = ?1", [verdict.entry.0], |row| row.get(0)).unwrap();
    let place = bytes.windows(32).position(|window| window == evidence.0).expect("the id stands in the entry");
    bytes[place] ^= 0xff;
    database.execute("UPDATE entry SET bytes = ?2 WHERE id = ?1", (verdict.entry.0, bytes)).unwrap();
    let found = plant.server.verify(false).unwrap();
    assert!(found.findings.iter().any(|finding| finding.what.contains(&verdict.entry.to_string())), "{found:?}");
}

#[test]
fn r18_every_entry_says_by_which_clock_and_how_surely() {
    let mut plant = sunday_evening();
    plant.clock.advance_ms(9 * 3_600_000);
    let verdict = plant.kiosk("K3").ask(&id("maria"), &id("seal-pouch"), Some(&id("881"))).unwrap();
    let (entry, ..) = plant.kiosk("K3").receipt(&verdict.entry).unwrap();
    let header = entry.header();
    assert_eq!(header.wall, plant.clock.now());
    assert!(header.uncertainty_ms > 0, "nine hours alone are not exact");
    let Ok(Some(Body::Decision(decision))) = entry.statement().map(|s| s.map(|s| s.body)) else { panic!("a decision") };
    assert!(decision.earliest < header.wall && header.wall < decision.latest);
    assert!(decision.offline_ms >= 9 * 3_600_000, "the last trusted time was so long ago");
}

/// From Sunday evening to Monday noon nobody touches the kiosk; v7 demands everything anew from Monday morning on. Switched off, its clock is set
/// back to Sunday evening, and it starts without a network.
#[test]
fn r18_a_clock_set_back_after_an_idle_day_is_not_believed() {
    for online in [true, false] {
        let mut plant = sunday_evening();
        approve_v7(&plant.server);
        plant.settle();
        if !online {
            plant.kiosk("K3").end_overdue_sessions().unwrap();
        }
        plant.clock.set("2026-03-02T11:00:00Z");
        if online {
            plant.meet("K3");
        } else {
            plant.kiosk("K3").end_overdue_sessions().unwrap();
        }
        plant.stop("K3");
        plant.clock.forward_minutes(5);
        let noon = plant.clock.now();
        plant.clock.set_machines_ahead(-16 * HOUR_MS);
        plant.start("K3");
        let reading = plant.kiosk("K3").reading();
        assert!(reading.wall >= noon.minus_ms(5 * MINUTE_MS), "online {online}: it takes it for {:?}", reading.wall);
        assert!(reading.earliest() <= noon.minus_ms(16 * HOUR_MS), "online {online}: either may be true");
        assert_eq!(
            plant.kiosk("K3").ask(&id("maria"), &id("seal-pouch"), Some(&id("881"))).unwrap().decision.answer,
            Answer::NoGo
        );
    }
}

#[test]
fn s5_nobody_signs_off_themselves_whatever_their_rights() {
    let mut plant = sunday_evening();
    approve_v7(&plant.server);
    plant.settle();
    plant.clock.set("2026-03-02T05:20:00Z");
    let about = plant.kiosk("K3").about(&id("R-0042")).unwrap();
    let own = (&kiosk_signer("jonas"), &kiosk_signer("jonas"));
    assert!(matches!(plant.kiosk("K3").may_assess(&id("jonas"), &id("jonas"), &about), Err(Denied::SamePerson)));
    let kiosk = plant.kiosk("K3");
    assert!(kiosk.sign_run(&id("jonas"), &about, Outcome::Passed, None, "", own).is_err());
    let ruled = plant.server.rule(&id("helga"), true, "fine", &signer("helga"));
    assert!(ruled.unwrap_err().to_string().contains("nobody rules on their own record"));
}

/// What somebody did before counts for the currency that a start asks for: neither the start itself, nor what they did after it.
#[test]
fn h5_a_start_on_a_lot_does_not_keep_its_own_currency() {
    let mut plant = sunday_evening();
    let maria = id::<PersonId>("maria");
    for lot in ["881", "882"] {
        let kiosk = plant.kiosk("K3");
        kiosk.badge_in(&maria).unwrap();
        assert!(kiosk.ask(&maria, &id("seal-pouch"), Some(&id(lot))).unwrap().session.is_some(), "{lot}");
        plant.clock.forward_minutes(30);
        plant.kiosk("K3").badge_out(SessionEnd::Tap).unwrap();
    }
    plant.settle();
    let row = "R-0042,Pouch sealing,SOP-0042,process,read;quiz:Q-0042;runs:1;check:C-0042,12,";
    import_with(&plant, "requirements.csv", &format!("{row},"), &format!("{row}days:1,"));
    let qualified = |lot: &str| plant.server.query_lot(&id(lot)).unwrap()[0].qualified;
    assert_eq!((qualified("881"), qualified("882")), (false, true));
}
