//! The kiosk's tables beside the entries, as the protocol sees them, over one transaction.

use std::path::Path;

use minicbor::bytes::ByteVec;
use rusqlite::{Connection, OptionalExtension, params};
use shared::id::*;
use shared::kind::plant::DeviceEnrolled;
use shared::kind::{Body, to_cbor};
use shared::log::standing::Fork;
use shared::log::{Entry, Held, LogId, Shelf, Stream};
use shared::part11::boxes::{SealedBox, person_of_box};
use shared::part11::pepper::PepperEpoch;
use shared::sync::order::Cursor;
use shared::sync::store::{BoxMark, BoxRow, Boxes, Marks};
use shared::sync::{Replica, TerminalShelf, scope};
use shared::time::{ClockReading, HybridTime};
use store::{Ledger, Step, StoreError, boxes, shelf};

const SCHEMA: &str = include_str!("schema.sql");
const OPEN_QUIZ: &str = include_str!("open_quiz.sql");
const BOX_TO_GIVE: &str = include_str!("box_to_give.sql");

/// Opens or makes the kiosk's database.
pub fn open(path: &Path) -> Result<Ledger, StoreError> {
    use store::ledger::{BADGES, BOXES, ENROLMENTS, HISTORY, SECRETS, SESSIONS};
    Ledger::open(path, &[SCHEMA, OPEN_QUIZ, SECRETS, BADGES, BOXES, BOX_TO_GIVE, SESSIONS, HISTORY, ENROLMENTS])
}

/// Whether an enrolment of the device is held, in its chain or outside of it, or it is the server.
pub fn is_enrolled(connection: &Connection, device: &DeviceKey) -> Result<bool, StoreError> {
    Ok(shelf::is_enrolled(connection, device)? || enrolled_loosely(connection, device)?.next().is_some())
}

fn loose_enrolments(connection: &Connection) -> Result<Vec<Entry>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT bytes FROM loose_enrolment ORDER BY id")?;
    let rows = statement.query_map([], |row| row.get::<_, Vec<u8>>(0))?;
    rows.map(|row| row.map_err(StoreError::from).and_then(|bytes| shelf::read_entry(&bytes, true))).collect()
}

/// What enrolments outside every chain say of the device (H6).
fn enrolled_loosely(
    connection: &Connection,
    device: &DeviceKey,
) -> Result<impl Iterator<Item = DeviceEnrolled>, StoreError> {
    let loose = loose_enrolments(connection)?.into_iter();
    Ok(loose.filter_map(|entry| match entry.statement().ok()??.body {
        Body::DeviceEnrolled(body) if body.device == *device => Some(body),
        _ => None,
    }))
}

/// One durable step of the kiosk.
pub fn step<T, E: From<StoreError>>(
    ledger: &mut Ledger,
    clock: ClockReading,
    work: impl FnOnce(&mut KioskStep<'_, '_>) -> Result<T, E>,
) -> Result<T, E> {
    ledger.step(clock, |step| work(&mut KioskStep { step }))
}

/// A step of the kiosk's.
pub struct KioskStep<'s, 't> {
    pub step: &'s mut Step<'t>,
}

store::forward_shelf!(KioskStep);

impl KioskStep<'_, '_> {
    fn may_write_here(&self, device: &DeviceKey, stream: &Stream) -> Result<bool, StoreError> {
        let gives = |enrolled: DeviceEnrolled| scope::given_by(&enrolled).any(|given| given == *stream);
        Ok(self.step.may_write(device, stream)? || enrolled_loosely(self.connection(), device)?.any(gives))
    }

    fn put_held(&mut self, held: &Held) -> Result<(), StoreError> {
        self.step.put(held)?;
        self.unconfirm(held.entry().log(), &held.entry().id())
    }

    fn unconfirm(&mut self, log: &LogId, entry: &EntryId) -> Result<(), StoreError> {
        let log = shelf::log_number_or_new(self.connection(), log)?;
        let sql = "INSERT OR IGNORE INTO unconfirmed (log, entry) VALUES (?1, ?2)";
        self.connection().prepare_cached(sql)?.execute(params![log, entry.0])?;
        Ok(())
    }

