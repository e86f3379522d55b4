package signin_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/token"
)

// O01: exact match only; who is not known is never sent anywhere.
func TestO01_redirect_uris_are_compared_exactly_and_errors_open_no_redirect(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b := w.browser()
		for _, uri := range []string{
			callback + "/", callback + "?x=1", callback + "#f", "https://app.example/callback/../evil", "https://app.example:443/callback", "https://APP.example/callback",
			"https://user@app.example/callback", "http://app.example/callback", "https://app.example.evil.example/callback", "https://evil.example/", "javascript:alert(1)", "//evil.example", "",
			"https://app.example/callback%2f", `https://app.example\@evil.example/callback`,
		} {
			a := b.get(w.authorization("redirect_uri", uri)).want(t, http.StatusBadRequest)
			if a.Header.Get("Location") != "" {
				t.Errorf("%q: sent to %s", uri, a.Header.Get("Location"))
			}
			bad := b.get(w.authorization("redirect_uri", uri, "response_type", "token")).want(t, http.StatusBadRequest)
			if bad.Header.Get("Location") != "" {
				t.Errorf("%q with another mistake: sent to %s", uri, bad.Header.Get("Location"))
			}
		}
		b.get(w.authorization("client_id", "client_unknown")).want(t, http.StatusBadRequest)
		to := b.get(w.authorization("response_type", "token")).location(t)
		if !strings.HasPrefix(to.String(), callback+"?") || to.Query().Get("error") != "unsupported_response_type" || to.Query().Get("iss") != w.server.URL {
			t.Errorf("a known client is told at %s", to)
		}
	})
}

func TestO06_prompts_ages_and_hints(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b := w.browser()
		refused := func(want string, more ...string) {
			t.Helper()
			to := b.get(w.authorization(more...)).location(t)
			if !strings.HasPrefix(to.String(), callback+"?") || to.Query().Get("error") != want || to.Query().Get("state") != "xyz" {
				t.Errorf("%v: led to %s, want the error %s", more, to, want)
			}
		}
		refused("login_required", "prompt", "none")
		refused("request_not_supported", "request", "eyJhbGciOiJub25lIn0.e30.")
		refused("request_uri_not_supported", "request_uri", "https://evil.example/r")
		refused("invalid_request", "response_mode", "fragment")
		refused("invalid_request", "prompt", "none login")
		b.signIn()
		w.code(b.get(w.authorization("prompt", "none")).location(t))
		w.code(b.get(w.authorization("prompt", "none", "max_age", "3600")).location(t))
		w.later(2 * time.Hour)
		refused("login_required", "prompt", "none", "max_age", "3600")
		w.requestID(b.get(w.authorization("organization", string(w.org.ID), "max_age", "3600")).location(t))
		w.requestID(b.get(w.authorization("organization", string(w.org.ID), "prompt", "login")).location(t))
		// A hint that names somebody else is not answered by who is signed in.
		refused("login_required", "prompt", "none", "login_hint", "bob@acme.example")
		page := w.browser().get(w.authorization("login_hint", `"><script>alert(1)</script>`)).want(t, http.StatusOK)
		if strings.Contains(page.body, "<script>alert") {
			t.Error("a hint became markup")
		}
	})
}

func TestO07_logout_leads_to_registered_addresses_and_asks_without_a_hint(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b := w.browser()
		_, tokens := w.redeem(b.signIn())
		hint := tokens["id_token"].(string)
		end := func(more ...string) answer {
			q := url.Values{}
			for i := 0; i+1 < len(more); i += 2 {
				q.Set(more[i], more[i+1])
			}
			return b.get("/oauth2/logout?" + q.Encode())
		}
		if a := end("id_token_hint", hint, "post_logout_redirect_uri", "https://evil.example/").want(t, http.StatusBadRequest); a.Header.Get("Location") != "" {
			t.Error("a foreign address is followed")
		}
		end("id_token_hint", hint[:len(hint)-4]+"AAAA").want(t, http.StatusBadRequest)
		if w.living() != 1 {
			t.Fatal("the session ended by a hint that is none")
		}
		page := end().want(t, http.StatusOK)
		if !strings.Contains(page.body, "Do you want to sign out?") || w.living() != 1 {
			t.Error("no question was asked")
		}
		b.post("/sign-out", url.Values{}, "Sec-Fetch-Site", "cross-site").want(t, http.StatusForbidden)
		if w.living() != 1 {
			t.Error("another site signed the person out")
		}
		end("id_token_hint", hint).location(t)
		if w.living() != 0 {
			t.Error("the session goes on")
		}
		w.requestID(b.get(w.authorization("organization", string(w.org.ID))).location(t))
	})
}

