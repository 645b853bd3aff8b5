//! The edge from outside: who is let in, what is refused, and how.

mod common;

use std::time::{Duration, Instant};

use common::pen::{Stage, demo};
use common::{EXCHANGE, Edge, TOKEN, packed, parsed, refused};
use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, COOKIE, LOCATION, RANGE, SET_COOKIE};
use serde_json::json;
use shared::id::*;
use shared::kind::to_cbor;
use shared::part11::signature::DeviceSecret;
use shared::sync::message::{DeviceStanding, Down};
use sync_server::config::Config;

#[tokio::test]
async fn whoever_watches_the_service_gets_an_answer() {
    let edge = Edge::empty().await;
    assert_eq!(edge.get("/healthz").await.text().await.unwrap(), "ok\n");
    assert_eq!(edge.get("/readyz").await.status(), StatusCode::OK);
    assert_eq!(parsed(edge.get("/version").await).await["name"], "sync-server");
    refused(edge.get("/api/v1/nowhere").await, StatusCode::NOT_FOUND, "not_found").await;
    refused(edge.get("/api/v1/exchange").await, StatusCode::METHOD_NOT_ALLOWED, "wrong_method").await;
    edge.running.stop().await;
}

#[tokio::test]
async fn another_authority_is_not_trusted() {
    let (edge, other) = (Edge::empty().await, Edge::empty().await);
    assert!(edge.client.get(other.at("/healthz")).send().await.is_err());
}

#[tokio::test]
async fn a_call_that_is_no_message_is_the_callers_mistake() {
    let edge = Edge::empty().await;
    let bomb = zstd::encode_all(vec![0; 20 * 1024 * 1024].as_slice(), 3).unwrap();
    let framed = zstd::encode_all(&b"no message"[..], 3).unwrap();
    let stranger = DeviceSecret::from_seed([2; 32]);
    let call = packed(&edge.call(&stranger).seal(&stranger));
    let mut cut = call.clone();
    cut.truncate(cut.len() / 2);
    for (body, status) in [
        (b"no zstd".to_vec(), StatusCode::BAD_REQUEST),
        (Vec::new(), StatusCode::BAD_REQUEST),
        (framed, StatusCode::BAD_REQUEST),
        (cut, StatusCode::BAD_REQUEST),
        (bomb, StatusCode::PAYLOAD_TOO_LARGE),
        (vec![7; 6 * 1024 * 1024], StatusCode::PAYLOAD_TOO_LARGE),
    ] {
        assert_eq!(edge.post("/api/v1/exchange", EXCHANGE, body).await.status(), status);
    }
    let typed = edge.post("/api/v1/exchange", "text/plain", "x").await;
    refused(typed, StatusCode::UNSUPPORTED_MEDIA_TYPE, "bad_request").await;
    let unknown = edge.post("/api/v1/exchange", EXCHANGE, call).await;
    assert!(!unknown.headers().contains_key(TOKEN), "a stranger gets no token");
    assert!(unknown.status().as_u16() < 500);
}

