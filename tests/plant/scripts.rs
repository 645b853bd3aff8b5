//! The play scripts of `tests/play`: each is a test.

use std::path::{Path, PathBuf};

use harness::play::{Options, Outcome, Report, parse, play};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("play")
}

/// Plays a script; gives what came of it and the line that was not as written.
fn played(script: &str, pictures: Option<PathBuf>) -> (Report, Option<(usize, Outcome)>) {
    let script = parse(script.as_bytes()).unwrap_or_else(|mistakes| panic!("{mistakes:?}"));
    let data = tempfile::tempdir().unwrap();
    let options = Options { data: data.path().join("plant"), beside: folder(), pictures };
    let mut failed = None;
    let report = play(&script, options, |line, outcome| {
        if matches!(outcome, Outcome::Failed { .. }) {
            failed = Some((line.number, outcome.clone()));
        }
    });
    (report, failed)
}

fn play_file(name: &str) {
    let text = std::fs::read_to_string(folder().join(name)).unwrap();
    let (report, failed) = played(&text, None);
    assert_eq!(failed, None, "{name}");
    assert_eq!(report.passed, report.acts, "{name}");
}

#[test]
fn u13_main_job_as_a_script() {
    play_file("main-job.play");
}

#[test]
fn s2_swap_as_a_script() {
    play_file("swap.play");
}

#[test]
fn u5_lease_as_a_script() {
    play_file("lease.play");
}

#[test]
fn r13_wrong_secret_as_a_script() {
    play_file("wrong-secret.play");
}

#[test]
fn s13_without_badge_as_a_script() {
    play_file("without-badge.play");
}

#[test]
fn every_script_is_a_test() {
    let source = include_str!("scripts.rs");
    for file in std::fs::read_dir(folder()).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        if name.ends_with(".play") {
            assert!(source.contains(&format!("play_file(\"{name}\")")), "{name} is never played");
        }
    }
}

const BEGIN: &str = "plant demo\nkiosk K3 at SITE1/PACK/L2/SEAL\nsigning K3 maria maria-secret\n";

/// What a script that ends with this line expected there, and what there was.
fn not_as_written(rest: &str) -> (String, String) {
    let script = format!("{BEGIN}{rest}");
    let (report, failed) = played(&script, None);
    assert!(report.passed < report.acts, "{script}");
    match failed {
        Some((line, Outcome::Failed { expected, shown })) => {
            assert_eq!(line, script.lines().count(), "{expected}; {shown}");
            (expected, shown)
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_look_that_is_not_so_says_what_was_expected_and_what_there_is() {
    let asked = "badge K3 04A1B2C3\nlot K3 881\ntap K3 task:seal-pouch\n";
    let (expected, shown) = not_as_written(&format!("{asked}see K3 text \"no such words\""));
    assert!(expected.contains("no such words") && shown.contains("Seal pouch"), "{expected}; {shown}");
    let (expected, shown) = not_as_written(&format!("{asked}see K3 decision no-go"));
    assert!(
        expected.contains("no-go") && shown.contains("verdict") && shown.contains("decision go"),
        "{expected}; {shown}"
    );
    let (_, shown) = not_as_written("server query qualified maria SOP-0042 at 2026-03-01T18:00:00Z expect no");
    assert!(shown.contains("yes"), "{shown}");
}

fn says_what_is_there(acts: &[(&str, &str)]) {
    for (act, what) in acts {
        let (expected, shown) = not_as_written(act);
        assert!(expected.contains(what) || shown.contains(what), "{act}: {expected}; {shown}");
    }
}

#[test]
fn an_act_at_a_kiosk_that_can_not_be_done_says_so() {
    says_what_is_there(&[
        ("tap K3 task:seal-pouch", "`idle`"),
        ("answer K3 correct", "`idle`"),
        ("badge K3 04A1B2C3\ntap K3 task:no-such-task", "`tasks`"),
        ("signing K3 nobody nobody-secret", "nothing is known"),
    ]);
}

#[test]
fn an_act_at_the_server_that_can_not_be_done_says_so() {
    says_what_is_there(&[
        ("kiosk K5 at SITE1/PACK/L2/SEAL3", "SITE1/PACK/L3/SEAL3"),
        ("server approve SOP-9999 v1 effective 2026-03-02T06:00:00Z impact full", "SOP-9999"),
        ("server rule maria accept \"nothing is on hold\"", "on hold"),
    ]);
}

#[test]
fn a_folder_that_is_no_plant_is_refused_with_every_reason() {
    let (_, failed) = played("plant no-such-folder\n", None);
    assert!(matches!(failed, Some((1, Outcome::Failed { .. }))), "{failed:?}");
}

#[test]
fn pictures_are_skipped_aloud_without_a_folder() {
    let (report, failed) = played(&format!("{BEGIN}picture K3 idle\n"), None);
    assert_eq!((report.passed, report.skipped, failed), (4, 1, None));
}

#[cfg(feature = "pictures")]
#[test]
fn pictures_and_words_of_the_screens() {
    let folder = tempfile::tempdir().unwrap();
    let script = format!(
        "{BEGIN}badge K3 04A1B2C3\nlot K3 881\ntap K3 task:seal-pouch\nsee K3 text \"qualified\"\npicture K3 go\n"
    );
    let (report, failed) = played(&script, Some(folder.path().to_owned()));
    assert_eq!((report.skipped, failed), (0, None));
    let png = std::fs::read(folder.path().join("go.png")).unwrap();
    assert!(png.starts_with(b"\x89PNG") && png.len() > 10_000);
}
