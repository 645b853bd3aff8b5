//! `export`: writes the plant as a folder that could be imported again.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::{Done, Failure, Out, Shared, json_line, named, working};

/// Write the plant as a folder that could be imported again
#[derive(Args)]
#[command(after_help = "Example: sync-server export plant-copy --data site1")]
pub struct Export {
    folder: PathBuf,
}

impl Export {
    pub fn run(self, shared: &Shared, out: Out<'_>) -> Result<Done, Failure> {
        let core = shared.open()?;
        let bar = working("exporting");
        let outcome = core.export(&self.folder);
        bar.finish_and_clear();
        outcome?;
        if shared.json {
            json_line(out, &json!({"exported": named(&self.folder)}))?;
        } else {
            writeln!(out, "The plant stands in {}.", named(&self.folder))?;
        }
        Ok(Done::Well)
    }
}
