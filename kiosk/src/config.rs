//! What the kiosk is told on its command line, and where its data, keys and clock come from.

use std::fs::{File, TryLockError};
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::{Args, Parser, Subcommand, ValueEnum};
use shared::part11::badge::BadgeFormat;

use crate::clock::Machine;
use crate::core::{Core, Denied};
use crate::key_store::{FileKeyStore, KeyStore};
use crate::lan::Lan;
use crate::presenter::view;
use crate::presenter::wedge::Reading;
use crate::stick::Sticks;

/// GO or NO-GO at the machine, training and sign-offs on the floor, with or without a network.
#[derive(Debug, Parser)]
#[command(name = "kiosk", version, after_help = EXAMPLE)]
pub struct Cli {
    #[command(flatten)]
    pub places: Places,
    #[command(flatten)]
    pub run: Run,
    #[command(subcommand)]
    pub command: Option<Command>,
}

const EXAMPLE: &str = "\
Example:
  kiosk --data /var/lib/lineproof --key-store /var/lib/lineproof-keys --server https://lineproof.plant.example:8443

Exit codes: 0 done, 1 the answer is no, 2 wrong usage, 3 could not run.";

/// Where keys lie unless it is said otherwise.
const KEYS: &str = "/var/lib/lineproof-keys";

/// Where things lie.
#[derive(Debug, Clone, Args)]
pub struct Places {
    /// Folder of the database and the documents.
    #[arg(long, value_name = "DIR", env = "LINEPROOF_DATA", default_value = "/var/lib/lineproof", global = true)]
    pub data: PathBuf,
    /// Folder of the device's keys, readable by its owner only, or `tpm`: the same folder, and what lies in it opens at this machine alone;
    /// `tpm:DIR` for another folder. Never inside the data folder.
    #[arg(
        long,
        value_name = "DIR|tpm[:DIR]",
        env = "LINEPROOF_KEY_STORE",
        default_value = KEYS,
        global = true
    )]
    pub key_store: Keys,
    /// The machine's TPM, as TCG's software names it.
    #[arg(long, value_name = "TCTI", env = "LINEPROOF_TPM", default_value = "device:/dev/tpmrm0", global = true)]
    pub tpm: String,
    /// Where USB sticks are mounted, for the terminal-status screen; several are separated by commas. A folder counts while something is mounted
    /// on it.
    #[arg(
        long = "stick",
        value_name = "DIR",
        env = "LINEPROOF_STICKS",
        default_value = "/media/usb",
        value_delimiter = ',',
        global = true
    )]
    pub sticks: Vec<PathBuf>,
    /// One JSON object for machine reading.
    #[arg(long, global = true)]
    pub json: bool,
}

