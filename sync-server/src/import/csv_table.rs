//! Tables, read strictly by RFC 4180 with the line every record begins on.
//!
//! The `csv` crate's reader forgives a quote that never closes, quotes in the middle of a cell, and text after a closing quote: each
//! moves cells to where nobody meant them. Here they are errors, and reading goes on with the next line, so that one run finds all.

use std::borrow::Cow;
use std::collections::HashSet;

use super::error::{Reported, Sink};
use super::references::nearest;
use super::source::{Source, Why, why};

/// What a table must look like.
pub(super) struct Spec {
    pub file: &'static str,
    /// Whether every plant folder has it.
    pub needed: bool,
    pub columns: &'static [&'static str],
    pub optional: &'static [&'static str],
}

/// What could not be read of a table. Ids that may stand in there are not reported as unknown elsewhere: one cause, one error.
#[derive(Debug, Default, Clone)]
pub(super) struct Unread {
    pub whole: bool,
    pub words: HashSet<String>,
}

/// Where each known column of a table is.
type Places = Vec<(&'static str, usize)>;

/// One record under the table's header.
pub(super) struct Row<'a> {
    pub file: &'static str,
    pub line: u64,
    pub sink: &'a Sink,
    places: &'a [(&'static str, usize)],
    cells: &'a [Cow<'a, str>],
}

impl<'a> Row<'a> {
    /// A row without cells: names a line for what is found about it later.
    pub fn bare(file: &'static str, line: u64, sink: &'a Sink) -> Self {
        Self { file, line, sink, places: &[], cells: &[] }
    }

    /// The cell as written; `None` when the table lacks the column.
    pub fn cell(&self, column: &str) -> Option<&str> {
        let (_, place) = self.places.iter().find(|(name, _)| *name == column)?;
        self.cells.get(*place).map(AsRef::as_ref)
    }

    /// Notes an error about the cell.
    pub fn bad(&self, column: &str, problem: impl Into<String>, expected: impl Into<String>) -> Reported {
        let value = self.cell(column).unwrap_or("");
        self.sink.error(self.file, self.line, Some(column), value, why(problem, expected))
    }

    /// Notes an error about one element of the cell.
    pub fn bad_part(
        &self,
        column: &str,
        part: &str,
        problem: impl Into<String>,
        expected: impl Into<String>,
    ) -> Reported {
        self.sink.error(self.file, self.line, Some(column), part, why(problem, expected))
    }

    pub fn warn(&self, message: impl Into<String>) {
        self.sink.warn(self.file, self.line, message);
    }
}

impl Source<'_> {
    /// Reads a table and hands each record to `each`. Records that are malformed are reported and come back as unread.
    pub fn table(&self, spec: &Spec, mut each: impl FnMut(&Row<'_>) -> Result<(), Reported>) -> Unread {
        let mut unread = Unread::default();
        let Some(text) = self.text(spec.file, spec.needed) else {
            // An absent optional table has nothing unread in it.
            unread.whole = spec.needed || self.inside(spec.file).is_ok();
            return unread;
        };
        let mut records = Records::new(&text);
        let Some((names, places)) = self.header(spec, &mut records) else {
            unread.whole = true;
            return unread;
        };
        let mut cells = Vec::with_capacity(names.len());
        while let Some(record) = records.next(&mut cells) {
            let flaw = record.flaw.or_else(|| Flaw::of_length(cells.len(), names.len()));
            if let Some(flaw) = flaw {
                let column = flaw.cell.and_then(|at| names.get(at)).map(String::as_str);
                self.sink.error(spec.file, record.line, column, record.raw.trim_end(), flaw.why);
                unread.words.extend(words(record.raw));
            } else if cells.iter().all(|cell| cell.trim().is_empty()) {
                self.sink.error(spec.file, record.line, None, "", why("the row is empty", "fill it in or delete it"));
            } else {
                let row = Row { file: spec.file, line: record.line, sink: self.sink, places: &places, cells: &cells };
                // What is wrong has been noted; the next record is read all the same.
                let _ = each(&row);
            }
        }
        unread
    }

    /// Reads the header: the names in the file, and where each known column is. `None`: not a header at all.
    fn header(&self, spec: &Spec, records: &mut Records<'_>) -> Option<(Vec<String>, Places)> {
        let mut cells = Vec::new();
        let list = spec.columns.join(",");
        let refuse = |line, value: &str, why: Why| {
            self.sink.error(spec.file, line, None, value, why);
        };
        let Some(record) = records.next(&mut cells) else {
            refuse(1, "", why("the file is empty", format!("begin with the header {list}")));
            return None;
        };
        if let Some(flaw) = record.flaw {
            refuse(record.line, record.raw.trim_end(), flaw.why);
            return None;
        }
        if let ([only], Some(other)) = (cells.as_slice(), other_separator(&cells)) {
            refuse(record.line, only, why(format!("the cells are separated by {other}"), "separate them by commas"));
            return None;
        }
        let names: Vec<String> = cells.iter().map(|cell| cell.to_string()).collect();
        let places = self.places(spec, record.line, &names);
        Some((names, places))
    }

    fn places(&self, spec: &Spec, line: u64, names: &[String]) -> Places {
        let mut places = Places::new();
        let known = || spec.columns.iter().chain(spec.optional).copied();
        let refuse = |name: &str, value: &str, why: Why| {
            self.sink.error(spec.file, line, Some(name), value, why);
        };
        for (place, name) in names.iter().enumerate() {
            match known().find(|known| known == name) {
                None => refuse(name, name, why("is not a column of this table", remedy(name, known()))),
                Some(column) if places.iter().any(|(taken, _)| *taken == column) => {
                    refuse(name, name, why("stands twice in the header", "name each column once"));
                }
                Some(column) => places.push((column, place)),
            }
        }
        for column in spec.columns {
            if !places.iter().any(|(found, _)| found == column) {
                refuse(
                    column,
                    "",
                    why("the column is missing", format!("the table needs {}", spec.columns.join(", "))),
                );
            }
        }
        places
    }
}

