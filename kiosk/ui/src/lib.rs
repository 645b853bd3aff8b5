//! The screens of the kiosk, and nothing that decides.
//!
//! Read in this order: `ui/model.slint` (everything that goes in, and `Act`, the one way out), `ui/app.slint` (the
//! window), `ui/theme.slint` (how it looks), `ui/words.slint` (what it says), then `ui/screens/`, one file a screen.
//!
//! The crate never opens a file, reads a clock or knows a rule: a presenter fills the globals with codes and
//! parameters, and answers `Act`. The words stand in the `.slint` files (English) and under `lang/`.

use std::ops::Range;

use slint::Model as _;
use slint::fontique_011::fontique::{FallbackKey, GenericFamily, Script};

// The generated code is not ours to tidy.
#[allow(clippy::all, clippy::pedantic, missing_docs)]
mod generated {
    slint::include_modules!();
}
pub use generated::*;

/// Opens the window, speaking English, with the fonts it carries in the order it needs them.
///
/// # Errors
/// When there is no display to open a window on.
pub fn open() -> Result<App, slint::PlatformError> {
    let app = App::new()?;
    prefer_own_fonts();
    // Without this the first language would be the system's, not the plant's.
    let _ = speak("en");
    Ok(app)
}

/// Switches the language on screen. Answers false, and changes nothing, when it has no translation.
#[must_use]
pub fn speak(language: &str) -> bool {
    slint::select_bundled_translation(language).is_ok()
}

/// How much larger than drawn everything is on a screen of that many physical pixels: targets and text grow with
/// the screen, and on one smaller than 1280 × 800 they keep their size while the arrangement becomes compact.
#[must_use]
pub fn scale_factor(width: u32, height: u32) -> f32 {
    let scale = (width as f32 / 1280.0).min(height as f32 / 800.0);
    // Steps of an eighth keep lines on whole pixels more often than not.
    ((scale * 8.0).floor() / 8.0).max(1.0)
}

/// Cuts a document into the pages that `Reader` shows one by one: no block is ever cut through, and what stands
/// on a page is what fits on it at the window's present size.
///
/// `None` when a block alone is taller than a page: the caller splits it first, so that nothing a person signs for
/// is ever out of sight.
#[must_use]
pub fn pages(app: &App, blocks: &[Block]) -> Option<Vec<Range<usize>>> {
    let room = app.invoke_page_height();
    let leads_on = |block: &Block| {
        use BlockKind::{Heading1, Heading2, Heading3, TableHead};
        matches!(block.kind, Heading1 | Heading2 | Heading3 | TableHead)
    };

    let mut pages = Vec::new();
    let (mut start, mut used) = (0, 0.0);
    for (index, block) in blocks.iter().enumerate() {
        let height = block_height(app, block);
        if height > room {
            return None;
        }
        if used + height > room {
            // A heading never stands alone at the foot of a page: it goes over with what follows it.
            let mut end = index;
            while end > start + 1 && leads_on(&blocks[end - 1]) {
                end -= 1;
            }
            pages.push(start..end);
            start = end;
            used = blocks[end..index].iter().map(|moved| block_height(app, moved)).sum();
        }
        used += height;
    }
    pages.push(start..blocks.len());
    Some(pages)
}

fn block_height(app: &App, block: &Block) -> f32 {
    let head = match block.kind {
        BlockKind::TableHead => true,
        BlockKind::TableRow => false,
        _ => return app.invoke_block_height(block.clone()),
    };
    let columns = block.cells.row_count() as i32;
    block.cells.iter().map(|cell| app.invoke_cell_height(cell, columns, head)).fold(0.0, f32::max)
}

/// Characters that Inter lacks come from the subset that is embedded, whatever fonts a terminal has installed:
/// the same pixels everywhere.
fn prefer_own_fonts() {
    let mut fonts = slint::fontique_011::shared_collection();
    let Some(family) = fonts.family_id("Noto Sans SC") else {
        return;
    };
    fonts.set_generic_families(GenericFamily::SansSerif, std::iter::once(family));
    let han = Script::from_bytes(*b"Hani");
    fonts.set_fallbacks(FallbackKey::new(han, None), std::iter::once(family));
}