    fn connection(&self) -> &Connection {
        self.step.connection()
    }

    /// Keeps a quiz as far as its person has answered it.
    pub fn keep_quiz(&mut self, person: &PersonId, state: &[u8]) -> Result<(), StoreError> {
        let sql = "INSERT OR REPLACE INTO open_quiz (person, state) VALUES (?1, ?2)";
        self.connection().prepare_cached(sql)?.execute(params![person.as_str(), state])?;
        Ok(())
    }

    /// The quiz is an attempt now.
    pub fn close_quiz(&mut self, person: &PersonId) -> Result<(), StoreError> {
        self.connection().prepare_cached("DELETE FROM open_quiz WHERE person = ?1")?.execute([person.as_str()])?;
        Ok(())
    }

    /// Keeps a box sealed here; it goes to the server with the next call.
    pub fn seal_box(&mut self, name: &str, sealed: &SealedBox) -> Result<(), StoreError> {
        self.step.put_box(name, sealed)?;
        self.give_box(name)
    }

    fn give_box(&mut self, name: &str) -> Result<(), StoreError> {
        let sql = "INSERT OR IGNORE INTO box_to_give (name) VALUES (?1)";
        self.connection().prepare_cached(sql)?.execute([name])?;
        Ok(())
    }

    /// What the server gives stands, unless what is here outdoes it: then the server hears of that. `false`: which of them stands isn't known yet.
    fn take_box(&mut self, row: &BoxRow) -> Result<bool, StoreError> {
        let Some(offered) = SealedBox::read(&row.bytes) else { return Ok(true) };
        let held = boxes::sealed_box(self.connection(), &row.name)?;
        if let Some(held) = held.filter(|held| *held != offered) {
            let is_in_use = |sealed: &SealedBox| boxes::is_in_use(self.connection(), &row.name, sealed);
            match (is_in_use(&held)?, is_in_use(&offered)?) {
                (true, true) if held.outdoes(&offered) => {
                    if person_of_box(&row.name).is_some() {
                        self.give_box(&row.name)?;
                    }
                    return Ok(true);
                }
                // Of two set-ups each side knows one: the exchange brings the other.
                (true, false) if self.is_to_give(&row.name)? => return Ok(false),
                _ => {}
            }
        }
        self.step.put_box(&row.name, &offered)?;
        self.connection().prepare_cached("DELETE FROM box_to_give WHERE name = ?1")?.execute([&row.name])?;
        Ok(true)
    }

    fn is_to_give(&self, name: &str) -> Result<bool, StoreError> {
        Ok(self.connection().prepare_cached("SELECT 1 FROM box_to_give WHERE name = ?1")?.exists([name])?)
    }
}

impl Replica for KioskStep<'_, '_> {
    fn hybrid(&self) -> Result<HybridTime, StoreError> {
        Ok(self.step.world().hybrid)
    }
    fn raise(&mut self, fork: &Fork) -> Result<(), StoreError> {
        self.step.raise(fork)
    }
    fn revocation(&self, device: &DeviceKey) -> Result<Option<String>, StoreError> {
        self.step.revocation(device)
    }
    fn may_recover(&self, entry: &Entry) -> Result<bool, StoreError> {
        Ok(self.step.may_recover(entry))
    }
}

impl TerminalShelf for KioskStep<'_, '_> {
    fn incarnation(&self) -> Result<Option<Incarnation>, StoreError> {
        let bytes = self.step.setting("incarnation")?;
        let damaged = |_| StoreError::Damaged("the incarnation".into());
        bytes.map(|bytes| Incarnation::try_from(bytes.as_slice())).transpose().map_err(damaged)
    }
    fn set_incarnation(&mut self, incarnation: Incarnation) -> Result<(), StoreError> {
        self.step.set("incarnation", &incarnation.0)
    }

