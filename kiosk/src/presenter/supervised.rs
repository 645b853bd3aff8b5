//! A supervised start running: who works, who watches, how long until the trainer must say "still here" (S3).

use shared::id::{ActId, LotId, PersonId, TaskId};
use shared::kind::presence::SessionEnd;
use shared::time::{HOUR_MS, MINUTE_MS, SECOND_MS, Timestamp};
use shared::training::task_session::TaskSession;

use super::id::{Action, TapId};
use super::message::*;
use super::say::{count, task_title, text, unit_name};
use super::view::{self, Screen, SupervisedEnd, SupervisedState};
use super::{Badged, Presenter, Purpose, signing};
use crate::core::badge::PersonSeen;

/// The last minute of the interval asks for the confirmation.
const CONFIRM_NOW_MS: i64 = MINUTE_MS;

/// A supervised start on view.
pub(super) struct Watched {
    session: ActId,
    trainer: PersonSeen,
    task: TaskId,
    lot: Option<LotId>,
    started_at: Timestamp,
    confirmed_at: Timestamp,
    end: Option<SupervisedEnd>,
}

impl Watched {
    pub fn session(&self) -> ActId {
        self.session
    }
    pub fn trainer(&self) -> &PersonSeen {
        &self.trainer
    }
    pub fn is_trainer(&self, person: &PersonId) -> bool {
        self.trainer.person == *person
    }
    pub fn runs(&self) -> bool {
        self.end.is_none()
    }
}

impl Presenter {
    pub(super) fn start_supervised(&mut self) {
        self.begin_signing(signing::Act::Supervised);
    }

    /// The gate said GO under this trainer's eyes.
    pub(super) fn watch(&mut self, trainer: PersonSeen) {
        let Some(badged) = self.badged.as_mut() else { return };
        let Some((session, at)) = badged.verdict.as_ref().and_then(|reply| Some((reply.verdict.session?, reply.at)))
        else {
            return;
        };
        let Some(task) = badged.task.clone() else { return };
        let (lot, started_at) = (badged.lot.clone(), at);
        badged.supervised = Some(Watched { session, trainer, task, lot, started_at, confirmed_at: at, end: None });
        self.screen = Screen::Supervised;
    }

    /// The person's own supervised start that runs here, when they come back to it.
    pub(super) fn own_supervised(&self) -> Option<TaskSession> {
        let person = &self.badged.as_ref()?.seen.person;
        self.snapshot.sessions.iter().find(|session| session.person == *person && session.trainer.is_some()).cloned()
    }

    pub(super) fn watch_again(&mut self, session: &TaskSession) {
        let Some(trainer) = session.trainer.clone() else { return };
        let printed_name = self.snapshot.plant.printed_name(&trainer);
        let Some(badged) = self.badged.as_mut() else { return };
        let language = badged.seen.language.clone();
        let trainer = PersonSeen { person: trainer, printed_name, language, locked_out: false, secret: None };
        badged.task = Some(session.task.clone());
        badged.lot = session.lot.clone();
        badged.supervised = Some(Watched {
            session: session.session,
            trainer,
            task: session.task.clone(),
            lot: session.lot.clone(),
            started_at: session.started_at,
            confirmed_at: session.confirmed_at.unwrap_or(session.started_at),
            end: None,
        });
        self.screen = Screen::Supervised;
    }

    pub(super) fn tap_supervised(&mut self, id: TapId) {
        let Some(badged) = self.badged.as_mut() else { return };
        let Some(watched) = badged.supervised.as_mut() else { return };
        let session = watched.session;
        match (id, watched.runs()) {
            (TapId::Action(Action::End), true) => {
                watched.end = Some(SupervisedEnd::ByTap);
                self.snapshot.sessions.retain(|running| running.session != session);
                self.send(Purpose::End, What::EndSession { session, how: SessionEnd::Tap });
            }
            (TapId::Action(Action::Confirm), true) => self.begin_signing(signing::Act::Confirm { session }),
            (TapId::Action(Action::Back), false) => self.back_to_tasks(),
            (TapId::Next, false) if badged.verdict.is_some() => self.start_training(),
            (TapId::Next, false) => self.ask_again(),
            _ => {}
        }
    }

    /// The trainer's badge on this screen confirms without further words.
    pub(super) fn confirm_by_badge(&mut self, trainer: PersonSeen) {
        let watched = self.badged.as_ref().and_then(|badged| badged.supervised.as_ref());
        if let Some(session) = watched.filter(|watched| watched.runs()).map(Watched::session) {
            if self.asks_who_holds_the_badge() {
                self.begin_signing(signing::Act::Confirm { session });
                return self.second_is_here(trainer);
            }
            let what = What::ConfirmTrainer { session, trainer: trainer.person, secret: None };
            self.send(Purpose::Confirm, what);
        }
    }

