//! Puts a state on a window without a display and takes its picture.

use std::cell::RefCell;
use std::fmt;
use std::path::PathBuf;
use std::rc::Rc;

use i_slint_backend_testing::{TestingBackend, TestingBackendOptions};
use kiosk_ui::{Act, App, Chrome, Look, Screen, Theme};
use slint::platform::WindowEvent;
use slint::{ComponentHandle, PhysicalSize, Rgba8Pixel, SharedPixelBuffer};

/// A state of a screen, with the words it needs already in the plant's language.
pub struct State {
    pub name: &'static str,
    pub screen: Screen,
    pub key: bool,
    pub fill: fn(&App, &str),
}

#[derive(Clone, Copy)]
pub struct Setting {
    pub language: &'static str,
    pub look: Look,
    pub size: (u32, u32),
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.language, self.size.0)?;
        match self.look {
            Look::Light => Ok(()),
            Look::Dark => write!(f, "-dark"),
            Look::HighContrast => write!(f, "-contrast"),
        }
    }
}

pub struct Shown {
    pub app: App,
    pub screen: Screen,
    pub scale: f32,
    pub picture: Option<SharedPixelBuffer<Rgba8Pixel>>,
    /// Every id that reached `Act.tap`.
    pub taps: Rc<RefCell<Vec<String>>>,
}

pub struct Stage {
    folder: Option<PathBuf>,
}

impl Stage {
    pub fn new() -> Self {
        let options =
            TestingBackendOptions { mock_time: true, threading: false, renderer_name: Some("software".into()) };
        slint::platform::set_platform(Box::new(TestingBackend::new(options))).expect("no platform was set before");
        let folder = std::env::var_os("KIOSK_UI_PICTURES").map(PathBuf::from);
        if let Some(folder) = &folder {
            std::fs::create_dir_all(folder).expect("the folder for pictures can be made");
        }
        Self { folder }
    }

    pub fn show(&mut self, name: &str, setting: Setting, state: &State) -> Shown {
        let app = kiosk_ui::open().expect("the testing backend always opens a window");
        assert!(kiosk_ui::speak(setting.language), "{} is bundled", setting.language);
        let taps = Rc::new(RefCell::new(Vec::new()));
        let heard = taps.clone();
        app.global::<Act>().on_tap(move |id| heard.borrow_mut().push(id.to_string()));

        let (width, height) = setting.size;
        let scale = kiosk_ui::scale_factor(width, height);
        let window = app.window();
        window.dispatch_event(WindowEvent::ScaleFactorChanged { scale_factor: scale });
        window.set_size(PhysicalSize::new(width, height));
        let logical = PhysicalSize::new(width, height).to_logical(scale);
        window.dispatch_event(WindowEvent::Resized { size: logical });

        app.global::<Theme>().set_look(setting.look);
        app.global::<Chrome>().set_language(setting.language.to_uppercase().into());
        app.set_screen(state.screen);
        crate::plant::chrome(&app);
        (state.fill)(&app, setting.language);
        app.show().expect("the testing backend always shows a window");
        i_slint_backend_testing::mock_elapsed_time(std::time::Duration::from_millis(100));

        // Drawing costs more than everything else here, so only what somebody looks at is drawn: all of it when
        // pictures are asked for, else one round of each look, for the contrast.
        let drawn = self.folder.is_some() || setting.language == "en" && setting.size == crate::HD;
        let picture = drawn.then(|| window.take_snapshot().expect("the software renderer is on"));
        if let (Some(folder), Some(picture)) = (&self.folder, &picture) {
            write_png(&folder.join(format!("{name}.png")), picture);
        }
        Shown { app, screen: state.screen, scale, picture, taps }
    }
}

pub fn write_png(path: &std::path::Path, picture: &SharedPixelBuffer<Rgba8Pixel>) {
    let file = std::fs::File::create(path).expect("the folder for pictures can be written");
    let mut encoder = png::Encoder::new(std::io::BufWriter::new(file), picture.width(), picture.height());
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header().expect("the header is valid");
    writer.write_image_data(picture.as_bytes()).expect("the picture has the size it says");
}
