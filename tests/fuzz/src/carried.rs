//! Files that somebody brings: a bundle on a stick, to a terminal and to the server with real stores, and an evidence bundle to the verifier.
//!
//! Both are signed over every byte, so what comes in here is what is signed, and a hostile kiosk of the plant signs it first.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use harness::Plant;
use kiosk::bundle_file::{NotCarried, Taken, export, import};
use lineproof_verify::Report;
use minicbor::Decoder;
use serde_json::{Value, json};
use shared::id::{Digest32, EntryId, PersonId, Signature};
use shared::kind::presence::SessionEnd;
use shared::log::Unverified;
use shared::log::evidence_bundle::MANIFEST_TYPE;
use shared::part11::signature::DeviceSecret;
use shared::sync::bundle::{BadBundle, Manifest};
use shared::sync::message::Give;
use store::bundle::{Checked, NotRead};
use sync_server::core::bundle::BundleRefused;

use crate::folder::in_memory;
use crate::world::{inside, re_signed, signed};
use crate::{Verdict, refused};

/// As small as a plant can be: its bundles fit an input.
const FOLDER: [(&str, &str); 12] = [
    ("sites.csv", "site,name,time_zone\nS1,Works,Europe/Berlin\n"),
    ("work_units.csv", "site,area,work_center,work_unit\nS1,PACK,L1,SEAL\n"),
    ("personnel_classes.csv", "personnel_class,name\nOPERATOR,Operator\n"),
    ("people.csv", "person,printed_name,site,language,badge\nmaria,Maria,S1,en,04A1B2C3\n"),
    ("class_members.csv", "person,personnel_class\nmaria,OPERATOR\n"),
    ("documents.csv", "document,title,category,owner\nSOP-1,Seal,procedure,maria\n"),
    (
        "versions.csv",
        "document,version,approved_at,effective_from,training_impact,change_summary,content\n\
         SOP-1,v1,2026-01-10,2026-02-01,read,First issue,seal.md\n",
    ),
    ("requirements.csv", "requirement,title,category,activities,document\nR-1,Read,procedure,read,SOP-1\n"),
    ("matrix.csv", "personnel_class,requirement\nOPERATOR,R-1\n"),
    ("seal.md", "# Seal\n"),
    ("tasks.csv", "task,title,work_units,criticality\nseal,Seal,SEAL,routine\n"),
    ("task_requirements.csv", "task,requirement\nseal,R-1\n"),
];
const NOW: &str = "2026-03-02T06:00:00Z";
/// What a bundle begins with once it is decompressed.
const BEGINNING: &[u8] = b"lineproof bundle 1\n";

/// A plant of two dark kiosks: K2 has written a bundle, and K1 and the server are as they were before.
struct Island {
    disks: tempfile::TempDir,
    server: DeviceSecret,
    first: DeviceSecret,
    hostile: DeviceSecret,
    bundles: Vec<Vec<u8>>,
    evidence: Vec<Vec<u8>>,
}

static ISLAND: LazyLock<Island> = LazyLock::new(|| {
    let folder = in_memory();
    for (name, text) in FOLDER {
        fs::write(folder.path().join(name), text).expect("a file of ours");
    }
    let mut plant = Plant::from_folder(folder.path(), NOW);
    let written = |plant: &Plant, name: &str| {
        let file = plant.path(name);
        plant.server.export_evidence(&file).expect("it can be written");
        fs::read(file).expect("a file of ours")
    };
    let small = written(&plant, "a.evidence");
    plant.add_kiosk("K1", &["SEAL"]);
    plant.add_kiosk("K2", &["SEAL"]);
    plant.settle();
    let evidence = vec![small, written(&plant, "b.evidence")];
    let bundle = |plant: &mut Plant| {
        let file = plant.path("K2.lineproof");
        export(plant.kiosk("K2"), &file).expect("it can be written");
        unsealed(&zstd::decode_all(fs::File::open(file).expect("a file of ours")).expect("it can be decompressed"))
    };
    let stale = bundle(&mut plant);
    let maria = PersonId::new("maria").expect("an id of ours");
    plant.kiosk("K2").badge_in(&maria).expect("the badge is hers");
    plant.kiosk("K2").badge_out(SessionEnd::Tap).expect("she is there");
    let bundles = vec![bundle(&mut plant), stale];
    let mut key = |name: &str| plant.kiosk(name).enrolled().expect("it was set up").secret.clone();
    let (first, hostile) = (key("K1"), key("K2"));
    let server = plant.server.secrets.device.clone();
    Island { disks: plant.close(), server, first, hostile, bundles, evidence }
});

