-- What an account sets for the audit pages and for the names of files, and what
-- an envelope sets otherwise ('': as its account).

-- +goose Up
ALTER TABLE accounts ADD COLUMN audit_place TEXT NOT NULL DEFAULT 'both';
ALTER TABLE accounts ADD COLUMN language TEXT NOT NULL DEFAULT 'en';
ALTER TABLE accounts ADD COLUMN time_zone TEXT NOT NULL DEFAULT 'UTC';
ALTER TABLE accounts ADD COLUMN file_names TEXT NOT NULL DEFAULT '';
ALTER TABLE envelopes ADD COLUMN language TEXT NOT NULL DEFAULT '';
ALTER TABLE envelopes ADD COLUMN time_zone TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE envelopes DROP COLUMN time_zone;
ALTER TABLE envelopes DROP COLUMN language;
ALTER TABLE accounts DROP COLUMN file_names;
ALTER TABLE accounts DROP COLUMN time_zone;
ALTER TABLE accounts DROP COLUMN language;
ALTER TABLE accounts DROP COLUMN audit_place;
