package signin

import (
	"slices"
	"strings"
	"testing"

	"github.com/rollcallhq/rollcall/internal/sso"
)

// Whatever becomes an address of ours has to be out of reach for the paths that connections have from former vendors.
func TestRoutes_are_out_of_reach_for_the_paths_of_connections(t *testing.T) {
	for _, r := range table() {
		if first := strings.Split(r.pattern, "/")[1]; first != "sso" && !slices.Contains(sso.Reserved(), first) {
			t.Errorf("%s: add %q to sso.Reserved", r.pattern, first)
		}
	}
}

func TestRoutes_that_change_something_are_no_plain_pages(t *testing.T) {
	for _, r := range table() {
		for method, e := range r.methods {
			if method == "POST" && e.kind == page {
				t.Errorf("%s %s is taken from anywhere", method, r.pattern)
			}
			if e.kind == form && !strings.HasPrefix(r.pattern, "/sign-") && !strings.HasPrefix(r.pattern, "/invitations/") {
				t.Errorf("%s is no form of ours", r.pattern)
			}
		}
	}
}
