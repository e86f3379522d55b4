-- +goose Up

-- sessions
-- No index of sessions says whether one has ended: PostgreSQL writes to all indexes of a row if one of them has a changed column in it, and who is
-- shut out with fifty sessions waits for that. Those that live are found by when they would reach their end: an index goes past those that have,
-- and of those that were ended before there are few.
DROP INDEX sessions_user_living;
DROP INDEX sessions_organization_living;
DROP INDEX sessions_organization;
DROP INDEX sessions_browser;
DROP INDEX sessions_connection;
CREATE INDEX sessions_user_expiry ON sessions (user_id, expires_at);
CREATE INDEX sessions_organization_expiry ON sessions (organization_id, expires_at);
CREATE INDEX sessions_browser_expiry ON sessions (browser, expires_at) WHERE browser IS NOT NULL;
CREATE INDEX sessions_profile ON sessions (profile_id, expires_at) WHERE profile_id IS NOT NULL;

-- A provider that signs somebody out names them.
CREATE INDEX sessions_subject ON sessions (connection_id, subject_key) WHERE subject_key IS NOT NULL;
CREATE INDEX sessions_idp_session ON sessions (connection_id, idp_session) WHERE idp_session IS NOT NULL;

-- Rows are changed while they are used and when they end. With room beside them, the new row stays in the page, and the indexes as they are.
-- +only postgres
ALTER TABLE sessions SET (fillfactor = 45);
-- +end

-- +goose Down

-- +only postgres
ALTER TABLE sessions RESET (fillfactor);
-- +end
DROP INDEX sessions_idp_session;
DROP INDEX sessions_subject;
DROP INDEX sessions_profile;
DROP INDEX sessions_browser_expiry;
DROP INDEX sessions_organization_expiry;
DROP INDEX sessions_user_expiry;
CREATE INDEX sessions_connection ON sessions (connection_id, id) WHERE connection_id IS NOT NULL;
CREATE INDEX sessions_browser ON sessions (browser) WHERE browser IS NOT NULL AND ended_at IS NULL;
CREATE INDEX sessions_organization ON sessions (organization_id, id);
CREATE INDEX sessions_organization_living ON sessions (organization_id, id) WHERE ended_at IS NULL;
CREATE INDEX sessions_user_living ON sessions (user_id, id) WHERE ended_at IS NULL;
