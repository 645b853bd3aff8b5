//! People who work without pause at two kiosks of a plant whose data folders lie on the disk: for harnesses that stop them at any moment, or
//! take the disk away under them.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use kiosk::core::secret::Signer;
use kiosk::core::{Core as Kiosk, Denied};
use kiosk::key_store::FileKeyStore;
use shared::id::*;
use shared::kind::plant::Format;
use shared::kind::record::{Edit, Outcome};
use shared::time::Timestamp;
use store::secrets;
use sync_server::core::Core as Server;
use sync_server::core::approve::DraftContent;

use crate::scene::passed;
use crate::{VirtualClock, kiosk_signer, signer};

/// Where somebody works, and who.
pub const PLACES: [(&str, &str); 2] = [("K3", "maria"), ("K5", "ana")];

/// What was acknowledged, and by whom.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Said {
    /// After a kiosk's COMMIT.
    Written { kiosk: String, entry: EntryId },
    /// After the server's answer is durable at the kiosk.
    Confirmed { entry: EntryId },
}

/// The whole shift: a server and its kiosks, each with somebody whose session is open.
pub struct Shift {
    server: Server,
    workers: Vec<Worker>,
}

impl Shift {
    /// Opens what lies in the folders `server`, `K3`, `K3-keys`, `K5`, `K5-keys`.
    pub fn begin(folder: &Path, clock: &VirtualClock) -> Result<Self, Box<dyn Error>> {
        let server = Server::open(&folder.join("server"), Arc::new(clock.clone()))?;
        let mut workers = Vec::new();
        for (name, person) in PLACES {
            let mut worker = Worker::at(folder, name, person, clock)?;
            worker.core.badge_in(&worker.person)?;
            worker.core.unlock_session(&kiosk_signer(person))?;
            workers.push(worker);
        }
        Ok(Self { server, workers })
    }

    /// Everybody does one thing; every third time they meet the server, where an author drafts a version now and then. `say` hears of each
    /// acknowledgement at once.
    pub fn round(&mut self, round: u32, say: &mut impl FnMut(Said)) -> Result<(), Box<dyn Error>> {
        if round % 8 == 7 {
            say(Said::Confirmed { entry: self.draft(round)? });
        }
        for worker in &mut self.workers {
            let entry = worker.act(round)?;
            say(Said::Written { kiosk: worker.name.to_owned(), entry });
            if round % 3 == 2 {
                worker.meet(&self.server, say)?;
            }
        }
        Ok(())
    }

    fn draft(&self, round: u32) -> Result<EntryId, Box<dyn Error>> {
        let content = DraftContent {
            language: Language::new("en")?,
            format: Format::Markdown,
            change_summary: "Wording".into(),
            text: Some(format!("# Seal\n\n1. Close the pouch, draft {round}\n")),
            blob: None,
        };
        let (document, version) = (DocumentId::new("SOP-0042")?, VersionId::new(&format!("v{round}"))?);
        Ok(self.server.draft_version(&document, &version, &[content], Some(6), "CC-1", &signer("lukas"))?.id())
    }
}

/// One person at one kiosk.
struct Worker {
    name: &'static str,
    person: PersonId,
    core: Kiosk,
    /// Written, and not yet heard of from the server.
    waiting: Vec<EntryId>,
}

impl Worker {
    fn at(folder: &Path, name: &'static str, person: &str, clock: &VirtualClock) -> Result<Self, Box<dyn Error>> {
        let keys = FileKeyStore::open(&folder.join(format!("{name}-keys")))?;
        let core = Kiosk::open(&folder.join(name), Box::new(keys), Box::new(clock.clone()))?;
        Ok(Self { name, person: PersonId::new(person)?, core, waiting: Vec::new() })
    }

    fn act(&mut self, round: u32) -> Result<EntryId, Box<dyn Error>> {
        let about = self.core.about(&RequirementId::new("R-0042")?)?;
        let entry = match round % 6 {
            0 | 3 => {
                let edit = Edit::Tick("4".into(), round.is_multiple_of(2));
                self.core.edit_sheet(&self.person, &about, &self.person, vec![edit])?.id()
            }
            1 => {
                let procedure = self.core.procedure(&self.person, &about)?;
                self.core.sign_read(&self.person, &procedure, 240)?.id()
            }
            2 => self.core.ask(&self.person, &TaskId::new("seal-pouch")?, Some(&LotId::new("881")?))?.entry,
            4 => self.mistypes()?,
            _ => {
                let results = passed(&self.core.check_of(&about)?);
                let both = (&kiosk_signer(self.person.as_str()), &kiosk_signer("jonas"));
                self.core.sign_check(&self.person, &about, results, Outcome::Passed, both)?.id()
            }
        };
        self.waiting.push(entry);
        Ok(entry)
    }

    /// Their secret, and not quite: the wrong one that counts.
    fn mistypes(&mut self) -> Result<EntryId, Box<dyn Error>> {
        let wrong = Signer { person: self.person.clone(), secret: "nearly".into() };
        match self.core.unlock(&wrong) {
            Err(Denied::WrongSecret { .. }) => {}
            other => return Err(format!("a wrong secret: {:?}", other.map(drop)).into()),
        }
        let here = self.core.enrolled().ok_or("it is set up")?.secret.key();
        let counted = secrets::failures(self.core.ledger().connection(), &self.person, &here, Timestamp::MAX)?;
        Ok(counted.last().ok_or("it counts")?.entry)
    }

    fn meet(&mut self, server: &Server, say: &mut impl FnMut(Said)) -> Result<(), Box<dyn Error>> {
        crate::meet(&mut self.core, server)?;
        for entry in std::mem::take(&mut self.waiting) {
            if kiosk::store::is_confirmed(self.core.ledger().connection(), &entry)? {
                say(Said::Confirmed { entry });
            } else {
                self.waiting.push(entry);
            }
        }
        Ok(())
    }
}
