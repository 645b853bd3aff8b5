//! The command line: one file per command. Exit codes: 0 done, or yes; 1 the answer is no, or there are findings; 2 wrong usage; 3 could not
//! run.

mod backup;
mod badge_lost;
mod bundle_import;
mod config_print;
mod doctor;
mod escrow;
mod export;
mod fork_list;
mod fork_rule;
mod import;
mod kiosk_enrol_code;
mod kiosk_list;
mod kiosk_retire;
mod kiosk_revoke;
pub mod lock;
pub mod query_batch;
mod query_decision;
mod query_lot;
mod query_qualified;
mod recover;
mod restore;
mod secret;
mod serve;
mod signing_set_up;
mod verify;
mod version;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Parser, Subcommand};
use shared::id::SiteId;
use shared::plant::Plant;
use shared::time::Timestamp;

use crate::config::{BadConfig, Config};
use crate::core::query::Watermark;
use crate::core::{Core, Machine, Refused};

/// Lineproof's server: merges the kiosks' entries into the training record and answers for it.
#[derive(Parser)]
#[command(name = "sync-server", version, max_term_width = 100)]
#[command(after_help = "Example: sync-server import plant --data site1 && sync-server serve --data site1")]
pub struct Cli {
    #[command(flatten)]
    shared: Shared,
    #[command(subcommand)]
    command: Command,
}

/// What every command takes.
#[derive(Args)]
pub struct Shared {
    /// The data folder: database, keys, certificate authority, blobs
    #[arg(long, global = true, value_name = "DIR", env = "LINEPROOF_DATA", default_value = "lineproof-data")]
    data: PathBuf,
    /// For programs: one JSON object, or JSON Lines with the summary last
    #[arg(long, global = true)]
    json: bool,
    /// Settings, instead of DIR/config.toml
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Command {
    Serve(serve::Serve),
    Import(import::Import),
    Export(export::Export),
    /// Exchange by file
    #[command(subcommand)]
    Bundle(Bundle),
    /// Kiosks: one-time codes, list, replacement, retirement, revocation
    #[command(subcommand)]
    Kiosk(Kiosk),
    /// Questions to the record
    #[command(subcommand)]
    Query(Query),
    Verify(verify::Verify),
    /// Electronic signatures
    #[command(subcommand)]
    Signing(Signing),
    /// Badges that were lost
    #[command(subcommand)]
    Badge(Badge),
    Doctor(doctor::Doctor),
    Backup(backup::Backup),
    Escrow(escrow::Escrow),
    Restore(restore::Restore),
    Recover(recover::Recover),
    /// Logs that divide: a cloned or restored kiosk, a server put back
    #[command(subcommand)]
    Fork(Fork),
    /// Settings
    #[command(subcommand)]
    Config(ConfigCommand),
    Version(version::Version),
}

#[derive(Subcommand)]
enum Bundle {
    Import(bundle_import::BundleImport),
}

#[derive(Subcommand)]
enum Kiosk {
    EnrolCode(kiosk_enrol_code::EnrolCode),
    List(kiosk_list::List),
    Retire(kiosk_retire::Retire),
    Revoke(kiosk_revoke::Revoke),
}

#[derive(Subcommand)]
enum Badge {
    Lost(badge_lost::Lost),
    Status(badge_lost::Status),
}

#[derive(Subcommand)]
enum Fork {
    List(fork_list::List),
    Rule(fork_rule::Rule),
}

#[derive(Subcommand)]
enum Query {
    Qualified(query_qualified::Qualified),
    Lot(query_lot::Lot),
    Decision(query_decision::Decision),
}

#[derive(Subcommand)]
enum Signing {
    SetUp(signing_set_up::SetUp),
}

#[derive(Subcommand)]
enum ConfigCommand {
    Print(config_print::Print),
}

/// How a command that ran ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    /// Done, or the answer is yes.
    Well,
    /// The answer is no, or there are findings.
    No,
}

impl Done {
    fn or_no(well: bool) -> Self {
        if well { Self::Well } else { Self::No }
    }
}

/// Why a command did not run.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Asked wrongly.
    #[error("{0}")]
    Usage(String),
    #[error("{0}")]
    CouldNot(String),
    #[error("the output can't be written: {0}")]
    Output(#[from] io::Error),
}

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Self {
        Self::CouldNot(refused.to_string())
    }
}

impl From<BadConfig> for Failure {
    fn from(bad: BadConfig) -> Self {
        Self::Usage(bad.to_string())
    }
}

/// Where a command writes its answer.
pub type Out<'a> = &'a mut dyn Write;

