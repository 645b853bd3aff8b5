//! `cargo xtask demo`: the main job, seen.

use crate::run::{Outcome, cargo};

const BUILD_MINUTES: &str = "The first build takes about ten minutes on two cores; later ones take seconds.";

/// Plays the story, or starts the plant and leaves it running.
pub fn demo(once: bool) -> Outcome {
    println!("Building the server and the kiosk (profile demo). {BUILD_MINUTES}");
    if once {
        return cargo(&["run", "--quiet", "--profile", "demo", "-p", "plant-tests", "--bin", "story"], &[]);
    }
    let display = ["WAYLAND_DISPLAY", "DISPLAY"].iter().any(|name| std::env::var_os(name).is_some());
    if display {
        println!("A kiosk window will open beside the server. Ctrl-C ends all.");
        let features = "plant-tests/window";
        return cargo(
            &["run", "--quiet", "--profile", "demo", "-p", "plant-tests", "--features", features, "--bin", "demo"],
            &[],
        );
    }
    println!("There is no display here: the shift is played through the real kiosk, rendered headless.");
    println!("Pictures will be in target/demo/pictures. Then the server keeps running; Ctrl-C ends it.");
    cargo(
        &["run", "--quiet", "--profile", "demo", "-p", "plant-tests", "--features", "pictures", "--bin", "demo"],
        &[],
    )
}
