//! Peppers of later epochs, and keys sealed anew under them (R14).

use shared::part11::boxes::{BoxRandom, SealedBox, person_box_name};
use shared::part11::pepper::{Pepper, PepperEpoch};
use shared::part11::signature::PersonSecret;

use super::secret::Signer;
use super::{Core, Denied};
use crate::store::step;

impl Core {
    /// Keeps what the server gave: in the key store first, and only then in use. Until the server sees that this terminal knows an epoch, it gives no
    /// box of it, and people sign with the boxes that are here. So a crash anywhere costs one call more, and nobody's signature.
    pub(super) fn learn_peppers(&mut self, given: Vec<(PepperEpoch, Pepper)>) {
        let now = self.now();
        let Some(member) = self.member.as_mut() else { return };
        let mut enrolled = member.enrolled.clone();
        if !enrolled.peppers.learn(given) {
            return;
        }
        if let Err(error) = self.keys.keep_peppers(&enrolled) {
            tracing::error!(%error, "the key store could not be told a new pepper: it is asked for again with the next call");
            return;
        }
        member.enrolled = enrolled;
        if let Some(terminal) = member.terminal.as_mut() {
            terminal.handle_peppers_kept(member.enrolled.peppers.epochs(), now);
        }
    }

    /// After a right secret: seals the key under the newest pepper known here, unless it is. Who signs doesn't wait for it to succeed: the box that
    /// just opened is as good, and the next right secret tries again.
    pub(super) fn seal_anew(&mut self, signer: &Signer, key: &PersonSecret, opened: &SealedBox) {
        if let Err(error) = self.try_to_seal_anew(signer, key, opened) {
            tracing::warn!(%error, "a key could not be sealed under the newest pepper: it is tried again");
        }
    }

    fn try_to_seal_anew(&mut self, signer: &Signer, key: &PersonSecret, opened: &SealedBox) -> Result<(), Denied> {
        let under = self.enrolled().ok_or(Denied::NotSetUp)?.peppers.newest();
        // A terminal that is leaving has given its last.
        if opened.epoch >= under.0 || self.retiring.is_some() {
            return Ok(());
        }
        if !self.has_room() {
            return Err(Denied::no_room());
        }
        let (person, random) = (&signer.person, BoxRandom { salt: self.random(), nonce: self.random() });
        let sealed = opened.anew(person, key, &signer.secret, under, random);
        let sealed = sealed.map_err(|_| Denied::NoSigning { person: person.clone() })?;
        let clock = self.reading();
        step(&mut self.ledger, clock, |step| step.seal_box(&person_box_name(person), &sealed))?;
        self.call_soon();
        Ok(())
    }
}
