#![doc = include_str!("../../docs/evidence.md")]

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::entry::{BadEntry, Entry, Unverified, framed};
use crate::id::*;
use crate::part11::signature::{DeviceSecret, ENTRY_TYPE, verify};
use crate::time::Timestamp;

/// What the server signs of a bundle.
pub const MANIFEST_TYPE: &str = "application/vnd.lineproof.evidence.v1+json";
/// The form this version writes.
pub const FORM: u32 = 1;
/// Longest line, in bytes: an entry in base64 with its numbers, or the manifest of a large plant.
pub const MAX_LINE_BYTES: usize = 64 * 1024 * 1024;

/// What the server says of the whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    pub form: u32,
    pub server: DeviceKey,
    pub made_at: Timestamp,
    pub entries: u64,
    /// Where each log ends: what is cut off there is missed.
    pub tips: Vec<Tip>,
    /// Where each order ends, with its chain.
    pub orders: Vec<OrderEnd>,
    /// "Data complete through": what every kiosk in use had written up to here is in it.
    pub complete_through: Option<Timestamp>,
    /// Kiosks that have never told everything.
    pub unknown: Vec<KioskName>,
}

/// The last entry of a log, or of one of its branches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tip {
    pub log: String,
    pub counter: u64,
    pub entry: EntryId,
}

/// The end of the server's order of one stream in one epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrderEnd {
    pub stream: String,
    pub epoch: Incarnation,
    pub number: u64,
    pub chain: Digest32,
}

/// An entry's number in the server's order of its stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Number {
    pub epoch: Incarnation,
    pub number: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope {
    payload: String,
    #[serde(rename = "payloadType")]
    payload_type: String,
    signatures: [Sealed; 1],
    #[serde(default, skip_serializing_if = "Option::is_none")]
    entry: Option<EntryId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    order: Option<Vec<Number>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sealed {
    keyid: String,
    sig: String,
}

/// A line that was read. Of an entry nothing is believed yet.
#[derive(Debug)]
pub enum Line {
    Manifest(Box<Manifest>),
    Entry { unverified: Box<Unverified>, order: Vec<Number> },
}

/// Why a line is not what was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadLine {
    #[error("it is no line of an evidence bundle: {0}")]
    Form(String),
    #[error("it is spelled otherwise than it was written")]
    Spelling,
    #[error("its bytes were altered: they don't have the hash of the entry it names, {0}")]
    Altered(EntryId),
    #[error("the entry {0} can't be read: {1}")]
    Entry(EntryId, BadEntry),
    #[error("it names another key than the one that wrote it")]
    Key,
    #[error("the server's signature is not good")]
    Signature,
}

impl Manifest {
    /// The bundle's first line.
    pub fn seal(&self, server: &DeviceSecret) -> String {
        // A struct of texts and numbers always has a spelling in JSON.
        let payload = serde_json::to_vec(self).expect("a manifest in JSON");
        let signature = server.sign(MANIFEST_TYPE, &payload);
        line(&payload, MANIFEST_TYPE, &server.key(), &signature, None, None)
    }
}

/// An entry's line.
pub fn entry_line(entry: &Entry, order: Vec<Number>) -> String {
    let (payload, signature) = entry.frame();
    line(&payload, ENTRY_TYPE, &entry.log().device, &signature, Some(entry.id()), Some(order))
}

fn line(
    payload: &[u8],
    payload_type: &str,
    key: &DeviceKey,
    signature: &Signature,
    entry: Option<EntryId>,
    order: Option<Vec<Number>>,
) -> String {
    let sealed = Sealed { keyid: key.to_string(), sig: STANDARD.encode(signature.0) };
    let payload_type = payload_type.to_owned();
    let envelope = Envelope { payload: STANDARD.encode(payload), payload_type, signatures: [sealed], entry, order };
    serde_json::to_string(&envelope).expect("an envelope in JSON")
}

/// Reads a line. A manifest that is given was signed by the server it names; whether that is the right one is another question.
pub fn read_line(text: &str) -> Result<Line, BadLine> {
    let form = |why: &dyn std::fmt::Display| BadLine::Form(why.to_string());
    let envelope: Envelope = serde_json::from_str(text).map_err(|why| form(&why))?;
    if serde_json::to_string(&envelope).map_err(|why| form(&why))? != text {
        return Err(BadLine::Spelling);
    }
    let payload = STANDARD.decode(&envelope.payload).map_err(|why| form(&why))?;
    let [Sealed { keyid, sig }] = &envelope.signatures;
    let sig: [u8; 64] =
        STANDARD.decode(sig).ok().and_then(|sig| sig.try_into().ok()).ok_or_else(|| form(&"no signature"))?;
    match (envelope.payload_type.as_str(), envelope.entry) {
        (MANIFEST_TYPE, None) => read_manifest(&payload, keyid, Signature(sig)),
        (ENTRY_TYPE, Some(named)) => {
            let bytes = framed(&payload, Signature(sig));
            if EntryId::of(&bytes) != named {
                return Err(BadLine::Altered(named));
            }
            let unverified = Unverified::read(&bytes).map_err(|why| BadLine::Entry(named, why))?;
            if unverified.peek().log().device.to_string() != *keyid {
                return Err(BadLine::Key);
            }
            Ok(Line::Entry { unverified: Box::new(unverified), order: envelope.order.unwrap_or_default() })
        }
        (other, _) => Err(form(&format!("{other} is not expected there"))),
    }
}

fn read_manifest(payload: &[u8], keyid: &str, signature: Signature) -> Result<Line, BadLine> {
    let manifest: Manifest = serde_json::from_slice(payload).map_err(|why| BadLine::Form(why.to_string()))?;
    if manifest.form != FORM {
        return Err(BadLine::Form(format!("form {} is not known here", manifest.form)));
    }
    if manifest.server.to_string() != keyid {
        return Err(BadLine::Key);
    }
    if !verify(&manifest.server.0, MANIFEST_TYPE, payload, &signature) {
        return Err(BadLine::Signature);
    }
    Ok(Line::Manifest(Box::new(manifest)))
}
