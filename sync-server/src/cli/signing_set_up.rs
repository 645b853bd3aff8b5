//! `signing set-up`: makes a person's key under their own secret.

use clap::Args;
use serde_json::json;
use shared::id::PersonId;

use super::secret::{new_secret, secret};
use super::{Done, Failure, Out, Shared, json_line};
use crate::core::people::Signer;

/// Make a person's signing key under their own secret
///
/// The very first key needs nobody else; from then on a verifier signs along, and for somebody who has a key already two. Secrets come from
/// LINEPROOF_SECRET, LINEPROOF_VERIFIER_SECRET and LINEPROOF_SECOND_SECRET, or are asked for.
#[derive(Args)]
#[command(after_help = "Example: sync-server signing set-up --data site1 --person helga --identity \"identity card\"")]
pub struct SetUp {
    #[arg(long, value_name = "P")]
    person: PersonId,
    /// What shows who they are
    #[arg(long, value_name = "TEXT")]
    identity: String,
    /// The supervisor, quality or personnel officer who verified it
    #[arg(long, value_name = "P")]
    verifier: Option<PersonId>,
    /// Another who verified it, where the person's secret is lost
    #[arg(long, value_name = "P", requires = "verifier")]
    second_verifier: Option<PersonId>,
}

impl SetUp {
    pub fn run(self, shared: &Shared, out: Out<'_>) -> Result<Done, Failure> {
        let config = shared.settings()?;
        let (_lock, core) =
            shared.open_alone("Use POST /api/v1/signing-set-up of the running server, or set up at a kiosk.")?;
        let passphrase = new_secret("LINEPROOF_SECRET", &format!("New secret of {}", self.person))?;
        let verify = |variable: &str, person: PersonId| {
            secret(variable, &format!("Secret of {person}")).map(|secret| Signer { person, secret })
        };
        let verifier = self.verifier.map(|person| verify("LINEPROOF_VERIFIER_SECRET", person)).transpose()?;
        let second = self.second_verifier.map(|person| verify("LINEPROOF_SECOND_SECRET", person)).transpose()?;
        let (person, identity) = (&self.person, &self.identity);
        let entry = match (&verifier, &second) {
            (Some(first), Some(second)) => {
                core.set_up_signing_anew(person, &passphrase, identity, [first, second], config.stretching)?
            }
            _ => core.set_up_signing(person, &passphrase, identity, verifier.as_ref(), config.stretching)?,
        };
        if shared.json {
            json_line(out, &json!({"person": self.person, "entry": entry.id()}))?;
        } else {
            writeln!(
                out,
                "{} can sign now. Nobody else knows that secret; here, two have to verify who asks for another in its place.",
                self.person
            )?;
        }
        Ok(Done::Well)
    }
}
