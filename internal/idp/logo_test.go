package idp

import (
	"strings"
	"testing"
	"testing/fstest"
)

const tile = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64" aria-hidden="true"><rect width="64" height="64" fill="#5e6f87"/><text x="32">Ac</text></svg>`

func TestEvery_provider_has_a_logo(t *testing.T) {
	for _, provider := range loadCatalog(t).Providers() {
		if !strings.HasPrefix(provider.Logo, "<svg ") {
			t.Errorf("%s: got %q", provider.Slug, provider.Logo)
		}
	}
}

func TestLogos_that_could_do_more_than_show_are_refused(t *testing.T) {
	if err := checkLogo([]byte(tile)); err != nil {
		t.Fatal(err)
	}
	cases := []struct{ name, old, new, want string }{
		{"a script", "<text", "<script>x</script><text", "element script"},
		{"a link", "<text", `<a xmlns:x="http://www.w3.org/1999/xlink" x:href="https://e"/><text`, "element a"},
		{"an attribute of another name space", "<text", `<text xmlns:x="http://www.w3.org/1999/xlink" x:fill="red"`, "attribute"},
		{"a handler", "<text", `<text onclick="x"`, "attribute onclick"},
		{"a style", "<text", `<text style="x"`, "attribute style"},
		{"an address to fetch", "#5e6f87", "url(https://e)", "attribute fill"},
		{"another name space", "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xhtml", "in its own name space"},
		{"svg inside svg", "<text", "<svg/><text", "one svg element"},
		{"a comment", "<text", "<!-- x --><text", "a comment"},
		{"an entity", "<svg", `<!DOCTYPE svg [<!ENTITY e "x">]><svg`, "a declaration"},
		{"not XML", "</text>", "", "not XML"},
		{"another frame", "0 0 64 64", "0 0 32 32", `viewBox="0 0 64 64"`},
		{"read aloud", ` aria-hidden="true"`, "", `aria-hidden="true"`},
		{"too large", "Ac", strings.Repeat("A", largestLogo), "at most"},
		{"nothing", tile, "", "no svg element"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			if err := checkLogo([]byte(strings.Replace(tile, tc.old, tc.new, 1))); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %s", err, tc.want)
			}
		})
	}
}

func TestA_folder_without_a_logo_is_refused(t *testing.T) {
	_, err := load(fstest.MapFS{"acme/idp.json": {Data: []byte(smallProvider)}}, false)
	if err == nil || !strings.Contains(err.Error(), "read acme/logo.svg") {
		t.Errorf("got %v", err)
	}
}
