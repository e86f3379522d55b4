package webhook

import (
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
)

func TestEndpoint_that_fails_for_days_is_disabled_with_an_event_and_can_be_replayed(t *testing.T) {
	each(t, func(w *world) {
		s := w.service()
		app := w.receiver(func(received) int { return http.StatusBadGateway })
		e := w.endpoint(s, app.URL)
		w.run(s)
		w.append(about(event.DirectoryUserCreated, "org_1", "ann"))
		w.until("it fails", func() bool { return w.only(s, e.ID).Attempts == 1 })
		w.later(disabledAfter-time.Hour, s)
		w.until("it fails again", func() bool { return w.only(s, e.ID).Attempts == 2 })
		if got, _ := s.Get(w.Context(), e.ID); got.Status != Enabled {
			w.Fatal("it was disabled too early")
		}
		w.later(2*time.Hour, s)
		w.until("it is disabled", func() bool { got, _ := s.Get(w.Context(), e.ID); return got.Status == Disabled })
		if got, _ := s.Get(w.Context(), e.ID); got.DisabledReason != ByFailing || got.DisabledAt.IsZero() {
			w.Errorf("%+v", got)
		}
		w.until("what was pending is cancelled", func() bool { return w.only(s, e.ID).State == Cancelled })
		told, err := w.events.List(w.Context(), event.Query{Types: event.OwnTypes(), Limit: 10})
		w.must(err)
		if len(told) != 1 || !strings.Contains(string(told[0].Data), `"disabled_reason":"failing"`) || strings.Contains(string(told[0].Data), e.Secret.Reveal()) {
			w.Errorf("events %v", told)
		}
		app.set(func(received) int { return http.StatusOK })
		w.append(about(event.DirectoryUserUpdated, "org_1", "ann")) // while disabled
		on := Enabled
		_, err = s.Update(w.Context(), e.ID, Change{Status: &on})
		w.must(err)
		n, err := s.Replay(w.Context(), e.ID, Replay{Failed: true})
		if n != 1 || err != nil {
			w.Fatalf("replayed %d, %v", n, err)
		}
		w.until("the replay is delivered", func() bool { return w.states(s, e.ID)[Delivered] == 1 })
		if n, err = s.Replay(w.Context(), e.ID, Replay{From: time.Now().Add(-time.Hour), Until: w.now().Add(time.Hour)}); n != 2 || err != nil {
			w.Fatalf("replayed a span: %d, %v", n, err)
		}
		w.until("the span is delivered", func() bool { return w.states(s, e.ID)[Delivered] == 3 })
		got := app.ids()
		if first := got[0]; got[len(got)-2] != first || app.all()[len(got)-2].text != app.all()[0].text {
			w.Errorf("a replay has another id or body: %v", got)
		}
	})
}

func TestEndpoint_that_says_gone_is_disabled_at_once(t *testing.T) {
	each(t, func(w *world) {
		s := w.service()
		app := w.receiver(func(received) int { return http.StatusGone })
		e := w.endpoint(s, app.URL)
		w.run(s)
		w.append(about(event.DirectoryUserCreated, "org_1", "ann"))
		w.until("it is disabled", func() bool { got, _ := s.Get(w.Context(), e.ID); return got.DisabledReason == ByGone })
		w.until("the delivery is cancelled", func() bool { return w.only(s, e.ID).State == Cancelled })
		w.append(about(event.DirectoryUserCreated, "org_1", "bob"))
		w.must(s.fan.catchUp(w.Context(), s))
		if n := len(app.all()); n != 1 {
			w.Errorf("%d requests, want 1", n)
		}
		w.only(s, e.ID)
	})
}

func TestAnswers_that_are_no_success_are_failures_and_redirects_are_not_followed(t *testing.T) {
	each(t, func(w *world) {
		var followed atomic.Bool
		trap := w.receiver(func(received) int { followed.Store(true); return http.StatusOK })
		s := w.service()
		app := w.receiver(nil)
		app.serve = func(rw http.ResponseWriter, r *http.Request) {
			http.Redirect(rw, r, trap.URL, http.StatusTemporaryRedirect)
		}
		e := w.endpoint(s, app.URL)
		w.run(s)
		w.append(about(event.DirectoryUserCreated, "org_1", "ann"))
		w.until("it fails", func() bool { return w.only(s, e.ID).Attempts == 1 })
		_, attempts, err := s.Delivery(w.Context(), w.only(s, e.ID).ID)
		w.must(err)
		if attempts[0].Status != http.StatusTemporaryRedirect || followed.Load() {
			w.Errorf("%+v, followed %v", attempts, followed.Load())
		}
	})
}

