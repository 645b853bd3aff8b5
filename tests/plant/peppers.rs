//! Terminals that leave, and the peppers they know (R14): what is sealed since, a thief doesn't open; what is sealed before, its owner still does.

use std::fs;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use harness::scene::*;
use harness::{Plant, kiosk_signer, secret_of, signer};
use kiosk::bundle_file::{export, import};
use kiosk::core::Core as Kiosk;
use kiosk::key_store::{Enrolled, FileKeyStore, KeptFailure, KeyStore};
use shared::id::*;
use shared::kind::plant::KeyStoreKind;
use shared::kind::to_cbor;
use shared::part11::boxes::{SealedBox, Stretching, badge_hash, person_box_name};
use shared::part11::pepper::{PepperEpoch, Peppers};
use shared::part11::signature::PersonSecret;
use shared::time::Timestamp;
use shared::training::quiz::answers_box_name;
use store::{boxes, questions};
use sync_server::core::escrow::Escrow;
use sync_server::core::{Core as Server, backup, restore};
use sync_server::tls::Authority;

/// The plant of the story with a third kiosk, everybody in step.
fn three_kiosks() -> Plant {
    let mut plant = sunday_evening();
    let (sven, helga) = (signer("sven"), signer("helga"));
    plant.server.set_up_signing(&sven.person, &sven.secret, "card", Some(&helga), Stretching::TESTS).unwrap();
    plant.add_kiosk("K4", &["SEAL"]);
    plant.settle();
    plant.clock.advance_ms(60_000);
    plant
}

fn peppers(kiosk: &Kiosk) -> &Peppers {
    &kiosk.enrolled().unwrap().peppers
}

fn box_at(kiosk: &Kiosk, person: &str) -> SealedBox {
    boxes::sealed_box(kiosk.ledger().connection(), &person_box_name(&id(person))).unwrap().unwrap()
}

fn box_at_server(server: &Server, person: &str) -> SealedBox {
    boxes::sealed_box(server.ledger().connection(), &person_box_name(&id(person))).unwrap().unwrap()
}

/// Whether the very secret opens the box, for somebody with these peppers.
fn opens(server: &Server, sealed: &SealedBox, person: &str, peppers: &Peppers) -> bool {
    let person: PersonId = id(person);
    let (key, _) = questions::key_of(server.ledger().connection(), &person).unwrap().unwrap();
    // A thief tries what there is; of the epoch that the box names, or any other.
    peppers.epochs().into_iter().filter_map(|epoch| peppers.of(epoch)).any(|pepper| {
        let opened = sealed.open_person(&person, key, &secret_of(person.as_str()), pepper);
        opened.as_ref().map(PersonSecret::key) == Ok(key)
    })
}

/// Their secret is right there, and their box of this epoch after it.
fn signs(plant: &mut Plant, kiosk: &str, person: &str, epoch: PepperEpoch) {
    plant.kiosk(kiosk).unlock(&kiosk_signer(person)).unwrap_or_else(|why| panic!("{person} at {kiosk}: {why}"));
    assert_eq!(box_at(plant.kiosk(kiosk), person).epoch, epoch, "{person} at {kiosk}");
}

fn revoke(plant: &Plant, kiosk: &str) {
    plant.server.revoke_kiosk(&id(kiosk), "stolen", None).unwrap();
}

/// How many keys are to be sealed anew, of how many.
fn to_come(server: &Server) -> (u64, u64) {
    let sealed = server.keys_sealed().unwrap();
    (sealed.earlier, sealed.all)
}

