package signin_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/issuer"
	"github.com/rollcallhq/rollcall/internal/lifecycle"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/signin"
	"github.com/rollcallhq/rollcall/internal/sso"
)

// A browser sends no Lax cookie with a post from another site, which is how an application may ask for the logout (OpenID Connect
// RP-Initiated Logout 1.0, section 2).
func TestO07_logout_posted_from_another_site_neither_forgets_nor_passes_over_the_session(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b := w.browser()
		b.signIn()
		bare := w.browser() // what arrives of the same browser from another site
		a := bare.post("/oauth2/logout", url.Values{"state": {"s"}}, "Sec-Fetch-Site", "cross-site")
		if cookies := strings.Join(a.Header.Values("Set-Cookie"), ";"); strings.Contains(cookies, "rollcall-session") {
			t.Errorf("another site took the session's cookie away: %s", cookies)
		}
		page := b.get(a.location(t).String()).want(t, http.StatusOK)
		if !strings.Contains(page.body, "Do you want to sign out?") || w.living() != 1 {
			t.Errorf("the session was passed over: %s", text(page.body))
		}
		b.post("/sign-out", url.Values{"state": {page.hidden(t, "state")}}).location(t)
		if w.living() != 0 || b.session() != "" {
			t.Error("the session goes on")
		}
	})
}

// native is a public application whose redirect URI has a scheme of its own (RFC 8252, section 7.1).
func (w *world) native() {
	w.t.Helper()
	o, err := w.orgs.Create(ctx, operator(), org.New{Name: "Without a connection"})
	w.ok(err)
	made, err := w.issuer.Create(ctx, issuer.New{Name: "Phone", Public: true, OrganizationID: string(o.ID), SignIn: []issuer.NewURI{{URI: "com.example.phone:/back"}}})
	w.ok(err)
	w.app = made
}

// Browsers hold the redirect that follows a form against the form's page (CSP level 3, form-action).
func TestPages_of_a_mailed_proof_let_the_browser_go_on_to_a_native_application(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.native()
		b := w.browser()
		link, _, magic := w.mailed(b, "new@guest.example", "redirect_uri", "com.example.phone:/back")
		leads := func(page answer) bool {
			return strings.Contains(page.Header.Get("Content-Security-Policy"), "com.example.phone:")
		}
		if page := b.get(link).want(t, http.StatusOK); !leads(page) {
			t.Errorf("the page of the link: %s", page.Header.Get("Content-Security-Policy"))
		}
		start := b.get(w.authorization("redirect_uri", "com.example.phone:/back"))
		wrong := b.post("/sign-in/code", url.Values{"magic": {magic}, "code": {"0"}, "email": {"new@guest.example"}, "continue": {start.hidden(t, "continue")}})
		if wrong.want(t, http.StatusUnprocessableEntity); !leads(wrong) {
			t.Errorf("the page after a wrong code: %s", wrong.Header.Get("Content-Security-Policy"))
		}
	})
}

// Without TLS, and not on the loopback interface, browsers send no Sec-Fetch-Site, and with the policy no-referrer the origin null with a
// form (Fetch standard, section 3.2): our own forms would be refused.
func TestPages_with_forms_let_the_browser_say_where_the_form_came_from(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		page := w.browser().get(w.authorization()).want(t, http.StatusOK)
		if got := page.Header.Get("Referrer-Policy"); got != "same-origin" {
			t.Errorf("Referrer-Policy: %s", got)
		}
	})
}

func TestRefusal_has_a_number_also_where_no_attempt_is_kept(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		a := w.browser().post("/saml/000000000000000000000000/acs", url.Values{"SAMLResponse": {"PHgvPg=="}, "rollcall_again": {"1"}})
		if a.want(t, http.StatusForbidden); !strings.Contains(a.body, `<p class="id">`+a.Header.Get("X-Request-Id")) {
			t.Errorf("no number on the page: %s", text(a.body))
		}
	})
}

func TestAuthorization_too_large_to_be_carried_is_refused_to_the_application(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		more := []string{"connection", string(w.conn.ID)}
		for _, name := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
			more = append(more, "provider_query_params["+name+"]", strings.Repeat("x", 2000))
		}
		to := w.browser().get(w.authorization(more...)).location(t)
		if to.Query().Get("error") != "invalid_request" || to.Query().Get("state") != "xyz" {
			t.Errorf("led to %.200s", to)
		}
	})
}

