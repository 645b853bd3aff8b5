//! What people look at: kiosks, latest sign-offs, what waits for somebody, one person's record. Read only.

use std::sync::Arc;

use rusqlite::Connection;
use serde::Serialize;
use shared::id::*;
use shared::kind::{Body, Family};
use shared::log::Entry;
use shared::log::effect::Verdict;
use shared::plant::Plant;
use shared::record::{TrainingRecord, judge::fold_sort};
use shared::time::{DAY_MS, MINUTE_MS, Timestamp};
use shared::training::assignment::{TrainingAssignment, assignments};
use shared::training::point_in_time::{Asked, Qualified, qualified};
use shared::training::qualification::{RequirementState, qualification};
use shared::training::task_session::{Performance, Performances};
use store::{StoreError, questions, shelf};

use super::badges::RefusedAt;
use super::forks::Branch;
use super::import::WaitingImport;
use super::pepper::KeysSealed;
use super::query::Watermark;
use super::recovery::PutBack;
use super::{Core, Refused};
use crate::store as tables;

/// How many sign-offs, and entries set aside, are shown at most.
const SHOWN: usize = 25;
/// How far back the latest of a kind are looked for, in entries: a look at the page must not read the whole store.
const LOOK_BACK: i64 = 20_000;

/// For how long what a clock did is pointed out, unless very much was written since.
const LATELY_MS: i64 = 7 * DAY_MS;

/// How a kiosk stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum KioskState {
    Ok,
    /// It has called, but not lately.
    Silent,
    /// Enrolled, and no call since.
    NeverCalled,
    /// It broke, and another stands in its place; what it held may still come.
    Replaced,
    /// It left on purpose, and gave everything first.
    Retired,
    Revoked,
}

impl KioskState {
    /// Whether calls are expected of it.
    pub fn is_in_use(self) -> bool {
        !matches!(self, Self::Replaced | Self::Retired | Self::Revoked)
    }
}

/// A kiosk as it is listed.
#[derive(Debug, Clone, Serialize)]
pub struct KioskLine {
    pub name: KioskName,
    pub device: DeviceKey,
    pub site: SiteId,
    pub work_units: Vec<WorkUnitId>,
    pub state: KioskState,
    pub revoked_because: Option<String>,
    /// The broken kiosk in whose place it stands.
    pub replaces: Option<KioskName>,
    /// The kiosk that stands in its place.
    pub replaced_by: Option<KioskName>,
    pub last_seen: Option<Timestamp>,
    /// The server holds everything it had written up to here.
    pub complete_through: Option<Timestamp>,
    /// Entries it has shown that the server doesn't hold: at least so many.
    pub waiting: u64,
    /// How far its clock is ahead of the server's, in milliseconds; behind when negative.
    pub clock_ahead_ms: i64,
    pub uncertainty_ms: u32,
    /// How far it had read the plant streams.
    pub plant_revision: String,
}

/// An entry with what is shown beside it.
#[derive(Debug, Clone)]
pub struct Shown {
    pub entry: Entry,
    /// `None`: of a kind this version doesn't understand, or unreadable.
    pub body: Option<Body>,
    pub verdict: Verdict,
    /// The kiosk that wrote it; the server when it was none.
    pub written_at: String,
    /// When this server came to hold it (R18); `None` where that was not kept.
    pub received: Option<Timestamp>,
}

/// Everything on the first page.
pub struct Overview {
    pub now: Timestamp,
    pub plant: Arc<Plant>,
    pub kiosks: Vec<KioskLine>,
    pub sign_offs: Vec<Shown>,
    pub on_hold: Vec<Shown>,
    pub set_aside: Vec<Shown>,
    pub set_aside_count: usize,
    /// Branches of logs that divide, as far as nobody has ruled on them.
    pub forks: Vec<Branch>,
    /// What kiosks' clocks did lately that nobody believed, or that the server put right.
    pub clock_steps: Vec<Shown>,
    /// Imports that wait for an approver's signature.
    pub imports: Vec<WaitingImport>,
    pub watermark: Watermark,
    /// How the server stands after it was put back, while two people have yet to sign.
    pub put_back: Option<PutBack>,
    pub keys_sealed: KeysSealed,
}

/// What a person has to meet, and how that stands.
pub struct RequirementLine {
    pub state: RequirementState,
    /// What they owe for it, soonest first.
    pub owed: Vec<TrainingAssignment>,
}

