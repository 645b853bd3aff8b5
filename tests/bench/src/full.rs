//! A plant of any size: a server with an imported folder, and a kiosk whose store is as full as after years of work.

use std::collections::BTreeMap;
use std::time::Instant;

use harness::{Plant, kiosk_signer, secret_of, signer};
use shared::id::*;
use shared::log::{Entry, Held, Shelf};
use shared::part11::boxes::{BoxRandom, SealedBox, Stretching, person_box_name};
use shared::part11::pepper::{Pepper, PepperEpoch};
use shared::part11::signature::PersonSecret;
use shared::time::{ClockReading, DAY_MS, Timestamp};
use sync_server::core::people::Signer as AtServer;

use crate::Trouble;
use crate::author::{Author, Duties, Signer};

pub const NOW: &str = "2026-03-02T08:00:00Z";
/// The kiosk under test, and the one in whose name others' work is written.
pub const HERE: &str = "K1";
pub const ELSEWHERE: &str = "K2";

#[derive(Debug, Clone, Copy)]
pub struct Size {
    pub people: usize,
    pub documents: usize,
    pub versions: usize,
    /// Rows of imported history.
    pub history: usize,
    pub seed: u64,
}

impl Size {
    /// Writes the folder: one site, so that everybody belongs to the kiosk.
    pub fn write(&self, folder: &std::path::Path) -> Result<(), Trouble> {
        let Self { people, documents, versions, history, seed } = *self;
        let size = oracle::Size { sites: 1, ..oracle::Size::large(people, documents, versions, history) };
        Ok(oracle::generate(folder, &size, seed)?)
    }
}

/// The plant under test.
pub struct FullPlant {
    pub plant: Plant,
    pub size: Size,
    pub now: Timestamp,
    /// Whom the plant knows as everything: quality, supervisor, assessor of all.
    pub lead: PersonId,
    /// The keys of the people whose lives were written.
    pub keys: BTreeMap<PersonId, PersonSecret>,
    /// Entries in the kiosk's store.
    pub entries: usize,
}

impl FullPlant {
    pub fn build(size: &Size) -> Result<Self, Trouble> {
        let folder = tempfile::tempdir()?;
        size.write(folder.path())?;
        eprintln!("importing a plant of {} people, {} documents …", size.people, size.documents);
        let began = Instant::now();
        let mut plant = Plant::from_folder(folder.path(), NOW);
        let lead = PersonId::new("P000001")?;
        plant.set_up_signing(&[lead.as_str()]);
        let units: Vec<String> = plant.server.plant().work_units.keys().take(4).map(ToString::to_string).collect();
        let units: Vec<&str> = units.iter().map(String::as_str).collect();
        plant.add_kiosk(HERE, &units);
        plant.add_kiosk(ELSEWHERE, &units);
        eprintln!("… and two kiosks enrolled, after {:.0} s", began.elapsed().as_secs_f64());
        let now = plant.clock.now();
        Ok(Self { plant, size: *size, now, lead, keys: BTreeMap::new(), entries: 0 })
    }

    /// The lead's key, as the lead's secret gives it.
    pub fn leads_key(&self) -> Result<PersonSecret, Trouble> {
        let AtServer { person, secret } = signer(self.lead.as_str());
        Ok(self.plant.server.unlock(&AtServer { person, secret })?)
    }

    /// An author in the other kiosk's name, writing as `incarnation`.
    pub fn author(&mut self, incarnation: Incarnation) -> Result<Author, Trouble> {
        let elsewhere = self.plant.kiosk(ELSEWHERE);
        let (Some(enrolled), Some(enrolment)) = (elsewhere.enrolled(), elsewhere.enrolment()) else {
            return Err("the other kiosk is not enrolled".into());
        };
        Ok(Author::new(enrolled.secret.clone(), incarnation, enrolment.site.clone(), enrolment.name.clone()))
    }

    /// People who are active now, without the lead.
    pub fn active_people(&mut self) -> Vec<PersonId> {
        let (plant, now, lead) = (self.plant.kiosk(HERE).plant().clone(), self.now, self.lead.clone());
        plant.people.keys().filter(|person| plant.is_active(person, now) && **person != lead).cloned().collect()
    }

