//! Requests as they come over a connection, against the whole server with a real store: never a panic, never a failure of its own.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use shared::id::Digest32;
use shared::part11::boxes::Stretching;
use shared::part11::enrolment::{EnrolRequest, code_key, kiosk_proof};
use shared::part11::signature::DeviceSecret;
use sync_server::access::Access;
use sync_server::config::Config;
use sync_server::core::{Core, Machine};
use sync_server::router::{App, router};
use sync_server::serve::Peer;
use tower::ServiceExt;

use crate::exchange::requests as calls;
use crate::{Verdict, refused};

/// Stand for tokens that no alteration would find: the administrator's, and a kiosk's.
const ADMIN: &str = "$ADMIN";
const DEVICE: &str = "$DEVICE";
const AUTHORITY: Digest32 = Digest32([8; 32]);

struct Server {
    app: Arc<App>,
    router: Router,
    runtime: tokio::runtime::Runtime,
    device: DeviceSecret,
    _folder: tempfile::TempDir,
    _stopping: tokio::sync::watch::Sender<bool>,
}

static SERVER: LazyLock<Server> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let core = Arc::new(Core::open(folder.path(), Arc::new(Machine)).expect("a server"));
    let plant = tempfile::tempdir().expect("a temporary folder");
    oracle::wrong::good(plant.path());
    core.import(plant.path(), false, "fuzz").expect("the good folder is right");
    let device = DeviceSecret::from_seed([3; 32]);
    let unit = "SEAL".parse().expect("an id of ours");
    let code = core.enrol_code("K1".parse().expect("an id of ours"), &[unit]).expect("a code");
    let (key, proof) = (device.key(), kiosk_proof(&code_key(&code), &device.key(), &AUTHORITY));
    let key_store = shared::kind::plant::KeyStoreKind::File;
    let request = EnrolRequest { device: key, key_store, proof, authority: AUTHORITY };
    core.enrol(&request, AUTHORITY).expect("the server works").expect("the code is right");
    let access = Access::load_or_make(folder.path(), &core.secrets.device, || [4; 24]).expect("a data folder");
    let config = Config { wrong_per_minute: usize::MAX, stretching: Stretching::TESTS, ..Config::local() };
    let (stopping, heard) = tokio::sync::watch::channel(false);
    let app = App::new(core, access, AUTHORITY, config, heard);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    Server { router: router(app.clone()), app, runtime, device, _folder: folder, _stopping: stopping }
});

/// A request as text: `METHOD PATH`, a header a line, an empty line, the body.
pub fn request(bytes: &[u8]) -> Verdict {
    let server = &*SERVER;
    let request = match server.read(bytes) {
        Ok(request) => request,
        Err(why) => return refused(why),
    };
    let shown = format!("{} {}", request.method(), request.uri());
    server.runtime.block_on(async {
        let answer = server.router.clone().oneshot(request).await.unwrap_or_else(|never| match never {});
        let (status, headers) = (answer.status(), answer.headers().clone());
        assert!(!status.is_server_error(), "{shown} → {status}");
        assert!(headers.contains_key("content-security-policy") && headers.contains_key("x-content-type-options"));
        let kind = headers.get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or_default().to_owned();
        if kind.starts_with("text/event-stream") {
            return Verdict::Accepted;
        }
        let body = axum::body::to_bytes(answer.into_body(), 64 << 20);
        let body =
            tokio::time::timeout(Duration::from_secs(60), body).await.expect("an answer ends").expect("and is whole");
        if !status.is_client_error() {
            return Verdict::Accepted;
        }
        if kind == "application/json" {
            let text = String::from_utf8_lossy(&body);
            assert!(["\"message\":", "\"kept\":", "\"do\":"].iter().all(|part| text.contains(part)), "{shown}: {text}");
        }
        refused(status)
    })
}

