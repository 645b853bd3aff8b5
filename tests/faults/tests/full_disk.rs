//! A small disk that fills up under the programs as they are shipped, first the kiosk's, then the server's: what can't be stored is never shown
//! as done, nothing acknowledged is lost, and once there is room again everything goes on by itself.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use harness::secret_of;
use kiosk::core::KEPT_FOR_THE_GATE;
use kiosk::runtime::sync_runtime;
use kiosk::storage::free_bytes;
use kiosk::sync_driver::Stranger;
use sync_server::core::Machine;

use crate::at_work::verify;
use crate::kill::{Done, MARIA, ask, look, look_at_the_server, prepare, read, sign, until_she_can_sign};
use crate::programs::*;

const MIB: u64 = 1024 * 1024;
/// More starts than the longest write-ahead log has room for.
const MOST_STARTS: usize = 3_000;
/// How often it is tried on a full disk.
const TRIES: usize = 5;

/// A file system of its own in memory, as small as a test wants it, that is gone with this.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// Nothing where this process may not mount.
    fn at(folder: PathBuf, mib: u64) -> Option<Self> {
        fs::create_dir_all(&folder).unwrap();
        let size = format!("size={mib}m");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "lineproof-small"]).arg(&folder).output();
        match mounted {
            Ok(done) if done.status.success() => Some(Self(folder)),
            refused => {
                println!("SKIPPED (no small disk can be mounted here: {refused:?}): disks that fill up");
                None
            }
        }
    }

    fn ballast(&self) -> PathBuf {
        self.0.join("ballast")
    }

    /// Fills it up, but for so much.
    fn leave(&self, bytes: u64) {
        let mut ballast = File::options().create(true).append(true).open(self.ballast()).unwrap();
        while let lacking @ 1.. = free_bytes(&self.0).unwrap().saturating_sub(bytes) {
            match ballast.write_all(&vec![0; lacking.min(MIB) as usize]) {
                Err(full) if full.kind() == ErrorKind::StorageFull => return,
                written => written.unwrap(),
            }
        }
    }

    fn free(&self) {
        fs::remove_file(self.ballast()).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Whoever still has a file open on it, after a test that failed, keeps it from nobody else.
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

/// What a screen says when the disk is full.
fn says_full(shown: &Shown) -> bool {
    shown["screen"] == "fault" && shown["shown"]["code"] == "ST-FULL" && shown["decision"].is_null()
}

/// Nobody is left at the kiosk, whatever its screen shows.
fn everybody_leaves(kiosk: &mut KioskProgram) {
    for act in ["tap next", "tap action:sign-out"].into_iter().cycle().take(6) {
        if kiosk.act(act).unwrap()["screen"] == "idle" {
            return;
        }
    }
    panic!("somebody is left at the kiosk");
}

/// Maria asks to start, and goes.
fn start(kiosk: &mut KioskProgram, done: &mut Done) -> Shown {
    let shown = ask(kiosk).unwrap();
    done.decided(&shown);
    kiosk.act("tap action:sign-out").unwrap();
    shown
}

/// The same, while the disk may refuse it: the first screen that isn't the one it should be, or the verdict.
fn try_to_start(kiosk: &mut KioskProgram) -> Shown {
    let badge = format!("badge {MARIA}");
    let mut shown = kiosk.act(&badge).unwrap();
    for (screen, act) in [("signing-set-up", "tap action:back"), ("tasks", "tap task:seal-pouch"), ("lot", "badge 881")]
    {
        if shown["screen"] == screen {
            shown = kiosk.act(act).unwrap();
        }
    }
    shown
}

/// The plant at work: its server, and a kiosk at which Maria can sign.
fn at_work(folder: &Path) -> (ServerProgram, KioskProgram) {
    let (around, data) = (Surroundings::default(), folder.join("server"));
    let code = prepare(&data, Arc::new(Machine));
    let server = ServerProgram::start(&data, free_port(), &around);
    let mut kiosk = KioskProgram::start(folder, "K3", &server.url, Some(&code), &around);
    kiosk.until("a plant", |status| status["entries"].as_u64() > Some(100));
    until_she_can_sign(&mut kiosk);
    (server, kiosk)
}

/// There is room again: she reads and signs, and all of it comes to the server.
fn goes_on(folder: &Path, (mut server, mut kiosk): (ServerProgram, KioskProgram), done: &mut Done) {
    done.decided(&ask(&mut kiosk).unwrap());
    sign(&mut kiosk, done).unwrap();
    assert_eq!(done.receipts.len(), 1, "she signs what she couldn't sign before");
    everybody_leaves(&mut kiosk);
    let last = kiosk.until("everything at the server", |status| status["line"] == "online" && status["waiting"] == 0);
    assert_eq!(last["forks"], 0, "{last}");
    kiosk.running.end();
    server.running.end();
    look(folder, "K3", done);
    look_at_the_server(folder, done);
    verify(&folder.join("server"), &Surroundings::default());
}

#[test]
fn safe1_s8_a_kiosk_whose_small_disk_fills_up_says_so_and_goes_on_when_there_is_room() {
    let home = tempfile::tempdir().unwrap();
    let (folder, mut done) = (home.path(), Done::default());
    let Some(disk) = SmallDisk::at(folder.join("K3"), KEPT_FOR_THE_GATE / MIB + 64) else { return };
    let (server, mut kiosk) = at_work(folder);

    disk.leave(KEPT_FOR_THE_GATE - 28 * MIB);
    let shown = ask(&mut kiosk).unwrap();
    done.decided(&shown);
    assert_eq!(read(&mut kiosk).unwrap()["screen"], "secret", "the gate goes on, and she may read");
    kiosk.act(&format!("type secret {}", secret_of("maria"))).unwrap();
    let refused = kiosk.act("tap ok").unwrap();
    assert!(says_full(&refused), "nothing is signed on what is kept for the gate: {refused}");
    everybody_leaves(&mut kiosk);

    disk.leave(0);
    let mut starts = 0;
    let refused = loop {
        let shown = try_to_start(&mut kiosk);
        if shown["screen"] != "verdict" {
            break shown;
        }
        done.decided(&shown);
        everybody_leaves(&mut kiosk);
        starts += 1;
        assert!(starts < MOST_STARTS, "the disk was never full");
    };
    assert!(says_full(&refused), "{refused}");
    let mut tries = 0;
    while tries < TRIES {
        kiosk.act("tap next").unwrap();
        let shown = try_to_start(&mut kiosk);
        if shown["screen"] == "verdict" {
            // An answer of the server's let the write-ahead log begin anew, in the room that it has already.
            done.decided(&shown);
            everybody_leaves(&mut kiosk);
            starts += 1;
            assert!(starts < MOST_STARTS, "the disk is never full for long");
        } else {
            assert!(says_full(&shown), "{shown}");
            tries += 1;
        }
    }

    disk.free();
    everybody_leaves(&mut kiosk);
    goes_on(folder, (server, kiosk), &mut done);
    println!(
        "{{\"name\":\"full-disk\",\"where\":\"kiosk\",\"runs\":1,\"violations\":0,\"starts_on_a_full_disk\":{starts},\"refused\":{}}}",
        TRIES + 2
    );
}

/// The server answers whoever asks whether it is alive.
fn is_alive(url: &str) {
    let asked = async { Stranger::at(url)?.authority().await };
    let answered = sync_runtime().unwrap().block_on(asked);
    assert!(answered.is_ok(), "/healthz: {answered:?}");
}

#[test]
fn safe1_a_server_whose_small_disk_fills_up_says_so_and_goes_on_when_there_is_room() {
    let home = tempfile::tempdir().unwrap();
    let (folder, mut done) = (home.path(), Done::default());
    let Some(disk) = SmallDisk::at(folder.join("server"), 64) else { return };
    let (server, mut kiosk) = at_work(folder);

    disk.leave(0);
    let mut starts = 0;
    while start(&mut kiosk, &mut done)["status"]["line"] == "online" {
        starts += 1;
        assert!(starts < MOST_STARTS, "the disk was never full");
    }
    let before = done.verdicts.len();
    for _ in 0..TRIES {
        start(&mut kiosk, &mut done);
        is_alive(&server.url);
    }
    assert_eq!(done.verdicts.len(), before + TRIES, "the kiosk works on without it");
    let says_why = |line: &str| line.contains("disk_full").then_some(());
    if !kiosk.running.said.iter().any(|line| says_why(line).is_some()) {
        kiosk.running.wait_for("the server's reason", says_why);
    }

    disk.free();
    goes_on(folder, (server, kiosk), &mut done);
    println!(
        "{{\"name\":\"full-disk\",\"where\":\"server\",\"runs\":1,\"violations\":0,\"starts_until_full\":{starts},\"verdicts\":{}}}",
        done.verdicts.len()
    );
}
