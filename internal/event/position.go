package event

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
)

// On PostgreSQL a sequence number can become visible after a higher one, so a reader that followed it would miss events.
// A counter row locked by every writer would queue all commits behind one another's fsync. So writers put the numbers of
// their rows into event_queue, and after the commit any process moves what is visible there to event_positions, in a short
// transaction of its own under one row lock. A reader does this first: whatever was acknowledged before it began is in its
// answer, and nothing can ever appear before a position that was readable.

// positionsAtOnce bounds one such transaction; positionQueued holds it too.
const positionsAtOnce = 10_000

// Position gives positions to all events that are committed now. On SQLite there is nothing to do.
func (l *Log) Position(ctx context.Context) error {
	if !l.positioned() {
		return nil
	}
	for {
		n, err := l.positionSome(ctx)
		if err != nil || n < positionsAtOnce {
			return err
		}
	}
}

func (l *Log) positionSome(ctx context.Context) (int64, error) {
	var queued bool
	if err := l.db.QueryRow(ctx, anyQueued).Scan(&queued); err != nil {
		return 0, fmt.Errorf("look for events without a position: %w", err)
	}
	if !queued {
		return 0, nil
	}
	var n int64
	err := l.db.Tx(ctx, func(tx db.Tx) (err error) {
		n, err = positionQueue(ctx, tx)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("give events their positions: %w", err)
	}
	return n, nil
}

// positionQueue gives positions to at most positionsAtOnce events, under the lock of the head.
func positionQueue(ctx context.Context, tx db.Tx) (int64, error) {
	var last int64
	if err := tx.QueryRow(ctx, lockHead).Scan(&last); err != nil {
		return 0, err
	}
	n, err := tx.Exec(ctx, positionQueued, last)
	if err != nil || n == 0 {
		return 0, err
	}
	_, err = tx.Exec(ctx, moveHead, n)
	return n, err
}

// Nudge tells the background worker and those who wait for Changed that something was committed. It never blocks.
func (l *Log) Nudge() {
	l.bell.ring()
	select {
	case l.nudge <- struct{}{}:
	default:
	}
}

// Mark is a moment in the log; Quiet guards that nothing has happened since.
type Mark int64

// Mark gives the present moment, to be taken before anything is read. ok is false where row numbers are not the order of commits
// (PostgreSQL) and so mark no moment.
func (l *Log) Mark(ctx context.Context) (m Mark, ok bool, err error) {
	if l.positioned() {
		return 0, false, nil
	}
	err = l.db.QueryRow(ctx, selectLast).Scan((*int64)(&m))
	return m, err == nil, err
}

// Quiet adds the guard that no event of the organization was appended since the mark: then nobody's state has changed, and
// hundreds of people need not be looked at one by one.
func (m Mark) Quiet(w *db.Write, organizationID string) {
	w.GuardSelect(noneSince, int64(m), organizationID)
}

// Housekeeping is what Run keeps to.
type Housekeeping struct {
	Retention time.Duration // events older than this are deleted; 0 keeps them for ever
	Every     time.Duration // how often, about
	Fail      func(error)   // told of every failure; the worker goes on
}

// Run gives positions soon after commits, also for those of processes that died, and deletes what is older than the
// retention. It returns when ctx ends.
func (l *Log) Run(ctx context.Context, h Housekeeping) {
	tick := time.NewTicker(h.Every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.nudge:
			l.gather(ctx)
		case <-tick.C:
			if err := l.Expire(ctx, h.Retention, time.Now()); err != nil && ctx.Err() == nil {
				h.Fail(err)
			}
		}
		if err := l.Position(ctx); err != nil && ctx.Err() == nil {
			h.Fail(err)
		}
	}
}

// gather waits a moment for further commits: readers give positions themselves, so nobody waits for this worker.
func (l *Log) gather(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-time.After(500 * time.Millisecond):
	}
}

// Expire deletes events older than the retention, the oldest first, in short transactions; 0 deletes nothing. The newest event
// stays whatever its age, so that row numbers never begin anew.
func (l *Log) Expire(ctx context.Context, retention time.Duration, now time.Time) error {
	if retention <= 0 {
		return nil
	}
	if err := l.Position(ctx); err != nil { // what has no position yet is in nobody's past
		return err
	}
	cutoff := now.Add(-retention).UnixMicro()
	for {
		var first, created int64
		err := l.db.QueryRow(ctx, selectFirst).Scan(&first, &created)
		if err != nil || created >= cutoff {
			return ignoreNoRows(err)
		}
		if n, err := l.expireSome(ctx, cutoff); err != nil || n == 0 {
			return err
		}
	}
}

func (l *Log) expireSome(ctx context.Context, cutoff int64) (n int64, err error) {
	err = l.db.Tx(ctx, func(tx db.Tx) error {
		if err := noteExpired(ctx, tx, cutoff); err != nil {
			return err
		}
		if err := l.keepAudited(ctx, tx, cutoff); err != nil {
			return err
		}
		if n, err = tx.Exec(ctx, deleteOldest, cutoff); err != nil || !l.positioned() {
			return err
		}
		var first, created int64
		if err := tx.QueryRow(ctx, selectFirst).Scan(&first, &created); err != nil {
			return ignoreNoRows(err)
		}
		_, err := tx.Exec(ctx, deletePositions, first)
		return err
	})
	return n, err
}

func ignoreNoRows(err error) error {
	if errors.Is(err, db.ErrNoRows) {
		return nil
	}
	return err
}
