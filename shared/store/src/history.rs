//! Records of people who also work elsewhere, as the server tells them to a site (`visiting`): entries outside their logs.
//!
//! Such an entry is judged with those of this site like any other. Only how it stands in its log can't be seen where the log isn't held: that is the
//! server's word, and its latest one counts.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, OptionalExtension, params};
use shared::id::*;
use shared::kind::visiting::{HistoryEntry, LogStanding};
use shared::kind::{Body, Family};
use shared::log::{Entry, Stream, Subject, Unverified};
use shared::record::Standing;

use crate::ledger::StoreError;
use crate::shelf;

/// The kind that brings an entry.
const BRINGS: &str = "history_entry";

/// Keeps what a held entry of a visiting stream brings; the entry that was brought, once it is whole, and is what its terminal signed.
pub(crate) fn note(connection: &Connection, said: &Entry) -> Result<Option<Entry>, StoreError> {
    if said.family() != Family::Visiting || said.header().kind != BRINGS {
        return Ok(None);
    }
    let Some(word) = word_of(said) else { return Ok(None) };
    let Some(bytes) = bytes_of(connection, said, &word)? else { return Ok(None) };
    let Some(entry) = Unverified::read(&bytes).ok().and_then(Unverified::signed) else { return Ok(None) };
    let (Some(topic), true) = (shelf::topic_of(&entry), entry.subject() == said.subject()) else { return Ok(None) };
    let mut keep = connection.prepare_cached(
        "INSERT INTO history (id, site, subject, topic, kind, standing, said, bytes, blocks_good)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
         ON CONFLICT (id, site) DO UPDATE SET standing = excluded.standing, said = excluded.said WHERE excluded.said > said",
    )?;
    keep.execute(params![
        entry.id().0,
        said.log().stream.scope.as_ref(),
        entry.subject().as_str(),
        topic,
        entry.header().kind,
        word.standing as i64,
        order(said),
        entry.bytes(),
        entry.blocks_verify()
    ])?;
    Ok(Some(entry))
}

/// Notes everything that is held anew.
pub(crate) fn note_all(connection: &Connection) -> Result<(), StoreError> {
    for said in said_by(connection, "SELECT bytes, blocks_good FROM entry WHERE kind = ?1", params![BRINGS])? {
        note(connection, &said)?;
    }
    Ok(())
}

fn said_by(connection: &Connection, sql: &str, asked: impl rusqlite::Params) -> Result<Vec<Entry>, StoreError> {
    shelf::read_all(connection, sql, asked)
}

fn word_of(said: &Entry) -> Option<HistoryEntry> {
    match said.statement().ok().flatten()?.body {
        Body::HistoryEntry(word) => Some(word),
        _ => None,
    }
}

/// The bytes of the entry that is named; `None` while parts are missing, or when they are not that entry.
fn bytes_of(connection: &Connection, said: &Entry, word: &HistoryEntry) -> Result<Option<Vec<u8>>, StoreError> {
    let mut parts: Vec<Option<Vec<u8>>> = vec![None; usize::from(word.parts)];
    let mut put = |word: HistoryEntry| {
        if let Some(part) = parts.get_mut(usize::from(word.part)) {
            *part = Some(word.bytes.into());
        }
    };
    if word.parts > 1 {
        let sql = "SELECT bytes, blocks_good FROM entry WHERE subject = ?1 AND kind = ?2";
        let about = said_by(connection, sql, params![said.subject().as_str(), BRINGS])?;
        let same = |other: &HistoryEntry| other.entry == word.entry && other.parts == word.parts;
        about.iter().filter_map(word_of).filter(same).for_each(&mut put);
    }
    put(word.clone());
    let bytes: Option<Vec<Vec<u8>>> = parts.into_iter().collect();
    Ok(bytes.map(|parts| parts.concat()).filter(|bytes| EntryId::of(bytes) == word.entry))
}

/// Compares like the order of the fold, as far as the words of one server go.
fn order(said: &Entry) -> Vec<u8> {
    let header = said.header();
    let (ms, tick) = (header.hybrid.ms.max(0).to_be_bytes(), header.hybrid.tick.to_be_bytes());
    [ms.as_slice(), &tick, &header.counter.to_be_bytes(), &said.id().0].concat()
}

