-- What was done with an uploaded file and what it carries, its size as it came,
-- and the PDF with its own form fields while they are used as ours.

-- +goose Up
ALTER TABLE documents ADD COLUMN notes TEXT NOT NULL DEFAULT 'null';
ALTER TABLE documents ADD COLUMN uploaded_size BIGINT NOT NULL DEFAULT 0;
ALTER TABLE documents ADD COLUMN prepared TEXT NOT NULL DEFAULT '';
ALTER TABLE documents ADD COLUMN prepared_size BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE documents DROP COLUMN prepared_size;
ALTER TABLE documents DROP COLUMN prepared;
ALTER TABLE documents DROP COLUMN uploaded_size;
ALTER TABLE documents DROP COLUMN notes;
