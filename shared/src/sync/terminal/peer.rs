//! Kiosk to kiosk (T10), in three words: digests, tips of what differs, shapes of what is lacking. Peers have no order: what they give is
//! held by H only, moves no cursor, and says nothing of when the server was heard.
//!
//! | who | says | hears |
//! |---|---|---|
//! | caller | digests | nothing, when all is the same |
//! | called | tips of the streams that differ | what it lacks by them |
//! | caller | shapes of what it lacks | what it lacks |

use std::collections::BTreeMap;

use super::bundle::Gift;
use super::down::Taken;
use super::{Fresh, Terminal};
use crate::id::{DeviceKey, Digest32};
use crate::kind::Body;
use crate::log::entry::verify_together;
use crate::log::{LogId, Stream};
use crate::sync::intake::{enrolled_by, gives_more, news, read_enrolment};
use crate::sync::message::*;
use crate::sync::scope;
use crate::sync::shape::{Shape, shapes};
use crate::sync::store::TerminalShelf;

/// What a peer's word is answered with.
#[derive(Debug, Clone, PartialEq)]
pub enum PeerAnswer {
    /// Nothing differs, or the peer is known as revoked.
    Nothing,
    /// The server enrolled nobody such for this site: the line is to be closed, whatever else comes.
    NoPeer,
    /// The next word.
    Have(Vec<u8>),
    /// A [`Give`] of what the peer lacks, and the next word when something is lacking here.
    Give(Vec<u8>, Option<Vec<u8>>),
}

impl Terminal {
    /// The first word to a peer: digests alone.
    pub fn have<S: TerminalShelf>(&self, store: &S, fresh: Fresh) -> Result<Vec<u8>, S::Error> {
        let digests = self.digests(store)?;
        self.seal_have(store, None, Shown::Digests(digests), fresh)
    }

    /// Hears a peer. `from` is whose key the line has proved, `said` the digest of what was last said on it. Commits nothing.
    pub fn handle_have<S: TerminalShelf>(
        &self,
        store: &S,
        bytes: &[u8],
        from: &DeviceKey,
        said: Option<&Digest32>,
        fresh: Fresh,
    ) -> Result<Result<PeerAnswer, BadMessage>, S::Error> {
        let have = match Have::open(bytes) {
            Ok(have) if have.device != *from => return Ok(Err(BadMessage::Signature)),
            Ok(have) if have.server != self.identity.server => return Ok(Err(BadMessage::OtherServer)),
            Ok(have) if !have.follows(said) => return Ok(Err(BadMessage::NotAsked)),
            Ok(have) => have,
            Err(why) => return Ok(Err(why)),
        };
        if !self.is_peer(&have) {
            return Ok(Ok(PeerAnswer::NoPeer));
        }
        let revoked = store.revocation(&have.device)?.is_some();
        let answers = Some(Digest32::of(bytes));
        Ok(Ok(match &have.shown {
            // What a peer known as revoked holds is asked for; it gets nothing.
            Shown::Tips(_, logs, _) if revoked => match self.wants(store, logs)? {
                Some(wants) => PeerAnswer::Have(self.seal_have(store, answers, wants, fresh)?),
                None => PeerAnswer::Nothing,
            },
            _ if revoked => PeerAnswer::Nothing,
            Shown::Digests(digests) => match self.differing(store, digests)? {
                streams if streams.is_empty() => PeerAnswer::Nothing,
                streams => {
                    let tips = self.tips_of(store, streams, fresh)?;
                    PeerAnswer::Have(self.seal_have(store, answers, tips, fresh)?)
                }
            },
            Shown::Tips(streams, logs, whole) => {
                let give = self.give_after_tips(store, streams, logs, *whole)?;
                let wants = self.wants(store, logs)?;
                let next = wants.map(|wants| self.seal_have(store, answers, wants, fresh)).transpose()?;
                PeerAnswer::Give(give.to_bytes(), next)
            }
            Shown::Wants(wants) => {
                let (mut gift, mut logs) = (Gift::default(), Vec::new());
                for want in wants.iter().filter(|want| self.shares(&want.log.stream)) {
                    gift.begin(&want.log, want.shape.clone());
                    logs.push(want.log.clone());
                }
                PeerAnswer::Give(self.give(store, &gift, logs)?.to_bytes(), None)
            }
        }))
    }