/// One person's page.
pub struct PersonPage {
    pub now: Timestamp,
    pub plant: Arc<Plant>,
    pub person: PersonId,
    pub requirements: Vec<RequirementLine>,
    /// In the order of the record.
    pub entries: Vec<Shown>,
    /// The key they sign with, when they have set up signing.
    pub key: Option<PersonKey>,
    /// Where their disabled badge is refused, when it is disabled.
    pub badge_refused: Option<Vec<RefusedAt>>,
    pub watermark: Watermark,
}

/// A person in a list.
pub struct PersonLine {
    pub person: PersonId,
    pub met: usize,
    pub required: usize,
    /// Requirements whose evidence is on hold.
    pub on_hold: usize,
}

impl Core {
    pub fn kiosk_lines(&self, silent_minutes: u32) -> Result<Vec<KioskLine>, Refused> {
        let (plant, now) = (self.plant(), self.now());
        let seen = tables::kiosks_seen(self.ledger().connection())?;
        let mut lines: Vec<KioskLine> = plant
            .devices
            .values()
            .map(|device| {
                let seen = seen.iter().find(|seen| seen.device == device.device);
                let revoked = plant.revoked_devices.get(&device.device);
                let successor = plant.devices.values().find(|other| other.replaces == Some(device.device));
                let replaces = device.replaces.and_then(|broken| plant.devices.get(&broken));
                let silent = |last: Timestamp| now.since(last) > i64::from(silent_minutes) * MINUTE_MS;
                KioskLine {
                    name: device.name.clone(),
                    device: device.device,
                    site: device.site.clone(),
                    work_units: device.work_units.clone(),
                    state: match (revoked, seen) {
                        (Some(_), _) if plant.retired_devices.contains(&device.device) => KioskState::Retired,
                        (Some(_), _) => KioskState::Revoked,
                        _ if successor.is_some() => KioskState::Replaced,
                        (None, None) => KioskState::NeverCalled,
                        (None, Some(seen)) if silent(seen.last_seen) => KioskState::Silent,
                        (None, Some(_)) => KioskState::Ok,
                    },
                    revoked_because: revoked.cloned(),
                    replaces: replaces.map(|broken| broken.name.clone()),
                    replaced_by: successor.map(|other| other.name.clone()),
                    last_seen: seen.map(|seen| seen.last_seen),
                    complete_through: seen.and_then(|seen| seen.complete_through),
                    // One that doesn't call any more can't say what has come by other paths since.
                    waiting: match (seen, revoked, successor) {
                        (Some(seen), None, None) => seen.waiting,
                        (Some(seen), ..) => seen.missing,
                        (None, ..) => 0,
                    },
                    clock_ahead_ms: seen.map_or(0, |seen| seen.clock_ahead_ms),
                    uncertainty_ms: seen.map_or(0, |seen| seen.uncertainty_ms),
                    plant_revision: seen.map_or_else(String::new, |seen| seen.revisions.clone()),
                }
            })
            .collect();
        lines.sort_by(|a, b| (!a.state.is_in_use(), &a.name).cmp(&(!b.state.is_in_use(), &b.name)));
        Ok(lines)
    }

    pub fn overview(&self, silent_minutes: u32) -> Result<Overview, Refused> {
        let (plant, now) = (self.plant(), self.now());
        let (kiosks, watermark, put_back) =
            (self.kiosk_lines(silent_minutes)?, self.watermark(None)?, self.put_back()?);
        let (imports, keys_sealed) = (self.waiting_imports()?, self.keys_sealed()?);
        let mut forks = self.branches()?;
        forks.retain(|branch| branch.accepted.is_none());
        let ledger = self.ledger();
        let connection = ledger.connection();
        let shown = |ids: Vec<EntryId>| shown_all(connection, &plant, ids);
        let mut clock_steps = shown(latest(connection, "clock_step")?)?;
        clock_steps.retain(|step| step.received.is_some_and(|received| (0..LATELY_MS).contains(&now.since(received))));
        Ok(Overview {
            now,
            clock_steps,
            sign_offs: shown(latest(connection, "check_signed")?)?,
            on_hold: shown(questions::on_hold(connection)?.into_iter().map(|(id, ..)| id).collect())?,
            set_aside: shown(latest_set_aside(connection)?)?,
            set_aside_count: set_aside_count(connection)?,
            forks,
            imports,
            plant: plant.clone(),
            kiosks,
            watermark,
            put_back,
            keys_sealed,
        })
    }

