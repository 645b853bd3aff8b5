//! `GET /api/v1/bell`: a stream that rings when there may be something new for a kiosk. A ring says "exchange now" and nothing else.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive};
use futures_util::stream::{self, Stream};
use tokio::sync::watch;
use tokio::time::Instant;

use super::Device;
use crate::access::DEVICE_TOKEN_MS;
use crate::router::App;

/// How often a silent stream shows that it is alive.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

pub async fn bell(
    State(app): State<Arc<App>>,
    Device(_): Device,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let mut listening = Listening {
        bell: app.core.bell(),
        stopping: app.stopping.clone(),
        // As long as a token, so that a kiosk which is no longer in use doesn't go on listening.
        until: Instant::now() + Duration::from_millis(DEVICE_TOKEN_MS.unsigned_abs()),
    };
    // What rang before the kiosk listened was in its exchange, or is worth one more.
    listening.bell.mark_changed();
    let rings = stream::unfold(listening, |mut listening| async move {
        listening.next().await.then(|| (Ok(Event::default().event("ring").data("")), listening))
    });
    Sse::new(rings).keep_alive(KeepAlive::new().interval(KEEP_ALIVE))
}

struct Listening {
    bell: watch::Receiver<u64>,
    stopping: watch::Receiver<bool>,
    until: Instant,
}

impl Listening {
    /// Waits for the next ring; `false` when the stream ends.
    async fn next(&mut self) -> bool {
        tokio::select! {
            rung = self.bell.changed() => rung.is_ok(),
            _ = self.stopping.changed() => false,
            () = tokio::time::sleep_until(self.until) => false,
        }
    }
}
