//! The exchange with kiosks: one call, one durable step, signed after it.

use std::collections::BTreeSet;

use shared::id::*;
use shared::kind::Family;
use shared::log::{Shelf, Stream};
use shared::sync::ServerShelf;
use shared::sync::message::{BadMessage, CursorShown, DeviceStanding, SignedUp, Up};
use shared::sync::server::Notice;
use shared::time::Timestamp;
use store::StoreError;

use super::recovery::note_contradiction;
use super::{Core, Refused, visiting};
use crate::store::{KioskSeen, ServerStep, note_complete, note_heads, note_kiosk};

/// Why a call was refused as a whole.
#[derive(Debug, thiserror::Error)]
pub enum BadCall {
    #[error("{0}")]
    Message(#[from] BadMessage),
    #[error("{0}")]
    Refused(#[from] Refused),
    #[error("{0}")]
    Store(#[from] store::StoreError),
}

impl Core {
    /// Opens a kiosk's call, and answers it.
    pub fn exchange(&self, bytes: &[u8]) -> Result<Vec<u8>, BadCall> {
        self.answer(&SignedUp::open(bytes)?)
    }

    /// Answers a kiosk's call. What it gave is durable, and what it is told is true, when this returns.
    pub fn answer(&self, up: &SignedUp) -> Result<Vec<u8>, BadCall> {
        let fresh = Incarnation(self.random());
        let clock = self.clock();
        let (newest, _) = self.newest_pepper();
        let seed = self.secrets.device.seed();
        let answer = crate::store::step_with_boxes(&mut self.ledger(), clock, seed, |step| -> Result<_, BadCall> {
            let answer = self.server.handle_up(step, up, clock, fresh)??;
            // One that has forgotten revocations gives nobody what a terminal it takes for good may not have.
            let answer = match step.stopped()? {
                true => answer,
                false => {
                    answer.with_peppers(self.peppers_in_use(step.step.connection(), newest, |epoch| up.knows(epoch))?)
                }
            };
            visiting::tell(step, &self.server, clock, &|| self.act())?;
            note_call(step, up, clock.wall)?;
            for notice in &answer.notices {
                if let Notice::Contradicted { device, stream } = notice {
                    note_contradiction(step, device, stream)?;
                }
            }
            Ok(answer)
        })?;
        for notice in &answer.notices {
            log_notice(notice);
        }
        if !answer.held.is_empty() {
            self.ring();
        }
        if answer.held.iter().any(|entry| entry.family() == Family::Plant) {
            self.look_for_lacking_blobs();
            self.seal_answers_anew()?;
        }
        Ok(self.server.sign(answer))
    }

    /// How this server knows the device (for tokens of bell and blobs). Who signed its revocation is asked where it is told so.
    pub fn standing_of(&self, device: &DeviceKey) -> DeviceStanding {
        let plant = self.plant();
        match plant.revoked_devices.get(device) {
            Some(reason) => DeviceStanding::Revoked(reason.clone(), None),
            None if plant.devices.contains_key(device) => DeviceStanding::Ok,
            None => DeviceStanding::UnknownDevice,
        }
    }
}

/// Keeps what an enrolled kiosk told of itself, and whose heads are all held now: this one's, and those of kiosks whose entries came along.
/// A stranger's call leaves nothing.
fn note_call(step: &ServerStep<'_, '_>, up: &Up, now: Timestamp) -> Result<(), StoreError> {
    let connection = step.step.connection();
    if step.scope_of(&up.device)?.is_some() {
        let heads = up.own_heads();
        note_kiosk(connection, &seen(up, now, lacking(step, up, heads.as_deref().unwrap_or_default())?))?;
        if let Some(heads) = heads {
            // By a clock that runs ahead a kiosk would vouch for what it hasn't written yet.
            note_heads(connection, &up.device, up.as_of.min(now), &heads)?;
        }
    }
    note_complete(connection)
}

/// How many of the entries that a call brought or showed as heads are not held after it: they wait for others before them, or are still to come.
fn lacking(step: &ServerStep<'_, '_>, up: &Up, heads: &[EntryId]) -> Result<u64, StoreError> {
    let brought = up.entries.iter().map(|bytes| EntryId::of(bytes));
    let shown: BTreeSet<EntryId> = brought.chain(heads.iter().copied()).collect();
    let mut lacking = 0;
    for id in &shown {
        lacking += u64::from(step.place(id)?.is_none());
    }
    Ok(lacking)
}

fn seen(up: &Up, now: Timestamp, waiting: u64) -> KioskSeen {
    // As the kiosk's own screens say it: the plant's number alone, a site's with its name.
    let revision = |cursor: &CursorShown| {
        let number = cursor.path.last()?.end;
        let of_plant = cursor.stream == Stream::plant_global();
        Some(if of_plant { number.to_string() } else { format!("{} {number}", cursor.stream.scope) })
    };
    let of_plant = up.cursors.iter().filter(|cursor| cursor.stream.family == Family::Plant);
    KioskSeen {
        device: up.device,
        last_seen: now,
        as_of: up.as_of,
        clock_ahead_ms: up.wall.since(now),
        uncertainty_ms: up.uncertainty_ms,
        waiting,
        missing: 0,
        complete_through: None,
        revisions: of_plant.filter_map(revision).collect::<Vec<_>>().join(" · "),
    }
}

pub(super) fn log_notice(notice: &Notice) {
    match notice {
        Notice::Contradicted { device, stream } => {
            tracing::error!(device = %device.short(), %stream, "a kiosk knows an order this server has lost: writing stopped")
        }
        Notice::StartedOver { epoch } => {
            tracing::error!(epoch = %epoch.short(), "the store was put back behind its own back: a new epoch was opened")
        }
        Notice::Reissued { device } => {
            tracing::warn!(device = %device.short(), "a kiosk enrolled after the backup was enrolled anew")
        }
        Notice::Refused { device, why } => tracing::warn!(device = %device.short(), %why, "an entry was refused"),
    }
}
