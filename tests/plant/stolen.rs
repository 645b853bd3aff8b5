//! A whole disk is stolen, with and without a chip that sealed its keys: what lies on it, in whatever spelling, and what it opens.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use aho_corasick::AhoCorasick;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use harness::scene::*;
use harness::{Plant, demo_plant, kiosk_signer, secret_of, signer};
use kiosk::core::badge::BadgeSeen;
use kiosk::core::signing_set_up::Chosen;
use kiosk::key_store::{FileKeyStore, KeyStore};
use rusqlite::{Connection, OpenFlags};
use shared::id::*;
use shared::kind::{Body, to_cbor};
use shared::part11::boxes::{BoxRandom, SealedBox, Stretching, badge_hash, person_box_name};
use shared::part11::pepper::{Pepper, PepperEpoch};
use shared::part11::signature::PersonSecret;
use shared::training::quiz::answers_box_name;

/// What Ben chooses at the kiosk, and what somebody types in vain.
const CHOSEN: &str = "Nine pouches a day";
const MISTYPED: &str = "maria-secret-2";

/// A kiosk at which a shift was worked, switched off; nothing else knows its keys.
struct Stolen {
    plant: Plant,
    name: &'static str,
    /// What a disk must not give away.
    treasures: BTreeMap<String, Treasure>,
}

enum Treasure {
    /// 32 bytes and the like: found in any spelling of bytes.
    Bytes(Vec<u8>),
    /// Found as it is typed, and in the spellings of its bytes.
    Text(String),
    /// A badge's number: as a reader types it, as a number either way round, and as bytes in CBOR. Its four bytes alone stand somewhere in
    /// any large file.
    Badge(String),
}

impl Stolen {
    fn after_a_shift(mut plant: Plant, name: &'static str) -> Self {
        approve_v7(&plant.server);
        plant.settle();
        plant.clock.set("2026-03-02T05:20:00Z");
        let chosen =
            Chosen { secret: CHOSEN, identity_proof: "passport", language: "en", stretching: Stretching::TESTS };
        let kiosk = plant.kiosk(name);
        for badge in ["04A1B2C3", "04C25E8A", "04E5A7B4"] {
            assert!(matches!(kiosk.look_up_badge(badge).unwrap(), BadgeSeen::Person(_)));
        }
        assert_eq!(kiosk.look_up_badge("04FFFFFF").unwrap(), BadgeSeen::Unknown);
        kiosk.set_up_signing(&id("ben"), &chosen, &kiosk_signer("jonas")).unwrap();
        let wrong = kiosk::core::secret::Signer { secret: MISTYPED.into(), ..kiosk_signer("maria") };
        kiosk.badge_in(&id("maria")).unwrap();
        assert!(kiosk.unlock_session(&wrong).is_err());
        train(&mut plant, name, "maria", "jonas");
        plant.meet(name);
        // The second half of the shift nobody has heard of.
        let (kiosk, ana) = (plant.kiosk(name), id("ana"));
        comes_and_reads(kiosk, "ana");
        let about = kiosk.about(&id("R-0042")).unwrap();
        let open = kiosk.open_quiz(&ana, &about).unwrap();
        let mut begun = right_answers(&open);
        begun.truncate(2);
        kiosk.keep_answers(&ana, begun).unwrap();
        // Whose key was made at this terminal: with a chip it opens nowhere else.
        let ben = kiosk::core::secret::Signer { person: id("ben"), secret: CHOSEN.into() };
        let bens = plant.kiosk(name).unlock(&ben).unwrap();
        let enrolled = plant.kiosk(name).enrolled().unwrap().clone();
        plant.stop(name);

        let mut treasures = BTreeMap::new();
        let mut keep = |what: &str, treasure| drop(treasures.insert(what.to_owned(), treasure));
        keep("the device's key", Treasure::Bytes(enrolled.secret.seed().to_vec()));
        keep("the pepper", Treasure::Bytes(enrolled.peppers.first().0.to_vec()));
        for person in ["helga", "jonas", "eva", "maria", "ana"] {
            let key = plant.server.unlock(&signer(person)).unwrap();
            keep(&format!("the key of {person}"), Treasure::Bytes(key.seed().to_vec()));
            keep(&format!("the secret of {person}"), Treasure::Text(secret_of(person)));
        }
        keep("the key of ben", Treasure::Bytes(bens.seed().to_vec()));
        keep("the secret of ben", Treasure::Text(CHOSEN.into()));
        keep("a mistyped secret", Treasure::Text(MISTYPED.into()));
        let folder = sync_server::import::read(&demo_plant()).unwrap();
        for (quiz, right) in &folder.answers {
            keep(&format!("the answers of {quiz}"), Treasure::Bytes(to_cbor(right)));
        }
        let people = fs::read_to_string(demo_plant().join("people.csv")).unwrap();
        for line in people.lines().skip(1) {
            let badge = line.split(',').nth(4).unwrap().trim();
            if !badge.is_empty() {
                keep(&format!("badge {badge}"), Treasure::Badge(badge.into()));
            }
        }
        assert!(treasures.len() > 60, "{} treasures", treasures.len());
        Self { plant, name, treasures }
    }

