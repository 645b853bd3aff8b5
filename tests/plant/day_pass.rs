//! A day pass (S6, S13): a supervisor vouches without a network for somebody whose badge is at home. It stands for the badge, never for the
//! secret, gives no word in what is another's, and is worth what its giver's right turns out to be worth.

use std::fs;

use harness::scene::{copy_folder, id, import_with, right_answers, sunday_evening, withdraw_jonas};
use harness::{Plant, at, demo_plant, kiosk_signer, signer};
use kiosk::core::Denied;
use kiosk::core::co_sign::Start;
use kiosk::core::day_pass::NoPass;
use kiosk::core::secret::Signer;
use kiosk::stick::Way;
use shared::id::*;
use shared::kind::plant::SessionPolicy;
use shared::kind::record::DayPass;
use shared::kind::{Body, Statement};
use shared::log::effect::{Doubt, Verdict};
use shared::log::entry::{Credential, LogId, seal};
use shared::log::{Draft, Entry, Position, Stream, Subject};
use shared::sync::message::Give;
use shared::time::{ClockReading, HOUR_MS, HybridTime, Timestamp};
use shared::training::Answer;
use store::questions;

const SIGHT: &str = "known by sight";

fn give(plant: &mut Plant, kiosk: &str, person: &str, by: &str) -> Entry {
    plant.kiosk(kiosk).give_day_pass(&id(person), SIGHT, None, &kiosk_signer(by)).unwrap()
}

fn holders(plant: &mut Plant, kiosk: &str) -> Vec<String> {
    let holders = plant.kiosk(kiosk).pass_holders().unwrap();
    holders.into_iter().map(|holder| holder.person.person.to_string()).collect()
}

fn until_of(entry: &Entry) -> Timestamp {
    match entry.statement().unwrap().unwrap().body {
        Body::DayPass(pass) => pass.until,
        other => panic!("{other:?}"),
    }
}

fn verdict(plant: &mut Plant, kiosk: &str, entry: &EntryId) -> Verdict {
    questions::verdict(plant.kiosk(kiosk).ledger().connection(), entry).unwrap()
}

fn ask(plant: &mut Plant, kiosk: &str, person: &str) -> Result<Answer, Denied> {
    let asked = plant.kiosk(kiosk).ask(&id(person), &id("seal-pouch"), Some(&id("881")));
    asked.map(|verdict| verdict.decision.answer)
}

/// Reads in the session that is open.
fn read(plant: &mut Plant, kiosk: &str, person: &str) -> Result<EntryId, Denied> {
    let kiosk = plant.kiosk(kiosk);
    let about = kiosk.about(&id("R-0042"))?;
    let procedure = kiosk.procedure(&id(person), &about)?;
    kiosk.sign_read(&id(person), &procedure, 240).map(|entry| entry.id())
}