func (w *world) living() (n int) {
	w.t.Helper()
	w.ok(w.db.QueryRow(ctx, "SELECT COUNT(*) FROM sessions WHERE ended_at IS NULL").Scan(&n))
	return n
}

// O10: Keycloak and CVE-2026-48058.
func TestO10_pages_cannot_be_framed_forms_are_ours_and_cookies_are_new_at_each_sign_in(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b := w.browser()
		page := b.get(w.authorization()).want(t, http.StatusOK)
		if !strings.Contains(page.Header.Get("Content-Security-Policy"), "frame-ancestors 'none'") || page.Header.Get("X-Frame-Options") != "DENY" {
			t.Error("the page can be framed")
		}
		fields := url.Values{"continue": {page.hidden(t, "continue")}, "email": {"alice@acme.example"}}
		b.post("/sign-in", fields, "Sec-Fetch-Site", "cross-site").want(t, http.StatusForbidden)
		b.post("/sign-in", fields, "Origin", "https://evil.example").want(t, http.StatusForbidden)
		b.post("/sign-in", fields, "Origin", "null").want(t, http.StatusForbidden)
		w.requestID(b.post("/sign-in", fields, "Origin", w.server.URL).location(t))

		// A session that somebody planted is not the one that the sign-in makes.
		planted := w.browser()
		planted.signIn()
		first := planted.session()
		planted.signIn("prompt", "login")
		if second := planted.session(); second == "" || second == first {
			t.Errorf("the session's cookie is the same after a sign-in")
		}
	})
}

func (b *browser) session() string {
	u, err := url.Parse(b.w.server.URL)
	b.w.ok(err)
	for _, c := range b.client.Jar.Cookies(u) {
		if c.Name == "rollcall-session" {
			return c.Value
		}
	}
	return ""
}

// O12: the issuer is the configuration's, whatever host is asked.
func TestO12_the_discovery_document_says_nothing_that_a_host_header_says(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, path := range []string{"/.well-known/openid-configuration", "/oauth2/jwks"} {
			r, err := http.NewRequestWithContext(ctx, http.MethodGet, w.server.URL+path, nil)
			w.ok(err)
			r.Host = "evil.example"
			r.Header.Set("X-Forwarded-Host", "evil.example")
			a := w.browser().do(r).want(t, http.StatusOK)
			if strings.Contains(a.body, "evil") || a.Header.Get("Access-Control-Allow-Origin") != "*" {
				t.Errorf("%s: %s", path, a.body)
			}
		}
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, w.server.URL+w.authorization("organization", string(w.org.ID)), nil)
		w.ok(err)
		r.Host = "evil.example"
		// A host that is none of ours changes to the connection's own before anything begins.
		to := w.browser().do(r).location(t)
		if !strings.HasPrefix(to.String(), w.server.URL+"/sign-in/onward?") {
			t.Errorf("led to %s", to)
		}
		b := w.browser()
		w.requestID(b.get(to.String()).location(t))
	})
}

