//! Somebody who starts work at a kiosk as it is shipped, again and again, whatever the line to the server does.

use std::path::Path;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use crate::kill::{Done, ask, look, look_at_the_server};
use crate::programs::*;

/// The longest wait until everything is at the server, once all lines hold and somebody works.
const PATIENCE: Duration = Duration::from_secs(60);
/// A kiosk that failed to call waits longer each time, unless there is something new to tell.
const BETWEEN_STARTS: Duration = Duration::from_secs(2);

/// A kiosk, and what it showed as done.
pub struct AtWork {
    pub name: &'static str,
    pub kiosk: KioskProgram,
    pub done: Done,
}

impl AtWork {
    /// Maria asks to start, and goes: how the kiosk stands then.
    pub fn start(&mut self) -> Shown {
        self.done.decided(&ask(&mut self.kiosk).unwrap());
        self.kiosk.act("tap action:sign-out").unwrap()["status"].take()
    }

    /// All lines hold, and somebody works: until nothing waits. How long it took.
    pub fn until_quiet(&mut self) -> Duration {
        let began = Instant::now();
        loop {
            self.start();
            let again = Instant::now() + BETWEEN_STARTS;
            while Instant::now() < again {
                let status = self.kiosk.act("tap beside").unwrap()["status"].take();
                if status["line"] == "online" && status["waiting"] == 0 {
                    return began.elapsed();
                }
                assert!(began.elapsed() < PATIENCE, "{}: it never comes to an end: {status}", self.name);
                sleep(Duration::from_millis(50));
            }
        }
    }
}

/// Everything that a kiosk showed as done is at the server, and the kiosk knows it.
fn look_at(folder: &Path, work: &AtWork) {
    look(folder, work.name, &work.done);
    look_at_the_server(folder, &work.done);
    let connection = Connection::open(folder.join(work.name).join("kiosk.sqlite")).unwrap();
    let unconfirmed = |id: &&_| !kiosk::store::is_confirmed(&connection, id).unwrap();
    assert_eq!(work.done.verdicts.iter().find(unconfirmed), None, "{}: the server has it", work.name);
}

/// The same of all kiosks, once nobody runs; and the server finds nothing wrong.
pub fn everything_is_there(folder: &Path, kiosks: &mut [AtWork], server: &mut ServerProgram, around: &Surroundings) {
    kiosks.iter_mut().for_each(|work| work.kiosk.running.end());
    server.running.end();
    kiosks.iter().for_each(|work| look_at(folder, work));
    verify(&folder.join("server"), around);
}

/// The server's own look at everything it holds.
pub fn verify(data: &Path, around: &Surroundings) {
    let mut verify = Command::new(program("sync-server"));
    verify.arg("--data").arg(data).args(["verify", "--rebuild"]);
    let (code, told) = run(verify, around);
    assert_eq!(code, 0, "{told}");
}
