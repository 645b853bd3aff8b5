//! `export`: writes the plant as a folder that could be imported again, or everything as a signed evidence bundle.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::{Done, Failure, Out, Shared, json_line, named, working};
use crate::core::Core;

/// Write the plant as a folder that could be imported again, or everything as a signed evidence bundle
#[derive(Args)]
#[command(
    after_help = "Example: sync-server export plant-copy --data site1\n         sync-server export --signed site1.evidence --data site1"
)]
pub struct Export {
    /// The plant folder to write
    #[arg(required_unless_present = "signed", conflicts_with = "signed")]
    folder: Option<PathBuf>,
    /// An evidence bundle instead: every entry with its signatures, for lineproof-verify
    #[arg(long, value_name = "FILE")]
    signed: Option<PathBuf>,
}

/// Marked cells would be another plant when they are imported again.
const AS_THEY_ARE: &str = "Its cells are as they were signed, also those that a spreadsheet would take for formulas: open its tables as text.";

impl Export {
    pub fn run(self, shared: &Shared, out: Out<'_>) -> Result<Done, Failure> {
        let core = shared.open()?;
        match (&self.folder, &self.signed) {
            (_, Some(file)) => sign(&core, file, shared, out),
            (Some(folder), None) => write(&core, folder, shared, out),
            (None, None) => Err(Failure::Usage("name a folder, or a file with --signed".into())),
        }
    }
}

fn write(core: &Core, folder: &Path, shared: &Shared, out: Out<'_>) -> Result<Done, Failure> {
    let bar = working("exporting");
    let outcome = core.export(folder);
    bar.finish_and_clear();
    outcome?;
    if shared.json {
        json_line(out, &json!({"exported": named(folder)}))?;
    } else {
        writeln!(out, "The plant stands in {}. {AS_THEY_ARE}", named(folder))?;
    }
    Ok(Done::Well)
}

fn sign(core: &Core, file: &Path, shared: &Shared, out: Out<'_>) -> Result<Done, Failure> {
    let bar = working("signing and writing");
    let exported = core.export_evidence(file);
    bar.finish_and_clear();
    let exported = exported?;
    if shared.json {
        json_line(out, &exported)?;
        return Ok(Done::Well);
    }
    writeln!(out, "{} holds {} entries with their signatures.", exported.file, exported.entries)?;
    writeln!(out, "Check it anywhere: lineproof-verify {} --root {}", exported.file, exported.server)?;
    Ok(Done::Well)
}
