//! Signing set-up at this terminal: a verifier identified the person, who chooses a secret and answers for it; both sign (R12, R9).

use shared::id::*;
use shared::kind::record::{AccountabilitySigned, SigningSetUp};
use shared::kind::{Meaning, Role};
use shared::log::{Entry, Stream, Subject};
use shared::part11::accountability;
use shared::part11::authority::Right;
use shared::part11::boxes::{BoxRandom, SealedBox, Stretching, person_box_name};
use shared::part11::signature::PersonSecret;
use shared::part11::strength::SecretKind;

use store::questions;

use super::secret::Signer;
use super::{Core, Denied};

/// What a person brings to their signing set-up.
pub struct Chosen<'a> {
    pub secret: &'a str,
    /// What the verifier saw.
    pub identity_proof: &'a str,
    /// Language the accountability statement was shown in.
    pub language: &'a str,
    pub stretching: Stretching,
}

impl Core {
    /// Whether the person may verify another's identity here; asked before their secret is.
    pub fn may_verify(&mut self, verifier: &PersonId, person: &PersonId) -> Result<(), Denied> {
        self.may_stand_for(verifier, person, &Right::Lead)
    }

    /// What kind of secret people choose and type at this terminal.
    pub fn secret_kind(&self) -> SecretKind {
        SecretKind::of(self.keys.kind(), self.plant().policy.signing.profile)
    }

    /// Makes the person's key. Three things become durable in one step: the box that only their secret opens, the set-up with both
    /// blocks, and the accountability statement as it was shown.
    pub fn set_up_signing(
        &mut self,
        person: &PersonId,
        chosen: &Chosen<'_>,
        verifier: &Signer,
    ) -> Result<Entry, Denied> {
        self.may_verify(&verifier.person, person)?;
        let today = self.reading().wall;
        if !self.plant().is_active(person, today) {
            return Err(Denied::Unknown);
        }
        if let Some(weakness) = self.secret_kind().weakness(chosen.secret, person.as_str()) {
            return Err(Denied::WeakSecret(weakness));
        }
        if chosen.identity_proof.trim().is_empty() {
            return Err(Denied::NoIdentityProof);
        }
        let verifiers_key = self.unlock(verifier)?;
        let key = PersonSecret::from_seed(self.random());
        let random = BoxRandom { salt: self.random(), nonce: self.random() };
        let under = self.enrolled().ok_or(Denied::NotSetUp)?.peppers.newest();
        let sealed = SealedBox::of_person(person, &key, chosen.secret, under, chosen.stretching, random)
            .map_err(|_| Denied::NoSigning { person: person.clone() })?;
        let body = SigningSetUp {
            key: key.key(),
            box_digest: sealed.digest(),
            identity_proof: chosen.identity_proof.to_owned(),
            profile: self.plant().policy.signing.profile,
            secret: Some(self.secret_kind()),
        };
        let statement = accountability::statement(chosen.language);
        let shown = Some(statement.digest());
        let replaces = questions::set_ups(self.ledger.connection(), person)?;
        let set_up = self.draft(Subject::person(person), body).having_seen(replaces);
        let (accepted, verified) = (Meaning::SigningAccepted, Meaning::IdentityVerified);
        let set_up = self.signed(set_up, person, &key, Role::Operator, accepted, shown);
        let set_up = self.signed(set_up, &verifier.person, &verifiers_key, Role::Supervisor, verified, None);
        let body = AccountabilitySigned {
            version: accountability::VERSION,
            language: Language::new(statement.language)?,
            text: statement.digest(),
        };
        let accountable = self.draft(Subject::person(person), body);
        let accountable = self.signed(accountable, person, &key, Role::Operator, accepted, shown);
        let now = self.now();
        let (stream, name) = (Stream::record(&self.site()?), person_box_name(person));
        self.write_with(now, |writer| {
            writer.step().seal_box(&name, &sealed)?;
            let entry = writer.write(&stream, &set_up)?;
            writer.write(&stream, &accountable)?;
            Ok(entry)
        })
    }
}
