package idempotency

// Every statement of this noun. The caller comes first in each but the sweep, which is about age alone.
const (
	deleteExpired = `DELETE FROM idempotency_answers WHERE caller = $1 AND key_hash = $2 AND created_at < $3`

	insertClaim = `INSERT INTO idempotency_answers (caller, key_hash, request, created_at) VALUES ($1, $2, $3, $4)
ON CONFLICT (caller, key_hash) DO NOTHING`

	selectClaim = `SELECT request, status, answer, created_at FROM idempotency_answers WHERE caller = $1 AND key_hash = $2`

	// created_at tells this claim from a later one of the same key.
	updateAnswer = `UPDATE idempotency_answers SET status = $4, answer = $5
WHERE caller = $1 AND key_hash = $2 AND created_at = $3 AND status IS NULL`

	deleteClaim = `DELETE FROM idempotency_answers WHERE caller = $1 AND key_hash = $2 AND created_at = $3 AND status IS NULL`

	sweep = `DELETE FROM idempotency_answers WHERE (caller, key_hash) IN
(SELECT caller, key_hash FROM idempotency_answers WHERE created_at < $1 ORDER BY created_at LIMIT $2)`
)
