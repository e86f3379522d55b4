package member

// Who is carried over in a switch of the identity provider is in rows of the room switching, by the id of the old side. $1 is the organization,
// $2 the switch, $3 one old id or the empty text for all, $4 and $5 the directories that a statement is about.
const (
	matchedOld = `SELECT x.old_id FROM identity_provider_switch_matches x WHERE x.organization_id = $1 AND x.switch_id = $2 AND x.kind = 'person'
		AND x.match = 'matched' AND ($3 = '' OR x.old_id = $3)`
	matchedNew = `SELECT x.new_id FROM identity_provider_switch_matches x WHERE x.organization_id = $1 AND x.switch_id = $2 AND x.kind = 'person'
		AND x.match = 'matched' AND ($3 = '' OR x.old_id = $3)`
	newOf = `(SELECT x.new_id FROM identity_provider_switch_matches x WHERE x.organization_id = $1 AND x.switch_id = $2 AND x.kind = 'person' AND x.old_id = `
	oldOf = `(SELECT CASE WHEN x.old_id = x.membership_id THEN NULL ELSE x.old_id END FROM identity_provider_switch_matches x
		WHERE x.organization_id = $1 AND x.switch_id = $2 AND x.kind = 'person' AND x.new_id = `

	// Whoever decides by what directories said meanwhile decides again.
	moveCarried = `UPDATE organization_memberships SET version = version + 1 WHERE organization_id = $1 AND id IN
		(SELECT membership_id FROM membership_claims WHERE organization_id = $1 AND directory_id IN ($2, $3) AND membership_id IS NOT NULL)`
	// What a former switch has left of them, or has put in no membership.
	forgetArrived = `DELETE FROM membership_claims WHERE organization_id = $1 AND directory_id = $4 AND directory_user_id IN (` + matchedNew + `)`
	carryClaims   = `UPDATE membership_claims SET directory_id = $5, directory_user_id = ` + newOf + `membership_claims.directory_user_id), frozen_at = NULL,
		version = version + 1 WHERE organization_id = $1 AND directory_id = $4 AND directory_user_id IN (` + matchedOld + `)`
	carryInvitations = `UPDATE invitations SET directory_id = $5, directory_user_id = ` + newOf + `invitations.directory_user_id), version = version + 1
		WHERE organization_id = $1 AND directory_id = $4 AND directory_user_id IN (` + matchedOld + `)`
	carryJoined = `UPDATE organization_memberships SET directory_user_id = ` + newOf + `organization_memberships.directory_user_id), version = version + 1
		WHERE organization_id = $1 AND directory_user_id IN (` + matchedOld + `)`
	// Of those who only sign in the old side is the membership itself.
	carrySigners = `UPDATE organization_memberships SET directory_user_id = ` + newOf + `organization_memberships.id), version = version + 1
		WHERE organization_id = $1 AND directory_user_id IS NULL AND id IN (` + matchedOld + `)`

	// And back. What the old directory said meanwhile was not heard.
	forgetLeft  = `DELETE FROM membership_claims WHERE organization_id = $1 AND directory_id = $4 AND directory_user_id IN (` + matchedOld + `)`
	returnClaim = `UPDATE membership_claims SET directory_id = $5, directory_user_id = ` + oldOf + `membership_claims.directory_user_id), frozen_at = NULL,
		version = version + 1 WHERE organization_id = $1 AND directory_id = $4 AND directory_user_id IN (` + matchedNew + ` AND (x.membership_id IS NULL OR x.old_id <> x.membership_id))`
	returnInvitations = `UPDATE invitations SET directory_id = $5, directory_user_id = ` + oldOf + `invitations.directory_user_id), version = version + 1
		WHERE organization_id = $1 AND directory_id = $4 AND directory_user_id IN (` + matchedNew + `)`
	returnJoined = `UPDATE organization_memberships SET directory_user_id = ` + oldOf + `organization_memberships.directory_user_id), version = version + 1
		WHERE organization_id = $1 AND directory_user_id IN (` + matchedNew + `)`

	// The membership of an account that a switch which can still be reverted leaves as it is.
	selectHeld = `SELECT m.id FROM organization_memberships m
		JOIN identity_provider_switch_matches x ON x.organization_id = m.organization_id AND x.membership_id = m.id AND x.kind = 'person' AND x.match <> 'matched'
		JOIN identity_provider_switches s ON s.organization_id = x.organization_id AND s.id = x.switch_id AND s.state = 'cut_over' AND s.to_directory = $2
		WHERE m.organization_id = $1 AND m.user_id = $3 LIMIT 1`

	// Whose memberships the people of a directory are: by what members have taken over of it, and by the join of a sign-in.
	selectMembersOfDirectory = `SELECT c.directory_user_id, m.id, m.state FROM membership_claims c
		JOIN organization_memberships m ON m.organization_id = c.organization_id AND m.id = c.membership_id WHERE c.organization_id = $1 AND c.directory_id = $2
		UNION SELECT m.directory_user_id, m.id, m.state FROM organization_memberships m WHERE m.organization_id = $1 AND m.directory_user_id IS NOT NULL`
	selectSigners = `SELECT m.id, i.idp_id, u.email, m.state, m.directory_user_id FROM user_identities i
		JOIN organization_memberships m ON m.organization_id = i.organization_id AND m.user_id = i.user_id
		JOIN users u ON u.id = i.user_id AND u.deleted_at IS NULL
		WHERE i.organization_id = $1 AND i.connection_id = $2 AND m.state <> 'removed' ORDER BY m.id, i.idp_id`
)
