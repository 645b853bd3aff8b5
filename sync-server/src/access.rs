//! Who may come in: the one who runs the server (a token, a session in the browser), kiosks (a token for bell and blobs), and how often
//! somebody may be wrong.
//!
//! Office acts are not in here: they carry the signers' own secrets, and unlocking their keys *is* the check.

use std::collections::{HashMap, VecDeque};
use std::fs;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use shared::id::{DeviceKey, Digest32, hex};
use shared::part11::signature::DeviceSecret;
use shared::time::{HOUR_MS, MINUTE_MS, Timestamp};

use crate::core::secrets::write_private;
use crate::error::Problem;

/// How long a kiosk's token for bell and blobs is good, in milliseconds.
pub const DEVICE_TOKEN_MS: i64 = 15 * MINUTE_MS;
/// How long a session in the browser lasts, in milliseconds.
pub const SESSION_MS: i64 = 12 * HOUR_MS;
/// Most sessions kept; the oldest goes first.
const MAX_SESSIONS: usize = 256;
/// Most addresses remembered for being wrong.
const MAX_REMEMBERED: usize = 10_000;

/// The administrator's token, for `Authorization: Bearer` and for signing in.
pub const TOKEN_FILE: &str = "admin.token";
/// The one-time set-up token, until it is used.
pub const SET_UP_FILE: &str = "set-up.txt";

/// Locks that nothing panics under hold plain maps: a poisoned one is as good as before.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The keys to the door.
pub struct Access {
    folder: PathBuf,
    device_tokens: Digest32,
    admin_token: String,
    set_up: Mutex<Option<String>>,
    sessions: Mutex<HashMap<Digest32, Timestamp>>,
}

impl Access {
    /// Reads the administrator's token, or makes it, and with it a one-time set-up token, at the first start.
    ///
    /// `admin.token` is written last: a restart in between makes both anew, and nobody has used either.
    pub fn load_or_make(folder: &Path, device: &DeviceSecret, random: impl Fn() -> [u8; 24]) -> io::Result<Self> {
        let mut set_up = read(&folder.join(SET_UP_FILE))?.and_then(|text| token_in(&text));
        let admin_token = match read(&folder.join(TOKEN_FILE))? {
            Some(text) => text.trim().to_owned(),
            None => {
                let (token, one_time) = (hex(&random()), hex(&random()));
                write_private(&folder.join(SET_UP_FILE), format!("{one_time}\n").as_bytes())?;
                write_private(&folder.join(TOKEN_FILE), format!("{token}\n").as_bytes())?;
                set_up = Some(one_time);
                token
            }
        };
        if admin_token.len() < 32 {
            return Err(io::Error::new(io::ErrorKind::InvalidData, format!("{TOKEN_FILE} holds no token")));
        }
        // Derived from the server's own key and not from the site pepper, which every kiosk holds.
        let device_tokens = Digest32::of_parts(&[b"lineproof device tokens", &device.seed()]);
        let folder = folder.to_owned();
        Ok(Self { folder, device_tokens, admin_token, set_up: Mutex::new(set_up), sessions: Mutex::default() })
    }

    pub fn admin_token(&self) -> &str {
        &self.admin_token
    }

    pub fn is_admin(&self, token: &str) -> bool {
        same(token, &self.admin_token)
    }

    /// Writes the one-time address where its owner finds it; `None` when it was used already.
    pub fn offer_set_up(&self, address: &str) -> io::Result<Option<String>> {
        let Some(token) = locked(&self.set_up).clone() else { return Ok(None) };
        let address = format!("{address}/set-up?token={token}");
        write_private(&self.folder.join(SET_UP_FILE), format!("{address}\n").as_bytes())?;
        Ok(Some(address))
    }

