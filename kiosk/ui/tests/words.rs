//! Every string of the screens stands in every language, filled in, with the same places for its parameters.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// A string as gettext knows it: its context, which may be empty, and its text.
type Key = (String, String);

#[test]
fn every_string_stands_in_every_language() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut strings = BTreeMap::new();
    for file in files(&root.join("ui"), "slint") {
        strings.extend(strings_of(&fs::read_to_string(&file).expect("the screens are readable")));
    }
    assert!(strings.len() > 300, "the screens have many strings, {} were found", strings.len());

    let languages = files(&root.join("lang"), "po");
    assert!(!languages.is_empty(), "there is at least one translation");
    let mut faults = Vec::new();
    for file in languages {
        let language = file.display();
        let entries = entries_of(&fs::read_to_string(&file).expect("the translation is readable"));
        for (key, plural) in &strings {
            let Some(forms) = entries.get(key) else {
                faults.push(format!("{language}: {key:?} is missing"));
                continue;
            };
            if forms.len() != if *plural { 2 } else { 1 } {
                faults.push(format!("{language}: {key:?} has {} forms", forms.len()));
            }
            for form in forms {
                if form.trim().is_empty() {
                    faults.push(format!("{language}: {key:?} is empty"));
                }
                if places(form) != places(&key.1) {
                    faults.push(format!("{language}: {form:?} has other places than {:?}", key.1));
                }
            }
        }
        for key in entries.keys().filter(|key| !strings.contains_key(key)) {
            faults.push(format!("{language}: {key:?} is on no screen"));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn no_screen_says_a_word_that_cannot_be_translated() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("ui");
    let mut faults = Vec::new();
    for file in files(&root, "slint") {
        let source = fs::read_to_string(&file).expect("the screens are readable");
        for line in source.lines() {
            let Some((_, value)) = line.trim().split_once("text: \"") else {
                continue;
            };
            let words = value.split('"').next().unwrap_or_default();
            // Names of keys are the same everywhere, and `\{…}` is a value.
            let plain = words.split("\\{").next().unwrap_or_default();
            if plain.chars().filter(|c| c.is_alphabetic()).count() > 1 && plain != "ABC" {
                faults.push(format!("{}: {line}", file.display()));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("the folder is readable") {
        let path = entry.expect("the folder is readable").path();
        if path.is_dir() {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|e| e == extension) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Every `@tr(…)` of a file, and whether it has a plural.
fn strings_of(source: &str) -> Vec<(Key, bool)> {
    source
        .split("@tr(")
        .skip(1)
        .map(|rest| {
            let (first, rest) = literal(rest).expect("a translated string starts with a literal");
            let (context, text, rest) = match rest.trim_start().strip_prefix("=>") {
                Some(rest) => {
                    let (text, rest) = literal(rest).expect("a string follows its context");
                    (first, text, rest)
                }
                None => (String::new(), first, rest),
            };
            ((context, text), rest.trim_start().starts_with('|'))
        })
        .collect()
}

/// The string literal that `source` starts with, escapes kept, and what follows it.
fn literal(source: &str) -> Option<(String, &str)> {
    let body = source.trim_start().strip_prefix('"')?;
    let mut escaped = false;
    let end = body.find(|c| {
        let ends = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        ends
    })?;
    Some((body[..end].to_owned(), &body[end + 1..]))
}

/// The entries of a translation but its header.
fn entries_of(source: &str) -> BTreeMap<Key, Vec<String>> {
    let mut entries = BTreeMap::new();
    for block in source.split("\n\n") {
        let mut key = Key::default();
        let mut forms = Vec::new();
        for line in block.lines() {
            let said = || literal(&line[line.find('"').unwrap_or(0)..]).map_or_else(String::new, |(text, _)| text);
            match line.split_whitespace().next() {
                Some("msgctxt") => key.0 = said(),
                Some("msgid") => key.1 = said(),
                Some(word) if word.starts_with("msgstr") => forms.push(said()),
                _ => {}
            }
        }
        if !key.1.is_empty() {
            entries.insert(key, forms);
        }
    }
    entries
}

/// The places for parameters in a string, e.g. `{0}`.
fn places(text: &str) -> BTreeSet<&str> {
    text.split('{').skip(1).filter_map(|rest| rest.split('}').next()).collect()
}
