-- +goose Up
CREATE TABLE replays (
	id {{id}},
	account_id BIGINT NOT NULL REFERENCES accounts (id),
	endpoint_id BIGINT NOT NULL REFERENCES endpoints (id),
	states TEXT NOT NULL,
	events TEXT NOT NULL,
	envelope_id BIGINT NOT NULL,
	since BIGINT NOT NULL,
	until BIGINT NOT NULL,
	state TEXT NOT NULL,
	why TEXT NOT NULL,
	cursor_id BIGINT NOT NULL,
	last_id BIGINT NOT NULL,
	total BIGINT NOT NULL,
	queued BIGINT NOT NULL,
	waiting BIGINT NOT NULL,
	succeeded BIGINT NOT NULL,
	failed BIGINT NOT NULL,
	skipped BIGINT NOT NULL,
	created_by BIGINT NOT NULL REFERENCES users (id),
	created_at BIGINT NOT NULL,
	finished_at BIGINT NOT NULL
);
CREATE INDEX replays_endpoint ON replays (account_id, endpoint_id, id);
CREATE UNIQUE INDEX replays_running ON replays (endpoint_id) WHERE state = 'running';
CREATE INDEX replays_waiting ON replays (endpoint_id, id) WHERE waiting > 0;
CREATE INDEX replays_finished ON replays (finished_at) WHERE state <> 'running';

-- The replay that queued a delivery last, 0 for none; and the state that the
-- delivery had before, until the replay has counted what became of it.
ALTER TABLE deliveries ADD COLUMN replay_id BIGINT NOT NULL DEFAULT 0;
ALTER TABLE deliveries ADD COLUMN replay_was TEXT NOT NULL DEFAULT '';
CREATE INDEX deliveries_replay ON deliveries (replay_id, id) WHERE replay_id > 0;
CREATE INDEX deliveries_replay_open ON deliveries (replay_id) WHERE replay_was <> '';

-- +goose Down
DROP INDEX deliveries_replay_open;
DROP INDEX deliveries_replay;
ALTER TABLE deliveries DROP COLUMN replay_was;
ALTER TABLE deliveries DROP COLUMN replay_id;
DROP TABLE replays;
