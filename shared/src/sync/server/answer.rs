//! Composing the answer (S6).

use std::collections::{BTreeMap, BTreeSet};

use minicbor::bytes::ByteVec;

use super::call::Call;
use super::footing::{Footing, Stand};
use super::{Answer, Server};
use crate::id::{Digest32, EntryId};
use crate::kind::Family;
use crate::log::{Entry, LogId, Stream};
use crate::sync::envelope::{Budget, byte_vec};
use crate::sync::message::*;
use crate::sync::order::{OrderHead, digest_of_path};
use crate::sync::scope;
use crate::sync::shape::{shape, shapes};
use crate::sync::store::{Boxes, ServerShelf};

/// How many numbers are read at once.
const PAGE: usize = 256;

pub(super) fn compose<S: ServerShelf>(
    server: &Server,
    store: &S,
    up: &SignedUp,
    footings: Vec<Footing>,
    call: Call<'_>,
) -> Result<Answer, S::Error> {
    let standing = standing_of(store, up)?;
    let mut giving = Giving::new(server, store, up)?;
    for footing in &footings {
        giving.attest(footing)?;
    }
    if standing == DeviceStanding::Ok {
        giving.give_all(&footings)?;
    }
    let unproven = footings.iter().any(|footing| matches!(footing.stand, Stand::Unproven));
    let agreed = footings.iter().all(|footing| matches!(footing.stand, Stand::On { .. }));
    let Giving { items, mut heads, attested, cut_short, .. } = giving;
    heads.extend(attested);
    let down = Down {
        server: server.key,
        answers: up.digest(),
        time: call.clock.wall,
        recovered: if agreed { Vec::new() } else { recovered_on_path(store)? },
        held: held(store, up)?,
        want: want(server, store, up, &standing)?,
        paths: footings.into_iter().map(shown).collect(),
        items,
        heads: Vec::new(),
        more: cut_short || unproven,
        boxes: boxes(store, up, &standing)?,
        peppers: None,
        standing,
    };
    Ok(Answer { down, heads, held: call.held, notices: call.notices })
}

fn standing_of<S: ServerShelf>(store: &S, up: &Up) -> Result<DeviceStanding, S::Error> {
    if let Some(reason) = store.revocation(&up.device)? {
        return Ok(DeviceStanding::Revoked(reason, store.is_retired(&up.device)?.then_some(true)));
    }
    Ok(if store.scope_of(&up.device)?.is_some() { DeviceStanding::Ok } else { DeviceStanding::UnknownDevice })
}

fn shown(footing: Footing) -> PathShown {
    PathShown { stream: footing.stream, path: footing.path, at: footing.at }
}

fn recovered_on_path<S: ServerShelf>(store: &S) -> Result<Vec<ByteVec>, S::Error> {
    let epochs = store.epochs()?;
    let mut entries = store.recoveries()?;
    entries.retain(|entry| epochs.contains(&entry.log().incarnation));
    // The latest epochs cover the most.
    entries.sort_by_key(|entry| epochs.iter().rposition(|epoch| *epoch == entry.log().incarnation));
    Ok(entries.iter().rev().take(MAX_ENROLMENTS).map(|entry| byte_vec(entry.bytes())).collect())
}

/// What is held here of the caller's own logs, where the tips differ from those it showed. Also logs it doesn't show: a restored kiosk may have
/// forgotten that it ever wrote to a stream (T3).
fn held<S: ServerShelf>(store: &S, up: &Up) -> Result<Vec<HeldLog>, S::Error> {
    let shown: BTreeMap<&Stream, BTreeSet<EntryId>> =
        up.heads.iter().map(|head| (&head.stream, head.tips.iter().copied().collect())).collect();
    let mut streams: BTreeSet<Stream> = up.heads.iter().map(|head| head.stream.clone()).collect();
    streams.extend(store.logs_of(&up.device, &up.incarnation)?.into_iter().map(|log| log.stream));
    let mut held = Vec::new();
    for stream in streams {
        let log = LogId { device: up.device, incarnation: up.incarnation, stream: stream.clone() };
        let tips: BTreeSet<EntryId> = store.tips(&log)?.into_iter().map(|(_, id)| id).collect();
        if shown.get(&stream) != Some(&tips) {
            held.push(HeldLog { shape: shape(store, &log)?, stream });
        }
    }
    held.truncate(MAX_STREAMS);
    Ok(held)
}

/// The logs of which the caller shows a tip that isn't held here, plant first. Of an unknown device only the server's own: nothing else would be
/// held from it.
fn want<S: ServerShelf>(server: &Server, store: &S, up: &Up, standing: &DeviceStanding) -> Result<Vec<Want>, S::Error> {
    let known = *standing != DeviceStanding::UnknownDevice;
    let mut logs = Vec::new();
    for beyond in &up.beyond {
        let mut lacking = false;
        for tip in &beyond.tips {
            lacking = lacking || store.place(tip)?.is_none();
        }
        if lacking && (known || beyond.log.device == server.key) {
            logs.push(beyond.log.clone());
        }
    }
    logs.sort_by_key(|log| scope::rank(&log.stream));
    logs.dedup();
    logs.truncate(MAX_WANT);
    Ok(shapes(store, logs)?.into_iter().map(|(log, shape)| Want { log, shape }).collect())
}

