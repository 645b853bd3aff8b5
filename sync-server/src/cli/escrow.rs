//! `escrow`: the keys that no backup holds, for the safe.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::{Done, Failure, Out, Shared, json_line};
use crate::core::escrow::{self, ESCROW_NOTE, PutAway};
use crate::core::{Environment, Machine};

/// Copy the server's keys into a file for the safe
///
/// The signing key, from which later peppers follow, the site's first pepper, and the certificate authority that kiosks trust. Whoever has this file and a backup can be the server: keep the
/// two apart, and this one where two people are needed to reach it. It changes only when the data folder is made anew.
#[derive(Args)]
#[command(after_help = "Example: sync-server escrow /media/safe/lineproof.keys --data site1")]
pub struct Escrow {
    file: PathBuf,
}

impl Escrow {
    pub fn run(self, shared: &Shared, out: Out<'_>) -> Result<Done, Failure> {
        let keys = escrow::Escrow::of_folder(&shared.data)?;
        keys.write(&self.file)?;
        let file = self.file.display().to_string();
        PutAway::of(&self.file, Machine.now()).keep(&shared.data, ESCROW_NOTE);
        if shared.json {
            json_line(out, &json!({"escrow": file, "server": keys.server()}))?;
        } else {
            writeln!(
                out,
                "{file} holds the keys of the server {}. Whoever has it and a backup can be this server.",
                keys.server().short()
            )?;
            writeln!(out, "Put it into a safe, apart from the backups, and leave no copy on this machine.")?;
        }
        Ok(Done::Well)
    }
}
