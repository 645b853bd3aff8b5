//! The disks of kiosks and server, in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;

use shared::id::{DeviceKey, EntryId, Incarnation};
use shared::kind::Body;
use shared::log::standing::Fork;
use shared::log::{Entry, Held, LogId, Place, Shelf, Stream};
use shared::part11::pepper::PepperEpoch;
use shared::sync::message::{Item, Up};
use shared::sync::order::{chain_next, chain_start, length};
use shared::sync::store::Ordered;
use shared::sync::{BoxMark, BoxRow, Boxes, Cursor, Marks, Replica, Segment, ServerShelf, Step, TerminalShelf, scope};
use shared::time::HybridTime;

use crate::mutant::Mutant;
use crate::shelf::{ById, Entries};
use crate::world::sure;

/// A kiosk's data folder.
#[derive(Debug, Clone)]
pub struct KioskDisk {
    pub entries: Entries,
    incarnation: Option<Incarnation>,
    cursors: BTreeMap<Stream, Cursor>,
    /// Step after step, from 1.
    steps: BTreeMap<Stream, Vec<Step>>,
    ordinals: ById<u64>,
    unconfirmed: ById<LogId>,
    loose: Vec<Entry>,
    given_loosely: BTreeSet<(DeviceKey, Stream)>,
    pub boxes: BTreeMap<String, BoxRow>,
    given_boxes: BTreeSet<(String, PepperEpoch)>,
    box_mark: Option<BoxMark>,
}

/// How far a kiosk has read, and how many entries it holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Reach {
    pub cursors: BTreeMap<Stream, Cursor>,
    pub entries: usize,
}

impl KioskDisk {
    pub fn new(entries: Entries) -> Self {
        Self {
            entries,
            incarnation: None,
            cursors: BTreeMap::new(),
            steps: BTreeMap::new(),
            ordinals: ById::default(),
            unconfirmed: ById::default(),
            loose: Vec::new(),
            given_loosely: BTreeSet::new(),
            boxes: BTreeMap::new(),
            given_boxes: BTreeSet::new(),
            box_mark: None,
        }
    }

    /// How far the kiosk has come: what changes when it takes anything.
    pub fn reach(&self) -> Reach {
        Reach { cursors: self.cursors.clone(), entries: self.entries.len() }
    }

    /// What the kiosk shows as confirmed.
    pub fn receipts(&self) -> &BTreeMap<Stream, Vec<Step>> {
        &self.steps
    }

    /// What a store that wrote its cursor before its entries would have after a crash between the two.
    pub fn with_cursors_of(&self, later: &Self) -> Self {
        Self {
            cursors: later.cursors.clone(),
            steps: later.steps.clone(),
            ordinals: later.ordinals.clone(),
            ..self.clone()
        }
    }

    /// Moves the cursor over an item, held or not.
    pub fn move_past(&mut self, item: &Item) {
        let (stream, entry) = (&item.stream, item.given.id());
        let mut cursor = sure(self.cursor(stream));
        if cursor.path.last().is_none_or(|last| last.epoch != item.epoch) {
            let hash = chain_start(&item.epoch, stream);
            cursor.path.push(Segment { epoch: item.epoch, end: 0, hash });
        }
        let Some(last) = cursor.path.last_mut().filter(|last| last.end + 1 == item.number) else { return };
        last.end = item.number;
        last.hash = chain_next(&last.hash, &entry);
        let chain = last.hash;
        let step = Step { ordinal: length(&cursor.path), epoch: item.epoch, number: item.number, chain, entry };
        sure(self.advance(stream, &step));
        sure(self.set_cursor(stream, &cursor));
    }

    fn is(&self, mutant: Mutant) -> bool {
        self.entries.mutant == Some(mutant)
    }

    fn steps_after(&self, stream: &Stream, ordinal: u64) -> &[Step] {
        self.steps.get(stream).and_then(|steps| steps.get(ordinal as usize..)).unwrap_or_default()
    }

    fn is_given_loosely(&self, device: &DeviceKey, stream: &Stream) -> bool {
        self.given_loosely.iter().any(|given| (&given.0, &given.1) == (device, stream))
    }

