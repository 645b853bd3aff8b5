//! The entry: a small immutable value, encoded once, kept and hashed as those exact bytes.
//!
//! Wire form: CBOR array of two byte strings, the *payload* (array of header, body, signature blocks) and the device's signature
//! over it. The entry's id is the SHA-256 of the whole.

use std::fmt;
use std::sync::Arc;

use minicbor::decode::{Decoder, Error as DecodeError};
use minicbor::encode::{Encoder, Error as EncodeError, Write};
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::canonical;
use crate::id::{checked, *};
use crate::kind::{BadBody, Family, IfUnknown, Meaning, Role, Statement, row, to_cbor};
use crate::part11::signature::{Batch, DeviceSecret, ENTRY_TYPE, PersonSecret, STATEMENT_TYPE, verify};
use crate::time::{ClockReading, HybridTime, Timestamp};

/// The schema this version writes.
pub const SCHEMA: u8 = 1;
/// Largest entry, in bytes.
pub const MAX_ENTRY_BYTES: usize = 16 * 1024;
/// Most heads an entry may name as seen.
pub const MAX_SEEN: usize = 8;
/// Most signature blocks on one entry.
pub const MAX_BLOCKS: usize = 4;
/// Most plant streams an entry may name a revision of.
pub const MAX_REVISIONS: usize = 8;

/// A stream: a family and its scope (`plant/global`, `record/SITE1`, `journal/K3`).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stream {
    pub family: Family,
    pub scope: Arc<str>,
}

impl Family {
    pub const ALL: [(Self, &'static str); 6] = [
        (Self::Plant, "plant"),
        (Self::Office, "office"),
        (Self::Record, "record"),
        (Self::Presence, "presence"),
        (Self::Journal, "journal"),
        (Self::Visiting, "visiting"),
    ];

    pub fn word(self) -> &'static str {
        Self::ALL.into_iter().find(|(family, _)| *family == self).map_or("", |(_, word)| word)
    }

    /// Whether only a server writes streams of this family.
    pub fn is_servers_only(self) -> bool {
        matches!(self, Self::Plant | Self::Office | Self::Visiting)
    }
}

impl Stream {
    /// The plant stream that every kiosk obeys.
    pub fn plant_global() -> Self {
        Self { family: Family::Plant, scope: "global".into() }
    }
    pub fn plant(site: &SiteId) -> Self {
        Self::of(Family::Plant, site.as_str())
    }
    pub fn record(site: &SiteId) -> Self {
        Self::of(Family::Record, site.as_str())
    }
    pub fn presence(site: &SiteId) -> Self {
        Self::of(Family::Presence, site.as_str())
    }
    pub fn journal(kiosk: &KioskName) -> Self {
        Self::of(Family::Journal, kiosk.as_str())
    }
    pub fn of(family: Family, scope: &str) -> Self {
        Self { family, scope: scope.into() }
    }

    pub fn parse(text: &str) -> Option<Self> {
        let (family, scope) = text.split_once('/')?;
        let (family, _) = Family::ALL.into_iter().find(|(_, word)| *word == family)?;
        checked(scope).ok().map(|scope| Self::of(family, scope))
    }
}

impl fmt::Display for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.family.word(), self.scope)
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<C> Encode<C> for Stream {
    fn encode<W: Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), EncodeError<W::Error>> {
        // Every item of an answer has one: it is written as it is shown, without a text of its own.
        let Self { family, scope } = self;
        let parts = [family.word(), "/", scope];
        e.str_len(parts.iter().map(|part| part.len() as u64).sum())?;
        parts.iter().try_for_each(|part| e.writer_mut().write_all(part.as_bytes())).map_err(EncodeError::write)
    }
}

impl<'b, C> Decode<'b, C> for Stream {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, DecodeError> {
        Self::parse(d.str()?).ok_or_else(|| DecodeError::message("not a stream"))
    }
}

/// A log: what one replica (a device in one incarnation) wrote to one stream.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(array)]
pub struct LogId {
    #[n(0)]
    pub device: DeviceKey,
    #[n(1)]
    pub incarnation: Incarnation,
    #[n(2)]
    pub stream: Stream,
}

impl fmt::Display for LogId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.device, self.incarnation, self.stream)
    }
}

impl fmt::Debug for LogId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.device.short(), self.incarnation.short(), self.stream)
    }
}

/// Whom or what an entry is about: `person:maria`, `document:SOP-0042`, `device:…`, `site:SITE1`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Subject(Arc<str>);

