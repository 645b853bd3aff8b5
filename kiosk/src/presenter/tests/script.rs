//! A kiosk that answers from a script: three people, one task, one procedure. Nothing of it judges anything.

use std::collections::BTreeMap;
use std::sync::Arc;

use shared::id::*;
use shared::kind::Meaning;
use shared::kind::plant::*;
use shared::kind::record::{About, Outcome};
use shared::part11::strength::SecretKind;
use shared::plant::document::{Document, Version};
use shared::plant::fold::Provenance;
use shared::plant::{Plant, steps::steps};
use shared::record::worksheet::{Mark, State, StepState};
use shared::time::{HOUR_MS, Span, Timestamp};
use shared::training::gate::{Answer, CanSign, GateDecision, Missing, Reason};
use shared::training::qualification::Why;
use shared::training::quiz::Question;
use shared::training::{ActivityState, RequirementState};

use crate::core::badge::{BadgeSeen, PersonSeen};
use crate::core::correct::OwnEntry;
use crate::core::gate::{TaskLine, Verdict};
use crate::core::learn::Procedure;
use crate::core::status::Line;
use crate::pdf;
use crate::presenter::message::What;
use crate::presenter::message::*;
use crate::presenter::view::{PageImage, Screen, View};
use crate::presenter::{Presenter, Settings};
use crate::stick::Carried;

pub const MARIA: &str = "04A1B2C3";
pub const JONAS: &str = "04C25E8A";
pub const BEN: &str = "04E5A7B4";

pub fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

pub fn person(id: &str) -> PersonId {
    PersonId::new(id).unwrap()
}

/// A presenter with a scripted kiosk behind it.
pub struct Kiosk {
    pub presenter: Presenter,
    pub now: Timestamp,
    /// Commands not yet answered.
    pub asked: Vec<Command>,
    /// Everything that was ever asked.
    pub log: Vec<What>,
    /// Answers come only when called for.
    pub slow: bool,
    /// What Maria holds on the version in force.
    pub held: Vec<ActivityKind>,
    pub secrets: BTreeMap<PersonId, String>,
    pub ticks: BTreeMap<String, StepState>,
    pub quiz_passes: bool,
    pub may_assess: bool,
    /// What comes of drawing a page.
    pub drawn: Result<pdf::Page, pdf::NotDrawn>,
    pub attempts_left: u32,
    /// The terminal has heard too little for a routine task.
    pub stale: bool,
    pub own: Vec<OwnEntry>,
    /// What comes of a stick.
    pub carried: Carried,
    /// The next answer, whatever is asked.
    pub next_reply: Option<Reply>,
    pub snapshot: StatusSnapshot,
}

impl Kiosk {
    pub fn new() -> Self {
        Self::with(Settings::default())
    }

    /// One that is set up otherwise.
    pub fn with(settings: Settings) -> Self {
        let now = at("2026-03-02T06:40:00Z");
        let settings = Settings { languages: vec!["en".into(), "de".into()], ..settings };
        let secrets = [("maria", "maria-secret"), ("jonas", "jonas-secret"), ("ben", "ben-secret")];
        let mut kiosk = Self {
            presenter: Presenter::new(now, settings),
            now,
            asked: Vec::new(),
            log: Vec::new(),
            slow: false,
            held: Vec::new(),
            secrets: secrets.into_iter().map(|(who, secret)| (person(who), secret.to_owned())).collect(),
            ticks: BTreeMap::new(),
            quiz_passes: true,
            may_assess: true,
            drawn: Ok(drawn_page()),
            attempts_left: 2,
            stale: false,
            own: Vec::new(),
            carried: Carried::NoStick,
            next_reply: None,
            snapshot: snapshot(now),
        };
        kiosk.tell();
        kiosk
    }

    pub fn view(&self) -> View {
        self.presenter.view()
    }

    pub fn screen(&self) -> Screen {
        self.view().screen
    }

    pub fn handle(&mut self, event: Event) {
        let commands = self.presenter.handle(event, self.now);
        self.log.extend(commands.iter().map(|command| command.what.clone()));
        self.asked.extend(commands);
        if !self.slow {
            self.answer_all();
        }
        self.no_secret_shows();
    }

