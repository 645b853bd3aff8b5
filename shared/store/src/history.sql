-- What the server told a site of another one's record, by the latest word on each entry. Derived anew.
CREATE TABLE history (
    id          BLOB NOT NULL,
    -- Whom it was told.
    site        TEXT NOT NULL,
    subject     TEXT NOT NULL,
    topic       TEXT NOT NULL,
    kind        TEXT NOT NULL,
    standing    INTEGER NOT NULL,
    -- Where the word stands in the order of the fold.
    said        BLOB NOT NULL,
    bytes       BLOB NOT NULL,
    blocks_good INTEGER NOT NULL,
    PRIMARY KEY (id, site)
) STRICT, WITHOUT ROWID;
CREATE INDEX history_subject ON history (subject, topic, site);
CREATE INDEX history_lost ON history (site) WHERE kind = 'badge_lost';
