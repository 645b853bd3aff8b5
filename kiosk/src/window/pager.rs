//! Cuts documents into pages as high as the window's.

use std::ops::Range;

use kiosk_ui as ui;
use slint::ComponentHandle;

use super::convert::ToUi;
use crate::presenter::pages::{Estimate, Pager};
use crate::presenter::paper::Room;
use crate::presenter::view::Block;

/// Measures in the window itself. Holds no window open: without one it estimates.
pub(super) struct WindowPager(pub slint::Weak<ui::App>);

impl Pager for WindowPager {
    fn pages(&self, blocks: &[Block]) -> Vec<Range<usize>> {
        let Some(app) = self.0.upgrade() else { return Estimate::default().pages(blocks) };
        let shown: Vec<ui::Block> = blocks.iter().map(ToUi::ui).collect();
        ui::pages(&app, &shown).unwrap_or_else(|| {
            tracing::error!("a block of a document is taller than a page of this window");
            let size = app.window().size().to_logical(app.window().scale_factor());
            Estimate::window(size.width, size.height).pages(blocks)
        })
    }

    fn room(&self) -> Room {
        let Some(app) = self.0.upgrade() else { return Estimate::default().room() };
        let (window, theme) = (app.window(), app.global::<ui::Theme>());
        let (scale, size) = (window.scale_factor(), window.size().to_logical(window.scale_factor()));
        let pixels = |logical: f32| (logical * scale).max(1.0) as u32;
        Room {
            width: pixels(theme.invoke_paper_width(size.width)),
            height: pixels(theme.invoke_page_height(size.height)),
        }
    }
}
