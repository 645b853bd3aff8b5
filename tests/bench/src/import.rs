//! The import command's whole work on a large folder: read, judged, signed, derived, durable.

use std::sync::Arc;
use std::time::{Duration, Instant};

use harness::VirtualClock;
use sync_server::core::Core;

use crate::Trouble;
use crate::figure::Figure;
use crate::full::{NOW, Size};
use crate::limit::Bare;

const PROMISE_S: f64 = 60.0;

pub fn measure(size: &Size) -> Result<Figure, Trouble> {
    let home = tempfile::tempdir()?;
    let folder = home.path().join("plant");
    std::fs::create_dir_all(&folder)?;
    size.write(&folder)?;
    let server = Core::open(&home.path().join("server"), Arc::new(VirtualClock::at(NOW)))?;
    let began = Instant::now();
    server.import(&folder, false, "bench").map_err(|why| format!("{why:?}"))?;
    let took = began.elapsed();
    let limit = bare_rows(&server, home.path())?;
    let (figure, limit) = (took.as_secs_f64(), limit.as_secs_f64());
    Ok(Figure {
        name: "import",
        figure,
        unit: "s",
        limit,
        ratio: figure / limit,
        promise: "10,000 people, 2,000 documents, 20,000 versions, 1,000,000 rows of history < 60 s; the limit: its entries as bare rows",
        held: figure < PROMISE_S,
        size: format!(
            "{} people, {} documents, {} versions, {} rows",
            size.people, size.documents, size.versions, size.history
        ),
        seed: size.seed,
    })
}

/// The entries that came of it, committed once more as bare rows.
fn bare_rows(server: &Core, folder: &std::path::Path) -> Result<Duration, Trouble> {
    let ledger = server.ledger();
    let mut statement = ledger.connection().prepare("SELECT bytes FROM entry")?;
    let entries: Vec<Vec<u8>> = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    Bare::open(folder)?.commit(entries.iter().map(Vec::as_slice))
}
