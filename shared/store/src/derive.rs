//! Derived tables: what follows from the entries, brought up to date in the same transaction.
//!
//! What is learned touches a topic of somebody's record, or the whole of it: that much is judged anew. What a plant entry touches is
//! decided here by kind; `verify --rebuild` compares the result with a replay of everything.

use std::collections::{BTreeMap, BTreeSet, btree_map};
use std::sync::Arc;

use rusqlite::{Connection, Transaction, params};
use shared::id::*;
use shared::kind::plant::Activity;
use shared::kind::{Body, Family, to_cbor};
use shared::log::effect::Verdict;
use shared::log::standing::{self, Branches, Fork};
use shared::log::{Entry, LogId, Subject};
use shared::plant::{Plant, PlantFact};
use shared::record::judge::fold_sort;
use shared::record::{Evidence, Judgement, Knowledge, Standing, Topic, judge, judge_topic};
use shared::time::{ClockReading, Timestamp};

use crate::history;
use crate::ledger::{StoreError, World};
use crate::presence;
use crate::secrets;
use crate::shelf;
use crate::step::Step;
use crate::touched::{Extent, Subjects, Touched};

/// Forgets everything derived.
pub(crate) fn clear(connection: &Connection) -> Result<(), StoreError> {
    connection.execute_batch(
        "DELETE FROM person_key; DELETE FROM signed; DELETE FROM verdict; DELETE FROM evidence;
         DELETE FROM task_session; DELETE FROM secret_failure; DELETE FROM secret_forgiven; DELETE FROM secret_success;
         DELETE FROM history; DELETE FROM enrolled;",
    )?;
    Ok(())
}

/// The world as the tables say it, at start.
pub(crate) fn load_world(transaction: &Transaction<'_>) -> Result<World, StoreError> {
    let mut step = Step::new(transaction, World::default(), ClockReading::exact(Timestamp(0)));
    step.world.doubtful = is_doubtful(transaction)?;
    step.world.servers = Arc::new(servers(transaction)?);
    step.world.keys = Arc::new(keys(transaction)?);
    if let Some(bytes) = step.setting("hybrid")? {
        step.world.hybrid = minicbor::decode(&bytes).map_err(|_| StoreError::Damaged("the hybrid clock".into()))?;
    }
    fold_plant(&mut step, None)?;
    Ok(step.world)
}

/// Whether any log is forked or any device revoked, as the ground state says.
pub(crate) fn is_doubtful(connection: &Connection) -> Result<bool, StoreError> {
    let doubts = "SELECT EXISTS (SELECT 1 FROM fork) OR EXISTS (SELECT 1 FROM entry WHERE kind = 'device_revoked')
         OR EXISTS (SELECT 1 FROM history WHERE standing <> 0)";
    Ok(connection.query_row(doubts, [], |row| row.get(0))?)
}

