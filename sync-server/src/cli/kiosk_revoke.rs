//! `kiosk revoke`: ends a kiosk's standing; what it wrote beyond what is here is set aside.

use clap::Args;
use serde_json::json;
use shared::id::{KioskName, PersonId};

use super::secret::secret;
use super::{Done, Failure, Out, Shared, json_line};
use crate::core::people::Signer;

/// Revoke a lost or replaced kiosk
#[derive(Args)]
#[command(after_help = "Example: sync-server kiosk revoke K3 --data site1 --reason \"stolen from line 2\"")]
pub struct Revoke {
    kiosk: KioskName,
    #[arg(long)]
    reason: String,
    /// Sign as this administrator; the secret comes from LINEPROOF_SECRET or is asked for
    #[arg(long = "as", value_name = "PERSON")]
    by: Option<PersonId>,
}

impl Revoke {
    pub fn run(self, shared: &Shared, out: Out<'_>) -> Result<Done, Failure> {
        let instead = format!("Use POST /api/v1/kiosks/{}/revoke of the running server.", self.kiosk);
        let (_lock, core) = shared.open_alone(&instead)?;
        let sign = |person: PersonId| {
            secret("LINEPROOF_SECRET", &format!("Secret of {person}")).map(|secret| Signer { person, secret })
        };
        let by = self.by.map(sign).transpose()?;
        let entry = core.revoke_kiosk(&self.kiosk, &self.reason, by.as_ref())?;
        if shared.json {
            json_line(out, &json!({"revoked": self.kiosk, "entry": entry.id()}))?;
        } else {
            writeln!(out, "{} is revoked. It may still give what it holds, and gets nothing.", self.kiosk)?;
        }
        Ok(Done::Well)
    }
}