    fn disk(&self) -> PathBuf {
        self.plant.path(self.name)
    }

    fn keys(&self) -> PathBuf {
        self.plant.path(&format!("{}-keys", self.name))
    }

    /// What is found in a folder, each with its file and spelling.
    fn found_in(&self, folder: &Path) -> Vec<String> {
        let (mut needles, mut names) = (Vec::new(), Vec::new());
        for (what, treasure) in &self.treasures {
            for (spelling, bytes) in treasure.spellings() {
                needles.push(bytes);
                names.push(format!("{what} ({spelling})"));
            }
        }
        let search = AhoCorasick::new(&needles).unwrap();
        let mut found = Vec::new();
        for file in files(folder) {
            let bytes = fs::read(&file).unwrap();
            let hits = search.find_overlapping_iter(&bytes).map(|hit| names[hit.pattern().as_usize()].clone());
            found.extend(hits.map(|name| format!("{name} in {}", file.file_name().unwrap().display())));
        }
        found.sort();
        found.dedup();
        found
    }
}

impl Treasure {
    fn spellings(&self) -> Vec<(&'static str, Vec<u8>)> {
        match self {
            Self::Bytes(bytes) => of_bytes(bytes),
            Self::Text(text) => {
                let wide = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
                let mut spellings = of_bytes(text.as_bytes());
                spellings.push(("UTF-16", wide));
                spellings
            }
            Self::Badge(badge) => {
                let number = u32::from_str_radix(badge, 16).unwrap();
                let in_cbor =
                    |number: u32| minicbor::to_vec(minicbor::bytes::ByteVec::from(number.to_be_bytes().to_vec()));
                let mut spellings = of_bytes(badge.as_bytes());
                spellings.push(("small letters", badge.to_lowercase().into_bytes()));
                spellings.push(("decimal", number.to_string().into_bytes()));
                spellings.push(("decimal, the other way round", number.swap_bytes().to_string().into_bytes()));
                spellings.push(("CBOR", in_cbor(number).unwrap()));
                spellings.push(("CBOR, the other way round", in_cbor(number.swap_bytes()).unwrap()));
                spellings
            }
        }
    }
}

