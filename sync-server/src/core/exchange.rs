//! The exchange with kiosks: one call, one durable step, signed after it.

use shared::id::*;
use shared::log::Entry;
use shared::sync::message::{BadMessage, DeviceStanding, Up};
use shared::sync::server::{Intake, Notice};
use shared::time::Timestamp;

use super::{Core, Refused};
use crate::store::{KioskSeen, note_kiosk};

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
    /// Answers a kiosk's call. What it gave is durable, and what it is told is true, when this returns.
    pub fn exchange(&self, bytes: &[u8]) -> Result<Vec<u8>, BadCall> {
        let fresh = Incarnation(self.random());
        let up = Up::open(bytes)?;
        let clock = self.clock();
        let answer = crate::store::step(&mut self.ledger(), clock, |step| -> Result<_, BadCall> {
            let answer = self.server.handle_up(step, bytes, clock, fresh)??;
            note_kiosk(step.step.connection(), &seen(&up, clock.wall, &answer.held))?;
            Ok(answer)
        })?;
        for notice in &answer.notices {
            log_notice(notice);
        }
        if !answer.held.is_empty() {
            self.ring();
        }
        Ok(self.server.sign(answer))
    }

    /// Takes in a bundle.
    pub fn take_bundle(&self, bytes: &[u8]) -> Result<Intake, BadCall> {
        let fresh = Incarnation(self.random());
        let clock = self.clock();
        let intake = crate::store::step(&mut self.ledger(), clock, |step| -> Result<_, BadCall> {
            Ok(self.server.handle_give(step, bytes, clock, fresh)??)
        })?;
        self.ring();
        Ok(intake)
    }

    /// How this server knows the device (for tokens of bell and blobs).
    pub fn standing_of(&self, device: &DeviceKey) -> DeviceStanding {
        let plant = self.plant();
        match plant.revoked_devices.get(device) {
            Some(reason) => DeviceStanding::Revoked(reason.clone()),
            None if plant.devices.contains_key(device) => DeviceStanding::Ok,
            None => DeviceStanding::UnknownDevice,
        }
    }
}

fn seen(up: &Up, now: Timestamp, held: &[Entry]) -> KioskSeen {
    let revision = |cursor: &shared::sync::message::CursorShown| {
        cursor.path.last().map(|last| format!("{} {}", cursor.stream, last.end))
    };
    let own = |entry: &&Entry| entry.log().device == up.device;
    KioskSeen {
        device: up.device,
        last_seen: now,
        as_of: up.as_of,
        clock_ahead_ms: up.wall.since(now),
        uncertainty_ms: up.uncertainty_ms,
        waiting: (up.entries.len().saturating_sub(held.iter().filter(own).count())) as u64,
        complete_through: None,
        revisions: up.cursors.iter().filter_map(revision).collect::<Vec<_>>().join(" · "),
    }
}

fn log_notice(notice: &Notice) {
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
