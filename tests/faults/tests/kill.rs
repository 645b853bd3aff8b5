//! `kill -9` of the programs as they are shipped, under load: what was shown as done is there, what was confirmed is at the server.
//!
//! `LINEPROOF_KILLS` says how often; by default a few times.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use harness::{demo_plant, secret_of, signer};
use rusqlite::Connection;
use shared::id::*;
use shared::kind::plant::{Format, Impact, InFlight};
use shared::part11::boxes::Stretching;
use sim::rng::Rng;
use sync_server::core::approve::{Approval, DraftContent};
use sync_server::core::people::Signer;
use sync_server::core::{Core as Server, Environment, Machine};

use crate::at_work::verify;
use crate::house::asked;
use crate::programs::*;

pub const MARIA: &str = "04A1B2C3";

/// A server's data folder with the demo plant, where Maria can sign; and a code for a kiosk at the sealer.
pub fn prepare(data: &Path, environment: Arc<dyn Environment>) -> String {
    let server = Server::open(data, environment).unwrap();
    server.import(&demo_plant(), false, "test").unwrap();
    let mut verifier: Option<Signer> = None;
    for person in ["helga", "lukas", "henning", "jonas", "maria"] {
        let id = PersonId::new(person).unwrap();
        server.set_up_signing(&id, &secret_of(person), "identity card", verifier.as_ref(), Stretching::TESTS).unwrap();
        verifier.get_or_insert_with(|| Signer { person: id, secret: secret_of(person) });
    }
    server.enrol_code(KioskName::new("K3").unwrap(), &["SEAL".parse().unwrap()]).unwrap()
}

/// A code for one more kiosk at the sealer, while nobody runs.
pub fn another_code(data: &Path, kiosk: &str) -> String {
    let server = Server::open(data, Arc::new(Machine)).unwrap();
    server.enrol_code(KioskName::new(kiosk).unwrap(), &["SEAL".parse().unwrap()]).unwrap()
}

/// Quality approves one more version, which Maria has to read anew, while nobody runs.
fn approve_anew(data: &Path, number: u64) {
    let server = Server::open(data, Arc::new(Machine)).unwrap();
    let (document, version) = ("SOP-0042".parse().unwrap(), format!("k{number}").parse().unwrap());
    let content = DraftContent {
        language: "en".parse().unwrap(),
        format: Format::Markdown,
        change_summary: "Steps".into(),
        text: Some(format!("# Seal a pouch\n\n1. Close it\n2. Look at it {number} times\n")),
        blob: None,
    };
    server.draft_version(&document, &version, &[content], Some(6), "CC-1", &signer("lukas")).unwrap();
    server.review_version(&document, &version, &signer("henning")).unwrap();
    let approval = Approval {
        effective_from: server.now().plus_ms(200),
        impact: Impact::Full,
        impact_reason: None,
        in_flight: InFlight::Finish,
        initial_assessors: Vec::new(),
    };
    server.approve_version(&document, &version, &approval, &signer("helga"), None).unwrap();
}

/// What was shown as done.
#[derive(Default)]
pub struct Done {
    /// Decisions whose verdict stood on the screen.
    pub verdicts: BTreeSet<EntryId>,
    /// Short ids of entries on receipts.
    pub receipts: BTreeSet<String>,
}

impl Done {
    /// A verdict stands on the screen.
    pub fn decided(&mut self, shown: &Shown) {
        let decision = shown["decision"].as_str().and_then(|id| id.parse().ok());
        let decision = decision.unwrap_or_else(|| panic!("a verdict is a decision in the journal: {shown}"));
        assert!(self.verdicts.insert(decision), "each start is decided anew: {shown}");
    }

    /// What is not among these decisions and entries.
    fn lacking(&self, decisions: &BTreeSet<EntryId>, entries: &BTreeSet<EntryId>) -> Vec<String> {
        let verdicts = self.verdicts.iter().filter(|id| !decisions.contains(id) || !entries.contains(id));
        let there = |receipt: &str| entries.iter().any(|id| id.to_string().starts_with(&receipt.replace(' ', "")));
        let receipts = self.receipts.iter().filter(|receipt| !there(receipt));
        verdicts.map(ToString::to_string).chain(receipts.cloned()).collect()
    }
}

/// Maria asks to start: the verdict.
pub fn ask(kiosk: &mut KioskProgram) -> Option<Shown> {
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
    Some(shown)
}

/// She reads what the verdict offers, up to where her signature is asked for.
pub fn read(kiosk: &mut KioskProgram) -> Option<Shown> {
    let mut shown = kiosk.act("tap next")?;
    while shown["screen"] == "reader" {
        shown = kiosk.act("tap next")?;
    }
    Some(shown)
}