/// Runs what the command line asks for.
pub fn run(cli: Cli, out: Out<'_>) -> ExitCode {
    let Cli { shared, command } = cli;
    let outcome = match command {
        Command::Serve(command) => command.run(&shared, out),
        Command::Import(command) => command.run(&shared, out),
        Command::Export(command) => command.run(&shared, out),
        Command::Bundle(Bundle::Import(command)) => command.run(&shared, out),
        Command::Kiosk(Kiosk::EnrolCode(command)) => command.run(&shared, out),
        Command::Kiosk(Kiosk::List(command)) => command.run(&shared, out),
        Command::Kiosk(Kiosk::Revoke(command)) => command.run(&shared, out),
        Command::Kiosk(Kiosk::Retire(command)) => command.run(&shared, out),
        Command::Query(Query::Qualified(command)) => command.run(&shared, out),
        Command::Query(Query::Lot(command)) => command.run(&shared, out),
        Command::Query(Query::Decision(command)) => command.run(&shared, out),
        Command::Verify(command) => command.run(&shared, out),
        Command::Signing(Signing::SetUp(command)) => command.run(&shared, out),
        Command::Doctor(command) => command.run(&shared, out),
        Command::Backup(command) => command.run(&shared, out),
        Command::Escrow(command) => command.run(&shared, out),
        Command::Restore(command) => command.run(&shared, out),
        Command::Recover(command) => command.run(&shared, out),
        Command::Badge(Badge::Lost(command)) => command.run(&shared, out),
        Command::Badge(Badge::Status(command)) => command.run(&shared, out),
        Command::Fork(Fork::List(command)) => command.run(&shared, out),
        Command::Fork(Fork::Rule(command)) => command.run(&shared, out),
        Command::Config(ConfigCommand::Print(command)) => command.run(&shared, out),
        Command::Version(command) => command.run(&shared, out),
    };
    match outcome.and_then(|done| Ok(out.flush().map(|()| done)?)) {
        Ok(Done::Well) => ExitCode::SUCCESS,
        Ok(Done::No) => ExitCode::from(1),
        // Whoever reads has seen enough.
        Err(Failure::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("sync-server: {failure}");
            ExitCode::from(if matches!(failure, Failure::Usage(_)) { 2 } else { 3 })
        }
    }
}

impl Shared {
    fn settings(&self) -> Result<Config, Failure> {
        Ok(Config::load(&self.data, self.config.as_deref())?)
    }

    /// Opens a data folder that exists. Beside a running server this shows what is durable at this moment.
    fn open(&self) -> Result<Core, Failure> {
        self.must_exist()?;
        self.open_or_make()
    }

    fn open_or_make(&self) -> Result<Core, Failure> {
        Core::open(&self.data, Arc::new(Machine)).map_err(|why| match why {
            Refused::Store(damage) if damage.is_damage() => Failure::CouldNot(format!(
                "{damage}. No server opens on it, and nothing was changed. `sync-server verify --data {}` names every entry that was altered; \
                 keep this folder as it is, and put the server back into another one with `sync-server restore`",
                self.data.display()
            )),
            other => other.into(),
        })
    }

    fn must_exist(&self) -> Result<(), Failure> {
        if self.data.join(crate::core::folder::DATABASE).is_file() {
            return Ok(());
        }
        let data = self.data.display();
        Err(Failure::CouldNot(format!(
            "{data} holds no server's data; name the folder with --data, or begin with `sync-server import FOLDER --data {data}`"
        )))
    }

    /// Opens the data folder for writing, alone; `instead` says how it is done while the server runs.
    fn open_alone(&self, instead: &str) -> Result<(lock::Lock, Core), Failure> {
        let lock = lock::Lock::take(&self.data, instead)?;
        Ok((lock, self.open()?))
    }
}

/// Reads RFC 3339, or a date alone as the site's change time on that day.
fn instant(plant: &Plant, site: Option<&SiteId>, text: &str) -> Result<Timestamp, Failure> {
    plant.site_time(site).parse(text).ok_or_else(|| {
        Failure::Usage(format!("{text:?} is neither a time with a zone (2026-03-02T06:40:00Z) nor a date (2026-03-02)"))
    })
}

/// Writes an instant in a site's time.
fn shown(plant: &Plant, at: Timestamp) -> String {
    plant.site_time(None).local(at).format("%Y-%m-%d %H:%M %Z").to_string()
}

/// How far the data are complete, in a sentence (U10).
fn complete(plant: &Plant, watermark: &Watermark) -> String {
    let missing: Vec<&str> = watermark.missing.iter().map(|name| name.as_str()).collect();
    let missing = if missing.is_empty() { String::new() } else { format!("; missing: {}", missing.join(", ")) };
    let counted = format!("{} of {} kiosks{missing}", watermark.complete, watermark.kiosks);
    match watermark.complete_through {
        _ if watermark.kiosks == 0 => "No kiosk is enrolled yet: this is what the server wrote or imported".into(),
        Some(through) => format!("Data complete through {}; {counted}", shown(plant, through)),
        None => format!("Data complete through: unknown; {counted}; a kiosk has never told everything it wrote"),
    }
}

/// One JSON value on a line of its own.
fn json_line(out: Out<'_>, value: &impl serde::Serialize) -> Result<(), Failure> {
    serde_json::to_writer(&mut *out, value).map_err(io::Error::from)?;
    Ok(writeln!(out)?)
}

/// Something that turns while a long command works; on a terminal only.
fn working(what: &str) -> indicatif::ProgressBar {
    let bar = indicatif::ProgressBar::new_spinner().with_message(what.to_owned());
    bar.enable_steady_tick(std::time::Duration::from_millis(200));
    bar
}

/// How [`working`] looks once it is known how much there is.
fn counted() -> indicatif::ProgressStyle {
    let style =
        indicatif::ProgressStyle::with_template("{bar:30} {human_pos} of {human_len} {msg} ({elapsed}, {eta} to go)");
    style.unwrap_or_else(|_| indicatif::ProgressStyle::default_bar())
}

/// A folder's name for messages.
fn named(folder: &Path) -> String {
    folder.display().to_string()
}
