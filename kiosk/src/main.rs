//! The kiosk's program: reads the command line and starts what it asks for.
#![forbid(unsafe_code)]

use std::fmt::Display;
use std::io::IsTerminal;
use std::process::ExitCode;

use clap::Parser;
use kiosk::bundle_file::{self, NotCarried, Taken, Written};
use kiosk::config::{Bundle, Cli, Command, Held, Places, Retire, Run};
use kiosk::core::Core;
use kiosk::core::Denied;
use kiosk::core::peer::Brought;
use kiosk::core::secret::Signer;
use kiosk::headless::{self, Stopped};
use kiosk::retire::{self, NotRetired};
use kiosk::self_test;
use serde_json::{Value, json};
use shared::id::PersonId;

/// The answer is no, or something was found.
const NO: u8 = 1;
/// It could not run.
const COULD_NOT_RUN: u8 = 3;

fn main() -> ExitCode {
    let cli = Cli::parse();
    start_log();
    match cli.command {
        Some(Command::SelfTest) => run_self_test(&cli.places),
        Some(Command::Bundle(bundle)) => run_bundle(&cli.places, &bundle),
        Some(Command::Retire(asked)) => run_retire(&cli.places, &asked),
        None if cli.run.headless => run_headless(&cli.places, &cli.run),
        None => run_window(&cli.places, &cli.run),
    }
}

/// To standard error; what is printed on standard output is the program's answer.
fn start_log() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("LINEPROOF_LOG");
    tracing_subscriber::fmt()
        .with_env_filter(filter.unwrap_or_else(|_| "info".into()))
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
}

fn could_not(why: impl Display) -> ExitCode {
    eprintln!("kiosk: {why}");
    ExitCode::from(COULD_NOT_RUN)
}

fn not_opened(why: &Denied) -> ExitCode {
    could_not(format_args!(
        "{why}. Nothing in the data folder was touched; `kiosk self-test` says more. The server has every entry that was acknowledged as synced"
    ))
}

fn hold(places: &Places) -> Result<Held, ExitCode> {
    places.hold().map_err(could_not)
}

fn run_self_test(places: &Places) -> ExitCode {
    let held = match hold(places) {
        Ok(held) => held,
        Err(code) => return code,
    };
    let findings = self_test::findings(&held);
    let good = findings.iter().all(|finding| finding.good);
    if places.json {
        println!(
            "{}",
            json!({ "good": good, "checks": findings.iter().map(self_test::Finding::json).collect::<Vec<_>>() })
        );
    } else {
        for finding in &findings {
            println!("{}  {:<10} {}", if finding.good { "ok " } else { "NOT" }, finding.name, finding.text);
        }
    }
    if good { ExitCode::SUCCESS } else { ExitCode::from(NO) }
}

fn run_bundle(places: &Places, bundle: &Bundle) -> ExitCode {
    let held = match hold(places) {
        Ok(held) => held,
        Err(code) => return code,
    };
    let mut core = match held.open() {
        Ok(core) => core,
        Err(why) => return not_opened(&why),
    };
    let answer = match bundle {
        Bundle::Export { file } => bundle_file::export(&mut core, file).map(|written| {
            let Written { entries, blobs, blobs_left_out: left_out } = written;
            let room = if left_out == 0 { String::new() } else { format!("; {left_out} documents had no room") };
            let text = format!("{entries} entries and {blobs} documents are in {}{room}.", file.display());
            (text, json!({ "entries": entries, "documents": blobs, "documents_left_out": left_out }))
        }),
        Bundle::Import { file } => bundle_file::import(&mut core, file).map(|Taken { from, brought }| {
            let Brought { held, waiting, refused, blobs } = brought;
            let (kiosk, written) = (from.kiosk, from.written.to_string());
            let text = format!(
                "Written by {kiosk} at {written}: {held} entries and {blobs} documents are here now; {waiting} wait for others before them, {refused} are nobody's."
            );
            let line = json!({
                "from": kiosk, "written": written, "held": held, "waiting": waiting, "refused": refused, "documents": blobs,
            });
            (text, line)
        }),
    };
    match answer {
        Ok((text, line)) => {
            say(places, &text, &line);
            ExitCode::SUCCESS
        }
        Err(refused @ NotCarried::Refused { .. }) => {
            say(places, &refused.to_string(), &json!({ "refused_because": refused.to_string(), "held": 0 }));
            ExitCode::from(NO)
        }
        Err(why) => could_not(why),
    }
}