    /// Takes what a peer or a bundle gives: only streams of this kiosk's scope. Nobody's claim is believed; each entry speaks for itself, and so does
    /// an enrolment that this kiosk's server signed (H7).
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
        for bytes in &give.enrolments {
            if let Some((enrolment, statement)) = read_enrolment(bytes, &self.identity.server)
                && let Body::DeviceEnrolled(enrolled) = &statement.body
                && gives_more(enrolled, store)?
            {
                store.keep_loose_enrolment(&enrolment)?;
            }
        }
        let mut taken = Taken { again: give.more, ..Taken::default() };
        let mut read = Vec::new();
        for bytes in &give.entries {
            match news(bytes, store)? {
                Some(Ok(entry)) if self.identity.scope.contains(&entry.peek().log().stream) => read.push(entry),
                Some(Err(_)) => taken.refused += 1,
                Some(Ok(_)) | None => {}
            }
        }
        verify_together(&mut read, &fresh.incarnation.0);
        for entry in read {
            self.take_entry(store, entry, &mut taken, fresh)?;
        }
        taken.again &= !taken.held.is_empty();
        Ok(Ok(taken))
    }

    fn seal_have<S: TerminalShelf>(
        &self,
        store: &S,
        answers: Option<Digest32>,
        shown: Shown,
        fresh: Fresh,
    ) -> Result<Vec<u8>, S::Error> {
        let enrolments = self.enrolments(store, true)?;
        let (device, server, number) = (self.key, self.identity.server, fresh.jitter);
        Ok(Have { device, server, enrolments, number, answers, shown }.seal(&self.identity.secret))
    }

    /// What the peer lacks, as far as its tips tell: all of a log it doesn't know, and what follows tips that are held here. Where none of its tips
    /// is held, the peer is ahead, and gives first.
    fn give_after_tips<S: TerminalShelf>(
        &self,
        store: &S,
        streams: &[Stream],
        shown: &[LogTips],
        whole: bool,
    ) -> Result<Give, S::Error> {
        let theirs: BTreeMap<&LogId, &[_]> = shown.iter().map(|log| (&log.log, log.tips.as_slice())).collect();
        let compared = |log: &LogId| self.shares(&log.stream) && streams.contains(&log.stream);
        let (mut gift, mut logs) = (Gift::default(), Vec::new());
        for log in store.logs()?.into_iter().filter(compared) {
            match theirs.get(&log) {
                Some(tips) => {
                    let mut known = Vec::new();
                    for tip in *tips {
                        known.extend(store.place(tip)?.map(|_| *tip));
                    }
                    if !known.is_empty() {
                        gift.begin(&log, Shape { tips: known, locator: Vec::new() });
                        logs.push(log);
                    }
                }
                None if whole => logs.push(log),
                None => {}
            }
        }
        self.give(store, &gift, logs)
    }

    /// The logs of which the peer has a tip that isn't held here; `None` when there is none.
    fn wants<S: TerminalShelf>(&self, store: &S, shown: &[LogTips]) -> Result<Option<Shown>, S::Error> {
        let mut lacking = Vec::new();
        for LogTips { log, tips } in shown.iter().filter(|shown| self.shares(&shown.log.stream)) {
            let mut all_held = true;
            for tip in tips {
                all_held = all_held && store.place(tip)?.is_some();
            }
            if !all_held {
                lacking.push(log.clone());
            }
        }
        lacking.sort_by(scope::plant_first);
        lacking.truncate(MAX_WANT);
        let wants: Vec<Want> = shapes(store, lacking)?.into_iter().map(|(log, shape)| Want { log, shape }).collect();
        Ok((!wants.is_empty()).then_some(Shown::Wants(wants)))
    }

    /// The tips of every log of the streams. More than a message may carry begin anywhere, so that all have their turn.
    fn tips_of<S: TerminalShelf>(&self, store: &S, streams: Vec<Stream>, fresh: Fresh) -> Result<Shown, S::Error> {
        let mut logs: Vec<LogId> = store.logs()?.into_iter().filter(|log| streams.contains(&log.stream)).collect();
        logs.sort_by(scope::plant_first);
        let (mut shown, mut hashes, all) = (Vec::new(), 0, logs.len());
        if all > MAX_HAVE {
            logs.rotate_left(usize::try_from(fresh.jitter).unwrap_or(usize::MAX) % all);
            logs.truncate(MAX_HAVE);
        }
        for log in logs {
            let tips: Vec<_> = store.tips(&log)?.into_iter().map(|(_, id)| id).take(MAX_BEYOND_TIPS).collect();
            hashes += tips.len();
            if hashes > MAX_HAVE_TIPS {
                break;
            }
            shown.push(LogTips { log, tips });
        }
        let whole = shown.len() == all;
        Ok(Shown::Tips(streams, shown, whole))
    }

    /// The streams of which the peer holds something else than is held here.
    fn differing<S: TerminalShelf>(&self, store: &S, theirs: &[StreamDigest]) -> Result<Vec<Stream>, S::Error> {
        let differs = |mine: &StreamDigest| theirs.iter().any(|d| d.stream == mine.stream && d.digest != mine.digest);
        let own = self.digests(store)?;
        Ok(own.into_iter().filter(differs).map(|mine| mine.stream).collect())
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

    /// Whether the stream is one that this kiosk exchanges with others.
    fn shares(&self, stream: &Stream) -> bool {
        scope::is_shared(stream) && self.identity.scope.contains(stream)
    }

    /// Whether the sender shows that this kiosk's server enrolled it for the same site.
    fn is_peer(&self, have: &Have) -> bool {
        let enrolled = enrolled_by(&have.enrolments, &have.device, &self.identity.server);
        enrolled.is_some_and(|enrolled| self.identity.scope.contains(&Stream::record(&enrolled.site)))
    }
}
