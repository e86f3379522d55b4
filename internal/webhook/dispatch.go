package webhook

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/token"
)

// dispatcher has a worker for each endpoint that this process owns, and writes down what they did.
type dispatcher struct {
	s       *Service
	lease   atomic.Pointer[lease] // nil before the first
	dead    time.Duration         // leaseDead
	wake    chan struct{}
	results chan outcome

	// epoch counts up when deliveries may have been added that were not offered here.
	epoch atomic.Int64
	mu    sync.Mutex
	last  int64 // number of the last delivery that is known here
	own   map[EndpointID]*worker

	// Of manage alone.
	beats    map[string]seen
	version  int64
	held     *lease // whose workers are those in own
	measured time.Time
}

func (d *dispatcher) init(s *Service) {
	d.s, d.dead, d.wake, d.results, d.own, d.version = s, leaseDead, make(chan struct{}, 1), make(chan outcome, 1024), map[EndpointID]*worker{}, -1
}

func (d *dispatcher) nudge() {
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// offer hands deliveries that were just written to the workers, to spare them the look into the database. before and last are the
// numbers of the last delivery before and after.
func (d *dispatcher) offer(before, last int64, made []Delivery) {
	if before == last {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	complete := before == d.last
	d.last = max(d.last, last)
	if !complete {
		d.missed()
		return
	}
	by := map[EndpointID][]Delivery{}
	for _, one := range made {
		by[one.EndpointID] = append(by[one.EndpointID], one)
	}
	for id, some := range by {
		if w := d.own[id]; w != nil {
			w.offer(some)
		}
	}
}

// missed has every worker look into the database. The lock is held.
func (d *dispatcher) missed() {
	d.epoch.Add(1)
	for _, w := range d.own {
		w.nudge()
	}
}

// How often other processes' work is looked for: what they add for endpoints of ours, and what they change. Alone there is nothing
// to find, and a process that joins is noticed by its beat.
const (
	pollBusy  = 40 * time.Millisecond
	pollIdle  = 80 * time.Millisecond
	pollAlone = time.Second
	busyFor   = 10 * time.Second
	syncEach  = time.Second
)

// manage starts and stops workers until ctx ends.
func (d *dispatcher) manage(ctx context.Context) {
	var synced, changed time.Time
	alone := false
	for ctx.Err() == nil {
		moved, newer, err := d.look(ctx)
		now := time.Now()
		if moved {
			changed = now
		}
		if err == nil && (newer || d.lostLease() || now.Sub(synced) >= syncEach) {
			synced = now
			alone, err = d.sync(ctx)
		}
		if err != nil && ctx.Err() == nil {
			d.s.log.Error("webhook endpoints could not be looked at and will be again", "error", err)
			pause(ctx, errorPause)
		}
		interval := pollIdle
		switch {
		case alone:
			interval = pollAlone
		case now.Sub(changed) < busyFor:
			interval = pollBusy
		}
		wait(ctx, d.wake, interval)
	}
}

func (d *dispatcher) lostLease() bool { return d.lease.Load() != d.held }

// look asks the one row whether deliveries were added elsewhere, and whether endpoints have changed.
func (d *dispatcher) look(ctx context.Context) (moved, newer bool, err error) {
	var cursor string
	var last, version int64
	if err := d.s.db.QueryRow(ctx, selectCursor).Scan(&cursor, &last, &version); err != nil {
		return false, false, fmt.Errorf("read the webhook cursor: %w", err)
	}
	newer = version != d.version
	d.version = version
	d.mu.Lock()
	defer d.mu.Unlock()
	if moved = last > d.last; moved {
		d.last = last
		d.missed()
	}
	return moved, newer, nil
}

// sync makes the workers those of the endpoints that are enabled and ours, taking what is free. It says whether this process is
// alone.
func (d *dispatcher) sync(ctx context.Context) (alone bool, err error) {
	l := d.lease.Load()
	if l != d.held {
		d.drop(nil) // of a lease that is over
		d.held = l
	}
	if !l.holds() {
		return false, nil
	}
	alive, err := d.watch(ctx)
	if err != nil {
		return false, err
	}
	found, err := d.s.endpoints(ctx, d.s.db, selectEndpoint+" AND status = 'enabled' ORDER BY id")
	if err != nil {
		return false, err
	}
	mine := map[EndpointID]Endpoint{}
	for _, e := range found {
		ours, err := d.claim(ctx, l, e, alive)
		if err != nil {
			return false, err
		}
		if ours {
			mine[e.ID] = e.Endpoint
		}
	}
	d.drop(mine)
	for _, e := range mine {
		d.hire(ctx, l, e)
	}
	return len(alive) <= 1, d.measure(ctx)
}

// claim takes an endpoint that nobody alive owns.
func (d *dispatcher) claim(ctx context.Context, l *lease, e stored, alive map[string]bool) (bool, error) {
	if e.owner == l.process || alive[e.owner] {
		return e.owner == l.process, nil
	}
	var w db.Write
	w.Guard(claimEndpoint, string(e.ID), l.process, e.owner)
	err := d.s.db.Write(ctx, &w)
	var lost *db.GuardError
	if errors.As(err, &lost) { // another was first
		err = nil
	}
	return lost == nil && err == nil, err
}

// hire starts a worker, or tells the one there is what has changed. One that is leaving is waited for: two workers of one endpoint
// never work at once.
func (d *dispatcher) hire(ctx context.Context, l *lease, e Endpoint) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if w := d.own[e.ID]; w != nil {
		if was := w.endpoint.Load(); !same(*was, e) {
			w.endpoint.Store(&e)
			w.nudge()
		}
		return
	}
	w := newWorker(d.s, e)
	work, stop := context.WithCancel(ctx)
	w.stop = stop
	context.AfterFunc(l.ctx, stop)
	d.own[e.ID] = w
	go w.run(work, l.ctx)
}

func same(a, b Endpoint) bool {
	return a.URL == b.URL && a.Secret == b.Secret && a.OldSecret == b.OldSecret && a.OldUntil.Equal(b.OldUntil) && a.UpdatedAt.Equal(b.UpdatedAt)
}

// drop stops the workers of endpoints that are not to be kept, and forgets those that have ended.
func (d *dispatcher) drop(keep map[EndpointID]Endpoint) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for id, w := range d.own {
		if _, kept := keep[id]; !kept {
			w.stop()
		}
		select {
		case <-w.ended:
			delete(d.own, id)
		default:
		}
	}
}

