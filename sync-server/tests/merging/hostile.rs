//! What an enrolled terminal in the wrong hands writes, and what comes of it at the merge.

use shared::log::LogId;

use super::*;

/// Any words, in anybody's name, with any key but theirs.
#[test]
fn r11_r12_k5_what_a_hostile_terminal_writes_in_others_names_is_set_aside() {
    let (home, stage) = (tempfile::tempdir().unwrap(), Stage::at("2026-03-02T05:00:00Z"));
    let core = demo(home.path(), &stage);
    set_up_signing(&core, &["helga", "maria", "ana", "jonas"]);
    stage.set("2026-03-02T05:10:00Z");
    let mut pen = Pen::enrol(&core, "K3", "SEAL", 3);
    pen.log.stream = Stream::record(&SiteId::new("SITE1").unwrap());
    let mut judged = |draft: Draft| {
        let entry = pen.write_draft(&core, &draft);
        pen.call(&core, std::slice::from_ref(&entry));
        let verdict = store::questions::verdict(core.ledger().connection(), &entry.id()).unwrap();
        (entry, verdict)
    };
    let by = |draft: Draft, person: &str, key: &PersonSecret| {
        let (role, meaning) = (Role::Operator, Meaning::Performed);
        let (signed_at, printed_name) = (core.now(), person.to_owned());
        let signer = PersonId::new(person).unwrap();
        draft.signed_by(Signing { signer, printed_name, role, meaning, signed_at, shown: None, credential: None }, key)
    };
    let forged = PersonSecret::from_seed([66; 32]);
    let unsigned = |body: Body| signed(&core, core.act(), body, &[]);
    let aside = |cause: Cause| Verdict::SetAside(cause);

    let (_, good) = judged(signed(&core, core.act(), check(Outcome::Passed), &["maria", "jonas"]));
    assert_eq!(good, Verdict::Effective, "the test itself can write what counts");
    let assessed = by(signed(&core, core.act(), check(Outcome::Passed), &["maria"]), "jonas", &forged);
    assert_eq!(judged(assessed).1, aside(Cause::UnknownKey), "Jonas's name over a key of nobody's");
    assert_eq!(judged(by(unsigned(Identified {}.into()), "maria", &forged)).1, aside(Cause::UnknownKey));
    let anas = core.unlock(&signer("ana")).unwrap();
    assert_eq!(
        judged(by(unsigned(read_on("R-0042")), "maria", &anas)).1,
        aside(Cause::UnknownKey),
        "a colleague's key"
    );
    let lifts = LockoutLifted { person: signer("maria").person, forgives: Vec::new(), reason: "mistyped".into() };
    assert_eq!(judged(by(unsigned(lifts.into()), "jonas", &forged)).1, aside(Cause::UnknownKey));
    assert_eq!(judged(unsigned(check(Outcome::Passed))).1, aside(Cause::WrongSigners), "nobody's signature at all");

    // A signature over one statement says nothing of another: neither of another body, nor of another kind, nor about somebody else.
    let (read, _) = judged(signed(&core, core.act(), read_on("R-0042"), &["maria"]));
    for elsewhere in [read_on("R-0003"), Identified {}.into()] {
        assert_eq!(judged(unsigned(elsewhere).with_blocks_of(&read)).1, aside(Cause::BadSignature));
    }
    let about_ana = Draft::new(Subject::new("person", "ana"), read.statement().unwrap().unwrap());
    assert_eq!(judged(about_ana.with_blocks_of(&read)).1, aside(Cause::BadSignature));

    // A key is set up by who has it, before somebody who may look at their card.
    let set_up = |key: PersonKey| {
        let (box_digest, identity_proof) = (Digest32::of(b"a box"), "card".to_owned());
        unsigned(SigningSetUp { key, box_digest, identity_proof, profile: Profile::UsPart11, secret: None }.into())
    };
    let jonas = core.unlock(&signer("jonas")).unwrap();
    let alone = by(set_up(forged.key()), "maria", &forged);
    assert_eq!(judged(alone.clone()).1, aside(Cause::WrongSigners), "without a verifier");
    assert_eq!(judged(by(alone.clone(), "ana", &anas)).1, aside(Cause::NoAuthority), "before an operator");
    let of_anas_key = by(by(set_up(anas.key()), "maria", &forged), "jonas", &jonas);
    assert_eq!(judged(of_anas_key).1, aside(Cause::UnknownKey), "of a key that its person does not have");

    let row = LegacyRow {
        requirement: RequirementId::new("R-0042").unwrap(),
        version: None,
        activity: ActivityKind::Read,
        completed_at: core.now(),
        assessor: None,
        score_percent: None,
        source: Some("made up".into()),
        line: 1,
    };
    let history = LegacyBatch { batch: core.act(), rows: vec![row] };
    assert_eq!(judged(unsigned(history.into())).1, aside(Cause::NotTheServer), "history is imported at the server");
    core.export(&home.path().join("exported")).unwrap();
    let exported = fs::read_to_string(home.path().join("exported/history.csv")).unwrap();
    assert!(exported.lines().count() > 1 && !exported.contains("made up"), "nor does it come back with an export");
    let in_use = store::questions::key_of(core.ledger().connection(), &signer("maria").person).unwrap().unwrap().0;
    assert_eq!(core.unlock(&signer("maria")).unwrap().key(), in_use, "her key is the one she had");
}

