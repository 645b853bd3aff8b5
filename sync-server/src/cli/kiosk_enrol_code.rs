//! `kiosk enrol-code`: a one-time code for a terminal set-up. Works beside a running server, which reads codes when a kiosk asks.

use clap::Args;
use serde_json::json;
use shared::id::{KioskName, WorkUnitId};

use super::{Done, Failure, Out, Shared, json_line, shown};
use crate::core::enrol::CODE_LIFE_MS;

/// Make a one-time code for a terminal set-up, good for 15 minutes
#[derive(Args)]
#[command(after_help = "Examples:
  sync-server kiosk enrol-code --data site1 --work-unit SEAL,LABEL --name K3
  sync-server kiosk enrol-code --data site1 --replaces K3    # K3 broke: another stands in its place")]
pub struct EnrolCode {
    /// The work units it stands at, one to eight of one site
    #[arg(long = "work-unit", value_name = "U", value_delimiter = ',', required_unless_present = "replaces")]
    work_units: Vec<WorkUnitId>,
    /// A kiosk that broke: the new one stands at its work units. Revoke the broken one once everything it held is here
    #[arg(long, value_name = "K", conflicts_with = "work_units")]
    replaces: Option<KioskName>,
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
        let code = match &self.replaces {
            Some(broken) => core.replacement_code(name.clone(), broken)?,
            None => core.enrol_code(name.clone(), &self.work_units)?,
        };
        let expires_at = core.now().plus_ms(CODE_LIFE_MS);
        if shared.json {
            json_line(out, &json!({"code": code, "name": name, "replaces": self.replaces, "expires_at": expires_at}))?;
        } else {
            writeln!(out, "{code}")?;
            writeln!(out, "for kiosk {name}, once, until {}", shown(&plant, expires_at))?;
            if let Some(broken) = &self.replaces {
                writeln!(
                    out,
                    "{broken} stays in use until it is revoked: first let its disk, its stick and its neighbours give what they hold."
                )?;
            }
        }
        Ok(Done::Well)
    }
}
