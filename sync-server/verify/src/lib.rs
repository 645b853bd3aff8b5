//! Checks an evidence bundle: every hash, every signature, every chain, from the server's public key up, without a server and without a database.
//!
//! What it says: these entries are whole, in their places, and by whom they claim to be. What it doesn't: whether a signer had the right to sign,
//! and what follows from the entries. That is a judgement over the plant's rules, which the server makes and anybody can make again.
#![forbid(unsafe_code)]

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufRead};

use serde::Serialize;
use shared::id::*;
use shared::kind::Body;
use shared::log::evidence_bundle::{BadLine, Line, MAX_LINE_BYTES, Manifest, Number, read_line};
use shared::log::{Entry, LogId};
use shared::sync::order::{chain_next, chain_start};
use shared::time::Timestamp;

/// What was found.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// The key everything was traced to.
    pub server: Option<DeviceKey>,
    /// Whether that key was given, or is only what the bundle says.
    pub root_given: bool,
    pub made_at: Option<Timestamp>,
    pub entries: u64,
    /// Signatures of devices and of people that are good.
    pub signatures: u64,
    pub logs: u64,
    /// Places where a log divides. Both branches are evidence; what follows has no effect until it is ruled on.
    pub forks: u64,
    pub devices: u64,
    /// People whose keys were set up.
    pub people: u64,
    /// "Data complete through", as the server signed it.
    pub complete_through: Option<Timestamp>,
    pub unknown: Vec<KioskName>,
    #[serde(skip)]
    pub findings: Vec<Finding>,
    /// The ids of all good entries.
    #[serde(skip)]
    pub held: BTreeSet<EntryId>,
}

/// One thing that isn't as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The line of the file; 0 when it concerns the whole.
    pub line: u64,
    /// The entry, log or order.
    pub what: String,
    pub problem: String,
}

impl Report {
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }
}

/// Reads a bundle to its end. `root` is the public key of the server it is to come from.
pub fn verify(mut bundle: impl BufRead, root: Option<DeviceKey>) -> io::Result<Report> {
    let mut look = Look::default();
    look.report.root_given = root.is_some();
    let mut text = String::new();
    for line in 1.. {
        text.clear();
        let read = io::Read::take(&mut bundle, MAX_LINE_BYTES as u64).read_line(&mut text);
        match read {
            Ok(0) => break,
            Ok(_) => {}
            // A byte that is no text is a finding, not a failure to read.
            Err(why) if why.kind() == io::ErrorKind::InvalidData => {
                look.find(line, "the line", "it is no text: a byte of it was altered");
                continue;
            }
            Err(why) => return Err(why),
        }
        match text.strip_suffix('\n') {
            Some(whole) => look.line(line, whole),
            None => look.find(line, "the line", "it was cut short"),
        }
    }
    Ok(look.finish(root))
}

/// A good entry's place.
struct Held {
    line: u64,
    log: LogId,
    counter: u64,
    prev: Option<EntryId>,
}

/// A person's key, and who verified them.
struct SetUp {
    person: PersonId,
    line: u64,
    entry: EntryId,
    verifiers: Vec<PersonKey>,
    /// Where.
    device: DeviceKey,
}

#[derive(Default)]
struct Look {
    report: Report,
    manifest: Option<Manifest>,
    held: BTreeMap<EntryId, Held>,
    orders: BTreeMap<(String, Incarnation), BTreeMap<u64, (EntryId, u64)>>,
    /// Devices, each with a device that enrolled it.
    enrolled: BTreeSet<(DeviceKey, DeviceKey)>,
    /// Each key's set-ups, all of one person: the same act may have been written in several places, and not everywhere with whoever verified it.
    keys: BTreeMap<PersonKey, Vec<SetUp>>,
    /// Keys that signed, each with its signer and where it was first seen.
    signed: BTreeMap<(PersonKey, PersonId), (u64, EntryId)>,
}

