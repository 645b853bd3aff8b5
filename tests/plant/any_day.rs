//! Any days of a plant, as chance has them: people learn and are checked, fail, guess secrets and are forgiven; quality approves versions and
//! withdraws them, ends rights and gives them, rules; kiosks are dark, meet, carry sticks, are switched off and on, are revoked. After each
//! deed every kiosk is asked about everybody, and answers as a plain account says ([`account`]): never GO against what it knows (SAFE2), and
//! never NO-GO without a reason.
//!
//! `LINEPROOF_DAYS` says how many are lived through, from `LINEPROOF_SEED` on; by default a few.

mod account;
mod office;
mod people;
mod plant;
mod said;

use std::collections::{BTreeMap, BTreeSet};
use std::panic::catch_unwind;

use account::Account;
use harness::scene::id;
use harness::{Plant, secret_of, signer};
use kiosk::bundle_file::{self, NotCarried};
use plant::{ASSESSORS, KIOSKS, OPERATORS};
use said::{Bar, Name, Place, RULES, Rule, SERVER, Said, Word};
use shared::sync::bundle::BadBundle;
use shared::time::{MINUTE_MS, Timestamp};
use shared::training::point_in_time::{Asked, QualifiedAnswer};
use shared::training::{Answer, Reason};
use sim::rng::Rng;
use sync_server::core::overview::Shown;
use tempfile::TempDir;

/// Deeds of one run.
const DEEDS: usize = 60;
/// Whether the account could do without a sentence is asked after one line of the story in so many, and at the end.
const RULES_EVERY: usize = 4;
/// In so many runs each sentence of the account mattered at least once.
const ENOUGH: u64 = 50;
/// Something happens every so often, or later: no deed falls into the seconds in which a kiosk's clock can't tell whether a lease has ended or a
/// version counts.
const BEAT_MS: i64 = 7 * MINUTE_MS;

struct Day {
    plant: Plant,
    /// The plant folder, as quality keeps it.
    folder: TempDir,
    account: Account,
    rng: Rng,
    versions: u32,
    /// Rows of `assessors.csv`: who, from when, until when.
    assessors: Vec<(Name, String, String)>,
    /// Each person's secrets, by the key that they open.
    secrets: BTreeMap<Word, String>,
    /// What happened, for whoever looks into a seed.
    story: Vec<String>,
    is_over: bool,
    /// Which sentences somebody would have missed, had the account left them out.
    mattered: BTreeSet<Rule>,
}

impl Day {
    fn begin(seed: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let assessors: Vec<_> = ASSESSORS.map(|who| (who, "2023-01-01".to_owned(), String::new())).into();
        plant::write(folder.path());
        plant::write_assessors(folder.path(), &assessors);
        let mut day = Self {
            plant: plant::begin(folder.path()),
            folder,
            account: Account::default(),
            rng: Rng::new(seed),
            versions: 1,
            assessors,
            secrets: BTreeMap::new(),
            story: vec![format!("seed {seed}")],
            is_over: false,
            mattered: BTreeSet::new(),
        };
        day.what_was_before();
        day
    }

    fn what_was_before(&mut self) {
        let long_ago = harness::at("2024-01-02T00:00:00Z");
        let mut tells = |said: Said| self.account.tells(SERVER, long_ago, said);
        tells(Said::Approved { version: 1, from: long_ago, anew: true });
        let mut keys = BTreeMap::new();
        for assessor in ASSESSORS {
            tells(Said::RightGiven { assessor });
        }
        for person in ASSESSORS.into_iter().chain(OPERATORS) {
            keys.insert(person, tells(Said::SetUp { person, verified_by: None }));
        }
        for person in ["maria", "ana"] {
            let (key, keys) = (keys[person], [keys[person], keys["jonas"]]);
            tells(Said::Read { person, version: 1, key });
            tells(Said::Checked { person, version: 1, assessor: "jonas", passed: true, keys });
        }
        self.secrets = keys.into_iter().map(|(person, key)| (key, secret_of(person))).collect();
        let now = self.now();
        KIOSKS.iter().for_each(|kiosk| self.account.meets(kiosk, now));
    }

    fn now(&self) -> Timestamp {
        self.plant.clock.now()
    }

    fn tells(&mut self, by: Place, said: Said) -> Word {
        self.account.tells(by, self.now(), said)
    }