/// How the kiosk runs.
#[derive(Debug, Clone, Args)]
pub struct Run {
    /// Address of the server. Without it, it is typed at terminal set-up; after that it is only needed when the server has moved.
    #[arg(long, value_name = "URL", env = "LINEPROOF_SERVER")]
    pub server: Option<String>,
    /// One-time code for terminal set-up without a screen.
    #[arg(long, value_name = "CODE", requires = "server")]
    pub enrol: Option<String>,
    /// Where other kiosks of the site reach this one while the server is away; `off`: it takes no part in that.
    #[arg(long, value_name = "ADDR|off", env = "LINEPROOF_LAN", default_value = "0.0.0.0:8444")]
    pub lan: Listen,
    /// Another kiosk of the site, in a network segment that mDNS doesn't reach; may be given several times.
    #[arg(long = "peer", value_name = "HOST:PORT", env = "LINEPROOF_PEERS", value_delimiter = ',')]
    pub peers: Vec<Peer>,
    /// Neither looks for other kiosks by mDNS nor makes itself known.
    #[arg(long, env = "LINEPROOF_NO_MDNS")]
    pub no_mdns: bool,
    /// Runs without a window: keeps in step with the server and prints its state as JSON lines, until it is told to end.
    #[arg(long)]
    pub headless: bool,
    /// Takes a person's acts from standard input, a line each: `badge TEXT`, `tap ID`, `type FIELD TEXT`. After each, a JSON line says what
    /// the screen shows.
    #[arg(long, requires = "headless")]
    pub acts: bool,
    /// Opens a window of that many pixels instead of filling the screen.
    #[arg(long, value_name = "WxH", conflicts_with = "headless")]
    pub windowed: Option<Size>,
    /// Language on screen while nobody is badged in.
    #[arg(long, value_name = "CODE", env = "LINEPROOF_LANGUAGE", default_value = "en")]
    pub language: String,
    /// How the screens look: high contrast for bright or dirty places.
    #[arg(long, value_enum, default_value_t)]
    pub look: Look,
    /// How badges are read: `wedge` is a reader that types.
    #[arg(long, value_name = "wedge|evdev:DEV|pcsc", default_value = "wedge")]
    pub reader: Reader,
    /// How the reader writes a badge's number: `as-typed`, or `hex`, `hex-reversed`, `decimal`, `decimal-reversed` (reversed: least significant byte
    /// first), perhaps with the number's length in bytes.
    #[arg(long, value_name = "FORMAT[:BYTES]", env = "LINEPROOF_BADGE_NUMBER", default_value_t)]
    pub badge_number: BadgeFormat,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Opens the data, the key store and the clock, and says whether all is well: 0 yes, 1 no.
    #[command(after_help = "Example:\n  kiosk self-test --data /var/lib/lineproof")]
    SelfTest,
    /// Carries entries and documents by file, when no network reaches.
    #[command(subcommand)]
    Bundle(Bundle),
    /// Retires this terminal for good: gives everything to the server, waits until two people have signed there, and erases keys and data. 1: it
    /// was refused, and nothing was changed. Stopped half-way it goes on when it is called again.
    #[command(
        after_help = "Example:\n  kiosk retire --as dagmar --reason \"line 2 is closed\"\nthen, at the server:\n  sync-server kiosk retire K3 --as sven --and helga --reason \"line 2 is closed\""
    )]
    Retire(Retire),
}

/// Who retires the terminal, and why.
#[derive(Debug, Clone, Args)]
pub struct Retire {
    /// A supervisor of the place, or an administrator; the secret comes from LINEPROOF_SECRET or is asked for.
    #[arg(long = "as", value_name = "PERSON")]
    pub by: shared::id::PersonId,
    #[arg(long)]
    pub reason: String,
    /// Address of the server, when it has moved.
    #[arg(long, value_name = "URL", env = "LINEPROOF_SERVER")]
    pub server: Option<String>,
}

#[derive(Debug, Subcommand)]
pub enum Bundle {
    /// Writes everything held here into a file, with the documents in use. People's keys don't travel.
    #[command(after_help = "Example:\n  kiosk bundle export /media/usb/k3.lineproof")]
    Export { file: PathBuf },
    /// Takes in what a file brings: all of it, or nothing of one that was cut short, altered, or written for another plant or site. 1: it was
    /// refused, or is stale.
    #[command(after_help = "Example:\n  kiosk bundle import /media/usb/k3.lineproof")]
    Import { file: PathBuf },
}

/// Where the keys live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Keys {
    Folder(PathBuf),
    /// In a folder, sealed by the machine's TPM.
    Tpm(PathBuf),
}

impl Keys {
    fn folder(&self) -> &Path {
        let (Self::Folder(folder) | Self::Tpm(folder)) = self;
        folder
    }
}

impl FromStr for Keys {
    type Err = std::convert::Infallible;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match (text, text.strip_prefix("tpm:")) {
            ("tpm", _) => Self::Tpm(KEYS.into()),
            (_, Some(folder)) => Self::Tpm(folder.into()),
            _ => Self::Folder(text.into()),
        })
    }
}

impl Run {
    /// How badges are read.
    pub fn reading(&self) -> Reading {
        Reading { number: self.badge_number, ..Reading::default() }
    }

    /// How it takes part with other kiosks of the site; `None` when it doesn't.
    pub fn lan(&self) -> Option<Lan> {
        let Listen(Some(listen)) = self.lan else { return None };
        let peers = self.peers.iter().map(|Peer(address)| address.clone()).collect();
        Some(Lan { listen, peers, mdns: !self.no_mdns })
    }
}

