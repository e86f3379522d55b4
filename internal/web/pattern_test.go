package web_test

import (
	"maps"
	"net/url"
	"testing"

	"github.com/rollcallhq/rollcall/internal/token"
	"github.com/rollcallhq/rollcall/internal/web"
)

func TestPattern_matches_its_own_paths_and_gives_what_the_placeholders_stand_for(t *testing.T) {
	for _, c := range []struct {
		pattern, path string
		want          map[string]string // nil: is not the pattern's
	}{
		{"/organizations", "/organizations", map[string]string{}},
		{"/organizations/{id}", "/organizations/org_1", map[string]string{"id": "org_1"}},
		{"/a/{one}/b/{two}", "/a/1/b/2", map[string]string{"one": "1", "two": "2"}},
		{"/organizations/{id}", "/organizations/", nil},
		{"/organizations/{id}", "/organizations", nil},
		{"/organizations/{id}", "/organizations/org_1/", nil},
		{"/organizations/{id}", "//organizations/org_1", nil},
		{"/organizations/{id}", "/members/org_1", nil},
	} {
		got, ok := web.NewPattern(c.pattern).Match(web.Segments(c.path))
		if ok != (c.want != nil) || !maps.Equal(got, c.want) {
			t.Errorf("%s matched with %s: %v %v, want %v", c.path, c.pattern, got, ok, c.want)
		}
	}
}

func TestFind_prefers_what_is_written_out_and_else_the_first(t *testing.T) {
	rows := []string{"/a/{id}", "/a/new", "/a/{other}", "/{x}/{y}"}
	pattern := func(row *string) web.Pattern { return web.NewPattern(*row) }
	for path, want := range map[string]string{"/a/new": "/a/new", "/a/1": "/a/{id}", "/b/1": "/{x}/{y}"} {
		found, values := web.Find(rows, pattern, path)
		if found == nil || *found != want || want == "/a/{id}" && values["id"] != "1" {
			t.Errorf("%s is found at %v with %v, want %s", path, found, values, want)
		}
	}
	if found, _ := web.Find(rows, pattern, "/a"); found != nil {
		t.Errorf("/a is found at %s", *found)
	}
}

func TestText_without_UTF8_or_with_NUL_is_not_text_in_a_name_or_a_value(t *testing.T) {
	for _, bad := range []string{"a\x00b", "\xff", "ab\xc3"} {
		if web.IsText(bad) {
			t.Errorf("%q is taken for text", bad)
		}
		if web.AreText(url.Values{"name": {"fine", bad}}) || web.AreText(url.Values{bad: {"fine"}}) {
			t.Errorf("%q is taken for text in a form", bad)
		}
	}
	if !web.AreText(url.Values{"näme": {"", "Grüße 👋"}}) {
		t.Error("text is refused")
	}
}

func TestForm_tokens_differ_by_cookie_and_by_purpose(t *testing.T) {
	seen := map[string]bool{}
	for _, cookie := range []string{"one", "other"} {
		for _, purpose := range []string{"operator", "portal"} {
			got := web.FormToken(token.Secret(cookie), purpose)
			if seen[got] || len(got) != 64 || got != web.FormToken(token.Secret(cookie), purpose) {
				t.Errorf("the token of %s for %s is %q", cookie, purpose, got)
			}
			seen[got] = true
		}
	}
}
