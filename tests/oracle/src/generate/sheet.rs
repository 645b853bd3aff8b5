//! Writes one CSV file, plainly or in one of the many dresses that RFC 4180 allows.

use std::fs;
use std::io;
use std::path::Path;

use crate::rng::Rng;

/// How a file looks without a change in what it says.
pub enum Dress {
    /// As most programs write it.
    Plain,
    /// Any order of columns, CRLF, byte order mark, no last line end, needless quotes, optional columns left out.
    Nasty,
}

/// A CSV file in the making.
pub struct Sheet {
    file: &'static str,
    columns: Vec<Column>,
    rows: Vec<Vec<String>>,
}

struct Column {
    name: &'static str,
    optional: bool,
}

impl Sheet {
    /// `columns` as the specification writes them: `"person, badge, [email]"`.
    pub fn new(file: &'static str, columns: &'static str) -> Sheet {
        let columns = columns
            .split(", ")
            .map(|name| match name.strip_prefix('[').and_then(|name| name.strip_suffix(']')) {
                Some(name) => Column { name, optional: true },
                None => Column { name, optional: false },
            })
            .collect();
        Sheet { file, columns, rows: Vec::new() }
    }

    /// Adds a row, in the order of the columns given to [`Sheet::new`].
    pub fn row<const N: usize>(&mut self, cells: [&str; N]) {
        assert_eq!(N, self.columns.len(), "{}: a cell for each column", self.file);
        self.rows.push(cells.iter().map(|cell| cell.to_string()).collect());
    }

    /// Changes the order of the rows.
    pub fn shuffle(&mut self, rng: &mut Rng) {
        rng.shuffle(&mut self.rows);
    }

    /// Writes the file, even without rows.
    pub fn write(mut self, folder: &Path, rng: &mut Rng, dress: &Dress) -> io::Result<()> {
        let (mut line_end, mut mark, mut last_end, mut needless_quotes) = ("\n", false, true, 0);
        let mut order: Vec<usize> = (0..self.columns.len()).collect();
        if let Dress::Nasty = dress {
            line_end = if rng.chance(40) { "\r\n" } else { "\n" };
            mark = rng.chance(35);
            last_end = rng.chance(70);
            needless_quotes = if rng.chance(30) { 20 } else { 0 };
            order.retain(|&index| !(self.may_leave_out(index) && rng.chance(60)));
            rng.shuffle(&mut order);
        }
        let header = self.columns.iter().map(|column| column.name.to_string()).collect();
        self.rows.insert(0, header);

        let mut text = String::new();
        for (index, row) in self.rows.iter().enumerate() {
            let cells: Vec<String> =
                order.iter().map(|&column| cell(&row[column], index > 0 && rng.chance(needless_quotes))).collect();
            text.push_str(if index > 0 { line_end } else { "" });
            text.push_str(&cells.join(","));
        }
        text.push_str(if last_end { line_end } else { "" });
        let mark = if mark { "\u{feff}" } else { "" };
        fs::write(folder.join(self.file), format!("{mark}{text}"))
    }

    /// As [`Sheet::write`], but a nasty folder may also leave out an optional file that says nothing.
    pub fn write_optional(self, folder: &Path, rng: &mut Rng, dress: &Dress) -> io::Result<()> {
        if self.rows.is_empty() && (matches!(dress, Dress::Plain) || rng.chance(70)) {
            return Ok(());
        }
        self.write(folder, rng, dress)
    }

    fn may_leave_out(&self, column: usize) -> bool {
        self.columns[column].optional && self.rows.iter().all(|row| row[column].is_empty())
    }
}

/// One cell, in quotes where it must be or where asked.
fn cell(text: &str, quote: bool) -> String {
    if quote || text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_string()
    }
}
