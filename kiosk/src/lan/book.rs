//! Whom to call, and when. A kiosk with news tells a few others at once, and each of those a few more; besides, everybody asks one other every few
//! seconds, so that who was passed over, or has just come back, isn't for long. However many kiosks there are, each makes few calls.

use std::collections::BTreeMap;

use shared::sync::backoff::Backoff;
use shared::time::{SECOND_MS, Timestamp};

/// Whom a kiosk with news calls at once.
const TOLD_AT_ONCE: usize = 3;
/// Longest wait between two rounds, in milliseconds; half of it is the shortest.
const ROUND_MS: u64 = 4_000;
/// The same while there is news that no round has told yet.
const NEWS_ROUND_MS: u64 = 400;
/// Longest wait before somebody who didn't answer is called again, in milliseconds.
const LONGEST_WAIT_MS: i64 = 30 * SECOND_MS;
/// Most addresses that are kept of those that made themselves known; later ones take the place of who hasn't answered longest.
const MOST_FOUND: usize = 256;

/// How a call went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spoke {
    /// Something came.
    Brought,
    /// Both hold the same.
    Same,
    /// Nobody answered, or nobody of this plant, or no headway was made.
    Failed,
    /// It is this kiosk's own address.
    Myself,
}

#[derive(Debug, Default)]
struct Peer {
    /// From the settings: it keeps its place.
    listed: bool,
    myself: bool,
    calling: bool,
    next: Timestamp,
    failures: u32,
    backoff: Backoff,
}

/// The addresses known.
#[derive(Debug, Default)]
pub struct Book {
    peers: BTreeMap<String, Peer>,
}

impl Book {
    pub fn new(listed: &[String]) -> Self {
        let peer = || Peer { listed: true, backoff: Backoff::up_to(LONGEST_WAIT_MS), ..Peer::default() };
        Self { peers: listed.iter().map(|address| (address.clone(), peer())).collect() }
    }

    /// Somebody made themselves known.
    pub fn find(&mut self, address: String) {
        if self.peers.contains_key(&address) {
            return;
        }
        let found = || self.peers.iter().filter(|(_, peer)| !peer.listed);
        if found().count() >= MOST_FOUND {
            let worst = found().filter(|(_, peer)| !peer.calling).max_by_key(|(_, peer)| peer.failures);
            let Some(worst) = worst.map(|(address, _)| address.clone()) else { return };
            self.peers.remove(&worst);
        }
        self.peers.insert(address, Peer { backoff: Backoff::up_to(LONGEST_WAIT_MS), ..Peer::default() });
    }

    /// How long to wait before the next round, in milliseconds.
    pub fn next_round_ms(&self, untold: bool, random: u64) -> u64 {
        let longest = if untold { NEWS_ROUND_MS } else { ROUND_MS };
        longest / 2 + random % (longest / 2)
    }

    /// Whom to call now, drawn among those whose turn it is.
    pub fn whom_to_call(&mut self, now: Timestamp, untold: bool, most: usize, random: u64) -> Vec<String> {
        let wanted = most.min(if untold { TOLD_AT_ONCE } else { 1 });
        let mut free: Vec<_> =
            self.peers.iter_mut().filter(|(_, peer)| !peer.myself && !peer.calling && peer.next <= now).collect();
        let (mut chosen, mut random) = (Vec::new(), random);
        while chosen.len() < wanted && !free.is_empty() {
            let count = free.len() as u64;
            // Below the count, so it fits.
            let (address, peer) = free.swap_remove((random % count) as usize);
            random /= count;
            peer.calling = true;
            chosen.push(address.clone());
        }
        chosen
    }

    /// How a call went.
    pub fn spoke(&mut self, address: &str, spoke: &Spoke, now: Timestamp, random: u64) {
        let Some(peer) = self.peers.get_mut(address) else { return };
        peer.calling = false;
        match spoke {
            Spoke::Brought | Spoke::Same => {
                peer.failures = 0;
                peer.backoff = Backoff::up_to(LONGEST_WAIT_MS);
                peer.next = now;
            }
            Spoke::Failed => {
                peer.failures = peer.failures.saturating_add(1);
                peer.next = peer.backoff.after_failure(now, random);
            }
            Spoke::Myself => peer.myself = true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn book(addresses: usize) -> Book {
        Book::new(&(0..addresses).map(|n| format!("10.0.0.{n}:8444")).collect::<Vec<_>>())
    }

    #[test]
    fn u6_news_go_to_a_few_at_once_and_else_one_is_asked() {
        let mut book = book(20);
        let told = book.whom_to_call(Timestamp(0), true, 4, 123_456_789);
        assert_eq!(told.len(), TOLD_AT_ONCE);
        let asked = book.whom_to_call(Timestamp(0), false, 4, 987_654_321);
        assert!(asked.len() == 1 && !told.contains(&asked[0]), "nobody is called twice at once");
        assert_eq!(book.whom_to_call(Timestamp(0), true, 0, 1), [""; 0]);
    }

    #[test]
    fn u6_who_does_not_answer_is_called_less_and_less_and_never_forgotten() {
        let mut book = book(1);
        let (mut now, mut calls) = (0, 0);
        while now < 600_000 {
            for address in book.whom_to_call(Timestamp(now), true, 4, 7) {
                calls += 1;
                book.spoke(&address, &Spoke::Failed, Timestamp(now), 7);
            }
            now += 100;
        }
        assert!((20..60).contains(&calls), "{calls} calls in ten minutes");
        let mut next = now;
        while book.whom_to_call(Timestamp(next), false, 4, 7).is_empty() {
            next += 100;
        }
        assert!(next - now <= LONGEST_WAIT_MS);
    }

    #[test]
    fn u6_a_flood_of_invented_addresses_displaces_nobody_of_the_list_and_has_an_end() {
        let mut book = book(2);
        for number in 0..10_000 {
            book.find(format!("192.168.{}.{}:9", number / 256, number % 256));
        }
        assert_eq!(book.peers.len(), 2 + MOST_FOUND);
        assert_eq!(book.peers.values().filter(|peer| peer.listed).count(), 2);
    }

    #[test]
    fn u6_a_kiosk_does_not_call_itself_twice() {
        let mut book = book(1);
        let me = book.whom_to_call(Timestamp(0), false, 4, 0);
        book.spoke(&me[0], &Spoke::Myself, Timestamp(0), 0);
        assert_eq!(book.whom_to_call(Timestamp(1_000_000), true, 4, 0), [""; 0]);
    }
}
