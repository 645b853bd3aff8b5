//! What people and devices bring to a terminal: badges, sealed boxes, set-up.

use kiosk::core::badge::{BadgeSeen, PersonSeen};
use kiosk::presenter::message::{Event, Reply, What};
use kiosk::presenter::{Presenter, Settings};
use minicbor::bytes::ByteVec;
use shared::id::*;
use shared::kind::plant::KeyStoreKind;
use shared::kind::to_cbor;
use shared::part11::badge::BadgeFormat;
use shared::part11::boxes::{BoxRandom, SealedBox, Stretching, badge_hash};
use shared::part11::enrolment::{EnrolAnswer, EnrolRequest, code_key, kiosk_proof, server_proof};
use shared::part11::pepper::{Pepper, PepperEpoch};
use shared::part11::signature::{DeviceSecret, PersonSecret};
use shared::part11::strength::SecretKind;
use shared::time::Timestamp;

use crate::world::world;
use crate::{Verdict, refused};

const PEPPER: Pepper = Pepper([9; 32]);
const UNDER: (PepperEpoch, &Pepper) = (PepperEpoch::FIRST, &PEPPER);
const LATER: PepperEpoch = PepperEpoch(1 << 48 | 7);
const RANDOM: BoxRandom = BoxRandom { salt: [1; 16], nonce: [2; 24] };

fn maria() -> PersonId {
    PersonId::new("maria").expect("an id of ours")
}

/// A box as it comes with an exchange: opened as a person's and as the site's. It never opens when one byte of it differs.
pub fn sealed_box(bytes: &[u8]) -> Verdict {
    let sealed: SealedBox = match minicbor::decode(bytes) {
        Ok(sealed) => sealed,
        Err(why) => return refused(why),
    };
    let read: SealedBox = minicbor::decode(&to_cbor(&sealed)).expect("what was written can be read");
    assert_eq!(read, sealed);
    // What a box may cost is bounded by the product; here by patience.
    let cheap = sealed.stretching.is_none_or(|cost| cost.memory_kib <= 64 && cost.passes <= 2);
    let dear = sealed.stretching.is_some_and(|cost| cost.memory_kib > 256 * 1024 || cost.passes > 16);
    let key = PersonSecret::from_seed([7; 32]);
    if cheap || dear {
        let opened = sealed.open_person(&maria(), key.key(), "maria-secret", &PEPPER);
        assert_eq!(opened.is_ok(), sealed == person_box() || sealed == sealed_anew(), "only the very boxes open");
    }
    let site = sealed.open_site("quiz/Q-0042", &PEPPER);
    assert!(site.is_err() || site_box(&site.unwrap_or_default()) == sealed, "only the very box opens");
    Verdict::Accepted
}

fn person_box() -> SealedBox {
    let key = PersonSecret::from_seed([7; 32]);
    SealedBox::of_person(&maria(), &key, "maria-secret", UNDER, Stretching::TESTS, RANDOM).expect("it can be sealed")
}

fn sealed_anew() -> SealedBox {
    let (key, random) = (PersonSecret::from_seed([7; 32]), BoxRandom { salt: [3; 16], nonce: [4; 24] });
    person_box().anew(&maria(), &key, "maria-secret", (LATER, &PEPPER), random).expect("it can be sealed")
}

fn site_box(plain: &[u8]) -> SealedBox {
    SealedBox::of_site("quiz/Q-0042", plain, UNDER, RANDOM).expect("it can be sealed")
}

pub fn boxes() -> Vec<Vec<u8>> {
    vec![to_cbor(&person_box()), to_cbor(&sealed_anew()), to_cbor(&site_box(b"answers")), to_cbor(&site_box(b""))]
}

/// Either half of terminal set-up, as a stranger may send it.
pub fn enrolment(bytes: &[u8]) -> Verdict {
    if let Some(request) = EnrolRequest::read(bytes) {
        let again = EnrolRequest::read(&to_cbor(&request)).expect("what was written can be read");
        assert_eq!(to_cbor(&again), to_cbor(&request));
        return Verdict::Accepted;
    }
    match EnrolAnswer::read(bytes) {
        Some(answer) => {
            let again = EnrolAnswer::read(&to_cbor(&answer)).expect("what was written can be read");
            assert_eq!(to_cbor(&again), to_cbor(&answer));
            Verdict::Accepted
        }
        None => refused("neither request nor answer"),
    }
}

