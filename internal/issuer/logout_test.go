package issuer_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/issuer"
	"github.com/rollcallhq/rollcall/internal/oidc"
	"github.com/rollcallhq/rollcall/internal/session"
)

func unbase64(t *testing.T, s string) []byte {
	t.Helper()
	out, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestO07_end_session_goes_to_registered_addresses_and_asks_without_a_hint(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, other := w.app(), w.app(func(n *issuer.New) { n.SignOut = []string{"https://other.test/bye"} })
		in, foreign := w.signIn(c), w.signIn(other)
		hint := w.token(c.redeem(in.code)).IDToken
		foreignHint := w.token(other.redeem(foreign.code)).IDToken
		living := func(s session.Session) bool {
			found, err := w.sessions.Get(ctx, s.ID)
			w.must(err)
			return found.EndedAt.IsZero()
		}
		for name, r := range map[string]oidc.EndSessionRequest{
			"another application's address": {IDTokenHint: hint, PostLogoutRedirectURI: "https://other.test/bye"},
			"a longer address":              {IDTokenHint: hint, PostLogoutRedirectURI: "https://app.test/bye/"},
			"a sign-in address":             {IDTokenHint: hint, PostLogoutRedirectURI: callback},
			"an address of nobody":          {PostLogoutRedirectURI: "https://app.test/bye"},
			"a changed hint":                {IDTokenHint: hint[:len(hint)-4] + "AAAA", PostLogoutRedirectURI: "https://app.test/bye"},
			"another client's hint":         {IDTokenHint: foreignHint, ClientID: c.ClientID},
			"an access token":               {IDTokenHint: "x.y.z"},
		} {
			if _, err := w.s.EndSession(ctx, r, in.session, false); !onPage(err) || !living(in.session) {
				t.Errorf("%s: %v", name, err)
			}
		}
		for name, r := range map[string]oidc.EndSessionRequest{"no hint": {ClientID: c.ClientID, PostLogoutRedirectURI: "https://app.test/bye"}, "a hint of another session": {IDTokenHint: foreignHint}} {
			out, err := w.s.EndSession(ctx, r, in.session, false)
			if err != nil || !out.Confirm || out.Ended != "" || !living(in.session) || !living(foreign.session) {
				t.Errorf("%s: %+v %v", name, out, err)
			}
		}
		w.later(10 * time.Minute) // the hint has expired, which is no reason
		out, err := w.s.EndSession(ctx, oidc.EndSessionRequest{IDTokenHint: hint, PostLogoutRedirectURI: "https://app.test/bye", State: "s 1"}, in.session, false)
		if err != nil || out.Confirm || out.Ended != in.session.ID || out.Redirect != "https://app.test/bye?state=s+1" || living(in.session) {
			t.Errorf("%+v %v", out, err)
		}
		out, err = w.s.EndSession(ctx, oidc.EndSessionRequest{}, foreign.session, true)
		if err != nil || out.Ended != foreign.session.ID || out.Redirect != "" || living(foreign.session) {
			t.Errorf("confirmed: %+v %v", out, err)
		}
		if out, err = w.s.EndSession(ctx, oidc.EndSessionRequest{}, session.Session{}, false); err != nil || out.Confirm || out.Ended != "" {
			t.Errorf("nobody is signed in: %+v %v", out, err)
		}
	})
}

func TestLogoutTicket_ends_the_sessions_of_its_profile(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.profile["prof_1"] = issuer.Profile{ID: "prof_1", OrganizationID: "org_1"}
		c := w.app()
		in := w.signIn(c)
		ticket, err := w.s.AuthorizeLogout(ctx, "prof_1")
		w.must(err)
		u, err := url.Parse(ticket.URL)
		if err != nil || u.Scheme+"://"+u.Host+u.Path != home+"/sso/logout" || u.Query().Get("token") != ticket.Token {
			t.Fatalf("%s %v", ticket.URL, err)
		}
		if _, err := w.s.AuthorizeLogout(ctx, "prof_none"); !fault.Is(err, fault.NotFound) {
			t.Error(err)
		}
		a, err := w.s.Authorize(ctx, c.request(), oidc.StyleOIDC)
		w.must(err)
		for _, other := range []string{"", "x", ticket.Token + "A", w.s.SealAuthorization(a, browser)} {
			if _, err := w.s.Logout(ctx, other); !fault.Is(err, fault.NotFound) {
				t.Errorf("%q: %v", other, err)
			}
		}
		n, err := w.s.Logout(ctx, ticket.Token)
		if found, _ := w.sessions.Get(ctx, in.session.ID); err != nil || n != 1 || found.EndedAt.IsZero() {
			t.Errorf("%d %v", n, err)
		}
		w.later(11 * time.Minute)
		if _, err := w.s.Logout(ctx, ticket.Token); !fault.Is(err, fault.NotFound) {
			t.Errorf("after its time: %v", err)
		}
	})
}

