package event

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/token"
)

// Log appends and reads events.
type Log struct {
	db      *db.DB
	ids     *token.Source
	inserts [eventsPerInsert + 1]string // by number of rows
	nudge   chan struct{}
	bell    bell
	forms   map[string]Form

	watched map[Action]bool // see Watch

	// Of erasures, see Forgetter.
	nullable map[string][]string
	erasers  map[string]FormEraser
	forget   []func(context.Context, Forgotten) error
}

// NewLog makes the log over an open database.
func NewLog(d *db.DB, ids *token.Source) *Log {
	l := &Log{db: d, ids: ids, nudge: make(chan struct{}, 1), forms: map[string]Form{}, watched: map[Action]bool{}, nullable: map[string][]string{}, erasers: map[string]FormEraser{}}
	l.bell.appended = map[Type]time.Time{}
	for n := 1; n <= eventsPerInsert; n++ {
		l.inserts[n] = insertText(n, l.positioned())
	}
	return l
}

// Know tells the log how to read events of a form. It is called while the services are built, before anything is read.
func (l *Log) Know(form string, f Form) { l.forms[form] = f }

// positioned says whether positions are given after commit.
func (l *Log) positioned() bool { return l.db.Engine() == db.PostgreSQL }

// Append adds entries to a write, in order, and gives the id of each entry's first event. All that a write appends, by however many calls, stands
// where the first of them was, a few entries to a statement.
func (l *Log) Append(w *db.Write, at time.Time, entries ...Entry) (ids []string) {
	entries = split(entries)
	l.bell.note(entries)
	for _, e := range entries {
		id, args := l.row(at, e)
		ids = append(ids, id)
		w.Wide(l.inserts[:], args...)
		if notice := l.notice(at, e); notice != nil {
			w.Exec(insertNotice, notice...)
		}
	}
	return ids
}

// AppendTx adds entries to a transaction.
func (l *Log) AppendTx(ctx context.Context, tx db.Tx, at time.Time, entries ...Entry) error {
	tx.OnCommit(l.Nudge)
	var w db.Write
	l.Append(&w, at, entries...)
	return w.In(ctx, tx)
}

// row gives the id of an entry's first event and what is inserted.
func (l *Log) row(at time.Time, e Entry) (id string, args []any) {
	id = l.ids.Range("event")
	return id, []any{id, e.OrganizationID, string(e.Type), int64(e.Len()), at.UnixMicro(), e.Context, e.stored()}
}

// Len is the number of events in the entry.
func (e Entry) Len() int { return max(1, len(e.Each)) }

// stored is what the data column holds.
func (e Entry) stored() []byte {
	switch {
	case len(e.Each) == 0:
		return e.Data
	case len(e.Each) == 1 && e.Form == "":
		return slices.Concat(e.Shared, e.Each[0])
	}
	size := len(e.Form) + 1 + len(e.Shared)
	for _, each := range e.Each {
		size += 1 + len(each)
	}
	out := make([]byte, 0, size)
	if e.Form != "" {
		out = append(append(out, e.Form...), '\n')
	}
	out = append(out, e.Shared...)
	for _, each := range e.Each {
		out = append(append(out, '\n'), each...)
	}
	return out
}

// split parts entries that pack more than one row may hold.
func split(entries []Entry) []Entry {
	for i, e := range entries {
		if len(e.Each) > MaxPacked {
			head, tail := e, e
			head.Each, tail.Each = e.Each[:MaxPacked], e.Each[MaxPacked:]
			rest := append([]Entry{head, tail}, entries[i+1:]...)
			return append(append([]Entry(nil), entries[:i]...), split(rest)...)
		}
	}
	return entries
}

// Query selects events. The zero value reads from the beginning.
type Query struct {
	After          string // events after this id
	Before         string // events before this id
	Types          []Type // none: all
	Compatible     bool   // without Types: leave OwnTypes out
	OrganizationID string
	From, Until    time.Time // created at or after, and before; zero = open
	Descending     bool
	Limit          int // at most
}

// List reads events in order. A cursor that names no event is a fault of kind Invalid, never somebody else's data; one whose event was
// deleted by the retention is a Conflict "cursor_expired", for what followed it may be gone too.
func (l *Log) List(ctx context.Context, q Query) ([]Event, error) {
	if err := l.Position(ctx); err != nil {
		return nil, err
	}
	after, err := l.cursor(ctx, l.db, q.After)
	if err != nil {
		return nil, err
	}
	before, err := l.cursor(ctx, l.db, q.Before)
	if err != nil {
		return nil, err
	}
	return l.list(ctx, q, after, before)
}