#[test]
fn r14_a_stolen_kiosks_pepper_opens_what_it_held_and_nothing_sealed_since() {
    let mut plant = three_kiosks();
    let (everybody, all) = (9, to_come(&plant.server).1);
    assert_eq!((to_come(&plant.server), all), ((0, everybody), everybody));
    // K5 is carried off with its folder of keys, or its chip was broken.
    let known = peppers(plant.kiosk("K5")).clone();
    let (held, number) = (box_at(plant.kiosk("K5"), "maria"), badge_hash(known.first(), "04A1B2C3"));
    revoke(&plant, "K5");
    assert_eq!(to_come(&plant.server), (everybody, everybody));
    assert!(plant.server.keys_sealed().unwrap().to_come().unwrap().starts_with("9 of 9"), "quality sees it");

    plant.meet("K3");
    let (latest, _) = peppers(plant.kiosk("K3")).newest();
    assert!(latest > PepperEpoch::FIRST);
    signs(&mut plant, "K3", "maria", latest);
    signs(&mut plant, "K3", "maria", latest);
    plant.server.unlock(&signer("helga")).unwrap();
    plant.settle();
    assert_eq!(to_come(&plant.server), (everybody - 2, everybody));
    assert_eq!(box_at(plant.kiosk("K4"), "maria"), box_at_server(&plant.server, "maria"), "it came to the others");
    signs(&mut plant, "K4", "maria", latest);
    signs(&mut plant, "K4", "helga", latest);
    plant.server.unlock(&signer("maria")).unwrap();

    // The thief calls, again and again, and has the right secrets.
    plant.meet("K5");
    assert_eq!(peppers(plant.kiosk("K5")), &known, "a revoked device is given no pepper");
    assert_eq!(box_at(plant.kiosk("K5"), "maria"), held, "nor a box");
    for person in ["maria", "helga"] {
        assert!(!opens(&plant.server, &box_at_server(&plant.server, person), person, &known), "{person}");
    }
    // Said in `docs/security.md`: what it held at the theft it keeps.
    assert!(opens(&plant.server, &held, "maria", &known));
    assert!(opens(&plant.server, &box_at_server(&plant.server, "ana"), "ana", &known), "until Ana signs");
    assert_eq!(plant.server.plant().badges.get(&number), Some(&id("maria")), "badges can be tried");
    // Nobody is locked out by it, and nobody's wrong secrets count otherwise.
    let wrong = kiosk::core::secret::Signer { secret: "not hers".into(), ..kiosk_signer("maria") };
    assert!(plant.kiosk("K4").unlock(&wrong).is_err());
    signs(&mut plant, "K4", "maria", latest);
    plant.verify();
}

#[test]
fn r14_right_answers_are_sealed_anew_at_once_and_quizzes_go_on() {
    let mut plant = three_kiosks();
    approve_v7(&plant.server);
    plant.settle();
    let known = peppers(plant.kiosk("K5")).clone();
    revoke(&plant, "K5");
    let name = answers_box_name(&plant.server.plant().quizzes[&id::<QuizId>("Q-0042")].answers);
    let sealed = boxes::sealed_box(plant.server.ledger().connection(), &name).unwrap().unwrap();
    assert!(known.epochs().iter().all(|epoch| sealed.open_site(&name, known.of(*epoch).unwrap()).is_err()));
    plant.clock.set("2026-03-02T05:20:00Z");
    // K4 hasn't heard: it grades by the box it holds. K3 has.
    train(&mut plant, "K4", "ana", "jonas");
    plant.meet("K3");
    let at_k3 = boxes::sealed_box(plant.kiosk("K3").ledger().connection(), &name).unwrap();
    assert_eq!(at_k3, Some(sealed));
    train(&mut plant, "K3", "maria", "jonas");
    plant.settle();
    plant.verify();
}

