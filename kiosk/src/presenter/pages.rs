//! A procedure in blocks, and the blocks on pages. A page holds whole blocks; nothing a person signs for is out of sight.

use std::ops::Range;

use super::paper::Room;
use super::view::{Block, BlockKind, Run};

/// Cuts blocks into pages. The window measures; without one, [`Estimate`] does.
pub trait Pager {
    /// Ranges of blocks, in order, that together hold them all.
    fn pages(&self, blocks: &[Block]) -> Vec<Range<usize>>;

    /// The room that the picture of a page has.
    fn room(&self) -> Room;
}

/// Most characters of one block: what is longer is split at a space, so that no block is taller than a page.
pub const LONGEST_BLOCK: usize = 600;

/// Estimates heights from the number of characters, on the careful side.
#[derive(Debug, Clone, Copy)]
pub struct Estimate {
    /// Size of the text's page, in logical pixels.
    pub width: f32,
    pub height: f32,
}

impl Estimate {
    /// The reader's page in a window of this size.
    pub fn window(width: f32, height: f32) -> Self {
        Self { width: width - 412.0, height: height - 304.0 }
    }

    /// Beside a drawn page stands no list of steps.
    fn paper_width(&self) -> f32 {
        self.width + 316.0
    }

    fn block(&self, block: &Block) -> f32 {
        let (size, below, room) = match block.kind {
            BlockKind::Heading1 => (34.0, 16.0, self.width - 44.0),
            BlockKind::Heading2 => (28.0, 16.0, self.width - 44.0),
            BlockKind::Heading3 => (24.0, 16.0, self.width - 44.0),
            BlockKind::Paragraph => (22.0, 16.0, self.width - 44.0),
            BlockKind::Bullet | BlockKind::Numbered => (22.0, 10.0, self.width - 100.0 - 36.0 * block.depth as f32),
            BlockKind::Note | BlockKind::Picture => (22.0, 40.0, self.width - 108.0),
            BlockKind::TableHead | BlockKind::TableRow => return self.row(block),
        };
        let length = match block.kind {
            BlockKind::Heading1 | BlockKind::Heading2 | BlockKind::Heading3 => ems(&block.heading),
            _ => block.text.iter().map(|run| ems(&run.text)).sum(),
        };
        lines(length, size, room) * size * 1.3 + below
    }

    fn row(&self, block: &Block) -> f32 {
        let room = (self.width - 44.0) / block.cells.len().max(1) as f32 - 24.0;
        let tallest = block.cells.iter().map(|cell| lines(ems(cell), 20.0, room)).fold(1.0, f32::max);
        tallest * 26.0 + 20.0
    }
}

impl Default for Estimate {
    fn default() -> Self {
        Self::window(1280.0, 800.0)
    }
}

impl Pager for Estimate {
    fn pages(&self, blocks: &[Block]) -> Vec<Range<usize>> {
        let (mut pages, mut start, mut used) = (Vec::new(), 0, 0.0);
        for (index, block) in blocks.iter().enumerate() {
            let height = self.block(block);
            if used + height > self.height && index > start {
                // A heading never stands alone at the foot of a page.
                let mut end = index;
                while end > start + 1 && is_heading(&blocks[end - 1]) {
                    end -= 1;
                }
                pages.push(start..end);
                start = end;
                used = blocks[end..index].iter().map(|moved| self.block(moved)).sum();
            }
            used += height;
        }
        if start < blocks.len() || pages.is_empty() {
            pages.push(start..blocks.len());
        }
        pages
    }

    fn room(&self) -> Room {
        Room { width: self.paper_width() as u32, height: self.height as u32 }
    }
}

fn lines(ems: f32, size: f32, room: f32) -> f32 {
    (ems * size / room.max(size)).ceil().max(1.0)
}

/// Width in units of the type size, with room for words that break early.
fn ems(text: &str) -> f32 {
    text.chars().map(|c| if u32::from(c) < 0x1100 { 0.56 } else { 1.05 }).sum()
}

