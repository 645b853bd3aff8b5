//! Seeded plant folders: valid, and as nasty or as large as asked for.
//!
//! Nasty folders keep to what the specification says without doubt: where it is silent about a form (what `scope`
//! of a role looks like, how a yes is written in `lot_required`), the cell stays blank.

mod content;
mod documents;
mod large;
mod moment;
mod people;
mod places;
mod requirements;
mod sheet;
mod stories;
#[cfg(test)]
mod tests;

use std::io;
use std::path::Path;

use crate::cell::{Clock, Instant};
use crate::rng::Rng;
use crate::versions::{Kind, Version};
use sheet::Dress;

pub use content::pdf;

/// How large a folder is, and of which kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Size {
    pub sites: usize,
    pub people: usize,
    pub classes: usize,
    pub documents: usize,
    /// Of all documents together; a nasty folder spreads them unevenly and takes this as about.
    pub versions: usize,
    pub requirements: usize,
    /// Rows of history of all people together; a nasty folder takes this as about.
    pub history: usize,
    /// Realistic and streamed instead of nasty.
    pub realistic: bool,
}

impl Size {
    /// A nasty folder that loads at once: enough of everything for every rule to be met somewhere.
    pub fn small() -> Size {
        Size::nasty(24, 10)
    }

    /// A nasty folder with the other numbers in proportion.
    pub fn nasty(people: usize, documents: usize) -> Size {
        Size {
            sites: 4,
            people,
            classes: 3 + people / 20,
            documents,
            versions: documents * 4,
            requirements: documents * 3 / 2 + 2,
            history: people * 40,
            realistic: false,
        }
    }

    /// A realistic folder with exactly these numbers, for benchmarks, but at least one version a document.
    /// A million rows take a few seconds.
    pub fn large(people: usize, documents: usize, versions: usize, history: usize) -> Size {
        Size {
            sites: 3,
            people,
            classes: (people / 250).clamp(4, 60),
            documents,
            versions: versions.max(documents),
            requirements: documents + documents / 50,
            history,
            realistic: true,
        }
    }
}

/// Writes a valid plant folder; the same size and seed give the same bytes. The folder is made if need be and should
/// be empty. Sizes of zero are taken as one, except for history.
pub fn generate(folder: &Path, size: &Size, seed: u64) -> io::Result<()> {
    for below in ["content", "quizzes", "checks"] {
        std::fs::create_dir_all(folder.join(below))?;
    }
    let size = Size {
        sites: size.sites.max(1),
        people: size.people.max(1),
        classes: size.classes.max(1),
        documents: size.documents.max(1),
        versions: size.versions.max(1),
        requirements: size.requirements.max(1),
        ..size.clone()
    };
    let mut rng = Rng::new(seed);
    if size.realistic {
        return large::write(folder, &size, &mut rng);
    }
    let dress = Dress::Nasty;
    let sites = places::write(folder, &size, &mut rng, &dress)?;
    let people = people::write(folder, &size, &sites, &mut rng, &dress)?;
    let documents = documents::write(folder, &size, &sites, &people, &mut rng, &dress)?;
    let made = requirements::write(folder, &size, &sites, &people, &documents, &mut rng, &dress)?;
    stories::write(folder, &size, &people, &documents, &made, &mut rng, &dress)
}

/// A site, as later files need it.
struct Site {
    id: String,
    clock: Clock,
    /// Ids of its shifts.
    shifts: Vec<String>,
    /// Ids of its equipment.
    equipment: Vec<String>,
}

/// A person, as later files need it.
struct Person {
    id: String,
    clock: Clock,
    /// Indices of every class the person holds at some time.
    classes: Vec<usize>,
}

/// A document, as later files need it.
struct Document {
    id: String,
    /// In order.
    versions: Vec<Version>,
}

/// A requirement, as later files need it.
struct Requirement {
    id: String,
    /// Index of its document.
    document: Option<usize>,
    activities: Vec<Activity>,
    validity_months: Option<u32>,
    /// Ids of people who may observe its runs and sign its check.
    assessors: Vec<String>,
    /// Indices of the classes that the matrix maps it to.
    classes: Vec<usize>,
}

/// An activity of a requirement.
struct Activity {
    kind: Kind,
    needed: usize,
    pass_percent: Option<i64>,
}

fn class_id(index: usize) -> String {
    format!("CLASS-{:02}", index + 1)
}

/// The years in which folders live: nothing is recorded after the last instant, though versions may be planned.
fn first_instant() -> Instant {
    moment::at("2021-06-01T05:00:00Z")
}

fn last_instant() -> Instant {
    moment::at("2025-12-20T00:00:00Z")
}