fn boxes<S: ServerShelf>(store: &S, up: &Up, standing: &DeviceStanding) -> Result<Boxes, S::Error> {
    match standing {
        DeviceStanding::Ok => store.boxes_since(up, MAX_BATCH_BYTES),
        _ => Ok(Boxes::default()),
    }
}

/// The items for one caller, as far as the bounds reach.
struct Giving<'a, S> {
    server: &'a Server,
    store: &'a S,
    came_along: BTreeSet<EntryId>,
    /// For each of the caller's own logs that stands here without a fork, the counter up to which it holds it too.
    own: BTreeMap<LogId, u64>,
    budget: Budget,
    items: Vec<Item>,
    heads: Vec<OrderHead>,
    attested: Vec<OrderHead>,
    cut_short: bool,
}

impl<'a, S: ServerShelf> Giving<'a, S> {
    fn new(server: &'a Server, store: &'a S, up: &Up) -> Result<Self, S::Error> {
        let mut own = BTreeMap::new();
        for head in &up.heads {
            let log = LogId { device: up.device, incarnation: up.incarnation, stream: head.stream.clone() };
            let mut reach = 0;
            for tip in &head.tips {
                reach = reach.max(store.place(tip)?.filter(|place| place.log == log).map_or(0, |place| place.counter));
            }
            if store.tips(&log)?.len() == 1 {
                own.insert(log, reach);
            }
        }
        let came_along = up.entries.iter().map(|entry| EntryId::of(entry)).collect();
        let (budget, items, heads, attested) = Default::default();
        Ok(Self { server, store, came_along, own, budget, items, heads, attested, cut_short: false })
    }

    /// Plant first; the other streams only when plant is at its head.
    fn give_all(&mut self, footings: &[Footing]) -> Result<(), S::Error> {
        let mut sorted: Vec<&Footing> = footings.iter().collect();
        sorted.sort_by_key(|footing| scope::rank(&footing.stream));
        for footing in sorted {
            if !self.cut_short || footing.stream.family == Family::Plant {
                self.give_stream(footing)?;
            }
        }
        Ok(())
    }

    fn give_stream(&mut self, footing: &Footing) -> Result<(), S::Error> {
        let Some((first, read)) = footing.stand.reads_from() else { return Ok(()) };
        for (index, segment) in footing.path.iter().enumerate().skip(first) {
            let mut after = if index == first { read } else { 0 };
            let before = digest_of_path(&footing.path[..index]);
            loop {
                let page = self.store.ordered(&footing.stream, &segment.epoch, after, PAGE)?;
                if page.is_empty() {
                    break;
                }
                for ordered in page {
                    let Some(given) = self.given(&ordered.entry)? else {
                        self.cut_short = true;
                        return Ok(());
                    };
                    after = ordered.number;
                    self.push(footing, index, before, ordered.number, ordered.chain, given);
                }
            }
        }
        Ok(())
    }

    /// The head at the common point, so that the kiosk has a witness for the cursor it cuts back to (T7), also one that is given nothing: its
    /// revocation may go with a server that is lost.
    fn attest(&mut self, footing: &Footing) -> Result<(), S::Error> {
        let Stand::Covered { segment, number } = footing.stand else { return Ok(()) };
        let epoch = footing.path[segment].epoch;
        let before = digest_of_path(&footing.path[..segment]);
        if let Some(number_before) = number.checked_sub(1)
            && let Some(ordered) = self.store.ordered(&footing.stream, &epoch, number_before, 1)?.first()
        {
            let (server, stream) = (self.server.key, footing.stream.clone());
            self.attested.push(OrderHead { server, stream, epoch, number, chain: ordered.chain, before });
        }
        Ok(())
    }

    fn push(&mut self, footing: &Footing, index: usize, before: Digest32, number: u64, chain: Digest32, given: Given) {
        let (stream, epoch) = (footing.stream.clone(), footing.path[index].epoch);
        self.items.push(Item { stream: stream.clone(), epoch, number, given });
        let head = OrderHead { server: self.server.key, stream, epoch, number, chain, before };
        match self.heads.last_mut() {
            Some(last) if last.stream == head.stream && last.epoch == head.epoch => *last = head,
            _ => self.heads.push(head),
        }
    }

    /// The entry, or its id alone; `None` when the answer is full.
    fn given(&mut self, id: &EntryId) -> Result<Option<Given>, S::Error> {
        if self.items.len() >= MAX_ENTRIES {
            return Ok(None);
        }
        if self.came_along.contains(id) {
            return Ok(Some(Given::Id(*id)));
        }
        // What is numbered is held.
        let Some(entry) = self.store.entry(id)? else { return Ok(None) };
        if self.is_callers(&entry) {
            return Ok(Some(Given::Id(*id)));
        }
        Ok(self.budget.takes(entry.bytes().len()).then(|| Given::Entry(byte_vec(entry.bytes()))))
    }

    fn is_callers(&self, entry: &Entry) -> bool {
        self.own.get(entry.log()).is_some_and(|reach| entry.header().counter <= *reach)
    }
}
