//! Calling the server (T4).

use std::collections::{BTreeMap, BTreeSet};

use minicbor::bytes::ByteVec;

use super::{Now, Terminal};
use crate::id::{Digest32, EntryId, Incarnation};
use crate::kind::Family;
use crate::log::{LogId, Stream};
use crate::sync::envelope::{Budget, byte_vec};
use crate::sync::message::*;
use crate::sync::scope;
use crate::sync::shape::{MAX_SHAPE, missing};
use crate::sync::store::{BoxRow, Marks, TerminalShelf};
use crate::time::{SECOND_MS, Timestamp};

/// How long an answer is waited for before the next call, in milliseconds.
pub const ANSWER_WAIT_MS: i64 = 30 * SECOND_MS;
/// Most bytes of sealed boxes in one call.
pub(super) const BOX_BYTES: usize = 256 * 1024;

/// The exchange that is open. One at a time: a new one replaces it.
#[derive(Debug)]
pub(super) struct Open {
    /// Of the very bytes sent: an answer names it.
    pub digest: Digest32,
    pub incarnation: Incarnation,
    pub heads: BTreeMap<Stream, Vec<EntryId>>,
    /// What went along, to tell whether another call would bring anything new.
    pub batch: Vec<EntryId>,
    pub boxes: Vec<BoxRow>,
    pub agreed: BTreeSet<Stream>,
    pub marks: Marks,
    pub with_enrolment: bool,
}

impl Terminal {
    /// The next call, when one is due. Commits nothing. It is made from what the store holds now and may be lost, doubled or late.
    pub fn poll_up<S: TerminalShelf>(&mut self, store: &S, now: Now) -> Result<Option<Vec<u8>>, S::Error> {
        if self.poll_deadline().is_none_or(|due| due > now.steady) {
            return Ok(None);
        }
        let Some(incarnation) = store.incarnation()? else { return Ok(None) };
        let Chosen { ids: batch, entries, .. } = self.batch(store)?;
        let with_enrolment = self.standing == Some(DeviceStanding::UnknownDevice);
        let heads = self.heads(store)?;
        let boxes = store.boxes_to_give(BOX_BYTES)?;
        self.number += 1;
        let up = Up {
            number: self.number,
            server: self.identity.server,
            device: self.key,
            incarnation,
            wall: now.clock.wall,
            uncertainty_ms: now.clock.uncertainty_ms,
            as_of: now.clock.earliest(),
            cursors: self.cursors(store)?,
            heads: heads.iter().map(|(stream, tips)| Head { stream: stream.clone(), tips: tips.clone() }).collect(),
            beyond: self.beyond(store)?,
            entries,
            enrolments: self.enrolments(store, with_enrolment)?,
            box_mark: store.box_mark()?,
            boxes: boxes.clone(),
            peppers: Some(self.identity.peppers.iter().rev().take(MAX_PEPPERS).copied().collect()),
        };
        let bytes = up.seal(&self.identity.secret);
        let (digest, agreed, marks) = (Digest32::of(&bytes), self.agreed.clone(), self.marks.clone());
        self.open = Some(Open { digest, incarnation, heads, batch, boxes, agreed, marks, with_enrolment });
        self.next_call = Some(now.steady.plus_ms(ANSWER_WAIT_MS));
        Ok(Some(bytes))
    }

    /// The entries to give, plant first: what `want` asks, then own logs by what the server holds of them; where that isn't known, own
    /// unconfirmed entries. Everything is chosen by [`missing`]; nothing by a memory of having sent.
    pub(super) fn batch<S: TerminalShelf>(&self, store: &S) -> Result<Chosen, S::Error> {
        let mut wanted: Vec<&Want> = self.want.iter().collect();
        wanted.sort_by_key(|want| scope::rank(&want.log.stream));
        let mut chosen = Chosen::default();
        for want in wanted {
            chosen.take(store, missing(store, &want.log, &want.shape, MAX_ENTRIES + 1)?)?;
        }
        for log in self.own_logs(store)? {
            let given = match self.held.get(&log.stream) {
                Some(shape) => missing(store, &log, shape, MAX_ENTRIES + 1)?,
                None => self.unconfirmed(store, &log)?,
            };
            chosen.take(store, given)?;
        }
        Ok(chosen)
    }

    /// The unconfirmed entries of a log, by counter.
    fn unconfirmed<S: TerminalShelf>(&self, store: &S, log: &LogId) -> Result<Vec<EntryId>, S::Error> {
        let last = store.tips(log)?.into_iter().map(|(counter, _)| counter).max().unwrap_or(0);
        let confirmed = self.last_counter(store, log, |id| self.is_confirmed(store, &log.stream, id))?;
        let mut ids = Vec::new();
        for counter in confirmed + 1..=last {
            ids.extend(store.at(log, counter)?);
            if ids.len() > MAX_ENTRIES {
                break;
            }
        }
        Ok(ids)
    }

    /// How far a log may be pruned (T11): the last counter up to which every entry is confirmed and was written before `before`; 0 when none.
    /// The store drops the whole prefix and keeps (counter, id) of its last entry as the floor, so that what follows still has its place.
    pub fn prunable<S: TerminalShelf>(&self, store: &S, log: &LogId, before: Timestamp) -> Result<u64, S::Error> {
        if log.stream.family != Family::Presence {
            return Ok(0);
        }
        self.last_counter(store, log, |id| {
            let old = store.entry(id)?.is_none_or(|entry| entry.header().hybrid.ms < before.0);
            Ok(old && self.is_confirmed(store, &log.stream, id)?)
        })
    }

