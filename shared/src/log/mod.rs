//! Entries and the logs they stand in: encoding, signing, holding, chains.
//!
//! **Holding and effect are separate.** An entry is *held* when its form, its device and its place in its log are right
//! ([`chain::hold`]); whether it counts is a pure verdict over all held entries ([`effect`]), computed anew when knowledge changes.

pub mod canonical;
pub mod chain;
pub mod effect;
pub mod entry;
pub mod evidence_bundle;
pub mod standing;

pub use chain::{Held, Holding, Place, Shelf, hold};
pub use entry::{Block, Draft, Entry, Header, LogId, Position, Revision, Stream, Subject, Unverified};