    fn after_put(&mut self, id: &EntryId) {
        if self.entries.holds(id) && !self.ordinals.contains_key(id) {
            self.unconfirm(id);
        }
    }

    fn unconfirm(&mut self, id: &EntryId) {
        if let Some(entry) = self.entries.get(id) {
            self.unconfirmed.insert(*id, entry.log().clone());
        }
    }
}

/// The server's database.
#[derive(Debug, Clone)]
pub struct ServerDisk {
    pub entries: Entries,
    epochs: Vec<Incarnation>,
    stopped: bool,
    /// Number after number, from 1.
    orders: BTreeMap<(Stream, Incarnation), Vec<Ordered>>,
    boxes: BTreeMap<String, (u64, BoxRow)>,
    box_number: u64,
}

impl ServerDisk {
    pub fn new(entries: Entries) -> Self {
        let (epochs, orders, boxes) = Default::default();
        Self { entries, epochs, stopped: false, orders, boxes, box_number: 0 }
    }

    /// What somebody does who edits the first two numbers of a stream's epoch, and mends its chain behind them.
    pub fn swap_first_two(&mut self, stream: &Stream, epoch: &Incarnation) {
        let Some(order) = self.orders.get_mut(&(stream.clone(), *epoch)) else { return };
        let mut entries: Vec<EntryId> = order.iter().map(|ordered| ordered.entry).collect();
        entries.swap(0, 1);
        let mut chain = chain_start(epoch, stream);
        for (ordered, entry) in order.iter_mut().zip(entries) {
            chain = chain_next(&chain, &entry);
            (ordered.entry, ordered.chain) = (entry, chain);
        }
    }

    /// Takes the last number of a stream's epoch away.
    pub fn cut_last(&mut self, stream: &Stream, epoch: &Incarnation) {
        if let Some(order) = self.orders.get_mut(&(stream.clone(), *epoch)) {
            order.pop();
        }
    }

    fn is_given_loosely(&self, _: &DeviceKey, _: &Stream) -> bool {
        false
    }

    fn after_put(&mut self, _: &EntryId) {}
}

macro_rules! shelf_of_entries {
    ($disk:ty) => {
        impl Shelf for $disk {
            type Error = Infallible;

            fn place(&self, id: &EntryId) -> Result<Option<Place>, Infallible> {
                self.entries.place(id)
            }
            fn entry(&self, id: &EntryId) -> Result<Option<Entry>, Infallible> {
                self.entries.entry(id)
            }
            fn logs(&self) -> Result<Vec<LogId>, Infallible> {
                self.entries.logs()
            }
            fn tips(&self, log: &LogId) -> Result<Vec<(u64, EntryId)>, Infallible> {
                self.entries.tips(log)
            }
            fn at(&self, log: &LogId, counter: u64) -> Result<Vec<EntryId>, Infallible> {
                self.entries.at(log, counter)
            }
            fn may_write(&self, device: &DeviceKey, stream: &Stream) -> Result<bool, Infallible> {
                Ok(self.entries.may_write(device, stream)? || self.is_given_loosely(device, stream))
            }
            fn is_server(&self, device: &DeviceKey) -> Result<bool, Infallible> {
                self.entries.is_server(device)
            }
            fn put(&mut self, held: &Held) -> Result<(), Infallible> {
                self.entries.put(held)?;
                self.after_put(&held.entry().id());
                Ok(())
            }
        }

        impl Replica for $disk {
            fn hybrid(&self) -> Result<HybridTime, Infallible> {
                let by_wall = self.entries.mutant == Some(Mutant::OrdersByWallClock);
                Ok(if by_wall { HybridTime::default() } else { self.entries.hybrid })
            }
            fn raise(&mut self, fork: &Fork) -> Result<(), Infallible> {
                let by = (self.entries.mutant == Some(Mutant::AlarmPerClash)).then(|| {
                    // One alarm for each clash: the key is the number of entries there so far.
                    EntryId::of(&(self.entries.len() as u64).to_be_bytes())
                });
                self.entries.raise(fork, by);
                Ok(())
            }
            fn revocation(&self, device: &DeviceKey) -> Result<Option<String>, Infallible> {
                Ok(self.entries.revocation_reason(device))
            }
            fn may_recover(&self, entry: &Entry) -> Result<bool, Infallible> {
                Ok(self.entries.may_recover(entry))
            }
        }
    };
}