    /// Fills the kiosk's store with other people's work until it holds `entries`: put as the kiosk puts what it receives, derived state
    /// following, without asking the processor for a million verifications.
    pub fn fill_kiosk(&mut self, entries: usize) -> Result<(), Trouble> {
        let plant = self.plant.kiosk(HERE).plant().clone();
        let enrolled = self.plant.kiosk(HERE).enrolled().ok_or("the kiosk is not enrolled")?;
        let pepper = enrolled.peppers.first().clone();
        let mut author = self.author(Incarnation([9; 16]))?;
        let (people, leads_key) = (self.active_people(), self.leads_key()?);
        let each = (entries / people.len().max(1)).max(2);
        let duties = duties(&plant, self.now);
        self.plant.stop(HERE);
        let mut ledger = kiosk::store::open(&self.plant.path(HERE).join("kiosk.sqlite"))?;
        let clock = ClockReading::exact(self.now);
        let began = Instant::now();
        for person in &people {
            let key = PersonSecret::from_seed(Digest32::of(person.as_str().as_bytes()).0);
            let (mine, lead) = (Signer { person, key: &key }, Signer { person: &self.lead, key: &leads_key });
            let sealed = sealed_box(person, &key, &pepper, self.keys.len() < WITH_BOX)?;
            let digest = sealed.as_ref().map_or(Digest32::of(b"no box"), SealedBox::digest);
            let mut life = vec![author.set_up(&mine, digest, &lead, self.now.plus_ms(-400 * DAY_MS))?];
            life.extend(author.life(&plant, &mine, &duties, self.now, each - 1)?);
            put(&mut ledger, clock, &life, sealed.map(|sealed| (person_box_name(person), sealed)))?;
            self.keys.insert(person.clone(), key);
            if self.keys.len().is_multiple_of(500) {
                let seconds = began.elapsed().as_secs_f64();
                eprintln!(
                    "… {} of {} people's years are in the kiosk's store, {seconds:.0} s",
                    self.keys.len(),
                    people.len()
                );
            }
        }
        self.entries =
            ledger.connection().query_row("SELECT count(*) FROM entry", [], |row| row.get::<_, i64>(0))? as usize;
        drop(ledger);
        let began = Instant::now();
        self.plant.start(HERE);
        // As the program does.
        self.plant.kiosk(HERE).ledger().lengthen_log()?;
        eprintln!("the kiosk starts with {} entries in {:.2} s", self.entries, began.elapsed().as_secs_f64());
        Ok(())
    }

    pub fn sized(&self) -> String {
        let Size { people, documents, versions, .. } = self.size;
        format!("{people} people, {documents} documents, {versions} versions, {} entries in the store", self.entries)
    }
}

/// So many people also have a box with their key, to sign at the kiosk with their secret.
const WITH_BOX: usize = 200;

fn sealed_box(
    person: &PersonId,
    key: &PersonSecret,
    pepper: &Pepper,
    wanted: bool,
) -> Result<Option<SealedBox>, Trouble> {
    if !wanted {
        return Ok(None);
    }
    let (random, secret) = (BoxRandom { salt: [1; 16], nonce: [2; 24] }, secret_of(person.as_str()));
    Ok(Some(SealedBox::of_person(person, key, &secret, (PepperEpoch::FIRST, pepper), Stretching::TESTS, random)?))
}

/// One durable step, as the kiosk takes what was verified before.
pub fn put(
    ledger: &mut store::Ledger,
    clock: ClockReading,
    entries: &[Entry],
    sealed: Option<(String, SealedBox)>,
) -> Result<(), Trouble> {
    kiosk::store::step(ledger, clock, |step| -> Result<(), store::StoreError> {
        for entry in entries {
            let entry =
                Entry::from_store(entry.bytes(), true).map_err(|why| store::StoreError::Damaged(why.to_string()))?;
            step.put(&Held::own(entry))?;
        }
        sealed.map_or(Ok(()), |(name, sealed)| step.step.put_box(&name, &sealed))
    })?;
    Ok(())
}

/// What is done at the kiosk's first work units and what that asks for, then requirements of all sorts.
pub fn duties(plant: &shared::plant::Plant, now: Timestamp) -> Duties<'_> {
    let units = plant.work_units.keys().take(4);
    let places: Vec<(TaskId, WorkUnitId)> =
        units.flat_map(|unit| plant.tasks_at(unit).map(|task| (task.task.clone(), unit.clone()))).collect();
    let governing = places.iter().filter_map(|(task, _)| plant.tasks.get(task)).flat_map(|task| &task.requirements);
    let mut requirements: Vec<_> = governing.filter_map(|requirement| plant.requirements.get(requirement)).collect();
    let in_force = |set: &&shared::kind::plant::RequirementSet| {
        matches!(plant.in_force(set, now), shared::plant::InForce::Version(_))
    };
    requirements.extend(plant.requirements.values().filter(in_force).step_by(50));
    Duties { requirements, places }
}

/// A person at the kiosk with their secret.
pub fn at_kiosk(person: &PersonId) -> kiosk::core::secret::Signer {
    kiosk_signer(person.as_str())
}