impl Look {
    fn find(&mut self, line: u64, what: impl ToString, problem: impl ToString) {
        self.report.findings.push(Finding { line, what: what.to_string(), problem: problem.to_string() });
    }

    fn line(&mut self, line: u64, text: &str) {
        match read_line(text) {
            Ok(Line::Manifest(manifest)) if line == 1 => self.manifest = Some(*manifest),
            Ok(Line::Manifest(_)) => self.find(line, "the manifest", "it stands in another place than the first"),
            Ok(Line::Entry { unverified, order }) => {
                let id = unverified.peek().id();
                match unverified.signed() {
                    Some(entry) => self.entry(line, &entry, &order),
                    None => self.find(line, id, "the device's signature is not good"),
                }
            }
            Err(BadLine::Altered(named)) => {
                self.find(line, named, "its bytes were altered: they don't have its hash");
            }
            Err(BadLine::Entry(named, why)) => self.find(line, named, format!("it can't be read: {why}")),
            Err(why) => self.find(line, if line == 1 { "the manifest" } else { "the line" }, why),
        }
    }

    fn entry(&mut self, line: u64, entry: &Entry, order: &[Number]) {
        let (id, header) = (entry.id(), entry.header());
        let held = Held { line, log: header.log.clone(), counter: header.counter, prev: header.prev };
        if let Some(before) = self.held.insert(id, held) {
            return self.find(line, id, format!("it stands in line {}, too", before.line));
        }
        self.report.signatures += 1;
        for number in order {
            let key = (header.log.stream.to_string(), number.epoch);
            let taken = self.orders.entry(key).or_default().insert(number.number, (id, line));
            if taken.is_some() {
                self.find(line, id, format!("another entry has its number {} in the order", number.number));
            }
        }
        if entry.blocks_verify() {
            self.report.signatures += entry.blocks().len() as u64;
        } else {
            self.find(line, id, "a person's signature on it is not good");
        }
        for block in entry.blocks() {
            self.signed.entry((block.key, block.signer.clone())).or_insert((line, id));
        }
        self.learn(line, entry);
    }

    /// Takes in who is enrolled and whose key it is.
    fn learn(&mut self, line: u64, entry: &Entry) {
        let statement = match entry.statement() {
            Ok(Some(statement)) => statement,
            // A kind of another version: its signatures were looked at all the same.
            Ok(None) => return,
            Err(why) => return self.find(line, entry.id(), why),
        };
        match statement.body {
            Body::DeviceEnrolled(body) => {
                self.enrolled.insert((body.device, entry.log().device));
            }
            Body::SigningSetUp(body) => {
                let Some(person) = entry.subject().as_person() else { return };
                let own = entry.blocks().iter().any(|block| block.key == body.key && block.signer == person);
                if !own {
                    return self.find(line, entry.id(), format!("{person} did not sign with the key it sets up"));
                }
                let verifiers = entry.blocks().iter().map(|block| block.key).filter(|key| *key != body.key).collect();
                let device = entry.log().device;
                let set_up = SetUp { person: person.clone(), line, entry: entry.id(), verifiers, device };
                let before = self.keys.entry(body.key).or_default();
                match before.first() {
                    Some(first) if first.person != person => {
                        self.find(line, entry.id(), "its key is another person's, too");
                    }
                    _ => before.push(set_up),
                }
            }
            _ => {}
        }
    }

    fn finish(mut self, root: Option<DeviceKey>) -> Report {
        let Some(manifest) = self.manifest.take() else {
            self.find(1, "the manifest", "there is none that is good: nothing says what should be in the file");
            return self.close(root);
        };
        let server = root.unwrap_or(manifest.server);
        if manifest.server != server {
            self.find(
                1,
                "the manifest",
                format!("it is signed by {}, not by the server that was named", manifest.server),
            );
        }
        self.look_at_chains(&manifest);
        self.look_at_orders(&manifest);
        self.look_at_devices(&server);
        self.look_at_people(&server);
        self.report.made_at = Some(manifest.made_at);
        self.report.complete_through = manifest.complete_through;
        self.report.unknown = manifest.unknown;
        self.close(Some(server))
    }

