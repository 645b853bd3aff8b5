//! `kill -9` of the programs as they are shipped, under load: what was shown as done is there, what was confirmed is at the server.
//!
//! `LINEPROOF_KILLS` says how often; by default a few times.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use harness::{demo_plant, secret_of};
use shared::id::*;
use shared::part11::boxes::Stretching;
use sim::rng::Rng;
use sync_server::core::people::Signer;
use sync_server::core::{Core as Server, Environment, Machine};

use crate::house::asked;
use crate::programs::*;

pub const MARIA: &str = "04A1B2C3";

/// A server's data folder with the demo plant, where Maria can sign; and a code for a kiosk at the sealer.
pub fn prepare(data: &Path, environment: Arc<dyn Environment>) -> String {
    let server = Server::open(data, environment).unwrap();
    server.import(&demo_plant(), false, "test").unwrap();
    let mut verifier: Option<Signer> = None;
    for person in ["helga", "jonas", "maria"] {
        let id = PersonId::new(person).unwrap();
        server.set_up_signing(&id, &secret_of(person), "identity card", verifier.as_ref(), Stretching::TESTS).unwrap();
        verifier.get_or_insert_with(|| Signer { person: id, secret: secret_of(person) });
    }
    server.enrol_code(KioskName::new("K3").unwrap(), &["SEAL".parse().unwrap()]).unwrap()
}

/// What was shown as done.
#[derive(Default)]
struct Done {
    /// Decisions that stood on the screen.
    verdicts: u64,
    /// Short ids of entries on receipts.
    receipts: BTreeSet<String>,
}

/// Works at the kiosk until it is gone.
fn work(kiosk: &mut KioskProgram, done: &mut Done) -> Option<()> {
    loop {
        let mut shown = kiosk.act(&format!("badge {MARIA}"))?;
        if shown["screen"] == "signing-set-up" {
            shown = kiosk.act("tap action:back")?;
        }
        assert_eq!(shown["screen"], "tasks", "{shown}");
        shown = kiosk.act("tap task:seal-pouch")?;
        if shown["screen"] == "lot" {
            shown = kiosk.act("badge 881")?;
        }
        assert_eq!(shown["screen"], "verdict", "{shown}");
        done.verdicts += 1;
        if shown["shown"]["can_read"] == true {
            read(kiosk, done)?;
        }
        kiosk.act("tap action:sign-out")?;
    }
}

/// Reads what the verdict offers, and signs it.
fn read(kiosk: &mut KioskProgram, done: &mut Done) -> Option<()> {
    let mut shown = kiosk.act("tap next")?;
    while shown["screen"] == "reader" {
        shown = kiosk.act("tap next")?;
    }
    if shown["screen"] == "secret" {
        kiosk.act(&format!("type secret {}", secret_of("maria")))?;
        shown = kiosk.act("tap ok")?;
    }
    if shown["screen"] == "receipt" {
        done.receipts.insert(shown["shown"]["entry"].as_str()?.to_owned());
    }
    Some(())
}

/// Looks at what lies there while nobody runs.
fn look(folder: &Path, done: &Done) {
    let connection = rusqlite::Connection::open(folder.join("K3/kiosk.sqlite")).unwrap();
    let looked = harness::replica::look(&connection).unwrap();
    assert_eq!(looked.findings, [""; 0]);
    let decisions: u64 = connection
        .query_row("SELECT count(*) FROM entry WHERE kind = 'decision'", [], |row| row.get::<_, i64>(0))
        .unwrap() as u64;
    assert!(decisions >= done.verdicts, "{} decisions stood on the screen, {decisions} are there", done.verdicts);
    for receipt in &done.receipts {
        let there = looked.entries.iter().any(|id| id.to_string().contains(&receipt.replace(' ', "")));
        assert!(there, "the receipt of {receipt} is there and its entry isn't");
    }
    let server = rusqlite::Connection::open(folder.join("server/server.sqlite")).unwrap();
    let at_server = harness::replica::look(&server).unwrap();
    assert_eq!(at_server.findings, [""; 0]);
    let lost: Vec<_> = looked
        .entries
        .iter()
        .filter(|id| kiosk::store::is_confirmed(&connection, id).unwrap() && !at_server.entries.contains(id))
        .collect();
    assert!(lost.is_empty(), "the kiosk takes for confirmed what the server doesn't have: {lost:?}");
}

#[test]
fn safe1_the_programs_outlive_kill_9_under_load() {
    let (kills, seed) = (asked("LINEPROOF_KILLS", 4), asked("LINEPROOF_SEED", 1));
    let home = tempfile::tempdir().unwrap();
    let (folder, port) = (home.path(), free_port());
    let mut code = Some(prepare(&folder.join("server"), Arc::new(Machine)));
    let (around, mut chance, mut done) = (Surroundings::default(), Rng::new(seed), Done::default());
    for _ in 0..kills {
        let server = ServerProgram::start(&folder.join("server"), port, &around);
        let mut kiosk = KioskProgram::start(folder, "K3", &server.url, code.take().as_deref(), &around);
        kiosk.until("a plant", |status| status["entries"].as_u64() > Some(100));
        // The server goes first, last, or both at once; a kiosk whose server is gone works on.
        let lives = [chance.below(1500), chance.below(1500)].map(|ms| Duration::from_millis(300 + ms as u64));
        let processes = [server.running.process(), kiosk.running.process()];
        std::thread::scope(|scope| {
            for (process, life) in processes.into_iter().zip(lives) {
                scope.spawn(move || {
                    std::thread::sleep(life);
                    kill_9(process);
                });
            }
            work(&mut kiosk, &mut done);
        });
        drop((kiosk, server));
        look(folder, &done);
    }
    let mut server = ServerProgram::start(&folder.join("server"), port, &around);
    let mut kiosk = KioskProgram::start(folder, "K3", &server.url, None, &around);
    let last = kiosk.until("everything at the server", |status| status["line"] == "online" && status["waiting"] == 0);
    assert_eq!(last["forks"], 0, "{last}");
    kiosk.running.end();
    server.running.end();
    look(folder, &done);
    let mut verify = Command::new(program("sync-server"));
    verify.arg("--data").arg(folder.join("server")).args(["verify", "--rebuild"]);
    let (code, told) = run(verify, &around);
    assert_eq!(code, 0, "{told}");
    println!(
        "{{\"name\":\"kill\",\"runs\":{kills},\"violations\":0,\"seed\":{seed},\"verdicts\":{},\"receipts\":{}}}",
        done.verdicts,
        done.receipts.len()
    );
    assert!(done.verdicts > 0, "nothing was done between the kills");
}
