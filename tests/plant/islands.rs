//! Kiosks that no network reaches (U6): what a stick carries, and what it can't do.

use std::fs;
use std::path::{Path, PathBuf};

use harness::{Plant, demo_plant, kiosk_signer, replica};
use kiosk::bundle_file::{NotCarried, Taken, export, import};
use kiosk::core::Denied;
use kiosk::core::status::Status;
use kiosk::stick::{Carried, Sticks, Way};
use shared::log::Stream;
use shared::part11::boxes::person_box_name;
use shared::part11::signature::DeviceSecret;
use shared::sync::bundle::{BadBundle, Manifest};
use shared::sync::message::Give;
use shared::training::Answer;
use store::bundle::{Checked, Piece, Writer};
use store::questions;
use sync_server::core::bundle::BundleRefused;

use harness::scene::{approve_v7, copy_folder, id, sunday_evening, train};

/// Monday at seven: v7 counts, and both kiosks have been dark since Sunday evening.
fn dark_monday() -> Plant {
    let mut plant = sunday_evening();
    approve_v7(&plant.server);
    plant.settle();
    plant.clock.set("2026-03-02T06:00:00Z");
    plant
}

fn starts(plant: &mut Plant, kiosk: &str, person: &str) -> Answer {
    let verdict = plant.kiosk(kiosk).ask(&id(person), &id("seal-pouch"), Some(&id("881"))).unwrap();
    verdict.decision.answer
}

fn status(plant: &mut Plant, kiosk: &str) -> Status {
    plant.kiosk(kiosk).status().unwrap()
}

/// Everything of `kiosk`, in a file.
fn bundle_of(plant: &mut Plant, kiosk: &str) -> PathBuf {
    let file = plant.path(&format!("{kiosk}.lineproof"));
    export(plant.kiosk(kiosk), &file).unwrap();
    file
}

fn refused(plant: &mut Plant, kiosk: &str, file: &Path) -> BadBundle {
    let before = status(plant, kiosk).entries;
    let refusal = import(plant.kiosk(kiosk), file).unwrap_err();
    assert_eq!(status(plant, kiosk).entries, before, "nothing was taken");
    let said = refusal.to_string();
    assert!(said.contains("Nothing was taken, and the file is as it was"), "{said}");
    match refusal {
        NotCarried::Refused { why, .. } => why,
        other => panic!("{other}"),
    }
}

#[test]
fn u6_a_stick_carries_a_sign_off_to_a_kiosk_that_no_network_reaches() {
    let mut plant = dark_monday();
    assert_eq!(starts(&mut plant, "K5", "maria"), Answer::NoGo);
    train(&mut plant, "K3", "maria", "jonas");
    let file = bundle_of(&mut plant, "K3");
    let before = status(&mut plant, "K5");
    let Taken { from, brought } = import(plant.kiosk("K5"), &file).unwrap();
    assert_eq!(from.kiosk.to_string(), "K3");
    assert!(brought.held > 0 && brought.refused == 0 && brought.waiting == 0, "{brought:?}");
    assert_eq!(starts(&mut plant, "K5", "maria"), Answer::Go);

    let after = status(&mut plant, "K5");
    assert_eq!((after.in_step, after.last_contact, after.plant), (before.in_step, before.last_contact, before.plant));
    let journal = Stream::journal(&id("K3"));
    assert!(after.waiting_in.iter().all(|(stream, _)| *stream != journal), "a journal is its kiosk's and the server's");
    plant.settle();
    plant.verify();
    assert_eq!(status(&mut plant, "K5").waiting(), 0, "the server has it from whoever reaches it first");
}

