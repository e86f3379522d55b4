package signin_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/db/dbtest"
	"github.com/rollcallhq/rollcall/internal/db/migrations"
	"github.com/rollcallhq/rollcall/internal/lifecycle"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/saml/samltest"
	"github.com/rollcallhq/rollcall/internal/signin"
)

// stranger sends what nobody should send, made of what is known of an installation and of what breaks programs.
type stranger struct {
	w     *world
	rand  *rand.Rand
	words []string
	live  []string // values that mean something here
	own   string   // cookies of a browser that has begun and finished a sign-in
}

func unlimited(_ *lifecycle.SignInOptions, so *signin.Options) {
	much := signin.Rate{PerSecond: 1e6, Burst: 1 << 30}
	so.Limits = signin.Limits{Pages: much, Mails: much, Failures: much}
}

func newStranger(w *world, seed uint64) *stranger {
	s := &stranger{w: w, rand: rand.New(rand.NewPCG(seed, 1))} // to be repeatable
	b := w.browser()
	page := b.get(w.authorization())
	other, err := w.orgs.Create(ctx, operator(), org.New{Name: "Globex", Domains: []org.NewDomain{{Domain: "globex.example", State: org.Verified}}})
	w.ok(err)
	p := w.provider(other.ID)
	request, relay := b.atProvider(w.authorization("connection", string(w.conn.ID)))
	response := samltest.Post(w.idp.Respond(w.message(w.conn, request), samltest.AssertionSigned))
	test, err := w.signIns.NewTest(ctx, w.conn.ID)
	w.ok(err)
	last := base64.RawURLEncoding.EncodeToString([]byte(`{"e":"x@guest.example","o":"org\u0000"}`))
	s.live = []string{
		page.hidden(w.t, "continue"), w.conn.Key, string(w.conn.ID), p.conn.Key, string(p.conn.ID), string(w.org.ID), w.app.ClientID, w.secret.Reveal(), callback,
		response, relay, request, strings.TrimPrefix(test, w.server.URL+lifecycle.TestPath), "ada@acme.example", "x@guest.example", last, challenge(), verifier,
		w.server.URL, string(managementKey), b.signIn(),
	}
	u, err := url.Parse(w.server.URL)
	w.ok(err)
	for _, c := range b.client.Jar.Cookies(u) {
		s.own += c.Name + "=" + c.Value + "; "
	}
	s.words = append([]string{
		"", "\x00", "a\x00b", "\xff\xfe", "ada@\x00acme.example", "\u202e", "é@acme.example", "org_\x00", "conn_\xff", strings.Repeat("A", 9000), strings.Repeat("%", 50), "null", "-1",
		"99999999999999999999", "code", "S256", "openid", "openid offline_access", "none", "login", "authorization_code", "refresh_token", "sign-up", "select_account", "0", "1", "authkit",
		"javascript:alert(1)", "https://evil.example/", "//evil.example", "\r\nX: y", "eyJhbGciOiJub25lIn0.e30.", "a.b.c", "PHg+", "<x/>", "{}", "[]", "\"", "'", ";", "&", "=", "a@b",
	}, s.live...)
	return s
}

func (s *stranger) pick(from []string) string { return from[s.rand.IntN(len(from))] }

func (s *stranger) fields() url.Values {
	names := []string{
		"client_id", "redirect_uri", "response_type", "scope", "state", "code_challenge", "code_challenge_method", "nonce", "prompt", "max_age", "login_hint", "id_token_hint", "organization",
		"organization_id", "connection", "provider", "domain", "domain_hint", "screen_hint", "provider_scopes", "provider_query_params[a]", "request", "request_uri", "response_mode",
		"grant_type", "code", "code_verifier", "client_secret", "refresh_token", "token", "token_type_hint", "client_assertion", "client_assertion_type", "SAMLResponse", "SAMLRequest",
		"RelayState", "SigAlg", "Signature", "continue", "email", "magic", "choice", "to", "iss", "target_link_uri", "error", "error_description", "logout_token", "logout_hint",
		"post_logout_redirect_uri", "rollcall_again", "\x00", "\xff",
	}
	v := url.Values{}
	for range s.rand.IntN(9) {
		v.Add(s.pick(names), s.pick(s.words))
	}
	if s.rand.IntN(3) == 0 { // close to right, so that the later steps are met too
		for name, value := range map[string]string{
			"client_id": s.w.app.ClientID, "redirect_uri": callback, "response_type": "code", "scope": "openid", "code_challenge": challenge(), "code_challenge_method": "S256",
			"continue": s.live[0], "email": "ada@acme.example", "client_secret": s.w.secret.Reveal(), "grant_type": "authorization_code", "code_verifier": verifier, "SAMLResponse": s.live[9],
		} {
			if !v.Has(name) {
				v.Set(name, value)
			}
		}
	}
	return v
}