#[test]
fn r14_at_a_dark_kiosk_people_sign_with_the_box_it_holds_until_it_knows_the_pepper_of_the_newer() {
    let mut plant = three_kiosks();
    revoke(&plant, "K5");
    plant.meet("K3");
    let (latest, _) = peppers(plant.kiosk("K3")).newest();
    signs(&mut plant, "K3", "maria", latest);
    plant.meet("K3");
    // What can reach a dark kiosk reaches it.
    let stick = plant.path("K3.lineproof");
    plant.kiosk("K3").badge_in(&id("ben")).unwrap();
    export(plant.kiosk("K3"), &stick).unwrap();
    import(plant.kiosk("K4"), &stick).unwrap();
    signs(&mut plant, "K4", "maria", PepperEpoch::FIRST);
    plant.restart("K4");
    signs(&mut plant, "K4", "maria", PepperEpoch::FIRST);
    plant.meet("K4");
    assert_eq!(box_at(plant.kiosk("K4"), "maria"), box_at_server(&plant.server, "maria"));
    signs(&mut plant, "K4", "maria", latest);
}

/// A key store whose disk takes no peppers for a while.
struct Full {
    files: FileKeyStore,
    is_full: Arc<AtomicBool>,
}

impl KeyStore for Full {
    fn kind(&self) -> KeyStoreKind {
        self.files.kind()
    }
    fn enrolled(&mut self) -> io::Result<Option<Enrolled>> {
        self.files.enrolled()
    }
    fn keep(&mut self, enrolled: &Enrolled) -> io::Result<()> {
        self.files.keep(enrolled)
    }
    fn keep_peppers(&mut self, enrolled: &Enrolled) -> io::Result<()> {
        match self.is_full.load(Ordering::Relaxed) {
            true => Err(io::ErrorKind::StorageFull.into()),
            false => self.files.keep_peppers(enrolled),
        }
    }
    fn heads(&mut self) -> io::Result<Vec<EntryId>> {
        self.files.heads()
    }
    fn keep_heads(&mut self, heads: &[EntryId], steady: Timestamp) -> io::Result<()> {
        self.files.keep_heads(heads, steady)
    }
    fn failures(&self) -> io::Result<Vec<KeptFailure>> {
        self.files.failures()
    }
    fn trying(&self) -> io::Result<Option<PersonId>> {
        self.files.trying()
    }
    fn note_trying(&mut self, person: Option<&PersonId>) -> io::Result<()> {
        self.files.note_trying(person)
    }
    fn count_failure(&mut self, failure: &KeptFailure) -> io::Result<()> {
        self.files.count_failure(failure)
    }
    fn forget_failures(&mut self, person: &PersonId) -> io::Result<()> {
        self.files.forget_failures(person)
    }
    fn lost_failures(&mut self, person: &PersonId) -> io::Result<u32> {
        self.files.lost_failures(person)
    }
    fn forget(&mut self) -> io::Result<()> {
        self.files.forget()
    }
}

#[test]
fn r14_a_box_waits_at_the_server_until_its_pepper_is_durable() {
    // A power cut between an answer and the key store leaves the same: the answer is committed, the pepper is not kept.
    let mut plant = three_kiosks();
    let is_full = Arc::new(AtomicBool::new(true));
    let files = FileKeyStore::open(&plant.path("K7-keys")).unwrap();
    plant.add_kiosk_with("K7", &["SEAL"], Box::new(Full { files, is_full: is_full.clone() }));
    revoke(&plant, "K5");
    plant.meet("K3");
    let (latest, _) = peppers(plant.kiosk("K3")).newest();
    signs(&mut plant, "K3", "maria", latest);
    plant.meet("K3");
    plant.meet("K7");
    signs(&mut plant, "K7", "maria", PepperEpoch::FIRST);
    // Keys that are set up meanwhile reach it later, and nothing else waits for them.
    assert!(plant.kiosk("K7").plant().revoked_devices.len() == 1);
    plant.restart("K7");
    signs(&mut plant, "K7", "maria", PepperEpoch::FIRST);
    plant.meet("K7");
    signs(&mut plant, "K7", "maria", latest);
    assert_eq!(box_at(plant.kiosk("K7"), "maria"), box_at_server(&plant.server, "maria"));
}