// introspect asks about a token as the application does (RFC 7662).
func (w *world) introspect(secret string) map[string]any {
	w.t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, w.server.URL+"/oauth2/introspect", strings.NewReader(url.Values{"token": {secret}}.Encode()))
	w.ok(err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(url.QueryEscape(w.app.ClientID), url.QueryEscape(w.secret.Reveal()))
	out := map[string]any{}
	w.ok(json.Unmarshal([]byte(w.browser().do(r).want(w.t, http.StatusOK).body), &out))
	return out
}

func TestToken_of_somebody_who_may_not_come_in_any_more_is_not_active(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		_, tokens := w.redeem(w.browser().signIn("scope", "openid offline_access"))
		both := []string{tokens["access_token"].(string), tokens["refresh_token"].(string)}
		for _, one := range both {
			if got := w.introspect(one); got["active"] != true {
				t.Fatalf("got %v", got)
			}
		}
		_, err := w.conns.Update(ctx, operator(), w.conn.ID, sso.Change{State: ref(sso.Inactive)})
		w.ok(err)
		for _, one := range both {
			if got := w.introspect(one); got["active"] != false || len(got) != 1 {
				t.Errorf("got %v", got)
			}
		}
		if w.living() != 0 {
			t.Error("the session goes on, and no application is told")
		}
		w.wantTypes("session.revoked")
	})
}

// The feature is the operator's to switch off; the sessions there are go on until they are asked about.
func TestToken_of_an_organization_without_the_feature_is_not_active(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		_, tokens := w.redeem(w.browser().signIn("scope", "openid offline_access"))
		_, err := w.orgs.SetFeatures(ctx, operator(), w.org.ID, map[org.Feature]bool{org.SSO: false})
		w.ok(err)
		for _, name := range []string{"access_token", "refresh_token"} {
			if got := w.introspect(tokens[name].(string)); got["active"] != false || len(got) != 1 {
				t.Errorf("%s: %v", name, got)
			}
		}
	})
}

// OpenID Connect Core 1.0, section 3.1.2.1, id_token_hint: success only if that person is signed in.
func TestO06_hint_of_another_person_is_no_silent_sign_in(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		alice := w.browser()
		_, tokens := w.redeem(alice.signIn())
		hint := tokens["id_token"].(string)
		silent := func(b *browser, hint string) string {
			return b.get(w.authorization("prompt", "none", "id_token_hint", hint)).location(t).Query().Get("error")
		}
		if got := silent(alice, hint); got != "" {
			t.Errorf("the person of the hint: %s", got)
		}
		bob := w.browser()
		request, relay := bob.atProvider(w.authorization("organization", string(w.org.ID)))
		m := w.message(w.conn, request)
		m.NameID = "bob@acme.example"
		m.Attributes = nil
		w.code(bob.deliver(w.conn, m, relay).location(t))
		if got := silent(bob, hint); got != "login_required" {
			t.Errorf("another person's hint: %q, want login_required", got)
		}
		if got := silent(alice, hint[:len(hint)-4]+"AAAA"); got != "invalid_request" {
			t.Errorf("a hint of nobody's making: %q, want invalid_request", got)
		}
	})
}

func TestTest_sign_in_says_in_words_what_was_checked_and_who_mends_it(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		address, err := w.signIns.NewTest(ctx, w.conn.ID)
		w.ok(err)
		b := w.browser()
		tried := func(audience string) string {
			to := b.get(address).location(t)
			m := w.message(w.conn, w.requestID(to))
			if audience != "" {
				m.Audience = audience
			}
			return b.get(b.deliver(w.conn, m, to.Query().Get("RelayState")).location(t).String()).want(t, http.StatusOK).body
		}
		if name := regexp.MustCompile(`<h2>[a-z_]+ <span`).FindString(tried("")); name != "" {
			t.Errorf("a check without a sentence: %s", name)
		}
		page := tried("https://other.example/")
		for _, want := range []string{"The answer is meant for this connection", "The assertion was made for another application.", "whoever looks after the identity provider"} {
			if !strings.Contains(page, want) {
				t.Errorf("no %q on %s", want, text(page))
			}
		}
	})
}

