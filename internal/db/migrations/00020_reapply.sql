-- +goose Up

-- directories
-- reapply_since: the pass looks only at people who were changed since; NULL: at everybody. reapply_again_since is the same of the next pass.
ALTER TABLE directories ADD COLUMN reapply_since BIGINT;
ALTER TABLE directories ADD COLUMN reapply_again_since BIGINT;

-- organization_memberships, membership_claims
-- Who is looked at again lies beside each other, and many of a page change in one transaction. With as much room in it as they take, the new rows stay
-- in the page, and the indexes as they are.
-- +only postgres
ALTER TABLE organization_memberships SET (fillfactor = 50);
ALTER TABLE membership_claims SET (fillfactor = 50);
-- +end

-- +goose Down

-- +only postgres
ALTER TABLE membership_claims RESET (fillfactor);
ALTER TABLE organization_memberships RESET (fillfactor);
-- +end
ALTER TABLE directories DROP COLUMN reapply_again_since;
ALTER TABLE directories DROP COLUMN reapply_since;
