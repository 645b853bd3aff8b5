//! `recover`: two people vouch for a server that was put back.

use clap::Args;
use serde_json::json;
use shared::id::PersonId;

use super::secret::secret;
use super::{Done, Failure, Out, Shared, json_line};
use crate::core::people::Signer;

/// Sign, as two people, that this server was put back
///
/// Each is of quality or administrator, and enters their own secret; they come from LINEPROOF_SECRET and LINEPROOF_SECOND_SECRET, or are asked for.
/// From then on the server writes again, and kiosks that knew more than it take from it again.
#[derive(Args)]
#[command(
    after_help = "Example: sync-server recover --as helga --and sven --reason \"disk failed on 2 March\" --data site1"
)]
pub struct Recover {
    /// The first person
    #[arg(long = "as", value_name = "PERSON")]
    first: PersonId,
    /// The second person
    #[arg(long = "and", value_name = "PERSON")]
    second: PersonId,
    /// What happened to the server
    #[arg(long)]
    reason: String,
}

impl Recover {
    pub fn run(self, shared: &Shared, out: Out<'_>) -> Result<Done, Failure> {
        let (_lock, core) = shared
            .open_alone("Sign on the dashboard's first page of the running server, or with POST /api/v1/recovery.")?;
        let ask = |person: PersonId, variable: &str| {
            secret(variable, &format!("Secret of {person}")).map(|secret| Signer { person, secret })
        };
        let first = ask(self.first, "LINEPROOF_SECRET")?;
        let second = ask(self.second, "LINEPROOF_SECOND_SECRET")?;
        let entry = core.sign_recovery(&self.reason, [&first, &second])?;
        if shared.json {
            json_line(out, &json!({"recovered": true, "entry": entry.id()}))?;
        } else {
            writeln!(out, "{} and {} have signed the recovery. The server writes again.", first.person, second.person)?;
        }
        Ok(Done::Well)
    }
}
