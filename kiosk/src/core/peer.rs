//! Other kiosks of the site, as far as it is the kiosk's own: what to say to them, what to take from them (T10).

use shared::id::{DeviceKey, Digest32};
use shared::sync::message::BadMessage;
use shared::sync::terminal::PeerAnswer;
use tokio::sync::watch;

use super::status::Line;
use super::{Core, Denied};
use crate::store::step;

/// A call that has waited so long makes the server count as away, in milliseconds.
const AWAY_AFTER_MS: i64 = 3_000;

/// What a peer, or a piece of a bundle, brought.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Brought {
    /// Entries that came to be held.
    pub held: usize,
    /// Entries that wait for others before them.
    pub waiting: usize,
    /// Entries that no replica may hold.
    pub refused: usize,
    /// Documents and quiz papers.
    pub blobs: usize,
}

impl Brought {
    pub fn add(&mut self, other: Self) {
        self.held += other.held;
        self.waiting += other.waiting;
        self.refused += other.refused;
        self.blobs += other.blobs;
    }
}

impl Core {
    /// Whether the server isn't heard: the last call went unanswered, or one has been waiting for a while.
    pub fn server_is_away(&self) -> bool {
        let waits = |since| self.environment.steady().since(since) >= AWAY_AFTER_MS;
        self.line != Line::Online || self.calling_since.is_some_and(waits)
    }

    /// Whether a call is under way whose answer may still come.
    pub fn is_calling(&self) -> bool {
        self.calling_since.is_some()
    }

    /// Changes whenever there may be something that other kiosks lack.
    pub fn news(&self) -> watch::Receiver<u64> {
        self.news.subscribe()
    }

    /// The first word to another kiosk.
    pub fn first_word(&mut self) -> Result<Vec<u8>, Denied> {
        self.take_part()?;
        let (now, fresh) = (self.now(), self.fresh());
        let terminal = Self::started(&mut self.member)?;
        step(&mut self.ledger, now.clock, |step| Ok(terminal.have(step, fresh)?))
    }

    /// What to say to another kiosk's word. `from` is whose key its line has proved, `said` the digest of what was last said on it.
    pub fn hear_peer(
        &mut self,
        word: &[u8],
        from: &DeviceKey,
        said: Option<&Digest32>,
    ) -> Result<Result<PeerAnswer, BadMessage>, Denied> {
        self.take_part()?;
        let (now, fresh) = (self.now(), self.fresh());
        let terminal = Self::started(&mut self.member)?;
        step(&mut self.ledger, now.clock, |step| Ok(terminal.handle_have(step, word, from, said, fresh)?))
    }

    /// Takes what a peer or a piece of a bundle gives. What it brought is durable when this returns; taking it again changes nothing.
    pub fn take_gift(&mut self, bytes: &[u8]) -> Result<Brought, Denied> {
        self.take_part()?;
        let (now, fresh) = (self.now(), self.fresh());
        let terminal = Self::started(&mut self.member)?;
        let taken = step(&mut self.ledger, now.clock, |step| -> Result<_, Denied> {
            Ok(terminal.handle_give(step, bytes, fresh)?)
        });
        let taken = match taken {
            Ok(taken) => taken,
            Err(error) => {
                self.forget_terminal();
                return Err(error);
            }
        };
        self.keep_heads();
        self.heed_events()?;
        self.heed_badges();
        let Ok(taken) = taken else { return Ok(Brought { refused: 1, ..Brought::default() }) };
        if !taken.held.is_empty() {
            self.spread();
        }
        Ok(Brought { held: taken.held.len(), waiting: taken.waiting, refused: taken.refused, blobs: 0 })
    }

    /// Takes a document or a quiz paper that the plant names and that isn't here: nobody fills the disk with anything else.
    pub fn take_blob(&mut self, bytes: &[u8]) -> Result<Brought, Denied> {
        let digest = Digest32::of(bytes);
        let wanted = !self.blobs.has(&digest) && self.plant().names_blob(&digest);
        if wanted && !self.has_room() {
            return Err(Denied::no_room());
        }
        if wanted {
            self.blobs.write(bytes)?;
        }
        Ok(Brought { blobs: usize::from(wanted), ..Brought::default() })
    }

    /// Whether a device is enrolled, as known here.
    pub fn knows(&self, peer: &DeviceKey) -> Result<bool, Denied> {
        Ok(crate::store::is_enrolled(self.ledger.connection(), peer)?)
    }

    /// A document or a quiz paper for another kiosk; `None` for whatever else lies in the folder, and for a revoked one.
    pub fn blob_for(&mut self, peer: &DeviceKey, digest: &Digest32) -> Result<Option<Vec<u8>>, Denied> {
        let plant = self.plant();
        if plant.revoked_devices.contains_key(peer) || !plant.names_blob(digest) {
            return Ok(None);
        }
        Ok(self.blobs.read(digest)?)
    }

    /// Something came to be held: the server and the other kiosks are to have it.
    pub(super) fn spread(&mut self) {
        self.call_soon();
        self.news.send_modify(|count| *count += 1);
    }
}
