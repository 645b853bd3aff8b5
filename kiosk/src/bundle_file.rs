//! An exchange bundle as a file: a CBOR array of [`Give`] messages.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use shared::kind::to_cbor;
use shared::sync::message::Give;

use crate::core::{Core, Denied};

/// Largest file that is taken in, in bytes: it is read whole.
pub const LARGEST_FILE: u64 = 1 << 30;

/// Why a bundle was not carried.
#[derive(Debug, thiserror::Error)]
pub enum NotCarried {
    #[error("{0}")]
    Denied(#[from] Denied),
    #[error("{file}: {source}. What is held here is untouched")]
    Io { file: PathBuf, source: io::Error },
    #[error(
        "{0} is not a bundle, or was cut short; what came before the bad place was taken in, and doing it again with a whole one is safe"
    )]
    Unreadable(PathBuf),
}

/// What a bundle brought.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Taken {
    pub held: usize,
    /// Why pieces were refused.
    pub refused: Vec<String>,
}

/// Writes everything held here; how many entries that are. The file appears whole or not at all.
pub fn export(core: &mut Core, file: &Path) -> Result<usize, NotCarried> {
    let pieces = core.bundle()?;
    let entries = pieces.iter().map(|piece| piece.entries.len()).sum();
    let failed = |source| NotCarried::Io { file: file.to_owned(), source };
    let mut name = file.as_os_str().to_owned();
    name.push(".part");
    let part = PathBuf::from(name);
    let write = || -> io::Result<()> {
        let mut out = File::create(&part)?;
        out.write_all(&to_cbor(&pieces))?;
        out.sync_all()?;
        std::fs::rename(&part, file)
    };
    write().map_err(failed)?;
    Ok(entries)
}

/// Takes in what a file brings, piece by piece.
pub fn import(core: &mut Core, file: &Path) -> Result<Taken, NotCarried> {
    let failed = |source| NotCarried::Io { file: file.to_owned(), source };
    let too_large = || io::Error::new(io::ErrorKind::FileTooLarge, "larger than a bundle may be");
    if std::fs::metadata(file).map_err(failed)?.len() > LARGEST_FILE {
        return Err(failed(too_large()));
    }
    let bytes = std::fs::read(file).map_err(failed)?;
    let unreadable = |_| NotCarried::Unreadable(file.to_owned());
    let mut decoder = minicbor::Decoder::new(&bytes);
    let pieces = decoder.array().map_err(unreadable)?;
    let mut taken = Taken::default();
    for _ in 0..pieces.unwrap_or(0) {
        let piece: Give = decoder.decode().map_err(unreadable)?;
        let news = core.take_bundle(&piece)?;
        taken.held += news.held;
        taken.refused.extend(news.dropped);
    }
    Ok(taken)
}
