package event

import (
	"fmt"
	"strings"
)

const (
	selectLog   = `SELECT pos, id, organization_id, type, n, created_at, context, data FROM event_log`
	selectAt    = `SELECT pos, id, n, organization_id, type FROM event_log WHERE id <= $1 ORDER BY id DESC LIMIT 1`
	selectFirst = `SELECT seq, created_at FROM events ORDER BY seq LIMIT 1`

	oldest       = ` FROM events WHERE created_at < $1 AND seq < (SELECT MAX(seq) FROM events) ORDER BY seq LIMIT 1000)`
	deleteOldest = `DELETE FROM events WHERE seq IN (SELECT seq` + oldest
	// The one of them that readers met last.
	selectEdge  = `SELECT pos, id, n FROM event_log WHERE id IN (SELECT id` + oldest + ` ORDER BY pos DESC LIMIT 1`
	selectNoted = `SELECT value FROM installation WHERE name = 'events_expired'`
	upsertNoted = `INSERT INTO installation (name, value) VALUES ('events_expired', $1) ON CONFLICT (name) DO UPDATE SET value = excluded.value`

	selectNamed  = `SELECT id, organization_id, type, n, created_at, context, data FROM events WHERE id IN (%s)`
	selectAround = `SELECT id, organization_id, type, n, created_at, context, data FROM events WHERE id <= $1 ORDER BY id DESC LIMIT 1`

	// The first rows of a part, by the index of the key.
	tallyEvents = `SELECT COUNT(*), COUNT(CASE WHEN type >= 'dsync.' AND type < 'dsync/' THEN 1 END)
		FROM (SELECT type FROM events WHERE id >= $1 AND id < $2 ORDER BY id LIMIT $3) AS looked_at`

	selectLast = `SELECT COALESCE(MAX(seq), 0) FROM events`
	noneSince  = `SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM events WHERE seq > $1 AND organization_id = $2)`

	selectEnd = `SELECT id, n FROM event_log ORDER BY pos DESC LIMIT 1`

	// PostgreSQL only: giving positions after commit.
	freezeHead     = `LOCK TABLE event_head IN EXCLUSIVE MODE`
	lockHead       = `SELECT last FROM event_head FOR UPDATE`
	anyQueued      = `SELECT EXISTS (SELECT 1 FROM event_queue)`
	positionQueued = `WITH q AS (DELETE FROM event_queue WHERE seq IN (SELECT seq FROM event_queue ORDER BY seq LIMIT 10000)
			RETURNING seq, organization_id, type, n)
		INSERT INTO event_positions (pos, seq, organization_id, type, n)
			SELECT $1 + row_number() OVER (ORDER BY seq), seq, organization_id, type, n FROM q`
	moveHead        = `UPDATE event_head SET last = last + $1`
	deletePositions = `DELETE FROM event_positions WHERE seq < $1`
	insertColumns   = `INSERT INTO events (id, organization_id, type, n, created_at, context, data) VALUES `
	valuesPerEvent  = 7
	eventsPerInsert = 16
	queueFromInsert = `WITH appended AS (%s RETURNING seq, organization_id, type, n)
		INSERT INTO event_queue (seq, organization_id, type, n) SELECT seq, organization_id, type, n FROM appended`
)

// Consumers.
const (
	consumerColumns = `name, organization_id, types, cursor, passed, created_at, updated_at, acknowledged_at`
	selectConsumers = `SELECT ` + consumerColumns + ` FROM event_consumers ORDER BY name`
	selectConsumer  = `SELECT ` + consumerColumns + ` FROM event_consumers WHERE name = $1`
	insertConsumer  = `INSERT INTO event_consumers (name, organization_id, types, cursor, passed, created_at, updated_at)
		SELECT $1, $2, $3, $4, '', $5, $5 WHERE (SELECT COUNT(*) FROM event_consumers) < $6`
	deleteConsumer = `DELETE FROM event_consumers WHERE name = $1`
	moveConsumer   = `UPDATE event_consumers SET cursor = $2, passed = '', updated_at = $3, acknowledged_at = $3 WHERE name = $1`
	passConsumer   = `UPDATE event_consumers SET passed = $3 WHERE name = $1 AND cursor = $2`
	countWaiting   = `SELECT CAST(COALESCE(SUM(n), 0) AS BIGINT) FROM (SELECT n FROM %s WHERE %s ORDER BY pos LIMIT %d) AS w`
)

