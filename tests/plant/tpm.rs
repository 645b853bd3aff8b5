//! Kiosks whose keys a TPM seals: Debian's `swtpm` is the chip, everything else is as shipped.

use std::fs;
use std::path::Path;

use harness::Plant;
use harness::scene::*;
use harness::swtpm::SoftTpm;
use kiosk::config::{Keys, Places};
use kiosk::key_store::tpm::TpmKeyStore;
use kiosk::key_store::{FileKeyStore, KeptFailure, KeyStore};
use kiosk::presenter::view::Fault;
use kiosk::runtime::fault_of;
use shared::id::*;
use shared::kind::plant::KeyStoreKind;
use shared::time::{HOUR_MS, Timestamp};
use store::questions;

use super::lockout::{forgiven, guess, unlocks};

/// A machine with a chip, and the chip's own memory.
struct Machine {
    chip: SoftTpm,
}

impl Machine {
    fn switch_on(plant: &Plant, name: &str) -> Self {
        Self { chip: SoftTpm::start(&plant.path(&format!("{name}-chip"))) }
    }

    fn keys(&self, plant: &Plant, kiosk: &str) -> Box<dyn KeyStore> {
        let folder = plant.path(&format!("{kiosk}-keys"));
        Box::new(TpmKeyStore::open(&folder, &self.chip.address).unwrap())
    }
}

/// A plant whose K7 has its keys in a TPM.
fn plant_with_k7() -> (Plant, Machine) {
    let mut plant = sunday_evening();
    let machine = Machine::switch_on(&plant, "K7");
    let keys = machine.keys(&plant, "K7");
    plant.add_kiosk_with("K7", &["LABEL"], keys);
    (plant, machine)
}

fn incarnation(plant: &mut Plant, kiosk: &str) -> Vec<u8> {
    questions::setting(plant.kiosk(kiosk).ledger().connection(), "incarnation").unwrap().unwrap()
}

