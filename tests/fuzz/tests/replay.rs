//! Every input that was ever worth keeping, once more: what comes in is accepted or refused with a reason, and nothing panics.

use std::path::{Path, PathBuf};

use fuzz::{TARGETS, Verdict, target};

fn corpus(name: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name);
    let items = std::fs::read_dir(&folder).unwrap_or_else(|why| panic!("{}: {why}", folder.display()));
    let mut files: Vec<PathBuf> = items.map(|item| item.expect("a folder can be read on").path()).collect();
    files.sort();
    files
}

fn replay(name: &str) {
    let target = target(name).expect("a target of that name");
    let files = corpus(name);
    let mut verdicts = Vec::new();
    for file in &files {
        println!("{}", file.display()); // Shown when it fails.
        let bytes = std::fs::read(file).expect("a file of the corpus");
        assert!(bytes.len() <= target.most_bytes, "larger than the soak would try");
        verdicts.push((target.run)(&bytes));
    }
    for seed in (target.seeds)() {
        // An HTTP seed may ask for what isn't there.
        assert!((target.run)(&seed) == Verdict::Accepted || name == "http", "real values are accepted: {seed:02x?}");
    }
    // A corpus that a change of format has made worthless would otherwise go on passing.
    for expected in [Verdict::Accepted, Verdict::Refused] {
        assert!(verdicts.contains(&expected), "none of {} files is {expected:?}", files.len());
    }
}

macro_rules! replayed {
    ($($test:ident: $name:literal)*) => {
        $(#[test]
        fn $test() {
            replay($name);
        })*

        #[test]
        fn every_target_is_replayed_and_every_corpus_has_its_target() {
            let (replayed, mut targets) = ([$($name),*], TARGETS.iter().map(|target| target.name).collect::<Vec<_>>());
            assert!(targets.iter().all(|name| replayed.contains(name)) && targets.len() == replayed.len());
            let folders = corpus("");
            let mut kept: Vec<&str> = folders.iter().filter_map(|path| path.file_name()?.to_str()).collect();
            targets.sort_unstable();
            kept.sort_unstable();
            assert_eq!(kept, targets);
        }
    };
}

replayed! {
    exchange_requests_are_replayed: "exchange-request"
    exchange_responses_are_replayed: "exchange-response"
    packed_bodies_are_replayed: "packed"
    questions_of_peers_are_replayed: "have"
    gifts_of_peers_are_replayed: "give"
    frames_between_terminals_are_replayed: "lan-frame"
    bundles_are_replayed: "bundle"
    evidence_is_replayed: "evidence"
    entries_are_replayed: "entry"
    records_are_replayed: "record"
    plant_entries_are_replayed: "plant-entries"
    worksheet_edits_are_replayed: "worksheet-edit"
    sheet_contents_are_replayed: "sheet-content"
    sealed_boxes_are_replayed: "sealed-box"
    enrolments_are_replayed: "enrolment"
    badges_are_replayed: "badge"
    plant_folders_are_replayed: "plant-folder"
    documents_are_replayed: "document"
    query_batches_are_replayed: "query-batch"
    http_requests_are_replayed: "http"
    play_scripts_are_replayed: "play-script"
}
