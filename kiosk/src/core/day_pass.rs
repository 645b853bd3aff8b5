//! Help for who has no badge with them, without a network: a supervisor vouches for them for some hours, or reports their badge lost (S6,
//! S13, R15).

use std::collections::BTreeMap;

use rusqlite::Connection;
use shared::id::*;
use shared::kind::presence::{BadgeIn, SessionEnd};
use shared::kind::record::{BadgeLost, DayPass};
use shared::kind::{Meaning, Role};
use shared::log::entry::Credential;
use shared::log::{Entry, Stream, Subject};
use shared::part11::authority::Right;
use shared::record::day_pass::DayPass as Pass;
use shared::time::{ClockReading, HOUR_MS, Timestamp};
use store::{StoreError, questions};

use crate::clock::MOST_OFF_MS;

use super::badge::PersonSeen;
use super::secret::Signer;
use super::{BadgeSession, Core, Denied};

/// Passes read at a time.
const PAGE: usize = 256;
/// Passes that are remembered: far more than any site gives in the longest time of one. Beyond it those that count for nothing are forgotten,
/// from the oldest on: however many a terminal makes up, they hide none that counts.
const MOST_REMEMBERED: usize = 1_024;
/// A pass that ended so long ago isn't remembered: no clock that is believed is put right by more, in milliseconds.
const LONG_OVER_MS: i64 = MOST_OFF_MS;

/// The passes that may be good, each read once: every look of the screen asks for them, and an entry never changes.
#[derive(Default)]
pub(super) struct Passes {
    /// The row of the store up to which they were read.
    through: i64,
    remembered: Vec<(PersonId, EntryId, Pass)>,
}

impl Passes {
    fn read_on(&mut self, connection: &Connection, clock: ClockReading) -> Result<(), StoreError> {
        let long_over = clock.earliest().minus_ms(LONG_OVER_MS);
        loop {
            let page = questions::day_passes_behind(connection, self.through, PAGE)?;
            let Some((last, _)) = page.last() else { return Ok(()) };
            self.through = *last;
            for (_, entry) in &page {
                if let (Some(person), Some(pass)) = (entry.subject().as_person(), Pass::of(entry)) {
                    self.remembered.push((person, entry.id(), pass));
                }
            }
            self.remembered.retain(|(.., pass)| pass.until > long_over);
            self.make_room(connection)?;
        }
    }

    /// Only once there are twice as many, so that each is asked about few times however many come.
    fn make_room(&mut self, connection: &Connection) -> Result<(), StoreError> {
        if self.remembered.len() < 2 * MOST_REMEMBERED {
            return Ok(());
        }
        let mut too_many = self.remembered.len() - MOST_REMEMBERED;
        let mut kept = Vec::with_capacity(MOST_REMEMBERED);
        for (person, id, pass) in std::mem::take(&mut self.remembered) {
            if too_many > 0 && !questions::verdict(connection, &id)?.is_effective() {
                too_many -= 1;
            } else {
                kept.push((person, id, pass));
            }
        }
        self.remembered = kept;
        Ok(())
    }
}

/// Why somebody can't have a day pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoPass {
    Inactive,
    OtherSite,
    LockedOut,
    /// Without a secret of their own nothing would say who comes: signing set-up is first, with the badge.
    NoSecret,
    /// The plant gives none.
    RuledOut,
}

/// Somebody whose day pass is good now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PassHolder {
    pub person: PersonSeen,
    pub until: Timestamp,
    pub pass: EntryId,
}

impl Core {
    /// Whether `by` may vouch for the person here, and whether the person can have a pass; asked before the secret is.
    pub fn may_give_pass(&mut self, by: &PersonId, person: &PersonId) -> Result<(), Denied> {
        self.may_stand_for(by, person, &Right::Lead)?;
        if self.plant().policy.session.longest_day_pass_hours() == 0 {
            return Err(Denied::NoPass(NoPass::RuledOut));
        }
        self.may_come_by_pass(person)?.map_or(Ok(()), |why| Err(Denied::NoPass(why)))
    }

