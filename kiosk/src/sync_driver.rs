//! The exchange over HTTPS: carries bytes between [`crate::core::Core`] and the server. It decides nothing.
//!
//! TLS trusts exactly one certificate authority, the one pinned at terminal set-up. Before that, whatever the server shows is taken
//! down and judged by the proofs of the set-up, never by a name.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::header::RETRY_AFTER;
use reqwest::{Client, StatusCode};
use rustls::ClientConfig;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;
use rustls::version::TLS13;
use shared::id::Digest32;
use shared::sync::message::MAX_MESSAGE_BYTES;
use shared::time::{ClockReading, SECOND_MS};
use store::blobs::MAX_BLOB_BYTES;

use crate::core::status::Line;
use crate::trust::{Believed, Pinned, Shown, TakesDown};

/// How long a call may take.
const CALL_TIMEOUT: Duration = Duration::from_secs(30);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long one connection to the bell may last: as long as a token.
const LISTEN_TIMEOUT: Duration = Duration::from_secs(900);
const ZSTD_LEVEL: i32 = 3;
/// Largest answer to a call, packed; what is packed badly is little larger than before.
const MOST_ANSWER_BYTES: usize = MAX_MESSAGE_BYTES + 64 * 1024;
/// Largest answer at terminal set-up, where anybody may answer.
const MOST_SET_UP_BYTES: usize = 64 * 1024;
/// Largest text in which a call is refused.
const MOST_REFUSAL_BYTES: usize = 64 * 1024;
/// How far back a compressed answer may refer, as a power of two: the memory that unpacking one costs.
const WINDOW_LOG: u32 = 23;
/// Carries the token for bell and blobs, both ways.
const TOKEN_HEADER: &str = "x-lineproof-token";
/// How many contents the server lacks; absent when none.
const LACKS_HEADER: &str = "x-lineproof-lacks-blobs";

/// Why no answer came.
#[derive(Debug, thiserror::Error)]
pub enum NoAnswer {
    #[error("the server can't be reached: {0}")]
    Offline(String),
    /// Something answers that doesn't have the certificate this terminal trusts.
    #[error("the server shows a certificate this terminal doesn't trust")]
    Foreign,
    #[error("the server refused the call: {0}")]
    Refused(String),
    /// It has too much to do, and says after how long to call again.
    #[error("the server has too much to do and asks to be called again in {} s", .wait_ms / 1000)]
    Busy { wait_ms: i64 },
    #[error("the answer is too large or not readable")]
    Unreadable,
}

impl NoAnswer {
    pub fn line(&self) -> Line {
        match self {
            Self::Foreign => Line::ForeignServer,
            _ => Line::Offline,
        }
    }

    /// Whether whatever else the server is asked for now would not be answered either.
    pub fn is_of_the_line(&self) -> bool {
        matches!(self, Self::Offline(_) | Self::Foreign | Self::Busy { .. })
    }

    /// For how long the server asked to be left alone.
    pub fn wait_ms(&self) -> Option<i64> {
        match self {
            Self::Busy { wait_ms } => Some(*wait_ms),
            _ => None,
        }
    }
}