/// Where to listen, or nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listen(pub Option<SocketAddr>);

impl FromStr for Listen {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match (text, text.parse()) {
            ("off", _) => Ok(Self(None)),
            (_, Ok(address)) => Ok(Self(Some(address))),
            _ => Err("it looks like 0.0.0.0:8444, [::]:8444 or off".into()),
        }
    }
}

/// The address of another kiosk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer(pub String);

impl FromStr for Peer {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts = text.rsplit_once(':').filter(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
        parts.map(|_| Self(text.to_owned())).ok_or_else(|| "another kiosk looks like k4.plant.example:8444".into())
    }
}

/// Width and height in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size(pub u32, pub u32);

impl FromStr for Size {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let size = text.split_once('x').and_then(|(width, height)| Some((width.parse().ok()?, height.parse().ok()?)));
        match size {
            Some((width, height)) if (1..=16_384).contains(&width) && (1..=16_384).contains(&height) => {
                Ok(Self(width, height))
            }
            _ => Err("a size looks like 1280x800".into()),
        }
    }
}

/// How the screens look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Look {
    #[default]
    Light,
    Dark,
    HighContrast,
}

impl From<Look> for view::Look {
    fn from(look: Look) -> Self {
        match look {
            Look::Light => Self::Light,
            Look::Dark => Self::Dark,
            Look::HighContrast => Self::HighContrast,
        }
    }
}

/// How badges are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reader {
    /// A reader that types like a keyboard.
    Wedge,
    Evdev(PathBuf),
    Pcsc,
}

impl FromStr for Reader {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match (text, text.strip_prefix("evdev:")) {
            ("wedge", _) => Ok(Self::Wedge),
            ("pcsc", _) => Ok(Self::Pcsc),
            (_, Some(device)) if !device.is_empty() => Ok(Self::Evdev(device.into())),
            _ => Err("a reader is `wedge`, `evdev:DEV` or `pcsc`".into()),
        }
    }
}

/// Why the kiosk can't run on its data.
#[derive(Debug, thiserror::Error)]
pub enum CannotRun {
    #[error("this build has no support for a TPM: give a folder with --key-store, or build it with the feature `tpm`")]
    NoTpm,
    #[error("this build reads badges with `--reader wedge` only")]
    NoReader,
    #[error("the keys lie inside the data folder, where a copy would take both: give another folder with --key-store")]
    KeysInData,
    #[error("another kiosk runs on {0}: end it first. Nothing was touched")]
    InUse(PathBuf),
    #[error(
        "{path} can't be used: {source}. Nothing was touched; check that it exists and belongs to the kiosk's user"
    )]
    Folder { path: PathBuf, source: io::Error },
}

/// The data folder, held against a second kiosk on it for as long as this lives.
#[derive(Debug)]
pub struct Held {
    _lock: File,
    data: PathBuf,
    keys: Keys,
    /// Where the TPM is, for keys that it seals.
    #[cfg(feature = "tpm")]
    tpm: String,
    sticks: Sticks,
}

impl Places {
    /// Holds the data folder for this process.
    pub fn hold(&self) -> Result<Held, CannotRun> {
        if cfg!(not(feature = "tpm")) && matches!(self.key_store, Keys::Tpm(_)) {
            return Err(CannotRun::NoTpm);
        }
        let unusable = |path: &Path| {
            let path = path.to_owned();
            move |source| CannotRun::Folder { path, source }
        };
        std::fs::create_dir_all(&self.data).map_err(unusable(&self.data))?;
        let absolute = |path: &Path| std::path::absolute(path).map_err(unusable(path));
        if absolute(self.key_store.folder())?.starts_with(absolute(&self.data)?) {
            return Err(CannotRun::KeysInData);
        }
        let path = self.data.join("in-use");
        let lock = File::options().create(true).truncate(false).write(true).open(&path).map_err(unusable(&path))?;
        match lock.try_lock() {
            Ok(()) => {
                let sticks = Sticks::at(self.sticks.clone());
                Ok(Held {
                    _lock: lock,
                    data: self.data.clone(),
                    keys: self.key_store.clone(),
                    #[cfg(feature = "tpm")]
                    tpm: self.tpm.clone(),
                    sticks,
                })
            }
            Err(TryLockError::WouldBlock) => Err(CannotRun::InUse(self.data.clone())),
            Err(TryLockError::Error(source)) => Err(CannotRun::Folder { path, source }),
        }
    }
}

