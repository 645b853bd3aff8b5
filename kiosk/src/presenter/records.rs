//! My records: what the person did and signed, and the way to correct an entry of one's own (R24).

use shared::kind::plant::ActivityKind;
use shared::kind::record::Outcome;
use shared::log::effect::Verdict;

use super::id::{Action, TapId};
use super::message::*;
use super::say::{count, document_title, edition_of, page_of, text};
use super::tasks::{ROWS_A_PAGE, turned};
use super::view::{self, Screen, Standing};
use super::{Badged, Presenter, Purpose};
use crate::core::correct::OwnEntry;

/// The record on view.
#[derive(Default)]
pub(super) struct Records {
    pub entries: Vec<OwnEntry>,
    page: usize,
}

impl Presenter {
    pub(super) fn open_records(&mut self) {
        if let Some(badged) = &self.badged {
            let person = badged.seen.person.clone();
            self.send(Purpose::Records, What::Records { person });
        }
    }

    pub(super) fn records_came(&mut self, entries: Vec<OwnEntry>) {
        let Some(badged) = self.badged.as_mut() else { return };
        let page = page_of(entries.len(), badged.records.page, ROWS_A_PAGE).0;
        badged.records = Records { entries, page };
        self.touched = self.now;
        self.screen = Screen::Records;
    }

    pub(super) fn tap_records(&mut self, id: TapId) {
        let Some(badged) = self.badged.as_mut() else { return };
        let records = &mut badged.records;
        match id {
            TapId::Action(Action::Back) => self.back_to_tasks(),
            TapId::Page(forward) => {
                records.page = page_of(records.entries.len(), turned(records.page, forward), ROWS_A_PAGE).0;
            }
            TapId::Entry(number) => {
                let chosen = number.checked_sub(1).and_then(|place| records.entries.get(place));
                if let Some(entry) = chosen.filter(|entry| entry.corrected.is_none()).cloned() {
                    self.begin_correction(entry);
                }
            }
            _ => {}
        }
    }

    pub(super) fn records_view(&self, badged: &Badged) -> view::Records {
        let records = &badged.records;
        let (page, pages, rows) = page_of(records.entries.len(), records.page, ROWS_A_PAGE);
        let first = rows.start;
        let rows = records.entries[rows].iter().zip(first + 1..).map(|(entry, number)| self.record_row(entry, number));
        view::Records { rows: rows.collect(), page: count(page + 1), pages: count(pages) }
    }

    pub(super) fn record_row(&self, own: &OwnEntry, number: usize) -> view::RecordRow {
        let corrected = own.corrected.as_ref();
        view::RecordRow {
            number: count(number),
            activity: match own.activity {
                ActivityKind::Quiz => view::Activity::Quiz,
                ActivityKind::Runs => view::Activity::Run,
                ActivityKind::Check => view::Activity::Check,
                _ => view::Activity::Read,
            },
            document: text(own.about.document.as_ref().map(|document| document.as_str())),
            title: document_title(&self.snapshot.plant, own.about.document.as_ref()),
            version: edition_of(own.about.version.as_ref()),
            at: self.say().date_and_minute(own.at),
            second: own.second.clone().unwrap_or_default(),
            outcome: match own.outcome {
                Outcome::Passed => view::Outcome::Pass,
                Outcome::NotYet => view::Outcome::NotYet,
                Outcome::Failed | Outcome::Aborted => view::Outcome::Fail,
            },
            percent: own.score_percent.map_or(-1, i32::from),
            standing: match &own.verdict {
                _ if corrected.is_some() => Standing::Corrected,
                Verdict::Effective => Standing::Counts,
                Verdict::OnHold(_) => Standing::OnHold,
                Verdict::SetAside(_) | Verdict::NotUnderstood => Standing::SetAside,
            },
            old: corrected.map_or_else(String::new, |correction| correction.old.clone()),
            new: corrected.map_or_else(String::new, |correction| correction.new.clone()),
            reason: corrected.map_or_else(String::new, |correction| correction.reason.clone()),
        }
    }
}
