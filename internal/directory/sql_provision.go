package directory

// Who is due, and who is to be looked at again.
const (
	dueColumns = `directory_people_due (directory_id, directory_user_id, organization_id, number, cause, tries, next_at, created_at)`
	// number only grows: who has worked off one leaves what came after.
	dueAgain = ` ON CONFLICT (directory_id, directory_user_id) DO UPDATE SET cause = excluded.cause, tries = 0, next_at = excluded.next_at,
		number = CASE WHEN excluded.number > directory_people_due.number THEN excluded.number ELSE directory_people_due.number + 1 END`
	insertDue     = `INSERT INTO ` + dueColumns + ` VALUES ($1, $2, $3, $4, $5, 0, $4, $4)` + dueAgain
	insertDueOnce = `INSERT INTO ` + dueColumns + ` SELECT u.directory_id, u.id, $3, $4, $5, 0, $4, $4 FROM directory_users u
		WHERE u.directory_id = $1 AND u.id = $2 AND EXISTS (SELECT 1 FROM directories d WHERE d.id = $1 AND d.organization_id = $3) ON CONFLICT (directory_id, directory_user_id) DO NOTHING`
	// Several people, always in one order, so that two writes do not wait for each other.
	insertDueOf = `INSERT INTO ` + dueColumns + ` SELECT u.directory_id, u.id, $2, $3, $4, 0, $3, $3 FROM directory_users u
		WHERE u.directory_id = $1 AND u.id IN (%s) ORDER BY u.id` + dueAgain
	insertDueOfGroup = `INSERT INTO ` + dueColumns + ` SELECT m.directory_id, m.member_id, $3, $4, $5, 0, $4, $4 FROM directory_group_members m
		WHERE m.directory_id = $1 AND m.group_id = $2 AND m.kind = 'user' ORDER BY m.member_id` + dueAgain
	// What a request of a person caused stays the cause of their events.
	claimDueBetween = `INSERT INTO ` + dueColumns + ` SELECT u.directory_id, u.id, $2, $3, $4, 1, $8, $3 FROM directory_users u
		WHERE u.directory_id = $1 AND u.id > $5 AND u.id <= $6 AND u.updated_at >= $7 ORDER BY u.id
		ON CONFLICT (directory_id, directory_user_id) DO UPDATE SET tries = 1, next_at = excluded.next_at,
		number = CASE WHEN excluded.number > directory_people_due.number THEN excluded.number ELSE directory_people_due.number + 1 END
		RETURNING directory_id, directory_user_id, organization_id, number, cause, tries`

	anyDue   = `SELECT 1 FROM directory_people_due WHERE next_at <= $1 LIMIT 1`
	claimDue = `UPDATE directory_people_due SET tries = tries + 1, next_at = $2 WHERE (directory_id, directory_user_id) IN
		(SELECT directory_id, directory_user_id FROM directory_people_due WHERE next_at <= $1 ORDER BY next_at LIMIT $3%s)
		RETURNING directory_id, directory_user_id, organization_id, number, cause, tries`
	stillDue    = `SELECT 1 FROM directory_people_due WHERE directory_id = $1 AND directory_user_id = $2 AND number = $3`
	doneDue     = `DELETE FROM directory_people_due WHERE directory_id = $1 AND directory_user_id = $2 AND number = $3`
	postponeDue = `UPDATE directory_people_due SET next_at = $4 WHERE directory_id = $1 AND directory_user_id = $2 AND number = $3`
	deleteDue   = `DELETE FROM directory_people_due WHERE directory_id = $1 AND directory_user_id = $2`
	deleteDueOf = `DELETE FROM directory_people_due WHERE directory_id = $1`
	countDueOf  = `SELECT COUNT(*) FROM directory_people_due WHERE directory_id = $1`
	oldestDue   = `SELECT MIN(created_at) FROM directory_people_due`

	isLive = `SELECT 1 FROM directories WHERE organization_id = $1 AND id = $2 AND live_at IS NOT NULL AND deleted_at IS NULL`
	goLive = `UPDATE directories SET live_at = COALESCE(live_at, $2), paused_at = NULL, updated_at = $2
		WHERE id = $1 AND (live_at IS NULL OR paused_at IS NOT NULL) AND deleted_at IS NULL AND switching IS NULL`
	// Nothing was ever made of anybody, nor is about to be.
	pauseDirectories = `UPDATE directories SET paused_at = $1 WHERE deleted_at IS NULL AND live_at IS NOT NULL AND paused_at IS NULL
		AND reapply_after IS NULL AND reapply_again_at IS NULL
		AND EXISTS (SELECT 1 FROM directory_users u WHERE u.directory_id = directories.id)
		AND NOT EXISTS (SELECT 1 FROM membership_claims c WHERE c.organization_id = directories.organization_id AND c.directory_id = directories.id)
		AND NOT EXISTS (SELECT 1 FROM directory_people_due p WHERE p.directory_id = directories.id)`
	selectPausedDirectories = selectDirectory + ` AND paused_at IS NOT NULL ORDER BY id`

	startReapply = `UPDATE directories SET reapply_after = '', reapply_since = NULL, reapply_done = 0, reapply_cause = $3,
		reapply_total = (SELECT COUNT(*) FROM directory_users u WHERE u.directory_id = $2)%s
		WHERE organization_id = $1 AND id = $2 AND deleted_at IS NULL AND live_at IS NOT NULL AND paused_at IS NULL`
	// Of two second looks that are to come the later one does, and looks at whom either had to.
	reapplySoonAgain = `, reapply_again_at = $4, reapply_again_since = CASE
		WHEN reapply_again_at IS NOT NULL AND (reapply_again_since IS NULL OR reapply_again_since < $5) THEN reapply_again_since ELSE $5 END`
	selectReapplying = `SELECT id, organization_id, reapply_after, COALESCE(reapply_since, 0), reapply_cause FROM directories
		WHERE reapply_after IS NOT NULL AND deleted_at IS NULL ORDER BY id`
	reapplyAgain = `UPDATE directories SET reapply_after = '', reapply_done = 0, reapply_again_at = NULL, reapply_since = reapply_again_since
		WHERE reapply_again_at <= $1 AND reapply_after IS NULL AND deleted_at IS NULL`
	moveReapply = `UPDATE directories SET reapply_after = $3, reapply_done = COALESCE(reapply_done, 0) + $4
		WHERE id = $1 AND reapply_after = $2 AND COALESCE(reapply_since, 0) = $5`
	selectNextUsers = `SELECT id FROM directory_users WHERE directory_id = $1 AND id > $2 AND updated_at >= $4 ORDER BY id LIMIT $3`
	// A second look at those who were changed is no pass of everybody: only who is due is left of it.
	selectProgress = `SELECT reapply_after IS NOT NULL AND reapply_since IS NULL, COALESCE(reapply_total, 0), COALESCE(reapply_done, 0)
		FROM directories WHERE id = $1 AND deleted_at IS NULL`
	groupAsRead = `SELECT 1 FROM directory_groups WHERE directory_id = $1 AND id = $2 AND version = $3`
	countUsers  = `SELECT COUNT(*) FROM directory_users WHERE directory_id = $1`
)