    fn cursor(&self, stream: &Stream) -> Result<Cursor, StoreError> {
        let mut statement = self.connection().prepare_cached("SELECT cursor FROM cursor WHERE stream = ?1")?;
        let bytes: Option<Vec<u8>> = statement.query_row([stream.to_string()], |row| row.get(0)).optional()?;
        bytes.map_or_else(
            || Ok(Cursor::default()),
            |bytes| minicbor::decode(&bytes).map_err(|_| StoreError::Damaged("a cursor".into())),
        )
    }
    fn set_cursor(&mut self, stream: &Stream, cursor: &Cursor) -> Result<(), StoreError> {
        let sql = "INSERT OR REPLACE INTO cursor (stream, cursor) VALUES (?1, ?2)";
        self.connection().prepare_cached(sql)?.execute(params![stream.to_string(), to_cbor(cursor)])?;
        Ok(())
    }

    fn advance(&mut self, stream: &Stream, step: &shared::sync::Step) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached(
                "INSERT INTO step (stream, ordinal, epoch, number, chain, entry) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![
                stream.to_string(),
                step.ordinal as i64,
                step.epoch.0,
                step.number as i64,
                step.chain.0,
                step.entry.0
            ])?;
        let sql = "DELETE FROM unconfirmed WHERE entry = ?1 AND log = (SELECT log FROM entry WHERE id = ?1)";
        self.connection().prepare_cached(sql)?.execute([step.entry.0])?;
        Ok(())
    }

    fn step(&self, stream: &Stream, ordinal: u64) -> Result<Option<shared::sync::Step>, StoreError> {
        let mut statement = self.connection().prepare_cached(
            "SELECT ordinal, epoch, number, chain, entry FROM step WHERE stream = ?1 AND ordinal = ?2",
        )?;
        let row = statement.query_row(params![stream.to_string(), ordinal as i64], |row| {
            Ok(shared::sync::Step {
                ordinal: row.get::<_, i64>(0)? as u64,
                epoch: Incarnation(row.get(1)?),
                number: row.get::<_, i64>(2)? as u64,
                chain: Digest32(row.get(3)?),
                entry: EntryId(row.get(4)?),
            })
        });
        Ok(row.optional()?)
    }

    fn cut(&mut self, stream: &Stream, ordinal: u64) -> Result<Vec<EntryId>, StoreError> {
        let after = params![stream.to_string(), ordinal as i64];
        let sql = "SELECT entry FROM step WHERE stream = ?1 AND ordinal > ?2 ORDER BY ordinal";
        let entries: Vec<EntryId> = {
            let mut statement = self.connection().prepare_cached(sql)?;
            statement.query_map(after, |row| row.get(0).map(EntryId))?.collect::<Result<_, _>>()?
        };
        self.connection().execute("DELETE FROM step WHERE stream = ?1 AND ordinal > ?2", after)?;
        for entry in &entries {
            let sql = "INSERT OR IGNORE INTO cut_off (stream, entry) VALUES (?1, ?2)";
            self.connection().prepare_cached(sql)?.execute(params![stream.to_string(), entry.0])?;
            if let Some(place) = self.step.place(entry)? {
                self.unconfirm(&place.log, entry)?;
            }
        }
        Ok(entries)
    }

    fn ordinal(&self, entry: &EntryId) -> Result<Option<u64>, StoreError> {
        let mut statement = self.connection().prepare_cached("SELECT ordinal FROM step WHERE entry = ?1")?;
        Ok(statement.query_row([entry.0], |row| row.get::<_, i64>(0)).optional()?.map(|ordinal| ordinal as u64))
    }

    fn unconfirmed_logs(&self, marks: &Marks) -> Result<Vec<LogId>, StoreError> {
        let mut logs = read_logs(
            self.connection(),
            "SELECT device, incarnation, stream FROM log WHERE log IN (SELECT log FROM unconfirmed)",
            params![],
        )?;
        for (stream, ordinal) in marks {
            logs.extend(read_logs(
                self.connection(),
                "SELECT DISTINCT l.device, l.incarnation, l.stream FROM step s JOIN entry e ON e.id = s.entry JOIN log l USING (log)
                 WHERE s.stream = ?1 AND s.ordinal > ?2",
                params![stream.to_string(), *ordinal as i64],
            )?);
        }
        logs.sort();
        logs.dedup();
        Ok(logs)
    }

    fn loose_enrolments(&self) -> Result<Vec<Entry>, StoreError> {
        loose_enrolments(self.connection())
    }
    fn keep_loose_enrolment(&mut self, enrolment: &Entry) -> Result<(), StoreError> {
        self.connection().execute(
            "INSERT OR IGNORE INTO loose_enrolment (id, bytes) VALUES (?1, ?2)",
            params![enrolment.id().0, enrolment.bytes()],
        )?;
        Ok(())
    }

    fn box_mark(&self) -> Result<Option<BoxMark>, StoreError> {
        let bytes = self.step.setting("box_mark")?;
        let damaged = |_| StoreError::Damaged("the mark of boxes".into());
        bytes.map(|bytes| minicbor::decode(&bytes)).transpose().map_err(damaged)
    }

    fn boxes_to_give(&self, max_bytes: usize) -> Result<Vec<BoxRow>, StoreError> {
        let sql = "SELECT b.name, b.epoch, b.bytes FROM box_to_give g JOIN box b USING (name) ORDER BY b.name";
        let mut statement = self.connection().prepare_cached(sql)?;
        let mut rows = statement.query([])?;
        let (mut boxes, mut size) = (Vec::new(), 0);
        while let Some(row) = rows.next()? {
            let bytes: Vec<u8> = row.get(2)?;
            size += bytes.len();
            if size > max_bytes && !boxes.is_empty() {
                break;
            }
            boxes.push(BoxRow {
                name: row.get(0)?,
                epoch: PepperEpoch(row.get::<_, i64>(1)? as u64),
                bytes: ByteVec::from(bytes),
            });
        }
        Ok(boxes)
    }

    fn take_boxes(&mut self, boxes: &Boxes) -> Result<(), StoreError> {
        if boxes.all {
            let sql = "INSERT OR IGNORE INTO box_to_give SELECT name FROM box WHERE name LIKE 'person/%'";
            self.connection().execute(sql, [])?;
        }
        // The set-ups that say which box stands may have come with them.
        self.step.follow_now()?;
        let mut settled = true;
        for row in &boxes.rows {
            settled &= self.take_box(row)?;
        }
        match boxes.mark.as_ref().filter(|_| settled) {
            Some(mark) => self.step.set("box_mark", &to_cbor(mark)),
            None => Ok(()),
        }
    }
}