#[tokio::test]
async fn s9_a_kiosk_enrols_with_a_code_calls_rings_and_fetches() {
    let edge = Edge::demo().await;
    let device = DeviceSecret::from_seed([3; 32]);
    edge.enrol(&device, "K3", "SEAL").await;
    let token = edge.exchange(&device, &edge.call(&device)).await;

    let plant = edge.core.plant();
    let draft = plant.documents.values().find_map(|document| document.draft(document.versions.first()?.id())).unwrap();
    let bytes = edge.core.blobs.read(&draft.contents[0].hash).unwrap().unwrap();
    let path = format!("/api/v1/blobs/{}", Digest32::of(&bytes));
    let put = |path: String, body: Vec<u8>| edge.client.put(edge.at(&path)).header(TOKEN, &token).body(body).send();
    assert_eq!(put(path.clone(), bytes.clone()).await.unwrap().status(), StatusCode::NO_CONTENT);
    refused(
        put(path.clone(), b"something else".to_vec()).await.unwrap(),
        StatusCode::UNPROCESSABLE_ENTITY,
        "wrong_digest",
    )
    .await;
    let part = edge.client.get(edge.at(&path)).header(TOKEN, &token).header(RANGE, "bytes=4-5").send().await.unwrap();
    assert_eq!(part.status(), StatusCode::PARTIAL_CONTENT);
    assert_eq!(part.headers()["content-range"].to_str().unwrap(), format!("bytes 4-5/{}", bytes.len()));
    assert_eq!(part.bytes().await.unwrap().as_ref(), &bytes[4..6]);
    let other = b"what nothing names".to_vec();
    let unnamed = put(format!("/api/v1/blobs/{}", Digest32::of(&other)), other).await.unwrap();
    refused(unnamed, StatusCode::CONFLICT, "not_named").await;
    refused(edge.get(&path).await, StatusCode::UNAUTHORIZED, "unauthorized").await;
    refused(put("/api/v1/blobs/zz".into(), bytes).await.unwrap(), StatusCode::BAD_REQUEST, "bad_request").await;

    let mut bell = edge.client.get(edge.at("/api/v1/bell")).header(TOKEN, &token).send().await.unwrap();
    assert_eq!(bell.headers()[CONTENT_TYPE], "text/event-stream");
    for _ in 0..2 {
        let rung = bell.chunk().await.unwrap().unwrap();
        assert!(std::str::from_utf8(&rung).unwrap().contains("event: ring"));
        edge.core.ring();
    }

    let revoked = edge.admin_post("/api/v1/kiosks/K3/revoke", json!({"reason": "stolen"})).await;
    assert_eq!(revoked.status(), StatusCode::CREATED);
    let fetched = edge.client.get(edge.at(&path)).header(TOKEN, &token).send().await.unwrap();
    refused(fetched, StatusCode::UNAUTHORIZED, "unauthorized").await;
    edge.running.stop().await;
}

#[tokio::test]
async fn r7_a_revoked_kiosk_is_rung_told_and_refused_everywhere_within_a_second() {
    let edge = Edge::demo().await;
    let device = DeviceSecret::from_seed([3; 32]);
    edge.enrol(&device, "K3", "SEAL").await;
    let token = edge.exchange(&device, &edge.call(&device)).await;
    let mut bell = edge.client.get(edge.at("/api/v1/bell")).header(TOKEN, &token).send().await.unwrap();
    bell.chunk().await.unwrap().expect("what rang before it listened");
    let plain = b"a scan of an old certificate".to_vec();
    let blob = format!("/api/v1/blobs/{}", Digest32::of(&plain));

    let asked = Instant::now();
    let revoked = edge.admin_post("/api/v1/kiosks/K3/revoke", json!({"reason": "stolen"})).await;
    assert_eq!(revoked.status(), StatusCode::CREATED);
    let rung = bell.chunk().await.unwrap().expect("it is rung");
    assert!(std::str::from_utf8(&rung).unwrap().contains("event: ring"));
    let called = edge.post("/api/v1/exchange", EXCHANGE, packed(&edge.call(&device).seal(&device))).await;
    let down = zstd::decode_all(called.bytes().await.unwrap().as_ref()).unwrap();
    let down = Down::open(&down).unwrap();
    assert_eq!(down.standing, DeviceStanding::Revoked("stolen".into(), None));
    assert!(down.items.is_empty() && down.boxes.rows.is_empty(), "it is given nothing");
    let refuse = async |call: reqwest::RequestBuilder| {
        refused(call.header(TOKEN, &token).send().await.unwrap(), StatusCode::UNAUTHORIZED, "unauthorized").await;
    };
    refuse(edge.client.get(edge.at(&blob))).await;
    refuse(edge.client.put(edge.at(&blob)).body(plain)).await;
    refuse(edge.client.get(edge.at("/api/v1/bell"))).await;
    assert!(asked.elapsed() < Duration::from_secs(1), "{:?}", asked.elapsed());
    edge.running.stop().await;
}

#[tokio::test]
async fn s9_a_wrong_code_is_refused_and_guessing_ends() {
    let edge = Edge::demo().await;
    let guess = to_cbor(&edge.request("AAAA-AAAA", &DeviceSecret::from_seed([4; 32])));
    refused(edge.post("/api/v1/enrol", "application/cbor", "garbage").await, StatusCode::BAD_REQUEST, "bad_request")
        .await;
    for _ in 0..5 {
        refused(
            edge.post("/api/v1/enrol", "application/cbor", guess.clone()).await,
            StatusCode::FORBIDDEN,
            "wrong_code",
        )
        .await;
    }
    refused(
        edge.post("/api/v1/enrol", "application/cbor", guess).await,
        StatusCode::TOO_MANY_REQUESTS,
        "too_many_tries",
    )
    .await;
}

