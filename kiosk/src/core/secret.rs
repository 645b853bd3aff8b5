//! Secrets: unlocking a key is the check. Each try is counted before it is checked, so that pulling the plug forgives nothing (R15).

use shared::id::*;
use shared::kind::presence::SecretFailed;
use shared::kind::record::Identified;
use shared::kind::{Meaning, Role};
use shared::log::entry::Signing;
use shared::log::{Draft, Stream, Subject};
use shared::part11::authority::{Held, Reach, Right, authority_check};
use shared::part11::boxes::{Locked, SealedBox};
use shared::part11::pepper::Pepper;
use shared::part11::signature::PersonSecret;
use shared::part11::strength::SecretKind;
use shared::time::SECOND_MS;
use store::secrets::{self, Failure};
use store::{boxes, questions};

use super::{Core, Denied};
use crate::key_store::KeptFailure;
use crate::store::step;

/// Wrong tries that cost no waiting.
const FREE_TRIES: u32 = 3;

/// Somebody who signs: who, and with which secret. Held only for the call.
#[derive(Clone)]
pub struct Signer {
    pub person: PersonId,
    pub secret: String,
}

impl Core {
    pub(crate) fn locked_out(&mut self, person: &PersonId) -> Result<bool, Denied> {
        let pending = u32::from(self.pending(person)?);
        Ok(self.tries(person)? + pending >= self.plant().policy.lockout.attempts)
    }

    /// Wrong secrets of the person that count, as known here, earliest first: what the entries say, and what the key store remembers of tries
    /// whose entries went with a disk that was put back.
    pub(crate) fn failures(&mut self, person: &PersonId) -> Result<Vec<Failure>, Denied> {
        let now = self.reading().latest();
        let connection = self.ledger.connection();
        let here = self.enrolled().ok_or(Denied::NotSetUp)?.secret.key();
        let mut failures = secrets::failures(connection, person, &here, now)?;
        for kept in self.keys.failures()?.iter().filter(|kept| kept.person == *person) {
            let held = store::shelf::entry(connection, &kept.entry)?.is_some();
            if !held && !secrets::is_forgiven(connection, &kept.entry)? {
                failures.push(Failure { entry: kept.entry, at: kept.at, device: here });
            }
        }
        failures.sort_by_key(|failure| failure.at);
        Ok(failures)
    }

    /// How many wrong secrets of the person count. Where the folder of keys was put back with the disk, too, a chip still knows how many given here
    /// it has forgotten: some may have come back as entries since, so that those are counted once.
    fn tries(&mut self, person: &PersonId) -> Result<u32, Denied> {
        let here = self.enrolled().ok_or(Denied::NotSetUp)?.secret.key();
        let known = self.failures(person)?;
        let lost = self.keys.lost_failures(person)?;
        let kept = self.keys.failures()?.into_iter().filter(|kept| known.iter().any(|known| known.entry == kept.entry));
        let own = known.iter().filter(|failure| failure.device == here).count();
        let (elsewhere, own, kept) = (saturated(known.len() - own), saturated(own), saturated(kept.count()));
        Ok(elsewhere.saturating_add(own.max(kept.saturating_add(lost))))
    }

    fn pending_name(person: &PersonId) -> String {
        format!("attempt/{person}")
    }

    /// A try that was begun and never finished: it counts as failed.
    ///
    /// Both the data folder and the key store know of it: whichever is put back, the other remembers.
    fn pending(&self, person: &PersonId) -> Result<bool, Denied> {
        let here = questions::setting(self.ledger.connection(), &Self::pending_name(person))?;
        Ok(here.is_some_and(|value| value == [1]) || self.keys.trying()?.as_ref() == Some(person))
    }

    fn set_pending(&mut self, person: &PersonId, pending: bool) -> Result<(), Denied> {
        if pending {
            self.keys.note_trying(Some(person))?;
        }
        let (clock, name) = (self.reading(), Self::pending_name(person));
        step(&mut self.ledger, clock, |step| -> Result<(), Denied> {
            Ok(step.step.set(&name, &[u8::from(pending)])?)
        })?;
        if !pending {
            self.keys.note_trying(None)?;
        }
        Ok(())
    }

