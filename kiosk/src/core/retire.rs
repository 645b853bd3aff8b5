//! Retirement: the terminal gives everything, says so as its last word, and erases itself once the server has let it go (S9).
//!
//! The order is what keeps it safe. Nothing is said while anything is unsent; after it was said nothing more is written; and nothing is erased
//! before the server, signed by two people, has let the terminal go. A revocation alone erases nothing, also after the last word; and data whose keys
//! can't be found is no leftover of a retirement unless it says so itself.

use std::fs;

use shared::id::*;
use shared::kind::journal::{DeviceEvent, RETIRING};
use shared::kind::{Meaning, Role};
use shared::log::{Entry, Stream, Subject};
use shared::part11::authority::{Held, Reach, Right, authority_check};
use store::questions;

use super::secret::Signer;
use super::{Core, Denied};
use crate::key_store::gone;
use crate::store::step;

/// The setting that keeps which device was let go: what is left without its keys may be erased, too.
const LET_GO: &str = "let_go";
/// What the database consists of.
const DATABASE: [&str; 3] = ["kiosk.sqlite", "kiosk.sqlite-wal", "kiosk.sqlite-shm"];

impl Core {
    /// Why the terminal is being retired: from then on nothing is written at it. `None` while it isn't.
    pub fn retiring_because(&self) -> Option<&str> {
        self.retiring.as_deref()
    }

    pub(super) fn kept_retirement(ledger: &::store::Ledger) -> Result<Option<String>, Denied> {
        let kept = questions::setting(ledger.connection(), RETIRING)?;
        Ok(kept.map(|reason| String::from_utf8_lossy(&reason).into_owned()))
    }

    /// How many entries and signing keys are here that the server hasn't confirmed, this terminal's own and those it carries for others.
    pub fn not_given(&self) -> Result<u64, Denied> {
        let connection = self.ledger.connection();
        let entries: u64 = crate::store::waiting(connection)?.iter().map(|(_, count)| count).sum();
        Ok(entries + crate::store::boxes_waiting(connection)?)
    }

    /// Writes this terminal's last word, signed by a supervisor of the place or an administrator. Refused while anything is unsent; nothing is
    /// changed then.
    pub fn take_leave(&mut self, by: &Signer, reason: &str) -> Result<Entry, Denied> {
        let enrolment = self.enrolment().ok_or(Denied::NotSetUp)?.clone();
        if self.retiring.is_some() {
            return Err(Denied::Retiring);
        }
        if self.revoked_because()?.is_some() {
            return Err(Denied::OnlyRevoked);
        }
        if reason.trim().is_empty() {
            return Err(Denied::NoReason);
        }
        self.may_retire(&by.person, &enrolment.work_units)?;
        let (key, _) = self.unlock_as_it_is(by)?;
        let count = self.not_given()?;
        if count > 0 {
            return Err(Denied::NotGiven { count });
        }
        let event = DeviceEvent { what: RETIRING.into(), detail: format!("by {}: {}", by.person, reason.trim()) };
        let draft = self.draft(Subject::new("device", enrolment.device), event);
        let draft = self.signed(draft, &by.person, &key, Role::Supervisor, Meaning::Approved, None);
        let (now, journal) = (self.now(), Stream::journal(&enrolment.name));
        let entry = self.write_with(now, |writer| {
            let entry = writer.write(&journal, &draft)?;
            writer.step().step.set(RETIRING, reason.trim().as_bytes())?;
            Ok(entry)
        })?;
        self.retiring = Some(reason.trim().to_owned());
        Ok(entry)
    }

    fn may_retire(&mut self, person: &PersonId, here: &[WorkUnitId]) -> Result<(), Denied> {
        let now = self.reading().wall;
        let holds = |right: Right<'_>| authority_check(self.plant(), person, &right, now, Reach::at(here, None));
        if [Right::Lead, Right::Administer].into_iter().any(|right| holds(right) == Held::Yes) {
            return Ok(());
        }
        Err(Denied::NoAuthority { person: person.clone() })
    }

    /// Whether two people have let the terminal go at the server after its last word, and the server holds everything: what is here may be erased.
    /// Refused where it was revoked instead: what is waited for won't come.
    pub fn is_let_go(&self) -> Result<bool, Denied> {
        if self.retiring.is_none() || !self.is_revoked_by_server()? {
            return Ok(false);
        }
        if !self.is_retired_by_server()? {
            return Err(Denied::OnlyRevoked);
        }
        Ok(self.not_given()? == 0)
    }

    /// Whether the terminal was let go and its keys are gone already: only data is left to erase.
    pub fn is_left_over(&self) -> Result<bool, Denied> {
        let let_go = questions::setting(self.ledger.connection(), LET_GO)?;
        Ok(self.member.is_none() && let_go.is_some())
    }

    /// Erases the keys, then the data. A crash in between leaves data that nobody can use; doing it again finishes.
    pub fn erase(mut self) -> Result<(), Denied> {
        if !self.is_left_over()? {
            if !self.is_let_go()? {
                return Err(Denied::NotGiven { count: self.not_given()? });
            }
            self.note_let_go()?;
        }
        self.keys.forget()?;
        let folder = self.folder.clone();
        drop(self);
        fs::remove_dir_all(folder.join("blobs")).or_else(gone)?;
        // The file that says what is going on comes last.
        for file in DATABASE.iter().rev() {
            fs::remove_file(folder.join(file)).or_else(gone)?;
        }
        Ok(fs::File::open(&folder)?.sync_all()?)
    }

    /// Durable before the first key is erased: from then on nothing else here could tell that it was let go.
    fn note_let_go(&mut self) -> Result<(), Denied> {
        let device = self.enrolment().ok_or(Denied::NotSetUp)?.device;
        let clock = self.reading();
        step(&mut self.ledger, clock, |step| Ok(step.step.set(LET_GO, device.as_bytes())?))
    }
}
