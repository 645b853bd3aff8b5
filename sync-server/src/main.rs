//! The program: reads the command line and hands over.
#![forbid(unsafe_code)]

use std::io::{BufWriter, stdout};
use std::process::ExitCode;

use clap::Parser;
use sync_server::cli::{Cli, run};

fn main() -> ExitCode {
    run(Cli::parse(), &mut BufWriter::new(stdout().lock()))
}