impl Subject {
    pub fn new(sort: &str, id: impl fmt::Display) -> Self {
        Self(format!("{sort}:{id}").into())
    }
    pub fn person(person: &PersonId) -> Self {
        Self::new("person", person)
    }
    pub fn as_str(&self) -> &str {
        &self.0
    }
    /// The person it is about, when it is one.
    pub fn as_person(&self) -> Option<PersonId> {
        self.0.strip_prefix("person:").and_then(|id| PersonId::new(id).ok())
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<C> Encode<C> for Subject {
    fn encode<W: Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), EncodeError<W::Error>> {
        e.str(&self.0)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Subject {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, DecodeError> {
        let text = d.str()?;
        match text.split_once(':') {
            Some((sort, id)) if !sort.is_empty() && checked(id).is_ok() => Ok(Self(text.into())),
            _ => Err(DecodeError::message("not a subject")),
        }
    }
}

/// How far an author knew a plant stream: its number in the server's order and the chain's hash there (U1, U2).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Revision {
    #[n(0)]
    pub stream: Stream,
    #[n(1)]
    pub epoch: Incarnation,
    #[n(2)]
    pub number: u64,
    #[n(3)]
    pub chain: Digest32,
}

/// What every entry says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Header {
    #[n(0)]
    pub schema: u8,
    #[n(1)]
    pub log: LogId,
    /// From 1, without gaps.
    #[n(2)]
    pub counter: u64,
    #[n(3)]
    pub prev: Option<EntryId>,
    #[n(4)]
    pub hybrid: HybridTime,
    #[n(5)]
    pub wall: Timestamp,
    #[n(6)]
    pub uncertainty_ms: u32,
    /// The plant revisions the author knew.
    #[n(7)]
    pub plant: Vec<Revision>,
    #[n(8)]
    pub kind: String,
    #[n(9)]
    pub subject: Subject,
    /// The heads the author knew for this subject and requirement (or object): at most eight.
    #[n(10)]
    pub seen: Vec<EntryId>,
    #[n(11)]
    pub if_unknown: IfUnknown,
}

/// What a signer had beside their secret: the other of the two components (21 CFR 11.200).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum Credential {
    #[n(0)]
    Badge(#[n(0)] BadgeHash),
    /// The entry by which somebody who leads vouched for them (S6).
    #[n(1)]
    DayPass(#[n(0)] EntryId),
}

/// A person's electronic signature on an entry's statement (21 CFR 11.50, 11.70).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(array)]
pub struct Block {
    #[n(0)]
    pub signer: PersonId,
    #[n(1)]
    pub printed_name: String,
    #[n(2)]
    pub role: Role,
    #[n(3)]
    pub meaning: Meaning,
    #[n(4)]
    pub signed_at: Timestamp,
    /// Digest of what was shown to the signer, where something was.
    #[n(5)]
    pub shown: Option<Digest32>,
    #[n(6)]
    pub key: PersonKey,
    #[n(7)]
    pub signature: Signature,
    /// Absent where people sign without a badge: at the server.
    #[n(8)]
    pub credential: Option<Credential>,
}

/// A block before its signature is made: who signs, as what, with which meaning, when, having been shown what, by badge or by pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signing {
    pub signer: PersonId,
    pub printed_name: String,
    pub role: Role,
    pub meaning: Meaning,
    pub signed_at: Timestamp,
    pub shown: Option<Digest32>,
    pub credential: Option<Credential>,
}

#[derive(Encode)]
#[cbor(array)]
struct Signed<'a> {
    #[n(0)]
    statement: Digest32,
    #[n(1)]
    signer: &'a PersonId,
    #[n(2)]
    printed_name: &'a str,
    #[n(3)]
    role: Role,
    #[n(4)]
    meaning: Meaning,
    #[n(5)]
    signed_at: Timestamp,
    #[n(6)]
    shown: Option<Digest32>,
    #[n(7)]
    key: PersonKey,
    #[n(8)]
    credential: Option<Credential>,
}

/// What a person's signature binds: kind, subject and body, so that it can't be moved to another record (R11).
fn statement_digest(kind: &str, subject: &Subject, body: &[u8]) -> Digest32 {
    Digest32::of_parts(&[kind.as_bytes(), subject.as_str().as_bytes(), body])
}

impl Signing {
    fn sign(self, statement: Digest32, secret: &PersonSecret) -> Block {
        let key = secret.key();
        let Self { signer, printed_name, role, meaning, signed_at, shown, credential } = self;
        let signed = Signed {
            statement,
            signer: &signer,
            printed_name: &printed_name,
            role,
            meaning,
            signed_at,
            shown,
            key,
            credential,
        };
        let signature = secret.sign(STATEMENT_TYPE, &to_cbor(&signed));
        Block { signer, printed_name, role, meaning, signed_at, shown, key, signature, credential }
    }
}

