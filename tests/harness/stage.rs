//! A plant with people before its kiosks: presenters over real cores, and a server they exchange with, over HTTPS on loopback or by bytes
//! handed over directly.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use kiosk::core::Core as Kiosk;
use kiosk::core::status;
use kiosk::key_store::FileKeyStore;
use kiosk::presenter::{Presenter, Settings};
use kiosk::runtime::{Carrier, enrol, exchange_until_quiet};
use kiosk::sync_driver::{Link, NoAnswer};
use shared::id::*;
use sync_server::config::Config;
use sync_server::core::Core as Server;
use sync_server::serve::{Running, start};

use crate::{VirtualClock, demo_plant, enrol_directly};

/// What went wrong on stage, in words.
pub type Trouble = Box<dyn std::error::Error>;

/// One kiosk on stage.
pub struct OnStage {
    pub name: String,
    pub core: Mutex<Kiosk>,
    pub presenter: Presenter,
    line: Line,
    /// Whether its cable is plugged in.
    pub online: bool,
}

/// How kiosks reach the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wire {
    /// Through the server's own edge. Its certificates are made for about a year around the plant's time and judged by the machine's.
    Https,
    /// Bytes handed from core to core: for plants at any time.
    Direct,
}

/// The running plant.
pub struct Stage {
    pub clock: VirtualClock,
    pub server: Arc<Server>,
    /// The server's edge, when it has one.
    pub running: Option<Running>,
    pub kiosks: Vec<OnStage>,
    runtime: tokio::runtime::Runtime,
    folder: PathBuf,
    #[cfg(feature = "pictures")]
    window: Option<kiosk::window::picture::Pictures>,
    #[cfg(feature = "pictures")]
    album: Option<Album>,
}

/// Where every screen that changes is drawn into.
#[cfg(feature = "pictures")]
struct Album {
    folder: PathBuf,
    drawn: u32,
    last: Option<kiosk::presenter::view::Screen>,
}

/// One kiosk's way to the server.
enum Line {
    Https(Link),
    Direct(Arc<Server>),
}

impl Carrier for Line {
    async fn exchange(&self, up: &[u8]) -> Result<Vec<u8>, NoAnswer> {
        match self {
            Self::Https(link) => link.exchange(up).await,
            Self::Direct(server) => server.exchange(up).map_err(|why| NoAnswer::Refused(why.to_string())),
        }
    }

    async fn blob(&self, digest: &Digest32) -> Result<Vec<u8>, NoAnswer> {
        match self {
            Self::Https(link) => link.blob(digest).await,
            Self::Direct(server) => match server.blobs.read(digest) {
                Ok(Some(bytes)) => Ok(bytes),
                Ok(None) => Err(NoAnswer::Refused("the server doesn't have it".into())),
                Err(why) => Err(NoAnswer::Refused(why.to_string())),
            },
        }
    }

    async fn lacking(&self) -> Result<Vec<Digest32>, NoAnswer> {
        match self {
            Self::Https(link) => link.lacking().await,
            Self::Direct(server) => Ok(server.lacking_blobs()),
        }
    }

    async fn give_blob(&self, digest: &Digest32, bytes: Vec<u8>) -> Result<(), NoAnswer> {
        match self {
            Self::Https(link) => link.give_blob(digest, bytes).await,
            Self::Direct(server) => {
                server.blobs.write(&bytes).map(drop).map_err(|why| NoAnswer::Refused(why.to_string()))
            }
        }
    }
}

impl Stage {
    /// Imports the demo plant into `folder` and opens the doors.
    pub fn open(folder: PathBuf, now: &str) -> Result<Self, Trouble> {
        Self::open_plant(folder, &demo_plant(), VirtualClock::at(now), Wire::Https)
    }

    /// Imports a plant folder into a server in `folder`.
    pub fn open_plant(folder: PathBuf, plant: &Path, clock: VirtualClock, wire: Wire) -> Result<Self, Trouble> {
        let server = Arc::new(Server::open(&folder.join("server"), Arc::new(clock.clone()))?);
        server.import(plant, false, "demo")?;
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let running = match wire {
            Wire::Https => Some(runtime.block_on(start(server.clone(), Config::local()))?),
            Wire::Direct => None,
        };
        Ok(Self {
            clock,
            server,
            running,
            kiosks: Vec::new(),
            runtime,
            folder,
            #[cfg(feature = "pictures")]
            window: None,
            #[cfg(feature = "pictures")]
            album: None,
        })
    }

    /// Starts a kiosk and enrols it with a one-time code.
    pub fn add_kiosk(&mut self, name: &str, work_units: &[&str]) -> Result<(), Trouble> {
        let units = work_units.iter().map(|unit| WorkUnitId::new(unit)).collect::<Result<Vec<_>, _>>()?;
        let code = self.server.enrol_code(KioskName::new(name)?, &units)?;
        let core = Mutex::new(self.open_core(name)?);
        let line = self.connect(&core, &code)?;
        let languages = vec!["en".into(), "de".into()];
        let presenter = Presenter::new(self.clock.now(), Settings { languages, ..Settings::default() });
        self.kiosks.push(OnStage { name: name.to_owned(), core, presenter, line, online: true });
        self.share_pager();
        self.settle()
    }

