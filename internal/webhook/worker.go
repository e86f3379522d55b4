package webhook

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
)

const (
	inFlight = 16   // attempts at a time to one endpoint
	window   = 4096 // deliveries that a worker knows of; the rest waits in the database
	lookEach = time.Second
)

// worker delivers to one endpoint, in the one process that owns it. It holds the next deliveries in memory with what must not
// overtake what; the database has them all.
type worker struct {
	s        *Service
	id       EndpointID
	endpoint atomic.Pointer[Endpoint]
	stop     context.CancelFunc
	ended    chan struct{}
	wake     chan struct{}
	failing  atomic.Bool // the last attempt failed; read by the recorder

	mu      sync.Mutex
	offered []Delivery
	settled []outcome

	// Of run alone.
	epoch     int64 // of the dispatcher, as of the last look into the database; what came later was offered
	more      bool  // the database has more than the window had room for
	newest    int64 // highest seq that is known
	jobs      int
	lanes     lanes
	ready     queue
	later     queue
	sending   int
	failures  int // in a row
	restUntil time.Time
	preferOld bool // the former secret is the one that the receiver accepted last
}

// outcome is an attempt and what follows from it.
type outcome struct {
	w       *worker
	j       *job
	attempt Attempt
	verdict verdict
	due     int64
}

func newWorker(s *Service, e Endpoint) *worker {
	w := &worker{
		s: s, id: e.ID, ended: make(chan struct{}), wake: make(chan struct{}, 1), epoch: -1, lanes: lanes{},
		ready: queue{compare: bySeq}, later: queue{compare: byDue}, preferOld: true,
	}
	w.endpoint.Store(&e)
	w.failing.Store(!e.FailingSince.IsZero())
	return w
}

func (w *worker) nudge() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

func (w *worker) offer(d []Delivery) {
	w.mu.Lock()
	w.offered = append(w.offered, d...)
	w.mu.Unlock()
	w.nudge()
}

func (w *worker) settle(o outcome) {
	w.mu.Lock()
	w.settled = append(w.settled, o)
	w.mu.Unlock()
	w.nudge()
}

func (w *worker) take() ([]Delivery, []outcome) {
	w.mu.Lock()
	defer w.mu.Unlock()
	offered, settled := w.offered, w.settled
	w.offered, w.settled = nil, nil
	return offered, settled
}

// run works until ctx ends. Attempts under way are cut by cut, which ends no earlier.
func (w *worker) run(ctx, cut context.Context) {
	defer close(w.ended)
	for ctx.Err() == nil {
		offered, settled := w.take()
		for _, o := range settled {
			w.done(ctx, o)
		}
		err := w.refill(ctx, offered)
		d := lookEach
		if err == nil {
			d, err = w.start(ctx, cut)
		}
		if err != nil && ctx.Err() == nil {
			w.s.log.Error("webhook deliveries could not be read and will be tried again", "endpoint", w.id, "error", err)
			d = lookEach
		}
		wait(ctx, w.wake, d)
	}
	for w.sending > 0 { // who starts waits; cut bounds it
		_, settled := w.take()
		w.sending -= len(settled)
		if w.sending > 0 {
			<-w.wake
		}
	}
}

// refill takes what was offered, or looks into the database where something may have been added that was not.
func (w *worker) refill(ctx context.Context, offered []Delivery) error {
	epoch := w.s.dispatch.epoch.Load()
	if w.epoch == epoch && !w.more {
		for _, d := range offered {
			if w.jobs >= window {
				w.more = true // the rest is read when there is room
				break
			}
			w.add(d)
		}
		return nil
	}
	if w.jobs > window/2 {
		w.more = true
		return nil
	}
	found, err := w.s.deliveries(ctx, nextPending, string(w.id), w.newest, window-w.jobs)
	if err != nil {
		w.epoch = -1 // what was offered is forgotten
		return err
	}
	w.more = len(found) == window-w.jobs
	for _, d := range found {
		w.add(d)
	}
	w.epoch = epoch
	return nil
}

func (w *worker) add(d Delivery) {
	if d.seq <= w.newest {
		return
	}
	w.newest = d.seq
	j := jobOf(d)
	w.jobs++
	w.lanes.enter(j)
	if j.waits == 0 {
		w.later.add(j)
	}
}

// start sends what is due and gives how long there is nothing to do.
func (w *worker) start(ctx, cut context.Context) (time.Duration, error) {
	now := w.s.time()
	for w.later.Len() > 0 && w.later.first().due <= now.UnixMicro() {
		w.ready.add(w.later.take())
	}
	limit := inFlight
	if w.failures >= deadAfter {
		if rest := w.restUntil.Sub(now); rest > 0 {
			return min(rest, lookEach), nil
		}
		limit = 1
	}
	var chosen []*job
	for w.sending+len(chosen) < limit && w.ready.Len() > 0 {
		chosen = append(chosen, w.ready.take())
	}
	if err := w.send(ctx, cut, chosen); err != nil {
		for _, j := range chosen {
			w.ready.add(j)
		}
		return 0, err
	}
	if w.ready.Len() == 0 && w.later.Len() > 0 {
		return min(time.Duration(w.later.first().due-now.UnixMicro())*time.Microsecond, lookEach), nil
	}
	return lookEach, nil
}

