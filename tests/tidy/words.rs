//! One spelling in code and documents, and nothing unfinished that nobody owns.

use super::{code, files, none};

/// What the field or we ourselves might say, and the word that is used here.
const OTHER_WORDS: [(&str, &str); 9] = [
    ("employee", "person"),
    ("trainee_record", "training record"),
    ("blacklist", "block"),
    ("whitelist", "class"),
    ("quarantin", "set aside: quarantine is a product's status"),
    ("break_glass", "authorised exception"),
    ("blast_radius", "affected sign-offs"),
    ("workstation", "work unit"),
    ("job_role", "personnel class"),
];

#[test]
fn one_word_for_one_thing() {
    let mut found = Vec::new();
    for room in ["shared", "kiosk", "sync-server"] {
        for (path, text) in files(room, ".rs") {
            for (line, content) in code(&text) {
                let lower = content.to_lowercase();
                for (other, ours) in OTHER_WORDS {
                    if lower.contains(other) {
                        found.push(format!("{}:{line}: {other} → {ours}", path.display()));
                    }
                }
            }
        }
    }
    none(found, "the words are those of the product's table");
}

#[test]
fn nothing_is_left_to_do_without_a_requirement() {
    let mut found = Vec::new();
    for room in ["shared", "kiosk", "sync-server", "tests"] {
        for (path, text) in files(room, ".rs") {
            if path.ends_with("tests/tidy/words.rs") {
                continue;
            }
            for (place, line) in text.lines().enumerate() {
                if ["TODO", "FIXME", "XXX", "unimplemented!", "todo!("].iter().any(|word| line.contains(word)) {
                    found.push(format!("{}:{}: {}", path.display(), place + 1, line.trim()));
                }
            }
        }
    }
    none(found, "what is open is an issue or a requirement's id");
}