#[tokio::test]
async fn s9_a_code_that_was_used_is_refused_to_another_terminal() {
    let edge = Edge::demo().await;
    let made =
        parsed(edge.admin_post("/api/v1/kiosks/enrol-codes", json!({"name": "K1", "work_units": ["SEAL"]})).await)
            .await;
    let code = made["code"].as_str().unwrap();
    let first = to_cbor(&edge.request(code, &DeviceSecret::from_seed([5; 32])));
    assert_eq!(edge.post("/api/v1/enrol", "application/cbor", first).await.status(), StatusCode::OK);
    let second = to_cbor(&edge.request(code, &DeviceSecret::from_seed([6; 32])));
    refused(edge.post("/api/v1/enrol", "application/cbor", second).await, StatusCode::FORBIDDEN, "used").await;
}

#[tokio::test]
async fn s9_a_code_is_good_for_fifteen_minutes_and_enrols_nobody_after_them() {
    let (data, stage) = (tempfile::tempdir().unwrap(), Stage::at("2026-03-02T06:00:00Z"));
    let core = std::sync::Arc::new(demo(data.path(), &stage));
    let edge = Edge::over(data, core, Config::local()).await;
    let code = || edge.core.enrol_code("K1".parse().unwrap(), &["SEAL".parse().unwrap()]).unwrap();
    let enrol = async |code: &str, device: u8| {
        let request = edge.request(code, &DeviceSecret::from_seed([device; 32]));
        edge.post("/api/v1/enrol", "application/cbor", to_cbor(&request)).await
    };
    let entries = || edge.core.verify(false).unwrap().entries;
    let (late, before) = (code(), entries());
    stage.set("2026-03-02T06:15:01Z");
    refused(enrol(&late, 3).await, StatusCode::FORBIDDEN, "expired").await;
    assert_eq!(entries(), before, "nothing is written");
    assert!(edge.core.plant().devices.is_empty(), "nobody is enrolled");
    refused(enrol(&late, 3).await, StatusCode::FORBIDDEN, "expired").await;

    let good = code();
    stage.set("2026-03-02T06:30:00Z");
    assert_eq!(enrol(&good, 3).await.status(), StatusCode::OK, "at 14:59 it is good");
    assert_eq!(edge.core.plant().devices.len(), 1);
    refused(enrol(&good, 4).await, StatusCode::FORBIDDEN, "used").await;
    assert_eq!(edge.core.plant().devices.len(), 1, "and for one terminal only");
}

#[tokio::test]
async fn office_acts_are_signed_with_the_signers_own_secrets() {
    let edge = Edge::demo().await;
    let set_up = json!({"person": "helga", "secret": "helga-secret", "identity_proof": "identity card"});
    let alone = edge.post("/api/v1/signing-set-up", "application/json", set_up.to_string()).await;
    refused(alone, StatusCode::UNAUTHORIZED, "unauthorized").await;
    let first = edge.admin_post("/api/v1/signing-set-up", set_up).await;
    assert_eq!(first.status(), StatusCode::CREATED);
    let written = parsed(first).await;
    assert_eq!(written["signatures"][0]["meaning"], "signing_accepted");
    assert!(written["signatures"][0]["printed_name"].as_str().unwrap().starts_with("Helga"));

    let ruling = |secret: &str| {
        json!({"person": "maria", "accepted": true, "reason": "seen", "by": {"person": "helga", "secret": secret}})
            .to_string()
    };
    let wrong = edge.post("/api/v1/rulings", "application/json", ruling("not-her-secret")).await;
    assert!(matches!(wrong.status(), StatusCode::FORBIDDEN | StatusCode::UNPROCESSABLE_ENTITY));
    let nothing = edge.post("/api/v1/rulings", "application/json", ruling("helga-secret")).await;
    refused(nothing, StatusCode::UNPROCESSABLE_ENTITY, "refused").await;
    refused(edge.post("/api/v1/rulings", "application/json", "{").await, StatusCode::BAD_REQUEST, "bad_request").await;
}

