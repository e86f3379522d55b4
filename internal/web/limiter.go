package web

import (
	"container/list"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Limiter is a token bucket per key: perSecond requests a second, with a burst of as many. It remembers a bounded number of
// keys and forgets the longest idle one first; a key forgotten starts again with a full bucket. Keys should therefore
// be things we handed out, like a token's id, and not something a stranger may invent. Safe for use by many goroutines.
type Limiter struct {
	perSecond rate.Limit
	burst     int
	keep      int

	mu    sync.Mutex
	byKey map[string]*list.Element
	order *list.List // front: used last
}

type bucket struct {
	key string
	lim *rate.Limiter
}

// NewLimiter allows perSecond requests a second and key; 0 or less means no limit. It remembers at most keep keys.
func NewLimiter(perSecond float64, keep int) *Limiter {
	return &Limiter{
		perSecond: rate.Limit(perSecond),
		burst:     max(1, int(perSecond)),
		keep:      max(1, keep),
		byKey:     map[string]*list.Element{},
		order:     list.New(),
	}
}

// NewBurstLimiter is a NewLimiter whose bucket holds burst requests: for what is rare, and comes in bunches when it comes.
func NewBurstLimiter(perSecond float64, burst, keep int) *Limiter {
	l := NewLimiter(perSecond, keep)
	l.burst = max(1, burst)
	return l
}

// Allow takes one request of key out of its bucket. When the bucket is empty it takes nothing and gives the time until
// there is one again.
func (l *Limiter) Allow(key string, now time.Time) (wait time.Duration, ok bool) {
	if l.perSecond <= 0 {
		return 0, true
	}
	lim := l.bucket(key)
	res := lim.ReserveN(now, 1)
	wait = res.DelayFrom(now)
	if wait > 0 {
		res.CancelAt(now)
		return wait, false
	}
	return 0, true
}

func (l *Limiter) bucket(key string) *rate.Limiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e, ok := l.byKey[key]; ok {
		l.order.MoveToFront(e)
		return e.Value.(*bucket).lim
	}
	if l.order.Len() >= l.keep {
		oldest := l.order.Back()
		l.order.Remove(oldest)
		delete(l.byKey, oldest.Value.(*bucket).key)
	}
	b := &bucket{key: key, lim: rate.NewLimiter(l.perSecond, l.burst)}
	l.byKey[key] = l.order.PushFront(b)
	return b.lim
}