#[test]
fn s6_a_day_pass_stands_for_the_badge_at_every_kiosk_that_holds_it_and_the_secret_is_asked_first() {
    let mut plant = sunday_evening();
    assert!(matches!(plant.kiosk("K3").enter_by_pass(&kiosk_signer("maria")), Err(Denied::NoSession)), "she has none");
    let pass = give(&mut plant, "K3", "maria", "jonas").id();
    assert_eq!((holders(&mut plant, "K3"), holders(&mut plant, "K5")), (vec!["maria".to_owned()], vec![]), "dark");
    assert!(matches!(plant.kiosk("K5").enter_by_pass(&kiosk_signer("maria")), Err(Denied::NoSession)));

    let wrong = Signer { person: id("maria"), secret: "somebody guesses".into() };
    assert!(matches!(plant.kiosk("K3").enter_by_pass(&wrong), Err(Denied::WrongSecret { .. })));
    assert_eq!(plant.kiosk("K3").person(), None);
    let seen = |plant: &mut Plant, kind: &str| {
        questions::entries_of_kind(plant.kiosk("K3").ledger().connection(), "person:maria", kind).unwrap()
    };
    assert!(seen(&mut plant, "badge_in").is_empty(), "nothing says that she was here");

    plant.kiosk("K3").enter_by_pass(&kiosk_signer("maria")).unwrap();
    let came = seen(&mut plant, "badge_in").pop().unwrap().statement().unwrap().unwrap().body;
    assert!(matches!(came, Body::BadgeIn(came) if came.day_pass));
    assert_eq!(ask(&mut plant, "K3", "maria").unwrap(), Answer::Go);
    let read_there = read(&mut plant, "K3", "maria").unwrap();
    let quiz = {
        let kiosk = plant.kiosk("K3");
        let about = kiosk.about(&id("R-0042")).unwrap();
        let open = kiosk.open_quiz(&id("maria"), &about).unwrap();
        kiosk.sign_quiz(&id("maria"), right_answers(&open)).unwrap().entry
    };
    for entry in [&read_there, &quiz] {
        let entry = store::shelf::entry(plant.kiosk("K3").ledger().connection(), entry).unwrap().unwrap();
        assert_eq!(entry.blocks()[0].credential, Some(Credential::DayPass(pass)));
    }

    plant.settle();
    plant.kiosk("K5").enter_by_pass(&kiosk_signer("maria")).unwrap();
    for kiosk in ["K3", "K5"] {
        assert!(verdict(&mut plant, kiosk, &read_there).is_effective(), "{kiosk}");
        assert!(verdict(&mut plant, kiosk, &quiz).is_effective(), "{kiosk}");
    }
    // Her badge turns up: it opens a session of its own, and the pass stays what it is.
    plant.kiosk("K3").badge_in(&id("maria")).unwrap();
    plant.kiosk("K3").unlock_session(&kiosk_signer("maria")).unwrap();
    let by_badge = read(&mut plant, "K3", "maria").unwrap();
    let by_badge = store::shelf::entry(plant.kiosk("K3").ledger().connection(), &by_badge).unwrap().unwrap();
    assert!(matches!(by_badge.blocks()[0].credential, Some(Credential::Badge(_))));
    assert_eq!(holders(&mut plant, "K3"), ["maria"]);
    plant.settle();
    plant.verify();
}

#[test]
fn s13_a_day_pass_gives_no_word_in_what_is_anothers() {
    let mut plant = sunday_evening();
    // Eva leads line 3; by a pass of hers Jonas, who leads line 2, comes to his own kiosk.
    give(&mut plant, "K5", "jonas", "eva");
    plant.settle();
    let kiosk = plant.kiosk("K3");
    kiosk.enter_by_pass(&kiosk_signer("jonas")).unwrap();
    let (jonas, maria): (PersonId, PersonId) = (id("jonas"), id("maria"));
    let (task, lot) = (id("seal-pouch"), id("881"));
    let about = kiosk.about(&id("R-0042")).unwrap();
    let refused = [
        ("carries with a stick", kiosk.may_carry(&jonas)),
        ("carries after all", kiosk.carry(&jonas, Way::ToStick).map(drop)),
        ("gives a pass", kiosk.may_give_pass(&jonas, &maria)),
        ("gives it after all", kiosk.give_day_pass(&maria, SIGHT, None, &kiosk_signer("jonas")).map(drop)),
        ("reports another's badge", kiosk.may_report_lost(&jonas, &maria)),
        ("lifts a lockout", kiosk.lift_lockout(&maria, "mistyped", &kiosk_signer("jonas")).map(drop)),
        ("verifies an identity", kiosk.may_verify(&jonas, &maria)),
        ("coaches", kiosk.may_coach(&jonas, &maria)),
        ("assesses", kiosk.may_assess(&jonas, &maria, &about)),
        ("co-signs", kiosk.may_co_sign(&jonas, Start { person: &maria, task: &task, lot: Some(&lot) })),
        ("confirms a trainee", kiosk.confirm_trainer(&ActId([1; 16]), &jonas, None)),
    ];
    for (what, came) in refused {
        assert!(matches!(came, Err(Denied::ByDayPass)), "{what}: {came:?}");
    }
    read(&mut plant, "K3", "jonas").expect("his own record is his");
    plant.settle();
    plant.verify();
    // With his badge he is a supervisor again, at once.
    plant.kiosk("K3").badge_in(&jonas).unwrap();
    plant.kiosk("K3").may_give_pass(&jonas, &maria).unwrap();
}