// receiver is an application's back channel.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	status int
	got    []string // logout tokens
	kinds  []string
}

func newReceiver(t *testing.T, status int) *receiver {
	r := &receiver{status: status}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, err := io.ReadAll(q.Body)
		values, err2 := url.ParseQuery(string(body))
		if err != nil || err2 != nil || q.Method != http.MethodPost {
			t.Errorf("%s %v %v", q.Method, err, err2)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.got, r.kinds = append(r.got, values.Get("logout_token")), append(r.kinds, q.Header.Get("Content-Type"))
		w.WriteHeader(r.status)
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) answer(status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status = status
}

func (r *receiver) tokens() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string{}, r.got...)
}

func with(r *receiver) func(*issuer.New) { return func(n *issuer.New) { n.LogoutURI = r.URL } }

// running runs a process's dispatcher until the test ends.
func (w *world) running(t *testing.T, processes ...*issuer.Service) {
	t.Helper()
	c, stop := context.WithCancel(ctx)
	var done sync.WaitGroup
	for _, s := range processes {
		done.Go(func() { s.Run(c) })
	}
	t.Cleanup(func() {
		stop()
		done.Wait()
	})
}

func (w *world) until(t *testing.T, what string, reached func() bool) {
	t.Helper()
	for range 1000 {
		if reached() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("never: %s", what)
}

func (w *world) deliveries(c client) []issuer.Delivery {
	w.Helper()
	found, _, err := w.s.Deliveries(ctx, c.ID, issuer.Page{Limit: 100})
	w.must(err)
	return found
}

func (w *world) signOut(in arrived) {
	w.Helper()
	_, err := w.sessions.End(ctx, session.Selection{SessionID: in.session.ID}, session.Ending{Reason: session.SignedOut, Context: event.Context{Actor: event.Actor{ID: "user_1", Source: event.System}}})
	w.must(err)
}

// OpenID Connect Back-Channel Logout 1.0, sections 2.4 and 2.5.
func TestBackChannel_tells_each_application_that_learned_of_the_session_once(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		one, two, silent := newReceiver(t, 200), newReceiver(t, 204), newReceiver(t, 200)
		a, b, never := w.app(with(one)), w.app(with(two), func(n *issuer.New) { n.Algorithm = oidc.RS256 }), w.app(with(silent))
		in := w.signIn(a)
		// The second application learns of the same session.
		w.join(b, in)
		w.running(t, w.s, w.process(), w.process())
		w.signOut(in)
		w.until(t, "both are told", func() bool { return len(one.tokens()) > 0 && len(two.tokens()) > 0 })
		w.until(t, "both are recorded", func() bool {
			return len(w.deliveries(a)) == 1 && w.deliveries(a)[0].State == issuer.Delivered && len(w.deliveries(b)) == 1 && w.deliveries(b)[0].State == issuer.Delivered
		})
		time.Sleep(1200 * time.Millisecond) // the other processes have looked too
		if len(one.tokens()) != 1 || len(two.tokens()) != 1 || len(silent.tokens()) != 0 || len(w.deliveries(never)) != 0 {
			t.Fatalf("told %d, %d, %d times", len(one.tokens()), len(two.tokens()), len(silent.tokens()))
		}
		for i, r := range []*receiver{one, two} {
			raw := r.tokens()[0]
			claims, err := oidc.VerifyOwn(raw, w.published(w.s), oidc.TypeLogoutToken)
			w.must(err)
			c := []client{a, b}[i]
			if claims["iss"] != home || claims["aud"] != c.ClientID || claims["sid"] != in.session.ID || claims["sub"] != "user_1" || claims["jti"] == "" || claims["nonce"] != nil ||
				claims["events"].(map[string]any)["http://schemas.openid.net/event/backchannel-logout"] == nil || claims["exp"].(float64)-claims["iat"].(float64) > 120 {
				t.Errorf("%v", claims)
			}
			if r.kinds[0] != "application/x-www-form-urlencoded" || !strings.Contains(string(unbase64(t, strings.Split(raw, ".")[0])), string(c.Algorithm)) {
				t.Errorf("%s, signed by %s", r.kinds[0], unbase64(t, strings.Split(raw, ".")[0]))
			}
		}
		d := w.deliveries(a)[0]
		if seconds, ok := d.Seconds(); !ok || seconds < 0 || seconds > 30 || d.Attempts != 1 || d.LastStatus != 200 || d.SessionID != in.session.ID || d.UserID != "user_1" || d.EventID == "" {
			t.Errorf("%+v: %v seconds, %v", d, seconds, ok)
		}
	})
}

