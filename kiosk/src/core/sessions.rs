//! Task sessions: what runs, and what ends it (S3, S11). A session outlives the badge session that began it.

use shared::id::*;
use shared::kind::plant::InFlight;
use shared::kind::presence::{SessionEnd, TaskEnded, TrainerConfirmed};
use shared::kind::{Body, Statement};
use shared::log::{Draft, Stream, Subject};
use shared::plant::{InForce, Plant};
use shared::time::{HOUR_MS, MINUTE_MS, Timestamp};
use shared::training::task_session::TaskSession;
use store::questions;

use super::secret::Signer;
use super::{Core, Denied};

/// Sessions of a unit among which an ended one is looked for: as many as a screen can still be about.
const LATEST: u32 = 16;

/// Where somebody else's kiosk saw a person, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sighting {
    In(Timestamp),
    Out(Timestamp),
}

impl Core {
    /// Task sessions that run at the kiosk's work units now.
    pub fn running_sessions(&mut self) -> Result<Vec<TaskSession>, Denied> {
        let units = self.enrolment().ok_or(Denied::NotSetUp)?.work_units.clone();
        self.running_at(units.iter())
    }

    fn running_at<'u>(&mut self, units: impl Iterator<Item = &'u WorkUnitId>) -> Result<Vec<TaskSession>, Denied> {
        let now = self.reading().wall;
        let here = self.enrolment().ok_or(Denied::NotSetUp)?.device;
        let max = self.plant().policy.session.task_session_max_hours;
        let mut running = Vec::new();
        for unit in units {
            let open = questions::open_sessions(self.ledger.connection(), unit, &here)?;
            running.extend(open.into_iter().filter(|session| session.runs(now, max)));
        }
        Ok(running)
    }

    /// How the latest sessions at the kiosk's work units ended, for a screen that was about one of them.
    pub fn ended_sessions(&mut self) -> Result<Vec<(ActId, SessionEnd)>, Denied> {
        let longest_ms = i64::from(self.plant().policy.session.task_session_max_hours) * HOUR_MS;
        let since = self.reading().wall.minus_ms(2 * longest_ms);
        let units = self.enrolment().ok_or(Denied::NotSetUp)?.work_units.clone();
        let mut ended = Vec::new();
        for unit in &units {
            let latest = questions::latest_sessions(self.ledger.connection(), unit, since, LATEST)?;
            ended.extend(latest.into_iter().filter_map(|session| Some((session.session, session.ended_how?))));
        }
        Ok(ended)
    }

    /// People whom the trainer supervises now, at any terminal of the site as known here (S3).
    pub(super) fn trainees_of(&mut self, trainer: &PersonId) -> Result<u32, Denied> {
        let (site, plant) = (self.site()?, self.plant().clone());
        let units = plant.work_units.iter().filter(|(_, set)| set.site == site).map(|(unit, _)| unit);
        let running = self.running_at(units)?;
        let trainees = running.iter().filter(|session| session.trainer.as_ref() == Some(trainer)).count();
        Ok(u32::try_from(trainees).unwrap_or(u32::MAX))
    }

    /// The next start at a unit ends what ran there (S11).
    pub(super) fn ended_by_start(&mut self, unit: &WorkUnitId) -> Result<Vec<TaskSession>, Denied> {
        Ok(self.running_sessions()?.into_iter().filter(|session| session.work_unit == *unit).collect())
    }

    pub(super) fn ending(&self, session: &TaskSession, how: SessionEnd) -> Draft {
        self.draft(Subject::new("session", session.session), TaskEnded { session: session.session, how })
    }

    /// Supervised work ends with the badge-out of one of its two people (S3). It outlives a swap: the next badge is no badge-out.
    pub(super) fn endings_by_badge_out(&mut self, person: &PersonId) -> Result<Vec<(Stream, Draft)>, Denied> {
        let presence = Stream::presence(&self.site()?);
        let running = self.running_sessions()?;
        let theirs = running.iter().filter(|session| people_of(session).any(|one| one == person));
        let supervised = theirs.filter(|session| session.trainer.is_some());
        Ok(supervised.map(|session| (presence.clone(), self.ending(session, SessionEnd::BadgeOut))).collect())
    }

    /// Ends a task session by tap.
    pub fn end_session(&mut self, session: &ActId, how: SessionEnd) -> Result<(), Denied> {
        let running = questions::session(self.ledger.connection(), session)?.ok_or(Denied::Unknown)?;
        let draft = self.ending(&running, how);
        let presence = Stream::presence(&self.site()?);
        self.write(vec![(presence, draft)]).map(drop)
    }

    /// The trainer is still there (S3): their badge says so, with their secret where a badge alone says nothing (R16).
    pub fn confirm_trainer(&mut self, session: &ActId, trainer: &PersonId, secret: Option<&str>) -> Result<(), Denied> {
        self.has_a_badge(trainer)?;
        if let Some(secret) = secret {
            self.unlock(&Signer { person: trainer.clone(), secret: secret.to_owned() })?;
        } else if self.plant().policy.signing.profile.asks_who_holds_the_badge() {
            return Err(Denied::NotIdentified);
        }
        let body = TrainerConfirmed { session: *session, trainer: trainer.clone() };
        let draft = self.draft(Subject::new("session", session), body);
        let presence = Stream::presence(&self.site()?);
        self.write(vec![(presence, draft)]).map(drop)
    }

    /// Ends what has run too long, what a new version or a block stops, supervised work nobody confirmed, and the work of people who are
    /// elsewhere as known here. Called by the clock.
    pub fn end_overdue_sessions(&mut self) -> Result<usize, Denied> {
        if let Err(error) = self.keep_seen() {
            tracing::error!(%error, "how late it is could not be kept: it is tried again");
        }
        if self.retiring_because().is_some() {
            return Ok(0);
        }
        self.heed_day_pass()?;
        let now = self.reading().wall;
        let plant = self.plant().clone();
        let enrolment = self.enrolment().ok_or(Denied::NotSetUp)?;
        let (here, units) = (enrolment.device, enrolment.work_units.clone());
        let mut over = Vec::new();
        for unit in units {
            for session in questions::open_sessions(self.ledger.connection(), &unit, &here)? {
                let how = match why_over(&session, &plant, now) {
                    None => self.gone_elsewhere(&session)?,
                    how => how,
                };
                over.extend(how.map(|how| self.ending(&session, how)));
            }
        }
        let presence = Stream::presence(&self.site()?);
        let count = over.len();
        if count > 0 {
            self.write(over.into_iter().map(|draft| (presence.clone(), draft)).collect())?;
        }
        Ok(count)
    }

    /// Whether one of its people was seen at another kiosk since they were last known to be here. For supervised work a badge shown
    /// elsewhere is enough (S3); other work ends when its person signs out elsewhere (S11).
    fn gone_elsewhere(&mut self, session: &TaskSession) -> Result<Option<SessionEnd>, Denied> {
        let here_at = session.confirmed_at.unwrap_or(session.started_at);
        for person in people_of(session) {
            match self.seen_elsewhere(person, here_at)? {
                Some(Sighting::In(_)) if session.trainer.is_some() => return Ok(Some(SessionEnd::Elsewhere)),
                Some(Sighting::Out(_)) if session.trainer.is_some() => return Ok(Some(SessionEnd::BadgeOut)),
                Some(Sighting::Out(_)) => return Ok(Some(SessionEnd::Elsewhere)),
                _ => {}
            }
        }
        Ok(None)
    }

    /// The last a kiosk other than this one said of the person after `since`. Nobody was seen after now, whatever another's clock says.
    fn seen_elsewhere(&mut self, person: &PersonId, since: Timestamp) -> Result<Option<Sighting>, Denied> {
        let own = self.enrolment().map(|enrolment| enrolment.device);
        let (now, subject) = (self.reading().latest(), Subject::person(person));
        let mut last = None;
        for kind in ["badge_in", "badge_out"] {
            for entry in questions::entries_of_kind(self.ledger.connection(), subject.as_str(), kind)? {
                let at = entry.header().wall;
                let elsewhere = Some(entry.log().device) != own && at > since && at <= now;
                if elsewhere
                    && last.is_none_or(|(latest, _)| latest < at)
                    && questions::verdict(self.ledger.connection(), &entry.id())?.is_effective()
                {
                    last = sighting(entry.statement().ok().flatten(), at).map(|seen| (at, seen)).or(last);
                }
            }
        }
        Ok(last.map(|(_, seen)| seen))
    }
}