    fn may_come_by_pass(&mut self, person: &PersonId) -> Result<Option<NoPass>, Denied> {
        let (site, now, plant) = (self.site()?, self.reading().wall, self.plant().clone());
        Ok(match () {
            () if !plant.is_active(person, now) => Some(NoPass::Inactive),
            () if !plant.works_at(person, &site, now) => Some(NoPass::OtherSite),
            () if self.locked_out(person)? => Some(NoPass::LockedOut),
            () if self.secret_of(person)?.is_none() => Some(NoPass::NoSecret),
            () => None,
        })
    }

    /// Vouches for the person until then, or to the end of their shift, and never longer than the plant allows.
    pub fn give_day_pass(
        &mut self,
        person: &PersonId,
        identification: &str,
        until: Option<Timestamp>,
        by: &Signer,
    ) -> Result<Entry, Denied> {
        self.may_give_pass(&by.person, person)?;
        if identification.trim().is_empty() {
            return Err(Denied::NoIdentityProof);
        }
        let key = self.unlock(by)?;
        let longest = self.longest_pass();
        let until = until.or_else(|| self.end_of_shift(person)).map_or(longest, |until| until.min(longest));
        let body = DayPass { until, identification: identification.to_owned() };
        let draft = self.draft(Subject::person(person), body);
        let draft = self.signed(draft, &by.person, &key, Role::Supervisor, Meaning::IdentityVerified, None);
        let stream = Stream::record(&self.site()?);
        self.write(vec![(stream, draft)])?.pop().ok_or(Denied::Unknown)
    }

    /// The latest end of a pass that is given now.
    fn longest_pass(&mut self) -> Timestamp {
        let hours = self.plant().policy.session.longest_day_pass_hours();
        self.reading().wall.plus_ms(i64::from(hours) * HOUR_MS)
    }

    fn end_of_shift(&mut self, person: &PersonId) -> Option<Timestamp> {
        let now = self.reading().wall;
        self.plant().shift_ends(person, &self.enrolment()?.work_units, now)
    }

    /// Everybody whose day pass is good here and now, by name.
    pub fn pass_holders(&mut self) -> Result<Vec<PassHolder>, Denied> {
        if self.enrolment().is_none() {
            return Ok(Vec::new());
        }
        let clock = self.reading();
        let mut latest: BTreeMap<PersonId, (Timestamp, EntryId)> = BTreeMap::new();
        self.passes.read_on(self.ledger.connection(), clock)?;
        for (person, id, pass) in &self.passes.remembered {
            let is_later = latest.get(person).is_none_or(|(other, _)| *other < pass.until);
            if is_later && self.stands(id, pass, clock)? {
                latest.insert(person.clone(), (pass.until, *id));
            }
        }
        let mut holders = Vec::new();
        for (person, (until, pass)) in latest {
            // Locked out, they are told so when they come.
            if matches!(self.may_come_by_pass(&person)?, None | Some(NoPass::LockedOut)) {
                holders.push(PassHolder { person: self.person_seen(&person)?, until, pass });
            }
        }
        holders.sort_by(|a, b| a.person.printed_name.cmp(&b.person.printed_name));
        Ok(holders)
    }

    /// Whether a pass is good now, and who gave it had the right.
    fn stands(&self, id: &EntryId, pass: &Pass, clock: ClockReading) -> Result<bool, Denied> {
        Ok(pass.is_good(clock) && questions::verdict(self.ledger.connection(), id)?.is_effective())
    }

    /// Opens a badge session without a badge. No badge shows who comes: their own secret does, in every profile, and nothing is written in
    /// their name before.
    pub fn enter_by_pass(&mut self, who: &Signer) -> Result<(), Denied> {
        let holder = self.pass_holders()?.into_iter().find(|holder| holder.person.person == who.person);
        let holder = holder.ok_or(Denied::NoSession)?;
        // Only the right secret begins anew what this terminal had ended.
        let over = self.over.take();
        let unlocked = match self.unlock(who) {
            Ok(unlocked) => unlocked,
            Err(denied) => {
                self.over = over;
                return Err(denied);
            }
        };
        self.begin_session(BadgeSession {
            person: who.person.clone(),
            credential: Some(Credential::DayPass(holder.pass)),
            unlocked: None,
            quiz: None,
        })?;
        self.keep_unlocked(&who.person, unlocked)
    }

