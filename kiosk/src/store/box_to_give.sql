-- Given until the server has answered with the same box, or with what stands instead.
ALTER TABLE box_to_give DROP COLUMN version;
