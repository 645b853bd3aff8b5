//! `version`: what this program is.

use clap::Args;
use serde_json::json;

use super::{Done, Failure, Out, Shared, json_line};

/// Print what this program is
#[derive(Args)]
#[command(after_help = "Example: sync-server version --json")]
pub struct Version {}

impl Version {
    pub fn run(self, shared: &Shared, out: Out<'_>) -> Result<Done, Failure> {
        let (name, version) = (env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
        if shared.json {
            json_line(out, &json!({"name": name, "version": version, "api": 1}))?;
        } else {
            writeln!(out, "{name} {version}, interface 1")?;
        }
        Ok(Done::Well)
    }
}