impl Island {
    fn keys(&self) -> [&DeviceSecret; 3] {
        [&self.server, &self.first, &self.hostile]
    }

    /// The plant once more, over disks of its own.
    fn again(&self) -> Plant {
        let home = in_memory();
        for name in ["server", "K1", "K1-keys"] {
            copy(&self.disks.path().join(name), &home.path().join(name));
        }
        let mut plant = Plant::from_disk(home, NOW);
        // What a server or a kiosk draws is never drawn twice.
        drop(plant.clock.clone().with_chance_of_its_own(1));
        plant.start("K1");
        plant
    }

    /// A bundle's content with every signature in it made good. What has no bundle's frame stays as it is.
    fn sealed(&self, content: &[u8]) -> Vec<u8> {
        reframed(
            content,
            |piece| self.piece(piece),
            |said, pieces, digest| match minicbor::decode::<Manifest>(said) {
                Ok(said) => Manifest { device: self.hostile.key(), pieces, digest, ..said }.seal(&self.hostile),
                Err(_) => said.to_vec(),
            },
        )
    }

    fn piece(&self, piece: &[u8]) -> Vec<u8> {
        match piece.split_first().map(|(kind, rest)| (kind, Give::read(rest))) {
            Some((kind, Ok(give))) => {
                let entries = re_signed(&self.keys(), &give.entries);
                [&[*kind], Give { entries, ..give }.to_bytes().as_slice()].concat()
            }
            _ => piece.to_vec(),
        }
    }

    /// An evidence bundle's line with its signature made good. What has no line's form stays as it is.
    fn line(&self, line: &[u8]) -> Vec<u8> {
        self.line_signed(line).unwrap_or_else(|| line.to_vec())
    }

    fn line_signed(&self, line: &[u8]) -> Option<Vec<u8>> {
        let said: Value = serde_json::from_slice(line).ok()?;
        let (payload, kind) = (said["payload"].as_str()?, said["payloadType"].as_str()?);
        let bytes = STANDARD.decode(payload).ok()?;
        let (key, signature, more) = if kind == MANIFEST_TYPE {
            (self.server.key(), self.server.sign(MANIFEST_TYPE, &bytes), String::new())
        } else {
            let entry = signed(&self.keys(), &bytes);
            let device = Unverified::read(&entry).ok()?.peek().log().device;
            let order = said["order"].as_array().map_or_else(|| json!([]), |order| json!(order));
            (device, signature_of(&entry)?, format!(r#","entry":"{}","order":{order}"#, EntryId::of(&entry)))
        };
        let signature = STANDARD.encode(signature.0);
        let line = format!(
            r#"{{"payload":"{payload}","payloadType":{},"signatures":[{{"keyid":"{key}","sig":"{signature}"}}]{more}}}"#,
            json!(kind)
        );
        Some(line.into_bytes())
    }
}

fn signature_of(entry: &[u8]) -> Option<Signature> {
    let mut decoder = Decoder::new(entry);
    decoder.array().and_then(|_| decoder.skip()).and_then(|()| decoder.decode()).ok()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("room in memory");
    for item in fs::read_dir(from).expect("a folder of ours").flatten() {
        let (path, target) = (item.path(), to.join(item.file_name()));
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).expect("room in memory");
        }
    }
}

