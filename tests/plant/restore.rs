//! The server is put back, in every order with what kiosks and people did since: nothing that anybody holds is lost, nothing is taken from an order
//! that contradicts what was witnessed, and everybody goes on.
//!
//! `LINEPROOF_ORDERS` says how many orders are tried, from `LINEPROOF_SEED` on; by default a few.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use harness::{Plant, kiosk_signer, replica, signer};
use shared::id::*;
use shared::part11::boxes::Stretching;
use shared::training::Answer;
use sim::rng::Rng;
use sync_server::core::escrow::Escrow;
use sync_server::core::{Core as Server, backup, restore};
use sync_server::tls::Authority;

use harness::scene::*;

/// How the server comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Return {
    /// By `restore`, from the backup.
    Restore,
    /// A snapshot of its folder is put in its place, and nobody says so.
    BehindItsBack,
    /// By `restore --empty`: nothing but the keys is left.
    Empty,
}

/// What happens between the backup and the loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deed {
    Enrol,
    Revoke,
    Approve,
    SignOff,
    Withdraw,
    Meet(&'static str),
    WorkOffline,
}

const DEEDS: [Deed; 8] = [
    Deed::Enrol,
    Deed::Revoke,
    Deed::Approve,
    Deed::SignOff,
    Deed::Withdraw,
    Deed::Meet("K3"),
    Deed::Meet("K4"),
    Deed::WorkOffline,
];

/// The plant of the story with a third kiosk, an administrator, and the server's keys in escrow.
struct Scene {
    plant: Plant,
    keys: Escrow,
    back_up: Option<PathBuf>,
    snapshot: Option<PathBuf>,
    kiosks: Vec<&'static str>,
    revoked: bool,
    approved: bool,
}

impl Scene {
    fn new() -> Self {
        let mut plant = sunday_evening();
        let (sven, helga) = (signer("sven"), signer("helga"));
        plant.server.set_up_signing(&sven.person, &sven.secret, "card", Some(&helga), Stretching::TESTS).unwrap();
        plant.add_kiosk("K4", &["SEAL"]);
        plant.settle();
        Authority::load_or_make(plant.server.folder()).unwrap();
        let file = plant.path("keys");
        Escrow::of_folder(plant.server.folder()).unwrap().write(&file).unwrap();
        let keys = Escrow::read(&file).unwrap();
        let kiosks = vec!["K3", "K5", "K4"];
        Self { plant, keys, back_up: None, snapshot: None, kiosks, revoked: false, approved: false }
    }

    /// Keeps both: a backup, and the folder as a snapshot has it.
    fn keep(&mut self) {
        let (file, snapshot) = (self.plant.path("sunday.backup"), self.plant.path("snapshot"));
        let server = &self.plant.server;
        let made = backup::make(server.folder(), &file, &server.secrets.device, server.now()).unwrap();
        assert!(made.verification.is_clean());
        copy_folder(server.folder(), &snapshot);
        (self.back_up, self.snapshot) = (Some(file), Some(snapshot));
    }

    fn put_back(&mut self, how: Return) {
        let (environment, folder) = (self.plant.clock.clone(), self.plant.path("server-anew"));
        match how {
            Return::Restore => {
                let file = self.back_up.as_ref().unwrap();
                restore::from_backup(file, &self.keys, &folder, &environment).unwrap();
            }
            Return::BehindItsBack => copy_folder(self.snapshot.as_ref().unwrap(), &folder),
            Return::Empty => {
                restore::from_nothing(&self.keys, &folder, &environment).unwrap();
            }
        }
        self.plant.server = Server::open(&folder, Arc::new(environment)).unwrap();
    }

