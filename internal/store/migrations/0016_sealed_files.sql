-- The digests of all files that were ever sealed here, so that a file can be
-- recognised: also one that was replaced since, by one with a timestamp, or
-- whose envelope is gone. Nothing else is known of them.

-- +goose Up
CREATE TABLE sealed_files (
    digest TEXT PRIMARY KEY,
    sealed_at BIGINT NOT NULL
);
INSERT INTO sealed_files (digest, sealed_at)
    SELECT sealed, MIN(updated_at) FROM documents WHERE sealed <> '' GROUP BY sealed;
INSERT INTO sealed_files (digest, sealed_at)
    SELECT audit_log, MIN(sealed_at) FROM envelopes WHERE audit_log <> '' GROUP BY audit_log
    ON CONFLICT (digest) DO NOTHING;

-- +goose Down
DROP TABLE sealed_files;
