//! Reads one CSV file of a folder, row by row, by column name.

use std::collections::BTreeMap;
use std::path::Path;

use csv::StringRecord;

/// Calls `each` for every row of `file`; a file that is absent has no rows. Panics on what is not CSV.
pub fn each_row(folder: &Path, file: &str, mut each: impl FnMut(Row)) {
    let path = folder.join(file);
    if !path.exists() {
        return;
    }
    let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{file}: {error}"));
    let text = String::from_utf8(bytes).unwrap_or_else(|error| panic!("{file}: {error}"));
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header = reader.headers().unwrap_or_else(|error| panic!("{file}: {error}")).clone();
    let columns: BTreeMap<&str, usize> = header.iter().enumerate().map(|(index, name)| (name, index)).collect();
    let mut record = StringRecord::new();
    while reader.read_record(&mut record).unwrap_or_else(|error| panic!("{file}: {error}")) {
        let line = record.position().map_or(0, |position| position.line());
        each(Row { file, line, columns: &columns, record: &record });
    }
}

/// One row of a file.
pub struct Row<'a> {
    file: &'a str,
    /// The line the row begins at; the header is line 1.
    pub line: u64,
    columns: &'a BTreeMap<&'a str, usize>,
    record: &'a StringRecord,
}

impl Row<'_> {
    /// The text of a required cell. Panics when the column is absent.
    pub fn text(&self, column: &str) -> &str {
        match self.columns.get(column) {
            Some(&index) => &self.record[index],
            None => panic!("{}: no column {column}", self.file),
        }
    }

    /// The text of an optional cell; none when it is blank or the column is absent.
    pub fn some(&self, column: &str) -> Option<&str> {
        let cell = self.record.get(*self.columns.get(column)?)?;
        (!cell.is_empty()).then_some(cell)
    }

    /// File and line, for messages.
    pub fn place(&self) -> String {
        format!("{} line {}", self.file, self.line)
    }
}
