package webhook

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/event"
)

func TestEvents_are_delivered_signed_both_ways_with_the_id_and_body_of_the_log(t *testing.T) {
	each(t, func(w *world) {
		s := w.service()
		w.append(about(event.DirectoryUserCreated, "org_1", "before"))
		app := w.receiver(nil)
		e := w.endpoint(s, app.URL+"/hooks", event.DirectoryUserCreated)
		w.run(s)
		ids := w.append(about(event.DirectoryUserCreated, "org_1", "ann", `,"name":"R&D <é>"`), about(event.DirectoryUserDeleted, "org_1", "ann"))
		w.until("it is delivered", func() bool { return w.states(s, e.ID)[Delivered] == 1 })
		got := app.all()
		if len(got) != 1 || got[0].id != ids[0] {
			w.Fatalf("got %v, want %s alone", app.ids(), ids[0])
		}
		in, err := w.events.Named(w.Context(), ids[:1])
		w.must(err)
		text := in[ids[0]].JSON()
		if got[0].text != string(text) {
			w.Errorf("the body is\n%s, the log says\n%s", got[0].text, text)
		}
		h := got[0].header
		if h.Get("Webhook-Id") != ids[0] || h.Get("Content-Type") != "application/json" || h.Get("User-Agent") != "Rollcall/test" || h["Idempotency-Key"] != nil {
			w.Errorf("headers %v", h)
		}
		verify(w.T, e.Secret.Reveal(), got[0])
		if verifies(e.Secret.Reveal()+"x", got[0]) {
			w.Error("another secret verifies too")
		}
		_, attempts, err := s.Delivery(w.Context(), w.only(s, e.ID).ID)
		w.must(err)
		if len(attempts) != 1 || attempts[0].Status != http.StatusOK || attempts[0].Took <= 0 {
			w.Errorf("attempts %+v", attempts)
		}
	})
}

// only is the endpoint's one delivery, waited for.
func (w *world) only(s *Service, id EndpointID) Delivery {
	w.Helper()
	var found []Delivery
	w.until("there is a delivery", func() bool {
		var err error
		found, err = s.readDeliveries(w.Context(), w.db, deliveriesOf, string(id))
		w.must(err)
		return len(found) > 0
	})
	if len(found) != 1 {
		w.Fatalf("%d deliveries, want 1", len(found))
	}
	return found[0]
}

// verify checks the two signatures as a receiver does.
func verify(t *testing.T, secret string, r received) {
	t.Helper()
	if !verifies(secret, r) {
		t.Errorf("WorkOS-Signature %q does not verify", r.header.Get("Workos-Signature"))
	}
	if !standardVerifies(secret, r) {
		t.Errorf("webhook-signature %q does not verify", r.header.Get("Webhook-Signature"))
	}
}

func verifies(secret string, r received) bool {
	ts, hash, ok := strings.Cut(r.header.Get("Workos-Signature"), ", v1=") // exactly two parts, as SDKs split it
	millis := strings.TrimPrefix(ts, "t=")
	return ok && hash == hexMAC([]byte(secret), millis+"."+r.text)
}

func standardVerifies(secret string, r received) bool {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil {
		return false
	}
	want := "v1," + base64MAC(key, r.header.Get("Webhook-Id")+"."+r.header.Get("Webhook-Timestamp")+"."+r.text)
	return slices.Contains(strings.Split(r.header.Get("Webhook-Signature"), " "), want)
}

func TestDelivery_that_fails_is_retried_by_the_table_until_it_is_given_up(t *testing.T) {
	each(t, func(w *world) {
		s := w.service()
		app := w.receiver(func(received) int { return http.StatusInternalServerError })
		e := w.endpoint(s, app.URL)
		w.run(s)
		w.append(about(event.DirectoryUserCreated, "org_1", "ann"))
		total, polls := time.Duration(0), 0
		for n := range delays() {
			w.until("the next attempt", func() bool {
				if w.only(s, e.ID).Attempts > n {
					return true
				}
				if polls++; polls%200 == 0 { // the endpoint may have been given a rest after the clock was moved
					w.later(2*longestPause, s)
				}
				return false
			})
			d, attempts, err := s.Delivery(w.Context(), w.only(s, e.ID).ID)
			w.must(err)
			if len(attempts) != n+1 {
				w.Fatalf("%d attempts, want %d", len(attempts), n+1)
			}
			wait := d.NextAt.Sub(attempts[n].At)
			if want := delays()[n]; wait > want*11/10+5*time.Second || wait < want*9/10 {
				w.Errorf("after attempt %d it waits %s, want about %s", n+1, wait, want)
			}
			total += wait
			if early := len(app.all()); early != n+1 {
				w.Errorf("%d attempts, want %d", early, n+1)
			}
			w.later(max(d.NextAt.Sub(w.now()), 2*longestPause)+time.Second, s)
		}
		w.until("it is given up", func() bool { return w.only(s, e.ID).State == Failed })
		if d := w.only(s, e.ID); d.Reason != attemptsUsedUp || !d.NextAt.IsZero() {
			w.Errorf("%+v", d)
		}
		if total < 60*time.Hour || total > 80*time.Hour {
			w.Errorf("%s in all, want about three days", total)
		}
		_, attempts, err := s.Delivery(w.Context(), w.only(s, e.ID).ID)
		w.must(err)
		if len(attempts) != len(delays())+1 {
			w.Errorf("%d attempts are kept", len(attempts))
		}
		if got, err := s.Get(w.Context(), e.ID); err != nil || got.FailingSince.IsZero() {
			w.Errorf("failing since is not kept: %v %v", got.FailingSince, err)
		}
	})
}

func TestLater_event_of_an_entity_waits_for_the_earlier_and_others_do_not(t *testing.T) {
	each(t, func(w *world) {
		s := w.service()
		app := w.receiver(func(r received) int {
			if r.subject == "ann" {
				return http.StatusServiceUnavailable
			}
			return http.StatusNoContent
		})
		e := w.endpoint(s, app.URL)
		w.run(s)
		w.append(about(event.DirectoryUserCreated, "org_1", "ann"), about(event.DirectoryUserUpdated, "org_1", "ann"),
			about(event.DirectoryUserDeleted, "org_1", "ann"), about(event.DirectoryUserCreated, "org_1", "bob"))
		w.until("bob is delivered", func() bool { return w.states(s, e.ID)[Delivered] == 1 })
		for _, r := range app.all() {
			if r.subject == "ann" && r.kind != string(event.DirectoryUserCreated) {
				w.Errorf("%s overtook what is being retried", r.kind)
			}
		}
		app.set(func(received) int { return http.StatusOK })
		w.later(10*time.Second, s)
		w.until("all are delivered", func() bool { return w.states(s, e.ID)[Delivered] == 4 })
		var kinds []string
		for _, r := range app.all() {
			if r.subject == "ann" && !slices.Contains(kinds, r.kind) {
				kinds = append(kinds, r.kind)
			}
		}
		if want := []string{"dsync.user.created", "dsync.user.updated", "dsync.user.deleted"}; !slices.Equal(kinds, want) {
			w.Errorf("order %v, want %v", kinds, want)
		}
	})
}
