//! The machine's clock is turned under the programs as they are shipped: set back, set forward, racing, jumping while they run (R18, U12).
//!
//! libfaketime turns it. Without that library these tests say that they were skipped.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use harness::VirtualClock;
use rusqlite::Connection;
use shared::id::EntryId;
use shared::kind::Body;
use shared::kind::journal::ClockStep;
use shared::log::Unverified;
use shared::time::{DAY_MS, HOUR_MS, MINUTE_MS, Timestamp};

use crate::at_work::verify;
use crate::kill::{MARIA, prepare};
use crate::programs::*;
use crate::turned::Turned;

/// Why the kiosk's own time changed, when it wasn't the machine's clock that did.
const BY_THE_SERVER: &str = "corrected by the server";
/// When the demo plant's people are qualified.
const SUNDAY: &str = "2026-03-01T18:00:00Z";

/// How the kiosk's clock comes to be wrong, while the server is away.
#[derive(Debug, Clone, Copy)]
enum Turn {
    WhileOff(i64),
    WhileRunning(i64),
    /// It jumps, and then somebody switches the terminal off and on.
    ThenRestarted(i64),
    /// It runs so many times too fast.
    Racing(u32),
    /// It is corrected by so much, so many times: each time by what is believed, and not in all.
    Creeping(i64, i64),
}

impl Turn {
    /// What the journal says of it.
    fn why(self) -> &'static str {
        match self {
            Self::WhileOff(ms) if ms < 0 => "set back while off",
            Self::WhileOff(_) => "far ahead after being off",
            _ => "jumped",
        }
    }

    /// By how much it jumped; of what runs wrong only the excess over what is believed is a jump.
    fn jump_ms(self) -> Option<i64> {
        match self {
            Self::WhileOff(ms) | Self::WhileRunning(ms) | Self::ThenRestarted(ms) => Some(ms),
            Self::Racing(_) | Self::Creeping(..) => None,
        }
    }
}

/// What the gate says then, as long as nobody confirms the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expect {
    Go,
    /// Alone nobody starts: the clock is doubted, or what is known counts as too old.
    NoGo,
}

const SCENARIOS: [(&str, Turn, Expect); 13] = [
    ("back 3 h while off", Turn::WhileOff(-3 * HOUR_MS), Expect::Go),
    ("back 30 d while off", Turn::WhileOff(-30 * DAY_MS), Expect::NoGo),
    ("an empty battery: the year 2000", Turn::WhileOff(-26 * 365 * DAY_MS), Expect::NoGo),
    ("forward 400 d while off", Turn::WhileOff(400 * DAY_MS), Expect::NoGo),
    ("back 3 h while running", Turn::WhileRunning(-3 * HOUR_MS), Expect::Go),
    ("back 30 d while running", Turn::WhileRunning(-30 * DAY_MS), Expect::NoGo),
    ("forward 3 h while running", Turn::WhileRunning(3 * HOUR_MS), Expect::Go),
    ("forward 400 d while running", Turn::WhileRunning(400 * DAY_MS), Expect::NoGo),
    ("forward 400 d, then switched off and on", Turn::ThenRestarted(400 * DAY_MS), Expect::NoGo),
    ("five thousand times too fast", Turn::Racing(5000), Expect::Go),
    ("four hundred times too fast: seven minutes a look", Turn::Racing(400), Expect::Go),
    ("back 70 min, seven at a time", Turn::Creeping(-7 * MINUTE_MS, 10), Expect::Go),
    ("forward 70 min, seven at a time", Turn::Creeping(7 * MINUTE_MS, 10), Expect::Go),
];

/// A server whose clock is right, and a kiosk whose machine's clock is turned.
struct House<'a> {
    folder: &'a Path,
    port: u16,
    world: Turned,
    machine: Turned,
    world_off_ms: i64,
    server: Option<ServerProgram>,
    kiosk: Option<KioskProgram>,
}

