//! Backup, escrow, restore: what was acknowledged before comes back whole, and nothing that was there is written over.

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use common::Edge;
use common::pen::{Pen, Stage, demo};
use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, COOKIE};
use rusqlite::Connection;
use serde_json::json;
use shared::id::*;
use shared::part11::boxes::Stretching;
use shared::sync::message::{Down, Up};
use shared::time::Timestamp;
use sync_server::config::Config;
use sync_server::core::escrow::Escrow;
use sync_server::core::people::Signer;
use sync_server::core::{Core, Environment, Machine, backup, restore};
use sync_server::tls::Authority;

const MONDAY: &str = "2026-03-02T06:00:00Z";

/// A server that ran, with its keys in escrow.
struct Plant {
    home: tempfile::TempDir,
    stage: Arc<Stage>,
    core: Core,
    keys: Escrow,
}

impl Plant {
    fn new() -> Self {
        Self::with(Stage::at(MONDAY))
    }

    fn with(stage: Arc<Stage>) -> Self {
        let home = tempfile::tempdir().unwrap();
        let core = demo(&home.path().join("data"), &stage);
        Authority::load_or_make(core.folder()).unwrap();
        let (helga, sven) = (signer("helga"), signer("sven"));
        core.set_up_signing(&helga.person, &helga.secret, "identity card", None, Stretching::TESTS).unwrap();
        core.set_up_signing(&sven.person, &sven.secret, "identity card", Some(&helga), Stretching::TESTS).unwrap();
        let file = home.path().join("keys");
        Escrow::of_folder(core.folder()).unwrap().write(&file).unwrap();
        let keys = Escrow::read(&file).unwrap();
        Self { home, stage, core, keys }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn back_up(&self, name: &str) -> PathBuf {
        let file = self.path(name);
        let made = backup::make(self.core.folder(), &file, &self.core.secrets.device, self.core.now()).unwrap();
        assert!(made.verification.is_clean(), "{:?}", made.verification);
        file
    }

    fn refused(&self, file: &Path, into: &str) -> String {
        self.restore(file, into).err().expect("the restore is refused")
    }

    fn restore(&self, file: &Path, into: &str) -> Result<Core, String> {
        let data = self.path(into);
        restore::from_backup(file, &self.keys, &data, self.stage.as_ref()).map_err(|why| why.to_string())?;
        Ok(Core::open(&data, self.stage.clone()).unwrap())
    }
}

fn signer(person: &str) -> Signer {
    Signer { person: PersonId::new(person).unwrap(), secret: format!("{person}, and a long secret") }
}

fn count(core: &Core, table: &str) -> i64 {
    core.ledger().connection().query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
}

/// A call after which the kiosk has seen all that the answer showed.
fn see(kiosk: &Pen, core: &Core) -> Down {
    kiosk.call(core, &[])
}

#[test]
fn restore_a_backup_holds_every_entry_box_and_blob_and_no_key() {
    let plant = Plant::new();
    let kiosk = Pen::enrol(&plant.core, "K3", "SEAL", 3);
    kiosk.call(&plant.core, &[]);
    let file = plant.back_up("monday.backup");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);

    let bytes = fs::read(&file).unwrap();
    let holds = |secret: &[u8]| bytes.windows(secret.len()).any(|part| part == secret);
    for (name, secret) in [
        ("signing key", plant.core.secrets.device.seed().to_vec()),
        ("signing key, spelled", hex(&plant.core.secrets.device.seed()).into_bytes()),
        ("pepper", plant.core.secrets.pepper.0.to_vec()),
        ("pepper, spelled", hex(&plant.core.secrets.pepper.0).into_bytes()),
        ("authority's key", fs::read(plant.path("data/tls/authority.key")).unwrap()[40..80].to_vec()),
    ] {
        assert!(!holds(&secret), "the backup holds the {name}");
    }

    let restored = plant.restore(&file, "restored").unwrap();
    // One entry more: the epoch that opened.
    assert_eq!(count(&restored, "entry"), count(&plant.core, "entry") + 1);
    assert_eq!(count(&restored, "box"), count(&plant.core, "box"));
    assert_eq!(restored.blobs.all().unwrap(), plant.core.blobs.all().unwrap());
    assert!(!restored.blobs.all().unwrap().is_empty());
    assert_eq!(restored.key(), plant.core.key());
    assert!(restored.verify(true).unwrap().is_clean());
    restored.unlock(&signer("helga")).unwrap();
    let tables = "SELECT count(*) FROM sqlite_schema WHERE name LIKE 'backup%'";
    let left: i64 = restored.ledger().connection().query_row(tables, [], |row| row.get(0)).unwrap();
    assert_eq!(left, 0, "what the backup added is gone");
    let old = Authority::load_or_make(plant.core.folder()).unwrap();
    assert_eq!(Authority::load_or_make(restored.folder()).unwrap().digest(), old.digest(), "kiosks still trust it");
}

