//! The kiosk's side: T1–T11.
//!
//! A [`Terminal`] owns no socket and no store. The driver calls, each inside one transaction of the kiosk's store:
//!
//! 1. [`start`](Terminal::start) once, and again whenever a COMMIT failed: what a terminal remembers may vanish at any time.
//! 2. [`poll_up`](Terminal::poll_up) when [`poll_deadline`](Terminal::poll_deadline) has come; what it gives goes to the server.
//! 3. [`handle_down`](Terminal::handle_down) with the answer, or [`handle_failure`](Terminal::handle_failure) when none came.
//! 4. [`poll_event`](Terminal::poll_event) after each COMMIT, and, when [it is due](Terminal::key_store_is_due), the
//!    [own heads](Terminal::own_heads) into the key store.
//!
//! An `Err` is the store's own; the transaction is to be rolled back and the terminal started anew. A crash before a COMMIT leaves nothing of
//! the call, a crash after it everything; either way the next exchange repeats what the other side lacks.

mod bundle;
mod down;
mod peer;
mod up;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use self::up::Open;
use super::backoff::{Backoff, LONGEST_WAIT_MS};
use super::intake::append;
use super::message::{DeviceStanding, Want};
use super::shape::Shape;
use super::store::{Marks, TerminalShelf};
use crate::id::{DeviceKey, EntryId, Incarnation};
use crate::kind::Family;
use crate::log::entry::{BadEntry, MAX_REVISIONS};
use crate::log::{Draft, Entry, LogId, Revision, Stream};
use crate::part11::pepper::{Pepper, PepperEpoch};
use crate::part11::signature::DeviceSecret;
use crate::time::{ClockReading, MINUTE_MS, Timestamp};

pub use bundle::Gift;
pub use down::{Dropped, Outcome, Taken};
pub use peer::PeerAnswer;

/// The key store's heads are never further behind than so many entries …
pub const CONTINUITY_ENTRIES: u32 = 64;
/// … or this old, in milliseconds.
pub const CONTINUITY_MS: i64 = 10 * MINUTE_MS;

/// What a kiosk's key store and settings say of it; none of it lies in its data folder.
#[derive(Debug, Clone)]
pub struct Identity {
    pub secret: DeviceSecret,
    pub server: DeviceKey,
    /// The `device_enrolled` entry of this device.
    pub enrolment: Entry,
    /// [`super::scope::of_enrolment`].
    pub scope: Vec<Stream>,
    /// Whose peppers the key store holds, rising.
    pub peppers: Vec<PepperEpoch>,
}

/// Now, twice.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    /// What goes into entries and messages.
    pub clock: ClockReading,
    /// A clock that never steps, from any origin: deadlines go by it.
    pub steady: Timestamp,
}

/// Random bits for one call.
#[derive(Debug, Clone, Copy)]
pub struct Fresh {
    /// Becomes the incarnation if one is needed.
    pub incarnation: Incarnation,
    pub jitter: u64,
}

/// What the driver, the journal or a person should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// This kiosk goes on as another: all its streams begin new logs.
    NewIncarnation {
        incarnation: Incarnation,
        why: NewBecause,
    },
    /// The server's order contradicts what was witnessed, and nobody has signed a recovery: nothing is taken (T7).
    Contradicted {
        streams: Vec<Stream>,
    },
    /// The cursor was cut back; these entries were witnessed beyond the common point and are listed for review (T7).
    CutBack {
        stream: Stream,
        entries: Vec<EntryId>,
    },
    /// The server's signed time, for the clock.
    ServerTime(Timestamp),
    Standing(DeviceStanding),
    /// For the key store, and then for [`Terminal::handle_peppers_kept`].
    Peppers(Vec<(PepperEpoch, Pepper)>),
    /// An item of the order couldn't be held: the stream waits there (T8).
    Waits {
        stream: Stream,
        entry: EntryId,
    },
    /// The items given don't lead to the head that was signed: nothing of the stream was taken (T8).
    BrokenOrder {
        stream: Stream,
    },
}

/// Why a new incarnation began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NewBecause {
    /// The disk is new.
    First,
    /// The key store knows an entry that the disk doesn't: `continuity_unproven` (T2).
    ContinuityUnproven,
    /// Somebody else wrote as this incarnation (T3).
    SomebodyElse,
}

