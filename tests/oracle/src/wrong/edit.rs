//! Small edits of a folder, which insist that they find what they change.

use std::fs;
use std::path::Path;

/// Replaces the one occurrence of `from` in a file.
pub fn replace(folder: &Path, file: &str, from: &str, to: &str) {
    let text = read(folder, file);
    assert_eq!(text.matches(from).count(), 1, "{file} has {from:?} once");
    write(folder, file, text.replacen(from, to, 1).as_bytes());
}

/// Adds a line at the end of a file.
pub fn append(folder: &Path, file: &str, line: &str) {
    let text = read(folder, file);
    write(folder, file, format!("{text}{line}\n").as_bytes());
}

/// Takes a column out of a file that has no quoted cells.
pub fn drop_column(folder: &Path, file: &str, column: &str) {
    let text = read(folder, file);
    let header = text.lines().next().expect("a header");
    let index = header.split(',').position(|name| name == column).expect("the column is there");
    let without = |line: &str| {
        let cells = line.split(',').enumerate().filter(|(number, _)| *number != index);
        cells.map(|(_, cell)| cell).collect::<Vec<_>>().join(",") + "\n"
    };
    write(folder, file, text.lines().map(without).collect::<String>().as_bytes());
}

pub fn remove(folder: &Path, file: &str) {
    fs::remove_file(folder.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
}

pub fn read(folder: &Path, file: &str) -> String {
    fs::read_to_string(folder.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

pub fn write(folder: &Path, file: &str, bytes: &[u8]) {
    fs::write(folder.join(file), bytes).unwrap_or_else(|error| panic!("{file}: {error}"));
}
