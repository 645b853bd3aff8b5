//! Terminals that leave: retired on purpose, with everything given first; or broken, with another in their place and what they held brought in.

use std::path::Path;

use harness::scene::*;
use harness::{Plant, kiosk_signer, secret_of, signer};
use kiosk::bundle_file::{export, import};
use kiosk::core::{Core as Kiosk, Denied};
use kiosk::key_store::FileKeyStore;
use minicbor::bytes::ByteVec;
use shared::id::{Digest32, EntryId};
use shared::kind::to_cbor;
use shared::log::effect::{Cause, Verdict};
use shared::part11::boxes::Stretching;
use shared::part11::enrolment::{EnrolAnswer, EnrolRequest, code_key, server_proof};
use shared::part11::pepper::{Pepper, PepperEpoch};
use shared::part11::signature::DeviceSecret;
use shared::sync::message::Up;
use shared::training::Answer;
use store::{questions, shelf};
use sync_server::core::Core as Server;
use sync_server::core::overview::{KioskLine, KioskState};

/// Monday at seven: v7 counts, both kiosks have been dark since Sunday evening, and Sven of IT can sign.
fn dark_monday() -> Plant {
    let mut plant = sunday_evening();
    let (sven, helga) = (id("sven"), signer("helga"));
    plant.server.set_up_signing(&sven, &secret_of("sven"), "identity card", Some(&helga), Stretching::TESTS).unwrap();
    approve_v7(&plant.server);
    plant.settle();
    plant.clock.set("2026-03-02T06:00:00Z");
    plant
}

fn line(plant: &Plant, kiosk: &str) -> KioskLine {
    let lines = plant.server.kiosk_lines(60).unwrap();
    lines.into_iter().find(|line| line.name == id(kiosk)).unwrap()
}

fn starts(plant: &mut Plant, kiosk: &str, person: &str) -> Answer {
    let verdict = plant.kiosk(kiosk).ask(&id(person), &id("seal-pouch"), Some(&id("881"))).unwrap();
    verdict.decision.answer
}

/// Why the server doesn't retire K3; nothing is changed then.
fn kept(server: &Server, first: &str, second: &str) -> String {
    let before = server.plant().revoked_devices.clone();
    let refused = server.retire_kiosk(&id("K3"), "line 2 is closed", [&signer(first), &signer(second)]);
    assert_eq!(server.plant().revoked_devices, before);
    refused.unwrap_err().to_string()
}

fn is_empty(folder: &Path) -> bool {
    !folder.exists() || std::fs::read_dir(folder).unwrap().next().is_none()
}

/// K3's disk and keys, as somebody else might hold them.
fn copy_of_k3(plant: &Plant) -> impl Fn() -> Kiosk + use<> {
    let (disk, keys) = (plant.path("clone"), plant.path("clone-keys"));
    copy_folder(&plant.path("K3"), &disk);
    copy_folder(&plant.path("K3-keys"), &keys);
    let clock = plant.clock.clone();
    move || Kiosk::open(&disk, Box::new(FileKeyStore::open(&keys).unwrap()), Box::new(clock.clone())).unwrap()
}

fn incarnation(kiosk: &Kiosk) -> Vec<u8> {
    questions::setting(kiosk.ledger().connection(), "incarnation").unwrap().unwrap()
}

fn at_the_server(plant: &Plant, entry: &EntryId) -> Verdict {
    questions::verdict(plant.server.ledger().connection(), entry).unwrap()
}

/// What two branches of each log come to: quality accepts them all, and everything that was done counts.
fn both_branches_are_accepted(plant: &Plant) {
    let branches = plant.server.branches().unwrap();
    let streams: Vec<&str> = branches.iter().map(|branch| branch.stream.as_str()).collect();
    assert!(!streams.is_empty());
    for stream in &streams {
        assert_eq!(streams.iter().filter(|other| *other == stream).count(), 2, "one fork in a log: {streams:?}");
    }
    for branch in &branches {
        plant.server.rule_on_branch(&branch.first, true, "written by us", &signer("helga")).unwrap();
    }
}

