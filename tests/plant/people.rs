//! What people do for one another at a kiosk that stands alone: signing set-up, a lifted lockout, coaching, a co-signature, a correction.
//! Each goes through the real presenter, desk, core and store, and ends with everything verified at the server.

use harness::hand::Answers;
use harness::stage::Stage;
use harness::{demo_plant, kiosk_signer, secret_of, signer};
use kiosk::core::Denied;
use kiosk::core::co_sign::Start;
use kiosk::core::secret::Signer;
use kiosk::core::signing_set_up::Chosen;
use kiosk::presenter::view::{NextStep, QuizNext, ReaderNext, Screen, SigningStep, Standing, VerdictKind, Why};
use shared::id::*;
use shared::kind::Body;
use shared::log::Entry;
use shared::part11::accountability;
use shared::part11::boxes::Stretching;
use shared::training::Answer;
use store::questions;

use harness::scene::approve_v7;

const K3: &str = "K3";
const TASK: &str = "seal-pouch";
const LOT: &str = "881";
const MARIA: &str = "04A1B2C3";
const BEN: &str = "04E5A7B4";
const JONAS: (&str, &str) = ("jonas", "04C25E8A");

fn id<T: std::str::FromStr<Err = BadId>>(text: &str) -> T {
    text.parse().unwrap()
}

/// The demo plant on Sunday evening with kiosk 3, which has just heard the server. Everybody but Ben can sign.
struct Floor {
    stage: Stage,
    _folder: tempfile::TempDir,
}

impl Floor {
    fn on_sunday() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut stage = Stage::open(folder.path().to_owned(), "2026-03-01T18:00:00Z").unwrap();
        for (place, person) in ["helga", "lukas", "henning", "jonas", "maria", "ana"].into_iter().enumerate() {
            let verifier = (place > 0).then(|| signer("helga"));
            let (who, proof) = (id(person), "identity card");
            let stretching = Stretching::TESTS;
            stage.server.set_up_signing(&who, &secret_of(person), proof, verifier.as_ref(), stretching).unwrap();
        }
        stage.add_kiosk(K3, &["SEAL"]).unwrap();
        Self { stage, _folder: folder }
    }

    /// Monday morning, v7 in force since six, the cable unplugged.
    fn on_monday() -> Self {
        let mut floor = Self::on_sunday();
        approve_v7(&floor.stage.server);
        floor.stage.settle().unwrap();
        floor.stage.set_online(K3, false).unwrap();
        floor.stage.clock.set("2026-03-02T05:20:00Z");
        floor
    }

    fn tap(&mut self, id: &str) {
        self.stage.tap(K3, id).unwrap();
    }
    fn scan(&mut self, badge: &str) {
        self.stage.scan(K3, badge).unwrap();
    }
    fn secret(&mut self, person: &str) {
        self.stage.enter_secret(K3, person).unwrap();
    }
    fn on(&self, screen: Screen) {
        self.stage.expect_screen(K3, screen).unwrap();
    }

    fn entries(&self, person: &str, kind: &str) -> Vec<Entry> {
        let kiosk = self.stage.kiosk(K3).unwrap();
        questions::entries_of_kind(kiosk.ledger().connection(), &format!("person:{person}"), kind).unwrap()
    }

    fn counts(&self, entry: &Entry) -> bool {
        let kiosk = self.stage.kiosk(K3).unwrap();
        questions::verdict(kiosk.ledger().connection(), &entry.id()).unwrap().is_effective()
    }

    /// Plugs the cable in: the server holds everything, and finds nothing wrong with it.
    fn back_online(&mut self) {
        self.stage.set_online(K3, true).unwrap();
        self.stage.settle().unwrap();
        let found = self.stage.server.verify(true).unwrap();
        assert!(found.is_clean(), "{:?}, rebuilt equal: {:?}", found.findings, found.rebuilt_equal);
    }

    fn read_to_the_end(&mut self) {
        self.on(Screen::Reader);
        while self.stage.view(K3).unwrap().reader.next != ReaderNext::ReadAndUnderstood {
            self.tap("next");
        }
        self.tap("next");
    }
}

fn stranger(person: &str) -> Signer {
    Signer { person: id(person), secret: "not the secret".into() }
}

