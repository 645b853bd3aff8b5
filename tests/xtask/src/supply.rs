//! `cargo xtask supply` and `cargo xtask sbom`: what comes in through dependencies, judged by `deny.toml` and listed for whoever has to know.

use std::collections::BTreeSet;
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

/// A program that is shipped.
struct Shipped {
    package: &'static str,
    folder: &'static str,
    /// As what it is built.
    features: &'static str,
}

const SHIPPED: [Shipped; 3] = [
    Shipped { package: "kiosk", folder: "kiosk", features: "window,tpm" },
    Shipped { package: "sync-server", folder: "sync-server", features: "" },
    Shipped { package: "lineproof-verify", folder: "sync-server/verify", features: "" },
];
/// What they are built for.
const PLATFORM: &str = "x86_64-unknown-linux-gnu";

/// Licences, bans and sources of everything in the lock file, which has to be up to date; whether the bills of materials name all that is linked;
/// then what is known against it.
pub fn supply() -> Outcome {
    let deny = DENY.installed()?;
    let judged = run(Command::new(&deny).args(["--locked", "check", "licenses", "bans", "sources"]))?;
    let judged = sbom(&target().join("sbom"))? && judged;
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

/// A CycloneDX bill of materials for each program that is shipped, in `out`; `false` when one isn't what its program links.
pub fn sbom(out: &Path) -> Outcome {
    let tool = CYCLONEDX.installed()?;
    std::fs::create_dir_all(out).map_err(failed(out))?;
    let mut whole = true;
    for program in &SHIPPED {
        let manifest = root().join(program.folder).join("Cargo.toml");
        let mut command = Command::new(&tool);
        command.args(["cyclonedx", "--quiet", "--format", "json", "--spec-version", "1.5", "--no-build-deps"]);
        command.args(["--target", PLATFORM, "--override-filename", SBOM]);
        command.arg("--manifest-path").arg(&manifest).args(["--features", program.features]);
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
        let file = out.join(format!("{}.cdx.json", program.package));
        // Where it was built is nobody's business, and would make each build's list another one.
        let text = text.replace(&root().display().to_string(), "");
        std::fs::write(&file, &text).map_err(failed(&file))?;
        println!("{}", file.display());
        for problem in problems(&text, &linked(program)?) {
            eprintln!("{}: {problem}", file.display());
            whole = false;
        }
    }
    Ok(whole)
}

/// Names of what a program is built from, its tools apart.
fn linked(program: &Shipped) -> Result<BTreeSet<String>, String> {
    let arguments = ["tree", "--locked", "--prefix", "none", "--format", "{p}", "--edges", "normal"];
    let mut tree = workspace_cargo(&arguments);
    tree.args(["--target", PLATFORM, "--package", program.package, "--features", program.features]);
    let said = tree.output().map_err(|error| format!("cargo: {error}"))?;
    if !said.status.success() {
        return Err(format!("cargo tree: {}", String::from_utf8_lossy(&said.stderr)));
    }
    let said = String::from_utf8_lossy(&said.stdout);
    Ok(said.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect())
}

/// What is wrong with a bill. It may name more than is linked: what a feature would bring that nobody asked for.
fn problems(bill: &str, linked: &BTreeSet<String>) -> Vec<String> {
    let named: BTreeSet<&str> = bill
        .lines()
        .filter_map(|line| line.trim().strip_prefix("\"name\": \"")?.trim_end_matches(',').strip_suffix('"'))
        .collect();
    let left_out = linked.iter().filter(|name| !named.contains(name.as_str()));
    let mut found: Vec<String> = left_out.map(|name| format!("{name} is linked and not in it")).collect();
    // What links Slint is under the GPL: nobody is to read that of a program which doesn't.
    if !linked.contains("slint") && named.contains("slint") {
        found.push("slint is in it and not linked".to_owned());
    }
    found
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

#[cfg(test)]
mod tests {
    use super::*;

    fn linked_by(package: &str) -> BTreeSet<String> {
        let program = SHIPPED.iter().find(|program| program.package == package).expect("it is shipped");
        linked(program).expect("cargo runs")
    }

    #[test]
    fn a_bill_of_materials_is_held_against_what_its_program_links() {
        let (server, kiosk, verifier) = (linked_by("sync-server"), linked_by("kiosk"), linked_by("lineproof-verify"));
        let all_in = |names: &BTreeSet<String>, of: &[&str]| of.iter().all(|name| names.contains(*name));
        let any_in = |names: &BTreeSet<String>, of: &[&str]| of.iter().any(|name| names.contains(*name));
        assert!(all_in(&server, &["sync-server", "shared", "rusqlite", "axum", "lineproof-verify"]));
        assert!(!server.iter().any(|name| name.contains("slint")), "the server has no window");
        assert!(!any_in(&server, &["reqwest", "tempfile"]), "what only tests use isn't shipped");
        assert!(all_in(&kiosk, &["kiosk", "shared", "rusqlite", "slint", "tss-esapi"]));
        assert!(all_in(&verifier, &["lineproof-verify", "shared"]));
        assert!(!any_in(&verifier, &["rusqlite", "tokio", "slint"]), "it needs neither a database nor a server");
    }

    #[test]
    fn what_a_bill_of_materials_leaves_out_is_named() {
        let bill = |names: &[&str]| {
            let lines: Vec<String> = names.iter().map(|name| format!("      \"name\": \"{name}\",\n")).collect();
            format!("{{\n  \"components\": [\n{}  ]\n}}", lines.concat())
        };
        let linked = BTreeSet::from(["axum".to_owned(), "rusqlite".to_owned()]);
        assert_eq!(problems(&bill(&["axum", "rusqlite", "borsh"]), &linked), [""; 0]);
        assert_eq!(problems(&bill(&["rusqlite"]), &linked), ["axum is linked and not in it"]);
        assert_eq!(problems(&bill(&["axum", "rusqlite", "slint"]), &linked), ["slint is in it and not linked"]);
    }
}