#[test]
fn restore_a_backup_never_writes_over_a_file_and_leaves_nothing_half_done() {
    let plant = Plant::new();
    let file = plant.path("kept");
    fs::write(&file, "somebody's").unwrap();
    let refused = backup::make(plant.core.folder(), &file, &plant.core.secrets.device, plant.core.now());
    assert!(refused.unwrap_err().to_string().contains("is there already, and is kept"));
    assert_eq!(fs::read_to_string(&file).unwrap(), "somebody's");
    let nowhere = plant.path("no such folder/monday.backup");
    assert!(backup::make(plant.core.folder(), &nowhere, &plant.core.secrets.device, plant.core.now()).is_err());
    let escrow = Escrow::of_folder(plant.core.folder()).unwrap();
    assert!(escrow.write(&file).is_err(), "nor do keys");
    let left: Vec<_> = fs::read_dir(plant.home.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().contains("part")), "{left:?}");
}

#[test]
fn restore_a_backup_made_while_the_server_writes_is_of_one_instant() {
    let plant = Plant::new();
    let unit = [WorkUnitId::new("SEAL").unwrap()];
    let files: Vec<PathBuf> = std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for number in 0..60u16 {
                Pen::enrol(&plant.core, &format!("W{number}"), unit[0].as_str(), 100 + number);
            }
        });
        let files = (0..4).map(|number| plant.back_up(&format!("during-{number}"))).collect();
        writer.join().unwrap();
        files
    });
    for (number, file) in files.iter().enumerate() {
        let restored = plant.restore(file, &format!("restored-{number}")).unwrap();
        assert!(restored.verify(true).unwrap().is_clean());
    }
}

#[test]
fn restore_every_altered_backup_is_refused_before_anything_is_written() {
    let plant = Plant::new();
    let file = plant.back_up("monday.backup");
    let good = fs::read(&file).unwrap();
    let altered = plant.path("altered.backup");
    let mut refused = 0;
    for place in (0..good.len()).step_by(good.len() / 40) {
        let mut bytes = good.clone();
        bytes[place] ^= 0x10;
        fs::write(&altered, &bytes).unwrap();
        match plant.restore(&altered, "never") {
            Err(why) => {
                assert!(why.contains("Nothing was changed"), "byte {place}: {why}");
                assert!(!plant.path("never").exists(), "byte {place}");
                refused += 1;
            }
            // A byte that means nothing, such as one in a page's unused part: what was restored is what was backed up.
            Ok(core) => {
                assert_eq!(count(&core, "entry"), count(&plant.core, "entry") + 1, "byte {place}");
                assert!(core.verify(false).unwrap().is_clean(), "byte {place}");
                drop(core);
                fs::remove_dir_all(plant.path("never")).unwrap();
            }
        }
    }
    assert!(refused > 25, "only {refused} of 40 were noticed");
    fs::write(&altered, &good).unwrap();
    rusqlite::Connection::open(&altered).unwrap().pragma_update(None, "user_version", 1).unwrap();
    assert!(plant.refused(&altered, "never").contains("Nothing was changed"), "said to be of an earlier schema");
    fs::write(&altered, &good[..good.len() / 2]).unwrap();
    assert!(plant.refused(&altered, "never").contains("Nothing was changed"), "cut in half");
    fs::write(&altered, "not a backup").unwrap();
    assert!(plant.refused(&altered, "never").contains("is damaged, or is no backup"));
    assert!(!plant.path("never").exists());
}

