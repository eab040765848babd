-- Programs that hear events over the API while they are connected, and what
-- waits for each. listener_events refers to listeners without a foreign key:
-- the check would have the transactions of events wait for, or fail with, the
-- end of a listener. The sweep removes what is left behind.

-- +goose Up
CREATE TABLE listeners (
	id {{id}},
	account_id BIGINT NOT NULL REFERENCES accounts (id),
	url TEXT NOT NULL,
	events TEXT NOT NULL,
	omit_tokens BOOLEAN NOT NULL,
	created_at BIGINT NOT NULL,
	asked_at BIGINT NOT NULL,
	full_at BIGINT NOT NULL
);
CREATE INDEX listeners_account ON listeners (account_id, id);

CREATE TABLE listener_events (
	id {{id}},
	listener_id BIGINT NOT NULL,
	event_id BIGINT NOT NULL,
	event_name TEXT NOT NULL,
	message_id TEXT NOT NULL,
	body BYTEA NOT NULL,
	test BOOLEAN NOT NULL,
	at BIGINT NOT NULL
);
CREATE INDEX listener_events_listener ON listener_events (listener_id, id);

-- +goose Down
DROP TABLE listener_events;
DROP TABLE listeners;
