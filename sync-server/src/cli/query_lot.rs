//! `query lot`: everybody with a task session on a lot, qualified then or not.

use clap::Args;
use serde_json::json;
use shared::id::LotId;

use super::{Done, Failure, Out, Shared, complete, json_line, shown};
use crate::dashboard::words;

/// Who worked on the lot, and were they qualified then?
///
/// Exits 1 when somebody was not.
#[derive(Args)]
#[command(after_help = "Example: sync-server query lot 881 --data site1")]
pub struct Lot {
    lot: LotId,
}

impl Lot {
    pub fn run(self, shared: &Shared, out: Out<'_>) -> Result<Done, Failure> {
        let core = shared.open()?;
        let (plant, starts) = (core.plant(), core.query_lot(&self.lot)?);
        let watermark = core.watermark(None)?;
        let unqualified = starts.iter().filter(|start| !start.qualified && !start.supervised).count();
        if shared.json {
            starts.iter().try_for_each(|start| json_line(out, start))?;
            let summary =
                json!({"lot": self.lot, "starts": starts.len(), "unqualified": unqualified, "watermark": watermark});
            json_line(out, &summary)?;
            return Ok(Done::or_no(unqualified == 0));
        }
        if starts.is_empty() {
            writeln!(out, "Nobody started a task on lot {}, as far as the kiosks have told.", self.lot)?;
        } else {
            for start in &starts {
                let session = &start.session;
                let state = match (start.qualified, start.supervised) {
                    (true, _) => "qualified",
                    (false, true) => "in training, supervised",
                    (false, false) => "NOT QUALIFIED",
                };
                let counts = if start.verdict.is_effective() {
                    String::new()
                } else {
                    let said = words::verdict(&start.verdict);
                    format!("; {}: {}", said.label.to_lowercase(), said.why)
                };
                let (name, at) = (plant.printed_name(&session.person), shown(&plant, session.started_at));
                writeln!(
                    out,
                    "{at}  {name:<28} {:<20} {:<12} {state}{counts}",
                    session.task.as_str(),
                    session.work_unit.as_str()
                )?;
            }
            writeln!(
                out,
                "{} starts on lot {}, {unqualified} of them by somebody not qualified",
                starts.len(),
                self.lot
            )?;
        }
        writeln!(out, "{}", complete(&plant, &watermark))?;
        Ok(Done::or_no(unqualified == 0))
    }
}