#[test]
fn u11_a_data_folder_copied_with_its_keys_forks_each_log_once_and_both_terminals_go_on() {
    let mut plant = dark_monday();
    let mut clone = copy_of_k3(&plant)();
    let before = incarnation(&clone);
    // Neither knows of the other.
    let (marias, anas) = (comes_and_reads(plant.kiosk("K3"), "maria"), comes_and_reads(&mut clone, "ana"));
    for _ in 0..2 {
        plant.meet("K3");
        harness::meet(&mut clone, &plant.server).unwrap();
    }
    assert!(plant.kiosk("K3").status().unwrap().forks > 0 && clone.status().unwrap().forks > 0, "both say so");
    for read in [&marias, &anas] {
        assert_eq!(at_the_server(&plant, read), Verdict::SetAside(Cause::BehindFork), "held, and not counted");
    }
    let (here, there) = (incarnation(plant.kiosk("K3")), incarnation(&clone));
    assert!(here != before && there != before && here != there, "each writes logs of its own from here on");

    plant.clock.forward_minutes(5);
    let later = [comes_and_reads(plant.kiosk("K3"), "ben"), comes_and_reads(&mut clone, "maria")];
    plant.meet("K3");
    harness::meet(&mut clone, &plant.server).unwrap();
    assert!(
        later.iter().all(|read| at_the_server(&plant, read).is_effective()),
        "what they write since counts at once"
    );
    both_branches_are_accepted(&plant);
    assert!([&marias, &anas].iter().all(|read| at_the_server(&plant, read).is_effective()));
    plant.verify();
}

#[test]
fn u11_yesterdays_data_folder_is_noticed_with_its_keys_and_with_yesterdays() {
    for keys_too in [false, true] {
        let mut plant = dark_monday();
        plant.stop("K3");
        for folder in ["K3", "K3-keys"] {
            copy_folder(&plant.path(folder), &plant.path(&format!("{folder}-yesterday")));
        }
        plant.start("K3");
        let (told, untold) = (comes_and_reads(plant.kiosk("K3"), "maria"), {
            plant.meet("K3");
            plant.clock.forward_minutes(90);
            comes_and_reads(plant.kiosk("K3"), "ana")
        });
        let before = incarnation(plant.kiosk("K3"));
        plant.stop("K3");
        for folder in if keys_too { vec!["K3", "K3-keys"] } else { vec!["K3"] } {
            std::fs::remove_dir_all(plant.path(folder)).unwrap();
            copy_folder(&plant.path(&format!("{folder}-yesterday")), &plant.path(folder));
        }

        plant.start("K3");
        let noticed = incarnation(plant.kiosk("K3")) != before;
        assert_eq!(noticed, !keys_too, "the keys remember how far it had come");
        plant.clock.forward_minutes(5);
        let since = comes_and_reads(plant.kiosk("K3"), "ben");
        plant.settle();
        assert_ne!(incarnation(plant.kiosk("K3")), before, "at the latest the server says so");
        assert!(shelf::place(plant.kiosk("K3").ledger().connection(), &told).unwrap().is_some(), "it comes back");
        assert!(shelf::place(plant.server.ledger().connection(), &untold).unwrap().is_none(), "the disk took it along");
        if keys_too {
            both_branches_are_accepted(&plant);
        } else {
            assert!(plant.server.branches().unwrap().is_empty(), "nothing forked");
        }
        assert!([&told, &since].iter().all(|read| at_the_server(&plant, read).is_effective()), "keys too: {keys_too}");
        plant.verify();
    }
}

