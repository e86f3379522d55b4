package alert

const (
	alertColumns = `id, organization_id, kind, subject, name, stage, facts, since, opened_at, seen_at, told_stage, told_at, closed_at`
	selectOpen   = `SELECT ` + alertColumns + ` FROM alerts WHERE closed_at IS NULL`
	inOrder      = ` ORDER BY id`
	ofOrg        = ` AND organization_id = $1 ORDER BY id LIMIT $2`
	newest       = ` ORDER BY id DESC LIMIT $1`
	ofSubject    = ` AND organization_id = $1 AND kind = $2 AND subject = $3`
	// The row of an alert that was closed is used again; of one that is open nothing changes.
	openAlert = `INSERT INTO alerts (id, organization_id, kind, subject, name, stage, facts, since, opened_at, seen_at, told_stage)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, 0) ON CONFLICT (organization_id, kind, subject) DO UPDATE SET name = excluded.name,
		stage = excluded.stage, facts = excluded.facts, since = excluded.since, opened_at = excluded.opened_at, seen_at = excluded.seen_at, told_stage = 0,
		closed_at = NULL WHERE alerts.closed_at IS NOT NULL`
	seeAlert = `UPDATE alerts SET name = $3, stage = $4, facts = $5, seen_at = $6, since = $7 WHERE organization_id = $1 AND id = $2 AND closed_at IS NULL`
	// Of those who want to tell the first does.
	tellAlert = `UPDATE alerts SET told_stage = $3, told_at = $4 WHERE organization_id = $1 AND id = $2 AND closed_at IS NULL AND told_stage < $3
		AND (told_at IS NULL OR told_at <= $5)`
	closeAlert   = `UPDATE alerts SET closed_at = $3 WHERE organization_id = $1 AND id = $2 AND closed_at IS NULL AND told_stage = $4`
	deleteClosed = `DELETE FROM alerts WHERE closed_at < $1`
	forgetAlerts = `DELETE FROM alerts WHERE organization_id = $1`

	selectRhythms = `SELECT directory_id, watched_at, contact_at, window_at, longest, longest_before FROM alert_rhythms`
	insertRhythm  = `INSERT INTO alert_rhythms (directory_id, organization_id, watched_at, contact_at, window_at, longest, longest_before)
		VALUES ($1, $2, $3, $4, $3, 0, 0) ON CONFLICT (directory_id) DO NOTHING`
	updateRhythm = `UPDATE alert_rhythms SET contact_at = $4, window_at = $5, longest = $6, longest_before = $7
		WHERE organization_id = $1 AND directory_id = $2 AND contact_at = $3`
	deleteRhythm  = `DELETE FROM alert_rhythms WHERE directory_id = $1`
	forgetRhythms = `DELETE FROM alert_rhythms WHERE organization_id = $1`
)
