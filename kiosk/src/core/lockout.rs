//! A lockout lifted at this terminal: a supervisor forgives the wrong secrets known here, by name (R15).

use shared::id::*;
use shared::kind::record::LockoutLifted;
use shared::kind::{Meaning, Role};
use shared::log::{Entry, Stream, Subject};
use shared::part11::authority::Right;

use super::secret::Signer;
use super::{Core, Denied};

impl Core {
    /// Whether the person may lift another's lockout here; asked before their secret is.
    pub fn may_lift(&mut self, by: &PersonId, person: &PersonId) -> Result<(), Denied> {
        self.may_stand_for(by, person, &Right::Lead)
    }

    /// Forgives every failure since the last right secret, as known here. One that another terminal still holds counts when it arrives.
    pub fn lift_lockout(&mut self, person: &PersonId, reason: &str, by: &Signer) -> Result<Entry, Denied> {
        self.may_lift(&by.person, person)?;
        if reason.trim().is_empty() {
            return Err(Denied::NoReason);
        }
        let key = self.unlock(by)?;
        // A try that was begun and never finished counts as failed, and is forgiven like the others: by name.
        self.settle_pending(person)?;
        let forgives = self.failures(person)?.into_iter().map(|failure| failure.entry).collect();
        let body = LockoutLifted { person: person.clone(), forgives, reason: reason.to_owned() };
        let draft = self.draft(Subject::person(person), body);
        let draft = self.signed(draft, &by.person, &key, Role::Supervisor, Meaning::Approved, None);
        let stream = Stream::record(&self.site()?);
        let lifted = self.write(vec![(stream, draft)])?.pop().ok_or(Denied::Unknown)?;
        // Those that no entry names, too.
        self.keys.forget_failures(person)?;
        Ok(lifted)
    }
}