func (l *Log) list(ctx context.Context, q Query, after, before place) ([]Event, error) {
	text, args := q.statement(after, before)
	rows, err := l.db.Query(ctx, text, args...)
	if err != nil {
		return nil, fmt.Errorf("read events: %w", err)
	}
	defer rows.Close()
	return l.collect(rows, q, after, before)
}

// place is where an event stands: its row's position and its number within the row.
type place struct {
	pos    int64
	offset int
	set    bool

	rest           int64 // events that follow it in its row
	organizationID string
	kind           Type
}

func (p place) before(other place) bool {
	return p.pos < other.pos || p.pos == other.pos && p.offset < other.offset
}

// cursor finds the place of an event; that of "" is before everything.
func (l *Log) cursor(ctx context.Context, r db.Reader, id string) (place, error) {
	if id == "" {
		return place{}, nil
	}
	unknown := fault.New(fault.Invalid, "invalid_cursor", "The cursor %.60q names no event. Use the id of an event you have read.", id)
	if !token.Is(id, "event") {
		return place{}, unknown
	}
	var first string
	var n int64
	p := place{set: true}
	err := r.QueryRow(ctx, selectAt, id).Scan(&p.pos, &first, &n, &p.organizationID, (*string)(&p.kind))
	if err != nil && !errors.Is(err, db.ErrNoRows) {
		return place{}, fmt.Errorf("find event %s: %w", id, err)
	}
	offset, ok := token.Offset(first, id)
	if err == nil && ok && int64(offset) < n {
		p.offset, p.rest = offset, n-int64(offset)-1
		return p, nil
	}
	return expiredCursor(ctx, r, id, unknown)
}

func (q Query) statement(after, before place) (string, []any) {
	var c conditions
	if after.set {
		c.add("pos >= $%d", after.pos) // its own row too: it may be packed
	}
	if before.set {
		c.add("pos <= $%d", before.pos)
	}
	q.choose(&c)
	order := "ASC"
	if q.Descending {
		order = "DESC"
	}
	text := selectLog
	if len(c.where) > 0 {
		text += " WHERE " + strings.Join(c.where, " AND ")
	}
	c.args = append(c.args, int64(q.Limit+2)) // the rows of both cursors may give nothing
	return text + fmt.Sprintf(" ORDER BY pos %s LIMIT $%d", order, len(c.args)), c.args
}

// conditions gathers a WHERE.
type conditions struct {
	where []string
	args  []any
}

func (c *conditions) add(condition string, arg any) {
	c.args = append(c.args, arg)
	c.where = append(c.where, fmt.Sprintf(condition, len(c.args)))
}

// choose adds what the query wants of an event wherever it stands.
func (q Query) choose(c *conditions) {
	if q.OrganizationID != "" {
		c.add("organization_id = $%d", q.OrganizationID)
	}
	if !q.From.IsZero() {
		c.add("created_at >= $%d", q.From.UnixMicro())
	}
	if !q.Until.IsZero() {
		c.add("created_at < $%d", q.Until.UnixMicro())
	}
	types, in := q.Types, "IN"
	if len(types) == 0 && q.Compatible {
		types, in = OwnTypes(), "NOT IN"
	}
	if len(types) == 0 {
		return
	}
	marks := make([]string, len(types))
	for i, t := range types {
		c.args = append(c.args, string(t))
		marks[i] = fmt.Sprintf("$%d", len(c.args))
	}
	c.where = append(c.where, "type "+in+" ("+strings.Join(marks, ",")+")")
}

func (l *Log) collect(rows db.Rows, q Query, after, before place) ([]Event, error) {
	out := make([]Event, 0, q.Limit)
	for rows.Next() && len(out) < q.Limit {
		var r row
		if err := rows.Scan(&r.pos, &r.id, &r.organizationID, &r.kind, &r.n, &r.createdAt, &r.context, &r.data); err != nil {
			return nil, fmt.Errorf("read events: %w", err)
		}
		events, err := l.events(r)
		if err != nil {
			return nil, err
		}
		if before.set && r.pos == before.pos {
			events = events[:before.offset]
		}
		if after.set && r.pos == after.pos {
			events = events[min(after.offset+1, len(events)):]
		}
		out = q.take(out, events)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read events: %w", err)
	}
	return out, nil
}

func (q Query) take(out, events []Event) []Event {
	for i := 0; i < len(events) && len(out) < q.Limit; i++ {
		if q.Descending {
			out = append(out, events[len(events)-1-i])
		} else {
			out = append(out, events[i])
		}
	}
	return out
}