    pub fn answer_all(&mut self) {
        while !self.asked.is_empty() {
            self.answer_first();
        }
    }

    pub fn answer_first(&mut self) {
        let command = self.asked.remove(0);
        let reply = self.next_reply.take().unwrap_or_else(|| self.reply_to(&command.what));
        let commands = self.presenter.handle(Event::Reply { request: command.request, reply }, self.now);
        self.log.extend(commands.iter().map(|command| command.what.clone()));
        self.asked.extend(commands);
    }

    /// What the script would answer to the first command, unasked.
    pub fn reply_to_first(&mut self) -> Reply {
        let what = self.asked[0].what.clone();
        self.reply_to(&what)
    }

    pub fn tap(&mut self, id: &str) {
        self.handle(Event::Tap(id.into()));
    }

    pub fn badge(&mut self, number: &str) {
        self.now = self.now.plus_ms(500);
        self.handle(Event::Key(format!("{number}\n")));
    }

    pub fn typed(&mut self, field: &str, text: &str) {
        self.handle(Event::Typed { field: field.into(), text: text.into() });
    }

    pub fn secret(&mut self, secret: &str) {
        self.typed("secret", secret);
        self.tap("ok");
    }

    pub fn wait(&mut self, ms: i64) {
        self.now = self.now.plus_ms(ms);
        self.handle(Event::Tick);
    }

    pub fn tell(&mut self) {
        self.snapshot.status.now = self.now;
        let snapshot = Box::new(self.snapshot.clone());
        self.handle(Event::Status(snapshot));
    }

    /// Signs Maria in with lot 881.
    pub fn maria(&mut self) {
        self.badge(MARIA);
        self.tap("action:lot");
        self.typed("lot", "881");
        self.tap("ok");
        assert_eq!(self.screen(), Screen::Tasks);
    }

    /// To the gate's answer for the one task.
    pub fn maria_asks(&mut self) {
        self.maria();
        self.tap("task:seal-pouch");
    }

    /// To the first page of a procedure that is a PDF.
    pub fn opens_a_pdf(&mut self) {
        let slow = std::mem::take(&mut self.slow);
        self.maria_asks();
        let format = Format::Pdf;
        self.next_reply = Some(Reply::Procedure(Box::new(Procedure { format, steps: Vec::new(), ..procedure() })));
        self.slow = slow;
        self.tap("next");
        if self.slow {
            self.answer_first();
        }
    }

    pub fn count(&self, wanted: fn(&What) -> bool) -> usize {
        self.log.iter().filter(|what| wanted(what)).count()
    }

    /// **No secret is ever on view or printed**: asked after every event.
    fn no_secret_shows(&self) {
        let shown = format!("{:?} {:?}", self.view(), self.log);
        for secret in self.secrets.values().map(String::as_str).chain([MARIA, JONAS, BEN]) {
            assert!(!shown.contains(secret), "a secret or badge number shows");
        }
    }

    fn reply_to(&mut self, what: &What) -> Reply {
        match what {
            What::LookUp { badge } => Reply::Badge(look_up(&badge.0)),
            What::Tasks { .. } => Reply::Tasks(vec![self.card()]),
            What::Ask { .. } => self.verdict(false),
            What::AskSupervised { trainer, secret, .. } => match self.right(trainer, secret) {
                true => self.verdict(true),
                false => wrong(),
            },
            What::Look { .. } => Reply::Decision(Box::new(self.decision(true))),
            What::Procedure { .. } => Reply::Procedure(Box::new(procedure())),
            What::DrawPage { .. } => Reply::Page(self.drawn.clone()),
            What::Unlock { person, secret } | What::CheckSecret { person, secret } => {
                if self.right(person, secret) {
                    Reply::Done
                } else {
                    wrong()
                }
            }
            What::SignRead { .. } => self.signed(ActivityKind::Read, Outcome::Passed, &["maria"]),
            What::OpenQuiz { .. } if self.attempts_left == 0 => super::help::used_up(),
            What::OpenQuiz { .. } => Reply::Quiz(Box::new(quiz())),
            What::SignQuiz { .. } => {
                let outcome = if self.quiz_passes { Outcome::Passed } else { Outcome::Failed };
                self.signed(ActivityKind::Quiz, outcome, &["maria"])
            }
            What::Sheet { .. } | What::Note { .. } => self.sheet(),
            What::Tick { author, step, passed, .. } => {
                let mark = Mark { at: self.now, by: author.clone(), said: *passed };
                self.ticks.insert(step.clone(), State::Agreed(vec![mark]));
                self.sheet()
            }
            What::MayAssess { .. } if self.may_assess => Reply::Done,
            What::MayAssess { .. } => Reply::Denied(Refusal::NoAuthority),
            What::SignRun { both, outcome, .. } => self.signed_by_two(ActivityKind::Runs, *outcome, both),
            What::SignCheck { both, outcome, .. } => self.signed_by_two(ActivityKind::Check, *outcome, both),
            What::OpenCheck { .. } => {
                Reply::Check(Box::new(CheckReply { about: about(), check: check(), conflict: false }))
            }
            What::Carry { .. } => Reply::Carried(self.carried.clone()),
            what => super::no_badge::answer(self, what).unwrap_or_else(|| super::help::answer(self, what)),
        }
    }