#[test]
fn r12_signing_is_set_up_at_a_kiosk_that_stands_alone() {
    let mut floor = Floor::on_monday();
    floor.scan(BEN);
    floor.on(Screen::SigningSetUp);
    floor.tap("next");
    floor.scan(JONAS.1);
    floor.tap("proof:1");
    for _ in 0..2 {
        floor.stage.type_text(K3, "secret", &secret_of("ben")).unwrap();
        floor.tap("ok");
    }
    floor.tap("next");
    floor.secret("jonas");
    assert_eq!(floor.stage.view(K3).unwrap().signing_set_up.step, SigningStep::Done);

    let set_up = floor.entries("ben", "signing_set_up");
    assert_eq!((set_up.len(), set_up[0].blocks().len()), (1, 2), "one entry with both blocks");
    let Body::SigningSetUp(body) = set_up[0].statement().unwrap().unwrap().body else { panic!("another kind") };
    assert_eq!(body.identity_proof, "identity card");
    let accountable = floor.entries("ben", "accountability_signed");
    assert_eq!(accountable.len(), 1, "r9");
    let shown = accountable[0].blocks()[0].shown;
    assert_eq!(shown, Some(accountability::statement("en").digest()), "the signature covers what was shown");
    assert!(floor.counts(&set_up[0]) && floor.counts(&accountable[0]));

    // The new signature is good for a record at once.
    floor.tap("next");
    floor.stage.ask_again(K3, TASK, LOT).unwrap();
    floor.tap("next");
    floor.read_to_the_end();
    floor.secret("ben");
    floor.on(Screen::Receipt);
    assert!(floor.counts(&floor.entries("ben", "read")[0]));
    floor.back_online();
}

#[test]
fn r12_without_authority_or_with_a_weak_secret_nothing_is_set_up() {
    let floor = Floor::on_sunday();
    let chosen = |secret| Chosen { secret, identity_proof: "passport", language: "en", stretching: Stretching::TESTS };
    let mut kiosk = floor.stage.kiosk(K3).unwrap();
    let mut refused =
        |secret, verifier: &str| kiosk.set_up_signing(&id("ben"), &chosen(secret), &kiosk_signer(verifier));
    assert!(matches!(refused("Nine pouches", "maria"), Err(Denied::NoAuthority { .. })));
    assert!(matches!(refused("Nine pouches", "ben"), Err(Denied::SamePerson)));
    assert!(matches!(refused("pouch", "jonas"), Err(Denied::WeakSecret(_))));
    let unsaid = Chosen { identity_proof: " ", ..chosen("Nine pouches") };
    assert!(matches!(kiosk.set_up_signing(&id("ben"), &unsaid, &kiosk_signer("jonas")), Err(Denied::NoIdentityProof)));
    drop(kiosk);
    assert!(floor.entries("ben", "signing_set_up").is_empty());
}

#[test]
fn r15_a_supervisor_lifts_a_lockout_at_the_kiosk_and_names_what_is_forgiven() {
    let mut floor = Floor::on_monday();
    for _ in 0..9 {
        floor.stage.clock.advance_ms(10 * 60_000);
        assert!(floor.stage.kiosk(K3).unwrap().unlock(&stranger("maria")).is_err());
    }
    floor.stage.clock.advance_ms(10 * 60_000);
    floor.stage.badge_and_ask(K3, MARIA, TASK, LOT).unwrap();
    floor.tap("next");
    floor.read_to_the_end();
    floor.stage.type_text(K3, "secret", "not the secret").unwrap();
    floor.tap("ok");
    floor.on(Screen::Lockout);
    let lockout = floor.stage.view(K3).unwrap().lockout;
    assert_eq!((lockout.tries, lockout.interrupted), (10, true));
    assert!(lockout.able.contains("Jonas Reuter"), "on shift: {}", lockout.able);

    floor.tap("reason:1");
    floor.scan(JONAS.1);
    floor.secret("jonas");
    floor.on(Screen::Secret);
    floor.secret("maria");
    floor.on(Screen::Receipt);

    let lifted = floor.entries("maria", "lockout_lifted");
    let Body::LockoutLifted(body) = lifted[0].statement().unwrap().unwrap().body else { panic!("another kind") };
    let mut failed: Vec<EntryId> = floor.entries("maria", "secret_failed").iter().map(Entry::id).collect();
    let mut forgiven = body.forgives;
    failed.sort();
    forgiven.sort();
    assert_eq!((forgiven.len(), forgiven), (10, failed));
    assert!(floor.counts(&lifted[0]));
    floor.back_online();
}

#[test]
fn r15_nobody_lifts_their_own_lockout_nor_without_authority() {
    let floor = Floor::on_sunday();
    let mut kiosk = floor.stage.kiosk(K3).unwrap();
    assert!(matches!(kiosk.may_lift(&id("jonas"), &id("jonas")), Err(Denied::SamePerson)));
    assert!(matches!(
        kiosk.lift_lockout(&id("ben"), "mistyped", &kiosk_signer("maria")),
        Err(Denied::NoAuthority { .. })
    ));
    assert!(matches!(kiosk.lift_lockout(&id("ben"), " ", &kiosk_signer("jonas")), Err(Denied::NoReason)));
    drop(kiosk);
    assert!(floor.entries("ben", "lockout_lifted").is_empty());
}

