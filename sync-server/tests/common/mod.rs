//! A real server on a port of its own, in a folder of its own, spoken to over TLS with its authority pinned.
#![allow(dead_code)] // Each test file uses its part.

pub mod kept;
pub mod pen;

use std::path::Path;
use std::sync::{Arc, Once};

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, SET_COOKIE};
use reqwest::{Certificate, Client, Response, StatusCode};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde_json::{Value, json};
use shared::id::*;
use shared::kind::plant::KeyStoreKind;
use shared::kind::to_cbor;
use shared::part11::boxes::Stretching;
use shared::part11::enrolment::{EnrolAnswer, EnrolRequest, code_key, kiosk_proof, server_proof};
use shared::part11::signature::DeviceSecret;
use shared::sync::message::{Down, Up};
use shared::time::Timestamp;
use sync_server::config::Config;
use sync_server::core::{Core, Machine};
use sync_server::serve::{Running, start};

pub const EXCHANGE: &str = "application/vnd.lineproof.exchange+zstd";
pub const TOKEN: &str = "x-lineproof-token";

/// A running server in a folder of its own, with the demo plant when asked for.
pub struct Edge {
    pub data: tempfile::TempDir,
    pub core: Arc<Core>,
    pub running: Running,
    pub client: Client,
}

impl Edge {
    pub async fn empty() -> Self {
        Self::with(false, Config::local()).await
    }

    pub async fn demo() -> Self {
        Self::with(true, Config::local()).await
    }

    pub async fn with(demo: bool, config: Config) -> Self {
        with_cryptography();
        let data = tempfile::tempdir().unwrap();
        let core = Arc::new(Core::open(data.path(), Arc::new(Machine)).unwrap());
        if demo {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("demo-plant");
            core.import(&folder, false, "test").unwrap();
        }
        Self::over(data, core, config).await
    }

