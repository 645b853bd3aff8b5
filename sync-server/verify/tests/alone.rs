//! The verifier as somebody outside uses it: a file, a key, an exit code.

use std::path::Path;
use std::process::{Command, Output};

use shared::id::*;
use shared::kind::plant::{DeviceEnrolled, KeyStoreKind, ServerEpoch};
use shared::kind::presence::BadgeIn;
use shared::kind::{Body, Statement};
use shared::log::entry::seal;
use shared::log::evidence_bundle::{FORM, Manifest, Number, OrderEnd, Tip, entry_line};
use shared::log::{Draft, Entry, LogId, Position, Stream, Subject};
use shared::part11::signature::DeviceSecret;
use shared::sync::order::{chain_next, chain_start};
use shared::time::{ClockReading, HybridTime, Timestamp};

const EPOCH: Incarnation = Incarnation([4; 16]);

fn server() -> DeviceSecret {
    DeviceSecret::from_seed([1; 32])
}

fn kiosk() -> DeviceSecret {
    DeviceSecret::from_seed([2; 32])
}

fn entry(
    device: &DeviceSecret,
    stream: &Stream,
    before: Option<&Entry>,
    subject: Subject,
    body: impl Into<Body>,
) -> Entry {
    let position = Position {
        log: LogId { device: device.key(), incarnation: EPOCH, stream: stream.clone() },
        counter: before.map_or(1, |before| before.header().counter + 1),
        prev: before.map(Entry::id),
        hybrid: HybridTime::default(),
        clock: ClockReading::exact(Timestamp(1_000)),
        plant: Vec::new(),
    };
    seal(&Draft::new(subject, Statement { act: ActId([7; 16]), body: body.into() }), &position, device).unwrap()
}

/// What a small server holds: its epoch, a kiosk that it enrolled, and two badges at that kiosk.
fn held(enrolled: DeviceKey) -> Vec<Entry> {
    let (plant, site) = (Stream::plant_global(), SiteId::new("S").unwrap());
    let presence = Stream::presence(&site);
    let opened = ServerEpoch { epoch: EPOCH, reason: "installation".into() };
    let first = entry(&server(), &plant, None, Subject::new("server", server().key()), opened);
    let body = DeviceEnrolled {
        device: enrolled,
        name: KioskName::new("K1").unwrap(),
        site,
        work_units: Vec::new(),
        key_store: KeyStoreKind::File,
        replaces: None,
    };
    let second = entry(&server(), &plant, Some(&first), Subject::new("device", enrolled), body);
    let maria = Subject::new("person", "maria");
    let third = entry(&kiosk(), &presence, None, maria.clone(), BadgeIn { day_pass: false });
    let fourth = entry(&kiosk(), &presence, Some(&third), maria, BadgeIn { day_pass: true });
    vec![first, second, third, fourth]
}

fn bundle(entries: &[Entry], signed_by: &DeviceSecret) -> String {
    let mut orders: Vec<OrderEnd> = Vec::new();
    let mut lines = String::new();
    for entry in entries {
        let stream = &entry.log().stream;
        let place = orders.iter().position(|end| end.stream == stream.to_string()).unwrap_or_else(|| {
            let chain = chain_start(&EPOCH, stream);
            orders.push(OrderEnd { stream: stream.to_string(), epoch: EPOCH, number: 0, chain });
            orders.len() - 1
        });
        let end = &mut orders[place];
        (end.number, end.chain) = (end.number + 1, chain_next(&end.chain, &entry.id()));
        lines += &format!("{}\n", entry_line(entry, vec![Number { epoch: EPOCH, number: end.number }]));
    }
    let last = |entry: &&Entry| !entries.iter().any(|other| other.header().prev == Some(entry.id()));
    let tip = |entry: &Entry| Tip { log: entry.log().to_string(), counter: entry.header().counter, entry: entry.id() };
    let manifest = Manifest {
        form: FORM,
        server: signed_by.key(),
        made_at: Timestamp(2_000),
        entries: entries.len() as u64,
        tips: entries.iter().filter(last).map(tip).collect(),
        orders,
        complete_through: Some(Timestamp(1_000)),
        unknown: Vec::new(),
    };
    format!("{}\n{lines}", manifest.seal(signed_by))
}

fn run(file: &Path, more: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_lineproof-verify")).arg(file).args(more).output().unwrap()
}

#[test]
fn h4_a_bundle_is_checked_with_nothing_but_the_file_and_a_key() {
    let folder = std::env::temp_dir().join(format!("lineproof-verify-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("a.evidence");
    let write = |text: &str| std::fs::write(&file, text).unwrap();
    let code = |output: &Output| output.status.code().unwrap();
    let told = |output: &Output| String::from_utf8(output.stdout.clone()).unwrap();
    let root = server().key().to_string();
    let root = ["--root", root.as_str()];
    let good = held(kiosk().key());
    let text = bundle(&good, &server());

    write(&text);
    let well = run(&file, &root);
    assert!(
        code(&well) == 0 && told(&well).contains("4 entries, 4 signatures good, 2 logs, chains unbroken"),
        "{well:?}"
    );
    assert!(told(&run(&file, &[])).contains("The bundle says so itself"));
    let summary = told(&run(&file, &["--json"]));
    let summary: serde_json::Value = serde_json::from_str(summary.lines().last().unwrap()).unwrap();
    assert_eq!((&summary["entries"], &summary["findings"]), (&4.into(), &0.into()));

    let other = "07".repeat(32);
    assert_eq!(code(&run(&file, &["--root", &other])), 1, "another server's");
    assert_eq!(code(&run(&file, &["--root", "no key"])), 2);
    assert_eq!(code(&run(&folder.join("nowhere"), &root)), 3);

    for (why, text, named) in [
        ("nobody enrolled the kiosk", bundle(&held(DeviceKey([9; 32])), &server()), "nobody enrolled the device"),
        ("the manifest is a stranger's", bundle(&good, &kiosk()), "not by the server that was named"),
        (
            "an entry is left out, and the server's word with it",
            bundle(&[&good[..2], &good[3..]].concat(), &server()),
            "missing",
        ),
        ("the manifest is altered", text.replacen("\"payload\":\"e", "\"payload\":\"f", 1), "the manifest"),
        ("the last line is gone", text.lines().take(4).map(|line| format!("{line}\n")).collect(), "missing"),
        ("there is nothing", String::new(), "none that is good"),
    ] {
        write(&text);
        let found = run(&file, &root);
        assert!(code(&found) == 1 && told(&found).contains(named), "{why}: {found:?}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}