/// Bytes as they are (in CBOR, too, they stand as they are), in hexadecimal, and in Base64 wherever in a longer text they begin.
fn of_bytes(bytes: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let small = hex::encode(bytes);
    let mut spellings =
        vec![("bytes", bytes.to_vec()), ("HEX", small.to_uppercase().into_bytes()), ("hex", small.into())];
    for skipped in 0..3 {
        let whole = &bytes[skipped..bytes.len() - (bytes.len() - skipped) % 3];
        spellings.push(("Base64", STANDARD_NO_PAD.encode(whole).into_bytes()));
        spellings.push(("Base64 for URLs", URL_SAFE_NO_PAD.encode(whole).into_bytes()));
    }
    spellings
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for item in fs::read_dir(folder).unwrap() {
        let path = item.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

/// Boxes and badges as a thief reads them out of the database.
struct Loot {
    boxes: BTreeMap<String, SealedBox>,
    plant: std::sync::Arc<shared::plant::Plant>,
    keys: BTreeMap<PersonId, PersonKey>,
}

impl Loot {
    fn of(disk: &Path) -> Self {
        let path = disk.join("kiosk.sqlite");
        let database = Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
        let mut boxes = database.prepare("SELECT name, bytes FROM box").unwrap();
        let boxes = boxes.query_map([], |row| Ok((row.get(0)?, row.get::<_, Vec<u8>>(1)?))).unwrap();
        let boxes = boxes.map(|row| row.map(|(name, bytes)| (name, minicbor::decode(&bytes).unwrap())).unwrap());
        let boxes: BTreeMap<String, SealedBox> = boxes.collect();
        let keys = ["helga", "maria", "ana", "ben"].map(id::<PersonId>);
        let key = |person: &PersonId| store::questions::key_of(&database, person).unwrap().unwrap().0;
        let keys = keys.into_iter().map(|person| (person.clone(), key(&person))).collect();
        let plant = kiosk::store::open(&path).unwrap().plant().clone();
        Self { boxes, plant, keys }
    }

    fn opens(&self, person: &str, secret: &str, pepper: &Pepper) -> Option<PersonSecret> {
        let person = id::<PersonId>(person);
        let sealed = &self.boxes[&person_box_name(&person)];
        sealed.open_person(&person, self.keys[&person], secret, pepper).ok()
    }

    /// Whose badge has this number.
    fn whose(&self, badge: &str, pepper: &Pepper) -> Option<PersonId> {
        self.plant.badges.get(&badge_hash(pepper, badge)).cloned()
    }
}

#[test]
fn r14_a_stolen_folder_of_data_gives_away_no_key_no_secret_no_badge_and_no_answers() {
    let stolen = Stolen::after_a_shift(sunday_evening(), "K3");
    assert_eq!(stolen.found_in(&stolen.disk()), Vec::<String>::new());

    // The search finds what is there: in the folder of keys the two that lie in it, and each treasure in each of its spellings.
    let in_keys = stolen.found_in(&stolen.keys());
    assert_eq!(in_keys, ["the device's key (bytes) in enrolment", "the pepper (bytes) in enrolment"]);
    let planted = stolen.plant.path("planted");
    fs::create_dir_all(&planted).unwrap();
    let all: Vec<(String, Vec<u8>)> = stolen
        .treasures
        .iter()
        .flat_map(|(what, treasure)| {
            treasure
                .spellings()
                .into_iter()
                .map(move |(spelling, bytes)| (format!("{what} ({spelling}) in file"), bytes))
        })
        .collect();
    let whole: Vec<u8> = all.iter().flat_map(|(_, bytes)| [b"before ".as_slice(), bytes, b" after"].concat()).collect();
    fs::write(planted.join("file"), whole).unwrap();
    let found = stolen.found_in(&planted);
    for (wanted, _) in all {
        assert!(found.contains(&wanted), "{wanted}");
    }
}

#[test]
fn r14_a_stolen_folder_of_keys_leaves_nothing_but_the_strength_of_passphrases_before_peoples_keys() {
    let stolen = Stolen::after_a_shift(sunday_evening(), "K3");
    let loot = Loot::of(&stolen.disk());
    let enrolled = FileKeyStore::open(&stolen.keys()).unwrap().enrolled().unwrap().unwrap();
    let pepper = enrolled.peppers.first();
    // What the thief has: the device until it is revoked, whose badge a number is, and the right answers of quizzes.
    assert_eq!(enrolled.secret.key(), enrolled_key(&stolen));
    assert_eq!(loot.whose("04A1B2C3", pepper), Some(id("maria")));
    let quiz = &loot.plant.quizzes[&id::<QuizId>("Q-0042")];
    let name = answers_box_name(&quiz.answers);
    assert!(loot.boxes[&name].open_site(&name, pepper).is_ok());
    // What remains: each person's key behind the secret that only they know.
    for guess in ["maria", "maria-secret", "maria-secret-2", "Maria-secret-1", "password12", "04A1B2C3", ""] {
        assert!(loot.opens("maria", guess, pepper).is_none(), "{guess}");
    }
    assert!(loot.opens("maria", &secret_of("maria"), pepper).is_some(), "whoever guesses it has it");
    assert!(loot.opens("ben", CHOSEN, pepper).is_some());
    // Ana signed here after the last call, and that is not in her key.
    assert!(loot.opens("ana", &secret_of("maria"), pepper).is_none());
}

fn enrolled_key(stolen: &Stolen) -> DeviceKey {
    let plant = stolen.plant.server.plant();
    plant.devices.values().find(|device| device.name == id(stolen.name)).unwrap().device
}

#[test]
fn r14_without_the_pepper_none_of_a_thousand_pins_opens_a_box_not_even_the_right_one() {
    let stolen = Stolen::after_a_shift(sunday_evening(), "K3");
    let loot = Loot::of(&stolen.disk());
    // As a terminal with a chip makes it under `us-part11`. Stretching costs little here: it is the pepper that is looked at.
    let (person, key) = (id::<PersonId>("maria"), PersonSecret::from_seed([5; 32]));
    let pepper = FileKeyStore::open(&stolen.keys()).unwrap().enrolled().unwrap().unwrap().peppers.first().clone();
    let random = BoxRandom { salt: [1; 16], nonce: [2; 24] };
    let right = "741963";
    let sealed =
        SealedBox::of_person(&person, &key, right, (PepperEpoch::FIRST, &pepper), Stretching::TESTS, random).unwrap();
    assert!(sealed.open_person(&person, key.key(), right, &pepper).is_ok());
    // What a thief without the pepper might put in its place: nothing, and what the database does hold.
    let server = stolen.plant.server.key();
    let instead =
        [Pepper([0; 32]), Pepper(server.0), Pepper(enrolled_key(&stolen).0), Pepper(badge_hash(&pepper, "").0)];
    let pins = (741_463..742_463).map(|pin| format!("{pin:06}"));
    let mut tried = 0;
    for pin in pins {
        tried += 1;
        for pepper in &instead {
            assert!(sealed.open_person(&person, key.key(), &pin, pepper).is_err(), "{pin}");
            assert!(loot.opens("maria", &pin, pepper).is_none());
        }
    }
    assert_eq!(tried, 1_000);
    for pepper in &instead {
        assert!(loot.opens("maria", &secret_of("maria"), pepper).is_none(), "nor does the right passphrase");
        assert_eq!(loot.whose("04A1B2C3", pepper), None, "nor is a badge anybody's");
        let quiz = &loot.plant.quizzes[&id::<QuizId>("Q-0042")];
        let name = answers_box_name(&quiz.answers);
        assert!(loot.boxes[&name].open_site(&name, pepper).is_err());
    }
}

#[test]
fn l2_what_somebody_answered_is_their_record_and_stands_readable_on_the_disk() {
    // Said in `docs/security.md`: whoever reads a passed attempt has the answers to the questions drawn in it.
    let stolen = Stolen::after_a_shift(sunday_evening(), "K3");
    let ledger = kiosk::store::open(&stolen.disk().join("kiosk.sqlite")).unwrap();
    let entries = store::shelf::entries_about(ledger.connection(), "person:maria").unwrap();
    let attempt = entries.iter().find_map(|entry| match entry.statement().ok()??.body {
        Body::QuizAttempt(attempt) => Some(attempt),
        _ => None,
    });
    assert!(attempt.is_some_and(|attempt| !attempt.answers.is_empty()));
}

/// The same disk with its folder of keys, where a chip sealed them.
#[cfg(feature = "tpm")]
#[test]
fn r14_a_stolen_disk_whose_keys_a_chip_sealed_gives_nothing_away_with_all_its_folders() {
    use harness::swtpm::SoftTpm;
    use kiosk::key_store::tpm::TpmKeyStore;

    let mut plant = sunday_evening();
    let chip = SoftTpm::start(&plant.path("K7-chip"));
    let folder = plant.path("K7-keys");
    let keys = TpmKeyStore::open(&folder, &chip.address).unwrap();
    plant.add_kiosk_with("K7", &["SEAL"], Box::new(keys));
    let stolen = Stolen::after_a_shift(plant, "K7");
    assert_eq!(stolen.found_in(&stolen.disk()), Vec::<String>::new());
    assert_eq!(stolen.found_in(&stolen.keys()), Vec::<String>::new());
    assert!(files(&stolen.keys()).len() >= 2, "it isn't empty");
    // The thief's own machine has a chip, too.
    let thiefs = SoftTpm::start(&stolen.plant.path("thiefs-chip"));
    assert!(TpmKeyStore::open(&folder, &thiefs.address).unwrap().enrolled().is_err());
    // The disk put back beside its chip is the terminal again.
    let enrolled = TpmKeyStore::open(&folder, &chip.address).unwrap().enrolled().unwrap().unwrap();
    assert_eq!(enrolled.secret.key(), enrolled_key(&stolen));
}
