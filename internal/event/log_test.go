package event_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/db/dbtest"
	"github.com/rollcallhq/rollcall/internal/db/migrations"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/token"
)

var ctx = context.Background()

func each(t *testing.T, story func(t *testing.T, d *db.DB, l *event.Log)) {
	t.Helper()
	dbtest.Each(t, migrations.Files, func(t *testing.T, open func() *db.DB) {
		d := open()
		story(t, d, event.NewLog(d, token.NewSource(time.Now)))
	})
}

func entry(org string, kind event.Type, data string) event.Entry {
	return event.Entry{OrganizationID: org, Type: kind, Context: []byte("{}"), Data: []byte(data)}
}

func appendEvents(t *testing.T, d *db.DB, l *event.Log, at time.Time, entries ...event.Entry) []string {
	t.Helper()
	var w db.Write
	ids := l.Append(&w, at, entries...)
	if err := d.Write(ctx, &w); err != nil {
		t.Fatal(err)
	}
	return ids
}

func list(t *testing.T, l *event.Log, q event.Query) []event.Event {
	t.Helper()
	if q.Limit == 0 {
		q.Limit = 100
	}
	out, err := l.List(ctx, q)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func datas(events []event.Event) string {
	out := make([]string, len(events))
	for i, e := range events {
		out[i] = string(e.Data)
	}
	return strings.Join(out, " ")
}

// Many writers commit in parallel, some slowly, some giving up, while readers of other processes follow the log. Every reader
// has to see every committed event exactly once and in the same order, and an event has to be readable once its write returned.
func TestReaders_that_follow_a_cursor_miss_and_repeat_nothing(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB, l *event.Log) {
		const writers, rounds, readers = 12, 40, 4
		var committed sync.Map
		var total atomic.Int64
		finished := make(chan struct{})
		var reading, writing sync.WaitGroup
		seen := make([][]string, readers)
		for r := range readers {
			reading.Go(func() { seen[r] = follow(t, d, finished) })
		}
		for w := range writers {
			writing.Go(func() {
				for i := range rounds {
					commitSlowly(t, d, l, fmt.Sprintf("%d-%d", w, i), &committed, &total)
				}
			})
		}
		writing.Wait()
		close(finished)
		reading.Wait()
		for r, ids := range seen {
			if int64(len(ids)) != total.Load() {
				t.Errorf("reader %d saw %d events, %d were committed", r, len(ids), total.Load())
			}
			if !slices.Equal(ids, seen[0]) {
				t.Errorf("reader %d saw another order than reader 0", r)
			}
			unique := slices.Clone(ids)
			slices.Sort(unique)
			if len(slices.Compact(unique)) != len(ids) {
				t.Errorf("reader %d saw an event twice", r)
			}
			for _, id := range ids {
				if _, ok := committed.Load(id); !ok {
					t.Errorf("reader %d saw %s, which was never committed", r, id)
				}
			}
		}
	})
}

// follow reads as another process would: with a log of its own.
func follow(t *testing.T, d *db.DB, finished <-chan struct{}) []string {
	l := event.NewLog(d, token.NewSource(time.Now))
	var ids []string
	last := ""
	for done := false; ; {
		events, err := l.List(ctx, event.Query{After: last, Limit: 1 + rand.IntN(50)})
		if err != nil {
			t.Error(err)
			return ids
		}
		for _, e := range events {
			ids = append(ids, e.ID)
			last = e.ID
		}
		if len(events) == 0 && done {
			return ids
		}
		select {
		case <-finished:
			done = true
		default:
		}
	}
}

var errGivenUp = errors.New("given up")

