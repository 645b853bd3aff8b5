//! Who may write to a data folder: one process at a time. A running server keeps the plant in memory and would not see what another wrote.

use std::fs::{self, File, TryLockError};
use std::io::{Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use super::Failure;

/// The data folder, taken for writing; free again when dropped, or when the process ends however it ends.
pub struct Lock {
    file: File,
}

impl Lock {
    /// Takes the folder, which is made when it isn't there. `instead` says what to do while somebody else has it.
    pub fn take(data: &Path, instead: &str) -> Result<Self, Failure> {
        let failed = |why: std::io::Error| Failure::CouldNot(format!("{} can't be locked: {why}", data.display()));
        // Only its owner may look into a new one: people's data and the server's keys lie in it.
        fs::DirBuilder::new().recursive(true).mode(0o700).create(data).map_err(failed)?;
        let path = data.join("lock");
        let file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { file }),
            Err(TryLockError::Error(why)) => Err(failed(why)),
            Err(TryLockError::WouldBlock) => {
                let holder = fs::read_to_string(&path).unwrap_or_default();
                let holder = Some(holder.trim()).filter(|holder| !holder.is_empty()).unwrap_or("another process");
                let data = data.display();
                Err(Failure::CouldNot(format!("{data} is in use by {holder}; nothing was written. {instead}")))
            }
        }
    }

    /// Says who holds it, for whoever comes second.
    pub fn name(&mut self, holder: &str) -> std::io::Result<()> {
        self.file.set_len(0)?;
        self.file.rewind()?;
        writeln!(self.file, "{holder}")?;
        self.file.flush()
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // An old name would only confuse; the lock itself goes with the file.
        let _ = self.file.set_len(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_one_is_told_who_the_first_is() {
        let data = tempfile::tempdir().unwrap();
        let mut first = Lock::take(data.path(), "").unwrap();
        first.name("the server at https://localhost:8443").unwrap();
        let refused = Lock::take(data.path(), "Use the dashboard.").err().unwrap().to_string();
        assert!(refused.contains("https://localhost:8443") && refused.contains("Use the dashboard."), "{refused}");
        drop(first);
        Lock::take(data.path(), "").unwrap();
    }
}