#[test]
fn s9_a_retired_kiosk_gave_everything_first_and_erases_itself_last() {
    let mut plant = dark_monday();
    train(&mut plant, "K3", "maria", "jonas");
    let leave = |plant: &mut Plant, person| plant.kiosk("K3").take_leave(&kiosk_signer(person), "line 2 is closed");

    // Not while anything is unsent: the number is said, and nothing is changed.
    let before = plant.kiosk("K3").status().unwrap();
    match leave(&mut plant, "jonas") {
        Err(Denied::NotGiven { count }) => assert_eq!(count, before.waiting() + before.boxes_waiting),
        other => panic!("{other:?}"),
    }
    assert!(before.waiting() > 5, "{}", before.waiting());
    assert_eq!(plant.kiosk("K3").status().unwrap().entries, before.entries);
    assert!(kept(&plant.server, "helga", "sven").contains("kiosk retire"), "the kiosk comes first");

    plant.meet("K3");
    assert!(matches!(leave(&mut plant, "maria"), Err(Denied::NoAuthority { .. })), "nor by anybody");
    assert!(matches!(plant.kiosk("K3").take_leave(&kiosk_signer("jonas"), " "), Err(Denied::NoReason)));
    assert!(kept(&plant.server, "helga", "sven").contains("kiosk retire"), "having given is not enough");
    let clone = copy_of_k3(&plant);
    leave(&mut plant, "jonas").unwrap();

    // From its last word on nothing is written, here or at a restart, and nobody is let through.
    for _ in 0..2 {
        assert!(matches!(plant.kiosk("K3").badge_in(&id("maria")), Err(Denied::Retiring)));
        assert!(matches!(leave(&mut plant, "jonas"), Err(Denied::Retiring)));
        assert_eq!(plant.kiosk("K3").revoked_because().unwrap().as_deref(), Some("line 2 is closed"));
        assert!(!plant.kiosk("K3").is_let_go().unwrap());
        plant.restart("K3");
    }
    // The server hasn't heard the word, and two people sign.
    assert!(kept(&plant.server, "helga", "sven").contains("kiosk retire"));
    plant.meet("K3");
    assert!(kept(&plant.server, "helga", "helga").contains("two different people"));
    assert!(kept(&plant.server, "helga", "maria").contains("maria may not"));
    assert!(!plant.kiosk("K3").is_let_go().unwrap(), "nobody has signed");
    plant.server.retire_kiosk(&id("K3"), "line 2 is closed", [&signer("helga"), &signer("sven")]).unwrap();
    assert!(!plant.kiosk("K3").is_let_go().unwrap(), "it hasn't heard");
    plant.meet("K3");
    assert!(plant.kiosk("K3").is_let_go().unwrap());

    plant.take("K3").erase().unwrap();
    assert!(is_empty(&plant.path("K3-keys")) && is_empty(&plant.path("K3/blobs")));
    assert!(std::fs::read_dir(plant.path("K3")).unwrap().next().is_none());
    plant.start("K3");
    assert!(plant.kiosk("K3").enrolment().is_none(), "out of its box again");
    plant.stop("K3");

    // The server shows it, expects nothing of it, and what was done there counts.
    assert_eq!((line(&plant, "K3").state, line(&plant, "K3").waiting), (KioskState::Retired, 0));
    plant.settle();
    assert_eq!(starts(&mut plant, "K5", "maria"), Answer::Go);
    plant.meet("K5");
    assert_eq!(plant.server.watermark(None).unwrap().kiosks, 1);

    // What a copy of its disk writes is set aside.
    let mut clone = clone();
    plant.clock.forward_minutes(5);
    let read = comes_and_reads(&mut clone, "ana");
    clone.call_soon();
    while let Some(up) = clone.poll_up().unwrap() {
        clone.handle_down(&plant.server.exchange(&up).unwrap(), 0).unwrap();
    }
    let page = plant.server.person_page(&id("ana")).unwrap().unwrap();
    let shown = page.entries.iter().find(|shown| shown.entry.id() == read).expect("it is held");
    assert!(!shown.verdict.is_effective());
    assert!(clone.revoked_because().unwrap().is_some());
    assert!(clone.erase().is_err(), "it never took leave: nothing is erased");
    plant.verify();
}

/// Somebody else, alone, could have done this much: nothing of the kiosk is erased, and who waits is told.
fn refuses_to_erase(plant: &mut Plant, kiosk: &str) {
    plant.meet(kiosk);
    for _ in 0..2 {
        let told = plant.kiosk(kiosk).is_let_go().unwrap_err().to_string();
        assert!(told.contains("nothing was erased"), "{told}");
        assert!(plant.take(kiosk).erase().is_err());
        plant.start(kiosk);
        assert!(plant.kiosk(kiosk).enrolment().is_some() && plant.kiosk(kiosk).status().unwrap().entries > 0);
    }
}

