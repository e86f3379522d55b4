package dashboard_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/dashboard"
	"github.com/rollcallhq/rollcall/internal/operator"
	"github.com/rollcallhq/rollcall/internal/token"
	"github.com/rollcallhq/rollcall/internal/web"
)

func TestFirst_operator_comes_in_by_the_link_of_the_start_and_is_the_owner(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		secret, made, err := w.operators.First(ctx)
		other, _, err2 := w.operators.First(ctx)
		if err != nil || err2 != nil || !made {
			t.Fatal(made, err, err2)
		}
		path, b := "/dashboard/link/"+secret.Reveal(), w.stranger()
		b.get(path).want(t, http.StatusOK).says(t, "first operator", "Email address")
		b.get(path).want(t, http.StatusOK) // looking uses nothing
		b.post(path, url.Values{"email": {"nonsense"}}).want(t, http.StatusUnprocessableEntity).says(t, "is no email address")
		to := b.post(path, url.Values{"email": {"ann@example.com"}, "name": {"Ann"}}).location(t)
		if to != "/dashboard/passkeys/new?welcome=1" {
			t.Error("no passkey is offered:", to)
		}
		b.get("/dashboard/").want(t, http.StatusOK).says(t, "Ann", "Owner", "Operators")
		all, err := w.operators.List(ctx)
		if err != nil || len(all) != 1 || all[0].Role != operator.Owner || all[0].LastSignInAt.IsZero() {
			t.Fatalf("%+v %v", all, err)
		}
		if got := w.audits("operator.created"); len(got) != 1 || got[0] != string(all[0].ID)+" "+string(all[0].ID) {
			t.Error("audit:", got)
		}
		if got := w.audits("operator_session.created"); len(got) != 1 {
			t.Error("audit of the sign-in:", got)
		}
		w.stranger().post("/dashboard/link/"+other.Reveal(), url.Values{"email": {"eve@example.com"}}).want(t, http.StatusNotFound)
		if _, made, err := w.operators.First(ctx); made || err != nil {
			t.Error("a link for the first operator where there is one", err)
		}
		if strings.Contains(w.said(), secret.Reveal()) {
			t.Error("the log holds the link")
		}
	})
}

// dead links look alike but for their request's id.
func TestLinks_that_open_nothing_look_the_same(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		owner, used := w.link("owner@example.com", operator.Owner)
		w.stranger().post(used, nil).want(t, http.StatusSeeOther)
		removed, ofRemoved := w.link("gone@example.com", operator.Admin)
		w.ok(w.operators.Remove(ctx, removed.ID))
		old := operator.NewSecret()
		w.ok(w.operators.Link(ctx, owner.ID, token.HashOf(old), operator.CommandLinkLife))
		w.later(operator.CommandLinkLife + time.Second)
		unknown := "/dashboard/link/" + operator.NewSecret().Reveal()
		want := w.stranger().get(unknown).want(t, http.StatusNotFound).says(t, "This link does not work", "rollcall operator link")
		for _, path := range []string{used, ofRemoved, "/dashboard/link/" + old.Reveal(), "/dashboard/link/x", unknown[:len(unknown)-1]} {
			if got := w.stranger().get(path).want(t, http.StatusNotFound); got.body != want.body {
				t.Errorf("%s looks different:\n%s", path, got.text())
			}
			if got := w.stranger().post(path, url.Values{"email": {"eve@example.com"}}).want(t, http.StatusNotFound); got.body != want.body || len(got.Cookies()) > 0 {
				t.Errorf("POST %s looks different:\n%s", path, got.text())
			}
		}
	})
}

func TestLink_is_redeemed_once_however_many_try_at_the_same_time(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		_, path := w.link("ann@example.com", operator.Admin)
		codes := make(chan int, 8)
		for range cap(codes) {
			b := w.stranger()
			go func() { codes <- b.post(path, nil).StatusCode }()
		}
		in := 0
		for range cap(codes) {
			if <-codes == http.StatusSeeOther {
				in++
			}
		}
		if in != 1 {
			t.Errorf("%d came in by one link", in)
		}
	})
}

func TestLinks_may_be_tried_so_often(t *testing.T) {
	w := small(t, func(o *dashboard.Options) { o.RedeemRate = dashboard.Rate{PerSecond: 0.01, Burst: 3} })
	_, path := w.link("ann@example.com", operator.Admin)
	for range 3 {
		w.stranger().post("/dashboard/link/"+operator.NewSecret().Reveal(), nil).want(t, http.StatusNotFound)
	}
	w.stranger().get(path).want(t, http.StatusTooManyRequests)
	if a := w.stranger().post(path, nil).want(t, http.StatusTooManyRequests).says(t, "too often"); a.Header.Get("Retry-After") == "" {
		t.Error("nobody says when to come back")
	}
}

