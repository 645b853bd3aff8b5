//! Held entries in memory: what both stores share. A clone is a backup; a transaction works on a clone and replaces the original.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::convert::Infallible;
use std::hash::{BuildHasherDefault, Hasher};

use shared::id::{DeviceKey, EntryId, PersonKey};
use shared::kind::plant::DeviceEnrolled;
use shared::kind::{Body, Family};
use shared::log::standing::{Branches, Fork, Revocation, Standing, standing};
use shared::log::{Entry, Held, LogId, Place, Shelf, Stream};
use shared::sync::scope;
use shared::time::{ClockReading, HybridTime, Timestamp};

use crate::mutant::Mutant;

/// Entries and what is derived from them.
#[derive(Debug, Clone)]
pub struct Entries {
    pub server: DeviceKey,
    /// The people who may sign a recovery.
    pub quality: Vec<PersonKey>,
    pub mutant: Option<Mutant>,
    kept: Kept,
    logs: BTreeMap<LogId, OneLog>,
    enrolled: BTreeMap<DeviceKey, DeviceEnrolled>,
    /// Which enrolments give a device a stream.
    given: BTreeMap<DeviceKey, BTreeMap<Stream, Vec<EntryId>>>,
    revoked: BTreeMap<DeviceKey, Vec<(Revocation, String)>>,
    rulings: BTreeMap<EntryId, Vec<(EntryId, bool)>>,
    recoveries: Vec<EntryId>,
    forks: BTreeSet<(Fork, Option<EntryId>)>,
    pub hybrid: HybridTime,
    /// The time of the transaction under way, as its replica tells it.
    pub clock: ClockReading,
}

/// Something for each entry. It is looked up in, never gone through in an order that matters.
pub type ById<T> = HashMap<EntryId, T, BuildHasherDefault<FirstBytes>>;
/// Some entries, to be looked up in.
pub type Ids = HashSet<EntryId, BuildHasherDefault<FirstBytes>>;

/// An id is a hash already: its first bytes will do.
#[derive(Debug, Clone, Default)]
pub struct FirstBytes(u64);

