//! What both edges keep in SQLite: the entries, what is derived from them, sealed boxes, blobs.
//!
//! A [`Ledger`] is one open database with the plant as it says. Everything durable happens in a [`Step`]: one transaction in which
//! entries are put, derived state follows them, and the edge adds its own rows; it is durable when [`Ledger::step`] returns, never before
//! (`synchronous = FULL`). This crate knows statements and transactions; what entries *mean* is decided in `shared`.
//!
//! Read: [`ledger`] → [`step`] → [`derive`](mod@derive) (derived tables; `presence` those of task sessions, [`history`] what comes from other sites) → [`questions`] (what is asked of them), [`secrets`] (which wrong ones count), [`boxes`] → [`blobs`] → [`bundle`]
//! (the same in a file).
#![forbid(unsafe_code)]

pub mod blobs;
pub mod boxes;
pub mod bundle;
pub mod derive;
pub mod history;
pub mod ledger;
mod presence;
pub mod questions;
pub mod secrets;
pub mod shelf;
pub mod step;
mod touched;

pub use ledger::{Ledger, StoreError, World};
pub use step::Step;
