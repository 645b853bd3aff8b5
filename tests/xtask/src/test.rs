//! `cargo xtask test`: everything, with one closing line.

use crate::run::{Outcome, cargo_lines, has};

#[derive(Default)]
struct Count {
    passed: u64,
    failed: u64,
    skipped: u64,
}

/// Runs all tests; without `--quick` those of the screens too, which build Slint.
pub fn test(quick: bool) -> Outcome {
    let mut count = Count::default();
    let mut good = true;
    println!("The core, the server, whole plants in one process:");
    good &= suite(&["--workspace", "--exclude", "kiosk-ui", "--exclude", "xtask"], &mut count)?;
    println!("The examples in the specification:");
    good &= cargo_lines(&["test", "--doc", "-p", "shared"], |line| count.heed(line))?;
    if quick {
        println!("SKIPPED (--quick): the screens");
        count.skipped += 1;
    } else {
        println!("The screens, rendered without a display (building Slint takes some minutes the first time):");
        good &= suite(&["-p", "kiosk-ui"], &mut count)?;
        good &= suite(&["-p", "kiosk", "--features", "pictures", "window"], &mut count)?;
    }
    println!("{} passed, {} failed, {} skipped", count.passed, count.failed, count.skipped);
    Ok(good && count.failed == 0)
}

fn suite(which: &[&str], count: &mut Count) -> Outcome {
    let runner: &[&str] = if has("cargo-nextest", "--version") {
        &["nextest", "run", "--no-fail-fast"]
    } else {
        &["test", "--no-fail-fast"]
    };
    let arguments: Vec<&str> = runner.iter().chain(which).copied().collect();
    cargo_lines(&arguments, |line| count.heed(line))
}

impl Count {
    /// Reads the summary lines of both runners.
    fn heed(&mut self, line: &str) {
        let line = line.trim();
        if let Some(summary) = line.strip_prefix("test result:") {
            self.add(summary, "ignored");
        } else if let Some(summary) = line.strip_prefix("Summary") {
            self.add(summary, "skipped");
        }
    }

    fn add(&mut self, summary: &str, skipped: &str) {
        let words: Vec<&str> = summary.split([' ', ';', ',']).filter(|word| !word.is_empty()).collect();
        let before = |name: &str| -> u64 {
            let found = words.iter().position(|word| *word == name);
            found.and_then(|place| words.get(place.checked_sub(1)?)).and_then(|n| n.parse().ok()).unwrap_or(0)
        };
        self.passed += before("passed");
        self.failed += before("failed") + before("timed");
        self.skipped += before(skipped);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_runners_are_understood() {
        let mut count = Count::default();
        count.heed("     Summary [   5.601s] 120 tests run: 117 passed, 3 failed, 2 skipped");
        count.heed("test result: FAILED. 4 passed; 5 failed; 1 ignored; 0 measured; 0 filtered out");
        assert_eq!((count.passed, count.failed, count.skipped), (121, 8, 3));
    }
}
