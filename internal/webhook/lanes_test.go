package webhook

import (
	"context"
	"encoding/json"
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
	"github.com/rollcallhq/rollcall/internal/event"
)

func TestEntities_say_what_an_event_must_not_overtake(t *testing.T) {
	for _, one := range []struct {
		kind       event.Type
		data, want string
	}{
		{event.DirectoryUserCreated, `{"id":"u","directory_id":"d","organization_id":"o"}`, "=u +o +d"},
		{event.DirectoryUserUpdated, `{"id":"u","directory_id":"d","organization_id":"o"}`, "=u +o +d"},
		{event.DirectoryGroupUpdated, `{"id":"g","directory_id":"d","organization_id":"o"}`, "+g =g# +o +d"},
		{event.DirectoryGroupUserAdded, `{"directory_id":"d","user":{"id":"u"},"group":{"id":"g"}}`, "=u +g +d +o"},
		{event.DirectoryDeleted, `{"id":"d","organization_id":"o"}`, "=d +o"},
		{event.OrganizationCreated, `{"id":"o"}`, "=o"},
		{event.OrganizationUpdated, `{"id":"o"}`, "+o =o#"},
		{event.OrganizationDomainCreated, `{"id":"m","organization_id":"o"}`, "=m +o"},
		{"user.created", `{"id":7}`, "=o"},
		{"user.created", `[]`, "=o"},
		{"user.created", `{"id":"a b"}`, "=o"},
	} {
		if got := entityOf(event.Event{Type: one.kind, OrganizationID: "o", Data: json.RawMessage(one.data)}); got != one.want {
			t.Errorf("%s %s: %q, want %q", one.kind, one.data, got, one.want)
		}
	}
}

func FuzzEntities(f *testing.F) {
	f.Add("dsync.group.user_added", `{"user":{"id":1},"group":[],"directory_id":{}}`)
	f.Add("x.updated", `{"id":"\ud800","user_id":null}`)
	f.Fuzz(func(t *testing.T, kind, data string) {
		words := entityOf(event.Event{Type: event.Type(kind), OrganizationID: "o", Data: json.RawMessage(data)})
		a, b := &job{entity: words, seq: 1}, &job{entity: words, seq: 2}
		l := lanes{}
		l.enter(a)
		l.enter(b)
		if a.waits != 0 {
			t.Errorf("%q waits for itself", words)
		}
		l.leave(a)
		if b.waits != 0 {
			t.Errorf("%q is never free", words)
		}
		if l.leave(b); len(l) != 0 {
			t.Errorf("%q leaves %v behind", words, l)
		}
	})
}

// conflict is the rule in its plainest form.
func conflict(a, b string) bool {
	for x := range strings.SplitSeq(a, " ") {
		for y := range strings.SplitSeq(b, " ") {
			if x[1:] == y[1:] && (x[0] == '=' || y[0] == '=') {
				return true
			}
		}
	}
	return false
}

func TestLanes_let_go_what_conflicts_with_nothing_earlier_and_nothing_else(t *testing.T) {
	for round := range 200 {
		random := rand.New(rand.NewPCG(1, uint64(round)))
		l, open := lanes{}, []*job{}
		var seq int64
		for step := 0; step < 120 || len(open) > 0; step++ {
			if step < 120 && random.IntN(3) > 0 {
				seq++
				j := &job{seq: seq, entity: fmt.Sprintf("%c%d %c%d", "=+"[random.IntN(2)], random.IntN(3), "=+"[random.IntN(2)], 3+random.IntN(3))}
				l.enter(j)
				open = append(open, j)
			} else if ready := slices.DeleteFunc(slices.Clone(open), func(j *job) bool { return j.waits > 0 }); len(ready) > 0 {
				done := ready[random.IntN(len(ready))]
				l.leave(done)
				open = slices.DeleteFunc(open, func(j *job) bool { return j == done })
			} else if len(open) > 0 {
				t.Fatal("nothing can go on")
			}
			for i, j := range open {
				held := slices.ContainsFunc(open[:i], func(earlier *job) bool { return conflict(earlier.entity, j.entity) })
				if held != (j.waits > 0) {
					t.Fatalf("%q waits for %d, conflicts with an earlier one: %v", j.entity, j.waits, held)
				}
			}
		}
		if len(l) != 0 {
			t.Fatalf("%d lanes are left", len(l))
		}
	}
}

