//! Hearing the server's answer (T3, T5–T9).

use std::collections::BTreeSet;

use super::up::{BOX_BYTES, Open};
use super::{Event, Fresh, NewBecause, Now, Terminal};
use crate::id::{Digest32, EntryId, Incarnation};
use crate::log::{Entry, Stream, Unverified};
use crate::sync::intake::{Arrival, take_in};
use crate::sync::message::*;
use crate::sync::order::*;
use crate::sync::scope;
use crate::sync::server::is_recovery;
use crate::sync::shape::Shape;
use crate::sync::store::TerminalShelf;

/// What became of an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// Nothing was changed.
    Dropped(Dropped),
    Taken(Taken),
}

/// Why an answer was dropped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Dropped {
    /// Not readable, or not signed by its sender.
    Bad(BadMessage),
    OtherServer,
    /// It answers no exchange, or one that is no longer open.
    NotAsked,
}

/// What an answer, or a peer's gift, brought.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Taken {
    /// Entries that came to be held, in order.
    pub held: Vec<Entry>,
    /// Entries that can't be held yet: one before them, or their device's enrolment, isn't here.
    pub waiting: usize,
    /// Bytes that no replica may hold.
    pub refused: usize,
    /// Another call at once brings more.
    pub again: bool,
}

/// What heeding the server's order came to.
#[derive(Debug, Clone, Copy, Default)]
struct Found {
    /// A cursor was cut back.
    cut: bool,
    /// A cursor moved on.
    moved: bool,
}

/// A stream as the answer shows it.
struct Point<'a> {
    stream: &'a Stream,
    path: &'a [Segment],
    common: Common,
    contradicted: bool,
}

/// An item in its place on the shown path.
struct Placed<'a> {
    item: &'a Item,
    id: EntryId,
    segment: usize,
    chain: Digest32,
}

impl Terminal {
    /// Takes an answer.
    ///
    /// Committed with it: the entries held, the cursors moved over them, what was cut off (T7), a new incarnation (T3), boxes. After a
    /// crash before COMMIT the next exchange brings all of it again; after COMMIT nothing of it is asked for again.
    pub fn handle_down<S: TerminalShelf>(
        &mut self,
        store: &mut S,
        bytes: &[u8],
        now: Now,
        fresh: Fresh,
    ) -> Result<Outcome, S::Error> {
        let down = match Down::open(bytes) {
            Ok(down) if down.server == self.identity.server => down,
            Ok(_) => return Ok(Outcome::Dropped(Dropped::OtherServer)),
            Err(why) => return Ok(Outcome::Dropped(Dropped::Bad(why))),
        };
        let Some(open) = self.open.take_if(|open| open.digest == down.answers) else {
            return Ok(Outcome::Dropped(Dropped::NotAsked));
        };
        self.events.push_back(Event::ServerTime(down.time));
        self.note_standing(&down);
        if let Some(peppers) = down.peppers.clone() {
            self.events.push_back(Event::Peppers(peppers));
        }
        let mut taken = Taken::default();
        self.note_held(store, &open, &down, fresh)?;
        let found = self.heed_order(store, &open, &down, &mut taken, fresh)?;
        store.take_boxes(&down.boxes)?;
        taken.again = self.is_worth_another(store, &open, &down, found)?;
        let steady = now.steady;
        let regular = self.backoff.after_success(steady, fresh.jitter);
        self.not_before = None;
        self.next_call = Some(if taken.again { steady } else { regular });
        Ok(Outcome::Taken(taken))
    }

    fn note_standing(&mut self, down: &Down) {
        if self.standing.as_ref() != Some(&down.standing) {
            self.standing = Some(down.standing.clone());
            self.events.push_back(Event::Standing(down.standing.clone()));
        }
    }