/// A kiosk in the protocol. Everything in it may vanish at any time.
#[derive(Debug)]
pub struct Terminal {
    identity: Identity,
    key: DeviceKey,
    number: u64,
    open: Option<Open>,
    /// What the server holds of the own logs of the current incarnation.
    held: BTreeMap<Stream, Shape>,
    want: Vec<Want>,
    /// The common points that lie before the cursor.
    marks: Marks,
    /// Streams whose cursor the last answer agreed to: no proof is needed.
    agreed: BTreeSet<Stream>,
    standing: Option<DeviceStanding>,
    /// The last log shown in `beyond`, when there were more than a message may carry.
    beyond_after: Option<LogId>,
    next_call: Option<Timestamp>,
    /// The server asked to be left alone until then.
    not_before: Option<Timestamp>,
    backoff: Backoff,
    continuity: Continuity,
    events: VecDeque<Event>,
}

/// How far the key store's heads are behind.
#[derive(Debug, Default)]
struct Continuity {
    written: u32,
    since: Option<Timestamp>,
    now: bool,
}

/// Whether nothing in a log of this terminal's own says that somebody else wrote it: it doesn't divide, and ends no later than this store's hybrid
/// clock, which each entry written here has moved.
fn was_written_here<S: TerminalShelf>(own: &LogId, store: &S) -> Result<bool, S::Error> {
    let tips = store.tips(own)?;
    let [(_, tip)] = tips.as_slice() else { return Ok(false) };
    let last = store.entry(tip)?;
    let clock = store.hybrid()?;
    Ok(last.is_some_and(|last| last.header().hybrid <= clock))
}

impl Terminal {
    /// Begins with an empty memory (T2). `heads` are those of the key store: if the disk lacks one, somebody restored it, and a new
    /// incarnation begins at once; so it does if something in a log of the current one wasn't written here, which is somebody else's then (T3).
    ///
    /// Committed with it: the incarnation, and the own enrolment outside its chain if the disk is older than it (H6, H7).
    pub fn start<S: TerminalShelf>(
        identity: Identity,
        heads: &[EntryId],
        store: &mut S,
        now: Now,
        fresh: Fresh,
    ) -> Result<Self, S::Error> {
        let mut terminal = Self {
            key: identity.secret.key(),
            identity,
            number: 0,
            open: None,
            held: BTreeMap::new(),
            want: Vec::new(),
            marks: Marks::new(),
            agreed: BTreeSet::new(),
            standing: None,
            beyond_after: None,
            next_call: Some(now.steady),
            not_before: None,
            backoff: Backoff::default(),
            // How far behind the key store is isn't known.
            continuity: Continuity { now: true, ..Continuity::default() },
            events: VecDeque::new(),
        };
        let enrolment = &terminal.identity.enrolment;
        if store.place(&enrolment.id())?.is_none() {
            store.keep_loose_enrolment(enrolment)?;
        }
        let mut proven = true;
        for head in heads {
            proven = proven && store.place(head)?.is_some();
        }
        let mut alone = true;
        for log in terminal.own_logs(store)? {
            alone = alone && was_written_here(&log, store)?;
        }
        match (store.incarnation()?, proven) {
            (_, false) => terminal.begin_incarnation(store, fresh, NewBecause::ContinuityUnproven)?,
            (None, true) => terminal.begin_incarnation(store, fresh, NewBecause::First)?,
            (Some(_), true) if !alone => terminal.begin_incarnation(store, fresh, NewBecause::SomebodyElse)?,
            (Some(_), true) => {}
        }
        Ok(terminal)
    }

    /// Writes an entry of this kiosk's own (T1). It is acknowledged to a person only after COMMIT.
    ///
    /// Committed with it: the entry and what follows from it.
    pub fn write<S: TerminalShelf>(
        &mut self,
        store: &mut S,
        stream: &Stream,
        draft: &Draft,
        now: Now,
    ) -> Result<Result<Entry, BadEntry>, S::Error> {
        let Some(log) = self.own_log(store, stream)? else {
            return Ok(Err(BadEntry::Limit("a log begins with an incarnation")));
        };
        let plant = self.revisions(store)?;
        let written = append(log, draft, now.clock, plant, &self.identity.secret, store)?;
        if written.is_ok() {
            self.continuity.written += 1;
            self.continuity.since.get_or_insert(now.steady);
        }
        Ok(written)
    }

    /// When the next call is due; `None` while nothing is (the answer to a call in flight has its own time-out).
    pub fn poll_deadline(&self) -> Option<Timestamp> {
        self.next_call.map(|due| self.not_before.map_or(due, |not_before| due.max(not_before)))
    }

    /// A ring, a new entry, a cable plugged in: call now, unless the server asked to wait.
    pub fn handle_bell(&mut self, now: Now) {
        self.next_call = Some(now.steady);
    }

