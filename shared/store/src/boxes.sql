-- Which of a name's boxes is the later one is said by the epoch of the pepper it was sealed under. All there are were sealed under the first.
UPDATE box SET version = 1;
ALTER TABLE box RENAME COLUMN version TO epoch;
CREATE INDEX box_epoch ON box (epoch);
