-- +goose Up

-- events
-- The events of all sessions that end with an account are one row, of some kilobytes: LZ4 compresses it in a seventh of the time. A server that was built
-- without it, or is older than PostgreSQL 14, goes on as it was; rows that are there stay as they are.
-- +only postgres
-- +goose StatementBegin
DO $$
BEGIN
    EXECUTE 'ALTER TABLE events ALTER COLUMN data SET COMPRESSION lz4';
EXCEPTION WHEN feature_not_supported OR syntax_error OR invalid_parameter_value THEN
    NULL;
END $$;
-- +goose StatementEnd
-- +end

-- +goose Down

-- +only postgres
-- +goose StatementBegin
DO $$
BEGIN
    EXECUTE 'ALTER TABLE events ALTER COLUMN data SET COMPRESSION default';
EXCEPTION WHEN feature_not_supported OR syntax_error OR invalid_parameter_value THEN
    NULL;
END $$;
-- +goose StatementEnd
-- +end
