package web

import (
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"
)

func site(t *testing.T, b Brand) *Site {
	t.Helper()
	s, err := NewSite(b, func() time.Time { return time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC) })
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func write(t *testing.T, base, target string, page Page) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest("GET", "/", nil)
	w := httptest.NewRecorder()
	if err := NewPages(site(t, Brand{})).Write(w, r.WithContext(With(r.Context(), &Request{Base: base})), 200, page, target); err != nil {
		t.Fatal(err)
	}
	return w
}

func everyPage() []Page {
	return []Page{
		SignInPage{},
		CodePage{},
		LinkPage{},
		ChoosePage{},
		RefusalPage{},
		AlreadyPage{},
		InvitationPage{Provable: true, Code: true},
		NoInvitationPage{State: "gone"},
		JoinedPage{},
		WrongPage{},
		SignOutPage{},
		SignedOutPage{},
		OnwardPage{},
		TestPage{},
	}
}

// fullPages have everything in them that pages may have.
func fullPages() []Page {
	return []Page{
		SignInPage{Wrong: "x", SignUp: true, Codes: true},
		SignInPage{App: "Shop", Email: "a@b"},
		CodePage{Wrong: "x", Again: "/x", Email: "a@b"},
		ChoosePage{Email: "a@b", Organizations: []Choice{{ID: "org_1", Name: "Acme"}, {ID: "org_2", Name: "Globex", Last: true}}},
		RefusalPage{Again: "/"},
		AlreadyPage{Places: []Place{{App: "Shop", URL: "https://shop.example/"}}},
		InvitationPage{Organization: "Acme", Inviter: "Ann", Email: "a@b", App: "Shop", SSO: "Okta", Provable: true},
		InvitationPage{Organization: "Acme", App: "Shop"},
		InvitationPage{Inviter: "Ann", App: "Shop", Code: true, Provable: true},
		InvitationPage{Inviter: "Ann", App: "Shop", SSO: "Okta", Code: true, Provable: true},
		NoInvitationPage{State: "renew"},
		NoInvitationPage{State: "renewed"},
		NoInvitationPage{State: "expired"},
		NoInvitationPage{State: "used"},
		NoInvitationPage{State: "shut"},
		JoinedPage{Organization: "Acme", Places: []Place{{App: "Shop", URL: "com.example.shop:/open"}}},
		SignOutPage{Email: "a", Fields: []Field{{Name: "a", Value: "b"}}},
		OnwardPage{Back: true, Fields: []Field{{Name: "a", Value: "b"}}},
		TestPage{OK: true, Checks: []Check{{OK: true}, {Expected: "a", Actual: "b", Note: "c"}}},
	}
}

func TestPages_have_a_language_labels_and_only_words_that_are_there(t *testing.T) {
	inputs := 0
	for _, page := range append(everyPage(), fullPages()...) {
		body := write(t, "https://sso.example", "", page).Body.String()
		if !strings.Contains(body, `<html lang="en" dir="ltr"`) || !strings.Contains(body, `name="viewport"`) || strings.Count(body, "<h1>") != 1 {
			t.Errorf("%T: no language, no viewport, or not one heading", page)
		}
		for _, input := range regexp.MustCompile(`<input[^>]* id="([a-z]+)"`).FindAllStringSubmatch(body, -1) {
			inputs++
			if !strings.Contains(body, `<label for="`+input[1]+`">`) {
				t.Errorf("%T: input %s has no label", page, input[1])
			}
		}
		for _, wrong := range []string{"%!", "#unsafe", "style=", "<style", "onload", "http://", "member.", "ui.", "{"} {
			if strings.Contains(body, wrong) {
				t.Errorf("%T holds %q:\n%s", page, wrong, body)
			}
		}
	}
	if inputs < 4 {
		t.Errorf("found %d inputs; the rule would hold for nothing", inputs)
	}
}

func TestPages_run_no_script_but_ours_and_cannot_be_framed(t *testing.T) {
	inline := regexp.MustCompile(`<script[^>]*>[^<]|<[^>]* on[a-z]+=|javascript:`)
	for _, page := range append(everyPage(), fullPages()...) {
		w := write(t, "https://sso.example", "", page)
		csp := w.Header().Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "style-src 'self'", "img-src 'self' data:"} {
			if !strings.Contains(csp, want) {
				t.Errorf("%T: policy %q lacks %q", page, csp, want)
			}
		}
		if strings.Contains(csp, "unsafe") || strings.Contains(csp, "*") {
			t.Errorf("%T: policy %q is no policy", page, csp)
		}
		_, posts := page.(OnwardPage)
		if posts != strings.Contains(csp, "script-src 'self'") || posts == strings.Contains(csp, "script-src 'none'") || posts != strings.Contains(w.Body.String(), "<script") {
			t.Errorf("%T: policy %q and its scripts do not fit a page that posts by itself: %t", page, csp, posts)
		}
		if found := inline.FindString(w.Body.String()); found != "" {
			t.Errorf("%T has a script in the page: %q", page, found)
		}
	}
}

