//! What time it is, and how sure the kiosk is of it (R18, U12).
//!
//! The wall clock can be set by anybody; the steady clock only runs. Between two looks both should have moved alike: a jump that nobody
//! confirmed widens the uncertainty and doesn't move the anchor. A signed server time corrects both ways.

use std::path::Path;
use std::time::Instant;

use shared::time::{ClockReading, DAY_MS, HOUR_MS, Timestamp};

use crate::storage;

/// Where a kiosk's time and chance come from.
pub trait Environment: Send {
    /// The wall clock, as the machine has it.
    fn wall(&self) -> Timestamp;
    /// A clock that never steps, from any origin.
    fn steady(&self) -> Timestamp;
    fn random(&self, bytes: &mut [u8]);
    /// What is left on the disk of a folder; `None` when the system doesn't say.
    fn free_bytes(&self, folder: &Path) -> Option<u64>;
}

/// The machine's own.
pub struct Machine {
    origin: Instant,
}

impl Default for Machine {
    fn default() -> Self {
        Self { origin: Instant::now() }
    }
}

impl Environment for Machine {
    fn wall(&self) -> Timestamp {
        Timestamp(chrono::Utc::now().timestamp_millis())
    }
    fn steady(&self) -> Timestamp {
        Timestamp(i64::try_from(self.origin.elapsed().as_millis()).unwrap_or(i64::MAX))
    }
    fn random(&self, bytes: &mut [u8]) {
        // Without randomness no key may be made: there is nothing sensible to go on with.
        getrandom::fill(bytes).expect("the operating system gives random bytes");
    }
    fn free_bytes(&self, folder: &Path) -> Option<u64> {
        storage::free_bytes(folder)
    }
}

/// A clock for countdowns: it begins at the machine's time and never steps. The kiosk's corrected time comes with each status.
pub struct Moments {
    machine: Machine,
    began: Timestamp,
}

impl Default for Moments {
    fn default() -> Self {
        let machine = Machine::default();
        let began = machine.wall();
        Self { machine, began }
    }
}

impl Moments {
    pub fn now(&self) -> Timestamp {
        self.began.plus_ms(self.machine.steady().0)
    }
}

/// A jump of the wall clock beyond this is not believed, in milliseconds.
pub const BELIEVED_JUMP_MS: i64 = HOUR_MS;
/// A terminal that was off for longer asks the server for the time before it believes its own clock, in milliseconds.
pub const MOST_OFF_MS: i64 = 30 * DAY_MS;
/// How much a steady clock may drift: one part in so many.
const DRIFT_PARTS: i64 = 10_000;

/// The last moment at which the time was known, and how well.
#[derive(Debug, Clone, Copy)]
pub struct Anchor {
    wall: Timestamp,
    steady: Timestamp,
    uncertainty_ms: i64,
}

/// A change of the wall clock worth a line in the journal: what it would have shown, and what it shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stepped {
    pub before: Timestamp,
    pub after: Timestamp,
    pub why: &'static str,
}

/// The kiosk's clock.
#[derive(Debug)]
pub struct Clock {
    anchor: Anchor,
    /// By how much the machine's wall clock is off from ours, while a jump is not believed.
    disbelieved_ms: i64,
    /// By how much the operating system kept correcting it since the anchor.
    corrected_ms: i64,
}

impl Clock {
    /// Starts from the machine's clock, less what was disbelieved of it before: switching a terminal off and on again makes no jump true. What
    /// the store saw last is a lower bound, and a clock that went on for very long since then is as unconfirmed as one that jumped: time goes
    /// on from what was seen, and what the machine says is the other end of the uncertainty.
    pub fn start(
        wall: Timestamp,
        steady: Timestamp,
        last_seen: Option<Timestamp>,
        disbelieved_ms: i64,
    ) -> (Self, Option<Stepped>) {
        let believed = wall.minus_ms(disbelieved_ms);
        let seen = last_seen.unwrap_or(believed);
        let off_for = believed.since(seen);
        let why = if off_for < -BELIEVED_JUMP_MS {
            Some("set back while off")
        } else {
            (off_for > MOST_OFF_MS).then_some("far ahead after being off")
        };
        let (start, widened) = match why {
            Some(_) => (seen, off_for.abs()),
            // Time doesn't go back while a terminal is off: a clock set back by a little before each start would never let anything end.
            None if off_for < 0 => (seen, off_for.abs()),
            None => (believed, off_for / DRIFT_PARTS),
        };
        // The machine's clock may have been put right while it was off.
        let anchor = Anchor { wall: start, steady, uncertainty_ms: widened.max(disbelieved_ms.abs()) };
        let stepped = why.map(|why| Stepped { before: seen.plus_ms(disbelieved_ms), after: wall, why });
        (Self { anchor, disbelieved_ms: wall.since(start), corrected_ms: 0 }, stepped)
    }

