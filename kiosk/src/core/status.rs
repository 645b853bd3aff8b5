//! What is true of this terminal now: for the bar on every screen and the status screen (S8).

use rusqlite::Connection;
use shared::id::*;
use shared::log::Stream;
use shared::sync::TerminalShelf;
use shared::sync::message::DeviceStanding;
use shared::time::Timestamp;

use super::{Core, Denied};
use crate::clock::BELIEVED_JUMP_MS;
use crate::store;
use crate::store::step;

/// The setting that keeps the reason the server gave.
const REVOKED: &str = "revoked";
/// The setting that keeps whom the server said to be retired: the device's key, for another may be set up on this disk later.
const RETIRED: &str = "retired";
/// The setting that keeps when the server was last heard.
pub(super) const CONTACT: &str = "contact";

/// How the line to the server is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Line {
    #[default]
    NeverTried,
    Online,
    /// No answer since.
    Offline,
    /// Something answers with a certificate this terminal doesn't trust.
    ForeignServer,
}

/// Everything the status screen shows.
#[derive(Debug, Clone)]
pub struct Status {
    pub kiosk: Option<KioskName>,
    pub work_units: Vec<WorkUnitId>,
    pub device: Option<DeviceKey>,
    pub url: Option<String>,
    pub line: Line,
    pub revoked: Option<String>,
    pub contradicted: bool,
    /// When the server was last heard, by its own signed time: the last moment at which the clock was confirmed.
    pub last_contact: Option<Timestamp>,
    /// When an exchange last left nothing to fetch: an answer that was cut short, or dropped, is none.
    pub in_step: Option<Timestamp>,
    /// Entries the server hasn't confirmed, by stream.
    pub waiting_in: Vec<(Stream, u64)>,
    /// Sealed boxes (signing keys) the server hasn't shown back.
    pub boxes_waiting: u64,
    pub plant: Vec<(Stream, u64)>,
    pub now: Timestamp,
    pub uncertainty_ms: u32,
    /// By how much the machine's own clock is off from the time used here.
    pub machine_off_ms: i64,
    pub forks: u64,
    pub entries: u64,
}

impl Status {
    /// Entries the server hasn't confirmed, of all streams.
    pub fn waiting(&self) -> u64 {
        self.waiting_in.iter().map(|(_, count)| count).sum()
    }
}

