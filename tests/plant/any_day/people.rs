//! What people do at kiosks.

use harness::scene::id;
use kiosk::core::Denied;
use kiosk::core::secret::Signer;
use kiosk::core::signing_set_up::Chosen;
use shared::kind::presence::SessionEnd;
use shared::kind::record::{About, CriterionResult, Outcome};
use shared::part11::boxes::Stretching;

use super::Day;
use super::plant::{ASSESSORS, OPERATORS};
use super::said::{ATTEMPTS, Closed, Name, Place, Said};

impl Day {
    /// Somebody with the secret that opens their key at a kiosk, as it knows.
    fn signer(&self, person: Name, kiosk: Place) -> Signer {
        Signer { person: id(person), secret: self.secrets[&self.account.key(person, kiosk)].clone() }
    }

    fn signs(&mut self, kiosk: Place, person: Name) {
        let key = self.account.key(person, kiosk);
        self.tells(kiosk, Said::Signed { person, key });
    }

    /// The right secret at a kiosk; `false` when they are locked out there.
    fn comes(&mut self, kiosk: Place, person: Name) -> bool {
        self.plant.kiosk(kiosk).badge_in(&id(person)).unwrap();
        let wrong = self.account.wrong_secrets(person, kiosk).len();
        let signer = self.signer(person, kiosk);
        let opened = self.plant.kiosk(kiosk).unlock_session(&signer);
        self.expect_unlocked(&opened, kiosk, person);
        if opened.is_ok() && wrong > 0 {
            self.signs(kiosk, person);
        }
        opened.is_ok()
    }

    fn leaves(&mut self, kiosk: Place) {
        self.plant.kiosk(kiosk).badge_out(SessionEnd::Tap).unwrap();
    }

    fn expect_unlocked<T>(&self, opened: &Result<T, Denied>, kiosk: Place, person: Name) {
        let told = self.account.opens(person, kiosk);
        let found = opened.as_ref().map(|_| ()).map_err(closed);
        assert_eq!(found, told.map_err(Some), "{person} at {kiosk}\n{}", self.told());
    }

    pub(super) fn somebody_shows_who_they_are(&mut self) {
        let (kiosk, person) = (self.kiosk(), self.any(&OPERATORS));
        self.note(format!("{person} shows at {kiosk} who they are"));
        self.comes(kiosk, person);
        self.leaves(kiosk);
    }

    /// What is to be learned there now, by the kiosk and by the account.
    fn about(&mut self, kiosk: Place) -> Option<(About, u32)> {
        let about = self.plant.kiosk(kiosk).about(&id("R")).ok();
        let told = self.account.in_force(kiosk, self.now());
        let presented = about.as_ref().map(|about| about.version.as_ref().unwrap().to_string());
        assert_eq!(presented, told.map(|version| version.to_string()), "in force at {kiosk}\n{}", self.told());
        about.zip(told)
    }

    pub(super) fn somebody_is_trained(&mut self) {
        let (kiosk, person, assessor) = (self.kiosk(), self.any(&OPERATORS), self.any(&ASSESSORS));
        self.note(format!("{person} is trained at {kiosk} by {assessor}"));
        if let Some((about, version)) = self.about(kiosk)
            && self.comes(kiosk, person)
        {
            let core = self.plant.kiosk(kiosk);
            let procedure = core.procedure(&id(person), &about).unwrap();
            core.sign_read(&id(person), &procedure, 240).unwrap();
            let key = self.account.key(person, kiosk);
            self.tells(kiosk, Said::Read { person, version, key });
            self.signs(kiosk, person);
            self.is_checked(kiosk, person, assessor, (about, version));
            self.leaves(kiosk);
        }
    }

    pub(super) fn somebody_is_checked_again(&mut self) {
        let (kiosk, person, assessor) = (self.kiosk(), self.any(&OPERATORS), self.any(&ASSESSORS));
        self.note(format!("{person} is checked at {kiosk} by {assessor}"));
        if let Some(about) = self.about(kiosk) {
            self.is_checked(kiosk, person, assessor, about);
        }
    }

