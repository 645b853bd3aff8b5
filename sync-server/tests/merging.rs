//! What merging costs, and what it makes of entries from devices that don't ask first: the same, in whatever pieces they arrive.

mod common;
#[path = "merging/hostile.rs"]
mod hostile;

use std::fs;
use std::path::Path;
use std::sync::Arc;

use common::pen::{Pen, Stage, demo};
use minicbor::bytes::ByteVec;
use shared::id::*;
use shared::kind::journal::{DeviceEvent, RETIRING};
use shared::kind::plant::{ActivityKind, DeviceEnrolled, DeviceRevoked, Profile};
use shared::kind::presence::SecretFailed;
use shared::kind::record::{
    About, CheckSigned, CoSigned, Correction, CriterionResult, DayPass, Edit, Identified, LegacyBatch, LegacyRow,
    LockoutLifted, Outcome, QuizAttempt, Read, SheetEdit, SigningSetUp,
};
use shared::kind::{Body, Meaning, Role, Statement, to_cbor};
use shared::log::effect::{Cause, Doubt, Verdict};
use shared::log::entry::{Credential, Signing};
use shared::log::{Draft, Entry, Held, Shelf, Stream, Subject};
use shared::part11::boxes::{BoxRandom, SealedBox, Stretching};
use shared::part11::pepper::PepperEpoch;
use shared::part11::signature::{DeviceSecret, PersonSecret};
use shared::sync::message::{DeviceStanding, Down, Up};
use shared::sync::store::BoxRow;
use shared::time::ClockReading;
use sync_server::core::people::Signer;
use sync_server::core::verify::derived_digest;
use sync_server::core::{Core, Refused};

fn read() -> Read {
    let about = About {
        requirement: RequirementId::new("R-0042").unwrap(),
        document: Some(DocumentId::new("SOP-0042").unwrap()),
        version: Some(VersionId::new("v6").unwrap()),
    };
    Read { about, content: None, language: Language::new("en").unwrap(), seconds: 412, reached_end: true }
}

#[test]
fn r6_each_touched_record_is_judged_once_a_step() {
    let (home, stage) = (tempfile::tempdir().unwrap(), Stage::at("2026-03-02T06:00:00Z"));
    let core = demo(home.path(), &stage);
    let judged = || core.ledger().world().judged;
    let people = core.plant().people.len() as u64;
    assert!((1..=people).contains(&judged()), "an import of {people} people's history judged {} records", judged());

    let mut kiosk = Pen::enrol(&core, "K3", "SEAL", 3);
    kiosk.log.stream = Stream::record(&SiteId::new("SITE1").unwrap());
    let before = judged();
    let mut batch: Vec<_> = (0..40).map(|_| kiosk.write_about(&core, "maria", read())).collect();
    batch.extend((0..3).map(|_| kiosk.write_about(&core, "ana", read())));
    kiosk.call(&core, &batch);
    assert_eq!(core.watermark(None).unwrap().complete, 1, "all 43 are held");
    assert_eq!(judged() - before, 2, "Maria's record and Ana's");
    kiosk.call(&core, &batch);
    assert_eq!(judged() - before, 2, "nothing new, nothing judged");
}

fn about(requirement: &str) -> About {
    let document = DocumentId::new(&requirement.replace('R', "SOP")).unwrap();
    About { requirement: RequirementId::new(requirement).unwrap(), document: Some(document), ..read().about }
}

fn read_on(requirement: &str) -> Body {
    Read { about: about(requirement), ..read() }.into()
}

fn quiz() -> Body {
    let (quiz, paper) = (QuizId::new("Q-0042").unwrap(), Digest32::of(b"paper"));
    let (drawn, answers) = (Vec::new(), Vec::new());
    QuizAttempt { about: about("R-0042"), quiz, paper, drawn, answers, score_percent: 100, outcome: Outcome::Passed }
        .into()
}

fn check(outcome: Outcome) -> Body {
    CheckSigned {
        about: about("R-0042"),
        check: CheckId::new("C-0042").unwrap(),
        worksheet: WorksheetId([0; 32]),
        edits: Vec::new(),
        results: vec![CriterionResult { passed: outcome == Outcome::Passed, measured: None }],
        outcome,
        content: Vec::new(),
        content_digest: Digest32::of(b""),
    }
    .into()
}

fn corrects(entry: &Entry) -> Body {
    let (what, old, new) = ("version".to_owned(), "v6".to_owned(), "v5".to_owned());
    Correction { entry: entry.id(), what, old, new, reason: "read the old print".into() }.into()
}