#[test]
fn restore_a_backup_edited_with_sql_is_refused_however_its_digest_is_mended() {
    let plant = Plant::new();
    let file = plant.back_up("monday.backup");
    for sql in [
        "UPDATE box SET epoch = epoch + 1",
        "DELETE FROM legacy_row WHERE digest = (SELECT min(digest) FROM legacy_row)",
        "INSERT INTO setting (name, value) VALUES ('stopped', x'00') ON CONFLICT DO UPDATE SET value = x'00'",
        "DROP TRIGGER entry_is_never_changed",
        "DELETE FROM backup_blob WHERE digest = (SELECT min(digest) FROM backup_blob)",
        "UPDATE backup SET manifest = zeroblob(10)",
        "DELETE FROM backup",
    ] {
        let edited = plant.path("edited.backup");
        fs::copy(&file, &edited).unwrap();
        let changed = Connection::open(&edited).unwrap();
        changed.execute_batch(sql).unwrap();
        assert!(changed.total_changes() > 0 || sql.starts_with("DROP"), "{sql} changes nothing");
        drop(changed);
        assert!(plant.refused(&edited, "never").contains("Nothing was changed"), "{sql}");
        assert!(!plant.path("never").exists(), "{sql}");
    }
}

#[test]
fn restore_takes_its_own_keys_and_an_empty_folder_only() {
    let plant = Plant::new();
    let file = plant.back_up("monday.backup");
    let before = fs::read(plant.path("data/server.key")).unwrap();
    let refused = plant.refused(&file, "data");
    assert!(refused.contains("is not empty") && refused.contains("Nothing was changed"), "{refused}");
    assert_eq!(fs::read(plant.path("data/server.key")).unwrap(), before);

    let elsewhere = Stage::at(MONDAY);
    elsewhere.random(&mut [0; 32]);
    let other = Plant::with(elsewhere);
    let strange = restore::from_backup(&file, &other.keys, &plant.path("never"), plant.stage.as_ref());
    assert!(strange.unwrap_err().to_string().contains("another server"));
    assert!(!plant.path("never").exists());
    let bare = plant.path("bare.keys");
    fs::write(&bare, fs::read(plant.path("data/server.key")).unwrap()).unwrap();
    assert!(Escrow::read(&bare).err().unwrap().to_string().contains("no certificate authority"));
    fs::write(&bare, "lost").unwrap();
    assert!(Escrow::read(&bare).err().unwrap().to_string().contains("is not an escrow file"));
}

#[test]
fn restore_cut_short_starts_no_server() {
    let plant = Plant::new();
    let file = plant.back_up("monday.backup");
    drop(plant.restore(&file, "restored").unwrap());
    // As a crash leaves it: the mark is still there.
    fs::write(plant.path("restored/restoring"), "").unwrap();
    let refused = Core::open(&plant.path("restored"), plant.stage.clone()).err().unwrap().to_string();
    assert!(refused.contains("was cut short") && refused.contains("restore again"), "{refused}");
    assert!(plant.refused(&file, "restored").contains("was cut short"));
}

#[test]
fn restore_opens_an_epoch_and_says_so_until_two_people_have_signed() {
    let plant = Plant::new();
    let file = plant.back_up("monday.backup");
    let kiosk = Pen::enrol(&plant.core, "K3", "SEAL", 3);
    let seen = see(&kiosk, &plant.core);
    assert!(plant.core.put_back().unwrap().is_none());
    assert!(plant.core.sign_recovery("no reason", [&signer("helga"), &signer("sven")]).is_err(), "nothing to sign");

    plant.stage.set("2026-03-02T07:00:00Z");
    let restored = plant.restore(&file, "restored").unwrap();
    let put_back = restored.put_back().unwrap().expect("it was put back");
    assert!(!put_back.stopped && put_back.reason.contains("restored from the backup of 2026-03-02 06:00 UTC"));
    assert_eq!(put_back.may_sign, [PersonId::new("helga").unwrap(), PersonId::new("sven").unwrap()]);

    // The kiosk shows what it has witnessed: the order of the lost hours.
    let mut up: Up = kiosk.up(&restored, &[]);
    up.cursors = common::pen::cursors(&seen);
    let down = kiosk.send(&restored, &up);
    assert!(down.items.is_empty(), "it is given nothing of a doubtful order");
    let put_back = restored.put_back().unwrap().unwrap();
    assert!(put_back.stopped);
    let who = put_back.contradicted_by.expect("somebody contradicted");
    assert!(who.contains("plant/global"), "{who}");
    let stopped = restored.enrol_code(KioskName::new("K9").unwrap(), &[WorkUnitId::new("SEAL").unwrap()]);
    stopped.expect("a code writes no entry, and nobody can use it yet");
    let (maria, helga) = (signer("maria"), signer("helga"));
    let set_up = || restored.set_up_signing(&maria.person, &maria.secret, "badge", Some(&helga), Stretching::TESTS);
    assert!(set_up().unwrap_err().to_string().contains("nothing is written until two people have signed"));

    let reason = "the disk failed";
    assert!(restored.sign_recovery(reason, [&signer("helga"), &signer("helga")]).is_err(), "one person twice");
    assert!(restored.sign_recovery(reason, [&signer("helga"), &signer("maria")]).is_err(), "without authority");
    assert!(restored.sign_recovery(" ", [&signer("helga"), &signer("sven")]).is_err(), "without a reason");
    let wrong = Signer { secret: "another secret".into(), ..signer("sven") };
    assert!(restored.sign_recovery(reason, [&signer("helga"), &wrong]).is_err());
    assert!(restored.put_back().unwrap().unwrap().stopped, "none of it counted");
    restored.sign_recovery(reason, [&signer("helga"), &signer("sven")]).unwrap();
    assert!(restored.put_back().unwrap().is_none());
    let down = kiosk.send(&restored, &up);
    assert!(!down.recovered.is_empty(), "the kiosk is shown who vouched");
    set_up().unwrap();
    assert!(restored.verify(true).unwrap().is_clean());
}

