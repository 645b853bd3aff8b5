//! One person's merged history: every entry about them with its verdict, and the evidence that follows.

pub mod causality;
pub mod judge;
pub mod training_record;
pub mod worksheet;

pub use judge::{Knowledge, Standing, judge};
pub use training_record::{Evidence, Judged, TrainingRecord};