#[test]
fn r14_a_full_key_store_is_asked_again_and_calls_dont_go_round() {
    let mut plant = three_kiosks();
    let is_full = Arc::new(AtomicBool::new(true));
    let files = FileKeyStore::open(&plant.path("K7-keys")).unwrap();
    plant.add_kiosk_with("K7", &["SEAL"], Box::new(Full { files, is_full: is_full.clone() }));
    revoke(&plant, "K5");
    // It ends: what can't be kept isn't asked for at once.
    plant.meet("K7");
    assert_eq!(peppers(plant.kiosk("K7")).epochs(), [PepperEpoch::FIRST]);
    is_full.store(false, Ordering::Relaxed);
    plant.meet("K7");
    assert_eq!(peppers(plant.kiosk("K7")).epochs().len(), 2);
}

#[test]
fn r14_a_disk_put_back_brings_no_earlier_box_back() {
    let mut plant = three_kiosks();
    plant.stop("K3");
    copy_folder(&plant.path("K3"), &plant.path("yesterday"));
    plant.start("K3");
    revoke(&plant, "K5");
    plant.meet("K3");
    let (latest, _) = peppers(plant.kiosk("K3")).newest();
    signs(&mut plant, "K3", "maria", latest);
    plant.meet("K3");
    let stands = box_at_server(&plant.server, "maria");
    let before = {
        let yesterday = kiosk::store::open(&plant.path("yesterday").join("kiosk.sqlite")).unwrap();
        boxes::sealed_box(yesterday.connection(), "person/maria").unwrap().unwrap()
    };
    // Replaced is gone, once the write-ahead log is written into the file.
    plant.stop("K3");
    let file = fs::read(plant.path("K3").join("kiosk.sqlite")).unwrap();
    let holds = |sealed: &SealedBox| file.windows(sealed.sealed.len()).any(|at| at == sealed.sealed);
    assert!(holds(&stands) && !holds(&before));

    fs::remove_dir_all(plant.path("K3")).unwrap();
    copy_folder(&plant.path("yesterday"), &plant.path("K3"));
    plant.start("K3");
    assert_eq!(box_at(plant.kiosk("K3"), "maria"), before);
    plant.meet("K3");
    assert_eq!(box_at(plant.kiosk("K3"), "maria"), stands);
    assert_eq!(box_at_server(&plant.server, "maria"), stands);
    plant.verify();
}

#[test]
fn r14_sealed_anew_at_two_dark_kiosks_is_one_box_in_the_end() {
    let mut plant = three_kiosks();
    revoke(&plant, "K5");
    plant.meet("K3");
    plant.meet("K4");
    let (latest, _) = peppers(plant.kiosk("K3")).newest();
    signs(&mut plant, "K3", "maria", latest);
    signs(&mut plant, "K4", "maria", latest);
    assert_ne!(box_at(plant.kiosk("K3"), "maria"), box_at(plant.kiosk("K4"), "maria"));
    plant.settle();
    let stands = box_at_server(&plant.server, "maria");
    for kiosk in ["K3", "K4"] {
        assert_eq!(box_at(plant.kiosk(kiosk), "maria"), stands);
        signs(&mut plant, kiosk, "maria", latest);
        assert_eq!(plant.kiosk(kiosk).status().unwrap().boxes_waiting, 0, "{kiosk} has nothing more to give");
    }
}

#[test]
fn r14_a_forgotten_secret_set_up_anew_stands_over_what_was_sealed_anew() {
    let mut plant = three_kiosks();
    revoke(&plant, "K5");
    plant.meet("K3");
    // K4 is dark and knows the first pepper alone; there Maria says she has forgotten her secret.
    let chosen = kiosk::core::signing_set_up::Chosen {
        secret: "nine pouches a day",
        identity_proof: "passport",
        language: "en",
        stretching: Stretching::TESTS,
    };
    plant.kiosk("K4").set_up_signing(&id("maria"), &chosen, &kiosk_signer("jonas")).unwrap();
    // And at K3 her old secret is given, and sealed in the later epoch.
    plant.kiosk("K3").unlock(&kiosk_signer("maria")).unwrap();
    plant.settle();
    let anew = kiosk::core::secret::Signer { person: id("maria"), secret: chosen.secret.into() };
    for kiosk in ["K3", "K4"] {
        plant.kiosk(kiosk).unlock(&anew).unwrap();
        assert!(plant.kiosk(kiosk).unlock(&kiosk_signer("maria")).is_err());
    }
    plant.settle();
    plant.verify();
}

