package event

import (
	"context"
	"errors"
	"fmt"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/token"
)

// Snapshot gives read the database as of one moment together with the cursor of that moment: every event that was committed then
// is at the cursor or before it, every other comes after it. The cursor is "" while the log is empty. The moment lasts, and holds a
// connection, until read returns.
func (l *Log) Snapshot(ctx context.Context, read func(r db.Reader, cursor string) error) error {
	if err := l.Position(ctx); err != nil { // the bulk of it, so that the lock is held for little
		return err
	}
	var cursor string
	return l.db.SnapshotAfter(ctx, func(tx db.Tx) (err error) {
		if l.positioned() {
			if err = positionAll(ctx, tx); err != nil {
				return fmt.Errorf("give events their positions: %w", err)
			}
		}
		cursor, err = lastID(ctx, tx)
		return err
	}, func(r db.Reader) error { return read(r, cursor) })
}

// positionAll gives positions to every event that the transaction sees. The lock is taken before the transaction sees anything, so
// nobody can have moved the head behind its back: what is in the queue then has no position yet, and what is not seen then
// gets a later one.
func positionAll(ctx context.Context, tx db.Tx) error {
	if _, err := tx.Exec(ctx, freezeHead); err != nil {
		return err
	}
	for {
		if n, err := positionQueue(ctx, tx); err != nil || n < positionsAtOnce {
			return err
		}
	}
}

// lastID is the id of the last event that r sees.
func lastID(ctx context.Context, r db.Reader) (string, error) {
	var id string
	var n int64
	err := r.QueryRow(ctx, selectEnd).Scan(&id, &n)
	if errors.Is(err, db.ErrNoRows) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read the end of the log: %w", err)
	}
	return token.At(id, int(n)-1), nil
}