    pub fn right(&self, person: &PersonId, secret: &Hidden) -> bool {
        self.secrets.get(person) == Some(&secret.0)
    }

    fn state(&self) -> RequirementState {
        let quiz = QuizId::new("Q-0042").unwrap();
        let check = CheckId::new("C-0042").unwrap();
        let all = [Activity::Read, Activity::Quiz(quiz), Activity::Runs(1), Activity::Check(check)];
        let state = |activity: Activity| {
            let held = self.held.contains(&activity.kind());
            ActivityState {
                activity,
                held,
                have: u32::from(held),
                need: 1,
                why: if held { Why::Held } else { Why::Superseded },
                evidence: Vec::new(),
                expires_at: None,
                version: None,
            }
        };
        let activities: Vec<ActivityState> = all.map(state).into();
        let met = activities.iter().all(|activity| activity.held);
        let trained = if self.held.is_empty() { "v6" } else { "v7" };
        RequirementState {
            requirement: RequirementId::new("R-0042").unwrap(),
            version_in_force: Some(version()),
            trained_on: VersionId::new(trained).ok(),
            met,
            carried_over: false,
            legacy: false,
            exempt: false,
            barred: None,
            activities,
        }
    }

    pub fn decision(&self, supervised: bool) -> GateDecision {
        let state = self.state();
        let requirement = state.requirement.clone();
        let (met, learned) = (state.met, self.held.contains(&ActivityKind::Quiz));
        let missing = Missing {
            title: "Pouch sealing".into(),
            document: Some(document()),
            state,
            in_force_since: Some(at("2026-03-02T06:00:00Z")),
            changed_steps: vec!["2".into(), "3".into()],
            minutes: Some(6),
            can_sign: vec![CanSign { person: person("jonas"), on_shift: true }],
        };
        let answer = match (met, supervised && learned) {
            (true, _) if self.stale => Answer::NoGo,
            (true, _) => Answer::Go,
            (_, true) => Answer::GoSupervised,
            _ => Answer::NoGo,
        };
        GateDecision {
            answer,
            reasons: self.reasons(met, requirement),
            missing: if met { Vec::new() } else { vec![missing] },
            evidence: Vec::new(),
            versions: vec![(document(), version())],
            supervision_possible: learned && !met,
        }
    }

    fn reasons(&self, met: bool, requirement: RequirementId) -> Vec<Reason> {
        let stale = Reason::CoSignNeeded { offline_ms: 80 * HOUR_MS, allowed_ms: 72 * HOUR_MS };
        let training = (!met).then_some(Reason::TrainingNeeded { requirement });
        training.into_iter().chain(self.stale.then_some(stale)).collect()
    }

    fn verdict(&self, supervised: bool) -> Reply {
        let decision = self.decision(supervised);
        let session = decision.answer.may_start().then_some(ActId([7; 16]));
        let verdict = Verdict { decision, entry: EntryId([1; 32]), session };
        Reply::Verdict(Box::new(VerdictReply { verdict, at: self.now, past: Past::default() }))
    }

