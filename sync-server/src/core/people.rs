//! People at the server: signing set-up of office roles, unlocking a key for one act, authority withdrawn, rulings.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{MutexGuard, PoisonError};

use shared::id::*;
use shared::kind::plant::{AssessorSet, Ruling};
use shared::kind::presence::SecretFailed;
use shared::kind::record::SigningSetUp;
use shared::kind::{Meaning, Role};
use shared::log::entry::Signing;
use shared::log::{Draft, Entry, Stream, Subject};
use shared::part11::authority::{Held, Reach, Right, authority_check};
use shared::part11::boxes::{BoxRandom, Locked, SealedBox, Stretching, person_box_name};
use shared::part11::signature::PersonSecret;
use shared::part11::strength::{PASSPHRASE_LEAST, SecretKind, Weakness};
use shared::time::Span;
use store::secrets::{self, Failure};
use store::{boxes, questions};

use super::forks::RULED_AT_ONCE;
use super::{Core, Refused};

/// A person who signs, with the secret that unlocks their key.
#[derive(Clone, serde::Deserialize)]
pub struct Signer {
    pub person: PersonId,
    pub secret: String,
}

impl Core {
    /// Makes a person's key under their secret. The first person with a key needs no verifier but whoever runs the server; from then on
    /// a verifier signs along (R12).
    pub fn set_up_signing(
        &self,
        person: &PersonId,
        secret: &str,
        identity_proof: &str,
        verifier: Option<&Signer>,
        stretching: Stretching,
    ) -> Result<Entry, Refused> {
        if verifier.is_none() && !self.ledger().world().keys.is_empty() {
            return Err(Refused::no("somebody has set up signing already: a verifier has to sign along"));
        }
        if questions::key_of(self.ledger().connection(), person)?.is_some() {
            let why = format!(
                "{person} can sign already: a new secret in the place of theirs takes two who verify who they are"
            );
            return Err(Refused::no(why));
        }
        self.make_key(person, secret, identity_proof, verifier.as_slice(), stretching)
    }

    /// Makes a new key for somebody whose secret is lost. Whoever chooses a secret at the server shows no badge: two different people verify who that
    /// is, so that nobody alone comes to sign as somebody else (R14).
    pub fn set_up_signing_anew(
        &self,
        person: &PersonId,
        secret: &str,
        identity_proof: &str,
        verifiers: [&Signer; 2],
        stretching: Stretching,
    ) -> Result<Entry, Refused> {
        if verifiers[0].person == verifiers[1].person {
            return Err(Refused::no("two different people verify who it is"));
        }
        self.make_key(person, secret, identity_proof, &verifiers, stretching)
    }

    fn make_key(
        &self,
        person: &PersonId,
        secret: &str,
        identity_proof: &str,
        verifiers: &[&Signer],
        stretching: Stretching,
    ) -> Result<Entry, Refused> {
        let plant = self.plant();
        let now = self.now();
        let described = plant.people.get(person).ok_or_else(|| Refused::no(format!("nobody is known as {person}")))?;
        if !plant.is_active(person, now) {
            return Err(Refused::no(format!("{person} is not active")));
        }
        if let Some(weakness) = SecretKind::Passphrase.weakness(secret, person.as_str()) {
            return Err(Refused::no(why_weak(weakness)));
        }
        if identity_proof.trim().is_empty() {
            return Err(Refused::no("say what proved the identity, an identity card for instance"));
        }
        if verifiers.iter().any(|verifier| verifier.person == *person) {
            return Err(Refused::no("nobody verifies their own identity"));
        }
        // Nothing is stretched or sealed for somebody who only knows a verifier's name.
        verifiers.iter().try_for_each(|verifier| self.require(&verifier.person, &Right::Lead))?;
        let unlocked = verifiers.iter().map(|verifier| Ok((&verifier.person, self.unlock(verifier)?)));
        let unlocked = unlocked.collect::<Result<Vec<_>, Refused>>()?;
        let key = PersonSecret::from_seed(self.random());
        let random = BoxRandom { salt: self.random(), nonce: self.random() };
        let (epoch, pepper) = self.newest_pepper();
        let sealed = SealedBox::of_person(person, &key, secret, (epoch, &pepper), stretching, random)
            .map_err(|why| Refused::no(why.to_string()))?;
        let body = SigningSetUp {
            key: key.key(),
            box_digest: sealed.digest(),
            identity_proof: identity_proof.to_owned(),
            profile: plant.policy.signing.profile,
            secret: Some(SecretKind::Passphrase),
        };
        let replaces = questions::set_ups(self.ledger().connection(), person)?;
        let draft = self.draft(Subject::person(person), body).having_seen(replaces);
        let mut draft = self.signed_with(draft, person, &key, Role::Operator, Meaning::SigningAccepted, None);
        for (verifier, key) in &unlocked {
            draft = self.signed_with(draft, verifier, key, Role::Supervisor, Meaning::IdentityVerified, None);
        }
        let (stream, name) = (Stream::record(&described.site), person_box_name(person));
        self.step(|step, server, clock| {
            step.put_own_box(&name, &sealed)?;
            Ok(server.write(step, &stream, &draft, clock)??)
        })
    }