    fn open_core(&self, name: &str) -> Result<Kiosk, Trouble> {
        let keys = FileKeyStore::open(&self.folder.join(format!("{name}-keys")))?;
        Ok(Kiosk::open(&self.folder.join(name), Box::new(keys), Box::new(self.clock.clone()))?)
    }

    fn connect(&self, core: &Mutex<Kiosk>, code: &str) -> Result<Line, Trouble> {
        let Some(running) = &self.running else {
            enrol_directly(&self.server, &mut lock(core), code)?;
            return Ok(Line::Direct(self.server.clone()));
        };
        self.runtime.block_on(enrol(core, &running.url(), code))?;
        let authority = lock(core).enrolled().map(|enrolled| enrolled.authority.clone()).unwrap_or_default();
        Ok(Line::Https(Link::trusting(&running.url(), &authority)?))
    }

    pub fn kiosk(&self, name: &str) -> Result<MutexGuard<'_, Kiosk>, Trouble> {
        Ok(lock(&self.on_stage(name)?.core))
    }

    pub fn on_stage(&self, name: &str) -> Result<&OnStage, Trouble> {
        Ok(self.kiosks.iter().find(|kiosk| kiosk.name == name).ok_or_else(|| format!("no kiosk {name}"))?)
    }

    /// Opens a window without a display; from now on procedures are cut into pages as it measures them.
    #[cfg(feature = "pictures")]
    pub fn open_window(&mut self) -> Result<(), Trouble> {
        self.window = Some(kiosk::window::picture::Pictures::new(1280, 800)?);
        self.share_pager();
        Ok(())
    }

    /// The window with what the kiosk shows in it; `None` while none is open.
    #[cfg(feature = "pictures")]
    pub fn window_of(&mut self, name: &str) -> Result<Option<&kiosk::window::picture::Pictures>, Trouble> {
        let view = self.view(name)?;
        let Some(window) = self.window.as_mut() else { return Ok(None) };
        window.show(&view);
        Ok(Some(window))
    }

    /// From now on every screen that changes is drawn into this folder, numbered in the order of the acts.
    #[cfg(feature = "pictures")]
    pub fn draw_into(&mut self, folder: PathBuf) -> Result<(), Trouble> {
        std::fs::create_dir_all(&folder)?;
        self.open_window()?;
        self.album = Some(Album { folder, drawn: 0, last: None });
        Ok(())
    }

    #[cfg(feature = "pictures")]
    fn share_pager(&mut self) {
        if let Some(window) = &self.window {
            self.kiosks.iter_mut().for_each(|kiosk| kiosk.presenter.set_pager(window.pager()));
        }
    }

    #[cfg(not(feature = "pictures"))]
    fn share_pager(&mut self) {}

    #[cfg(feature = "pictures")]
    pub(crate) fn take_picture(&mut self, name: &str) -> Result<(), Trouble> {
        let screen = self.view(name)?.screen;
        let Some(album) = self.album.as_mut().filter(|album| album.last != Some(screen)) else { return Ok(()) };
        album.drawn += 1;
        album.last = Some(screen);
        let file = album.folder.join(format!("{:02}-{name}-{screen:?}.png", album.drawn).to_lowercase());
        match self.window_of(name)? {
            Some(window) => Ok(std::fs::write(file, window.snapshot()?)?),
            None => Ok(()),
        }
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
            lock(&found.core).handle_failure(status::Line::Offline);
        }
        Ok(())
    }

    /// Ends the server's edge: nobody answers any more.
    pub fn stop_server(&mut self) {
        if let Some(running) = self.running.take() {
            self.runtime.block_on(running.stop());
        }
    }

    /// From now on the kiosk's calls go to another address; whom it trusts stays the same.
    pub fn lead_astray(&mut self, name: &str, url: &str) -> Result<(), Trouble> {
        let found = self.kiosks.iter_mut().find(|kiosk| kiosk.name == name).ok_or("no such kiosk")?;
        let authority = lock(&found.core).enrolled().map(|enrolled| enrolled.authority.clone()).unwrap_or_default();
        found.line = Line::Https(Link::trusting(url, &authority)?);
        Ok(())
    }

    /// Every kiosk whose cable is in exchanges until nobody has news.
    pub fn settle(&mut self) -> Result<(), Trouble> {
        for _ in 0..2 {
            for kiosk in self.kiosks.iter().filter(|kiosk| kiosk.online) {
                lock(&kiosk.core).call_soon();
                let exchanged = self.runtime.block_on(exchange_until_quiet(&kiosk.core, &kiosk.line))?;
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
