//! Where a calling kiosk stands on the server's order, stream by stream (S3, S4).

use std::collections::BTreeSet;

use super::{Server, is_recovery};
use crate::id::{Digest32, Incarnation};
use crate::log::Stream;
use crate::sync::message::{CursorShown, Up};
use crate::sync::order::{Segment, SignedHead, chain_start, common, digest_of_path, is_covered};
use crate::sync::store::ServerShelf;

/// A stream of the caller's: the path here, and where the caller stands on it.
pub(super) struct Footing {
    pub stream: Stream,
    pub path: Vec<Segment>,
    /// The chain here at the caller's own position in the latest epoch that both have followed.
    pub at: Option<Digest32>,
    pub stand: Stand,
}

pub(super) enum Stand {
    /// Reading goes on in this segment, after this number.
    On { segment: usize, number: u64 },
    /// The cursor isn't on the order and came without proof: nobody believes it, nobody ignores it; the next call brings the proof.
    Unproven,
    /// A signed head isn't on the order. Covered: a recovery was signed in a later epoch, reading goes on from the common point.
    Covered { segment: usize, number: u64 },
    /// The same, and no recovery covers it.
    Lost,
    /// The same, and the common point lies in the current epoch: the store was put back without `restore`.
    PutBack,
}

impl Stand {
    pub fn stops(&self) -> bool {
        matches!(self, Self::Lost | Self::PutBack)
    }

    /// Where items for the caller begin.
    pub fn reads_from(&self) -> Option<(usize, u64)> {
        match self {
            Self::On { segment, number } | Self::Covered { segment, number } => Some((*segment, *number)),
            Self::Unproven | Self::Lost | Self::PutBack => None,
        }
    }
}

/// The footings of the caller's scope; of an unknown device, of the streams it shows.
pub(super) fn footings<S: ServerShelf>(server: &Server, store: &S, up: &Up) -> Result<Vec<Footing>, S::Error> {
    let epochs = store.epochs()?;
    let recovered = recovered_epochs(server, store)?;
    let streams = match store.scope_of(&up.device)? {
        Some(scope) => scope,
        None => up.cursors.iter().map(|cursor| cursor.stream.clone()).collect::<BTreeSet<_>>().into_iter().collect(),
    };
    let mut found = Vec::new();
    for stream in streams {
        let path = path_of(store, &stream, &epochs)?;
        let shown = up.cursors.iter().find(|cursor| cursor.stream == stream).filter(|cursor| !cursor.path.is_empty());
        let (at, stand) = match shown {
            Some(cursor) => {
                let look = Look { server, store, stream: &stream, path: &path, recovered: &recovered };
                (look.at(cursor)?, look.stand(cursor)?)
            }
            None => (None, Stand::On { segment: 0, number: 0 }),
        };
        found.push(Footing { stream, path, at, stand });
    }
    Ok(found)
}

/// The epochs in which a recovery that counts was written.
fn recovered_epochs<S: ServerShelf>(server: &Server, store: &S) -> Result<BTreeSet<Incarnation>, S::Error> {
    let mut epochs = BTreeSet::new();
    for entry in store.recoveries()? {
        if is_recovery(&entry, &server.key, store)? {
            epochs.insert(entry.log().incarnation);
        }
    }
    Ok(epochs)
}

fn path_of<S: ServerShelf>(store: &S, stream: &Stream, epochs: &[Incarnation]) -> Result<Vec<Segment>, S::Error> {
    let mut path = Vec::with_capacity(epochs.len());
    for epoch in epochs {
        path.push(match store.last_ordered(stream, epoch)? {
            Some(last) => Segment { epoch: *epoch, end: last.number, hash: last.chain },
            None => Segment { epoch: *epoch, end: 0, hash: chain_start(epoch, stream) },
        });
    }
    Ok(path)
}

struct Look<'a, S> {
    server: &'a Server,
    store: &'a S,
    stream: &'a Stream,
    path: &'a [Segment],
    recovered: &'a BTreeSet<Incarnation>,
}

