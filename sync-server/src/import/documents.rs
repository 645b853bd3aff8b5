//! Controlled documents, their categories and their versions.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use shared::id::*;
use shared::kind::plant::{
    ActivityKind, CategorySet, Content, DocumentSet, Format, Impact, InFlight, RequirementCategory,
};
use shared::plant::steps::{self, Step};
use shared::time::Timestamp;

use super::cell::one_of;
use super::content::{Contents, Seen};
use super::csv_table::{Row, Spec};
use super::error::Reported;
use super::personnel::language;
use super::references::{Index, Unique};
use super::source::{Source, Why, why};
use super::{Located, PlantFolder};

const CATEGORIES: Spec =
    Spec { file: "categories.csv", needed: false, columns: &["category", "window_days"], optional: &[] };
const DOCUMENTS: Spec = Spec {
    file: "documents.csv",
    needed: true,
    columns: &["document", "title", "category", "owner"],
    optional: &["site"],
};
const VERSIONS: Spec = Spec {
    file: "versions.csv",
    needed: true,
    columns: &["document", "version", "approved_at", "effective_from", "training_impact", "change_summary", "content"],
    optional: &["language", "withdrawn_at", "approved_by", "impact_reason", "in_flight", "minutes", "changed_steps"],
};

/// The language of content whose row names none: "undetermined" among IETF tags.
pub const NO_LANGUAGE: &str = "und";
/// Longest training window, in days.
pub(super) const MAX_WINDOW_DAYS: u32 = 3_660;

const IN_FLIGHT_WORDS: [(InFlight, &str); 2] = [(InFlight::Finish, "finish"), (InFlight::Stop, "stop")];
/// The activities an impact may name.
pub(super) const IMPACT_KINDS: [ActivityKind; 4] =
    [ActivityKind::Read, ActivityKind::Quiz, ActivityKind::Runs, ActivityKind::Check];

/// A version, from all its rows of `versions.csv`; the line is the first one's.
#[derive(Debug, Clone, PartialEq)]
pub struct VersionRow {
    pub document: DocumentId,
    pub version: VersionId,
    pub approved_at: Timestamp,
    pub effective_from: Timestamp,
    pub impact: Impact,
    pub impact_reason: Option<String>,
    pub in_flight: InFlight,
    pub withdrawn_at: Option<Timestamp>,
    pub approved_by: Option<String>,
    pub minutes: Option<u32>,
    /// As given, or compared from the Markdown.
    pub changed_steps: Vec<String>,
    /// One for each language, in the order of the rows.
    pub contents: Vec<Content>,
}

impl VersionRow {
    fn never_effective(&self) -> bool {
        self.withdrawn_at.is_some_and(|at| at < self.effective_from)
    }
}

/// Reads categories, documents and versions. Sites must be known.
pub(super) fn read(source: &Source<'_>, index: &mut Index, folder: &mut PlantFolder) {
    categories(source, index, folder);
    documents(source, index, folder);
    versions(source, index, folder);
    for document in &folder.documents {
        if !index.versions.contains_key(&document.row.document) && !index.versions_unread.whole {
            let id = &document.row.document;
            source.sink.warn(
                DOCUMENTS.file,
                document.line,
                format!("document `{id}` has no version: nothing it governs can start"),
            );
        }
    }
}

fn categories(source: &Source<'_>, index: &mut Index, folder: &mut PlantFolder) {
    let unread = source.table(&CATEGORIES, |row| {
        let category: Result<CategoryId, _> = row.id("category");
        let defined =
            category.as_ref().map_or(Err(Reported), |category| index.categories.define(row, "category", category));
        let written = row.text("window_days");
        let window = row.number("window_days", 0..=MAX_WINDOW_DAYS);
        written?;
        defined?;
        let body = CategorySet { category: category?, window_days: window?.ok_or(Reported)? };
        folder.categories.push(Located { line: row.line, row: body });
        Ok(())
    });
    index.categories.unread(unread);
}

