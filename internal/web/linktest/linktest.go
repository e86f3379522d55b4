// Package linktest follows the links of pages as somebody would who opens everything, for tests.
package linktest

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// links are what people follow and what scripts ask again.
var links = regexp.MustCompile(`<a [^>]*href="([^"#]+)"|hx-get="([^"]+)"`)

// Walk opens a page and all that it leads to below prefix, by get. What is there answers with a page, leads elsewhere, or says that nothing is
// new; anything else is an error of the test, and so are fewer than least addresses and more than most.
func Walk(t *testing.T, start, prefix string, least, most int, get func(address string) (status int, body string)) {
	t.Helper()
	from, todo := map[string]string{start: "the start"}, []string{start}
	for n := 0; len(todo) > 0 && n < most; n++ {
		at := todo[0]
		todo = todo[1:]
		status, body := get(at)
		switch status {
		case http.StatusOK, http.StatusSeeOther, http.StatusNoContent:
		default:
			t.Errorf("%s, linked from %s: %d", at, from[at], status)
			continue
		}
		base, err := url.Parse(at)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range links.FindAllStringSubmatch(body, -1) {
			to, err := base.Parse(html.UnescapeString(m[1] + m[2]))
			if err != nil || to.Host != "" || !strings.HasPrefix(to.Path, prefix) {
				continue
			}
			if address := to.RequestURI(); from[address] == "" {
				from[address] = at
				todo = append(todo, address)
			}
		}
	}
	if len(from) < least || len(todo) > 0 {
		t.Errorf("%d addresses were found, of which %d are left; at least %d are there", len(from), len(todo), least)
	}
}
