//! The pages from outside, over a plant where things have happened: sign-offs that count, that are on hold, that are set aside, a fork.

mod common;

use common::Edge;
use minicbor::bytes::ByteVec;
use serde_json::json;
use shared::id::*;
use shared::kind::record::{About, CheckSigned, CriterionResult, Outcome, Read};
use shared::kind::{Body, Meaning, Role, Statement};
use shared::log::entry::{Signing, seal};
use shared::log::{Draft, Entry, LogId, Position, Stream, Subject};
use shared::part11::signature::DeviceSecret;
use shared::sync::message::Head;
use shared::time::{ClockReading, HybridTime, MINUTE_MS, Timestamp};
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
        let core = &self.edge.core;
        let (now, statement) = (core.now(), Statement { act: core.act(), body: body.into() });
        let mut draft = Draft::new(Subject::person(&id(signers[0].0)), statement);
        for (person, role, meaning) in signers {
            let signing = Signing {
                signer: id(person),
                printed_name: core.plant().printed_name(&id(person)),
                role: *role,
                meaning: *meaning,
                signed_at: now,
                shown: None,
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
    for person in ["helga", "maria", "ana", "ben", "jonas"] {
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
    for words in ["Jonas Reuter", "assessed", "read and understood", "Competency check", "SOP-0042 v6", "K3"] {
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