    /// Counts a try that was begun and never finished.
    pub(crate) fn settle_pending(&mut self, person: &PersonId) -> Result<(), Denied> {
        if self.pending(person)? { self.count_failure(person) } else { Ok(()) }
    }

    /// Whether somebody other than the person holds the right now, as known here; asked before their secret is.
    pub(crate) fn may_stand_for(
        &mut self,
        other: &PersonId,
        person: &PersonId,
        right: &Right<'_>,
    ) -> Result<(), Denied> {
        let now = self.reading().wall;
        if other == person {
            return Err(Denied::SamePerson);
        }
        self.has_a_badge(other)?;
        let here = &self.enrolment().ok_or(Denied::NotSetUp)?.work_units;
        match authority_check(self.plant(), other, right, now, Reach::at(here, Some(person))) {
            Held::Yes => Ok(()),
            _ => Err(Denied::NoAuthority { person: other.clone() }),
        }
    }

    /// Checks a secret by unlocking the person's key, which is sealed anew where that is due. The try is durable before the check.
    pub fn unlock(&mut self, signer: &Signer) -> Result<PersonSecret, Denied> {
        let (secret, sealed) = self.unlock_as_it_is(signer)?;
        self.seal_anew(signer, &secret, &sealed);
        Ok(secret)
    }

    /// The same, and the key stays in the box it lay in: for a terminal that is to have nothing left to give.
    pub(super) fn unlock_as_it_is(&mut self, signer: &Signer) -> Result<(PersonSecret, SealedBox), Denied> {
        let person = &signer.person;
        self.is_not_over(person)?;
        for begun in self.keys.trying()?.iter().chain([person]) {
            self.settle_pending(begun)?;
        }
        if self.locked_out(person)? {
            return Err(Denied::LockedOut);
        }
        let wait = self.wait_s(person)?;
        if wait > 0 {
            return Err(Denied::Wait { seconds: wait });
        }
        let (key, sealed, pepper) = self.sealed_key(person)?;
        self.set_pending(person, true)?;
        match sealed.open_person(person, key, &signer.secret, &pepper) {
            Ok(secret) => {
                // Not a try any more, whatever becomes of what follows.
                self.set_pending(person, false)?;
                self.keys.forget_failures(person)?;
                Ok((secret, sealed))
            }
            Err(Locked::WrongSecret) => {
                self.count_failure(person)?;
                let tries = self.tries(person)?;
                let left = self.plant().policy.lockout.attempts.saturating_sub(tries);
                if left == 0 {
                    Err(Denied::LockedOut)
                } else {
                    Err(Denied::WrongSecret { left, wait_s: wait_after(tries) })
                }
            }
            Err(Locked::Damaged) => {
                self.set_pending(person, false)?;
                Err(Denied::NoSigning { person: person.clone() })
            }
        }
    }

    /// Durable in the entries, then in the key store: a disk that is put back forgives nothing.
    fn count_failure(&mut self, person: &PersonId) -> Result<(), Denied> {
        let presence = Stream::presence(&self.site()?);
        let attempt = self.tries(person)? + 1;
        let draft = self.draft(Subject::person(person), SecretFailed { attempt });
        let (now, name) = (self.now(), Self::pending_name(person));
        let entry = self.write_with(now, |writer| {
            let entry = writer.write(&presence, &draft)?;
            writer.step().step.set(&name, &[0])?;
            Ok(entry.id())
        })?;
        self.keys.count_failure(&KeptFailure { person: person.clone(), entry, at: now.clock.wall })?;
        Ok(self.keys.note_trying(None)?)
    }

    /// After a clock was set back nobody can say how long ago the last try was: nobody waits for it, and it counts.
    fn wait_s(&mut self, person: &PersonId) -> Result<u32, Denied> {
        let now = self.reading().wall;
        let Some(last) = self.failures(person)?.pop() else { return Ok(0) };
        let wait_ms = i64::from(wait_after(self.tries(person)?)) * SECOND_MS;
        let left_ms = if last.at > now { 0 } else { last.at.plus_ms(wait_ms).since(now).max(0) };
        Ok(u32::try_from((left_ms + SECOND_MS - 1) / SECOND_MS).unwrap_or(u32::MAX))
    }

