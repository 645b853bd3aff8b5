//! A document of drawn pages. A page is as wide as the screen and mostly higher than it, so it is shown part by part, from top to bottom;
//! parts overlap, so that no line is cut through in all of them.

use shared::time::{SECOND_MS, Timestamp};

use super::view::{self, PageImage};
use crate::pdf::{self, Document};

/// Share of a part that the next one repeats at least: two lines of text.
const OVERLAP: f32 = 0.08;
/// A page that takes longer is given up; it is shown when it comes after all.
const PATIENCE_MS: i64 = 30 * SECOND_MS;

/// Room for a page's picture on the screen, in pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Room {
    pub width: u32,
    pub height: u32,
}

/// A part of a page: the share of its height at which it begins, and the share it shows.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Part {
    page: usize,
    from: f32,
    share: f32,
}

/// An open document of drawn pages.
pub(super) struct Paper {
    document: Document,
    room: Room,
    /// Empty until the first page came: only then the document's sizes are known.
    parts: Vec<Part>,
    drawn: Option<(usize, PageImage)>,
    asked: Option<(usize, Timestamp)>,
    failed: bool,
    /// A page was drawn that lacks something.
    lacking: bool,
}

impl Paper {
    pub fn new(document: Document, room: Room) -> Self {
        Self { document, room, parts: Vec::new(), drawn: None, asked: None, failed: false, lacking: false }
    }

    /// How many screens it takes; 0 while that isn't known.
    pub fn screens(&self) -> usize {
        self.parts.len()
    }

    fn page_of(&self, screen: usize) -> usize {
        self.parts.get(screen).map_or(0, |part| part.page)
    }

    /// What is to be drawn for a screen, once: nothing when it is there, or on its way.
    pub fn wanted(&mut self, screen: usize, now: Timestamp) -> Option<(Document, usize, u32)> {
        let page = self.page_of(screen);
        let here = self.drawn.as_ref().is_some_and(|(drawn, _)| *drawn == page);
        if here || self.failed || self.asked.is_some_and(|(asked, _)| asked == page) {
            return None;
        }
        self.asked = Some((page, now));
        Some((self.document.clone(), page, self.room.width))
    }

    /// A page came, or why it doesn't. A page that nobody waits for any more changes nothing.
    pub fn came(&mut self, page: usize, drawn: Result<pdf::Page, pdf::NotDrawn>) {
        let Some(_) = self.asked.take_if(|(asked, _)| *asked == page) else { return };
        match drawn {
            Ok(drawn) => {
                if self.parts.is_empty() {
                    self.parts = parts(&drawn.sizes, self.room);
                }
                self.failed = false;
                self.lacking |= !drawn.whole;
                self.drawn = Some((page, drawn.image));
            }
            Err(_) => self.failed = true,
        }
    }

    pub fn pass_time(&mut self, now: Timestamp) {
        if self.asked.is_some_and(|(_, since)| now.since(since) >= PATIENCE_MS) {
            self.failed = true;
        }
    }

    /// Everything that was shown could be read, and nothing is wrong: only then the document may be signed.
    pub fn is_whole(&self) -> bool {
        !self.parts.is_empty() && !self.failed && !self.lacking
    }

    pub fn state(&self, screen: usize) -> view::Paper {
        match () {
            () if self.failed => view::Paper::NotDrawn,
            () if self.image(screen).is_none() => view::Paper::Drawing,
            () if self.lacking => view::Paper::Lacking,
            () => view::Paper::Shown,
        }
    }

    /// The part on view; `None` while its page isn't drawn.
    pub fn image(&self, screen: usize) -> Option<PageImage> {
        let part = self.parts.get(screen).filter(|_| !self.failed)?;
        let (_, image) = self.drawn.as_ref().filter(|(page, _)| *page == part.page)?;
        let high = image.height as f32;
        let rows = ((part.share * high).round() as u32).clamp(1, image.height.max(1));
        let start = ((part.from * high).round() as u32).min(image.height.saturating_sub(rows));
        Some(PageImage { rows: start..start + rows, ..image.clone() })
    }
}

/// The screens of a document: each page in as few equal parts as fit and overlap, the first from its top, the last to its foot.
fn parts(sizes: &[(f32, f32)], room: Room) -> Vec<Part> {
    let mut parts = Vec::new();
    for (page, (width, height)) in sizes.iter().enumerate() {
        let high = height * room.width as f32 / width.max(f32::MIN_POSITIVE);
        let share = (room.height as f32 / high.max(1.0)).min(1.0);
        let step = share * (1.0 - OVERLAP);
        // As many steps down as it takes to come to the foot; a page of a size that is none has one part and is refused when drawn.
        let steps = if share < 1.0 { ((1.0 - share) / step).ceil().clamp(1.0, 200.0) as usize } else { 0 };
        let from = |part: usize| if steps == 0 { 0.0 } else { (1.0 - share) * part as f32 / steps as f32 };
        parts.extend((0..=steps).map(|part| Part { page, from: from(part), share }));
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: Room = Room { width: 1184, height: 496 };

    #[test]
    fn l1_the_parts_of_a_page_cover_all_of_it_and_overlap() {
        let pages = [(595.0, 842.0), (842.0, 595.0), (1000.0, 100.0), (595.0, 5000.0)];
        let found = parts(&pages, ROOM);
        for (page, (width, height)) in pages.iter().enumerate() {
            let mine: Vec<&Part> = found.iter().filter(|part| part.page == page).collect();
            assert_eq!(mine[0].from, 0.0);
            let last = mine[mine.len() - 1];
            assert!((last.from + last.share - 1.0).abs() < 1e-4, "{page}: the foot is on view");
            for pair in mine.windows(2) {
                let repeated = pair[0].from + pair[0].share - pair[1].from;
                assert!(repeated >= OVERLAP * pair[0].share - 1e-4, "{page}: {repeated}");
            }
            let high = height * 1184.0 / width;
            assert!(mine.iter().all(|part| part.share * high <= 496.5), "{page}: a part fits the screen");
        }
        assert_eq!(found.iter().filter(|part| part.page == 2).count(), 1, "a low page is one part");
    }

    #[test]
    fn l1_odd_sizes_make_few_parts() {
        for odd in [(0.0, 1.0), (1.0, 0.0), (f32::NAN, 1.0), (1.0, f32::INFINITY)] {
            assert!(parts(&[odd], ROOM).len() <= 201, "{odd:?}");
        }
    }
}
