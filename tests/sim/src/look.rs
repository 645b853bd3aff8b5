//! What is looked at after each transaction: what it changed on its medium, and nothing else, so that it costs little. What can only be judged over
//! everything is in [`crate::check`].

use shared::id::EntryId;
use shared::log::{Entry, Stream, Unverified};
use shared::sync::Step;

use crate::check::Violation;
use crate::model::{Holdings, Medium};
use crate::shelf::Entries;
use crate::world::World;

impl World {
    pub(crate) fn entries_on(&self, medium: Medium) -> &Entries {
        match medium {
            Medium::Server => &self.disk.entries,
            Medium::Kiosk(kiosk) => &self.kiosks[kiosk].disk.entries,
        }
    }

    /// Tells the model what a transaction brought to a medium, and compares.
    pub(crate) fn look_at(&mut self, medium: Medium) {
        self.look_at_entries(medium);
        if let Medium::Kiosk(kiosk) = medium {
            self.look_at_receipts(kiosk);
        }
    }

    fn look_at_entries(&mut self, medium: Medium) {
        let Some(known) = self.model.at(medium) else { return };
        let mut found = Vec::new();
        let entries = self.entries_on(medium);
        if !ends_like(entries, known) {
            found.extend(vanished(entries, known).map(|entry| Violation::Vanished { medium, entry }));
        }
        let new = entries.after(known.held.len()).to_vec();
        for entry in &new {
            match self.model.first_seen(&entry.id()) {
                Some(first) if first.bytes() != entry.bytes() => found.push(Violation::BytesChanged(entry.id())),
                Some(_) => {}
                None => found.extend(self.look_at_first(entry)),
            }
            self.model.arrived(medium, entry);
        }
        if !new.is_empty() {
            found.extend(self.look_at_forks(medium));
        }
        found.into_iter().for_each(|violation| self.violate(violation));
    }

    /// An entry that nobody has seen before: it is what its device signed (SAFE3), and later than the one before it (SAFE9).
    fn look_at_first(&self, entry: &Entry) -> Option<Violation> {
        let id = entry.id();
        let is_own = || Unverified::read(entry.bytes()).ok().and_then(Unverified::signed).as_ref() == Some(entry);
        if self.forged.contains(&id) || !is_own() {
            return Some(Violation::HoldsForgery(id));
        }
        let before = entry.header().prev.and_then(|prev| self.model.first_seen(&prev));
        let rises = before.is_none_or(|before| before.header().hybrid < entry.header().hybrid);
        (!rises).then_some(Violation::HybridClockFell(id))
    }

    /// Every place where a log divides is one alarm, and nothing else is (SAFE10); a server's own log divides only where a store was put back.
    fn look_at_forks(&self, medium: Medium) -> Option<Violation> {
        let forks = &self.model.at(medium)?.forks;
        let alarms = self.entries_on(medium).alarms();
        if alarms.len() != forks.len() || !alarms.iter().all(|(fork, _)| forks.contains(fork)) {
            return Some(Violation::AlarmsAreNotForks);
        }
        let mut of_server = forks.iter().filter(|fork| fork.log.device == self.secret.key());
        let proper = of_server.all(|fork| self.put_back.contains(&fork.log.incarnation));
        (!proper).then_some(Violation::ProperRestoreForked)
    }

