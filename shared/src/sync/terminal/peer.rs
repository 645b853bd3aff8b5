//! Kiosk to kiosk, and bundles (T10). Peers have no order: what they give is held by H only.

use std::collections::BTreeMap;

use super::down::Taken;
use super::up::{Chosen, load};
use super::{Fresh, Terminal};
use crate::id::{DeviceKey, Digest32};
use crate::kind::Body;
use crate::log::{LogId, Stream, Unverified};
use crate::sync::intake::read_enrolment;
use crate::sync::message::*;
use crate::sync::scope;
use crate::sync::shape::{Shape, missing, shapes};
use crate::sync::store::TerminalShelf;

/// What a peer's `Have` is answered with.
#[derive(Debug, Clone, PartialEq)]
pub enum PeerAnswer {
    /// Nothing differs, or the peer isn't enrolled, or it is known as revoked.
    Nothing,
    /// Digests differ: this is what is held here of those streams.
    Have(Vec<u8>),
    /// What the peer lacks.
    Give(Vec<u8>),
}

impl Terminal {
    /// The first word to a peer: digests alone.
    pub fn have<S: TerminalShelf>(&self, store: &S) -> Result<Vec<u8>, S::Error> {
        let digests = self.digests(store)?;
        self.seal_have(store, digests, None)
    }

    /// What is held here in full, of the streams in which the peer differs: the peer answers with a `Give`.
    fn have_in_full<S: TerminalShelf>(&self, store: &S, differing: &[Stream]) -> Result<Vec<u8>, S::Error> {
        let logs = store.logs()?.into_iter().filter(|log| differing.contains(&log.stream)).take(MAX_HAVE);
        let shapes = shapes(store, logs)?.into_iter().map(|(log, shape)| Want { log, shape }).collect();
        let digests = self.digests(store)?;
        self.seal_have(store, digests, Some(shapes))
    }

    fn seal_have<S: TerminalShelf>(
        &self,
        store: &S,
        digests: Vec<StreamDigest>,
        shapes: Option<Vec<Want>>,
    ) -> Result<Vec<u8>, S::Error> {
        let enrolments = self.enrolments(store, true)?;
        Ok(Have { device: self.key, enrolments, digests, shapes }.seal(&self.identity.secret))
    }

    /// Hears a peer. A `Have` without shapes is answered with one that has them, one with shapes with a `Give`. Commits nothing.
    pub fn handle_have<S: TerminalShelf>(
        &self,
        store: &S,
        bytes: &[u8],
    ) -> Result<Result<PeerAnswer, BadMessage>, S::Error> {
        let have = match Have::open(bytes) {
            Ok(have) => have,
            Err(why) => return Ok(Err(why)),
        };
        if !self.is_peer(store, &have)? {
            return Ok(Ok(PeerAnswer::Nothing));
        }
        let own = self.digests(store)?;
        let differs =
            |mine: &&StreamDigest| have.digests.iter().any(|d| d.stream == mine.stream && d.digest != mine.digest);
        let differing: Vec<Stream> = own.iter().filter(differs).map(|mine| mine.stream.clone()).collect();
        if differing.is_empty() {
            return Ok(Ok(PeerAnswer::Nothing));
        }
        Ok(Ok(match &have.shapes {
            None => PeerAnswer::Have(self.have_in_full(store, &differing)?),
            Some(shapes) => {
                let give = self.give(store, shapes, |log| differing.contains(&log.stream))?;
                PeerAnswer::Give(give.to_bytes())
            }
        }))
    }

    /// Takes what a peer or a bundle gives: only streams of this kiosk's scope. Nobody's claim is believed; each entry speaks for itself.
    ///
    /// Committed with it: the entries held, a new incarnation (T3). Taking the same again changes nothing.
    pub fn handle_give<S: TerminalShelf>(
        &mut self,
        store: &mut S,
        bytes: &[u8],
        fresh: Fresh,
    ) -> Result<Result<Taken, BadMessage>, S::Error> {
        let give = match Give::read(bytes) {
            Ok(give) => give,
            Err(why) => return Ok(Err(why)),
        };
        let mut taken = Taken { again: give.more, ..Taken::default() };
        for bytes in &give.entries {
            let in_scope = |entry: Unverified| self.identity.scope.contains(&entry.peek().log().stream);
            if Unverified::read(bytes).is_ok_and(in_scope) {
                self.receive(store, bytes, &mut taken, fresh)?;
            }
        }
        taken.again &= !taken.held.is_empty();
        Ok(Ok(taken))
    }