#[test]
fn u6_a_stick_brings_an_islands_work_to_the_server() {
    let mut plant = dark_monday();
    train(&mut plant, "K3", "maria", "jonas");
    let file = bundle_of(&mut plant, "K3");
    let (sender, brought) = plant.server.import_bundle(&file).unwrap();
    assert_eq!((sender.kiosk.to_string().as_str(), sender.site.to_string().as_str()), ("K3", "SITE1"));
    assert!(brought.held > 0 && brought.refused == 0 && brought.waiting == 0, "{brought:?}");
    plant.verify();
    plant.meet("K5");
    assert_eq!(starts(&mut plant, "K5", "maria"), Answer::Go);
    let again = plant.server.import_bundle(&file).unwrap_err();
    assert!(matches!(again, BundleRefused::Bad(BadBundle::Stale)), "{again}");
}

#[test]
fn u6_documents_travel_and_only_those_the_plant_names_are_kept() {
    let mut plant = dark_monday();
    let missing = plant.path("K5").join("blobs");
    fs::remove_dir_all(&missing).unwrap();
    plant.restart("K5");
    let lacking = plant.kiosk("K5").missing_blobs().len();
    assert!(lacking > 0);
    let file = bundle_of(&mut plant, "K3");
    let taken = import(plant.kiosk("K5"), &file).unwrap();
    assert_eq!((taken.brought.blobs, plant.kiosk("K5").missing_blobs().len()), (lacking, 0));
    assert_eq!(plant.kiosk("K5").take_blob(b"whatever somebody put there").unwrap().blobs, 0);
}

/// A plant with more contents than a file has pieces: sixty procedures, each in seventy languages.
#[test]
fn u6_a_plant_with_more_documents_than_a_stick_takes_gives_its_entries_and_some_of_them() {
    let folder = tempfile::tempdir().unwrap();
    copy_folder(&demo_plant(), folder.path());
    let add = |file: &str, rows: String| {
        let path = folder.path().join(file);
        let text = fs::read_to_string(&path).unwrap();
        fs::write(path, format!("{}\n{rows}", text.trim_end())).unwrap();
    };
    let (mut documents, mut versions) = (String::new(), String::new());
    for document in 0..60 {
        documents += &format!("X-{document},Small,initial,katarzyna,\n");
        for language in 0..70_u8 {
            let language = format!("{}{}", char::from(b'a' + language / 10), char::from(b'a' + language % 10));
            let content = format!("content/X-{document}-v1.{language}.md");
            fs::write(folder.path().join(&content), format!("# {document} {language}\n")).unwrap();
            versions += &format!(
                "X-{document},v1,2025-01-12T10:20:00+01:00,2025-02-06,full,First,{content},{language},,tobias,,finish,15,\n"
            );
        }
    }
    add("documents.csv", documents);
    add("versions.csv", versions);
    let mut plant = Plant::from_folder(folder.path(), "2026-03-01T18:00:00Z");
    plant.set_up_signing(&["helga"]);
    plant.add_kiosk("K3", &["SEAL"]);
    let file = plant.path("K3.lineproof");
    let written = export(plant.kiosk("K3"), &file).unwrap();
    assert!(written.entries > 0 && written.blobs > 4_000 && written.blobs_left_out > 100, "{written:?}");
    assert!(Checked::open(&file).is_ok(), "what was written is read");
}

#[test]
fn u6_a_bundle_cut_short_or_altered_anywhere_is_refused_whole() {
    let mut plant = dark_monday();
    train(&mut plant, "K3", "maria", "jonas");
    let whole = fs::read(bundle_of(&mut plant, "K3")).unwrap();
    let file = plant.path("damaged.lineproof");
    for step in 0..24 {
        let place = step * (whole.len() - 1) / 23;
        fs::write(&file, &whole[..place]).unwrap();
        assert!(matches!(refused(&mut plant, "K5", &file), BadBundle::Unreadable(_)), "cut at {place}");
        let mut altered = whole.clone();
        altered[place] ^= 0x10;
        fs::write(&file, &altered).unwrap();
        refused(&mut plant, "K5", &file);
    }
    fs::write(&file, [whole.as_slice(), b"and more"].concat()).unwrap();
    refused(&mut plant, "K5", &file);
    fs::write(&file, &whole).unwrap();
    assert!(import(plant.kiosk("K5"), &file).is_ok(), "the whole one is taken");
}

