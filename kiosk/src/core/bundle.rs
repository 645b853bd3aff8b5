//! Exchange bundles: what is held here, in a file for a USB stick (T10). Each entry speaks for itself, so it doesn't matter who carries it.

use shared::id::Digest32;
use shared::sync::bundle::{BadBundle, Manifest, Sender};
use shared::sync::message::Give;
use shared::sync::terminal::Gift;

use super::{Core, Denied};
use crate::store::step;

impl Core {
    /// The next piece of a bundle; the last says that there is no more.
    pub fn bundle_piece(&mut self, gift: &mut Gift) -> Result<Give, Denied> {
        self.take_part()?;
        let now = self.now();
        let terminal = Self::started(&mut self.member)?;
        step(&mut self.ledger, now.clock, |step| Ok::<_, Denied>(terminal.bundle_piece(step, gift)?))
    }

    /// What ends a bundle of so many pieces.
    pub fn bundle_manifest(&mut self, pieces: u32, digest: Digest32) -> Result<Vec<u8>, Denied> {
        self.take_part()?;
        let now = self.now();
        let terminal = Self::started(&mut self.member)?;
        step(&mut self.ledger, now.clock, |step| Ok(terminal.bundle_manifest(step, pieces, digest, now.clock.wall)?))
    }

    /// Who wrote a bundle, when it is one for this terminal.
    pub fn bundle_sender(&mut self, manifest: &Manifest) -> Result<Result<Sender, BadBundle>, Denied> {
        self.take_part()?;
        Ok(Self::started(&mut self.member)?.bundle_sender(manifest))
    }
}
