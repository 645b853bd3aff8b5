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
/// Where somebody is known, somebody who never answered is called in one of so many rounds that make a single call.
const ROUNDS_A_STRANGER: u64 = 4;
/// Most addresses that are kept of those that made themselves known; later ones take the place of who never answered, and of who hasn't longest.
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
    /// Once somebody of this plant was there.
    answered: bool,
    myself: bool,
    calling: bool,
    next: Timestamp,
    failures: u32,
    backoff: Backoff,
}

impl Peer {
    /// Whether it is more than an address that anybody on the network may have made up.
    fn is_known(&self) -> bool {
        self.listed || self.answered
    }
    fn is_free(&self, now: Timestamp) -> bool {
        !self.myself && !self.calling && self.next <= now
    }
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
            let worst =
                found().filter(|(_, peer)| !peer.calling).max_by_key(|(_, peer)| (!peer.answered, peer.failures));
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

    /// Whom to call now, drawn among those whose turn it is. Addresses that never answered have a small share only: whoever invents hundreds of
    /// them takes no calls from who is known.
    pub fn whom_to_call(&mut self, now: Timestamp, untold: bool, most: usize, random: u64) -> Vec<String> {
        let wanted = most.min(if untold { TOLD_AT_ONCE } else { 1 });
        let mut chosen = self.draw(false, self.share_of_strangers(now, wanted, random), now, random);
        chosen.extend(self.draw(true, wanted - chosen.len(), now, random));
        chosen
    }

    /// How many of the calls wanted go to who never answered: all, while nobody is known; else one at a time.
    fn share_of_strangers(&self, now: Timestamp, wanted: usize, random: u64) -> usize {
        let known = || self.peers.values().filter(|peer| peer.is_known() && !peer.myself);
        let is_calling_one = self.peers.values().any(|peer| peer.calling && !peer.is_known());
        let is_their_turn =
            wanted > 1 || random.is_multiple_of(ROUNDS_A_STRANGER) || !known().any(|peer| peer.is_free(now));
        match () {
            () if known().next().is_none() => wanted,
            () if is_their_turn && !is_calling_one => wanted.min(1),
            () => 0,
        }
    }

    /// Draws so many of those that are known, or aren't.
    fn draw(&mut self, known: bool, wanted: usize, now: Timestamp, mut random: u64) -> Vec<String> {
        let is_asked = |peer: &Peer| peer.is_known() == known && peer.is_free(now);
        let mut free: Vec<_> = self.peers.iter_mut().filter(|(_, peer)| is_asked(peer)).collect();
        let mut chosen = Vec::new();
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
                (peer.answered, peer.failures) = (true, 0);
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
    fn u6_a_flood_of_invented_addresses_takes_no_calls_from_who_is_known() {
        let mut book = book(2);
        book.find("10.0.0.9:8444".into());
        book.spoke("10.0.0.9:8444", &Spoke::Same, Timestamp(0), 0);
        let (mut now, mut known, mut invented, mut told_at_once) = (0, 0, 0, 0);
        let mut random = 1_u64;
        while now < 600_000 {
            let name = |number: i64| format!("192.168.{}.{}:9", number / 256 % 256, number % 256);
            (0..64).for_each(|number| book.find(name(now + number)));
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let untold = now % 30_000 == 0;
            let called = book.whom_to_call(Timestamp(now), untold, 4, random >> 20);
            let of_known = called.iter().filter(|address| address.starts_with("10.")).count();
            if untold {
                told_at_once += of_known;
            }
            (known, invented) = (known + of_known, invented + called.len() - of_known);
            for address in called {
                let spoke = if address.starts_with("10.") { Spoke::Same } else { Spoke::Failed };
                book.spoke(&address, &spoke, Timestamp(now), random >> 20);
            }
            now += 2_000;
        }
        assert!(known > 2 * invented && invented > 10, "{known} calls to who is known, {invented} to who isn't");
        assert!(told_at_once >= 2 * 20, "news reach who is known: {told_at_once}");
        assert!(book.peers.contains_key("10.0.0.9:8444"), "who answered once isn't displaced");
    }

    #[test]
    fn u6_invented_addresses_that_never_hang_up_hold_one_call_at_a_time() {
        let mut book = book(1);
        (0..256).for_each(|number| book.find(format!("192.168.0.{number}:9")));
        for round in 0..1_000 {
            for address in book.whom_to_call(Timestamp(round), round % 2 == 0, 4, round as u64 * 7_919) {
                if address.starts_with("10.") {
                    book.spoke(&address, &Spoke::Same, Timestamp(round), 0);
                }
            }
        }
        assert_eq!(book.peers.values().filter(|peer| peer.calling).count(), 1);
    }

    #[test]
    fn u6_where_nobody_is_known_yet_whoever_is_heard_of_is_called() {
        let mut book = Book::default();
        (0..9).for_each(|number| book.find(format!("10.0.0.{number}:8444")));
        assert_eq!(book.whom_to_call(Timestamp(0), true, 4, 5).len(), TOLD_AT_ONCE);
    }

    #[test]
    fn u6_a_kiosk_does_not_call_itself_twice() {
        let mut book = book(1);
        let me = book.whom_to_call(Timestamp(0), false, 4, 0);
        book.spoke(&me[0], &Spoke::Myself, Timestamp(0), 0);
        assert_eq!(book.whom_to_call(Timestamp(1_000_000), true, 4, 0), [""; 0]);
    }
}