impl Block {
    /// Whether the signature is the block's key's own over this statement. Whose key it is, is another question.
    fn verify(&self, statement: Digest32) -> bool {
        verify(&self.key.0, STATEMENT_TYPE, &self.signed_bytes(statement), &self.signature)
    }

    fn signed_bytes(&self, statement: Digest32) -> Vec<u8> {
        to_cbor(&Signed {
            statement,
            signer: &self.signer,
            printed_name: &self.printed_name,
            role: self.role,
            meaning: self.meaning,
            signed_at: self.signed_at,
            shown: self.shown,
            key: self.key,
            credential: self.credential,
        })
    }
}

/// What an author wants to say, before it has a place in a log.
///
/// What people have signed can't be changed afterwards: their blocks are good because they were made here, over this statement.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    subject: Subject,
    statement: Statement,
    seen: Vec<EntryId>,
    blocks: Vec<Block>,
    /// Whether some of the blocks were made elsewhere, and are still to be looked at.
    borrowed: bool,
}

impl Draft {
    pub fn new(subject: Subject, statement: Statement) -> Self {
        Self { subject, statement, seen: Vec::new(), blocks: Vec::new(), borrowed: false }
    }

    pub fn subject(&self) -> &Subject {
        &self.subject
    }
    pub fn statement(&self) -> &Statement {
        &self.statement
    }

    /// Signs the statement with the signer's unlocked key.
    #[must_use]
    pub fn signed_by(mut self, signing: Signing, secret: &PersonSecret) -> Self {
        let digest = statement_digest(self.statement.body.kind(), &self.subject, &self.statement.to_bytes());
        self.blocks.push(signing.sign(digest, secret));
        self
    }

    /// Takes over an entry's blocks: people signed the statement, not its place in a log.
    #[must_use]
    pub fn with_blocks_of(mut self, entry: &Entry) -> Self {
        self.blocks.extend_from_slice(entry.blocks());
        self.borrowed = true;
        self
    }

    /// Names the heads the author knew; beyond eight the latest in the given order are kept.
    #[must_use]
    pub fn having_seen(mut self, heads: impl IntoIterator<Item = EntryId>) -> Self {
        self.seen = heads.into_iter().take(MAX_SEEN).collect();
        self
    }
}

/// The next place in a log, and what the author knows while writing there.
#[derive(Debug, Clone)]
pub struct Position {
    pub log: LogId,
    pub counter: u64,
    pub prev: Option<EntryId>,
    pub hybrid: HybridTime,
    pub clock: ClockReading,
    pub plant: Vec<Revision>,
}

#[derive(Encode, Decode)]
#[cbor(array)]
struct Payload {
    #[n(0)]
    header: Header,
    #[cbor(n(1), with = "minicbor::bytes")]
    body: Vec<u8>,
    #[n(2)]
    blocks: Vec<Block>,
}

#[derive(Encode, Decode)]
#[cbor(array)]
struct Frame<'a> {
    #[cbor(n(0), with = "minicbor::bytes")]
    payload: &'a [u8],
    #[n(1)]
    signature: Signature,
}

/// An entry whose form is right. Only [`super::Held`] ones are stored. A clone shares what it is made of.
#[derive(Clone)]
pub struct Entry {
    parts: Arc<Parts>,
    /// Whether the people's signatures are good, once somebody has looked: verifying is dear and never changes.
    blocks_good: Option<bool>,
}

struct Parts {
    bytes: Box<[u8]>,
    id: EntryId,
    header: Header,
    body: Vec<u8>,
    blocks: Vec<Block>,
}

/// Why bytes are not an entry, or why an entry can't be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadEntry {
    #[error("larger than {MAX_ENTRY_BYTES} bytes")]
    TooLarge,
    #[error("not in canonical form: {0}")]
    Form(String),
    #[error("schema {0} is not known here")]
    Schema(u8),
    #[error("{0}")]
    Limit(&'static str),
    #[error("the device's signature is not its own over these bytes")]
    DeviceSignature,
}

impl Entry {
    pub fn id(&self) -> EntryId {
        self.parts.id
    }
    pub fn bytes(&self) -> &[u8] {
        &self.parts.bytes
    }
    pub fn header(&self) -> &Header {
        &self.parts.header
    }
    pub fn blocks(&self) -> &[Block] {
        &self.parts.blocks
    }
    pub fn log(&self) -> &LogId {
        &self.parts.header.log
    }
    pub fn family(&self) -> Family {
        self.parts.header.log.stream.family
    }
    pub fn subject(&self) -> &Subject {
        &self.parts.header.subject
    }

