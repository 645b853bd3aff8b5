//! Twelve things a plant does, on real stores, while something below SQLite refuses a call: the first, the second, each that an act makes.
//!
//! What was refused is never acknowledged, never a GO; what was acknowledged is there; and as soon as nothing is refused any more, everything
//! goes on from where it was.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use harness::scene::{copy_folder, passed, sunday_evening};
use harness::work::PLACES;
use harness::{VirtualClock, kiosk_signer, meet};
use kiosk::core::Core as Kiosk;
use kiosk::key_store::FileKeyStore;
use shared::id::*;
use shared::kind::presence::SessionEnd;
use shared::kind::record::{Edit, Outcome};
use shared::part11::enrolment::EnrolRequest;
use shared::time::Timestamp;
use shared::training::Answer;
use sync_server::core::Core as Server;

/// A kiosk at the sealer, another one that brings news, and the server.
pub struct House {
    folder: PathBuf,
    pub clock: VirtualClock,
    kiosk: Option<Kiosk>,
    other: Kiosk,
    server: Option<Server>,
    /// What came from the server, not yet taken.
    down: Option<Vec<u8>>,
    /// What is on its way to it.
    up: Option<Vec<u8>>,
    pub acknowledged: BTreeSet<EntryId>,
    codes: u32,
    /// A code that the server gave.
    given: Option<String>,
    /// A terminal that nobody has set up.
    unused: Kiosk,
}

pub type Did = Result<Option<EntryId>, String>;

fn id<T: std::str::FromStr<Err = BadId>>(text: &str) -> T {
    text.parse().unwrap()
}

fn said(why: impl ToString) -> String {
    why.to_string()
}

impl House {
    /// Opens a plant that lies in a folder.
    pub fn open(folder: PathBuf, moment: Timestamp) -> Self {
        Self::open_at(folder, VirtualClock::beginning(moment).with_chance_of_its_own(1))
    }

    pub fn open_at(folder: PathBuf, clock: VirtualClock) -> Self {
        let other = open_kiosk(&folder, "K5", &clock).unwrap();
        let unused = open_kiosk(&folder, "unused", &clock).unwrap();
        let mut house = Self {
            folder,
            clock,
            kiosk: None,
            other,
            server: None,
            down: None,
            up: None,
            acknowledged: BTreeSet::new(),
            codes: 0,
            given: None,
            unused,
        };
        house.open_all().unwrap();
        house
    }

    fn open_all(&mut self) -> Result<(), String> {
        if self.kiosk.is_none() {
            self.kiosk = Some(open_kiosk(&self.folder, "K3", &self.clock)?);
        }
        if self.server.is_none() {
            let server = Server::open(&self.folder.join("server"), Arc::new(self.clock.clone()));
            self.server = Some(server.map_err(said)?);
        }
        Ok(())
    }

    fn kiosk(&mut self) -> &mut Kiosk {
        self.kiosk.as_mut().unwrap()
    }

    fn server(&self) -> &Server {
        self.server.as_ref().unwrap()
    }

    fn maria_is_here(&mut self) {
        let maria = kiosk_signer("maria");
        let kiosk = self.kiosk();
        if kiosk.person() != Some(&maria.person) {
            kiosk.badge_in(&maria.person).unwrap();
        }
        if !kiosk.session_unlocked() {
            kiosk.unlock_session(&maria).unwrap();
        }
    }

    fn nobody_is_here(&mut self) {
        if self.kiosk().person().is_some() {
            self.kiosk().badge_out(SessionEnd::Tap).unwrap();
        }
    }

    fn everybody_meets(&mut self) {
        meet(self.kiosk.as_mut().unwrap(), self.server.as_ref().unwrap()).unwrap();
    }

    fn call(&mut self) -> Vec<u8> {
        self.kiosk().call_soon();
        self.kiosk().poll_up().unwrap().unwrap()
    }

