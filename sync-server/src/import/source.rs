//! The folder on disk: reads its files as text, and keeps every path below it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use shared::id::Digest32;

use super::csv_table::first_cell_with;
use super::error::Sink;
use super::references::nearest;

/// A plant folder being read.
pub(super) struct Source<'a> {
    /// Without symbolic links, so that what lies below it can be told.
    root: PathBuf,
    pub sink: &'a Sink,
    digests: RefCell<BTreeMap<String, Digest32>>,
}

/// Problem and remedy, the two halves of an error's sentence.
pub(super) type Why = (String, String);

pub(super) fn why(problem: impl Into<String>, expected: impl Into<String>) -> Why {
    (problem.into(), expected.into())
}

impl<'a> Source<'a> {
    /// Opens the folder; `None` when it can't be read at all.
    pub fn open(folder: &Path, sink: &'a Sink) -> Option<Self> {
        let shown = folder.display().to_string();
        let refuse = |problem: &str| {
            sink.error(
                "",
                0,
                None,
                &shown,
                why(problem, "name the folder that holds `people.csv` and the other tables"),
            );
        };
        match fs::canonicalize(folder) {
            Ok(root) if root.is_dir() => Some(Self { root, sink, digests: RefCell::default() }),
            Ok(_) => {
                refuse("is not a folder");
                None
            }
            Err(error) => {
                refuse(&format!("can't be read ({error})"));
                None
            }
        }
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Digests of the tables and settings files read so far, by path.
    pub fn digests(&self) -> BTreeMap<String, Digest32> {
        self.digests.borrow().clone()
    }

    /// The text of a table or settings file. `None`: absent though optional, or reported.
    pub fn text(&self, file: &str, needed: bool) -> Option<String> {
        let refuse = |why: Why| {
            self.sink.error(file, 0, None, "", why);
        };
        let bytes = match self.inside(file).map(fs::read) {
            Ok(Ok(bytes)) => bytes,
            Ok(Err(error)) => {
                refuse(why(format!("the file can't be read ({error})"), "make it a readable file"));
                return None;
            }
            Err(Outside::Missing(_)) if !needed => return None,
            Err(outside) => {
                refuse(outside.why("add it: every plant folder has it"));
                return None;
            }
        };
        self.digests.borrow_mut().insert(file.to_owned(), Digest32::of(&bytes));
        match decode(file.ends_with(".csv"), bytes) {
            Ok(text) => Some(text),
            Err(flaw) => {
                let (column, value) = flaw.cell.unzip();
                self.sink.error(file, flaw.line, column.as_deref(), value.as_deref().unwrap_or(""), flaw.why);
                None
            }
        }
    }

    /// Where a path from a table leads, if that is a file below the folder.
    pub fn inside(&self, path: &str) -> Result<PathBuf, Outside> {
        let drive = path.get(1..2) == Some(":") && path.starts_with(|c: char| c.is_ascii_alphabetic());
        if path.starts_with('/') || drive {
            return Err(Outside::Refused("is an absolute path"));
        }
        if path.contains('\\') {
            return Err(Outside::Refused("contains a backslash"));
        }
        if path.chars().any(char::is_control) {
            return Err(Outside::Refused("contains a control character"));
        }
        if path.split('/').any(|part| part == "..") {
            return Err(Outside::Refused("leaves the folder"));
        }
        let joined = self.root.join(path);
        match fs::canonicalize(&joined) {
            Ok(real) if !real.starts_with(&self.root) => Err(Outside::Refused("is a link that leaves the folder")),
            Ok(real) if real.is_dir() => Err(Outside::Refused("is a folder, not a file")),
            Ok(real) if !real.is_file() => Err(Outside::Refused("is not a file")),
            Ok(real) => Ok(real),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                Err(Outside::Missing(sibling(&joined)))
            }
            Err(error) => Err(Outside::Unreadable(error.to_string())),
        }
    }

    /// Names of the files in a folder below the root, in order; none when it is absent.
    pub fn names(&self, below: &str) -> Vec<String> {
        let entries = fs::read_dir(self.root.join(below)).into_iter().flatten().flatten();
        let mut names: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }
}

/// Why a path leads to no file of the folder.
pub(super) enum Outside {
    Refused(&'static str),
    /// With the name of a file beside it that may have been meant.
    Missing(Option<String>),
    Unreadable(String),
}

impl Outside {
    pub fn why(self, remedy: &str) -> Why {
        match self {
            Self::Refused(problem) => why(problem, "write the path of a file below the plant folder, with /"),
            Self::Missing(None) => why("the file is missing", remedy),
            Self::Missing(Some(name)) => why("the file is missing", format!("did you mean `{name}`?")),
            Self::Unreadable(error) => why(format!("the file can't be read ({error})"), "make it a readable file"),
        }
    }
}

/// A file in the same folder whose name is nearly the missing one's.
fn sibling(path: &Path) -> Option<String> {
    let wanted = path.file_name()?.to_str()?;
    let entries =
        fs::read_dir(path.parent()?).ok()?.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    nearest(wanted, entries)
}

/// Why bytes are not UTF-8 text, and where.
struct NotText {
    line: u64,
    why: Why,
    /// Column and value of the first cell that can't be read, in a table.
    cell: Option<(String, String)>,
}

fn decode(table: bool, bytes: Vec<u8>) -> Result<String, NotText> {
    let utf8 = "save it as UTF-8 (in a spreadsheet: \"CSV UTF-8\")";
    let utf16 = bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) || every_second_is_nul(&bytes);
    if utf16 {
        return Err(NotText { line: 0, why: why("the file is UTF-16, not UTF-8", utf8), cell: None });
    }
    // Where a bad byte stands in the file, and in which cell of a table.
    let flaw = |at: usize, bad: char, bytes: &[u8], why: Why| {
        let line = 1 + bytes[..at].iter().filter(|b| **b == b'\n').count() as u64;
        let found = table.then(|| first_cell_with(bad, &String::from_utf8_lossy(bytes))).flatten();
        let (line, cell) = found.map_or((line, None), |(line, column, value)| (line, Some((column, value))));
        NotText { line, why, cell }
    };
    if let Some(at) = bytes.iter().position(|b| *b == 0) {
        return Err(flaw(at, '\0', &bytes, why("a NUL character stands here", "delete it, or save the table anew")));
    }
    match String::from_utf8(bytes) {
        Ok(text) if text.starts_with('\u{feff}') => Ok(text['\u{feff}'.len_utf8()..].to_owned()),
        Ok(text) => Ok(text),
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            let why = why("the file is not UTF-8; it looks like Latin-1 or Windows-1252", utf8);
            Err(flaw(at, char::REPLACEMENT_CHARACTER, error.as_bytes(), why))
        }
    }
}

/// UTF-16 without a mark: Latin text has a NUL in every other place.
fn every_second_is_nul(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(64)];
    let nuls = |parity: usize| head.iter().skip(parity).step_by(2).filter(|b| **b == 0).count();
    head.len() >= 8 && (nuls(0) * 4 >= head.len() || nuls(1) * 4 >= head.len())
}
