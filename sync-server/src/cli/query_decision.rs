//! `query decision`: a kiosk's decision, decided once more on what the kiosk knew.

use clap::Args;
use shared::id::EntryId;

use super::{Done, Failure, Out, Shared, json_line, shown};

/// Does a kiosk's decision, replayed on what that kiosk knew, give the same answer?
///
/// Exits 1 when it does not.
#[derive(Args)]
#[command(after_help = "Example: sync-server query decision 9f2c… --data site1 (ids stand on a person's page)")]
pub struct Decision {
    entry: EntryId,
}

impl Decision {
    pub fn run(self, shared: &Shared, out: Out<'_>) -> Result<Done, Failure> {
        let core = shared.open()?;
        let replay = core.replay(&self.entry)?;
        if shared.json {
            json_line(out, &replay)?;
        } else {
            let plant = core.plant();
            let (name, at) = (plant.printed_name(&replay.person), shown(&plant, replay.at));
            writeln!(out, "{at}  {name}, {}: decided {}, replayed {}", replay.task, replay.answer, replay.replayed)?;
            for missing in &replay.evidence_missing {
                writeln!(out, "  evidence {missing} is not held here")?;
            }
            if replay.rule_version != replay.rule_version_now {
                let (then, now) = (replay.rule_version, replay.rule_version_now);
                writeln!(out, "  decided by rules {then}, replayed by rules {now}")?;
            }
        }
        Ok(Done::or_no(replay.same))
    }
}