    /// Keeps what the server holds and wants, and notices whether somebody else wrote as this incarnation: the server's signed word is enough (T3).
    fn note_held<S: TerminalShelf>(
        &mut self,
        store: &mut S,
        open: &Open,
        down: &Down,
        fresh: Fresh,
    ) -> Result<(), S::Error> {
        self.want.clone_from(&down.want);
        if store.incarnation()? != Some(open.incarnation) {
            return Ok(());
        }
        let same =
            open.heads.iter().map(|(stream, tips)| (stream.clone(), Shape { tips: tips.clone(), locator: vec![] }));
        self.held = same.collect();
        let mut strange = false;
        for held in &down.held {
            self.held.insert(held.stream.clone(), held.shape.clone());
            for tip in &held.shape.tips {
                strange = strange || store.place(tip)?.is_none();
            }
        }
        if strange {
            self.begin_incarnation(store, fresh, NewBecause::SomebodyElse)?;
        }
        Ok(())
    }

    /// T5–T9.
    fn heed_order<S: TerminalShelf>(
        &mut self,
        store: &mut S,
        open: &Open,
        down: &Down,
        taken: &mut Taken,
        fresh: Fresh,
    ) -> Result<Found, S::Error> {
        let points = self.points(store, down)?;
        let agrees = |point: &&Point<'_>| !point.contradicted;
        self.agreed = points.iter().filter(agrees).map(|point| point.stream.clone()).collect();
        self.marks = points
            .iter()
            .filter(|point| point.contradicted)
            .map(|point| (point.stream.clone(), point.common.ordinal))
            .collect();
        let mut found = Found { cut: !self.marks.is_empty(), moved: false };
        if found.cut && !self.recover(store, open, down, &points)? {
            let streams = self.marks.keys().cloned().collect();
            self.events.push_back(Event::Contradicted { streams });
            return Ok(Found::default());
        }
        if down.standing == DeviceStanding::Ok {
            for point in &points {
                found.moved |= self.take_stream(store, point, down, taken, fresh)?;
            }
        }
        Ok(found)
    }