    fn does(&mut self, deed: Deed) {
        self.plant.clock.advance_ms(60_000);
        match deed {
            Deed::Enrol if !self.kiosks.contains(&"K7") => {
                self.plant.add_kiosk("K7", &["SEAL"]);
                self.kiosks.push("K7");
                self.plant.kiosk("K7").badge_in(&id("ben")).unwrap();
            }
            Deed::Revoke if !self.revoked => {
                self.plant.kiosk("K5").badge_in(&id("ana")).unwrap();
                self.plant.server.revoke_kiosk(&id("K5"), "stolen", None).unwrap();
                self.revoked = true;
            }
            Deed::Approve if !self.approved => {
                approve_v7(&self.plant.server);
                self.approved = true;
            }
            // Signed on v6, which is in force until Monday.
            Deed::SignOff => {
                self.plant.kiosk("K4").badge_in(&id("maria")).unwrap();
                train_again(&mut self.plant, "K4", "maria", "jonas");
            }
            Deed::Withdraw => {
                let known = self.plant.server.plant();
                let now = self.plant.clock.now();
                if known.assessor_grants(&id("eva"), &id("R-0042")).any(|grant| grant.span.contains(now)) {
                    let helga = signer("helga");
                    self.plant.server.withdraw_assessor(&id("eva"), &id("R-0042"), "left the line", &helga).unwrap();
                }
            }
            Deed::Meet(kiosk) => self.plant.meet(kiosk),
            Deed::WorkOffline => {
                let lot: LotId = id("999");
                self.plant.kiosk("K3").ask(&id("maria"), &id("seal-pouch"), Some(&lot)).unwrap();
            }
            _ => {}
        }
    }

    /// Every entry that some kiosk holds; and those that only the lost server held are nobody's any more.
    fn held(&mut self) -> BTreeSet<EntryId> {
        let mut all = BTreeSet::new();
        for kiosk in self.kiosks.clone() {
            let looked = replica::look(self.plant.kiosk(kiosk).ledger().connection()).unwrap();
            assert_eq!(looked.findings, [""; 0], "{kiosk}");
            all.extend(looked.entries);
        }
        all
    }

    fn server_holds(&self) -> BTreeSet<EntryId> {
        let looked = replica::look(self.plant.server.ledger().connection()).unwrap();
        assert_eq!(looked.findings, [""; 0], "the server");
        looked.entries
    }