    /// What it says; `Ok(None)` when its kind isn't known to this version, or says nothing in such a stream: a terminal writes in few, and could
    /// else say there what is the server's to say.
    pub fn statement(&self) -> Result<Option<Statement>, BadBody> {
        let statement = Statement::from_bytes(&self.parts.header.kind, &self.parts.body)?;
        Ok(statement.filter(|statement| statement.body.families().contains(&self.family())))
    }

    /// Whether every person's signature block is good over this very statement (R11).
    pub fn blocks_verify(&self) -> bool {
        self.blocks_good.unwrap_or_else(|| self.verify_blocks())
    }

    fn verify_blocks(&self) -> bool {
        if self.blocks().is_empty() {
            return true;
        }
        let statement = self.statement_digest();
        self.parts.blocks.iter().all(|block| block.verify(statement))
    }

    fn statement_digest(&self) -> Digest32 {
        statement_digest(&self.parts.header.kind, &self.parts.header.subject, &self.parts.body)
    }

    /// The block of the given person.
    pub fn block_of(&self, person: &PersonId) -> Option<&Block> {
        self.parts.blocks.iter().find(|block| block.signer == *person)
    }

    /// What its device signed, and the signature: the two parts of its bytes.
    pub fn frame(&self) -> (Vec<u8>, Signature) {
        // Whatever was made an entry was decoded from these very bytes.
        let frame: Frame<'_> = minicbor::decode(&self.parts.bytes).expect("an entry has a frame");
        (frame.payload.to_vec(), frame.signature)
    }

    /// Reads an entry from a store of ours, which holds only what passed [`super::hold`] and remembers with it whether the blocks
    /// were good. Spelling and signatures were looked at then; `verify` looks at them again.
    pub fn from_store(bytes: &[u8], blocks_good: bool) -> Result<Self, BadEntry> {
        let (_, payload) = frame_of(bytes)?;
        Ok(Self { blocks_good: Some(blocks_good), ..Self::of(bytes, payload) })
    }

    fn of(bytes: &[u8], Payload { header, body, blocks }: Payload) -> Self {
        let parts = Parts { bytes: bytes.into(), id: EntryId::of(bytes), header, body, blocks };
        Self { parts: Arc::new(parts), blocks_good: None }
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {} {:?}#{}",
            self.parts.header.kind,
            self.parts.id.short(),
            self.parts.header.log,
            self.parts.header.counter
        )
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.parts.id == other.parts.id
    }
}

/// Bytes with the form of an entry, from anywhere. Nothing is believed of it yet.
#[derive(Debug, Clone)]
pub struct Unverified {
    entry: Entry,
    /// Whether all its signatures, the device's and the people's, were found good together with others.
    verified: bool,
}

impl Unverified {
    /// Checks size and frame.
    pub fn read(bytes: &[u8]) -> Result<Self, BadEntry> {
        if bytes.len() > MAX_ENTRY_BYTES {
            return Err(BadEntry::TooLarge);
        }
        let form = |why: &dyn fmt::Display| BadEntry::Form(why.to_string());
        canonical::check(bytes).map_err(|why| form(&why))?;
        let (frame, payload) = frame_of(bytes)?;
        canonical::check(frame.payload).map_err(|why| form(&why))?;
        if to_cbor(&payload) != frame.payload {
            return Err(BadEntry::Form("fields this version doesn't know".into()));
        }
        canonical::check(&payload.body).map_err(|why| form(&why))?;
        within_limits(&payload.header, &payload.blocks)?;
        Ok(Self { entry: Entry::of(bytes, payload), verified: false })
    }

    /// Looks without believing.
    pub fn peek(&self) -> &Entry {
        &self.entry
    }

    /// The entry, if its device signed these exact bytes. Says nothing of its place in a log, and doesn't make it held: for entries that are
    /// judged by themselves (an enrolment that is shown, a recovery beside a refused order).
    pub fn signed(self) -> Option<Entry> {
        self.verify_device().ok()
    }

    /// Checks the device's signature over the exact bytes.
    pub(super) fn verify_device(self) -> Result<Entry, BadEntry> {
        let good = self.verified || {
            let frame = self.frame()?;
            verify(&self.entry.log().device.0, ENTRY_TYPE, frame.payload, &frame.signature)
        };
        if !good {
            return Err(BadEntry::DeviceSignature);
        }
        let blocks_good = self.verified || self.entry.verify_blocks();
        Ok(Entry { blocks_good: Some(blocks_good), ..self.entry })
    }

