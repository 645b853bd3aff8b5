-- How far a kiosk's own word reaches: as of when it last showed what it has written, never later than this server's clock at that call.
ALTER TABLE kiosk ADD COLUMN shown_ms INTEGER;

-- The heads it showed then. Once all are held here, by whatever path they came, the kiosk is complete through `shown_ms` (U10).
CREATE TABLE kiosk_head (
    device BLOB NOT NULL,
    entry  BLOB NOT NULL,
    PRIMARY KEY (device, entry)
) STRICT, WITHOUT ROWID;

-- When this server came to hold the entry (R18); unknown for what was held before this column was.
ALTER TABLE ordering ADD COLUMN received_ms INTEGER;
CREATE INDEX ordering_entry ON ordering (entry);