#[test]
fn s9_a_revocation_by_one_person_erases_nothing_before_the_last_word_nor_after_it() {
    let mut plant = dark_monday();
    plant.settle();
    plant.server.revoke_kiosk(&id("K5"), "stolen", None).unwrap();
    plant.meet("K5");
    assert!(!plant.kiosk("K5").is_let_go().unwrap());
    assert!(plant.take("K5").erase().is_err());
    plant.start("K5");
    assert!(plant.kiosk("K5").enrolment().is_some());
    let late = plant.kiosk("K5").take_leave(&kiosk_signer("jonas"), "line 2 is closed");
    assert!(matches!(late, Err(Denied::OnlyRevoked)), "nobody retires it any more: {late:?}");
    assert!(plant.kiosk("K5").retiring_because().is_none(), "and nothing was written");

    plant.kiosk("K3").take_leave(&kiosk_signer("jonas"), "line 2 is closed").unwrap();
    plant.meet("K3");
    assert!(!plant.kiosk("K3").is_let_go().unwrap());
    plant.server.revoke_kiosk(&id("K3"), "stolen", None).unwrap();
    refuses_to_erase(&mut plant, "K3");
    plant.verify();
}

#[test]
fn s9_who_was_let_go_by_two_is_revoked_by_nobody_and_remembers_it() {
    let mut plant = dark_monday();
    plant.meet("K3");
    plant.kiosk("K3").take_leave(&kiosk_signer("jonas"), "line 2 is closed").unwrap();
    plant.meet("K3");
    plant.server.retire_kiosk(&id("K3"), "line 2 is closed", [&signer("helga"), &signer("sven")]).unwrap();
    assert!(plant.server.revoke_kiosk(&id("K3"), "stolen", None).is_err(), "it isn't in use");
    plant.meet("K3");
    plant.restart("K3");
    assert!(plant.kiosk("K3").is_let_go().unwrap(), "it remembers");
    plant.take("K3").erase().unwrap();
    assert!(is_empty(&plant.path("K3-keys")));
}

#[test]
fn s9_only_what_a_kiosk_that_was_let_go_leaves_is_erased_without_its_keys() {
    let mut plant = dark_monday();
    plant.meet("K3");
    plant.kiosk("K3").take_leave(&kiosk_signer("jonas"), "line 2 is closed").unwrap();
    let (keys, elsewhere) = (plant.path("K3-keys"), plant.path("elsewhere"));
    let with_another_folder_of_keys = |plant: &mut Plant| {
        plant.stop("K3");
        std::fs::rename(&keys, &elsewhere).unwrap();
        plant.start("K3");
        assert!(!plant.kiosk("K3").is_left_over().unwrap(), "nobody has let it go");
        assert!(plant.take("K3").erase().is_err());
        std::fs::remove_dir_all(&keys).unwrap();
        std::fs::rename(&elsewhere, &keys).unwrap();
        plant.start("K3");
        assert!(plant.kiosk("K3").enrolment().is_some() && plant.kiosk("K3").status().unwrap().entries > 0);
    };
    with_another_folder_of_keys(&mut plant);
    plant.meet("K3");
    with_another_folder_of_keys(&mut plant);
    plant.server.retire_kiosk(&id("K3"), "line 2 is closed", [&signer("helga"), &signer("sven")]).unwrap();
    plant.meet("K3");
    with_another_folder_of_keys(&mut plant);

    // It ends after the key was erased, before the data.
    let in_its_way = keys.join("heads.part");
    std::fs::create_dir(&in_its_way).unwrap();
    assert!(plant.take("K3").erase().is_err());
    std::fs::remove_dir(&in_its_way).unwrap();
    plant.start("K3");
    assert!(plant.kiosk("K3").enrolment().is_none());
    assert!(plant.kiosk("K3").is_left_over().unwrap());
    plant.take("K3").erase().unwrap();
    assert!(is_empty(&keys) && std::fs::read_dir(plant.path("K3")).unwrap().next().is_none());
}

