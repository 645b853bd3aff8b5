//! Inputs that the fuzz targets kept, as an enrolled terminal would say them in calls of its own.

use std::path::Path;

use minicbor::bytes::ByteVec;
use minicbor::{Decoder, Encoder};
use shared::id::*;
use shared::kind::record::{About, CheckSigned, Outcome};
use shared::kind::{Body, IfUnknown, KINDS, Statement, to_cbor};
use shared::log::entry::{Header, SCHEMA, framed};
use shared::log::{LogId, Stream, Subject};
use shared::part11::pepper::PepperEpoch;
use shared::part11::signature::{DeviceSecret, ENTRY_TYPE};
use shared::sync::BoxRow;
use shared::sync::message::Give;
use shared::time::{HybridTime, Timestamp};

/// Every input that the fuzz target of this name has kept, with the name of its file.
pub fn corpus(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fuzz/corpus").join(target);
    let files = std::fs::read_dir(&folder).unwrap_or_else(|why| panic!("{}: {why}", folder.display()));
    let named = |path: std::path::PathBuf| (path.display().to_string(), std::fs::read(&path).unwrap());
    files.map(|file| named(file.unwrap().path())).collect()
}

/// What a terminal says of one input.
#[derive(Debug, Default)]
pub struct Said {
    pub entries: Vec<ByteVec>,
    pub enrolments: Vec<ByteVec>,
    pub boxes: Vec<BoxRow>,
}

/// Targets of which [`Voice::say`] makes calls.
pub const SAYABLE: [&str; 7] =
    ["entry", "record", "plant-entries", "worksheet-edit", "sheet-content", "give", "sealed-box"];

/// A terminal's key, and what it has said so far: each input stands in logs of its own, so that none waits for another.
pub struct Voice<'d> {
    pub device: &'d DeviceSecret,
    pub now: Timestamp,
    pub logs: u64,
}

impl Voice<'_> {
    /// What this terminal says of an input of that target.
    pub fn say(&mut self, target: &str, input: &[u8]) -> Said {
        match target {
            "entry" => Said { entries: self.in_own_name([input]), ..Said::default() },
            "record" | "plant-entries" => Said { entries: self.log(items(input)), ..Said::default() },
            "worksheet-edit" => {
                let edits = values(input).into_iter().map(|edit| ("sheet_edit", statement(&edit)));
                Said { entries: self.log(edits.collect()), ..Said::default() }
            }
            "sheet-content" => {
                let signed = Statement { act: ActId([1; 16]), body: signed_sheet(input) };
                Said { entries: self.log(vec![("check_signed", signed.to_bytes())]), ..Said::default() }
            }
            "give" => match Give::read(input) {
                Ok(Give { enrolments, entries, .. }) => {
                    let payloads: Vec<Vec<u8>> = entries.iter().filter_map(|entry| payload(entry)).collect();
                    Said {
                        entries: self.in_own_name(payloads.iter().map(Vec::as_slice)),
                        enrolments,
                        ..Said::default()
                    }
                }
                Err(_) => Said::default(),
            },
            "sealed-box" => {
                let row =
                    |name: &str| BoxRow { name: name.into(), epoch: PepperEpoch::FIRST, bytes: input.to_vec().into() };
                Said { boxes: vec![row("person/maria"), row("quiz/Q-0042")], ..Said::default() }
            }
            other => panic!("nobody can say {other}"),
        }
    }

    fn next_log(&mut self) -> LogId {
        self.logs += 1;
        let mut incarnation = [b'k'; 16];
        incarnation[..8].copy_from_slice(&self.logs.to_be_bytes());
        let stream = Stream::record(&SiteId::new("SITE1").unwrap());
        LogId { device: self.device.key(), incarnation: Incarnation(incarnation), stream }
    }

    /// A log of these bodies, whatever they say.
    fn log(&mut self, bodies: Vec<(&str, Vec<u8>)>) -> Vec<ByteVec> {
        let (log, now) = (self.next_log(), self.now);
        let mut written: Vec<ByteVec> = Vec::new();
        for ((kind, body), counter) in bodies.into_iter().zip(1u64..) {
            let header = Header {
                schema: SCHEMA,
                log: log.clone(),
                counter,
                prev: written.last().map(|before| EntryId::of(before)),
                hybrid: HybridTime { ms: now.0, tick: counter as u32 },
                wall: now,
                uncertainty_ms: 0,
                plant: vec![],
                kind: kind.into(),
                subject: Subject::new("person", "maria"),
                seen: vec![],
                if_unknown: IfUnknown::Deny,
            };
            let no_blocks = [0u8; 0];
            written.push(self.signed(&to_cbor(&(header, ByteVec::from(body), no_blocks))));
        }
        written
    }

    /// Payloads as they are but for their author; and each again as the first of a log, so that it is held and judged.
    fn in_own_name<'p>(&mut self, payloads: impl IntoIterator<Item = &'p [u8]>) -> Vec<ByteVec> {
        let mut said = Vec::new();
        for payload in payloads {
            let Some((header, rest)) = header(payload) else { continue };
            let LogId { incarnation, stream, .. } = header.log.clone();
            let named = Header { log: LogId { device: self.device.key(), incarnation, stream }, ..header.clone() };
            said.push(self.signed(&[&[0x83][..], &to_cbor(&named), rest].concat()));
            let first = Header { log: self.next_log(), counter: 1, prev: None, wall: self.now, ..header };
            said.push(self.signed(&[&[0x83][..], &to_cbor(&first), rest].concat()));
        }
        said
    }

    fn signed(&self, payload: &[u8]) -> ByteVec {
        framed(payload, self.device.sign(ENTRY_TYPE, payload)).into()
    }
}