// Changes that somebody is still to be told of.
const (
	insertNotice = `INSERT INTO change_notices (id, organization_id, action, target, context, details, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)`
	// %s is the lock: another process takes others.
	takeNotices = `DELETE FROM change_notices WHERE id IN (SELECT id FROM change_notices WHERE created_at <= $1 ORDER BY id LIMIT $2%s)
		RETURNING id, organization_id, action, target, context, details, created_at`
	forgetNotices = `DELETE FROM change_notices WHERE organization_id = $1`
)

// Erasures.
const (
	insertErasure  = `INSERT INTO erasures (id, organization_id, subject, requested_at) VALUES ($1, $2, $3, $4)`
	selectErasures = `SELECT id, organization_id, subject FROM erasures WHERE requested_at <= $1 AND (leased_until IS NULL OR leased_until < $2)
		ORDER BY requested_at, id LIMIT 500`
	leaseErasure  = `UPDATE erasures SET leased_until = $2 WHERE id = $1`
	deleteErasure = `DELETE FROM erasures WHERE id = $1`
	selectFurther = `SELECT id FROM events WHERE id > $1 ORDER BY id LIMIT 1 OFFSET $2`
	selectBetween = `SELECT id, type, n, context, data FROM events WHERE id > $1 AND id <= $2 AND organization_id = $3 ORDER BY id`
	rewriteEvent  = `UPDATE events SET context = $2, data = $3 WHERE id = $1`
)

// Audit and acknowledgements.
const (
	insertAudit = `INSERT INTO audit_entries (id, organization_id, action, target, actor_id, context, changes, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`
	selectAudit = `SELECT id, organization_id, action, target, context, changes, created_at FROM audit_entries`
	keepAudit   = insertAudit + ` ON CONFLICT DO NOTHING`
	// The oldest, of the types that the audit keeps.
	selectKept = `SELECT id, organization_id, type, n, created_at, context, data FROM events WHERE type IN (%s) AND seq IN (SELECT seq` + oldest
	// Of a whole organization, or of those who did it or whom it was done to.
	selectAuditOf = `SELECT id, context FROM audit_entries WHERE organization_id = $1 AND ($2 = '' OR target = $2 OR actor_id = $2) ORDER BY id`
	blankAudit    = `UPDATE audit_entries SET context = $2, changes = '{}' WHERE id = $1`

	insertAcknowledgement = `INSERT INTO event_acknowledgements (event_id, organization_id, actor_id, source, acknowledged_at)
		VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`
	selectAcknowledged = `SELECT event_id, organization_id, actor_id, source, acknowledged_at FROM event_acknowledgements WHERE event_id IN (%s) ORDER BY acknowledged_at, event_id`
	expireAcknowledged = `DELETE FROM event_acknowledgements WHERE acknowledged_at < $1`

	selectAboutThen = `SELECT id, organization_id, type, n, created_at, context, data FROM events
		WHERE id > $1 AND id < $2 AND organization_id = $3 AND type IN (%s) ORDER BY id`
)

// insertText makes the statement that appends n rows in order. The rows go in one statement, because within one request
// their order is part of the meaning.
func insertText(n int, queued bool) string {
	var b strings.Builder
	b.WriteString(insertColumns)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('(')
		for c := range valuesPerEvent {
			if c > 0 {
				b.WriteByte(',')
			}
			fmt.Fprintf(&b, "$%d", i*valuesPerEvent+c+1)
		}
		b.WriteByte(')')
	}
	if queued {
		return fmt.Sprintf(queueFromInsert, b.String())
	}
	return b.String()
}

// Backups.
const (
	// PostgreSQL only: a backup has positions for row numbers, also for events that were given none yet.
	positionedEvents = `FROM (
		SELECT p.pos AS seq, e.id, e.organization_id, e.type, e.n, e.created_at, e.context, e.data FROM event_positions p JOIN events e ON e.seq = p.seq
		UNION ALL
		SELECT (SELECT last FROM event_head) + row_number() OVER (ORDER BY e.seq), e.id, e.organization_id, e.type, e.n, e.created_at, e.context, e.data
		FROM events e WHERE NOT EXISTS (SELECT 1 FROM event_positions p WHERE p.seq = e.seq)
	) AS log ORDER BY seq`
	positionColumns  = `SELECT attname::text FROM pg_attribute WHERE attrelid = 'event_positions'::regclass AND attnum > 0 AND NOT attisdropped AND attname NOT IN ('pos', 'seq') ORDER BY attnum`
	positionRestored = `INSERT INTO event_positions (pos, seq%[1]s) SELECT seq, seq%[1]s FROM events`
	restoreHead      = `UPDATE event_head SET last = (SELECT COALESCE(MAX(seq), 0) FROM events)`
)
