-- How far each stream of the server's order was read, and the head that witnesses it.
CREATE TABLE cursor (stream TEXT PRIMARY KEY, cursor BLOB NOT NULL) STRICT, WITHOUT ROWID;

-- What the cursors moved over: confirmed entries, by their place along the path.
CREATE TABLE step (
    stream  TEXT NOT NULL,
    ordinal INTEGER NOT NULL,
    epoch   BLOB NOT NULL,
    number  INTEGER NOT NULL,
    chain   BLOB NOT NULL,
    entry   BLOB NOT NULL,
    PRIMARY KEY (stream, ordinal)
) STRICT, WITHOUT ROWID;
CREATE INDEX step_entry ON step (entry);

-- Held entries the order has not confirmed to this kiosk.
CREATE TABLE unconfirmed (
    log   INTEGER NOT NULL REFERENCES log (log),
    entry BLOB NOT NULL,
    PRIMARY KEY (log, entry)
) STRICT, WITHOUT ROWID;

-- Witnessed once, and cut off by a recovered server: for people to look at (T7).
CREATE TABLE cut_off (stream TEXT NOT NULL, entry BLOB NOT NULL, PRIMARY KEY (stream, entry)) STRICT, WITHOUT ROWID;

-- Enrolments kept outside every chain, for good (H7).
CREATE TABLE loose_enrolment (id BLOB PRIMARY KEY, bytes BLOB NOT NULL) STRICT, WITHOUT ROWID;

-- Boxes sealed here that the server has not shown back.
CREATE TABLE box_to_give (name TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT, WITHOUT ROWID;
