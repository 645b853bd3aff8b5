//! A person's acts at a kiosk without a window: lines on standard input, through the same presenter that stands behind the window.
//!
//! For terminals that somebody else's program draws, and for tests of the program as it is. After each act a line says what the screen shows.

use std::collections::VecDeque;
use std::io::BufRead;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::{Notify, mpsc};

use crate::clock::Moments;
use crate::desk;
use crate::headless::told_of;
use crate::presenter::message::{Event, Reply};
use crate::presenter::view::Screen;
use crate::presenter::{Presenter, Settings};
use crate::runtime::{Reach, Store, StoreGone};

const TICK: Duration = Duration::from_secs(1);
/// Lines that wait to be acted on: who writes faster is held up.
const WAITING: usize = 16;

/// Why a line is no act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an act is `badge TEXT`, `tap ID` or `type FIELD TEXT`")]
pub struct NoAct;

/// What a line says.
fn read(line: &str) -> Result<Event, NoAct> {
    match line.trim_end_matches(['\r', '\n']).split_once(' ').ok_or(NoAct)? {
        ("badge", text) => Ok(Event::Key(format!("{text}\n"))),
        ("tap", id) => Ok(Event::Tap(id.to_owned())),
        ("type", rest) => {
            let (field, text) = rest.split_once(' ').ok_or(NoAct)?;
            Ok(Event::Typed { field: field.to_owned(), text: text.to_owned() })
        }
        _ => Err(NoAct),
    }
}

/// Lines of standard input, until it ends.
pub fn lines() -> std::io::Result<mpsc::Receiver<String>> {
    let (sender, lines) = mpsc::channel(WAITING);
    // A thread of its own, that nobody waits for: reading can't be interrupted.
    std::thread::Builder::new().name("acts".into()).spawn(move || {
        for line in std::io::stdin().lock().lines() {
            let Ok(line) = line else { return };
            if sender.blocking_send(line).is_err() {
                return;
            }
        }
    })?;
    Ok(lines)
}

/// Somebody at the screen that isn't there.
pub struct Person {
    store: Store,
    presenter: Presenter,
    moments: Moments,
    /// How the terminal stood after the last act.
    stood: Value,
}

impl Person {
    pub fn at(store: Store, settings: Settings) -> Self {
        let moments = Moments::default();
        let presenter = Presenter::new(moments.now(), settings);
        Self { store, presenter, moments, stood: Value::Null }
    }

    /// Does what the lines say until they end; the clock goes on in between. `told` gets what each act leads to, `due` hears that something may
    /// have been written.
    pub async fn act(mut self, mut lines: mpsc::Receiver<String>, due: &Notify, mut told: impl FnMut(Value)) {
        let mut tick = tokio::time::interval(TICK);
        loop {
            let line = tokio::select! {
                line = lines.recv() => line,
                _ = tick.tick() => {
                    // A store that is closed is said by the next act.
                    let _ = self.happen(Event::Tick).await;
                    continue;
                }
            };
            // Without further acts the kiosk goes on as one that nobody touches.
            let Some(line) = line else { std::future::pending().await };
            let shown = match read(&line) {
                Err(why) => json!({ "event": "act", "error": why.to_string() }),
                Ok(event) => match self.happen(event).await {
                    Ok(()) => self.shown(),
                    Err(why) => json!({ "event": "act", "error": why.to_string() }),
                },
            };
            told(shown);
            due.notify_one();
        }
    }

    /// One event and everything that follows from it.
    async fn happen(&mut self, event: Event) -> Result<(), StoreGone> {
        let mut events: VecDeque<Event> = self.standing().await?.into_iter().chain([event]).collect();
        while let Some(event) = events.pop_front() {
            for command in self.presenter.handle(event, self.moments.now()) {
                let reply: Reply = self.store.with(move |core| desk::perform(core, command.what)).await?;
                events.push_back(Event::Reply { request: command.request, reply });
            }
        }
        if let Some(status) = self.standing().await? {
            self.presenter.handle(status, self.moments.now());
        }
        Ok(())
    }

    /// How the terminal stands; nothing when its store can't say.
    async fn standing(&mut self) -> Result<Option<Event>, StoreGone> {
        let Ok(snapshot) = self.store.with(desk::snapshot).await? else { return Ok(None) };
        self.stood = told_of(&snapshot.status, None);
        Ok(Some(Event::Status(Box::new(snapshot))))
    }

    /// The screen, the bar above it, the model it shows, the entry of the decision it shows, and how the terminal stands.
    fn shown(&self) -> Value {
        let view = self.presenter.view();
        let (screen, mut models) = (json!(view.screen), json!(view));
        let model = match view.screen {
            Screen::Fault => "trouble".into(),
            _ => screen.as_str().unwrap_or_default().replace('-', "_"),
        };
        let decision = self.presenter.decision().map(|entry| entry.to_string());
        let (bar, shown) = (models["chrome"].take(), models[model].take());
        json!({ "event": "screen", "screen": screen, "bar": bar, "shown": shown, "decision": decision, "status": self.stood })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_an_act_or_says_what_one_looks_like() {
        assert!(matches!(read("badge 04A1\r\n"), Ok(Event::Key(text)) if text == "04A1\n"));
        assert!(matches!(read("tap task:seal-pouch"), Ok(Event::Tap(id)) if id == "task:seal-pouch"));
        let typed = |text: &str| matches!(read(&format!("type secret {text}")), Ok(Event::Typed { field, text: t }) if field == "secret" && t == text);
        assert!(typed("two words") && typed("王丽华"));
        for wrong in ["", "badge", "type secret", "dance now"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
