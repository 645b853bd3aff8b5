//! When to call again.

use crate::time::{MINUTE_MS, SECOND_MS, Timestamp};

/// Longest wait after the first failure.
pub const FIRST_WAIT_MS: i64 = 2 * SECOND_MS;
/// Longest wait after many failures.
pub const LONGEST_WAIT_MS: i64 = 5 * MINUTE_MS;
/// Longest time between two exchanges when all is well and no bell rings.
pub const REGULAR_WAIT_MS: i64 = MINUTE_MS;

/// Waits that double with each failure, each drawn between a half and the whole, so that a hall of kiosks doesn't return in one moment. A call made
/// before its time, for somebody wrote something, is no further failure while the wait lasts: else a busy minute without a line would end in minutes
/// of silence.
#[derive(Debug, Clone)]
pub struct Backoff {
    failures: u32,
    longest_ms: i64,
    /// Until when the last failure said to wait.
    until: Option<Timestamp>,
}

impl Default for Backoff {
    fn default() -> Self {
        Self::up_to(LONGEST_WAIT_MS)
    }
}

impl Backoff {
    /// Waits that grow no further than this.
    pub fn up_to(longest_ms: i64) -> Self {
        Self { failures: 0, longest_ms, until: None }
    }

    /// The moment of the next call after a failure at `now`. `random` is any random number.
    pub fn after_failure(&mut self, now: Timestamp, random: u64) -> Timestamp {
        if let Some(until) = self.until.filter(|until| now < *until) {
            return until;
        }
        let doubled = FIRST_WAIT_MS.saturating_mul(1 << self.failures.min(20));
        self.failures = self.failures.saturating_add(1);
        let until = now.plus_ms(jitter(doubled.min(self.longest_ms), random));
        self.until = Some(until);
        until
    }

    /// The moment of the next call after an exchange that worked.
    pub fn after_success(&mut self, now: Timestamp, random: u64) -> Timestamp {
        *self = Self::up_to(self.longest_ms);
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
        let (mut backoff, mut now) = (Backoff::default(), Timestamp(0));
        let waits: Vec<i64> = std::iter::repeat_with(|| {
            let until = backoff.after_failure(now, 0);
            until.since(std::mem::replace(&mut now, until))
        })
        .take(30)
        .collect();
        assert_eq!(waits[..3], [1_000, 2_000, 4_000]);
        assert_eq!(waits[29], LONGEST_WAIT_MS / 2);
        assert!(Backoff::default().after_failure(now, u64::MAX).since(now) <= FIRST_WAIT_MS);
        backoff.after_success(now, 0);
        assert_eq!(backoff.after_failure(now, 0).since(now), 1_000);
    }

    #[test]
    fn calls_that_were_brought_forward_prolong_no_wait() {
        let mut backoff = Backoff::default();
        let until = backoff.after_failure(Timestamp(0), 0);
        for ms in 1..until.0 {
            assert_eq!(backoff.after_failure(Timestamp(ms), 0), until);
        }
        assert_eq!(backoff.after_failure(until, 0).since(until), 2_000);
    }
}
