-- Whoever claims to have opened a session has a row: whether it counts is the verdict of the entry that opened it. Derived anew.
DROP TABLE task_session;
CREATE TABLE task_session (
    opened_by  BLOB PRIMARY KEY,
    session    BLOB NOT NULL,
    person     TEXT NOT NULL,
    task       TEXT NOT NULL,
    work_unit  TEXT NOT NULL,
    lot        TEXT,
    started_ms INTEGER NOT NULL,
    ended_ms   INTEGER,
    state      BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX task_session_session ON task_session (session);
CREATE INDEX task_session_person ON task_session (person, started_ms);
CREATE INDEX task_session_unit ON task_session (work_unit, started_ms);
CREATE INDEX task_session_lot ON task_session (lot) WHERE lot IS NOT NULL;
INSERT OR REPLACE INTO setting (name, value) VALUES ('rederive', x'01');
