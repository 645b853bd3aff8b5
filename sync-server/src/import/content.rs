//! The content files that versions name: what they are, what they weigh, and that nothing outside the folder is read.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::{Path, PathBuf};

use shared::id::Digest32;
use shared::kind::plant::Format;

use super::source::{Source, Why, why};

/// Largest content file, in bytes.
pub const MAX_CONTENT_BYTES: u64 = 50 * 1024 * 1024;
/// How much of either end of a PDF its marks must stand in.
const PDF_END_BYTES: usize = 1024;

/// Something that is named by its digest: a content file, or the paper of a quiz.
#[derive(Debug, Clone)]
pub enum Blob {
    File { path: PathBuf, size: u64 },
    Bytes(Vec<u8>),
}

impl Blob {
    /// In bytes.
    pub fn size(&self) -> u64 {
        match self {
            Self::File { size, .. } => *size,
            Self::Bytes(bytes) => bytes.len() as u64,
        }
    }

    /// The blob's bytes, if they still are what `digest` names; a file that changed since the folder was read is an error.
    pub fn read(&self, digest: &Digest32) -> io::Result<Vec<u8>> {
        let bytes = match self {
            Self::Bytes(bytes) => bytes.clone(),
            Self::File { path, .. } => std::fs::read(path)?,
        };
        if Digest32::of(&bytes) == *digest {
            Ok(bytes)
        } else {
            Err(io::Error::new(io::ErrorKind::InvalidData, "the content file changed while it was being imported"))
        }
    }
}

/// A content file that was found good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seen {
    pub digest: Digest32,
    pub size: u64,
    pub format: Format,
}

/// The content files met so far; each is read once, however many rows name it.
#[derive(Default)]
pub(super) struct Contents {
    seen: HashMap<String, Result<Seen, Why>>,
}

impl Contents {
    /// Reads and checks the file a cell names.
    pub fn look(&mut self, source: &Source<'_>, path: &str, blobs: &mut BTreeMap<Digest32, Blob>) -> Result<Seen, Why> {
        if let Some(seen) = self.seen.get(path) {
            return seen.clone();
        }
        let seen = examine(source, path).map(|(seen, file)| {
            blobs.entry(seen.digest).or_insert(Blob::File { path: file, size: seen.size });
            seen
        });
        self.seen.insert(path.to_owned(), seen.clone());
        seen
    }
}

fn examine(source: &Source<'_>, path: &str) -> Result<(Seen, PathBuf), Why> {
    let file = source.inside(path).map_err(|outside| outside.why("put it there, or correct the path"))?;
    let format = format_of(path)
        .ok_or_else(|| why("is neither Markdown nor PDF", "name a file that ends in `.md` or `.pdf`"))?;
    let unreadable = |error: io::Error| why(format!("the file can't be read ({error})"), "make it a readable file");
    let size = std::fs::metadata(&file).map_err(unreadable)?.len();
    if size > MAX_CONTENT_BYTES {
        let problem = format!("the file is too large: {} MB", size / (1024 * 1024));
        return Err(why(problem, "keep content files to 50 MB"));
    }
    let bytes = std::fs::read(&file).map_err(unreadable)?;
    match format {
        Format::Markdown => check_markdown(&bytes)?,
        Format::Pdf => check_pdf(&bytes)?,
    }
    let seen = Seen { digest: Digest32::of(&bytes), size: bytes.len() as u64, format };
    Ok((seen, file))
}

fn format_of(path: &str) -> Option<Format> {
    let ending = Path::new(path).extension()?.to_str()?;
    let is = |word: &str| ending.eq_ignore_ascii_case(word);
    if is("md") { Some(Format::Markdown) } else { is("pdf").then_some(Format::Pdf) }
}

fn check_markdown(bytes: &[u8]) -> Result<(), Why> {
    let text = str::from_utf8(bytes).map_err(|error| {
        let line = 1 + bytes[..error.valid_up_to()].iter().filter(|b| **b == b'\n').count();
        why(format!("the file is not UTF-8 text (its line {line})"), "save it as UTF-8")
    })?;
    if text.contains('\0') {
        return Err(why("the file holds a NUL character: it is no text", "save it as UTF-8 text"));
    }
    if text.trim_start_matches('\u{feff}').trim().is_empty() {
        return Err(why("the file is empty", "put the procedure's text into it"));
    }
    Ok(())
}

fn check_pdf(bytes: &[u8]) -> Result<(), Why> {
    let holds = |part: &[u8], mark: &[u8]| part.windows(mark.len()).any(|window| window == mark);
    let head = &bytes[..bytes.len().min(PDF_END_BYTES)];
    let tail = &bytes[bytes.len().saturating_sub(PDF_END_BYTES)..];
    if bytes.is_empty() {
        Err(why("the file is empty", "put a PDF there"))
    } else if !holds(head, b"%PDF-") {
        Err(why("the file is no PDF: it doesn't begin with %PDF-", "export it as PDF again"))
    } else if !holds(tail, b"%%EOF") {
        Err(why("the PDF is cut off: it doesn't end with %%EOF", "export or copy it again"))
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn l1_what_is_no_pdf_or_no_text_is_refused() {
        assert!(check_pdf(b"%PDF-1.7\n...\n%%EOF\n").is_ok());
        for bytes in [&b""[..], b"<html>%%EOF", b"%PDF-1.7\n"] {
            assert!(check_pdf(bytes).is_err());
        }
        assert!(check_markdown("\u{feff}# Größe".as_bytes()).is_ok());
        for bytes in [&b""[..], b"\xef\xbb\xbf \n", b"Gr\xf6\xdfe", b"a\0b"] {
            assert!(check_markdown(bytes).is_err());
        }
    }

    #[test]
    fn k2_a_blob_that_changed_is_not_taken_for_what_it_was() {
        let blob = Blob::Bytes(b"a".to_vec());
        assert!(blob.read(&Digest32::of(b"a")).is_ok());
        assert!(blob.read(&Digest32::of(b"b")).is_err());
    }
}
