//! The server's side: S1–S7.
//!
//! Each `handle_*` and each act runs inside one transaction that the caller opens, and commits only when it returned `Ok`. A crash
//! before COMMIT leaves nothing of it; after COMMIT, everything, and the kiosk that got no answer calls again. The [`Server`] itself remembers
//! nothing between calls.

mod answer;
mod call;
mod footing;

use self::call::Call;
use super::intake::append;
use super::message::{BadMessage, DeviceStanding, Down, Give, MAX_PEPPERS, SignedUp};
use super::order::OrderHead;
use super::store::ServerShelf;
use crate::id::{ActId, DeviceKey, Incarnation};
use crate::kind::plant::ServerEpoch;
use crate::kind::{Body, Statement};
use crate::log::entry::BadEntry;
use crate::log::{Draft, Entry, LogId, Stream, Subject};
use crate::part11::pepper::{Pepper, PepperEpoch};
use crate::part11::signature::DeviceSecret;
use crate::time::ClockReading;

/// The server's identity in the protocol. Its key is in escrow, apart from the backup.
#[derive(Debug, Clone)]
pub struct Server {
    secret: DeviceSecret,
    key: DeviceKey,
}

/// An answer that isn't signed yet, because its transaction isn't committed yet. After COMMIT: [`Server::sign`].
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub struct Answer {
    down: Down,
    heads: Vec<OrderHead>,
    /// The entries that came to be held, in order.
    pub held: Vec<Entry>,
    /// What people should know of.
    pub notices: Vec<Notice>,
}

impl Answer {
    /// Lets it carry peppers that the caller lacks. An unknown or revoked device never gets one.
    pub fn with_peppers(mut self, lacking: Vec<(PepperEpoch, Pepper)>) -> Self {
        if self.down.standing == DeviceStanding::Ok && !lacking.is_empty() {
            self.down.peppers = Some(lacking.into_iter().take(MAX_PEPPERS).collect());
        }
        self
    }
}

/// Something at the server that a person should look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// A kiosk showed a signed head that isn't on the order here: writing stopped until two people sign `server_recovered` (S4).
    Contradicted { device: DeviceKey, stream: Stream },
    /// The store was put back behind its own back: a new epoch with an empty path was opened (S4, S5).
    StartedOver { epoch: Incarnation },
    /// A device that was enrolled after the backup was enrolled anew (S2).
    Reissued { device: DeviceKey },
    /// An entry that can never be held came with a call.
    Refused { device: DeviceKey, why: String },
}

/// What a bundle brought in.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Intake {
    pub held: Vec<Entry>,
    pub notices: Vec<Notice>,
    /// Entries that wait for others before them, or for their device's enrolment.
    pub waiting: usize,
}

/// Why the server didn't write.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotWritten {
    #[error(
        "a kiosk knows an order this server has lost: nothing is written until two people have signed the recovery"
    )]
    Stopped,
    #[error("no epoch is open: the server has not been set up")]
    NoEpoch,
    #[error("{0}")]
    Entry(#[from] BadEntry),
}

impl Server {
    pub fn new(secret: DeviceSecret) -> Self {
        let key = secret.key();
        Self { secret, key }
    }

    pub fn key(&self) -> DeviceKey {
        self.key
    }

    /// Opens an epoch (128 random bits) behind the ones the store comes from: at installation, by `restore`, and by `restore --empty`.
    pub fn open_epoch<S: ServerShelf>(
        &self,
        store: &mut S,
        epoch: Incarnation,
        reason: &str,
        clock: ClockReading,
    ) -> Result<Result<Entry, NotWritten>, S::Error> {
        let mut epochs = store.epochs()?;
        epochs.push(epoch);
        store.set_epochs(&epochs)?;
        let mut call = Call::new(self, clock, epoch);
        let written = call.write_epoch(store, epoch, reason)?;
        call.number(store)?;
        Ok(written)
    }

    /// Writes an entry of the server's own and numbers it (S1). A valid `server_recovered` ends the stop (S7).
    pub fn write<S: ServerShelf>(
        &self,
        store: &mut S,
        stream: &Stream,
        draft: &Draft,
        clock: ClockReading,
    ) -> Result<Result<Entry, NotWritten>, S::Error> {
        let recovers = matches!(draft.statement().body, Body::ServerRecovered(_));
        if store.stopped()? && !recovers {
            return Ok(Err(NotWritten::Stopped));
        }
        let Some(epoch) = store.epochs()?.last().copied() else { return Ok(Err(NotWritten::NoEpoch)) };
        let mut call = Call::new(self, clock, epoch);
        let written = call.write(store, stream, draft)?;
        if let Ok(entry) = &written
            && recovers
            && is_recovery(entry, &self.key, store)?
        {
            store.set_stopped(false)?;
        }
        call.number(store)?;
        Ok(written)
    }

