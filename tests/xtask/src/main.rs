//! `cargo xtask …`: what a developer or first-time user types. Builds without Slint and without the product itself.
//!
//! Exit codes: 0, 1 (the answer is no), 2 (usage), 3 (could not run).
#![forbid(unsafe_code)]

mod demo;
mod fuzz;
mod play;
mod run;
mod supply;
mod test;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Lineproof's own commands", after_help = "Example: cargo xtask demo --once")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// The main job on the demo plant: server, dashboard, kiosks. Example: cargo xtask demo
    Demo {
        /// Play the story end to end without questions, then exit.
        #[arg(long)]
        once: bool,
    },
    /// Runs every test. Example: cargo xtask test --quick
    Test {
        /// Only what needs no screen.
        #[arg(long)]
        quick: bool,
    },
    /// Figures, each with its ratio to a limit measured in the same run. Example: cargo xtask bench gate signoff --json
    Bench {
        /// Names of benchmarks and their options, as `cargo run -p bench -- --help` shows them; all benchmarks when none is named.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Plays a script of a person's acts against real kiosks and a real server. Example: cargo xtask play tests/play/main-job.play
    Play(play::Play),
    /// Writes a synthetic plant folder. Example: cargo xtask plant --people 500 --documents 100 --years 3 --kiosks 4 --seed 1 /tmp/plant
    Plant {
        #[arg(long)]
        people: usize,
        #[arg(long)]
        documents: usize,
        /// Years of history: versions and evidence grow with them.
        #[arg(long, default_value_t = 3)]
        years: usize,
        #[arg(long, default_value_t = 1)]
        kiosks: usize,
        #[arg(long, default_value_t = 1)]
        seed: u64,
        out: PathBuf,
    },
    /// Judges what comes in through dependencies by deny.toml: licences, bans, sources, advisories; holds the bills of materials against what is linked. Example: cargo xtask supply
    Supply,
    /// Writes a bill of materials (CycloneDX) for each binary that is shipped. Example: cargo xtask sbom target/sbom
    Sbom { out: PathBuf },
    /// The fault harnesses. Example: cargo xtask faults schedules --count 500 --seed 7
    Faults {
        /// schedules, replays, mutants, days, misread, power-cuts, io-errors, full-disk, network-cuts, lossy-lines, memory (--count places in each operation), kill, guesses, clocks, arrivals, altered, restores, bombs, floods (--count seconds), storm (--count kiosks), fuzz; all when none is named.
        names: Vec<String>,
        #[arg(long)]
        count: Option<u64>,
        #[arg(long)]
        seed: Option<u64>,
        #[command(flatten)]
        fuzz: fuzz::Fuzz,
    },
}

fn main() -> ExitCode {
    if let Some(code) = fuzz::instrument() {
        return ExitCode::from(code);
    }
    let outcome = match Arguments::parse().command {
        Command::Demo { once } => demo::demo(once),
        Command::Test { quick } => test::test(quick),
        Command::Bench { arguments } => bench(&arguments),
        Command::Play(asked) => return code(play::play(&asked)),
        Command::Plant { people, documents, years, seed, out, .. } => plant(people, documents, years, seed, &out),
        Command::Supply => supply::supply(),
        Command::Sbom { out } => run::whole(&out).and_then(|out| supply::sbom(&out)),
        Command::Faults { names, count, seed, fuzz } => faults(&names, count, seed, &fuzz),
    };
    code(outcome.map(|good| u8::from(!good)))
}

fn code(outcome: Result<u8, String>) -> ExitCode {
    ExitCode::from(outcome.unwrap_or_else(|why| {
        eprintln!("could not run: {why}");
        3
    }))
}

fn bench(arguments: &[String]) -> run::Outcome {
    eprintln!("Building for release, the way it is measured: some minutes the first time.");
    let mut all = vec!["run", "--quiet", "--release", "-p", "bench", "--"];
    all.extend(arguments.iter().map(String::as_str));
    run::cargo(&all, &[])
}

