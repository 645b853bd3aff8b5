//! What a kiosk may say about a worksheet, and the limits that hold before the document is looked at.

use std::collections::BTreeSet;

use crate::id::{EntryId, WorksheetId};
use crate::kind::Body;
use crate::kind::record::{Edit, SheetEdit};
use crate::log::Entry;

/// Most parents one fact may name.
pub const MAX_PARENTS: usize = 64;
/// Most edits in one fact.
pub const MAX_EDITS: usize = 64;
/// Longest name of a step or a value, in bytes.
pub const MAX_NAME_BYTES: usize = 120;
/// Longest measured value, in bytes.
pub const MAX_VALUE_BYTES: usize = 200;
/// Longest text inserted by one edit, in bytes.
pub const MAX_INSERT_BYTES: usize = 2_000;
/// Largest notes, in bytes, as an author may leave them; and most text that one fact may insert.
pub const MAX_NOTES_BYTES: usize = 4 * 1024;
/// Most text, in bytes, that may ever have been inserted into the notes as an author saw them: what was cut still
/// costs time.
pub const MAX_PAST_TEXT_BYTES: usize = 32 * 1024;
/// Most facts that one may rest on. A sheet that reaches it is full: it can still be signed off, and the next one
/// begins empty.
pub const MAX_PAST_FACTS: usize = 2_000;
/// Largest content, in bytes of its canonical form, as an author may leave it: it fits inline in a sign-off.
pub const MAX_CONTENT_BYTES: usize = 8 * 1024;

/// A held `sheet_edit`: which entry says what.
#[derive(Debug, Clone, PartialEq)]
pub struct SheetFact {
    pub entry: EntryId,
    pub edit: SheetEdit,
}

impl SheetFact {
    /// What the entry says about a worksheet; `None` when it is of another kind or can't be read.
    pub fn of(entry: &Entry) -> Option<Self> {
        match entry.statement() {
            Ok(Some(statement)) => match statement.body {
                Body::SheetEdit(edit) => Some(Self { entry: entry.id(), edit }),
                _ => None,
            },
            Ok(None) | Err(_) => None,
        }
    }
}

/// What became of a fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Applied {
    /// It is part of the worksheet.
    Done,
    /// It will be, or will be refused, when these parents are held.
    Waiting(Vec<EntryId>),
    /// It has no effect, here and at every other replica.
    Refused(Refusal),
}

/// Why a fact has no effect on its worksheet. It follows from the fact and what precedes it alone, never from the
/// order of arrival.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("it is about another worksheet")]
    OtherWorksheet,
    #[error("it names more than {MAX_PARENTS} parents")]
    TooManyParents,
    #[error("it names a parent twice")]
    ParentTwice,
    #[error("it names itself as its parent")]
    OwnParent,
    #[error("it rests on {0}, which was refused")]
    ParentRefused(EntryId),
    #[error("it holds no edit, or more than {MAX_EDITS}")]
    EditCount,
    #[error("edit {0} changes nothing")]
    Empty(u8),
    #[error("edit {0} names a step or value with no text, a control character, or more than {MAX_NAME_BYTES} bytes")]
    Name(u8),
    #[error("edit {0} has a text that is too long or contains a control character")]
    Text(u8),
    #[error("edit {0} reaches past the end of the notes as its author saw them")]
    PastTheEnd(u8),
    #[error("the notes would grow past {MAX_NOTES_BYTES} bytes")]
    NotesTooLarge,
    #[error("the content would grow past {MAX_CONTENT_BYTES} bytes")]
    ContentTooLarge,
    #[error("more than {MAX_PAST_TEXT_BYTES} bytes would have been written into the notes and cut again")]
    NotesWornOut,
    #[error("the worksheet is full: it rests on more than {MAX_PAST_FACTS} edits; sign it off and begin the next")]
    SheetFull,
    #[error("the engine failed on it")]
    Engine,
}

/// Checks what can be told from the fact by itself.
pub(super) fn check_form(fact: &SheetFact, worksheet: WorksheetId) -> Result<(), Refusal> {
    let SheetEdit { worksheet: named, parents, edits, .. } = &fact.edit;
    let refuse = |broken: bool, why: Refusal| if broken { Err(why) } else { Ok(()) };
    refuse(*named != worksheet, Refusal::OtherWorksheet)?;
    refuse(parents.len() > MAX_PARENTS, Refusal::TooManyParents)?;
    refuse(parents.contains(&fact.entry), Refusal::OwnParent)?;
    refuse(parents.iter().collect::<BTreeSet<_>>().len() < parents.len(), Refusal::ParentTwice)?;
    refuse(edits.is_empty() || edits.len() > MAX_EDITS, Refusal::EditCount)?;
    (0..).zip(edits).try_for_each(|(index, edit)| check_edit(index, edit))?;
    refuse(inserted(edits) > MAX_NOTES_BYTES, Refusal::NotesTooLarge)
}

/// How much text these edits insert, in bytes.
pub(super) fn inserted(edits: &[Edit]) -> usize {
    let texts = edits.iter().filter_map(|edit| if let Edit::Insert(_, text) = edit { Some(text.len()) } else { None });
    texts.sum()
}

fn check_edit(index: u8, edit: &Edit) -> Result<(), Refusal> {
    let name_is_good =
        |name: &str| !name.is_empty() && is_short(name, MAX_NAME_BYTES) && !name.chars().any(char::is_control);
    match edit {
        Edit::Tick(name, _) | Edit::Value(name, _) if !name_is_good(name) => Err(Refusal::Name(index)),
        Edit::Tick(..) => Ok(()),
        Edit::Value(_, text) if is_short(text, MAX_VALUE_BYTES) && !text.chars().any(char::is_control) => Ok(()),
        Edit::Insert(_, text) if text.is_empty() => Err(Refusal::Empty(index)),
        Edit::Insert(_, text) if is_short(text, MAX_INSERT_BYTES) && !text.chars().any(breaks_a_line_of_notes) => {
            Ok(())
        }
        Edit::Value(..) | Edit::Insert(..) => Err(Refusal::Text(index)),
        Edit::Cut(_, 0) => Err(Refusal::Empty(index)),
        Edit::Cut(..) => Ok(()),
    }
}

fn is_short(text: &str, bytes: usize) -> bool {
    text.len() <= bytes
}

/// Notes have lines, and no other control characters.
fn breaks_a_line_of_notes(c: char) -> bool {
    c.is_control() && c != '\n'
}
