//! After the last failed attempt a trainer coaches, both sign, and one more attempt opens (L2).

use super::view::Screen;
use super::{Presenter, quiz, signing};
use crate::core::coach::UsedUp;

impl Presenter {
    /// From the failed quiz.
    pub(super) fn ask_trainer(&mut self) {
        self.begin_signing(signing::Act::Coach);
    }

    /// Somebody comes back to a quiz with no attempt left: the screen says so, and who helps.
    pub(super) fn no_attempt_left(&mut self, used: UsedUp) {
        let Some(badged) = self.badged.as_mut() else { return };
        if let Some(training) = badged.training.as_mut() {
            training.context.about = used.about.clone();
        }
        badged.quiz = Some(quiz::Answering::used_up(used));
        self.touched = self.now;
        self.screen = Screen::Quiz;
    }
}
