package portal

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/itadmin"
	"github.com/rollcallhq/rollcall/internal/member"
)

// raw is the whole answer to a request of the browser; headers are pairs.
func (b *adminBrowser) raw(method, path, body string, headers ...string) *http.Response {
	b.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Cookie", b.cookie)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	b.handler.ServeHTTP(w, r)
	return w.Result()
}

func TestNo_answer_of_the_portal_can_be_framed_guessed_at_or_kept(t *testing.T) {
	atDesks(t, true, func(d *desk) {
		c, asked := d.company("Acme"), 0
		stranger := &adminBrowser{desk: d}
		held := func(path string, response *http.Response) {
			t.Helper()
			asked++
			h := response.Header
			if h.Get("Location") != "" || strings.HasPrefix(h.Get("Content-Type"), "text/csv") {
				return // nothing to frame
			}
			page := strings.HasPrefix(h.Get("Content-Type"), "text/html")
			if p := h.Get("Content-Security-Policy"); !strings.Contains(p, "frame-ancestors 'none'") || !strings.Contains(p, "default-src 'none'") || page && !strings.Contains(p, "base-uri 'none'") || strings.Contains(p, "unsafe") {
				t.Errorf("%s (%d): policy %q", path, response.StatusCode, p)
			}
			if h.Get("X-Frame-Options") != "DENY" || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Cache-Control") != "no-store" || h.Get("Referrer-Policy") == "" {
				t.Errorf("%s (%d): %v", path, response.StatusCode, h)
			}
		}
		for _, r := range routes() {
			path := strings.NewReplacer("{secret}", "portal_x", "{provider}", "okta", "{step}", "create-the-application", "{domain}", "x").Replace(c.path(r.pattern))
			for _, method := range r.methods() {
				held(path, c.raw(method, path, ""))
				held(path, stranger.raw(method, path, ""))
			}
		}
		held("nowhere", c.raw(http.MethodGet, "/portal/nowhere", ""))
		if asked < 100 {
			t.Errorf("asked only %d addresses", asked)
		}
	})
}

// The pages before the door have no session whose token they could carry: where the form comes from is all there is.
func TestForms_before_the_door_are_taken_from_our_own_origin_alone(t *testing.T) {
	atDesks(t, true, func(d *desk) {
		posts, stranger := 0, &adminBrowser{desk: d}
		for _, r := range routes() {
			if r.visit.post == nil {
				continue
			}
			posts++
			path := strings.ReplaceAll(r.pattern, "{secret}", "portal_x")
			for _, headers := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.example"}, {"Origin", "null"}} {
				if got := stranger.raw(http.MethodPost, path, "email=ida%40acme.example&code=123456", headers...); got.StatusCode != http.StatusForbidden {
					t.Errorf("%s with %v: %d", path, headers, got.StatusCode)
				}
			}
		}
		if posts < 3 {
			t.Errorf("there are only %d posts", posts)
		}
	})
}

// The addresses of the set-up that name nothing show what the session's organization has, whatever else is asked for.
func TestSet_up_without_a_name_in_its_address_shows_nothing_of_another_organization(t *testing.T) {
	atDesks(t, true, func(d *desk) {
		ours, theirs := d.company("Ours"), d.company("Theirs")
		query := "?" + url.Values{"organization_id": {string(theirs.org.ID)}, "organization": {string(theirs.org.ID)}, "q": {"Theirs"}}.Encode()
		asked := 0
		for _, r := range stepRoutes() {
			path := strings.ReplaceAll(r.pattern, "{provider}", "okta")
			if r.method != http.MethodGet || strings.Contains(path, "{") {
				continue
			}
			asked++
			got := ours.get(path + query)
			if got.hides(theirs.secrets()...); got.status >= http.StatusBadRequest || regexp.MustCompile(string(theirs.connection.ID)+"|"+string(theirs.directory.ID)).MatchString(got.to) {
				t.Errorf("%s: %d, leads to %q", path, got.status, got.to)
			}
		}
		if asked < 6 {
			t.Errorf("asked only %d addresses", asked)
		}
	})
}

func TestExports_of_the_portal_hold_no_formula_and_no_name_of_a_stranger_names_the_file(t *testing.T) {
	atDesks(t, true, func(d *desk) {
		formula := `=cmd|' /C calc'!A0`
		o := d.organization(`x"; filename="evil.exe`)
		b := d.enter(o.ID, itadmin.Everything)
		u, err := d.members.CreateUser(d.Context(), d.operator(), member.NewUser{Email: "eve@acme.example", FirstName: formula, LastName: "@" + formula})
		d.must(err)
		_, err = d.members.CreateMembership(d.Context(), d.operator(), newMembership(u.ID, string(o.ID)))
		d.must(err)
		left, err := d.members.CreateUser(d.Context(), d.operator(), member.NewUser{Email: "mal@acme.example", FirstName: formula, LastName: "@" + formula})
		d.must(err)
		m, err := d.members.CreateMembership(d.Context(), d.operator(), newMembership(left.ID, string(o.ID)))
		d.must(err)
		_, err = d.members.Deactivate(d.Context(), d.operator(), m.Membership.ID)
		d.must(err)
		d.now = d.now.Add(time.Minute)
		_, err = d.leavers.Begin(d.Context())
		d.must(err)
		_, err = d.admins.AddContact(d.Context(), d.operator(), o.ID, itadmin.NewContact{Email: "ida@acme.example", Name: formula})
		d.must(err)
		for _, one := range []struct {
			path  string
			holds bool
		}{{"/portal/access.csv", true}, {"/portal/audit.csv", false}, {"/portal/leavers.csv", true}} {
			got := b.get(one.path).wants(http.StatusOK)
			if one.holds && strings.Count(got.body, "cmd|") != 2 {
				t.Fatalf("%s does not hold the names:\n%s", one.path, got.body)
			}
			for line := range strings.Lines(got.body) {
				for _, begin := range []string{`,=`, `,"=`, `,@`, `,"@`} {
					if strings.Contains(line, begin) || strings.HasPrefix(line, begin[1:]) {
						t.Errorf("%s: a cell begins with a formula: %s", one.path, line)
					}
				}
			}
			name := b.raw(http.MethodGet, one.path, "").Header.Get("Content-Disposition")
			if !regexp.MustCompile(`^attachment; filename="[a-z0-9-]+\.csv"$`).MatchString(name) {
				t.Errorf("%s comes as %q", one.path, name)
			}
		}
	})
}