    /// What a kiosk shows as confirmed stays confirmed, and the server holds it, unless that was put back to before it (SAFE7).
    fn look_at_receipts(&mut self, kiosk: usize) {
        let Some(known) = self.model.at(Medium::Kiosk(kiosk)) else { return };
        let disk = &self.kiosks[kiosk].disk;
        let (mut found, mut changed) = (Vec::new(), Vec::new());
        for (stream, shown) in disk.receipts() {
            let before = known.receipts.get(stream).map(Vec::as_slice).unwrap_or_default();
            let same = alike(before, shown);
            let (gone, new) = (&before[same..], &shown[same..]);
            if gone.is_empty() && new.is_empty() {
                continue;
            }
            let stays = |receipt: &Step| new.iter().any(|step| step.entry == receipt.entry);
            let taken_back = gone.iter().filter(|receipt| !self.model.may_be_taken_back(receipt) && !stays(receipt));
            found.extend(taken_back.map(|receipt| Violation::ReceiptTakenBack { kiosk, entry: receipt.entry }));
            let stands = |entry: &EntryId| self.disk.entries.holds(entry) || self.model.went_from_server(entry);
            let for_nothing =
                new.iter().map(|step| step.entry).filter(|entry| !disk.entries.holds(entry) || !stands(entry));
            found.extend(for_nothing.map(|entry| Violation::ReceiptForNothing { kiosk, entry }));
            changed.push((stream.clone(), same, new.to_vec()));
        }
        for (stream, from, receipts) in changed {
            self.model.receipted(kiosk, &stream, from, &receipts);
        }
        found.into_iter().for_each(|violation| self.violate(violation));
    }

    /// A person sees that it is recorded: from here on it must never be lost (SAFE1), and what is written here after it is later (SAFE9).
    pub(crate) fn acknowledge(&mut self, medium: Medium, entry: &Entry) {
        self.model.acknowledged.insert(entry.id());
        if !self.entries_on(medium).holds(&entry.id()) {
            self.violate(Violation::AcknowledgedNotDurable(entry.id()));
        }
        if !self.model.wrote(medium, entry.header().hybrid) {
            self.violate(Violation::HybridClockFell(entry.id()));
        }
    }

    /// Everything that [`Self::look_at`] takes for unchanged, once over all media: each entry that must be there is, byte for byte, and each receipt.
    pub(crate) fn look_at_everything(&mut self) {
        let mut found = Vec::new();
        for (medium, known) in self.model.media() {
            let entries = self.entries_on(medium);
            found.extend(vanished(entries, known).map(|entry| Violation::Vanished { medium, entry }));
            let changed =
                |entry: &&Entry| self.model.first_seen(&entry.id()).is_none_or(|f| f.bytes() != entry.bytes());
            found.extend(entries.all().filter(changed).map(|entry| Violation::BytesChanged(entry.id())));
            found.extend(self.look_at_forks(medium));
            if let Medium::Kiosk(kiosk) = medium
                && let Some(entry) = other_receipt(&known.receipts, self.kiosks[kiosk].disk.receipts())
            {
                found.push(Violation::ReceiptTakenBack { kiosk, entry });
            }
        }
        found.into_iter().for_each(|violation| self.violate(violation));
    }
}

/// Whether the last entry that is known of a medium stands in its old place, as it does when none before it was taken away.
fn ends_like(entries: &Entries, known: &Holdings) -> bool {
    let Some(last) = known.held.last() else { return true };
    entries.after(known.held.len() - 1).first().map(Entry::id) == Some(*last)
}

fn vanished<'a>(entries: &'a Entries, known: &'a Holdings) -> impl Iterator<Item = EntryId> {
    known.held.iter().filter(|id| !entries.holds(id)).copied()
}

/// How many receipts from the first are the same. A step names the hash of all before it in its epoch: where the last is the same, all are.
fn alike(before: &[Step], shown: &[Step]) -> usize {
    let most = before.len().min(shown.len());
    (1..=most).rev().find(|many| before[many - 1] == shown[many - 1]).unwrap_or_default()
}

type Receipts = std::collections::BTreeMap<Stream, Vec<Step>>;

fn other_receipt(known: &Receipts, shown: &Receipts) -> Option<EntryId> {
    let differs = |(stream, steps): &(&Stream, &Vec<Step>)| shown.get(*stream) != Some(*steps);
    known.iter().find(differs).and_then(|(_, steps)| steps.last()).map(|step| step.entry)
}
