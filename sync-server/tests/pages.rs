//! The pages from outside, over a plant where things have happened: sign-offs that count, that are on hold, that are set aside, a fork.

mod common;

use common::Edge;
use minicbor::bytes::ByteVec;
use reqwest::header::{CONTENT_TYPE, COOKIE, LOCATION};
use reqwest::{Response, StatusCode};
use serde_json::json;
use shared::id::*;
use shared::kind::journal::{ClockStep, DeviceEvent, RETIRING};
use shared::kind::record::{About, CheckSigned, CriterionResult, DayPass, Outcome, Read};
use shared::kind::{Body, Meaning, Role, Statement};
use shared::log::entry::{Signing, seal};
use shared::log::{Draft, Entry, LogId, Position, Stream, Subject};
use shared::part11::signature::DeviceSecret;
use shared::sync::message::Head;
use shared::time::{ClockReading, HOUR_MS, HybridTime, MINUTE_MS, Timestamp};
use sync_server::core::people::Signer;

fn id(text: &str) -> PersonId {
    PersonId::new(text).unwrap()
}

fn signer(person: &str) -> Signer {
    Signer { person: id(person), secret: format!("{person}-secret") }
}

/// A kiosk reduced to its pen.
struct Kiosk<'e> {
    edge: &'e Edge,
    device: DeviceSecret,
    log: LogId,
    written: Vec<Entry>,
}

impl<'e> Kiosk<'e> {
    fn new(edge: &'e Edge, device: DeviceSecret) -> Self {
        let stream = Stream::record(&SiteId::new("SITE1").unwrap());
        let log = LogId { device: device.key(), incarnation: Incarnation([1; 16]), stream };
        Self { edge, device, log, written: Vec::new() }
    }

    /// Writes what `person` did, signed by all named; the person it is about comes first.
    fn write(&mut self, body: impl Into<Body>, signers: &[(&str, Role, Meaning)]) -> Entry {
        self.write_about(signers[0].0, body, signers)
    }

    fn write_about(&mut self, person: &str, body: impl Into<Body>, signers: &[(&str, Role, Meaning)]) -> Entry {
        let core = &self.edge.core;
        let (now, statement) = (core.now(), Statement { act: core.act(), body: body.into() });
        let mut draft = Draft::new(Subject::person(&id(person)), statement);
        for (person, role, meaning) in signers {
            let signing = Signing {
                signer: id(person),
                printed_name: core.plant().printed_name(&id(person)),
                role: *role,
                meaning: *meaning,
                signed_at: now,
                shown: None,
                credential: None,
            };
            draft = draft.signed_by(signing, &core.unlock(&signer(person)).unwrap());
        }
        let entry = self.seal(&draft, self.written.len(), now);
        self.written.push(entry.clone());
        entry
    }

    fn seal(&self, draft: &Draft, place: usize, now: Timestamp) -> Entry {
        let position = Position {
            log: self.log.clone(),
            counter: place as u64 + 1,
            prev: place.checked_sub(1).map(|before| self.written[before].id()),
            hybrid: HybridTime { ms: now.0, tick: place as u32 },
            clock: ClockReading::exact(now),
            plant: Vec::new(),
        };
        seal(draft, &position, &self.device).unwrap()
    }

    /// Hands in everything, with a clock so far ahead.
    async fn call(&self, further: &[Entry], ahead_ms: i64) {
        let mut up = self.edge.call(&self.device);
        up.wall = up.wall.plus_ms(ahead_ms);
        up.entries = self.written.iter().chain(further).map(|entry| ByteVec::from(entry.bytes().to_vec())).collect();
        let tips = self.written.iter().chain(further).map(Entry::id).next_back().into_iter().collect();
        up.heads = vec![Head { stream: self.log.stream.clone(), tips }];
        self.edge.exchange(&self.device, &up).await;
    }
}

fn about() -> About {
    About {
        requirement: RequirementId::new("R-0042").unwrap(),
        document: Some(DocumentId::new("SOP-0042").unwrap()),
        version: Some(VersionId::new("v6").unwrap()),
    }
}

fn read() -> Read {
    Read { about: about(), content: None, language: Language::new("en").unwrap(), seconds: 412, reached_end: true }
}

fn check() -> CheckSigned {
    CheckSigned {
        about: about(),
        check: CheckId::new("C-0042").unwrap(),
        worksheet: WorksheetId([0; 32]),
        edits: Vec::new(),
        results: vec![CriterionResult { passed: true, measured: None }],
        outcome: Outcome::Passed,
        content: Vec::new(),
        content_digest: Digest32::of(b""),
    }
}