    /// By how much the machine's clock is off, when that is more than it may step by itself: what a restart must not forget.
    pub fn disbelieved_ms(&self) -> i64 {
        if self.disbelieved_ms.abs() > BELIEVED_JUMP_MS { self.disbelieved_ms } else { 0 }
    }

    /// Looks at both clocks. What the operating system corrects in all since the anchor is believed up to [`BELIEVED_JUMP_MS`], so that a clock
    /// that races or crawls is noticed as one that jumps is; once it is doubted, nothing more is believed.
    pub fn read(&mut self, wall: Timestamp, steady: Timestamp) -> (ClockReading, Option<Stepped>) {
        let expected = self.anchor.wall.plus_ms(self.run_ms(steady));
        let off = wall.minus_ms(self.disbelieved_ms).since(expected);
        if off.abs() <= BELIEVED_JUMP_MS {
            if self.anchor.uncertainty_ms <= BELIEVED_JUMP_MS {
                self.corrected_ms = off;
            }
            return (self.reading(steady), None);
        }
        // Nobody confirmed it: both ends are possible from here on.
        let before = expected.plus_ms(self.corrected_ms);
        let shown = before.plus_ms(self.disbelieved_ms);
        (self.disbelieved_ms, self.corrected_ms) = (wall.since(before), 0);
        let uncertainty_ms = self.uncertainty_ms(steady).max(self.disbelieved_ms.abs()).max(off.abs());
        self.anchor = Anchor { wall: before, steady, uncertainty_ms };
        (self.reading(steady), Some(Stepped { before: shown, after: wall, why: "jumped" }))
    }

    /// A time signed by the server, heard at `steady`; half of the round trip is uncertain.
    pub fn hear(
        &mut self,
        server: Timestamp,
        steady: Timestamp,
        wall: Timestamp,
        round_trip_ms: i64,
    ) -> Option<Stepped> {
        let before = self.reading(steady).wall;
        self.anchor = Anchor { wall: server, steady, uncertainty_ms: round_trip_ms.max(0) / 2 };
        (self.disbelieved_ms, self.corrected_ms) = (wall.since(server), 0);
        let off = server.since(before);
        (off.abs() > BELIEVED_JUMP_MS).then_some(Stepped { before, after: server, why: "corrected by the server" })
    }

    /// By how much the machine's own clock is off from the time used here, in milliseconds: 0 until a server or a jump said otherwise.
    pub fn machine_off_ms(&self) -> i64 {
        self.disbelieved_ms
    }

    /// How long the steady clock ran since the anchor.
    fn run_ms(&self, steady: Timestamp) -> i64 {
        steady.since(self.anchor.steady).max(0)
    }

    fn reading(&self, steady: Timestamp) -> ClockReading {
        ClockReading {
            wall: self.anchor.wall.plus_ms(self.run_ms(steady) + self.corrected_ms),
            uncertainty_ms: u32::try_from(self.uncertainty_ms(steady)).unwrap_or(u32::MAX),
        }
    }

