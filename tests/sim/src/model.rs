//! The plain reference model: what is true of the plant, kept beside it in the simplest way there is, so that it can be reviewed by reading.
//!
//! It is told what arrives on which medium, what people were shown as recorded, and which medium was put back or destroyed; from that alone it says
//! what each medium must hold, where logs divide, which receipts stand, and what is physically lost. It asks no function of the product: of `shared`
//! it takes names and positions. [`crate::check`] tells it after each transaction and compares the disks with it; nothing here looks at a disk.

use std::collections::{BTreeMap, BTreeSet};

use shared::id::{EntryId, Incarnation};
use shared::log::standing::Fork;
use shared::log::{Entry, LogId, Stream};
use shared::sync::Step;
use shared::time::HybridTime;

use crate::shelf::{ById, Ids};

/// Where entries survive a power cut. Backups are no medium: what only they hold is gone until somebody restores them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Medium {
    Server,
    Kiosk(usize),
}

/// What one medium holds and shows.
#[derive(Debug, Clone, Default)]
pub struct Holdings {
    /// In the order of arrival.
    pub held: Vec<EntryId>,
    /// How many of them name an entry as the one before, or begin a log.
    successors: ById<usize>,
    beginnings: BTreeMap<LogId, usize>,
    /// Where more than one does.
    pub forks: BTreeSet<Fork>,
    /// What a kiosk shows as confirmed, by stream.
    pub receipts: BTreeMap<Stream, Vec<Step>>,
    /// The hybrid time of what was written here last.
    pub last_written: HybridTime,
}

impl Holdings {
    fn arrived(&mut self, entry: &Entry) {
        let header = entry.header();
        self.held.push(entry.id());
        let successors = match header.prev {
            Some(prev) => self.successors.entry(prev).or_default(),
            None => self.beginnings.entry(header.log.clone()).or_default(),
        };
        *successors += 1;
        if *successors == 2 {
            let (log, counter, last_common) = (header.log.clone(), header.counter - 1, header.prev);
            self.forks.insert(Fork { log, counter, last_common });
        }
    }
}

/// The account of a whole plant.
#[derive(Debug, Default)]
pub struct Model {
    media: BTreeMap<Medium, Holdings>,
    backups: BTreeMap<Medium, Vec<Holdings>>,
    /// Shown to a person as recorded.
    pub acknowledged: BTreeSet<EntryId>,
    /// What was acknowledged, and then went with a medium that was put back or destroyed.
    destroyed: BTreeSet<EntryId>,
    /// What went with the server's disk, acknowledged or not: receipts for it may be taken back.
    gone_from_server: Ids,
    /// Epochs whose order counts no more, for the server was put back to before them, or numbers everything anew because it was put back behind its
    /// own back: receipts by them may be taken back.
    ended_epochs: BTreeSet<Incarnation>,
    /// Each entry as it was first seen anywhere.
    seen: ById<Entry>,
}

impl Model {
    // ---- media come and go ----

    /// A medium with nothing on it.
    pub fn place(&mut self, medium: Medium) {
        self.media.insert(medium, Holdings::default());
    }

    pub fn copy(&mut self, from: Medium, to: Medium) {
        let copied = self.at(from).cloned().unwrap_or_default();
        self.media.insert(to, copied);
    }

    pub fn back_up(&mut self, medium: Medium) {
        let copied = self.at(medium).cloned().unwrap_or_default();
        self.backups.entry(medium).or_default().push(copied);
    }

    /// A medium is as it was at a backup: what came since is destroyed.
    pub fn put_back(&mut self, medium: Medium, backup: usize) {
        let older = self.backups.get(&medium).and_then(|all| all.get(backup)).cloned().unwrap_or_default();
        self.destroy_but(medium, &older.held);
        self.media.insert(medium, older);
    }

    /// A medium is destroyed with its backups.
    pub fn destroy(&mut self, medium: Medium) {
        self.destroy_but(medium, &[]);
        self.media.remove(&medium);
        self.backups.remove(&medium);
    }

    fn destroy_but(&mut self, medium: Medium, kept: &[EntryId]) {
        let kept: Ids = kept.iter().copied().collect();
        let before = self.media.get(&medium).map(|here| here.held.as_slice()).unwrap_or_default();
        let gone: Vec<EntryId> = before.iter().filter(|id| !kept.contains(id)).copied().collect();
        self.destroyed.extend(gone.iter().filter(|id| self.acknowledged.contains(id)));
        if medium == Medium::Server {
            self.gone_from_server.extend(gone);
        }
    }

    // ---- what happens on them ----

    /// What a medium holds; `None` when it was destroyed.
    pub fn at(&self, medium: Medium) -> Option<&Holdings> {
        self.media.get(&medium)
    }

    pub fn media(&self) -> impl Iterator<Item = (Medium, &Holdings)> {
        self.media.iter().map(|(medium, holdings)| (*medium, holdings))
    }

    /// The places where logs divide on a medium.
    pub fn forks(&self, medium: Medium) -> BTreeSet<Fork> {
        self.at(medium).map(|here| here.forks.clone()).unwrap_or_default()
    }

    /// An entry as it was first seen, wherever that was.
    pub fn first_seen(&self, id: &EntryId) -> Option<&Entry> {
        self.seen.get(id)
    }

    pub fn arrived(&mut self, medium: Medium, entry: &Entry) {
        self.seen.entry(entry.id()).or_insert_with(|| entry.clone());
        if let Some(here) = self.media.get_mut(&medium) {
            here.arrived(entry);
        }
    }

    /// Something was written on a medium; whether it is later than all that was written there before (SAFE9).
    pub fn wrote(&mut self, medium: Medium, hybrid: HybridTime) -> bool {
        let Some(here) = self.media.get_mut(&medium) else { return false };
        let rises = hybrid > here.last_written;
        here.last_written = here.last_written.max(hybrid);
        rises
    }

    /// A kiosk's receipts of a stream are, from some place on, others than before.
    pub fn receipted(&mut self, kiosk: usize, stream: &Stream, from: usize, receipts: &[Step]) {
        if let Some(here) = self.media.get_mut(&Medium::Kiosk(kiosk)) {
            let all = here.receipts.entry(stream.clone()).or_default();
            all.truncate(from);
            all.extend_from_slice(receipts);
        }
    }

    /// Orders of the server's count no more.
    pub fn epochs_ended(&mut self, epochs: impl IntoIterator<Item = Incarnation>) {
        self.ended_epochs.extend(epochs);
    }

    /// Whether the server once held the entry and was put back to before it, or lost it.
    pub fn went_from_server(&self, id: &EntryId) -> bool {
        self.gone_from_server.contains(id)
    }

    /// Whether a kiosk may show as unconfirmed again what it showed as confirmed (SAFE7).
    pub fn may_be_taken_back(&self, receipt: &Step) -> bool {
        self.went_from_server(&receipt.entry) || self.ended_epochs.contains(&receipt.epoch)
    }

    // ---- what became of it all ----

    /// What was acknowledged and is on no medium that is left, and whether it is physically lost: it went with the last medium that held it. Where
    /// nothing was destroyed it may not be missing (SAFE1).
    pub fn missing(&self) -> BTreeMap<EntryId, bool> {
        let held: Ids = self.media.values().flat_map(|here| &here.held).copied().collect();
        let missing = self.acknowledged.iter().filter(|id| !held.contains(id));
        missing.map(|id| (*id, self.destroyed.contains(id))).collect()
    }
}
