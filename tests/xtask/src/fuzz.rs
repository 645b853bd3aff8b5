//! `cargo xtask faults fuzz`: the coverage-guided soak of every target in `tests/fuzz`, on the stable toolchain.
//!
//! Our own crates are instrumented for libFuzzer, generic code of others with them; what else others wrote, cryptography above all, runs at its own
//! speed. To that end this very program stands between cargo and the compiler ([`instrument`]).

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::run::{Outcome, cargo, has, root, target};

/// Set while cargo calls this program in the compiler's place.
const IN_BETWEEN: &str = "LINEPROOF_INSTRUMENT";
/// LLVM's own counters, the table of places and the values compared, as libFuzzer reads them. `cfg(fuzzing)` stays unset: some libraries
/// leave checks out under it, and what is tried is what is shipped.
const INSTRUMENTED: [&str; 5] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
];
/// For each target, where nobody says otherwise.
const SECONDS: u64 = 20;
/// Most files that `--keep` adds to a corpus: it is replayed on every run of the tests.
const MOST_KEPT: usize = 24;

/// What is asked of it.
#[derive(clap::Args)]
pub struct Fuzz {
    /// Only this target of tests/fuzz.
    #[arg(long, value_name = "NAME")]
    pub target: Option<String>,
    /// How long each target is tried.
    #[arg(long)]
    pub seconds: Option<u64>,
    /// Adds to the committed corpus what reaches code that it doesn't, the smallest first.
    #[arg(long)]
    pub keep: bool,
}

/// One target's soak.
struct Run {
    executed: u64,
    seconds: u64,
    failed: bool,
}

/// Calls the compiler with what instruments a crate of ours, when cargo asks for that; its exit code. `None` when this program was started by
/// itself.
pub fn instrument() -> Option<u8> {
    std::env::var_os(IN_BETWEEN)?;
    let mut arguments = std::env::args_os().skip(1);
    let status = Command::new(arguments.next()?).args(arguments).args(INSTRUMENTED).status();
    let code = status.ok().and_then(|status| status.code()).and_then(|code| u8::try_from(code).ok());
    Some(code.unwrap_or(101))
}

