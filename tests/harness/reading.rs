//! A second reading of the entries that a kiosk holds: the product's own pure functions over all of them, without its tables. And the same
//! with one rule taken away: each such mutant must be told from what really happened, or the checks are worth nothing.

use kiosk::core::Core as Kiosk;
use shared::id::*;
use shared::kind::Body;
use shared::kind::plant::{Activity, ActivityKind};
use shared::log::Entry;
use shared::plant::Plant;
use shared::plant::fold::PlantFact;
use shared::record::judge::{Knowledge, Standing, fold_sort, judge};
use shared::record::{Evidence, TrainingRecord};
use shared::time::{ClockReading, Timestamp};
use shared::training::qualification::{Tense, qualification};
use shared::training::task_session::Performances;
use shared::training::{GateDecision, Known, Question, decide};
use store::{questions, secrets, shelf};

/// A rule of the gate or the record that is not followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutant {
    /// The gate believes the machine's wall clock, to the millisecond.
    GateByWallClock,
    /// Of several sign-offs the last one written wins.
    LastSignOffWins,
    /// Whoever had the right once has it for good.
    NoAuthorityAtMerge,
    /// Wrong secrets from before a restart are forgotten.
    ForgetsFailuresOnRestart,
    /// What comes a second time counts a second time.
    CountsARunTwice,
    /// A withdrawn version makes room for the one before it.
    RevivesAnOlderVersion,
}

/// What the machine says, besides the entries.
#[derive(Debug, Clone, Copy)]
pub struct Machine {
    pub wall: Timestamp,
    pub restarted: Timestamp,
}

/// What the entries say of one person.
pub struct Reading {
    person: PersonId,
    plant: Plant,
    record: TrainingRecord,
    performances: Performances,
    locked_out: bool,
    clock: ClockReading,
}

impl Reading {
    pub fn of(kiosk: &mut Kiosk, person: &PersonId, machine: Machine, mutant: Option<Mutant>) -> Self {
        let clock = match mutant {
            Some(Mutant::GateByWallClock) => ClockReading::exact(machine.wall),
            _ => kiosk.reading(),
        };
        let connection = kiosk.ledger().connection();
        let plant = plant_of(all(kiosk, "l.stream GLOB 'plant/*'"), mutant);
        let mut entries = shelf::record_about(connection, &format!("person:{person}")).expect("the store works");
        fold_sort(&mut entries);
        if mutant == Some(Mutant::LastSignOffWins) {
            keep_the_last_sign_off(&mut entries);
        }
        let (keys, servers) = (&kiosk.ledger().world().keys, &kiosk.ledger().world().servers);
        let is_server = |device: &DeviceKey| servers.contains(device);
        let standing = |_: &Entry| Standing::Good;
        let judged = judge(&entries, &Knowledge { plant: &plant, keys, servers: &is_server, standing: &standing });
        let mut record = judged.into_record();
        if mutant == Some(Mutant::CountsARunTwice) {
            let again = record.evidence.iter().filter(|row| row.activity == ActivityKind::Runs).cloned();
            let again: Vec<Evidence> = again.collect();
            record.append(again);
        }
        let since = (mutant == Some(Mutant::ForgetsFailuresOnRestart)).then_some(machine.restarted);
        let failures = failures(kiosk, person, since);
        Self {
            person: person.clone(),
            record,
            performances: questions::performances(connection, person).expect("the store works"),
            locked_out: failures >= plant.policy.lockout.attempts,
            plant,
            clock,
        }
    }

    /// What the gate says to a start.
    pub fn start(&self, task: &TaskId, work_unit: &WorkUnitId, lot: &LotId) -> GateDecision {
        let question = Question {
            person: &self.person,
            task,
            work_unit,
            lot: Some(lot),
            clock: self.clock,
            trainer: None,
            co_signed: None,
        };
        decide(
            &question,
            &Known {
                plant: &self.plant,
                record: &self.record,
                performances: &self.performances,
                trainers_record: None,
                trainers_performances: &[],
                trainees_of_trainer: 0,
                offline_ms: 0,
                locked_out: self.locked_out,
                history_in_transit: false,
                revoked: false,
            },
        )
    }

    /// How many supervised runs of a requirement count.
    pub fn runs(&self, requirement: &RequirementId) -> u32 {
        let at = self.clock.wall;
        let state = qualification(&self.plant, requirement, &self.person, &self.record, &[], at, Tense::Now);
        let runs = state.activities.iter().find(|state| matches!(state.activity, Activity::Runs(_)));
        runs.map_or(0, |runs| runs.have)
    }
}

fn all(kiosk: &Kiosk, of: &str) -> Vec<Entry> {
    let sql = format!("SELECT e.bytes, e.blocks_good FROM entry e JOIN log l USING (log) WHERE {of}");
    let mut statement = kiosk.ledger().connection().prepare(&sql).expect("the question is well put");
    let rows = statement.query_map([], |row| Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, bool>(1)?)));
    let rows = rows.expect("the store works").map(|row| row.expect("the store works"));
    rows.map(|(bytes, good)| shelf::read_entry(&bytes, good).expect("it was held")).collect()
}

fn plant_of(entries: Vec<Entry>, mutant: Option<Mutant>) -> Plant {
    let mut facts: Vec<PlantFact> = entries.iter().filter_map(PlantFact::of).collect();
    match mutant {
        Some(Mutant::NoAuthorityAtMerge) => {
            facts.retain(|fact| !matches!(&fact.body, Some(Body::AssessorSet(grant)) if grant.reason.is_some()));
        }
        Some(Mutant::RevivesAnOlderVersion) => forget_withdrawn_versions(&mut facts),
        _ => {}
    }
    Plant::fold(facts)
}

fn forget_withdrawn_versions(facts: &mut Vec<PlantFact>) {
    let withdrawn = facts.iter().filter_map(|fact| match &fact.body {
        Some(Body::VersionWithdrawn(body)) => Some((body.document.clone(), body.version.clone())),
        _ => None,
    });
    let withdrawn: Vec<(DocumentId, VersionId)> = withdrawn.collect();
    facts.retain(|fact| match &fact.body {
        Some(Body::VersionApproved(body)) => !withdrawn.contains(&(body.document.clone(), body.version.clone())),
        Some(Body::VersionWithdrawn(_)) => false,
        _ => true,
    });
}

fn keep_the_last_sign_off(entries: &mut Vec<Entry>) {
    let is_sign_off = |entry: &Entry| entry.header().kind == "check_signed";
    let last = entries.iter().rfind(|entry| is_sign_off(entry)).map(Entry::id);
    entries.retain(|entry| !is_sign_off(entry) || Some(entry.id()) == last);
}

/// Wrong secrets that count; with `since`, only those that this machine saw in one go.
fn failures(kiosk: &Kiosk, person: &PersonId, since: Option<Timestamp>) -> u32 {
    let here = kiosk.enrolled().expect("it is set up").secret.key();
    let counted =
        secrets::failures(kiosk.ledger().connection(), person, &here, Timestamp::MAX).expect("the store works");
    counted.iter().filter(|failure| since.is_none_or(|since| failure.at >= since)).count() as u32
}
