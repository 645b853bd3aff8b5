//! Somebody guesses Maria's secret at the kiosk as it is shipped, and pulls the plug at any moment around each try: ten count, and then the right
//! one is refused too (R15).
//!
//! `LINEPROOF_SEED` says at which moments. libfaketime takes the clock past the waits between tries; without it this test says that it was skipped.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use harness::{VirtualClock, kiosk_signer, secret_of, signer};
use kiosk::core::{Core, Denied};
use kiosk::key_store::FileKeyStore;
use rusqlite::{Connection, OpenFlags};
use shared::id::PersonId;
use shared::part11::boxes::Stretching;
use shared::time::{MINUTE_MS, Timestamp};
use sim::rng::Rng;
use sync_server::core::{Core as Server, Machine};

use crate::house::asked;
use crate::kill::{MARIA, ask, prepare, read, until_she_can_sign};
use crate::programs::*;
use crate::turned::Turned;

/// Wrong secrets that lock a person out.
const TEN: u32 = 10;
/// Longer than the longest wait before the tenth try.
const PAST_THE_WAIT_MS: i64 = 10 * MINUTE_MS;

/// When the plug is pulled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Plug {
    /// Once the screen has answered.
    Answered,
    /// As soon as the try counts, or somewhat later.
    Counted,
    /// At any moment after the touch that sends the secret.
    Sometime,
}

/// What lies on the disk of Maria's wrong secrets.
struct Counted {
    failed: u32,
    /// One that was begun and not finished: it counts.
    begun: u32,
}

impl Counted {
    fn on_disk(folder: &Path) -> Self {
        let file = folder.join("K3/kiosk.sqlite");
        // Whoever only looks leaves the way back from a kill to the kiosk.
        let connection = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
        connection.busy_timeout(Duration::from_secs(10)).unwrap();
        let sql = "SELECT (SELECT count(*) FROM entry WHERE kind = 'secret_failed'),
                          (SELECT count(*) FROM setting WHERE name = 'attempt/maria' AND value = x'01')";
        connection.query_row(sql, [], |row| Ok(Self { failed: row.get(0)?, begun: row.get(1)? })).unwrap()
    }

    fn in_all(&self) -> u32 {
        self.failed + self.begun
    }
}

/// A kiosk whose machine's clock is moved while it is off; its server is away.
struct House<'a> {
    folder: &'a Path,
    url: String,
    machine: Turned,
    off_ms: i64,
}

impl House<'_> {
    /// Somebody comes back after the wait.
    fn start_later(&mut self) -> KioskProgram {
        self.off_ms += PAST_THE_WAIT_MS;
        self.machine.set(self.off_ms, 1);
        KioskProgram::start(self.folder, "K3", &self.url, None, &self.machine.around())
    }

    /// Sends a wrong secret, and pulls the plug: what the screen answered, if it came to that, and how long that took.
    fn guess(&self, kiosk: &mut KioskProgram, before: u32, plug: Plug, later: Duration) -> (Option<Shown>, Duration) {
        ask(kiosk).unwrap();
        let shown = read(kiosk).unwrap();
        assert_eq!(shown["screen"], "secret", "after {before} wrong ones she is asked: {shown}");
        kiosk.act("type secret not her secret").unwrap();
        let (process, answered) = (kiosk.running.process(), AtomicBool::new(false));
        std::thread::scope(|scope| {
            if plug != Plug::Answered {
                let (folder, answered) = (self.folder, &answered);
                scope.spawn(move || {
                    let until = Instant::now() + Duration::from_secs(60);
                    while plug == Plug::Counted
                        && Counted::on_disk(folder).in_all() == before
                        && !answered.load(Ordering::SeqCst)
                        && Instant::now() < until
                    {
                        std::thread::sleep(Duration::from_millis(1));
                    }
                    std::thread::sleep(later);
                    kill_9(process);
                });
            }
            let sent = Instant::now();
            let shown = kiosk.act("tap ok");
            answered.store(true, Ordering::SeqCst);
            (shown, sent.elapsed())
        })
    }
}

/// Whether the screen answers for a secret that was checked; else it says to wait, and nothing was.
fn was_checked(shown: &Shown, after: u32) -> bool {
    if after == TEN {
        assert_eq!(shown["screen"], "lockout", "{shown}");
        return true;
    }
    assert_eq!((&shown["screen"], &shown["shown"]["error"]), (&"secret".into(), &"wrong".into()), "{shown}");
    let left = shown["shown"]["attempts_left"].as_i64().unwrap();
    assert!(left == -1 || left == i64::from(TEN - after), "{after} count: {shown}");
    left != -1
}

