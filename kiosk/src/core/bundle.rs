//! Exchange bundles: what is held here, in a file for a USB stick (T10). Each entry speaks for itself, so it doesn't matter who carries it.

use shared::sync::message::Give;

use super::exchange::News;
use super::{Core, Denied};
use crate::store::step;

impl Core {
    /// Everything held here, in pieces that each fit a message.
    pub fn bundle(&mut self) -> Result<Vec<Give>, Denied> {
        let now = self.now();
        let terminal = &self.member.as_ref().ok_or(Denied::NotSetUp)?.terminal;
        step(&mut self.ledger, now.clock, |step| Ok::<_, Denied>(terminal.bundle(step, None)?))
    }

    /// Takes one piece of a bundle. What it brought is durable when this returns; taking it again changes nothing.
    pub fn take_bundle(&mut self, piece: &Give) -> Result<News, Denied> {
        let (now, fresh) = (self.now(), self.fresh());
        let terminal = &mut self.member.as_mut().ok_or(Denied::NotSetUp)?.terminal;
        let bytes = piece.to_bytes();
        let taken = step(&mut self.ledger, now.clock, |step| -> Result<_, Denied> {
            Ok(terminal.handle_give(step, &bytes, fresh)?)
        });
        let taken = match taken {
            Ok(taken) => taken,
            Err(error) => {
                self.restart();
                return Err(error);
            }
        };
        self.after_step()?;
        self.call_soon();
        Ok(match taken {
            Ok(taken) => News { held: taken.held.len(), again: false, dropped: None },
            Err(why) => News { held: 0, again: false, dropped: Some(why.to_string()) },
        })
    }
}