// O13: what one browser began is not finished by another.
func TestO13_a_sign_in_that_somebody_else_began_is_not_gone_on_with(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		attacker, victim := w.browser(), w.browser()
		sealed := attacker.get(w.authorization()).hidden(t, "continue")
		victim.get(w.authorization())
		victim.post("/sign-in", url.Values{"continue": {sealed}, "email": {"alice@acme.example"}}).want(t, http.StatusBadRequest)
		victim.get("/sign-in?"+url.Values{"continue": {sealed}}.Encode()).want(t, http.StatusBadRequest)
		page := victim.get(w.authorization()).want(t, http.StatusOK)
		if !regexp.MustCompile(`Sign in to \S`).MatchString(text(page.body)) {
			t.Error("the page does not say which application asks")
		}
		old := victim.get(w.authorization()).hidden(t, "continue")
		w.later(2 * time.Hour)
		victim.post("/sign-in", url.Values{"continue": {old}, "email": {"alice@acme.example"}}).want(t, http.StatusBadRequest)
	})
}

// O14: what is not there and what is another's is refused at the callback, and nothing is told of it.
func TestO14_selections_of_what_is_not_there_or_does_not_fit_are_refused(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		other, err := w.orgs.Create(ctx, operator(), org.New{Name: "Secret Customer"})
		w.ok(err)
		b := w.browser()
		for _, more := range [][]string{
			{"connection", "conn_01JD3Z8Q4T0000000000000000"},
			{"organization", "org_01JD3Z8Q4T0000000000000000"},
			{"domain", "nobody.example"},
			{"connection", string(w.conn.ID), "organization", string(other.ID)},
			{"connection", string(w.conn.ID), "domain", "acme.example"},
			{"provider", "GoogleOAuth"},
			{"organization", "' OR 1=1 --"},
		} {
			to := b.get(w.authorization(more...)).location(t)
			if !strings.HasPrefix(to.String(), callback+"?") || to.Query().Get("error") == "" || strings.Contains(to.String(), "Secret") {
				t.Errorf("%v: led to %s", more, to)
			}
		}
		// A session of one organization is no way into another.
		b.signIn()
		if to := b.get(w.authorization("organization", string(other.ID), "prompt", "none")).location(t); to.Query().Get("error") != "login_required" {
			t.Errorf("led to %s", to)
		}
	})
}

func TestHosted_page_leads_managed_addresses_to_their_provider_and_all_others_to_the_same_page(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		page := func(b *browser) url.Values {
			return url.Values{"continue": {b.get(w.authorization("screen_hint", "sign-up")).want(t, http.StatusOK).hidden(t, "continue")}}
		}
		for _, way := range []string{"email", "sso"} {
			b := w.browser()
			f := page(b)
			f.Set("email", "Alice@ACME.example")
			f.Set("way", way)
			w.requestID(b.post("/sign-in", f).location(t))
		}
		var bodies []string
		w.mailed(w.browser(), "known@home.example")
		for _, email := range []string{"known@home.example", "unknown@home.example"} {
			b := w.browser()
			f := page(b)
			f.Set("email", email)
			a := b.post("/sign-in", f).want(t, http.StatusOK)
			bodies = append(bodies, strings.ReplaceAll(text(a.body), email, "EMAIL"))
		}
		if bodies[0] != bodies[1] {
			t.Errorf("known and unknown addresses look different:\n%s\n%s", bodies[0], bodies[1])
		}
		b := w.browser()
		f := page(b)
		f.Set("email", "not an address")
		b.post("/sign-in", f).want(t, http.StatusUnprocessableEntity)
	})
}

func TestMailed_code_signs_up_and_leads_to_an_application_without_an_organization(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b := w.browser()
		_, code, magic := w.mailed(b, "grace@home.example")
		for range 2 {
			b.post("/sign-in/code", url.Values{"magic": {magic}, "code": {"000000"}, "email": {"grace@home.example"}}).want(t, http.StatusUnprocessableEntity)
		}
		got := w.code(b.post("/sign-in/code", url.Values{"magic": {magic}, "code": {code[:3] + " " + code[3:]}}).location(t))
		status, tokens := w.redeem(got)
		if status != http.StatusOK {
			t.Fatalf("%d %v", status, tokens)
		}
		claims := w.claims(tokens)
		if claims["email"] != "grace@home.example" || claims["email_verified"] != true || claims["org_id"] != nil {
			t.Errorf("claims %v", claims)
		}
		w.wantTypes("magic_auth.created", "authentication.magic_auth_succeeded", "user.created", "session.created")
	})
}

