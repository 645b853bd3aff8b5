//! A procedure's Markdown, and that of the version before: its steps, what differs, and the blocks that are shown.

use std::collections::BTreeSet;

use kiosk::presenter::blocks::blocks;
use kiosk::presenter::view::BlockKind;
use shared::plant::steps::{changed, steps};

use crate::{Verdict, refused};

/// Stands between the version before and the new one; no document that is imported holds it.
const BETWEEN: char = '\0';

/// Both are read as a terminal reads them.
pub fn document(bytes: &[u8]) -> Verdict {
    let Ok(text) = str::from_utf8(bytes) else { return refused("this is no UTF-8 text") };
    let Some((before, now)) = text.split_once(BETWEEN).filter(|(_, now)| !now.contains(BETWEEN)) else {
        return refused("these are not two documents");
    };
    let (old, new) = (steps(before), steps(now));
    let differ = changed(&old, &new);
    assert!(changed(&new, &new).is_empty(), "a document differs from itself");
    let numbers: BTreeSet<&str> = old.iter().chain(&new).map(|step| step.number.as_str()).collect();
    assert!(differ.iter().all(|number| numbers.contains(number.as_str())), "what differs is a step");
    for placed in blocks(now, &new, &differ) {
        let of_step = placed.step.map(|at| new.get(at).expect("a block's step is one of the document's"));
        let marked = of_step.is_some_and(|step| differ.contains(&step.number));
        assert_eq!(placed.block.changed, marked, "what is marked belongs to a step that differs: {placed:?}");
        let block = placed.block;
        let says = !block.cells.is_empty() || block.text.iter().any(|run| !run.text.trim().is_empty());
        let is_one =
            matches!(block.kind, BlockKind::Heading1 | BlockKind::Heading2 | BlockKind::Heading3 | BlockKind::Picture);
        assert!(says || is_one, "a block that shows nothing: {block:?}");
    }
    Verdict::Accepted
}

pub fn documents() -> Vec<Vec<u8>> {
    let folder = harness::demo_plant().join("content");
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).expect("a document of ours");
    let pairs = [("SOP-0042-v5.en.md", "SOP-0042-v6.en.md")];
    let mut pairs: Vec<String> = pairs.map(|(old, new)| format!("{}{BETWEEN}{}", read(old), read(new))).into();
    pairs.push(format!(
        "1. Open\n2. *Seal*{BETWEEN}# T\n\n1. Open ~~it~~\n   - wide\n2. *Seal* `x`\n\n> Care\n\n<p>Wear <b>gloves</b>\n<!-- a -->\n\n| k |\n|---|\n| ![p](p.png) |\n"
    ));
    pairs.into_iter().map(String::into_bytes).collect()
}
