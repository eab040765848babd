-- The certificates that seal and have sealed. Their keys are encrypted; sealed
-- is empty where a key is not here. Which one seals is in the setting
-- seal_certificate. No row is ever removed: what was sealed with it is to be
-- believed later.

-- +goose Up
CREATE TABLE seal_certificates (
	id {{id}},
	source TEXT NOT NULL,
	fingerprint TEXT NOT NULL UNIQUE,
	subject TEXT NOT NULL,
	anchor TEXT NOT NULL,
	certificates TEXT NOT NULL,
	sealed TEXT NOT NULL,
	not_before BIGINT NOT NULL,
	not_after BIGINT NOT NULL,
	warned BIGINT NOT NULL,
	created_by BIGINT NOT NULL,
	created_at BIGINT NOT NULL,
	used_from BIGINT NOT NULL,
	used_until BIGINT NOT NULL
);

-- +goose Down
DROP TABLE seal_certificates;