/// A badge session that ended by itself says nothing about where its person is.
fn sighting(statement: Option<Statement>, at: Timestamp) -> Option<Sighting> {
    match statement?.body {
        Body::BadgeIn(_) => Some(Sighting::In(at)),
        Body::BadgeOut(out) if out.how == SessionEnd::Tap => Some(Sighting::Out(at)),
        _ => None,
    }
}

fn people_of(session: &TaskSession) -> impl Iterator<Item = &PersonId> {
    std::iter::once(&session.person).chain(&session.trainer)
}

fn why_over(session: &TaskSession, plant: &Plant, now: Timestamp) -> Option<SessionEnd> {
    let confirm_ms = i64::from(plant.policy.trainee.confirm_minutes) * MINUTE_MS;
    if !session.runs(now, plant.policy.session.task_session_max_hours) {
        return Some(SessionEnd::TimeOut);
    }
    if session.confirmed_at.is_some_and(|confirmed| now.since(confirmed) > confirm_ms) {
        return Some(SessionEnd::TrainerSilent);
    }
    let task = plant.tasks.get(&session.task).filter(|_| session.trainer.is_some());
    if task.is_some_and(|task| !plant.blocks_on(&session.person, task, now).is_empty()) {
        return Some(SessionEnd::Blocked);
    }
    let stopped = session.versions.iter().any(|(document, version)| {
        match plant.documents.get(document).map(|d| d.in_force(now)) {
            Some(InForce::Version(current)) => current.id() != version && current.approved.in_flight == InFlight::Stop,
            _ => true,
        }
    });
    stopped.then_some(SessionEnd::NewVersion)
}