// O12 again: the host of a request is whatever its sender says.
func TestMailed_link_leads_to_us_whatever_host_the_request_named(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b := w.browser()
		sealed := b.get(w.authorization()).hidden(t, "continue")
		f := url.Values{"continue": {sealed}, "email": {"victim@home.example"}}
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, w.server.URL+"/sign-in", strings.NewReader(f.Encode()))
		w.ok(err)
		u, err := url.Parse(w.server.URL)
		w.ok(err)
		for _, c := range b.client.Jar.Cookies(u) { // whoever forges a host sends along what cookies they like
			r.AddCookie(c)
		}
		r.Host = "evil.example"
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		b.do(r).want(t, http.StatusOK)
		all := w.letters()
		if len(all) != 1 || strings.Contains(all[0].Text, "evil") || !strings.Contains(all[0].Text, w.server.URL+"/sign-in/link/") {
			t.Errorf("letters: %v", all)
		}
	})
}

func TestMailed_code_is_no_way_around_a_connection(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.browser().signIn() // Alice is a member of an organization with a connection
		b := w.browser()
		_, code, magic := w.mailed(b, "grace@home.example")
		// Meanwhile the domain becomes the organization's.
		_, err := w.orgs.Update(ctx, operator(), w.org.ID, org.Changes{Domains: &[]org.NewDomain{
			{Domain: "acme.example", State: org.Verified}, {Domain: "home.example", State: org.Verified},
		}})
		w.ok(err)
		w.requestID(b.post("/sign-in/code", url.Values{"magic": {magic}, "code": {code}}).location(t))
		if w.living() != 1 {
			t.Error("the code made a session")
		}
	})
}

func TestTest_sign_in_makes_nothing_and_shows_its_checks_to_the_browser_that_made_it(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		address, err := w.signIns.NewTest(ctx, w.conn.ID)
		w.ok(err)
		b := w.browser()
		to := b.get(address).location(t)
		a := b.deliver(w.conn, w.message(w.conn, w.requestID(to)), to.Query().Get("RelayState")).location(t)
		page := b.get(a.String()).want(t, http.StatusOK)
		for _, want := range []string{"Everything is as it should be", "The email address lies in a verified domain", "The person would be let in"} {
			if !strings.Contains(page.body, want) {
				t.Errorf("no %q on %s", want, text(page.body))
			}
		}
		w.browser().get(a.String()).want(t, http.StatusNotFound)
		if n := w.count("users") + w.count("sessions") + w.count("authorization_codes") + w.count("profiles"); n != 0 {
			t.Errorf("a test made %d rows", n)
		}
		to = b.get(address).location(t)
		m := w.message(w.conn, w.requestID(to))
		m.Audience = "https://other.example/"
		a = b.deliver(w.conn, m, to.Query().Get("RelayState")).location(t)
		page = b.get(a.String()).want(t, http.StatusOK)
		for _, want := range []string{"This has to be mended", "https://other.example/", w.conn.Addresses(w.server.URL).EntityID} {
			if !strings.Contains(page.body, want) {
				t.Errorf("no %q on %s", want, text(page.body))
			}
		}
	})
}

func TestSession_cookie_of_a_guess_opens_nothing(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b := w.browser()
		u, err := url.Parse(w.server.URL)
		w.ok(err)
		b.client.Jar.SetCookies(u, []*http.Cookie{{Name: "rollcall-session", Value: token.NewSecret("session").Reveal(), Path: "/"}})
		if to := b.get(w.authorization("prompt", "none")).location(t); to.Query().Get("error") != "login_required" {
			t.Errorf("led to %s", to)
		}
	})
}
