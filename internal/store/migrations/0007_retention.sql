-- What is pruned is found by when it ended: one more entry for a delivery at
-- its end, always at the right edge of the index.

-- +goose Up
CREATE INDEX deliveries_finished ON deliveries (finished_at, id) WHERE state <> 'pending';
CREATE INDEX password_resets_expiry ON password_resets (expires_at);
CREATE INDEX invitations_expiry ON invitations (expires_at);

-- Postgres: by itself it cleans a table when a fifth of it is dead. A queue of
-- ten million rows would then drag two million dead entries through each
-- look-up.
{{postgres}} ALTER TABLE deliveries SET (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_limit = 2000, autovacuum_analyze_scale_factor = 0.02);
{{postgres}} ALTER TABLE attempts SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 5000, autovacuum_analyze_scale_factor = 0.05);
{{postgres}} ALTER TABLE bodies SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 5000, toast.autovacuum_vacuum_scale_factor = 0.02, toast.autovacuum_vacuum_threshold = 5000);
{{postgres}} ALTER TABLE lanes SET (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 500);
{{postgres}} ALTER TABLE jobs SET (autovacuum_vacuum_scale_factor = 0.02);

-- +goose Down
{{postgres}} ALTER TABLE jobs RESET (autovacuum_vacuum_scale_factor);
{{postgres}} ALTER TABLE lanes RESET (fillfactor, autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold);
{{postgres}} ALTER TABLE bodies RESET (autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold, toast.autovacuum_vacuum_scale_factor, toast.autovacuum_vacuum_threshold);
{{postgres}} ALTER TABLE attempts RESET (autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold, autovacuum_analyze_scale_factor);
{{postgres}} ALTER TABLE deliveries RESET (autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold, autovacuum_vacuum_cost_limit, autovacuum_analyze_scale_factor);
DROP INDEX invitations_expiry;
DROP INDEX password_resets_expiry;
DROP INDEX deliveries_finished;
