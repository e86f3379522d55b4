package event_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/token"
)

func made(t *testing.T, l *event.Log, n event.NewConsumer) event.Consumer {
	t.Helper()
	c, err := l.CreateConsumer(ctx, n, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func waiting(t *testing.T, l *event.Log, name string, limit int) []event.Event {
	t.Helper()
	found, err := l.ConsumerEvents(ctx, name, limit)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func lag(t *testing.T, l *event.Log, name string, want int64) event.Consumer {
	t.Helper()
	c, err := l.Consumer(ctx, name)
	if err != nil || c.Lag != want {
		t.Errorf("lag %d, want %d: %v", c.Lag, want, err)
	}
	return c
}

func acknowledged(t *testing.T, l *event.Log, name, id string) event.Consumer {
	t.Helper()
	c, err := l.Acknowledge(ctx, name, id, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func wantFault(t *testing.T, err error, kind fault.Kind, code string) {
	t.Helper()
	if f, ok := fault.As(err); !ok || f.Kind != kind || f.Code != code {
		t.Errorf("got %v, want %s %s", err, kind, code)
	}
}

func packed(org string, n int) event.Entry {
	each := make([][]byte, n)
	for i := range each {
		each[i] = fmt.Appendf(nil, "%d}", i)
	}
	return event.Entry{OrganizationID: org, Type: event.DirectoryGroupUserAdded, Context: []byte("{}"), Shared: []byte("{p"), Each: each}
}

func TestConsumer_gets_the_same_events_until_it_acknowledges_them(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB, l *event.Log) {
		appendEvents(t, d, l, time.Now(), entry("a", event.OrganizationCreated, "1"), packed("a", 3), entry("a", event.OrganizationUpdated, "2"))
		c := made(t, l, event.NewConsumer{Name: "mirror"})
		if c.Cursor != "" || c.Lag != 5 || !c.AcknowledgedAt.IsZero() {
			t.Errorf("%+v", c)
		}
		for range 2 {
			if got := datas(waiting(t, l, "mirror", 3)); got != "1 {p0} {p1}" {
				t.Error(got)
			}
		}
		first := waiting(t, l, "mirror", 3)
		if c := acknowledged(t, l, "mirror", first[2].ID); c.Cursor != first[2].ID || c.Lag != 2 || c.AcknowledgedAt.IsZero() {
			t.Errorf("%+v", c)
		}
		if got := datas(waiting(t, l, "mirror", 3)); got != "{p2} 2" {
			t.Error(got)
		}
		for _, older := range []string{first[0].ID, first[1].ID, first[2].ID} {
			if c := acknowledged(t, l, "mirror", older); c.Cursor != first[2].ID {
				t.Errorf("it moved back to %s", c.Cursor)
			}
		}
		acknowledged(t, l, "mirror", waiting(t, l, "mirror", 3)[1].ID)
		if got := waiting(t, l, "mirror", 3); len(got) != 0 {
			t.Errorf("%v", got)
		}
		lag(t, l, "mirror", 0)
	})
}

func TestConsumer_reads_what_it_was_made_for(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB, l *event.Log) {
		now := time.Now()
		ids := appendEvents(t, d, l, now, entry("a", event.OrganizationCreated, "1"), entry("b", event.OrganizationCreated, "2"), entry("a", event.WebhookEndpointDisabled, "3"))
		made(t, l, event.NewConsumer{Name: "of-a", OrganizationID: "a"})
		made(t, l, event.NewConsumer{Name: "own", Types: []event.Type{event.WebhookEndpointDisabled}})
		made(t, l, event.NewConsumer{Name: "later", Start: "now"})
		made(t, l, event.NewConsumer{Name: "after-1", Start: ids[0]})
		for name, want := range map[string]string{"of-a": "1", "own": "3", "later": "", "after-1": "2"} {
			got := waiting(t, l, name, 10)
			if datas(got) != want {
				t.Errorf("%s reads %s, want %s", name, datas(got), want)
			}
			lag(t, l, name, int64(len(got)))
		}
		for name, foreign := range map[string]string{"of-a": ids[1], "own": ids[0], "later": ids[2]} {
			_, err := l.Acknowledge(ctx, name, foreign, now)
			wantFault(t, err, fault.Unprocessable, "foreign_event")
		}
		for _, unknown := range []string{"x", "", token.NewSource(time.Now).NewID("event"), token.At(ids[0], 1)} {
			_, err := l.Acknowledge(ctx, "of-a", unknown, now)
			wantFault(t, err, fault.Unprocessable, "unknown_event")
		}
		appendEvents(t, d, l, now, entry("b", event.OrganizationUpdated, "4"))
		if got := datas(waiting(t, l, "later", 10)); got != "4" {
			t.Error(got)
		}
		var names []string
		all, err := l.Consumers(ctx)
		for _, c := range all {
			names = append(names, fmt.Sprint(c.Name, " ", c.Lag))
		}
		if want := []string{"after-1 2", "later 1", "of-a 1", "own 1"}; err != nil || !slices.Equal(names, want) {
			t.Errorf("%v, want %v: %v", names, want, err)
		}
	})
}

func TestConsumer_names_are_checked_and_given_once(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB, l *event.Log) {
		for _, name := range []string{"", "A", "a b", "-a", "a-", "a/b", string(make([]byte, 3)), fmt.Sprintf("%065d", 1)} {
			_, err := l.CreateConsumer(ctx, event.NewConsumer{Name: name}, time.Now())
			wantFault(t, err, fault.Unprocessable, "invalid_name")
			_, err = l.Consumer(ctx, name)
			wantFault(t, err, fault.NotFound, "entity_not_found")
			wantFault(t, l.DeleteConsumer(ctx, name), fault.NotFound, "entity_not_found")
		}
		made(t, l, event.NewConsumer{Name: "a.b_c-1"})
		_, err := l.CreateConsumer(ctx, event.NewConsumer{Name: "a.b_c-1"}, time.Now())
		wantFault(t, err, fault.Conflict, "name_taken")
		for _, start := range []string{"never", "event_01ARZ3NDEKTSV4RRFFQ69G5FAV"} {
			_, err = l.CreateConsumer(ctx, event.NewConsumer{Name: "b", Start: start}, time.Now())
			wantFault(t, err, fault.Unprocessable, "invalid_start")
		}
		_, err = l.CreateConsumer(ctx, event.NewConsumer{Name: "b", Types: []event.Type{"no type"}}, time.Now())
		wantFault(t, err, fault.Unprocessable, "invalid_event")
		for i := range 99 {
			made(t, l, event.NewConsumer{Name: fmt.Sprint("c", i)})
		}
		_, err = l.CreateConsumer(ctx, event.NewConsumer{Name: "one-too-many"}, time.Now())
		wantFault(t, err, fault.Conflict, "consumer_limit")
		if err := l.DeleteConsumer(ctx, "c1"); err != nil {
			t.Error(err)
		}
		_, err = l.ConsumerEvents(ctx, "c1", 1)
		wantFault(t, err, fault.NotFound, "entity_not_found")
		_, err = l.Acknowledge(ctx, "c1", "event_x", time.Now())
		wantFault(t, err, fault.NotFound, "entity_not_found")
		made(t, l, event.NewConsumer{Name: "c1"})
	})
}