fn remedy<'k>(name: &str, known: impl Iterator<Item = &'k str> + Clone) -> String {
    match nearest(name, known.clone().map(str::to_owned)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("its columns are {}", known.collect::<Vec<_>>().join(", ")),
    }
}

fn other_separator(cells: &[Cow<'_, str>]) -> Option<&'static str> {
    let [only] = cells else { return None };
    [(';', "semicolons"), ('\t', "tabs"), ('|', "bars")]
        .into_iter()
        .find(|(mark, _)| only.contains(*mark))
        .map(|(_, name)| name)
}

/// Everything in a malformed record that might be an id.
fn words(raw: &str) -> impl Iterator<Item = String> + '_ {
    raw.split([',', '"', '\n', '\r', ';']).map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned)
}

/// Why a record can't be taken apart.
struct Flaw {
    cell: Option<usize>,
    why: Why,
}

impl Flaw {
    fn at(cell: usize, problem: &str, expected: &str) -> Self {
        Self { cell: Some(cell), why: why(problem, expected) }
    }

    fn of_length(cells: usize, header: usize) -> Option<Self> {
        let problem = match cells.cmp(&header) {
            std::cmp::Ordering::Equal => return None,
            std::cmp::Ordering::Less => format!("the row is short: {cells} cells"),
            std::cmp::Ordering::Greater => format!("the row is long: {cells} cells"),
        };
        let expected = format!("write {header}, as the header has; put a cell that holds a comma in quotes");
        Some(Self { cell: None, why: why(problem, expected) })
    }
}

/// One record as it stands in the file.
struct Record<'t> {
    line: u64,
    raw: &'t str,
    flaw: Option<Flaw>,
}

/// The records of a text, one after another. Lines without any character are passed over.
struct Records<'t> {
    text: &'t str,
    at: usize,
    line: u64,
}

/// What ends a cell.
enum End {
    Cell,
    Record,
    Flawed(Flaw),
}

impl<'t> Records<'t> {
    fn new(text: &'t str) -> Self {
        Self { text, at: 0, line: 1 }
    }