/// A folder that lists categories of documents lists all of them; one that lists none, or only those of requirements, leaves them free.
fn category(row: &Row<'_>, index: &Index) -> Result<CategoryId, Reported> {
    let of_requirements = |id: &CategoryId| RequirementCategory::from_word(id.as_str()).is_some();
    if index.categories.ids().all(of_requirements) {
        row.id("category")
    } else {
        row.known("category", &index.categories)
    }
}

fn documents(source: &Source<'_>, index: &mut Index, folder: &mut PlantFolder) {
    let unread = source.table(&DOCUMENTS, |row| {
        let document: Result<DocumentId, _> = row.id("document");
        let defined =
            document.as_ref().map_or(Err(Reported), |document| index.documents.define(row, "document", document));
        let (title, category, owner) = (row.text("title"), category(row, index), row.text("owner"));
        let site = row.optional_known("site", &index.sites);
        defined?;
        let (document, site) = (document?, site?);
        if let Some(site) = &site {
            index.document_site.insert(document.clone(), site.clone());
        }
        let body =
            DocumentSet { document, title: title?.to_owned(), category: category?, owner: owner?.to_owned(), site };
        folder.documents.push(Located { line: row.line, row: body });
        Ok(())
    });
    index.documents.unread(unread);
}

/// One row of `versions.csv`.
struct LanguageRow {
    version: VersionRow,
    /// Whether `changed_steps` is blank, which asks for a comparison.
    compare: bool,
    language: Language,
    change_summary: Option<String>,
    content: Seen,
}

fn versions(source: &Source<'_>, index: &mut Index, folder: &mut PlantFolder) {
    let mut contents = Contents::default();
    let mut unique = Unique::new();
    let mut places: HashMap<(DocumentId, VersionId), usize> = HashMap::new();
    let mut rows: Vec<Located<VersionRow>> = Vec::new();
    let mut comparable: Vec<bool> = Vec::new();
    // Versions whose document is unknown: whoever names them is not reported as well.
    let mut homeless: BTreeSet<String> = BTreeSet::new();
    let mut silent: BTreeMap<usize, Vec<u64>> = BTreeMap::new();
    let unread = source.table(&VERSIONS, |row| {
        let ids = (row.known("document", &index.documents), row.id::<VersionId>("version"));
        match &ids {
            (Ok(document), Ok(version)) => {
                let known = index.versions.entry(document.clone()).or_default();
                if !known.contains(version) {
                    known.push(version.clone());
                }
            }
            (_, Ok(version)) => drop(homeless.insert(version.to_string())),
            _ => {}
        }
        let read = language_row(row, index, ids, |path| contents.look(source, path, &mut folder.blobs))?;
        let key = (read.version.document.clone(), read.version.version.clone());
        let column = if row.optional("language").is_some() { "language" } else { "version" };
        unique.check(row, column, (key.clone(), read.language.clone()), "version and language")?;
        let place = *places.entry(key).or_insert(rows.len());
        if place == rows.len() {
            comparable.push(read.compare);
            rows.push(Located { line: row.line, row: read.version });
        } else {
            same_version(row, &rows[place], &read, comparable[place])?;
        }
        if read.change_summary.is_none() {
            silent.entry(place).or_default().push(row.line);
        }
        rows[place].row.contents.push(Content {
            language: read.language,
            hash: read.content.digest,
            format: read.content.format,
            change_summary: read.change_summary.unwrap_or_default(),
            size: read.content.size,
        });
        Ok(())
    });
    index.versions_unread = unread;
    index.versions_unread.words.extend(homeless);
    in_order(source, folder, &mut rows, &comparable, &silent);
    folder.versions = rows;
}

type Ids = (Result<DocumentId, Reported>, Result<VersionId, Reported>);