    fn any<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.rng.below(list.len())]
    }

    fn one_of_whom(&mut self, so: impl Fn(&Account, Name) -> bool) -> Option<Name> {
        let everybody = OPERATORS.into_iter().chain(ASSESSORS);
        let some: Vec<Name> = everybody.filter(|person| so(&self.account, person)).collect();
        self.rng.pick(&some).copied()
    }

    /// A kiosk that is still in use, as it knows itself.
    fn kiosk(&mut self) -> Place {
        let in_use: Vec<Place> = KIOSKS.into_iter().filter(|kiosk| !self.account.is_revoked(kiosk, kiosk)).collect();
        self.any(&in_use)
    }

    fn does_something(&mut self) {
        let beats = 1 + self.rng.below(6);
        self.time_passes(beats);
        match self.rng.below(100) {
            0..=23 => self.somebody_is_trained(),
            24..=30 => self.somebody_is_checked_again(),
            31..=40 => self.somebody_guesses(),
            41..=43 => self.somebody_shows_who_they_are(),
            44..=47 => self.somebody_is_forgiven(),
            48..=49 => self.somebody_chooses_a_new_secret(),
            50..=53 => self.a_version_is_approved(),
            54..=55 => self.a_version_is_withdrawn(),
            56..=62 => self.a_right_ends(),
            63..=66 => self.a_right_is_given(),
            67..=75 => self.quality_rules(),
            76..=86 => self.a_kiosk_meets_the_server(),
            87..=91 => self.a_stick_is_carried(),
            92..=95 => self.a_kiosk_is_switched_off_and_on(),
            96..=98 => self.nobody_is_there(),
            _ => self.a_kiosk_is_revoked(),
        }
    }

    fn time_passes(&mut self, beats: usize) {
        self.plant.clock.advance_ms(beats as i64 * BEAT_MS);
    }

    fn nobody_is_there(&mut self) {
        let beats = self.rng.below(80);
        self.note("nobody is there for a while".into());
        self.time_passes(beats);
    }

    // What travels.

    fn a_kiosk_meets_the_server(&mut self) {
        let kiosk = self.kiosk();
        self.meets(kiosk);
    }

    fn meets(&mut self, kiosk: Place) {
        self.note(format!("{kiosk} meets the server"));
        self.plant.meet(kiosk);
        let now = self.now();
        self.account.meets(kiosk, now);
    }

    fn a_stick_is_carried(&mut self) {
        let (from, to) = (self.kiosk(), self.kiosk());
        if from == to || [from, to].iter().any(|kiosk| self.account.is_revoked(kiosk, SERVER)) {
            return;
        }
        self.note(format!("a stick is carried from {from} to {to}"));
        let file = self.plant.path("stick.lineproof");
        bundle_file::export(self.plant.kiosk(from), &file).unwrap();
        let taken = bundle_file::import(self.plant.kiosk(to), &file);
        let stale = matches!(taken, Err(NotCarried::Refused { why: BadBundle::Stale, .. }));
        let as_told = taken.is_ok() || stale && self.account.has_no_news(from, to);
        assert!(as_told, "{:?}\n{}", taken.err(), self.told());
        self.account.brings(from, to);
    }

    fn a_kiosk_is_switched_off_and_on(&mut self) {
        let kiosk = self.kiosk();
        self.note(format!("{kiosk} is switched off and on"));
        self.plant.restart(kiosk);
    }

    // What must hold.

    /// Every kiosk's answer about everybody, and the server's.
    fn all_is_as_told(&mut self) {
        let now = self.now();
        for person in OPERATORS {
            for kiosk in KIOSKS {
                let decision = self.plant.kiosk(kiosk).look(&id(person), &id("T"), None, None).unwrap();
                let bars: BTreeSet<Bar> = decision.reasons.iter().map(|reason| self.bar(reason)).collect();
                let told = self.account.bars(person, kiosk, now);
                let go = decision.answer == Answer::Go;
                // With the word that it is revoked comes what stands before it, and nobody starts there whatever that is.
                let as_told = match told.contains(&Bar::KioskRevoked) {
                    true => bars.contains(&Bar::KioskRevoked) && !go,
                    false => bars == told && go == told.is_empty(),
                };
                assert!(as_told, "{person} at {kiosk}: {decision:?}, told {told:?}\n{}", self.told());
                if self.is_over || self.story.len().is_multiple_of(RULES_EVERY) {
                    self.look_at_each_rule(person, kiosk, &told);
                }
            }
            let asked = Asked::Requirement(&id("R"));
            let answer = self.plant.server.query_qualified(&id(person), asked, now, None).unwrap().qualified.answer;
            let qualified = self.account.is_qualified(person, SERVER, now);
            let answered = matches!(answer, QualifiedAnswer::Yes | QualifiedAnswer::YesCarriedOver);
            assert_eq!(answered, qualified, "{person} at the server: {answer:?}\n{}", self.told());
        }
    }

    /// Which sentences an account can't do without, to say what it says of a person there.
    fn look_at_each_rule(&mut self, person: Name, kiosk: Place, told: &BTreeSet<Bar>) {
        let now = self.now();
        for rule in RULES {
            self.account.without = Some(rule);
            if !self.mattered.contains(&rule) && self.account.bars(person, kiosk, now) != *told {
                self.mattered.insert(rule);
            }
        }
        self.account.without = None;
    }

    fn bar(&self, reason: &Reason) -> Bar {
        match reason {
            Reason::KioskRevoked => Bar::KioskRevoked,
            Reason::LockedOut => Bar::LockedOut,
            Reason::TooLongOffline { .. } => Bar::TooLongOffline,
            Reason::NoVersionInForce { .. } => Bar::NoVersion,
            Reason::OnHold { .. } => Bar::OnHold,
            Reason::TrainingNeeded { .. } => Bar::Training,
            other => panic!("nobody told of {other:?}\n{}", self.told()),
        }
    }

    /// Everybody meets, and then everybody knows the same.
    fn ends(&mut self) {
        self.is_over = true;
        for _ in 0..2 {
            KIOSKS.iter().for_each(|kiosk| self.meets(kiosk));
        }
        self.all_is_as_told();
        self.pages_are_as_told();
        for person in
            OPERATORS.into_iter().filter(|person| !self.account.on_hold(person, SERVER).is_empty()).collect::<Vec<_>>()
        {
            let checks = self.account.on_hold(person, SERVER);
            self.plant.server.rule(&id(person), true, "all of them", &signer("helga")).unwrap();
            self.tells(SERVER, Said::Ruled { checks, accepted: true });
        }
        KIOSKS.iter().for_each(|kiosk| self.meets(kiosk));
        self.all_is_as_told();
        self.pages_are_as_told();
        self.plant.verify();
    }

    /// What has no effect is on the server's pages.
    fn pages_are_as_told(&self) {
        for person in OPERATORS {
            let page = self.plant.server.person_page(&id(person)).unwrap().unwrap();
            let is_check = |shown: &&Shown| shown.entry.header().kind == "check_signed";
            let shown = page.entries.iter().filter(is_check).filter(|shown| !shown.verdict.is_effective()).count();
            let told = self.account.without_effect(person, SERVER);
            assert_eq!(shown, told, "without effect on the page of {person}\n{}", self.told());
        }
    }

    fn note(&mut self, what: String) {
        self.story.push(format!("{} {what}", self.now()));
    }

    fn told(&self) -> String {
        self.story.join("\n")
    }
}