/// A payload's header, and what stands behind it.
fn header(payload: &[u8]) -> Option<(Header, &[u8])> {
    let mut decoder = Decoder::new(payload);
    decoder.array().ok()?;
    let header = decoder.decode().ok()?;
    Some((header, &payload[decoder.position()..]))
}

/// What an entry's signature covers.
fn payload(entry: &[u8]) -> Option<Vec<u8>> {
    let mut decoder = Decoder::new(entry);
    decoder.array().ok()?;
    decoder.bytes().ok().map(<[u8]>::to_vec)
}

/// Kind, flags, length of the content in two bytes, content; again and again.
fn items(mut bytes: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let mut items = Vec::new();
    while let Some((&[kind, _, above, below], rest)) = bytes.split_first_chunk() {
        let length = usize::from(u16::from_be_bytes([above, below])).min(rest.len());
        let (content, rest) = rest.split_at(length);
        items.push((KINDS[usize::from(kind) % KINDS.len()].name, statement(content)));
        bytes = rest;
    }
    items
}

/// One act and these bytes, which may say anything.
fn statement(content: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes);
    encoder.array(2).unwrap().encode(ActId([1; 16])).unwrap().bytes(content).unwrap();
    bytes
}

/// CBOR values one after another; what follows the last that is whole is one more.
fn values(bytes: &[u8]) -> Vec<Vec<u8>> {
    let (mut decoder, mut values) = (Decoder::new(bytes), Vec::new());
    while decoder.position() < bytes.len() {
        let from = decoder.position();
        let to = if decoder.skip().is_ok() { decoder.position() } else { bytes.len() };
        values.push(bytes[from..to].to_vec());
        decoder.set_position(to);
    }
    values
}

/// A sign-off that carries this for its worksheet.
fn signed_sheet(content: &[u8]) -> Body {
    Body::from(CheckSigned {
        about: About {
            requirement: "R-0042".parse().unwrap(),
            document: Some("SOP-0042".parse().unwrap()),
            version: Some("v7".parse().unwrap()),
        },
        check: "C-0042".parse().unwrap(),
        worksheet: WorksheetId([9; 32]),
        edits: Vec::new(),
        results: Vec::new(),
        outcome: Outcome::Passed,
        content: content.to_vec(),
        content_digest: Digest32::of(content),
    })
}
