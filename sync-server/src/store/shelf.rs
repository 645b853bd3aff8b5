//! The server's store as the protocol sees it, over one transaction.

use std::collections::BTreeSet;

use minicbor::bytes::ByteVec;
use rusqlite::{OptionalExtension, params};
use shared::id::*;
use shared::kind::plant::KeyStoreKind;
use shared::kind::{Body, Statement};
use shared::log::standing::Fork;
use shared::log::{Entry, Held, LogId, Shelf, Stream, Subject};
use shared::part11::boxes::{SealedBox, person_of_box};
use shared::part11::pepper::PepperEpoch;
use shared::part11::strength::SecretKind;
use shared::sync::message::Up;
use shared::sync::store::{BoxMark, BoxRow, Boxes, Ordered};
use shared::sync::{Replica, ServerShelf, scope};
use shared::time::HybridTime;
use store::{Step, StoreError, boxes, shelf};

/// A step of the server's.
pub struct ServerStep<'s, 't> {
    pub step: &'s mut Step<'t>,
    /// Without it no box is taken or given.
    pub(super) server_seed: Option<[u8; 32]>,
}

store::forward_shelf!(ServerStep);

impl ServerStep<'_, '_> {
    fn may_write_here(&self, device: &DeviceKey, stream: &Stream) -> Result<bool, StoreError> {
        self.step.may_write(device, stream)
    }

    fn put_held(&mut self, held: &Held) -> Result<(), StoreError> {
        self.step.put(held)
    }

    fn epoch_now(&self) -> Result<Incarnation, StoreError> {
        self.epochs()?.last().copied().ok_or_else(|| StoreError::Damaged("no epoch is open".into()))
    }