impl House<'_> {
    fn start_server(&mut self) -> String {
        let started = ServerProgram::start(&self.folder.join("server"), self.port, &self.world.around());
        let url = started.url.clone();
        self.server = Some(started);
        url
    }

    fn start_kiosk(&mut self, code: Option<&str>) {
        let url = format!("https://localhost:{}", self.port);
        self.kiosk = Some(KioskProgram::start(self.folder, "K3", &url, code, &self.machine.around()));
    }

    fn turn_server(&self, off_ms: i64) {
        self.world.set(self.world_off_ms + off_ms, 1);
    }

    fn turn(&self, off_ms: i64, faster: u32) {
        self.machine.set(self.world_off_ms + off_ms, faster);
    }

    /// Maria asks to start: the verdict's kind and why.
    fn ask(&mut self) -> (String, String) {
        let kiosk = self.kiosk.as_mut().unwrap();
        let mut act = |act: &str| kiosk.act(act).unwrap();
        let shown = act(&format!("badge {MARIA}"));
        if shown["screen"] == "signing-set-up" {
            act("tap action:back");
        }
        let mut shown = act("tap task:seal-pouch");
        if shown["screen"] == "lot" {
            shown = act("badge 881");
        }
        assert_eq!(shown["screen"], "verdict", "{shown}");
        let word = |name: &str| shown["shown"][name].as_str().unwrap().to_owned();
        let verdict = (word("kind"), word("why"));
        act("tap action:sign-out");
        verdict
    }

    fn happen(&mut self, turn: Turn) {
        match turn {
            Turn::WhileOff(ms) => {
                self.kiosk = None;
                self.turn(ms, 1);
                self.start_kiosk(None);
            }
            Turn::WhileRunning(ms) => self.turn(ms, 1),
            Turn::ThenRestarted(ms) => {
                self.turn(ms, 1);
                self.ask();
                self.kiosk = None;
                self.start_kiosk(None);
            }
            Turn::Racing(faster) => {
                self.turn(0, faster);
                // Two hours of it pass while a few seconds do.
                std::thread::sleep(std::time::Duration::from_secs(2));
            }
            Turn::Creeping(ms, times) => {
                for n in 1..=times {
                    self.turn(n * ms, 1);
                    let kiosk = self.kiosk.as_mut().unwrap();
                    let status = kiosk.act("tap beside").unwrap()["status"].take();
                    let believed = n * ms.abs() < HOUR_MS;
                    assert_eq!(status["clock_doubted"], !believed, "{n} times: {status}; {}", kiosk.running.told());
                }
            }
        }
    }

    /// The server is there again: the kiosk knows the time, whatever its machine says.
    fn confirm(&mut self) {
        self.start_server();
        self.told_the_time();
    }

    /// What the server said last is taken in; nobody says more.
    fn hear_nothing(&mut self) {
        self.ask();
        self.kiosk.as_mut().unwrap().until("no answer", |status| status["line"] == "offline");
    }

    /// What the kiosk's journal says of its clock since, once the server holds it too.
    fn audited_since(&mut self, known: &mut BTreeMap<EntryId, ClockStep>) -> Vec<ClockStep> {
        self.kiosk.as_mut().unwrap().until("all at the server", |status| status["waiting"] == 0);
        let (here, server) =
            (steps(&self.folder.join("K3/kiosk.sqlite")), steps(&self.folder.join("server/server.sqlite")));
        assert_eq!(here, server, "the server holds what the kiosk says of its clock");
        let fresh = here.iter().filter(|(id, _)| !known.contains_key(*id)).map(|(_, step)| step.clone()).collect();
        *known = here;
        fresh
    }

    fn told_the_time(&mut self) {
        let kiosk = self.kiosk.as_mut().unwrap();
        kiosk.act(&format!("badge {MARIA}"));
        kiosk.act("tap action:sign-out");
        kiosk.until("the right time", |status| status["line"] == "online" && status["clock_doubted"] == false);
    }
}

