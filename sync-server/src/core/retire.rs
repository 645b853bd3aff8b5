//! Retirement: a kiosk that gave everything, and said so as its last word, leaves for good (S9).

use std::sync::Arc;

use rusqlite::Connection;
use shared::id::*;
use shared::kind::Body;
use shared::kind::journal::RETIRING;
use shared::log::Entry;
use shared::plant::Plant;
use shared::time::Timestamp;
use store::shelf;

use super::enrol::in_use;
use super::overview::KioskLine;
use super::people::Signer;
use super::{Core, Refused};
use crate::store as tables;

/// How far a kiosk is with leaving for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leave {
    /// Logs whose end it has shown, and which don't reach so far here.
    pub missing: u64,
    /// Its last word here is that it gave everything.
    pub said: bool,
}

/// One kiosk's page.
pub struct KioskPage {
    pub now: Timestamp,
    pub plant: Arc<Plant>,
    pub line: KioskLine,
    pub leave: Leave,
    /// The people who could sign its retirement now.
    pub may_sign: Vec<PersonId>,
}

impl Core {
    /// Retires a kiosk, signed by two people, each of quality or administrator. It is a revocation that sets nothing aside, for nothing stands
    /// behind the kiosk's last word; what it might write later is set aside.
    pub fn retire_kiosk(&self, kiosk: &KioskName, reason: &str, signers: [&Signer; 2]) -> Result<Entry, Refused> {
        let device = in_use(&self.plant(), kiosk)?.device;
        if reason.trim().is_empty() {
            return Err(Refused::no("a retirement needs a reason"));
        }
        if signers[0].person == signers[1].person {
            return Err(Refused::no("a retirement is signed by two different people"));
        }
        has_taken_leave(self.ledger().connection(), kiosk, &device)?;
        let signed = self.two_stand_for_the_plant(signers, "retire a kiosk")?;
        // It may have written on while secrets were stretched.
        self.write_revocation(device, reason.trim(), Some(true), signed, |connection| {
            has_taken_leave(connection, kiosk, &device)
        })
    }

    /// A kiosk's page; `None` when none was ever called so. Of several that had the name, the one in use.
    pub fn kiosk_page(&self, kiosk: &KioskName, silent_minutes: u32) -> Result<Option<KioskPage>, Refused> {
        let lines = self.kiosk_lines(silent_minutes)?;
        let Some(line) = lines.into_iter().find(|line| line.name == *kiosk) else { return Ok(None) };
        let leave = leave_of(self.ledger().connection(), &line.device)?;
        Ok(Some(KioskPage {
            now: self.now(),
            plant: self.plant(),
            line,
            leave,
            may_sign: self.who_stand_for_the_plant(),
        }))
    }
}

/// How far a kiosk is with leaving.
fn leave_of(connection: &Connection, device: &DeviceKey) -> Result<Leave, Refused> {
    let seen = tables::kiosks_seen(connection)?;
    let missing = seen.iter().find(|seen| seen.device == *device).map_or(0, |seen| seen.missing);
    let mut last: Option<Entry> = None;
    for log in shelf::logs(connection)?.into_iter().filter(|log| log.device == *device) {
        for (_, tip) in shelf::tips(connection, &log)? {
            let tip = shelf::entry(connection, &tip)?;
            last = last.into_iter().chain(tip).max_by_key(|entry| entry.header().hybrid);
        }
    }
    let last_word = last.and_then(|entry| entry.statement().ok().flatten());
    let said = matches!(last_word.map(|said| said.body), Some(Body::DeviceEvent(event)) if event.what == RETIRING);
    Ok(Leave { missing, said })
}

/// Whether everything the kiosk ever showed is here, and its last word is that nothing more comes.
fn has_taken_leave(connection: &Connection, kiosk: &KioskName, device: &DeviceKey) -> Result<(), Refused> {
    let Leave { missing, said } = leave_of(connection, device)?;
    if missing > 0 {
        return Err(Refused::no(format!(
            "{kiosk} has shown the ends of {missing} logs that are not here: nothing was changed. Let it call, or bring its stick"
        )));
    }
    if said {
        return Ok(());
    }
    Err(Refused::no(format!(
        "{kiosk} has not said that it gave everything: nothing was changed. Run `kiosk retire` at it first; one that no longer starts is \
         replaced (`sync-server kiosk enrol-code --replaces {kiosk}`), and a stolen one is revoked"
    )))
}