/// Goes through a bundle's content: what each piece becomes, and what the manifest, of so many pieces and their digest.
fn reframed(
    content: &[u8],
    piece: impl Fn(&[u8]) -> Vec<u8>,
    manifest: impl FnOnce(&[u8], u32, Digest32) -> Vec<u8>,
) -> Vec<u8> {
    let Some(mut rest) = content.strip_prefix(BEGINNING) else { return content.to_vec() };
    let (mut out, mut pieces, mut digest) = (BEGINNING.to_vec(), 0, Digest32([0; 32]));
    while let Some((length, after)) = rest.split_first_chunk() {
        let length = u32::from_be_bytes(*length);
        if length == 0 {
            out.extend(length.to_be_bytes());
            out.extend(manifest(after, pieces, digest));
            return out;
        }
        let Some((bytes, after)) = after.split_at_checked(length as usize) else { break };
        let bytes = piece(bytes);
        out.extend((bytes.len() as u32).to_be_bytes());
        out.extend(&bytes);
        (pieces, digest, rest) = (pieces + 1, Manifest::chain(&digest, &bytes), after);
    }
    out.extend(rest);
    out
}

/// A bundle's content with what its manifest says in the sealed one's place.
fn unsealed(content: &[u8]) -> Vec<u8> {
    reframed(content, <[u8]>::to_vec, |sealed, _, _| inside(sealed))
}

/// A bundle's content: taken in by a kiosk and by the server, once and once more.
pub fn bundle(bytes: &[u8]) -> Verdict {
    let island = &*ISLAND;
    let folder = in_memory();
    let file = folder.path().join("K2.lineproof");
    let open = |bytes: &[u8]| {
        fs::write(&file, bytes).expect("room in memory");
        match Checked::open(&file) {
            Ok(checked) => Ok(checked.manifest().clone()),
            Err(NotRead::Bad(why)) => Err(why),
            Err(NotRead::Io(why)) => panic!("what is in a file is no failure of the disk: {why}"),
        }
    };
    let pack = |content: &[u8]| zstd::encode_all(content, 1).expect("packing in memory");
    // As a file, and as a content, that nobody signed.
    open(bytes).err().map(refused);
    open(&pack(bytes)).err().map(refused);
    let manifest = match open(&pack(&island.sealed(bytes))) {
        Ok(manifest) => manifest,
        Err(why) => return refused(why),
    };
    let read_again = Manifest::open(&manifest.seal(&island.hostile));
    assert_eq!(read_again.as_ref(), Ok(&manifest), "what a manifest says has one spelling");
    let mut plant = island.again();
    let (kiosk, server) = (taken_by_kiosk(&mut plant, &file), taken_by_server(&plant, &file));
    let of_another = |why: &Option<BadBundle>| matches!(why, Some(BadBundle::OtherSite(..)));
    assert!(kiosk == server || of_another(&kiosk), "both read the same: {kiosk:?}, {server:?}");
    // Whatever it brought, the kiosk goes on, and the server holds nothing that its verification would name.
    plant.meet("K1");
    plant.verify();
    kiosk.map_or(Verdict::Accepted, refused)
}

/// Why a kiosk takes nothing of a file; `None` when it is judged entry by entry, also where all of them are held already.
fn taken_by_kiosk(plant: &mut Plant, file: &Path) -> Option<BadBundle> {
    let take = |plant: &mut Plant| match import(plant.kiosk("K1"), file) {
        Ok(Taken { from, brought }) => {
            assert_eq!(from.device, ISLAND.hostile.key(), "it is said who wrote it");
            Ok((brought.held, brought.blobs))
        }
        Err(NotCarried::Refused { why: BadBundle::Stale, .. }) => Ok((0, 0)),
        Err(NotCarried::Refused { why, .. }) => Err(why),
        Err(other) => panic!("no file stops a kiosk: {other}"),
    };
    let entries = |plant: &mut Plant| plant.kiosk("K1").status().expect("the store works").entries;
    let before = entries(plant);
    let first = take(plant);
    let (held, _) = first.clone().unwrap_or_default();
    assert!(entries(plant) >= before + u64::try_from(held).expect("a small number"), "what is called taken is held");
    assert_eq!(take(plant), first.clone().map(|_| (0, 0)), "a bundle repeated brings nothing new");
    if first.is_err() {
        assert_eq!(entries(plant), before, "of a refused one nothing is taken");
    }
    first.err()
}

