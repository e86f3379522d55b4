package event

import (
	"fmt"
	"strings"
)

const (
	selectLog   = `SELECT pos, id, organization_id, type, n, created_at, context, data FROM event_log`
	selectAt    = `SELECT pos, id, n FROM event_log WHERE id <= $1 ORDER BY id DESC LIMIT 1`
	selectFirst = `SELECT seq, created_at FROM events ORDER BY seq LIMIT 1`

	selectNamed  = `SELECT id, organization_id, type, n, created_at, context, data FROM events WHERE id IN (%s)`
	selectAround = `SELECT id, organization_id, type, n, created_at, context, data FROM events WHERE id <= $1 ORDER BY id DESC LIMIT 1`

	deleteOldest = `DELETE FROM events WHERE seq IN (SELECT seq FROM events WHERE created_at < $1 AND seq < (SELECT MAX(seq) FROM events) ORDER BY seq LIMIT 1000)`

	selectLast = `SELECT COALESCE(MAX(seq), 0) FROM events`
	noneSince  = `SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM events WHERE seq > $1 AND organization_id = $2)`

	// PostgreSQL only: giving positions after commit.
	lockHead       = `SELECT last FROM event_head FOR UPDATE`
	anyQueued      = `SELECT EXISTS (SELECT 1 FROM event_queue)`
	positionQueued = `WITH q AS (DELETE FROM event_queue WHERE seq IN (SELECT seq FROM event_queue ORDER BY seq LIMIT 10000) RETURNING seq)
		INSERT INTO event_positions (pos, seq) SELECT $1 + row_number() OVER (ORDER BY seq), seq FROM q`
	moveHead        = `UPDATE event_head SET last = last + $1`
	deletePositions = `DELETE FROM event_positions WHERE seq < $1`
	insertColumns   = `INSERT INTO events (id, organization_id, type, n, created_at, context, data) VALUES `
	valuesPerEvent  = 7
	eventsPerInsert = 16
	queueFromInsert = `WITH appended AS (%s RETURNING seq) INSERT INTO event_queue (seq) SELECT seq FROM appended`
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