    /// The call went unanswered.
    pub fn handle_failure(&mut self, now: Now, fresh: Fresh) {
        self.open = None;
        self.next_call = Some(self.backoff.after_failure(now.steady, fresh.jitter));
    }

    /// The server has too much to do and said for how long. Nothing brings the next call forward, and nobody can silence a kiosk for longer
    /// than it would wait by itself after many failures.
    pub fn handle_busy(&mut self, now: Now, wait_ms: i64, fresh: Fresh) {
        self.handle_failure(now, fresh);
        // Spread over half the wait again: those who were turned away together would return together.
        let wait_ms = wait_ms.clamp(0, LONGEST_WAIT_MS);
        let spread = (fresh.jitter % (wait_ms.unsigned_abs() / 2 + 1)) as i64;
        self.not_before = Some(now.steady.plus_ms(wait_ms + spread));
    }

    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Whether the key store's heads are to be replaced: after COMMIT, at most [`CONTINUITY_ENTRIES`] entries or [`CONTINUITY_MS`] late (T1).
    /// A crash before they are written costs nothing; a restore noticed later costs a fork.
    pub fn key_store_is_due(&self, now: Now) -> bool {
        let old = self.continuity.since.is_some_and(|since| now.steady.since(since) >= CONTINUITY_MS);
        self.continuity.now || old || self.continuity.written >= CONTINUITY_ENTRIES
    }

    /// The heads of this kiosk's own logs, for the key store. They replace the ones before.
    pub fn own_heads<S: TerminalShelf>(&self, store: &S) -> Result<Vec<EntryId>, S::Error> {
        let mut heads = Vec::new();
        for log in self.own_logs(store)? {
            heads.extend(store.tips(&log)?.into_iter().max().map(|(_, id)| id));
        }
        Ok(heads)
    }

    /// The key store holds them; until it says so they stay due.
    pub fn handle_heads_kept(&mut self) {
        self.continuity = Continuity::default();
    }

    /// The key store holds the peppers of these epochs, rising. What waits for them at the server is asked for at once.
    pub fn handle_peppers_kept(&mut self, epochs: Vec<PepperEpoch>, now: Now) {
        self.identity.peppers = epochs;
        self.handle_bell(now);
    }

    /// What the server said of this device; `None` before the first answer.
    pub fn standing(&self) -> Option<&DeviceStanding> {
        self.standing.as_ref()
    }

    /// Whether the last answer contradicted what was witnessed, and nothing was taken (T7).
    pub fn is_contradicted(&self) -> bool {
        !self.marks.is_empty()
    }

    fn begin_incarnation<S: TerminalShelf>(
        &mut self,
        store: &mut S,
        fresh: Fresh,
        why: NewBecause,
    ) -> Result<(), S::Error> {
        store.set_incarnation(fresh.incarnation)?;
        self.held.clear();
        self.continuity.now = true;
        self.events.push_back(Event::NewIncarnation { incarnation: fresh.incarnation, why });
        Ok(())
    }

    /// The log that this kiosk writes to in a stream now; `None` before the first [`start`](Self::start) is committed.
    pub fn own_log<S: TerminalShelf>(&self, store: &S, stream: &Stream) -> Result<Option<LogId>, S::Error> {
        let incarnation = store.incarnation()?;
        Ok(incarnation.map(|incarnation| LogId { device: self.key, incarnation, stream: stream.clone() }))
    }

    /// The logs of the current incarnation in which something stands.
    fn own_logs<S: TerminalShelf>(&self, store: &S) -> Result<Vec<LogId>, S::Error> {
        let mut logs = Vec::new();
        for stream in self.identity.scope.iter().filter(|stream| !stream.family.is_servers_only()) {
            if let Some(log) = self.own_log(store, stream)?
                && !store.tips(&log)?.is_empty()
            {
                logs.push(log);
            }
        }
        Ok(logs)
    }

    /// How far the plant is known here (U1).
    fn revisions<S: TerminalShelf>(&self, store: &S) -> Result<Vec<Revision>, S::Error> {
        let mut revisions = Vec::new();
        for stream in self.identity.scope.iter().filter(|stream| stream.family == Family::Plant).take(MAX_REVISIONS) {
            if let Some(last) = store.cursor(stream)?.path.last() {
                let stream = stream.clone();
                revisions.push(Revision { stream, epoch: last.epoch, number: last.end, chain: last.hash });
            }
        }
        Ok(revisions)
    }
}
