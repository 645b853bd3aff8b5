//! `restore`: a server from its backup and its keys, or from its keys alone.

use std::path::PathBuf;

use clap::Args;

use super::lock::Lock;
use super::{Done, Failure, Out, Shared, json_line, named, working};
use crate::core::{Machine, escrow, restore};

/// Put a server back from its backup and its keys
///
/// Looks at everything first, and writes into a folder without data only. The server goes on in a new epoch; what was acknowledged after the backup
/// comes back from the kiosks, once two people have signed the recovery (`recover`, or the dashboard).
#[derive(Args)]
#[command(
    after_help = "Example: sync-server restore lineproof-2026-03-02.backup --keys lineproof.keys --data site1-restored\n         \
                        sync-server restore --empty --keys lineproof.keys --data site1-restored"
)]
pub struct Restore {
    /// The backup
    #[arg(required_unless_present = "empty", conflicts_with = "empty")]
    file: Option<PathBuf>,
    /// No backup is left: begin with the keys alone, and let kiosks hand over what they hold
    #[arg(long)]
    empty: bool,
    /// The keys from escrow
    #[arg(long, value_name = "FILE")]
    keys: PathBuf,
}

impl Restore {
    pub fn run(self, shared: &Shared, out: Out<'_>) -> Result<Done, Failure> {
        let keys = escrow::Escrow::read(&self.keys)?;
        let _lock = Lock::take(&shared.data, "Name another folder with --data.")?;
        let bar = working("checking, then restoring");
        let restored = match &self.file {
            Some(file) => restore::from_backup(file, &keys, &shared.data, &Machine),
            None => restore::from_nothing(&keys, &shared.data, &Machine),
        };
        bar.finish_and_clear();
        let restored = restored?;
        if shared.json {
            json_line(out, &restored)?;
            return Ok(Done::Well);
        }
        let data = named(&shared.data);
        match restored.backup_of {
            Some(at) => writeln!(
                out,
                "{data} holds the server {} as of {at}: {} entries, {} blobs. Every hash, chain and signature was good.",
                restored.server.short(),
                restored.entries,
                restored.blobs
            )?,
            None => {
                writeln!(out, "{data} holds the server {} with its keys and nothing else.", restored.server.short())?
            }
        }
        writeln!(
            out,
            "1. Start it: sync-server serve --data {data}\n2. Let the kiosks call, healthy ones first: they give what they hold, and take nothing from \
             this server yet where they know more.\n3. Two people, each of quality or administrator, sign the recovery: on the dashboard's first page, \
             or `sync-server recover` while it is stopped.\n4. sync-server doctor --data {data}"
        )?;
        if restored.backup_of.is_none() {
            writeln!(
                out,
                "5. Import the plant folder again, without its history.csv: right answers of quizzes, and contents that no kiosk holds, come from there."
            )?;
        }
        Ok(Done::Well)
    }
}