impl Hasher for FirstBytes {
    fn write(&mut self, bytes: &[u8]) {
        self.0 ^= bytes.first_chunk().map_or(0, |first| u64::from_le_bytes(*first));
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// The entries in the order of their arrival, and where each stands: they are looked up far more often than gone through.
#[derive(Debug, Clone, Default)]
struct Kept {
    arrived: Vec<Entry>,
    places: ById<usize>,
}

impl Kept {
    fn get(&self, id: &EntryId) -> Option<&Entry> {
        self.places.get(id).map(|place| &self.arrived[*place])
    }

    fn push(&mut self, entry: &Entry) {
        self.places.insert(entry.id(), self.arrived.len());
        self.arrived.push(entry.clone());
    }
}

#[derive(Debug, Clone, Default)]
struct OneLog {
    at: BTreeMap<u64, Vec<EntryId>>,
    tips: BTreeSet<(u64, EntryId)>,
}

impl Entries {
    pub fn new(server: DeviceKey, quality: Vec<PersonKey>, mutant: Option<Mutant>) -> Self {
        Self {
            server,
            quality,
            mutant,
            kept: Kept::default(),
            logs: BTreeMap::new(),
            enrolled: BTreeMap::new(),
            given: BTreeMap::new(),
            revoked: BTreeMap::new(),
            rulings: BTreeMap::new(),
            recoveries: Vec::new(),
            forks: BTreeSet::new(),
            hybrid: HybridTime::default(),
            clock: ClockReading::exact(Timestamp(0)),
        }
    }

    pub fn all(&self) -> impl Iterator<Item = &Entry> {
        self.kept.arrived.iter()
    }

    /// The entries that came after so many.
    pub fn after(&self, many: usize) -> &[Entry] {
        self.kept.arrived.get(many..).unwrap_or_default()
    }

    pub fn holds(&self, id: &EntryId) -> bool {
        self.kept.places.contains_key(id)
    }

    pub fn get(&self, id: &EntryId) -> Option<&Entry> {
        self.kept.get(id)
    }

    pub fn len(&self) -> usize {
        self.kept.arrived.len()
    }

    pub fn is_empty(&self) -> bool {
        self.kept.arrived.is_empty()
    }

    pub fn enrolment(&self, device: &DeviceKey) -> Option<&DeviceEnrolled> {
        self.enrolled.get(device)
    }

    pub fn revocation_reason(&self, device: &DeviceKey) -> Option<String> {
        self.revoked.get(device).and_then(|all| all.first()).map(|(_, reason)| reason.clone())
    }

    pub fn recovery_entries(&self) -> Vec<Entry> {
        self.recoveries.iter().filter_map(|id| self.get(id)).cloned().collect()
    }

    pub fn may_recover(&self, entry: &Entry) -> bool {
        entry.blocks().iter().all(|block| self.quality.contains(&block.key))
    }

    /// The alarms.
    pub fn alarms(&self) -> &BTreeSet<(Fork, Option<EntryId>)> {
        &self.forks
    }

    pub fn raise(&mut self, fork: &Fork, by: Option<EntryId>) {
        self.forks.insert((fork.clone(), by));
    }

    /// Whether the entry has effect, as far as logs and devices go.
    pub fn is_effective(&self, entry: &Entry) -> bool {
        if self.mutant == Some(Mutant::VerdictByArrival) {
            return self.first_at_its_counter(entry);
        }
        Judge { entries: self, asked: Vec::new() }.standing(entry) == Standing::Sound
    }

    /// Whether an entry would have no effect, were it held: something is there already, or its device is revoked.
    fn counts_for_nothing(&self, entry: &Entry) -> bool {
        let here = self.at(entry.log(), entry.header().counter).unwrap_or_default();
        !here.is_empty() || self.revoked.contains_key(&entry.log().device)
    }

    /// Whether the log's device wrote to its stream at the counter, in whatever incarnation.
    fn has_at(&self, log: &LogId, counter: u64) -> bool {
        let mut same = self.logs.iter().filter(|(other, _)| (other.device, &other.stream) == (log.device, &log.stream));
        same.any(|(_, one)| one.at.contains_key(&counter))
    }

    fn first_at_its_counter(&self, entry: &Entry) -> bool {
        let here = self.at(entry.log(), entry.header().counter).unwrap_or_default();
        here.into_iter().min_by_key(|id| self.kept.places.get(id)) == Some(entry.id())
    }

    fn note(&mut self, entry: &Entry) {
        if entry.family() != Family::Plant {
            return;
        }
        let Ok(Some(statement)) = entry.statement() else { return };
        match statement.body {
            Body::DeviceEnrolled(body) => {
                let given = self.given.entry(body.device).or_default();
                scope::given_by(&body).for_each(|stream| given.entry(stream).or_default().push(entry.id()));
                self.enrolled.insert(body.device, body);
            }
            Body::DeviceRevoked(body) => {
                let revocation = Revocation { entry: entry.id(), heads: body.heads };
                self.revoked.entry(body.device).or_default().push((revocation, body.reason));
            }
            Body::Ruling(body) => {
                for id in body.entries {
                    self.rulings.entry(id).or_default().push((entry.id(), body.accepted));
                }
            }
            Body::ServerRecovered(_) => self.recoveries.push(entry.id()),
            _ => {}
        }
    }
}

impl Shelf for Entries {
    type Error = Infallible;

    fn place(&self, id: &EntryId) -> Result<Option<Place>, Infallible> {
        Ok(self.get(id).map(|entry| {
            let header = entry.header();
            Place { log: header.log.clone(), counter: header.counter, prev: header.prev }
        }))
    }

    fn entry(&self, id: &EntryId) -> Result<Option<Entry>, Infallible> {
        Ok(self.get(id).cloned())
    }

    fn logs(&self) -> Result<Vec<LogId>, Infallible> {
        Ok(self.logs.keys().cloned().collect())
    }

    fn tips(&self, log: &LogId) -> Result<Vec<(u64, EntryId)>, Infallible> {
        Ok(self.logs.get(log).map(|one| one.tips.iter().copied().collect()).unwrap_or_default())
    }

    fn at(&self, log: &LogId, counter: u64) -> Result<Vec<EntryId>, Infallible> {
        Ok(self.logs.get(log).and_then(|one| one.at.get(&counter)).cloned().unwrap_or_default())
    }

    fn may_write(&self, device: &DeviceKey, stream: &Stream) -> Result<bool, Infallible> {
        if *device == self.server {
            return Ok(true);
        }
        let Some(given) = self.given.get(device) else { return Ok(false) };
        let enrolments = match given.get(stream) {
            Some(enrolments) => enrolments,
            None if self.mutant == Some(Mutant::HoldsAnyStream) => return Ok(true),
            None => return Ok(false),
        };
        if self.mutant == Some(Mutant::HoldsByVerdict) {
            return Ok(enrolments.iter().filter_map(|id| self.get(id)).any(|entry| self.is_effective(entry)));
        }
        Ok(true)
    }

    fn is_server(&self, device: &DeviceKey) -> Result<bool, Infallible> {
        Ok(*device == self.server)
    }

    fn put(&mut self, held: &Held) -> Result<(), Infallible> {
        let entry = held.entry();
        if self.mutant == Some(Mutant::HoldsOnlyWhatCounts) && self.counts_for_nothing(entry) {
            return Ok(());
        }
        if self.mutant == Some(Mutant::IdentityByCounter) && self.has_at(entry.log(), entry.header().counter) {
            return Ok(());
        }
        let header = entry.header();
        let one = self.logs.entry(header.log.clone()).or_default();
        let here = one.at.entry(header.counter).or_default();
        if self.mutant == Some(Mutant::DropsOnClash) && !here.is_empty() || here.contains(&entry.id()) {
            return Ok(());
        }
        here.push(entry.id());
        if let Some(prev) = header.prev {
            one.tips.remove(&(header.counter - 1, prev));
        }
        let is_previous = |id: &EntryId| self.kept.get(id).is_some_and(|next| next.header().prev == Some(entry.id()));
        if !one.at.get(&(header.counter + 1)).is_some_and(|next| next.iter().any(is_previous)) {
            one.tips.insert((header.counter, entry.id()));
        }
        self.kept.push(entry);
        self.hybrid = self.hybrid.meet(header.hybrid, self.clock);
        self.note(entry);
        Ok(())
    }
}

/// Asks for standings with rulings judged by the same rules: a ruling that is itself set aside counts for nothing.
struct Judge<'a> {
    entries: &'a Entries,
    asked: Vec<EntryId>,
}

impl Judge<'_> {
    fn standing(&self, entry: &Entry) -> Standing {
        let Ok(standing) = standing(entry, self);
        standing
    }
}

