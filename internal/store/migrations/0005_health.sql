-- What endpoints answered, by the hour. A row for each bucket of response
-- times that occurred in the hour (see paraph.Times), so that a result touches
-- one small row; bucket -1 is for attempts without a response time.

-- +goose Up
CREATE TABLE endpoint_hours (
	endpoint_id BIGINT NOT NULL REFERENCES endpoints (id),
	hour BIGINT NOT NULL,
	bucket BIGINT NOT NULL,
	ok BIGINT NOT NULL,
	failed BIGINT NOT NULL,
	gave_up BIGINT NOT NULL,
	last_ok BIGINT NOT NULL,
	PRIMARY KEY (endpoint_id, hour, bucket)
);
CREATE INDEX endpoint_hours_age ON endpoint_hours (hour);

-- What people look for in the log. A delivery enters these when it has ended
-- badly and not before, so that sending pays nothing for them.
CREATE INDEX deliveries_failed ON deliveries (account_id, id) WHERE state = 'failed';
CREATE INDEX deliveries_skipped ON deliveries (account_id, id) WHERE state = 'skipped';

-- +goose Down
DROP INDEX deliveries_skipped;
DROP INDEX deliveries_failed;
DROP TABLE endpoint_hours;