    /// Reads the next record into `cells`.
    fn next(&mut self, cells: &mut Vec<Cow<'t, str>>) -> Option<Record<'t>> {
        cells.clear();
        self.skip_blank_lines();
        let (start, line) = (self.at, self.line);
        if start == self.text.len() {
            return None;
        }
        loop {
            let end = if self.byte() == Some(b'"') { self.quoted(cells) } else { self.plain(cells) };
            match end {
                End::Cell => {}
                End::Record => return Some(Record { line, raw: &self.text[start..self.at], flaw: None }),
                End::Flawed(flaw) => {
                    self.skip_line();
                    return Some(Record { line, raw: &self.text[start..self.at], flaw: Some(flaw) });
                }
            }
        }
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_blank_lines(&mut self) {
        while let rest = &self.text.as_bytes()[self.at..]
            && (rest.starts_with(b"\n") || rest.starts_with(b"\r\n"))
        {
            self.at += if rest[0] == b'\n' { 1 } else { 2 };
            self.line += 1;
        }
    }

    fn skip_line(&mut self) {
        let rest = &self.text[self.at..];
        match rest.find('\n') {
            Some(end) => {
                self.at += end + 1;
                self.line += 1;
            }
            None => self.at = self.text.len(),
        }
    }

    fn plain(&mut self, cells: &mut Vec<Cow<'t, str>>) -> End {
        let rest = &self.text.as_bytes()[self.at..];
        let length = rest.iter().position(|b| matches!(b, b',' | b'\n' | b'\r' | b'"')).unwrap_or(rest.len());
        let cell = &self.text[self.at..self.at + length];
        self.at += length;
        if self.byte() == Some(b'"') {
            let expected = "put the whole cell in quotes and write a quote inside it twice";
            return End::Flawed(Flaw::at(cells.len(), "a quote stands in the middle of a cell", expected));
        }
        cells.push(Cow::Borrowed(cell));
        self.separator(cells.len() - 1)
    }

    fn quoted(&mut self, cells: &mut Vec<Cow<'t, str>>) -> End {
        let text = self.text;
        let start = self.at + 1;
        let mut from = start;
        let mut doubled = false;
        let end = loop {
            let Some(quote) = text[from..].find('"').map(|found| from + found) else {
                self.line += text[self.at..].matches('\n').count() as u64;
                self.at = text.len();
                return End::Flawed(Flaw::at(
                    cells.len(),
                    "a quote opens here and never closes",
                    "close it before the next comma",
                ));
            };
            if text.as_bytes().get(quote + 1) != Some(&b'"') {
                break quote;
            }
            doubled = true;
            from = quote + 2;
        };
        let cell = &text[start..end];
        self.line += cell.bytes().filter(|b| *b == b'\n').count() as u64;
        self.at = end + 1;
        cells.push(if doubled { Cow::Owned(cell.replace("\"\"", "\"")) } else { Cow::Borrowed(cell) });
        self.separator(cells.len() - 1)
    }

    /// Steps over what follows a cell.
    fn separator(&mut self, cell: usize) -> End {
        let rest = &self.text.as_bytes()[self.at..];
        match rest {
            [] => End::Record,
            [b',', ..] => {
                self.at += 1;
                End::Cell
            }
            [b'\n', ..] | [b'\r', b'\n', ..] => {
                self.skip_line();
                End::Record
            }
            [b'\r', ..] => End::Flawed(Flaw::at(cell, "a carriage return stands alone", "end lines with LF or CRLF")),
            _ => {
                let expected = "close the quote at the end of the cell and write a quote inside it twice";
                End::Flawed(Flaw::at(cell, "text follows a closing quote", expected))
            }
        }
    }
}

/// Line, column and value of the first cell with a character that can't be there.
pub(super) fn first_cell_with(bad: char, text: &str) -> Option<(u64, String, String)> {
    let mut records = Records::new(text);
    let mut cells = Vec::new();
    records.next(&mut cells)?;
    let names: Vec<String> = cells.iter().map(|cell| cell.to_string()).collect();
    if let Some(name) = names.iter().find(|name| name.contains(bad)) {
        return Some((1, name.clone(), name.clone()));
    }
    while let Some(record) = records.next(&mut cells) {
        if let Some((cell, name)) = cells.iter().zip(&names).find(|(cell, _)| cell.contains(bad)) {
            return Some((record.line, name.clone(), cell.to_string()));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(u64, Vec<String>, Option<String>)> {
        let mut records = Records::new(text);
        let mut cells = Vec::new();
        let mut all = Vec::new();
        while let Some(record) = records.next(&mut cells) {
            all.push((record.line, cells.iter().map(|c| c.to_string()).collect(), record.flaw.map(|f| f.why.0)));
        }
        all
    }

    fn good(text: &str) -> Vec<(u64, Vec<String>)> {
        read(text).into_iter().inspect(|r| assert_eq!(r.2, None, "{text:?}")).map(|r| (r.0, r.1)).collect()
    }

    #[test]
    fn k2_cells_come_as_rfc_4180_means_them() {
        let all = good("a,b\r\n\"x, \"\"y\"\"\",\"line\r\nbreak\"\r\n\r\n,\n1,2");
        let cells = |n: usize| all[n].1.iter().map(String::as_str).collect::<Vec<_>>();
        assert_eq!((all[1].0, cells(1)), (2, vec!["x, \"y\"", "line\r\nbreak"]));
        assert_eq!((all[2].0, cells(2)), (5, vec!["", ""]), "the blank line is passed over");
        assert_eq!((all[3].0, cells(3)), (6, vec!["1", "2"]));
        assert_eq!(good("\"\",\"\"").len(), 1);
        assert_eq!(good("a,\n")[0].1.len(), 2);
        assert!(good("\n\r\n").is_empty());
    }

    #[test]
    fn k2_quotes_out_of_place_are_errors_and_reading_goes_on() {
        for (line, flaw) in [
            ("Jonas \"Jo\" Weber,2", "a quote stands in the middle of a cell"),
            ("\"Jonas\" Weber,2", "text follows a closing quote"),
            ("a\rb,2", "a carriage return stands alone"),
        ] {
            let all = read(&format!("x,y\n{line}\n3,4\n"));
            assert_eq!(all[1].2.as_deref(), Some(flaw), "{line}");
            assert_eq!((all[2].0, all[2].1.len(), &all[2].2), (3, 2, &None), "{line}");
        }
        let open = read("x,y\n1,2\n3,\"4\n5,6\n7,8\n");
        assert_eq!((open.len(), open[2].0), (3, 3));
        assert_eq!(open[2].2.as_deref(), Some("a quote opens here and never closes"));
    }
}
