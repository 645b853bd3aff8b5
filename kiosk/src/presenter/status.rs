//! How the terminal stands: the bar on every screen, the status screen, and what to say when the terminal itself is unwell (S8).

use shared::kind::plant::KeyStoreKind;
use shared::kind::presence::SessionEnd;
use shared::log::Stream;
use shared::time::{DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, Timestamp};

use super::id::{Action, TapId};
use super::message::*;
use super::say::{Say, count, unit_name};
use super::view::{self, Alarm, EnrolmentState, EntryKind, Fault, KeyStore, NextStep, Screen, SyncState};
use super::{Presenter, Purpose};
use crate::core::status::Line;

/// From this share of the storage on in use, in percent, the bar warns.
const STORAGE_WARNING_PERCENT: i32 = 80;
/// The status screen goes back by itself, in milliseconds.
const STATUS_SHOWN_MS: i64 = 2 * MINUTE_MS;

impl Presenter {
    pub(super) fn told(&mut self, snapshot: StatusSnapshot) {
        self.lead_ms = snapshot.status.now.since(self.now);
        self.snapshot = snapshot;
        self.follow_set_up();
        self.follow_supervised();
        self.follow_lost_badge();
        self.follow_day_pass();
    }

    /// The kiosk's own time, as corrected by the server's.
    pub(super) fn wall(&self) -> Timestamp {
        self.now.plus_ms(self.lead_ms)
    }

    pub(super) fn say(&self) -> Say {
        Say { site: self.snapshot.plant.site_time(self.snapshot.site.as_ref()), now: self.wall() }
    }

    /// A revoked terminal serves nobody.
    pub(super) fn screen_shown(&self) -> Screen {
        if self.screen == Screen::Idle && self.is_revoked() { Screen::Fault } else { self.screen }
    }

    fn is_revoked(&self) -> bool {
        self.snapshot.status.revoked.is_some()
    }

    pub(super) fn open_status(&mut self) {
        let from = self.screen_shown();
        if matches!(from, Screen::Idle | Screen::SetUp | Screen::Fault) {
            self.behind_status = self.screen;
            self.screen = Screen::Status;
        }
    }

    pub(super) fn tap_status(&mut self, id: TapId) {
        match id {
            TapId::Action(Action::Back) => self.screen = self.behind_status,
            TapId::Action(Action::Stick) if self.snapshot.status.kiosk.is_some() => self.screen = Screen::Stick,
            _ => {}
        }
    }

    pub(super) fn pass_status_time(&mut self) {
        let behind = match self.screen {
            Screen::Status | Screen::Stick => self.behind_status,
            Screen::NoBadge => Screen::Idle,
            _ => return,
        };
        if self.badged.is_none() && self.now.since(self.touched) >= STATUS_SHOWN_MS {
            self.screen = behind;
        }
    }

    /// The terminal isn't well: what was acknowledged is safe, this act was not done, and no secret is kept for another try.
    pub(super) fn fail(&mut self, failure: &Failure, purpose: &Purpose) {
        let (fault, code, next) = match failure {
            Failure::DiskFull => (Fault::StorageFull, "ST-FULL", NextStep::BackToTasks),
            Failure::Damaged => (Fault::DamagedDatabase, "ST-DAMAGED", NextStep::None),
            Failure::KeyStore => (Fault::KeyStoreLost, "KS-LOST", NextStep::None),
            Failure::Internal { code } => (Fault::InternalError, code.as_str(), NextStep::TryAgain),
        };
        if matches!(purpose, Purpose::SetUp) {
            self.set_up_replied(Reply::NotEnrolled(NotEnrolled::NoNetwork));
        }
        self.show_fault(fault, code, next);
    }

    pub(super) fn show_trouble(&mut self, code: &str) {
        self.show_fault(Fault::InternalError, code, NextStep::TryAgain);
    }