shelf_of_entries!(KioskDisk);
shelf_of_entries!(ServerDisk);

impl TerminalShelf for KioskDisk {
    fn incarnation(&self) -> Result<Option<Incarnation>, Infallible> {
        Ok(self.incarnation)
    }

    fn set_incarnation(&mut self, incarnation: Incarnation) -> Result<(), Infallible> {
        if self.incarnation.is_none() || !self.is(Mutant::NoNewIncarnation) {
            self.incarnation = Some(incarnation);
        }
        Ok(())
    }

    fn cursor(&self, stream: &Stream) -> Result<Cursor, Infallible> {
        Ok(self.cursors.get(stream).cloned().unwrap_or_default())
    }

    fn set_cursor(&mut self, stream: &Stream, cursor: &Cursor) -> Result<(), Infallible> {
        self.cursors.insert(stream.clone(), cursor.clone());
        Ok(())
    }

    fn advance(&mut self, stream: &Stream, step: &Step) -> Result<(), Infallible> {
        let steps = self.steps.entry(stream.clone()).or_default();
        steps.truncate(step.ordinal as usize - 1);
        steps.push(step.clone());
        assert_eq!(steps.len() as u64, step.ordinal, "a cursor never moves over a gap");
        self.ordinals.insert(step.entry, step.ordinal);
        self.unconfirmed.remove(&step.entry);
        Ok(())
    }

    fn step(&self, stream: &Stream, ordinal: u64) -> Result<Option<Step>, Infallible> {
        let before = ordinal.checked_sub(1);
        Ok(before.and_then(|before| self.steps_after(stream, before).first()).cloned())
    }

    fn cut(&mut self, stream: &Stream, ordinal: u64) -> Result<Vec<EntryId>, Infallible> {
        let Some(steps) = self.steps.get_mut(stream) else { return Ok(Vec::new()) };
        let beyond = steps.split_off(steps.len().min(ordinal as usize));
        for step in &beyond {
            self.ordinals.remove(&step.entry);
            if !self.is(Mutant::ConfirmedForGood) {
                self.unconfirm(&step.entry);
            }
        }
        Ok(beyond.into_iter().map(|step| step.entry).collect())
    }

    fn ordinal(&self, entry: &EntryId) -> Result<Option<u64>, Infallible> {
        let gone =
            self.is(Mutant::ConfirmedForGood) && !self.unconfirmed.contains_key(entry) && self.entries.holds(entry);
        Ok(if gone { Some(0) } else { self.ordinals.get(entry).copied() })
    }

    fn unconfirmed_logs(&self, marks: &Marks) -> Result<Vec<LogId>, Infallible> {
        let mut logs: BTreeSet<&LogId> = self.unconfirmed.values().collect();
        for (stream, mark) in marks.iter().filter(|_| !self.is(Mutant::ConfirmedForGood)) {
            for step in self.steps_after(stream, *mark) {
                logs.extend(self.entries.get(&step.entry).map(Entry::log));
            }
        }
        Ok(logs.into_iter().cloned().collect())
    }

    fn loose_enrolments(&self) -> Result<Vec<Entry>, Infallible> {
        Ok(if self.is(Mutant::NoLooseEnrolment) { Vec::new() } else { self.loose.clone() })
    }

    fn keep_loose_enrolment(&mut self, enrolment: &Entry) -> Result<(), Infallible> {
        if let Ok(Some(statement)) = enrolment.statement()
            && let Body::DeviceEnrolled(body) = statement.body
            && !self.loose.contains(enrolment)
        {
            self.given_loosely.extend(scope::given_by(&body).map(|stream| (body.device, stream)));
            self.loose.push(enrolment.clone());
        }
        Ok(())
    }

    fn box_mark(&self) -> Result<Option<BoxMark>, Infallible> {
        Ok(self.box_mark.clone())
    }

    fn boxes_to_give(&self, _: usize) -> Result<Vec<BoxRow>, Infallible> {
        let not_given = |row: &&BoxRow| !self.given_boxes.contains(&(row.name.clone(), row.epoch));
        Ok(self.boxes.values().filter(not_given).cloned().collect())
    }