// Several processes read as one consumer and acknowledge what they read, out of order. In the end it is where the last one was, and at no
// moment further back than before.
func TestConsumer_never_moves_back_however_many_acknowledge(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB, l *event.Log) {
		var ids []string
		for i := range 40 {
			ids = append(ids, appendEvents(t, d, l, time.Now(), entry("a", event.OrganizationUpdated, fmt.Sprint(i)))...)
		}
		made(t, l, event.NewConsumer{Name: "c"})
		place := func(id string) int { return slices.Index(ids, id) }
		var all sync.WaitGroup
		for range 6 {
			all.Go(func() {
				own := event.NewLog(d, token.NewSource(time.Now))
				last := -1
				for _, i := range rand.Perm(len(ids)) {
					c, err := own.Acknowledge(ctx, "c", ids[i], time.Now())
					if err != nil {
						t.Error(err)
						return
					}
					if at := place(c.Cursor); at < last || at < i {
						t.Errorf("at %d after %d was acknowledged and %d seen", at, i, last)
					} else {
						last = at
					}
				}
			})
		}
		all.Wait()
		if c := lag(t, l, "c", 0); c.Cursor != ids[len(ids)-1] {
			t.Errorf("at %s", c.Cursor)
		}
	})
}

func TestConsumer_learns_that_events_it_had_not_read_have_expired(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB, l *event.Log) {
		now := time.Now()
		old := now.Add(-48 * time.Hour)
		ids := appendEvents(t, d, l, old, entry("a", event.OrganizationCreated, "1"), entry("a", event.OrganizationUpdated, "2"), packed("a", 2))
		for name, start := range map[string]string{"behind": ids[0], "within": ids[2], "caught-up": token.At(ids[2], 1), "unread": ""} {
			made(t, l, event.NewConsumer{Name: name, Start: start})
		}
		time.Sleep(5 * time.Millisecond) // ids carry milliseconds
		kept := appendEvents(t, d, l, now, entry("a", event.OrganizationUpdated, "3"))[0]
		if err := l.Expire(ctx, 24*time.Hour, now); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"behind", "within"} {
			_, err := l.ConsumerEvents(ctx, name, 10)
			wantFault(t, err, fault.Conflict, event.CodeExpired)
			if c := lag(t, l, name, 1); !c.Gap {
				t.Errorf("%s has no gap", name)
			}
		}
		if got := datas(waiting(t, l, "caught-up", 10)); got != "3" {
			t.Errorf("who missed nothing reads %s", got)
		}
		if c := lag(t, l, "caught-up", 1); c.Gap {
			t.Error("who missed nothing has a gap")
		}
		_, err := l.List(ctx, event.Query{After: ids[0], Limit: 1})
		wantFault(t, err, fault.Conflict, event.CodeExpired)
		_, err = l.List(ctx, event.Query{After: token.NewSource(time.Now).NewID("event"), Limit: 1})
		wantFault(t, err, fault.Invalid, "invalid_cursor")
		if got := datas(list(t, l, event.Query{After: token.At(ids[2], 1)})); got != "3" {
			t.Errorf("after the last one deleted comes %s", got)
		}
		// Acknowledging something that is there ends the gap.
		if c := acknowledged(t, l, "behind", kept); c.Gap || c.Cursor != kept {
			t.Errorf("%+v", c)
		}
	})
}

