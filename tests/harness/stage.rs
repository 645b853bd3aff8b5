//! A plant over real HTTPS on loopback: the server's own edge, kiosks that enrol by code and exchange through TLS.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use kiosk::core::Core as Kiosk;
use kiosk::core::status::Line;
use kiosk::key_store::FileKeyStore;
use kiosk::presenter::{Presenter, Settings};
use kiosk::runtime::{enrol, exchange_until_quiet};
use kiosk::sync_driver::Link;
use shared::id::*;
use sync_server::config::Config;
use sync_server::core::Core as Server;
use sync_server::serve::{Running, start};

use crate::{VirtualClock, demo_plant};

/// What went wrong on stage, in words.
pub type Trouble = Box<dyn std::error::Error>;

/// One kiosk on stage.
pub struct OnStage {
    pub name: String,
    pub core: Mutex<Kiosk>,
    pub presenter: Presenter,
    link: Link,
    /// Whether its cable is plugged in.
    pub online: bool,
}

/// The running plant.
pub struct Stage {
    pub clock: VirtualClock,
    pub server: Arc<Server>,
    pub running: Running,
    pub kiosks: Vec<OnStage>,
    runtime: tokio::runtime::Runtime,
    folder: PathBuf,
    #[cfg(feature = "pictures")]
    album: Option<Album>,
}

/// Where pictures go, and the window they are drawn in.
#[cfg(feature = "pictures")]
struct Album {
    folder: PathBuf,
    window: kiosk::window::picture::Pictures,
    drawn: u32,
    last: Option<kiosk::presenter::view::Screen>,
}

impl Stage {
    /// Imports the demo plant into `folder` and opens the doors.
    pub fn open(folder: PathBuf, now: &str) -> Result<Self, Trouble> {
        let clock = VirtualClock::at(now);
        let server = Arc::new(Server::open(&folder.join("server"), Arc::new(clock.clone()))?);
        server.import(&demo_plant(), false, "demo")?;
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let running = runtime.block_on(start(server.clone(), Config::local()))?;
        Ok(Self {
            clock,
            server,
            running,
            kiosks: Vec::new(),
            runtime,
            folder,
            #[cfg(feature = "pictures")]
            album: None,
        })
    }

    /// Starts a kiosk and enrols it with a one-time code.
    pub fn add_kiosk(&mut self, name: &str, work_units: &[&str]) -> Result<(), Trouble> {
        let units = work_units.iter().map(|unit| WorkUnitId::new(unit)).collect::<Result<Vec<_>, _>>()?;
        let code = self.server.enrol_code(KioskName::new(name)?, &units)?;
        let keys = FileKeyStore::open(&self.folder.join(format!("{name}-keys")))?;
        let core = Kiosk::open(&self.folder.join(name), Box::new(keys), Box::new(self.clock.clone()))?;
        let core = Mutex::new(core);
        self.runtime.block_on(enrol(&core, &self.running.url(), &code))?;
        let authority = lock(&core).enrolled().map(|enrolled| enrolled.authority.clone()).unwrap_or_default();
        let link = Link::trusting(&self.running.url(), &authority)?;
        let presenter = Presenter::new(
            self.clock.now(),
            Settings { languages: vec!["en".into(), "de".into()], ..Settings::default() },
        );
        self.kiosks.push(OnStage { name: name.to_owned(), core, presenter, link, online: true });
        self.settle()
    }

    pub fn kiosk(&self, name: &str) -> Result<MutexGuard<'_, Kiosk>, Trouble> {
        Ok(lock(&self.on_stage(name)?.core))
    }

    pub fn on_stage(&self, name: &str) -> Result<&OnStage, Trouble> {
        Ok(self.kiosks.iter().find(|kiosk| kiosk.name == name).ok_or_else(|| format!("no kiosk {name}"))?)
    }

    /// From now on every screen that changes is drawn into this folder, numbered in the order of the acts.
    #[cfg(feature = "pictures")]
    pub fn draw_into(&mut self, folder: PathBuf) -> Result<(), Trouble> {
        std::fs::create_dir_all(&folder)?;
        let window = kiosk::window::picture::Pictures::new(1280, 800)?;
        for kiosk in &mut self.kiosks {
            kiosk.presenter.set_pager(window.pager());
        }
        self.album = Some(Album { folder, window, drawn: 0, last: None });
        Ok(())
    }

    #[cfg(feature = "pictures")]
    pub(crate) fn take_picture(&mut self, name: &str) -> Result<(), Trouble> {
        let view = self.view(name)?;
        let Some(album) = self.album.as_mut().filter(|album| album.last.as_ref() != Some(&view.screen)) else {
            return Ok(());
        };
        album.drawn += 1;
        album.last = Some(view.screen);
        album.window.show(&view);
        let file = format!("{:02}-{name}-{:?}.png", album.drawn, view.screen).to_lowercase();
        Ok(std::fs::write(album.folder.join(file), album.window.snapshot()?)?)
    }

    #[cfg(not(feature = "pictures"))]
    pub(crate) fn take_picture(&mut self, _: &str) -> Result<(), Trouble> {
        Ok(())
    }

    /// Pulls or plugs a kiosk's cable.
    pub fn set_online(&mut self, name: &str, online: bool) -> Result<(), Trouble> {
        let found =
            self.kiosks.iter_mut().find(|kiosk| kiosk.name == name).ok_or_else(|| format!("no kiosk {name}"))?;
        found.online = online;
        if !online {
            lock(&found.core).handle_failure(Line::Offline);
        }
        Ok(())
    }

    /// Every kiosk whose cable is in exchanges until nobody has news. Returns how many entries came to be held.
    pub fn settle(&mut self) -> Result<(), Trouble> {
        for _ in 0..2 {
            for kiosk in self.kiosks.iter().filter(|kiosk| kiosk.online) {
                lock(&kiosk.core).call_soon();
                let exchanged = self.runtime.block_on(exchange_until_quiet(&kiosk.core, &kiosk.link))?;
                if exchanged.blobs_lacking > 0 {
                    return Err(format!("{} lacks {} contents", kiosk.name, exchanged.blobs_lacking).into());
                }
                if let Some(why) = exchanged.dropped {
                    return Err(format!("{} dropped an answer: {why}", kiosk.name).into());
                }
            }
        }
        Ok(())
    }
}

fn lock(core: &Mutex<Kiosk>) -> MutexGuard<'_, Kiosk> {
    core.lock().unwrap_or_else(PoisonError::into_inner)
}