// join lets another application learn of a session.
func (w *world) join(c client, in arrived) {
	w.Helper()
	w.must(w.exec(`INSERT INTO session_applications (session_id, application_id, created_at) VALUES ($1, $2, 0)`, in.session.ID, c.ID))
}

func TestBackChannel_goes_on_for_a_day_and_gives_up_at_once_when_refused(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		r, refusing := newReceiver(t, 500), newReceiver(t, 400)
		c, no := w.app(with(r)), w.app(with(refusing))
		w.running(t, w.s)
		in := w.signIn(c)
		w.join(no, in)
		w.signOut(in)
		w.until(t, "refused", func() bool { d := w.deliveries(no); return len(d) == 1 && d[0].State == issuer.Failed })
		if d := w.deliveries(no)[0]; d.LastStatus != 400 || d.Attempts != 1 || !d.NextAt.IsZero() || d.FinishedAt.IsZero() {
			t.Errorf("%+v", d)
		}
		for i := 1; i <= 3; i++ {
			w.until(t, fmt.Sprint("attempt ", i), func() bool { return w.s.Counts().Retried == int64(i) })
			if d := w.deliveries(c); len(d) != 1 || d[0].Attempts != i || d[0].LastStatus != 500 || d[0].State != issuer.Pending {
				t.Errorf("%+v", d)
			}
			w.later(20 * time.Minute)
		}
		r.answer(204)
		w.until(t, "told at last", func() bool { return w.deliveries(c)[0].State == issuer.Delivered })
		w.until(t, "counted", func() bool { return w.s.Counts().Delivered == 1 })
		if counts := w.s.Counts(); counts.Delivered != 1 || counts.Failed != 1 || counts.Retried != 3 {
			t.Errorf("%+v", counts)
		}
		r.answer(503)
		late := w.signIn(c)
		w.signOut(late)
		w.until(t, "first attempt", func() bool { return w.s.Counts().Retried == 4 })
		w.later(25 * time.Hour)
		w.until(t, "given up", func() bool { return w.deliveries(c)[0].State == issuer.Failed })
		if d := w.deliveries(c)[0]; d.LastError == "" || d.LastStatus != 503 {
			t.Errorf("%+v", d)
		}
	})
}

func TestBackChannel_never_calls_into_networks_that_are_not_named(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, uri := range []string{"https://10.0.0.1/logout", "http://app.test/logout", "https://169.254.169.254/", "https://u:p@app.test/", "https://app.test/#x", "ftp://app.test/", "x"} {
			if _, err := w.s.Create(ctx, issuer.New{Name: "App", FirstParty: true, LogoutURI: uri}); faultCode(err) != "invalid_url" {
				t.Errorf("%s: %v", uri, err)
			}
		}
		c := w.app()
		in := w.signIn(c)
		w.must(w.exec(`UPDATE applications SET logout_uri = 'https://10.0.0.1/logout' WHERE id = $1`, c.ID)) // as a name would that means another address later
		w.running(t, w.s)
		w.signOut(in)
		w.until(t, "refused by the client", func() bool {
			d := w.deliveries(c)
			return len(d) == 1 && strings.Contains(d[0].LastError, "may not be called")
		})
	})
}

func TestBackChannel_of_a_deleted_application_is_given_up(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		r := newReceiver(t, 500)
		c := w.app(with(r))
		in := w.signIn(c)
		w.signOut(in)
		for range 3 {
			_, err := w.s.FanOut(ctx)
			w.must(err)
		}
		w.must(w.s.Delete(ctx, c.ID))
		w.running(t, w.s)
		var state string
		w.until(t, "given up", func() bool {
			w.must(w.db.QueryRow(ctx, `SELECT state FROM logout_deliveries`).Scan(&state))
			return state == "failed"
		})
		if len(r.tokens()) != 0 {
			t.Error("it was called")
		}
	})
}

func TestFanOut_of_two_processes_makes_each_delivery_once(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c := w.app(with(newReceiver(t, 200)))
		const many = 30
		for range many {
			w.signOut(w.signIn(c))
		}
		var done sync.WaitGroup
		for _, s := range []*issuer.Service{w.s, w.process(), w.process(), w.process()} {
			done.Go(func() {
				for range 10 {
					if _, err := s.FanOut(ctx); err != nil {
						t.Error(err)
					}
				}
			})
		}
		done.Wait()
		if n := len(w.deliveries(c)); n != many {
			t.Errorf("%d deliveries", n)
		}
	})
}