#[test]
fn r15_ten_wrong_secrets_lock_out_however_often_the_plug_is_pulled() {
    let home = tempfile::tempdir().unwrap();
    let (folder, port, seed) = (home.path(), free_port(), asked("LINEPROOF_SEED", 1));
    let Some(machine) = Turned::by(&folder.join("machine")) else {
        println!("SKIPPED (libfaketime is not installed: apt-get install faketime): wrong secrets, and kills");
        return;
    };
    let (maria, data) = (PersonId::new("maria").unwrap(), folder.join("server"));
    let code = prepare(&data, Arc::new(Machine));
    // A check as long as in life, for the plug to be pulled in it.
    let server = Server::open(&data, Arc::new(Machine)).unwrap();
    let (secret, verifiers) = (secret_of("maria"), [&signer("helga"), &signer("jonas")]);
    server.set_up_signing_anew(&maria, &secret, "identity card", verifiers, Stretching::NORMAL).unwrap();
    drop(server);
    let mut server = ServerProgram::start(&data, port, &Surroundings::default());
    let mut house = House { folder, url: server.url.clone(), machine, off_ms: 0 };
    house.machine.set(0, 1);
    let mut kiosk = KioskProgram::start(folder, "K3", &house.url, Some(&code), &house.machine.around());
    kiosk.until("a plant", |status| status["entries"].as_u64() > Some(100));
    until_she_can_sign(&mut kiosk);
    kiosk.running.end();
    server.running.end();

    let (mut chance, mut longest, mut tries) = (Rng::new(seed), Duration::ZERO, 0);
    let (mut answered, mut cut_short, mut not_begun, mut put_off) = (0, 0, 0, 0);
    let (mut before, mut in_the_check) = (0, 0);
    while before < TEN {
        assert!(tries < 100, "{before} of {tries} tries count");
        let plug = [Plug::Answered, Plug::Counted, Plug::Sometime][tries % 3];
        tries += 1;
        let mut kiosk = house.start_later();
        assert_eq!(Counted::on_disk(folder).in_all(), before, "starting again forgives nothing");
        let within = if plug == Plug::Counted { longest / 2 } else { longest };
        let later = within * chance.below(100) as u32 / 100;
        let (shown, took) = house.guess(&mut kiosk, before, plug, later);
        if shown.is_some() {
            longest = longest.max(took);
        }
        drop(kiosk);
        let left = Counted::on_disk(folder);
        let after = left.in_all();
        match shown.map(|shown| was_checked(&shown, after)) {
            Some(checked) => {
                assert_eq!(after, before + u32::from(checked), "try {tries}, {plug:?}");
                *(if checked { &mut answered } else { &mut put_off }) += 1;
            }
            None => {
                assert!(after == before + 1 || after == before && plug == Plug::Sometime, "try {tries}, {plug:?}");
                *(if after > before { &mut cut_short } else { &mut not_begun }) += 1;
                in_the_check += left.begun;
            }
        }
        before = after;
    }
    for _ in 0..2 {
        let mut kiosk = house.start_later();
        let shown = kiosk.act(&format!("badge {MARIA}")).unwrap();
        assert_eq!(shown["screen"], "lockout", "{shown}");
        kiosk.running.end();
    }
    let now = i64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_millis()).unwrap();
    let clock = VirtualClock::beginning(Timestamp(now + house.off_ms + PAST_THE_WAIT_MS)).with_chance_of_its_own(1);
    let keys = FileKeyStore::open(&folder.join("K3-keys")).unwrap();
    let mut core = Core::open(&folder.join("K3"), Box::new(keys), Box::new(clock)).unwrap();
    let refused = core.unlock(&kiosk_signer("maria")).map(drop);
    assert!(matches!(refused, Err(Denied::LockedOut)), "the right one is refused: {refused:?}");
    core.lift_lockout(&maria, "mistyped", &kiosk_signer("jonas")).unwrap();
    core.unlock(&kiosk_signer("maria")).map(drop).expect("nothing but the ten stood in her way");
    println!(
        "{{\"name\":\"guesses\",\"runs\":{tries},\"violations\":0,\"seed\":{seed},\"answered\":{answered},\
         \"cut_short\":{cut_short},\"in_the_check\":{in_the_check},\"not_begun\":{not_begun},\"put_off\":{put_off}}}"
    );
    assert!(answered > 0, "no try was answered");
    assert!(in_the_check > 0, "no check was cut short, or none counts before it is done");
}