/// Lives through the days of a seed, and says which sentences of the account mattered.
fn live(seed: u64) -> BTreeSet<Rule> {
    let mut day = Day::begin(seed);
    day.all_is_as_told();
    for _ in 0..DEEDS {
        day.does_something();
        day.all_is_as_told();
    }
    day.ends();
    day.mattered
}

#[test]
fn safe2_safe5_safe6_r15_whatever_people_do_every_kiosk_answers_as_a_plain_account_says() {
    let number =
        |name: &str, otherwise: u64| std::env::var(name).ok().and_then(|n| n.parse().ok()).unwrap_or(otherwise);
    let (days, first) = (number("LINEPROOF_DAYS", 3), number("LINEPROOF_SEED", 1));
    let (mut failed, mut mattered) = (Vec::new(), BTreeMap::new());
    for seed in first..first + days {
        match catch_unwind(|| live(seed)) {
            Ok(rules) => rules.into_iter().for_each(|rule| *mattered.entry(rule).or_insert(0) += 1),
            Err(panic) => failed.push(panic.downcast_ref::<String>().cloned().unwrap_or_default()),
        }
    }
    println!("in how many runs each sentence mattered: {mattered:?}");
    println!(r#"{{"name":"days","runs":{days},"violations":{},"seed":{first},"deeds":{DEEDS}}}"#, failed.len());
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
    let idle: Vec<Rule> = RULES.into_iter().filter(|rule| !mattered.contains_key(rule)).collect();
    assert!(days < ENOUGH || idle.is_empty(), "nobody would miss {idle:?} in {days} days: {mattered:?}");
}
