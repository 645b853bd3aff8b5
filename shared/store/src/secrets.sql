-- Derived: wrong secrets and right ones, each with where it was given and how sure its moment is, so that no clock that was turned tells
-- what came before what.
DROP TABLE secret_failure;
DROP TABLE secret_success;
CREATE TABLE secret_failure (
    id        BLOB PRIMARY KEY,
    person    TEXT NOT NULL,
    -- Device and incarnation.
    replica   BLOB NOT NULL,
    -- In the order of the replica's hybrid clock.
    hybrid    BLOB NOT NULL,
    at_ms     INTEGER NOT NULL,
    latest_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX secret_failure_person ON secret_failure (person, latest_ms);
CREATE TABLE secret_success (
    person      TEXT NOT NULL,
    key         BLOB NOT NULL,
    replica     BLOB NOT NULL,
    hybrid      BLOB NOT NULL,
    earliest_ms INTEGER NOT NULL,
    -- By replica first: what is signed at one kiosk lies on few pages, and each page written is one that a person waits for.
    PRIMARY KEY (replica, person, key)
) STRICT, WITHOUT ROWID;
-- What they hold follows from the entries, at the next opening.
INSERT OR REPLACE INTO setting (name, value) VALUES ('rederive', x'01');