    /// Uses the one-time token up.
    pub fn use_set_up(&self, token: &str) -> io::Result<bool> {
        let mut open = locked(&self.set_up);
        if !open.as_ref().is_some_and(|expected| same(token, expected)) {
            return Ok(false);
        }
        fs::remove_file(self.folder.join(SET_UP_FILE))?;
        *open = None;
        Ok(true)
    }

    /// A new session's cookie value.
    pub fn open_session(&self, random: [u8; 24], now: Timestamp) -> String {
        let cookie = hex(&random);
        let mut sessions = locked(&self.sessions);
        sessions.retain(|_, until| now < *until);
        if sessions.len() >= MAX_SESSIONS
            && let Some(oldest) = sessions.iter().min_by_key(|(_, until)| **until).map(|(digest, _)| *digest)
        {
            sessions.remove(&oldest);
        }
        sessions.insert(Digest32::of(cookie.as_bytes()), now.plus_ms(SESSION_MS));
        cookie
    }

    pub fn session_holds(&self, cookie: &str, now: Timestamp) -> bool {
        locked(&self.sessions).get(&Digest32::of(cookie.as_bytes())).is_some_and(|until| now < *until)
    }

    pub fn close_session(&self, cookie: &str) {
        locked(&self.sessions).remove(&Digest32::of(cookie.as_bytes()));
    }

    /// A token that lets a device ring and fetch for a quarter of an hour: `device.expiry.mac`.
    pub fn device_token(&self, device: &DeviceKey, now: Timestamp) -> String {
        let expiry = now.plus_ms(DEVICE_TOKEN_MS);
        format!("{device}.{}.{}", expiry.0, self.mac(device, expiry))
    }

    /// The device whose token this is, while it is good.
    pub fn device_of(&self, token: &str, now: Timestamp) -> Option<DeviceKey> {
        let mut parts = token.split('.');
        let (device, expiry, mac) = (parts.next()?, parts.next()?, parts.next()?);
        let device: DeviceKey = device.parse().ok()?;
        let expiry = Timestamp(expiry.parse().ok()?);
        let good = parts.next().is_none() && now < expiry && same(mac, &self.mac(&device, expiry).to_string());
        good.then_some(device)
    }

    fn mac(&self, device: &DeviceKey, expiry: Timestamp) -> Digest32 {
        Digest32::of_parts(&[self.device_tokens.as_bytes(), device.as_bytes(), &expiry.0.to_be_bytes()])
    }
}

/// Compares by digest, so that the time it takes tells nothing of where the two differ.
fn same(given: &str, expected: &str) -> bool {
    Digest32::of(given.as_bytes()) == Digest32::of(expected.as_bytes())
}

/// The token in a set-up file, which holds it alone or at the end of an address.
fn token_in(text: &str) -> Option<String> {
    let token = text.trim().rsplit('=').next()?;
    (token.len() >= 32).then(|| token.to_owned())
}

fn read(path: &Path) -> io::Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Who is being limited.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Whose {
    /// An address; of IPv6 its first 64 bits.
    Address(IpAddr),
    /// A person's secret, from wherever it is tried.
    Person(String),
}

impl Whose {
    pub fn address(address: IpAddr) -> Self {
        Self::Address(neighbourhood(address))
    }
}

/// One household of addresses: an IPv4 address, or the /64 that an IPv6 host may choose from freely.
pub fn neighbourhood(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let s = v6.segments();
            IpAddr::from([s[0], s[1], s[2], s[3], 0, 0, 0, 0])
        }
        v4 => v4,
    }
}

/// Counts wrong codes, tokens and secrets in the last minute. Being right costs nothing.
pub struct Attempts {
    most: usize,
    wrong: Mutex<HashMap<Whose, VecDeque<Instant>>>,
}

const WINDOW: Duration = Duration::from_secs(60);

impl Attempts {
    pub fn new(most: usize) -> Self {
        Self { most, wrong: Mutex::default() }
    }

