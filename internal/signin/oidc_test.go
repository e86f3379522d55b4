package signin_test

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/oidc"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/sso"
)

// provider is an OpenID provider that signs Ada in without a question, with a connection that trusts it.
type provider struct {
	w      *world
	server *httptest.Server
	conn   sso.Connection
	key    oidc.SigningKey
	signer *oidc.SigningKey // signs instead of key, which is published
	mu     sync.Mutex
	begun  map[string]url.Values // authorization requests by code
}

func (w *world) provider(id org.ID) *provider {
	w.t.Helper()
	p := &provider{w: w, begun: map[string]url.Values{}}
	var err error
	p.key, err = oidc.NewSigningKey(oidc.ES256, w.now())
	w.ok(err)
	mux := http.NewServeMux()
	p.server = httptest.NewServer(mux)
	w.t.Cleanup(p.server.Close)
	mux.HandleFunc("GET /.well-known/openid-configuration", func(rw http.ResponseWriter, _ *http.Request) {
		p.answer(rw, map[string]any{
			"issuer": p.server.URL, "authorization_endpoint": p.server.URL + "/authorize", "token_endpoint": p.server.URL + "/token", "jwks_uri": p.server.URL + "/jwks",
			"end_session_endpoint":     p.server.URL + "/logout?tenant=1",
			"response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"}, "id_token_signing_alg_values_supported": []string{"ES256"},
			"authorization_response_iss_parameter_supported": true,
		})
	})
	mux.HandleFunc("GET /jwks", func(rw http.ResponseWriter, _ *http.Request) {
		public, err := p.key.Public()
		w.ok(err)
		set, err := oidc.PublicJWKS([]oidc.PublicKey{public})
		w.ok(err)
		p.answer(rw, json.RawMessage(set))
	})
	mux.HandleFunc("POST /token", p.token)
	p.conn, err = w.conns.Create(ctx, operator(), sso.New{OrganizationID: string(id), Type: "GenericOIDC", Settings: sso.Change{
		Name: ref("OpenID"), Issuer: ref(p.server.URL), ClientID: ref("rollcall"), ClientSecret: ref("a secret of the client"),
	}})
	w.ok(err)
	return p
}

func (p *provider) answer(rw http.ResponseWriter, v any) {
	rw.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(rw).Encode(v); err != nil {
		p.w.t.Error(err)
	}
}

// token checks no PKCE: what is looked at is what Rollcall does by itself.
func (p *provider) token(rw http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	begun, ok := p.begun[r.PostFormValue("code")]
	p.mu.Unlock()
	if !ok || r.PostFormValue("code_verifier") == "" {
		rw.WriteHeader(http.StatusBadRequest)
		p.answer(rw, map[string]any{"error": "invalid_grant"})
		return
	}
	now, key := p.w.now(), p.key
	if p.signer != nil {
		key = *p.signer
	}
	raw, err := oidc.Sign(key, "JWT", map[string]any{
		"iss": p.server.URL, "sub": "ada-1", "aud": "rollcall", "exp": now.Add(5 * time.Minute).Unix(), "iat": now.Unix(), "auth_time": now.Unix(),
		"nonce": begun.Get("nonce"), "sid": "sid-" + r.PostFormValue("code"), "email": "ada@acme.example", "email_verified": true, "given_name": "Ada",
	})
	p.w.ok(err)
	p.answer(rw, map[string]any{"access_token": "at", "token_type": "Bearer", "expires_in": 300, "id_token": raw})
}

// away begins a sign-in and lets the provider sign Ada in: the result is where it sends the browser back to.
func (p *provider) away(b *browser) *url.URL {
	p.w.t.Helper()
	to := b.get(p.w.authorization("connection", string(p.conn.ID))).location(p.w.t)
	if !strings.HasPrefix(to.String(), p.server.URL+"/authorize?") {
		p.w.t.Fatalf("led to %s, want the provider", to)
	}
	q, code := to.Query(), rand.Text()
	p.mu.Lock()
	p.begun[code] = q
	p.mu.Unlock()
	back, err := url.Parse(q.Get("redirect_uri"))
	p.w.ok(err)
	back.RawQuery = url.Values{"code": {code}, "state": {q.Get("state")}, "iss": {p.server.URL}}.Encode()
	return back
}

func TestSignIn_by_OpenID_Connect_leads_to_the_application(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
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
	each(t, func(t *testing.T, w *world) {
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
	each(t, func(t *testing.T, w *world) {
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
	each(t, func(t *testing.T, w *world) {
		p := w.provider(w.org.ID)
		b, thief := w.browser(), w.browser()
		back := p.away(b)
		thief.get(w.authorization("connection", string(p.conn.ID)))
		w.refusedWith(thief.get(back.String()), p.conn, sso.StateLost)

		back = p.away(b)
		w.code(b.get(back.String()).location(t))
		w.already(b.get(back.String()))
		b.post("/sign-out", url.Values{}).location(t)
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
	each(t, func(t *testing.T, w *world) {
		p := w.provider(w.org.ID)
		b, other := w.browser(), w.browser()
		mine, theirs := p.away(b), p.away(other)
		q := mine.Query()
		q.Set("code", theirs.Query().Get("code"))
		mine.RawQuery = q.Encode()
		b.get(mine.String()).want(t, http.StatusForbidden) // by the nonce: this provider checks no PKCE
		if w.count("sessions") != 0 {
			t.Error("a session came of it")
		}
	})
}

func TestR11_an_answer_with_error_and_code_or_two_codes_is_refused(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
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
	each(t, func(t *testing.T, w *world) {
		p := w.provider(w.org.ID)
		b := w.browser()
		q := url.Values{"iss": {p.server.URL}, "target_link_uri": {"https://evil.example/"}, "login_hint": {"ada@acme.example"}}
		to := b.get("/oidc/" + p.conn.Key + "/login?" + q.Encode()).location(t)
		if !strings.HasPrefix(to.String(), p.server.URL+"/authorize?") || strings.Contains(to.String(), "evil") {
			t.Errorf("led to %s", to)
		}
		q.Set("iss", "https://evil.example")
		b.get("/oidc/"+p.conn.Key+"/login?"+q.Encode()).want(t, http.StatusBadRequest)
	})
}