impl Core {
    pub fn status(&mut self) -> Result<Status, Denied> {
        let reading = self.reading();
        let contradicted = self.is_contradicted();
        let connection = self.ledger.connection();
        let count =
            |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0)).map_err(::store::StoreError::from);
        let (forks, entries) =
            (count("SELECT count(*) FROM fork")? as u64, count("SELECT coalesce(max(row), 0) FROM entry")? as u64);
        let (waiting_in, boxes_waiting) = (store::waiting(connection)?, store::boxes_waiting(connection)?);
        let revoked = self.revoked_because()?;
        Ok(Status {
            kiosk: self.enrolment().map(|e| e.name.clone()),
            work_units: self.enrolment().map_or_else(Vec::new, |e| e.work_units.clone()),
            device: self.enrolment().map(|e| e.device),
            url: self.enrolled().map(|e| e.url.clone()),
            line: self.line.clone(),
            contradicted,
            revoked,
            last_contact: self.last_contact()?,
            in_step: time_kept(connection, "in_step")?,
            waiting_in,
            boxes_waiting,
            plant: self.revisions()?,
            now: reading.wall,
            uncertainty_ms: reading.uncertainty_ms,
            machine_off_ms: self.clock.machine_off_ms(),
            forks,
            entries,
        })
    }

    /// How many entries held here have no effect until their cause ends.
    pub fn set_aside(&self) -> Result<u64, Denied> {
        let sql = "SELECT count(*) FROM verdict WHERE on_hold = 0";
        let count: i64 =
            self.ledger.connection().query_row(sql, [], |row| row.get(0)).map_err(::store::StoreError::from)?;
        Ok(count as u64)
    }

    /// Why this terminal was revoked: as the plant says, or as the server's last signed answer said. A revoked terminal is given no more of the
    /// plant, so the answer is often all it hears (T9).
    pub fn revoked_because(&self) -> Result<Option<String>, Denied> {
        let Some(enrolment) = self.enrolment() else { return Ok(None) };
        if let Some(reason) = self.plant().revoked_devices.get(&enrolment.device) {
            return Ok(Some(reason.clone()));
        }
        if let Some(reason) = self.retiring_because() {
            return Ok(Some(reason.to_owned()));
        }
        let said = ::store::questions::setting(self.ledger.connection(), REVOKED)?;
        Ok(said.filter(|said| !said.is_empty()).map(|said| String::from_utf8_lossy(&said).into_owned()))
    }

    /// Whether the server's last signed answer said that this device is out of use, whoever signed that.
    pub(super) fn is_revoked_by_server(&self) -> Result<bool, Denied> {
        let said = ::store::questions::setting(self.ledger.connection(), REVOKED)?;
        Ok(said.is_some_and(|said| !said.is_empty()))
    }

    /// Whether that answer said that two people signed this device's retirement.
    pub(super) fn is_retired_by_server(&self) -> Result<bool, Denied> {
        let said = ::store::questions::setting(self.ledger.connection(), RETIRED)?;
        Ok(said.zip(self.enrolment()).is_some_and(|(said, enrolment)| said == enrolment.device.as_bytes()))
    }

    /// Keeps what the server said of this device: switching a revoked terminal off and on doesn't bring its GO back (R7).
    pub(super) fn keep_standing(&mut self, standing: &DeviceStanding) -> Result<(), Denied> {
        let Some(enrolment) = self.enrolment() else { return Ok(()) };
        let (reason, retired) = match standing {
            DeviceStanding::Revoked(reason, retired) if reason.is_empty() => ("without a reason", *retired),
            DeviceStanding::Revoked(reason, retired) => (reason.as_str(), *retired),
            DeviceStanding::Ok => ("", None),
            DeviceStanding::UnknownDevice => return Ok(()),
        };
        let retired = if retired == Some(true) { enrolment.device.as_bytes().to_vec() } else { Vec::new() };
        let said = [(REVOKED, reason.as_bytes()), (RETIRED, &retired)];
        let connection = self.ledger.connection();
        let kept = |name: &str| ::store::questions::setting(connection, name).map(Option::unwrap_or_default);
        if kept(REVOKED)? == reason.as_bytes() && kept(RETIRED)? == retired {
            return Ok(());
        }
        let clock = self.reading();
        step(&mut self.ledger, clock, |step| {
            said.into_iter().try_for_each(|(name, value)| Ok(step.step.set(name, value)?))
        })
    }

    /// When the server was last heard, by its own signed time.
    pub fn last_contact(&self) -> Result<Option<Timestamp>, Denied> {
        time_kept(self.ledger.connection(), CONTACT)
    }

    /// Milliseconds since then; since for ever when it never was, and when it would lie ahead by more than a clock may step by itself.
    pub(crate) fn offline_ms(&mut self) -> Result<i64, Denied> {
        let now = self.reading().wall;
        let offline_ms = self.last_contact()?.map_or(i64::MAX, |contact| now.since(contact));
        Ok(if offline_ms < -BELIEVED_JUMP_MS { i64::MAX } else { offline_ms.max(0) })
    }

    fn revisions(&mut self) -> Result<Vec<(Stream, u64)>, Denied> {
        let Some(enrolment) = self.enrolment().cloned() else { return Ok(Vec::new()) };
        let clock = self.reading();
        let streams = [Stream::plant_global(), Stream::plant(&enrolment.site)];
        store::step(&mut self.ledger, clock, |step| {
            streams.into_iter().map(|stream| Ok((stream.clone(), step.cursor(&stream)?.ordinal()))).collect()
        })
    }
}

pub(super) fn time_kept(connection: &Connection, name: &str) -> Result<Option<Timestamp>, Denied> {
    let bytes = ::store::questions::setting(connection, name)?;
    Ok(bytes.and_then(|bytes| minicbor::decode(&bytes).ok()))
}
