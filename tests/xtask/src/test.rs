//! `cargo xtask test`: everything, with one closing line.

use std::process::{Command, Stdio};

use crate::run::{Outcome, cargo_lines, has};

#[derive(Default)]
struct Count {
    passed: u64,
    failed: u64,
    skipped: u64,
}

/// What draws screens. With its features it holds every test it has without them, so it runs once, with them.
const DRAWN: [&str; 3] = ["kiosk", "kiosk-ui", "plant-tests"];
/// The features with which screens are drawn.
const DRAWING: &str = "kiosk/pictures,plant-tests/pictures";
/// What links TCG's software: it joins those that draw where that is installed, so that nothing is built for it twice.
const SEALING: &str = "kiosk-tpm";
/// The features with which keys are sealed by a TPM, beside those of [`DRAWING`].
const SEALED: &str = "kiosk/pictures,plant-tests/pictures,kiosk/tpm,plant-tests/tpm";

/// Runs all tests, each once; with `--quick` those alone that need no screen, and Slint is not built.
pub fn test(quick: bool) -> Outcome {
    let mut count = Count::default();
    let mut good = true;
    if !had("libfaketime, which turns clocks under our programs", &["faketime"], || has("faketime", "--version")) {
        count.skip("libfaketime is not here and could not be installed: apt-get install faketime", "turned clocks");
    }
    println!("The core, the server, whole plants in one process:");
    good &= suite(&first_suite(quick), &mut count)?;
    println!("The examples in the specification:");
    good &= counted(&["test", "--doc", "-p", "shared"], &mut count)?;
    if quick {
        count.skip("--quick", "the screens, and what plants show on them");
        count.skip("--quick", "keys sealed by a TPM");
    } else {
        let sealing = had("swtpm, a TPM as a program, and what links to one", &TPM_PACKAGES, can_seal);
        if !sealing {
            let missing = format!("no TPM could be had: apt-get install {}", TPM_PACKAGES.join(" "));
            count.skip(&missing, "keys sealed by a TPM");
        }
        println!(
            "The kiosks and their screens, rendered without a display (building Slint takes some minutes the first time):"
        );
        good &= suite(&drawn_suite(sealing), &mut count)?;
    }
    println!("{} passed, {} failed, {} skipped", count.passed, count.failed, count.skipped);
    Ok(good && count.failed == 0)
}

/// Debian's.
const TPM_PACKAGES: [&str; 4] = ["libtss2-dev", "pkg-config", "swtpm", "swtpm-tools"];

fn can_seal() -> bool {
    has("swtpm", "--version") && pkg_config_knows("tss2-esys")
}

fn pkg_config_knows(library: &str) -> bool {
    let asked = Command::new("pkg-config").args(["--exists", library]).status();
    asked.is_ok_and(|status| status.success())
}

/// Whether what some tests need is here: if it isn't, root installs it from Debian, by the lists of packages it has, or by new ones.
fn had(what: &str, packages: &[&str], here: impl Fn() -> bool) -> bool {
    if here() {
        return true;
    }
    println!("Installing {what} (apt-get install {}) …", packages.join(" "));
    let install = [&["install", "--yes", "--quiet", "--no-install-recommends"], packages].concat();
    let installs = |told: Stdio| apt_get(&install, told) && here();
    installs(Stdio::null()) || (apt_get(&["update", "--quiet"], Stdio::null()) && installs(Stdio::inherit()))
}

/// `told` hears why it could not.
fn apt_get(arguments: &[&str], told: Stdio) -> bool {
    let run = Command::new("apt-get").args(arguments).stdout(Stdio::null()).stderr(told).status();
    run.is_ok_and(|status| status.success())
}

fn first_suite(quick: bool) -> Vec<&'static str> {
    let later: &[&str] = if quick { &["kiosk-ui"] } else { &DRAWN };
    let excluded = later.iter().chain([&SEALING]).flat_map(|package| ["--exclude", package]);
    std::iter::once("--workspace").chain(excluded).collect()
}

fn drawn_suite(sealing: bool) -> Vec<&'static str> {
    let packages = DRAWN.iter().chain(sealing.then_some(&SEALING)).flat_map(|package| ["--package", package]);
    packages.chain(["--features", if sealing { SEALED } else { DRAWING }]).collect()
}

fn suite(which: &[&str], count: &mut Count) -> Outcome {
    let runner: &[&str] = if has("cargo-nextest", "--version") {
        &["nextest", "run", "--no-fail-fast", "--status-level", "skip"]
    } else {
        &["test", "--no-fail-fast"]
    };
    counted(&[runner, which].concat(), count)
}