func TestStrangers_are_sent_to_the_sign_in_whatever_they_ask_for(t *testing.T) {
	w := small(t)
	b := w.stranger()
	for _, r := range dashboard.Table() {
		path := strings.NewReplacer("{id}", "x", "{tab}", "x").Replace(r.Pattern)
		if to := b.get(path).location(t); !strings.HasPrefix(to, "/dashboard/sign-in") {
			t.Errorf("GET %s leads to %s", path, to)
		}
		if to := b.post(path, url.Values{"csrf": {"x"}}).location(t); to != "/dashboard/sign-in" {
			t.Errorf("POST %s leads to %s", path, to)
		}
	}
	if to := b.get("/dashboard/nothing-of-ours").location(t); to != "/dashboard/sign-in?to=%2Fdashboard%2Fnothing-of-ours" {
		t.Error("an address that is not there tells itself apart:", to)
	}
}

func TestSign_in_goes_on_to_our_own_pages_only(t *testing.T) {
	w := small(t)
	b := w.as(operator.Admin)
	for to, want := range map[string]string{
		"/dashboard/account": "/dashboard/account", "/dashboard/events?a=b": "/dashboard/events?a=b", "https://evil.example/dashboard/": "/dashboard/", "//evil.example/dashboard/": "/dashboard/",
		"/\\evil.example": "/dashboard/", "javascript:alert(1)": "/dashboard/", "/dashboard/../oauth2/logout": "/dashboard/", "/dashboard/%2e%2e/oauth2/logout": "/dashboard/", "/other": "/dashboard/", "": "/dashboard/",
	} {
		if got := b.get("/dashboard/sign-in?" + url.Values{"to": {to}}.Encode()).location(t); got != want {
			t.Errorf("%q leads to %q, want %q", to, got, want)
		}
	}
}

func TestForms_of_other_sites_and_without_the_token_change_nothing(t *testing.T) {
	w := small(t)
	b := w.as(operator.Owner)
	good := url.Values{"csrf": {b.token()}, "email": {"bob@example.com"}, "role": {"admin"}}
	other := w.stranger()
	_, path := w.link("second@example.com", operator.Owner)
	other.post(path, nil).want(t, http.StatusSeeOther)
	for what, try := range map[string]func() answer{
		"another site": func() answer { return b.post("/dashboard/operators", good, "Sec-Fetch-Site", "cross-site") },
		"another origin": func() answer {
			return b.post("/dashboard/operators", good, "Sec-Fetch-Site", "", "Origin", "https://evil.example")
		},
		"a neighbour": func() answer { return b.post("/dashboard/operators", good, "Sec-Fetch-Site", "same-site") },
		"no token": func() answer {
			return b.post("/dashboard/operators", url.Values{"email": good["email"], "role": good["role"]})
		},
		"somebody's token": func() answer {
			return b.post("/dashboard/operators", url.Values{"csrf": {other.token()}, "email": good["email"], "role": good["role"]})
		},
		"link, another site": func() answer {
			_, p := w.link("x@example.com", operator.Admin)
			return w.stranger().post(p, nil, "Sec-Fetch-Site", "cross-site")
		},
	} {
		try().want(t, http.StatusForbidden)
		if _, there, err := w.operators.ByEmail(ctx, "bob@example.com"); there || err != nil {
			t.Fatalf("%s: it was done (%v)", what, err)
		}
	}
	b.post("/dashboard/operators", url.Values{"csrf": {b.token()}, "email": {"bob@example.com"}, "role": {"admin"}}, "Content-Type", "text/plain").want(t, http.StatusBadRequest)
	b.post("/dashboard/operators", good).want(t, http.StatusOK)
}

func TestWho_may_only_look_changes_nothing_and_only_owners_look_after_operators(t *testing.T) {
	w := small(t)
	reader, admin := w.as(operator.ReadOnly), w.as(operator.Admin)
	_ = w.as(operator.Owner)
	for _, r := range dashboard.Table() {
		path := strings.NewReplacer("{id}", "x", "{tab}", "x").Replace(r.Pattern)
		if !r.Posts || r.Change == operator.ReadOnly {
			continue
		}
		reader.send(path).want(t, http.StatusForbidden).says(t, "Your role is Read only")
		if r.Change == operator.Owner {
			admin.send(path).want(t, http.StatusForbidden).says(t, "Your role is Admin. This takes at least Owner")
		}
	}
	for _, path := range []string{"/dashboard/operators", "/dashboard/operators/x", "/dashboard/operators/x/remove"} {
		admin.get(path).want(t, http.StatusForbidden)
		reader.get(path).want(t, http.StatusForbidden)
	}
	if strings.Contains(admin.get("/dashboard/").body, `href="/dashboard/operators"`) {
		t.Error("the menu leads where an admin may not look")
	}
	reader.send("/dashboard/account", "name", "Rita").want(t, http.StatusSeeOther) // their own they may
}

