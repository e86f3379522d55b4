package directory

// Directories in a switch of their organization's identity provider.
const (
	selectSide = selectDirectory + ` AND organization_id = $1 AND id = $2`
	holdSide   = `UPDATE directories SET switching = $3 WHERE organization_id = $1 AND id = $2 AND deleted_at IS NULL`
	// What it was about to tell members is told no more.
	silenceSide = `UPDATE directories SET live_at = NULL, switching = $3, updated_at = $4, reapply_after = NULL, reapply_again_at = NULL, reapply_total = NULL
		WHERE organization_id = $1 AND id = $2 AND deleted_at IS NULL`
	enliveSide = `UPDATE directories SET live_at = $4, switching = $3, updated_at = $4 WHERE organization_id = $1 AND id = $2 AND deleted_at IS NULL`

	// Whom members know by the directory and it has no more: they left while nobody heard it.
	insertDueGone = `INSERT INTO ` + dueColumns + ` SELECT c.directory_id, c.directory_user_id, c.organization_id, $3, $4, 0, $3, $3 FROM membership_claims c
		WHERE c.organization_id = $1 AND c.directory_id = $2
		AND NOT EXISTS (SELECT 1 FROM directory_users u WHERE u.directory_id = c.directory_id AND u.id = c.directory_user_id) ORDER BY c.directory_user_id` + dueAgain

	hasUser  = `SELECT EXISTS (SELECT 1 FROM directory_users WHERE directory_id = $1 AND id = $2)`
	hasGroup = `SELECT EXISTS (SELECT 1 FROM directory_groups WHERE directory_id = $1 AND id = $2)`

	rosterUsers  = `SELECT u.id, u.external_id, u.user_name_key, u.active, u.suspended FROM directory_users u WHERE u.directory_id = $1 ORDER BY u.id`
	rosterEmails = `SELECT user_id, email_key FROM directory_user_emails WHERE directory_id = $1 ORDER BY user_id, email_key`
	rosterGroups = `SELECT id, external_id, display_name_key, name FROM directory_groups WHERE directory_id = $1 ORDER BY id`
)