/// A terminal writes in few streams. What is the server's to say says nothing there, whatever its kind is called.
#[test]
fn safe3_what_is_the_servers_to_say_says_nothing_in_a_terminals_stream() {
    let (home, stage) = (tempfile::tempdir().unwrap(), Stage::at("2026-03-02T05:00:00Z"));
    let core = demo(home.path(), &stage);
    set_up_signing(&core, &["helga"]);
    let (mut hostile, good) = (Pen::enrol(&core, "K3", "SEAL", 3), Pen::enrol(&core, "K4", "SEAL", 4));
    hostile.log.stream = Stream::record(&SiteId::new("SITE1").unwrap());
    let stranger = DeviceSecret::from_seed([77; 32]);
    let site = SiteId::new("SITE1").unwrap();
    let enrolled = DeviceEnrolled { device: stranger.key(), site, ..core.plant().devices[&good.device.key()].clone() };
    let about = |device: &DeviceKey, body: Body| {
        Draft::new(Subject::new("device", device), Statement { act: core.act(), body })
    };
    let revoked =
        |device: DeviceKey| DeviceRevoked { device, reason: "so there".into(), heads: Vec::new(), retired: None };
    let mut drafts = vec![about(&stranger.key(), enrolled.into())];
    drafts.extend([good.device.key(), core.key()].map(|device| about(&device, revoked(device).into())));
    for draft in &drafts {
        hostile.write_draft(&core, draft);
    }
    hostile.call(&core, &hostile.written);
    let standing = |device: &DeviceSecret| {
        let mut call = good.up(&core, &[]);
        (call.device, call.heads) = (device.key(), Vec::new());
        Down::open(&core.exchange(&call.seal(device)).unwrap()).unwrap().standing
    };
    assert_eq!(standing(&good.device), DeviceStanding::Ok, "nobody revoked it");
    assert_eq!(standing(&stranger), DeviceStanding::UnknownDevice, "nor is whoever it names enrolled");
    for entry in &hostile.written {
        assert!(
            store::shelf::entry(core.ledger().connection(), &entry.id()).unwrap().is_some(),
            "it is held all the same"
        );
    }
    core.ledger().rebuild().unwrap();
    assert_eq!((standing(&good.device), standing(&stranger)), (DeviceStanding::Ok, DeviceStanding::UnknownDevice));
    assert!(core.plant().unreadable.is_empty());
}

/// A terminal writes for its own site, and in its own journal: what it writes elsewhere nobody holds, whoever brings it.
#[test]
fn r4_a_terminal_is_held_in_no_stream_that_nobody_gave_it() {
    let (home, stage) = (tempfile::tempdir().unwrap(), Stage::at("2026-03-02T05:00:00Z"));
    let core = demo(home.path(), &stage);
    let (mut hostile, good) = (Pen::enrol(&core, "K3", "SEAL", 3), Pen::enrol(&core, "K4", "SEAL", 4));
    let own = hostile.log.stream.clone();
    for stream in ["presence/SITE2", "record/SITE2", "journal/K4", "visiting/SITE1", "office/global"] {
        hostile.log.stream = Stream::parse(stream).unwrap();
        hostile.written.clear();
        let elsewhere = hostile.write(&core);
        hostile.call(&core, std::slice::from_ref(&elsewhere));
        good.call(&core, std::slice::from_ref(&elsewhere));
        let held = store::shelf::entry(core.ledger().connection(), &elsewhere.id()).unwrap();
        assert!(held.is_none(), "{stream}");
    }
    hostile.log.stream = own;
    hostile.written.clear();
    let here = hostile.write(&core);
    hostile.call(&core, std::slice::from_ref(&here));
    assert!(store::shelf::entry(core.ledger().connection(), &here.id()).unwrap().is_some(), "its own it writes on");
}

