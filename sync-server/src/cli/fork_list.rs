//! `fork list`: every branch of every log that divides.

use clap::Args;
use serde_json::json;

use super::{Done, Failure, Out, Shared, json_line, shown};

/// List the branches of logs that divide
///
/// A kiosk was cloned or restored, or this server was put back behind its own back. What follows a fork has no effect, restrictions excepted, until
/// quality rules on its branch.
#[derive(Args)]
#[command(after_help = "Example: sync-server fork list --data site1")]
pub struct List {}

impl List {
    pub fn run(self, shared: &Shared, out: Out<'_>) -> Result<Done, Failure> {
        let core = shared.open()?;
        let (plant, branches) = (core.plant(), core.branches()?);
        let open = branches.iter().filter(|branch| branch.accepted.is_none()).count();
        if shared.json {
            branches.iter().try_for_each(|branch| json_line(out, branch))?;
            json_line(out, &json!({"branches": branches.len(), "open": open}))?;
            return Ok(Done::or_no(open == 0));
        }
        if branches.is_empty() {
            writeln!(out, "No log divides.")?;
        }
        for branch in branches {
            let said = match branch.accepted {
                None => "waits for a ruling",
                Some(true) => "accepted",
                Some(false) => "rejected",
            };
            writeln!(
                out,
                "{}  {:<8} {:<16} after entry {}: {} entries, {} to {}; {said}",
                branch.first,
                branch.written_at,
                branch.stream,
                branch.after,
                branch.entries,
                shown(&plant, branch.from),
                shown(&plant, branch.to)
            )?;
        }
        Ok(Done::or_no(open == 0))
    }
}
