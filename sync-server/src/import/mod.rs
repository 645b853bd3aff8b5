//! The plant folder: the door through which a plant comes in (K2, K5).
//!
//! [`read`] takes a folder of tables, settings files and content files and gives a [`PlantFolder`], or everything that is wrong with it
//! at once, each with file, line, column, value and what would be right. It writes nothing. [`PlantFolder::bodies`] are the plant
//! entries the folder asks for, [`difference`](mod@difference) leaves out those the plant says already, [`PlantFolder::legacy_batches`] are the
//! people's history.
//!
//! Two invariants: **a folder with one error brings in nothing**, and **the same folder twice changes nothing the second time**.
//!
//! Read in this order: [`error`] → `source` (files, encodings, paths) → `csv_table` (strict tables) → `settings` (TOML) → `cell`
//! (values) → `references` (ids) → the tables: `enterprise`, `personnel`, `content`, `documents`, `requirements`, `tasks`, `quiz`,
//! `check`, `policy`, `history` → `bodies` → `whose` → [`difference`](mod@difference).
//!
//! Where the format leaves a choice:
//! - A cell of a required column may be blank in two places: `supervisor` (whoever leads a shift has none) and the `change_summary`
//!   of a document's first version.
//! - `badge` also takes `sha256:` and 64 hexadecimal digits, a number hashed under this plant's key as an export writes it, and
//!   `sha256:none` for somebody without a badge: the plant keeps no numbers that an export could give back.
//! - A version's row without a language is in `und`; without `in_flight`, open sessions `finish`.
//! - Without a change time, a site's dates begin with the earliest shift of its work centers, else at 06:00. The site whose clock a
//!   date goes by is the person's home site, the further site a row names, the document's site, else the first of `sites.csv`.
//! - Documents' categories must be listed as soon as `categories.csv` lists any that is not one of the four of requirements.
//! - An id stays with its person ([`renamed`]): who has left keeps the name under which they left.
//! - What is odd and harmless is imported with a warning: see [`PlantFolder::warnings`].
//! - An error about a row that can't be taken apart is the only one about the ids that stand in it.

pub mod bodies;
mod cell;
mod check;
pub mod content;
mod csv_table;
pub mod difference;
pub mod documents;
mod enterprise;
pub mod error;
pub mod history;
pub mod personnel;
mod policy;
mod quiz;
mod references;
mod requirements;
mod settings;
mod source;
mod tasks;
#[cfg(test)]
pub(crate) mod tests;
mod whose;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use shared::id::{BadgeHash, Digest32, QuizId};
use shared::kind::plant::*;

pub use bodies::MAX_BODY_BYTES;
pub use content::Blob;
pub use difference::{Difference, difference};
pub use documents::VersionRow;
pub use error::{ImportError, errors_csv};
pub use history::{HistoryRow, row_digest, row_digests};
pub use personnel::{Badge, PersonRow};
pub use whose::{is_reassigned, renamed};

use error::Sink;
use references::{Index, nearest};
use source::{Source, why};

/// Tables and settings that may stand in a plant folder, and what an import leaves there.
const FILES: [&str; 23] = [
    "sites.csv",
    "work_units.csv",
    "equipment.csv",
    "personnel_classes.csv",
    "people.csv",
    "person_sites.csv",
    "class_members.csv",
    "roles.csv",
    "shifts.csv",
    "crews.csv",
    "documents.csv",
    "categories.csv",
    "versions.csv",
    "requirements.csv",
    "matrix.csv",
    "tasks.csv",
    "task_requirements.csv",
    "task_classes.csv",
    "assessors.csv",
    "exemptions.csv",
    "policies.toml",
    "history.csv",
    "errors.csv",
];

/// A row and the line it stands on; 0 for a settings file of its own.
#[derive(Debug, Clone, PartialEq)]
pub struct Located<T> {
    pub line: u64,
    pub row: T,
}

