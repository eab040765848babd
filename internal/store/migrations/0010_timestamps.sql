-- The PAdES level of an envelope's sealed files ('' when they were sealed
-- before this was kept), and when they want timestamps: 0 for not.

-- +goose Up
ALTER TABLE envelopes ADD COLUMN seal_level TEXT NOT NULL DEFAULT '';
ALTER TABLE envelopes ADD COLUMN stamp_at BIGINT NOT NULL DEFAULT 0;
CREATE INDEX envelopes_stamp ON envelopes (stamp_at) WHERE stamp_at > 0;

-- +goose Down
DROP INDEX envelopes_stamp;
ALTER TABLE envelopes DROP COLUMN stamp_at;
ALTER TABLE envelopes DROP COLUMN seal_level;
