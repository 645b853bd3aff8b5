//! Peppers by epoch (R14): every kiosk that leaves, revoked or retired, begins one.
//!
//! The epoch follows from the revocations that are held, its pepper from the epoch and the server's own key. Nothing of it is kept, so a crash
//! finds nothing half done, and a server that was put back is in the right epoch as soon as it holds the revocation again. A retired kiosk erased
//! its keys; its epoch costs nobody anything, and is good for the copy of its disk that nobody knows of.

use rusqlite::Connection;
use serde::Serialize;
use shared::part11::boxes::{BoxRandom, SealedBox, person_box_name};
use shared::part11::pepper::{Pepper, PepperEpoch};
use shared::part11::signature::PersonSecret;
use store::{StoreError, boxes};

use super::people::Signer;
use super::{Core, Refused};

/// How far people's keys have been sealed anew since the last kiosk left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct KeysSealed {
    /// Everybody's whose box is here.
    pub all: u64,
    /// Of them, sealed under an earlier pepper, which a kiosk that left may know.
    pub earlier: u64,
    /// How many kiosks have left.
    pub left: u64,
}

impl KeysSealed {
    /// For quality, to see when a lost kiosk's pepper opens nothing in use any more; nothing while all are sealed under the newest.
    pub fn to_come(&self) -> Option<String> {
        let Self { all, earlier, .. } = self;
        (*earlier > 0).then(|| {
            format!(
                "{earlier} of {all} people's keys are sealed under a pepper that a kiosk which left may know: each is sealed anew when its owner \
                 next gives their secret, at a kiosk in contact or here"
            )
        })
    }
}

impl Core {
    fn pepper_epoch(&self) -> PepperEpoch {
        PepperEpoch::after(self.plant().revoked_devices.keys(), &self.secrets.device.seed())
    }

    /// What is sealed under.
    pub(super) fn newest_pepper(&self) -> (PepperEpoch, Pepper) {
        let epoch = self.pepper_epoch();
        (epoch, self.secrets.pepper_of(epoch))
    }

    /// Those that boxes kept here were sealed under, and the newest, except what is known already. None of an epoch to come is among them, whatever a box
    /// says: nobody is to know its pepper before it has begun.
    pub(super) fn peppers_in_use(
        &self,
        connection: &Connection,
        newest: PepperEpoch,
        is_known: impl Fn(PepperEpoch) -> bool,
    ) -> Result<Vec<(PepperEpoch, Pepper)>, StoreError> {
        let mut epochs = boxes::epochs(connection)?;
        epochs.insert(newest);
        epochs.retain(|epoch| epoch.can_have_led_to(newest) && !is_known(*epoch));
        // The latest first, should they be more than a message carries.
        Ok(epochs.into_iter().rev().map(|epoch| (epoch, self.secrets.pepper_of(epoch))).collect())
    }

    /// After a right secret: seals the key under the newest pepper, unless it is. Nobody's signature waits for it: the next right secret tries again.
    pub(super) fn seal_anew(&self, signer: &Signer, key: &PersonSecret, opened: &SealedBox) {
        let (epoch, pepper) = self.newest_pepper();
        if opened.epoch >= epoch {
            return;
        }
        let random = BoxRandom { salt: self.random(), nonce: self.random() };
        let sealed = opened.anew(&signer.person, key, &signer.secret, (epoch, &pepper), random);
        let name = person_box_name(&signer.person);
        let kept = sealed.map_err(|why| Refused::no(why.to_string())).and_then(|sealed| {
            self.step(|step, _, _| {
                // Somebody may have set up signing anew in between.
                let stands = boxes::sealed_box(step.step.connection(), &name)?.is_some_and(|held| held == *opened);
                if stands { Ok(step.put_own_box(&name, &sealed)?) } else { Ok::<_, Refused>(()) }
            })
        });
        if let Err(error) = kept {
            tracing::warn!(%error, "a key could not be sealed under the newest pepper: it is tried again");
        }
    }

    /// Seals the answers of quizzes under the newest pepper, as far as they are under an earlier one: at each start, and whenever a kiosk leaves.
    pub(super) fn seal_answers_anew(&self) -> Result<(), Refused> {
        let (epoch, pepper) = self.newest_pepper();
        let names = boxes::answers_before(self.ledger().connection(), epoch)?;
        if names.is_empty() {
            return Ok(());
        }
        self.step(|step, _, _| {
            for name in &names {
                let Some(held) = boxes::sealed_box(step.step.connection(), name)? else { continue };
                // What doesn't open is nobody's answers; it stays as it is, and is imported again.
                let Ok(plain) = held.open_site(name, &self.secrets.pepper_of(held.epoch)) else { continue };
                let random = BoxRandom { salt: self.random(), nonce: self.random() };
                let sealed = SealedBox::of_site(name, &plain, (epoch, &pepper), random);
                step.put_own_box(name, &sealed.map_err(|why| Refused::no(why.to_string()))?)?;
            }
            Ok(())
        })
    }

    pub fn keys_sealed(&self) -> Result<KeysSealed, Refused> {
        let epoch = self.pepper_epoch();
        let (all, earlier) = boxes::keys_sealed_outside(self.ledger().connection(), epoch)?;
        Ok(KeysSealed { all, earlier, left: epoch.revocations() })
    }
}
