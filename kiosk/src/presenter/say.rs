//! Times, numbers and names as screens print them. Only the plant's clock and the screen's language enter.

use shared::id::*;
use shared::plant::Plant;
use shared::time::{SiteTime, Timestamp};

/// Prints by the clock of one site.
#[derive(Clone, Copy)]
pub(super) struct Say {
    pub site: SiteTime,
    pub now: Timestamp,
}

impl Say {
    /// The time of day: `06:41`.
    pub fn clock(&self, at: Timestamp) -> String {
        self.site.local(at).format("%H:%M").to_string()
    }

    /// The date: `2026-03-02`.
    pub fn day(&self, at: Timestamp) -> String {
        self.site.local(at).format("%Y-%m-%d").to_string()
    }

    /// The time of day when it is today, else date and time.
    pub fn moment(&self, at: Timestamp) -> String {
        if self.day(at) == self.day(self.now) { self.clock(at) } else { self.date_and_minute(at) }
    }

    pub fn date_and_minute(&self, at: Timestamp) -> String {
        self.site.local(at).format("%Y-%m-%d %H:%M").to_string()
    }

    /// Date and time to the second, as a signature prints it (21 CFR 11.50).
    pub fn stamp(&self, at: Timestamp) -> String {
        self.site.local(at).format("%Y-%m-%d %H:%M:%S").to_string()
    }
}

/// A version as the screens print it after their own `v`: `v7` is `7`, `B` is `B`.
pub(super) fn edition(version: &VersionId) -> String {
    let text = version.as_str();
    match text.strip_prefix(['v', 'V']) {
        Some(number) if number.starts_with(|c: char| c.is_ascii_digit()) => number.to_owned(),
        _ => text.to_owned(),
    }
}

pub(super) fn edition_of(version: Option<&VersionId>) -> String {
    version.map_or_else(String::new, edition)
}

pub(super) fn text<T: AsRef<str> + ?Sized>(value: Option<&T>) -> String {
    value.map_or_else(String::new, |value| value.as_ref().to_owned())
}

pub(super) fn names<'a>(plant: &Plant, people: impl IntoIterator<Item = &'a PersonId>) -> String {
    people.into_iter().map(|person| plant.printed_name(person)).collect::<Vec<_>>().join(", ")
}

pub(super) fn unit_name(plant: &Plant, unit: &WorkUnitId) -> String {
    plant.work_units.get(unit).map_or_else(|| unit.to_string(), |set| set.name.clone())
}

pub(super) fn task_title(plant: &Plant, task: &TaskId) -> String {
    plant.tasks.get(task).map_or_else(|| task.to_string(), |set| set.title.clone())
}

pub(super) fn document_title(plant: &Plant, document: Option<&DocumentId>) -> String {
    document.and_then(|id| plant.documents.get(id)).map_or_else(String::new, |document| document.set.title.clone())
}

pub(super) fn count(number: impl TryInto<i32>) -> i32 {
    number.try_into().unwrap_or(i32::MAX)
}

/// A language's own name.
pub(super) fn language_name(language: &str) -> String {
    let primary = language.split('-').next().unwrap_or(language);
    let own = match primary {
        "en" => "English",
        "de" => "Deutsch",
        "es" => "Español",
        "pl" => "Polski",
        "vi" => "Tiếng Việt",
        "fr" => "Français",
        "it" => "Italiano",
        "pt" => "Português",
        "nl" => "Nederlands",
        "cs" => "Čeština",
        "tr" => "Türkçe",
        "ro" => "Română",
        "hu" => "Magyar",
        "zh" => "中文",
        _ => language,
    };
    own.to_owned()
}

/// Languages that print decimals with a comma.
pub(super) fn decimal_mark(language: &str) -> char {
    if matches!(language.split('-').next(), Some("de" | "es" | "pl" | "vi")) { ',' } else { '.' }
}

/// The page of a list, from 0, as it is after the list changed: its rows' range and the number of pages.
pub(super) fn page_of(len: usize, page: usize, size: usize) -> (usize, usize, std::ops::Range<usize>) {
    let pages = len.div_ceil(size).max(1);
    let page = page.min(pages - 1);
    (page, pages, page * size..((page + 1) * size).min(len))
}
