package lifecycle

// Who has access, and who had it.
const (
	// $2 is the moment; of each membership the last row before it decides. An account that was deleted by then had none.
	selectAccess = `SELECT h.membership_id, h.user_id, h.is_primary, h.role, h.since, u.email, u.first_name, u.last_name, u.deleted_at
		FROM membership_history h LEFT JOIN users u ON u.id = h.user_id
		WHERE h.organization_id = $1 AND h.since <= $2 AND h.membership_id > $3 AND h.state = 'active' AND (u.deleted_at IS NULL OR u.deleted_at > $2)
			AND NOT EXISTS (SELECT 1 FROM membership_history l WHERE l.organization_id = h.organization_id AND l.membership_id = h.membership_id
				AND l.version > h.version AND l.since <= $2)
		ORDER BY h.membership_id LIMIT $4`
)

// Offboardings.
const (
	selectDue = `SELECT organization_id, membership_id, version, user_id, directory_user_id, state, why, is_primary, ended_at FROM offboardings_due
		ORDER BY ended_at, organization_id, membership_id LIMIT $1`
	takeDue = `DELETE FROM offboardings_due WHERE organization_id = $1 AND membership_id = $2 AND version = $3`

	offboardingColumns = `id, organization_id, membership_id, user_id, state, why, cause, requested_at, ended_at, sessions, events, content, created_at, frozen_at,
		directory_user_id`
	insertOffboarding = `INSERT INTO offboardings (id, organization_id, membership_id, version, user_id, state, why, cause, requested_at, ended_at, sessions,
		events, next_at, created_at, directory_user_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`
	selectOffboarding = `SELECT ` + offboardingColumns + ` FROM offboardings WHERE `
	selectWatched     = selectOffboarding + `next_at <= $1 ORDER BY next_at LIMIT $2`
	watchAgain        = `UPDATE offboardings SET next_at = $3, requested_at = $4, events = $5 WHERE organization_id = $1 AND id = $2 AND frozen_at IS NULL`
	freezeOffboarding = `UPDATE offboardings SET content = $3, frozen_at = $4, requested_at = $5, events = $6, next_at = NULL
		WHERE organization_id = $1 AND id = $2 AND frozen_at IS NULL`
	hastenOffboarding = `UPDATE offboardings SET next_at = $3 WHERE organization_id = $1 AND frozen_at IS NULL AND created_at > $2 AND next_at > $3`
)