func TestSession_ends_when_it_is_not_used_when_it_is_old_and_when_its_owner_is_removed(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b := w.as(operator.Owner)
		for range 22 { // seven days of use, each time before it is idle
			w.later(7*time.Hour + 30*time.Minute)
			b.get("/dashboard/").want(t, http.StatusOK)
		}
		w.later(7 * time.Hour)
		b.get("/dashboard/").location(t)

		_, again := w.link("again@example.com", operator.Owner)
		idle := w.stranger()
		idle.post(again, nil).want(t, http.StatusSeeOther)
		w.later(operator.SessionIdle + time.Minute)
		idle.get("/dashboard/").location(t)

		o, path := w.link("short@example.com", operator.Admin)
		short := w.stranger()
		short.post(path, nil).want(t, http.StatusSeeOther)
		short.get("/dashboard/").want(t, http.StatusOK)
		w.ok(w.operators.Remove(ctx, o.ID))
		short.get("/dashboard/").location(t)
	})
}

func TestSign_in_over_another_session_ends_that_one(t *testing.T) {
	w := small(t)
	b := w.as(operator.Owner)
	owner, _, err := w.operators.ByEmail(ctx, "owner@example.com")
	w.ok(err)
	_, path := w.link("second@example.com", operator.Admin)
	b.post(path, nil).want(t, http.StatusSeeOther)
	b.get("/dashboard/account").says(t, "second@example.com")
	if open, err := w.operators.Sessions(ctx, owner.ID); err != nil || len(open) != 0 {
		t.Errorf("%d sessions of the one before, %v", len(open), err)
	}
}

func TestCustom_domains_lead_to_the_dashboards_own_host(t *testing.T) {
	w := small(t, func(o *dashboard.Options) { o.Home = "https://rollcall.example.com" })
	if to := w.stranger().get("/dashboard/sign-in"); to.StatusCode != http.StatusOK {
		t.Error("a host that nobody has named leads away", to.StatusCode)
	}
	edge := w.edge
	r := httptest.NewRequest(http.MethodGet, "https://login.acme.example/dashboard/operators", nil)
	r = r.WithContext(web.With(r.Context(), &web.Request{Base: "https://login.acme.example", Known: "https://login.acme.example"}))
	answer := httptest.NewRecorder()
	edge.ServeHTTP(answer, r)
	if to := answer.Header().Get("Location"); to != "https://rollcall.example.com/dashboard/" {
		t.Error("leads to", to)
	}
}

func TestRole_that_is_taken_away_is_gone_with_the_next_request(t *testing.T) {
	w := small(t)
	_ = w.as(operator.Owner)
	o, path := w.link("two@example.com", operator.Owner)
	b := w.stranger()
	b.post(path, nil).want(t, http.StatusSeeOther)
	b.get("/dashboard/operators").want(t, http.StatusOK)
	less := operator.ReadOnly
	if _, err := w.operators.Update(ctx, o.ID, operator.Change{Role: &less}); err != nil {
		t.Fatal(err)
	}
	b.get("/dashboard/operators").want(t, http.StatusForbidden)
}

func TestSign_out_ends_the_session_and_takes_the_cookie_back(t *testing.T) {
	w := small(t)
	b := w.as(operator.Admin)
	kept := b.client.Jar.Cookies(must(url.Parse(w.base)))
	if a := b.send("/dashboard/sign-out"); a.location(t) != "/dashboard/sign-in" || a.Cookies()[0].MaxAge >= 0 {
		t.Error(a.Header)
	}
	r, err := http.NewRequestWithContext(context.Background(), http.MethodGet, w.base+"/dashboard/", nil)
	w.ok(err)
	for _, c := range kept {
		r.AddCookie(c)
	}
	w.stranger().do(r).want(t, http.StatusSeeOther)
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestCookie_is_out_of_reach_of_scripts_and_other_sites(t *testing.T) {
	w := small(t)
	_, path := w.link("ann@example.com", operator.Admin)
	c := w.stranger().post(path, nil).want(t, http.StatusSeeOther).Cookies()
	if len(c) != 1 || !c[0].HttpOnly || c[0].SameSite != http.SameSiteLaxMode || c[0].Path != "/" {
		t.Fatalf("%+v", c)
	}
	var stored string
	w.ok(w.db.QueryRow(ctx, `SELECT cookie_hash FROM operator_sessions`).Scan(&stored))
	if strings.Contains(stored, c[0].Value) {
		t.Error("the cookie is stored as it is")
	}
}

func TestPages_are_held_to_a_policy_and_kept_by_nobody(t *testing.T) {
	w := small(t)
	h := w.as(operator.Owner).get("/dashboard/operators").want(t, http.StatusOK).Header
	if !strings.Contains(h.Get("Content-Security-Policy"), "script-src 'self'; style-src 'self'") || h.Get("Cache-Control") != "no-store" || h.Get("X-Frame-Options") != "DENY" ||
		h.Get("Cross-Origin-Opener-Policy") != "same-origin" {
		t.Error(h)
	}
}
