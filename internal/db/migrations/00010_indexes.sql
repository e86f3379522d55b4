-- +goose Up

-- Whoever is shut out loses the sessions that they have; those that ended long ago, and are still shown, must not be gone through for it.
CREATE INDEX sessions_user_living ON sessions (user_id, id) WHERE ended_at IS NULL;
CREATE INDEX sessions_organization_living ON sessions (organization_id, id) WHERE ended_at IS NULL;

-- SQLite takes no partial index for the other side of a join: it went through all that is claimed in an organization.
CREATE INDEX membership_claims_of ON membership_claims (membership_id);

-- +goose Down

DROP INDEX membership_claims_of;
DROP INDEX sessions_organization_living;
DROP INDEX sessions_user_living;
