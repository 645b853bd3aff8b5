//! What a terminal and its server keep grows with what is recorded, and with nothing else (SAFE11).

use std::fs;
use std::path::Path;

use harness::Plant;
use harness::scene::{id, sunday_evening};
use rusqlite::Connection;

/// What a write-ahead log may take beside its database: SQLite begins it anew from a thousand pages on, and one step may be larger than that.
const MOST_LOG_BYTES: u64 = 8 << 20;
/// What an entry may take, with every index and all that is derived from it.
const MOST_BYTES_PER_ENTRY: u64 = 2 << 10;

/// The bytes of a database with everything in the file itself, and of all other files beside it; the write-ahead log stays within its limit.
fn sizes(folder: &Path, database: &str) -> (u64, u64) {
    let log = fs::metadata(folder.join(format!("{database}-wal"))).map_or(0, |log| log.len());
    assert!(log <= MOST_LOG_BYTES, "a write-ahead log of {log} bytes in {}", folder.display());
    let connection = Connection::open(folder.join(database)).unwrap();
    let busy: i64 = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0)).unwrap();
    assert_eq!(busy, 0, "all of it lies in the file itself");
    let others = fs::read_dir(folder).unwrap().flatten().filter(|file| {
        let name = file.file_name().to_string_lossy().into_owned();
        file.path().is_file() && !name.starts_with(database)
    });
    let beside = others.map(|file| file.metadata().unwrap().len()).sum();
    (fs::metadata(folder.join(database)).unwrap().len(), beside)
}

fn all_sizes(plant: &Plant) -> [(u64, u64); 2] {
    [sizes(&plant.path("K3"), "kiosk.sqlite"), sizes(&plant.path("server"), "server.sqlite")]
}

#[test]
fn safe11_calls_that_bring_nothing_make_no_file_larger() {
    let mut plant = sunday_evening();
    plant.settle();
    let entries = plant.kiosk("K3").status().unwrap().entries;
    let before = all_sizes(&plant);
    for _ in 0..400 {
        plant.clock.advance_ms(60_000);
        plant.meet("K3");
    }
    assert_eq!(plant.kiosk("K3").status().unwrap().entries, entries, "nothing was written of nothing");
    assert_eq!(all_sizes(&plant), before);
}

#[test]
fn safe11_a_thousand_starts_in_the_dark_take_what_their_entries_take() {
    let mut plant = sunday_evening();
    plant.settle();
    let entries = plant.kiosk("K3").status().unwrap().entries;
    let [(before, beside), _] = all_sizes(&plant);
    for lot in 0..1_000 {
        plant.clock.advance_ms(1_000);
        plant.kiosk("K3").ask(&id("maria"), &id("seal-pouch"), Some(&id(&format!("L{lot}")))).unwrap();
    }
    let written = plant.kiosk("K3").status().unwrap().entries - entries;
    assert!(written >= 1_000, "each is a decision in the journal: {written}");
    let [(after, beside_after), _] = all_sizes(&plant);
    assert!(after - before <= written * MOST_BYTES_PER_ENTRY, "{written} entries took {} bytes", after - before);
    assert_eq!(beside_after, beside);
    println!(r#"{{"name":"growth","runs":{written},"violations":0,"bytes_per_entry":{}}}"#, (after - before) / written);
}