/// The same at the server.
fn taken_by_server(plant: &Plant, file: &Path) -> Option<BadBundle> {
    let take = || match plant.server.import_bundle(file) {
        Ok((from, brought)) => {
            assert_eq!(from.device, ISLAND.hostile.key(), "it is said who wrote it");
            Ok((brought.held, brought.documents))
        }
        Err(BundleRefused::Bad(BadBundle::Stale)) => Ok((0, 0)),
        Err(BundleRefused::Bad(why)) => Err(why),
        Err(other) => panic!("no file stops a server: {other}"),
    };
    let first = take();
    assert_eq!(take(), first.clone().map(|_| (0, 0)), "a bundle repeated brings nothing new");
    first.err()
}

pub fn bundles() -> Vec<Vec<u8>> {
    let whole = &ISLAND.bundles;
    let empty = Give::default().to_bytes();
    let other = |piece: Vec<u8>| reframed(&whole[0], move |_| piece.clone(), |said, _, _| said.to_vec());
    let entries = [&[1], empty.as_slice()].concat();
    let document = [&[2], b"# Seal\n".as_slice()].concat();
    whole.iter().cloned().chain([other(entries), other(document)]).collect()
}

/// Lines of an evidence bundle, to the verifier with the server's key.
pub fn evidence(bytes: &[u8]) -> Verdict {
    let island = &*ISLAND;
    let root = Some(island.server.key());
    let verify = |bytes: &[u8], root| lineproof_verify::verify(bytes, root).expect("memory can be read");
    told(&verify(bytes, root));
    let lines: Vec<Vec<u8>> = bytes.split(|byte| *byte == b'\n').map(|line| island.line(line)).collect();
    let text = lines.join(&b'\n');
    let report = verify(&text, root);
    told(&report);
    if let Some(found) = report.findings.first() {
        return refused(format!("{}: {}", found.what, found.problem));
    }
    assert_eq!(
        report.entries + 2,
        lines.len() as u64,
        "each line is an entry, but the first and what follows the last"
    );
    // Nobody else vouches for it, and nothing of it can be left out.
    assert!(!verify(&text, Some(island.hostile.key())).is_clean());
    assert!(!verify(&text[..text.len() - 1], root).is_clean());
    for left_out in [0, lines.len() / 2, lines.len() - 2] {
        let rest: Vec<&[u8]> =
            lines.iter().enumerate().filter(|(place, _)| *place != left_out).map(|(_, line)| line.as_slice()).collect();
        assert!(!verify(&rest.join(&b'\n'), root).is_clean(), "line {left_out} can't be left out");
    }
    Verdict::Accepted
}

/// Whatever was read, the report says what and why.
fn told(report: &Report) {
    assert_eq!(report.is_clean(), report.findings.is_empty());
    assert!(report.findings.is_sorted_by_key(|finding| finding.line), "in the order of the lines");
    let silent = report.findings.iter().find(|finding| finding.what.is_empty() || finding.problem.len() < 4);
    assert!(silent.is_none(), "a finding says what and why: {silent:?}");
    assert_eq!(report.entries, report.held.len() as u64);
    assert!(serde_json::to_string(report).is_ok());
}

pub fn evidences() -> Vec<Vec<u8>> {
    ISLAND.evidence.clone()
}
