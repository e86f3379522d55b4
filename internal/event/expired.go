package event

import (
	"context"
	"errors"
	"fmt"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/token"
)

// The last event that the retention has deleted is noted. A reader whose cursor it is has missed nothing and goes on; one whose
// cursor lies before it may have, and has to be told.

// edge is the row of that event.
type edge struct {
	pos int64
	id  string
	n   int64
}

// CodeExpired is the code of the refusal of a cursor whose event the retention has deleted.
const CodeExpired = "cursor_expired"

// expiredCursor is the place of a cursor that is not in the log, if nothing between it and the log is lost; else the refusal.
func expiredCursor(ctx context.Context, r db.Reader, id string, unknown error) (place, error) {
	last, err := readNoted(ctx, r)
	if err != nil {
		return place{}, err
	}
	if last.id == "" || id > token.At(last.id, MaxPacked) {
		return place{}, unknown
	}
	if offset, ok := token.Offset(last.id, id); ok && int64(offset) == last.n-1 {
		return place{pos: last.pos, offset: offset, set: true}, nil
	}
	return place{}, errExpired(id)
}

func errExpired(id string) error {
	return fault.New(fault.Conflict, CodeExpired, "Events after this cursor may be missing: %.60q was deleted because of its age. "+
		"Read GET /events/snapshot and go on from the cursor it gives; for a consumer, delete it and create it with that start.", id)
}

func readNoted(ctx context.Context, r db.Reader) (last edge, err error) {
	var text string
	err = r.QueryRow(ctx, selectNoted).Scan(&text)
	if errors.Is(err, db.ErrNoRows) {
		return edge{}, nil
	}
	if err == nil {
		_, err = fmt.Sscanf(text, "%d %s %d", &last.pos, &last.id, &last.n)
	}
	if err != nil {
		return edge{}, fmt.Errorf("read which event was deleted last: %w", err)
	}
	return last, nil
}

// noteExpired notes the last of the events that are about to be deleted.
func noteExpired(ctx context.Context, tx db.Tx, cutoff int64) error {
	var next edge
	err := tx.QueryRow(ctx, selectEdge, cutoff).Scan(&next.pos, &next.id, &next.n)
	if err != nil {
		return ignoreNoRows(err)
	}
	last, err := readNoted(ctx, tx)
	if err != nil || last.pos >= next.pos {
		return err
	}
	_, err = tx.Exec(ctx, upsertNoted, fmt.Sprintf("%d %s %d", next.pos, next.id, next.n))
	return err
}
