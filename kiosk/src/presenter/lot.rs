//! The lot or order that the next start is recorded against: scanned, typed, or the same as last (S11).

use shared::id::{LotId, TaskId};

use super::id::{KeyTap, TapId};
use super::say::{task_title, text};
use super::view::{self, Screen};
use super::{Badged, Presenter};

const LONGEST: usize = 60;

/// A lot being entered.
#[derive(Debug, Clone, Default)]
pub(super) struct Entry {
    typed: String,
    letters: bool,
    /// The task that asked for it.
    task: Option<TaskId>,
}

impl Presenter {
    pub(super) fn open_lot(&mut self, task: Option<TaskId>) {
        if let Some(badged) = self.badged.as_mut() {
            badged.lot_entry = Entry { task, ..Entry::default() };
            self.screen = Screen::Lot;
        }
    }

    pub(super) fn tap_lot(&mut self, id: TapId) {
        let Some(badged) = self.badged.as_mut() else { return };
        match id {
            TapId::Key(KeyTap::Letters) => badged.lot_entry.letters = !badged.lot_entry.letters,
            TapId::Key(key) => Self::press(&mut self.keyboard, &mut badged.lot_entry.typed, key, LONGEST),
            TapId::LotSame => self.same_lot(),
            TapId::Cancel | TapId::Action(super::id::Action::Back) => self.screen = Screen::Tasks,
            TapId::Ok => {
                let typed = badged.lot_entry.typed.clone();
                self.lot_scanned(typed);
            }
            _ => {}
        }
    }

    pub(super) fn type_lot(&mut self, text: String) {
        if let Some(badged) = self.badged.as_mut() {
            badged.lot_entry.typed = text.chars().take(LONGEST).collect();
        }
    }

    pub(super) fn same_lot(&mut self) {
        if let Some(lot) = self.last_lot.clone() {
            self.use_lot(lot);
        }
    }

    pub(super) fn lot_scanned(&mut self, scan: String) {
        if let Ok(lot) = LotId::new(scan.trim()) {
            self.use_lot(lot);
        }
    }

    /// The lot is in use from here on; the task that asked for it is asked for at once.
    fn use_lot(&mut self, lot: LotId) {
        let Some(badged) = self.badged.as_mut() else { return };
        badged.lot = Some(lot.clone());
        self.last_lot = Some(lot);
        match std::mem::take(&mut badged.lot_entry).task {
            Some(task) => self.ask(task),
            None => self.back_to_tasks(),
        }
    }

    pub(super) fn lot_view(&self, badged: &Badged) -> view::Lot {
        let entry = &badged.lot_entry;
        view::Lot {
            typed: entry.typed.clone(),
            last_lot: text(self.last_lot.as_ref().map(LotId::as_str)),
            task: entry.task.as_ref().map_or_else(String::new, |task| task_title(&self.snapshot.plant, task)),
            unknown: false,
            letters: entry.letters,
        }
    }
}
