//! Blobs on disk, named by what they hold: contents of procedures, quiz papers, evidence files.
//!
//! A blob is written to a temporary name, synced, renamed, and its folder synced: a restart finds it whole or not at all. Reading
//! checks the digest again.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use shared::id::Digest32;

/// Largest blob, in bytes.
pub const MAX_BLOB_BYTES: u64 = 50 * 1024 * 1024;

/// A folder of blobs.
#[derive(Debug, Clone)]
pub struct Blobs {
    root: PathBuf,
}

impl Blobs {
    pub fn open(root: &Path) -> io::Result<Self> {
        fs::create_dir_all(root)?;
        Ok(Self { root: root.to_owned() })
    }

    fn path(&self, digest: &Digest32) -> PathBuf {
        let name = digest.to_string();
        self.root.join(&name[..2]).join(name)
    }

    pub fn has(&self, digest: &Digest32) -> bool {
        self.path(digest).is_file()
    }

    /// The blob's bytes; `None` when it isn't here. Bytes that don't match their name are an error: the disk has changed them.
    pub fn read(&self, digest: &Digest32) -> io::Result<Option<Vec<u8>>> {
        match fs::read(self.path(digest)) {
            Ok(bytes) if Digest32::of(&bytes) == *digest => Ok(Some(bytes)),
            Ok(_) => {
                Err(io::Error::new(io::ErrorKind::InvalidData, format!("blob {} was altered on disk", digest.short())))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Keeps bytes under their own digest.
    pub fn write(&self, bytes: &[u8]) -> io::Result<Digest32> {
        let digest = Digest32::of(bytes);
        let path = self.path(&digest);
        if path.is_file() {
            return Ok(digest);
        }
        let folder = path.parent().unwrap_or(&self.root);
        fs::create_dir_all(folder)?;
        let unfinished = folder.join(format!("{digest}.part-{}", std::process::id()));
        let mut file = File::create(&unfinished)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&unfinished, &path)?;
        File::open(folder)?.sync_all()?;
        Ok(digest)
    }
}