const READER: Meaning = Meaning::ReadAndUnderstood;

async fn sign_up(edge: &Edge) {
    for person in ["helga", "sven", "maria", "ana", "ben", "jonas"] {
        let mut body =
            json!({"person": person, "secret": format!("{person}-secret"), "identity_proof": "identity card"});
        if person != "helga" {
            body["verifier"] = json!({"person": "helga", "secret": "helga-secret"});
        }
        assert_eq!(edge.admin_post("/api/v1/signing-set-up", body).await.status().as_u16(), 201, "{person}");
    }
}

#[tokio::test]
async fn r10_u8_u10_u11_pages_show_signatures_holds_forks_and_how_complete_they_are() {
    let edge = Edge::demo().await;
    sign_up(&edge).await;
    let mut kiosk = Kiosk::new(&edge, DeviceSecret::from_seed([3; 32]));
    edge.enrol(&kiosk.device, "K3", "SEAL").await;
    edge.enrol(&DeviceSecret::from_seed([5; 32]), "K5", "LABEL").await;
    let session = edge.session().await;

    let assessed = [("maria", Role::Operator, Meaning::Performed), ("jonas", Role::Assessor, Meaning::Assessed)];
    kiosk.write(read(), &[("maria", Role::Operator, READER)]);
    kiosk.write(check(), &assessed);
    let pass = DayPass { until: edge.core.now().plus_ms(60 * MINUTE_MS), identification: "known by sight".into() };
    kiosk.write_about("maria", pass, &[("jonas", Role::Supervisor, Meaning::IdentityVerified)]);
    kiosk.call(&[], 0).await;
    let withdrawn = json!({
        "person": "jonas", "requirement": "R-0042", "reason": "certificate lapsed", "by": {"person": "helga", "secret": "helga-secret"}
    });
    assert_eq!(edge.admin_post("/api/v1/assessors/withdraw", withdrawn).await.status().as_u16(), 201);
    kiosk.write(read(), &[("ana", Role::Operator, READER)]);
    kiosk.write(check(), &[("ana", Role::Operator, Meaning::Performed), assessed[1]]);
    kiosk.write(check(), &[("ben", Role::Operator, Meaning::Performed)]);
    // Half a minute more than what the page says: the call takes its time.
    kiosk.call(&[], 3 * MINUTE_MS + MINUTE_MS / 2).await;

    let (_, overview) = edge.page("/", &session).await;
    for words in [
        "On hold, QA review",
        "authority did not cover the time of signing",
        "Ana Márquez",
        "somebody signed off themselves",
        "missing: K5",
        "1 of 2 kiosks",
        "3 min ahead",
        "Never called",
        "Data complete through: unknown",
    ] {
        assert!(overview.contains(words), "{words} is not on the page:\n{overview}");
    }
    let (_, maria) = edge.page("/people/maria", &session).await;
    for words in [
        "Jonas Reuter",
        "assessed",
        "read and understood",
        "Competency check",
        "SOP-0042 v6",
        "K3",
        "Day pass",
        "known by sight",
        "identity verified",
    ] {
        assert!(maria.contains(words), "{words} is not in the record:\n{maria}");
    }
    assert!(maria.contains(" CET<") || maria.contains(" CEST<"), "times carry their zone");

    // The disk of yesterday goes on: two entries at one place.
    let statement = Statement { act: edge.core.act(), body: read().into() };
    let twin = kiosk.seal(&Draft::new(Subject::person(&id("ben")), statement), 2, edge.core.now());
    kiosk.call(&[twin], 0).await;
    let (_, forked) = edge.page("/", &session).await;
    assert!(forked.contains("A log goes on in two ways") && forked.contains("record/SITE1"), "{forked}");
    edge.running.stop().await;
}