/// What a person signed stays theirs in whatever entry a terminal brings it again.
#[test]
fn r15_r24_a_statement_brought_again_forgives_nothing_and_brings_nothing_back() {
    let (home, stage) = (tempfile::tempdir().unwrap(), Stage::at("2026-03-02T05:00:00Z"));
    let core = demo(home.path(), &stage);
    set_up_signing(&core, &["helga", "maria", "jonas"]);
    let maria = signer("maria").person;
    let failures =
        || store::secrets::failures(core.ledger().connection(), &maria, &core.key(), core.now()).unwrap().len();
    let verdict = |entry: &Entry| store::questions::verdict(core.ledger().connection(), &entry.id()).unwrap();
    let record = |name: &str, number: u16| {
        let mut pen = Pen::enrol(&core, name, "SEAL", number);
        pen.log.stream = Stream::record(&SiteId::new("SITE1").unwrap());
        pen
    };
    let (mut good, mut hostile, mut other) = (record("K3", 3), record("K4", 4), record("K6", 6));
    let read = good.write_draft(&core, &signed(&core, core.act(), read_on("R-0003"), &["maria"]));
    let gone = good.write_draft(&core, &signed(&core, core.act(), corrects(&read), &["maria"]));
    good.call(&core, &good.written);
    assert_eq!(verdict(&read), Verdict::SetAside(Cause::Annulled(gone.id())));

    stage.set("2026-03-02T05:10:00Z");
    let mut presence = Pen::enrol(&core, "K5", "SEAL", 5);
    let guessed: Vec<Entry> =
        (1..=9).map(|attempt| presence.write_about(&core, "maria", SecretFailed { attempt })).collect();
    presence.call(&core, &guessed);
    assert_eq!(failures(), 9);

    // Somebody else's terminal, whose clock stands where they like.
    let again = |act: &Entry| Draft::new(act.subject().clone(), act.statement().unwrap().unwrap()).with_blocks_of(act);
    stage.set("2026-03-01T01:00:00Z");
    let first = hostile.write_draft(&core, &again(&read));
    stage.set("2100-01-01T00:00:00Z");
    let later = hostile.write_draft(&core, &again(&read));
    stage.set("2026-03-02T05:15:00Z");
    let since = other.write_draft(&core, &again(&read));
    stage.set("2026-03-02T05:20:00Z");
    hostile.call(&core, &hostile.written);
    other.call(&core, &other.written);
    assert_eq!(failures(), 9, "nobody gave the right secret since");
    for copy in [&first, &since, &later] {
        assert!(!verdict(copy).is_effective(), "{:?}", verdict(copy));
    }
    assert_eq!(verdict(&first), Verdict::SetAside(Cause::Annulled(gone.id())), "it is annulled in every entry");
    let found = core.verify(true).unwrap();
    assert!(found.is_clean(), "{:?}", found.findings);
}

fn record_pen(core: &Core, name: &str, number: u16) -> Pen {
    let mut pen = Pen::enrol(core, name, "SEAL", number);
    pen.log.stream = Stream::record(&SiteId::new("SITE1").unwrap());
    pen
}

/// What a signature rests on isn't taken back by it: the key stays, and judging comes to an end.
#[test]
fn r12_a_signing_set_up_is_corrected_by_nobody() {
    let (home, stage) = (tempfile::tempdir().unwrap(), Stage::at("2026-03-02T05:00:00Z"));
    let core = demo(home.path(), &stage);
    set_up_signing(&core, &["helga", "maria"]);
    stage.set("2026-03-02T05:10:00Z");
    let mut pen = record_pen(&core, "K3", 3);
    let about = store::shelf::record_about(core.ledger().connection(), "person:maria").unwrap();
    let set_up = about.into_iter().find(|entry| entry.header().kind == "signing_set_up").unwrap();
    for by in [&["maria"][..], &["helga"], &["maria", "helga"]] {
        let correction = pen.write_draft(&core, &signed(&core, core.act(), corrects(&set_up), by));
        pen.call(&core, std::slice::from_ref(&correction));
        let verdict = |id: &EntryId| store::questions::verdict(core.ledger().connection(), id).unwrap();
        assert_eq!(verdict(&correction.id()), Verdict::SetAside(Cause::NoAuthority), "{by:?}");
        assert_eq!(verdict(&set_up.id()), Verdict::Effective, "{by:?}");
    }
    core.unlock(&signer("maria")).unwrap();
    let found = core.verify(true).unwrap();
    assert!(found.is_clean() && found.rebuilt_equal == Some(true), "{:?}", found.findings);
}