fn remove(folder: &Path) {
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn s9_a_kiosk_whose_keys_a_tpm_seals_says_so_and_goes_on_after_its_machine_was_off() {
    let (mut plant, machine) = plant_with_k7();
    let kind = |plant: &Plant| plant.server.plant().devices.values().find(|d| d.name == id("K7")).unwrap().key_store;
    assert_eq!(kind(&plant), KeyStoreKind::Tpm);
    let before = incarnation(&mut plant, "K7");
    plant.kiosk("K7").badge_in(&id("maria")).unwrap();
    plant.stop("K7");
    drop(machine);

    let machine = Machine::switch_on(&plant, "K7");
    let keys = machine.keys(&plant, "K7");
    plant.start_with("K7", keys).unwrap();
    assert_eq!(incarnation(&mut plant, "K7"), before, "nothing is amiss");
    plant.kiosk("K7").badge_in(&id("ben")).unwrap();
    plant.settle();
    assert_eq!(plant.kiosk("K7").status().unwrap().waiting(), 0);
    plant.verify();
}

#[test]
fn u11_a_whole_disk_put_back_is_noticed_at_the_next_start_by_what_the_chip_knows() {
    // The same with both stores: what the folder of keys knows comes back with the disk.
    for in_chip in [true, false] {
        let (mut plant, machine) = plant_with_k7();
        plant.add_kiosk("K8", &["LABEL"]);
        let name = if in_chip { "K7" } else { "K8" };
        let keys = |plant: &Plant| -> Box<dyn KeyStore> {
            match in_chip {
                true => machine.keys(plant, "K7"),
                false => Box::new(FileKeyStore::open(&plant.path("K8-keys")).unwrap()),
            }
        };
        plant.kiosk(name).badge_in(&id("maria")).unwrap();
        plant.meet(name);
        plant.stop(name);
        let (disk, folder) = (plant.path(name), plant.path(&format!("{name}-keys")));
        let (disk_then, folder_then) = (plant.path("disk-then"), plant.path("folder-then"));
        copy_folder(&disk, &disk_then);
        copy_folder(&folder, &folder_then);

        // A day's work, of which the server hears the first half.
        let store = keys(&plant);
        plant.start_with(name, store).unwrap();
        let before = incarnation(&mut plant, name);
        for person in ["ben", "maria", "ben", "maria"] {
            plant.clock.advance_ms(HOUR_MS);
            plant.kiosk(name).badge_in(&id(person)).unwrap();
            if person == "ben" {
                plant.meet(name);
            }
        }
        plant.stop(name);
        remove(&disk);
        remove(&folder);
        copy_folder(&disk_then, &disk);
        copy_folder(&folder_then, &folder);

        let store = keys(&plant);
        plant.start_with(name, store).unwrap();
        assert_eq!(incarnation(&mut plant, name) != before, in_chip, "noticed at the start: {in_chip}");
        let after = incarnation(&mut plant, name);
        plant.kiosk(name).badge_in(&id("ben")).unwrap();
        plant.settle();
        let forks = plant.server.branches().unwrap().len();
        assert_eq!(forks == 0, in_chip, "{forks} branches");
        plant.verify();
        // Said once: another start is an ordinary one.
        plant.stop(name);
        let store = keys(&plant);
        plant.start_with(name, store).unwrap();
        assert!(!in_chip || incarnation(&mut plant, name) == after);
    }
}

/// Maria's secret is guessed at K7, and its whole disk is put back after each round.
fn guess_and_put_back(plant: &mut Plant, machine: &Machine, rounds: &[u32], meet: bool) {
    let (disk, folder) = (plant.path("K7"), plant.path("K7-keys"));
    let (disk_then, folder_then) = (plant.path("disk-then"), plant.path("folder-then"));
    copy_folder(&disk, &disk_then);
    copy_folder(&folder, &folder_then);
    for times in rounds {
        guess(plant, "K7", *times);
        if meet {
            plant.meet("K7");
        }
        plant.stop("K7");
        remove(&disk);
        remove(&folder);
        copy_folder(&disk_then, &disk);
        copy_folder(&folder_then, &folder);
        let keys = machine.keys(plant, "K7");
        plant.start_with("K7", keys).unwrap();
    }
}

#[test]
fn r15_a_whole_disk_put_back_forgives_no_wrong_secret_that_the_chip_counted() {
    let (mut plant, machine) = plant_with_k7();
    plant.settle();
    guess_and_put_back(&mut plant, &machine, &[4, 5], false);
    guess(&mut plant, "K7", 1);
    assert!(!unlocks(&mut plant, "K7", "maria"), "the eleventh try is refused, right or wrong");
    assert!(unlocks(&mut plant, "K7", "jonas"), "nobody else's are counted");
    assert_eq!(forgiven(&mut plant, "K7"), 1, "the others lie in no entry");
    assert!(unlocks(&mut plant, "K7", "maria"), "and are forgiven with it");
    guess(&mut plant, "K7", 9);
    assert!(unlocks(&mut plant, "K7", "maria"), "what was forgiven doesn't count again");
    plant.settle();
    plant.verify();
}

#[test]
fn r15_wrong_secrets_that_come_back_after_a_whole_disk_was_put_back_are_counted_once() {
    let (mut plant, machine) = plant_with_k7();
    plant.settle();
    guess_and_put_back(&mut plant, &machine, &[3, 2], true);
    plant.meet("K7");
    guess(&mut plant, "K7", 4);
    assert!(unlocks(&mut plant, "K7", "maria"), "nine");
    plant.verify();
}

#[test]
fn r15_what_a_put_back_disk_forgot_is_counted_beside_what_was_given_elsewhere() {
    let (mut plant, machine) = plant_with_k7();
    guess(&mut plant, "K3", 8);
    plant.settle();
    guess_and_put_back(&mut plant, &machine, &[1], false);
    guess(&mut plant, "K7", 1);
    assert!(!unlocks(&mut plant, "K7", "maria"), "eight elsewhere, one forgotten, and this one");
}

#[test]
fn r15_the_chip_counts_the_wrong_secrets_of_as_many_people_as_it_has_room_for() {
    let (mut plant, machine) = plant_with_k7();
    plant.stop("K7");
    let mut store = machine.keys(&plant, "K7");
    let failure = |person: &PersonId| KeptFailure { person: person.clone(), entry: EntryId([1; 32]), at: Timestamp(0) };
    let people: Vec<PersonId> = (0..40).map(|number| id(&format!("person-{number}"))).collect();
    for times in [4, 1] {
        for person in people.iter().take(if times > 1 { 30 } else { 40 }) {
            (0..times).for_each(|_| store.count_failure(&failure(person)).unwrap());
        }
    }
    assert!(people.iter().all(|person| store.lost_failures(person).unwrap() == 0), "the folder lists them all");
    fs::remove_file(plant.path("K7-keys/failures")).unwrap();
    let mut store = machine.keys(&plant, "K7");
    let lost: Vec<u32> = people.iter().map(|person| store.lost_failures(person).unwrap()).collect();
    assert!(lost[..30].iter().all(|count| *count == 5), "{lost:?}");
    assert_eq!(lost[30..].iter().filter(|count| **count == 0).count(), 4, "the fewest tries are forgotten: {lost:?}");
    store.forget_failures(&people[0]).unwrap();
    assert_eq!(machine.keys(&plant, "K7").lost_failures(&people[0]).unwrap(), 0);
}

#[test]
fn u11_the_chip_hears_of_heads_once_an_hour_and_once_after_each_start() {
    let (mut plant, machine) = plant_with_k7();
    plant.stop("K7");
    let folder = plant.path("K7-keys");
    let open = || TpmKeyStore::open(&folder, &machine.chip.address).unwrap();
    let in_chip = || {
        fs::remove_file(folder.join("heads")).unwrap();
        open().heads().unwrap()
    };
    let (a, b, c, d) = (EntryId([1; 32]), EntryId([2; 32]), EntryId([3; 32]), EntryId([4; 32]));
    let (mut store, start) = (open(), Timestamp(5_000));
    store.keep_heads(&[a], start).unwrap();
    assert_eq!(in_chip(), [a], "after a start at once");
    for minute in 1..60 {
        store.keep_heads(&[b], start.plus_ms(minute * 60_000)).unwrap();
    }
    assert_eq!(open().heads().unwrap(), [b, a], "the folder hears of each");
    assert_eq!(in_chip(), [a]);
    store.keep_heads(&[c], start.plus_ms(HOUR_MS)).unwrap();
    assert_eq!(in_chip(), [c]);
    store.keep_heads(&[d; 9], start.plus_ms(2 * HOUR_MS)).unwrap();
    assert_eq!(in_chip(), [d], "as many as it has room for");
}

/// As the program opens it, with everything it says.
fn opened(plant: &Plant, address: &str) -> Result<(), (Fault, String)> {
    let places = Places {
        data: plant.path("K7"),
        key_store: Keys::Tpm(plant.path("K7-keys")),
        tpm: address.to_owned(),
        sticks: Vec::new(),
        json: false,
    };
    let held = places.hold().unwrap();
    let opened = held.open().map(drop).map_err(|why| (fault_of(&why).0, why.to_string()));
    let findings = kiosk::self_test::findings(&held);
    assert_eq!(findings[0].good, opened.is_ok(), "the self-test says the same: {}", findings[0].text);
    opened
}

#[test]
fn s9_without_the_right_chip_the_kiosk_stays_closed_says_why_and_keeps_everything() {
    let (mut plant, machine) = plant_with_k7();
    plant.kiosk("K7").badge_in(&id("maria")).unwrap();
    plant.stop("K7");
    let database = fs::read(plant.path("K7/kiosk.sqlite")).unwrap();
    let refused = |plant: &Plant, address: &str, wanted: &str| {
        let (fault, said) = opened(plant, address).expect_err(wanted);
        assert_eq!(fault, Fault::KeyStoreLost, "{said}");
        assert!(said.contains(wanted), "{said}");
    };
    refused(&plant, "device:/nonexistent/tpm", "no TPM answers");
    let foreign = Machine::switch_on(&plant, "another");
    refused(&plant, &foreign.chip.address, "from another machine");

    let sealed = plant.path("K7-keys/enrolment.sealed");
    let whole = fs::read(&sealed).unwrap();
    for place in [0, 1, 70, whole.len() / 2, whole.len() - 1] {
        let mut altered = whole.clone();
        altered[place] ^= 4;
        fs::write(&sealed, &altered).unwrap();
        refused(&plant, &machine.chip.address, "can't be read");
    }
    fs::write(&sealed, &whole[..whole.len() / 2]).unwrap();
    refused(&plant, &machine.chip.address, "can't be read");
    fs::write(&sealed, &whole).unwrap();
    assert_eq!(fs::read(plant.path("K7/kiosk.sqlite")).unwrap(), database, "nothing was touched");
    opened(&plant, &machine.chip.address).unwrap();

    // Keys that were never sealed beside it would give the device away.
    fs::copy(plant.path("K3-keys/enrolment"), plant.path("K7-keys/enrolment")).unwrap();
    refused(&plant, &machine.chip.address, "set up without a TPM");
    fs::remove_file(plant.path("K7-keys/enrolment")).unwrap();

    // Set up anew on the same machine: what the chip keeps belongs to the newer one.
    let former = plant.path("former");
    copy_folder(&plant.path("K7-keys"), &former);
    remove(&plant.path("K7-keys"));
    let keys = machine.keys(&plant, "K9");
    plant.add_kiosk_with("K9", &["LABEL"], keys);
    copy_folder(&former, &plant.path("K7-keys"));
    refused(&plant, &machine.chip.address, "set up anew");
}

#[test]
fn s9_a_retired_kiosk_leaves_nothing_in_its_folder_and_nothing_in_the_chip() {
    let (mut plant, machine) = plant_with_k7();
    plant.stop("K7");
    let (folder, former) = (plant.path("K7-keys"), plant.path("former"));
    copy_folder(&folder, &former);
    for _ in 0..2 {
        machine.keys(&plant, "K7").forget().unwrap();
        assert!(fs::read_dir(&folder).unwrap().next().is_none());
        assert!(machine.keys(&plant, "K7").enrolled().unwrap().is_none());
    }
    // Who had copied the folder has no terminal: the chip forgot its part.
    copy_folder(&former, &folder);
    let refused = plant.start_with("K7", machine.keys(&plant, "K7")).unwrap_err().to_string();
    assert!(refused.contains("no longer holds"), "{refused}");
}

#[test]
fn r14_a_later_pepper_lies_sealed_beside_the_chip_and_the_heads_in_it_stay() {
    let (mut plant, machine) = plant_with_k7();
    plant.kiosk("K7").badge_in(&id("maria")).unwrap();
    plant.clock.advance_ms(HOUR_MS);
    plant.server.revoke_kiosk(&id("K5"), "stolen", None).unwrap();
    plant.meet("K7");
    let known = plant.kiosk("K7").enrolled().unwrap().peppers.clone();
    assert_eq!(known.epochs().len(), 2);
    let (before, heads) = (incarnation(&mut plant, "K7"), machine.keys(&plant, "K7").heads().unwrap());
    assert!(!heads.is_empty());
    plant.stop("K7");
    drop(machine);

    let machine = Machine::switch_on(&plant, "K7");
    let keys = machine.keys(&plant, "K7");
    plant.start_with("K7", keys).unwrap();
    assert_eq!(plant.kiosk("K7").enrolled().unwrap().peppers, known);
    assert_eq!(incarnation(&mut plant, "K7"), before, "it goes on as who it was");
    assert_eq!(machine.keys(&plant, "K7").heads().unwrap(), heads);
    plant.kiosk("K7").unlock(&harness::kiosk_signer("maria")).unwrap();
    let read =
        |path: &Path| fs::read_dir(path).unwrap().map(|f| fs::read(f.unwrap().path()).unwrap()).collect::<Vec<_>>();
    let (_, pepper) = known.newest();
    let folder = read(&plant.path("K7-keys"));
    assert!(folder.iter().all(|file| !file.windows(32).any(|bytes| bytes == pepper.0)), "nor is it readable there");
}