func TestConsumer_that_had_read_nothing_learns_of_what_expired_since_it_was_made(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB, l *event.Log) {
		now := time.Now()
		appendEvents(t, d, l, now.Add(-48*time.Hour), entry("a", event.OrganizationCreated, "1"))
		appendEvents(t, d, l, now, entry("a", event.OrganizationUpdated, "2"))
		time.Sleep(5 * time.Millisecond)
		if err := l.Expire(ctx, 24*time.Hour, now); err != nil {
			t.Fatal(err)
		}
		made(t, l, event.NewConsumer{Name: "new"})
		if got := datas(waiting(t, l, "new", 10)); got != "2" {
			t.Errorf("%s", got)
		}
		time.Sleep(5 * time.Millisecond)
		appendEvents(t, d, l, now, entry("a", event.OrganizationUpdated, "3"), entry("a", event.OrganizationUpdated, "4"))
		if err := l.Expire(ctx, time.Hour, now.Add(2*time.Hour)); err != nil { // all but the newest
			t.Fatal(err)
		}
		_, err := l.ConsumerEvents(ctx, "new", 10)
		wantFault(t, err, fault.Conflict, event.CodeExpired)
	})
}

// What is not for a consumer goes by without it, so that its place stays within the retention.
func TestConsumer_whom_nothing_concerns_stays_up_to_date(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB, l *event.Log) {
		now := time.Now()
		early := event.NewLog(d, token.NewSource(func() time.Time { return now.Add(-72 * time.Hour) }))
		id := appendEvents(t, d, early, now.Add(-72*time.Hour), entry("quiet", event.OrganizationCreated, "1"))[0]
		made(t, l, event.NewConsumer{Name: "c", OrganizationID: "quiet", Start: id})
		for _, ago := range []time.Duration{48 * time.Hour, 30 * time.Hour, 0} {
			at := now.Add(-ago)
			appendEvents(t, d, event.NewLog(d, token.NewSource(func() time.Time { return at })), at, entry("busy", event.OrganizationUpdated, "0"))
		}
		if got := waiting(t, l, "c", 10); len(got) != 0 {
			t.Fatal(got)
		}
		if c := lag(t, l, "c", 0); c.Cursor != id {
			t.Errorf("it acknowledged %s by itself", c.Cursor)
		}
		if err := l.Expire(ctx, 24*time.Hour, now); err != nil {
			t.Fatal(err)
		}
		appendEvents(t, d, l, now, entry("quiet", event.OrganizationUpdated, "2"))
		got := waiting(t, l, "c", 10)
		if datas(got) != "2" {
			t.Errorf("it reads %s", datas(got))
		}
		if c := acknowledged(t, l, "c", got[0].ID); c.Cursor != got[0].ID || c.Lag != 0 {
			t.Errorf("%+v", c)
		}
	})
}

func TestConsumer_lag_is_counted_up_to_a_limit(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB, l *event.Log) {
		made(t, l, event.NewConsumer{Name: "c"})
		appendEvents(t, d, l, time.Now(), packed("a", 6000))
		lag(t, l, "c", 6000)
		appendEvents(t, d, l, time.Now(), packed("a", 6000))
		lag(t, l, "c", event.MaxLag)
	})
}

func TestOwn_types_go_only_to_those_who_name_them(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB, l *event.Log) {
		appendEvents(t, d, l, time.Now(), entry("a", event.OrganizationCreated, "1"), entry("a", event.WebhookEndpointDisabled, "2"))
		for want, q := range map[string]event.Query{
			"1":   {Compatible: true},
			"1 2": {},
			"2":   {Compatible: true, Types: []event.Type{event.WebhookEndpointDisabled}},
		} {
			if got := datas(list(t, l, q)); got != want {
				t.Errorf("%+v: %s, want %s", q, got, want)
			}
		}
	})
}
