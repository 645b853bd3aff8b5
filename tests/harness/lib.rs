//! Whole plants in one process: a server, kiosks and people, with real stores on disk, real signatures, and virtual time.
//!
//! [`Plant`] is the stage; its acts are what people do. Kiosks meet the server through bytes handed over directly ([`Plant::meet`]), so
//! that a scenario decides when the cable is plugged in.
#![forbid(unsafe_code)]

pub mod clock;
pub mod hand;
pub mod people;
#[path = "../play/mod.rs"]
pub mod play;
pub mod reading;
pub mod replica;
pub mod scene;
pub mod shift;
pub mod stage;
pub mod story;
pub mod swtpm;
pub mod tapped;
pub mod work;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use kiosk::core::Core as Kiosk;
use kiosk::core::Denied;
use kiosk::key_store::{Enrolled, FileKeyStore, KeptFailure, KeyStore};
use shared::id::*;
use shared::kind::plant::KeyStoreKind;
use shared::part11::boxes::Stretching;
use shared::time::Timestamp;
use sync_server::core::Core as Server;
use sync_server::core::people::Signer;

pub use clock::VirtualClock;
pub use people::secret_of;

/// A plant: a server, its kiosks, one clock.
pub struct Plant {
    pub clock: VirtualClock,
    pub server: Server,
    kiosks: Vec<(String, Kiosk)>,
    /// Kiosks whose key store is a chip.
    with_chip: Vec<String>,
    folder: tempfile::TempDir,
}

/// A key store that is called a chip and keeps its keys in files: for what kiosks make of the difference.
struct Chip(FileKeyStore);

impl KeyStore for Chip {
    fn kind(&self) -> KeyStoreKind {
        KeyStoreKind::Tpm
    }
    fn enrolled(&mut self) -> io::Result<Option<Enrolled>> {
        self.0.enrolled()
    }
    fn keep(&mut self, enrolled: &Enrolled) -> io::Result<()> {
        self.0.keep(enrolled)
    }
    fn keep_peppers(&mut self, enrolled: &Enrolled) -> io::Result<()> {
        self.0.keep_peppers(enrolled)
    }
    fn heads(&mut self) -> io::Result<Vec<EntryId>> {
        self.0.heads()
    }
    fn keep_heads(&mut self, heads: &[EntryId], steady: Timestamp) -> io::Result<()> {
        self.0.keep_heads(heads, steady)
    }
    fn failures(&self) -> io::Result<Vec<KeptFailure>> {
        self.0.failures()
    }
    fn trying(&self) -> io::Result<Option<PersonId>> {
        self.0.trying()
    }
    fn note_trying(&mut self, person: Option<&PersonId>) -> io::Result<()> {
        self.0.note_trying(person)
    }
    fn count_failure(&mut self, failure: &KeptFailure) -> io::Result<()> {
        self.0.count_failure(failure)
    }
    fn forget_failures(&mut self, person: &PersonId) -> io::Result<()> {
        self.0.forget_failures(person)
    }
    fn lost_failures(&mut self, person: &PersonId) -> io::Result<u32> {
        self.0.lost_failures(person)
    }
    fn forget(&mut self) -> io::Result<()> {
        self.0.forget()
    }
}

/// The certificate authority's digest in a plant without TLS.
const AUTHORITY: &[u8] = b"authority of the harness";

impl Plant {
    /// Starts a server with an imported plant folder.
    pub fn from_folder(folder: &Path, now: &str) -> Self {
        let plant = Self::from_disk(tempfile::tempdir().expect("a temporary folder"), now);
        if let Err(why) = plant.server.import(folder, false, "harness") {
            panic!("the plant folder is refused: {why:?}");
        }
        plant
    }

    /// Starts a server where one ran before; its kiosks start each by itself ([`Plant::start`]).
    pub fn from_disk(home: tempfile::TempDir, now: &str) -> Self {
        let clock = VirtualClock::at(now);
        let server = Server::open(&home.path().join("server"), Arc::new(clock.clone())).expect("a server");
        Self { clock, server, kiosks: Vec::new(), with_chip: Vec::new(), folder: home }
    }

    /// Switches everything off; what is left is what lies on the disks.
    pub fn close(self) -> tempfile::TempDir {
        self.folder
    }