#[test]
fn l2_coaching_after_the_last_failed_attempt_opens_exactly_one_more() {
    let mut floor = Floor::on_monday();
    let answers = Answers::of(&demo_plant()).unwrap();
    floor.stage.badge_and_ask(K3, MARIA, TASK, LOT).unwrap();
    floor.tap("next");
    floor.read_to_the_end();
    floor.secret("maria");
    floor.tap("next");
    let attempts = fail_until_a_trainer_is_asked(&mut floor, &answers);
    let (maria, requirement) = (id("maria"), id("R-0042"));
    let about = floor.stage.kiosk(K3).unwrap().about(&requirement).unwrap();
    assert!(matches!(floor.stage.kiosk(K3).unwrap().open_quiz(&maria, &about), Err(Denied::NoAttemptLeft)));

    floor.tap("next");
    floor.stage.both_sign(K3, "maria", JONAS).unwrap();
    let coaching = floor.entries("maria", "coaching");
    assert_eq!((coaching.len(), coaching[0].blocks().len()), (1, 2), "signed by both");
    assert!(floor.counts(&coaching[0]));
    let both = (&kiosk_signer("maria"), &kiosk_signer("jonas"));
    let again = floor.stage.kiosk(K3).unwrap().sign_coaching(&maria, &about, both);
    assert!(matches!(again, Err(Denied::OutOfOrder)), "coaching can't be saved up");

    floor.tap("next");
    floor.on(Screen::Quiz);
    let more = fail_until_a_trainer_is_asked(&mut floor, &answers);
    assert_eq!((attempts, more), (3, 1));
    assert!(matches!(floor.stage.kiosk(K3).unwrap().may_coach(&maria, &maria), Err(Denied::SamePerson)));
    let unfit = floor.stage.kiosk(K3).unwrap().may_coach(&id("ana"), &maria);
    assert!(matches!(unfit, Err(Denied::NoAuthority { .. })));
    floor.back_online();
}

fn fail_until_a_trainer_is_asked(floor: &mut Floor, answers: &Answers) -> u32 {
    for attempt in 1..10 {
        let mut quiz = floor.stage.view(K3).unwrap().quiz;
        for _ in 0..quiz.of {
            floor.tap(&format!("answer:{}", answers.wrong(&quiz.question).unwrap()));
            floor.tap("next");
            quiz = floor.stage.view(K3).unwrap().quiz;
        }
        if quiz.next == QuizNext::AskTrainer {
            return attempt;
        }
        floor.tap("next");
        floor.on(Screen::Reader);
        while floor.stage.view(K3).unwrap().screen == Screen::Reader {
            floor.tap("next");
        }
    }
    panic!("attempts without end");
}

#[test]
fn u5_a_routine_task_past_its_lease_starts_with_a_co_signature_and_only_once() {
    let mut floor = Floor::on_sunday();
    floor.stage.set_online(K3, false).unwrap();
    floor.stage.clock.set("2026-03-05T06:00:00Z");
    let denied = floor.stage.badge_and_ask(K3, MARIA, TASK, LOT).unwrap().verdict;
    assert_eq!((denied.kind, denied.next), (VerdictKind::CoSign, NextStep::GetCoSignature), "{:?}", denied.why);
    floor.tap("next");
    floor.scan(JONAS.1);
    floor.secret("jonas");
    let go = floor.stage.view(K3).unwrap().verdict;
    assert_eq!((go.kind, go.why, go.params.by.as_str()), (VerdictKind::Go, Why::CoSigned, "Jonas Reuter"));

    let co_signed = floor.entries("maria", "co_signed");
    let Body::CoSigned(body) = co_signed[0].statement().unwrap().unwrap().body else { panic!("another kind") };
    let decisions = decisions(&floor, "maria");
    assert_eq!(body.decision, decisions[0].0, "it names the decision it releases");
    assert!(decisions[1].1.contains(&co_signed[0].id()), "u1: the GO names the co-signature among its evidence");

    floor.tap("action:back");
    let again = floor.stage.ask_again(K3, TASK, LOT).unwrap().verdict;
    assert_eq!(again.kind, VerdictKind::CoSign, "one co-signature, one start");
    floor.back_online();
}

