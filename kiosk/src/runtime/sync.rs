//! The exchange with the server, from a core that is reached to a server that is called. It decides nothing: when to call, what to send and
//! what to take are the protocol's.

use std::sync::Arc;
use std::time::{Duration, Instant};

use shared::id::Digest32;
use shared::time::ClockReading;
use tokio::sync::Notify;

use super::store_thread::{Reach, StoreGone};
use crate::core::{Core, Denied};
use crate::sync_driver::{Link, NoAnswer, NotEnrolled, Stranger};

/// Wait after the bell's line broke.
const BELL_AGAIN: Duration = Duration::from_secs(5);
/// Wait while the store is closed, or refuses.
const STORE_AGAIN: Duration = Duration::from_secs(5);
/// Longest wait between two looks at the deadline, whatever it says.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

/// Something that carries calls to the server and answers back.
pub trait Carrier: Send + Sync {
    /// What time the kiosk holds possible, before each call.
    fn believe(&self, _: ClockReading) {}
    fn exchange(&self, up: &[u8]) -> impl Future<Output = Result<Vec<u8>, NoAnswer>> + Send;
    /// The bytes of a blob, checked against their name.
    fn blob(&self, digest: &Digest32) -> impl Future<Output = Result<Vec<u8>, NoAnswer>> + Send;
    /// Contents that the server would like to have: it was put back, and has lost them.
    fn lacking(&self) -> impl Future<Output = Result<Vec<Digest32>, NoAnswer>> + Send;
    fn give_blob(&self, digest: &Digest32, bytes: Vec<u8>) -> impl Future<Output = Result<(), NoAnswer>> + Send;
}

impl Carrier for Link {
    fn believe(&self, clock: ClockReading) {
        Link::believe(self, clock);
    }
    async fn exchange(&self, up: &[u8]) -> Result<Vec<u8>, NoAnswer> {
        Link::exchange(self, up).await
    }
    async fn blob(&self, digest: &Digest32) -> Result<Vec<u8>, NoAnswer> {
        Link::blob(self, digest).await
    }
    async fn lacking(&self) -> Result<Vec<Digest32>, NoAnswer> {
        Link::lacking(self).await
    }
    async fn give_blob(&self, digest: &Digest32, bytes: Vec<u8>) -> Result<(), NoAnswer> {
        Link::give_blob(self, digest, bytes).await
    }
}

/// What a round of calls brought.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exchanged {
    pub calls: u32,
    /// Entries that came to be held.
    pub held: usize,
    /// Blobs that were fetched, and those that are still lacking.
    pub blobs: usize,
    pub blobs_lacking: usize,
    /// Why the last answer was dropped, when one was.
    pub dropped: Option<String>,
}

