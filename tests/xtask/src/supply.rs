//! `cargo xtask supply` and `cargo xtask sbom`: what comes in through dependencies, judged by `deny.toml` and listed for whoever has to know.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::run::{Outcome, root, target, workspace_cargo};

/// A tool of the registry, at the version these commands were tried with. The cargo word is its name without `cargo-`.
struct Tool {
    name: &'static str,
    version: &'static str,
}

const DENY: Tool = Tool { name: "cargo-deny", version: "0.20.2" };
const CYCLONEDX: Tool = Tool { name: "cargo-cyclonedx", version: "0.5.9" };

/// What the tool calls its files.
const SBOM: &str = "lineproof-sbom";

/// What is shipped, and as what it is built.
const SHIPPED: [(&str, &str); 2] = [("kiosk", "window,tpm"), ("sync-server", "")];

/// Licences, bans and sources of everything in the lock file, which has to be up to date; then what is known against it.
pub fn supply() -> Outcome {
    let deny = DENY.installed()?;
    let judged = run(Command::new(&deny).args(["--locked", "check", "licenses", "bans", "sources"]))?;
    let advised = Command::new(&deny).current_dir(root()).args(["--locked", "check", "advisories"]).output();
    let advised = advised.map_err(|error| format!("{}: {error}", deny.display()))?;
    let said = String::from_utf8_lossy(&advised.stderr);
    if said.contains("failed to fetch advisory database") {
        let why = said.lines().rfind(|line| line.contains("fatal:")).unwrap_or("no reason was given").trim();
        println!("SKIPPED (the advisory database can't be had here: {why}): what is known against our dependencies");
        return Ok(judged);
    }
    eprint!("{said}");
    Ok(judged && advised.status.success())
}

/// A CycloneDX bill of materials for each binary that is shipped, in `out`.
pub fn sbom(out: &Path) -> Outcome {
    let tool = CYCLONEDX.installed()?;
    std::fs::create_dir_all(out).map_err(failed(out))?;
    for (package, features) in SHIPPED {
        let manifest = root().join(package).join("Cargo.toml");
        let mut command = Command::new(&tool);
        command.args(["cyclonedx", "--quiet", "--format", "json", "--spec-version", "1.5", "--no-build-deps"]);
        command.args(["--target", "x86_64-unknown-linux-gnu", "--override-filename", SBOM]);
        command.arg("--manifest-path").arg(&manifest).args(["--features", features]);
        command.envs(committed_at().map(|seconds| ("SOURCE_DATE_EPOCH", seconds)));
        let made = run(&mut command);
        // The tool leaves one beside every manifest of the workspace.
        let left = beside_manifests()?;
        let own = left.iter().find(|file| file.parent() == manifest.parent());
        let text = own.map(std::fs::read_to_string).transpose().map_err(failed(&manifest))?;
        for file in &left {
            std::fs::remove_file(file).map_err(failed(file))?;
        }
        let (true, Some(text)) = (made?, text) else { return Ok(false) };
        let file = out.join(format!("{package}.cdx.json"));
        // Where it was built is nobody's business, and would make each build's list another one.
        let text = text.replace(&root().display().to_string(), "");
        std::fs::write(&file, text).map_err(failed(&file))?;
        println!("{}", file.display());
    }
    Ok(true)
}

fn failed(file: &Path) -> impl Fn(std::io::Error) -> String {
    move |error| format!("{}: {error}", file.display())
}

/// When the commit was made that is built, so that building it again gives the same bytes.
fn committed_at() -> Option<String> {
    let asked = Command::new("git").current_dir(root()).args(["log", "-1", "--format=%ct"]).output().ok()?;
    let seconds = String::from_utf8(asked.stdout).ok()?.trim().to_owned();
    (asked.status.success() && !seconds.is_empty()).then_some(seconds)
}

/// The tool's files in the workspace: its members lie at most two folders deep.
fn beside_manifests() -> Result<Vec<PathBuf>, String> {
    let below = |folder: &Path| -> Result<Vec<PathBuf>, String> {
        let items = std::fs::read_dir(folder).map_err(failed(folder))?;
        Ok(items.flatten().map(|item| item.path()).filter(|path| path.join("Cargo.toml").is_file()).collect())
    };
    let mut members = below(&root())?;
    for member in members.clone() {
        members.extend(below(&member)?);
    }
    let files = members.iter().map(|member| member.join(SBOM).with_extension("json"));
    Ok(files.filter(|file| file.is_file()).collect())
}

impl Tool {
    /// Where it is: in the build's own folder, put there the first time.
    fn installed(&self) -> Result<PathBuf, String> {
        let home = target().join("tools").join(format!("{}-{}", self.name, self.version));
        let program = home.join("bin").join(self.name);
        if program.is_file() {
            return Ok(program);
        }
        eprintln!("Installing {} {} (about a minute, once).", self.name, self.version);
        let home = home.display().to_string();
        // Not optimised: it is built in a third of the time and runs for seconds.
        let install = ["install", self.name, "--version", self.version, "--locked", "--debug", "--root", &home];
        let mut command = workspace_cargo(&install);
        // Built in a folder of its own that goes away, not among ours.
        match command.env_remove("CARGO_TARGET_DIR").stdin(Stdio::null()).status() {
            Ok(status) if status.success() => Ok(program),
            Ok(_) => Err(format!("{} could not be installed", self.name)),
            Err(error) => Err(format!("cargo: {error}")),
        }
    }
}

fn run(command: &mut Command) -> Outcome {
    let program = command.get_program().to_owned();
    let status = command.current_dir(root()).stdin(Stdio::null()).status();
    status.map(|status| status.success()).map_err(|error| format!("{}: {error}", program.display()))
}
