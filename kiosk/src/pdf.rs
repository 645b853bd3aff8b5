//! PDF documents as pictures, a page at a time (L1).
//!
//! **A page that could not be drawn whole is never taken for one that was read**: what can't be opened, or lacks a picture or a font,
//! says so. Drawing takes its time, so whoever drives the presenter lets a [`Drawer`] do it beside the threads that people wait for.
//! Without the feature `pdf` nothing is drawn.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use shared::id::Digest32;

use crate::presenter::view::PageImage;

/// Pages kept for the way back, in bytes of pixels.
const KEPT_BYTES: usize = 48 << 20;

/// A document's bytes under the hash of them.
#[derive(Clone)]
pub struct Document {
    pub digest: Digest32,
    bytes: Arc<Vec<u8>>,
}

impl Document {
    pub fn new(digest: Digest32, bytes: Vec<u8>) -> Self {
        Self { digest, bytes: Arc::new(bytes) }
    }
}

impl PartialEq for Document {
    fn eq(&self, other: &Self) -> bool {
        self.digest == other.digest
    }
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Document({})", self.digest)
    }
}

/// A page as it was drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    pub image: PageImage,
    /// Width and height of every page of the document, in points.
    pub sizes: Arc<[(f32, f32)]>,
    /// Nothing of it is missing: every font and picture could be read.
    pub whole: bool,
}

/// Why there is no picture of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotDrawn {
    #[error("the document is damaged, locked by a password, or not a PDF")]
    Unreadable,
    #[error("the document has no such page, or one of a size that no screen shows")]
    NoSuchPage,
    #[error("drawing the page met a fault in the program")]
    Fault,
    #[error("this build of the kiosk draws no PDF")]
    NotBuilt,
}

/// Draws pages and keeps the last ones, by content hash, page and width.
#[derive(Default)]
pub struct Drawer {
    kept: VecDeque<(Key, Page)>,
    bytes: usize,
}

type Key = (Digest32, usize, u32);

impl Drawer {
    /// The page (from 0) as a picture of that width in pixels.
    pub fn draw(&mut self, document: &Document, page: usize, width: u32) -> Result<Page, NotDrawn> {
        let key = (document.digest, page, width);
        if let Some((_, kept)) = self.kept.iter().find(|(of, _)| *of == key) {
            return Ok(kept.clone());
        }
        let drawn = draw(document, page, width)?;
        self.keep(key, drawn.clone());
        Ok(drawn)
    }

    fn keep(&mut self, key: Key, page: Page) {
        self.bytes += page.image.rgba.len();
        self.kept.push_back((key, page));
        while self.bytes > KEPT_BYTES && self.kept.len() > 1 {
            let dropped = self.kept.pop_front().map_or(0, |(_, page)| page.image.rgba.len());
            self.bytes = self.bytes.saturating_sub(dropped);
        }
    }
}

/// Draws one page. A panic in the drawing is an answer too: the bytes come from outside.
pub fn draw(document: &Document, page: usize, width: u32) -> Result<Page, NotDrawn> {
    let drawn = std::panic::catch_unwind(|| page_of(document, page, width)).unwrap_or(Err(NotDrawn::Fault));
    if let Err(why) = &drawn {
        tracing::warn!(document = %document.digest, page, error = %why, "a page could not be drawn: the document can't be signed here");
    }
    drawn
}

#[cfg(not(feature = "pdf"))]
fn page_of(document: &Document, _: usize, _: u32) -> Result<Page, NotDrawn> {
    Err(if document.bytes.starts_with(b"%PDF") { NotDrawn::NotBuilt } else { NotDrawn::Unreadable })
}

