//! `cargo xtask play`: builds the player, with screens only where they are wanted, and hands the script over.

use std::path::{Path, PathBuf};

use crate::run::{cargo_code, whole};

/// What is asked of it.
#[derive(clap::Args)]
pub struct Play {
    /// The script: one act a line, as docs/play.md says.
    #[arg(required_unless_present = "ids")]
    script: Option<PathBuf>,
    /// Folder that pictures go to; builds the screens.
    #[arg(long, value_name = "DIR")]
    pictures: Option<PathBuf>,
    /// Lists the accessible ids by screen.
    #[arg(long, conflicts_with_all = ["script", "pictures"])]
    ids: bool,
    /// One JSON object for each act; the last line is the summary.
    #[arg(long)]
    json: bool,
}

/// The player's exit code.
pub fn play(play: &Play) -> Result<u8, String> {
    let mut player: Vec<String> = Vec::new();
    // The player runs where the workspace lies, so that relative paths are made whole here.
    if let Some(script) = &play.script {
        player.push(text(&whole(script)?)?);
    }
    if let Some(folder) = &play.pictures {
        player.extend(["--pictures".to_owned(), text(&whole(folder)?)?]);
    }
    player.extend(play.ids.then(|| "--ids".to_owned()));
    player.extend(play.json.then(|| "--json".to_owned()));
    let mut arguments = vec!["run", "--quiet", "-p", "plant-tests", "--bin", "play"];
    if needs_screens(play) {
        eprintln!("Building the screens (the first time takes some minutes).");
        arguments.extend(["--features", "pictures"]);
    }
    arguments.push("--");
    arguments.extend(player.iter().map(String::as_str));
    cargo_code(&arguments)
}

/// Pictures need the screens, and so do their words.
fn needs_screens(play: &Play) -> bool {
    let script = play.script.as_ref().and_then(|path| std::fs::read(path).ok()).unwrap_or_default();
    play.pictures.is_some() || looks_for_texts(&String::from_utf8_lossy(&script))
}

fn looks_for_texts(script: &str) -> bool {
    script.lines().any(|line| {
        let mut words = line.split_whitespace();
        words.next() == Some("see") && matches!(words.nth(1), Some("text" | "no-text"))
    })
}

fn text(path: &Path) -> Result<String, String> {
    path.to_str().map(str::to_owned).ok_or_else(|| format!("{} is not UTF-8", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn screens_are_built_for_pictures_and_for_words() {
        assert!(looks_for_texts("plant demo\nsee K3 text \"step 4\"\n"));
        assert!(looks_for_texts("see K3 no-text Maria"));
        assert!(!looks_for_texts("# see K3 text x\nsee K3 decision go\ntype K3 note text\n"));
    }
}
