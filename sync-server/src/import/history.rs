//! Training done before: rows of `history.csv`, and how they become one person's batches (K2).

use std::collections::HashMap;
use std::sync::Arc;

use shared::id::*;
use shared::kind::plant::{Activity, ActivityKind};
use shared::kind::record::{LegacyBatch, LegacyRow};
use shared::kind::to_cbor;
use shared::time::Timestamp;

use super::PlantFolder;
use super::csv_table::{Row, Spec};
use super::documents::VersionRow;
use super::references::Index;
use super::source::Source;

const HISTORY: Spec = Spec {
    file: "history.csv",
    needed: false,
    columns: &["person", "requirement", "activity", "completed_at"],
    optional: &["version", "assessor", "score", "source"],
};

const ACTIVITY_WORDS: [(ActivityKind, &str); 6] = [
    (ActivityKind::Read, "read"),
    (ActivityKind::Quiz, "quiz"),
    (ActivityKind::Runs, "runs"),
    (ActivityKind::Check, "check"),
    (ActivityKind::Briefing, "briefing"),
    (ActivityKind::External, "external"),
];

/// Largest encoded batch, in bytes: an entry holds 16 KiB, and signatures and header need their share.
pub const MAX_BATCH_BYTES: usize = 12 * 1024;
/// What a batch takes besides its rows.
const BATCH_FRAME_BYTES: usize = 64;

/// A row of `history.csv`. Ids are shared with the tables that define them: a million rows take about a hundred megabytes.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryRow {
    pub line: u64,
    pub person: PersonId,
    pub requirement: RequirementId,
    /// Blank: the version in force at `completed_at`.
    pub version: Option<VersionId>,
    pub activity: ActivityKind,
    pub completed_at: Timestamp,
    pub assessor: Option<PersonId>,
    pub score_percent: Option<u8>,
    pub source: Option<Arc<str>>,
}

/// When versions of a document came into force, and when they were withdrawn; in the order of versions.
type Periods = Vec<(Timestamp, Timestamp, Option<Timestamp>)>;

/// Reads the history. People, requirements and versions must be known.
pub(super) fn read(source: &Source<'_>, index: &Index, folder: &mut PlantFolder) {
    let periods = periods(folder.versions.iter().map(|version| &version.row));
    let mut sources: HashMap<String, Arc<str>> = HashMap::new();
    let history = &mut folder.history;
    source.table(&HISTORY, |row| {
        let (person, requirement) = (row.known("person", &index.people), row.known("requirement", &index.requirements));
        let version = index.version(row, requirement.as_ref().ok());
        let (activity, score) = (row.word("activity", &ACTIVITY_WORDS), row.number("score", 0..=100_u8));
        let completed_at = row.time("completed_at", index.time_of(person.as_ref().ok()));
        let (assessor, source) = (row.optional_known("assessor", &index.people), row.optional_text("source"));
        let source = source?.map(|text| sources.entry(text).or_insert_with_key(|text| text.as_str().into()).clone());
        let read = HistoryRow {
            line: row.line,
            person: person?,
            requirement: requirement?,
            version: version?,
            activity: activity?,
            completed_at: completed_at?,
            assessor: assessor?,
            score_percent: score?,
            source,
        };
        point_out(row, index, &periods, &read);
        history.push(read);
        Ok(())
    });
}

fn periods<'v>(versions: impl Iterator<Item = &'v VersionRow>) -> HashMap<DocumentId, Periods> {
    let mut periods: HashMap<DocumentId, Periods> = HashMap::new();
    for v in versions.filter(|v| v.withdrawn_at.is_none_or(|at| at >= v.effective_from)) {
        periods.entry(v.document.clone()).or_default().push((v.effective_from, v.approved_at, v.withdrawn_at));
    }
    // Stable: versions alike in both instants keep the order of their rows.
    periods.values_mut().for_each(|of| of.sort_by_key(|(effective, approved, _)| (*effective, *approved)));
    periods
}

