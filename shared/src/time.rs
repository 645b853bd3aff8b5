//! Instants, the hybrid clock, and what a date alone means at a site.
//!
//! Nothing here reads a clock. A [`Timestamp`] is for people and for rules that speak of dates; what replaces what is
//! decided by causality, never by it (architecture, section 1).

use std::fmt;

use chrono::{
    DateTime, Datelike, Duration, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, SecondsFormat, TimeZone, Utc,
};
use chrono_tz::Tz;
use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode, Default)]
#[cbor(transparent)]
pub struct Timestamp(#[n(0)] pub i64);

pub const SECOND_MS: i64 = 1_000;
pub const MINUTE_MS: i64 = 60 * SECOND_MS;
pub const HOUR_MS: i64 = 60 * MINUTE_MS;
pub const DAY_MS: i64 = 24 * HOUR_MS;

impl Timestamp {
    /// The earliest and latest instants that a calendar can show.
    pub const MIN: Self = Self(-8_334_601_228_800_000);
    pub const MAX: Self = Self(8_210_266_876_799_999);

    /// Reads RFC 3339 with a zone.
    pub fn parse(text: &str) -> Option<Self> {
        DateTime::parse_from_rfc3339(text).ok().map(|t| Self(t.timestamp_millis()))
    }

    /// The calendar's view of this instant; instants past the calendar's ends are clamped to them.
    pub fn utc(self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.0.clamp(Self::MIN.0, Self::MAX.0)).unwrap_or_default()
    }

    pub fn plus_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    pub fn minus_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_sub(ms))
    }

    pub fn plus_days(self, days: u32) -> Self {
        self.plus_ms(i64::from(days) * DAY_MS)
    }

    /// The same instant of day so many calendar months later in UTC; a day the month lacks becomes its last (requirement
    /// "each activity expires by itself", architecture section 3).
    pub fn plus_months(self, months: u32) -> Self {
        match self.utc().checked_add_months(chrono::Months::new(months)) {
            Some(later) => Self(later.timestamp_millis()),
            None => Self::MAX,
        }
    }

    pub fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole_seconds = self.0.rem_euclid(1000) == 0;
        let format = if whole_seconds { SecondsFormat::Secs } else { SecondsFormat::Millis };
        f.write_str(&self.utc().to_rfc3339_opts(format, true))
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("not an RFC 3339 time"))
    }
}

/// A half-open span of time: `from` inclusive, `until` exclusive, absent = unbounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode, Serialize, Deserialize)]
#[cbor(map)]
pub struct Span {
    #[n(0)]
    pub from: Option<Timestamp>,
    #[n(1)]
    pub until: Option<Timestamp>,
}

impl Span {
    pub const ALWAYS: Self = Self { from: None, until: None };

    pub fn contains(&self, at: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= at) && self.until.is_none_or(|until| at < until)
    }

    /// Whether nothing can lie in it.
    pub fn is_empty(&self) -> bool {
        matches!((self.from, self.until), (Some(from), Some(until)) if until <= from)
    }
}

/// What a kiosk knows of the time: the truth lies between `earliest` and `latest` (R18, U12).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockReading {
    pub wall: Timestamp,
    pub uncertainty_ms: u32,
}

impl ClockReading {
    pub fn exact(wall: Timestamp) -> Self {
        Self { wall, uncertainty_ms: 0 }
    }
    /// Whether the clock may be off by more than an uncertainty can say (49 days): then no interval holds the truth.
    pub fn is_lost(&self) -> bool {
        self.uncertainty_ms == u32::MAX
    }
    pub fn earliest(&self) -> Timestamp {
        self.wall.minus_ms(i64::from(self.uncertainty_ms))
    }
    pub fn latest(&self) -> Timestamp {
        self.wall.plus_ms(i64::from(self.uncertainty_ms))
    }
}

/// A hybrid logical clock's value: rises along every chain of cause and effect, close to wall time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Encode, Decode)]
#[cbor(array)]
pub struct HybridTime {
    #[n(0)]
    pub ms: i64,
    #[n(1)]
    pub tick: u32,
}

/// A hybrid clock further than this beyond a replica's own upper bound is held but not adopted.
pub const MAX_HYBRID_LEAD_MS: i64 = 10 * MINUTE_MS;

impl HybridTime {
    /// The value for the next entry written at `wall`.
    #[must_use]
    pub fn next(self, wall: Timestamp) -> Self {
        if wall.0 > self.ms {
            Self { ms: wall.0, tick: 0 }
        } else {
            match self.tick.checked_add(1) {
                Some(tick) => Self { ms: self.ms, tick },
                None => Self { ms: self.ms.saturating_add(1), tick: 0 },
            }
        }
    }

    /// The clock after meeting `other`: raised to it unless `other` is implausibly far ahead of `clock`. What follows directly on this clock's
    /// own value is never too far: a clock that was corrected back goes on from where it was.
    #[must_use]
    pub fn meet(self, other: Self, clock: ClockReading) -> Self {
        let plausible = clock.latest().0.saturating_add(MAX_HYBRID_LEAD_MS);
        let follows = self.ms.saturating_add(1);
        if other.ms > plausible.max(follows) { self } else { self.max(other) }
    }
}

/// When a site's day begins for the purpose of dates without a time (A4): never midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SiteTime {
    pub zone: Tz,
    pub change_time: NaiveTime,
}

impl SiteTime {
    /// The instant at which `date` begins at this site. A change time that a daylight-saving night skips becomes the first
    /// instant after the gap; one that happens twice becomes the earlier.
    pub fn begin_of(&self, date: NaiveDate) -> Timestamp {
        let local = date.and_time(self.change_time);
        Timestamp(resolve(self.zone, local).timestamp_millis())
    }

