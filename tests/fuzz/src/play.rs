//! The play script.

use harness::play::parse;

use crate::{Verdict, refused};

/// A script: read, or every mistake with the place it stands in.
pub fn script(bytes: &[u8]) -> Verdict {
    match parse(bytes) {
        Ok(script) => {
            let text: Vec<&str> = script.lines.iter().map(|line| line.text.as_str()).collect();
            let again = parse(text.join("\n").as_bytes()).expect("what was read can be read again");
            assert!(again.lines.iter().map(|line| &line.act).eq(script.lines.iter().map(|line| &line.act)));
            Verdict::Accepted
        }
        Err(mistakes) => {
            let lines = bytes.split(|byte| *byte == b'\n').count();
            for mistake in &mistakes {
                assert!((1..=lines + 1).contains(&mistake.line) && mistake.column >= 1, "{mistake}");
            }
            refused(mistakes.first().expect("a refusal says why"))
        }
    }
}

pub fn scripts() -> Vec<Vec<u8>> {
    let kept = ["lease.play", "main-job.play", "swap.play", "wrong-secret.play"];
    let folder = harness::demo_plant().join("../../tests/play");
    let texts = kept.map(|name| std::fs::read_to_string(folder.join(name)).expect("a script of ours"));
    // The first acts of each make sense by themselves, and are short.
    let heads =
        texts.iter().flat_map(|text| [10, 25, 60].map(|lines| text.lines().take(lines).collect::<Vec<_>>().join("\n")));
    heads.map(String::into_bytes).filter(|script| parse(script).is_ok()).collect()
}
