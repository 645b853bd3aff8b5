//! Mutants of gate and record over real stores. In each scenario a plain account of what really happened says whether the person may start; the
//! kiosk's own answer and a second reading of its entries agree with it, and the reading with one rule taken away does not: it is caught.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use harness::reading::{Machine, Mutant, Reading};
use harness::scene::*;
use harness::{Plant, VirtualClock, kiosk_signer, signer};
use kiosk::clock::Environment;
use kiosk::core::secret::Signer;
use kiosk::core::{Core as Kiosk, Denied};
use kiosk::key_store::FileKeyStore;
use shared::id::*;
use shared::kind::record::{CriterionResult, Outcome};
use shared::time::{HOUR_MS, Timestamp};
use shared::training::Answer;

/// What really happened, as far as it bears on sealing pouches. Told by whoever plays the scenario, and read without knowing the product.
#[derive(Debug, Clone, Default)]
struct Account {
    /// The version that counts, by its number; none after it was withdrawn.
    version_in_force: Option<u32>,
    /// The version on which everything was done that is asked.
    trained_on: Option<u32>,
    /// Whether somebody signed a pass, and somebody else a failure without knowing of it.
    contradicted: bool,
    /// Whether the one who signed had lost the right to before, and nobody ruled on it.
    signed_without_right: bool,
    /// Wrong secrets since the last right one, wherever.
    wrong_secrets: u32,
}

impl Account {
    fn may_start(&self) -> bool {
        let trained = self.version_in_force.is_some() && self.trained_on == self.version_in_force;
        trained && !self.contradicted && !self.signed_without_right && self.wrong_secrets < 10
    }
}

fn maria() -> PersonId {
    id("maria")
}

fn machine(plant: &Plant) -> Machine {
    Machine { wall: plant.clock.now(), restarted: Timestamp(0) }
}

/// Whether a reading lets Maria start.
fn starts(kiosk: &mut Kiosk, machine: Machine, mutant: Option<Mutant>) -> bool {
    let read = Reading::of(kiosk, &maria(), machine, mutant);
    read.start(&id("seal-pouch"), &id("SEAL"), &id("881")).answer == Answer::Go
}

/// Kiosk and reading answer as the account says; the mutant doesn't.
fn caught(kiosk: &mut Kiosk, account: &Account, machine: Machine, mutant: Mutant) {
    let decision = kiosk.ask(&maria(), &id("seal-pouch"), Some(&id("881"))).unwrap().decision;
    let may_start = account.may_start();
    assert_eq!(decision.answer == Answer::Go, may_start, "{account:?}: {:?}", decision.reasons);
    assert_eq!(starts(kiosk, machine, None), may_start, "the second reading: {account:?}");
    assert_ne!(starts(kiosk, machine, Some(mutant)), may_start, "{mutant:?} is not caught");
    println!("{mutant:?} caught: {account:?}");
}

/// Before anything of a scenario happened, no reading differs from another.
fn all_agree(plant: &mut Plant, name: &str) {
    let account = Account { version_in_force: Some(6), trained_on: Some(6), ..Account::default() };
    let machine = machine(plant);
    for mutant in [
        None,
        Some(Mutant::GateByWallClock),
        Some(Mutant::LastSignOffWins),
        Some(Mutant::NoAuthorityAtMerge),
        Some(Mutant::ForgetsFailuresOnRestart),
        Some(Mutant::CountsARunTwice),
        Some(Mutant::RevivesAnOlderVersion),
    ] {
        assert_eq!(starts(plant.kiosk(name), machine, mutant), account.may_start(), "{mutant:?}");
    }
}

/// Sunday evening; v7 is approved for Monday at six, and both kiosks know it.
fn before_v7() -> Plant {
    let mut plant = sunday_evening();
    all_agree(&mut plant, "K3");
    approve_v7(&plant.server);
    plant.settle();
    plant
}

const MONDAY: &str = "2026-03-02T05:10:00Z";

/// A machine whose wall clock somebody turns.
#[derive(Clone)]
struct Turned {
    clock: VirtualClock,
    ahead_ms: Arc<AtomicI64>,
}