/// What became of an enrolment request.
#[derive(Debug, thiserror::Error)]
pub enum NotEnrolled {
    #[error("{0}")]
    NoAnswer(#[from] NoAnswer),
    #[error("the code is not right")]
    WrongCode,
    #[error("the code has expired")]
    Expired,
    #[error("the code was used already")]
    Used,
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// A server this terminal trusts.
#[derive(Clone)]
pub struct Link {
    client: Client,
    url: String,
    /// For bell and blobs: handed out with each answer.
    token: Arc<Mutex<Option<String>>>,
    believed: Believed,
    lacks: Arc<Lacks>,
}

/// How many contents the server lacks.
#[derive(Debug, Default)]
struct Lacks {
    /// By its last answer.
    told: AtomicU64,
    /// When it was last asked which.
    asked: AtomicU64,
}

impl Link {
    /// Trusts exactly this authority (DER).
    pub fn trusting(url: &str, authority: &[u8]) -> Result<Self, NoAnswer> {
        let believed = Believed::default();
        let pinned = Pinned::authority(authority, provider(), believed.clone()).ok_or(NoAnswer::Foreign)?;
        Ok(Self {
            client: client(Arc::new(pinned))?,
            url: trimmed(url),
            token: Arc::default(),
            believed,
            lacks: Arc::default(),
        })
    }

    /// From here on the server's certificate is judged by this reading.
    pub fn believe(&self, clock: ClockReading) {
        *self.believed.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(clock);
    }

    /// One call. Bytes go up and come down compressed.
    pub async fn exchange(&self, up: &[u8]) -> Result<Vec<u8>, NoAnswer> {
        let body = zstd::encode_all(up, ZSTD_LEVEL).map_err(|_| NoAnswer::Unreadable)?;
        let request = self
            .client
            .post(format!("{}/api/v1/exchange", self.url))
            .header("content-type", "application/vnd.lineproof.exchange+zstd")
            .body(body);
        let answer = request.send().await.map_err(no_answer)?;
        if answer.status() != StatusCode::OK {
            return Err(refused(answer).await);
        }
        if let Some(token) = answer.headers().get(TOKEN_HEADER).and_then(|value| value.to_str().ok()) {
            *self.token.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(token.to_owned());
        }
        let lacks = answer.headers().get(LACKS_HEADER).and_then(|value| value.to_str().ok()?.parse().ok());
        self.lacks.told.store(lacks.unwrap_or(0), Ordering::Relaxed);
        decompress(&whole(answer, MOST_ANSWER_BYTES).await?)
    }

    /// Contents that the server lacks. Asked only if there are any, and others than when it was last asked: it may lack some that nobody holds.
    pub async fn lacking(&self) -> Result<Vec<Digest32>, NoAnswer> {
        let lacks = self.lacks.told.load(Ordering::Relaxed);
        if lacks == 0 || lacks == self.lacks.asked.load(Ordering::Relaxed) {
            return Ok(Vec::new());
        }
        let request = self.authorised(self.client.get(format!("{}/api/v1/blobs/lacking", self.url)));
        let answer = request.send().await.map_err(no_answer)?;
        if answer.status() != StatusCode::OK {
            return Err(refused(answer).await);
        }
        let text = whole(answer, MOST_ANSWER_BYTES).await?;
        let lacking = serde_json::from_slice(&text).map_err(|_| NoAnswer::Unreadable)?;
        self.lacks.asked.store(lacks, Ordering::Relaxed);
        Ok(lacking)
    }

    /// Gives the server a blob.
    pub async fn give_blob(&self, digest: &Digest32, bytes: Vec<u8>) -> Result<(), NoAnswer> {
        let request = self.authorised(self.client.put(format!("{}/api/v1/blobs/{digest}", self.url))).body(bytes);
        let answer = request.send().await.map_err(no_answer)?;
        if answer.status().is_success() { Ok(()) } else { Err(refused(answer).await) }
    }

    /// Fetches a blob; its bytes are checked against its name.
    pub async fn blob(&self, digest: &Digest32) -> Result<Vec<u8>, NoAnswer> {
        let answer = self
            .authorised(self.client.get(format!("{}/api/v1/blobs/{digest}", self.url)))
            .send()
            .await
            .map_err(no_answer)?;
        if answer.status() != StatusCode::OK {
            return Err(refused(answer).await);
        }
        let bytes = whole(answer, MAX_BLOB_BYTES as usize).await?;
        if Digest32::of(&bytes) == *digest { Ok(bytes) } else { Err(NoAnswer::Unreadable) }
    }

    /// Listens to the bell and calls `rung` at each ring, until the line ends. The first ring comes at once.
    pub async fn listen(&self, rung: impl Fn()) -> Result<(), NoAnswer> {
        let request = self.authorised(self.client.get(format!("{}/api/v1/bell", self.url))).timeout(LISTEN_TIMEOUT);
        let mut answer = request.send().await.map_err(no_answer)?;
        if answer.status() != StatusCode::OK {
            return Err(refused(answer).await);
        }
        while let Some(chunk) = answer.chunk().await.map_err(no_answer)? {
            if rings(&chunk) {
                rung();
            }
        }
        Ok(())
    }

    /// Waits for the bell to ring once. Ends without a ring when the line breaks.
    pub async fn bell(&self) -> Result<(), NoAnswer> {
        let request = self.authorised(self.client.get(format!("{}/api/v1/bell", self.url))).timeout(LISTEN_TIMEOUT);
        let mut answer = request.send().await.map_err(no_answer)?;
        if answer.status() != StatusCode::OK {
            return Err(refused(answer).await);
        }
        while let Some(chunk) = answer.chunk().await.map_err(no_answer)? {
            if rings(&chunk) {
                return Ok(());
            }
        }
        Err(NoAnswer::Offline("the bell's connection ended".into()))
    }

    fn authorised(&self, request: reqwest::RequestBuilder) -> reqwest::RequestBuilder {
        match &*self.token.lock().unwrap_or_else(std::sync::PoisonError::into_inner) {
            Some(token) => request.header(TOKEN_HEADER, token),
            None => request,
        }
    }
}

/// A server that isn't trusted yet: for one terminal set-up only. Whose authority it shows first is the only one that is spoken to.
pub struct Stranger {
    client: Client,
    url: String,
    shown: Shown,
}

impl Stranger {
    pub fn at(url: &str) -> Result<Self, NoAnswer> {
        let shown = Shown::default();
        let verifier = Arc::new(TakesDown::into(shown.clone(), provider()));
        Ok(Self { client: client(verifier)?, url: trimmed(url), shown })
    }

    /// The authority (DER) that the server shows, and has to show for the rest of the set-up.
    pub async fn authority(&self) -> Result<Vec<u8>, NoAnswer> {
        self.client.get(format!("{}/healthz", self.url)).send().await.map_err(no_answer)?;
        let shown = self.shown.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
        shown.ok_or(NoAnswer::Foreign)
    }

    /// Sends an enrolment request.
    pub async fn enrol(&self, request: Vec<u8>) -> Result<Vec<u8>, NotEnrolled> {
        let request = self.client.post(format!("{}/api/v1/enrol", self.url)).body(request);
        let answer = request.send().await.map_err(no_answer)?;
        if answer.status() == StatusCode::OK {
            return Ok(whole(answer, MOST_SET_UP_BYTES).await?);
        }
        Err(match refused(answer).await {
            NoAnswer::Refused(text) => not_enrolled(text),
            other => NotEnrolled::NoAnswer(other),
        })
    }
}

/// What the server's word for a refusal means. The word stands in a field of its own: in a sentence it may be part of another.
fn not_enrolled(text: String) -> NotEnrolled {
    let says = |word: &str| text.contains(&format!("\"error\":\"{word}\""));
    match text.as_str() {
        _ if says("expired") => NotEnrolled::Expired,
        _ if says("used") => NotEnrolled::Used,
        _ if says("wrong_code") => NotEnrolled::WrongCode,
        _ => NotEnrolled::NoAnswer(NoAnswer::Refused(text)),
    }
}

/// Lines that begin with a colon only keep the connection alive.
fn rings(chunk: &[u8]) -> bool {
    chunk.split(|byte| *byte == b'\n').any(|line| line.starts_with(b"data:") || line.starts_with(b"event:"))
}

/// Speaks TLS 1.3 and nothing older, with whom the verifier takes for a server.
fn client(verifier: Arc<dyn ServerCertVerifier>) -> Result<Client, NoAnswer> {
    let config = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13])
        .map_err(|_| NoAnswer::Foreign)?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    Client::builder()
        .tls_backend_preconfigured(config)
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(CALL_TIMEOUT)
        .no_proxy()
        .https_only(true)
        .build()
        .map_err(|error| NoAnswer::Offline(error.to_string()))
}

