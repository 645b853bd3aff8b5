//! Giving in pieces: to a peer, or into a file.

use std::collections::BTreeMap;

use super::Terminal;
use super::up::Chosen;
use crate::id::{Digest32, EntryId};
use crate::log::LogId;
use crate::sync::bundle::{BadBundle, Manifest, Sender};
use crate::sync::message::*;
use crate::sync::scope;
use crate::sync::shape::{Shape, missing};
use crate::sync::store::TerminalShelf;
use crate::time::Timestamp;

/// What somebody holds of some logs, and with each piece given more of them. Of the others they hold nothing.
#[derive(Debug, Default)]
pub struct Gift(BTreeMap<LogId, Shape>);

impl Gift {
    pub(super) fn begin(&mut self, log: &LogId, held: Shape) {
        self.0.insert(log.clone(), held);
    }

    /// The next piece begins after this entry.
    fn advance(&mut self, log: &LogId, id: EntryId, prev: Option<EntryId>) {
        let tips = &mut self.0.entry(log.clone()).or_default().tips;
        tips.retain(|tip| Some(*tip) != prev);
        tips.push(id);
    }
}

impl Terminal {
    /// The next piece of a bundle, which holds everything held here, the journal included; the last one says that there is no more.
    ///
    /// Each piece is taken in a step of its own, so that a gate beside it waits for none of them long; what is written meanwhile goes along.
    pub fn bundle_piece<S: TerminalShelf>(&self, store: &S, gift: &mut Gift) -> Result<Give, S::Error> {
        let piece = self.give(store, gift, store.logs()?)?;
        for bytes in &piece.entries {
            let id = EntryId::of(bytes);
            if let Some(place) = store.place(&id)? {
                gift.advance(&place.log, id, place.prev);
            }
        }
        Ok(piece)
    }

    /// What ends a bundle of so many pieces: who wrote it, when, and exactly what (`digest`: [`Manifest::chain`] over the pieces).
    pub fn bundle_manifest<S: TerminalShelf>(
        &self,
        store: &S,
        pieces: u32,
        digest: Digest32,
        written: Timestamp,
    ) -> Result<Vec<u8>, S::Error> {
        let enrolments = self.enrolments(store, true)?;
        let manifest = Manifest { device: self.key, server: self.identity.server, enrolments, written, pieces, digest };
        Ok(manifest.seal(&self.identity.secret))
    }

    /// Who wrote a bundle, when it is one for this kiosk: of its server's plant and of its site.
    pub fn bundle_sender(&self, manifest: &Manifest) -> Result<Sender, BadBundle> {
        let sender = manifest.sender(&self.identity.server)?;
        let own = &self.identity.scope;
        match own.contains(&crate::log::Stream::record(&sender.site)) {
            true => Ok(sender),
            false => Err(BadBundle::OtherSite(sender.kiosk, sender.site)),
        }
    }

    /// What somebody with these shapes lacks of the logs, plant first.
    pub(super) fn give<S: TerminalShelf>(
        &self,
        store: &S,
        held: &Gift,
        mut logs: Vec<LogId>,
    ) -> Result<Give, S::Error> {
        logs.sort_by(scope::plant_first);
        let (mut chosen, nothing) = (Chosen::default(), Shape::default());
        for log in logs {
            let lacking = missing(store, &log, held.0.get(&log).unwrap_or(&nothing), MAX_ENTRIES + 1)?;
            chosen.take(store, lacking)?;
            if chosen.full {
                break;
            }
        }
        let enrolments = self.enrolments(store, true)?;
        Ok(Give { enrolments, entries: chosen.entries, more: chosen.full })
    }
}