#[test]
fn r14_a_new_kiosk_opens_boxes_of_every_epoch_in_use() {
    let mut plant = three_kiosks();
    revoke(&plant, "K5");
    plant.settle();
    let (second, _) = peppers(plant.kiosk("K3")).newest();
    signs(&mut plant, "K3", "maria", second);
    plant.settle();
    revoke(&plant, "K4");
    plant.add_kiosk("K7", &["SEAL"]);
    let (third, _) = peppers(plant.kiosk("K7")).newest();
    assert!(third > second);
    assert_eq!(box_at(plant.kiosk("K7"), "maria").epoch, second);
    assert_eq!(box_at(plant.kiosk("K7"), "ana").epoch, PepperEpoch::FIRST);
    signs(&mut plant, "K7", "maria", third);
    signs(&mut plant, "K7", "ana", third);
    plant.settle();
    signs(&mut plant, "K3", "maria", third);
    plant.verify();
}

/// The server is lost after K5 was revoked, and put back from a backup that knows nothing of it.
#[test]
fn r14_a_server_put_back_before_a_revocation_gives_its_pepper_to_nobody_who_was_revoked() {
    let mut plant = three_kiosks();
    Authority::load_or_make(plant.server.folder()).unwrap();
    Escrow::of_folder(plant.server.folder()).unwrap().write(&plant.path("keys")).unwrap();
    let keys = Escrow::read(&plant.path("keys")).unwrap();
    let file = plant.path("sunday.backup");
    backup::make(plant.server.folder(), &file, &plant.server.secrets.device, plant.server.now()).unwrap();
    revoke(&plant, "K5");
    plant.meet("K3");
    let (latest, _) = peppers(plant.kiosk("K3")).newest();
    signs(&mut plant, "K3", "maria", latest);
    plant.meet("K3");

    restore::from_backup(&file, &keys, &plant.path("server-anew"), &plant.clock.clone()).unwrap();
    plant.server = Server::open(&plant.path("server-anew"), Arc::new(plant.clock.clone())).unwrap();
    plant.meet("K5");
    assert_eq!(peppers(plant.kiosk("K5")).epochs(), [PepperEpoch::FIRST]);
    // K3 brings Maria's box and the revocation; nobody is given a pepper before two people vouch for this server.
    plant.meet("K3");
    plant.meet("K5");
    assert_eq!(peppers(plant.kiosk("K5")).epochs(), [PepperEpoch::FIRST]);
    plant.server.sign_recovery("disk failed", [&signer("helga"), &signer("sven")]).unwrap();
    plant.settle();
    assert_eq!(plant.server.keys_sealed().unwrap().left, 1);
    assert_eq!(peppers(plant.kiosk("K5")).epochs(), [PepperEpoch::FIRST]);
    assert_eq!(box_at_server(&plant.server, "maria"), box_at(plant.kiosk("K3"), "maria"));
    plant.server.unlock(&signer("maria")).unwrap();
    plant.settle();
    signs(&mut plant, "K4", "jonas", latest);
    plant.verify();
}

#[test]
fn r14_boxes_of_one_epoch_are_the_very_bytes_they_were_before_there_were_epochs() {
    let plant = three_kiosks();
    let sealed = box_at_server(&plant.server, "maria");
    let (_, named) = questions::key_of(plant.server.ledger().connection(), &id("maria")).unwrap().unwrap();
    assert_eq!(Digest32::of(&to_cbor(&sealed)), named);
}
