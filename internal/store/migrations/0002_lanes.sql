-- Who works for which endpoint.

-- +goose Up
CREATE TABLE nodes (
	name TEXT NOT NULL PRIMARY KEY,
	joined_at BIGINT NOT NULL,
	lease_until BIGINT NOT NULL
);

CREATE TABLE lanes (
	endpoint_id BIGINT NOT NULL PRIMARY KEY REFERENCES endpoints (id),
	node_id TEXT NOT NULL DEFAULT '',
	next_at BIGINT NOT NULL DEFAULT 0,
	paced_until BIGINT NOT NULL DEFAULT 0,
	breaker TEXT NOT NULL DEFAULT 'closed',
	breaker_until BIGINT NOT NULL DEFAULT 0,
	recent TEXT NOT NULL DEFAULT ''
);
CREATE INDEX lanes_due ON lanes (next_at) WHERE node_id = '' AND next_at > 0;
CREATE INDEX lanes_held ON lanes (node_id) WHERE node_id <> '';
CREATE INDEX lanes_breaker ON lanes (breaker) WHERE breaker <> 'closed';
INSERT INTO lanes (endpoint_id) SELECT id FROM endpoints;

ALTER TABLE deliveries DROP COLUMN claim_id;

-- +goose Down
ALTER TABLE deliveries ADD COLUMN claim_id TEXT NOT NULL DEFAULT '';
DROP TABLE lanes;
DROP TABLE nodes;