impl Held {
    /// Opens the key store.
    pub fn keys(&self) -> io::Result<Box<dyn KeyStore>> {
        Ok(match &self.keys {
            Keys::Folder(folder) => Box::new(FileKeyStore::open(folder)?),
            #[cfg(feature = "tpm")]
            Keys::Tpm(folder) => Box::new(crate::key_store::tpm::TpmKeyStore::open(folder, &self.tpm)?),
            // [`Places::hold`] lets none through.
            #[cfg(not(feature = "tpm"))]
            Keys::Tpm(_) => return Err(io::Error::other(CannotRun::NoTpm)),
        })
    }

    /// Opens everything: called on the thread that is to own it, and again after a fault.
    pub fn open(&self) -> Result<Core, Denied> {
        let mut core = Core::open(&self.data, self.keys()?, Box::new(Machine::default()))?;
        core.sticks = self.sticks.clone();
        if let Err(error) = core.ledger().lengthen_log() {
            tracing::warn!(%error, "the write-ahead log could not be lengthened: signing takes a little longer");
        }
        Ok(core)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_as_the_interfaces_say() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
        let line = "kiosk --data d --key-store k --server https://s --enrol CODE --windowed 1280x800 --reader evdev:/dev/input/event3";
        let cli = Cli::try_parse_from(line.split(' ')).expect("it is usage");
        assert_eq!(cli.run.windowed, Some(Size(1280, 800)));
        assert_eq!(cli.run.reader, Reader::Evdev("/dev/input/event3".into()));
        assert_eq!(cli.places.key_store, Keys::Folder("k".into()));
        assert_eq!("tpm".parse(), Ok(Keys::Tpm(KEYS.into())));
        assert_eq!("tpm:/srv/keys".parse(), Ok(Keys::Tpm("/srv/keys".into())));
        let lan = cli.run.lan().expect("kiosks go on without a server unless they are told otherwise");
        assert!(lan.mdns && lan.peers.is_empty() && lan.listen.port() == 8444);
        let line = "kiosk --peer k4.plant.example:8444,10.0.0.5:8444 --no-mdns --lan [::]:9000";
        let lan = Cli::try_parse_from(line.split(' ')).expect("it is usage").run.lan().expect("it takes part");
        assert_eq!((lan.peers.len(), lan.mdns, lan.listen.port()), (2, false, 9000));
        assert!(Cli::try_parse_from(["kiosk", "--lan", "off"]).is_ok_and(|cli| cli.run.lan().is_none()));
        for line in [
            "kiosk self-test",
            "kiosk bundle export f",
            "kiosk bundle import f --json",
            "kiosk --headless",
            "kiosk --badge-number decimal-reversed:4",
            "kiosk --key-store tpm",
        ] {
            assert!(Cli::try_parse_from(line.split(' ')).is_ok(), "{line}");
        }
        for line in [
            "kiosk --peer k4",
            "kiosk --lan nowhere",
            "kiosk --windowed 12",
            "kiosk --reader mouse",
            "kiosk --badge-number octal",
            "kiosk --enrol CODE",
            "kiosk bundle",
        ] {
            assert!(Cli::try_parse_from(line.split(' ')).is_err(), "{line}");
        }
    }

    #[test]
    fn one_kiosk_a_folder_and_the_keys_outside_of_it() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let places = |keys: &str| Places {
            data: folder.path().join("data"),
            key_store: Keys::Folder(folder.path().join(keys)),
            tpm: String::new(),
            sticks: Vec::new(),
            json: false,
        };
        assert!(matches!(places("data/keys").hold(), Err(CannotRun::KeysInData)));
        let held = places("keys").hold().expect("the folder is free");
        assert!(matches!(places("keys").hold(), Err(CannotRun::InUse(_))));
        assert!(held.open().is_ok());
        drop(held);
        assert!(places("keys").hold().is_ok());
    }
}
