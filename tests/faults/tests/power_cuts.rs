//! The power goes at any moment, to a whole plant at once: two kiosks and the server, each with its own disk.
//!
//! One shift is recorded; each cut takes a moment of it, and a fate for every write that no sync covered. `LINEPROOF_POWER_CUTS` says how
//! many, `LINEPROOF_SEED` which.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use faults::{Files, Medium, Op, Recording, watch};
use harness::work::{PLACES, Said, Shift};
use harness::{VirtualClock, meet};
use kiosk::core::Core as Kiosk;
use kiosk::key_store::FileKeyStore;
use rusqlite::Connection;
use shared::id::{EntryId, RequirementId};
use shared::time::{HOUR_MS, Timestamp};
use sim::rng::Rng;
use sync_server::core::Core as Server;

use crate::house::{asked, home, plant_at_rest};

/// Rounds of the recorded shift: long enough for the write-ahead logs to be folded into the databases more than once.
const ROUNDS: u32 = 90;
/// Every cut looks for what was acknowledged, at the server and at one of the kiosks by turns; one in so many looks at every byte of the whole plant,
/// and lets it work on and meet again.
const THOROUGHLY: usize = 30;

struct Recorded {
    recording: Recording,
    after: Timestamp,
}

/// A shift, with every write and every acknowledgement in order.
fn record(folder: &Path) -> Recorded {
    let moment = plant_at_rest(folder);
    let disk = watch(folder);
    let clock = VirtualClock::beginning(moment).with_chance_of_its_own(1);
    let mut shift = Shift::begin(folder, &clock).unwrap();
    for round in 0..ROUNDS {
        clock.advance_ms(20_000);
        shift
            .round(round, &mut |said| match said {
                Said::Written { kiosk, entry } => disk.say(format!("{kiosk} {entry}")),
                Said::Confirmed { entry } => disk.say(format!("server {entry}")),
            })
            .unwrap();
        PLACES.iter().for_each(|(name, _)| disk.note_files_of(&format!("{name}-keys")));
    }
    let recording = disk.recording();
    for database in ["K3/kiosk.sqlite", "server/server.sqlite"] {
        let folded = recording.ops.iter().any(|op| matches!(op, Op::Sync { file } if file == database));
        assert!(folded, "the write-ahead log of {database} was never folded into it: the shift is too short");
    }
    Recorded { recording, after: moment.plus_ms(HOUR_MS) }
}

/// What is lost after a cut, in words; empty when nothing is.
struct Look<'a> {
    folder: &'a Path,
    after: Timestamp,
    said: Vec<&'a str>,
}

impl Look<'_> {
    fn acknowledged(&self, by: &str) -> BTreeSet<EntryId> {
        let said = self.said.iter().filter_map(|what| what.strip_prefix(by)?.strip_prefix(' '));
        said.map(|id| id.parse().unwrap()).collect()
    }

    fn kiosk(&self, name: &str, clock: &VirtualClock) -> Result<Kiosk, String> {
        let keys = FileKeyStore::open(&self.folder.join(format!("{name}-keys"))).map_err(|why| why.to_string())?;
        let kiosk = Kiosk::open(&self.folder.join(name), Box::new(keys), Box::new(clock.clone()))
            .map_err(|why| format!("{name} does not open: {why}"))?;
        self.lacking(name, kiosk.ledger().connection())?;
        Ok(kiosk)
    }

    fn lacking(&self, by: &str, connection: &Connection) -> Result<(), String> {
        let sound: String =
            connection.query_row("PRAGMA quick_check", [], |row| row.get(0)).map_err(|why| format!("{by}: {why}"))?;
        if sound != "ok" {
            return Err(format!("{by}: {sound}"));
        }
        let held = |id: &EntryId| store::shelf::place(connection, id).ok().flatten().is_some();
        match self.acknowledged(by).iter().find(|id| !held(id)) {
            Some(lost) => Err(format!("{by} lost {lost}, which was acknowledged")),
            None => Ok(()),
        }
    }

    fn clock(&self) -> VirtualClock {
        VirtualClock::beginning(self.after).with_chance_of_its_own(2)
    }

    /// Opens the server and looks for what was acknowledged there.
    fn server(&self, clock: &VirtualClock) -> Result<Server, String> {
        let server = Server::open(&self.folder.join("server"), Arc::new(clock.clone()))
            .map_err(|why| format!("the server does not open: {why}"))?;
        self.lacking("server", server.ledger().connection())?;
        Ok(server)
    }

    /// Opens the server and one kiosk, and looks for what was acknowledged at each.
    fn briefly(&self, kiosk: &str) -> Result<(), String> {
        let clock = self.clock();
        self.server(&clock)?;
        self.kiosk(kiosk, &clock).map(drop)
    }

    /// Opens everything, looks at every byte, works on and meets.
    fn everything(&self) -> Result<(), String> {
        let clock = self.clock();
        let server = self.server(&clock)?;
        let mut kiosks = Vec::new();
        for (name, person) in PLACES {
            kiosks.push((name, person, self.kiosk(name, &clock)?));
        }
        for (name, person, kiosk) in &mut kiosks {
            let looked = harness::replica::look(kiosk.ledger().connection()).map_err(|why| why.to_string())?;
            if let Some(finding) = looked.findings.first() {
                return Err(format!("{name}: {finding}"));
            }
            work_on(kiosk, person).map_err(|why| format!("{name} can't work on: {why}"))?;
        }
        for (name, _, kiosk) in &mut kiosks {
            meet(kiosk, &server).map_err(|why| format!("{name} can't meet the server: {why}"))?;
            if kiosk.status().map_err(|why| why.to_string())?.forks > 0 {
                return Err(format!("{name} forked"));
            }
        }
        let ledger = server.ledger();
        for (name, _) in PLACES {
            let held = |id: &EntryId| store::shelf::place(ledger.connection(), id).ok().flatten().is_some();
            if let Some(lost) = self.acknowledged(name).iter().find(|id| !held(id)) {
                return Err(format!("{lost} of {name} never came to the server"));
            }
        }
        drop(ledger);
        let verified = server.verify(true).map_err(|why| why.to_string())?;
        if verified.is_clean() { Ok(()) } else { Err(format!("verify: {:?}", verified.findings)) }
    }
}