// stopPatience is how long attempts under way may go on when this process stops.
const stopPatience = 5 * time.Second

// finish waits for the workers after the manager has ended.
func (d *dispatcher) finish() {
	l := d.held
	if l != nil {
		cut := time.AfterFunc(stopPatience, l.end)
		defer cut.Stop()
	}
	d.mu.Lock()
	var leaving []*worker
	for _, w := range d.own {
		leaving = append(leaving, w)
	}
	d.mu.Unlock()
	for _, w := range leaving {
		w.stop()
		<-w.ended
	}
}

// record hands an outcome to the recorder, which gives it back to the worker once it is on disk.
func (d *dispatcher) record(o outcome) { d.results <- o }

const (
	outcomesPerWrite = 256
	writePatience    = 5 * time.Second
)

// recorder writes outcomes down, as many together as there are, until results is closed.
func (d *dispatcher) recorder(ctx context.Context) {
	for o := range d.results {
		some := append(make([]outcome, 0, outcomesPerWrite), o)
	gather:
		for len(some) < outcomesPerWrite {
			select {
			case o, open := <-d.results:
				if !open {
					break gather
				}
				some = append(some, o)
			default:
				break gather
			}
		}
		d.write(ctx, some)
		for _, o := range some {
			d.s.counts.add(o.verdict)
			o.w.settle(o)
		}
	}
}

// write tries until it succeeds: what is not written down would be sent again. After ctx has ended it gives up soon, and that is what
// happens then.
func (d *dispatcher) write(ctx context.Context, some []outcome) {
	w := d.statements(some)
	if w.Len() == 0 {
		return
	}
	for first := time.Now(); ; {
		patient, cancel := context.WithTimeout(context.WithoutCancel(ctx), writePatience)
		err := d.s.db.Write(patient, w)
		cancel()
		if err == nil {
			return
		}
		d.s.log.Error("what became of webhook deliveries was not written down", "deliveries", len(some), "error", err)
		var refused *db.ArgumentError
		if errors.As(err, &refused) || ctx.Err() != nil && time.Since(first) > writePatience {
			return
		}
		time.Sleep(errorPause / 4)
	}
}

func (d *dispatcher) statements(some []outcome) *db.Write {
	w := &db.Write{}
	now := d.s.time().UnixMicro()
	var attempts, finished, postponed [][]any
	for _, o := range some {
		if o.verdict == aborted {
			continue
		}
		if o.verdict != undone {
			attempts = append(attempts, o.row())
			o.health(w)
		}
		switch state, reason := o.end(); state {
		case Pending:
			postponed = append(postponed, []any{string(o.j.id), o.j.attempts, o.due})
		default:
			finished = append(finished, []any{string(o.j.id), string(state), reason, o.j.attempts, now})
		}
	}
	w.Many(insertAttempt, attempts)
	w.Many(finish, finished)
	w.Many(postpone, postponed)
	return w
}