/// Why a round of calls ended early. What was taken before is kept.
#[derive(Debug, thiserror::Error)]
pub enum NotExchanged {
    #[error("{0}")]
    NoAnswer(#[from] NoAnswer),
    #[error("{0}")]
    Denied(#[from] Denied),
    #[error("{0}")]
    StoreGone(#[from] StoreGone),
}

/// Calls as long as a call is due now, then fetches the blobs that are lacking. Each answer is durable before the next call.
///
/// A terminal that isn't set up has nothing to exchange. Dropped half-way, it is as if the answer had been lost.
pub async fn exchange_until_quiet(core: &impl Reach, carrier: &impl Carrier) -> Result<Exchanged, NotExchanged> {
    let mut exchanged = Exchanged::default();
    loop {
        let (clock, up) = core.with(|core| (core.reading(), core.poll_up())).await?;
        let Some(up) = up? else { break };
        carrier.believe(clock);
        let called = Instant::now();
        match carrier.exchange(&up).await {
            Ok(down) => {
                let round_trip_ms = i64::try_from(called.elapsed().as_millis()).unwrap_or(i64::MAX);
                let news = core.with(move |core| core.handle_down(&down, round_trip_ms)).await??;
                exchanged.calls += 1;
                exchanged.held += news.held;
                exchanged.dropped = news.dropped;
            }
            Err(no_answer) => return Err(heed(core, no_answer).await?),
        }
    }
    if core.with(|core| core.may_exchange_blobs()).await? {
        fetch_blobs(core, carrier, &mut exchanged).await?;
        give_blobs(core, carrier).await?;
    } else {
        exchanged.blobs_lacking = core.with(|core| core.missing_blobs().len()).await?;
    }
    Ok(exchanged)
}

/// Lets the terminal know that the server isn't to be reached now, and when to call again.
async fn heed(core: &impl Reach, no_answer: NoAnswer) -> Result<NotExchanged, NotExchanged> {
    let (line, wait_ms) = (no_answer.line(), no_answer.wait_ms());
    let heed = move |core: &mut Core| match wait_ms {
        Some(wait_ms) => core.handle_busy(wait_ms),
        None => core.handle_failure(line),
    };
    core.with(heed).await?;
    Ok(no_answer.into())
}

/// Gives the server what it has lost of the contents that are here. What can't be given now is asked for again.
async fn give_blobs(core: &impl Reach, carrier: &impl Carrier) -> Result<(), NotExchanged> {
    let lacking = match carrier.lacking().await {
        Ok(lacking) => lacking,
        Err(error) => {
            tracing::info!(%error, "the server lacks contents, and doesn't say which");
            return Ok(());
        }
    };
    for digest in lacking {
        let Some(bytes) = core.with(move |core| core.blobs().read(&digest)).await?.map_err(Denied::from)? else {
            continue;
        };
        match carrier.give_blob(&digest, bytes).await {
            Ok(()) => tracing::info!(%digest, "gave the server a content that it had lost"),
            Err(no_answer) if no_answer.is_of_the_line() => return Err(heed(core, no_answer).await?),
            Err(error) => tracing::info!(%digest, %error, "a content can't be given now"),
        }
    }
    Ok(())
}

/// Fetches what procedures and quizzes name and isn't here. One that the server doesn't have keeps nothing else waiting; where the server itself isn't
/// to be reached, each of the others would be waited for in vain, and meanwhile nobody called.
async fn fetch_blobs(core: &impl Reach, carrier: &impl Carrier, exchanged: &mut Exchanged) -> Result<(), NotExchanged> {
    for digest in core.with(Core::wanted_blobs).await? {
        match carrier.blob(&digest).await {
            Ok(bytes) => {
                core.with(move |core| core.blobs().write(&bytes)).await?.map_err(Denied::from)?;
                exchanged.blobs += 1;
            }
            Err(no_answer) if no_answer.is_of_the_line() => return Err(heed(core, no_answer).await?),
            Err(no_answer) => {
                tracing::info!(%digest, error = %no_answer, "a blob can't be fetched now: it is asked for again after the next exchange");
                exchanged.blobs_lacking += 1;
            }
        }
    }
    Ok(())
}

/// Why a terminal was not set up. Nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum NotSetUp {
    #[error("{0}")]
    NotEnrolled(#[from] NotEnrolled),
    #[error("the server's answer can't be taken: {0}")]
    NotTaken(Denied),
    #[error("{0}")]
    StoreGone(#[from] StoreGone),
}

impl From<NoAnswer> for NotSetUp {
    fn from(no_answer: NoAnswer) -> Self {
        Self::NotEnrolled(no_answer.into())
    }
}

/// Terminal set-up at the server with a one-time code (S9). What the server shows is believed only after its proof; who shows
/// another authority for the second call than for the first is told nothing.
pub async fn enrol(core: &impl Reach, url: &str, code: &str) -> Result<(), NotSetUp> {
    let stranger = Stranger::at(url)?;
    let authority = stranger.authority().await?;
    let (owned_code, owned_url) = (code.to_owned(), url.to_owned());
    let (set_up, request) = core.with(move |core| core.begin_set_up(&owned_code, &owned_url, authority)).await?;
    let answer = stranger.enrol(request).await?;
    core.with(move |core| core.complete_set_up(set_up, &answer)).await?.map_err(NotSetUp::NotTaken)
}

/// Keeps the kiosk and its server in step for as long as it is polled. `due` is notified when a call may have become due earlier than known:
/// something was written here, or the terminal was set up. `after` is told the outcome of each round.
///
/// `url` is where the server is now; without it, where it was at set-up. Who it is does not depend on it.
pub async fn keep_in_step(
    core: impl Reach,
    url: Option<String>,
    due: Arc<Notify>,
    mut after: impl FnMut(&Result<Exchanged, NotExchanged>),
) {
    let link = loop {
        match link(&core, url.as_deref()).await {
            Some(link) => break link,
            None => due.notified().await,
        }
    };
    let answered = Notify::new();
    tokio::join!(listen(&core, &link, &answered, &due), async {
        loop {
            let outcome = exchange_until_quiet(&core, &link).await;
            log(&outcome);
            after(&outcome);
            match outcome {
                Ok(_) => answered.notify_one(),
                Err(NotExchanged::NoAnswer(_)) => {}
                Err(NotExchanged::Denied(_) | NotExchanged::StoreGone(_)) => tokio::time::sleep(STORE_AGAIN).await,
            }
            let wait_ms = core.with(Core::next_call_in_ms).await.ok().flatten();
            let wait = wait_ms.and_then(|ms| u64::try_from(ms).ok()).map_or(LONGEST_SLEEP, Duration::from_millis);
            tokio::select! {
                () = tokio::time::sleep(wait.min(LONGEST_SLEEP)) => {}
                () = due.notified() => {}
            }
        }
    });
}

/// The way to the server this terminal was set up with; `None` before set-up.
pub async fn link(core: &impl Reach, url: Option<&str>) -> Option<Link> {
    let kept = core.with(|core| core.enrolled().map(|enrolled| (enrolled.url.clone(), enrolled.authority.clone())));
    let (kept_url, authority) = kept.await.ok().flatten()?;
    match Link::trusting(url.unwrap_or(&kept_url), &authority) {
        Ok(link) => Some(link),
        Err(error) => {
            tracing::error!(%error, "the certificate authority kept at set-up can't be used: the terminal needs to be set up anew");
            None
        }
    }
}

/// Listens to the bell. Each ring makes a call due; so does the end of a connection, for an answer brings a fresh token to listen with.
async fn listen(core: &impl Reach, link: &Link, answered: &Notify, due: &Notify) {
    let rung = Notify::new();
    let ring = async {
        loop {
            rung.notified().await;
            if core.with(Core::call_soon).await.is_ok() {
                due.notify_one();
            }
        }
    };
    let hear = async {
        loop {
            answered.notified().await;
            match link.listen(|| rung.notify_one()).await {
                Ok(()) => rung.notify_one(),
                Err(error) => tracing::debug!(%error, "the bell can't be heard"),
            }
            tokio::time::sleep(BELL_AGAIN).await;
        }
    };
    tokio::join!(ring, hear);
}

fn log(outcome: &Result<Exchanged, NotExchanged>) {
    match outcome {
        Ok(done) if done.held > 0 || done.blobs > 0 => {
            tracing::info!(calls = done.calls, held = done.held, blobs = done.blobs, "exchanged with the server");
        }
        Ok(_) => {}
        // Everyday life without a network; the bar on every screen says so.
        Err(NotExchanged::NoAnswer(error)) => tracing::debug!(%error, "no exchange"),
        Err(error) => tracing::error!(%error, "the exchange could not be taken in"),
    }
}
