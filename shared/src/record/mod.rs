//! One person's merged history: every entry about them with its verdict, and the evidence that follows.

pub mod causality;
pub mod day_pass;
pub mod judge;
pub mod topic;
pub mod training_record;
pub mod worksheet;

pub use judge::{Judgement, Knowledge, Standing, judge, judge_topic};
pub use topic::Topic;
pub use training_record::{Evidence, TrainingRecord};
