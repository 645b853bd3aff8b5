//! `doctor`: looks for what would hurt later, and says what to do about it.

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;
use serde_json::json;
use shared::time::{DAY_MS, MINUTE_MS, Timestamp};

use super::{Done, Failure, Out, Shared, json_line, working};
use crate::core::escrow::{BACKUP_NOTE, ESCROW_NOTE, PutAway};
use crate::core::overview::{KioskLine, KioskState};
use crate::core::pepper::KeysSealed;
use crate::core::{Core, Environment, Machine, Refused};
use crate::tls;

/// Less free space than this is a finding, in bytes.
const ENOUGH_SPACE: u64 = 2 * 1024 * 1024 * 1024;
/// A backup older than this is a finding, in milliseconds.
const BACKUP_DUE_MS: i64 = 2 * DAY_MS;
/// A clock this far from another is a finding, in milliseconds.
const CLOCK_TOLERANCE_MS: i64 = 2 * MINUTE_MS;

/// Look for what would hurt later: settings, files, database, backups, clock, kiosks, alarms
///
/// Works beside a running server; each line says what to do where something is amiss. Exits 1 when something is.
#[derive(Args)]
#[command(after_help = "Example: sync-server doctor --data site1")]
pub struct Doctor {}

#[derive(Serialize)]
struct Check {
    check: &'static str,
    fine: bool,
    detail: String,
    /// What to do; nothing where it is fine.
    #[serde(rename = "do", skip_serializing_if = "str::is_empty")]
    advice: &'static str,
}

fn fine(check: &'static str, detail: impl Into<String>) -> Check {
    Check { check, fine: true, detail: detail.into(), advice: "" }
}

fn amiss(check: &'static str, detail: impl Into<String>, advice: &'static str) -> Check {
    Check { check, fine: false, detail: detail.into(), advice }
}

impl Doctor {
    pub fn run(self, shared: &Shared, out: Out<'_>) -> Result<Done, Failure> {
        shared.must_exist()?;
        let now = Machine.now();
        let mut checks = vec![settings(shared), modes(&shared.data)?];
        match shared.open() {
            Ok(core) => look_into(&core, shared, now, &mut checks)?,
            Err(why) => checks.push(amiss("server", why.to_string(), "do what the message says; nothing was changed")),
        }
        checks.extend([authority(&shared.data), escrow(&shared.data), backup(&shared.data, now), space(&shared.data)]);
        let wrong = checks.iter().filter(|check| !check.fine).count();
        if shared.json {
            checks.iter().try_for_each(|check| json_line(out, check))?;
            json_line(out, &json!({"checks": checks.len(), "wrong": wrong}))?;
            return Ok(Done::or_no(wrong == 0));
        }
        for check in &checks {
            writeln!(
                out,
                "{} {:<16} {}",
                if check.fine { "ok       " } else { "ATTENTION" },
                check.check,
                check.detail
            )?;
            if !check.fine {
                writeln!(out, "          {:<16} → {}", "", check.advice)?;
            }
        }
        Ok(Done::or_no(wrong == 0))
    }
}

fn look_into(core: &Core, shared: &Shared, now: Timestamp, checks: &mut Vec<Check>) -> Result<(), Failure> {
    checks.push(fine("identity", core.key().to_string()));
    let bar = working("reading the database");
    let examined = core.examine_database();
    bar.finish_and_clear();
    let examined = examined?;
    let durable = "start the server with this version: it sets them at every start";
    checks.push(Check {
        check: "durable writing",
        fine: examined.is_durable(),
        detail: examined.modes(),
        advice: durable,
    });
    checks.push(if examined.damage.is_empty() {
        fine("database", "SQLite finds no damage; `verify` looks at hashes and signatures")
    } else {
        amiss(
            "database",
            examined.damage.join("; "),
            "stop the server, keep the folder as it is, restore the last backup elsewhere",
        )
    });
    checks.push(writing(core)?);
    checks.push(clock(core, now)?);
    let silent_minutes = shared.settings().map_or(30, |config| config.silent_minutes);
    let overview = core.overview(silent_minutes)?;
    checks.push(kiosks(&overview.kiosks));
    checks.push(kiosk_clocks(&overview.kiosks));
    checks.push(keys(overview.keys_sealed));
    checks.push(match overview.forks.len() {
        0 => fine("alarms", "no log divides"),
        count => amiss(
            "alarms",
            format!("{count} logs divide: a kiosk or this server was cloned or put back"),
            "`fork list` names each branch; what is on it counts once quality has ruled (`fork rule`)",
        ),
    });
    Ok(())
}

