package web

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/a-h/templ"

	"github.com/rollcallhq/rollcall/internal/web/assets"
	"github.com/rollcallhq/rollcall/internal/web/ui"
)

func answer(t *testing.T, s *Site, r *http.Request, a Answer) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	if err := s.Write(w, r, a); err != nil {
		t.Fatal(err)
	}
	return w
}

func TestAnswer_is_held_to_a_policy_without_anything_inline(t *testing.T) {
	s, r := site(t, Brand{}), httptest.NewRequest("GET", "/", nil)
	h := answer(t, s, r, Answer{Body: ui.Shell(ui.ShellProps{}), Script: true, Isolated: true, Forms: []string{"https://idp.example"}}).Header()
	want := "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self' https://idp.example; frame-ancestors 'none'; base-uri 'none'"
	if h.Get("Content-Security-Policy") != want {
		t.Errorf("policy %q, want %q", h.Get("Content-Security-Policy"), want)
	}
	for name, value := range map[string]string{"Referrer-Policy": "same-origin", "X-Content-Type-Options": "nosniff", "Cross-Origin-Opener-Policy": "same-origin", "Content-Type": "text/html; charset=utf-8"} {
		if h.Get(name) != value {
			t.Errorf("%s is %q, want %q", name, h.Get(name), value)
		}
	}
	// An app may show a sign-in in a window of its own and wait for it.
	quiet := answer(t, s, r, Answer{Body: ui.PlainShell(ui.PlainProps{})}).Header()
	if quiet.Get("Cross-Origin-Opener-Policy") != "" || !strings.Contains(quiet.Get("Content-Security-Policy"), "script-src 'none'") || !strings.Contains(quiet.Get("Content-Security-Policy"), "connect-src 'none'") {
		t.Errorf("headers of a page without script: %v", quiet)
	}
}

func TestAnswer_that_cannot_be_drawn_is_not_begun(t *testing.T) {
	w := httptest.NewRecorder()
	broken := templ.ComponentFunc(func(_ context.Context, out io.Writer) error {
		_, _ = io.WriteString(out, "half")
		return errors.New("broken")
	})
	if err := site(t, Brand{}).Write(w, httptest.NewRequest("GET", "/", nil), Answer{Body: broken}); err == nil || w.Body.Len() > 0 || w.Header().Get("Content-Type") != "" {
		t.Errorf("err %v, wrote %q", err, w.Body)
	}
}

func TestTheme_is_one_of_two_whatever_the_cookie_says(t *testing.T) {
	for value, want := range map[string]string{"dark": ` class="dark"`, "light": ` class="light"`, "": "", "evil": "", `"><script>`: ""} {
		r := httptest.NewRequest("GET", "/", nil)
		r.AddCookie(&http.Cookie{Name: themeCookie, Value: value})
		body := answer(t, site(t, Brand{}), r, Answer{Body: ui.PlainShell(ui.PlainProps{})}).Body.String()
		if !strings.Contains(body, `<html lang="en" dir="ltr"`+want+`>`) {
			t.Errorf("%q: %.120s", value, body)
		}
	}
}

func TestEverything_that_a_page_fetches_is_served(t *testing.T) {
	logo := assets.File{Name: "logo.svg", Body: []byte("<svg/>")}
	s := site(t, Brand{Name: "Acme", Logo: &logo})
	body := answer(t, s, httptest.NewRequest("GET", "/", nil), Answer{Body: ui.Shell(ui.ShellProps{}), Script: true}).Body.String()
	fetched := regexp.MustCompile(`(?:src|href)="(/assets/[^"]+)"`).FindAllStringSubmatch(body, -1)
	if len(fetched) < 7 {
		t.Errorf("the page fetches only %v", fetched)
	}
	for _, m := range fetched {
		w := httptest.NewRecorder()
		s.Assets().ServeHTTP(w, httptest.NewRequest("GET", m[1], nil))
		if w.Code != 200 || !strings.Contains(w.Header().Get("Cache-Control"), "immutable") {
			t.Errorf("%s: %d, %q", m[1], w.Code, w.Header().Get("Cache-Control"))
		}
	}
	if strings.Contains(body, `href=""`) || strings.Contains(body, `src=""`) {
		t.Error("the page fetches nothing somewhere")
	}
}

func TestBrand_with_a_logo_of_a_kind_that_is_not_served_is_refused(t *testing.T) {
	if _, err := NewSite(Brand{Logo: &assets.File{Name: "logo.html", Body: []byte("x")}}, nil); err == nil {
		t.Error("no error")
	}
}