impl Environment for Turned {
    fn wall(&self) -> Timestamp {
        Timestamp(self.clock.now().0 + self.ahead_ms.load(Ordering::SeqCst))
    }
    fn steady(&self) -> Timestamp {
        self.clock.now()
    }
    fn random(&self, bytes: &mut [u8]) {
        Environment::random(&self.clock, bytes);
    }
    fn free_bytes(&self, folder: &Path) -> Option<u64> {
        self.clock.free_bytes(folder)
    }
}

#[test]
fn safe2_a_gate_by_the_wall_clock_is_caught() {
    let mut plant = before_v7();
    plant.stop("K3");
    let machine = Turned { clock: plant.clock.clone(), ahead_ms: Arc::default() };
    let keys = FileKeyStore::open(&plant.path("K3-keys")).unwrap();
    let mut kiosk = Kiosk::open(&plant.path("K3"), Box::new(keys), Box::new(machine.clone())).unwrap();
    plant.clock.set(MONDAY);
    kiosk.reading();
    // v7 counts, and somebody turns the clock back into Sunday.
    machine.ahead_ms.store(-12 * HOUR_MS, Ordering::SeqCst);
    let account = Account { version_in_force: Some(7), trained_on: Some(6), ..Account::default() };
    let machine = Machine { wall: machine.wall(), restarted: Timestamp(0) };
    caught(&mut kiosk, &account, machine, Mutant::GateByWallClock);
}

fn sign_check(kiosk: &mut Kiosk, outcome: Outcome, assessor: &str) {
    let about = kiosk.about(&id("R-0042")).unwrap();
    let mut results = passed(&kiosk.check_of(&about).unwrap());
    if outcome == Outcome::Failed {
        results[0] = CriterionResult { passed: false, ..results[0].clone() };
    }
    let signers = (&kiosk_signer("maria"), &kiosk_signer(assessor));
    kiosk.sign_check(&maria(), &about, results, outcome, signers).unwrap();
}

#[test]
fn u8_a_sign_off_by_whoever_comes_last_is_caught() {
    let mut plant = before_v7();
    plant.clock.set(MONDAY);
    train_until_the_check(plant.kiosk("K3"), "maria", "jonas");
    plant.settle();
    // Neither kiosk hears of the other: a failure here, a later pass there.
    sign_check(plant.kiosk("K3"), Outcome::Failed, "jonas");
    plant.clock.forward_minutes(5);
    plant.kiosk("K5").badge_in(&maria()).unwrap();
    sign_check(plant.kiosk("K5"), Outcome::Passed, "eva");
    plant.settle();
    let account = Account { version_in_force: Some(7), trained_on: Some(7), contradicted: true, ..Account::default() };
    let machine = machine(&plant);
    caught(plant.kiosk("K3"), &account, machine, Mutant::LastSignOffWins);
    plant.verify();
}

#[test]
fn u8_a_failure_and_then_a_pass_that_knows_of_it_is_a_pass_for_every_reading() {
    let mut plant = before_v7();
    plant.clock.set(MONDAY);
    train_until_the_check(plant.kiosk("K3"), "maria", "jonas");
    sign_check(plant.kiosk("K3"), Outcome::Failed, "jonas");
    plant.settle();
    plant.clock.forward_minutes(5);
    plant.kiosk("K5").badge_in(&maria()).unwrap();
    sign_check(plant.kiosk("K5"), Outcome::Passed, "eva");
    plant.settle();
    let account = Account { version_in_force: Some(7), trained_on: Some(7), ..Account::default() };
    let machine = machine(&plant);
    for name in ["K3", "K5"] {
        assert_eq!(starts(plant.kiosk(name), machine, None), account.may_start(), "{name}");
    }
}

#[test]
fn safe6_a_merge_without_authority_is_caught() {
    let mut plant = before_v7();
    plant.clock.set("2026-03-01T22:00:00Z");
    plant.server.withdraw_assessor(&id("jonas"), &id("R-0042"), "conflict of interest", &signer("helga")).unwrap();
    plant.clock.set(MONDAY);
    train(&mut plant, "K3", "maria", "jonas");
    plant.settle();
    let account =
        Account { version_in_force: Some(7), trained_on: Some(7), signed_without_right: true, ..Account::default() };
    let machine = machine(&plant);
    caught(plant.kiosk("K3"), &account, machine, Mutant::NoAuthorityAtMerge);
}

