//! "Data complete through": a kiosk is complete through `as_of` once the server holds the heads it showed, never before (U10, R18).

mod common;

use common::pen::{Pen, Stage, demo};
use shared::id::*;
use shared::log::LogId;
use shared::sync::message::Beyond;
use shared::time::Timestamp;
use sync_server::core::Core;
use sync_server::core::overview::KioskLine;

fn at(time: &str) -> Timestamp {
    Timestamp::parse(time).unwrap()
}

fn line(core: &Core, kiosk: &str) -> KioskLine {
    core.kiosk_lines(30).unwrap().into_iter().find(|line| line.name.as_str() == kiosk).unwrap()
}

fn names(kiosks: &[KioskName]) -> Vec<&str> {
    kiosks.iter().map(KioskName::as_str).collect()
}

#[test]
fn u10_a_kiosk_is_complete_only_once_the_heads_it_showed_are_held() {
    let (folder, stage) = (tempfile::tempdir().unwrap(), Stage::at("2026-03-02T06:00:00Z"));
    let core = demo(folder.path(), &stage);
    let mut kiosk = Pen::enrol(&core, "K3", "SEAL", 3);
    let (first, second) = (kiosk.write(&core), kiosk.write(&core));

    kiosk.call(&core, &[]);
    assert_eq!(line(&core, "K3").complete_through, None, "it showed a head that nobody here holds");
    let unknown = core.watermark(None).unwrap();
    assert_eq!((unknown.complete_through, names(&unknown.unknown)), (None, vec!["K3"]));

    stage.set("2026-03-02T06:01:00Z");
    kiosk.call(&core, std::slice::from_ref(&first));
    assert_eq!(line(&core, "K3").complete_through, None, "half of it isn't all of it");

    stage.set("2026-03-02T06:02:00Z");
    kiosk.call(&core, &[second]);
    assert_eq!(line(&core, "K3").complete_through, Some(at("2026-03-02T06:02:00Z")));
    assert_eq!(core.watermark(None).unwrap().complete_through, Some(at("2026-03-02T06:02:00Z")));

    stage.set("2026-03-02T06:05:00Z");
    kiosk.write(&core);
    kiosk.call(&core, &[]);
    let behind = core.watermark(Some(at("2026-03-02T06:04:00Z"))).unwrap();
    assert_eq!(behind.complete_through, Some(at("2026-03-02T06:02:00Z")), "what it has shown since isn't here");
    assert_eq!((behind.kiosks, behind.complete, names(&behind.missing)), (1, 0, vec!["K3"]));
    assert_eq!(core.watermark(Some(at("2026-03-02T06:01:00Z"))).unwrap().complete, 1);
}

#[test]
fn u10_a_kiosk_that_never_called_makes_the_watermark_unknown_until_it_is_revoked() {
    let (folder, stage) = (tempfile::tempdir().unwrap(), Stage::at("2026-03-02T06:00:00Z"));
    let core = demo(folder.path(), &stage);
    let kiosk = Pen::enrol(&core, "K3", "SEAL", 3);
    Pen::enrol(&core, "K5", "LABEL", 5);
    kiosk.call(&core, &[]);
    let watermark = core.watermark(None).unwrap();
    assert_eq!(watermark.complete_through, None);
    assert_eq!((watermark.kiosks, watermark.complete, names(&watermark.unknown)), (2, 1, vec!["K5"]));
    core.revoke_kiosk(&KioskName::new("K5").unwrap(), "lost", None).unwrap();
    assert_eq!(core.watermark(None).unwrap().complete_through, Some(at("2026-03-02T06:00:00Z")));
}

#[test]
fn u10_heads_count_whoever_brings_the_entries_and_late_calls_take_nothing_back() {
    let (folder, stage) = (tempfile::tempdir().unwrap(), Stage::at("2026-03-02T06:00:00Z"));
    let core = demo(folder.path(), &stage);
    let mut kiosk = Pen::enrol(&core, "K3", "SEAL", 3);
    let other = Pen::enrol(&core, "K5", "LABEL", 5);
    let entry = kiosk.write(&core);
    let early = kiosk.up(&core, &[]);
    stage.set("2026-03-02T06:10:00Z");
    kiosk.call(&core, &[]);
    stage.set("2026-03-02T07:00:00Z");
    other.call(&core, &[entry]);
    assert_eq!(line(&core, "K3").complete_through, Some(at("2026-03-02T06:10:00Z")));
    kiosk.send(&core, &early);
    assert_eq!(line(&core, "K3").complete_through, Some(at("2026-03-02T06:10:00Z")));
}

