package signin_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/session"
	"github.com/rollcallhq/rollcall/internal/token"
)

const offline = "openid offline_access"

// tokens signs a browser in and gives what the application got.
func (b *browser) tokens(more ...string) map[string]any {
	b.w.t.Helper()
	status, tokens := b.w.redeem(b.signIn(append([]string{"scope", offline}, more...)...))
	if status != http.StatusOK {
		b.w.t.Fatalf("no tokens: %v", tokens)
	}
	return tokens
}

// refreshes tells whether the refresh token of an answer still serves.
func (w *world) refreshes(tokens map[string]any) bool {
	w.t.Helper()
	return w.introspect(tokens["refresh_token"].(string))["active"] == true
}

func (w *world) sid(tokens map[string]any) string {
	w.t.Helper()
	id, _ := w.claims(tokens)["sid"].(string)
	if id == "" {
		w.t.Fatalf("no sid in %v", w.claims(tokens))
	}
	return id
}

// revoked are the reasons of session.revoked so far.
func (w *world) revoked() (reasons []string) {
	w.t.Helper()
	found, err := w.events.List(ctx, event.Query{Types: []event.Type{event.SessionRevoked}, Limit: 100})
	w.ok(err)
	for _, e := range found {
		_, rest, _ := strings.Cut(string(e.Context), `"reason":"`)
		reason, _, _ := strings.Cut(rest, `"`)
		reasons = append(reasons, reason)
	}
	return reasons
}

func TestSign_in_again_in_the_same_browser_goes_on_in_the_same_session(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.registerLogout()
		b := w.browser()
		first := b.tokens()
		before := b.session()
		second := b.tokens("prompt", "login")
		if w.sid(first) != w.sid(second) || w.living() != 1 || len(w.revoked()) != 0 || !w.refreshes(first) {
			t.Errorf("sid %s then %s, %d sessions, ended %v", w.sid(first), w.sid(second), w.living(), w.revoked())
		}
		if b.session() == before {
			t.Error("the cookie is the one from before the sign-in")
		}
		if _, ok, err := w.signIns.SessionFor(ctx, token.Secret(before)); ok || err != nil {
			t.Errorf("the cookie from before still serves: %v", err)
		}
		w.leadsTo(b.get(w.signOut(second["id_token"].(string), "s")), afterLogout+"?state=s")
		if w.living() != 0 || w.refreshes(first) || w.refreshes(second) || !slices.Equal(w.revoked(), []string{"signed_out"}) {
			t.Errorf("after the sign-out: %d sessions, refresh tokens %v %v, ended %v", w.living(), w.refreshes(first), w.refreshes(second), w.revoked())
		}
	})
}

// What a browser does that opens the tabs of yesterday.
func TestSign_ins_of_one_browser_at_the_same_time_make_one_session(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b := w.browser()
		type tab struct{ request, relay string }
		var tabs []tab
		for range 3 {
			request, relay := b.atProvider(w.authorization("organization", string(w.org.ID), "scope", offline))
			tabs = append(tabs, tab{request, relay})
		}
		var got []map[string]any
		for _, one := range tabs {
			_, tokens := w.redeem(w.code(b.deliver(w.conn, w.message(w.conn, one.request), one.relay).location(t)))
			got = append(got, tokens)
		}
		w.wantLiving(1)
		b.post("/sign-out", url.Values{}).location(t)
		for i, tokens := range got {
			if w.refreshes(tokens) {
				t.Errorf("the tokens of tab %d outlive the sign-out", i)
			}
		}
	})
}

func TestSign_out_ends_the_sessions_at_all_organizations_of_the_browser_and_of_no_other(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.registerLogout()
		acme, globex := w.two()
		b, elsewhere := w.browser(), w.browser()
		get := func(b *browser, organization string, more ...string) map[string]any {
			_, code, magic := w.mailed(b, "alice@acme.example", append([]string{"prompt", "login", "scope", offline}, more...)...)
			page := b.post("/sign-in/code", url.Values{"magic": {magic}, "code": {code}})
			_, tokens := w.redeem(w.code(b.choose(page, organization).location(t)))
			return tokens
		}
		before := w.living()
		there := get(elsewhere, acme)
		first, second, again := get(b, acme), get(b, globex), get(b, acme)
		if w.sid(first) != w.sid(again) || w.sid(first) == w.sid(second) || !w.refreshes(second) {
			t.Errorf("sessions %s, %s, %s", w.sid(first), w.sid(second), w.sid(again))
		}
		if got := w.living() - before; got != 5 { // two of the other browser; and of this the proof of the address and the two organizations
			t.Errorf("%d sessions, want 5", got)
		}
		// The application of one organization signs out while the cookie leads to the other's session: it is of this browser, so nobody is asked.
		w.leadsTo(b.get(w.signOut(second["id_token"].(string), "s")), afterLogout+"?state=s")
		if w.refreshes(first) || w.refreshes(second) || w.refreshes(again) || !w.refreshes(there) {
			t.Errorf("after the sign-out: %v %v %v, and in another browser %v", w.refreshes(first), w.refreshes(second), w.refreshes(again), w.refreshes(there))
		}
		if got := w.living() - before; got != 2 {
			t.Errorf("%d sessions, want those of the other browser", got)
		}
	})
}

func TestSign_in_by_another_connection_ends_the_session_of_the_first(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b := w.browser()
		first := b.tokens()
		w.conn = w.connect(w.org.ID, w.idp, "")
		second := b.tokens("organization", "", "connection", string(w.conn.ID))
		if w.sid(first) == w.sid(second) || w.refreshes(first) || !w.refreshes(second) || !slices.Equal(w.revoked(), []string{"signed_in_again"}) {
			t.Errorf("sid %s then %s, ended %v", w.sid(first), w.sid(second), w.revoked())
		}
	})
}

func TestSign_in_of_another_person_ends_all_that_the_first_had_in_the_browser(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		acme, globex := w.two()
		b := w.browser()
		before := w.living()
		w.code(b.choose(b.choosing("alice@acme.example"), acme).location(t))
		w.code(b.choose(b.choosing("alice@acme.example", "prompt", "login"), globex).location(t))
		_, code, magic := w.mailed(b, "bob@guest.example", "prompt", "login")
		w.code(b.post("/sign-in/code", url.Values{"magic": {magic}, "code": {code}}).location(t))
		if got := w.living() - before; got != 1 {
			t.Errorf("%d sessions, want Bob's alone", got)
		}
		if got := w.revoked()[1:]; len(got) != 3 || slices.ContainsFunc(got, func(r string) bool { return r != "signed_in_again" }) {
			t.Errorf("ended %v", got)
		}
	})
}

// A session that nobody has used for its time has ended for its applications: a sign-in does not give them back what they had.
func TestSign_in_again_after_the_idle_time_wakes_nothing(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b := w.browser()
		first := b.tokens()
		w.later(session.DefaultLife().Idle)
		second := b.tokens()
		if w.sid(first) == w.sid(second) || w.refreshes(first) || !slices.Equal(w.revoked(), []string{"signed_in_again"}) {
			t.Errorf("sid %s then %s, ended %v", w.sid(first), w.sid(second), w.revoked())
		}
	})
}
