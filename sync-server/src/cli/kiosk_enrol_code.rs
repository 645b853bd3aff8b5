//! `kiosk enrol-code`: a one-time code for a terminal set-up. Works beside a running server, which reads codes when a kiosk asks.

use clap::Args;
use serde_json::json;
use shared::id::{KioskName, WorkUnitId};

use super::{Done, Failure, Out, Shared, json_line, shown};
use crate::core::enrol::CODE_LIFE_MS;

/// Make a one-time code for a terminal set-up, good for 15 minutes
#[derive(Args)]
#[command(after_help = "Example: sync-server kiosk enrol-code --data site1 --work-unit SEAL,LABEL --name K3")]
pub struct EnrolCode {
    /// The work units it stands at, one to eight of one site
    #[arg(long = "work-unit", value_name = "U", value_delimiter = ',', required = true)]
    work_units: Vec<WorkUnitId>,
    /// What people call it [default: the next free K1, K2, …]
    #[arg(long, value_name = "K")]
    name: Option<KioskName>,
}

impl EnrolCode {
    pub fn run(self, shared: &Shared, out: Out<'_>) -> Result<Done, Failure> {
        let core = shared.open()?;
        let plant = core.plant();
        let name = self.name.map_or_else(|| core.free_kiosk_name(), |name| Ok(Some(name)))?;
        let name = name.ok_or_else(|| Failure::Usage("name the kiosk with --name".into()))?;
        let code = core.enrol_code(name.clone(), &self.work_units)?;
        let expires_at = core.now().plus_ms(CODE_LIFE_MS);
        if shared.json {
            json_line(out, &json!({"code": code, "name": name, "expires_at": expires_at}))?;
        } else {
            writeln!(out, "{code}")?;
            writeln!(out, "for kiosk {name}, once, until {}", shown(&plant, expires_at))?;
        }
        Ok(Done::Well)
    }
}
