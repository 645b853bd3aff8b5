//! Document control becomes training: what an approval demands, makes and stops.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use harness::{Plant, at, kiosk_signer, signer};
use kiosk::core::Denied;
use kiosk::core::status::Line;
use kiosk::runtime::{Carrier, NotExchanged, exchange_until_quiet};
use kiosk::sync_driver::NoAnswer;
use shared::id::*;
use shared::kind::plant::Impact;
use shared::kind::record::Outcome;
use shared::training::{Answer, GateDecision, Reason};
use sync_server::core::approve::Approval;
use sync_server::core::people::Signer;

use harness::scene::*;

fn ask(plant: &mut Plant, person: &str) -> GateDecision {
    plant.kiosk("K3").ask(&id(person), &id("seal-pouch"), Some(&id("881"))).unwrap().decision
}

/// Everybody whose job function the matrix maps to the requirement, now.
fn concerned(plant: &Plant, requirement: &RequirementId) -> Vec<PersonId> {
    let (known, now) = (plant.server.plant(), plant.clock.now());
    let concerns = |person: &&PersonId| {
        known.is_active(person, now)
            && known
                .classes_of(person, now)
                .any(|class| known.matrix.get(class).is_some_and(|set| set.contains(requirement)))
    };
    known.people.keys().filter(concerns).cloned().collect()
}

#[test]
fn a1_a2_a3_a5_an_approval_makes_every_obligation_in_its_own_transaction_before_it_counts() {
    let plant = sunday_evening();
    let (document, requirement): (DocumentId, RequirementId) = (id("SOP-0042"), id("R-0042"));
    let before = plant.server.plant().requirements_of[&document].clone();
    approve_v7(&plant.server);
    let known = plant.server.plant();
    assert_eq!(known.requirements_of[&document], before, "the link survives the revision (A1)");
    let people = concerned(&plant, &requirement);
    assert!(people.len() > 5, "the scenario concerns somebody");
    let effective = at("2026-03-02T05:00:00Z");
    assert!(plant.clock.now() < effective, "before it counts (A5)");
    for person in people {
        let page = plant.server.person_page(&person).unwrap().unwrap();
        let line = page.requirements.iter().find(|line| line.state.requirement == requirement).unwrap();
        let owed = line.owed.iter().find(|owed| owed.version == Some(id("v7")));
        let owed = owed.unwrap_or_else(|| panic!("{person} owes nothing"));
        let draft = known.documents[&document].draft(&id("v7")).unwrap();
        assert!(draft.contents.iter().any(|content| Some(content.hash) == owed.content), "its content's hash (A3)");
        assert_eq!((owed.effective_from, &owed.impact), (Some(effective), &Some(Impact::Full)));
        assert!(owed.due_date > plant.clock.now() && !owed.overdue);
    }
}

#[test]
fn c4_a6_r6_nobody_starts_before_all_that_is_asked_is_done_and_in_its_order() {
    let mut plant = sunday_evening();
    approve_v7(&plant.server);
    plant.settle();
    plant.clock.set("2026-03-02T05:20:00Z");
    let (maria, about) = (id("maria"), plant.kiosk("K3").about(&id("R-0042")).unwrap());
    let signers = (&kiosk_signer("maria"), &kiosk_signer("jonas"));
    plant.kiosk("K3").badge_in(&maria).unwrap();
    plant.kiosk("K3").unlock_session(signers.0).unwrap();
    assert_eq!(ask(&mut plant, "maria").answer, Answer::NoGo);

    assert!(matches!(plant.kiosk("K3").open_quiz(&maria, &about), Err(Denied::OutOfOrder)));
    let procedure = plant.kiosk("K3").procedure(&maria, &about).unwrap();
    plant.kiosk("K3").sign_read(&maria, &procedure, 240).unwrap();
    assert_eq!(ask(&mut plant, "maria").answer, Answer::NoGo, "read alone");

    let early = plant.kiosk("K3").sign_run(&maria, &about, Outcome::Passed, None, "too early", signers);
    assert!(matches!(early, Err(Denied::OutOfOrder)));
    let open = plant.kiosk("K3").open_quiz(&maria, &about).unwrap();
    assert!(plant.kiosk("K3").sign_quiz(&maria, right_answers(&open)).unwrap().passed);
    assert_eq!(ask(&mut plant, "maria").answer, Answer::NoGo, "read and quiz");

    let results = all_passed(&mut plant);
    let early = plant.kiosk("K3").sign_check(&maria, &about, results, Outcome::Passed, signers);
    assert!(matches!(early, Err(Denied::OutOfOrder)));
    plant.kiosk("K3").sign_run(&maria, &about, Outcome::Passed, None, "first run", signers).unwrap();
    assert_eq!(ask(&mut plant, "maria").answer, Answer::NoGo, "everything but the check");

    let results = all_passed(&mut plant);
    plant.kiosk("K3").sign_check(&maria, &about, results, Outcome::Passed, signers).unwrap();
    let decision = ask(&mut plant, "maria");
    assert_eq!(decision.answer, Answer::Go, "{:?}", decision.reasons);
}

fn all_passed(plant: &mut Plant) -> Vec<shared::kind::record::CriterionResult> {
    let kiosk = plant.kiosk("K3");
    let about = kiosk.about(&id("R-0042")).unwrap();
    passed(&kiosk.check_of(&about).unwrap())
}