func (o outcome) row() []any {
	a := o.attempt
	var status *int64
	if a.Status != 0 {
		n := int64(a.Status)
		status = &n
	}
	return []any{a.ID, string(o.j.id), a.At.UnixMicro(), a.Took.Microseconds(), status, db.TextOrNull(a.Error), db.TextOrNull(a.Answer)}
}

// end is the state that a delivery is left in, and the reason as it is stored.
func (o outcome) end() (State, any) {
	switch o.verdict {
	case delivered:
		return Delivered, nil
	case givenUp:
		return Failed, attemptsUsedUp
	case undone:
		return Cancelled, eventGone
	default:
		return Pending, nil
	}
}

// health keeps the moment of the first failure since the last success.
func (o outcome) health(w *db.Write) {
	failed := o.verdict != delivered
	if o.w.failing.Swap(failed) == failed {
		return
	}
	if failed {
		w.Exec(setFailing, string(o.w.id), o.attempt.At.UnixMicro())
	} else {
		w.Exec(clearFailing, string(o.w.id))
	}
}

// counters are what became of attempts in this process.
type counters struct{ delivered, retried, failed, cancelled, oldest atomic.Int64 }

func (c *counters) add(v verdict) {
	switch v {
	case delivered:
		c.delivered.Add(1)
	case again, gone:
		c.retried.Add(1)
	case givenUp:
		c.failed.Add(1)
	case undone:
		c.cancelled.Add(1)
	case aborted:
	}
}

// Delivered counts deliveries of this process.
func (s *Service) Delivered() int64 { return s.counts.delivered.Load() }

// Retried counts failed attempts that will be repeated.
func (s *Service) Retried() int64 { return s.counts.retried.Load() }

// GivenUp counts deliveries whose attempts are used up.
func (s *Service) GivenUp() int64 { return s.counts.failed.Load() }

// OldestPending is the age of the oldest delivery that is not done, as of a moment ago.
func (s *Service) OldestPending() time.Duration {
	created := s.counts.oldest.Load()
	if created == 0 {
		return 0
	}
	return max(0, s.time().Sub(time.UnixMicro(created)))
}

const measureEach = 5 * time.Second

// measure looks for the oldest that is pending, now and then.
func (d *dispatcher) measure(ctx context.Context) error {
	if time.Since(d.measured) < measureEach {
		return nil
	}
	d.measured = time.Now()
	var oldest *int64
	if err := d.s.db.QueryRow(ctx, oldestPending).Scan(&oldest); err != nil {
		return fmt.Errorf("look for the oldest webhook delivery: %w", err)
	}
	if oldest == nil {
		oldest = new(int64)
	}
	d.s.counts.oldest.Store(*oldest)
	return nil
}

// Run delivers until ctx ends; then attempts under way have a moment to finish, and endpoints are given back.
func (s *Service) Run(ctx context.Context) {
	d := &s.dispatch
	var following, recording sync.WaitGroup
	recording.Go(func() { d.recorder(ctx) })
	leasing, endLease := context.WithCancel(context.WithoutCancel(ctx))
	following.Go(func() { d.keep(leasing) })
	following.Go(func() { s.expireEach(leasing, time.Minute) })
	var working sync.WaitGroup
	working.Go(func() { s.fan.run(ctx, s) })
	working.Go(func() { d.manage(ctx) })
	working.Wait()
	d.finish()
	close(d.results)
	recording.Wait()
	endLease()
	following.Wait()
	s.client.CloseIdleConnections()
}

func (s *Service) expireEach(ctx context.Context, every time.Duration) {
	for ctx.Err() == nil {
		if err := s.Expire(ctx); err != nil && ctx.Err() == nil {
			s.log.Error("old webhook deliveries were not deleted and will be later", "error", err)
		}
		pause(ctx, every)
	}
}

// Expire deletes finished deliveries, attempts and deleted endpoints older than the retention, in short transactions.
func (s *Service) Expire(ctx context.Context) error {
	if s.o.Retention <= 0 {
		return nil
	}
	cutoff := s.time().Add(-s.o.Retention)
	for _, one := range []struct {
		text string
		arg  any
	}{
		{expireAttempts, token.Before(attemptPrefix, cutoff)}, {expireDeliveries, token.Before(DeliveryPrefix, cutoff)}, {expireEndpoints, cutoff.UnixMicro()},
	} {
		for n := int64(1); n > 0; {
			err := s.db.Tx(ctx, func(tx db.Tx) (err error) {
				n, err = tx.Exec(ctx, one.text, one.arg)
				return err
			})
			if err != nil {
				return fmt.Errorf("delete old webhook deliveries: %w", err)
			}
		}
	}
	return nil
}
