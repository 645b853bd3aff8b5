//! Each deliberately wrong variant is caught: that proves the checks.

use std::panic::{AssertUnwindSafe, catch_unwind};

use sim::{Mutant, run, scenario};

/// Most seeds tried for one mutant, after the named scenarios.
fn most_seeds() -> u64 {
    std::env::var("LINEPROOF_MUTANT_SEEDS").ok().and_then(|count| count.parse().ok()).unwrap_or(60)
}

/// Who caught it: a scenario's name, a seed, or nobody. A panic of the simulator's own assertions counts.
fn caught_by(mutant: Mutant) -> Option<String> {
    for (name, scenario) in scenario::ALL {
        match catch_unwind(AssertUnwindSafe(|| scenario(Some(mutant)).violations)) {
            Ok(violations) if violations.is_empty() => {}
            Ok(violations) => return Some(format!("scenario {name:?}: {:?}", violations[0])),
            Err(_) => return Some(format!("scenario {name:?}: assertion")),
        }
    }
    (1..=most_seeds()).find_map(|seed| match catch_unwind(|| run(seed, Some(mutant)).violations) {
        Ok(violations) => violations.first().map(|first| format!("seed {seed}: {first:?}")),
        Err(_) => Some(format!("seed {seed}: assertion")),
    })
}

#[test]
fn every_mutant_is_caught() {
    let mut escaped = Vec::new();
    for mutant in Mutant::ALL {
        match caught_by(mutant) {
            Some(by) => println!("{mutant:?} caught by {by}"),
            None => escaped.push(mutant),
        }
    }
    println!("{{\"name\":\"mutants\",\"runs\":{},\"violations\":{}}}", Mutant::ALL.len(), escaped.len());
    assert!(escaped.is_empty(), "not caught: {escaped:?}");
}
