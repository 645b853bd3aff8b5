//! Competency checks: criteria that pass or fail, and values that must lie between limits (L3).

use std::cmp::Ordering;

use shared::id::CheckId;
use shared::kind::plant::{CheckSet, Criterion, Measure};
use toml::de::{DeTable, DeValue};

use super::error::Reported;
use super::references::Index;
use super::settings::{Section, Settings, names, parse};
use super::source::{Source, why};
use super::{Located, PlantFolder};

const KEYS: [&str; 2] = ["title", "criterion"];
const CRITERION_KEYS: [&str; 6] = ["text", "kind", "unit", "min", "max", "critical"];

/// Reads every `checks/ID.toml`.
pub(super) fn read(source: &Source<'_>, index: &mut Index, folder: &mut PlantFolder) {
    for name in names(source, "checks") {
        let file = format!("checks/{name}.toml");
        let Ok(check) = CheckId::new(&name) else {
            source.sink.error(
                &file,
                0,
                None,
                &name,
                why("is no id of a check", "name the file with 1 to 120 bytes and no white space around them"),
            );
            continue;
        };
        index.checks.add(check.clone());
        let Some(text) = source.text(&file, true) else { continue };
        if let Ok(row) = parse(source, &file, &text, |settings, table| read_check(settings, table, check)) {
            folder.checks.push(Located { line: 0, row });
        }
    }
}

fn read_check(settings: &Settings<'_>, table: &DeTable<'_>, check: CheckId) -> Result<CheckSet, Reported> {
    let root = Section::new(settings, table, 0, &KEYS);
    let title = root.text("title");
    let criteria: Vec<_> = root.tables("criterion", &CRITERION_KEYS)?.iter().map(criterion).collect();
    Ok(CheckSet { check, title: title?, criteria: criteria.into_iter().collect::<Result<_, _>>()? })
}

fn criterion(section: &Section<'_>) -> Result<Criterion, Reported> {
    let (text, critical, kind) = (section.text("text"), section.flag("critical"), section.text("kind"));
    let measure = match kind.as_deref() {
        Ok("pass_fail") => no_limits(section).map(|()| None),
        Ok("measured") => measure(section).map(Some),
        Ok(_) => Err(section.bad("kind", "is no kind of criterion", "write `pass_fail` or `measured`")),
        Err(reported) => Err(*reported),
    };
    Ok(Criterion { text: text?, measure: measure?, critical: critical? })
}

fn no_limits(section: &Section<'_>) -> Result<(), Reported> {
    match ["unit", "min", "max"].into_iter().find(|key| section.get(key).is_some()) {
        Some(key) => {
            Err(section.bad(key, "belongs to a measured criterion", "write `kind = \"measured\"`, or take it away"))
        }
        None => Ok(()),
    }
}

fn measure(section: &Section<'_>) -> Result<Measure, Reported> {
    let (unit, min, max) = (section.text("unit"), decimal(section, "min"), decimal(section, "max"));
    if let (Ok(Some(min)), Ok(Some(max))) = (&min, &max)
        && compare(min, max) == Ordering::Greater
    {
        return Err(section.bad("min", format!("is more than `max` ({max})"), "exchange them"));
    }
    Ok(Measure { unit: unit?, min: min?, max: max? })
}

/// A limit as its decimal text, digit by digit as written: no rounding stands between procedure and record.
fn decimal(section: &Section<'_>, key: &str) -> Result<Option<String>, Reported> {
    let Some(value) = section.get(key) else { return Ok(None) };
    let text = match value.get_ref() {
        DeValue::Integer(integer) if integer.radix() == 10 => integer.as_str(),
        DeValue::Float(float) => float.as_str(),
        DeValue::String(text) => text.trim(),
        _ => "",
    };
    let text = text.strip_prefix('+').unwrap_or(text).replace('_', "");
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let plain = text.strip_prefix('-').unwrap_or(&text);
    let good = plain.len() <= 40
        && plain.split_once('.').map_or_else(|| digits(plain), |(whole, part)| digits(whole) && digits(part));
    if good {
        Ok(Some(text))
    } else {
        Err(section.bad(key, "is no decimal number", "write digits, with a point if need be: `-0.25`"))
    }
}

/// Compares two decimal texts as numbers.
fn compare(a: &str, b: &str) -> Ordering {
    let parts = |text: &str| {
        let (minus, plain) = text.strip_prefix('-').map_or((false, text), |plain| (true, plain));
        let (whole, part) = plain.split_once('.').unwrap_or((plain, ""));
        let (whole, part) = (whole.trim_start_matches('0').to_owned(), part.trim_end_matches('0').to_owned());
        (minus && !(whole.is_empty() && part.is_empty()), whole, part)
    };
    let ((a_minus, a_whole, a_part), (b_minus, b_whole, b_part)) = (parts(a), parts(b));
    let size = (a_whole.len(), &a_whole, &a_part).cmp(&(b_whole.len(), &b_whole, &b_part));
    match (a_minus, b_minus) {
        (false, false) => size,
        (true, true) => size.reverse(),
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn l3_limits_compare_as_numbers() {
        for (a, b, order) in [
            ("9.9", "10", Ordering::Less),
            ("-10", "-9.9", Ordering::Less),
            ("1.50", "1.5", Ordering::Equal),
            ("-0.0", "0", Ordering::Equal),
            ("0.1", "-5", Ordering::Greater),
            ("1.25", "1.3", Ordering::Less),
            ("007", "7.0", Ordering::Equal),
        ] {
            assert_eq!(compare(a, b), order, "{a} {b}");
        }
    }
}
