//! Leaves the demo plant running: server and dashboard, a kiosk window where there is a display. Ctrl-C ends all.
//!
//! The plant's dates are moved by whole weeks, so that today stands where the story stands: history lies behind, revisions lie ahead.
#![forbid(unsafe_code)]

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode};
use std::sync::Arc;

use harness::{demo_plant, secret_of, shift, signer};
use shared::id::{KioskName, PersonId, WorkUnitId};
use shared::part11::boxes::Stretching;
use sync_server::config::Config;
use sync_server::core::{Core, Machine};
use sync_server::serve::start;

/// The Monday of the story.
const STORY: &str = "2026-03-02";
const PEOPLE: [(&str, &str, &str); 5] = [
    ("maria", "04A1B2C3", "operator, sealing"),
    ("ana", "04B7D019", "operator, sealing"),
    ("jonas", "04C25E8A", "assessor, trainer, supervisor"),
    ("eva", "04D93F61", "assessor, trainer"),
    ("noemi", "", "in training"),
];

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("could not run: {why}");
            ExitCode::from(3)
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let folder = arguments.next().ok_or("usage: demo FOLDER [KIOSK-BINARY]")?;
    let kiosk = arguments.next();
    if folder.join("server").exists() {
        fs::remove_dir_all(folder.join("server"))?;
    }
    let plant = folder.join("plant");
    shift::copy(&demo_plant(), &plant, STORY)?;
    println!("Importing the demo plant (dates moved to this week) …");
    let core = Arc::new(Core::open(&folder.join("server"), Arc::new(Machine))?);
    println!("{}", core.import(&plant, false, "demo").map_err(|why| format!("{why:?}"))?);
    println!("Making people's keys …");
    for (place, person) in ["helga", "lukas", "henning", "jonas", "eva", "maria", "ana", "noemi"].iter().enumerate() {
        let verifier = (place > 0).then(|| signer("helga"));
        let who = PersonId::new(person)?;
        core.set_up_signing(&who, &secret_of(person), "demo", verifier.as_ref(), Stretching::NORMAL)?;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let running = runtime.block_on(start(core.clone(), Config::local()))?;
    let code = core.enrol_code(KioskName::new("K3")?, &[WorkUnitId::new("SEAL")?])?;
    println!("\nThe dashboard:  {}", running.set_up.clone().unwrap_or_else(|| running.url()));
    println!("Administrator:  {}", running.admin_token);
    println!("A kiosk's code: {code}  (15 minutes)\n");
    println!("Badges and secrets to try at the kiosk (type the badge's digits quickly, then Enter, or paste them):");
    for (person, badge, what) in PEOPLE.iter().filter(|(_, badge, _)| !badge.is_empty()) {
        println!("  {person:<8} {badge}  secret {:<18} {what}", secret_of(person));
    }
    println!("  lot      881");
    let window = kiosk.map(|binary| open_window(&binary, &folder, &running.url(), &code)).transpose()?;
    println!("\nCtrl-C ends all.");
    runtime.block_on(tokio::signal::ctrl_c())?;
    if let Some(mut window) = window {
        // It may have been closed already.
        let _ = window.kill();
    }
    runtime.block_on(running.stop());
    Ok(())
}

fn open_window(binary: &Path, folder: &Path, url: &str, code: &str) -> Result<Child, Box<dyn Error>> {
    for name in ["K3", "K3-keys"] {
        if folder.join(name).exists() {
            fs::remove_dir_all(folder.join(name))?;
        }
    }
    let mut command = Command::new(binary);
    command.arg("--data").arg(folder.join("K3")).arg("--key-store").arg(folder.join("K3-keys"));
    command.args(["--server", url, "--enrol", code, "--windowed", "1280x800"]);
    Ok(command.spawn()?)
}
