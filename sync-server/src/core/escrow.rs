//! The keys that no backup holds, in one file of their own: whoever has a backup *and* this file can be the server, whoever has one of them can't.
//!
//! It holds the server's signing key, from which the peppers of later epochs follow, and the site's first pepper (the two lines of `server.key`), then the certificate authority that kiosks have pinned.
//! Without the first nobody can go on as this server; without the second no kiosk would call it.

use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};
use shared::id::DeviceKey;
use shared::time::Timestamp;

use super::secrets::{self, ServerSecrets, write_private};
use super::{Refused, folder};
use crate::tls::{self, Authority};

/// The server's keys as they lie in escrow.
pub struct Escrow {
    pub secrets: ServerSecrets,
    authority: tls::Files,
}

/// When something was last put away, and where: kept in the data folder, so that `doctor` can say how long ago it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PutAway {
    pub at: Timestamp,
    pub file: String,
}

/// Remembers when keys were last copied into escrow.
pub const ESCROW_NOTE: &str = "last-escrow.json";
/// Remembers when the last backup was made.
pub const BACKUP_NOTE: &str = "last-backup.json";

impl PutAway {
    /// Where the file is, from wherever one looks.
    pub fn of(file: &Path, at: Timestamp) -> Self {
        let file = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
        Self { at, file: file.display().to_string() }
    }

    pub fn read(folder: &Path, note: &str) -> Option<Self> {
        serde_json::from_slice(&fs::read(folder.join(note)).ok()?).ok()
    }

    /// A note that can't be kept takes nothing from what was put away.
    pub fn keep(&self, folder: &Path, note: &str) {
        let kept =
            serde_json::to_vec(self).map_err(io::Error::from).and_then(|text| write_private(&folder.join(note), &text));
        if let Err(error) = kept {
            tracing::warn!(%error, note, "when this was done could not be noted in the data folder");
        }
    }
}

impl Escrow {
    /// The keys of a data folder, whether its database can be opened or not.
    pub fn of_folder(folder: &Path) -> Result<Self, Refused> {
        let secrets = ServerSecrets::load(folder)?.ok_or_else(|| {
            Refused::no(format!("{} holds no {}: there is nothing to put into escrow", folder.display(), secrets::FILE))
        })?;
        let authority = tls::Files::read(folder).map_err(|why| Refused::no(why.to_string()))?.ok_or_else(|| {
            Refused::no("there is no certificate authority yet: start the server once, then copy its keys")
        })?;
        Ok(Self { secrets, authority })
    }

    /// Reads an escrow file.
    pub fn read(file: &Path) -> Result<Self, Refused> {
        let named = file.display();
        let text = fs::read_to_string(file).map_err(|why| Refused::no(format!("{named} can't be read: {why}")))?;
        let secrets = ServerSecrets::parse(&text).ok_or_else(|| {
            Refused::no(format!(
                "{named} is not an escrow file: it doesn't begin with the server's two keys. Nothing was written"
            ))
        })?;
        let authority = tls::Files::parse(&text).ok_or_else(|| {
            Refused::no(format!(
                "{named} holds the server's key, and no certificate authority: no kiosk would trust a new one. Nothing was written. Append \
                 tls/authority.key and tls/authority.pem of the old data folder, or enrol every kiosk anew with a server of its own"
            ))
        })?;
        Authority::of_files(&authority).map_err(|why| Refused::no(format!("{named}: {why}. Nothing was written")))?;
        Ok(Self { secrets, authority })
    }

    pub fn server(&self) -> DeviceKey {
        self.secrets.device.key()
    }

    /// Writes the file that goes into the safe. Never over another.
    pub fn write(&self, file: &Path) -> Result<(), Refused> {
        folder::refuse_existing(file)?;
        let text = format!("{}{}{}", self.secrets.to_text(), self.authority.key, self.authority.certificate);
        Ok(write_private(file, text.as_bytes())?)
    }

    /// Puts the keys where a server reads them.
    pub(super) fn install(&self, folder: &Path) -> Result<(), Refused> {
        write_private(&folder.join(secrets::FILE), self.secrets.to_text().as_bytes())?;
        Ok(self.authority.write(folder)?)
    }
}
