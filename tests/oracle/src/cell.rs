//! How the text of a cell becomes an instant, a period or a list.

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, TimeZone, Timelike, Utc};
use chrono_tz::Tz;

/// A moment, in UTC.
pub type Instant = DateTime<Utc>;

/// The clock of a site: its time zone, and the local time at which a date alone takes effect.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    pub zone: Tz,
    pub change: NaiveTime,
}

impl Clock {
    /// Reads RFC 3339, or a date alone as that local day's change time. Panics on anything else.
    pub fn instant(&self, cell: &str) -> Instant {
        if let Ok(day) = cell.parse::<NaiveDate>() {
            return self.change_of(day);
        }
        match DateTime::parse_from_rfc3339(cell) {
            Ok(instant) => instant.to_utc(),
            Err(error) => panic!("neither RFC 3339 nor a date: {cell:?} ({error})"),
        }
    }

    /// The instant at which `day` begins to count at this site.
    // CHOICE: a change time that the clocks skip that night means the first instant after the gap; one that
    // they show twice means the earlier of the two.
    pub fn change_of(&self, day: NaiveDate) -> Instant {
        let mut local = day.and_time(self.change);
        loop {
            if let Some(instant) = self.zone.from_local_datetime(&local).earliest() {
                return instant.to_utc();
            }
            // Gaps end on whole minutes, so the walk meets the first instant after this one.
            local = local.with_second(0).expect("zero is a second") + TimeDelta::minutes(1);
        }
    }

    /// The local calendar day of an instant.
    pub fn day_of(&self, at: Instant) -> NaiveDate {
        at.with_timezone(&self.zone).date_naive()
    }
}

/// From an instant on, until before another; either end may be open.
#[derive(Clone, Copy, Debug, Default)]
pub struct Period {
    pub from: Option<Instant>,
    pub until: Option<Instant>,
}

impl Period {
    /// Whether the period holds at `at`.
    // CHOICE: `from` belongs to the period, `until` does not, everywhere (membership, activity, exemption).
    pub fn contains(&self, at: Instant) -> bool {
        self.from.is_none_or(|from| from <= at) && self.until.is_none_or(|until| at < until)
    }
}

/// The members of a `;` list; a blank cell has none.
pub fn list(cell: &str) -> Vec<&str> {
    cell.split(';').filter(|item| !item.is_empty()).collect()
}

/// A time of day as `HH:MM` or `HH:MM:SS`. Panics on anything else.
pub fn time_of_day(cell: &str) -> NaiveTime {
    NaiveTime::parse_from_str(cell, "%H:%M")
        .or_else(|_| NaiveTime::parse_from_str(cell, "%H:%M:%S"))
        .unwrap_or_else(|error| panic!("not a time of day: {cell:?} ({error})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock(zone: Tz, change: &str) -> Clock {
        Clock { zone, change: time_of_day(change) }
    }

    fn utc(text: &str) -> Instant {
        DateTime::parse_from_rfc3339(text).unwrap().to_utc()
    }

    #[test]
    fn a4_a_date_alone_is_the_local_change_time() {
        let berlin = clock(chrono_tz::Europe::Berlin, "06:00");
        assert_eq!(berlin.instant("2026-01-15"), utc("2026-01-15T05:00:00Z"));
        assert_eq!(berlin.instant("2026-07-15"), utc("2026-07-15T04:00:00Z"));
        let saigon = clock(chrono_tz::Asia::Ho_Chi_Minh, "06:00");
        assert_eq!(saigon.instant("2026-01-15"), utc("2026-01-14T23:00:00Z"));
    }

    #[test]
    fn a4_a_skipped_change_time_is_the_first_instant_after_the_gap() {
        // 29 March 2026: Berlin goes from 02:00 to 03:00, which is 01:00 UTC.
        let berlin = clock(chrono_tz::Europe::Berlin, "02:30");
        assert_eq!(berlin.instant("2026-03-29"), utc("2026-03-29T01:00:00Z"));
        // 8 March 2026: New York goes from 02:00 to 03:00, which is 07:00 UTC.
        let new_york = clock(chrono_tz::America::New_York, "02:30");
        assert_eq!(new_york.instant("2026-03-08"), utc("2026-03-08T07:00:00Z"));
        // 25 April 2025: Cairo goes from 00:00 to 01:00, which is 22:00 UTC the day before.
        let cairo = clock(chrono_tz::Africa::Cairo, "00:00");
        assert_eq!(cairo.instant("2025-04-25"), utc("2025-04-24T22:00:00Z"));
    }

    #[test]
    fn a4_a_change_time_shown_twice_is_the_earlier_one() {
        // 25 October 2026: 02:30 CEST (00:30 UTC) comes before 02:30 CET (01:30 UTC).
        let berlin = clock(chrono_tz::Europe::Berlin, "02:30");
        assert_eq!(berlin.instant("2026-10-25"), utc("2026-10-25T00:30:00Z"));
    }

    #[test]
    fn rfc_3339_keeps_its_own_offset() {
        let berlin = clock(chrono_tz::Europe::Berlin, "06:00");
        assert_eq!(berlin.instant("2026-03-02T06:40:00+05:30"), utc("2026-03-02T01:10:00Z"));
        assert_eq!(berlin.instant("2026-03-02T06:40:00Z"), utc("2026-03-02T06:40:00Z"));
    }

    #[test]
    fn a_period_holds_its_first_instant_and_not_its_last() {
        let period = Period { from: Some(utc("2026-01-01T00:00:00Z")), until: Some(utc("2026-02-01T00:00:00Z")) };
        assert!(!period.contains(utc("2025-12-31T23:59:59Z")));
        assert!(period.contains(utc("2026-01-01T00:00:00Z")));
        assert!(period.contains(utc("2026-01-31T23:59:59Z")));
        assert!(!period.contains(utc("2026-02-01T00:00:00Z")));
    }

    #[test]
    fn lists_split_at_semicolons() {
        assert_eq!(list("read;quiz:Q1"), ["read", "quiz:Q1"]);
        assert!(list("").is_empty());
    }
}