#[tokio::test]
async fn g3_a_question_needs_the_administrators_token() {
    let edge = Edge::demo().await;
    let question = json!({"person": "maria", "document": "SOP-0042", "at": "2026-03-02T06:40:00Z"});
    let asked = edge.post("/api/v1/qualifications/query", "application/json", question.to_string()).await;
    refused(asked, StatusCode::UNAUTHORIZED, "unauthorized").await;
    let answer = parsed(edge.admin_post("/api/v1/qualifications/query", question).await).await;
    assert!(answer["answer"].is_string() && answer["watermark"].is_object(), "{answer}");
    let both = json!({"person": "maria", "at": "2026-03-02T06:40:00Z"});
    refused(edge.admin_post("/api/v1/qualifications/query", both).await, StatusCode::BAD_REQUEST, "bad_request").await;
}

#[tokio::test]
async fn pages_need_a_session_and_carry_no_script() {
    let edge = Edge::demo().await;
    let closed = edge.get("/").await;
    assert_eq!((closed.status(), closed.headers()[LOCATION].to_str().unwrap()), (StatusCode::SEE_OTHER, "/login"));
    let wrong = edge.post("/login", "application/x-www-form-urlencoded", "token=guess").await;
    assert_eq!(wrong.status(), StatusCode::FORBIDDEN);
    let session = edge.session().await;
    for (path, expected) in [
        ("/", "Talweg Medical"),
        ("/people", "Maria Lindner"),
        ("/people?q=lindner", "Maria Lindner"),
        ("/people?q=%3Cscript%3E", "Nobody active"),
        ("/people/maria", "Requirements now"),
    ] {
        let (status, text) = edge.page(path, &session).await;
        assert_eq!(status, StatusCode::OK, "{path}");
        assert!(text.contains(expected), "{path}");
        for forbidden in ["<script", " style=", "javascript:", " onclick", "http://", "//cdn"] {
            assert!(!text.contains(forbidden), "{path} contains {forbidden}");
        }
        assert!(text.contains("lang=\"en\"") && text.matches("<h1").count() == 1, "{path}");
    }
    assert_eq!(edge.page("/people/nobody", &session).await.0, StatusCode::NOT_FOUND);
    assert_eq!(edge.page("/nowhere", &session).await.0, StatusCode::NOT_FOUND);
    assert_eq!(edge.get("/assets/lineproof.css").await.headers()[CONTENT_TYPE], "text/css; charset=utf-8");
    refused(edge.get("/assets/..%2Fmod.rs").await, StatusCode::NOT_FOUND, "not_found").await;

    let out = edge.client.post(edge.at("/logout")).header(COOKIE, &session).send().await.unwrap();
    assert_eq!(out.status(), StatusCode::SEE_OTHER);
    assert_eq!(
        edge.client.get(edge.at("/")).header(COOKIE, &session).send().await.unwrap().status(),
        StatusCode::SEE_OTHER
    );
}

#[tokio::test]
async fn r10_every_imported_row_is_shown_as_legacy_and_not_as_a_signature() {
    let edge = Edge::demo().await;
    let (_, text) = edge.page("/people/maria", &edge.session().await).await;
    assert!(text.contains("Accepted legacy") && text.contains("nobody&#39;s signature"), "{text}");
}