/// A plant folder in which nothing is wrong: its rows in file order, with everything they refer to.
#[derive(Debug, Default)]
pub struct PlantFolder {
    pub root: PathBuf,
    pub sites: Vec<Located<SiteSet>>,
    pub work_units: Vec<Located<WorkUnitSet>>,
    pub equipment: Vec<Located<EquipmentSet>>,
    pub classes: Vec<Located<ClassSet>>,
    pub shifts: Vec<Located<ShiftSet>>,
    pub people: Vec<Located<PersonRow>>,
    pub crews: Vec<Located<CrewSet>>,
    pub members: Vec<Located<MemberSet>>,
    pub roles: Vec<Located<RoleSet>>,
    pub categories: Vec<Located<CategorySet>>,
    pub documents: Vec<Located<DocumentSet>>,
    pub versions: Vec<Located<VersionRow>>,
    pub quizzes: Vec<Located<QuizSet>>,
    /// The right answers of each quiz, for its sealed box: positions from 0, question by question.
    pub answers: BTreeMap<QuizId, Vec<Vec<u16>>>,
    pub checks: Vec<Located<CheckSet>>,
    pub requirements: Vec<Located<RequirementSet>>,
    pub matrix: Vec<Located<MatrixSet>>,
    /// With their rows of `task_requirements.csv` and `task_classes.csv`.
    pub tasks: Vec<Located<TaskSet>>,
    pub assessors: Vec<Located<AssessorSet>>,
    pub exemptions: Vec<Located<ExemptionSet>>,
    /// `None`: the folder has no `policies.toml`, and the plant's policies stay as they are.
    pub policy: Option<PolicySet>,
    pub history: Vec<HistoryRow>,
    /// Content files and quiz papers by their digests.
    pub blobs: BTreeMap<Digest32, Blob>,
    /// What was read: each table, and quizzes, checks and content as one each.
    pub files: Vec<FileDigest>,
    /// What is imported and yet should be looked at, one sentence each.
    pub warnings: Vec<String>,
}

impl PlantFolder {
    /// The bytes of a blob, read again from its file and checked against the digest.
    pub fn blob(&self, digest: &Digest32) -> io::Result<Vec<u8>> {
        let blob = self
            .blobs
            .get(digest)
            .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "the folder has no such content"))?;
        blob.read(digest)
    }
}

/// Reads a plant folder. Errors come all at once, ordered by file, line and column.
pub fn read(folder: &Path) -> Result<PlantFolder, Vec<ImportError>> {
    let sink = Sink::default();
    let read = Source::open(folder, &sink).map(|source| read_tables(&source));
    match read {
        Some(folder) if sink.is_clean() => Ok(PlantFolder { warnings: sink.warnings(), ..folder }),
        _ => Err(sink.into_errors()),
    }
}

fn read_tables(source: &Source<'_>) -> PlantFolder {
    let mut index = Index::new();
    let mut folder = PlantFolder { root: source.root().to_owned(), ..PlantFolder::default() };
    enterprise::read(source, &mut index, &mut folder);
    personnel::read(source, &mut index, &mut folder);
    documents::read(source, &mut index, &mut folder);
    quiz::read(source, &mut index, &mut folder);
    check::read(source, &mut index, &mut folder);
    requirements::read(source, &mut index, &mut folder);
    tasks::read(source, &mut index, &mut folder);
    personnel::read_rights(source, &index, &mut folder);
    policy::read(source, &mut folder);
    history::read(source, &index, &mut folder);
    refuse_large_rows(source, &folder);
    point_out_strangers(source);
    folder.files = file_digests(source, &folder);
    folder
}

fn refuse_large_rows(source: &Source<'_>, folder: &PlantFolder) {
    for placed in folder.placed(&|_| BadgeHash([0; 32])) {
        let size = placed.body.size();
        if size > MAX_BODY_BYTES {
            let problem = format!("the row is too large for one entry: {size} bytes");
            let expected = format!("shorten its texts or lists to {MAX_BODY_BYTES} bytes in all");
            source.sink.error(&placed.file, placed.line, None, "", why(problem, expected));
        }
    }
}

/// A table under a wrong name would otherwise be passed over in silence.
fn point_out_strangers(source: &Source<'_>) {
    let names = source.names("").into_iter().filter(|name| name.ends_with(".csv") || name.ends_with(".toml"));
    for name in names.filter(|name| !FILES.contains(&name.as_str())) {
        let near = nearest(&name, FILES.iter().map(|file| (*file).to_owned()));
        let hint = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
        source.sink.warn(&name, 0, format!("is not read{hint}"));
    }
}

fn file_digests(source: &Source<'_>, folder: &PlantFolder) -> Vec<FileDigest> {
    let digests = source.digests();
    let together = |file: &str, digests: Vec<&Digest32>| {
        let parts: Vec<&[u8]> = digests.iter().map(|digest| digest.as_bytes()).collect();
        (!parts.is_empty()).then(|| FileDigest { file: file.to_owned(), hash: Digest32::of_parts(&parts) })
    };
    let below =
        |folder: &str| digests.iter().filter(|(file, _)| file.starts_with(folder)).map(|(_, digest)| digest).collect();
    let tables = digests.iter().filter(|(file, _)| !file.contains('/'));
    let mut files: Vec<FileDigest> =
        tables.map(|(file, hash)| FileDigest { file: file.clone(), hash: *hash }).collect();
    files.extend(together("quizzes/", below("quizzes/")));
    files.extend(together("checks/", below("checks/")));
    files.extend(together("content", folder.blobs.keys().collect()));
    files
}
