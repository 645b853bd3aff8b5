//! On-floor training in progress, edited at several kiosks at once: the only code that names Automerge.
//!
//! Read in this order: [`fact`] (what a kiosk may say, and the limits), [`content`] (what a reader sees and a
//! sign-off freezes), [`sheet`] (how facts become one worksheet, in whatever order they arrive), `document` (the
//! Automerge document), `past` (who had seen what).
#![doc = include_str!("../../../docs/worksheet.md")]

pub mod content;
mod document;
pub mod fact;
mod past;
mod runs;
pub mod sheet;
#[cfg(test)]
mod tests;

pub use content::{Mark, NotSignable, SheetContent, State, StepState, ValueState};
pub use fact::{Applied, Refusal, SheetFact};
pub use runs::observed_runs;
pub use sheet::{Basis, Contradiction, Worksheet};

use crate::id::{Digest32, EntryId, PersonId, RequirementId, VersionId, WorksheetId};

/// The worksheet of a person's training for a requirement on a version.
///
/// `closed_by` is the check that closed the one before, so that training after a sign-off begins a new worksheet,
/// everywhere the same.
pub fn worksheet_id(
    person: &PersonId,
    requirement: &RequirementId,
    version: Option<&VersionId>,
    closed_by: Option<&EntryId>,
) -> WorksheetId {
    // A version's id is never empty and no entry's hash is zero, so absent ones have a spelling of their own.
    let version = version.map_or(&[][..], |id| id.as_str().as_bytes());
    let closed_by = closed_by.map_or([0; 32], |id| id.0);
    let parts = [person.as_str().as_bytes(), requirement.as_str().as_bytes(), version, &closed_by];
    let [person, requirement, version, closed_by] = parts;
    let digest = Digest32::of_parts(&[b"lineproof.worksheet.v1", person, requirement, version, closed_by]);
    WorksheetId(digest.0)
}