func TestReceiver_that_floods_or_says_nothing_more_costs_a_moment_and_a_kilobyte(t *testing.T) {
	each(t, func(w *world) {
		s := w.service()
		flood, drip := w.receiver(nil), w.receiver(nil)
		flood.serve = func(rw http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				if _, err := rw.Write([]byte(strings.Repeat("no\x00\x1b\xff", 1000))); err != nil {
					return
				}
			}
		}
		drip.serve = func(rw http.ResponseWriter, r *http.Request) {
			_ = http.NewResponseController(rw).Flush()
			<-r.Context().Done()
		}
		a, b := w.endpoint(s, flood.URL), w.endpoint(s, drip.URL)
		w.run(s)
		w.append(about(event.DirectoryUserCreated, "org_1", "ann"))
		for _, e := range []Endpoint{a, b} {
			w.until("it is delivered", func() bool { return w.only(s, e.ID).State == Delivered })
		}
		_, attempts, err := s.Delivery(w.Context(), w.only(s, a.ID).ID)
		w.must(err)
		if got := attempts[0].Answer; got == "" || len(got) > answerKept*3 || strings.ContainsAny(got, "\x00\x1b") {
			w.Errorf("kept %q", got)
		}
		if _, attempts, err = s.Delivery(w.Context(), w.only(s, b.ID).ID); err != nil || attempts[0].Took > 2*answerPatience {
			w.Errorf("%+v %v", attempts, err)
		}
	})
}

func TestEndpoint_that_hangs_costs_the_others_nothing(t *testing.T) {
	each(t, func(w *world) {
		s := w.service()
		l, err := (&net.ListenConfig{}).Listen(w.Context(), "tcp", "127.0.0.1:0") // accepts and says nothing
		w.must(err)
		w.Cleanup(func() { l.Close() })
		app := w.receiver(nil)
		dead, alive := w.endpoint(s, "http://"+l.Addr().String()+"/"), w.endpoint(s, app.URL)
		stop := w.run(s)
		for i := range 40 {
			w.append(about(event.DirectoryUserCreated, "org_1", fmt.Sprint("p", i)))
		}
		w.until("the living one has all", func() bool { return w.states(s, alive.ID)[Delivered] == 40 })
		if got := w.states(s, dead.ID)[Pending]; got != 40 {
			w.Errorf("%d wait for the dead one, want 40", got)
		}
		began := time.Now()
		stop()
		if took := time.Since(began); took > stopPatience+5*time.Second {
			w.Errorf("the stop took %s", took)
		}
	})
}

func TestRotation_serves_receivers_of_either_secret(t *testing.T) {
	each(t, func(w *world) {
		s := w.service()
		app := w.receiver(nil)
		e := w.endpoint(s, app.URL)
		var accepts atomic.Value
		accepts.Store(e.Secret.Reveal())
		app.set(func(r received) int {
			if !verifies(accepts.Load().(string), r) {
				return http.StatusBadRequest
			}
			return http.StatusOK
		})
		w.run(s)
		after, err := s.RotateSecret(w.Context(), e.ID, DefaultKeepOld)
		w.must(err)
		send := func(who string, delivered int) {
			w.append(about(event.DirectoryUserCreated, "org_1", who))
			w.until(who+" is delivered", func() bool { return w.states(s, e.ID)[Delivered] == delivered })
		}
		send("old", 1)
		for _, r := range app.all() {
			if !standardVerifies(e.Secret.Reveal(), r) || !standardVerifies(after.Secret.Reveal(), r) {
				w.Error("webhook-signature has to verify with both")
			}
		}
		accepts.Store(after.Secret.Reveal())
		send("new", 2)
		before := len(app.all())
		send("again", 3)
		if n := len(app.all()) - before; n != 1 {
			w.Errorf("%d attempts after the receiver was seen to have the new secret", n)
		}
		w.later(DefaultKeepOld+time.Hour, s)
		send("over", 4)
		if last := app.all()[len(app.all())-1]; standardVerifies(e.Secret.Reveal(), last) || !standardVerifies(after.Secret.Reveal(), last) {
			w.Error("the former secret signs after its time")
		}
	})
}

