package signin_test

import (
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/idp"
	"github.com/rollcallhq/rollcall/internal/lifecycle"
	"github.com/rollcallhq/rollcall/internal/saml"
	"github.com/rollcallhq/rollcall/internal/saml/samltest"
	"github.com/rollcallhq/rollcall/internal/saml/second"
	"github.com/rollcallhq/rollcall/internal/signin"
	"github.com/rollcallhq/rollcall/internal/sso"
	"github.com/rollcallhq/rollcall/internal/token"
)

// disagreeing puts a second verifier in that reads every response in another way, and takes its time.
func disagreeing(t *testing.T) change {
	return func(o *lifecycle.SignInOptions, so *signin.Options) {
		catalog, err := idp.Load()
		if err != nil {
			t.Fatal(err)
		}
		o.Connections = sso.NewService(sso.Config{
			DB: o.DB, Events: o.Events, IDs: token.NewSource(o.Now), Sealer: o.Sealer, Organizations: o.Organizations, Sessions: o.Sessions, Members: o.Members,
			Catalog: catalog, Now: o.Now, Logger: o.Logger,
			Second: func(second.Guess, []byte, saml.Expectation, *saml.Assertion) error {
				time.Sleep(20 * time.Millisecond)
				return &saml.Error{Fault: fault.New(fault.Forbidden, saml.CodeVerifiersDisagree, "They disagree.")}
			},
		})
		so.Connections = o.Connections
	}
}

// S01: what one verifier alone accepts signs nobody in, whatever was read meanwhile, and that is what is said of it.
func TestS01_response_that_two_verifiers_read_differently_comes_to_nothing(t *testing.T) {
	for _, profiles := range []bool{false, true} {
		each(t, func(t *testing.T, w *world) {
			b := w.browser()
			request, relay := w.begin(b)
			w.refusedWith(b.deliver(w.conn, w.message(w.conn, request), relay), w.conn, sso.VerifiersDisagree)
			request, relay = w.begin(b) // refused for another reason too
			w.refusedWith(b.deliver(w.conn, withEmail(w.message(w.conn, request), "ceo@elsewhere.example"), relay), w.conn, sso.VerifiersDisagree)
			for _, table := range []string{"sessions", "authorization_codes", "users", "profiles", "used_assertions"} {
				if n := w.count(table); n != 0 {
					t.Errorf("%d rows of %s were written", n, table)
				}
			}
			if slices.Contains(w.types(), "authentication.sso_succeeded") {
				t.Error("a success was told")
			}
		}, disagreeing(t), func(o *lifecycle.SignInOptions, _ *signin.Options) { o.ProfilesOnly = profiles })
	}
}

func TestS01_test_sign_in_that_two_verifiers_read_differently_fails(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		address, err := w.signIns.NewTest(ctx, w.conn.ID)
		w.ok(err)
		b := w.browser()
		to := b.get(address).location(t)
		b.deliver(w.conn, w.message(w.conn, w.requestID(to)), to.Query().Get("RelayState")).location(t)
		attempts := w.attempts(w.conn)
		if len(attempts) != 1 || attempts[0].Refused == nil || attempts[0].Refused.Code != sso.VerifiersDisagree {
			t.Errorf("%+v", attempts)
		}
	}, disagreeing(t))
}

// The first through a new connection make it active; those who come at the same time are let in all the same.
func TestFirst_people_through_a_connection_may_come_together(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		const n = 8
		var all sync.WaitGroup
		statuses := make([]int, n)
		for i := range n {
			b := w.browser()
			request, relay := w.begin(b)
			fields := posted(w.idp.Respond(w.message(w.conn, request), samltest.AssertionSigned), relay)
			all.Go(func() { statuses[i] = b.post("/saml/"+w.conn.Key+"/acs", fields).StatusCode })
		}
		all.Wait()
		for _, status := range statuses {
			if status != http.StatusSeeOther {
				t.Fatalf("statuses %v, want redirects", statuses)
			}
		}
	})
}
