//! A retirement with the programs as they are shipped, as an administrator does it: interrupted, and with a server that is away in between.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use harness::{secret_of, signer};
use shared::part11::boxes::Stretching;
use sync_server::core::{Core as Server, Machine};

use crate::kill::{MARIA, prepare};
use crate::programs::*;

fn retire(folder: &Path, url: &str, person: &str, secret: Option<&str>) -> Command {
    let mut command = Command::new(program("kiosk"));
    command.args(["retire", "--as", person, "--reason", "line 2 is closed", "--server", url]);
    command.arg("--data").arg(folder.join("K3")).arg("--key-store").arg(folder.join("K3-keys"));
    command.env_remove("LINEPROOF_SECRET");
    command.envs(secret.map(|secret| ("LINEPROOF_SECRET", secret)));
    command
}

fn at_the_server(folder: &Path, arguments: &[&str]) -> (i32, String) {
    let mut command = Command::new(program("sync-server"));
    command.arg("--data").arg(folder.join("server")).args(["kiosk"]).args(arguments);
    command.env("LINEPROOF_SECRET", secret_of("helga")).env("LINEPROOF_SECOND_SECRET", secret_of("sven"));
    run(command, &Surroundings::default())
}

#[test]
fn s9_an_administrator_retires_a_kiosk_with_the_real_programs() {
    let home = tempfile::tempdir().unwrap();
    let (folder, port, around) = (home.path(), free_port(), Surroundings::default());
    let data = folder.join("server");
    let code = prepare(&data, Arc::new(Machine));
    let server = Server::open(&data, Arc::new(Machine)).unwrap();
    let (sven, verifier) = ("sven".parse().unwrap(), signer("helga"));
    server.set_up_signing(&sven, &secret_of("sven"), "identity card", Some(&verifier), Stretching::TESTS).unwrap();
    drop(server);
    let secret = secret_of("jonas");
    let signed = ["retire", "K3", "--as", "helga", "--and", "sven", "--reason", "line 2 is closed"];

    let mut server = ServerProgram::start(&data, port, &around);
    let url = server.url.clone();
    let mut kiosk = KioskProgram::start(folder, "K3", &url, Some(&code), &around);
    kiosk.act(&format!("badge {MARIA}")).unwrap();
    kiosk.running.end();
    server.running.end();
    let (exit, _) = run(retire(folder, &url, "jonas", Some(&secret)), &around);
    assert_eq!(exit, 3, "nobody says that the server holds everything");
    assert_eq!(at_the_server(folder, &signed).0, 3, "the kiosk comes first");

    let mut server = ServerProgram::start(&data, port, &around);
    let (exit, said) = run(retire(folder, &url, "maria", Some(&secret_of("maria"))), &around);
    assert!(exit == 1 && said.contains("Not retired"), "{exit} {said}");
    let (exit, said) = run(retire(folder, &url, "jonas", Some("not his secret")), &around);
    assert!(exit == 1 && said.contains("the secret is wrong"), "{exit} {said}");
    let mut leaving = Running::start(retire(folder, &url, "jonas", Some(&secret)), &around);
    leaving.wait_for("its last word", |line| line.contains("sync-server kiosk retire K3").then_some(()));
    leaving.end();
    assert!(folder.join("K3/kiosk.sqlite").exists(), "nothing is erased before two people have signed");
    server.running.end();

    let (exit, said) = at_the_server(folder, &signed);
    assert!(exit == 0 && said.contains("K3 is retired"), "{exit} {said}");
    let mut server = ServerProgram::start(&data, port, &around);
    let (exit, said) = run(retire(folder, &url, "jonas", None), &around);
    assert!(exit == 0 && said.contains("erased"), "{exit} {said}");
    let left =
        |folder: &Path| std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name()).collect::<Vec<_>>();
    assert_eq!(left(&folder.join("K3")), ["in-use"]);
    assert!(left(&folder.join("K3-keys")).is_empty());
    assert_eq!(run(retire(folder, &url, "jonas", None), &around).0, 1, "there is nothing to retire");
    server.running.end();
    let (_, list) = at_the_server(folder, &["list"]);
    assert!(list.contains("K3") && list.contains("retired"), "{list}");
}
