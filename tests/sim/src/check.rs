//! The invariants of the protocol's section 8, as checks: those that ask for everything, and are made when the faults are over. What is looked
//! at after each transaction is in [`crate::look`].

use std::collections::BTreeSet;

use shared::id::EntryId;
use shared::log::{Entry, Held, Shelf, Stream};
use shared::sync::message::Down;
use shared::sync::{ServerShelf, scope};

use crate::disk::Reach;
use crate::model::Medium;
use crate::shelf::Entries;
use crate::world::{World, sure};

/// An invariant that didn't hold.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Violation {
    /// 1: an entry was shown to a person as recorded, and no disk had it.
    AcknowledgedNotDurable(EntryId),
    /// 1: an acknowledged entry is on no medium, though none that held it was put back or destroyed; or the server lacks it when all have met.
    AcknowledgedEntryLost(EntryId),
    /// 1: an entry is gone from a medium that nobody put back.
    Vanished { medium: Medium, entry: EntryId },
    /// 2: after an exchange the server lacks something that the kiosk holds.
    ServerLacks { kiosk: usize, entry: EntryId },
    /// 2: two sides talk without end.
    EndlessExchange { kiosk: usize },
    /// 2: not equal within three exchanges of each kiosk after the last act of a person.
    NotEqual { kiosk: usize, entries: usize },
    /// 3: the server can't write.
    ServerCantWrite,
    /// 3: a kiosk can't write.
    KioskCantWrite { kiosk: usize },
    /// 3: what was written didn't arrive everywhere.
    NewEntryNotEverywhere { entry: EntryId },
    /// 3: what was written has no effect somewhere.
    NewEntryWithoutEffect { entry: EntryId },
    /// 4: equal sets, unequal verdicts.
    VerdictsDiffer(EntryId),
    /// 4: the same entries in another order give another verdict or other alarms.
    ReplayDiffers,
    /// LIVE3: quality accepted what was set aside, and it has no effect all the same.
    RuledInVain(EntryId),
    /// 5: alarms are not the forks.
    AlarmsAreNotForks,
    /// 5: a fork after everybody has met twice.
    ForkAfterMeeting,
    /// 6: something was taken from a contradicting order.
    TookFromContradiction { kiosk: usize },
    /// 7: the server stopped without a restore.
    StoppedOnALie,
    /// 7: a server's log forked without a store having been put back.
    ProperRestoreForked,
    /// 8: something is held that never may be, or is not what its device signed.
    HoldsForgery(EntryId),
    /// SAFE7: what a kiosk showed as confirmed it shows no more, and the server was not put back to before it.
    ReceiptTakenBack { kiosk: usize, entry: EntryId },
    /// SAFE7: a kiosk shows as confirmed what it doesn't hold, or what the server never had.
    ReceiptForNothing { kiosk: usize, entry: EntryId },
    /// SAFE8: an entry has other bytes than when it was first seen.
    BytesChanged(EntryId),
    /// SAFE9: an entry is not later than the one before it in its log, or than what was written on its medium before.
    HybridClockFell(EntryId),
    /// A message that was damaged on its way was answered or taken.
    TookDamaged,
}

impl World {
    pub fn violate(&mut self, violation: Violation) {
        if !self.violations.contains(&violation) {
            self.say(format!("violation {violation:?}"));
            self.violations.push(violation);
        }
    }

    /// Invariant 6, judged by the answer itself and what the server's people really signed, not by the terminal's own opinion.
    pub(crate) fn check_taking(&mut self, kiosk: usize, before: &Reach, bytes: &[u8], terminal_says_so: bool) {
        if self.kiosks[kiosk].disk.reach() == *before {
            return;
        }
        let Ok(down) = Down::open(bytes) else { return };
        let contradicts = before.cursors.iter().any(|(stream, cursor)| {
            let Some(last) = cursor.path.last() else { return false };
            let Some(shown) = down.paths.iter().find(|shown| shown.stream == *stream) else { return false };
            !shown.path.iter().any(|there| {
                let further = there.end > last.end && shown.at == Some(last.hash);
                there.epoch == last.epoch && (there.end == last.end && there.hash == last.hash || further)
            })
        });
        let signed_off = down.recovered.iter().any(|entry| self.recoveries.contains(&EntryId::of(entry)));
        if terminal_says_so || contradicts && !signed_off {
            self.violate(Violation::TookFromContradiction { kiosk });
        }
    }

    /// Invariant 2, first half.
    pub fn check_given(&mut self, kiosk: usize) {
        let lacking = self.kiosks[kiosk].disk.entries.all().map(Entry::id).find(|id| !self.disk.entries.holds(id));
        if let Some(entry) = lacking {
            self.violate(Violation::ServerLacks { kiosk, entry });
        }
    }

    /// The kiosks that take part in full: present, and not revoked.
    pub fn in_good_standing(&self) -> Vec<usize> {
        self.present().into_iter().filter(|kiosk| !self.is_revoked(*kiosk)).collect()
    }

