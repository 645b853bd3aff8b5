//! Point-in-time answers (G3, U2): what was true, and what a kiosk could know.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use shared::id::*;
use shared::kind::{Body, Family};
use shared::log::effect::Verdict;
use shared::log::{Entry, Revision, Stream};
use shared::plant::{Plant, PlantFact};
use shared::record::{Knowledge, Standing, TrainingRecord, judge, judge::fold_sort};
use shared::sync::ServerShelf;
use shared::time::Timestamp;
use shared::training::point_in_time::{Asked, Qualified, qualified};
use shared::training::task_session::TaskSession;
use shared::training::{Tense, qualification};
use store::{history, questions, shelf};

use super::{Core, Refused};

/// The point-in-time answer as it is printed.
#[derive(Debug, Clone, Serialize)]
pub struct PointInTime {
    pub person: PersonId,
    pub at: Timestamp,
    #[serde(flatten)]
    pub qualified: Qualified,
    /// What the named kiosk could know then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer_known: Option<KnownThen>,
    pub watermark: Watermark,
}

/// The answer from one kiosk's knowledge.
#[derive(Debug, Clone, Serialize)]
pub struct KnownThen {
    pub kiosk: KioskName,
    #[serde(flatten)]
    pub qualified: Qualified,
    /// The plant revisions it knew.
    pub revisions: Vec<String>,
    /// The entry of the kiosk's that proves them.
    pub witnessed_by: Option<EntryId>,
}

/// "Data complete through T": how far the kiosks in use have told everything (U10). A revoked kiosk has left by that act, which names its last
/// held heads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Watermark {
    /// What every kiosk in use had written up to here is held. `None`: unknown, because of those in `unknown`, or because there is no kiosk.
    pub complete_through: Option<Timestamp>,
    pub kiosks: usize,
    /// How many are complete through the moment asked about.
    pub complete: usize,
    /// The others, `unknown` among them.
    pub missing: Vec<KioskName>,
    /// Kiosks that have never told everything: nobody knows what they hold.
    pub unknown: Vec<KioskName>,
}

impl Watermark {
    /// From how far each kiosk is complete. Asked about no moment in particular, a kiosk is complete as soon as it has ever told everything.
    pub fn of(kiosks: &[(KioskName, Option<Timestamp>)], at: Option<Timestamp>) -> Self {
        let names = |lacks: &dyn Fn(Option<Timestamp>) -> bool| {
            let mut names: Vec<_> = kiosks.iter().filter(|(_, t)| lacks(*t)).map(|(name, _)| name.clone()).collect();
            names.sort();
            names
        };
        let missing = names(&|through| through.is_none_or(|through| at.is_some_and(|at| through < at)));
        let unknown = names(&|through| through.is_none());
        let least = kiosks.iter().filter_map(|(_, through)| *through).min();
        let complete_through = least.filter(|_| unknown.is_empty());
        Self { complete_through, kiosks: kiosks.len(), complete: kiosks.len() - missing.len(), missing, unknown }
    }
}

impl Core {
    /// Was the person qualified at `at`; and, where a kiosk is named, what could it know?
    pub fn query_qualified(
        &self,
        person: &PersonId,
        asked: Asked<'_>,
        at: Timestamp,
        known_to: Option<&KioskName>,
    ) -> Result<PointInTime, Refused> {
        let plant = self.plant();
        if !plant.people.contains_key(person) {
            return Err(Refused::no(format!("nobody is known as {person}")));
        }
        check_asked(&plant, asked)?;
        let answer_known = known_to.map(|kiosk| self.known_to(person, asked, at, kiosk)).transpose()?;
        let ledger = self.ledger();
        let record = questions::record(ledger.connection(), person)?;
        let performances = questions::performances(ledger.connection(), person)?;
        drop(ledger);
        let qualified = qualified(&plant, asked, person, &record, &performances, at);
        Ok(PointInTime { person: person.clone(), at, qualified, answer_known, watermark: self.watermark(Some(at))? })
    }