fn read_logs(connection: &Connection, sql: &str, parameters: impl rusqlite::Params) -> Result<Vec<LogId>, StoreError> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(parameters)?;
    let mut logs = Vec::new();
    while let Some(row) = rows.next()? {
        logs.push(shelf::log_id(&row.get::<_, Vec<u8>>(0)?, &row.get::<_, Vec<u8>>(1)?, &row.get::<_, String>(2)?)?);
    }
    Ok(logs)
}

/// The quiz a person left half answered here.
pub fn open_quiz(connection: &Connection, person: &PersonId) -> Result<Option<Vec<u8>>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT state FROM open_quiz WHERE person = ?1")?;
    Ok(statement.query_row([person.as_str()], |row| row.get(0)).optional()?)
}

/// How many held entries wait for the server's confirmation, by stream: this kiosk's own, and those it carries for others.
pub fn waiting(connection: &Connection) -> Result<Vec<(Stream, u64)>, StoreError> {
    let sql = "SELECT l.stream, count(*) FROM unconfirmed u JOIN log l USING (log) GROUP BY l.stream ORDER BY l.stream";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?)))?;
    rows.map(|row| {
        let (stream, count) = row?;
        let stream = Stream::parse(&stream).ok_or_else(|| StoreError::Damaged("the name of a stream".into()))?;
        Ok((stream, count as u64))
    })
    .collect()
}

/// How many boxes sealed here the server has not shown back.
pub fn boxes_waiting(connection: &Connection) -> Result<u64, StoreError> {
    let count: i64 = connection.query_row("SELECT count(*) FROM box_to_give", [], |row| row.get(0))?;
    Ok(count as u64)
}

/// Whether the server has confirmed the entry.
pub fn is_confirmed(connection: &Connection, entry: &EntryId) -> Result<bool, StoreError> {
    let mut statement = connection.prepare_cached("SELECT 1 FROM step WHERE entry = ?1")?;
    Ok(statement.exists([entry.0])?)
}