/// Every decision about the person, in order, with its evidence.
fn decisions(floor: &Floor, person: &str) -> Vec<(EntryId, Vec<EntryId>)> {
    let mut entries = floor.entries(person, "decision");
    entries.sort_by_key(|entry| entry.header().hybrid);
    let evidence = |entry: &Entry| match entry.statement().unwrap().unwrap().body {
        Body::Decision(decision) => decision.evidence,
        _ => Vec::new(),
    };
    entries.iter().map(|entry| (entry.id(), evidence(entry))).collect()
}

#[test]
fn u5_nobody_co_signs_themselves_nor_unqualified_nor_late_nor_another_start() {
    let floor = Floor::on_sunday();
    floor.stage.clock.set("2026-03-05T06:00:00Z");
    let mut kiosk = floor.stage.kiosk(K3).unwrap();
    let (maria, task, lot, other) = (id("maria"), id(TASK), id(LOT), id("882"));
    let start = Start { person: &maria, task: &task, lot: Some(&lot) };
    let denied = kiosk.ask(&maria, &task, Some(&lot)).unwrap();
    assert!(denied.decision.needs_only_co_signature(), "{:?}", denied.decision.reasons);
    assert!(matches!(kiosk.may_co_sign(&maria, start), Err(Denied::SamePerson)));
    assert!(matches!(kiosk.may_co_sign(&id("noemi"), start), Err(Denied::NoAuthority { .. })), "not qualified here");
    let elsewhere = Start { lot: Some(&other), ..start };
    assert!(matches!(kiosk.co_sign(elsewhere, &denied.entry, &kiosk_signer("jonas")), Err(Denied::OutOfOrder)));
    kiosk.co_sign(start, &denied.entry, &kiosk_signer("ana")).unwrap();
    assert_eq!(
        kiosk.look(&maria, &task, Some(&other), None).unwrap().answer,
        Answer::NoGo,
        "another lot is another start"
    );
    floor.stage.clock.advance_ms(16 * 60_000);
    assert_eq!(
        kiosk.look(&maria, &task, Some(&lot), None).unwrap().answer,
        Answer::NoGo,
        "it waits a quarter of an hour"
    );
    assert!(matches!(kiosk.may_co_sign(&id("jonas"), start), Ok(())));
}

#[test]
fn u5_a_critical_task_is_never_co_signed() {
    let floor = Floor::on_sunday();
    floor.stage.clock.set("2026-03-05T06:00:00Z");
    let mut kiosk = floor.stage.kiosk(K3).unwrap();
    let (jonas, task) = (id("jonas"), id("service-sealer"));
    let denied = kiosk.ask(&jonas, &task, None).unwrap();
    assert!(!denied.decision.needs_only_co_signature());
    let start = Start { person: &jonas, task: &task, lot: None };
    assert!(matches!(kiosk.co_sign(start, &denied.entry, &kiosk_signer("ana")), Err(Denied::OutOfOrder)));
}

#[test]
fn r24_the_signer_corrects_an_own_entry_and_the_gate_follows_at_once() {
    let mut floor = Floor::on_monday();
    let answers = Answers::of(&demo_plant()).unwrap();
    floor.stage.badge_and_ask(K3, MARIA, TASK, LOT).unwrap();
    floor.stage.learn(K3, "maria", &answers).unwrap();
    floor.stage.do_a_run(K3, "maria", JONAS).unwrap();
    floor.stage.be_checked(K3, "maria", JONAS).unwrap();
    floor.tap("action:back");
    assert_eq!(floor.stage.ask_again(K3, TASK, LOT).unwrap().verdict.kind, VerdictKind::Go);

    floor.tap("action:back");
    floor.tap("action:records");
    floor.tap("entry:1");
    floor.tap("wrong:outcome");
    floor.stage.type_text(K3, "right", "not yet").unwrap();
    floor.tap("ok");
    floor.tap("reason:1");
    floor.secret("maria");
    let row = floor.stage.view(K3).unwrap().records.rows[0].clone();
    assert_eq!((row.standing, row.old.as_str(), row.new.as_str()), (Standing::Corrected, "passed", "not yet"));
    floor.tap("action:back");
    let verdict = floor.stage.ask_again(K3, TASK, LOT).unwrap().verdict;
    assert_eq!(verdict.kind, VerdictKind::NoGo, "the check counts no more");

    let check = floor.entries("maria", "check_signed")[0].id();
    let by_another = kiosk::core::correct::Corrected {
        wrong: kiosk::core::correct::Wrong::Value,
        old: "passed".into(),
        new: "failed".into(),
        reason: "slip of the finger".into(),
    };
    let refused = floor.stage.kiosk(K3).unwrap().correct(&id("ana"), &check, &by_another);
    assert!(matches!(refused, Err(Denied::NoAuthority { .. })), "only who signed it, at the kiosk");
    floor.back_online();
}