/// The pieces of a bundle under another manifest.
fn rewritten(file: &Path, to: &Path, manifest: impl FnOnce(Manifest) -> Vec<u8>, change: impl Fn(Give) -> Give) {
    let (checked, mut writer) = (Checked::open(file).unwrap(), Writer::create(to).unwrap());
    let own = checked.manifest().clone();
    checked
        .pieces(|piece| -> Result<(), store::bundle::NotRead> {
            let piece = match piece {
                Piece::Entries(bytes) => Piece::Entries(change(Give::read(&bytes).unwrap()).to_bytes()),
                blob => blob,
            };
            Ok(writer.write(&piece)?)
        })
        .unwrap();
    writer.finish(|pieces, digest| Ok::<_, std::io::Error>(manifest(Manifest { pieces, digest, ..own }))).unwrap();
}

#[test]
fn u6_a_forged_bundle_is_refused_and_a_forged_entry_in_a_good_one_is_held_by_nobody() {
    let mut plant = dark_monday();
    train(&mut plant, "K3", "maria", "jonas");
    let (good, forged) = (bundle_of(&mut plant, "K3"), plant.path("forged.lineproof"));
    let stranger = DeviceSecret::from_seed([7; 32]);
    let as_k3 = |manifest: Manifest| manifest.seal(&stranger);
    rewritten(&good, &forged, as_k3, |give| give);
    assert_eq!(refused(&mut plant, "K5", &forged), BadBundle::Altered, "another's key signed in K3's name");
    let as_itself = |manifest: Manifest| Manifest { device: stranger.key(), ..manifest }.seal(&stranger);
    rewritten(&good, &forged, as_itself, |give| give);
    assert_eq!(refused(&mut plant, "K5", &forged), BadBundle::Stranger, "K3's enrolment is not the stranger's");
    let of_another =
        |manifest: Manifest| Manifest { device: stranger.key(), server: stranger.key(), ..manifest }.seal(&stranger);
    rewritten(&good, &forged, of_another, |give| give);
    assert_eq!(refused(&mut plant, "K5", &forged), BadBundle::OtherServer);
    assert!(matches!(plant.server.import_bundle(&forged), Err(BundleRefused::Bad(BadBundle::OtherServer))));

    // An enrolled kiosk's own key vouches for the file, and still for no entry in it.
    let k3 = plant.kiosk("K3").enrolled().unwrap().secret.clone();
    let spoil = |mut give: Give| {
        for bytes in &mut give.entries {
            let last = bytes.len() - 1;
            bytes[last] ^= 1;
        }
        give
    };
    rewritten(&good, &forged, |manifest| manifest.seal(&k3), spoil);
    let before = status(&mut plant, "K5").entries;
    let brought = import(plant.kiosk("K5"), &forged).unwrap().brought;
    assert!(brought.held == 0 && brought.refused > 0, "{brought:?}");
    assert_eq!(status(&mut plant, "K5").entries, before);
    assert_eq!(starts(&mut plant, "K5", "maria"), Answer::NoGo);
}

#[test]
fn u6_a_stale_bundle_is_refused_and_takes_nothing_back() {
    let mut plant = dark_monday();
    let old = bundle_of(&mut plant, "K3");
    let kept = plant.path("old.lineproof");
    fs::rename(&old, &kept).unwrap();
    train(&mut plant, "K3", "maria", "jonas");
    let newer = bundle_of(&mut plant, "K3");
    import(plant.kiosk("K5"), &newer).unwrap();
    for stale in [&newer, &kept] {
        assert_eq!(refused(&mut plant, "K5", stale), BadBundle::Stale);
        assert_eq!(starts(&mut plant, "K5", "maria"), Answer::Go);
    }
    plant.settle();
    assert!(matches!(plant.server.import_bundle(&kept), Err(BundleRefused::Bad(BadBundle::Stale))));
}

