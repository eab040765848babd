-- One line of migrations for both engines. {{id}} is the engine's word for a
-- row number that it gives out itself; see dialect.go. Times are microseconds
-- since 1970, 0 for never; JSON is opaque text.

-- +goose Up
CREATE TABLE accounts (
	id {{id}},
	kind TEXT NOT NULL,
	name TEXT NOT NULL,
	created_at BIGINT NOT NULL
);

CREATE TABLE users (
	id {{id}},
	email TEXT NOT NULL UNIQUE,
	name TEXT NOT NULL,
	password_hash TEXT NOT NULL,
	owner BOOLEAN NOT NULL,
	created_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL
);

CREATE TABLE memberships (
	account_id BIGINT NOT NULL REFERENCES accounts (id),
	user_id BIGINT NOT NULL REFERENCES users (id),
	role TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	PRIMARY KEY (account_id, user_id)
);
CREATE INDEX memberships_user ON memberships (user_id, account_id);

CREATE TABLE invitations (
	id {{id}},
	account_id BIGINT NOT NULL REFERENCES accounts (id),
	email TEXT NOT NULL,
	token_hash TEXT NOT NULL UNIQUE,
	invited_by BIGINT NOT NULL REFERENCES users (id),
	created_at BIGINT NOT NULL,
	expires_at BIGINT NOT NULL,
	accepted_at BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX invitations_account ON invitations (account_id, id);

CREATE TABLE sessions (
	id {{id}},
	token_hash TEXT NOT NULL UNIQUE,
	user_id BIGINT NOT NULL REFERENCES users (id),
	account_id BIGINT NOT NULL REFERENCES accounts (id),
	created_at BIGINT NOT NULL,
	expires_at BIGINT NOT NULL,
	ip TEXT NOT NULL,
	user_agent TEXT NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_expiry ON sessions (expires_at);

CREATE TABLE password_resets (
	id {{id}},
	token_hash TEXT NOT NULL UNIQUE,
	user_id BIGINT NOT NULL REFERENCES users (id),
	created_at BIGINT NOT NULL,
	expires_at BIGINT NOT NULL
);
CREATE INDEX password_resets_user ON password_resets (user_id);

CREATE TABLE api_tokens (
	id {{id}},
	account_id BIGINT NOT NULL REFERENCES accounts (id),
	user_id BIGINT NOT NULL REFERENCES users (id),
	name TEXT NOT NULL,
	hint TEXT NOT NULL,
	token_hash TEXT NOT NULL UNIQUE,
	created_at BIGINT NOT NULL,
	last_used_at BIGINT NOT NULL DEFAULT 0,
	expires_at BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX api_tokens_account ON api_tokens (account_id, user_id, id);

CREATE TABLE settings (
	name TEXT NOT NULL PRIMARY KEY,
	value TEXT NOT NULL
);

CREATE TABLE idempotency_keys (
	account_id BIGINT NOT NULL REFERENCES accounts (id),
	idempotency_key TEXT NOT NULL,
	request_hash TEXT NOT NULL,
	status BIGINT NOT NULL,
	body BYTEA NOT NULL,
	created_at BIGINT NOT NULL,
	PRIMARY KEY (account_id, idempotency_key)
);
CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);

CREATE TABLE envelopes (
	id {{id}},
	account_id BIGINT NOT NULL REFERENCES accounts (id),
	owner_id BIGINT NOT NULL REFERENCES users (id),
	public_id TEXT NOT NULL UNIQUE,
	slug TEXT NOT NULL UNIQUE,
	name TEXT NOT NULL,
	status TEXT NOT NULL,
	source TEXT NOT NULL,
	sequential BOOLEAN NOT NULL,
	subject TEXT NOT NULL,
	message TEXT NOT NULL,
	external_id TEXT NOT NULL,
	redirect_to TEXT NOT NULL,
	reply_to TEXT NOT NULL,
	expire_at BIGINT NOT NULL,
	created_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL,
	sent_at BIGINT NOT NULL,
	ended_at BIGINT NOT NULL,
	sealed_at BIGINT NOT NULL,
	archived_at BIGINT NOT NULL,
	deleted_at BIGINT NOT NULL,
	audit_log TEXT NOT NULL,
	version BIGINT NOT NULL,
	search TEXT NOT NULL
);
CREATE INDEX envelopes_account ON envelopes (account_id, deleted_at, archived_at, id);
CREATE INDEX envelopes_status ON envelopes (account_id, deleted_at, archived_at, status, id);

CREATE TABLE documents (
	id {{id}},
	envelope_id BIGINT NOT NULL REFERENCES envelopes (id),
	uuid TEXT NOT NULL UNIQUE,
	data_id TEXT NOT NULL,
	name TEXT NOT NULL,
	position BIGINT NOT NULL,
	pages TEXT NOT NULL,
	uploaded TEXT NOT NULL,
	original TEXT NOT NULL,
	sealed TEXT NOT NULL,
	size BIGINT NOT NULL,
	created_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL
);
CREATE INDEX documents_envelope ON documents (envelope_id, position);

CREATE TABLE recipients (
	id {{id}},
	envelope_id BIGINT NOT NULL REFERENCES envelopes (id),
	uuid TEXT NOT NULL UNIQUE,
	kind TEXT NOT NULL,
	role TEXT NOT NULL,
	name TEXT NOT NULL,
	email TEXT NOT NULL,
	phone TEXT NOT NULL,
	sign_order BIGINT NOT NULL,
	token TEXT NOT NULL,
	token_hash TEXT NOT NULL UNIQUE,
	external_id TEXT NOT NULL,
	metadata TEXT NOT NULL,
	send_email BOOLEAN NOT NULL,
	redirect_to TEXT NOT NULL,
	sent_at BIGINT NOT NULL,
	opened_at BIGINT NOT NULL,
	started_at BIGINT NOT NULL,
	completed_at BIGINT NOT NULL,
	declined_at BIGINT NOT NULL,
	decline_reason TEXT NOT NULL,
	reminded_at BIGINT NOT NULL,
	ip TEXT NOT NULL,
	user_agent TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL,
	search TEXT NOT NULL
);
CREATE INDEX recipients_envelope ON recipients (envelope_id, sign_order, id);

CREATE TABLE fields (
	id {{id}},
	envelope_id BIGINT NOT NULL REFERENCES envelopes (id),
	recipient_id BIGINT NOT NULL REFERENCES recipients (id),
	uuid TEXT NOT NULL UNIQUE,
	type TEXT NOT NULL,
	name TEXT NOT NULL,
	required BOOLEAN NOT NULL,
	read_only BOOLEAN NOT NULL,
	settings TEXT NOT NULL,
	areas TEXT NOT NULL,
	position BIGINT NOT NULL,
	value TEXT NOT NULL,
	entered_at BIGINT NOT NULL
);
CREATE INDEX fields_envelope ON fields (envelope_id, position);
CREATE INDEX fields_recipient ON fields (recipient_id);

CREATE TABLE events (
	id {{id}},
	account_id BIGINT NOT NULL REFERENCES accounts (id),
	envelope_id BIGINT NOT NULL REFERENCES envelopes (id),
	seq BIGINT NOT NULL,
	type TEXT NOT NULL,
	at BIGINT NOT NULL,
	recipient_id BIGINT NOT NULL,
	actor_kind TEXT NOT NULL,
	actor_user_id BIGINT NOT NULL,
	actor_name TEXT NOT NULL,
	actor_email TEXT NOT NULL,
	ip TEXT NOT NULL,
	user_agent TEXT NOT NULL,
	data TEXT NOT NULL,
	prev_hash TEXT NOT NULL,
	hash TEXT NOT NULL
);
CREATE UNIQUE INDEX events_envelope ON events (envelope_id, seq);

CREATE TABLE endpoints (
	id {{id}},
	account_id BIGINT NOT NULL REFERENCES accounts (id),
	url TEXT NOT NULL,
	events TEXT NOT NULL,
	secret TEXT NOT NULL,
	signing_secret TEXT NOT NULL,
	headers TEXT NOT NULL,
	description TEXT NOT NULL,
	enabled BOOLEAN NOT NULL,
	disabled_at BIGINT NOT NULL,
	disabled_why TEXT NOT NULL,
	schedule TEXT NOT NULL,
	timeout BIGINT NOT NULL,
	concurrency BIGINT NOT NULL,
	rate DOUBLE PRECISION NOT NULL,
	ordered BOOLEAN NOT NULL,
	omit_tokens BOOLEAN NOT NULL,
	created_at BIGINT NOT NULL,
	updated_at BIGINT NOT NULL,
	deleted_at BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX endpoints_account ON endpoints (account_id, deleted_at, id);

CREATE TABLE deliveries (
	id {{id}},
	account_id BIGINT NOT NULL REFERENCES accounts (id),
	endpoint_id BIGINT NOT NULL REFERENCES endpoints (id),
	event_id BIGINT NOT NULL,
	envelope_id BIGINT NOT NULL,
	event_name TEXT NOT NULL,
	message_id TEXT NOT NULL,
	test BOOLEAN NOT NULL,
	state TEXT NOT NULL,
	attempts BIGINT NOT NULL,
	attempts_before BIGINT NOT NULL DEFAULT 0,
	late BOOLEAN NOT NULL,
	next_attempt_at BIGINT NOT NULL,
	claim_id TEXT NOT NULL,
	last_status BIGINT NOT NULL,
	last_error TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	finished_at BIGINT NOT NULL
);
CREATE INDEX deliveries_lane ON deliveries (endpoint_id, late, next_attempt_at, id) WHERE state = 'pending';
CREATE INDEX deliveries_order ON deliveries (endpoint_id, id) WHERE state = 'pending';
CREATE INDEX deliveries_log ON deliveries (account_id, endpoint_id, id);
CREATE INDEX deliveries_account ON deliveries (account_id, id);
CREATE INDEX deliveries_envelope ON deliveries (envelope_id, id);
CREATE INDEX deliveries_message ON deliveries (message_id);

-- What is sent. Apart from deliveries, whose rows are written again with every
-- claim and result, because an engine writes a row anew as a whole.
CREATE TABLE bodies (
	id {{id}}, -- of the delivery
	body BYTEA NOT NULL
);

CREATE TABLE attempts (
	delivery_id BIGINT NOT NULL REFERENCES deliveries (id),
	number BIGINT NOT NULL,
	at BIGINT NOT NULL,
	status BIGINT NOT NULL,
	code TEXT NOT NULL,
	error TEXT NOT NULL,
	duration BIGINT NOT NULL,
	timings TEXT NOT NULL,
	remote_address TEXT NOT NULL,
	request_headers TEXT NOT NULL,
	response_headers TEXT NOT NULL,
	response_body BYTEA NOT NULL,
	truncated BOOLEAN NOT NULL,
	PRIMARY KEY (delivery_id, number)
);

CREATE TABLE jobs (
	id {{id}},
	kind TEXT NOT NULL,
	account_id BIGINT NOT NULL,
	envelope_id BIGINT NOT NULL,
	payload TEXT NOT NULL,
	state TEXT NOT NULL,
	due_at BIGINT NOT NULL,
	claim_id TEXT NOT NULL,
	attempts BIGINT NOT NULL,
	last_error TEXT NOT NULL,
	created_at BIGINT NOT NULL,
	finished_at BIGINT NOT NULL
);
CREATE INDEX jobs_due ON jobs (kind, due_at, id) WHERE state = 'pending';
CREATE INDEX jobs_envelope ON jobs (envelope_id, kind);
CREATE INDEX jobs_finished ON jobs (finished_at) WHERE state <> 'pending';

-- +goose Down
DROP TABLE jobs;
DROP TABLE attempts;
DROP TABLE bodies;
DROP TABLE deliveries;
DROP TABLE endpoints;
DROP TABLE events;
DROP TABLE fields;
DROP TABLE recipients;
DROP TABLE documents;
DROP TABLE envelopes;
DROP TABLE idempotency_keys;
DROP TABLE settings;
DROP TABLE api_tokens;
DROP TABLE password_resets;
DROP TABLE sessions;
DROP TABLE invitations;
DROP TABLE memberships;
DROP TABLE users;
DROP TABLE accounts;
