//! An oracle for the plant folder: a second, independent reading of the format and of its query rules.
//!
//! It exists to disagree. It is written from the specification alone, shares no code with the product,
//! and prefers an obvious line to a fast one. It is **not** an importer: [`Plant::load`] is promised a valid
//! folder and panics on anything else; wrong folders are made by [`wrong`], and judged by the product.
//!
//! Read in this order:
//! 1. [`cell`]: how a cell becomes an instant, a period, a list.
//! 2. [`plant`]: what of the folder bears on an answer.
//! 3. [`versions`]: order of versions, version in force, what a version demands anew.
//! 4. [`answer`]: the answer itself, requirement by requirement, activity by activity.
//! 5. [`reading`]: where the text leaves a choice, which one this oracle takes, and how to take the other.
//!    Each such place carries a comment that starts with `CHOICE:`.
//! 6. [`questions`]: questions to ask, biased to the instants where answers change.
//! 7. [`mod@generate`]: seeded folders, small and nasty or large and realistic.
//! 8. [`wrong`]: folders that an importer has to refuse, with the place it has to name.

#![forbid(unsafe_code)]

pub mod answer;
pub mod cell;
pub mod generate;
pub mod plant;
pub mod questions;
pub mod reading;
mod rng;
mod table;
pub mod versions;
pub mod wrong;

pub use answer::{ActivityAnswer, Answer, RequirementAnswer, Verdict};
pub use cell::Instant;
pub use generate::{Size, generate};
pub use plant::Plant;
pub use questions::Question;
pub use reading::{FailureReach, Reading};