#[test]
fn s9_u11_in_the_place_of_a_broken_kiosk_another_goes_on_with_what_its_disk_held() {
    let mut plant = dark_monday();
    train(&mut plant, "K3", "maria", "jonas");
    // It doesn't start any more; its disk can be read, and another machine is begun with it.
    plant.stop("K3");
    let (disk, keys) = (plant.path("disk-of-K3"), plant.path("keys-of-K3"));
    copy_folder(&plant.path("K3"), &disk);
    copy_folder(&plant.path("K3-keys"), &keys);
    let stick = plant.path("K3.lineproof");
    let keys = Box::new(FileKeyStore::open(&keys).unwrap());
    let mut elsewhere = Kiosk::open(&disk, keys, Box::new(plant.clock.clone())).unwrap();
    export(&mut elsewhere, &stick).unwrap();
    drop(elsewhere);

    plant.replace_kiosk("K3", "K7");
    let (broken, other) = (line(&plant, "K3"), line(&plant, "K7"));
    assert_eq!((broken.state, broken.replaced_by), (KioskState::Replaced, Some(id("K7"))));
    assert_eq!((other.replaces, other.work_units), (Some(id("K3")), broken.work_units));
    let again = plant.server.replacement_code(id("K8"), &id("K3")).unwrap_err().to_string();
    assert!(again.contains("K7 is in the place of K3 already"), "{again}");
    assert_eq!(starts(&mut plant, "K7", "maria"), Answer::NoGo, "what K3 held is not here yet");

    plant.server.import_bundle(&stick).unwrap();
    plant.meet("K7");
    assert_eq!(starts(&mut plant, "K7", "maria"), Answer::Go);
    plant.server.revoke_kiosk(&id("K3"), "main board, replaced by K7", None).unwrap();
    plant.meet("K7");
    assert_eq!(starts(&mut plant, "K7", "maria"), Answer::Go, "what came before counts");
    assert_eq!(line(&plant, "K3").state, KioskState::Revoked);
    assert!(plant.server.replacement_code(id("K8"), &id("K3")).unwrap_err().to_string().contains("no kiosk in use"));
    plant.verify();
}

#[test]
fn s9_what_a_dead_kiosk_is_known_to_have_held_is_said_until_neighbours_and_sticks_brought_it() {
    let mut plant = dark_monday();
    train(&mut plant, "K3", "maria", "jonas");
    let stick = plant.path("K3.lineproof");
    export(plant.kiosk("K3"), &stick).unwrap();
    // Its neighbour holds what kiosks share; the call to the server breaks after the heads and before the entries.
    import(plant.kiosk("K5"), &stick).unwrap();
    let secret = plant.kiosk("K3").enrolled().unwrap().secret.clone();
    plant.kiosk("K3").call_soon();
    let mut up = Up::open(&plant.kiosk("K3").poll_up().unwrap().unwrap()).unwrap();
    assert!(!up.entries.is_empty());
    up.entries.clear();
    plant.server.exchange(&up.seal(&secret)).unwrap();
    plant.stop("K3");

    plant.replace_kiosk("K3", "K7");
    let known = line(&plant, "K3").waiting;
    assert!(known >= 3, "the ends of records, presence and journal: {known}");
    assert!(kept(&plant.server, "helga", "sven").contains("not here"), "it can't be retired");
    plant.meet("K5");
    plant.meet("K7");
    assert_eq!(line(&plant, "K3").waiting, 1, "a journal is its kiosk's and the server's alone");
    assert_eq!(starts(&mut plant, "K7", "maria"), Answer::Go);
    plant.server.import_bundle(&stick).unwrap();
    assert_eq!(line(&plant, "K3").waiting, 0);
    plant.server.revoke_kiosk(&id("K3"), "main board, replaced by K7", None).unwrap();
    plant.settle();
    plant.verify();
}

