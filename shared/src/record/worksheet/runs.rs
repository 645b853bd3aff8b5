//! Runs are signed entries of their own; a worksheet shows their set.

use std::collections::BTreeMap;

use crate::id::{ActId, EntryId, WorksheetId};
use crate::kind::Body;
use crate::log::Entry;

/// The runs observed for a worksheet, by act: the size of the set is the number of runs, so nothing is counted twice,
/// however often it arrives (U14). Whether each counts is the training record's verdict.
pub fn observed_runs<'a>(
    worksheet: WorksheetId,
    entries: impl IntoIterator<Item = &'a Entry>,
) -> BTreeMap<ActId, EntryId> {
    let mut runs = BTreeMap::new();
    for entry in entries {
        let Ok(Some(statement)) = entry.statement() else { continue };
        let Body::RunObserved(run) = &statement.body else { continue };
        if run.worksheet == worksheet {
            let named = runs.entry(statement.act).or_insert(entry.id());
            *named = entry.id().min(*named);
        }
    }
    runs
}