/// Soaks each target; `false` when an input broke a promise.
pub fn fuzz(asked: &Fuzz, seed: u64) -> Outcome {
    if !has("c++", "--version") {
        println!("SKIPPED (libFuzzer needs a C++ compiler, and there is no `c++`): fuzz");
        return Ok(true);
    }
    let corpus = root().join("tests/fuzz/corpus");
    let mut names = folders(&corpus)?;
    if let Some(only) = &asked.target {
        names.retain(|name| name == only);
        if names.is_empty() {
            return Err(format!("{only} is no target: see tests/fuzz/src/lib.rs"));
        }
    }
    eprintln!("Building the targets, instrumented (some minutes the first time).");
    let build = ["build", "--quiet", "--profile", "fuzz", "-p", "fuzz", "--features", "libfuzzer", "--bin", "soak"];
    let own = std::env::current_exe().map_err(|error| error.to_string())?.display().to_string();
    if !cargo(&build, &[("RUSTC_WORKSPACE_WRAPPER", own), (IN_BETWEEN, "1".to_owned())])? {
        return Err("the targets could not be built".into());
    }
    let soak = Soak { program: target().join("fuzz/soak"), grown: target().join("fuzz-corpus"), corpus, seed };
    let (mut executed, mut found, begun) = (0, 0, Instant::now());
    for name in &names {
        let run = soak.run(name, asked.seconds.unwrap_or(SECONDS))?;
        println!("{name}: {} inputs in {} s{}", run.executed, run.seconds, if run.failed { ", FAILED" } else { "" });
        executed += run.executed;
        found += u64::from(run.failed);
        if asked.keep && !run.failed {
            println!("{name}: {} inputs were kept", soak.keep(name)?);
        }
    }
    let seconds = begun.elapsed().as_secs();
    println!(r#"{{"name":"fuzz","runs":{executed},"violations":{found},"seed":{seed},"seconds":{seconds}}}"#);
    Ok(found == 0)
}

struct Soak {
    program: PathBuf,
    /// What soaks have found worth keeping on this machine; the next goes on from there.
    grown: PathBuf,
    corpus: PathBuf,
    seed: u64,
}

impl Soak {
    fn command(&self, name: &str) -> Command {
        let mut command = Command::new(&self.program);
        command.env("LINEPROOF_FUZZ", name).current_dir(root()).stdin(Stdio::null());
        command
    }

    fn run(&self, name: &str, seconds: u64) -> Result<Run, String> {
        let grown = self.grown.join(name);
        let findings = self.grown.join(format!("{name}-findings/"));
        for folder in [&grown, &findings] {
            std::fs::create_dir_all(folder).map_err(failed(folder))?;
        }
        let mut command = self.command(name);
        command.arg(format!("-max_total_time={seconds}")).arg(format!("-seed={}", self.seed));
        command.args(["-timeout=20", "-rss_limit_mb=1024", "-print_final_stats=1", "-verbosity=0", "-max_len=17408"]);
        command.arg(format!("-artifact_prefix={}/", findings.display().to_string().trim_end_matches('/')));
        let begun = Instant::now();
        let output = command.arg(&grown).arg(self.corpus.join(name)).output().map_err(failed(&self.program))?;
        let said = String::from_utf8_lossy(&output.stderr);
        let executed = said.lines().find_map(|line| line.strip_prefix("stat::number_of_executed_units:"));
        let executed = executed.and_then(|number| number.trim().parse().ok()).unwrap_or(0);
        if !output.status.success() {
            eprintln!("{said}");
        }
        Ok(Run { executed, seconds: begun.elapsed().as_secs(), failed: !output.status.success() })
    }

    /// Copies into the committed corpus what of the grown one reaches more than it; the smallest are tried first.
    fn keep(&self, name: &str) -> Result<usize, String> {
        let merged = self.grown.join(format!("{name}-merged"));
        let _ = std::fs::remove_dir_all(&merged);
        std::fs::create_dir_all(&merged).map_err(failed(&merged))?;
        let committed = self.corpus.join(name);
        let before: Vec<PathBuf> = files(&committed)?;
        for file in &before {
            std::fs::copy(file, merged.join(file.file_name().unwrap_or_default())).map_err(failed(file))?;
        }
        let mut merge = self.command(name);
        merge.args(["-merge=1", "-verbosity=0", "-max_len=2048"]).arg(&merged).arg(self.grown.join(name));
        let output = merge.output().map_err(failed(&self.program))?;
        if !output.status.success() {
            return Err(format!("{name} could not be merged: {}", String::from_utf8_lossy(&output.stderr)));
        }
        let known = |file: &PathBuf| before.iter().any(|other| other.file_name() == file.file_name());
        let mut more: Vec<PathBuf> = files(&merged)?.into_iter().filter(|file| !known(file)).collect();
        more.sort_by_key(|file| std::fs::metadata(file).map_or(u64::MAX, |about| about.len()));
        // Spread over the sizes: the smallest alone would all be refused at the first byte.
        let step = more.len().div_ceil(MOST_KEPT).max(1);
        let kept: Vec<&PathBuf> = more.iter().step_by(step).collect();
        for file in &kept {
            std::fs::copy(file, committed.join(file.file_name().unwrap_or_default())).map_err(failed(file))?;
        }
        Ok(kept.len())
    }
}

fn failed(file: &Path) -> impl Fn(std::io::Error) -> String {
    move |error| format!("{}: {error}", file.display())
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, String> {
    Ok(std::fs::read_dir(folder).map_err(failed(folder))?.flatten().map(|item| item.path()).collect())
}

fn folders(folder: &Path) -> Result<Vec<String>, String> {
    let names = files(folder)?.into_iter().filter(|path| path.is_dir());
    let mut names: Vec<String> = names.filter_map(|path| Some(path.file_name()?.to_str()?.to_owned())).collect();
    names.sort();
    Ok(names)
}