#[test]
fn restore_from_the_keys_alone_is_a_server_in_an_epoch_of_its_own() {
    let plant = Plant::new();
    let data = plant.path("anew");
    let restored = restore::from_nothing(&plant.keys, &data, plant.stage.as_ref()).unwrap();
    let core = Core::open(&data, plant.stage.clone()).unwrap();
    assert_eq!((core.key(), restored.backup_of), (plant.core.key(), None));
    let put_back = core.put_back().unwrap().expect("it was put back");
    assert!(put_back.reason.contains("everything was lost") && put_back.may_sign.is_empty());
    assert_eq!(put_back.since, Timestamp::parse(MONDAY).unwrap());
    assert_eq!(count(&core, "epoch"), 1);
}

fn run(data: &Path, arguments: &[&str]) -> (i32, String, String) {
    // From the folder above, so that files may be named without one.
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_sync-server"));
    command.arg("--data").arg(data).args(arguments).env_remove("LINEPROOF_DATA");
    command.current_dir(data.parent().unwrap());
    command.env("LINEPROOF_SECRET", signer("helga").secret).env("LINEPROOF_SECOND_SECRET", signer("sven").secret);
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn restore_from_the_command_line_as_an_administrator_does_it() {
    let plant = Plant::new();
    let text = |path: PathBuf| path.to_str().unwrap().to_owned();
    let (data, new) = (plant.path("data"), plant.path("new"));
    let (file, safe) = (text(plant.path("monday.backup")), text(plant.path("safe.keys")));

    let (code, out, _) = run(&data, &["backup", &file, "--json"]);
    let made: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, made["entries"].as_i64()), (0, Some(count(&plant.core, "entry"))), "{out}");
    let (code, _, why) = run(&data, &["backup", &file]);
    assert_eq!(code, 3);
    assert!(why.contains("is there already, and is kept"), "{why}");
    assert_eq!(run(&data, &["escrow", &safe]).0, 0);
    assert_eq!(run(&data, &["escrow", &safe]).0, 3, "nor is a key file written over");
    for (command, name) in [("backup", "bare.backup"), ("escrow", "bare.keys")] {
        let (code, _, why) = run(&data, &[command, name]);
        assert!(code == 0 && plant.path(name).exists(), "{command} into a file without a folder: {why}");
    }
    assert_eq!(run(&data, &["recover", "--as", "helga", "--and", "sven", "--reason", "none"]).0, 3, "nothing to sign");

    assert_eq!(run(&new, &["restore", &file]).0, 2, "without keys");
    let (code, out, why) = run(&new, &["restore", &file, "--keys", &safe]);
    assert_eq!(code, 0, "{why}");
    assert!(out.contains("1. Start it") && out.contains("Two people"), "{out}");
    assert_eq!(run(&new, &["restore", &file, "--keys", &safe]).0, 3, "not over a server");
    assert_eq!(run(&new, &["recover", "--as", "helga", "--and", "helga", "--reason", "disk"]).0, 3);
    let (code, out, why) = run(&new, &["recover", "--as", "helga", "--and", "sven", "--reason", "the disk failed"]);
    assert_eq!((code, out.contains("have signed the recovery")), (0, true), "{why}");
    assert_eq!(run(&new, &["verify", "--rebuild"]).0, 0);
    assert_eq!(run(&plant.path("empty"), &["restore", "--empty", "--keys", &safe]).0, 0);
}

