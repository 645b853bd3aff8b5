//! `doctor`: looks for what would hurt later.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use clap::Args;
use serde::Serialize;
use serde_json::json;

use super::{Done, Failure, Out, Shared, json_line, working};

/// Less free space than this is a finding, in bytes.
const ENOUGH_SPACE: u64 = 2 * 1024 * 1024 * 1024;

/// Look for what would hurt later: settings, database, key files, free space
///
/// Works beside a running server; exits 1 when something is wrong.
#[derive(Args)]
#[command(after_help = "Example: sync-server doctor --data site1")]
pub struct Doctor {}

#[derive(Serialize)]
struct Check {
    check: &'static str,
    fine: bool,
    detail: String,
}

impl Doctor {
    pub fn run(self, shared: &Shared, out: Out<'_>) -> Result<Done, Failure> {
        let mut checks = vec![settings(shared)];
        let core = shared.open()?;
        let bar = working("reading the database");
        let examined = core.examine_database()?;
        bar.finish_and_clear();
        checks.push(Check { check: "durable writing", fine: examined.is_durable(), detail: examined.modes() });
        let detail = if examined.damage.is_empty() { "no damage found".into() } else { examined.damage.join("; ") };
        checks.push(Check { check: "database", fine: examined.damage.is_empty(), detail });
        let stopped = core.is_stopped()?;
        let detail = if stopped { "stopped: the server's recovery has to be signed" } else { "permitted" };
        checks.push(Check { check: "writing", fine: !stopped, detail: detail.into() });
        for name in ["server.key", crate::access::TOKEN_FILE, "tls/authority.key"] {
            checks.extend(private(&shared.data, name));
        }
        checks.push(space(&shared.data));
        let wrong = checks.iter().filter(|check| !check.fine).count();
        if shared.json {
            checks.iter().try_for_each(|check| json_line(out, check))?;
            json_line(out, &json!({"checks": checks.len(), "wrong": wrong}))?;
        } else {
            for check in &checks {
                writeln!(out, "{} {:<18} {}", if check.fine { "ok   " } else { "WRONG" }, check.check, check.detail)?;
            }
        }
        Ok(Done::or_no(wrong == 0))
    }
}

fn settings(shared: &Shared) -> Check {
    match shared.settings() {
        Ok(config) => Check { check: "settings", fine: true, detail: format!("listens at {}", config.listen) },
        Err(why) => Check { check: "settings", fine: false, detail: why.to_string() },
    }
}

/// A file that only its owner may read; nothing where it isn't made yet.
fn private(data: &Path, name: &'static str) -> Option<Check> {
    let mode = std::fs::metadata(data.join(name)).ok()?.permissions().mode() & 0o777;
    Some(Check { check: name, fine: mode & 0o077 == 0, detail: format!("mode {mode:o}") })
}

fn space(data: &Path) -> Check {
    match rustix::fs::statvfs(data) {
        Ok(disk) => {
            let free = disk.f_bavail.saturating_mul(disk.f_frsize);
            Check { check: "free space", fine: free >= ENOUGH_SPACE, detail: format!("{} MiB", free / (1024 * 1024)) }
        }
        Err(why) => Check { check: "free space", fine: false, detail: why.to_string() },
    }
}
