//! The rules of Lineproof: what is recorded, what counts, who may start, and how it travels.
//!
//! Pure: no IO, no clock, no randomness, no async. Time, ids and random bytes are arguments. Everything that ever happened is a
//! signed entry in somebody's append-only log; everything else is derived from the entries and can be thrown away and rebuilt.
//!
//! Read in this order; each module uses only those before it:
//! [`id`], [`time`] → [`kind`] (what can be said) → [`plant`] (what the kiosks obey) → [`part11`] (keys, signatures, checks) → [`log`]
//! (entries, holding, effect) → [`record`] (one person's merged history) → [`training`] (qualification and the gate) → [`sync`] (the
//! exchange).
#![forbid(unsafe_code)]
#![cfg_attr(not(test), warn(clippy::unwrap_used))]

pub mod id;
pub mod kind;
pub mod log;
pub mod part11;
pub mod plant;
pub mod record;
pub mod sync;
pub mod time;
pub mod training;