func commitSlowly(t *testing.T, d *db.DB, l *event.Log, name string, committed *sync.Map, total *atomic.Int64) {
	var w db.Write
	each := [][]byte{[]byte(`,"i":0}`), []byte(`,"i":1}`), []byte(`,"i":2}`)}
	switch rand.IntN(3) {
	case 0: // a packed row
		first := l.Append(&w, time.Now(), event.Entry{OrganizationID: "org", Type: event.DirectoryGroupUserAdded, Context: []byte("{}"), Shared: []byte(`{"name":"` + name + `"`), Each: each})[0]
		for i := range each {
			committed.Store(token.At(first, i), true)
		}
		if err := d.Write(ctx, &w); err != nil {
			t.Error(err)
		}
		total.Add(int64(len(each)))
	case 1: // a transaction that stays open for a while after it took its number, and sometimes fails
		err := d.Tx(ctx, func(tx db.Tx) error {
			if err := l.AppendTx(ctx, tx, time.Now(), entry("org", event.OrganizationUpdated, `{"tx":"`+name+`"}`)); err != nil {
				return err
			}
			if d.Engine() == db.PostgreSQL {
				time.Sleep(time.Duration(rand.IntN(4)) * time.Millisecond)
			}
			if rand.IntN(4) == 0 {
				return errGivenUp
			}
			return nil
		})
		if errors.Is(err, errGivenUp) {
			return
		}
		if err != nil {
			t.Error(err)
		}
		total.Add(1)
		mustBeReadable(t, d, `{"tx":"`+name+`"}`, committed)
	default:
		id := l.Append(&w, time.Now(), entry("org", event.OrganizationUpdated, `{"write":"`+name+`"}`))[0]
		committed.Store(id, true)
		if err := d.Write(ctx, &w); err != nil {
			t.Error(err)
		}
		total.Add(1)
		mustBeReadable(t, d, `{"write":"`+name+`"}`, committed)
	}
}

// mustBeReadable looks from the newest event back.
func mustBeReadable(t *testing.T, d *db.DB, data string, committed *sync.Map) {
	events, err := event.NewLog(d, token.NewSource(time.Now)).List(ctx, event.Query{Descending: true, Limit: 2000})
	if err != nil {
		t.Error(err)
		return
	}
	i := slices.IndexFunc(events, func(e event.Event) bool { return string(e.Data) == data })
	if i < 0 {
		t.Errorf("%s was committed and cannot be read", data)
		return
	}
	committed.Store(events[i].ID, true)
}

func TestList_pages_in_both_directions_also_through_packed_rows(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB, l *event.Log) {
		now := time.Now()
		appendEvents(t, d, l, now, entry("o", event.OrganizationCreated, "1"),
			event.Entry{OrganizationID: "o", Type: event.DirectoryGroupUserAdded, Context: []byte("{}"), Shared: []byte("2"), Each: [][]byte{[]byte("a"), []byte("b"), []byte("c")}},
			entry("o", event.OrganizationUpdated, "3"))
		all := list(t, l, event.Query{})
		if got := datas(all); got != "1 2a 2b 2c 3" {
			t.Fatal(got)
		}
		for limit := 1; limit <= 5; limit++ {
			for i, e := range all {
				if got, want := datas(list(t, l, event.Query{After: e.ID, Limit: limit})), datas(all[i+1:min(i+1+limit, 5)]); got != want {
					t.Errorf("after %s limit %d: %s, want %s", e.Data, limit, got, want)
				}
				before := slices.Clone(all[max(0, i-limit):i])
				slices.Reverse(before)
				if got, want := datas(list(t, l, event.Query{Before: e.ID, Limit: limit, Descending: true})), datas(before); got != want {
					t.Errorf("before %s limit %d: %s, want %s", e.Data, limit, got, want)
				}
			}
		}
		if got := datas(list(t, l, event.Query{After: all[1].ID, Before: all[3].ID})); got != "2b" {
			t.Errorf("between two events of one row: %s", got)
		}
	})
}

func TestList_filters_by_organization_type_and_time(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB, l *event.Log) {
		old, now := time.Now().Add(-time.Hour), time.Now()
		appendEvents(t, d, l, old, entry("a", event.OrganizationCreated, "1"), entry("b", event.OrganizationCreated, "2"))
		appendEvents(t, d, l, now, entry("a", event.OrganizationUpdated, "3"), entry("b", event.OrganizationDeleted, "4"))
		for want, q := range map[string]event.Query{
			"1 3": {OrganizationID: "a"},
			"1 2": {Types: []event.Type{event.OrganizationCreated}},
			"3 4": {Types: []event.Type{event.OrganizationUpdated, event.OrganizationDeleted}, From: now.Add(-time.Minute)},
			"2":   {OrganizationID: "b", Until: now.Add(-time.Minute)},
		} {
			if got := datas(list(t, l, q)); got != want {
				t.Errorf("%+v: %s, want %s", q, got, want)
			}
		}
	})
}