    /// Writes many entries of the server's own, in order, and numbers them at the end (S1): what is asked of the store once per entry above is
    /// asked once for all. `written` is told how many there are so far. Not for recoveries.
    pub fn write_all<'d, S: ServerShelf>(
        &self,
        store: &mut S,
        drafts: impl IntoIterator<Item = &'d (Stream, Draft)>,
        clock: ClockReading,
        written: &dyn Fn(u64),
    ) -> Result<Result<u64, NotWritten>, S::Error> {
        if store.stopped()? {
            return Ok(Err(NotWritten::Stopped));
        }
        let Some(epoch) = store.epochs()?.last().copied() else { return Ok(Err(NotWritten::NoEpoch)) };
        let (mut call, mut count) = (Call::new(self, clock, epoch), 0);
        for (stream, draft) in drafts {
            if let Err(why) = call.write_in(store, epoch, stream, draft)? {
                return Ok(Err(why));
            }
            count += 1;
            written(count);
        }
        call.number(store)?;
        Ok(Ok(count))
    }

    /// Answers a call (S2–S6). `fresh` becomes an epoch only if the store turns out to have been put back behind its own back.
    ///
    /// Committed with it: the entries held and their numbers, re-issued enrolments, and, after a contradiction, the stop and the new epoch.
    /// The message is refused as a whole, and nothing changes, only when it isn't a call to this server at all.
    pub fn handle_up<S: ServerShelf>(
        &self,
        store: &mut S,
        up: &SignedUp,
        clock: ClockReading,
        fresh: Incarnation,
    ) -> Result<Result<Answer, BadMessage>, S::Error> {
        if up.server != self.key {
            return Ok(Err(BadMessage::OtherServer));
        }
        let mut call = Call::new(self, clock, fresh);
        call.reissue(store, &up.enrolments)?;
        call.hold_batch(store, up)?;
        let footings = call.heed_cursors(store, up)?;
        call.take_boxes(store, up)?;
        call.number(store)?;
        answer::compose(self, store, up, footings, call).map(Ok)
    }

    /// Takes in a bundle (a [`Give`] in a file). Committed with it: what it brought, numbered. Bringing it again changes nothing.
    pub fn handle_give<S: ServerShelf>(
        &self,
        store: &mut S,
        bytes: &[u8],
        clock: ClockReading,
        fresh: Incarnation,
    ) -> Result<Result<Intake, BadMessage>, S::Error> {
        let give = match Give::read(bytes) {
            Ok(give) => give,
            Err(why) => return Ok(Err(why)),
        };
        let mut call = Call::new(self, clock, fresh);
        call.reissue(store, &give.enrolments)?;
        call.hold_given(store, &give.entries)?;
        call.number(store)?;
        Ok(Ok(call.into_intake()))
    }

    /// Signs an answer and its heads. Only after COMMIT: a signature on what a crash takes back would be a lie (S1).
    pub fn sign(&self, answer: Answer) -> Vec<u8> {
        let Answer { mut down, heads, .. } = answer;
        down.heads = heads.into_iter().map(|head| head.sign(&self.secret)).collect();
        down.seal(&self.secret)
    }
}

/// Whether the entry is a recovery that counts: this server wrote it, two people signed it, and they may. It is judged by itself, without the
/// chain before it, for that chain may be the very thing that was lost (T7).
pub(super) fn is_recovery<S: super::store::Replica>(
    entry: &Entry,
    server: &DeviceKey,
    store: &S,
) -> Result<bool, S::Error> {
    let of_this_server = entry.log().device == *server;
    let says_so = matches!(entry.statement(), Ok(Some(Statement { body: Body::ServerRecovered(_), .. })));
    Ok(of_this_server && says_so && entry.blocks().len() >= 2 && entry.blocks_verify() && store.may_recover(entry)?)
}

impl Call<'_> {
    fn write<S: ServerShelf>(
        &mut self,
        store: &mut S,
        stream: &Stream,
        draft: &Draft,
    ) -> Result<Result<Entry, NotWritten>, S::Error> {
        match store.epochs()?.last().copied() {
            Some(epoch) => self.write_in(store, epoch, stream, draft),
            None => Ok(Err(NotWritten::NoEpoch)),
        }
    }

    fn write_in<S: ServerShelf>(
        &mut self,
        store: &mut S,
        epoch: Incarnation,
        stream: &Stream,
        draft: &Draft,
    ) -> Result<Result<Entry, NotWritten>, S::Error> {
        let log = LogId { device: self.server.key, incarnation: epoch, stream: stream.clone() };
        let written = append(log, draft, self.clock, Vec::new(), &self.server.secret, store)?;
        if let Ok(entry) = &written {
            self.unnumbered.push((stream.clone(), entry.id()));
        }
        Ok(written.map_err(NotWritten::Entry))
    }

    fn write_epoch<S: ServerShelf>(
        &mut self,
        store: &mut S,
        epoch: Incarnation,
        reason: &str,
    ) -> Result<Result<Entry, NotWritten>, S::Error> {
        let body = Body::ServerEpoch(ServerEpoch { epoch, reason: reason.to_owned() });
        // An epoch is opened once, so its own random bits name the act.
        let statement = Statement { act: ActId(epoch.0), body };
        self.write(store, &Stream::plant_global(), &Draft::new(Subject::new("server", self.server.key), statement))
    }
}
