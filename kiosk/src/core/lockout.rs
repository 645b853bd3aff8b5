//! A lockout lifted at this terminal: a supervisor forgives the wrong secrets known here, by name (R15).

use shared::id::*;
use shared::kind::record::LockoutLifted;
use shared::kind::{Meaning, Role};
use shared::log::{Entry, Stream, Subject};
use shared::part11::authority::Right;

use super::secret::Signer;
use super::{Core, Denied};

/// How many failures one lifting names at most: an entry has 16 KiB.
const FORGIVEN_AT_ONCE: usize = 200;

impl Core {
    /// Whether the person may lift another's lockout here; asked before their secret is.
    pub fn may_lift(&mut self, by: &PersonId, person: &PersonId) -> Result<(), Denied> {
        self.may_stand_for(by, person, &Right::Lead)
    }

    /// Forgives every failure since the last right secret, as known here, in as many entries as it takes. One that another terminal still holds
    /// counts when it arrives.
    pub fn lift_lockout(&mut self, person: &PersonId, reason: &str, by: &Signer) -> Result<Vec<Entry>, Denied> {
        self.may_lift(&by.person, person)?;
        if reason.trim().is_empty() {
            return Err(Denied::NoReason);
        }
        let key = self.unlock(by)?;
        // A try that was begun and never finished counts as failed, and is forgiven like the others: by name.
        self.settle_pending(person)?;
        let forgiven: Vec<EntryId> = self.failures(person)?.into_iter().map(|failure| failure.entry).collect();
        let stream = Stream::record(&self.site()?);
        let mut drafts = Vec::new();
        // Where nothing but a chip remembers them, the lifting names none.
        for forgives in forgiven.chunks(FORGIVEN_AT_ONCE).chain(forgiven.is_empty().then_some(&[][..])) {
            let body = LockoutLifted { person: person.clone(), forgives: forgives.to_vec(), reason: reason.to_owned() };
            let draft = self.draft(Subject::person(person), body);
            let draft = self.signed(draft, &by.person, &key, Role::Supervisor, Meaning::Approved, None);
            drafts.push((stream.clone(), draft));
        }
        let lifted = self.write(drafts)?;
        // Those that no entry names, too.
        self.keys.forget_failures(person)?;
        Ok(lifted)
    }
}
