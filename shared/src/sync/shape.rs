//! What a replica holds of a log, said in a few hashes, and the one function that chooses what to send.

use std::collections::{BTreeMap, BTreeSet};

use minicbor::{Decode, Encode};

use crate::id::EntryId;
use crate::log::{LogId, Shelf};

/// Most hashes in a locator for each tip.
pub const MAX_LOCATOR: usize = 24;
/// Most hashes in a shape, tips and locator together.
pub const MAX_SHAPE: usize = 1024;

/// Most hashes in the shapes of one message, together; about half a megabyte.
pub const MAX_SHAPES_HASHES: usize = 16 * 1024;

/// The tips of a log and some held entries further back: 1, 2, 4, 8 … before each tip, and the first.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
#[cbor(array)]
pub struct Shape {
    #[n(0)]
    pub tips: Vec<EntryId>,
    #[n(1)]
    pub locator: Vec<EntryId>,
}

/// The shape of what is held of a log; empty when nothing is.
pub fn shape<S: Shelf>(shelf: &S, log: &LogId) -> Result<Shape, S::Error> {
    let mut tips = shelf.tips(log)?;
    tips.sort_by(|a, b| b.cmp(a));
    tips.truncate(MAX_SHAPE / 2);
    let mut named: BTreeSet<EntryId> = tips.iter().map(|(_, id)| *id).collect();
    let mut locator = Vec::new();
    for (counter, _) in &tips {
        let backward = (0..MAX_LOCATOR - 1).map_while(|power| counter.checked_sub(1 << power));
        for back in backward.take_while(|counter| *counter > 1).chain([1]) {
            // After a fork several stand there; each is held, so each may be named.
            let here = shelf.at(log, back)?;
            locator.extend(here.into_iter().filter(|id| named.insert(*id)));
        }
        if named.len() >= MAX_SHAPE {
            break;
        }
    }
    locator.truncate(MAX_SHAPE - tips.len());
    Ok(Shape { tips: tips.into_iter().map(|(_, id)| id).collect(), locator })
}

/// The shapes of several logs, as many as fit a message.
pub(super) fn shapes<S: Shelf>(
    shelf: &S,
    logs: impl IntoIterator<Item = LogId>,
) -> Result<Vec<(LogId, Shape)>, S::Error> {
    let (mut shapes, mut hashes) = (Vec::new(), 0);
    for log in logs {
        let shape = shape(shelf, &log)?;
        hashes += shape.tips.len() + shape.locator.len();
        if hashes > MAX_SHAPES_HASHES {
            break;
        }
        shapes.push((log, shape));
    }
    Ok(shapes)
}

/// The held entries of the log that are neither among the held ones that the shape names nor before one of those, by counter, at
/// most `limit`. An unknown shape means the whole log.
///
/// Costs a look per entry given where the log has one tip; else a walk down to what both hold.
pub fn missing<S: Shelf>(shelf: &S, log: &LogId, shape: &Shape, limit: usize) -> Result<Vec<EntryId>, S::Error> {
    let mut known = BTreeMap::new();
    for id in shape.tips.iter().chain(&shape.locator) {
        if let Some(place) = shelf.place(id)?.filter(|place| place.log == *log) {
            known.insert(*id, place.counter);
        }
    }
    let tips = shelf.tips(log)?;
    match tips.as_slice() {
        [(last, _)] => {
            let highest = known.values().max().copied().unwrap_or(0);
            upward(shelf, log, highest + 1, *last, limit)
        }
        _ => downward(shelf, log, &tips, known, limit),
    }
}

fn upward<S: Shelf>(shelf: &S, log: &LogId, from: u64, to: u64, limit: usize) -> Result<Vec<EntryId>, S::Error> {
    let mut found = Vec::new();
    for counter in from..=to {
        found.extend(shelf.at(log, counter)?);
        if found.len() >= limit {
            break;
        }
    }
    found.truncate(limit);
    Ok(found)
}

/// Walks down from all tips at once, highest counter first, beside the ancestors of what is known.
fn downward<S: Shelf>(
    shelf: &S,
    log: &LogId,
    tips: &[(u64, EntryId)],
    known: BTreeMap<EntryId, u64>,
    limit: usize,
) -> Result<Vec<EntryId>, S::Error> {
    let highest = known.values().max().copied().unwrap_or(0);
    let mut covered: BTreeSet<(u64, EntryId)> = known.into_iter().map(|(id, counter)| (counter, id)).collect();
    let mut open: BTreeSet<(u64, EntryId)> = tips.iter().copied().collect();
    let mut found = Vec::new();
    while let Some((counter, id)) = open.pop_last() {
        sink(shelf, &mut covered, counter)?;
        let alone = counter <= highest && shelf.at(log, counter)?.len() == 1;
        if alone || covered.contains(&(counter, id)) {
            continue;
        }
        found.push(id);
        if let Some(prev) = shelf.place(&id)?.and_then(|place| place.prev) {
            open.insert((counter - 1, prev));
        }
    }
    found.reverse();
    found.truncate(limit);
    Ok(found)
}

/// Replaces every covered entry above `counter` by the one before it, until none is above.
fn sink<S: Shelf>(shelf: &S, covered: &mut BTreeSet<(u64, EntryId)>, counter: u64) -> Result<(), S::Error> {
    while let Some((above, id)) = covered.last().copied().filter(|(above, _)| *above > counter) {
        covered.remove(&(above, id));
        if let Some(prev) = shelf.place(&id)?.and_then(|place| place.prev) {
            covered.insert((above - 1, prev));
        }
    }
    Ok(())
}