#[test]
fn a14_an_older_version_that_comes_back_is_caught() {
    let mut plant = before_v7();
    plant.clock.set("2026-03-02T05:30:00Z");
    plant.server.withdraw_version(&id("SOP-0042"), &id("v7"), "wrong seal window", &signer("helga")).unwrap();
    plant.settle();
    let account = Account { version_in_force: None, trained_on: Some(6), ..Account::default() };
    let machine = machine(&plant);
    caught(plant.kiosk("K3"), &account, machine, Mutant::RevivesAnOlderVersion);
}

/// A storm of wrong secrets at three kiosks at once, none of which hears of the others; each is switched off and on between.
#[test]
fn r15_a_storm_at_three_kiosks_is_counted_together_and_forgetting_it_on_restart_is_caught() {
    let mut plant = sunday_evening();
    plant.add_kiosk("K7", &["SEAL"]);
    all_agree(&mut plant, "K3");
    let wrong = Signer { person: maria(), secret: "not the secret".into() };
    let mut account = Account { version_in_force: Some(6), trained_on: Some(6), ..Account::default() };
    for _ in 0..4 {
        plant.clock.advance_ms(2 * HOUR_MS);
        for name in ["K3", "K5", "K7"] {
            let refused = plant.kiosk(name).unlock(&wrong);
            assert!(matches!(refused, Err(Denied::WrongSecret { .. })), "{:?}", refused.err());
            plant.restart(name);
            account.wrong_secrets += 1;
        }
    }
    let here = machine(&plant);
    assert!(starts(plant.kiosk("K7"), here, None), "four are few, and the others' are not known here");
    plant.clock.advance_ms(1000);
    let restarted = plant.clock.now();
    plant.restart("K3");
    plant.settle();
    let machine = Machine { wall: plant.clock.now(), restarted };
    caught(plant.kiosk("K3"), &account, machine, Mutant::ForgetsFailuresOnRestart);
    for name in ["K3", "K5", "K7"] {
        assert!(matches!(plant.kiosk(name).unlock(&kiosk_signer("maria")), Err(Denied::LockedOut)), "{name}");
    }
    plant.verify();
}

#[test]
fn u14_a_run_that_counts_twice_when_it_comes_twice_is_caught() {
    let mut plant = sunday_evening();
    let (henning, requirement): (PersonId, RequirementId) = (id("henning"), id("R-0043"));
    let kiosk = plant.kiosk("K3");
    let about = kiosk.about(&requirement).unwrap();
    kiosk.badge_in(&henning).unwrap();
    kiosk.unlock_session(&kiosk_signer("henning")).unwrap();
    let procedure = kiosk.procedure(&henning, &about).unwrap();
    kiosk.sign_read(&henning, &procedure, 240).unwrap();
    let signers = (&kiosk_signer("henning"), &kiosk_signer("eva"));
    kiosk.sign_run(&henning, &about, Outcome::Passed, None, "first run", signers).unwrap();
    let done = 1;
    // The answers are lost: the same call comes three times, and the run once more by way of the other kiosk.
    kiosk.call_soon();
    let up = kiosk.poll_up().unwrap().unwrap();
    for _ in 0..3 {
        plant.server.exchange(&up).unwrap();
    }
    plant.settle();
    let machine = machine(&plant);
    for name in ["K3", "K5"] {
        let mut runs = |mutant| Reading::of(plant.kiosk(name), &henning, machine, mutant).runs(&requirement);
        assert_eq!(runs(None), done, "{name}");
        assert_eq!(runs(Some(Mutant::CountsARunTwice)), 2 * done, "not caught at {name}");
    }
    let standing = plant.kiosk("K3").standing_of(&henning, &id("peel-test")).unwrap();
    let state = standing.iter().find(|state| state.requirement == requirement).unwrap();
    let run = state.activities.iter().find(|activity| activity.need == 2).unwrap();
    assert_eq!((run.have, run.held), (done, false), "the kiosk's own count");
}