fn trimmed(url: &str) -> String {
    url.trim_end_matches('/').to_owned()
}

fn no_answer(error: reqwest::Error) -> NoAnswer {
    if distrusts(&error) { NoAnswer::Foreign } else { NoAnswer::Offline(with_causes(&error)) }
}

/// What happened, down to what the operating system said: the outermost error alone only says that nothing came.
fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |said, cause| format!("{said}: {cause}"))
}

/// Whether a certificate was refused anywhere below. IO errors wrap each other, and name what they wrap as no source of theirs.
fn distrusts(error: &(dyn std::error::Error + 'static)) -> bool {
    if let Some(tls) = error.downcast_ref::<rustls::Error>() {
        return matches!(tls, rustls::Error::InvalidCertificate(_));
    }
    let wrapped = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    wrapped.is_some_and(|inner| distrusts(inner)) || error.source().is_some_and(distrusts)
}

/// Why it was not done, from an answer that says so.
async fn refused(answer: reqwest::Response) -> NoAnswer {
    let busy = matches!(answer.status(), StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE);
    let seconds = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse::<u32>().ok());
    match seconds {
        Some(seconds) if busy => NoAnswer::Busy { wait_ms: i64::from(seconds) * SECOND_MS },
        _ => NoAnswer::Refused(refusal(answer).await),
    }
}