func TestEndpoint_is_taken_by_one_of_many_that_want_it(t *testing.T) {
	each(t, func(w *world) {
		s := w.service()
		e := w.endpoint(s, w.receiver(nil).URL)
		for range 20 {
			w.must(w.db.Tx(w.Context(), func(tx db.Tx) error {
				_, err := tx.Exec(w.Context(), "UPDATE webhook_endpoints SET owner = 'dead'")
				return err
			}))
			var taken atomic.Int64
			var all sync.WaitGroup
			start := make(chan struct{})
			for i := range 8 {
				l := &lease{process: fmt.Sprint("p", i)}
				var join db.Write
				join.Exec(insertProcess, l.process)
				w.must(w.db.Write(w.Context(), &join))
				all.Go(func() {
					<-start
					ours, err := s.dispatch.claim(w.Context(), l, stored{Endpoint: e, owner: "dead"}, nil)
					if err != nil {
						w.Error(err)
					}
					if ours {
						taken.Add(1)
					}
				})
			}
			close(start)
			all.Wait()
			if n := taken.Load(); n != 1 {
				w.Fatalf("%d took it, want 1", n)
			}
		}
	})
}

func TestLease_ends_by_itself_and_a_buried_process_cannot_beat(t *testing.T) {
	each(t, func(w *world) {
		s := w.service()
		d := &s.dispatch
		l, err := d.join(w.Context())
		w.must(err)
		w.must(d.beatOnce(w.Context(), l))
		d.dead = 0 // whoever is seen a second time with the same beat is dead
		for range 2 {
			_, err = d.watch(w.Context())
			w.must(err)
		}
		var lost *db.GuardError
		if err := d.beatOnce(w.Context(), l); !errors.As(err, &lost) {
			w.Errorf("a buried process beats on: %v", err)
		}
		l.trust.Reset(time.Millisecond)
		select {
		case <-l.ctx.Done():
		case <-time.After(5 * time.Second):
			w.Error("the trust has no end")
		}
		if leaseTrusted >= leaseDead {
			w.Error("a former owner would still send when it is succeeded")
		}
	})
}

func TestForget_takes_away_what_receivers_said_about_a_person(t *testing.T) {
	each(t, func(w *world) {
		s := w.service()
		app := w.receiver(nil)
		e := w.endpoint(s, app.URL)
		stop := w.run(s)
		app.set(func(received) int { return 200 })
		w.append(about(event.DirectoryUserCreated, "org_1", "ann"), about(event.DirectoryUserCreated, "org_1", "bob"), about(event.DirectoryUserCreated, "org_2", "cy"))
		w.until("all are delivered", func() bool { return w.states(s, e.ID)[Delivered] == 3 })
		stop()
		said := func() (n int) {
			w.must(w.db.QueryRow(w.Context(), "SELECT COUNT(*) FROM webhook_attempts WHERE answer IS NOT NULL").Scan(&n))
			return n
		}
		w.must(w.db.Tx(w.Context(), func(tx db.Tx) error {
			_, err := tx.Exec(w.Context(), "UPDATE webhook_attempts SET answer = 'thanks for ann@example.com'")
			return err
		}))
		for _, one := range []struct {
			org, subject string
			want         int
		}{{"org_1", "an", 3}, {"org_2", "ann", 3}, {"org_1", "ann", 2}, {"org_1", "", 1}} {
			w.must(s.Forget(context.Background(), one.org, one.subject))
			if got := said(); got != one.want {
				w.Errorf("after %v %d answers are kept, want %d", one, got, one.want)
			}
		}
	})
}