/// Waits until Maria's key has come, with its pepper, and what she is to read.
pub fn until_she_can_sign(kiosk: &mut KioskProgram) {
    let patience = Instant::now() + Duration::from_secs(60);
    loop {
        ask(kiosk).unwrap();
        let shown = read(kiosk).unwrap();
        kiosk.act("tap action:sign-out").unwrap();
        if shown["screen"] == "secret" {
            return;
        }
        assert!(Instant::now() < patience, "she is never asked for her secret: {shown}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Works at the kiosk until it is gone.
fn work(kiosk: &mut KioskProgram, done: &mut Done) -> Option<()> {
    loop {
        let shown = ask(kiosk)?;
        done.decided(&shown);
        if shown["shown"]["can_read"] == true {
            sign(kiosk, done)?;
        }
        kiosk.act("tap action:sign-out")?;
    }
}

/// Reads, and signs it.
pub fn sign(kiosk: &mut KioskProgram, done: &mut Done) -> Option<()> {
    let mut shown = read(kiosk)?;
    if shown["screen"] == "secret" {
        kiosk.act(&format!("type secret {}", secret_of("maria")))?;
        shown = kiosk.act("tap ok")?;
    }
    if shown["screen"] == "receipt" {
        done.receipts.insert(shown["shown"]["entry"].as_str()?.to_owned());
    }
    Some(())
}

/// What lies in a database while nobody runs: decisions, and all entries, each as its device signed it.
fn held(connection: &Connection) -> (BTreeSet<EntryId>, BTreeSet<EntryId>) {
    let looked = harness::replica::look(connection).unwrap();
    assert_eq!(looked.findings, [""; 0]);
    let mut statement = connection.prepare("SELECT id FROM entry WHERE kind = 'decision'").unwrap();
    let decisions = statement.query_map([], |row| row.get(0).map(EntryId)).unwrap();
    (decisions.collect::<Result<_, _>>().unwrap(), looked.entries)
}

/// Looks at what lies there while nobody runs.
pub fn look(folder: &Path, name: &str, done: &Done) {
    let connection = Connection::open(folder.join(name).join("kiosk.sqlite")).unwrap();
    let (decisions, entries) = held(&connection);
    assert_eq!(done.lacking(&decisions, &entries), [""; 0], "it stood on the screen and isn't there");
    let (_, at_server) = held(&Connection::open(folder.join("server/server.sqlite")).unwrap());
    let confirmed = |id: &&EntryId| kiosk::store::is_confirmed(&connection, id).unwrap();
    let lost: Vec<_> = entries.iter().filter(confirmed).filter(|id| !at_server.contains(id)).collect();
    assert!(lost.is_empty(), "the kiosk takes for confirmed what the server doesn't have: {lost:?}");
}

/// Whether every verdict is at the server by now, which may be running.
pub fn is_at_the_server(folder: &Path, done: &Done) -> bool {
    let connection = Connection::open(folder.join("server/server.sqlite")).unwrap();
    let mut held = connection.prepare("SELECT count(*) FROM entry WHERE id = ?1").unwrap();
    done.verdicts.iter().all(|id| held.query_row([id.0], |row| row.get::<_, u32>(0)).unwrap() == 1)
}

/// At the end all of it is at the server too; and whoever looks misses a single decision that isn't there, however many others are.
pub fn look_at_the_server(folder: &Path, done: &Done) {
    let (decisions, entries) = held(&Connection::open(folder.join("server/server.sqlite")).unwrap());
    assert_eq!(done.lacking(&decisions, &entries), [""; 0], "it stood on the screen and isn't at the server");
    if let Some(gone) = done.verdicts.first() {
        let fewer = decisions.iter().filter(|id| *id != gone).copied().collect();
        assert_eq!(done.lacking(&fewer, &entries), [gone.to_string()]);
    }
}

#[test]
fn safe1_the_programs_outlive_kill_9_under_load() {
    let (kills, seed) = (asked("LINEPROOF_KILLS", 4), asked("LINEPROOF_SEED", 1));
    let home = tempfile::tempdir().unwrap();
    let (folder, port) = (home.path(), free_port());
    let data = folder.join("server");
    let code = prepare(&data, Arc::new(Machine));
    let other = another_code(&data, "K4");
    let mut kiosks = [("K3", Some(code), Done::default()), ("K4", Some(other), Done::default())];
    let (around, mut chance) = (Surroundings::default(), Rng::new(seed));
    for number in 0..kills {
        approve_anew(&data, number);
        let server = ServerProgram::start(&data, port, &around);
        let mut running = kiosks.each_mut().map(|(name, code, _)| {
            let code = code.take();
            let mut kiosk = KioskProgram::start(folder, name, &server.url, code.as_deref(), &around);
            kiosk.until("a plant", |status| status["entries"].as_u64() > Some(100));
            if code.is_some() {
                until_she_can_sign(&mut kiosk);
            }
            kiosk
        });
        // The server goes first, last, or with a kiosk; a kiosk whose server is gone works on.
        let [first, second] = &running;
        let processes = [server.running.process(), first.running.process(), second.running.process()];
        let lives = processes.map(|process| (process, Duration::from_millis(300 + chance.below(1500) as u64)));
        std::thread::scope(|scope| {
            for (process, life) in lives {
                scope.spawn(move || {
                    std::thread::sleep(life);
                    kill_9(process);
                });
            }
            for (kiosk, (_, _, done)) in running.iter_mut().zip(&mut kiosks) {
                scope.spawn(|| work(kiosk, done));
            }
        });
        drop((running, server));
        kiosks.iter().for_each(|(name, _, done)| look(folder, name, done));
    }
    let mut server = ServerProgram::start(&data, port, &around);
    for (name, _, _) in &kiosks {
        let mut kiosk = KioskProgram::start(folder, name, &server.url, None, &around);
        let last =
            kiosk.until("everything at the server", |status| status["line"] == "online" && status["waiting"] == 0);
        assert_eq!(last["forks"], 0, "{last}");
        kiosk.running.end();
    }
    server.running.end();
    for (name, _, done) in &kiosks {
        look(folder, name, done);
        look_at_the_server(folder, done);
    }
    verify(&data, &around);
    let [verdicts, receipts] = [
        kiosks.iter().map(|(_, _, done)| done.verdicts.len()).sum::<usize>(),
        kiosks.iter().map(|(_, _, done)| done.receipts.len()).sum(),
    ];
    println!(
        "{{\"name\":\"kill\",\"runs\":{kills},\"violations\":0,\"seed\":{seed},\"verdicts\":{verdicts},\"receipts\":{receipts}}}"
    );
    assert!(kiosks.iter().all(|(_, _, done)| !done.verdicts.is_empty()), "nothing was done between the kills");
    assert!(kills < 10 || receipts > 0, "nothing was signed between the kills");
}
