//! Co-signing: past its time without contact a routine task starts when a second person answers for it (U5). Critical tasks never do: the
//! gate has no such remedy for them.

use shared::id::*;
use shared::kind::journal::Decision;
use shared::kind::record::CoSigned;
use shared::kind::{Body, Meaning, Role};
use shared::log::{Entry, Stream, Subject};
use shared::part11::authority::Right;
use shared::time::{HOUR_MS, MINUTE_MS, Timestamp};
use store::questions;

use super::secret::Signer;
use super::{Core, Denied};

/// How long a co-signature waits for its start: who gave it has seen how things stood then.
const HOLDS_MS: i64 = 15 * MINUTE_MS;

/// A start that somebody asked for.
#[derive(Debug, Clone, Copy)]
pub struct Start<'a> {
    pub person: &'a PersonId,
    pub task: &'a TaskId,
    pub lot: Option<&'a LotId>,
}

impl Core {
    /// Whether the second person may co-sign: never their own start, and only who could start the task here themselves or leads.
    pub fn may_co_sign(&mut self, second: &PersonId, start: Start<'_>) -> Result<(), Denied> {
        if second == start.person {
            return Err(Denied::SamePerson);
        }
        self.has_a_badge(second)?;
        if !self.look(start.person, start.task, start.lot, None)?.needs_only_co_signature() {
            // The gate says what else is missing, or that nothing is.
            return Err(Denied::OutOfOrder);
        }
        let leads = self.may_stand_for(second, start.person, &Right::Lead).is_ok();
        let own = self.look(second, start.task, start.lot, None)?;
        if leads || own.answer.may_start() || own.needs_only_co_signature() {
            Ok(())
        } else {
            Err(Denied::NoAuthority { person: second.clone() })
        }
    }

    /// Signs for exactly the start that `decision` denied, and no other.
    pub fn co_sign(&mut self, start: Start<'_>, decision: &EntryId, second: &Signer) -> Result<Entry, Denied> {
        self.may_co_sign(&second.person, start)?;
        let unit = self.unit_of(start.task)?;
        if !self.is_last_answer(decision, start, &unit)? {
            return Err(Denied::OutOfOrder);
        }
        let key = self.unlock(second)?;
        let reason = match (self.last_contact()?, self.offline_ms()?) {
            (None, _) => "the server was never heard here".to_owned(),
            (Some(_), i64::MAX) => "nobody knows for how long there was no contact with the server".to_owned(),
            (Some(_), offline_ms) => format!("no contact with the server for {} h", offline_ms / HOUR_MS),
        };
        let body = CoSigned { decision: *decision, reason };
        let draft = self.draft(Subject::person(start.person), body);
        let draft = self.signed(draft, &second.person, &key, Role::Operator, Meaning::CoSigned, None);
        let stream = Stream::record(&self.site()?);
        self.write(vec![(stream, draft)])?.pop().ok_or(Denied::Unknown)
    }

    /// The co-signature that releases this start: it names the last answer given here for it. The next ask is another answer, so that
    /// one co-signature opens one start.
    pub(crate) fn co_signature(&mut self, start: Start<'_>, unit: &WorkUnitId) -> Result<Option<EntryId>, Denied> {
        let since = self.reading().wall.plus_ms(-HOLDS_MS);
        let subject = Subject::person(start.person);
        let given = questions::entries_of_kind(self.ledger.connection(), subject.as_str(), "co_signed")?;
        for entry in given.iter().filter(|entry| signed_at(entry).is_some_and(|at| at >= since)) {
            let Some(Body::CoSigned(body)) = entry.statement().ok().flatten().map(|statement| statement.body) else {
                continue;
            };
            let counts = questions::verdict(self.ledger.connection(), &entry.id())?.is_effective();
            if counts && self.is_last_answer(&body.decision, start, unit)? {
                return Ok(Some(entry.id()));
            }
        }
        Ok(None)
    }

    /// Who co-signed the start that rests on this evidence, as printed.
    pub fn co_signer_in(&self, evidence: &[EntryId]) -> Result<Option<String>, Denied> {
        for id in evidence {
            let Some(entry) = store::shelf::entry(self.ledger.connection(), id)? else { continue };
            if entry.header().kind == "co_signed" {
                return Ok(entry.blocks().first().map(|block| block.printed_name.clone()));
            }
        }
        Ok(None)
    }

    /// Whether the decision denied this very start here and nothing was answered for it since.
    fn is_last_answer(&self, decision: &EntryId, start: Start<'_>, unit: &WorkUnitId) -> Result<bool, Denied> {
        let connection = self.ledger.connection();
        let Some(entry) = store::shelf::entry(connection, decision)? else { return Ok(false) };
        let subject = Subject::person(start.person);
        let fits = entry.subject() == &subject
            && answer_of(&entry).is_some_and(|answer| {
                answer.answer == "no_go"
                    && answer.task == *start.task
                    && answer.work_unit == *unit
                    && answer.lot.as_ref() == start.lot
            });
        if !fits {
            return Ok(false);
        }
        let later = questions::entries_of_kind_after(connection, subject.as_str(), "decision", decision)?;
        Ok(later.iter().filter_map(answer_of).all(|answer| answer.task != *start.task))
    }
}

fn answer_of(entry: &Entry) -> Option<Decision> {
    match entry.statement().ok().flatten()?.body {
        Body::Decision(decision) => Some(decision),
        _ => None,
    }
}

fn signed_at(entry: &Entry) -> Option<Timestamp> {
    entry.blocks().first().map(|block| block.signed_at)
}
