//! Cells as values: ids, texts, numbers, words, lists, times. Each function notes what is wrong and gives back [`Reported`]; a reader
//! takes all cells of a row first and only then asks whether they are good, so that a row's errors are found together.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

use shared::id::BadId;
use shared::time::{SiteTime, Span, Timestamp};

use super::csv_table::Row;
use super::error::Reported;
use super::references::{Id, Known};

const TIME_FORM: &str = "write a date (2026-03-02) or a time with its zone (2026-03-02T06:00:00+01:00)";

impl Row<'_> {
    /// A cell that must say something, without white space around it.
    pub fn text(&self, column: &str) -> Result<&str, Reported> {
        let cell = self.cell(column).ok_or(Reported)?.trim();
        if cell.is_empty() {
            Err(self.bad(column, "the cell is empty", "fill it in"))
        } else {
            Ok(self.printable(column, cell)?)
        }
    }

    /// A cell that may be blank.
    pub fn optional(&self, column: &str) -> Option<&str> {
        self.cell(column).map(str::trim).filter(|cell| !cell.is_empty())
    }

    /// A text that may be blank.
    pub fn optional_text(&self, column: &str) -> Result<Option<String>, Reported> {
        self.optional(column).map(|cell| self.printable(column, cell).map(str::to_owned)).transpose()
    }

    fn printable<'c>(&self, column: &str, cell: &'c str) -> Result<&'c str, Reported> {
        let odd = cell.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'));
        if odd { Err(self.bad(column, "contains a control character", "delete it")) } else { Ok(cell) }
    }

    /// An id that this row gives to something.
    pub fn id<T: FromStr<Err = BadId>>(&self, column: &str) -> Result<T, Reported> {
        let cell = self.cell(column).ok_or(Reported)?;
        self.part_as_id(column, cell)
    }

    /// An id in a list or in an optional cell.
    pub fn part_as_id<T: FromStr<Err = BadId>>(&self, column: &str, part: &str) -> Result<T, Reported> {
        part.parse().map_err(|error: BadId| {
            let expected = "write an id of 1 to 120 bytes without white space around it";
            self.bad_part(column, part, format!("is no id: {error}"), expected)
        })
    }

    /// The id of something that is defined elsewhere.
    pub fn known<K: Id>(&self, column: &str, known: &Known<K>) -> Result<K, Reported> {
        let cell = self.cell(column).ok_or(Reported)?;
        if cell.trim().is_empty() {
            return Err(self.bad(column, "the cell is empty", format!("name a {}", known.noun())));
        }
        known.find(self, column, cell)
    }

    pub fn optional_known<K: Id>(&self, column: &str, known: &Known<K>) -> Result<Option<K>, Reported> {
        self.optional(column).map(|_| self.known(column, known)).transpose()
    }

    /// The ids in a list, each once; one that stands twice is noted as a warning.
    pub fn known_list<K: Id>(&self, column: &str, known: &Known<K>) -> Result<Vec<K>, Reported> {
        let found: Vec<Result<K, Reported>> =
            self.list(column).into_iter().map(|part| known.find(self, column, part)).collect();
        let found: Vec<K> = found.into_iter().collect::<Result<_, _>>()?;
        let mut once: Vec<K> = Vec::with_capacity(found.len());
        for id in found {
            if once.contains(&id) {
                self.warn(format!("{column}: `{id}` stands twice in the list"));
            } else {
                once.push(id);
            }
        }
        Ok(once)
    }

    /// The elements of a list; white space around them doesn't matter, nor does a semicolon at the end.
    pub fn list(&self, column: &str) -> Vec<&str> {
        let parts = self.optional(column).into_iter().flat_map(|cell| cell.split(';'));
        parts.map(str::trim).filter(|part| !part.is_empty()).collect()
    }

    /// A whole number in a range; `None` when blank.
    pub fn number<T>(&self, column: &str, range: RangeInclusive<T>) -> Result<Option<T>, Reported>
    where
        T: FromStr + PartialOrd + Display,
    {
        let Some(cell) = self.optional(column) else { return Ok(None) };
        self.part_as_number(column, cell, range).map(Some)
    }

    pub fn part_as_number<T>(&self, column: &str, part: &str, range: RangeInclusive<T>) -> Result<T, Reported>
    where
        T: FromStr + PartialOrd + Display,
    {
        let plain = part.bytes().all(|b| b.is_ascii_digit());
        let number = part.parse().ok().filter(|number| plain && range.contains(number));
        number.ok_or_else(|| {
            let expected = format!("write a whole number from {} to {}", range.start(), range.end());
            self.bad_part(column, part, "is not a number that is allowed here", expected)
        })
    }

    /// One of a few words.
    pub fn word<T: Copy>(&self, column: &str, words: &[(T, &str)]) -> Result<T, Reported> {
        let cell = self.text(column)?;
        let found = words.iter().find(|(_, word)| *word == cell).map(|(value, _)| *value);
        found.ok_or_else(|| {
            self.bad(column, "is not one of the words allowed here", one_of(words.iter().map(|(_, word)| *word)))
        })
    }

    pub fn optional_word<T: Copy>(&self, column: &str, words: &[(T, &str)]) -> Result<Option<T>, Reported> {
        self.optional(column).map(|_| self.word(column, words)).transpose()
    }

    /// Yes or no, in the spellings that spreadsheets and people use; blank = no.
    pub fn flag(&self, column: &str) -> Result<bool, Reported> {
        let Some(cell) = self.optional(column) else { return Ok(false) };
        match cell.to_ascii_lowercase().as_str() {
            "true" | "yes" | "1" => Ok(true),
            "false" | "no" | "0" => Ok(false),
            _ => Err(self.bad(column, "is neither yes nor no", "write `true` or `false`")),
        }
    }

    /// A time; a date alone is the site's change time that day (A4).
    pub fn time(&self, column: &str, site: &SiteTime) -> Result<Timestamp, Reported> {
        self.text(column)?;
        self.optional_time(column, site)?.ok_or(Reported)
    }

    pub fn optional_time(&self, column: &str, site: &SiteTime) -> Result<Option<Timestamp>, Reported> {
        let Some(cell) = self.optional(column) else { return Ok(None) };
        let time = site.parse(cell).ok_or_else(|| self.bad(column, "is no date or time that exists", TIME_FORM))?;
        Ok(Some(time))
    }

    /// A span of time, `until` exclusive; blank ends are open.
    pub fn span(&self, from: &str, until: &str, site: &SiteTime) -> Result<Span, Reported> {
        let (start, end) = (self.optional_time(from, site), self.optional_time(until, site));
        let span = Span { from: start?, until: end? };
        if span.is_empty() {
            let start = self.optional(from).unwrap_or("");
            return Err(self.bad(
                until,
                format!("is not after `{from}` ({start})"),
                "write a later time, or leave it blank",
            ));
        }
        Ok(span)
    }
}

/// "write `a`, `b` or `c`".
pub(super) fn one_of<'w>(words: impl Iterator<Item = &'w str>) -> String {
    let quoted: Vec<String> = words.map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("write {} or {last}", rest.join(", ")),
        _ => format!("write {}", quoted.join("")),
    }
}
