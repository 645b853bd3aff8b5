//! Works without pause on a plant's data folders, and says each thing on standard output once it is acknowledged: `written KIOSK ID` after a
//! kiosk's COMMIT, `confirmed ID` when the server's answer is durable at the kiosk. For the harness that kills it.
#![forbid(unsafe_code)]

use std::error::Error;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use harness::kiosk_signer;
use kiosk::core::Core as Kiosk;
use kiosk::key_store::FileKeyStore;
use shared::id::{EntryId, PersonId, RequirementId};
use shared::kind::record::Edit;
use shared::time::Timestamp;
use sync_server::core::Core as Server;

/// Goes on from a moment of the plant's, with the machine's own chance.
#[derive(Clone)]
struct Onward {
    moment: Timestamp,
    origin: Instant,
}

impl Onward {
    fn now(&self) -> Timestamp {
        self.moment.plus_ms(i64::try_from(self.origin.elapsed().as_millis()).unwrap_or(0))
    }
    fn random(bytes: &mut [u8]) {
        kiosk::clock::Environment::random(&kiosk::clock::Machine::default(), bytes);
    }
}

impl kiosk::clock::Environment for Onward {
    fn wall(&self) -> Timestamp {
        self.now()
    }
    fn steady(&self) -> Timestamp {
        self.now()
    }
    fn random(&self, bytes: &mut [u8]) {
        Self::random(bytes);
    }
}

impl sync_server::core::Environment for Onward {
    fn now(&self) -> Timestamp {
        Onward::now(self)
    }
    fn random(&self, bytes: &mut [u8]) {
        Self::random(bytes);
    }
}

fn main() -> ExitCode {
    match work() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("could not work: {why}");
            ExitCode::from(3)
        }
    }
}

fn work() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (folder, moment) = arguments.next().zip(arguments.next()).ok_or("usage: worker FOLDER MOMENT")?;
    let moment = Timestamp::parse(&moment).ok_or("the moment is no time")?;
    let (folder, from) = (PathBuf::from(folder), Onward { moment, origin: Instant::now() });
    let server = Server::open(&folder.join("server"), Arc::new(from.clone()))?;
    let mut kiosks = Vec::new();
    for (name, person) in [("K3", "maria"), ("K5", "ana")] {
        let keys = FileKeyStore::open(&folder.join(format!("{name}-keys")))?;
        let core = Kiosk::open(&folder.join(name), Box::new(keys), Box::new(from.clone()))?;
        kiosks.push(Worker { name, person: PersonId::new(person)?, core, waiting: Vec::new() });
    }
    for worker in &mut kiosks {
        worker.core.badge_in(&worker.person)?;
        worker.core.unlock_session(&kiosk_signer(worker.person.as_str()))?;
    }
    say("ready");
    for round in 0u32.. {
        for worker in &mut kiosks {
            worker.act(round)?;
            if round % 3 == 2 {
                worker.meet(&server)?;
            }
        }
    }
    Ok(())
}

struct Worker {
    name: &'static str,
    person: PersonId,
    core: Kiosk,
    /// Written, and not yet heard of from the server.
    waiting: Vec<EntryId>,
}

impl Worker {
    fn act(&mut self, round: u32) -> Result<(), Box<dyn Error>> {
        let about = self.core.about(&RequirementId::new("R-0042")?)?;
        let entry = if round.is_multiple_of(2) {
            let edit = Edit::Tick("4".into(), round.is_multiple_of(4));
            self.core.edit_sheet(&self.person, &about, &self.person, vec![edit])?
        } else {
            let procedure = self.core.procedure(&self.person, &about)?;
            self.core.sign_read(&self.person, &procedure, 240)?
        };
        say(&format!("written {} {}", self.name, entry.id()));
        self.waiting.push(entry.id());
        Ok(())
    }

    fn meet(&mut self, server: &Server) -> Result<(), Box<dyn Error>> {
        self.core.call_soon();
        while let Some(up) = self.core.poll_up()? {
            let down = server.exchange(&up)?;
            self.core.handle_down(&down, 0)?;
        }
        for entry in std::mem::take(&mut self.waiting) {
            if kiosk::store::is_confirmed(self.core.ledger().connection(), &entry)? {
                say(&format!("confirmed {entry}"));
            } else {
                self.waiting.push(entry);
            }
        }
        Ok(())
    }
}

/// One line, out of this process before anything else happens.
fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    // Whoever listens may be gone: then nobody counts on it.
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}
