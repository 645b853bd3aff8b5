//! A procedure, page by page.

use std::ops::Range;
use std::sync::Arc;

use kiosk_ui as ui;
use slint::{ComponentHandle, Image, Rgba8Pixel, SharedPixelBuffer, StyledText};

use super::convert::{Rows, ToUi, codes, structs};
use crate::presenter::view;

codes! {
    BlockKind { Heading1, Heading2, Heading3, Paragraph, Bullet, Numbered, TableHead, TableRow, Note, Picture }
    Paper { None, Drawing, Shown, Lacking, NotDrawn }
    ReaderNext { NextPage, ReadAndUnderstood, SeeAllPages, Close }
}

structs! {
    StepMark { number, title, changed, here }
}

impl ToUi for view::Block {
    type Ui = ui::Block;
    fn ui(&self) -> ui::Block {
        let Self { kind, heading, text, number, cells, changed, depth } = self;
        ui::Block {
            kind: kind.ui(),
            heading: heading.ui(),
            text: styled(text),
            number: number.ui(),
            cells: cells.ui(),
            changed: *changed,
            depth: *depth,
        }
    }
}

fn styled(runs: &[view::Run]) -> StyledText {
    StyledText::from_markdown(&view::markdown(runs)).unwrap_or_else(|error| {
        // Everything is escaped, so this can't happen; and if it did, the words matter more than their weight.
        tracing::error!(%error, "a run of text could not be styled");
        StyledText::from_plain_text(&runs.iter().map(|run| run.text.as_str()).collect::<String>())
    })
}

pub(super) struct Adapter {
    steps: Rows<view::StepMark>,
    blocks: Rows<view::Block>,
    /// The pixels on view, so that the same page isn't copied again.
    pixels: Option<(Arc<[u8]>, Range<u32>)>,
}

impl Adapter {
    pub fn on(app: &ui::App) -> Self {
        let reader = app.global::<ui::Reader>();
        Self {
            steps: Rows::new(|rows| reader.set_steps(rows)),
            blocks: Rows::new(|rows| reader.set_blocks(rows)),
            pixels: None,
        }
    }

    pub fn show(&mut self, app: &ui::App, now: &view::Reader) {
        let view::Reader {
            document,
            title,
            version,
            effective,
            language,
            fallback,
            changed_only,
            can_toggle,
            steps,
            blocks,
            paper,
            page_image,
            page,
            pages,
            unseen,
            next,
        } = now;
        let screen = app.global::<ui::Reader>();
        screen.set_document(document.ui());
        screen.set_title(title.ui());
        screen.set_version(version.ui());
        screen.set_effective(effective.ui());
        screen.set_language(language.ui());
        screen.set_fallback(fallback.ui());
        screen.set_changed_only(changed_only.ui());
        screen.set_can_toggle(can_toggle.ui());
        self.steps.follow(steps);
        self.blocks.follow(blocks);
        screen.set_paper(paper.ui());
        self.show_picture(&screen, page_image.as_ref());
        screen.set_page(page.ui());
        screen.set_pages(pages.ui());
        screen.set_unseen(unseen.ui());
        screen.set_next(next.ui());
    }

    fn show_picture(&mut self, screen: &ui::Reader<'_>, picture: Option<&view::PageImage>) {
        let now = picture.map(|picture| (picture.rgba.clone(), picture.rows.clone()));
        let same = match (&self.pixels, &now) {
            (Some((was, rows)), Some((now, rows_now))) => Arc::ptr_eq(was, now) && rows == rows_now,
            (was, now) => was.is_none() && now.is_none(),
        };
        if same {
            return;
        }
        self.pixels = now;
        screen.set_page_image(picture.and_then(image).unwrap_or_default());
    }
}

/// `None` for pixels that don't fill the size they claim.
fn image(picture: &view::PageImage) -> Option<Image> {
    let Some(pixels) = picture.on_view() else {
        tracing::error!(?picture, "the picture of a page is not whole");
        return None;
    };
    let rows = picture.rows.end - picture.rows.start;
    Some(Image::from_rgba8(SharedPixelBuffer::<Rgba8Pixel>::clone_from_slice(pixels, picture.width, rows)))
}