#[test]
fn u6_u5_a_stick_is_no_word_of_the_server_and_prolongs_no_lease() {
    let mut plant = dark_monday();
    train(&mut plant, "K3", "maria", "jonas");
    let file = bundle_of(&mut plant, "K3");
    import(plant.kiosk("K5"), &file).unwrap();
    assert_eq!(starts(&mut plant, "K5", "maria"), Answer::Go);
    plant.clock.set("2026-03-20T06:00:00Z");
    train_nothing_and_carry_again(&mut plant);
    assert_eq!(starts(&mut plant, "K5", "maria"), Answer::NoGo, "knowledge is as old as the last word of the server");
}

/// A later bundle with something in it.
fn train_nothing_and_carry_again(plant: &mut Plant) {
    plant.kiosk("K3").badge_in(&id("ben")).unwrap();
    let file = bundle_of(plant, "K3");
    assert!(import(plant.kiosk("K5"), &file).unwrap().brought.held > 0);
}

#[test]
fn u6_a_bundle_that_unpacks_to_gigabytes_is_refused_at_its_first_piece() {
    let mut plant = dark_monday();
    let file = plant.path("bomb.lineproof");
    let mut out = zstd::Encoder::new(fs::File::create(&file).unwrap(), 19).unwrap();
    let zeros = vec![0; 1 << 20];
    std::io::Write::write_all(&mut out, b"lineproof bundle 1\n\xff\xff\xff\xff").unwrap();
    for _ in 0..512 {
        std::io::Write::write_all(&mut out, &zeros).unwrap();
    }
    out.finish().unwrap();
    assert!(fs::metadata(&file).unwrap().len() < 1 << 20);
    assert!(matches!(refused(&mut plant, "K5", &file), BadBundle::Unreadable(_)));
}

#[test]
fn u6_r7_a_revoked_kiosks_stick_is_taken_in_and_what_it_wrote_too_late_is_set_aside() {
    let mut plant = dark_monday();
    plant.server.revoke_kiosk(&id("K3"), "stolen", None).unwrap();
    plant.meet("K5");
    train(&mut plant, "K3", "maria", "jonas");
    let file = bundle_of(&mut plant, "K3");
    assert!(import(plant.kiosk("K5"), &file).unwrap().brought.held > 0, "held, for nothing is lost");
    assert_eq!(starts(&mut plant, "K5", "maria"), Answer::NoGo, "and without effect");
    assert!(plant.kiosk("K5").set_aside().unwrap() > 0);
}

#[test]
fn u6_a_missing_stick_is_said_and_a_link_on_it_is_not_written_through() {
    let mut plant = dark_monday();
    let nowhere = plant.path("no-stick").join("K3.lineproof");
    let said = export(plant.kiosk("K3"), &nowhere).unwrap_err().to_string();
    assert!(said.contains("What is held here is untouched"), "{said}");
    let (victim, file) = (plant.path("victim"), plant.path("K3.lineproof"));
    fs::write(&victim, b"precious").unwrap();
    std::os::unix::fs::symlink(&victim, plant.path("K3.lineproof.part")).unwrap();
    export(plant.kiosk("K3"), &file).unwrap();
    assert_eq!(fs::read(&victim).unwrap(), b"precious");
    assert!(file.is_file() && !plant.path("K3.lineproof.part").exists(), "no half file stays");
    let looked = replica::look(plant.kiosk("K3").ledger().connection()).unwrap();
    assert_eq!(looked.findings, [""; 0]);
}

/// A folder that stands for a stick that is plugged in.
fn plug_in(plant: &mut Plant, kiosk: &str, stick: &Path) {
    fs::create_dir_all(stick).unwrap();
    plant.kiosk(kiosk).sticks = Sticks { mounts: vec![stick.to_owned()], is_plugged: Path::is_dir };
}

fn carry(plant: &mut Plant, kiosk: &str, person: &str, way: Way) -> Result<Carried, Denied> {
    let kiosk = plant.kiosk(kiosk);
    kiosk.badge_in(&id(person)).unwrap();
    kiosk.unlock_session(&kiosk_signer(person)).unwrap();
    kiosk.carry(&id(person), way)
}