#[test]
fn a9_l1_the_version_that_is_presented_flips_at_the_instant() {
    let mut plant = sunday_evening();
    approve_v7(&plant.server);
    plant.settle();
    let shown = |plant: &mut Plant| plant.kiosk("K3").about(&id("R-0042")).unwrap().version.unwrap();
    plant.clock.set("2026-03-02T04:59:50Z");
    assert_eq!(shown(&mut plant), id("v6"));
    plant.clock.set("2026-03-02T05:00:00Z");
    assert_eq!(shown(&mut plant), id("v7"));
    let about = plant.kiosk("K3").about(&id("R-0042")).unwrap();
    let procedure = plant.kiosk("K3").procedure(&id("maria"), &about).unwrap();
    assert_eq!(procedure.digest, Digest32::of(&procedure.bytes), "the bytes that were approved");
}

#[test]
fn a12_no_version_counts_without_author_reviewer_and_quality_and_its_change_control() {
    let plant = sunday_evening();
    let (document, version): (DocumentId, VersionId) = (id("SOP-0042"), id("v7"));
    let server = &plant.server;
    let approve = |who: &str| server.approve_version(&document, &version, &monday_at_six(), &signer(who), None);
    assert!(approve("helga").is_err(), "nothing was drafted");
    let kept = server.blobs.all().unwrap().len();
    let wrong = Signer { secret: "not the secret".into(), ..signer("lukas") };
    for (change, author) in [(" ", &signer("lukas")), ("CC-1", &wrong)] {
        assert!(server.draft_version(&document, &version, &v7_contents(), None, change, author).is_err());
    }
    assert_eq!(server.blobs.all().unwrap().len(), kept, "nothing is kept of whoever only knows a name");
    assert!(server.draft_version(&document, &version, &v7_contents(), None, "CC-1", &signer("maria")).is_err());
    draft_v7(&plant.server);
    assert!(approve("helga").is_err(), "nobody reviewed it");
    assert!(
        server.review_version(&document, &version, &signer("lukas")).is_err(),
        "the author reviews nothing of theirs"
    );
    server.review_version(&document, &version, &signer("henning")).unwrap();
    assert!(approve("lukas").is_err(), "the author approves nothing of theirs");
    assert!(approve("maria").is_err(), "without the right");
    let early = Approval { effective_from: at("2026-02-28T05:00:00Z"), ..monday_at_six() };
    assert!(server.approve_version(&document, &version, &early, &signer("helga"), None).is_err(), "never back in time");
    approve("helga").unwrap();
    let known = server.plant();
    let draft = known.documents[&document].draft(&version).unwrap();
    assert_eq!(draft.change_control.as_deref(), Some("CC-2026-014"));
}

#[test]
fn a14_withdrawn_without_a_successor_the_task_stops_and_the_older_version_stays_away() {
    let mut plant = sunday_evening();
    approve_v7(&plant.server);
    plant.clock.set("2026-03-02T05:30:00Z");
    let entry =
        plant.server.withdraw_version(&id("SOP-0042"), &id("v7"), "wrong seal window", &signer("helga")).unwrap();
    let body = entry.statement().unwrap().unwrap().body;
    let shared::kind::Body::VersionWithdrawn(withdrawn) = body else { panic!("another kind") };
    assert!(withdrawn.tasks.contains(&id("seal-pouch")), "it is stated which tasks stop");
    plant.settle();
    let decision = ask(&mut plant, "maria");
    assert_eq!(decision.answer, Answer::NoGo, "trained on v6, and v6 does not come back");
    assert!(decision.reasons.iter().any(|reason| matches!(reason, Reason::NoVersionInForce { .. })));
}

/// A line that breaks once the answer to a call has come.
struct Breaking<'a> {
    server: &'a sync_server::core::Core,
    asked: AtomicUsize,
}

impl Carrier for Breaking<'_> {
    async fn exchange(&self, up: &[u8]) -> Result<Vec<u8>, NoAnswer> {
        self.server.exchange(up).map_err(|why| NoAnswer::Refused(why.to_string()))
    }
    async fn blob(&self, _: &Digest32) -> Result<Vec<u8>, NoAnswer> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        Err(NoAnswer::Offline("the cable is out".into()))
    }
    async fn lacking(&self) -> Result<Vec<Digest32>, NoAnswer> {
        Ok(Vec::new())
    }
    async fn give_blob(&self, _: &Digest32, _: Vec<u8>) -> Result<(), NoAnswer> {
        Ok(())
    }
}

#[test]
fn k4_a_line_that_breaks_among_the_contents_is_offline_at_once() {
    let mut plant = sunday_evening();
    plant.settle();
    approve_v7(&plant.server);
    let mut kiosk = plant.take("K3");
    kiosk.call_soon();
    let kiosk = Mutex::new(kiosk);
    let line = Breaking { server: &plant.server, asked: AtomicUsize::new(0) };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let outcome = runtime.block_on(exchange_until_quiet(&kiosk, &line));
    assert!(matches!(outcome, Err(NotExchanged::NoAnswer(NoAnswer::Offline(_)))), "{outcome:?}");
    assert_eq!(line.asked.load(Ordering::SeqCst), 1, "the others are not waited for one by one");
    let waiting = runtime.block_on(exchange_until_quiet(&kiosk, &line)).unwrap();
    assert_eq!(line.asked.load(Ordering::SeqCst), 1, "nothing is asked for before the next call has gone well");
    let mut kiosk = kiosk.into_inner().unwrap();
    assert!(kiosk.missing_blobs().len() > 1, "there were others");
    assert_eq!(waiting.blobs_lacking, kiosk.missing_blobs().len());
    assert_eq!(kiosk.status().unwrap().line, Line::Offline);
    plant.server.revoke_kiosk(&id("K3"), "stolen", None).unwrap();
    harness::meet(&mut kiosk, &plant.server).unwrap();
    assert_eq!(kiosk.status().unwrap().line, Line::Online);
    assert!(!kiosk.missing_blobs().is_empty() && !kiosk.may_exchange_blobs(), "a revoked terminal would be given none");
}