fn language_row(
    row: &Row<'_>,
    index: &Index,
    (document, version): Ids,
    look: impl FnOnce(&str) -> Result<Seen, Why>,
) -> Result<LanguageRow, Reported> {
    let site = document.as_ref().ok().and_then(|document| index.document_site.get(document));
    let time = index.times.of(site);
    let (approved_at, effective_from) = (row.time("approved_at", time), row.time("effective_from", time));
    let withdrawn_at = row.optional_time("withdrawn_at", time);
    let order = order_of_dates(row, approved_at, effective_from, withdrawn_at);
    let (impact, impact_reason) = (impact(row), row.optional_text("impact_reason"));
    let (in_flight, minutes) = (row.optional_word("in_flight", &IN_FLIGHT_WORDS), row.number("minutes", 0..=100_000));
    let (approved_by, change_summary) = (row.optional_text("approved_by"), row.optional_text("change_summary"));
    let language = row
        .optional("language")
        .map_or_else(|| Language::new(NO_LANGUAGE).map_err(|_| Reported), |_| language(row, "language"));
    let content = row
        .text("content")
        .and_then(|path| look(path).map_err(|(problem, expected)| row.bad("content", problem, expected)));
    let changed_steps: Vec<String> = row.list("changed_steps").into_iter().map(str::to_owned).collect();
    order?;
    let version = VersionRow {
        document: document?,
        version: version?,
        approved_at: approved_at?,
        effective_from: effective_from?,
        impact: impact?,
        impact_reason: impact_reason?,
        in_flight: in_flight?.unwrap_or(InFlight::Finish),
        withdrawn_at: withdrawn_at?,
        approved_by: approved_by?,
        minutes: minutes?,
        changed_steps,
        contents: Vec::new(),
    };
    if version.impact == Impact::None && version.impact_reason.is_none() {
        row.warn("training impact `none` without `impact_reason`: an approver will have to give the reason (A10)");
    }
    let compare = version.changed_steps.is_empty();
    Ok(LanguageRow { version, compare, language: language?, change_summary: change_summary?, content: content? })
}

fn order_of_dates(
    row: &Row<'_>,
    approved_at: Result<Timestamp, Reported>,
    effective_from: Result<Timestamp, Reported>,
    withdrawn_at: Result<Option<Timestamp>, Reported>,
) -> Result<(), Reported> {
    let approved = approved_at?;
    let effective = effective_from.ok().filter(|effective| *effective < approved).map(|_| {
        let until = row.optional("effective_from").unwrap_or("");
        row.bad("approved_at", format!("is after `effective_from` ({until})"), "a version is approved before it counts")
    });
    let withdrawn = withdrawn_at.ok().flatten().filter(|withdrawn| *withdrawn < approved).map(|_| {
        let from = row.optional("approved_at").unwrap_or("");
        row.bad(
            "withdrawn_at",
            format!("is before `approved_at` ({from})"),
            "a version is withdrawn after it was approved",
        )
    });
    effective.or(withdrawn).map_or(Ok(()), Err)
}

fn impact(row: &Row<'_>) -> Result<Impact, Reported> {
    match row.text("training_impact")? {
        "none" => return Ok(Impact::None),
        "full" => return Ok(Impact::Full),
        _ => {}
    }
    let kind = |part: &str| {
        let found = IMPACT_KINDS.into_iter().find(|kind| kind.word() == part);
        let words = ["none", "full"].into_iter().chain(IMPACT_KINDS.iter().map(|kind| kind.word()));
        let expected = || format!("{}; the last four also as a list with `;`", one_of(words));
        found.ok_or_else(|| row.bad_part("training_impact", part, "is no training impact", expected()))
    };
    let kinds: Vec<Result<ActivityKind, Reported>> = row.list("training_impact").into_iter().map(kind).collect();
    let mut kinds: Vec<ActivityKind> = kinds.into_iter().collect::<Result<_, _>>()?;
    kinds.sort();
    kinds.dedup();
    if kinds.is_empty() {
        return Err(row.bad("training_impact", "names no activity", "write `none` if nothing is demanded anew"));
    }
    Ok(Impact::Some(kinds))
}

