//! A procedure, page by page.

use std::sync::Arc;

use kiosk_ui as ui;
use slint::{ComponentHandle, Image, Rgba8Pixel, SharedPixelBuffer, StyledText};

use super::convert::{Rows, ToUi, codes, structs};
use crate::presenter::view;

codes! {
    BlockKind { Heading1, Heading2, Heading3, Paragraph, Bullet, Numbered, TableHead, TableRow, Note }
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
    pixels: Option<Arc<[u8]>>,
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
        self.show_picture(&screen, page_image.as_ref());
        screen.set_page(page.ui());
        screen.set_pages(pages.ui());
        screen.set_unseen(unseen.ui());
        screen.set_next(next.ui());
    }

    fn show_picture(&mut self, screen: &ui::Reader<'_>, picture: Option<&view::PageImage>) {
        screen.set_is_image(picture.is_some());
        let same = match (&self.pixels, picture) {
            (Some(was), Some(now)) => Arc::ptr_eq(was, &now.rgba),
            (was, now) => was.is_none() && now.is_none(),
        };
        if same {
            return;
        }
        self.pixels = picture.map(|picture| picture.rgba.clone());
        screen.set_page_image(picture.and_then(image).unwrap_or_default());
    }
}

/// `None` for pixels that don't fill the size they claim.
fn image(picture: &view::PageImage) -> Option<Image> {
    let bytes = u64::from(picture.width) * u64::from(picture.height) * 4;
    if bytes == 0 || picture.rgba.len() as u64 != bytes {
        tracing::error!(width = picture.width, height = picture.height, "the picture of a page is not whole");
        return None;
    }
    let pixels = SharedPixelBuffer::<Rgba8Pixel>::clone_from_slice(&picture.rgba, picture.width, picture.height);
    Some(Image::from_rgba8(pixels))
}