    fn uncertainty_ms(&self, steady: Timestamp) -> i64 {
        self.anchor.uncertainty_ms.saturating_add(self.run_ms(steady) / DRIFT_PARTS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::time::MINUTE_MS;

    const NOON: Timestamp = Timestamp(1_772_452_800_000);

    #[test]
    fn u12_an_unconfirmed_jump_widens_the_uncertainty_and_moves_nothing() {
        let (mut clock, _) = Clock::start(NOON, Timestamp(0), None, 0);
        let (reading, stepped) = clock.read(NOON.minus_ms(3 * HOUR_MS), Timestamp(MINUTE_MS));
        assert_eq!(reading.wall, NOON.plus_ms(MINUTE_MS), "the anchor runs on");
        assert!(stepped.is_some());
        assert!(reading.earliest() <= NOON.minus_ms(3 * HOUR_MS).plus_ms(MINUTE_MS));
        let (again, stepped) = clock.read(NOON.minus_ms(3 * HOUR_MS).plus_ms(MINUTE_MS), Timestamp(2 * MINUTE_MS));
        assert!(stepped.is_none(), "one step, one line in the journal");
        assert_eq!(again.wall, NOON.plus_ms(2 * MINUTE_MS));
    }

    #[test]
    fn u12_the_server_corrects_both_ways() {
        let (mut clock, _) = Clock::start(NOON, Timestamp(0), None, 0);
        let later = NOON.plus_ms(5 * HOUR_MS);
        assert!(clock.hear(later, Timestamp(10), NOON, 20).is_some());
        assert_eq!(clock.read(NOON.plus_ms(10), Timestamp(20)).0.wall, later.plus_ms(10));
        assert_eq!(clock.machine_off_ms(), -5 * HOUR_MS);
        assert!(clock.hear(NOON, Timestamp(30), NOON.plus_ms(20), 20).is_some());
        assert_eq!(clock.read(NOON.plus_ms(30), Timestamp(40)).0.wall.0, NOON.0 + 10);
    }

    #[test]
    fn u12_a_clock_set_back_while_off_is_not_believed() {
        let (mut clock, stepped) = Clock::start(NOON, Timestamp(0), Some(NOON.plus_ms(5 * HOUR_MS)), 0);
        assert!(stepped.is_some());
        let (reading, _) = clock.read(NOON, Timestamp(0));
        assert!(reading.wall >= NOON.plus_ms(5 * HOUR_MS) && reading.earliest() <= NOON);
    }

    #[test]
    fn r18_a_clock_that_is_put_right_is_journalled_as_the_step_it_takes() {
        let year = 400 * DAY_MS;
        let (mut clock, _) = Clock::start(NOON, Timestamp(0), None, 0);
        clock.read(NOON.plus_ms(year), Timestamp(0));
        let off = clock.disbelieved_ms();
        let (_, back) = clock.read(NOON.plus_ms(MINUTE_MS), Timestamp(MINUTE_MS));
        let back = back.unwrap();
        assert_eq!((back.before, back.after), (NOON.plus_ms(year + MINUTE_MS), NOON.plus_ms(MINUTE_MS)));
        let (_, back) = Clock::start(NOON.plus_ms(MINUTE_MS), Timestamp(0), Some(NOON), off);
        let back = back.unwrap();
        assert_eq!(
            (back.before, back.after),
            (NOON.plus_ms(year), NOON.plus_ms(MINUTE_MS)),
            "the same while it was off"
        );
    }

    #[test]
    fn u12_a_clock_that_races_is_noticed_however_often_it_is_looked_at() {
        let (mut clock, _) = Clock::start(NOON, Timestamp(0), None, 0);
        let mut steps = 0;
        for second in 1..=3600 {
            let (reading, stepped) = clock.read(NOON.plus_ms(second * MINUTE_MS), Timestamp(second * 1000));
            steps += usize::from(stepped.is_some());
            assert!(
                reading.wall <= NOON.plus_ms(second * 1000 + BELIEVED_JUMP_MS),
                "{second} s on, it is {:?}",
                reading.wall
            );
            assert!(reading.latest().plus_ms(BELIEVED_JUMP_MS) >= NOON.plus_ms(second * MINUTE_MS));
        }
        assert!((1..100).contains(&steps), "{steps} lines in the journal");
    }

    #[test]
    fn r18_a_clock_set_back_a_little_before_each_start_lets_time_go_on() {
        let (mut machine, mut seen) = (NOON, NOON);
        for hour in 1..=100 {
            // Switched off and on each hour, and set back by as much as is believed.
            let (mut clock, _) = Clock::start(machine, Timestamp(0), Some(seen), 0);
            let (reading, _) = clock.read(machine.plus_ms(HOUR_MS), Timestamp(HOUR_MS));
            assert!(reading.wall >= NOON.plus_ms(hour * HOUR_MS), "{hour}: {:?}", reading.wall);
            assert!(reading.earliest() <= machine.plus_ms(HOUR_MS));
            (seen, machine) = (reading.wall, reading.wall.minus_ms(59 * MINUTE_MS));
        }
    }

    #[test]
    fn u12_a_jump_is_not_made_true_by_switching_off_and_on() {
        for jump in [5 * HOUR_MS, -5 * HOUR_MS, 20 * DAY_MS] {
            let (mut clock, _) = Clock::start(NOON, Timestamp(0), None, 0);
            let jumped = NOON.plus_ms(jump + MINUTE_MS);
            let (before, _) = clock.read(jumped, Timestamp(MINUTE_MS));
            let (mut again, stepped) = Clock::start(jumped, Timestamp(0), Some(before.wall), clock.disbelieved_ms());
            assert_eq!(stepped, None, "it is in the journal already");
            let (after, _) = again.read(jumped.plus_ms(MINUTE_MS), Timestamp(MINUTE_MS));
            assert_eq!(after.wall, before.wall.plus_ms(MINUTE_MS));
            assert!(i64::from(after.uncertainty_ms) >= jump.abs());
        }
    }

    #[test]
    fn u12_a_clock_far_ahead_after_being_off_is_not_believed_and_one_weekend_is() {
        let year_ahead = NOON.plus_ms(400 * DAY_MS);
        let (mut clock, stepped) = Clock::start(year_ahead, Timestamp(0), Some(NOON), 0);
        assert!(stepped.is_some());
        let (reading, _) = clock.read(year_ahead, Timestamp(0));
        assert_eq!(reading.wall, NOON);
        assert!(reading.is_lost(), "no interval can say that it may be a year later");
        let monday = NOON.plus_ms(3 * DAY_MS);
        let (mut clock, stepped) = Clock::start(monday, Timestamp(0), Some(NOON), 0);
        assert_eq!(stepped, None);
        let (reading, _) = clock.read(monday, Timestamp(0));
        assert_eq!(reading.wall, monday);
        assert!((1..MINUTE_MS).contains(&i64::from(reading.uncertainty_ms)), "clocks drift while nobody looks");
    }
}
