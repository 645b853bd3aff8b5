//! `cargo xtask play`: plays a script and says of each act whether it is as written.
//!
//! Exit codes: 0, 1 (an act is not as written), 2 (usage, or mistakes in the script), 3 (could not run).
#![forbid(unsafe_code)]

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use harness::play::script::{Line, MAX_SCRIPT_BYTES};
use harness::play::{Mistake, Options, Outcome, parse, play, run::beside};
use serde_json::json;

const USAGE: &str = "\
usage: play SCRIPT [--pictures DIR] [--json]
       play --ids [--json]
example: cargo xtask play tests/play/main-job.play --pictures target/pictures";

const NOT_AS_WRITTEN: u8 = 1;
const WRONG_USAGE: u8 = 2;
const COULD_NOT_RUN: u8 = 3;

#[derive(Default)]
struct Asked {
    script: Option<PathBuf>,
    pictures: Option<PathBuf>,
    ids: bool,
    json: bool,
}

fn main() -> ExitCode {
    let filter = tracing_subscriber::EnvFilter::from_default_env();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    match asked(std::env::args_os().skip(1)) {
        Ok(Asked { ids: true, json, .. }) => print_ids(json),
        Ok(Asked { script: Some(script), pictures, json, .. }) => play_file(&script, pictures, json),
        Ok(_) => usage("no script was given"),
        Err(why) => usage(&why),
    }
}

fn usage(why: &str) -> ExitCode {
    eprintln!("{why}\n{USAGE}");
    ExitCode::from(WRONG_USAGE)
}

fn asked(arguments: impl Iterator<Item = std::ffi::OsString>) -> Result<Asked, String> {
    let mut asked = Asked::default();
    let mut arguments = arguments;
    while let Some(argument) = arguments.next() {
        match argument.to_str() {
            Some("--ids") => asked.ids = true,
            Some("--json") => asked.json = true,
            Some("--pictures") => {
                asked.pictures = Some(arguments.next().ok_or("--pictures needs a folder")?.into());
            }
            Some(flag) if flag.starts_with("--") => return Err(format!("{flag} is not known")),
            _ if asked.script.is_some() => return Err("one script at a time".into()),
            _ => asked.script = Some(argument.into()),
        }
    }
    Ok(asked)
}

fn print_ids(json: bool) -> ExitCode {
    for (screen, ids) in kiosk::presenter::ids() {
        if json {
            println!("{}", json!({ "screen": screen, "ids": ids }))
        } else {
            println!("{screen}: {}", ids.join(", "))
        }
    }
    ExitCode::SUCCESS
}

fn play_file(path: &Path, pictures: Option<PathBuf>, json: bool) -> ExitCode {
    let began = Instant::now();
    let name = path.display().to_string();
    let bytes = match read(path) {
        Ok(bytes) => bytes,
        Err(why) => return usage(&format!("{name} can't be read: {why}")),
    };
    let script = match parse(&bytes) {
        Ok(script) => script,
        Err(mistakes) => return say_mistakes(&name, &mistakes, json),
    };
    let data = match tempfile::Builder::new().prefix("lineproof-play-").tempdir() {
        Ok(data) => data,
        Err(why) => {
            eprintln!("could not run: no folder for the plant's data: {why}");
            return ExitCode::from(COULD_NOT_RUN);
        }
    };
    let options = Options { data: data.path().join("plant"), beside: beside(path), pictures };
    let report = play(&script, options, |line, outcome| say(&name, line, outcome, json));
    let (acts, passed, skipped) = (report.acts, report.passed, report.skipped);
    if !json {
        println!("{name}: {acts} acts, {passed} as written, {skipped} of them left something out");
    }
    let seconds = (began.elapsed().as_secs_f64() * 10.0).round() / 10.0;
    let summary = json!({ "script": name, "acts": acts, "passed": passed, "skipped": skipped, "seconds": seconds });
    if json {
        println!("{summary}");
    }
    if passed == acts { ExitCode::SUCCESS } else { ExitCode::from(NOT_AS_WRITTEN) }
}

/// No more than a script may hold, whatever the file is.
fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_SCRIPT_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn say_mistakes(name: &str, mistakes: &[Mistake], json: bool) -> ExitCode {
    for mistake in mistakes {
        let Mistake { line, column, what } = mistake;
        if json {
            println!("{}", json!({ "line": line, "column": column, "mistake": what }));
        } else {
            eprintln!("{name}: {mistake}");
        }
    }
    if json {
        println!("{}", json!({ "script": name, "acts": 0, "passed": 0, "mistakes": mistakes.len(), "seconds": 0.0 }));
    } else {
        eprintln!("{name}: {} mistakes; nothing was played", mistakes.len());
    }
    ExitCode::from(WRONG_USAGE)
}

fn say(name: &str, line: &Line, outcome: &Outcome, json: bool) {
    let Line { number, text, .. } = line;
    if json {
        let line = match outcome {
            Outcome::Done => json!({ "line": number, "act": text, "passed": true }),
            Outcome::Skipped(why) => json!({ "line": number, "act": text, "passed": true, "skipped": why }),
            Outcome::Failed { expected, shown } => {
                json!({ "line": number, "act": text, "passed": false, "expected": expected, "shown": shown })
            }
        };
        return println!("{line}");
    }
    match outcome {
        Outcome::Done => println!("{number:>4}  {text}"),
        Outcome::Skipped(why) => println!("{number:>4}  {text}\n      SKIPPED ({why})"),
        Outcome::Failed { expected, shown } => {
            println!("{number:>4}  {text}\n      NOT AS WRITTEN");
            eprintln!("{name}: line {number}: {text}\n  expected: {expected}\n  there is: {shown}");
        }
    }
}
