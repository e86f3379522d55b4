-- +goose Up

-- ── member ─────────────────────────────────────────────────────────────────────────────────────────────────────────

-- What the mapping of a connection gave at the last sign-in, as JSON; NULL: nothing. A directory's goes before it.
ALTER TABLE organization_memberships ADD COLUMN asserted {{text}};
UPDATE organization_memberships SET asserted = '{"connection":"","mapped":{"roles":["' || role || '"]}}' WHERE role_by = 'connection';