/// The steps of a clock that a database's journals tell of.
fn steps(file: &Path) -> BTreeMap<EntryId, ClockStep> {
    let connection = Connection::open(file).unwrap();
    let mut statement = connection.prepare("SELECT bytes FROM entry WHERE kind = 'clock_step'").unwrap();
    let all = statement.query_map([], |row| row.get::<_, Vec<u8>>(0)).unwrap();
    let step = |bytes: Vec<u8>| {
        let entry = Unverified::read(&bytes).ok().and_then(Unverified::signed).unwrap();
        let Body::ClockStep(step) = entry.statement().unwrap().unwrap().body else { panic!("another kind") };
        (entry.id(), step)
    };
    all.map(|bytes| step(bytes.unwrap())).collect()
}

/// Along every log the hybrid clock rises, whatever the machine's did.
fn hybrid_clock_only_rises(connection: &Connection) {
    let mut statement = connection.prepare("SELECT bytes FROM entry ORDER BY log, counter").unwrap();
    let all = statement.query_map([], |row| row.get::<_, Vec<u8>>(0)).unwrap();
    let mut before = None;
    for entry in all.map(|bytes| Unverified::read(&bytes.unwrap()).ok().and_then(Unverified::signed).unwrap()) {
        let header = entry.header().clone();
        if let Some((log, hybrid)) = before.filter(|(log, _)| *log == header.log) {
            assert!(header.hybrid > hybrid, "{log:?} {:?} after {hybrid:?}", header.hybrid);
        }
        before = Some((header.log, header.hybrid));
    }
}

fn by_ms(step: &ClockStep) -> i64 {
    step.after.since(step.before)
}

fn is_near(ms: i64, wanted: i64) -> bool {
    (ms - wanted).abs() < 10 * MINUTE_MS
}

/// The journal says that the clock jumped, by how much, and that it was put right.
fn is_audited(name: &str, turn: Turn, steps: &[ClockStep]) {
    let jump = turn.jump_ms();
    let is_it = |step: &ClockStep| step.why == turn.why() && jump.is_none_or(|ms| is_near(by_ms(step), ms));
    assert!(steps.iter().any(is_it), "{name}: {steps:?}");
    let in_all = steps.iter().filter(|step| step.why != BY_THE_SERVER).map(by_ms).sum();
    assert!(jump.is_none() || is_near(in_all, 0), "{name}: it was put right: {steps:?}");
}

/// A house on a Sunday evening, and the code for its kiosk; nothing without libfaketime, and that is said. Houses of two numbers are two plants: their
/// kiosks may hear of each other.
fn on_sunday(folder: &Path, number: u32) -> Option<(House<'_>, String)> {
    let turned = |name: &str| Turned::by(&folder.join(name));
    let (Some(world), Some(machine)) = (turned("world"), turned("machine")) else {
        println!("SKIPPED (libfaketime is not installed: apt-get install faketime): clocks turned under the programs");
        return None;
    };
    let sunday = Timestamp::parse(SUNDAY).unwrap();
    let now = Timestamp(i64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_millis()).unwrap());
    let code =
        prepare(&folder.join("server"), Arc::new(VirtualClock::beginning(sunday).with_chance_of_its_own(number)));
    let world_off_ms = sunday.plus_ms(MINUTE_MS).since(now);
    world.set(world_off_ms, 1);
    let mut house = House { folder, port: free_port(), world, machine, world_off_ms, server: None, kiosk: None };
    house.start_server();
    Some((house, code))
}

/// Nobody runs any more: order held, and the server finds nothing wrong.
fn order_held(folder: &Path) {
    for database in ["K3/kiosk.sqlite", "server/server.sqlite"] {
        hybrid_clock_only_rises(&Connection::open(folder.join(database)).unwrap());
    }
    verify(&folder.join("server"), &Surroundings::default());
}

