//! A machine whose clock a test turns under the programs as they are shipped. libfaketime turns it.

use std::fs;
use std::path::{Path, PathBuf};

use shared::time::SECOND_MS;

use crate::programs::Surroundings;

/// Where Debian puts the library, by kind of machine.
const LIBRARIES: [&str; 2] =
    ["/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1", "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1"];

pub struct Turned {
    library: PathBuf,
    file: PathBuf,
}

impl Turned {
    /// Turned by a file, which says by how much; nothing without libfaketime.
    pub fn by(file: &Path) -> Option<Self> {
        let library = LIBRARIES.iter().map(PathBuf::from).find(|path| path.exists())?;
        Some(Self { library, file: file.to_owned() })
    }

    /// `off_ms` from the world's clock; `faster` times as fast, which is always said: of a file that doesn't the library goes on as fast as before.
    pub fn set(&self, off_ms: i64, faster: u32) {
        let next = self.file.with_extension("next");
        fs::write(&next, format!("{:+} x{faster}", off_ms / SECOND_MS)).unwrap();
        fs::rename(next, &self.file).unwrap();
    }

    pub fn around(&self) -> Surroundings {
        Surroundings(vec![
            ("LD_PRELOAD", self.library.display().to_string()),
            ("FAKETIME_TIMESTAMP_FILE", self.file.display().to_string()),
            ("FAKETIME_NO_CACHE", "1".into()),
            // The steady clock is steady: nobody can set it.
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".into()),
        ])
    }
}
