//! A kiosk without a window: takes part in the exchange, ends overdue task sessions, and prints its state as JSON lines until it is told to
//! end. For terminals that only relay, for set-up by script, and for tests. What a person does can come by lines ([`acts`]).

use std::io;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::{Notify, mpsc};

use crate::acts::{self, Person};
use crate::clock::BELIEVED_JUMP_MS;
use crate::config::{Held, Run};
use crate::core::status::{Line, Status};
use crate::core::{Core, Denied};
use crate::lan;
use crate::presenter::Settings;
use crate::runtime::sync::keep_in_step;
use crate::runtime::{Exchanged, NotExchanged, NotSetUp, Reach, Store, StoreGone, StoreReport, enrol, sync_runtime};
use crate::sync_driver::NotEnrolled;

/// How often overdue sessions are looked for.
const TICK: Duration = Duration::from_secs(1);
/// How often the state is printed when nothing changes.
const REPORT: Duration = Duration::from_secs(60);
/// Wait before terminal set-up is tried again without an answer.
const ENROL_AGAIN: Duration = Duration::from_secs(5);

/// Why the kiosk ended by itself.
#[derive(Debug, thiserror::Error)]
pub enum Stopped {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("{0}")]
    NotOpened(Denied),
    #[error("the store met a fault in the program while it was opened; what was acknowledged is kept")]
    Panicked,
    #[error("terminal set-up: {0}")]
    NotSetUp(NotSetUp),
}

/// Runs until SIGTERM or SIGINT.
pub fn run(held: Held, run: &Run) -> Result<(), Stopped> {
    let (said, mut says) = mpsc::unbounded_channel();
    let report = move |report| {
        // Nobody listens any more when the kiosk is ending.
        let _ = said.send(report);
    };
    let (store, thread) = Store::start(move || held.open(), report)?;
    let runtime = sync_runtime()?;
    let outcome = runtime.block_on(async {
        match says.recv().await {
            Some(StoreReport::Opened) => {}
            Some(StoreReport::NotOpened(why)) => return Err(Stopped::NotOpened(why)),
            Some(StoreReport::Panicked) | None => return Err(Stopped::Panicked),
        }
        tokio::select! {
            outcome = serve(&store, run, says) => outcome,
            ended = told_to_end() => Ok(ended?),
        }
    });
    runtime.shutdown_timeout(Duration::from_secs(2));
    // With the last hand on it gone, the store thread finishes what it was doing and ends.
    drop(store);
    let _ = thread.join();
    if outcome.is_ok() {
        print(json!({ "event": "end" }));
    }
    outcome
}

async fn told_to_end() -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

async fn serve(store: &Store, run: &Run, mut says: mpsc::UnboundedReceiver<StoreReport>) -> Result<(), Stopped> {
    if let (Some(code), Some(url)) = (&run.enrol, &run.server) {
        set_up(store, url, code).await.map_err(Stopped::NotSetUp)?;
    }
    let (due, (told, mut rounds)) = (Arc::new(Notify::new()), mpsc::unbounded_channel());
    let exchange = keep_in_step(store.clone(), run.server.clone(), due.clone(), move |outcome| {
        let _ = told.send(round(outcome));
    });
    let shown = async {
        let mut tick = tokio::time::interval(TICK);
        let mut report = tokio::time::interval_at(tokio::time::Instant::now() + REPORT, REPORT);
        let (mut last, mut lacking) = (Value::Null, 0);
        loop {
            let regular = tokio::select! {
                _ = tick.tick() => {
                    end_overdue(store, &due).await;
                    false
                }
                _ = report.tick() => true,
                Some((blobs_lacking, line)) = rounds.recv() => {
                    lacking = blobs_lacking.unwrap_or(lacking);
                    line.into_iter().for_each(print);
                    false
                }
                Some(fault) = says.recv() => {
                    print(json!({ "event": "store", "state": store_word(&fault) }));
                    true
                }
            };
            let Ok(Ok(status)) = store.with(Core::status).await else { continue };
            let told = told_of(&status, Some(lacking));
            if regular || told != last {
                let mut line = told.clone();
                line["at"] = json!(status.now.to_string());
                line["clock_uncertainty_ms"] = json!(status.uncertainty_ms);
                print(line);
                last = told;
            }
        }
    };
    let lines = run.acts.then(acts::lines).transpose()?;
    let acts = async {
        if let Some(lines) = lines {
            let settings =
                Settings { languages: vec![run.language.clone()], reading: run.reading(), ..Settings::default() };
            Person::at(store.clone(), settings).act(lines, &due, print).await;
        }
    };
    tokio::join!(exchange, shown, acts, lan::take_part(store.clone(), run.lan(), due.clone()));
    Ok(())
}