    /// The edge of a server that is there already.
    pub async fn over(data: tempfile::TempDir, core: Arc<Core>, config: Config) -> Self {
        static PROVIDER: Once = Once::new();
        PROVIDER.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
        let running = start(core.clone(), Config { stretching: Stretching::TESTS, ..config }).await.unwrap();
        let authority = Certificate::from_pem(running.authority_pem.as_bytes()).unwrap();
        let client =
            Client::builder().tls_certs_only([authority]).redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { data, core, running, client }
    }

    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.running.url())
    }

    pub async fn get(&self, path: &str) -> Response {
        self.client.get(self.at(path)).send().await.unwrap()
    }

    pub async fn post(&self, path: &str, kind: &str, body: impl Into<reqwest::Body>) -> Response {
        self.client.post(self.at(path)).header(CONTENT_TYPE, kind).body(body).send().await.unwrap()
    }

    pub async fn admin_post(&self, path: &str, body: Value) -> Response {
        let token = format!("Bearer {}", self.running.admin_token);
        let request = self.client.post(self.at(path)).header(AUTHORIZATION, token);
        request.header(CONTENT_TYPE, "application/json").body(body.to_string()).send().await.unwrap()
    }

    /// The authority as a kiosk sees it.
    pub fn authority(&self) -> Digest32 {
        Digest32::of(&self.authority_der())
    }

    pub fn authority_der(&self) -> CertificateDer<'static> {
        CertificateDer::from_pem_slice(self.running.authority_pem.as_bytes()).unwrap()
    }

    pub fn request(&self, code: &str, device: &DeviceSecret) -> EnrolRequest {
        let (device, authority) = (device.key(), self.authority());
        let proof = kiosk_proof(&code_key(code), &device, &authority);
        EnrolRequest { device, key_store: KeyStoreKind::File, proof, authority }
    }

    /// Enrols a kiosk.
    pub async fn enrol(&self, device: &DeviceSecret, name: &str, work_unit: &str) {
        let made =
            self.admin_post("/api/v1/kiosks/enrol-codes", json!({"name": name, "work_units": [work_unit]})).await;
        assert_eq!(made.status(), StatusCode::CREATED);
        let code = parsed(made).await["code"].as_str().unwrap().to_owned();
        let answer = self.post("/api/v1/enrol", "application/cbor", to_cbor(&self.request(&code, device))).await;
        assert_eq!(answer.status(), StatusCode::OK);
        let answer: EnrolAnswer = minicbor::decode(&answer.bytes().await.unwrap()).unwrap();
        let proof = server_proof(&code_key(&code), &device.key(), &self.authority(), &answer);
        assert_eq!(answer.proof, proof, "the server knows the code, too");
    }

    /// Makes a kiosk's call; gives its new token.
    pub async fn exchange(&self, device: &DeviceSecret, up: &Up) -> String {
        let called = self.post("/api/v1/exchange", EXCHANGE, packed(&up.seal(device))).await;
        assert_eq!(called.status(), StatusCode::OK);
        let token = called.headers()[TOKEN].to_str().unwrap().to_owned();
        let down = zstd::decode_all(called.bytes().await.unwrap().as_ref()).unwrap();
        assert_eq!(Down::open(&down).unwrap().server, self.core.key());
        token
    }

    /// A call that gives nothing.
    pub fn call(&self, device: &DeviceSecret) -> Up {
        call_of(device, self.core.key(), self.core.now())
    }

    pub async fn session(&self) -> String {
        let form = format!("token={}", self.running.admin_token);
        let answer = self.post("/login", "application/x-www-form-urlencoded", form).await;
        assert_eq!(answer.status(), StatusCode::SEE_OTHER);
        let cookie = answer.headers()[SET_COOKIE].to_str().unwrap();
        for part in ["__Host-", "Secure", "HttpOnly", "SameSite=Strict", "Path=/"] {
            assert!(cookie.contains(part), "{cookie}");
        }
        cookie.split(';').next().unwrap().to_owned()
    }

    pub async fn page(&self, path: &str, session: &str) -> (StatusCode, String) {
        let answer = self.client.get(self.at(path)).header(COOKIE, session).send().await.unwrap();
        let policy = answer.headers()["content-security-policy"].to_str().unwrap();
        let directives: Vec<&str> = policy.split(';').map(str::trim).collect();
        for needed in ["default-src 'none'", "base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'"] {
            assert!(directives.contains(&needed), "{policy}");
        }
        let own = |directive: &&str| {
            !directive.starts_with("script")
                && directive.split(' ').skip(1).all(|from| ["'none'", "'self'"].contains(&from))
        };
        assert!(directives.iter().all(own), "{policy}");
        (answer.status(), answer.text().await.unwrap())
    }
}

/// A call that gives nothing.
pub fn call_of(device: &DeviceSecret, server: DeviceKey, now: Timestamp) -> Up {
    Up {
        number: 1,
        server,
        device: device.key(),
        incarnation: Incarnation([1; 16]),
        wall: now,
        uncertainty_ms: 0,
        as_of: now,
        cursors: Vec::new(),
        heads: Vec::new(),
        beyond: Vec::new(),
        entries: Vec::new(),
        enrolments: Vec::new(),
        box_mark: None,
        boxes: Vec::new(),
        peppers: None,
    }
}

/// Clients take the process's provider of cryptography.
pub fn with_cryptography() {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
}

pub fn packed(message: &[u8]) -> Vec<u8> {
    zstd::encode_all(message, 3).unwrap()
}

pub async fn parsed(response: Response) -> Value {
    serde_json::from_slice(&response.bytes().await.unwrap()).unwrap()
}

/// A refusal in the one shape.
pub async fn refused(response: Response, status: StatusCode, code: &str) {
    assert_eq!(response.status(), status);
    let problem = parsed(response).await;
    assert_eq!(problem["error"], code, "{problem}");
    for part in ["message", "kept", "do"] {
        assert!(!problem[part].as_str().unwrap().is_empty(), "{problem}");
    }
}
