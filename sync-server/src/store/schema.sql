-- The server's order: one chain per epoch and stream, never rewritten.
CREATE TABLE epoch (position INTEGER PRIMARY KEY, epoch BLOB NOT NULL UNIQUE) STRICT;

CREATE TABLE ordering (
    stream TEXT NOT NULL,
    epoch  BLOB NOT NULL,
    number INTEGER NOT NULL,
    chain  BLOB NOT NULL,
    entry  BLOB NOT NULL,
    PRIMARY KEY (stream, epoch, number)
) STRICT, WITHOUT ROWID;

-- The order in which boxes last changed, so that a kiosk reads what is new.
CREATE TABLE box_order (number INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE) STRICT;

-- What each kiosk last told of itself; derived from its calls, not evidence.
CREATE TABLE kiosk (
    device         BLOB PRIMARY KEY,
    last_seen_ms   INTEGER NOT NULL,
    as_of_ms       INTEGER NOT NULL,
    clock_ahead_ms INTEGER NOT NULL,
    uncertainty_ms INTEGER NOT NULL,
    waiting        INTEGER NOT NULL,
    complete_ms    INTEGER,
    revisions      TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- One-time codes, as digests.
CREATE TABLE enrol_code (
    digest     BLOB PRIMARY KEY,
    name       TEXT NOT NULL,
    site       TEXT NOT NULL,
    work_units TEXT NOT NULL,
    expires_ms INTEGER NOT NULL,
    device     BLOB
) STRICT, WITHOUT ROWID;

-- Rows of history already imported, by their content.
CREATE TABLE legacy_row (digest BLOB PRIMARY KEY) STRICT, WITHOUT ROWID;

-- Imports that wait for an approver's signature (K5); the content is a blob.
CREATE TABLE proposal (
    batch      BLOB PRIMARY KEY,
    difference BLOB NOT NULL,
    content    BLOB NOT NULL,
    rows       INTEGER NOT NULL,
    made_ms    INTEGER NOT NULL,
    accepted   INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

-- Derived: what people owe for a version, made in the transaction of its approval (A2).
CREATE TABLE assignment (
    person      TEXT NOT NULL,
    requirement TEXT NOT NULL,
    version     TEXT NOT NULL,
    document    TEXT NOT NULL,
    content     BLOB,
    effective_ms INTEGER NOT NULL,
    due_ms      INTEGER NOT NULL,
    impact      TEXT NOT NULL,
    PRIMARY KEY (document, version, person, requirement)
) STRICT, WITHOUT ROWID;