/// Sets the terminal up, unless it is. A server that doesn't answer is asked again; a refusal is final.
async fn set_up(store: &Store, url: &str, code: &str) -> Result<(), NotSetUp> {
    if store.with(|core| core.enrolment().is_some()).await? {
        print(json!({ "event": "set-up", "state": "was set up before" }));
        return Ok(());
    }
    loop {
        match enrol(store, url, code).await {
            Ok(()) => {
                print(json!({ "event": "set-up", "state": "done" }));
                return Ok(());
            }
            Err(NotSetUp::NotEnrolled(NotEnrolled::NoAnswer(error))) => {
                print(json!({ "event": "set-up", "state": "no answer", "error": error.to_string() }));
                tokio::time::sleep(ENROL_AGAIN).await;
            }
            Err(error) => return Err(error),
        }
    }
}

async fn end_overdue(store: &Store, due: &Notify) {
    let ended = store.with(|core| match core.enrolment() {
        Some(_) => core.end_overdue_sessions(),
        None => Ok(0),
    });
    match ended.await {
        Ok(Ok(0)) | Err(StoreGone) => {}
        Ok(Ok(_)) => due.notify_one(),
        Ok(Err(error)) => tracing::error!(%error, "overdue task sessions could not be ended"),
    }
}

/// How many blobs are lacking, as far as a round says, and what is printed of it.
fn round(outcome: &Result<Exchanged, NotExchanged>) -> (Option<usize>, Option<Value>) {
    match outcome {
        Ok(done) => {
            let news = done.held > 0 || done.blobs > 0 || done.dropped.is_some();
            let line = json!({ "event": "exchange", "calls": done.calls, "held": done.held, "blobs": done.blobs, "dropped": done.dropped });
            (Some(done.blobs_lacking), news.then_some(line))
        }
        Err(error) => (None, Some(json!({ "event": "exchange", "error": error.to_string() }))),
    }
}

fn store_word(report: &StoreReport) -> &'static str {
    match report {
        StoreReport::Opened => "opened",
        StoreReport::NotOpened(_) => "not opened",
        StoreReport::Panicked => "fault",
    }
}

/// The state as it is printed, without what changes by itself: the moment, and how sure it is.
pub(crate) fn told_of(status: &Status, blobs_lacking: Option<usize>) -> Value {
    let plant: serde_json::Map<String, Value> =
        status.plant.iter().map(|(stream, revision)| (stream.to_string(), json!(revision))).collect();
    json!({
        "event": "status",
        "kiosk": status.kiosk.as_ref().map(ToString::to_string),
        "work_units": status.work_units.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "server": status.url,
        "line": line_word(&status.line),
        "revoked": status.revoked,
        "contradicted": status.contradicted,
        "entries": status.entries,
        "waiting": status.waiting(),
        "plant": plant,
        "blobs_lacking": blobs_lacking,
        "forks": status.forks,
        "clock_doubted": i64::from(status.uncertainty_ms) > BELIEVED_JUMP_MS,
    })
}

fn line_word(line: &Line) -> &'static str {
    match line {
        Line::NeverTried => "never tried",
        Line::Online => "online",
        Line::Offline => "offline",
        Line::ForeignServer => "foreign server",
    }
}

fn print(line: Value) {
    use io::Write;
    // A reader that went away doesn't end a kiosk.
    let _ = writeln!(io::stdout().lock(), "{line}");
}
