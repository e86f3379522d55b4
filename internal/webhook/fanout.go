package webhook

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
)

// fanout turns events into deliveries. Any process may do it at any time: what it writes is guarded by the cursor, the number of
// the last delivery and the version of the endpoints that it started from, so that of two that do the same one writes nothing.
// Guarded so, all deliveries have one order, that of the log, and none is made for endpoints that have changed meanwhile.
type fanout struct {
	mu    sync.Mutex // one round at a time
	known bool       // at is what the database said last
	at    cursor

	targets   []target // of the version targetsOf
	targetsOf int64
	loaded    bool

	recent bodies
	wake   chan struct{} // endpoints have changed
}

// cursor is how far the log has been turned into deliveries.
type cursor struct {
	event         string
	last, version int64
}

type target struct {
	id    EndpointID
	types map[event.Type]bool
}

const (
	eventsPerRound = 500
	// What other processes commit they turn into deliveries themselves. This is for those that died between the two.
	logPoll    = time.Second
	errorPause = time.Second
)

// run follows the log until ctx ends.
func (f *fanout) run(ctx context.Context, s *Service) {
	for ctx.Err() == nil {
		changed := s.o.Events.Changed()
		n, err := f.round(ctx, s)
		switch {
		case err != nil && ctx.Err() == nil:
			s.log.Error("events could not be turned into webhook deliveries and will be tried again", "error", err)
			pause(ctx, errorPause)
		case f.idle(): // with nobody to tell, the log's writers are not to be bothered for each event
			wait(ctx, f.wake, logPoll)
		case n == 0:
			wait(ctx, changed, logPoll)
		}
	}
}

// idle says that there was no enabled endpoint in the last round.
func (f *fanout) idle() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.loaded && len(f.targets) == 0
}

func pause(ctx context.Context, d time.Duration) { wait(ctx, nil, d) }

func wait(ctx context.Context, for_ <-chan struct{}, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-for_:
	case <-timer.C:
	}
}

const catchUpPatience = 20 * time.Second

// catchUp turns into deliveries everything that was committed before the call.
func (f *fanout) catchUp(ctx context.Context, s *Service) error {
	ctx, cancel := context.WithTimeout(ctx, catchUpPatience)
	defer cancel()
	for {
		n, err := f.round(ctx, s)
		if errors.Is(err, context.DeadlineExceeded) {
			return fault.New(fault.Unavailable, "busy", "Events are waiting to be delivered to the present endpoints. Nothing was changed; try again in a moment.").Because(err)
		}
		if err != nil || n == 0 {
			return err
		}
	}
}

// round handles some events and says how many; 0 only at the end of the log.
func (f *fanout) round(ctx context.Context, s *Service) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for {
		n, err := f.attempt(ctx, s)
		var lost *db.GuardError
		if err != nil {
			f.known = false
		}
		if !errors.As(err, &lost) {
			return n, err
		}
	}
}

func (f *fanout) attempt(ctx context.Context, s *Service) (int, error) {
	if !f.known {
		if err := s.db.QueryRow(ctx, selectCursor).Scan(&f.at.event, &f.at.last, &f.at.version); err != nil {
			return 0, fmt.Errorf("read the webhook cursor: %w", err)
		}
		f.known = true
	}
	if err := f.load(ctx, s); err != nil {
		return 0, err
	}
	if len(f.targets) == 0 {
		return f.skip(ctx, s)
	}
	events, reset, err := f.read(ctx, s)
	if err != nil || len(events) == 0 {
		return 0, err
	}
	next := f.at
	next.event = events[len(events)-1].ID
	made := f.deliveries(s, events, &next)
	if err := f.write(ctx, s, next, made); err != nil {
		return 0, err
	}
	for _, e := range events {
		f.recent.put(e)
	}
	before := f.at.last
	f.at = next
	if reset {
		before = -1 // some may have been there already: let the database say which
	}
	s.dispatch.offer(before, next.last, made)
	return len(events), nil
}

// load reads who wants what. The guard on the version makes sure that it still holds when deliveries are written.
func (f *fanout) load(ctx context.Context, s *Service) error {
	if f.loaded && f.targetsOf == f.at.version {
		return nil
	}
	f.loaded = false
	found, err := s.endpoints(ctx, s.db, selectEndpoint+" AND status = 'enabled' ORDER BY id")
	if err != nil {
		return err
	}
	f.targets = f.targets[:0]
	for _, e := range found {
		t := target{id: e.ID, types: map[event.Type]bool{}}
		for _, kind := range e.Types {
			t.types[kind] = true
		}
		f.targets = append(f.targets, t)
	}
	f.loaded, f.targetsOf = true, f.at.version
	return nil
}

