//! The main job as the product tells it, steps 1 to 6, each checked: real SQLite files, real signatures, real HTTPS on loopback.

use std::path::PathBuf;

use kiosk::core::gate::Verdict;
use kiosk::presenter::view::VerdictKind;
use shared::id::*;
use shared::kind::plant::{Format, Impact, InFlight};
use shared::kind::record::Edit;
use shared::part11::boxes::Stretching;
use shared::training::point_in_time::{Asked, QualifiedAnswer};
use shared::training::{Answer, Reason};
use sync_server::core::approve::{Approval, DraftContent};

use crate::hand::Answers;
use crate::stage::{Stage, Trouble};
use crate::{at, demo_plant, secret_of, signer};

const DOCUMENT: &str = "SOP-0042";
const REQUIREMENT: &str = "R-0042";
const TASK: &str = "seal-pouch";
const LOT: &str = "881";
const MARIA: &str = "04A1B2C3";
const ANA: &str = "04B7D019";
/// Who, and with which badge.
const JONAS: (&str, &str) = ("jonas", "04C25E8A");

/// How many steps were told, and how many came out as told.
pub struct Told {
    pub steps: u32,
    pub passed: u32,
}

type Step = fn(&mut Story) -> Result<Vec<String>, Trouble>;

/// The stage and what the steps hand on.
pub struct Story {
    stage: Stage,
    answers: Answers,
}

const STEPS: [(&str, Step); 6] = [
    ("QA approves v7 of SOP-0042, effective Monday 06:00; everybody concerned owes it at once", Story::approve),
    (
        "Kiosks 3 and 5 lose the network on Sunday evening and flip to v7 by themselves on Monday at 06:00",
        Story::go_dark,
    ),
    (
        "Maria: NOT YET, trained on v6; she reads, answers, does a run with Jonas, is signed off, and gets GO, offline",
        Story::train_maria,
    ),
    (
        "Ana began at kiosk 5 with Eva and went on at kiosk 3 with Jonas: one worksheet, nothing lost or counted twice",
        Story::follow_ana,
    ),
    ("Jonas's authority was withdrawn on Sunday night: the sign-offs are on hold until QA rules", Story::hold_and_rule),
    ("A deviation on lot 881: what was true on Monday 06:40, and what the kiosk could know", Story::look_back),
];

impl Story {
    /// Plays all steps; stops at the first that is not as told, for the later ones stand on it.
    ///
    /// With the feature `pictures`, what kiosk 3 shows is drawn into `pictures`.
    pub fn play(folder: PathBuf, pictures: Option<PathBuf>, mut say: impl FnMut(String)) -> Told {
        let mut told = Told { steps: STEPS.len() as u32, passed: 0 };
        say("Sunday 2026-03-01, 19:00 at Herrenried. The demo plant is imported, the server answers, two kiosks are enrolled.".into());
        let mut story = match Self::begin(folder, pictures) {
            Ok(story) => story,
            Err(why) => {
                say(format!("The stage could not be set: {why}"));
                return told;
            }
        };
        for (number, (title, step)) in STEPS.iter().enumerate() {
            say(format!("{}. {title}", number + 1));
            match step(&mut story) {
                Ok(lines) => {
                    lines.into_iter().for_each(|line| say(format!("     {line}")));
                    told.passed += 1;
                }
                Err(why) => {
                    say(format!("   NOT AS TOLD: {why}"));
                    return told;
                }
            }
        }
        told
    }

    fn begin(folder: PathBuf, pictures: Option<PathBuf>) -> Result<Self, Trouble> {
        let mut stage = Stage::open(folder, "2026-03-01T18:00:00Z")?;
        let people = ["helga", "lukas", "henning", "jonas", "eva", "maria", "ana"];
        for (place, person) in people.iter().enumerate() {
            let verifier = (place > 0).then(|| signer("helga"));
            let stretching = Stretching::TESTS;
            stage.server.set_up_signing(
                &id(person)?,
                &secret_of(person),
                "identity card",
                verifier.as_ref(),
                stretching,
            )?;
        }
        stage.add_kiosk("K3", &["SEAL"])?;
        stage.add_kiosk("K5", &["SEAL3"])?;
        #[cfg(feature = "pictures")]
        if let Some(pictures) = pictures {
            stage.draw_into(pictures)?;
        }
        #[cfg(not(feature = "pictures"))]
        drop(pictures);
        Ok(Self { stage, answers: Answers::of(&demo_plant())? })
    }

