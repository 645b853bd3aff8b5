//! Kiosks of a site among themselves, when the server is away (U6): what one holds, all come to hold.
//!
//! A kiosk listens, and while its server isn't heard it calls others: those of a list, and those that make themselves known in its network
//! segment. What is said is the protocol's ([`shared::sync::terminal`], T10); here are the line it is said on, whom to call and when.
//!
//! | file | what |
//! |---|---|
//! | `line` | TLS 1.3 between two devices' own keys, and frames with a limit |
//! | `talk` | a conversation, from both ends |
//! | `book` | whom to call, and when |
//! | `find` | who makes themselves known (mDNS) |
//!
//! Nothing of an address is believed: whoever answers there shows an enrolment that this plant's server signed, for the key the line proves.

mod book;
mod find;
pub mod line;
mod talk;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use shared::part11::signature::DeviceSecret;
use shared::time::Timestamp;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use self::book::{Book, Spoke};
use self::find::Finder;
use self::line::{Broken, Keys, Line};
use crate::runtime::Reach;

/// How long one conversation may take, from the first byte on.
const TALK_TIMEOUT: Duration = Duration::from_secs(30);
/// How long the line itself may take until both keys are proved, and how long the first word is waited for.
const OPENING_TIMEOUT: Duration = Duration::from_secs(3);
/// Conversations that others began and that are under way at once; from one address.
const MOST_HEARD: usize = 8;
const MOST_HEARD_FROM_ONE: usize = 2;
/// Conversations begun here and under way at once.
const MOST_CALLS: usize = 4;
/// Wait before a port that can't be had is tried again.
const LISTEN_AGAIN: Duration = Duration::from_secs(30);
/// Wait while the terminal isn't set up, or its store is closed.
const STORE_AGAIN: Duration = Duration::from_secs(2);

/// How a kiosk takes part.
#[derive(Debug, Clone)]
pub struct Lan {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Whom it knows by its settings: `HOST:PORT`.
    pub peers: Vec<String>,
    /// Whether it makes itself known, and looks for others, by mDNS.
    pub mdns: bool,
}

/// Keeps the kiosk together with the others of its site for as long as it is polled, unless it is to take no part in that. `due` is notified when
/// something came that the server may lack.
pub async fn take_part<R: Reach + Clone + 'static>(core: R, lan: Option<Lan>, due: Arc<Notify>) {
    let Some(lan) = lan else { return };
    let secret = loop {
        match core.with(|core| core.enrolled().map(|enrolled| enrolled.secret.clone())).await {
            Ok(Some(secret)) => break secret,
            _ => tokio::time::sleep(STORE_AGAIN).await,
        }
    };
    among_peers(core, &secret, None, &lan, due).await;
}

async fn listen(address: SocketAddr) -> TcpListener {
    loop {
        match TcpListener::bind(address).await {
            Ok(listener) => return listener,
            Err(error) => {
                tracing::warn!(%address, %error, "other kiosks can't call this one: the port can't be had, and is tried again");
                tokio::time::sleep(LISTEN_AGAIN).await;
            }
        }
    }
}

/// The same for a terminal that is set up, with a port that is open already, or is to be opened.
pub async fn among_peers<R: Reach + Clone + 'static>(
    core: R,
    secret: &DeviceSecret,
    listener: Option<TcpListener>,
    lan: &Lan,
    due: Arc<Notify>,
) {
    let keys = match Keys::of(secret) {
        Ok(keys) => keys,
        Err(error) => return tracing::error!(%error, "this device's key serves no line to other kiosks"),
    };
    let finder = if lan.mdns { Finder::start(&secret.key(), lan.listen.port()) } else { None };
    let hear = async {
        // A port that can't be had keeps nobody from calling.
        let listener = match listener {
            Some(listener) => listener,
            None => listen(lan.listen).await,
        };
        hear_others(&core, &keys, &listener, &due).await;
    };
    tokio::join!(hear, call_others(&core, &keys, finder, &lan.peers, &due));
}

/// Takes calls, so many at once and no more: who comes beyond is turned away at once, and calls again.
async fn hear_others<R: Reach + Clone + 'static>(core: &R, keys: &Keys, listener: &TcpListener, due: &Arc<Notify>) {
    let mut talks = JoinSet::new();
    let places = Arc::new(Mutex::new(BTreeMap::<IpAddr, usize>::new()));
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = talks.join_next() => continue,
        };
        let (stream, from) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a call of another kiosk can't be taken now");
                tokio::time::sleep(Duration::from_secs(1)).await;
                continue;
            }
        };
        let Some(place) = Place::of(&places, from.ip()) else { continue };
        let (core, keys, due) = (core.clone(), keys.clone(), due.clone());
        talks.spawn(async move {
            let _place = place;
            let talk = async {
                let opened = tokio::time::timeout(OPENING_TIMEOUT, Line::answer(stream, &keys)).await;
                talk::answer(&core, &mut opened.map_err(|_| Broken::TooSlow)??).await
            };
            match tokio::time::timeout(TALK_TIMEOUT, talk).await.unwrap_or(Err(Broken::TooSlow)) {
                Ok(brought) if brought.held > 0 => {
                    tracing::info!(%from, held = brought.held, "another kiosk gave what was lacking here");
                    due.notify_one();
                }
                Ok(_) => {}
                Err(error) => tracing::debug!(%from, %error, "a call of another kiosk broke off"),
            }
        });
    }
}

