//! `verify`: every hash, chain and signature; with `--rebuild` also what is derived from them.

use std::path::PathBuf;

use clap::Args;

use super::{Done, Failure, Out, Shared, json_line, working};
use crate::core::verify::{Verification, look_at_closed};

/// Check every hash, chain and signature
///
/// Names each bad entry, and exits 1 when there is one.
#[derive(Args)]
#[command(after_help = "Example: sync-server verify --data site1 --rebuild")]
pub struct Verify {
    /// Also derive everything anew and compare; not beside a running server
    #[arg(long, conflicts_with = "from")]
    rebuild: bool,
    /// Check an earlier evidence bundle instead, and that this database has lost nothing that stands in it
    #[arg(long, value_name = "BUNDLE")]
    from: Option<PathBuf>,
}

impl Verify {
    pub fn run(self, shared: &Shared, out: Out<'_>) -> Result<Done, Failure> {
        let bar = working("verifying");
        let found = self.look(shared);
        bar.finish_and_clear();
        let found = found?;
        if shared.json {
            json_line(out, &found)?;
            return Ok(Done::or_no(found.is_clean()));
        }
        for finding in &found.findings {
            writeln!(out, "{}: {}", finding.what, finding.problem)?;
        }
        writeln!(
            out,
            "{} entries, {} signatures checked, {} numbers of the order, {} forks, {} findings",
            found.entries,
            found.signatures,
            found.ordered,
            found.forks,
            found.findings.len()
        )?;
        match found.rebuilt_equal {
            Some(true) => writeln!(out, "What is derived equals a replay.")?,
            Some(false) => writeln!(out, "What was derived differed from a replay; the replay stands now.")?,
            None => {}
        }
        Ok(Done::or_no(found.is_clean()))
    }

    fn look(&self, shared: &Shared) -> Result<Verification, Failure> {
        let opened = if self.rebuild {
            shared
                .open_alone("Without --rebuild, verify works beside the running server.")
                .map(|(lock, core)| (Some(lock), core))
        } else {
            shared.open().map(|core| (None, core))
        };
        let (_lock, core) = match opened {
            Ok(opened) => opened,
            // What keeps a server from opening may be just what was asked for.
            Err(why) => return look_at_closed(&shared.data).ok().filter(|found| !found.is_clean()).ok_or(why),
        };
        Ok(match &self.from {
            Some(bundle) => core.verify_against(bundle)?,
            None => core.verify(self.rebuild)?,
        })
    }
}