    fn card(&self) -> TaskCard {
        TaskCard { line: TaskLine { task: task(), decision: self.decision(false) }, expires_at: None }
    }

    fn sheet(&self) -> Reply {
        Reply::Sheet(Box::new(SheetReply {
            about: about(),
            steps: steps(TEXT),
            changed_steps: vec!["2".into(), "3".into()],
            ticks: self.ticks.clone(),
            notes: Vec::new(),
            runs: Vec::new(),
            conflict: self.ticks.values().any(State::is_conflict),
            after_sign_off: false,
            state: self.state(),
        }))
    }

    fn signed_by_two(&mut self, kind: ActivityKind, outcome: Outcome, both: &Both) -> Reply {
        if self.right(&person("maria"), &both.own) && self.right(&both.second, &both.seconds) {
            self.signed(kind, outcome, &["maria", "jonas"])
        } else {
            wrong()
        }
    }

    pub fn signed(&mut self, kind: ActivityKind, outcome: Outcome, people: &[&str]) -> Reply {
        if outcome == Outcome::Passed {
            self.held.push(kind);
        }
        let line = |who: &&str| SignatureLine { name: (*who).to_owned(), meaning: Meaning::Performed, at: self.now };
        let quiz = (kind == ActivityKind::Quiz).then_some(QuizScore { percent: 50, attempts_left: self.attempts_left });
        Reply::Signed(Box::new(SignedReply {
            entry: EntryId([0x7f; 32]),
            signatures: people.iter().map(line).collect(),
            synced: false,
            on_hold: false,
            decision: self.decision(false),
            outcome,
            quiz,
        }))
    }
}

pub fn wrong() -> Reply {
    Reply::Denied(Refusal::WrongSecret { left: 9, wait_s: 2 })
}

pub fn look_up(badge: &str) -> BadgeSeen {
    let seen = |id: &str, name: &str, language: &str| {
        let language = Language::new(language).unwrap();
        BadgeSeen::Person(PersonSeen {
            person: person(id),
            printed_name: name.into(),
            language,
            locked_out: false,
            secret: Some(SecretKind::Passphrase),
        })
    };
    match badge {
        MARIA => seen("maria", "Maria Lindner", "de"),
        JONAS => seen("jonas", "Jonas Reuter", "en"),
        BEN => seen("ben", "Ben Hartwig", "en"),
        "04DEAD" => BadgeSeen::Disabled { reason: "lost".into() },
        _ => BadgeSeen::Unknown,
    }
}

pub const TEXT: &str = "# SOP-0042 Pouch sealing\n\n## Purpose\nA tight seal.\n\n## Step 1: Check\nLook.\n\n\
                        ## Step 2: Heat\nSet 126 °C.\n\n## Step 3: Seal\nPress.\n\n## Records\nThe sheet.\n";

pub fn procedure() -> Procedure {
    Procedure {
        about: about(),
        title: "Pouch sealing".into(),
        effective_from: at("2026-03-02T06:00:00Z"),
        language: Language::new("en").unwrap(),
        fallback: true,
        format: Format::Markdown,
        digest: Digest32::of(TEXT.as_bytes()),
        bytes: TEXT.as_bytes().to_vec(),
        steps: steps(TEXT),
        changed_steps: vec!["2".into(), "3".into()],
        change_summary: "New window.".into(),
        minutes: Some(6),
    }
}

/// A page of a document of two, so wide that each takes two screens.
pub fn drawn_page() -> pdf::Page {
    let image = PageImage::new(100, 60, vec![255; 100 * 60 * 4].into());
    pdf::Page { image, sizes: Arc::new([(100.0, 60.0), (100.0, 60.0)]), whole: true }
}

fn quiz() -> QuizReply {
    let question = |text: &str| Question { text: text.into(), answers: vec!["a".into(), "b".into(), "c".into()] };
    QuizReply {
        about: about(),
        questions: vec![question("First?"), question("Second?")],
        multiple: vec![false, true],
        pass_percent: 80,
        attempts_left: 3,
        chosen: Vec::new(),
    }
}