    /// The frame, decoded from these very bytes before.
    fn frame(&self) -> Result<Frame<'_>, BadEntry> {
        minicbor::decode(self.entry.bytes()).map_err(|_| BadEntry::DeviceSignature)
    }

    fn add_to(&self, batch: &mut Batch) -> Result<(), BadEntry> {
        let frame = self.frame()?;
        batch.add(&self.entry.log().device.0, ENTRY_TYPE, frame.payload, &frame.signature);
        if self.entry.blocks().is_empty() {
            return Ok(());
        }
        let statement = self.entry.statement_digest();
        for block in self.entry.blocks() {
            batch.add(&block.key.0, STATEMENT_TYPE, &block.signed_bytes(statement), &block.signature);
        }
        Ok(())
    }
}

/// So many entries share the fate of a bad signature among them.
const TOGETHER: usize = 512;

/// Verifies the signatures of many entries together. Where one is bad, the entries around it are looked at by themselves when they are held.
/// `random` is unknown to whoever sent them.
pub fn verify_together(entries: &mut [Unverified], random: &[u8]) {
    for group in entries.chunks_mut(TOGETHER) {
        let mut parts: Vec<&[u8]> = vec![b"lineproof.batch.v1", random];
        parts.extend(group.iter().map(|unverified| unverified.entry.parts.id.0.as_slice()));
        let weights = Digest32::of_parts(&parts);
        let mut batch = Batch::default();
        let all_added = group.iter().all(|unverified| unverified.add_to(&mut batch).is_ok());
        let good = all_added && batch.all_good(weights);
        group.iter_mut().for_each(|unverified| unverified.verified = good);
    }
}

/// The bytes that an entry of these two parts has. Whether it is one, is another question.
pub fn framed(payload: &[u8], signature: Signature) -> Vec<u8> {
    to_cbor(&Frame { payload, signature })
}

fn frame_of(bytes: &[u8]) -> Result<(Frame<'_>, Payload), BadEntry> {
    let form = |why: minicbor::decode::Error| BadEntry::Form(why.to_string());
    let frame: Frame<'_> = minicbor::decode(bytes).map_err(form)?;
    let payload = minicbor::decode(frame.payload).map_err(form)?;
    Ok((frame, payload))
}

fn within_limits(header: &Header, blocks: &[Block]) -> Result<(), BadEntry> {
    if header.schema != SCHEMA {
        return Err(BadEntry::Schema(header.schema));
    }
    let limit = |broken: bool, what: &'static str| if broken { Err(BadEntry::Limit(what)) } else { Ok(()) };
    limit(header.counter == 0, "counters begin at 1")?;
    limit((header.counter == 1) != header.prev.is_none(), "only the first entry of a log has none before it")?;
    limit(header.seen.len() > MAX_SEEN, "names more than eight entries as seen")?;
    limit(header.plant.len() > MAX_REVISIONS, "names more than eight plant revisions")?;
    limit(blocks.len() > MAX_BLOCKS, "has more than four signature blocks")?;
    limit(header.kind.is_empty() || header.kind.len() > 40, "has no proper kind")?;
    let twice = blocks.iter().enumerate().any(|(i, block)| blocks[..i].iter().any(|b| b.signer == block.signer));
    limit(twice, "one person signed twice")
}

/// Gives a draft its place in a log and signs it with the device's key.
pub fn seal(draft: &Draft, position: &Position, device: &DeviceSecret) -> Result<Entry, BadEntry> {
    let kind = draft.statement.body.kind();
    let header = Header {
        schema: SCHEMA,
        log: position.log.clone(),
        counter: position.counter,
        prev: position.prev,
        hybrid: position.hybrid,
        wall: position.clock.wall,
        uncertainty_ms: position.clock.uncertainty_ms,
        plant: position.plant.clone(),
        kind: kind.to_owned(),
        subject: draft.subject.clone(),
        seen: draft.seen.clone(),
        if_unknown: row(kind).map_or(IfUnknown::Deny, |row| row.if_unknown),
    };
    within_limits(&header, &draft.blocks)?;
    let payload = Payload { header, body: draft.statement.to_bytes(), blocks: draft.blocks.clone() };
    let payload_bytes = to_cbor(&payload);
    let signature = device.sign(ENTRY_TYPE, &payload_bytes);
    let bytes = to_cbor(&Frame { payload: &payload_bytes, signature });
    if bytes.len() > MAX_ENTRY_BYTES {
        return Err(BadEntry::TooLarge);
    }
    let entry = Entry::of(&bytes, payload);
    let good = !draft.borrowed || entry.verify_blocks();
    Ok(Entry { blocks_good: Some(good), ..entry })
}
