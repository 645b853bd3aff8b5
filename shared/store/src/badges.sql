-- Asked of at every fold of the plant, and by whoever looks for a day pass; among all entries there are few.
CREATE INDEX entry_badge_lost ON entry (row) WHERE kind = 'badge_lost';
CREATE INDEX entry_day_pass ON entry (row) WHERE kind = 'day_pass';
-- What a block was signed by decides about a lost badge: derived anew.
INSERT OR REPLACE INTO setting (name, value) VALUES ('rederive', x'01');