#[test]
fn s9_an_answer_that_does_not_prove_the_code_enrols_nothing_and_keeps_nothing() {
    let mut plant = Plant::demo("2026-03-01T18:00:00Z");
    let code = |plant: &Plant, name: &str| plant.server.enrol_code(id(name), &[id("SEAL")]).unwrap();
    let authority = b"the authority that was shown".to_vec();
    type Change = (&'static str, fn(&mut EnrolAnswer, &EnrolRequest));
    let changes: [Change; 8] = [
        ("one bit of the proof", |answer, _| answer.proof.0[31] ^= 1),
        ("the pepper exchanged on its way", |answer, _| answer.pepper.0[0] ^= 1),
        ("the enrolment exchanged on its way", |answer, _| answer.enrolment[40] ^= 1),
        ("later peppers added on their way", |answer, _| answer.later = Some(vec![(PepperEpoch(7), Pepper([7; 32]))])),
        ("later peppers taken out on their way", |answer, _| answer.later = None),
        ("the server's key exchanged on its way", |answer, _| answer.server.0[0] ^= 1),
        ("the kiosk's own proof said back to it", |answer, request| answer.proof = request.proof),
        ("the proof of who knows another code", |answer, request| {
            let code = code_key("AAAA-BBBB-CCCC");
            answer.proof = server_proof(&code, &request.device, &request.authority, answer);
        }),
    ];
    for (place, (what, change)) in changes.into_iter().enumerate() {
        let name = format!("K{}", place + 3);
        plant.start(&name);
        let code = code(&plant, &name);
        let (set_up, request) = plant.kiosk(&name).begin_set_up(&code, "https://harness", authority.clone());
        let request = EnrolRequest::read(&request).unwrap();
        let mut answer = plant.server.enrol(&request, Digest32::of(&authority)).unwrap().unwrap();
        change(&mut answer, &request);
        let refused = plant.kiosk(&name).complete_set_up(set_up, &to_cbor(&answer));
        assert!(matches!(refused, Err(Denied::Unproven)), "{what}: {refused:?}");
        nothing_was_kept(&mut plant, &name, what);
    }
}

fn nothing_was_kept(plant: &mut Plant, kiosk: &str, what: &str) {
    for restarted in [false, true] {
        if restarted {
            plant.restart(kiosk);
        }
        let core = plant.kiosk(kiosk);
        assert!(core.enrolled().is_none() && core.enrolment().is_none(), "{what}: nothing was kept");
        assert!(core.status().unwrap().kiosk.is_none(), "{what}: it asks for a code");
    }
    assert!(is_empty(&plant.path(&format!("{kiosk}-keys"))), "{what}: nor in the folder of keys");
}

#[test]
fn s9_an_enrolment_that_is_not_the_terminals_own_by_that_server_is_not_kept() {
    let mut plant = sunday_evening();
    let authority = b"the authority that was shown".to_vec();
    let others = plant.kiosk("K5").enrolled().unwrap().enrolment.clone();
    let read = comes_and_reads(plant.kiosk("K5"), "maria");
    let read = shelf::entry(plant.kiosk("K5").ledger().connection(), &read).unwrap().unwrap();
    let another = DeviceSecret::from_seed([9; 32]).key();
    type Exchange<'a> = (&'static str, &'a dyn Fn(&mut EnrolAnswer));
    let enrolments: [Exchange<'_>; 4] = [
        ("another terminal's", &|answer| answer.enrolment = ByteVec::from(others.clone())),
        ("an entry that is none", &|answer| answer.enrolment = ByteVec::from(read.bytes().to_vec())),
        ("no entry", &|answer| answer.enrolment = ByteVec::from(b"enrolled".to_vec())),
        ("another server's word", &|answer| answer.server = another),
    ];
    for (place, (what, exchange)) in enrolments.into_iter().enumerate() {
        let name = format!("K{}", place + 7);
        plant.start(&name);
        let code = plant.server.enrol_code(id(&name), &[id("SEAL")]).unwrap();
        let (set_up, request) = plant.kiosk(&name).begin_set_up(&code, "https://harness", authority.clone());
        let request = EnrolRequest::read(&request).unwrap();
        let mut answer = plant.server.enrol(&request, Digest32::of(&authority)).unwrap().unwrap();
        exchange(&mut answer);
        answer.proof = server_proof(&code_key(&code), &request.device, &request.authority, &answer);
        let refused = plant.kiosk(&name).complete_set_up(set_up, &to_cbor(&answer));
        assert!(matches!(refused, Err(Denied::NotItsEnrolment)), "{what}: {refused:?}");
        nothing_was_kept(&mut plant, &name, what);
    }
}