#[test]
fn s13_a_pass_is_given_by_who_leads_never_for_oneself_and_only_to_who_may_work_and_sign_here() {
    let mut plant = sunday_evening();
    let given = |plant: &mut Plant, person: &str, by: &str| {
        plant.kiosk("K3").give_day_pass(&id(person), SIGHT, None, &kiosk_signer(by)).map(drop)
    };
    assert!(matches!(given(&mut plant, "jonas", "jonas"), Err(Denied::SamePerson)));
    assert!(matches!(given(&mut plant, "maria", "ana"), Err(Denied::NoAuthority { .. })), "an operator");
    assert!(matches!(given(&mut plant, "maria", "eva"), Err(Denied::NoAuthority { .. })), "she leads another line");
    assert!(matches!(given(&mut plant, "noemi", "jonas"), Err(Denied::NoPass(NoPass::NoSecret))));
    let silent = plant.kiosk("K3").give_day_pass(&id("maria"), " ", None, &kiosk_signer("jonas"));
    assert!(matches!(silent, Err(Denied::NoIdentityProof)));
    for _ in 0..10 {
        let wrong = Signer { person: id("ben"), secret: "somebody guesses".into() };
        assert!(plant.kiosk("K3").unlock(&wrong).is_err());
        plant.clock.advance_ms(HOUR_MS);
    }
    assert!(matches!(given(&mut plant, "ben", "jonas"), Err(Denied::NoPass(NoPass::LockedOut))));
    import_with(
        &plant,
        "people.csv",
        "ana,Ana Márquez,SITE1,en,04B7D019,,2021-05-03,",
        "ana,Ana Márquez,SITE1,en,04B7D019,,2021-05-03,2026-02-01",
    );
    plant.settle();
    assert!(matches!(given(&mut plant, "ana", "jonas"), Err(Denied::NoPass(NoPass::Inactive))));
    assert_eq!(holders(&mut plant, "K3"), Vec::<String>::new());
}

#[test]
fn s13_a_pass_ends_with_the_shift_and_never_after_twelve_hours() {
    let mut plant = sunday_evening();
    let now = plant.clock.now();
    assert_eq!(until_of(&give(&mut plant, "K3", "maria", "jonas")), now.plus_ms(12 * HOUR_MS), "no shift of hers runs");
    plant.clock.set("2026-03-02T06:00:00Z");
    // Seven in the morning at the site; the early shift ends at fourteen hours.
    assert_eq!(until_of(&give(&mut plant, "K3", "maria", "jonas")), at("2026-03-02T13:00:00Z"));
    let long = plant.clock.now().plus_ms(100 * HOUR_MS);
    let asked = plant.kiosk("K3").give_day_pass(&id("maria"), SIGHT, Some(long), &kiosk_signer("jonas")).unwrap();
    assert_eq!(until_of(&asked), plant.clock.now().plus_ms(12 * HOUR_MS));
    // Of two the later end counts.
    assert_eq!(plant.kiosk("K3").pass_holders().unwrap()[0].until, until_of(&asked));
}

