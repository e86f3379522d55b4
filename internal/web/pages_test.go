package web

import (
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"
)

func write(t *testing.T, base, target string, page Page) *httptest.ResponseRecorder {
	t.Helper()
	pages, err := NewPages()
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest("GET", "/", nil)
	w := httptest.NewRecorder()
	if err := pages.Write(w, r.WithContext(With(r.Context(), &Request{Base: base})), 200, page, target); err != nil {
		t.Fatal(err)
	}
	return w
}

func TestPages_have_a_language_labels_and_only_words_that_are_there(t *testing.T) {
	full := []Page{
		SignInPage{Wrong: "x", SignUp: true},
		CodePage{Wrong: "x", Again: "/x"},
		ChoosePage{Email: "a@b", Organizations: []Choice{{ID: "org_1", Name: "Acme"}, {ID: "org_2", Name: "Globex", Last: true}}},
		RefusalPage{Again: "/"},
		AlreadyPage{Places: []Place{{App: "Shop", URL: "https://shop.example/"}}},
		SignOutPage{Email: "a", Fields: []Field{{"a", "b"}}},
		OnwardPage{Back: true, Fields: []Field{{"a", "b"}}},
		TestPage{OK: true, Checks: []Check{{OK: true}, {Expected: "a", Actual: "b", Note: "c"}}},
	}
	for _, page := range append(everyPage(), full...) {
		body := write(t, "https://sso.example", "", page).Body.String()
		if !strings.Contains(body, `<html lang="en">`) || !strings.Contains(body, `name="viewport"`) || strings.Count(body, "<h1>") != 1 {
			t.Errorf("%s: no language, no viewport, or not one heading", page.name())
		}
		for _, input := range regexp.MustCompile(`<input id="([a-z]+)"`).FindAllStringSubmatch(body, -1) {
			if !strings.Contains(body, `<label for="`+input[1]+`">`) {
				t.Errorf("%s: input %s has no label", page.name(), input[1])
			}
		}
		for _, wrong := range []string{"%!", "ZgotmplZ", "style=", "onload", "http://"} {
			if strings.Contains(body, wrong) {
				t.Errorf("%s holds %q", page.name(), wrong)
			}
		}
		if key := regexp.MustCompile(`[> ](sign|code|link|choose|refusal|wrong|bounce|onward|test|check)_[a-z_]+`).FindString(body); key != "" {
			t.Errorf("%s shows the key %q instead of a sentence", page.name(), key)
		}
	}
}

func TestPages_run_no_script_but_ours_and_cannot_be_framed(t *testing.T) {
	for _, page := range everyPage() {
		csp := write(t, "https://sso.example", "", page).Header().Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "style-src 'sha256-"} {
			if !strings.Contains(csp, want) {
				t.Errorf("%s: policy %q lacks %q", page.name(), csp, want)
			}
		}
		if strings.Contains(csp, "unsafe") || strings.Contains(csp, "*") {
			t.Errorf("%s: policy %q is no policy", page.name(), csp)
		}
		if _, posts := page.(OnwardPage); posts != strings.Contains(csp, "script-src 'sha256-") {
			t.Errorf("%s: policy %q allows a script: %t", page.name(), csp, !posts)
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
		WrongPage{Sentence: evil, ID: evil},
		SignOutPage{Email: evil, Action: "javascript:alert(1)", Fields: []Field{{evil, evil}}},
		OnwardPage{Action: "javascript:alert(1)", Fields: []Field{{evil, evil}}},
		TestPage{Connection: evil, Organization: evil, ID: evil, Checks: []Check{{Name: evil, Note: evil, Expected: evil, Actual: evil}}},
	}
	for _, page := range pages {
		body := write(t, "https://sso.example", "", page).Body.String()
		if strings.Contains(body, "<script>alert") || strings.Contains(body, "<img") || strings.Contains(body, `"javascript:`) {
			t.Errorf("%s: markup of a stranger is markup on the page:\n%s", page.name(), body)
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