    fn meet(&mut self, order: &[&'static str]) {
        for kiosk in order {
            self.plant.clock.advance_ms(1_000);
            self.plant.meet(kiosk);
        }
    }

    fn sign(&mut self) -> bool {
        let Some(put_back) = self.plant.server.put_back().unwrap() else { return false };
        if put_back.may_sign.len() < 2 {
            return false;
        }
        self.plant.server.sign_recovery("the disk failed", [&signer("helga"), &signer("sven")]).unwrap();
        true
    }

    /// Everybody meets, and people sign when they are asked.
    fn heal(&mut self, rng: &mut Rng) {
        let mut order = self.kiosks.clone();
        for _ in 0..6 {
            rng.shuffle(&mut order);
            self.meet(&order);
            if self.plant.server.is_stopped().unwrap() {
                assert!(self.sign(), "two people are known who can sign");
            }
        }
        assert!(!self.plant.server.is_stopped().unwrap());
        if self.rule_on_forks() {
            self.meet(&order);
            self.meet(&order);
        }
    }

    /// Quality accepts every branch: both were written by this server, before and after it was put back.
    fn rule_on_forks(&mut self) -> bool {
        let branches = self.plant.server.branches().unwrap();
        for branch in &branches {
            assert_eq!(branch.accepted, None);
            self.plant.server.rule_on_branch(&branch.first, true, "written by us", &signer("helga")).unwrap();
        }
        let branches = self.plant.server.branches().unwrap();
        assert!(branches.iter().all(|branch| branch.accepted == Some(true)), "{branches:?}");
        !branches.is_empty()
    }

    /// What was promised, after healing: `held` is what kiosks held when the server was put back.
    fn check(&mut self, held: &BTreeSet<EntryId>, context: &str) {
        let at_server = self.server_holds();
        assert_eq!(held.difference(&at_server).count(), 0, "{context}: the server lacks what a kiosk held");
        self.plant.verify();
        let standing: BTreeMap<_, _> = self
            .plant
            .server
            .kiosk_lines(30)
            .unwrap()
            .into_iter()
            .map(|line| (line.name.to_string(), line.state))
            .collect();
        for kiosk in self.kiosks.clone() {
            assert!(standing.contains_key(kiosk), "{context}: the server doesn't know {kiosk}: {standing:?}");
            let status = self.plant.kiosk(kiosk).status().unwrap();
            assert!(!status.contradicted, "{context}: {kiosk} still contradicts");
            if self.revoked && kiosk == "K5" {
                // It gave all it holds, as the server's set shows; it takes nothing, so nothing is confirmed to it.
                continue;
            }
            assert_eq!(status.waiting(), 0, "{context}: {kiosk} still has something to give");
            let global = "SELECT e.id FROM entry e JOIN log l USING (log) WHERE l.stream = 'plant/global'";
            let of = |connection: &rusqlite::Connection| -> BTreeSet<[u8; 32]> {
                let mut statement = connection.prepare(global).unwrap();
                statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
            };
            let here = of(self.plant.kiosk(kiosk).ledger().connection());
            let there = of(self.plant.server.ledger().connection());
            assert_eq!(here.len(), there.len(), "{context}: {kiosk} and the server hold different plants");
        }
    }

    /// Both sides write, and what they write arrives and has effect.
    fn goes_on(&mut self, context: &str) {
        self.plant.kiosk("K3").badge_in(&id("maria")).unwrap();
        self.plant.kiosk("K3").unlock_session(&kiosk_signer("maria")).unwrap();
        let decision = self.plant.kiosk("K3").ask(&id("maria"), &id("seal-pouch"), Some(&id("1000"))).unwrap();
        assert_eq!(decision.decision.answer, Answer::Go, "{context}: {:?}", decision.decision.reasons);
        self.plant.server.withdraw_assessor(&id("jonas"), &id("R-0042"), "on leave", &signer("helga")).unwrap();
        self.plant.settle();
        assert!(self.server_holds().contains(&decision.entry), "{context}");
        for kiosk in ["K3", "K4"] {
            let now = self.plant.clock.now();
            let known = self.plant.kiosk(kiosk).plant().clone();
            let still = known.assessor_grants(&id("jonas"), &id("R-0042")).any(|grant| grant.span.contains(now));
            assert!(!still, "{context}: {kiosk} has not heard of what the server wrote");
        }
        self.plant.verify();
    }
}

/// One more check by an assessor, on the version in force.
fn train_again(plant: &mut Plant, kiosk: &str, person: &str, assessor: &str) {
    let kiosk = plant.kiosk(kiosk);
    let who: PersonId = id(person);
    kiosk.unlock_session(&kiosk_signer(person)).unwrap();
    let about = kiosk.about(&id("R-0042")).unwrap();
    let results = passed(&kiosk.check_of(&about).unwrap());
    let signers = (&kiosk_signer(person), &kiosk_signer(assessor));
    kiosk.sign_check(&who, &about, results, shared::kind::record::Outcome::Passed, signers).unwrap();
}

/// All deeds in one order, the loss after them, and the way back.
fn after_everything(how: Return, sign_first: bool, qa_first: bool) -> Scene {
    let order = Order { how, deeds: DEEDS.to_vec(), before: 0, sign_first, qa_first };
    order.run(&format!("{order:?}"), &mut Rng::new(7))
}

#[test]
fn live5_restored_with_a_kiosk_enrolled_one_revoked_and_an_approval_since() {
    after_everything(Return::Restore, false, true);
}

#[test]
fn live5_restored_and_vouched_for_before_the_first_kiosk_calls() {
    after_everything(Return::Restore, true, false);
}

#[test]
fn live5_a_snapshot_put_back_behind_its_back_is_noticed_and_filled_up() {
    after_everything(Return::BehindItsBack, false, true);
}

#[test]
fn live5_a_server_lost_without_a_backup_is_rebuilt_from_its_kiosks() {
    let mut scene = after_everything(Return::Empty, false, false);
    // Procedures and right answers come from the plant folder. What was changed since it was written is proposed, and nobody accepts it.
    let folder = tempfile::tempdir().unwrap();
    copy_folder(&harness::demo_plant(), folder.path());
    std::fs::remove_file(folder.path().join("history.csv")).unwrap();
    let boxes = |server: &Server| -> i64 {
        let sql = "SELECT count(*) FROM box WHERE name LIKE 'quiz/%'";
        server.ledger().connection().query_row(sql, [], |row| row.get(0)).unwrap()
    };
    let here = scene.plant.server.blobs.all().unwrap();
    for kiosk in scene.kiosks.clone() {
        let there = scene.plant.kiosk(kiosk).blobs().all().unwrap();
        assert!(
            kiosk == "K5" || there.iter().all(|digest| here.contains(digest)),
            "{kiosk} gave the contents it holds"
        );
    }
    assert!(here.len() > 5 && boxes(&scene.plant.server) == 0);
    let outcome = scene.plant.server.import(folder.path(), false, "it").unwrap();
    assert_eq!((outcome.rows.values().sum::<usize>(), outcome.history_rows), (2, 0), "{outcome}");
    assert!(scene.plant.server.blobs.all().unwrap().len() > here.len() && boxes(&scene.plant.server) > 5);
    scene.plant.add_kiosk("K8", &["SEAL"]);
    assert_eq!(scene.plant.kiosk("K8").missing_blobs(), [], "a new kiosk has all it needs");
}

/// One seed: deeds before and after the backup, the loss, the way back, people before or after the first kiosk calls, kiosks in any order.
fn one_order(seed: u64) {
    let mut rng = Rng::new(seed);
    let how = [Return::Restore, Return::BehindItsBack, Return::Empty][rng.below(3)];
    let mut deeds = DEEDS.to_vec();
    rng.shuffle(&mut deeds);
    let order = Order { how, deeds, before: rng.below(3), sign_first: rng.chance(30), qa_first: rng.chance(40) };
    order.run(&format!("seed {seed}: {order:?}"), &mut rng);
}

/// What happens, in which order.
#[derive(Debug)]
struct Order {
    how: Return,
    deeds: Vec<Deed>,
    /// How many of them the backup knows.
    before: usize,
    /// People vouch for the server before the first kiosk calls, where they can.
    sign_first: bool,
    /// Quality goes on before the first kiosk calls: with a key, and an approval.
    qa_first: bool,
}

impl Order {
    fn run(&self, context: &str, rng: &mut Rng) -> Scene {
        let mut scene = Scene::new();
        let (before, after) = self.deeds.split_at(self.before);
        before.iter().for_each(|deed| scene.does(*deed));
        scene.keep();
        after.iter().for_each(|deed| scene.does(*deed));
        let held = scene.held();
        scene.plant.clock.advance_ms(600_000);
        scene.put_back(self.how);
        if self.sign_first {
            scene.sign();
        }
        if self.qa_first && self.how != Return::Empty {
            let (helga, tobias) = (signer("helga"), signer("tobias"));
            let server = &scene.plant.server;
            server.set_up_signing(&tobias.person, &tobias.secret, "card", Some(&helga), Stretching::TESTS).unwrap();
            // Whoever approved it before the loss may do so again: the server knows nothing of it.
            let sop = server.plant().documents[&id::<DocumentId>("SOP-0042")].clone();
            if sop.version(&id("v7")).is_none() {
                approve_v7(server);
            }
        }
        scene.heal(rng);
        scene.check(&held, context);
        if self.how == Return::Restore {
            let forks = scene.plant.server.verify(false).unwrap().forks;
            assert_eq!(forks, 0, "{context}: a restore made by `restore` forks nothing");
        }
        let revocation = held_revocation(&scene);
        assert!(!revocation || scene.plant.server.plant().revoked_devices.len() == 1, "{context}: it counts");
        scene.goes_on(context);
        scene
    }
}

fn held_revocation(scene: &Scene) -> bool {
    let ledger = scene.plant.server.ledger();
    let sql = "SELECT EXISTS (SELECT 1 FROM entry WHERE kind = 'device_revoked')";
    ledger.connection().query_row(sql, [], |row| row.get(0)).unwrap()
}

#[test]
fn live5_a_server_put_back_in_any_order_lacks_nothing_that_a_kiosk_holds() {
    let number =
        |name: &str, otherwise: u64| std::env::var(name).ok().and_then(|n| n.parse().ok()).unwrap_or(otherwise);
    let (orders, first) = (number("LINEPROOF_ORDERS", 1), number("LINEPROOF_SEED", 1));
    let mut failed = Vec::new();
    for seed in first..first + orders {
        if let Err(panic) = std::panic::catch_unwind(|| one_order(seed)) {
            let why = panic.downcast_ref::<String>().cloned().unwrap_or_default();
            failed.push(format!("seed {seed}: {why}"));
        }
    }
    println!(r#"{{"name":"restores","runs":{orders},"violations":{},"seed":{first}}}"#, failed.len());
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}
