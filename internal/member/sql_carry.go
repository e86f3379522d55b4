package member

// Who is carried over in a switch of the identity provider. $1 is the organization; the lists are ids, from the third argument on, and as whose they
// go on. They are sent in chunks: in one statement over the rows of the switch, of which nothing is known when they have just been written, PostgreSQL
// would read all of them for each person.
const (
	// Whoever decides by what directories said meanwhile decides again.
	moveCarried = `UPDATE organization_memberships SET version = version + 1 WHERE organization_id = $1 AND id IN
		(SELECT membership_id FROM membership_claims WHERE organization_id = $1 AND directory_id IN ($2, $3) AND membership_id IS NOT NULL)`

	forgetClaims = `DELETE FROM membership_claims WHERE organization_id = $1 AND directory_id = $2 AND directory_user_id IN (%[1]s)`
	carryClaims  = `UPDATE membership_claims SET directory_id = $3, directory_user_id = CASE directory_user_id %[2]s END, frozen_at = NULL, version = version + 1
		WHERE organization_id = $1 AND directory_id = $2 AND directory_user_id IN (%[1]s)`
	carryInvitations = `UPDATE invitations SET directory_id = $3, directory_user_id = CASE directory_user_id %[2]s END, version = version + 1
		WHERE organization_id = $1 AND state = 'pending' AND directory_id = $2 AND directory_user_id IN (%[1]s)`
	carryJoined = `UPDATE organization_memberships SET directory_user_id = CASE directory_user_id %[2]s END, version = version + 1
		WHERE organization_id = $1 AND directory_user_id IN (%[1]s)`
	// Of those who only sign in the old side is the membership itself.
	carrySigners = `UPDATE organization_memberships SET directory_user_id = CASE id %[2]s END, version = version + 1
		WHERE organization_id = $1 AND directory_user_id IS NULL AND id IN (%[1]s)`
	returnSigners = `UPDATE organization_memberships SET directory_user_id = NULL, version = version + 1
		WHERE organization_id = $1 AND directory_user_id IN (%[1]s)`

	// The membership of an account that a switch which can still be reverted leaves as it is.
	selectHeld = `SELECT m.id FROM organization_memberships m
		JOIN identity_provider_switch_matches x ON x.organization_id = m.organization_id AND x.membership_id = m.id AND x.kind = 'person' AND x.match <> 'matched'
		JOIN identity_provider_switches s ON s.organization_id = x.organization_id AND s.id = x.switch_id AND s.state = 'cut_over' AND s.to_directory = $2
		WHERE m.organization_id = $1 AND m.user_id = $3 LIMIT 1`

	// Whose memberships the people of a directory are: by what members have taken over of it, and by the join of a sign-in.
	selectMembersOfDirectory = `SELECT c.directory_user_id, m.id, m.state FROM membership_claims c
		JOIN organization_memberships m ON m.organization_id = c.organization_id AND m.id = c.membership_id WHERE c.organization_id = $1 AND c.directory_id = $2
		UNION SELECT m.directory_user_id, m.id, m.state FROM organization_memberships m WHERE m.organization_id = $1 AND m.directory_user_id IS NOT NULL`
	selectMemberOfPerson = `SELECT c.membership_id FROM membership_claims c
		JOIN organization_memberships m ON m.organization_id = c.organization_id AND m.id = c.membership_id
		WHERE c.organization_id = $1 AND c.directory_id = $2 AND c.directory_user_id = $3
		UNION SELECT m.id FROM organization_memberships m WHERE m.organization_id = $1 AND m.directory_user_id = $3 ORDER BY 1 DESC LIMIT 1`
	// A guest who proves their own address is nobody whom the provider may match with a person of a directory.
	selectSigners = `SELECT m.id, i.idp_id, u.email, m.state, m.directory_user_id FROM user_identities i
		JOIN organization_memberships m ON m.organization_id = i.organization_id AND m.user_id = i.user_id
		JOIN users u ON u.id = i.user_id AND u.deleted_at IS NULL
		WHERE i.organization_id = $1 AND i.connection_id = $2 AND i.linked_by <> 'proof' AND m.state <> 'removed' ORDER BY m.id, i.idp_id`
)
