-- +goose Up

-- ── member ─────────────────────────────────────────────────────────────────────────────────────────────────────────

-- Since when a mail of a pending invitation, which had not been sent yet, is withdrawn because the person is shut out: they are mailed when they
-- are pending again. NULL: none is.
ALTER TABLE invitations ADD COLUMN withdrawn_at BIGINT;
CREATE INDEX invitations_state ON invitations (organization_id, state, id);

-- Who was removed by hand, or never came in by an invitation that has expired, has nothing to come back to any more of what hands and invitations gave.
DELETE FROM team_members WHERE put_by IN ('hand', 'invitation') AND EXISTS (SELECT 1 FROM organization_memberships m
    WHERE m.organization_id = team_members.organization_id AND m.id = team_members.membership_id AND m.state = 'removed' AND m.why IN ('removed', 'invitation_expired'));
UPDATE organization_memberships SET given_role = NULL, given_licence = NULL,
    role = CASE WHEN role_by IN ('hand', 'invitation') THEN 'member' ELSE role END, role_by = CASE WHEN role_by IN ('hand', 'invitation') THEN NULL ELSE role_by END
    WHERE state = 'removed' AND why IN ('removed', 'invitation_expired') AND (given_role IS NOT NULL OR given_licence IS NOT NULL OR role_by IN ('hand', 'invitation'));

-- What was said by hand against a directory that wanted the person in had no effect, and must not have one once the directory is gone.
UPDATE organization_memberships SET removed_at = NULL WHERE removed_at IS NOT NULL AND state <> 'removed';

-- ── directory ──────────────────────────────────────────────────────────────────────────────────────────────────────

-- Those whose sign-in a refused request has stopped are few, and asked for.
CREATE INDEX directory_users_suspended ON directory_users (directory_id, id) WHERE suspended;

-- +goose Down

DROP INDEX directory_users_suspended;
DROP INDEX invitations_state;
ALTER TABLE invitations DROP COLUMN withdrawn_at;
