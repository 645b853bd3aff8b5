//! Tables that people bring: the plant folder, and questions asked many at once.

use std::path::{Component, Path};
use std::sync::LazyLock;

use sync_server::cli::query_batch;
use sync_server::import;

use crate::{Verdict, refused};

/// Begins a file inside an input, before its path.
const FILE: &str = "=== ";

/// A good folder, file by file.
static GOOD: LazyLock<Vec<(String, Vec<u8>)>> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a temporary folder");
    oracle::wrong::good(folder.path());
    let mut files = Vec::new();
    let mut open = vec![folder.path().to_owned()];
    while let Some(below) = open.pop() {
        for item in std::fs::read_dir(&below).expect("a folder of ours").flatten() {
            match item.path() {
                path if path.is_dir() => open.push(path),
                path => {
                    let name = path.strip_prefix(folder.path()).expect("below it").display().to_string();
                    files.push((name, std::fs::read(&path).expect("a file of ours")));
                }
            }
        }
    }
    files.sort();
    files
});

/// A good folder in which the input's files take the places of those of the same name, or stand beside them.
pub fn plant_folder(bytes: &[u8]) -> Verdict {
    let folder = in_memory();
    let altered = files(bytes);
    let good = GOOD.iter().filter(|(name, _)| !altered.iter().any(|(other, _)| other == name));
    for (name, text) in
        good.map(|(name, text)| (name.as_str(), &text[..])).chain(altered.iter().map(|(n, t)| (n.as_str(), *t)))
    {
        let path = folder.path().join(name);
        // What the disk refuses, such as a file where a folder is, is no folder that somebody could bring.
        let made = path.parent().map(std::fs::create_dir_all).transpose().and_then(|_| std::fs::write(&path, text));
        if made.is_err() {
            return refused("the disk doesn't take it");
        }
    }
    match import::read(folder.path()) {
        Ok(read) => {
            let bodies = read.bodies(&|_| shared::id::BadgeHash([7; 32]));
            assert!(bodies.iter().all(|(_, _, body)| body.size() <= import::MAX_BODY_BYTES), "every row fits an entry");
            assert!(read.blobs.keys().all(|digest| read.blob(digest).is_ok()), "every content can be read again");
            Verdict::Accepted
        }
        Err(errors) => {
            assert!(!errors.is_empty(), "a refusal says why");
            assert!(errors.is_sorted(), "in the order of the files");
            for error in &errors {
                assert!(
                    !error.problem.is_empty() && !error.expected.is_empty(),
                    "what is wrong, and what would be right"
                );
                assert!(error.value.chars().count() <= 200, "a value is shown in short");
            }
            assert!(!import::errors_csv(&errors).lines().any(|line| line.starts_with(['=', '+', '-', '@'])));
            refused(&errors[0])
        }
    }
}

/// A folder that costs no disk, where the system has one.
pub(crate) fn in_memory() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a temporary folder")
}

/// The input's files. Only plain paths below the folder: others are the file system's to judge, not the import's.
fn files(bytes: &[u8]) -> Vec<(String, &[u8])> {
    let mut found: Vec<(String, &[u8])> = Vec::new();
    let mut rest = bytes;
    while let Some(at) = rest.windows(FILE.len()).position(|window| window == FILE.as_bytes()) {
        rest = &rest[at + FILE.len()..];
        let end = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
        let name = String::from_utf8_lossy(&rest[..end]).into_owned();
        rest = rest.get(end + 1..).unwrap_or_default();
        let length = rest.windows(FILE.len()).position(|window| window == FILE.as_bytes()).unwrap_or(rest.len());
        let plain =
            !name.contains('\0') && Path::new(&name).components().all(|part| matches!(part, Component::Normal(_)));
        if plain && !name.is_empty() && found.iter().all(|(other, _)| *other != name) && found.len() < 8 {
            found.push((name, &rest[..length]));
        }
    }
    found
}

pub fn folders() -> Vec<Vec<u8>> {
    let one = |(name, text): &(String, Vec<u8>)| [format!("{FILE}{name}\n").as_bytes(), text].concat();
    let small = GOOD.iter().filter(|(_, text)| text.len() < 2_000);
    small.map(one).collect()
}

/// Questions asked many at once.
pub fn query_batch(bytes: &[u8]) -> Verdict {
    match query_batch::read(bytes, Path::new("questions.csv")) {
        Ok(questions) => {
            assert!(questions.len() <= bytes.len(), "no question comes from nothing");
            Verdict::Accepted
        }
        Err(why) => refused(why),
    }
}

pub fn batches() -> Vec<Vec<u8>> {
    let texts = [
        "person,document,at\nmaria,SOP-0042,2026-03-02T06:40:00Z\n",
        "at,person,document,more\r\n2026-03-02,\"maria\",SOP-0042,x\r\n",
        "\u{feff}person,document,at\n李明,SOP-0001,2026-03-02T06:40:00+01:00\n",
        "person,document,at\n",
    ];
    texts.map(|text| text.as_bytes().to_vec()).to_vec()
}