func TestList_refuses_a_cursor_that_names_no_event(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB, l *event.Log) {
		id := appendEvents(t, d, l, time.Now(), entry("a", event.OrganizationCreated, "1"))[0]
		for _, cursor := range []string{"x", "event_", "org_01JD0000000000000000000000", "event_00000000000000000000000000", token.At(id, 1), token.NewSource(time.Now).NewID("event")} {
			_, err := l.List(ctx, event.Query{After: cursor, Limit: 1})
			if !fault.Is(err, fault.Invalid) {
				t.Errorf("%s: %v", cursor, err)
			}
		}
	})
}

func TestExpire_deletes_the_oldest_and_nothing_by_default(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB, l *event.Log) {
		now := time.Now()
		appendEvents(t, d, l, now.Add(-48*time.Hour), entry("a", event.OrganizationCreated, "{old}"))
		kept := appendEvents(t, d, l, now, entry("a", event.OrganizationUpdated, "{new}"))[0]
		for retention, want := range map[time.Duration]string{0: "{old} {new}", 72 * time.Hour: "{old} {new}"} {
			if err := l.Expire(ctx, retention, now); err != nil {
				t.Fatal(err)
			}
			if got := datas(list(t, l, event.Query{})); got != want {
				t.Errorf("retention %s: %s, want %s", retention, got, want)
			}
		}
		if err := l.Expire(ctx, 24*time.Hour, now); err != nil {
			t.Fatal(err)
		}
		if got := datas(list(t, l, event.Query{})); got != "{new}" {
			t.Errorf("got %s", got)
		}
		if got := list(t, l, event.Query{After: kept}); len(got) != 0 {
			t.Errorf("after the last event: %v", got)
		}
	})
}

func TestAppend_splits_what_is_too_much_for_one_row(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB, l *event.Log) {
		many := make([][]byte, event.MaxPacked+3)
		for i := range many {
			many[i] = fmt.Appendf(nil, "%d", i)
		}
		appendEvents(t, d, l, time.Now(), event.Entry{OrganizationID: "o", Type: event.DirectoryGroupUserAdded, Context: []byte("{}"), Shared: []byte("{n"), Each: many})
		events := list(t, l, event.Query{Limit: len(many) + 1})
		if len(events) != len(many) || string(events[event.MaxPacked].Data) != fmt.Sprintf("{n%d", event.MaxPacked) {
			t.Fatalf("%d events", len(events))
		}
	})
}

func TestEvents_of_one_write_stand_in_the_order_in_which_they_were_appended(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB, l *event.Log) {
		var w db.Write
		var ids []string
		for i := range 45 {
			entries := []event.Entry{entry("a", event.OrganizationUpdated, fmt.Sprint(2*i)), entry("b", event.OrganizationUpdated, fmt.Sprint(2*i+1))}
			if i == 20 { // what may take no more of them
				w.Exec("DELETE FROM events WHERE id = $1", "nothing")
			}
			ids = append(ids, l.Append(&w, time.Now(), entries...)...)
		}
		if err := d.Write(ctx, &w); err != nil {
			t.Fatal(err)
		}
		events := list(t, l, event.Query{})
		if len(events) != 90 {
			t.Fatalf("%d events", len(events))
		}
		for i, e := range events {
			if e.ID != ids[i] || string(e.Data) != fmt.Sprint(i) || e.OrganizationID != []string{"a", "b"}[i%2] {
				t.Errorf("event %d is %s of %s, with %s", i, e.ID, e.OrganizationID, e.Data)
			}
		}
		if w.Len() > 7 {
			t.Errorf("%d statements", w.Len())
		}
	})
}

func TestEvents_of_a_form_are_made_when_they_are_read(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB, l *event.Log) {
		for _, parts := range [][][]byte{{[]byte("a")}, {[]byte("b"), []byte("c")}} {
			appendEvents(t, d, l, time.Now(), event.Entry{OrganizationID: "o", Type: event.DirectoryGroupUserAdded, Context: []byte("{}"), Form: "greeting", Shared: []byte("hello"), Each: parts})
		}
		if _, err := l.List(ctx, event.Query{Limit: 10}); err == nil {
			t.Error("an event of an unknown form was read as if it were its data")
		}
		l.Know("greeting", func(shared, each []byte) ([]byte, error) { return fmt.Appendf(nil, "{%s %s}", shared, each), nil })
		if got := datas(list(t, l, event.Query{})); got != "{hello a} {hello b} {hello c}" {
			t.Error(got)
		}
	})
}