// P14: what strangers send ends up on pages (crewjam CVE-2023-45683, ZITADEL CVE-2026-29191).
func TestP14_what_strangers_send_is_text_on_every_page(t *testing.T) {
	evil := `"><script>alert(1)</script>'><img src=x onerror=alert(1)>`
	pages := []Page{
		SignInPage{App: evil, Email: evil, Continue: evil, Wrong: evil},
		CodePage{App: evil, Email: evil, Magic: evil, Wrong: evil, Again: "javascript:alert(1)"},
		LinkPage{App: evil},
		ChoosePage{App: evil, Email: evil, Choice: evil, Organizations: []Choice{{ID: evil, Name: evil}}},
		RefusalPage{App: evil, ID: evil, Again: "javascript:alert(1)"},
		AlreadyPage{Places: []Place{{App: evil, URL: "javascript:alert(1)"}, {App: evil, URL: " \tJaVaScRiPt:alert(1)"}, {App: evil, URL: evil}}},
		InvitationPage{Organization: evil, Inviter: evil, Email: evil, App: evil, SSO: evil, Provable: true},
		NoInvitationPage{State: evil},
		JoinedPage{Organization: evil, Places: []Place{{App: evil, URL: "data:text/html," + evil}}},
		WrongPage{Sentence: evil, ID: evil},
		SignOutPage{Email: evil, Action: "javascript:alert(1)", Fields: []Field{{Name: evil, Value: evil}}},
		OnwardPage{Action: "javascript:alert(1)", Fields: []Field{{Name: evil, Value: evil}}},
		TestPage{Connection: evil, Organization: evil, ID: evil, Checks: []Check{{Name: evil, Note: evil, Expected: evil, Actual: evil}}},
	}
	for _, page := range pages {
		body := write(t, "https://sso.example", "", page).Body.String()
		if strings.Contains(body, "<script>alert") || strings.Contains(body, "<img") || regexp.MustCompile(`(?i)(href|action)="\s*(javascript|data):`).MatchString(body) {
			t.Errorf("%T: markup of a stranger is markup on the page:\n%s", page, body)
		}
	}
}

func TestPages_may_lead_to_where_the_application_is(t *testing.T) {
	for _, c := range []struct{ base, target, want string }{
		{"https://sso.example", "https://app.example/cb", "form-action 'self' https:;"},
		{"https://sso.example", "http://127.0.0.1:9000/cb", "form-action 'self' https: http://127.0.0.1:9000;"},
		{"https://sso.example", "com.example.app:/cb", "form-action 'self' https: com.example.app:;"},
		{"http://127.0.0.1:8080", "", "form-action 'self' https: http:;"},
	} {
		csp := write(t, c.base, c.target, SignInPage{}).Header().Get("Content-Security-Policy")
		if !strings.Contains(csp, c.want) {
			t.Errorf("at %s for %s: %q, want %q", c.base, c.target, csp, c.want)
		}
	}
}

func TestCookies_cannot_be_set_by_others_where_there_is_TLS(t *testing.T) {
	for _, c := range []struct {
		base   string
		cookie Cookie
		want   string
	}{
		{"https://sso.example", BrowserCookie, "__Host-rollcall-browser=v; Path=/; Max-Age=60; HttpOnly; Secure; SameSite=None"},
		{"https://sso.example", SessionCookie, "__Host-rollcall-session=v; Path=/; Max-Age=60; HttpOnly; Secure; SameSite=Lax"},
		{"http://127.0.0.1:8080", BrowserCookie, "rollcall-browser=v; Path=/; Max-Age=60; HttpOnly; SameSite=Lax"},
		{"http://127.0.0.1:8080", LastCookie, "rollcall-last=v; Path=/; Max-Age=60; HttpOnly; SameSite=Lax"},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r = r.WithContext(With(r.Context(), &Request{Base: c.base}))
		w := httptest.NewRecorder()
		c.cookie.Set(w, r, "v", time.Minute)
		if got := w.Header().Get("Set-Cookie"); got != c.want {
			t.Errorf("%s at %s: %q, want %q", c.cookie, c.base, got, c.want)
		}
	}
}

func TestCookie_that_comes_twice_with_different_values_is_none(t *testing.T) {
	r := httptest.NewRequest("GET", "/", nil)
	r = r.WithContext(With(r.Context(), &Request{Base: "https://sso.example"}))
	r.Header.Set("Cookie", "__Host-rollcall-session=a; rollcall-session=b")
	if got := SessionCookie.Value(r); got != "a" {
		t.Errorf("got %q, want the one with the prefix", got)
	}
	r.Header.Set("Cookie", "__Host-rollcall-session=a; __Host-rollcall-session=b")
	if got := SessionCookie.Value(r); got != "" {
		t.Errorf("got %q of two different ones, want none", got)
	}
}