fn tick(worksheet: u8) -> Body {
    let (author, edits) = (PersonId::new("maria").unwrap(), vec![Edit::Tick("step 1".into(), true)]);
    let at = shared::time::Timestamp(0);
    SheetEdit { worksheet: WorksheetId([worksheet; 32]), parents: Vec::new(), at, author, edits }.into()
}

fn signer(person: &str) -> Signer {
    Signer { person: PersonId::new(person).unwrap(), secret: format!("{person}-secret") }
}

/// A statement about Maria, signed by these people.
/// People who sign with the tests' own secrets; Helga, the first of the plant, verifies the others.
fn set_up_signing(core: &Core, people: &[&str]) {
    for person in people {
        let verifier = (*person != "helga").then(|| signer("helga"));
        let Signer { person, secret } = signer(person);
        core.set_up_signing(&person, &secret, "card", verifier.as_ref(), Stretching::TESTS).unwrap();
    }
}

fn signed(core: &Core, act: ActId, body: Body, people: &[&str]) -> Draft {
    signed_by(core, act, body, people, None)
}

fn signed_by(core: &Core, act: ActId, body: Body, people: &[&str], credential: Option<Credential>) -> Draft {
    signed_on(core, Draft::new(Subject::new("person", "maria"), Statement { act, body }), people, credential)
}

