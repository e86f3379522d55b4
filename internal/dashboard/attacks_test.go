package dashboard_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/rollcallhq/rollcall/internal/dashboard"
	"github.com/rollcallhq/rollcall/internal/operator"
)

// somewhere fills the placeholders of an address with what is nowhere.
func somewhere(pattern string) string {
	for strings.Contains(pattern, "{") {
		before, rest, _ := strings.Cut(pattern, "{")
		_, after, _ := strings.Cut(rest, "}")
		pattern = before + "x" + after
	}
	return pattern
}

func TestEvery_post_of_the_dashboard_needs_the_token_of_its_session_and_our_own_origin(t *testing.T) {
	w := small(t)
	b, other := w.as(operator.Owner), w.as(operator.Admin)
	good, others, posts := b.token(), other.token(), 0
	for _, r := range dashboard.Table() {
		if !r.Posts {
			continue
		}
		posts++
		path := somewhere(r.Pattern)
		for what, got := range map[string]answer{
			"no token":         b.post(path, nil),
			"an empty token":   b.post(path, url.Values{"csrf": {""}}),
			"a made-up token":  b.post(path, url.Values{"csrf": {strings.Repeat("0", len(good))}}),
			"somebody's token": b.post(path, url.Values{"csrf": {others}}),
			"another site":     b.post(path, url.Values{"csrf": {good}}, "Sec-Fetch-Site", "cross-site"),
			"a neighbour":      b.post(path, url.Values{"csrf": {good}}, "Sec-Fetch-Site", "same-site"),
			"another origin":   b.post(path, url.Values{"csrf": {good}}, "Sec-Fetch-Site", "", "Origin", "https://evil.example"),
			"no origin at all": b.post(path, url.Values{"csrf": {good}}, "Sec-Fetch-Site", "", "Origin", "null"),
		} {
			if got.StatusCode != http.StatusForbidden {
				t.Errorf("POST %s with %s: %d", path, what, got.StatusCode)
			}
		}
	}
	if posts < 60 {
		t.Errorf("there are only %d posts", posts)
	}
	b.get("/dashboard/").want(t, http.StatusOK) // signing out was among them
	other.get("/dashboard/").want(t, http.StatusOK)
}

func TestNo_answer_of_the_dashboard_can_be_framed_guessed_at_or_kept(t *testing.T) {
	w := small(t)
	b, reader, asked := w.as(operator.Owner), w.as(operator.ReadOnly), 0
	held := func(a answer) {
		t.Helper()
		asked++
		h := a.Header
		if h.Get("Location") != "" {
			return // nothing to frame
		}
		if p := h.Get("Content-Security-Policy"); !strings.Contains(p, "frame-ancestors 'none'") || !strings.Contains(p, "default-src 'none'") || !strings.Contains(p, "base-uri 'none'") || strings.Contains(p, "unsafe") {
			t.Errorf("%s (%d): policy %q", a.Request.URL, a.StatusCode, p)
		}
		if h.Get("X-Frame-Options") != "DENY" || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Cache-Control") != "no-store" || h.Get("Referrer-Policy") == "" {
			t.Errorf("%s (%d): %v", a.Request.URL, a.StatusCode, h)
		}
	}
	acme := w.organization("Acme")
	for _, r := range dashboard.Table() {
		if !r.Gets || strings.HasSuffix(r.Pattern, "/export") {
			continue
		}
		held(b.get(somewhere(r.Pattern)))
		held(b.get(strings.Replace(somewhere(r.Pattern), "/organizations/x", "/organizations/"+string(acme.ID), 1)))
		held(reader.get(somewhere(r.Pattern)))
	}
	held(b.get("/dashboard/nowhere"))
	held(b.post("/dashboard/operators", nil))
	held(w.stranger().get("/dashboard/sign-in"))
	held(w.stranger().get("/dashboard/link/" + operator.NewSecret().Reveal()))
	if asked < 150 {
		t.Errorf("asked only %d addresses", asked)
	}
}

// What is typed by strangers must not be reckoned out by the spreadsheet of whoever takes the audit along.
func TestExport_of_the_audit_holds_no_formula(t *testing.T) {
	w := small(t)
	formula := `=cmd|' /C calc'!A0`
	b := w.as(operator.Admin)
	b.send("/dashboard/account", "name", formula).location(t)
	w.organization(formula)
	b.send("/dashboard/organizations/new", "name", "+"+formula).location(t)
	page := b.get("/dashboard/audit/export?format=csv").want(t, http.StatusOK)
	if !strings.Contains(page.body, "cmd|") {
		t.Fatalf("the formula is nowhere in\n%s", page.body)
	}
	for line := range strings.Lines(page.body) {
		for _, begin := range []string{`,=`, `,"=`, `,+`, `,"+`} {
			if strings.Contains(line, begin) || strings.HasPrefix(line, begin[1:]) {
				t.Errorf("a cell begins with a formula: %s", line)
			}
		}
	}
	if d := page.Header.Get("Content-Disposition"); d != `attachment; filename="audit.csv"` {
		t.Errorf("the file is called %q", d)
	}
}
