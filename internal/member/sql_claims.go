package member

// What directories say.
const (
	claimColumns = `c.organization_id, c.directory_id, c.directory_user_id, c.membership_id, c.says, c.provisioning, c.outcome, c.claim, c.frozen_at, c.version,
		c.created_at, c.updated_at`
	selectClaim = `SELECT ` + claimColumns + ` FROM membership_claims c WHERE c.organization_id = $1 AND c.directory_id = $2 AND c.directory_user_id = $3`
	selectTaken = `SELECT outcome, membership_id FROM membership_claims WHERE organization_id = $1 AND directory_id = $2 AND directory_user_id = $3`
	// Of all memberships of an account.
	selectClaimsOf = `SELECT ` + claimColumns + ` FROM organization_memberships m
		JOIN membership_claims c ON c.organization_id = m.organization_id AND c.membership_id = m.id WHERE m.user_id = $1 ORDER BY c.directory_id, c.directory_user_id`

	selectClaimsByMember = `SELECT ` + claimColumns + ` FROM organization_memberships m
		JOIN membership_claims c ON c.organization_id = m.organization_id AND c.membership_id = m.id WHERE m.id = $1 ORDER BY c.directory_id, c.directory_user_id`

	insertClaim = `INSERT INTO membership_claims (organization_id, directory_id, directory_user_id, membership_id, says, provisioning, outcome, claim, frozen_at,
		version, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1, $10, $10)`
	updateClaim = `UPDATE membership_claims SET membership_id = $4, says = $5, provisioning = $6, outcome = $7, claim = $8, frozen_at = $9,
		version = version + 1, updated_at = $10 WHERE organization_id = $1 AND directory_id = $2 AND directory_user_id = $3 AND version = $11`
	guardClaim  = `SELECT 1 FROM membership_claims WHERE organization_id = $1 AND directory_id = $2 AND directory_user_id = $3 AND version = $4`
	deleteClaim = `DELETE FROM membership_claims WHERE organization_id = $1 AND directory_id = $2 AND directory_user_id = $3 AND version = $4`

	freezeClaims = `UPDATE membership_claims SET frozen_at = $3, version = version + 1 WHERE organization_id = $1 AND directory_id = $2 AND frozen_at IS NULL`
	// Whoever decides by what the directory said while it goes decides again.
	freezeMembers = `UPDATE organization_memberships SET version = version + 1 WHERE organization_id = $1 AND id IN
		(SELECT membership_id FROM membership_claims WHERE organization_id = $1 AND directory_id = $2 AND frozen_at IS NULL)`
	deleteClaimsOf  = `DELETE FROM membership_claims WHERE organization_id = $1`
	deleteClaimsOn  = `DELETE FROM membership_claims WHERE organization_id = $1 AND membership_id = $2`
	forgetNobodies  = `DELETE FROM membership_claims WHERE organization_id = $1 AND directory_id = $2 AND membership_id IS NULL`
	selectJoinedTo  = `SELECT user_id FROM organization_memberships WHERE organization_id = $1 AND directory_user_id = $2`
	selectUserIDFor = `SELECT id FROM users WHERE deleted_at IS NULL AND email_key = $1`
	selectUserIDOf  = `SELECT user_id FROM organization_memberships WHERE organization_id = $1 AND id = $2`

	// An account with all its memberships, a row for each; one row without membership where there is none.
	selectAccount = `SELECT ` + userColumns + `, ` + membershipColumns + ` FROM users u LEFT JOIN organization_memberships m ON m.user_id = u.id
		WHERE u.deleted_at IS NULL AND u.id = $1 ORDER BY m.id`

	// Whoever loses the role of an administrator by a mapping holds those roles, so that of two who lose it at once one sees the other.
	lockAdminRoles = `SELECT id FROM roles WHERE organization_id IN ('', $1) AND is_admin ORDER BY id`
	otherAdmin     = `SELECT m.id FROM organization_memberships m WHERE m.organization_id = $1 AND m.state = 'active' AND m.id <> $2
		AND m.role IN (SELECT slug FROM roles WHERE organization_id IN ('', $1) AND is_admin) LIMIT 1`
)