// skip moves the cursor to the end of the log: there is nobody to tell. Where nothing is written no guard tells of new endpoints, so
// the next round asks.
func (f *fanout) skip(ctx context.Context, s *Service) (int, error) {
	f.known = false
	newest, err := s.o.Events.List(ctx, event.Query{Descending: true, Limit: 1})
	if err != nil || len(newest) == 0 || newest[0].ID == f.at.event {
		return 0, err
	}
	next := f.at
	next.event = newest[0].ID
	if err := f.write(ctx, s, next, nil); err != nil {
		return 0, err
	}
	f.at = next
	return 1, nil
}

// read gives the events after the cursor. Where its event is no longer in the log, neither is anything before it: the log begins
// later. What was deleted in between because of its age is lost for webhooks, which the log of this process says.
func (f *fanout) read(ctx context.Context, s *Service) (events []event.Event, reset bool, err error) {
	events, err = s.o.Events.List(ctx, event.Query{After: f.at.event, Limit: eventsPerRound})
	if refused, _ := fault.As(err); refused != nil && (refused.Kind == fault.Invalid || refused.Code == event.CodeExpired) {
		s.log.Warn("events were deleted because of their age before they became webhook deliveries; it goes on with the oldest that is left", "cursor", f.at.event)
		events, err = s.o.Events.List(ctx, event.Query{Limit: eventsPerRound})
		return events, true, err
	}
	return events, false, err
}

func (f *fanout) deliveries(s *Service, events []event.Event, next *cursor) []Delivery {
	var made []Delivery
	now := s.time()
	for _, e := range events {
		entity := ""
		for _, t := range f.targets {
			if !t.types[e.Type] {
				continue
			}
			if entity == "" {
				entity = entityOf(e)
			}
			next.last++
			made = append(made, s.delivery(t.id, e, entity, next.last, now))
		}
	}
	return made
}

func (s *Service) delivery(to EndpointID, e event.Event, entity string, seq int64, now time.Time) Delivery {
	return Delivery{
		ID: DeliveryID(s.ids.NewID(DeliveryPrefix)), EndpointID: to, OrganizationID: e.OrganizationID, EventID: e.ID, Type: e.Type,
		State: Pending, NextAt: now, CreatedAt: now, seq: seq, entity: entity,
	}
}

func (f *fanout) write(ctx context.Context, s *Service, next cursor, made []Delivery) error {
	var w db.Write
	w.Guard(moveCursor, next.event, next.last, f.at.event, f.at.last, f.at.version)
	w.Many(insertDelivery, rowsOf(made))
	if err := s.db.Write(ctx, &w); err != nil {
		return fmt.Errorf("write webhook deliveries: %w", err)
	}
	return nil
}

func rowsOf(made []Delivery) [][]any {
	rows := make([][]any, len(made))
	for i, d := range made {
		rows[i] = []any{
			string(d.ID), d.seq, string(d.EndpointID), d.OrganizationID, d.EventID, string(d.Type), d.entity, d.Replay, string(d.State), d.Attempts,
			d.NextAt.UnixMicro(), d.CreatedAt.UnixMicro(),
		}
	}
	return rows
}

// bodies keeps what was just read of the log, for the workers that are about to send it to many endpoints. It is small and short: the
// log is what counts.
type bodies struct {
	mu    sync.Mutex
	by    map[string]body
	order []string
	size  int
}

type body struct {
	text []byte
	at   time.Time
}

const (
	bodiesSize = 8 << 20
	bodiesAge  = 10 * time.Second
)

func (b *bodies) put(e event.Event) {
	text := e.JSON()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.by == nil {
		b.by = map[string]body{}
	}
	if _, there := b.by[e.ID]; there {
		return
	}
	b.by[e.ID] = body{text, time.Now()}
	b.order = append(b.order, e.ID)
	for b.size += len(text); b.size > bodiesSize || len(b.order) > 0 && time.Since(b.by[b.order[0]].at) > bodiesAge; {
		b.size -= len(b.by[b.order[0]].text)
		delete(b.by, b.order[0])
		b.order = b.order[1:]
	}
}

func (b *bodies) get(id string) ([]byte, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	found, there := b.by[id]
	return found.text, there && time.Since(found.at) < bodiesAge
}

// bodiesOf gives what to send for each event; one that is no longer in the log is left out.
func (s *Service) bodiesOf(ctx context.Context, ids []string) (map[string][]byte, error) {
	out := make(map[string][]byte, len(ids))
	var missing []string
	for _, id := range ids {
		if text, ok := s.fan.recent.get(id); ok {
			out[id] = text
		} else if !slices.Contains(missing, id) {
			missing = append(missing, id)
		}
	}
	found, err := s.o.Events.Named(ctx, missing)
	if err != nil {
		return nil, err
	}
	for id, e := range found {
		out[id] = e.JSON()
	}
	return out, nil
}