    /// Unlocks a person's key: the check of the secret.
    pub fn unlock(&self, signer: &Signer) -> Result<PersonSecret, Refused> {
        self.not_locked_out(&signer.person)?;
        let ledger = self.ledger();
        let missing = || Refused::MayNotSign(format!("{} has not set up signing", signer.person));
        let (key, _) = questions::key_of(ledger.connection(), &signer.person)?.ok_or_else(missing)?;
        let chosen = questions::set_up_of(ledger.connection(), &key)?.map(|set_up| SecretKind::chosen_in(&set_up));
        if chosen == Some(SecretKind::Pin) {
            // The server's own keys lie in a file: who has it would need the PIN alone, and a PIN is soon tried out.
            return Err(Refused::MayNotSign(format!(
                "{} signs with a PIN, at terminals with a chip only",
                signer.person
            )));
        }
        let found = boxes::key_box(ledger.connection(), &signer.person)?;
        drop(ledger);
        let damaged = || Refused::MayNotSign(format!("the key box of {} is damaged", signer.person));
        let (_, sealed) = found.ok_or_else(damaged)?;
        let pepper = self.secrets.pepper_of(sealed.epoch);
        let opened = sealed.open_person(&signer.person, key, &signer.secret, &pepper).map_err(|why| match why {
            Locked::WrongSecret => self.wrong_secret(&signer.person),
            Locked::Damaged => damaged(),
        })?;
        self.unwritten_failures().remove(&signer.person);
        self.seal_anew(signer, &opened, &sealed);
        Ok(opened)
    }

    /// Ten wrong secrets, wherever they were given, lock out here as at every terminal (R15). Half as many given here lock out here: whoever comes over
    /// the network, with no badge to show, can keep nobody from working at a terminal, where the right secret ends it.
    fn not_locked_out(&self, person: &PersonId) -> Result<(), Refused> {
        let failures = self.failures(person)?;
        let unwritten = self.unwritten_failures().get(person).copied().unwrap_or(0);
        let (tries, most) = (failures.len() + unwritten, self.plant().policy.lockout.attempts as usize);
        let here = failures.iter().filter(|failure| failure.device == self.key()).count() + unwritten;
        if unwritten > 0 && here >= most.div_ceil(2) {
            return Err(Refused::MayNotSign(format!(
                "after {here} wrong secrets the server takes none of {person} any more; nothing was signed. It could not write them down, and counts \
                 them for as long as it runs: `sync-server recover` beside the stopped program, or a start of it anew, takes the right secret"
            )));
        }
        if tries < most && here >= most.div_ceil(2) {
            return Err(Refused::MayNotSign(format!(
                "after {here} wrong secrets here the server takes none of {person} any more; nothing was signed, and terminals still do. The right \
                 secret at a terminal ends it, or a supervisor lifts it there"
            )));
        }
        if tries < most {
            return Ok(());
        }
        Err(Refused::MayNotSign(format!(
            "{person} is locked out after {tries} wrong secrets, here and at every terminal; nothing was signed. A supervisor lifts it at a terminal"
        )))
    }

    fn failures(&self, person: &PersonId) -> Result<Vec<Failure>, Refused> {
        Ok(secrets::failures(self.ledger().connection(), person, &self.key(), self.now())?)
    }

    /// Wrong secrets that could not be written since this server was started, by person. Only of somebody whose key is here, so they stay few.
    fn unwritten_failures(&self) -> MutexGuard<'_, BTreeMap<PersonId, usize>> {
        self.unwritten_failures.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counted before it is answered; terminals hear of it.
    fn wrong_secret(&self, person: &PersonId) -> Refused {
        let counted = || -> Result<(), Refused> {
            let attempt = self.failures(person)?.len() + 1;
            let attempt = u32::try_from(attempt).unwrap_or(u32::MAX);
            let plant = self.plant();
            let site = &plant.people.get(person).ok_or_else(|| Refused::no("nobody is known by that name"))?.site;
            let draft = self.draft(Subject::person(person), SecretFailed { attempt });
            self.write(&Stream::presence(site), &draft).map(drop)
        };
        // A server that stopped, or whose disk is full, writes nothing, and forgives nothing for it.
        if let Err(error) = counted() {
            tracing::warn!(%error, "a wrong secret could not be written: it counts until this program ends");
            *self.unwritten_failures().entry(person.clone()).or_default() += 1;
        }
        Refused::WrongSecret { person: person.clone() }
    }

