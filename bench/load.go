package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// person is one user as the generator knows them.
type person struct {
	id     string
	seq    int
	rev    int // of the last PUT
	active bool
}

// directory is where the requests of one tenant go.
type directory struct {
	addr, base, token, tag string
	organization           string

	mu     sync.Mutex
	people []person
	next   int
}

func (d *directory) dial() *conn { return newConn(d.addr, d.token) }

func (d *directory) nextSeq() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.next++
	return d.next
}

func (d *directory) add(p person) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.people = append(d.people, p)
}

// kind tells the requests of one step apart; most steps have one only.
type kind int

// task performs one request on a connection, checks its answer and says what
// kind it was. Every worker has a task of its own.
type task func(c *conn) (kind, error)

// unmeasured is the kind of a request that only prepares the next one.
const unmeasured kind = -1

// step is one measurement: so many connections for so long, or until so many
// requests were answered.
type step struct {
	conns    int
	length   time.Duration
	most     int // requests per connection; 0 is no limit
	makeTask func(worker, workers int) task
}

// outcome of a step. Latencies are in seconds, ascending, per kind.
type outcome struct {
	answered  int
	elapsed   time.Duration
	busy      map[kind]time.Duration // summed latency
	latencies map[kind][]float64
	cpu       time.Duration // of the server processes; 0 is unknown
	errors    int
	firstErr  error
}

const toleratedErrors = 20 // a worker gives up after so many in a row

// run performs a step. It returns an error only when the step could not be
// performed at all; failed requests are counted in the outcome.
func (s *side) run(ctx context.Context, d *directory, st step) (outcome, error) {
	workers := make([]*worker, st.conns)
	for i := range workers {
		workers[i] = &worker{c: d.dial(), do: st.makeTask(i, st.conns), latencies: map[kind][]float64{}}
		if err := workers[i].c.open(); err != nil {
			return outcome{}, fmt.Errorf("connect to %s: %w", s.name, err)
		}
	}
	before, cpuErr := cpuTime(s.pids()...)
	begun := time.Now()
	var wg sync.WaitGroup
	for _, w := range workers {
		wg.Go(func() { w.loop(ctx, begun.Add(st.length), st.most) })
	}
	wg.Wait()
	out := outcome{elapsed: time.Since(begun)}
	if after, err := cpuTime(s.pids()...); err == nil && cpuErr == nil {
		out.cpu = after - before
	}
	out.gather(workers)
	return out, ctx.Err()
}

type worker struct {
	c         *conn
	do        task
	latencies map[kind][]float64
	errors    int
	firstErr  error
}

func (w *worker) loop(ctx context.Context, deadline time.Time, most int) {
	defer w.c.close()
	inARow := 0
	for n := 0; (most == 0 || n < most) && inARow < toleratedErrors && ctx.Err() == nil; n++ {
		at := time.Now()
		if at.After(deadline) {
			return
		}
		k, err := w.do(w.c)
		if err != nil {
			w.fail(err)
			inARow++
			continue
		}
		inARow = 0
		if k != unmeasured {
			w.latencies[k] = append(w.latencies[k], time.Since(at).Seconds())
		}
	}
}

func (w *worker) fail(err error) {
	w.errors++
	if w.firstErr == nil {
		w.firstErr = err
	}
}

func (o *outcome) gather(workers []*worker) {
	o.latencies, o.busy = map[kind][]float64{}, map[kind]time.Duration{}
	for _, w := range workers {
		o.errors += w.errors
		if o.firstErr == nil {
			o.firstErr = w.firstErr
		}
		for k, ls := range w.latencies {
			o.latencies[k] = append(o.latencies[k], ls...)
			o.answered += len(ls)
		}
	}
	for k, ls := range o.latencies {
		slices.Sort(ls)
		for _, l := range ls {
			o.busy[k] += time.Duration(l * float64(time.Second))
		}
	}
}

// perSecond is the throughput of the whole step.
func (o outcome) perSecond() float64 { return float64(o.answered) / o.elapsed.Seconds() }

// serialPerSecond is the throughput of one kind on one connection, leaving out
// the time that other kinds took.
func (o outcome) serialPerSecond(k kind) float64 {
	return float64(len(o.latencies[k])) / o.busy[k].Seconds()
}

// cpuMicros per request; 0 when the step used too little to tell by a clock
// that ticks every 10 ms.
func (o outcome) cpuMicros() float64 {
	if o.cpu < 100*time.Millisecond || o.answered == 0 {
		return 0
	}
	return float64(o.cpu.Microseconds()) / float64(o.answered)
}

// failure is the reason why an outcome must not be used, if there is one.
func (o outcome) failure() error {
	if o.errors > 0 {
		return fmt.Errorf("%d requests failed, first: %w", o.errors, o.firstErr)
	}
	if o.answered == 0 {
		return errors.New("nothing was answered")
	}
	return nil
}

const (
	fillConns = 32
	fillChunk = 100_000
	fillLimit = 15 * time.Minute // per chunk
)

// fill brings a directory to size by ordinary creates.
func (s *side) fill(ctx context.Context, d *directory, size int) error {
	for range 2 + 2*(size/fillChunk+1) { // a chunk and what its division by connections leaves over
		missing := min(size-len(d.people), fillChunk)
		if missing <= 0 {
			return nil
		}
		conns := min(fillConns, missing)
		out, err := s.run(ctx, d, step{conns: conns, length: fillLimit, most: missing / conns, makeTask: d.creates})
		if err == nil {
			err = out.failure()
		}
		if err != nil {
			return fmt.Errorf("fill %s: %w", s.name, err)
		}
	}
	return fmt.Errorf("fill %s: only %d of %d people", s.name, len(d.people), size)
}

// dice differ from step to step: a repeated sequence would find its pages
// cached and hide how cost grows with the directory.
func dice() *rand.Rand { return rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())) }
