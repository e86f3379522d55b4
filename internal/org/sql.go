package org

const (
	insertOrganization = `INSERT INTO organizations (id, name, external_id, metadata, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6)`
	selectOrganization = `SELECT id, name, external_id, metadata, created_at, updated_at FROM organizations WHERE deleted_at IS NULL`
	selectInstallation = `SELECT value FROM installation WHERE name = $1`
	insertInstallation = `INSERT INTO installation (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING`

	lockOrganization   = `SELECT id FROM organizations WHERE id = $1 AND deleted_at IS NULL`
	updateOrganization = `UPDATE organizations SET name = $2, external_id = $3, metadata = $4, updated_at = $5 WHERE id = $1 AND deleted_at IS NULL`
	// What a customer said of itself goes at once; the row stays for what points at it.
	deleteOrganization = `UPDATE organizations SET deleted_at = $2, updated_at = $2, name = '', external_id = NULL, metadata = '{}'
		WHERE id = $1 AND deleted_at IS NULL`
	selectFeatures = `SELECT features FROM organizations WHERE id = $1 AND deleted_at IS NULL`
	// All that others ask of an organization at once: a row for each domain, and one without where there is none.
	selectWhole = `SELECT o.id, o.name, o.external_id, o.metadata, o.created_at, o.updated_at, o.features, d.id, d.domain, d.state, d.strategy,
		d.verification_token, d.created_at, d.updated_at, d.pending_since, d.check_at
		FROM organizations o LEFT JOIN organization_domains d ON d.organization_id = o.id WHERE o.id = (%s) AND o.deleted_at IS NULL ORDER BY d.id`
	updateFeatures = `UPDATE organizations SET features = $2, updated_at = $3 WHERE id = $1 AND deleted_at IS NULL`

	domainColumns = `id, organization_id, domain, state, strategy, verification_token, created_at, updated_at,
		pending_since, check_at`
	selectDomains = `SELECT ` + domainColumns + ` FROM organization_domains WHERE organization_id IN (%s) ORDER BY id`
	selectDomain  = `SELECT ` + domainColumns + ` FROM organization_domains WHERE id = $1`
	// Claimed ones are put off before anybody asks the DNS about them, so that replicas do not ask the same.
	selectDue    = `SELECT ` + domainColumns + ` FROM organization_domains WHERE check_at <= $1 ORDER BY check_at LIMIT $2`
	putOff       = `UPDATE organization_domains SET check_at = $3 WHERE organization_id = $1 AND id = $2`
	insertDomain = `INSERT INTO organization_domains (` + domainColumns + `) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`
	updateDomain = `UPDATE organization_domains SET state = $3, strategy = $4, updated_at = $5, pending_since = $6, check_at = $7
		WHERE organization_id = $1 AND id = $2`
	selectApprovals = `SELECT id, approval_asked_at, approval_asked_by, approval_refused_at FROM organization_domains
		WHERE organization_id = $1 AND approval_asked_at IS NOT NULL`
	selectApproval = `SELECT id, approval_asked_at, approval_asked_by, approval_refused_at FROM organization_domains WHERE organization_id = $1 AND id = $2`
	storeApproval  = `UPDATE organization_domains SET approval_asked_at = $3, approval_asked_by = $4, approval_refused_at = $5 WHERE organization_id = $1 AND id = $2`
	// The operator's, of all organizations.
	selectAwaiting = `SELECT o.id, o.name, d.id, d.domain, d.approval_asked_at FROM organization_domains d JOIN organizations o ON o.id = d.organization_id
		WHERE d.approval_asked_at IS NOT NULL AND d.approval_refused_at IS NULL AND d.state <> 'verified' AND o.deleted_at IS NULL
		ORDER BY d.approval_asked_at, d.id LIMIT $1`

	deleteDomain      = `DELETE FROM organization_domains WHERE organization_id = $1 AND id = $2`
	deleteDomains     = `DELETE FROM organization_domains WHERE organization_id = $1`
	selectOfDomain    = `SELECT organization_id FROM organization_domains WHERE domain = $1 AND state = 'verified'`
	verifiedElsewhere = `SELECT EXISTS (SELECT 1 FROM organization_domains WHERE domain = $1 AND state = 'verified' AND organization_id <> $2)`

	deleteKeys = `DELETE FROM api_keys WHERE organization_id = $1`
	insertKey  = `INSERT INTO api_keys (id, organization_id, name, hash, hint, permissions, created_at, updated_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`
	selectKeys = `SELECT id, organization_id, name, hint, permissions, created_at, updated_at, last_used_at, expires_at FROM api_keys`
	countKeys  = `SELECT COUNT(*) FROM api_keys WHERE organization_id = $1`
	deleteKey  = `DELETE FROM api_keys WHERE organization_id = $1 AND id = $2`
	expireKey  = `UPDATE api_keys SET expires_at = $3, updated_at = $4 WHERE organization_id = $1 AND id = $2`
	touchKey   = `UPDATE api_keys SET last_used_at = $3 WHERE organization_id = $1 AND id = $2 AND (last_used_at IS NULL OR last_used_at <= $4)`
)

// What is there, for snapshots.
const (
	presentColumns = `SELECT id, name, external_id, metadata, created_at, updated_at FROM organizations WHERE deleted_at IS NULL`
	selectPresent  = presentColumns + ` AND id > $1 ORDER BY id LIMIT $2`

	selectPresentOne = presentColumns + ` AND id = $1`
)

// Who may come in, and how.
const (
	selectPolicy = `SELECT sso, sso_optional_until, jit, idle_seconds, life_seconds, version, updated_at FROM organization_policies WHERE organization_id = $1`
	upsertPolicy = `INSERT INTO organization_policies (organization_id, sso, sso_optional_until, jit, idle_seconds, life_seconds, version, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (organization_id) DO UPDATE SET sso = $2, sso_optional_until = $3, jit = $4, idle_seconds = $5,
		life_seconds = $6, version = $7, updated_at = $8`
	// After the organization's row is held: who changes the policy holds that too. No row is version 0.
	guardPolicy  = `SELECT 1 WHERE COALESCE((SELECT version FROM organization_policies WHERE organization_id = $1), 0) = $2`
	deletePolicy = `DELETE FROM organization_policies WHERE organization_id = $1`

	selectBreakGlass = `SELECT organization_id, user_id, reason, named_by, expires_at, created_at FROM break_glass_users WHERE organization_id = $1`
	upsertBreakGlass = `INSERT INTO break_glass_users (organization_id, user_id, reason, named_by, expires_at, created_at) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (organization_id, user_id) DO UPDATE SET reason = $3, named_by = $4, expires_at = $5, created_at = $6`
	countBreakGlass  = `SELECT COUNT(*) FROM break_glass_users WHERE organization_id = $1 AND user_id <> $2`
	expireBreakGlass = `DELETE FROM break_glass_users WHERE organization_id = $1 AND expires_at <= $2`
	deleteBreakGlass = `DELETE FROM break_glass_users WHERE organization_id = $1 AND user_id = $2`
	deleteExempt     = `DELETE FROM break_glass_users WHERE organization_id = $1`
	// An account is of no organization: where it is erased, it is erased everywhere.
	forgetBreakGlass = `DELETE FROM break_glass_users WHERE user_id = $1`
)
