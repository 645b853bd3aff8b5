//! The data folder: whose it is, and who may look into it.
//!
//! People's data and the server's keys lie in it, so only its owner may: the folder is 0700, each file 0600. A database belongs to the identity
//! in `server.key`: kiosks trust that key and no other, and what is sealed opens under its peppers alone.

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
/// Stands in a folder from the first to the last step of a restore: what lies beside it is half of something.
const RESTORING: &str = "restoring";
/// What may lie in a folder that counts as empty: nobody's data.
const NO_DATA: [&str; 2] = ["lock", "config.toml"];

/// Makes the folder, or shuts an open one.
pub fn prepare(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    fs::set_permissions(folder, Permissions::from_mode(0o700))
}

/// Refuses a folder in which a restore was cut short.
pub fn refuse_half_restored(folder: &Path) -> Result<(), Refused> {
    if !folder.join(RESTORING).exists() {
        return Ok(());
    }
    Err(Refused::no(format!(
        "a restore into {} was cut short, so what lies there is half of a server. Nothing was changed. The backup and the keys are as they were: \
         empty the folder and restore again",
        folder.display()
    )))
}

/// Begins a restore into a folder without data. A crash from here to [`end_restore`] leaves a folder that no server starts on.
pub fn begin_restore(folder: &Path) -> Result<(), Refused> {
    prepare(folder)?;
    refuse_half_restored(folder)?;
    for file in fs::read_dir(folder)? {
        let name = file?.file_name();
        if !NO_DATA.iter().any(|permitted| name == *permitted) {
            return Err(Refused::no(format!(
                "{} is not empty: {} lies there. Nothing was changed. Name a new folder, or move the old one aside; keep it, for it may hold what \
                 the backup doesn't",
                folder.display(),
                name.to_string_lossy()
            )));
        }
    }
    Ok(secrets::write_private(&folder.join(RESTORING), b"")?)
}

/// Everything is in place and on the disk.
pub fn end_restore(folder: &Path) -> Result<(), Refused> {
    fs::remove_file(folder.join(RESTORING))?;
    Ok(fs::File::open(folder)?.sync_all()?)
}

/// The folder in which a file lies, also where it is named without one.
pub fn parent(file: &Path) -> &Path {
    file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Refuses to write over a file.
pub fn refuse_existing(file: &Path) -> Result<(), Refused> {
    if fs::symlink_metadata(file).is_err() {
        return Ok(());
    }
    Err(Refused::no(format!(
        "{} is there already, and is kept. Nothing was written; name another file",
        file.display()
    )))
}

/// The server's identity: read, or made at the first start. A database without its key is not opened, for a new identity would be a stranger to
/// every kiosk and to every sealed box.
pub fn identity(folder: &Path, environment: &dyn Environment) -> Result<ServerSecrets, Refused> {
    if folder.join(DATABASE).exists() {
        return existing_identity(folder);
    }
    Ok(match ServerSecrets::load(folder)? {
        Some(secrets) => secrets,
        None => ServerSecrets::make(folder, environment)?,
    })
}

/// That of a server which has been here before.
pub fn existing_identity(folder: &Path) -> Result<ServerSecrets, Refused> {
    ServerSecrets::load(folder)?.ok_or_else(|| {
        Refused::no(format!(
            "{} is missing beside an existing database: the server can't prove who it is. Nothing was changed, and the database is kept as it \
             is. Put the escrow copy of the key back under this name and start again; without any copy, begin in an empty folder and enrol \
             every kiosk anew: they hand over what they hold",
            folder.join(secrets::FILE).display()
        ))
    })
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

/// Lets a file appear whole, or not at all: `write` writes and syncs it under a name that nobody else gives a file of theirs.
pub fn appear_whole<T, E: From<io::Error>>(file: &Path, write: impl FnOnce(&Path) -> Result<T, E>) -> Result<T, E> {
    let unfinished = beside(file, &format!(".part-{}", std::process::id()));
    let renamed = write(&unfinished).and_then(|written| {
        fs::rename(&unfinished, file)?;
        Ok(written)
    });
    if renamed.is_err() {
        // What was begun is only in the way, and may be a key; that it can't be removed adds nothing to the error.
        let _ = fs::remove_file(&unfinished);
        let _ = fs::remove_file(beside(&unfinished, "-journal"));
    }
    let written = renamed?;
    fs::File::open(parent(file))?.sync_all()?;
    Ok(written)
}

/// A file's name with an ending more.
pub fn beside(path: &Path, ending: &str) -> PathBuf {
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
