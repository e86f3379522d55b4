package event

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/token"
)

// bell wakes those who wait for something to be appended by this process.
type bell struct {
	mu       sync.Mutex
	wait     chan struct{} // closed at the next ring; nil while nobody waits
	appended map[Type]time.Time
}

// appendPatience is longer than there is between an append and its commit. What takes longer is found by who looks anyhow.
const appendPatience = 10 * time.Second

func (b *bell) note(entries []Entry) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	for _, e := range entries {
		b.appended[e.Type] = now
	}
}

// recent tells whether one of the types was appended a moment ago: what has just been committed may be that.
func (b *bell) recent(types []Type) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.ContainsFunc(types, func(t Type) bool { return time.Since(b.appended[t]) < appendPatience })
}

// Changed gives a channel that is closed when this process commits an event after the call. Take it before reading the log: then
// nothing can come between. What other processes commit is not noticed.
func (l *Log) Changed() <-chan struct{} {
	l.bell.mu.Lock()
	defer l.bell.mu.Unlock()
	if l.bell.wait == nil {
		l.bell.wait = make(chan struct{})
	}
	return l.bell.wait
}

// Await waits until changed, as Changed gave it, is closed by what may be an event of one of the types, until as long as said has passed, or until
// ctx ends. Who follows few types is so not woken by all that is synchronised.
func (l *Log) Await(ctx context.Context, changed <-chan struct{}, most time.Duration, types ...Type) {
	timer := time.NewTimer(most)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
			return
		case <-changed:
		}
		if changed = l.Changed(); l.bell.recent(types) {
			return
		}
	}
}

func (b *bell) ring() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.wait != nil {
		close(b.wait)
		b.wait = nil
	}
}

// Named reads the events of these ids, at most some hundreds. Those that are no longer, or never were, in the log are left out.
func (l *Log) Named(ctx context.Context, ids []string) (map[string]Event, error) {
	found := make(map[string]Event, len(ids))
	if len(ids) == 0 {
		return found, nil
	}
	if err := l.namedRows(ctx, ids, found); err != nil {
		return nil, err
	}
	var packed map[string]Event
	for _, id := range ids {
		if _, there := found[id]; there || !token.Is(id, "event") {
			continue
		}
		if _, there := packed[id]; !there {
			var err error
			if packed, err = l.around(ctx, id); err != nil {
				return nil, err
			}
		}
		if e, there := packed[id]; there {
			found[id] = e
		}
	}
	return found, nil
}

// namedRows finds the events whose id is that of their row.
func (l *Log) namedRows(ctx context.Context, ids []string, found map[string]Event) error {
	marks, args := make([]string, len(ids)), make([]any, len(ids))
	for i, id := range ids {
		marks[i], args[i] = fmt.Sprintf("$%d", i+1), id
	}
	rows, err := l.db.Query(ctx, fmt.Sprintf(selectNamed, strings.Join(marks, ",")), args...)
	if err != nil {
		return fmt.Errorf("read events by id: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		events, err := l.one(rows)
		if err != nil {
			return err
		}
		found[events[0].ID] = events[0]
	}
	return rows.Err()
}

// around reads the row that the id would be in.
func (l *Log) around(ctx context.Context, id string) (map[string]Event, error) {
	found, err := l.all(ctx, l.db, selectAround, []any{id})
	if err != nil {
		return nil, fmt.Errorf("read event %s: %w", id, err)
	}
	out := map[string]Event{}
	for _, e := range found {
		out[e.ID] = e
	}
	return out, nil
}

// all reads the events that a statement finds.
func (l *Log) all(ctx context.Context, r db.Reader, text string, args []any) ([]Event, error) {
	rows, err := r.Query(ctx, text, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []Event
	for rows.Next() {
		found, err := l.one(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, found...)
	}
	return out, rows.Err()
}

func (l *Log) one(rows db.Rows) ([]Event, error) {
	var r row
	if err := rows.Scan(&r.id, &r.organizationID, &r.kind, &r.n, &r.createdAt, &r.context, &r.data); err != nil {
		return nil, fmt.Errorf("read events by id: %w", err)
	}
	return l.events(r)
}