fn check() -> CheckSet {
    let measure = Measure { unit: "mm".into(), min: Some("6.0".into()), max: Some("10.0".into()) };
    let criteria = vec![
        Criterion { text: "Reads the code".into(), measure: None, critical: true },
        Criterion { text: "Seal width".into(), measure: Some(measure), critical: false },
    ];
    CheckSet { check: CheckId::new("C-0042").unwrap(), title: "Pouch sealing".into(), criteria }
}

pub fn document() -> DocumentId {
    DocumentId::new("SOP-0042").unwrap()
}

pub fn version() -> VersionId {
    VersionId::new("v7").unwrap()
}

pub fn about() -> About {
    About { requirement: RequirementId::new("R-0042").unwrap(), document: Some(document()), version: Some(version()) }
}

fn task() -> TaskSet {
    TaskSet {
        task: TaskId::new("seal-pouch").unwrap(),
        title: "Seal pouch".into(),
        work_units: vec![WorkUnitId::new("SEAL").unwrap()],
        criticality: Criticality::Routine,
        offline_limit_hours: None,
        lot_required: true,
        requirements: vec![about().requirement],
        classes: Vec::new(),
    }
}

fn snapshot(now: Timestamp) -> StatusSnapshot {
    let mut snapshot = StatusSnapshot { plant: Arc::new(plant()), ..StatusSnapshot::default() };
    snapshot.status.kiosk = KioskName::new("K3").ok();
    snapshot.status.work_units = vec![WorkUnitId::new("SEAL").unwrap()];
    snapshot.status.line = Line::Offline;
    snapshot.status.last_contact = Some(now.minus_ms(34 * 60_000));
    snapshot.status.now = now;
    snapshot.status.waiting_in = vec![(shared::log::Stream::record(&SiteId::new("SITE1").unwrap()), 3)];
    snapshot.status.in_step = snapshot.status.last_contact;
    snapshot
}

fn plant() -> Plant {
    let mut plant = Plant::default();
    let (site, unit) = (SiteId::new("SITE1").unwrap(), WorkUnitId::new("SEAL").unwrap());
    for (id, name) in [("maria", "Maria Lindner"), ("jonas", "Jonas Reuter"), ("ben", "Ben Hartwig")] {
        let set = PersonSet {
            person: person(id),
            printed_name: name.into(),
            site: site.clone(),
            language: Language::new("en").unwrap(),
            badge: None,
            email: None,
            active: Span::ALWAYS,
            leave: Span::ALWAYS,
            further_sites: Vec::new(),
        };
        plant.people.insert(person(id), set);
    }
    let set = WorkUnitSet {
        work_unit: unit.clone(),
        site,
        area: "PACK".into(),
        work_center: WorkCenterId::new("L2").unwrap(),
        name: "Line 2 / Sealing".into(),
    };
    plant.work_units.insert(unit, set);
    plant.tasks.insert(task().task, task());
    plant.requirements.insert(about().requirement, requirement());
    plant.documents.insert(document(), approved());
    plant
}

fn requirement() -> RequirementSet {
    RequirementSet {
        requirement: about().requirement,
        title: "Pouch sealing".into(),
        document: Some(document()),
        category: RequirementCategory::Process,
        activities: Vec::new(),
        validity_months: None,
        currency: None,
        window_days: None,
        prerequisites: Vec::new(),
        equipment: Vec::new(),
        initial_assessors: Vec::new(),
    }
}

fn approved() -> Document {
    let approved = VersionApproved {
        document: document(),
        version: version(),
        approved_at: at("2026-02-20T10:00:00Z"),
        effective_from: at("2026-03-02T06:00:00Z"),
        impact: Impact::Full,
        impact_reason: None,
        in_flight: InFlight::Finish,
        initial_assessors: Vec::new(),
        approved_by: None,
        draft: None,
        review: None,
    };
    let version = Version {
        approved,
        entry: EntryId([3; 32]),
        provenance: Provenance::SetUp,
        withdrawn_at: None,
        withdrawn_reason: None,
        row: 1,
    };
    let set = DocumentSet {
        document: document(),
        title: "Pouch sealing".into(),
        category: CategoryId::new("process").unwrap(),
        owner: "tobias".into(),
        site: None,
    };
    Document { set, drafts: Vec::new(), versions: vec![version] }
}
