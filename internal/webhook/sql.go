package webhook

const (
	tallyDeliveries = `SELECT COUNT(*) FROM (SELECT 1 FROM webhook_deliveries WHERE id >= $1 AND id < $2 LIMIT $3) AS counted`
	selectEndpoint  = `SELECT id, url, status, types, secret, old_secret, old_secret_until, failing_since, disabled_at, disabled_reason,
		created_at, updated_at, owner FROM webhook_endpoints WHERE deleted_at IS NULL`
	selectHealth   = `SELECT id, url, status, failing_since, disabled_at, disabled_reason FROM webhook_endpoints WHERE deleted_at IS NULL ORDER BY id`
	countEndpoints = `SELECT COUNT(*) FROM webhook_endpoints WHERE deleted_at IS NULL`
	insertEndpoint = `INSERT INTO webhook_endpoints (id, url, status, types, secret, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $6)`
	updateEndpoint = `UPDATE webhook_endpoints SET url = $2, status = $3, types = $4, failing_since = $5, disabled_at = $6, disabled_reason = $7, updated_at = $8
		WHERE id = $1 AND deleted_at IS NULL`
	rotateSecret = `UPDATE webhook_endpoints SET secret = $2, old_secret = $3, old_secret_until = $4, updated_at = $5 WHERE id = $1 AND deleted_at IS NULL`
	// A deleted endpoint forgets its secrets.
	deleteEndpoint = `UPDATE webhook_endpoints SET deleted_at = $2, secret = '', old_secret = NULL, old_secret_until = NULL, owner = NULL
		WHERE id = $1 AND deleted_at IS NULL`
	disableEndpoint = `UPDATE webhook_endpoints SET status = 'disabled', disabled_at = $2, disabled_reason = $3, updated_at = $2
		WHERE id = $1 AND status = 'enabled' AND deleted_at IS NULL`
	setFailing   = `UPDATE webhook_endpoints SET failing_since = $2 WHERE id = $1 AND failing_since IS NULL`
	clearFailing = `UPDATE webhook_endpoints SET failing_since = NULL WHERE id = $1 AND failing_since IS NOT NULL`

	// Whoever changes endpoints takes this row first, as whoever adds deliveries does: so no delivery is made from an old list.
	changeVersion = `UPDATE webhook_cursor SET version = version + 1 WHERE name = 'log'`
	selectCursor  = `SELECT cursor, last, version FROM webhook_cursor WHERE name = 'log'`
	moveCursor    = `UPDATE webhook_cursor SET cursor = $1, last = $2 WHERE name = 'log' AND cursor = $3 AND last = $4 AND version = $5`
	stillEnabled  = `UPDATE webhook_endpoints SET status = status WHERE id = $1 AND status = 'enabled' AND deleted_at IS NULL`

	insertDelivery = `INSERT INTO webhook_deliveries (id, seq, endpoint_id, organization_id, event_id, type, entity, replay, state, attempts, next_at, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT DO NOTHING`
	selectDelivery = `SELECT d.id, d.seq, d.endpoint_id, d.organization_id, d.event_id, d.type, d.entity, d.replay, d.state, d.reason, d.attempts, d.next_at, d.created_at, d.finished_at
		FROM webhook_deliveries d`
	deliveriesTelling = selectDelivery + ` WHERE NOT d.replay AND d.endpoint_id IN (SELECT id FROM webhook_endpoints) AND d.event_id IN (%s) ORDER BY d.id`
	deliveryByID      = selectDelivery + ` JOIN webhook_endpoints e ON e.id = d.endpoint_id AND e.deleted_at IS NULL WHERE d.id = $1`
	nextPending       = selectDelivery + ` WHERE d.endpoint_id = $1 AND d.state = 'pending' AND d.seq > $2 ORDER BY d.seq LIMIT $3`
	lostOf            = selectDelivery + ` WHERE d.endpoint_id = $1 AND d.state IN ('failed', 'cancelled') AND d.replayed_at IS NULL ORDER BY d.id LIMIT $2`
	markReplayed      = `UPDATE webhook_deliveries SET replayed_at = $2 WHERE id = $1`
	finish            = `UPDATE webhook_deliveries SET state = $2, reason = $3, attempts = $4, next_at = NULL, finished_at = $5 WHERE id = $1 AND state = 'pending'`
	postpone          = `UPDATE webhook_deliveries SET attempts = $2, next_at = $3 WHERE id = $1 AND state = 'pending'`
	cancelPending     = `UPDATE webhook_deliveries SET state = 'cancelled', reason = $2, next_at = NULL, finished_at = $3 WHERE endpoint_id = $1 AND state = 'pending'`
	oldestPending     = `SELECT MIN(created_at) FROM webhook_deliveries WHERE state = 'pending'`

	insertAttempt  = `INSERT INTO webhook_attempts (id, delivery_id, at, micros, status, error, answer) VALUES ($1, $2, $3, $4, $5, $6, $7)`
	deliveriesPart = `SELECT MAX(id) FROM (SELECT id FROM webhook_deliveries WHERE id > $1 ORDER BY id LIMIT 2000) part`
	forgetAnswers  = `UPDATE webhook_attempts SET answer = NULL WHERE answer IS NOT NULL AND delivery_id IN (SELECT id FROM webhook_deliveries
		WHERE id > $1 AND id <= $2 AND organization_id = $3 AND ($4 = '' OR ' ' || entity || ' ' LIKE $4 ESCAPE '\'))`
	attemptsOf = `SELECT id, at, micros, status, error, answer FROM webhook_attempts WHERE delivery_id = $1 ORDER BY id LIMIT 100`

	expireAttempts   = `DELETE FROM webhook_attempts WHERE id IN (SELECT id FROM webhook_attempts WHERE id < $1 ORDER BY id LIMIT 1000)`
	expireDeliveries = `DELETE FROM webhook_deliveries WHERE id IN (SELECT id FROM webhook_deliveries WHERE id < $1 AND state <> 'pending' ORDER BY id LIMIT 1000)`
	expireEndpoints  = `DELETE FROM webhook_endpoints WHERE deleted_at < $1`

	insertProcess = `INSERT INTO webhook_processes (process, beat) VALUES ($1, 0) ON CONFLICT (process) DO NOTHING`
	beat          = `UPDATE webhook_processes SET beat = beat + 1 WHERE process = $1 AND beat = $2`
	selectBeats   = `SELECT process, beat FROM webhook_processes`
	buryProcess   = `DELETE FROM webhook_processes WHERE process = $1 AND beat = $2`
	endProcess    = `DELETE FROM webhook_processes WHERE process = $1`
	onlyProcess   = `DELETE FROM webhook_processes WHERE process <> $1`
	// The former owner is named: when two want the same endpoint, PostgreSQL looks again at the row that it has waited for, and not
	// at other tables.
	claimEndpoint = `UPDATE webhook_endpoints SET owner = $2 WHERE id = $1 AND status = 'enabled' AND deleted_at IS NULL
		AND COALESCE(owner, '') = $3 AND NOT EXISTS (SELECT 1 FROM webhook_processes WHERE process = $3)
		AND EXISTS (SELECT 1 FROM webhook_processes WHERE process = $2)`
)