#[test]
fn u6_a_supervisor_carries_entries_from_terminal_to_terminal_and_the_journal_says_so() {
    let mut plant = dark_monday();
    train(&mut plant, "K3", "maria", "jonas");
    let stick = plant.path("stick");
    for kiosk in ["K3", "K5"] {
        plug_in(&mut plant, kiosk, &stick);
    }
    let elsewhere = carry(&mut plant, "K5", "jonas", Way::FromStick);
    assert!(matches!(elsewhere, Err(Denied::NoAuthority { .. })), "he leads the other line");
    assert_eq!(carry(&mut plant, "K5", "eva", Way::FromStick).unwrap(), Carried::Empty);
    let Carried::Written(written) = carry(&mut plant, "K3", "jonas", Way::ToStick).unwrap() else { panic!("written") };
    assert!(written.entries > 0 && written.blobs > 0 && written.blobs_left_out == 0, "{written:?}");
    let much = format!("{} entries, {} documents", written.entries, written.blobs);
    let carried = zstd::decode_all(fs::File::open(stick.join("lineproof/K3.lineproof")).unwrap()).unwrap();
    for person in ["maria", "jonas"] {
        let connection = plant.kiosk("K3").ledger().connection();
        let key_box = store::boxes::sealed_box(connection, &person_box_name(&id(person))).unwrap().unwrap();
        let found = carried.windows(key_box.sealed.len()).any(|bytes| bytes == key_box.sealed.as_slice());
        assert!(!found, "the sealed key of {person} is on the stick");
    }
    let Carried::Taken(taken) = carry(&mut plant, "K5", "eva", Way::FromStick).unwrap() else { panic!("taken") };
    assert_eq!((taken.from[0].to_string().as_str(), taken.refused), ("K3", 0));
    assert!(taken.brought.held > 0);
    assert_eq!(starts(&mut plant, "K5", "maria"), Answer::Go);
    for (kiosk, what) in [("K3", ["bundle_written", "by jonas", &much]), ("K5", ["bundle_taken", "by eva", "K3"])] {
        let kiosk = plant.kiosk(kiosk);
        let subject = format!("device:{}", kiosk.enrolment().unwrap().device);
        let events = questions::entries_of_kind(kiosk.ledger().connection(), &subject, "device_event").unwrap();
        let said = |entry: &shared::log::Entry| format!("{:?}", entry.statement());
        assert!(events.iter().any(|entry| what.iter().all(|word| said(entry).contains(word))), "{what:?}");
    }
    // What somebody altered on the stick is refused there, too.
    let file = stick.join("lineproof/K3.lineproof");
    let mut bytes = fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&file, bytes).unwrap();
    let Carried::Taken(taken) = carry(&mut plant, "K5", "eva", Way::FromStick).unwrap() else { panic!("looked at") };
    assert!(taken.refused == 1 && taken.brought.held == 0 && taken.why.is_some(), "{taken:?}");
}

#[test]
fn u6_r4_only_a_supervisor_carries_and_only_with_their_secret() {
    let mut plant = dark_monday();
    let stick = plant.path("stick");
    plug_in(&mut plant, "K3", &stick);
    let refused = carry(&mut plant, "K3", "maria", Way::ToStick);
    assert!(matches!(refused, Err(Denied::NoAuthority { .. })), "{refused:?}");
    plant.kiosk("K3").badge_in(&id("jonas")).unwrap();
    let refused = plant.kiosk("K3").carry(&id("jonas"), Way::ToStick);
    assert!(matches!(refused, Err(Denied::NoSession)), "{refused:?}");
    assert!(fs::read_dir(&stick).unwrap().next().is_none(), "nothing was written");
    plant.kiosk("K3").sticks = Sticks::at(vec![stick]);
    assert_eq!(carry(&mut plant, "K3", "jonas", Way::ToStick).unwrap(), Carried::NoStick, "a folder is no stick");
}
