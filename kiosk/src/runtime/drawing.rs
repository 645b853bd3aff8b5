//! The drawing thread: pages of PDF documents become pictures here, and neither the window nor the store waits for it.

use std::io;
use std::sync::mpsc;

use crate::pdf::{Document, Drawer, NotDrawn, Page};

type Job = Box<dyn FnOnce(&mut Drawer) + Send>;

/// A hand on the drawing thread, which ends when the hand is gone.
pub struct Drawing {
    jobs: mpsc::Sender<Job>,
}

impl Drawing {
    /// # Errors
    /// When the system gives no thread.
    pub fn start() -> io::Result<Self> {
        let (jobs, inbox) = mpsc::channel::<Job>();
        std::thread::Builder::new().name("drawing".into()).spawn(move || {
            let mut drawer = Drawer::default();
            for job in inbox {
                job(&mut drawer);
            }
        })?;
        Ok(Self { jobs })
    }

    /// Draws the page (from 0) after those asked for before, and tells `answer`.
    pub fn draw(
        &self,
        document: Document,
        page: usize,
        width: u32,
        answer: impl FnOnce(Result<Page, NotDrawn>) + Send + 'static,
    ) {
        // Refused only when the thread is gone, and drawing ends no thread: a fault in it is an answer.
        let _ = self.jobs.send(Box::new(move |drawer| answer(drawer.draw(&document, page, width))));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::id::Digest32;

    #[test]
    fn l1_what_cannot_be_drawn_is_answered_too() {
        let drawing = Drawing::start().expect("a thread can be started");
        let (said, says) = mpsc::channel();
        for _ in 0..2 {
            let said = said.clone();
            let answer = move |drawn: Result<Page, NotDrawn>| said.send(drawn.is_err()).expect("the test listens");
            drawing.draw(Document::new(Digest32([0; 32]), b"no document".to_vec()), 0, 800, answer);
            assert_eq!(says.recv(), Ok(true));
        }
    }
}
