//! How much anybody may take of this server at a time: connections, memory for bodies, calls in work, calls a second.
//!
//! Whatever is shared has a limit in all and a limit for each address, so that one device which asks for everything gets its share and leaves the
//! others theirs. Who gets nothing is told at once, and when to come again; nobody waits in a queue that has no end.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use shared::time::{SECOND_MS, Timestamp};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::access::neighbourhood;

/// Something of which there is so much, and so much for each address.
#[derive(Debug)]
pub struct Shares {
    total: u64,
    each: u64,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    all: u64,
    by_address: HashMap<IpAddr, u64>,
}

/// What one has taken; given back when dropped.
#[derive(Debug)]
#[must_use]
pub struct Share {
    from: Arc<Shares>,
    address: IpAddr,
    amount: u64,
}

impl Shares {
    pub fn new(total: u64, each: u64) -> Arc<Self> {
        Arc::new(Self { total, each, taken: Mutex::default() })
    }

    /// So much for this address, if it may have it. Where less than a quarter is left, an address may have a quarter of its share: a few that
    /// take all they can don't shut out those who come after them.
    pub fn take(self: &Arc<Self>, address: IpAddr, amount: u64) -> Option<Share> {
        let address = neighbourhood(address);
        let mut taken = self.taken();
        let all = taken.all.checked_add(amount).filter(|all| *all <= self.total)?;
        let scarce = all > self.total - self.total / 4;
        let own = taken.by_address.get(&address).copied().unwrap_or(0).checked_add(amount)?;
        if own > if scarce { self.each.div_ceil(4) } else { self.each } {
            return None;
        }
        taken.all = all;
        taken.by_address.insert(address, own);
        drop(taken);
        Some(Share { from: self.clone(), address, amount })
    }

    /// Nothing panics under this lock.
    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut taken = self.from.taken();
        taken.all -= self.amount;
        if let Some(own) = taken.by_address.get_mut(&self.address) {
            *own -= self.amount;
            if *own == 0 {
                taken.by_address.remove(&self.address);
            }
        }
    }
}

/// Work of which so much is done at a time. What comes besides waits for its turn, not for long, and few from one address: a turn comes round
/// soon for whoever asks for little.
#[derive(Debug)]
pub struct Work {
    places: Arc<Semaphore>,
    waiting: Arc<Shares>,
    patience: Duration,
}

/// A turn at some work; the next one's when dropped.
#[derive(Debug)]
#[must_use]
pub struct Turn {
    _place: OwnedSemaphorePermit,
    _share: Share,
}

impl Work {
    pub fn new(at_a_time: usize, waiting: Arc<Shares>, patience: Duration) -> Self {
        Self { places: Arc::new(Semaphore::new(at_a_time.max(1))), waiting, patience }
    }

    /// A turn; `None` when too many from this address wait for theirs, or when none came in time.
    pub async fn turn(&self, address: IpAddr) -> Option<Turn> {
        let share = self.waiting.take(address, 1)?;
        let place = tokio::time::timeout(self.patience, self.places.clone().acquire_owned()).await.ok()?.ok()?;
        Some(Turn { _place: place, _share: share })
    }
}

/// How often somebody may do something: a bucket of tokens for each.
pub struct Rate<K: Hash + Eq + Clone> {
    buckets: DefaultKeyedRateLimiter<K>,
    clock: DefaultClock,
}

/// More buckets than this are looked through for full ones, which needn't be remembered.
const MANY_BUCKETS: usize = 10_000;

impl<K: Hash + Eq + Clone> Rate<K> {
    /// So many at once, and so many a second after that. Zero means one.
    pub fn new(at_once: u32, per_second: u32) -> Self {
        let at_least_one = |number: u32| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::per_second(at_least_one(per_second)).allow_burst(at_least_one(at_once));
        Self { buckets: RateLimiter::keyed(quota), clock: DefaultClock::default() }
    }

    /// Takes a token, or says how many seconds to wait for one.
    pub fn take(&self, whose: &K) -> Result<(), u32> {
        if self.buckets.len() > MANY_BUCKETS {
            self.buckets.retain_recent();
        }
        self.buckets.check_key(whose).map_err(|not_until| {
            let wait = not_until.wait_time_from(self.clock.now());
            u32::try_from(wait.as_secs()).unwrap_or(u32::MAX).saturating_add(1)
        })
    }
}

/// A word for the log that a flood must not repeat a thousand times a second.
#[derive(Debug, Default)]
pub struct Seldom(AtomicI64);

const SELDOM_MS: i64 = 10 * SECOND_MS;

impl Seldom {
    /// Whether it may be said now: the first time, and then every ten seconds.
    pub fn may_say(&self, now: Timestamp) -> bool {
        let last = self.0.load(Ordering::Relaxed);
        (last == 0 || now.0 - last >= SELDOM_MS || now.0 < last)
            && self.0.compare_exchange(last, now.0, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8) -> IpAddr {
        IpAddr::from([10, 0, 0, last])
    }

    #[test]
    fn one_address_gets_its_share_and_leaves_the_others_theirs() {
        let shares = Shares::new(100, 50);
        let most = shares.take(address(1), 50).unwrap();
        assert!(shares.take(address(1), 1).is_none(), "its share is its share");
        let second = shares.take(address(2), 25).unwrap();
        assert!(shares.take(address(2), 25).is_none(), "where little is left, less of it");
        let third = shares.take(address(3), 13).unwrap();
        assert!(shares.take(address(4), 13).is_none(), "what is gone is gone");
        assert!(shares.take(address(4), u64::MAX).is_none());
        drop((most, second, third));
        assert!(shares.take(address(1), 50).is_some());
        assert!(shares.taken().by_address.is_empty() && shares.taken().all == 0, "what was given back is forgotten");
    }

    #[test]
    fn a_bucket_is_each_ones_own_and_says_how_long_to_wait() {
        let rate = Rate::new(3, 1);
        assert!((0..3).all(|_| rate.take(&"K1").is_ok()));
        assert!((1..=2).contains(&rate.take(&"K1").unwrap_err()));
        assert!(rate.take(&"K2").is_ok());
    }

    #[tokio::test]
    async fn who_waits_too_long_gets_no_turn_and_one_address_has_few_of_them() {
        let work = Work::new(1, Shares::new(100, 1), Duration::from_millis(20));
        let first = work.turn(address(1)).await.unwrap();
        assert!(work.turn(address(2)).await.is_none(), "not in time");
        drop(first);
        let work = Work::new(2, Shares::new(100, 1), Duration::from_millis(20));
        let _first = work.turn(address(1)).await.unwrap();
        assert!(work.turn(address(1)).await.is_none(), "the other's turn");
        assert!(work.turn(address(2)).await.is_some());
    }

    #[test]
    fn a_flood_is_said_every_ten_seconds() {
        let seldom = Seldom::default();
        let said = [1, 2, 9_999, 10_001, 10_002, 20_001, 5].map(|at| seldom.may_say(Timestamp(at)));
        assert_eq!(said, [true, false, false, true, false, true, true]);
    }
}
