//! Settings files (TOML), read key by key with the line of each, so that one run finds all that is wrong in them.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::ops::{Range, RangeInclusive};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::{Reported, Sink};
use super::references::nearest;
use super::source::{Source, why};

/// One settings file.
pub(super) struct Settings<'a> {
    pub file: &'a str,
    pub text: &'a str,
    pub sink: &'a Sink,
}

impl Settings<'_> {
    pub fn line(&self, at: usize) -> u64 {
        let before = &self.text.as_bytes()[..at.min(self.text.len())];
        1 + before.iter().filter(|b| **b == b'\n').count() as u64
    }

    pub fn bad(
        &self,
        key: &str,
        span: Range<usize>,
        problem: impl Into<String>,
        expected: impl Into<String>,
    ) -> Reported {
        let value = self.text.get(span.clone()).unwrap_or("").trim().trim_matches('"');
        self.sink.error(self.file, self.line(span.start), Some(key), value, why(problem, expected))
    }

    /// Reports an error of the TOML library.
    pub fn unreadable(&self, error: &toml::de::Error) -> Reported {
        let span = error.span().unwrap_or(0..0);
        let line = if error.span().is_some() { self.line(span.start) } else { 0 };
        let key = self.key_near(span.start);
        let value = self.text.get(span).unwrap_or("").trim().to_owned();
        let problem = format!("can't be read: {}", error.message().replace('\n', " "));
        self.sink.error(self.file, line, key.as_deref(), &value, why(problem, "correct it as TOML wants it"))
    }

    /// The key of the line that holds a place.
    fn key_near(&self, at: usize) -> Option<String> {
        let start = self.text.get(..at)?.rfind('\n').map_or(0, |newline| newline + 1);
        let (key, _) = self.text.get(start..)?.lines().next()?.split_once('=')?;
        Some(key.trim().to_owned()).filter(|key| !key.is_empty())
    }
}

/// A table in a settings file.
pub(super) struct Section<'a> {
    settings: &'a Settings<'a>,
    table: &'a DeTable<'a>,
    /// Line of its heading; 0 for the file's own table.
    line: u64,
}

/// Parses a file's text and hands its table to `each`.
pub(super) fn parse<T>(
    source: &Source<'_>,
    file: &str,
    text: &str,
    each: impl FnOnce(&Settings<'_>, &DeTable<'_>) -> Result<T, Reported>,
) -> Result<T, Reported> {
    let settings = Settings { file, text, sink: source.sink };
    let (table, errors) = DeTable::parse_recoverable(text);
    // One slip of the pen makes several errors on its line; the first says what it is.
    let mut lines = BTreeSet::new();
    for error in &errors {
        if lines.insert(settings.line(error.span().map_or(0, |span| span.start))) {
            settings.unreadable(error);
        }
    }
    if errors.is_empty() { each(&settings, table.get_ref()) } else { Err(Reported) }
}

impl<'a> Section<'a> {
    /// A table that has these keys and no others.
    pub fn new(settings: &'a Settings<'a>, table: &'a DeTable<'a>, line: u64, keys: &[&str]) -> Self {
        for (key, _) in table.iter().filter(|(key, _)| !keys.contains(&key.get_ref().as_ref())) {
            let near = nearest(key.get_ref(), keys.iter().map(|key| (*key).to_owned()));
            let expected = near
                .map_or_else(|| format!("its keys are {}", keys.join(", ")), |near| format!("did you mean `{near}`?"));
            settings.bad(key.get_ref(), key.span(), "is not a key of this file", expected);
        }
        Self { settings, table, line }
    }

    pub fn get(&self, key: &str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.table.get(key)
    }

    /// Notes an error about the value of a key, or about its absence.
    pub fn bad(&self, key: &str, problem: impl Into<String>, expected: impl Into<String>) -> Reported {
        match self.get(key) {
            Some(value) => self.settings.bad(key, value.span(), problem, expected),
            None => self.settings.sink.error(self.settings.file, self.line, Some(key), "", why(problem, expected)),
        }
    }

    fn needed(&self, key: &str) -> Result<&'a Spanned<DeValue<'a>>, Reported> {
        self.get(key).ok_or_else(|| self.bad(key, "the key is missing", format!("add `{key} = …`")))
    }

    pub fn text(&self, key: &str) -> Result<String, Reported> {
        let text = self.needed(key)?.get_ref().as_str().map(str::trim);
        let text = text.ok_or_else(|| self.bad(key, "is no text", "put it in quotes"))?;
        if text.is_empty() { Err(self.bad(key, "the text is empty", "fill it in")) } else { Ok(text.to_owned()) }
    }

    pub fn number<T: TryFrom<i64> + PartialOrd + Display>(
        &self,
        key: &str,
        range: RangeInclusive<T>,
    ) -> Result<T, Reported> {
        let number =
            integer(self.needed(key)?.get_ref()).and_then(|n| T::try_from(n).ok()).filter(|n| range.contains(n));
        number.ok_or_else(|| {
            let expected = format!("write a whole number from {} to {}", range.start(), range.end());
            self.bad(key, "is not a number that is allowed here", expected)
        })
    }

    /// Yes or no; absent = no.
    pub fn flag(&self, key: &str) -> Result<bool, Reported> {
        let Some(value) = self.get(key) else { return Ok(false) };
        value.get_ref().as_bool().ok_or_else(|| self.bad(key, "is neither true nor false", "write `true` or `false`"))
    }

    /// The texts of an array.
    pub fn texts(&self, key: &str) -> Result<Vec<String>, Reported> {
        let wrong = || self.bad(key, "is no list of texts", format!("write `{key} = [\"…\", \"…\"]`"));
        let items = self.needed(key)?.get_ref().as_array().ok_or_else(wrong)?;
        let text = |item: &Spanned<DeValue<'_>>| {
            let text = item.get_ref().as_str().map(|text| text.trim().to_owned());
            text.filter(|text| !text.is_empty()).ok_or_else(wrong)
        };
        items.iter().map(text).collect()
    }

    /// The tables of `[[key]]`, each with these keys.
    pub fn tables(&self, key: &str, keys: &[&str]) -> Result<Vec<Section<'a>>, Reported> {
        let wrong = || self.bad(key, "is no list of tables", format!("begin each with `[[{key}]]`"));
        let Some(value) = self.get(key) else {
            return Err(self.bad(key, "there is none", format!("add a `[[{key}]]`")));
        };
        let items = value.get_ref().as_array().filter(|items| !items.is_empty()).ok_or_else(wrong)?;
        let section = |item: &'a Spanned<DeValue<'a>>| {
            let table = item.get_ref().as_table().ok_or_else(wrong)?;
            Ok(Section::new(self.settings, table, self.settings.line(item.span().start), keys))
        };
        items.iter().map(section).collect()
    }
}

pub(super) fn integer(value: &DeValue<'_>) -> Option<i64> {
    let integer = value.as_integer()?;
    i64::from_str_radix(integer.as_str(), integer.radix()).ok()
}

/// The settings files of a folder, each with its name without the ending. Other files there are pointed out.
pub(super) fn names(source: &Source<'_>, below: &str) -> Vec<String> {
    let (mut names, mut others) = (Vec::new(), Vec::new());
    for name in source.names(below).into_iter().filter(|name| !name.starts_with('.')) {
        match name.strip_suffix(".toml") {
            Some(stem) => names.push(stem.to_owned()),
            None => others.push(name),
        }
    }
    for name in others {
        source.sink.warn(&format!("{below}/{name}"), 0, "is not read: the files there end in `.toml`");
    }
    names
}
