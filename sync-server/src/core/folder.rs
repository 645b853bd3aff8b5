//! The data folder: whose it is, and who may look into it.
//!
//! People's data and the server's keys lie in it, so only its owner may: the folder is 0700, each file 0600. A database belongs to the identity
//! in `server.key`: kiosks trust that key and no other, and what is sealed opens under its pepper alone.

use std::fs::{self, DirBuilder, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use shared::id::DeviceKey;
use store::Ledger;

use super::secrets::{self, ServerSecrets};
use super::{Environment, Refused};

/// The database's name within the data folder.
pub const DATABASE: &str = "server.sqlite";

/// Makes the folder, or shuts an open one.
pub fn prepare(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    fs::set_permissions(folder, Permissions::from_mode(0o700))
}

/// The server's identity: read, or made at the first start. A database without its key is not opened, for a new identity would be a stranger to
/// every kiosk and to every sealed box.
pub fn identity(folder: &Path, environment: &dyn Environment) -> Result<ServerSecrets, Refused> {
    if let Some(secrets) = ServerSecrets::load(folder)? {
        return Ok(secrets);
    }
    if folder.join(DATABASE).exists() {
        return Err(Refused::no(format!(
            "{} is missing beside an existing database: the server can't prove who it is. Nothing was changed, and the database is kept as it \
             is. Put the escrow copy of the key back under this name and start again; without any copy, begin in an empty folder and enrol \
             every kiosk anew: they hand over what they hold",
            folder.join(secrets::FILE).display()
        )));
    }
    Ok(ServerSecrets::make(folder, environment)?)
}

/// Opens the database so that only its owner can read it and what SQLite puts beside it (which takes over its permissions).
pub fn open_database(folder: &Path) -> Result<Ledger, Refused> {
    let path = folder.join(DATABASE);
    OpenOptions::new().create(true).append(true).mode(0o600).open(&path)?;
    for file in [path.clone(), beside(&path, "-wal"), beside(&path, "-shm")].iter().filter(|file| file.exists()) {
        fs::set_permissions(file, Permissions::from_mode(0o600))?;
    }
    Ok(crate::store::open(&path)?)
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// Refuses a key that this database has never been run with.
pub fn check_owner(ledger: &Ledger, folder: &Path, key: &DeviceKey) -> Result<(), Refused> {
    let servers = &ledger.world().servers;
    if servers.is_empty() || servers.contains(key) {
        return Ok(());
    }
    Err(Refused::no(format!(
        "{} is not the key of this database: it belongs to another server. Nothing was changed, both are kept. Put the key that belongs here back \
         under this name and start again",
        folder.join(secrets::FILE).display()
    )))
}
