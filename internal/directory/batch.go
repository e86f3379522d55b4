package directory

import (
	"context"
	"time"

	"github.com/rollcallhq/rollcall/internal/access"
	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/member"
)

// batch gathers one write: what changes, the events that describe it, and the exchange that caused it.
type batch struct {
	s        *Service
	a        *Access
	at       time.Time
	w        db.Write
	rec      Record
	exchange ExchangeID
	cause    event.Context
	context  []byte // the same, of events said by the provider
	derived  []byte // of events concluded here
	entries  []event.Entry
	out      []leaver          // whom the write shuts out
	teller   *teller           // speaks of them
	followed []access.Followed // whose teams change with it
	dues     []UserID          // whom members have to look at after it
	nudges   bool              // somebody is due
	ends     []member.HoldEnd  // what is held no more
	engaged  *Hold             // the hold that the write begins
}

func (s *Service) begin(a *Access, at time.Time, rec Record) *batch {
	b := &batch{s: s, a: a, at: at, rec: rec}
	if rec != nil {
		b.exchange = s.NewExchangeID()
	}
	b.causedBy(systemCause(a.Directory, b.exchange))
	b.w.Lane = string(a.Directory.ID)
	s.link(&b.w, a, at)
	return b
}

// causedBy says what the events of the write come from.
func (b *batch) causedBy(cause event.Context) {
	b.cause, b.context = cause, cause.JSON()
}

// event adds an event with its payload.
func (b *batch) event(kind event.Type, data []byte) {
	b.entries = append(b.entries, event.Entry{
		OrganizationID: b.a.Directory.OrganizationID, Type: kind, Context: b.context, Data: data,
	})
}

// first adds an event before those that are there: a person has to exist before they join a group.
func (b *batch) first(kind event.Type, data []byte) {
	b.event(kind, data)
	last := len(b.entries) - 1
	e := b.entries[last]
	copy(b.entries[1:], b.entries[:last])
	b.entries[0] = e
}

func (b *batch) causeOf(derived bool) []byte {
	if !derived {
		return b.context
	}
	if b.derived == nil {
		cause := b.cause
		cause.Derived = true
		b.derived = cause.JSON()
	}
	return b.derived
}

// joined adds the events of one person joining or leaving several groups.
func (b *batch) joined(p person, groups []Group, kind event.Type, derived bool) {
	if len(groups) == 0 {
		return
	}
	d := b.a.Directory
	each := make([][]byte, len(groups))
	for i, g := range groups {
		each[i] = wrapped(`,"group":`, g.payload(d))
	}
	one := p.payload(d)
	b.packed(kind, append(append(b.opening(), `,"user":`...), one.json()...), each, derived)
}

// members adds the events of several people joining or leaving one group. Only their snapshots are stored; the payloads are made
// when the events are read (memberForm).
func (b *batch) members(g Group, people []User, kind event.Type) {
	if len(people) == 0 {
		return
	}
	each := make([][]byte, len(people))
	for i, u := range people {
		each[i] = memberSnapshot(u)
	}
	b.entries = append(b.entries, event.Entry{
		OrganizationID: b.a.Directory.OrganizationID, Type: kind, Context: b.context, Form: memberFormName, Shared: memberShared(b.a.Directory, g), Each: each,
	})
}

// wrapped is the rest of a membership event: its own member and the closing brace.
func wrapped(name string, p payload) []byte {
	text := p.json()
	out := append(make([]byte, 0, len(name)+len(text)+1), name...)
	return append(append(out, text...), '}')
}

func (b *batch) opening() []byte { return []byte(opening(b.a.Directory)) }

// opening begins the payload of a membership event.
func opening(d Directory) string { return `{"directory_id":"` + string(d.ID) + `"` }

func (b *batch) packed(kind event.Type, shared []byte, each [][]byte, derived bool) {
	b.entries = append(b.entries, event.Entry{
		OrganizationID: b.a.Directory.OrganizationID, Type: kind, Context: b.causeOf(derived), Shared: shared, Each: each,
	})
}

// commit appends the events and the exchange and writes everything at once.
func (b *batch) commit(ctx context.Context, o Outcome) error {
	o.EventIDs = b.s.events.Append(&b.w, b.at, b.entries...)
	for _, e := range b.entries {
		for range e.Len() {
			o.EventKind = append(o.EventKind, string(e.Type))
		}
	}
	if err := b.feed(ctx); err != nil {
		return err
	}
	var x *Exchange
	if b.rec != nil {
		if x = b.rec(o); x != nil {
			x.ID = b.exchange
			x.complete(b.a)
			b.w.Exec(insertExchange, x.row()...)
		}
	}
	if err := b.s.db.Write(ctx, &b.w); err != nil {
		return err
	}
	if x != nil {
		b.s.notes.grew(x)
	}
	if b.a.Directory.State != Linked {
		b.s.linked()
	}
	b.s.events.Nudge()
	if h := b.engaged; h != nil {
		b.s.door.forget()
		b.s.log.WarnContext(ctx, "the brake of a directory holds a burst of people who are shut out: release or undo it", "directory", h.DirectoryID, "hold", h.ID,
			"organization", h.OrganizationID, "left", h.Departed, "of", h.Active, "until", h.Until)
	}
	if b.nudges {
		b.s.provision.nudge()
	}
	return nil
}
