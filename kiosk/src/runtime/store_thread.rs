//! The store thread: the one place where the kiosk's [`Core`] is used. Jobs come in order and each is done before the next begins.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::core::{Core, Denied};

/// Pause before the store is opened anew after a panic, so that a fault which comes back doesn't spin.
const REOPEN_AFTER: Duration = Duration::from_secs(2);

/// The job was not done, or its answer was lost: the store is closed, or a panic ended it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the store is closed at the moment")]
pub struct StoreGone;

/// What the store thread says of itself.
#[derive(Debug)]
pub enum StoreReport {
    Opened,
    /// Nothing in the data folder was touched. It stays closed until [`Store::open_again`].
    NotOpened(Denied),
    /// A fault in the program; the store is opened anew after a moment.
    Panicked,
}

/// Somewhere a [`Core`] can be reached: the store thread, or a lock in a test.
pub trait Reach: Send + Sync {
    /// Does `work` with the core and gives back what it gives.
    fn with<T, F>(&self, work: F) -> impl Future<Output = Result<T, StoreGone>> + Send
    where
        T: Send + 'static,
        F: FnOnce(&mut Core) -> T + Send + 'static;
}

impl Reach for Mutex<Core> {
    fn with<T, F>(&self, work: F) -> impl Future<Output = Result<T, StoreGone>> + Send
    where
        T: Send + 'static,
        F: FnOnce(&mut Core) -> T + Send + 'static,
    {
        let done = work(&mut self.lock().unwrap_or_else(PoisonError::into_inner));
        std::future::ready(Ok(done))
    }
}

impl<R: Reach + Send + Sync> Reach for std::sync::Arc<R> {
    fn with<T, F>(&self, work: F) -> impl Future<Output = Result<T, StoreGone>> + Send
    where
        T: Send + 'static,
        F: FnOnce(&mut Core) -> T + Send + 'static,
    {
        R::with(self, work)
    }
}

type Job = Box<dyn FnOnce(&mut Core) + Send>;

enum Message {
    Job(Job),
    OpenAgain,
}

/// A hand on the store thread. The thread ends when the last hand is gone.
#[derive(Clone)]
pub struct Store {
    messages: mpsc::Sender<Message>,
}

impl Store {
    /// Starts the thread, which opens the store first: `open` says how, and is asked again after a panic.
    pub fn start(
        open: impl FnMut() -> Result<Core, Denied> + Send + 'static,
        report: impl Fn(StoreReport) + Send + 'static,
    ) -> io::Result<(Self, JoinHandle<()>)> {
        let (messages, inbox) = mpsc::channel();
        let thread = std::thread::Builder::new().name("store".into()).spawn(move || run(open, &report, &inbox))?;
        Ok((Self { messages }, thread))
    }

    /// Puts a job into the queue. While the store is closed it is dropped, with whatever it would have answered on.
    pub fn send(&self, job: impl FnOnce(&mut Core) + Send + 'static) {
        // Refused only when the thread has ended, which happens after the last hand is gone.
        let _ = self.messages.send(Message::Job(Box::new(job)));
    }

    /// Tries to open a store that could not be opened.
    pub fn open_again(&self) {
        let _ = self.messages.send(Message::OpenAgain);
    }
}

impl Reach for Store {
    async fn with<T, F>(&self, work: F) -> Result<T, StoreGone>
    where
        T: Send + 'static,
        F: FnOnce(&mut Core) -> T + Send + 'static,
    {
        let (answer, answered) = tokio::sync::oneshot::channel();
        self.send(move |core| {
            // Nobody waits any more: what was done stays done.
            let _ = answer.send(work(core));
        });
        answered.await.map_err(|_| StoreGone)
    }
}

