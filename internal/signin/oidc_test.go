package signin_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/simulate"
	"github.com/rollcallhq/rollcall/internal/sso"
)

// provider is a test OpenID provider with a connection that trusts it.
type provider struct {
	w      *world
	server *httptest.Server
	conn   sso.Connection
	tamper func(url.Values) // what reaches the token endpoint
}

func (w *world) provider(id org.ID) *provider {
	w.t.Helper()
	p := &provider{w: w, server: httptest.NewUnstartedServer(nil)}
	base := "http://" + p.server.Listener.Addr().String() + "/op"
	op, err := simulate.NewOIDC(simulate.OIDCOptions{
		Base: base, People: simulate.People("acme.example"), Now: time.Now,
		Client: func(_ context.Context, clientID string) (simulate.OIDCClient, bool) {
			return simulate.OIDCClient{
				Name: "Rollcall", Secret: "a secret of the client", RedirectURIs: []string{w.server.URL + "/oidc/" + p.conn.Key + "/callback"},
				InitiateLoginURI: w.server.URL + "/oidc/" + p.conn.Key + "/login",
			}, clientID == "rollcall"
		},
	})
	w.ok(err)
	p.server.Config.Handler = op
	p.server.Start()
	w.t.Cleanup(p.server.Close)
	p.conn, err = w.conns.Create(ctx, operator(), sso.New{OrganizationID: string(id), Type: "GenericOIDC", Settings: sso.Change{
		Name: ref("OpenID"), Issuer: ref(base), ClientID: ref("rollcall"), ClientSecret: ref("a secret of the client"),
	}})
	w.ok(err)
	return p
}

// away begins a sign-in and lets the provider sign Ada in: the result is where it sends the browser back to.
func (p *provider) away(b *browser) *url.URL {
	p.w.t.Helper()
	to := b.get(p.w.authorization("connection", string(p.conn.ID))).location(p.w.t)
	page := b.get(to.String()).want(p.w.t, http.StatusOK)
	fields := url.Values{"person": {"sim-ada"}, "scenario": {"sign_in"}}
	for _, name := range []string{"request", "login_hint"} {
		if strings.Contains(page.body, `name="`+name+`"`) {
			fields.Set(name, page.hidden(p.w.t, name))
		}
	}
	back := b.post(p.server.URL+"/op/answer", fields)
	u, err := url.Parse(back.Header.Get("Location"))
	p.w.ok(err)
	if !strings.HasPrefix(u.String(), p.w.server.URL+"/oidc/") {
		p.w.t.Fatalf("the provider led to %q: %s", u, text(back.body))
	}
	return u
}

func TestSignIn_by_OpenID_Connect_leads_to_the_application(t *testing.T) {
	each(t, func(w *world) {
		p := w.provider(w.org.ID)
		b := w.browser()
		status, tokens := w.redeem(w.code(b.get(p.away(b).String()).location(t)))
		if status != http.StatusOK {
			t.Fatalf("token: %d %v", status, tokens)
		}
		if claims := w.claims(tokens); claims["email"] != "ada@acme.example" || claims["connection_id"] != string(p.conn.ID) {
			t.Errorf("claims %v", claims)
		}
	})
}

// R01: the mix-up of draft-ietf-oauth-security-topics-update: a code of one provider at the callback of another.
func TestR01_a_code_of_one_connection_is_refused_at_another(t *testing.T) {
	each(t, func(w *world) {
		first := w.provider(w.org.ID)
		other, err := w.orgs.Create(ctx, operator(), org.New{Name: "Other"})
		w.ok(err)
		second := w.provider(other.ID)
		b := w.browser()
		back := first.away(b)
		back.Path = "/oidc/" + second.conn.Key + "/callback"
		w.refusedWith(b.get(back.String()), second.conn, sso.StateLost)
		if w.count("sessions") != 0 {
			t.Error("a session came of it")
		}
	})
}

func TestR01_another_issuer_in_the_answer_is_refused(t *testing.T) {
	each(t, func(w *world) {
		p := w.provider(w.org.ID)
		b := w.browser()
		back := p.away(b)
		q := back.Query()
		q.Set("iss", "https://evil.example")
		back.RawQuery = q.Encode()
		w.refusedWith(b.get(back.String()), p.conn, sso.IssuerMismatch)
	})
}

// R02: Mattermost CVE-2025-12419.
func TestR02_state_is_of_one_browser_and_serves_once(t *testing.T) {
	each(t, func(w *world) {
		p := w.provider(w.org.ID)
		b, thief := w.browser(), w.browser()
		back := p.away(b)
		thief.get(w.authorization("connection", string(p.conn.ID)))
		w.refusedWith(thief.get(back.String()), p.conn, sso.StateLost)

		back = p.away(b)
		w.code(b.get(back.String()).location(t))
		w.refusedWith(b.get(back.String()), p.conn, sso.Replayed)

		back = p.away(w.browser())
		q := back.Query()
		q.Del("state")
		back.RawQuery = q.Encode()
		b.get(back.String()).want(t, http.StatusForbidden)
	})
}

// R03: a code injected from another sign-in carries that one's nonce.
func TestR03_a_code_of_another_sign_in_is_refused(t *testing.T) {
	each(t, func(w *world) {
		p := w.provider(w.org.ID)
		b, other := w.browser(), w.browser()
		mine, theirs := p.away(b), p.away(other)
		q := mine.Query()
		q.Set("code", theirs.Query().Get("code"))
		mine.RawQuery = q.Encode()
		b.get(mine.String()).want(t, http.StatusForbidden) // PKCE at the provider, or else the nonce
		if w.count("sessions") != 0 {
			t.Error("a session came of it")
		}
	})
}

func TestR11_an_answer_with_error_and_code_or_two_codes_is_refused(t *testing.T) {
	each(t, func(w *world) {
		p := w.provider(w.org.ID)
		for _, change := range []func(url.Values){
			func(q url.Values) { q.Set("error", "access_denied") },
			func(q url.Values) { q.Add("code", "another") },
			func(q url.Values) { q.Add("state", "another") },
			func(q url.Values) { q.Del("code") },
		} {
			b := w.browser()
			back := p.away(b)
			q := back.Query()
			change(q)
			back.RawQuery = q.Encode()
			b.get(back.String()).want(t, http.StatusForbidden)
		}
		b := w.browser()
		back := p.away(b)
		b.post(back.Path, back.Query()).want(t, http.StatusMethodNotAllowed) // form_post is not what we asked for
		if w.count("sessions") != 0 {
			t.Error("a session came of it")
		}
	})
}

// OpenID Connect Core 1.0, section 4: target_link_uri is not followed.
func TestLogin_that_the_provider_begins_leads_to_the_default_application_only(t *testing.T) {
	each(t, func(w *world) {
		p := w.provider(w.org.ID)
		b := w.browser()
		q := url.Values{"iss": {p.server.URL + "/op"}, "target_link_uri": {"https://evil.example/"}, "login_hint": {"ada@acme.example"}}
		to := b.get("/oidc/" + p.conn.Key + "/login?" + q.Encode()).location(t)
		if !strings.HasPrefix(to.String(), p.server.URL+"/op/authorize?") || strings.Contains(to.String(), "evil") {
			t.Errorf("led to %s", to)
		}
		q.Set("iss", "https://evil.example")
		b.get("/oidc/"+p.conn.Key+"/login?"+q.Encode()).want(t, http.StatusBadRequest)
	})
}