#[test]
fn r18_u12_whatever_the_machines_clock_does_order_holds_and_the_gate_fails_closed() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    let Some((mut house, code)) = on_sunday(folder, 1) else { return };
    // It comes out of its box with an empty battery.
    house.turn(-26 * 365 * DAY_MS, 1);
    house.start_kiosk(Some(&code));
    house.kiosk.as_mut().unwrap().until("a plant", |status| status["entries"].as_u64() > Some(100));
    assert_eq!(house.ask().0, "go");
    house.turn(0, 1);
    house.ask();
    house.told_the_time();
    let mut known = BTreeMap::new();
    let steps = house.audited_since(&mut known);
    for why in [BY_THE_SERVER, "jumped"] {
        let is_it = |step: &ClockStep| step.why == why && is_near(by_ms(step), 26 * 365 * DAY_MS);
        assert!(steps.iter().any(is_it), "{why}: {steps:?}");
    }
    for (name, turn, expect) in SCENARIOS {
        house.server = None;
        house.hear_nothing();
        house.happen(turn);
        let (kind, why) = house.ask();
        let kiosk = house.kiosk.as_mut().unwrap();
        kiosk.until("a doubt of its clock", |status| status["clock_doubted"] == true);
        match expect {
            Expect::Go => assert_eq!(kind, "go", "{name}: {why}"),
            Expect::NoGo => assert_ne!(kind, "go", "{name}: {why}"),
        }
        println!("{name}: {kind} ({why})");
        house.confirm();
        assert_eq!(house.ask().0, "go", "{name}: the server told the time");
        // Somebody puts the machine's clock right; nobody but the server can say that it is.
        house.turn(0, 1);
        house.ask();
        house.told_the_time();
        is_audited(name, turn, &house.audited_since(&mut known));
    }
    (house.kiosk, house.server) = (None, None);
    order_held(folder);
    println!("{{\"name\":\"clocks\",\"runs\":{},\"violations\":0}}", SCENARIOS.len());
}

/// The server's clock is the plant's: terminals go by it. Whatever it does, nothing is lost, order holds, `doctor` tells what it sees of it, and once
/// it is right everybody is.
#[test]
fn r18_whatever_the_servers_clock_does_nothing_is_lost_and_order_holds() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    let Some((mut house, code)) = on_sunday(folder, 2) else { return };
    house.turn(0, 1);
    house.start_kiosk(Some(&code));
    house.kiosk.as_mut().unwrap().until("a plant", |status| status["entries"].as_u64() > Some(100));
    assert_eq!(house.ask().0, "go");
    let database = folder.join("K3/kiosk.sqlite");
    let told = |ms: i64| {
        let steps = steps(&database);
        steps.values().filter(|step| step.why == BY_THE_SERVER && is_near(by_ms(step), ms)).count()
    };
    for (nth, ms) in [(1, -30 * DAY_MS), (2, -30 * DAY_MS), (1, 400 * DAY_MS), (2, 400 * DAY_MS)] {
        // Once while it is off, once while it runs.
        if nth == 1 {
            house.server = None;
            house.hear_nothing();
        }
        house.turn_server(ms);
        if nth == 1 {
            house.start_server();
        }
        house.ask();
        house.kiosk.as_mut().unwrap().until("the server's time", |_| told(ms) == nth);
        if ms > 0 {
            assert_ne!(house.ask().0, "go", "a year later her training is over");
        }
        house.server = None;
        if ms < 0 {
            let mut doctor = Command::new(program("sync-server"));
            doctor.arg("--data").arg(folder.join("server")).arg("doctor");
            let (_, said) = run(doctor, &house.world.around());
            assert!(said.contains("this server has written at"), "{said}");
        }
        house.turn_server(0);
        house.start_server();
        house.kiosk.as_mut().unwrap().until("the right time", |_| told(-ms) == nth);
        assert_eq!(house.ask().0, "go", "everybody goes by the right time again");
    }
    house.kiosk.as_mut().unwrap().until("all at the server", |status| status["waiting"] == 0);
    (house.kiosk, house.server) = (None, None);
    order_held(folder);
    println!("{{\"name\":\"server-clocks\",\"runs\":4,\"violations\":0}}");
}
