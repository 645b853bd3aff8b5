//! The plant simulator for the sync protocol: kiosks and a server with the real state machines, one thread, virtual time, one
//! seed → one trace. No disk, no network, no clock.
//!
//! Read in this order: [`rng`], [`shelf`] and [`disk`] (stores in memory; a transaction that is cut off before COMMIT works on a copy),
//! [`world`] and [`at_server`] (the replicas and what can be done to them), [`wire`] (messages, whole or altered by a [`mutant`]), [`faults`]
//! (of lines, clocks and versions), [`schedule`] (a seed's acts and faults), [`heal`] (everybody meets, people sign what is asked of them),
//! [`model`] (the plain account of what must be where), [`look`] (its comparison with the disks after each transaction), [`check`] (the
//! invariants of the protocol, section 8), [`scenario`].
#![cfg_attr(not(test), warn(clippy::unwrap_used))]

pub mod at_server;
pub mod check;
pub mod disk;
pub mod faults;
pub mod heal;
pub mod look;
pub mod model;
pub mod mutant;
pub mod rng;
pub mod scenario;
pub mod schedule;
pub mod shelf;
pub mod wire;
pub mod world;

pub use check::Violation;
pub use mutant::Mutant;
pub use schedule::{Report, Size, healed, run, run_signing, run_sized};
pub use world::{Crash, Signatures, World};
