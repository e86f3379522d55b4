package webhook

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/token"
)

// With PostgreSQL several processes deliver. Each endpoint belongs to one of them at a time, so that the order of its deliveries is
// kept by one process's memory and no two send the same. Ownership needs no clocks that agree:
//
//   - a process counts up its row of webhook_processes, its beat;
//   - it trusts its ownership for leaseTrusted, on its own clock, counted from before the last beat was sent, and cuts off every
//     attempt under way when that is over;
//   - another that has seen a beat stand still for leaseDead removes the row if the beat still is the same. From then on a beat
//     of the dead one fails, and whoever comes first takes its endpoints.
//
// Because leaseTrusted is shorter, nobody takes over while the former owner still sends.
const (
	leaseBeat    = 2 * time.Second
	leaseTrusted = 8 * time.Second
	leaseDead    = 10 * time.Second
)

// lease is a stretch of time in which this process may own endpoints. Its context ends when the trust does.
type lease struct {
	process string
	beats   int64
	ctx     context.Context
	end     context.CancelFunc
	trust   *time.Timer
}

// holds says whether this process may own endpoints; a lease that was never made does not.
func (l *lease) holds() bool { return l != nil && l.ctx.Err() == nil }

// keep holds a lease until ctx ends, and makes a new one when one is lost.
func (d *dispatcher) keep(ctx context.Context) {
	for ctx.Err() == nil {
		l, err := d.join(ctx)
		if err != nil {
			if ctx.Err() == nil {
				d.s.log.Error("this process cannot join those that deliver webhooks and will try again", "error", err)
			}
			pause(ctx, errorPause)
			continue
		}
		d.lease.Store(l)
		d.nudge()
		if d.beat(ctx, l) {
			d.s.log.Warn("this process was too slow to keep its webhook endpoints; another may deliver to them now")
		}
		l.trust.Stop()
		l.end()
		if ctx.Err() != nil {
			d.leave(context.WithoutCancel(ctx), l)
		}
	}
}

// join makes a row for this process. With SQLite there is no other one, so rows that are left are of the dead.
func (d *dispatcher) join(ctx context.Context) (*lease, error) {
	began := time.Now()
	l := &lease{process: token.NewKey(24)}
	var w db.Write
	w.Exec(insertProcess, l.process)
	if d.s.db.Engine() == db.SQLite {
		w.Exec(onlyProcess, l.process)
	}
	if err := d.s.db.Write(ctx, &w); err != nil {
		return nil, fmt.Errorf("join the processes that deliver webhooks: %w", err)
	}
	// It outlives ctx: what is under way at a stop may finish.
	l.ctx, l.end = context.WithCancel(context.WithoutCancel(ctx))
	l.trust = time.AfterFunc(leaseTrusted-time.Since(began), l.end)
	return l, nil
}

// beat keeps the lease until ctx ends, and says whether it was lost before.
func (d *dispatcher) beat(ctx context.Context, l *lease) (lost bool) {
	for {
		select {
		case <-ctx.Done():
			return false
		case <-l.ctx.Done():
			return true
		case <-time.After(leaseBeat):
		}
		if err := d.beatOnce(ctx, l); err != nil && ctx.Err() == nil {
			d.s.log.Error("the lease on webhook endpoints was not renewed", "error", err)
			var gone *db.GuardError
			var unknown *db.UnknownOutcomeError
			if errors.As(err, &gone) || errors.As(err, &unknown) {
				return true
			}
		}
	}
}

func (d *dispatcher) beatOnce(ctx context.Context, l *lease) error {
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, leaseTrusted)
	defer cancel()
	var w db.Write
	w.Guard(beat, l.process, l.beats)
	if err := d.s.db.Write(ctx, &w); err != nil {
		return err
	}
	l.beats++
	// If the trust ended meanwhile it stays ended.
	if l.trust.Stop() {
		l.trust.Reset(leaseTrusted - time.Since(began))
	}
	return nil
}

// leave gives everything back at once, so that nobody has to wait for this process to be found dead.
func (d *dispatcher) leave(ctx context.Context, l *lease) {
	ctx, cancel := context.WithTimeout(ctx, writePatience)
	defer cancel()
	var w db.Write
	w.Exec(endProcess, l.process)
	if err := d.s.db.Write(ctx, &w); err != nil {
		d.s.log.Warn("the webhook endpoints of this process were not given back; others will find it gone", "error", err)
	}
}

// seen is a beat and since when it stands still.
type seen struct {
	beat  int64
	since time.Time
}

// watch looks at the beats of all processes, buries those whose beat stands still, and says who lives.
func (d *dispatcher) watch(ctx context.Context) (alive map[string]bool, err error) {
	rows, err := d.s.db.Query(ctx, selectBeats)
	if err != nil {
		return nil, fmt.Errorf("read who delivers webhooks: %w", err)
	}
	defer rows.Close()
	now, beats := time.Now(), map[string]seen{}
	for rows.Next() {
		var process string
		var n int64
		if err := rows.Scan(&process, &n); err != nil {
			return nil, fmt.Errorf("read who delivers webhooks: %w", err)
		}
		if was, known := d.beats[process]; known && was.beat == n {
			beats[process] = was
		} else {
			beats[process] = seen{n, now}
		}
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read who delivers webhooks: %w", err)
	}
	rows.Close()
	d.beats, alive = beats, map[string]bool{}
	for process, b := range beats {
		if now.Sub(b.since) < d.dead {
			alive[process] = true
			continue
		}
		var w db.Write
		w.Exec(buryProcess, process, b.beat)
		if err := d.s.db.Write(ctx, &w); err != nil {
			return nil, fmt.Errorf("take over from a process that has died: %w", err)
		}
	}
	return alive, nil
}
