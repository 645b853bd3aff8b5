//! Exchange bundles: what is held here, in a file for a USB stick (T10). Each entry speaks for itself, so it doesn't matter who carries it.

use shared::sync::message::Give;

use super::exchange::News;
use super::{Core, Denied};
use crate::store::step;

impl Core {
    /// Everything held here, in pieces that each fit a message.
    pub fn bundle(&mut self) -> Result<Vec<Give>, Denied> {
        self.take_part()?;
        let now = self.now();
        let terminal = Self::started(&mut self.member)?;
        step(&mut self.ledger, now.clock, |step| Ok::<_, Denied>(terminal.bundle(step, None)?))
    }

    /// Takes one piece of a bundle. What it brought is durable when this returns; taking it again changes nothing.
    pub fn take_bundle(&mut self, piece: &Give) -> Result<News, Denied> {
        self.take_part()?;
        let (now, fresh) = (self.now(), self.fresh());
        let terminal = Self::started(&mut self.member)?;
        let bytes = piece.to_bytes();
        let taken = step(&mut self.ledger, now.clock, |step| -> Result<_, Denied> {
            Ok(terminal.handle_give(step, &bytes, fresh)?)
        });
        let taken = match taken {
            Ok(taken) => taken,
            Err(error) => {
                self.forget_terminal();
                return Err(error);
            }
        };
        self.keep_heads();
        self.heed_events()?;
        self.call_soon();
        Ok(match taken {
            Ok(taken) => News { held: taken.held.len(), again: false, dropped: None },
            Err(why) => News { held: 0, again: false, dropped: Some(why.to_string()) },
        })
    }
}
