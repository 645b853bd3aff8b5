//! Badges: who stands here, and may they.

use shared::id::*;
use shared::kind::journal::DeviceEvent;
use shared::kind::presence::{BadgeOut, SessionEnd};
use shared::kind::to_cbor;
use shared::log::entry::Credential;
use shared::log::{Stream, Subject};
use shared::part11::boxes::badge_hash;
use shared::part11::strength::SecretKind;
use store::questions;

use super::{BadgeSession, Core, Denied};

/// The setting that keeps which disabled badges the journal has named.
const BADGES_REFUSED: &str = "badges_refused";
/// Badges that one entry of the journal names.
const BADGES_AN_ENTRY: usize = 100;

fn refusing(badges: &[BadgeHash]) -> DeviceEvent {
    let detail = badges.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    DeviceEvent { what: DeviceEvent::BADGES_REFUSED.into(), detail }
}

/// What a badge means here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BadgeSeen {
    Person(PersonSeen),
    Unknown,
    Disabled {
        reason: String,
    },
    Inactive {
        printed_name: String,
    },
    /// The person works, but not at this site as far as is known here.
    OtherSite {
        printed_name: String,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonSeen {
    pub person: PersonId,
    pub printed_name: String,
    pub language: Language,
    pub locked_out: bool,
    /// With what the person signs here; nothing before they have set up signing, or when what they chose isn't enough here.
    pub secret: Option<SecretKind>,
}

impl PersonSeen {
    pub fn can_sign(&self) -> bool {
        self.secret.is_some()
    }
}

impl Core {
    /// Looks a badge up. Nothing is written.
    pub fn look_up_badge(&mut self, badge: &str) -> Result<BadgeSeen, Denied> {
        let member = self.member.as_ref().ok_or(Denied::NotSetUp)?;
        let (hash, site) = (badge_hash(member.enrolled.peppers.first(), badge), member.enrolment.site.clone());
        let (plant, now) = (self.plant().clone(), self.reading().wall);
        if let Some(lost) = plant.disabled_badges.get(&hash) {
            return Ok(BadgeSeen::Disabled { reason: lost.reason.clone() });
        }
        let Some(person) = plant.badges.get(&hash) else { return Ok(BadgeSeen::Unknown) };
        let printed_name = plant.printed_name(person);
        if !plant.is_active(person, now) {
            return Ok(BadgeSeen::Inactive { printed_name });
        }
        if !plant.works_at(person, &site, now) {
            return Ok(BadgeSeen::OtherSite { printed_name });
        }
        Ok(BadgeSeen::Person(self.person_seen(person)?))
    }

    pub(crate) fn person_seen(&mut self, person: &PersonId) -> Result<PersonSeen, Denied> {
        let plant = self.plant().clone();
        let described = plant.people.get(person).ok_or(Denied::Unknown)?;
        Ok(PersonSeen {
            person: person.clone(),
            printed_name: described.printed_name.clone(),
            language: described.language.clone(),
            locked_out: self.locked_out(person)?,
            secret: self.secret_of(person)?,
        })
    }

    /// Opens a badge session; the one before ends here and now, with nothing of it left to the next person (S2).
    pub fn badge_in(&mut self, person: &PersonId) -> Result<(), Denied> {
        let credential = self.badge_of(person);
        self.begin_session(BadgeSession { person: person.clone(), credential, unlocked: None, quiz: None })
    }

    /// The badge that opens a session of the person here.
    pub(super) fn badge_of(&self, person: &PersonId) -> Option<Credential> {
        self.plant().people.get(person)?.badge.map(Credential::Badge)
    }

    /// Ends the badge session. Its task sessions go on (S11), but for supervised work, which ends when its person signs out (S3).
    pub fn badge_out(&mut self, how: SessionEnd) -> Result<(), Denied> {
        let mut drafts = self.leaving(how)?;
        if let Some(person) = self.person().filter(|_| how == SessionEnd::Tap).cloned() {
            drafts.extend(self.endings_by_badge_out(&person)?);
        }
        (self.session, self.over) = (None, None);
        if drafts.is_empty() { Ok(()) } else { self.write(drafts).map(drop) }
    }

    pub(super) fn leaving(&mut self, how: SessionEnd) -> Result<Vec<(Stream, shared::log::Draft)>, Denied> {
        let Some(person) = self.session.as_ref().map(|session| session.person.clone()) else { return Ok(Vec::new()) };
        let presence = Stream::presence(&self.site()?);
        Ok(vec![(presence, self.draft(Subject::person(&person), BadgeOut { how }))])
    }

    /// After news came. A journal that can't be written keeps no badge open: it is tried again with the next news.
    pub(super) fn heed_badges(&mut self) {
        if let Err(error) = self.heed_day_pass().and_then(|()| self.note_disabled_badges()) {
            tracing::error!(%error, "the logs could not be told which badges and passes are refused: it is tried again");
        }
    }

    /// Says in the journal which badges this terminal has come to know as disabled: from here on it refuses them (R15). A badge session that
    /// one of them opened is over.
    fn note_disabled_badges(&mut self) -> Result<(), Denied> {
        let Some((kiosk, device)) = self.enrolment().map(|set| (set.name.clone(), set.device)) else { return Ok(()) };
        let known = questions::setting(self.ledger.connection(), BADGES_REFUSED)?;
        let known: Vec<BadgeHash> = known.and_then(|bytes| minicbor::decode(&bytes).ok()).unwrap_or_default();
        let plant = self.plant().clone();
        let new: Vec<BadgeHash> =
            plant.disabled_badges.keys().filter(|badge| !known.contains(badge)).copied().collect();
        if new.is_empty() {
            return Ok(());
        }
        let is_lost = |by: &Option<Credential>| matches!(by, Some(Credential::Badge(badge)) if new.contains(badge));
        if let Some(session) = self.session.take_if(|session| is_lost(&session.credential)) {
            self.over = Some(session.person);
        }
        let journal = Stream::journal(&kiosk);
        let drafts: Vec<_> = new
            .chunks(BADGES_AN_ENTRY)
            .map(|badges| self.draft(Subject::new("device", device), refusing(badges)))
            .collect();
        let all = to_cbor(&known.into_iter().chain(new).collect::<Vec<_>>());
        let now = self.now();
        self.write_with(now, |writer| {
            drafts.iter().try_for_each(|draft| writer.write(&journal, draft).map(drop))?;
            Ok(writer.step().step.set(BADGES_REFUSED, &all)?)
        })
    }

    /// Refuses acts of a person whose session this terminal has ended: a pass ends with its time, whenever that is looked at.
    pub(super) fn is_not_over(&mut self, person: &PersonId) -> Result<(), Denied> {
        self.heed_day_pass()?;
        if self.over.as_ref() == Some(person) { Err(Denied::NoSession) } else { Ok(()) }
    }

    /// The person whose badge session this is.
    pub fn person(&self) -> Option<&PersonId> {
        self.session.as_ref().map(|session| &session.person)
    }

    pub(crate) fn session_of(&mut self, person: &PersonId) -> Result<&mut BadgeSession, Denied> {
        self.is_not_over(person)?;
        self.session.as_mut().filter(|session| session.person == *person).ok_or(Denied::NoSession)
    }
}