func TestNobody_waits_for_a_code_that_no_installation_without_mail_sends(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b := w.browser()
		page := b.get(w.authorization()).want(t, http.StatusOK)
		a := b.post("/sign-in", url.Values{"continue": {page.hidden(t, "continue")}, "email": {"new@guest.example"}})
		if a.want(t, http.StatusUnprocessableEntity); !strings.Contains(a.body, "There is no single sign-on for this address here") || w.count("magic_auths") != 0 {
			t.Errorf("got %s", text(a.body))
		}
	}, func(o *lifecycle.SignInOptions, _ *signin.Options) { o.Mails = nil })
}

func TestClient_id_that_is_no_text_is_nobodys(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, id := range []string{"client\x00", "client\xff", "client%00", "client%ff"} {
			for path, status := range map[string]int{
				"/oauth2/token": http.StatusUnauthorized, "/oauth2/introspect": http.StatusUnauthorized, "/oauth2/revoke": http.StatusUnauthorized,
				"/sso/token": http.StatusBadRequest, // as its contract has it
			} {
				r, err := http.NewRequestWithContext(ctx, http.MethodPost, w.server.URL+path, strings.NewReader("grant_type=authorization_code&code=a&token=b"))
				w.ok(err)
				r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				r.Header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(id+":secret")))
				w.browser().do(r).want(t, status)
			}
		}
	})
}

// An application that asks for one customer's connection may take whoever comes back for one of that customer's people.
func TestO14_a_sign_in_that_names_a_connection_or_a_domain_ends_through_no_other(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		other, err := w.orgs.Create(ctx, operator(), org.New{Name: "Globex", Domains: []org.NewDomain{{Domain: "globex.example", State: org.Verified}}})
		w.ok(err)
		theirs := w.connect(other.ID, w.idp, "")
		for _, named := range [][]string{{"connection", string(w.conn.ID)}, {"domain", "acme.example"}} {
			b := w.browser()
			request, relay := b.atProvider(w.authorization(named...))
			m := w.message(w.conn, request)
			m.Audience = "https://wrong.example/"
			refusal := b.deliver(w.conn, m, relay).want(t, http.StatusForbidden)
			again := regexp.MustCompile(`/sign-in\?continue=([^"]+)`).FindStringSubmatch(refusal.body)
			sealed, err := url.QueryUnescape(again[1])
			w.ok(err)
			// The other tenant's person types their own address where only the first tenant was asked for.
			a := b.post("/sign-in", url.Values{"continue": {sealed}, "email": {"mallory@globex.example"}})
			if a.StatusCode != http.StatusSeeOther || !strings.HasPrefix(a.Header.Get("Location"), "https://idp.example/") {
				continue
			}
			to := a.location(t)
			m = w.message(theirs, w.requestID(to))
			m.NameID, m.Attributes = "mallory@globex.example", nil
			if to := b.deliver(theirs, m, to.Query().Get("RelayState")).location(t); to.Query().Get("code") != "" {
				t.Errorf("asked for %v, the application got a code of %s", named, theirs.OrganizationID)
			}
		}
	})
}

// OpenID Connect Core 1.0, section 3.1.2.1: prompt=login and max_age have the person prove again who they are.
func TestO06_choice_of_an_organization_is_no_way_around_a_fresh_sign_in(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.browser().signIn() // Alice is a member
		w.optional()
		_, err := w.conns.Update(ctx, operator(), w.conn.ID, sso.Change{State: ref(sso.Inactive)})
		w.ok(err)
		b := w.browser()
		_, code, magic := w.mailed(b, "alice@acme.example")
		w.code(b.post("/sign-in/code", url.Values{"magic": {magic}, "code": {code}}).location(t))
		choose := func(page answer) answer {
			return b.post("/sign-in/organization", url.Values{"choice": {page.hidden(t, "continue")}, "organization": {string(w.org.ID)}})
		}
		w.code(choose(b.get(w.authorization("prompt", "select_account"))).location(t))
		w.later(time.Minute)
		for _, fresh := range [][]string{{"prompt", "login"}, {"max_age", "30"}} {
			if a := choose(b.get(w.authorization(fresh...))); a.StatusCode != http.StatusOK || !strings.Contains(a.body, "Email address") {
				t.Errorf("%v: status %d, led to %s", fresh, a.StatusCode, a.Header.Get("Location"))
			}
		}
	})
}