#[test]
fn u10_a_clock_that_runs_ahead_vouches_for_nothing_that_is_not_written_yet() {
    let (folder, stage) = (tempfile::tempdir().unwrap(), Stage::at("2026-03-02T06:00:00Z"));
    let core = demo(folder.path(), &stage);
    let kiosk = Pen::enrol(&core, "K3", "SEAL", 3);
    let mut up = kiosk.up(&core, &[]);
    (up.wall, up.as_of) = (at("2027-03-02T06:00:00Z"), at("2027-03-02T06:00:00Z"));
    kiosk.send(&core, &up);
    assert_eq!(core.watermark(None).unwrap().complete_through, Some(at("2026-03-02T06:00:00Z")));
}

#[test]
fn u10_what_a_kiosk_wrote_before_it_was_restored_belongs_to_its_heads() {
    let (folder, stage) = (tempfile::tempdir().unwrap(), Stage::at("2026-03-02T06:00:00Z"));
    let core = demo(folder.path(), &stage);
    let mut kiosk = Pen::enrol(&core, "K3", "SEAL", 3);
    let entry = kiosk.write(&core);
    let former = Beyond { log: kiosk.log.clone(), tips: vec![entry.id()] };
    let mut up = kiosk.up(&core, &[]);
    (up.incarnation, up.heads, up.beyond) = (Incarnation([9; 16]), Vec::new(), vec![former]);
    kiosk.send(&core, &up);
    assert_eq!(line(&core, "K3").complete_through, None);
    let others = LogId { device: DeviceKey([7; 32]), ..kiosk.log.clone() };
    up.beyond = vec![Beyond { log: others, tips: vec![EntryId([7; 32])] }];
    kiosk.send(&core, &up);
    assert!(line(&core, "K3").complete_through.is_some(), "what others wrote is theirs to vouch for");
}

#[test]
fn u10_a_stranger_leaves_nothing() {
    let (folder, stage) = (tempfile::tempdir().unwrap(), Stage::at("2026-03-02T06:00:00Z"));
    let core = demo(folder.path(), &stage);
    let mut stranger = Pen::enrol(&core, "K3", "SEAL", 3);
    stranger.device = shared::part11::signature::DeviceSecret::from_seed([44; 32]);
    stranger.call(&core, &[]);
    assert!(sync_server::store::kiosks_seen(core.ledger().connection()).unwrap().is_empty());
}

#[test]
fn r18_when_an_entry_was_received_is_kept_and_stays() {
    let (folder, stage) = (tempfile::tempdir().unwrap(), Stage::at("2026-03-02T06:00:00Z"));
    let core = demo(folder.path(), &stage);
    let mut kiosk = Pen::enrol(&core, "K3", "SEAL", 3);
    let entry = kiosk.write(&core);
    stage.set("2026-03-02T09:30:00Z");
    kiosk.call(&core, std::slice::from_ref(&entry));
    stage.set("2026-03-02T10:00:00Z");
    kiosk.call(&core, std::slice::from_ref(&entry));
    let received = sync_server::store::received_at(core.ledger().connection(), &entry.id()).unwrap();
    assert_eq!(received, Some(at("2026-03-02T09:30:00Z")));
}

#[test]
fn r18_entries_that_come_twice_are_not_waiting() {
    let (folder, stage) = (tempfile::tempdir().unwrap(), Stage::at("2026-03-02T06:00:00Z"));
    let core = demo(folder.path(), &stage);
    let mut kiosk = Pen::enrol(&core, "K3", "SEAL", 3);
    let (first, second) = (kiosk.write(&core), kiosk.write(&core));
    kiosk.call(&core, std::slice::from_ref(&second));
    assert_eq!(line(&core, "K3").waiting, 1, "it waits for the one before it");
    kiosk.call(&core, &[first.clone(), second.clone()]);
    assert_eq!(line(&core, "K3").waiting, 0);
    kiosk.call(&core, &[first, second]);
    assert_eq!(line(&core, "K3").waiting, 0, "both are held: nothing is to come");
}
