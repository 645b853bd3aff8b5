//! A disk that forgets, tears or refuses, under the stores' own code.
//!
//! SQLite is given a file system that passes everything on to the machine's and tells a [`Disk`] of it. The disk keeps what was written and
//! what was synced in between, so that a power cut can be tried at any moment: each write that no sync covered survives, vanishes or tears.
//! It can also be told to refuse a call. [`memory`] stands in the same way between SQLite and what it asks the machine's memory for.

mod disk;
mod medium;
pub mod memory;
mod vfs;

pub use disk::{Call, Disk, Op, Recording, Refusal};
pub use medium::{Files, Medium, files_below, read_files};
pub use vfs::watch;
