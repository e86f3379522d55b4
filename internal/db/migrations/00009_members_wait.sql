-- +goose Up

-- ── member ─────────────────────────────────────────────────────────────────────────────────────────────────────────

-- What the mapping of a connection gave at the last sign-in, as JSON; NULL: nothing. A directory's goes before it.
ALTER TABLE organization_memberships ADD COLUMN asserted {{text}};
UPDATE organization_memberships SET asserted = '{"connection":"","mapped":{"roles":["' || role || '"]}}' WHERE role_by = 'connection';

-- Since when somebody who is in waits for a seat of the wanted licence; NULL: they do not. A claim waits where the licence type keeps people out.
ALTER TABLE organization_memberships ADD COLUMN wanted_since BIGINT;
UPDATE organization_memberships SET wanted_since = updated_at WHERE wanted_licence IS NOT NULL AND state IN ('active', 'pending');
CREATE INDEX organization_memberships_waiting ON organization_memberships (organization_id, wanted_licence, wanted_since) WHERE wanted_since IS NOT NULL;
ALTER TABLE membership_claims ADD COLUMN waits_for {{text}};
ALTER TABLE membership_claims ADD COLUMN waits_since BIGINT;
-- +only sqlite
UPDATE membership_claims SET waits_since = updated_at, waits_for = json_extract(claim, '$.mapped.licence') WHERE outcome = 'refused' AND membership_id IS NULL;
-- +end
-- +only postgres
UPDATE membership_claims SET waits_since = updated_at, waits_for = claim::json->'mapped'->>'licence' WHERE outcome = 'refused' AND membership_id IS NULL;
-- +end
CREATE INDEX membership_claims_waiting ON membership_claims (organization_id, waits_for, waits_since) WHERE waits_since IS NOT NULL;

-- The invitation by hand that has expired while nobody came in by it.
ALTER TABLE organization_memberships ADD COLUMN expired_invitation {{text}};
CREATE INDEX invitations_expiring ON invitations (expires_at) WHERE state = 'pending' AND directory_id IS NULL;

-- The address by which a directory knows somebody who is nobody here yet, folded: who becomes a member by any way is who the directory means.
ALTER TABLE membership_claims ADD COLUMN email_key {{text}};
-- +only sqlite
UPDATE membership_claims SET email_key = lower(json_extract(claim, '$.email'));
-- +end
-- +only postgres
UPDATE membership_claims SET email_key = lower(claim::json->>'email');
-- +end
CREATE INDEX membership_claims_nobodies ON membership_claims (email_key, organization_id) WHERE membership_id IS NULL AND email_key IS NOT NULL;

-- ── mail ───────────────────────────────────────────────────────────────────────────────────────────────────────────

-- What the mail is about, an invitation: when that has come to its end, what is not sent yet is not sent any more (state withdrawn).
ALTER TABLE mails ADD COLUMN about {{text}};
CREATE INDEX mails_about ON mails (about) WHERE about IS NOT NULL AND next_at IS NOT NULL;

-- ── directory ──────────────────────────────────────────────────────────────────────────────────────────────────────

-- Since when nothing is given to the people of a live directory, because they came while the app kept the accounts: until somebody has it go live.
ALTER TABLE directories ADD COLUMN paused_at BIGINT;