    fn close(mut self, server: Option<DeviceKey>) -> Report {
        self.report.server = server;
        self.report.entries = self.held.len() as u64;
        self.report.logs = self.held.values().map(|held| &held.log).collect::<BTreeSet<_>>().len() as u64;
        self.report.devices = self.enrolled.iter().map(|(device, _)| device).collect::<BTreeSet<_>>().len() as u64;
        self.report.people =
            self.keys.values().flatten().map(|set_up| &set_up.person).collect::<BTreeSet<_>>().len() as u64;
        self.report.held = self.held.into_keys().collect();
        self.report.findings.sort_by_key(|finding| finding.line);
        self.report
    }

    /// Every entry's predecessor is here and in its place; every log ends where the manifest says.
    fn look_at_chains(&mut self, manifest: &Manifest) {
        let mut successors: BTreeMap<(LogId, Option<EntryId>), u64> = BTreeMap::new();
        let mut problems = Vec::new();
        for (id, held) in &self.held {
            *successors.entry((held.log.clone(), held.prev)).or_default() += 1;
            let Some(prev) = held.prev else { continue };
            match self.held.get(&prev) {
                None => problems.push((held.line, id.to_string(), format!("the entry before it is missing: {prev}"))),
                Some(before) if before.log != held.log || before.counter + 1 != held.counter => {
                    problems.push((held.line, id.to_string(), "the entry before it stands elsewhere".to_owned()));
                }
                Some(_) => {}
            }
        }
        self.report.forks = successors.values().filter(|count| **count > 1).count() as u64;
        let tips: BTreeSet<(String, u64, EntryId)> = self
            .held
            .iter()
            .filter(|(id, held)| !successors.contains_key(&(held.log.clone(), Some(**id))))
            .map(|(id, held)| (held.log.to_string(), held.counter, *id))
            .collect();
        let told: BTreeSet<(String, u64, EntryId)> =
            manifest.tips.iter().map(|tip| (tip.log.clone(), tip.counter, tip.entry)).collect();
        for (log, counter, entry) in told.difference(&tips) {
            if !self.held.contains_key(entry) {
                problems.push((0, entry.to_string(), format!("it is missing: entry {counter}, the last of {log}")));
            }
        }
        for (log, counter, entry) in tips.difference(&told) {
            let line = self.held.get(entry).map_or(0, |held| held.line);
            let is_cut = told.iter().any(|(name, last, _)| name == log && last > counter);
            let problem = if is_cut {
                format!("what followed it in {log} is missing")
            } else {
                format!("it is not what the server said: {log} does not end with it")
            };
            problems.push((line, entry.to_string(), problem));
        }
        if self.held.len() as u64 != manifest.entries {
            let problem =
                format!("{} good entries are in it, the server signed for {}", self.held.len(), manifest.entries);
            problems.push((0, "the bundle".to_owned(), problem));
        }
        problems.into_iter().for_each(|(line, what, problem)| self.find(line, what, problem));
    }