    pub(super) fn confirmed(&mut self) {
        let wall = self.wall();
        let Some(badged) = self.badged.as_mut() else { return };
        badged.signing = None;
        if let Some(watched) = badged.supervised.as_mut() {
            watched.confirmed_at = wall;
            self.screen = Screen::Supervised;
        }
    }

    /// What the terminal's sessions say of the supervised start on view.
    pub(super) fn follow_supervised(&mut self) {
        let Some(watched) = self.badged.as_mut().and_then(|badged| badged.supervised.as_mut()) else { return };
        if !watched.runs() {
            return;
        }
        if let Some((_, how)) = self.snapshot.ended.iter().find(|(session, _)| *session == watched.session) {
            watched.end = Some(end_of(*how));
        } else if let Some(session) = self.snapshot.sessions.iter().find(|running| running.session == watched.session) {
            watched.confirmed_at = watched.confirmed_at.max(session.confirmed_at.unwrap_or(watched.confirmed_at));
        }
    }

    pub(super) fn pass_supervised_time(&mut self) {
        let (wall, interval_ms, most_ms) = (self.wall(), self.interval_ms(), self.most_ms());
        let allowed_ms = i64::from(self.snapshot.plant.policy.idle.task_seconds) * SECOND_MS;
        let unattended = self.screen == Screen::Supervised && self.now.since(self.touched) >= allowed_ms;
        let Some(badged) = self.badged.as_mut() else { return };
        let Some(watched) = badged.supervised.as_mut() else { return };
        // The screen doesn't wait for the store to say so.
        if watched.runs() && wall.since(watched.confirmed_at) > interval_ms {
            watched.end = Some(SupervisedEnd::NotConfirmed);
        }
        if watched.runs() && wall.since(watched.started_at) >= most_ms {
            watched.end = Some(SupervisedEnd::TimeOver);
        }
        if unattended && badged.unlocked {
            badged.unlocked = false;
            self.send(Purpose::Nothing, What::Lock);
        }
    }

    fn interval_ms(&self) -> i64 {
        i64::from(self.snapshot.plant.policy.trainee.confirm_minutes) * MINUTE_MS
    }

    fn most_ms(&self) -> i64 {
        i64::from(self.snapshot.plant.policy.session.task_session_max_hours) * HOUR_MS
    }

    pub(super) fn supervised_view(&self, badged: &Badged) -> view::Supervised {
        let Some(watched) = &badged.supervised else { return view::Supervised::default() };
        let plant = &self.snapshot.plant;
        let (document, _, version) = self.what_is_signed(badged);
        let left_ms = (self.interval_ms() - self.wall().since(watched.confirmed_at)).max(0);
        let unit = plant
            .tasks
            .get(&watched.task)
            .and_then(|task| self.snapshot.status.work_units.iter().find(|unit| task.work_units.contains(unit)));
        view::Supervised {
            state: match watched.end {
                Some(_) => SupervisedState::Ended,
                None if left_ms <= CONFIRM_NOW_MS => SupervisedState::ConfirmNow,
                None => SupervisedState::Running,
            },
            end: watched.end.unwrap_or_default(),
            trainee: badged.seen.printed_name.clone(),
            trainer: watched.trainer.printed_name.clone(),
            task: task_title(plant, &watched.task),
            document,
            version,
            lot: text(watched.lot.as_ref().map(LotId::as_str)),
            work_unit: unit.map_or_else(String::new, |unit| unit_name(plant, unit)),
            since: self.say().clock(watched.started_at),
            minutes_left: count((left_ms + MINUTE_MS - 1) / MINUTE_MS),
            seconds_left: count((left_ms + SECOND_MS - 1) / SECOND_MS),
            every_minutes: count(plant.policy.trainee.confirm_minutes),
        }
    }
}

fn end_of(how: SessionEnd) -> SupervisedEnd {
    match how {
        SessionEnd::Tap | SessionEnd::Idle => SupervisedEnd::ByTap,
        SessionEnd::BadgeOut | SessionEnd::NextBadge => SupervisedEnd::BadgeOut,
        SessionEnd::Elsewhere => SupervisedEnd::BadgeElsewhere,
        SessionEnd::TimeOut => SupervisedEnd::TimeOver,
        SessionEnd::TrainerSilent => SupervisedEnd::NotConfirmed,
        SessionEnd::NewVersion => SupervisedEnd::NewVersion,
        SessionEnd::NextStart => SupervisedEnd::NextStart,
        SessionEnd::Blocked => SupervisedEnd::Blocked,
    }
}
