package mail

const (
	insertMail = `INSERT INTO mails (id, organization_id, kind, recipient, content, state, attempts, next_at, give_up_at, about, created_at)
		VALUES ($1, $2, $3, $4, $5, 'pending', 0, $6, $7, $8, $6)`
	withdraw = `UPDATE mails SET state = 'withdrawn', next_at = NULL, content = NULL, last_error = NULL, finished_at = $2
		WHERE about = $1 AND next_at IS NOT NULL AND state = 'pending'`
	selectDue = `SELECT 1 FROM mails WHERE next_at <= $1 LIMIT 1`
	// The number of attempts names the claim: who has lost it marks nothing any more.
	claimMails = `UPDATE mails SET attempts = attempts + 1, next_at = $2 WHERE id IN (SELECT id FROM mails WHERE next_at <= $1 ORDER BY next_at LIMIT $3%s)
		RETURNING id, organization_id, kind, recipient, content, attempts, give_up_at`
	markSent = `UPDATE mails SET state = 'sent', next_at = NULL, content = NULL, last_error = NULL, finished_at = $3
		WHERE id = $1 AND attempts = $2 AND state = 'pending'`
	markFailed = `UPDATE mails SET state = 'failed', next_at = NULL, content = NULL, last_error = $4, finished_at = $3
		WHERE id = $1 AND attempts = $2 AND state = 'pending'`
	markAgain = `UPDATE mails SET next_at = $3, last_error = $4 WHERE id = $1 AND attempts = $2 AND state = 'pending'`

	oldestPending    = `SELECT MIN(created_at) FROM mails WHERE next_at IS NOT NULL`
	forgetRecipients = `UPDATE mails SET recipient = NULL WHERE finished_at < $1 AND recipient IS NOT NULL`
	deleteOld        = `DELETE FROM mails WHERE finished_at < $1`

	// Erasures: of an organization everything, of a person what went to their addresses.
	forgetOrganization = `UPDATE mails SET recipient = NULL, content = NULL, next_at = NULL, state = CASE WHEN state = 'pending' THEN 'failed' ELSE state END,
		last_error = NULL, finished_at = COALESCE(finished_at, $2) WHERE organization_id = $1`
	forgetAddress = `UPDATE mails SET recipient = NULL, content = NULL, next_at = NULL, state = CASE WHEN state = 'pending' THEN 'failed' ELSE state END,
		last_error = NULL, finished_at = COALESCE(finished_at, $3) WHERE organization_id = $1 AND LOWER(recipient) = $2`
)