#[tokio::test]
async fn u12_r18_the_first_page_points_out_a_clock_that_was_turned() {
    let edge = Edge::demo().await;
    let mut kiosk = Kiosk::new(&edge, DeviceSecret::from_seed([3; 32]));
    kiosk.log.stream = Stream::journal(&KioskName::new("K3").unwrap());
    edge.enrol(&kiosk.device, "K3", "SEAL").await;
    let session = edge.session().await;
    assert!(!edge.page("/", &session).await.1.contains("Clocks that were turned"));
    let now = edge.core.now();
    let step = ClockStep { before: now, after: now.minus_ms(3 * HOUR_MS), why: "set back while off".into() };
    let statement = Statement { act: edge.core.act(), body: step.into() };
    let step = kiosk.seal(&Draft::new(Subject::new("device", kiosk.device.key()), statement), 0, now);
    kiosk.call(&[step], 0).await;
    let (_, page) = edge.page("/", &session).await;
    for words in ["Clocks that were turned", "3 h back", "set back while off", "href=\"/kiosks/K3\""] {
        assert!(page.contains(words), "{words} is not on the page:\n{page}");
    }
    edge.running.stop().await;
}

/// Sends a form as a browser does, from a page of this server or from elsewhere.
async fn send(edge: &Edge, session: &str, path: &str, form: &str, from: &str) -> Response {
    let request = edge.client.post(edge.at(path)).header(COOKIE, session).header("sec-fetch-site", from);
    request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form.to_owned()).send().await.unwrap()
}

/// What a form that was refused is answered with: a page that says what happened, what was kept, what to do.
async fn refused(edge: &Edge, session: &str, path: &str, form: &str, status: u16, because: &str) {
    let answer = send(edge, session, path, form, "same-origin").await;
    assert_eq!(answer.status().as_u16(), status, "{form}");
    let page = answer.text().await.unwrap();
    assert!(page.contains(because) && page.contains("nothing was"), "{form}: {because} is not on the page:\n{page}");
}

#[tokio::test]
async fn s9_two_people_retire_a_kiosk_on_its_page_once_it_gave_everything() {
    let edge = Edge::demo().await;
    sign_up(&edge).await;
    let mut kiosk = Kiosk::new(&edge, DeviceSecret::from_seed([3; 32]));
    kiosk.log.stream = Stream::journal(&KioskName::new("K3").unwrap());
    edge.enrol(&kiosk.device, "K3", "SEAL").await;
    let session = edge.session().await;
    let (page, retire) = ("/kiosks/K3", "/kiosks/K3/retire");
    let both = "first=helga&first_secret=helga-secret&second=sven&second_secret=sven-secret&reason=line+2+is+closed";

    assert!(edge.page("/", &session).await.1.contains("href=\"/kiosks/K3\""), "the overview leads there");
    let (_, before) = edge.page(page, &session).await;
    assert!(
        before.contains("kiosk retire --as") && !before.contains("<form method=\"post\" action=\"/kiosks"),
        "{before}"
    );
    refused(&edge, &session, retire, both, 422, "has not said that it gave everything").await;

    // Its last word is written, and the line breaks before it came through.
    let event = DeviceEvent { what: RETIRING.into(), detail: "by dagmar: line 2 is closed".into() };
    let statement = Statement { act: edge.core.act(), body: event.into() };
    let last = kiosk.seal(&Draft::new(Subject::new("device", kiosk.device.key()), statement), 0, edge.core.now());
    let mut shown = edge.call(&kiosk.device);
    shown.heads = vec![Head { stream: kiosk.log.stream.clone(), tips: vec![last.id()] }];
    edge.exchange(&kiosk.device, &shown).await;
    assert!(edge.page(page, &session).await.1.contains("1 of its logs don"), "what is missing is said");
    refused(&edge, &session, retire, both, 422, "not here").await;
    kiosk.call(&[last], 0).await;

    let (_, ready) = edge.page(page, &session).await;
    assert!(
        ready.contains("action=\"/kiosks/K3/retire\"") && ready.contains("(helga)") && ready.contains("(sven)"),
        "{ready}"
    );
    assert!(!ready.contains("(maria)"), "an operator is not asked");
    refused(&edge, &session, retire, &both.replace("sven", "helga"), 422, "two different people").await;
    refused(&edge, &session, retire, &both.replace("sven", "maria"), 422, "may not retire").await;
    refused(&edge, &session, retire, &both.replace("line+2+is+closed", "+"), 422, "needs a reason").await;
    refused(&edge, &session, retire, &both.replace("sven-secret", "sven-mistyped"), 403, "counted").await;
    refused(&edge, &session, retire, "first=helga", 400, "could not be read").await;
    assert_eq!(send(&edge, &session, retire, both, "cross-site").await.status(), StatusCode::FORBIDDEN);
    assert_eq!(send(&edge, "", retire, both, "same-origin").await.headers()[LOCATION], "/login");
    assert!(
        edge.page(page, &session).await.1.contains("action=\"/kiosks/K3/retire\""),
        "nothing of that changed anything"
    );

    let done = send(&edge, &session, retire, both, "same-origin").await;
    assert_eq!((done.status(), done.headers()[LOCATION].to_str().unwrap()), (StatusCode::SEE_OTHER, page));
    let (_, after) = edge.page(page, &session).await;
    assert!(
        after.contains("It has left for good") && !after.contains("<form method=\"post\" action=\"/kiosks"),
        "{after}"
    );
    refused(&edge, &session, retire, both, 422, "no kiosk in use").await;
    assert_eq!(edge.page("/kiosks/K99", &session).await.0, StatusCode::NOT_FOUND);
    edge.running.stop().await;
}