    /// Whether one more try is permitted.
    pub fn may_try(&self, whose: &Whose, now: Instant) -> bool {
        let mut wrong = locked(&self.wrong);
        let Some(times) = wrong.get_mut(whose) else { return true };
        while times.front().is_some_and(|at| now.saturating_duration_since(*at) >= WINDOW) {
            times.pop_front();
        }
        times.len() < self.most
    }

    /// Whether all of them are permitted one more try now.
    pub fn may_all_try(&self, whose: &[Whose]) -> Result<(), Problem> {
        let now = Instant::now();
        if whose.iter().all(|whose| self.may_try(whose, now)) { Ok(()) } else { Err(Problem::too_many_tries()) }
    }

    pub fn note_wrong(&self, whose: &Whose, now: Instant) {
        let mut wrong = locked(&self.wrong);
        if wrong.len() >= MAX_REMEMBERED {
            wrong.retain(|_, times| times.back().is_some_and(|at| now.saturating_duration_since(*at) < WINDOW));
        }
        wrong.entry(whose.clone()).or_default().push_back(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(folder: &Path) -> Access {
        let counter = std::cell::Cell::new(0u8);
        let random = || {
            counter.set(counter.get() + 1);
            [counter.get(); 24]
        };
        Access::load_or_make(folder, &DeviceSecret::from_seed([7; 32]), random).unwrap()
    }

    #[test]
    fn a_set_up_address_works_once_and_survives_a_restart_until_then() {
        let folder = tempfile::tempdir().unwrap();
        let first = access(folder.path()).offer_set_up("https://localhost:8443").unwrap().unwrap();
        let again = access(folder.path());
        assert_eq!(again.offer_set_up("https://localhost:8443").unwrap().unwrap(), first);
        let token = first.rsplit('=').next().unwrap();
        assert!(!again.use_set_up("0000").unwrap());
        assert!(again.use_set_up(token).unwrap());
        assert!(!again.use_set_up(token).unwrap(), "only once");
        assert_eq!(access(folder.path()).offer_set_up("https://localhost:8443").unwrap(), None);
    }

    #[test]
    fn a_devices_token_is_its_own_and_ends() {
        let folder = tempfile::tempdir().unwrap();
        let access = access(folder.path());
        let (device, now) = (DeviceKey([3; 32]), Timestamp(1_000));
        let token = access.device_token(&device, now);
        assert_eq!(access.device_of(&token, now), Some(device));
        assert_eq!(access.device_of(&token, now.plus_ms(DEVICE_TOKEN_MS)), None);
        let other = token.replace(&device.to_string(), &DeviceKey([4; 32]).to_string());
        assert_eq!(access.device_of(&other, now), None);
        for garbage in ["", "..", "a.b.c", &format!("{token}.x"), "é.1.2"] {
            assert_eq!(access.device_of(garbage, now), None, "{garbage}");
        }
    }

    #[test]
    fn sessions_end_and_can_be_closed() {
        let folder = tempfile::tempdir().unwrap();
        let access = access(folder.path());
        let cookie = access.open_session([9; 24], Timestamp(0));
        assert!(access.session_holds(&cookie, Timestamp(SESSION_MS - 1)));
        assert!(!access.session_holds(&cookie, Timestamp(SESSION_MS)));
        access.close_session(&cookie);
        assert!(!access.session_holds(&cookie, Timestamp(1)));
    }

    #[test]
    fn five_wrong_tries_a_minute_and_then_none() {
        let attempts = Attempts::new(5);
        let (whose, start) = (Whose::address("2001:db8::1".parse().unwrap()), Instant::now());
        for _ in 0..5 {
            assert!(attempts.may_try(&whose, start));
            attempts.note_wrong(&whose, start);
        }
        assert!(!attempts.may_try(&Whose::address("2001:db8::2".parse().unwrap()), start), "a neighbour's address");
        assert!(attempts.may_try(&Whose::address("2001:db8:1::1".parse().unwrap()), start));
        assert!(attempts.may_try(&whose, start + WINDOW));
    }
}