    /// What opens the person's key, where that is enough here: a PIN isn't, once the plant or the terminal asks for a passphrase (R16).
    pub(crate) fn secret_of(&self, person: &PersonId) -> Result<Option<SecretKind>, Denied> {
        let connection = self.ledger.connection();
        let Some((key, _)) = questions::key_of(connection, person)? else { return Ok(None) };
        let chosen = questions::set_up_of(connection, &key)?.map(|set_up| SecretKind::chosen_in(&set_up));
        Ok(chosen.filter(|chosen| chosen.is_enough_where(self.secret_kind())))
    }

    /// The person's key in use, its box, and what that opens with beside the secret.
    fn sealed_key(&self, person: &PersonId) -> Result<(PersonKey, SealedBox, Pepper), Denied> {
        let missing = || Denied::NoSigning { person: person.clone() };
        self.secret_of(person)?.ok_or_else(missing)?;
        let (key, sealed) = boxes::key_box(self.ledger.connection(), person)?.ok_or_else(missing)?;
        let peppers = &self.enrolled().ok_or(Denied::NotSetUp)?.peppers;
        // Nobody is given a box before its pepper: this key store is older than the data folder, until the server was called.
        let pepper = peppers.of(sealed.epoch).cloned().ok_or_else(missing)?;
        Ok((key, sealed, pepper))
    }

    /// The first signing of a badge session asks for the secret; later ones of one's own acts in it don't (R13). Whoever signs nothing in it
    /// says with their signature that the secret was right: else wrong ones would add up over weeks.
    pub fn unlock_session(&mut self, signer: &Signer) -> Result<(), Denied> {
        let secret = self.unlock(signer)?;
        self.keep_unlocked(&signer.person, secret)
    }

    /// Keeps the key for the session.
    pub(super) fn keep_unlocked(&mut self, person: &PersonId, secret: PersonSecret) -> Result<(), Denied> {
        if self.tries(person)? > 0 {
            let draft = self.draft(Subject::person(person), Identified {});
            let draft = self.signed(draft, person, &secret, Role::Operator, Meaning::Identified, None);
            self.write(vec![(Stream::record(&self.site()?), draft)])?;
        }
        self.session_of(person)?.unlocked = Some(secret);
        Ok(())
    }

    /// Forgets the unlocked key, and keeps the badge session: the next signing asks for the secret again.
    pub fn lock_session(&mut self) {
        if let Some(session) = self.session.as_mut() {
            session.unlocked = None;
        }
    }

    pub fn session_unlocked(&self) -> bool {
        self.session.as_ref().is_some_and(|session| session.unlocked.is_some())
    }

    pub(crate) fn session_key(&mut self, person: &PersonId) -> Result<PersonSecret, Denied> {
        self.session_of(person)?.unlocked.clone().ok_or(Denied::NoSession)
    }

    /// Signs a draft with a key just unlocked.
    pub(crate) fn signed(
        &mut self,
        draft: Draft,
        person: &PersonId,
        key: &PersonSecret,
        role: Role,
        meaning: Meaning,
        shown: Option<Digest32>,
    ) -> Draft {
        let (printed_name, signed_at) = (self.plant().printed_name(person), self.reading().wall);
        let own = self.session.as_ref().filter(|session| session.person == *person);
        let credential = own.map_or_else(|| self.badge_of(person), |session| session.credential);
        let signer = person.clone();
        draft.signed_by(Signing { signer, printed_name, role, meaning, signed_at, shown, credential }, key)
    }
}

fn saturated(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// Waits double: none for the first tries, then 2, 4, 8 … seconds.
fn wait_after(failures: u32) -> u32 {
    if failures < FREE_TRIES { 0 } else { 2u32.saturating_pow((failures - FREE_TRIES + 1).min(12)) }
}
