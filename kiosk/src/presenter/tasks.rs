//! What one can start here, and what runs here.

use shared::id::{LotId, TaskId};
use shared::kind::presence::SessionEnd;
use shared::plant::InForce;
use shared::time::DAY_MS;
use shared::training::gate::Reason;
use shared::training::task_session::TaskSession;

use super::id::{Action, TapId};
use super::message::*;
use super::say::{count, edition, edition_of, page_of, task_title, text, unit_name};
use super::view::{self, Screen, SessionNotice, TaskState};
use super::{Badged, Presenter, Purpose};

/// Choices on a page.
pub(super) const TASKS_A_PAGE: usize = 6;
pub(super) const ROWS_A_PAGE: usize = 5;
/// Days before an expiry from which a task says so.
pub(super) const DUE_SOON_DAYS: i64 = 14;

#[derive(Default)]
pub(super) struct List {
    cards: Vec<TaskCard>,
    page: usize,
}

impl Presenter {
    /// To the list from wherever: it is asked for anew, and on view when it has come.
    pub(super) fn back_to_tasks(&mut self) {
        let Some(badged) = &self.badged else { return };
        let what = What::Tasks { person: badged.seen.person.clone(), lot: badged.lot.clone() };
        self.send(Purpose::Tasks, what);
    }

    pub(super) fn tasks_came(&mut self, cards: Vec<TaskCard>) {
        let Some(badged) = self.badged.as_mut() else { return };
        badged.list.cards = cards;
        badged.put_away();
        self.screen = Screen::Tasks;
        if let Some(session) = self.own_supervised() {
            self.watch_again(&session);
        }
    }

    pub(super) fn tap_tasks(&mut self, id: TapId) {
        let Some(badged) = self.badged.as_mut() else { return };
        match id {
            TapId::Task(task) => {
                let Some(card) = badged.list.cards.iter().find(|card| card.line.task.task == task) else { return };
                if card.line.task.lot_required && badged.lot.is_none() {
                    self.open_lot(Some(task));
                } else {
                    self.ask(task);
                }
            }
            TapId::LotSame => self.same_lot(),
            TapId::Action(Action::Lot) => self.open_lot(None),
            TapId::Action(Action::Sessions) => {
                badged.sessions_page = 0;
                self.screen = Screen::Sessions;
            }
            TapId::Action(Action::Records) => self.open_records(),
            TapId::Page(forward) => badged.list.page = turned(badged.list.page, forward),
            _ => {}
        }
        if let Some(badged) = self.badged.as_mut() {
            badged.list.page = page_of(badged.list.cards.len(), badged.list.page, TASKS_A_PAGE).0;
        }
    }

    pub(super) fn ask(&mut self, task: TaskId) {
        let Some(badged) = self.badged.as_mut() else { return };
        badged.task = Some(task.clone());
        let what = What::Ask { person: badged.seen.person.clone(), task, lot: badged.lot.clone() };
        self.send(Purpose::Ask, what);
    }

    pub(super) fn tap_sessions(&mut self, id: TapId) {
        let Some(badged) = self.badged.as_mut() else { return };
        match id {
            TapId::Action(Action::Back) => self.back_to_tasks(),
            TapId::Page(forward) => {
                let page = turned(badged.sessions_page, forward);
                badged.sessions_page = page_of(self.snapshot.sessions.len(), page, ROWS_A_PAGE).0;
            }
            TapId::End(session) => {
                self.snapshot.sessions.retain(|running| running.session != session);
                self.send(Purpose::End, What::EndSession { session, how: SessionEnd::Tap });
            }
            _ => {}
        }
    }

    pub(super) fn tasks_view(&self, badged: &Badged) -> view::Tasks {
        let (page, pages, rows) = page_of(badged.list.cards.len(), badged.list.page, TASKS_A_PAGE);
        let last = self.last_lot.as_ref().filter(|last| badged.lot.as_ref() != Some(last));
        view::Tasks {
            rows: badged.list.cards[rows].iter().map(|card| self.task_row(card)).collect(),
            page: count(page + 1),
            pages: count(pages),
            lot: text(badged.lot.as_ref().map(LotId::as_str)),
            last_lot: text(last.map(LotId::as_str)),
            kept: self.left.as_ref().map_or_else(String::new, |(name, _)| name.clone()),
            sessions: count(self.snapshot.sessions.len()),
        }
    }