/// Set aside at the server, and nobody's key to whoever verifies a bundle either.
#[test]
fn r12_a_key_that_nobody_vouched_for_is_nobodys_to_the_verifier_too() {
    let (home, stage) = (tempfile::tempdir().unwrap(), Stage::at("2026-03-02T05:00:00Z"));
    let core = demo(home.path(), &stage);
    set_up_signing(&core, &["helga"]);
    let (mut pen, forged) = (record_pen(&core, "K3", 3), PersonSecret::from_seed([66; 32]));
    let maria = PersonId::new("maria").unwrap();
    let by_her = |body: Body| {
        let (role, meaning) = (Role::Operator, Meaning::Performed);
        let (signed_at, printed_name, signer) = (core.now(), "Maria".to_owned(), maria.clone());
        let signing = Signing { signer, printed_name, role, meaning, signed_at, shown: None, credential: None };
        Draft::new(Subject::person(&maria), Statement { act: core.act(), body }).signed_by(signing, &forged)
    };
    let (key, box_digest, identity_proof) = (forged.key(), Digest32::of(b"a box"), "card".to_owned());
    let set_up = SigningSetUp { key, box_digest, identity_proof, profile: Profile::UsPart11, secret: None };
    pen.write_draft(&core, &by_her(set_up.into()));
    let read = pen.write_draft(&core, &by_her(read_on("R-0042")));
    pen.call(&core, &pen.written);
    let bundle = home.path().join("all.evidence");
    core.export_evidence(&bundle).unwrap();
    let report = lineproof_verify::verify(fs::read(&bundle).unwrap().as_slice(), Some(core.key())).unwrap();
    let told = |id: &EntryId| report.findings.iter().any(|finding| finding.what == id.to_string());
    assert!(told(&read.id()) || told(&pen.written[0].id()), "{:?}", report.findings);
}

/// Two, or three, whom nobody knows say of each other who they are.
#[test]
fn r12_keys_that_vouch_for_each_other_are_nobodys_to_the_verifier() {
    let (home, stage) = (tempfile::tempdir().unwrap(), Stage::at("2026-03-02T05:00:00Z"));
    let core = demo(home.path(), &stage);
    set_up_signing(&core, &["helga"]);
    let helga = core.unlock(&signer("helga")).unwrap();
    let set_up = |of: (&str, &PersonSecret), by: (&str, &PersonSecret)| {
        let (key, box_digest, identity_proof) = (of.1.key(), Digest32::of(b"a box"), "card".to_owned());
        let body = SigningSetUp { key, box_digest, identity_proof, profile: Profile::UsPart11, secret: None };
        let draft = Draft::new(Subject::new("person", of.0), Statement { act: core.act(), body: body.into() });
        [of, by].into_iter().fold(draft, |draft, (person, key)| {
            let (role, meaning) = (Role::Operator, Meaning::Performed);
            let (signed_at, printed_name) = (core.now(), person.to_owned());
            let signer = PersonId::new(person).unwrap();
            let signing = Signing { signer, printed_name, role, meaning, signed_at, shown: None, credential: None };
            draft.signed_by(signing, key)
        })
    };
    let keys: Vec<PersonSecret> = (61..68).map(|seed| PersonSecret::from_seed([seed; 32])).collect();
    let [ana, maria, two @ .., _, _, _] = &keys[..] else { unreachable!() };
    let three = &keys[4..];
    let mut pen = record_pen(&core, "K3", 3);
    // Of Ana first what one of the ring says, and then what Helga does.
    let ring_says = pen.write_draft(&core, &set_up(("ana", ana), ("felix", &two[0])));
    let good = [set_up(("ana", ana), ("helga", &helga)), set_up(("maria", maria), ("ana", ana))];
    let good = good.map(|draft| pen.write_draft(&core, &draft));
    let mut rings = vec![ring_says];
    for (people, ring) in [(&["felix", "eva"][..], two), (&["jonas", "dagmar", "sven"], three)] {
        for place in 0..ring.len() {
            let next = (place + 1) % ring.len();
            let vouched = set_up((people[place], &ring[place]), (people[next], &ring[next]));
            rings.push(pen.write_draft(&core, &vouched));
        }
    }
    pen.call(&core, &pen.written);
    let bundle = home.path().join("all.evidence");
    core.export_evidence(&bundle).unwrap();
    let report = lineproof_verify::verify(fs::read(&bundle).unwrap().as_slice(), Some(core.key())).unwrap();
    let told = |entry: &Entry| report.findings.iter().any(|finding| finding.what == entry.id().to_string());
    assert!(rings.iter().all(told), "{:?}", report.findings);
    assert!(!good.iter().any(told), "who was vouched for from the server on is who they say: {:?}", report.findings);
}