impl Server {
    fn read(&self, bytes: &[u8]) -> Result<Request<Body>, String> {
        let split = bytes
            .windows(2)
            .position(|two| two == b"\n\n")
            .map_or((bytes, &[][..]), |at| (&bytes[..at], &bytes[at + 2..]));
        let (head, body) = (String::from_utf8_lossy(split.0).into_owned(), split.1.to_vec());
        let mut lines = head.lines();
        let (method, path) = lines.next().and_then(|line| line.split_once(' ')).ok_or("no first line")?;
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in lines.filter_map(|line| line.split_once(':')) {
            request = request.header(name, self.with_tokens(value.trim()));
        }
        let mut request = request.body(Body::from(body)).map_err(|why| why.to_string())?;
        request.extensions_mut().insert(Peer(IpAddr::V4(Ipv4Addr::LOCALHOST)));
        Ok(request)
    }

    fn with_tokens(&self, value: &str) -> String {
        let device = self.app.access.device_token(&self.device.key(), self.app.core.now());
        value.replace(ADMIN, self.app.access.admin_token()).replace(DEVICE, &device)
    }
}

pub fn requests() -> Vec<Vec<u8>> {
    let json = |path: &str, body: &str| {
        format!("POST {path}\nauthorization: Bearer {ADMIN}\ncontent-type: application/json\n\n{body}").into_bytes()
    };
    let by = r#""by":{"person":"eva","secret":"eva-secret-1"}"#;
    let plain = [
        "GET /healthz".to_owned(),
        "GET /readyz".to_owned(),
        "GET /version".to_owned(),
        "GET /login".to_owned(),
        "GET /assets/lineproof.css".to_owned(),
        format!("GET /people?q=maria\ncookie: __Host-lineproof={ADMIN}; other=1\nauthorization: Bearer {ADMIN}"),
        format!("GET /people/maria\nauthorization: Bearer {ADMIN}"),
        format!("GET /\nauthorization: Bearer {ADMIN}"),
        format!("GET /api/v1/kiosks\nauthorization: Bearer {ADMIN}"),
        format!("GET /api/v1/bell\nx-lineproof-token: {DEVICE}"),
        format!("GET /api/v1/blobs/{}\nx-lineproof-token: {DEVICE}\nrange: bytes=2-9", Digest32([1; 32])),
        format!("PUT /api/v1/blobs/{}\nx-lineproof-token: {DEVICE}\n\nevidence", Digest32::of(b"evidence")),
        format!("POST /login\ncontent-type: application/x-www-form-urlencoded\n\ntoken={}", "00"),
        "GET /set-up?token=00".to_owned(),
        "POST /api/v1/enrol\ncontent-type: application/cbor\n\n\u{1}".to_owned(),
    ];
    let mut all: Vec<Vec<u8>> = plain.into_iter().map(String::into_bytes).collect();
    all.extend([
        json("/api/v1/kiosks/enrol-codes", r#"{"name":"K7","work_units":["SEAL"]}"#),
        json("/api/v1/kiosks/K9/revoke", r#"{"reason":"stolen"}"#),
        json("/api/v1/qualifications/query", r#"{"person":"maria","document":"SOP-1","at":"2026-03-02T06:40:00Z"}"#),
        json("/api/v1/signing-set-up", r#"{"person":"nobody","secret":"short","identity_proof":"seen"}"#),
        json("/api/v1/rulings", &format!(r#"{{"person":"maria","accepted":true,"reason":"seen",{by}}}"#)),
        json(
            "/api/v1/assessors/withdraw",
            &format!(r#"{{"person":"jonas","requirement":"R-1","reason":"left",{by}}}"#),
        ),
        json("/api/v1/documents/SOP-1/versions", &format!(r#"{{"version":"v9","languages":[],{by}}}"#)),
    ]);
    let packed = zstd::encode_all(calls()[0].as_slice(), 3).expect("packing in memory");
    let head = b"POST /api/v1/exchange\ncontent-type: application/vnd.lineproof.exchange+zstd\n\n";
    all.push([&head[..], &packed].concat());
    all
}
