//! The same window without a display: for pictures, and for scripted tours that touch what a person would touch.
//!
//! Time stands still except where a step lets it run, so that the same acts give the same pixels.

use std::time::Duration;

use i_slint_backend_testing::{ElementHandle, ElementRoot, TestingBackend, TestingBackendOptions, mock_elapsed_time};
use slint::platform::{PointerEventButton, WindowEvent};
use slint::{ComponentHandle, LogicalPosition, PhysicalSize, PlatformError, Rgba8Pixel, SharedPixelBuffer};

use super::{Act, Window, convert};
use crate::presenter::pages::Pager;
use crate::presenter::view::View;

/// Longer than any movement on the screens.
const SETTLE: Duration = Duration::from_millis(400);

/// Something that can be touched.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    pub id: String,
    pub label: String,
    pub enabled: bool,
    centre: LogicalPosition,
}

/// Why a touch did nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotTapped {
    #[error("nothing here is called {id}; here are: {}", here.join(", "))]
    NotHere { id: String, here: Vec<String> },
    #[error("{0} is shown, but can't be touched now")]
    Disabled(String),
}

/// Why no picture came.
#[derive(Debug, thiserror::Error)]
pub enum NoPicture {
    #[error("{0}")]
    Drawing(#[from] PlatformError),
    #[error("{0}")]
    Png(#[from] png::EncodingError),
}

/// A window without a display. Several may live in one thread; each speaks its own language.
pub struct Pictures {
    window: Window,
    language: String,
}

impl Pictures {
    /// A window of that many pixels.
    ///
    /// # Errors
    /// When this thread already opens windows on a display.
    pub fn new(width: u32, height: u32) -> Result<Self, PlatformError> {
        let options =
            TestingBackendOptions { mock_time: true, threading: false, renderer_name: Some("software".into()) };
        // Refused when it was set before in this thread: by another of these windows, then it is the same.
        let _ = slint::platform::set_platform(Box::new(TestingBackend::new(options)));
        let mut window = Window::open()?;
        window.app.window().set_size(PhysicalSize::new(width, height));
        window.app.show()?;
        window.fit();
        Ok(Self { window, language: "en".into() })
    }

    /// As [`Window::on_act`].
    pub fn on_act(&self, act: impl Fn(Act) + 'static) {
        self.window.on_act(act);
    }

    /// As [`Window::pager`].
    pub fn pager(&self) -> Box<dyn Pager> {
        self.window.pager()
    }

    pub fn show(&mut self, view: &View) {
        self.language.clone_from(&view.language);
        self.window.show(view);
        self.settle();
    }

    /// Touches the middle of what has this accessible id, as a finger would.
    pub fn tap(&self, id: &str) -> Result<(), NotTapped> {
        let targets = self.targets();
        let Some(target) = targets.iter().find(|target| target.id == id) else {
            let here = targets.into_iter().map(|target| target.id).collect();
            return Err(NotTapped::NotHere { id: id.into(), here });
        };
        if !target.enabled {
            return Err(NotTapped::Disabled(id.into()));
        }
        let (position, button) = (target.centre, PointerEventButton::Left);
        let window = self.window.app.window();
        window.dispatch_event(WindowEvent::PointerPressed { position, button });
        window.dispatch_event(WindowEvent::PointerReleased { position, button });
        // A finger that is lifted hovers over nothing.
        window.dispatch_event(WindowEvent::PointerExited);
        Ok(())
    }

    /// Types on the hardware keyboard, as a badge reader does; the line ends with Return.
    pub fn type_line(&self, text: &str) {
        let window = self.window.app.window();
        let keys = text.chars().map(slint::SharedString::from).chain([slint::platform::Key::Return.into()]);
        for text in keys {
            window.dispatch_event(WindowEvent::KeyPressed { text: text.clone() });
            window.dispatch_event(WindowEvent::KeyReleased { text });
        }
    }

    /// Everything that can be touched, from top to bottom.
    pub fn targets(&self) -> Vec<Target> {
        self.speak();
        let mut targets: Vec<Target> = self.elements().iter().filter_map(target).collect();
        targets.sort_by(|a, b| a.centre.y.total_cmp(&b.centre.y).then(a.centre.x.total_cmp(&b.centre.x)));
        targets
    }

    /// Every text that can be read, from top to bottom.
    pub fn texts(&self) -> Vec<String> {
        self.speak();
        let mut texts: Vec<(f32, f32, String)> = Vec::new();
        for element in self.elements() {
            let label = element.accessible_label().unwrap_or_default();
            if !label.trim().is_empty() && element.size().height > 0.0 {
                let place = element.absolute_position();
                texts.push((place.y, place.x, label.into()));
            }
        }
        texts.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        texts.dedup();
        texts.into_iter().map(|(_, _, text)| text).collect()
    }

    /// What is on view, pixel by pixel.
    pub fn pixels(&self) -> Result<SharedPixelBuffer<Rgba8Pixel>, NoPicture> {
        self.speak();
        self.settle();
        Ok(self.window.app.window().take_snapshot()?)
    }

    /// What is on view, as PNG.
    pub fn snapshot(&self) -> Result<Vec<u8>, NoPicture> {
        let pixels = self.pixels()?;
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, pixels.width(), pixels.height());
        encoder.set_color(png::ColorType::Rgba);
        encoder.set_depth(png::BitDepth::Eight);
        let mut writer = encoder.write_header()?;
        writer.write_image_data(pixels.as_bytes())?;
        writer.finish()?;
        Ok(bytes)
    }

    /// The language on screen belongs to the thread, so each window says its own before it is looked at.
    fn speak(&self) {
        convert::speak(&self.language);
    }

    fn settle(&self) {
        mock_elapsed_time(SETTLE);
    }

    fn elements(&self) -> Vec<ElementHandle> {
        self.window.app.root_element().query_descendants().find_all()
    }
}

fn target(element: &ElementHandle) -> Option<Target> {
    let id = element.accessible_id().filter(|id| !id.is_empty())?;
    let (place, size) = (element.absolute_position(), element.size());
    Some(Target {
        id: id.into(),
        label: element.accessible_label().unwrap_or_default().into(),
        enabled: element.accessible_enabled() != Some(false),
        centre: LogicalPosition::new(place.x + size.width / 2.0, place.y + size.height / 2.0),
    })
}
