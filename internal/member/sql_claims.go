package member

// What directories say.
const (
	claimColumns = `c.organization_id, c.directory_id, c.directory_user_id, c.membership_id, c.says, c.provisioning, c.outcome, c.claim, c.frozen_at, c.waits_for,
		c.waits_since, c.email_key, c.version, c.created_at, c.updated_at, c.held`
	selectClaim    = `SELECT ` + claimColumns + ` FROM membership_claims c WHERE c.organization_id = $1 AND c.directory_id = $2 AND c.directory_user_id = $3`
	selectTaken    = `SELECT outcome, membership_id FROM membership_claims WHERE organization_id = $1 AND directory_id = $2 AND directory_user_id = $3`
	selectClaimsIn = `SELECT ` + claimColumns + ` FROM membership_claims c WHERE c.organization_id = $1 AND c.directory_id = $2 AND `
	// The account that a directory person was joined with, of which there is one at most.
	meantByClaim = `(SELECT k.user_id FROM membership_claims n JOIN organization_memberships k ON k.organization_id = n.organization_id AND k.id = n.membership_id
		WHERE n.organization_id = $1 AND n.directory_id = $2 AND n.directory_user_id = $3)`

	selectClaimsByMember = `SELECT ` + claimColumns + ` FROM organization_memberships m
		JOIN membership_claims c ON c.organization_id = m.organization_id AND c.membership_id = m.id WHERE m.id = $1 ORDER BY c.directory_id, c.directory_user_id`

	// Active members with the words of living directories that want them in: a row for each.
	selectOwn = `SELECT m.user_id, m.id, m.given_role, m.given_licence, c.claim FROM organization_memberships m
		LEFT JOIN membership_claims c ON c.organization_id = m.organization_id AND c.membership_id = m.id AND c.says = 'active' AND c.frozen_at IS NULL
		WHERE m.organization_id = $1 AND m.state = 'active' AND m.user_id IN (%s)`

	// What other living directories say that want in the members behind people of one.
	selectBeside = `SELECT c.directory_user_id, o.directory_id, o.claim FROM membership_claims c
		JOIN membership_claims o ON o.organization_id = c.organization_id AND o.membership_id = c.membership_id AND o.directory_id <> c.directory_id
			AND o.says = 'active' AND o.frozen_at IS NULL
		WHERE c.organization_id = $1 AND c.directory_id = $2 AND c.directory_user_id IN (%s) ORDER BY o.directory_id, o.directory_user_id`

	// People of an address of whom nobody is meant yet. They are looked for by the address: with the bare column SQLite would go through all of
	// the organization of whom nobody is meant.
	selectUnlinked = `SELECT ` + claimColumns + ` FROM membership_claims c WHERE c.organization_id || '' = $1 AND c.email_key = $2 AND c.membership_id IS NULL
		ORDER BY c.directory_id, c.directory_user_id`
	guardUnlinked = `SELECT 1 WHERE (SELECT COUNT(*) FROM membership_claims WHERE organization_id || '' = $1 AND email_key = $2 AND membership_id IS NULL) = $3`
	// The same in any organization, of those who are wanted in: an account is of none.
	selectWantedAs = `SELECT ` + claimColumns + ` FROM membership_claims c WHERE c.email_key = $1 AND c.membership_id IS NULL AND c.says = 'active'
		ORDER BY c.organization_id, c.directory_id, c.directory_user_id`
	// Nobody with the address has become a member meanwhile.
	guardNobody = `SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM users u JOIN organization_memberships m ON m.user_id = u.id
		WHERE u.deleted_at IS NULL AND u.email_key = $2 AND m.organization_id = $1)`

	insertClaim = `INSERT INTO membership_claims (organization_id, directory_id, directory_user_id, membership_id, says, provisioning, outcome, claim, frozen_at,
		version, created_at, updated_at, waits_for, waits_since, email_key, held)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1, $10, $10, $11, $12, $13, $14)`
	updateClaim = `UPDATE membership_claims SET membership_id = $4, says = $5, provisioning = $6, outcome = $7, claim = $8, frozen_at = $9,
		version = version + 1, updated_at = $10, waits_for = $11, waits_since = $12, email_key = $13, held = $14
		WHERE organization_id = $1 AND directory_id = $2 AND directory_user_id = $3 AND version = $15`
	guardClaim  = `SELECT 1 FROM membership_claims WHERE organization_id = $1 AND directory_id = $2 AND directory_user_id = $3 AND version = $4`
	deleteClaim = `DELETE FROM membership_claims WHERE organization_id = $1 AND directory_id = $2 AND directory_user_id = $3 AND version = $4`

	freezeClaims = `UPDATE membership_claims SET frozen_at = $3, version = version + 1 WHERE organization_id = $1 AND directory_id = $2 AND frozen_at IS NULL`
	// Whoever decides by what the directory said while it goes decides again; and so does the next sign-in, for which what a connection's mapping
	// gave is another text of the same meaning.
	freezeMembers = `UPDATE organization_memberships SET version = version + 1, asserted = asserted || ' ' WHERE organization_id = $1 AND id IN
		(SELECT membership_id FROM membership_claims WHERE organization_id = $1 AND directory_id = $2 AND frozen_at IS NULL)`
	deleteClaimsOf = `DELETE FROM membership_claims WHERE organization_id = $1`
	deleteClaimsOn = `DELETE FROM membership_claims WHERE organization_id = $1 AND membership_id = $2`
	// Before it: what a living directory says of whom it wants out.
	unlinkClaims = `UPDATE membership_claims SET membership_id = NULL, outcome = 'stored', held = NULL, version = version + 1
		WHERE organization_id = $1 AND membership_id = $2 AND says = 'inactive' AND frozen_at IS NULL AND email_key IS NOT NULL`
	forgetNobodies  = `DELETE FROM membership_claims WHERE organization_id = $1 AND directory_id = $2 AND membership_id IS NULL`
	selectJoinedTo  = `SELECT user_id FROM organization_memberships WHERE organization_id = $1 AND directory_user_id = $2`
	selectUserIDFor = `SELECT id FROM users WHERE deleted_at IS NULL AND email_key = $1`
	selectUserIDOf  = `SELECT user_id FROM organization_memberships WHERE organization_id = $1 AND id = $2`

	// Licence types for which somebody waits, with the seats that are taken.
	selectAwaited = `SELECT w.organization_id, l.id, w.licence, l.seats, l.over_limit,
			(SELECT COUNT(*) FROM organization_memberships h WHERE h.organization_id = w.organization_id AND h.licence = w.licence)
		FROM (SELECT organization_id, wanted_licence AS licence FROM organization_memberships
			WHERE wanted_since IS NOT NULL AND state IN ('active', 'pending')
			UNION SELECT organization_id, waits_for FROM membership_claims WHERE waits_since IS NOT NULL) w
		JOIN licence_types l ON l.organization_id = w.organization_id AND l.slug = w.licence ORDER BY 1, 3`
	// The same of all whose seats are taken, with how many people wait, and since when.
	selectFull = `SELECT w.organization_id, l.id, w.licence, l.name, l.seats, l.over_limit, COUNT(*), MIN(w.since)
		FROM (SELECT organization_id, wanted_licence AS licence, wanted_since AS since FROM organization_memberships
			WHERE wanted_since IS NOT NULL AND state IN ('active', 'pending')
			UNION ALL SELECT organization_id, waits_for, waits_since FROM membership_claims WHERE waits_since IS NOT NULL AND says = 'active' AND frozen_at IS NULL) w
		JOIN licence_types l ON l.organization_id = w.organization_id AND l.slug = w.licence
		WHERE l.seats IS NOT NULL AND l.seats <= (SELECT COUNT(*) FROM organization_memberships h WHERE h.organization_id = w.organization_id AND h.licence = w.licence)
		GROUP BY w.organization_id, l.id, w.licence, l.name, l.seats, l.over_limit ORDER BY 1, 3`
	// Who waits longest first: members, and people whom directories want in.
	selectWaiting = `SELECT wanted_since AS since, user_id AS who, '' AS directory_id FROM organization_memberships
			WHERE organization_id = $1 AND wanted_licence = $2 AND wanted_since IS NOT NULL AND state IN ('active', 'pending')
		UNION ALL SELECT waits_since, directory_user_id, directory_id FROM membership_claims
			WHERE organization_id = $1 AND waits_for = $2 AND waits_since IS NOT NULL AND says = 'active' AND frozen_at IS NULL
		ORDER BY since, who LIMIT $3`
	selectKeptOut = `SELECT waits_since AS since, directory_user_id AS who, directory_id FROM membership_claims
		WHERE organization_id = $1 AND waits_for = $2 AND waits_since IS NOT NULL AND says = 'active' AND frozen_at IS NULL ORDER BY since, who LIMIT $3`

	// Accounts, a row for each claim on each of their memberships; where there is none, one row with nulls. Which accounts is a condition.
	// Whether directories have the member (FALSE) the claims tell.
	selectAccount = `SELECT ` + userColumns + `, ` + membershipStored + `, FALSE, ` + claimColumns + ` FROM users u
		LEFT JOIN organization_memberships m ON m.user_id = u.id
		LEFT JOIN membership_claims c ON c.organization_id = m.organization_id AND c.membership_id = m.id
		WHERE u.deleted_at IS NULL AND u.id %s ORDER BY u.id, m.id, c.directory_id, c.directory_user_id`

	// Whoever loses the role of an administrator by a mapping holds those roles, so that of two who lose it at once one sees the other.
	lockAdminRoles = `SELECT id FROM roles WHERE organization_id IN ('', $1) AND is_admin ORDER BY id`
	otherAdmin     = `SELECT m.id FROM organization_memberships m WHERE m.organization_id = $1 AND m.state = 'active' AND m.id <> $2
		AND m.role IN (SELECT slug FROM roles WHERE organization_id IN ('', $1) AND is_admin) LIMIT 1`
)
