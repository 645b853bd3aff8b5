//! Where an entry stands among the branches of its log and among the revocations of its device.
//!
//! Both answers are functions of the *set* of held entries, never of the order in which they arrived (H3, H4, H5).

use super::chain::Shelf;
use super::entry::{Entry, LogId};
use crate::id::EntryId;
use crate::kind::{IfUnknown, row};

/// A place where a log divides: more than one held entry names the same one as previous. The alarm has this key, so finding it
/// again, elsewhere or after a restore, is the same alarm (H3).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fork {
    pub log: LogId,
    /// Counter of the last common entry; 0 when two entries both claim to be the log's first.
    pub counter: u64,
    pub last_common: Option<EntryId>,
}

/// A revocation as the verdict needs it: what the device wrote counts as far as these heads reach (H5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revocation {
    /// The `device_revoked` entry.
    pub entry: EntryId,
    pub heads: Vec<EntryId>,
}

/// What the verdict asks beyond holding.
pub trait Branches: Shelf {
    /// The forks of a log: what [`fork_at`] found whenever an entry was held.
    fn forks(&self, log: &LogId) -> Result<Vec<Fork>, Self::Error>;
    /// Every held revocation of the device, on whatever branch it stands: a restriction denies from any.
    fn revocations(&self, device: &crate::id::DeviceKey) -> Result<Vec<Revocation>, Self::Error>;
    /// What effective rulings say of exactly this entry; `None` when none names it.
    fn ruling(&self, id: &EntryId) -> Result<Option<bool>, Self::Error>;
}

/// Whether an entry's log and device give it a hearing. Authority, signatures and kind are other questions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    Sound,
    /// It follows a fork, nobody has accepted it, and it isn't a restriction (H4).
    BehindFork(Fork),
    /// It isn't an ancestor of the heads that this revocation names (H5).
    BeyondRevocation(EntryId),
}

/// The entry's standing: revocations first, for nobody's ruling on a fork takes one back.
pub fn standing<S: Branches>(entry: &Entry, shelf: &S) -> Result<Standing, S::Error> {
    if let Some(revocation) = beyond_revocation(entry, shelf)? {
        return Ok(Standing::BeyondRevocation(revocation));
    }
    if restricts(entry) || shelf.ruling(&entry.id())? == Some(true) {
        return Ok(Standing::Sound);
    }
    Ok(behind_fork(entry, shelf)?.map_or(Standing::Sound, Standing::BehindFork))
}

/// The first fork of its log that the entry follows, on any branch.
pub fn behind_fork<S: Branches>(entry: &Entry, shelf: &S) -> Result<Option<Fork>, S::Error> {
    let header = entry.header();
    let mut forks = shelf.forks(&header.log)?;
    forks.sort_by_key(|fork| fork.counter);
    for fork in forks {
        let follows = match (fork.last_common, header.prev) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(common), Some(prev)) => reaches(&prev, &common, shelf)?,
        };
        if follows {
            return Ok(Some(fork));
        }
    }
    Ok(None)
}

/// The first revocation, by id, whose heads don't reach the entry. With two revocations it must be an ancestor in both.
pub fn beyond_revocation<S: Branches>(entry: &Entry, shelf: &S) -> Result<Option<EntryId>, S::Error> {
    let mut revocations = shelf.revocations(&entry.log().device)?;
    revocations.sort_by_key(|revocation| revocation.entry);
    for revocation in revocations {
        let mut reached = false;
        for head in &revocation.heads {
            reached = reached || reaches(head, &entry.id(), shelf)?;
        }
        if !reached {
            return Ok(Some(revocation.entry));
        }
    }
    Ok(None)
}

/// The fork of which this held entry is one branch, if its log divides just before it. To be asked whenever an entry was put.
pub fn fork_at<S: Shelf>(entry: &Entry, shelf: &S) -> Result<Option<Fork>, S::Error> {
    let header = entry.header();
    for other in shelf.at(&header.log, header.counter)? {
        if other != entry.id() && shelf.place(&other)?.is_some_and(|place| place.prev == header.prev) {
            let fork = Fork { log: header.log.clone(), counter: header.counter - 1, last_common: header.prev };
            return Ok(Some(fork));
        }
    }
    Ok(None)
}

/// Whether `later` is `earlier` or follows it in its log; `false` when either isn't held. Costs one look where the log has a single entry at
/// `earlier`'s counter, for everything later follows that one; else a walk down to it.
pub fn reaches<S: Shelf>(later: &EntryId, earlier: &EntryId, shelf: &S) -> Result<bool, S::Error> {
    if later == earlier {
        return Ok(shelf.place(later)?.is_some());
    }
    let (Some(mut from), Some(to)) = (shelf.place(later)?, shelf.place(earlier)?) else { return Ok(false) };
    if from.log != to.log || from.counter <= to.counter {
        return Ok(false);
    }
    if shelf.at(&to.log, to.counter)?.len() == 1 {
        return Ok(true);
    }
    while from.counter > to.counter + 1 {
        let Some(prev) = from.prev else { return Ok(false) };
        let Some(place) = shelf.place(&prev)? else { return Ok(false) };
        from = place;
    }
    Ok(from.prev.as_ref() == Some(earlier))
}

/// Whether the entry denies: it does so from any branch (H4). A kind not known here denies when it says so itself.
pub fn restricts(entry: &Entry) -> bool {
    match row(&entry.header().kind) {
        Some(row) => row.restricts,
        None => entry.header().if_unknown == IfUnknown::Deny,
    }
}
