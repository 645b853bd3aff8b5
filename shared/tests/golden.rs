//! The format is frozen: the same statements, keys and places give the same bytes as ever (R3).
//!
//! `UPDATE_GOLDEN=1` rewrites the vectors; a change of an existing line is a change of the format and breaks every log in the field.

use shared::id::*;
use shared::kind::plant::*;
use shared::kind::record::*;
use shared::kind::{Body, Meaning, Role, Statement, presence};
use shared::log::entry::{Credential, Signing, seal};
use shared::log::{Draft, Entry, LogId, Position, Revision, Stream, Subject, Unverified};
use shared::part11::signature::{DeviceSecret, PersonSecret};
use shared::time::{ClockReading, HybridTime, Span, Timestamp};

fn id<T: std::str::FromStr<Err = BadId>>(text: &str) -> T {
    text.parse().unwrap()
}

fn position(stream: Stream, counter: u64) -> Position {
    Position {
        log: LogId { device: DeviceSecret::from_seed([7; 32]).key(), incarnation: Incarnation([3; 16]), stream },
        counter,
        prev: (counter > 1).then_some(EntryId([9; 32])),
        hybrid: HybridTime { ms: 1_772_400_000_000, tick: 2 },
        clock: ClockReading { wall: Timestamp(1_772_400_000_000), uncertainty_ms: 250 },
        plant: vec![Revision {
            stream: Stream::plant_global(),
            epoch: Incarnation([4; 16]),
            number: 345,
            chain: Digest32([5; 32]),
        }],
    }
}

type Signers<'s> = &'s [(&'s str, Role, Meaning)];

fn draft(subject: Subject, body: impl Into<Body>, signers: Signers<'_>) -> Draft {
    draft_by(subject, body, signers, None)
}

fn draft_by(subject: Subject, body: impl Into<Body>, signers: Signers<'_>, credential: Option<Credential>) -> Draft {
    let statement = Statement { act: ActId([1; 16]), body: body.into() };
    let mut draft = Draft::new(subject, statement).having_seen([EntryId([8; 32])]);
    for (place, (person, role, meaning)) in signers.iter().enumerate() {
        let signing = Signing {
            signer: id(person),
            printed_name: format!("{person} Ödegård"),
            role: *role,
            meaning: *meaning,
            signed_at: Timestamp(1_772_400_000_000),
            shown: (place == 0).then_some(Digest32([6; 32])),
            credential,
        };
        draft = draft.signed_by(signing, &PersonSecret::from_seed([place as u8 + 20; 32]));
    }
    draft
}

fn vectors() -> Vec<Entry> {
    let device = DeviceSecret::from_seed([7; 32]);
    let about = About { requirement: id("R-0042"), document: Some(id("SOP-0042")), version: Some(id("v7")) };
    let maria = Subject::new("person", "maria");
    let subject = maria.clone();
    let record = Stream::record(&id("SITE1"));
    let both = [("maria", Role::Operator, Meaning::Performed), ("jonas", Role::Assessor, Meaning::Assessed)];
    let person = PersonSet {
        person: id("nguyen"),
        printed_name: "Nguyễn Thị Minh Châu".into(),
        site: id("SITE1"),
        language: id("vi"),
        badge: Some(BadgeHash([2; 32])),
        email: None,
        active: Span { from: Some(Timestamp(0)), until: None },
        leave: Span::ALWAYS,
        further_sites: Vec::new(),
    };
    let approved = VersionApproved {
        document: id("SOP-0042"),
        version: id("v7"),
        approved_at: Timestamp(1_772_300_000_000),
        effective_from: Timestamp(1_772_427_600_000),
        impact: Impact::Some(vec![ActivityKind::Read, ActivityKind::Quiz]),
        impact_reason: None,
        in_flight: InFlight::Stop,
        initial_assessors: vec![id("eva")],
        approved_by: None,
        draft: Some(EntryId([8; 32])),
        review: None,
    };
    let read = Read {
        about: about.clone(),
        content: Some(Digest32([6; 32])),
        language: id("en"),
        seconds: 240,
        reached_end: true,
    };
    let edit = SheetEdit {
        worksheet: WorksheetId([10; 32]),
        parents: Vec::new(),
        at: Timestamp(1_772_400_000_000),
        author: id("jonas"),
        edits: vec![Edit::Tick("4".into(), true), Edit::Insert(0, "good seal".into())],
    };
    let check = CheckSigned {
        about,
        check: id("C-0042"),
        worksheet: WorksheetId([10; 32]),
        edits: vec![EntryId([8; 32])],
        results: vec![CriterionResult { passed: true, measured: Some("148.5".into()) }],
        outcome: Outcome::Passed,
        content: vec![0xa0],
        content_digest: Digest32::of(&[0xa0]),
    };
    let text = Digest32([11; 32]);
    let accountable = AccountabilitySigned { version: 1, language: id("en"), text };
    let accepted = [("maria", Role::Operator, Meaning::SigningAccepted)];
    let author = [("maria", Role::Operator, Meaning::ReadAndUnderstood)];
    let until = Timestamp(1_772_430_000_000);
    let pass = DayPass { until, identification: "known by sight".into() };
    let lost = BadgeLost { badge: BadgeHash([2; 32]), reason: "left on the bus".into(), since: Some(Timestamp(9)) };
    let vouches = [("jonas", Role::Supervisor, Meaning::IdentityVerified)];
    let reports = [("maria", Role::Operator, Meaning::Reported)];
    let by_badge = Some(Credential::Badge(BadgeHash([2; 32])));
    let by_pass = Some(Credential::DayPass(EntryId([12; 32])));
    [
        (Stream::plant_global(), 1, draft(Subject::new("person", "nguyen"), person, &[])),
        (Stream::plant_global(), 2, draft(Subject::new("document", "SOP-0042"), approved, &both)),
        (record.clone(), 1, draft(maria.clone(), read, &author)),
        (record.clone(), 2, draft(maria.clone(), edit, &[])),
        (record.clone(), 3, draft(maria.clone(), check, &both)),
        (Stream::presence(&id("SITE1")), 1, draft(maria, presence::SecretFailed { attempt: 3 }, &[])),
        (record.clone(), 4, draft(subject.clone(), accountable, &accepted)),
        (record.clone(), 5, draft_by(subject.clone(), pass, &vouches, by_badge)),
        (record, 6, draft_by(subject, lost, &reports, by_pass)),
    ]
    .into_iter()
    .map(|(stream, counter, draft)| seal(&draft, &position(stream, counter), &device).unwrap())
    .collect()
}

#[test]
fn r3_entries_of_every_schema_still_have_their_bytes() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/entries.txt");
    let now: String = vectors()
        .iter()
        .map(|entry| format!("{} {} {}\n", entry.header().kind, entry.id(), hex(entry.bytes())))
        .collect();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, &now).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap(), now);
}

#[test]
fn r11_flipping_any_byte_of_an_entry_is_noticed() {
    for entry in vectors() {
        let mut bytes = entry.bytes().to_vec();
        for place in 0..bytes.len() {
            bytes[place] ^= 1;
            let still_good = Unverified::read(&bytes).ok().and_then(Unverified::signed);
            assert!(still_good.is_none(), "byte {place} of {}", entry.header().kind);
            bytes[place] ^= 1;
        }
        assert!(entry.blocks_verify());
    }
}