    /// Opens a session; the one before ends here and now, with nothing of it left to the next person (S2).
    pub(super) fn begin_session(&mut self, session: BadgeSession) -> Result<(), Denied> {
        let mut drafts = self.leaving(SessionEnd::NextBadge)?;
        let body = BadgeIn { day_pass: session.is_by_pass() };
        drafts.push((Stream::presence(&self.site()?), self.draft(Subject::person(&session.person), body)));
        (self.session, self.over) = (None, None);
        self.write(drafts)?;
        self.session = Some(session);
        Ok(())
    }

    /// Ends the session of somebody whose pass has run out, or was found void. What they have begun goes on as after any badge-out (S11).
    pub(super) fn heed_day_pass(&mut self) -> Result<(), Denied> {
        let Some(session) = &self.session else { return Ok(()) };
        let (person, Some(Credential::DayPass(id))) = (session.person.clone(), session.credential) else {
            return Ok(());
        };
        let clock = self.reading();
        let given = store::shelf::entry(self.ledger.connection(), &id)?.and_then(|entry| Pass::of(&entry));
        let stands = given.map(|pass| self.stands(&id, &pass, clock)).transpose()?.unwrap_or(false);
        if stands && matches!(self.may_come_by_pass(&person)?, None | Some(NoPass::LockedOut)) {
            return Ok(());
        }
        let drafts = self.leaving(SessionEnd::TimeOut)?;
        (self.session, self.over) = (None, Some(person));
        self.write(drafts).map(drop)
    }

    /// Refuses what a day pass gives no word in: another's record, and the terminal itself.
    pub(super) fn has_a_badge(&self, person: &PersonId) -> Result<(), Denied> {
        let by_pass = self.session.as_ref().is_some_and(|session| session.person == *person && session.is_by_pass());
        if by_pass { Err(Denied::ByDayPass) } else { Ok(()) }
    }

    /// Whether `by` may report the person's badge lost: their own, or anybody's where they lead.
    pub fn may_report_lost(&mut self, by: &PersonId, person: &PersonId) -> Result<(), Denied> {
        if by != person {
            self.may_stand_for(by, person, &Right::Lead)?;
        }
        self.badge_to_lose(person).map(drop)
    }

    fn badge_to_lose(&self, person: &PersonId) -> Result<BadgeHash, Denied> {
        let badge = self.plant().people.get(person).ok_or(Denied::Unknown)?.badge;
        badge.filter(|badge| !self.plant().disabled_badges.contains_key(badge)).ok_or(Denied::NoBadge)
    }

    /// Ends the badge the person has as known here: at this terminal at once, elsewhere with the news (R15). A badge is lost no later than it
    /// is reported.
    pub fn report_lost_badge(
        &mut self,
        person: &PersonId,
        since: Option<Timestamp>,
        reason: &str,
        by: &Signer,
    ) -> Result<Entry, Denied> {
        self.may_report_lost(&by.person, person)?;
        if reason.trim().is_empty() {
            return Err(Denied::NoReason);
        }
        let (badge, key) = (self.badge_to_lose(person)?, self.unlock(by)?);
        let now = self.reading().wall;
        let since = since.map(|since| since.min(now));
        let draft = self.draft(Subject::person(person), BadgeLost { badge, reason: reason.to_owned(), since });
        let role = if by.person == *person { Role::Operator } else { Role::Supervisor };
        let draft = self.signed(draft, &by.person, &key, role, Meaning::Reported, None);
        let stream = Stream::record(&self.site()?);
        let entry = self.write(vec![(stream, draft)])?.pop().ok_or(Denied::Unknown)?;
        self.heed_badges();
        Ok(entry)
    }
}