/// Jonas's key vouches for Felix's, his for an earlier set-up of his, and that one is the same act as the first: each would undo what it rests on.
#[test]
fn r12_keys_that_undo_what_they_rest_on_come_to_an_end() {
    let (home, stage) = (tempfile::tempdir().unwrap(), Stage::at("2026-03-02T05:00:00Z"));
    let core = demo(home.path(), &stage);
    set_up_signing(&core, &["helga"]);
    let helga = core.unlock(&signer("helga")).unwrap();
    let [first, second, felixs] = [61, 62, 63].map(|seed| PersonSecret::from_seed([seed; 32]));
    let set_up = |act: ActId, of: (&str, &PersonSecret), by: (&str, &PersonSecret)| {
        let (box_digest, identity_proof) = (Digest32::of(b"a box"), "card".to_owned());
        let key = of.1.key();
        let body = SigningSetUp { key, box_digest, identity_proof, profile: Profile::UsPart11, secret: None };
        let draft = Draft::new(Subject::new("person", of.0), Statement { act, body: body.into() });
        [of, by].into_iter().fold(draft, |draft, (person, key)| {
            let (role, meaning) = (Role::Operator, Meaning::Performed);
            let (signed_at, printed_name) = (core.now(), person.to_owned());
            let signer = PersonId::new(person).unwrap();
            let signing = Signing { signer, printed_name, role, meaning, signed_at, shown: None, credential: None };
            draft.signed_by(signing, key)
        })
    };
    let mut pen = record_pen(&core, "K3", 3);
    let (act, other) = (core.act(), core.act());
    for (minute, draft) in [
        (1, set_up(act, ("jonas", &first), ("felix", &felixs))),
        (2, set_up(act, ("jonas", &second), ("helga", &helga))),
        (3, set_up(other, ("felix", &felixs), ("jonas", &second))),
    ] {
        stage.set(&format!("2026-03-02T05:0{minute}:00Z"));
        pen.write_draft(&core, &draft);
    }
    for entry in pen.written.clone() {
        pen.call(&core, &[entry]);
    }
    let known = |person: &str| {
        let person = PersonId::new(person).unwrap();
        store::questions::key_of(core.ledger().connection(), &person).unwrap().is_some()
    };
    assert!(known("helga") && !known("jonas") && !known("felix"), "none of them vouches for anybody");
    let found = core.verify(true).unwrap();
    assert!(found.is_clean() && found.rebuilt_equal == Some(true), "{:?}", found.findings);
}

/// Whoever has a terminal writes ever new logs, more than an entry can name.
#[test]
fn r7_a_terminal_that_wrote_very_many_logs_is_revoked_all_the_same() {
    let (home, stage) = (tempfile::tempdir().unwrap(), Stage::at("2026-03-02T05:00:00Z"));
    let core = demo(home.path(), &stage);
    let mut pen = Pen::enrol(&core, "K3", "SEAL", 3);
    let honest: Vec<Entry> = (1..=3).map(|attempt| pen.write_about(&core, "maria", SecretFailed { attempt })).collect();
    pen.call(&core, &honest);
    for hundred in 0..6_u8 {
        let mut written = Vec::new();
        for number in 0..100_u8 {
            let incarnation = Incarnation([[hundred, number]; 8].concat().try_into().unwrap());
            let log = LogId { incarnation, ..pen.log.clone() };
            let mut other = Pen { device: pen.device.clone(), log, written: Vec::new() };
            written.push(other.write_about(&core, "maria", SecretFailed { attempt: 1 }));
        }
        pen.call(&core, &written);
    }
    let revoked = core.revoke_kiosk(&KioskName::new("K3").unwrap(), "stolen", None).unwrap();
    let Body::DeviceRevoked(body) = revoked.statement().unwrap().unwrap().body else { panic!("another kind") };
    assert!(body.heads.contains(&honest[2].id()), "the longest log counts as far as it was held");
    assert!(body.heads.len() < 600);
    let found = core.verify(true).unwrap();
    assert!(found.is_clean(), "{:?}", found.findings);
}