    /// The last counter at which the property holds for every entry, found by halving: it must hold for whatever precedes an entry for which it
    /// holds. Being confirmed does, for the order never puts an entry before the one it names as previous; so does being old.
    fn last_counter<S: TerminalShelf>(
        &self,
        store: &S,
        log: &LogId,
        holds: impl Fn(&EntryId) -> Result<bool, S::Error>,
    ) -> Result<u64, S::Error> {
        let last = store.tips(log)?.into_iter().map(|(counter, _)| counter).max().unwrap_or(0);
        let (mut within, mut beyond) = (0, last + 1);
        while within + 1 < beyond {
            let middle = within + (beyond - within) / 2;
            let mut all = true;
            for id in store.at(log, middle)? {
                all = all && holds(&id)?;
            }
            if all { within = middle } else { beyond = middle }
        }
        Ok(within)
    }

    /// Whether the entry stands at or before the common point of the cursor and the order last shown.
    fn is_confirmed<S: TerminalShelf>(&self, store: &S, stream: &Stream, id: &EntryId) -> Result<bool, S::Error> {
        let mark = self.marks.get(stream).copied().unwrap_or(u64::MAX);
        Ok(store.ordinal(id)?.is_some_and(|ordinal| ordinal <= mark))
    }

    fn heads<S: TerminalShelf>(&self, store: &S) -> Result<BTreeMap<Stream, Vec<EntryId>>, S::Error> {
        let mut heads = BTreeMap::new();
        for log in self.own_logs(store)? {
            let tips = store.tips(&log)?.into_iter().take(MAX_SHAPE).map(|(_, id)| id).collect();
            heads.insert(log.stream, tips);
        }
        Ok(heads)
    }

    /// The cursors. Where the last answer agreed to one, its last segment says it all; else the whole path goes with its proof.
    fn cursors<S: TerminalShelf>(&self, store: &S) -> Result<Vec<CursorShown>, S::Error> {
        let mut shown = Vec::new();
        for stream in &self.identity.scope {
            let mut cursor = store.cursor(stream)?;
            if self.agreed.contains(stream) {
                cursor.path = cursor.path.split_off(cursor.path.len().saturating_sub(1));
                cursor.witness = None;
            }
            if !cursor.path.is_empty() {
                shown.push(CursorShown { stream: stream.clone(), path: cursor.path, witness: cursor.witness });
            }
        }
        Ok(shown)
    }

    /// Tips of logs with unconfirmed entries, except those `heads` shows already. More than a message may carry take turns.
    fn beyond<S: TerminalShelf>(&mut self, store: &S) -> Result<Vec<Beyond>, S::Error> {
        let own = self.own_logs(store)?;
        let mut logs = store.unconfirmed_logs(&self.marks)?;
        logs.retain(|log| !own.contains(log));
        logs.sort();
        if let Some(after) = self.beyond_after.take() {
            logs.retain(|log| *log > after);
        }
        if logs.len() > MAX_BEYOND {
            logs.truncate(MAX_BEYOND);
            self.beyond_after = logs.last().cloned();
        }
        let mut beyond = Vec::new();
        for log in logs {
            let mut tips = Vec::new();
            for (_, tip) in store.tips(&log)? {
                if tips.len() < MAX_BEYOND_TIPS && !self.is_confirmed(store, &log.stream, &tip)? {
                    tips.push(tip);
                }
            }
            beyond.push(Beyond { log, tips });
        }
        Ok(beyond)
    }

    pub(super) fn enrolments<S: TerminalShelf>(&self, store: &S, own: bool) -> Result<Vec<ByteVec>, S::Error> {
        let mut loose = store.loose_enrolments()?;
        if own {
            loose.insert(0, self.identity.enrolment.clone());
        }
        let mut enrolments: Vec<ByteVec> = Vec::new();
        for enrolment in loose {
            let is_own = own && enrolment == self.identity.enrolment;
            let bytes = byte_vec(enrolment.bytes());
            if (is_own || store.place(&enrolment.id())?.is_none()) && !enrolments.contains(&bytes) {
                enrolments.push(bytes);
            }
        }
        enrolments.truncate(MAX_ENROLMENTS);
        Ok(enrolments)
    }
}

/// Entries chosen for a message, each once, as far as the bounds reach.
#[derive(Default)]
pub(super) struct Chosen {
    pub ids: Vec<EntryId>,
    /// Their bytes, in the same order.
    pub entries: Vec<ByteVec>,
    seen: BTreeSet<EntryId>,
    budget: Budget,
    pub full: bool,
}

impl Chosen {
    pub fn take<S: TerminalShelf>(&mut self, store: &S, ids: Vec<EntryId>) -> Result<(), S::Error> {
        for id in ids {
            if self.full || self.seen.contains(&id) {
                continue;
            }
            let Some(entry) = store.entry(&id)? else { continue };
            if !self.budget.takes(entry.bytes().len()) {
                self.full = true;
                return Ok(());
            }
            self.seen.insert(id);
            self.ids.push(id);
            self.entries.push(byte_vec(entry.bytes()));
        }
        Ok(())
    }
}
