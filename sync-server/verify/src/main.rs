//! `lineproof-verify BUNDLE`: is everything in it as it was written?
//!
//! Exit codes: 0 everything is good; 1 findings, each named; 2 wrong usage; 3 the file could not be read.
#![forbid(unsafe_code)]

use std::fs::File;
use std::io::{self, BufReader, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use lineproof_verify::{Report, verify};
use shared::id::DeviceKey;

/// Check an evidence bundle without a server: every hash, signature and chain, up to the server's public key
#[derive(Parser)]
#[command(name = "lineproof-verify", version, max_term_width = 100)]
#[command(
    after_help = "Example: lineproof-verify site1.evidence --root 5f0c…\n\nThe root is the server's public key, 64 hexadecimal digits: \
                        `sync-server doctor` shows it. Ask for it by another way than the one by which the bundle came."
)]
struct Arguments {
    bundle: PathBuf,
    /// The server's public key; without it the bundle is traced to the key that it names itself
    #[arg(long, value_name = "KEY")]
    root: Option<DeviceKey>,
    /// For programs: each finding as a JSON line, the summary last
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let named = arguments.bundle.display();
    let report = File::open(&arguments.bundle).and_then(|file| verify(BufReader::new(file), arguments.root));
    let report = match report {
        Ok(report) => report,
        Err(why) => {
            eprintln!("lineproof-verify: {named} can't be read: {why}. Nothing was found out");
            return ExitCode::from(3);
        }
    };
    let mut out = io::stdout().lock();
    let told = if arguments.json { tell_programs(&report, &mut out) } else { tell(&report, &mut out) };
    match told {
        // Whoever reads may have seen enough.
        Err(why) if why.kind() != io::ErrorKind::BrokenPipe => ExitCode::from(3),
        _ => ExitCode::from(u8::from(!report.is_clean())),
    }
}

fn tell_programs(report: &Report, out: &mut impl Write) -> io::Result<()> {
    for finding in &report.findings {
        writeln!(out, "{}", serde_json::to_string(finding)?)?;
    }
    let mut summary = serde_json::to_value(report)?;
    summary["findings"] = report.findings.len().into();
    writeln!(out, "{summary}")
}

fn tell(report: &Report, out: &mut impl Write) -> io::Result<()> {
    for finding in &report.findings {
        let place = if finding.line == 0 { String::new() } else { format!("line {}: ", finding.line) };
        writeln!(out, "{place}{}: {}", finding.what, finding.problem)?;
    }
    let broken = report.findings.len();
    writeln!(
        out,
        "{} entries, {} signatures good, {} logs, {}, {} forks, {} devices, {} people with a key",
        report.entries,
        report.signatures,
        report.logs,
        if broken == 0 { "chains unbroken".to_owned() } else { format!("{broken} findings") },
        report.forks,
        report.devices,
        report.people
    )?;
    let unknown: Vec<&str> = report.unknown.iter().map(|kiosk| kiosk.as_str()).collect();
    match report.complete_through {
        Some(through) => writeln!(out, "Data complete through {through}, as the server signed.")?,
        None if unknown.is_empty() => writeln!(out, "Data complete through: unknown; no kiosk is enrolled.")?,
        None => writeln!(out, "Data complete through: unknown; never told everything: {}.", unknown.join(", "))?,
    }
    let server = report.server.map_or_else(|| "nobody".to_owned(), |server| server.to_string());
    if report.root_given {
        writeln!(out, "Traced to the server {server}, as given.")
    } else {
        writeln!(
            out,
            "Traced to the server {server}. The bundle says so itself: compare this key with the site's (--root)."
        )
    }
}
