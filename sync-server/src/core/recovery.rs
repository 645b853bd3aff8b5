//! How the server stands after it was put back, and the act with which two people vouch for it (`server_recovered`).

use serde::Serialize;
use shared::id::*;
use shared::kind::plant::ServerRecovered;
use shared::kind::{Body, Meaning, Role};
use shared::log::entry::Signing;
use shared::log::{Entry, Stream, Subject};
use shared::part11::authority::{Held, Reach, Right, authority_check};
use shared::part11::signature::PersonSecret;
use shared::time::Timestamp;
use store::{StoreError, questions, shelf};

use super::people::Signer;
use super::{Core, Refused, visiting};
use crate::store::ServerStep;

/// Why the first epoch was opened; any other reason means that the server was put back.
pub(super) const INSTALLATION: &str = "installation";
/// The kiosk that first contradicted, and in which stream.
const CONTRADICTED_BY: &str = "contradicted_by";

/// How the server stands after it was put back.
#[derive(Debug, Clone, Serialize)]
pub struct PutBack {
    /// Writing has stopped: a kiosk knows more than this server.
    pub stopped: bool,
    /// Why the current epoch was opened.
    pub reason: String,
    pub since: Timestamp,
    /// Which kiosk knows more, and of what.
    pub contradicted_by: Option<String>,
    /// People who could sign the recovery now: with authority, and with a key that is known here.
    pub may_sign: Vec<PersonId>,
}

impl Core {
    /// Whether writing stopped because a kiosk knows an order this server has lost.
    pub fn is_stopped(&self) -> Result<bool, Refused> {
        Ok(questions::setting(self.ledger().connection(), "stopped")?.is_some_and(|value| value == [1]))
    }

    /// How the server stands after it was put back; `None` when it was not, or two people have signed.
    pub fn put_back(&self) -> Result<Option<PutBack>, Refused> {
        let stopped = self.is_stopped()?;
        let ((epoch, reason), since) = self.current_epoch()?;
        if !stopped && (reason == INSTALLATION || self.is_recovered(&epoch)?) {
            return Ok(None);
        }
        let contradicted_by = questions::setting(self.ledger().connection(), CONTRADICTED_BY)?
            .filter(|_| stopped)
            .map(|text| String::from_utf8_lossy(&text).into_owned());
        Ok(Some(PutBack { stopped, reason, since, contradicted_by, may_sign: self.who_stand_for_the_plant() }))
    }

    /// The epoch in which this server writes, why it was opened, and when.
    fn current_epoch(&self) -> Result<((Incarnation, String), Timestamp), Refused> {
        let ledger = self.ledger();
        let about = shelf::entries_about(ledger.connection(), Subject::new("server", self.key()).as_str())?;
        let epoch = crate::store::current_epoch(ledger.connection())?;
        let opened = about.iter().find_map(|entry| match entry.statement().ok()??.body {
            Body::ServerEpoch(body) if Some(body.epoch) == epoch => {
                Some(((body.epoch, body.reason), entry.header().wall))
            }
            _ => None,
        });
        Ok(opened.ok_or_else(|| StoreError::Damaged("no epoch is open".into()))?)
    }

    fn is_recovered(&self, epoch: &Incarnation) -> Result<bool, Refused> {
        let ledger = self.ledger();
        let about = shelf::entries_about(ledger.connection(), Subject::new("server", self.key()).as_str())?;
        Ok(about.iter().any(|entry| entry.header().kind == "server_recovered" && entry.log().incarnation == *epoch))
    }

    /// The people who could sign now what takes two of quality or administration.
    pub fn who_stand_for_the_plant(&self) -> Vec<PersonId> {
        self.with_a_key(|person| self.stands_for_the_plant_as(person).is_some())
    }

    /// The role in which a person may sign what takes two of quality or administration.
    pub(super) fn stands_for_the_plant_as(&self, person: &PersonId) -> Option<Role> {
        let holds =
            |right: &Right<'_>| authority_check(&self.plant(), person, right, self.now(), Reach::OFFICE) == Held::Yes;
        match (holds(&Right::Quality), holds(&Right::Administer)) {
            (true, _) => Some(Role::Quality),
            (_, true) => Some(Role::Administrator),
            _ => None,
        }
    }

    /// Unlocks the keys of two who sign for the plant. Whether both may is asked before either's secret is looked at.
    pub(super) fn two_stand_for_the_plant(
        &self,
        signers: [&Signer; 2],
        to_do: &str,
    ) -> Result<Vec<(Signing, PersonSecret)>, Refused> {
        let with_role = |signer: &Signer| {
            let missing = || format!("{} may not {to_do}: it takes quality or an administrator", signer.person);
            self.stands_for_the_plant_as(&signer.person).ok_or_else(|| Refused::MayNotSign(missing()))
        };
        let roles = [with_role(signers[0])?, with_role(signers[1])?];
        let unlocked = signers.into_iter().zip(roles).map(|(signer, role)| {
            let key = self.unlock(signer)?;
            Ok((self.signing(&signer.person, role, Meaning::Approved), key))
        });
        unlocked.collect()
    }

    /// Two people, each of quality or administrator, vouch for this server as it was put back: writing goes on, and kiosks that knew more take from
    /// it again (S7).
    pub fn sign_recovery(&self, reason: &str, signers: [&Signer; 2]) -> Result<Entry, Refused> {
        if self.put_back()?.is_none() {
            return Err(Refused::no(
                "this server was not put back since its recovery was last signed: there is nothing to sign",
            ));
        }
        if reason.trim().is_empty() {
            return Err(Refused::no("a recovery needs a reason: what happened to the server"));
        }
        if signers[0].person == signers[1].person {
            return Err(Refused::no("a recovery is signed by two different people"));
        }
        let ((epoch, _), _) = self.current_epoch()?;
        let body = ServerRecovered { epoch, reason: reason.trim().to_owned() };
        let mut draft = self.draft(Subject::new("server", self.key()), body);
        for (signing, key) in self.two_stand_for_the_plant(signers, "sign a recovery")? {
            draft = draft.signed_by(signing, &key);
        }
        self.step(|step, server, clock| {
            step.step.set(CONTRADICTED_BY, b"")?;
            let recovered = server.write(step, &Stream::plant_global(), &draft, clock)??;
            visiting::tell_of_everybody(step, server, clock, &|| self.act())?;
            Ok(recovered)
        })
    }
}

/// Keeps which kiosk contradicted, for people; the first one stands until two have signed.
pub(super) fn note_contradiction(
    step: &ServerStep<'_, '_>,
    device: &DeviceKey,
    stream: &Stream,
) -> Result<(), StoreError> {
    if step.step.setting(CONTRADICTED_BY)?.is_some_and(|text| !text.is_empty()) {
        return Ok(());
    }
    let plant = &step.step.world().plant;
    let kiosk = plant.devices.get(device).map_or_else(|| device.short(), |kiosk| kiosk.name.to_string());
    step.step.set(CONTRADICTED_BY, format!("{kiosk}, in {stream}").as_bytes())
}
