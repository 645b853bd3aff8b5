//! What a reader sees of a worksheet, and what a sign-off freezes.

use std::collections::BTreeMap;

use minicbor::{Decode, Encode};

use super::fact::MAX_CONTENT_BYTES;
use crate::id::{Digest32, PersonId, WorksheetId};
use crate::kind::to_cbor;
use crate::time::Timestamp;

const SCHEMA: u8 = 1;

/// Who said what, and when by their kiosk's clock.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(array)]
pub struct Mark<T> {
    #[n(0)]
    pub at: Timestamp,
    #[n(1)]
    pub by: PersonId,
    #[n(2)]
    pub said: T,
}

/// Where a step or value stands. **A conflict is a value**: concurrent contradicting marks are all kept, none wins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State<T> {
    /// Nobody said anything.
    Open,
    /// All who spoke last, unknown to each other, said the same. At least one mark.
    Agreed(Vec<Mark<T>>),
    /// They said different things; a later mark that had seen them all settles it.
    Conflict(Vec<Mark<T>>),
}

/// Whether a step passed.
pub type StepState = State<bool>;
/// A measured value.
pub type ValueState = State<String>;

impl<T: Ord> State<T> {
    /// Marks stand in the order of time, people and what they said, which is the same at every replica.
    pub(super) fn of(mut marks: Vec<Mark<T>>) -> Self {
        marks.sort();
        match marks.split_first() {
            None => Self::Open,
            Some((first, others)) if others.iter().all(|mark| mark.said == first.said) => Self::Agreed(marks),
            Some(_) => Self::Conflict(marks),
        }
    }

    pub fn marks(&self) -> &[Mark<T>] {
        match self {
            Self::Open => &[],
            Self::Agreed(marks) | Self::Conflict(marks) => marks,
        }
    }

    /// What was said, where it is not in conflict.
    pub fn said(&self) -> Option<&T> {
        match self {
            Self::Agreed(marks) => marks.first().map(|mark| &mark.said),
            Self::Open | Self::Conflict(_) => None,
        }
    }

    pub fn is_conflict(&self) -> bool {
        matches!(self, Self::Conflict(_))
    }
}

/// A worksheet as seen at some heads. A sign-off carries its bytes, so that evidence never depends on rebuilding a
/// document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SheetContent {
    pub worksheet: WorksheetId,
    /// Steps that somebody ticked, by name.
    pub steps: BTreeMap<String, StepState>,
    /// Values that somebody measured, by name.
    pub values: BTreeMap<String, ValueState>,
    pub notes: String,
}

/// Why a content can't be signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotSignable {
    #[error("these steps or values are in conflict; somebody has to settle them first: {}", .0.join(", "))]
    Conflict(Vec<String>),
    #[error("it has {0} bytes, more than {MAX_CONTENT_BYTES}; the notes have to be shortened first")]
    TooLarge(usize),
}

/// Why bytes are not a content.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not the content of a worksheet: {0}")]
pub struct BadContent(String);

#[derive(Encode, Decode)]
#[cbor(array)]
struct Frame {
    #[n(0)]
    schema: u8,
    #[n(1)]
    worksheet: WorksheetId,
    #[n(2)]
    steps: Vec<Row<bool>>,
    #[n(3)]
    values: Vec<Row<String>>,
    #[n(4)]
    notes: String,
}

#[derive(Encode, Decode)]
#[cbor(array)]
struct Row<T> {
    #[n(0)]
    name: String,
    #[n(1)]
    marks: Vec<Mark<T>>,
}

