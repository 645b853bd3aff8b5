//! A bundle as a file: pieces, each after its length, then the manifest, compressed as one stream.
//!
//! A file is written under an unfinished name and appears whole or not at all. It is read twice: first all of it is checked against its manifest
//! and nothing is taken; then it is taken piece by piece. So a file that was cut short, altered or written elsewhere costs nothing.

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Seek, Write};
use std::path::{Path, PathBuf};

use shared::id::Digest32;
use shared::sync::bundle::{BadBundle, MAX_PIECES, Manifest};
use shared::sync::message::{Give, MAX_MESSAGE_BYTES};

use crate::blobs::MAX_BLOB_BYTES;

/// Largest content of a bundle, in bytes before compression.
pub const MAX_CONTENT_BYTES: u64 = 4 << 30;

/// What a file of any bundle begins with, decompressed.
const BEGINNING: &[u8] = b"lineproof bundle 1\n";
const ZSTD_LEVEL: i32 = 3;
/// The most memory a file may ask for while it is decompressed, as a power of two.
const WINDOW_LOG: u32 = 23;
/// What a piece is, in its first byte.
const ENTRIES: u8 = 1;
const BLOB: u8 = 2;
/// A length that says: the manifest comes next.
const END: u32 = 0;

/// One piece.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// The bytes of a [`Give`].
    Entries(Vec<u8>),
    Blob(Vec<u8>),
}

/// Why a file was not read.
#[derive(Debug, thiserror::Error)]
pub enum NotRead {
    #[error("{0}")]
    Bad(#[from] BadBundle),
    #[error("{0}")]
    Io(io::Error),
}

impl From<io::Error> for NotRead {
    /// What the operating system says is its own; everything else is said by the decompression, of the bytes.
    fn from(error: io::Error) -> Self {
        match error.raw_os_error() {
            Some(_) => Self::Io(error),
            None => unreadable(error),
        }
    }
}

fn unreadable(why: impl ToString) -> NotRead {
    BadBundle::Unreadable(why.to_string()).into()
}

/// A bundle that is being written. Dropped before [`finish`](Self::finish), nothing of it stays.
pub struct Writer {
    out: Option<zstd::Encoder<'static, BufWriter<File>>>,
    unfinished: PathBuf,
    path: PathBuf,
    pieces: u32,
    digest: Digest32,
    content: u64,
}

impl Writer {
    pub fn create(path: &Path) -> io::Result<Self> {
        let mut unfinished = path.as_os_str().to_owned();
        unfinished.push(".part");
        let unfinished = PathBuf::from(unfinished);
        // What a write that was cut off left, or a link that somebody put there, is not written through.
        match fs::remove_file(&unfinished) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut out = zstd::Encoder::new(BufWriter::new(File::create_new(&unfinished)?), ZSTD_LEVEL)?;
        out.write_all(BEGINNING)?;
        let (path, digest) = (path.to_owned(), Digest32([0; 32]));
        Ok(Self { out: Some(out), unfinished, path, pieces: 0, digest, content: 0 })
    }

    /// How much was written so far, in bytes before compression.
    pub fn content_bytes(&self) -> u64 {
        self.content
    }

    /// Whether one more piece can be written.
    pub fn has_room(&self) -> bool {
        self.pieces < MAX_PIECES
    }

    pub fn write(&mut self, piece: &Piece) -> io::Result<()> {
        let (kind, content) = match piece {
            Piece::Entries(bytes) => (ENTRIES, bytes),
            Piece::Blob(bytes) => (BLOB, bytes),
        };
        let bytes = [&[kind], content.as_slice()].concat();
        let length = u32::try_from(bytes.len()).map_err(|_| io::Error::from(io::ErrorKind::FileTooLarge))?;
        self.content += u64::from(length);
        if !self.has_room() || self.content > MAX_CONTENT_BYTES {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "there is more than a bundle may hold"));
        }
        let out = self.out.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        out.write_all(&length.to_be_bytes())?;
        out.write_all(&bytes)?;
        (self.pieces, self.digest) = (self.pieces + 1, Manifest::chain(&self.digest, &bytes));
        Ok(())
    }

    /// Ends the bundle with what `manifest` makes of the number of pieces and their digest. On the disk when this returns.
    pub fn finish<E: From<io::Error>>(
        mut self,
        manifest: impl FnOnce(u32, Digest32) -> Result<Vec<u8>, E>,
    ) -> Result<(), E> {
        let manifest = manifest(self.pieces, self.digest)?;
        let mut out = self.out.take().ok_or_else(|| io::Error::from(io::ErrorKind::BrokenPipe))?;
        out.write_all(&END.to_be_bytes())?;
        out.write_all(&manifest)?;
        let file = out.finish()?.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_all()?;
        fs::rename(&self.unfinished, &self.path)?;
        if let Some(folder) = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            File::open(folder)?.sync_all()?;
        }
        Ok(())
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // After `finish` there is none; else it is only in the way, on a full stick above all.
        let _ = fs::remove_file(&self.unfinished);
    }
}

