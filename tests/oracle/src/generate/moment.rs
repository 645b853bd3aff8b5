//! Nasty instants, and the many ways to write one.

use chrono::{FixedOffset, NaiveDate, SecondsFormat, TimeDelta};

use crate::cell::{Clock, Instant};
use crate::rng::Rng;

/// An instant and how its cell is written.
#[derive(Clone, Debug)]
pub struct Moment {
    pub at: Instant,
    pub cell: String,
}

/// A moment near `near`: the day itself as a date alone, or the instant with some offset.
pub fn moment(clock: Clock, near: Instant, rng: &mut Rng) -> Moment {
    if rng.chance(35) {
        let day = clock.day_of(near);
        return Moment { at: clock.change_of(day), cell: day.to_string() };
    }
    exactly(clock, near, rng)
}

/// Exactly this instant, with some offset.
pub fn exactly(clock: Clock, at: Instant, rng: &mut Rng) -> Moment {
    let cell = match rng.below(10) {
        0..5 => utc(at),
        5..8 => at.with_timezone(&clock.zone).fixed_offset().to_rfc3339_opts(SecondsFormat::AutoSi, false),
        _ => {
            let minutes = rng.pick(&[-720, -300, -210, 0, 330, 345, 480, 840]);
            let offset = FixedOffset::east_opt(minutes * 60).expect("less than a day");
            at.with_timezone(&offset).to_rfc3339_opts(SecondsFormat::AutoSi, false)
        }
    };
    Moment { at, cell }
}

/// A nasty instant between two others: at month ends, on leap days, in nights when clocks change; else any.
/// `low` must be at least a day before `high`.
pub fn between(clock: Clock, low: Instant, high: Instant, rng: &mut Rng) -> Instant {
    if rng.chance(30) {
        let days: Vec<Instant> = NASTY_DAYS
            .split_whitespace()
            .map(|day| nasty_instant(clock, day.parse().expect("a day of the list"), rng))
            .filter(|at| low < *at && *at < high)
            .collect();
        if !days.is_empty() {
            return *rng.pick(&days);
        }
    }
    low + TimeDelta::seconds(rng.range(0, (high - low).num_seconds()))
}

/// The instant of an `RFC 3339` text in this file or another of the generator.
pub fn at(text: &str) -> Instant {
    chrono::DateTime::parse_from_rfc3339(text).expect("a literal of the generator").to_utc()
}

pub fn utc(at: Instant) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// An instant on that local day: its change time, or an hour about which clocks or months change.
fn nasty_instant(clock: Clock, day: NaiveDate, rng: &mut Rng) -> Instant {
    let midnight = day.and_hms_opt(0, 0, 0).expect("every day has a midnight in UTC").and_utc();
    match rng.below(4) {
        0 => clock.change_of(day),
        1 => midnight + TimeDelta::minutes(rng.range(0, 8 * 60)),
        2 => midnight + TimeDelta::seconds(*rng.pick(&[-1, 0, 1, 86_399])),
        _ => midnight + TimeDelta::milliseconds(rng.range(0, 86_400) * 1_000 + 250),
    }
}

/// Ends of months, leap days, and days on which clocks change in Berlin, New York, Lord Howe or Cairo.
const NASTY_DAYS: &str = "
    2022-01-31 2022-02-28 2022-03-13 2022-03-27 2022-04-03 2022-10-30 2022-11-06 2022-12-31
    2023-01-31 2023-02-28 2023-03-12 2023-03-26 2023-03-31 2023-04-28 2023-05-31 2023-08-31
    2023-10-29 2023-11-05 2023-11-30 2023-12-31 2024-01-30 2024-01-31 2024-02-29 2024-03-10
    2024-03-31 2024-04-26 2024-05-31 2024-08-31 2024-10-06 2024-10-27 2024-11-03 2024-11-30
    2024-12-31 2025-01-29 2025-01-31 2025-02-28 2025-03-09 2025-03-30 2025-04-25 2025-08-31
    2025-10-26 2025-11-02 2025-11-30 2025-12-31
";
