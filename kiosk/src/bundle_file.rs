//! Writing and reading bundles ([`store::bundle`]): with the command line, and from the terminal-status screen.

use std::io;
use std::path::{Path, PathBuf};

use shared::sync::bundle::{BadBundle, Sender};
use shared::sync::terminal::Gift;
use store::bundle::{Checked, MAX_CONTENT_BYTES, NotRead, Piece, Writer};

use crate::core::peer::Brought;
use crate::core::{Core, Denied};

/// Documents are left out where a bundle would grow beyond this, in bytes before compression, or has no piece left; entries never are, and come
/// first.
const ROOM_FOR_BLOBS: u64 = MAX_CONTENT_BYTES / 2;

/// Why a bundle was not carried.
#[derive(Debug, thiserror::Error)]
pub enum NotCarried {
    #[error("{0}")]
    Denied(#[from] Denied),
    #[error("{file}: {source}. What is held here is untouched; look at the stick, or take another")]
    Io { file: PathBuf, source: io::Error },
    #[error("{file}: {why}. Nothing was taken, and the file is as it was")]
    Refused { file: PathBuf, why: BadBundle },
}

/// What was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Written {
    pub entries: usize,
    pub blobs: usize,
    /// Documents for which there was no room.
    pub blobs_left_out: usize,
}

/// What a bundle brought, and from whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    pub from: Sender,
    pub brought: Brought,
}

/// Writes everything held here, with the documents and quiz papers in use. The file appears whole or not at all.
pub fn export(core: &mut Core, file: &Path) -> Result<Written, NotCarried> {
    let failed = |source| NotCarried::Io { file: file.to_owned(), source };
    let mut writer = Writer::create(file).map_err(failed)?;
    let (mut written, mut gift) = (Written::default(), Gift::default());
    loop {
        let piece = core.bundle_piece(&mut gift)?;
        writer.write(&Piece::Entries(piece.to_bytes())).map_err(failed)?;
        written.entries += piece.entries.len();
        if !piece.more {
            break;
        }
    }
    for digest in core.blobs_in_use() {
        let Some(bytes) = core.blobs().read(&digest).map_err(Denied::from)? else { continue };
        if !writer.has_room() || writer.content_bytes() + bytes.len() as u64 > ROOM_FOR_BLOBS {
            written.blobs_left_out += 1;
            continue;
        }
        writer.write(&Piece::Blob(bytes)).map_err(failed)?;
        written.blobs += 1;
    }
    let finished = writer.finish(|pieces, digest| core.bundle_manifest(pieces, digest).map_err(Unfinished::Denied));
    finished.map_err(|why| match why {
        Unfinished::Denied(denied) => denied.into(),
        Unfinished::Io(source) => failed(source),
    })?;
    Ok(written)
}

enum Unfinished {
    Denied(Denied),
    Io(io::Error),
}

impl From<io::Error> for Unfinished {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Takes in what a file brings. It is looked through first: of a file that was cut short or altered, or that another plant's server or another
/// site's kiosk wrote, nothing is taken. One that brings no news is stale, and said to be.
pub fn import(core: &mut Core, file: &Path) -> Result<Taken, NotCarried> {
    let refused = |why| NotCarried::Refused { file: file.to_owned(), why };
    let not_read = |why| match why {
        NotRead::Bad(why) => refused(why),
        NotRead::Io(source) => NotCarried::Io { file: file.to_owned(), source },
    };
    let checked = Checked::open(file).map_err(not_read)?;
    let from = core.bundle_sender(checked.manifest())?.map_err(refused)?;
    let mut brought = Brought::default();
    let took = checked.pieces(|piece| -> Result<(), Untaken> {
        brought.add(match piece {
            Piece::Entries(bytes) => core.take_gift(&bytes)?,
            Piece::Blob(bytes) => core.take_blob(&bytes)?,
        });
        Ok(())
    });
    match took {
        Err(Untaken::Denied(denied)) => Err(denied.into()),
        Err(Untaken::NotRead(why)) => Err(not_read(why)),
        Ok(()) if brought == Brought::default() => Err(refused(BadBundle::Stale)),
        Ok(()) => Ok(Taken { from, brought }),
    }
}

enum Untaken {
    Denied(Denied),
    NotRead(NotRead),
}

impl From<Denied> for Untaken {
    fn from(denied: Denied) -> Self {
        Self::Denied(denied)
    }
}

impl From<NotRead> for Untaken {
    fn from(why: NotRead) -> Self {
        Self::NotRead(why)
    }
}