fn run(mut open: impl FnMut() -> Result<Core, Denied>, report: &impl Fn(StoreReport), inbox: &mpsc::Receiver<Message>) {
    loop {
        let on = match catch_unwind(AssertUnwindSafe(&mut open)) {
            Ok(Ok(core)) => {
                report(StoreReport::Opened);
                serve(core, inbox)
            }
            Ok(Err(why)) => {
                tracing::error!(error = %why, "the store can't be opened: nothing in it was touched");
                report(StoreReport::NotOpened(why));
                stay_closed(inbox)
            }
            Err(_) => On::Panicked,
        };
        match on {
            On::Again => {}
            On::Panicked => {
                tracing::error!(
                    "the store thread met a fault in the program: what was acknowledged is kept, it opens anew"
                );
                report(StoreReport::Panicked);
                std::thread::sleep(REOPEN_AFTER);
            }
            On::End => return,
        }
    }
}

/// How it goes on after the store was closed.
enum On {
    Again,
    Panicked,
    End,
}

fn serve(mut core: Core, inbox: &mpsc::Receiver<Message>) -> On {
    loop {
        match inbox.recv() {
            Ok(Message::Job(job)) => {
                // After a panic the core may be between two states: it is dropped, and with it what wasn't committed.
                if catch_unwind(AssertUnwindSafe(|| job(&mut core))).is_err() {
                    return On::Panicked;
                }
            }
            Ok(Message::OpenAgain) => {}
            Err(_) => return On::End,
        }
    }
}

fn stay_closed(inbox: &mpsc::Receiver<Message>) -> On {
    loop {
        match inbox.recv() {
            Ok(Message::Job(job)) => drop(job),
            Ok(Message::OpenAgain) => return On::Again,
            Err(_) => return On::End,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Machine;
    use crate::key_store::FileKeyStore;
    use std::path::Path;

    fn open(folder: &Path) -> Result<Core, Denied> {
        let keys = FileKeyStore::open(&folder.join("keys"))?;
        Core::open(&folder.join("data"), Box::new(keys), Box::new(Machine::default()))
    }

    fn start(folder: &Path) -> (Store, JoinHandle<()>, mpsc::Receiver<StoreReport>) {
        let (folder, (said, says)) = (folder.to_owned(), mpsc::channel());
        let report = move |report| said.send(report).expect("the test listens");
        let (store, thread) = Store::start(move || open(&folder), report).expect("a thread can be started");
        (store, thread, says)
    }

    fn ask<T: Send + 'static>(
        store: &Store,
        work: impl FnOnce(&mut Core) -> T + Send + 'static,
    ) -> Result<T, StoreGone> {
        tokio::runtime::Builder::new_current_thread().build().expect("a runtime starts").block_on(store.with(work))
    }

    #[test]
    fn a_panic_loses_the_answer_and_nothing_else() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let (store, thread, says) = start(folder.path());
        assert!(matches!(says.recv(), Ok(StoreReport::Opened)));
        assert_eq!(ask(&store, |_| -> u32 { panic!("a fault, for the test") }), Err(StoreGone));
        assert!(matches!(says.recv(), Ok(StoreReport::Panicked)));
        assert!(matches!(says.recv(), Ok(StoreReport::Opened)));
        assert_eq!(ask(&store, |core| core.status().expect("the store is whole").entries), Ok(0));
        drop(store);
        thread.join().expect("the thread ends by itself");
    }

    #[test]
    fn a_damaged_database_stays_closed_until_asked_again() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let data = folder.path().join("data");
        std::fs::create_dir_all(&data).expect("a folder can be made");
        std::fs::write(data.join("kiosk.sqlite"), vec![7; 8192]).expect("a file can be written");
        let (store, thread, says) = start(folder.path());
        assert!(matches!(says.recv(), Ok(StoreReport::NotOpened(_))));
        assert_eq!(ask(&store, |_| ()), Err(StoreGone));
        std::fs::remove_file(data.join("kiosk.sqlite")).expect("it can be removed");
        store.open_again();
        assert!(matches!(says.recv(), Ok(StoreReport::Opened)));
        assert_eq!(ask(&store, |_| ()), Ok(()));
        drop(store);
        thread.join().expect("the thread ends by itself");
    }
}
