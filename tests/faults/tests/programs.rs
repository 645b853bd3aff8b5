//! The programs as they are shipped, as processes of their own: a server and a kiosk without a window, at which somebody acts.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Longest wait for anything that a program says: only what hangs takes that long.
const PATIENCE: Duration = Duration::from_secs(60);

/// Builds a program as it is shipped, and says where it lies.
pub fn program(name: &str) -> PathBuf {
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--quiet", "--package", "kiosk", "--package", "sync-server", "--bins"]);
    if !cfg!(debug_assertions) {
        build.arg("--release");
    }
    assert!(build.status().unwrap().success(), "the programs can't be built");
    // This test lies in the folder `deps` beside them.
    let here = std::env::current_exe().unwrap();
    here.ancestors().nth(2).unwrap().join(name)
}

/// What a program runs under: the machine's clock, or one that a test turns.
#[derive(Debug, Clone, Default)]
pub struct Surroundings(pub Vec<(&'static str, String)>);

/// A running program, whose lines can be waited for.
pub struct Running {
    child: Child,
    lines: Receiver<String>,
    input: Option<ChildStdin>,
    /// Everything it said so far.
    pub said: Vec<String>,
    /// The last lines of its log.
    log: Arc<Mutex<VecDeque<String>>>,
}

/// Lines of a program's log that are kept for whoever asks why it ended.
const LOG_LINES: usize = 20;

impl Running {
    pub fn start(mut command: Command, around: &Surroundings) -> Self {
        command.envs(around.0.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (sender, lines) = channel();
        let out = child.stdout.take().unwrap();
        std::thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let (logged, log) = (child.stderr.take().unwrap(), Arc::<Mutex<VecDeque<String>>>::default());
        let last = log.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(logged).lines().map_while(Result::ok) {
                let mut last = last.lock().unwrap();
                last.push_back(line);
                if last.len() > LOG_LINES {
                    last.pop_front();
                }
            }
        });
        let input = child.stdin.take();
        Self { child, lines, input, said: Vec::new(), log }
    }

    /// The next line that `wanted` makes something of.
    pub fn wait_for<T>(&mut self, what: &str, wanted: impl FnMut(&str) -> Option<T>) -> T {
        let found = self.unless_killed(what, wanted);
        found.unwrap_or_else(|| panic!("it ended before {what}; {}", self.told()))
    }

    /// What it said and logged, for whoever looks for the reason.
    pub fn told(&self) -> String {
        let log: Vec<String> = self.log.lock().unwrap().iter().cloned().collect();
        format!("it said:\n{}\nand logged:\n{}", self.said.join("\n"), log.join("\n"))
    }

    /// The same; nothing when the program is gone.
    fn unless_killed<T>(&mut self, what: &str, mut wanted: impl FnMut(&str) -> Option<T>) -> Option<T> {
        let until = Instant::now() + PATIENCE;
        loop {
            match self.lines.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    let found = wanted(&line);
                    self.said.push(line);
                    if found.is_some() {
                        return found;
                    }
                }
                Err(RecvTimeoutError::Timeout) => panic!("{what} never came; {}", self.told()),
                Err(RecvTimeoutError::Disconnected) => return None,
            }
        }
    }

    fn write(&mut self, line: &str) {
        // A program that was killed reads nothing; whoever waits for its answer hears of it.
        let _ = writeln!(self.input.as_mut().unwrap(), "{line}");
    }

    /// For [`kill_9`] from somewhere else.
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// Ends it, unless it is gone. What it said until then is kept.
    pub fn end(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.said.extend(self.lines.iter());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // A test that failed leaves nothing running.
        let _ = self.child.kill();
        let _ = self.child.wait();
        // What libfaketime keeps in memory for a program that is killed: some of it keeps a later program of the same number from starting.
        for left in ["faketime_shm_", "sem.faketime_sem_"] {
            let _ = std::fs::remove_file(format!("/dev/shm/{left}{}", self.child.id()));
        }
    }
}

/// At once, whatever it is doing.
pub fn kill_9(process: u32) {
    assert!(Command::new("kill").args(["-9", &process.to_string()]).status().unwrap().success());
}

/// The server's program.
pub struct ServerProgram {
    pub running: Running,
    pub url: String,
}

impl ServerProgram {
    pub fn start(data: &Path, port: u16, around: &Surroundings) -> Self {
        Self::run(Command::new(program("sync-server")), data, &format!("127.0.0.1:{port}"), around)
    }

    /// The same, by a command that leads to the program.
    pub fn run(mut command: Command, data: &Path, listen: &str, around: &Surroundings) -> Self {
        let (address, _) = listen.rsplit_once(':').unwrap();
        command.arg("--data").arg(data).args(["serve", "--listen", listen, "--name", address]);
        let mut running = Running::start(command, around);
        let url = running
            .wait_for("the server's address", |line| line.strip_prefix("Lineproof answers at ").map(str::to_owned));
        Self { running, url }
    }
}

/// The kiosk's program, and somebody at its screen.
pub struct KioskProgram {
    pub running: Running,
}

/// What the screen shows after an act.
pub type Shown = serde_json::Value;

impl KioskProgram {
    pub fn start(folder: &Path, name: &str, url: &str, code: Option<&str>, around: &Surroundings) -> Self {
        Self::run(Command::new(program("kiosk")), folder, name, url, code, around)
    }

    /// The same, by a command that leads to the program, and may say more of how it is to run.
    pub fn run(
        mut command: Command,
        folder: &Path,
        name: &str,
        url: &str,
        code: Option<&str>,
        around: &Surroundings,
    ) -> Self {
        command.arg("--data").arg(folder.join(name)).arg("--key-store").arg(folder.join(format!("{name}-keys")));
        command.args(["--headless", "--acts", "--server", url]);
        if let Some(code) = code {
            command.args(["--enrol", code]);
        }
        let mut running = Running::start(command, around);
        running.wait_for("the kiosk's state", |line| line.contains("\"event\":\"status\"").then_some(()));
        Self { running }
    }

    /// One act, and the screen it leads to; nothing when the program is gone.
    pub fn act(&mut self, act: &str) -> Option<Shown> {
        self.running.write(act);
        self.running.unless_killed(act, |line| {
            let said: Shown = serde_json::from_str(line).ok()?;
            let event = said["event"].as_str()?;
            assert_ne!(event, "act", "{act}: {said}");
            (event == "screen").then_some(said)
        })
    }

    /// Asks how it stands until that is so.
    pub fn until(&mut self, what: &str, good: impl Fn(&Shown) -> bool) -> Shown {
        let patience = Instant::now() + PATIENCE;
        loop {
            // Nothing bears this id: a touch beside everything.
            let status = self.act("tap beside").expect("it runs")["status"].take();
            if good(&status) {
                return status;
            }
            assert!(Instant::now() < patience, "{what} never came: {status}; {}", self.running.told());
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

/// A port that nobody uses at the moment.
pub fn free_port() -> u16 {
    std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

/// Runs a program to its end: its exit code and all it wrote.
pub fn run(mut command: Command, around: &Surroundings) -> (i32, String) {
    command.envs(around.0.iter().map(|(name, value)| (name, value)));
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap();
    let mut told = String::new();
    child.stdout.take().unwrap().read_to_string(&mut told).unwrap();
    (child.wait().unwrap().code().unwrap_or(-1), told)
}
