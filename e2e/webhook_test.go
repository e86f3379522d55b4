package e2e_test

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	sdk "github.com/rollcallhq/rollcall/client"
	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/db/dbtest"
)

const (
	webhookWriters = 4  // of each of two directories, on one group
	webhookLives   = 12 // of each writer in a round
	beforeKill     = 80 // attempts of a round
)

// toLoopback lets the program call the receivers of these stories.
func toLoopback() []string { return []string{"--allow-target", "127.0.0.0/8,::1"} }

// loneHome is an installation with an app that receives, and two directories that write.
type loneHome struct {
	*home
	app   *app
	books []*book
}

func newLoneHome(t *testing.T, engine db.Engine) (loneHome, *process) {
	t.Helper()
	h := loneHome{home: newHome(t, engine, toLoopback()...), app: newApp(t)}
	p := h.start(t)
	h.app.subscribe(sdkOf(t, p))
	h.books = []*book{newBook(t, p, "Left"), newBook(t, p, "Right")}
	return h, p
}

func sdkOf(t *testing.T, p *process) *sdk.Client {
	t.Helper()
	api, err := sdk.New(p.url, managementKey)
	must(t, err)
	return api
}

// write lets people come and go, all writers at once. A broken connection is an error unless killed says that it may be.
func (h loneHome) write(t *testing.T, p *process, killed *atomic.Bool) *sync.WaitGroup {
	t.Helper()
	var crowd sync.WaitGroup
	for _, b := range h.books {
		idp := b.scim(p)
		for range webhookWriters {
			crowd.Go(func() { b.lives(t, idp, killed) })
		}
	}
	return &crowd
}

func (b *book) lives(t *testing.T, idp *client, killed *atomic.Bool) {
	for number := range webhookLives {
		ok, err := b.life(context.Background(), t, idp, number)
		if err != nil && !killed.Load() {
			t.Errorf("%s: a request failed before the server was killed: %v", b.tag, err)
		}
		if err != nil || !ok {
			return
		}
	}
}

func TestWebhooks_bring_every_event_as_the_log_has_it_signed_and_in_each_persons_order(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(t *testing.T, engine db.Engine) {
		t.Parallel()
		h, p := newLoneHome(t, engine)
		h.write(t, p, new(atomic.Bool)).Wait()
		api := sdkOf(t, p)
		h.app.audit(h.app.awaitAll(api))
		if refusals := h.app.checkRetries(); refusals == 0 {
			t.Error("no attempt was refused; the story needs some")
		}
		h.checkDeliveries(t, api)
		p.stop(t)
	})
}

// checkDeliveries compares what the API tells of the deliveries with what was received.
func (h loneHome) checkDeliveries(t *testing.T, api *sdk.Client) {
	t.Helper()
	for path, box := range h.app.mailbox {
		of := func(state string) []sdk.Delivery {
			found, err := sdk.Collect(api.Deliveries(t.Context(), box.endpoint.ID, sdk.DeliveryQuery{State: state}), 0)
			must(t, err)
			return found
		}
		// The answer to the last attempt is recorded a moment after it was given.
		eventually(t, "deliveries of "+path+" to be recorded", func() bool { return len(of("pending")) == 0 })
		found := of("")
		if len(found) != len(box.accepted) {
			t.Errorf("%s has %d deliveries and accepted %d events", path, len(found), len(box.accepted))
		}
		for _, d := range found {
			want := []int{204}
			if box.refused[d.EventID] {
				want = []int{500, 204}
			}
			if d.State != "delivered" || d.AttemptCount != len(want) {
				t.Errorf("%s: the delivery of %s is %s after %d attempts; it was received %d times", path, d.EventID, d.State, d.AttemptCount, len(want))
			}
			if len(want) == 1 {
				continue
			}
			whole, err := api.Delivery(t.Context(), d.ID)
			must(t, err)
			var got []int
			for _, a := range whole.Attempts {
				got = append(got, a.Status)
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s: the attempts of %s were answered %v, want %v", path, d.EventID, got, want)
			}
		}
	}
}

func TestKill_in_the_middle_of_deliveries_loses_none(t *testing.T) {
	t.Parallel()
	eachEngine(t, func(t *testing.T, engine db.Engine) {
		t.Parallel()
		kills := 5
		if engine == db.PostgreSQL {
			kills = 2 // after each of them the endpoints rest for ten seconds
		}
		h, p := newLoneHome(t, engine)
		for range kills {
			h.killWhileDelivering(t, p)
			h.settle(t)
			p = h.start(t)
			if t.Failed() {
				return
			}
		}
		h.write(t, p, new(atomic.Bool)).Wait()
		h.app.audit(h.app.awaitAll(sdkOf(t, p)))
		p.stop(t)
	})
}

// killWhileDelivering sees to it that the kill meets attempts whose answers have not come, and probably answers that have not been
// recorded.
func (h loneHome) killWhileDelivering(t *testing.T, p *process) {
	t.Helper()
	var killed atomic.Bool
	before := h.app.attempts()
	crowd := h.write(t, p, &killed)
	eventually(t, "deliveries", func() bool { return h.app.attempts()-before >= beforeKill || t.Failed() })
	release := h.app.capture()
	defer release()
	eventually(t, "an attempt to be under way", func() bool { return h.app.holds() > 0 || t.Failed() })
	killed.Store(true)
	p.kill(t)
	crowd.Wait()
}

// takeover is how long the endpoints of a process that died may rest.
const takeover = 30 * time.Second

func TestProcess_that_dies_while_delivering_leaves_its_deliveries_to_the_other(t *testing.T) {
	t.Parallel()
	if !slices.Contains(dbtest.Engines(t), db.PostgreSQL) {
		t.Skip("several processes need PostgreSQL, which is left out")
	}
	h, one := newLoneHome(t, db.PostgreSQL)
	eventually(t, "the first deliveries", func() bool { return h.app.attempts() > 0 }) // so it is this one that delivers
	two := h.start(t)
	never := new(atomic.Bool)
	through := h.write(t, two, never)
	h.killWhileDelivering(t, one)
	died, before := time.Now(), h.app.attempts()
	through.Wait()
	eventually(t, "the other to take over", func() bool { return h.app.attempts() > before })
	if took := time.Since(died); took > takeover {
		t.Errorf("the other took over after %s", took)
	}
	h.write(t, two, never).Wait()
	h.app.audit(h.app.awaitAll(sdkOf(t, two)))
	two.stop(t)
}