func TestEvent_that_is_no_longer_in_the_log_is_not_delivered(t *testing.T) {
	each(t, func(w *world) {
		s := w.service()
		app := w.receiver(nil)
		e := w.endpoint(s, app.URL)
		id := w.append(about(event.DirectoryUserCreated, "org_1", "ann"))[0]
		w.must(s.fan.catchUp(w.Context(), s))
		s.fan.recent = bodies{}
		w.must(w.db.Tx(w.Context(), func(tx db.Tx) error {
			_, err := tx.Exec(w.Context(), "DELETE FROM events WHERE id = $1", id)
			return err
		}))
		w.run(s)
		w.until("it is cancelled", func() bool { return w.only(s, e.ID).State == Cancelled })
		if d := w.only(s, e.ID); d.Reason != eventGone || len(app.all()) != 0 {
			w.Errorf("%+v, %d requests", d, len(app.all()))
		}
	})
}

func TestCursor_whose_event_has_expired_goes_on_with_what_is_left(t *testing.T) {
	each(t, func(w *world) {
		s := w.service()
		e := w.endpoint(s, w.receiver(nil).URL)
		w.append(about(event.DirectoryUserCreated, "org_1", "ann"))
		w.must(s.fan.catchUp(w.Context(), s))
		later := w.append(about(event.DirectoryUserCreated, "org_1", "bob"), about(event.DirectoryUserCreated, "org_1", "cy"))
		w.must(w.db.Tx(w.Context(), func(tx db.Tx) error {
			_, err := tx.Exec(w.Context(), "DELETE FROM events WHERE id < $1", later[0])
			return err
		}))
		w.must(w.service().fan.catchUp(w.Context(), w.service()))
		found, err := s.readDeliveries(w.Context(), w.db, deliveriesOf+" ORDER BY d.seq", string(e.ID))
		w.must(err)
		if len(found) != 3 || found[1].EventID != later[0] || found[2].EventID != later[1] {
			w.Errorf("%+v", found)
		}
	})
}

func TestExpire_deletes_what_is_finished_and_old(t *testing.T) {
	each(t, func(w *world) {
		s := w.service()
		s.o.Retention = 24 * time.Hour
		e := w.endpoint(s, w.receiver(nil).URL)
		dead := w.endpoint(s, "http://127.0.0.1:1/")
		w.run(s)
		w.append(about(event.DirectoryUserCreated, "org_1", "ann"))
		w.until("it is delivered and fails", func() bool { return w.only(s, e.ID).State == Delivered && w.only(s, dead.ID).Attempts == 1 })
		id := w.only(s, e.ID).ID
		w.must(s.Expire(w.Context()))
		if _, attempts, err := s.Delivery(w.Context(), id); err != nil || len(attempts) != 1 {
			w.Fatalf("gone too early: %v %v", attempts, err)
		}
		w.later(25 * time.Hour)
		w.must(s.Expire(w.Context()))
		if got := w.states(s, e.ID); len(got) != 0 {
			w.Errorf("%v are left", got)
		}
		if got := w.states(s, dead.ID); got[Pending] != 1 {
			w.Errorf("what is pending has to stay: %v", got)
		}
	})
}

func TestSeveral_processes_deliver_each_event_once_and_in_order(t *testing.T) {
	each(t, func(w *world) {
		const events, people = 300, 10
		app := w.receiver(nil)
		first := w.service()
		e := w.endpoint(first, app.URL)
		all := []*Service{first}
		if w.db.Engine() == db.PostgreSQL {
			all = append(all, w.service(), w.service())
		}
		for _, s := range all {
			s.o.Events = event.NewLog(w.db, w.ids)
			w.run(s)
		}
		want := map[string][]string{}
		for i := range events {
			who := fmt.Sprint("p", i%people)
			var write db.Write
			log := all[i%len(all)].o.Events
			ids := log.Append(&write, w.now(), about(event.DirectoryUserUpdated, "org_1", who))
			w.must(w.db.Write(w.Context(), &write))
			log.Nudge()
			want[who] = append(want[who], ids...)
		}
		w.until("all are delivered", func() bool { return w.states(first, e.ID)[Delivered] == events })
		got := map[string][]string{}
		for _, r := range app.all() {
			got[r.subject] = append(got[r.subject], r.id)
		}
		for who := range want {
			if !slices.Equal(got[who], want[who]) {
				w.Errorf("%s got %d of %d, or in another order", who, len(got[who]), len(want[who]))
			}
		}
	})
}

