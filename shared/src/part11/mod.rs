#![doc = include_str!("../../docs/part11.md")]
//!
//! What 21 CFR Part 11 asks of records and signatures: keys and sealed boxes, who may sign what.

pub mod accountability;
pub mod authority;
pub mod badge;
pub mod boxes;
pub mod enrolment;
pub mod pepper;
pub mod signature;
pub mod strength;
