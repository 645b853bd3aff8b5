//! The exchange, as far as it is the kiosk's own: what to send, what to take, what the blobs are that must be here before they are needed.

use shared::id::*;
use shared::kind::to_cbor;
use shared::sync::Terminal;
use shared::sync::terminal::{Dropped, Outcome};
use shared::time::Timestamp;

use super::status::{CONTACT, Line};
use super::{CLOCK_OFF, Core, Denied, SEEN};
use crate::store::step;

/// What an answer changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct News {
    /// How many entries came to be held.
    pub held: usize,
    /// Another call is worth making at once.
    pub again: bool,
    /// The answer was dropped, and why.
    pub dropped: Option<String>,
}

impl Core {
    /// Asks for a call at the next opportunity.
    pub fn call_soon(&mut self) {
        let now = self.now();
        if let Ok(terminal) = Self::started(&mut self.member) {
            terminal.handle_bell(now);
        }
    }

    /// Milliseconds until the next call is due; `None` while none is.
    pub fn next_call_in_ms(&mut self) -> Option<i64> {
        let now = self.now();
        match &self.member.as_ref()?.terminal {
            Some(terminal) => terminal.poll_deadline().map(|due| due.since(now.steady).max(0)),
            // It is started anew by the call itself.
            None => Some(0),
        }
    }

    /// The next call's bytes, when one is due.
    pub fn poll_up(&mut self) -> Result<Option<Vec<u8>>, Denied> {
        if self.member.is_none() {
            return Ok(None);
        }
        self.take_part()?;
        let now = self.now();
        let terminal = Self::started(&mut self.member)?;
        let up = step(&mut self.ledger, now.clock, |step| Ok(terminal.poll_up(step, now)?));
        let up: Option<Vec<u8>> = up.inspect_err(|_: &Denied| self.forget_terminal())?;
        self.calling_since = up.as_ref().map(|_| now.steady);
        Ok(up)
    }

    /// Takes the server's answer. What it brought is durable when this returns.
    pub fn handle_down(&mut self, bytes: &[u8], round_trip_ms: i64) -> Result<News, Denied> {
        self.take_part()?;
        let (now, fresh) = (self.now(), self.fresh());
        let terminal = Self::started(&mut self.member)?;
        let outcome = step(&mut self.ledger, now.clock, |step| -> Result<Outcome, Denied> {
            Ok(terminal.handle_down(step, bytes, now, fresh)?)
        });
        let outcome = match outcome {
            Ok(outcome) => outcome,
            Err(error) => {
                self.forget_terminal();
                return Err(error);
            }
        };
        self.round_trip_ms = round_trip_ms;
        self.calling_since = None;
        // An answer that had to be dropped brought nothing: to say "online" of it would be untrue.
        self.line = if matches!(outcome, Outcome::Taken(_)) { Line::Online } else { Line::Offline };
        self.keep_heads();
        let known = self.enrolled().map(|enrolled| enrolled.peppers.epochs());
        self.heed_events()?;
        // What opens with a pepper that is known since waits at the server.
        let learned = self.enrolled().map(|enrolled| enrolled.peppers.epochs()) != known;
        self.heed_badges();
        if let Outcome::Taken(taken) = &outcome
            && !taken.again
            && !learned
            && !self.is_contradicted()
        {
            self.note_in_step()?;
        }
        Ok(match outcome {
            Outcome::Taken(taken) => News { held: taken.held.len(), again: taken.again || learned, dropped: None },
            Outcome::Dropped(why) => News { held: 0, again: false, dropped: Some(dropped_word(&why)) },
        })
    }

    /// Whether contents may be asked for and given: the last call was answered, and the answer taken, for whether the server is back is for the
    /// next call to find out; and a revoked terminal would be refused, one by one.
    pub fn may_exchange_blobs(&self) -> bool {
        self.line == Line::Online && matches!(self.revoked_because(), Ok(None))
    }