    /// A person's record as it stands now; `None` when nobody is known by that id.
    pub fn person_page(&self, person: &PersonId) -> Result<Option<PersonPage>, Refused> {
        let (plant, now) = (self.plant(), self.now());
        if !plant.people.contains_key(person) {
            return Ok(None);
        }
        let (watermark, badge_refused) = (self.watermark(None)?, self.badge_refused_at(person)?);
        let ledger = self.ledger();
        let connection = ledger.connection();
        let record = questions::record(connection, person)?;
        let owed = assignments(&plant, person, &record, now);
        let requirements = states(connection, &plant, person, &record, now)?.into_iter().map(|state| {
            let owed = owed.iter().filter(|owed| owed.requirement == state.requirement).cloned().collect();
            RequirementLine { state, owed }
        });
        let mut about = shelf::entries_about(connection, &format!("person:{person}"))?;
        about.retain(|entry| entry.family() == Family::Record || !entry.blocks().is_empty());
        fold_sort(&mut about);
        let requirements = requirements.collect();
        let entries = about.into_iter().map(|entry| shown(connection, &plant, entry)).collect::<Result<_, _>>()?;
        let key = questions::key_of(connection, person)?.map(|(key, _)| key);
        Ok(Some(PersonPage {
            now,
            plant: plant.clone(),
            person: person.clone(),
            requirements,
            entries,
            key,
            badge_refused,
            watermark,
        }))
    }

    /// People whose name or id contains `search`, after `after` in the order of names, at most `limit`.
    pub fn people_lines(
        &self,
        search: &str,
        after: Option<&PersonId>,
        limit: usize,
    ) -> Result<(Arc<Plant>, Vec<PersonLine>), Refused> {
        let (plant, now) = (self.plant(), self.now());
        let wanted = search.trim().to_lowercase();
        let fits = |person: &PersonId, name: &str| {
            name.to_lowercase().contains(&wanted) || person.as_str().to_lowercase().contains(&wanted)
        };
        let mut found: Vec<(String, &PersonId)> = plant
            .people
            .values()
            .filter(|p| plant.is_active(&p.person, now) && fits(&p.person, &p.printed_name))
            .map(|p| (p.printed_name.to_lowercase(), &p.person))
            .collect();
        found.sort();
        let start =
            after.and_then(|after| found.iter().position(|(_, person)| *person == after)).map_or(0, |at| at + 1);
        let ledger = self.ledger();
        let line = |person: &PersonId| -> Result<PersonLine, Refused> {
            let record = questions::record(ledger.connection(), person)?;
            let states = states(ledger.connection(), &plant, person, &record, now)?;
            Ok(PersonLine {
                person: person.clone(),
                met: states.iter().filter(|state| state.met).count(),
                required: states.len(),
                on_hold: states.iter().filter(|state| is_on_hold(state)).count(),
            })
        };
        let lines = found.iter().skip(start).take(limit).map(|(_, person)| line(person)).collect::<Result<_, _>>()?;
        Ok((plant.clone(), lines))
    }

    /// Answers many questions; ask them person by person.
    pub fn batch(&self) -> Batch<'_> {
        Batch { core: self, plant: self.plant(), of: None }
    }
}

/// Whether evidence on hold is what keeps a requirement from being met.
pub fn is_on_hold(state: &RequirementState) -> bool {
    use shared::training::qualification::Why;
    !state.met && state.activities.iter().any(|activity| activity.why == Why::OnHold)
}

/// Many point-in-time answers with one reading of the plant, and one of each person's record.
pub struct Batch<'c> {
    core: &'c Core,
    plant: Arc<Plant>,
    of: Option<(PersonId, TrainingRecord, Performances)>,
}

impl Batch<'_> {
    pub fn plant(&self) -> &Plant {
        &self.plant
    }

    pub fn answer(&mut self, person: &PersonId, asked: Asked<'_>, at: Timestamp) -> Result<Qualified, Refused> {
        let (_, record, performances) = match self.of.take() {
            Some(of) if of.0 == *person => self.of.insert(of),
            _ => {
                let ledger = self.core.ledger();
                let record = questions::record(ledger.connection(), person)?;
                let performances = questions::performances(ledger.connection(), person)?;
                self.of.insert((person.clone(), record, performances))
            }
        };
        Ok(qualified(&self.plant, asked, person, record, performances, at))
    }
}