/// One of the conversations under way; free again when dropped.
struct Place(Arc<Mutex<BTreeMap<IpAddr, usize>>>, IpAddr);

impl Place {
    fn of(places: &Arc<Mutex<BTreeMap<IpAddr, usize>>>, from: IpAddr) -> Option<Self> {
        let mut taken = places.lock().unwrap_or_else(PoisonError::into_inner);
        let all: usize = taken.values().sum();
        let here = taken.get(&from).copied().unwrap_or(0);
        // Whoever calls from this very machine is no stranger.
        if all >= MOST_HEARD || here >= MOST_HEARD_FROM_ONE && !from.is_loopback() {
            return None;
        }
        taken.insert(from, here + 1);
        Some(Self(places.clone(), from))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(&self.1) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.1);
            }
        }
    }
}

/// Calls others while the server is away.
async fn call_others<R: Reach + Clone + 'static>(
    core: &R,
    keys: &Keys,
    finder: Option<Finder>,
    peers: &[String],
    due: &Arc<Notify>,
) {
    let began = Instant::now();
    let now = || Timestamp(i64::try_from(began.elapsed().as_millis()).unwrap_or(i64::MAX));
    let mut book = Book::new(peers);
    let mut calls: JoinSet<(String, Spoke)> = JoinSet::new();
    let (mut news, mut untold) = (None, false);
    let mut round = tokio::time::Instant::now();
    loop {
        if news.is_none() {
            news = core.with(|core| core.news()).await.ok();
        }
        tokio::select! {
            () = tokio::time::sleep_until(round) => {}
            changed = next_news(news.as_mut()), if !untold => {
                if changed {
                    untold = true;
                    round = round.min(soon(&book, untold, core).await);
                } else {
                    // The store was opened anew.
                    news = None;
                    tokio::time::sleep(STORE_AGAIN).await;
                }
                continue;
            }
            found = found(finder.as_ref()) => {
                book.find(found);
                continue;
            }
            Some(done) = calls.join_next() => {
                if let Ok((peer, spoke)) = done {
                    book.spoke(&peer, &spoke, now(), random(core).await);
                    if matches!(spoke, Spoke::Brought) {
                        due.notify_one();
                    }
                }
                continue;
            }
        }
        let how = core.with(|core| (core.server_is_away(), core.is_calling())).await;
        // While the store is closed nothing is told, and nothing forgotten.
        let (away, calling) = how.unwrap_or((false, true));
        if !away {
            // What the server has taken, it tells the others.
            untold &= calling;
            round = soon(&book, untold, core).await;
            continue;
        }
        for peer in book.whom_to_call(now(), untold, MOST_CALLS - calls.len(), random(core).await) {
            let (core, keys) = (core.clone(), keys.clone());
            calls.spawn(async move {
                let spoke = speak(&core, &keys, &peer).await;
                (peer, spoke)
            });
        }
        untold = false;
        round = soon(&book, untold, core).await;
    }
}

/// The moment of the next round.
async fn soon(book: &Book, untold: bool, core: &impl Reach) -> tokio::time::Instant {
    tokio::time::Instant::now() + Duration::from_millis(book.next_round_ms(untold, random(core).await))
}

async fn speak(core: &impl Reach, keys: &Keys, peer: &str) -> Spoke {
    let talk = async {
        let mut line =
            tokio::time::timeout(OPENING_TIMEOUT, Line::call(peer, keys)).await.map_err(|_| Broken::TooSlow)??;
        let spoke = if line.peer == keys.own { Ok(Spoke::Myself) } else { talk::call(core, &mut line).await };
        line.end().await;
        spoke
    };
    match tokio::time::timeout(TALK_TIMEOUT, talk).await.unwrap_or(Err(Broken::TooSlow)) {
        Ok(spoke) => spoke,
        Err(error) => {
            tracing::debug!(%peer, %error, "another kiosk isn't reached");
            Spoke::Failed
        }
    }
}

async fn next_news(news: Option<&mut tokio::sync::watch::Receiver<u64>>) -> bool {
    match news {
        Some(news) => news.changed().await.is_ok(),
        None => std::future::pending().await,
    }
}

async fn found(finder: Option<&Finder>) -> String {
    match finder {
        Some(finder) => finder.found().await,
        None => std::future::pending().await,
    }
}

async fn random(core: &impl Reach) -> u64 {
    core.with(|core| core.fresh().jitter).await.unwrap_or(0)
}
