package member

const (
	invitationColumns = `i.id, i.organization_id, i.email, i.state, i.token_hash, i.token, i.role, i.teams, i.licence, i.inviter_user_id, i.accepted_user_id,
		i.membership_id, i.directory_id, i.directory_user_id, i.locale, i.sent, i.expires_at, i.accepted_at, i.revoked_at, i.version, i.created_at, i.updated_at`
	selectInvitations  = `SELECT ` + invitationColumns + ` FROM invitations i WHERE TRUE`
	selectInvitation   = `SELECT ` + invitationColumns + ` FROM invitations i WHERE i.id = $1`
	invitationByToken  = `SELECT ` + invitationColumns + ` FROM invitations i WHERE i.token_hash = $1`
	invitationPending  = `SELECT ` + invitationColumns + ` FROM invitations i WHERE i.organization_id = $1 AND i.email_key = $2 AND i.state = 'pending'`
	invitationWithRole = `SELECT id FROM invitations WHERE organization_id = $1 AND id = $2 AND role = $3`
	// Of a membership: by its id, or by the address of its account.
	invitationOfMembership = `SELECT ` + invitationColumns + ` FROM invitations i
		WHERE i.organization_id = $1 AND i.state = 'pending' AND (i.membership_id = $2 OR i.email_key = $3) ORDER BY i.id`

	insertInvitation = `INSERT INTO invitations (id, organization_id, email, email_key, state, token_hash, token, role, teams, licence, inviter_user_id,
		membership_id, directory_id, directory_user_id, locale, sent, expires_at, version, created_at, updated_at)
		VALUES ($1, $2, $3, $4, 'pending', $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, 1, $15, 1, $16, $16)`
	// Each holds only for the invitation that was read: two at once cannot both win.
	acceptInvitation = `UPDATE invitations SET state = 'accepted', token = NULL, accepted_user_id = $3, membership_id = $4, accepted_at = $5, updated_at = $5,
		version = version + 1 WHERE id = $1 AND version = $2 AND state = 'pending'`
	revokeInvitation = `UPDATE invitations SET state = 'revoked', token = NULL, revoked_at = $3, updated_at = $3, version = version + 1
		WHERE id = $1 AND version = $2 AND state IN ('pending', 'expired')`
	// What has had its time makes room for another to the same address.
	expireInvitation = `UPDATE invitations SET state = 'expired', token = NULL, version = version + 1 WHERE id = $1 AND version = $2 AND state = 'pending'`
	// Those of hands, whose membership does not wait for ever.
	invitationsLapsed = `SELECT ` + invitationColumns + ` FROM invitations i WHERE i.state = 'pending' AND i.directory_id IS NULL AND i.expires_at <= $1
		ORDER BY i.expires_at LIMIT $2`
	invitationLapsed = `SELECT ` + invitationColumns + ` FROM invitations i WHERE i.state = 'pending' AND i.directory_id IS NULL AND i.expires_at <= $1 AND i.id = $2`
	lapseInvitation  = `UPDATE invitations SET state = 'expired', version = version + 1 WHERE id = $1 AND version = $2 AND state = 'pending'`
	sendInvitation   = `UPDATE invitations SET token_hash = $3, token = $4, expires_at = $5, locale = $6, sent = sent + 1, updated_at = $7, version = version + 1
		WHERE id = $1 AND version = $2 AND state = 'pending'`
	adoptInvitation = `UPDATE invitations SET directory_id = $3, directory_user_id = $4, membership_id = $5, version = version + 1
		WHERE id = $1 AND version = $2 AND state = 'pending'`
	// Whose mail was not sent yet; mails are written by their own room alone. The version stays: nobody decides by it.
	keepInvitation = `UPDATE invitations SET withdrawn_at = $2 WHERE id = $1 AND state = 'pending'
		AND EXISTS (SELECT 1 FROM mails WHERE about = $1 AND next_at IS NOT NULL AND state = 'pending')`
	invitationKept = `SELECT ` + invitationColumns + ` FROM invitations i WHERE i.id = $1 AND i.state = 'pending' AND i.withdrawn_at IS NOT NULL`
	mailKept       = `UPDATE invitations SET token_hash = $2, token = $3, expires_at = $4, updated_at = $5, withdrawn_at = NULL, version = version + 1
		WHERE id = $1 AND state = 'pending' AND withdrawn_at IS NOT NULL`
	// To an address, of a directory person, or accepted by somebody.
	selectInvitedAs = `SELECT id, organization_id FROM invitations WHERE organization_id = $1 AND email <> '' AND (accepted_user_id = $2 OR directory_user_id = $2 OR email_key = $3)
		ORDER BY id`
	// Of an account, wherever they are: also those to a former address, which its memberships wait for.
	selectInvited = `SELECT id, organization_id FROM invitations WHERE email <> '' AND (accepted_user_id = $1 OR email_key = $2
		OR membership_id IN (SELECT id FROM organization_memberships WHERE user_id = $1)) ORDER BY id`
	forgetInvitation = `UPDATE invitations SET email = '', email_key = id, token = NULL, state = CASE WHEN state = 'pending' THEN 'revoked' ELSE state END,
		version = version + 1 WHERE id = $1 AND organization_id = $2`
	deleteInvitations = `DELETE FROM invitations WHERE organization_id = $1`
)