fn work_on(kiosk: &mut Kiosk, person: &str) -> Result<(), kiosk::core::Denied> {
    let signer = harness::kiosk_signer(person);
    kiosk.badge_in(&signer.person)?;
    kiosk.unlock_session(&signer)?;
    let about = kiosk.about(&"R-0042".parse::<RequirementId>().expect("an id"))?;
    let procedure = kiosk.procedure(&signer.person, &about)?;
    kiosk.sign_read(&signer.person, &procedure, 240).map(drop)
}

/// A folder that holds a plant as it lay on a medium.
struct Laid<'a> {
    folder: &'a Path,
    /// Files that were never written: they lie there from the first cut on.
    unwritten: Files,
}

impl<'a> Laid<'a> {
    fn new(folder: &'a Path, recording: &Recording) -> Self {
        let written = recording.written();
        let own = |name: &String| !written.contains(name.as_str()) && !name.contains("-keys/");
        let unwritten: Files = recording.before.clone().into_iter().filter(|(name, _)| own(name)).collect();
        put(&unwritten, folder);
        Self { folder, unwritten }
    }

    /// Takes away what the last look left behind, and lays what the medium holds.
    fn lay(&self, files: Files) {
        let here = faults::files_below(self.folder);
        for left in here.iter().filter(|name| !self.unwritten.contains_key(*name)) {
            fs::remove_file(self.folder.join(left)).unwrap();
        }
        put(&files.into_iter().filter(|(name, _)| !self.unwritten.contains_key(name)).collect(), self.folder);
    }
}

fn put(files: &Files, folder: &Path) {
    use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
    for (name, bytes) in files {
        let path = folder.join(name);
        fs::DirBuilder::new().recursive(true).mode(0o700).create(path.parent().unwrap()).unwrap();
        let mut file = fs::OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(path).unwrap();
        std::io::Write::write_all(&mut file, bytes).unwrap();
    }
}

/// Tries `cuts` cuts; what each lost, with the op before which it came.
fn try_cuts(recorded: &Recorded, cuts: u64, seed: u64, folder: &Path) -> Vec<String> {
    let mut chance = Rng::new(seed);
    let recording = &recorded.recording;
    let mut places: Vec<usize> = (0..cuts).map(|_| chance.below(recording.ops.len() + 1)).collect();
    places.sort_unstable();
    let mut medium = Medium::holding(recording.before.clone());
    let laid = Laid::new(folder, recording);
    let (mut reached, mut lost) = (0, Vec::new());
    for (number, place) in places.into_iter().enumerate() {
        recording.ops[reached..place].iter().for_each(|op| medium.apply(op));
        reached = place;
        laid.lay(medium.cut(&mut chance));
        let look = Look { folder, after: recorded.after, said: recording.said_before(place).collect() };
        let (by_turns, _) = PLACES[number % PLACES.len()];
        let looked = if number % THOROUGHLY == 0 { look.everything() } else { look.briefly(by_turns) };
        if let Err(why) = looked {
            lost.push(format!("seed {seed}, cut {number} before op {place}: {why}"));
        }
    }
    lost
}

#[test]
fn safe1_what_was_acknowledged_outlives_a_power_cut_at_any_moment() {
    let (cuts, seed) = (asked("LINEPROOF_POWER_CUTS", 150), asked("LINEPROOF_SEED", 1));
    let home = home();
    let recorded = record(&home.path().join("plant"));
    let lost = try_cuts(&recorded, cuts, seed, &home.path().join("cut"));
    println!(
        "{{\"name\":\"power-cuts\",\"runs\":{cuts},\"violations\":{},\"seed\":{seed},\"ops\":{},\"said\":{}}}",
        lost.len(),
        recorded.recording.ops.len(),
        recorded.recording.said_before(recorded.recording.ops.len()).count()
    );
    assert!(lost.is_empty(), "{}", lost.join("\n"));
}

#[test]
fn a_disk_that_says_it_synced_and_did_not_is_noticed() {
    let home = home();
    let Recorded { recording, after } = record(&home.path().join("plant"));
    let lying = Recorded { recording: recording.without_syncs(), after };
    let lost = try_cuts(&lying, 20, 1, &home.path().join("cut"));
    assert!(!lost.is_empty(), "whoever looks would not see that something is lost");
}