pub fn enrolments() -> Vec<Vec<u8>> {
    let (code, device) = (code_key("ABCD-EFGH-2345"), DeviceSecret::from_seed([3; 32]).key());
    let (authority, server) = (Digest32([8; 32]), world().server.key());
    let request =
        |key_store| EnrolRequest { device, key_store, proof: kiosk_proof(&code, &device, &authority), authority };
    let mut answer = EnrolAnswer {
        server,
        enrolment: ByteVec::from(world().others_enrolment.bytes().to_vec()),
        pepper: PEPPER,
        proof: Digest32([0; 32]),
        later: Some(vec![(LATER, PEPPER)]),
    };
    answer.proof = server_proof(&code, &device, &authority, &answer);
    vec![to_cbor(&request(KeyStoreKind::File)), to_cbor(&answer)]
}

/// What is typed, scanned and touched at a terminal, key by key: one byte of time, one of what is done, then what it is done with up to a zero.
pub fn badge(bytes: &[u8]) -> Verdict {
    let mut presenter = Presenter::new(Timestamp(0), Settings::default());
    let (mut now, mut looked_up) = (Timestamp(0), false);
    for part in bytes.split(|byte| *byte == 0).take(64) {
        let [pause, what, text @ ..] = part else { continue };
        now = now.plus_ms(i64::from(*pause).pow(2));
        let text = String::from_utf8_lossy(text).into_owned();
        let event = match what {
            b't' => Event::Tap(text),
            b' ' => Event::Tick,
            b'f' => {
                let (field, text) = text.split_once('=').unwrap_or(("lot", &text));
                Event::Typed { field: field.into(), text: text.into() }
            }
            _ => {
                normal_forms(&text);
                Event::Key(text)
            }
        };
        let mut open = presenter.handle(event, now);
        // Each answer may ask for more; a terminal's core answers in the same way.
        for _ in 0..8 {
            let Some(command) = open.pop() else { break };
            let reply = match &command.what {
                What::LookUp { badge } => {
                    looked_up = true;
                    assert!(badge.0.trim() == badge.0 && badge.0.chars().count() <= 512, "a badge is a short text");
                    assert_ne!(badge_hash(&PEPPER, &badge.0).0, [0; 32]);
                    Reply::Badge(seen(&badge.0))
                }
                _ => Reply::Done,
            };
            assert!(!format!("{command:?}").contains("04A1B2C3"), "no badge is printed");
            open.extend(presenter.handle(Event::Reply { request: command.request, reply }, now));
        }
        drop(presenter.view());
    }
    if looked_up { Verdict::Accepted } else { refused("nothing was scanned") }
}

/// What is typed, as each make of reader may mean it.
fn normal_forms(typed: &str) {
    for format in ["hex", "hex-reversed", "decimal", "decimal-reversed", "hex:5", "decimal-reversed:16"] {
        let format: BadgeFormat = format.parse().expect("a format of ours");
        if let Ok(number) = format.normal(typed.trim()) {
            let whole = number.len() % 2 == 0 && (8..=32).contains(&number.len());
            assert!(
                whole && number.bytes().all(|b| b.is_ascii_digit() || (b'A'..=b'F').contains(&b)),
                "it is whole bytes"
            );
        }
    }
}

fn seen(badge: &str) -> BadgeSeen {
    match badge {
        "04A1B2C3" | "04A1B2C4" => BadgeSeen::Person(PersonSeen {
            person: PersonId::new(if badge.ends_with('3') { "maria" } else { "jonas" }).expect("an id of ours"),
            printed_name: badge.replace("04A1B2C", "Person "),
            language: Language::new("de").expect("an id of ours"),
            locked_out: false,
            secret: Some(SecretKind::Passphrase),
        }),
        "LOST" => BadgeSeen::Disabled { reason: "lost".into() },
        _ => BadgeSeen::Unknown,
    }
}

pub fn badges() -> Vec<Vec<u8>> {
    let scans: [&[&[u8]]; 6] = [
        &[b"\x01k04A1B2C3\n"],
        &[b"\x01kLOST\n", b"\x14kUNKNOWN\r"],
        &[b"\x01k04A1", b"\x02kB2C3\n", b"\x20taction:sign-out"],
        &[b"\x01k04A1B2C3\n", b"\x20k04A1B2C4\n", b"\x20tswap:switch"],
        &[b"\x01k04A1B2C3\n", b"\x10taction:lot", b"\x10flot=881", b"\x10tnext", b"\x10 "],
        &[b"\x01k04A1B2C3\n", b"\x10taction:status", b"\x10taction:language", b"\x10taction:back", b"\xff "],
    ];
    scans.iter().map(|parts| parts.join(&0)).collect()
}