fn servers(connection: &Connection) -> Result<BTreeSet<DeviceKey>, StoreError> {
    let mut statement = connection.prepare("SELECT device FROM server_key")?;
    let rows = statement.query_map([], |row| row.get(0).map(DeviceKey))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Logs of revoked devices of which an entry came that a revocation names as their last: what stands before it counts from here on.
fn logs_that_reach_a_last_head(step: &Step<'_>, put: &[Entry]) -> Result<BTreeSet<LogId>, StoreError> {
    let mut reached = BTreeSet::new();
    if !step.world.doubtful {
        return Ok(reached);
    }
    let mut last_heads: BTreeMap<DeviceKey, BTreeSet<EntryId>> = BTreeMap::new();
    for entry in put {
        let device = entry.log().device;
        if let btree_map::Entry::Vacant(unasked) = last_heads.entry(device) {
            unasked.insert(step.revocations(&device)?.into_iter().flat_map(|revocation| revocation.heads).collect());
        }
        if last_heads[&device].contains(&entry.id()) {
            reached.insert(entry.log().clone());
        }
    }
    Ok(reached)
}

fn keys(connection: &Connection) -> Result<BTreeMap<PersonKey, PersonId>, StoreError> {
    let mut statement = connection.prepare("SELECT key, person FROM person_key")?;
    let rows = statement.query_map([], |row| Ok((PersonKey(row.get(0)?), row.get::<_, String>(1)?)))?;
    rows.map(|row| {
        let (key, person) = row?;
        PersonId::new(&person).map(|person| (key, person)).map_err(|_| StoreError::Damaged("a key's person".into()))
    })
    .collect()
}

/// Lets derived state follow the entries put in a step.
pub(crate) fn follow(step: &mut Step<'_>, put: &[Entry], forked: &[Fork], all: bool) -> Result<(), StoreError> {
    if all {
        shelf::note_enrolments(step.connection())?;
        history::note_all(step.connection())?;
        step.world.doubtful = is_doubtful(step.connection())?;
    }
    let reached = logs_that_reach_a_last_head(step, put)?;
    let anew = all || !forked.is_empty() || !reached.is_empty();
    let plant_news: Vec<&Entry> = put.iter().filter(|entry| PlantFact::is_in(entry)).collect();
    if anew || !plant_news.is_empty() {
        fold_plant(step, (!anew).then_some(plant_news.as_slice()))?;
    }
    note_signers(step.connection(), put, all)?;
    let mut touched = if all { Touched::whole(every_person(step.connection())?) } else { touched(step, put, forked)? };
    for log in &reached {
        touched.extend(subjects_in_log(step.connection(), log, 0)?);
    }
    let described = put.iter().filter(|entry| entry.header().kind == "person_set");
    described.filter_map(|entry| entry.subject().as_person()).for_each(|person| step.note_followed(&person));
    judge_all(step, touched)?;
    presence::follow(step, put, forked, &reached, all)?;
    secrets::follow(step.connection(), put, all)
}

/// Judges what was touched, and the records of everybody whom a change of keys touches.
///
/// Keys rest on verifiers' keys. They are the least that follows from the entries: added, one after the other, until nothing changes;
/// when one falls away, all are found anew, so that nobody's key rests on itself. One that falls away then, too, rests on what it would undo, as
/// no honest one does: it is barred, so that this comes to an end.
fn judge_all(step: &mut Step<'_>, touched: Touched) -> Result<(), StoreError> {
    let mut barred = BTreeSet::new();
    let mut fallen = judge_touched(step, touched, &barred)?;
    while !fallen.is_empty() {
        step.connection.execute("DELETE FROM person_key", [])?;
        step.world.keys = Arc::default();
        fallen = judge_touched(step, Touched::whole(every_person(step.connection())?), &barred)?;
        barred.extend(fallen.iter().copied());
    }
    Ok(())
}

/// The keys that fell away, as soon as one does: what was judged by then is to be judged anew.
fn judge_touched(
    step: &mut Step<'_>,
    mut touched: Touched,
    barred: &BTreeSet<PersonKey>,
) -> Result<BTreeSet<PersonKey>, StoreError> {
    while let Some((subject, extent)) = touched.pop_first() {
        let Some(person) = subject.strip_prefix("person:").and_then(|id| PersonId::new(id).ok()) else { continue };
        step.world.judged += 1;
        step.note_followed(&person);
        let change = match extent {
            Extent::Topics(topics) => rejudge_topics(step, &person, &subject, &topics).map(|()| KeyChange::None),
            Extent::Whole => rejudge(step, &person, &subject, barred),
        };
        match change? {
            KeyChange::None => {}
            KeyChange::Added(holder) => touched.extend(signed_by(step.connection(), &holder)?),
            KeyChange::Removed(keys) => return Ok(keys),
        }
    }
    Ok(BTreeSet::new())
}

/// What judging a record did to its person's signing keys.
enum KeyChange {
    None,
    Added(PersonId),
    Removed(BTreeSet<PersonKey>),
}

/// Folds plant entries: the news on top when they come after everything folded, else all of them anew.
fn fold_plant(step: &mut Step<'_>, news: Option<&[&Entry]>) -> Result<(), StoreError> {
    if let Some(news) = news {
        let mut facts: Vec<PlantFact> = news.iter().filter_map(|entry| PlantFact::of(entry)).collect();
        facts.sort_by(|a, b| a.order.cmp(&b.order));
        let world = &mut step.world;
        let in_order = facts.first().is_none_or(|first| world.folded_to.as_ref() < Some(&first.order));
        if in_order && !world.doubtful {
            let plant = Arc::make_mut(&mut world.plant);
            facts.iter().for_each(|fact| plant.apply(fact));
            world.folded_to = facts.pop().map(|last| last.order).or(world.folded_to.take());
            return Ok(());
        }
    }
    let mut facts = Vec::new();
    let entries = plant_entries(step.connection())?;
    // Rulings first: whether an entry behind a fork counts depends on them.
    step.world.plant =
        Arc::new(Plant::fold(entries.iter().filter(|e| e.header().kind == "ruling").filter_map(PlantFact::of)));
    for entry in &entries {
        if standing(step, entry)? == Standing::Good {
            facts.extend(PlantFact::of(entry));
        }
    }
    step.world.folded_to = facts.iter().map(|fact| fact.order.clone()).max();
    step.world.plant = Arc::new(Plant::fold(facts));
    Ok(())
}

/// Every held entry that bears on the plant, unsorted.
pub fn plant_entries(connection: &Connection) -> Result<Vec<Entry>, StoreError> {
    let mut statement = connection.prepare(
        "SELECT e.bytes, e.blocks_good FROM entry e JOIN log l USING (log) WHERE l.stream >= 'plant/' AND l.stream < 'plant0'
         UNION ALL SELECT bytes, blocks_good FROM entry WHERE kind = 'badge_lost'
         UNION ALL SELECT bytes, blocks_good FROM history h WHERE kind = 'badge_lost'
             AND NOT EXISTS (SELECT 1 FROM entry e WHERE e.id = h.id) GROUP BY id",
    )?;
    let mut rows = statement.query([])?;
    let mut entries = Vec::new();
    while let Some(row) = rows.next()? {
        entries.push(shelf::read_entry(row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?, row.get(1)?)?);
    }
    Ok(entries)
}

fn note_signers(connection: &Connection, put: &[Entry], all: bool) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached("INSERT OR IGNORE INTO signed (signer, subject) VALUES (?1, ?2)")?;
    let mut note = |entry: &Entry| -> Result<(), StoreError> {
        if entry.family() == Family::Record {
            for block in entry.blocks() {
                statement.execute(params![block.signer.as_str(), entry.subject().as_str()])?;
            }
        }
        Ok(())
    };
    if all {
        for subject in every_person(connection)? {
            shelf::record_about(connection, &subject)?.iter().try_for_each(&mut note)?;
        }
    }
    put.iter().try_for_each(note)
}