    /// Reads RFC 3339, or a date alone.
    pub fn parse(&self, text: &str) -> Option<Timestamp> {
        match NaiveDate::parse_from_str(text, "%Y-%m-%d") {
            Ok(date) if text.len() == 10 && (1900..=9999).contains(&date.year()) => Some(self.begin_of(date)),
            Ok(_) => None,
            Err(_) => Timestamp::parse(text).filter(|t| (1900..=9999).contains(&t.utc().year())),
        }
    }

    /// Reads a date and time as a clock on this site's wall shows it, to the minute, the way browsers send it (`2026-03-02T05:00`). What
    /// daylight saving skips or repeats is read as in [`Self::begin_of`].
    pub fn parse_local(&self, text: &str) -> Option<Timestamp> {
        let local = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M").ok()?;
        (1900..=9999).contains(&local.year()).then(|| Timestamp(resolve(self.zone, local).timestamp_millis()))
    }

    /// The local date and time, for screens.
    pub fn local(&self, at: Timestamp) -> DateTime<Tz> {
        at.utc().with_timezone(&self.zone)
    }

    /// The site's change time on the day `days` after the working day in which `at` falls (A4: a due date is never
    /// midnight; a daylight-saving night does not move it).
    pub fn days_after(&self, at: Timestamp, days: u32) -> Timestamp {
        let local = self.local(at).naive_local();
        let later = local.checked_add_signed(Duration::days(i64::from(days))).unwrap_or(local);
        Timestamp(resolve(self.zone, later).timestamp_millis())
    }
}

fn resolve(zone: Tz, local: NaiveDateTime) -> DateTime<Tz> {
    match zone.from_local_datetime(&local) {
        LocalResult::Single(at) => at,
        LocalResult::Ambiguous(earlier, _) => earlier,
        LocalResult::None => {
            // Gaps are at most a few hours and begin on whole minutes; the first minute that exists ends the search.
            (1..=48 * 60)
                .find_map(|minutes| zone.from_local_datetime(&(local + Duration::minutes(minutes))).earliest())
                .unwrap_or_else(|| zone.from_utc_datetime(&local))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn berlin(hour: u32, minute: u32) -> SiteTime {
        SiteTime { zone: chrono_tz::Europe::Berlin, change_time: NaiveTime::from_hms_opt(hour, minute, 0).unwrap() }
    }

    #[test]
    fn r15_a_time_on_the_sites_wall_is_read_also_in_daylight_saving_nights() {
        let read = |text: &str| berlin(6, 0).parse_local(text).map(|at| at.to_string());
        assert_eq!(read("2026-03-02T05:00").as_deref(), Some("2026-03-02T04:00:00Z"));
        assert_eq!(read("2026-03-29T02:30").as_deref(), Some("2026-03-29T01:00:00Z"), "skipped");
        assert_eq!(read("2026-10-25T02:30").as_deref(), Some("2026-10-25T00:30:00Z"), "twice: the earlier");
        for bad in ["", "2026-03-02", "2026-03-02 05:00", "2026-13-02T05:00", "0026-03-02T05:00", "2026-03-02T05:00Z"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn a4_a_date_alone_is_the_change_time_also_in_daylight_saving_nights() {
        assert_eq!(berlin(6, 0).parse("2026-03-02").unwrap().to_string(), "2026-03-02T05:00:00Z");
        assert_eq!(
            berlin(2, 30).parse("2026-03-29").unwrap().to_string(),
            "2026-03-29T01:00:00Z",
            "skipped: first after the gap"
        );
        assert_eq!(
            berlin(2, 30).parse("2026-10-25").unwrap().to_string(),
            "2026-10-25T00:30:00Z",
            "twice: the earlier"
        );
        assert_eq!(berlin(6, 0).parse("2026-02-30"), None);
        assert_eq!(berlin(6, 0).parse("2026-3-2"), None);
    }

    #[test]
    fn a4_a_window_in_days_keeps_the_local_hour() {
        let site = berlin(6, 0);
        let at = site.parse("2026-03-20").unwrap();
        assert_eq!(site.days_after(at, 14), site.parse("2026-04-03").unwrap());
    }

    #[test]
    fn months_clamp_at_their_end() {
        let at = Timestamp::parse("2024-02-29T10:00:00Z").unwrap();
        assert_eq!(at.plus_months(12).to_string(), "2025-02-28T10:00:00Z");
        assert_eq!(
            Timestamp::parse("2025-08-31T00:00:00Z").unwrap().plus_months(6).to_string(),
            "2026-02-28T00:00:00Z"
        );
    }

    #[test]
    fn safe9_after_the_wall_clock_was_corrected_back_own_entries_still_rise() {
        let (ahead, corrected) = (HybridTime { ms: 10_000_000, tick: u32::MAX - 1 }, ClockReading::exact(Timestamp(0)));
        let mut clock = ahead;
        for _ in 0..3 {
            let next = clock.next(corrected.wall);
            assert!(next > clock);
            clock = clock.meet(next, corrected);
            assert_eq!(clock, next, "the next one would be no later");
        }
        assert_eq!(clock.meet(HybridTime { ms: 10_000_003, tick: 0 }, corrected), clock, "others don't drag it on");
    }

    #[test]
    fn safe9_the_hybrid_clock_only_rises() {
        let now = HybridTime { ms: 100, tick: u32::MAX };
        assert!(now.next(Timestamp(50)) > now);
        assert!(now.next(Timestamp(200)) > now);
        let far = HybridTime { ms: i64::MAX, tick: 0 };
        assert_eq!(now.meet(far, ClockReading::exact(Timestamp(100))), now, "a lie far ahead is not adopted");
    }
}