#[cfg(feature = "pdf")]
fn page_of(document: &Document, page: usize, width: u32) -> Result<Page, NotDrawn> {
    use std::sync::atomic::{AtomicBool, Ordering};

    use hayro::hayro_interpret::InterpreterSettings;
    use hayro::hayro_syntax::Pdf;
    use hayro::vello_cpu::color::palette::css::WHITE;
    use hayro::{PixmapSettings, RenderCache, RenderSettings, render};

    let pdf = Pdf::new(document.bytes.clone()).map_err(|_| NotDrawn::Unreadable)?;
    let pages = pdf.pages();
    let sizes: Arc<[(f32, f32)]> = pages.iter().map(|page| page.render_dimensions()).collect();
    let found = pages.get(page).ok_or(NotDrawn::NoSuchPage)?;
    let scale = scale_to(sizes[page], width).ok_or(NotDrawn::NoSuchPage)?;
    let lacking = Arc::new(AtomicBool::new(false));
    let warned = lacking.clone();
    let settings = InterpreterSettings {
        warning_sink: Arc::new(move |_| warned.store(true, Ordering::Relaxed)),
        ..InterpreterSettings::default()
    };
    let output = PixmapSettings { x_scale: scale, y_scale: scale, bg_color: WHITE };
    let drawn = render(found, &RenderCache::new(), &settings, &RenderSettings::default(), &output);
    let image = PageImage::new(drawn.width().into(), drawn.height().into(), drawn.data_as_u8_slice().into());
    Ok(Page { image, sizes, whole: !lacking.load(Ordering::Relaxed) })
}

/// By how much a page is enlarged to be that wide; `None` for sizes that are none.
#[cfg(any(feature = "pdf", test))]
fn scale_to((page_width, page_height): (f32, f32), width: u32) -> Option<f32> {
    /// Tallest picture of a page, in pixels: a strip of any length is not a page.
    const TALLEST: f32 = 16_384.0;
    // The page's size in pixels is rounded down; half a pixel more makes it the width that was asked for.
    let scale = (width as f32 + 0.5) / page_width;
    let fits = (0.01..=100.0).contains(&scale) && page_height * scale >= 1.0 && page_height * scale <= TALLEST;
    fits.then_some(scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn l1_a_page_of_no_size_is_not_drawn() {
        assert_eq!(scale_to((595.0, 842.0), 1184), Some(1184.5 / 595.0));
        for odd in [(0.0, 842.0), (595.0, 0.0), (-5.0, 5.0), (1.0, 1e9), (f32::NAN, 1.0), (f32::INFINITY, 1.0)] {
            assert_eq!(scale_to(odd, 1184), None, "{odd:?}");
        }
    }

    #[test]
    fn the_last_pages_are_kept_within_bounds() {
        let mut drawer = Drawer::default();
        let picture = PageImage::new(2048, 2048, vec![0; 2048 * 2048 * 4].into());
        let page = Page { image: picture, sizes: Arc::new([(1.0, 1.0)]), whole: true };
        for number in 0..10 {
            drawer.keep((Digest32([1; 32]), number, 2048), page.clone());
        }
        assert!(drawer.bytes <= KEPT_BYTES);
        assert_eq!(drawer.kept.len(), KEPT_BYTES / (2048 * 2048 * 4));
        let document = Document::new(Digest32([1; 32]), Vec::new());
        assert_eq!(drawer.draw(&document, 9, 2048), Ok(page), "a kept page is not drawn again");
    }

    #[cfg(feature = "pdf")]
    mod drawn {
        use super::*;

        fn demo() -> Document {
            let bytes = include_bytes!("../../sync-server/demo-plant/content/SOP-0007-v2.en.pdf").to_vec();
            Document::new(Digest32::of(&bytes), bytes)
        }

        #[test]
        fn l1_a_page_is_drawn_as_wide_as_asked_and_not_blank() {
            let page = draw(&demo(), 0, 1184).expect("the demo plant's document can be drawn");
            assert_eq!((page.image.width, page.sizes.len(), page.whole), (1184, 2, true));
            let dark = page.image.rgba.chunks_exact(4).filter(|pixel| pixel[0] < 96).count();
            assert!(dark > 1_000, "{dark} dark pixels are no page of text");
            assert_eq!(draw(&demo(), 2, 1184), Err(NotDrawn::NoSuchPage));
        }

        #[test]
        fn l1_bytes_that_are_no_pdf_are_not_drawn() {
            let whole = demo().bytes;
            let cut = whole[..whole.len() / 3].to_vec();
            for bytes in [Vec::new(), b"%PDF-1.7\n".to_vec(), b"# Markdown".to_vec()] {
                let document = Document::new(Digest32::of(&bytes), bytes);
                assert!(draw(&document, 0, 800).is_err());
            }
            // What is left of a torn file may open, but never as the whole of it without saying so.
            let torn = draw(&Document::new(Digest32::of(&cut), cut), 1, 800);
            assert!(torn.as_ref().is_err() || torn.is_ok_and(|page| !page.whole));
        }
    }
}