func TestProcess_that_dies_is_succeeded_and_delivers_again_with_the_same_id(t *testing.T) {
	each(t, func(w *world) {
		app := w.receiver(nil)
		hang := make(chan struct{})
		w.Cleanup(func() { close(hang) })
		app.serve = func(_ http.ResponseWriter, r *http.Request) {
			select {
			case <-hang:
			case <-r.Context().Done():
			}
		}
		first, second := w.service(), w.service()
		e := w.endpoint(first, app.URL)
		stop := w.run(first)
		ids := w.append(about(event.DirectoryUserCreated, "org_1", "ann"))
		w.until("it is under way", func() bool { return len(app.all()) == 1 })
		// It dies: nothing is given back or written down any more.
		l := first.dispatch.lease.Load()
		l.end()
		stop()
		app.mu.Lock()
		app.serve = nil
		app.mu.Unlock()
		var write db.Write
		write.Exec(insertProcess, l.process) // as a process that was killed leaves it
		w.must(w.db.Write(w.Context(), &write))
		if w.only(second, e.ID).State != Pending {
			w.Fatal("it was not left pending")
		}
		second.dispatch.dead = 300 * time.Millisecond
		w.run(second)
		w.until("the other delivers it", func() bool { return w.only(second, e.ID).State == Delivered })
		if got := app.ids(); len(got) != 2 || got[0] != ids[0] || got[1] != ids[0] || app.all()[0].text != app.all()[1].text {
			w.Errorf("got %v, want %s twice", got, ids[0])
		}
	})
}

func TestEndpoint_of_a_living_process_is_not_taken(t *testing.T) {
	each(t, func(w *world) {
		if w.db.Engine() == db.SQLite {
			return // there is one process
		}
		app := w.receiver(nil)
		first, second := w.service(), w.service()
		e := w.endpoint(first, app.URL)
		w.run(first)
		w.until("it is owned", func() bool { return w.owner(e.ID) != "" })
		was := w.owner(e.ID)
		second.dispatch.dead = 2*leaseBeat + time.Second
		w.run(second)
		for end := time.Now().Add(second.dispatch.dead + time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
			if now := w.owner(e.ID); now != was {
				w.Fatalf("%s took it from %s, which lives", now, was)
			}
		}
	})
}

func (w *world) owner(id EndpointID) string {
	w.Helper()
	var owner *string
	w.must(w.db.QueryRow(w.Context(), "SELECT owner FROM webhook_endpoints WHERE id = $1", string(id)).Scan(&owner))
	if owner == nil {
		return ""
	}
	return *owner
}

func TestSecrets_are_sealed_in_the_database(t *testing.T) {
	each(t, func(w *world) {
		s := w.service()
		e := w.endpoint(s, w.receiver(nil).URL)
		var stored string
		w.must(w.db.QueryRow(w.Context(), "SELECT secret FROM webhook_endpoints").Scan(&stored))
		if strings.Contains(stored, strings.TrimPrefix(e.Secret.Reveal(), secretPrefix)) {
			w.Error("the secret is stored in clear")
		}
		w.must(s.Delete(w.Context(), e.ID))
		w.must(w.db.QueryRow(w.Context(), "SELECT secret FROM webhook_endpoints").Scan(&stored))
		if stored != "" {
			w.Error("a deleted endpoint keeps its secret")
		}
	})
}

func TestTarget_that_is_no_longer_allowed_is_not_called(t *testing.T) {
	each(t, func(w *world) {
		app := w.receiver(nil)
		e := w.endpoint(w.service(), app.URL)
		strict := w.service("192.168.0.0/16")
		w.run(strict)
		w.append(about(event.DirectoryUserCreated, "org_1", "ann"))
		w.until("it fails", func() bool { return w.only(strict, e.ID).Attempts == 1 })
		_, attempts, err := strict.Delivery(w.Context(), w.only(strict, e.ID).ID)
		w.must(err)
		if !strings.Contains(attempts[0].Error, "--allow-target") || len(app.all()) != 0 {
			w.Errorf("%+v, %d requests", attempts, len(app.all()))
		}
	})
}
