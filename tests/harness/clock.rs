//! Time, chance and room on the disk that a scenario controls.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use shared::time::Timestamp;

/// One clock for a whole plant. Random bytes are a counted sequence: the same scenario gives the same ids.
#[derive(Clone)]
pub struct VirtualClock {
    now_ms: Arc<AtomicI64>,
    /// By how much the kiosks' machines have their wall clocks ahead.
    ahead_ms: Arc<AtomicI64>,
    drawn: Arc<AtomicU64>,
    free_bytes: Arc<AtomicU64>,
}

impl VirtualClock {
    pub fn at(text: &str) -> Self {
        Self::beginning(crate::at(text))
    }

    pub fn beginning(now: Timestamp) -> Self {
        Self {
            now_ms: Arc::new(AtomicI64::new(now.0)),
            ahead_ms: Arc::default(),
            drawn: Arc::default(),
            free_bytes: Arc::new(AtomicU64::new(u64::MAX)),
        }
    }

    /// The same, with random bytes that no clock before this one gave.
    pub fn with_chance_of_its_own(self, number: u32) -> Self {
        self.drawn.store(u64::from(number) << 32, Ordering::SeqCst);
        self
    }

    pub fn set(&self, text: &str) {
        self.set_to(crate::at(text));
    }

    pub fn set_to(&self, now: Timestamp) {
        self.now_ms.store(now.0, Ordering::SeqCst);
    }

    pub fn advance_ms(&self, ms: i64) {
        self.now_ms.fetch_add(ms, Ordering::SeqCst);
    }

    /// Somebody sets the wall clocks of the kiosks' machines; no time passes, and the server's stays right.
    pub fn set_machines_ahead(&self, ms: i64) {
        self.ahead_ms.store(ms, Ordering::SeqCst);
    }

    pub fn forward_minutes(&self, minutes: i64) {
        self.advance_ms(minutes * shared::time::MINUTE_MS);
    }

    /// From here on, so much is left on every disk.
    pub fn leave_bytes(&self, free: u64) {
        self.free_bytes.store(free, Ordering::SeqCst);
    }

    pub fn now(&self) -> Timestamp {
        Timestamp(self.now_ms.load(Ordering::SeqCst))
    }

    fn fill(&self, bytes: &mut [u8]) {
        let draw = self.drawn.fetch_add(1, Ordering::SeqCst);
        for (place, chunk) in bytes.chunks_mut(32).enumerate() {
            let parts = [b"harness".as_slice(), &draw.to_be_bytes(), &(place as u64).to_be_bytes()];
            let digest = shared::id::Digest32::of_parts(&parts);
            chunk.copy_from_slice(&digest.0[..chunk.len()]);
        }
    }
}

impl sync_server::core::Environment for VirtualClock {
    fn now(&self) -> Timestamp {
        VirtualClock::now(self)
    }
    fn random(&self, bytes: &mut [u8]) {
        self.fill(bytes);
    }
}

impl kiosk::clock::Environment for VirtualClock {
    fn wall(&self) -> Timestamp {
        VirtualClock::now(self).plus_ms(self.ahead_ms.load(Ordering::SeqCst))
    }
    fn steady(&self) -> Timestamp {
        VirtualClock::now(self)
    }
    fn random(&self, bytes: &mut [u8]) {
        self.fill(bytes);
    }
    fn free_bytes(&self, _: &Path) -> Option<u64> {
        Some(self.free_bytes.load(Ordering::SeqCst))
    }
}
