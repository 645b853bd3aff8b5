//! After the faults: everybody meets, people sign what is asked of them, and what was promised is checked.

use std::collections::BTreeSet;

use shared::id::EntryId;
use shared::log::Entry;

use crate::check::Violation;
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
        let must_hold = self.acknowledged_and_held();
        let rounds = self.meet_until_equal();
        self.check_all(&must_hold);
        self.meet();
        let forks = self.disk.entries.forks_by_the_set();
        for _ in 0..2 {
            self.write_everywhere();
        }
        if self.disk.entries.forks_by_the_set() != forks {
            self.violate(Violation::ForkAfterMeeting);
        }
        self.rule_on_forks();
        self.meet();
        self.meet();
        self.check_all(&must_hold);
        rounds
    }

    /// The acknowledged entries that some replica still holds.
    pub fn acknowledged_and_held(&self) -> BTreeSet<EntryId> {
        let mut held: BTreeSet<EntryId> = self.disk.entries.all().map(Entry::id).collect();
        for kiosk in self.present() {
            held.extend(self.kiosks[kiosk].disk.entries.all().map(Entry::id));
        }
        self.acknowledged.intersection(&held).copied().collect()
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
