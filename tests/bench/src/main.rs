//! Benchmarks of what the product promises, each beside a limit that is measured in the same run on the same disk and processor: a figure
//! alone says more about the machine than about us.
//!
//! Read: [`figure`] (what is printed) → [`limit`] (what it is held against) → [`author`] and [`full`] (a plant of any size) → one file a
//! benchmark.
#![forbid(unsafe_code)]

mod author;
mod figure;
mod full;
mod gate;
mod import;
mod ingest;
mod limit;
mod point_in_time;
mod signoff;
mod trickle;

use std::process::ExitCode;

use clap::Parser;

use figure::Figure;
use full::{FullPlant, Size};

/// What went wrong while measuring.
type Trouble = Box<dyn std::error::Error>;

const BUILT: [&str; 6] = ["gate", "signoff", "trickle", "ingest", "point-in-time", "import"];

#[derive(Parser)]
#[command(
    name = "bench",
    about = "Figures, each with its ratio to a limit measured in the same run",
    after_help = "Example: cargo xtask bench gate signoff --json"
)]
struct Arguments {
    /// gate, signoff, trickle, ingest, point-in-time, import; all when none is named.
    names: Vec<String>,
    /// One JSON object a line.
    #[arg(long)]
    json: bool,
    #[arg(long, default_value_t = 5_000)]
    people: usize,
    #[arg(long, default_value_t = 2_000)]
    documents: usize,
    #[arg(long, default_value_t = 20_000)]
    versions: usize,
    /// Entries in the kiosk's store; rows of history for `import`.
    #[arg(long, default_value_t = 1_000_000)]
    entries: usize,
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Some(unknown) = arguments.names.iter().find(|name| !BUILT.contains(&name.as_str())) {
        eprintln!("{unknown} is not a benchmark that is built; there are: {}", BUILT.join(", "));
        return ExitCode::from(2);
    }
    match run(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(why) => {
            eprintln!("could not measure: {why}");
            ExitCode::from(3)
        }
    }
}

/// Whether every figure keeps its promise.
fn run(arguments: &Arguments) -> Result<bool, Trouble> {
    let wanted = |name: &str| arguments.names.is_empty() || arguments.names.iter().any(|n| n == name);
    let mut all_held = true;
    let mut show = |figure: Figure| {
        all_held &= figure.held;
        println!("{}", if arguments.json { figure.json() } else { figure.line() });
    };
    if wanted("trickle") {
        trickle::measure(arguments.seed)?.into_iter().for_each(&mut show);
    }
    if wanted("import") {
        show(import::measure(&arguments.size(arguments.entries))?);
    }
    if ["gate", "signoff", "ingest", "point-in-time"].into_iter().any(wanted) {
        let mut plant = FullPlant::build(&arguments.size(0))?;
        if wanted("ingest") {
            show(ingest::measure(&mut plant)?);
        }
        if wanted("point-in-time") {
            show(point_in_time::measure(&plant)?);
        }
        if wanted("gate") || wanted("signoff") {
            plant.fill_kiosk(arguments.entries)?;
        }
        if wanted("gate") {
            show(gate::measure(&mut plant)?);
        }
        if wanted("signoff") {
            show(signoff::measure(&mut plant)?);
        }
    }
    Ok(all_held)
}

impl Arguments {
    fn size(&self, history: usize) -> Size {
        let Self { people, documents, versions, seed, .. } = *self;
        Size { people, documents, versions, history, seed }
    }
}
