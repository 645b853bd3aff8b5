//! A plant folder whose dates are moved by whole weeks, so that a story told of one Monday can be played on another day.

use std::fs;
use std::io;
use std::path::Path;

use chrono::{DateTime, Duration, NaiveDate, SecondsFormat, Utc};

/// Copies a plant folder and moves every date in its tables so that `monday` becomes this week's Monday.
pub fn copy(from: &Path, to: &Path, monday: &str) -> io::Result<()> {
    let bad = || io::Error::new(io::ErrorKind::InvalidInput, "not a date");
    let story = NaiveDate::parse_from_str(monday, "%Y-%m-%d").map_err(|_| bad())?;
    let weeks = (Utc::now().date_naive() - story).num_days().div_euclid(7);
    if to.exists() {
        fs::remove_dir_all(to)?;
    }
    copy_folder(from, to, Duration::weeks(weeks))
}

fn copy_folder(from: &Path, to: &Path, by: Duration) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type()?.is_dir() {
            copy_folder(&source, &target, by)?;
        } else if source.extension().is_some_and(|extension| extension == "csv") {
            fs::write(&target, moved_table(&fs::read_to_string(&source)?, by))?;
        } else {
            fs::copy(&source, &target)?;
        }
    }
    Ok(())
}

/// Moves the dates of a table. Our own tables quote nothing that looks like a date, so cells may be cut at commas and line ends.
fn moved_table(text: &str, by: Duration) -> String {
    let line = |line: &str| line.split(',').map(|cell| moved(cell, by)).collect::<Vec<_>>().join(",");
    text.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

fn moved(cell: &str, by: Duration) -> String {
    let (bare, end) = cell.strip_suffix('\r').map_or((cell, ""), |bare| (bare, "\r"));
    let date = NaiveDate::parse_from_str(bare, "%Y-%m-%d").ok().map(|date| (date + by).to_string());
    let time = || {
        let at = DateTime::parse_from_rfc3339(bare).ok()?;
        Some((at + by).to_rfc3339_opts(SecondsFormat::Secs, true))
    };
    date.or_else(time).map_or_else(|| cell.to_owned(), |moved| moved + end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_move_and_nothing_else() {
        let table = "a,2026-03-02,SOP-0042\r\nb,2026-03-02T06:00:00+01:00,\"x, 7\"\n";
        let expected = "a,2026-03-09,SOP-0042\r\nb,2026-03-09T06:00:00+01:00,\"x, 7\"\n";
        assert_eq!(moved_table(table, Duration::weeks(1)), expected);
    }
}
