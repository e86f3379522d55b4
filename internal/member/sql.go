package member

const (
	userColumns = `u.id, u.email, u.email_verified, u.first_name, u.last_name, u.picture_url, u.locale, u.external_id, u.metadata,
		u.home_organization_id, u.deprovisioned_at, u.deprovisioned_by, u.last_sign_in_at, u.version, u.created_at, u.updated_at`
	selectUser             = `SELECT ` + userColumns + ` FROM users u WHERE u.deleted_at IS NULL AND u.id = $1`
	selectUserByExternalID = `SELECT ` + userColumns + ` FROM users u WHERE u.deleted_at IS NULL AND u.external_id = $1`
	selectUsers            = `SELECT ` + userColumns + ` FROM users u WHERE u.deleted_at IS NULL`
	usersWith              = `EXISTS (SELECT 1 FROM organization_memberships m WHERE m.user_id = u.id AND `
	toldState              = `COALESCE(m.told_state, m.state)` // as the app was told of whom the brake holds
	selectUserByEmail      = `SELECT ` + userColumns + ` FROM users u WHERE u.deleted_at IS NULL AND u.email_key = $1`

	membershipStored = `m.id, m.organization_id, m.user_id, m.state, m.is_primary, m.role, m.why, m.directory_user_id, m.joined_at, m.joined_by,
		m.blocked_at, m.blocked_by, m.removed_at, m.role_by, m.given_role, m.licence, m.wanted_licence, m.given_licence, m.custom_attributes, m.invitation_id,
		m.asserted, m.wanted_since, m.expired_invitation, m.version, m.created_at, m.updated_at, m.told_state, m.told_why`
	membershipColumns = membershipStored + `, ` + isManaged
	// Who was joined with a directory person keeps that when the directory is removed, to be found by it again; managed they are by one that is there.
	isManaged = `(m.directory_user_id IS NOT NULL AND EXISTS (SELECT 1 FROM membership_claims k WHERE k.organization_id = m.organization_id
		AND k.membership_id = m.id AND k.frozen_at IS NULL AND (k.says <> 'removed' OR k.held IS NOT NULL)))`
	memberColumns   = membershipColumns + `, ` + userColumns
	fromMembers     = ` FROM organization_memberships m JOIN users u ON u.id = m.user_id`
	selectMember    = `SELECT ` + memberColumns + fromMembers + ` WHERE m.id = $1`
	selectMemberOf  = `SELECT ` + memberColumns + fromMembers + ` WHERE m.organization_id = $1 AND m.user_id = $2`
	selectMembers   = `SELECT ` + memberColumns + fromMembers + ` WHERE m.state <> 'removed'`
	selectMembersIn = `SELECT ` + memberColumns + fromMembers + ` WHERE TRUE`
	membersOfTeam   = `SELECT membership_id FROM team_members`
	selectPlaces    = `SELECT ` + memberColumns + fromMembers + ` WHERE m.user_id = $1 ORDER BY m.id`

	// A person as one organization ($1) and one of its connections ($2) see them, a row for each identity.
	selectPerson = `SELECT ` + userColumns + `, ` + membershipColumns + `,
			i.idp_id, i.linked_by, i.created_at, i.last_used_at
		FROM users u
		LEFT JOIN organization_memberships m ON m.organization_id = $1 AND m.user_id = u.id
		LEFT JOIN user_identities i ON i.organization_id = $1 AND i.connection_id = $2 AND i.user_id = u.id
		WHERE u.deleted_at IS NULL AND `
	personByIdentity  = selectPerson + `u.id = (SELECT user_id FROM user_identities WHERE organization_id = $1 AND connection_id = $2 AND idp_id = $3)`
	personByDirectory = selectPerson + `u.id = (SELECT user_id FROM organization_memberships WHERE organization_id = $1 AND directory_user_id = $3)`
	personByEmail     = selectPerson + `u.email_key = $3`

	selectJoined = `SELECT m.directory_user_id FROM user_identities i JOIN organization_memberships m ON m.organization_id = i.organization_id AND m.user_id = i.user_id
		WHERE i.organization_id = $1 AND i.connection_id = $2 AND i.idp_id = $3`

	insertUser = `INSERT INTO users (id, email, email_key, email_verified, first_name, last_name, picture_url, locale, external_id, metadata,
		home_organization_id, deprovisioned_at, deprovisioned_by, last_sign_in_at, version, updated_at, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)`
	// The version stays: a sign-in alone changes nothing that anybody decides by.
	touchUser  = `UPDATE users SET last_sign_in_at = $3 WHERE id = $1 AND version = $2 AND deleted_at IS NULL`
	updateUser = `UPDATE users SET email = $3, email_key = $4, email_verified = $5, first_name = $6, last_name = $7, picture_url = $8, locale = $9,
		external_id = $10, metadata = $11, home_organization_id = $12, deprovisioned_at = $13, deprovisioned_by = $14, last_sign_in_at = $15, version = $16,
		updated_at = $17 WHERE id = $1 AND version = $2 AND deleted_at IS NULL`
	// Held, and as it was read: what is decided by it is written with it.
	guardUser = `SELECT id FROM users WHERE id = $1 AND version = $2 AND deleted_at IS NULL`
	// What is personal goes at once; the row stays for what points at it.
	deleteUser = `UPDATE users SET deleted_at = $2, updated_at = $2, version = version + 1, email = '', email_key = '', first_name = NULL, last_name = NULL,
		picture_url = NULL, locale = NULL, external_id = NULL, metadata = '{}', home_organization_id = NULL, deprovisioned_at = NULL, deprovisioned_by = NULL
		WHERE id = $1 AND deleted_at IS NULL`
	lockUser = `SELECT ` + userColumns + ` FROM users u WHERE u.deleted_at IS NULL AND u.id = $1`
	// Accounts that an organization has deprovisioned, and which others have as members.
	selectTakenBy = `SELECT u.id FROM users u WHERE u.deleted_at IS NULL AND u.home_organization_id = $1 AND u.deprovisioned_by = $1
		AND EXISTS (SELECT 1 FROM organization_memberships m WHERE m.user_id = u.id) ORDER BY u.id`
	leaveHomes = `UPDATE users SET home_organization_id = NULL, deprovisioned_at = NULL, deprovisioned_by = NULL, version = version + 1 WHERE home_organization_id = $1`

	insertMembership = `INSERT INTO organization_memberships (id, organization_id, user_id, state, is_primary, role, why, directory_user_id, joined_at,
		joined_by, blocked_at, blocked_by, removed_at, role_by, given_role, licence, wanted_licence, given_licence, custom_attributes, invitation_id, asserted,
		wanted_since, expired_invitation, version, updated_at, told_state, told_why, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28)`
	updateMembership = `UPDATE organization_memberships SET state = $4, is_primary = $5, role = $6, why = $7, directory_user_id = $8, joined_at = $9,
		joined_by = $10, blocked_at = $11, blocked_by = $12, removed_at = $13, role_by = $14, given_role = $15, licence = $16, wanted_licence = $17,
		given_licence = $18, custom_attributes = $19, invitation_id = $20, asserted = $21, wanted_since = $22, expired_invitation = $23, version = $24,
		updated_at = $25, told_state = $26, told_why = $27
		WHERE organization_id = $1 AND id = $2 AND version = $3`
	guardMembership  = `SELECT id FROM organization_memberships WHERE organization_id = $1 AND id = $2 AND version = $3`
	lockMembership   = `SELECT id FROM organization_memberships WHERE id = $1`
	unjoinMembership = `UPDATE organization_memberships SET directory_user_id = NULL, version = version + 1, updated_at = $3
		WHERE organization_id = $1 AND user_id = $2 AND directory_user_id IS NOT NULL`
	deleteMemberships = `DELETE FROM organization_memberships WHERE organization_id = $1`
	deletePlaces      = `DELETE FROM organization_memberships WHERE user_id = $1`

	insertIdentity = `INSERT INTO user_identities (connection_id, idp_id, organization_id, user_id, linked_by, created_at, last_used_at)
		VALUES ($1, $2, $3, $4, $5, $6, $6)`
	touchIdentity = `UPDATE user_identities SET last_used_at = $5 WHERE organization_id = $1 AND connection_id = $2 AND idp_id = $3 AND user_id = $4`
	// The same, of an identity that another takes the place of.
	deleteIdentity     = `DELETE FROM user_identities WHERE organization_id = $1 AND connection_id = $2 AND idp_id = $3 AND user_id = $4`
	selectIdentity     = `SELECT user_id FROM user_identities WHERE organization_id = $1 AND connection_id = $2 AND idp_id = $3`
	deleteIdentities   = `DELETE FROM user_identities WHERE user_id = $1`
	deleteForeign      = `DELETE FROM user_identities WHERE user_id = $1 AND organization_id <> $2`
	deleteIdentitiesOf = `DELETE FROM user_identities WHERE organization_id = $1`
	selectIdentitiesOf = `SELECT connection_id, idp_id, organization_id, user_id, linked_by, created_at, last_used_at FROM user_identities WHERE user_id = $1 ORDER BY created_at, idp_id`
	selectCameThrough  = `SELECT DISTINCT user_id FROM user_identities WHERE organization_id = $1 AND connection_id IN (%s) AND user_id IN (%s)`
	selectPrimaries    = `SELECT user_id FROM organization_memberships WHERE organization_id = $1 AND is_primary AND user_id IN (%s)`
	deleteConnection   = `DELETE FROM user_identities WHERE organization_id = $1 AND connection_id = $2`
)

// What is there, for snapshots.
const (
	selectPresentUsers   = `SELECT ` + userColumns + ` FROM users u WHERE u.deleted_at IS NULL AND u.id > $1 ORDER BY u.id LIMIT $2`
	selectPresentMembers = `SELECT ` + memberColumns + fromMembers + ` WHERE m.organization_id = $1 AND m.state <> 'removed' AND m.id > $2 ORDER BY m.id LIMIT $3`
)
