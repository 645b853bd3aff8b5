//! A procedure that is longer than a page, and the reader on its first page.

use super::plant::{maria, words};
use crate::presenter::view::*;

fn plain(text: &str) -> Run {
    Run { text: words(text), style: RunStyle::Plain }
}

fn strong(text: &str) -> Run {
    Run { text: words(text), style: RunStyle::Strong }
}

fn block(kind: BlockKind, text: Vec<Run>) -> Block {
    Block { kind, text, ..Block::default() }
}

fn heading(kind: BlockKind, text: &str) -> Block {
    Block { kind, heading: words(text), ..Block::default() }
}

fn step(number: &str, changed: bool, text: Vec<Run>) -> Block {
    Block { number: words(number), changed, ..block(BlockKind::Numbered, text) }
}

fn row(kind: BlockKind, cells: [&str; 3]) -> Block {
    Block { kind, cells: cells.map(words).into(), ..Block::default() }
}

pub fn blocks() -> Vec<Block> {
    use BlockKind::*;
    let bullet = |text| Block { depth: 1, ..block(Bullet, vec![plain(text)]) };
    vec![
        heading(Heading1, "Pouch sealing"),
        block(
            Paragraph,
            vec![
                plain("This procedure covers the sealing stations of line 2. It says how a filled pouch is closed "),
                strong("tight and clean"),
                plain("."),
            ],
        ),
        block(
            Note,
            vec![
                plain("Never reach between the sealing jaws. They stay hot for "),
                strong("12 minutes"),
                plain(" after switching off."),
            ],
        ),
        heading(Heading2, "Preparation"),
        step("1", false, vec![plain("Check that the line clearance is signed.")]),
        step("2", false, vec![plain("Look for residue on the sealing jaws and wipe them with the white cloth.")]),
        step("3", false, vec![plain("Scan the lot. The number on pouch and route card must be the same.")]),
        heading(Heading2, "Sealing"),
        step(
            "4",
            true,
            vec![
                plain("Set the temperature to "),
                strong("182 °C"),
                plain(" (it was 175 °C) and wait for the green light."),
            ],
        ),
        step(
            "5",
            true,
            vec![
                plain("Lay the pouch in so that the seam is "),
                strong("8 mm"),
                plain(" from the edge, and press both buttons."),
            ],
        ),
        bullet("Folds in the seam: reject the pouch."),
        bullet("Three rejects in a row: stop the line and call the shift supervisor."),
        heading(Heading3, "Limits"),
        row(TableHead, ["Measure", "From", "To"]),
        row(TableRow, ["Temperature", "178 °C", "186 °C"]),
        row(TableRow, ["Dwell time", "1.2 s", "1.6 s"]),
        row(TableRow, ["Seam width", "7 mm", "9 mm"]),
    ]
}

/// The first page of the procedure.
pub fn reader(blocks: &[Block], pages: usize) -> View {
    let titles = [
        "Check line clearance",
        "Clean the sealing jaws",
        "Scan the lot",
        "Set the temperature",
        "Lay the pouch in",
        "Look at the seam",
        "Put the pouch away",
    ];
    let mut view = maria(Screen::Reader);
    view.reader = Reader {
        document: words("SOP-0042"),
        title: words("Pouch sealing"),
        version: words("7"),
        effective: words("2026-03-02 06:00"),
        language: words("English"),
        can_toggle: true,
        steps: (0..7)
            .map(|i| StepMark {
                number: (i + 1).to_string(),
                title: words(titles[i]),
                changed: i == 3 || i == 4,
                here: i < 3,
            })
            .collect(),
        blocks: blocks.to_vec(),
        pages: pages as i32,
        unseen: pages as i32 - 1,
        next: ReaderNext::NextPage,
        ..Reader::default()
    };
    view
}