    /// An exchange bundle: everything held, or what the target's `Have` shows it to lack, in pieces that each fit a message.
    pub fn bundle<S: TerminalShelf>(&self, store: &S, target: Option<&Have>) -> Result<Vec<Give>, S::Error> {
        let mut shapes: Vec<Want> = target.and_then(|have| have.shapes.clone()).unwrap_or_default();
        let mut pieces = Vec::new();
        loop {
            let piece = self.give(store, &shapes, |_| true)?;
            let more = piece.more;
            // The next piece begins where this one ends.
            for bytes in &piece.entries {
                if let Ok(entry) = Unverified::read(bytes) {
                    advance(&mut shapes, entry.peek().log(), entry.peek().id());
                }
            }
            pieces.push(piece);
            if !more {
                return Ok(pieces);
            }
        }
    }

    /// What somebody with these shapes lacks, plant first.
    fn give<S: TerminalShelf>(
        &self,
        store: &S,
        shapes: &[Want],
        chosen_logs: impl Fn(&LogId) -> bool,
    ) -> Result<Give, S::Error> {
        let theirs: BTreeMap<&LogId, &Shape> = shapes.iter().map(|shown| (&shown.log, &shown.shape)).collect();
        let mut logs: Vec<LogId> = store.logs()?.into_iter().filter(chosen_logs).collect();
        logs.sort_by(|a, b| (scope::rank(&a.stream), a).cmp(&(scope::rank(&b.stream), b)));
        let (mut chosen, nothing) = (Chosen::default(), Shape::default());
        for log in logs {
            let lacking = missing(store, &log, theirs.get(&log).unwrap_or(&&nothing), MAX_ENTRIES + 1)?;
            chosen.take(store, lacking)?;
            if chosen.full {
                break;
            }
        }
        let enrolments = self.enrolments(store, true)?;
        Ok(Give { enrolments, entries: load(store, &chosen.ids)?, more: chosen.full })
    }

    /// One digest per shared stream, over all logs and their tips.
    fn digests<S: TerminalShelf>(&self, store: &S) -> Result<Vec<StreamDigest>, S::Error> {
        let mut logs = store.logs()?;
        logs.sort();
        let mut digests = Vec::new();
        for stream in self.identity.scope.iter().filter(|stream| scope::is_shared(stream)) {
            let mut parts: Vec<Vec<u8>> = Vec::new();
            for log in logs.iter().filter(|log| log.stream == *stream) {
                let mut tips = store.tips(log)?;
                tips.sort();
                parts.push(log.to_string().into_bytes());
                parts.extend(tips.into_iter().map(|(_, id)| id.0.to_vec()));
            }
            let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
            digests.push(StreamDigest { stream: stream.clone(), digest: Digest32::of_parts(&parts) });
        }
        Ok(digests)
    }

    /// Whether the sender is enrolled, as known here or by the enrolment it shows, and not known as revoked.
    fn is_peer<S: TerminalShelf>(&self, store: &S, have: &Have) -> Result<bool, S::Error> {
        if store.revocation(&have.device)?.is_some() {
            return Ok(false);
        }
        if store.is_enrolled(&have.device)? {
            return Ok(true);
        }
        for bytes in &have.enrolments {
            if let Some((_, statement)) = read_enrolment(bytes, &self.identity.server)
                && enrols(&statement.body, &have.device)
            {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn enrols(body: &Body, device: &DeviceKey) -> bool {
    matches!(body, Body::DeviceEnrolled(enrolled) if enrolled.device == *device)
}

fn advance(shapes: &mut Vec<Want>, log: &LogId, id: crate::id::EntryId) {
    match shapes.iter_mut().find(|shown| shown.log == *log) {
        Some(shown) => shown.shape.tips.push(id),
        None => shapes.push(Want { log: log.clone(), shape: Shape { tips: vec![id], locator: Vec::new() } }),
    }
}