    /// No answer came.
    pub fn handle_failure(&mut self, line: Line) {
        let (now, fresh) = (self.now(), self.fresh());
        self.line = line;
        self.calling_since = None;
        if let Ok(terminal) = Self::started(&mut self.member) {
            terminal.handle_failure(now, fresh);
        }
    }

    /// The server has too much to do, and asked to be called again after so long.
    pub fn handle_busy(&mut self, wait_ms: i64) {
        let (now, fresh) = (self.now(), self.fresh());
        self.line = Line::Offline;
        self.calling_since = None;
        if let Ok(terminal) = Self::started(&mut self.member) {
            terminal.handle_busy(now, wait_ms, fresh);
        }
    }

    /// Whether the server's last answer contradicted what was witnessed here: nothing of it is taken.
    pub(super) fn is_contradicted(&self) -> bool {
        let terminal = self.member.as_ref().and_then(|member| member.terminal.as_ref());
        terminal.is_some_and(Terminal::is_contradicted)
    }

    /// A time the server signed: corrects the clock both ways, and counts as contact unless what came with it contradicts what was witnessed. Of
    /// such a server nothing is learned, so it prolongs no lease (U5).
    pub(super) fn hear_server(&mut self, time: Timestamp) -> Result<(), Denied> {
        let (wall, steady) = (self.environment.wall(), self.environment.steady());
        let stepped = self.clock.hear(time, steady, wall, self.round_trip_ms);
        let (clock, is_contact) = (self.reading(), !self.is_contradicted());
        let off = to_cbor(&self.clock.disbelieved_ms());
        step(&mut self.ledger, clock, |step| -> Result<(), Denied> {
            if is_contact {
                step.step.set(CONTACT, &to_cbor(&time))?;
            }
            step.step.set(SEEN, &to_cbor(&clock.wall))?;
            if step.step.setting(CLOCK_OFF)?.is_some_and(|kept| kept != off) {
                step.step.set(CLOCK_OFF, &off)?;
            }
            Ok(())
        })?;
        self.unjournalled.extend(stepped);
        self.journal_steps()
    }

    /// Everything the server had for this kiosk as of its last signed time is here, and everything from here is there.
    fn note_in_step(&mut self) -> Result<(), Denied> {
        let Some(contact) = self.last_contact()? else { return Ok(()) };
        let clock = self.reading();
        step(&mut self.ledger, clock, |step| Ok(step.step.set("in_step", &to_cbor(&contact))?))
    }

    /// Blobs that procedures in force or upcoming and quizzes name and that aren't here yet.
    pub fn missing_blobs(&mut self) -> Vec<Digest32> {
        let mut wanted = self.blobs_in_use();
        wanted.retain(|digest| !self.blobs.has(digest));
        wanted
    }

    /// Those of the missing blobs that may be fetched: all of them, and none while the disk has room for the gate alone.
    pub fn wanted_blobs(&mut self) -> Vec<Digest32> {
        if self.has_room() {
            return self.missing_blobs();
        }
        tracing::warn!("the disk is nearly full: no contents are fetched");
        Vec::new()
    }

    /// Blobs that procedures in force or upcoming and quizzes name.
    pub fn blobs_in_use(&mut self) -> Vec<Digest32> {
        let now = self.reading().wall;
        let plant = self.plant().clone();
        let mut in_use = Vec::new();
        for document in plant.documents.values() {
            let in_force = match document.in_force(now) {
                shared::plant::InForce::Version(version) => Some(version.id().clone()),
                _ => None,
            };
            let ids = in_force.into_iter().chain(document.upcoming(now).map(|v| v.id().clone()));
            for draft in ids.filter_map(|id| document.draft(&id).cloned()) {
                in_use.extend(draft.contents.iter().map(|content| content.hash));
            }
        }
        in_use.extend(plant.quizzes.values().map(|quiz| quiz.paper));
        in_use.sort();
        in_use.dedup();
        in_use
    }
}

fn dropped_word(why: &Dropped) -> String {
    format!("{why:?}")
}