#[tokio::test]
async fn the_set_up_address_opens_the_dashboard_once() {
    let edge = Edge::empty().await;
    let address = edge.running.set_up.clone().unwrap();
    let file = edge.data.path().join("set-up.txt");
    assert_eq!(std::fs::read_to_string(&file).unwrap().trim(), address);
    let opened = edge.client.get(&address).send().await.unwrap();
    assert_eq!(opened.status(), StatusCode::OK);
    assert!(opened.headers()[SET_COOKIE].to_str().unwrap().starts_with("__Host-lineproof="));
    assert!(!file.exists());
    assert_eq!(edge.client.get(&address).send().await.unwrap().status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn forms_from_other_sites_change_nothing() {
    let edge = Edge::empty().await;
    let form = format!("token={}", edge.running.admin_token);
    let request = edge
        .client
        .post(edge.at("/login"))
        .header("sec-fetch-site", "cross-site")
        .header("origin", "https://evil.example");
    let answer = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    assert!(!answer.headers().contains_key(SET_COOKIE));
}

/// Whether the server hangs up within this time.
async fn hangs_up(stream: &mut tokio::net::TcpStream, within: Duration) -> bool {
    let mut byte = [0];
    let read = tokio::time::timeout(within, tokio::io::AsyncReadExt::read(stream, &mut byte)).await;
    assert!(!matches!(read, Ok(Ok(1..))), "it says nothing before it is spoken to");
    read.is_ok()
}

#[tokio::test]
async fn one_address_gets_its_share_of_connections_and_no_more() {
    // Nobody is closed for silence while this runs.
    let config = Config { connections_per_address: 2, header_seconds: 600, ..Config::local() };
    let edge = Edge::with(false, config).await;
    let open = || async { tokio::net::TcpStream::connect(edge.running.address).await.unwrap() };
    let (mut first, mut second) = (open().await, open().await);
    let mut third = open().await;
    assert!(hangs_up(&mut third, Duration::from_secs(60)).await, "a third is closed, and not for its silence");
    for held in [&mut first, &mut second] {
        assert!(!hangs_up(held, Duration::from_millis(200)).await, "its own two stay");
    }
    let authority = reqwest::Certificate::from_pem(edge.running.authority_pem.as_bytes()).unwrap();
    let elsewhere =
        reqwest::Client::builder().tls_certs_only([authority]).local_address(std::net::IpAddr::from([127, 0, 0, 2]));
    let answer = elsewhere.build().unwrap().get(edge.at("/healthz")).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK, "another address has its own share");
    drop(first);
    let deadline = Instant::now() + Duration::from_secs(60);
    while edge.client.get(edge.at("/healthz")).send().await.is_err() {
        assert!(Instant::now() < deadline, "a place that was left is given again");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(!hangs_up(&mut second, Duration::from_millis(200)).await);
}

#[tokio::test]
async fn all_addresses_together_get_so_many_connections_and_no_more() {
    let config = Config { connections: 4, connections_per_address: 4, header_seconds: 600, ..Config::local() };
    let edge = Edge::with(false, config).await;
    let open = |last: u8| {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind(std::net::SocketAddr::from(([127, 0, 0, last], 0))).unwrap();
        socket.connect(edge.running.address)
    };
    let mut held = Vec::new();
    for last in [1, 1, 1, 2] {
        held.push(open(last).await.unwrap());
    }
    let mut fifth = open(3).await.unwrap();
    assert!(hangs_up(&mut fifth, Duration::from_secs(60)).await, "the house is full, and not for its silence");
    for held in &mut held {
        assert!(!hangs_up(held, Duration::from_millis(100)).await, "who is in stays");
    }
    drop(held.pop());
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let mut again = open(3).await.unwrap();
        if !hangs_up(&mut again, Duration::from_millis(300)).await {
            break;
        }
        assert!(Instant::now() < deadline, "a place that was left is given again");
    }
}

#[tokio::test]
async fn a_connection_that_says_nothing_loses_its_place() {
    let config = Config { connections_per_address: 1, header_seconds: 1, ..Config::local() };
    let edge = Edge::with(false, config).await;
    let mut silent = tokio::net::TcpStream::connect(edge.running.address).await.unwrap();
    assert!(hangs_up(&mut silent, Duration::from_secs(60)).await);
    let deadline = Instant::now() + Duration::from_secs(60);
    while edge.client.get(edge.at("/healthz")).send().await.is_err() {
        assert!(Instant::now() < deadline, "its place is another's");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// A connection to the edge, for what no client of HTTP would send.
async fn raw(edge: &Edge) -> tokio_rustls::client::TlsStream<tokio::net::TcpStream> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(edge.authority_der()).unwrap();
    let config = rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let stream = tokio::net::TcpStream::connect(edge.running.address).await.unwrap();
    let name = rustls::pki_types::ServerName::try_from("localhost").unwrap();
    tokio_rustls::TlsConnector::from(std::sync::Arc::new(config)).connect(name, stream).await.unwrap()
}

/// Everything that still comes, until the server hangs up. Hanging up in mid-sentence is its good right.
async fn heard(stream: &mut (impl tokio::io::AsyncRead + Unpin)) -> Vec<u8> {
    let mut bytes = Vec::new();
    let all = tokio::io::AsyncReadExt::read_to_end(stream, &mut bytes);
    let _ = tokio::time::timeout(std::time::Duration::from_secs(60), all).await.expect("the server hangs up");
    bytes
}

#[tokio::test]
async fn a_body_that_stops_coming_is_given_up() {
    let edge = Edge::with(false, Config { body_seconds: 1, header_seconds: 1, ..Config::local() }).await;
    let mut stream = raw(&edge).await;
    let head = format!("POST /api/v1/exchange HTTP/1.1\r\nhost: localhost\r\ncontent-type: {EXCHANGE}\r\n");
    let sent = format!("{head}content-length: 1000\r\n\r\nbegun");
    tokio::io::AsyncWriteExt::write_all(&mut stream, sent.as_bytes()).await.unwrap();
    let told = String::from_utf8(heard(&mut stream).await).unwrap();
    assert!(told.starts_with("HTTP/1.1 4") && told.contains("\"kept\""), "{told}");
}

/// Says this again and again, well before anybody would call it silence, until the server hangs up; how often, and what the server said.
async fn trickled(stream: tokio_rustls::client::TlsStream<tokio::net::TcpStream>, piece: &str) -> (u32, String) {
    let (mut reader, mut writer) = tokio::io::split(stream);
    let (told, mut said) = (heard(&mut reader), 0);
    tokio::pin!(told);
    loop {
        tokio::select! {
            told = &mut told => return (said, String::from_utf8(told).unwrap()),
            () = tokio::time::sleep(Duration::from_millis(50)) => {
                // That it can't be said any more, the reader will hear.
                drop(tokio::io::AsyncWriteExt::write_all(&mut writer, piece.as_bytes()).await);
                said += 1;
            }
        }
    }
}

/// Limits that nobody reaches here: what ends is ended by the one that a test sets.
fn patient() -> Config {
    let (header_seconds, body_seconds, reader_seconds, request_seconds, upload_seconds) = (600, 600, 600, 600, 600);
    Config { header_seconds, body_seconds, reader_seconds, request_seconds, upload_seconds, ..Config::local() }
}

#[tokio::test]
async fn a_header_that_trickles_in_is_given_up() {
    let edge = Edge::with(false, Config { header_seconds: 1, ..patient() }).await;
    let (begun, mut stream) = (Instant::now(), raw(&edge).await);
    tokio::io::AsyncWriteExt::write_all(&mut stream, b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nx: ").await.unwrap();
    let (said, told) = trickled(stream, "y").await;
    assert!(begun.elapsed() >= Duration::from_secs(1) && said > 2, "it had its time: {said}");
    assert!(!told.contains("200 OK"), "{told}");
    assert_eq!(edge.get("/healthz").await.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_body_that_trickles_in_is_given_up() {
    // Only silence has the body's limit; what trickles has the request's.
    let edge = Edge::with(true, Config { request_seconds: 1, upload_seconds: 1, ..patient() }).await;
    let device = DeviceSecret::from_seed([3; 32]);
    edge.enrol(&device, "K3", "SEAL").await;
    let token = edge.exchange(&device, &edge.call(&device)).await;
    let blob = format!("PUT /api/v1/blobs/{}", Digest32([9; 32]));
    for what in ["POST /api/v1/exchange", "POST /api/v1/enrol", blob.as_str()] {
        let (begun, mut stream) = (Instant::now(), raw(&edge).await);
        let head = format!("{what} HTTP/1.1\r\nhost: localhost\r\ncontent-type: {EXCHANGE}\r\n{TOKEN}: {token}\r\n");
        let sent = format!("{head}content-length: 1000\r\n\r\n");
        tokio::io::AsyncWriteExt::write_all(&mut stream, sent.as_bytes()).await.unwrap();
        let (said, told) = trickled(stream, "x").await;
        assert!(begun.elapsed() >= Duration::from_secs(1) && said > 2, "{what} had its time: {said}");
        assert!(told.starts_with("HTTP/1.1 503") && told.contains("retry-after"), "{what}: {told}");
    }
    assert_eq!(edge.get("/healthz").await.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_connection_that_says_nothing_after_its_answer_is_closed() {
    let edge = Edge::with(false, Config { header_seconds: 1, ..patient() }).await;
    let mut stream = raw(&edge).await;
    // Twice over one connection: it is kept for whoever goes on.
    for _ in 0..2 {
        let asked = b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n";
        tokio::io::AsyncWriteExt::write_all(&mut stream, asked).await.unwrap();
        let mut told = Vec::new();
        while !told.ends_with(b"ok\n") {
            told.push(tokio::io::AsyncReadExt::read_u8(&mut stream).await.unwrap());
        }
        assert!(told.starts_with(b"HTTP/1.1 200"));
    }
    assert!(heard(&mut stream).await.is_empty(), "nothing more was asked");
}

#[tokio::test]
async fn a_reader_who_takes_nothing_loses_the_connection() {
    let edge = Edge::with(true, Config { reader_seconds: 1, ..Config::local() }).await;
    let device = DeviceSecret::from_seed([3; 32]);
    edge.enrol(&device, "K3", "SEAL").await;
    let token = edge.exchange(&device, &edge.call(&device)).await;
    let large = edge.core.blobs.write(&vec![7; 40 * 1024 * 1024]).unwrap();
    let mut stream = raw(&edge).await;
    let asked = format!("GET /api/v1/blobs/{large} HTTP/1.1\r\nhost: localhost\r\n{TOKEN}: {token}\r\n\r\n");
    tokio::io::AsyncWriteExt::write_all(&mut stream, asked.as_bytes()).await.unwrap();
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    assert!(heard(&mut stream).await.len() < 40 * 1024 * 1024, "what was on its way, and no more");
    let whole = edge.client.get(edge.at(&format!("/api/v1/blobs/{large}"))).header(TOKEN, &token).send().await.unwrap();
    assert_eq!(whole.bytes().await.unwrap().len(), 40 * 1024 * 1024, "who reads gets all of it");
}

#[tokio::test]
async fn who_calls_too_often_is_told_when_to_come_again_and_others_are_answered() {
    let edge = Edge::with(true, Config { calls_at_once: 2, calls_per_second: 1, ..Config::local() }).await;
    let (hasty, other) = (DeviceSecret::from_seed([3; 32]), DeviceSecret::from_seed([4; 32]));
    edge.enrol(&hasty, "K3", "SEAL").await;
    edge.enrol(&other, "K4", "SEAL").await;
    let call = async |device: &DeviceSecret| {
        edge.post("/api/v1/exchange", EXCHANGE, packed(&edge.call(device).seal(device))).await
    };
    for _ in 0..2 {
        assert_eq!(call(&hasty).await.status(), StatusCode::OK);
    }
    let third = call(&hasty).await;
    let seconds: u32 = third.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=2).contains(&seconds), "{seconds}");
    refused(third, StatusCode::TOO_MANY_REQUESTS, "too_often").await;
    assert_eq!(call(&other).await.status(), StatusCode::OK, "each has a bucket of its own");
    // Keys cost nothing: strangers share their address's.
    let strangers: Vec<StatusCode> =
        [call(&DeviceSecret::from_seed([5; 32])).await, call(&DeviceSecret::from_seed([6; 32])).await]
            .iter()
            .map(reqwest::Response::status)
            .collect();
    assert!(strangers.iter().all(|status| status.as_u16() < 500));
    refused(call(&DeviceSecret::from_seed([7; 32])).await, StatusCode::TOO_MANY_REQUESTS, "too_often").await;
}

#[tokio::test]
async fn bodies_for_which_there_is_no_room_are_put_off_and_those_of_no_length_refused() {
    let edge = Edge::with(false, Config { body_mib: 1, ..Config::local() }).await;
    let put_off = edge.post("/api/v1/exchange", EXCHANGE, vec![0; 900 * 1024]).await;
    assert!(put_off.headers().contains_key("retry-after"));
    refused(put_off, StatusCode::SERVICE_UNAVAILABLE, "busy").await;
    assert_eq!(edge.post("/api/v1/exchange", EXCHANGE, vec![0; 1024]).await.status(), StatusCode::BAD_REQUEST);
    let mut stream = raw(&edge).await;
    let chunked = "POST /api/v1/enrol HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n0\r\n\r\n";
    tokio::io::AsyncWriteExt::write_all(&mut stream, chunked.as_bytes()).await.unwrap();
    let told = String::from_utf8(heard(&mut stream).await).unwrap();
    assert!(told.starts_with("HTTP/1.1 411") && told.contains("no_length"), "{told}");
}
