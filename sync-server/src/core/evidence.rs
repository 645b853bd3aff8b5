//! Evidence bundles: everything held here, signed, for the stand-alone verifier; and an earlier bundle as a witness against this database.

use std::fs::{File, OpenOptions};
use std::io::{BufReader, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rusqlite::{Connection, params};
use serde::Serialize;
use shared::id::*;
use shared::log::evidence_bundle::{FORM, Manifest, Number, OrderEnd, Tip, entry_line};
use store::{StoreError, shelf};

use super::verify::{Finding, Verification};
use super::{Core, Refused, folder};

/// A bundle that was written.
#[derive(Debug, Serialize)]
pub struct Exported {
    pub file: String,
    pub server: DeviceKey,
    pub entries: u64,
}

impl Core {
    /// Writes everything held here into an evidence bundle, as of one instant. The file appears whole, or not at all, and never in another's place.
    pub fn export_evidence(&self, file: &Path) -> Result<Exported, Refused> {
        folder::refuse_existing(file)?;
        let watermark = self.watermark(None)?;
        // One snapshot for all questions: another process may be writing.
        let write = |snapshot: &Connection, unfinished: &Path| -> Result<u64, Refused> {
            let entries: i64 =
                snapshot.query_row("SELECT count(*) FROM entry", [], |row| row.get(0)).map_err(StoreError::from)?;
            let manifest = Manifest {
                form: FORM,
                server: self.key(),
                made_at: self.now(),
                entries: entries as u64,
                tips: tips(snapshot)?,
                orders: order_ends(snapshot)?,
                complete_through: watermark.complete_through,
                unknown: watermark.unknown.clone(),
            };
            let mut out = BufWriter::new(OpenOptions::new().create_new(true).write(true).mode(0o600).open(unfinished)?);
            writeln!(out, "{}", manifest.seal(&self.secrets.device))?;
            write_entries(snapshot, &mut out)?;
            let written = out.into_inner().map_err(|why| why.into_error())?;
            written.sync_all()?;
            folder::refuse_existing(file)?;
            Ok(entries as u64)
        };
        let ledger = self.ledger();
        let entries = folder::appear_whole(file, |unfinished| ledger.snapshot(|snapshot| write(snapshot, unfinished)))?;
        Ok(Exported { file: file.display().to_string(), server: self.key(), entries })
    }

    /// Checks an evidence bundle of this server's, and names each of its entries that this database lacks: an earlier bundle is a witness against a
    /// database that was rolled back or rewritten.
    pub fn verify_against(&self, bundle: &Path) -> Result<Verification, Refused> {
        let unreadable = |why: std::io::Error| Refused::no(format!("{} can't be read: {why}", bundle.display()));
        let file = File::open(bundle).map_err(unreadable)?;
        let report = lineproof_verify::verify(BufReader::new(file), Some(self.key())).map_err(unreadable)?;
        let mut found =
            Verification { entries: report.entries, signatures: report.signatures, ..Verification::default() };
        found.forks = report.forks;
        let of_bundle = |finding: &lineproof_verify::Finding| Finding {
            what: finding.what.clone(),
            problem: format!("in the bundle, line {}: {}", finding.line, finding.problem),
        };
        found.findings.extend(report.findings.iter().map(of_bundle));
        let ledger = self.ledger();
        for id in &report.held {
            if shelf::place(ledger.connection(), id)?.is_none() {
                let problem = "it stands in the bundle, and this database has lost it".to_owned();
                found.findings.push(Finding { what: id.to_string(), problem });
            }
        }
        Ok(found)
    }
}

fn tips(connection: &Connection) -> Result<Vec<Tip>, StoreError> {
    let mut all = Vec::new();
    for log in shelf::logs(connection)? {
        let of_log = shelf::tips(connection, &log)?;
        all.extend(of_log.into_iter().map(|(counter, entry)| Tip { log: log.to_string(), counter, entry }));
    }
    Ok(all)
}

fn order_ends(connection: &Connection) -> Result<Vec<OrderEnd>, StoreError> {
    let mut statement = connection.prepare(
        "SELECT stream, epoch, number, chain FROM ordering AS here
         WHERE number = (SELECT max(number) FROM ordering AS o WHERE o.stream = here.stream AND o.epoch = here.epoch)
         ORDER BY stream, epoch",
    )?;
    let rows = statement.query_map([], |row| {
        Ok(OrderEnd {
            stream: row.get(0)?,
            epoch: Incarnation(row.get(1)?),
            number: row.get::<_, i64>(2)? as u64,
            chain: Digest32(row.get(3)?),
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The entries in the order in which they came, each with its numbers.
fn write_entries(connection: &Connection, out: &mut impl Write) -> Result<(), Refused> {
    let failed = |why: rusqlite::Error| Refused::Store(why.into());
    let mut numbers = connection
        .prepare("SELECT epoch, number FROM ordering WHERE entry = ?1 ORDER BY epoch, number")
        .map_err(failed)?;
    let mut entries = connection.prepare("SELECT bytes, blocks_good FROM entry ORDER BY row").map_err(failed)?;
    let mut rows = entries.query([]).map_err(failed)?;
    while let Some(row) = rows.next().map_err(failed)? {
        let bytes: Vec<u8> = row.get(0).map_err(failed)?;
        let entry = shelf::read_entry(&bytes, row.get(1).map_err(failed)?)?;
        let order = numbers
            .query_map(params![entry.id().0], |row| {
                Ok(Number { epoch: Incarnation(row.get(0)?), number: row.get::<_, i64>(1)? as u64 })
            })
            .and_then(|rows| rows.collect::<Result<Vec<_>, _>>())
            .map_err(failed)?;
        writeln!(out, "{}", entry_line(&entry, order))?;
    }
    Ok(())
}