/// Reports each column in which a further row of a version differs from its first, the three that may differ excepted.
fn same_version(row: &Row<'_>, first: &Located<VersionRow>, read: &LanguageRow, compare: bool) -> Result<(), Reported> {
    let (a, b) = (&first.row, &read.version);
    let steps_differ = compare != read.compare || !compare && a.changed_steps != b.changed_steps;
    let differing = [
        ("approved_at", a.approved_at != b.approved_at),
        ("effective_from", a.effective_from != b.effective_from),
        ("training_impact", a.impact != b.impact),
        ("withdrawn_at", a.withdrawn_at != b.withdrawn_at),
        ("approved_by", a.approved_by != b.approved_by),
        ("impact_reason", a.impact_reason != b.impact_reason),
        ("in_flight", a.in_flight != b.in_flight),
        ("minutes", a.minutes != b.minutes),
        ("changed_steps", steps_differ),
    ];
    let mut result = Ok(());
    for (column, _) in differing.into_iter().filter(|(_, differs)| *differs) {
        let problem = format!("differs from line {}, which is the same version", first.line);
        result =
            Err(row.bad(column, problem, "rows of one version differ only in language, content and change_summary"));
    }
    result
}

/// What depends on the version before, in the order of versions: changed steps, and that a change is summed up.
fn in_order(
    source: &Source<'_>,
    folder: &PlantFolder,
    rows: &mut [Located<VersionRow>],
    comparable: &[bool],
    silent: &BTreeMap<usize, Vec<u64>>,
) {
    let mut by_document: BTreeMap<DocumentId, Vec<usize>> = BTreeMap::new();
    for (place, version) in rows.iter().enumerate() {
        by_document.entry(version.row.document.clone()).or_default().push(place);
    }
    for places in by_document.values_mut() {
        places.sort_by_key(|place| (rows[*place].row.effective_from, rows[*place].row.approved_at, *place));
        for line in places[1..].iter().filter_map(|place| silent.get(place)).flatten() {
            let blank =
                why("the cell is empty", "say what changed; only a document's first version may leave it blank");
            source.sink.error(VERSIONS.file, *line, Some("change_summary"), "", blank);
        }
        let mut before: Vec<(Language, Vec<Step>)> = Vec::new();
        for place in places.iter().copied() {
            let current = steps_by_language(folder, &rows[place].row.contents);
            if comparable[place] {
                rows[place].row.changed_steps = changed_steps(&before, &current);
            }
            // Nobody was trained on a version that never counted: the next one is compared with what they know.
            if !rows[place].row.never_effective() {
                before = current;
            }
        }
    }
}

/// The steps of each Markdown content. A file that changed since it was checked has none; reading the blob will say so.
fn steps_by_language(folder: &PlantFolder, contents: &[Content]) -> Vec<(Language, Vec<Step>)> {
    let markdown = contents.iter().filter(|content| content.format == Format::Markdown);
    let read = |content: &Content| {
        let bytes = folder.blobs.get(&content.hash)?.read(&content.hash).ok()?;
        Some((content.language.clone(), steps::steps(str::from_utf8(&bytes).ok()?)))
    };
    markdown.filter_map(read).collect()
}

/// Compared in a language both versions have. Texts in different languages can't be compared, unless one of them doesn't say its own.
fn changed_steps(before: &[(Language, Vec<Step>)], current: &[(Language, Vec<Step>)]) -> Vec<String> {
    let same = current
        .iter()
        .find_map(|(language, new)| before.iter().find(|(l, _)| l == language).map(|(_, old)| (old, new)));
    let first = || {
        let ((was, old), (is, new)) = (before.first()?, current.first()?);
        (was.as_str() == NO_LANGUAGE || is.as_str() == NO_LANGUAGE).then_some((old, new))
    };
    same.or_else(first).map_or_else(Vec::new, |(old, new)| steps::changed(old, new))
}