    /// The answer alone, for batches: one read of the plant for all.
    pub fn qualified_at(
        &self,
        plant: &Plant,
        person: &PersonId,
        asked: Asked<'_>,
        at: Timestamp,
    ) -> Result<Qualified, Refused> {
        let ledger = self.ledger();
        let record = questions::record(ledger.connection(), person)?;
        let performances = questions::performances(ledger.connection(), person)?;
        Ok(qualified(plant, asked, person, &record, &performances, at))
    }

    fn known_to(
        &self,
        person: &PersonId,
        asked: Asked<'_>,
        at: Timestamp,
        kiosk: &KioskName,
    ) -> Result<KnownThen, Refused> {
        let plant = self.plant();
        let enrolled = plant.devices.values().find(|device| device.name == *kiosk);
        let enrolled = enrolled.ok_or_else(|| Refused::no(format!("no kiosk is called {kiosk}")))?;
        let witness = self.last_word_of(&enrolled.device, at)?;
        let mut revisions = witness.as_ref().map_or_else(Vec::new, |entry| entry.header().plant.clone());
        if let Some(Body::Decision(decision)) =
            witness.as_ref().and_then(|e| e.statement().ok().flatten()).map(|s| s.body)
        {
            revisions.extend(decision.read_of_people());
        }
        let (then, record) = self.as_known(person, &enrolled.device, &revisions, at)?;
        let performances = questions::performances(self.ledger().connection(), person)?;
        Ok(KnownThen {
            kiosk: kiosk.clone(),
            qualified: qualified(&then, asked, person, &record, &performances, at),
            revisions: revisions.iter().map(|r| format!("{} {}", r.stream, r.number)).collect(),
            witnessed_by: witness.map(|entry| entry.id()),
        })
    }

    /// The kiosk's latest entry up to `at` that tells what it knew; decisions tell most.
    fn last_word_of(&self, device: &DeviceKey, at: Timestamp) -> Result<Option<Entry>, Refused> {
        let ledger = self.ledger();
        let mut last: Option<Entry> = None;
        for log in shelf::logs(ledger.connection())?.into_iter().filter(|log| log.device == *device) {
            let tip = shelf::tips(ledger.connection(), &log)?.into_iter().max();
            let Some((mut counter, _)) = tip else { continue };
            // Walks back from the tip; a kiosk's wall clock rises along its log but for corrections, and the first fit is the latest.
            while counter > 0 {
                let ids = shelf::at(ledger.connection(), &log, counter)?;
                let entry = ids.first().map(|id| shelf::entry(ledger.connection(), id)).transpose()?.flatten();
                if let Some(entry) = entry.filter(|entry| entry.header().wall <= at) {
                    let rank = |e: &Entry| (e.header().kind == "decision", e.header().wall);
                    if last.as_ref().is_none_or(|known| rank(known) < rank(&entry)) {
                        last = Some(entry);
                    }
                    break;
                }
                counter -= 1;
            }
        }
        Ok(last)
    }

    /// Plant and record as far as the revisions reach, and what the device itself had written by then.
    pub(super) fn as_known(
        &self,
        person: &PersonId,
        device: &DeviceKey,
        revisions: &[Revision],
        at: Timestamp,
    ) -> Result<(Plant, TrainingRecord), Refused> {
        let reach = self.reach(revisions)?;
        let ledger = self.ledger();
        let world = ledger.world();
        let visiting =
            reach.iter().filter(|(stream, _)| stream.family == Family::Visiting).flat_map(|(_, known)| known);
        let told = history::told_by(ledger.connection(), visiting)?;
        let within = |entry: &Entry| {
            let own = entry.log().device == *device && entry.header().wall <= at;
            let known = reach.get(&entry.log().stream).is_some_and(|known| known.contains(&entry.id()));
            own || known || told.contains_key(&entry.id())
        };
        let entries = store::derive::plant_entries(ledger.connection())?;
        let plant = Plant::fold(entries.iter().filter(|entry| within(entry)).filter_map(PlantFact::of));
        let about = format!("person:{person}");
        let mut record = shelf::entries_about(ledger.connection(), &about)?;
        record.retain(|entry| entry.family() == Family::Record && within(entry));
        fold_sort(&mut record);
        let knowledge = Knowledge {
            plant: &plant,
            keys: &world.keys,
            servers: &|device| world.servers.contains(device),
            standing: &|entry| told.get(&entry.id()).copied().unwrap_or(Standing::Good),
        };
        let record = judge(&record, &knowledge).into_record();
        Ok((plant, record))
    }