    fn is_checked(&mut self, kiosk: Place, person: Name, assessor: Name, (about, version): (About, u32)) {
        let passed = self.rng.chance(70);
        let outcome = if passed { Outcome::Passed } else { Outcome::Failed };
        let results = vec![CriterionResult { passed, measured: None }];
        let signers = (&self.signer(person, kiosk), &self.signer(assessor, kiosk));
        let signed = self.plant.kiosk(kiosk).sign_check(&id(person), &about, results, outcome, signers);
        let why_not = if !self.account.has_read(person, version, kiosk) {
            Some("out of order")
        } else if !self.account.may_assess(assessor, kiosk, self.now()) {
            Some("no right")
        } else {
            match self.account.opens(person, kiosk).and(self.account.opens(assessor, kiosk)) {
                Ok(()) => None,
                Err(Closed::LockedOut) => Some("locked out"),
                Err(Closed::NotHere) => Some("no key"),
            }
        };
        let refused = signed.as_ref().err().map(|why| match (why, closed(why)) {
            (Denied::OutOfOrder, _) => "out of order",
            (Denied::NoAuthority { .. }, _) => "no right",
            (_, Some(Closed::LockedOut)) => "locked out",
            (_, Some(Closed::NotHere)) => "no key",
            _ => panic!("{why}\n{}", self.told()),
        });
        assert_eq!(refused, why_not, "a check at {kiosk}\n{}", self.told());
        self.note(format!("   {}", refused.unwrap_or(if passed { "passed" } else { "failed" })));
        if refused.is_none() {
            let keys = [person, assessor].map(|who| self.account.key(who, kiosk));
            self.tells(kiosk, Said::Checked { person, version, assessor, passed, keys });
            self.signs(kiosk, person);
            self.signs(kiosk, assessor);
        }
    }

    pub(super) fn somebody_guesses(&mut self) {
        let person = if self.rng.chance(70) { self.any(&OPERATORS) } else { self.any(&ASSESSORS) };
        let (kiosk, times) = (self.kiosk(), 1 + self.rng.below(10));
        self.note(format!("somebody guesses {person}'s secret at {kiosk}, {times} times"));
        for _ in 0..times {
            self.time_passes(1);
            let told = self.account.opens(person, kiosk);
            let before = self.account.wrong_secrets(person, kiosk).len();
            let refused = self.plant.kiosk(kiosk).unlock(&Signer { person: id(person), secret: "a guess".into() });
            match refused {
                Err(Denied::WrongSecret { left, .. }) => assert_eq!(left as usize + before + 1, ATTEMPTS),
                Err(Denied::LockedOut) => assert!(before + 1 >= ATTEMPTS, "{}", self.told()),
                Err(Denied::NoSigning { .. }) => assert_eq!(told, Err(Closed::NotHere), "{}", self.told()),
                other => panic!("{:?}\n{}", other.map(drop), self.told()),
            }
            if told.is_ok() {
                self.tells(kiosk, Said::Wrong { person });
            }
        }
    }

    pub(super) fn somebody_is_forgiven(&mut self) {
        let (kiosk, by) = (self.kiosk(), self.any(&ASSESSORS));
        let Some(person) = self.one_of_whom(|account, person| !account.wrong_secrets(person, kiosk).is_empty()) else {
            return;
        };
        if person == by {
            return;
        }
        self.note(format!("{by} forgives {person} at {kiosk}"));
        let wrong = self.account.wrong_secrets(person, kiosk);
        let (signer, key) = (self.signer(by, kiosk), self.account.key(by, kiosk));
        let lifted = self.plant.kiosk(kiosk).lift_lockout(&id(person), "mistyped", &signer);
        self.expect_unlocked(&lifted, kiosk, by);
        if lifted.is_ok() {
            self.tells(kiosk, Said::Forgiven { wrong, key });
            self.signs(kiosk, by);
        }
    }

    pub(super) fn somebody_chooses_a_new_secret(&mut self) {
        let (kiosk, by) = (self.kiosk(), self.any(&ASSESSORS));
        let person = if self.rng.chance(60) { self.any(&OPERATORS) } else { self.any(&ASSESSORS) };
        if person == by {
            return;
        }
        self.note(format!("{person} chooses a new secret at {kiosk}, verified by {by}"));
        let (verifier, verified_by) = (self.signer(by, kiosk), Some(self.account.key(by, kiosk)));
        let secret = format!("Pouches, box {}", self.secrets.len());
        let chosen = Chosen { secret: &secret, identity_proof: "card", language: "en", stretching: Stretching::TESTS };
        let set_up = self.plant.kiosk(kiosk).set_up_signing(&id(person), &chosen, &verifier);
        self.expect_unlocked(&set_up, kiosk, by);
        if set_up.is_ok() {
            let key = self.tells(kiosk, Said::SetUp { person, verified_by });
            self.secrets.insert(key, secret);
            self.signs(kiosk, person);
            self.signs(kiosk, by);
        }
    }
}

fn closed(why: &Denied) -> Option<Closed> {
    match why {
        Denied::LockedOut => Some(Closed::LockedOut),
        Denied::NoSigning { .. } => Some(Closed::NotHere),
        _ => None,
    }
}
