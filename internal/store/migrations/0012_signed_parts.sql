-- Recipients who sign each for themselves: what an account sets, what an
-- envelope was sent with, and the revisions that were made, one for each
-- recipient, in their order. documents is JSON: the digest of each document
-- with this signature and all before it, by the document's id.

-- +goose Up
ALTER TABLE accounts ADD COLUMN own_signatures BOOLEAN NOT NULL DEFAULT false;
ALTER TABLE envelopes ADD COLUMN own_signatures BOOLEAN NOT NULL DEFAULT false;
CREATE TABLE signed_parts (
	envelope_id BIGINT NOT NULL REFERENCES envelopes (id),
	position BIGINT NOT NULL,
	recipient_id BIGINT NOT NULL REFERENCES recipients (id),
	documents TEXT NOT NULL,
	serial TEXT NOT NULL,
	fingerprint TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	PRIMARY KEY (envelope_id, position)
);
CREATE UNIQUE INDEX signed_parts_recipient ON signed_parts (recipient_id);

-- +goose Down
DROP TABLE signed_parts;
ALTER TABLE envelopes DROP COLUMN own_signatures;
ALTER TABLE accounts DROP COLUMN own_signatures;