/// What was said of an entry that isn't held in its log; `None` when nothing was, or it is.
pub(crate) fn standing(connection: &Connection, id: &EntryId) -> Result<Option<Standing>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT standing FROM history h WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM entry e WHERE e.id = h.id)
         ORDER BY said DESC LIMIT 1",
    )?;
    let standing: Option<i64> = statement.query_row([id.0], |row| row.get(0)).optional()?;
    Ok(standing.map(|standing| match standing {
        0 => Standing::Good,
        1 => Standing::BehindFork,
        _ => Standing::DeviceRevoked,
    }))
}

fn from_words(standing: LogStanding) -> Standing {
    match standing {
        LogStanding::Good => Standing::Good,
        LogStanding::BehindFork => Standing::BehindFork,
        LogStanding::DeviceRevoked => Standing::DeviceRevoked,
    }
}

/// What these entries of visiting streams said, by what they said it of: their latest word.
pub fn told_by<'a>(
    connection: &Connection,
    said: impl IntoIterator<Item = &'a EntryId>,
) -> Result<BTreeMap<EntryId, Standing>, StoreError> {
    let mut told: BTreeMap<EntryId, (Vec<u8>, Standing)> = BTreeMap::new();
    for id in said {
        let Some(said) = shelf::entry(connection, id)? else { continue };
        let Some(word) = word_of(&said) else { continue };
        let (order, stands) = (order(&said), from_words(word.standing));
        match told.get(&word.entry) {
            Some((later, _)) if *later > order => {}
            _ => drop(told.insert(word.entry, (order, stands))),
        }
    }
    Ok(told.into_iter().map(|(entry, (_, stands))| (entry, stands)).collect())
}

/// How an entry stands where its log is held, in the words of a visiting stream.
pub fn in_words(standing: Standing) -> LogStanding {
    match standing {
        Standing::Good => LogStanding::Good,
        Standing::BehindFork => LogStanding::BehindFork,
        Standing::DeviceRevoked => LogStanding::DeviceRevoked,
    }
}

/// An entry that was brought.
pub fn entry(connection: &Connection, id: &EntryId) -> Result<Option<Entry>, StoreError> {
    let sql = "SELECT bytes, blocks_good FROM history WHERE id = ?1 LIMIT 1";
    Ok(shelf::read_all(connection, sql, params![id.0])?.pop())
}

/// What the site was told of the entry last.
pub fn told(connection: &Connection, site: &SiteId, id: &EntryId) -> Result<Option<i64>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT standing FROM history WHERE id = ?1 AND site = ?2")?;
    Ok(statement.query_row(params![id.0, scope(site)], |row| row.get(0)).optional()?)
}

/// The other sites whose records of the person the site was told in full.
pub fn told_in_full(connection: &Connection, person: &PersonId, site: &SiteId) -> Result<BTreeSet<SiteId>, StoreError> {
    let (subject, stream) = (Subject::person(person), Stream::of(Family::Visiting, site.as_str()));
    let sql = "SELECT bytes, blocks_good FROM entry WHERE subject = ?1 AND kind = 'history_whole'";
    let mut full = BTreeSet::new();
    for said in said_by(connection, sql, params![subject.as_str()])? {
        if said.log().stream == stream
            && let Some(Body::HistoryWhole(body)) = said.statement().ok().flatten().map(|statement| statement.body)
            && body.person == *person
        {
            full.insert(body.site);
        }
    }
    Ok(full)
}

/// Sites that were told of entries which this person signed.
pub fn sites_that_know(connection: &Connection, signer: &PersonId) -> Result<BTreeSet<String>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT DISTINCT h.site FROM signed s JOIN history h ON h.subject = s.subject WHERE s.signer = ?1",
    )?;
    let rows = statement.query_map([signer.as_str()], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// A site's name as streams have it.
pub fn scope(site: &SiteId) -> String {
    Stream::of(Family::Visiting, site.as_str()).scope.to_string()
}
