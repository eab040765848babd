-- A webhook's secrets and own headers move, encrypted, to the column sealed;
-- the store does that when it is opened. And what is known of a webhook that
-- takes nothing.

-- +goose Up
ALTER TABLE endpoints ADD COLUMN sealed TEXT NOT NULL DEFAULT '';
ALTER TABLE endpoints ADD COLUMN previous_until BIGINT NOT NULL DEFAULT 0;
ALTER TABLE endpoints ADD COLUMN disabled_by TEXT NOT NULL DEFAULT '';
ALTER TABLE endpoints ADD COLUMN failing_since BIGINT NOT NULL DEFAULT 0;
ALTER TABLE endpoints ADD COLUMN failed_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE endpoints ADD COLUMN failed_code TEXT NOT NULL DEFAULT '';
ALTER TABLE endpoints ADD COLUMN failed_error TEXT NOT NULL DEFAULT '';
ALTER TABLE endpoints ADD COLUMN warned BIGINT NOT NULL DEFAULT 0;
ALTER TABLE endpoints ADD COLUMN warned_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE endpoints ADD COLUMN exhausted_at BIGINT NOT NULL DEFAULT 0;
UPDATE endpoints SET disabled_by = CASE WHEN disabled_why = '' THEN 'hand' ELSE 'gone' END WHERE enabled = FALSE;
CREATE INDEX endpoints_failing ON endpoints (failing_since) WHERE failing_since <> 0;

-- +goose Down
DROP INDEX endpoints_failing;
ALTER TABLE endpoints DROP COLUMN exhausted_at;
ALTER TABLE endpoints DROP COLUMN warned_at;
ALTER TABLE endpoints DROP COLUMN warned;
ALTER TABLE endpoints DROP COLUMN failed_error;
ALTER TABLE endpoints DROP COLUMN failed_code;
ALTER TABLE endpoints DROP COLUMN failed_at;
ALTER TABLE endpoints DROP COLUMN failing_since;
ALTER TABLE endpoints DROP COLUMN disabled_by;
ALTER TABLE endpoints DROP COLUMN previous_until;
ALTER TABLE endpoints DROP COLUMN sealed;
