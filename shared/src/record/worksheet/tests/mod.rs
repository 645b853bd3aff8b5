//! Kiosks without a network: each writes on its own worksheet, and facts travel by hand.

mod hostile;
mod merging;
mod orders;

use super::*;
use crate::kind::record::{Edit, SheetEdit};
use crate::time::Timestamp;

fn person(name: &str) -> PersonId {
    PersonId::new(name).unwrap()
}

fn sheet_id() -> WorksheetId {
    worksheet_id(&person("maria"), &RequirementId::new("seal").unwrap(), Some(&VersionId::new("v7").unwrap()), None)
}

fn pass(step: &str) -> Edit {
    Edit::Tick(step.into(), true)
}

fn fail(step: &str) -> Edit {
    Edit::Tick(step.into(), false)
}

fn insert(at: u32, text: &str) -> Edit {
    Edit::Insert(at, text.into())
}

fn fact(name: &str, parents: &[EntryId], edits: Vec<Edit>) -> SheetFact {
    let edit = SheetEdit {
        worksheet: sheet_id(),
        parents: parents.to_vec(),
        at: Timestamp(1_000),
        author: person("jonas"),
        edits,
    };
    SheetFact { entry: EntryId::of(name.as_bytes()), edit }
}

struct Kiosk {
    name: &'static str,
    sheet: Worksheet,
    written: Vec<SheetFact>,
}

impl Kiosk {
    fn new(name: &'static str) -> Self {
        Self { name, sheet: Worksheet::open(sheet_id()), written: Vec::new() }
    }

    fn writes(&mut self, author: &str, edits: Vec<Edit>) -> SheetFact {
        let count = self.written.len();
        let edit = self.sheet.draft(person(author), Timestamp(count as i64), edits).unwrap();
        let fact = SheetFact { entry: EntryId::of(format!("{} {count}", self.name).as_bytes()), edit };
        assert_eq!(self.sheet.apply(&fact), Applied::Done);
        self.written.push(fact.clone());
        fact
    }

    fn hears(&mut self, other: &Self) {
        self.sheet.apply_all(other.sheet.history().into_iter().cloned());
    }
}

/// Everything that must be equal at replicas that hold the same facts.
fn view(sheet: &Worksheet) -> impl PartialEq + std::fmt::Debug + use<> {
    assert!(sheet.is_whole());
    (sheet.content().clone(), sheet.heads(), sheet.document_digest(), sheet.refused().clone(), sheet.waiting())
}

/// A small generator of numbers for shuffles; the same seed gives the same test.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % sides as u64) as usize
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        (1..items.len()).rev().for_each(|last| items.swap(last, self.roll(last + 1)));
    }
}
