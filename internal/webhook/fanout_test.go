package webhook

import (
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/event"
)

func TestFanout_without_endpoints_writes_next_to_nothing_and_wakes_for_the_first(t *testing.T) {
	each(t, func(w *world) {
		s := w.service()
		w.run(s)
		time.Sleep(100 * time.Millisecond) // it has come to rest
		before := w.db.Stats().Writes
		for range 50 {
			w.append(about(event.DirectoryUserCreated, "org_1", "ann"))
			time.Sleep(2 * time.Millisecond)
		}
		if n := w.db.Stats().Writes - before - 50; n > 60 {
			w.Errorf("%d writes for 50 events that nobody wants", n)
		} else if w.db.Engine() == "sqlite" && n > 5 {
			w.Errorf("%d writes for 50 events that nobody wants", n)
		}
		app := w.receiver(nil)
		e := w.endpoint(s, app.URL)
		began := time.Now()
		ids := w.append(about(event.DirectoryUserCreated, "org_1", "bob"))
		w.until("it is delivered", func() bool { return w.states(s, e.ID)[Delivered] == 1 })
		if took := time.Since(began); took > logPoll*9/10 && w.db.Engine() == "sqlite" {
			w.Errorf("the first delivery took %s", took)
		}
		if got := app.ids(); len(got) != 1 || got[0] != ids[0] {
			w.Errorf("got %v, want %v alone", got, ids)
		}
	})
}

func TestEndpoint_that_is_changed_gets_no_delivery_by_an_old_list(t *testing.T) {
	each(t, func(w *world) {
		one, two := w.service(), w.service() // two processes: neither is told what the other changes
		a := w.endpoint(one, w.receiver(nil).URL)
		w.append(about(event.DirectoryUserCreated, "org_1", "ann"))
		w.must(two.fan.catchUp(w.Context(), two)) // two knows the list now
		off := Disabled
		_, err := one.Update(w.Context(), a.ID, Change{Status: &off})
		w.must(err)
		b := w.endpoint(one, w.receiver(nil).URL)
		w.append(about(event.DirectoryUserUpdated, "org_1", "ann"))
		w.must(two.fan.catchUp(w.Context(), two))
		if got := w.states(one, a.ID); got[Cancelled] != 1 || len(got) != 1 {
			w.Errorf("the disabled one has %v", got)
		}
		if got := w.states(one, b.ID); got[Pending] != 1 {
			w.Errorf("the new one has %v", got)
		}
	})
}

func TestEvents_that_expired_before_they_became_deliveries_do_not_stop_those_after_them(t *testing.T) {
	each(t, func(w *world) {
		s := w.service()
		w.append(about(event.DirectoryUserCreated, "org_1", "ann"))
		e := w.endpoint(s, w.receiver(nil).URL) // the cursor is the event of Ann
		w.append(about(event.DirectoryUserCreated, "org_1", "bob"))
		w.later(3 * time.Hour)
		w.append(about(event.DirectoryUserCreated, "org_1", "cid"))
		w.must(w.events.Expire(w.Context(), time.Hour, w.now())) // as after a long stop
		w.must(s.fan.catchUp(w.Context(), s))
		if got := w.states(s, e.ID); got[Pending] != 1 || len(got) != 1 {
			w.Errorf("the endpoint has %v, want the one event that is left", got)
		}
	})
}
