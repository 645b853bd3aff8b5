//! After the faults: everybody meets, people sign what is asked of them, and what was promised is checked.

use std::collections::BTreeSet;

use shared::id::EntryId;
use shared::sync::Give;

use crate::check::Violation;
use crate::model::Medium;
use crate::world::{Crash, Cut, World};

/// Within so many exchanges of each kiosk after the last act of a person all are equal (invariant 2).
const ROUNDS: usize = 3;
/// People don't sign recoveries for ever.
const MOST_ROUNDS: usize = 16;

impl World {
    /// Brings everybody together and checks every invariant. Gives the number of rounds since the last act of a person.
    pub fn heal(&mut self) -> usize {
        self.say("heal");
        self.flights.clear();
        self.kiosks.iter_mut().for_each(|kiosk| kiosk.cut = Cut::Nothing);
        // Twins that kept silent show themselves.
        for kiosk in self.present() {
            for stream in self.streams_of(kiosk) {
                self.write(kiosk, &stream, Crash::No);
            }
        }
        self.account_for_all();
        let must_hold = self.acknowledged_and_held();
        let rounds = self.meet_until_equal();
        self.check_all(&must_hold);
        self.meet();
        let forks = self.model.forks(Medium::Server);
        for _ in 0..2 {
            self.write_everywhere();
        }
        if self.model.forks(Medium::Server) != forks {
            self.violate(Violation::ForkAfterMeeting);
        }
        self.rule_on_forks();
        self.meet();
        self.meet();
        self.check_ruled();
        self.check_all(&must_hold);
        self.look_at_everything();
        rounds
    }

    /// SAFE1 when the faults end: what was shown as recorded is on a medium that is left, or is listed as physically lost with every one that
    /// held it.
    fn account_for_all(&mut self) {
        let missing = self.model.missing();
        if missing.is_empty() {
            return;
        }
        let sticks = self.on_undelivered_sticks();
        for (id, physically) in missing {
            if !physically {
                self.violate(Violation::AcknowledgedEntryLost(id));
            } else if sticks.contains(&id) {
                self.on_sticks.insert(id);
            } else {
                self.lost.insert(id);
            }
        }
        let names = |ids: &BTreeSet<EntryId>| ids.iter().map(EntryId::short).collect::<Vec<_>>().join(" ");
        self.say(format!("physically lost: {}; on sticks alone: {}", names(&self.lost), names(&self.on_sticks)));
    }

    /// What lies there, whoever wrote it.
    fn on_undelivered_sticks(&self) -> BTreeSet<EntryId> {
        let pieces = self.bundles.iter().flatten().filter_map(|piece| Give::read(piece).ok());
        pieces.flat_map(|piece| piece.entries).map(|bytes| EntryId::of(&bytes)).collect()
    }

    /// The acknowledged entries that are on a medium which is left: all but those whose loss was accounted for.
    fn acknowledged_and_held(&self) -> BTreeSet<EntryId> {
        let gone = |id: &&EntryId| self.lost.contains(id) || self.on_sticks.contains(id);
        self.model.acknowledged.iter().filter(|id| !gone(id)).copied().collect()
    }

    fn meet_until_equal(&mut self) -> usize {
        let mut since_act = 0;
        for _ in 0..MOST_ROUNDS {
            self.meet();
            since_act += 1;
            if self.is_stopped() {
                self.sign_recovery();
                since_act = 0;
            } else if self.all_equal() {
                return since_act;
            } else if since_act >= ROUNDS {
                break;
            }
        }
        for kiosk in self.in_good_standing() {
            let entries = self.difference(kiosk);
            if entries > 0 {
                self.violate(Violation::NotEqual { kiosk, entries });
            }
        }
        since_act
    }

    /// One exchange of each kiosk, in any order.
    pub fn meet(&mut self) {
        let mut kiosks = self.present();
        self.rng.shuffle(&mut kiosks);
        for kiosk in kiosks {
            self.now_ms += 1_000;
            if !self.exchange(kiosk) {
                self.violate(Violation::EndlessExchange { kiosk });
            }
            self.check_given(kiosk);
        }
    }

    /// Everybody writes once; it arrives everywhere and has effect (invariant 3).
    fn write_everywhere(&mut self) {
        let mut written = Vec::new();
        match self.approve(Crash::No) {
            Some(entry) => written.push(entry.id()),
            None => self.violate(Violation::ServerCantWrite),
        }
        for kiosk in self.in_good_standing() {
            let record = self.record();
            match self.write(kiosk, &record, Crash::No) {
                Some(id) => written.push(id),
                None => self.violate(Violation::KioskCantWrite { kiosk }),
            }
        }
        self.meet();
        self.meet();
        self.check_new(&written);
    }
}
