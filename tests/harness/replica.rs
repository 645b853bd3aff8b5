//! A look at everything one replica holds: hashes, signatures, chains.

use std::collections::BTreeSet;

use rusqlite::Connection;
use shared::id::EntryId;
use shared::log::Unverified;
use store::{StoreError, shelf};

/// What a look found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Looked {
    /// Every entry whose bytes have its hash and its device's signature.
    pub entries: BTreeSet<EntryId>,
    /// Each bad thing, with the entry's name.
    pub findings: Vec<String>,
}

/// Follows every log from its tips to its first entry.
pub fn look(connection: &Connection) -> Result<Looked, StoreError> {
    let mut looked = Looked::default();
    for log in shelf::logs(connection)? {
        for (_, tip) in shelf::tips(connection, &log)? {
            follow(connection, tip, &mut looked)?;
        }
    }
    let kept: i64 = connection.query_row("SELECT count(*) FROM entry", [], |row| row.get(0))?;
    let reached = looked.entries.len() + looked.findings.len();
    if i64::try_from(reached).unwrap_or(i64::MAX) < kept {
        looked.findings.push(format!("{kept} entries are kept, {reached} are reached from the logs' tips"));
    }
    Ok(looked)
}

fn follow(connection: &Connection, tip: EntryId, looked: &mut Looked) -> Result<(), StoreError> {
    let mut next = Some(tip);
    while let Some(id) = next.take().filter(|id| !looked.entries.contains(id)) {
        let Some(kept) = shelf::entry(connection, &id)? else {
            looked.findings.push(format!("{id}: it is missing in its chain"));
            return Ok(());
        };
        match Unverified::read(kept.bytes()).ok().and_then(Unverified::signed) {
            Some(entry) if entry.id() == id => {
                next = entry.header().prev;
                looked.entries.insert(id);
            }
            _ => looked.findings.push(format!("{id}: its bytes are not what its device signed")),
        }
    }
    Ok(())
}