    /// Everything that was acknowledged is there, by kiosk and by server, and nothing is wrong with the rest.
    pub fn look(&mut self, context: &str) {
        self.open_all().unwrap_or_else(|why| panic!("{context}: {why}"));
        self.take_the_servers_word(context);
        let acknowledged = self.acknowledged.clone();
        let kiosk = self.kiosk();
        kiosk.status().unwrap_or_else(|why| panic!("{context}: {why}"));
        let connection = kiosk.ledger().connection();
        let held = |id: &&EntryId| store::shelf::place(connection, id).unwrap().is_none();
        assert_eq!(acknowledged.iter().find(held), None, "{context}: it was acknowledged");
        let confirmed = |id: &&EntryId| kiosk::store::is_confirmed(connection, id).unwrap();
        let confirmed: Vec<&EntryId> = acknowledged.iter().filter(confirmed).collect();
        let server = self.server().ledger();
        let lost = |id: &&&EntryId| store::shelf::place(server.connection(), id).unwrap().is_none();
        assert_eq!(confirmed.iter().find(lost), None, "{context}: the server confirmed it");
    }

    /// What the server answered reaches the kiosk, and the code it gave is used.
    fn take_the_servers_word(&mut self, context: &str) {
        if let Some(down) = self.down.take() {
            let news = self.kiosk().handle_down(&down, 0).unwrap_or_else(|why| panic!("{context}: {why}"));
            assert_eq!(news.dropped, None, "{context}");
        }
        if let Some(code) = self.given.take() {
            let (_, request) = self.unused.begin_set_up(&code, "https://harness", b"nobody".to_vec());
            let request = EnrolRequest::read(&request).unwrap();
            let enrolled = self.server().enrol(&request, Digest32::of(b"nobody")).unwrap();
            assert!(enrolled.is_ok(), "{context}: the code that was given: {:?}", enrolled.err());
        }
    }

    /// The same, byte for byte, from what lies on the disk; then everybody meets.
    pub fn look_closely(&mut self, context: &str) {
        (self.kiosk, self.server) = (None, None);
        self.look(context);
        let looked = harness::replica::look(self.kiosk().ledger().connection()).unwrap();
        assert_eq!(looked.findings, [""; 0], "{context}");
        self.everybody_meets();
        assert_eq!(self.kiosk().status().unwrap().forks, 0, "{context}");
        assert!(self.server().verify(true).unwrap().is_clean(), "{context}");
    }
}

pub fn open_kiosk(folder: &Path, name: &str, clock: &VirtualClock) -> Result<Kiosk, String> {
    let keys = FileKeyStore::open(&folder.join(format!("{name}-keys"))).map_err(said)?;
    Kiosk::open(&folder.join(name), Box::new(keys), Box::new(clock.clone())).map_err(said)
}

/// Something a plant does, that can be done again and again.
pub struct Operation {
    pub name: &'static str,
    pub prepare: fn(&mut House),
    pub act: fn(&mut House) -> Did,
}