#[test]
fn s13_a_setting_shortens_a_pass_and_never_lengthens_it() {
    let shortest = |hours| SessionPolicy { day_pass_max_hours: Some(hours), ..SessionPolicy::default() };
    assert_eq!([0, 4, 12, 99].map(|hours| shortest(hours).longest_day_pass_hours()), [0, 4, 12, 12]);
    let folder = tempfile::tempdir().unwrap();
    copy_folder(&demo_plant(), folder.path());
    let policies = folder.path().join("policies.toml");
    let text = fs::read_to_string(&policies).unwrap();
    let with = |hours: u32| text.replace("day_pass_max_hours = 12", &format!("day_pass_max_hours = {hours}"));
    assert_ne!(with(4), text);
    fs::write(&policies, with(99)).unwrap();
    assert!(sync_server::import::read(folder.path()).is_err(), "longer than twelve hours is refused");
    fs::write(&policies, with(4)).unwrap();
    let mut plant = Plant::from_folder(folder.path(), "2026-03-01T18:00:00Z");
    plant.set_up_signing(&["helga", "jonas", "maria"]);
    plant.add_kiosk("K3", &["SEAL"]);
    assert_eq!(until_of(&give(&mut plant, "K3", "maria", "jonas")), at("2026-03-01T22:00:00Z"));
    fs::write(&policies, with(0)).unwrap();
    plant.server.import(folder.path(), false, "hr").unwrap();
    plant.server.accept_import(None, &signer("helga"), "no passes here").unwrap();
    plant.settle();
    let none = plant.kiosk("K3").give_day_pass(&id("maria"), SIGHT, None, &kiosk_signer("jonas"));
    assert!(matches!(none, Err(Denied::NoPass(NoPass::RuledOut))), "{none:?}");
}

#[test]
fn s13_what_was_signed_by_a_pass_counts_as_the_giver_had_the_right_whatever_arrives_first() {
    for pass_first in [true, false] {
        let mut plant = sunday_evening();
        plant.clock.set("2026-03-01T18:30:00Z");
        give(&mut plant, "K3", "maria", "jonas");
        // Kiosk 5 hears of the pass by stick, and writes what she signs there; the server hears of either first.
        let bundle = plant.path("K3.lineproof");
        kiosk::bundle_file::export(plant.kiosk("K3"), &bundle).unwrap();
        kiosk::bundle_file::import(plant.kiosk("K5"), &bundle).unwrap();
        plant.kiosk("K5").enter_by_pass(&kiosk_signer("maria")).unwrap();
        let signed = read(&mut plant, "K5", "maria").unwrap();
        assert!(verdict(&mut plant, "K5", &signed).is_effective(), "by what it could know");
        withdraw_jonas(&plant);
        for name in if pass_first { ["K3", "K5"] } else { ["K5", "K3"] } {
            plant.meet(name);
        }
        assert_eq!(plant.kiosk("K5").person(), None, "the session ends when its pass is known to be void");
        assert!(matches!(ask(&mut plant, "K5", "maria"), Err(Denied::NoSession)));
        plant.settle();
        for kiosk in ["K3", "K5"] {
            assert_eq!(verdict(&mut plant, kiosk, &signed), Verdict::OnHold(Doubt::DayPass), "{kiosk}");
            assert_eq!(holders(&mut plant, kiosk), Vec::<String>::new());
        }
        plant.verify();
        plant.server.rule(&id("maria"), pass_first, "the shift leader was asked", &signer("helga")).unwrap();
        plant.settle();
        assert_eq!(verdict(&mut plant, "K3", &signed).is_effective(), pass_first);
        assert_eq!(holders(&mut plant, "K5").len(), usize::from(pass_first), "a pass that was ruled good is good");
        plant.verify();
    }
}