    /// Which entries of each stream lie within a revision.
    fn reach(&self, revisions: &[Revision]) -> Result<BTreeMap<Stream, std::collections::BTreeSet<EntryId>>, Refused> {
        let clock = self.clock();
        crate::store::step(&mut self.ledger(), clock, |step| {
            let epochs = step.epochs()?;
            let mut reach = BTreeMap::new();
            for revision in revisions {
                let mut known = std::collections::BTreeSet::new();
                for epoch in &epochs {
                    let limit = if *epoch == revision.epoch { revision.number as usize } else { usize::MAX >> 1 };
                    known.extend(step.ordered(&revision.stream, epoch, 0, limit)?.into_iter().map(|o| o.entry));
                    if *epoch == revision.epoch {
                        break;
                    }
                }
                reach.insert(revision.stream.clone(), known);
            }
            Ok::<_, Refused>(reach)
        })
    }

    /// How far the data of all kiosks in use are complete; `at` is the moment somebody asks about.
    pub fn watermark(&self, at: Option<Timestamp>) -> Result<Watermark, Refused> {
        let plant = self.plant();
        let seen = crate::store::kiosks_seen(self.ledger().connection())?;
        let through: BTreeMap<DeviceKey, Timestamp> =
            seen.iter().filter_map(|kiosk| Some((kiosk.device, kiosk.complete_through?))).collect();
        let in_use = plant.devices.values().filter(|device| !plant.revoked_devices.contains_key(&device.device));
        let kiosks: Vec<_> = in_use.map(|kiosk| (kiosk.name.clone(), through.get(&kiosk.device).copied())).collect();
        Ok(Watermark::of(&kiosks, at))
    }

    /// Everybody with a task session on the lot, and whether they were qualified then (H5).
    pub fn query_lot(&self, lot: &LotId) -> Result<Vec<LotStart>, Refused> {
        let plant = self.plant();
        let sessions = questions::sessions_on_lot(self.ledger().connection(), lot)?;
        sessions.into_iter().map(|session| self.lot_start(&plant, session)).collect()
    }

    fn lot_start(&self, plant: &Arc<Plant>, session: TaskSession) -> Result<LotStart, Refused> {
        let requirements = plant.tasks.get(&session.task).map_or_else(Vec::new, |task| task.requirements.clone());
        let ledger = self.ledger();
        let record = questions::record(ledger.connection(), &session.person)?;
        let performances = questions::performances(ledger.connection(), &session.person)?;
        let verdict = questions::verdict(ledger.connection(), &session.opened_by)?;
        drop(ledger);
        let met = |requirement: &RequirementId| {
            let at = session.started_at;
            let governed = |task: &TaskId| plant.tasks.get(task).is_some_and(|t| t.requirements.contains(requirement));
            let before = |task: &TaskId, performed: &shared::training::task_session::Performance| {
                governed(task) && performed.started_at < at
            };
            let counted: Vec<_> = performances.iter().filter(|(task, p)| before(task, p)).map(|(_, p)| *p).collect();
            qualification(plant, requirement, &session.person, &record, &counted, at, Tense::Then).met
        };
        let (qualified, supervised) = (requirements.iter().all(met), session.trainer.is_some());
        Ok(LotStart { qualified, supervised, verdict, session })
    }
}

/// A start on a lot.
#[derive(Debug, Clone, Serialize)]
pub struct LotStart {
    pub qualified: bool,
    pub supervised: bool,
    /// Whether the start itself counts: somebody may have worked at a terminal that was revoked, or a thief may say so.
    pub verdict: Verdict,
    pub session: TaskSession,
}

fn check_asked(plant: &Plant, asked: Asked<'_>) -> Result<(), Refused> {
    match asked {
        Asked::Document(id) if !plant.documents.contains_key(id) => {
            Err(Refused::no(format!("no document is known as {id}")))
        }
        Asked::Requirement(id) if !plant.requirements.contains_key(id) => {
            Err(Refused::no(format!("no requirement is known as {id}")))
        }
        _ => Ok(()),
    }
}