fn plant(people: usize, documents: usize, years: usize, seed: u64, out: &std::path::Path) -> run::Outcome {
    let versions = documents * (1 + 3 * years);
    let history = people * 30 * years;
    let out = out.display().to_string();
    let seed = seed.to_string();
    let size = [people, documents, versions, history].map(|n| n.to_string());
    let mut arguments =
        vec!["run", "--quiet", "--release", "-p", "oracle", "--", "generate", &out, "--seed", &seed, "--large"];
    arguments.extend(size.iter().map(String::as_str));
    run::cargo(&arguments, &[])
}

/// The fault harnesses: name, package, its test binary, what of it, and the variable that says how often; none where all is tried.
const FAULTS: [(&str, &str, &str, &str, &str); 20] = [
    ("schedules", "sim", "random", "every_invariant", "LINEPROOF_SCHEDULES"),
    ("replays", "sim", "random", "safe4_u8", "LINEPROOF_REPLAYS"),
    ("mutants", "sim", "mutants", "", "LINEPROOF_MUTANT_SEEDS"),
    ("days", "plant-tests", "plant", "any_day::", "LINEPROOF_DAYS"),
    ("misread", "plant-tests", "plant", "misread::", ""),
    ("power-cuts", "faults", "faults", "power_cuts::", "LINEPROOF_POWER_CUTS"),
    ("io-errors", "faults", "faults", "io_errors::", ""),
    ("full-disk", "faults", "faults", "full_disk::", ""),
    ("network-cuts", "faults", "faults", "network_cuts::", "LINEPROOF_CUTS"),
    ("lossy-lines", "faults", "faults", "lossy_lines::", "LINEPROOF_LOSSES"),
    ("memory", "faults", "memory", "", "LINEPROOF_REQUESTS"),
    ("kill", "faults", "faults", "kill::", "LINEPROOF_KILLS"),
    ("guesses", "faults", "faults", "guesses::", ""),
    ("clocks", "faults", "faults", "clocks::", ""),
    ("arrivals", "plant-tests", "plant", "orders::", "LINEPROOF_ARRIVALS"),
    ("altered", "plant-tests", "plant", "altered::", "LINEPROOF_ALTERED"),
    ("restores", "plant-tests", "plant", "restore::live5_a_server_put_back", "LINEPROOF_ORDERS"),
    ("bombs", "fuzz", "bombs", "", ""),
    ("floods", "sync-server", "flood", "flood", "LINEPROOF_FLOOD_SECONDS"),
    ("storm", "sync-server", "flood", "come_back", "LINEPROOF_STORM"),
];

fn faults(names: &[String], count: Option<u64>, seed: Option<u64>, fuzz: &fuzz::Fuzz) -> run::Outcome {
    let known: Vec<&str> = FAULTS.iter().map(|(name, ..)| *name).chain(["fuzz"]).collect();
    if let Some(unknown) = names.iter().find(|name| !known.contains(&name.as_str())) {
        eprintln!("SKIPPED ({unknown} is not built yet; there are: {})", known.join(", "));
        return Ok(false);
    }
    let mut good = true;
    for (name, package, binary, what, how_often) in FAULTS {
        if !names.is_empty() && !names.iter().any(|n| n == name) {
            continue;
        }
        let mut environment = Vec::new();
        if how_often.is_empty() && count.is_some() {
            println!("{name}: it tries all there is; --count has no meaning for it");
        }
        environment.extend(count.filter(|_| !how_often.is_empty()).map(|count| (how_often, count.to_string())));
        environment.extend(seed.map(|seed| ("LINEPROOF_SEED", seed.to_string())));
        let test = ["test", "--release", "-p", package, "--test", binary, "--", what, "--nocapture"];
        good &= run::cargo(&test, &environment)?;
    }
    if names.is_empty() || names.iter().any(|name| name == "fuzz") {
        good &= fuzz::fuzz(fuzz, seed.unwrap_or(1))?;
    }
    Ok(good)
}
