//! What time it is, and how sure the kiosk is of it (R18, U12).
//!
//! The wall clock can be set by anybody; the steady clock only runs. Between two looks both should have moved alike: a jump that nobody
//! confirmed widens the uncertainty and doesn't move the anchor. A signed server time corrects both ways.

use std::time::Instant;

use shared::time::{ClockReading, HOUR_MS, Timestamp};

/// Where a kiosk's time and chance come from.
pub trait Environment: Send {
    /// The wall clock, as the machine has it.
    fn wall(&self) -> Timestamp;
    /// A clock that never steps, from any origin.
    fn steady(&self) -> Timestamp;
    fn random(&self, bytes: &mut [u8]);
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
/// How much a steady clock may drift: one part in so many.
const DRIFT_PARTS: i64 = 10_000;

/// The last moment at which the time was known, and how well.
#[derive(Debug, Clone, Copy)]
pub struct Anchor {
    wall: Timestamp,
    steady: Timestamp,
    uncertainty_ms: i64,
}

/// A change of the wall clock worth a line in the journal.
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
}

impl Clock {
    /// Starts from the machine's clock; what the store saw last is a lower bound.
    pub fn start(wall: Timestamp, steady: Timestamp, last_seen: Option<Timestamp>) -> (Self, Option<Stepped>) {
        let backwards = last_seen.filter(|seen| wall.plus_ms(BELIEVED_JUMP_MS) < *seen);
        let (start, uncertainty_ms) = match backwards {
            Some(seen) => (seen, seen.since(wall)),
            None => (wall, 0),
        };
        let stepped = backwards.map(|seen| Stepped { before: seen, after: wall, why: "set back while off" });
        let disbelieved_ms = wall.since(start);
        (Self { anchor: Anchor { wall: start, steady, uncertainty_ms }, disbelieved_ms }, stepped)
    }

    /// Looks at both clocks.
    pub fn read(&mut self, wall: Timestamp, steady: Timestamp) -> (ClockReading, Option<Stepped>) {
        let run = steady.since(self.anchor.steady).max(0);
        let expected = self.anchor.wall.plus_ms(run);
        let jump = wall.since(expected) - self.disbelieved_ms;
        let stepped = if jump.abs() > BELIEVED_JUMP_MS {
            // Nobody confirmed it: both ends are possible from now on.
            self.disbelieved_ms += jump;
            self.anchor.uncertainty_ms = self.anchor.uncertainty_ms.max(self.disbelieved_ms.abs());
            Some(Stepped { before: expected, after: wall, why: "jumped" })
        } else {
            // Small corrections are the operating system keeping time.
            self.anchor = Anchor {
                wall: expected.plus_ms(jump),
                steady,
                uncertainty_ms: self.anchor.uncertainty_ms + run / DRIFT_PARTS,
            };
            None
        };
        (self.reading(steady), stepped)
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
        self.disbelieved_ms = wall.since(server);
        let off = server.since(before);
        (off.abs() > BELIEVED_JUMP_MS).then_some(Stepped { before, after: server, why: "corrected by the server" })
    }

    /// By how much the machine's own clock is off from the time used here, in milliseconds: 0 until a server or a jump said otherwise.
    pub fn machine_off_ms(&self) -> i64 {
        self.disbelieved_ms
    }

    fn reading(&self, steady: Timestamp) -> ClockReading {
        let wall = self.anchor.wall.plus_ms(steady.since(self.anchor.steady).max(0));
        ClockReading { wall, uncertainty_ms: u32::try_from(self.anchor.uncertainty_ms).unwrap_or(u32::MAX) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::time::MINUTE_MS;

    const NOON: Timestamp = Timestamp(1_772_452_800_000);

    #[test]
    fn u12_an_unconfirmed_jump_widens_the_uncertainty_and_moves_nothing() {
        let (mut clock, _) = Clock::start(NOON, Timestamp(0), None);
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
        let (mut clock, _) = Clock::start(NOON, Timestamp(0), None);
        let later = NOON.plus_ms(5 * HOUR_MS);
        assert!(clock.hear(later, Timestamp(10), NOON, 20).is_some());
        assert_eq!(clock.read(NOON.plus_ms(10), Timestamp(20)).0.wall, later.plus_ms(10));
        assert_eq!(clock.machine_off_ms(), -5 * HOUR_MS);
        assert!(clock.hear(NOON, Timestamp(30), NOON.plus_ms(20), 20).is_some());
        assert_eq!(clock.read(NOON.plus_ms(30), Timestamp(40)).0.wall.0, NOON.0 + 10);
    }

    #[test]
    fn u12_a_clock_set_back_while_off_is_not_believed() {
        let (mut clock, stepped) = Clock::start(NOON, Timestamp(0), Some(NOON.plus_ms(5 * HOUR_MS)));
        assert!(stepped.is_some());
        let (reading, _) = clock.read(NOON, Timestamp(0));
        assert!(reading.wall >= NOON.plus_ms(5 * HOUR_MS) && reading.earliest() <= NOON);
    }
}