impl SheetContent {
    /// The canonical bytes: the same content gives the same bytes at every replica.
    pub fn to_bytes(&self) -> Vec<u8> {
        to_cbor(&Frame {
            schema: SCHEMA,
            worksheet: self.worksheet,
            steps: rows(&self.steps),
            values: rows(&self.values),
            notes: self.notes.clone(),
        })
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote, and nothing else.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BadContent> {
        let frame: Frame = minicbor::decode(bytes).map_err(|why| BadContent(why.to_string()))?;
        if frame.schema != SCHEMA {
            return Err(BadContent(format!("schema {} is not known here", frame.schema)));
        }
        let Frame { worksheet, steps, values, notes, .. } = frame;
        let content = Self { worksheet, steps: states(steps), values: states(values), notes };
        if content.to_bytes() == bytes { Ok(content) } else { Err(BadContent("it is not in canonical form".into())) }
    }

    /// SHA-256 of the canonical bytes.
    pub fn digest(&self) -> Digest32 {
        Digest32::of(&self.to_bytes())
    }

    /// The bytes to sign; refused while anything is in conflict, or when concurrent edits together grew too large.
    pub fn to_sign(&self) -> Result<Vec<u8>, NotSignable> {
        let conflicts = self.conflicts();
        if !conflicts.is_empty() {
            return Err(NotSignable::Conflict(conflicts));
        }
        let bytes = self.to_bytes();
        if bytes.len() > MAX_CONTENT_BYTES { Err(NotSignable::TooLarge(bytes.len())) } else { Ok(bytes) }
    }

    /// Names of the steps, then of the values, that are in conflict.
    pub fn conflicts(&self) -> Vec<String> {
        let steps = self.steps.iter().filter(|(_, state)| state.is_conflict()).map(|(name, _)| name);
        let values = self.values.iter().filter(|(_, state)| state.is_conflict()).map(|(name, _)| name);
        steps.chain(values).cloned().collect()
    }

    /// Where a step stands, ticked or not.
    pub fn step(&self, name: &str) -> StepState {
        self.steps.get(name).cloned().unwrap_or(State::Open)
    }

    /// Where a value stands, measured or not.
    pub fn value(&self, name: &str) -> ValueState {
        self.values.get(name).cloned().unwrap_or(State::Open)
    }
}

fn rows<T: Clone + Ord>(states: &BTreeMap<String, State<T>>) -> Vec<Row<T>> {
    states.iter().map(|(name, state)| Row { name: name.clone(), marks: state.marks().to_vec() }).collect()
}

fn states<T: Ord>(rows: Vec<Row<T>>) -> BTreeMap<String, State<T>> {
    rows.into_iter().map(|row| (row.name, State::of(row.marks))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark<T>(at: i64, by: &str, said: T) -> Mark<T> {
        Mark { at: Timestamp(at), by: PersonId::new(by).unwrap(), said }
    }

    fn content() -> SheetContent {
        SheetContent {
            worksheet: WorksheetId([7; 32]),
            steps: [
                ("long name".to_owned(), State::of(vec![mark(5, "jonas", true), mark(4, "eva", true)])),
                ("z".to_owned(), State::of(vec![mark(5, "jonas", true), mark(4, "eva", false)])),
            ]
            .into(),
            values: [("temperature".to_owned(), State::of(vec![mark(-1, "eva", "180 °C".to_owned())]))].into(),
            notes: "slow\nbut sure".into(),
        }
    }

    #[test]
    fn content_has_one_spelling() {
        let bytes = content().to_bytes();
        assert_eq!(crate::log::canonical::check(&bytes), Ok(()));
        assert_eq!(SheetContent::from_bytes(&bytes), Ok(content()));
        let mut longer = bytes.clone();
        longer.push(0);
        assert!(SheetContent::from_bytes(&longer).is_err());
        let mut unknown = bytes;
        unknown[1] = 2;
        assert!(SheetContent::from_bytes(&unknown).is_err());
    }

    #[test]
    fn content_in_conflict_is_not_signable() {
        let mut content = content();
        assert_eq!(content.to_sign(), Err(NotSignable::Conflict(vec!["z".into()])));
        assert_eq!(content.step("z").said(), None);
        content.steps.remove("z");
        assert_eq!(content.to_sign(), Ok(content.to_bytes()));
        content.notes = "x".repeat(MAX_CONTENT_BYTES);
        assert!(matches!(content.to_sign(), Err(NotSignable::TooLarge(_))));
    }
}