fn settings(shared: &Shared) -> Check {
    match shared.settings() {
        Ok(config) => fine("settings", format!("listens at {}", config.listen)),
        Err(why) => {
            amiss("settings", why.to_string(), "correct the file; `config print` shows every setting with its default")
        }
    }
}

/// Files that others than their owner may read, or change.
fn modes(data: &Path) -> Result<Check, Failure> {
    let mut open = Vec::new();
    look_at_modes(data, data, &mut open)?;
    open.sort();
    Ok(match open.first() {
        None => fine("files", "only their owner may look into them"),
        Some(first) => amiss(
            "files",
            format!("{} of them others may look into, such as {}", open.len(), first.display()),
            "chmod -R go= DIR; if others had an account on this machine, the keys in it are theirs, too",
        ),
    })
}

fn look_at_modes(data: &Path, below: &Path, open: &mut Vec<PathBuf>) -> io::Result<()> {
    let mode = |path: &Path| Ok::<_, io::Error>(std::fs::metadata(path)?.permissions().mode() & 0o777);
    // Within a folder that is shut, nobody reaches what lies in it.
    let is_shut = below != data && mode(below)? & 0o077 == 0;
    for file in std::fs::read_dir(below)? {
        let path = file?.path();
        let is_public = path.ends_with("tls/authority.pem") || is_shut;
        if path.is_dir() {
            look_at_modes(data, &path, open)?;
        } else if !is_public && mode(&path)? & 0o077 != 0 {
            open.push(path.strip_prefix(data).unwrap_or(&path).to_owned());
        }
    }
    if below == data && mode(data)? & 0o077 != 0 {
        open.push(data.to_owned());
    }
    Ok(())
}

fn writing(core: &Core) -> Result<Check, Refused> {
    let Some(put_back) = core.put_back()? else { return Ok(fine("writing", "permitted")) };
    let reason = format!("{} ({})", put_back.reason, put_back.since);
    let who =
        put_back.contradicted_by.map_or_else(String::new, |who| format!("; {who}, knows what this server has lost"));
    Ok(match (put_back.stopped, put_back.may_sign.len()) {
        (true, 0 | 1) => amiss(
            "writing",
            format!("stopped: {reason}{who}"),
            "let kiosks call: people and their keys come back with them; then two people sign the recovery (`recover`, or the dashboard)",
        ),
        (true, _) => amiss(
            "writing",
            format!("stopped: {reason}{who}"),
            "two people, each of quality or administrator, sign the recovery: `recover`, or the dashboard's first page",
        ),
        (false, _) => amiss(
            "writing",
            format!("permitted; put back: {reason}; nobody has signed the recovery"),
            "let the kiosks call, then two people sign the recovery: kiosks that know more take nothing until then",
        ),
    })
}

/// The machine's clock against what this server wrote before.
fn clock(core: &Core, now: Timestamp) -> Result<Check, Refused> {
    let latest = core.latest_own_time()?;
    Ok(match latest.filter(|latest| latest.since(now) > CLOCK_TOLERANCE_MS) {
        Some(latest) => amiss(
            "clock",
            format!("it shows {now}, and this server has written at {latest}"),
            "set the machine's clock (NTP): kiosks go by this server's time",
        ),
        None => fine("clock", now.to_string()),
    })
}