    fn approve(&mut self) -> Result<Vec<String>, Trouble> {
        let (document, version) = (id(DOCUMENT)?, id("v7")?);
        let contents = [next_version("en")?, next_version("de")?];
        let server = &self.stage.server;
        server.draft_version(&document, &version, &contents, Some(6), "CC-2026-014", &signer("lukas"))?;
        server.review_version(&document, &version, &signer("henning"))?;
        let by_author = server.approve_version(&document, &version, &monday_at_six()?, &signer("lukas"), None);
        expect(by_author.is_err(), "the author can't approve")?;
        server.approve_version(&document, &version, &monday_at_six()?, &signer("helga"), None)?;
        let assigned = sync_server::store::assigned(server.ledger().connection(), &document, &version)?;
        expect(assigned > 5, format!("only {assigned} people are assigned"))?;
        self.stage.settle()?;
        Ok(vec![format!(
            "signed by author, reviewer and quality; {assigned} people owe v7, due and effective dates set"
        )])
    }

    fn go_dark(&mut self) -> Result<Vec<String>, Trouble> {
        self.stage.set_online("K3", false)?;
        self.stage.set_online("K5", false)?;
        self.stage.clock.set("2026-03-01T22:00:00Z");
        let server = &self.stage.server;
        server.withdraw_assessor(&id("jonas")?, &id(REQUIREMENT)?, "conflict of interest", &signer("helga"))?;
        self.stage.clock.set("2026-03-02T04:55:00Z");
        let before = self.ask("K3", "maria")?;
        expect(before.decision.answer == Answer::Go, format!("before six: {:?}", before.decision.reasons))?;
        self.stage.clock.set("2026-03-02T05:00:10Z");
        let after = self.ask("K3", "maria")?;
        expect(after.decision.answer == Answer::NoGo, "v6 still counts after six")?;
        Ok(vec!["05:55 local: GO on v6.  06:00 local: NOT YET.  No cable was plugged in.".into()])
    }

    fn train_maria(&mut self) -> Result<Vec<String>, Trouble> {
        self.stage.clock.set("2026-03-02T05:20:00Z");
        let mut lines = Vec::new();
        let not_yet = self.stage.badge_and_ask("K3", MARIA, TASK, LOT)?.verdict;
        let said = (not_yet.kind, not_yet.params.trained_on.as_str(), not_yet.params.since.as_str());
        expect(
            said == (VerdictKind::NoGo, "v6", "06:00") || said == (VerdictKind::NoGo, "6", "06:00"),
            format!("{said:?}"),
        )?;
        let missing = not_yet.missing.first().ok_or("nothing is said to be missing")?;
        expect(missing.changed_steps == "4, 5, 9", format!("changed steps {}", missing.changed_steps))?;
        expect(not_yet.signers == "Jonas Reuter", format!("on shift and able to sign: {}", not_yet.signers))?;
        lines.push(format!(
            "NOT YET: trained on v6, v7 in force since 06:00. Changed: steps {}. About {} minutes. On shift and able to sign: {}",
            missing.changed_steps, missing.minutes, not_yet.signers
        ));
        self.stage.learn("K3", "maria", &self.answers)?;
        lines.push("she read the changed steps, signed with her own key, passed the quiz".into());
        self.stage.do_a_run("K3", "maria", JONAS)?;
        self.stage.be_checked("K3", "maria", JONAS)?;
        lines.push("one run and the check, ticked on the worksheet, signed by both".into());
        self.stage.tap("K3", "action:back")?;
        let go = self.stage.ask_again("K3", TASK, LOT)?.verdict;
        expect(go.kind == VerdictKind::Go, format!("after training: {:?} {:?}", go.kind, go.why))?;
        self.stage.tap("K3", "action:sign-out")?;
        lines.push(format!("GO; a task session runs on lot {} since {}", go.lot, go.session_since));
        Ok(lines)
    }

    fn follow_ana(&mut self) -> Result<Vec<String>, Trouble> {
        self.stage.clock.set("2026-03-02T05:05:00Z");
        self.stage.badge_and_ask("K5", ANA, TASK, LOT)?;
        self.stage.learn("K5", "ana", &self.answers)?;
        let mut lines = vec!["at kiosk 5 she read, signed and passed the quiz; Eva ticked three steps".to_owned()];
        self.tick("K5", "ana", "eva", &["1", "2", "3"])?;
        self.stage.clock.set("2026-03-02T06:10:00Z");
        // Kiosk 3 knows nothing of what kiosk 5 holds: it begins the same worksheet.
        self.tick("K3", "ana", "jonas", &["4", "5"])?;
        self.stage.set_online("K3", true)?;
        self.stage.set_online("K5", true)?;
        self.stage.settle()?;
        let steps = ["K3", "K5"].map(|kiosk| self.steps_ticked(kiosk, "ana"));
        let [at3, at5] = steps;
        let (at3, at5) = (at3?, at5?);
        expect(at3 == at5 && at3 == 5, format!("{at3} steps at kiosk 3, {at5} at kiosk 5"))?;
        lines.push("both kiosks back: one worksheet, 5 steps ticked, the same at both".into());
        Ok(lines)
    }