impl Branches for Judge<'_> {
    fn forks(&self, log: &LogId) -> Result<Vec<Fork>, Infallible> {
        let of_log = self.entries.forks.iter().map(|(fork, _)| fork).filter(|fork| fork.log == *log);
        Ok(of_log.cloned().collect())
    }

    fn revocations(&self, device: &DeviceKey) -> Result<Vec<Revocation>, Infallible> {
        let all = self.entries.revoked.get(device);
        Ok(all.map(|all| all.iter().map(|(revocation, _)| revocation.clone()).collect()).unwrap_or_default())
    }

    fn ruling(&self, id: &EntryId) -> Result<Option<bool>, Infallible> {
        let Some(rulings) = self.entries.rulings.get(id) else { return Ok(None) };
        if self.entries.mutant == Some(Mutant::IgnoresRulings) {
            return Ok(None);
        }
        let mut counted = None;
        for (ruling, accepted) in rulings.iter().filter(|(ruling, _)| !self.asked.contains(ruling)) {
            let Some(entry) = self.entries.get(ruling) else { continue };
            let mut asked = self.asked.clone();
            asked.push(*ruling);
            if (Judge { entries: self.entries, asked }).standing(entry) == Standing::Sound {
                counted = Some(counted.unwrap_or(true) && *accepted);
            }
        }
        Ok(counted)
    }
}

impl Shelf for Judge<'_> {
    type Error = Infallible;

    fn place(&self, id: &EntryId) -> Result<Option<Place>, Infallible> {
        self.entries.place(id)
    }
    fn entry(&self, id: &EntryId) -> Result<Option<Entry>, Infallible> {
        self.entries.entry(id)
    }
    fn logs(&self) -> Result<Vec<LogId>, Infallible> {
        self.entries.logs()
    }
    fn tips(&self, log: &LogId) -> Result<Vec<(u64, EntryId)>, Infallible> {
        self.entries.tips(log)
    }
    fn at(&self, log: &LogId, counter: u64) -> Result<Vec<EntryId>, Infallible> {
        self.entries.at(log, counter)
    }
    fn may_write(&self, device: &DeviceKey, stream: &Stream) -> Result<bool, Infallible> {
        self.entries.may_write(device, stream)
    }
    fn is_server(&self, device: &DeviceKey) -> Result<bool, Infallible> {
        self.entries.is_server(device)
    }
    fn put(&mut self, _: &Held) -> Result<(), Infallible> {
        Ok(())
    }
}
