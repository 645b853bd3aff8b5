//! What of a person's record an entry bears on. A record is judged topic by topic: what is done for one requirement says nothing about
//! another, so a sign-off costs what its requirement holds, not what a working life holds.

use std::fmt;

use crate::id::{RequirementId, WorksheetId};
use crate::kind::Body;
use crate::log::Entry;

/// A part of a person's record that is judged by itself, together with what concerns the person.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    /// The person as such: keys, day passes, corrections, imported history. It bears on every other topic.
    Person,
    Requirement(RequirementId),
    Worksheet(WorksheetId),
    /// What bears on nothing else: co-signatures, supervised starts, lifted lockouts, and what can't be read.
    Rest,
}

impl Topic {
    /// The topic of a record entry.
    pub fn of(entry: &Entry) -> Self {
        entry.statement().ok().flatten().map_or(Self::Rest, |statement| Self::of_body(&statement.body))
    }

    pub(super) fn of_body(body: &Body) -> Self {
        match body {
            Body::SigningSetUp(_) | Body::DayPass(_) | Body::Correction(_) | Body::LegacyBatch(_) => Self::Person,
            Body::SheetEdit(edit) => Self::Worksheet(edit.worksheet),
            _ => body.about().map_or(Self::Rest, |about| Self::Requirement(about.requirement.clone())),
        }
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person => f.write_str("person"),
            Self::Requirement(requirement) => write!(f, "requirement:{requirement}"),
            Self::Worksheet(worksheet) => write!(f, "worksheet:{worksheet}"),
            Self::Rest => f.write_str("rest"),
        }
    }
}