/// A bundle whose every byte is what its writer signed. Who that is, the manifest says; whether it counts here, the protocol.
pub struct Checked {
    file: File,
    manifest: Manifest,
}

impl Checked {
    /// Looks through the whole file.
    pub fn open(path: &Path) -> Result<Self, NotRead> {
        let file = File::open(path)?;
        let mut through = Through::begin(&file)?;
        let (mut pieces, mut digest) = (0, Digest32([0; 32]));
        while let Some(bytes) = through.next_bytes()? {
            pieces += 1;
            if pieces > MAX_PIECES {
                return Err(unreadable("it has too many pieces"));
            }
            digest = Manifest::chain(&digest, &bytes);
            if let Piece::Entries(bytes) = piece_of(bytes)? {
                Give::read(&bytes).map_err(unreadable)?;
            }
        }
        let manifest = Manifest::open(&through.rest()?)?;
        if (manifest.pieces, manifest.digest) != (pieces, digest) {
            return Err(BadBundle::Altered.into());
        }
        Ok(Self { file, manifest })
    }

    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The pieces, one after the other, up to the first for which `take` gives an error.
    pub fn pieces<E: From<NotRead>>(mut self, mut take: impl FnMut(Piece) -> Result<(), E>) -> Result<(), E> {
        self.file.rewind().map_err(NotRead::from)?;
        let mut through = Through::begin(&self.file)?;
        let mut digest = Digest32([0; 32]);
        for _ in 0..self.manifest.pieces {
            let bytes = through.next_bytes()?.ok_or(NotRead::Bad(BadBundle::Altered))?;
            digest = Manifest::chain(&digest, &bytes);
            take(piece_of(bytes)?)?;
        }
        // Somebody wrote to the file meanwhile. What was taken spoke for itself, entry by entry.
        if digest == self.manifest.digest { Ok(()) } else { Err(NotRead::Bad(BadBundle::Altered).into()) }
    }
}

/// A way through a file's content, from its beginning.
struct Through<'f> {
    content: io::Take<zstd::Decoder<'static, BufReader<&'f File>>>,
}

impl<'f> Through<'f> {
    fn begin(file: &'f File) -> Result<Self, NotRead> {
        let mut decoder = zstd::Decoder::new(file)?;
        decoder.window_log_max(WINDOW_LOG)?;
        let mut through = Self { content: decoder.take(MAX_CONTENT_BYTES) };
        let mut beginning = [0; BEGINNING.len()];
        through.content.read_exact(&mut beginning)?;
        if beginning == *BEGINNING { Ok(through) } else { Err(unreadable("it begins otherwise")) }
    }

    /// The bytes of the next piece; `None` where the manifest begins.
    fn next_bytes(&mut self) -> Result<Option<Vec<u8>>, NotRead> {
        let mut length = [0; 4];
        self.content.read_exact(&mut length)?;
        match u32::from_be_bytes(length) {
            END => Ok(None),
            length if u64::from(length) > MAX_BLOB_BYTES.max(MAX_MESSAGE_BYTES as u64) + 1 => {
                Err(unreadable("a piece is larger than it may be"))
            }
            length => {
                // Memory is asked for as bytes come, not as the file promises.
                let mut bytes = Vec::new();
                let read = self.content.by_ref().take(u64::from(length)).read_to_end(&mut bytes)?;
                if read == length as usize { Ok(Some(bytes)) } else { Err(unreadable("its end is missing")) }
            }
        }
    }

    /// Everything to the end: the manifest.
    fn rest(mut self) -> Result<Vec<u8>, NotRead> {
        let mut bytes = Vec::new();
        let limit = MAX_MESSAGE_BYTES as u64 + 1;
        self.content.by_ref().take(limit).read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

fn piece_of(mut bytes: Vec<u8>) -> Result<Piece, NotRead> {
    let kind = bytes.first().copied();
    match kind {
        Some(ENTRIES) => Ok(Piece::Entries(bytes.split_off(1))),
        Some(BLOB) => Ok(Piece::Blob(bytes.split_off(1))),
        _ => Err(unreadable("it has a piece of a kind that isn't known here")),
    }
}
