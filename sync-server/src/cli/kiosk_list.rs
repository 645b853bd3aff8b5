//! `kiosk list`: every kiosk and how it stands.

use clap::Args;
use serde_json::json;

use super::{Done, Failure, Out, Shared, json_line, shown};
use crate::core::overview::KioskState;

/// List the kiosks
#[derive(Args)]
#[command(after_help = "Example: sync-server kiosk list --data site1")]
pub struct List {}

impl List {
    pub fn run(self, shared: &Shared, out: Out<'_>) -> Result<Done, Failure> {
        let core = shared.open()?;
        let (plant, lines) = (core.plant(), core.kiosk_lines(shared.settings()?.silent_minutes)?);
        if shared.json {
            lines.iter().try_for_each(|line| json_line(out, line))?;
            json_line(out, &json!({"kiosks": lines.len()}))?;
            return Ok(Done::Well);
        }
        if lines.is_empty() {
            writeln!(out, "No kiosk is enrolled yet. Make a code with `sync-server kiosk enrol-code`.")?;
        }
        for line in lines {
            let state = match line.state {
                KioskState::Ok => "ok",
                KioskState::Silent => "silent",
                KioskState::NeverCalled => "never called",
                KioskState::Replaced => "replaced",
                KioskState::Retired => "retired",
                KioskState::Revoked => "revoked",
            };
            let units: Vec<&str> = line.work_units.iter().map(|unit| unit.as_str()).collect();
            let seen = line.last_seen.map_or_else(|| "–".to_owned(), |at| shown(&plant, at));
            let through = line.complete_through.map_or_else(|| "unknown".to_owned(), |at| shown(&plant, at));
            let place = match (&line.replaces, &line.replaced_by) {
                (_, Some(other)) => format!("; {other} stands in its place"),
                (Some(broken), _) => format!("; in the place of {broken}"),
                _ => String::new(),
            };
            writeln!(
                out,
                "{:<12} {:<13} last call {seen:<22} complete through {through:<22} to come {:<5} {}{place}",
                line.name.as_str(),
                state,
                line.waiting,
                units.join(", ")
            )?;
        }
        Ok(Done::Well)
    }
}
