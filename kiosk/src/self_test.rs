//! Whether this kiosk can gate: its database, its keys, its clock.

use serde_json::{Value, json};

use crate::config::Held;
use crate::core::Core;

/// A clock less sure than this is worth a look, in milliseconds.
const UNSURE_MS: u32 = 60_000;

/// One thing looked at.
#[derive(Debug, Clone)]
pub struct Finding {
    pub name: &'static str,
    pub good: bool,
    /// What was found; when it isn't good: what was kept and what to do.
    pub text: String,
}

impl Finding {
    pub fn json(&self) -> Value {
        json!({ "check": self.name, "good": self.good, "text": self.text })
    }
}

/// Looks at everything that can be looked at; what can't be opened hides what is behind it.
pub fn findings(held: &Held) -> Vec<Finding> {
    let mut findings = vec![key_store(held)];
    match held.open() {
        Ok(mut core) => {
            findings.push(database(&core));
            findings.push(set_up(&core));
            findings.push(documents(&mut core));
            findings.push(clock(&mut core));
        }
        Err(error) => findings.push(Finding {
            name: "database",
            good: false,
            text: format!(
                "{error}. Nothing in it was touched. Keep the data folder for examination, give the kiosk an empty one and set it up anew: \
                 the server has every entry that was acknowledged as synced"
            ),
        }),
    }
    findings
}

fn key_store(held: &Held) -> Finding {
    let name = "key store";
    match held.keys().and_then(|mut keys| Ok((keys.kind(), keys.enrolled()?, keys.heads()?))) {
        Ok((kind, enrolled, _)) => {
            let state = if enrolled.is_some() { "holds this device's keys" } else { "is empty" };
            Finding { name, good: true, text: format!("{kind:?}, {state}") }
        }
        Err(error) => Finding {
            name,
            good: false,
            text: format!(
                "{error}. The entries are kept, but nothing can be signed: set the terminal up anew with an empty key store"
            ),
        },
    }
}

fn database(core: &Core) -> Finding {
    let connection = core.ledger().connection();
    let asked = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, rusqlite::types::Value>(0));
    let name = "database";
    let answers = (
        asked("PRAGMA quick_check(1)"),
        asked("PRAGMA journal_mode"),
        asked("PRAGMA synchronous"),
        asked("PRAGMA foreign_keys"),
    );
    let (Ok(check), Ok(journal), Ok(synchronous), Ok(foreign_keys)) = answers else {
        return Finding {
            name,
            good: false,
            text: "it can't be read: keep the data folder, and set the terminal up anew on an empty one".into(),
        };
    };
    let durable = is_text(&journal, "wal") && is_number(&synchronous, 2) && is_number(&foreign_keys, 1);
    let whole = is_text(&check, "ok");
    let text = match (whole, durable) {
        (true, true) => "whole; WAL, synchronous=FULL, foreign keys".into(),
        (true, false) => format!("whole, but runs with {journal:?}, {synchronous:?}, {foreign_keys:?}"),
        (false, _) => format!("damaged: {check:?}. Keep the data folder, and set the terminal up anew on an empty one"),
    };
    Finding { name, good: whole && durable, text }
}

fn is_text(value: &rusqlite::types::Value, text: &str) -> bool {
    matches!(value, rusqlite::types::Value::Text(found) if found == text)
}

fn is_number(value: &rusqlite::types::Value, number: i64) -> bool {
    matches!(value, rusqlite::types::Value::Integer(found) if *found == number)
}

fn set_up(core: &Core) -> Finding {
    let text = match core.enrolment() {
        Some(enrolment) => format!("{} at {} work units", enrolment.name, enrolment.work_units.len()),
        None => "not set up yet: start with --enrol CODE, or enter the code on the screen".into(),
    };
    Finding { name: "set-up", good: core.enrolment().is_some(), text }
}

fn documents(core: &mut Core) -> Finding {
    let lacking = core.missing_blobs().len();
    let text = match lacking {
        0 => "all here".into(),
        _ => format!("{lacking} are not here yet: they come with the next exchange"),
    };
    Finding { name: "documents", good: lacking == 0, text }
}

fn clock(core: &mut Core) -> Finding {
    let reading = core.reading();
    let good = reading.uncertainty_ms <= UNSURE_MS;
    let text = format!("{} ± {} ms", reading.wall, reading.uncertainty_ms);
    let advice = if good { "" } else { ": an exchange with the server corrects it" };
    Finding { name: "clock", good, text: format!("{text}{advice}") }
}
