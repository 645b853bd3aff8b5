//! What a site is told of people who also work, or worked, at another: their record there, and by whose keys it was signed.
//!
//! It goes into the site's visiting stream in the step in which it became known here, and again when what a log says of an entry changes. Until a site
//! was told everything, its terminals say NO-GO to the person.

use std::collections::{BTreeMap, BTreeSet};

use minicbor::bytes::ByteVec;
use shared::id::*;
use shared::kind::visiting::{HistoryEntry, HistoryWhole};
use shared::kind::{Body, Family, Statement};
use shared::log::{Draft, Entry, Stream, Subject};
use shared::plant::Plant;
use shared::record::Topic;
use shared::record::judge::fold_sort;
use shared::sync::ServerShelf;
use shared::sync::server::Server;
use shared::time::ClockReading;
use store::{StoreError, derive, history, shelf};

use crate::store::ServerStep;

/// Most bytes of an entry in one that brings it, which has bounds of its own.
const PART_BYTES: usize = 12 * 1024;

/// The setting that says that every site was told of everybody, and is told since of whatever changes.
const TOLD: &str = "histories_told";

/// How much of somebody's record a site needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Extent {
    /// What concerns the person: their keys first of all, for they signed what the site was told.
    Person,
    Whole,
}

/// Tells every site what it lacks of the people whose records or sites may have changed in this step. While the server is stopped, nothing is told;
/// [`tell_of_everybody`] makes up for it.
pub(super) fn tell(
    step: &mut ServerStep<'_, '_>,
    server: &Server,
    clock: ClockReading,
    act: &dyn Fn() -> ActId,
) -> Result<(), StoreError> {
    step.step.follow_now()?;
    let changed = step.step.take_followed();
    let plant = step.step.world().plant.clone();
    if plant.travellers.is_empty() || step.stopped()? {
        return Ok(());
    }
    tell_of(step, server, clock, act, &plant, changed)
}

/// Tells every site of everybody, once for each database: it may come from a version that told nothing.
pub(super) fn catch_up(
    step: &mut ServerStep<'_, '_>,
    server: &Server,
    clock: ClockReading,
    act: &dyn Fn() -> ActId,
) -> Result<(), StoreError> {
    if step.stopped()? || step.step.setting(TOLD)?.is_some() {
        return Ok(());
    }
    step.step.set(TOLD, &[1])?;
    tell_of_everybody(step, server, clock, act)
}

/// The same for everybody who works at more than one site: what came in while the server was stopped was told nobody.
pub(super) fn tell_of_everybody(
    step: &mut ServerStep<'_, '_>,
    server: &Server,
    clock: ClockReading,
    act: &dyn Fn() -> ActId,
) -> Result<(), StoreError> {
    let plant = step.step.world().plant.clone();
    if step.stopped()? {
        return Ok(());
    }
    tell_of(step, server, clock, act, &plant, plant.travellers.keys().cloned().collect())
}

fn tell_of(
    step: &mut ServerStep<'_, '_>,
    server: &Server,
    clock: ClockReading,
    act: &dyn Fn() -> ActId,
    plant: &Plant,
    people: BTreeSet<PersonId>,
) -> Result<(), StoreError> {
    let drafts = lacking(step, plant, people, act)?;
    if !drafts.is_empty()
        && let Err(why) = server.write_all(step, &drafts, clock, &|_| ())?
    {
        tracing::warn!(%why, "sites were not told what happened at others: it is tried again");
    }
    Ok(())
}

/// What sites lack of these people's records, and of those of whoever signed them.
fn lacking(
    step: &ServerStep<'_, '_>,
    plant: &Plant,
    people: BTreeSet<PersonId>,
    act: &dyn Fn() -> ActId,
) -> Result<Vec<(Stream, Draft)>, StoreError> {
    let connection = step.step.connection();
    let (mut due, mut done) = (BTreeMap::new(), BTreeSet::new());
    for person in people {
        for site in plant.travellers.get(&person).into_iter().flatten() {
            due.insert((person.clone(), site.clone()), Extent::Whole);
        }
        for site in history::sites_that_know(connection, &person)? {
            let Some(site) = plant.sites.keys().find(|known| history::scope(known) == site) else { continue };
            due.entry((person.clone(), site.clone())).or_insert(Extent::Person);
        }
    }
    let mut drafts = Vec::new();
    while let Some(((person, site), extent)) = due.pop_first() {
        if !done.insert((person.clone(), site.clone())) {
            continue;
        }
        let (subject, stream) = (Subject::person(&person), Stream::of(Family::Visiting, site.as_str()));
        let mut entries = match extent {
            Extent::Whole => shelf::record_about(connection, subject.as_str())?,
            Extent::Person => shelf::record_on(connection, subject.as_str(), &Topic::Person)?,
        };
        entries.retain(|entry| entry.log().stream != Stream::record(&site));
        fold_sort(&mut entries);
        let mut say = |body: Body| {
            let statement = Statement { act: act(), body };
            drafts.push((stream.clone(), Draft::new(subject.clone(), statement)));
        };
        for entry in &entries {
            let standing = history::in_words(derive::standing(step.step, entry)?);
            if history::told(connection, &site, &entry.id())? != Some(standing as i64) {
                parts(entry, standing).for_each(|part| say(part.into()));
            }
            for signer in entry.blocks().iter().map(|block| &block.signer).filter(|signer| **signer != person) {
                due.entry((signer.clone(), site.clone())).or_insert(Extent::Person);
            }
        }
        if extent == Extent::Whole {
            let told = history::told_in_full(connection, &person, &site)?;
            let others = plant.travellers.get(&person).into_iter().flatten().filter(|other| **other != site);
            let news = others.filter(|other| !told.contains(*other));
            news.for_each(|other| say(HistoryWhole { person: person.clone(), site: other.clone() }.into()));
        }
    }
    Ok(drafts)
}

fn parts(entry: &Entry, standing: shared::kind::visiting::LogStanding) -> impl Iterator<Item = HistoryEntry> {
    let (id, pieces) = (entry.id(), entry.bytes().chunks(PART_BYTES));
    let parts = pieces.len() as u8;
    pieces.enumerate().map(move |(part, bytes)| HistoryEntry {
        entry: id,
        standing,
        part: part as u8,
        parts,
        bytes: ByteVec::from(bytes.to_vec()),
    })
}
