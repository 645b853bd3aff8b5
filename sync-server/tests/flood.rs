//! The server as it is shipped, in a process of its own, while strangers take all they can from addresses of their own, and while whatever was crafted
//! or kept to harm it is posted to it: kiosks go on, whoever watches is answered, and the memory stays bounded.
//!
//! `LINEPROOF_FLOOD_SECONDS` says how long the flood lasts, `LINEPROOF_STORM` how many kiosks come back at once; by default little.

// What depends on this crate can't be depended on here.
#[path = "../../tests/fuzz/src/bombs.rs"]
mod bombs;
mod common;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, Instant};

use common::kept::{SAYABLE, Voice, corpus};
use common::pen::Pen;
use common::{EXCHANGE, TOKEN, packed};
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Certificate, Client, Method, StatusCode};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use shared::id::*;
use shared::log::Entry;
use shared::part11::boxes::Stretching;
use shared::part11::signature::DeviceSecret;
use shared::sync::message::{Down, Up};
use shared::time::Timestamp;
use sync_server::core::{Core, Machine};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;

/// What the server may take, whatever is asked of it.
const MOST_MEMORY_KIB: u64 = 512 * 1024;
/// What a kiosk waits for an answer at the most, in 99 of 100 cases. The strangers work on the same processors.
const P99: Duration = Duration::from_secs(2);

/// Where the server listens, and whom it shows.
#[derive(Clone)]
struct Door {
    address: SocketAddr,
    authority: CertificateDer<'static>,
}

/// A server process over a data folder with the demo plant.
struct Process {
    child: Child,
    door: Door,
    data: Option<tempfile::TempDir>,
}

impl Process {
    /// Starts it once `prepare` has enrolled whom it needs.
    async fn start<T>(prepare: impl FnOnce(&Core) -> T) -> (Self, T) {
        Self::start_with("", prepare).await
    }

    /// The same, with these settings in its data folder.
    async fn start_with<T>(settings: &str, prepare: impl FnOnce(&Core) -> T) -> (Self, T) {
        common::with_cryptography();
        let data = tempfile::tempdir().unwrap();
        std::fs::write(data.path().join("config.toml"), settings).unwrap();
        let core = Core::open(data.path(), Arc::new(Machine)).unwrap();
        core.import(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("demo-plant"), false, "test").unwrap();
        let prepared = prepare(&core);
        drop(core);
        let port = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let mut command = Command::new("sh");
        // A soft limit as many systems have it.
        command.args(["-c", "ulimit -S -n 256; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_sync-server")]);
        command.arg("--data").arg(data.path()).args(["serve", "--listen", &address.to_string()]);
        let child = command.env("RUST_LOG", "error").stdout(Stdio::null()).spawn().unwrap();
        let pem = data.path().join("tls").join("authority.pem");
        let begun = Instant::now();
        let authority = loop {
            let up = tokio::net::TcpStream::connect(address).await.is_ok();
            if let (true, Ok(authority)) = (up, CertificateDer::from_pem_file(&pem)) {
                break authority;
            }
            assert!(begun.elapsed() < Duration::from_secs(60), "the server doesn't start");
            tokio::time::sleep(Duration::from_millis(100)).await;
        };
        (Self { child, door: Door { address, authority }, data: Some(data) }, prepared)
    }

    /// Whoever calls from this address of the machine's own.
    fn client(&self, from: IpAddr) -> Client {
        let authority = Certificate::from_der(&self.door.authority).unwrap();
        let client = Client::builder().tls_certs_only([authority]).local_address(from);
        client.timeout(Duration::from_secs(30)).build().unwrap()
    }

    fn at(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.door.address.port())
    }

    /// Ends it at once; what is left is its data folder.
    fn kill(mut self) -> tempfile::TempDir {
        self.data.take().expect("it is taken once")
    }

    /// The most memory it ever had, in KiB.
    fn most_memory_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It is ours, and nothing of it is wanted any more.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Whoever watches the service is answered each time, until it is over; how often that was.
