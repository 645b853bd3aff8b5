//! Lines that delay, stall and break under the programs as they are shipped: between a server and two kiosks stands a proxy, and chance says what
//! becomes of each connection. Work goes on at the kiosks; what was shown as done is there, and once the lines hold, everything is at the server.
//!
//! `LINEPROOF_LOSSES` says for how many rounds of work, `LINEPROOF_SEED` with which chance; by default ten.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{sleep, spawn};
use std::time::{Duration, Instant};

use sim::rng::Rng;
use sync_server::core::Machine;

use crate::at_work::{AtWork, everything_is_there};
use crate::house::asked;
use crate::kill::{Done, another_code, prepare};
use crate::programs::*;

/// What becomes of a piece of what is said on a line.
#[derive(Debug, Clone, Copy)]
enum Fate {
    Passes,
    /// It comes so much later, and what follows too; seconds later, as when packets are lost.
    Delayed(Duration),
    Stalled(Duration),
    /// So much of it comes, nothing follows, and both ends hear that the line is gone.
    Truncated(usize),
}

/// How many pieces met which fate.
#[derive(Default)]
struct Met {
    passed: AtomicU64,
    delayed: AtomicU64,
    truncated: AtomicU64,
    stalled: AtomicU64,
}

impl Met {
    fn note(&self, fate: Fate) {
        let count = match fate {
            Fate::Passes => &self.passed,
            Fate::Delayed(_) => &self.delayed,
            Fate::Truncated(_) => &self.truncated,
            Fate::Stalled(_) => &self.stalled,
        };
        count.fetch_add(1, Ordering::SeqCst);
    }
}

/// The line to a server, as bad as it is told to be.
struct Proxy {
    url: String,
    bad: Arc<AtomicBool>,
    met: Arc<Met>,
}

impl Proxy {
    fn before(server: SocketAddr, seed: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("https://{}", listener.local_addr().unwrap());
        let (bad, met, mut chance) = (Arc::<AtomicBool>::default(), Arc::<Met>::default(), Rng::new(seed));
        let proxy = Self { url, bad: bad.clone(), met: met.clone() };
        spawn(move || {
            for kiosk in listener.incoming().map_while(Result::ok) {
                let Ok(server) = TcpStream::connect(server) else { continue };
                let there = (kiosk.try_clone().unwrap(), server.try_clone().unwrap());
                for (from, to) in [there, (server, kiosk)] {
                    let way = Way { bad: bad.clone(), met: met.clone(), chance: Rng::new(chance.bits()) };
                    spawn(move || way.pass(from, to));
                }
            }
        });
        proxy
    }

    fn is_bad(&self, bad: bool) {
        self.bad.store(bad, Ordering::SeqCst);
    }
}

/// One direction of one connection.
struct Way {
    bad: Arc<AtomicBool>,
    met: Arc<Met>,
    chance: Rng,
}

impl Way {
    fn pass(mut self, mut from: TcpStream, mut to: TcpStream) {
        let mut piece = [0; 1024];
        while let Ok(length @ 1..) = from.read(&mut piece) {
            let fate = self.fate(length);
            self.met.note(fate);
            let comes = match fate {
                Fate::Passes => length,
                Fate::Delayed(by) | Fate::Stalled(by) => self.wait(by, length),
                Fate::Truncated(comes) => comes,
            };
            if to.write_all(&piece[..comes]).is_err() || comes < length {
                break;
            }
        }
        // Whoever hangs up: both hear it.
        let _ = (to.shutdown(Shutdown::Both), from.shutdown(Shutdown::Both));
    }

    fn fate(&mut self, length: usize) -> Fate {
        if !self.bad.load(Ordering::SeqCst) {
            return Fate::Passes;
        }
        let ms = |most: usize, chance: &mut Rng| Duration::from_millis(1 + chance.below(most) as u64);
        match self.chance.below(100) {
            0..=69 => Fate::Passes,
            70..=84 => Fate::Delayed(ms(300, &mut self.chance)),
            85..=92 => Fate::Truncated(self.chance.below(length)),
            _ => Fate::Stalled(ms(4_000, &mut self.chance)),
        }
    }

    /// So long, or until the line is to hold: then all of it comes.
    fn wait(&self, by: Duration, length: usize) -> usize {
        let until = Instant::now() + by;
        while self.bad.load(Ordering::SeqCst) && Instant::now() < until {
            sleep(Duration::from_millis(5));
        }
        length
    }
}

#[test]
fn safe1_live1_lines_that_delay_stall_and_break_lose_nothing() {
    let (rounds, seed) = (asked("LINEPROOF_LOSSES", 10), asked("LINEPROOF_SEED", 1));
    let home = tempfile::tempdir().unwrap();
    let (folder, around) = (home.path(), Surroundings::default());
    let data = folder.join("server");
    let first = prepare(&data, Arc::new(Machine));
    let second = another_code(&data, "K5");
    let port = free_port();
    let mut server = ServerProgram::start(&data, port, &around);
    let proxy = Proxy::before(SocketAddr::from(([127, 0, 0, 1], port)), seed);
    let mut kiosks: Vec<AtWork> = Vec::new();
    for (name, code) in [("K3", first), ("K5", second)] {
        let mut kiosk = KioskProgram::start(folder, name, &proxy.url, Some(&code), &around);
        kiosk.until("a plant", |status| status["entries"].as_u64() > Some(100));
        kiosks.push(AtWork { name, kiosk, done: Done::default() });
    }
    proxy.is_bad(true);
    let mut chance = Rng::new(seed);
    for _ in 0..rounds {
        for work in &mut kiosks {
            (0..=chance.below(2)).for_each(|_| drop(work.start()));
        }
        sleep(Duration::from_millis(chance.below(1_500) as u64));
    }
    proxy.is_bad(false);
    let longest = kiosks.iter_mut().map(AtWork::until_quiet).max().unwrap();
    everything_is_there(folder, &mut kiosks, &mut server, &around);
    let verdicts: usize = kiosks.iter().map(|work| work.done.verdicts.len()).sum();
    let [passed, delayed, truncated, stalled] =
        [&proxy.met.passed, &proxy.met.delayed, &proxy.met.truncated, &proxy.met.stalled]
            .map(|count| count.load(Ordering::SeqCst));
    println!(
        "{{\"name\":\"lossy-lines\",\"runs\":{rounds},\"violations\":0,\"seed\":{seed},\"verdicts\":{verdicts},\"passed\":{passed},\
         \"delayed\":{delayed},\"truncated\":{truncated},\"stalled\":{stalled},\"longest_wait_ms\":{}}}",
        longest.as_millis()
    );
    assert!(rounds < 10 || [delayed, truncated, stalled].iter().all(|met| *met > 0), "the line was too good");
}