fn kiosks(lines: &[KioskLine]) -> Check {
    let in_use: Vec<&KioskLine> = lines.iter().filter(|line| line.state.is_in_use()).collect();
    let silent: Vec<&str> =
        in_use.iter().filter(|line| line.state != KioskState::Ok).map(|line| line.name.as_str()).collect();
    if silent.is_empty() {
        return fine("kiosks", format!("{} in contact", in_use.len()));
    }
    amiss(
        "kiosks",
        format!("{} of {} have not called lately: {}", silent.len(), in_use.len(), silent.join(", ")),
        "look at their power and network; they work on by themselves and hand in what they hold at the next call",
    )
}

fn kiosk_clocks(lines: &[KioskLine]) -> Check {
    let off: Vec<&str> = lines
        .iter()
        .filter(|line| line.state == KioskState::Ok && line.clock_ahead_ms.abs() > CLOCK_TOLERANCE_MS)
        .map(|line| line.name.as_str())
        .collect();
    if off.is_empty() {
        return fine("kiosks' clocks", "near this server's");
    }
    amiss(
        "kiosks' clocks",
        format!("far from this server's: {}", off.join(", ")),
        "set this machine's clock, then theirs (NTP)",
    )
}

/// No finding: nothing is wrong with a key that waits for its owner.
fn keys(sealed: KeysSealed) -> Check {
    let all = || format!("{}, all sealed under the newest pepper; {} kiosks have left", sealed.all, sealed.left);
    fine("people's keys", sealed.to_come().unwrap_or_else(all))
}

fn authority(data: &Path) -> Check {
    match tls::Files::read(data) {
        Ok(None) => fine("certificates", "none yet: the first start makes them"),
        Ok(Some(files)) => match tls::Authority::of_files(&files) {
            Ok(_) => fine(
                "certificates",
                format!("the authority holds until {}; the server's own is made anew every day", tls::AUTHORITY_UNTIL),
            ),
            Err(why) => amiss(
                "certificates",
                why.to_string(),
                "put both files back from escrow: kiosks trust this authority alone",
            ),
        },
        Err(why) => {
            amiss("certificates", why.to_string(), "put both files back from escrow: kiosks trust this authority alone")
        }
    }
}

fn escrow(data: &Path) -> Check {
    match PutAway::read(data, ESCROW_NOTE) {
        Some(done) => fine("keys in escrow", format!("copied {} to {}", done.at, done.file)),
        None => amiss(
            "keys in escrow",
            "never copied: if this machine is lost, every kiosk has to be set up anew",
            "sync-server escrow FILE, and put that file into a safe, apart from the backups",
        ),
    }
}

fn backup(data: &Path, now: Timestamp) -> Check {
    match PutAway::read(data, BACKUP_NOTE) {
        None => amiss("last backup", "never", "sync-server backup FILE, every day, onto another machine"),
        Some(done) if now.since(done.at) > BACKUP_DUE_MS => amiss(
            "last backup",
            format!("{}, {} days ago, in {}", done.at, now.since(done.at) / DAY_MS, done.file),
            "look why it isn't made every day; sync-server backup FILE",
        ),
        Some(done) => fine("last backup", format!("{} in {}", done.at, done.file)),
    }
}

fn space(data: &Path) -> Check {
    match rustix::fs::statvfs(data) {
        Ok(disk) => {
            let free = disk.f_bavail.saturating_mul(disk.f_frsize);
            let detail = format!("{} MiB", free / (1024 * 1024));
            let advice = "free some: on a full disk nothing is acknowledged, and kiosks keep what they have";
            Check { check: "free space", fine: free >= ENOUGH_SPACE, detail, advice }
        }
        Err(why) => amiss("free space", why.to_string(), "look whether the disk is mounted"),
    }
}