func (w *worker) send(ctx, cut context.Context, chosen []*job) error {
	if len(chosen) == 0 {
		return nil
	}
	ids := make([]string, len(chosen))
	for i, j := range chosen {
		ids[i] = j.eventID
	}
	texts, err := w.s.bodiesOf(ctx, ids)
	if err != nil {
		return err
	}
	e := w.endpoint.Load()
	for _, j := range chosen {
		w.sending++
		text, there := texts[j.eventID]
		if !there {
			w.s.dispatch.record(outcome{w: w, j: j, verdict: undone})
			continue
		}
		w.chooseSecret(j)
		go w.try(cut, e, j, text)
	}
	return nil
}

// chooseSecret: the header WorkOS-Signature holds one signature, and while a secret is being exchanged nobody can know which of
// the two the receiver has. It gets that which it accepted last, at first the former one; a delivery it refused is tried
// again at once with the other (see done).
func (w *worker) chooseSecret(j *job) {
	if j.attempts == 0 {
		j.old = w.preferOld
	}
}

func (w *worker) try(cut context.Context, e *Endpoint, j *job, text []byte) {
	a := w.s.post(cut, e, j, text)
	o := outcome{w: w, j: j, attempt: a, verdict: aborted}
	if cut.Err() == nil {
		j.attempts++
		var d time.Duration
		o.verdict, d = judge(a, j)
		if o.verdict == again && e.rotating(a.At) && mayBeSignature(a.Status) {
			j.old = !j.old
			if j.attempts == 1 {
				d = 0
			}
		}
		o.due = w.s.time().Add(d).UnixMicro()
	}
	w.s.dispatch.record(o)
}

// done goes on after an attempt was recorded.
func (w *worker) done(ctx context.Context, o outcome) {
	w.sending--
	switch o.verdict {
	case aborted:
		w.later.add(o.j)
	case delivered:
		w.alive(o)
		w.free(o.j)
	case undone:
		w.free(o.j)
	case givenUp:
		w.failed(ctx, o)
		w.free(o.j)
	case again:
		o.j.due = o.due
		w.later.add(o.j)
		w.failed(ctx, o)
	case gone:
		o.j.due = o.due
		w.later.add(o.j)
		w.failed(ctx, o)
		w.disable(ctx, ByGone)
	}
}

func (w *worker) free(j *job) {
	w.jobs--
	for _, f := range w.lanes.leave(j) {
		w.later.add(f)
	}
	if w.more {
		w.nudge()
	}
}

// alive: an endpoint that was taken for dead gets all that failed meanwhile without further delay.
func (w *worker) alive(o outcome) {
	w.preferOld = o.j.old
	if w.failures >= deadAfter {
		for _, j := range w.later.jobs {
			w.ready.add(j)
		}
		w.later.jobs = nil
	}
	w.failures = 0
	if e := w.endpoint.Load(); !e.FailingSince.IsZero() {
		w.setFailing(e, time.Time{})
	}
}

func (w *worker) setFailing(e *Endpoint, since time.Time) {
	changed := *e
	changed.FailingSince = since
	w.endpoint.CompareAndSwap(e, &changed) // a newer one has it from the database
}

func (w *worker) failed(ctx context.Context, o outcome) {
	now := w.s.time()
	if w.failures++; w.failures >= deadAfter {
		w.restUntil = now.Add(pauseAfter(w.failures))
	}
	e := w.endpoint.Load()
	switch {
	case e.FailingSince.IsZero():
		w.setFailing(e, o.attempt.At)
	case now.Sub(e.FailingSince) >= disabledAfter:
		w.disable(ctx, ByFailing)
	}
}

func (w *worker) disable(ctx context.Context, why string) {
	if err := w.s.disable(ctx, *w.endpoint.Load(), why); err != nil {
		w.s.log.Error("an endpoint could not be disabled and will be after its next failure", "endpoint", w.id, "why", why, "error", err)
		return
	}
	w.s.log.Warn("a webhook endpoint was disabled", "endpoint", w.id, "why", why)
	w.stop()
}

// deliveries reads deliveries.
func (s *Service) deliveries(ctx context.Context, text string, args ...any) ([]Delivery, error) {
	return s.readDeliveries(ctx, s.db, text, args...)
}

func (s *Service) readDeliveries(ctx context.Context, from db.Reader, text string, args ...any) ([]Delivery, error) {
	rows, err := from.Query(ctx, text, args...)
	if err != nil {
		return nil, fmt.Errorf("read webhook deliveries: %w", err)
	}
	defer rows.Close()
	var out []Delivery
	for rows.Next() {
		var d Delivery
		var reason *string
		var next, finished *int64
		var created int64
		if err := rows.Scan((*string)(&d.ID), &d.seq, (*string)(&d.EndpointID), &d.OrganizationID, &d.EventID, (*string)(&d.Type), &d.entity, &d.Replay,
			(*string)(&d.State), &reason, &d.Attempts, &next, &created, &finished); err != nil {
			return nil, fmt.Errorf("read webhook deliveries: %w", err)
		}
		if reason != nil {
			d.Reason = *reason
		}
		d.NextAt, d.CreatedAt, d.FinishedAt = db.TimeOrZero(next), db.Time(created), db.TimeOrZero(finished)
		out = append(out, d)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read webhook deliveries: %w", err)
	}
	return out, nil
}
