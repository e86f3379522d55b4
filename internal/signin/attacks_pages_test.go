package signin_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/rollcallhq/rollcall/internal/signin"
	"github.com/rollcallhq/rollcall/internal/sso"
)

var placeholder = regexp.MustCompile(`\{[a-z_]+\}`)

func TestEvery_form_of_the_member_pages_is_taken_from_our_own_origin_alone(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		forms := signin.Forms()
		for _, pattern := range forms {
			path := placeholder.ReplaceAllString(pattern, "magic_x")
			for _, headers := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.example"}, {"Origin", "null"}} {
				w.browser().post(path, url.Values{"email": {"alice@acme.example"}, "code": {"123456"}}, headers...).want(t, http.StatusForbidden)
			}
		}
		if len(forms) < 6 {
			t.Errorf("there are only %d forms", len(forms))
		}
	})
}

// Whatever parameter names an address: nobody is led to one that was not registered, and no page links to it.
func TestNo_address_of_the_member_pages_leads_where_a_parameter_says(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p := w.provider(w.org.ID)
		asked := 0
		for _, evil := range []string{"https://evil.example/x", "//evil.example/x", `/\evil.example/x`, "javascript:alert(document.domain)//evil.example"} {
			query := url.Values{"client_id": {w.app.ClientID}}
			for _, name := range []string{
				"redirect_uri", "post_logout_redirect_uri", "return_to", "returnTo", "return_url", "success_url", "target_link_uri", "RelayState", "continue", "to", "next", "url", "iss", "state", "login_hint",
			} {
				query.Set(name, evil)
			}
			for _, pattern := range signin.Addresses() {
				key := w.conn.Key
				if strings.HasPrefix(pattern, "/oidc/") {
					key = p.conn.Key
				}
				path := placeholder.ReplaceAllString(strings.ReplaceAll(pattern, "{key}", key), "magic_x")
				for _, q := range []url.Values{query, {"RelayState": {evil}}, {"target_link_uri": {evil}}, {"return_to": {evil}}, {"continue": {evil}}, {"to": {evil}}} {
					asked++
					a := w.browser().get(path + "?" + q.Encode())
					if to := a.Header.Get("Location"); to != "" {
						at, err := url.Parse(to)
						if err != nil || strings.Contains(at.Host, "evil") || at.Scheme == "javascript" || strings.HasPrefix(to, "//") || strings.HasPrefix(to, `/\`) {
							t.Errorf("%s leads to %s", path, to)
						}
					}
					for _, attribute := range []string{`href="`, `action="`, `content="0;url=`} {
						if strings.Contains(a.body, attribute+evil) || strings.Contains(a.body, attribute+"javascript:") {
							t.Errorf("%s has a page with a way to %s", path, evil)
						}
					}
				}
			}
		}
		if asked < 200 {
			t.Errorf("asked only %d addresses", asked)
		}
	})
}

// What the provider says of a refusal goes into the attempt and onto the test's page, as text.
func TestWhat_a_provider_says_of_its_error_is_text_wherever_it_is_shown(t *testing.T) {
	evil := `"><script>alert(1)</script><img src=x onerror=alert(1)>`
	each(t, func(t *testing.T, w *world) {
		p := w.provider(w.org.ID)
		b := w.browser()
		back := p.away(b)
		refused := url.Values{"error": {"access_denied"}, "error_description": {evil}, "state": {back.Query().Get("state")}, "iss": {p.server.URL}}
		back.RawQuery = refused.Encode()
		page := b.get(back.String())
		w.refusedWith(page, p.conn, sso.IDPDenied)
		if strings.Contains(page.body, "<script>alert") || strings.Contains(page.body, "<img") {
			t.Error("the page holds the provider's markup")
		}

		address, err := w.signIns.NewTest(ctx, p.conn.ID)
		w.ok(err)
		tester := w.browser()
		begun := tester.get(address).location(t)
		refused.Set("state", begun.Query().Get("state"))
		back.RawQuery = refused.Encode()
		end := tester.get(back.String())
		for end.Header.Get("Location") != "" {
			end = tester.get(end.location(t).String())
		}
		if !strings.Contains(end.body, "&lt;script&gt;alert(1)") || strings.Contains(end.body, "<script>alert") || strings.Contains(end.body, "<img") {
			t.Errorf("the page of the test:\n%s", end.body)
		}
	})
}
