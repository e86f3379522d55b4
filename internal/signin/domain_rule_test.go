package signin_test

import (
	"net/http"
	"testing"

	"github.com/rollcallhq/rollcall/internal/lifecycle"
	"github.com/rollcallhq/rollcall/internal/signin"
	"github.com/rollcallhq/rollcall/internal/sso"
)

// Whose domain an address lies in is decided in one place, with accounts and without, and a test sign-in shows it once.
func TestP09_rule_about_domains_is_one(t *testing.T) {
	story := func(t *testing.T, w *world) {
		for _, email := range []string{"ceo@elsewhere.example", "ceo@sub.acme.example", "ceo@аcme.example"} { // the last one begins with a Cyrillic letter
			b := w.browser()
			request, relay := w.begin(b)
			w.refusedWith(b.deliver(w.conn, withEmail(w.message(w.conn, request), email), relay), w.conn, sso.EmailDomainNotAllowed)
		}
		address, err := w.signIns.NewTest(ctx, w.conn.ID)
		w.ok(err)
		b := w.browser()
		to := b.get(address).location(t)
		a := b.deliver(w.conn, withEmail(w.message(w.conn, w.requestID(to)), "ceo@elsewhere.example"), to.Query().Get("RelayState")).location(t)
		b.get(a.String()).want(t, http.StatusOK)
		for _, attempt := range w.attempts(w.conn) {
			if attempt.Kind != sso.Test {
				continue
			}
			red := 0
			for _, c := range attempt.Checks {
				if c.Name == "email_domain" {
					t.Error("a second check of the domain")
				}
				if c.Name == "email_in_verified_domain" && !c.Passed {
					red++
				}
			}
			if attempt.Refused == nil || attempt.Refused.Code != sso.EmailDomainNotAllowed || red != 1 {
				t.Errorf("%d red checks of the domain, refused %+v", red, attempt.Refused)
			}
		}
	}
	each(t, story)
	each(t, story, func(o *lifecycle.SignInOptions, _ *signin.Options) { o.ProfilesOnly = true })
}
