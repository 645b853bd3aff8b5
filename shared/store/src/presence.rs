//! Who performed what, and when: task sessions (S11), and which of what terminals say about presence counts.
//!
//! Presence is nobody's signed statement: an entry of it counts as its log and its device do (H4, H5), and its verdict says nothing else.

use std::collections::BTreeSet;

use rusqlite::{Connection, params};
use shared::id::*;
use shared::kind::{Body, Family, to_cbor};
use shared::log::effect::{Cause, Verdict};
use shared::log::standing::Fork;
use shared::log::{Entry, LogId, Subject};
use shared::record::Standing;
use shared::training::task_session::TaskSession;

use crate::derive::standing;
use crate::ledger::StoreError;
use crate::shelf;
use crate::step::Step;

/// Lets sessions and verdicts follow the entries put in a step.
pub(crate) fn follow(
    step: &Step<'_>,
    put: &[Entry],
    forked: &[Fork],
    reached: &BTreeSet<LogId>,
    all: bool,
) -> Result<(), StoreError> {
    let follow_one = |entry: &Entry| {
        judge(step, entry)?;
        follow_session(step.connection(), entry)
    };
    if all {
        return each(step.connection(), "e.row > 0", params![], follow_one);
    }
    put.iter().filter(|entry| entry.family() == Family::Presence).try_for_each(follow_one)?;
    forked.iter().try_for_each(|fork| judge_log(step, &fork.log, fork.counter))?;
    reached.iter().try_for_each(|log| judge_log(step, log, 0))?;
    put.iter().try_for_each(|entry| judge_after(step, entry))
}

/// Judges anew what a revocation or a ruling is about.
fn judge_after(step: &Step<'_>, entry: &Entry) -> Result<(), StoreError> {
    if !matches!(entry.header().kind.as_str(), "device_revoked" | "ruling") {
        return Ok(());
    }
    match entry.statement().ok().flatten().map(|statement| statement.body) {
        Some(Body::DeviceRevoked(body)) => {
            let logs = shelf::logs(step.connection())?;
            logs.iter().filter(|log| log.device == body.device).try_for_each(|log| judge_log(step, log, 0))
        }
        Some(Body::Ruling(body)) => body.entries.iter().try_for_each(|id| {
            let named = shelf::entry(step.connection(), id)?;
            named.filter(|entry| entry.family() == Family::Presence).map_or(Ok(()), |entry| judge(step, &entry))
        }),
        _ => Ok(()),
    }
}

fn judge_log(step: &Step<'_>, log: &LogId, after: u64) -> Result<(), StoreError> {
    match shelf::log_number(step.connection(), log)? {
        Some(number) => {
            let of = params![number, after as i64];
            each(step.connection(), "e.log = ?1 AND e.counter > ?2", of, |entry| judge(step, entry))
        }
        None => Ok(()),
    }
}

/// Presence entries, one after the other: there are more of them than of anything else.
fn each(
    connection: &Connection,
    which: &str,
    of: impl rusqlite::Params,
    mut work: impl FnMut(&Entry) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut statement = connection.prepare(&format!(
        "SELECT e.bytes, e.blocks_good FROM entry e JOIN log l USING (log)
         WHERE l.stream >= 'presence/' AND l.stream < 'presence0' AND {which}"
    ))?;
    let mut rows = statement.query(of)?;
    while let Some(row) = rows.next()? {
        let bytes = row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?;
        work(&shelf::read_entry(bytes, row.get(1)?)?)?;
    }
    Ok(())
}

/// Writes that an entry doesn't count, and why; one that counts has no row.
fn judge(step: &Step<'_>, entry: &Entry) -> Result<(), StoreError> {
    if !step.world().doubtful {
        return Ok(());
    }
    let (connection, id) = (step.connection(), entry.id());
    let cause = match standing(step, entry)? {
        Standing::Good => {
            connection.prepare_cached("DELETE FROM verdict WHERE id = ?1")?.execute([id.0])?;
            return Ok(());
        }
        Standing::BehindFork => Cause::BehindFork,
        Standing::DeviceRevoked => Cause::DeviceRevoked,
    };
    let mut write = connection.prepare_cached(
        "INSERT INTO verdict (id, subject, on_hold, verdict) VALUES (?1, ?2, FALSE, ?3)
         ON CONFLICT (id) DO UPDATE SET verdict = excluded.verdict WHERE excluded.verdict <> verdict",
    )?;
    write.execute(params![id.0, entry.subject().as_str(), to_cbor(&Verdict::SetAside(cause))])?;
    Ok(())
}

fn follow_session(connection: &Connection, entry: &Entry) -> Result<(), StoreError> {
    match entry.statement().ok().flatten().map(|statement| statement.body) {
        Some(Body::TaskStarted(_)) => open(connection, entry),
        Some(Body::TaskEnded(body)) => follow_into(connection, &body.session, entry),
        Some(Body::TrainerConfirmed(body)) => follow_into(connection, &body.session, entry),
        _ => Ok(()),
    }
}

fn open(connection: &Connection, entry: &Entry) -> Result<(), StoreError> {
    let Some(mut session) = TaskSession::opened_by(entry) else { return Ok(()) };
    // What ended it may have arrived first.
    let about = Subject::new("session", session.session);
    let later = shelf::entries_about(connection, about.as_str())?;
    later.iter().filter(|later| may_say(entry, later)).for_each(|later| session.follow(later));
    write(connection, &session)
}

fn follow_into(connection: &Connection, session: &ActId, entry: &Entry) -> Result<(), StoreError> {
    for mut session in crate::questions::sessions(connection, session)? {
        let opener = shelf::entry(connection, &session.opened_by)?;
        if opener.is_some_and(|opener| may_say(&opener, entry)) {
            session.follow(entry);
            write(connection, &session)?;
        }
    }
    Ok(())
}

/// Work may be ended at another terminal; that the trainer is still there is seen where it is done.
fn may_say(opener: &Entry, later: &Entry) -> bool {
    later.header().kind != "trainer_confirmed" || later.log().device == opener.log().device
}

fn write(connection: &Connection, session: &TaskSession) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(
        "INSERT OR REPLACE INTO task_session
             (session, person, task, work_unit, lot, started_ms, ended_ms, opened_by, state)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?;
    statement.execute(params![
        session.session.0,
        session.person.as_str(),
        session.task.as_str(),
        session.work_unit.as_str(),
        session.lot.as_ref().map(LotId::as_str),
        session.started_at.0,
        session.ended_at.map(|at| at.0),
        session.opened_by.0,
        to_cbor(session)
    ])?;
    Ok(())
}