fn signed_on(core: &Core, draft: Draft, people: &[&str], credential: Option<Credential>) -> Draft {
    people.iter().fold(draft, |draft, person| {
        let (role, meaning) =
            if *person == "jonas" { (Role::Assessor, Meaning::Assessed) } else { (Role::Operator, Meaning::Performed) };
        let (signer, at) = (signer(person), core.now());
        let key = core.unlock(&signer).unwrap();
        let printed_name = (*person).to_owned();
        draft.signed_by(
            Signing { signer: signer.person, printed_name, role, meaning, signed_at: at, shown: None, credential },
            &key,
        )
    })
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Two kiosks write about Maria, neither knowing of the other: two passes that contradict a failure, a correction by herself and one by
/// somebody with no say, an act that came twice, worksheets, other requirements.
fn two_kiosks(core: &Core) -> [Pen; 2] {
    let [mut one, mut other] = [("K3", 3), ("K4", 4)].map(|(name, seed)| {
        let mut pen = Pen::enrol(core, name, "SEAL", seed);
        pen.log.stream = Stream::record(&SiteId::new("SITE1").unwrap());
        pen
    });
    let alone: &[&str] = &["maria"];
    let write = |pen: &mut Pen, body: Body, people: &[&str]| {
        let draft = signed(core, core.act(), body, people);
        pen.write_draft(core, &draft)
    };
    write(&mut one, read_on("R-0042"), alone);
    write(&mut one, quiz(), alone);
    let gowning = write(&mut one, read_on("R-0003"), alone);
    write(&mut one, tick(7), &[]);
    write(&mut one, check(Outcome::Passed), &["maria", "jonas"]);
    write(&mut one, corrects(&gowning), alone);
    let twice = core.act();
    for pen in [&mut one, &mut other] {
        let draft = signed(core, twice, read_on("R-0001"), alone);
        pen.write_draft(core, &draft);
    }
    write(&mut other, corrects(&one.written[1]), &["ana"]);
    write(&mut other, check(Outcome::Failed), &["maria", "jonas"]);
    write(&mut other, tick(7), &[]);
    write(&mut other, tick(8), &[]);
    write(&mut other, read_on("R-0040"), alone);
    [one, other]
}

#[test]
fn u8_the_record_is_the_same_in_whatever_pieces_news_arrives() {
    let (home, stage) = (tempfile::tempdir().unwrap(), Stage::at("2026-03-02T05:00:00Z"));
    let core = demo(&home.path().join("made"), &stage);
    set_up_signing(&core, &["helga", "maria", "ana", "jonas"]);
    let [one, other] = two_kiosks(&core);
    drop(core);

    let whole = |pen: &Pen| vec![pen.written.clone()];
    let singly = |pen: &Pen| pen.written.iter().map(|entry| vec![entry.clone()]).collect::<Vec<_>>();
    let by = |pen: &'static str, pieces: Vec<Vec<Entry>>| pieces.into_iter().map(move |piece| (pen, piece));
    let arrivals: Vec<Vec<(&str, Vec<Entry>)>> = vec![
        by("one", whole(&one)).chain(by("other", whole(&other))).collect(),
        by("other", whole(&other)).chain(by("one", whole(&one))).collect(),
        by("one", singly(&one)).chain(by("other", singly(&other))).collect(),
        by("other", singly(&other)).chain(by("one", singly(&one))).collect(),
        by("one", singly(&one))
            .zip(by("other", singly(&other)))
            .flat_map(|(a, b)| [b, a])
            .chain(by("one", whole(&one)))
            .collect(),
    ];
    let mut digests = Vec::new();
    for (place, arrival) in arrivals.into_iter().enumerate() {
        let folder = home.path().join(place.to_string());
        copy(&home.path().join("made"), &folder);
        let core = Core::open(&folder, Arc::clone(&stage) as _).unwrap();
        for (pen, piece) in arrival {
            let pen = if pen == "one" { &one } else { &other };
            pen.call(&core, &piece);
        }
        digests.push(derived_digest(core.ledger().connection()).unwrap());
        assert_verdicts(&core, &one, &other);
        let found = core.verify(true).unwrap();
        assert!(found.findings.is_empty(), "{:?}", found.findings);
        assert_eq!(found.rebuilt_equal, Some(true), "a replay of everything says the same");
    }
    digests.dedup();
    assert_eq!(digests.len(), 1, "the order of arrival shows");
}

fn assert_verdicts(core: &Core, one: &Pen, other: &Pen) {
    let verdict = |entry: &Entry| store::questions::verdict(core.ledger().connection(), &entry.id()).unwrap();
    let [_, quiz, gowning, _, pass, correction, first] = one.written.as_slice() else { panic!("seven were written") };
    let [second, no_say, fail, ..] = other.written.as_slice() else { panic!("six were written") };
    assert_eq!(verdict(gowning), Verdict::SetAside(Cause::Annulled(correction.id())));
    assert_eq!((verdict(correction), verdict(quiz)), (Verdict::Effective, Verdict::Effective));
    assert_eq!(verdict(no_say), Verdict::SetAside(Cause::NoAuthority));
    assert_eq!(verdict(pass), Verdict::OnHold(Doubt::Contradicted(fail.id())));
    assert_eq!(verdict(fail), Verdict::OnHold(Doubt::Contradicted(pass.id())));
    let mut twice = [verdict(first), verdict(second)];
    twice.sort_by_key(Verdict::is_effective);
    assert!(matches!(twice, [Verdict::SetAside(Cause::Duplicate(_)), Verdict::Effective]), "{twice:?}");
}

#[test]
fn r11_a_bad_signature_among_many_spoils_no_other() {
    let (home, stage) = (tempfile::tempdir().unwrap(), Stage::at("2026-03-02T05:00:00Z"));
    let core = demo(home.path(), &stage);
    core.set_up_signing(&signer("helga").person, "helga-secret", "card", None, Stretching::TESTS).unwrap();
    let mut kiosk = Pen::enrol(&core, "K3", "SEAL", 3);
    kiosk.log.stream = Stream::record(&SiteId::new("SITE1").unwrap());
    for place in 0..20 {
        let statement = Statement { act: core.act(), body: read_on("R-0042") };
        let draft = Draft::new(Subject::new("person", "helga"), statement);
        let key = core.unlock(&signer("helga")).unwrap();
        let (printed_name, signed_at) = ("Helga".to_owned(), core.now());
        let (role, meaning, signer) = (Role::Operator, Meaning::ReadAndUnderstood, signer("helga").person);
        let signing = Signing { signer, printed_name, role, meaning, signed_at, shown: None, credential: None };
        // One carries a block that was signed over another statement.
        let draft = if place == 7 { draft.with_blocks_of(&kiosk.written[0]) } else { draft.signed_by(signing, &key) };
        kiosk.write_draft(&core, &draft);
    }
    let mut bytes: Vec<_> = kiosk.written.iter().map(|entry| entry.bytes().to_vec()).collect();
    // The last one's device signature is not its own.
    let last = bytes.last_mut().unwrap();
    let end = last.len() - 5;
    last[end] ^= 1;
    let mut up = kiosk.up(&core, &[]);
    up.entries = bytes.into_iter().map(Into::into).collect();
    kiosk.send(&core, &up);
    let held = |entry: &&Entry| store::shelf::entry(core.ledger().connection(), &entry.id()).unwrap().is_some();
    assert_eq!(kiosk.written.iter().filter(held).count(), 19, "all but the last");
    let verdicts =
        kiosk.written[..19].iter().map(|e| store::questions::verdict(core.ledger().connection(), &e.id()).unwrap());
    let bad: Vec<usize> = verdicts
        .enumerate()
        .filter(|(_, v)| *v == Verdict::SetAside(Cause::BadSignature))
        .map(|(place, _)| place)
        .collect();
    assert_eq!(bad, [7]);
}

#[test]
fn u8_a_pass_that_knew_of_a_failure_counts_although_the_failures_clock_stood_far_ahead() {
    let (home, stage) = (tempfile::tempdir().unwrap(), Stage::at("2026-03-02T05:00:00Z"));
    let core = demo(home.path(), &stage);
    set_up_signing(&core, &["helga", "maria", "jonas"]);
    let write = |name: &str, number: u16, at: &str, outcome: Outcome, seen: Vec<EntryId>| {
        stage.set("2026-03-02T05:10:00Z");
        let mut pen = Pen::enrol(&core, name, "SEAL", number);
        pen.log.stream = Stream::record(&SiteId::new("SITE1").unwrap());
        let drafts = [read_on("R-0042"), quiz()].map(|body| signed(&core, core.act(), body, &["maria"]));
        let signed_off = signed(&core, core.act(), check(outcome), &["maria", "jonas"]).having_seen(seen);
        stage.set(at);
        for draft in drafts.iter().chain([&signed_off]) {
            pen.write_draft(&core, draft);
        }
        pen.call(&core, &pen.written);
        pen.written[2].id()
    };
    let verdict = |entry: &EntryId| store::questions::verdict(core.ledger().connection(), entry).unwrap();
    let failed = write("K3", 3, "2026-03-22T05:10:00Z", Outcome::Failed, Vec::new());
    let blind = write("K4", 4, "2026-03-02T05:20:00Z", Outcome::Passed, Vec::new());
    assert_eq!(verdict(&blind), Verdict::OnHold(Doubt::Contradicted(failed)), "the test itself can contradict");
    let passed = write("K5", 5, "2026-03-02T05:30:00Z", Outcome::Passed, vec![failed, blind]);
    assert_eq!(verdict(&passed), Verdict::Effective);
}

#[test]
fn r12_a_new_secret_takes_the_place_of_the_one_it_knew_whatever_a_clock_said_then() {
    let (home, stage) = (tempfile::tempdir().unwrap(), Stage::at("2026-03-02T05:00:00Z"));
    let core = demo(home.path(), &stage);
    set_up_signing(&core, &["helga", "jonas"]);
    let maria = signer("maria").person;
    let set_up = |name: &str, number: u16, at: &str, replaces: Vec<EntryId>| {
        stage.set("2026-03-02T05:10:00Z");
        let mut pen = Pen::enrol(&core, name, "SEAL", number);
        pen.log.stream = Stream::record(&SiteId::new("SITE1").unwrap());
        let key = PersonSecret::from_seed([u8::try_from(number).unwrap(); 32]);
        let (box_digest, identity_proof) = (Digest32::of(b"a box"), "card".to_owned());
        let body =
            SigningSetUp { key: key.key(), box_digest, identity_proof, profile: Profile::UsPart11, secret: None };
        let draft = Draft::new(Subject::person(&maria), Statement { act: core.act(), body: body.into() });
        let signing = |person: &str, role, meaning| Signing {
            signer: PersonId::new(person).unwrap(),
            printed_name: person.to_owned(),
            role,
            meaning,
            signed_at: core.now(),
            shown: None,
            credential: None,
        };
        let draft = draft
            .having_seen(replaces)
            .signed_by(signing("maria", Role::Operator, Meaning::SigningAccepted), &key)
            .signed_by(
                signing("jonas", Role::Supervisor, Meaning::IdentityVerified),
                &core.unlock(&signer("jonas")).unwrap(),
            );
        stage.set(at);
        let entry = pen.write_draft(&core, &draft);
        pen.call(&core, std::slice::from_ref(&entry));
        (entry.id(), key.key())
    };
    let in_use = || store::questions::key_of(core.ledger().connection(), &maria).unwrap().map(|(key, _)| key);
    let (first, ahead) = set_up("K3", 3, "2026-03-22T05:10:00Z", Vec::new());
    assert_eq!(in_use(), Some(ahead));
    let (_, new) = set_up("K4", 4, "2026-03-02T05:20:00Z", vec![first]);
    assert_eq!(in_use(), Some(new), "it knew of the other");
}

/// A fresh kiosk, and a server that is refilled, hear of a revocation before the logs that it names the ends of.
#[test]
fn r7_live4_what_a_retired_kiosk_wrote_counts_in_whatever_pieces_it_comes_after_the_retirement() {
    let (home, stage) = (tempfile::tempdir().unwrap(), Stage::at("2026-03-02T05:00:00Z"));
    let core = demo(&home.path().join("one"), &stage);
    set_up_signing(&core, &["helga", "maria", "jonas"]);
    let mut pen = Pen::enrol(&core, "K3", "SEAL", 3);
    pen.log.stream = Stream::record(&SiteId::new("SITE1").unwrap());
    let snapshot = home.path().join("before");
    copy(&home.path().join("one"), &snapshot);
    for requirement in ["R-0001", "R-0002", "R-0003"] {
        pen.write_draft(&core, &signed(&core, core.act(), read_on(requirement), &["maria"]));
    }
    pen.call(&core, &pen.written);
    core.revoke_kiosk(&KioskName::new("K3").unwrap(), "line 2 is closed", None).unwrap();
    let expected = derived_digest(core.ledger().connection()).unwrap();
    let mut entries = Vec::new();
    let connection = core.ledger();
    for id in pen.written.iter().map(Entry::id) {
        assert!(store::questions::verdict(connection.connection(), &id).unwrap().is_effective());
    }
    let revocation =
        store::shelf::entries_about(connection.connection(), Subject::new("device", pen.device.key()).as_str())
            .unwrap();
    entries.extend(revocation.into_iter().filter(|entry| entry.header().kind == "device_revoked"));
    drop(connection);
    entries.extend(pen.written.iter().cloned());

    let mut replica = sync_server::store::open(&snapshot.join("server.sqlite")).unwrap();
    for entry in &entries {
        let put = replica.step(ClockReading::exact(core.now()), |step| step.put(&Held::own(entry.clone())));
        put.unwrap();
    }
    for entry in &entries {
        let verdict = store::questions::verdict(replica.connection(), &entry.id()).unwrap();
        assert_eq!(verdict, Verdict::Effective, "{}", entry.header().kind);
    }
    assert_eq!(derived_digest(replica.connection()).unwrap(), expected);
}

/// A secret takes a while to be looked at, and a kiosk calls in between.
#[test]
fn h5_what_a_kiosk_gave_while_its_revocation_was_being_signed_stays_good() {
    let (home, stage) = (tempfile::tempdir().unwrap(), Stage::at("2026-03-02T05:00:00Z"));
    let core = demo(home.path(), &stage);
    let dear = Stretching { memory_kib: 46 * 1024, passes: 1 };
    for (person, verifier) in [("helga", None), ("sven", Some("helga"))] {
        let (Signer { person, secret }, verifier) = (signer(person), verifier.map(signer));
        core.set_up_signing(&person, &secret, "card", verifier.as_ref(), dear).unwrap();
    }
    let (helga, sven) = (signer("helga"), signer("sven"));
    let revoke = || core.revoke_kiosk(&KioskName::new("K3").unwrap(), "stolen", Some(&sven)).map(drop);
    let retire = || core.retire_kiosk(&KioskName::new("K4").unwrap(), "closed", [&helga, &sven]).map(drop);
    type Act<'a> = &'a (dyn Fn() -> Result<(), Refused> + Sync);
    let acts: [(&str, Act<'_>); 2] = [("K3", &revoke), ("K4", &retire)];
    for ((kiosk, act), number) in acts.into_iter().zip(3..) {
        let mut pen = Pen::enrol(&core, kiosk, "SEAL", number);
        let last_word = DeviceEvent { what: RETIRING.into(), detail: "by dagmar".into() };
        let last_word = pen.write_about(&core, "maria", last_word);
        pen.call(&core, &[last_word]);
        let mut confirmed = Vec::new();
        let outcome = std::thread::scope(|scope| {
            let acting = scope.spawn(act);
            while !acting.is_finished() {
                std::thread::sleep(std::time::Duration::from_millis(5));
                let entry = pen.write(&core);
                if pen.call(&core, std::slice::from_ref(&entry)).standing == DeviceStanding::Ok {
                    confirmed.push(entry.id());
                }
            }
            acting.join().unwrap()
        });
        let wrote_on = kiosk == "K4" && !confirmed.is_empty();
        assert_eq!(outcome.is_err(), wrote_on, "who wrote on after its last word has not taken leave: {outcome:?}");
        for id in &confirmed {
            assert!(store::questions::verdict(core.ledger().connection(), id).unwrap().is_effective(), "{kiosk}");
        }
    }
}

#[test]
fn r15_a_lockout_lifted_without_authority_forgives_nothing() {
    let (home, stage) = (tempfile::tempdir().unwrap(), Stage::at("2026-03-02T05:00:00Z"));
    let core = demo(home.path(), &stage);
    set_up_signing(&core, &["helga", "maria", "ana", "jonas"]);
    stage.set("2026-03-02T05:10:00Z");
    let mut presence = Pen::enrol(&core, "K3", "SEAL", 3);
    let forgives: Vec<EntryId> =
        (1..=3).map(|attempt| presence.write_about(&core, "maria", SecretFailed { attempt }).id()).collect();
    presence.call(&core, &presence.written);
    let mut record = Pen::enrol(&core, "K4", "SEAL", 4);
    record.log.stream = Stream::record(&SiteId::new("SITE1").unwrap());
    let lifting = |of: &str| -> Body {
        let (person, reason) = (signer(of).person, "mistyped".to_owned());
        LockoutLifted { person, forgives: forgives.clone(), reason }.into()
    };
    let about = |subject: Subject, of: &str| Draft::new(subject, Statement { act: core.act(), body: lifting(of) });
    let mut failures_after = |draft: Draft| {
        let entry = record.write_draft(&core, &draft);
        record.call(&core, &[entry]);
        let count = |core: &Core| {
            let (ledger, maria) = (core.ledger(), signer("maria").person);
            store::secrets::failures(ledger.connection(), &maria, &core.key(), core.now()).unwrap().len()
        };
        let before = count(&core);
        core.ledger().rebuild().unwrap();
        assert_eq!(count(&core), before, "derived anew");
        before
    };
    let by = |people: &[&str]| signed(&core, core.act(), lifting("maria"), people);
    assert_eq!(failures_after(by(&["ana"])), 3, "an operator lifts nobody's lockout");
    assert_eq!(failures_after(by(&["maria"])), 3, "nobody lifts their own");
    assert_eq!(failures_after(by(&["maria", "jonas"])), 3, "not with a supervisor either");
    assert_eq!(failures_after(by(&[])), 3, "nor does a terminal alone");
    for of in ["maria", "ana"] {
        let (site, person) = (Subject::new("site", "SITE1"), Subject::person(&signer("ana").person));
        assert_eq!(failures_after(about(site, of)), 3, "what is about a site is judged as nobody's");
        assert_eq!(failures_after(about(person.clone(), of)), 3, "nor as somebody else's");
        assert_eq!(
            failures_after(signed_on(&core, about(person, of), &["ana"], None)),
            3,
            "who signs it about herself"
        );
    }
    assert_eq!(failures_after(by(&["jonas"])), 0, "a supervisor does");
}

#[test]
fn s13_what_was_signed_for_another_by_a_day_pass_is_set_aside_wherever_it_comes_from() {
    let (home, stage) = (tempfile::tempdir().unwrap(), Stage::at("2026-03-02T05:00:00Z"));
    let core = demo(home.path(), &stage);
    set_up_signing(&core, &["helga", "maria", "jonas", "eva"]);
    stage.set("2026-03-02T05:10:00Z");
    let mut pen = Pen::enrol(&core, "K3", "SEAL", 3);
    pen.log.stream = Stream::record(&SiteId::new("SITE1").unwrap());
    let until = core.now().plus_ms(8 * shared::time::HOUR_MS);
    let mut judged = |body: Body, people: &[&str], credential: Option<Credential>| {
        let entry = pen.write_draft(&core, &signed_by(&core, core.act(), body, people, credential));
        pen.call(&core, std::slice::from_ref(&entry));
        let verdict = store::questions::verdict(core.ledger().connection(), &entry.id()).unwrap();
        (entry.id(), verdict)
    };
    let vouched = || DayPass { until, identification: "known by sight".into() };
    let (pass, given) = judged(vouched().into(), &["jonas"], None);
    assert_eq!(given, Verdict::Effective);
    let by_pass = Some(Credential::DayPass(pass));
    let aside = Verdict::SetAside(Cause::ByDayPass);
    let lifts = || LockoutLifted { person: signer("maria").person, forgives: Vec::new(), reason: "mistyped".into() };
    assert_eq!(judged(lifts().into(), &["jonas"], by_pass).1, aside, "lifts a lockout");
    assert_eq!(judged(lifts().into(), &["jonas"], None).1, Verdict::Effective);
    assert_eq!(judged(vouched().into(), &["jonas"], by_pass).1, aside, "gives a pass on");
    let decision = EntryId([3; 32]);
    assert_eq!(judged(CoSigned { decision, reason: "dark".into() }.into(), &["jonas"], by_pass).1, aside, "co-signs");
    assert_eq!(judged(check(Outcome::Passed), &["maria", "jonas"], by_pass).1, aside, "assesses");
    // What is the person's own counts as long as the pass does.
    assert_eq!(judged(read_on("R-0042"), &["maria"], by_pass).1, Verdict::Effective);
    let nobodys = Some(Credential::DayPass(EntryId([9; 32])));
    assert_eq!(
        judged(read_on("R-0042"), &["maria"], nobodys).1,
        Verdict::OnHold(Doubt::DayPass),
        "a pass nobody holds"
    );
    assert_eq!(judged(vouched().into(), &["maria"], None).1, Verdict::SetAside(Cause::SelfSigned));
    assert_eq!(judged(vouched().into(), &["eva"], None).1, Verdict::SetAside(Cause::NoAuthority), "of another line");
    stage.set("2026-03-02T13:10:00Z");
    assert_eq!(judged(read_on("R-0042"), &["maria"], by_pass).1, Verdict::OnHold(Doubt::DayPass), "it has run out");
}

#[test]
fn r15_a_box_that_no_set_up_names_replaces_nobodys() {
    let (home, stage) = (tempfile::tempdir().unwrap(), Stage::at("2026-03-02T05:00:00Z"));
    let core = demo(home.path(), &stage);
    set_up_signing(&core, &["helga"]);
    let person = signer("helga").person;
    let kiosk = Pen::enrol(&core, "K3", "SEAL", 3);
    let sealed = |core: &Core| store::boxes::sealed_box(core.ledger().connection(), "person/helga").unwrap().unwrap();
    let (made, latest) = (sealed(&core), PepperEpoch((1 << 63) - 1));
    let bytes = to_cbor(&made);
    // Of the latest epoch there can be, and signed, though not by her.
    let (pepper, other) = (&core.secrets.pepper, PersonSecret::from_seed([9; 32]));
    let random = BoxRandom { salt: [1; 16], nonce: [2; 24] };
    let forged = made.anew(&person, &other, "whatever it is", (latest, pepper), random).unwrap();
    let unsigned = SealedBox { sealed_anew: None, ..forged.clone() };
    let extended = [bytes.as_slice(), &[0]].concat();
    for brought in [b"anything".to_vec(), Vec::new(), extended, to_cbor(&forged), to_cbor(&unsigned)] {
        let row = BoxRow { name: "person/helga".into(), epoch: latest, bytes: ByteVec::from(brought) };
        kiosk.send(&core, &Up { boxes: vec![row], ..kiosk.up(&core, &[]) });
    }
    assert_eq!(sealed(&core), made);
    core.unlock(&signer("helga")).unwrap();
    // The same box again, as a kiosk brings it that had it first, whatever it says of it.
    let row = BoxRow { name: "person/helga".into(), epoch: latest, bytes: ByteVec::from(bytes) };
    kiosk.send(&core, &Up { boxes: vec![row], ..kiosk.up(&core, &[]) });
    assert_eq!(sealed(&core), made);
}

#[test]
fn r15_whatever_a_terminal_says_of_a_box_its_owner_sets_up_anew() {
    let (home, stage) = (tempfile::tempdir().unwrap(), Stage::at("2026-03-02T05:00:00Z"));
    let core = demo(home.path(), &stage);
    let (helga, jonas) = (signer("helga"), signer("jonas"));
    let set_up = |of: &Signer, verifier| {
        core.set_up_signing(&of.person, &of.secret, "card", verifier, Stretching::TESTS).unwrap();
    };
    set_up(&helga, None);
    set_up(&jonas, Some(&helga));
    let dagmar = signer("dagmar");
    set_up(&dagmar, Some(&helga));
    let kiosk = Pen::enrol(&core, "K3", "SEAL", 3);
    let held = store::boxes::sealed_box(core.ledger().connection(), "person/helga").unwrap().unwrap();
    for epoch in [PepperEpoch(u64::MAX), PepperEpoch((1 << 63) - 1), PepperEpoch(0)] {
        let row = BoxRow { name: "person/helga".into(), epoch, bytes: ByteVec::from(to_cbor(&held)) };
        kiosk.send(&core, &Up { boxes: vec![row], ..kiosk.up(&core, &[]) });
    }
    let anew = Signer { secret: "another one of hers".into(), ..helga.clone() };
    core.set_up_signing_anew(&anew.person, &anew.secret, "card", [&jonas, &dagmar], Stretching::TESTS).unwrap();
    core.unlock(&anew).unwrap();
    assert!(core.unlock(&helga).is_err());
}

/// A terminal in wrong hands, and one person's key with it, or whoever keeps a revocation that the server has lost.
#[test]
fn r14_no_box_names_an_epoch_that_a_revocation_is_still_to_begin() {
    let (home, stage) = (tempfile::tempdir().unwrap(), Stage::at("2026-03-02T05:00:00Z"));
    let core = demo(home.path(), &stage);
    set_up_signing(&core, &["helga"]);
    let Signer { person, secret } = signer("helga");
    let held = || store::boxes::sealed_box(core.ledger().connection(), "person/helga").unwrap().unwrap();
    let key = core.unlock(&signer("helga")).unwrap();
    let (leaving, hostile) = (Pen::enrol(&core, "K5", "SEAL3", 5), Pen::enrol(&core, "K3", "SEAL", 3));
    let bring = |epoch: PepperEpoch| {
        let random = BoxRandom { salt: core.random(), nonce: core.random() };
        let under = (epoch, &core.secrets.pepper_of(epoch));
        let sealed = held().anew(&person, &key, &secret, under, random).unwrap();
        let row = BoxRow { name: "person/helga".into(), epoch, bytes: ByteVec::from(to_cbor(&sealed)) };
        let told = [(); 2].map(|()| {
            let up = Up { boxes: vec![row.clone()], peppers: Some(vec![PepperEpoch::FIRST]), ..hostile.up(&core, &[]) };
            hostile.send(&core, &up).peppers.unwrap_or_default()
        });
        let given = told.iter().flatten().any(|(given, _)| *given == epoch);
        (held() == sealed, given)
    };
    let seed = core.secrets.device.seed();
    let lost = PepperEpoch::after([leaving.device.key()].iter(), &seed);
    let invented = |now: PepperEpoch| [now.0 + 1, (now.revocations() + 1) << 48, 32_767 << 48].map(PepperEpoch);
    for epoch in invented(PepperEpoch::FIRST).into_iter().chain([lost]) {
        assert_eq!(bring(epoch), (false, false), "{epoch:?}");
    }
    core.unlock(&signer("helga")).expect("she signs with the box that is there");
    // Revoked, or revoked once more, it is the server's own epoch: what was sealed in it before comes in.
    core.revoke_kiosk(&KioskName::new("K5").unwrap(), "stolen", None).unwrap();
    for epoch in invented(lost) {
        assert_eq!(bring(epoch), (false, false), "{epoch:?}");
    }
    assert_eq!(bring(lost), (true, true));
    core.unlock(&signer("helga")).unwrap();
}

#[test]
fn r14_an_earlier_box_brought_again_replaces_nothing_and_its_bringer_hears_what_stands() {
    let (home, stage) = (tempfile::tempdir().unwrap(), Stage::at("2026-03-02T05:00:00Z"));
    let core = demo(home.path(), &stage);
    set_up_signing(&core, &["helga"]);
    let sealed = || store::boxes::sealed_box(core.ledger().connection(), "person/helga").unwrap().unwrap();
    let (stolen, kiosk) = (Pen::enrol(&core, "K5", "SEAL3", 5), Pen::enrol(&core, "K3", "SEAL", 3));
    let earlier = sealed();
    core.revoke_kiosk(&KioskName::new("K5").unwrap(), "stolen", None).unwrap();
    core.unlock(&signer("helga")).unwrap();
    let stands = sealed();
    assert!(stands.epoch > earlier.epoch);

    let row = BoxRow { name: "person/helga".into(), epoch: stands.epoch, bytes: ByteVec::from(to_cbor(&earlier)) };
    let bring = |pen: &Pen, peppers: Vec<PepperEpoch>, box_mark| {
        let (boxes, peppers) = (vec![row.clone()], Some(peppers));
        pen.send(&core, &Up { boxes, peppers, box_mark, ..pen.up(&core, &[]) })
    };
    // Whoever doesn't show the pepper is given it, and no box that would be of no use.
    let first = bring(&kiosk, vec![PepperEpoch::FIRST], None);
    let given: Vec<PepperEpoch> = first.peppers.iter().flatten().map(|(epoch, _)| *epoch).collect();
    assert_eq!(given, [stands.epoch]);
    assert!(first.boxes.rows.iter().all(|row| row.name != "person/helga"));
    let second = bring(&kiosk, vec![PepperEpoch::FIRST, stands.epoch], first.boxes.mark);
    assert_eq!(second.peppers, None);
    let read = second.boxes.rows.iter().find(|row| row.name == "person/helga").unwrap();
    assert_eq!(SealedBox::read(&read.bytes), Some(stands.clone()));
    let third = bring(&kiosk, vec![PepperEpoch::FIRST, stands.epoch], second.boxes.mark);
    assert!(third.boxes.rows.iter().any(|row| row.name == "person/helga"), "it hears it once more");
    let thief = bring(&stolen, vec![PepperEpoch::FIRST, stands.epoch], None);
    assert!(thief.peppers.is_none() && thief.boxes.rows.is_empty());
    assert_eq!(sealed(), stands);
}
