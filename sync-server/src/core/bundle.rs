//! Bundles that somebody carries here on a stick: entries and documents (U6).

use std::io;
use std::path::Path;

use serde::Serialize;
use shared::id::{Digest32, Incarnation};
use shared::sync::bundle::{BadBundle, Sender};
use shared::sync::message::BadMessage;
use shared::sync::server::Notice;
use store::StoreError;
use store::bundle::{Checked, NotRead, Piece};

use super::exchange::log_notice;
use super::{Core, Refused, visiting};
use crate::store::note_complete;

/// What a bundle brought.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Brought {
    /// Entries that came to be held.
    pub held: usize,
    /// Entries that wait for others before them, or for their device's enrolment.
    pub waiting: usize,
    /// Entries that no replica may hold.
    pub refused: usize,
    /// Documents and quiz papers that the plant names and that weren't here.
    pub documents: usize,
}

/// Why nothing of a bundle was taken.
#[derive(Debug, thiserror::Error)]
pub enum BundleRefused {
    #[error("{0}")]
    Bad(#[from] BadBundle),
    #[error("{0}")]
    Io(io::Error),
    #[error("{0}")]
    Refused(#[from] Refused),
}

impl From<NotRead> for BundleRefused {
    fn from(why: NotRead) -> Self {
        match why {
            NotRead::Bad(why) => Self::Bad(why),
            NotRead::Io(error) => Self::Io(error),
        }
    }
}

impl Core {
    /// Takes in what a file brings. It is looked through first: of a file that was cut short or altered, or that another plant's kiosk wrote, nothing
    /// is taken. One that brings no news is stale, and said to be.
    pub fn import_bundle(&self, file: &Path) -> Result<(Sender, Brought), BundleRefused> {
        let checked = Checked::open(file)?;
        let sender = checked.manifest().sender(&self.key())?;
        let mut brought = Brought::default();
        checked.pieces(|piece| match piece {
            Piece::Entries(bytes) => self.take_entries(&bytes, &mut brought),
            Piece::Blob(bytes) => self.take_blob(&bytes, &mut brought),
        })?;
        self.seal_answers_anew()?;
        self.ring();
        if brought == Brought::default() { Err(BadBundle::Stale.into()) } else { Ok((sender, brought)) }
    }

    /// Each piece is a step of its own: durable when this returns, and bringing it again changes nothing.
    fn take_entries(&self, bytes: &[u8], brought: &mut Brought) -> Result<(), BundleRefused> {
        let fresh = Incarnation(self.random());
        let clock = self.clock();
        let intake = crate::store::step(&mut self.ledger(), clock, |step| -> Result<_, Refused> {
            let intake = self.server.handle_give(step, bytes, clock, fresh)?;
            visiting::tell(step, &self.server, clock, &|| self.act())?;
            note_complete(step.step.connection())?;
            Ok(intake)
        })?;
        let intake = intake.map_err(|why: BadMessage| BadBundle::from(why))?;
        brought.held += intake.held.len();
        brought.waiting += intake.waiting;
        brought.refused += intake.notices.iter().filter(|notice| matches!(notice, Notice::Refused { .. })).count();
        intake.notices.iter().for_each(log_notice);
        Ok(())
    }

    /// Only what the plant names: nobody fills the disk with anything else.
    fn take_blob(&self, bytes: &[u8], brought: &mut Brought) -> Result<(), BundleRefused> {
        let digest = Digest32::of(bytes);
        if self.plant().names_blob(&digest) && !self.blobs.has(&digest) {
            self.blobs.write(bytes).map_err(StoreError::from).map_err(Refused::from)?;
            brought.documents += 1;
        }
        Ok(())
    }
}