    /// The common point of every stream in scope, plant first (T5).
    fn points<'a, S: TerminalShelf>(&self, store: &S, down: &'a Down) -> Result<Vec<Point<'a>>, S::Error> {
        let mut points = Vec::new();
        for shown in down.paths.iter().filter(|shown| self.identity.scope.contains(&shown.stream)) {
            let cursor = store.cursor(&shown.stream)?;
            let common = common(&cursor.path, &shown.path, |mine, before, theirs| {
                let agrees = if mine.end <= theirs.end {
                    let there = if mine.end == theirs.end { Some(theirs.hash) } else { shown.at };
                    there == Some(mine.hash)
                } else {
                    theirs.end > 0
                        && store
                            .step(&shown.stream, before.saturating_add(theirs.end))?
                            .is_some_and(|s| s.chain == theirs.hash)
                };
                Ok(if agrees { mine.end.min(theirs.end) } else { 0 })
            })?;
            let contradicted = common.contradicts(&cursor.path);
            points.push(Point { stream: &shown.stream, path: &shown.path, common, contradicted });
        }
        points.sort_by_key(|point| scope::rank(point.stream));
        Ok(points)
    }

    /// Looks for recoveries that cover every contradiction, and cuts the cursors back (T7). `false`: nothing may be taken, or not yet: where a cursor
    /// travelled short, only the answer to its whole path tells how much of it stands.
    fn recover<S: TerminalShelf>(
        &mut self,
        store: &mut S,
        open: &Open,
        down: &Down,
        points: &[Point<'_>],
    ) -> Result<bool, S::Error> {
        let recovered = self.recovered_epochs(store, down)?;
        let covers = |point: &Point<'_>| -> Result<bool, S::Error> {
            let after = point.path.get(point.common.after..).unwrap_or_default();
            let cursor = store.cursor(point.stream)?;
            Ok(!open.agreed.contains(point.stream) && is_covered(after, &cursor.path, &recovered))
        };
        for point in points.iter().filter(|point| point.contradicted) {
            if !covers(point)? {
                return Ok(false);
            }
        }
        for point in points.iter().filter(|point| point.contradicted) {
            let cursor = cut_back(store, point, down)?;
            store.set_cursor(point.stream, &cursor)?;
            let entries = store.cut(point.stream, point.common.ordinal)?;
            self.events.push_back(Event::CutBack { stream: point.stream.clone(), entries });
            self.agreed.insert(point.stream.clone());
        }
        self.marks.clear();
        Ok(true)
    }

    fn recovered_epochs<S: TerminalShelf>(&self, store: &S, down: &Down) -> Result<BTreeSet<Incarnation>, S::Error> {
        let mut epochs = BTreeSet::new();
        for bytes in &down.recovered {
            if let Ok(unverified) = Unverified::read(bytes)
                && let Some(entry) = unverified.signed()
                && is_recovery(&entry, &self.identity.server, store)?
            {
                epochs.insert(entry.log().incarnation);
            }
        }
        Ok(epochs)
    }

    /// Takes a stream's items in sequence from the cursor, and moves the cursor over what is held (T8).
    fn take_stream<S: TerminalShelf>(
        &mut self,
        store: &mut S,
        point: &Point<'_>,
        down: &Down,
        taken: &mut Taken,
        fresh: Fresh,
    ) -> Result<bool, S::Error> {
        let cursor = store.cursor(point.stream)?;
        let before = cursor.path.last().filter(|_| point.common.number > 0).map(|last| last.hash);
        let Some(placed) = place(point, down, before) else {
            self.events.push_back(Event::BrokenOrder { stream: point.stream.clone() });
            return Ok(false);
        };
        let mut last = None;
        for (ordinal, placed) in (point.common.ordinal + 1..).zip(&placed) {
            let entry = placed.id;
            if !self.hold_item(store, placed, taken, fresh)? {
                self.events.push_back(Event::Waits { stream: point.stream.clone(), entry });
                break;
            }
            let Item { epoch, number, .. } = *placed.item;
            store.advance(point.stream, &Step { ordinal, epoch, number, chain: placed.chain, entry })?;
            last = Some(placed);
        }
        let Some(last) = last else { return Ok(false) };
        let epoch = last.item.epoch;
        let mut path = point.path[..last.segment].to_vec();
        path.push(Segment { epoch, end: last.item.number, hash: last.chain });
        let witness = heads_of(down, point.stream, &epoch).max_by_key(|signed| signed.head.number).cloned();
        store.set_cursor(point.stream, &Cursor { path, witness })?;
        Ok(true)
    }

    /// Holds one item, unless it is held; `false` when it can't be, or not yet.
    fn hold_item<S: TerminalShelf>(
        &mut self,
        store: &mut S,
        placed: &Placed<'_>,
        taken: &mut Taken,
        fresh: Fresh,
    ) -> Result<bool, S::Error> {
        let Placed { item, id, .. } = placed;
        let mut place = store.place(id)?;
        if let (None, Given::Entry(bytes)) = (&place, &item.given) {
            match Unverified::read(bytes) {
                Ok(unverified) => self.take_entry(store, unverified, taken, fresh)?,
                Err(_) => taken.refused += 1,
            }
            place = store.place(id)?;
        }
        Ok(place.is_some_and(|place| place.log.stream == item.stream))
    }

    /// Takes in an entry from anywhere. When it is of this very incarnation and wasn't written here, somebody else is me (T3).
    pub(super) fn take_entry<S: TerminalShelf>(
        &mut self,
        store: &mut S,
        unverified: Unverified,
        taken: &mut Taken,
        fresh: Fresh,
    ) -> Result<(), S::Error> {
        let arrival = take_in(unverified, store)?;
        let mine = store.incarnation()?;
        if mine.is_some_and(|incarnation| arrival.is_news_from(&self.key, &incarnation)) {
            self.begin_incarnation(store, fresh, NewBecause::SomebodyElse)?;
        }
        match arrival {
            Arrival::Held(entry) => taken.held.push(entry),
            Arrival::Duplicate => {}
            Arrival::Gap(_) | Arrival::UnknownDevice => taken.waiting += 1,
            Arrival::Refused(_) => taken.refused += 1,
        }
        Ok(())
    }

    /// Whether another call at once would bring anything: the server has more and this call got on, or there is something to show or to give
    /// that didn't just go along. So two sides that can't help each other don't call for ever.
    fn is_worth_another<S: TerminalShelf>(
        &self,
        store: &S,
        open: &Open,
        down: &Down,
        found: Found,
    ) -> Result<bool, S::Error> {
        let goes_on = down.more && (found.moved || self.agreed != open.agreed);
        // Entries that are unconfirmed only since this answer: the server hasn't been shown their tips.
        let newly_beyond = found.cut || self.marks != open.marks || store.incarnation()? != Some(open.incarnation);
        let must_introduce = down.standing == DeviceStanding::UnknownDevice && !open.with_enrolment;
        // A mark that stayed where it was waits for entries.
        let more_boxes = !down.boxes.rows.is_empty() && store.box_mark()? == down.boxes.mark;
        let in_turns = self.beyond_after.is_some() || more_boxes;
        if goes_on || newly_beyond || must_introduce || in_turns {
            return Ok(true);
        }
        let boxes = store.boxes_to_give(BOX_BYTES)?;
        if !boxes.is_empty() && boxes != open.boxes {
            return Ok(true);
        }
        let batch = self.batch(store)?.ids;
        Ok(!batch.is_empty() && batch != open.batch)
    }
}