async fn watched(process: &Process, is_over: impl Fn() -> bool) -> u64 {
    let (client, mut healthy) = (process.client(IpAddr::from([127, 0, 0, 99])), 0);
    while !is_over() {
        let begun = Instant::now();
        let answer = client.get(process.at("/healthz")).send().await.expect("whoever watches is answered");
        assert_eq!(answer.status(), StatusCode::OK);
        assert!(begun.elapsed() < 2 * P99, "within what a watcher waits");
        healthy += 1;
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    healthy
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn stranger(number: u8) -> IpAddr {
    IpAddr::from([127, 0, 1, number])
}

/// A connection from an address, encrypted as a kiosk's is.
async fn connected(
    door: &Door,
    from: IpAddr,
) -> std::io::Result<tokio_rustls::client::TlsStream<tokio::net::TcpStream>> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::new(from, 0))?;
    let stream = socket.connect(door.address).await?;
    let mut roots = rustls::RootCertStore::empty();
    roots.add(door.authority.clone()).unwrap();
    let config = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    connector.connect(ServerName::try_from("localhost").unwrap(), stream).await
}

/// One stranger's way to take what isn't theirs. Each goes on until the end of the flood; that the server hangs up is its good right.
async fn take_all(door: &Door, how: u8, from: IpAddr, over: &AtomicBool) {
    let head = format!("POST /api/v1/exchange HTTP/1.1\r\nhost: localhost\r\ncontent-type: {EXCHANGE}\r\n");
    while !over.load(Ordering::Relaxed) {
        let attempt = async {
            match how {
                // Says nothing at all, before or after the handshake.
                0 => {
                    let socket = TcpSocket::new_v4()?;
                    socket.bind(SocketAddr::new(from, 0))?;
                    let mut stream = socket.connect(door.address).await?;
                    stream.read_u8().await.map(drop)
                }
                // A header that never ends, a letter at a time.
                1 => {
                    let mut stream = connected(door, from).await?;
                    stream.write_all(b"GET /healthz HTTP/1.1\r\n").await?;
                    for letter in (0..).map(|n: u32| format!("x-{n}: y\r\n")) {
                        stream.write_all(letter.as_bytes()).await?;
                        stream.flush().await?;
                        tokio::time::sleep(Duration::from_millis(400)).await;
                    }
                    Ok(())
                }
                // A body that was promised large and comes a byte at a time.
                2 => {
                    let mut stream = connected(door, from).await?;
                    stream.write_all(format!("{head}content-length: 5000000\r\n\r\n").as_bytes()).await?;
                    loop {
                        stream.write_all(b"x").await?;
                        stream.flush().await?;
                        tokio::time::sleep(Duration::from_millis(400)).await;
                    }
                }
                // Whole bodies that are as large as they may be, and nothing.
                3 => {
                    let mut stream = connected(door, from).await?;
                    stream.write_all(format!("{head}content-length: 5000000\r\n\r\n").as_bytes()).await?;
                    stream.write_all(&vec![7; 5_000_000]).await?;
                    stream.read_u8().await.map(drop)
                }
                // Bombs: few bytes that unpack to all a message may have.
                4 => {
                    static BOMB: LazyLock<Vec<u8>> = LazyLock::new(|| packed(&vec![0x40; 4 * 1024 * 1024]));
                    let bomb = &*BOMB;
                    let mut stream = connected(door, from).await?;
                    for _ in 0..50 {
                        stream.write_all(format!("{head}content-length: {}\r\n\r\n", bomb.len()).as_bytes()).await?;
                        stream.write_all(bomb).await?;
                        let mut answer = [0; 4096];
                        if stream.read(&mut answer).await? == 0 {
                            break;
                        }
                    }
                    Ok(())
                }
                // Asks for pages and never reads them.
                5 => {
                    let mut stream = connected(door, from).await?;
                    loop {
                        stream.write_all(b"GET /assets/lineproof.css HTTP/1.1\r\nhost: localhost\r\n\r\n").await?;
                        stream.flush().await?;
                    }
                }
                // Connects and hangs up, as fast as it can.
                6 => connected(door, from).await.map(drop),
                // Signed calls of a device that nobody enrolled.
                _ => {
                    let device = DeviceSecret::from_seed([how; 32]);
                    let call = common::call_of(&device, DeviceKey([1; 32]), Timestamp(0));
                    let body = packed(&call.seal(&device));
                    let mut stream = connected(door, from).await?;
                    loop {
                        stream.write_all(format!("{head}content-length: {}\r\n\r\n", body.len()).as_bytes()).await?;
                        stream.write_all(&body).await?;
                        let mut answer = [0; 4096];
                        if stream.read(&mut answer).await? == 0 {
                            return Ok(());
                        }
                    }
                }
            }
        };
        let outcome: Result<std::io::Result<()>, _> = tokio::time::timeout(Duration::from_secs(12), attempt).await;
        if !matches!(outcome, Ok(Ok(()))) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

fn percentile(mut waits: Vec<Duration>, percent: usize) -> Duration {
    waits.sort();
    waits[(waits.len() * percent / 100).min(waits.len() - 1)]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kiosks_go_on_beside_a_flood_and_the_servers_memory_stays_bounded() {
    let seconds = number("LINEPROOF_FLOOD_SECONDS", 8);
    let (process, pens) = Process::start(|core| {
        let pens: Vec<Pen> = (1..=4).map(|n| Pen::enrol(core, &format!("K{n}"), "SEAL", n)).collect();
        (core.key(), pens)
    })
    .await;
    let (server, pens) = pens;
    let over = Arc::new(AtomicBool::new(false));
    // Eight strangers from addresses of their own, each with as many connections as the server gives one, and more. They have a thread of their own, so
    // that kiosks wait for the server and not for them.
    let strangers = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    for how in (0..8u8).flat_map(|how| (0..70).map(move |_| how)) {
        let (door, over) = (process.door.clone(), over.clone());
        strangers.spawn(async move { take_all(&door, how, stranger(how + 1), &over).await });
    }
    let answered = AtomicU64::new(0);
    let end = Instant::now() + Duration::from_secs(seconds);
    let kiosk = async |pen: &Pen, from: u8| {
        let (client, mut waits) = (process.client(IpAddr::from([127, 0, 0, from])), Vec::new());
        while Instant::now() < end {
            let call = common::call_of(&pen.device, server, Timestamp(1_772_400_000_000));
            let begun = Instant::now();
            let sent = client.post(process.at("/api/v1/exchange")).header(CONTENT_TYPE, EXCHANGE);
            let answer = sent.body(packed(&call.seal(&pen.device))).send().await.expect("a kiosk is answered");
            assert_eq!(answer.status(), StatusCode::OK, "kiosks keep within their share");
            drop(answer.bytes().await.expect("and the answer is whole"));
            waits.push(begun.elapsed());
            answered.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(Duration::from_millis(150)).await;
        }
        waits
    };
    let watcher = watched(&process, || Instant::now() >= end);
    let (a, b, c, d, healthy) =
        tokio::join!(kiosk(&pens[0], 2), kiosk(&pens[1], 3), kiosk(&pens[2], 4), kiosk(&pens[3], 4), watcher);
    over.store(true, Ordering::Relaxed);
    strangers.shutdown_background();
    let waits = [a, b, c, d].concat();
    let (p50, p99, most) = (percentile(waits.clone(), 50), percentile(waits, 99), process.most_memory_kib());
    println!(
        r#"{{"name":"floods","runs":{},"healthy":{healthy},"p50_ms":{},"p99_ms":{},"most_memory_kib":{most},"violations":0,"seconds":{seconds}}}"#,
        answered.into_inner(),
        p50.as_millis(),
        p99.as_millis()
    );
    assert!(p99 < P99, "99 of 100 calls within {p99:?}");
    assert!(most < MOST_MEMORY_KIB, "{most} KiB");
}

const ENROL: &str = "/api/v1/enrol";

/// Sends what may harm a server, and counts what is answered.
struct Sender<'p> {
    process: &'p Process,
    client: Client,
    token: String,
    admin: String,
    answers: Mutex<BTreeMap<u16, u32>>,
}

impl Sender<'_> {
    /// A body at each endpoint that takes them from terminals; to the exchange also as it is meant to come, compressed.
    async fn everywhere(&self, name: &str, body: &[u8]) {
        let blob = format!("/api/v1/blobs/{}", Digest32::of(body));
        tokio::join!(
            self.send(name, Method::POST, "/api/v1/exchange", packed(body)),
            self.send(name, Method::POST, "/api/v1/exchange", body.to_vec()),
            self.send(name, Method::POST, ENROL, body.to_vec()),
            self.send(name, Method::PUT, &blob, body.to_vec()),
        );
    }

    async fn send(&self, name: &str, method: Method, path: &str, body: Vec<u8>) {
        let is_too_large = path == ENROL && body.len() > 2 << 20;
        let attempt = || {
            let request = self.client.request(method.clone(), self.process.at(path)).header(CONTENT_TYPE, EXCHANGE);
            request.header(TOKEN, &self.token).body(body.clone()).send()
        };
        let mut outcome = attempt().await;
        // The client may have kept a connection that the server was just closing: who calls then calls again.
        for _ in 0..3 {
            if outcome.is_ok() || is_too_large {
                break;
            }
            outcome = attempt().await;
        }
        let answer = match outcome {
            Ok(answer) => answer,
            // Of a body that is too large the rest isn't waited for.
            Err(why) if is_too_large && !why.is_timeout() => return,
            Err(why) => panic!("{name} to {path}: {why}"),
        };
        self.count(&format!("{name} to {path}"), answer.status().as_u16(), answer.headers().contains_key(RETRY_AFTER));
    }

    /// A request as the target `http` reads it: its first line, a header a line, an empty line, the body.
    async fn as_written(&self, name: &str, request: &[u8]) {
        let split = request.windows(2).position(|two| two == b"\n\n").unwrap_or(request.len());
        let (head, body) = (&request[..split], request.get(split + 2..).unwrap_or_default());
        let head = String::from_utf8_lossy(head).replace("$ADMIN", &self.admin).replace("$DEVICE", &self.token);
        let (first, more) = head.split_once('\n').unwrap_or((&head, ""));
        let more: String = more.lines().map(|line| format!("{line}\r\n")).collect();
        let rest = format!("host: localhost\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
        let sent = [format!("{first} HTTP/1.1\r\n{more}{rest}").as_bytes(), body].concat();
        let mut stream = connected(&self.process.door, IpAddr::from([127, 0, 0, 3])).await.unwrap();
        stream.write_all(&sent).await.unwrap();
        // A bell rings on; how the answer begins is enough.
        let mut told = vec![0; 2048];
        let read = tokio::time::timeout(Duration::from_secs(60), stream.read(&mut told)).await.expect("it is answered");
        let told = String::from_utf8_lossy(&told[..read.unwrap_or(0)]).to_lowercase();
        let status = told.split(' ').nth(1).and_then(|status| status.parse().ok());
        self.count(name, status.unwrap_or_else(|| panic!("{name}: {told:?}")), told.contains("\r\nretry-after:"));
    }

    fn count(&self, what: &str, status: u16, is_put_off: bool) {
        assert!(status < 500 || (status == 503 && is_put_off), "{what}: {status}");
        *self.answers.lock().unwrap().entry(status).or_default() += 1;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_was_crafted_or_kept_to_harm_it_the_servers_process_answers_and_stays_small() {
    // What slows down whoever tries often would hide what is tried here.
    let settings = "calls_at_once = 100000\nwrong_per_minute = 100000\nconnections_per_address = 1000\n";
    let enrol = |core: &Core| {
        let pen = Pen::enrol(core, "K1", "SEAL", 1);
        (core.key(), pen, core.verify(false).unwrap().entries)
    };
    let (process, (server, pen, before)) = Process::start_with(settings, enrol).await;
    let client = process.client(IpAddr::from([127, 0, 0, 2]));
    let now = Timestamp(1_772_400_000_000);
    let call = common::call_of(&pen.device, server, now).seal(&pen.device);
    let called = client.post(process.at("/api/v1/exchange")).header(CONTENT_TYPE, EXCHANGE).body(packed(&call));
    let token = called.send().await.unwrap().headers()[TOKEN].to_str().unwrap().to_owned();
    let admin =
        std::fs::read_to_string(process.data.as_ref().unwrap().path().join(sync_server::access::TOKEN_FILE)).unwrap();
    let admin = admin.trim().to_owned();
    let sender = Sender { process: &process, client, token, admin, answers: Mutex::default() };
    let (over, begun) = (AtomicBool::new(false), Instant::now());
    let sent = async {
        for ((name, body), _) in bombs::compressed() {
            sender.send(&name, Method::POST, "/api/v1/exchange", body).await;
        }
        for (name, message) in bombs::messages() {
            sender.everywhere(&name, &message).await;
        }
        for (name, body) in ["packed", "enrolment", "exchange-request"].into_iter().flat_map(corpus) {
            sender.everywhere(&name, &body).await;
            // Calls were kept without their signatures: here the kiosk says in its own name what they say.
            if let Ok(up) = minicbor::decode::<Up>(&body) {
                let own = Up { server, device: pen.device.key(), ..up }.seal(&pen.device);
                sender.everywhere(&name, &own).await;
            }
        }
        for (name, request) in corpus("http") {
            sender.as_written(&name, &request).await;
        }
        let mut voice = Voice { device: &pen.device, now, logs: 0 };
        for target in SAYABLE {
            for (name, input) in corpus(target) {
                let said = voice.say(target, &input);
                let quiet = pen.up_at(server, now, &[]);
                let up = Up { entries: said.entries, enrolments: said.enrolments, boxes: said.boxes, ..quiet };
                sender.send(&name, Method::POST, "/api/v1/exchange", packed(&up.seal(&pen.device))).await;
            }
        }
        over.store(true, Ordering::Relaxed);
    };
    let (healthy, ()) = tokio::join!(watched(&process, || over.load(Ordering::Relaxed)), sent);
    let (answers, most) = (sender.answers.into_inner().unwrap(), process.most_memory_kib());
    let (count, seconds) = (answers.values().sum::<u32>(), begun.elapsed().as_secs());
    println!(
        r#"{{"name":"posted","runs":{count},"healthy":{healthy},"most_memory_kib":{most},"violations":0,"seconds":{seconds}}} {answers:?}"#
    );
    for expected in [200, 400, 403, 409, 413] {
        assert!(answers.contains_key(&expected), "none was answered with {expected}: {answers:?}");
    }
    assert!(!answers.contains_key(&429), "nothing was put off unread: {answers:?}");
    assert!(healthy > 0 && most < MOST_MEMORY_KIB, "{most} KiB");
    let data = process.kill();
    let core = Core::open(data.path(), Arc::new(Machine)).unwrap();
    let found = core.verify(true).unwrap();
    assert!(found.is_clean(), "{:?}, rebuilt equal: {:?}", found.findings, found.rebuilt_equal);
    let held = found.entries - before;
    assert!(held > 100, "of what was said {held} entries were held");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kiosks_that_come_back_at_once_lose_nothing() {
    const ENTRIES: usize = 50;
    let count = u16::try_from(number("LINEPROOF_STORM", 20)).unwrap().min(u16::MAX - 1);
    let (process, (server, pens)) = Process::start(|core| {
        let pens = (0..count).map(|n| {
            let mut pen = Pen::enrol(core, &format!("K{n}"), "SEAL", n + 1);
            (0..ENTRIES).for_each(|_| drop(pen.write(core)));
            pen
        });
        (core.key(), pens.collect::<Vec<_>>())
    })
    .await;
    let (process, begun) = (Arc::new(process), Instant::now());
    let calls: Vec<_> = pens
        .into_iter()
        .zip(1u16..)
        .map(|(pen, n)| {
            let process = process.clone();
            tokio::spawn(async move {
                let [above, below] = n.to_be_bytes();
                let client = process.client(IpAddr::from([127, 1, above, below]));
                let (mut up, mut turned_away) = (pen.up_at(server, Timestamp(1_772_400_000_000), &pen.written), 0u64);
                loop {
                    let sent = client.post(process.at("/api/v1/exchange")).header(CONTENT_TYPE, EXCHANGE);
                    let answer = sent.body(packed(&up.seal(&pen.device))).send().await;
                    let Ok(answer) = answer else { continue };
                    match answer.status() {
                        StatusCode::OK => {
                            let down = zstd::decode_all(answer.bytes().await.unwrap().as_ref()).unwrap();
                            let down = Down::open(&down).unwrap();
                            // Nothing is shown of a log whose last entry is the one that the kiosk has shown.
                            assert!(
                                down.held.is_empty() && down.want.is_empty(),
                                "everything is held: {:?}",
                                down.held
                            );
                            return (pen.written.iter().map(Entry::id).collect::<Vec<_>>(), turned_away);
                        }
                        StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => {
                            let seconds: u64 = answer.headers()[RETRY_AFTER].to_str().unwrap().parse().unwrap();
                            turned_away += 1;
                            tokio::time::sleep(Duration::from_secs(seconds)).await;
                        }
                        other => panic!("a kiosk was told {other}"),
                    }
                    up.number += 1;
                }
            })
        })
        .collect();
    let (mut given, mut turned_away) = (Vec::new(), 0);
    for call in calls {
        let (entries, away) = call.await.unwrap();
        given.extend(entries);
        turned_away += away;
    }
    let (took, most) = (begun.elapsed(), process.most_memory_kib());
    // Killed on the spot: what was acknowledged is on the disk.
    let data = Arc::into_inner(process).unwrap().kill();
    let core = Core::open(data.path(), Arc::new(Machine)).unwrap();
    let ledger = core.ledger();
    let lost = given.iter().filter(|id| store::shelf::entry(ledger.connection(), id).unwrap().is_none()).count();
    println!(
        r#"{{"name":"storm","runs":{count},"entries":{},"turned_away":{turned_away},"most_memory_kib":{most},"violations":{lost},"seconds":{:.1}}}"#,
        given.len(),
        took.as_secs_f64()
    );
    assert_eq!((given.len(), lost), (usize::from(count) * ENTRIES, 0));
    assert!(most < MOST_MEMORY_KIB, "{most} KiB");
}

#[tokio::test]
async fn a_server_asks_the_system_for_as_many_files_as_it_takes_connections() {
    let (process, ()) = Process::start(|_| ()).await;
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", process.child.id())).unwrap();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files")).unwrap();
    let limits: Vec<u64> = line.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    let most = sync_server::config::Config::local().connections as u64;
    assert!(limits[0] > most || limits[0] == limits[1], "{limits:?}");
}

/// What a process may have grown by while it looks at as many secrets at a time as it should, in KiB: two stretchings, and what connections take.
const STRETCHING_KIB: u64 = 110 * 1024;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r15_whoever_hangs_up_frees_no_place_for_another_guess_and_is_counted() {
    const CALLERS: u8 = 120;
    const LOST: &str = "/api/v1/badges/lost";
    let helga = PersonId::new("helga").unwrap();
    // As dear as a box may be: whoever is looked at beside others is seen in the memory.
    let dear = Stretching { memory_kib: 46 * 1024, passes: 1 };
    let (process, ()) = Process::start(|core| {
        drop(core.set_up_signing(&helga, "a right passphrase", "identity card", None, dear).unwrap());
    })
    .await;
    let before = process.most_memory_kib();
    let guess = |path: &str, body: serde_json::Value| {
        let body = body.to_string();
        let length = body.len();
        format!(
            "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        )
    };
    let by = serde_json::json!({"person": "helga", "secret": "a wrong passphrase"});
    let wrong = guess(LOST, serde_json::json!({"person": "maria", "reason": "x", "by": by}));
    let callers = (0..CALLERS).map(|n| {
        let (door, wrong) = (process.door.clone(), wrong.clone());
        tokio::spawn(async move {
            let mut stream = connected(&door, IpAddr::from([127, 0, 2, n + 1])).await?;
            stream.write_all(wrong.as_bytes()).await?;
            stream.flush().await?;
            tokio::time::sleep(Duration::from_millis(u64::from(n) * 5)).await;
            Ok::<_, std::io::Error>(())
        })
    });
    for caller in callers.collect::<Vec<_>>() {
        caller.await.unwrap().unwrap();
    }
    // Whoever calls properly waits until those before are through.
    let client = process.client(IpAddr::from([127, 0, 0, 2]));
    let proper = client.post(process.at(LOST)).header(CONTENT_TYPE, "application/json");
    let proper = proper.body(wrong.split("\r\n\r\n").nth(1).unwrap().to_owned()).send().await.unwrap();
    assert_eq!(proper.status(), StatusCode::TOO_MANY_REQUESTS, "tries whose callers hung up count");
    let grown = process.most_memory_kib() - before;
    // Whoever invents verifiers has nothing stretched, and is counted all the same.
    let invented = |person: &str| serde_json::json!({"person": person, "secret": "a wrong passphrase"});
    let set_up = serde_json::json!({"person": "maria", "secret": "a fresh passphrase", "identity_proof": "x", "verifier": invented("nobody")});
    let mut told = Vec::new();
    for _ in 0..6 {
        let asked = client.post(process.at("/api/v1/signing-set-up")).header(CONTENT_TYPE, "application/json");
        told.push(asked.body(set_up.to_string()).send().await.unwrap().status().as_u16());
    }
    assert_eq!(told, [422, 422, 422, 422, 422, 429]);
    let data = process.kill();
    let core = Core::open(data.path(), Arc::new(Machine)).unwrap();
    let counted = store::questions::entries_of_kind(core.ledger().connection(), "person:helga", "secret_failed");
    let counted = counted.unwrap().len();
    assert!((5..=6).contains(&counted), "{counted} guesses were looked at");
    assert!(grown < STRETCHING_KIB, "{grown} KiB: more secrets at a time than are permitted");
}
