-- The broken device in whose place the terminal is to stand that uses the code.
ALTER TABLE enrol_code ADD COLUMN replaces BLOB;