async fn refusal(answer: reqwest::Response) -> String {
    let status = answer.status();
    let text = whole(answer, MOST_REFUSAL_BYTES).await.unwrap_or_default();
    format!("{status}: {}", String::from_utf8_lossy(&text).chars().take(400).collect::<String>())
}

/// The body of an answer, unless it is larger than it may be: whoever answers may be anybody.
async fn whole(mut answer: reqwest::Response, most: usize) -> Result<Vec<u8>, NoAnswer> {
    let mut bytes = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(no_answer)? {
        if bytes.len() + chunk.len() > most {
            return Err(NoAnswer::Unreadable);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// Unpacks at most a message's size, whatever the packed bytes promise.
pub fn decompress(bytes: &[u8]) -> Result<Vec<u8>, NoAnswer> {
    use std::io::Read;
    let mut plain = Vec::new();
    let mut decoder = zstd::Decoder::new(bytes).map_err(|_| NoAnswer::Unreadable)?;
    decoder.window_log_max(WINDOW_LOG).map_err(|_| NoAnswer::Unreadable)?;
    decoder.take(MAX_MESSAGE_BYTES as u64 + 1).read_to_end(&mut plain).map_err(|_| NoAnswer::Unreadable)?;
    if plain.len() > MAX_MESSAGE_BYTES { Err(NoAnswer::Unreadable) } else { Ok(plain) }
}

#[cfg(test)]
mod tests {
    use super::*;

    use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
    use rustls::SupportedProtocolVersion;
    use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
    use rustls::version::TLS12;
    use shared::time::Timestamp;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    /// A plant's certificate authority, and whoever has a certificate of it.
    struct Plant {
        authority: CertifiedIssuer<'static, KeyPair>,
    }

    impl Plant {
        fn new() -> Self {
            let mut params = CertificateParams::new(Vec::new()).unwrap();
            params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
            Self { authority: CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap() }
        }

        fn server(&self, version: &'static SupportedProtocolVersion) -> rustls::ServerConfig {
            self.server_until(version, 2099)
        }

        fn server_until(&self, version: &'static SupportedProtocolVersion, year: i32) -> rustls::ServerConfig {
            self.server_in(version, 2020, year)
        }

        fn server_in(&self, version: &'static SupportedProtocolVersion, from: i32, until: i32) -> rustls::ServerConfig {
            let key = KeyPair::generate().unwrap();
            let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
            params.not_before = date_time_ymd(from, 1, 1);
            params.not_after = date_time_ymd(until, 1, 1);
            let chain =
                vec![params.signed_by(&key, &self.authority).unwrap().der().clone(), self.authority.der().clone()];
            let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
            rustls::ServerConfig::builder_with_provider(provider())
                .with_protocol_versions(&[version])
                .unwrap()
                .with_no_client_auth()
                .with_single_cert(chain, key)
                .unwrap()
        }

        fn link(&self, url: &str, year: i32) -> Link {
            let link = Link::trusting(url, self.authority.der()).unwrap();
            let at = Timestamp::parse(&format!("{year}-06-01T00:00:00Z")).unwrap();
            link.believe(ClockReading::exact(at));
            link
        }
    }

    /// Whether a server hears a word of whoever calls it at its address, and what became of the call where it ended first.
    async fn heard<T>(server: rustls::ServerConfig, call: impl AsyncFnOnce(String) -> T) -> Result<(), T> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(server));
        let hear = async {
            loop {
                let stream = listener.accept().await.unwrap().0;
                if let Ok(mut line) = acceptor.accept(stream).await
                    && line.read_u8().await.is_ok()
                {
                    return;
                }
            }
        };
        tokio::select! {
            () = hear => Ok(()),
            outcome = call(url) => Err(outcome),
        }
    }

    #[tokio::test]
    async fn an_older_tls_is_not_spoken_before_set_up_nor_after() {
        let plant = Plant::new();
        let stranger = async |url: String| Stranger::at(&url).unwrap().authority().await.map(drop);
        let member = async |url: String| plant.link(&url, 2026).exchange(b"up").await.map(drop);
        assert!(heard(plant.server(&TLS13), stranger).await.is_ok(), "the test itself reaches its server");
        assert!(heard(plant.server(&TLS13), member).await.is_ok());
        assert!(
            matches!(heard(plant.server(&TLS12), stranger).await, Err(Err(_))),
            "a kiosk told something to a server of yesterday"
        );
        assert!(matches!(heard(plant.server(&TLS12), member).await, Err(Err(_))));
    }

    #[tokio::test]
    async fn another_authority_and_a_certificate_that_is_over_are_told_nothing() {
        let (plant, other) = (Plant::new(), Plant::new());
        let in_year = |year: i32| {
            let plant = &plant;
            async move |url: String| plant.link(&url, year).exchange(b"up").await.map(drop)
        };
        assert!(heard(plant.server(&TLS13), in_year(2026)).await.is_ok());
        for server in [other.server(&TLS13), plant.server_until(&TLS13, 2024)] {
            assert!(matches!(heard(server, in_year(2026)).await, Err(Err(NoAnswer::Foreign))));
        }
    }

    #[tokio::test]
    async fn s9_who_comes_in_between_after_the_authority_was_shown_is_told_no_word_of_the_set_up() {
        let (plant, other) = (Plant::new(), Plant::new());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stranger = Stranger::at(&format!("https://localhost:{}", listener.local_addr().unwrap().port())).unwrap();
        let line = async |plant: &Plant| {
            let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(plant.server(&TLS13)));
            acceptor.accept(listener.accept().await.unwrap().0).await
        };
        let passed_through = async {
            let mut line = line(&plant).await.unwrap();
            let mut asked = [0; 1024];
            assert!(line.read(&mut asked).await.unwrap() > 0);
            line.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").await.unwrap();
            line.shutdown().await.unwrap();
        };
        let ((), shown) = tokio::join!(passed_through, stranger.authority());
        assert_eq!(shown.unwrap().as_slice(), plant.authority.der().as_ref());

        let heard = async {
            let mut line = line(&other).await.ok()?;
            line.read_u8().await.ok()
        };
        let (heard, answer) = tokio::join!(heard, stranger.enrol(b"proof of the code".to_vec()));
        assert_eq!(heard, None, "the proof went to another authority's server");
        assert!(matches!(answer, Err(NotEnrolled::NoAnswer(NoAnswer::Foreign))), "{answer:?}");
    }

    #[tokio::test]
    async fn a_server_whose_clock_was_wrong_is_reached_by_those_it_told_once_it_is_right() {
        let plant = Plant::new();
        let told_2095 = async |url: String| plant.link(&url, 2095).exchange(b"up").await.map(drop);
        assert!(heard(plant.server_in(&TLS13, 2090, 2099), told_2095).await.is_ok(), "it goes by what it was told");
        let told_2098 = async |url: String| plant.link(&url, 2098).exchange(b"up").await.map(drop);
        assert!(
            heard(plant.server_until(&TLS13, 2097), told_2098).await.is_ok(),
            "the machine's clock shows when it is"
        );
    }

    #[tokio::test]
    async fn nothing_goes_in_clear_whatever_address_the_terminal_was_started_with() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://localhost:{}", listener.local_addr().unwrap().port());
        let link = Plant::new().link(&url, 2026);
        tokio::select! {
            _ = listener.accept() => panic!("somebody was called without TLS"),
            outcome = link.exchange(b"up") => assert!(outcome.is_err()),
        }
        tokio::select! {
            _ = listener.accept() => panic!("somebody was called without TLS"),
            outcome = async { Stranger::at(&url).unwrap().authority().await } => assert!(outcome.is_err()),
        }
    }

    #[tokio::test]
    async fn a_busy_server_says_for_how_long_and_is_heeded() {
        let heard = async |status: u16, retry_after: &str| {
            let answer = http::Response::builder().status(status).header("retry-after", retry_after);
            refused(answer.body("{}").unwrap().into()).await.wait_ms()
        };
        assert_eq!(heard(503, "7").await, Some(7_000));
        assert_eq!(heard(429, "60").await, Some(60_000));
        assert_eq!(heard(503, "Fri, 31 Dec 2027 23:59:59 GMT").await, None, "a moment is by the server's clock");
        assert_eq!(heard(503, "-1").await, None);
        assert_eq!(heard(404, "7").await, None, "only who is busy");
    }

    #[test]
    fn s9_a_refusal_is_not_taken_for_a_code_that_was_used() {
        let told = |text: &str| not_enrolled(text.to_owned());
        assert!(matches!(told(r#"403: {"error":"used","message":"another"}"#), NotEnrolled::Used));
        assert!(matches!(told(r#"403: {"error":"expired","message":"over"}"#), NotEnrolled::Expired));
        assert!(matches!(told(r#"422: {"error":"refused","message":"x"}"#), NotEnrolled::NoAnswer(_)));
    }
}
