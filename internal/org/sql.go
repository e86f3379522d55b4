package org

const (
	insertOrganization = `INSERT INTO organizations (id, name, external_id, metadata, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6)`
	insertDomain       = `INSERT INTO organization_domains (id, organization_id, domain, state, strategy, verification_token, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`
	selectOrganization = `SELECT id, name, external_id, metadata, created_at, updated_at FROM organizations`
	selectDomains      = `SELECT id, organization_id, domain, state, strategy, verification_token, created_at, updated_at
		FROM organization_domains WHERE organization_id IN (%s) ORDER BY id`
	selectInstallation = `SELECT value FROM installation WHERE name = $1`
	insertInstallation = `INSERT INTO installation (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING`
)

// What is there, for snapshots.
const (
	presentColumns = `SELECT id, name, external_id, metadata, created_at, updated_at FROM organizations WHERE deleted_at IS NULL`
	selectPresent  = presentColumns + ` AND id > $1 ORDER BY id LIMIT $2`

	selectPresentOne = presentColumns + ` AND id = $1`
)