fn is_heading(block: &Block) -> bool {
    matches!(block.kind, BlockKind::Heading1 | BlockKind::Heading2 | BlockKind::Heading3)
}

/// Splits a block that is too long for a page at spaces; the pieces after the first carry no number.
pub(super) fn pieces(block: Block) -> Vec<Block> {
    let length: usize = block.text.iter().map(|run| run.text.chars().count()).sum();
    if length <= LONGEST_BLOCK {
        return vec![block];
    }
    let mut pieces: Vec<Vec<Run>> = vec![Vec::new()];
    let mut used = 0;
    for run in &block.text {
        for word in run.text.split_inclusive(' ') {
            for part in chunks(word) {
                let size = part.chars().count();
                if used + size > LONGEST_BLOCK {
                    pieces.push(Vec::new());
                    used = 0;
                }
                used += size;
                if let Some(piece) = pieces.last_mut() {
                    match piece.last_mut().filter(|last| last.style == run.style) {
                        Some(last) => last.text.push_str(&part),
                        None => piece.push(Run { text: part, style: run.style }),
                    }
                }
            }
        }
    }
    let number = block.number.clone();
    let piece = |(index, text)| Block {
        text,
        number: if index == 0 { number.clone() } else { String::new() },
        ..block.clone()
    };
    pieces.into_iter().enumerate().map(piece).collect()
}

/// A word without spaces can be longer than a page too.
fn chunks(word: &str) -> Vec<String> {
    let characters: Vec<char> = word.chars().collect();
    characters.chunks(LONGEST_BLOCK).map(|chunk| chunk.iter().collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paragraph(characters: usize) -> Block {
        let text = "word ".repeat(characters.div_ceil(5));
        Block { text: vec![Run { text, ..Run::default() }], ..Block::default() }
    }

    #[test]
    fn every_block_is_on_exactly_one_page_and_a_page_fits() {
        let pager = Estimate::default();
        let blocks: Vec<Block> = (0..40).map(|n| paragraph(30 + 37 * (n % 11))).collect();
        let pages = pager.pages(&blocks);
        let all: Vec<usize> = pages.iter().cloned().flatten().collect();
        assert_eq!(all, (0..40).collect::<Vec<_>>());
        assert!(pages.len() > 2);
        for page in pages {
            let height: f32 = blocks[page].iter().map(|b| pager.block(b)).sum();
            assert!(height <= pager.height, "{height}");
        }
    }

    #[test]
    fn a_heading_goes_on_with_what_follows_it() {
        let pager = Estimate::default();
        let mut blocks: Vec<Block> = (0..7).map(|_| paragraph(80)).collect();
        for place in 1..=7 {
            blocks.truncate(place);
            blocks.push(Block { kind: BlockKind::Heading2, heading: "Step 4".into(), ..Block::default() });
            blocks.push(paragraph(560));
            for page in pager.pages(&blocks) {
                assert_ne!(blocks[page.end - 1].kind, BlockKind::Heading2);
            }
            blocks = (0..7).map(|_| paragraph(80)).collect();
        }
    }

    #[test]
    fn a_long_block_is_split_without_loss_and_each_piece_fits() {
        for pager in [Estimate::default(), Estimate::window(1024.0, 768.0)] {
            for long in [
                paragraph(5000),
                Block { text: vec![Run { text: "x".repeat(3000), ..Run::default() }], ..Block::default() },
            ] {
                let split = pieces(Block { number: "4".into(), kind: BlockKind::Numbered, ..long.clone() });
                let joined: String = split.iter().flat_map(|b| &b.text).map(|run| run.text.as_str()).collect();
                assert_eq!(joined, long.text[0].text);
                assert!(split.iter().all(|block| pager.block(block) <= pager.height));
                assert_eq!(split.iter().filter(|block| block.number == "4").count(), 1);
            }
        }
    }

    #[test]
    fn an_empty_document_has_one_empty_page() {
        assert_eq!(Estimate::default().pages(&[]), vec![0..0]);
    }
}
