//! Folders that an importer has to refuse, each with the place that its error has to name.
//!
//! Every wrong folder is the small valid one of [`good`] with one thing changed:
//!
//! ```no_run
//! # let folder = std::path::Path::new("folder");
//! for wrong in oracle::wrong::all() {
//!     // … an empty folder each …
//!     oracle::wrong::good(folder);
//!     (wrong.make)(folder);
//!     // … import it, and hold each error against `wrong.expect.accepts(file, line, column)`.
//! }
//! ```

mod content;
mod edit;
mod form;
mod good;
mod references;
mod values;

use std::path::Path;

pub use good::good;

/// One way to get a folder wrong.
pub struct Wrong {
    /// Unique, in `snake_case`.
    pub name: &'static str,
    /// Changes a folder that [`good`] wrote. Panics when it can't, which is a fault of the test.
    pub make: fn(&Path),
    pub expect: Expect,
}

/// The place that an error has to name. What is `None` is left open.
#[derive(Clone, Copy, Debug)]
pub struct Expect {
    pub file: &'static str,
    /// The header is line 1.
    pub line: Option<u64>,
    pub column: Option<&'static str>,
    /// A second place that names the fault as well as the first.
    pub or: Option<Place>,
}

/// A place in a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub file: &'static str,
    pub line: Option<u64>,
    pub column: Option<&'static str>,
}

impl Expect {
    /// Whether an error that names this place names the fault.
    pub fn accepts(&self, file: &str, line: Option<u64>, column: Option<&str>) -> bool {
        let first = Place { file: self.file, line: self.line, column: self.column };
        [Some(first), self.or].into_iter().flatten().any(|place| {
            place.file == file
                && (place.line.is_none() || place.line == line)
                && (place.column.is_none() || place.column == column)
        })
    }

    const fn or(self, file: &'static str, line: Option<u64>, column: Option<&'static str>) -> Expect {
        Expect { or: Some(Place { file, line, column }), ..self }
    }
}

/// All of them.
pub fn all() -> Vec<Wrong> {
    let mut all = form::list();
    all.extend(references::list());
    all.extend(values::list());
    all.extend(content::list());
    all
}

/// Gets a folder of [`good`] wrong at several places at once: an import has to report them all together.
pub fn several(folder: &Path) -> Vec<Expect> {
    let names = [
        "unknown_class_in_class_members",
        "unknown_requirement_in_matrix",
        "impossible_date_in_people",
        "unknown_impact",
        "negative_validity",
        "unknown_quiz",
        "unknown_person_in_history",
    ];
    let mut expects = Vec::new();
    for wrong in all().into_iter().filter(|wrong| names.contains(&wrong.name)) {
        (wrong.make)(folder);
        expects.push(wrong.expect);
    }
    assert_eq!(expects.len(), names.len(), "every name is one of the list");
    expects
}

/// A file as a whole.
const fn file(file: &'static str) -> Expect {
    Expect { file, line: None, column: None, or: None }
}

/// A line of a file.
const fn line(file: &'static str, line: u64) -> Expect {
    Expect { file, line: Some(line), column: None, or: None }
}

/// A cell.
const fn cell(file: &'static str, line: u64, column: &'static str) -> Expect {
    Expect { file, line: Some(line), column: Some(column), or: None }
}