    fn show_fault(&mut self, fault: Fault, code: &str, next: NextStep) {
        let signing = self.badged.as_mut().and_then(|badged| badged.signing.take());
        match (self.screen, signing) {
            (Screen::Fault | Screen::Swap, _) => {}
            (_, Some(signing)) => self.covered = signing.back,
            (screen, None) => self.covered = screen,
        }
        let status = &self.snapshot.status;
        let kept = if fault == Fault::DamagedDatabase { status.entries } else { status.waiting() };
        self.trouble = view::Trouble {
            fault,
            code: code.to_owned(),
            kept: count(kept),
            since: self.say().clock(self.wall()),
            next,
        };
        self.screen = Screen::Fault;
    }

    pub(super) fn tap_fault(&mut self, id: TapId) {
        if id != TapId::Next || self.screen != Screen::Fault {
            return;
        }
        match self.trouble.next {
            NextStep::None => {}
            NextStep::BackToTasks if self.badged.is_some() => self.back_to_tasks(),
            NextStep::SignOut => self.sign_out(SessionEnd::Tap),
            _ if self.badged.is_some() => self.screen = self.covered,
            _ => self.screen = Screen::Idle,
        }
    }

    pub(super) fn trouble_view(&self) -> view::Trouble {
        if self.screen == Screen::Idle && self.is_revoked() {
            let kept = count(self.snapshot.status.waiting());
            let since = self.snapshot.status.last_contact.map_or_else(String::new, |at| self.say().moment(at));
            return view::Trouble {
                fault: Fault::Revoked,
                code: "DEV-REVOKED".into(),
                kept,
                since,
                next: NextStep::None,
            };
        }
        self.trouble.clone()
    }

    pub(super) fn chrome(&self) -> view::Chrome {
        let (status, plant, say) = (&self.snapshot.status, &self.snapshot.plant, self.say());
        let units = status.work_units.iter().map(|unit| unit_name(plant, unit)).collect::<Vec<_>>().join(" · ");
        let kiosk = status.kiosk.as_ref().map_or_else(String::new, ToString::to_string);
        view::Chrome {
            terminal: if units.is_empty() { kiosk } else { units },
            person: self.badged.as_ref().map_or_else(String::new, |badged| badged.seen.printed_name.clone()),
            pass_until: self.pass_until().map_or_else(String::new, |until| say.moment(until)),
            sync: self.sync_state(),
            offline_since: status.in_step.or(status.last_contact).map_or_else(String::new, |at| say.moment(at)),
            waiting: count(status.waiting()),
            plant_age_minutes: self.plant_age_minutes(),
            plant_revision: self.revision(),
            clock: say.clock(self.wall()),
            idle_seconds: self.idle_left_s().map_or(-1, count),
            storage_warning: self.storage_used() >= STORAGE_WARNING_PERCENT,
            language: self.language.split('-').next().unwrap_or_default().to_uppercase(),
        }
    }

    fn pass_until(&self) -> Option<Timestamp> {
        Some(self.badged.as_ref()?.by_pass?.until)
    }

    fn sync_state(&self) -> SyncState {
        let status = &self.snapshot.status;
        if self.is_revoked() {
            SyncState::Revoked
        } else if status.contradicted {
            SyncState::Refused
        } else {
            match status.line {
                Line::Online => SyncState::Online,
                Line::ForeignServer => SyncState::ForeignServer,
                Line::Offline | Line::NeverTried => SyncState::Offline,
            }
        }
    }

    fn revision(&self) -> i32 {
        count(self.snapshot.status.plant.iter().map(|(_, revision)| revision).sum::<u64>())
    }

    /// Minutes since all of the plant's data was last known to be here.
    fn plant_age_minutes(&self) -> i32 {
        let age_ms = self.snapshot.status.in_step.map(|at| self.wall().since(at).max(0));
        age_ms.map_or(-1, |ms| count(ms / MINUTE_MS))
    }

    /// What waits, by the kind of its stream; kinds of which nothing waits stand with a nought, so that nothing seems to be left out.
    fn waiting_rows(&self) -> Vec<view::WaitingRow> {
        let status = &self.snapshot.status;
        let mut counts = [
            (EntryKind::Records, 0),
            (EntryKind::Presence, 0),
            (EntryKind::Journal, 0),
            (EntryKind::Keys, status.boxes_waiting),
            (EntryKind::Other, 0),
        ];
        for (stream, number) in &status.waiting_in {
            let kind = kind_of(stream);
            counts.iter_mut().filter(|(row, _)| *row == kind).for_each(|(_, sum)| *sum += number);
        }
        let rows = counts.into_iter().filter(|(kind, number)| *number > 0 || *kind != EntryKind::Other);
        rows.map(|(kind, number)| view::WaitingRow { kind, count: count(number) }).collect()
    }

