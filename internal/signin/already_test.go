package signin_test

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/issuer"
	"github.com/rollcallhq/rollcall/internal/saml/samltest"
	"github.com/rollcallhq/rollcall/internal/sso"
)

// already checks that a replay granted nothing and that the person is told that they are in.
func (w *world) already(a answer) {
	w.t.Helper()
	a.want(w.t, http.StatusOK)
	if !strings.Contains(a.body, "You are signed in already") || strings.Contains(a.body, "code=") || strings.Contains(strings.Join(a.Header.Values("Set-Cookie"), ";"), "rollcall-session") {
		w.t.Errorf("cookies %v: %s", a.Header.Values("Set-Cookie"), text(a.body))
	}
}

// bare is the same browser without its session's cookie: what arrives of it from another site, as with the provider's post.
func (b *browser) bare() *browser {
	b.w.t.Helper()
	jar, err := cookiejar.New(nil)
	b.w.ok(err)
	at, err := url.Parse(b.w.server.URL)
	b.w.ok(err)
	jar.SetCookies(at, slices.DeleteFunc(b.client.Jar.Cookies(at), func(c *http.Cookie) bool { return strings.Contains(c.Name, "session") }))
	return &browser{b.w, &http.Client{Jar: jar, CheckRedirect: b.client.CheckRedirect}}
}

func links(a answer) (out []string) {
	for _, m := range regexp.MustCompile(`<a class="btn[^>]* href="([^"]+)"`).FindAllStringSubmatch(a.body, -1) {
		out = append(out, strings.ReplaceAll(m[1], "&amp;", "&"))
	}
	return out
}

func TestReplay_in_the_browser_that_is_signed_in_by_it_leads_to_the_application_and_grants_nothing(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b := w.browser()
		request, relay := w.begin(b)
		m := w.message(w.conn, request)
		w.code(b.deliver(w.conn, m, relay).location(t))
		refused := len(w.attempts(w.conn))
		again := b.bare().deliver(w.conn, m, relay)
		w.already(again)
		if got := links(again); !slices.Equal(got, []string{"https://app.example/"}) {
			t.Errorf("leads to %v, want the application's home", got)
		}
		_, err := w.issuer.Update(ctx, w.app.ID, issuer.Change{InitiateURI: ref("https://app.example/login?x=1")})
		w.ok(err)
		got := links(b.bare().deliver(w.conn, m, relay))
		if len(got) != 1 || !strings.HasPrefix(got[0], "https://app.example/login?") || !strings.Contains(got[0], "organization="+string(w.org.ID)) || !strings.Contains(got[0], "iss=") {
			t.Errorf("leads to %v, want where the application begins a sign-in", got)
		}
		if len(w.attempts(w.conn)) != refused || w.count("authorization_codes") != 1 || w.living() != 1 {
			t.Errorf("%d attempts, %d codes, %d sessions", len(w.attempts(w.conn)), w.count("authorization_codes"), w.living())
		}

		// Anybody else's replay is a refusal, and so is one's own once the session is over.
		stranger := w.browser()
		stranger.get(w.authorization())
		w.refusedWith(stranger.deliver(w.conn, m, relay), w.conn, sso.Replayed)
		b.post("/sign-out", url.Values{}).location(t)
		w.refusedWith(b.deliver(w.conn, m, relay), w.conn, sso.Replayed)
	})
}

func TestRefusal_of_what_came_too_late_or_once_more_offers_to_begin_again(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b := w.browser()
		request, relay := w.begin(b)
		m := w.message(w.conn, request)
		m.Audience = "https://wrong.example/"
		stranger := w.browser()
		stranger.get(w.authorization())
		for range 2 { // the second finds the attempt ended
			a := b.deliver(w.conn, m, relay).want(t, http.StatusForbidden)
			if got := links(a); len(got) != 1 || w.requestID(b.get(got[0]).location(t)) == "" {
				t.Errorf("no way to begin again: %v", got)
			}
			if got := links(stranger.deliver(w.conn, m, relay)); len(got) != 0 {
				t.Errorf("another browser is led to %v", got)
			}
		}
		request, relay = w.begin(b)
		w.later(11 * time.Minute)
		w.ok(w.conns.Sweep(ctx))
		for range 2 {
			a := b.deliver(w.conn, w.message(w.conn, request), relay).want(t, http.StatusForbidden)
			if got := links(a); len(got) != 1 || w.requestID(b.get(got[0]).location(t)) == "" {
				t.Errorf("no way to begin again: %v", got)
			}
		}
	})
}

// The session's cookie does not come with the provider's post, whoever's it is.
func TestSign_in_of_another_person_ends_the_first_ones_session_though_its_cookie_did_not_come_along(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b := w.browser()
		first := b.tokens()
		request, relay := b.atProvider(w.authorization("organization", string(w.org.ID), "prompt", "login"))
		m := w.message(w.conn, request)
		m.NameID, m.Attributes = "bob@acme.example", []samltest.Attribute{{Name: "email", Values: []string{"bob@acme.example"}}}
		w.code(b.bare().deliver(w.conn, m, relay).location(t))
		if w.refreshes(first) || w.living() != 1 || !slices.Equal(w.revoked(), []string{"signed_in_again"}) {
			t.Errorf("%d sessions, ended %v", w.living(), w.revoked())
		}
	})
}