    /// When an entry that gets a number was received: now, unless a former order has it, whose word stands.
    fn received(&self, entry: &EntryId) -> Result<Option<i64>, StoreError> {
        let mut statement = self
            .step
            .connection()
            .prepare_cached("SELECT count(*), min(received_ms) FROM ordering WHERE entry = ?1")?;
        let (numbered, received): (i64, Option<i64>) =
            statement.query_row([entry.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(if numbered > 0 { received } else { Some(self.step.clock().wall.0) })
    }

    /// Puts a box in the place of the one before; every kiosk hears of it.
    pub fn put_own_box(&mut self, name: &str, sealed: &SealedBox) -> Result<(), StoreError> {
        self.step.put_box(name, sealed)?;
        self.announce_box(name)
    }

    /// Whether boxes of an epoch may be here: it is none that a revocation to come will begin.
    fn has_had(&self, epoch: PepperEpoch) -> bool {
        let revoked = &self.step.world().plant.revoked_devices;
        self.server_seed.is_some_and(|seed| epoch.can_have_led_to(PepperEpoch::after(revoked.keys(), &seed)))
    }

    fn announce_box(&self, name: &str) -> Result<(), StoreError> {
        let sql = "INSERT OR REPLACE INTO box_order (name) VALUES (?1)";
        self.step.connection().prepare_cached(sql)?.execute([name])?;
        Ok(())
    }
}

impl Replica for ServerStep<'_, '_> {
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

impl ServerShelf for ServerStep<'_, '_> {
    fn epochs(&self) -> Result<Vec<Incarnation>, StoreError> {
        let mut statement = self.step.connection().prepare_cached("SELECT epoch FROM epoch ORDER BY position")?;
        let rows = statement.query_map([], |row| row.get(0).map(Incarnation))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn set_epochs(&mut self, epochs: &[Incarnation]) -> Result<(), StoreError> {
        self.step.connection().execute("DELETE FROM epoch", [])?;
        let mut insert = self.step.connection().prepare("INSERT INTO epoch (position, epoch) VALUES (?1, ?2)")?;
        for (position, epoch) in epochs.iter().enumerate() {
            insert.execute(params![position as i64, epoch.0])?;
        }
        Ok(())
    }

    fn stopped(&self) -> Result<bool, StoreError> {
        Ok(self.step.setting("stopped")?.is_some_and(|value| value == [1]))
    }
    fn set_stopped(&mut self, stopped: bool) -> Result<(), StoreError> {
        self.step.set("stopped", &[u8::from(stopped)])
    }

    fn streams(&self) -> Result<Vec<Stream>, StoreError> {
        let mut statement = self.step.connection().prepare_cached("SELECT DISTINCT stream FROM log ORDER BY stream")?;
        let rows = statement.query_map([], |row| row.get::<_, String>(0))?;
        rows.map(|row| Stream::parse(&row?).ok_or_else(|| StoreError::Damaged("a stream's name".into()))).collect()
    }

    fn last_ordered(&self, stream: &Stream, epoch: &Incarnation) -> Result<Option<Ordered>, StoreError> {
        let mut statement = self.step.connection().prepare_cached(
            "SELECT number, chain, entry FROM ordering WHERE stream = ?1 AND epoch = ?2 ORDER BY number DESC LIMIT 1",
        )?;
        Ok(statement.query_row(params![stream.to_string(), epoch.0], read_ordered).optional()?)
    }

    fn ordered(
        &self,
        stream: &Stream,
        epoch: &Incarnation,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Ordered>, StoreError> {
        let mut statement = self.step.connection().prepare_cached(
            "SELECT number, chain, entry FROM ordering WHERE stream = ?1 AND epoch = ?2 AND number > ?3 ORDER BY number LIMIT ?4",
        )?;
        let row = params![stream.to_string(), epoch.0, after as i64, limit as i64];
        Ok(statement.query_map(row, read_ordered)?.collect::<Result<_, _>>()?)
    }

    fn order(&mut self, stream: &Stream, epoch: &Incarnation, next: &Ordered) -> Result<(), StoreError> {
        let mut statement = self.step.connection().prepare_cached(
            "INSERT INTO ordering (stream, epoch, number, chain, entry, received_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?;
        let (number, received) = (next.number as i64, self.received(&next.entry)?);
        statement.execute(params![stream.to_string(), epoch.0, number, next.chain.0, next.entry.0, received])?;
        Ok(())
    }

    fn scope_of(&self, device: &DeviceKey) -> Result<Option<Vec<Stream>>, StoreError> {
        if let Some(enrolled) = self.step.world().plant.devices.get(device) {
            return Ok(Some(scope::of_enrolment(enrolled)));
        }
        // Enrolled in this very step, or on a branch without effect: holding asks for no verdict (H1).
        let about = shelf::entries_about(self.step.connection(), Subject::new("device", device).as_str())?;
        Ok(about.iter().find_map(|entry| match entry.statement().ok()??.body {
            Body::DeviceEnrolled(body) if body.device == *device => Some(scope::of_enrolment(&body)),
            _ => None,
        }))
    }

    fn is_retired(&self, device: &DeviceKey) -> Result<bool, StoreError> {
        let about = shelf::entries_about(self.step.connection(), Subject::new("device", device).as_str())?;
        Ok(about.iter().any(|entry| is_retirement(entry, device)))
    }

    fn logs_of(&self, device: &DeviceKey, incarnation: &Incarnation) -> Result<Vec<LogId>, StoreError> {
        let mut statement = self
            .step
            .connection()
            .prepare_cached("SELECT stream FROM log WHERE device = ?1 AND incarnation = ?2 ORDER BY stream")?;
        let rows = statement.query_map(params![device.0, incarnation.0], |row| row.get::<_, String>(0))?;
        rows.map(|row| shelf::log_id(&device.0, &incarnation.0, &row?)).collect()
    }

    fn recoveries(&self) -> Result<Vec<Entry>, StoreError> {
        let sql = "SELECT bytes, blocks_good FROM entry WHERE kind = 'server_recovered' ORDER BY row";
        let mut statement = self.step.connection().prepare_cached(sql)?;
        let rows = statement.query_map([], |row| Ok((row.get::<_, Vec<u8>>(0)?, row.get(1)?)))?;
        rows.map(|row| row.map_err(StoreError::from).and_then(|(bytes, good)| shelf::read_entry(&bytes, good)))
            .collect()
    }

    fn boxes_since(&self, up: &Up, max_bytes: usize) -> Result<Boxes, StoreError> {
        if self.scope_of(&up.device)?.is_none() {
            return Ok(Boxes::default());
        }
        let epoch = self.epoch_now()?;
        let after = up.box_mark.as_ref().filter(|mark| mark.epoch == epoch).map(|mark| mark.number);
        let mut statement = self.step.connection().prepare_cached(
            "SELECT o.number, b.name, b.epoch, b.bytes FROM box_order o JOIN box b USING (name) WHERE o.number > ?1 ORDER BY o.number",
        )?;
        let mut rows = statement.query([after.unwrap_or(0) as i64])?;
        let (mut boxes, mut size, mut last) = (Boxes { all: after.is_none(), ..Boxes::default() }, 0, None);
        let has_chip = self.has_chip(&up.device);
        while let Some(row) = rows.next()? {
            if !has_chip && self.opens_with_a_pin(&row.get::<_, String>(1)?)? {
                continue;
            }
            let (epoch, bytes) = (PepperEpoch(row.get::<_, i64>(2)? as u64), row.get::<_, Vec<u8>>(3)?);
            // Its pepper is given to nobody.
            if !self.has_had(epoch) {
                continue;
            }
            if !up.knows(epoch) {
                break;
            }
            size += bytes.len();
            if (size > max_bytes || boxes.rows.len() == shared::sync::message::MAX_BOXES) && last.is_some() {
                break;
            }
            last = Some(row.get::<_, i64>(0)? as u64);
            boxes.rows.push(BoxRow { name: row.get(1)?, epoch, bytes: ByteVec::from(bytes) });
        }
        boxes.mark = last.map(|number| BoxMark { epoch, number });
        Ok(boxes)
    }

    /// A kiosk may bring boxes of people that hold their key in use: another would keep its person from signing wherever it came to. The answers of
    /// quizzes come from the server only. A box of an epoch that this server hasn't come to is not kept: whoever seals one could name what no revocation
    /// would ever outdo, and be given its pepper. Its bringer keeps it, and brings it again until it is shown back, so where a revocation was lost with the
    /// server nothing of an honest box is.
    fn put_box(&mut self, _device: &DeviceKey, row: &BoxRow) -> Result<(), StoreError> {
        let (Some(_), Some(offered)) = (person_of_box(&row.name), SealedBox::read(&row.bytes)) else { return Ok(()) };
        // The set-up may have come in this very call, and a revocation, too.
        self.step.follow_now()?;
        if !self.has_had(offered.epoch) {
            return Ok(());
        }
        let connection = self.step.connection();
        if !boxes::is_in_use(connection, &row.name, &offered)? {
            return Ok(());
        }
        match boxes::sealed_box(connection, &row.name)? {
            Some(held) if held == offered => Ok(()),
            // Whoever brought it hears what stands.
            Some(held) if held.outdoes(&offered) && boxes::is_in_use(connection, &row.name, &held)? => {
                self.announce_box(&row.name)
            }
            _ => self.put_own_box(&row.name, &offered),
        }
    }
}

impl ServerStep<'_, '_> {
    fn has_chip(&self, device: &DeviceKey) -> bool {
        self.step.world().plant.devices.get(device).is_some_and(|set| set.key_store == KeyStoreKind::Tpm)
    }

    /// Whether a box is no stronger than a PIN: it is of no use at a terminal without a chip, and soon opened by whoever steals one (R16).
    fn opens_with_a_pin(&self, name: &str) -> Result<bool, StoreError> {
        let Some(person) = person_of_box(name) else { return Ok(false) };
        let connection = self.step.connection();
        let Some((key, _)) = store::questions::key_of(connection, &person)? else { return Ok(false) };
        let set_up = store::questions::set_up_of(connection, &key)?;
        Ok(set_up.is_some_and(|set_up| SecretKind::chosen_in(&set_up) == SecretKind::Pin))
    }
}

fn read_ordered(row: &rusqlite::Row<'_>) -> rusqlite::Result<Ordered> {
    Ok(Ordered { number: row.get::<_, i64>(0)? as u64, chain: Digest32(row.get(1)?), entry: EntryId(row.get(2)?) })
}

/// Whether the entry lets the device go for good. One signature, whatever else it says, is that of somebody who might have come by it alone.
fn is_retirement(entry: &Entry, device: &DeviceKey) -> bool {
    let Ok(Some(Statement { body: Body::DeviceRevoked(body), .. })) = entry.statement() else { return false };
    let signers: BTreeSet<&PersonId> = entry.blocks().iter().map(|block| &block.signer).collect();
    body.device == *device && body.retired == Some(true) && signers.len() > 1
}
