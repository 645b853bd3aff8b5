//! A day pass: who has no badge with them is vouched for by somebody who leads, for so many hours (S6, S13).
//!
//! It stands for the badge, never for the secret; and it gives its person no word in what is another's.

use crate::kind::Body;
use crate::kind::plant::LONGEST_DAY_PASS_HOURS;
use crate::log::Entry;
use crate::time::{ClockReading, HOUR_MS, Timestamp};

/// From when until when a pass is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DayPass {
    /// The earliest moment at which it can have been given.
    from: Timestamp,
    pub until: Timestamp,
}

impl DayPass {
    /// Reads a `day_pass`. Whatever it says, it ends with its longest time.
    pub fn of(entry: &Entry) -> Option<Self> {
        let Body::DayPass(body) = entry.statement().ok().flatten()?.body else { return None };
        let header = entry.header();
        let given = ClockReading { wall: header.wall, uncertainty_ms: header.uncertainty_ms };
        let longest = given.wall.plus_ms(i64::from(LONGEST_DAY_PASS_HOURS) * HOUR_MS);
        Some(Self { from: given.earliest(), until: body.until.min(longest) })
    }

    /// Whether it is good now. Where the clock may have passed its end, or stands before it was given, it isn't.
    pub fn is_good(&self, clock: ClockReading) -> bool {
        clock.latest() < self.until && clock.latest() >= self.from
    }
}
