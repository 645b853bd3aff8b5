-- A quiz being answered: what was drawn, and the answers so far. It outlives a swap of people and a restart, and ends with the attempt.
CREATE TABLE open_quiz (person TEXT PRIMARY KEY, state BLOB NOT NULL) STRICT, WITHOUT ROWID;
