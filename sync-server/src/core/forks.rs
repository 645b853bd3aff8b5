//! Logs that divide, and quality's word on each branch (H4): a cloned or restored kiosk, or a server that was put back behind its own back.

use serde::Serialize;
use shared::id::*;
use shared::kind::plant::Ruling;
use shared::kind::{Meaning, Role};
use shared::log::standing::{Branches, Fork, reaches};
use shared::log::{Draft, Entry, Shelf, Stream, Subject};
use shared::part11::authority::Right;
use shared::time::Timestamp;
use store::StoreError;

use super::people::Signer;
use super::{Core, Refused};
use crate::store::{ServerStep, step};

/// How many entries one ruling names at most: an entry has 16 KiB.
pub(super) const RULED_AT_ONCE: usize = 200;

/// One way in which a log goes on after it divides.
#[derive(Debug, Clone, Serialize)]
pub struct Branch {
    /// Its first entry names it.
    pub first: EntryId,
    /// Who wrote it: a kiosk's name, or the server.
    pub written_at: String,
    pub stream: String,
    /// The last entry it shares with the others.
    pub after: u64,
    pub entries: u64,
    pub from: Timestamp,
    pub to: Timestamp,
    /// What quality said of it; `None` while nobody ruled on all of it.
    pub accepted: Option<bool>,
}

/// A branch's fork, its entries, and the ruling on all of them.
type Found = (Fork, Vec<Entry>, Option<bool>);

impl Core {
    /// Every branch of every log that divides.
    pub fn branches(&self) -> Result<Vec<Branch>, Refused> {
        let divides = "SELECT EXISTS (SELECT 1 FROM fork)";
        let divides: bool =
            self.ledger().connection().query_row(divides, [], |row| row.get(0)).map_err(StoreError::from)?;
        if !divides {
            return Ok(Vec::new());
        }
        let plant = self.plant();
        // A look: nobody is rung for it.
        let found = step(&mut self.ledger(), self.clock(), |step| -> Result<Vec<Found>, Refused> {
            let mut found = Vec::new();
            for log in step.logs()? {
                for fork in step.step.forks(&log)? {
                    for first in first_entries(step, &fork)? {
                        let entries = entries_of(step, &fork, &first)?;
                        let mut said = Vec::new();
                        for entry in &entries {
                            said.push(step.step.ruling(&entry.id())?);
                        }
                        let accepted =
                            said.first().copied().flatten().filter(|one| said.iter().all(|s| *s == Some(*one)));
                        found.push((fork.clone(), entries, accepted));
                    }
                }
            }
            Ok(found)
        })?;
        let branch = |(fork, entries, accepted): Found| {
            let (first, last) = (entries.first()?, entries.last()?);
            let kiosk = plant.devices.get(&fork.log.device).map(|kiosk| kiosk.name.to_string());
            Some(Branch {
                first: first.id(),
                written_at: kiosk.unwrap_or_else(|| {
                    if fork.log.device == self.key() { "server".to_owned() } else { fork.log.device.short() }
                }),
                stream: fork.log.stream.to_string(),
                after: fork.counter,
                entries: entries.len() as u64,
                from: first.header().wall,
                to: last.header().wall,
                accepted,
            })
        };
        Ok(found.into_iter().filter_map(branch).collect())
    }

    /// Rules on a branch as a whole: accepted, it counts as if its log didn't divide; rejected, it stays without effect. Every entry is named by
    /// the ruling, so what arrives later on the branch waits for a ruling of its own.
    pub fn rule_on_branch(
        &self,
        first: &EntryId,
        accepted: bool,
        reason: &str,
        by: &Signer,
    ) -> Result<Vec<Entry>, Refused> {
        self.require(&by.person, &Right::Quality)?;
        if reason.trim().is_empty() {
            return Err(Refused::no("a ruling needs a reason"));
        }
        let (log, named) = self.step(|step, _, _| {
            let none = || Refused::no(format!("no branch begins with {}", first.short()));
            let place = step.place(first)?.ok_or_else(none)?;
            let mut forks = step.step.forks(&place.log)?;
            forks.retain(|fork| fork.last_common == place.prev);
            let fork = forks.pop().ok_or_else(none)?;
            let entries = entries_of(step, &fork, first)?;
            Ok::<_, Refused>((place.log, entries.iter().map(Entry::id).collect::<Vec<_>>()))
        })?;
        let draft = |entries: &[EntryId]| -> Result<Draft, Refused> {
            let body = Ruling { entries: entries.to_vec(), accepted, reason: reason.trim().to_owned() };
            self.signed(self.draft(Subject::new("device", log.device), body), by, Role::Quality, Meaning::Ruled)
        };
        let drafts = named.chunks(RULED_AT_ONCE).map(draft).collect::<Result<Vec<_>, _>>()?;
        self.step(|step, server, clock| {
            drafts.iter().map(|draft| Ok(server.write(step, &Stream::plant_global(), draft, clock)??)).collect()
        })
    }
}

/// The first entries after a fork, one a branch.
fn first_entries(step: &ServerStep<'_, '_>, fork: &Fork) -> Result<Vec<EntryId>, Refused> {
    let mut first = Vec::new();
    for id in step.at(&fork.log, fork.counter + 1)? {
        if step.place(&id)?.is_some_and(|place| place.prev == fork.last_common) {
            first.push(id);
        }
    }
    Ok(first)
}

/// A branch from its first entry on, by counter; a later fork's branches belong to it.
fn entries_of(step: &ServerStep<'_, '_>, fork: &Fork, first: &EntryId) -> Result<Vec<Entry>, Refused> {
    let mut entries = Vec::new();
    for counter in fork.counter + 1.. {
        let ids = step.at(&fork.log, counter)?;
        if ids.is_empty() {
            break;
        }
        for id in ids {
            if reaches(&id, first, step)? {
                entries.extend(step.entry(&id)?);
            }
        }
    }
    Ok(entries)
}
