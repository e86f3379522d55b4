package org

const (
	insertOrganization = `INSERT INTO organizations (id, name, external_id, metadata, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6)`
	insertDomain       = `INSERT INTO organization_domains (id, organization_id, domain, state, strategy, verification_token, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`
	selectOrganization = `SELECT id, name, external_id, metadata, created_at, updated_at FROM organizations WHERE deleted_at IS NULL`
	selectDomains      = `SELECT id, organization_id, domain, state, strategy, verification_token, created_at, updated_at
		FROM organization_domains WHERE organization_id IN (%s) ORDER BY id`
	selectInstallation = `SELECT value FROM installation WHERE name = $1`
	insertInstallation = `INSERT INTO installation (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING`

	lockOrganization = `SELECT id FROM organizations WHERE id = $1 AND deleted_at IS NULL`

	insertKey = `INSERT INTO api_keys (id, organization_id, name, hash, hint, permissions, created_at, updated_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`
	selectKeys = `SELECT id, organization_id, name, hint, permissions, created_at, updated_at, last_used_at, expires_at FROM api_keys`
	countKeys  = `SELECT COUNT(*) FROM api_keys WHERE organization_id = $1`
	deleteKey  = `DELETE FROM api_keys WHERE organization_id = $1 AND id = $2`
	expireKey  = `UPDATE api_keys SET expires_at = $3, updated_at = $4 WHERE organization_id = $1 AND id = $2`
	touchKey   = `UPDATE api_keys SET last_used_at = $3 WHERE organization_id = $1 AND id = $2 AND (last_used_at IS NULL OR last_used_at <= $4)`
)
