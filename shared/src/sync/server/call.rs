//! One call at the server: taking in, heeding what cursors show, numbering.

use std::collections::BTreeMap;

use minicbor::bytes::ByteVec;

use super::footing::{Footing, Stand, footings};
use super::{Intake, Notice, Server};
use crate::id::{DeviceKey, EntryId, Incarnation};
use crate::kind::Body;
use crate::log::chain::BadHold;
use crate::log::entry::{BadEntry, verify_together};
use crate::log::{Draft, Entry, Stream, Unverified};
use crate::sync::intake::{Arrival, gives_more, news, read_enrolment, take_in};
use crate::sync::message::Up;
use crate::sync::order::{chain_next, chain_start};
use crate::sync::store::{Ordered, ServerShelf};
use crate::time::ClockReading;

/// How many numbers are read at once when everything is numbered anew.
const PAGE: usize = 512;

/// What one transaction of the server has done so far.
pub(super) struct Call<'a> {
    pub server: &'a Server,
    pub clock: ClockReading,
    /// Random bits for an epoch, used at most once.
    fresh: Option<Incarnation>,
    /// The same bits; nobody who calls has seen them.
    random: Incarnation,
    /// Held in this call, not yet numbered.
    pub unnumbered: Vec<(Stream, EntryId)>,
    pub held: Vec<Entry>,
    pub notices: Vec<Notice>,
    waiting: usize,
}

impl<'a> Call<'a> {
    pub fn new(server: &'a Server, clock: ClockReading, fresh: Incarnation) -> Self {
        let (unnumbered, held, notices) = Default::default();
        Self { server, clock, fresh: Some(fresh), random: fresh, unnumbered, held, notices, waiting: 0 }
    }

    pub fn into_intake(self) -> Intake {
        Intake { held: self.held, notices: self.notices, waiting: self.waiting }
    }

    /// Enrols anew what this server once enrolled and no longer knows (S2). It never undoes a revocation: that counts by device key.
    pub fn reissue<S: ServerShelf>(&mut self, store: &mut S, enrolments: &[ByteVec]) -> Result<(), S::Error> {
        for bytes in enrolments {
            let Some((original, statement)) = read_enrolment(bytes, &self.server.key) else { continue };
            let Body::DeviceEnrolled(enrolled) = &statement.body else { continue };
            let device = enrolled.device;
            if !gives_more(enrolled, store)? {
                continue;
            }
            let draft = Draft::new(original.subject().clone(), statement).with_blocks_of(&original);
            let stream = original.log().stream.clone();
            if self.write(store, &stream, &draft)?.is_ok() {
                self.notices.push(Notice::Reissued { device });
            }
        }
        Ok(())
    }

    /// Holds a call's entries (S2). A gap is no error: `want` and `held` cure it.
    pub fn hold_batch<S: ServerShelf>(&mut self, store: &mut S, up: &Up) -> Result<(), S::Error> {
        self.hold_all(store, &up.entries, Some(&up.device))
    }

    /// Holds a bundle's entries, whoever brings it.
    pub fn hold_given<S: ServerShelf>(&mut self, store: &mut S, entries: &[ByteVec]) -> Result<(), S::Error> {
        self.hold_all(store, entries, None)
    }

    fn hold_all<S: ServerShelf>(
        &mut self,
        store: &mut S,
        entries: &[ByteVec],
        caller: Option<&DeviceKey>,
    ) -> Result<(), S::Error> {
        let epoch = store.epochs()?.last().copied();
        let is_known = |store: &S| caller.map_or(Ok(true), |caller| Ok(store.scope_of(caller)?.is_some()));
        let (mut known, mut somebody_else_is_me) = (is_known(store)?, false);
        let (mut read, mut bad): (Vec<Unverified>, Vec<BadEntry>) = Default::default();
        for bytes in entries {
            match news(bytes, store)? {
                Some(Ok(unverified)) => read.push(unverified),
                Some(Err(why)) => bad.push(why),
                None => {}
            }
        }
        if known {
            bad.into_iter().for_each(|why| self.refuse(caller, &why.into()));
            verify_together(&mut read, &self.random.0);
        }
        for unverified in read {
            known = known || is_known(store)?;
            // From an unknown device only the server's own entries; one of them may be its enrolment.
            if !known && unverified.peek().log().device != self.server.key {
                continue;
            }
            let arrival = take_in(unverified, store)?;
            somebody_else_is_me |= epoch.is_some_and(|epoch| arrival.is_news_from(&self.server.key, &epoch));
            match arrival {
                Arrival::Held(entry) => {
                    self.unnumbered.push((entry.log().stream.clone(), entry.id()));
                    self.held.push(entry);
                }
                Arrival::Duplicate => {}
                Arrival::Gap(_) | Arrival::UnknownDevice => self.waiting += 1,
                Arrival::Refused(why) => self.refuse(caller, &why),
            }
        }
        if somebody_else_is_me {
            self.start_over(store, "an entry of the current epoch arrived that this store had not written")?;
        }
        Ok(())
    }