    fn storage_used(&self) -> i32 {
        let Some(storage) = self.snapshot.storage.filter(|storage| storage.total_bytes > 0) else { return 0 };
        let used = storage.total_bytes.saturating_sub(storage.free_bytes);
        count(u128::from(used) * 100 / u128::from(storage.total_bytes))
    }

    pub(super) fn status_view(&self) -> view::Status {
        let (status, say) = (&self.snapshot.status, self.say());
        let chrome = self.chrome();
        let kiosk = status.kiosk.as_ref().map_or_else(String::new, |kiosk| format!("{kiosk} · {}", chrome.terminal));
        let when = |at: Option<Timestamp>| at.map_or_else(String::new, |at| say.date_and_minute(at));
        let storage = self.snapshot.storage;
        view::Status {
            kiosk,
            software: self.settings.software.clone(),
            server: status.url.clone().unwrap_or_else(|| self.settings.server.clone()),
            last_exchange: when(status.in_step),
            behind: status.in_step < status.last_contact,
            waiting: self.waiting_rows(),
            plant_revision: self.revision(),
            plant_age_minutes: self.plant_age_minutes(),
            storage_free: storage.map_or_else(String::new, |storage| bytes(storage.free_bytes)),
            storage_used: self.storage_used(),
            database: storage.map_or_else(String::new, |storage| bytes(storage.database_bytes)),
            clock_offset: offset(status.machine_off_ms),
            clock_confirmed: when(status.last_contact),
            clock_uncertainty: match status.uncertainty_ms {
                most @ u32::MAX => format!("> {}", length(i64::from(most))),
                ms => format!("± {}", length(i64::from(ms))),
            },
            key_store: match self.snapshot.key_store {
                KeyStoreKind::File => KeyStore::File,
                KeyStoreKind::Tpm => KeyStore::Tpm,
            },
            enrolment: match status.kiosk {
                _ if self.snapshot.retired => EnrolmentState::Retired,
                _ if self.is_revoked() => EnrolmentState::Revoked,
                Some(_) => EnrolmentState::Enrolled,
                None => EnrolmentState::NotEnrolled,
            },
            enrolled_since: self.snapshot.enrolled_at.map_or_else(String::new, |at| say.day(at)),
            alarm: if status.forks > 0 {
                Alarm::Fork
            } else if status.contradicted {
                Alarm::Continuity
            } else {
                Alarm::None
            },
            alarm_since: String::new(),
            set_aside: count(self.snapshot.set_aside),
        }
    }
}

fn kind_of(stream: &Stream) -> EntryKind {
    match stream.to_string().split('/').next() {
        Some("record") => EntryKind::Records,
        Some("presence") => EntryKind::Presence,
        Some("journal") => EntryKind::Journal,
        _ => EntryKind::Other,
    }
}

/// Storage as people count it: `41 GB`.
fn bytes(bytes: u64) -> String {
    const GB: u64 = 1_000_000_000;
    if bytes >= 10 * GB { format!("{} GB", bytes / GB) } else { format!("{} MB", bytes / 1_000_000) }
}

/// By how much a clock is off.
fn offset(ms: i64) -> String {
    format!("{}{}", if ms < 0 { '-' } else { '+' }, length(ms))
}

/// So long, in a unit in which it can be grasped.
fn length(ms: i64) -> String {
    match ms.abs() {
        ms if ms < 2 * MINUTE_MS => format!("{}.{} s", ms / SECOND_MS, ms % SECOND_MS / 100),
        ms if ms < 2 * HOUR_MS => format!("{} min", ms / MINUTE_MS),
        ms if ms < 2 * DAY_MS => format!("{} h {} min", ms / HOUR_MS, ms % HOUR_MS / MINUTE_MS),
        ms => format!("{} d {} h", ms / DAY_MS, ms % DAY_MS / HOUR_MS),
    }
}