func (s *stranger) path() string {
	fixed := []string{
		"/.well-known/openid-configuration", "/oauth2/authorize", "/oauth2/token", "/oauth2/userinfo", "/oauth2/introspect", "/oauth2/revoke", "/oauth2/jwks", "/oauth2/logout", "/sso/authorize",
		"/sso/token", "/sso/profile", "/sso/jwks/{}", "/sso/logout", "/saml/{}", "/saml/{}/acs", "/saml/{}/slo", "/saml/{}/login", "/oidc/{}/callback", "/oidc/{}/login",
		"/oidc/{}/backchannel-logout", "/oidc/{}/signed-out", "/sign-out/onward", "/sign-in", "/sign-in/code", "/sign-in/organization", "/sign-in/link/{}", "/sign-in/test/{}", "/sign-in/onward", "/sign-out", "/signed-out", "/{}", "/a/{}/",
	}
	path := strings.Replace(s.pick(fixed), "{}", url.PathEscape(s.pick(s.words)), 1)
	if s.rand.IntN(12) == 0 {
		path = s.pick([]string{strings.ToUpper(path), path + "/", "/" + path, path + "/.."})
	}
	return path
}

func (s *stranger) request() sent {
	r := sent{
		method: s.pick([]string{"GET", "GET", "GET", "POST", "POST", "POST", "HEAD", "OPTIONS", "PUT", "DELETE", "X"}),
		target: s.path() + "?" + s.fields().Encode(), kind: "application/x-www-form-urlencoded", body: s.fields().Encode(),
	}
	if s.rand.IntN(10) == 0 {
		r.body, r.kind = s.pick(s.words), s.pick([]string{"application/json", "text/plain", "", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"})
	}
	var cookies []string
	for range s.rand.IntN(4) {
		cookies = append(cookies, s.pick([]string{"rollcall-browser", "rollcall-session", "rollcall-last", "rollcall-restart", "rollcall-logout"})+"="+s.pick(s.words))
	}
	r.cookie = strings.Join(cookies, "; ")
	if s.rand.IntN(2) == 0 {
		r.cookie = s.own
	}
	switch s.rand.IntN(4) {
	case 0:
		r.authorization = "Basic " + base64.StdEncoding.EncodeToString([]byte(s.pick(s.words)+":"+s.pick(s.words)))
	case 1:
		r.authorization = s.pick([]string{"Bearer ", "bearer ", "Basic ", ""}) + s.pick(s.words)
	}
	return r
}

// sent is one request.
type sent struct{ method, target, kind, body, cookie, authorization string }

// answered sends a request and says what is wrong with the answer; "" if nothing is.
func (w *world) answered(in sent) string {
	target, err := url.ParseRequestURI(in.target)
	if err != nil {
		return "" // no server hands it on
	}
	r := &http.Request{
		Method: in.method, URL: target, Header: http.Header{}, Body: http.NoBody, Host: "localhost", RequestURI: in.target, RemoteAddr: "192.0.2.1:9",
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
	if in.body != "" {
		r.Body, r.ContentLength = http.NoBody, int64(len(in.body))
		r.Body = readCloser{bytes.NewReader([]byte(in.body))}
	}
	for name, value := range map[string]string{"Content-Type": in.kind, "Cookie": in.cookie, "Authorization": in.authorization, "User-Agent": in.body} {
		if value != "" {
			r.Header.Set(name, value)
		}
	}
	answer := httptest.NewRecorder()
	w.server.Config.Handler.ServeHTTP(answer, r.WithContext(ctx))
	if answer.Code >= http.StatusInternalServerError {
		return fmt.Sprintf("status %d", answer.Code)
	}
	for name, values := range answer.Header() {
		if strings.ContainsAny(strings.Join(values, ""), "\r\n\x00") {
			return fmt.Sprintf("header %s: %q", name, values)
		}
	}
	to, err := url.Parse(answer.Header().Get("Location"))
	if err != nil || strings.HasSuffix(to.Host, "evil.example") || to.Scheme == "javascript" {
		return "led to " + answer.Header().Get("Location")
	}
	return ""
}

type readCloser struct{ *bytes.Reader }

func (readCloser) Close() error { return nil }

// causes are the failures in the program's log.
func (w *world) causes() string {
	var out []string
	for line := range strings.Lines(w.log.String()) {
		if strings.Contains(line, "level=ERROR") && !strings.Contains(line, "msg=request ") {
			out = append(out, line)
		}
	}
	return strings.Join(out, "")
}

func TestEdge_never_fails_for_what_strangers_send(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		const requests = 3000
		s := newStranger(w, 7)
		wrong := map[string]bool{}
		for range requests {
			in := s.request()
			if what := w.answered(in); what != "" {
				at := in.method + " " + strings.SplitN(in.target, "?", 2)[0]
				if len(wrong) < 12 && !wrong[at] {
					t.Errorf("%s %.600s cookie %.200q authorization %.100q body %.600q: %s", in.method, in.target, in.cookie, in.authorization, in.body, what)
				}
				wrong[at] = true
			}
		}
		if causes := w.causes(); causes != "" {
			t.Errorf("failures in the log:\n%.6000s", causes)
		}
	}, unlimited)
}

func FuzzEdge(f *testing.F) {
	w := newWorld(f, dbtest.Open(f, db.SQLite, migrations.Files), unlimited)
	s := newStranger(w, 7)
	for range 200 {
		r := s.request()
		f.Add(r.method, r.target, r.kind, r.body, r.cookie, r.authorization)
	}
	f.Fuzz(func(t *testing.T, method, target, kind, body, cookie, authorization string) {
		if what := w.answered(sent{method, target, kind, body, cookie, authorization}); what != "" {
			t.Errorf("%s\n%.2000s", what, w.causes())
		}
	})
}