    fn refuse(&mut self, caller: Option<&DeviceKey>, why: &BadHold) {
        let device = caller.copied().unwrap_or(self.server.key);
        self.notices.push(Notice::Refused { device, why: why.to_string() });
    }

    /// Compares every shown cursor with the order here, and stops when a signed head isn't on it and no recovery covers that (S3, S4).
    pub fn heed_cursors<S: ServerShelf>(&mut self, store: &mut S, up: &Up) -> Result<Vec<Footing>, S::Error> {
        let mut found = footings(self.server, store, up)?;
        let put_back = found.iter().any(|footing| matches!(footing.stand, Stand::PutBack));
        if put_back && self.start_over(store, "a kiosk has seen more of the current epoch than this store")? {
            found = footings(self.server, store, up)?;
        }
        let lost = found.iter().find(|footing| footing.stand.stops());
        if let Some(footing) = lost {
            store.set_stopped(true)?;
            self.notices.push(Notice::Contradicted { device: up.device, stream: footing.stream.clone() });
        }
        Ok(found)
    }

    /// Opens an epoch with an empty path, numbers every held entry anew, and stops (S4, S5). `false` when that happened already.
    fn start_over<S: ServerShelf>(&mut self, store: &mut S, reason: &str) -> Result<bool, S::Error> {
        let Some(fresh) = self.fresh.take() else { return Ok(false) };
        let epochs = store.epochs()?;
        for stream in store.streams()? {
            let mut last = start(&stream, &fresh);
            for epoch in &epochs {
                last = copy_order(store, &stream, epoch, &fresh, last)?;
            }
        }
        store.set_epochs(&[fresh])?;
        store.set_stopped(true)?;
        self.notices.push(Notice::StartedOver { epoch: fresh });
        // The statement is two short texts: it always fits.
        let _fits = self.write_epoch(store, fresh, reason)?;
        Ok(true)
    }

    pub fn take_boxes<S: ServerShelf>(&mut self, store: &mut S, up: &Up) -> Result<(), S::Error> {
        if store.scope_of(&up.device)?.is_some() && store.revocation(&up.device)?.is_none() {
            for row in &up.boxes {
                store.put_box(&up.device, row)?;
            }
        }
        Ok(())
    }

    /// Gives every entry held in this call its number: the last statements before COMMIT, so that nobody waits long for the row lock (S1).
    pub fn number<S: ServerShelf>(&mut self, store: &mut S) -> Result<(), S::Error> {
        let Some(epoch) = store.epochs()?.last().copied() else { return Ok(()) };
        let mut ends: BTreeMap<Stream, Ordered> = BTreeMap::new();
        for (stream, entry) in std::mem::take(&mut self.unnumbered) {
            let last = match ends.remove(&stream) {
                Some(last) => last,
                None => store.last_ordered(&stream, &epoch)?.unwrap_or_else(|| start(&stream, &epoch)),
            };
            let next = following(&last, entry);
            store.order(&stream, &epoch, &next)?;
            ends.insert(stream, next);
        }
        Ok(())
    }
}

/// The chain before its first number; names no entry.
fn start(stream: &Stream, epoch: &Incarnation) -> Ordered {
    Ordered { number: 0, chain: chain_start(epoch, stream), entry: EntryId([0; 32]) }
}

fn following(last: &Ordered, entry: EntryId) -> Ordered {
    Ordered { number: last.number + 1, chain: chain_next(&last.chain, &entry), entry }
}

fn copy_order<S: ServerShelf>(
    store: &mut S,
    stream: &Stream,
    from: &Incarnation,
    to: &Incarnation,
    mut last: Ordered,
) -> Result<Ordered, S::Error> {
    let mut after = 0;
    loop {
        let page = store.ordered(stream, from, after, PAGE)?;
        let Some(end) = page.last() else { return Ok(last) };
        after = end.number;
        for ordered in page {
            last = following(&last, ordered.entry);
            store.order(stream, to, &last)?;
        }
    }
}