    fn take_boxes(&mut self, boxes: &Boxes) -> Result<(), Infallible> {
        if boxes.all {
            self.given_boxes.clear();
        }
        for row in &boxes.rows {
            self.given_boxes.insert((row.name.clone(), row.epoch));
            if self.boxes.get(&row.name).is_none_or(|mine| mine.epoch <= row.epoch) {
                self.boxes.insert(row.name.clone(), row.clone());
            }
        }
        if boxes.mark.is_some() {
            self.box_mark.clone_from(&boxes.mark);
        }
        Ok(())
    }
}

impl ServerShelf for ServerDisk {
    /// Nobody is retired in the simulator: to the protocol it is a revocation like any other.
    fn is_retired(&self, _: &DeviceKey) -> Result<bool, Infallible> {
        Ok(false)
    }

    fn epochs(&self) -> Result<Vec<Incarnation>, Infallible> {
        Ok(self.epochs.clone())
    }

    fn set_epochs(&mut self, epochs: &[Incarnation]) -> Result<(), Infallible> {
        self.epochs = epochs.to_vec();
        Ok(())
    }

    fn stopped(&self) -> Result<bool, Infallible> {
        Ok(self.stopped)
    }

    fn set_stopped(&mut self, stopped: bool) -> Result<(), Infallible> {
        self.stopped = stopped;
        Ok(())
    }

    fn streams(&self) -> Result<Vec<Stream>, Infallible> {
        let streams: BTreeSet<&Stream> = self.entries.all().map(|entry| &entry.log().stream).collect();
        Ok(streams.into_iter().cloned().collect())
    }

    fn last_ordered(&self, stream: &Stream, epoch: &Incarnation) -> Result<Option<Ordered>, Infallible> {
        Ok(self.orders.get(&(stream.clone(), *epoch)).and_then(|order| order.last()).cloned())
    }

    fn ordered(
        &self,
        stream: &Stream,
        epoch: &Incarnation,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Ordered>, Infallible> {
        let order = self.orders.get(&(stream.clone(), *epoch)).map(Vec::as_slice).unwrap_or_default();
        let rest = order.get(after as usize..).unwrap_or_default();
        Ok(rest.iter().take(limit).cloned().collect())
    }

    fn order(&mut self, stream: &Stream, epoch: &Incarnation, next: &Ordered) -> Result<(), Infallible> {
        let order = self.orders.entry((stream.clone(), *epoch)).or_default();
        assert_eq!(next.number, order.len() as u64 + 1, "the order has neither gaps nor a number twice");
        order.push(next.clone());
        Ok(())
    }

    fn scope_of(&self, device: &DeviceKey) -> Result<Option<Vec<Stream>>, Infallible> {
        Ok(self.entries.enrolment(device).map(scope::of_enrolment))
    }

    fn logs_of(&self, device: &DeviceKey, incarnation: &Incarnation) -> Result<Vec<LogId>, Infallible> {
        let mut logs = self.entries.logs()?;
        logs.retain(|log| log.device == *device && log.incarnation == *incarnation);
        Ok(logs)
    }

    fn recoveries(&self) -> Result<Vec<Entry>, Infallible> {
        Ok(self.entries.recovery_entries())
    }

    fn boxes_since(&self, up: &Up, _: usize) -> Result<Boxes, Infallible> {
        let Some(epoch) = self.epochs.last().copied() else { return Ok(Boxes::default()) };
        let since = up.box_mark.as_ref().filter(|mark| mark.epoch == epoch).map(|mark| mark.number);
        let new = self.boxes.values().filter(|(number, _)| since.is_none_or(|since| *number > since));
        let rows: Vec<BoxRow> = new.map(|(_, row)| row.clone()).collect();
        let mark = (since != Some(self.box_number)).then_some(BoxMark { epoch, number: self.box_number });
        Ok(Boxes { mark, all: since.is_none(), rows })
    }

    fn put_box(&mut self, _: &DeviceKey, row: &BoxRow) -> Result<(), Infallible> {
        if self.boxes.get(&row.name).is_none_or(|(_, mine)| mine.epoch < row.epoch) {
            self.box_number += 1;
            self.boxes.insert(row.name.clone(), (self.box_number, row.clone()));
        }
        Ok(())
    }
}
