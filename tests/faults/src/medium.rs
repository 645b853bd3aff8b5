//! What lies on a medium after a power cut.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use sim::rng::Rng;

use crate::disk::Op;

/// A folder's files by their path below it.
pub type Files = BTreeMap<String, Vec<u8>>;

/// What a sector is written as: a whole, or not at all.
const SECTOR: usize = 512;

/// A medium at one moment: what survives for certain, and what hangs in the air.
#[derive(Debug, Clone, Default)]
pub struct Medium {
    durable: Files,
    pending: BTreeMap<String, Vec<Op>>,
}

/// What a power cut does with what no sync covered.
#[derive(Clone, Copy)]
enum Cut {
    AllVanishes,
    AllSurvives,
    /// Written in order up to some point, where it tears.
    InOrder,
    /// Each write has its own fate.
    AnyOrder,
}

impl Medium {
    pub fn holding(files: Files) -> Self {
        Self { durable: files, pending: BTreeMap::new() }
    }

    /// Goes on by one op.
    pub fn apply(&mut self, op: &Op) {
        match op {
            Op::Write { file, .. } | Op::Truncate { file, .. } | Op::Delete { file, durable: false } => {
                self.pending.entry(file.clone()).or_default().push(op.clone());
            }
            Op::Sync { file } => {
                for op in self.pending.remove(file).unwrap_or_default() {
                    take(&mut self.durable, &op);
                }
            }
            Op::Delete { file, durable: true } => {
                self.pending.remove(file);
                self.durable.remove(file);
            }
            Op::Kept { file, bytes } => {
                self.durable.insert(file.clone(), bytes.clone());
            }
            Op::Said(_) => {}
        }
    }

    /// The files after a power cut at this moment.
    pub fn cut(&self, chance: &mut Rng) -> Files {
        let mut files = self.durable.clone();
        let how = match chance.below(6) {
            0 => Cut::AllVanishes,
            1 => Cut::AllSurvives,
            2 | 3 => Cut::InOrder,
            _ => Cut::AnyOrder,
        };
        for ops in self.pending.values() {
            let end = match how {
                Cut::AllVanishes => 0,
                Cut::AllSurvives | Cut::AnyOrder => ops.len(),
                Cut::InOrder => chance.below(ops.len() + 1),
            };
            for (place, op) in ops[..end].iter().enumerate() {
                let torn = match how {
                    Cut::AnyOrder => chance.chance(25),
                    Cut::InOrder => place + 1 == end && chance.chance(50),
                    _ => false,
                };
                if matches!(how, Cut::AnyOrder) && chance.chance(33) {
                    // What came after a deletion that never happened went into a file that nobody finds.
                    if matches!(op, Op::Delete { .. }) {
                        break;
                    }
                    continue;
                }
                take(&mut files, &if torn { tear(op, chance) } else { op.clone() });
            }
        }
        files
    }
}

/// A write of which some sectors reached the medium.
fn tear(op: &Op, chance: &mut Rng) -> Op {
    match op {
        Op::Write { file, at, bytes } => {
            // Sectors lie where they lie on the medium, not where the write begins.
            let lead = (SECTOR - (*at as usize) % SECTOR) % SECTOR;
            let sectors = bytes.len().saturating_sub(lead) / SECTOR;
            let kept = (lead + chance.below(sectors + 1) * SECTOR).min(bytes.len());
            Op::Write { file: file.clone(), at: *at, bytes: bytes[..kept].to_vec() }
        }
        other => other.clone(),
    }
}

fn take(files: &mut Files, op: &Op) {
    match op {
        Op::Write { file, at, bytes } => {
            let content = files.entry(file.clone()).or_default();
            let (at, end) = (*at as usize, *at as usize + bytes.len());
            if content.len() < end {
                content.resize(end, 0);
            }
            content[at..end].copy_from_slice(bytes);
        }
        Op::Truncate { file, size } => files.entry(file.clone()).or_default().resize(*size as usize, 0),
        Op::Delete { file, .. } => drop(files.remove(file)),
        Op::Sync { .. } | Op::Kept { .. } | Op::Said(_) => {}
    }
}

/// Every file below a folder; none when there is no folder.
pub fn read_files(folder: &Path) -> Files {
    let read = |name: String| fs::read(folder.join(&name)).ok().map(|bytes| (name, bytes));
    files_below(folder).into_iter().filter_map(read).collect()
}

/// The names of the files below a folder.
pub fn files_below(folder: &Path) -> BTreeSet<String> {
    let mut files = BTreeSet::new();
    let mut open = vec![folder.to_owned()];
    while let Some(path) = open.pop() {
        let Ok(items) = fs::read_dir(&path) else { continue };
        for path in items.flatten().map(|item| item.path()) {
            if path.is_dir() {
                open.push(path);
            } else if let Ok(below) = path.strip_prefix(folder) {
                files.insert(below.to_string_lossy().into_owned());
            }
        }
    }
    files
}
