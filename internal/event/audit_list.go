package event

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/token"
)

const (
	// auditSettles is how long an entry waits before a reader that goes forward sees it: a request's deadline. On PostgreSQL a row with a smaller
	// id can become visible after one with a greater, and a reader that has passed it would miss it.
	auditSettles = time.Minute
	// auditLooks bounds how long one page looks for what matches; it then holds what was found, and goes on from where it stopped.
	auditLooks = 2 * time.Second
	auditBatch = 500
)

// AuditQuery selects entries. The zero value reads the newest first.
type AuditQuery struct {
	After          string // AuditPage.After of the page before
	OrganizationID string
	Actor          string // id
	Actions        []Action
	Target         string
	From, Until    time.Time // at or after, and before; zero = open
	Ascending      bool      // oldest first; what is younger than a minute is left out, so that nothing comes in behind a reader
	Limit          int
}

// AuditPage is a page. With After "" there is no more; else it may hold fewer entries than asked for, even none, and more may follow.
type AuditPage struct {
	Entries []AuditEntry
	After   string
}

// Audit reads every change there was, in the order of time: those with an event and those without.
func (l *Log) Audit(ctx context.Context, q AuditQuery) (AuditPage, error) {
	from, err := auditCursor(q.After)
	if err != nil {
		return AuditPage{}, err
	}
	if settled := time.Now().Add(-auditSettles); q.Ascending && (q.Until.IsZero() || q.Until.After(settled)) {
		q.Until = settled
	}
	events := &auditEvents{l: l, q: q, at: from.event, give: time.Now().Add(auditLooks)}
	own := &auditRows{l: l, q: q, at: from.row}
	page := AuditPage{}
	for len(page.Entries) < q.Limit {
		e, more, err := events.peek(ctx)
		if err != nil {
			return AuditPage{}, err
		}
		r, there, err := own.peek(ctx)
		if err != nil {
			return AuditPage{}, err
		}
		switch {
		case !more && events.stopped: // what comes next is not known; it may belong before what the other has
			page.After = auditPlace{events.at, own.at}.String()
			return page, nil
		case !more && !there:
			return page, nil
		case !more || there && q.earlier(r, e):
			page.Entries = append(page.Entries, r)
			own.take()
		default:
			page.Entries = append(page.Entries, e)
			events.take()
		}
	}
	_, more, err := events.peek(ctx)
	if err != nil {
		return AuditPage{}, err
	}
	if _, there, err := own.peek(ctx); err != nil || !more && !there && !events.stopped {
		return page, err
	}
	page.After = auditPlace{events.at, own.at}.String()
	return page, nil
}

// earlier: a comes before b in the order asked for.
func (q AuditQuery) earlier(a, b AuditEntry) bool {
	if q.Ascending {
		return a.ordinal < b.ordinal
	}
	return a.ordinal > b.ordinal
}

// auditPlace is how far a reader has come in both.
type auditPlace struct{ event, row string }

func (p auditPlace) String() string { return p.event + "." + p.row }

func auditCursor(text string) (auditPlace, error) {
	if text == "" {
		return auditPlace{}, nil
	}
	e, r, ok := strings.Cut(text, ".")
	if !ok || e != "" && !token.Is(e, "event") || r != "" && !token.Is(r, AuditPrefix) {
		return auditPlace{}, fault.New(fault.Invalid, "invalid_cursor", "The cursor %.80q is not one of this list. Use list_metadata.after of the page before.", text).On("after")
	}
	return auditPlace{e, r}, nil
}

// auditEvents reads the events that match, one after the other.
type auditEvents struct {
	l       *Log
	q       AuditQuery
	at      string // the last event that was taken, or looked at and passed over
	waiting []Event
	ended   bool
	give    time.Time // then it stops looking
	stopped bool
	next    *AuditEntry
}

func (a *auditEvents) take() {
	a.at, a.next = a.next.ID, nil
}

func (a *auditEvents) peek(ctx context.Context) (AuditEntry, bool, error) {
	for a.next == nil {
		if len(a.waiting) == 0 {
			if a.ended || a.stopped {
				return AuditEntry{}, false, nil
			}
			if a.stopped = time.Now().After(a.give); a.stopped {
				continue
			}
			if err := a.read(ctx); err != nil {
				return AuditEntry{}, false, err
			}
			continue
		}
		e := a.waiting[0]
		a.waiting = a.waiting[1:]
		entry, err := e.audited()
		if err != nil {
			return AuditEntry{}, false, err
		}
		if a.q.wants(entry, e) {
			a.next = &entry
			continue
		}
		a.at = e.ID
	}
	return *a.next, true, nil
}

func (a *auditEvents) read(ctx context.Context) error {
	types := a.q.types()
	if len(types) == 0 {
		a.ended = true
		return nil
	}
	q := Query{Types: types, OrganizationID: a.q.OrganizationID, From: a.q.From, Until: a.q.Until, Descending: !a.q.Ascending, Limit: auditBatch}
	if a.q.Actor == "" && a.q.Target == "" {
		q.Limit = a.q.Limit + 1
	}
	if q.Descending {
		q.Before = a.at
	} else {
		q.After = a.at
	}
	found, err := a.l.List(ctx, q)
	a.waiting, a.ended = found, len(found) < q.Limit
	return err
}

