//! The data folder: whose it is, who may look into it, and what a missing key does.

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use common::pen::{Pen, Stage, demo};
use shared::id::*;
use sync_server::core::Core;

fn modes(folder: &Path, found: &mut Vec<(String, u32)>) {
    for file in fs::read_dir(folder).unwrap().map(|file| file.unwrap()) {
        let (path, mode) = (file.path(), file.metadata().unwrap().permissions().mode() & 0o777);
        found.push((path.display().to_string(), mode));
        if path.is_dir() {
            modes(&path, found);
        }
    }
}

#[test]
fn r14_a_database_without_its_key_is_refused_and_stays_as_it_is() {
    let (home, stage) = (tempfile::tempdir().unwrap(), Stage::at("2026-03-02T06:00:00Z"));
    let folder = home.path().join("data");
    let key = demo(&folder, &stage).key();
    let escrow = fs::read(folder.join("server.key")).unwrap();
    fs::remove_file(folder.join("server.key")).unwrap();
    let before = fs::read(folder.join("server.sqlite")).unwrap();

    let refused = Core::open(&folder, stage.clone()).err().expect("no new identity beside an old database").to_string();
    for words in ["server.key is missing", "Nothing was changed", "escrow copy"] {
        assert!(refused.contains(words), "{refused}");
    }
    assert!(!folder.join("server.key").exists(), "no key was made");
    assert_eq!(fs::read(folder.join("server.sqlite")).unwrap(), before);

    fs::write(folder.join("server.key"), "11".repeat(32) + "\n" + &"22".repeat(32) + "\n").unwrap();
    let strange = Core::open(&folder, stage.clone()).err().expect("another server's key").to_string();
    assert!(strange.contains("belongs to another server"), "{strange}");

    fs::write(folder.join("server.key"), escrow).unwrap();
    assert_eq!(Core::open(&folder, stage).unwrap().key(), key);
}

#[test]
fn r14_only_its_owner_may_look_into_the_data_folder() {
    let (home, stage) = (tempfile::tempdir().unwrap(), Stage::at("2026-03-02T06:00:00Z"));
    let folder = home.path().join("data");
    drop(demo(&folder, &stage));
    fs::set_permissions(folder.join("server.sqlite"), fs::Permissions::from_mode(0o644)).unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
    let core = Core::open(&folder, stage).unwrap();
    Pen::enrol(&core, "K3", "SEAL", 3);
    assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
    let mut found = Vec::new();
    modes(&folder, &mut found);
    let open: Vec<_> = found.iter().filter(|(_, mode)| mode & 0o077 != 0).collect();
    assert!(open.is_empty() && found.len() > 10, "{open:?}");
}

#[test]
fn s9_an_unused_code_keeps_its_kiosks_name() {
    let (home, stage) = (tempfile::tempdir().unwrap(), Stage::at("2026-03-02T06:00:00Z"));
    let core = demo(home.path(), &stage);
    let (name, unit) = (KioskName::new("K1").unwrap(), [WorkUnitId::new("SEAL").unwrap()]);
    assert_eq!(core.free_kiosk_name().unwrap(), Some(name.clone()));
    core.enrol_code(name.clone(), &unit).unwrap();
    let twice = core.enrol_code(name.clone(), &unit).unwrap_err().to_string();
    assert!(twice.contains("still good") && twice.contains("K1"), "{twice}");
    assert_eq!(core.free_kiosk_name().unwrap(), KioskName::new("K2").ok());
    stage.set("2026-03-02T06:16:00Z");
    core.enrol_code(name, &unit).unwrap();
}
