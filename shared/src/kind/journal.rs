//! Kinds of a kiosk's journal: its decisions with their proof, its clock, its device.

use minicbor::{Decode, Encode};

use super::plant::bodies;
use crate::id::*;
use crate::log::Revision;
use crate::time::Timestamp;

/// What a terminal writes last, once the server holds everything else of it: the word of [`DeviceEvent::what`].
pub const RETIRING: &str = "retiring";

bodies! {
    /// A gate decision with everything it rested on: replayed, it gives the same answer (U1).
    Decision {
        0 rule_version: u32,
        1 task: TaskId,
        2 work_unit: WorkUnitId,
        3 lot: Option<LotId>,
        4 earliest: Timestamp,
        5 latest: Timestamp,
        /// The answer's word: `go`, `go_supervised`, `go_exception`, `no_go`.
        6 answer: String,
        7 evidence: Vec<EntryId>,
        8 versions: Vec<DecidedVersion>,
        9 policy: Option<EntryId>,
        10 offline_ms: i64,
        11 reasons: Vec<String>,
        12 trainer: Option<PersonId>,
        /// How far the kiosk had read the site's records: what it could know of people (U2).
        13 records: Option<Revision>,
        /// How far it had read what it is told of other sites' records; `None` where it was told nothing.
        14 visiting: Option<Revision>,
    }
    DecidedVersion { 0 document: DocumentId, 1 version: VersionId, }
    ClockStep { 0 before: Timestamp, 1 after: Timestamp, 2 why: String, }
    DeviceEvent { 0 what: String, 1 detail: String, }
}

impl Decision {
    /// How far the kiosk had read what people did, here and at other sites.
    pub fn read_of_people(&self) -> impl Iterator<Item = Revision> {
        self.records.iter().chain(&self.visiting).cloned()
    }
}

impl DeviceEvent {
    /// From here on the terminal refuses the badges that the detail names, with spaces between.
    pub const BADGES_REFUSED: &str = "badges_refused";
}