fn doctor(data: &Path) -> (i32, serde_json::Map<String, serde_json::Value>) {
    let (code, out, why) = run(data, &["doctor", "--json"]);
    let lines: Vec<serde_json::Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (summary, checks) = lines.split_last().unwrap_or_else(|| panic!("{why}"));
    assert_eq!(summary["checks"].as_u64(), Some(checks.len() as u64));
    let named = checks.iter().map(|check| (check["check"].as_str().unwrap().to_owned(), check.clone()));
    for check in checks.iter().filter(|check| check["fine"] == false) {
        assert!(!check["do"].as_str().unwrap_or_default().is_empty(), "it says what to do: {check}");
    }
    (code, named.collect())
}

#[test]
fn restore_the_doctor_says_what_is_amiss_and_what_to_do() {
    let plant = Plant::with(Stage::at("2026-03-02T06:00:00Z"));
    let text = |path: PathBuf| path.to_str().unwrap().to_owned();
    let data = plant.path("data");
    fs::remove_file(plant.path("data/lock")).ok();
    let (code, checks) = doctor(&data);
    assert_eq!(code, 1);
    for check in ["last backup", "keys in escrow"] {
        assert_eq!(checks[check]["fine"], false, "{check}");
    }
    assert_eq!(checks["identity"]["detail"], plant.core.key().to_string(), "the root for the verifier");
    assert_eq!(run(&data, &["backup", &text(plant.path("a.backup"))]).0, 0);
    assert_eq!(run(&data, &["escrow", &text(plant.path("a.keys"))]).0, 0);
    let (_, checks) = doctor(&data);
    let amiss = |checks: &serde_json::Map<String, serde_json::Value>| -> Vec<String> {
        checks.iter().filter(|(_, check)| check["fine"] == false).map(|(name, _)| name.clone()).collect()
    };
    // How much room the disk has is the machine's affair.
    let left: Vec<String> = amiss(&checks).into_iter().filter(|name| name != "free space").collect();
    assert_eq!(left, [""; 0], "{checks:?}");

    Pen::enrol(&plant.core, "K3", "SEAL", 3);
    fs::set_permissions(plant.path("data/server.key"), fs::Permissions::from_mode(0o644)).unwrap();
    let (_, checks) = doctor(&data);
    assert_eq!(checks["kiosks"]["fine"], false, "a kiosk never called");
    assert!(checks["files"]["detail"].as_str().unwrap().contains("server.key"));
    let keys = |checks: &serde_json::Map<String, serde_json::Value>| {
        checks["people's keys"]["detail"].as_str().unwrap().to_owned()
    };
    assert!(keys(&checks).contains("all sealed under the newest pepper; 0 kiosks have left"), "{}", keys(&checks));
    plant.core.revoke_kiosk(&KioskName::new("K3").unwrap(), "stolen", None).unwrap();
    let (_, checks) = doctor(&data);
    assert!(keys(&checks).contains("are sealed under a pepper that a kiosk which left may know"), "{}", keys(&checks));
    fs::write(plant.path("data/config.toml"), "silent_hours = 3\n").unwrap();
    fs::remove_file(plant.path("data/tls/authority.key")).unwrap();
    let (code, checks) = doctor(&data);
    assert_eq!((code, &checks["settings"]["fine"], &checks["certificates"]["fine"]), (1, &false.into(), &false.into()));

    let new = plant.path("new");
    let (file, keys) = (text(plant.path("a.backup")), text(plant.path("a.keys")));
    assert_eq!(run(&new, &["restore", &file, "--keys", &keys]).0, 0);
    let (_, checks) = doctor(&new);
    let writing = checks["writing"]["detail"].as_str().unwrap();
    assert!(writing.contains("restored from the backup") && writing.contains("nobody has signed"), "{writing}");
    let away = fs::read(plant.path("new/server.key")).unwrap();
    fs::remove_file(plant.path("new/server.key")).unwrap();
    let (code, checks) = doctor(&new);
    assert_eq!((code, &checks["server"]["fine"]), (1, &false.into()), "a server that can't start is examined, too");
    assert!(!plant.path("new/server.key").exists());
    fs::write(plant.path("new/server.key"), away).unwrap();
}

