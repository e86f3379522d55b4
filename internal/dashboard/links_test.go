package dashboard_test

import (
	"testing"

	"github.com/rollcallhq/rollcall/internal/operator"
	"github.com/rollcallhq/rollcall/internal/web/linktest"
)

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
	t.Helper()
	b := w.as(role)
	linktest.Walk(t, "/dashboard/", "/dashboard", 20, 1500, func(address string) (int, string) {
		got := b.get(address)
		return got.StatusCode, got.body
	})
}