// types are the events that are of the actions asked for.
func (q AuditQuery) types() []Type {
	all := AuditTypes()
	if len(q.Actions) == 0 {
		return all
	}
	return slices.DeleteFunc(all, func(t Type) bool { return !slices.Contains(q.Actions, Action(t)) })
}

func (q AuditQuery) wants(entry AuditEntry, e Event) bool {
	if q.Actor != "" && entry.Context.Actor.ID != q.Actor {
		return false
	}
	return q.Target == "" || entry.Target == q.Target || slices.Contains(e.concerns(), q.Target)
}

// about is what payloads say of what they are about.
type about struct {
	ID             string `json:"id"`
	UserID         string `json:"user_id"`
	User           named  `json:"user"`
	Group          named  `json:"group"`
	GroupID        string `json:"group_id"`
	MembershipID   string `json:"organization_membership_id"`
	SourceID       string `json:"source_id"`
	Slug           string `json:"slug"`
	OrganizationID string `json:"organization_id"`
}

// target is what was changed: by its id, else by the id of what has it, as a directory its mapping, or the name that stands for an id, as of
// roles.
func (a about) target() string {
	return cmp.Or(a.ID, a.Group.ID, a.GroupID, a.SourceID, a.Slug, a.UserID, a.OrganizationID)
}

type named struct {
	ID string `json:"id"`
}

func (e Event) about() (a about) {
	_ = jsonv2.Unmarshal(e.Data, &a, jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true)) // of another shape: about nothing that has an id
	return a
}

// concerns are the ids of all that the event is about.
func (e Event) concerns() []string {
	a := e.about()
	return []string{a.ID, a.UserID, a.User.ID, a.Group.ID, a.GroupID, a.MembershipID, a.SourceID}
}

func (e Event) audited() (AuditEntry, error) {
	out := AuditEntry{ID: e.ID, OrganizationID: e.OrganizationID, Action: Action(e.Type), At: e.CreatedAt, ordinal: ordinal(e.ID)}
	if err := jsonv2.Unmarshal(e.Context, &out.Context, jsontext.AllowInvalidUTF8(true)); err != nil {
		return out, fmt.Errorf("context of event %s: %w", e.ID, err)
	}
	out.Changes, out.Context.Changes = out.Context.Changes, nil
	out.Target = e.about().target()
	return out, nil
}

// ordinal is the ULID of an id.
func ordinal(id string) string { return id[strings.LastIndexByte(id, '_')+1:] }

// auditRows reads the changes without an event.
type auditRows struct {
	l       *Log
	q       AuditQuery
	at      string
	waiting []AuditEntry
	ended   bool
}

func (a *auditRows) take() {
	a.at, a.waiting = a.waiting[0].ID, a.waiting[1:]
}

func (a *auditRows) peek(ctx context.Context) (AuditEntry, bool, error) {
	if len(a.waiting) == 0 && !a.ended {
		if err := a.fill(ctx); err != nil {
			return AuditEntry{}, false, err
		}
	}
	if len(a.waiting) == 0 {
		return AuditEntry{}, false, nil
	}
	return a.waiting[0], true, nil
}

func (a *auditRows) fill(ctx context.Context) error {
	text, args := a.q.rows(a.at)
	rows, err := a.l.db.Query(ctx, text, args...)
	if err != nil {
		return fmt.Errorf("read the audit: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		e, err := scanAudit(rows)
		if err != nil {
			return err
		}
		a.waiting = append(a.waiting, e)
	}
	a.ended = len(a.waiting) <= a.q.Limit
	return rows.Err()
}

func scanAudit(rows db.Rows) (e AuditEntry, err error) {
	var cause, changes []byte
	var at int64
	if err := rows.Scan(&e.ID, &e.OrganizationID, (*string)(&e.Action), &e.Target, &cause, &changes, &at); err != nil {
		return e, fmt.Errorf("read the audit: %w", err)
	}
	if err := jsonv2.Unmarshal(cause, &e.Context, jsontext.AllowInvalidUTF8(true)); err != nil {
		return e, fmt.Errorf("context of audit entry %s: %w", e.ID, err)
	}
	e.At, e.Changes, e.ordinal = time.UnixMicro(at).UTC(), changes, ordinal(e.ID)
	return e, nil
}

// rows is the statement for those after a place.
func (q AuditQuery) rows(at string) (string, []any) {
	var c conditions
	c.add("id >= $%d", AuditPrefix+"_") // all; so that there is a condition
	if at != "" && q.Ascending {
		c.add("id > $%d", at)
	} else if at != "" {
		c.add("id < $%d", at)
	}
	Query{OrganizationID: q.OrganizationID, From: q.From, Until: q.Until}.choose(&c)
	if q.Actor != "" {
		c.add("actor_id = $%d", q.Actor)
	}
	if q.Target != "" {
		c.add("target = $%d", q.Target)
	}
	if len(q.Actions) > 0 {
		marks := make([]string, len(q.Actions))
		for i, a := range q.Actions {
			c.args = append(c.args, string(a))
			marks[i] = fmt.Sprintf("$%d", len(c.args))
		}
		c.where = append(c.where, "action IN ("+strings.Join(marks, ",")+")")
	}
	order := "DESC"
	if q.Ascending {
		order = "ASC"
	}
	c.args = append(c.args, int64(q.Limit+1))
	return fmt.Sprintf("%s WHERE %s ORDER BY id %s LIMIT $%d", selectAudit, strings.Join(c.where, " AND "), order, len(c.args)), c.args
}
