//! The threads of a running kiosk, and what crosses between them: only messages.
//!
//! - The **main thread** shows the window and never waits: no SQL, no key stretching, no file (`ui`, with the feature `window`).
//! - The **store thread** owns the [`Core`](crate::core::Core); every act is one job in its queue ([`store_thread`]).
//! - The **drawing thread** makes pictures of PDF pages (`drawing`, with the feature `window`).
//! - The **sync threads** exchange with the server ([`sync`]).
//!
//! A panic in the store thread ends what was under way and nothing that was acknowledged: the gate shows a fault, never a GO that stands
//! still, and the store is opened anew from what is on disk.

#[cfg(feature = "window")]
pub mod drawing;
pub mod store_thread;
pub mod sync;
#[cfg(feature = "window")]
pub mod ui;

use std::io;

use crate::core::Denied;
use crate::presenter::view::Fault;

pub use store_thread::{Reach, Store, StoreGone, StoreReport};
pub use sync::{Carrier, Exchanged, NotExchanged, NotSetUp, enrol, exchange_until_quiet};

/// Threads on which the exchange runs: it waits nearly always.
const SYNC_THREADS: usize = 1;

/// The sync threads.
pub fn sync_runtime() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(SYNC_THREADS).thread_name("sync").enable_all().build()
}

/// What keeps the store closed, and the code for IT. A full disk is none of the faults with which the gate goes on, for it doesn't.
pub fn fault_of(why: &Denied) -> (Fault, &'static str) {
    match why {
        Denied::Store(error) if error.is_disk_full() => (Fault::InternalError, "DISK-FULL"),
        Denied::Store(error) if error.is_damage() => (Fault::DamagedDatabase, "STORE-DAMAGED"),
        Denied::Store(_) => (Fault::InternalError, "STORE-CLOSED"),
        Denied::Io(_) => (Fault::KeyStoreLost, "KEYS-UNREADABLE"),
        _ => (Fault::InternalError, "STORE-REFUSED"),
    }
}
