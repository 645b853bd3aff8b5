//! What is done at the server: its people write, enrol, revoke, rule and sign; its store is backed up, restored, put back and lost.

use shared::id::*;
use shared::kind::plant::{
    BlockSet, ClassSet, DeviceEnrolled, DeviceRevoked, KeyStoreKind, Ruling, ServerRecovered, What, Whom,
};
use shared::kind::{Meaning, Role};
use shared::log::entry::Signing;
use shared::log::{Draft, Entry, Shelf, Stream, Subject};
use shared::sync::ServerShelf;
use shared::sync::server::NotWritten;
use shared::time::Timestamp;

use crate::disk::ServerDisk;
use crate::model::Medium;
use crate::mutant::Mutant;
use crate::world::{Crash, World, sure, text, transaction};

impl World {
    // ---- its people ----

    /// A write at the server; `None` when it is stopped or crashes first.
    pub fn server_write(&mut self, draft: &Draft, crash: Crash) -> Option<Entry> {
        let clock = self.clock();
        self.disk.entries.clock = clock;
        let (disk, server) = (&mut self.disk, &self.server);
        let written = transaction(disk, crash, |tx| sure(server.write(tx, &Stream::plant_global(), draft, clock)));
        self.look_at(Medium::Server);
        let entry = match written {
            Ok(entry) => entry,
            Err(NotWritten::Stopped) => return None,
            Err(why) => panic!("the simulator's drafts can be written: {why}"),
        };
        if crash != Crash::Before || self.mutant == Some(Mutant::AcknowledgesBeforeCommit) {
            self.acknowledge(Medium::Server, &entry);
        }
        (crash != Crash::Before).then_some(entry)
    }

    /// Something ordinary in master data.
    pub fn approve(&mut self, crash: Crash) -> Option<Entry> {
        let name = format!("class {}", self.rng.below(1000));
        let statement = self.statement(ClassSet { class: text("operators"), name });
        self.server_write(&Draft::new(Subject::new("class", "operators"), statement), crash)
    }

    /// A restriction.
    pub fn block(&mut self) -> Option<Entry> {
        let (person, block) = (text::<PersonId>("maria"), ActId(self.rng.bytes()));
        let subject = Subject::person(&person);
        let (whom, what) = (Whom::Person(person), What::Task(text("seal-pouch")));
        let statement = self.statement(BlockSet { block, whom, what, action: None, reason: "CAPA".into() });
        let crash = self.mishap();
        self.server_write(&Draft::new(subject, statement), crash)
    }

    pub fn enrol_device(&mut self, device: DeviceKey, name: &KioskName) -> Option<Entry> {
        let (site, key_store) = (self.site.clone(), KeyStoreKind::File);
        let body = DeviceEnrolled {
            device,
            name: name.clone(),
            site,
            work_units: vec![text("SEAL")],
            key_store,
            replaces: None,
        };
        let (statement, crash) = (self.statement(body), self.mishap());
        self.server_write(&Draft::new(Subject::new("device", device), statement), crash)
    }

    /// Revokes a device with the heads of what is held of it here.
    pub fn revoke_device(&mut self, device: DeviceKey) -> Option<Entry> {
        let mut heads = Vec::new();
        for log in sure(self.disk.logs()).into_iter().filter(|log| log.device == device) {
            heads.extend(sure(self.disk.tips(&log)).into_iter().map(|(_, id)| id));
        }
        let statement = self.statement(DeviceRevoked { device, reason: "lost".into(), heads, retired: None });
        let crash = self.mishap();
        self.server_write(&Draft::new(Subject::new("device", device), statement), crash)
    }