/// Runs cargo and counts what it says. What fails without a failed test, such as code that can't be built, counts as one failure.
fn counted(arguments: &[&str], count: &mut Count) -> Outcome {
    let failed_before = count.failed;
    let good = cargo_lines(arguments, |line| count.heed(line))?;
    if !good && count.failed == failed_before {
        println!("FAILED (cargo {}): it could not be built or run", arguments.join(" "));
        count.failed += 1;
    }
    Ok(good)
}

impl Count {
    /// Reads the lines of both runners: their summaries, and each test they left out.
    fn heed(&mut self, line: &str) {
        // A runner shows what a failed test printed, indented: that is not a summary of its own.
        let summary = line.strip_prefix("test result:").or_else(|| line.trim_start().strip_prefix("Summary"));
        let line = line.trim();
        // A test that could not run where it is says so, and passes.
        self.skipped += u64::from(line.starts_with("SKIPPED ("));
        if let Some(summary) = summary {
            self.add(summary);
        } else if let Some(test) = left_out(line) {
            self.skip("the source marks it #[ignore]", test);
        }
    }

    fn add(&mut self, summary: &str) {
        let words: Vec<&str> = summary.split([' ', ';', ',']).filter(|word| !word.is_empty()).collect();
        let before = |name: &str| -> u64 {
            let numbers = words.windows(2).filter(|pair| pair[1] == name).map(|pair| pair[0].parse().unwrap_or(0));
            numbers.sum()
        };
        self.passed += before("passed");
        self.failed += before("failed") + before("timed") + before("exec");
    }

    fn skip(&mut self, why: &str, what: &str) {
        println!("SKIPPED ({why}): {what}");
        self.skipped += 1;
    }
}

/// The test that a runner says it did not run.
fn left_out(line: &str) -> Option<&str> {
    if let Some(skipped) = line.strip_prefix("SKIP [") {
        return skipped.split_once(']').map(|(_, test)| test.trim());
    }
    let test = line.strip_prefix("test ")?;
    test.split_once(" ... ignored").map(|(test, _)| test)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(lines: &[&str]) -> (u64, u64, u64) {
        let mut count = Count::default();
        lines.iter().for_each(|line| count.heed(line));
        (count.passed, count.failed, count.skipped)
    }

    #[test]
    fn both_runners_are_understood() {
        let nextest = "     Summary [   5.601s] 120 tests run: 116 passed (2 slow), 3 failed, 1 timed out, 2 skipped";
        assert_eq!(counted(&[nextest]), (116, 4, 0));
        let cargo = "test result: FAILED. 4 passed; 5 failed; 1 ignored; 0 measured; 0 filtered out";
        assert_eq!(counted(&[cargo]), (4, 5, 0));
        let shown_by_nextest = "    test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 3 filtered out";
        assert_eq!(counted(&[shown_by_nextest]), (0, 0, 0));
    }

    #[test]
    fn only_what_was_left_out_by_name_counts_as_skipped() {
        let lines = [
            "        SKIP [         ] (  3/120) sim::random one_seed_is_printed",
            "test one_seed_is_printed ... ignored, for people: prints a trace",
            "     Summary [   5.601s] 1 test run: 1 passed, 69 skipped",
        ];
        assert_eq!(counted(&lines), (1, 0, 2));
    }

    #[test]
    fn every_package_is_in_exactly_one_suite() {
        let first = first_suite(false);
        for package in DRAWN.into_iter().chain([SEALING]) {
            assert!(first.windows(2).any(|pair| pair == ["--exclude", package]), "{package} would run twice");
            assert!(drawn_suite(true).windows(2).any(|pair| pair == ["--package", package]), "{package} would not run");
        }
        assert!(SEALED.starts_with(DRAWING), "what is sealed is drawn, too");
        assert!(!drawn_suite(false).iter().any(|word| word.contains("tpm")), "without a TPM nothing links to one");
        // A bare word would be taken for a filter on tests' names, and hide all others.
        for suite in [first_suite(true), first, drawn_suite(true), drawn_suite(false)] {
            let bare = suite.iter().enumerate().filter(|(place, word)| {
                !word.starts_with("--") && !place.checked_sub(1).is_some_and(|before| suite[before].starts_with("--"))
            });
            assert_eq!(bare.count(), 0, "{suite:?}");
        }
    }
}