    fn hold_and_rule(&mut self) -> Result<Vec<String>, Trouble> {
        let held = store::questions::on_hold(self.stage.server.ledger().connection())?;
        expect(held.len() == 2, format!("{} entries on hold", held.len()))?;
        let now = self.ask("K3", "maria")?;
        let on_hold = now.decision.reasons.iter().any(|reason| matches!(reason, Reason::OnHold { .. }));
        expect(now.decision.answer == Answer::NoGo && on_hold, format!("{:?}", now.decision.reasons))?;
        let lot = self.stage.server.query_lot(&id(LOT)?)?;
        let hers = lot.iter().filter(|start| start.session.person.as_str() == "maria").count();
        self.stage.server.rule(&id("maria")?, true, "observed by video", &signer("helga"))?;
        self.stage.settle()?;
        let ruled = self.ask("K3", "maria")?;
        expect(ruled.decision.answer == Answer::Go, format!("after the ruling: {:?}", ruled.decision.reasons))?;
        Ok(vec![
            format!(
                "run and check are on hold, her qualification is suspended; {hers} task sessions of hers are listed on lot 881"
            ),
            "QA ruled with a signature: GO again".into(),
        ])
    }

    fn look_back(&mut self) -> Result<Vec<String>, Trouble> {
        let (person, document, kiosk) = (id("maria")?, id(DOCUMENT)?, id("K3")?);
        let asked = Asked::Document(&document);
        let began = std::time::Instant::now();
        let six_forty = at("2026-03-02T05:40:00Z");
        let answer = self.stage.server.query_qualified(&person, asked, six_forty, Some(&kiosk))?;
        let ms = began.elapsed().as_millis();
        let known = answer.answer_known.as_ref().ok_or("nothing is said of what the kiosk could know")?;
        expect(
            answer.qualified.answer == QualifiedAnswer::Yes,
            format!("what was true: {:?}", answer.qualified.answer),
        )?;
        expect(
            known.qualified.answer == QualifiedAnswer::Yes,
            format!("what kiosk 3 could know: {:?}", known.qualified),
        )?;
        expect(!answer.qualified.legacy, "it rests on imported history")?;
        let found = self.stage.server.verify(true)?;
        expect(found.is_clean(), format!("verify found {:?}", found.findings))?;
        Ok(vec![
            format!(
                "what was true: yes (ruled); what kiosk 3 could know: yes; {} signed entries behind it, in {ms} ms",
                answer.qualified.evidence.len()
            ),
            format!(
                "verify: {} entries, {} signatures good, chains unbroken, derived state equals a replay",
                found.entries, found.signatures
            ),
        ])
    }

    fn ask(&mut self, kiosk: &str, person: &str) -> Result<Verdict, Trouble> {
        Ok(self.stage.kiosk(kiosk)?.ask(&id(person)?, &id(TASK)?, Some(&id(LOT)?))?)
    }

    fn tick(&mut self, kiosk: &str, person: &str, author: &str, steps: &[&str]) -> Result<(), Trouble> {
        let mut core = self.stage.kiosk(kiosk)?;
        let about = core.about(&id(REQUIREMENT)?)?;
        for step in steps {
            core.edit_sheet(&id(person)?, &about, &id(author)?, vec![Edit::Tick((*step).to_owned(), true)])?;
        }
        Ok(())
    }

    fn steps_ticked(&self, kiosk: &str, person: &str) -> Result<usize, Trouble> {
        let mut core = self.stage.kiosk(kiosk)?;
        let about = core.about(&id(REQUIREMENT)?)?;
        Ok(core.sheet(&id(person)?, &about)?.worksheet.steps().len())
    }
}

fn monday_at_six() -> Result<Approval, Trouble> {
    Ok(Approval {
        effective_from: at("2026-03-02T05:00:00Z"),
        impact: Impact::Full,
        impact_reason: None,
        in_flight: InFlight::Finish,
        initial_assessors: vec![id("jonas")?, id("eva")?],
    })
}

fn next_version(language: &str) -> Result<DraftContent, Trouble> {
    let text = std::fs::read_to_string(demo_plant().join(format!("next/SOP-0042-v7.{language}.md")))?;
    Ok(DraftContent {
        language: id(language)?,
        format: Format::Markdown,
        change_summary: "Seal temperature window, dwell time and peel test frequency".into(),
        text: Some(text),
        blob: None,
    })
}

fn id<T: std::str::FromStr<Err = BadId>>(text: &str) -> Result<T, BadId> {
    text.parse()
}

fn expect(is_so: bool, else_why: impl Into<String>) -> Result<(), Trouble> {
    if is_so { Ok(()) } else { Err(else_why.into().into()) }
}
