package event

import (
	"context"
	"fmt"

	"github.com/rollcallhq/rollcall/internal/db"
)

// Packing carries the log from engine to engine in its readers' order. In a backup the seq of an event is its position. On SQLite
// that is what seq is; on PostgreSQL positions are put in its place and are made of it again, so a reader's cursor stays where it
// was, whichever engine the log ends up in.
func Packing(d *db.DB) db.Packing {
	p := db.Packing{Leave: map[string]string{
		"event_queue":     "events without a position are given one in the backup",
		"event_positions": "made of the order of the events",
		"event_head":      "the last of the positions",
	}}
	if d.Engine() == db.PostgreSQL {
		p.From = map[string]string{"events": positionedEvents}
		p.Hold = func(ctx context.Context, r db.Reader) error { return holdPositions(ctx, d, r) }
		p.Finish = restorePositions
	}
	return p
}

// holdPositions fixes the moment of the snapshot while nobody gives positions. The events that have none in it are then in the log's
// order already: whoever gives them theirs later will see all of them, and take them by their seq as the backup does.
func holdPositions(ctx context.Context, d *db.DB, r db.Reader) error {
	return d.Tx(ctx, func(tx db.Tx) error {
		var last int64
		if err := tx.QueryRow(ctx, lockHead).Scan(&last); err != nil {
			return fmt.Errorf("hold the positions of events: %w", err)
		}
		var one int64
		return r.QueryRow(ctx, `SELECT 1::bigint`).Scan(&one)
	})
}

func restorePositions(ctx context.Context, tx db.Tx) error {
	copied, err := copiedColumns(ctx, tx)
	if err == nil {
		_, err = tx.Exec(ctx, fmt.Sprintf(positionRestored, copied))
	}
	if err == nil {
		_, err = tx.Exec(ctx, restoreHead)
	}
	if err != nil {
		return fmt.Errorf("give restored events their positions: %w", err)
	}
	return nil
}

// copiedColumns are what positions repeat of their events, by the same names. Which those are depends on the schema of the backup.
func copiedColumns(ctx context.Context, tx db.Tx) (list string, err error) {
	rows, err := tx.Query(ctx, positionColumns)
	if err != nil {
		return "", err
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return "", err
		}
		list += `, "` + name + `"`
	}
	return list, rows.Err()
}
