//! A lost badge (R15): one act ends it everywhere, and each kiosk says when it heard.

use shared::id::*;
use shared::kind::journal::DeviceEvent;
use shared::kind::plant::BadgeDisabled;
use shared::kind::{Body, Meaning, Role};
use shared::log::{Entry, Stream, Subject};
use shared::part11::authority::Right;
use shared::time::Timestamp;
use store::questions;

use super::people::Signer;
use super::{Core, Refused};

/// Since when a kiosk refuses a badge, by its own clock; `None` while it hasn't said so.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct RefusedAt {
    pub kiosk: KioskName,
    pub since: Option<Timestamp>,
}

impl Core {
    /// Ends a person's badge. What is signed by it at terminals from `since` on is put on hold.
    pub fn badge_lost(
        &self,
        person: &PersonId,
        since: Option<Timestamp>,
        reason: &str,
        by: &Signer,
    ) -> Result<Entry, Refused> {
        self.require(&by.person, &Right::Lead)?;
        let (plant, now) = (self.plant(), self.now());
        let described = plant.people.get(person).ok_or_else(|| Refused::no(format!("nobody is known as {person}")))?;
        let badge = described.badge.ok_or_else(|| Refused::no(format!("{person} has no badge")))?;
        if plant.disabled_badges.contains_key(&badge) {
            return Err(Refused::no(format!(
                "the badge of {person} is disabled already; nothing was changed. A new badge comes with people.csv"
            )));
        }
        if reason.trim().is_empty() {
            return Err(Refused::no("disabling a badge needs a reason"));
        }
        if since.is_some_and(|since| since > now) {
            return Err(Refused::no("a badge can't be lost in the future"));
        }
        let body = BadgeDisabled { badge, reason: reason.to_owned(), since };
        let draft = self.draft(Subject::person(person), body);
        self.write(&Stream::plant_global(), &self.signed(draft, by, Role::Supervisor, Meaning::Approved)?)
    }

    /// The people who could end a badge now.
    pub fn who_may_end_badges(&self) -> Vec<PersonId> {
        self.with_a_key(|person| self.require(person, &Right::Lead).is_ok())
    }

    /// Since when each kiosk in use refuses the person's disabled badge; nothing when theirs is not disabled.
    pub fn badge_refused_at(&self, person: &PersonId) -> Result<Option<Vec<RefusedAt>>, Refused> {
        let plant = self.plant();
        let badge = plant.people.get(person).and_then(|set| set.badge);
        let Some(badge) = badge.filter(|badge| plant.disabled_badges.contains_key(badge)) else { return Ok(None) };
        let ledger = self.ledger();
        let in_use = plant.devices.values().filter(|set| !plant.revoked_devices.contains_key(&set.device));
        let mut refused = Vec::new();
        for set in in_use {
            let subject = Subject::new("device", set.device);
            let events = questions::entries_of_kind(ledger.connection(), subject.as_str(), "device_event")?;
            // What it says itself: nobody else says it for a terminal.
            let own = events.iter().filter(|event| event.log().device == set.device);
            let since = own.filter(|event| names(event, &badge)).map(|event| event.header().wall).min();
            refused.push(RefusedAt { kiosk: set.name.clone(), since });
        }
        refused.sort_by(|a, b| a.kiosk.cmp(&b.kiosk));
        Ok(Some(refused))
    }
}

fn names(event: &Entry, badge: &BadgeHash) -> bool {
    let Some(Body::DeviceEvent(said)) = event.statement().ok().flatten().map(|statement| statement.body) else {
        return false;
    };
    said.what == DeviceEvent::BADGES_REFUSED && said.detail.split(' ').any(|named| named == badge.to_string())
}
