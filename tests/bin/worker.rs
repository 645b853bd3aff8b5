//! Works without pause on a plant's data folders, and says each thing on standard output once it is acknowledged: `written KIOSK ID` after a
//! kiosk's COMMIT, `confirmed ID` when the server's answer is durable at the kiosk. For the harness that kills it.
#![forbid(unsafe_code)]

use std::error::Error;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use harness::work::{Onward, Said, Shift};
use shared::time::Timestamp;

fn main() -> ExitCode {
    match work() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("could not work: {why}");
            ExitCode::from(3)
        }
    }
}

fn work() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (folder, moment) = arguments.next().zip(arguments.next()).ok_or("usage: worker FOLDER MOMENT")?;
    let moment = Timestamp::parse(&moment).ok_or("the moment is no time")?;
    let mut shift = Shift::begin(&PathBuf::from(folder), &Onward::from(moment))?;
    say("ready");
    let mut tell = |said: Said| match said {
        Said::Written { kiosk, entry } => say(&format!("written {kiosk} {entry}")),
        Said::Confirmed { entry } => say(&format!("confirmed {entry}")),
    };
    for round in 0u32.. {
        shift.round(round, &mut tell)?;
    }
    Ok(())
}

/// One line, out of this process before anything else happens.
fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    // Whoever listens may be gone: then nobody counts on it.
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}
