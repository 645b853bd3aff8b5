//! The Automerge document: genesis, one fact's edits as one change, changes taken over, reading.
//!
//! Nothing a peer wrote reaches Automerge but checked text and checked positions. No bytes are ever parsed by it, and
//! times stay outside: its columns keep differences of numbers, which a hostile clock could make overflow.

use std::collections::BTreeMap;

use automerge::transaction::{CommitOptions, Transactable, Transaction};
use automerge::{ActorId, Automerge, AutomergeError, Change, ObjId, ObjType, ROOT, ReadDoc, ScalarValue, TextEncoding};

use super::fact::{MAX_NOTES_BYTES, Refusal};
use crate::id::{Digest32, EntryId, WorksheetId};
use crate::kind::record::Edit;

/// One document, at some heads. Whoever writes to it or takes changes into it holds a copy: a failure half-way is
/// thrown away with it.
#[derive(Clone)]
pub(super) struct Document {
    automerge: Automerge,
    steps: ObjId,
    values: ObjId,
    notes: ObjId,
}

/// Which edit said something: the document says which edits stand, the facts say what they said.
///
/// No two edits write the same scalar, and that is a rule, not a saving: Automerge drops a write of the value that
/// stands already. A second *pass* by somebody else would leave no trace, and a concurrent *fail* would win over it
/// in silence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Pointer {
    pub entry: EntryId,
    pub edit: u8,
}

/// Everything that stands in a document.
#[derive(Debug, Clone, Default)]
pub(super) struct Reading {
    pub steps: BTreeMap<String, Vec<Pointer>>,
    pub values: BTreeMap<String, Vec<Pointer>>,
    pub notes: String,
}

impl Document {
    /// The document every replica begins a worksheet with: a pure function of the worksheet's id.
    pub fn genesis(worksheet: WorksheetId) -> Self {
        let mut automerge = Automerge::new_with_encoding(TextEncoding::UnicodeCodePoint);
        automerge.set_actor(actor(b"lineproof.worksheet.genesis.v1", worksheet.as_bytes()));
        let mut tx = automerge.transaction();
        let mut object = |name, sort| tx.put_object(ROOT, name, sort).expect("an empty root takes an object");
        let (steps, values, notes) =
            (object("steps", ObjType::Map), object("values", ObjType::Map), object("notes", ObjType::Text));
        tx.commit_with(CommitOptions::default().with_time(0));
        Self { automerge, steps, values, notes }
    }

    /// Executes a fact's edits as one change, under an actor of its own, so that its sequence is always 1. After an
    /// error this copy must not be used.
    pub fn write(&mut self, entry: EntryId, edits: &[Edit]) -> Result<Change, Refusal> {
        #[cfg(test)]
        panics::strike();
        let inserts = edits.iter().any(|edit| matches!(edit, Edit::Insert(..)));
        let before = if inserts { self.notes()?.len() } else { 0 };
        self.automerge.set_actor(actor(b"lineproof.worksheet.edit.v1", entry.as_bytes()));
        let mut tx = self.automerge.transaction();
        for (index, edit) in (0..).zip(edits) {
            let object = match edit {
                Edit::Tick(..) => &self.steps,
                Edit::Value(..) => &self.values,
                Edit::Insert(..) | Edit::Cut(..) => &self.notes,
            };
            execute(&mut tx, object, Pointer { entry, edit: index }, edit)?;
        }
        tx.commit_with(CommitOptions::default().with_time(0)).0.ok_or(Refusal::Engine)?;
        if inserts && self.notes()?.len() > before.max(MAX_NOTES_BYTES) {
            return Err(Refusal::NotesTooLarge);
        }
        self.automerge.get_last_local_change().ok_or(Refusal::Engine)
    }

    /// Takes over changes that this replica executed on other copies.
    pub fn take(&mut self, changes: Vec<Change>) -> Result<(), Refusal> {
        self.automerge.apply_changes(changes).map_err(engine)
    }

    pub fn read(&self) -> Result<Reading, Refusal> {
        Ok(Reading { steps: self.pointers(&self.steps)?, values: self.pointers(&self.values)?, notes: self.notes()? })
    }

    /// Names the document's whole history: equal at replicas that hold the same facts and run the same engine.
    pub fn digest(&self) -> Digest32 {
        let mut heads: Vec<[u8; 32]> = self.automerge.get_heads().into_iter().map(|head| head.0).collect();
        heads.sort_unstable();
        Digest32::of(&heads.concat())
    }

    fn notes(&self) -> Result<String, Refusal> {
        self.automerge.text(&self.notes).map_err(engine)
    }

    fn pointers(&self, object: &ObjId) -> Result<BTreeMap<String, Vec<Pointer>>, Refusal> {
        let mut found = BTreeMap::new();
        for name in self.automerge.keys(object) {
            let standing = self.automerge.get_all(object, name.as_str()).map_err(engine)?;
            let pointers = standing.iter().filter_map(|(value, _)| value.as_bytes().and_then(Pointer::from_bytes));
            found.insert(name, pointers.collect());
        }
        Ok(found)
    }
}

fn execute(tx: &mut Transaction<'_>, object: &ObjId, pointer: Pointer, edit: &Edit) -> Result<(), Refusal> {
    let end = || tx.length(object) as u64;
    let past_the_end = Err(Refusal::PastTheEnd(pointer.edit));
    match edit {
        Edit::Tick(name, _) | Edit::Value(name, _) => tx.put(object, name.as_str(), pointer.to_scalar()),
        Edit::Insert(at, _) if u64::from(*at) > end() => return past_the_end,
        Edit::Insert(at, text) => tx.splice_text(object, *at as usize, 0, text),
        Edit::Cut(at, count) if u64::from(*at) + u64::from(*count) > end() => return past_the_end,
        Edit::Cut(at, count) => tx.splice_text(object, *at as usize, *count as isize, ""),
    }
    .map_err(engine)
}

impl Pointer {
    fn to_scalar(self) -> ScalarValue {
        ScalarValue::Bytes([self.entry.as_bytes(), &[self.edit]].concat())
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (edit, entry) = bytes.split_last()?;
        Some(Self { entry: EntryId::try_from(entry).ok()?, edit: *edit })
    }
}

fn actor(label: &[u8], id: &[u8]) -> ActorId {
    ActorId::from(&Digest32::of_parts(&[label, id]).0[..16])
}

/// Automerge refuses nothing that passed the checks above; if it does, the fact is refused, not the worksheet.
fn engine(_: AutomergeError) -> Refusal {
    Refusal::Engine
}

/// Panics to order, so that tests see what a failure of the engine does.
#[cfg(test)]
pub(super) mod panics {
    use std::cell::Cell;

    thread_local!(static LEFT: Cell<u32> = const { Cell::new(0) });

    /// The next so many writes of this thread panic.
    pub fn order(count: u32) {
        LEFT.set(count);
    }

    pub fn strike() {
        if LEFT.get() > 0 {
            LEFT.set(LEFT.get() - 1);
            panic!("ordered by a test");
        }
    }
}