fn run_retire(places: &Places, asked: &Retire) -> ExitCode {
    let held = match hold(places) {
        Ok(held) => held,
        Err(code) => return code,
    };
    let core = match retire::open(&held) {
        Ok(core) => core,
        Err(NotRetired::Denied(Denied::NotSetUp)) => {
            eprintln!("kiosk: this terminal is not set up: there is nothing to retire");
            return ExitCode::from(NO);
        }
        Err(why) => return not_retired(places, &why),
    };
    let retired = match core.is_left_over() {
        Ok(true) => Ok(core),
        Ok(false) => retire_with_server(places, core, asked),
        Err(why) => Err(why.into()),
    };
    match retired.and_then(|core| Ok(core.erase()?)) {
        Ok(()) => {
            say(places, "This terminal is retired. Its keys and data are erased.", &json!({ "retired": true }));
            ExitCode::SUCCESS
        }
        Err(why) => not_retired(places, &why),
    }
}

fn not_retired(places: &Places, why: &NotRetired) -> ExitCode {
    if !why.is_no() {
        return could_not(why);
    }
    say(places, &format!("Not retired: {why}."), &json!({ "retired": false, "refused_because": why.to_string() }));
    ExitCode::from(NO)
}

fn retire_with_server(places: &Places, core: Core, asked: &Retire) -> Result<Core, NotRetired> {
    let secret = match core.retiring_because() {
        Some(_) => None,
        None => Some(own_secret(&asked.by).map_err(Denied::from)?),
    };
    let by = secret.map(|secret| Signer { person: asked.by.clone(), secret });
    let name = core.enrolment().map_or_else(String::new, |enrolment| enrolment.name.to_string());
    let core = std::sync::Mutex::new(core);
    let runtime = kiosk::runtime::sync_runtime().map_err(Denied::from)?;
    runtime.block_on(async {
        let server = kiosk::runtime::sync::link(&core, asked.server.as_deref()).await.ok_or(Denied::NotSetUp)?;
        retire::take_leave(&core, &server, by.as_ref(), &asked.reason).await?;
        if !places.json {
            println!("The server holds everything that this terminal wrote. Now two people sign there: sync-server kiosk retire {name}");
        }
        retire::wait_until_let_go(&core, &server).await
    })?;
    Ok(core.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner))
}

/// From the environment for scripts, else asked for; never from the command line that everybody can list.
fn own_secret(person: &PersonId) -> std::io::Result<String> {
    match std::env::var("LINEPROOF_SECRET") {
        Ok(secret) => Ok(secret),
        Err(_) => rpassword::prompt_password(format!("Secret of {person}: ")),
    }
}

fn say(places: &Places, text: &str, line: &Value) {
    if places.json { println!("{line}") } else { println!("{text}") }
}

fn run_headless(places: &Places, run: &Run) -> ExitCode {
    let held = match hold(places) {
        Ok(held) => held,
        Err(code) => return code,
    };
    match headless::run(held, run) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Stopped::NotOpened(why)) => not_opened(&why),
        Err(Stopped::NotSetUp(why)) => {
            eprintln!("kiosk: terminal set-up: {why}. Nothing was written; ask for a new code");
            ExitCode::from(NO)
        }
        Err(why) => could_not(why),
    }
}

#[cfg(not(feature = "window"))]
fn run_window(_: &Places, _: &Run) -> ExitCode {
    could_not("this build has no window: run it with --headless")
}

#[cfg(feature = "window")]
fn run_window(places: &Places, run: &Run) -> ExitCode {
    if let Some(why) = with_own_fonts_only() {
        return could_not(why);
    }
    if run.reader != kiosk::config::Reader::Wedge {
        return could_not(kiosk::config::CannotRun::NoReader);
    }
    let held = match hold(places) {
        Ok(held) => held,
        Err(code) => return code,
    };
    match kiosk::runtime::ui::run(held, run) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => could_not(why),
    }
}

/// A machine with a font configuration and no fonts would end the window at its first letter. The fonts it needs are built in, so it
/// starts itself anew with a configuration that doesn't exist, unless somebody chose one.
#[cfg(feature = "window")]
fn with_own_fonts_only() -> Option<std::io::Error> {
    use std::os::unix::process::CommandExt;
    const FONTS: &str = "FONTCONFIG_FILE";
    if std::env::var_os(FONTS).is_some() {
        return None;
    }
    match std::env::current_exe() {
        Ok(program) => Some(
            std::process::Command::new(program)
                .args(std::env::args_os().skip(1))
                .env(FONTS, "/nonexistent/fonts.conf")
                .exec(),
        ),
        Err(error) => Some(error),
    }
}