pub const OPERATIONS: [Operation; 12] = [
    Operation {
        name: "a kiosk starts",
        prepare: |house| house.kiosk = None,
        act: |house| house.open_all().map(|()| None),
    },
    Operation {
        name: "somebody badges in",
        prepare: House::nobody_is_here,
        act: |house| house.kiosk().badge_in(&id("maria")).map(|()| None).map_err(said),
    },
    Operation {
        name: "somebody gives their secret",
        prepare: |house| {
            // A try that the disk cut short counts as a wrong one, until she signs something.
            house.clock.forward_minutes(5);
            house.maria_is_here();
            sign_read(house).unwrap();
            house.kiosk().lock_session();
        },
        act: |house| house.kiosk().unlock_session(&kiosk_signer("maria")).map(|()| None).map_err(said),
    },
    Operation {
        name: "somebody asks to start",
        prepare: House::maria_is_here,
        act: |house| {
            let verdict = house.kiosk().ask(&id("maria"), &id("seal-pouch"), Some(&id("881"))).map_err(said)?;
            assert_eq!(verdict.decision.answer, Answer::Go, "{:?}", verdict.decision.reasons);
            Ok(Some(verdict.entry))
        },
    },
    Operation {
        name: "a step is ticked",
        prepare: House::maria_is_here,
        act: |house| {
            let kiosk = house.kiosk();
            let about = kiosk.about(&id("R-0042")).map_err(said)?;
            let edits = vec![Edit::Tick("4".into(), true)];
            kiosk.edit_sheet(&id("maria"), &about, &id("maria"), edits).map(|entry| Some(entry.id())).map_err(said)
        },
    },
    Operation { name: "a read is signed", prepare: House::maria_is_here, act: sign_read },
    Operation {
        name: "a check is signed by two",
        prepare: |house| {
            // As with one secret: what was cut short counts, until both sign.
            house.clock.forward_minutes(5);
            house.maria_is_here();
            sign_off(house).unwrap();
        },
        act: sign_off,
    },
    Operation {
        name: "somebody signs out",
        prepare: House::maria_is_here,
        act: |house| house.kiosk().badge_out(SessionEnd::Tap).map(|()| None).map_err(said),
    },
    Operation {
        name: "a call is made",
        prepare: |house| house.kiosk().call_soon(),
        act: |house| house.kiosk().poll_up().map(|_| None).map_err(said),
    },
    Operation {
        name: "an answer is taken",
        prepare: |house| {
            house.everybody_meets();
            bring_news(house);
            let up = house.call();
            house.down = Some(house.server().exchange(&up).unwrap());
        },
        act: |house| {
            let down = house.down.take().unwrap();
            let news = house.kiosk().handle_down(&down, 0).map_err(said)?;
            assert_eq!(news.dropped, None);
            Ok(None)
        },
    },
    Operation {
        name: "the server takes entries",
        prepare: |house| {
            house.everybody_meets();
            house.maria_is_here();
            let read = sign_read(house).unwrap();
            house.acknowledged.extend(read);
            house.up = Some(house.call());
        },
        act: |house| {
            let up = house.up.take().unwrap();
            house.down = Some(house.server().exchange(&up).map_err(said)?);
            Ok(None)
        },
    },
    Operation {
        name: "the server gives a code",
        prepare: |house| house.codes += 1,
        act: |house| {
            let name = KioskName::new(&format!("K{}", 100 + house.codes)).unwrap();
            house.given = Some(house.server().enrol_code(name, &[id("SEAL")]).map_err(said)?);
            Ok(None)
        },
    },
];

fn sign_read(house: &mut House) -> Did {
    let kiosk = house.kiosk();
    let about = kiosk.about(&id("R-0042")).map_err(said)?;
    let procedure = kiosk.procedure(&id("maria"), &about).map_err(said)?;
    kiosk.sign_read(&id("maria"), &procedure, 240).map(|entry| Some(entry.id())).map_err(said)
}

fn sign_off(house: &mut House) -> Did {
    let kiosk = house.kiosk();
    let about = kiosk.about(&id("R-0042")).map_err(said)?;
    let results = passed(&kiosk.check_of(&about).map_err(said)?);
    let both = (&kiosk_signer("maria"), &kiosk_signer("jonas"));
    let signed = kiosk.sign_check(&id("maria"), &about, results, Outcome::Passed, both);
    signed.map(|entry| Some(entry.id())).map_err(said)
}

/// The other kiosk has something to tell.
fn bring_news(house: &mut House) {
    let other = &mut house.other;
    let ana = kiosk_signer("ana");
    if other.person() != Some(&ana.person) {
        other.badge_in(&ana.person).unwrap();
        other.unlock_session(&ana).unwrap();
    }
    let about = other.about(&id("R-0042")).unwrap();
    other.edit_sheet(&ana.person, &about, &ana.person, vec![Edit::Tick("5".into(), true)]).unwrap();
    meet(other, house.server.as_ref().unwrap()).unwrap();
}

/// A plant at rest in a folder of its own, and its time.
pub fn plant_at_rest(folder: &Path) -> Timestamp {
    let mut plant = sunday_evening();
    plant.settle();
    let (server, moment) = (plant.path("server"), plant.clock.now());
    PLACES.iter().for_each(|(name, _)| plant.stop(name));
    copy_folder(server.parent().unwrap(), folder);
    moment
}

/// Memory instead of a disk, where the machine has some: what is synced is recorded anyway.
pub fn home() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

/// How often, or which: said by the environment.
pub fn asked(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}