    fn task_row(&self, card: &TaskCard) -> view::TaskRow {
        let (task, plant) = (&card.line.task, &self.snapshot.plant);
        let governed = task.requirements.iter().filter_map(|id| plant.requirements.get(id)?.document.as_ref()).next();
        let version = governed.and_then(|document| match plant.documents.get(document)?.in_force(self.wall()) {
            InForce::Version(version) => Some(version.id().clone()),
            _ => None,
        });
        let (state, days) = self.task_state(card);
        view::TaskRow {
            id: task.task.to_string(),
            title: task.title.clone(),
            document: text(governed.map(|document| document.as_str())),
            version: edition_of(version.as_ref()),
            state,
            days,
        }
    }

    fn task_state(&self, card: &TaskCard) -> (TaskState, i32) {
        let decision = &card.line.decision;
        // A lot is asked for when it is needed: it makes no task look closed.
        let mut reasons = decision.reasons.iter().filter(|reason| **reason != Reason::LotNeeded).peekable();
        if decision.answer.may_start() || reasons.peek().is_none() {
            let left = card.expires_at.map(|at| at.since(self.wall()).div_euclid(DAY_MS));
            return match left.filter(|days| *days < DUE_SOON_DAYS) {
                Some(days) => (TaskState::DueSoon, count(days.max(0))),
                None => (TaskState::Ready, 0),
            };
        }
        let state = match reasons
            .find(|reason| !matches!(reason, Reason::TrainingNeeded { .. } | Reason::PrerequisiteMissing { .. }))
        {
            Some(Reason::OnHold { .. }) => TaskState::OnHold,
            Some(_) => TaskState::Blocked,
            None if decision.missing.iter().any(|missing| super::verdict::has_begun(&missing.state)) => {
                TaskState::InTraining
            }
            None => TaskState::TrainingNeeded,
        };
        (state, 0)
    }

    pub(super) fn sessions_view(&self, badged: &Badged) -> view::Sessions {
        let sessions = &self.snapshot.sessions;
        let (page, pages, rows) = page_of(sessions.len(), badged.sessions_page, ROWS_A_PAGE);
        let rows = sessions[rows].iter().map(|session| self.session_row(session)).collect();
        view::Sessions { rows, page: count(page + 1), pages: count(pages) }
    }

    pub(super) fn session_row(&self, session: &TaskSession) -> view::SessionRow {
        let plant = &self.snapshot.plant;
        // The first document whose version in force is another by now.
        let changed = session.versions.iter().find_map(|(document, began)| {
            match plant.documents.get(document)?.in_force(self.wall()) {
                InForce::Version(now) if now.id() != began => Some((document, began, now)),
                _ => None,
            }
        });
        let notice = changed.map_or(SessionNotice::None, |(_, _, now)| match now.approved.in_flight {
            shared::kind::plant::InFlight::Finish => SessionNotice::Finish,
            shared::kind::plant::InFlight::Stop => SessionNotice::Stop,
        });
        view::SessionRow {
            id: session.session.to_string(),
            person: plant.printed_name(&session.person),
            task: task_title(plant, &session.task),
            lot: text(session.lot.as_ref().map(LotId::as_str)),
            work_unit: unit_name(plant, &session.work_unit),
            since: self.say().moment(session.started_at),
            notice,
            document: text(changed.map(|(document, ..)| document.as_str())),
            began_on: changed.map_or_else(String::new, |(_, began, _)| edition(began)),
            in_force: changed.map_or_else(String::new, |(_, _, now)| edition(now.id())),
        }
    }
}

impl Badged {
    /// Puts away what belongs to the task before: the list is a fresh start. The lot stays, and so does what is half done.
    fn put_away(&mut self) {
        self.kept.pages = self.reader.take().and_then(|reading| reading.seen()).or(self.kept.pages.take());
        self.kept.check = self.check.take().map(|checking| checking.marks()).or(self.kept.check.take());
        (self.task, self.verdict, self.training) = (None, None, None);
        (self.quiz, self.sheet, self.signing, self.receipt, self.supervised) = (None, None, None, None, None);
    }
}

pub(super) fn turned(page: usize, forward: bool) -> usize {
    if forward { page + 1 } else { page.saturating_sub(1) }
}
