//! Blobs on disk, named by what they hold: contents of procedures, quiz papers, evidence files.
//!
//! A blob is written to a temporary name of its own, synced, renamed, and its folder synced: a restart finds it whole or not at all, however
//! many write it at once. Only the folder's owner can read it. Reading checks the digest again.

use std::collections::BTreeSet;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use shared::id::Digest32;

/// Largest blob, in bytes.
pub const MAX_BLOB_BYTES: u64 = 50 * 1024 * 1024;

/// How many blobs are written at a time when there are many.
const WRITERS: usize = 8;

/// A folder of blobs.
#[derive(Debug, Clone)]
pub struct Blobs {
    root: PathBuf,
}

impl Blobs {
    pub fn open(root: &Path) -> io::Result<Self> {
        private_folder(root)?;
        Ok(Self { root: root.to_owned() })
    }

    fn path(&self, digest: &Digest32) -> PathBuf {
        let name = digest.to_string();
        self.root.join(&name[..2]).join(name)
    }

    pub fn has(&self, digest: &Digest32) -> bool {
        self.path(digest).is_file()
    }

    /// Every blob that is here, in the order of their names. What a crash has left unfinished is none.
    pub fn all(&self) -> io::Result<Vec<Digest32>> {
        let mut found = Vec::new();
        for folder in fs::read_dir(&self.root)? {
            let folder = folder?;
            if !folder.file_type()?.is_dir() {
                continue;
            }
            for file in fs::read_dir(folder.path())? {
                found.extend(file?.file_name().to_str().and_then(|name| name.parse::<Digest32>().ok()));
            }
        }
        found.sort_unstable();
        Ok(found)
    }

    /// The blob's bytes; `None` when it isn't here. Bytes that don't match their name are an error: the disk has changed them.
    pub fn read(&self, digest: &Digest32) -> io::Result<Option<Vec<u8>>> {
        match fs::read(self.path(digest)) {
            Ok(bytes) if Digest32::of(&bytes) == *digest => Ok(Some(bytes)),
            Ok(_) => Err(altered(digest)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The blob as an open file, at its beginning, and its length; `None` when it isn't here. Its digest was checked in pieces: however large it
    /// is, it costs no memory.
    pub fn open_file(&self, digest: &Digest32) -> io::Result<Option<(File, u64)>> {
        let mut file = match File::open(self.path(digest)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        if Digest32::of_pieces(|piece| file.read(piece))? != *digest {
            return Err(altered(digest));
        }
        let length = file.stream_position()?;
        file.rewind()?;
        Ok(Some((file, length)))
    }

    /// Keeps bytes under their own digest; on the disk when this returns.
    pub fn write(&self, bytes: &[u8]) -> io::Result<Digest32> {
        let digest = Digest32::of(bytes);
        // Also for bytes that were there already: whoever renamed them may not have synced the folder yet.
        sync(&self.put(&digest, bytes)?)?;
        Ok(digest)
    }

    /// Keeps many at once, each read by its digest, which `read` checks, when its turn comes; on the disk when this returns. Disks sync several files in hardly more
    /// time than one, and each folder is synced once.
    pub fn write_many(
        &self,
        digests: &[Digest32],
        read: &(dyn Fn(&Digest32) -> io::Result<Vec<u8>> + Sync),
    ) -> io::Result<()> {
        let next = AtomicUsize::new(0);
        let work = || {
            let mut folders = BTreeSet::new();
            while let Some(digest) = digests.get(next.fetch_add(1, Ordering::Relaxed)) {
                folders.insert(self.put(digest, &read(digest)?)?);
            }
            Ok(folders)
        };
        let done: Vec<io::Result<BTreeSet<PathBuf>>> = std::thread::scope(|scope| {
            let workers: Vec<_> = (0..WRITERS.min(digests.len())).map(|_| scope.spawn(work)).collect();
            let broken = || io::Error::other("writing contents broke off");
            workers.into_iter().map(|worker| worker.join().unwrap_or_else(|_| Err(broken()))).collect()
        });
        let folders = done.into_iter().collect::<io::Result<Vec<_>>>()?;
        folders.into_iter().flatten().collect::<BTreeSet<_>>().iter().try_for_each(|folder| sync(folder))
    }

    /// Puts bytes under their name, unless they are there; gives the folder, which isn't synced yet.
    fn put(&self, digest: &Digest32, bytes: &[u8]) -> io::Result<PathBuf> {
        let path = self.path(digest);
        let folder = path.parent().unwrap_or(&self.root);
        if !path.is_file() {
            if !folder.is_dir() {
                private_folder(folder)?;
                sync(&self.root)?;
            }
            write_whole(&folder.join(unfinished_name(digest)), &path, bytes)?;
        }
        Ok(folder.to_owned())
    }
}

fn altered(digest: &Digest32) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("blob {} was altered on disk", digest.short()))
}

/// A name that no other write uses, in this process or beside it. One that is left over from a crash may be written over.
fn unfinished_name(digest: &Digest32) -> String {
    static WRITES: AtomicU64 = AtomicU64::new(0);
    format!("{digest}.part-{}-{}", std::process::id(), WRITES.fetch_add(1, Ordering::Relaxed))
}

/// Writes to the unfinished name, and gives it the right one once it is on the disk.
fn write_whole(unfinished: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let written = private_file(unfinished).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    let renamed = written.and_then(|()| fs::rename(unfinished, path));
    if renamed.is_err() {
        // What was begun is only in the way, on a full disk above all; that it can't be removed adds nothing to the error.
        let _ = fs::remove_file(unfinished);
    }
    renamed
}

fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

fn private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

fn private_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r17_many_may_write_one_blob_at_once_and_nothing_is_left_over() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(&folder.path().join("blobs")).unwrap();
        for round in 0..50u32 {
            let bytes = round.to_be_bytes().repeat(5_000);
            std::thread::scope(|scope| {
                let writers: Vec<_> = (0..8).map(|_| scope.spawn(|| blobs.write(&bytes))).collect();
                for writer in writers {
                    assert_eq!(writer.join().unwrap().unwrap(), Digest32::of(&bytes));
                }
            });
            assert_eq!(blobs.read(&Digest32::of(&bytes)).unwrap().unwrap(), bytes);
        }
        let named = fs::read_dir(folder.path().join("blobs"))
            .unwrap()
            .flat_map(|below| fs::read_dir(below.unwrap().path()).unwrap());
        assert!(named.map(|file| file.unwrap().file_name()).all(|name| !name.to_string_lossy().contains("part")));
    }

    #[test]
    fn k2_many_blobs_are_kept_at_once_or_it_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(folder.path()).unwrap();
        let bytes = |number: u32| number.to_be_bytes().repeat(9);
        let digests: Vec<Digest32> = (0..300).map(|number| Digest32::of(&bytes(number))).collect();
        let of = |digest: &Digest32| bytes(digests.iter().position(|known| known == digest).unwrap() as u32);
        blobs.write_many(&digests, &|digest| Ok(of(digest))).unwrap();
        assert!(digests.iter().all(|digest| blobs.read(digest).unwrap() == Some(of(digest))));
        let mut sorted = digests.clone();
        sorted.sort_unstable();
        assert_eq!(blobs.all().unwrap(), sorted);
        let missing = |_: &Digest32| Err(io::Error::from(io::ErrorKind::NotFound));
        assert!(blobs.write_many(&[Digest32([1; 32])], &missing).is_err());
        blobs.write_many(&[], &missing).unwrap();
    }
}
