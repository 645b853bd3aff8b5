//! One new entry: how many calls and bytes it costs, and how long until another kiosk has it, over HTTPS on loopback with its bell.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use kiosk::core::Core as Kiosk;
use kiosk::key_store::FileKeyStore;
use kiosk::runtime::sync::keep_in_step;
use kiosk::runtime::{Carrier, enrol, exchange_until_quiet};
use kiosk::sync_driver::{Link, NoAnswer};
use shared::id::*;
use sync_server::config::Config;
use sync_server::core::Core as Server;
use sync_server::serve::start;
use tokio::sync::{Notify, mpsc};

use crate::Trouble;
use crate::figure::{Figure, Samples, ms};
use crate::limit::Bare;

const ENTRIES: usize = 200;
/// The promise: three bare commits and so many milliseconds.
const BESIDE_COMMITS_MS: f64 = 15.0;
const MOST_BYTES: f64 = 1_500.0;
const PATIENCE: Duration = Duration::from_secs(20);

type Shared = Arc<Mutex<Kiosk>>;

pub fn measure(seed: u64) -> Result<Vec<Figure>, Trouble> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let home = tempfile::tempdir()?;
        // The machine's own clock: deadlines of the exchange run by it.
        let server = Arc::new(Server::open(&home.path().join("server"), Arc::new(sync_server::core::Machine))?);
        server.import(&harness::demo_plant(), false, "bench").map_err(|why| format!("{why:?}"))?;
        // One kiosk calls here as often as hundreds of them do.
        let config = Config { calls_at_once: 10_000, calls_per_second: 10_000, ..Config::local() };
        let running = start(server.clone(), config).await?;
        let mut kiosks = Vec::new();
        for (name, unit) in [("A", "SEAL"), ("B", "SEAL3")] {
            let code = server.enrol_code(KioskName::new(name)?, &[WorkUnitId::new(unit)?])?;
            let keys = FileKeyStore::open(&home.path().join(format!("{name}-keys")))?;
            let core =
                Kiosk::open(&home.path().join(name), Box::new(keys), Box::new(kiosk::clock::Machine::default()))?;
            let core: Shared = Arc::new(Mutex::new(core));
            enrol(&core, &running.url(), &code).await?;
            kiosks.push(core);
        }
        let [a, b] = &kiosks[..] else { unreachable!("two were made") };
        let authority = lock(a).enrolled().map(|enrolled| enrolled.authority.clone()).unwrap_or_default();
        let link = Counting {
            link: Link::trusting(&running.url(), &authority)?,
            calls: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
        };
        for kiosk in &kiosks {
            exchange_until_quiet(kiosk, &link).await?;
            exchange_until_quiet(kiosk, &link).await?;
        }
        Ok(vec![cost(a, &link, seed).await?, reach(a, b, home.path(), seed).await?])
    })
}

fn lock(core: &Shared) -> std::sync::MutexGuard<'_, Kiosk> {
    core.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// One new entry: a person badges in, or out.
fn act(core: &Shared, number: usize) -> Result<(), Trouble> {
    let maria = PersonId::new("maria")?;
    let mut core = lock(core);
    match number % 2 {
        0 => core.badge_in(&maria).map(drop)?,
        _ => core.badge_out(shared::kind::presence::SessionEnd::Tap).map(drop)?,
    }
    Ok(())
}

/// Calls and bytes up for one new entry.
async fn cost(kiosk: &Shared, link: &Counting, seed: u64) -> Result<Figure, Trouble> {
    let (mut most_calls, mut most_bytes) = (0, 0);
    for number in 0..ENTRIES {
        act(kiosk, number)?;
        let before = link.spent();
        exchange_until_quiet(kiosk, link).await?;
        let (calls, bytes) = link.spent();
        most_calls = most_calls.max(calls - before.0);
        most_bytes = most_bytes.max(bytes - before.1);
    }
    let figure = most_bytes as f64;
    Ok(Figure {
        name: "trickle-cost",
        figure,
        unit: "bytes up",
        limit: MOST_BYTES,
        ratio: figure / MOST_BYTES,
        promise: "one exchange and ≤ 1.5 KB up for one new entry (the limit is the promise itself)",
        held: most_calls == 1 && figure <= MOST_BYTES,
        size: format!("{ENTRIES} entries, at most {most_calls} exchange each, uncompressed"),
        seed,
    })
}

/// From the act at one kiosk to its being held at the other.
async fn reach(a: &Shared, b: &Shared, folder: &std::path::Path, seed: u64) -> Result<Figure, Trouble> {
    let (arrived, mut arrivals) = mpsc::unbounded_channel();
    // A line to the bell is heard with a token, and the first answer brings it.
    [a, b].into_iter().for_each(|kiosk| lock(kiosk).call_soon());
    let (due_a, due_b) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let there = tokio::spawn(keep_in_step(b.clone(), None, due_b, move |outcome| {
        if outcome.as_ref().is_ok_and(|done| done.held > 0) {
            // Nobody listens any more once all are counted.
            let _ = arrived.send(Instant::now());
        }
    }));
    let here = tokio::spawn(keep_in_step(a.clone(), None, due_a.clone(), |_| {}));
    // The bells are heard from a moment after the first answer on.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let mut bare = Bare::open(folder)?;
    let (mut ours, mut commits) = (Vec::new(), Vec::new());
    for number in 0..ENTRIES {
        while arrivals.try_recv().is_ok() {}
        let began = Instant::now();
        act(a, number)?;
        due_a.notify_one();
        let at = tokio::time::timeout(PATIENCE, arrivals.recv()).await?.ok_or("the other kiosk stopped")?;
        ours.push(at.duration_since(began));
        commits.push(bare.commit([[0; 500].as_slice()])?);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    here.abort();
    there.abort();
    let (ours, commits) = (Samples::of(ours), Samples::of(commits));
    let (figure, limit) = (ours.median_ms(), 3.0 * commits.median_ms() + BESIDE_COMMITS_MS);
    Ok(Figure {
        name: "trickle",
        figure,
        unit: "ms",
        limit,
        ratio: figure / limit,
        promise: "written at A → held at B, p50 ≤ 3 bare commits + 15 ms",
        held: figure <= limit,
        size: format!(
            "{ENTRIES} entries over HTTPS on loopback; p99 {:.1} ms, bare commit {:.3} ms",
            ms(ours.quantile(0.99)),
            commits.median_ms()
        ),
        seed,
    })
}

/// Counts what goes up.
struct Counting {
    link: Link,
    calls: AtomicU64,
    bytes: AtomicU64,
}

impl Counting {
    fn spent(&self) -> (u64, u64) {
        (self.calls.load(Ordering::SeqCst), self.bytes.load(Ordering::SeqCst))
    }
}

impl Carrier for Counting {
    async fn exchange(&self, up: &[u8]) -> Result<Vec<u8>, NoAnswer> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        self.bytes.fetch_add(up.len() as u64, Ordering::SeqCst);
        self.link.exchange(up).await
    }
    async fn blob(&self, digest: &Digest32) -> Result<Vec<u8>, NoAnswer> {
        self.link.blob(digest).await
    }
    async fn lacking(&self) -> Result<Vec<Digest32>, NoAnswer> {
        self.link.lacking().await
    }
    async fn give_blob(&self, digest: &Digest32, bytes: Vec<u8>) -> Result<(), NoAnswer> {
        self.link.give_blob(digest, bytes).await
    }
}