    fn scope(&self, kiosk: usize) -> Vec<Stream> {
        scope::of_kiosk(&self.site, &self.kiosks[kiosk].name)
    }

    /// How many entries of its scope a kiosk lacks, or has too many, compared with the server.
    pub fn difference(&self, kiosk: usize) -> usize {
        let scope = self.scope(kiosk);
        let ids = |entries: &Entries| -> BTreeSet<EntryId> {
            entries.all().filter(|entry| scope.contains(&entry.log().stream)).map(Entry::id).collect()
        };
        ids(&self.disk.entries).symmetric_difference(&ids(&self.kiosks[kiosk].disk.entries)).count()
    }

    pub fn all_equal(&self) -> bool {
        self.in_good_standing().into_iter().all(|kiosk| self.difference(kiosk) == 0)
            && self
                .present()
                .into_iter()
                .all(|kiosk| self.kiosks[kiosk].disk.entries.all().all(|entry| self.disk.entries.holds(&entry.id())))
    }

    /// Invariants 1 and 4 over everything, when all have met.
    pub fn check_all(&mut self, must_hold: &BTreeSet<EntryId>) {
        for id in must_hold {
            if !self.disk.entries.holds(id) {
                self.violate(Violation::AcknowledgedEntryLost(*id));
            }
        }
        self.check_verdicts();
        self.check_replay();
    }

    /// LIVE3, once quality has accepted everything that was set aside. A revocation is nobody's to rule on.
    pub fn check_ruled(&mut self) {
        let entries = &self.disk.entries;
        let stands = |entry: &&Entry| entries.revocation_reason(&entry.log().device).is_none();
        let in_vain = entries.all().filter(stands).find(|entry| !entries.is_effective(entry)).map(Entry::id);
        if let Some(id) = in_vain {
            self.violate(Violation::RuledInVain(id));
        }
    }

    fn check_verdicts(&mut self) {
        for kiosk in self.in_good_standing() {
            let there = &self.kiosks[kiosk].disk.entries;
            let differs = there.all().find(|entry| there.is_effective(entry) != self.disk.entries.is_effective(entry));
            if let Some(id) = differs.map(Entry::id) {
                self.violate(Violation::VerdictsDiffer(id));
            }
        }
    }

    fn check_replay(&mut self) {
        if !self.is_the_same_in_another_order() {
            self.violate(Violation::ReplayDiffers);
        }
    }

    /// Whether what the server holds, held anew in another order that its logs allow, raises the same alarms and has the same effects.
    pub fn is_the_same_in_another_order(&mut self) -> bool {
        let mut waiting: Vec<Entry> = self.disk.entries.all().cloned().collect();
        self.rng.shuffle(&mut waiting);
        let keys = self.disk.entries.quality.clone();
        let mut replay = crate::disk::ServerDisk::new(Entries::new(self.secret.key(), keys, self.mutant));
        while !waiting.is_empty() {
            let before = waiting.len();
            waiting.retain(|entry| {
                let ready = entry.header().prev.is_none_or(|prev| replay.entries.holds(&prev));
                if ready {
                    sure(replay.put(&Held::own(entry.clone())));
                    if let Some(fork) = sure(shared::log::standing::fork_at(entry, &replay)) {
                        sure(shared::sync::Replica::raise(&mut replay, &fork));
                    }
                }
                !ready
            });
            if waiting.len() == before {
                return false;
            }
        }
        let same = |entry: &Entry| replay.entries.is_effective(entry) == self.disk.entries.is_effective(entry);
        replay.entries.alarms() == self.disk.entries.alarms() && self.disk.entries.all().all(same)
    }

    /// Invariant 3 for entries written after everybody had met.
    pub fn check_new(&mut self, written: &[EntryId]) {
        for id in written {
            let mut everywhere = self.disk.entries.get(id).map(|entry| entry.log().stream.clone());
            let Some(stream) = everywhere.take() else {
                self.violate(Violation::NewEntryNotEverywhere { entry: *id });
                continue;
            };
            let mut replicas = vec![&self.disk.entries];
            for kiosk in self.in_good_standing().into_iter().filter(|kiosk| self.scope(*kiosk).contains(&stream)) {
                replicas.push(&self.kiosks[kiosk].disk.entries);
            }
            let missing = replicas.iter().any(|entries| !entries.holds(id));
            let idle =
                replicas.iter().filter_map(|r| r.get(id).map(|e| (r, e))).any(|(r, entry)| !r.is_effective(entry));
            if missing {
                self.violate(Violation::NewEntryNotEverywhere { entry: *id });
            }
            if idle {
                self.violate(Violation::NewEntryWithoutEffect { entry: *id });
            }
        }
    }

    /// Whether the server is stopped.
    pub fn is_stopped(&self) -> bool {
        sure(self.disk.stopped())
    }
}