    /// Two people sign that the server was recovered.
    pub fn sign_recovery(&mut self) -> Option<Entry> {
        let epoch = sure(self.disk.epochs()).last().copied()?;
        let statement = self.statement(ServerRecovered { epoch, reason: "list was looked at".into() });
        let mut draft = Draft::new(Subject::new("server", self.secret.key()), statement);
        for (index, secret) in self.quality.clone().iter().enumerate() {
            let signer: PersonId = text(&format!("quality-{index}"));
            let printed_name = signer.to_string();
            let (role, meaning, signed_at) = (Role::Quality, Meaning::Ruled, Timestamp(self.now_ms));
            let signing = Signing { signer, printed_name, role, meaning, signed_at, shown: None, credential: None };
            draft = draft.signed_by(signing, secret);
        }
        self.say("recovery signed");
        let crash = self.mishap();
        let entry = self.server_write(&draft, crash);
        self.recoveries.extend(entry.iter().map(Entry::id));
        entry
    }

    /// QA accepts everything that forks have set aside.
    pub fn rule_on_forks(&mut self) {
        let aside: Vec<EntryId> = {
            let entries = &self.disk.entries;
            entries.all().filter(|entry| !entries.is_effective(entry)).map(Entry::id).collect()
        };
        for entries in aside.chunks(200).map(<[EntryId]>::to_vec) {
            let statement = self.statement(Ruling { entries, accepted: true, reason: "seen on video".into() });
            let crash = self.mishap();
            self.server_write(&Draft::new(Subject::new("site", "SITE1"), statement), crash);
        }
    }

    // ---- its store ----

    fn fresh_epoch(&mut self) -> Incarnation {
        if self.mutant == Some(Mutant::EpochPlusOne) {
            let mut number = [0; 16];
            number[15] = sure(self.disk.epochs()).len() as u8 + 1;
            return Incarnation(number);
        }
        self.rng.incarnation()
    }

    pub fn open_epoch(&mut self, reason: &str) {
        let crash = self.mishap();
        if let (Crash::Before, Some(chance)) = (crash, &mut self.mishaps) {
            // Whoever installs or restores tries again; the epoch that nobody got to see was another.
            let gone = chance.incarnation();
            drop(self.try_epoch(gone, reason, Crash::Before));
        }
        let epoch = self.fresh_epoch();
        let opened = self.try_epoch(epoch, reason, Crash::No);
        if let (Ok(entry), false) = (opened, crash == Crash::After) {
            self.acknowledge(Medium::Server, &entry);
        }
    }

    fn try_epoch(&mut self, epoch: Incarnation, reason: &str, crash: Crash) -> Result<Entry, NotWritten> {
        let clock = self.clock();
        self.disk.entries.clock = clock;
        let server = &self.server;
        let opened = transaction(&mut self.disk, crash, |tx| sure(server.open_epoch(tx, epoch, reason, clock)));
        self.look_at(Medium::Server);
        opened
    }

    pub fn back_up_server(&mut self) {
        self.server_backups.push(self.disk.clone());
        self.model.back_up(Medium::Server);
    }

    /// `restore`: the backup's path, and a new epoch behind it.
    pub fn restore_server(&mut self, backup: usize) {
        self.put_disk_back(backup);
        self.open_epoch("restored");
    }

    /// A snapshot put back behind the server's back.
    pub fn put_server_back(&mut self, backup: usize) {
        self.put_disk_back(backup);
        let epochs = sure(self.disk.epochs());
        self.put_back.extend(epochs.last().copied());
        self.model.epochs_ended(epochs);
    }

    fn put_disk_back(&mut self, backup: usize) {
        let before = sure(self.disk.epochs());
        self.disk = self.server_backups[backup].clone();
        let after = sure(self.disk.epochs());
        self.model.put_back(Medium::Server, backup);
        self.model.epochs_ended(before.into_iter().filter(|epoch| !after.contains(epoch)));
        self.server_restores += 1;
    }

    /// Database and backups lost; the key was in escrow.
    pub fn lose_server(&mut self) {
        self.model.epochs_ended(sure(self.disk.epochs()));
        self.disk = ServerDisk::new(self.empty_entries());
        self.server_backups.clear();
        self.model.destroy(Medium::Server);
        self.model.place(Medium::Server);
        self.server_restores += 1;
        self.open_epoch("restored without a backup");
    }
}
