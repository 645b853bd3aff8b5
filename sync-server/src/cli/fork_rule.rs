//! `fork rule`: quality's word on a branch.

use clap::Args;
use serde_json::json;
use shared::id::{EntryId, PersonId};

use super::secret::secret;
use super::{Done, Failure, Out, Shared, json_line};
use crate::core::people::Signer;

/// Accept or reject a branch of a log that divides
///
/// `fork list` names each branch by its first entry. Accepted, it counts as if its log didn't divide; rejected, it stays without effect. Nothing is
/// deleted either way. The secret comes from LINEPROOF_SECRET or is asked for.
#[derive(Args)]
#[command(
    after_help = "Example: sync-server fork rule 9f2c… --accept --reason \"written before the snapshot was put back\" --as helga --data site1"
)]
pub struct Rule {
    /// The branch's first entry
    branch: EntryId,
    #[arg(long, conflicts_with = "reject", required_unless_present = "reject")]
    accept: bool,
    #[arg(long)]
    reject: bool,
    #[arg(long)]
    reason: String,
    /// Of quality
    #[arg(long = "as", value_name = "PERSON")]
    by: PersonId,
}

impl Rule {
    pub fn run(self, shared: &Shared, out: Out<'_>) -> Result<Done, Failure> {
        let instead = "Use POST /api/v1/rulings/branch of the running server, or stop it for this.";
        let (_lock, core) = shared.open_alone(instead)?;
        let secret = secret("LINEPROOF_SECRET", &format!("Secret of {}", self.by))?;
        let by = Signer { person: self.by, secret };
        let rulings = core.rule_on_branch(&self.branch, self.accept, &self.reason, &by)?;
        let ids: Vec<EntryId> = rulings.iter().map(|ruling| ruling.id()).collect();
        if shared.json {
            json_line(out, &json!({"branch": self.branch, "accepted": self.accept, "rulings": ids}))?;
        } else {
            let said = if self.accept { "counts" } else { "stays without effect" };
            writeln!(out, "The branch {} {said}, as {} signed.", self.branch.short(), by.person)?;
        }
        Ok(Done::Well)
    }
}
