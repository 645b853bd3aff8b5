//! A whole plant is killed at any moment, again and again: what was acknowledged is there, and everything goes on.
//!
//! `LINEPROOF_KILLS` says how often; by default a few times.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use harness::{VirtualClock, replica};
use kiosk::core::Core as Kiosk;
use kiosk::key_store::FileKeyStore;
use shared::id::EntryId;
use shared::time::{MINUTE_MS, Timestamp};
use sync_server::core::Core as Server;

use harness::scene::{copy_folder, sunday_evening};

const KIOSKS: [&str; 2] = ["K3", "K5"];

/// What the worker said before it was killed.
#[derive(Default)]
struct Acknowledged {
    written: BTreeSet<(String, EntryId)>,
    confirmed: BTreeSet<EntryId>,
}

impl Acknowledged {
    /// A line that was cut in two by the kill acknowledges nothing.
    fn heed(&mut self, line: &str) {
        let words: Vec<&str> = line.split(' ').collect();
        match words.as_slice() {
            ["written", kiosk, id] => drop(id.parse().map(|id| self.written.insert(((*kiosk).to_owned(), id)))),
            ["confirmed", id] => drop(id.parse().map(|id| self.confirmed.insert(id))),
            _ => {}
        }
    }
}

fn start(folder: &Path, moment: Timestamp) -> (Child, BufReader<std::process::ChildStdout>) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_worker"));
    let mut child = command.arg(folder).arg(moment.to_string()).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let mut first = String::new();
    lines.read_line(&mut first).unwrap();
    assert_eq!(first.trim(), "ready", "the plant does not start again");
    (child, lines)
}

fn open_kiosk(folder: &Path, name: &str, clock: &VirtualClock) -> Kiosk {
    let keys = FileKeyStore::open(&folder.join(format!("{name}-keys"))).unwrap();
    Kiosk::open(&folder.join(name), Box::new(keys), Box::new(clock.clone())).unwrap()
}

#[test]
fn safe1_what_was_acknowledged_outlives_kill_9_at_any_moment() {
    let kills: u64 = std::env::var("LINEPROOF_KILLS").ok().and_then(|count| count.parse().ok()).unwrap_or(5);
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("plant");
    let began = {
        let mut plant = sunday_evening();
        plant.settle();
        let (server, moment) = (plant.path("server"), plant.clock.now());
        let root = server.parent().unwrap().to_owned();
        KIOSKS.iter().for_each(|name| plant.stop(name));
        copy_folder(&root, &folder);
        moment
    };
    let mut acknowledged = Acknowledged::default();
    for round in 0..kills {
        let moment = began.plus_ms((round as i64 + 1) * MINUTE_MS);
        let (mut child, lines) = start(&folder, moment);
        // Any moment: the first while nothing has happened yet, later ones in the middle of whatever goes on.
        std::thread::sleep(Duration::from_millis(round * 37 % 400));
        child.kill().unwrap();
        child.wait().unwrap();
        lines.lines().map_while(Result::ok).for_each(|line| acknowledged.heed(&line));
        look(&folder, &acknowledged, moment);
    }
    assert!(acknowledged.written.len() > kills as usize, "nothing was done between the kills");
    assert!(!acknowledged.confirmed.is_empty(), "nothing was confirmed between the kills");
    goes_on(&folder, &acknowledged, began.plus_ms((kills as i64 + 2) * MINUTE_MS));
    println!("{kills} kills, {} acknowledged, {} confirmed", acknowledged.written.len(), acknowledged.confirmed.len());
}

/// What lies there as it was left: everything acknowledged, nothing altered.
fn look(folder: &Path, acknowledged: &Acknowledged, moment: Timestamp) {
    let clock = VirtualClock::beginning(moment).with_chance_of_its_own(1);
    for name in KIOSKS {
        let kiosk = open_kiosk(folder, name, &clock);
        let looked = replica::look(kiosk.ledger().connection()).unwrap();
        assert_eq!(looked.findings, [""; 0], "{name}");
        let missing = acknowledged.written.iter().find(|(at, id)| at == name && !looked.entries.contains(id));
        assert_eq!(missing, None, "{name} lost what it had acknowledged");
    }
    let server = Server::open(&folder.join("server"), Arc::new(clock)).unwrap();
    let found = server.verify(false).unwrap();
    assert!(found.findings.is_empty(), "{:?}", found.findings);
    let held = |id: &&EntryId| store::shelf::place(server.ledger().connection(), id).unwrap().is_none();
    assert_eq!(acknowledged.confirmed.iter().find(held), None, "the server lost what it had confirmed");
}

/// The plant meets again: everything is everywhere, and nothing forked.
fn goes_on(folder: &Path, acknowledged: &Acknowledged, moment: Timestamp) {
    let clock = VirtualClock::beginning(moment).with_chance_of_its_own(2);
    let server = Server::open(&folder.join("server"), Arc::new(clock.clone())).unwrap();
    for name in KIOSKS {
        let mut kiosk = open_kiosk(folder, name, &clock);
        kiosk.call_soon();
        while let Some(up) = kiosk.poll_up().unwrap() {
            kiosk.handle_down(&server.exchange(&up).unwrap(), 0).unwrap();
        }
        assert_eq!(kiosk.status().unwrap().forks, 0, "{name}");
    }
    let place = |id: &EntryId| store::shelf::place(server.ledger().connection(), id).unwrap();
    assert!(acknowledged.written.iter().all(|(_, id)| place(id).is_some()), "the server has all that was written");
    assert!(server.verify(true).unwrap().is_clean());
}
