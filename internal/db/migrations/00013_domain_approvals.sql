-- +goose Up

-- ── org ────────────────────────────────────────────────────────────────────────────────────────────────────────────

-- An IT admin who cannot change the DNS asks the operator to vouch for a domain. Set while it is asked, and kept when it was refused.
ALTER TABLE organization_domains ADD COLUMN approval_asked_at BIGINT;
ALTER TABLE organization_domains ADD COLUMN approval_asked_by {{text}};
ALTER TABLE organization_domains ADD COLUMN approval_refused_at BIGINT;
CREATE INDEX organization_domains_asked ON organization_domains (approval_asked_at) WHERE approval_asked_at IS NOT NULL AND approval_refused_at IS NULL;

-- +goose Down

DROP INDEX organization_domains_asked;
ALTER TABLE organization_domains DROP COLUMN approval_refused_at;
ALTER TABLE organization_domains DROP COLUMN approval_asked_by;
ALTER TABLE organization_domains DROP COLUMN approval_asked_at;
