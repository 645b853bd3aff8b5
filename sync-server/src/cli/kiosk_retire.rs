//! `kiosk retire`: the second half of a retirement, signed by two people; the first half is done at the kiosk.

use clap::Args;
use serde_json::json;
use shared::id::{KioskName, PersonId};

use super::secret::secret;
use super::{Done, Failure, Out, Shared, json_line};
use crate::core::people::Signer;

/// Retire a kiosk that gave everything, as two people
///
/// First run `kiosk retire` at it: it gives what it holds, says so, and waits. Each person is of quality or administrator, and enters their own
/// secret; they come from LINEPROOF_SECRET and LINEPROOF_SECOND_SECRET, or are asked for. Then the kiosk erases its keys and data.
#[derive(Args)]
#[command(
    after_help = "Example: sync-server kiosk retire K3 --as sven --and helga --reason \"line 2 is closed\" --data site1"
)]
pub struct Retire {
    kiosk: KioskName,
    /// The first person
    #[arg(long = "as", value_name = "PERSON")]
    first: PersonId,
    /// The second person
    #[arg(long = "and", value_name = "PERSON")]
    second: PersonId,
    #[arg(long)]
    reason: String,
}

impl Retire {
    pub fn run(self, shared: &Shared, out: Out<'_>) -> Result<Done, Failure> {
        let instead = format!("Use POST /api/v1/kiosks/{}/retire of the running server.", self.kiosk);
        let (_lock, core) = shared.open_alone(&instead)?;
        let ask = |person: PersonId, variable: &str| {
            secret(variable, &format!("Secret of {person}")).map(|secret| Signer { person, secret })
        };
        let first = ask(self.first, "LINEPROOF_SECRET")?;
        let second = ask(self.second, "LINEPROOF_SECOND_SECRET")?;
        let entry = core.retire_kiosk(&self.kiosk, &self.reason, [&first, &second])?;
        if shared.json {
            json_line(out, &json!({"retired": self.kiosk, "entry": entry.id()}))?;
        } else {
            writeln!(out, "{} is retired. It erases its keys and data at its next call.", self.kiosk)?;
        }
        Ok(Done::Well)
    }
}