#[tokio::test]
async fn r15_a_lost_badge_is_ended_on_the_persons_page_and_it_says_who_has_heard() {
    let edge = Edge::demo().await;
    sign_up(&edge).await;
    edge.enrol(&DeviceSecret::from_seed([3; 32]), "K3", "SEAL").await;
    let session = edge.session().await;
    let (page, badge) = ("/people/maria", "/people/maria/badge");
    let form = "person=jonas&secret=jonas-secret&since=2026-03-02T05:00&reason=left+on+the+bus";

    assert!(edge.page(page, &session).await.1.contains("href=\"/people/maria/badge\""), "the record leads there");
    let (_, empty) = edge.page(badge, &session).await;
    assert!(empty.contains("(jonas)") && empty.contains("Europe/Berlin") && !empty.contains("(ben)"), "{empty}");
    refused(&edge, &session, badge, &form.replace("jonas", "ben"), 422, "may not do this").await;
    refused(&edge, &session, badge, &form.replace("jonas-secret", "jonas-mistyped"), 403, "counted").await;
    refused(&edge, &session, badge, &form.replace("left+on+the+bus", ""), 422, "needs a reason").await;
    refused(&edge, &session, badge, &form.replace("2026", "3026"), 422, "in the future").await;
    refused(&edge, &session, badge, &form.replace("T05:00", ""), 400, "is no date and time").await;
    refused(&edge, &session, badge, "person=jonas", 400, "could not be read").await;
    assert_eq!(send(&edge, &session, badge, form, "cross-site").await.status(), StatusCode::FORBIDDEN);
    assert_eq!(edge.core.badge_refused_at(&id("maria")).unwrap(), None, "nothing of that ended it");

    let done = send(&edge, &session, badge, form, "same-origin").await;
    assert_eq!((done.status(), done.headers()[LOCATION].to_str().unwrap()), (StatusCode::SEE_OTHER, page));
    let (_, after) = edge.page(page, &session).await;
    assert!(after.contains("Badge disabled") && after.contains("has not heard of it yet"), "{after}");
    let about = store::shelf::entries_about(edge.core.ledger().connection(), "person:maria").unwrap();
    let said = about.iter().find_map(|entry| match entry.statement().ok()??.body {
        Body::BadgeDisabled(body) => Some(body),
        _ => None,
    });
    let since = said.and_then(|said| said.since).unwrap();
    assert_eq!(since.to_string(), "2026-03-02T04:00:00Z", "five in the morning, as the site's clock shows it");
    assert!(edge.page(badge, &session).await.1.contains("disabled already"));
    refused(&edge, &session, badge, form, 422, "disabled already").await;
    assert_eq!(edge.page("/people/nobody/badge", &session).await.0, StatusCode::NOT_FOUND);
    edge.running.stop().await;
}

#[tokio::test]
async fn r14_the_first_page_says_whose_keys_a_kiosk_that_left_may_open_are_still_to_be_sealed_anew() {
    let edge = Edge::demo().await;
    sign_up(&edge).await;
    edge.enrol(&DeviceSecret::from_seed([5; 32]), "K5", "LABEL").await;
    let session = edge.session().await;
    let (said, words) =
        (async || edge.page("/", &session).await.1, "keys are sealed under a pepper that a kiosk which left");
    assert!(!said().await.contains(words));
    edge.core.revoke_kiosk(&KioskName::new("K5").unwrap(), "stolen", None).unwrap();
    let overview = said().await;
    assert!(overview.contains(words) && overview.contains("6 of 6 people"), "{overview}");
    for (person, left) in [("helga", "5 of 6 people"), ("maria", "4 of 6 people")] {
        edge.core.unlock(&signer(person)).unwrap();
        assert!(said().await.contains(left));
    }
    edge.running.stop().await;
}