fn every_person(connection: &Connection) -> Result<Subjects, StoreError> {
    let mut statement =
        connection.prepare("SELECT DISTINCT subject FROM entry WHERE subject >= 'person:' AND subject < 'person;'")?;
    let rows = statement.query_map([], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn signed_by(connection: &Connection, person: &PersonId) -> Result<Subjects, StoreError> {
    let mut statement = connection.prepare_cached("SELECT subject FROM signed WHERE signer = ?1")?;
    let rows = statement.query_map([person.as_str()], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// What of whose records the news touches.
fn touched(step: &Step<'_>, put: &[Entry], forked: &[Fork]) -> Result<Touched, StoreError> {
    let mut touched = Touched::default();
    for entry in put {
        if entry.family() == Family::Record {
            touched.add(entry.subject().as_str(), Topic::of(entry));
        }
        if PlantFact::is_in(entry) {
            touched.extend(touched_by_plant(step, entry)?);
        }
    }
    for fork in forked {
        // What the server said behind it may have been anybody's right.
        if fork.log.stream.family == Family::Plant {
            touched.extend(every_person(step.connection())?);
        }
        touched.extend(subjects_in_log(step.connection(), &fork.log, fork.counter)?);
    }
    Ok(touched)
}

fn touched_by_plant(step: &Step<'_>, entry: &Entry) -> Result<Subjects, StoreError> {
    let (connection, world) = (step.connection(), &step.world);
    let Some(statement) = entry.statement().ok().flatten() else { return Ok(Subjects::new()) };
    match statement.body {
        Body::AssessorSet(b) => signed_by(connection, &b.person),
        Body::RoleSet(b) => signed_by(connection, &b.person),
        Body::PersonSet(b) => signed_by(connection, &b.person),
        Body::KeyRevoked(b) => signed_by(connection, &b.person),
        Body::BadgeDisabled(b) => signed_by_owner(step, entry, &b.badge),
        Body::BadgeLost(b) => signed_by_owner(step, entry, &b.badge),
        // What a role of limited reach may do hangs on where a terminal stands and on whom it is done to.
        Body::DeviceEnrolled(b) => subjects_of_device(connection, &b.device),
        Body::WorkUnitSet(_) => every_person(connection),
        Body::MemberSet(b) => Ok(Subjects::from([Subject::person(&b.person).to_string()])),
        Body::ExemptionSet(b) => Ok(Subjects::from([Subject::person(&b.person).to_string()])),
        Body::Ruling(b) => {
            let places = b.entries.iter().map(|id| shelf::entry(connection, id));
            let entries: Vec<Entry> = places.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect();
            if entries.iter().any(|entry| entry.family() == Family::Plant) {
                return every_person(connection);
            }
            Ok(entries.into_iter().map(|e| e.subject().to_string()).collect())
        }
        Body::RequirementSet(b) => with_evidence(connection, &b.requirement),
        Body::QuizSet(b) => {
            let uses = |activity: &Activity| matches!(activity, Activity::Quiz(quiz) if *quiz == b.quiz);
            let requirements = world.plant.requirements.values().filter(|r| r.activities.iter().any(uses));
            union(requirements.map(|r| with_evidence(connection, &r.requirement)))
        }
        Body::VersionApproved(b) if !is_last(world, &b.document, &b.version) => {
            let requirements = world.plant.requirements_of.get(&b.document).into_iter().flatten();
            union(requirements.map(|requirement| with_evidence(connection, requirement)))
        }
        // What was signed for the version before it was known to be in force waits for it.
        Body::VersionApproved(_) | Body::VersionWithdrawn(_) => without_effect(connection),
        Body::DeviceRevoked(b) => {
            let mut subjects = subjects_of_device(connection, &b.device)?;
            for lost in plant_entries_of(connection, &b.device)? {
                subjects.extend(touched_by_plant(step, &lost)?);
            }
            Ok(subjects)
        }
        _ => Ok(Subjects::new()),
    }
}

/// Whom a lost badge's owner signed for: by it, the plant says who that is, whatever the report says.
fn signed_by_owner(step: &Step<'_>, report: &Entry, badge: &BadgeHash) -> Result<Subjects, StoreError> {
    let people = step.world.plant.people.iter();
    let holders = people.filter(|(_, set)| set.badge.as_ref() == Some(badge)).map(|(person, _)| person.clone());
    union(holders.chain(report.subject().as_person()).map(|owner| signed_by(step.connection(), &owner)))
}

/// What a terminal said that bears on the plant.
fn plant_entries_of(connection: &Connection, device: &DeviceKey) -> Result<Vec<Entry>, StoreError> {
    let mut entries = plant_entries(connection)?;
    entries.retain(|entry| entry.log().device == *device && entry.family() == Family::Record);
    Ok(entries)
}

fn without_effect(connection: &Connection) -> Result<Subjects, StoreError> {
    let mut statement = connection.prepare_cached("SELECT DISTINCT subject FROM verdict")?;
    let rows = statement.query_map([], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn is_last(world: &World, document: &DocumentId, version: &VersionId) -> bool {
    let versions = world.plant.documents.get(document).map(|d| &d.versions);
    versions.and_then(|v| v.last()).is_none_or(|last| last.id() == version)
}

fn union(mut sets: impl Iterator<Item = Result<Subjects, StoreError>>) -> Result<Subjects, StoreError> {
    sets.try_fold(Subjects::new(), |mut all, set| {
        all.extend(set?);
        Ok(all)
    })
}

fn with_evidence(connection: &Connection, requirement: &RequirementId) -> Result<Subjects, StoreError> {
    let mut statement = connection.prepare_cached("SELECT person FROM evidence WHERE requirement = ?1")?;
    let rows = statement.query_map([requirement.as_str()], |row| row.get::<_, String>(0))?;
    rows.map(|row| Ok(format!("person:{}", row?))).collect()
}

fn subjects_of_device(connection: &Connection, device: &DeviceKey) -> Result<Subjects, StoreError> {
    let logs = shelf::logs(connection)?.into_iter().filter(|log| log.device == *device);
    union(logs.map(|log| subjects_in_log(connection, &log, 0)))
}

fn subjects_in_log(connection: &Connection, log: &LogId, after: u64) -> Result<Subjects, StoreError> {
    let Some(number) = shelf::log_number(connection, log)? else { return Ok(Subjects::new()) };
    let mut statement =
        connection.prepare_cached("SELECT DISTINCT subject FROM entry WHERE log = ?1 AND counter > ?2")?;
    let rows = statement.query_map(params![number, after as i64], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Judges a person's record as a whole and writes what follows.
fn rejudge(
    step: &mut Step<'_>,
    person: &PersonId,
    subject: &str,
    barred: &BTreeSet<PersonKey>,
) -> Result<KeyChange, StoreError> {
    let connection = step.connection;
    let mut entries = shelf::record_about(connection, subject)?;
    fold_sort(&mut entries);
    let standings = standings(step, &entries)?;
    let mut judgement = with_knowledge(&step.world, &standings, |knowledge| judge(&entries, knowledge));
    let change = write_keys(connection, &mut step.world, person, (&entries, &judgement), barred)?;
    if matches!(change, KeyChange::Added(_)) {
        judgement = with_knowledge(&step.world, &standings, |knowledge| judge(&entries, knowledge));
    }
    write_verdicts(connection, subject, &judgement.verdicts)?;
    let mut gone = requirements_of(connection, person)?;
    for (requirement, rows) in &judgement.evidence {
        gone.remove(requirement.as_str());
        write_evidence(connection, person, requirement, rows)?;
    }
    gone.iter().try_for_each(|requirement| remove_evidence(connection, person, requirement))?;
    Ok(change)
}

/// Judges these topics of a person's record and writes what follows. Keys don't: they concern the person.
fn rejudge_topics(
    step: &mut Step<'_>,
    person: &PersonId,
    subject: &str,
    topics: &BTreeSet<Topic>,
) -> Result<(), StoreError> {
    let connection = step.connection;
    let about_person = shelf::record_on(connection, subject, &Topic::Person)?;
    for topic in topics {
        let mut entries = shelf::record_on(connection, subject, topic)?;
        entries.extend_from_slice(&about_person);
        fold_sort(&mut entries);
        let standings = standings(step, &entries)?;
        let Judgement { verdicts, evidence } =
            with_knowledge(&step.world, &standings, |knowledge| judge_topic(topic, &entries, knowledge));
        write_verdicts(connection, subject, &verdicts)?;
        match (topic, evidence.first_key_value()) {
            (_, Some((requirement, rows))) => write_evidence(connection, person, requirement, rows)?,
            (Topic::Requirement(requirement), None) => remove_evidence(connection, person, requirement.as_str())?,
            _ => {}
        }
    }
    Ok(())
}

fn with_knowledge<T>(
    world: &World,
    standings: &BTreeMap<EntryId, Standing>,
    judging: impl FnOnce(&Knowledge<'_>) -> T,
) -> T {
    judging(&Knowledge {
        plant: &world.plant,
        keys: &world.keys,
        servers: &|device| world.servers.contains(device),
        standing: &|entry| standings.get(&entry.id()).copied().unwrap_or(Standing::Good),
    })
}

fn standings(step: &Step<'_>, entries: &[Entry]) -> Result<BTreeMap<EntryId, Standing>, StoreError> {
    if !step.world.doubtful {
        return Ok(BTreeMap::new());
    }
    entries.iter().map(|entry| Ok((entry.id(), standing(step, entry)?))).collect()
}

/// What an entry's log says of it.
pub fn standing(step: &Step<'_>, entry: &Entry) -> Result<Standing, StoreError> {
    if !step.world.doubtful {
        return Ok(Standing::Good);
    }
    if let Some(said) = history::standing(step.connection(), &entry.id())? {
        return Ok(said);
    }
    Ok(match standing::standing(entry, step)? {
        standing::Standing::Sound => Standing::Good,
        standing::Standing::BehindFork(_) => Standing::BehindFork,
        standing::Standing::BeyondRevocation(_) => Standing::DeviceRevoked,
    })
}

fn write_keys(
    connection: &Connection,
    world: &mut World,
    person: &PersonId,
    (entries, judgement): (&[Entry], &Judgement),
    barred: &BTreeSet<PersonKey>,
) -> Result<KeyChange, StoreError> {
    let mut now: BTreeMap<PersonKey, (EntryId, Digest32)> = BTreeMap::new();
    for entry in entries {
        if entry.header().kind == "signing_set_up"
            && judgement.verdicts.get(&entry.id()).is_some_and(Verdict::is_effective)
            && let Some(Body::SigningSetUp(body)) = entry.statement().ok().flatten().map(|s| s.body)
        {
            // A key belongs to whoever set it up first; nobody else's set-up of it counts.
            let taken = world.keys.get(&body.key).is_some_and(|holder| holder != person);
            if !taken && !barred.contains(&body.key) {
                now.insert(body.key, (entry.id(), body.box_digest));
            }
        }
    }
    let before = keys_of(connection, person)?;
    if before == now {
        return Ok(KeyChange::None);
    }
    let fallen: BTreeSet<PersonKey> = before.keys().filter(|key| !now.contains_key(key)).copied().collect();
    if !fallen.is_empty() {
        return Ok(KeyChange::Removed(fallen));
    }
    connection.execute("DELETE FROM person_key WHERE person = ?1", [person.as_str()])?;
    let keys = Arc::make_mut(&mut world.keys);
    keys.retain(|_, holder| holder != person);
    let mut insert =
        connection.prepare_cached("INSERT INTO person_key (key, person, entry, box_digest) VALUES (?1, ?2, ?3, ?4)")?;
    for (key, (entry, box_digest)) in now {
        insert.execute(params![key.0, person.as_str(), entry.0, box_digest.0])?;
        keys.insert(key, person.clone());
    }
    Ok(KeyChange::Added(person.clone()))
}

/// A person's keys, with the entry that set each up and its box.
fn keys_of(connection: &Connection, person: &PersonId) -> Result<BTreeMap<PersonKey, (EntryId, Digest32)>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT key, entry, box_digest FROM person_key WHERE person = ?1")?;
    let rows = statement.query_map([person.as_str()], |row| {
        Ok((PersonKey(row.get(0)?), (EntryId(row.get(1)?), Digest32(row.get(2)?))))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Writes a requirement's rows where they differ: each page that is written is one that a person waits for.
fn write_evidence(
    connection: &Connection,
    person: &PersonId,
    requirement: &RequirementId,
    rows: &Vec<Evidence>,
) -> Result<(), StoreError> {
    let mut write = connection.prepare_cached(
        "INSERT INTO evidence (person, requirement, rows) VALUES (?1, ?2, ?3)
         ON CONFLICT (person, requirement) DO UPDATE SET rows = excluded.rows WHERE excluded.rows <> rows",
    )?;
    write.execute(params![person.as_str(), requirement.as_str(), to_cbor(rows)])?;
    Ok(())
}

fn remove_evidence(connection: &Connection, person: &PersonId, requirement: &str) -> Result<(), StoreError> {
    let mut remove = connection.prepare_cached("DELETE FROM evidence WHERE person = ?1 AND requirement = ?2")?;
    remove.execute(params![person.as_str(), requirement])?;
    Ok(())
}

fn requirements_of(connection: &Connection, person: &PersonId) -> Result<BTreeSet<String>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT requirement FROM evidence WHERE person = ?1")?;
    let rows = statement.query_map([person.as_str()], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Writes the verdicts that differ from what stands. Entries that count have no row.
fn write_verdicts(connection: &Connection, subject: &str, now: &BTreeMap<EntryId, Verdict>) -> Result<(), StoreError> {
    let stand = verdicts_about(connection, subject)?;
    let mut remove = connection.prepare_cached("DELETE FROM verdict WHERE id = ?1")?;
    let mut write = connection
        .prepare_cached("INSERT OR REPLACE INTO verdict (id, subject, on_hold, verdict) VALUES (?1, ?2, ?3, ?4)")?;
    for (id, verdict) in now {
        match stand.get(id) {
            Some(_) if verdict.is_effective() => drop(remove.execute([id.0])?),
            None if verdict.is_effective() => {}
            Some(bytes) if *bytes == to_cbor(verdict) => {}
            _ => drop(write.execute(params![id.0, subject, verdict.is_on_hold(), to_cbor(verdict)])?),
        }
    }
    Ok(())
}

fn verdicts_about(connection: &Connection, subject: &str) -> Result<BTreeMap<EntryId, Vec<u8>>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT id, verdict FROM verdict WHERE subject = ?1")?;
    let rows = statement.query_map([subject], |row| Ok((EntryId(row.get(0)?), row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
