package signin_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/rollcallhq/rollcall/internal/oidc"
	"github.com/rollcallhq/rollcall/internal/sso"
)

// RFC 6750, section 3.1: no error is named to who shows no token.
func TestUserinfo_without_a_token_names_no_error(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		a := w.browser().get("/oauth2/userinfo").want(t, http.StatusUnauthorized)
		if got := a.Header.Get("WWW-Authenticate"); got != "Bearer" || strings.Contains(a.body, "error") {
			t.Errorf("WWW-Authenticate %q: %s", got, a.body)
		}
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, w.server.URL+"/oauth2/userinfo", nil)
		w.ok(err)
		r.Header.Set("Authorization", "Bearer nonsense")
		a = w.browser().do(r).want(t, http.StatusUnauthorized)
		if got := a.Header.Get("WWW-Authenticate"); got != `Bearer error="invalid_token"` {
			t.Errorf("with a token that is none: %q", got)
		}
	})
}

func TestLogout_ticket_serves_once(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b := w.browser()
		b.signIn()
		profile := w.attempts(w.conn)[0].ProfileID
		ticket, err := w.issuer.AuthorizeLogout(ctx, string(profile))
		w.ok(err)
		another, err := w.issuer.AuthorizeLogout(ctx, string(profile))
		w.ok(err)
		b.get(strings.TrimPrefix(ticket.URL, w.server.URL)).location(t)
		w.wantLiving(0)
		b.signIn()
		b.get(strings.TrimPrefix(ticket.URL, w.server.URL)).want(t, http.StatusNotFound)
		w.wantLiving(1)
		b.get(strings.TrimPrefix(another.URL, w.server.URL)).location(t)
		w.wantLiving(0)
	})
}

func TestTest_sign_in_without_a_directory_says_nothing_of_one(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		address, err := w.signIns.NewTest(ctx, w.conn.ID)
		w.ok(err)
		b := w.browser()
		to := b.get(address).location(t)
		page := b.get(b.deliver(w.conn, w.message(w.conn, w.requestID(to)), to.Query().Get("RelayState")).location(t).String()).want(t, http.StatusOK)
		if strings.Contains(page.body, "directory") || !strings.Contains(page.body, "Everything is as it should be") {
			t.Errorf("got %s", text(page.body))
		}
	})
}

func TestR05_signature_of_an_OpenID_provider_is_mended_at_its_keys(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p := w.provider(w.org.ID)
		b := w.browser()
		back := p.away(b)
		other, err := oidc.NewSigningKey(oidc.ES256, w.now())
		w.ok(err)
		p.signer = &other
		w.refusedWith(b.get(back.String()), p.conn, sso.SignatureInvalid)
		advice := w.attempts(p.conn)[0].Refused.Advice
		if !strings.Contains(advice, "jwks_uri") || strings.Contains(advice, "certificate") {
			t.Errorf("advised: %s", advice)
		}
	})
}

// OpenID Connect Core 1.0, section 4: the issuer is required.
func TestLogin_that_names_no_issuer_is_not_begun_at_an_OpenID_connection(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p := w.provider(w.org.ID)
		b := w.browser()
		for _, query := range []string{"", "?iss=", "?iss=https%3A%2F%2Fevil.example", "?iss=" + p.server.URL + "&iss=" + p.server.URL} {
			if a := b.get("/oidc/" + p.conn.Key + "/login" + query); a.StatusCode != http.StatusBadRequest && a.StatusCode != http.StatusForbidden {
				t.Errorf("%q: status %d, led to %s", query, a.StatusCode, a.Header.Get("Location"))
			}
		}
	})
}
