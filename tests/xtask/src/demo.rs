//! `cargo xtask demo`: the main job, seen.

use crate::run::{Outcome, cargo};

const BUILD_MINUTES: &str = "The first build takes about ten minutes on two cores; later ones take seconds.";

const FOLDER: &str = "target/demo";

/// Plays the story, or starts the plant and leaves it running.
pub fn demo(once: bool) -> Outcome {
    println!("Building the server and the kiosk (profile demo). {BUILD_MINUTES}");
    if once {
        return cargo(&["run", "--quiet", "--profile", "demo", "-p", "plant-tests", "--bin", "story"], &[]);
    }
    let run = ["run", "--quiet", "--profile", "demo", "-p", "plant-tests"];
    let display = ["WAYLAND_DISPLAY", "DISPLAY"].iter().any(|name| std::env::var_os(name).is_some());
    if display {
        println!("A kiosk window will open beside the server.");
        let built = cargo(&["build", "--quiet", "--profile", "demo", "-p", "kiosk", "--features", "window"], &[])?;
        let target = std::env::var("CARGO_TARGET_DIR").unwrap_or_else(|_| "target".into());
        let kiosk = format!("{target}/demo/kiosk");
        return Ok(built && cargo(&[&run[..], &["--bin", "demo", "--", FOLDER, &kiosk]].concat(), &[])?);
    }
    println!("There is no display here: the shift is played through the real kiosk, rendered headless.");
    let pictures = format!("{FOLDER}/pictures");
    let played = cargo(&[&run[..], &["--features", "pictures", "--bin", "story", "--", &pictures]].concat(), &[])?;
    println!("Pictures of every screen: {pictures}. The server stays; its dashboard is there to be looked at.");
    Ok(played && cargo(&[&run[..], &["--bin", "demo", "--", FOLDER]].concat(), &[])?)
}
