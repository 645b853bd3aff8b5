//! `backup`: everything a server needs but its keys, in one file.

use std::path::PathBuf;

use clap::Args;

use super::{Done, Failure, Out, Shared, json_line, working};
use crate::core::escrow::{BACKUP_NOTE, PutAway};
use crate::core::secrets::ServerSecrets;
use crate::core::{Environment, Machine, backup};

/// Copy everything but the keys into one file
///
/// Works beside a running server, and never writes over a file. The copy is read again and every hash, chain and signature in it is checked; with
/// findings the file is kept, each is named, and the exit code is 1. The keys are not in it: see `escrow`.
#[derive(Args)]
#[command(after_help = "Example: sync-server backup /backup/lineproof-2026-03-02.backup --data site1")]
pub struct Backup {
    file: PathBuf,
}

impl Backup {
    pub fn run(self, shared: &Shared, out: Out<'_>) -> Result<Done, Failure> {
        shared.must_exist()?;
        let secrets = ServerSecrets::load(&shared.data)?.ok_or_else(|| {
            Failure::CouldNot(format!(
                "{} holds no server.key, which signs the backup; nothing was written",
                shared.data.display()
            ))
        })?;
        let bar = working("copying and checking");
        let made = backup::make(&shared.data, &self.file, &secrets.device, Machine.now());
        bar.finish_and_clear();
        let made = made?;
        PutAway::of(&self.file, made.manifest.made_at).keep(&shared.data, BACKUP_NOTE);
        let clean = made.verification.is_clean();
        if shared.json {
            json_line(out, &made)?;
            return Ok(Done::or_no(clean));
        }
        for finding in &made.verification.findings {
            writeln!(out, "{}: {}", finding.what, finding.problem)?;
        }
        let manifest = &made.manifest;
        writeln!(out, "{}: {} entries, {} blobs, {} bytes", made.file, manifest.entries, manifest.blobs, made.bytes)?;
        writeln!(out, "Contents {} (signed by the server {})", manifest.contents, manifest.server.short())?;
        if clean {
            writeln!(out, "Read again and checked: every hash, chain and signature is good.")?;
        } else {
            let findings = made.verification.findings.len();
            writeln!(
                out,
                "{findings} findings: the server's database was altered. Keep this file and earlier ones, and ask who could write to it."
            )?;
        }
        Ok(Done::or_no(clean))
    }
}