/// Warns of rows that are kept and will not count, or not as somebody may think.
fn point_out(row: &Row<'_>, index: &Index, periods: &HashMap<DocumentId, Periods>, read: &HistoryRow) {
    let Some((document, asked)) = index.asked.get(&read.requirement) else { return };
    if !asked.iter().any(|activity: &Activity| activity.kind() == read.activity) {
        row.warn("the requirement doesn't ask for this activity: the row is kept and does not count");
    }
    if let (None, Some(document)) = (&read.version, document) {
        let latest = periods
            .get(document)
            .and_then(|of| of.iter().rev().find(|(effective, ..)| *effective <= read.completed_at));
        let in_force = latest.is_some_and(|(_, _, withdrawn)| withdrawn.is_none_or(|at| read.completed_at < at));
        if !in_force {
            row.warn("no version was in force at `completed_at`: the row is kept and does not count; name its version");
        }
    }
    if read.assessor.as_ref() == Some(&read.person) {
        row.warn("people can't assess themselves: an approver will have to judge the row");
    }
    if read.score_percent.is_some() && read.activity != ActivityKind::Quiz {
        row.warn("only a quiz has a score: it is kept and means nothing");
    }
}

impl HistoryRow {
    fn legacy(&self) -> LegacyRow {
        LegacyRow {
            requirement: self.requirement.clone(),
            version: self.version.clone(),
            activity: self.activity,
            completed_at: self.completed_at,
            assessor: self.assessor.clone(),
            score_percent: self.score_percent,
            source: self.source.as_deref().map(str::to_owned),
            line: self.line,
        }
    }
}

impl PlantFolder {
    /// The history as batches, person by person, each in the order (completed_at, line) and within [`MAX_BATCH_BYTES`].
    ///
    /// `known` tells which rows are held already, by their [`row_digests`]: they are left out, so that a second import adds nothing.
    /// Several batches may concern one person; each entry needs an act id of its own, since the same act about the same person is one
    /// record.
    pub fn legacy_batches<'a>(
        &'a self,
        batch: ActId,
        known: &'a dyn Fn(&Digest32) -> bool,
    ) -> impl Iterator<Item = (PersonId, LegacyBatch)> + 'a {
        let mut order: Vec<&HistoryRow> = self.history.iter().collect();
        order.sort_unstable_by(|a, b| (&a.person, a.completed_at, a.line).cmp(&(&b.person, b.completed_at, b.line)));
        let mut rest = order.into_iter().peekable();
        let people = std::iter::from_fn(move || {
            let person = rest.peek()?.person.clone();
            let mut rows = Vec::new();
            while let Some(row) = rest.next_if(|row| row.person == person) {
                rows.push(row.legacy());
            }
            Some((person, rows))
        });
        people.flat_map(move |(person, rows)| {
            let digests = row_digests(&person, &rows);
            let new = rows.into_iter().zip(digests).filter(|(_, digest)| !known(digest)).map(|(row, _)| row);
            batches(batch, new).into_iter().map(move |rows| (person.clone(), rows)).collect::<Vec<_>>()
        })
    }
}

fn batches(batch: ActId, rows: impl Iterator<Item = LegacyRow>) -> Vec<LegacyBatch> {
    let mut batches: Vec<LegacyBatch> = Vec::new();
    let mut room = 0;
    for row in rows {
        let size = to_cbor(&row).len();
        match batches.last_mut().filter(|_| size <= room) {
            Some(last) => last.rows.push(row),
            None => {
                batches.push(LegacyBatch { batch, rows: vec![row] });
                room = MAX_BATCH_BYTES - BATCH_FRAME_BYTES;
            }
        }
        room = room.saturating_sub(size);
    }
    batches
}

/// Names what a row of a person's history says, whatever line it stood on. `ordinal` counts rows that say the same: two runs at one
/// instant are two runs.
pub fn row_digest(person: &PersonId, row: &LegacyRow, ordinal: u32) -> Digest32 {
    digest_of(person, &content(row), ordinal)
}

/// The digests of rows of one person, with their ordinals. For rows held already, give all of the person's: ordinals count over them all.
pub fn row_digests(person: &PersonId, rows: &[LegacyRow]) -> Vec<Digest32> {
    let mut met: HashMap<Vec<u8>, u32> = HashMap::new();
    let digest = |row| {
        let content = content(row);
        let ordinal = met.get(&content).copied().unwrap_or(0);
        let digest = digest_of(person, &content, ordinal);
        met.insert(content, ordinal + 1);
        digest
    };
    rows.iter().map(digest).collect()
}

fn content(row: &LegacyRow) -> Vec<u8> {
    to_cbor(&LegacyRow { line: 0, ..row.clone() })
}

fn digest_of(person: &PersonId, content: &[u8], ordinal: u32) -> Digest32 {
    Digest32::of_parts(&[b"legacy row", person.as_str().as_bytes(), content, &ordinal.to_be_bytes()])
}
