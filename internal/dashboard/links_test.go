package dashboard_test

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/rollcallhq/rollcall/internal/operator"
)

var anyLink = regexp.MustCompile(`<a [^>]*href="([^"#]+)"|hx-get="([^"]+)"`)

// Whoever opens all that can be opened, by links, is nowhere told that nothing is there.
func TestLinks_of_all_pages_lead_somewhere(t *testing.T) {
	for name, open := range map[string]func(t *testing.T) *world{
		"customers": func(t *testing.T) *world {
			w := small(t)
			w.customer()
			return w
		},
		"trouble": func(t *testing.T) *world {
			w := small(t)
			w.troubled()
			return w
		},
		"members": func(t *testing.T) *world { return furnish(t).world },
		"moving": func(t *testing.T) *world {
			w := small(t)
			w.moving("moving").begun(t, w.as(operator.Admin))
			return w
		},
	} {
		for _, role := range []operator.Role{operator.Owner, operator.ReadOnly} {
			t.Run(name+"/"+string(role), func(t *testing.T) { walk(t, open(t), role) })
		}
	}
}

func walk(t *testing.T, w *world, role operator.Role) {
	const most = 1500
	b := w.as(role)
	seen, todo := map[string]string{"/dashboard/": "the start"}, []string{"/dashboard/"}
	for n := 0; len(todo) > 0; n++ {
		if n == most {
			t.Fatalf("%d pages and more", most)
		}
		at := todo[0]
		todo = todo[1:]
		got := b.get(at)
		switch got.StatusCode {
		case http.StatusOK, http.StatusSeeOther, http.StatusNoContent:
		default:
			t.Errorf("%s, linked from %s: %d", at, seen[at], got.StatusCode)
			continue
		}
		base, err := url.Parse(at)
		w.ok(err)
		for _, m := range anyLink.FindAllStringSubmatch(got.body, -1) {
			to, err := base.Parse(html.UnescapeString(m[1] + m[2]))
			if err != nil || to.Host != "" || !strings.HasPrefix(to.Path, "/dashboard") {
				continue
			}
			if address := to.RequestURI(); seen[address] == "" {
				seen[address] = at
				todo = append(todo, address)
			}
		}
	}
	if len(seen) < 20 {
		t.Errorf("only %d pages were found", len(seen))
	}
}
