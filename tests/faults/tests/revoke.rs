//! Kiosks that are revoked, with the programs as they are shipped: what their own screens say, and when.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use harness::{secret_of, signer};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use reqwest::{Certificate, Client};
use shared::part11::boxes::Stretching;
use sync_server::core::{Core as Server, Machine};

use crate::kill::{Done, MARIA, another_code, ask, is_at_the_server, look, look_at_the_server, prepare};
use crate::programs::*;

/// Until a kiosk that can be reached says GO to nobody.
const PROMISED: Duration = Duration::from_secs(1);

/// An administrator revokes a kiosk at the running server.
fn revoke_at(url: &str, data: &Path, kiosk: &str) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let authority = Certificate::from_pem(&fs::read(data.join("tls/authority.pem")).unwrap()).unwrap();
    let token = fs::read_to_string(data.join(sync_server::access::TOKEN_FILE)).unwrap();
    let asked = async {
        let client = Client::builder().tls_certs_only([authority]).build().unwrap();
        let request = client.post(format!("{url}/api/v1/kiosks/{kiosk}/revoke"));
        let request = request.header(AUTHORIZATION, format!("Bearer {}", token.trim()));
        let by = serde_json::json!({"person": "sven", "secret": secret_of("sven")});
        let body = serde_json::json!({"reason": "stolen", "by": by}).to_string();
        request.header(CONTENT_TYPE, "application/json").body(body).send().await.unwrap()
    };
    assert_eq!(kiosk::runtime::sync_runtime().unwrap().block_on(asked).status(), 201);
}

/// The same, while nobody runs.
fn revoke_in(data: &Path, kiosk: &str, around: &Surroundings) {
    let mut command = Command::new(program("sync-server"));
    command.args(["kiosk", "revoke", kiosk, "--as", "sven", "--reason", "stolen", "--data"]).arg(data);
    command.env("LINEPROOF_SECRET", secret_of("sven"));
    let (code, told) = run(command, around);
    assert_eq!(code, 0, "{told}");
}

fn until_revoked(kiosk: &mut KioskProgram) -> Shown {
    kiosk.until("that it is revoked", |status| status["revoked"] == "stolen")
}

/// Nobody gets any further than the screen that says so.
fn serves_nobody(kiosk: &mut KioskProgram) {
    let shown = kiosk.act(&format!("badge {MARIA}")).unwrap();
    assert_eq!((&shown["screen"], &shown["status"]["revoked"]), (&"fault".into(), &"stolen".into()), "{shown}");
}

#[test]
fn r7_a_revoked_kiosks_own_screen_refuses_within_a_second_and_that_of_a_dark_one_at_the_next_contact() {
    let home = tempfile::tempdir().unwrap();
    let (folder, port, around) = (home.path(), free_port(), Surroundings::default());
    let data = folder.join("server");
    let code = prepare(&data, Arc::new(Machine));
    let (sven, verifier) = ("sven".parse().unwrap(), signer("helga"));
    let at_server = Server::open(&data, Arc::new(Machine)).unwrap();
    at_server.set_up_signing(&sven, &secret_of("sven"), "identity card", Some(&verifier), Stretching::TESTS).unwrap();
    drop(at_server);
    let other = another_code(&data, "K4");
    let mut server = ServerProgram::start(&data, port, &around);
    let mut kiosks = [("K3", code), ("K4", other)].map(|(name, code)| {
        let mut kiosk = KioskProgram::start(folder, name, &server.url, Some(&code), &around);
        kiosk.until("a plant", |status| status["line"] == "online" && status["entries"].as_u64() > Some(100));
        (name, kiosk, Done::default())
    });

    // Somebody stands before the first, and has just been told what they may.
    let [(_, first, done), (_, dark, darks)] = &mut kiosks;
    done.decided(&ask(first).unwrap());
    revoke_at(&server.url, &data, "K3");
    let began = Instant::now();
    until_revoked(first);
    let heard = began.elapsed();
    assert!(heard < PROMISED, "it was revoked {heard:?} ago");
    first.act("tap action:sign-out").unwrap();
    serves_nobody(first);

    server.running.end();
    darks.decided(&ask(dark).unwrap());
    dark.act("tap action:sign-out").unwrap();
    revoke_in(&data, "K4", &around);
    assert_eq!(dark.act("tap beside").unwrap()["status"]["revoked"], Shown::Null, "nobody could tell it");
    darks.decided(&ask(dark).unwrap());
    dark.act("tap action:sign-out").unwrap();
    let mut server = ServerProgram::start(&data, port, &around);
    let status = until_revoked(dark);
    assert_eq!(status["line"], "online", "{status}");
    serves_nobody(dark);

    // A revoked kiosk may still give: nothing that was shown is lost, and a restart forgets nothing.
    dark.until("what it held at the server", |_| is_at_the_server(folder, darks));
    dark.running.end();
    let mut again = KioskProgram::start(folder, "K4", &server.url, None, &around);
    serves_nobody(&mut again);
    again.running.end();
    kiosks[0].1.running.end();
    server.running.end();
    for (name, _, done) in &kiosks {
        look(folder, name, done);
        look_at_the_server(folder, done);
    }
    println!("{{\"name\":\"revoked\",\"runs\":2,\"violations\":0,\"heard_ms\":{}}}", heard.as_millis());
}