fn states(
    connection: &Connection,
    plant: &Plant,
    person: &PersonId,
    record: &TrainingRecord,
    at: Timestamp,
) -> Result<Vec<RequirementState>, StoreError> {
    let performances = questions::performances(connection, person)?;
    let state = |requirement: &RequirementId| {
        let governed = |task: &TaskId| plant.tasks.get(task).is_some_and(|t| t.requirements.contains(requirement));
        let counted: Vec<Performance> =
            performances.iter().filter(|(task, _)| governed(task)).map(|(_, p)| *p).collect();
        qualification(plant, requirement, person, record, &counted, at, shared::training::Tense::Now)
    };
    Ok(plant.required_of(person, at).into_iter().map(state).collect())
}

fn shown(connection: &Connection, plant: &Plant, entry: Entry) -> Result<Shown, StoreError> {
    let verdict = questions::verdict(connection, &entry.id())?;
    let body = entry.statement().ok().flatten().map(|statement| statement.body);
    let received = tables::received_at(connection, &entry.id())?;
    Ok(Shown { body, verdict, written_at: device_name(plant, &entry.log().device), received, entry })
}

fn shown_all(connection: &Connection, plant: &Plant, ids: Vec<EntryId>) -> Result<Vec<Shown>, StoreError> {
    let entry = |id: EntryId| shelf::entry(connection, &id).transpose();
    ids.into_iter().filter_map(entry).map(|entry| shown(connection, plant, entry?)).collect()
}

/// A device by the name of its kiosk; who isn't one is the server.
fn device_name(plant: &Plant, device: &DeviceKey) -> String {
    plant.devices.get(device).map_or_else(|| "server".to_owned(), |kiosk| kiosk.name.to_string())
}

fn latest(connection: &Connection, kind: &str) -> Result<Vec<EntryId>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT id FROM entry WHERE row > (SELECT max(row) FROM entry) - ?2 AND kind = ?1 ORDER BY row DESC LIMIT ?3",
    )?;
    let rows = statement.query_map(rusqlite::params![kind, LOOK_BACK, SHOWN as i64], |row| row.get(0).map(EntryId))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn latest_set_aside(connection: &Connection) -> Result<Vec<EntryId>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT v.id FROM verdict v JOIN entry e USING (id) WHERE v.on_hold = 0 ORDER BY e.row DESC LIMIT ?1",
    )?;
    let rows = statement.query_map([SHOWN as i64], |row| row.get(0).map(EntryId))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn set_aside_count(connection: &Connection) -> Result<usize, StoreError> {
    let mut statement = connection.prepare_cached("SELECT count(*) FROM verdict WHERE on_hold = 0")?;
    Ok(statement.query_row([], |row| row.get::<_, i64>(0))? as usize)
}

/// What the database says of itself.
#[derive(Debug, Clone, Serialize)]
pub struct Examined {
    pub journal_mode: String,
    /// 2: `FULL`.
    pub synchronous: i64,
    pub foreign_keys: bool,
    /// Each damage that SQLite's quick check finds. It misses altered contents: only `verify` tells those.
    pub damage: Vec<String>,
}

impl Examined {
    pub fn is_durable(&self) -> bool {
        self.journal_mode == "wal" && self.synchronous == 2 && self.foreign_keys
    }

    pub fn modes(&self) -> String {
        format!("journal {}, synchronous {}, foreign keys {}", self.journal_mode, self.synchronous, self.foreign_keys)
    }
}

impl Core {
    /// The latest time at which this server has written something itself.
    pub fn latest_own_time(&self) -> Result<Option<Timestamp>, Refused> {
        let ledger = self.ledger();
        let mut latest = None;
        for log in shelf::logs(ledger.connection())?.into_iter().filter(|log| log.device == self.key()) {
            for (_, tip) in shelf::tips(ledger.connection(), &log)? {
                latest = latest.max(shelf::entry(ledger.connection(), &tip)?.map(|entry| entry.header().wall));
            }
        }
        Ok(latest)
    }

    pub fn examine_database(&self) -> Result<Examined, Refused> {
        let ledger = self.ledger();
        let connection = ledger.connection();
        let examine = || -> Result<Examined, StoreError> {
            let mut check = connection.prepare("PRAGMA quick_check")?;
            let found = check.query_map([], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()?;
            Ok(Examined {
                journal_mode: connection.query_row("PRAGMA journal_mode", [], |row| row.get(0))?,
                synchronous: connection.query_row("PRAGMA synchronous", [], |row| row.get(0))?,
                foreign_keys: connection.query_row("PRAGMA foreign_keys", [], |row| row.get(0))?,
                damage: found.into_iter().filter(|line| line != "ok").collect(),
            })
        };
        Ok(examine()?)
    }
}