    /// Fails unless the person holds the right now.
    pub fn require(&self, person: &PersonId, right: &Right<'_>) -> Result<(), Refused> {
        match authority_check(&self.plant(), person, right, self.now(), Reach::OFFICE) {
            Held::Yes => Ok(()),
            _ => Err(Refused::MayNotSign(format!("{person} may not do this: the right to {right:?} is missing"))),
        }
    }

    /// Of the people whose key is known here those who may do something, by id.
    pub(super) fn with_a_key(&self, may: impl Fn(&PersonId) -> bool) -> Vec<PersonId> {
        let keys = self.ledger().world().keys.clone();
        let people: BTreeSet<PersonId> = keys.values().filter(|person| may(person)).cloned().collect();
        people.into_iter().collect()
    }

    /// Asks for the signer's secret and signs.
    pub(crate) fn signed(&self, draft: Draft, signer: &Signer, role: Role, meaning: Meaning) -> Result<Draft, Refused> {
        let key = self.unlock(signer)?;
        Ok(self.signed_with(draft, &signer.person, &key, role, meaning, None))
    }

    /// Signs with a key that is unlocked; `shown` names what its signer was shown, where something was.
    pub(crate) fn signed_with(
        &self,
        draft: Draft,
        person: &PersonId,
        key: &PersonSecret,
        role: Role,
        meaning: Meaning,
        shown: Option<Digest32>,
    ) -> Draft {
        draft.signed_by(Signing { shown, ..self.signing(person, role, meaning) }, key)
    }

    /// What somebody signs with, now, who was shown nothing in particular.
    pub(super) fn signing(&self, person: &PersonId, role: Role, meaning: Meaning) -> Signing {
        Signing {
            signer: person.clone(),
            printed_name: self.plant().printed_name(person),
            role,
            meaning,
            signed_at: self.now(),
            shown: None,
            credential: None,
        }
    }

    /// Ends a person's right to assess a requirement from now on; what they signed later, unknowing, is put on hold at merge (SAFE6).
    pub fn withdraw_assessor(
        &self,
        person: &PersonId,
        requirement: &RequirementId,
        reason: &str,
        by: &Signer,
    ) -> Result<Vec<Entry>, Refused> {
        self.require(&by.person, &Right::Quality)?;
        let (plant, now) = (self.plant(), self.now());
        let grants: Vec<AssessorSet> =
            plant.assessor_grants(person, requirement).filter(|grant| grant.span.contains(now)).cloned().collect();
        if grants.is_empty() {
            return Err(Refused::no(format!("{person} is not an assessor of {requirement} now")));
        }
        let drafts = grants.into_iter().map(|grant| {
            let span = Span { from: grant.span.from, until: Some(now) };
            let body = AssessorSet { span, reason: Some(reason.to_owned()), ..grant };
            let draft = self.draft(Subject::new("requirement", requirement), body);
            self.signed(draft, by, Role::Quality, Meaning::Approved)
        });
        let drafts = drafts.collect::<Result<Vec<_>, Refused>>()?;
        self.step(|step, server, clock| {
            drafts.iter().map(|draft| Ok(server.write(step, &Stream::plant_global(), draft, clock)??)).collect()
        })
    }

    /// Rules on everything of a person that is on hold: accepts or rejects exactly those entries (U8).
    pub fn rule(&self, person: &PersonId, accepted: bool, reason: &str, by: &Signer) -> Result<Vec<Entry>, Refused> {
        self.require(&by.person, &Right::Quality)?;
        if by.person == *person {
            return Err(Refused::no("nobody rules on their own record"));
        }
        if reason.trim().is_empty() {
            return Err(Refused::no("a ruling needs a reason"));
        }
        let subject = Subject::person(person);
        let held = questions::on_hold(self.ledger().connection())?;
        let entries: Vec<EntryId> =
            held.into_iter().filter(|(_, about, _)| about == subject.as_str()).map(|(id, ..)| id).collect();
        if entries.is_empty() {
            return Err(Refused::no(format!("nothing of {person} is on hold")));
        }
        let draft = |entries: &[EntryId]| {
            let body = Ruling { entries: entries.to_vec(), accepted, reason: reason.to_owned() };
            self.signed(self.draft(subject.clone(), body), by, Role::Quality, Meaning::Ruled)
        };
        let drafts = entries.chunks(RULED_AT_ONCE).map(draft).collect::<Result<Vec<_>, _>>()?;
        self.step(|step, server, clock| {
            drafts.iter().map(|draft| Ok(server.write(step, &Stream::plant_global(), draft, clock)??)).collect()
        })
    }
}

fn why_weak(weakness: Weakness) -> String {
    match weakness {
        Weakness::TooShort => format!("a passphrase has at least {PASSPHRASE_LEAST} characters"),
        Weakness::TooSimple => "this passphrase is among the first that anybody tries: choose another".into(),
    }
}
