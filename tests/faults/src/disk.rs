//! What happened on a disk, in order, and what it is told to refuse.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::medium::{Files, read_files};

/// A call of SQLite's that a disk may refuse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Call {
    Open,
    Read,
    Write,
    Truncate,
    Sync,
    Size,
    Delete,
    Lock,
    Shared,
}

/// What a disk answers instead of doing what it is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The call fails, as on a medium that dies.
    Fails,
    /// There is no room: writes fail, everything else is done.
    Full,
    /// What is there can be read and locked. Nothing is written, cut, taken away or made; what is to be opened for writing is opened for
    /// reading, as the machine's file system does.
    ReadOnly,
}

/// One change of a watched folder. Files are named by their path below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Op {
    Write {
        file: String,
        at: u64,
        bytes: Vec<u8>,
    },
    Truncate {
        file: String,
        size: u64,
    },
    /// From here on, what was written into the file before survives.
    Sync {
        file: String,
    },
    /// `durable`: the folder was synced with it.
    Delete {
        file: String,
        durable: bool,
    },
    /// A file that others than SQLite wrote and synced, whole.
    Kept {
        file: String,
        bytes: Vec<u8>,
    },
    /// What the program said to whoever waits.
    Said(String),
}

impl Op {
    /// The file that it is about.
    pub fn file(&self) -> Option<&str> {
        match self {
            Self::Write { file, .. } | Self::Truncate { file, .. } | Self::Sync { file } => Some(file),
            Self::Delete { file, .. } | Self::Kept { file, .. } => Some(file),
            Self::Said(_) => None,
        }
    }
}

/// Everything that happened since a folder was watched.
#[derive(Debug, Clone, Default)]
pub struct Recording {
    pub before: Files,
    pub ops: Vec<Op>,
}

/// One watched folder.
#[derive(Debug)]
pub struct Disk {
    folder: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    recording: Recording,
    /// Calls since the plan was made, by kind.
    counted: u64,
    plan: Option<Plan>,
    refused: Option<Call>,
    kept: BTreeMap<String, Vec<u8>>,
}

#[derive(Debug, Clone, Copy)]
struct Plan {
    refusal: Refusal,
    /// The first call that is refused, counted from 1.
    nth: u64,
    /// Whether all after it are refused too.
    lasting: bool,
}

impl Disk {
    pub(crate) fn new(folder: PathBuf) -> Self {
        // What SQLite keeps in shared memory is gone with the power.
        let before = read_files(&folder).into_iter().filter(|(name, _)| !name.ends_with("-shm")).collect();
        let recording = Recording { before, ops: Vec::new() };
        Self { folder, state: Mutex::new(State { recording, ..State::default() }) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A file's name below the folder; `None` when it lies elsewhere.
    pub(crate) fn name_of(&self, path: &Path) -> Option<String> {
        let below = path.strip_prefix(&self.folder).ok()?;
        Some(below.to_string_lossy().into_owned())
    }

    pub(crate) fn happened(&self, op: Op) {
        self.state().recording.ops.push(op);
    }

    /// Notes that something was acknowledged.
    pub fn say(&self, what: impl Into<String>) {
        self.happened(Op::Said(what.into()));
    }

    /// Notes the small files of a folder below, such as a key store, that don't go through SQLite and are synced by who writes them.
    pub fn note_files_of(&self, below: &str) {
        for (name, bytes) in read_files(&self.folder.join(below)) {
            let file = format!("{below}/{name}");
            let mut state = self.state();
            if state.kept.get(&file) != Some(&bytes) {
                state.kept.insert(file.clone(), bytes.clone());
                state.recording.ops.push(Op::Kept { file, bytes });
            }
        }
    }

    /// What happened so far.
    pub fn recording(&self) -> Recording {
        self.state().recording.clone()
    }

    /// Refuses the `nth` call from here on, and all after it when `lasting`.
    pub fn refuse(&self, refusal: Refusal, nth: u64, lasting: bool) {
        let mut state = self.state();
        state.counted = 0;
        state.refused = None;
        state.plan = Some(Plan { refusal, nth, lasting });
    }

    /// Does everything again. Says which call was refused first since [`Disk::refuse`], if any was.
    pub fn obey(&self) -> Option<Call> {
        let mut state = self.state();
        state.plan = None;
        state.refused.take()
    }

    /// Whether this call is refused.
    pub(crate) fn refuses(&self, call: Call) -> Option<Refusal> {
        let mut state = self.state();
        let plan = state.plan?;
        let concerned = match plan.refusal {
            Refusal::Fails => true,
            Refusal::Full => matches!(call, Call::Write | Call::Truncate),
            Refusal::ReadOnly => matches!(call, Call::Open | Call::Write | Call::Truncate | Call::Delete),
        };
        if !concerned {
            return None;
        }
        state.counted += 1;
        let refused = if plan.lasting { state.counted >= plan.nth } else { state.counted == plan.nth };
        if !refused {
            return None;
        }
        state.refused.get_or_insert(call);
        Some(plan.refusal)
    }
}

impl Recording {
    /// The same on a disk that says it synced and did not.
    pub fn without_syncs(mut self) -> Self {
        self.ops.retain(|op| !matches!(op, Op::Sync { .. }));
        self
    }

    /// The files that were written, cut or taken away.
    pub fn written(&self) -> BTreeSet<&str> {
        self.ops.iter().filter_map(Op::file).collect()
    }

    /// What was said before the op at this place.
    pub fn said_before(&self, place: usize) -> impl Iterator<Item = &str> {
        self.ops[..place].iter().filter_map(|op| match op {
            Op::Said(what) => Some(what.as_str()),
            _ => None,
        })
    }
}