    /// The numbers of each order run without gaps, and its chain ends as the server signed it.
    fn look_at_orders(&mut self, manifest: &Manifest) {
        let mut told: BTreeMap<(String, Incarnation), (u64, Digest32)> =
            manifest.orders.iter().map(|end| ((end.stream.clone(), end.epoch), (end.number, end.chain))).collect();
        for ((name, epoch), numbers) in std::mem::take(&mut self.orders) {
            let what = format!("order of {name} in epoch {}", epoch.short());
            let Some(stream) = shared::log::Stream::parse(&name) else { continue };
            let Some((end, chain)) = told.remove(&(name, epoch)) else {
                for (number, (entry, line)) in numbers {
                    self.find(
                        line,
                        entry,
                        format!("it has number {number} in the {what}, for which the server did not sign"),
                    );
                }
                continue;
            };
            let mut reached = chain_start(&epoch, &stream);
            let mut next = 1;
            for (number, (entry, line)) in numbers {
                if number != next {
                    self.find(line, entry, format!("it has number {number} in the {what}, where {next} is missing"));
                }
                reached = chain_next(&reached, &entry);
                next = number + 1;
            }
            if next != end + 1 {
                self.find(0, &what, format!("it ends at {}, the server signed for {end}", next - 1));
            } else if reached != chain {
                self.find(0, &what, "its entries are not those, or not in the order, that the server signed for");
            }
        }
        for ((name, epoch), (end, _)) in told.into_iter().filter(|(_, (end, _))| *end > 0) {
            let problem = format!("all {end} entries of it are missing");
            self.find(0, format!("order of {name} in epoch {}", epoch.short()), problem);
        }
    }

    /// Every device was enrolled by the server, and only the server wrote what only a server writes.
    fn look_at_devices(&mut self, server: &DeviceKey) {
        let mut problems = Vec::new();
        let mut strangers = BTreeSet::new();
        for (id, held) in &self.held {
            let device = &held.log.device;
            if device == server {
                continue;
            }
            if held.log.stream.family.is_servers_only() {
                problems.push((held.line, id.to_string(), "only the server writes this, and it didn't".to_owned()));
            } else if !self.enrolled.contains(&(*device, *server)) && strangers.insert(*device) {
                problems.push((
                    held.line,
                    id.to_string(),
                    format!("nobody enrolled the device that wrote it, {device}"),
                ));
            }
        }
        problems.into_iter().for_each(|(line, what, problem)| self.find(line, what, problem));
    }

    /// The keys that somebody answers for: those that the server set up, whose operator answers for the first of all, and from there on those whose owners
    /// showed who they are to an owner of such a key. Keys that vouch for nobody but each other are nobody's.
    fn vouched_for(&self, server: &DeviceKey) -> BTreeSet<PersonKey> {
        let (mut vouched, mut next) = (BTreeSet::new(), Vec::new());
        let mut verified_by: BTreeMap<PersonKey, Vec<PersonKey>> = BTreeMap::new();
        for (key, set_up) in self.keys.iter().flat_map(|(key, set_ups)| set_ups.iter().map(move |set_up| (key, set_up)))
        {
            if set_up.device == *server {
                next.push(*key);
            }
            for verifier in &set_up.verifiers {
                verified_by.entry(*verifier).or_default().push(*key);
            }
        }
        while let Some(key) = next.pop() {
            if vouched.insert(key) {
                next.extend(verified_by.remove(&key).unwrap_or_default());
            }
        }
        vouched
    }

    /// Every key that signed was set up for its signer, and somebody answers for it.
    fn look_at_people(&mut self, server: &DeviceKey) {
        let vouched = self.vouched_for(server);
        let mut problems = Vec::new();
        for ((key, signer), (line, entry)) in &self.signed {
            let set_up = self.keys.get(key).and_then(|set_ups| set_ups.first());
            match set_up.filter(|_| vouched.contains(key)) {
                Some(set_up) if set_up.person == *signer => {}
                Some(_) => {
                    problems.push((*line, entry.to_string(), format!("{signer} signed with another person's key")))
                }
                None => problems.push((
                    *line,
                    entry.to_string(),
                    format!("nobody set up, or answers for, the key with which {signer} signed"),
                )),
            }
        }
        for set_up in self.keys.values().flatten() {
            if let Some(stranger) = set_up.verifiers.iter().find(|key| !vouched.contains(key)) {
                let problem =
                    format!("whoever verified {} has no key that is theirs: {}", set_up.person, stranger.short());
                problems.push((set_up.line, set_up.entry.to_string(), problem));
            }
        }
        problems.into_iter().for_each(|(line, what, problem)| self.find(line, what, problem));
    }
}
