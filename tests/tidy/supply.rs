//! What comes in through dependencies: judged on every change, with reasons, and no further than it may.

use std::collections::{BTreeMap, BTreeSet};

use super::{files, none, top};

fn read(file: &str) -> String {
    std::fs::read_to_string(top().join(file)).unwrap_or_else(|why| panic!("{file}: {why}"))
}

#[test]
fn dependencies_are_judged_on_every_change_as_they_are_locked() {
    let ci = read(".ci/run");
    assert!(ci.lines().any(|line| line == "cargo xtask supply"), "CI judges dependencies");
    let builds = ci.lines().find(|line| line.starts_with("cargo clippy")).expect("CI builds");
    assert!(builds.contains("--locked"), "what is built is what is locked");
    let rules = read("deny.toml");
    for rule in ["unknown-registry = \"deny\"", "unknown-git = \"deny\"", "wildcards = \"deny\"", "yanked = \"deny\""] {
        assert!(rules.lines().any(|line| line == rule), "deny.toml says: {rule}");
    }
}

#[test]
fn every_exception_and_every_ban_says_why() {
    let rules = read("deny.toml");
    let mut bare = Vec::new();
    let mut told = false;
    for line in rules.lines().map(str::trim) {
        // One comment may stand for the exceptions that follow it.
        told = line.starts_with('#') || (told && line.starts_with("{ crate"));
        if line.starts_with("{ crate") && !told && !line.contains("reason =") {
            bare.push(line.to_owned());
        }
    }
    none(bare, "deny.toml gives a reason for each");
}

/// What a package depends on, in whatever build, by the lock file.
fn reached(from: &str) -> BTreeSet<String> {
    let lock = read("Cargo.lock");
    let mut edges: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for package in lock.split("[[package]]").skip(1) {
        let name = package.lines().find_map(|line| line.strip_prefix("name = ")).unwrap_or_default().trim_matches('"');
        let needed = package.lines().filter_map(|line| line.strip_prefix(" \"")?.split(['"', ' ']).next());
        edges.entry(name).or_default().extend(needed);
    }
    assert!(edges.contains_key(from), "{from} is in the lock file");
    let (mut seen, mut open) = (BTreeSet::new(), vec![from]);
    while let Some(name) = open.pop() {
        if seen.insert(name.to_owned()) {
            open.extend(edges.get(name).into_iter().flatten());
        }
    }
    seen
}

#[test]
fn the_server_never_links_slint() {
    let slint = |from| reached(from).into_iter().filter(|name| name.contains("slint")).collect::<Vec<_>>();
    assert!(!slint("kiosk").is_empty(), "the kiosk does: else this looks at the wrong thing");
    for ours in ["sync-server", "shared", "store"] {
        none(slint(ours), "what links Slint is under the GPL; see NOTICE");
    }
}

/// What may be written where a signature belongs is for the simulator: by its feature no shipped program is even built with it, and by name nobody
/// else asks for it where all crates are built together, and features with them.
#[test]
fn r11_no_shipped_program_can_write_what_is_no_signature() {
    const FEATURE: &str = "stand-in-signatures";
    let asks = |package: &str, more: &[&str]| {
        let mut tree = std::process::Command::new(env!("CARGO"));
        tree.current_dir(top()).args(["tree", "--locked", "--edges", "normal,build,features", "--invert", "shared"]);
        let out = tree.args(["--package", package]).args(more).output().expect("cargo runs");
        let said = String::from_utf8_lossy(&out.stdout).into_owned();
        let whole = out.status.success() && said.contains(&format!("{package} v"));
        assert!(whole, "{package}: {said}{}", String::from_utf8_lossy(&out.stderr));
        said.contains(FEATURE)
    };
    assert!(asks("sim", &[]), "the simulator does: else this looks at the wrong thing");
    for program in ["kiosk", "sync-server", "lineproof-verify"] {
        assert!(!asks(program, &["--all-features"]), "{program} would be built with {FEATURE}");
    }
    let manifests = files("", "Cargo.toml").into_iter().filter(|(_, text)| text.contains(FEATURE));
    let sources = files("", ".rs").into_iter().filter(|(_, text)| text.contains(concat!("standing", "_in()")));
    let named = manifests.chain(sources).map(|(path, _)| path.strip_prefix(top()).unwrap_or(&path).to_path_buf());
    let may = ["shared/Cargo.toml", "shared/src/part11/signature.rs", "tests/sim/"];
    let elsewhere = named.filter(|path| !may.iter().any(|room| path.starts_with(room)));
    none(elsewhere.map(|path| path.display().to_string()).collect(), "only the simulator stands in for signatures");
}
