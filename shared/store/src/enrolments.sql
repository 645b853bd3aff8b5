-- Derived: which streams the enrolments that are held give their devices, whatever their verdict (H1).
DROP TABLE enrolled;
CREATE TABLE enrolled (device BLOB NOT NULL, stream TEXT NOT NULL, PRIMARY KEY (device, stream)) STRICT, WITHOUT ROWID;
INSERT OR REPLACE INTO setting (name, value) VALUES ('rederive', x'01');
