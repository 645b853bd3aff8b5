//! Data folders that earlier versions left behind: each still opens, with everything in it (R3).
//!
//! `tests/plant/past` holds, for each state that a folder's tables were ever in, a plant as that version wrote it: a server and a kiosk that has
//! something to tell, each file compressed, without the procedures, which are named by their contents and the same for all. `LINEPROOF_KEEP_PAST=1`
//! writes the one of this version.

use std::fs;
use std::path::{Path, PathBuf};

use harness::Plant;
use harness::scene::*;
use rusqlite::Connection;
use shared::training::Answer;

const NOW: &str = "2026-03-02T06:10:00Z";

fn past() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("plant/past")
}

/// Maria is signed off on v7, the server knows it; what Ana has read, K3 alone knows.
fn monday_morning() -> Plant {
    let mut plant = sunday_evening();
    approve_v7(&plant.server);
    plant.settle();
    plant.clock.set("2026-03-02T05:40:00Z");
    train(&mut plant, "K3", "maria", "jonas");
    plant.settle();
    plant.clock.set(NOW);
    comes_and_reads(plant.kiosk("K3"), "ana");
    plant
}

/// How many migrations the tables of server and kiosk have been through: the name of their folder.
fn state(home: &Path) -> String {
    let version = |file: &str| {
        let database = Connection::open(home.join(file)).unwrap();
        database.query_row("PRAGMA user_version", [], |row| row.get::<_, i64>(0)).unwrap()
    };
    format!("server-{}-kiosk-{}", version("server/server.sqlite"), version("K3/kiosk.sqlite"))
}

const BLOBS: &str = "blobs";

/// What a file is called after a change, and what is in it.
type Change<'a> = &'a dyn Fn(&str, Vec<u8>) -> (String, Vec<u8>);

/// Copies every file below a folder, but for blobs, as `change` has it, under the name that it says.
fn copy_changed(from: &Path, to: &Path, change: Change<'_>) {
    fs::create_dir_all(to).unwrap();
    for file in fs::read_dir(from).unwrap() {
        let (path, name) = file.map(|file| (file.path(), file.file_name().into_string().unwrap())).unwrap();
        if path.is_dir() && name != BLOBS {
            copy_changed(&path, &to.join(name), change);
        } else if path.is_file() {
            let (name, bytes) = change(&name, fs::read(path).unwrap());
            fs::write(to.join(name), bytes).unwrap();
        }
    }
}

fn keep(home: &Path) {
    let pack = |name: &str, bytes: Vec<u8>| (format!("{name}.zst"), zstd::encode_all(&bytes[..], 19).unwrap());
    let folder = past().join(state(home));
    for part in ["server", "K3", "K3-keys"] {
        copy_changed(&home.join(part), &folder.join(part), &pack);
    }
}

/// Lays a kept folder out beside the blobs that lie in `blobs_of`.
fn unpack(folder: &Path, blobs_of: &Path) -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    let unpack = |name: &str, bytes: Vec<u8>| {
        (name.strip_suffix(".zst").unwrap().to_owned(), zstd::decode_all(&bytes[..]).unwrap())
    };
    copy_changed(folder, home.path(), &unpack);
    for part in ["server", "K3"] {
        copy_folder(&blobs_of.join(part).join(BLOBS), &home.path().join(part).join(BLOBS));
    }
    home
}

#[test]
fn r3_data_folders_of_every_past_version_open_with_everything_in_them() {
    let home = monday_morning().close();
    let current = state(home.path());
    if std::env::var_os("LINEPROOF_KEEP_PAST").is_some() {
        keep(home.path());
    }
    let folders: Vec<PathBuf> = fs::read_dir(past()).unwrap().map(|folder| folder.unwrap().path()).collect();
    assert!(
        folders.contains(&past().join(&current)),
        "no folder of {current} is kept: LINEPROOF_KEEP_PAST=1 keeps one"
    );
    for folder in folders {
        opens(&folder, unpack(&folder, home.path()));
    }
}

fn opens(folder: &Path, home: tempfile::TempDir) {
    let mut plant = Plant::from_disk(home, NOW);
    plant.start("K3");
    let mut answer = |person: &str| {
        let asked = plant.kiosk("K3").ask(&id(person), &id("seal-pouch"), Some(&id("881"))).unwrap();
        (asked.decision.answer, asked.decision.reasons)
    };
    assert_eq!(answer("maria").0, Answer::Go, "{}: {:?}", folder.display(), answer("maria").1);
    assert_eq!(answer("ana").0, Answer::NoGo, "{}", folder.display());
    let waiting = plant.kiosk("K3").status().unwrap().waiting();
    assert!(waiting > 0, "{}: what Ana read was on its way", folder.display());
    // Work goes on, with the secrets that were set up then.
    comes_and_reads(plant.kiosk("K3"), "ana");
    plant.meet("K3");
    let status = plant.kiosk("K3").status().unwrap();
    assert_eq!((status.waiting(), status.forks), (0, 0), "{}", folder.display());
    let verified = plant.server.verify(true).unwrap();
    assert!(verified.is_clean(), "{}: {:?}", folder.display(), verified.findings);
    plant.verify();
}