/// A precondition of a start by day pass, taken away while the session is open.
type Row = (&'static str, fn(&mut Plant));

const CLOSES: &[Row] = &[
    ("its time is over", |plant| plant.clock.set("2026-03-02T06:00:00Z")),
    ("its time may be over, by the clock's upper end", |plant| {
        // A clock that the machine puts forward isn't believed, and not disbelieved either.
        plant.clock.set_machines_ahead(30 * 24 * HOUR_MS);
    }),
    ("who gave it had no right to", |plant| {
        withdraw_jonas(plant);
        plant.settle();
    }),
    ("its person has left", |plant| {
        let row = "maria,Maria Lindner,SITE1,en,04A1B2C3,,2019-09-02,";
        import_with(plant, "people.csv", row, &format!("{row}2026-02-01"));
        plant.settle();
    }),
];

#[test]
fn r21_a_start_by_day_pass_closes_with_each_of_its_preconditions() {
    for (what, take_away) in CLOSES {
        let mut plant = sunday_evening();
        give(&mut plant, "K3", "maria", "jonas");
        plant.kiosk("K3").enter_by_pass(&kiosk_signer("maria")).unwrap();
        assert_eq!(ask(&mut plant, "K3", "maria").unwrap(), Answer::Go);
        take_away(&mut plant);
        let came = ask(&mut plant, "K3", "maria");
        assert!(matches!(came, Err(Denied::NoSession)), "{what}: {came:?}");
        assert!(matches!(read(&mut plant, "K3", "maria"), Err(Denied::NoSession)), "{what}: nothing is signed");
        let again = plant.kiosk("K3").enter_by_pass(&kiosk_signer("maria"));
        assert!(matches!(again, Err(Denied::NoSession)), "{what}: {again:?}");
        plant.kiosk("K3").end_overdue_sessions().unwrap();
        assert_eq!(plant.kiosk("K3").person(), None, "{what}");
    }
}

#[test]
fn s13_a_clock_that_stands_before_the_pass_was_given_lets_nobody_in() {
    let mut plant = sunday_evening();
    give(&mut plant, "K3", "maria", "jonas");
    plant.settle();
    plant.stop("K5");
    plant.clock.set("2026-02-27T18:00:00Z");
    plant.start("K5");
    let early = plant.kiosk("K5").enter_by_pass(&kiosk_signer("maria"));
    assert!(matches!(early, Err(Denied::NoSession)), "{early:?}");
}

/// An enrolled terminal writes in its own name what it likes.
#[test]
fn s13_passes_that_count_for_nothing_hide_none_that_does() {
    let mut plant = sunday_evening();
    give(&mut plant, "K3", "maria", "jonas");
    let hostile = passes_nobody_signed(&mut plant, "K5", 2_600);
    plant.kiosk("K3").take_gift(&hostile).unwrap();
    let count = "SELECT count(*) FROM entry WHERE kind = 'day_pass'";
    let held: i64 = plant.kiosk("K3").ledger().connection().query_row(count, [], |row| row.get(0)).unwrap();
    assert_eq!(held, 2_601);
    for _ in 0..2 {
        assert_eq!(holders(&mut plant, "K3"), ["maria"]);
        plant.restart("K3");
    }
}

/// Of a terminal's own key, in a log of its own.
fn passes_nobody_signed(plant: &mut Plant, kiosk: &str, count: u64) -> Vec<u8> {
    let enrolled = plant.kiosk(kiosk).enrolled().unwrap();
    let (secret, enrolment) = (enrolled.secret.clone(), enrolled.enrolment.clone());
    let (clock, site) = (ClockReading::exact(plant.clock.now()), id("SITE1"));
    let log = LogId { device: secret.key(), incarnation: Incarnation([9; 16]), stream: Stream::record(&site) };
    let mut entries: Vec<Entry> = Vec::new();
    for counter in 1..=count {
        let body = DayPass { until: clock.wall.plus_ms(HOUR_MS), identification: SIGHT.into() };
        let statement = Statement { act: ActId(u128::from(counter).to_be_bytes()), body: body.into() };
        let hybrid = HybridTime { ms: clock.wall.0, tick: u32::try_from(counter).unwrap() };
        let prev = entries.last().map(Entry::id);
        let position = Position { log: log.clone(), counter, prev, hybrid, clock, plant: Vec::new() };
        entries.push(seal(&Draft::new(Subject::new("person", "ben"), statement), &position, &secret).unwrap());
    }
    let entries = entries.iter().map(|entry| entry.bytes().to_vec().into()).collect();
    Give { enrolments: vec![enrolment.into()], entries, more: false }.to_bytes()
}
