//! Correction: whoever signed an entry annuls it by a new signed one with a reason; both stay visible and the gate follows at once (R24).

use shared::id::*;
use shared::kind::plant::ActivityKind;
use shared::kind::record::{About, Correction, Outcome};
use shared::kind::{Body, Meaning};
use shared::log::effect::{Cause, Verdict};
use shared::log::{Entry, Subject};
use shared::record::judge::fold_sort;
use shared::time::Timestamp;
use store::questions;

use super::{Core, Denied};

/// One act in a person's own training record.
#[derive(Debug, Clone, PartialEq)]
pub struct OwnEntry {
    pub entry: EntryId,
    pub activity: ActivityKind,
    pub about: About,
    pub at: Timestamp,
    pub outcome: Outcome,
    pub score_percent: Option<u8>,
    /// Who observed or assessed, as printed.
    pub second: Option<String>,
    pub verdict: Verdict,
    /// What annulled it.
    pub corrected: Option<Correction>,
}

/// What is wrong with an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrong {
    Person,
    Value,
    Outcome,
}

impl Wrong {
    /// As it is recorded.
    pub fn word(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Value => "value",
            Self::Outcome => "outcome",
        }
    }
}

/// A correction as its author states it.
#[derive(Debug, Clone, PartialEq)]
pub struct Corrected {
    pub wrong: Wrong,
    /// What stands there, and what would be right.
    pub old: String,
    pub new: String,
    pub reason: String,
}

impl Core {
    /// What the person did and signed, latest first, with what annulled it.
    pub fn own_entries(&mut self, person: &PersonId) -> Result<Vec<OwnEntry>, Denied> {
        let connection = self.ledger.connection();
        let mut entries = store::shelf::entries_about(connection, Subject::person(person).as_str())?;
        fold_sort(&mut entries);
        let mut own = Vec::new();
        for entry in entries.iter().rev().filter(|entry| entry.block_of(person).is_some()) {
            let verdict = questions::verdict(connection, &entry.id())?;
            own.extend(own_entry(entry, person, verdict, &entries));
        }
        Ok(own)
    }

    /// Annuls an entry that the person signed, with the key unlocked in this badge session. What replaces it is done and signed anew.
    pub fn correct(&mut self, person: &PersonId, entry: &EntryId, corrected: &Corrected) -> Result<Entry, Denied> {
        let theirs = self.own_entries(person)?.into_iter().find(|own| own.entry == *entry);
        let theirs = theirs.ok_or_else(|| Denied::NoAuthority { person: person.clone() })?;
        if theirs.corrected.is_some() {
            return Err(Denied::OutOfOrder);
        }
        if corrected.reason.trim().is_empty() || corrected.new.trim().is_empty() {
            return Err(Denied::NoReason);
        }
        let body = Correction {
            entry: *entry,
            what: corrected.wrong.word().to_owned(),
            old: corrected.old.clone(),
            new: corrected.new.clone(),
            reason: corrected.reason.clone(),
        };
        self.sign_own(person, body, Meaning::Corrected, None)
    }
}

fn own_entry(entry: &Entry, person: &PersonId, verdict: Verdict, all: &[Entry]) -> Option<OwnEntry> {
    let (about, activity, outcome, score_percent) = match entry.statement().ok().flatten()?.body {
        Body::Read(b) => {
            let outcome = if b.reached_end { Outcome::Passed } else { Outcome::Aborted };
            (b.about, ActivityKind::Read, outcome, None)
        }
        Body::QuizAttempt(b) => (b.about, ActivityKind::Quiz, b.outcome, Some(b.score_percent)),
        Body::RunObserved(b) => (b.about, ActivityKind::Runs, b.outcome, None),
        Body::CheckSigned(b) => (b.about, ActivityKind::Check, b.outcome, None),
        _ => return None,
    };
    let second = entry.blocks().iter().find(|block| block.signer != *person);
    Some(OwnEntry {
        entry: entry.id(),
        activity,
        about,
        at: entry.blocks().iter().map(|block| block.signed_at).max()?,
        outcome,
        score_percent,
        second: second.map(|block| block.printed_name.clone()),
        corrected: annulled_by(&verdict, all),
        verdict,
    })
}

fn annulled_by(verdict: &Verdict, all: &[Entry]) -> Option<Correction> {
    let Verdict::SetAside(Cause::Annulled(id)) = verdict else { return None };
    let correction = all.iter().find(|entry| entry.id() == *id)?;
    match correction.statement().ok().flatten()?.body {
        Body::Correction(body) => Some(body),
        _ => None,
    }
}