    /// The demo plant, as anybody sees it first.
    pub fn demo(now: &str) -> Self {
        Self::from_folder(&demo_plant(), now)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Makes people's keys at the server, as QA and supervisors do at installation. The first needs no verifier.
    pub fn set_up_signing(&self, people: &[&str]) {
        let mut verifier: Option<Signer> = None;
        for person in people {
            let id = PersonId::new(person).expect("an id");
            let proof = "identity card";
            self.server
                .set_up_signing(&id, &secret_of(person), proof, verifier.as_ref(), Stretching::TESTS)
                .unwrap_or_else(|why| panic!("signing set-up of {person}: {why}"));
            verifier.get_or_insert_with(|| signer(person));
        }
    }

    /// Starts and enrols a kiosk, and lets it read everything.
    pub fn add_kiosk(&mut self, name: &str, work_units: &[&str]) {
        self.add_kiosk_with(name, work_units, self.file_keys(name));
    }

    /// The same, with its keys elsewhere than in a folder.
    pub fn add_kiosk_with(&mut self, name: &str, work_units: &[&str], keys: Box<dyn KeyStore>) {
        let units: Vec<WorkUnitId> = work_units.iter().map(|unit| WorkUnitId::new(unit).expect("an id")).collect();
        let code = self.server.enrol_code(KioskName::new(name).expect("a name"), &units).expect("a code");
        self.set_up_kiosk(name, &code, keys);
    }

    /// Starts a kiosk in the place of one that broke.
    pub fn replace_kiosk(&mut self, broken: &str, name: &str) {
        let named = |name| KioskName::new(name).expect("a name");
        let code = self.server.replacement_code(named(name), &named(broken)).expect("a code");
        self.set_up_kiosk(name, &code, self.file_keys(name));
    }

    fn set_up_kiosk(&mut self, name: &str, code: &str, keys: Box<dyn KeyStore>) {
        self.start_with(name, keys).expect("a kiosk");
        enrol_directly(&self.server, &mut self.kiosks.last_mut().expect("it was started").1, code)
            .expect("the code is right");
        self.meet(name);
    }

    /// From its next start on, the kiosk of that name says that its keys lie in a chip.
    pub fn put_chip_into(&mut self, name: &str) {
        self.with_chip.push(name.to_owned());
    }

    fn file_keys(&self, name: &str) -> Box<dyn KeyStore> {
        let files = FileKeyStore::open(&self.path(&format!("{name}-keys"))).expect("a key store");
        let has_chip = self.with_chip.iter().any(|kiosk| kiosk == name);
        if has_chip { Box::new(Chip(files)) } else { Box::new(files) }
    }

    /// Stops a kiosk and starts it again from its disk.
    pub fn restart(&mut self, name: &str) {
        self.stop(name);
        self.start(name);
    }

    /// The kiosk itself, for whoever ends it.
    pub fn take(&mut self, name: &str) -> Kiosk {
        let place =
            self.kiosks.iter().position(|(kiosk, _)| kiosk == name).unwrap_or_else(|| panic!("no kiosk {name}"));
        self.kiosks.remove(place).1
    }

    /// Switches a kiosk off: its disk is nobody's until it starts again.
    pub fn stop(&mut self, name: &str) {
        self.kiosks.retain(|(kiosk, _)| kiosk != name);
    }

    pub fn start(&mut self, name: &str) {
        self.start_with(name, self.file_keys(name)).expect("a kiosk");
    }

    /// Opens a kiosk's disk with these keys.
    pub fn start_with(&mut self, name: &str, keys: Box<dyn KeyStore>) -> Result<(), Denied> {
        let kiosk = Kiosk::open(&self.path(name), keys, Box::new(self.clock.clone()))?;
        self.kiosks.push((name.to_owned(), kiosk));
        Ok(())
    }

    pub fn kiosk(&mut self, name: &str) -> &mut Kiosk {
        let found = self.kiosks.iter_mut().find(|(kiosk, _)| kiosk == name);
        &mut found.unwrap_or_else(|| panic!("no kiosk {name}")).1
    }

    /// Plugs the cable in until both sides have told everything, blobs included.
    pub fn meet(&mut self, name: &str) {
        let server = &self.server;
        let kiosk = &mut self.kiosks.iter_mut().find(|(kiosk, _)| kiosk == name).expect("a kiosk").1;
        meet(kiosk, server).expect("the store works, and the answers are taken");
        for digest in kiosk.missing_blobs() {
            if let Some(bytes) = server.blobs.read(&digest).expect("the disk works") {
                kiosk.blobs().write(&bytes).expect("the disk works");
            }
        }
        for digest in server.lacking_blobs() {
            if let Some(bytes) = kiosk.blobs().read(&digest).expect("the disk works") {
                server.blobs.write(&bytes).expect("the disk works");
            }
        }
    }

    /// Everybody meets the server until nobody has news.
    pub fn settle(&mut self) {
        let names: Vec<String> = self.kiosks.iter().map(|(name, _)| name.clone()).collect();
        for _ in 0..3 {
            names.iter().for_each(|name| self.meet(name));
        }
    }

    /// Looks at every hash, chain and signature at the server, and derives everything anew.
    pub fn verify(&self) {
        let found = self.server.verify(true).expect("the store works");
        assert!(found.is_clean(), "verify found {:?}, rebuilt equal: {:?}", found.findings, found.rebuilt_equal);
    }
}

/// Lets both call and answer until neither has anything to say.
pub fn meet(kiosk: &mut Kiosk, server: &Server) -> Result<(), Box<dyn std::error::Error>> {
    kiosk.call_soon();
    while let Some(up) = kiosk.poll_up()? {
        let news = kiosk.handle_down(&server.exchange(&up)?, 0)?;
        if let Some(why) = news.dropped {
            return Err(why.into());
        }
    }
    Ok(())
}

/// A person with the secret they use in tests.
pub fn signer(person: &str) -> Signer {
    Signer { person: PersonId::new(person).expect("an id"), secret: secret_of(person) }
}

/// The same person at a kiosk.
pub fn kiosk_signer(person: &str) -> kiosk::core::secret::Signer {
    kiosk::core::secret::Signer { person: PersonId::new(person).expect("an id"), secret: secret_of(person) }
}

/// Where the demo plant lies in the project.
pub fn demo_plant() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../sync-server/demo-plant")
}

pub fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap_or_else(|| panic!("{text} is no time"))
}

/// Terminal set-up without a wire between: the bytes are handed over.
pub(crate) fn enrol_directly(server: &Server, kiosk: &mut Kiosk, code: &str) -> Result<(), stage::Trouble> {
    let (set_up, request) = kiosk.begin_set_up(code, "https://harness", AUTHORITY.to_vec());
    let request = shared::part11::enrolment::EnrolRequest::read(&request).ok_or("no request to enrol")?;
    let answer = server.enrol(&request, Digest32::of(AUTHORITY))?.map_err(|why| format!("{why:?}"))?;
    Ok(kiosk.complete_set_up(set_up, &shared::kind::to_cbor(&answer))?)
}
