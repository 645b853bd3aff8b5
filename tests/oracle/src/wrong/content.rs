//! Content, quizzes and checks that are missing, lead elsewhere, or are not what they say.

use super::edit::{remove, replace, write};
use super::{Expect, Wrong, cell, file};

const VERSIONS: &str = "versions.csv";
const QUIZ: &str = "quizzes/Q-1.toml";
const CHECK: &str = "checks/C-1.toml";

pub fn list() -> Vec<Wrong> {
    let mut list = paths();
    list.extend(files());
    list.extend(quizzes_and_checks());
    list
}

fn paths() -> Vec<Wrong> {
    let list = vec![
        Wrong {
            name: "content_above_the_folder",
            make: |folder| replace(folder, VERSIONS, "content/sop-1-v2.md", "../../etc/passwd.md"),
            expect: cell(VERSIONS, 4, "content"),
        },
        Wrong {
            name: "content_above_the_folder_by_a_detour",
            make: |folder| replace(folder, VERSIONS, "content/sop-1-v2.md", "content/../../secret.md"),
            expect: cell(VERSIONS, 4, "content"),
        },
        Wrong {
            name: "content_by_absolute_path",
            make: |folder| replace(folder, VERSIONS, "content/sop-1-v2.md", "/etc/passwd.md"),
            expect: cell(VERSIONS, 4, "content"),
        },
        Wrong {
            name: "quiz_above_the_folder",
            make: |folder| replace(folder, "requirements.csv", "quiz:Q-1", "quiz:../../Q-1"),
            expect: cell("requirements.csv", 2, "activities"),
        },
        Wrong {
            name: "content_of_unknown_kind",
            make: |folder| {
                replace(folder, VERSIONS, "content/sop-1-v2.md", "content/sop-1-v2.docx");
                write(folder, "content/sop-1-v2.docx", b"PK\x03\x04");
            },
            expect: cell(VERSIONS, 4, "content"),
        },
    ];
    #[cfg(unix)]
    let list = list.into_iter().chain(links()).collect();
    list
}

/// A link is below the folder, what it leads to is not.
#[cfg(unix)]
fn links() -> Vec<Wrong> {
    use std::os::unix::fs::symlink;
    vec![
        Wrong {
            name: "content_by_a_link_that_leaves",
            make: |folder| {
                remove(folder, "content/sop-1-v2.md");
                symlink("/etc/hosts", folder.join("content/sop-1-v2.md")).expect("a link can be made");
            },
            expect: content_file(4, "content/sop-1-v2.md"),
        },
        Wrong {
            name: "content_by_a_linked_directory_that_leaves",
            make: |folder| {
                symlink("/etc", folder.join("content/elsewhere")).expect("a link can be made");
                // The name ends as content does, so that nothing but the way there is wrong.
                replace(folder, VERSIONS, "content/sop-1-v2.md", "content/elsewhere/motd.md");
            },
            expect: cell(VERSIONS, 4, "content"),
        },
    ]
}

fn files() -> Vec<Wrong> {
    vec![
        Wrong {
            name: "content_missing",
            make: |folder| remove(folder, "content/sop-1-v2.md"),
            expect: content_file(4, "content/sop-1-v2.md"),
        },
        Wrong {
            name: "pdf_that_is_none",
            make: |folder| write(folder, "content/sop-2-v1.pdf", b"<html>Not found</html>"),
            expect: content_file(5, "content/sop-2-v1.pdf"),
        },
        Wrong {
            name: "empty_pdf",
            make: |folder| write(folder, "content/sop-2-v1.pdf", b""),
            expect: content_file(5, "content/sop-2-v1.pdf"),
        },
        Wrong {
            name: "markdown_in_latin_1",
            make: |folder| write(folder, "content/sop-1-v1.de.md", b"# Siegeln\n\n## Step 1: R\xE4umen\n"),
            expect: content_file(3, "content/sop-1-v1.de.md"),
        },
    ]
}

fn quizzes_and_checks() -> Vec<Wrong> {
    vec![
        Wrong {
            name: "quiz_that_does_not_parse",
            make: |folder| replace(folder, QUIZ, "pass_percent = 80", "pass_percent = = 80"),
            expect: file(QUIZ),
        },
        Wrong {
            name: "quiz_without_pass_percent",
            make: |folder| replace(folder, QUIZ, "pass_percent = 80\n", ""),
            expect: file(QUIZ),
        },
        Wrong {
            name: "quiz_pass_percent_past_hundred",
            make: |folder| replace(folder, QUIZ, "pass_percent = 80", "pass_percent = 140"),
            expect: file(QUIZ),
        },
        Wrong {
            name: "quiz_correct_out_of_range",
            make: |folder| replace(folder, QUIZ, "correct = 2", "correct = 9"),
            expect: file(QUIZ),
        },
        Wrong {
            name: "quiz_asks_more_than_it_has",
            make: |folder| replace(folder, QUIZ, "ask = 2", "ask = 5"),
            expect: file(QUIZ),
        },
        Wrong {
            name: "quiz_without_questions",
            make: |folder| {
                write(folder, QUIZ, b"title = \"Seal\"\npass_percent = 80\nask = 1\nmax_attempts = 3\n");
            },
            expect: file(QUIZ),
        },
        Wrong {
            name: "check_that_does_not_parse",
            make: |folder| replace(folder, CHECK, "title = \"Seal\"", "title = \"Seal"),
            expect: file(CHECK),
        },
        Wrong {
            name: "check_with_min_above_max",
            make: |folder| replace(folder, CHECK, "min = 1.5", "min = 9.5"),
            expect: file(CHECK),
        },
        Wrong {
            name: "check_of_unknown_kind",
            make: |folder| replace(folder, CHECK, "kind = \"measured\"", "kind = \"guessed\""),
            expect: file(CHECK),
        },
        Wrong {
            name: "check_without_criteria",
            make: |folder| write(folder, CHECK, b"title = \"Seal\"\n"),
            expect: file(CHECK),
        },
        Wrong {
            name: "policies_that_do_not_parse",
            make: |folder| write(folder, "policies.toml", b"[lease\nhours = = 1\n"),
            expect: file("policies.toml"),
        },
    ]
}

/// The cell that names a content file, or the file itself.
const fn content_file(line: u64, file: &'static str) -> Expect {
    cell(VERSIONS, line, "content").or(file, None, None)
}