#[tokio::test]
async fn restore_two_people_sign_in_the_browser() {
    let plant = Plant::new();
    let file = plant.back_up("monday.backup");
    let home = tempfile::tempdir().unwrap();
    restore::from_backup(&file, &plant.keys, home.path(), &Machine).unwrap();
    let core = Arc::new(Core::open(home.path(), Arc::new(Machine)).unwrap());
    let edge = Edge::over(home, core, Config::local()).await;
    let old = Authority::load_or_make(plant.core.folder()).unwrap();
    assert_eq!(edge.running.authority_pem, old.pem(), "kiosks that pinned it find it again");

    let session = edge.session().await;
    let (_, overview) = edge.page("/", &session).await;
    for words in ["This server was put back", "restored from the backup of", "/recovery"] {
        assert!(overview.contains(words), "{words}: {overview}");
    }
    let (status, page) = edge.page("/recovery", &session).await;
    assert!(status == StatusCode::OK && page.contains("(helga)") && page.contains("(sven)"), "{page}");
    let sign = |first: &str, second: &str| {
        let secrets = (signer(first).secret, signer(second).secret);
        let form = format!(
            "first={first}&first_secret={}&second={second}&second_secret={}&reason=disk",
            secrets.0.replace(' ', "+"),
            secrets.1.replace(' ', "+")
        );
        let request = edge.client.post(edge.at("/recovery")).header(COOKIE, &session);
        request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form).send()
    };
    assert!(sign("helga", "helga").await.unwrap().status().is_client_error(), "one person twice");
    assert!(sign("helga", "maria").await.unwrap().status().is_client_error(), "without authority");
    assert!(edge.core.put_back().unwrap().is_some());
    assert_eq!(sign("helga", "sven").await.unwrap().status(), StatusCode::SEE_OTHER);
    assert!(edge.core.put_back().unwrap().is_none());
    assert_eq!(edge.page("/recovery", &session).await.0, StatusCode::NOT_FOUND);
    assert!(!edge.page("/", &session).await.1.contains("was put back"));
    let of = |person: &str| json!({"person": person, "secret": signer(person).secret});
    let again = json!({"reason": "again", "first": of("helga"), "second": of("sven")}).to_string();
    let answer = edge.post("/api/v1/recovery", "application/json", again).await;
    common::refused(answer, StatusCode::UNPROCESSABLE_ENTITY, "refused").await;
}

#[tokio::test]
async fn restore_a_server_that_lost_contents_asks_kiosks_for_them() {
    let (home, stage) = (tempfile::tempdir().unwrap(), Stage::at(MONDAY));
    let core = demo(home.path(), &stage);
    assert_eq!(core.lacking_blobs(), [], "nothing is lacking by itself");
    let digest = core.plant().quizzes.values().next().unwrap().paper;
    let bytes = core.blobs.read(&digest).unwrap().unwrap();
    drop(core);
    let name = digest.to_string();
    fs::remove_file(home.path().join("blobs").join(&name[..2]).join(&name)).unwrap();
    let core = Arc::new(Core::open(home.path(), Arc::new(Machine)).unwrap());
    let edge = Edge::over(home, core, Config::local()).await;
    let device = shared::part11::signature::DeviceSecret::from_seed([3; 32]);
    edge.enrol(&device, "K3", "SEAL").await;
    let call = |up: &Up| edge.post("/api/v1/exchange", common::EXCHANGE, common::packed(&up.seal(&device)));
    let answer = call(&edge.call(&device)).await;
    assert!(answer.headers().contains_key("x-lineproof-lacks-blobs"));
    let token = answer.headers()[common::TOKEN].to_str().unwrap().to_owned();
    let lacking = || edge.client.get(edge.at("/api/v1/blobs/lacking")).header(common::TOKEN, &token).send();
    assert_eq!(common::parsed(lacking().await.unwrap()).await, json!([name]));
    let put = edge.client.put(edge.at(&format!("/api/v1/blobs/{name}"))).header(common::TOKEN, &token).body(bytes);
    assert!(put.send().await.unwrap().status().is_success());
    assert_eq!(common::parsed(lacking().await.unwrap()).await, json!([]));
    assert!(!call(&edge.call(&device)).await.headers().contains_key("x-lineproof-lacks-blobs"));
    let stranger = edge.client.get(edge.at("/api/v1/blobs/lacking")).send().await.unwrap();
    assert_eq!(stranger.status(), StatusCode::UNAUTHORIZED);
}
