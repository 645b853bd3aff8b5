//! `badge lost`: one act ends a badge everywhere. `badge status`: which kiosks have heard.

use clap::Args;
use serde_json::json;
use shared::id::PersonId;

use super::secret::secret;
use super::{Done, Failure, Out, Shared, instant, json_line, shown};
use crate::core::people::Signer;

/// Disable a person's badge, because it was lost or stolen
///
/// Each kiosk refuses it as soon as it hears, and says when. What was signed at terminals by that badge since then is put on hold.
/// The secret comes from LINEPROOF_SECRET or is asked for.
#[derive(Args)]
#[command(
    after_help = "Example: sync-server badge lost maria --since 2026-03-02T05:00:00+01:00 --reason \"left on the bus\" --as jonas --data site1"
)]
pub struct Lost {
    /// Whose badge it is
    person: PersonId,
    /// Since when it is out of their hands; without it, since now
    #[arg(long)]
    since: Option<String>,
    #[arg(long)]
    reason: String,
    /// A supervisor, quality or HR
    #[arg(long = "as", value_name = "PERSON")]
    by: PersonId,
}

impl Lost {
    pub fn run(self, shared: &Shared, out: Out<'_>) -> Result<Done, Failure> {
        let instead = "Use POST /api/v1/badges/lost of the running server, or stop it for this.";
        let (_lock, core) = shared.open_alone(instead)?;
        let since = self.since.as_deref().map(|text| instant(&core.plant(), None, text)).transpose()?;
        let secret = secret("LINEPROOF_SECRET", &format!("Secret of {}", self.by))?;
        let by = Signer { person: self.by, secret };
        let entry = core.badge_lost(&self.person, since, &self.reason, &by)?;
        if shared.json {
            json_line(out, &json!({"person": self.person, "entry": entry.id()}))?;
        } else {
            writeln!(
                out,
                "The badge of {} is disabled, as {} signed. `sync-server badge status {}` says which kiosks have heard.",
                self.person, by.person, self.person
            )?;
        }
        Ok(Done::Well)
    }
}

/// Since when each kiosk refuses a person's disabled badge
///
/// Exits 1 while a kiosk hasn't said that it does, or when the badge isn't disabled.
#[derive(Args)]
#[command(after_help = "Example: sync-server badge status maria --data site1")]
pub struct Status {
    person: PersonId,
}

impl Status {
    pub fn run(self, shared: &Shared, out: Out<'_>) -> Result<Done, Failure> {
        let core = shared.open()?;
        let refused = core.badge_refused_at(&self.person)?;
        if shared.json {
            json_line(out, &json!({"person": self.person, "disabled": refused.is_some(), "kiosks": refused}))?;
        } else {
            let plant = core.plant();
            match &refused {
                None => writeln!(out, "The badge of {} is not disabled.", self.person)?,
                Some(kiosks) => {
                    for kiosk in kiosks {
                        let since = kiosk.since.map(|at| format!("refuses it since {}", shown(&plant, at)));
                        writeln!(
                            out,
                            "{}: {}",
                            kiosk.kiosk,
                            since.unwrap_or_else(|| "has not heard of it yet".into())
                        )?;
                    }
                }
            }
        }
        let everywhere = refused.is_some_and(|kiosks| kiosks.iter().all(|kiosk| kiosk.since.is_some()));
        Ok(if everywhere { Done::Well } else { Done::No })
    }
}
