//! Plays the story of the main job end to end and says of each step whether it is as told.
#![forbid(unsafe_code)]

use std::process::ExitCode;
use std::time::Instant;

use harness::story::Story;

fn main() -> ExitCode {
    let began = Instant::now();
    tracing_subscriber::fmt().with_env_filter(tracing_subscriber::EnvFilter::from_default_env()).init();
    let folder = match tempfile::Builder::new().prefix("lineproof-story-").tempdir() {
        Ok(folder) => folder,
        Err(error) => {
            eprintln!("could not run: no folder for the story's data: {error}");
            return ExitCode::from(3);
        }
    };
    let pictures = std::env::args_os().nth(1).map(std::path::PathBuf::from);
    let told = Story::play(folder.path().to_owned(), pictures, |line| println!("{line}"));
    let steps = told.steps;
    let passed = told.passed;
    println!(
        r#"{{"story":"main job","steps":{steps},"passed":{passed},"seconds":{:.1}}}"#,
        began.elapsed().as_secs_f64()
    );
    ExitCode::from(u8::from(steps != passed || steps == 0))
}
