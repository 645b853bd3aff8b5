-- Ground state: what was said, as the exact bytes. Append-only by trigger; derived tables may be thrown away and rebuilt.
CREATE TABLE log (
    log         INTEGER PRIMARY KEY,
    device      BLOB NOT NULL,
    incarnation BLOB NOT NULL,
    stream      TEXT NOT NULL,
    UNIQUE (device, incarnation, stream)
) STRICT;

CREATE TABLE entry (
    row         INTEGER PRIMARY KEY,
    id          BLOB NOT NULL UNIQUE,
    log         INTEGER NOT NULL REFERENCES log (log),
    counter     INTEGER NOT NULL,
    prev        BLOB,
    kind        TEXT NOT NULL,
    subject     TEXT NOT NULL,
    -- Of record entries, what of the person's record they bear on; null in other streams.
    topic       TEXT,
    bytes       BLOB NOT NULL,
    blocks_good INTEGER NOT NULL
) STRICT;
-- A second entry at a counter is held beside the first: the clash is a fork, never a reason to drop one (H2).
CREATE UNIQUE INDEX entry_place ON entry (log, counter, id);
CREATE INDEX entry_subject ON entry (subject, topic, kind);
-- Asked of at every start or call, and hardly ever there.
CREATE INDEX entry_recovery ON entry (row) WHERE kind = 'server_recovered';
CREATE INDEX entry_revocation ON entry (row) WHERE kind = 'device_revoked';
CREATE TRIGGER entry_is_never_changed BEFORE UPDATE ON entry
BEGIN SELECT RAISE (ABORT, 'entries are never changed'); END;
CREATE TRIGGER entry_is_never_deleted BEFORE DELETE ON entry
BEGIN SELECT RAISE (ABORT, 'entries are never deleted'); END;

-- Entries that no held entry names as previous: one per log, more after a fork.
CREATE TABLE tip (
    log     INTEGER NOT NULL REFERENCES log (log),
    id      BLOB NOT NULL,
    counter INTEGER NOT NULL,
    PRIMARY KEY (log, id)
) STRICT, WITHOUT ROWID;

-- Entries with more than one successor: each is one fork alarm.
CREATE TABLE fork (
    log     INTEGER NOT NULL REFERENCES log (log),
    counter INTEGER NOT NULL,
    id      BLOB NOT NULL,
    PRIMARY KEY (log, id)
) STRICT, WITHOUT ROWID;

-- Devices whose enrolment is held.
CREATE TABLE enrolled (device BLOB PRIMARY KEY) STRICT, WITHOUT ROWID;
-- Keys that are, or were, this world's server.
CREATE TABLE server_key (device BLOB PRIMARY KEY) STRICT, WITHOUT ROWID;

-- Replaceable values that travel beside the logs: wrapped keys, quiz answers.
CREATE TABLE box (
    name    TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    bytes   BLOB NOT NULL
) STRICT;

-- Single values of this replica, such as its hybrid clock.
CREATE TABLE setting (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;

-- Derived: whose key it is.
CREATE TABLE person_key (
    key    BLOB PRIMARY KEY,
    person TEXT NOT NULL,
    entry  BLOB NOT NULL,
    box_digest BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX person_key_person ON person_key (person);

-- Derived: who signed about whom, to find what a change of authority touches.
CREATE TABLE signed (
    signer  TEXT NOT NULL,
    subject TEXT NOT NULL,
    PRIMARY KEY (signer, subject)
) STRICT, WITHOUT ROWID;

-- Derived: entries that do not simply count, with their verdict.
CREATE TABLE verdict (
    id      BLOB PRIMARY KEY,
    subject TEXT NOT NULL,
    on_hold INTEGER NOT NULL,
    verdict BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX verdict_subject ON verdict (subject);

-- Derived: a person's evidence in the order of the record, one row a person and requirement. With a rowid: rows are longer than what a
-- page of an index keeps of each.
CREATE TABLE evidence (
    person      TEXT NOT NULL,
    requirement TEXT NOT NULL,
    rows        BLOB NOT NULL,
    PRIMARY KEY (person, requirement)
) STRICT;
CREATE INDEX evidence_requirement ON evidence (requirement);

-- Derived: task sessions.
CREATE TABLE task_session (
    session    BLOB PRIMARY KEY,
    person     TEXT NOT NULL,
    task       TEXT NOT NULL,
    work_unit  TEXT NOT NULL,
    lot        TEXT,
    started_ms INTEGER NOT NULL,
    ended_ms   INTEGER,
    state      BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX task_session_person ON task_session (person, started_ms);
CREATE INDEX task_session_unit ON task_session (work_unit, started_ms);
CREATE INDEX task_session_lot ON task_session (lot) WHERE lot IS NOT NULL;

-- Derived: wrong secrets, what was forgiven by whom, and when a person's key was last unlocked with the right one.
CREATE TABLE secret_failure (
    id     BLOB PRIMARY KEY,
    person TEXT NOT NULL,
    at_ms  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX secret_failure_person ON secret_failure (person, at_ms);
CREATE TABLE secret_forgiven (id BLOB NOT NULL, lifted_by BLOB NOT NULL, PRIMARY KEY (id, lifted_by)) STRICT, WITHOUT ROWID;
CREATE TABLE secret_success (
    person TEXT NOT NULL,
    key    BLOB NOT NULL,
    at_ms  INTEGER NOT NULL,
    PRIMARY KEY (person, key)
) STRICT, WITHOUT ROWID;
