//! How full the disk of the data folder is (S8; `testing.md`: warn at 80 %).

use std::path::Path;

use crate::presenter::message::Storage;

/// What is left for the kiosk on the disk: what is kept back for the administrator is no use to it. `None` when the system doesn't say.
pub fn free_bytes(folder: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// Looks at the disk; `None` when the system doesn't say.
pub fn of(folder: &Path) -> Option<Storage> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    let bytes = |blocks: u64| blocks.saturating_mul(disk.f_frsize);
    Some(Storage {
        free_bytes: bytes(disk.f_bavail),
        total_bytes: bytes(disk.f_blocks).saturating_sub(bytes(disk.f_bfree)).saturating_add(bytes(disk.f_bavail)),
        database_bytes: database(folder),
    })
}

/// The database with what SQLite keeps beside it.
fn database(folder: &Path) -> u64 {
    let files = ["kiosk.sqlite", "kiosk.sqlite-wal", "kiosk.sqlite-shm"];
    files.iter().filter_map(|name| Some(std::fs::metadata(folder.join(name)).ok()?.len())).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s8_the_disk_is_looked_at_with_the_database_on_it() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        std::fs::write(folder.path().join("kiosk.sqlite"), [0; 4096]).expect("a file can be written");
        std::fs::write(folder.path().join("kiosk.sqlite-wal"), [0; 100]).expect("a file can be written");
        let storage = of(folder.path()).expect("the system says");
        assert!(storage.total_bytes > 0 && storage.free_bytes <= storage.total_bytes);
        assert_eq!(storage.database_bytes, 4196);
        assert_eq!(of(&folder.path().join("nowhere")), None);
    }
}
