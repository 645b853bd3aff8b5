//! What quality does at the server.

use harness::scene::id;
use harness::signer;
use shared::id::*;
use shared::kind::plant::{Format, Impact, InFlight};
use sync_server::core::approve::{Approval, DraftContent};

use super::plant::{self, ASSESSORS};
use super::said::{SERVER, Said};
use super::{BEAT_MS, Day};

impl Day {
    pub(super) fn a_version_is_approved(&mut self) {
        self.versions += 1;
        let (version, anew) = (self.versions, self.rng.chance(60));
        let from = self.now().plus_ms(self.rng.below(90) as i64 * BEAT_MS + BEAT_MS / 2);
        self.note(format!("version {version} is approved from {from} on, to be learned anew: {anew}"));
        let content = DraftContent {
            language: id("en"),
            format: Format::Markdown,
            change_summary: "Changed".into(),
            text: Some(format!("# Seal\n\n1. Close it\n2. Look at it {version} times\n")),
            blob: None,
        };
        let (server, document, named): (_, DocumentId, VersionId) =
            (&self.plant.server, id("D"), id(&version.to_string()));
        server.draft_version(&document, &named, &[content], Some(6), "CC-1", &signer("lukas")).unwrap();
        server.review_version(&document, &named, &signer("henning")).unwrap();
        let approval = Approval {
            effective_from: from,
            impact: if anew { Impact::Full } else { Impact::None },
            impact_reason: (!anew).then(|| "wording".into()),
            in_flight: InFlight::Finish,
            initial_assessors: Vec::new(),
        };
        server.approve_version(&document, &named, &approval, &signer("helga"), Some(&signer("tobias"))).unwrap();
        self.tells(SERVER, Said::Approved { version, from, anew });
    }

    pub(super) fn a_version_is_withdrawn(&mut self) {
        let standing = self.account.could_be_withdrawn();
        if let Some(version) = self.rng.pick(&standing).copied() {
            self.note(format!("version {version} is withdrawn"));
            let named = id(&version.to_string());
            self.plant.server.withdraw_version(&id("D"), &named, "wrong", &signer("helga")).unwrap();
            self.tells(SERVER, Said::Withdrawn { version });
        }
    }

    pub(super) fn a_right_ends(&mut self) {
        let assessor = self.any(&ASSESSORS);
        if self.account.may_assess(assessor, SERVER, self.now()) {
            self.note(format!("{assessor}'s right ends"));
            self.plant.server.withdraw_assessor(&id(assessor), &id("R"), "conflict", &signer("helga")).unwrap();
            let until = self.now().to_string();
            self.assessors.iter_mut().rfind(|(who, ..)| *who == assessor).unwrap().2 = until;
            self.tells(SERVER, Said::RightEnded { assessor });
        }
    }

    pub(super) fn a_right_is_given(&mut self) {
        let assessor = self.any(&ASSESSORS);
        if !self.account.may_assess(assessor, SERVER, self.now()) {
            self.note(format!("{assessor} has the right from now on"));
            self.assessors.push((assessor, self.now().to_string(), String::new()));
            plant::write_assessors(self.folder.path(), &self.assessors);
            self.plant.server.import(self.folder.path(), false, "office").unwrap();
            self.plant.server.accept_import(None, &signer("helga"), "back").unwrap();
            self.tells(SERVER, Said::RightGiven { assessor });
        }
    }

    pub(super) fn quality_rules(&mut self) {
        let accepted = self.rng.chance(50);
        let held = self.one_of_whom(|account, person| !account.on_hold(person, SERVER).is_empty());
        let person = held.unwrap_or("maria");
        let checks = self.account.on_hold(person, SERVER);
        self.note(format!("quality rules on {} checks of {person}, accepted: {accepted}", checks.len()));
        let ruled = self.plant.server.rule(&id(person), accepted, "looked into", &signer("helga"));
        assert_eq!(ruled.is_ok(), !checks.is_empty(), "{:?}\n{}", ruled.err(), self.told());
        if !checks.is_empty() {
            self.tells(SERVER, Said::Ruled { checks, accepted });
        }
    }

    pub(super) fn a_kiosk_is_revoked(&mut self) {
        let kiosk = "K3";
        if !self.account.is_revoked(kiosk, SERVER) {
            self.note(format!("{kiosk} is revoked"));
            self.plant.server.revoke_kiosk(&id(kiosk), "stolen", None).unwrap();
            let had = self.account.of_kiosk(kiosk, SERVER);
            self.tells(SERVER, Said::Revoked { kiosk, had });
        }
    }
}
