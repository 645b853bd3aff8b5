//! When to call again.

use crate::time::{MINUTE_MS, SECOND_MS, Timestamp};

/// Longest wait after the first failure.
pub const FIRST_WAIT_MS: i64 = 2 * SECOND_MS;
/// Longest wait after many failures.
pub const LONGEST_WAIT_MS: i64 = 5 * MINUTE_MS;
/// Longest time between two exchanges when all is well and no bell rings.
pub const REGULAR_WAIT_MS: i64 = MINUTE_MS;

/// Waits that double with each failure, each drawn between a half and the whole, so that a hall of kiosks doesn't return in one moment.
#[derive(Debug, Clone)]
pub struct Backoff {
    failures: u32,
    longest_ms: i64,
}

impl Default for Backoff {
    fn default() -> Self {
        Self::up_to(LONGEST_WAIT_MS)
    }
}

impl Backoff {
    /// Waits that grow no further than this.
    pub fn up_to(longest_ms: i64) -> Self {
        Self { failures: 0, longest_ms }
    }

    /// The moment of the next call after a failure at `now`. `random` is any random number.
    pub fn after_failure(&mut self, now: Timestamp, random: u64) -> Timestamp {
        let doubled = FIRST_WAIT_MS.saturating_mul(1 << self.failures.min(20));
        self.failures = self.failures.saturating_add(1);
        now.plus_ms(jitter(doubled.min(self.longest_ms), random))
    }

    /// The moment of the next call after an exchange that worked.
    pub fn after_success(&mut self, now: Timestamp, random: u64) -> Timestamp {
        self.failures = 0;
        now.plus_ms(jitter(REGULAR_WAIT_MS, random))
    }
}

fn jitter(wait_ms: i64, random: u64) -> i64 {
    let half = wait_ms / 2;
    // `half` is at least one second, so the remainder fits and is never negative.
    half + (random % (half.unsigned_abs() + 1)) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_their_limit_and_begin_anew_after_a_success() {
        let mut backoff = Backoff::default();
        let now = Timestamp(0);
        let waits: Vec<i64> = (0..30).map(|_| backoff.after_failure(now, 0).0).collect();
        assert_eq!(waits[..3], [1_000, 2_000, 4_000]);
        assert_eq!(waits[29], LONGEST_WAIT_MS / 2);
        assert!(Backoff::default().after_failure(now, u64::MAX).0 <= FIRST_WAIT_MS);
        backoff.after_success(now, 0);
        assert_eq!(backoff.after_failure(now, 0).0, 1_000);
    }
}
