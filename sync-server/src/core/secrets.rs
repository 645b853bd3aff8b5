//! The server's own keys: kept in a file of their own, apart from the database and its backups.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use shared::id::{hex, unhex};
use shared::part11::pepper::{Pepper, PepperEpoch};
use shared::part11::signature::DeviceSecret;

use super::{Environment, folder};

/// What must not stand in a backup of the database: whoever has both can sign as the server.
pub struct ServerSecrets {
    pub device: DeviceSecret,
    /// The site's first pepper: seals people's keys and quiz answers until a kiosk is revoked, and names badges for good.
    pub pepper: Pepper,
}

/// The key file's name within the data folder.
pub const FILE: &str = "server.key";

impl ServerSecrets {
    /// Reads the key file; `None` when there is none.
    pub fn load(folder: &Path) -> io::Result<Option<Self>> {
        let path = folder.join(FILE);
        match fs::read_to_string(&path) {
            Ok(text) => Self::parse(&text).map(Some).ok_or_else(|| {
                io::Error::new(io::ErrorKind::InvalidData, format!("{} is not a key file", path.display()))
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Makes the server's identity, once, at the first start.
    pub fn make(folder: &Path, environment: &dyn Environment) -> io::Result<Self> {
        let (mut seed, mut pepper) = ([0; 32], [0; 32]);
        environment.random(&mut seed);
        environment.random(&mut pepper);
        let made = Self { device: DeviceSecret::from_seed(seed), pepper: Pepper(pepper) };
        write_private(&folder.join(FILE), made.to_text().as_bytes())?;
        Ok(made)
    }

    /// The pepper of any epoch there was or will be: this file never changes, and its copy in escrow never ages.
    pub fn pepper_of(&self, epoch: PepperEpoch) -> Pepper {
        if epoch == PepperEpoch::FIRST { self.pepper.clone() } else { Pepper::derived(&self.device.seed(), epoch) }
    }

    /// The key file's two lines.
    pub(super) fn to_text(&self) -> String {
        format!("{}\n{}\n", hex(&self.device.seed()), hex(&self.pepper.0))
    }

    /// Reads the two lines; what comes after them is another's.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines().map(|line| unhex(line).and_then(|bytes| <[u8; 32]>::try_from(bytes).ok()));
        let (seed, pepper) = (lines.next()??, lines.next()??);
        Some(Self { device: DeviceSecret::from_seed(seed), pepper: Pepper(pepper) })
    }
}

/// Writes a file that only its owner may read, whole or not at all.
pub fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    folder::appear_whole(path, |unfinished| {
        let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(unfinished)?;
        file.write_all(bytes)?;
        file.sync_all()
    })
}