fn heads_of<'a>(down: &'a Down, stream: &'a Stream, epoch: &'a Incarnation) -> impl Iterator<Item = &'a SignedHead> {
    down.heads.iter().filter(move |signed| signed.head.stream == *stream && signed.head.epoch == *epoch)
}

/// The cursor at the common point, with the head that the server signed for it.
fn cut_back<S: TerminalShelf>(store: &S, point: &Point<'_>, down: &Down) -> Result<Cursor, S::Error> {
    let Some(step) = store.step(point.stream, point.common.ordinal)? else { return Ok(Cursor::default()) };
    let index = point.path.iter().position(|segment| segment.epoch == step.epoch).unwrap_or(0);
    let mut path = point.path[..index].to_vec();
    path.push(Segment { epoch: step.epoch, end: step.number, hash: step.chain });
    let matches = |signed: &&SignedHead| {
        let head = &signed.head;
        head.number == step.number && head.chain == step.chain && head.before == digest_of_path(&point.path[..index])
    };
    let witness = heads_of(down, point.stream, &step.epoch)
        .filter(matches)
        .find(|signed| signed.is_signed_by(&down.server))
        .cloned();
    Ok(Cursor { path, witness })
}

/// Puts a stream's items on the shown path, as far as they follow the common point without a gap, and checks the signed heads. `None` when
/// the items don't lead to what was signed; checking comes before taking, so there is nothing to roll back.
fn place<'a>(point: &Point<'a>, down: &'a Down, before: Option<Digest32>) -> Option<Vec<Placed<'a>>> {
    let mut placed: Vec<Placed<'a>> = Vec::new();
    let (mut segment, mut number) = (point.common.segment, point.common.number);
    let mut chain = match before {
        Some(chain) => chain,
        None => chain_start(&point.path.get(segment)?.epoch, point.stream),
    };
    for item in down.items.iter().filter(|item| item.stream == *point.stream) {
        while item.epoch != point.path[segment].epoch && number == point.path[segment].end {
            // Only an epoch that was read to its end, and rightly, is left.
            if chain != point.path[segment].hash {
                return None;
            }
            if segment + 1 == point.path.len() {
                break;
            }
            segment += 1;
            number = 0;
            chain = chain_start(&point.path[segment].epoch, point.stream);
        }
        if item.epoch != point.path[segment].epoch || number.checked_add(1) != Some(item.number) {
            break;
        }
        number = item.number;
        let id = item.given.id();
        chain = chain_next(&chain, &id);
        placed.push(Placed { item, id, segment, chain });
    }
    let ends =
        placed.iter().enumerate().filter(|(i, here)| placed.get(i + 1).is_none_or(|next| next.segment != here.segment));
    ends.map(|(_, last)| last).all(|last| is_attested(point, down, last)).then_some(placed)
}

fn is_attested(point: &Point<'_>, down: &Down, last: &Placed<'_>) -> bool {
    let before = digest_of_path(&point.path[..last.segment]);
    heads_of(down, point.stream, &last.item.epoch).any(|signed| {
        let head = &signed.head;
        head.number == last.item.number
            && head.chain == last.chain
            && head.before == before
            && signed.is_signed_by(&down.server)
    })
}
