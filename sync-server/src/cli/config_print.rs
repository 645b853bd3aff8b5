//! `config print`: the settings as they would be used.

use clap::Args;

use super::{Done, Failure, Out, Shared, json_line};

/// Print the settings as they would be used, in the form of a settings file
#[derive(Args)]
#[command(after_help = "Example: sync-server config print --data site1 > site1/config.toml")]
pub struct Print {}

impl Print {
    pub fn run(self, shared: &Shared, out: Out<'_>) -> Result<Done, Failure> {
        let config = shared.settings()?;
        if shared.json {
            json_line(out, &config)?;
        } else {
            let text = toml::to_string(&config).map_err(|why| Failure::CouldNot(why.to_string()))?;
            write!(out, "{text}")?;
        }
        Ok(Done::Well)
    }
}
