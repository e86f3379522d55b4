package db

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
)

// Writes of one lane (see [Write.Lane]) that wait for each other anyway travel and commit together: one round trip, one
// transaction and one flush for all of them, as on SQLite. A lane has one transaction under way, so its writes never wait for
// one another's locks. Nobody waits for company: whoever finds the lane idle goes at once, and those who come meanwhile share
// the next one. When something in a shared transaction fails, all of it is undone and each write is tried by itself.

// mostShared bounds how many writes share a transaction, and so what a failed one repeats.
const mostShared = 16

// mostLaned bounds the statements and rows of a write that goes by a lane: a bigger one would keep its neighbours waiting, and be
// repeated for their sake.
const mostLaned = 64

func bulky(calls []pgCall) bool {
	size := 0
	for i := range calls {
		size += 1 + len(calls[i].rows)
	}
	return size > mostLaned
}

type lanes struct {
	mu   sync.Mutex
	busy map[string][]*shared // by lane: those that wait; present while a transaction is under way
}

// shared is a write in a lane. turn gets the writes to send, of which it is the first, or none when it was sent already.
type shared struct {
	ctx   context.Context
	calls []pgCall
	turn  chan []*shared
	err   error
	alone bool // it has to be tried by itself
}

// enter waits for the turn of a write. It gives nil when another has sent it.
func (l *lanes) enter(lane string, s *shared, queued *atomic.Int64) []*shared {
	l.mu.Lock()
	waiting, busy := l.busy[lane]
	if !busy {
		l.busy[lane] = nil
		l.mu.Unlock()
		return []*shared{s}
	}
	l.busy[lane] = append(waiting, s)
	l.mu.Unlock()
	queued.Add(1)
	defer queued.Add(-1)
	select {
	case group := <-s.turn:
		return group
	case <-s.ctx.Done():
	}
	if l.withdraw(lane, s) {
		s.alone, s.err = false, s.ctx.Err()
		return nil
	}
	return <-s.turn // it is under way already
}

// withdraw takes a write that still waits out of its lane.
func (l *lanes) withdraw(lane string, s *shared) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	i := slices.Index(l.busy[lane], s)
	if i >= 0 {
		l.busy[lane] = slices.Delete(l.busy[lane], i, i+1)
	}
	return i >= 0
}

// leave lets those who wait go next.
func (l *lanes) leave(lane string) {
	l.mu.Lock()
	waiting := l.busy[lane]
	if len(waiting) == 0 {
		delete(l.busy, lane)
		l.mu.Unlock()
		return
	}
	n := min(len(waiting), mostShared)
	next := waiting[:n:n]
	l.busy[lane] = append([]*shared(nil), waiting[n:]...)
	l.mu.Unlock()
	next[0].turn <- next
}

// share sends the write with those that wait beside it. done is false when it has to be tried by itself.
func (e *pgEngine) share(ctx context.Context, lane string, calls []pgCall) (done bool, err error) {
	s := &shared{ctx: ctx, calls: calls, alone: true, turn: make(chan []*shared, 1)}
	if group := e.lanes.enter(lane, s, &e.counts.queued); group != nil {
		e.sendShared(lane, group)
	}
	return !s.alone, s.err
}

// sendShared sends the writes of a group and lets the next one go, whatever becomes of it.
func (e *pgEngine) sendShared(lane string, group []*shared) {
	defer func() {
		e.lanes.leave(lane)
		for _, other := range group[1:] {
			other.turn <- nil
		}
	}()
	if len(group) == 1 {
		group[0].alone = false
		group[0].err = e.alone(group[0].ctx, group[0].calls, nil)
		return
	}
	var all []pgCall
	var going []*shared
	for _, s := range group {
		if err := s.ctx.Err(); err != nil {
			s.alone, s.err = false, err
			continue
		}
		all = append(all, s.calls...)
		going = append(going, s)
	}
	if len(going) == 0 {
		return
	}
	ctx, cancel := whileWanted(going)
	defer cancel()
	err := e.attempt(ctx, all, nil)
	var unknown *UnknownOutcomeError
	for _, s := range going {
		s.alone, s.err = err != nil && !errors.As(err, &unknown), err
	}
	e.counts.shared(len(going), err)
}

// whileWanted is a context that ends when nobody waits for any of the writes any more: what is not sent then need not be.
func whileWanted(going []*shared) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(going[0].ctx))
	var wanted atomic.Int64
	wanted.Store(int64(len(going)))
	for _, s := range going {
		stop := context.AfterFunc(s.ctx, func() {
			if wanted.Add(-1) == 0 {
				cancel()
			}
		})
		context.AfterFunc(ctx, func() { stop() })
	}
	return ctx, cancel
}

// shared counts a transaction that several writes had in common.
func (c *counters) shared(writes int, err error) {
	if err != nil {
		c.regrouped.Add(1)
		return
	}
	c.commits.Add(1)
	for n := int64(writes); ; {
		if seen := c.largestGroup.Load(); n <= seen || c.largestGroup.CompareAndSwap(seen, n) {
			return
		}
	}
}