impl<S: ServerShelf> Look<'_, S> {
    /// The chain here at a number of an epoch; `None` where the order here doesn't reach.
    fn chain_at(&self, epoch: &Incarnation, number: u64) -> Result<Option<Digest32>, S::Error> {
        match self.path.iter().find(|segment| segment.epoch == *epoch) {
            Some(segment) if number == segment.end => Ok(Some(segment.hash)),
            Some(segment) if number > segment.end => Ok(None),
            Some(_) if number == 0 => Ok(Some(chain_start(epoch, self.stream))),
            Some(_) => {
                let page = self.store.ordered(self.stream, epoch, number - 1, 1)?;
                Ok(page.first().map(|ordered| ordered.chain))
            }
            None => Ok(None),
        }
    }

    fn at(&self, cursor: &CursorShown) -> Result<Option<Digest32>, S::Error> {
        match cursor.path.iter().rev().find(|mine| self.path.iter().any(|segment| segment.epoch == mine.epoch)) {
            Some(mine) => self.chain_at(&mine.epoch, mine.end),
            None => Ok(None),
        }
    }

    fn stand(&self, cursor: &CursorShown) -> Result<Stand, S::Error> {
        let Some((last, before)) = cursor.path.split_last() else { return Ok(Stand::On { segment: 0, number: 0 }) };
        let behind = self.path_before(&last.epoch);
        let same_before = before.is_empty() || behind == Some(before);
        if same_before && self.chain_at(&last.epoch, last.end)? == Some(last.hash) {
            let segment = self.path.iter().position(|here| here.epoch == last.epoch).unwrap_or(0);
            return Ok(Stand::On { segment, number: last.end });
        }
        let Some(witness) = &cursor.witness else { return Ok(Stand::Unproven) };
        if !self.proves(witness, last, before) || self.is_on_order(witness)? {
            // A lie: treated as if nothing had been read. One hostile kiosk must not stop the server (S3).
            return Ok(Stand::On { segment: 0, number: 0 });
        }
        self.contradicted(cursor)
    }

    fn proves(&self, witness: &SignedHead, last: &Segment, before: &[Segment]) -> bool {
        let head = &witness.head;
        head.stream == *self.stream
            && head.epoch == last.epoch
            && (head.number > last.end || head.number == last.end && head.chain == last.hash)
            && head.before == digest_of_path(before)
            && witness.is_signed_by(&self.server.key)
    }

    fn is_on_order(&self, witness: &SignedHead) -> Result<bool, S::Error> {
        let head = &witness.head;
        let same_before = self.path_before(&head.epoch).is_some_and(|before| digest_of_path(before) == head.before);
        Ok(same_before && self.chain_at(&head.epoch, head.number)? == Some(head.chain))
    }

    /// The path here before an epoch; `None` where it doesn't come through it. No epoch's chain says what stood before it, so it is asked beside it.
    fn path_before(&self, epoch: &Incarnation) -> Option<&[Segment]> {
        self.path.iter().position(|segment| segment.epoch == *epoch).map(|place| &self.path[..place])
    }

    fn contradicted(&self, cursor: &CursorShown) -> Result<Stand, S::Error> {
        let point = common(&cursor.path, self.path, |mine, _, here| {
            // Beyond the end here the kiosk alone can tell; it is asked from the end, and corrects that by its next call.
            let agrees = mine.end > here.end || self.chain_at(&mine.epoch, mine.end)? == Some(mine.hash);
            Ok(if agrees { mine.end.min(here.end) } else { 0 })
        })?;
        let after = self.path.get(point.after..).unwrap_or_default();
        Ok(if after.is_empty() {
            Stand::PutBack
        } else if is_covered(after, &cursor.path, self.recovered) {
            Stand::Covered { segment: point.segment, number: point.number }
        } else {
            Stand::Lost
        })
    }
}
