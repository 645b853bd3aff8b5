#![doc = include_str!("../../docs/gate.md")]
//!
//! From facts to decisions: who is qualified, what is owed, who may start.

pub mod assignment;
mod changes;
pub mod gate;
pub mod point_in_time;
pub mod qualification;
pub mod quiz;
pub mod task_session;

pub use gate::{Answer, GateDecision, Known, Missing, Question, Reason, decide};
pub use qualification::{ActivityState, RequirementState, Tense, Why, qualification};
