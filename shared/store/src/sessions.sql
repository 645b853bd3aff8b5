-- A session names the entry that opened it: whether the session counts is that entry's verdict. Both are derived anew.
DELETE FROM task_session;
ALTER TABLE task_session ADD COLUMN opened_by BLOB NOT NULL DEFAULT x'';
INSERT OR REPLACE INTO setting (name, value) VALUES ('rederive', x'01');
