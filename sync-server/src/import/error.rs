//! What is wrong with a plant folder, told so that the person who keeps the tables can put it right.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use crate::export::cell::inert;

/// Longest value repeated in an error, in characters.
const MAX_VALUE: usize = 120;
/// Most errors listed for one file.
const MAX_PER_FILE: usize = 10_000;
/// Most lines named in one warning.
const MAX_LINES: usize = 8;

/// One thing wrong in one place. Ordered by file, line, column.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, thiserror::Error)]
pub struct ImportError {
    /// Path below the plant folder, with `/`.
    pub file: String,
    /// The header is line 1; 0 = the file as a whole. A record that runs over several lines is named by its first.
    pub line: u64,
    /// Column of a table, key of a settings file.
    pub column: Option<String>,
    /// What stands there, cut when long.
    pub value: String,
    /// What is wrong with it, as the rest of a sentence that begins with the value.
    pub problem: String,
    /// What would be right.
    pub expected: String,
}

impl fmt::Display for ImportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if self.line > 0 {
            write!(f, " line {}", self.line)?;
        }
        if let Some(column) = &self.column {
            write!(f, ", {column}")?;
        }
        f.write_str(": ")?;
        if !self.value.is_empty() {
            write!(f, "{:?} ", self.value)?;
        }
        write!(f, "{}; {}", self.problem, self.expected)
    }
}

/// The errors as a table (`errors.csv`), for a person with a spreadsheet.
pub fn errors_csv(errors: &[ImportError]) -> String {
    let mut text = String::from("file,line,column,value,problem,expected\n");
    for error in errors {
        let line = error.line.to_string();
        let column = error.column.as_deref().unwrap_or("");
        let cells = [&error.file, &line, column, &error.value, &error.problem, &error.expected].map(cell);
        text.push_str(&cells.join(","));
        text.push('\n');
    }
    text
}

fn cell(text: &str) -> String {
    let text = inert(text);
    let quoted = text.contains([',', '"', '\n', '\r']);
    if quoted { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.into_owned() }
}

/// The error is noted; the value can't be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reported;

/// Where every reader notes what it finds, so that one run finds all.
#[derive(Default)]
pub(super) struct Sink {
    errors: RefCell<Vec<ImportError>>,
    per_file: RefCell<BTreeMap<String, usize>>,
    warnings: RefCell<BTreeMap<(String, String), Lines>>,
}

/// The lines one warning concerns: the first few, and how many there are.
#[derive(Default)]
struct Lines {
    first: Vec<u64>,
    count: u64,
}

impl Sink {
    pub fn error(&self, file: &str, line: u64, column: Option<&str>, value: &str, why: (String, String)) -> Reported {
        let mut per_file = self.per_file.borrow_mut();
        let count = per_file.entry(file.to_owned()).or_default();
        *count += 1;
        if *count <= MAX_PER_FILE {
            let (problem, expected) = why;
            let (file, column, value) = (file.to_owned(), column.map(str::to_owned), shortened(value));
            self.errors.borrow_mut().push(ImportError { file, line, column, value, problem, expected });
        }
        Reported
    }

    /// Notes something that is imported and yet should be looked at; warnings alike in one file become one.
    pub fn warn(&self, file: &str, line: u64, message: impl Into<String>) {
        let mut warnings = self.warnings.borrow_mut();
        let lines = warnings.entry((file.to_owned(), message.into())).or_default();
        lines.count += 1;
        if lines.first.len() < MAX_LINES {
            lines.first.push(line);
        }
    }

    pub fn len(&self) -> usize {
        self.errors.borrow().len()
    }

    pub fn is_clean(&self) -> bool {
        self.errors.borrow().is_empty()
    }

    /// All errors in order, each once.
    pub fn into_errors(self) -> Vec<ImportError> {
        let mut errors = self.errors.into_inner();
        for (file, count) in self.per_file.into_inner() {
            if let Some(more) = count.checked_sub(MAX_PER_FILE).filter(|more| *more > 0) {
                let problem = format!("{more} more errors in this file are not listed");
                let expected = "put the listed ones right first".to_owned();
                errors.push(ImportError { file, line: 0, column: None, value: String::new(), problem, expected });
            }
        }
        errors.sort();
        errors.dedup();
        errors
    }

    pub fn warnings(&self) -> Vec<String> {
        let sentence = |((file, message), lines): (&(String, String), &Lines)| {
            let named: Vec<String> = lines.first.iter().filter(|line| **line > 0).map(u64::to_string).collect();
            let more = lines.count - lines.first.len() as u64;
            match (named.len(), more) {
                (0, _) => format!("{file}: {message}"),
                (1, 0) => format!("{file} line {}: {message}", named[0]),
                (_, 0) => format!("{file} lines {}: {message}", named.join(", ")),
                (_, more) => format!("{file} lines {} and {more} more: {message}", named.join(", ")),
            }
        };
        self.warnings.borrow().iter().map(sentence).collect()
    }
}

fn shortened(value: &str) -> String {
    let mut text: String = value.chars().take(MAX_VALUE).collect();
    if text.len() < value.len() {
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_reads_as_one_line_and_as_a_row() {
        let error = ImportError {
            file: "people.csv".into(),
            line: 14,
            column: Some("badge".into()),
            value: "04A1B2C3".into(),
            problem: "is also the badge of `maria` (line 3)".into(),
            expected: "give each person a badge of their own".into(),
        };
        let line = "people.csv line 14, badge: \"04A1B2C3\" is also the badge of `maria` (line 3); give each person a badge of their own";
        assert_eq!(error.to_string(), line);
        let formula = ImportError { value: "=1+1,\"x\"".into(), line: 2, column: None, ..error };
        let table = errors_csv(&[formula]);
        assert!(
            table.starts_with("file,line,column,value,problem,expected\npeople.csv,2,,\"'=1+1,\"\"x\"\"\",is also"),
            "{table}"
        );
    }

    #[test]
    fn errors_come_once_in_order_and_never_without_end() {
        let sink = Sink::default();
        for line in (1..=MAX_PER_FILE as u64 + 5).rev() {
            sink.error("b.csv", line, None, "", (String::new(), String::new()));
        }
        sink.error("a.csv", 9, None, "", (String::new(), String::new()));
        sink.error("a.csv", 9, None, "", (String::new(), String::new()));
        let errors = sink.into_errors();
        assert_eq!((errors[0].file.as_str(), errors[0].line), ("a.csv", 9));
        assert_eq!(errors.len(), MAX_PER_FILE + 2);
        assert!(errors[1].problem.starts_with("5 more"));
    }

    #[test]
    fn warnings_alike_become_one() {
        let sink = Sink::default();
        (1..=20).for_each(|line| sink.warn("x.csv", line, "odd"));
        sink.warn("y.csv", 0, "odd");
        assert_eq!(sink.warnings(), ["x.csv lines 1, 2, 3, 4, 5, 6, 7, 8 and 12 more: odd", "y.csv: odd"]);
    }
}
